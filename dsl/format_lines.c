/* format_lines.c - collects finished lines and sets the comments behind them in columns. */
#include "dsl/format_lines.h"

#define COMMENT_GAP 2                  /* blanks in front of a comment behind code */
#define COMMENT_MAX 100                /* a longer line does not push the comments of its neighbours */

void format__put(struct format_lines *l, struct str s)
{
    buf_str(&l->code, s);
    l->width += (uint32_t)str_codepoints(s);
    l->open = true;
}

void format__pad(struct format_lines *l, uint32_t column)
{
    while (l->width < column)
        format__put(l, STR(" "));
}

static void append(struct format_lines *l, struct format_line line)
{
    struct format_line *n = ARENA_NEW(l->arena, struct format_line);
    *n = line;
    if (l->last)
        l->last->next = n;
    else
        l->first = n;
    l->last = n;
}

void format__end(struct format_lines *l)
{
    if (!l->open)
        return;
    struct str code = {arena_copy(l->arena, l->code.n ? l->code.p : "", l->code.n), l->code.n};
    append(l, (struct format_line){code, l->width, l->comment, NULL});
    buf_clear(&l->code);
    l->width = 0;
    l->comment = (struct str){NULL, 0};
    l->open = false;
}

void format__begin(struct format_lines *l, uint32_t indent)
{
    format__end(l);
    format__pad(l, indent);
    l->open = indent > 0;
}

void format__blank(struct format_lines *l)
{
    format__end(l);
    if (l->last && (l->last->code.n || l->last->comment.n))
        append(l, (struct format_line){{"", 0}, 0, {NULL, 0}, NULL});
}

/* The column of the comments of the run of lines that begins here. */
static uint32_t comment_column(const struct format_line *n)
{
    uint32_t column = 0;
    for (; n && n->comment.n; n = n->next)
        if (n->width > column && n->width <= COMMENT_MAX)
            column = n->width;
    return column + COMMENT_GAP;
}

void format__print(struct format_lines *l, struct buf *out)
{
    format__end(l);
    uint32_t column = 0;
    bool run = false;
    for (const struct format_line *n = l->first; n; n = n->next) {
        buf_str(out, n->code);
        if (n->comment.n) {
            if (!run)
                column = comment_column(n);
            uint32_t w = n->width + COMMENT_GAP > column ? n->width + COMMENT_GAP : column;
            for (uint32_t i = n->width; i < w; i++)
                buf_byte(out, ' ');
            buf_str(out, n->comment);
        }
        run = n->comment.n > 0;
        buf_byte(out, '\n');
    }
    buf_free(&l->code);
}
