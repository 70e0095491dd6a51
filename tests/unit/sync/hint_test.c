/* hint_test.c - what follows from notifications: finds that mean another record now, records deleted by people; their channels; and that nothing hangs
 * on them: lost, late, twice, forged or cut off by a crash, the same stands there in the end. */
#include "rig.h"
#include "connectors/connector.h"
#include "serve/serve.h"
#include <dirent.h>

static const char HINT_HEAD[] =
    "mlc 1\nspec \"rig\"\nimport sage100\nimport zoho_crm\n"
    "source erp: sage100 { company = \"ABC\" agent = \"" SAGE_URL "\" token = secret(\"sage-agent\") timezone = \"America/Chicago\" }\n"
    "target crm: zoho_crm { region = us accounts_url = \"" ZOHO_URL "\" edition = professional login = secret(\"zoho\") budget 40_000 per 1d\n"
    "  notify_url = \"https://sync.example/zoho\" notify_listen = \"127.0.0.1:0\" }\n"
    "extend crm.Accounts { Sage_Customer: text(60) @unique\n"
    "  Sage_Status: one of(\"Active\", \"Left\", \"Deleted\")  Credit_Status: one of(\"Good\", \"On hold\", \"Over limit\")  Payment_Terms: text(40) }\n";
static const char HINT_FLOW[] =
    "flow customers from erp.AR_Customer to crm.Accounts {\n  every 20d reread every 30d key Sage_Customer\n  when CustomerStatus != \"T\"\n"
    "  on delete set { Sage_Status = \"Deleted\" } fuse 25 or 50%\n"
    "  Sage_Status = \"Active\"\n  Account_Name = CustomerName ?? reject \"customer without a name\"\n  Billing_City = City\n"
    "  Credit_Status = match { CreditHold => \"On hold\", else => \"Good\" }\n"
    "  Parent_Account = find crm.Accounts(Ticker_Symbol = \"GROUP\")\n}\n";

/* The receiver without sockets: what Zoho sends is judged and kept, as it would be over HTTP. */
struct post { struct rig *r; struct engine_ear ear; struct serve *serve; int posted, kept; char last[4000]; };

static void deliver(void *ctx, const char *url, const char *body)
{
    struct post *p = ctx;
    p->posted++;
    snprintf(p->last, sizeof p->last, "%s", body);
    p->kept += strcmp(url, "https://sync.example/zoho") == 0 && serve_judge(p->serve, "POST", "application/json", str_of(body), false) == 200;
}

struct script { struct rig *r; void (*act)(struct rig *r); };
static void play(void *ctx) { struct script *s = ctx; s->act(s->r); }
static void stop_rig(void *ctx) { ((struct rig *)ctx)->stop = 1; }

/* mlcd run for so many virtual minutes. */
static enum err run_for(struct rig *r, struct post *p, int64_t minutes)
{
    struct engine *e;
    r->o.listening = true;
    r->stop = 0;
    r->f = (struct fault){ERR_OK, ""};
    enum err err = rig_engine(r, &e);
    if (err != ERR_OK) return err;
    if (p) {
        *p = (struct post){.r = r};
        if (engine_ear(e, 0, &p->ear, &r->f) != ERR_OK) abort();
        struct serve_options so = {.listen = p->ear.listen, .where = engine_ear_where, .ctx = &p->ear};
        if (serve_open(&p->serve, &r->world, &so, &r->f) != ERR_OK) abort();
        zoho_sim_deliver(r->zoho, deliver, p);
    }
    sim_loop_at(r->loop, minutes * 60000, stop_rig, r);
    err = engine_run(e, NULL, &r->f);
    engine_close(e);
    r->stop = 0;
    if (p) serve_close(p->serve);
    zoho_sim_deliver(r->zoho, NULL, NULL);
    return err;
}

static char group[24], other[24];
static void people_make(struct rig *r)
{
    char why[300] = "";
    if (!zoho_sim_seed(r->zoho, "Accounts", "{\"Account_Name\":\"The Group\"}", group, why, sizeof why)) abort();
    if (!zoho_sim_edit(r->zoho, "Accounts", group, "{\"Ticker_Symbol\":\"GROUP\"}", why, sizeof why)) abort();
}
static void people_move(struct rig *r)
{
    char why[300] = "";
    if (!zoho_sim_seed(r->zoho, "Accounts", "{\"Account_Name\":\"The New Group\",\"Ticker_Symbol\":\"GROUP\"}", other, why, sizeof why)) abort();
    if (!zoho_sim_edit(r->zoho, "Accounts", group, "{\"Ticker_Symbol\":\"OLD\"}", why, sizeof why)) abort();
}
static void people_delete(struct rig *r) { zoho_sim_delete(r->zoho, "Accounts", other[0] ? other : group, false); }
static char victim[24];
static void people_delete_customer(struct rig *r) { zoho_sim_delete(r->zoho, "Accounts", victim, false); }

static int with_parent(struct rig *r, const char *id)
{
    json_t *dump = rig_dump(r), *rec;
    size_t i;
    int n = 0;
    json_array_foreach(dump, i, rec)
    {
        const char *p = json_string_value(json_object_get(json_object_get(rec, "Parent_Account"), "id"));
        n += json_string_value(json_object_get(rec, "Sage_Customer")) && (id ? p && strcmp(p, id) == 0 : !p);
    }
    json_decref(dump);
    return n;
}

static void open_hinted(struct rig *r)
{
    rig_open(r, 40, 31);
    group[0] = other[0] = '\0';
    rig_spec(r, HINT_HEAD, HINT_FLOW);
    rig_done(r, "load ends");
}

static void at(struct rig *r, struct script *s, int64_t minutes, void (*act)(struct rig *r))
{
    *s = (struct script){r, act};
    sim_loop_at(r->loop, minutes * 60000, play, s);
}

/* A find is answered anew as soon as people change what it means, not at the next full pass a month later. */
static void test_finds(void)
{
    struct rig r;
    struct post p;
    struct script s[3];
    open_hinted(&r);
    int all = with_parent(&r, NULL);
    ok(all > 30, "without a group nobody has a parent", "%d", all);
    at(&r, &s[0], 10, people_make);
    ok(run_for(&r, &p, 20) == ERR_OK && p.kept == p.posted && p.posted > 0, "notifications come in", "%d of %d, %s", p.kept, p.posted, r.f.text);
    ok(with_parent(&r, group) == all, "people make the record that a find looked for: every row has it", "%d of %d", with_parent(&r, group), all);
    int64_t updates = rig_counter(&r, "updates");
    ok(updates == all && rig_counter(&r, "noop_updates") == 0, "by one update each", "%lld", (long long)updates);
    at(&r, &s[1], 10, people_move);
    ok(run_for(&r, &p, 20) == ERR_OK && with_parent(&r, other) == all, "another record holds the value now: every row has that one", "%d", with_parent(&r, other));
    at(&r, &s[2], 10, people_delete);
    ok(run_for(&r, &p, 20) == ERR_OK && with_parent(&r, other) == 0, "deleted: nobody points at it", "%d", with_parent(&r, other));
    rig_compare(&r, "after all of it");
    updates = rig_counter(&r, "updates");
    run_for(&r, &p, 60);
    ok(rig_counter(&r, "updates") == updates && rig_counter(&r, "noop_updates") == 0, "our own writes call nothing forth", "%lld", (long long)(rig_counter(&r, "updates") - updates));
    rig_close(&r);
}

static void people_place(struct rig *r)
{
    char why[300] = "";
    if (!zoho_sim_edit(r->zoho, "Accounts", group, "{\"Account_Site\":\"HQ\"}", why, sizeof why)) abort();
}
static void people_displace(struct rig *r)
{
    char why[300] = "";
    if (!zoho_sim_edit(r->zoho, "Accounts", group, "{\"Account_Site\":\"Elsewhere\"}", why, sizeof why)) abort();
}

/* A find with two conditions: the second one comes true, and false again. */
static void test_two_conditions(void)
{
    struct rig r;
    struct post p;
    struct script s[3];
    char flow[1200];
    const char *find = strstr(HINT_FLOW, "Ticker_Symbol = \"GROUP\"");
    snprintf(flow, sizeof flow, "%.*sTicker_Symbol = \"GROUP\", Account_Site = \"HQ\"%s", (int)(find - HINT_FLOW), HINT_FLOW, find + strlen("Ticker_Symbol = \"GROUP\""));
    rig_open(&r, 40, 31);
    group[0] = other[0] = '\0';
    if (rig_spec(&r, HINT_HEAD, flow)) {
        rig_done(&r, "load ends");
        int all = with_parent(&r, NULL);
        at(&r, &s[0], 5, people_make);
        run_for(&r, &p, 10);
        ok(with_parent(&r, NULL) == all, "one condition of two is not enough", "%d", with_parent(&r, NULL));
        at(&r, &s[1], 5, people_place);
        run_for(&r, &p, 10);
        ok(with_parent(&r, group) == all, "both hold: every row has the record", "%d of %d", with_parent(&r, group), all);
        at(&r, &s[2], 5, people_displace);
        run_for(&r, &p, 10);
        ok(with_parent(&r, NULL) == all, "and not any more", "%d", with_parent(&r, NULL));
        rig_compare(&r, "after two conditions");
    }
    rig_close(&r);
}

static void test_deleted_record(void)
{
    struct rig r;
    struct post p;
    struct script s;
    char why[300] = "";
    open_hinted(&r);
    const char *k = rig_customer(&r, 4);
    json_t *dump = rig_dump(&r);
    size_t n;
    snprintf(victim, sizeof victim, "%s", json_string_value(json_object_get(rig_account(dump, rig_key(k), &n), "id")));
    json_decref(dump);
    at(&r, &s, 10, people_delete_customer);
    ok(run_for(&r, &p, 15) == ERR_OK, "runs", "%s", r.f.text);
    ok(strcmp(rig_state(&r, rig_key(k), why, sizeof why), "REJECTED") == 0 && strstr(why, "does not exist"), "a record that people deleted is missed at once", "%s %s",
       rig_state(&r, rig_key(k), NULL, 0), why);
    rig_close(&r);
}

static void people_edit_customer(struct rig *r)
{
    char why[300] = "";
    if (!zoho_sim_edit(r->zoho, "Accounts", victim, "{\"Billing_City\":\"Paris\",\"Phone\":\"7\"}", why, sizeof why)) abort();
}

/* A guarded record is put back within minutes, not at the next pass, and counted once. */
static void test_guarded(void)
{
    struct rig r;
    struct post p;
    struct script s;
    char flow[2000], city[300];
    rig_open(&r, 40, 31);
    snprintf(flow, sizeof flow, "%s", HINT_FLOW);
    char *at_fuse = strstr(flow, "fuse 25 or 50%");
    memcpy(at_fuse, "guard         ", 14);
    rig_spec(&r, HINT_HEAD, flow);
    rig_done(&r, "a guarded load ends");
    const char *k = rig_customer(&r, 4);
    snprintf(victim, sizeof victim, "%s", rig_field(&r, rig_key(k), "id"));
    snprintf(city, sizeof city, "%s", rig_field(&r, rig_key(k), "Billing_City"));
    int64_t updates = rig_counter(&r, "updates");
    at(&r, &s, 10, people_edit_customer);
    ok(run_for(&r, &p, 20) == ERR_OK, "runs", "%s", r.f.text);
    ok(strcmp(rig_field(&r, rig_key(k), "Billing_City"), city) == 0, "what people changed in a guarded record is put back at once", "%s", rig_field(&r, rig_key(k), "Billing_City"));
    ok(strcmp(rig_field(&r, rig_key(k), "Phone"), "7") == 0 && rig_counter(&r, "updates") == updates + 1, "by one update, of that field", "%lld updates",
       (long long)(rig_counter(&r, "updates") - updates));
    struct view *v;
    struct flow_state st = {0};
    if (view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK) {
        store_flow(view_store(v), STR("customers"), &st);
        view_close(v);
    }
    ok(st.put_back == 1, "and counted", "%llu", (unsigned long long)st.put_back);
    rig_compare(&r, "after a guarded edit");
    rig_close(&r);
}

static void test_channels(void)
{
    struct rig r;
    struct post p;
    struct script s;
    open_hinted(&r);
    zoho_sim_switch(r.zoho, "watch_grant_s", 600);
    at(&r, &s, 590, people_make);
    ok(run_for(&r, &p, 600) == ERR_OK && with_parent(&r, group) > 30, "channels that live ten minutes serve for ten hours", "%d notifications, %s", p.posted, r.f.text);
    ok(rig_counter(&r, "watch_make") == 1 && rig_counter(&r, "watch_renew") > 60, "by renewal", "%lld made, %lld renewed", (long long)rig_counter(&r, "watch_make"),
       (long long)rig_counter(&r, "watch_renew"));
    ok(zoho_sim_channels(r.zoho) == 0, "at the end they are taken off", "%zu", zoho_sim_channels(r.zoho));
    rig_close(&r);
}

static size_t waiting(struct rig *r)
{
    size_t n = 0;
    DIR *d = opendir(rig_path(r, "state/hints/crm"));
    for (struct dirent *e; d && (e = readdir(d));) n += strstr(e->d_name, ".hint") != NULL;
    if (d) closedir(d);
    return n;
}

/* A file stands where the folder for notifications should be: the service does not start deaf. */
static void test_no_folder(void)
{
    struct rig r;
    struct engine_ear ear;
    struct engine *e;
    open_hinted(&r);
    rig_done(&r, "load ends");
    rig_write(&r, "state/hints", "", 0);
    r.o.listening = true;
    enum err err = rig_engine(&r, &e);
    if (err == ERR_OK) {
        err = engine_ear(e, 0, &ear, &r.f);
        ok(engine_ear(e, 1, &ear, &r.f) == ERR_NOT_FOUND, "one receiver is asked for", "%s", r.f.text);
        engine_close(e);
    }
    ok(err == ERR_IO && strstr(r.f.text, "hints/crm"), "no folder for notifications is an error that names it", "%s: %s", err_name(err), r.f.text);
    rig_close(&r);
}

/* Acknowledged, then the process dies; and what is not ours. */
static void test_left_over(void)
{
    struct rig r;
    struct post p;
    open_hinted(&r);
    int all = with_parent(&r, NULL);
    run_for(&r, &p, 5);
    zoho_sim_deliver(r.zoho, NULL, NULL);
    people_make(&r);
    struct engine *e;
    rig_engine(&r, &e);
    engine_ear(e, 0, &p.ear, &r.f);
    engine_close(e);
    char body[700];
    snprintf(body, sizeof body, "{\"module\":\"Accounts\",\"operation\":\"update\",\"ids\":[\"%s\"],\"token\":\"%s\"}", group, p.ear.token);
    rig_write(&r, "state/hints/crm/1.hint", body, strlen(body));
    rig_write(&r, "state/hints/crm/2.hint", body, strlen(body));
    rig_write(&r, "state/hints/crm/3.hint", "{\"token\":\"guessed\",\"module\":\"Accounts\",\"operation\":\"delete\",\"ids\":[\"1\"]}", 70);
    rig_write(&r, "state/hints/crm/4.hint", "garbage", 7);
    ok(waiting(&r) == 4, "four lie there", "%zu", waiting(&r));
    rig_zoho_fault(&r, "[{\"match\":{\"method\":\"GET\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"503\",\"times\":4}]");
    rig_once(&r);
    ok(waiting(&r) == 4 && with_parent(&r, group) == 0, "while Zoho cannot be asked they stay", "%zu", waiting(&r));
    zoho_sim_faults_clear(r.zoho);
    sim_loop_advance(r.loop, 600000);
    rig_done(&r, "the next start takes them");
    ok(waiting(&r) == 0 && with_parent(&r, group) == all, "and does what follows", "%zu left, %d of %d", waiting(&r), with_parent(&r, group), all);
    rig_compare(&r, "after left-over hints");
    rig_close(&r);
}

/* All notifications are lost, or the receiver was down: the next full pass finds the same. */
static void test_lost(void)
{
    struct rig r;
    struct post p;
    struct script s;
    open_hinted(&r);
    int all = with_parent(&r, NULL);
    zoho_sim_switch(r.zoho, "watch_lose", 1);
    at(&r, &s, 10, people_make);
    run_for(&r, &p, 20);
    ok(with_parent(&r, group) == 0 && p.posted == 0, "nothing came", "%d", p.posted);
    zoho_sim_switch(r.zoho, "watch_lose", 0);
    ok(run_for(&r, &p, 5) == ERR_OK && with_parent(&r, group) == all, "channels made anew: the gap is looked through", "%d", with_parent(&r, group));
    people_move(&r);
    r.o.full = true;
    r.o.listening = false;
    rig_done(&r, "a full pass");
    ok(with_parent(&r, other) == all, "finds are asked anew with a full pass", "%d", with_parent(&r, other));
    rig_compare(&r, "after lost notifications");
    rig_close(&r);
}

int main(void)
{
    test_finds();
    test_two_conditions();
    test_deleted_record();
    test_guarded();
    test_channels();
    test_no_folder();
    test_left_over();
    test_lost();
    return ok_failures != 0;
}
