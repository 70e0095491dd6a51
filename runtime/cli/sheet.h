/* sheet.h - rows of one shape as people, spreadsheets and programs want them: a table, CSV (RFC 4180, with a head line), or a JSON object a line. */
#ifndef CLI_SHEET_H
#define CLI_SHEET_H
#include "base/str.h"
#include <stdint.h>

enum { SHEET_COLUMNS = 64 };
enum sheet_form { SHEET_TABLE, SHEET_CSV, SHEET_JSON };
struct sheet_column { const char *name, *title; int width; bool number; };    /* name: in CSV and JSON; title, width: in a table; number: to the right, bare in JSON */
struct sheet {
    enum sheet_form form;
    const char *is;                        /* JSON: {"is":"difference", ...}; NULL: without */
    const struct sheet_column *columns; size_t n;
    uint64_t rows;
};
/* One cell a column; an empty one is an empty cell, null in JSON. */
void sheet_row(struct sheet *s, const struct str *cells);
/* The head line, also when no row comes: CSV that is read by a program has to have it. Once; sheet_row does it by itself. */
void sheet_head(struct sheet *s);
#endif
