/* notify.c - notification channels (facts/zoho-crm.md 11): one for each module that somebody wants to hear of.
 *
 *     wishes --watch--> state "zoho.watch" (sealed)  {"token","channels":[{"id","module","events","asked","made_ms","until_ms"}]}
 *                          |
 *                          +-- not wished for any more, or other events -> DELETE, forgotten
 *                          +-- never made, or not in Zoho's list          -> POST, under the same id
 *                          '-- half of its time is over                   -> PATCH; NOT_SUBSCRIBED -> POST
 *
 * The id is saved before the channel is made: a crash, or an answer that does not come, leaves no channel that nobody knows, since the next turn
 * finds it in Zoho's list. Zoho grants what it likes: a week is asked for, and whatever comes back is renewed when half of it is over. Once an
 * hour the list is read, so that a forgotten channel is missed for an hour at most. What it did not tell meanwhile is for sync to find (`gap`).
 *
 * One token of 256 random bits serves all channels of a state directory: it alone proves where a notification comes from. */
#include "connectors/zoho/zoho.h"
#include "value/date.h"
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS_MAX = 48, TOKEN_TEXT = 44, LOOK_MS = 3600 * 1000, ASK_MS = 7 * 24 * 3600 * 1000 - 600 * 1000, SOONEST_MS = 30 * 1000, URL_BYTES = 250 };
/* token of 50 characters at most, 48 channels: below Zoho's 50 of one request */

struct channel { char id[24], module[80]; bool all; int64_t made_ms, until_ms; bool asked /* for, at least once: it may be there */, there, wished; };
struct watching { char token[TOKEN_TEXT + 1]; struct channel ch[CHANNELS_MAX]; size_t n; };

/* ---- the saved state ---- */
static struct str member(const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
}

static void copy_text(char *out, size_t cap, struct str s)
{
    (void)snprintf(out, cap, "%.*s", (int)(s.n < cap ? s.n : 0), s.n < cap && s.n ? s.p : "");
}

/* ERR_IO: they cannot be read now, which is no reason to make others under another token. */
static enum err load(struct target *t, struct watching *w, struct fault *f)
{
    struct arena a;
    struct str text = {"", 0};
    json_error_t where;
    memset(w, 0, sizeof *w);
    arena_init(&a, 4096);
    enum err e = t->env->load ? t->env->load(t->env->ctx, "zoho.watch", &a, &text) : ERR_NOT_FOUND;
    json_t *j = e == ERR_OK ? json_loadb(text.p, text.n, 0, &where) : NULL, *c;
    size_t i;
    copy_text(w->token, sizeof w->token, member(j, "token"));
    json_array_foreach(json_object_get(j, "channels"), i, c) {
        if (w->n == CHANNELS_MAX) break;
        struct channel *ch = &w->ch[w->n++];
        copy_text(ch->id, sizeof ch->id, member(c, "id"));
        copy_text(ch->module, sizeof ch->module, member(c, "module"));
        ch->all = str_is(member(c, "events"), "all");
        ch->made_ms = json_integer_value(json_object_get(c, "made_ms"));
        ch->until_ms = json_integer_value(json_object_get(c, "until_ms"));
        ch->asked = json_is_true(json_object_get(c, "asked"));
    }
    json_decref(j);
    if (text.n) explicit_bzero((char *)(uintptr_t)text.p, text.n);
    arena_free(&a);
    return e == ERR_IO ? fault_set(f, ERR_IO, "the list of notification channels cannot be read") : ERR_OK;
}

static enum err save(struct target *t, const struct watching *w, struct fault *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->n; i++) {
        const struct channel *ch = &w->ch[i];
        (void)json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b,s:I,s:I}", "id", ch->id, "module", ch->module, "events", ch->all ? "all" : "delete",
                                                    "asked", ch->asked, "made_ms", (json_int_t)ch->made_ms, "until_ms", (json_int_t)ch->until_ms));
    }
    json_t *j = json_pack("{s:s,s:o}", "token", w->token, "channels", list);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    if (!text) check_no_memory();
    enum err e = t->env->save ? t->env->save(t->env->ctx, "zoho.watch", str_of(text), f) : ERR_OK;
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(j);
    return e;
}

static void new_token(struct target *t, struct watching *w)
{
    unsigned char raw[32];
    t->env->world->random.fill(t->env->world->random.ctx, raw, sizeof raw);
    (void)sodium_bin2base64(w->token, sizeof w->token, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    explicit_bzero(raw, sizeof raw);
}

static void new_id(struct target *t, char id[24])
{
    uint64_t n;
    t->env->world->random.fill(t->env->world->random.ctx, &n, sizeof n);
    (void)snprintf(id, 24, "%llu", (unsigned long long)(100000000000000u + n % 900000000000000u));
}

enum err zoho__watch_token(struct target *t, struct arena *a, struct str *out, struct fault *f)
{
    struct watching *w = ARENA_NEW(a, struct watching);
    enum err e = load(t, w, f);
    if (e == ERR_OK && !w->token[0]) {
        new_token(t, w);
        e = save(t, w, f);
    }
    *out = str_of(w->token);
    return e;
}

/* ---- requests ---- */
static json_t *channel_json(const struct target *t, const struct watching *w, const struct channel *ch, bool whole)
{
    char until[DATETIME_BYTES + 8], event[100];
    size_t n = datetime_write(until, (zoho__wall(t) + ASK_MS) / 1000 * 1000, false);
    (void)snprintf(until + n, sizeof until - n, "+00:00");
    (void)snprintf(event, sizeof event, "%s.%s", ch->module, ch->all ? "all" : "delete");
    struct str url = conn_setting(t->env, "notify_url");
    json_t *j = json_pack("{s:s,s:s}", "channel_id", ch->id, "channel_expiry", until);
    if (whole && j) json_object_update_new(j, json_pack("{s:[s],s:s%,s:s}", "events", event, "notify_url", url.p, url.n, "token", w->token));
    if (!j) check_no_memory();
    return j;
}

static struct channel *by_id(struct watching *w, struct str id)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_is(id, w->ch[i].id)) return &w->ch[i];
    return NULL;
}

static int64_t time_of(struct str s)
{
    struct value v;
    return datetime_parse(s, &v) && v.kind == V_INSTANT ? v.u.i : 0;
}

/* What became of each channel of the answer, by position: made (true, with its time) or refused; the first complaint goes to why. */
static void take_answer(struct target *t, struct channel **sent, size_t n, const struct http_res *res, char *why, size_t nwhy)
{
    json_error_t where;
    json_t *j = res->body.n ? json_loadb(res->body.p, res->body.n, 0, &where) : NULL;
    const json_t *list = json_object_get(j, "watch");
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_is_array(list) ? json_array_get(list, i) : j;
        int64_t until = time_of(member(json_array_get(json_object_get(json_object_get(e, "details"), "events"), 0), "channel_expiry"));
        sent[i]->there = until > zoho__wall(t);
        if (sent[i]->there) {
            sent[i]->until_ms = until;
            sent[i]->made_ms = zoho__wall(t);
            continue;
        }
        sent[i]->until_ms = 0;
        struct str code = member(e, "code"), says = member(e, "message");
        if (!why[0])
            (void)snprintf(why, nwhy, "channel for %s: Zoho answered %d %.*s (%.*s)", sent[i]->module, res->status, (int)str_cut(code, 60).n, code.p,
                           (int)str_cut(says, 120).n, says.p);
    }
    json_decref(j);
}

/* POST or PATCH of some channels in one call. What did not come through is left for the next turn. */
static enum err send_channels(struct target *t, struct watching *w, bool make, struct channel **some, size_t n, char *why, size_t nwhy, struct fault *f)
{
    struct arena a;
    struct http_res res;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) (void)json_array_append_new(list, channel_json(t, w, some[i], make));
    json_t *whole = json_pack("{s:o}", "watch", list);
    char *text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    if (!text) check_no_memory();
    arena_init(&a, 0);
    struct zoho_call c = {.what = make ? "making notification channels" : "renewing notification channels", .method = make ? "POST" : "PATCH", .path = "/actions/watch", .body = str_of(text), .cost = 1};
    enum err e = zoho__change(t, &c, &a, &res, f);
    if (e == ERR_OK && (res.status == 429 || res.status >= 500)) e = fault_set(f, ERR_BUSY, "%s: Zoho answered %d", c.what, res.status);
    if (e == ERR_OK) take_answer(t, some, n, &res, why, nwhy);
    explicit_bzero(text, strlen(text));
    free(text);
    json_decref(whole);
    arena_free(&a);
    return e;
}

/* Marks the channels that Zoho still has. */
static enum err look(struct target *t, struct watching *w, struct fault *f)
{
    struct arena a;
    struct http_res res;
    arena_init(&a, 0);
    for (size_t i = 0; i < w->n; i++) w->ch[i].there = false;
    enum err e = zoho__call(t, &(struct zoho_call){.what = "notification channels", .method = "GET", .path = "/actions/watch", .cost = 1}, &a, &res, f);
    if (e == ERR_OK && res.body.n) {
        json_error_t where;
        json_t *j = json_loadb(res.body.p, res.body.n, 0, &where), *c;
        size_t i;
        if (!json_is_array(json_object_get(j, "watch"))) e = fault_set(f, ERR_PROTOCOL, "Zoho's list of notification channels cannot be read");
        json_array_foreach(json_object_get(j, "watch"), i, c) {
            struct channel *ch = by_id(w, member(c, "channel_id"));
            int64_t until = time_of(member(c, "channel_expiry"));
            if (!ch || until <= zoho__wall(t)) continue;
            ch->there = true;
            if (ch->until_ms == 0) ch->made_ms = zoho__wall(t);        /* its answer was lost */
            ch->until_ms = until;
        }
        json_decref(j);
    }
    arena_free(&a);
    return e;
}

/* ---- wishes ---- */
static void drop(struct watching *w, struct channel *ch)
{
    size_t at = (size_t)(ch - w->ch);
    memmove(ch, ch + 1, (w->n - at - 1) * sizeof *ch);
    w->n--;
}

/* Takes off what is not wished for, in one call. A channel that Zoho does not know any more is off already. */
static enum err take_off(struct target *t, struct watching *w, struct fault *f)
{
    struct buf path = {0};
    struct arena a;
    struct http_res res;
    size_t n = 0;
    buf_puts(&path, "/actions/watch?channel_ids=");
    for (size_t i = 0; i < w->n; i++)
        if (!w->ch[i].wished) buf_printf(&path, "%s%s", n++ ? "," : "", w->ch[i].id);
    arena_init(&a, 0);
    enum err e = n ? zoho__change(t, &(struct zoho_call){.what = "removing notification channels", .method = "DELETE", .path = buf_cstr(&path), .cost = 1}, &a, &res, f) : ERR_OK;
    bool done = e == ERR_OK && n && (res.status == 200 || res.status == 207 || res.status == 400);
    if (e == ERR_OK && n && !done) e = fault_set(f, ERR_BUSY, "notification channels cannot be removed: Zoho answered %d", res.status);
    for (size_t i = w->n; done && i-- > 0;)
        if (!w->ch[i].wished) drop(w, &w->ch[i]);
    if (done) zoho__note(t, "CALL", "%zu notification channels removed", n);
    buf_free(&path);
    arena_free(&a);
    return e;
}

static void take_wishes(struct target *t, struct watching *w, const struct watch_wish *wish, size_t n)
{
    for (size_t i = 0; i < w->n; i++) {
        w->ch[i].wished = false;
        for (size_t k = 0; k < n && !w->ch[i].wished; k++) w->ch[i].wished = str_is(wish[k].module, w->ch[i].module) && wish[k].all == w->ch[i].all;
    }
    for (size_t k = 0; k < n; k++) {
        bool have = false;
        for (size_t i = 0; i < w->n && !have; i++) have = w->ch[i].wished && str_is(wish[k].module, w->ch[i].module);
        if (have || wish[k].module.n >= sizeof w->ch[0].module) continue;
        if (w->n == CHANNELS_MAX) {
            log_warn("%s: more than %d modules to watch; %.*s is left to polling", t->pool, CHANNELS_MAX, (int)wish[k].module.n, wish[k].module.p);
            continue;
        }
        struct channel *ch = &w->ch[w->n++];
        *ch = (struct channel){.all = wish[k].all, .wished = true};
        copy_text(ch->module, sizeof ch->module, wish[k].module);
        new_id(t, ch->id);
    }
}

/* ---- keeping ---- */
static bool due_to_renew(const struct channel *ch, int64_t now)
{
    return now >= ch->made_ms + (ch->until_ms - ch->made_ms) / 2;
}

/* Renews, then makes what is not there (or what the renewal found to be gone). */
static enum err keep_up(struct target *t, struct watching *w, bool *gap, char *why, size_t nwhy, struct fault *f)
{
    struct channel *some[CHANNELS_MAX];
    size_t n = 0, made = 0;
    char passing[300] = "";
    for (size_t i = 0; i < w->n; i++)
        if (w->ch[i].there && due_to_renew(&w->ch[i], zoho__wall(t))) some[n++] = &w->ch[i];
    enum err e = n ? send_channels(t, w, false, some, n, passing, sizeof passing, f) : ERR_OK;
    if (passing[0]) log_info("%s: %s", t->pool, passing);
    for (size_t i = 0; i < w->n; i++)
        if (!w->ch[i].there) some[made++] = &w->ch[i];
    if (e != ERR_OK || made == 0) return e;
    e = send_channels(t, w, true, some, made, why, nwhy, f);
    *gap = true;
    if (e == ERR_OK) zoho__note(t, "CALL", "%zu notification channels made", made);
    return e;
}

static int64_t next_turn(const struct target *t, const struct watching *w)
{
    int64_t now = zoho__wall(t), next = now + LOOK_MS;
    for (size_t i = 0; i < w->n; i++) {
        int64_t at = w->ch[i].there ? w->ch[i].made_ms + (w->ch[i].until_ms - w->ch[i].made_ms) / 2 : now + 60000;
        if (at < next) next = at;
    }
    return next - now > SOONEST_MS ? next - now : SOONEST_MS;
}

static enum err turn(struct target *t, struct watching *w, const struct watch_wish *wish, size_t n, struct watch_turn *out, struct fault *f)
{
    char why[300] = "";
    take_wishes(t, w, wish, n);
    enum err e = take_off(t, w, f), kept;
    bool any = false;
    for (size_t i = 0; i < w->n; i++) any = any || w->ch[i].asked;
    if (e == ERR_OK && any) e = look(t, w, f);
    for (size_t i = 0; i < w->n; i++) w->ch[i].asked = true;
    if (e == ERR_OK) e = save(t, w, f);                     /* before the first of them may be there */
    if (e == ERR_OK) e = keep_up(t, w, &out->gap, why, sizeof why, f);
    struct fault later = {ERR_OK, ""};
    kept = save(t, w, &later);
    if (e == ERR_OK && kept != ERR_OK) e = fault_set(f, kept, "%s", later.text);
    out->next_ms = next_turn(t, w);
    return e == ERR_OK && why[0] ? fault_set(f, ERR_CONFIG, "%s", why) : e;
}

enum err zoho__watch(struct target *t, const struct watch_wish *wish, size_t n, struct arena *a, struct watch_turn *out, struct fault *f)
{
    struct watching *w = ARENA_NEW(a, struct watching);
    *out = (struct watch_turn){.next_ms = 60000};
    struct str url = conn_setting(t->env, "notify_url");
    if (url.n == 0) n = 0;
    if (url.n > URL_BYTES) return fault_set(f, ERR_CONFIG, "notify_url is longer than %d bytes", URL_BYTES);
    enum err e = load(t, w, f);
    if (e != ERR_OK || (n == 0 && w->n == 0)) return e;
    if (!w->token[0]) new_token(t, w);
    if (n == 0) net_set_stop(t->net, NULL);                  /* the farewell of a process that was told to stop */
    e = turn(t, w, wish, n, out, f);
    if (n == 0) net_set_stop(t->net, t->env->stop);
    out->channels = ARENA_ARRAY(a, struct watch_channel, w->n + 1);
    for (size_t i = 0; i < w->n; i++)
        out->channels[out->nchannels++] = (struct watch_channel){str_of(w->ch[i].module), w->ch[i].all, w->ch[i].there ? w->ch[i].until_ms : 0};
    return e;
}

/* ---- what comes in ---- */
static bool same_secret(struct str a, struct str b)
{
    unsigned char ha[crypto_generichash_BYTES], hb[crypto_generichash_BYTES];        /* equal lengths, whatever came in */
    crypto_generichash(ha, sizeof ha, (const unsigned char *)a.p, a.n, NULL, 0);
    crypto_generichash(hb, sizeof hb, (const unsigned char *)b.p, b.n, NULL, 0);
    return sodium_memcmp(ha, hb, sizeof ha) == 0;
}

static enum err read_told(const json_t *j, struct arena *a, struct target_told *out, struct fault *f)
{
    struct str module = member(j, "module"), op = member(j, "operation"), id;
    const json_t *ids = json_object_get(j, "ids");
    out->what = str_is(op, "insert") ? TOLD_INSERT : str_is(op, "update") ? TOLD_UPDATE : TOLD_DELETE;
    if ((out->what == TOLD_DELETE && !str_is(op, "delete")) || !module.n || module.n > 128 || !json_is_array(ids))
        return fault_set(f, ERR_PROTOCOL, "a notification without module, operation or ids");
    out->module = (struct str){arena_copy(a, module.p, module.n), module.n};
    out->ids = ARENA_ARRAY(a, struct str, json_array_size(ids) + 1);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *v = json_array_get(ids, i);
        id = json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
        if (id.n == 0 || id.n > 24 || strspn(id.p, "0123456789") != id.n) return fault_set(f, ERR_PROTOCOL, "a notification names a record that is no id");
        out->ids[out->nids++] = (struct str){arena_copy(a, id.p, id.n), id.n};
    }
    return ERR_OK;
}

enum err zoho__told(struct str token, struct str body, struct arena *a, struct target_told *out, struct fault *f)
{
    json_error_t where;
    *out = (struct target_told){.nids = 0};
    json_t *j = body.n ? json_loadb(body.p, body.n, 0, &where) : NULL;
    enum err e = !json_is_object(j) ? fault_set(f, ERR_PROTOCOL, "a notification that is no JSON object") : ERR_OK;
    if (e == ERR_OK && (token.n == 0 || !same_secret(member(j, "token"), token)))
        e = fault_set(f, ERR_PERMISSION, "a notification without our token");
    if (e == ERR_OK) e = read_told(j, a, out, f);
    json_decref(j);
    return e;
}

void zoho__probe_channels(struct target *t, void (*say)(void *ctx, enum finding_level level, const char *text), void *ctx)
{
    struct arena a;
    struct fault f = {ERR_OK, ""};
    char text[300];
    if (conn_setting(t->env, "notify_url").n == 0) return;
    arena_init(&a, 0);
    struct watching *w = ARENA_NEW(&a, struct watching);
    enum err e = load(t, w, &f);
    if (e == ERR_OK) e = look(t, w, &f);
    if (e != ERR_OK) say(ctx, FINDING_FAIL, f.text);
    if (e == ERR_OK && w->n == 0) say(ctx, FINDING_OK, "none yet; mlcd run makes them");
    for (size_t i = 0; e == ERR_OK && i < w->n; i++) {
        char until[25];
        world_format_ms(w->ch[i].until_ms, until);
        if (w->ch[i].there) (void)snprintf(text, sizeof text, "%s: until %s", w->ch[i].module, until);
        else (void)snprintf(text, sizeof text, "%s: Zoho has none any more; mlcd run makes it again", w->ch[i].module);
        say(ctx, w->ch[i].there ? FINDING_OK : FINDING_WARN, text);
    }
    arena_free(&a);
}
