/* batch.c - rows by key: one with GET, up to 250 with batchGet (facts/sage-100.md 9.3). Every key asked for is in exactly one list of the answer. */
#include "agent/private.h"
#include "value/json.h"

static void session_failed(struct agent_answer *out)
{
    agent_fail(out, AGENT_E_SESSION_FAILED, STR("Sage's process failed; the session is rebuilt"), 2);
    out->broken = true;
}

void agent__one(struct agent_core *c, int table, struct str text, struct agent_answer *out)
{
    struct agent__key key;
    const struct agent__served *s = agent__serve(c, table, out);
    if (!s) return;
    if (!agent__key_of_text(&key, text, s->rows.nkeys)) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("the key has too few parts, or is too long"), 0);
        return;
    }
    enum agent__got got = agent__row(c, s, agent__key_view(&key), &out->body);
    struct str m = {arena_copy(&c->scratch, c->text.n ? c->text.p : "", c->text.n), c->text.n};
    switch (got) {
    case AGENT__GOT_ROW: return;
    case AGENT__GOT_GONE: agent_fail(out, AGENT_E_NOT_FOUND, m.n ? m : STR("there is no such record"), 0); return;
    case AGENT__GOT_LOCKED: agent_fail(out, AGENT_E_LOCKED, m, 5); return;
    case AGENT__GOT_UNREADABLE: agent_fail(out, AGENT_E_LOCKED, STR("Sage's answer for this record makes no sense; it may be in the middle of a change"), 30); return;
    case AGENT__GOT_BROKEN: session_failed(out); return;
    }
}

/* ---- the body: {"keys":[["01","ABF"],...]} ---- */

static bool read_key(struct json_scanner *js, unsigned nparts, struct agent__key *key)
{
    unsigned n = 0;
    enum json_token t;
    agent__key_clear(key);
    while ((t = json_next(js)) == JSON_STRING) {
        if (n == nparts || !agent__key_add(key, js->text, n == 0)) return false;
        n++;
    }
    return t == JSON_ARRAY_END && n == nparts;
}

/* Number of different keys, -1 when the body is not what it should be. */
static int read_keys(struct json_scanner *js, unsigned nparts, struct agent__key *keys)
{
    int n = 0, asked = 0;
    enum json_token t;
    if (json_next(js) != JSON_ARRAY) return -1;
    while ((t = json_next(js)) == JSON_ARRAY) {
        if (asked++ == LIMIT_BATCH_GET || !read_key(js, nparts, &keys[n])) return -1;
        bool again = false;
        for (int i = 0; i < n; i++) again = again || str_eq(agent__key_view(&keys[i]), agent__key_view(&keys[n]));
        n += !again;
    }
    return t == JSON_ARRAY_END && n > 0 ? n : -1;
}

static int read_body(struct str body, unsigned nparts, struct agent__key *keys, struct arena *a)
{
    struct json_scanner js;
    enum json_token t;
    int n = -1;
    json_init(&js, body, a);
    if (json_next(&js) != JSON_OBJECT) return -1;
    while ((t = json_next(&js)) == JSON_NAME) {
        if (str_is(js.text, "keys")) {
            if (n >= 0 || (n = read_keys(&js, nparts, keys)) < 0) return -1;
        } else if (!json_skip(&js, json_next(&js))) return -1;
    }
    return t == JSON_OBJECT_END && json_next(&js) == JSON_END ? n : -1;
}

/* ---- the answer ---- */

struct lists { struct buf missing, locked; unsigned nmissing, nlocked; };

static void put_key(struct buf *b, unsigned *n, const struct agent__key *k)
{
    if ((*n)++) buf_byte(b, ',');
    agent__key_json(b, agent__key_view(k));
}

/* False: the session broke. */
static bool put_rows(struct agent_core *c, const struct agent__served *s, const struct agent__key *keys, int n, struct buf *b, struct lists *lists)
{
    unsigned rows = 0;
    for (int i = 0; i < n; i++) {
        size_t before = b->n;
        if (rows) buf_byte(b, ',');
        enum agent__got got = agent__row(c, s, agent__key_view(&keys[i]), b);
        if (got == AGENT__GOT_ROW) {
            rows++;
            continue;
        }
        b->n = before;
        if (got == AGENT__GOT_BROKEN) return false;
        if (got == AGENT__GOT_GONE) put_key(&lists->missing, &lists->nmissing, &keys[i]);
        else put_key(&lists->locked, &lists->nlocked, &keys[i]);
    }
    return true;
}

void agent__batch(struct agent_core *c, int table, struct str body, struct agent_answer *out)
{
    struct lists lists = {{0}, {0}, 0, 0};
    struct buf *b = &out->body;
    char as_of[24];
    const struct agent__served *s = agent__serve(c, table, out);
    if (!s) return;
    struct agent__key *keys = ARENA_ARRAY(&c->scratch, struct agent__key, LIMIT_BATCH_GET + 1);
    int n = read_body(body, s->rows.nkeys, keys, &c->scratch);
    if (n < 0) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("the body must be {\"keys\":[[...],...]}: 1 to 250 arrays of strings with every part of the key"), 0);
        return;
    }
    agent__time_text(agent__wall(c), true, as_of);
    buf_puts(b, "{\"rows\":[");
    if (put_rows(c, s, keys, n, b, &lists)) {
        buf_puts(b, "],\"missing\":[");
        buf_put(b, lists.missing.p, lists.missing.n);
        buf_puts(b, "],\"locked\":[");
        buf_put(b, lists.locked.p, lists.locked.n);
        buf_printf(b, "],\"asOf\":\"%s\"}", as_of);
    } else session_failed(out);
    buf_free(&lists.missing);
    buf_free(&lists.locked);
}
