/* cmd_act.c - replay, accept, erase: a person decides; the log keeps who. While another mlcd runs, it does the act for us. */
#include "cli/cli.h"
#include "sync/act.h"
#include "sync/backup.h"
#include "sync/view.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HAND_OVER_MS = 60000 };

static uint64_t report(const struct act *acts, const struct act_result *results, size_t n, uint64_t *refused, struct fault *f)
{
    uint64_t done = 0;
    for (size_t i = 0; i < n; i++) {
        done += results[i].count;
        if (results[i].err == ERR_OK) continue;
        if (++*refused == 1) fault_set(f, results[i].err, "%s", results[i].text);
        if (acts[i].file) fprintf(stderr, "mlcd: %s: line %u: %s\n", acts[i].file, acts[i].line, results[i].text);
        else fprintf(stderr, "mlcd: %.*s: %s\n", (int)acts[i].key.n, acts[i].key.p ? acts[i].key.p : "", results[i].text);
    }
    return done;
}

static void print_written(const struct cli *c, const char *head, uint64_t done, uint64_t refused, const struct engine_result *r)
{
    if (c->json)
        printf("{\"%s\":%llu,\"refused\":%llu,\"inserted\":%llu,\"updated\":%llu,\"failed\":%llu,\"pending\":%llu}\n", head, (unsigned long long)done,
               (unsigned long long)refused, (unsigned long long)r->inserted, (unsigned long long)r->updated, (unsigned long long)(r->failed + r->rejected),
               (unsigned long long)r->pending);
    else
        printf("%s %llu; wrote %llu new, %llu updated, %llu set aside\n", head, (unsigned long long)done, (unsigned long long)r->inserted,
               (unsigned long long)r->updated, (unsigned long long)(r->failed + r->rejected));
}

/* The running mlcd does it; what it wrote afterwards shows in status. */
static int through_inbox(struct cli *c, const struct act *acts, size_t n, const char *head, struct act_result *results)
{
    struct fault f = {ERR_OK, ""};
    uint64_t refused = 0;
    enum err err = act_hand_over(&c->world, c->state, acts, n, HAND_OVER_MS, results, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    uint64_t done = report(acts, results, n, &refused, &f);
    if (c->json) printf("{\"%s\":%llu,\"refused\":%llu,\"handed_over\":true}\n", head, (unsigned long long)done, (unsigned long long)refused);
    else printf("%s %llu; the running mlcd writes them now\n", head, (unsigned long long)done);
    return refused ? (n == 1 ? err_exit_code(f.err) : 3) : 0;
}

int cli_act(struct cli *c, const struct act *acts, size_t n, const char *head)
{
    struct engine *e;
    struct fault f;
    struct engine_result r = {0};
    uint64_t refused = 0;
    struct act_result *results = calloc(n + 1, sizeof *results);
    if (!results) return err_exit_code(ERR_NO_SPACE);
    enum err err = cli_open(c, &e, false, &f);
    if (err == ERR_LOCKED_STATE) {
        int code = through_inbox(c, acts, n, head, results);
        free(results);
        return code;
    }
    if (err != ERR_OK) return free(results), cli_fail(c, &f);
    for (size_t i = 0; i < n; i++) act_do(e, &acts[i], &results[i]);
    struct fault first = {ERR_OK, ""};
    uint64_t done = report(acts, results, n, &refused, &first);
    free(results);
    if (done) err = engine_write(e, &r, &f);
    engine_close(e);
    progress_end();
    if (err != ERR_OK) return cli_fail(c, &f);
    if (refused && n == 1) return err_exit_code(first.err);
    print_written(c, head, done, refused, &r);
    return refused ? 3 : r.failed + r.rejected || r.pending ? 1 : 0;
}

static int act_on_keys(struct cli *c, enum act_verb verb, const char *head)
{
    struct act *acts = calloc((size_t)c->argc, sizeof *acts);
    if (!acts) return err_exit_code(ERR_NO_SPACE);
    for (int i = 0; i < c->argc; i++)
        acts[i] = (struct act){.verb = verb, .flow = str_of(c->flow), .key = str_of(c->argv[i]), .by = str_of(c->by), .from_log = c->from_log,
                               .recreate = c->recreate};
    int code = cli_act(c, acts, (size_t)c->argc, head);
    free(acts);
    return code;
}

int cmd_replay(struct cli *c)
{
    if ((c->argc == 0) == !c->cause || (c->cause && c->from_log))
        return fprintf(stderr, "usage: mlcd replay KEY... [--flow NAME] [--from-log] [--recreate]\n       mlcd replay --cause CAUSE [--flow NAME] [--recreate]\n"), 64;
    if (c->cause) {
        struct act a = {.verb = ACT_CAUSE, .flow = str_of(c->flow), .key = str_of(c->cause), .by = str_of(c->by), .recreate = c->recreate};
        return cli_act(c, &a, 1, "replayed");
    }
    return act_on_keys(c, ACT_REPLAY, "replayed");
}

/* What is about to be released, by flow and cause with an example. To stderr with --json: stdout is for the result. */
static void show_held(struct cli *c)
{
    struct view *v;
    struct fault f;
    struct arena a;
    struct view_cause *causes = NULL;
    size_t n = 0;
    if (cli_view(c, &v, &f) != ERR_OK) return;
    arena_init(&a, 0);
    if (view_causes(v, &a, &causes, &n, &f) != ERR_OK) n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct view_cause *x = &causes[i];
        if (x->state != ROW_HELD || (c->flow && !str_is(x->flow, c->flow))) continue;
        fprintf(c->json ? stderr : stdout, "%.*s: %llu held: %s; e.g. %s\n", (int)x->flow.n, x->flow.p, (unsigned long long)x->count,
                x->why[0] ? x->why : "more than the fuse allows", x->example);
    }
    arena_free(&a);
    view_close(v);
}

int cmd_accept(struct cli *c)
{
    show_held(c);
    struct act a = {.verb = ACT_ACCEPT, .flow = str_of(c->flow), .by = str_of(c->by)};
    return cli_act(c, &a, 1, "released");
}

/* The first entry about any of the records: backups that end before it do not hold them. */
static void first_entry(void *ctx, struct str json)
{
    uint64_t *first = ctx;
    int64_t n = 0;
    static const char name[] = "\"seq\":";
    const char *at = memmem(json.p, json.n, name, sizeof name - 1);
    size_t digits = at ? strspn(at + sizeof name - 1, "0123456789") : 0;
    if (digits && str_to_i64((struct str){at + sizeof name - 1, digits}, &n) && (uint64_t)n < *first) *first = (uint64_t)n;
}

static uint64_t first_entry_of_keys(struct cli *c)
{
    struct view *v;
    struct fault f;
    uint64_t first = UINT64_MAX;
    if (cli_view(c, &v, &f) != ERR_OK) return 0;
    for (int i = 0; i < c->argc; i++) {
        struct view_filter flt = {.flow = c->flow, .key_text = str_of(c->argv[i])};
        if (view_log(v, &flt, first_entry, &first, &f) != ERR_OK) first = 0;
    }
    view_close(v);
    return first;
}

struct holding { uint64_t first; unsigned n; };

static void name_backup(void *ctx, const struct backup_info *b, const char *dir, bool there)
{
    struct holding *h = ctx;
    char t[25];
    if (b->last_seq < h->first) return;
    world_format_ms(b->time_ms, t);
    if (h->n++ == 0) fprintf(stderr, "backups that still hold them, with their keys:\n");
    fprintf(stderr, "  %s  %s%s\n", t, dir, there ? "" : "  (not found from here)");
}

int cmd_erase(struct cli *c)
{
    if (c->argc == 0) return fprintf(stderr, "usage: mlcd erase KEY... [--flow NAME]\n"), 64;
    struct holding h = {first_entry_of_keys(c), 0};
    int code = act_on_keys(c, ACT_ERASE, "erased");
    if (code != 0) return code;
    fprintf(stderr, "the data keys are destroyed here; copies of %s made by other means than mlcd backup may still hold them, and the target keeps its records\n", c->state);
    struct fault f = {ERR_OK, ""};
    if (backup_each(&c->world, c->state, name_backup, &h, &f) != ERR_OK) fprintf(stderr, "not every backup is known: %s\n", f.text);
    else if (h.n == 0) fprintf(stderr, "no backups that mlcd made hold them\n");
    return code;
}
