/* page.c - see page.h. */
#include "compiler/doc/page.h"

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}"
    "h1,h2,h3{line-height:1.2}h2{border-top:2px solid #ccc;padding-top:1rem;margin-top:2.5rem}"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{border:1px solid #ccc;padding:.35rem .6rem;text-align:left;vertical-align:top}"
    "th{background:#f2f4f7}code{font:.9em ui-monospace,monospace;background:#f4f4f4;padding:.05rem .25rem;border-radius:3px;overflow-wrap:anywhere}"
    "@media print{body{max-width:none;margin:0}h2{break-before:page}table{font-size:.85rem}}";

static size_t character(struct str s)
{
    for (size_t len = 1; len <= 4 && len <= s.n; len++)
        if (str_utf8_valid((struct str){s.p, len})) return len;
    return 0;
}

static void put_html(struct page *p, struct str s)
{
    while (s.n) {
        size_t len = character(s);
        unsigned char c = (unsigned char)*s.p;
        if (c == '&') buf_puts(p->out, "&amp;");
        else if (c == '<') buf_puts(p->out, "&lt;");
        else if (c == '>') buf_puts(p->out, "&gt;");
        else if (c == '"') buf_puts(p->out, "&quot;");
        else if (c == '\n') buf_puts(p->out, "<br/>");
        else if (len == 0 || (c < 0x20 && c != '\t') || c == 0x7f) buf_puts(p->out, "\xef\xbf\xbd");
        else buf_put(p->out, s.p, len);
        s = (struct str){s.p + (len ? len : 1), s.n - (len ? len : 1)};
    }
}

/* Every mark that could mean something to a reader of Markdown is escaped, whether or not it would here. */
static void put_markdown(struct page *p, struct str s)
{
    static const char marks[] = "\\`*_{}[]<>#|~!";
    while (s.n) {
        size_t len = character(s);
        unsigned char c = (unsigned char)*s.p;
        if (c == '\n') buf_puts(p->out, "<br>");
        else if (c == '&') buf_puts(p->out, "&amp;");
        else if (len == 0 || (c < 0x20 && c != '\t') || c == 0x7f) buf_puts(p->out, "\xef\xbf\xbd");
        else {
            if (len == 1 && strchr(marks, c)) buf_byte(p->out, '\\');
            buf_put(p->out, s.p, len);
        }
        s = (struct str){s.p + (len ? len : 1), s.n - (len ? len : 1)};
    }
}

void page_str(struct page *p, struct str s)
{
    if (p->html) put_html(p, s);
    else put_markdown(p, s);
}

void page_text(struct page *p, const char *s) { page_str(p, str_of(s)); }

/* As many backticks around as stand nowhere inside; a bar would end the cell of a table. */
static void markdown_code(struct page *p, struct str s)
{
    size_t run = 0, most = 0;
    for (size_t i = 0; i < s.n; i++) {
        run = s.p[i] == '`' ? run + 1 : 0;
        if (run > most) most = run;
    }
    for (size_t i = 0; i <= most; i++) buf_byte(p->out, '`');
    if (most) buf_byte(p->out, ' ');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '|' && p->in_table) buf_byte(p->out, '\\');
        buf_byte(p->out, c < 0x20 || c == 0x7f ? ' ' : c);
    }
    if (most) buf_byte(p->out, ' ');
    for (size_t i = 0; i <= most; i++) buf_byte(p->out, '`');
}

void page_code(struct page *p, struct str s)
{
    if (s.n == 0) return;
    if (!p->html) {
        markdown_code(p, s);
        return;
    }
    buf_puts(p->out, "<code>");
    put_html(p, s);
    buf_puts(p->out, "</code>");
}

void page_strong(struct page *p, const char *s)
{
    buf_puts(p->out, p->html ? "<strong>" : "**");
    page_text(p, s);
    buf_puts(p->out, p->html ? "</strong>" : "**");
}

void page_link(struct page *p, const char *anchor, struct str text)
{
    buf_printf(p->out, p->html ? "<a href=\"#%s\">" : "[", anchor);
    page_str(p, text);
    if (p->html) buf_puts(p->out, "</a>");
    else buf_printf(p->out, "](#%s)", anchor);
}

void page_break(struct page *p) { buf_puts(p->out, p->html ? "<br/>" : "<br>"); }

void page_begin(struct page *p, struct buf *out, bool html, struct str title)
{
    *p = (struct page){.out = out, .html = html};
    if (!html) return;
    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n<title>");
    put_html(p, title);
    buf_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

void page_end(struct page *p)
{
    if (p->html) buf_puts(p->out, "</body>\n</html>\n");
}

void page_heading(struct page *p, int level, const char *anchor, const char *before, struct str title)
{
    if (p->html) {
        buf_printf(p->out, anchor ? "<h%d id=\"%s\">" : "<h%d>", level, anchor);
        page_text(p, before);
        page_str(p, title);
        buf_printf(p->out, "</h%d>\n", level);
        return;
    }
    if (p->out->n) buf_byte(p->out, '\n');
    if (anchor) buf_printf(p->out, "<a id=\"%s\"></a>\n\n", anchor);
    for (int i = 0; i < level; i++) buf_byte(p->out, '#');
    buf_byte(p->out, ' ');
    page_text(p, before);
    page_str(p, title);
    buf_byte(p->out, '\n');
}

void page_para(struct page *p) { buf_puts(p->out, p->html ? "<p>" : "\n"); }
void page_para_end(struct page *p) { buf_puts(p->out, p->html ? "</p>\n" : "\n"); }
void page_list(struct page *p) { buf_puts(p->out, p->html ? "<ul>\n" : "\n"); }
void page_list_end(struct page *p) { buf_puts(p->out, p->html ? "</ul>\n" : ""); }
void page_item(struct page *p) { buf_puts(p->out, p->html ? "<li>" : "- "); }
void page_item_end(struct page *p) { buf_puts(p->out, p->html ? "</li>\n" : "\n"); }

void page_table(struct page *p, const char *const *heads, size_t n)
{
    p->in_table = true;
    buf_puts(p->out, p->html ? "<table>\n<thead><tr>" : "\n|");
    for (size_t i = 0; i < n; i++) {
        buf_puts(p->out, p->html ? "<th>" : " ");
        page_text(p, heads[i]);
        buf_puts(p->out, p->html ? "</th>" : " |");
    }
    if (!p->html) {
        buf_puts(p->out, "\n|");
        for (size_t i = 0; i < n; i++) buf_puts(p->out, " --- |");
        buf_byte(p->out, '\n');
    } else buf_puts(p->out, "</tr></thead>\n<tbody>\n");
}

static void close_cell(struct page *p)
{
    if (p->cell_open) buf_puts(p->out, p->html ? "</td>" : " |");
    p->cell_open = false;
}

static void close_row(struct page *p)
{
    close_cell(p);
    if (p->row_open) buf_puts(p->out, p->html ? "</tr>\n" : "\n");
    p->row_open = false;
}

void page_row(struct page *p)
{
    close_row(p);
    buf_puts(p->out, p->html ? "<tr>" : "|");
    p->row_open = true;
}

void page_cell(struct page *p)
{
    close_cell(p);
    buf_puts(p->out, p->html ? "<td>" : " ");
    p->cell_open = true;
}

void page_table_end(struct page *p)
{
    close_row(p);
    if (p->html) buf_puts(p->out, "</tbody>\n</table>\n");
    p->in_table = false;
}
