/* cmd_org.c - pull and prepare: the spec's picture of the customer's own systems, and making what it declares. */
#include "cli/cli.h"
#include "connectors/connector.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One JSON object on a line of stdout: names and texts in turn up to NULL; raw: the text is JSON already. */
struct member { const char *name; struct str text; bool raw; };

static void print_json(const struct member *m, size_t n)
{
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        if (m[i].text.n == 0) continue;
        buf_printf(&b, "%s\"%s\":", b.n ? "," : "{", m[i].name);
        if (m[i].raw) buf_str(&b, m[i].text);
        else json_put_string(&b, m[i].text);
    }
    buf_puts(&b, b.n ? "}\n" : "{}\n");
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

/* ---- pull ---- */

static void on_change(void *ctx, const struct pull_change *p)
{
    const struct cli *c = ctx;
    if (c->json) {
        const struct member m[] = {{"file", str_of(p->file), false}, {"change", str_of(p->what), false}, {"module", p->entity, false},
                                   {"field", p->field, false}, {"before", p->before, true}, {"after", p->after, true}};
        print_json(m, sizeof m / sizeof *m);
        return;
    }
    printf("%c %s: %.*s%s%.*s", p->what[0] == 'a' ? '+' : p->what[0] == 'r' ? '-' : '~', p->file, (int)p->entity.n, p->entity.p, p->field.n ? "." : "",
           (int)p->field.n, p->field.p);
    if (p->before.n) printf("  %.*s", (int)p->before.n, p->before.p);
    if (p->before.n && p->after.n) fputs("  ->", stdout);
    if (p->after.n) printf("  %.*s", (int)p->after.n, p->after.p);
    putchar('\n');
}

static void print_file(const struct cli *c, const char *dir, const struct pull_file *file)
{
    static const char *const states[] = {[PULL_SAME] = "same", [PULL_NEW] = "new", [PULL_CHANGED] = "changed", [PULL_SKIPPED] = "skipped"};
    char counts[3][24];
    const uint64_t n[3] = {file->entities, file->fields, file->changes};
    if (c->json) {
        for (int i = 0; i < 3; i++) snprintf(counts[i], sizeof counts[i], "%llu", (unsigned long long)n[i]);
        const struct member m[] = {{"file", str_of(file->name), false}, {"state", str_of(states[file->state]), false}, {"modules", str_of(counts[0]), true},
                                   {"fields", str_of(counts[1]), true}, {"changes", str_of(counts[2]), true}, {"why", str_of(file->why), false}};
        print_json(m, sizeof m / sizeof *m);
        return;
    }
    bool zoho = strcmp(file->name, "zoho.lock") == 0;
    printf("%s/%s: ", dir, file->name);
    if (file->state == PULL_SKIPPED) printf("not written: %s\n", file->why);
    else if (file->state == PULL_SAME) printf("unchanged, %llu %s\n", (unsigned long long)n[0], zoho ? "modules" : "tables");
    else if (file->state == PULL_NEW)
        printf("new, %llu %s with %llu %s\n", (unsigned long long)n[0], zoho ? "modules" : "tables", (unsigned long long)n[1], zoho ? "fields" : "columns");
    else printf("written, %llu %s\n", (unsigned long long)n[2], n[2] == 1 ? "change" : "changes");
}

/* Beside the compiled spec, which is where the compiler looks. */
static const char *lock_dir(const struct cli *c, char *room, size_t n)
{
    const char *slash = c->image ? strrchr(c->image, '/') : NULL;
    if (c->out) return c->out;
    if (!slash) return ".";
    snprintf(room, n, "%.*s", slash == c->image ? 1 : (int)(slash - c->image), c->image);
    return room;
}

int cmd_pull(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct pull_file files[PULL_FILES];
    char room[4096];
    const char *dir = lock_dir(c, room, sizeof room);
    struct str *also = calloc((size_t)c->argc + 1, sizeof *also);
    if (!also) return err_exit_code(ERR_NO_SPACE);
    for (int i = 0; i < c->argc; i++) also[i] = str_of(c->argv[i]);
    enum err err = cli_open(c, &e, true, &f);
    if (err == ERR_OK) {
        err = engine_pull(e, dir, also, (size_t)c->argc, on_change, c, files, &f);
        engine_close(e);
    }
    free(also);
    if (err != ERR_OK) return cli_fail(c, &f);
    bool different = false;
    for (size_t i = 0; i < PULL_FILES; i++) {
        print_file(c, dir, &files[i]);
        different = different || files[i].state == PULL_NEW || files[i].state == PULL_CHANGED;
    }
    return c->detailed && different ? 2 : 0;
}

/* ---- prepare ---- */

static void on_step(void *ctx, const struct make_step *s)
{
    const struct cli *c = ctx;
    static const char *const marks[] = {[MAKE_WANTED] = "make", [MAKE_DONE] = "made", [MAKE_REFUSED] = "REFUSED", [MAKE_BY_HAND] = "BY HAND"};
    static const char *const states[] = {[MAKE_WANTED] = "wanted", [MAKE_DONE] = "made", [MAKE_REFUSED] = "refused", [MAKE_BY_HAND] = "by hand"};
    if (c->json) {
        const struct member m[] = {{"state", str_of(states[s->state]), false}, {"module", s->module, false}, {"field", s->field, false},
                                   {"what", str_of(s->what), false}, {"why", str_of(s->why), false}};
        print_json(m, sizeof m / sizeof *m);
        return;
    }
    printf("%-8s %.*s%s%.*s: %s\n", marks[s->state], (int)s->module.n, s->module.p, s->field.n ? "." : "", (int)s->field.n, s->field.p, s->what);
    if (s->why[0]) printf("         %s\n", s->why);
    fflush(stdout);
}

static void print_totals(const struct cli *c, const struct prepare_totals *t)
{
    unsigned long long wanted = t->wanted, made = t->made, refused = t->refused, by_hand = t->by_hand;
    if (c->json) printf("{\"total\":true,\"wanted\":%llu,\"made\":%llu,\"refused\":%llu,\"by_hand\":%llu}\n", wanted, made, refused, by_hand);
    else if (wanted + made + refused + by_hand == 0) puts("the target has all that the spec declares");
    else if (c->yes) printf("made %llu, refused %llu, to do by hand %llu%s\n", made, refused, by_hand, made ? "; mlcd pull brings zoho.lock up to date" : "");
    else printf("to make %llu, to do by hand %llu; nothing was changed%s\n", wanted, by_hand, wanted ? ": mlcd prepare --yes makes it" : "");
}

int cmd_prepare(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct prepare_totals t;
    if (c->argc) return fprintf(stderr, "usage: mlcd prepare [--yes] [--flow NAME]\n"), 64;
    enum err err = cli_open(c, &e, true, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = engine_prepare(e, c->yes, c->by, on_step, c, &t, &f);
    engine_close(e);
    if (err != ERR_OK) return cli_fail(c, &f);
    print_totals(c, &t);
    if (t.refused || (c->yes && t.by_hand)) return 3;
    return c->detailed && t.wanted + t.by_hand ? 2 : 0;
}
