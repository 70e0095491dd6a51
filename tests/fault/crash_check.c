/* crash_check.c - the judge. Knows the flow of customers.mlc by hand, in C, and asks nothing of the engine: the models' own truth on both sides; the
 * state directory by crash_state.c. */
#include "tests/fault/scene.h"
#include "tests/fault/state.h"
#include "store/event.h"
#include "store/store.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Zoho against Sage ---- */
struct zoho_counts check_counts(struct scene *s)
{
    char *text = zoho_sim_counters(s->zoho);
    json_t *j = json_loads(text, 0, NULL);
    struct zoho_counts c = {json_integer_value(json_object_get(j, "inserts")), json_integer_value(json_object_get(j, "updates")),
                            json_integer_value(json_object_get(j, "noop_updates")), json_integer_value(json_object_get(j, "failed_records"))};
    json_decref(j);
    free(text);
    return c;
}

static bool same_text(struct scene *s, const json_t *record, const char *field, const char *key, const char *column)
{
    char *want = sage_sim_value(s->sage, "ABC", "customers", key, column);
    const char *have = json_string_value(json_object_get(record, field));
    bool blank = !want || !*want;
    bool ok = blank ? !have : have && strcmp(want, have) == 0;
    if (!ok) (void)scene_wrong(s, "customer %s: %s is \"%s\" in Zoho, %s is \"%s\" in Sage", key, field, have ? have : "", column, want ? want : "");
    free(want);
    return ok;
}

static bool same_credit(struct scene *s, const json_t *record, const char *key)
{
    char *limit = sage_sim_value(s->sage, "ABC", "customers", key, "CreditLimit"), *hold = sage_sim_value(s->sage, "ABC", "customers", key, "CreditHold");
    double want = limit ? strtod(limit, NULL) : 0, have = json_number_value(json_object_get(record, "Credit_Limit"));
    const char *status = hold && strcmp(hold, "Y") == 0 ? "On hold" : want > 5000 ? "Over limit" : "Good";
    const char *in_zoho = json_string_value(json_object_get(record, "Credit_Status"));
    bool ok = want > have - 0.001 && want < have + 0.001 && in_zoho && strcmp(in_zoho, status) == 0;
    if (!ok) (void)scene_wrong(s, "customer %s: credit %.2f, %s in Zoho, should be %.2f, %s", key, have, in_zoho ? in_zoho : "-", want, status);
    free(limit);
    free(hold);
    return ok;
}

static bool check_customer(struct scene *s, const json_t *all, const char *key)
{
    char ours[64];
    const json_t *record, *found = NULL;
    size_t i, times = 0;
    scene_our_key(key, ours, sizeof ours);
    json_array_foreach(all, i, record) {
        const char *have = json_string_value(json_object_get(record, "Sage_Customer"));
        if (!have || strcmp(have, ours) != 0) continue;
        found = record;
        times++;
    }
    if (times != 1) return scene_wrong(s, "customer %s stands %zu times in Zoho", key, times);
    if (s->more && strcmp(key, s->erased) == 0) return true;            /* as it was when it was erased */
    if (s->more && !more_check(s, found, key)) return false;
    return same_text(s, found, "Account_Name", key, "CustomerName") && same_text(s, found, "Billing_City", key, "City") &&
           same_text(s, found, "Billing_Code", key, "ZipCode") && same_credit(s, found, key);
}

bool check_records(struct scene *s)
{
    char *dump = zoho_sim_dump(s->zoho, "Accounts", NULL);
    json_t *all = json_loads(dump, 0, NULL);
    scene_keys(s);
    bool ok = json_is_array(all) || scene_wrong(s, "Zoho's records cannot be dumped");
    for (size_t i = 0; i < s->nkeys && ok; i++) ok = check_customer(s, all, s->key[i]);
    size_t beyond = (s->group[0] ? 1u : 0u) + (s->deleted[0] ? 1u : 0u);
    if (ok && json_array_size(all) != s->nkeys + beyond)
        ok = scene_wrong(s, "Zoho holds %zu accounts, Sage %zu customers, and %zu are beyond", json_array_size(all), s->nkeys, beyond);
    ok = ok && (!s->deleted[0] || more_check_gone(s, all));
    int64_t inserts = check_counts(s).inserts, expected = (int64_t)s->nkeys + SCENE_ITEMS + SCENE_ORDERS;
    if (ok && !s->more && inserts != expected) ok = scene_wrong(s, "Zoho made %lld records for %lld", (long long)inserts, (long long)expected);
    ok = ok && orders_check(s);
    json_decref(all);
    free(dump);
    return ok;
}

/* ---- the state directory ---- */
struct judge {
    struct scene *s;
    struct state_judge state;
    struct intent { char key[64]; unsigned count, sent; } *intents; size_t nintents;
    json_t *zoho;
};

static struct intent *intent_of(struct judge *j, const char *key)
{
    for (size_t i = 0; i < j->nintents; i++)
        if (strcmp(j->intents[i].key, key) == 0) return &j->intents[i];
    if (j->nintents == CRASH_TALLY) abort();
    struct intent *t = &j->intents[j->nintents++];
    (void)snprintf(t->key, sizeof t->key, "%s", key);
    return t;
}

static void count_intent(void *arg, const struct frame *fr, const struct event_tags *ev)
{
    struct judge *j = arg;
    if (fr->kind != FRAME_INTENT) return;
    struct arena a;
    struct str parts[8];
    struct buf text = {0};
    arena_init(&a, 1024);
    size_t n = rowkey_parts(ev->v[EV_KEY], &a, parts, 8);
    rowkey_text(&text, parts, n);
    intent_of(j, buf_cstr(&text))->count++;
    buf_free(&text);
    arena_free(&a);
}

struct slots { uint32_t seen[SCENE_KEYS + SCENE_ITEMS + SCENE_ORDERS]; size_t n, gone; struct fault *f; };

static enum err slot_once(void *arg, struct str key, const struct row *r)
{
    struct slots *t = arg;
    (void)key;
    t->gone += r->state == ROW_GONE;
    for (size_t i = 0; i < t->n && r->slot != FRAME_NO_SLOT; i++)
        if (t->seen[i] == r->slot) return fault_set(t->f, ERR_CORRUPT, "two records share data-key slot %u", r->slot);
    if (t->n < sizeof t->seen / sizeof *t->seen) t->seen[t->n++] = r->slot;
    return r->state == ROW_CLEAN || r->state == ROW_GONE ? ERR_OK : fault_set(t->f, ERR_CORRUPT, "a row is left in state %s: %.*s", row_state_name(r->state), (int)r->why.n, r->why.p);
}

static const char *key_of_id(const struct judge *j, const char *id)
{
    const json_t *record;
    size_t i;
    json_array_foreach(j->zoho, i, record) {
        const char *have = json_string_value(json_object_get(record, "id"));
        if (have && strcmp(have, id) == 0) return scene_key(record);
    }
    return NULL;
}

/* Nothing reached Zoho that the log does not announce. */
static enum err sends_announced(struct judge *j, struct fault *f)
{
    const struct scene *s = j->s;
    for (size_t i = 0; i < s->nwrites; i++) {
        const char *key = s->writes[i].key[0] ? s->writes[i].key : key_of_id(j, s->writes[i].id);
        if (!key) return fault_set(f, ERR_CORRUPT, "a record without a key was written: %s", s->writes[i].id);
        struct intent *t = intent_of(j, key);
        char erased[64] = "";
        if (s->erased[0]) scene_our_key(s->erased, erased, sizeof erased);
        if (strcmp(key, erased) == 0) continue;                /* what its frames say cannot be read any more */
        if (++t->sent > t->count)
            return fault_set(f, ERR_CORRUPT, "%s reached Zoho %u times, the log announces %u", key, t->sent, t->count);
    }
    return ERR_OK;
}

static enum err judge_state(struct judge *j, struct fault *f)
{
    struct slots slots = {.f = f};
    enum err err = state_judge(&j->state, f);
    for (uint16_t flow = 1; flow <= SCENE_MODULES && err == ERR_OK; flow++) err = store_rows(j->state.store, flow, (struct str){NULL, 0}, slot_once, &slots, f);
    size_t deleted = j->s->deleted[0] ? 1 : 0, gone = deleted + (j->s->erased[0] ? 1u : 0u), records = j->s->nkeys + deleted + SCENE_ITEMS + SCENE_ORDERS;
    if (err == ERR_OK && slots.gone != gone) err = fault_set(f, ERR_CORRUPT, "%zu rows are gone, %zu should be", slots.gone, gone);
    if (err == ERR_OK && slots.n != records) err = fault_set(f, ERR_CORRUPT, "the index has %zu rows for %zu records", slots.n, records);
    return err == ERR_OK ? sends_announced(j, f) : err;
}

bool check_state(struct scene *s)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct judge j = {.s = s, .state = {.dir = s->state, .erases = s->more, .frame = count_intent, .arg = &j}, .intents = calloc(CRASH_TALLY, sizeof *j.intents)};
        struct fault f = {ERR_OK, ""};
        j.zoho = json_array();
        for (size_t m = 0; m < SCENE_MODULES; m++) json_array_extend(j.zoho, json_loads(zoho_sim_dump(s->zoho, scene_modules[m], NULL), 0, NULL));
        enum err err = judge_state(&j, &f);
        (void)snprintf(s->sh->error, sizeof s->sh->error, "%s", f.text);
        io_exit(err == ERR_OK ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return scene_wrong(s, "the judge of the state directory died");
    return WEXITSTATUS(status) == 0 || scene_wrong(s, "%s", s->sh->error);
}
