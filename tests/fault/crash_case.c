/* crash_case.c - one case, in a process of its own (the server): a first sync of 60 customers and four orders with lines, a sync of changes, the fault somewhere in the two, a
 * quiet sync, a power cut, a sync of exactly three changes; then the judge.
 *
 *     lives ... until finished | 15 minutes, changes | lives ... until finished | lives without faults | power cut | 3 changes | one life | judge
 *
 * In the way, whatever the case: a blank name, a row that is locked, a 207, a renewed token, a 429, a timeout after the effect, an effect that comes
 * late. When the program dies, people go on: two customers change before the next life. */
#include "tests/fault/memory.h"
#include "tests/fault/scene.h"
#include "tests/tree.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIVES_MAX = 24, QUARTER_MS = 15 * 60000 };
#define START_MS 1773355267000          /* 2026-03-12T22:41:07Z */
#define COMPANY  "ABC"

bool scene_wrong(struct scene *s, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!s->c->text[0]) (void)vsnprintf(s->c->text, sizeof s->c->text, format, ap);
    va_end(ap);
    return false;
}

const char *const scene_modules[SCENE_MODULES] = {"Accounts", "Products", "Sales_Orders"};

/* ---- models ---- */
static const char zoho_script[] =
    "[{\"match\":{\"method\":\"POST\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":1,\"do\":\"INTERNAL_ERROR\",\"index\":3},"
    "{\"match\":{\"method\":\"POST\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":2,\"do\":\"expire_token\"},"
    "{\"match\":{\"method\":\"POST\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":4,\"do\":\"429\"},"
    "{\"match\":{\"method\":\"POST\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":5,\"do\":\"timeout_after\",\"delay_ms\":4000},"
    "{\"match\":{\"method\":\"PUT\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":1,\"do\":\"apply_late\",\"apply_after_ms\":8000,\"delay_ms\":2000},"
    "{\"match\":{\"method\":\"PUT\",\"path_regex\":\"^/crm/v8/Accounts$\"},\"nth\":2,\"do\":\"timeout_after\",\"delay_ms\":4000}]";

const char *scene_key(const json_t *record)
{
    static const char *const fields[] = {"Sage_Customer", "Sage_Item", "Sage_Document"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (json_object_get(record, fields[i])) return json_string_value(json_object_get(record, fields[i]));
    return NULL;
}

static void note_write(struct scene *s, const json_t *record)
{
    const char *id = json_string_value(json_object_get(record, "id")), *key = scene_key(record);
    if (s->nwrites == s->cap_writes) {
        s->cap_writes = s->cap_writes ? s->cap_writes * 2 : 256;
        s->writes = realloc(s->writes, s->cap_writes * sizeof *s->writes);
        if (!s->writes) abort();
    }
    struct scene_write *w = &s->writes[s->nwrites++];
    (void)snprintf(w->id, sizeof w->id, "%s", id ? id : "");
    (void)snprintf(w->key, sizeof w->key, "%s", key ? key : "");
}

/* The tester's eye: notes which records were sent. A 401 applied nothing and is repeated under the same INTENT. */
static void watch(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    struct scene *s = ctx;
    if (s->setup->trace) fprintf(stderr, "    %9llu %s %s -> %d\n", (unsigned long long)s->sh->calls, req->method, req->url, resp->status);
    bool write = strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0;
    bool ours = false;
    for (size_t i = 0; i < SCENE_MODULES; i++) {
        size_t n = strlen(req->url), tail = strlen(scene_modules[i]);
        ours = ours || (n > tail && strcmp(req->url + n - tail, scene_modules[i]) == 0 && req->url[n - tail - 1] == '/');
    }
    if (!write || !ours || resp->status == 401) return;
    json_t *body = json_loadb(req->body.p, req->body.n, 0, NULL);
    const json_t *record;
    size_t i;
    json_array_foreach(json_object_get(body, "data"), i, record) note_write(s, record);
    json_decref(body);
}

static bool key_add(void *ctx, const char *key)
{
    struct scene *s = ctx;
    if (s->nkeys < SCENE_KEYS) (void)snprintf(s->key[s->nkeys++], sizeof s->key[0], "%s", key);
    return true;
}

void scene_keys(struct scene *s)
{
    s->nkeys = 0;
    (void)sage_sim_each_key(s->sage, COMPANY, "customers", key_add, s);
}

static bool models(struct scene *s)
{
    char why[300];
    struct sage_sim_options so;
    s->loop = sim_loop_new(START_MS, 11);
    sage_sim_options_default(&so);
    so.customers = SCENE_CUSTOMERS;
    so.company = COMPANY;
    so.token = "agent-token";
    so.history_end = 20260228;
    so.clock = sim_loop_clock(s->loop);
    s->sage = sage_sim_new(&so);
    struct zoho_sim_options zo = {.data_path = s->setup->data_path, .api_domain = "https://www.zohoapis.com", .clock = sim_loop_clock(s->loop)};
    s->zoho = zoho_sim_open(&zo, why, sizeof why);
    if (!s->sage || !s->zoho) return scene_wrong(s, "a model does not open: %s", s->zoho ? "Sage" : why);
    if (!zoho_sim_faults(s->zoho, zoho_script, why, sizeof why)) return scene_wrong(s, "Zoho's script: %s", why);
    sim_loop_mount(s->loop, "https://erp.test", sage_sim_model(s->sage));
    sim_loop_mount(s->loop, "https://accounts.zoho.com", zoho_sim_model(s->zoho));
    sim_loop_mount(s->loop, "https://www.zohoapis.com", zoho_sim_model(s->zoho));
    sim_loop_watch(s->loop, watch, s);
    scene_keys(s);
    bool ok = s->nkeys == SCENE_CUSTOMERS && sage_sim_edit(s->sage, COMPANY, "customers", s->key[20], "CustomerName", NULL, SAGE_STAMP_KEPT) &&
              sage_sim_lock(s->sage, COMPANY, "customers", s->key[10], 2, 0);
    return (ok || scene_wrong(s, "the company cannot be prepared")) && orders_begin(s);
}

/* ---- what people do in Sage ---- */
static bool change(struct scene *s, size_t k, bool name)
{
    char value[40];
    s->edits++;
    if (name) (void)snprintf(value, sizeof value, "Customer %u of %zu", s->edits, k);
    else (void)snprintf(value, sizeof value, "%u.%02u", 4000 + s->edits * 25, s->edits % 100);
    bool ok = sage_sim_edit(s->sage, COMPANY, "customers", s->key[k], name ? "CustomerName" : "CreditLimit", value, SAGE_STAMP_NOW);
    return ok || scene_wrong(s, "customer %s cannot be changed", s->key[k]);
}

static bool change_some(struct scene *s)
{
    static const size_t which[] = {1, 3, 7, 8, 11, 20, 23, 24, 25, 31, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 57, 59};
    bool ok = true;
    for (size_t i = 0; i < sizeof which / sizeof *which && ok; i++) ok = change(s, which[i], which[i] == 20 || i % 2);
    ok = ok && orders_change(s, 0);
    return ok && (sage_sim_insert(s->sage, COMPANY, "customers", "01~ZNEW", NULL, NULL) || scene_wrong(s, "no new customer"));
}

/* ---- lives ---- */
static void record(const struct scene *s, struct record_part part, const void *ops)
{
    struct crash_record *r = s->setup->record;
    if (!r || r->stopped) return;
    if (r->n + sizeof part + part.n > RECORD_BYTES) abort();
    memcpy(r->bytes + r->n, &part, sizeof part);
    if (part.n) memcpy(r->bytes + r->n + sizeof part, ops, part.n);
    r->n += sizeof part + part.n;
}

static bool disk_reboot(struct scene *s, enum cut how, uint64_t seed)
{
    record(s, (struct record_part){.cut = (uint32_t)how, .seed = seed}, NULL);
    platter_cut(s->platter, how, seed);
    tree_gone(s->state);
    return platter_export(s->platter, s->setup->dir) || scene_wrong(s, "the platter cannot be written out: %s", strerror(errno));
}

static void child(void *ctx, int fd)
{
    struct scene *s = ctx;
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0 && !s->setup->trace) dup2(null, 2);
    log_set_level(s->setup->trace ? LOG_INFO : LOG_ERROR);
    const char *image = s->more ? s->setup->more[s->sh->todo.second_spec] : s->setup->image_path;
    struct life_plan p = {s->setup->dir, s->state, image, s->feed};
    int end = life_run(&p, s->sh, fd);
    memory_ended(end);
    io_exit(CRASH_STATUS + end);
}

/* How it ended; -1 = in a way that is wrong, with the text. */
static int end_of(struct scene *s, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && s->sh->struck) return LIFE_KILLED;
    /* 23: the leak checker of a sanitized build has its say at exit */
    bool no_memory = s->sh->out_of_memory && WIFEXITED(status) && (WEXITSTATUS(status) == 71 || WEXITSTATUS(status) == 23);
    if (no_memory) return LIFE_KILLED;
    if (WIFSIGNALED(status)) return scene_wrong(s, "the program ended by signal %d in life %u", WTERMSIG(status), s->sh->life) - 1;
    int code = WEXITSTATUS(status) - CRASH_STATUS;
    if (code != LIFE_DONE && code != LIFE_UNFINISHED && code != LIFE_ERROR) return scene_wrong(s, "the program ended with status %d", code + CRASH_STATUS) - 1;
    if (code == LIFE_ERROR && !s->sh->struck)
        return scene_wrong(s, "life %u fails without a fault: %s: %s", s->sh->life, err_name((enum err)s->sh->err), s->sh->error) - 1;
    return code;
}

static int one_life(struct scene *s)
{
    int status = 0;
    struct crash_shared *sh = s->sh;
    s->c->lives++;
    sh->second_base = sh->hit[0] && !sh->second_base ? sh->calls : sh->second_base;
    if (!net_life(s->net, child, s, &status)) return scene_wrong(s, "the program spoke nonsense, or could not be made") - 1;
    record(s, (struct record_part){.n = sh->log_bytes}, sh->log);
    bool ok = platter_replay(s->platter, sh->log, sh->log_bytes) || scene_wrong(s, "the log of the disk cannot be replayed");
    sh->log_bytes = 0;
    int end = end_of(s, status);
    if (s->setup->trace)
        fprintf(stderr, "  life %u: %s %s (%llu calls so far, %zu changes not synced)\n", sh->life,
                (const char *const[]){"wrong", "killed", "done", "unfinished", "error:"}[end + 1], end == LIFE_ERROR ? sh->error : "",
                (unsigned long long)sh->calls, platter_queued(s->platter));
    if (s->setup->trace) platter_tell(s->platter, stderr);
    if (ok && end == LIFE_KILLED && sh->cut != CUT_NONE) ok = disk_reboot(s, sh->cut, sh->cut_seed);
    return ok ? end : -1;
}

/* Lives until one has nothing left to do. */
static bool live(struct scene *s)
{
    for (unsigned tries = 0; s->c->lives < LIVES_MAX; tries++) {
        int end = one_life(s);
        if (end < 0) return false;
        if (end == LIFE_DONE && s->sh->pending == 0 && !more_to_do(s)) return true;
        sim_loop_advance(s->loop, s->sh->struck ? 1000 : QUARTER_MS);
        if (s->sh->struck && !s->meanwhile) {
            s->meanwhile = true;
            if (!change(s, 3, false) || !change(s, 45, true) || !change(s, 58, false) || !orders_change(s, 1)) return false;
        }
    }
    return scene_wrong(s, "%u lives, and still something to do (%llu rows): %s", s->c->lives, (unsigned long long)s->sh->pending, s->sh->error);
}

/* ---- the case ---- */
static bool three_changes(struct scene *s)
{
    if (!change(s, 5, false) || !change(s, 33, true) || !change(s, 56, false)) return false;
    struct zoho_counts before = check_counts(s);
    if (!live(s)) return false;
    struct zoho_counts after = check_counts(s);
    if (after.updates - before.updates == 3 && after.inserts == before.inserts && after.noops == before.noops) return true;
    return scene_wrong(s, "3 customers changed, and Zoho saw %lld inserts, %lld updates and %lld updates without effect",
                       (long long)(after.inserts - before.inserts), (long long)(after.updates - before.updates), (long long)(after.noops - before.noops));
}

/* The index is gone: it comes back from the log, and nothing is written to Zoho for it. */
static bool without_index(struct scene *s)
{
    char path[700];
    struct zoho_counts before = check_counts(s);
    if (s->setup->record) s->setup->record->stopped = true;      /* what happens here happens outside of the log */
    (void)snprintf(path, sizeof path, "%s/index", s->state);
    tree_gone(path);
    if (!live(s)) return false;
    struct zoho_counts after = check_counts(s);
    return (after.updates == before.updates && after.inserts == before.inserts && after.noops == before.noops) ||
           scene_wrong(s, "the index was made anew, and Zoho was written to");
}

static bool play(struct scene *s)
{
    s->sh->counting = s->sh->armed = true;
    if (!live(s)) return false;
    sim_loop_advance(s->loop, QUARTER_MS);
    if (!change_some(s) || (s->more && !more_change(s))) return false;
    if (s->keys) keys_change(s);
    if (!live(s)) return false;
    s->c->calls = s->sh->calls;
    s->c->mallocs = s->sh->mallocs;
    s->c->keys_from = s->sh->keys_from;
    s->c->keys_to = s->sh->keys_to;
    s->c->reached = s->sh->fault[0].kind == FAULT_NONE || s->sh->hit[0];
    s->sh->counting = s->sh->armed = false;
    sim_loop_advance(s->loop, QUARTER_MS);
    if (!live(s) || !disk_reboot(s, CUT_LOSE_ALL, 0) || !check_records(s)) return false;
    sim_loop_advance(s->loop, QUARTER_MS);
    if (!three_changes(s) || !disk_reboot(s, CUT_LOSE_ALL, 0) || !check_records(s) || !check_state(s)) return false;
    sim_loop_advance(s->loop, QUARTER_MS);
    if (!without_index(s) || !check_records(s)) return false;
    int64_t noops = check_counts(s).noops;
    /* A bulk job whose number was lost is found by its records only when it has run: until then they are sent, refused as doubles, and written. */
    if (s->more && s->c->fault[0].kind != FAULT_NONE) return true;
    return noops == 0 || scene_wrong(s, "%lld updates of Zoho had no effect: they had been applied before", (long long)noops);
}

/* The course up to the fault is the one of the run without faults; else the number means another call. */
static bool same_course(struct scene *s)
{
    uint64_t n = s->c->fault[0].call;
    if (s->sh->elsewhere) return scene_wrong(s, "the run is not the same again: the allocation is made elsewhere");
    if (!s->setup->baseline || s->c->memory || s->c->fault[0].kind == FAULT_NONE) return true;
    for (uint64_t i = 1; i <= n && i < CRASH_CALLS; i++)
        if (s->sh->called[i] != s->setup->baseline[i])
            return scene_wrong(s, "the run is not the same again: call %llu is %s, was %s", (unsigned long long)i, io_call_text[s->sh->called[i]],
                               io_call_text[s->setup->baseline[i]]);
    return true;
}

void case_run(const struct crash_setup *setup, struct crash_case *c, unsigned char *called)
{
    struct scene s = {.setup = setup, .c = c, .more = setup->more[0] != NULL, .keys = setup->keys, .platter = platter_new()};
    int fd = memfd_create("crash", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof *s.sh) != 0) abort();
    s.sh = mmap(NULL, sizeof *s.sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (s.sh == MAP_FAILED) abort();
    s.sh->fd = fd;
    s.sh->probe = setup->probe;
    s.sh->random = 5;
    s.sh->trace = setup->trace;
    s.sh->plant = c->plant;
    memcpy(s.sh->fault, c->fault, sizeof s.sh->fault);
    (void)snprintf(s.state, sizeof s.state, "%s/state", setup->dir);
    (void)snprintf(s.feed, sizeof s.feed, "%s-feed", setup->dir);
    tree_gone(s.state);
    bool ok = models(&s);
    s.net = ok ? net_server_new(s.loop, s.sh) : NULL;
    c->passed = ok && play(&s) && same_course(&s);
    c->noops = s.zoho ? (uint64_t)check_counts(&s).noops : 0;
    if (called) memcpy(called, s.sh->called, CRASH_CALLS);
    net_server_free(s.net);
    zoho_sim_close(s.zoho);
    sage_sim_free(s.sage);
    sim_loop_free(s.loop);
    platter_free(s.platter);
    free(s.writes);
    munmap(s.sh, sizeof *s.sh);
    close(fd);
    c->done = true;
}
