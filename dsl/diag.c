/* diag.c - collects diagnostics: messages out of the table, second places, help, duplicates, "did you mean". Printing: diag_print.c. */
#include "dsl/diag.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

#define ERROR DIAG_ERROR
#define WARNING DIAG_WARNING
static const struct { const char *code; enum diag_severity severity; const char *name, *message; } table[D_COUNT] = {
#define DIAG(code, severity, name, message) [D_##name] = {code, severity, #name, message},
#include "dsl/diag.def"
#undef DIAG
};
#undef ERROR
#undef WARNING

void diags_init(struct diags *ds, struct arena *a, const struct sources *s)
{
    *ds = (struct diags){.arena = a, .sources = s};
}

const char *diag_code_text(enum diag_code c)
{
    ASSERT((unsigned)c < D_COUNT);
    return table[c].code;
}

const char *diag_code_name(enum diag_code c)
{
    static char names[D_COUNT][40];           /* NOT_UTF8 -> not-utf8, made at the first call */
    ASSERT((unsigned)c < D_COUNT);
    char *out = names[c];
    for (size_t i = 0; table[c].name[i] && i + 1 < sizeof names[c]; i++) {
        char ch = table[c].name[i];
        out[i] = (char)(ch == '_' ? '-' : ch >= 'A' && ch <= 'Z' ? ch + 32 : ch);
    }
    return out;
}

const char *diag_code_template(enum diag_code c)
{
    static char texts[D_COUNT][120];
    ASSERT((unsigned)c < D_COUNT);
    size_t n = 0;
    for (const char *p = table[c].message; *p && n + 4 < sizeof texts[c]; p++) {
        bool hole = p[0] == '%' && p[1] == 's';
        if (hole) memcpy(texts[c] + n, "...", 3);
        else texts[c][n] = *p;
        n += hole ? 3 : 1;
        p += *p == '%';
    }
    texts[c][n] = 0;
    return texts[c];
}

enum diag_severity diag_code_severity(enum diag_code c)
{
    ASSERT((unsigned)c < D_COUNT);
    return table[c].severity;
}

bool diag_code_find(struct str s, enum diag_code *out)
{
    for (unsigned i = 0; i < D_COUNT; i++)
        if (str_ieq(s, str_of(table[i].code)) || str_ieq(s, str_of(diag_code_name((enum diag_code)i)))) {
            *out = (enum diag_code)i;
            return true;
        }
    return false;
}

/* The message with its %s filled in; %% is a percent sign. The number of arguments must be that of the table. */
static const char *fill(struct arena *a, enum diag_code code, const char *const *args, size_t nargs)
{
    struct buf b = {0};
    size_t used = 0;
    for (const char *p = table[code].message; *p; p++) {
        if (*p != '%') {
            buf_byte(&b, (unsigned char)*p);
        } else if (*++p == 's') {
            ASSERT(used < nargs);
            buf_puts(&b, args[used++]);
        } else {
            ASSERT(*p == '%');
            buf_byte(&b, '%');
        }
    }
    ASSERT(used == nargs);
    const char *text = arena_copy(a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

static bool same_span(struct span a, struct span b)
{
    return a.file == b.file && a.at == b.at && a.end == b.end;
}

static struct diag *add(struct diags *ds, struct span at, enum diag_code code, const char *const *args, size_t nargs)
{
    ASSERT((unsigned)code < D_COUNT);
    ds->raised += table[code].severity == DIAG_ERROR;
    const char *message = fill(ds->arena, code, args, nargs);
    for (size_t i = 0; i < ds->n; i++)
        if (ds->list[i]->code == code && same_span(ds->list[i]->at, at) && strcmp(ds->list[i]->message, message) == 0)
            return ds->list[i];
    if (ds->n == ds->cap) {
        size_t cap = ds->cap ? ds->cap * 2 : 16;
        struct diag **list = ARENA_ARRAY(ds->arena, struct diag *, cap);
        for (size_t i = 0; i < ds->n; i++)
            list[i] = ds->list[i];
        ds->list = list;
        ds->cap = cap;
    }
    struct diag *d = ARENA_NEW(ds->arena, struct diag);
    *d = (struct diag){.code = code, .at = at, .message = message, .seq = ds->n, .owner = ds};
    ds->list[ds->n++] = d;
    if (table[code].severity == DIAG_ERROR)
        ds->nerrors++;
    else
        ds->nwarnings++;
    return d;
}

struct diag *diag0(struct diags *ds, struct span at, enum diag_code code)
{
    return add(ds, at, code, NULL, 0);
}
struct diag *diag1(struct diags *ds, struct span at, enum diag_code code, const char *a)
{
    return add(ds, at, code, (const char *const[]){a}, 1);
}
struct diag *diag2(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b)
{
    return add(ds, at, code, (const char *const[]){a, b}, 2);
}
struct diag *diag3(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b, const char *c)
{
    return add(ds, at, code, (const char *const[]){a, b, c}, 3);
}
struct diag *diag4(struct diags *ds, struct span at, enum diag_code code, const char *a, const char *b, const char *c, const char *d)
{
    return add(ds, at, code, (const char *const[]){a, b, c, d}, 4);
}

static const char *vformat(struct arena *a, const char *fmt, va_list ap)
{
    struct buf b = {0};
    buf_vprintf(&b, fmt, ap);
    const char *text = arena_copy(a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

struct diag *diag_also(struct diag *d, struct span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = vformat(d->owner->arena, fmt, ap);
    va_end(ap);
    struct diag_also **end = &d->also;
    for (; *end; end = &(*end)->next)
        if (same_span((*end)->at, at) && strcmp((*end)->text, text) == 0)
            return d;
    *end = ARENA_NEW(d->owner->arena, struct diag_also);
    **end = (struct diag_also){at, text, NULL};
    return d;
}

struct diag *diag_help(struct diag *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = vformat(d->owner->arena, fmt, ap);
    va_end(ap);
    struct diag_line **end = &d->help;
    for (; *end; end = &(*end)->next)
        if (strcmp((*end)->text, text) == 0)
            return d;
    *end = ARENA_NEW(d->owner->arena, struct diag_line);
    **end = (struct diag_line){text, NULL};
    return d;
}

struct diag *diag_fix(struct diag *d, struct span at, const char *fmt, ...)
{
    va_list ap;
    if (d->fix || !span_known(at)) return d;
    va_start(ap, fmt);
    d->fix = vformat(d->owner->arena, fmt, ap);
    va_end(ap);
    d->fix_at = at;
    d->fix_title = "mend it";
    for (const struct diag_line *h = d->help; h; h = h->next) d->fix_title = h->text;
    return d;
}

/* Length of the well-formed UTF-8 character at p (n bytes are left), or 0. */
static size_t character(const char *p, size_t n)
{
    for (size_t len = 1; len <= 4 && len <= n; len++)
        if (str_utf8_valid((struct str){p, len}))
            return len;
    return 0;
}

const char *diag_str(struct diags *ds, struct str s)
{
    struct buf b = {0};
    size_t shown = 0;
    for (size_t i = 0; i < s.n; shown++) {
        if (shown == 60) {
            buf_puts(&b, "...");
            break;
        }
        unsigned char c = (unsigned char)s.p[i];
        size_t len = character(s.p + i, s.n - i);
        if (c == '\n')
            buf_puts(&b, "\\n");
        else if (c < 0x20 || c == 0x7f || len == 0)
            buf_printf(&b, "\\x%02x", c);
        else
            buf_put(&b, s.p + i, len);
        i += len ? len : 1;
    }
    const char *text = arena_copy(ds->arena, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

/* ---- did you mean ---- */
#define NEAREST_MAX 64

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Edit distance (insert, delete, change, swap of neighbours), letters without case. */
static unsigned edit_distance(struct str a, struct str b)
{
    unsigned row[3][NEAREST_MAX + 1] = {{0}};
    for (unsigned j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.n; j++) {
            unsigned best = before[j - 1] + (lower(a.p[i - 1]) != lower(b.p[j - 1]));
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) && lower(a.p[i - 2]) == lower(b.p[j - 1]) && earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a.n % 3][b.n];
}

struct diag_nearest diag_nearest_begin(struct str wrong)
{
    return (struct diag_nearest){wrong, {NULL, 0}, UINT32_MAX};
}

void diag_nearest_try(struct diag_nearest *n, struct str candidate)
{
    if (n->wrong.n > NEAREST_MAX || candidate.n > NEAREST_MAX || n->wrong.n == 0)
        return;
    unsigned d = edit_distance(n->wrong, candidate);
    if (d < n->distance) {
        n->distance = d;
        n->best = candidate;
    }
}

bool diag_nearest_found(const struct diag_nearest *n)
{
    return n->best.p != NULL && n->distance <= 1 + n->wrong.n / 4 && n->distance < n->wrong.n;
}
