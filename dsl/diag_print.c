/* diag_print.c - diagnostics for people (text) and for tools (json). A format is a function over the sorted list and a line in `formats`.
 *
 *   error E0120: unexpected `)`, expected an expression
 *     --> customers.mlc:12:14
 *      |
 *   12 |   Phone = phone()
 *      |                 ^
 *     ::: prelude/sage100.mlc:40:3: declared here
 *      |
 *   40 |   TelephoneNo: text(17)?
 *      |   ^^^^^^^^^^^
 *      = help: ...
 */
#include "dsl/diag_print.h"
#include <stdlib.h>
#include <unistd.h>

#define WINDOW 160                       /* characters of a long line that are shown */

struct style { const char *error, *warning, *frame, *bold, *off; };
static const struct style plain_style = {"", "", "", "", ""};
static const struct style color_style = {"\033[1;31m", "\033[1;33m", "\033[1;34m", "\033[1m", "\033[0m"};

bool diag_want_color(int fd)
{
    const char *no = getenv("NO_COLOR");
    return (!no || !*no) && isatty(fd);
}

/* The spec before the prelude, then by file, place and arrival. */
static int by_place(const void *x, const void *y)
{
    const struct diag *a = *(const struct diag *const *)x, *b = *(const struct diag *const *)y;
    const struct source *sa = sources_get(a->owner->sources, a->at.file), *sb = sources_get(b->owner->sources, b->at.file);
    bool pa = sa && sa->prelude, pb = sb && sb->prelude;
    if (pa != pb)
        return pa ? 1 : -1;
    if (a->at.file != b->at.file)
        return a->at.file < b->at.file ? -1 : 1;
    if (a->at.at != b->at.at)
        return a->at.at < b->at.at ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static size_t character_bytes(const char *p, size_t n)
{
    size_t len = 1;
    while (len < n && ((unsigned char)p[len] & 0xc0) == 0x80)
        len++;
    return len;
}

/* One source line with the span underlined. Tabs stay tabs on both lines so that they match; control characters show as ?. */
static void print_line(const struct place *pl, const struct style *st, const char *mark, int gutter, struct buf *out)
{
    uint32_t first = pl->column > WINDOW - 40 ? pl->column - WINDOW / 2 : 1, column = 1;
    uint32_t stop = pl->end_line > pl->line ? UINT32_MAX : pl->end_column > pl->column ? pl->end_column : pl->column + 1;
    struct buf under = {0};
    buf_printf(out, "%*s %s|%s\n%s%*u |%s ", gutter, "", st->frame, st->off, st->frame, gutter, pl->line, st->off);
    if (first > 1)
        buf_puts(out, "..."), buf_puts(&under, "   ");
    for (size_t i = 0; i < pl->line_text.n && column < first + WINDOW; column++) {
        size_t len = character_bytes(pl->line_text.p + i, pl->line_text.n - i);
        unsigned char c = (unsigned char)pl->line_text.p[i];
        if (column >= first) {
            bool marked = column >= pl->column && column < stop;
            if (c == '\t')
                buf_byte(out, c);
            else if (c < 0x20 || c == 0x7f || !str_utf8_valid((struct str){pl->line_text.p + i, len}))
                buf_byte(out, '?');
            else
                buf_put(out, pl->line_text.p + i, len);
            if (marked)
                buf_byte(&under, '^');
            else if (column < pl->column)
                buf_byte(&under, c == '\t' ? '\t' : ' ');
        }
        i += len;
    }
    if (pl->column >= column)            /* behind the last character: the end of a line or of the file */
        buf_byte(&under, '^');
    buf_printf(out, "\n%*s %s|%s %s", gutter, "", st->frame, st->off, mark);
    buf_str(out, buf_view(&under));
    buf_printf(out, "%s\n", st->off);
    buf_free(&under);
}

static int digits(uint32_t n)
{
    int d = 1;
    while (n >= 10)
        n /= 10, d++;
    return d;
}

void diag__print_one(const struct diag *d, bool color, struct buf *out)
{
    const struct style *st = color ? &color_style : &plain_style;
    bool error = diag_code_severity(d->code) == DIAG_ERROR;
    const char *mark = error ? st->error : st->warning;
    struct place pl = source_place(d->owner->sources, d->at);
    uint32_t widest = pl.line;
    for (const struct diag_also *a = d->also; a; a = a->next) {
        struct place other = source_place(d->owner->sources, a->at);
        if (other.line > widest)
            widest = other.line;
    }
    int gutter = digits(widest);
    buf_printf(out, "%s%s %s%s: %s%s%s\n", mark, error ? "error" : "warning", diag_code_text(d->code), st->off, st->bold, d->message, st->off);
    if (pl.source) {
        buf_printf(out, "%*s%s-->%s %.*s:%u:%u\n", gutter, "", st->frame, st->off, (int)pl.source->name.n, pl.source->name.p, pl.line, pl.column);
        print_line(&pl, st, mark, gutter, out);
    }
    for (const struct diag_also *a = d->also; a; a = a->next) {
        struct place other = source_place(d->owner->sources, a->at);
        if (!other.source) {
            buf_printf(out, "%*s %s=%s %s\n", gutter, "", st->frame, st->off, a->text);
            continue;
        }
        buf_printf(out, "%*s%s:::%s %.*s:%u:%u: %s\n", gutter, "", st->frame, st->off, (int)other.source->name.n, other.source->name.p, other.line,
                   other.column, a->text);
        print_line(&other, st, st->frame, gutter, out);
    }
    for (const struct diag_line *h = d->help; h; h = h->next)
        buf_printf(out, "%*s %s=%s help: %s\n", gutter, "", st->frame, st->off, h->text);
    buf_byte(out, '\n');
}

static void print_text(struct diags *ds, bool color, struct buf *out)
{
    for (size_t i = 0; i < ds->n; i++)
        diag__print_one(ds->list[i], color, out);
    if (ds->nerrors)
        buf_printf(out, "%zu error%s", ds->nerrors, ds->nerrors == 1 ? "" : "s");
    if (ds->nwarnings)
        buf_printf(out, "%s%zu warning%s", ds->nerrors ? ", " : "", ds->nwarnings, ds->nwarnings == 1 ? "" : "s");
    if (ds->n)
        buf_byte(out, '\n');
}

/* ---- json ---- */
static void json_text(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t len = character_bytes(s.p + i, s.n - i);
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\u%04x", c);
        else if (!str_utf8_valid((struct str){s.p + i, len}))
            buf_puts(out, "\\ufffd");
        else
            buf_put(out, s.p + i, len);
        i += len;
    }
    buf_byte(out, '"');
}

static void json_place(struct buf *out, const struct diags *ds, struct span at)
{
    struct place pl = source_place(ds->sources, at);
    if (!pl.source) {
        buf_puts(out, "null");
        return;
    }
    buf_puts(out, "{\"file\":");
    json_text(out, pl.source->name);
    buf_printf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u,\"byte\":%u,\"end_byte\":%u}", pl.line, pl.column, pl.end_line,
               pl.end_column, at.at, at.end);
}

static void json_one(const struct diag *d, struct buf *out)
{
    buf_printf(out, "{\"code\":\"%s\",\"name\":\"%s\",\"severity\":\"%s\",\"message\":", diag_code_text(d->code), diag_code_name(d->code),
               diag_code_severity(d->code) == DIAG_ERROR ? "error" : "warning");
    json_text(out, str_of(d->message));
    buf_puts(out, ",\"place\":");
    json_place(out, d->owner, d->at);
    buf_puts(out, ",\"also\":[");
    for (const struct diag_also *a = d->also; a; a = a->next) {
        buf_puts(out, a == d->also ? "{\"place\":" : ",{\"place\":");
        json_place(out, d->owner, a->at);
        buf_puts(out, ",\"text\":");
        json_text(out, str_of(a->text));
        buf_byte(out, '}');
    }
    buf_puts(out, "],\"help\":[");
    for (const struct diag_line *h = d->help; h; h = h->next) {
        if (h != d->help)
            buf_byte(out, ',');
        json_text(out, str_of(h->text));
    }
    buf_puts(out, "],\"fix\":");
    if (d->fix) {
        buf_puts(out, "{\"place\":");
        json_place(out, d->owner, d->fix_at);
        buf_puts(out, ",\"text\":");
        json_text(out, str_of(d->fix));
        buf_byte(out, '}');
    } else
        buf_puts(out, "null");
    buf_byte(out, '}');
}

static void print_json(struct diags *ds, bool color, struct buf *out)
{
    (void)color;
    buf_puts(out, "{\"diagnostics\":[");
    for (size_t i = 0; i < ds->n; i++) {
        buf_puts(out, i ? ",\n" : "\n");
        json_one(ds->list[i], out);
    }
    buf_printf(out, "%s],\"errors\":%zu,\"warnings\":%zu}\n", ds->n ? "\n" : "", ds->nerrors, ds->nwarnings);
}

static const struct { const char *name; void (*print)(struct diags *, bool, struct buf *); } formats[DIAG_FORMAT_COUNT] = {
    [DIAG_FORMAT_TEXT] = {"text", print_text},
    [DIAG_FORMAT_JSON] = {"json", print_json},
    [DIAG_FORMAT_SARIF] = {"sarif", diag__print_sarif},
    [DIAG_FORMAT_GITHUB] = {"github", diag__print_github},
    [DIAG_FORMAT_JUNIT] = {"junit", diag__print_junit},
};

bool diag_format_find(struct str name, enum diag_format *out)
{
    for (unsigned i = 0; i < DIAG_FORMAT_COUNT; i++)
        if (str_is(name, formats[i].name)) {
            *out = (enum diag_format)i;
            return true;
        }
    return false;
}

void diags_print(struct diags *ds, enum diag_format format, bool color, struct buf *out)
{
    if (ds->n)
        qsort(ds->list, ds->n, sizeof *ds->list, by_place);
    formats[format].print(ds, color, out);
}
