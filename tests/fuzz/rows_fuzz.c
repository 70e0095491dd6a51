/* rows_fuzz.c - any bytes as JSON lines and as CSV: rows or a refusal that names the line. */
#include "base/check.h"
#include "connectors/file/file_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int format = FILE_JSONL; format <= FILE_CSV; format++) {
        struct arena a;
        struct file_rows rows;
        struct fault f = {ERR_OK, ""};
        arena_init(&a, 4096);
        enum err e = file_rows_parse((struct str){(const char *)data, size}, (enum file_format)format, &a, &rows, &f);
        ASSERT(e == ERR_OK || (e == ERR_FORMAT && f.text[0]));
        for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
            for (size_t k = 0; k < rows.rows[i].n; k++) ASSERT(str_utf8_valid(rows.rows[i].cells[k].name) && str_utf8_valid(rows.rows[i].cells[k].text));
        arena_free(&a);
    }
    return 0;
}
