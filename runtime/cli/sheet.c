/* sheet.c - see sheet.h. */
#include "cli/sheet.h"
#include "base/buf.h"
#include "value/json.h"
#include <stdio.h>

static void put_csv(struct buf *b, struct str s)
{
    bool quote = false;
    for (size_t i = 0; i < s.n; i++) quote = quote || s.p[i] == ',' || s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote) buf_byte(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(b, '"');
        buf_byte(b, (unsigned char)s.p[i]);
    }
    if (quote) buf_byte(b, '"');
}

/* Widths are characters, not bytes; line ends would break the table. */
static void put_padded(struct buf *b, const struct sheet_column *c, struct str s, bool last)
{
    int pad = c->width - (int)str_codepoints(s);
    if (c->number)
        for (; pad > 0; pad--) buf_byte(b, ' ');
    for (size_t i = 0; i < s.n; i++) buf_byte(b, s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\t' ? ' ' : (unsigned char)s.p[i]);
    for (; pad > 0 && !last; pad--) buf_byte(b, ' ');
    buf_puts(b, last ? "\n" : "  ");
}

static void put_json(struct buf *b, const struct sheet *s, const struct str *cells)
{
    if (s->is) buf_printf(b, "{\"is\":\"%s\"", s->is);
    for (size_t i = 0; i < s->n; i++) {
        buf_printf(b, "%s\"%s\":", i || s->is ? "," : "{", s->columns[i].name);
        if (cells[i].n == 0) buf_puts(b, "null");
        else if (s->columns[i].number) buf_str(b, cells[i]);
        else json_put_string(b, cells[i]);
    }
    buf_puts(b, "}\n");
}

static void put_line(const struct sheet *s, const struct str *cells)
{
    struct buf b = {0};
    if (s->form == SHEET_JSON) put_json(&b, s, cells);
    for (size_t i = 0; i < s->n && s->form != SHEET_JSON; i++) {
        if (s->form == SHEET_TABLE) put_padded(&b, &s->columns[i], cells[i], i + 1 == s->n);
        else put_csv(&b, cells[i]);
        if (s->form == SHEET_CSV) buf_puts(&b, i + 1 == s->n ? "\r\n" : ",");
    }
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

void sheet_head(struct sheet *s)
{
    if (s->rows || s->form == SHEET_JSON) return;
    struct str names[SHEET_COLUMNS];
    for (size_t i = 0; i < s->n && i < SHEET_COLUMNS; i++) names[i] = str_of(s->form == SHEET_CSV ? s->columns[i].name : s->columns[i].title);
    put_line(s, names);
    s->rows = 1;
}

void sheet_row(struct sheet *s, const struct str *cells)
{
    sheet_head(s);
    put_line(s, cells);
    s->rows++;
}
