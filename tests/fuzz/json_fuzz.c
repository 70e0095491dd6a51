/* json_fuzz.c - any bytes into the scanner: no crash, and what is a string comes back the same when it is written again. */
#include "base/check.h"
#include "value/decimal.h"
#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json_scanner s, again;
    struct buf b = {0};
    struct value v;
    arena_init(&a, 4096);
    json_init(&s, (struct str){(const char *)data, size}, &a);
    for (enum json_token t = json_next(&s); t != JSON_END; t = json_next(&s)) {
        if (t == JSON_ERROR) {
            ASSERT(s.error[0] && s.error_at <= size && json_next(&s) == JSON_ERROR);
            break;
        }
        if (t == JSON_NUMBER) decimal_parse_json(s.text, &v);
        if (t != JSON_STRING && t != JSON_NAME) continue;
        buf_clear(&b);
        json_put_string(&b, s.text);
        json_init(&again, buf_view(&b), &a);
        ASSERT(json_next(&again) == JSON_STRING && str_eq(again.text, s.text) && json_next(&again) == JSON_END);
    }
    buf_free(&b);
    arena_free(&a);
    return 0;
}
