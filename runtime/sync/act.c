/* act.c - see act.h. A request is a text file, one act a line: verb, flow, key, id, flags, by, parted by tabs. The answer has a line for each: error
 * name, count, text. Files appear under their name only when they are whole. */
#include "sync/act.h"
#include "sync/sync_private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *const verbs[ACT_COUNT] = {"replay", "adopt", "accept", "erase", "cause", "reload"};
enum { REQUEST_MAX = 16 << 20, FIELDS = 6 };

void act_do(struct engine *e, const struct act *a, struct act_result *out)
{
    struct fault f = {ERR_OK, ""};
    *out = (struct act_result){.count = 1};
    const char *flow = a->flow.n ? arena_copy(&e->page, a->flow.p, a->flow.n) : NULL;
    char by[120], flow_name[200];
    snprintf(by, sizeof by, "%.*s", (int)a->by.n, a->by.p);
    if (flow) snprintf(flow_name, sizeof flow_name, "%s", flow);
    flow = flow ? flow_name : NULL;
    switch (a->verb) {
    case ACT_REPLAY: out->err = engine_replay(e, flow, a->key, a->from_log, a->recreate, by, &f); break;
    case ACT_ADOPT:  out->err = engine_adopt(e, flow, a->key, a->id, by, &f); break;
    case ACT_ACCEPT: out->err = engine_accept(e, flow, by, &out->count, &f); break;
    case ACT_ERASE:  out->err = engine_erase(e, flow, a->key, by, &f); break;
    case ACT_CAUSE:  out->err = engine_replay_cause(e, flow, a->key, a->recreate, by, &out->count, &f); break;
    case ACT_RELOAD: e->reload_asked = true; break;
    case ACT_COUNT:  ASSERT(false);
    }
    if (out->err != ERR_OK) out->count = 0;
    memcpy(out->text, f.text, sizeof out->text);
}

/* ---- the asking side ---- */
static bool clean(struct str s)
{
    return !memchr(s.p ? s.p : "", '\t', s.n) && !memchr(s.p ? s.p : "", '\n', s.n);
}

static bool put_acts(struct buf *b, const struct act *acts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct act *a = &acts[i];
        if (!clean(a->flow) || !clean(a->key) || !clean(a->id) || !clean(a->by)) return false;
        buf_printf(b, "%s\t%.*s\t%.*s\t%.*s\t%s%s-\t%.*s\n", verbs[a->verb], (int)a->flow.n, a->flow.p, (int)a->key.n, a->key.p, (int)a->id.n, a->id.p,
                   a->from_log ? "l" : "", a->recreate ? "r" : "", (int)a->by.n, a->by.p);
    }
    return b->n <= REQUEST_MAX;
}

static size_t split_tabs(struct str line, struct str *out, size_t max)
{
    size_t n = 0;
    for (;;) {
        const char *tab = line.n && n + 1 < max ? memchr(line.p, '\t', line.n) : NULL;
        out[n++] = (struct str){line.p, tab ? (size_t)(tab - line.p) : line.n};
        if (!tab) return n;
        line = (struct str){tab + 1, line.n - (size_t)(tab + 1 - line.p)};
    }
}

static enum err err_named(struct str name)
{
    for (int i = 0; i < ERR_COUNT; i++)
        if (str_is(name, err_name((enum err)i))) return (enum err)i;
    return ERR_PROTOCOL;
}

static void read_results(struct str text, struct act_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str part[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
        int64_t count = 0;
        split_tabs(str_take(&text, '\n'), part, 3);
        str_to_i64(part[1], &count);
        results[i] = (struct act_result){.err = err_named(part[0]), .count = (uint64_t)count};
        snprintf(results[i].text, sizeof results[i].text, "%.*s", (int)part[2].n, part[2].p ? part[2].p : "");
    }
}

bool act_somebody_runs(const struct world *w, const char *state_dir)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/lock", state_dir);
    int fd = w->files.open(w->files.ctx, path, O_RDWR, 0600);
    if (fd < 0) return false;
    bool held = w->files.lock(w->files.ctx, fd) != 0;
    w->files.close(w->files.ctx, fd);
    return held;
}

enum err act_hand_over(const struct world *w, const char *state_dir, const struct act *acts, size_t n, int64_t wait_ms, struct act_result *results, struct fault *f)
{
    const struct world_files *fs = &w->files;
    struct arena a;
    struct buf b = {0};
    uint64_t dice;
    arena_init(&a, 0);
    w->random.fill(w->random.ctx, &dice, sizeof dice);
    const char *dir = arena_printf(&a, "%s/inbox", state_dir);
    const char *name = arena_printf(&a, "%s/%013lld-%016llx", dir, (long long)world_wall_ms(w), (unsigned long long)dice);
    const char *req = arena_printf(&a, "%s.req", name), *res = arena_printf(&a, "%s.res", name);
    enum err err = ERR_OK;
    if (!put_acts(&b, acts, n)) err = fault_set(f, ERR_USAGE, "a key or name holds a tab or line end, or the list is too long");
    else if (fs->mkdir(fs->ctx, dir, 0700) != 0 && errno != EEXIST) err = fault_set(f, ERR_IO, "cannot make %s: %s", dir, strerror(errno));
    if (err == ERR_OK) err = world_write_file(w, req, buf_view(&b), 0600, f);
    buf_free(&b);
    struct str text = {NULL, 0};
    bool answered = false;
    for (int64_t end = world_mono_ms(w) + wait_ms; err == ERR_OK && !answered && world_mono_ms(w) < end;) {
        answered = world_read_file(w, res, REQUEST_MAX, &a, &text, NULL) == ERR_OK;
        if (!answered) w->clock.sleep_ms(w->clock.ctx, 100);
    }
    if (answered) {
        read_results(text, results, n);
        fs->unlink(fs->ctx, res);
    } else if (err == ERR_OK) {
        fs->unlink(fs->ctx, req);
        err = fault_set(f, ERR_BUSY, "another mlcd works in %s and did not take the request in time; try again later", state_dir);
    }
    arena_free(&a);
    return err;
}

/* ---- the running side ---- */
static bool parse_act(struct str line, struct act *a)
{
    struct str part[FIELDS];
    if (split_tabs(line, part, FIELDS) != FIELDS) return false;
    *a = (struct act){.verb = ACT_COUNT, .flow = part[1], .key = part[2], .id = part[3], .by = part[5]};
    for (int v = 0; v < ACT_COUNT; v++)
        if (str_is(part[0], verbs[v])) a->verb = (enum act_verb)v;
    a->from_log = memchr(part[4].p, 'l', part[4].n) != NULL;
    a->recreate = memchr(part[4].p, 'r', part[4].n) != NULL;
    return a->verb != ACT_COUNT;
}

struct inbox { struct arena *a; const char *names[64]; size_t n; };

static void note_request(void *arg, const char *name)
{
    struct inbox *box = arg;
    size_t len = strlen(name);
    if (box->n < 64 && len > 4 && strcmp(name + len - 4, ".req") == 0) box->names[box->n++] = arena_copy(box->a, name, len - 4);
}

static size_t take_request(struct engine *e, const char *path, struct arena *a)
{
    const char *req = arena_printf(a, "%s.req", path), *res = arena_printf(a, "%s.res", path);
    struct str text;
    struct buf out = {0};
    struct fault f;
    size_t done = 0;
    if (world_read_file(e->w, req, REQUEST_MAX, a, &text, &f) != ERR_OK) return 0;
    while (text.n) {
        struct act act;
        struct act_result r = {ERR_USAGE, "the request cannot be read", 0};
        if (parse_act(str_take(&text, '\n'), &act)) act_do(e, &act, &r);
        done += r.err == ERR_OK;
        for (char *p = r.text; *p; p++)
            if (*p == '\n' || *p == '\t') *p = ' ';
        buf_printf(&out, "%s\t%llu\t%s\n", err_name(r.err), (unsigned long long)r.count, r.text);
    }
    /* The acts are in the log; the request goes first, so that it is never done twice. */
    e->w->files.unlink(e->w->files.ctx, req);
    if (world_write_file(e->w, res, buf_view(&out), 0600, &f) != ERR_OK) log_warn("cannot answer an operator's request: %s", f.text);
    buf_free(&out);
    return done;
}

size_t act_take_inbox(struct engine *e)
{
    struct arena a;
    arena_init(&a, 0);
    struct inbox *box = ARENA_NEW(&a, struct inbox);
    box->a = &a;
    const char *dir = arena_printf(&a, "%s/inbox", e->o.state_dir);
    size_t done = 0;
    if (e->w->files.list(e->w->files.ctx, dir, note_request, box) == 0)
        for (size_t i = 0; i < box->n; i++) done += take_request(e, arena_printf(&a, "%s/%s", dir, box->names[i]), &a);
    arena_free(&a);
    return done;
}
