/* shared_test.c - several processes with one grant: one token for all, ten renewals in ten minutes counted over all, ten heavy calls at once over all. A
 * process is a target with a sealed state of its own; clock, network and model are one. */
#include "rig.h"
#include "tests/tree.h"
#include <fcntl.h>
#include <unistd.h>

enum { PROCESSES = 4 };
static struct rig one, more[PROCESSES - 1], *all[PROCESSES];
static char dir[200];

static void open_all(const char *shared, const char *refresh)
{
    rig_open(&one, "enterprise");
    for (int i = 0; i < PROCESSES; i++) {
        struct rig *r = all[i] = i ? &more[i - 1] : &one;
        if (i) rig_open(r, "enterprise");
        rig_credentials(r, refresh);
        r->w = one.w;                       /* its clock, its network, its model */
        r->env.world = &one.w;
        r->env.shared_dir = shared;
        rig_target(r);
    }
}

static void close_all(void)
{
    for (int i = PROCESSES - 1; i >= 0; i--) rig_close(all[i]);
}

static enum err count(struct rig *r)
{
    int64_t n;
    return zoho_target_ops.count(r->t, STR("Accounts"), &n, &r->f);
}

static void test_token(void)
{
    open_all(dir, "1000.simrefresh");
    for (int i = 0; i < PROCESSES; i++) check(count(all[i]) == ERR_OK, "a process calls", all[i]->f.text);
    check(one.token_requests == 1, "one token for all of them", arena_printf(&one.arena, "%u", one.token_requests));
    for (int i = 1; i < PROCESSES; i++)
        for (size_t k = 0; k < all[i]->nsaved; k++) check(strcmp(all[i]->saved[k].name, "zoho.token") != 0, "none keeps one of its own", "");
    zoho_sim_expire_tokens(one.sim);
    for (int i = 0; i < PROCESSES; i++) check(count(all[i]) == ERR_OK, "after a 401 it goes on", all[i]->f.text);
    check(one.token_requests == 2, "and one renewal served all", arena_printf(&one.arena, "%u", one.token_requests));
    int made = 0;
    for (int i = 0; i < 40; i++) {
        zoho_sim_expire_tokens(one.sim);
        made += count(all[i % PROCESSES]) == ERR_OK;
        one.now += 2000;
    }
    check(one.token_requests == ZOHO_TOKENS && made == ZOHO_TOKENS - 2, "ten in ten minutes over all of them", arena_printf(&one.arena, "%u", one.token_requests));
    check(count(all[3]) == ERR_BUSY && strstr(all[3]->f.text, "10 minutes"), "the others are told", all[3]->f.text);
    one.now += 600000;
    check(count(all[2]) == ERR_OK && one.token_requests == ZOHO_TOKENS + 1, "ten minutes later the next one is asked for", all[2]->f.text);
    close_all();
    open_all(NULL, "1000.simrefresh");
    for (int i = 0; i < PROCESSES; i++) (void)count(all[i]);
    check(one.token_requests == PROCESSES, "control: without the directory each has its own", arena_printf(&one.arena, "%u", one.token_requests));
    close_all();
}

/* The directory tells nothing to who has not got the refresh token, and a broken file is not believed. */
static void test_sealed(void)
{
    open_all(dir, "1000.simrefresh");
    (void)count(all[0]);
    char path[300], text[5000] = "";
    int tokens = 0;
    snprintf(path, sizeof path, "%s/%s.token", dir, one.t->shared.id);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f) fclose(f);
    tokens = n > 0 && !memmem(text, n, "1000.", 5) && !memmem(text, n, "access", 6) && !memmem(text, n, "api_domain", 10);
    check(tokens, "the token is sealed", path);
    check(!strstr(path, "simrefresh"), "the name tells nothing", path);
    text[n / 2] = (char)(text[n / 2] ^ 1);
    f = fopen(path, "w");
    if (f) fwrite(text, 1, n, f);
    if (f) fclose(f);
    unsigned before = one.token_requests;
    rig_target(all[1]);
    check(count(all[1]) == ERR_OK && one.token_requests == before + 1, "a damaged one is not used", all[1]->f.text);
    close_all();
}

/* Somebody renews and hangs; somebody renews and dies. */
static void test_lock(void)
{
    open_all(dir, "1000.simrefresh");
    (void)count(all[0]);
    char path[300];
    snprintf(path, sizeof path, "%s/%s.lock", dir, one.t->shared.id);
    int fd = open(path, O_RDWR);
    check(fd >= 0 && one.w.files.lock(one.w.files.ctx, fd) == 0, "the lock is free between renewals", path);
    zoho_sim_expire_tokens(one.sim);
    int64_t began = one.now;
    check(count(all[1]) == ERR_BUSY && one.now - began >= 60000, "who hangs is waited for, not for ever", all[1]->f.text);
    close(fd);
    check(count(all[1]) == ERR_OK, "who dies lets go", all[1]->f.text);
    close_all();
}

static void test_places(void)
{
    open_all(dir, "1000.simrefresh");
    zoho_sim_switch(one.sim, "latency_ms", 5000);
    (void)count(all[0]);
    struct write_batch *b[40], *done;
    int started = 0, refused = 0;
    for (int i = 0; i < 24; i++) {
        struct rig *r = all[i % PROCESSES];
        b[i] = rig_accounts(r, arena_printf(&r->arena, "p%d", i), 20);
        enum err e = zoho_target_ops.write_start(r->t, b[i], &r->f);
        started += e == ERR_OK;
        refused += e == ERR_BUSY && strstr(r->f.text, "in all processes") != NULL;
    }
    check(started == ZOHO_HEAVY_CALLS && refused == 24 - ZOHO_HEAVY_CALLS, "ten heavy writes at once over four processes",
          arena_printf(&one.arena, "%d started, %d told to wait", started, refused));
    struct write_batch *light = rig_accounts(all[0], "light", 10);
    check(zoho_target_ops.write_start(all[0]->t, light, &all[0]->f) == ERR_OK, "ten records need no place", all[0]->f.text);
    rig_target(all[1]);                              /* a process dies with its calls under way: its places are free */
    struct write_batch *next = rig_accounts(all[2], "next", 20);
    check(zoho_target_ops.write_start(all[2]->t, next, &all[2]->f) == ERR_OK, "the dead hold no places", all[2]->f.text);
    int back = 0;
    for (int k = 0; k < 200 && back < 20; k++)
        for (int i = 0; i < PROCESSES; i++)
            if (i != 1 && zoho_target_ops.write_wait(all[i]->t, 1000, &done, &all[i]->f) == ERR_OK && done) back += all_are(done, W_APPLIED) || done->items[0].cls == W_RETRY;
    check(back >= 8, "the others end well", arena_printf(&one.arena, "%d", back));
    started = 0;
    for (int i = 0; i < 12; i++) started += zoho_target_ops.write_start(all[3]->t, rig_accounts(all[3], arena_printf(&one.arena, "z%d", i), 20), &all[3]->f) == ERR_OK;
    check(started == ZOHO_WRITERS_USUAL, "afterwards one process may have all that it wants", arena_printf(&one.arena, "%d", started));
    close_all();
}

/* A look-up waits for its place instead of earning a 429. */
static void test_reads_wait(void)
{
    open_all(dir, "1000.simrefresh");
    for (int i = 0; i < 2; i++) (void)count(all[i]);
    int held[ZOHO_HEAVY_CALLS];
    for (int i = 0; i < ZOHO_HEAVY_CALLS; i++) held[i] = zoho__place_take(all[0]->t);
    int extra = zoho__place_take(all[1]->t);
    check(held[ZOHO_HEAVY_CALLS - 1] >= 0 && extra == ZOHO_ALL_TAKEN, "ten places, no more", arena_printf(&one.arena, "%d %d", held[ZOHO_HEAVY_CALLS - 1], extra));
    struct lookup_hit *hits;
    size_t n;
    int64_t began = one.now;
    enum err e = zoho_target_ops.lookup(all[1]->t, STR("Accounts"), STR("Sage_Customer"), &STR("x"), 1, NULL, 0, &one.arena, &hits, &n, &all[1]->f);
    check(e == ERR_BUSY && one.now - began >= 100000, "a look-up waits two minutes for one", all[1]->f.text);
    zoho__place_give(all[0]->t, held[3]);
    e = zoho_target_ops.lookup(all[1]->t, STR("Accounts"), STR("Sage_Customer"), &STR("x"), 1, NULL, 0, &one.arena, &hits, &n, &all[1]->f);
    check(e == ERR_OK, "and goes on when one is free", all[1]->f.text);
    for (int i = 0; i < ZOHO_HEAVY_CALLS; i++)
        if (i != 3) zoho__place_give(all[0]->t, held[i]);
    close_all();
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/mlc-shared.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return 1;
    test_token();
    tree_gone(dir);
    test_sealed();
    tree_gone(dir);
    test_lock();
    test_places();
    test_reads_wait();
    tree_gone(dir);
    return failures != 0;
}
