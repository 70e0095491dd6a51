/* reconcile_total.c - for the end of the month: how many records of each flow belong to each customer, and the sum of each amount, on both sides.
 *
 * A record belongs to what its link to Accounts (else Vendors) names; a record of Accounts or Vendors to itself; any other to its company. Names are the
 * keys that people know (ABC~01~ABF). Amounts are the decimal fields that the flow writes; `once` fields belong to people and are left out. */
#include "sync/reconcile_private.h"
#include <stdlib.h>

enum { SUM_FIELDS = 24 };

struct party {
    struct str name;
    uint64_t hash, records[2];                             /* source, target */
    struct value *sums;                                    /* nfields of the source, nfields of the target */
    bool overflow;
};
struct totals {
    struct arena arena;
    const struct image_field *fields[SUM_FIELDS]; size_t nfields;
    const struct image_field *link;                        /* NULL: by key or company */
    bool by_key;
    struct party **slots; size_t n, cap;
};

static const struct image_field *link_to(const struct image_flow *fl, const char *module)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].type.base == T_LINK && str_is(fl->fields[i].link_module, module)) return &fl->fields[i];
    return NULL;
}

struct totals *totals_new(const struct sync_flow *sf)
{
    struct totals *t = calloc(1, sizeof *t);
    if (!t) check_no_memory();
    arena_init(&t->arena, 0);
    const struct image_flow *fl = sf->fl;
    t->by_key = str_is(fl->module, "Accounts") || str_is(fl->module, "Vendors");
    if (!t->by_key) t->link = link_to(fl, "Accounts");
    if (!t->by_key && !t->link) t->link = link_to(fl, "Vendors");
    for (size_t i = 0; i < fl->nfields && t->nfields < SUM_FIELDS; i++)
        if (fl->fields[i].type.base == T_DECIMAL && fl->fields[i].mode == FIELD_SET) t->fields[t->nfields++] = &fl->fields[i];
    return t;
}

void totals_free(struct totals *t)
{
    if (!t) return;
    arena_free(&t->arena);
    free(t->slots);
    free(t);
}

size_t totals_want(const struct totals *t, const struct sync_flow *sf, struct str *out)
{
    size_t n = 0;
    (void)sf;
    if (!t) return 0;
    for (size_t i = 0; i < t->nfields; i++) out[n++] = t->fields[i]->name;
    if (t->link) out[n++] = t->link->name;
    return n;
}

/* ---- parties ---- */
static void grow(struct totals *t)
{
    size_t cap = t->cap ? t->cap * 2 : 256;
    struct party **slots = calloc(cap, sizeof *slots);
    if (!slots) check_no_memory();
    for (size_t i = 0; i < t->cap; i++) {
        if (!t->slots[i]) continue;
        size_t at = t->slots[i]->hash & (cap - 1);
        while (slots[at]) at = (at + 1) & (cap - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
}

static struct party *party_named(struct totals *t, struct str name)
{
    if ((t->n + 1) * 4 > t->cap * 3) grow(t);
    uint64_t h = reconcile__hash(name);
    size_t at = h & (t->cap - 1);
    for (; t->slots[at]; at = (at + 1) & (t->cap - 1))
        if (t->slots[at]->hash == h && str_eq(t->slots[at]->name, name)) return t->slots[at];
    struct party *p = ARENA_NEW(&t->arena, struct party);
    *p = (struct party){.name = {arena_copy(&t->arena, name.p, name.n), name.n}, .hash = h};
    p->sums = ARENA_ARRAY(&t->arena, struct value, 2 * t->nfields + 1);
    for (size_t i = 0; i < 2 * t->nfields; i++) p->sums[i] = value_decimal(0, 0);
    t->slots[at] = p;
    t->n++;
    return p;
}

/* The text of a link's symbol: of a ref the key of the record in our own form, with the company of the child in front. */
static struct str symbol_name(struct engine *e, const struct sync_flow *sf, const struct image_field *fd, struct str child, struct str symbol, struct arena *a)
{
    const struct image_link *l = link_at(sf, (size_t)(fd - sf->fl->fields), NO_COLUMN);
    if (!l || l->kind != LINK_REF) return symbol;
    struct str key = link_parent_key(child, symbol, a);
    return key.n ? key_text_of(&e->image->flows[l->flow], key, a) : symbol;
}

/* Whose record it is by its link in the target: the key of the flow that made that record, else the bare id. */
static struct str id_name(struct engine *e, const struct sync_flow *sf, const struct image_field *fd, struct str id, struct arena *a)
{
    const struct image_link *l = link_at(sf, (size_t)(fd - sf->fl->fields), NO_COLUMN);
    struct flow_state st;
    struct str key;
    if (!l || l->kind != LINK_REF) return id;
    const struct image_flow *parent = &e->image->flows[l->flow];
    if (!store_flow(e->store, parent->name, &st) || store_by_id(e->store, st.id, id, a, &key) != ERR_OK) return id;
    return key_text_of(parent, key, a);
}

static struct str party_of(struct totals *t, struct engine *e, struct sync_flow *sf, struct str key, struct str key_text, const struct record *wanted,
                           const struct record *there, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    if (t->by_key) return key_text.n ? key_text : STR("(no key)");
    if (t->link && wanted) {
        const struct value *v = record_get(wanted, t->link->name);
        if (v && v->kind == V_TEXT) return symbol_name(e, sf, t->link, key, value_str(v), a);
        return STR("(none)");
    }
    if (t->link) {
        const struct value *v = there ? record_get(there, t->link->name) : NULL;
        return v && v->kind == V_ID ? id_name(e, sf, t->link, value_str(v), a) : STR("(none)");
    }
    return key.n && rowkey_parts(key, a, parts, LIMIT_KEY_PARTS + 1) > 0 ? parts[0] : STR("(no company)");
}

static void add_side(const struct totals *t, struct party *p, int side, const struct record *r)
{
    p->records[side]++;
    for (size_t i = 0; i < t->nfields; i++) {
        const struct value *v = record_get(r, t->fields[i]->name);
        struct value n;
        if (!v || !value_present(v)) continue;
        if (v->kind == V_TEXT ? !decimal_parse_json(value_str(v), &n) : v->kind != V_DECIMAL) continue;
        if (v->kind == V_DECIMAL) n = *v;
        struct value *sum = &p->sums[(size_t)side * t->nfields + i];
        if (!decimal_add(sum, &n, sum)) p->overflow = true;
    }
}

void totals_add(struct totals *t, struct engine *e, struct sync_flow *sf, struct str key, struct str key_text, const struct record *wanted, const struct record *there)
{
    struct arena a;
    if (!t) return;
    arena_init(&a, 2048);
    struct party *p = party_named(t, party_of(t, e, sf, key, key_text, wanted, there, &a));
    if (wanted) add_side(t, p, 0, wanted);
    if (there) add_side(t, p, 1, there);
    arena_free(&a);
}

/* ---- telling ---- */
static int by_name(const void *a, const void *b)
{
    return str_cmp((*(struct party *const *)a)->name, (*(struct party *const *)b)->name);
}

void totals_tell(struct totals *t, const char *flow, const struct reconcile_sink *sink)
{
    size_t n = 0;
    if (!t || !sink->total || t->n == 0) return;
    struct party **list = ARENA_ARRAY(&t->arena, struct party *, t->n);
    for (size_t i = 0; i < t->cap; i++)
        if (t->slots[i]) list[n++] = t->slots[i];
    qsort(list, n, sizeof *list, by_name);
    const char *of = t->by_key ? "key" : t->link ? arena_copy(&t->arena, t->link->name.p, t->link->name.n) : "company";
    for (size_t i = 0; i < n; i++) {
        const struct party *p = list[i];
        struct reconcile_total one = {.flow = flow, .party_of = of, .party = p->name, .source_records = p->records[0], .target_records = p->records[1],
                                      .source_sum = value_decimal(0, 0), .target_sum = value_decimal(0, 0)};
        bool counts = p->records[0] != p->records[1] || p->overflow;
        one.differs = counts;
        if (t->nfields == 0) sink->total(sink->ctx, &one);
        for (size_t k = 0; k < t->nfields; k++) {
            one.field = t->fields[k]->name;
            one.source_sum = p->sums[k];
            one.target_sum = p->sums[t->nfields + k];
            one.differs = counts || decimal_compare(&one.source_sum, &one.target_sum) != 0;
            sink->total(sink->ctx, &one);
        }
    }
}
