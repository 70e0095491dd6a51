/* agent_fuzz.c - any bytes as a request and as Sage's answers into the agent's core, as an ini file and as messages between its processes: no crash, every
 * answer is JSON or nothing, no barred column leaves, and what was written as a cursor is read back.
 *
 *   input   mode byte, then parts parted by 0xFF: method, path, query, body, then what Sage answers, one part a call */
#include "agent/core.h"
#include "agent/pipe.h"
#include "agent/private.h"
#include "agent/report.h"
#include "base/check.h"
#include "value/json.h"

struct feed { struct str rest; unsigned calls; };

static struct str part(struct feed *f)
{
    const char *stop = f->rest.n ? memchr(f->rest.p, 0xFF, f->rest.n) : NULL;
    struct str s = {f->rest.p, stop ? (size_t)(stop - f->rest.p) : f->rest.n};
    f->rest = stop ? (struct str){stop + 1, f->rest.n - s.n - 1} : (struct str){"", 0};
    return s;
}

/* What Sage answers: a part's first byte is the reply, the rest the text. Too many calls: broken, so that a run ends. */
static enum agent_reply reply(void *ctx, struct str *text)
{
    struct feed *f = ctx;
    *text = part(f);
    if (++f->calls > 2000) return AGENT_BROKEN;
    char c = text->n ? text->p[0] : '1';
    if (text->n) text->p++, text->n--;
    return c == '0' ? AGENT_NO : c == 'b' ? AGENT_BROKEN : AGENT_YES;
}

static enum agent_reply open_object(void *ctx, const char *object, void **obj)
{
    (void)object;
    *obj = ctx;
    return AGENT_YES;
}

static enum agent_reply open_lines(void *ctx, void *obj, void **lines)
{
    (void)obj;
    *lines = ctx;
    return AGENT_YES;
}

static enum agent_reply text_of(void *ctx, void *obj, struct buf *out)
{
    struct str t;
    (void)obj;
    enum agent_reply r = reply(ctx, &t);
    buf_str(out, t);
    return r;
}

static enum agent_reply sets(void *ctx, void *obj, const struct agent_sets *q, struct buf *d, struct buf *k)
{
    struct str t;
    (void)obj;
    ASSERT(q->desc[0] == '$' && !strstr(q->desc, "+CreditCard") && !strstr(q->desc, "(CreditCard") && !strstr(q->desc, "+EncryptedVals$"));
    enum agent_reply r = reply(ctx, &t);
    buf_str(d, t);
    buf_str(k, part(ctx));
    return r;
}

static enum agent_reply find(void *ctx, void *obj, const char *const *columns, const struct str *parts, unsigned n)
{
    struct str t;
    (void)obj, (void)columns, (void)parts;
    ASSERT(n > 0 && n <= AGENT_KEY_PARTS + 1);
    return reply(ctx, &t);
}

static enum agent_reply value(void *ctx, void *obj, const char *column, struct buf *out)
{
    ASSERT(column[0]);
    return text_of(ctx, obj, out);
}

static void last_error(void *ctx, void *obj, struct buf *out)
{
    (void)obj;
    buf_str(out, part(ctx));
}

static int64_t now(void *ctx) { (void)ctx; return INT64_C(1710283267000); }
static void nap(void *ctx, int64_t ms) { (void)ctx, (void)ms; }
static int offset(void *ctx, int64_t utc) { (void)ctx, (void)utc; return -300; }
static int64_t instant(void *ctx, int64_t local) { (void)ctx; return local + 300 * 60000; }

static void must_be_json(struct str s)
{
    struct arena a;
    struct json_scanner js;
    arena_init(&a, 4096);
    json_init(&js, s, &a);
    ASSERT(json_next(&js) == JSON_OBJECT && json_skip(&js, JSON_OBJECT) && json_next(&js) == JSON_END);
    arena_free(&a);
}

static void ask(struct str input)
{
    struct feed f = {input, 0};
    struct agent_sage sage = {open_object, open_lines, text_of, text_of, sets, find, value, last_error, &f};
    struct agent_host host = {now, now, nap, offset, instant, NULL};
    static struct agent_config config;
    struct agent_answer out = {.status = 200};
    agent_config_default(&config);
    config.scan_rows = 100;
    struct agent_request q;
    q.method = part(&f);
    q.path = part(&f);
    q.query = part(&f);
    q.body = part(&f);
    struct agent_core *core = agent_core_new(&config, STR("ABC"), STR("e-1"), &sage, &host);
    for (int i = 0; i < 2; i++) {
        agent_core_answer(core, &q, &out);
        ASSERT(out.status >= 200 && out.status < 600);
        must_be_json(buf_view(&out.body));
    }
    ASSERT(agent_core_cache_bytes(core) < 1u << 20);
    agent_core_free(core);
    buf_free(&out.body);
}

static void settings(struct str input)
{
    struct arena a;
    static struct agent_config c;
    struct fault f = {0};
    arena_init(&a, 0);
    if (agent_config_read(input, &a, &c, &f) == ERR_OK) {
        ASSERT(agent_denied(&c, STR("CreditCardGUID")) && agent_denied(&c, STR("d546_creditcardmagneticstrip")));
        for (unsigned i = 0; i < c.ncompanies; i++) ASSERT(c.company[i].n == 3);
        agent_dated(&c, STR("UDF_SINCE"));
    } else ASSERT(f.text[0]);
    arena_free(&a);
}

static void messages(struct str input)
{
    int kind;
    struct agent_request q;
    struct agent_said s;
    struct buf b = {0};
    if (agent_pipe_get_ask(input, &kind, &q)) {
        agent_pipe_put_ask(&b, kind, &q);
        int again;
        struct agent_request same;
        ASSERT(agent_pipe_get_ask((struct str){b.p + 4, b.n - 4}, &again, &same) && again == kind && str_eq(same.body, q.body));
    }
    buf_clear(&b);
    if (agent_pipe_get_said(input, &s)) {
        agent_pipe_put_said(&b, &s);
        struct agent_said same;
        ASSERT(agent_pipe_get_said((struct str){b.p + 4, b.n - 4}, &same) && same.status == s.status && str_eq(same.body, s.body) && same.scanned == s.scanned);
    }
    buf_free(&b);
}

static void small_things(struct str input)
{
    struct buf b = {0}, c = {0};
    struct agent__cursor cursor, again;
    struct agent__key key;
    if (agent__cursor_read(input, STR("e-1"), "customers", &cursor) == AGENT__CURSOR_OK) {
        agent__cursor_write(&b, &cursor, STR("e-1"), "customers");
        ASSERT(b.n <= 512 && agent__cursor_read(buf_view(&b), STR("e-1"), "customers", &again) == AGENT__CURSOR_OK && again.position == cursor.position &&
               again.key.n == cursor.key.n && again.mid == cursor.mid);
    }
    buf_clear(&b);
    agent__utf8_of(&b, input);
    ASSERT(str_utf8_valid(buf_view(&b)) && agent__cp1252_of(&c, buf_view(&b)) && str_eq(buf_view(&c), input));
    ASSERT(agent__position(input, input) >= 0);
    buf_clear(&b);
    agent__number(&b, input, 2);
    if (agent__key_of_text(&key, input, 3)) {
        buf_clear(&b);
        agent__key_text(&b, agent__key_view(&key));
        ASSERT(str_eq(buf_view(&b), input));
    }
    agent_token_fits(input, STR("0123456789abcdef"));
    buf_clear(&b);
    agent__literal(&b, input);
    ASSERT(b.n >= 2 && b.p[0] == b.p[b.n - 1] && memchr(b.p + 1, b.p[0], b.n - 2) == NULL);
    buf_free(&b);
    buf_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct str input = {(const char *)data + 1, size - 1};
    switch (data[0] % 8) {
    case 0: settings(input); break;
    case 1: messages(input); break;
    case 2: small_things(input); break;
    default: ask(input); break;
    }
    return 0;
}
