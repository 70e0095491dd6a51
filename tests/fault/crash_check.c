/* crash_check.c - the judge. Knows the flow of customers.mlc by hand, in C, and asks nothing of the engine: the models' own truth on both sides; the
 * log by its verifier; the index by folding the log again from its first frame. */
#include "tests/fault/scene.h"
#include "journal/verify/verify.h"
#include "secret/secret.h"
#include "store/event.h"
#include "store/store_private.h"
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

/* "02~A~1" in the agent's form -> "ABC~02~A^-1": the first ~ parts division and number, others belong to the number. */
static void our_key(const char *key, char *out, size_t n)
{
    size_t at = (size_t)snprintf(out, n, "ABC~");
    bool number = false;
    for (const char *p = key; *p && at + 3 < n; p++) {
        bool escape = *p == '^' || (*p == '~' && number);
        if (escape) out[at++] = '^';
        out[at++] = escape && *p == '~' ? '-' : *p;
        number = number || *p == '~';
    }
    out[at] = '\0';
}

static bool check_customer(struct scene *s, const json_t *all, const char *key)
{
    char ours[64];
    const json_t *record, *found = NULL;
    size_t i, times = 0;
    our_key(key, ours, sizeof ours);
    json_array_foreach(all, i, record) {
        const char *have = json_string_value(json_object_get(record, "Sage_Customer"));
        if (!have || strcmp(have, ours) != 0) continue;
        found = record;
        times++;
    }
    if (times != 1) return scene_wrong(s, "customer %s stands %zu times in Zoho", key, times);
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
    if (ok && json_array_size(all) != s->nkeys) ok = scene_wrong(s, "Zoho holds %zu accounts, Sage %zu customers", json_array_size(all), s->nkeys);
    int64_t inserts = check_counts(s).inserts, expected = (int64_t)s->nkeys + SCENE_ITEMS + SCENE_ORDERS;
    if (ok && inserts != expected) ok = scene_wrong(s, "Zoho made %lld records for %lld", (long long)inserts, (long long)expected);
    ok = ok && orders_check(s);
    json_decref(all);
    free(dump);
    return ok;
}

/* ---- the state directory ---- */
struct judge {
    struct scene *s;
    struct world w;
    struct secret_store *secrets;
    struct journal *journal;
    struct store *store, *again;
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

static void count_intent(struct judge *j, const struct event_tags *ev)
{
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

/* The log names compiled specs by hash; why and replay need them. */
static enum err image_kept(const struct judge *j, const struct frame *fr, struct fault *f)
{
    char hex[2 * HASH_BYTES + 1], path[800];
    static const struct hash none;
    if (memcmp(fr->image.b, none.b, HASH_BYTES) == 0) return ERR_OK;
    hash_hex(fr->image.b, HASH_BYTES, hex);
    (void)snprintf(path, sizeof path, "%s/images/%s.mlcb", j->s->state, hex);
    return access(path, R_OK) == 0 ? ERR_OK : fault_set(f, ERR_CORRUPT, "frame %llu was made by a compiled spec that is not kept", (unsigned long long)fr->seq);
}

static enum err read_frame(void *arg, const struct frame *fr, struct fault *f)
{
    struct judge *j = arg;
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub) || !event_read(&ev, fr->priv)) return fault_set(f, ERR_CORRUPT, "frame %llu cannot be read", (unsigned long long)fr->seq);
    if (fr->kind == FRAME_INTENT) count_intent(j, &ev);
    enum err err = image_kept(j, fr, f);
    return err == ERR_OK ? store_apply(j->again, fr, f) : err;
}

static enum err open_all(struct judge *j, struct fault *f)
{
    char index[700], again[700], journal[700];
    const char *dir = j->s->state;
    world_real(&j->w);
    (void)snprintf(index, sizeof index, "%s/index", dir);
    (void)snprintf(again, sizeof again, "%s/index-again", dir);
    (void)snprintf(journal, sizeof journal, "%s/journal", dir);
    enum err err = secret_open(&j->secrets, &j->w, dir, NULL, NULL, f);
    if (err != ERR_OK) return err;
    struct store_options so = {.dir = index, .map_bytes = 16 << 20};
    secret_derive(j->secrets, SECRET_INDEX_KEY, so.key);
    err = store_open(&j->store, &j->w, &so, f);
    so.dir = again;
    if (err == ERR_OK) err = store_open(&j->again, &j->w, &so, f);
    if (err == ERR_OK) err = slot_open(j->secrets, store_next_slot(j->store), f);
    if (err != ERR_OK) return err;
    struct journal_options jo = {.dir = journal, .origin = "ml-connector", .applied_seq = store_applied_seq(j->store), .read_only = true,
                                 .seal = {secret_seal, secret_unseal, NULL, j->secrets, {0}}};
    return journal_open(&j->journal, &j->w, &jo, f);
}

/* Byte by byte: both indexes are made of the same frames with the same key. */
static enum err same_tables(struct judge *j, struct fault *f)
{
    static const char *const names[TABLE_COUNT] = {"meta", "flows", "rows", "due", "inflight", "held", "locked", "ids", "links", "waiting"};
    for (int t = TABLE_FLOWS; t < TABLE_COUNT; t++) {
        MDB_cursor *a, *b;
        MDB_val ka, va, kb, vb;
        if (mdb_cursor_open(j->store->txn, j->store->dbi[t], &a) || mdb_cursor_open(j->again->txn, j->again->dbi[t], &b))
            return fault_set(f, ERR_IO, "no cursor");
        for (;;) {
            int ra = mdb_cursor_get(a, &ka, &va, MDB_NEXT), rb = mdb_cursor_get(b, &kb, &vb, MDB_NEXT);
            if (ra != rb) return fault_set(f, ERR_CORRUPT, "table %s of the index and of the log's fold have not the same length", names[t]);
            if (ra) break;
            bool same = ka.mv_size == kb.mv_size && va.mv_size == vb.mv_size && memcmp(ka.mv_data, kb.mv_data, ka.mv_size) == 0 &&
                        memcmp(va.mv_data, vb.mv_data, va.mv_size) == 0;
            if (!same) return fault_set(f, ERR_CORRUPT, "table %s of the index is not what the log says", names[t]);
        }
        mdb_cursor_close(a);
        mdb_cursor_close(b);
    }
    return ERR_OK;
}

struct slots { uint32_t seen[SCENE_KEYS + SCENE_ITEMS + SCENE_ORDERS]; size_t n; struct fault *f; };

static enum err slot_once(void *arg, struct str key, const struct row *r)
{
    struct slots *t = arg;
    (void)key;
    for (size_t i = 0; i < t->n; i++)
        if (t->seen[i] == r->slot) return fault_set(t->f, ERR_CORRUPT, "two records share data-key slot %u", r->slot);
    if (t->n < sizeof t->seen / sizeof *t->seen) t->seen[t->n++] = r->slot;
    return r->state == ROW_CLEAN ? ERR_OK : fault_set(t->f, ERR_CORRUPT, "a row is left in state %s: %.*s", row_state_name(r->state), (int)r->why.n, r->why.p);
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
        if (++t->sent > t->count)
            return fault_set(f, ERR_CORRUPT, "%s reached Zoho %u times, the log announces %u", key, t->sent, t->count);
    }
    return ERR_OK;
}

static enum err verified(struct judge *j, struct fault *f)
{
    char dir[700];
    unsigned char pk[32];
    struct verify_report r;
    (void)snprintf(dir, sizeof dir, "%s/journal", j->s->state);
    secret_public_key(j->secrets, pk);
    struct verify_options o = {.dir = dir, .public_key = pk};
    if (verify_log(&o, &r)) return r.signatures ? ERR_OK : fault_set(f, ERR_CORRUPT, "the log has no signed checkpoint");
    return fault_set(f, ERR_CORRUPT, "the audit log does not verify: %s", r.error);
}

static enum err judge_state(struct judge *j, struct fault *f)
{
    struct slots slots = {.f = f};
    enum err err = open_all(j, f);
    if (err == ERR_OK) err = verified(j, f);
    if (err == ERR_OK) err = store_check(j->store, f);
    if (err == ERR_OK) err = journal_read(j->journal, 1, read_frame, j, f);
    if (err == ERR_OK && store_applied_seq(j->again) != store_applied_seq(j->store))
        err = fault_set(f, ERR_CORRUPT, "the log ends at %llu, the index at %llu", (unsigned long long)store_applied_seq(j->again),
                        (unsigned long long)store_applied_seq(j->store));
    if (err == ERR_OK) err = store_flush(j->again, f);
    if (err == ERR_OK) err = store_check(j->again, f);
    if (err == ERR_OK) err = same_tables(j, f);
    for (uint16_t flow = 1; flow <= SCENE_MODULES && err == ERR_OK; flow++) err = store_rows(j->store, flow, (struct str){NULL, 0}, slot_once, &slots, f);
    size_t records = j->s->nkeys + SCENE_ITEMS + SCENE_ORDERS;
    if (err == ERR_OK && slots.n != records) err = fault_set(f, ERR_CORRUPT, "the index has %zu rows for %zu records", slots.n, records);
    return err == ERR_OK ? sends_announced(j, f) : err;
}

bool check_state(struct scene *s)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct judge j = {.s = s, .intents = calloc(CRASH_TALLY, sizeof *j.intents)};
        struct fault f = {ERR_OK, ""};
        j.zoho = json_array();
        for (size_t m = 0; m < SCENE_MODULES; m++) json_array_extend(j.zoho, json_loads(zoho_sim_dump(s->zoho, scene_modules[m], NULL), 0, NULL));
        enum err err = judge_state(&j, &f);
        (void)snprintf(s->sh->error, sizeof s->sh->error, "%s", f.text);
        io_counted();
        _exit(err == ERR_OK ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return scene_wrong(s, "the judge of the state directory died");
    return WEXITSTATUS(status) == 0 || scene_wrong(s, "%s", s->sh->error);
}
