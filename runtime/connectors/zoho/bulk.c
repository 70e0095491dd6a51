/* bulk.c - bulk write (facts/zoho-crm.md 9): many new records as one file, at a price per job instead of per record.
 *
 *     records -> CSV in memory -> zip -> POST upload -> file id -> POST job -> job id ... GET job ... -> zip of CSV -> one outcome per record
 *
 * The first column is the record's key in Zoho: by it the lines of the result find their records, in whatever order they come. Workflows and the like do
 * not run on what is written so. A job cannot be listed or named by us: one whose creation was not answered is looked for by the keys that it writes.
 * That none is written twice rests on the key field, which takes no duplicates (checked before the first write). */
#include "connectors/zoho/zoho.h"
#include "value/date.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

enum { FIELDS_MAX = 200, FILE_BYTES = 25 << 20, ROOM_BYTES = 64 << 10, RESULT_BYTES = 256 << 20, CELL_BYTES = 1 << 20, CALL_MS = 2000 };

struct load_column { char name[128]; enum type_base base; };
struct load {
    struct buf csv;
    struct load_column col[FIELDS_MAX];
    size_t ncols, rows;
    char module[128];
};

/* ---- which way is cheaper ---- */
size_t zoho__load_rows(const struct target *t)
{
    struct str how = conn_setting(t->env, "bulk");
    return t->upload_url[0] && !str_is(how, "never") ? ZOHO_LOAD_ROWS : 0;
}

/* Zoho publishes no times: a write call is taken for two seconds, a job for what setting bulk_time says. Credits that are not there have to be waited
 * for, which is what makes inserts of a large load slow. */
static int64_t wait_for_credits(const struct target *t, uint64_t credits)
{
    int64_t budget = t->limits.budget_calls, per = t->limits.budget.span_ms;
    if (budget <= 0 || (int64_t)credits <= budget) return 0;
    return (int64_t)((credits - 1) / (uint64_t)budget) * per;
}

void zoho__load_choice(struct target *t, uint64_t records, struct load_choice *out)
{
    uint64_t jobs = (records + ZOHO_LOAD_ROWS - 1) / ZOHO_LOAD_ROWS;
    int64_t job_ms = conn_setting_ms(t->env, "bulk_time", 600000), patience = conn_setting_ms(t->env, "bulk_wait", 3600000);
    *out = (struct load_choice){.possible = zoho__load_rows(t) > 0};
    out->insert.calls = (records + LIMIT_WRITE_BATCH - 1) / LIMIT_WRITE_BATCH;
    out->insert.credits = (records + 9) / 10;
    out->insert.ms = (int64_t)out->insert.calls * CALL_MS / (int64_t)zoho__writers(t) + wait_for_credits(t, out->insert.credits);
    uint64_t looks = jobs * (uint64_t)(job_ms / ZOHO_LOOK_MS + 1);
    out->bulk.calls = jobs * 3 + looks;
    out->bulk.credits = jobs * (ZOHO_LOAD_CREDITS + 2) + looks;
    out->bulk.ms = (int64_t)jobs * job_ms + wait_for_credits(t, out->bulk.credits);
    if (!out->possible) out->why = str_is(conn_setting(t->env, "bulk"), "never") ? "bulk is switched off" : "no upload_url for this region";
    else if (str_is(conn_setting(t->env, "bulk"), "always")) out->bulk_is_better = records > 0;
    else if (out->bulk.credits >= out->insert.credits) out->why = "inserts cost no more credits";
    else if (out->bulk.ms > out->insert.ms + patience) out->why = "bulk would take longer than bulk_wait allows";
    else out->bulk_is_better = true;
}

/* ---- the file ---- */
static void put_cell(struct buf *b, struct str s)
{
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++) plain = s.p[i] != ',' && s.p[i] != '"' && s.p[i] != '\n' && s.p[i] != '\r';
    if (plain && s.n && s.p[0] != ' ' && s.p[s.n - 1] != ' ') {
        buf_str(b, s);
        return;
    }
    buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(b, '"');
        buf_byte(b, (unsigned char)s.p[i]);
    }
    buf_byte(b, '"');
}

static void put_value(struct buf *b, const struct value *v)
{
    char text[DATETIME_BYTES + 8];
    if (!value_present(v)) return;
    if (v->kind == V_TEXT || v->kind == V_ID) {
        put_cell(b, value_str(v));
    } else if (v->kind == V_INSTANT) {
        size_t n = datetime_write(text, v->u.i, false);
        buf_str(b, (struct str){text, n});
        buf_puts(b, "+00:00");
    } else {
        value_print(b, v);                               /* numbers, dates, true and false: nothing to quote */
    }
}

enum err zoho__load_new(struct target *t, struct str module, const struct target_field *fields, size_t n, struct load **out, struct fault *f)
{
    if (n > FIELDS_MAX) return fault_set(f, ERR_UNSUPPORTED, "bulk write takes %d fields, the flow has %zu", FIELDS_MAX, n);
    if (module.n >= sizeof ((struct load *)0)->module) return fault_set(f, ERR_UNSUPPORTED, "the module's name is too long");
    (void)t;
    struct load *l = calloc(1, sizeof *l);
    if (!l) check_no_memory();
    memcpy(l->module, module.p, module.n);
    for (size_t i = 0; i < n; i++) {
        struct load_column *c = &l->col[l->ncols++];
        if (fields[i].name.n >= sizeof c->name - 4) {
            zoho__load_free(l);
            return fault_set(f, ERR_UNSUPPORTED, "a field's name is too long");
        }
        (void)snprintf(c->name, sizeof c->name, "%.*s", (int)fields[i].name.n, fields[i].name.p);
        c->base = fields[i].type.base;
        buf_printf(&l->csv, "%s%s%s", i ? "," : "", c->name, c->base == T_LINK ? ".id" : "");
    }
    buf_byte(&l->csv, '\n');
    *out = l;
    return ERR_OK;
}

bool zoho__load_add(struct load *l, const struct record *fields)
{
    if (l->rows == ZOHO_LOAD_ROWS || l->csv.n > FILE_BYTES - ROOM_BYTES) return false;
    size_t before = l->csv.n;
    for (size_t i = 0; i < l->ncols; i++) {
        const struct value *v = record_get(fields, str_of(l->col[i].name));
        if (i) buf_byte(&l->csv, ',');
        if (v) put_value(&l->csv, v);
    }
    buf_byte(&l->csv, '\n');
    if (l->csv.n > FILE_BYTES - 1024) {                   /* a record of more than what was kept free */
        l->csv.n = before;
        return false;
    }
    l->rows++;
    return true;
}

size_t zoho__load_count(const struct load *l) { return l->rows; }

void zoho__load_free(struct load *l)
{
    if (!l) return;
    buf_free(&l->csv);
    free(l);
}

/* The CSV as a zip of one file. All of it happens in memory, so nothing can fail but for want of that. */
static void zip_load(const struct load *l, struct buf *out)
{
    zip_error_t e;
    zip_error_init(&e);
    zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, &e);
    zip_t *z = s ? zip_open_from_source(s, ZIP_TRUNCATE, &e) : NULL;
    if (!z) check_no_memory();
    zip_source_keep(s);
    zip_source_t *file = zip_source_buffer(z, l->csv.p, l->csv.n, 0);
    zip_int64_t at = file ? zip_file_add(z, "records.csv", file, ZIP_FL_ENC_UTF_8) : -1;
    bool good = at >= 0 && zip_file_set_mtime(z, (zip_uint64_t)at, 1735689600, 0) == 0 && zip_close(z) == 0 && zip_source_open(s) == 0;
    if (!good) check_no_memory();
    zip_int64_t n;
    char part[16384];
    while ((n = zip_source_read(s, part, sizeof part)) > 0) buf_str(out, (struct str){part, (size_t)n});
    ASSERT(n == 0);
    zip_source_close(s);
    zip_source_free(s);
}

/* ---- the calls ---- */
static struct str member(const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
}

static struct str kept(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.p, s.n), s.n}; }

static json_t *answer_of(const struct http_res *res)
{
    json_error_t where;
    return res->body.n ? json_loadb(res->body.p, res->body.n, 0, &where) : NULL;
}

enum err zoho__load_upload(struct target *t, struct load *l, struct arena *a, struct str *file, struct fault *f)
{
    struct buf zip = {0}, body = {0};
    struct http_res res;
    char boundary[40], type[100], url[ZOHO_URL_BYTES + 32], org[40];
    uint64_t dice[2];
    enum err e = zoho__org(t, f);
    if (e != ERR_OK) return e;
    zip_load(l, &zip);
    if (zip.n > FILE_BYTES) e = fault_set(f, ERR_TOO_LARGE, "the packed load is above 25 MB");
    t->env->world->random.fill(t->env->world->random.ctx, dice, sizeof dice);
    (void)snprintf(boundary, sizeof boundary, "mlc-%016llx%016llx", (unsigned long long)dice[0], (unsigned long long)dice[1]);
    (void)snprintf(type, sizeof type, "multipart/form-data; boundary=%s", boundary);
    (void)snprintf(url, sizeof url, "%s" ZOHO_BASE "/upload", t->upload_url);
    (void)snprintf(org, sizeof org, "%.*s", (int)t->meta.org.zgid.n, t->meta.org.zgid.p);
    buf_printf(&body, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"records.zip\"\r\nContent-Type: application/zip\r\n\r\n", boundary);
    buf_str(&body, buf_view(&zip));
    buf_printf(&body, "\r\n--%s--\r\n", boundary);
    struct http_header more[] = {{"feature", "bulk-write"}, {"X-CRM-ORG", org}};
    struct zoho_call c = {.what = "upload of a load", .method = "POST", .path = "", .body = buf_view(&body), .cost = 1, .url = url, .content_type = type,
                          .more = more, .nmore = 2};
    if (e == ERR_OK) e = zoho__call(t, &c, a, &res, f);
    buf_free(&zip);
    buf_free(&body);
    if (e != ERR_OK) return e;
    json_t *j = answer_of(&res);
    *file = kept(a, member(json_object_get(j, "details"), "file_id"));
    json_decref(j);
    return file->n ? ERR_OK : fault_set(f, ERR_PROTOCOL, "the answer to an upload names no file");
}

static json_t *mapping(const struct load *l)
{
    json_t *list = json_array();
    for (size_t i = 0; i < l->ncols; i++) {
        const struct load_column *c = &l->col[i];
        json_t *m = json_pack("{s:s,s:i}", "api_name", c->name, "index", (int)i);
        if (c->base == T_LINK) json_object_set_new(m, "find_by", json_string("id"));
        if (c->base == T_DATE) json_object_set_new(m, "format", json_string("yyyy-MM-dd"));
        if (c->base == T_INSTANT) json_object_set_new(m, "format", json_string("yyyy-MM-dd'T'HH:mm:ssXXX"));
        (void)json_array_append_new(list, m);
    }
    return list;
}

enum err zoho__load_start(struct target *t, const struct load *l, struct str file, struct arena *a, struct str *job, struct fault *f)
{
    char url[ZOHO_URL_BYTES + 40];
    struct http_res res;
    (void)snprintf(url, sizeof url, "%s" ZOHO_BULK_BASE "/write", zoho__api(t));
    json_t *j = json_pack("{s:s,s:b,s:[{s:s,s:{s:s},s:s%,s:o}]}", "operation", "insert", "ignore_empty", 1, "resource", "type", "data", "module", "api_name",
                          l->module, "file_id", file.p, file.n, "field_mappings", mapping(l));
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (!text) check_no_memory();
    struct zoho_call c = {.what = "making a bulk write job", .method = "POST", .path = "", .body = str_of(text), .cost = ZOHO_LOAD_CREDITS, .url = url};
    enum err e = zoho__change(t, &c, a, &res, f);
    free(text);
    json_decref(j);
    if (e != ERR_OK) return e;
    if (res.status >= 500) return fault_set(f, ERR_AMBIGUOUS, "making a bulk write job: Zoho answered %d", res.status);
    j = answer_of(&res);
    *job = kept(a, member(json_object_get(j, "details"), "id"));
    json_decref(j);
    if (res.status == 201 && job->n) return ERR_OK;
    if (res.status < 300) return fault_set(f, ERR_AMBIGUOUS, "making a bulk write job: the answer cannot be read");
    struct zoho_complaint z = zoho__complaint(&res, a);
    return fault_set(f, ERR_REJECTED, "making a bulk write job: Zoho answered %d %.*s %.*s", res.status, (int)z.code.n, z.code.p, (int)z.message.n, z.message.p);
}

enum err zoho__load_look(struct target *t, struct str job, struct arena *a, enum load_state *state, struct str *result, struct fault *f)
{
    char url[ZOHO_URL_BYTES + 80];
    struct http_res res;
    *state = LOAD_RUNNING;
    (void)snprintf(url, sizeof url, "%s" ZOHO_BULK_BASE "/write/%.*s", zoho__api(t), (int)(job.n < 40 ? job.n : 40), job.p);
    struct zoho_call c = {.what = "bulk write job", .method = "GET", .path = "", .cost = 1, .url = url};
    enum err e = zoho__call(t, &c, a, &res, f);
    if (e != ERR_OK) return e;
    json_t *j = answer_of(&res);
    struct str status = member(j, "status"), where = member(json_object_get(j, "result"), "download_url");
    *result = kept(a, where);
    bool over = str_is(status, "COMPLETED") || str_is(status, "SKIPPED");
    if (over) *state = where.n ? LOAD_DONE : LOAD_FAILED;
    else if (str_is(status, "FAILED") || str_is(status, "FAILURE")) *state = LOAD_FAILED;
    else if (!status.n) e = fault_set(f, ERR_PROTOCOL, "the state of a bulk write job cannot be read");
    json_decref(j);
    return e;
}

/* ---- the result ---- */
struct result_reader {
    void (*each)(void *ctx, struct str key, struct write_item *it);
    void *ctx;
    struct arena *a;                       /* of one line */
    struct buf cell;
    struct str cells[16];                  /* of this line: STATUS, RECORD_ID, ERRORS and the key stand in the first few */
    size_t n;
    bool quoted, was_quote, any, header_read, too_long;
    size_t key, status, id, errors;
    struct str key_field;
    uint64_t lines;
};

static void end_cell(struct result_reader *r)
{
    if (r->n < 16) r->cells[r->n] = kept(r->a, buf_view(&r->cell));
    r->n++;
    buf_clear(&r->cell);
    r->was_quote = r->quoted = false;
}

static void read_header(struct result_reader *r)
{
    r->key = r->status = r->id = r->errors = SIZE_MAX;
    for (size_t i = 0; i < r->n && i < 16; i++) {
        if (str_ieq(r->cells[i], STR("STATUS"))) r->status = i;
        else if (str_ieq(r->cells[i], STR("RECORD_ID"))) r->id = i;
        else if (str_ieq(r->cells[i], STR("ERRORS"))) r->errors = i;
        else if (str_eq(r->cells[i], r->key_field)) r->key = i;
    }
    r->header_read = true;
}

/* "MANDATORY_NOT_FOUND-Company,Last_Name:DUPLICATE_DATA-Email": the first code and its first field decide, the message has them all. */
static void read_error(struct result_reader *r, struct str errors, struct write_item *it)
{
    const char *end = errors.n ? memchr(errors.p, ':', errors.n) : NULL;
    struct str first = {errors.p, end ? (size_t)(end - errors.p) : errors.n};
    const char *dash = first.n ? memchr(first.p, '-', first.n) : NULL;
    it->code = (struct str){first.p, dash ? (size_t)(dash - first.p) : first.n};
    if (dash) {
        it->field = (struct str){dash + 1, first.n - it->code.n - 1};
        const char *comma = it->field.n ? memchr(it->field.p, ',', it->field.n) : NULL;
        if (comma) it->field.n = (size_t)(comma - it->field.p);
    }
    it->message = errors;
    const struct zoho_code *k = zoho__code(it->code);
    it->cls = k ? k->item : W_REJECTED;
    bool own = str_is(it->code, "DUPLICATE_DATA") && str_eq(it->field, r->key_field);
    if (own) it->cls = W_DUP_OWN;                          /* by an earlier attempt of ours: found by its key and adopted */
    if (it->code.n == 0) it->cls = W_AMBIGUOUS;
}

static void end_line(struct result_reader *r)
{
    if (r->any || r->n) end_cell(r);
    if (r->n && !r->header_read) {
        read_header(r);
    } else if (r->n && r->key < r->n && r->status < r->n) {
        struct write_item it = {.cls = W_AMBIGUOUS, .http_status = 200, .message = STR("")};
        struct str status = r->cells[r->status], none = {"", 0};
        struct str id = r->id < r->n ? r->cells[r->id] : none, errors = r->errors < r->n ? r->cells[r->errors] : none;
        if (str_is(status, "ADDED") && id.n) it.cls = W_APPLIED, it.out_id = id;
        else if (str_is(status, "SKIPPED")) read_error(r, errors, &it);
        else if (str_is(status, "UNPROCESSED")) it.cls = W_RETRY, it.code = status, it.message = STR("the job did not get to it");
        else it.code = status, it.message = STR("an outcome that is not known");
        r->lines++;
        r->each(r->ctx, r->cells[r->key], &it);
    }
    arena_reset(r->a);
    r->n = 0;
    r->any = false;
}

static void put_byte(struct result_reader *r, char c)
{
    if (r->cell.n < CELL_BYTES) buf_byte(&r->cell, (unsigned char)c);
    else r->too_long = true;
}

static void read_byte(struct result_reader *r, char c)
{
    if (r->quoted && !r->was_quote) {
        if (c == '"') r->was_quote = true;
        else put_byte(r, c);
        return;
    }
    if (r->quoted && c == '"') {
        put_byte(r, '"');
        r->was_quote = false;
        return;
    }
    if (c == '"' && r->cell.n == 0) r->quoted = r->any = true;
    else if (c == ',') end_cell(r), r->any = true;
    else if (c == '\n') end_line(r);
    else if (c != '\r') put_byte(r, c), r->any = true;
}

/* Every file of the zip, a piece at a time. */
static enum err read_zip(struct result_reader *r, struct str body, struct fault *f)
{
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *s = zip_source_buffer_create(body.p, body.n, 0, &ze);
    if (!s) check_no_memory();
    zip_t *z = zip_open_from_source(s, ZIP_RDONLY, &ze);
    if (!z) {
        zip_source_free(s);
        return fault_set(f, ERR_PROTOCOL, "the result of a bulk write job is no zip: %s", zip_error_strerror(&ze));
    }
    enum err e = ERR_OK;
    uint64_t total = 0;
    for (zip_int64_t i = 0; i < zip_get_num_entries(z, 0) && e == ERR_OK; i++) {
        zip_file_t *file = zip_fopen_index(z, (zip_uint64_t)i, 0);
        zip_int64_t n = file ? 1 : -1;
        char part[32768];
        r->header_read = false;
        while (n > 0 && !r->too_long && (n = zip_fread(file, part, sizeof part)) > 0 && (total += (uint64_t)n) <= RESULT_BYTES)
            for (zip_int64_t k = 0; k < n; k++) read_byte(r, part[k]);
        if (n < 0) e = fault_set(f, ERR_PROTOCOL, "the result of a bulk write job cannot be unpacked");
        else if (total > RESULT_BYTES) e = fault_set(f, ERR_TOO_LARGE, "the result of a bulk write job is above 256 MiB");
        else if (r->too_long) e = fault_set(f, ERR_TOO_LARGE, "a cell in the result of a bulk write job is above 1 MiB");
        else if (r->any || r->n) end_line(r);
        if (file) zip_fclose(file);
    }
    zip_discard(z);
    return e;
}

/* The token goes to the upload host and to Zoho's own domains, nowhere else; what is named elsewhere is asked for at the upload host. */
static void result_url(const struct target *t, struct str where, char *out, size_t n)
{
    char origin[ZOHO_URL_BYTES];
    const char *path = where.p;
    size_t left = where.n;
    if (str_starts(where, STR("https://")) || str_starts(where, STR("http://"))) {
        size_t skip = str_starts(where, STR("https://")) ? 8 : 7, host = skip;
        while (host < where.n && where.p[host] != '/') host++;
        if (zoho__origin((struct str){where.p, host}, origin) && (strcmp(origin, t->upload_url) == 0 || zoho__domain_allowed(t, origin))) {
            (void)snprintf(out, n, "%.*s", (int)where.n, where.p);
            return;
        }
        path = where.p + host;
        left = where.n - host;
    }
    (void)snprintf(out, n, "%s%s%.*s", t->upload_url, left && path[0] == '/' ? "" : "/", (int)left, path);
}

enum err zoho__load_result(struct target *t, struct str where, struct str key_field, void (*each)(void *ctx, struct str key, struct write_item *it), void *ctx,
                           uint64_t *lines, struct fault *f)
{
    struct arena answer, line;
    struct http_res res;
    char url[700];
    arena_init(&answer, 0);
    arena_init(&line, 4096);
    result_url(t, where, url, sizeof url);
    struct result_reader r = {.each = each, .ctx = ctx, .a = &line, .key_field = key_field};
    enum err e = zoho__call(t, &(struct zoho_call){.what = "result of a bulk write job", .method = "GET", .path = "", .cost = 1, .url = url}, &answer, &res, f);
    if (e == ERR_OK) e = read_zip(&r, res.body, f);
    *lines = r.lines;
    buf_free(&r.cell);
    arena_free(&line);
    arena_free(&answer);
    return e;
}
