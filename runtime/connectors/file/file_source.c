/* file_source.c - a file of rows as a source: examples, tests, and systems that can only export.
 *
 * Settings: path = a file whose name ends in .jsonl or .csv, or a folder in which ENTITY.jsonl or ENTITY.csv stands, below a folder of the
 * company's name if there is one; format = "jsonl" or "csv" picks among those in a folder; page_rows = rows a page.
 *
 * A file has no change stamps: every changed file is a full pass over all rows in key order, and sync compares their hashes.
 *   cursor   HASH          the file of this content was read to its end: the same content gives an empty page
 *            HASH.INDEX    in the middle of it; when the content has changed, the pass begins again
 * The parsed rows of the last file are kept while its content stays the same. */
#include "base/hash.h"
#include "base/limits.h"
#include "connectors/connector.h"
#include "connectors/file/file_rows.h"
#include "value/json.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { HASH_HEX = 32 };
struct source {
    const struct conn_env *env;
    const char *path;                 /* in the arena of the source */
    bool single;                      /* path is a file, not a folder */
    struct str format;                /* empty: whichever stands in the folder */
    struct arena arena;
    /* the file read last */
    struct arena cache;
    const char *cached;               /* its path, NULL = none */
    char hash[HASH_HEX + 1];
    struct file_rows rows;
    struct source_key *keys;          /* per row, in key order */
    struct str key_names;             /* the key columns that keys was made for */
};

static bool ends_with(struct str s, const char *tail)
{
    size_t n = strlen(tail);
    return s.n >= n && memcmp(s.p + s.n - n, tail, n) == 0;
}

static enum err file_open(struct source **out, const struct conn_env *env, struct fault *f)
{
    struct str path = conn_setting(env, "path"), format = conn_setting(env, "format");
    if (path.n == 0) return fault_set(f, ERR_CONFIG, "%s: `path` is missing (a .jsonl or .csv file, or a folder of them)", env->state_name);
    if (format.n > 0 && !str_is(format, "jsonl") && !str_is(format, "csv"))
        return fault_set(f, ERR_CONFIG, "%s: format is \"jsonl\" or \"csv\", not \"%.*s\"", env->state_name, (int)format.n, format.p);
    struct source *s = calloc(1, sizeof *s);
    if (!s) return fault_set(f, ERR_IO, "out of memory");
    arena_init(&s->arena, 1024);
    arena_init(&s->cache, 0);
    s->env = env;
    s->path = arena_copy(&s->arena, path.p, path.n);
    s->format = format;
    s->single = ends_with(path, ".jsonl") || ends_with(path, ".csv");
    *out = s;
    return ERR_OK;
}

static void file_close(struct source *s)
{
    if (!s) return;
    arena_free(&s->cache);
    arena_free(&s->arena);
    free(s);
}

/* ---- the file behind a query ---- */

/* A file that is there and cannot be read is the one meant: reading it says why. */
static bool is_there(const struct source *s, const char *path)
{
    const struct world_files *w = &s->env->world->files;
    int fd = w->open(w->ctx, path, O_RDONLY, 0);
    if (fd < 0) return errno != ENOENT && errno != ENOTDIR;
    w->close(w->ctx, fd);
    return true;
}

/* The path for an entity, or NULL. */
static const char *find_path(struct source *s, const struct source_query *q, struct arena *a)
{
    static const char *const kinds[] = {"jsonl", "csv"};
    if (s->single) return s->path;
    for (int with_company = q->company.n > 0; with_company >= 0; with_company--)
        for (size_t i = 0; i < 2; i++) {
            if (s->format.n > 0 && !str_is(s->format, kinds[i])) continue;
            const char *path = with_company ? arena_printf(a, "%s/%.*s/%.*s.%s", s->path, (int)q->company.n, q->company.p, (int)q->entity.n,
                                                           q->entity.p, kinds[i])
                                            : arena_printf(a, "%s/%.*s.%s", s->path, (int)q->entity.n, q->entity.p, kinds[i]);
            if (is_there(s, path)) return path;
        }
    return NULL;
}

static enum file_format format_of(const char *path)
{
    return ends_with(str_of(path), ".csv") ? FILE_CSV : FILE_JSONL;
}

static int key_cmp(const struct source_key *a, const struct source_key *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int c = str_cmp(a->part[i], b->part[i]);
        if (c != 0) return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

/* Rows and their keys are sorted together. */
struct keyed { struct source_key key; struct file_row row; };
static int by_key(const void *a, const void *b) { return key_cmp(&((const struct keyed *)a)->key, &((const struct keyed *)b)->key); }

static enum err key_of(const struct file_row *r, const struct source_query *q, struct source_key *out, struct fault *f)
{
    *out = (struct source_key){.n = q->nkeys};
    for (size_t i = 0; i < q->nkeys; i++) {
        out->part[i] = str_trim(file_row_text(r, q->key_columns[i]));
        if (out->part[i].n == 0)
            return fault_set(f, ERR_FORMAT, "line %u: the key column %.*s is blank", r->line, (int)q->key_columns[i].n, q->key_columns[i].p);
    }
    return ERR_OK;
}

static enum err sort_rows(struct source *s, const struct source_query *q, struct fault *f)
{
    size_t n = s->rows.n;
    struct keyed *k = ARENA_ARRAY(&s->cache, struct keyed, n);
    for (size_t i = 0; i < n; i++) {
        k[i].row = s->rows.rows[i];
        enum err e = key_of(&k[i].row, q, &k[i].key, f);
        if (e != ERR_OK) return e;
    }
    if (n > 1) qsort(k, n, sizeof *k, by_key);
    s->keys = ARENA_ARRAY(&s->cache, struct source_key, n);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && key_cmp(&k[i - 1].key, &k[i].key) == 0)
            return fault_set(f, ERR_FORMAT, "lines %u and %u have the same key", k[i - 1].row.line, k[i].row.line);
        s->rows.rows[i] = k[i].row;
        s->keys[i] = k[i].key;
    }
    return ERR_OK;
}

static struct str join_names(const struct source_query *q, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; i < q->nkeys; i++) buf_blob(&b, q->key_columns[i]);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

/* Reads the file of the query; the rows in s->rows and s->keys are those of its present content. */
static enum err load(struct source *s, const struct source_query *q, struct arena *a, struct fault *f)
{
    if (q->via.n > 0) return fault_set(f, ERR_UNSUPPORTED, "a file has no door \"%.*s\"", (int)q->via.n, q->via.p);
    if (q->nkeys == 0 || q->nkeys > LIMIT_KEY_PARTS) return fault_set(f, ERR_CONFIG, "%.*s needs a key", (int)q->entity.n, q->entity.p);
    const char *path = find_path(s, q, a);
    if (!path) return fault_set(f, ERR_NOT_FOUND, "%s: no file for %.*s", s->path, (int)q->entity.n, q->entity.p);
    struct str content;
    enum err e = world_read_file(s->env->world, path, LIMIT_ANSWER_BYTES, a, &content, f);
    if (e != ERR_OK) return e;
    char hash[HASH_HEX + 1];
    struct hash h = hash_of(content);
    hash_hex(h.b, HASH_HEX / 2, hash);
    struct str names = join_names(q, a);
    if (s->cached && strcmp(s->cached, path) == 0 && strcmp(s->hash, hash) == 0 && str_eq(s->key_names, names)) return ERR_OK;
    s->cached = NULL;
    arena_reset(&s->cache);
    content.p = arena_copy(&s->cache, content.p, content.n);
    e = file_rows_parse(content, format_of(path), &s->cache, &s->rows, f);
    if (e == ERR_OK) e = sort_rows(s, q, f);
    if (e != ERR_OK) { if (f) fault_prefix(f, "%s", path); return e; }
    memcpy(s->hash, hash, sizeof hash);
    s->key_names = (struct str){arena_copy(&s->cache, names.p, names.n), names.n};
    s->cached = arena_copy(&s->cache, path, strlen(path));
    return ERR_OK;
}

/* ---- rows for the caller ---- */

static struct str copy_str(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.p, s.n), s.n}; }

static struct source_key copy_key(struct arena *a, const struct source_key *k)
{
    struct source_key out = *k;
    for (size_t i = 0; i < k->n; i++) out.part[i] = copy_str(a, k->part[i]);
    return out;
}

/* Values of the columns, and a hash of their raw texts. */
static void give_row(const struct source *s, size_t i, const struct source_query *q, struct arena *a, struct source_row *out)
{
    struct buf raw = {0};
    char why[120];
    *out = (struct source_row){.key = copy_key(a, &s->keys[i]), .cols = ARENA_ARRAY(a, struct value, q->ncolumns)};
    for (size_t c = 0; c < q->ncolumns; c++) {
        const struct source_column *col = &q->columns[c];
        struct str text = copy_str(a, file_row_text(&s->rows.rows[i], col->name));
        buf_blob(&raw, text);
        if (col->type.base == T_LIST) {
            struct lines l;
            lines_begin(&l, q, col, a);
            bool array = file_row_lines(text, &l, a);
            out->cols[c] = lines_end(&l, &out->key, &out->violation);
            if (!array && !out->violation) out->violation = arena_printf(a, "%.*s is no array of objects", (int)col->name.n, col->name.p);
            continue;
        }
        bool list = file_row_is_list(&s->rows.rows[i], col->name);
        if (list) snprintf(why, sizeof why, "is a list");
        else if (type_read(&col->type, text, &out->cols[c], why, sizeof why)) continue;
        out->cols[c] = value_absent;
        if (!out->violation) out->violation = arena_printf(a, "%.*s %s", (int)col->name.n, col->name.p, why);
    }
    struct hash h = hash_of(buf_view(&raw));
    out->hash = (struct str){arena_copy(a, h.b, HASH_BYTES), HASH_BYTES};
    buf_free(&raw);
}

/* Where a pass goes on: index of the next row; the number of rows when there is nothing new. */
static enum err position(const struct source *s, struct str cursor, size_t *at, struct fault *f)
{
    int64_t index = 0;
    *at = 0;
    if (cursor.n == 0) return ERR_OK;
    bool middle = cursor.n > HASH_HEX + 1 && cursor.p[HASH_HEX] == '.';
    if ((cursor.n != HASH_HEX && !middle) || (middle && !str_to_i64((struct str){cursor.p + HASH_HEX + 1, cursor.n - HASH_HEX - 1}, &index)))
        return fault_set(f, ERR_EXPIRED, "the cursor is not one of a file");
    if (memcmp(cursor.p, s->hash, HASH_HEX) != 0) return ERR_OK;
    *at = !middle || (uint64_t)index > s->rows.n ? s->rows.n : (size_t)index;
    return ERR_OK;
}

static size_t page_rows(const struct source *s, const struct source_query *q)
{
    int64_t n = q->page_rows ? (int64_t)q->page_rows : conn_setting_int(s->env, "page_rows", LIMIT_PAGE_ROWS);
    return n < 1 || n > LIMIT_PAGE_ROWS ? LIMIT_PAGE_ROWS : (size_t)n;
}

static enum err file_page(struct source *s, const struct source_query *q, struct str cursor, struct arena *a, struct source_page *out, struct fault *f)
{
    size_t at;
    *out = (struct source_page){0};
    enum err e = load(s, q, a, f);
    if (e == ERR_OK) e = position(s, cursor, &at, f);
    if (e != ERR_OK) return e;
    size_t most = page_rows(s, q), n = s->rows.n - at < most ? s->rows.n - at : most;
    out->rows = ARENA_ARRAY(a, struct source_row, n);
    out->nrows = n;
    for (size_t i = 0; i < n; i++) give_row(s, at + i, q, a, &out->rows[i]);
    out->complete = at + n == s->rows.n;
    out->next = str_of(out->complete ? arena_printf(a, "%s", s->hash) : arena_printf(a, "%s.%zu", s->hash, at + n));
    out->epoch = str_of(arena_printf(a, "%s", s->hash));
    return ERR_OK;
}

/* The first row whose key is not below `key`. */
static size_t lower_bound(const struct source *s, const struct source_key *key)
{
    size_t lo = 0, hi = s->rows.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (key_cmp(&s->keys[mid], key) < 0) lo = mid + 1; else hi = mid;
    }
    return lo;
}

static enum err file_fetch(struct source *s, const struct source_query *q, const struct source_key *keys, size_t nkeys, struct arena *a,
                           struct source_page *out, struct fault *f)
{
    *out = (struct source_page){0};
    enum err e = load(s, q, a, f);
    if (e != ERR_OK) return e;
    out->rows = ARENA_ARRAY(a, struct source_row, nkeys);
    out->missing = ARENA_ARRAY(a, struct source_key, nkeys);
    for (size_t i = 0; i < nkeys; i++) {
        size_t at = lower_bound(s, &keys[i]);
        if (at < s->rows.n && key_cmp(&s->keys[at], &keys[i]) == 0) give_row(s, at, q, a, &out->rows[out->nrows++]);
        else out->missing[out->nmissing++] = copy_key(a, &keys[i]);
    }
    out->complete = true;
    return ERR_OK;
}

/* A key as the cursor of a sweep: a JSON array of its parts. */
static struct str key_cursor(const struct source_key *k, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; i < k->n; i++) {
        buf_byte(&b, i ? ',' : '[');
        json_put_string(&b, k->part[i]);
    }
    buf_byte(&b, ']');
    struct str s = copy_str(a, buf_view(&b));
    buf_free(&b);
    return s;
}

static bool parse_key_cursor(struct str text, struct arena *a, struct source_key *out)
{
    struct json_scanner s;
    enum json_token t;
    *out = (struct source_key){0};
    json_init(&s, text, a);
    if (json_next(&s) != JSON_ARRAY) return false;
    while ((t = json_next(&s)) == JSON_STRING && out->n < LIMIT_KEY_PARTS) out->part[out->n++] = s.text;
    return t == JSON_ARRAY_END && json_next(&s) == JSON_END;
}

static enum err file_keys(struct source *s, const struct source_query *q, struct str after, struct arena *a, struct source_page *out, struct fault *f)
{
    struct source_key last;
    size_t at = 0;
    *out = (struct source_page){0};
    enum err e = load(s, q, a, f);
    if (e != ERR_OK) return e;
    if (after.n > 0) {
        if (!parse_key_cursor(after, a, &last)) return fault_set(f, ERR_EXPIRED, "the cursor is not one of a key pass");
        at = lower_bound(s, &last);
        at += at < s->rows.n && key_cmp(&s->keys[at], &last) == 0;
    }
    size_t n = s->rows.n - at < LIMIT_PAGE_KEYS ? s->rows.n - at : LIMIT_PAGE_KEYS;
    out->rows = ARENA_ARRAY(a, struct source_row, n);
    out->nrows = n;
    for (size_t i = 0; i < n; i++) out->rows[i].key = copy_key(a, &s->keys[at + i]);
    out->complete = at + n == s->rows.n;
    if (n > 0) out->next = key_cursor(&out->rows[n - 1].key, a);
    out->epoch = str_of(arena_printf(a, "%s", s->hash));
    return ERR_OK;
}

/* ---- probe ---- */

static bool has_column(const struct file_rows *rows, struct str name)
{
    for (size_t i = 0; i < rows->nnames; i++)
        if (str_eq(rows->names[i], name)) return true;
    for (size_t i = 0; i < rows->n && rows->names == NULL; i++)
        for (size_t k = 0; k < rows->rows[i].n; k++)
            if (str_eq(rows->rows[i].cells[k].name, name)) return true;
    return false;
}

static void report(const struct finding_sink *sink, enum finding_level level, const char *what, const char *text)
{
    struct finding one = {.level = level, .what = what, .text = text};
    sink->add(sink->ctx, &one);
}

/* A JSON row may leave out what is null, so a column that no row has is only worth a warning there; a CSV header must name it. */
static bool probe_columns(const struct source *s, const struct source_query *q, struct arena *a, const struct finding_sink *sink)
{
    bool ok = true;
    for (size_t i = 0; i < q->ncolumns; i++) {
        if (has_column(&s->rows, q->columns[i].name)) continue;
        bool fatal = s->rows.names != NULL;
        ok &= !fatal;
        report(sink, fatal ? FINDING_FAIL : FINDING_WARN, "column",
               arena_printf(a, "%.*s: no column %.*s", (int)q->entity.n, q->entity.p, (int)q->columns[i].name.n, q->columns[i].name.p));
    }
    return ok;
}

static enum err file_probe(struct source *s, const struct source_query *q, size_t nq, const struct finding_sink *sink, struct fault *f)
{
    struct arena a;
    bool ok = true;
    arena_init(&a, 0);
    for (size_t i = 0; i < nq; i++) {
        struct fault why = {ERR_OK, ""};
        if (load(s, &q[i], &a, &why) != ERR_OK) {
            report(sink, FINDING_FAIL, "file", why.text);
            ok = false;
            continue;
        }
        report(sink, FINDING_OK, "file", arena_printf(&a, "%s: %zu rows", s->cached, s->rows.n));
        ok &= probe_columns(s, &q[i], &a, sink);
    }
    arena_free(&a);
    return ok ? ERR_OK : fault_set(f, ERR_CONFIG, "%s: not every file fits its entity", s->path);
}

const struct source_ops file_source_ops = {
    .name = "file", .open = file_open, .close = file_close, .probe = file_probe, .page = file_page, .fetch = file_fetch, .keys = file_keys};
