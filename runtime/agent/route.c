/* route.c - what a request asks for: path segments split before they are decoded, parameters, the bearer token.
 *
 *   /v1/health | /v1/companies | /v1/companies/{co}/schema/{resource} | /v1/companies/{co}/{resource} | .../{resource}/{key} | .../{resource}/keys
 *   POST .../{resource}:batchGet
 *
 * No path leads to a file: "..", "%2e%2e", backslashes and the like are ordinary names here, and no row has them. */
#include "agent/private.h"
#include "base/check.h"

enum { SEGMENTS = 5 };

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool agent__decode(struct str in, struct arena *a, struct str *out)
{
    char *p = arena_alloc(a, in.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++, n++) {
        p[n] = in.p[i];
        if (in.p[i] != '%') continue;
        if (in.n - i < 3 || hex(in.p[i + 1]) < 0 || hex(in.p[i + 2]) < 0) return false;
        p[n] = (char)(hex(in.p[i + 1]) * 16 + hex(in.p[i + 2]));
        i += 2;
    }
    *out = (struct str){p, n};
    return !(n && memchr(p, 0, n)) && str_utf8_valid(*out);
}

int agent__query(struct str query, const char *name, struct arena *a, struct str *out)
{
    int found = 0;
    while (query.n) {
        const char *stop = memchr(query.p, '&', query.n);
        struct str pair = {query.p, stop ? (size_t)(stop - query.p) : query.n};
        query = stop ? (struct str){stop + 1, query.n - pair.n - 1} : (struct str){NULL, 0};
        const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        struct str its_name = {pair.p, equals ? (size_t)(equals - pair.p) : pair.n};
        if (!str_is(its_name, name)) continue;
        if (found || !agent__decode(equals ? (struct str){equals + 1, pair.n - its_name.n - 1} : (struct str){"", 0}, a, out)) return -1;
        found = 1;
    }
    return found;
}

static size_t split(struct str path, struct str *seg)
{
    size_t n = 0;
    if (!str_starts(path, STR("/v1/"))) return 0;
    path.p += 4, path.n -= 4;
    for (;;) {
        const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;
        size_t len = slash ? (size_t)(slash - path.p) : path.n;
        if (len == 0 || n == SEGMENTS) return 0;
        seg[n++] = (struct str){path.p, len};
        if (!slash) return n;
        path = (struct str){slash + 1, path.n - len - 1};
    }
}

static void decode_into(struct agent_route *r, struct str in, struct arena *a, struct str *out)
{
    if (!agent__decode(in, a, out)) r->malformed = true;
}

static void at_company(struct agent_route *r, const struct str *seg, size_t n, bool post, struct arena *a)
{
    static const struct str batch = {":batchGet", 9};
    struct str last = seg[2];
    decode_into(r, seg[1], a, &r->company);
    if (post) {
        if (n != 3 || last.n <= batch.n || memcmp(last.p + last.n - batch.n, batch.p, batch.n) != 0) return;
        r->at = AGENT_AT_BATCH;
        last.n -= batch.n;
        decode_into(r, last, a, &r->resource);
    } else if (n == 3) {
        r->at = AGENT_AT_CHANGED;
        decode_into(r, seg[2], a, &r->resource);
        if (r->resource.n && memchr(r->resource.p, ':', r->resource.n)) r->at = AGENT_AT_NOWHERE;      /* an operation, asked for with GET */
    } else if (n == 4 && str_is(seg[2], "schema")) {
        r->at = AGENT_AT_SCHEMA;
        decode_into(r, seg[3], a, &r->resource);
    } else if (n == 4) {
        r->at = str_is(seg[3], "keys") ? AGENT_AT_KEYS : AGENT_AT_ROW;
        decode_into(r, seg[2], a, &r->resource);
        decode_into(r, seg[3], a, &r->key);
    }
}

struct agent_route agent_route_of(const struct agent_request *q, struct arena *a)
{
    struct agent_route r = {AGENT_AT_NOWHERE, false, {"", 0}, {"", 0}, {"", 0}};
    struct str seg[SEGMENTS];
    bool get = str_is(q->method, "GET"), post = str_is(q->method, "POST");
    size_t n = q->path.n <= AGENT_TARGET_BYTES ? split(q->path, seg) : 0;
    if (n == 0 || (!get && !post)) return r;
    if (n == 1 && get && str_is(seg[0], "health")) r.at = AGENT_AT_HEALTH;
    else if (n == 1 && get && str_is(seg[0], "companies")) r.at = AGENT_AT_COMPANIES;
    else if (n >= 3 && str_is(seg[0], "companies")) at_company(&r, seg, n, post, a);
    return r;
}

bool agent_token_fits(struct str authorization, struct str token)
{
    static const struct str bearer = {"bearer ", 7};
    if (token.n == 0 || authorization.n < bearer.n || !str_ieq((struct str){authorization.p, bearer.n}, bearer)) return false;
    struct str given = str_trim((struct str){authorization.p + bearer.n, authorization.n - bearer.n});
    size_t differ = given.n ^ token.n;
    for (size_t i = 0; i < given.n; i++) differ |= (size_t)(unsigned char)given.p[i] ^ (size_t)(unsigned char)token.p[i % token.n];
    return differ == 0;
}
