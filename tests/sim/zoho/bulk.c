/*
 * bulk.c: bulk write (facts 9): upload of a zip with one CSV, jobs, their state, their result as a zip. Written on zlib alone, so that nothing
 * of the client's zip or CSV is trusted to be right because both sides share it.
 *
 *     POST /crm/v8/upload -> file id      POST /crm/bulk/v8/write -> job id      (bulk_ms later the job runs, all at once)
 *     GET /crm/bulk/v8/write/{id}         GET /v2/crm/{zgid}/bulk-write/{id}/{id}.zip
 *
 * A job runs when its time has come and somebody calls or looks. Its rows go through the same rules as an insert's, one by one; the answer to each
 * is a line of the result: first three columns, STATUS, RECORD_ID, ERRORS. The switch bulk_unprocessed leaves every so many-th row out.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_ROWS = 25000, MAX_ZIP = 25 << 20, MAX_COLUMNS = 200, MAX_CSV = 64 << 20 };

struct zsim_upload {
    uint64_t id;
    char *csv;
    size_t len;
};
struct zsim_job {
    uint64_t id, file;
    char *module;
    json_t *mappings;
    int64_t made_ms, due_ms;
    int user;
    bool done, failed;
    int added, skipped, total;
    struct zsim_text result;
};

void zsim__bulk_free(struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->bulk.nuploads; i++)
        free(sim->bulk.uploads[i].csv);
    for (size_t i = 0; i < sim->bulk.njobs; i++) {
        free(sim->bulk.jobs[i].module);
        json_decref(sim->bulk.jobs[i].mappings);
        zsim__text_free(&sim->bulk.jobs[i].result);
    }
    free(sim->bulk.uploads);
    free(sim->bulk.jobs);
}

// ---- zip

static unsigned u16(const unsigned char *p)
{
    return (unsigned)(p[0] | p[1] << 8);
}

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

// The only file of a zip, unpacked; NULL: no zip, or not one file, or its sum is wrong.
static char *unzip(const unsigned char *zip, size_t n, size_t *len)
{
    size_t end = n < 22 ? 0 : n - 22;
    while (n >= 22 && end > 0 && u32(zip + end) != 0x06054b50)
        end--;
    if (n < 22 || u32(zip + end) != 0x06054b50 || u16(zip + end + 10) != 1)
        return NULL;
    size_t dir = u32(zip + end + 16);
    if (dir + 46 > n || u32(zip + dir) != 0x02014b50)
        return NULL;
    unsigned method = u16(zip + dir + 10);
    size_t packed = u32(zip + dir + 20), plain = u32(zip + dir + 24), local = u32(zip + dir + 42);
    if (local + 30 > n || u32(zip + local) != 0x04034b50 || plain > MAX_CSV)
        return NULL;
    size_t data = local + 30 + u16(zip + local + 26) + u16(zip + local + 28);
    if (data + packed > n || (method != 0 && method != 8))
        return NULL;
    char *out = zsim__must(malloc(plain + 1));
    bool good = method == 0 ? packed == plain : true;
    if (method == 0 && good)
        memcpy(out, zip + data, plain);
    if (method == 8) {
        union {
            const unsigned char *in;
            unsigned char *z;
        } in = {zip + data};
        z_stream z = {.next_in = in.z, .avail_in = (uInt)packed, .next_out = (Bytef *)out, .avail_out = (uInt)plain};
        good = inflateInit2(&z, -15) == Z_OK;
        good = good && inflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out == plain;
        inflateEnd(&z);
    }
    if (!good || crc32(0, (const Bytef *)out, (uInt)plain) != u32(zip + dir + 16)) {
        free(out);
        return NULL;
    }
    out[plain] = '\0';
    *len = plain;
    return out;
}

static void le(struct zsim_text *t, uint64_t v, int bytes)
{
    char b[8];
    for (int i = 0; i < bytes; i++)
        b[i] = (char)(v >> (8 * i));
    zsim__add(t, b, (size_t)bytes);
}

// One stored file.
static void zip_of(const char *name, const struct zsim_text *in, struct zsim_text *out)
{
    uint32_t sum = (uint32_t)crc32(0, (const Bytef *)(in->at ? in->at : ""), (uInt)in->len);
    for (int central = 0; central < 2; central++) {
        size_t at = out->len;
        le(out, central ? 0x02014b50 : 0x04034b50, 4);
        if (central)
            le(out, 20, 2);
        le(out, 20, 2), le(out, 0, 2), le(out, 0, 2), le(out, 0, 4), le(out, sum, 4), le(out, in->len, 4), le(out, in->len, 4);
        le(out, strlen(name), 2), le(out, 0, 2);
        if (central)
            le(out, 0, 2), le(out, 0, 2), le(out, 0, 2), le(out, 0, 4), le(out, 0, 4);
        zsim__str(out, name);
        if (!central) {
            zsim__add(out, in->at ? in->at : "", in->len);
            continue;
        }
        size_t size = out->len - at;
        le(out, 0x06054b50, 4), le(out, 0, 4), le(out, 1, 2), le(out, 1, 2), le(out, size, 4), le(out, at, 4), le(out, 0, 2);
    }
}

// ---- csv

// The next cell from *at on, into `cell`. False at the end of the line (or text); *at stands on the next line then.
static bool next_cell(const char **at, const char *end, struct zsim_text *cell, bool *more)
{
    const char *p = *at;
    bool quoted = p < end && *p == '"';
    cell->len = 0;
    if (quoted)
        p++;
    for (; p < end; p++) {
        if (quoted && *p == '"' && p + 1 < end && p[1] == '"')
            zsim__add(cell, p++, 1);
        else if (quoted && *p == '"')
            quoted = false;
        else if (!quoted && (*p == ',' || *p == '\n'))
            break;
        else if (quoted || *p != '\r')
            zsim__add(cell, p, 1);
    }
    *more = p < end && *p == ',';
    *at = p < end ? p + 1 : p;
    zsim__add(cell, "", 1);
    cell->len--;
    return true;
}

static size_t read_line(const char **at, const char *end, struct zsim_text *cells, size_t max)
{
    size_t n = 0;
    bool more = *at < end;
    struct zsim_text spare = {0};
    while (more) {
        next_cell(at, end, n < max ? &cells[n] : &spare, &more);
        n++;
    }
    zsim__text_free(&spare);
    return n;
}

// ---- running

// "2026-03-12" in another form is not taken: the mapping has to say yyyy-MM-dd.
static json_t *json_of(const struct zsim_module *m, int field, const json_t *mapping, const char *cell)
{
    const struct zsim_field *f = &m->fields[field];
    const char *format = json_string_value(json_object_get(mapping, "format"));
    if (f->kind == ZK_LOOKUP || f->kind == ZK_USER) {
        const char *by = json_string_value(json_object_get(mapping, "find_by"));
        return by && strcmp(by, "id") == 0 ? json_pack("{ss}", "id", cell) : json_pack("{ss}", "id", "none");
    }
    if (f->kind == ZK_BOOL)
        return json_boolean(strcmp(cell, "true") == 0);
    if (f->kind == ZK_INT || f->kind == ZK_BIGINT || f->kind == ZK_NUMBER) {
        json_t *v = json_loads(cell, JSON_DECODE_ANY, NULL);
        return json_is_number(v) ? v : (json_decref(v), json_string(cell));
    }
    if (f->kind == ZK_DATE && (!format || strcmp(format, "yyyy-MM-dd") != 0))
        return json_string("not in MM/dd/yyyy");
    if (f->kind == ZK_DATETIME && (!format || strcmp(format, "yyyy-MM-dd'T'HH:mm:ssXXX") != 0))
        return json_string("not in MM/dd/yyyy HH:mm:ss");
    return json_string(cell);
}

static void result_cell(struct zsim_text *out, const char *s)
{
    zsim__str(out, "\"");
    for (; *s; s++) {
        if (*s == '"')
            zsim__str(out, "\"");
        zsim__add(out, s, 1);
    }
    zsim__str(out, "\"");
}

static void error_words(const json_t *e, struct zsim_text *out)
{
    const json_t *list = json_object_get(json_object_get(e, "details"), "errors");
    for (size_t i = 0; i < (list ? json_array_size(list) : 1); i++) {
        const json_t *one = list ? json_array_get(list, i) : e;
        const char *field = json_string_value(json_object_get(json_object_get(one, "details"), "api_name"));
        const char *code = json_string_value(json_object_get(one, "code"));
        zsim__fmt(out, "%s%s-%s", i ? ":" : "", code ? code : "", field ? field : "");
    }
}

struct running {
    struct zoho_sim *sim;
    struct zsim_job *job;
    struct zsim_module *m;
    struct zsim_call call;
    struct zsim_text cells[MAX_COLUMNS];
    int field[MAX_COLUMNS]; // of a column: -1 none
    const json_t *mapping[MAX_COLUMNS];
    size_t ncols, row;
};

static void run_row(struct running *r, size_t n)
{
    json_t *record = json_object();
    struct zsim_text *out = &r->job->result, errors = {0};
    for (size_t i = 0; i < r->ncols && i < n; i++)
        if (r->field[i] >= 0 && r->cells[i].len > 0)
            json_object_set_new(record, r->m->fields[r->field[i]].name, json_of(r->m, r->field[i], r->mapping[i], r->cells[i].at));
    int64_t every = r->sim->on.bulk_unprocessed;
    bool left = every > 0 && (int64_t)(r->row + 1) % every == 0;
    json_t *e = left ? NULL : zsim__write_one(&r->call, r->m, ZV_INSERT, record, r->row, NULL);
    const char *id = json_string_value(json_object_get(json_object_get(e, "details"), "id"));
    bool good = e && strcmp(json_string_value(json_object_get(e, "status")), "success") == 0;
    if (e && !good)
        error_words(e, &errors);
    for (size_t i = 0; i < 3; i++) {
        result_cell(out, i < r->ncols && i < n && r->cells[i].at ? r->cells[i].at : "");
        zsim__str(out, ",");
    }
    zsim__fmt(out, "%s,%s,", left ? "UNPROCESSED" : good ? "ADDED" : "SKIPPED", good ? id : "");
    result_cell(out, errors.at ? errors.at : "");
    zsim__str(out, "\n");
    r->job->added += good;
    r->job->skipped += !good;
    r->job->total++;
    r->row++;
    zsim__text_free(&errors);
    json_decref(e);
    json_decref(record);
}

static void run_job(struct zoho_sim *sim, struct zsim_job *job)
{
    struct sim_request none = {.method = "JOB", .target = "/bulk/", .body = ""};
    struct running *r = zsim__must(calloc(1, sizeof *r));
    const struct zsim_upload *file = NULL;
    *r = (struct running){.sim = sim, .job = job, .m = zsim__module(sim, job->module)};
    r->call = (struct zsim_call){.sim = sim, .req = &none, .now_ms = job->due_ms, .user = job->user};
    struct zsim_text path = {0};
    zsim__fmt(&path, "/bulk/%s", job->module); // for scripts: {"match":{"method":"JOB","path":"/bulk/Accounts"},"do":"partial",..}
    static char no_body[1];
    r->call.path = path.at;
    r->call.body_text = no_body;
    zsim__fault_choose(&r->call);
    for (size_t i = 0; i < sim->bulk.nuploads; i++)
        if (sim->bulk.uploads[i].id == job->file)
            file = &sim->bulk.uploads[i];
    const char *at = file->csv, *end = file->csv + file->len;
    r->ncols = read_line(&at, end, r->cells, MAX_COLUMNS);
    for (size_t i = 0; i < MAX_COLUMNS; i++)
        r->field[i] = -1;
    size_t k;
    json_t *m;
    json_array_foreach(job->mappings, k, m)
    {
        int64_t index = json_integer_value(json_object_get(m, "index"));
        const char *name = json_string_value(json_object_get(m, "api_name"));
        if (index >= 0 && index < MAX_COLUMNS && name) {
            r->field[index] = zsim__field(r->m, name);
            r->mapping[index] = m;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        result_cell(&job->result, i < r->ncols ? r->cells[i].at : "");
        zsim__str(&job->result, ",");
    }
    zsim__str(&job->result, "STATUS,RECORD_ID,ERRORS\n");
    while (at < end) {
        size_t n = read_line(&at, end, r->cells, MAX_COLUMNS);
        if (n > 1 || r->cells[0].len)
            run_row(r, n);
    }
    for (size_t i = 0; i < MAX_COLUMNS; i++)
        zsim__text_free(&r->cells[i]);
    job->done = true;
    zsim__text_free(&path);
    free(r);
}

void zsim__bulk_run(struct zoho_sim *sim)
{
    int64_t now = zsim__now(sim);
    for (size_t i = 0; i < sim->bulk.njobs; i++)
        if (!sim->bulk.jobs[i].done && !sim->bulk.jobs[i].failed && sim->bulk.jobs[i].due_ms <= now)
            run_job(sim, &sim->bulk.jobs[i]);
}

// ---- calls

static void refuse(struct zsim_call *call, const char *code, const char *message)
{
    zsim__error(call, 400, code, message, NULL);
}

// The bytes of the part named "file".
static const char *part_of(const struct zsim_call *call, size_t *len)
{
    const char *type = sim_request_header(call->req, "Content-Type"), *mark = type ? strstr(type, "boundary=") : NULL;
    const char *body = call->req->body, *end = body + call->req->body_len;
    char line[200];
    if (!mark || strncmp(type, "multipart/form-data", 19) != 0)
        return NULL;
    int n = snprintf(line, sizeof line, "\r\n--%s", mark + 9);
    const char *head = memmem(body, call->req->body_len, "name=\"file\"", 11), *start = head ? memmem(head, (size_t)(end - head), "\r\n\r\n", 4) : NULL;
    const char *stop = start && n > 0 ? memmem(start, (size_t)(end - start), line, (size_t)n) : NULL;
    if (!stop)
        return NULL;
    *len = (size_t)(stop - start - 4);
    return start + 4;
}

void zsim__upload(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    const char *org = sim_request_header(call->req, "X-CRM-ORG"), *feature = sim_request_header(call->req, "feature");
    const char *zgid = json_string_value(json_object_get(json_object_get(sim->data, "org"), "zgid"));
    size_t n = 0, len = 0;
    const char *zip = part_of(call, &n);
    if (!feature || strcmp(feature, "bulk-write") != 0) {
        refuse(call, "MANDATORY_NOT_FOUND", "Required key feature is not available");
        return;
    }
    if (!org || !zgid || strcmp(org, zgid) != 0) {
        refuse(call, "INVALID_DATA", "Invalid data - x-crm-org");
        return;
    }
    if (n > MAX_ZIP) {
        refuse(call, "INVALID_DATA", "Import file size should be less than 25 mb.");
        return;
    }
    char *csv = zip ? unzip((const unsigned char *)zip, n, &len) : NULL;
    if (!csv) {
        refuse(call, "INVALID_FILE_FORMAT", "invalid file format. only zip format is supported");
        return;
    }
    sim->bulk.uploads = zsim__must(realloc(sim->bulk.uploads, (sim->bulk.nuploads + 1) * sizeof *sim->bulk.uploads));
    uint64_t id = sim->next_id++;
    sim->bulk.uploads[sim->bulk.nuploads++] = (struct zsim_upload){id, csv, len};
    char text[24], at[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    zsim__format_datetime(call->now_ms, sim->offset_minutes, at);
    zsim__answer(call, 200, json_pack("{sssssss{ssss}}", "status", "success", "code", "FILE_UPLOAD_SUCCESS", "message", "file uploaded.", "details",
                                      "file_id", text, "created_time", at));
}

static bool rows_fit(const struct zsim_upload *file)
{
    size_t rows = 0;
    bool quoted = false;
    for (size_t i = 0; i < file->len; i++) {
        quoted ^= file->csv[i] == '"';
        rows += file->csv[i] == '\n' && !quoted;
    }
    return rows <= MAX_ROWS + 1;
}

static const char *wrong_mapping(struct zsim_call *call, const struct zsim_module *m, const json_t *mappings)
{
    size_t i;
    json_t *one;
    union {
        const json_t *in;
        json_t *out;
    } list = {mappings};
    bool mapped[1024] = {false};
    if (json_array_size(mappings) > MAX_COLUMNS)
        return "HEADER_LIMIT_EXCEEDED";
    json_array_foreach(list.out, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "api_name"));
        int field = name ? zsim__field(m, name) : -1;
        if (field < 0 || field >= 1024)
            return "INVALID_FIELD";
        if (!json_is_integer(json_object_get(one, "index")))
            return "COLUMN_INDEX_NOT_FOUND";
        mapped[field] = true;
    }
    (void)call;
    for (i = 0; i < m->nfields && i < 1024; i++)
        if (m->fields[i].mandatory && !mapped[i])
            return "MANDATORY_FIELDS_NOT_MAPPED";
    return NULL;
}

void zsim__bulk_make(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    const json_t *resource = json_array_get(json_object_get(call->body, "resource"), 0), *mappings = json_object_get(resource, "field_mappings");
    const char *op = json_string_value(json_object_get(call->body, "operation")), *file = json_string_value(json_object_get(resource, "file_id"));
    const char *name = json_string_value(json_object_get(json_object_get(resource, "module"), "api_name"));
    struct zsim_module *m = name ? zsim__module(sim, name) : NULL;
    const struct zsim_upload *up = NULL;
    uint64_t id = 0;
    for (size_t i = 0; file && zsim__parse_u64(file, &id) && i < sim->bulk.nuploads; i++)
        if (sim->bulk.uploads[i].id == id)
            up = &sim->bulk.uploads[i];
    if (!op || strcmp(op, "insert") != 0) {
        refuse(call, "INVALID_DATA", "the model of bulk write knows insert only");
    } else if (!m || m->subform) {
        refuse(call, "MODULE_NOT_AVAILABLE", "the module is not available");
    } else if (!up) {
        refuse(call, "INVALID_FILE_ID", "the file id given seems to be invalid");
    } else if (!rows_fit(up)) {
        refuse(call, "LIMIT_EXCEEDED", "too many rows");
    } else if (wrong_mapping(call, m, mappings)) {
        refuse(call, wrong_mapping(call, m, mappings), "the mapping is refused");
    } else if (zsim__module_scope(call, m->name, "CREATE")) {
        sim->bulk.jobs = zsim__must(realloc(sim->bulk.jobs, (sim->bulk.njobs + 1) * sizeof *sim->bulk.jobs));
        struct zsim_job *job = &sim->bulk.jobs[sim->bulk.njobs++];
        char text[24];
        *job = (struct zsim_job){.id = sim->next_id++, .file = id, .module = zsim__copy(name), .mappings = json_deep_copy(mappings), .made_ms = call->now_ms,
                                 .due_ms = call->now_ms + sim->on.bulk_ms, .user = call->user};
        snprintf(text, sizeof text, "%llu", (unsigned long long)job->id);
        zsim__answer(call, 201, json_pack("{sssssss{ssso}}", "status", "success", "code", "SUCCESS", "message", "success", "details", "id", text, "created_by",
                                          zsim__user_json(sim, call->user)));
    }
}

static struct zsim_job *job_of(struct zoho_sim *sim, const char *id)
{
    uint64_t n;
    for (size_t i = 0; id && zsim__parse_u64(id, &n) && i < sim->bulk.njobs; i++)
        if (sim->bulk.jobs[i].id == n)
            return &sim->bulk.jobs[i];
    return NULL;
}

void zsim__bulk_look(struct zsim_call *call, const char *id)
{
    struct zoho_sim *sim = call->sim;
    struct zsim_job *job = job_of(sim, id);
    if (!job) {
        zsim__error(call, 404, "RESOURCE_NOT_FOUND", "the job id given seems to be invalid", NULL);
        return;
    }
    char at[32], module[24];
    struct zsim_text url = {0};
    const char *zgid = json_string_value(json_object_get(json_object_get(sim->data, "org"), "zgid"));
    const char *state = job->failed ? "FAILED" : job->done ? "COMPLETED" : call->now_ms - job->made_ms < sim->on.bulk_ms / 2 ? "ADDED" : "INPROGRESS";
    zsim__format_datetime(job->made_ms, sim->offset_minutes, at);
    snprintf(module, sizeof module, "%llu", (unsigned long long)zsim__module(sim, job->module)->id);
    json_t *file = json_pack("{sssssisisisi}", "status", job->failed ? "SKIPPED" : state, "name", "records.csv", "added_count", job->added, "skipped_count",
                             job->skipped, "updated_count", 0, "total_count", job->total);
    json_t *resource = json_pack("{sssss{ssss}sOso}", "status", job->failed ? "SKIPPED" : state, "type", "data", "module", "api_name", job->module, "id", module,
                                 "field_mappings", job->mappings, "file", file);
    json_t *o = json_pack("{sss[o]sssosssssn}", "status", state, "resource", resource, "id", id, "created_by", zsim__user_json(sim, job->user), "operation",
                          "insert", "created_time", at, "character_encoding");
    json_object_set_new(o, "character_encoding", json_string("UTF-8"));
    if (job->done) {
        zsim__fmt(&url, "/v2/crm/%s/bulk-write/%s/%s.zip", zgid ? zgid : "", id, id);
        json_object_set_new(o, "result", json_pack("{ss}", "download_url", url.at));
        zsim__text_free(&url);
    }
    zsim__answer(call, 200, o);
}

// /v2/crm/{zgid}/bulk-write/{id}/{id}.zip
void zsim__bulk_result(struct zsim_call *call)
{
    const char *slash = strrchr(call->path, '/');
    char id[24] = "", name[160];
    if (slash)
        snprintf(id, sizeof id, "%.*s", (int)strcspn(slash + 1, "."), slash + 1);
    struct zsim_job *job = job_of(call->sim, id);
    if (!job || !job->done) {
        zsim__error(call, 404, "RESOURCE_NOT_FOUND", "no result", NULL);
        return;
    }
    struct zsim_text zip = {0};
    snprintf(name, sizeof name, "%s-records.csv", job->module);
    zip_of(name, &job->result, &zip);
    call->resp->status = 200;
    sim_response_body(call->resp, zip.at, zip.len, "application/zip");
    zsim__text_free(&zip);
}

void zoho_sim_fail_jobs(struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->bulk.njobs; i++)
        sim->bulk.jobs[i].failed = sim->bulk.jobs[i].failed || !sim->bulk.jobs[i].done;
}
