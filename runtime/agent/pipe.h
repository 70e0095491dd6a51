/* pipe.h - what the service and the process with Sage's session say to each other over two pipes: length (4 bytes, little-endian), then one message.
 *
 *   service -> child   kind u8, method, path, query, body (blobs)
 *   child -> service   flags u8, status, retry after, table scanned + 1, rows, ms, unreadable (varints), body, trouble, name (blobs)
 *
 * The child speaks only when it was asked. End of its input: it closes the session and ends. */
#ifndef AGENT_PIPE_H
#define AGENT_PIPE_H
#include "agent/core.h"

#define AGENT_PIPE_BYTES (80u << 20)
enum { AGENT_PIPE_ASK = 1, AGENT_PIPE_DESCRIBE = 2 };
struct agent_said {
    bool broken;                /* the child ends after this */
    bool opened;                /* the company is open */
    int status, retry_after_s, scanned;
    uint64_t scan_rows, scan_ms, unreadable;
    struct str body, trouble, name;     /* trouble: why the company did not open; name: the company's */
};
/* Puts a whole message, with its length. */
void agent_pipe_put_ask(struct buf *b, int kind, const struct agent_request *q);
void agent_pipe_put_said(struct buf *b, const struct agent_said *s);
/* Of a message without its length; the texts are spans of it. False: it is malformed. */
bool agent_pipe_get_ask(struct str message, int *kind, struct agent_request *q);
bool agent_pipe_get_said(struct str message, struct agent_said *s);
#endif
