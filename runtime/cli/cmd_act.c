/* cmd_act.c - replay, adopt, accept: a person decides; the log keeps who. */
#include "cli/cli.h"
#include "value/json.h"
#include <stdio.h>
#include <string.h>

/* Writes what the decision made due, says what became of it, and closes. */
static int write_and_close(struct cli *c, struct engine *e, const char *head, uint64_t n)
{
    struct fault f;
    struct engine_result r;
    enum err err = engine_write(e, &r, &f);
    engine_close(e);
    progress_end();
    if (err != ERR_OK) return cli_fail(c, &f);
    if (c->json)
        printf("{\"%s\":%llu,\"inserted\":%llu,\"updated\":%llu,\"failed\":%llu,\"pending\":%llu}\n", head, (unsigned long long)n, (unsigned long long)r.inserted,
               (unsigned long long)r.updated, (unsigned long long)(r.failed + r.rejected), (unsigned long long)r.pending);
    else
        printf("%s %llu; wrote %llu new, %llu updated, %llu set aside\n", head, (unsigned long long)n, (unsigned long long)r.inserted,
               (unsigned long long)r.updated, (unsigned long long)(r.failed + r.rejected));
    return r.failed + r.rejected || r.pending ? 1 : 0;
}

int cmd_replay(struct cli *c)
{
    struct engine *e;
    struct fault f;
    if (c->argc == 0) {
        fprintf(stderr, "usage: mlcd replay KEY... [--flow NAME] [--from-log] [--recreate]\n");
        return 64;
    }
    enum err err = cli_open(c, &e, false, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    for (int i = 0; i < c->argc && err == ERR_OK; i++) err = engine_replay(e, c->flow, str_of(c->argv[i]), c->from_log, c->recreate, c->by, &f);
    if (err != ERR_OK) {
        engine_close(e);
        return cli_fail(c, &f);
    }
    return write_and_close(c, e, "replayed", (uint64_t)c->argc);
}

int cmd_accept(struct cli *c)
{
    struct engine *e;
    struct fault f;
    uint64_t released;
    enum err err = cli_open(c, &e, false, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = engine_accept(e, c->flow, c->by, &released, &f);
    if (err != ERR_OK) {
        engine_close(e);
        return cli_fail(c, &f);
    }
    return write_and_close(c, e, "released", released);
}

/* ---- adopt: the list out, the decided list in ----
 * key,name,match,candidates,decision      decision: empty = wait, "create", or the id to link to. "exact" rows come with their id filled in. */
static void put_csv(struct str s, const char *end)
{
    bool quote = memchr(s.p ? s.p : "", ',', s.n) || memchr(s.p ? s.p : "", '"', s.n) || memchr(s.p ? s.p : "", '\n', s.n);
    if (quote) putchar('"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') putchar('"');
        putchar(s.p[i]);
    }
    if (quote) putchar('"');
    fputs(end, stdout);
}

struct listing { const struct cli *c; uint64_t n; };

static void on_candidate(void *ctx, const struct adopt_candidate *cand)
{
    struct listing *l = ctx;
    bool exact = str_is(cand->match, "exact");
    if (l->n++ == 0 && !l->c->json) puts("key,name,match,candidates,decision");
    struct str ids = cand->ids, decision = exact ? ids : str_is(cand->match, "none") ? STR("create") : (struct str){"", 0};
    if (l->c->json) {
        struct buf b = {0};
        const struct { const char *name; struct str s; } parts[] = {{"key", cand->key}, {"name", cand->name}, {"match", cand->match}, {"candidates", ids},
                                                                   {"decision", decision}};
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
            buf_printf(&b, "%s\"%s\":", i ? "," : "{", parts[i].name);
            json_put_string(&b, parts[i].s);
        }
        buf_puts(&b, "}\n");
        fwrite(b.p, 1, b.n, stdout);
        buf_free(&b);
        return;
    }
    put_csv(cand->key, ",");
    put_csv(cand->name, ",");
    put_csv(cand->match, ",");
    put_csv(ids, ",");
    put_csv(decision, "\n");
}

static int list_candidates(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct listing l = {c, 0};
    enum err err = cli_open(c, &e, true, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = engine_candidates(e, c->flow, on_candidate, &l, &f);
    engine_close(e);
    if (err != ERR_OK) return cli_fail(c, &f);
    fprintf(stderr, l.n ? "%llu records wait; fill the column `decision` (an id, or create) and give the file back: mlcd adopt FILE.csv\n"
                        : "no record waits for a decision (%llu)\n", (unsigned long long)l.n);
    return 0;
}

/* Splits one CSV line (RFC 4180, no line ends inside) into at most max cells; the number, or -1 when a quote does not end. */
static int split_csv(char *line, char **cells, int max)
{
    int n = 0;
    for (char *p = line; n < max;) {
        char *out = p;
        cells[n++] = out;
        if (*p == '"') {
            for (p++; *p && !(*p == '"' && p[1] != '"'); p++) {
                if (*p == '"') p++;
                *out++ = *p;
            }
            if (*p++ != '"') return -1;
        } else {
            while (*p && *p != ',') *out++ = *p++;
        }
        bool more = *p == ',';
        *out = '\0';
        if (!more) return *p ? -1 : n;
        p++;
    }
    return n;
}

static enum err decide(struct engine *e, struct cli *c, char *line, int number, uint64_t *done, struct fault *f)
{
    char *cells[8];
    int n = split_csv(line, cells, 8);
    if (n < 5) return fault_set(f, ERR_USAGE, "line %d: five columns are needed: key,name,match,candidates,decision", number);
    const char *decision = cells[4];
    if (*decision == '\0') return ERR_OK;
    bool create = strcmp(decision, "create") == 0;
    if (!create && strspn(decision, "0123456789") != strlen(decision))
        return fault_set(f, ERR_USAGE, "line %d: the decision %s is neither an id nor create", number, decision);
    enum err err = engine_adopt(e, c->flow, str_of(cells[0]), create ? (struct str){"", 0} : str_of(decision), c->by, f);
    if (err == ERR_OK) ++*done;
    return err == ERR_OK ? err : fault_prefix(f, "line %d", number);
}

static int take_decisions(struct cli *c, const char *path)
{
    struct engine *e;
    struct fault f;
    struct arena a;
    struct str text;
    arena_init(&a, 0);
    enum err err = world_read_file(&c->world, path, 64u << 20, &a, &text, &f);
    if (err != ERR_OK) return arena_free(&a), cli_fail(c, &f);
    err = cli_open(c, &e, false, &f);
    if (err != ERR_OK) return arena_free(&a), cli_fail(c, &f);
    uint64_t done = 0, refused = 0;
    int number = 0;
    for (char *p = (char *)(uintptr_t)text.p, *next; p && *p; p = next) {
        char *nl = strchr(p, '\n');
        next = nl ? nl + 1 : NULL;
        if (nl) *nl = '\0';
        size_t len = strlen(p);
        if (len && p[len - 1] == '\r') p[len - 1] = '\0';
        if (++number == 1 && strncmp(p, "key,", 4) == 0) continue;
        if (*p == '\0') continue;
        if (decide(e, c, p, number, &done, &f) == ERR_OK) continue;
        refused++;
        fprintf(stderr, "mlcd: %s: %s\n", path, f.text);
    }
    arena_free(&a);
    int code = write_and_close(c, e, "decided", done);
    return refused ? 3 : code;
}

int cmd_adopt(struct cli *c)
{
    return c->argc == 0 ? list_candidates(c) : take_decisions(c, c->argv[0]);
}
