/* file_target.c - a file of JSON lines as a target: examples and tests that need no server, and a first look at what a spec would write.
 *
 *   {"op":"insert","module":"Accounts","id":"1","fields":{"Account_Name":"ABC","Owner":{"id":"7"},"Phone":null}}
 *   {"op":"update","module":"Accounts","id":"1","fields":{"Phone":"+13125550100","Lines":[{"id":"1.1","Quantity":2}]}}
 *
 * Settings: path. The file is only appended to and synced per batch; a record is the fold of its lines, so a look-up reads back what was
 * written. A last line without its end is a write that was cut off: it is dropped when the file is opened. One process writes at a time
 * (the file is locked). Ids count up over all modules. Keys are enforced: a second insert with the same value in a unique field is
 * refused as the real target would. */
#include "base/limits.h"
#include "connectors/file/file_value.h"
#include "value/decimal.h"
#include "value/date.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct stored { struct str module, id; struct record_field *f; size_t n, cap; };
struct known_field { struct str module, name; uint8_t base; bool unique; };
struct target {
    const struct conn_env *env;
    struct arena arena;                     /* everything below; only grows, like the file */
    const char *path;
    int fd;
    int64_t size;                           /* bytes of the file that are folded in */
    struct stored *records; size_t n, cap;  /* record i has the id i + 1 */
    struct known_field *fields; size_t nfields;
    struct write_batch *done;               /* written, not yet fetched by write_wait */
    bool stale;                             /* a write failed half way: read the file again first */
    int64_t batches, written;
};

static struct str copy_str(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.n ? s.p : "", s.n), s.n}; }

/* ---- records in memory ---- */

static struct stored *record_by_id(struct target *t, struct str id)
{
    int64_t n;
    if (!str_to_i64(id, &n) || n < 1 || (uint64_t)n > t->n) return NULL;
    return str_eq(t->records[n - 1].id, id) ? &t->records[n - 1] : NULL;
}

static struct stored *add_record(struct target *t, struct str module, struct str id)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct stored *grown = ARENA_ARRAY(&t->arena, struct stored, cap);
        if (t->n > 0) memcpy(grown, t->records, t->n * sizeof *grown);
        t->records = grown;
        t->cap = cap;
    }
    t->records[t->n] = (struct stored){.module = copy_str(&t->arena, module), .id = copy_str(&t->arena, id)};
    return &t->records[t->n++];
}

static const struct value *stored_value(const struct stored *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->f[i].name, name)) return &r->f[i].v;
    return &value_absent;
}

static void put_value(struct target *t, struct stored *r, struct str name, const struct value *v)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->f[i].name, name)) { r->f[i].v = value_copy(&t->arena, v); return; }
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 16;
        struct record_field *grown = ARENA_ARRAY(&t->arena, struct record_field, cap);
        if (r->n > 0) memcpy(grown, r->f, r->n * sizeof *grown);
        r->f = grown;
        r->cap = cap;
    }
    r->f[r->n++] = (struct record_field){copy_str(&t->arena, name), value_copy(&t->arena, v)};
}

/* ---- reading the file ---- */

struct line { struct str op, module, id; struct record_field f[LIMIT_FIELDS]; size_t n; };

static bool read_fields(struct json_scanner *s, struct line *l)
{
    enum json_token t;
    if (json_next(s) != JSON_OBJECT) return false;
    while ((t = json_next(s)) == JSON_NAME) {
        if (l->n == LIMIT_FIELDS) return false;
        l->f[l->n].name = s->text;
        if (!file_value_read(s, s->arena, &l->f[l->n].v)) return false;
        l->n++;
    }
    return t == JSON_OBJECT_END;
}

static bool read_line(struct str text, struct arena *a, struct line *l)
{
    struct json_scanner s;
    enum json_token t;
    l->op = l->module = l->id = STR("");
    l->n = 0;
    json_init(&s, text, a);
    if (json_next(&s) != JSON_OBJECT) return false;
    while ((t = json_next(&s)) == JSON_NAME) {
        struct str name = s.text;
        if (str_is(name, "fields")) {
            if (!read_fields(&s, l)) return false;
            continue;
        }
        if (json_next(&s) != JSON_STRING) return false;
        if (str_is(name, "op")) l->op = s.text;
        else if (str_is(name, "module")) l->module = s.text;
        else if (str_is(name, "id")) l->id = s.text;
        else return false;
    }
    return t == JSON_OBJECT_END && json_next(&s) == JSON_END && l->module.n > 0;
}

/* Folds one line into the records; false when it cannot stand here. */
static bool apply_line(struct target *t, const struct line *l)
{
    struct stored *r = record_by_id(t, l->id);
    if (str_is(l->op, "insert")) {
        int64_t id;
        if (r || !str_to_i64(l->id, &id) || (uint64_t)id != t->n + 1) return false;
        r = add_record(t, l->module, l->id);
    } else if (!str_is(l->op, "update")) {
        return false;
    }
    if (!r || !str_eq(r->module, l->module)) return false;
    for (size_t i = 0; i < l->n; i++) put_value(t, r, l->f[i].name, &l->f[i].v);
    return true;
}

static enum err fold_text(struct target *t, struct str text, struct arena *a, struct fault *f)
{
    struct line *l = ARENA_NEW(a, struct line);
    unsigned number = 0;
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        if (!eol) break;
        number++;
        if (!read_line((struct str){p, (size_t)(eol - p)}, a, l) || !apply_line(t, l))
            return fault_set(f, ERR_CORRUPT, "%s, line %u: not a line that this program wrote", t->path, number);
        p = eol + 1;
        t->size = p - text.p;
    }
    return ERR_OK;
}

/* Reads the file from the start; a cut-off last line is taken away. */
static enum err fold_file(struct target *t, struct fault *f)
{
    const struct world_files *w = &t->env->world->files;
    struct arena a;
    struct str text = {NULL, 0};
    t->n = 0;
    t->size = 0;
    arena_init(&a, 0);
    enum err e = world_read_file(t->env->world, t->path, LIMIT_ANSWER_BYTES, &a, &text, f);
    if (e == ERR_OK) e = fold_text(t, text, &a, f);
    if (e == ERR_OK && (size_t)t->size < text.n && w->ftruncate(w->ctx, t->fd, t->size) != 0)
        e = fault_set(f, ERR_IO, "%s: the cut-off last line cannot be taken away", t->path);
    arena_free(&a);
    t->stale = e != ERR_OK;
    return e;
}

static enum err open_file(struct target *t, struct fault *f)
{
    const struct world_files *w = &t->env->world->files;
    t->fd = w->open(w->ctx, t->path, O_RDWR | O_CREAT, 0600);
    if (t->fd < 0) return fault_set(f, ERR_IO, "%s: %s", t->path, strerror(errno));
    if (w->lock(w->ctx, t->fd) != 0) return fault_set(f, ERR_LOCKED_STATE, "%s: another process writes to it", t->path);
    return fold_file(t, f);
}

/* The file is made and read at the first use: open() makes no call. */
static enum err ready(struct target *t, struct fault *f)
{
    if (t->fd >= 0) return t->stale ? fold_file(t, f) : ERR_OK;
    enum err e = open_file(t, f);
    if (e != ERR_OK && t->fd >= 0) {
        t->env->world->files.close(t->env->world->files.ctx, t->fd);
        t->fd = -1;
    }
    return e;
}

/* ---- open, probe, check ---- */

static enum err target_open(struct target **out, const struct conn_env *env, struct fault *f)
{
    struct str path = conn_setting(env, "path");
    if (path.n == 0) return fault_set(f, ERR_CONFIG, "%s: `path` is missing (the file to append to)", env->state_name);
    struct str format = conn_setting(env, "format");
    if (format.n > 0 && !str_is(format, "jsonl"))
        return fault_set(f, ERR_CONFIG, "%s: a file target writes JSON lines; format = %.*s is for sources", env->state_name, (int)format.n, format.p);
    struct target *t = calloc(1, sizeof *t);
    if (!t) return fault_set(f, ERR_IO, "out of memory");
    arena_init(&t->arena, 0);
    t->env = env;
    t->fd = -1;
    t->path = arena_copy(&t->arena, path.p, path.n);
    *out = t;
    return ERR_OK;
}

static void target_close(struct target *t)
{
    if (!t) return;
    if (t->fd >= 0) t->env->world->files.close(t->env->world->files.ctx, t->fd);
    arena_free(&t->arena);
    free(t);
}

static void report(const struct finding_sink *sink, enum finding_level level, const char *what, const char *text)
{
    struct finding one = {.level = level, .what = what, .text = text};
    sink->add(sink->ctx, &one);
}

static enum err target_probe(struct target *t, const struct finding_sink *sink, struct fault *f)
{
    struct arena a;
    enum err e = ready(t, f);
    arena_init(&a, 1024);
    if (e == ERR_OK) report(sink, FINDING_OK, "file", arena_printf(&a, "%s: %zu records", t->path, t->n));
    else report(sink, FINDING_FAIL, "file", f ? f->text : err_text(e));
    arena_free(&a);
    return e;
}

/* Any module and field will do; what is declared here is remembered, so that values come back as what they were. */
static enum err target_check(struct target *t, const struct target_field *fields, size_t n, const struct finding_sink *sink, struct fault *f)
{
    enum err e = target_probe(t, sink, f);
    if (e != ERR_OK) return e;
    t->fields = ARENA_ARRAY(&t->arena, struct known_field, n);
    t->nfields = n;
    for (size_t i = 0; i < n; i++)
        t->fields[i] = (struct known_field){copy_str(&t->arena, fields[i].module), copy_str(&t->arena, fields[i].name), fields[i].type.base,
                                            fields[i].unique};
    return ERR_OK;
}

static enum err target_count(struct target *t, struct str module, int64_t *n, struct fault *f)
{
    enum err e = ready(t, f);
    *n = 0;
    for (size_t i = 0; e == ERR_OK && i < t->n; i++) *n += str_eq(t->records[i].module, module);
    return e;
}

/* ---- reading back ---- */

static uint8_t base_of(const struct target *t, struct str module, struct str name)
{
    for (size_t i = 0; i < t->nfields; i++)
        if (str_eq(t->fields[i].name, name) && str_eq(t->fields[i].module, module)) return t->fields[i].base;
    return T_BASE_COUNT;
}

/* JSON has no dates: a declared one is made of its text again. */
static struct value typed(const struct target *t, const struct stored *r, struct str name)
{
    struct value v = *stored_value(r, name), out;
    uint8_t base = base_of(t, r->module, name);
    if (v.kind != V_TEXT) return v;
    if (base == T_DATE && date_parse(value_str(&v), &out)) return out;
    if ((base == T_LOCAL || base == T_INSTANT) && datetime_parse(value_str(&v), &out)) return out;
    return v;
}

static void give(const struct target *t, const struct stored *r, const struct str *want, size_t nwant, struct arena *a, struct lookup_hit *hit)
{
    struct record_field *f = ARENA_ARRAY(a, struct record_field, nwant);
    for (size_t i = 0; i < nwant; i++) {
        struct value v = typed(t, r, want[i]);
        f[i] = (struct record_field){copy_str(a, want[i]), value_copy(a, &v)};
    }
    hit->id = copy_str(a, r->id);
    hit->fields = (struct record){f, nwant};
}

/* The text of a value as look-ups name it. */
static bool value_reads(const struct value *v, struct str text)
{
    struct buf b = {0};
    if (!value_present(v)) return false;
    if (v->kind == V_TEXT || v->kind == V_ID) return str_eq(value_str(v), text);
    value_print(&b, v);
    bool same = str_eq(buf_view(&b), text);
    buf_free(&b);
    return same;
}

struct hits { struct arena *a; struct lookup_hit *p; size_t n, cap; };

static struct lookup_hit *add_hit(struct hits *h, size_t value_index)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 16;
        struct lookup_hit *grown = ARENA_ARRAY(h->a, struct lookup_hit, cap);
        if (h->n > 0) memcpy(grown, h->p, h->n * sizeof *grown);
        h->p = grown;
        h->cap = cap;
    }
    h->p[h->n] = (struct lookup_hit){.value_index = value_index};
    return &h->p[h->n++];
}

static enum err target_lookup(struct target *t, struct str module, struct str field, const struct str *values, size_t n, const struct str *want,
                              size_t nwant, struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f)
{
    struct hits h = {.a = a};
    enum err e = ready(t, f);
    for (size_t i = 0; e == ERR_OK && i < t->n; i++) {
        if (!str_eq(t->records[i].module, module)) continue;
        struct value v = typed(t, &t->records[i], field);
        for (size_t k = 0; k < n; k++)
            if (value_reads(&v, values[k])) give(t, &t->records[i], want, nwant, a, add_hit(&h, k));
    }
    *hits = h.p;
    *nhits = h.n;
    return e;
}

static enum err target_read(struct target *t, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant,
                            struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f)
{
    struct hits h = {.a = a};
    enum err e = ready(t, f);
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        const struct stored *r = record_by_id(t, ids[i]);
        if (r && str_eq(r->module, module)) give(t, r, want, nwant, a, add_hit(&h, i));
    }
    *hits = h.p;
    *nhits = h.n;
    return e;
}

static enum err target_scan(struct target *t, struct str module, struct str field, struct str after, const struct str *want, size_t nwant,
                            struct arena *a, struct lookup_hit **hits, size_t *nhits, bool *more, struct fault *f)
{
    enum { PAGE = 200 };
    struct hits h = {.a = a};
    int64_t from = 0;
    enum err e = ready(t, f);
    *more = false;
    if (after.n) str_to_i64(after, &from);               /* record i has the id i + 1 */
    for (size_t i = (size_t)from; e == ERR_OK && i < t->n && !*more; i++) {
        const struct stored *r = &t->records[i];
        if (!str_eq(r->module, module) || !value_present(stored_value(r, field))) continue;
        if (h.n == PAGE) *more = true;
        else give(t, r, want, nwant, a, add_hit(&h, 0));
    }
    *hits = h.p;
    *nhits = h.n;
    return e;
}

/* ---- writing ---- */

/* Another record of the module that already has this value in this field. */
static const struct stored *holder(const struct target *t, struct str module, struct str id, const struct record_field *field)
{
    if (!value_present(&field->v)) return NULL;
    for (size_t i = 0; i < t->n; i++) {
        if (!str_eq(t->records[i].module, module) || str_eq(t->records[i].id, id)) continue;
        if (value_equal(stored_value(&t->records[i], field->name), &field->v)) return &t->records[i];
    }
    return NULL;
}

static bool is_unique(const struct target *t, const struct write_batch *b, struct str name)
{
    if (str_eq(name, b->key_field)) return true;
    for (size_t i = 0; i < t->nfields; i++)
        if (t->fields[i].unique && str_eq(t->fields[i].name, name) && str_eq(t->fields[i].module, b->module)) return true;
    return false;
}

/* Refuses what would break a unique field. */
static bool duplicate(const struct target *t, const struct write_batch *b, struct write_item *it)
{
    for (size_t i = 0; i < it->fields->n; i++) {
        const struct record_field *field = &it->fields->f[i];
        const struct stored *r = is_unique(t, b, field->name) ? holder(t, b->module, b->verb == WRITE_UPDATE ? it->id : STR(""), field) : NULL;
        if (!r) continue;
        bool own = b->verb == WRITE_INSERT && str_eq(field->name, b->key_field);
        it->cls = own ? W_DUP_OWN : W_DUP_OTHER;
        it->out_id = copy_str(b->arena, r->id);
        it->code = STR("DUPLICATE_DATA");
        it->message = STR("another record has this value in a unique field");
        it->field = field->name;
        return true;
    }
    return false;
}

static void put_line(struct buf *out, const struct write_batch *b, const struct record *fields, struct str id)
{
    buf_puts(out, b->verb == WRITE_INSERT ? "{\"op\":\"insert\",\"module\":" : "{\"op\":\"update\",\"module\":");
    json_put_string(out, b->module);
    buf_puts(out, ",\"id\":");
    json_put_string(out, id);
    buf_puts(out, ",\"fields\":");
    record_json(out, fields);
    buf_puts(out, "}\n");
}

static bool append(struct target *t, struct str text)
{
    const struct world_files *w = &t->env->world->files;
    for (size_t done = 0; done < text.n;) {
        int64_t put = w->pwrite(w->ctx, t->fd, text.p + done, text.n - done, t->size + (int64_t)done);
        if (put <= 0) return false;
        done += (size_t)put;
    }
    return w->fdatasync(w->ctx, t->fd) == 0;
}

/* The fields as they stand after the write: lists merged with the rows that are there. */
static bool after_write(const struct stored *r, const struct write_item *it, struct str id, struct arena *a, struct record *out)
{
    *out = (struct record){ARENA_ARRAY(a, struct record_field, it->fields->n + 1), it->fields->n};
    for (size_t i = 0; i < it->fields->n; i++) {
        const struct record_field *in = &it->fields->f[i];
        out->f[i] = *in;
        if (in->v.kind == V_LIST && !file_value_merge(r ? stored_value(r, in->name) : &value_absent, &in->v, id, a, &out->f[i].v)) return false;
    }
    return true;
}

/* Decides on one item and puts its line; what it applies is visible to the next item at once. */
static enum err write_item(struct target *t, struct write_batch *b, struct write_item *it, struct buf *lines, struct arena *scratch, struct fault *f)
{
    struct line *l = ARENA_NEW(scratch, struct line);
    const struct stored *r = b->verb == WRITE_UPDATE ? record_by_id(t, it->id) : NULL;
    it->http_status = 200;
    it->code = STR("SUCCESS");
    if (b->verb == WRITE_UPDATE && (!r || !str_eq(r->module, b->module))) {
        it->cls = W_GONE;
        it->code = STR("INVALID_DATA");
        it->message = STR("no record of that id");
        return ERR_OK;
    }
    if (duplicate(t, b, it)) return ERR_OK;
    struct str id = r ? r->id : str_of(arena_printf(b->arena, "%zu", t->n + 1));
    size_t from = lines->n;
    struct record after;
    if (!after_write(r, it, id, scratch, &after)) {
        it->cls = W_REJECTED;
        it->code = STR("INVALID_DATA");
        it->message = STR("a row of the list is not there");
        return ERR_OK;
    }
    put_line(lines, b, &after, id);
    /* Folded from the very bytes that go to the file, so that memory and file cannot differ. */
    if (!read_line((struct str){lines->p + from, lines->n - from - 1}, scratch, l) || !apply_line(t, l))
        return fault_set(f, ERR_IO, "%s: a record that cannot be written as a line", t->path);
    it->cls = W_APPLIED;
    it->out_id = copy_str(b->arena, id);
    return ERR_OK;
}

static enum err target_write_start(struct target *t, struct write_batch *b, struct fault *f)
{
    if (t->done) return fault_set(f, ERR_BUSY, "%s: a batch is waiting to be fetched", t->path);
    enum err e = ready(t, f);
    if (e != ERR_OK) return e;
    struct buf lines = {0};
    struct arena scratch;
    arena_init(&scratch, 0);
    for (size_t i = 0; e == ERR_OK && i < b->n; i++) {
        struct arena_mark m = arena_mark(&scratch);
        e = write_item(t, b, &b->items[i], &lines, &scratch, f);
        arena_release(&scratch, m);
    }
    if (e == ERR_OK && lines.n > 0 && !append(t, buf_view(&lines))) {
        /* Some of it may be on disk: nobody knows until the file is read again. */
        t->stale = true;
        for (size_t i = 0; i < b->n; i++)
            if (b->items[i].cls == W_APPLIED) b->items[i].cls = W_AMBIGUOUS;
    } else if (e == ERR_OK) {
        t->size += (int64_t)lines.n;
        t->written += (int64_t)b->n;
    } else {
        t->stale = true;
    }
    t->batches++;
    if (e == ERR_OK) t->done = b;
    arena_free(&scratch);
    buf_free(&lines);
    return e;
}

static enum err target_write_wait(struct target *t, int64_t timeout_ms, struct write_batch **done, struct fault *f)
{
    (void)timeout_ms;
    (void)f;
    *done = t->done;
    t->done = NULL;
    return ERR_OK;
}

static void target_usage(struct target *t, struct record_writer *out)
{
    record_put_int(out, "batches", t->batches);
    record_put_int(out, "written", t->written);
    record_put_int(out, "records", (int64_t)t->n);
}

const struct target_ops file_target_ops = {
    .name = "file", .open = target_open, .close = target_close, .probe = target_probe, .check = target_check, .count = target_count,
    .lookup = target_lookup, .read = target_read, .scan = target_scan,
    .write_start = target_write_start, .write_wait = target_write_wait, .usage = target_usage};
