/* overlap_test.c - a record changes again while it is not known what became of its last write: the newer wish is neither lost nor sent too early.
 *
 *     PUT A "one"  ......(no answer)                        takes effect
 *     Sage: A is "two"        polled: wanted moves, nothing leaves
 *     settle time                                                        A is read, then PUT A "two"
 *
 * A PUT "two" before the first one took effect would be undone by it. */
#include "rig.h"

static unsigned puts_of_a;

static void see(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    (void)resp;
    puts_of_a += strcmp(req->method, "PUT") == 0 && memmem(req->body.p, req->body.n, ctx, strlen(ctx)) != NULL;
}

static void changes_again(const char *fault, const char *name)
{
    struct rig r;
    char key[64], text[80], id[80], script[300];
    rig_open(&r, 20, 71);
    rig_done(&r, "load ends");
    snprintf(key, sizeof key, "%s", rig_customer(&r, 1));
    snprintf(text, sizeof text, "%s", rig_key(key));
    snprintf(id, sizeof id, "%s", rig_field(&r, text, "id"));
    snprintf(script, sizeof script, "[{\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Accounts\"},\"do\":%s}]", fault);
    rig_zoho_fault(&r, script);
    puts_of_a = 0;
    sim_loop_watch(r.loop, see, id);
    r.o.wait_ms = 0;
    rig_edit(&r, key, "City", "One");
    ok(rig_once(&r) == ERR_OK && r.r.pending == 1 && puts_of_a == 1, name, "%s, %llu pending, %u PUTs", r.f.text, (unsigned long long)r.r.pending, puts_of_a);
    rig_edit(&r, key, "City", "Two");
    ok(rig_once(&r) == ERR_OK && r.r.changed == 1 && puts_of_a == 1, "the change is seen, and nothing is sent", "%llu changed, %u PUTs", (unsigned long long)r.r.changed, puts_of_a);
    r.o.wait_ms = -1;
    rig_done(&r, "after the settle time all is written");
    sim_loop_watch(r.loop, NULL, NULL);
    sim_loop_advance(r.loop, 600000);
    ok(strcmp(rig_field(&r, text, "Billing_City"), "Two") == 0, "the newer wish stands", "%s", rig_field(&r, text, "Billing_City"));
    ok(puts_of_a == 2, "it was written once", "%u PUTs in all", puts_of_a);
    rig_compare(&r, name);
    rig_close(&r);
}

/* An insert that never had an answer: what is sent again was looked up in between. */
static struct { char body[1 << 16]; size_t n; bool looked; unsigned blind, inserts; } last;

static void follow(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    (void)resp;
    if (strstr(req->url, "/coql") && memmem(req->body.p, req->body.n, ctx, strlen(ctx))) last.looked = true;
    if (strcmp(req->method, "POST") != 0 || !strstr(req->url, "/Accounts") || !memmem(req->body.p, req->body.n, ctx, strlen(ctx))) return;
    last.blind += !last.looked;
    last.inserts++;
    last.looked = false;
}

static void inserts_look_first(const char *fault, unsigned inserts)
{
    struct rig r;
    char text[80], script[300], why[300], id[24];
    rig_open(&r, 20, 72);
    snprintf(text, sizeof text, "%s", rig_key(rig_customer(&r, 3)));
    if (!zoho_sim_seed(r.zoho, "Accounts", "{\"Account_Name\":\"Somebody's own\"}", id, why, sizeof why)) abort();       /* so that the module is not empty */
    snprintf(script, sizeof script, "[{\"match\":{\"method\":\"POST\",\"path\":\"/crm/v8/Accounts\"},\"do\":%s,\"times\":2}]", fault);
    rig_zoho_fault(&r, script);
    last.looked = false;
    last.blind = last.inserts = 0;
    sim_loop_watch(r.loop, follow, text);
    rig_done(&r, "a load into a module with records ends");
    sim_loop_watch(r.loop, NULL, NULL);
    ok(last.inserts >= inserts && last.blind == 0, "every insert, the repeated too, has a look-up before it", "%u inserts, %u blind", last.inserts, last.blind);
    rig_compare(&r, "after it");
    rig_close(&r);
}

int main(void)
{
    changes_again("\"apply_late\",\"delay_ms\":1000,\"apply_after_ms\":90000", "an update without an answer that takes effect late");
    changes_again("\"drop_after\"", "an update without an answer that took effect");
    changes_again("\"drop_before\"", "an update without an answer that was lost");
    inserts_look_first("\"drop_before\"", 2);
    inserts_look_first("\"500\"", 2);
    inserts_look_first("\"drop_after\"", 1);
    return ok_done();
}
