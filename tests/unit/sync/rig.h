/* rig.h - the engine in a bottle: virtual clock, the models of Sage and Zoho in process, real files in a directory of its own. The oracle here computes
 * from Sage's truth what Zoho has to hold, by hand and not by the vm. */
#ifndef TESTS_UNIT_SYNC_RIG_H
#define TESTS_UNIT_SYNC_RIG_H
#include "compiler/compile.h"
#include "journal/verify/verify.h"
#include "secret/secret.h"
#include "sync/engine.h"
#include "sync/view.h"
#include "tests/sim/loop.h"
#include "tests/sim/sage/sage.h"
#include "tests/sim/zoho/zoho_sim.h"
#include "tests/tree.h"
#include "tests/unit/value/ok.h"
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#define SAGE_URL "https://erp.test"
#define ZOHO_URL "http://127.0.0.1:1"

static const char SPEC_HEAD[] =
    "mlc 1\nspec \"rig\"\nimport sage100\nimport zoho_crm\n"
    "source erp: sage100 { company = \"ABC\" agent = \"" SAGE_URL "\" token = secret(\"sage-agent\") timezone = \"America/Chicago\"\n"
    "  retry locked { attempts = 3 delay = 250ms..30s } }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") budget 40_000 per 1d }\n"
    "extend crm.Accounts { Sage_Customer: text(60) @unique\n"
    "  Sage_Status: one of(\"Active\", \"Left\", \"Deleted\")  Credit_Status: one of(\"Good\", \"On hold\", \"Over limit\")  Payment_Terms: text(40) }\n";
static const char SPEC_FLOW[] =
    "flow customers from erp.AR_Customer to crm.Accounts {\n"
    "  every 15m reread every 1d key Sage_Customer\n"
    "  adopt by Account_Name == CustomerName\n  when CustomerStatus != \"T\"\n"
    "  on leave set { Sage_Status = \"Left\" } on delete set { Sage_Status = \"Deleted\" } fuse 25 or 50%\n"
    "  Sage_Status = \"Active\"\n  Account_Name = CustomerName ?? reject \"customer without a name\"\n"
    "  Billing_City = City\n"
    "  Credit_Status = match { CreditHold => \"On hold\", else => \"Good\" }\n"
    "  once Owner = find crm.users(email = \"anna.weber@example.com\")\n  fill Website = URLAddress\n}\n";

struct rig {
    char dir[200];
    struct sim_loop *loop;
    struct sage_sim *sage;
    struct zoho_sim *zoho;
    struct world world;
    struct engine_options o;
    struct engine_result r;
    struct fault f;
    int stop;
};

static inline const char *rig_path(const struct rig *r, const char *name)
{
    static char path[4][300];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", r->dir, name);
    return p;
}

static inline void rig_write(const struct rig *r, const char *name, const char *text, size_t n)
{
    FILE *f = fopen(rig_path(r, name), "w");
    if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0) abort();
}

/* Compiles head + flow; false and the diagnostics on stdout when it is refused. */
static inline bool rig_spec(struct rig *r, const char *head, const char *flow)
{
    struct buf text = {0}, bytes = {0};
    buf_puts(&text, head);
    buf_puts(&text, flow);
    rig_write(r, "spec.mlc", text.p, text.n);
    struct compile c;
    struct fault f = {ERR_OK, ""};
    struct world plain;
    world_real(&plain);
    bool good = compile_open(&c, &plain, rig_path(r, "spec.mlc"), &f) == ERR_OK && c.diags.nerrors == 0;
    struct image *im = good ? compile_image(&c) : NULL;
    if (im) {
        image_write(im, &bytes);
        rig_write(r, "spec.mlcb", bytes.p, bytes.n);
    } else {
        printf("not ok the rig's spec compiles: %s\n", f.text);
        ok_failures++;
    }
    compile_close(&c);
    buf_free(&text);
    buf_free(&bytes);
    return im != NULL;
}

static inline void rig_secret(struct rig *r, const char *name, const char *value)
{
    struct secret_store *s;
    struct fault f;
    if (secret_open(&s, &r->world, rig_path(r, "state"), NULL, NULL, &f) != ERR_OK || secret_put(s, name, str_of(value), &f) != ERR_OK) abort();
    secret_close(s);
}

static inline void rig_open(struct rig *r, uint32_t customers, uint64_t seed)
{
    *r = (struct rig){.stop = 0};
    const char *tmp = getenv("TMPDIR");
    snprintf(r->dir, sizeof r->dir, "%s/mlc-rig.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(r->dir)) abort();
    r->loop = sim_loop_new(INT64_C(1773355267000), seed);
    struct sage_sim_options so;
    sage_sim_options_default(&so);
    so.customers = customers;
    so.seed = seed;
    so.token = "rig-token";
    so.clock = sim_loop_clock(r->loop);
    r->sage = sage_sim_new(&so);
    char why[300];
    struct zoho_sim_options zo = {.data_path = "tests/sim/zoho/data/professional.json", .api_domain = ZOHO_URL, .clock = sim_loop_clock(r->loop)};
    r->zoho = zoho_sim_open(&zo, why, sizeof why);
    if (!r->sage || !r->zoho) abort();
    sim_loop_mount(r->loop, SAGE_URL, sage_sim_model(r->sage));
    sim_loop_mount(r->loop, ZOHO_URL, zoho_sim_model(r->zoho));
    world_real(&r->world);
    sim_loop_world(r->loop, &r->world);
    mkdir(rig_path(r, "state"), 0700);
    rig_secret(r, "sage-agent", "rig-token");
    rig_secret(r, "zoho", "{\"client_id\":\"1000.SIMCLIENT\",\"client_secret\":\"sim-secret\",\"refresh_token\":\"1000.simrefresh\"}");
    r->o = (struct engine_options){.wait_ms = -1, .segment_bytes = 1 << 20, .map_bytes = 64 << 20, .page_rows = 25, .batch_rows = 20};
    rig_spec(r, SPEC_HEAD, SPEC_FLOW);
}

/* ---- files ---- */
static inline bool rig_there(const char *path) { return access(path, F_OK) == 0; }

/* What a file holds; without memory when it is not there. */
static inline struct buf rig_slurp(const char *path)
{
    struct buf b = {0};
    FILE *f = fopen(path, "rb");
    for (size_t n = 1; f && n > 0; b.n += n) n = fread(buf_reserve(&b, 1 << 16), 1, 1 << 16, f);
    if (f) fclose(f);
    return b;
}

static inline bool rig_same_file(const char *a, const char *b)
{
    struct buf x = rig_slurp(a), y = rig_slurp(b);
    bool same = x.p && y.p && str_eq(buf_view(&x), buf_view(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

/* Data keys of zeros in a file of them: those that were erased. */
static inline int rig_erased_keys(const char *path)
{
    static const unsigned char zeros[32];
    struct buf b = rig_slurp(path);
    int n = 0;
    for (size_t at = 0; at + sizeof zeros <= b.n; at += sizeof zeros) n += memcmp(b.p + at, zeros, sizeof zeros) == 0;
    buf_free(&b);
    return n;
}

/* What was written to the disk is searched for what was to be sealed, in every form (tests/secrets/scan.c). */
static inline bool rig_no_secret(const struct rig *r)
{
    char command[700];
    const char *b = getenv("B");
    snprintf(command, sizeof command, "%s/secret-scan tests/secrets/unit.canaries %s >&2", b ? b : "build", r->dir);
    return system(command) == 0;
}

static inline void rig_close(struct rig *r)
{
    if (!rig_no_secret(r)) ok(false, "no secret stands in the state directory", "%s/secret-scan says where (`make sims` builds it)", getenv("B") ? getenv("B") : "build");
    zoho_sim_close(r->zoho);
    sage_sim_free(r->sage);
    sim_loop_free(r->loop);
    tree_gone(r->dir);
}

static inline enum err rig_engine(struct rig *r, struct engine **e)
{
    struct engine_options o = r->o;
    char state[300], image[300];
    snprintf(state, sizeof state, "%s/state", r->dir);
    snprintf(image, sizeof image, "%s/spec.mlcb", r->dir);
    o.state_dir = state;
    o.image_path = image;
    o.stop = &r->stop;
    static char kept[2][300];            /* the engine keeps the pointers */
    memcpy(kept[0], state, sizeof state);
    memcpy(kept[1], image, sizeof image);
    o.state_dir = kept[0];
    o.image_path = kept[1];
    return engine_open(e, &r->world, &o, &r->f);
}

/* A whole life of mlcd once. */
static inline enum err rig_once(struct rig *r)
{
    struct engine *e;
    r->f = (struct fault){ERR_OK, ""};
    r->r = (struct engine_result){0};
    enum err err = rig_engine(r, &e);
    if (err != ERR_OK) return err;
    err = engine_once(e, &r->r, &r->f);
    engine_close(e);
    return err;
}

/* once, and it has to end well with nothing left over. */
static inline bool rig_done(struct rig *r, const char *name)
{
    enum err err = rig_once(r);
    return ok(err == ERR_OK && r->r.pending == 0, name, "%s, %llu pending", err ? r->f.text : "ended", (unsigned long long)r->r.pending);
}

static inline int64_t rig_counter(struct rig *r, const char *name)
{
    char *text = zoho_sim_counters(r->zoho);
    json_t *o = json_loads(text, 0, NULL);
    int64_t n = json_integer_value(json_object_get(o, name));
    if (!json_object_get(o, name)) n = json_integer_value(json_object_get(json_object_get(o, "calls"), name));
    json_decref(o);
    free(text);
    return n;
}

static inline int64_t rig_writes(struct rig *r)
{
    return rig_counter(r, "inserts") + rig_counter(r, "updates") + rig_counter(r, "noop_updates");
}

/* What stands in Sage_Customer: company and key parts; in a part ^ is ^^ and ~ is ^-. The model joins the two parts with the first ~. */
static inline const char *rig_key(const char *sage_key)
{
    static char out[4][80];
    static unsigned turn;
    char *o = out[turn++ % 4];
    size_t n = (size_t)snprintf(o, sizeof out[0], "ABC~");
    bool second = false;
    for (; *sage_key && n + 3 < sizeof out[0]; sage_key++) {
        if (*sage_key == '^' || (*sage_key == '~' && second)) o[n++] = '^';
        o[n++] = *sage_key == '~' && second ? '-' : *sage_key;
        second = second || *sage_key == '~';
    }
    o[n] = '\0';
    return o;
}

/* The account of a key, borrowed from dump; NULL when none, and *count how many there are. */
static inline json_t *rig_account(json_t *dump, const char *key, size_t *count)
{
    json_t *found = NULL, *rec;
    size_t i;
    *count = 0;
    json_array_foreach(dump, i, rec)
    {
        const char *k = json_string_value(json_object_get(rec, "Sage_Customer"));
        if (k && strcmp(k, key) == 0) {
            found = rec;
            ++*count;
        }
    }
    return found;
}

static inline json_t *rig_dump(struct rig *r)
{
    char *text = zoho_sim_dump(r->zoho, "Accounts", NULL);
    json_t *dump = json_loads(text, 0, NULL);
    free(text);
    return dump;
}

/* The value of one field of a customer's account; "" when null or missing. */
static inline const char *rig_field(struct rig *r, const char *key, const char *field)
{
    static char out[300];
    json_t *dump = rig_dump(r);
    size_t n;
    json_t *rec = rig_account(dump, key, &n), *v = json_object_get(rec, field);
    if (json_is_object(v)) v = json_object_get(v, "id");
    snprintf(out, sizeof out, "%s", !rec ? "(no account)" : json_is_string(v) ? json_string_value(v) : "");
    json_decref(dump);
    return out;
}

struct rig_oracle { struct rig *r; json_t *dump; char why[400]; size_t expected; };

static inline bool rig_same(struct rig_oracle *o, json_t *rec, const char *key, const char *field, const char *want)
{
    const char *have = json_string_value(json_object_get(rec, field));
    bool same = (!want || !*want) ? !have : have && strcmp(have, want) == 0;
    if (!same) snprintf(o->why, sizeof o->why, "%s.%s is %s, Sage says %s", key, field, have ? have : "null", want ? want : "blank");
    return same;
}

static inline bool rig_one(void *ctx, const char *key)
{
    struct rig_oracle *o = ctx;
    char *status = sage_sim_value(o->r->sage, "ABC", "customers", key, "CustomerStatus"), *name = sage_sim_value(o->r->sage, "ABC", "customers", key, "CustomerName");
    char *city = sage_sim_value(o->r->sage, "ABC", "customers", key, "City"), *hold = sage_sim_value(o->r->sage, "ABC", "customers", key, "CreditHold");
    const char *text = rig_key(key);
    size_t n;
    json_t *rec = rig_account(o->dump, text, &n);
    bool mapped = status && strcmp(status, "T") != 0 && name && *name, good = true;
    if (mapped) {
        o->expected++;
        if (n != 1) {
            snprintf(o->why, sizeof o->why, "%s stands %zu times in Zoho", text, n);
            good = false;
        }
        good = good && rig_same(o, rec, text, "Account_Name", name) && rig_same(o, rec, text, "Billing_City", city) &&
               rig_same(o, rec, text, "Credit_Status", hold && *hold == 'Y' ? "On hold" : "Good") && rig_same(o, rec, text, "Sage_Status", "Active");
    }
    free(status), free(name), free(city), free(hold);
    return good;
}

/* Every customer that the flow maps stands in Zoho once, with Sage's values; the log verifies; the index agrees with itself. */
static inline void rig_compare(struct rig *r, const char *name)
{
    struct rig_oracle o = {r, rig_dump(r), "", 0};
    sage_sim_each_key(r->sage, "ABC", "customers", rig_one, &o);
    ok(o.why[0] == '\0', name, "%s", o.why);
    json_decref(o.dump);
    struct verify_options vo = {.dir = rig_path(r, "state/journal")};
    struct verify_report rep;
    char label[200];
    snprintf(label, sizeof label, "%s: the log verifies", name);
    ok(verify_log(&vo, &rep), label, "%s", rep.error);
    struct view *v;
    struct fault f = {ERR_OK, ""};
    snprintf(label, sizeof label, "%s: the index agrees with itself", name);
    bool open = view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &f) == ERR_OK;
    ok(open && store_check(view_store(v), &f) == ERR_OK, label, "%s", f.text);
    if (open) view_close(v);
}

/* The key of the n-th customer that is active and has a name and no credit hold. */
struct rig_pick { struct rig *r; int n; char key[64]; };
static inline bool rig_pick_one(void *ctx, const char *key)
{
    struct rig_pick *p = ctx;
    char *status = sage_sim_value(p->r->sage, "ABC", "customers", key, "CustomerStatus"), *hold = sage_sim_value(p->r->sage, "ABC", "customers", key, "CreditHold");
    char *name = sage_sim_value(p->r->sage, "ABC", "customers", key, "CustomerName");
    bool fits = strcmp(status ? status : "", "A") == 0 && strcmp(hold ? hold : "", "N") == 0 && name && *name;
    free(status), free(hold), free(name);
    if (fits && p->n-- == 0) {
        snprintf(p->key, sizeof p->key, "%s", key);
        return false;
    }
    return true;
}

static inline const char *rig_customer(struct rig *r, int n)
{
    static char out[4][64];
    static unsigned turn;
    struct rig_pick p = {r, n, ""};
    sage_sim_each_key(r->sage, "ABC", "customers", rig_pick_one, &p);
    char *o = out[turn++ % 4];
    memcpy(o, p.key, sizeof p.key);
    return o;
}


static inline void rig_edit(struct rig *r, const char *key, const char *column, const char *value)
{
    sim_loop_advance(r->loop, 1000);
    if (!sage_sim_edit(r->sage, "ABC", "customers", key, column, value, SAGE_STAMP_NOW)) abort();
}

static inline void rig_zoho_fault(struct rig *r, const char *json)
{
    char why[300];
    if (!zoho_sim_faults(r->zoho, json, why, sizeof why)) {
        printf("not ok the fault script is understood: %s\n", why);
        ok_failures++;
    }
}

/* A person decides about a candidate: its id, or "" for a record of its own; then what is due is written. */
static inline enum err rig_decide(struct rig *r, const char *key, const char *id)
{
    struct engine *e;
    enum err err = rig_engine(r, &e);
    if (err != ERR_OK) return err;
    err = engine_adopt(e, NULL, str_of(key), str_of(id), "tester", &r->f);
    if (err == ERR_OK) err = engine_write(e, &r->r, &r->f);
    engine_close(e);
    return err;
}

/* `status` gives a cause of this state whose reason holds both texts. */
static inline bool rig_says(struct rig *r, const char *state, const char *code, const char *text)
{
    struct view *v;
    struct arena a;
    struct view_cause *causes = NULL;
    size_t n = 0;
    bool found = false;
    arena_init(&a, 0);
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) == ERR_OK) {
        view_causes(v, &a, &causes, &n, &r->f);
        for (size_t i = 0; i < n; i++)
            found = found || (strcmp(row_state_name(causes[i].state), state) == 0 && strstr(causes[i].why, code) && strstr(causes[i].why, text));
        view_close(v);
    }
    arena_free(&a);
    return found;
}

/* State of a record as status and why see it. */
static inline const char *rig_state_in(struct rig *r, const char *flow, const char *key, char *why, size_t n)
{
    struct view *v;
    struct flow_state st;
    struct row row = {0};
    struct arena a;
    struct buf b = {0};
    static const char *state;
    arena_init(&a, 0);
    state = "(unknown)";
    struct str parts[8];
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK) return state;
    size_t np = rowkey_parse(str_of(key), &a, parts, 8);
    if (rowkey_make(&b, parts, np) && store_flow(view_store(v), str_of(flow), &st) && store_row(view_store(v), st.id, buf_view(&b), &a, &row, NULL) == ERR_OK) {
        state = row_state_name(row.state);
        if (why) snprintf(why, n, "%.*s", (int)row.why.n, row.why.p);
    }
    buf_free(&b);
    view_close(v);
    arena_free(&a);
    return state;
}

static inline const char *rig_state(struct rig *r, const char *key, char *why, size_t n) { return rig_state_in(r, "customers", key, why, n); }

static inline void rig_count_one(void *ctx, struct str json)
{
    (void)json;
    ++*(int *)ctx;
}

/* Entries of a kind that the log has; -1 when it cannot be read. */
static inline int rig_log_count(struct rig *r, const char *kind)
{
    struct view *v;
    struct view_filter flt = {.kind = kind};
    int n = 0;
    if (view_open(&v, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK) return -1;
    view_log(v, &flt, rig_count_one, &n, &r->f);
    view_close(v);
    return n;
}

/* A test program of many syncs to the disk: in memory, where there is such a disk. `PROGRAM WORD` runs those with the word in their name. */
struct rig_test { const char *name; void (*run)(void); };
static inline int rig_main(int argc, char **argv, const struct rig_test *tests, size_t n)
{
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
    for (size_t i = 0; i < n; i++)
        if (argc < 2 || strstr(tests[i].name, argv[1])) tests[i].run();
    return ok_done();
}
#define RIG_MAIN(...) \
    int main(int argc, char **argv) \
    { \
        static const struct rig_test tests[] = {__VA_ARGS__}; \
        return rig_main(argc, argv, tests, sizeof tests / sizeof *tests); \
    }
#endif
