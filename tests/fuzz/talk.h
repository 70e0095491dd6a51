/* talk.h - a server that answers with the fuzzer's bytes, for clients of a whole conversation: every request takes the next part of the input.
 *
 *     part 0xFF part 0xFF ...        part = kind byte | with 0x40: "Name: value" LF | body
 *     kind & 15: the status, or what happens instead of an answer. Behind the last part nobody answers any more.
 *
 * The clock is virtual, so waits cost nothing. Whatever is answered, a client may not go on for ever (TALK_CALLS), and may not show its secrets to
 * anybody but the hosts that they are for. */
#ifndef TESTS_FUZZ_TALK_H
#define TESTS_FUZZ_TALK_H
#include "base/check.h"
#include "connectors/connector.h"
#include "tests/sim/loop.h"
#include <stdio.h>
#include <strings.h>

enum { TALK_CALLS = 3000, TALK_DROP = 14, TALK_CUT = 15 };

struct talk {
    struct str input, rest;
    unsigned calls;
    struct sim_loop *loop;
    struct world w;
    const char *const *secrets;                 /* NULL at the end; in no header or body to a host that trusted() does not know, and in no text, unless the
                                                   other side said them itself */
    bool (*trusted)(struct str host);           /* host with its port */
};

static inline struct str talk_part(struct talk *t)
{
    const char *stop = t->rest.n ? memchr(t->rest.p, 0xFF, t->rest.n) : NULL;
    struct str s = {t->rest.p, stop ? (size_t)(stop - t->rest.p) : t->rest.n};
    t->rest = stop ? (struct str){stop + 1, t->rest.n - s.n - 1} : (struct str){"", 0};
    return s;
}

static inline void talk_header(struct sim_response *resp, struct str *part)
{
    char name[64], value[400];
    const char *lf = part->n ? memchr(part->p, '\n', part->n) : NULL;
    struct str line = {part->p, lf ? (size_t)(lf - part->p) : part->n};
    *part = (struct str){line.p + line.n + (lf != NULL), part->n - line.n - (lf != NULL)};
    const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
    if (!colon) return;
    struct str after = str_trim((struct str){colon + 1, line.n - (size_t)(colon + 1 - line.p)});
    int n = snprintf(name, sizeof name, "%.*s", (int)(colon - line.p), line.p), m = snprintf(value, sizeof value, "%.*s", (int)after.n, after.p);
    if (n > 0 && n < (int)sizeof name && m < (int)sizeof value) sim_response_header(resp, name, value);
}

static inline void talk_handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    static const int statuses[16] = {200, 201, 202, 204, 207, 400, 401, 403, 404, 410, 429, 500, 503, 302, 0, 200};
    struct talk *t = self;
    (void)req;
    ASSERT(++t->calls <= TALK_CALLS);
    bool over = t->rest.n == 0;
    struct str part = talk_part(t);
    unsigned kind = part.n ? (unsigned char)part.p[0] : 0;
    if (part.n) part.p++, part.n--;
    resp->status = statuses[kind & 15];
    if (over || (kind & 15) == TALK_DROP) {
        resp->status = 200;
        resp->fate = SIM_DROPPED_AFTER;
        return;
    }
    if (kind & 0x40) talk_header(resp, &part);
    sim_response_body(resp, part.n ? part.p : "", part.n, kind & 0x20 ? "text/xml" : "application/json");
    if ((kind & 15) == TALK_CUT && part.n > 1) resp->cut_at = part.n / 2;
}

static inline bool talk_holds(struct str s, const char *secret)
{
    return s.n && memmem(s.p, s.n, secret, strlen(secret)) != NULL;
}

/* The i-th secret, or NULL when it is none: the fuzzer put it into its bytes. */
static inline const char *talk_secret(const struct talk *t, size_t i)
{
    return talk_holds(t->input, t->secrets[i]) ? NULL : t->secrets[i];
}

static inline void talk_watch(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    const struct talk *t = ctx;
    (void)resp;
    const char *at = strstr(req->url, "://");
    struct str host = {at ? at + 3 : "", at ? strcspn(at + 3, "/?#") : 0};
    bool good = t->trusted(host);
    for (size_t i = 0; t->secrets[i]; i++) {
        const char *secret = talk_secret(t, i);
        if (!secret) continue;
        ASSERT(!strstr(req->url, secret));
        ASSERT(good || !talk_holds(req->body, secret));
        for (size_t k = 0; k < req->nheaders; k++) ASSERT(good || !strstr(req->headers[k].value, secret));
    }
}

/* What a person may see: no secret of ours, and something at all when an error is told. */
static inline void talk_told(const struct talk *t, enum err e, const char *text)
{
    ASSERT(e == ERR_OK || text[0]);
    for (size_t i = 0; e != ERR_OK && t->secrets[i]; i++) ASSERT(!talk_secret(t, i) || !strstr(text, t->secrets[i]));
}

static inline void talk_open(struct talk *t, struct str input, const char *const *secrets, bool (*trusted)(struct str host))
{
    memset(t, 0, sizeof *t);
    t->input = t->rest = input;
    t->secrets = secrets;
    t->trusted = trusted;
    t->loop = sim_loop_new(1795428000000LL, 1);
    world_real(&t->w);                          /* files are not reached: no directory is given */
    sim_loop_world(t->loop, &t->w);
    sim_loop_mount(t->loop, "https://", (struct sim_model){t, talk_handle});
    sim_loop_mount(t->loop, "http://", (struct sim_model){t, talk_handle});
    sim_loop_watch(t->loop, talk_watch, t);
}

static inline void talk_close(struct talk *t) { sim_loop_free(t->loop); }
#endif
