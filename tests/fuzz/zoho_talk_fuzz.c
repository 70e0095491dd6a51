/* zoho_talk_fuzz.c - a whole conversation with bytes that claim to be Zoho: sign-in, metadata, users, notification channels, bulk jobs, look-ups, writes,
 * with statuses and headers (talk.h). First byte: what is wanted of it. Checked besides not crashing: it ends; an error is told in words; neither token nor
 * client secret goes to a host that is not Zoho's or into a text; every record of a write gets a class; what is found lies inside of what was asked. */
#include "connectors/zoho/auth.h"
#include "connectors/zoho/zoho.h"
#include "tests/fuzz/talk.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const char *const SECRETS[] = {"1000.canary-access-8c1f", "canary-client-secret-77ab", "1000.canary-refresh-51d0", NULL};
static const struct target_field FIELDS[] = {
    {.module = {"Accounts", 8}, .name = {"Sage_Customer", 13}, .type = {.base = T_TEXT, .min_len = 1, .max_len = 60}, .unique = true, .on_insert = true, .custom = true},
    {.module = {"Accounts", 8}, .name = {"Account_Name", 12}, .type = {.base = T_TEXT, .min_len = 1, .max_len = 100}, .on_insert = true, .on_update = true},
    {.module = {"Accounts", 8}, .name = {"Parent_Account", 14}, .type = {.base = T_LINK}, .link_module = {"Accounts", 8}, .on_insert = true}};
enum { NFIELDS = sizeof FIELDS / sizeof *FIELDS };

static bool fresh_token;                    /* nothing is saved: a sign-in comes first */

/* Written from the list of data centres in facts/zoho-crm.md 2. */
static bool zohos(struct str host)
{
    static const char *const domains[] = {"zohoapis.com", "zohoapis.eu", "zohoapis.in", "zohoapis.com.au", "zohoapis.jp", "zohoapis.ca", "zohoapis.sa", "zohoapis.com.cn",
                                          "zohoapis.uk", "zoho.com"};
    if (host.n > 4 && memcmp(host.p + host.n - 4, ":443", 4) == 0) host.n -= 4;
    for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
        size_t n = strlen(domains[i]);
        if (host.n < n || strncasecmp(host.p + host.n - n, domains[i], n) != 0) continue;
        if (host.n == n || host.p[host.n - n - 1] == '.') return true;
    }
    return false;
}

static enum err load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    (void)ctx;
    const char *text = NULL;
    if (strcmp(name, "zoho.credentials") == 0)
        text = "{\"client_id\":\"1000.ID\",\"client_secret\":\"canary-client-secret-77ab\",\"refresh_token\":\"1000.canary-refresh-51d0\"}";
    if (strcmp(name, "zoho.token") == 0 && !fresh_token)
        text = "{\"access_token\":\"1000.canary-access-8c1f\",\"expires_ms\":1795431000000,\"api_domain\":\"https://www.zohoapis.com\",\"scopes\":\"\",\"renewed_ms\":[],"
               "\"blocked_until_ms\":0}";
    if (!text) return ERR_NOT_FOUND;
    *out = (struct str){arena_copy(a, text, strlen(text)), strlen(text)};
    return ERR_OK;
}

static enum err save(void *ctx, const char *name, struct str value, struct fault *f)
{
    (void)ctx, (void)name, (void)value, (void)f;
    return ERR_OK;
}

static void note(void *ctx, const char *kind, const char *text)
{
    ASSERT(kind[0]);
    talk_told(ctx, ERR_IO, text);
}

static void add_finding(void *ctx, const struct finding *f)
{
    ASSERT(f->what[0]);
    talk_told(ctx, f->level == FINDING_FAIL ? ERR_CONFIG : ERR_OK, f->text);
}

static void add_described(void *ctx, const struct described_entity *e)
{
    (void)ctx;
    for (size_t i = 0; i < e->nfields; i++) ASSERT(e->fields[i].type[0] && e->fields[i].scale <= LIMIT_DECIMAL_DIGITS);
}

static void add_step(void *ctx, const struct make_step *s)
{
    ASSERT(s->what && s->why);
    talk_told(ctx, s->state == MAKE_REFUSED ? ERR_REJECTED : ERR_OK, s->why);
}

static enum err metadata(struct target *t, struct talk *k, unsigned which, struct arena *a, struct fault *f)
{
    static const struct str modules[] = {{"Accounts", 8}, {"Deals", 5}};
    struct finding_sink findings = {add_finding, k};
    struct describe_sink described = {add_described, k};
    struct make_sink steps = {add_step, k};
    struct str edition;
    int64_t count;
    switch (which) {
    case 0: return zoho_target_ops.probe(t, &findings, f);
    case 1: return zoho_target_ops.check(t, FIELDS, NFIELDS, &findings, f);
    case 2: return zoho_target_ops.describe(t, modules, 2, a, &edition, &described, f);
    case 3: return zoho_target_ops.prepare(t, FIELDS, NFIELDS, true, &steps, f);
    default: return zoho_target_ops.count(t, STR("Accounts"), &count, f);
    }
}

static enum err channels(struct target *t, struct arena *a, struct fault *f)
{
    static const struct watch_wish wishes[] = {{{"Accounts", 8}, true}, {{"Deals", 5}, false}};
    struct watch_turn turn;
    enum err e = ERR_OK;
    for (size_t n = 2; n-- > 0;) {
        e = zoho_target_ops.watch(t, wishes, 2 * n, a, &turn, f);
        ASSERT(turn.next_ms > 0 && turn.nchannels <= 2);
    }
    return e;
}

static enum err look_up(struct target *t, unsigned which, struct arena *a, struct fault *f)
{
    static const struct str values[] = {{"ABC~1", 5}, {"abc@example.com", 15}, {"5001", 4}}, want[] = {{"Account_Name", 12}, {"Lines", 5}};
    struct lookup_hit *hits = NULL;
    size_t n = 0;
    bool more = true;
    enum err e;
    if (which == 0) e = zoho_target_ops.lookup(t, STR("Accounts"), STR("Sage_Customer"), values, 3, want, 2, a, &hits, &n, f);
    else if (which == 1) e = zoho_target_ops.lookup(t, STR("users"), STR("email"), values, 3, want, 2, a, &hits, &n, f);
    else if (which == 2) e = zoho_target_ops.read(t, STR("Accounts"), values, 3, want, 2, a, &hits, &n, f);
    else e = zoho_target_ops.scan(t, STR("Accounts"), STR("Sage_Customer"), STR("17"), want, 2, a, &hits, &n, &more, f);
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        ASSERT(which == 3 || hits[i].value_index < 3);
        ASSERT(hits[i].id.n > 0);
    }
    return e;
}

static enum err writes(struct target *t, unsigned which, struct arena *a, struct fault *f)
{
    struct record_field fields[] = {{STR("Account_Name"), value_text(STR("A"))}, {STR("Sage_Customer"), value_text(STR("K"))}};
    struct record rec = {.f = fields, .n = 2};
    struct write_item items[3];
    struct write_batch b = {.verb = which & 1 ? WRITE_UPDATE : WRITE_INSERT, .module = STR("Accounts"), .key_field = STR("Sage_Customer"), .items = items, .n = 3, .arena = a}, *done = NULL;
    for (size_t i = 0; i < 3; i++) items[i] = (struct write_item){.id = which & 1 ? STR("1001") : (struct str){"", 0}, .fields = &rec, .cls = (enum write_class)99};
    enum err e = zoho_target_ops.write_start(t, &b, f);
    if (e != ERR_OK) return e;
    for (int i = 0; i < 100 && !done && e == ERR_OK; i++) e = zoho_target_ops.write_wait(t, 60000, &done, f);
    if (e != ERR_OK) return e;
    ASSERT(done == &b);
    for (size_t i = 0; i < 3; i++) ASSERT(items[i].cls != (enum write_class)99 && (items[i].cls != W_APPLIED || items[i].out_id.n));
    return e;
}

static enum err bulk(struct target *t, struct arena *a, struct fault *f)
{
    struct record_field fields[] = {{STR("Account_Name"), value_text(STR("A"))}, {STR("Sage_Customer"), value_text(STR("K"))}};
    struct record rec = {.f = fields, .n = 2};
    struct load *l = NULL;
    struct str file, job, where;
    enum load_state state = LOAD_RUNNING;
    enum err e = zoho_target_ops.load_new(t, STR("Accounts"), FIELDS, NFIELDS, &l, f);
    ASSERT(e == ERR_OK && zoho_target_ops.load_add(l, &rec));
    e = zoho_target_ops.load_upload(t, l, a, &file, f);
    if (e == ERR_OK) e = zoho_target_ops.load_start(t, l, file, a, &job, f);
    if (e == ERR_OK) ASSERT(file.n && job.n);
    if (e == ERR_OK) e = zoho_target_ops.load_look(t, job, a, &state, &where, f);
    if (e == ERR_OK && state == LOAD_DONE) ASSERT(where.n);
    zoho_target_ops.load_free(l);
    return e;
}

static enum err sign_in(struct conn_env *env, struct arena *a, struct fault *f)
{
    struct zoho_granted got = {{"", 0}, {"", 0}, {"", 0}};
    struct zoho_grant grant = {.client_id = STR("1000.ID"), .client_secret = STR("canary-client-secret-77ab"), .code = STR("1000.code")};
    enum err e = zoho_auth_exchange(env, &grant, a, &got, f);
    if (e == ERR_OK) ASSERT(got.api_domain.n);
    return e;
}

static enum err converse(unsigned op, struct target *t, struct conn_env *env, struct talk *k, struct arena *a, struct fault *f)
{
    if (op < 5) return metadata(t, k, op, a, f);
    if (op < 7) return channels(t, a, f);
    if (op < 11) return look_up(t, op - 7, a, f);
    if (op < 13) return writes(t, op, a, f);
    if (op == 13) return bulk(t, a, f);
    return sign_in(env, a, f);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct talk k;
    struct arena a;
    struct target *t;
    struct fault f = {ERR_OK, ""};
    struct conn_setting settings[] = {{STR("region"), STR("us")}, {STR("edition"), STR("professional")}, {STR("notify_url"), STR("https://sync.example/zoho")}};
    unsigned op = data[0] & 15;
    fresh_token = op == 14 || (data[0] & 16);
    talk_open(&k, (struct str){(const char *)data + 1, n - 1}, SECRETS, zohos);
    struct conn_env env = {.world = &k.w, .settings = settings, .nsettings = 3, .state_name = "crm", .load = load, .save = save, .note = note, .ctx = &k};
    arena_init(&a, 0);
    ASSERT(zoho_target_ops.open(&t, &env, &f) == ERR_OK);
    enum err e = converse(op, t, &env, &k, &a, &f);
    talk_told(&k, e, f.text);
    zoho_target_ops.close(t);
    arena_free(&a);
    talk_close(&k);
    return 0;
}
