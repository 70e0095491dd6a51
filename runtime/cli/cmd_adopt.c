/* cmd_adopt.c - records that people made before: the list out, the decided list in. */
#include "cli/cli.h"
#include "sync/act.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* One line of the decided list into an act; false: nothing to do, or the line is wrong (said). */
static bool decide(struct cli *c, const char *path, char *line, int number, struct act *out, unsigned *wrong)
{
    char *cells[8];
    int n = split_csv(line, cells, 8);
    bool create = n >= 5 && strcmp(cells[4], "create") == 0;
    if (n >= 5 && cells[4][0] == '\0') return false;
    if (n < 5)
        fprintf(stderr, "mlcd: %s: line %d: five columns are needed: key,name,match,candidates,decision\n", path, number);
    else if (!create && strspn(cells[4], "0123456789") != strlen(cells[4]))
        fprintf(stderr, "mlcd: %s: line %d: the decision %s is neither an id nor create\n", path, number, cells[4]);
    else {
        *out = (struct act){.verb = ACT_ADOPT, .flow = str_of(c->flow), .key = str_of(cells[0]), .by = str_of(c->by), .file = path, .line = (unsigned)number};
        if (!create) out->id = str_of(cells[4]);
        return true;
    }
    ++*wrong;
    return false;
}

static int take_decisions(struct cli *c, const char *path)
{
    struct fault f;
    struct arena a;
    struct str text;
    arena_init(&a, 0);
    if (world_read_file(&c->world, path, 64u << 20, &a, &text, &f) != ERR_OK) return arena_free(&a), cli_fail(c, &f);
    size_t lines = 1, n = 0;
    for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n';
    struct act *acts = ARENA_ARRAY(&a, struct act, lines);
    unsigned wrong = 0;
    int number = 0;
    for (char *p = (char *)(uintptr_t)text.p, *next; p && *p; p = next) {
        char *nl = strchr(p, '\n');
        next = nl ? nl + 1 : NULL;
        if (nl) *nl = '\0';
        size_t len = strlen(p);
        if (len && p[len - 1] == '\r') p[len - 1] = '\0';
        if ((++number == 1 && strncmp(p, "key,", 4) == 0) || *p == '\0') continue;
        n += decide(c, path, p, number, &acts[n], &wrong);
    }
    int code = n || !wrong ? cli_act(c, acts, n, "decided") : 0;
    arena_free(&a);
    return wrong ? 3 : code;
}

int cmd_adopt(struct cli *c)
{
    return c->argc == 0 ? list_candidates(c) : take_decisions(c, c->argv[0]);
}
