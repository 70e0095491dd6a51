/* curl_http.c - world_http over one libcurl multi handle.
 *
 *     start: check the request -> transfer{easy, copies} -> multi        (refused ones go to the ready list)
 *     wait:  perform -> completion? -> outcome and headers into the caller's arena, which takes over the body -> free the transfer
 *
 * A pool of connections is a CURLSH that shares nothing but its connection and TLS session cache: transfers of two pools can never
 * meet on one connection. HTTP/1.1 only, so that one connection carries one request at a time and "was it sent?" has an answer. */
#include "net/curl_http.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/wipe.h"
#include "net/trust.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define IDLE_CONNECTION_S   20L         /* older idle connections are closed rather than used: fewer dead ones */
#define PROBE_AFTER_S       60L         /* a silent peer is probed by TCP: one that died is found out, one that only works long is not */
#define PROBE_EVERY_S       15L
#define CONNECT_DEFAULT_MS  10000
#define TOTAL_DEFAULT_MS    300000
#define PAGE_BYTES          65536L      /* taken from the kernel at once, of what is read */
#define SPARE_LEAST         (128u << 10)     /* a body that is worth keeping for the next page: its memory need not come from the kernel again */
#define SPARE_MOST          (4u << 20)
#define RECEIPT_BYTES       16384L      /* and of the answer to a write; as much of a write leaves at once */

struct pool { char name[64]; CURLSH *share; };

struct transfer {
    struct transfer *next;
    struct http *owner;
    CURL *easy;
    CURLU *url;
    struct curl_slist *headers;
    struct buf out;                     /* our copy of the request body */
    void *tag;
    bool once;                          /* may leave once only */
    unsigned departures;                /* times that libcurl was about to send it */
    struct buf head;                    /* name NUL value NUL ... of the last header block */
    size_t nheaders, head_bytes;
    bool head_done, too_large;
    bool may_fold;                      /* the line before was kept: the next may go on with it */
    struct buf body;
    size_t max_body_bytes;
    char errors[CURL_ERROR_SIZE];
    char refusal[120];                  /* not empty: never started */
};

struct http {
    struct world w;                     /* copy: clock and files */
    CURLM *multi;
    struct pool pools[CURL_HTTP_POOLS];
    size_t npools;
    struct transfer *live, *ready;
    unsigned n;
    struct trust trust;
};

/* The body of a page that was read to its end, for the next page: one, whichever transport it came by. */
static void *spare;

static void give_back(void *p)
{
    size_t n = malloc_usable_size(p);
    bool keep = n >= SPARE_LEAST && n <= SPARE_MOST && (!spare || n > malloc_usable_size(spare));
    free(keep ? spare : p);
    if (keep) spare = p;
}

/* ---- what libcurl calls ---- */

static int on_departure(void *ctx, char *from_ip, char *to_ip, int to_port, int from_port)
{
    (void)from_ip; (void)to_ip; (void)to_port; (void)from_port;
    struct transfer *t = ctx;
    t->departures++;
    return t->once && t->departures > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static size_t on_body(char *p, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;
    if (n > t->max_body_bytes - t->body.n) {
        t->too_large = true;
        return 0;
    }
    if (!t->body.p && !t->once && spare) {
        t->body = (struct buf){spare, 0, malloc_usable_size(spare)};
        spare = NULL;
    }
    buf_put(&t->body, p, n);
    return n;
}

/* RFC 9110 5.6.2: what a header's name is made of. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && (!s.p[i] || !strchr("!#$%&'*+-.^_`|~", s.p[i]))) return false;
    return s.n > 0;
}

static void keep_value(struct transfer *t, struct str value)
{
    for (size_t i = 0; i < value.n; i++) buf_byte(&t->head, (unsigned char)value.p[i] < 0x20 ? ' ' : (unsigned char)value.p[i]);   /* RFC 9110 5.5: CR, NUL */
    buf_byte(&t->head, 0);
}

static void keep_header(struct transfer *t, struct str line)
{
    const char *colon = memchr(line.p, ':', line.n);
    struct str name = {line.p, colon ? (size_t)(colon - line.p) : 0};
    t->may_fold = is_token(name);
    if (!t->may_fold) return;
    for (size_t i = 0; i < name.n; i++) buf_byte(&t->head, (unsigned char)tolower((unsigned char)name.p[i]));
    buf_byte(&t->head, 0);
    keep_value(t, str_trim((struct str){colon + 1, line.n - name.n - 1}));
    t->nheaders++;
}

/* RFC 9112 5.2: a line that begins with a blank goes on with the value of the line before, and is no header of its own. */
static void keep_folded(struct transfer *t, struct str more)
{
    if (!t->may_fold || more.n == 0) return;
    t->head.n--;
    if (t->head.p[t->head.n - 1]) buf_byte(&t->head, ' ');          /* not when that value is empty so far */
    keep_value(t, more);
}

/* Every header line, of interim answers and trailers too: all count, only those of the last block before the body are kept. */
static size_t on_header(char *p, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;
    t->head_bytes += n;
    if (t->head_bytes > CURL_HTTP_HEADER_BYTES || t->nheaders >= CURL_HTTP_HEADERS) {
        t->too_large = true;
        return 0;
    }
    struct str line = str_trim((struct str){p, n});
    if (n && (p[0] == ' ' || p[0] == '\t')) {
        keep_folded(t, line);
    } else if (str_starts(line, STR("HTTP/"))) {
        t->head.n = 0;
        t->nheaders = 0;
        t->head_done = t->may_fold = false;
    } else if (line.n == 0) {
        t->head_done = true;
        t->may_fold = false;
    } else if (!t->head_done) {
        keep_header(t, line);
    }
    return n;
}

/* ---- the rules for a request ---- */

static bool is_loopback(const char *host)
{
    unsigned char ip[16];
    if (strcasecmp(host, "localhost") == 0) return true;
    if (inet_pton(AF_INET, host, ip) == 1) return ip[0] == 127;
    size_t n = strlen(host);
    char bare[64];
    if (n < 3 || n >= sizeof bare || host[0] != '[' || host[n - 1] != ']') return false;
    memcpy(bare, host + 1, n - 2);
    bare[n - 2] = '\0';
    static const unsigned char one[16] = {[15] = 1};
    return inet_pton(AF_INET6, bare, ip) == 1 && memcmp(ip, one, sizeof one) == 0;
}

static bool clean(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) return false;
    return true;
}

/* The same parser decides and connects: libcurl gets the parsed URL, never the text. */
static const char *check_url(struct transfer *t, const char *url)
{
    char *scheme = NULL, *host = NULL;
    const char *why = NULL;
    t->url = curl_url();
    if (!t->url) check_no_memory();
    if (!clean(url) || curl_url_set(t->url, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK ||
        curl_url_get(t->url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || curl_url_get(t->url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        why = "the URL is not well formed or holds a user name";
    else if (strcmp(scheme, "https") != 0 && !(strcmp(scheme, "http") == 0 && is_loopback(host)))
        why = "only https is allowed (http to this machine itself excepted)";
    curl_free(scheme);
    curl_free(host);
    return why;
}

static const char *check_request(struct transfer *t, const struct http_req *req)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    bool known = false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) known = known || strcmp(req->method, methods[i]) == 0;
    if (!known) return "the method is not one of GET, POST, PUT, PATCH, DELETE";
    if (req->body.n > LIMIT_ANSWER_BYTES) return "the request body is above the limit";
    if (!req->pool || !req->pool[0] || strlen(req->pool) >= sizeof ((struct pool *)0)->name) return "the request names no connection pool";
    for (size_t i = 0; i < req->nheaders; i++)
        if (!clean(req->headers[i].name) || !clean(req->headers[i].value)) return "a request header holds a control character";
    return check_url(t, req->url);
}

/* ---- building a transfer ---- */

static struct pool *pool_of(struct http *h, const char *name)
{
    for (size_t i = 0; i < h->npools; i++)
        if (strcmp(h->pools[i].name, name) == 0) return &h->pools[i];
    if (h->npools == CURL_HTTP_POOLS) return NULL;
    CURLSH *share = curl_share_init();
    if (!share) check_no_memory();
    bool shares = (unsigned)(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) == CURLSHE_OK) &
                  (unsigned)(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK);
    if (!shares) {
        curl_share_cleanup(share);
        return NULL;
    }
    struct pool *p = &h->pools[h->npools++];
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    p->share = share;
    return p;
}

/* 1 or 0, joined by & and not by &&: all of them are set, in whatever order, and nothing leads out between them. */
#define SET(t, option, value) ((unsigned)(curl_easy_setopt((t)->easy, (option), (value)) == CURLE_OK))

static unsigned set_wire_rules(struct transfer *t, const struct http_req *req)
{
    return SET(t, CURLOPT_CURLU, t->url)
        & SET(t, CURLOPT_PROTOCOLS_STR, "http,https")          /* check_url has kept http to loopback */
        & SET(t, CURLOPT_FOLLOWLOCATION, 0L)
        & SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1)
        & SET(t, CURLOPT_PROXY, "") & SET(t, CURLOPT_NOPROXY, "*")
        & SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)
        & SET(t, CURLOPT_SSL_VERIFYPEER, 1L) & SET(t, CURLOPT_SSL_VERIFYHOST, 2L)
        & SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2)
        & SET(t, CURLOPT_ACCEPT_ENCODING, "gzip")
        & SET(t, CURLOPT_NOSIGNAL, 1L)
        & SET(t, CURLOPT_NOPROGRESS, 1L)
        & SET(t, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S)
        & SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)(req->connect_timeout_ms > 0 ? req->connect_timeout_ms : CONNECT_DEFAULT_MS))
        & SET(t, CURLOPT_TIMEOUT_MS, (long)(req->total_timeout_ms > 0 ? req->total_timeout_ms : TOTAL_DEFAULT_MS))
        & SET(t, CURLOPT_TCP_KEEPALIVE, 1L) & SET(t, CURLOPT_TCP_KEEPIDLE, PROBE_AFTER_S) & SET(t, CURLOPT_TCP_KEEPINTVL, PROBE_EVERY_S)
        & SET(t, CURLOPT_FRESH_CONNECT, req->fresh ? 1L : 0L) & SET(t, CURLOPT_FORBID_REUSE, req->fresh ? 1L : 0L);
}

static unsigned set_callbacks(struct transfer *t)
{
    return SET(t, CURLOPT_PRIVATE, t)
        & SET(t, CURLOPT_ERRORBUFFER, t->errors)
        & SET(t, CURLOPT_PREREQFUNCTION, on_departure) & SET(t, CURLOPT_PREREQDATA, t)
        & SET(t, CURLOPT_HEADERFUNCTION, on_header) & SET(t, CURLOPT_HEADERDATA, t)
        & SET(t, CURLOPT_WRITEFUNCTION, on_body) & SET(t, CURLOPT_WRITEDATA, t)
        & SET(t, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max_body_bytes);
}

static unsigned set_method(struct transfer *t, const struct http_req *req)
{
    t->once = strcmp(req->method, "GET") != 0;
    if (!t->once) return SET(t, CURLOPT_HTTPGET, 1L) & SET(t, CURLOPT_BUFFERSIZE, PAGE_BYTES);
    buf_str(&t->out, req->body);
    (void)buf_cstr(&t->out);
    return SET(t, CURLOPT_POST, 1L) & SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->out.n) & SET(t, CURLOPT_POSTFIELDS, t->out.p)
        & SET(t, CURLOPT_BUFFERSIZE, RECEIPT_BYTES) & SET(t, CURLOPT_UPLOAD_BUFFERSIZE, RECEIPT_BYTES)
        & SET(t, CURLOPT_CUSTOMREQUEST, strcmp(req->method, "POST") == 0 ? NULL : req->method);
}

static void add_header(struct transfer *t, const char *line)
{
    struct curl_slist *grown = curl_slist_append(t->headers, line);
    if (!grown) check_no_memory();
    t->headers = grown;
}

static unsigned set_headers(struct transfer *t, const struct http_req *req)
{
    struct buf line = {0};
    for (size_t i = 0; i < req->nheaders; i++) {
        buf_clear(&line);
        buf_printf(&line, "%s: %s", req->headers[i].name, req->headers[i].value);
        add_header(t, buf_cstr(&line));
    }
    add_header(t, "Expect:");            /* no waiting for 100 Continue */
    if (line.p) explicit_bzero(line.p, line.cap);
    buf_free(&line);
    return SET(t, CURLOPT_HTTPHEADER, t->headers);
}

static void transfer_free(struct transfer *t)
{
    if (t->easy) curl_easy_cleanup(t->easy);
    curl_url_cleanup(t->url);
    curl_slist_free_all(t->headers);
    if (t->out.p) explicit_bzero(t->out.p, t->out.cap);      /* token requests hold secrets */
    buf_free(&t->out);
    buf_free(&t->head);
    if (t->body.p) explicit_bzero(t->body.p, t->body.n);      /* and their answers */
    buf_free(&t->body);
    free(t);
}

/* NULL, or why the request cannot go. */
static const char *prepare(struct http *h, struct transfer *t, const struct http_req *req)
{
    const char *why = check_request(t, req);
    if (why) return why;
    struct pool *pool = pool_of(h, req->pool);
    if (!pool) return "too many connection pools";
    t->easy = curl_easy_init();
    if (!t->easy) check_no_memory();
    t->max_body_bytes = req->max_body_bytes ? req->max_body_bytes : LIMIT_ANSWER_BYTES;
    bool set = set_wire_rules(t, req) & set_callbacks(t) & set_method(t, req) & set_headers(t, req) & SET(t, CURLOPT_SHARE, pool->share);
    if (!set) return "libcurl refuses an option";
    if (req->ca_file && req->ca_file[0]) {
        struct str pem;
        if (!trust_bundle(&h->trust, &h->w, req->ca_file, &pem)) return "the file of trusted certificates cannot be read";
        struct curl_blob blob = {(void *)(uintptr_t)pem.p, pem.n, CURL_BLOB_NOCOPY};
        if (!SET(t, CURLOPT_CAINFO_BLOB, &blob)) return "libcurl refuses the trusted certificates";
    }
    return NULL;
}

static int http_start(void *ctx, const struct http_req *req, void *tag)
{
    struct http *h = ctx;
    if (h->n >= CURL_HTTP_IN_FLIGHT) return -1;
    struct transfer *t = calloc(1, sizeof *t);
    if (!t) check_no_memory();
    t->owner = h;
    t->tag = tag;
    h->n++;
    const char *why = prepare(h, t, req);
    if (!why && curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) why = "libcurl refuses the transfer";
    if (why) {
        (void)snprintf(t->refusal, sizeof t->refusal, "%s", why);
        t->next = h->ready;
        h->ready = t;
    } else {
        t->next = h->live;
        h->live = t;
    }
    return 0;
}

/* ---- completion ---- */

static void give_headers(const struct transfer *t, struct arena *a, struct http_res *res)
{
    struct http_header *out = ARENA_ARRAY(a, struct http_header, t->nheaders ? t->nheaders : 1);
    const char *copy = t->head.n ? arena_copy(a, t->head.p, t->head.n) : NULL;
    size_t at = 0;
    for (size_t i = 0; i < t->nheaders; i++) {
        out[i].name = copy + at;
        at += strlen(copy + at) + 1;
        out[i].value = copy + at;
        at += strlen(copy + at) + 1;
    }
    res->headers = out;
    res->nheaders = t->nheaders;
}

static int64_t ms_of(CURL *easy, CURLINFO what)
{
    curl_off_t us = 0;
    if (curl_easy_getinfo(easy, what, &us) != CURLE_OK) return -1;
    return us > 0 ? (int64_t)(us / 1000) : -1;
}

static void explain(const struct transfer *t, CURLcode code, struct http_res *res)
{
    const char *said = t->errors[0] ? t->errors : curl_easy_strerror(code);
    if (t->too_large) said = t->body.n ? "the answer is larger than allowed" : "the answer or its headers are larger than allowed";
    else if (code == CURLE_ABORTED_BY_CALLBACK) said = "the pooled connection was dead; not sent a second time";
    (void)snprintf(res->error, sizeof res->error, "%.*s", (int)sizeof res->error - 1, said);
    for (char *c = res->error; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) *c = '?';
}

static void finish(struct transfer *t, CURLcode code, struct arena *a, struct http_res *res)
{
    *res = (struct http_res){.connect_ms = -1, .tls_ms = -1};
    if (t->refusal[0]) {
        res->outcome = HTTP_REFUSED;
        (void)snprintf(res->error, sizeof res->error, "%s", t->refusal);
        return;
    }
    long status = 0, sent_bytes = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    int64_t total_ms = ms_of(t->easy, CURLINFO_TOTAL_TIME_T);
    res->elapsed_ms = total_ms < 0 ? 0 : total_ms;
    res->connect_ms = ms_of(t->easy, CURLINFO_CONNECT_TIME_T);
    res->tls_ms = ms_of(t->easy, CURLINFO_APPCONNECT_TIME_T);
    if (code == CURLE_FILESIZE_EXCEEDED || (code == CURLE_OUT_OF_MEMORY && !t->head_done)) t->too_large = true;      /* so libcurl calls a line of 100 KiB */
    if (code == CURLE_OK && !t->head_done) code = CURLE_PARTIAL_FILE;                       /* closed within the head: for libcurl an answer without a body */
    if (code == CURLE_OK) res->outcome = HTTP_ANSWERED;
    else if (t->too_large) res->outcome = HTTP_TOO_LARGE;
    else res->outcome = t->departures > 0 && sent_bytes > 0 ? HTTP_AMBIGUOUS : HTTP_NOT_SENT;
    if (res->outcome != HTTP_ANSWERED) {
        explain(t, code, res);
        return;
    }
    res->status = (int)status;
    give_headers(t, a, res);
    res->body = (struct str){buf_cstr(&t->body), t->body.n};
    arena_adopt(a, t->body.p, give_back);
    t->body = (struct buf){NULL, 0, 0};
}

static void hand_over(struct http *h, struct transfer *t, CURLcode code, struct arena *a, struct http_res *res, void **tag)
{
    finish(t, code, a, res);
    *tag = t->tag;
    h->n--;
    transfer_free(t);
}

static bool take_completed(struct http *h, struct arena *a, struct http_res *res, void **tag)
{
    if (h->ready) {
        struct transfer *t = h->ready;
        h->ready = t->next;
        hand_over(h, t, CURLE_OK, a, res, tag);
        return true;
    }
    int left = 0, running = 0;
    (void)curl_multi_perform(h->multi, &running);
    CURLMsg *m;
    while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
        if (m->msg != CURLMSG_DONE) continue;
        struct transfer *t = NULL;
        CURLcode code = m->data.result;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        ASSERT(t != NULL);
        (void)curl_multi_remove_handle(h->multi, t->easy);
        struct transfer **at = &h->live;
        while (*at != t) at = &(*at)->next;
        *at = t->next;
        hand_over(h, t, code, a, res, tag);
        return true;
    }
    return false;
}

/* 0 may come before the timeout: libcurl does not tell a signal from a timer of its own. Callers go by the clock. */
static int http_wait(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag)
{
    struct http *h = ctx;
    int64_t until = world_mono_ms(&h->w) + (timeout_ms > 0 ? timeout_ms : 0);
    for (;;) {
        if (h->n == 0) return -1;
        if (take_completed(h, a, res, tag)) return 1;
        int64_t left = until - world_mono_ms(&h->w);
        if (left <= 0) return 0;
        int woken = 0;
        if (curl_multi_poll(h->multi, NULL, 0, (int)(left > 60000 ? 60000 : left), &woken) != CURLM_OK) return 0;
        if (woken == 0) return take_completed(h, a, res, tag) ? 1 : 0;
    }
}

/* ---- life ---- */

static void ignore_sigpipe(void)
{
    struct sigaction sa;
    if (sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL) {
        sa.sa_handler = SIG_IGN;
        (void)sigaction(SIGPIPE, &sa, NULL);
    }
}

enum err curl_http_open(struct world *w, struct fault *f)
{
    ASSERT(w->clock.mono_ms != NULL && w->files.open != NULL);
    /* libcurl copies header lines and bodies: what it gives back is wiped. */
    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_realloc, strdup, calloc) != CURLE_OK) return fault_set(f, ERR_UNSUPPORTED, "libcurl cannot be started");
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (v->version_num < 0x075500 || !(v->features & CURL_VERSION_SSL) || !(v->features & CURL_VERSION_LIBZ)) {
        curl_global_cleanup();
        return fault_set(f, ERR_UNSUPPORTED, "libcurl %s is too old or was built without TLS or zlib: 7.85 with both is needed", v->version);
    }
    struct http *h = calloc(1, sizeof *h);
    if (!h) check_no_memory();
    h->w = *w;
    h->multi = curl_multi_init();
    if (!h->multi) check_no_memory();
    (void)curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    ignore_sigpipe();
    w->http = (struct world_http){http_start, http_wait, h};
    return ERR_OK;
}

void curl_http_close(struct world *w)
{
    struct http *h = w->http.ctx;
    if (!h || w->http.start != http_start) return;
    while (h->live) {
        struct transfer *t = h->live;
        h->live = t->next;
        (void)curl_multi_remove_handle(h->multi, t->easy);
        transfer_free(t);
    }
    while (h->ready) {
        struct transfer *t = h->ready;
        h->ready = t->next;
        transfer_free(t);
    }
    (void)curl_multi_cleanup(h->multi);
    for (size_t i = 0; i < h->npools; i++) (void)curl_share_cleanup(h->pools[i].share);
    trust_free(&h->trust);
    free(h);
    free(spare);
    spare = NULL;
    curl_global_cleanup();
    w->http = (struct world_http){NULL, NULL, NULL};
}
