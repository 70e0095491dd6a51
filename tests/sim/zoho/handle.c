/*
 * handle.c: one call from the request line to the answer.
 *
 *     split target -> script -> /oauth | /crm/v8: authorise -> size, JSON -> route -> scope -> limits -> room -> script
 *     -> credits, delay -> log
 *
 * Everything before /crm/ in the path is the domain's prefix, so that one door can serve two domains.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

// ---- answers

void zsim__answer_text(struct zsim_call *call, int status, struct zsim_text *text)
{
    call->resp->status = status;
    sim_response_body(call->resp, text->at ? text->at : "", text->len, "application/json;charset=utf-8");
    zsim__text_free(text);
}

void zsim__answer(struct zsim_call *call, int status, json_t *body)
{
    struct zsim_text text = {0};
    char *dump = zsim__must(json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15)));
    zsim__str(&text, dump);
    free(dump);
    json_decref(body);
    zsim__answer_text(call, status, &text);
}

void zsim__answer_empty(struct zsim_call *call, int status)
{
    call->resp->status = status;
}

json_t *zsim__error_json(const char *code, const char *message, json_t *details)
{
    return json_pack("{sssossss}", "code", code, "details", details ? details : json_object(), "message", message,
                     "status", "error");
}

void zsim__error(struct zsim_call *call, int status, const char *code, const char *message, json_t *details)
{
    zsim__answer(call, status, zsim__error_json(code, message, details));
}

void zsim__answer_data(struct zsim_call *call, int all_ok, json_t *data, size_t failed)
{
    int status = failed == 0 ? all_ok : failed == json_array_size(data) ? 400 : 207;
    zsim__answer(call, status, json_pack("{so}", "data", data));
}

// ---- parameters

const char *zsim__param(const struct zsim_call *call, const char *name)
{
    for (size_t i = 0; i < call->nparams; i++)
        if (strcmp(call->params[i].name, name) == 0)
            return call->params[i].value;
    return NULL;
}

int64_t zsim__param_number(const struct zsim_call *call, const char *name, int64_t otherwise)
{
    const char *text = zsim__param(call, name);
    uint64_t n;
    if (!text)
        return otherwise;
    return zsim__parse_u64(text, &n) && n < 1000000000 ? (int64_t)n : -1;
}

int64_t zsim__now(const struct zoho_sim *sim)
{
    return sim->clock.now_ms(sim->clock.ctx) + sim->skew_ms;
}

void zsim__count_call(struct zoho_sim *sim, const char *op)
{
    for (size_t i = 0; i < sim->ncalls; i++)
        if (strcmp(sim->calls[i].name, op) == 0) {
            sim->calls[i].n++;
            return;
        }
    sim->calls = zsim__must(realloc(sim->calls, (sim->ncalls + 1) * sizeof *sim->calls));
    sim->calls[sim->ncalls++] = (struct zsim_count){zsim__copy(op), 1};
}

// ---- routes

enum route { R_NONE, R_WRONG_METHOD, R_ORG, R_MODULES, R_MODULE, R_FIELDS, R_LAYOUTS, R_USERS, R_COQL, R_LIST, R_INSERT,
             R_UPDATE, R_DELETE, R_UPSERT, R_SEARCH, R_DELETED, R_COUNT, R_GET, R_UPDATE_ONE, R_DELETE_ONE,
             R_FIELD_MAKE, R_FIELD_CHANGE, R_MODULE_MAKE, R_WATCH,
             R_UPLOAD, R_BULK_MAKE, R_BULK_LOOK };

static const struct shape {
    enum route route;
    const char *method, *path, *op; // path: "*" stands for any segment
    const char *scope;              // of settings and the like
    const char *verb;               // of the module
} SHAPES[] = {
    {R_ORG, "GET", "org", "org", "ZohoCRM.org.READ", NULL},
    {R_MODULES, "GET", "settings/modules", "modules", "ZohoCRM.settings.modules.READ", NULL},
    {R_MODULE, "GET", "settings/modules/*", "modules", "ZohoCRM.settings.modules.READ", NULL},
    {R_FIELDS, "GET", "settings/fields", "fields", "ZohoCRM.settings.fields.READ", NULL},
    {R_MODULE_MAKE, "POST", "settings/modules", "module_make", "ZohoCRM.settings.modules.CREATE", NULL},
    {R_FIELD_MAKE, "POST", "settings/fields", "field_make", "ZohoCRM.settings.fields.CREATE", NULL},
    {R_FIELD_CHANGE, "PATCH", "settings/fields/*", "field_change", "ZohoCRM.settings.fields.UPDATE", NULL},
    {R_LAYOUTS, "GET", "settings/layouts", "layouts", "ZohoCRM.settings.layouts.READ", NULL},
    {R_LAYOUTS, "GET", "settings/layouts/*", "layouts", "ZohoCRM.settings.layouts.READ", NULL},
    {R_USERS, "GET", "users", "users", "ZohoCRM.users.READ", NULL},
    {R_COQL, "POST", "coql", "coql", "ZohoCRM.coql.READ", NULL},
    {R_WATCH, "POST", "actions/watch", "watch_make", "ZohoCRM.notifications.CREATE", NULL},
    {R_WATCH, "PUT", "actions/watch", "watch_replace", "ZohoCRM.notifications.UPDATE", NULL},
    {R_WATCH, "PATCH", "actions/watch", "watch_renew", "ZohoCRM.notifications.UPDATE", NULL},
    {R_WATCH, "GET", "actions/watch", "watch_list", "ZohoCRM.notifications.READ", NULL},
    {R_WATCH, "DELETE", "actions/watch", "watch_remove", "ZohoCRM.notifications.DELETE", NULL},
    {R_UPLOAD, "POST", "upload", "upload", "ZohoFiles.files.CREATE", NULL},
    {R_BULK_MAKE, "POST", "bulk*/write", "bulk_make", "ZohoCRM.bulk.CREATE", NULL},
    {R_BULK_LOOK, "GET", "bulk*/write/*", "bulk_look", "ZohoCRM.bulk.READ", NULL},
    {R_UPSERT, "POST", "*/upsert", "upsert", NULL, "CREATE"},
    {R_SEARCH, "GET", "*/search", "search", "ZohoSearch.securesearch.READ", "READ"},
    {R_DELETED, "GET", "*/deleted", "deleted", NULL, "READ"},
    {R_COUNT, "GET", "*/actions/count", "count", "ZohoSearch.securesearch.READ", "READ"},
    {R_LIST, "GET", "*", "list", NULL, "READ"},
    {R_INSERT, "POST", "*", "insert", NULL, "CREATE"},
    {R_UPDATE, "PUT", "*", "update", NULL, "UPDATE"},
    {R_DELETE, "DELETE", "*", "delete", NULL, "DELETE"},
    {R_GET, "GET", "*/*", "get", NULL, "READ"},
    {R_UPDATE_ONE, "PUT", "*/*", "update", NULL, "UPDATE"},
    {R_DELETE_ONE, "DELETE", "*/*", "delete", NULL, "DELETE"},
};

static bool path_fits(const struct zsim_call *call, const char *path)
{
    size_t i = 0;
    for (; *path; i++) {
        size_t n = strcspn(path, "/");
        if (i >= call->nsegments)
            return false;
        if (*path != '*' && (strlen(call->segment[i]) != n || strncmp(call->segment[i], path, n) != 0))
            return false;
        path += n + (path[n] == '/');
    }
    return i == call->nsegments;
}

static bool reserved(const char *word)
{
    return strcmp(word, "settings") == 0 || strcmp(word, "org") == 0 || strcmp(word, "users") == 0 ||
           strcmp(word, "coql") == 0 || strcmp(word, "actions") == 0 || strcmp(word, "bulk*") == 0 || strcmp(word, "upload") == 0;
}

static const struct shape *route(const struct zsim_call *call, bool *path_known)
{
    *path_known = false;
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        const struct shape *s = &SHAPES[i];
        if (!path_fits(call, s->path) || (*s->path == '*' && reserved(call->segment[0])))
            continue;
        *path_known = true;
        if (strcmp(s->method, call->req->method) == 0)
            return s;
    }
    return NULL;
}

static int64_t tenths(size_t n, size_t per)
{
    return n ? (int64_t)((n + per - 1) / per) : 1;
}

static void price(struct zsim_call *call, enum route r)
{
    size_t n = json_array_size(json_object_get(call->body, "data"));
    call->cost = 1;
    switch (r) {
    case R_INSERT:
    case R_UPDATE:
    case R_UPSERT:
    case R_UPDATE_ONE:
        call->cost = tenths(n, 10);
        call->heavy = n > 10;
        break;
    case R_LIST:
        call->cost = zsim__param(call, "cvid") ? 3 : 1;
        call->heavy = zsim__param(call, "cvid") || zsim__param(call, "sort_by");
        break;
    case R_DELETED:
        call->cost = 2;
        break;
    case R_MODULE_MAKE:
    case R_BULK_MAKE:
        call->cost = 500;
        break;
    case R_SEARCH:
    case R_COQL:
        call->heavy = true;
        break;
    default:
        break;
    }
}

static void run_module(struct zsim_call *call, const struct shape *s)
{
    struct zsim_module *m = zsim__module(call->sim, call->segment[0]);
    const char *second = call->nsegments > 1 ? call->segment[1] : NULL;
    if (!m || m->subform) {
        zsim__error(call, 400, "INVALID_MODULE", "the module name given seems to be invalid",
                    json_pack("{si}", "resource_path_index", 0));
        return;
    }
    if (!zsim__module_scope(call, m->name, s->verb) ||
        (s->route == R_UPSERT && !zsim__module_scope(call, m->name, "UPDATE")))
        return;
    switch (s->route) {
    case R_LIST: zsim__list(call, m); break;
    case R_GET: zsim__get(call, m, second); break;
    case R_INSERT: zsim__write(call, m, ZV_INSERT, NULL); break;
    case R_UPDATE: zsim__write(call, m, ZV_UPDATE, NULL); break;
    case R_UPDATE_ONE: zsim__write(call, m, ZV_UPDATE, second); break;
    case R_UPSERT: zsim__write(call, m, ZV_UPSERT, NULL); break;
    case R_DELETE: zsim__delete(call, m, NULL); break;
    case R_DELETE_ONE: zsim__delete(call, m, second); break;
    case R_SEARCH: zsim__search(call, m); break;
    case R_DELETED: zsim__deleted(call, m); break;
    case R_COUNT: zsim__count(call, m); break;
    default: break;
    }
}

static void run(struct zsim_call *call, const struct shape *s)
{
    if (s->scope && !zsim__scope(call, s->scope))
        return;
    if (s->verb) {
        run_module(call, s);
        return;
    }
    switch (s->route) {
    case R_ORG: zsim__org(call); break;
    case R_MODULES: zsim__modules(call, NULL); break;
    case R_MODULE: zsim__modules(call, call->segment[2]); break;
    case R_FIELDS: zsim__fields(call); break;
    case R_FIELD_MAKE: zsim__field_make(call); break;
    case R_FIELD_CHANGE: zsim__field_change(call, call->segment[2]); break;
    case R_MODULE_MAKE: zsim__module_make(call); break;
    case R_LAYOUTS: zsim__layouts(call); break;
    case R_USERS: zsim__users(call); break;
    case R_COQL: zsim__coql(call); break;
    case R_WATCH: zsim__watch(call); break;
    case R_UPLOAD: zsim__upload(call); break;
    case R_BULK_MAKE: zsim__bulk_make(call); break;
    case R_BULK_LOOK: zsim__bulk_look(call, call->segment[2]); break;
    default: break;
    }
}

static bool take_body(struct zsim_call *call)
{
    const char *method = call->req->method;
    if (strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0 && strcmp(method, "PATCH") != 0)
        return true;
    if ((int64_t)call->req->body_len > call->sim->body_limit) {
        zsim__error(call, 413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE", "request body is too large", NULL);
        return false;
    }
    if (call->nsegments == 1 && strcmp(call->segment[0], "upload") == 0)
        return true; // multipart
    if (!call->body)
        call->body = json_loadb(call->req->body ? call->req->body : "", call->req->body_len, 0, NULL);
    if (json_is_object(call->body))
        return true;
    zsim__error(call, 400, "INVALID_DATA", "body", json_pack("{ss}", "expected_data_type", "jsonobject"));
    return false;
}

static void api(struct zsim_call *call)
{
    bool path_known;
    call->op = "refused";
    if (!call->late && !zsim__authorise(call))
        return;
    const struct shape *s = route(call, &path_known);
    if (!s && path_known) {
        zsim__error(call, 400, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one",
                    json_pack("{si}", "resource_path_index", (int)call->nsegments - 1));
    } else if (!s) {
        zsim__error(call, 404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one",
                    NULL);
    } else if (take_body(call)) {
        call->op = s->op;
        price(call, s->route);
        if (call->late || zsim__admit(call))
            run(call, s);
    }
}

// ---- the call

static void split_target(struct zsim_call *call)
{
    const char *target = call->req->target;
    size_t n = strcspn(target, "?");
    call->path = zsim__must(strndup(target, n));
    if (target[n] == '?')
        zsim__params_of(target + n + 1, strlen(target + n + 1), &call->params, &call->nparams);
    // Paths of /crm/bulk/v8/ go by a first segment that no module can have.
    const char *bulk = strstr(call->path, "/crm/bulk/v8/"), *crm = bulk ? bulk : strstr(call->path, "/crm/v8/"), *host = sim_request_header(call->req, "Host");
    struct zsim_text base = {0};
    zsim__fmt(&base, "%s%.*s", host ? host : "", crm ? (int)(crm - call->path) : 0, call->path);
    call->base = base.at;
    if (bulk)
        call->segment[call->nsegments++] = zsim__copy("bulk*");
    for (const char *p = bulk ? bulk + strlen("/crm/bulk/v8/") : crm ? crm + strlen("/crm/v8/") : ""; *p && call->nsegments < ZSIM_SEGMENTS;) {
        size_t len = strcspn(p, "/");
        call->segment[call->nsegments++] = sim_percent_decode(p, len, 0, NULL);
        p += len + (p[len] == '/');
    }
}

static bool ends_with(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static void dispatch(struct zsim_call *call)
{
    if (zsim__fault_before(call)) {
        call->op = "fault";
        return;
    }
    if (ends_with(call->path, "/oauth/v2/token")) {
        call->op = "token";
        zsim__oauth_token(call);
    } else if (ends_with(call->path, "/oauth/v2/token/revoke")) {
        call->op = "revoke";
        zsim__oauth_revoke(call);
    } else if (strstr(call->path, "/crm/v8/") || strstr(call->path, "/crm/bulk/v8/")) {
        api(call);
    } else if (strstr(call->path, "/bulk-write/")) {
        call->op = "bulk_result";
        call->cost = 1;
        if (zsim__authorise(call))
            zsim__bulk_result(call);
    } else {
        call->op = "refused";
        zsim__error(call, 404, "INVALID_URL_PATTERN", "Please check if the URL trying to access is a correct one",
                    NULL);
    }
    zsim__fault_after(call);
}

static void note(struct zsim_call *call)
{
    struct zoho_sim *sim = call->sim;
    static const char *const FATES[] = {"", " dropped-before", " dropped-after"};
    zsim__count_call(sim, call->op);
    if (call->resp->status >= 0 && call->resp->status < 600)
        sim->statuses[call->resp->status]++;
    if (!sim->log)
        return;
    fprintf(sim->log, "%lld %s %s %d %lld%s%s%s\n", (long long)call->now_ms, call->req->method, call->path,
            call->resp->status, (long long)(zsim__credits_limit(sim) - zsim__credits_spent(sim, call->now_ms)),
            FATES[call->resp->fate], call->fault ? " script:" : "", call->fault ? zsim__fault_name(call->fault) : "");
    fflush(sim->log);
}

static void begin(struct zsim_call *call, struct zoho_sim *sim, const struct sim_request *req,
                  struct sim_response *resp, int64_t now_ms)
{
    *call = (struct zsim_call){.sim = sim, .req = req, .resp = resp, .now_ms = now_ms};
    call->user = sim->current_user;
    call->body_text = zsim__must(strndup(req->body ? req->body : "", req->body_len));
    split_target(call);
}

static void end(struct zsim_call *call)
{
    for (size_t i = 0; i < call->nsegments; i++)
        free(call->segment[i]);
    zsim__params_free(call->params, call->nparams);
    json_decref(call->body);
    free(call->body_text);
    free(call->path);
    free(call->base);
}

void zsim__apply(struct zoho_sim *sim, const struct sim_request *req, struct sim_response *resp, int64_t at_ms)
{
    struct zsim_call call;
    begin(&call, sim, req, resp, at_ms);
    call.late = true;
    call.scope = sim->oauth.ngrants ? sim->oauth.grants[0].scope : "";
    api(&call);
    zsim__credits_add(sim, at_ms, call.cost);
    zsim__count_call(sim, "late");
    end(&call);
}

void zsim__handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    struct zsim_call call;
    zsim__late_run(self);
    zsim__bulk_run(self);
    begin(&call, self, req, resp, zsim__now(self));
    if (strncmp(call.path, "/__sim/", 7) == 0) {
        zsim__inspect(&call);
    } else {
        zsim__fault_choose(&call);
        dispatch(&call);
        zsim__finish(&call);
        note(&call);
    }
    zsim__tell(self);
    end(&call);
}

struct sim_model zoho_sim_model(struct zoho_sim *sim)
{
    return (struct sim_model){sim, zsim__handle};
}
