/*
 * script.c: the control of the model as JSON commands: from a file, over HTTP, from a test. script.def lists them.
 *
 *     POST /__sim/do {"do":"lock",...}     POST /__sim/lock {...}     GET /__sim/counters
 *     GET /__sim/row?company=&resource=&key=        GET /__sim/value?...&column=        GET /__sim/count?on=
 *
 * Only on loopback and only in tests: there is no token here.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

struct command {
    struct sage_sim *sim;
    const json_t *args;
    const char *error; // NULL: done
};

static const char *text(const struct command *c, const char *name)
{
    return json_string_value(json_object_get(c->args, name));
}

static int64_t number(const struct command *c, const char *name)
{
    return json_integer_value(json_object_get(c->args, name));
}

static void check(struct command *c, bool good, const char *error)
{
    if (!good && !c->error)
        c->error = error;
}

static const char no_row[] = "no such company, resource, key or column, or a value too long";

static void edit_fields(struct command *c, const char *key, enum sage_stamping stamping)
{
    const char *column;
    json_t *value;
    json_object_foreach((json_t *)json_object_get(c->args, "fields"), column, value)
    {
        check(c, json_is_string(value) || json_is_null(value), "fields: strings or null");
        check(c, sage_sim_edit(c->sim, text(c, "company"), text(c, "resource"), key, column, json_string_value(value), stamping), no_row);
    }
}

static enum sage_stamping stamping(const struct command *c)
{
    const char *s = text(c, "stamp");
    return s && strcmp(s, "kept") == 0 ? SAGE_STAMP_KEPT : SAGE_STAMP_NOW;
}

static void do_edit(struct command *c)
{
    check(c, json_object_size(json_object_get(c->args, "fields")) > 0, "fields missing");
    edit_fields(c, text(c, "key"), stamping(c));
}

static void do_stamp(struct command *c)
{
    check(c, sage_sim_stamp(c->sim, text(c, "company"), text(c, "resource"), text(c, "key"), text(c, "date"), text(c, "time"),
                            json_is_true(json_object_get(c->args, "created"))),
          no_row);
}

static void do_insert(struct command *c)
{
    check(c, sage_sim_insert(c->sim, text(c, "company"), text(c, "resource"), text(c, "key"), text(c, "date"), text(c, "time")),
          "exists already, or no such company or resource, or not a key");
    if (!c->error)
        edit_fields(c, text(c, "key"), SAGE_STAMP_KEPT);
}

static void do_delete(struct command *c)
{
    check(c, sage_sim_delete(c->sim, text(c, "company"), text(c, "resource"), text(c, "key")), no_row);
}

static void do_close(struct command *c)
{
    check(c, text(c, "key") && text(c, "status") && sage_sim_close_order(c->sim, text(c, "company"), text(c, "key"), text(c, "status")),
          "key of a sales order; status C, X or Z");
}

static void do_late(struct command *c)
{
    check(c, sage__late(c->sim, text(c, "company"), text(c, "resource"), text(c, "key"), number(c, "minutes") * 60000), no_row);
    if (!c->error)
        edit_fields(c, text(c, "key"), SAGE_STAMP_KEPT);
}

static void do_import(struct command *c)
{
    size_t i;
    json_t *key;
    const char *date = text(c, "date"), *time = text(c, "time");
    json_array_foreach((json_t *)json_object_get(c->args, "keys"), i, key)
    {
        const char *k = json_string_value(key);
        edit_fields(c, k, SAGE_STAMP_KEPT);
        if (date)
            check(c, sage_sim_stamp(c->sim, text(c, "company"), text(c, "resource"), k, date, time, false), no_row);
        else
            check(c, sage__late(c->sim, text(c, "company"), text(c, "resource"), k, 0), no_row);
    }
}

static void do_churn(struct command *c)
{
    int64_t n = json_object_get(c->args, "count") ? number(c, "count") : 1;
    check(c, text(c, "resource") != NULL, "resource missing");
    for (int64_t i = 0; i < n && !c->error; i++)
        sage__churn(c->sim, text(c, "company"), text(c, "resource"));
}

static void do_lock(struct command *c)
{
    check(c, sage_sim_lock(c->sim, text(c, "company"), text(c, "resource"), text(c, "key"), (int)number(c, "reads"),
                           number(c, "seconds") * 1000),
          no_row);
}

static void do_vanish(struct command *c)
{
    check(c, sage_sim_vanish(c->sim, text(c, "company"), text(c, "resource"), (int)number(c, "permille")), "resource, permille 0 to 1000");
}

static void do_epoch(struct command *c)
{
    check(c, sage_sim_renew_epoch(c->sim, text(c, "company")), "no such company");
}

static void do_company(struct command *c)
{
    int64_t n = number(c, "customers");
    check(c, text(c, "code") && n >= 0 && n <= 4000000 && sage_sim_add_company(c->sim, text(c, "code"), text(c, "name"), (uint32_t)n),
          "code, name, customers");
}

static struct sage_company *company_of(struct command *c)
{
    const char *code = text(c, "company");
    struct sage_company *found = code ? sage__company(c->sim, code) : c->sim->companies[0];
    check(c, found != NULL, "no such company");
    return found;
}

static void do_opens(struct command *c)
{
    struct sage_company *co = company_of(c);
    if (!co)
        return;
    co->opens = json_is_true(json_object_get(c->args, "opens"));
    free(co->last_error);
    co->last_error = sage__copy(text(c, "error"));
}

static void flag(const struct command *c, const char *name, bool *out)
{
    const json_t *v = json_object_get(c->args, name);
    if (json_is_boolean(v))
        *out = json_is_true(v);
}

static void do_access(struct command *c)
{
    struct sage_company *co = company_of(c);
    int id = text(c, "resource") ? sage__resource_find(text(c, "resource")) : -1;
    check(c, id >= 0, "no such resource");
    if (c->error)
        return;
    struct sage_resource *r = &co->res[id];
    bool audit = !r->no_audit;
    flag(c, "denied", &r->denied);
    flag(c, "lacking", &r->lacking);
    flag(c, "audit", &audit);
    r->no_audit = !audit;
}

static void do_fault(struct command *c)
{
    check(c, sage__fault_add_json(c->sim, c->args), "on, kind, or code unknown");
}

static void do_clear_faults(struct command *c)
{
    sage_sim_clear_faults(c->sim);
}

static void do_clock(struct command *c)
{
    const json_t *freeze = json_object_get(c->args, "freeze_ms");
    if (json_is_integer(freeze)) {
        c->sim->frozen = true;
        c->sim->frozen_ms = json_integer_value(freeze);
    }
    if (json_is_true(json_object_get(c->args, "thaw")))
        c->sim->frozen = false;
    sage_sim_shift_clock(c->sim, number(c, "shift_ms"));
}

static void do_restart(struct command *c)
{
    sage_sim_restart(c->sim);
}

static void do_settings(struct command *c)
{
    struct sage_sim *s = c->sim;
    const json_t *v;
    if ((v = json_object_get(c->args, "page_cap")) != NULL)
        s->page_cap = (int)json_integer_value(v);
    if ((v = json_object_get(c->args, "queue")) != NULL)
        s->queue = (int)json_integer_value(v);
    if ((v = json_object_get(c->args, "overlap_minutes")) != NULL)
        s->opt.overlap_minutes = (int)json_integer_value(v);
    flag(c, "remote_diagnostics", &s->remote_diagnostics);
    const char *blank = text(c, "blank");
    if (blank)
        s->opt.soap.blank = strcmp(blank, "nil") == 0       ? SAGE_BLANK_NIL
                            : strcmp(blank, "omitted") == 0 ? SAGE_BLANK_OMITTED
                                                            : SAGE_BLANK_EMPTY;
    v = json_object_get(c->args, "no_access");
    if (json_is_array(v)) {
        s->missing_rights = 0;
        for (size_t i = 0; i < json_array_size(v); i++)
            s->missing_rights |= sage__operation_bit(json_string_value(json_array_get(v, i)));
    }
}

static const struct {
    const char *name;
    void (*run)(struct command *);
    bool changes;
} commands[] = {
#define SAGE_COMMAND(name, run, changes, arguments) {name, run, changes},
#include "script.def"
#undef SAGE_COMMAND
};

static void schedule(struct sage_sim *s, json_t *args, int64_t at_ms)
{
    s->later = sage__grow(s->later, (s->nlater + 1) * sizeof *s->later);
    char *json = json_dumps(args, JSON_COMPACT);
    s->later[s->nlater++] = (struct sage_later){at_ms, s->later_order++, sage__copy(json)};
    free(json);
}

static void remember(struct sage_sim *s, json_t *args)
{
    if (!s->state || s->replaying)
        return;
    json_object_set_new(args, "at_ms", json_integer(sage_sim_now_ms(s)));
    char *json = json_dumps(args, JSON_COMPACT);
    fprintf(s->state, "%s\n", json);
    fflush(s->state);
    free(json);
    json_object_del(args, "at_ms");
}

static const char *run(struct sage_sim *s, json_t *args)
{
    const char *name = json_string_value(json_object_get(args, "do"));
    struct command c = {s, args, "no such command"};
    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        c.error = NULL;
        commands[i].run(&c);
        if (commands[i].changes && !c.error)
            remember(s, args);
    }
    return c.error;
}

static int64_t take_number(json_t *args, const char *name)
{
    int64_t v = json_integer_value(json_object_get(args, name));
    json_object_del(args, name);
    return v;
}

static const char *perform(struct sage_sim *s, json_t *args)
{
    int64_t after = take_number(args, "after_ms");
    if (after > 0) {
        schedule(s, args, sage_sim_now_ms(s) + after);
        return NULL;
    }
    return run(s, args);
}

// What was due some time ago happens at its own time: nobody looked in between, and stamps come out as they would have.
static const char *run_at(struct sage_sim *s, json_t *args, int64_t at_ms)
{
    const char *name = json_string_value(json_object_get(args, "do"));
    if (name && strcmp(name, "clock") == 0)
        return run(s, args);
    bool frozen = s->frozen;
    int64_t frozen_ms = s->frozen_ms;
    s->frozen = true;
    s->frozen_ms = at_ms;
    const char *error = run(s, args);
    s->frozen = frozen;
    s->frozen_ms = frozen_ms;
    return error;
}

void sage__script_due(struct sage_sim *s)
{
    for (;;) {
        int64_t now = sage_sim_now_ms(s);
        size_t best = s->nlater;
        for (size_t i = 0; i < s->nlater; i++)
            if (s->later[i].at_ms <= now &&
                (best == s->nlater || s->later[i].at_ms < s->later[best].at_ms ||
                 (s->later[i].at_ms == s->later[best].at_ms && s->later[i].order < s->later[best].order)))
                best = i;
        if (best == s->nlater)
            return;
        struct sage_later due = s->later[best];
        s->later[best] = s->later[--s->nlater];
        json_t *args = json_loads(due.json, 0, NULL);
        free(due.json);
        int64_t every = json_integer_value(json_object_get(args, "every_ms"));
        int64_t repeat = json_integer_value(json_object_get(args, "repeat"));
        if (every > 0 && repeat != 1) {
            if (repeat > 1)
                json_object_set_new(args, "repeat", json_integer(repeat - 1));
            schedule(s, args, due.at_ms + every);
        }
        const char *error = run_at(s, args, due.at_ms);
        if (error)
            fprintf(stderr, "sim/sage: script: %s\n", error);
        json_decref(args);
    }
}

static char *answer_text(const char *error)
{
    struct sage_buf b = {0};
    if (error) {
        sage__puts(&b, "{\"error\":");
        sage__put_json(&b, error, strlen(error));
        sage__puts(&b, "}");
    } else {
        sage__puts(&b, "{\"ok\":true}");
    }
    return b.p;
}

bool sage_sim_do(struct sage_sim *s, const char *json, char **answer)
{
    json_error_t where;
    json_t *args = json_loads(json, 0, &where);
    const char *error = json_is_object(args) ? perform(s, args) : "not a JSON object";
    if (answer)
        *answer = answer_text(error);
    json_decref(args);
    return !error;
}

// Calls back with every line of a file that says something. False: cannot be read.
static bool each_line(FILE *f, bool (*line)(struct sage_sim *, const char *), struct sage_sim *s, const char *path)
{
    char *text_of_line = NULL;
    size_t cap = 0, n = 0;
    bool good = true;
    while (good && getline(&text_of_line, &cap, f) > 0) {
        n++;
        const char *p = text_of_line + strspn(text_of_line, " \t");
        if (*p == '#' || *p == '\n' || !*p)
            continue;
        good = line(s, p);
        if (!good)
            fprintf(stderr, "sim/sage: %s:%zu: command failed: %s", path, n, p);
    }
    free(text_of_line);
    return good;
}

static bool script_line(struct sage_sim *s, const char *line)
{
    return sage_sim_do(s, line, NULL);
}

bool sage_sim_script(struct sage_sim *s, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return false;
    }
    bool good = each_line(f, script_line, s, path);
    fclose(f);
    return good;
}

// Every command is played at the time at which it was written, so that stamps come out the same.
static bool state_line(struct sage_sim *s, const char *line)
{
    json_t *args = json_loads(line, 0, NULL);
    int64_t at_ms = take_number(args, "at_ms");
    const char *error = json_is_object(args) ? run_at(s, args, at_ms) : "not a JSON object";
    json_decref(args);
    return !error;
}

bool sage_sim_state(struct sage_sim *s, const char *path)
{
    FILE *f = fopen(path, "a+");
    if (!f) {
        perror(path);
        return false;
    }
    rewind(f);
    s->replaying = true;
    bool good = each_line(f, state_line, s, path);
    s->replaying = false;
    s->state = f;
    return good;
}

static void reply(struct sage_call *call, int status, char *json)
{
    call->resp->status = status;
    sim_response_body(call->resp, json, strlen(json), "application/json");
    free(json);
}

static void ask(struct sage_call *call, const char *what)
{
    char *company = sage__query(call, "company", NULL), *resource = sage__query(call, "resource", NULL);
    char *key = sage__query(call, "key", NULL), *column = sage__query(call, "column", NULL), *on = sage__query(call, "on", NULL);
    struct sage_buf b = {0};
    char *found = NULL;
    if (strcmp(what, "counters") == 0)
        found = sage_sim_counters(call->sim);
    else if (strcmp(what, "row") == 0)
        found = sage_sim_row(call->sim, company, resource, key);
    else if (strcmp(what, "count") == 0 && on) {
        sage__putf(&b, "%llu", (unsigned long long)sage_sim_count(call->sim, on));
        found = b.p;
    } else if (strcmp(what, "value") == 0 && column) {
        char *value = sage_sim_value(call->sim, company, resource, key, column);
        if (value) {
            sage__put_json(&b, value, strlen(value));
            found = b.p;
        }
        free(value);
    } else if (strcmp(what, "total") == 0) {
        sage__putf(&b, "%zu", sage_sim_each_key(call->sim, company, resource, NULL, NULL));
        found = b.p;
    }
    reply(call, found ? 200 : 404, found ? found : answer_text("nothing there"));
    free(company);
    free(resource);
    free(key);
    free(column);
    free(on);
}

void sage__script_answer(struct sage_call *call)
{
    const char *what = call->path + strlen("/__sim/");
    sage__script_due(call->sim);
    if (strcmp(call->req->method, "GET") == 0) {
        ask(call, what);
        return;
    }
    json_t *args = call->req->body_len ? json_loadb(call->req->body, call->req->body_len, 0, NULL) : json_object();
    const char *error = json_is_object(args) ? NULL : "not a JSON object";
    if (!error && strcmp(what, "do") != 0)
        json_object_set_new(args, "do", json_string(what));
    if (!error)
        error = perform(call->sim, args);
    reply(call, error ? 400 : 200, answer_text(error));
    json_decref(args);
}
