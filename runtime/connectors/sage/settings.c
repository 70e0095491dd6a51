/* settings.c - the source block as sync hands it over (env(), secret() and file() resolved) into struct sage_settings. All problems are
 * collected before we give up: an operator mends a configuration once, not line by line.
 *
 *   agent, token            the BOI agent          agent_pool of its own
 *   soap, login, soap_*     eBusiness Web Services
 *   trust, connect_timeout, read_timeout, page_rows, retry.busy.*  both
 *   company, timezone, retry.locked.*                              read by sync; checked here for form only */
#include "connectors/sage/sage.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct problems { struct buf text; unsigned n; };

__attribute__((format(printf, 2, 3))) static void problem(struct problems *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (p->n++) buf_puts(&p->text, "; ");
    buf_vprintf(&p->text, fmt, ap);
    va_end(ap);
}

static const char *copy(struct arena *a, struct str s)
{
    return arena_copy(a, s.p ? s.p : "", s.n);
}

static bool has_prefix_nocase(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && strncasecmp(s.p, prefix, n) == 0;
}

static bool loopback_host(struct str host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(names[i]);
        if (host.n >= n && strncasecmp(host.p, names[i], n) == 0 && (host.n == n || host.p[n] == ':')) return true;
    }
    return false;
}

/* scheme, host and path without user, query and fragment: credentials go into the sealed store, not into an address. */
static bool url_usable(struct problems *p, const char *name, struct str url)
{
    struct str rest;
    if (has_prefix_nocase(url, "https://")) rest = (struct str){url.p + 8, url.n - 8};
    else if (has_prefix_nocase(url, "http://")) rest = (struct str){url.p + 7, url.n - 7};
    else return problem(p, "`%s` is no address: it starts with https://", name), false;
    size_t host_n = 0;
    while (host_n < rest.n && rest.p[host_n] != '/') host_n++;
    struct str host = {rest.p, host_n};
    if (host.n == 0) return problem(p, "`%s` names no host", name), false;
    if (!has_prefix_nocase(url, "https://") && !loopback_host(host))
        return problem(p, "`%s` must be https:// (http:// only to this machine itself)", name), false;
    for (size_t i = 0; i < rest.n; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@')
            return problem(p, "`%s` holds a blank, '?', '#' or '@': give scheme, host, port and path only", name), false;
    }
    return true;
}

static struct str without_suffix(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);
    if (s.n >= n && strncasecmp(s.p + s.n - n, suffix, n) == 0) s.n -= n;
    return s;
}

static struct str without_slashes(struct str s)
{
    while (s.n && s.p[s.n - 1] == '/') s.n--;
    return s;
}

static void read_agent(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    struct str url = str_trim(conn_setting(env, "agent")), token = str_trim(conn_setting(env, "token"));
    if (url.n == 0) return;
    url = without_slashes(without_suffix(without_slashes(url), "/v1"));
    if (url_usable(p, "agent", url)) out->agent_url = copy(life, url);
    if (token.n == 0) {
        problem(p, "`token` is not set: the agent wants a bearer token with every call, so add token = secret(\"NAME\")");
        return;
    }
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~') {
            problem(p, "`token` holds a blank or a character outside of ASCII");
            return;
        }
    out->authorization = arena_printf(life, "Bearer %.*s", (int)token.n, token.p);
}

static void read_login(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    struct str login = conn_setting(env, "login");
    size_t nl = 0;
    while (nl < login.n && login.p[nl] != '\n') nl++;
    struct str user = str_trim((struct str){login.p, nl});
    struct str password = nl < login.n ? (struct str){login.p + nl + 1, login.n - nl - 1} : (struct str){"", 0};
    while (password.n && (password.p[password.n - 1] == '\n' || password.p[password.n - 1] == '\r')) password.n--;
    if (login.n == 0) problem(p, "`login` is not set: SOAP signs in with every call, so add login = secret(\"NAME\")");
    else if (user.n == 0 || password.n == 0 || memchr(password.p, '\n', password.n))
        problem(p, "`login` must be two lines: user name, then password");
    else {
        out->user = (struct str){copy(life, user), user.n};
        out->password = (struct str){copy(life, password), password.n};
    }
}

static const char *text_setting(const struct conn_env *env, struct arena *life, const char *name)
{
    struct str v = str_trim(conn_setting(env, name));
    return v.n ? copy(life, v) : NULL;
}

static void read_soap(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    struct str url = str_trim(conn_setting(env, "soap"));
    if (url.n == 0) return;
    url = without_suffix(without_suffix(url, "?singleWsdl"), "?wsdl");
    if (url_usable(p, "soap", url)) out->soap_url = copy(life, url);
    read_login(env, life, out, p);
    out->soap_namespace = text_setting(env, life, "soap_namespace");
    out->soap_data_namespace = text_setting(env, life, "soap_data_namespace");
    out->soap_action = text_setting(env, life, "soap_action");
    out->soap_logon = text_setting(env, life, "soap_logon");
    out->soap_null_date = text_setting(env, life, "soap_null_date");
    if (out->soap_action && !strstr(out->soap_action, "{operation}"))
        problem(p, "`soap_action` must hold {operation}, for example \"http://mas90.sage.com/ws/IMasService/{operation}\"");
    if (out->soap_logon && strcmp(out->soap_logon, "user,password") != 0 && strcmp(out->soap_logon, "password,user") != 0)
        problem(p, "`soap_logon` is \"user,password\" or \"password,user\"");
    struct str wsdl = str_trim(conn_setting(env, "soap_wsdl"));
    out->no_wsdl = str_ieq(wsdl, STR("none"));
    if (wsdl.n && !out->no_wsdl) {
        struct str bare = {wsdl.p, 0};
        while (bare.n < wsdl.n && wsdl.p[bare.n] != '?') bare.n++;
        if (url_usable(p, "soap_wsdl", bare)) out->wsdl_url = copy(life, wsdl);
    }
}

/* keys TABLE { operation = "..." }: a name of the WSDL, as it goes into XML. */
static void read_lists(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    size_t n;
    const struct sage_entity *all = sage100__entities(&n);
    for (size_t i = 0; i < n; i++) {
        const char *name = all[i].operation ? text_setting(env, life, arena_printf(life, "keys.%s.operation", all[i].table)) : NULL;
        if (!name) continue;
        if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name) || (name[0] >= '0' && name[0] <= '9') || strlen(name) > 100)
            problem(p, "`keys %s`: operation is the name of an operation, as it stands in the WSDL", all[i].table);
        else if (conn_setting(env, arena_printf(life, "keys.%s.file", all[i].table)).n)
            problem(p, "`keys %s`: either a file or an operation, not both", all[i].table);
        else if (strncmp(name, "Get", 3) != 0 && strncmp(name, "List", 4) != 0 && strncmp(name, "Find", 4) != 0 && strncmp(name, "Search", 6) != 0 && strncmp(name, "Read", 4) != 0)
            problem(p, "`keys %s`: %s does not look like an operation that only reads (Get, List, Find, Search, Read)", all[i].table, name);
        else if (strncmp(name, "GetNext", 7) == 0)
            problem(p, "`keys %s`: %s moves a counter of Sage and is never called", all[i].table, name);
        else out->lists[out->nlists++] = (struct sage_list_operation){all[i].table, name};
    }
}

static int64_t duration(const struct conn_env *env, struct problems *p, const char *name, int64_t fallback, int64_t min, int64_t max)
{
    if (conn_setting(env, name).n == 0) return fallback;
    int64_t v = conn_setting_ms(env, name, -1);
    if (v < min || v > max) {
        problem(p, "`%s` must be a duration from %lld to %lld ms", name, (long long)min, (long long)max);
        return fallback;
    }
    return v;
}

static unsigned count(const struct conn_env *env, struct problems *p, const char *name, unsigned fallback, unsigned max)
{
    if (conn_setting(env, name).n == 0) return fallback;
    int64_t v = conn_setting_int(env, name, -1);
    if (v < 1 || v > (int64_t)max) {
        problem(p, "`%s` must be a number from 1 to %u", name, max);
        return fallback;
    }
    return (unsigned)v;
}

/* "250ms..30s" of `delay`, or the two names delay.min and delay.max. */
static void delays(const struct conn_env *env, struct arena *life, struct problems *p, const char *block, struct net_policy *policy)
{
    struct str range = conn_setting(env, arena_printf(life, "%s.delay", block));
    const char *min_name = arena_printf(life, "%s.delay.min", block), *max_name = arena_printf(life, "%s.delay.max", block);
    struct conn_setting both[2] = {{str_of(min_name), {"", 0}}, {str_of(max_name), {"", 0}}};
    struct conn_env split = *env;
    const char *dots = range.n ? memmem(range.p, range.n, "..", 2) : NULL;
    if (range.n) {
        size_t n = dots ? (size_t)(dots - range.p) : range.n;
        both[0].value = (struct str){range.p, n};
        both[1].value = dots ? (struct str){dots + 2, range.n - n - 2} : both[0].value;
        split.settings = both;
        split.nsettings = 2;
    }
    policy->delay_min_ms = duration(&split, p, min_name, policy->delay_min_ms, 1, 3600000);
    policy->delay_max_ms = duration(&split, p, max_name, policy->delay_max_ms, 1, 86400000);
    if (policy->delay_max_ms < policy->delay_min_ms) problem(p, "`%s`: the longest delay is shorter than the shortest", block);
}

static void read_common(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    out->connect_ms = duration(env, p, "connect_timeout", 15000, 100, 600000);
    out->read_ms = duration(env, p, "read_timeout", 300000, 1000, 3600000);      /* facts/sage-100.md 9.5: the first page includes the scan */
    out->page_rows = count(env, p, "page_rows", SAGE_PAGE_ROWS, LIMIT_PAGE_ROWS);
    out->soap_page_rows = count(env, p, "soap_page_rows", SAGE_SOAP_PAGE_ROWS, LIMIT_PAGE_ROWS);
    out->busy = (struct net_policy){6, 500, 30000, true};
    out->busy.attempts = count(env, p, "retry.busy.attempts", out->busy.attempts, 50);
    delays(env, life, p, "retry.busy", &out->busy);
    struct net_policy locked = {8, 250, 30000, true};
    count(env, p, "retry.locked.attempts", 8, 1000);
    delays(env, life, p, "retry.locked", &locked);
    struct str company = conn_setting(env, "company");
    if (company.n && company.n != 3) problem(p, "`company` must be three characters, as in Sage's company list");
}

static void read_trust(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct problems *p)
{
    struct str path = conn_setting(env, "trust"), pem;
    if (path.n == 0) return;
    struct fault why;
    struct arena scratch;
    arena_init(&scratch, 0);
    out->trust = copy(life, path);
    if (world_read_file(env->world, out->trust, 4u << 20, &scratch, &pem, &why) != ERR_OK) problem(p, "`trust`: %s", why.text);
    else if (!memmem(pem.p, pem.n, "-----BEGIN CERTIFICATE-----", 27)) problem(p, "`trust` holds no certificate in PEM form: %s", out->trust);
    arena_free(&scratch);
}

enum err sage100__settings(const struct conn_env *env, struct arena *life, struct sage_settings *out, struct fault *f)
{
    struct problems p = {{0}, 0};
    memset(out, 0, sizeof *out);
    if (str_trim(conn_setting(env, "agent")).n == 0 && str_trim(conn_setting(env, "soap")).n == 0)
        problem(&p, "neither `agent` nor `soap` is set: there is no door to Sage");
    read_agent(env, life, out, &p);
    read_soap(env, life, out, &p);
    read_lists(env, life, out, &p);
    read_common(env, life, out, &p);
    read_trust(env, life, out, &p);
    if (p.text.n > 400) log_error("source %s: %s", env->state_name ? env->state_name : "?", buf_cstr(&p.text));   /* a fault text would cut it */
    enum err e = p.n ? fault_set(f, ERR_CONFIG, "source %s: %s", env->state_name ? env->state_name : "?", buf_cstr(&p.text)) : ERR_OK;
    buf_free(&p.text);
    return e;
}

const char *sage100__list_operation(const struct source *s, const struct sage_entity *e)
{
    for (size_t i = 0; i < s->set.nlists; i++)
        if (strcmp(s->set.lists[i].table, e->table) == 0) return s->set.lists[i].operation;
    return NULL;
}

const char *sage100__key_file(const struct source *s, const struct sage_entity *e, struct arena *a)
{
    struct str path = conn_setting(&s->env, arena_printf(a, "keys.%s.file", e->table));
    if (path.n == 0 && !sage100__list_operation(s, e)) path = conn_setting(&s->env, "keys");
    return path.n ? copy(a, path) : NULL;
}

bool sage100__has_key_list(const struct source *s, const struct sage_entity *e)
{
    char name[80];
    snprintf(name, sizeof name, "keys.%s.file", e->table);
    return sage100__list_operation(s, e) || conn_setting(&s->env, name).n || conn_setting(&s->env, "keys").n;
}
