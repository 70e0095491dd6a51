/* child.c - the process that holds one session of Sage: asked over its standard input, it answers over its standard output, one request at a time. When a
 * call of Sage hangs, the service ends this process; when Sage breaks, it ends itself after it has said so. Its input's end: session closed, process ends. */
#include "agent/win/win.h"
#include <stdio.h>

struct child { struct place *place; struct str company, epoch; struct session *session; struct agent_core *core; struct agent_sage face; struct agent_host host; struct buf trouble; };

static bool read_all(HANDLE h, char *p, size_t n)
{
    while (n) {
        DWORD got = 0;
        if (!ReadFile(h, p, n > 1u << 20 ? 1u << 20 : (DWORD)n, &got, NULL) || got == 0) return false;
        p += got;
        n -= got;
    }
    return true;
}

static bool write_all(HANDLE h, const char *p, size_t n)
{
    while (n) {
        DWORD put = 0;
        if (!WriteFile(h, p, n > 1u << 20 ? 1u << 20 : (DWORD)n, &put, NULL)) return false;
        p += put;
        n -= put;
    }
    return true;
}

/* The company, opened at first use. False: *a says why not. */
static bool ready(struct child *c, struct agent_answer *a)
{
    bool broken = false;
    if (c->session) return true;
    buf_clear(&c->trouble);
    c->session = session_open(c->place, c->company, &c->trouble, &broken);
    if (!c->session) {
        agent_fail(a, AGENT_E_BUSY, buf_view(&c->trouble), 10);
        a->broken = broken;
        return false;
    }
    c->face = session_face(c->session);
    c->core = agent_core_new(&c->place->config, c->company, c->epoch, &c->face, &c->host);
    return true;
}

static bool answer(struct child *c, HANDLE out, int kind, const struct agent_request *q, struct buf *frame, struct agent_answer *a)
{
    buf_clear(&a->body);
    *a = (struct agent_answer){.status = 200, .scanned = -1, .body = a->body};
    if (ready(c, a)) {
        if (kind == AGENT_PIPE_DESCRIBE) agent_core_describe(c->core, a);
        else agent_core_answer(c->core, q, a);
    }
    struct agent_said said = {a->broken, c->session != NULL, a->status, a->retry_after_s, a->scanned, a->scan_rows, a->scan_ms, a->unreadable, buf_view(&a->body),
                              c->session ? (struct str){"", 0} : buf_view(&c->trouble), c->session ? session_name(c->session) : (struct str){"", 0}};
    buf_clear(frame);
    agent_pipe_put_said(frame, &said);
    bool good = write_all(out, frame->p, frame->n) && !a->broken;
    if (frame->cap > 4u << 20) buf_free(frame);
    return good;
}

int child_main(struct place *p, struct str company, struct str epoch)
{
    struct child c = {.place = p, .company = company, .epoch = epoch, .host = place_host()};
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    struct buf message = {0}, frame = {0};
    struct agent_answer a = {.status = 200};
    unsigned char head[4];
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    if (FAILED(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED))) return 3;
    bool on = true;
    while (on && read_all(in, (char *)head, 4)) {
        size_t n = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        struct agent_request q;
        int kind;
        if (n > AGENT_PIPE_BYTES) break;
        buf_clear(&message);
        if (!read_all(in, buf_reserve(&message, n), n)) break;
        message.n = n;
        if (!agent_pipe_get_ask(buf_view(&message), &kind, &q)) break;
        on = answer(&c, out, kind, &q, &frame, &a);
    }
    agent_core_free(c.core);
    if (c.session && !a.broken) session_close(c.session);
    return on ? 0 : 3;
}
