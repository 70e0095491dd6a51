/* site_test.c - the supervisor against a made-up machine: a clock that only sleeping moves, and processes that end when their name says. Who ran when, how
 * many at a time, and what one that fails or hangs does to the others is counted here, outside of the supervisor. */
#include "sync/site.h"
#include "tests/unit/value/ok.h"
#include "tests/tree.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define START INT64_C(1773355267000)
enum { MINUTE = 60000, MOST = 1200, RUNS = 4000 };

struct process { int64_t pid, ends_ms; char name[64]; int code; bool asked; };
struct run { char name[64]; int64_t at_ms; };
struct machine {
    char dir[200];
    int64_t now_ms, stop_ms, reload_ms, every_ms;
    int stop, reload;
    struct process procs[64]; size_t nprocs;
    size_t most_at_once, terms, kills;
    int64_t next_pid;
    struct run runs[RUNS]; size_t nruns;
    uint64_t sleeps;
    unsigned ready, alive, stopping;       /* what the service manager heard */
    bool refuse;                           /* no process can be started */
    char argv[1000], env[400];
};

static int64_t clock_ms(void *ctx) { return ((struct machine *)ctx)->now_ms; }
static void clock_sleep(void *ctx, int64_t ms)
{
    struct machine *m = ctx;
    m->sleeps++;
    int64_t to = m->now_ms + (ms > 0 ? ms : 0);
    for (size_t i = 0; i < m->nprocs; i++)                     /* the end of a process wakes the sleeper */
        if (m->procs[i].ends_ms > m->now_ms && m->procs[i].ends_ms < to) to = m->procs[i].ends_ms;
    m->now_ms = to;
    if (m->reload_ms && m->now_ms >= m->reload_ms) {
        m->reload = 1;
        m->reload_ms = 0;
    }
    if (m->now_ms >= m->stop_ms) m->stop = 1;
}

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) abort();
}

static const char *at(const struct machine *m, const char *name, const char *file)
{
    static char path[4][500];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s%s%s", m->dir, name, *file ? "/" : "", file);
    return p;
}

static bool begins(const char *s, const char *with) { return strncmp(s, with, strlen(with)) == 0; }

static int proc_spawn(void *ctx, const struct proc_start *p, int64_t *pid)
{
    struct machine *m = ctx;
    if (m->refuse) return errno = EAGAIN, -1;
    const char *state = NULL;
    m->argv[0] = m->env[0] = '\0';
    for (size_t i = 0; p->argv[i]; i++) {
        if (strcmp(p->argv[i], "--state") == 0) state = p->argv[i + 1];
        snprintf(m->argv + strlen(m->argv), sizeof m->argv - strlen(m->argv), "%s ", p->argv[i]);
    }
    for (size_t i = 0; p->env && p->env[i]; i++) snprintf(m->env + strlen(m->env), sizeof m->env - strlen(m->env), "%s;", p->env[i]);
    struct process *one = &m->procs[m->nprocs++];
    *one = (struct process){.pid = *pid = ++m->next_pid, .ends_ms = m->now_ms + 5000};
    const char *name = state + strlen(m->dir) + 1;
    snprintf(one->name, sizeof one->name, "%.*s", (int)(strlen(name) - strlen("/state")), name);
    if (begins(one->name, "fail")) one->code = 69;
    if (begins(one->name, "crash")) one->code = 139;
    if (begins(one->name, "hang") || begins(one->name, "deaf")) one->ends_ms = INT64_MAX;
    if (m->nprocs > m->most_at_once) m->most_at_once = m->nprocs;
    if (m->nruns < RUNS) {
        memcpy(m->runs[m->nruns].name, one->name, sizeof one->name);
        m->runs[m->nruns++].at_ms = m->now_ms;
    }
    return 0;
}

static int proc_reap(void *ctx, int64_t *pid, int *code)
{
    struct machine *m = ctx;
    for (size_t i = 0; i < m->nprocs; i++) {
        struct process one = m->procs[i];
        if (one.ends_ms > m->now_ms) continue;
        m->procs[i] = m->procs[--m->nprocs];
        *pid = one.pid;
        *code = one.code;
        char text[100];
        snprintf(text, sizeof text, "next %lld\npending 0\nrejected 2\nwaiting 0\nheld 0\nlocked 0\n", (long long)(m->now_ms + m->every_ms));
        if (one.code == 0) put(at(m, one.name, "turn"), text);
        else put(at(m, one.name, "log"), "something before\nmlcd: Sage cannot be reached\n");
        return 1;
    }
    return m->nprocs ? 0 : -1;
}

static int proc_signal(void *ctx, int64_t pid, int sig)
{
    struct machine *m = ctx;
    for (size_t i = 0; i < m->nprocs; i++) {
        if (m->procs[i].pid != pid) continue;
        *(sig == SIGKILL ? &m->kills : &m->terms) += 1;
        if (sig == SIGKILL || !begins(m->procs[i].name, "deaf")) m->procs[i].ends_ms = m->now_ms + 200;
        if (sig == SIGKILL) m->procs[i].code = 137;
    }
    return 0;
}

static void proc_tell(void *ctx, const char *words)
{
    struct machine *m = ctx;
    m->ready += strcmp(words, "READY=1") == 0;
    m->alive += strcmp(words, "WATCHDOG=1") == 0;
    m->stopping += strcmp(words, "STOPPING=1") == 0;
}

static void machine_open(struct machine *m, struct world *w)
{
    *m = (struct machine){.now_ms = START, .stop_ms = START + INT64_C(12) * 60 * MINUTE, .every_ms = 15 * MINUTE};
    const char *tmp = getenv("TMPDIR");
    snprintf(m->dir, sizeof m->dir, "%s/mlc-site.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(m->dir)) abort();
    world_real(w);
    w->clock = (struct world_clock){clock_ms, clock_ms, clock_sleep, m};
    w->procs = (struct world_procs){proc_spawn, proc_reap, proc_signal, proc_tell, m};
}

static void machine_close(struct machine *m) { tree_gone(m->dir); }

static void integrate(const struct machine *m, const char *name)
{
    mkdir(at(m, name, ""), 0700);
    put(at(m, name, "spec.mlcb"), name);
}

static enum err supervise(struct machine *m, const struct world *w, unsigned at_once, struct fault *f)
{
    struct site_options o = {.dir = m->dir, .program = "/bin/mlcd", .at_once = at_once, .stop = &m->stop, .reload = &m->reload};
    return site_run(w, &o, f);
}

static size_t runs_of(const struct machine *m, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < m->nruns; i++) n += strcmp(m->runs[i].name, name) == 0;
    return n;
}

/* The longest time between two runs of it. */
static int64_t longest(const struct machine *m, const char *name)
{
    int64_t last = 0, most = 0;
    for (size_t i = 0; i < m->nruns; i++) {
        if (strcmp(m->runs[i].name, name) != 0) continue;
        if (last && m->runs[i].at_ms - last > most) most = m->runs[i].at_ms - last;
        last = m->runs[i].at_ms;
    }
    return most;
}

struct seen { struct site_status s; char text[200]; const char *name; };
static void on_status(void *ctx, const struct site_status *s)
{
    struct seen *x = ctx;
    if (strcmp(s->name, x->name) != 0) return;
    x->s = *s;
    snprintf(x->text, sizeof x->text, "%s", s->text);
}

static struct seen status_of(const struct machine *m, const struct world *w, const char *name)
{
    struct seen x = {.name = name};
    struct fault f;
    ok(site_status(w, m->dir, on_status, &x, &f) == ERR_OK, "status reads the site", "%s", "failed");
    return x;
}

/* Half a day of five that work, one that fails, one that crashes and one that hangs, two places. */
static void test_day(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    char name[20];
    machine_open(&m, &w);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "good%d", i);
        integrate(&m, name);
    }
    integrate(&m, "fail");
    integrate(&m, "crash");
    integrate(&m, "hang");
    ok(supervise(&m, &w, 3, &f) == ERR_OK, "half a day ends well", "%s", f.text);
    ok(m.most_at_once == 3, "three processes at most, and as many", "%zu", m.most_at_once);
    ok(m.nprocs == 0 && m.terms == 1 && m.kills == 0, "the one that was still running was asked to end", "%zu running, %zu asked, %zu killed", m.nprocs, m.terms, m.kills);
    size_t fewest = RUNS;
    int64_t most = 0;
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "good%d", i);
        size_t n = runs_of(&m, name);
        if (n < fewest) fewest = n;
        if (longest(&m, name) > most) most = longest(&m, name);
    }
    ok(fewest >= 46 && fewest <= 48 && most < 16 * MINUTE, "those that work ran every quarter of an hour, whatever the others did", "%zu runs, %lld ms between two", fewest, (long long)most);
    size_t fails = runs_of(&m, "fail"), crashes = runs_of(&m, "crash");
    ok(fails >= 14 && fails <= 20 && crashes >= 14 && crashes <= 20, "one that fails is tried after 30 s, 1, 2 ... 60 minutes", "%zu and %zu runs", fails, crashes);
    ok(runs_of(&m, "hang") == 1, "one that hangs runs once", "%zu", runs_of(&m, "hang"));
    struct seen x = status_of(&m, &w, "fail");
    ok(x.s.state == SITE_FAILING && x.s.fails == fails && x.s.code == 69 && strcmp(x.text, "Sage cannot be reached") == 0, "its status says how often and why", "%s, %u, %d, %s",
       site_state_name(x.s.state), x.s.fails, x.s.code, x.text);
    x = status_of(&m, &w, "good2");
    ok(x.s.state == SITE_IDLE && x.s.fails == 0 && x.s.turn.rejected == 2 && x.s.next_ms > m.now_ms - MINUTE && x.s.ok_ms > START, "that of one that works says when it is due and what is set aside",
       "%s, %lld", site_state_name(x.s.state), (long long)x.s.next_ms);
    machine_close(&m);
}

static void test_end(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&m, &w);
    m.stop_ms = START + 10 * MINUTE;
    integrate(&m, "hang");
    integrate(&m, "deaf");
    ok(supervise(&m, &w, 0, &f) == ERR_OK && m.terms == 2 && m.kills == 1 && m.nprocs == 0, "what does not end when it is asked to is ended", "%s, %zu asked, %zu killed", f.text, m.terms, m.kills);
    ok(m.now_ms >= m.stop_ms + MINUTE && m.now_ms < m.stop_ms + 2 * MINUTE, "after its time of grace", "%lld ms", (long long)(m.now_ms - m.stop_ms));
    struct seen x = status_of(&m, &w, "hang");
    ok(x.s.fails == 0 && x.s.pid == 0, "and that is no fault of its own", "%u", x.s.fails);
    machine_close(&m);
}

/* What a restart knows: due times are kept, so nothing runs before its time. */
static void test_restart(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&m, &w);
    m.every_ms = 60 * MINUTE;
    m.stop_ms = START + MINUTE;
    integrate(&m, "good");
    integrate(&m, "fail");
    supervise(&m, &w, 0, &f);
    size_t before = runs_of(&m, "good"), fails = runs_of(&m, "fail");
    m.stop = 0;
    m.stop_ms = START + 80000;
    supervise(&m, &w, 0, &f);
    ok(before == 1 && runs_of(&m, "good") == 1, "after a restart nothing runs before its time", "%zu, then %zu", before, runs_of(&m, "good"));
    ok(fails == 2 && runs_of(&m, "fail") == 2, "nor does what fails", "%zu, then %zu", fails, runs_of(&m, "fail"));
    machine_close(&m);
}

static void test_reload(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&m, &w);
    m.every_ms = 600 * MINUTE;
    integrate(&m, "same");
    integrate(&m, "changed");
    integrate(&m, "gone");
    integrate(&m, "fail");
    integrate(&m, "sleeper");
    put(at(&m, "sleeper", "off"), "");
    integrate(&m, "double");
    put(at(&m, "double", "other.mlcb"), "x");
    mkdir(at(&m, "empty", ""), 0700);
    put(at(&m, "README", ""), "no integration");
    m.stop_ms = START + 10 * MINUTE;
    supervise(&m, &w, 0, &f);
    ok(runs_of(&m, "sleeper") == 0 && runs_of(&m, "double") == 0 && runs_of(&m, "empty") == 0 && runs_of(&m, "README") == 0, "what is off, broken, or no folder is not started", "%s",
       "it was");
    ok(status_of(&m, &w, "sleeper").s.state == SITE_OFF, "off is said", "%s", "not");
    struct seen x = status_of(&m, &w, "double");
    ok(x.s.state == SITE_BROKEN && strstr(x.text, "several"), "what is wrong with a folder too", "%s", x.text);
    size_t failed = runs_of(&m, "fail");
    m.stop = 0;
    m.nruns = 0;
    m.reload_ms = m.now_ms + 5 * MINUTE;
    m.stop_ms = m.now_ms + 10 * MINUTE;
    put(at(&m, "changed", "spec.mlcb"), "another spec");
    supervise(&m, &w, 0, &f);
    (void)failed;
    ok(runs_of(&m, "changed") == 0 && runs_of(&m, "same") == 0, "a spec that changed while nobody looked waits for its time", "%zu", runs_of(&m, "changed"));
    machine_close(&m);
}

static struct machine live;
static void (*meanwhile)(void);
static void sleep_and_act(void *ctx, int64_t ms)
{
    if (meanwhile && live.now_ms > START + 5 * MINUTE) {
        meanwhile();
        meanwhile = NULL;
        live.reload = 1;
    }
    clock_sleep(ctx, ms);
}

static void people_work(void)
{
    put(at(&live, "changed", "spec.mlcb"), "another spec");
    integrate(&live, "added");
    put(at(&live, "added", "env"), "# where\nSAGE_AGENT_URL=https://erp.example\n\n  TOKEN_FILE = x\n");
    tree_gone(at(&live, "gone", ""));
    unlink(at(&live, "sleeper", "off"));
}

static void test_hup(void)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&live, &w);
    w.clock.sleep_ms = sleep_and_act;
    live.every_ms = 600 * MINUTE;
    live.stop_ms = START + 10 * MINUTE;
    integrate(&live, "same");
    integrate(&live, "changed");
    integrate(&live, "gone");
    integrate(&live, "sleeper");
    put(at(&live, "sleeper", "off"), "");
    meanwhile = people_work;
    ok(supervise(&live, &w, 0, &f) == ERR_OK, "SIGHUP in between ends well", "%s", f.text);
    ok(runs_of(&live, "same") == 1 && runs_of(&live, "gone") == 1, "what did not change is left alone, what is gone too", "%zu, %zu", runs_of(&live, "same"), runs_of(&live, "gone"));
    ok(runs_of(&live, "changed") == 2 && runs_of(&live, "added") == 1 && runs_of(&live, "sleeper") == 1, "a changed spec, a new folder, one that is no longer off: at once", "%zu, %zu, %zu",
       runs_of(&live, "changed"), runs_of(&live, "added"), runs_of(&live, "sleeper"));
    machine_close(&live);
}

static void test_command(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    char want[800];
    machine_open(&m, &w);
    m.stop_ms = START + MINUTE;
    integrate(&m, "one");
    put(at(&m, "one", "env"), "# where\nSAGE_AGENT_URL=https://erp.example\n\nX=a b=c\n");
    supervise(&m, &w, 0, &f);
    snprintf(want, sizeof want, "/bin/mlcd once --due --quiet --image %s/one/spec.mlcb --state %s/one/state --shared %s/.shared ", m.dir, m.dir, m.dir);
    ok(strcmp(m.argv, want) == 0, "the process is told what and where", "%s", m.argv);
    ok(strcmp(m.env, "SAGE_AGENT_URL=https://erp.example;X=a b=c;") == 0, "and gets its own environment", "%s", m.env);
    put(at(&m, "one", "env"), "no value\n");
    m.stop = 0;
    m.nruns = 0;
    m.stop_ms = m.now_ms + 20 * MINUTE;
    supervise(&m, &w, 0, &f);
    struct seen x = status_of(&m, &w, "one");
    ok(m.nruns == 0 && x.s.code == 78 && strstr(x.text, "line 1"), "a file env that cannot be read names its line", "%s", x.text);
    machine_close(&m);
}

static void test_no_process(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&m, &w);
    m.refuse = true;
    m.stop_ms = START + 5 * MINUTE;
    integrate(&m, "one");
    ok(supervise(&m, &w, 0, &f) == ERR_OK, "a machine without processes left is survived", "%s", f.text);
    struct seen x = status_of(&m, &w, "one");
    ok(x.s.fails >= 2 && x.s.fails <= 5 && strstr(x.text, "no process"), "and shows", "%u, %s", x.s.fails, x.text);
    machine_close(&m);
}

static void test_second(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    machine_open(&m, &w);
    int fd = open(at(&m, "lock", ""), O_RDWR | O_CREAT, 0600);
    ok(fd >= 0 && w.files.lock(w.files.ctx, fd) == 0, "the site is held", "%s", strerror(errno));
    ok(supervise(&m, &w, 0, &f) == ERR_LOCKED_STATE, "a second supervisor is refused", "%s", f.text);
    close(fd);
    machine_close(&m);
    ok(supervise(&m, &w, 0, &f) == ERR_NOT_FOUND, "a site that is not there is said to be none", "%s", f.text);
}

/* 1,000 that have nothing to do: one look a second, no process. */
static void test_thousand(void)
{
    static struct machine m;
    struct world w;
    struct fault f = {ERR_OK, ""};
    char name[20], text[60];
    machine_open(&m, &w);
    m.stop_ms = START + 60 * MINUTE;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "c%04d", i);
        integrate(&m, name);
        snprintf(text, sizeof text, "next %lld\n", (long long)(START + INT64_C(600) * MINUTE));
        put(at(&m, name, "turn"), text);
    }
    ok(supervise(&m, &w, 0, &f) == ERR_OK && m.nruns == 0, "an hour of 1,000 idle integrations starts no process", "%zu", m.nruns);
    ok(m.ready == 1 && m.stopping == 1 && m.alive >= 3500, "the service manager hears that it is ready, lives and ends", "%u, %u, %u", m.ready, m.alive, m.stopping);
    ok(m.sleeps <= 3700, "and looks once a second", "%llu times", (unsigned long long)m.sleeps);
    machine_close(&m);
}

int main(void)
{
    test_day();
    test_end();
    test_restart();
    test_reload();
    test_hup();
    test_command();
    test_no_process();
    test_second();
    test_thousand();
    return ok_done();
}
