/*
 * inspect.c: what tests do behind Zoho's back: open and close the model, seed, edit, delete, dump, count. The same
 * functions stand behind /__sim/ (zoho_sim.h).
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

// ---- life

struct zoho_sim *zoho_sim_open(const struct zoho_sim_options *options, char *why, size_t why_size)
{
    struct zoho_sim *sim = zsim__must(calloc(1, sizeof *sim));
    snprintf(why, why_size, "%s", "");
    sim->clock = options->clock;
    sim->log = options->log;
    sim->secrets = options->secrets;
#define X(name, def, meaning) sim->on.name = def;
    ZOHO_SIM_SWITCHES(X)
#undef X
    json_t *switches = options->switches ? json_loads(options->switches, 0, NULL) : json_object();
    bool good = zsim__meta_load(sim, options->data_path, options->edition, why, why_size);
    if (good && json_is_object(switches))
        json_object_update_missing(switches, json_object_get(sim->data, "switches"));
    const char *name;
    json_t *v;
    json_object_foreach(switches, name, v)
    {
        int64_t value = json_is_integer(v) ? (int64_t)json_integer_value(v) : json_is_true(v);
        if (good && !zoho_sim_switch(sim, name, value)) {
            snprintf(why, why_size, "unknown switch %s", name);
            good = false;
        }
    }
    if (good && !json_is_object(switches)) {
        snprintf(why, why_size, "switches are no JSON object");
        good = false;
    }
    json_decref(switches);
    if (good && options->api_domain)
        sim->oauth.api_domain = zsim__copy(options->api_domain);
    if (good && options->faults)
        good = zoho_sim_faults(sim, options->faults, why, why_size);
    if (!good) {
        zoho_sim_close(sim);
        return NULL;
    }
    zsim__oauth_load(sim);
    return sim;
}

void zoho_sim_close(struct zoho_sim *sim)
{
    if (!sim)
        return;
    zsim__faults_free(sim);
    zsim__limits_free(sim);
    zsim__late_free(sim);
    zsim__watch_free(sim);
    zsim__bulk_free(sim);
    zsim__oauth_free(sim);
    zsim__meta_free(sim);
    for (size_t i = 0; i < sim->ncalls; i++)
        free(sim->calls[i].name);
    free(sim->calls);
    free(sim);
}

bool zoho_sim_switch(struct zoho_sim *sim, const char *name, int64_t value)
{
#define X(switch_name, def, meaning)                                                                                   \
    if (strcmp(name, #switch_name) == 0) {                                                                             \
        sim->on.switch_name = value;                                                                                   \
        return true;                                                                                                   \
    }
    ZOHO_SIM_SWITCHES(X)
#undef X
    return false;
}

void zoho_sim_spend(struct zoho_sim *sim, int64_t credits)
{
    zsim__credits_add(sim, zsim__now(sim), credits);
}

void zoho_sim_skew(struct zoho_sim *sim, int64_t skew_ms)
{
    sim->skew_ms = skew_ms;
}

// ---- writing behind Zoho's back

static bool write_behind(struct zoho_sim *sim, struct zsim_module *m, enum zsim_verb verb, int user,
                         const json_t *record, char *id, char *why, size_t why_size)
{
    struct sim_request no_request = {.method = "POST", .target = "/__sim/", .body = ""};
    struct zsim_call call = {.sim = sim, .req = &no_request, .now_ms = zsim__now(sim), .user = user};
    json_t *e = zsim__write_one(&call, m, verb, record, 0, NULL);
    const char *new_id = json_string_value(json_object_get(json_object_get(e, "details"), "id"));
    bool good = strcmp(json_string_value(json_object_get(e, "status")), "success") == 0;
    if (good && id)
        snprintf(id, 24, "%s", new_id);
    if (!good) {
        char *text = json_dumps(e, JSON_COMPACT | JSON_REAL_PRECISION(15));
        snprintf(why, why_size, "%s", text ? text : "");
        free(text);
    }
    json_decref(e);
    return good;
}

static struct zsim_module *module_or(struct zoho_sim *sim, const char *name, char *why, size_t why_size)
{
    struct zsim_module *m = name ? zsim__module(sim, name) : NULL;
    if (!m)
        snprintf(why, why_size, "no module %s", name ? name : "(none)");
    return m;
}

bool zoho_sim_seed(struct zoho_sim *sim, const char *module, const char *record_json, char *id, char *why,
                   size_t why_size)
{
    struct zsim_module *m = module_or(sim, module, why, why_size);
    json_t *record = json_loads(record_json, 0, NULL);
    bool good = m && write_behind(sim, m, ZV_SEED, sim->current_user, record, id, why, why_size);
    json_decref(record);
    return good;
}

static int other_user(const struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->nusers; i++)
        if (sim->users[i].active && (int)i != sim->current_user)
            return (int)i;
    return sim->current_user;
}

static bool edit(struct zoho_sim *sim, const char *module, const char *id, json_t *record, char *why, size_t why_size)
{
    struct zsim_module *m = module_or(sim, module, why, why_size);
    if (!m)
        return false;
    json_object_set_new(record, "id", json_string(id));
    if (!write_behind(sim, m, ZV_EDIT, other_user(sim), record, NULL, why, why_size))
        return false;
    uint64_t number = 0;
    const json_t *lock = json_object_get(record, "$locked");
    zsim__parse_u64(id, &number);
    struct zsim_record *r = zsim__record(m, number);
    if (r && lock)
        r->locked = json_is_true(lock);
    return true;
}

bool zoho_sim_edit(struct zoho_sim *sim, const char *module, const char *id, const char *record_json, char *why,
                   size_t why_size)
{
    json_t *record = json_loads(record_json, 0, NULL);
    bool good = edit(sim, module, id, record, why, why_size);
    json_decref(record);
    zsim__tell(sim);
    return good;
}

static struct zsim_record *find_record(struct zoho_sim *sim, const char *module, const char *id,
                                       struct zsim_module **m)
{
    uint64_t number;
    zsim__late_run(sim);
    zsim__bulk_run(sim);
    *m = module ? zsim__module(sim, module) : NULL;
    return *m && id && zsim__parse_u64(id, &number) ? zsim__record(*m, number) : NULL;
}

bool zoho_sim_delete(struct zoho_sim *sim, const char *module, const char *id, bool permanent)
{
    struct zsim_module *m;
    struct zsim_record *r = find_record(sim, module, id, &m);
    if (!r)
        return false;
    zsim__remove(m, r, other_user(sim), zsim__now(sim), permanent);
    zsim__happened(sim, m, r->id, "delete", NULL);
    zsim__tell(sim);
    return true;
}

// ---- looking

size_t zoho_sim_count(struct zoho_sim *sim, const char *module)
{
    const struct zsim_module *m = zsim__module(sim, module);
    zsim__late_run(sim);
    zsim__bulk_run(sim);
    return m ? m->live : 0;
}

char *zoho_sim_record(struct zoho_sim *sim, const char *module, const char *id)
{
    struct zsim_module *m;
    const struct zsim_record *r = find_record(sim, module, id, &m);
    struct zsim_text out = {0};
    if (r)
        zsim__show_all(sim, m, r, &out);
    return out.at;
}

bool zoho_sim_writes(struct zoho_sim *sim, const char *module, const char *id, struct zoho_sim_writes *writes)
{
    struct zsim_module *m;
    const struct zsim_record *r = find_record(sim, module, id, &m);
    if (r)
        *writes = (struct zoho_sim_writes){r->updates, r->noops};
    return r != NULL;
}

char *zoho_sim_dump(struct zoho_sim *sim, const char *module, const char *sort_field)
{
    struct zsim_module *m = zsim__module(sim, module);
    int field = m && sort_field ? zsim__field(m, sort_field) : -1;
    if (!m || (sort_field && field < 0))
        return NULL;
    struct zsim_query q = {.module = m, .norder = sort_field ? 1 : 0, .order = {{field, -1}}};
    size_t n;
    bool more;
    zsim__late_run(sim);
    zsim__bulk_run(sim);
    uint32_t *rows = zsim__find(sim, &q, &n, &more);
    struct zsim_text out = {0};
    zsim__str(&out, "[");
    for (size_t i = 0; i < n; i++) {
        zsim__str(&out, i ? ",\n" : "\n");
        zsim__show_all(sim, m, &m->records[rows[i]], &out);
    }
    zsim__str(&out, "\n]\n");
    free(rows);
    return out.at;
}

static json_t *counters(const struct zoho_sim *sim)
{
    json_t *calls = json_object(), *statuses = json_object();
    char status[16];
    for (size_t i = 0; i < sim->ncalls; i++)
        json_object_set_new(calls, sim->calls[i].name, json_integer((json_int_t)sim->calls[i].n));
    for (int i = 0; i < 600; i++)
        if (sim->statuses[i]) {
            snprintf(status, sizeof status, "%d", i);
            json_object_set_new(statuses, status, json_integer((json_int_t)sim->statuses[i]));
        }
    json_t *o = json_pack("{soso}", "calls", calls, "statuses", statuses);
    const struct {
        const char *name;
        int64_t n;
    } NUMBERS[] = {{"credits_spent", zsim__credits_spent(sim, zsim__now(sim))},
                   {"credits_limit", zsim__credits_limit(sim)},
                   {"tokens_issued", (int64_t)sim->oauth.issued},
                   {"inserts", (int64_t)sim->inserts},
                   {"updates", (int64_t)sim->updates},
                   {"noop_updates", (int64_t)sim->noops},
                   {"deletes", (int64_t)sim->deletes},
                   {"failed_records", (int64_t)sim->failed},
                   {"writes_with_triggers", (int64_t)sim->with_triggers},
                   {"max_in_flight", (int64_t)sim->limits.max_flight},
                   {"bulk_jobs", (int64_t)sim->bulk.njobs},
                   {"channels", (int64_t)sim->watch.nchannels},
                   {"notifications", (int64_t)sim->watch.told},
                   {"faults", (int64_t)sim->struck}};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++)
        json_object_set_new(o, NUMBERS[i].name, json_integer(NUMBERS[i].n));
    return o;
}

char *zoho_sim_counters(struct zoho_sim *sim)
{
    json_t *o = counters(sim);
    char *text = zsim__must(json_dumps(o, JSON_INDENT(1)));
    json_decref(o);
    return text;
}

// ---- /__sim/

static void answer_why(struct zsim_call *call, const char *why)
{
    zsim__answer(call, 400, json_pack("{ss}", "why", why));
}

static void answer_fine(struct zsim_call *call)
{
    zsim__answer(call, 200, json_pack("{sb}", "ok", 1));
}

static const char *key(const struct zsim_call *call, const char *name)
{
    const char *s = json_string_value(json_object_get(call->body, name));
    return s ? s : "";
}

static void seed_many(struct zsim_call *call)
{
    char why[1024] = "records is no list", id[24];
    json_t *ids = json_array(), *records = json_object_get(call->body, "records"), *v;
    struct zsim_module *m = module_or(call->sim, key(call, "module"), why, sizeof why);
    size_t i;
    bool good = m && json_is_array(records);
    json_array_foreach(records, i, v)
    {
        good = good && write_behind(call->sim, m, ZV_SEED, call->sim->current_user, v, id, why, sizeof why);
        if (good)
            json_array_append_new(ids, json_string(id));
    }
    if (good) {
        zsim__answer(call, 200, json_pack("{so}", "ids", ids));
        return;
    }
    json_decref(ids);
    answer_why(call, why);
}

static void inspect_get(struct zsim_call *call, const char *what)
{
    struct zoho_sim_writes w;
    const char *module = zsim__param(call, "module");
    if (strcmp(what, "counters") == 0) {
        zsim__answer(call, 200, counters(call->sim));
    } else if (strcmp(what, "dump") == 0 && module) {
        struct zsim_text out = {0};
        out.at = zoho_sim_dump(call->sim, module, zsim__param(call, "sort"));
        out.len = out.at ? strlen(out.at) : 0;
        if (out.at)
            zsim__answer_text(call, 200, &out);
        else
            answer_why(call, "no such module or field");
    } else if (strcmp(what, "writes") == 0 &&
               zoho_sim_writes(call->sim, module, zsim__param(call, "id"), &w)) {
        zsim__answer(call, 200, json_pack("{sisi}", "updates", (int)w.updates, "noops", (int)w.noops));
    } else {
        answer_why(call, "no such record or question");
    }
}

static bool set_switches(struct zsim_call *call)
{
    const char *name;
    json_t *v;
    bool good = true;
    json_object_foreach(call->body, name, v)
    {
        int64_t value = json_is_integer(v) ? (int64_t)json_integer_value(v) : json_is_true(v);
        good = zoho_sim_switch(call->sim, name, value) && good;
    }
    return good;
}

static void inspect_post(struct zsim_call *call, const char *what)
{
    struct zoho_sim *sim = call->sim;
    char why[1024] = "unknown question or bad body";
    bool good = true;
    if (strcmp(what, "seed") == 0) {
        seed_many(call);
        return;
    }
    if (strcmp(what, "edit") == 0) {
        json_t *record = json_object_get(call->body, "record");
        good = record && edit(sim, key(call, "module"), key(call, "id"), record, why, sizeof why);
    } else if (strcmp(what, "delete") == 0) {
        good = zoho_sim_delete(sim, key(call, "module"), key(call, "id"),
                               json_is_true(json_object_get(call->body, "permanent")));
    } else if (strcmp(what, "faults") == 0) {
        good = zoho_sim_faults(sim, call->body_text, why, sizeof why);
    } else if (strcmp(what, "switch") == 0) {
        good = set_switches(call);
    } else if (strcmp(what, "clock") == 0) {
        zoho_sim_skew(sim, json_integer_value(json_object_get(call->body, "skew_ms")));
    } else if (strcmp(what, "spend") == 0) {
        zoho_sim_spend(sim, json_integer_value(json_object_get(call->body, "credits")));
    } else if (strcmp(what, "expire_tokens") == 0) {
        zoho_sim_expire_tokens(sim);
    } else if (strcmp(what, "forget_channels") == 0) {
        zoho_sim_forget_channels(sim);
    } else if (strcmp(what, "change_domain") == 0) {
        zoho_sim_change_domain(sim, key(call, "to"));
    } else {
        good = false;
    }
    if (good)
        answer_fine(call);
    else
        answer_why(call, why);
}

void zsim__inspect(struct zsim_call *call)
{
    const char *what = call->path + strlen("/__sim/");
    if (strcmp(call->req->method, "GET") == 0) {
        inspect_get(call, what);
    } else if (strcmp(call->req->method, "DELETE") == 0 && strcmp(what, "faults") == 0) {
        zoho_sim_faults_clear(call->sim);
        answer_fine(call);
    } else {
        call->body = json_loads(call->body_text, 0, NULL);
        inspect_post(call, what);
    }
}
