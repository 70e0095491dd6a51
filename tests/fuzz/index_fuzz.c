/* index_fuzz.c - any bytes as a value of the index: a row, a flow's state, a key, a record in it. Checked besides not crashing: what is read is written back
 * as what is read again the same; spans lie inside of the value. */
#include "base/check.h"
#include "base/limits.h"
#include "store/store_private.h"
#include "value/record.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void inside(struct str all, struct str part)
{
    ASSERT(part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n));
}

static void check_record(struct str bytes)
{
    struct arena a;
    struct record r, again;
    struct buf b = {0};
    arena_init(&a, 4096);
    if (bytes.n && record_decode(bytes, &a, &r) == ERR_OK) {
        record_encode(&b, &r);
        ASSERT(record_decode(buf_view(&b), &a, &again) == ERR_OK && again.n == r.n);
    }
    buf_free(&b);
    arena_free(&a);
}

static void row(struct str in)
{
    struct row r, again;
    struct buf b = {0};
    struct str sealed;
    if (!row_decode_open(in, &r, &sealed) || !row_decode_private(sealed, &r)) return;      /* as it is before it is sealed */
    const struct str spans[] = {r.id, r.hash, r.snapshot, r.wanted, r.written, r.sent, r.why, r.lines};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) inside(in, spans[i]);
    row_encode_open(&b, &r);
    row_encode_private(&b, &r);
    ASSERT(row_decode_open(buf_view(&b), &again, &sealed) && row_decode_private(sealed, &again));
    ASSERT(again.state == r.state && again.attempt == r.attempt && again.due_ms == r.due_ms && again.flags == r.flags && again.slot == r.slot);
    ASSERT(str_eq(again.written, r.written) && str_eq(again.wanted, r.wanted) && str_eq(again.lines, r.lines) && str_eq(again.why, r.why));
    ASSERT(row_state_name(r.state)[0] && row_state_text(r.state)[0]);
    check_record(r.snapshot);
    check_record(r.wanted);
    check_record(r.lines);
    buf_free(&b);
}

static void flow(struct str in)
{
    struct flow_state st = {0}, again = {0};
    struct buf b = {0};
    if (!flow_decode(in, &st)) return;
    flow_encode(&b, &st);
    ASSERT(flow_decode(buf_view(&b), &again) && str_eq(again.cursor, st.cursor) && str_eq(again.trouble, st.trouble) && again.trouble_ms == st.trouble_ms);
    ASSERT(memcmp(again.counts, st.counts, sizeof st.counts) == 0);
    buf_free(&b);
}

static void key(struct str in)
{
    struct arena a;
    struct str parts[LIMIT_KEY_PARTS], again[LIMIT_KEY_PARTS];
    struct buf b = {0};
    arena_init(&a, 4096);
    size_t n = rowkey_parts(in, &a, parts, LIMIT_KEY_PARTS);
    ASSERT(n <= LIMIT_KEY_PARTS);
    if (n && rowkey_make(&b, parts, n)) ASSERT(str_eq(buf_view(&b), in));
    buf_clear(&b);
    n = rowkey_parse(in, &a, parts, LIMIT_KEY_PARTS);
    ASSERT(n <= LIMIT_KEY_PARTS);
    if (n) {
        rowkey_text(&b, parts, n);
        ASSERT(rowkey_parse(buf_view(&b), &a, again, LIMIT_KEY_PARTS) == n);
        for (size_t i = 0; i < n; i++) ASSERT(str_eq(parts[i], again[i]));
    }
    buf_free(&b);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct str in = {(const char *)data + 1, n - 1};
    if (data[0] % 3 == 0) row(in);
    else if (data[0] % 3 == 1) flow(in);
    else key(in);
    return 0;
}
