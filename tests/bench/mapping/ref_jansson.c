/* ref_jansson.c - the hand-written reference in C, parsing with jansson. */
#include "reference.h"
#include <jansson.h>

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        json_error_t e;
        json_t *row = json_loadb(line, (size_t)n, 0, &e);
        struct row r = {0};
        if (!json_is_object(row)) {
            PUT("{\"error\":\"no JSON object\"}\n");
            json_decref(row);
            continue;
        }
        for (int i = 0; i < COLUMNS; i++) {
            const json_t *v = json_object_getn(row, columns[i].name, columns[i].n);
            r.c[i] = (struct slice){json_string_value(v), json_string_length(v)};
        }
        map_row(&r);
        json_decref(row);
    }
    flush_out();
    free(line);
    return 0;
}
