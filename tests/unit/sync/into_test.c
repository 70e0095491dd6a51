/* into_test.c - a flow that adds fields to another flow's records: it waits for them, never undoes or blanks their fields, leaves, moves, yields. */
#include "lines_rig.h"

static const char HEAD_MORE[] =
    "entity erp.Dues { key Doc: text(1..10) No: text(1..10)? Balance: decimal(9,2)? Note: text(20)? Void: text(1)? }\n";
static const char DUES[] =
    "flow dues from erp.Dues into orders(No) { every 15m reread every 1d\n"
    "  when Void != \"Y\"\n  on leave set { Excise_Duty = 0 } on delete set { Excise_Duty = -1 }\n"
    "  Excise_Duty = Balance\n  Terms_and_Conditions = Note ?? reject \"no note\" }\n";

#define DUE(doc, no, balance, note) "{\"Doc\":\"" doc "\",\"No\":\"" no "\",\"Balance\":" balance ",\"Note\":\"" note "\"}\n"
#define VOID(doc, no) "{\"Doc\":\"" doc "\",\"No\":\"" no "\",\"Balance\":1,\"Note\":\"x\",\"Void\":\"Y\"}\n"
#define A1 LINE("1", "A", "2", "10")

static void dues_open(struct rig *r)
{
    char head[4000], flows[4000];
    snprintf(head, sizeof head, "%s%s", LINES_HEAD, HEAD_MORE);
    snprintf(flows, sizeof flows, "%s%s", LINES_FLOWS, DUES);
    lines_open_with(r, head, flows);
}

/* "DUTY|TERMS|CUSTOMER_NO" of an order. */
static const char *due_of(struct rig *r, const char *key)
{
    static char out[300];
    json_t *dump = lines_dump(r, "Sales_Orders"), *rec = lines_record(dump, key), *duty = json_object_get(rec, "Excise_Duty");
    const char *terms = json_string_value(json_object_get(rec, "Terms_and_Conditions")), *no = json_string_value(json_object_get(rec, "Customer_No"));
    char number[40] = "-";
    if (json_is_number(duty)) snprintf(number, sizeof number, "%g", json_number_value(duty));
    snprintf(out, sizeof out, "%s|%s|%s", number, terms ? terms : "-", no ? no : "-");
    json_decref(dump);
    return out;
}

static void due_is(struct rig *r, const char *key, const char *want, const char *name)
{
    const char *have = due_of(r, key);
    ok(strcmp(have, want) == 0, name, "%s", have);
}

static void test_life(void)
{
    struct rig r;
    char why[300];
    dues_open(&r);
    lines_file(&r, "Orders", ORDER("1", A1) ORDER("2", A1));
    lines_file(&r, "Dues", DUE("d1", "1", "12.5", "pay") DUE("d9", "9", "7", "early"));
    rig_done(&r, "orders and what is due of them");
    due_is(&r, "ABC~1", "12.5|pay|UPS", "both flows' fields stand in one record");
    due_is(&r, "ABC~2", "-|-|UPS", "another record has none");
    ok(zoho_sim_count(r.zoho, "Sales_Orders") == 2, "no record was made for it", "%zu", zoho_sim_count(r.zoho, "Sales_Orders"));
    ok(strcmp(rig_state_in(&r, "dues", "ABC~d9", why, sizeof why), "WAITING") == 0 && strstr(why, "orders ABC~9"), "a row without a record waits for it", "%s", why);
    int64_t writes = rig_writes(&r);
    rig_done(&r, "a quiet run ends");
    ok(rig_writes(&r) == writes, "and writes nothing", "%lld", (long long)(rig_writes(&r) - writes));
    lines_file(&r, "Orders", ORDER("1", A1) ORDER("2", A1) ORDER("9", A1));
    rig_done(&r, "the record arrives");
    due_is(&r, "ABC~9", "7|early|UPS", "the fields come with it");
    lines_file(&r, "Orders", "{\"No\":\"1\",\"Rep\":\"DHL\",\"Lines\":[" A1 "]}\n" ORDER("2", A1) ORDER("9", A1));
    lines_file(&r, "Dues", DUE("d1", "1", "0", "paid") DUE("d9", "9", "7", "early"));
    rig_done(&r, "both change at once");
    due_is(&r, "ABC~1", "0|paid|DHL", "neither undoes the other");
    lines_sound(&r, "log and index");
    rig_close(&r);
}

static void test_leaving(void)
{
    struct rig r;
    dues_open(&r);
    lines_file(&r, "Orders", ORDER("1", A1) ORDER("2", A1));
    lines_file(&r, "Dues", DUE("d1", "1", "5", "one") DUE("d2", "2", "6", "two"));
    rig_done(&r, "load ends");
    lines_file(&r, "Dues", VOID("d1", "1") DUE("d2", "2", "6", "two"));
    rig_done(&r, "a row leaves");
    due_is(&r, "ABC~1", "0|one|UPS", "on leave says what is written");
    r.o.full = true;
    lines_file(&r, "Dues", VOID("d1", "1"));
    rig_done(&r, "a row vanishes");
    due_is(&r, "ABC~2", "-1|two|UPS", "on delete says what is written");
    r.o.full = false;
    lines_file(&r, "Dues", DUE("d1", "1", "8", "back") DUE("d2", "2", "9", "again"));
    rig_done(&r, "both return");
    due_is(&r, "ABC~1", "8|back|UPS", "their fields are set anew");
    due_is(&r, "ABC~2", "9|again|UPS", "of both");
    lines_file(&r, "Dues", DUE("d1", "2", "8", "back") VOID("d2", "2"));
    rig_done(&r, "a row moves to another record, whose row leaves");
    due_is(&r, "ABC~2", "8|back|UPS", "the fields stand there");
    lines_file(&r, "Dues", "{\"Doc\":\"d1\",\"Balance\":8,\"Note\":\"nobody's\"}\n" VOID("d2", "2"));
    rig_done(&r, "a row belongs to no record any more");
    due_is(&r, "ABC~2", "0|back|UPS", "it has left");
    lines_sound(&r, "log and index after leaving");
    rig_close(&r);
}

static void test_two_rows(void)
{
    struct rig r;
    char why[300];
    dues_open(&r);
    lines_file(&r, "Orders", ORDER("1", A1));
    lines_file(&r, "Dues", DUE("d1", "1", "5", "first") DUE("d2", "1", "6", "second"));
    rig_done(&r, "two rows for one record");
    due_is(&r, "ABC~1", "5|first|UPS", "one of them has it");
    ok(strcmp(rig_state_in(&r, "dues", "ABC~d2", why, sizeof why), "WAITING") == 0 && strstr(why, "ABC~d1"), "the other waits and says for whom", "%s", why);
    lines_file(&r, "Dues", VOID("d1", "1") DUE("d2", "1", "6", "second"));
    rig_done(&r, "the first leaves");
    due_is(&r, "ABC~1", "6|second|UPS", "the other takes over");
    lines_file(&r, "Dues", DUE("d1", "1", "5", "first") DUE("d2", "1", "6", "second"));
    rig_done(&r, "the first returns");
    due_is(&r, "ABC~1", "6|second|UPS", "and waits in its turn");
    lines_sound(&r, "log and index after two rows");
    rig_close(&r);
}

struct told { char text[2000]; };
static void tell(void *ctx, const struct view_write *w)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    snprintf(t->text + n, sizeof t->text - n, "%s.%.*s=%.*s ", w->flow, (int)w->field.n, w->field.p, (int)w->after.n, w->after.p);
}

static void test_why_and_erase(void)
{
    struct rig r;
    struct told t = {""};
    struct view *v;
    dues_open(&r);
    lines_file(&r, "Orders", ORDER("1", A1));
    lines_file(&r, "Dues", DUE("d1", "1", "5", "first"));
    rig_done(&r, "load ends");
    if (ok(view_open(&v, &r.world, rig_path(&r, "state"), NULL, NULL, &r.f) == ERR_OK, "the state can be looked at", "%s", r.f.text)) {
        ok(view_why(v, "orders", STR("ABC~1"), (struct str){NULL, 0}, tell, &t, &r.f) == ERR_OK, "why of the record", "%s", r.f.text);
        view_close(v);
    }
    ok(strstr(t.text, "orders.Subject=Order 1 ") && strstr(t.text, "dues.Excise_Duty=5.00 "), "names the flow of each field", "%s", t.text);
    ok(strstr(t.text, "Ordered_Items=1 (") != NULL, "and tells the lines", "%s", t.text);
    struct engine *e;
    if (ok(rig_engine(&r, &e) == ERR_OK, "engine opens", "%s", r.f.text)) {
        ok(engine_erase(e, "orders", STR("ABC~1"), "tester", &r.f) == ERR_OK, "erasing the record", "%s", r.f.text);
        engine_close(e);
    }
    ok(strcmp(rig_state_in(&r, "dues", "ABC~d1", NULL, 0), "GONE") == 0, "erases what was added to it", "%s", rig_state_in(&r, "dues", "ABC~d1", NULL, 0));
    rig_done(&r, "a run after that ends");
    rig_close(&r);
}

struct planned { unsigned updates, waits, inserts; };
static void plan_one(void *ctx, const struct plan_change *c)
{
    struct planned *p = ctx;
    if (strcmp(c->flow, "dues") != 0) return;
    p->updates += strcmp(c->what, "update") == 0;
    p->waits += strcmp(c->what, "wait") == 0;
    p->inserts += strcmp(c->what, "insert") == 0;
}

static void test_plan(void)
{
    struct rig r;
    struct engine *e;
    struct planned p = {0};
    struct plan_totals t;
    dues_open(&r);
    lines_file(&r, "Orders", ORDER("1", A1));
    lines_file(&r, "Dues", "");
    rig_done(&r, "load ends");
    lines_file(&r, "Dues", DUE("d1", "1", "5", "first") DUE("d2", "2", "6", "second"));
    if (ok(rig_engine(&r, &e) == ERR_OK, "engine opens", "%s", r.f.text)) {
        ok(engine_plan(e, plan_one, &p, &t, &r.f) == ERR_OK, "plan", "%s", r.f.text);
        engine_close(e);
    }
    ok(p.updates == 2 && p.waits == 1 && p.inserts == 0, "fields into a record that is there, and a wait for one that is not", "%u updates, %u waits, %u inserts", p.updates,
       p.waits, p.inserts);
    rig_close(&r);
}

/* One record, one writer at a time: no two requests with the same id are under way together. */
static void test_faults(void)
{
    static const char *const faults[] = {"drop_after", "drop_before", "timeout_after", "500", "apply_late", "wrong_length"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct rig r;
        char script[300], name[80];
        dues_open(&r);
        lines_file(&r, "Orders", ORDER("1", A1) ORDER("2", A1));
        lines_file(&r, "Dues", DUE("d1", "1", "5", "first") DUE("d2", "2", "6", "second"));
        rig_done(&r, "load ends");
        lines_file(&r, "Orders", ORDER("1", LINE("1", "A", "3", "10")) ORDER("2", LINE("1", "B", "2", "10")));
        lines_file(&r, "Dues", DUE("d1", "1", "7", "third") DUE("d2", "2", "8", "fourth"));
        snprintf(script, sizeof script, "[{\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Sales_Orders\"},\"do\":\"%s\",\"times\":2}]", faults[i]);
        rig_zoho_fault(&r, script);
        snprintf(name, sizeof name, "both flows write under %s", faults[i]);
        rig_done(&r, name);
        due_is(&r, "ABC~1", "7|third|UPS", name);
        due_is(&r, "ABC~2", "8|fourth|UPS", name);
        lines_are(&r, "ABC~1", "Anvil 3x10", name);
        lines_are(&r, "ABC~2", "Bolt 2x10", name);
        rig_close(&r);
    }
}

int main(void)
{
    test_life();
    test_leaving();
    test_two_rows();
    test_why_and_erase();
    test_plan();
    test_faults();
    return ok_done();
}
