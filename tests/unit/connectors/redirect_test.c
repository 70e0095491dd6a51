/* redirect_test.c - a server that sends us elsewhere, over real sockets: whatever the status and wherever it leads, token, client secret and password stay
 * where they are for, and the call ends with an error. For Zoho's sign-in, its API, its uploads, the agent and SOAP.
 *
 *     client -> front (answers 30x to all) ... trap (another port, also as another host): must never hear anything
 *
 * Control: a client that follows lands in the trap with the secret, so the trap works. */
#include "connectors/zoho/auth.h"
#include "connectors/zoho/zoho.h"
#include "net/curl_http.h"
#include "tests/unit/net/loopback.h"
#include "tests/unit/value/ok.h"
#include <curl/curl.h>

extern const struct source_ops sage_source_ops;

#define ACCESS  "1000.canary-access-5b20"
#define SECRET  "canary-client-secret-9e41"
#define REFRESH "1000.canary-refresh-07dc"
#define TOKEN   "canary-agent-token-e6a8"
#define PASS    "canary-soap-password-3f13"

static struct loopback front, trap;
static atomic_int status_now, strays;                    /* strays: requests to the front behind a redirect to itself */
static char location_now[400];
static atomic_bool trap_saw_secret;

static enum loopback_did send_away(struct loopback *s, int fd, const char *path, const char *head)
{
    char status[40], header[460];
    (void)s, (void)head;
    if (strcmp(path, "/elsewhere") == 0) strays++;
    (void)snprintf(status, sizeof status, "%d Go away", status_now);
    (void)snprintf(header, sizeof header, "Location: %s\r\nConnection: close\r\n", location_now);
    (void)answer(fd, status, header, "{}", 2);
    return LOOPBACK_CLOSE;
}

static enum loopback_did take(struct loopback *s, int fd, const char *path, const char *head)
{
    (void)s, (void)path;
    trap_saw_secret = strstr(head, "canary") != NULL;
    (void)answer(fd, "200 OK", "Connection: close\r\n", "{\"access_token\":\"x\",\"api_domain\":\"http://127.0.0.1:1\"}", 52);
    return LOOPBACK_CLOSE;
}

static enum err load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    const bool *fresh = ctx;
    const char *text = NULL;
    if (strcmp(name, "zoho.credentials") == 0) text = "{\"client_id\":\"1000.ID\",\"client_secret\":\"" SECRET "\",\"refresh_token\":\"" REFRESH "\"}";
    if (strcmp(name, "zoho.token") == 0 && !*fresh)
        text = "{\"access_token\":\"" ACCESS "\",\"expires_ms\":4102444800000,\"scopes\":\"\",\"renewed_ms\":[],\"blocked_until_ms\":0}";
    if (!text) return ERR_NOT_FOUND;
    *out = (struct str){arena_copy(a, text, strlen(text)), strlen(text)};
    return ERR_OK;
}

static enum err save(void *ctx, const char *name, struct str value, struct fault *f)
{
    (void)ctx, (void)name, (void)value, (void)f;
    return ERR_OK;
}

/* ---- the calls that carry a secret ---- */

static enum err zoho(struct world *w, const char *url, int which, struct fault *f)
{
    static const struct target_field field = {.module = {"Accounts", 8}, .name = {"Account_Name", 12}, .type = {.base = T_TEXT}};
    bool fresh = which == 0;
    struct conn_setting settings[] = {{STR("region"), STR("us")}, {STR("accounts_url"), str_of(url)}, {STR("api_url"), str_of(url)}, {STR("upload_url"), str_of(url)}, {STR("edition"), STR("enterprise")}};
    struct conn_env env = {.world = w, .settings = settings, .nsettings = 5, .state_name = "crm", .load = load, .save = save, .ctx = &fresh};
    struct target *t;
    struct arena a;
    int64_t n;
    struct str text;
    arena_init(&a, 0);
    enum err e = zoho_target_ops.open(&t, &env, f);
    if (e != ERR_OK) return ERR_OK;                       /* counts as a failure: what has to come is an error of the call */
    if (which == 2) {
        struct record_field value = {STR("Account_Name"), value_text(STR("A"))};
        struct record rec = {.f = &value, .n = 1};
        struct write_item item = {.fields = &rec};
        struct write_batch b = {.verb = WRITE_INSERT, .module = STR("Accounts"), .key_field = STR("Account_Name"), .items = &item, .n = 1, .arena = &a}, *done = NULL;
        e = zoho_target_ops.write_start(t, &b, f);
        for (int i = 0; i < 20 && e == ERR_OK && !done; i++) e = zoho_target_ops.write_wait(t, 500, &done, f);
        if (e == ERR_OK && done && item.cls != W_APPLIED) e = ERR_REJECTED;
    } else if (which == 3) {
        struct load *l;
        t->meta.org.known = true;                         /* so that the upload is the first call */
        e = zoho_target_ops.load_new(t, STR("Accounts"), &field, 1, &l, f);
        if (e == ERR_OK) e = zoho_target_ops.load_upload(t, l, &a, &text, f);
        zoho_target_ops.load_free(l);
    } else {
        e = zoho_target_ops.count(t, STR("Accounts"), &n, f);
    }
    zoho_target_ops.close(t);
    arena_free(&a);
    return e;
}

static enum err sage(struct world *w, const char *url, bool soap, struct fault *f)
{
    static const struct str key[] = {{"ARDivisionNo", 12}, {"CustomerNo", 10}};
    static struct source_column column;
    column = (struct source_column){STR("CustomerName"), type_text(1, 50), false};
    char service[120];
    (void)snprintf(service, sizeof service, "%s/x.svc", url);
    struct conn_setting agent[] = {{STR("company"), STR("ABC")}, {STR("agent"), str_of(url)}, {STR("token"), STR(TOKEN)}};
    struct conn_setting door[] = {{STR("company"), STR("ABC")}, {STR("soap"), str_of(service)}, {STR("login"), STR("websvc\n" PASS)}, {STR("soap_wsdl"), STR("none")}};
    struct conn_env env = {.world = w, .settings = soap ? door : agent, .nsettings = soap ? 4 : 3, .state_name = "erp"};
    struct source_query q = {.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = key, .nkeys = 2, .columns = &column, .ncolumns = 1};
    struct source_key k = {.part = {STR("01"), STR("ABF")}, .n = 2};
    struct source_page page;
    struct source *s;
    struct arena a;
    arena_init(&a, 0);
    if (sage_source_ops.open(&s, &env, f) != ERR_OK) return ERR_OK;
    enum err e = sage_source_ops.fetch(s, &q, &k, 1, &a, &page, f);
    sage_source_ops.close(s);
    arena_free(&a);
    return e;
}

static void one(const char *what, int which, int status, const char *where)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    char url[80], name[200];
    world_real(&w);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", front.port);
    (void)snprintf(location_now, sizeof location_now, "%s", where);
    (void)snprintf(name, sizeof name, "%s, %d to %s", what, status, strncmp(where, "http", 4) != 0 ? "another path" : strstr(where, "localhost") ? "another host" :
                   strstr(where, "https") ? "https" : "another port");
    status_now = status;
    strays = 0;
    unsigned fell = trap.connections, asked = front.requests;
    if (curl_http_open(&w, &f) != ERR_OK) {
        ok(false, name, "%s", f.text);
        return;
    }
    enum err e = which < 4 ? zoho(&w, url, which, &f) : sage(&w, url, which == 5, &f);
    curl_http_close(&w);
    ok(e != ERR_OK && front.requests > asked && trap.connections == fell && strays == 0 && !strstr(f.text, "canary"), name, "%s %s, front %u, trap %u, strays %d", err_name(e), f.text,
       front.requests - asked, trap.connections - fell, strays);
}

static size_t swallow(char *p, size_t size, size_t n, void *ctx)
{
    (void)p, (void)ctx;
    return size * n;
}

/* What libcurl does when it is told to follow. */
static void control(void)
{
    char url[80];
    CURL *c = curl_easy_init();
    struct curl_slist *h = curl_slist_append(NULL, "Authorization: Zoho-oauthtoken " ACCESS);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/x", front.port);
    (void)snprintf(location_now, sizeof location_now, "http://127.0.0.1:%u/taken", trap.port);
    status_now = 307;
    unsigned fell = trap.connections;
    (void)curl_easy_setopt(c, CURLOPT_URL, url);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, h);
    (void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    (void)curl_easy_setopt(c, CURLOPT_UNRESTRICTED_AUTH, 1L);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
    CURLcode code = curl_easy_perform(c);
    ok(code == CURLE_OK && trap.connections == fell + 1 && trap_saw_secret, "control: a client that follows brings the token into the trap", "%s", curl_easy_strerror(code));
    curl_slist_free_all(h);
    curl_easy_cleanup(c);
}

int main(void)
{
    static const char *const calls[] = {"Zoho's sign-in", "Zoho's API", "a write to Zoho", "an upload to Zoho", "the agent", "SOAP"};
    static const int statuses[] = {301, 302, 303, 307, 308};
    char where[4][80];
    alarm(200);
    if (!ok(loopback_open(&front) && loopback_open(&trap), "servers", "-")) return 1;
    front.more = send_away;
    trap.more = take;
    (void)snprintf(where[0], sizeof where[0], "http://127.0.0.1:%u/taken", trap.port);
    (void)snprintf(where[1], sizeof where[1], "http://localhost:%u/taken", trap.port);
    (void)snprintf(where[2], sizeof where[2], "https://127.0.0.1:%u/taken", trap.port);
    (void)snprintf(where[3], sizeof where[3], "/elsewhere");
    for (size_t c = 0; c < 6; c++)
        for (size_t s = 0; s < 5; s++)
            for (size_t i = 0; i < 4; i++) one(calls[c], (int)c, statuses[s], where[i]);
    control();
    loopback_close(&front);
    loopback_close(&trap);
    return ok_done();
}
