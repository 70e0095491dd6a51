/* page.h - a page that is written once, as Markdown or as HTML in one file: headings, paragraphs, lists, tables, and the escaping of both.
 *
 *   page_begin, then blocks: page_heading; page_para..page_para_end; page_list, page_item.., page_list_end; page_table, page_row, page_cell.., page_table_end
 *   inside of a paragraph, item or cell: page_text, page_code, page_strong, page_link, page_break
 *
 * Texts may hold anything. HTML is well-formed XML too, names no other file, and runs no script. */
#ifndef COMPILER_DOC_PAGE_H
#define COMPILER_DOC_PAGE_H
#include "base/buf.h"

struct page { struct buf *out; bool html, in_table, cell_open, row_open; };

void page_begin(struct page *p, struct buf *out, bool html, struct str title);
void page_end(struct page *p);
/* anchor: letters, digits and - only; NULL: none. level 1 to 4. */
void page_heading(struct page *p, int level, const char *anchor, const char *before, struct str title);
void page_para(struct page *p);
void page_para_end(struct page *p);
void page_list(struct page *p);
void page_item(struct page *p);
void page_item_end(struct page *p);
void page_list_end(struct page *p);
void page_table(struct page *p, const char *const *heads, size_t n);
void page_row(struct page *p);
void page_cell(struct page *p);
void page_table_end(struct page *p);

void page_text(struct page *p, const char *s);
void page_str(struct page *p, struct str s);
void page_code(struct page *p, struct str s);
void page_strong(struct page *p, const char *s);
void page_link(struct page *p, const char *anchor, struct str text);
void page_break(struct page *p);
#endif
