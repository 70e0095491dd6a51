/* prepare_test.c - what the org says of itself for the lock file, and making what a spec declares: every kind of field, what Zoho refuses, names that
 * Zoho makes otherwise, answers that are lost or refused for a passing reason, both readings of a changed list of choices. */
#include "rig.h"

struct steps { char text[8000]; unsigned wanted, made, refused, by_hand; };

static void on_step(void *ctx, const struct make_step *s)
{
    struct steps *all = ctx;
    unsigned *counts[] = {[MAKE_WANTED] = &all->wanted, [MAKE_DONE] = &all->made, [MAKE_REFUSED] = &all->refused, [MAKE_BY_HAND] = &all->by_hand};
    static const char *const words[] = {[MAKE_WANTED] = "WANTED", [MAKE_DONE] = "MADE", [MAKE_REFUSED] = "REFUSED", [MAKE_BY_HAND] = "BY HAND"};
    size_t n = strlen(all->text);
    ++*counts[s->state];
    (void)snprintf(all->text + n, sizeof all->text - n, "%s %.*s.%.*s: %s; %s\n", words[s->state], (int)s->module.n, s->module.p, (int)s->field.n, s->field.p,
                   s->what, s->why);
}

static struct str choices[] = {{"Gold", 4}, {"Silver", 6}};

static struct type choice(uint16_t n)
{
    struct type t = type_text(1, 6);
    t.nset = n;
    t.set = choices;
    return t;
}

static struct target_field wish(const char *module, const char *name, struct type type, bool unique)
{
    return (struct target_field){.module = str_of(module), .name = str_of(name), .type = type, .unique = unique, .on_insert = true, .on_update = true, .custom = true};
}

static struct type plain(enum type_base base) { return (struct type){.base = (uint8_t)base}; }

static enum err prepare(struct rig *r, const struct target_field *f, size_t n, bool make, struct steps *s)
{
    struct make_sink sink = {on_step, s};
    *s = (struct steps){0};
    return zoho_target_ops.prepare(r->t, f, n, make, &sink, &r->f);
}

static const char *why(struct rig *r, const struct steps *s) { return arena_printf(&r->arena, "%s%s", s->text, r->f.text); }

/* ---- describe ---- */

struct seen { unsigned entities, missing; const char *key_type, *numbers; struct arena *a; bool vendors_missing; };

static void on_entity(void *ctx, const struct described_entity *e)
{
    struct seen *s = ctx;
    s->entities++;
    s->missing += e->missing;
    if (str_is(e->name, "Vendors")) s->vendors_missing = e->missing;
    for (size_t i = 0; i < e->nfields; i++) {
        const struct described_field *d = &e->fields[i];
        if (str_is(d->name, "Sage_Customer")) s->key_type = arena_printf(s->a, "%s %lld%s%s", d->type, (long long)d->length, d->unique ? " unique" : "", d->custom ? " custom" : "");
        if (str_is(d->name, "Annual_Revenue")) s->numbers = arena_printf(s->a, "%s %u %u", d->type, d->digits, d->scale);
    }
}

static void describes(void)
{
    struct rig r;
    rig_open(&r, "standard");
    rig_target(&r);
    struct str modules[] = {STR("Accounts"), STR("users"), STR("Accounts"), STR("Vendors"), STR("No_Such")}, edition = {"", 0};
    struct seen s = {.a = &r.arena, .key_type = "", .numbers = ""};
    struct describe_sink sink = {on_entity, &s};
    enum err e = zoho_target_ops.describe(r.t, modules, 5, &r.arena, &edition, &sink, &r.f);
    check(e == ERR_OK && str_is(edition, "standard"), "describe tells the edition", r.f.text);
    check(strcmp(s.key_type, "text 60 unique custom") == 0 && strcmp(s.numbers, "decimal 16 2") == 0, "and fields", arena_printf(&r.arena, "%s, %s", s.key_type, s.numbers));
    check(s.vendors_missing && s.missing == s.entities - 1 && s.entities > 5, "and the modules that this edition lacks, each once", "");
    rig_close(&r);
}

/* ---- every kind ---- */

static void kinds(void)
{
    struct rig r;
    struct steps s;
    rig_open(&r, "enterprise");
    rig_target(&r);
    struct target_field f[] = {
        wish("Accounts", "Mlc_Line", type_text(1, 80), true), wish("Accounts", "Mlc_Area", type_text(1, 2000), false), wish("Accounts", "Mlc_Large", type_text(1, 30000), false),
        wish("Accounts", "Mlc_Choice", choice(2), false), wish("Accounts", "Mlc_Whole", type_decimal(9, 0), false), wish("Accounts", "Mlc_Big", type_decimal(18, 0), false),
        wish("Accounts", "Mlc_Amount", type_decimal(13, 4), false), wish("Accounts", "Mlc_Flag", plain(T_BOOL), false), wish("Accounts", "Mlc_Day", plain(T_DATE), false),
        wish("Accounts", "Mlc_Moment", plain(T_INSTANT), false), wish("Accounts", "Mlc_Link", plain(T_LINK), false), wish("Accounts", "Mlc_Person", plain(T_LINK), false),
        wish("Sage_Sites", "Site_Key", type_text(1, 60), true), wish("Accounts", "Mlc_Line", type_text(1, 80), true), wish("Accounts", "Mlc_Other", choice(1), false)};
    size_t n = sizeof f / sizeof *f;
    f[10].link_module = STR("Sage_Sites");              /* made in the same run */
    f[11].link_module = STR("users");
    f[14].custom = false;                               /* not the spec's own: left alone */
    enum err e = prepare(&r, f, n, false, &s);
    check(e == ERR_OK && s.wanted == 14 && s.made + s.refused + s.by_hand == 0, "each field and module is shown once", why(&r, &s));
    e = prepare(&r, f, n, true, &s);
    check(e == ERR_OK && s.made == 14 && s.wanted + s.refused + s.by_hand == 0, "and made", why(&r, &s));
    struct rig_findings all = {{0}, 0, 0, 0};
    struct finding_sink sink = {rig_finding, &all};
    f[14] = wish("Accounts", "Account_Name", type_text(1, 200), false);
    struct target_field name = wish("Sage_Sites", "Name", type_text(1, 100), false);
    f[13] = name;
    e = zoho_target_ops.check(r.t, f, n, &sink, &r.f);
    check(e == ERR_OK && all.fail == 0, "the start-up check is content with all of it", all.text);
    e = prepare(&r, f, 13, true, &s);
    check(e == ERR_OK && s.made + s.wanted + s.refused + s.by_hand == 0, "a second run finds nothing to do", why(&r, &s));
    rig_close(&r);
}

static void impossible(void)
{
    struct rig r;
    struct steps s;
    rig_open(&r, NULL);
    rig_target(&r);
    const struct target_field f[] = {wish("Accounts", "Mlc__Double", type_text(1, 10), false), wish("Accounts", "Mlc_Unique_Area", type_text(1, 2000), true),
                                     wish("Accounts", "Mlc_Novel", type_text(1, 40000), false), wish("Accounts", "Mlc_Precise", type_decimal(20, 4), false),
                                     wish("Accounts", "Account_Site", type_text(1, 100), false), wish("Solutions", "X", type_text(1, 10), false),
                                     wish("Sage_Sites", "Y", type_text(1, 10), false), wish("Accounts", "Credit_Limit", type_decimal(13, 4), false)};
    enum err e = prepare(&r, f, 8, true, &s);
    check(e == ERR_OK && s.by_hand == 8 && s.made + s.wanted + s.refused == 0, "what the API cannot do is said to be done by hand", why(&r, &s));
    check(r.requests < 12, "without asking for it", "");
    rig_close(&r);
}

/* ---- choices ---- */

static void lists(int replaces)
{
    struct rig r;
    struct steps s;
    rig_open(&r, NULL);
    zoho_sim_switch(r.sim, "choices_replace", replaces);
    rig_target(&r);
    struct target_field f = wish("Accounts", "Sage_Status", choice(2), false);
    enum err e = prepare(&r, &f, 1, true, &s);
    struct zoho_module *m;
    check(e == ERR_OK && s.made == 1 && strstr(s.text, "add the choices \"Gold\", \"Silver\""), "choices are added", why(&r, &s));
    e = zoho__fields(r.t, STR("Accounts"), &m, &r.f);
    const struct zoho_field *z = e == ERR_OK ? zoho__field(m, STR("Sage_Status")) : NULL;
    check(z && z->npicks == 5, replaces ? "and the others stay, where the list is replaced" : "and the others stay, where it is added to", r.f.text);
    rig_close(&r);
}

/* ---- bad days ---- */

static void bad_days(void)
{
    struct rig r;
    struct steps s;
    rig_open(&r, NULL);
    rig_target(&r);
    struct target_field f[] = {wish("Accounts", "Mlc_Line", type_text(1, 80), false), wish("Accounts", "Mlc_Day", plain(T_DATE), false)};
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/settings/fields\"},\"do\":\"drop_after\"}]");
    enum err e = prepare(&r, f, 2, true, &s);
    check(e == ERR_OK && s.made == 2, "an answer that is lost: the field is looked for", why(&r, &s));
    f[0] = wish("Accounts", "Mlc_Two", type_text(1, 80), false);
    zoho_sim_faults_clear(r.sim);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/settings/fields\"},\"do\":\"drop_before\"}]");
    e = prepare(&r, f, 1, true, &s);
    check(e == ERR_OK && s.refused == 1 && strstr(s.text, "run this again"), "a request that is lost: it says so", why(&r, &s));
    zoho_sim_faults_clear(r.sim);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/settings/fields\"},\"do\":\"401\"}]");
    e = prepare(&r, f, 1, true, &s);
    check(e == ERR_OK && s.made == 1, "a 401 gets a new token and one more try", why(&r, &s));
    zoho_sim_faults_clear(r.sim);
    rig_fault(&r, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/settings/fields\"},\"do\":\"500\"}]");
    f[0] = wish("Accounts", "Mlc_Three", type_text(1, 80), false);
    e = prepare(&r, f, 1, true, &s);
    check(e == ERR_BUSY, "a server error ends the run, nothing is repeated blindly", why(&r, &s));
    zoho_sim_faults_clear(r.sim);
    e = prepare(&r, f, 1, true, &s);
    check(e == ERR_OK && s.made == 1, "the next run goes on", why(&r, &s));
    rig_close(&r);
}

/* Zoho may refuse with a flat object, with nothing that can be read, or take the label for another name. */
static void odd_answers(void)
{
    static const char *const bodies[] = {"{\"code\":\"NO_PERMISSION\",\"details\":{},\"message\":\"permission denied\",\"status\":\"error\"}", "<html>", "",
                                         "{\"fields\":[{\"code\":\"RESERVED_KEYWORD_NOT_ALLOWED\",\"details\":{\"api_name\":\"field_label\"},\"message\":\"reserved\",\"status\":\"error\"}]}"};
    static const char *const want[] = {"NO_PERMISSION", "without a code", "without a code", "RESERVED_KEYWORD_NOT_ALLOWED on field_label"};
    for (int i = 0; i < 4; i++) {
        struct rig r;
        struct steps s;
        struct str modules[] = {STR("Accounts")}, edition;
        struct seen seen = {.key_type = "", .numbers = ""};
        rig_open(&r, NULL);
        seen.a = &r.arena;
        rig_target(&r);
        struct describe_sink sink = {on_entity, &seen};
        (void)zoho_target_ops.describe(r.t, modules, 1, &r.arena, &edition, &sink, &r.f);        /* so that the next call is the one that makes */
        struct target_field f = wish("Accounts", "Mlc_Line", type_text(1, 80), false);
        r.canned_status = 400;
        r.canned = bodies[i];
        enum err e = prepare(&r, &f, 1, true, &s);
        check(e == ERR_OK && s.refused == 1 && strstr(s.text, want[i]), want[i], why(&r, &s));
        rig_close(&r);
    }
}

int main(void)
{
    log_set_level(LOG_ERROR);
    describes();
    kinds();
    impossible();
    lists(1);
    lists(0);
    bad_days();
    odd_answers();
    return failures != 0;
}
