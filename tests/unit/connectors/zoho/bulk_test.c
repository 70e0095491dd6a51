/* bulk_test.c - bulk write against the model, which unpacks and reads the file by itself: values arrive as an insert would bring them, each line of the
 * result becomes one outcome, and what goes wrong is told from what is not known. */
#include "rig.h"

static const struct target_field FIELDS[] = {
    {.module = {"Accounts", 8}, .name = {"Sage_Customer", 13}, .type = {.base = T_TEXT}},
    {.module = {"Accounts", 8}, .name = {"Account_Name", 12}, .type = {.base = T_TEXT}},
    {.module = {"Accounts", 8}, .name = {"Annual_Revenue", 14}, .type = {.base = T_DECIMAL}},
    {.module = {"Accounts", 8}, .name = {"Description", 11}, .type = {.base = T_TEXT}},
    {.module = {"Accounts", 8}, .name = {"Parent_Account", 14}, .type = {.base = T_LINK}}};
enum { NFIELDS = sizeof FIELDS / sizeof *FIELDS };

struct outcome { char key[40], id[24], code[40], field[40]; enum write_class cls; };
struct outcomes { struct outcome list[300]; size_t n; };

static void take(void *ctx, struct str key, struct write_item *it)
{
    struct outcomes *all = ctx;
    struct outcome *o = &all->list[all->n++];
    snprintf(o->key, sizeof o->key, "%.*s", (int)key.n, key.p);
    snprintf(o->id, sizeof o->id, "%.*s", (int)it->out_id.n, it->out_id.p ? it->out_id.p : "");
    snprintf(o->code, sizeof o->code, "%.*s", (int)it->code.n, it->code.p ? it->code.p : "");
    snprintf(o->field, sizeof o->field, "%.*s", (int)it->field.n, it->field.p ? it->field.p : "");
    o->cls = it->cls;
}

static void open_bulk(struct rig *r)
{
    rig_open(r, "enterprise");
    rig_set(r, "upload_url", RIG_URL);
    rig_target(r);
}

static struct load *load_of(struct rig *r, size_t n)
{
    struct load *l;
    if (zoho_target_ops.load_new(r->t, STR("Accounts"), FIELDS, NFIELDS, &l, &r->f) != ERR_OK) exit(1);
    for (size_t i = 0; i < n; i++) {
        struct record rec = rig_record(r, (const char *const[]){"Sage_Customer", arena_printf(&r->arena, "ABC~%zu", i), "Account_Name",
                                                                arena_printf(&r->arena, "Name %zu", i), NULL});
        if (!zoho_target_ops.load_add(l, &rec)) check(false, "a record fits", "");
    }
    return l;
}

static enum err run(struct rig *r, struct load *l, struct outcomes *all)
{
    struct str file, job, where;
    enum load_state state = LOAD_RUNNING;
    uint64_t lines = 0;
    all->n = 0;
    enum err e = zoho_target_ops.load_upload(r->t, l, &r->arena, &file, &r->f);
    if (e == ERR_OK) e = zoho_target_ops.load_start(r->t, l, file, &r->arena, &job, &r->f);
    for (int i = 0; i < 20 && e == ERR_OK && state == LOAD_RUNNING; i++) {
        e = zoho_target_ops.load_look(r->t, job, &r->arena, &state, &where, &r->f);
        r->now += 30000;
    }
    if (e == ERR_OK && state == LOAD_DONE) e = zoho_target_ops.load_result(r->t, where, STR("Sage_Customer"), take, all, &lines, &r->f);
    if (e == ERR_OK && state == LOAD_DONE) check(lines == all->n, "each line was told", "");
    return state == LOAD_FAILED ? ERR_REJECTED : e;
}

static const char *text_in(struct rig *r, const char *id, const char *field)
{
    char *text = zoho_sim_record(r->sim, "Accounts", id);
    json_t *o = text ? json_loads(text, 0, NULL) : NULL, *v = json_object_get(o, field);
    if (json_is_object(v)) v = json_object_get(v, "id");
    const char *s = json_is_string(v) ? arena_copy(&r->arena, json_string_value(v), strlen(json_string_value(v)))
                    : json_is_number(v) ? arena_printf(&r->arena, "%.2f", json_number_value(v)) : "(null)";
    json_decref(o);
    free(text);
    return s;
}

static void test_values(void)
{
    static const char *const awkward[] = {"plain", "a, b", "say \"no\"", "two\nlines", " blanks ", "\"", "M\xc3\xbcller", ",", "a\"\"b", "=1+2", NULL};
    struct rig r;
    struct load *l;
    static struct outcomes all;
    char parent[24], why[300] = "";
    open_bulk(&r);
    if (!zoho_sim_seed(r.sim, "Accounts", "{\"Account_Name\":\"Parent\"}", parent, why, sizeof why)) check(false, "seed", why);
    zoho_target_ops.load_new(r.t, STR("Accounts"), FIELDS, NFIELDS, &l, &r.f);
    size_t n = 0;
    for (; awkward[n]; n++) {
        struct record rec = rig_record(&r, (const char *const[]){"Account_Name", arena_printf(&r.arena, "N%zu", n), "Sage_Customer", arena_printf(&r.arena, "K~%zu", n),
                                                                 "Description", awkward[n], NULL});
        rec.f[rec.n++] = (struct record_field){STR("Annual_Revenue"), value_decimal(1234567890123 + (int64_t)n, 2)};
        if (n % 2) rec.f[rec.n++] = (struct record_field){STR("Parent_Account"), {.kind = V_ID, .len = (uint32_t)strlen(parent), .u.text = parent}};
        check(zoho_target_ops.load_add(l, &rec), "a record goes in", "");
    }
    check(run(&r, l, &all) == ERR_OK && all.n == n, "a load of awkward values", r.f.text);
    for (size_t i = 0; i < all.n; i++) {
        const struct outcome *o = &all.list[i];
        check(o->cls == W_APPLIED && strcmp(text_in(&r, o->id, "Sage_Customer"), o->key) == 0, "applied, with the id of the key", o->code);
        size_t k = strtoul(o->key + 2, NULL, 10);
        check(strcmp(text_in(&r, o->id, "Description"), awkward[k]) == 0, arena_printf(&r.arena, "arrives as it is: text %zu", k), text_in(&r, o->id, "Description"));
        check(strcmp(text_in(&r, o->id, "Annual_Revenue"), arena_printf(&r.arena, "%zu.%02zu", (1234567890123 + k) / 100, (1234567890123 + k) % 100)) == 0, "a number too",
              text_in(&r, o->id, "Annual_Revenue"));
        check(strcmp(text_in(&r, o->id, "Parent_Account"), k % 2 ? parent : "(null)") == 0, "a link too", text_in(&r, o->id, "Parent_Account"));
    }
    zoho_target_ops.load_free(l);
    rig_close(&r);
}

static void test_outcomes(void)
{
    struct rig r;
    static struct outcomes all;
    open_bulk(&r);
    char why[300] = "";
    zoho_sim_seed(r.sim, "Accounts", "{\"Account_Name\":\"Old\",\"Sage_Customer\":\"ABC~7\"}", NULL, why, sizeof why);
    rig_fault(&r, "[{\"match\":{\"method\":\"JOB\",\"path\":\"/bulk/Accounts\"},\"do\":\"partial\",\"index\":3,\"code\":\"INVALID_DATA\",\"field\":\"Phone\"}]");
    zoho_sim_switch(r.sim, "bulk_unprocessed", 5);
    struct load *l = load_of(&r, 12);
    check(run(&r, l, &all) == ERR_OK && all.n == 12, "twelve lines", r.f.text);
    const struct { size_t i; enum write_class cls; const char *code, *field; } want[] = {
        {0, W_APPLIED, "", ""}, {3, W_REJECTED, "INVALID_DATA", "Phone"}, {4, W_RETRY, "UNPROCESSED", ""}, {7, W_DUP_OWN, "DUPLICATE_DATA", "Sage_Customer"},
        {9, W_RETRY, "UNPROCESSED", ""}, {11, W_APPLIED, "", ""}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct outcome *o = &all.list[want[i].i];
        check(o->cls == want[i].cls && strcmp(o->code, want[i].code) == 0 && strcmp(o->field, want[i].field) == 0, arena_printf(&r.arena, "line %zu", want[i].i),
              arena_printf(&r.arena, "%s %s %s", class_name(o->cls), o->code, o->field));
    }
    check(zoho_sim_count(r.sim, "Accounts") == 9, "and nothing else stands there", "");
    zoho_target_ops.load_free(l);
    rig_close(&r);
}

static void test_accidents(void)
{
    static const struct { const char *what, *path, *action; enum err want; } cases[] = {
        {"the upload is lost", "/crm/v8/upload", "drop_before", ERR_OK},                        /* a file that nobody uses: sent again */
        {"the upload is refused", "/crm/v8/upload", "flat_400", ERR_REJECTED},
        {"the job's answer is lost", "/crm/bulk/v8/write", "drop_after", ERR_AMBIGUOUS},
        {"the job's request is lost", "/crm/bulk/v8/write", "drop_before", ERR_AMBIGUOUS},
        {"500 to the job", "/crm/bulk/v8/write", "500", ERR_AMBIGUOUS},
        {"the job's answer cannot be read", "/crm/bulk/v8/write", "truncated_json", ERR_AMBIGUOUS},
        {"the job is refused", "/crm/bulk/v8/write", "flat_400", ERR_REJECTED},
        {"too many requests", "/crm/bulk/v8/write", "429", ERR_REJECTED},
        {"the token died", "/crm/bulk/v8/write", "expire_token", ERR_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        static struct outcomes all;
        open_bulk(&r);
        struct load *l = load_of(&r, 5);
        rig_fault(&r, arena_printf(&r.arena, "[{\"match\":{\"method\":\"POST\",\"path\":\"%s\"},\"do\":\"%s\"}]", cases[i].path, cases[i].action));
        enum err e = run(&r, l, &all);
        check(e == cases[i].want, cases[i].what, arena_printf(&r.arena, "%s: %s", err_name(e), r.f.text));
        zoho_target_ops.load_free(l);
        rig_close(&r);
    }
    struct rig r;
    static struct outcomes all;
    open_bulk(&r);
    struct load *l = load_of(&r, 5);
    rig_fault(&r, "[{\"match\":{\"method\":\"GET\",\"path\":\"/v2/crm/\"},\"do\":\"truncated_json\"}]");
    check(run(&r, l, &all) == ERR_PROTOCOL && all.n == 0, "a result that is no zip is an error, not an end", r.f.text);
    zoho_target_ops.load_free(l);
    rig_close(&r);
}

static void test_choice(void)
{
    struct rig r;
    struct load_choice c;
    rig_open(&r, "enterprise");
    rig_target(&r);
    zoho_target_ops.load_choice(r.t, 100000, &c);
    check(!c.possible && !c.bulk_is_better && strstr(c.why, "upload_url"), "other hosts have no upload host", c.why);
    rig_set(&r, "upload_url", RIG_URL);
    rig_target(&r);
    const struct { uint64_t n; bool better; } cases[] = {{0, false}, {100, false}, {5000, false}, {5300, true}, {25000, true}, {100000, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        zoho_target_ops.load_choice(r.t, cases[i].n, &c);
        check(c.bulk_is_better == cases[i].better, arena_printf(&r.arena, "%llu records", (unsigned long long)cases[i].n),
              arena_printf(&r.arena, "%llu against %llu credits", (unsigned long long)c.insert.credits, (unsigned long long)c.bulk.credits));
    }
    check(c.insert.calls == 1000 && c.insert.credits == 10000 && c.bulk.credits >= 2000 && c.bulk.credits < 2200, "the figures of the fact sheet", "");
    rig_set(&r, "bulk_wait", "1m");
    rig_target(&r);
    zoho_target_ops.load_choice(r.t, 25000, &c);
    check(!c.bulk_is_better && strstr(c.why, "bulk_wait"), "who has no time pays credits", c.why ? c.why : "");
    rig_set(&r, "budget.calls", "1000");
    rig_set(&r, "budget.per", "1d");
    rig_target(&r);
    zoho_target_ops.load_choice(r.t, 25000, &c);
    check(c.bulk_is_better && c.insert.ms > 24 * 3600 * 1000, "but credits that are not there take days", "");
    rig_set(&r, "bulk", "never");
    rig_target(&r);
    zoho_target_ops.load_choice(r.t, 25000, &c);
    check(!c.bulk_is_better && zoho_target_ops.load_rows(r.t) == 0, "switched off", "");
    rig_close(&r);
}

static void test_bounds(void)
{
    struct rig r;
    struct load *l;
    open_bulk(&r);
    zoho_target_ops.load_new(r.t, STR("Accounts"), FIELDS, NFIELDS, &l, &r.f);
    struct record small = rig_record(&r, (const char *const[]){"Sage_Customer", "k", "Account_Name", "n", NULL});
    size_t n = 0;
    while (n <= ZOHO_LOAD_ROWS && zoho_target_ops.load_add(l, &small)) n++;
    check(n == ZOHO_LOAD_ROWS, "25,000 rows, no more", arena_printf(&r.arena, "%zu", n));
    zoho_target_ops.load_free(l);
    zoho_target_ops.load_new(r.t, STR("Accounts"), FIELDS, NFIELDS, &l, &r.f);
    char *big = arena_alloc(&r.arena, 32001);
    memset(big, 'x', 32000);
    big[32000] = '\0';
    struct record large = rig_record(&r, (const char *const[]){"Sage_Customer", "k", "Account_Name", "n", "Description", big, NULL});
    for (n = 0; zoho_target_ops.load_add(l, &large);) n++;
    check(n > 700 && n * 32000 < 25u << 20, "25 MB, no more", arena_printf(&r.arena, "%zu", n));
    zoho_target_ops.load_free(l);
    rig_close(&r);
}

int main(void)
{
    test_values();
    test_outcomes();
    test_accidents();
    test_choice();
    test_bounds();
    return failures != 0;
}
