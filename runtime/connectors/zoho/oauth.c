/* oauth.c - access tokens (facts/zoho-crm.md 3): one cache per refresh token, shared with other processes through the sealed state.
 *
 *     zoho.credentials   {"client_id","client_secret","refresh_token"}          written by `mlcd auth`; setting `login` may hold the same
 *     zoho.token         (or a file that processes share by grant: shared.c)
 *                        {"access_token","expires_ms","api_domain","scopes","renewed_ms":[...],"blocked_until_ms"}
 *
 * Order of a renewal: read the saved state (somebody else may have renewed) -> at most 10 calls in 10 minutes, counted and saved before the
 * call, so that a crash cannot forget one; none while the disk is full, or every restart would take another -> call on a connection of its
 * own -> success is an access_token, whatever the status says -> check the api_domain -> save. Secrets travel in the body of the request,
 * never in its URL, and in no text. */
#include "connectors/zoho/auth.h"
#include "connectors/zoho/oauth_errors.h"
#include "connectors/zoho/zoho.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define REFUSAL_HOLD_MS 60000
#define LAST_USE_MS     15000
#define BLOCK_MS        ZOHO_TOKEN_WINDOW_MS

struct credentials { char client_id[256], client_secret[256], refresh_token[512]; };

static bool copy_text(char *out, size_t cap, struct str s)
{
    if (s.n == 0 || s.n >= cap || memchr(s.p, 0, s.n)) return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

static struct str member(const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
}

/* ---- credentials ---- */

static bool parse_credentials(struct str text, struct credentials *c)
{
    json_error_t where;
    json_t *j = json_loadb(text.p ? text.p : "", text.n, 0, &where);
    bool good = copy_text(c->client_id, sizeof c->client_id, member(j, "client_id")) &&
                copy_text(c->client_secret, sizeof c->client_secret, member(j, "client_secret")) &&
                copy_text(c->refresh_token, sizeof c->refresh_token, member(j, "refresh_token"));
    json_decref(j);
    return good;
}

static enum err load_credentials(const struct target *t, struct credentials *c, struct fault *f)
{
    const struct conn_env *env = t->env;
    struct str login = str_trim(conn_setting(env, "login"));
    if (login.n && login.p[0] == '{') {
        if (parse_credentials(login, c)) return ERR_OK;
        return fault_set(f, ERR_SECRET, "the secret of setting `login` lacks client_id, client_secret or refresh_token: mlcd auth %s", t->pool);
    }
    if (login.n) return fault_set(f, ERR_SECRET, "the secret of setting `login` is not what mlcd auth writes: mlcd auth %s", t->pool);
    struct arena a;
    struct str text;
    arena_init(&a, 4096);
    enum err e = env->load ? env->load(env->ctx, "zoho.credentials", &a, &text) : ERR_NOT_FOUND;
    bool good = e == ERR_OK && parse_credentials(text, c);
    if (e == ERR_OK && text.n) explicit_bzero((char *)(uintptr_t)text.p, text.n);
    arena_free(&a);
    if (good) return ERR_OK;
    if (e != ERR_OK && e != ERR_NOT_FOUND) return fault_set(f, e, "the saved Zoho credentials cannot be opened: %s", err_text(e));
    return fault_set(f, ERR_SECRET, "no Zoho credentials are stored: mlcd auth %s", t->pool);
}

/* ---- the saved token ---- */

static void parse_token(const json_t *j, struct zoho_token *tok)
{
    memset(tok, 0, sizeof *tok);
    (void)copy_text(tok->access, sizeof tok->access, member(j, "access_token"));
    (void)copy_text(tok->api_domain, sizeof tok->api_domain, member(j, "api_domain"));
    (void)copy_text(tok->scopes, sizeof tok->scopes, member(j, "scopes"));
    tok->expires_wall_ms = json_integer_value(json_object_get(j, "expires_ms"));
    tok->blocked_until_wall_ms = json_integer_value(json_object_get(j, "blocked_until_ms"));
    const json_t *times = json_object_get(j, "renewed_ms");
    size_t n = json_array_size(times), skip = n > ZOHO_TOKENS ? n - ZOHO_TOKENS : 0;
    for (size_t i = skip; i < n; i++) tok->renewed_wall_ms[ZOHO_TOKENS - n + i] = json_integer_value(json_array_get(times, i));
}

/* Who we are to other processes follows from the refresh token. */
static void name_grant(struct target *t)
{
    struct credentials c = {0};
    struct fault f;
    if (t->shared.named) return;
    t->shared.named = true;
    if (load_credentials(t, &c, &f) == ERR_OK) zoho__shared_open(t, c.refresh_token);
    explicit_bzero(&c, sizeof c);
}

/* False when nothing (readable) is saved. */
static bool load_token(struct target *t, struct zoho_token *tok)
{
    struct arena a;
    struct str text;
    arena_init(&a, 4096);
    bool good = zoho__shared_load(t, &a, &text) || (t->env->load && t->env->load(t->env->ctx, "zoho.token", &a, &text) == ERR_OK && text.n > 0);
    if (good) {
        json_error_t where;
        json_t *j = json_loadb(text.p, text.n, 0, &where);
        good = json_is_object(j);
        if (good) parse_token(j, tok);
        json_decref(j);
        explicit_bzero((char *)(uintptr_t)text.p, text.n);
    }
    arena_free(&a);
    if (good && tok->api_domain[0] && !zoho__domain_allowed(t, tok->api_domain)) tok->api_domain[0] = tok->access[0] = '\0';
    return good;
}

static enum err save_token(struct target *t, const struct zoho_token *tok, struct fault *f)
{
    json_t *times = json_array();
    for (size_t i = 0; i < ZOHO_TOKENS; i++)
        if (tok->renewed_wall_ms[i] > 0) (void)json_array_append_new(times, json_integer(tok->renewed_wall_ms[i]));
    json_t *j = json_pack("{s:s,s:I,s:s,s:s,s:o,s:I}", "access_token", tok->access, "expires_ms", (json_int_t)tok->expires_wall_ms,
                          "api_domain", tok->api_domain, "scopes", tok->scopes, "renewed_ms", times,
                          "blocked_until_ms", (json_int_t)tok->blocked_until_wall_ms);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (!text) check_no_memory();
    enum err e = t->shared.ready ? zoho__shared_save(t, str_of(text), f) : t->env->save ? t->env->save(t->env->ctx, "zoho.token", str_of(text), f) : ERR_OK;
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(j);
    return e;
}

/* A disk that fails must not stop the sync. */
static void save_token_if_possible(struct target *t, const struct zoho_token *tok)
{
    struct fault f = {ERR_OK, ""};
    if (save_token(t, tok, &f) != ERR_OK) log_warn("%s: the access token cannot be saved, a restart will need a new one: %s", t->pool, f.text);
}

/* ---- the endpoint's own limit ---- */

int zoho__renewals(const struct zoho_token *tok, int64_t wall_ms)
{
    int n = 0;
    for (size_t i = 0; i < ZOHO_TOKENS; i++)
        n += tok->renewed_wall_ms[i] > wall_ms - ZOHO_TOKEN_WINDOW_MS && tok->renewed_wall_ms[i] <= wall_ms + ZOHO_TOKEN_WINDOW_MS;
    return n;
}

static enum err count_renewal(struct target *t, struct fault *f)
{
    struct zoho_token *tok = &t->oauth.token;
    int64_t now = zoho__wall(t), until = 0;
    if (tok->blocked_until_wall_ms > now && tok->blocked_until_wall_ms <= now + BLOCK_MS) until = tok->blocked_until_wall_ms;
    else if (zoho__renewals(tok, now) >= ZOHO_TOKENS) until = tok->renewed_wall_ms[0] + ZOHO_TOKEN_WINDOW_MS;
    if (until)
        return fault_set(f, ERR_BUSY, "Zoho gives at most %d access tokens in 10 minutes; the next can be asked for in %lld s. "
                         "Does another program use the same refresh token?", ZOHO_TOKENS, (long long)((until - now + 999) / 1000));
    struct zoho_token counted = *tok;
    memmove(&counted.renewed_wall_ms[0], &counted.renewed_wall_ms[1], sizeof counted.renewed_wall_ms - sizeof counted.renewed_wall_ms[0]);
    counted.renewed_wall_ms[ZOHO_TOKENS - 1] = now;
    struct fault why = {ERR_OK, ""};
    enum err e = save_token(t, &counted, &why);
    if (e != ERR_NO_SPACE) *tok = counted;
    explicit_bzero(&counted, sizeof counted);
    if (e == ERR_NO_SPACE)
        return fault_set(f, e, "no access token is asked for, there is no room to keep it (each restart would take another of the %d in 10 minutes): %s",
                         ZOHO_TOKENS, why.text);
    if (e != ERR_OK) log_warn("%s: the count of token requests cannot be saved: %s", t->pool, why.text);
    return ERR_OK;
}

/* ---- the call ---- */

static void put_parameter(struct buf *out, const char *name, const char *value)
{
    if (out->n) buf_byte(out, '&');
    buf_puts(out, name);
    buf_byte(out, '=');
    net_url_encode(out, str_of(value));
}

static struct net_class token_class(void *ctx, const struct http_res *res)
{
    (void)ctx; (void)res;
    return (struct net_class){.verdict = NET_DONE};
}

static enum err post_token(struct target *t, const struct buf *form, struct arena *a, struct http_res *res, struct fault *f)
{
    static const struct net_policy policy = {3, 500, 10000, false};
    struct http_header h[] = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}, {"User-Agent", "ml-connector"}};
    char url[ZOHO_URL_BYTES + 32];
    (void)snprintf(url, sizeof url, "%s/oauth/v2/token", t->accounts_url);
    struct http_req req = {.method = "POST", .url = url, .headers = h, .nheaders = 3, .body = buf_view(form), .pool = t->pool, .ca_file = zoho__ca(t),
                           .connect_timeout_ms = t->connect_ms, .total_timeout_ms = t->read_ms, .max_body_bytes = 1u << 20, .fresh = true};
    enum err e = net_call(t->net, "zoho token", &req, &policy, token_class, NULL, a, res, f);
    if (e == ERR_AMBIGUOUS) return fault_set(f, ERR_UNREACHABLE, "no answer from the sign-in server %s: %s", t->accounts_url, res->error);
    return e == ERR_OK ? ERR_OK : fault_prefix(f, "sign-in server");
}

static int64_t lifetime_ms(const json_t *j)
{
    const json_t *sec = json_object_get(j, "expires_in_sec"), *in = json_object_get(j, "expires_in");
    json_int_t s = json_is_integer(sec) ? json_integer_value(sec) : json_is_integer(in) ? json_integer_value(in) : 3600;
    if (s > 86400) s /= 1000;                       /* old answers: milliseconds (facts 3.2) */
    return s > 0 && s <= 86400 ? (int64_t)s * 1000 : 3600000;
}

static enum err refuse_token(struct target *t, struct str error, struct str description, int status, struct fault *f)
{
    const struct zoho_token_error *k = zoho__token_error(error);
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)str_cut(error, 63).n, error.n ? error.p : "");
    for (char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f) *c = '?';
    if (zoho__token_throttled(error, description)) {
        t->oauth.token.blocked_until_wall_ms = zoho__wall(t) + BLOCK_MS;
        save_token_if_possible(t, &t->oauth.token);
        zoho__note(t, "TOKEN", "the sign-in server asks to wait: too many token requests");
        return fault_set(f, ERR_BUSY, "the sign-in server refuses more token requests for about 10 minutes (status %d)", status);
    }
    if (!error.n) {
        if (status >= 500 || status == 429) return fault_set(f, ERR_BUSY, "the sign-in server answered %d; try again later", status);
        return fault_set(f, ERR_PROTOCOL, "the sign-in server %s answered %d without token or error: is `region` or `accounts_url` right?",
                         t->accounts_url, status);
    }
    zoho__note(t, "TOKEN", "refused: %s", name);
    enum err e = fault_set(f, ERR_AUTH, "Zoho refuses to sign us in: %s (%s)", name, k ? k->advice : "an error that is not documented");
    t->oauth.refusal.err = e;
    if (f) t->oauth.refusal = *f;
    t->oauth.refused_until_ms = zoho__mono(t) + REFUSAL_HOLD_MS;
    return e;
}

static enum err take_token(struct target *t, const json_t *j, struct fault *f)
{
    struct zoho_token *tok = &t->oauth.token;
    char origin[ZOHO_URL_BYTES];
    struct str domain = member(j, "api_domain");
    if (domain.n && (!zoho__origin(domain, origin) || !zoho__domain_allowed(t, origin)))
        return fault_set(f, ERR_CONFIG, "the token answer names the API host %.*s, which is none of Zoho's; nothing is sent there. "
                         "If it is right, list it in `api_domain_allow`", (int)str_cut(domain, 120).n, domain.p);
    if (!copy_text(tok->access, sizeof tok->access, member(j, "access_token")))
        return fault_set(f, ERR_PROTOCOL, "the access token is longer than %d bytes", ZOHO_TOKEN_BYTES);
    if (domain.n && tok->api_domain[0] && strcmp(tok->api_domain, origin) != 0)
        zoho__note(t, "TOKEN", "API host changed from %s to %s", tok->api_domain, origin);
    if (domain.n) memcpy(tok->api_domain, origin, sizeof tok->api_domain);
    (void)copy_text(tok->scopes, sizeof tok->scopes, member(j, "scope"));
    tok->expires_wall_ms = zoho__wall(t) + lifetime_ms(j);
    tok->blocked_until_wall_ms = 0;
    t->oauth.refused_until_ms = 0;
    save_token_if_possible(t, tok);
    zoho__note(t, "TOKEN", "new access token, %d in 10 minutes", zoho__renewals(tok, zoho__wall(t)));
    return ERR_OK;
}

/* One counted call of the endpoint. refresh_out (may be NULL) gets the refresh token of a first grant. */
static enum err exchange(struct target *t, const struct buf *form, struct credentials *refresh_out, struct fault *f)
{
    enum err e = count_renewal(t, f);
    if (e != ERR_OK) return e;
    struct arena a;
    struct http_res res;
    arena_init(&a, 0);
    e = post_token(t, form, &a, &res, f);
    if (e == ERR_OK) {
        json_error_t where;
        json_t *j = res.body.n ? json_loadb(res.body.p, res.body.n, 0, &where) : NULL;
        if (member(j, "access_token").n == 0) {
            e = refuse_token(t, member(j, "error"), member(j, "error_description"), res.status, f);
        } else {
            e = take_token(t, j, f);
            if (e == ERR_OK && refresh_out) (void)copy_text(refresh_out->refresh_token, sizeof refresh_out->refresh_token, member(j, "refresh_token"));
        }
        json_decref(j);
        if (res.body.n) explicit_bzero((char *)(uintptr_t)res.body.p, res.body.n);
    }
    arena_free(&a);
    return e;
}

static enum err refresh(struct target *t, const struct credentials *c, struct fault *f)
{
    struct buf form = {0};
    put_parameter(&form, "grant_type", "refresh_token");
    put_parameter(&form, "client_id", c->client_id);
    put_parameter(&form, "client_secret", c->client_secret);
    put_parameter(&form, "refresh_token", c->refresh_token);
    enum err e = exchange(t, &form, NULL, f);
    explicit_bzero(form.p, form.cap);
    buf_free(&form);
    return e;
}

/* ---- what the rest of the connector asks for ---- */

static bool usable(const struct target *t, const struct zoho_token *tok, const char *refused)
{
    return tok->access[0] && tok->expires_wall_ms - ZOHO_RENEW_EARLY_MS > zoho__wall(t) && (!refused || strcmp(tok->access, refused) != 0);
}

static enum err renew_alone(struct target *t, const char *refused, struct fault *f)
{
    struct zoho_token saved;
    t->oauth.loaded = true;
    if (load_token(t, &saved)) t->oauth.token = saved;
    explicit_bzero(&saved, sizeof saved);
    if (usable(t, &t->oauth.token, refused)) return ERR_OK;          /* another process was faster */
    if (t->oauth.refused_until_ms > zoho__mono(t)) return fault_set(f, t->oauth.refusal.err, "%s", t->oauth.refusal.text);
    struct credentials c = {0};
    enum err e = load_credentials(t, &c, f);
    if (e == ERR_OK) e = refresh(t, &c, f);
    explicit_bzero(&c, sizeof c);
    return e;
}

enum err zoho__renew(struct target *t, const char *refused, struct fault *f)
{
    int lock;
    name_grant(t);
    enum err e = zoho__shared_lock(t, &lock, f);
    if (e != ERR_OK) return e;
    e = renew_alone(t, refused, f);
    zoho__shared_unlock(t, lock);
    return e;
}

enum err zoho__token(struct target *t, struct fault *f)
{
    if (!t->oauth.loaded) {
        t->oauth.loaded = true;
        name_grant(t);
        (void)load_token(t, &t->oauth.token);
    }
    if (usable(t, &t->oauth.token, NULL)) return ERR_OK;
    enum err e = zoho__renew(t, NULL, f);
    /* We renew early: what cannot be renewed now, for a passing reason, may still serve to its end. */
    bool passing = e == ERR_BUSY || e == ERR_UNREACHABLE || e == ERR_NO_SPACE;
    return passing && t->oauth.token.access[0] && t->oauth.token.expires_wall_ms - LAST_USE_MS > zoho__wall(t) ? ERR_OK : e;
}

/* ---- first sign-in ---- */

static enum err save_credentials(const struct conn_env *env, const struct credentials *c, struct fault *f)
{
    json_t *j = json_pack("{s:s,s:s,s:s}", "client_id", c->client_id, "client_secret", c->client_secret, "refresh_token", c->refresh_token);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (!text) check_no_memory();
    enum err e = env->save(env->ctx, "zoho.credentials", str_of(text), f);
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(j);
    return e;
}

static enum err first_exchange(struct target *t, const struct zoho_grant *g, struct credentials *c, struct fault *f)
{
    if (g->refresh_token.n) return refresh(t, c, f);
    char code[512];
    if (!copy_text(code, sizeof code, str_trim(g->code))) return fault_set(f, ERR_CONFIG, "the grant code is empty or too long");
    struct buf form = {0};
    put_parameter(&form, "grant_type", "authorization_code");
    put_parameter(&form, "client_id", c->client_id);
    put_parameter(&form, "client_secret", c->client_secret);
    put_parameter(&form, "code", code);
    enum err e = exchange(t, &form, c, f);
    explicit_bzero(form.p, form.cap);
    buf_free(&form);
    if (e == ERR_OK && !c->refresh_token[0])
        e = fault_set(f, ERR_AUTH, "Zoho gave no refresh token for this code: make the code with a self client of the API console");
    return e;
}

enum err zoho_auth_exchange(const struct conn_env *env, const struct zoho_grant *g, struct arena *a, struct zoho_granted *out, struct fault *f)
{
    struct target *t;
    struct credentials c = {0};
    bool full = copy_text(c.client_id, sizeof c.client_id, str_trim(g->client_id)) &&
                copy_text(c.client_secret, sizeof c.client_secret, str_trim(g->client_secret)) && (g->code.n > 0) != (g->refresh_token.n > 0) &&
                (!g->refresh_token.n || copy_text(c.refresh_token, sizeof c.refresh_token, str_trim(g->refresh_token)));
    if (!full) return fault_set(f, ERR_CONFIG, "client id, client secret and either a grant code or a refresh token are needed");
    enum err e = zoho_target_ops.open(&t, env, f);
    if (e != ERR_OK) return e;
    struct zoho_token before;
    t->shared.named = true;
    if (g->refresh_token.n) zoho__shared_open(t, c.refresh_token);
    bool had = load_token(t, &before);
    if (had) t->oauth.token = before;
    t->oauth.loaded = true;
    if (!(had && t->shared.ready)) {
        memset(t->oauth.token.renewed_wall_ms, 0, sizeof t->oauth.token.renewed_wall_ms);   /* the limit is per refresh token */
        t->oauth.token.blocked_until_wall_ms = 0;
    }
    t->oauth.token.api_domain[0] = t->oauth.token.scopes[0] = '\0';
    e = first_exchange(t, g, &c, f);
    if (e == ERR_OK) e = save_credentials(env, &c, f);
    if (e == ERR_OK) {
        const struct zoho_token *tok = &t->oauth.token;
        const char *api = zoho__api(t);
        out->api_domain = (struct str){arena_copy(a, api, strlen(api)), strlen(api)};
        out->scopes = (struct str){arena_copy(a, tok->scopes, strlen(tok->scopes)), strlen(tok->scopes)};
        out->missing_scopes = tok->scopes[0] ? zoho__missing_scopes(out->scopes, STR(ZOHO_SCOPES), a) : (struct str){"", 0};
    }
    if (e != ERR_OK && had) save_token_if_possible(t, &before);      /* counting the call saved a token without host: the sign-in that works stays */
    explicit_bzero(&before, sizeof before);
    explicit_bzero(&c, sizeof c);
    zoho_target_ops.close(t);
    return e;
}
