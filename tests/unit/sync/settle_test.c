/* settle_test.c - writes whose answers were lost, many at once: they are read back no more at a time than Zoho takes, and while they cannot be read back
 * nothing of theirs is sent again. */
#include "rig.h"

enum { CUSTOMERS = 180, AT_ONCE = 100 /* facts/zoho-crm.md 4.5 */ };
static struct { unsigned puts, posts, reads, most; } seen;

static unsigned commas(const char *p, const char *end)
{
    unsigned n = 1;
    for (; p < end; p++) n += *p == ',' || strncmp(p, "%2C", 3) == 0;
    return n;
}

static void see(void *ctx, const struct http_req *req, struct sim_response *resp)
{
    (void)ctx, (void)resp;
    const char *ids = strstr(req->url, "ids="), *in = req->body.n ? memmem(req->body.p, req->body.n, " in (", 5) : NULL;
    seen.puts += strcmp(req->method, "PUT") == 0;
    seen.posts += strcmp(req->method, "POST") == 0 && strstr(req->url, "/crm/v8/Accounts") != NULL;
    unsigned n = 0;
    if (ids) n = commas(ids, ids + strcspn(ids, "&"));
    else if (in && strstr(req->url, "/coql")) n = commas(in, memchr(in, ')', req->body.n - (size_t)(in - req->body.p)));
    if (n == 0) return;
    seen.reads++;
    if (n > seen.most) seen.most = n;
}

static void watch(struct rig *r)
{
    seen.puts = seen.posts = seen.reads = seen.most = 0;
    sim_loop_watch(r->loop, see, NULL);
}

/* All of them changed, and no answer comes. */
static void updates(const char *fault, bool again)
{
    struct rig r;
    char script[200];
    rig_open(&r, CUSTOMERS, 73);
    r.o.batch_rows = 30;            /* whole requests leave together: 150 records in one round */
    rig_done(&r, "load ends");
    int n = 0;
    for (const char *k = rig_customer(&r, n); *k; k = rig_customer(&r, ++n)) rig_edit(&r, k, "City", "Springfield");
    snprintf(script, sizeof script, "[{\"match\":{\"method\":\"PUT\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"%s\",\"times\":0}]", fault);
    rig_zoho_fault(&r, script);
    r.o.wait_ms = 0;
    watch(&r);
    ok(n > AT_ONCE && rig_once(&r) == ERR_OK && r.r.pending == (uint64_t)n, fault, "%d changed, %llu pending; %s", n, (unsigned long long)r.r.pending, r.f.text);
    zoho_sim_faults_clear(r.zoho);
    sim_loop_advance(r.loop, 600000);
    r.o.wait_ms = -1;
    watch(&r);
    rig_done(&r, "after the settle time all is written");
    ok(seen.reads >= 2 && seen.most <= AT_ONCE, "they are read back, at most 100 at once", "%u reads, %u in one", seen.reads, seen.most);
    printf("# %d records, %u reads, at most %u at once\n", n, seen.reads, seen.most);
    ok((seen.puts > 0) == again, "and sent again only where they had not been applied", "%u requests", seen.puts);
    ok(rig_counter(&r, "updates") == n && rig_counter(&r, "noop_updates") == 0, "each was written once", "%lld updates, %lld of nothing", (long long)rig_counter(&r, "updates"),
       (long long)rig_counter(&r, "noop_updates"));
    rig_compare(&r, fault);
    rig_close(&r);
}

/* One write without an answer; reading it back fails too. The row stays what it is, and nothing is sent, until it can be read. */
static void unread(bool insert)
{
    struct rig r;
    char why[300], id[24], key[64], name[100], state[20];
    const char *method = insert ? "POST" : "PUT", *back = insert ? "/crm/v8/coql" : "/crm/v8/Accounts";
    rig_open(&r, insert ? 5 : 20, 74);
    if (insert && !zoho_sim_seed(r.zoho, "Accounts", "{\"Account_Name\":\"Somebody's own\"}", id, why, sizeof why)) abort();       /* so that the module is not empty */
    if (!insert) rig_done(&r, "load ends");
    snprintf(key, sizeof key, "%s", rig_customer(&r, 1));
    if (!insert) rig_edit(&r, key, "City", "One");
    snprintf(why, sizeof why, "[{\"match\":{\"method\":\"%s\",\"path\":\"/crm/v8/Accounts\"},\"do\":\"drop_after\",\"times\":0}]", method);
    rig_zoho_fault(&r, why);
    r.o.wait_ms = 0;
    ok(rig_once(&r) == ERR_OK && r.r.pending > 0, "a write without an answer", "%s, %llu pending", r.f.text, (unsigned long long)r.r.pending);
    zoho_sim_faults_clear(r.zoho);
    snprintf(why, sizeof why, "[{\"match\":{\"method\":\"%s\",\"path\":\"%s\"},\"do\":\"wrong_shape\",\"times\":0}]", insert ? "POST" : "GET", back);
    rig_zoho_fault(&r, why);
    sim_loop_advance(r.loop, 600000);
    watch(&r);
    enum err err = rig_once(&r);
    snprintf(name, sizeof name, "%s that cannot be read back: it stays unknown, and nothing is sent", method);
    snprintf(state, sizeof state, "%s", rig_state(&r, rig_key(key), NULL, 0));
    ok(err == ERR_PROTOCOL && strcmp(state, "AMBIGUOUS") == 0 && seen.puts == 0 && seen.posts == 0, name, "%s: %s; %s, %u PUT, %u POST", err_name(err), r.f.text, state, seen.puts, seen.posts);
    zoho_sim_faults_clear(r.zoho);
    r.o.wait_ms = -1;
    rig_done(&r, "when it can, all is well");
    ok(seen.puts == 0 && seen.posts == 0, "and had been applied", "%u PUT, %u POST", seen.puts, seen.posts);
    rig_compare(&r, name);
    rig_close(&r);
}

int main(void)
{
    updates("drop_after", false);
    updates("drop_before", true);
    unread(false);
    unread(true);
    return ok_done();
}
