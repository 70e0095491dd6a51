/* pool.c - one child process per session of Sage (one or two per company), and the watch over them.
 *
 *   request -> company's slot (scans the first, single rows the last) -> waits its turn, at most wait_seconds and `queue` in all
 *           -> child spawned if there is none, or it is older than recycle_minutes -> message out, message in
 *   watch thread, five times a second: a child beyond its deadline is ended (the pipe breaks, the waiting request gets 502); one that nobody used for
 *           idle_minutes has its input closed: it closes the session, which frees the licence.
 *
 * A child dies with this process (job object). After repeated failures a company rests a while, so that a broken Sage is not hammered. */
#include "agent/win/win.h"
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 2, CLOSE_MS = 10000 };
struct slot {
    HANDLE turn;                 /* mutex: who holds it talks to the child */
    HANDLE process, in, out;     /* in: we write; out: we read */
    int64_t born_ms, used_ms;
    volatile LONG64 deadline_ms; /* 0: nothing under way */
    volatile LONG hung;
    unsigned failures;
    int64_t rest_until_ms;
};
struct company { struct agent_company told; struct slot slot[SLOTS]; struct buf trouble, resources, name; int64_t described_ms; };
struct pool {
    struct place *place;
    struct company company[AGENT_COMPANIES_MAX];
    unsigned n, nslots;
    CRITICAL_SECTION lock;       /* over what is told */
    volatile LONG waiting;
    volatile LONG stopping;
    HANDLE watcher, job;
    struct agent_host host;
};

static int64_t mono_ms(void) { return (int64_t)GetTickCount64(); }

/* ---- the child ---- */

static void forget(struct slot *s)
{
    if (s->in) CloseHandle(s->in);
    if (s->out) CloseHandle(s->out);
    if (s->process) CloseHandle(s->process);
    s->in = s->out = s->process = NULL;
}

static void kill_child(struct slot *s)
{
    if (s->process) {
        TerminateProcess(s->process, 9);
        WaitForSingleObject(s->process, CLOSE_MS);
    }
    forget(s);
}

/* Closes the child's input and waits until it has closed its session. */
static void end_child(struct slot *s)
{
    if (s->in) CloseHandle(s->in);
    s->in = NULL;
    if (s->process && WaitForSingleObject(s->process, CLOSE_MS) != WAIT_OBJECT_0) kill_child(s);
    forget(s);
}

static bool pipes(HANDLE *child_in, HANDLE *child_out, struct slot *s)
{
    SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
    *child_in = *child_out = NULL;
    if (!CreatePipe(child_in, &s->in, &inherit, 1 << 16)) return false;
    if (!CreatePipe(&s->out, child_out, &inherit, 1 << 16)) return false;
    return SetHandleInformation(s->in, HANDLE_FLAG_INHERIT, 0) && SetHandleInformation(s->out, HANDLE_FLAG_INHERIT, 0);
}

static bool spawn(struct pool *pool, unsigned company, struct slot *s)
{
    wchar_t exe[MAX_PATH + 1], line[3 * MAX_PATH], dir[MAX_PATH + 1];
    STARTUPINFOW si = {.cb = sizeof si, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION pi = {0};
    HANDLE in, out;
    struct str code = pool->place->config.company[company];
    GetModuleFileNameW(NULL, exe, MAX_PATH);
    swprintf(dir, MAX_PATH, L"%ls", pool->place->dir);
    dir[wcslen(dir) - 1] = L'\0';
    swprintf(line, 3 * MAX_PATH, L"\"%ls\" child --dir \"%ls\" --company %c%c%c", exe, dir, code.p[0], code.p[1], code.p[2]);
    EnterCriticalSection(&pool->lock);       /* no other child may inherit these ends */
    bool good = pipes(&in, &out, s);
    si.hStdInput = in;
    si.hStdOutput = out;
    si.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    good = good && CreateProcessW(exe, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &si, &pi);
    if (in) CloseHandle(in);
    if (out) CloseHandle(out);
    LeaveCriticalSection(&pool->lock);
    if (!good) {
        place_log(pool->place, EVENTLOG_ERROR_TYPE, "the process for company %.3s cannot be started (Windows error %lu)", code.p, (unsigned long)GetLastError());
        forget(s);
        return false;
    }
    if (pool->job) AssignProcessToJobObject(pool->job, pi.hProcess);
    CloseHandle(pi.hThread);
    s->process = pi.hProcess;
    s->born_ms = mono_ms();
    return true;
}

static bool move(HANDLE h, bool out, char *p, size_t n)
{
    while (n) {
        DWORD did = 0, part = n > 1u << 20 ? 1u << 20 : (DWORD)n;
        if (!(out ? WriteFile(h, p, part, &did, NULL) : ReadFile(h, p, part, &did, NULL)) || did == 0) return false;
        p += did;
        n -= did;
    }
    return true;
}

/* One question, one answer. False: the child is gone. message owns what `said` points to. */
static bool converse(struct slot *s, struct buf *frame, struct buf *message, struct agent_said *said)
{
    unsigned char head[4];
    if (!move(s->in, true, frame->p, frame->n) || !move(s->out, false, (char *)head, 4)) return false;
    size_t n = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (n > AGENT_PIPE_BYTES) return false;
    buf_clear(message);
    if (!move(s->out, false, buf_reserve(message, n), n)) return false;
    message->n = n;
    return agent_pipe_get_said(buf_view(message), said);
}

/* ---- what is told ---- */

static void keep_text(struct buf *b, struct str *view, struct str s)
{
    buf_clear(b);
    buf_str(b, s);
    *view = buf_view(b);
}

static void learn(struct pool *pool, struct company *c, const struct agent_said *said, bool describe)
{
    EnterCriticalSection(&pool->lock);
    int64_t now = place_wall_ms();
    if (said->opened && !c->told.session_ms) c->told.session_ms = now;
    if (said->opened || said->trouble.n) c->told.opens = said->opened;
    if (said->opened && !said->broken) keep_text(&c->trouble, &c->told.trouble, STR(""));
    else if (said->trouble.n) keep_text(&c->trouble, &c->told.trouble, said->trouble);
    if (said->name.n) keep_text(&c->name, &c->told.name, said->name);
    if (describe && said->status == 200) {
        keep_text(&c->resources, &c->told.resources, said->body);
        c->described_ms = mono_ms();
    }
    if (said->scanned >= 0) c->told.scan[said->scanned] = (struct agent_scan){now, said->scan_rows, said->scan_ms, said->unreadable};
    if (said->broken) c->told.session_ms = 0;
    LeaveCriticalSection(&pool->lock);
    if (said->scanned >= 0 && said->unreadable)
        place_log(pool->place, EVENTLOG_WARNING_TYPE, "%s of company %.3s: %llu rows have keys that cannot be read; they are left out", agent_tables[said->scanned].resource,
                  c->told.code.p, (unsigned long long)said->unreadable);
}

static void failed(struct pool *pool, struct company *c, struct slot *s, const char *why)
{
    static const int rest_s[] = {0, 0, 1, 2, 5, 10, 20};
    unsigned i = s->failures < 6 ? s->failures : 6;
    s->failures++;
    s->rest_until_ms = mono_ms() + rest_s[i] * 1000;
    EnterCriticalSection(&pool->lock);
    keep_text(&c->trouble, &c->told.trouble, str_of(why));
    c->told.session_ms = 0;
    LeaveCriticalSection(&pool->lock);
    place_log(pool->place, EVENTLOG_WARNING_TYPE, "company %.3s: %s", c->told.code.p, why);
}

/* ---- a request ---- */

static void ask(struct pool *pool, unsigned i, struct slot *s, int kind, const struct agent_request *q, int64_t limit_ms, struct agent_answer *out)
{
    struct company *c = &pool->company[i];
    struct buf frame = {0}, message = {0};
    struct agent_said said;
    int64_t now = mono_ms();
    if (now < s->rest_until_ms) {
        agent_fail(out, AGENT_E_BUSY, STR("Sage failed several times; it is tried again shortly"), (int)((s->rest_until_ms - now) / 1000) + 1);
        return;
    }
    if (s->process && now - s->born_ms > pool->place->config.recycle_minutes * 60000) end_child(s);
    if (s->process && WaitForSingleObject(s->process, 0) == WAIT_OBJECT_0) forget(s);
    s->hung = 0;
    if (!s->process && !spawn(pool, i, s)) {
        agent_fail(out, AGENT_E_BUSY, STR("the process for Sage cannot be started"), 10);
        return;
    }
    agent_pipe_put_ask(&frame, kind, q);
    InterlockedExchange64(&s->deadline_ms, now + limit_ms);
    bool good = converse(s, &frame, &message, &said);
    EnterCriticalSection(&pool->lock);       /* from here on the watch leaves the child alone */
    InterlockedExchange64(&s->deadline_ms, 0);
    LeaveCriticalSection(&pool->lock);
    s->used_ms = mono_ms();
    if (good) {
        out->status = said.status;
        out->retry_after_s = said.retry_after_s;
        buf_clear(&out->body);
        buf_str(&out->body, said.body);
        learn(pool, c, &said, kind == AGENT_PIPE_DESCRIBE);
        if (said.broken) {
            char why[300];
            kill_child(s);
            snprintf(why, sizeof why, "%.*s", (int)(said.trouble.n > 280 ? 280 : said.trouble.n), said.trouble.n ? said.trouble.p : "");
            failed(pool, c, s, said.trouble.n ? why : "Sage's process failed; the session is rebuilt");
        } else s->failures = 0;
    } else {
        char why[120];
        bool hung = s->hung;
        kill_child(s);
        if (hung) snprintf(why, sizeof why, "Sage did not answer within %d seconds; its process was ended", (int)(limit_ms / 1000));
        else snprintf(why, sizeof why, "the process with Sage's session ended by itself");
        agent_fail(out, AGENT_E_SESSION_FAILED, str_of(why), 3);
        failed(pool, c, s, why);
    }
    buf_free(&frame);
    buf_free(&message);
}

static void queued(struct pool *pool, unsigned i, unsigned slot, int kind, const struct agent_request *q, int64_t limit_ms, struct agent_answer *out)
{
    const struct agent_config *config = &pool->place->config;
    struct slot *s = &pool->company[i].slot[slot];
    DWORD got = WaitForSingleObject(s->turn, 0);
    if (got == WAIT_TIMEOUT) {
        if (InterlockedIncrement(&pool->waiting) > config->queue) {
            InterlockedDecrement(&pool->waiting);
            agent_fail(out, AGENT_E_SLOW_DOWN, STR("too many requests wait for Sage"), 5);
            return;
        }
        got = WaitForSingleObject(s->turn, (DWORD)(config->wait_seconds * 1000));
        InterlockedDecrement(&pool->waiting);
    }
    if (got != WAIT_OBJECT_0 && got != WAIT_ABANDONED) {
        agent_fail(out, AGENT_E_BUSY, STR("no session of Sage is free"), 5);
        return;
    }
    ask(pool, i, s, kind, q, limit_ms, out);
    ReleaseMutex(s->turn);
}

void pool_answer(struct pool *pool, unsigned i, const struct agent_request *q, const struct agent_route *r, struct agent_answer *out)
{
    const struct agent_config *config = &pool->place->config;
    bool scan = r->at == AGENT_AT_CHANGED || r->at == AGENT_AT_KEYS;
    queued(pool, i, scan ? 0 : pool->nslots - 1, AGENT_PIPE_ASK, q, (scan ? config->scan_seconds : config->call_seconds) * 1000, out);
}

/* ---- reports ---- */

static void report(struct pool *pool, struct buf *b, void (*write)(struct buf *, const struct agent_report *))
{
    struct agent_company told[AGENT_COMPANIES_MAX];
    int64_t now = place_wall_ms();
    EnterCriticalSection(&pool->lock);
    for (unsigned i = 0; i < pool->n; i++) told[i] = pool->company[i].told;
    struct agent_report r = {told, pool->n, (unsigned)pool->waiting, pool->place->config.sage, now, pool->host.offset_minutes(NULL, now)};
    write(b, &r);
    LeaveCriticalSection(&pool->lock);
}

void pool_health(struct pool *pool, struct buf *b)
{
    report(pool, b, agent_report_health);
}

void pool_companies(struct pool *pool, struct buf *b)
{
    struct agent_request none = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    struct agent_answer a = {.status = 200};
    for (unsigned i = 0; i < pool->n; i++) {
        struct company *c = &pool->company[i];
        if (c->told.opens && c->described_ms && mono_ms() - c->described_ms < 600000) continue;
        queued(pool, i, pool->nslots - 1, AGENT_PIPE_DESCRIBE, &none, pool->place->config.call_seconds * 1000, &a);
    }
    buf_free(&a.body);
    report(pool, b, agent_report_companies);
}

/* ---- watch, start, stop ---- */

static void look_at(struct pool *pool, struct company *c, struct slot *s)
{
    int64_t now = mono_ms(), deadline = InterlockedCompareExchange64(&s->deadline_ms, 0, 0);
    if (deadline && now > deadline) {
        EnterCriticalSection(&pool->lock);
        if (InterlockedCompareExchange64(&s->deadline_ms, 0, deadline) == deadline) {
            InterlockedExchange(&s->hung, 1);
            TerminateProcess(s->process, 9);
        }
        LeaveCriticalSection(&pool->lock);
        return;
    }
    if (deadline || WaitForSingleObject(s->turn, 0) == WAIT_TIMEOUT) return;
    if (s->process && now - s->used_ms > pool->place->config.idle_minutes * 60000) {
        end_child(s);
        EnterCriticalSection(&pool->lock);
        c->told.session_ms = 0;
        LeaveCriticalSection(&pool->lock);
        place_log(pool->place, EVENTLOG_INFORMATION_TYPE, "company %.3s: idle, the session is closed", c->told.code.p);
    }
    ReleaseMutex(s->turn);
}

static DWORD WINAPI watch(void *arg)
{
    struct pool *pool = arg;
    while (!pool->stopping) {
        for (unsigned i = 0; i < pool->n; i++)
            for (unsigned k = 0; k < pool->nslots; k++) look_at(pool, &pool->company[i], &pool->company[i].slot[k]);
        Sleep(200);
    }
    return 0;
}

struct pool *pool_start(struct place *p)
{
    struct pool *pool = calloc(1, sizeof *pool);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    pool->place = p;
    pool->n = p->config.ncompanies;
    pool->nslots = (unsigned)p->config.sessions;
    pool->host = place_host();
    pool->job = CreateJobObjectW(NULL, NULL);
    if (pool->job) SetInformationJobObject(pool->job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    InitializeCriticalSection(&pool->lock);
    for (unsigned i = 0; i < pool->n; i++) {
        pool->company[i].told.code = p->config.company[i];
        pool->company[i].told.epoch = p->epoch[i];
        pool->company[i].told.opens = true;      /* until it is known better */
        for (unsigned k = 0; k < pool->nslots; k++) pool->company[i].slot[k].turn = CreateMutexW(NULL, FALSE, NULL);
    }
    pool->watcher = CreateThread(NULL, 1 << 18, watch, pool, 0, NULL);
    return pool;
}

void pool_stop(struct pool *pool)
{
    InterlockedExchange(&pool->stopping, 1);
    WaitForSingleObject(pool->watcher, CLOSE_MS);
    for (unsigned i = 0; i < pool->n; i++)
        for (unsigned k = 0; k < pool->nslots; k++) {
            struct slot *s = &pool->company[i].slot[k];
            if (WaitForSingleObject(s->turn, 2000) == WAIT_TIMEOUT) kill_child(s);
            else end_child(s);
        }
    if (pool->job) CloseHandle(pool->job);
    pool->job = NULL;
}
