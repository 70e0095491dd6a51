/*
 * door.c: the judge at the network's door. Stands between the program and the models, and reads the audit log as a power cut would leave it.
 *
 *     request that writes -> for each of its records: a durable INTENT that no request has used yet, and nothing else of that record under way
 *     what the log tells  -> per record: INTENT, then one OUTCOME; a start makes what is under way ambiguous, a SETTLE ends that
 *     record that changes -> its version is not older than the one that stood there
 *
 * The log's format is docs/journal-format.md, read here from its bytes; only numbers and the public part of the frames are needed.
 */
#include "run.h"
#include "base/hash.h"
#include "base/outcome.h"
#include "journal/journal.h"
#include "secret/secret.h"
#include "store/event.h"
#include "store/rowkey.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 1024, KEY_HASH = 16, SEGMENT_HEAD = 128, BUDGET = 6000 /* credits: world.mlc */, RECENT = 512, SAVED_MS = 30000 };
enum standing { NOTHING, UNDER_WAY, AMBIGUOUS };

struct door_key {
    unsigned char hash[KEY_HASH];
    char flow[24];
    enum standing standing;
    uint64_t attempt, used; // used: the attempt of the last request
};

struct door {
    struct seed *s;
    struct door_key keys[KEYS_MAX];
    size_t nkeys;
    uint64_t seq; // of the newest frame that was read
    unsigned segment;
    size_t offset;
    bool has_key;
    unsigned char key_hash_key[32];
    struct {
        char id[24];
        unsigned version;
    } seen[KEYS_MAX];
    size_t nseen;
    // What Zoho counts and the program may not know: calls that were applied late, and what a crash makes it forget.
    int64_t spent, unknown;
    struct {
        int64_t at_ms, cost;
    } recent[RECENT];
    size_t nrecent;
};

struct door *door_open(struct seed *s)
{
    struct door *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->s = s;
    d->segment = 1;
    d->offset = SEGMENT_HEAD;
    return d;
}

void door_close(struct door *d)
{
    free(d);
}

/* ---- the log, as far as it is durable ---- */

static uint64_t little(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static struct door_key *key_at(struct door *d, const unsigned char *hash, struct str flow)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%.*s", (int)flow.n, flow.p ? flow.p : "");
    for (size_t i = 0; i < d->nkeys; i++)
        if (memcmp(d->keys[i].hash, hash, KEY_HASH) == 0 && strcmp(d->keys[i].flow, name) == 0)
            return &d->keys[i];
    if (d->nkeys == KEYS_MAX)
        abort();
    struct door_key *k = &d->keys[d->nkeys++];
    memcpy(k->hash, hash, KEY_HASH);
    (void)snprintf(k->flow, sizeof k->flow, "%s", name);
    return k;
}

static void take_frame(struct door *d, unsigned kind, uint64_t seq, const unsigned char *hash, struct str pub)
{
    struct event_tags ev = {0};
    if (d->s->setup->tell)
        seed_event(d->s, "log: %llu kind %u", (unsigned long long)seq, kind);
    if (kind == FRAME_OPEN)
        for (size_t i = 0; i < d->nkeys; i++)
            if (d->keys[i].standing == UNDER_WAY)
                d->keys[i].standing = AMBIGUOUS;
    if (!hash || (kind != FRAME_INTENT && kind != FRAME_OUTCOME && kind != FRAME_SETTLE) || !event_read(&ev, pub))
        return;
    struct door_key *k = key_at(d, hash, ev.v[EV_FLOW]);
    if (d->s->setup->tell)
        seed_event(d->s, "log: %llu %s %s %02x%02x%02x class %lld", (unsigned long long)seq, kind == FRAME_INTENT ? "INTENT" : kind == FRAME_OUTCOME ? "OUTCOME" : "SETTLE",
                   k->flow, hash[0], hash[1], hash[2], (long long)event_int(&ev, EV_CLASS, -1));
    int64_t cls = event_int(&ev, EV_CLASS, -1);
    if (kind == FRAME_INTENT) {
        if (k->standing != NOTHING)
            (void)seed_violated(d->s, "one call in flight per record", "%s: INTENT %llu while attempt %llu has no outcome", k->flow, (unsigned long long)seq,
                                (unsigned long long)k->attempt);
        k->standing = UNDER_WAY;
        k->attempt = seq;
    } else if (kind == FRAME_OUTCOME) {
        uint64_t attempt = (uint64_t)event_int(&ev, EV_ATTEMPT, 0);
        if (k->standing != UNDER_WAY || attempt != k->attempt)
            (void)seed_violated(d->s, "exactly one outcome per attempt", "%s: OUTCOME %llu of attempt %llu, but %s", k->flow, (unsigned long long)seq,
                                (unsigned long long)attempt, k->standing == UNDER_WAY ? "another one is under way" : "none is under way");
        k->standing = cls == W_AMBIGUOUS ? AMBIGUOUS : NOTHING;
    } else if (cls != W_AMBIGUOUS) {
        k->standing = NOTHING;
    }
}

struct door_frame {
    uint64_t seq;
    unsigned kind;
    bool commit;
    const unsigned char *hash;
    struct str pub;
};

// The frame at p, of at most n bytes: its length, 0: no whole frame.
static size_t frame_at(const unsigned char *p, size_t n, struct door_frame *f)
{
    size_t length = n >= 44 ? (size_t)little(p, 4) : 0;
    if (length < 72 || length > n || crc32c(crc32c(0, p, 4), p + 8, length - 8) != (uint32_t)little(p + 4, 4))
        return 0;
    unsigned flags = (unsigned)little(p + 30, 2);
    size_t pub = (size_t)little(p + 36, 4), at = 40 + (flags & 2 ? 32u : 0) + (flags & 4 ? 32u : 0);
    *f = (struct door_frame){.seq = little(p + 8, 8), .kind = (unsigned)little(p + 28, 2), .commit = flags & 1, .hash = flags & 8 ? p + at : NULL};
    at += (flags & 8 ? KEY_HASH : 0) + (flags & 16 ? 4u : 0);
    f->pub = (struct str){(const char *)p + at, pub};
    return at + pub <= length ? length : 0;
}

// The bytes up to the end of the next whole commit; 0: there is none.
static size_t commit_at(const unsigned char *p, size_t n)
{
    struct door_frame f;
    for (size_t at = 0, length; at < n && (length = frame_at(p + at, n - at, &f)) > 0;) {
        at += length;
        if (f.commit)
            return at;
    }
    return 0;
}

static void take_commits(struct door *d, const unsigned char *bytes, size_t n)
{
    struct door_frame f;
    for (size_t all; d->offset < n && (all = commit_at(bytes + d->offset, n - d->offset)) > 0;) {
        for (size_t end = d->offset + all; d->offset < end; d->offset += frame_at(bytes + d->offset, n - d->offset, &f)) {
            (void)frame_at(bytes + d->offset, n - d->offset, &f);
            if (f.seq <= d->seq)
                continue; // copied by a recovery
            take_frame(d, f.kind, f.seq, f.hash, f.pub);
            d->seq = f.seq;
        }
    }
}

// Goes on from where it stopped.
static void read_log(struct door *d)
{
    const unsigned char *bytes;
    size_t n;
    char path[64];
    for (;;) {
        (void)snprintf(path, sizeof path, "state/journal/%08u.seg", d->segment);
        if (!platter_durable(d->s->platter, path, &bytes, &n))
            return;
        take_commits(d, bytes, n);
        (void)snprintf(path, sizeof path, "state/journal/%08u.seg", d->segment + 1);
        if (!platter_durable(d->s->platter, path, &bytes, &n))
            return;
        d->segment++;
        d->offset = SEGMENT_HEAD;
    }
}

/* ---- requests ---- */

static bool master_key(struct door *d)
{
    struct world w;
    struct secret_store *secrets;
    struct fault f;
    if (d->has_key)
        return true;
    world_real(&w);
    if (secret_open_read(&secrets, &w, d->s->state, NULL, NULL, &f) != ERR_OK)
        return seed_violated(d->s, "stage", "the judge cannot open the secrets: %s", f.text);
    secret_derive(secrets, SECRET_KEY_HASH, d->key_hash_key);
    secret_close(secrets);
    return d->has_key = true;
}

static const struct {
    const char *module, *flow, *field;
} modules[RUN_MODULES] = {
    {"Products", "items", "Sage_Item"}, {"Accounts", "customers", "Sage_Customer"}, {"Contacts", "contacts", "Sage_Contact"}, {"Sales_Orders", "orders", "Sage_Document"}};

static int module_of(const char *url)
{
    const char *last = strrchr(url, '/');
    for (int m = 0; last && m < RUN_MODULES; m++) {
        size_t n = strlen(modules[m].module);
        if (strncmp(last + 1, modules[m].module, n) == 0 && (last[n + 1] == '\0' || last[n + 1] == '?'))
            return m;
    }
    return -1;
}

// The record's key in the form of the log; false: it has none.
static bool key_of(struct door *d, int m, const json_t *record, char text[120], struct door_key **out)
{
    const char *id = json_string_value(json_object_get(record, "id")), *key = json_string_value(json_object_get(record, modules[m].field));
    char *there = id && !key ? zoho_sim_record(d->s->zoho, modules[m].module, id) : NULL;
    json_t *whole = there ? json_loads(there, 0, NULL) : NULL;
    if (whole)
        key = json_string_value(json_object_get(whole, modules[m].field));
    (void)snprintf(text, 120, "%s", key ? key : "");
    json_decref(whole);
    free(there);
    if (!text[0])
        return false;
    struct arena a;
    struct str parts[8];
    struct buf natural = {0};
    arena_init(&a, 1024);
    size_t n = rowkey_parse(str_of(text), &a, parts, 8);
    bool good = n > 0 && rowkey_make(&natural, parts, n);
    if (good) {
        struct hash h = hash_keyed(d->key_hash_key, buf_view(&natural));
        *out = key_at(d, h.b, str_of(modules[m].flow));
    }
    buf_free(&natural);
    arena_free(&a);
    return good;
}

static void check_record(struct door *d, int m, const json_t *record, bool refused)
{
    char text[120];
    struct door_key *k;
    if (!key_of(d, m, record, text, &k))
        return; // deleted by a person just now
    bool late = seed_true_ms(d->s) < d->s->on_its_way_ms && k->standing == AMBIGUOUS && k->used != k->attempt; // of the life before
    if (k->standing != UNDER_WAY && !late)
        (void)seed_violated(d->s, "INFLIGHT durable before every call", "%s %s is sent, but no INTENT of it is on disk (%s, attempt %llu, the log is durable up to %llu)",
                            modules[m].module, text, k->standing == NOTHING ? "nothing under way" : "ambiguous", (unsigned long long)k->attempt,
                            (unsigned long long)d->seq);
    else if (k->used == k->attempt)
        (void)seed_violated(d->s, "INFLIGHT durable before every call", "%s %s is sent twice under INTENT %llu", modules[m].module, text, (unsigned long long)k->attempt);
    if (!refused)
        k->used = k->attempt;
}

/* ---- the budget ---- */

static void budget(struct door *d)
{
    struct seed *s = d->s;
    int64_t spent = zoho_sim_spent(s->zoho), now = seed_true_ms(s);
    if (spent > d->spent && d->nrecent < RECENT) {
        d->recent[d->nrecent].at_ms = now;
        d->recent[d->nrecent++].cost = spent - d->spent;
    }
    d->spent = spent;
    size_t old = 0;
    while (old < d->nrecent && d->recent[old].at_ms < now - SAVED_MS)
        old++;
    memmove(d->recent, d->recent + old, (d->nrecent - old) * sizeof *d->recent);
    d->nrecent -= old;
    if ((uint64_t)spent > s->result->credits)
        s->result->credits = (uint64_t)spent;
    if (spent > BUDGET + d->unknown)
        (void)seed_violated(s, "budget kept", "%lld credits in 24 hours, the spec allows %d, and %lld are excused", (long long)spent, BUDGET, (long long)d->unknown);
}

// A crash forgets the credits of half a minute (runtime/connectors/zoho/limits.c says so).
void door_life_over(struct seed *s, bool clean)
{
    struct door *d = s->door;
    for (size_t i = 0; i < d->nrecent && !clean; i++)
        if (d->recent[i].at_ms >= seed_true_ms(s) - SAVED_MS)
            d->unknown += d->recent[i].cost;
    d->nrecent = 0;
}

void door_request(struct seed *s, const struct http_req *req, const struct sim_response *resp)
{
    struct door *d = s->door;
    int m = module_of(req->url);
    bool write = strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0;
    budget(d);
    if (m < 0 || !write || s->result->text[0] || !master_key(d))
        return;
    read_log(d);
    json_t *body = json_loadb(req->body.p, req->body.n, 0, NULL);
    const json_t *record;
    size_t i;
    // A 401 has applied nothing: the same INTENT goes out again with another token (facts/zoho-crm.md 3.7).
    json_array_foreach(json_object_get(body, "data"), i, record) check_record(d, m, record, resp->status == 401);
    json_decref(body);
}

/* ---- records ---- */

static unsigned version_of(const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "Description"));
    char *end;
    unsigned long v = text && text[0] == 'v' ? strtoul(text + 1, &end, 10) : 0;
    return (unsigned)v;
}

void door_change(void *ctx, const struct zoho_sim_change *c)
{
    struct seed *s = ctx;
    struct door *d = s->door;
    d->unknown += c->late;
    if (!c->client)
        return;
    char *text = zoho_sim_record(s->zoho, c->module, c->id);
    json_t *record = text ? json_loads(text, 0, NULL) : NULL;
    unsigned version = version_of(record);
    size_t i = 0;
    while (i < d->nseen && strcmp(d->seen[i].id, c->id) != 0)
        i++;
    if (i == d->nseen && d->nseen < KEYS_MAX)
        (void)snprintf(d->seen[d->nseen++].id, sizeof d->seen[0].id, "%s", c->id);
    if (s->setup->tell)
        seed_event(s, "zoho: %s %s holds v%06u%s", c->module, c->id, version, c->late ? ", by a late request" : "");
    if (version && version < d->seen[i].version && !s->beyond)
        (void)seed_violated(s, "order per record", "%s %s goes back from v%06u to v%06u%s", c->module, c->id, d->seen[i].version, version,
                            c->late ? " by a request that took effect late" : "");
    if (version)
        d->seen[i].version = version;
    json_decref(record);
    free(text);
}

bool door_all_over(struct seed *s)
{
    struct door *d = s->door;
    read_log(d);
    for (size_t i = 0; i < d->nkeys; i++)
        if (d->keys[i].standing != NOTHING)
            return seed_violated(s, "exactly one outcome per attempt", "%s: attempt %llu has none at the end", d->keys[i].flow, (unsigned long long)d->keys[i].attempt);
    return true;
}
