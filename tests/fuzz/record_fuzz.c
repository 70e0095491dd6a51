/* record_fuzz.c - any bytes as a record: refused, or a record that prints and whose own encoding is stable. */
#include "base/check.h"
#include "value/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct record r, again;
    struct buf b = {0}, c = {0};
    arena_init(&a, 4096);
    if (record_decode((struct str){(const char *)data, size}, &a, &r) == ERR_OK) {
        record_encode(&b, &r);
        ASSERT(record_decode(buf_view(&b), &a, &again) == ERR_OK && again.n == r.n);
        record_encode(&c, &again);
        ASSERT(str_eq(buf_view(&b), buf_view(&c)));
        for (size_t i = 0; i < r.n; i++) ASSERT(value_equal(&r.f[i].v, &again.f[i].v));
        buf_clear(&c);
        record_json(&c, &r);
    }
    buf_free(&b);
    buf_free(&c);
    arena_free(&a);
    return 0;
}
