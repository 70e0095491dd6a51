/* door.c - the HTTP side, on http.sys: TLS is the machine's certificate store (netsh http add sslcert), bounds on size, time and number are ours.
 *
 *   one thread receives -> waiting list (bounded: 429 beyond) -> 16 threads: token -> body (bounded) -> route -> pool or report -> send
 *
 * One receiver only: a second HttpReceiveHttpRequest under way at the same time makes wine's http.sys stop for good, and one is enough.
 *
 * The raw path is taken, not the one that http.sys tidied up, so that a key may hold an encoded slash. Without the right token nothing is told but 401,
 * whatever the path. What is refused is logged without its text: method, status, bytes. */
#include "agent/win/win.h"
#include <http.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 16, WAITING = 64, HEAD_BYTES = 1 << 15, DRAIN_BYTES = 4 << 20 };
struct door {
    struct place *place;
    struct pool *pool;
    HTTP_SERVER_SESSION_ID session;
    HTTP_URL_GROUP_ID group;
    HANDLE queue, receiver, thread[THREADS], filled;
    CRITICAL_SECTION lock;               /* over the waiting list */
    HTTP_REQUEST *waiting[WAITING];
    unsigned first, nwaiting;
    volatile LONG stopping, refused;
    volatile LONG64 refused_from_ms;
};

static struct str header(const HTTP_REQUEST *r, HTTP_HEADER_ID id)
{
    const HTTP_KNOWN_HEADER *h = &r->Headers.KnownHeaders[id];
    return (struct str){h->pRawValue ? h->pRawValue : "", h->pRawValue ? h->RawValueLength : 0};
}

/* Takes the rest of a body that is refused, within bounds, so that the client hears why instead of a closed connection. */
static void drain(struct door *d, const HTTP_REQUEST *r)
{
    char scrap[16384];
    ULONG got = 1;
    for (size_t n = 0; n < DRAIN_BYTES && got; n += got)
        if (HttpReceiveRequestEntityBody(d->queue, r->RequestId, 0, scrap, sizeof scrap, &got, NULL) != NO_ERROR) return;
}

/* 1 read, 0 too large, -1 the client left. */
static int read_body(struct door *d, const HTTP_REQUEST *r, struct buf *body)
{
    struct str length = header(r, HttpHeaderContentLength);
    int64_t announced = 0;
    buf_clear(body);
    for (USHORT i = 0; i < r->EntityChunkCount; i++)
        if (r->pEntityChunks[i].DataChunkType == HttpDataChunkFromMemory)
            buf_put(body, r->pEntityChunks[i].FromMemory.pBuffer, r->pEntityChunks[i].FromMemory.BufferLength);
    if (length.n && (!str_to_i64(length, &announced) || announced > AGENT_BODY_BYTES)) {
        drain(d, r);
        return 0;
    }
    while (r->Flags & HTTP_REQUEST_FLAG_MORE_ENTITY_BODY_EXISTS) {
        ULONG got = 0;
        if (body->n > AGENT_BODY_BYTES) {
            drain(d, r);
            return 0;
        }
        ULONG e = HttpReceiveRequestEntityBody(d->queue, r->RequestId, 0, buf_reserve(body, 16384), 16384, &got, NULL);
        body->n += got;
        if (e == ERROR_HANDLE_EOF || (e == NO_ERROR && got == 0)) break;
        if (e != NO_ERROR) return -1;
    }
    return body->n <= AGENT_BODY_BYTES ? 1 : 0;
}

static void known(HTTP_RESPONSE *res, HTTP_HEADER_ID id, const char *value)
{
    res->Headers.KnownHeaders[id].pRawValue = value;
    res->Headers.KnownHeaders[id].RawValueLength = (USHORT)strlen(value);
}

static void send_answer(struct door *d, HTTP_REQUEST_ID id, const struct agent_answer *a)
{
    HTTP_RESPONSE res;
    HTTP_DATA_CHUNK chunk;
    char after[16], reason[] = "-";
    ULONG sent = 0;
    memset(&res, 0, sizeof res);
    memset(&chunk, 0, sizeof chunk);
    res.Version.MajorVersion = 1;
    res.Version.MinorVersion = 1;
    res.StatusCode = (USHORT)a->status;
    res.pReason = a->status == 200 ? "OK" : reason;
    res.ReasonLength = (USHORT)strlen(res.pReason);
    known(&res, HttpHeaderContentType, "application/json; charset=utf-8");
    known(&res, HttpHeaderCacheControl, "no-store");
    if (a->status == 401) known(&res, HttpHeaderWwwAuthenticate, "Bearer");
    if (a->retry_after_s > 0) {
        snprintf(after, sizeof after, "%d", a->retry_after_s);
        known(&res, HttpHeaderRetryAfter, after);
    }
    chunk.DataChunkType = HttpDataChunkFromMemory;
    chunk.FromMemory.pBuffer = a->body.p;
    chunk.FromMemory.BufferLength = (ULONG)a->body.n;
    res.EntityChunkCount = 1;
    res.pEntityChunks = &chunk;
    HttpSendHttpResponse(d->queue, id, 0, &res, NULL, &sent, NULL, 0, NULL, NULL);
}

/* At most one line a second about requests that are refused; how many is said with the next one. */
static void log_refused(struct door *d, const HTTP_REQUEST *r, int status)
{
    int64_t now = (int64_t)GetTickCount64();
    LONG n = InterlockedIncrement(&d->refused);
    if (now - d->refused_from_ms < 1000) return;
    d->refused_from_ms = now;
    InterlockedExchange(&d->refused, 0);
    place_log(d->place, status == 401 ? EVENTLOG_WARNING_TYPE : EVENTLOG_INFORMATION_TYPE, "refused: status %d, %u bytes of address; %ld since the last such line", status,
              (unsigned)r->RawUrlLength, (long)n);
}

static struct str method_of(const HTTP_REQUEST *r)
{
    if (r->Verb == HttpVerbGET) return STR("GET");
    if (r->Verb == HttpVerbPOST) return STR("POST");
    return STR("OTHER");
}

static int company_of(const struct door *d, struct str code)
{
    for (unsigned i = 0; i < d->place->config.ncompanies; i++)
        if (str_eq(code, d->place->config.company[i])) return (int)i;
    return -1;
}

static void work_off(struct door *d, const HTTP_REQUEST *r, struct arena *a, struct buf *body, struct agent_answer *out)
{
    struct agent_request q = {.method = method_of(r), .path = {r->pRawUrl ? r->pRawUrl : "", r->RawUrlLength}, .query = {"", 0}, .body = {"", 0}};
    const char *mark = q.path.n ? memchr(q.path.p, '?', q.path.n) : NULL;
    if (mark) {
        q.query = (struct str){mark + 1, q.path.n - (size_t)(mark - q.path.p) - 1};
        q.path.n = (size_t)(mark - q.path.p);
    }
    if (q.path.n >= 7 && str_starts(q.path, STR("http"))) {      /* the absolute form of a request line */
        const char *slashes = memchr(q.path.p, '/', q.path.n);
        size_t skip = slashes ? (size_t)(slashes - q.path.p) + 2 : q.path.n;
        const char *path = skip < q.path.n ? memchr(q.path.p + skip, '/', q.path.n - skip) : NULL;
        q.path = path ? (struct str){path, q.path.n - (size_t)(path - q.path.p)} : (struct str){"", 0};
    }
    if (!agent_token_fits(header(r, HttpHeaderAuthorization), d->place->token)) {
        agent_fail(out, AGENT_E_UNAUTHORIZED, STR("token missing or wrong"), 0);
        return;
    }
    if (q.path.n > AGENT_TARGET_BYTES || q.query.n > AGENT_TARGET_BYTES) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("the address is too long"), 0);
        return;
    }
    int got = read_body(d, r, body);
    if (got <= 0) {
        agent_fail(out, AGENT_E_BAD_REQUEST, STR("the body is too large"), 0);
        return;
    }
    q.body = buf_view(body);
    struct agent_route route = agent_route_of(&q, a);
    int company = company_of(d, route.company);
    if (route.malformed) agent_fail(out, AGENT_E_BAD_REQUEST, STR("the path is not percent-encoded UTF-8"), 0);
    else if (route.at == AGENT_AT_NOWHERE) agent_fail(out, AGENT_E_NOT_FOUND, STR("there is no such path"), 0);
    else if (route.at == AGENT_AT_HEALTH) pool_health(d->pool, &out->body);
    else if (route.at == AGENT_AT_COMPANIES) pool_companies(d->pool, &out->body);
    else if (company < 0) agent_fail(out, AGENT_E_UNKNOWN_COMPANY, STR("there is no such company"), 0);
    else if (agent_table_named(route.resource) < 0) agent_fail(out, AGENT_E_UNKNOWN_RESOURCE, STR("there is no such resource"), 0);
    else pool_answer(d->pool, (unsigned)company, &q, &route, out);
}

/* The next request into *r, whose buffer grows with its head. False: the queue was closed. */
static bool receive(struct door *d, HTTP_REQUEST **r, ULONG *size)
{
    HTTP_REQUEST_ID id = HTTP_NULL_ID;
    for (;;) {
        ULONG got = 0;
        memset(*r, 0, sizeof **r);
        ULONG e = HttpReceiveHttpRequest(d->queue, id, 0, *r, *size, &got, NULL);
        if (e == NO_ERROR) return true;
        if (d->stopping) return false;
        if (e == ERROR_MORE_DATA && got > *size && got <= 1u << 20) {
            id = (*r)->RequestId;
            HTTP_REQUEST *wider = realloc(*r, got);
            if (!wider) return false;
            *r = wider;
            *size = got;
            continue;
        }
        id = HTTP_NULL_ID;
        if (e != ERROR_CONNECTION_INVALID && e != ERROR_NETNAME_DELETED && e != ERROR_MORE_DATA) Sleep(50);
    }
}

/* Into the waiting list, which owns it then; false: it is full. */
static bool hand_over(struct door *d, HTTP_REQUEST *r)
{
    EnterCriticalSection(&d->lock);
    bool room = d->nwaiting < WAITING;
    if (room) d->waiting[(d->first + d->nwaiting++) % WAITING] = r;
    LeaveCriticalSection(&d->lock);
    if (room) ReleaseSemaphore(d->filled, 1, NULL);
    return room;
}

static DWORD WINAPI receive_all(void *arg)
{
    struct door *d = arg;
    while (!d->stopping) {
        ULONG size = HEAD_BYTES;
        HTTP_REQUEST *r = malloc(size);
        if (!r) Sleep(100);
        else if (!receive(d, &r, &size)) free(r);
        else if (!hand_over(d, r)) {
            struct agent_answer out = {.status = 200, .scanned = -1};
            agent_fail(&out, AGENT_E_SLOW_DOWN, STR("too many requests"), 5);
            send_answer(d, r->RequestId, &out);
            log_refused(d, r, out.status);
            buf_free(&out.body);
            free(r);
        }
    }
    ReleaseSemaphore(d->filled, THREADS, NULL);
    return 0;
}

/* The request that waits for longest; NULL: the door closes. */
static HTTP_REQUEST *next_waiting(struct door *d)
{
    HTTP_REQUEST *r = NULL;
    WaitForSingleObject(d->filled, INFINITE);
    EnterCriticalSection(&d->lock);
    if (d->nwaiting) {
        r = d->waiting[d->first];
        d->first = (d->first + 1) % WAITING;
        d->nwaiting--;
    }
    LeaveCriticalSection(&d->lock);
    return r;
}

static DWORD WINAPI serve(void *arg)
{
    struct door *d = arg;
    HTTP_REQUEST *r;
    struct arena a;
    struct buf body = {0};
    struct agent_answer out = {.status = 200};
    arena_init(&a, 0);
    while ((r = next_waiting(d))) {
        arena_reset(&a);
        buf_clear(&out.body);
        out = (struct agent_answer){.status = 200, .scanned = -1, .body = out.body};
        work_off(d, r, &a, &body, &out);
        send_answer(d, r->RequestId, &out);
        if (out.status == 400 || out.status == 401 || out.status == 429) log_refused(d, r, out.status);
        if (out.body.cap > 4u << 20) buf_free(&out.body);
        if (body.cap > 1u << 20) buf_free(&body);
        free(r);
    }
    buf_free(&out.body);
    buf_free(&body);
    arena_free(&a);
    return 0;
}

static void limits(struct door *d)
{
    HTTP_TIMEOUT_LIMIT_INFO t = {.Flags.Present = 1, .EntityBody = 30, .DrainEntityBody = 10, .RequestQueue = 120, .IdleConnection = 120, .HeaderWait = 15, .MinSendRate = 150};
    ULONG queue = 200;
    HttpSetUrlGroupProperty(d->group, HttpServerTimeoutsProperty, &t, sizeof t);      /* not known to wine: the defaults then */
    HttpSetRequestQueueProperty(d->queue, HttpServerQueueLengthProperty, &queue, sizeof queue, 0, NULL);
}

struct door *door_open(struct place *p, struct pool *pool, struct fault *f)
{
    static const HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    struct door *d = calloc(1, sizeof *d);
    HTTP_BINDING_INFO binding = {.Flags.Present = 1};
    const char *step = "HttpInitialize";
    d->place = p;
    d->pool = pool;
    ULONG e = HttpInitialize(version, HTTP_INITIALIZE_SERVER, NULL);
    if (!e) step = "HttpCreateServerSession", e = HttpCreateServerSession(version, &d->session, 0);
    if (!e) step = "HttpCreateUrlGroup", e = HttpCreateUrlGroup(d->session, &d->group, 0);
    if (!e) step = "HttpCreateRequestQueue", e = HttpCreateRequestQueue(version, NULL, NULL, 0, &d->queue);
    binding.RequestQueueHandle = d->queue;
    if (!e) step = "HttpSetUrlGroupProperty", e = HttpSetUrlGroupProperty(d->group, HttpServerBindingProperty, &binding, sizeof binding);
    if (!e) step = "HttpAddUrlToUrlGroup", e = HttpAddUrlToUrlGroup(d->group, place_wide(&p->arena, p->config.listen), 0, 0);
    if (e) {
        fault_set(f, ERR_IO, "%.*s cannot be listened on: %s says %lu%s", (int)p->config.listen.n, p->config.listen.p, step, (unsigned long)e,
                  e == ERROR_ACCESS_DENIED ? " (access denied: start as a service or as an administrator)"
                  : e == ERROR_ALREADY_EXISTS ? " (another program listens there already)" : "");
        free(d);
        return NULL;
    }
    limits(d);
    InitializeCriticalSection(&d->lock);
    d->filled = CreateSemaphoreW(NULL, 0, WAITING + THREADS, NULL);
    d->receiver = CreateThread(NULL, 1 << 18, receive_all, d, 0, NULL);
    for (unsigned i = 0; i < THREADS; i++) d->thread[i] = CreateThread(NULL, 1 << 19, serve, d, 0, NULL);
    return d;
}

void door_close(struct door *d)
{
    InterlockedExchange(&d->stopping, 1);
    HttpRemoveUrlFromUrlGroup(d->group, place_wide(&d->place->arena, d->place->config.listen), 0);
    CancelIoEx(d->queue, NULL);
    WaitForSingleObject(d->receiver, 2000);
    WaitForMultipleObjects(THREADS, d->thread, TRUE, 3000);
    HttpCloseRequestQueue(d->queue);
    WaitForSingleObject(d->receiver, 2000);
    HttpCloseUrlGroup(d->group);
    HttpCloseServerSession(d->session);
    HttpTerminate(HTTP_INITIALIZE_SERVER, NULL);
}
