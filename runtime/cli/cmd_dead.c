/* cmd_dead.c - dead letters: grouped by cause, one by one, and tried with a new mapping. All of it beside a running mlcd; replay is in cmd_act.c. */
#include "cli/cli.h"
#include "cli/sheet.h"
#include "sync/try.h"
#include <stdio.h>
#include <string.h>

static const struct sheet_column cause_columns[] = {
    {"cause", "cause", 6, false}, {"flow", "flow", 14, false}, {"state", "state", 8, false}, {"count", "count", 7, true}, {"first", "first", 24, false},
    {"last", "last", 24, false}, {"example", "e.g.", 18, false}, {"why", "why", 0, false}};
static const struct sheet_column dead_columns[] = {
    {"flow", "flow", 14, false}, {"key", "record", 20, false}, {"state", "state", 8, false}, {"id", "id", 19, false}, {"why", "why", 0, false}};
static const struct sheet_column try_columns[] = {
    {"flow", "flow", 14, false}, {"key", "record", 20, false}, {"verdict", "then", 8, false}, {"was", "set aside for", 40, false}, {"why", "", 0, false}};
#define COLUMNS(c) (c), sizeof(c) / sizeof *(c)

static enum sheet_form form_of(const struct cli *c)
{
    return c->json ? SHEET_JSON : c->csv ? SHEET_CSV : SHEET_TABLE;
}

static struct str time_text(int64_t ms, char out[25])
{
    if (ms == 0) return (struct str){"", 0};
    world_format_ms(ms, out);
    return str_of(out);
}

static bool is_dead(const struct cli *c, const struct view_cause *v)
{
    return (v->state == ROW_REJECTED || v->state == ROW_RETRY) && (!c->flow || str_is(v->flow, c->flow));
}

static int list_causes(struct cli *c, struct view *v)
{
    struct arena a;
    struct fault f = {ERR_OK, ""};
    struct view_cause *causes = NULL;
    size_t n = 0, dead = 0;
    uint64_t records = 0;
    struct sheet s = {form_of(c), NULL, COLUMNS(cause_columns), 0};
    arena_init(&a, 0);
    enum err err = view_causes(v, &a, &causes, &n, &f);
    for (size_t i = 0; i < n; i++)
        if (is_dead(c, &causes[i])) causes[dead++] = causes[i];
    if (err == ERR_OK) err = view_times(v, causes, dead, &f);
    if (s.form == SHEET_CSV) sheet_head(&s);
    for (size_t i = 0; i < dead && err == ERR_OK; i++) {
        const struct view_cause *x = &causes[i];
        char first[25], last[25], count[24];
        snprintf(count, sizeof count, "%llu", (unsigned long long)x->count);
        const struct str cells[] = {str_of(x->code), x->flow, str_of(row_state_name(x->state)), str_of(count), time_text(x->first_ms, first), time_text(x->last_ms, last),
                                    str_of(x->example), str_of(x->why)};
        sheet_row(&s, cells);
        records += x->count;
    }
    arena_free(&a);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (s.form == SHEET_TABLE && dead) printf("%llu records; mlcd dead CAUSE lists them, mlcd replay --cause CAUSE tries them again\n", (unsigned long long)records);
    if (s.form == SHEET_TABLE && !dead) puts("no record is set aside");
    return c->detailed && dead ? 2 : 0;
}

struct dead_list { struct sheet s; uint64_t n; };

static void on_dead(void *ctx, const struct view_dead *d)
{
    struct dead_list *l = ctx;
    const struct str cells[] = {d->flow, d->key, str_of(row_state_name(d->state)), d->id, d->why};
    l->n++;
    sheet_row(&l->s, cells);
}

int cmd_dead(struct cli *c)
{
    struct view *v;
    struct fault f;
    if (c->argc > 1 || (c->csv && c->json)) return fprintf(stderr, "usage: mlcd dead [CAUSE] [--flow NAME] [--csv | --json]\n"), 64;
    enum err err = cli_view(c, &v, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (c->argc == 0) {
        int code = list_causes(c, v);
        view_close(v);
        return code;
    }
    struct dead_list l = {{form_of(c), NULL, COLUMNS(dead_columns), 0}, 0};
    err = view_dead_rows(v, c->flow, str_of(c->argv[0]), on_dead, &l, &f);
    if (err == ERR_OK && l.n == 0) err = fault_set(&f, ERR_NOT_FOUND, "no record is set aside for a cause with \"%s\"; mlcd dead lists them", c->argv[0]);
    view_close(v);
    return err == ERR_OK ? 0 : cli_fail(c, &f);
}

/* ---- try ---- */
struct trial { const struct cli *c; struct sheet s; };

static void on_try(void *ctx, const struct try_record *t)
{
    struct trial *x = ctx;
    if (x->s.form == SHEET_TABLE && (t->verdict == TRY_CLEARED || t->verdict == TRY_CHANGED)) return;      /* people look for what stays */
    const struct str cells[] = {t->flow, t->key, str_of(try_verdict_name(t->verdict)), t->was, str_of(t->why)};
    sheet_row(&x->s, cells);
}

int cmd_try(struct cli *c)
{
    struct view *v;
    struct fault f;
    uint64_t n[TRY_COUNT];
    if (c->argc != 1 || (c->csv && c->json)) return fprintf(stderr, "usage: mlcd try NEW.mlcb [--flow NAME] [--csv | --json]\n"), 64;
    enum err err = cli_view(c, &v, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    struct trial x = {c, {form_of(c), c->json ? "record" : NULL, COLUMNS(try_columns), 0}};
    if (c->csv) sheet_head(&x.s);
    err = view_try(v, c->argv[0], c->flow, on_try, &x, n, &f);
    view_close(v);
    if (err != ERR_OK) return cli_fail(c, &f);
    unsigned long long all = 0;
    for (unsigned i = 0; i < TRY_COUNT; i++) all += n[i];
    if (c->json)
        printf("{\"is\":\"sum\",\"records\":%llu,\"cleared\":%llu,\"changed\":%llu,\"same\":%llu,\"unknown\":%llu}\n", all, (unsigned long long)n[TRY_CLEARED],
               (unsigned long long)n[TRY_CHANGED], (unsigned long long)n[TRY_SAME], (unsigned long long)n[TRY_UNKNOWN]);
    else
        fprintf(c->csv ? stderr : stdout, "%llu records are set aside: %llu would be cleared, %llu sent again with another value, %llu stay, %llu cannot be told without a read of the source\n",
                all, (unsigned long long)n[TRY_CLEARED], (unsigned long long)n[TRY_CHANGED], (unsigned long long)n[TRY_SAME], (unsigned long long)n[TRY_UNKNOWN]);
    return c->detailed && n[TRY_SAME] + n[TRY_UNKNOWN] ? 2 : 0;
}
