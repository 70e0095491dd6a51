/* site.c - the supervisor: due times, places, ends. It looks once a second, and at once when a process ends or a signal comes; an integration costs it a
 * line of memory. It opens no state, no connection and no spec: all that is the processes' work. */
#include "sync/site_private.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4, LOOK_MS = 1000, GRACE_MS = 60000, BACKOFF_MIN_MS = 30000, BACKOFF_MAX_MS = 3600000, NEVER_MS = 3600000 };

struct member {                            /* an integration */
    char *name;
    int64_t due_ms, pid;                   /* pid 0: no process */
    uint32_t spec_crc;
    bool startable, seen, told;            /* told: that it is broken */
    struct site_last last;
};
struct site {
    const struct world *w;
    const struct site_options *o;
    struct member **list; size_t n, cap;
    unsigned running;
    int lock_fd;
    char shared[4096];
};

static int64_t now_ms(const struct site *s) { return world_wall_ms(s->w); }

/* ---- the members ---- */
static struct member *member_named(struct site *s, const char *name)
{
    size_t lo = 0, hi = s->n;              /* the list is in the order of names: directories are listed so */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(s->list[mid]->name, name);
        if (c == 0) return s->list[mid];
        if (c < 0) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}

static struct member *member_add(struct site *s, const char *name)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 64;
        struct member **p = realloc(s->list, s->cap * sizeof *p);
        if (!p) check_no_memory();
        s->list = p;
    }
    struct member *m = calloc(1, sizeof *m);
    if (!m || !(m->name = strdup(name))) check_no_memory();
    size_t at = s->n++;
    for (; at > 0 && strcmp(s->list[at - 1]->name, name) > 0; at--) s->list[at] = s->list[at - 1];
    s->list[at] = m;
    return m;
}

static void member_drop(struct site *s, size_t i)
{
    free(s->list[i]->name);
    free(s->list[i]);
    memmove(&s->list[i], &s->list[i + 1], (--s->n - i) * sizeof *s->list);
}

/* A directory as it is now. What is new is due when it last said; a changed spec, and what failed before a person came by, is due at once. */
static void look_at(void *arg, const char *name)
{
    struct site *s = arg;
    struct site_dir d;
    struct engine_turn turn;
    site__look(s->w, s->o->dir, name, true, &d);
    if (!d.is_dir) return;
    struct member *m = member_named(s, name);
    bool fresh = !m;
    if (fresh) {
        m = member_add(s, name);
        site__read_last(s->w, s->o->dir, name, &m->last);
        m->last.pid = 0;
        m->due_ms = m->last.fails ? m->last.next_ms : site__read_turn(s->w, s->o->dir, name, &turn) ? turn.next_ms : 0;
    }
    m->seen = true;
    const char *broken = site__broken(&d);
    m->startable = !d.off && !broken;
    if (broken && !m->told && !d.off) log_warn("%s: %s", name, broken);
    m->told = broken != NULL;
    if (!fresh && (d.spec_crc != m->spec_crc || m->last.fails)) m->due_ms = 0;
    m->spec_crc = d.spec_crc;
}

static enum err read_site(struct site *s, struct fault *f)
{
    for (size_t i = 0; i < s->n; i++) s->list[i]->seen = false;
    if (site__names(s->w, s->o->dir, look_at, s) != 0) return fault_set(f, ERR_NOT_FOUND, "there is no site at %s: %s", s->o->dir, strerror(errno));
    for (size_t i = s->n; i > 0; i--) {
        struct member *m = s->list[i - 1];
        if (m->seen) continue;
        m->startable = false;
        if (!m->pid) member_drop(s, i - 1);            /* one whose process still runs goes when that has ended */
    }
    return ERR_OK;
}

static void remember(struct site *s, const struct member *m)
{
    struct fault f;
    if (m->seen && site__write_last(s->w, s->o->dir, m->name, &m->last, &f) != ERR_OK) log_warn("%s: %s", m->name, f.text);
}

/* ---- failing ---- */
/* 30 s, doubled up to an hour, and a part of it by name, so that a site whose network was away does not come back in one second. */
static int64_t backoff_ms(const struct member *m)
{
    int64_t wait = BACKOFF_MIN_MS;
    for (int64_t i = 1; i < m->last.fails && wait < BACKOFF_MAX_MS; i++) wait *= 2;
    if (wait > BACKOFF_MAX_MS) wait = BACKOFF_MAX_MS;
    return wait + (int64_t)(crc32c(0, m->name, strlen(m->name)) % (uint64_t)(wait / 4));
}

static void failed(struct site *s, struct member *m, int code, const char *text)
{
    m->last.code = code;
    m->last.fails++;
    m->last.ended_ms = now_ms(s);
    m->due_ms = m->last.next_ms = now_ms(s) + backoff_ms(m);
    if (text) snprintf(m->last.text, sizeof m->last.text, "%s", text);
    log_warn("%s: %s (exit %d, %lld in a row); again in %lld s", m->name, m->last.text, code, (long long)m->last.fails, (long long)(m->due_ms - now_ms(s)) / 1000);
}

/* ---- starting ---- */
static bool start(struct site *s, struct member *m)
{
    struct arena a;
    struct fault f = {ERR_OK, ""};
    struct site_dir d;
    const char **env = NULL;
    arena_init(&a, 4096);
    site__look(s->w, s->o->dir, m->name, false, &d);
    const char *broken = d.is_dir ? site__broken(&d) : "the directory is gone";
    bool good = !broken && (!d.has_env || site__env(s->w, s->o->dir, m->name, &a, &env, &f));
    const char *base = arena_printf(&a, "%s/%s", s->o->dir, m->name);
    const char *argv[] = {s->o->program, "once", "--due", "--quiet", "--image", arena_printf(&a, "%s/%s", base, d.spec), "--state", arena_printf(&a, "%s/state", base),
                          "--shared", s->shared, s->o->key_file ? "--key-file" : NULL, s->o->key_file, NULL};
    struct proc_start p = {argv, env, arena_printf(&a, "%s/log", base)};
    site__turn_log(s->w, s->o->dir, m->name);
    if (good && s->w->procs.spawn(s->w->procs.ctx, &p, &m->pid) != 0) {
        fault_set(&f, ERR_IO, "no process can be started: %s", strerror(errno));
        m->pid = 0;
        good = false;
    }
    if (good) {
        s->running++;
        m->last.pid = m->pid;
        m->last.started_ms = now_ms(s);
    } else {
        failed(s, m, 78, broken ? broken : f.text);
    }
    remember(s, m);
    arena_free(&a);
    return good;
}

static struct member *next_due(const struct site *s)
{
    struct member *best = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct member *m = s->list[i];
        if (m->startable && !m->pid && m->due_ms <= now_ms(s) && (!best || m->due_ms < best->due_ms)) best = m;
    }
    return best;
}

static void start_due(struct site *s)
{
    unsigned places = s->o->at_once ? s->o->at_once : AT_ONCE;
    for (struct member *m; s->running < places && (m = next_due(s)) != NULL;) start(s, m);
}

/* ---- ends ---- */
static void ended(struct site *s, struct member *m, int code)
{
    struct engine_turn t;
    char words[sizeof m->last.text];
    m->pid = m->last.pid = 0;
    s->running--;
    if (code == 0 && site__read_turn(s->w, s->o->dir, m->name, &t)) {
        int64_t latest = now_ms(s) + NEVER_MS;             /* nothing planned, or a clock that was set back: looked at within the hour */
        if (m->last.fails) log_info("%s: works again", m->name);
        m->last.code = m->last.fails = 0;
        m->last.text[0] = '\0';
        m->last.ok_ms = m->last.ended_ms = now_ms(s);
        m->due_ms = m->last.next_ms = t.next_ms < latest ? t.next_ms : latest;
    } else if (s->o->stop && *s->o->stop) {
        m->last.ended_ms = now_ms(s);                      /* we ended it: no fault of its own */
        m->due_ms = m->last.next_ms = now_ms(s);
    } else {
        site__last_words(s->w, s->o->dir, m->name, words, sizeof words);
        failed(s, m, code, words[0] ? words : code > 128 ? "ended by a signal" : "it said nothing");
    }
    remember(s, m);
}

static void reap(struct site *s)
{
    int64_t pid;
    int code;
    while (s->w->procs.reap(s->w->procs.ctx, &pid, &code) == 1) {
        for (size_t i = 0; i < s->n; i++) {
            if (s->list[i]->pid != pid) continue;
            ended(s, s->list[i], code);
            if (!s->list[i]->seen) member_drop(s, i);
            break;
        }
    }
}

static void signal_all(struct site *s, int sig)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i]->pid) s->w->procs.signal(s->w->procs.ctx, s->list[i]->pid, sig);
}

/* Asks all to end, gives them time, and ends those that do not: a process may be killed at any moment. */
static void end_all(struct site *s)
{
    int64_t grace = s->o->grace_ms ? s->o->grace_ms : GRACE_MS, until = world_mono_ms(s->w) + grace;
    bool killed = false;
    if (s->running) log_info("%u integrations are asked to end", s->running);
    signal_all(s, SIGTERM);
    for (reap(s); s->running; reap(s)) {
        if (!killed && world_mono_ms(s->w) >= until) {
            signal_all(s, SIGKILL);
            killed = true;
        }
        s->w->clock.sleep_ms(s->w->clock.ctx, 50);
    }
}

/* ---- the loop ---- */
static int64_t pause_ms(const struct site *s)
{
    int64_t wait = LOOK_MS;
    for (size_t i = 0; i < s->n && s->running == 0; i++) {
        const struct member *m = s->list[i];
        int64_t in = m->startable && !m->pid ? m->due_ms - now_ms(s) : LOOK_MS;
        if (in < wait) wait = in > 0 ? in : 1;
    }
    return wait;
}

static enum err take_site(struct site *s, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", s->o->dir);
    s->lock_fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT, 0600);
    if (s->lock_fd < 0) return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "there is no site at %s: %s", s->o->dir, strerror(errno));
    if (fs->lock(fs->ctx, s->lock_fd) != 0) return fault_set(f, ERR_LOCKED_STATE, "another mlcd looks after %s", s->o->dir);
    snprintf(s->shared, sizeof s->shared, "%s/.shared", s->o->dir);
    if (fs->mkdir(fs->ctx, s->shared, 0700) != 0 && errno != EEXIST) return fault_set(f, ERR_IO, "cannot make %s: %s", s->shared, strerror(errno));
    return ERR_OK;
}

enum err site_run(const struct world *w, const struct site_options *o, struct fault *f)
{
    struct site s = {.w = w, .o = o, .lock_fd = -1};
    enum err err = take_site(&s, f);
    if (err == ERR_OK) err = read_site(&s, f);
    if (err == ERR_OK) log_info("%s: %zu integrations, %u at once", o->dir, s.n, o->at_once ? o->at_once : AT_ONCE);
    if (err == ERR_OK) world_tell_manager(w, "READY=1");
    while (err == ERR_OK && !*o->stop) {
        world_tell_manager(w, "WATCHDOG=1");
        if (o->reload && *o->reload) {
            *o->reload = 0;
            err = read_site(&s, f);
        }
        reap(&s);
        start_due(&s);
        if (!*o->stop) w->clock.sleep_ms(w->clock.ctx, pause_ms(&s));
    }
    world_tell_manager(w, "STOPPING=1");
    end_all(&s);
    while (s.n) member_drop(&s, s.n - 1);
    free(s.list);
    if (s.lock_fd >= 0) w->files.close(w->files.ctx, s.lock_fd);
    return err;
}
