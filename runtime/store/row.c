/* row.c - the bytes of a row: the open half (state, numbers, the target's id), and the private half (everything that comes from the record). */
#include "store/row.h"

static const struct { const char *name, *text; } states[] = {
#define ROW_STATE(name, number, text) [number] = {#name, text},
#include "store/row_state.def"
#undef ROW_STATE
};

const char *row_state_name(unsigned s) { return s < ROW_STATE_COUNT ? states[s].name : "UNKNOWN"; }
const char *row_state_text(unsigned s) { return s < ROW_STATE_COUNT ? states[s].text : "unknown"; }

void row_encode_open(struct buf *out, const struct row *r)
{
    buf_byte(out, r->state);
    buf_byte(out, r->verb);
    buf_u16(out, r->tries);
    buf_u32(out, r->flags);
    buf_u32(out, r->slot);
    buf_u64(out, (uint64_t)r->due_ms);
    buf_varint(out, r->attempt);
    buf_varint(out, r->wanted_seq);
    buf_varint(out, r->sent_wanted_seq);
    buf_varint(out, r->last_seq);
    buf_varint(out, (uint64_t)r->written_ms);
    buf_blob(out, r->id);
}

bool row_decode_open(struct str bytes, struct row *row, struct str *sealed)
{
    struct reader r = reader_of(bytes);
    *row = (struct row){0};
    row->state = read_u8(&r);
    row->verb = read_u8(&r);
    row->tries = read_u16(&r);
    row->flags = read_u32(&r);
    row->slot = read_u32(&r);
    row->due_ms = (int64_t)read_u64(&r);
    row->attempt = read_varint(&r);
    row->wanted_seq = read_varint(&r);
    row->sent_wanted_seq = read_varint(&r);
    row->last_seq = read_varint(&r);
    row->written_ms = (int64_t)read_varint(&r);
    row->id = read_blob(&r);
    *sealed = (struct str){(const char *)r.p, (size_t)(r.end - r.p)};
    return !r.bad && row->state < ROW_STATE_COUNT;
}

void row_encode_private(struct buf *out, const struct row *r)
{
    if (r->hash.n + r->snapshot.n + r->wanted.n + r->written.n + r->sent.n + r->why.n + r->lines.n == 0) return;
    buf_blob(out, r->hash);
    buf_blob(out, r->snapshot);
    buf_blob(out, r->wanted);
    bool same = r->written.n && str_eq(r->written, r->wanted);     /* at rest they are: kept once */
    buf_byte(out, same);
    if (!same) buf_blob(out, r->written);
    buf_blob(out, r->sent);
    buf_blob(out, r->why);
    buf_blob(out, r->lines);
}

bool row_decode_private(struct str bytes, struct row *row)
{
    if (bytes.n == 0) return true;
    struct reader r = reader_of(bytes);
    row->hash = read_blob(&r);
    row->snapshot = read_blob(&r);
    row->wanted = read_blob(&r);
    bool same = read_u8(&r) == 1;
    row->written = same ? row->wanted : read_blob(&r);
    row->sent = read_blob(&r);
    row->why = read_blob(&r);
    row->lines = read_blob(&r);
    return reader_done(&r);
}

void row_keep(struct row *r, struct arena *a)
{
    struct str *const spans[] = {&r->id, &r->hash, &r->snapshot, &r->wanted, &r->written, &r->sent, &r->why, &r->lines};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) *spans[i] = (struct str){arena_copy(a, spans[i]->p, spans[i]->n), spans[i]->n};
}
