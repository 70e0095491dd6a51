/* sage.c - the source "sage100": two doors to one system, chosen per query.
 *
 *   sync -> page | fetch | keys -> entity.def (table, key) -> door: query.via, else the agent when configured, else SOAP
 *
 * Invariants: no call is made before open has accepted every setting; every answer lives in the caller's arena; a question about a table
 * whose key columns differ from entity.def is refused before anything is sent. */
#include "connectors/sage/sage.h"
#include "connectors/sage/xml.h"
#include "base/check.h"
#include <stdio.h>

static const struct sage_entity entities[] = {
#define ENTITY(table, resource, operation, ...) \
    {#table, resource, operation, {__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)},
#include "connectors/sage/entity.def"
#undef ENTITY
};

const struct sage_entity *sage100__entities(size_t *n)
{
    *n = sizeof entities / sizeof *entities;
    return entities;
}

const struct sage_entity *sage100__entity(struct str table)
{
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (str_is(table, entities[i].table)) return &entities[i];
    return NULL;
}

/* ---- keys and texts ---- */

const char *sage100__clean(struct arena *a, struct str s, size_t max)
{
    s = str_trim(s);
    size_t n = s.n < max ? s.n : max;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    char *p = arena_copy(a, s.n ? s.p : "", n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < ' ' || p[i] == 0x7f) p[i] = ' ';
    return p;
}

const char *sage100__key_print(struct arena *a, const struct source_key *k)
{
    struct buf b = {0};
    for (size_t i = 0; i < k->n; i++) {
        if (i) buf_byte(&b, '~');
        buf_str(&b, k->part[i]);
    }
    const char *text = arena_copy(a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

int sage100__key_cmp(const struct source_key *a, const struct source_key *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int c = str_cmp(a->part[i], b->part[i]);
        if (c) return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

bool sage100__key_eq(const struct source_key *a, const struct source_key *b)
{
    return sage100__key_cmp(a, b) == 0;
}

static uint32_t key_hash(const struct source_key *k)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < k->n; i++) {
        for (size_t j = 0; j < k->part[i].n; j++) h = (h ^ (unsigned char)k->part[i].p[j]) * 16777619u;
        h = (h ^ 0x100u) * 16777619u;
    }
    return h;
}

void sage100__key_set(struct sage_key_set *set, const struct source_key *keys, size_t n, struct arena *a)
{
    uint32_t slots = 16;
    while (slots < n * 2) slots *= 2;
    *set = (struct sage_key_set){keys, n, ARENA_ARRAY(a, uint32_t, slots), slots - 1, ARENA_ARRAY(a, unsigned char, n + 1)};
    for (size_t i = 0; i < n; i++) {
        uint32_t at = key_hash(&keys[i]) & set->mask;
        while (set->slot[at] && !sage100__key_eq(&keys[set->slot[at] - 1], &keys[i])) at = (at + 1) & set->mask;
        if (!set->slot[at]) set->slot[at] = (uint32_t)i + 1;
    }
}

size_t sage100__key_find(const struct sage_key_set *set, const struct source_key *k)
{
    uint32_t at = key_hash(k) & set->mask;
    for (; set->slot[at]; at = (at + 1) & set->mask)
        if (sage100__key_eq(&set->keys[set->slot[at] - 1], k)) return set->slot[at] - 1;
    return SIZE_MAX;
}

/* ---- life ---- */

static void note(void *ctx, const char *what, unsigned attempt, int64_t delay_ms, const char *why)
{
    const struct source *s = ctx;
    if (!s->env.note) return;
    char text[400];
    snprintf(text, sizeof text, "%s: attempt %u failed (%s), again in %lld ms", what, attempt, why, (long long)delay_ms);
    s->env.note(s->env.ctx, "CALL", text);
}

/* The settings outlive the caller's copy of them only here. */
static void keep_env(struct source *s, const struct conn_env *env)
{
    s->env = *env;
    s->env.state_name = arena_copy(&s->life, env->state_name ? env->state_name : "sage", strlen(env->state_name ? env->state_name : "sage"));
    struct conn_setting *kept = ARENA_ARRAY(&s->life, struct conn_setting, env->nsettings + 1);
    size_t n = 0;
    for (size_t i = 0; i < env->nsettings; i++) {
        struct conn_setting v = env->settings[i];
        if (str_is(v.name, "login") || str_is(v.name, "token")) continue;
        kept[n++] = (struct conn_setting){{arena_copy(&s->life, v.name.p, v.name.n), v.name.n},
                                          {arena_copy(&s->life, v.value.n ? v.value.p : "", v.value.n), v.value.n}};
    }
    s->env.settings = kept;
    s->env.nsettings = n;
}

static void wipe(const char *p, size_t n)
{
    union { const char *in; char *out; } u = {p};
    if (p) explicit_bzero(u.out, n);
}

static void sage_close(struct source *s)
{
    if (!s) return;
    if (s->net) net_close(s->net);
    wipe(s->set.password.p, s->set.password.n);
    wipe(s->set.authorization, s->set.authorization ? strlen(s->set.authorization) : 0);
    arena_free(&s->contract_arena);
    arena_free(&s->keys_arena);
    arena_free(&s->scratch);
    sage100__xml_close(s->xml);
    struct arena life = s->life;      /* s itself lives in it */
    arena_free(&life);
}

static enum err sage_open(struct source **out, const struct conn_env *env, struct fault *f)
{
    *out = NULL;
    struct arena life;
    arena_init(&life, 8192);
    struct source *s = ARENA_NEW(&life, struct source);
    s->life = life;
    arena_init(&s->contract_arena, 0);
    arena_init(&s->keys_arena, 0);
    arena_init(&s->scratch, 0);
    keep_env(s, env);
    enum err e = sage100__settings(env, &s->life, &s->set, f);
    if (e == ERR_OK) {
        s->agent_pool = arena_printf(&s->life, "%s-agent", s->env.state_name);
        s->soap_pool = arena_printf(&s->life, "%s-soap", s->env.state_name);
        e = net_open(&s->net, env->world, note, s);
        if (e != ERR_OK) fault_set(f, e, "source %s: the network layer did not start", s->env.state_name);
    }
    if (e != ERR_OK) {
        sage_close(s);
        return e;
    }
    net_set_stop(s->net, env->stop);
    net_set_meanwhile(s->net, env->meanwhile, env->ctx);
    *out = s;
    return ERR_OK;
}

/* ---- which door ---- */

const char *sage100__door(const struct source *s, const struct source_query *q, struct fault *f)
{
    const struct sage_entity *e = sage100__entity(q->entity);
    const char *door = q->via.n == 0 ? s->set.agent_url ? "agent" : "soap" : str_is(q->via, "agent") ? "agent" : str_is(q->via, "soap") ? "soap" : NULL;
    const char *name = s->env.state_name;
    if (!e)
        fault_set(f, ERR_UNSUPPORTED, "source %s: %.*s is not among the tables that this connector reads", name, (int)q->entity.n, q->entity.p);
    else if (!door)
        fault_set(f, ERR_CONFIG, "source %s: there is no door %.*s: say via agent or via soap", name, (int)q->via.n, q->via.p);
    else if (strcmp(door, "agent") == 0 && !s->set.agent_url)
        fault_set(f, ERR_CONFIG, "source %s: %s is to be read via agent, but `agent` is not set", name, e->table);
    else if (strcmp(door, "soap") == 0 && !s->set.soap_url)
        fault_set(f, ERR_CONFIG, "source %s: %s is to be read via soap, but `soap` is not set", name, e->table);
    else if (strcmp(door, "soap") == 0 && !e->operation)
        fault_set(f, ERR_UNSUPPORTED, "source %s: eBusiness Web Services do not offer %s: this table needs the agent", name, e->table);
    else return door;
    return NULL;
}

struct asked { const struct sage_entity *e; struct source_query q; bool soap; };

static enum err understand(const struct source *s, const struct source_query *q, struct asked *out, struct fault *f)
{
    const char *door = sage100__door(s, q, f);
    if (!door) return f->err;
    *out = (struct asked){sage100__entity(q->entity), *q, strcmp(door, "soap") == 0};
    if (out->q.company.n == 0) out->q.company = conn_setting(&s->env, "company");
    if (out->q.company.n != 3)
        return fault_set(f, ERR_CONFIG, "source %s: `company` must be three characters, as in Sage's company list", s->env.state_name);
    bool same = q->nkeys == out->e->nkeys;
    for (size_t i = 0; same && i < q->nkeys; i++) same = str_is(q->key_columns[i], out->e->key[i]);
    if (!same)
        return fault_set(f, ERR_CONFIG, "source %s: the key of %s in the spec's schema is not Sage's (%s first, %zu in all)", s->env.state_name,
                         out->e->table, out->e->key[0], out->e->nkeys);
    return ERR_OK;
}

static enum err sage_page(struct source *s, const struct source_query *q, struct str cursor, struct arena *a, struct source_page *out, struct fault *f)
{
    struct fault own;
    if (!f) f = &own;
    struct asked asked;
    memset(out, 0, sizeof *out);
    enum err e = understand(s, q, &asked, f);
    if (e != ERR_OK) return e;
    return asked.soap ? sage100__soap_page(s, asked.e, &asked.q, cursor, a, out, f) : sage100__agent_page(s, asked.e, &asked.q, cursor, a, out, f);
}

static enum err sage_fetch(struct source *s, const struct source_query *q, const struct source_key *keys, size_t nkeys, struct arena *a,
                           struct source_page *out, struct fault *f)
{
    struct fault own;
    if (!f) f = &own;
    struct asked asked;
    memset(out, 0, sizeof *out);
    ASSERT(nkeys <= LIMIT_BATCH_GET);
    enum err e = understand(s, q, &asked, f);
    if (e != ERR_OK) return e;
    for (size_t i = 0; i < nkeys; i++) ASSERT(keys[i].n == asked.e->nkeys);
    out->complete = true;
    if (nkeys == 0) return ERR_OK;
    e = asked.soap ? sage100__soap_fetch(s, asked.e, &asked.q, keys, nkeys, a, out, f) : sage100__agent_fetch(s, asked.e, &asked.q, keys, nkeys, a, out, f);
    return e == ERR_OK ? sage100__signs(s, asked.e, asked.q.company, a, out, f) : e;
}

static enum err sage_keys(struct source *s, const struct source_query *q, struct str after, struct arena *a, struct source_page *out, struct fault *f)
{
    struct fault own;
    if (!f) f = &own;
    struct asked asked;
    memset(out, 0, sizeof *out);
    enum err e = understand(s, q, &asked, f);
    if (e != ERR_OK) return e;
    return asked.soap ? sage100__soap_keys(s, asked.e, &asked.q, after, a, out, f) : sage100__agent_keys(s, asked.e, &asked.q, after, a, out, f);
}

/* ---- probe ---- */

void sage100__probe_say(struct sage_probe *p, enum finding_level level, int64_t elapsed_ms, const char *what, const char *fmt, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (level == FINDING_FAIL && p->first[0] == '\0') snprintf(p->first, sizeof p->first, "%.80s: %.300s", what, text);
    if (level == FINDING_FAIL && p->worst == ERR_OK) p->worst = ERR_CONFIG;
    struct finding line = {level, what, text, elapsed_ms};
    if (p->sink && p->sink->add) p->sink->add(p->sink->ctx, &line);
}

static enum err sage_probe(struct source *s, const struct source_query *q, size_t nq, const struct finding_sink *sink, struct fault *f)
{
    struct arena a;
    arena_init(&a, 0);
    struct sage_probe p = {s, q, nq, sink, &a, ERR_OK, ""};
    bool soap_only = false, soap_used = false;
    for (size_t i = 0; i < nq; i++) {
        struct asked asked;
        struct fault why;
        enum err e = understand(s, &q[i], &asked, &why);
        if (e == ERR_OK) soap_used |= asked.soap;
        else {
            if (p.worst == ERR_OK) p.worst = e;
            sage100__probe_say(&p, FINDING_FAIL, 0, arena_printf(&a, "table %.*s", (int)q[i].entity.n, q[i].entity.p), "%s", why.text);
        }
    }
    soap_only = s->set.agent_url == NULL;
    if (s->set.agent_url) sage100__probe_agent(&p);
    if (s->set.soap_url && (soap_only || soap_used || nq == 0)) sage100__probe_soap(&p);
    enum err e = p.worst == ERR_OK ? ERR_OK : fault_set(f, p.worst, "%s", p.first);
    arena_free(&a);
    return e;
}

const struct source_ops sage_source_ops = {"sage100", sage_open, sage_close, sage_probe, sage_page, sage_fetch, sage_keys, sage100__describe};
