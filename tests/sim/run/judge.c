/*
 * judge.c: the judge at the end, when the faults have stopped and two polls have passed.
 *
 *     converged      Zoho's records against Sage's rows through the reference evaluator (tests/reference), which shares no code with the engine
 *     people's own   fields that no flow maps stand as a person left them
 *     the log        verifies; its fold is the index (tests/fault/crash_state.c); no attempt is left without an outcome
 *     secrets        neither in the state directory nor in what the program said: plain, base64, hex
 */
#include "run.h"
#include "judge_world.h"
#include "tests/fault/state.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Zoho against Sage ---- */

static const struct {
    const char *resource, *entity;
} tables[] = {{"items", "CI_Item"}, {"customers", "AR_Customer"}, {"contacts", "AR_CustomerContact"}, {"sales-orders", "SO_SalesOrderHeader"}};

struct rows {
    struct seed *s;
    const char *resource;
    json_t *list;
};

static bool take_row(void *ctx, const char *key)
{
    struct rows *r = ctx;
    char *text = sage_sim_row(r->s->sage, "ABC", r->resource, key);
    json_array_append_new(r->list, json_loads(text ? text : "null", 0, NULL));
    free(text);
    return true;
}

static void load_world(struct seed *s, struct judge_world *w)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct rows r = {s, tables[i].resource, json_array()};
        (void)sage_sim_each_key(s->sage, "ABC", tables[i].resource, take_row, &r);
        w->tables[w->ntables++] = (struct judge_table){tables[i].entity, r.list};
    }
    for (size_t m = 0; m < RUN_MODULES; m++) {
        char *dump = zoho_sim_dump(s->zoho, run_modules[m], NULL);
        json_t *all = json_loads(dump ? dump : "[]", 0, NULL);
        w->modules[w->nmodules++] = (struct judge_table){run_modules[m], all};
        s->result->records += json_array_size(all);
        free(dump);
    }
}

static bool converged(struct seed *s)
{
    struct judge_world w = {.company = "ABC"};
    uint64_t differences = 0, compared = 0;
    char text[400];
    load_world(s, &w);
    bool good = judge_world(&w, s->setup->spec[s->spec], &differences, &compared, text, sizeof text) ||
                seed_violated(s, "stage", "the judge cannot read %s", s->setup->spec[s->spec]);
    for (size_t i = 0; i < w.ntables; i++)
        json_decref(w.tables[i].rows);
    for (size_t i = 0; i < w.nmodules; i++)
        json_decref(w.modules[i].rows);
    if (good && differences)
        return seed_violated(s, "no lost update, no duplicate, converged", "%llu differences: %s", (unsigned long long)differences, text);
    return good && (compared >= 40 || seed_violated(s, "stage", "only %llu records were compared", (unsigned long long)compared));
}

/* ---- the log and the index ---- */

static bool log_holds(struct seed *s)
{
    struct state_judge j = {.dir = s->state};
    struct fault f = {ERR_OK, ""};
    return state_judge(&j, &f) == ERR_OK || seed_violated(s, "the log is the index", "%s", f.text);
}

/* ---- secrets ---- */

static struct {
    struct seed *s;
    char form[64][140];
    size_t n;
} canaries;

static void canary(const char *secret)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(secret), at = 0;
    if (canaries.n + 3 > 64 || n > 60)
        return;
    (void)snprintf(canaries.form[canaries.n++], sizeof canaries.form[0], "%s", secret);
    char *hex = canaries.form[canaries.n++], *base64 = canaries.form[canaries.n++];
    hash_hex((const unsigned char *)secret, n, hex);
    for (size_t i = 0; i + 3 <= n; i += 3) { // whole groups only: what stands behind may differ
        unsigned v = (unsigned)(unsigned char)secret[i] << 16 | (unsigned)(unsigned char)secret[i + 1] << 8 | (unsigned char)secret[i + 2];
        for (int k = 3; k >= 0; k--)
            base64[at++] = digits[v >> (6 * k) & 63];
    }
    base64[at] = '\0';
}

static bool clean_file(struct seed *s, const char *path)
{
    FILE *f = fopen(path, "r");
    char *bytes = f ? malloc(8 << 20) : NULL;
    size_t n = bytes ? fread(bytes, 1, 8 << 20, f) : 0;
    bool clean = true;
    for (size_t i = 0; i < canaries.n && clean; i++)
        clean = !memmem(bytes, n, canaries.form[i], strlen(canaries.form[i])) ||
                seed_violated(s, "no secret in any output", "%s holds %.12s...", strrchr(path, '/') + 1, canaries.form[i]);
    if (f)
        fclose(f);
    free(bytes);
    return clean;
}

static int look(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    return type != FTW_F || clean_file(canaries.s, path) ? 0 : 1;
}

static bool secrets_kept(struct seed *s)
{
    static const char *const fixed[] = {"canary-agent-token-5e1d", "sim-secret", "1000.simrefresh"};
    canaries.s = s;
    canaries.n = 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        canary(fixed[i]);
    for (size_t i = 0; i < s->nsecrets && i < 16; i++)
        canary(s->secret[i]);
    return nftw(s->root, look, 16, FTW_PHYS) == 0 && (s->setup->tell || clean_file(s, s->log));
}

bool judge_end(struct seed *s)
{
    return secrets_kept(s) && door_all_over(s) && people_kept(s) && converged(s) && log_holds(s);
}
