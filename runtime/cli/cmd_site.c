/* cmd_site.c - many integrations: the supervisor, and a line for each of them. */
#include "cli/cli.h"
#include "cli/sheet.h"
#include "sync/site.h"
#include <signal.h>
#include <stdio.h>

/* Nothing to do: it is there so that the end of a process wakes the supervisor. */
static void on_child(int sig) { (void)sig; }

int site_run_command(struct cli *c)
{
    struct fault f;
    struct sigaction sa = {.sa_handler = on_child, .sa_flags = SA_NOCLDSTOP};
    if (c->image || c->flow) return fprintf(stderr, "usage: mlcd run --site DIR [--at-once N] [--key-file FILE]; each folder has its own compiled spec\n"), 64;
    sigemptyset(&sa.sa_mask);
    sigaction(SIGCHLD, &sa, NULL);
    struct site_options o = {.dir = c->site, .program = "/proc/self/exe", .key_file = c->key_file, 
                             .at_once = (unsigned)c->at_once, .stop = &cli_stop, .reload = &cli_reload};
    enum err err = site_run(&c->world, &o, &f);
    return err == ERR_OK ? 0 : cli_fail(c, &f);
}

static const struct sheet_column columns[] = {
    {"name", "integration", 24, false}, {"state", "state", 8, false},     {"ended", "last run", 24, false}, {"ok", "last good run", 24, false}, {"next", "next run", 24, false},
    {"pending", "to write", 8, true},   {"rejected", "aside", 6, true},   {"waiting", "wait", 6, true},     {"held", "held", 6, true},          {"locked", "locked", 6, true},
    {"code", "exit", 4, true},          {"fails", "fails", 5, true},      {"pid", "pid", 7, true},          {"text", "", 0, false}};
enum { COLUMNS = sizeof columns / sizeof *columns };
struct listing { const struct cli *c; struct sheet s; uint64_t n[SITE_STATES], aside; };

static struct str time_cell(int64_t ms, char out[25])
{
    if (ms <= 0) return (struct str){"", 0};
    world_format_ms(ms, out);
    return str_of(out);
}

static void on_member(void *ctx, const struct site_status *s)
{
    struct listing *l = ctx;
    char times[3][25], numbers[8][24];
    const uint64_t values[8] = {s->turn.pending, s->turn.rejected, s->turn.waiting, s->turn.held, s->turn.locked, (uint64_t)s->code, s->fails, (uint64_t)s->pid};
    for (size_t i = 0; i < 8; i++) snprintf(numbers[i], sizeof numbers[i], "%llu", (unsigned long long)values[i]);
    struct str cells[COLUMNS] = {str_of(s->name), str_of(site_state_name(s->state)), time_cell(s->ended_ms, times[0]), time_cell(s->ok_ms, times[1]), time_cell(s->next_ms, times[2])};
    for (size_t i = 0; i < 8; i++) cells[5 + i] = str_of(numbers[i]);
    if (!s->pid) cells[12] = (struct str){"", 0};
    cells[13] = str_of(s->text);
    l->n[s->state]++;
    l->aside += s->turn.rejected + s->turn.waiting + s->turn.held;
    sheet_row(&l->s, cells);
}

int site_status_command(struct cli *c)
{
    struct fault f;
    struct listing l = {.c = c, .s = {.form = c->json ? SHEET_JSON : c->csv ? SHEET_CSV : SHEET_TABLE, .columns = columns, .n = COLUMNS}};
    if (c->csv) sheet_head(&l.s);
    enum err err = site_status(&c->world, c->site, on_member, &l, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (!c->json && !c->csv) {
        uint64_t all = 0;
        for (unsigned i = 0; i < SITE_STATES; i++) all += l.n[i];
        printf("%llu integrations", (unsigned long long)all);
        for (unsigned i = 0; i < SITE_STATES; i++)
            if (l.n[i]) printf(", %llu %s", (unsigned long long)l.n[i], site_state_name(i));
        putchar('\n');
    }
    return c->detailed && (l.n[SITE_FAILING] + l.n[SITE_BROKEN] || l.aside) ? 2 : 0;
}
