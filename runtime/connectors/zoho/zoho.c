/* zoho.c - the Zoho CRM target: settings, life, and the table of functions that sync sees. */
#include "connectors/zoho/zoho.h"
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- tables ---- */

const struct zoho_edition_facts zoho__editions[] = {
#define EDITION(name, rank, calls) {#name, rank, calls},
#define PAID_TYPE(word, edition)
#include "connectors/zoho/editions.def"
#undef EDITION
#undef PAID_TYPE
    {"unknown", 0, 5}
};

enum zoho_edition zoho__edition_of(struct str paid_type)
{
    static const struct { const char *word; enum zoho_edition edition; } words[] = {
#define EDITION(name, rank, calls)
#define PAID_TYPE(word, edition) {#word, ZOHO_EDITION_##edition},
#include "connectors/zoho/editions.def"
#undef EDITION
#undef PAID_TYPE
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_ieq(paid_type, str_of(words[i].word))) return words[i].edition;
    return ZOHO_EDITION_UNKNOWN;
}

static const struct { const char *name, *accounts, *api, *domain, *upload; } regions[] = {
#define REGION(name, accounts, api, domain, upload) {#name, accounts, api, domain, upload},
#include "connectors/zoho/regions.def"
#undef REGION
};
#define NREGIONS (sizeof regions / sizeof *regions)

/* ---- addresses ---- */

static bool host_is_loopback(struct str host)
{
    char text[64];
    unsigned char ip[4];
    if (host.n >= sizeof text) return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (strcasecmp(text, "localhost") == 0 || strcmp(text, "[::1]") == 0) return true;
    return inet_pton(AF_INET, text, ip) == 1 && ip[0] == 127;
}

/* Host without port of an origin; empty when an address in brackets is none. */
static struct str host_of(const char *origin)
{
    const char *h = strstr(origin, "://") + 3;
    if (*h != '[') return (struct str){h, strcspn(h, ":[]")};
    char text[INET6_ADDRSTRLEN];
    unsigned char ip[16];
    size_t n = strcspn(h + 1, "]");
    if (h[1 + n] == '\0' || n >= sizeof text) return (struct str){h, 0};
    memcpy(text, h + 1, n);
    text[n] = '\0';
    return (struct str){h, inet_pton(AF_INET6, text, ip) == 1 ? n + 2 : 0};
}

static bool port_good(const char *p)
{
    int64_t port;
    if (*p == '\0') return true;
    return *p == ':' && str_to_i64(str_of(p + 1), &port) && port > 0 && port < 65536;
}

bool zoho__origin(struct str url, char out[ZOHO_URL_BYTES])
{
    if (url.n && url.p[url.n - 1] == '/') url.n--;
    if (url.n < 8 || url.n >= ZOHO_URL_BYTES) return false;
    memcpy(out, url.p, url.n);
    out[url.n] = '\0';
    bool https = strncmp(out, "https://", 8) == 0;
    if (!https && strncmp(out, "http://", 7) != 0) return false;
    const char *rest = out + (https ? 8 : 7);
    if (strspn(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") != strlen(rest)) return false;
    struct str host = host_of(out);
    return host.n > 0 && port_good(host.p + host.n) && (https || host_is_loopback(host));
}

static bool in_domain(struct str host, const char *domain)
{
    size_t n = strlen(domain);
    if (host.n == n) return strncasecmp(host.p, domain, n) == 0;
    return host.n > n && host.p[host.n - n - 1] == '.' && strncasecmp(host.p + host.n - n, domain, n) == 0;
}

static bool listed(struct str list, const char *origin)
{
    while (list.n) {
        size_t n = 0;
        while (n < list.n && !strchr(" ,\t\n", list.p[n])) n++;
        char one[ZOHO_URL_BYTES];
        if (n && zoho__origin((struct str){list.p, n}, one) && strcasecmp(one, origin) == 0) return true;
        size_t used = n < list.n ? n + 1 : n;
        list.p += used;
        list.n -= used;
    }
    return false;
}

bool zoho__domain_allowed(const struct target *t, const char *origin)
{
    struct str host = host_of(origin);
    if (host_is_loopback(host)) return host_is_loopback(host_of(t->accounts_url));      /* an answer leads here only where the settings already do */
    bool default_port = host.p[host.n] == '\0' || strcmp(host.p + host.n, ":443") == 0;
    for (size_t i = 0; default_port && i < NREGIONS; i++)
        if (in_domain(host, regions[i].domain)) return true;
    return listed(conn_setting(t->env, "api_domain_allow"), origin);
}

const char *zoho__api(const struct target *t)
{
    if (t->api_url[0]) return t->api_url;
    return t->oauth.token.api_domain[0] ? t->oauth.token.api_domain : t->region_api;
}

/* ---- notes ---- */

void zoho__note(const struct target *t, const char *kind, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    if (!t->env->note) return;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    t->env->note(t->env->ctx, kind, text);
}

static void note_retry(void *ctx, const char *what, unsigned attempt, int64_t delay_ms, const char *why)
{
    zoho__note(ctx, "CALL", "%s: attempt %u failed (%s), again in %lld ms", what, attempt, why, (long long)delay_ms);
}

/* ---- settings ---- */

static enum err read_hosts(struct target *t, struct fault *f)
{
    struct str region = conn_setting(t->env, "region"), accounts = conn_setting(t->env, "accounts_url"), api = conn_setting(t->env, "api_url");
    size_t i = 0;
    while (i < NREGIONS && !str_ieq(region, str_of(regions[i].name))) i++;
    if (region.n && i == NREGIONS)
        return fault_set(f, ERR_CONFIG, "region %.*s is unknown; one of us eu in au jp ca sa cn uk", (int)str_cut(region, 40).n, region.p);
    if (!region.n && !accounts.n) return fault_set(f, ERR_CONFIG, "setting `region` is missing (us eu in au jp ca sa cn uk)");
    if (i < NREGIONS) {
        (void)snprintf(t->accounts_url, sizeof t->accounts_url, "%s", regions[i].accounts);
        (void)snprintf(t->region_api, sizeof t->region_api, "%s", regions[i].api);
    }
    if (accounts.n && !zoho__origin(accounts, t->accounts_url))
        return fault_set(f, ERR_CONFIG, "accounts_url must be https://host (http only on this machine), without a path");
    if (api.n && !zoho__origin(api, t->api_url))
        return fault_set(f, ERR_CONFIG, "api_url must be https://host (http only on this machine), without a path");
    struct str upload = conn_setting(t->env, "upload_url");
    if (upload.n && !zoho__origin(upload, t->upload_url))
        return fault_set(f, ERR_CONFIG, "upload_url must be https://host (http only on this machine), without a path");
    /* Other hosts for the rest mean a sandbox, a private cloud or a test: the region's upload host is none of theirs. */
    if (!upload.n && !accounts.n && !api.n && i < NREGIONS) (void)snprintf(t->upload_url, sizeof t->upload_url, "%s", regions[i].upload);
    if (!t->region_api[0]) memcpy(t->region_api, t->accounts_url, sizeof t->region_api);
    return ERR_OK;
}

static enum err read_trust(struct target *t, struct fault *f)
{
    struct str trust = conn_setting(t->env, "trust");
    if (trust.n >= sizeof t->ca_file) return fault_set(f, ERR_CONFIG, "the path in `trust` is longer than %zu bytes", sizeof t->ca_file - 1);
    if (trust.n) memcpy(t->ca_file, trust.p, trust.n);
    return ERR_OK;
}

static enum err read_edition(struct target *t, struct fault *f)
{
    struct str edition = conn_setting(t->env, "edition");
    t->edition = ZOHO_EDITION_UNKNOWN;
    if (!edition.n) return ERR_OK;
    for (size_t i = 0; i < ZOHO_EDITION_UNKNOWN; i++)
        if (str_ieq(edition, str_of(zoho__editions[i].name))) t->edition = (enum zoho_edition)i;
    t->edition_set = t->edition != ZOHO_EDITION_UNKNOWN;
    return t->edition_set ? ERR_OK : fault_set(f, ERR_CONFIG, "edition %.*s is unknown; one of free standard professional enterprise ultimate",
                                               (int)str_cut(edition, 40).n, edition.p);
}

/* ---- life ---- */

static void zoho_close(struct target *t)
{
    if (!t) return;
    zoho__limits_close(t);
    net_close(t->net);
    for (size_t i = 0; i < ZOHO_WRITERS; i++)
        if (t->flights[i].batch) zoho__place_give(t, t->flights[i].place);
    arena_free(&t->meta.arena);
    arena_free(&t->users.arena);
    explicit_bzero(t, sizeof *t);
    free(t);
}

static enum err zoho_open(struct target **out, const struct conn_env *env, struct fault *f)
{
    struct target *t = calloc(1, sizeof *t);
    if (!t) check_no_memory();
    t->env = env;
    (void)snprintf(t->pool, sizeof t->pool, "%s", env->state_name && env->state_name[0] ? env->state_name : "zoho");
    arena_init(&t->meta.arena, 0);
    arena_init(&t->users.arena, 4096);
    t->connect_ms = conn_setting_ms(env, "connect_timeout", 10000);
    t->read_ms = conn_setting_ms(env, "read_timeout", 60000);
    t->write_ms = conn_setting_ms(env, "write_timeout", 120000);
    enum err e = read_trust(t, f);
    if (e == ERR_OK) e = read_hosts(t, f);
    if (e == ERR_OK) e = read_edition(t, f);
    if (e == ERR_OK) e = net_open(&t->net, env->world, note_retry, t);
    if (e == ERR_OK) {
        net_set_stop(t->net, env->stop);
        e = zoho__limits_open(t, f);
    }
    if (e == ERR_OK) *out = t;
    else zoho_close(t);
    return e;
}

static void zoho_usage(struct target *t, struct record_writer *out)
{
    const struct zoho_limits *l = &t->limits;
    int64_t wall = zoho__wall(t);
    record_put_int(out, "credits_24h", net_window_sum(&l->credits, wall));
    if (l->budget_calls) {
        record_put_int(out, "budget", l->budget_calls);
        record_put_int(out, "budget_used", net_window_sum(&l->budget, wall));
    }
    if (l->remaining >= 0) record_put_int(out, "credits_left_at_zoho", l->remaining);
    record_put_int(out, "calls", (int64_t)l->calls);
    record_put_int(out, "throttled", (int64_t)l->throttles);
    record_put_int(out, "writes_in_flight", t->nflights);
    record_put_int(out, "writers", zoho__writers(t));
    record_put_int(out, "tokens_10min", zoho__renewals(&t->oauth.token, wall));
    record_put_text(out, "api", str_of(zoho__api(t)));
    if (t->edition != ZOHO_EDITION_UNKNOWN) record_put_text(out, "edition", str_of(zoho__editions[t->edition].name));
}

const struct target_ops zoho_target_ops = {
    .name = "zoho_crm", .open = zoho_open, .close = zoho_close, .probe = zoho__probe, .check = zoho__check, .count = zoho__count,
    .lookup = zoho__lookup, .read = zoho__read, .scan = zoho__scan, .write_start = zoho__write_start, .write_wait = zoho__write_wait, .describe = zoho__describe, .prepare = zoho__prepare,
    .load_rows = zoho__load_rows, .load_choice = zoho__load_choice, .load_new = zoho__load_new, .load_add = zoho__load_add, .load_count = zoho__load_count,
    .load_free = zoho__load_free, .load_upload = zoho__load_upload, .load_start = zoho__load_start, .load_look = zoho__load_look, .load_result = zoho__load_result,
    .watch = zoho__watch, .watch_token = zoho__watch_token, .told = zoho__told, .usage = zoho_usage,
};
