/* cmd_run.c - once, run, plan: the commands that move data or say what would move. */
#include "cli/cli.h"
#include "base/log.h"
#include "serve/serve.h"
#include "sync/site.h"
#include "value/json.h"
#include <stdio.h>

static void print_result(const struct cli *c, const struct engine_result *r)
{
    if (c->json) {
        printf("{\"finished\":%s,\"read\":%llu,\"changed\":%llu,\"unchanged\":%llu,\"inserted\":%llu,\"updated\":%llu,\"adopted\":%llu,\"rejected\":%llu,"
               "\"failed\":%llu,\"locked\":%llu,\"waiting\":%llu,\"held\":%llu,\"pending\":%llu}\n",
               r->finished ? "true" : "false", (unsigned long long)r->rows, (unsigned long long)r->changed, (unsigned long long)r->same,
               (unsigned long long)r->inserted, (unsigned long long)r->updated, (unsigned long long)r->adopted, (unsigned long long)r->rejected,
               (unsigned long long)r->failed, (unsigned long long)r->locked, (unsigned long long)r->waiting, (unsigned long long)r->held,
               (unsigned long long)r->pending);
        return;
    }
    printf("read %llu rows: %llu changed, %llu unchanged\nwrote %llu new, %llu updated", (unsigned long long)r->rows, (unsigned long long)r->changed,
           (unsigned long long)r->same, (unsigned long long)r->inserted, (unsigned long long)r->updated);
    if (r->adopted) printf(", %llu linked to records that stood there", (unsigned long long)r->adopted);
    putchar('\n');
    if (r->rejected + r->failed) printf("set aside %llu: mlcd status says why\n", (unsigned long long)(r->rejected + r->failed));
    if (r->waiting) printf("%llu wait for a decision or for another record: mlcd adopt, mlcd status\n", (unsigned long long)r->waiting);
    if (r->held) printf("%llu held by the fuse: mlcd accept\n", (unsigned long long)r->held);
    if (r->pending) printf("%llu still to be written; they go out in the next run\n", (unsigned long long)r->pending);
}

static int result_code(const struct engine_result *r)
{
    return !r->finished ? 1 : r->held ? 2 : 0;
}

/* What a site's supervisor starts: what is due, and a note of when to start again. */
static int once_due(struct cli *c)
{
    struct engine *e;
    struct fault f, later;
    struct engine_turn t;
    enum err err = cli_open(c, &e, false, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    cli_limit_files(c, e);
    err = engine_turn(e, &t, &f);
    engine_close(e);
    progress_end();
    if (err == ERR_OK) err = site_note_turn(&c->world, c->state, &t, &f);
    else if (site_note_turn(&c->world, c->state, &t, &later) != ERR_OK) fprintf(stderr, "mlcd: %s\n", later.text);
    return err != ERR_OK ? cli_fail(c, &f) : 0;
}

int cmd_once(struct cli *c)
{
    if (c->due) return once_due(c);
    struct engine *e;
    struct fault f;
    struct engine_result r;
    enum err err = cli_open(c, &e, false, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    cli_limit_files(c, e);
    err = engine_once(e, &r, &f);
    engine_close(e);
    progress_end();
    if (err == ERR_OK || r.rows) print_result(c, &r);
    return err != ERR_OK ? cli_fail(c, &f) : result_code(&r);
}

/* ---- receivers of notifications, one for each target that names an address; they outlive a reload of the spec ---- */
enum { EARS = 4 };
struct ears { struct engine_ear ear[EARS]; struct serve *serve[EARS]; size_t n; };

static enum err ears_open(struct cli *c, struct engine *e, struct ears *ears, struct fault *f)
{
    for (ears->n = 0; ears->n < EARS;) {
        struct engine_ear *ear = &ears->ear[ears->n];
        struct serve_options o = {.listen = ear->listen, .where = engine_ear_where, .ctx = ear};
        enum err err = engine_ear(e, ears->n, ear, f);
        if (err == ERR_OK) err = serve_open(&ears->serve[ears->n], &c->world, &o, f);
        if (err != ERR_OK) return err == ERR_NOT_FOUND ? ERR_OK : err;
        log_info("notifications are received at %s", o.listen);
        ears->n++;
    }
    return ERR_OK;
}

static void ears_close(struct ears *ears)
{
    for (size_t i = 0; i < ears->n; i++) serve_close(ears->serve[i]);
}

int cmd_run(struct cli *c)
{
    if (c->site) return site_run_command(c);
    struct engine *e;
    struct fault f;
    struct engine_options o = cli_engine_options(c);
    struct ears ears = {.n = 0};
    o.listening = true;
    enum err err = engine_open(&e, &c->world, &o, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    cli_limit_files(c, e);                                 /* before the receivers have threads: a thread keeps to the limits of who made it */
    err = ears_open(c, e, &ears, &f);
    if (err == ERR_OK) err = engine_run(e, &cli_reload, &f);
    ears_close(&ears);
    engine_close(e);
    progress_end();
    return err != ERR_OK ? cli_fail(c, &f) : 0;
}

/* ---- plan ---- */
struct plan_print { const struct cli *c; char last[512]; };

static void put_json(const struct plan_change *p)
{
    struct buf b = {0};
    buf_printf(&b, "{\"flow\":\"%s\",\"do\":\"%s\",\"key\":", p->flow, p->what);
    json_put_string(&b, p->key);
    const struct { const char *name; struct str s; } parts[] = {{"field", p->field}, {"before", p->before}, {"after", p->after}, {"why", p->why}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].s.n == 0) continue;
        buf_printf(&b, ",\"%s\":", parts[i].name);
        json_put_string(&b, parts[i].s);
    }
    buf_puts(&b, "}\n");
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

static void on_change(void *ctx, const struct plan_change *p)
{
    struct plan_print *out = ctx;
    progress_end();
    if (out->c->json) {
        put_json(p);
        return;
    }
    char head[512];
    snprintf(head, sizeof head, "%s %s %.*s", p->what, p->flow, (int)p->key.n, p->key.p);
    if (strcmp(head, out->last) != 0) printf("%s%s%.*s\n", head, p->why.n ? ": " : "", (int)p->why.n, p->why.p);
    memcpy(out->last, head, sizeof head);
    if (p->field.n) printf("    %-20.*s %.*s -> %.*s\n", (int)p->field.n, p->field.p, (int)p->before.n, p->before.p, (int)p->after.n, p->after.p);
}

int cmd_plan(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct plan_totals t;
    struct plan_print out = {c, ""};
    enum err err = cli_open(c, &e, true, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = engine_plan(e, on_change, &out, &t, &f);
    engine_close(e);
    progress_end();
    if (err != ERR_OK) return cli_fail(c, &f);
    uint64_t differences = t.inserts + t.updates + t.leaves + t.deletes;
    if (c->json)
        printf("{\"total\":true,\"rows\":%llu,\"insert\":%llu,\"update\":%llu,\"leave\":%llu,\"delete\":%llu,\"reject\":%llu,\"wait\":%llu,\"unchanged\":%llu,"
               "\"reads\":%llu,\"fuse_would_hold\":%s}\n", (unsigned long long)t.rows, (unsigned long long)t.inserts, (unsigned long long)t.updates,
               (unsigned long long)t.leaves, (unsigned long long)t.deletes, (unsigned long long)t.rejects, (unsigned long long)t.waiting,
               (unsigned long long)t.unchanged, (unsigned long long)t.reads, t.fuse_would_hold ? "true" : "false");
    else
        printf("plan: %llu to make, %llu to update, %llu leave, %llu deleted, %llu rejected, %llu waiting, %llu unchanged (%llu rows in %llu reads); nothing was "
               "written%s\n", (unsigned long long)t.inserts, (unsigned long long)t.updates, (unsigned long long)t.leaves, (unsigned long long)t.deletes,
               (unsigned long long)t.rejects, (unsigned long long)t.waiting, (unsigned long long)t.unchanged, (unsigned long long)t.rows,
               (unsigned long long)t.reads, t.fuse_would_hold ? "; the fuse would hold this run" : "");
    return c->detailed && differences ? 2 : 0;
}
