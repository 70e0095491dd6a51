/* json_row.h - JSON to slots: one object, straight into the columns that a flow reads. No tree and no token stream: members that no one reads are passed
 * over, texts without escapes are spans of the input, numbers are exact decimals from their digits.
 *
 * Rows of one table have their members in one order. The reader remembers the order of the last row and holds each name against what stood at this place;
 * only a name that is not the one expected is looked up. Whatever is out of the ordinary (an escape, a number in an exponent, a nested value) goes through
 * the strict scanner of json.h, so that both accept the same language. */
#ifndef VALUE_JSON_ROW_H
#define VALUE_JSON_ROW_H
#include "value/json.h"
#include "value/type.h"

struct json_row_column { struct str name; const struct type *type; };
struct json_row_fault {
    int column;                  /* the first column whose value breaks its declared type; -1: none */
    char clause[160];            /* how: "is 63 characters, at most 50 allowed"; when the text is no such object: what is wrong with it */
};
/* A value of a column of lists, whose first token t was read from js: the clause of what is wrong, or NULL. The value comes from the arena. */
typedef const char *json_row_list_fn(const struct json_row_column *c, struct json_scanner *js, enum json_token t, struct arena *a, struct value *out);

struct json_row;
/* Columns and their types must stay as long as the reader. list: NULL when no column is of lists. */
struct json_row *json_row_new(const struct json_row_column *columns, size_t n, json_row_list_fn *list);
void json_row_free(struct json_row *r);
/* Reads the object at the start of text into cols (one for each column; what is missing is absent) and says in *used where it ends. A member that comes twice:
 * the last one counts. False: text does not begin with a JSON object; cols mean nothing then. A value that its column does not admit is absent, and
 * *why names the first such column; so is a required column without a value. Texts live as long as the input and the arena. */
bool json_row_read(struct json_row *r, struct str text, size_t *used, struct arena *a, struct value *cols, struct json_row_fault *why);
/* The first line of text, for rows that stand in lines: true when it is a row like the ones before, and well; *used: where its line end is. False: the line may be
 * anything, and cols mean nothing; json_row_read has to read it. Saves looking for the line's end first. */
bool json_row_next(struct json_row *r, struct str text, size_t *used, struct value *cols);
#endif
