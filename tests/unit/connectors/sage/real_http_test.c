/* The same source over real sockets: libcurl against the model's loopback door, both doors, keys with awkward characters, a slow answer, a lock. */
#include "rig.h"
#include "net/curl_http.h"
#include "tests/sim/door.h"

static const struct source_ops *ops = &sage_source_ops;

static void agent_and_soap(struct rig *r, struct sim_door *door)
{
    struct source_page p;
    struct source_query q = rig_customers();
    struct rig_keys *all = rig_all(r, "customers");
    char cursor[513] = "";
    size_t n = 0;
    rig_begin("a full pass, a sweep, rows by key over sockets");
    for (bool complete = false; !complete && rig_failed == rig_failed_before;) {
        CHECK(ops->page(r->s, &q, str_of(cursor), &r->a, &p, &r->f) == ERR_OK, "%s", r->f.text);
        n += p.nrows;
        snprintf(cursor, sizeof cursor, "%.*s", (int)p.next.n, p.next.p);
        complete = p.complete;
    }
    CHECK(n == all->n, "%zu of %zu", n, all->n);
    CHECK(ops->keys(r->s, &q, (struct str){"", 0}, &r->a, &p, &r->f) == ERR_OK && p.nrows == all->n, "%s", r->f.text);
    static const char *const odd[] = {"A B/C", "a%2F?x=1&y", "tilde~in~it", "#;:@,+", ".."};
    struct source_key k[5];
    sim_door_lock(door);
    for (size_t i = 0; i < 5; i++) CHECK(sage_sim_insert(r->sage, "ABC", "customers", arena_printf(&r->a, "01~%s", odd[i]), NULL, NULL), "%s", odd[i]);
    sim_door_unlock(door);
    for (size_t i = 0; i < 5; i++) {
        k[i] = rig_key2("01", odd[i]);
        CHECK(ops->fetch(r->s, &q, &k[i], 1, &r->a, &p, &r->f) == ERR_OK && p.nrows == 1, "%s: %s", odd[i], r->f.text);
    }
    CHECK(ops->fetch(r->s, &q, k, 5, &r->a, &p, &r->f) == ERR_OK && p.nrows == 5, "%s", r->f.text);
    q.via = STR("soap");
    CHECK(ops->fetch(r->s, &q, k, 5, &r->a, &p, &r->f) == ERR_OK && p.nrows == 5, "soap: %zu %s", p.nrows, r->f.text);
    rig_end();
    rig_begin("faults over sockets");
    q.via = (struct str){"", 0};
    sim_door_lock(door);
    sage_sim_fault(r->sage, &(struct sage_fault){.on = "changed", .kind = "cut", .times = 1});
    sage_sim_fault(r->sage, &(struct sage_fault){.on = "row", .kind = "status", .code = "busy", .times = 1, .retry_after_s = 1});
    sage_sim_fault(r->sage, &(struct sage_fault){.on = "GetCustomer", .kind = "drop_after", .times = 1});
    sage_sim_fault(r->sage, &(struct sage_fault){.on = "keys", .kind = "delay", .times = 1, .delay_ms = 700});
    sim_door_unlock(door);
    CHECK(ops->page(r->s, &q, (struct str){"", 0}, &r->a, &p, &r->f) == ERR_OK && p.nrows > 0, "cut: %s", r->f.text);
    CHECK(ops->fetch(r->s, &q, k, 1, &r->a, &p, &r->f) == ERR_OK && p.nrows == 1, "busy: %s", r->f.text);
    CHECK(ops->keys(r->s, &q, (struct str){"", 0}, &r->a, &p, &r->f) == ERR_OK, "slow: %s", r->f.text);
    q.via = STR("soap");
    CHECK(ops->fetch(r->s, &q, k, 1, &r->a, &p, &r->f) == ERR_OK && p.nrows == 1, "dropped: %s", r->f.text);
    rig_end();
}

int main(void)
{
    struct rig r;
    struct sage_sim_options o;
    struct sim_door_options door_options = {.port = 0};
    rig_world(&r);
    sage_sim_options_default(&o);
    o.customers = 500;
    r.sage = sage_sim_new(&o);
    struct sim_mount mount = {"", sage_sim_model(r.sage)};
    struct sim_door *door = sim_door_open(&mount, 1, &door_options);
    if (!door) return 1;
    world_real(&r.w);
    if (curl_http_open(&r.w, &r.f) != ERR_OK) {
        printf("not ok transport: %s\n", r.f.text);
        return 1;
    }
    char agent[64], soap[128];
    snprintf(agent, sizeof agent, "http://127.0.0.1:%u", sim_door_port(door));
    snprintf(soap, sizeof soap, "%s/ebusinesswebservices/MasService.svc", agent);
    rig_set(&r, "agent", agent);
    rig_set(&r, "soap", soap);
    rig_set(&r, "login", "websvc\nwebsvc-password");
    rig_set(&r, "retry.busy.delay", "20ms..200ms");
    rig_open(&r);
    agent_and_soap(&r, door);
    ops->close(r.s);
    r.s = NULL;
    curl_http_close(&r.w);
    sim_door_close(door);
    rig_close(&r);
    return rig_exit();
}
