/* rows_fuzz.c - any bytes as JSON lines and as CSV: rows or a refusal that names the line. And each line as an object by the reader that knows its columns, whose
 * expectations are what the lines before have taught it: it takes what the strict scanner takes, up to the same byte. Every way to find the marks of a text
 * finds the same; so does every way to find its seams. */
#include "base/check.h"
#include "connectors/file/file_rows.h"
#include "value/json_marks.h"
#include "value/json_row.h"
#include "value/json_seams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void marks(struct str text)
{
    static struct json_marks want, got;
    json_marks_ways[0].find(&want, text.p, text.n);
    for (const struct json_marks_way *w = json_marks_ways + 1; w->name; w++) {
        if (!w->here()) continue;
        w->find(&got, text.p, text.n);
        ASSERT(got.n == want.n && got.high == want.high && memcmp(got.bits, want.bits, (got.n / 64 + 1) * sizeof *got.bits) == 0);
    }
}

static void seams(struct str text)
{
    static struct json_seams want, got;
    if (text.n > JSON_SEAMS_BYTES) text.n = JSON_SEAMS_BYTES;
    json_seams_ways[0].find(&want, text.p, text.n);
    for (const struct json_seams_way *w = json_seams_ways + 1; w->name; w++) {
        if (!w->here()) continue;
        w->find(&got, text.p, text.n);
        ASSERT(got.n == want.n && got.quotes == want.quotes && got.end == want.end && memcmp(got.at, want.at, got.n * sizeof *got.at) == 0);
    }
}

static bool scanned(struct str text, struct arena *a, size_t *used)
{
    struct json_scanner js;
    json_init(&js, text, a);
    if (json_next(&js) != JSON_OBJECT || !json_skip(&js, JSON_OBJECT)) return false;
    *used = (size_t)(js.p - js.start);
    return true;
}

static void objects(struct str text, struct arena *a)
{
    struct type types[3] = {type_text(1, 12), type_decimal(13, 2), {.base = T_DATE}};
    const struct json_row_column columns[3] = {{STR("Name"), &types[0]}, {STR("Limit"), &types[1]}, {STR("Since"), &types[2]}};
    for (size_t i = 0; i < 3; i++) types[i].optional = i > 0;
    struct json_row *reader = json_row_new(columns, 3, NULL);
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        struct str line = {text.p, end ? (size_t)(end - text.p) : text.n};
        for (int turn = 0; turn < 2; turn++) {
            struct value cols[3];
            struct json_row_fault why;
            size_t used = 0, want = 0;
            bool ok = json_row_read(reader, line, &used, a, cols, &why);
            ASSERT(ok == scanned(line, a, &want) && used == want);
            ASSERT(ok ? cols[0].kind == V_TEXT || why.column >= 0 : why.clause[0] != '\0');
            ASSERT(cols[0].kind != V_TEXT || !ok || str_utf8_valid(value_str(&cols[0])));
        }
        text.n -= line.n + (end != NULL);
        text.p += line.n + (end != NULL);
    }
    json_row_free(reader);
}

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
    struct arena a;
    arena_init(&a, 4096);
    marks((struct str){(const char *)data, size});
    seams((struct str){(const char *)data, size});
    objects((struct str){(const char *)data, size}, &a);
    arena_free(&a);
    return 0;
}
