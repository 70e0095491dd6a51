/* file_rows.c - reads the two row formats.
 *
 *   JSON lines  {"CustomerNo":"ABF","CreditLimit":60000.00,"CreditHold":true,"TaxID":null}      one object a line, blank lines skipped
 *   CSV         RFC 4180: a header line with the column names, comma, quotes doubled inside quotes, LF or CRLF, a byte order mark allowed
 *
 * A value of JSON lines that is an array of objects is kept as it stands, for list columns: [{"LineKey":"000001","Quantity":2},...].
 * Values stay texts: the declared type of a column says how to read them, exactly as with the other sources. */
#include "connectors/file/file_rows.h"
#include "value/decimal.h"
#include "value/json.h"

enum { CELLS_MAX = 2000 };

struct str file_row_text(const struct file_row *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->cells[i].name, name)) return r->cells[i].text;
    return STR("");
}

bool file_row_is_list(const struct file_row *r, struct str name)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->cells[i].name, name)) return r->cells[i].list;
    return false;
}

static size_t count_lines(struct str s)
{
    size_t n = 1;
    for (const char *p = s.p, *end = s.p + s.n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++) n++;
    return n;
}

static struct str without_mark(struct str s)
{
    return s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0 ? (struct str){s.p + 3, s.n - 3} : s;
}

/* ---- JSON lines ---- */

/* A JSON number as plain decimal text: no exponent. */
static struct str plain_number(struct str text, struct arena *a)
{
    struct value v;
    char out[DECIMAL_BYTES];
    if (!memchr(text.p, 'e', text.n) && !memchr(text.p, 'E', text.n)) return text;
    if (!decimal_parse_json(text, &v)) return text;              /* type_read will say what is wrong with it */
    size_t n = decimal_write(out, &v);
    return (struct str){arena_copy(a, out, n), n};
}

/* An array that is empty or begins with an object: lines. */
static bool of_objects(struct str array)
{
    struct str in = str_trim((struct str){array.p + 1, array.n - 2});
    return in.n == 0 || in.p[0] == '{';
}

static bool json_cell(struct json_scanner *s, struct arena *a, struct str *out, bool *list)
{
    const char *from;
    *list = false;
    switch (json_next(s)) {
    case JSON_STRING: *out = s->text; return true;
    case JSON_NUMBER: *out = plain_number(s->text, a); return true;
    case JSON_TRUE:   *out = STR("true"); return true;
    case JSON_FALSE:  *out = STR("false"); return true;
    case JSON_NULL:   *out = STR(""); return true;
    case JSON_ARRAY:
        from = s->p - 1;
        if (!json_skip(s, JSON_ARRAY)) return false;
        *out = (struct str){from, (size_t)(s->p - from)};
        return *list = of_objects(*out);
    default:          return false;
    }
}

static enum err json_row(struct str line, unsigned number, struct arena *a, struct file_cell *cells, struct file_row *row, struct fault *f)
{
    struct json_scanner s;
    json_init(&s, line, a);
    size_t n = 0;
    enum json_token t = json_next(&s);
    if (t != JSON_OBJECT && t != JSON_ERROR) return fault_set(f, ERR_FORMAT, "line %u: an object was expected", number);
    while (t != JSON_ERROR && (t = json_next(&s)) == JSON_NAME) {
        if (n == CELLS_MAX) return fault_set(f, ERR_FORMAT, "line %u: more than %d columns", number, CELLS_MAX);
        cells[n] = (struct file_cell){.name = s.text};
        if (!json_cell(&s, a, &cells[n].text, &cells[n].list)) {
            if (s.error[0]) break;
            return fault_set(f, ERR_FORMAT, "line %u: %.*s is no plain value", number, (int)cells[n].name.n, cells[n].name.p);
        }
        n++;
    }
    if (t == JSON_OBJECT_END) t = json_next(&s);
    if (t != JSON_END) return fault_set(f, ERR_FORMAT, "line %u, byte %zu: %s", number, s.error_at, s.error);
    struct file_cell *kept = ARENA_ARRAY(a, struct file_cell, n);
    if (n > 0) memcpy(kept, cells, n * sizeof *kept);
    *row = (struct file_row){kept, n, number};
    return ERR_OK;
}

static enum err parse_jsonl(struct str s, struct arena *a, struct file_rows *out, struct fault *f)
{
    struct file_cell *cells = ARENA_ARRAY(a, struct file_cell, CELLS_MAX);
    out->rows = ARENA_ARRAY(a, struct file_row, count_lines(s));
    unsigned number = 0;
    while (s.n > 0) {
        const char *end = memchr(s.p, '\n', s.n);
        struct str line = {s.p, end ? (size_t)(end - s.p) : s.n};
        s = (struct str){line.p + line.n + (end != NULL), s.n - line.n - (end != NULL)};
        number++;
        if (str_trim(line).n == 0) continue;
        enum err e = json_row(line, number, a, cells, &out->rows[out->n], f);
        if (e != ERR_OK) return e;
        out->n++;
    }
    return ERR_OK;
}

/* ---- CSV ---- */

struct csv { const char *p, *end; unsigned line; struct arena *a; bool ends_row; };

/* A quoted cell behind its first quote; false when it never closes. */
static bool quoted_cell(struct csv *c, struct str *out)
{
    const char *from = c->p;
    size_t doubled = 0;
    for (; c->p < c->end; c->p++) {
        if (*c->p == '\n') c->line++;
        if (*c->p != '"') continue;
        if (c->p + 1 == c->end || c->p[1] != '"') break;
        doubled++;
        c->p++;
    }
    if (c->p == c->end) return false;
    size_t n = (size_t)(c->p++ - from);
    if (!str_utf8_valid((struct str){from, n})) return false;
    *out = (struct str){from, n};
    if (doubled == 0) return true;
    char *text = arena_alloc(c->a, n), *o = text;
    for (size_t i = 0; i < n; i++) {
        *o++ = from[i];
        if (from[i] == '"') i++;
    }
    *out = (struct str){text, n - doubled};
    return true;
}

/* One cell and the comma or line end behind it. */
static bool csv_cell(struct csv *c, struct str *out)
{
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        if (!quoted_cell(c, out)) return false;
    } else {
        const char *from = c->p;
        while (c->p < c->end && *c->p != ',' && *c->p != '\n' && *c->p != '"') c->p++;
        if (c->p < c->end && *c->p == '"') return false;
        size_t n = (size_t)(c->p - from);
        if (n > 0 && from[n - 1] == '\r') n--;
        *out = (struct str){from, n};
        if (!str_utf8_valid(*out)) return false;
    }
    if (c->p < c->end && *c->p == '\r') c->p++;
    c->ends_row = c->p == c->end || *c->p == '\n';
    if (!c->ends_row && *c->p != ',') return false;
    if (c->p < c->end) c->p++;
    return true;
}

/* Cells of one row into cells; false on damage or too many. */
static bool csv_row(struct csv *c, struct str *cells, size_t *n)
{
    *n = 0;
    do {
        if (*n == CELLS_MAX || !csv_cell(c, &cells[*n])) return false;
        ++*n;
    } while (!c->ends_row);
    c->line++;
    return true;
}

static enum err csv_header(struct csv *c, struct str *cells, struct file_rows *out, struct fault *f)
{
    size_t n;
    if (c->p == c->end) return fault_set(f, ERR_FORMAT, "the file has no header line");
    if (!csv_row(c, cells, &n)) return fault_set(f, ERR_FORMAT, "line 1: not well-formed CSV in UTF-8");
    struct str *names = ARENA_ARRAY(c->a, struct str, n);
    for (size_t i = 0; i < n; i++) {
        names[i] = str_trim(cells[i]);
        if (names[i].n == 0) return fault_set(f, ERR_FORMAT, "line 1: column %zu has no name", i + 1);
        for (size_t k = 0; k < i; k++)
            if (str_eq(names[k], names[i])) return fault_set(f, ERR_FORMAT, "line 1: %.*s stands twice", (int)names[i].n, names[i].p);
    }
    out->names = names;
    out->nnames = n;
    return ERR_OK;
}

static enum err parse_csv(struct str s, struct arena *a, struct file_rows *out, struct fault *f)
{
    struct csv c = {.p = s.p, .end = s.p + s.n, .line = 1, .a = a};
    struct str *cells = ARENA_ARRAY(a, struct str, CELLS_MAX);
    enum err e = csv_header(&c, cells, out, f);
    if (e != ERR_OK) return e;
    out->rows = ARENA_ARRAY(a, struct file_row, count_lines(s));
    while (c.p < c.end) {
        unsigned line = c.line;
        size_t n;
        if (!csv_row(&c, cells, &n)) return fault_set(f, ERR_FORMAT, "line %u: not well-formed CSV in UTF-8", line);
        if (n == 1 && cells[0].n == 0) continue;                 /* a blank line */
        if (n != out->nnames) return fault_set(f, ERR_FORMAT, "line %u: %zu cells, but the header has %zu", line, n, out->nnames);
        struct file_cell *kept = ARENA_ARRAY(a, struct file_cell, n);
        for (size_t i = 0; i < n; i++) kept[i] = (struct file_cell){out->names[i], cells[i], false};
        out->rows[out->n++] = (struct file_row){kept, n, line};
    }
    return ERR_OK;
}

bool file_row_lines(struct str text, struct lines *l, struct arena *a)
{
    struct json_scanner s;
    struct str cell;
    enum json_token t;
    json_init(&s, text, a);
    if (text.n == 0) return true;
    if (json_next(&s) != JSON_ARRAY) return false;
    while ((t = json_next(&s)) == JSON_OBJECT) {
        lines_add(l);
        while ((t = json_next(&s)) == JSON_NAME) {
            struct str name = s.text;
            bool list;
            if (!json_cell(&s, a, &cell, &list) || list) return false;
            lines_set(l, name, str_starts(name, STR("UDF_")), cell);
        }
        if (t != JSON_OBJECT_END) return false;
        lines_blank(l);
        lines_key(l, NULL, 0);
    }
    return t == JSON_ARRAY_END && json_next(&s) == JSON_END;
}

enum err file_rows_parse(struct str content, enum file_format format, struct arena *a, struct file_rows *out, struct fault *f)
{
    *out = (struct file_rows){0};
    content = without_mark(content);
    return format == FILE_CSV ? parse_csv(content, a, out, f) : parse_jsonl(content, a, out, f);
}
