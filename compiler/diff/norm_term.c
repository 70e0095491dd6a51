/* norm_term.c - interned terms and leaves of normal forms; see norm.h. A table of byte strings holds terms, diagrams and remembered results. */
#include "compiler/diff/norm.h"
#include "base/check.h"

enum { FIRST_SLOTS = 1024 };

/* ---- the table ---- */

static uint64_t key_of(struct str s)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h ^ (h >> 29);
}

static size_t slot_of(const struct norm *u, uint64_t key, struct str bytes)
{
    size_t i = (size_t)key & (u->nslots - 1);
    while (u->slots[i].what) {
        const struct norm_slot *s = &u->slots[i];
        if (s->key == key && s->n == bytes.n && memcmp(s->bytes, bytes.p, bytes.n) == 0) break;
        i = (i + 1) & (u->nslots - 1);
    }
    return i;
}

void *norm_get(struct norm *u, struct str bytes)
{
    return u->slots[slot_of(u, key_of(bytes), bytes)].what;
}

static void grow(struct norm *u)
{
    struct norm_slot *old = u->slots;
    size_t n = u->nslots;
    u->nslots *= 2;
    u->slots = ARENA_ARRAY(u->arena, struct norm_slot, u->nslots);
    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)old[i].key & (u->nslots - 1);
        if (!old[i].what) continue;
        while (u->slots[at].what) at = (at + 1) & (u->nslots - 1);
        u->slots[at] = old[i];
    }
}

void norm_put(struct norm *u, struct str bytes, void *what)
{
    if (u->used * 2 >= u->nslots) grow(u);
    uint64_t key = key_of(bytes);
    struct norm_slot *s = &u->slots[slot_of(u, key, bytes)];
    ASSERT(s->what == NULL && what != NULL);
    *s = (struct norm_slot){key, (const unsigned char *)arena_copy(u->arena, bytes.p, bytes.n), bytes.n, what};
    u->used++;
}

/* ---- terms ---- */

void norm_put_table(struct buf *b, const struct image_table *t)
{
    buf_varint(b, t->n);
    for (size_t i = 0; i < t->n; i++) {
        value_encode(b, &t->keys[i]);
        value_encode(b, &t->values[i]);
    }
    buf_byte(b, t->has_else);
    if (t->has_else) value_encode(b, &t->else_value);
}

static void put_term(struct buf *b, const struct term *t)
{
    buf_byte(b, 'T');
    buf_byte(b, (unsigned char)t->kind);
    buf_byte(b, t->base);
    buf_byte(b, t->scale);
    buf_byte(b, t->maybe);
    buf_u32(b, t->index);
    if (t->kind == TERM_CONST || t->kind == TERM_REJECT) value_encode(b, &t->value);
    buf_blob(b, t->name);
    if (t->table) {                       /* by content, and short */
        struct buf rows = {0};
        norm_put_table(&rows, t->table);
        struct hash h = hash_of(buf_view(&rows));
        buf_put(b, h.b, HASH_BYTES);
        buf_free(&rows);
    }
    buf_varint(b, t->nargs);
    for (size_t i = 0; i < t->nargs; i++) buf_u32(b, t->args[i]->id);
    buf_varint(b, t->nmonos);
    for (size_t i = 0; i < t->nmonos; i++) {
        buf_varint(b, t->monos[i].n);
        for (size_t k = 0; k < t->monos[i].n; k++) buf_u32(b, t->monos[i].atoms[k]->id);
        value_encode(b, &t->monos[i].coef);
    }
}

struct term *norm_term(struct norm *u, const struct term *proto)
{
    struct buf b = {0};
    put_term(&b, proto);
    struct term *t = norm_get(u, buf_view(&b));
    if (!t) {
        t = ARENA_NEW(u->arena, struct term);
        *t = *proto;
        t->id = u->nterms++;
        t->args = ARENA_ARRAY(u->arena, struct dd *, proto->nargs + 1);
        if (proto->nargs) memcpy(t->args, proto->args, proto->nargs * sizeof *t->args);
        norm_put(u, buf_view(&b), t);
    }
    buf_free(&b);
    return t;
}

struct dd *norm_leaf(struct norm *u, struct term *t)
{
    struct buf b = {0};
    buf_byte(&b, 'L');
    buf_u32(&b, t->id);
    struct dd *f = norm_get(u, buf_view(&b));
    if (!f) {
        f = ARENA_NEW(u->arena, struct dd);
        *f = (struct dd){.id = u->ndds++, .leaf = true, .term = t};
        norm_put(u, buf_view(&b), f);
    }
    buf_free(&b);
    return f;
}

static struct dd *word(struct norm *u, enum term_kind kind)
{
    struct term t = {.kind = kind};
    return norm_leaf(u, norm_term(u, &t));
}

static uint8_t base_of(const struct value *v)
{
    static const uint8_t bases[] = {[V_BOOL] = T_BOOL, [V_TEXT] = T_TEXT, [V_DECIMAL] = T_DECIMAL, [V_DATE] = T_DATE, [V_LOCAL] = T_LOCAL,
                                    [V_INSTANT] = T_INSTANT, [V_LINK] = T_LINK, [V_ID] = T_LINK};
    return bases[v->kind];
}

struct dd *norm_const(struct norm *u, const struct value *v)
{
    if (!value_present(v)) return u->absent;
    struct term t = {.kind = TERM_CONST, .value = *v, .base = base_of(v)};
    if (v->kind == V_DECIMAL) {
        t.value = norm_number(v);
        t.scale = t.value.scale;
    }
    t.value.spare = 0;
    return norm_leaf(u, norm_term(u, &t));
}

struct dd *norm_reject(struct norm *u, struct str message)
{
    struct term t = {.kind = TERM_REJECT, .value = value_text(message)};
    return norm_leaf(u, norm_term(u, &t));
}

/* Yes/no terms are asked about at once, so that their leaves are yes and no; other terms stand for themselves. */
struct dd *norm_value(struct norm *u, struct term *t, bool sure)
{
    if (t->kind == TERM_JUNK) return u->junk;
    struct cell cells[2] = {{.from = NORM_LOWEST, .to = u->no}, {.from = 1, .to = u->yes}};
    struct dd *absent = t->maybe ? (sure ? u->junk : u->absent) : NULL;
    if (t->base == T_BOOL) return norm_case(u, t, absent, cells, 2, NULL);
    struct dd *self = norm_leaf(u, t);
    if (!absent || sure) return self;
    cells[0].to = self;
    return t->base == T_TEXT ? norm_case(u, t, absent, NULL, 0, self) : norm_case(u, t, absent, cells, 1, NULL);
}

void norm_init(struct norm *u, struct arena *a)
{
    *u = (struct norm){.arena = a, .nslots = FIRST_SLOTS};
    struct value yes = value_bool(true), no = value_bool(false);
    u->slots = ARENA_ARRAY(a, struct norm_slot, u->nslots);
    u->absent = word(u, TERM_ABSENT);
    u->keep = word(u, TERM_KEEP);
    u->out = word(u, TERM_OUT);
    u->junk = word(u, TERM_JUNK);
    u->yes = norm_const(u, &yes);
    u->no = norm_const(u, &no);
}
