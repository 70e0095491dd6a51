/* csv.c - a two-state scanner over the caller's bytes; see csv.h. */
#include "dsl/csv.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

struct scan {
    const char *p, *end;
    uint32_t line;
    struct arena *a;
    struct csv_fault *why;
};
struct cells { struct str *v; size_t n, cap; };

__attribute__((format(printf, 3, 4)))
static bool fault(struct scan *s, uint32_t line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    s->why->line = line;
    vsnprintf(s->why->text, sizeof s->why->text, fmt, ap);
    va_end(ap);
    return false;
}

static void cells_add(struct arena *a, struct cells *c, struct str s)
{
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 64;
        struct str *v = ARENA_ARRAY(a, struct str, cap);
        if (c->n) memcpy(v, c->v, c->n * sizeof *v);
        c->v = v;
        c->cap = cap;
    }
    c->v[c->n++] = s;
}

/* A quoted cell; p stands behind the opening quote. Doubled quotes are halved into the arena. */
static bool quoted(struct scan *s, struct str *out)
{
    uint32_t begin = s->line;
    const char *from = s->p;
    size_t doubled = 0;
    for (;; s->p++) {
        if (s->p == s->end) return fault(s, begin, "a quoted cell that begins here is never closed");
        if (*s->p == '\n') s->line++;
        if (*s->p != '"') continue;
        if (s->p + 1 < s->end && s->p[1] == '"') {
            doubled++;
            s->p++;
            continue;
        }
        break;
    }
    *out = (struct str){from, (size_t)(s->p - from)};
    s->p++;
    if (doubled == 0) return true;
    char *copy = arena_alloc(s->a, out->n - doubled + 1);
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++) {
        copy[n++] = out->p[i];
        if (out->p[i] == '"') i++;
    }
    *out = (struct str){copy, n};
    return true;
}

static bool plain(struct scan *s, struct str *out)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p != ',' && *s->p != '\n' && *s->p != '\r') {
        if (*s->p == '"') return fault(s, s->line, "a quote inside a cell that does not begin with one");
        s->p++;
    }
    *out = (struct str){from, (size_t)(s->p - from)};
    return true;
}

/* One record; *more is false when the text ended behind it. */
static bool record(struct scan *s, struct cells *cells, size_t *width)
{
    for (*width = 0;;) {
        struct str cell = {0};
        bool q = s->p < s->end && *s->p == '"';
        if (q) s->p++;
        if (!(q ? quoted(s, &cell) : plain(s, &cell))) return false;
        cells_add(s->a, cells, cell);
        (*width)++;
        if (s->p == s->end) return true;
        if (*s->p == ',') {
            s->p++;
            continue;
        }
        if (*s->p == '\r') {
            s->p++;
            if (s->p == s->end) return true;
            if (*s->p != '\n') return fault(s, s->line, "a carriage return without a line feed outside of quotes");
        }
        if (*s->p != '\n') return fault(s, s->line, "text behind a closing quote");
        s->p++;
        s->line++;
        return true;
    }
}

bool csv_parse(struct str text, struct arena *a, struct csv *out, struct csv_fault *why)
{
    struct scan s = {text.p, text.n ? text.p + text.n : text.p, 1, a, why};
    struct cells head = {0}, body = {0};
    uint32_t *lines = NULL;
    size_t nrows = 0, cap = 0, width = 0;
    memset(out, 0, sizeof *out);
    if (!str_utf8_valid(text)) return fault(&s, 1, "the file is not UTF-8");
    if (str_starts(text, STR("\xEF\xBB\xBF"))) s.p += 3;
    if (s.p == s.end) return fault(&s, 1, "the file is empty: its first line must name the columns");
    if (!record(&s, &head, &width)) return false;
    while (s.p < s.end) {
        uint32_t line = s.line;
        if (!record(&s, &body, &width)) return false;
        if (width != head.n) return fault(&s, line, "%zu cells where the header has %zu", width, head.n);
        if (nrows == cap) {
            cap = cap ? cap * 2 : 64;
            uint32_t *grown = ARENA_ARRAY(a, uint32_t, cap);
            if (nrows) memcpy(grown, lines, nrows * sizeof *grown);
            lines = grown;
        }
        lines[nrows++] = line;
    }
    *out = (struct csv){head.v, head.n, body.v, nrows, lines};
    return true;
}

int csv_column(const struct csv *c, struct str name)
{
    for (size_t i = 0; i < c->ncols; i++)
        if (str_eq(c->header[i], name)) return (int)i;
    return -1;
}
