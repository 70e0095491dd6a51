/* lookup.c - what has to be known before a write: does our key stand in the target already, did people make the record before, is a fill field
 * empty. Each answer that decides something is journaled before it is used. (Links: link.c. Lines: lines.c.) */
#include "sync/sync_private.h"
#include "value/date.h"

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

struct value in_our_form(const struct type *t, const struct value *v)
{
    struct value out = value_absent;
    if (v->kind == V_TEXT && (t->base == T_DECIMAL ? decimal_parse_json(value_str(v), &out)
                              : t->base == T_DATE ? date_parse(value_str(v), &out)
                              : t->base == T_INSTANT && datetime_parse(value_str(v), &out)))
        return out;
    return t->base == T_TEXT && v->kind != V_TEXT ? value_absent : *v;
}

/* The fields of a hit as our images hold them; links are left out, for a symbol cannot be told from an id, and lists, which are read on their own. */
struct str old_image(const struct image_flow *fl, const struct record *hit, struct arena *a)
{
    struct record r = {ARENA_ARRAY(a, struct record_field, hit->n + 1), 0};
    for (size_t i = 0; i < hit->n; i++) {
        const struct image_field *field = flow_field(fl, hit->f[i].name);
        if (!field || field->type.base == T_LINK || field->type.base == T_LIST) continue;
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
    size_t n = 0;
    *out = ARENA_ARRAY(a, struct str, fl->nfields + 1);
    for (size_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].type.base != T_LIST) (*out)[n++] = fl->fields[i].name;
    return n;
}

enum err emit_reject(struct engine *e, struct sync_flow *sf, const struct send_item *it, const char *why, struct fault *f)
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
    if (sf->module_empty || sf->fl->into) return ERR_OK;
    struct str *values = ARENA_ARRAY(a, struct str, LIMIT_COQL_IN), *want;
    size_t *index = ARENA_ARRAY(a, size_t, LIMIT_COQL_IN);
    size_t nwant = field_names(sf->fl, a, &want);
    for (size_t at = 0; at < n;) {
        size_t nv = 0;
        for (; at < n && nv < LIMIT_COQL_IN; at++) {
            if (items[at].skip || items[at].row.id.n) continue;
            index[nv] = at;
            values[nv++] = key_written(e->vm, sf->fl, items[at].key, a);
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
            if (!items[index[i]].skip) err = gone_item(e, sf, &items[index[i]], f);
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
