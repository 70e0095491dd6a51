/* tokenise.c - the yardstick of bench-poll: fetches what a full pass fetches, over the same transport, and does nothing with it but to tokenise it.
 *
 *     bench-tokenise URL COMPANY RESOURCE [LIMIT]       the token of the agent in $BENCH_TOKEN; prints {"rows":N,"keys":N,"tokens":N,"bytes":N}
 *
 * Pages of changed rows from the beginning to complete:true, then pages of keys. Each page is tokenised once, whole and strictly, by the scanner of
 * value/json.h; "next" and "complete" are taken from it on the way. No row is made, nothing is looked up, nothing is kept. */
#include "base/world.h"
#include "net/curl_http.h"
#include "net/net.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>

struct yard {
    struct world w;
    struct arena page;
    const char *url, *company, *resource;
    char authorization[300];
    uint64_t rows, keys, tokens, bytes;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-tokenise: %s: %s\n", what, why);
    exit(1);
}

static struct str fetch(struct yard *r, const char *url)
{
    struct http_header h[] = {{"Authorization", r->authorization}, {"Accept", "application/json"}};
    struct http_req req = {.method = "GET", .url = url, .headers = h, .nheaders = 2, .pool = "bench", .connect_timeout_ms = 10000, .total_timeout_ms = 300000};
    struct http_res res;
    void *tag;
    if (r->w.http.start(r->w.http.ctx, &req, NULL) != 0) die(url, "not started");
    int got;
    while ((got = r->w.http.wait(r->w.http.ctx, 1000, &r->page, &res, &tag)) == 0) continue;
    if (got != 1 || res.outcome != HTTP_ANSWERED || res.status != 200) die(url, res.error[0] ? res.error : "not 200");
    r->bytes += res.body.n;
    return res.body;
}

/* One page; false when the pass ends with it. next: what goes into the next URL. depth 3 begins a row or a key: object, array, entry. */
static bool tokenise(struct yard *r, struct str body, char *next, size_t size, uint64_t *entries)
{
    struct json_scanner js;
    bool complete = false, more = false;
    char name[16] = "";
    json_init(&js, body, &r->page);
    for (enum json_token t; (t = json_next(&js)) != JSON_END; r->tokens++) {
        if (t == JSON_ERROR) die("page", js.error);
        if (js.depth == 3 && (t == JSON_OBJECT || t == JSON_ARRAY)) ++*entries;
        if (js.depth != 1) continue;
        if (t == JSON_NAME) (void)snprintf(name, sizeof name, "%.*s", (int)js.text.n, js.text.p);
        else if (t == JSON_TRUE && strcmp(name, "complete") == 0) complete = true;
        else if (t == JSON_STRING && strcmp(name, "next") == 0) more = (size_t)snprintf(next, size, "%.*s", (int)js.text.n, js.text.p) < size;
    }
    return more && !complete;
}

static void pass(struct yard *r, const char *what, const char *parameter, unsigned limit, uint64_t *entries)
{
    char next[600] = "";
    bool more = true;
    while (more) {
        struct buf url = {0};
        arena_reset(&r->page);
        buf_printf(&url, "%s/v1/companies/%s/%s%s?limit=%u", r->url, r->company, r->resource, what, limit);
        if (next[0]) {
            buf_printf(&url, "&%s=", parameter);
            net_url_encode(&url, str_of(next));
        }
        more = tokenise(r, fetch(r, buf_cstr(&url)), next, sizeof next, entries);
        buf_free(&url);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) die("usage", "bench-tokenise URL COMPANY RESOURCE [LIMIT]");
    struct yard r = {.url = argv[1], .company = argv[2], .resource = argv[3]};
    struct fault f;
    const char *token = getenv("BENCH_TOKEN");
    (void)snprintf(r.authorization, sizeof r.authorization, "Bearer %s", token ? token : "");
    arena_init(&r.page, 256 * 1024);
    world_real(&r.w);
    if (curl_http_open(&r.w, &f) != ERR_OK) die("transport", f.text);
    pass(&r, "", "since", argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 250, &r.rows);
    pass(&r, "/keys", "after", 5000, &r.keys);
    printf("{\"rows\":%llu,\"keys\":%llu,\"tokens\":%llu,\"bytes\":%llu}\n", (unsigned long long)r.rows, (unsigned long long)r.keys,
           (unsigned long long)r.tokens, (unsigned long long)r.bytes);
    curl_http_close(&r.w);
    arena_free(&r.page);
    return 0;
}
