/* pipe.c - messages between service and child, written and read back with every bound checked. */
#include "agent/pipe.h"
#include "base/check.h"

static void close_message(struct buf *b, size_t at)
{
    size_t n = b->n - at - 4;
    ASSERT(n <= AGENT_PIPE_BYTES);
    for (unsigned i = 0; i < 4; i++) b->p[at + i] = (char)(n >> (8 * i));
}

void agent_pipe_put_ask(struct buf *b, int kind, const struct agent_request *q)
{
    size_t at = b->n;
    buf_u32(b, 0);
    buf_byte(b, (unsigned char)kind);
    buf_blob(b, q->method);
    buf_blob(b, q->path);
    buf_blob(b, q->query);
    buf_blob(b, q->body);
    close_message(b, at);
}

void agent_pipe_put_said(struct buf *b, const struct agent_said *s)
{
    size_t at = b->n;
    buf_u32(b, 0);
    buf_byte(b, (unsigned char)((s->broken ? 1 : 0) | (s->opened ? 2 : 0)));
    buf_varint(b, (uint64_t)s->status);
    buf_varint(b, (uint64_t)s->retry_after_s);
    buf_varint(b, (uint64_t)(s->scanned + 1));
    buf_varint(b, s->scan_rows);
    buf_varint(b, s->scan_ms);
    buf_varint(b, s->unreadable);
    buf_blob(b, s->body);
    buf_blob(b, s->trouble);
    buf_blob(b, s->name);
    close_message(b, at);
}

bool agent_pipe_get_ask(struct str message, int *kind, struct agent_request *q)
{
    struct reader r = reader_of(message);
    *kind = read_u8(&r);
    q->method = read_blob(&r);
    q->path = read_blob(&r);
    q->query = read_blob(&r);
    q->body = read_blob(&r);
    return reader_done(&r) && (*kind == AGENT_PIPE_ASK || *kind == AGENT_PIPE_DESCRIBE);
}

static int small(struct reader *r, uint64_t most)
{
    uint64_t v = read_varint(r);
    if (v > most) r->bad = true;
    return r->bad ? 0 : (int)v;
}

bool agent_pipe_get_said(struct str message, struct agent_said *s)
{
    struct reader r = reader_of(message);
    unsigned flags = read_u8(&r);
    s->broken = flags & 1;
    s->opened = flags & 2;
    s->status = small(&r, 599);
    s->retry_after_s = small(&r, 86400);
    s->scanned = small(&r, AGENT_TABLES) - 1;
    s->scan_rows = read_varint(&r);
    s->scan_ms = read_varint(&r);
    s->unreadable = read_varint(&r);
    s->body = read_blob(&r);
    s->trouble = read_blob(&r);
    s->name = read_blob(&r);
    return reader_done(&r) && flags < 4 && s->status >= 200;
}
