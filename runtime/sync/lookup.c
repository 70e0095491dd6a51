/* lookup.c - what has to be known before a write: does our key stand in the target already, did people make the record before, which id does a find
 * mean, is a fill field empty. Each answer that decides something is journaled before it is used. */
#include "sync/sync_private.h"
#include "value/date.h"

enum { LINK_TTL_MS = 6 * 3600 * 1000, LINK_SYMBOL_MAX = 300 };
#define LINK_MANY "?"                  /* a find with two or more hits: the row is rejected */

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

/* A value read in the target, in the form our own images hold it; absent when it cannot be one. */
static struct value in_our_form(const struct type *t, const struct value *v)
{
    struct value out = value_absent;
    if (v->kind == V_TEXT && (t->base == T_DECIMAL ? decimal_parse_json(value_str(v), &out)
                              : t->base == T_DATE ? date_parse(value_str(v), &out)
                              : t->base == T_INSTANT && datetime_parse(value_str(v), &out)))
        return out;
    return t->base == T_TEXT && v->kind != V_TEXT ? value_absent : *v;
}

/* The fields of a hit as our images hold them; links are left out: a symbol cannot be told from an id. */
static struct str old_image(const struct image_flow *fl, const struct record *hit, struct arena *a)
{
    struct record r = {ARENA_ARRAY(a, struct record_field, hit->n + 1), 0};
    for (size_t i = 0; i < hit->n; i++) {
        const struct image_field *field = flow_field(fl, hit->f[i].name);
        if (!field || field->type.base == T_LINK) continue;
        r.f[r.n++] = (struct record_field){field->name, in_our_form(&field->type, &hit->f[i].v)};
    }
    struct buf b = {0};
    record_encode(&b, &r);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

static size_t field_names(const struct image_flow *fl, struct arena *a, struct str **out)
{
    *out = ARENA_ARRAY(a, struct str, fl->nfields + 1);
    for (size_t i = 0; i < fl->nfields; i++) (*out)[i] = fl->fields[i].name;
    return fl->nfields;
}

static enum err emit_reject(struct engine *e, struct sync_flow *sf, const struct send_item *it, const char *why, struct fault *f)
{
    emit_begin(e, FRAME_REJECT, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_STATE, ROW_REJECTED);
    event_put_int(&e->pub, EV_FLAGS, it->row.flags & (ROW_F_LEFT | ROW_F_GONE));
    event_put_text(&e->priv, EV_WHY, why);
    e->result.rejected++;
    return emit_end(e, f);
}

static enum err emit_adopt(struct engine *e, struct sync_flow *sf, const struct send_item *it, const struct lookup_hit *hit, const char *by,
                           struct arena *a, struct fault *f)
{
    emit_begin(e, FRAME_ADOPT, sf);
    emit_key(e, it->key, it->row.slot);
    event_put(&e->priv, EV_ID, hit->id);
    event_put(&e->priv, EV_OLD, old_image(sf->fl, &hit->fields, a));
    event_put_text(&e->pub, EV_BY, by);
    e->result.adopted++;
    return emit_end(e, f);
}

/* ---- our own key ---- */
static enum err take_id(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct lookup_hit *hit, struct arena *a, struct fault *f)
{
    struct flow_state st = {0};
    struct str other;
    store_flow(e->store, sf->name, &st);
    it->skip = true;
    if (store_by_id(e->store, st.id, hit->id, a, &other) == ERR_OK && !str_eq(other, it->key)) {
        struct str text = key_text_of(sf->fl, other, a);
        return emit_reject(e, sf, it, arena_printf(a, "record %.*s in the target belongs to %.*s already", (int)hit->id.n, hit->id.p, (int)text.n, text.p), f);
    }
    return emit_adopt(e, sf, it, hit, "our key", a, f);
}

enum err lookup_ids(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    if (sf->module_empty) return ERR_OK;
    struct str *values = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN), *want;
    size_t *index = ARENA_ARRAY(a, size_t, LIMIT_COQL_IN);
    size_t nwant = field_names(sf->fl, a, &want);
    for (size_t at = 0; at < n;) {
        size_t nv = 0;
        for (; at < n && nv < LIMIT_COQL_IN; at++) {
            if (items[at].skip || items[at].row.id.n) continue;
            index[nv] = at;
            values[nv++] = key_text_of(sf->fl, items[at].key, a);
        }
        struct lookup_hit *hits = NULL;
        size_t nhits = 0;
        if (nv == 0) break;
        enum err err = sf->dst->tops->lookup(sf->dst->target, sf->fl->module, sf->fl->fields[sf->fl->key_field].name, values, nv, want, nwant, a,
                                             &hits, &nhits, f);
        for (size_t i = 0; i < nhits && err == ERR_OK; i++) {
            struct send_item *it = &items[index[hits[i].value_index]];
            if (!it->skip) err = take_id(e, sf, it, &hits[i], a, f);
        }
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* Rows whose id is known but not what stands there: an adoption by hand, an insert that turned out to be applied. */
enum err lookup_unread(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct str *ids = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN), *want;
    size_t *index = ARENA_ARRAY(a, size_t, LIMIT_COQL_IN), nwant = field_names(sf->fl, a, &want);
    for (size_t at = 0; at < n;) {
        size_t ni = 0;
        for (; at < n && ni < LIMIT_COQL_IN; at++) {
            if (items[at].skip || !items[at].row.id.n || !(items[at].row.flags & ROW_F_UNREAD)) continue;
            index[ni] = at;
            ids[ni++] = items[at].row.id;
        }
        struct lookup_hit *hits = NULL;
        size_t nhits = 0;
        if (ni == 0) break;
        enum err err = sf->dst->tops->read(sf->dst->target, sf->fl->module, ids, ni, want, nwant, a, &hits, &nhits, f);
        for (size_t i = 0; i < nhits && err == ERR_OK; i++) {
            struct send_item *it = &items[index[hits[i].value_index]];
            it->skip = true;
            err = emit_adopt(e, sf, it, &hits[i], "read back", a, f);
            e->result.adopted--;
        }
        for (size_t i = 0; i < ni && err == ERR_OK; i++) {
            if (items[index[i]].skip) continue;
            items[index[i]].skip = true;
            err = emit_reject(e, sf, &items[index[i]], "the record does not exist in the target any more; mlcd replay --recreate makes it anew", f);
        }
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* ---- records that people made ---- */
static bool by_hand(const struct lookup_hit *hit, struct str key_field)
{
    const struct value *v = record_get(&hit->fields, key_field);
    return !v || !value_present(v);
}

enum err candidates_of(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct str *ids, struct str *names,
                       struct fault *f)
{
    const struct image_flow *fl = sf->fl;
    struct str key_field = fl->fields[fl->key_field].name;
    struct value *cols = ARENA_ARRAY(a, struct value, fl->ncolumns + 1);
    struct str *values = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN);
    size_t *index = ARENA_ARRAY(a, size_t, LIMIT_COQL_IN);
    for (size_t at = 0; at < n;) {
        size_t nv = 0;
        for (; at < n && nv < LIMIT_COQL_IN; at++) {
            if (items[at].skip || items[at].row.id.n || (items[at].row.flags & ROW_F_CREATE)) continue;
            if (!items[at].row.snapshot.n || !snapshot_cols(fl, items[at].row.snapshot, a, cols)) continue;
            struct value v = vm_adopt(e->vm, fl, cols);
            if (v.kind != V_TEXT) continue;
            index[nv] = at;
            names[at] = values[nv++] = keep(a, value_str(&v));
        }
        struct lookup_hit *hits = NULL;
        size_t nhits = 0;
        if (nv == 0) break;
        enum err err = sf->dst->tops->lookup(sf->dst->target, fl->module, fl->adopt_field, values, nv, &key_field, 1, a, &hits, &nhits, f);
        if (err != ERR_OK) return err;
        for (size_t i = 0; i < nhits; i++) {
            if (!by_hand(&hits[i], key_field)) continue;
            for (size_t k = 0; k < nv; k++) {
                if (!str_eq(values[k], values[hits[i].value_index])) continue;     /* two source rows may have one name */
                struct str *list = &ids[index[k]];
                char *joined = arena_printf(a, "%.*s%s%.*s", (int)list->n, list->n ? list->p : "", list->n ? "," : "", (int)hits[i].id.n, hits[i].id.p);
                *list = str_of(joined);
            }
        }
    }
    return ERR_OK;
}

/* ---- ref: a record of another flow ---- */
/* The parent's natural key: the child's company, then the arguments, which stand in the symbol parted by the unit separator. */
static struct str parent_key(struct str child, struct str symbol, struct arena *a)
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

static struct str parent_id(struct engine *e, const struct image_link *l, struct str child, struct str symbol, struct arena *a)
{
    struct flow_state st;
    struct row row;
    struct str key = parent_key(child, symbol, a);
    if (!key.n || !store_flow(e->store, e->image->flows[l->flow].name, &st)) return (struct str){NULL, 0};
    return store_row(e->store, st.id, key, a, &row, NULL) == ERR_OK ? row.id : (struct str){NULL, 0};
}

/* Waits until the parent is in the target; shown with what it waits for. */
static enum err wait_for_parent(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct image_link *l, struct str symbol, struct arena *a,
                                struct fault *f)
{
    const struct image_flow *parent = &e->image->flows[l->flow];
    struct str key = parent_key(it->key, symbol, a), text = key_text_of(parent, key, a);
    emit_begin(e, FRAME_ROW, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_STATE, ROW_WAITING);
    event_put_int(&e->pub, EV_FLAGS, it->row.flags & (ROW_F_LEFT | ROW_F_GONE | ROW_F_FORCE));
    event_put(&e->pub, EV_PARENT_FLOW, parent->name);
    event_put(&e->priv, EV_PARENT_KEY, key);
    event_put_text(&e->priv, EV_WHY, arena_printf(a, "waits for %.*s %.*s, which is not in the target yet", (int)parent->name.n, parent->name.p, (int)text.n, text.p));
    it->skip = true;
    return emit_end(e, f);
}

static bool link_is_sent(const struct image_field *fd, const struct send_item *it)
{
    return !(fd->mode == FIELD_ONCE && it->row.id.n);
}

static enum err wait_for_parents(struct engine *e, struct sync_flow *sf, size_t field, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    const struct image_field *fd = &sf->fl->fields[field];
    const struct image_link *l = &sf->fl->links[sf->field_link[field]];
    for (size_t i = 0; i < n; i++) {
        const struct value *v = items[i].skip || !link_is_sent(fd, &items[i]) ? NULL : record_get(&items[i].wanted, fd->name);
        if (!v || v->kind != V_TEXT || parent_id(e, l, items[i].key, value_str(v), a).n) continue;
        enum err err = wait_for_parent(e, sf, &items[i], l, value_str(v), a, f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* ---- links ---- */
struct str link_id(struct engine *e, struct sync_flow *sf, struct str child, struct str field, struct str symbol, struct arena *a)
{
    const struct image_field *fd = flow_field(sf->fl, field);
    uint16_t site = fd ? sf->field_link[fd - sf->fl->fields] : NO_LINK;
    struct str id = {NULL, 0};
    int64_t at;
    if (site == NO_LINK) return id;
    const struct image_link *l = &sf->fl->links[site];
    if (l->kind == LINK_REF) return parent_id(e, l, child, symbol, a);
    return store_link(e->store, l->module, l->field, symbol, a, &id, &at) ? id : (struct str){NULL, 0};
}

/* The link symbols of one site that nobody answered lately. */
static size_t open_symbols(struct engine *e, struct sync_flow *sf, size_t field, struct send_item *items, size_t n, struct arena *a, struct str *out)
{
    const struct image_field *fd = &sf->fl->fields[field];
    const struct image_link *l = &sf->fl->links[sf->field_link[field]];
    int64_t now = world_wall_ms(e->w), at;
    size_t count = 0;
    for (size_t i = 0; i < n && count < LIMIT_COQL_IN; i++) {
        if (items[i].skip || !link_is_sent(fd, &items[i])) continue;
        const struct value *v = record_get(&items[i].wanted, fd->name);
        if (!v || v->kind != V_TEXT) continue;
        struct str symbol = value_str(v), id;
        if (symbol.n > LINK_SYMBOL_MAX) continue;          /* nothing in the target is that long: no answer */
        if (store_link(e->store, l->module, l->field, symbol, a, &id, &at) && now - at < LINK_TTL_MS) continue;
        bool seen = false;
        for (size_t k = 0; k < count && !seen; k++) seen = str_eq(out[k], symbol);
        if (!seen) out[count++] = symbol;
    }
    return count;
}

static enum err emit_links(struct engine *e, const struct image_link *l, const struct str *values, size_t n, const struct lookup_hit *hits, size_t nhits,
                           struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        struct str id = {"", 0};
        for (size_t k = 0; k < nhits; k++)
            if (hits[k].value_index == i) id = id.n ? STR(LINK_MANY) : hits[k].id;
        emit_begin(e, FRAME_LINK, NULL);
        event_put(&e->pub, EV_MODULE, l->module);
        event_put(&e->pub, EV_FIELD, l->field);
        event_put(&e->priv, EV_VALUE, values[i]);
        event_put(&e->priv, EV_ID, id);
        enum err err = emit_end(e, f);
        if (err != ERR_OK) return err;
    }
    return n ? emit_commit(e, f) : ERR_OK;
}

enum err lookup_links(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    struct str *values = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN);
    for (size_t field = 0; field < sf->fl->nfields; field++) {
        if (sf->field_link[field] == NO_LINK) continue;
        const struct image_link *l = &sf->fl->links[sf->field_link[field]];
        if (l->kind == LINK_REF) {
            enum err err = wait_for_parents(e, sf, field, items, n, a, f);
            if (err != ERR_OK) return err;
            continue;
        }
        for (size_t nv; (nv = open_symbols(e, sf, field, items, n, a, values)) > 0;) {
            struct lookup_hit *hits = NULL;
            size_t nhits = 0;
            enum err err = sf->dst->tops->lookup(sf->dst->target, l->module, l->field, values, nv, NULL, 0, a, &hits, &nhits, f);
            if (err == ERR_OK) err = emit_links(e, l, values, nv, hits, nhits, f);
            if (err != ERR_OK) return err;
        }
        for (size_t i = 0; i < n; i++) {
            const struct value *v = items[i].skip ? NULL : record_get(&items[i].wanted, sf->fl->fields[field].name);
            if (!v || v->kind != V_TEXT || (sf->fl->fields[field].mode == FIELD_ONCE && items[i].row.id.n)) continue;
            struct str id = link_id(e, sf, items[i].key, sf->fl->fields[field].name, value_str(v), a);
            if (!str_is(id, LINK_MANY)) continue;
            items[i].skip = true;
            struct str name = sf->fl->fields[field].name;
            enum err err = emit_reject(e, sf, &items[i], arena_printf(a, "%.*s: the find has two or more hits in %.*s", (int)name.n, name.p,
                                                                     (int)l->module.n, l->module.p), f);
            if (err != ERR_OK) return err;
        }
    }
    return ERR_OK;
}

/* ---- fill ---- */
enum err lookup_fill(struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct record *found, struct fault *f)
{
    const struct image_flow *fl = sf->fl;
    struct str *want = ARENA_ARRAY(a, struct str, fl->nfields + 1), *ids = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN);
    size_t *index = ARENA_ARRAY(a, size_t, LIMIT_COQL_IN), nwant = 0;
    for (size_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].mode == FIELD_FILL) want[nwant++] = fl->fields[i].name;
    for (size_t at = 0; at < n && nwant;) {
        size_t ni = 0;
        for (; at < n && ni < LIMIT_COQL_IN; at++) {
            bool moved = false;
            for (size_t k = 0; k < nwant && !moved; k++) {
                const struct value *w = record_get(&items[at].wanted, want[k]), *have = record_get(&items[at].written, want[k]);
                moved = w && value_present(w) && !(have && value_equal(w, have));
            }
            if (items[at].skip || !items[at].row.id.n || !moved) continue;
            index[ni] = at;
            ids[ni++] = items[at].row.id;
        }
        struct lookup_hit *hits = NULL;
        size_t nhits = 0;
        if (ni == 0) break;
        enum err err = sf->dst->tops->read(sf->dst->target, fl->module, ids, ni, want, nwant, a, &hits, &nhits, f);
        if (err != ERR_OK) return err;
        for (size_t i = 0; i < nhits; i++) found[index[hits[i].value_index]] = hits[i].fields;
    }
    return ERR_OK;
}
