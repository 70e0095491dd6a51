/*
 * oauth.c: the token endpoint and the check of an access token (facts 3).
 *
 *     parameters (query, form or multipart) -> client -> code or refresh token -> throttle -> access token
 *
 * Errors of the endpoint come with status 200; only the body tells. A token belongs to a grant (a refresh token); the
 * eleventh living one kills the oldest; a grant gives ten in ten minutes and then nothing until they are over.
 */
#include "zoho_room.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LIFE_S = 3600, WINDOW_MS = 600000, PER_WINDOW = 10, LIVE_TOKENS = 10, GRANTS = 20 };

// ---- parameters

void zsim__params_of(const char *text, size_t len, struct zsim_param **params, size_t *n)
{
    const char *end = text + len;
    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        const char *stop = amp ? amp : end, *eq = memchr(text, '=', (size_t)(stop - text));
        if (stop > text) { // a trailing & is no parameter
            *params = zsim__must(realloc(*params, (*n + 1) * sizeof **params));
            const char *name_end = eq ? eq : stop, *value = eq ? eq + 1 : stop;
            (*params)[(*n)++] =
                (struct zsim_param){sim_percent_decode(text, (size_t)(name_end - text), 1, NULL),
                                    sim_percent_decode(value, (size_t)(stop - value), 1, NULL)};
        }
        text = stop + 1;
    }
}

void zsim__params_free(struct zsim_param *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(params[i].name);
        free(params[i].value);
    }
    free(params);
}

// One part: header lines, empty line, value.
static void take_part(struct zsim_call *call, const char *part, size_t len)
{
    char *copy = zsim__must(strndup(part, len));
    char *body = strstr(copy, "\r\n\r\n"), *name = strstr(copy, "name=\"");
    if (body && name && name < body) {
        name += 6;
        call->params = zsim__must(realloc(call->params, (call->nparams + 1) * sizeof *call->params));
        call->params[call->nparams++] =
            (struct zsim_param){zsim__must(strndup(name, strcspn(name, "\""))), zsim__copy(body + 4)};
    }
    free(copy);
}

static void take_multipart(struct zsim_call *call, const char *type)
{
    const char *boundary = strstr(type, "boundary=");
    if (!boundary)
        return;
    boundary += strlen("boundary=");
    boundary += *boundary == '"';
    struct zsim_text mark = {0};
    zsim__fmt(&mark, "--%.*s", (int)strcspn(boundary, "\";"), boundary);
    const char *at = strstr(call->body_text, mark.at), *next;
    while (at && (next = strstr(at + mark.len, mark.at)) != NULL) {
        const char *part = at + mark.len + 2; // behind CR LF
        if (next - 2 > part)
            take_part(call, part, (size_t)(next - 2 - part));
        at = next;
    }
    zsim__text_free(&mark);
}

static void take_params(struct zsim_call *call)
{
    const char *type = sim_request_header(call->req, "Content-Type");
    if (type && strncasecmp(type, "multipart/form-data", 19) == 0)
        take_multipart(call, type);
    else if (call->req->body_len)
        zsim__params_of(call->body_text, strlen(call->body_text), &call->params, &call->nparams);
}

// ---- state

void zsim__oauth_load(struct zoho_sim *sim)
{
    const json_t *o = json_object_get(sim->data, "oauth");
    size_t i;
    json_t *v;
    struct zsim_oauth *oauth = &sim->oauth;
    oauth->clients = json_object_get(o, "clients");
    json_array_foreach(json_object_get(o, "refresh_tokens"), i, v)
    {
        oauth->grants = zsim__must(realloc(oauth->grants, (oauth->ngrants + 1) * sizeof *oauth->grants));
        oauth->grants[oauth->ngrants++] =
            (struct zsim_grant){.token = zsim__copy(json_string_value(json_object_get(v, "token"))),
                                .client_id = zsim__copy(json_string_value(json_object_get(v, "client_id"))),
                                .scope = zsim__copy(json_string_value(json_object_get(v, "scope")))};
    }
    json_array_foreach(json_object_get(o, "codes"), i, v)
    {
        oauth->codes = zsim__must(realloc(oauth->codes, (oauth->ncodes + 1) * sizeof *oauth->codes));
        oauth->codes[oauth->ncodes++] = (struct zsim_code){
            .code = zsim__copy(json_string_value(json_object_get(v, "code"))),
            .client_id = zsim__copy(json_string_value(json_object_get(v, "client_id"))),
            .scope = zsim__copy(json_string_value(json_object_get(v, "scope"))),
            .expires_ms = zsim__now(sim) + json_integer_value(json_object_get(v, "lives_s")) * 1000};
    }
}

void zsim__oauth_free(struct zoho_sim *sim)
{
    struct zsim_oauth *oauth = &sim->oauth;
    for (size_t i = 0; i < oauth->ngrants; i++) {
        free(oauth->grants[i].token);
        free(oauth->grants[i].client_id);
        free(oauth->grants[i].scope);
    }
    for (size_t i = 0; i < oauth->ntokens; i++)
        free(oauth->tokens[i].token);
    for (size_t i = 0; i < oauth->ncodes; i++) {
        free(oauth->codes[i].code);
        free(oauth->codes[i].client_id);
        free(oauth->codes[i].scope);
    }
    for (size_t i = 0; i < oauth->nretired; i++)
        free(oauth->retired[i]);
    free(oauth->grants);
    free(oauth->tokens);
    free(oauth->codes);
    free(oauth->retired);
    free(oauth->api_domain);
    free(oauth->seen);
}

static char *new_token(struct zsim_oauth *oauth)
{
    struct zsim_text t = {0};
    uint64_t serial = ++oauth->serial, a, b;
    a = zsim__hash((const char *)&serial, sizeof serial, false);
    b = a * 0x9E3779B97F4A7C15u ^ serial;
    zsim__fmt(&t, "1000.%016llx.%016llx", (unsigned long long)a, (unsigned long long)(b ^ b >> 29));
    return t.at;
}

static void forget_token(struct zsim_oauth *oauth, size_t at)
{
    free(oauth->tokens[at].token);
    memmove(&oauth->tokens[at], &oauth->tokens[at + 1], (oauth->ntokens - at - 1) * sizeof *oauth->tokens);
    oauth->ntokens--;
}

// Tokens stand in the order of their issue, so the first of a grant is its oldest.
void zsim__secret(const struct zoho_sim *sim, const char *kind, const char *value)
{
    if (!sim->secrets)
        return;
    fprintf(sim->secrets, "%s %s\n", kind, value);
    fflush(sim->secrets);
}

static const char *issue(struct zoho_sim *sim, size_t grant, int64_t now_ms)
{
    struct zsim_oauth *oauth = &sim->oauth;
    size_t live = 0, oldest = SIZE_MAX;
    for (size_t i = oauth->ntokens; i-- > 0;) {
        if (oauth->tokens[i].expires_ms <= now_ms) {
            forget_token(oauth, i);
        } else if (oauth->tokens[i].grant == grant) {
            live++;
            oldest = i;
        }
    }
    if (live >= LIVE_TOKENS) {
        for (oldest = 0; oauth->tokens[oldest].grant != grant; oldest++)
            ;
        forget_token(oauth, oldest);
    }
    oauth->tokens = zsim__must(realloc(oauth->tokens, (oauth->ntokens + 1) * sizeof *oauth->tokens));
    struct zsim_token *t = &oauth->tokens[oauth->ntokens++];
    *t = (struct zsim_token){new_token(oauth), grant, now_ms, now_ms + LIFE_S * 1000LL};
    oauth->issued++;
    zsim__secret(sim, "access-token", t->token);
    return t->token;
}

char *zoho_sim_issue_token(struct zoho_sim *sim)
{
    return sim->oauth.ngrants ? zsim__copy(issue(sim, 0, zsim__now(sim))) : NULL;
}

void zoho_sim_expire_tokens(struct zoho_sim *sim)
{
    while (sim->oauth.ntokens)
        forget_token(&sim->oauth, sim->oauth.ntokens - 1);
}

void zoho_sim_regrant(struct zoho_sim *sim)
{
    for (size_t i = 0; i < sim->oauth.ngrants; i++)
        sim->oauth.grants[i].dead = false;
}

// "https://host/prefix/" -> "host/prefix"
static char *bare_domain(const char *url)
{
    const char *host = strstr(url, "://");
    char *copy = zsim__copy(host ? host + 3 : url);
    size_t n = strlen(copy);
    while (n && copy[n - 1] == '/')
        copy[--n] = '\0';
    return copy;
}

void zoho_sim_change_domain(struct zoho_sim *sim, const char *to)
{
    struct zsim_oauth *oauth = &sim->oauth;
    const char *old = oauth->api_domain ? oauth->api_domain : oauth->seen;
    if (old) {
        oauth->retired = zsim__must(realloc(oauth->retired, (oauth->nretired + 1) * sizeof *oauth->retired));
        oauth->retired[oauth->nretired++] = bare_domain(old);
    }
    char *copy = zsim__copy(to);
    free(oauth->api_domain);
    oauth->api_domain = copy;
}

// ---- the endpoint

static void token_error(struct zsim_call *call, const char *error)
{
    zsim__answer(call, 200, json_pack("{ss}", "error", error));
}

static bool check_client(struct zsim_call *call)
{
    const char *id = zsim__param(call, "client_id"), *secret = zsim__param(call, "client_secret");
    size_t i;
    json_t *v;
    json_array_foreach(call->sim->oauth.clients, i, v)
    {
        if (!id || strcmp(json_string_value(json_object_get(v, "id")), id) != 0)
            continue;
        if (secret && strcmp(json_string_value(json_object_get(v, "secret")), secret) == 0)
            return true;
        token_error(call, "invalid_client_secret");
        return false;
    }
    token_error(call, "invalid_client");
    return false;
}

static void answer_token(struct zsim_call *call, size_t grant, bool refresh_token)
{
    struct zsim_oauth *oauth = &call->sim->oauth;
    struct zsim_text domain = {0};
    const char *host = sim_request_header(call->req, "Host");
    if (oauth->api_domain)
        zsim__str(&domain, oauth->api_domain);
    else
        zsim__fmt(&domain, "http://%s", host ? host : "127.0.0.1");
    const char *token = issue(call->sim, grant, call->now_ms);
    json_t *o = json_pack("{ss}", "access_token", token);
    if (refresh_token)
        json_object_set_new(o, "refresh_token", json_string(oauth->grants[grant].token));
    json_object_set_new(o, "scope", json_string(oauth->grants[grant].scope));
    json_object_set_new(o, "api_domain", json_string(domain.at));
    json_object_set_new(o, "token_type", json_string("Bearer"));
    json_object_set_new(o, "expires_in", json_integer(LIFE_S));
    zsim__answer(call, 200, o);
    zsim__text_free(&domain);
}

// A client has 20 refresh tokens per user, one more kills the oldest.
static void bury_oldest(struct zsim_oauth *oauth, const char *client)
{
    size_t live = 0, oldest = SIZE_MAX;
    for (size_t i = oauth->ngrants; i-- > 0;)
        if (!oauth->grants[i].dead && strcmp(oauth->grants[i].client_id, client) == 0) {
            live++;
            oldest = i;
        }
    if (live >= GRANTS)
        oauth->grants[oldest].dead = true;
}

static void by_code(struct zsim_call *call)
{
    struct zsim_oauth *oauth = &call->sim->oauth;
    const char *code = zsim__param(call, "code"), *client = zsim__param(call, "client_id");
    for (size_t i = 0; code && i < oauth->ncodes; i++) {
        struct zsim_code *c = &oauth->codes[i];
        if (strcmp(c->code, code) != 0 || strcmp(c->client_id, client) != 0 || c->used ||
            c->expires_ms <= call->now_ms)
            continue;
        c->used = true;
        bury_oldest(oauth, client);
        oauth->grants = zsim__must(realloc(oauth->grants, (oauth->ngrants + 1) * sizeof *oauth->grants));
        oauth->grants[oauth->ngrants] = (struct zsim_grant){
            .token = new_token(oauth), .client_id = zsim__copy(client), .scope = zsim__copy(c->scope)};
        answer_token(call, oauth->ngrants++, true);
        return;
    }
    token_error(call, "invalid_code");
}

static void by_refresh(struct zsim_call *call)
{
    struct zsim_oauth *oauth = &call->sim->oauth;
    const char *token = zsim__param(call, "refresh_token"), *client = zsim__param(call, "client_id");
    size_t i;
    for (i = 0; token && i < oauth->ngrants; i++)
        if (!oauth->grants[i].dead && strcmp(oauth->grants[i].token, token) == 0 &&
            strcmp(oauth->grants[i].client_id, client) == 0)
            break;
    if (!token || i == oauth->ngrants) {
        token_error(call, "invalid_code");
        return;
    }
    struct zsim_grant *g = &oauth->grants[i];
    if (!g->window_used || call->now_ms - g->window_ms >= WINDOW_MS) {
        g->window_ms = call->now_ms;
        g->window_used = 0;
    }
    if (g->window_used >= PER_WINDOW) {
        zsim__answer(call, (int)call->sim->on.token_throttle_status,
                     json_pack("{ssss}", "error_description",
                               "You have made too many requests continuously. Please try again after some time.",
                               "error", "Access Denied"));
        return;
    }
    g->window_used++;
    answer_token(call, i, false);
}

void zsim__oauth_token(struct zsim_call *call)
{
    take_params(call);
    const char *type = zsim__param(call, "grant_type");
    if (strcmp(call->req->method, "POST") != 0)
        zsim__error(call, 405, "INVALID_REQUEST_METHOD", "The http request method type is not a valid one", NULL);
    else if (!check_client(call))
        return;
    else if (type && strcmp(type, "authorization_code") == 0)
        by_code(call);
    else if (type && strcmp(type, "refresh_token") == 0)
        by_refresh(call);
    else
        token_error(call, "invalid_code");
}

void zsim__oauth_revoke(struct zsim_call *call)
{
    struct zsim_oauth *oauth = &call->sim->oauth;
    static const char page[] = "<html><body>Invalid token</body></html>";
    take_params(call);
    const char *token = zsim__param(call, "token");
    for (size_t i = 0; token && i < oauth->ngrants; i++) {
        if (oauth->grants[i].dead || strcmp(oauth->grants[i].token, token) != 0)
            continue;
        oauth->grants[i].dead = true;
        for (size_t k = oauth->ntokens; k-- > 0;)
            if (oauth->tokens[k].grant == i)
                forget_token(oauth, k);
        zsim__answer(call, 200, json_pack("{ss}", "status", "success"));
        return;
    }
    call->resp->status = 400;
    sim_response_body(call->resp, page, sizeof page - 1, "text/html;charset=UTF-8");
}

// ---- calls

static bool unauthorised(struct zsim_call *call, const char *code, const char *message)
{
    zsim__error(call, 401, code, message, NULL);
    return false;
}

static bool retired(struct zsim_call *call)
{
    struct zsim_oauth *oauth = &call->sim->oauth;
    char *now = oauth->api_domain ? bare_domain(oauth->api_domain) : NULL;
    bool old = false;
    for (size_t i = 0; i < oauth->nretired; i++)
        old = old || (strcasecmp(oauth->retired[i], call->base) == 0 && (!now || strcasecmp(now, call->base) != 0));
    free(now);
    free(oauth->seen);
    oauth->seen = zsim__copy(call->base);
    return old;
}

bool zsim__authorise(struct zsim_call *call)
{
    static const char word[] = "Zoho-oauthtoken ";
    struct zsim_oauth *oauth = &call->sim->oauth;
    const char *header = sim_request_header(call->req, "Authorization");
    if (retired(call) || !header || strncmp(header, word, sizeof word - 1) != 0 || !header[sizeof word - 1])
        return unauthorised(call, "AUTHENTICATION_FAILURE", "Authentication failed");
    for (size_t i = 0; i < oauth->ntokens; i++)
        if (strcmp(oauth->tokens[i].token, header + sizeof word - 1) == 0 &&
            oauth->tokens[i].expires_ms > call->now_ms) {
            call->scope = oauth->grants[oauth->tokens[i].grant].scope;
            return true;
        }
    return unauthorised(call, "INVALID_TOKEN", "invalid oauth token");
}

static bool granted(const char *scope, const char *wanted)
{
    size_t n = strlen(wanted);
    for (const char *p = scope; p && *p;) {
        size_t len = strcspn(p, " ,");
        if (len == n && strncasecmp(p, wanted, n) == 0)
            return true;
        p += len + strspn(p + len, " ,");
    }
    return false;
}

// need = service.group[.name].VERB is given by itself, by .ALL instead of the verb, and by either without the name.
bool zsim__scope(struct zsim_call *call, const char *need)
{
    char text[160];
    const char *group = strchr(need, '.'), *verb = strrchr(need, '.');
    const char *name = strchr(group + 1, '.');
    bool good = granted(call->scope, need);
    snprintf(text, sizeof text, "%.*s.ALL", (int)(verb - need), need);
    good = good || granted(call->scope, text);
    snprintf(text, sizeof text, "%.*s.ALL", (int)(name - need), need);
    good = good || granted(call->scope, text);
    snprintf(text, sizeof text, "%.*s%s", (int)(name - need), need, verb);
    good = good || granted(call->scope, text);
    return good || unauthorised(call, "OAUTH_SCOPE_MISMATCH", "Unauthorized");
}

bool zsim__module_scope(struct zsim_call *call, const char *module, const char *verb)
{
    char need[160];
    size_t n = (size_t)snprintf(need, sizeof need, "ZohoCRM.modules.");
    const struct zsim_module *m = zsim__module(call->sim, module);
    const char *name = m && strcmp(m->generated, "custom") == 0 ? "custom" : module;
    for (; *name && n + 1 < sizeof need; name++)
        if (*name != '_')
            need[n++] = (char)tolower((unsigned char)*name);
    snprintf(need + n, sizeof need - n, ".%s", verb);
    return zsim__scope(call, need);
}
