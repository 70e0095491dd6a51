/* link.c - links of a record to others, from the symbols in its wanted image to ids: `ref` is a record of another flow, which is waited for; `find` is
 * looked up in the target, and the answer is journaled before it is used. A link stands in a field, or in a column of a list field, once a line.
 *
 *   wanted image --places, symbols--> ref:  the parent's row --> id, or WAITING until it has one
 *                                     find: index of answers, else the target (100 values a call) --LINK frame--> id */
#include "sync/sync_private.h"
#include "code/opcode.h"

enum { LINK_TTL_MS = 6 * 3600 * 1000, LINK_SYMBOL_MAX = 300 };

/* ---- places ---- */
/* Which link site feeds which field: a link is always a field's whole right side, so LINK and SET share a register. */
static uint16_t *sites_of(const struct image_flow *fl, struct arena *a)
{
    enum opcode_word { W_OP, W_A, W_B, W_C, WORDS };
    uint16_t *field = ARENA_ARRAY(a, uint16_t, fl->nfields + 1), *site = ARENA_ARRAY(a, uint16_t, fl->nregisters + 1);
    for (size_t i = 0; i < fl->nfields; i++) field[i] = NO_LINK;
    for (size_t i = 0; i < fl->nregisters; i++) site[i] = NO_LINK;
    for (size_t i = 0; i < fl->map.ninstr; i++) {
        const uint16_t *w = fl->map.code + i * WORDS;
        if (w[W_OP] == OP_LINK) site[w[W_A]] = w[W_B];
        if (w[W_OP] == OP_MOVE && site[w[W_B]] != NO_LINK) site[w[W_A]] = site[w[W_B]];
        if (w[W_OP] == OP_SET && site[w[W_B]] != NO_LINK) field[w[W_A]] = site[w[W_B]];
    }
    return field;
}

static void add_places(struct sync_flow *sf, const struct image_flow *fl, uint16_t field, struct arena *a)
{
    const uint16_t *site = sites_of(fl, a);
    for (uint16_t i = 0; i < fl->nfields; i++)
        if (site[i] != NO_LINK)
            sf->places[sf->nplaces++] = (struct link_place){&fl->links[site[i]], field == NO_COLUMN ? i : field, field == NO_COLUMN ? NO_COLUMN : i};
}

void link_places(struct sync_flow *sf, struct arena *a)
{
    const struct image_flow *fl = sf->fl;
    size_t max = fl->nfields;
    for (size_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].lines) max += fl->lines[fl->fields[i].lines - 1].body->nfields;
    sf->places = ARENA_ARRAY(a, struct link_place, max + 1);
    sf->nplaces = 0;
    add_places(sf, fl, NO_COLUMN, a);
    for (uint16_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].lines) add_places(sf, fl->lines[fl->fields[i].lines - 1].body, i, a);
}

bool link_waits(const struct sync_flow *sf)
{
    for (size_t i = 0; i < sf->nplaces; i++)
        if (sf->places[i].l->kind == LINK_REF) return true;
    return sf->fl->into > 0;
}

const struct image_link *link_at(const struct sync_flow *sf, size_t field, size_t column)
{
    for (size_t i = 0; i < sf->nplaces; i++)
        if (sf->places[i].field == field && sf->places[i].column == column) return sf->places[i].l;
    return NULL;
}

bool link_symbol_at(const struct sync_flow *sf, const struct link_place *p, const struct record *wanted, size_t i, struct str *symbol)
{
    const struct image_field *fd = &sf->fl->fields[p->field];
    const struct value *v = record_get(wanted, fd->name);
    *symbol = (struct str){NULL, 0};
    if (!v) return false;
    if (p->column == NO_COLUMN) {
        if (i == 0 && v->kind == V_TEXT) *symbol = value_str(v);
        return i == 0;
    }
    if (v->kind != V_LIST || i >= v->u.list->nlines || p->column >= v->u.list->nfields) return false;
    const struct value *in = &v->u.list->lines[i].fields[p->column];
    if (in->kind == V_TEXT) *symbol = value_str(in);
    return true;
}

bool link_stands(const struct sync_flow *sf, const struct image_link *l, const struct record *image, struct str symbol, struct str *field)
{
    for (size_t p = 0; p < sf->nplaces; p++) {
        struct str have;
        if (sf->places[p].l != l) continue;
        for (size_t i = 0; link_symbol_at(sf, &sf->places[p], image, i, &have); i++) {
            if (!have.n || !str_eq(have, symbol)) continue;
            *field = sf->fl->fields[sf->places[p].field].name;
            return true;
        }
    }
    return false;
}

/* `once` is not sent again. */
static bool link_is_sent(const struct sync_flow *sf, const struct link_place *p, const struct send_item *it)
{
    return !it->skip && !(sf->fl->fields[p->field].mode == FIELD_ONCE && it->row.id.n);
}

/* ---- ref: a record of another flow ---- */
struct str link_parent_key(struct str child, struct str symbol, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    size_t n = 1;
    if (rowkey_parts(child, a, parts, LIMIT_KEY_PARTS + 1) == 0) return (struct str){NULL, 0};
    for (struct str rest = symbol; n <= LIMIT_KEY_PARTS;) {
        const char *sep = rest.n ? memchr(rest.p, 0x1F, rest.n) : NULL;
        parts[n++] = (struct str){rest.p, sep ? (size_t)(sep - rest.p) : rest.n};
        if (!sep) break;
        rest = (struct str){sep + 1, rest.n - (size_t)(sep + 1 - rest.p)};
    }
    struct buf b = {0};
    bool good = rowkey_make(&b, parts, n);
    struct str key = {arena_copy(a, b.p, b.n), good ? b.n : 0};
    buf_free(&b);
    return key;
}

enum link_parent link_parent_row(struct engine *e, uint16_t flow, struct str key, struct arena *a, struct row *row)
{
    struct flow_state st;
    *row = (struct row){0};
    if (!key.n || !store_flow(e->store, e->image->flows[flow].name, &st) || store_row(e->store, st.id, key, a, row, NULL) != ERR_OK) return PARENT_UNKNOWN;
    if (row->flags & ROW_F_VOID) return PARENT_DELETED;
    return row->id.n ? PARENT_THERE : PARENT_NOT_YET;
}

static struct str parent_id(struct engine *e, const struct image_link *l, struct str child, struct str symbol, struct arena *a)
{
    struct row row;
    return link_parent_row(e, l->flow, link_parent_key(child, symbol, a), a, &row) == PARENT_THERE ? row.id : (struct str){NULL, 0};
}

enum err link_wait(struct engine *e, struct sync_flow *sf, struct send_item *it, uint16_t flow, struct str key, bool deleted, struct arena *a, struct fault *f)
{
    const struct image_flow *parent = &e->image->flows[flow];
    struct str text = key_text_of(parent, key, a);
    emit_begin(e, FRAME_ROW, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_STATE, ROW_WAITING);
    event_put_int(&e->pub, EV_FLAGS, it->row.flags & (ROW_F_LEFT | ROW_F_GONE | ROW_F_FORCE));
    event_put(&e->pub, EV_PARENT_FLOW, parent->name);
    event_put(&e->priv, EV_PARENT_KEY, key);
    event_put_text(&e->priv, EV_WHY, arena_printf(a, "waits for %.*s %.*s, which %s", (int)parent->name.n, parent->name.p, (int)text.n, text.p,
                                                  deleted ? "was deleted in the target" : "is not in the target yet"));
    it->skip = true;
    return emit_end(e, f);
}

static enum err wait_for_parents(struct engine *e, struct sync_flow *sf, const struct link_place *p, struct send_item *items, size_t n, struct arena *a,
                                 struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        struct str symbol;
        for (size_t k = 0; link_is_sent(sf, p, &items[i]) && link_symbol_at(sf, p, &items[i].wanted, k, &symbol); k++) {
            struct arena_mark m = arena_mark(a);
            struct row row;
            struct str key = symbol.n ? link_parent_key(items[i].key, symbol, a) : symbol;
            enum link_parent parent = symbol.n ? link_parent_row(e, p->l->flow, key, a, &row) : PARENT_THERE;
            enum err err = parent == PARENT_THERE ? ERR_OK : link_wait(e, sf, &items[i], p->l->flow, key, parent == PARENT_DELETED, a, f);
            arena_release(a, m);
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}

/* ---- find ---- */
/* What an answer is kept under: the field, or all fields of a find with several conditions. */
struct str link_asked(const struct image_link *l, struct arena *a)
{
    struct str name = l->field;
    for (size_t i = 0; i < l->nmore; i++) name = str_of(arena_printf(a, "%.*s,%.*s", (int)name.n, name.p, (int)l->more[i].n, l->more[i].p));
    return name;
}

/* The i-th value of a symbol; empty behind the last. */
struct str link_part(struct str symbol, size_t i)
{
    for (;; i--) {
        const char *sep = symbol.n ? memchr(symbol.p, 0x1F, symbol.n) : NULL;
        struct str part = {symbol.p, sep ? (size_t)(sep - symbol.p) : symbol.n};
        if (i == 0) return part;
        if (!sep) return (struct str){NULL, 0};
        symbol = (struct str){sep + 1, symbol.n - part.n - 1};
    }
}

struct str link_id(struct engine *e, const struct image_link *l, struct str child, struct str symbol, struct arena *a)
{
    struct str id = {NULL, 0};
    int64_t at;
    if (l->kind == LINK_REF) return parent_id(e, l, child, symbol, a);
    return store_link(e->store, l->module, link_asked(l, a), symbol, a, &id, &at) ? id : (struct str){NULL, 0};
}

bool link_holds(struct engine *e, const struct sync_flow *sf, size_t field, struct str child, const struct value *symbol, const struct value *there, struct arena *a)
{
    const struct image_link *l = link_at(sf, field, NO_COLUMN);
    if (!l || symbol->kind != V_TEXT) return same_in_target(symbol, there);
    struct str id = link_id(e, l, child, value_str(symbol), a);
    return there->kind == V_ID ? str_eq(value_str(there), id) : !value_present(there) && id.n == 0;
}

/* Of the records that hold the first value those that hold the others too. */
static size_t all_hold(const struct image_link *l, const struct str *symbols, struct lookup_hit *hits, size_t n)
{
    size_t kept = 0;
    for (size_t h = 0; h < n; h++) {
        bool all = true;
        for (size_t i = 0; i < l->nmore && all; i++) {
            const struct value *have = record_get(&hits[h].fields, l->more[i]);
            struct value want = value_text(link_part(symbols[hits[h].value_index], i + 1));
            all = have && same_in_target(&want, have);
        }
        if (all) hits[kept++] = hits[h];
    }
    return kept;
}

enum err link_ask(struct sync_flow *sf, const struct image_link *l, const struct str *symbols, size_t n, struct arena *a, struct lookup_hit **hits,
                  size_t *nhits, struct fault *f)
{
    struct str *first = ARENA_ARRAY(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) first[i] = l->nmore ? link_part(symbols[i], 0) : symbols[i];
    enum err err = sf->dst->tops->lookup(sf->dst->target, l->module, l->field, first, n, l->more, l->nmore, a, hits, nhits, f);
    if (err == ERR_OK) *nhits = all_hold(l, symbols, *hits, *nhits);
    return err;
}

/* The link symbols of one place that nobody answered lately, and the data key of the record that asks first. */
static size_t open_symbols(struct engine *e, struct sync_flow *sf, const struct link_place *p, struct send_item *items, size_t n, struct arena *a,
                           struct str *out, uint32_t *slots)
{
    int64_t now = world_wall_ms(e->w), at;
    size_t count = 0;
    struct str asked = link_asked(p->l, a);
    for (size_t i = 0; i < n; i++) {
        struct str symbol, id, key;
        uint16_t flow;
        for (size_t j = 0; count < LIMIT_COQL_IN && link_is_sent(sf, p, &items[i]) && link_symbol_at(sf, p, &items[i].wanted, j, &symbol); j++) {
            if (!symbol.n || symbol.n > LINK_SYMBOL_MAX) continue;          /* nothing in the target is that long: no answer */
            if (store_link(e->store, p->l->module, asked, symbol, a, &id, &at) && now - at < LINK_TTL_MS &&
                (id.n || order_own(e, sf, p->l, symbol, a, &flow, &key) != ORDER_THERE)) continue;
            bool seen = false;
            for (size_t k = 0; k < count && !seen; k++) seen = str_eq(out[k], symbol);
            if (seen) continue;
            slots[count] = items[i].row.slot;
            out[count++] = symbol;
        }
    }
    return count;
}

static enum err emit_links(struct engine *e, const struct image_link *l, const struct str *values, const uint32_t *slots, size_t n, const struct lookup_hit *hits,
                           size_t nhits, struct arena *a, struct fault *f)
{
    struct str asked = link_asked(l, a);
    for (size_t i = 0; i < n; i++) {
        struct str id = {"", 0};
        for (size_t k = 0; k < nhits; k++)
            if (hits[k].value_index == i) id = id.n ? STR(LINK_MANY) : hits[k].id;
        emit_begin(e, FRAME_LINK, NULL);
        e->building.slot = slots[i];           /* what is looked for may be the record's own: it is forgotten with it */
        store_link_hash(e->store, asked, values[i], e->building.key_hash);
        event_put(&e->pub, EV_MODULE, l->module);
        event_put(&e->pub, EV_FIELD, asked);
        event_put(&e->priv, EV_VALUE, values[i]);
        event_put(&e->priv, EV_ID, id);
        enum err err = emit_end(e, f);
        if (err != ERR_OK) return err;
    }
    return n ? emit_commit(e, f) : ERR_OK;
}

static enum err reject_many(struct engine *e, struct sync_flow *sf, const struct link_place *p, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct str name = sf->fl->fields[p->field].name, symbol;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; link_is_sent(sf, p, &items[i]) && link_symbol_at(sf, p, &items[i].wanted, k, &symbol); k++) {
            if (!symbol.n || !str_is(link_id(e, p->l, items[i].key, symbol, a), LINK_MANY)) continue;
            items[i].skip = true;
            enum err err = emit_reject(e, sf, &items[i], arena_printf(a, "%.*s: the find has two or more hits in %.*s", (int)name.n, name.p,
                                                                     (int)p->l->module.n, p->l->module.p), f);
            if (err != ERR_OK) return err;
        }
    return ERR_OK;
}

/* Records of this spec that are still to come are waited for, not missed. */
static enum err wait_for_own(struct engine *e, struct sync_flow *sf, const struct link_place *p, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        struct str symbol, key;
        uint16_t flow;
        for (size_t k = 0; link_is_sent(sf, p, &items[i]) && link_symbol_at(sf, p, &items[i].wanted, k, &symbol); k++) {
            struct arena_mark m = arena_mark(a);
            enum err err = order_own(e, sf, p->l, symbol, a, &flow, &key) == ORDER_COMING ? link_wait(e, sf, &items[i], flow, key, false, a, f) : ERR_OK;
            arena_release(a, m);
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}

enum err lookup_links(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct str *values = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN);
    uint32_t *slots = ARENA_ARRAY(a, uint32_t, LIMIT_COQL_IN);
    for (size_t i = 0; i < sf->nplaces; i++) {
        const struct link_place *p = &sf->places[i];
        enum err err = ERR_OK;
        if (p->l->kind == LINK_REF) err = wait_for_parents(e, sf, p, items, n, a, f);
        else err = wait_for_own(e, sf, p, items, n, a, f);
        for (size_t nv; p->l->kind == LINK_FIND && err == ERR_OK && (nv = open_symbols(e, sf, p, items, n, a, values, slots)) > 0;) {
            struct lookup_hit *hits = NULL;
            size_t nhits = 0;
            err = link_ask(sf, p->l, values, nv, a, &hits, &nhits, f);
            if (err == ERR_OK) err = emit_links(e, p->l, values, slots, nv, hits, nhits, a, f);
        }
        if (err == ERR_OK && p->l->kind == LINK_FIND) err = reject_many(e, sf, p, items, n, a, f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}
