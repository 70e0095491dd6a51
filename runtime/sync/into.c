/* into.c - flows that add fields to the records of another flow. Such a row is a row of its own: state, wanted and written image, audit entries; what it
 * lacks is a record. That is the parent's: the row waits until the parent has an id, takes that id, reads what stands in its fields, and from then on
 * is written by id like any other. No field is written by both flows (the compiler sees to it), and never are both on their way at once.
 *
 *   row -vm_into-> symbol, kept in the wanted image as INTO_FIELD -> parent's row -> id -> read back -> update by id
 *
 * Two rows that add to one record would undo each other: the second waits until the first has left. */
#include "sync/sync_private.h"

struct str into_symbol(const struct send_item *it)
{
    const struct value *v = record_get(&it->wanted, STR(INTO_FIELD));
    if (!v) v = record_get(&it->written, STR(INTO_FIELD));
    return v && v->kind == V_TEXT ? value_str(v) : (struct str){NULL, 0};
}

/* The row of this flow that adds to the record already; false when none does, or one that is over. */
static bool other_adds(struct engine *e, struct sync_flow *sf, struct str key, struct str id, struct arena *a, struct str *other)
{
    struct flow_state st;
    struct row row;
    if (!store_flow(e->store, sf->name, &st) || store_by_id(e->store, st.id, id, a, other) != ERR_OK || str_eq(*other, key)) return false;
    return store_row(e->store, st.id, *other, a, &row, NULL) == ERR_OK && row.state != ROW_LEFT && row.state != ROW_GONE;
}

static enum err wait_for_other(struct engine *e, struct sync_flow *sf, struct send_item *it, struct str other, struct str id, struct arena *a, struct fault *f)
{
    struct str text = key_text_of(sf->fl, other, a);
    emit_begin(e, FRAME_ROW, sf);
    emit_key(e, it->key, it->row.slot);
    event_put_int(&e->pub, EV_STATE, ROW_WAITING);
    event_put_int(&e->pub, EV_FLAGS, it->row.flags & (ROW_F_LEFT | ROW_F_GONE | ROW_F_FORCE));
    event_put(&e->pub, EV_PARENT_FLOW, sf->name);
    event_put(&e->priv, EV_PARENT_KEY, other);
    event_put_text(&e->priv, EV_WHY, arena_printf(a, "row %.*s adds to record %.*s already; this one waits until that one leaves", (int)text.n, text.p, (int)id.n, id.p));
    it->skip = true;
    return emit_end(e, f);
}

/* The record is another one than before, or known for the first time: its fields are read before they are written. */
static enum err take_id(struct engine *e, struct sync_flow *sf, struct send_item *it, struct str id, struct fault *f)
{
    emit_begin(e, FRAME_ADOPT, sf);
    emit_key(e, it->key, it->row.slot);
    event_put(&e->priv, EV_ID, id);
    event_put_text(&e->pub, EV_BY, "record of another flow");
    it->skip = true;
    return emit_end(e, f);
}

/* Ids that rows of this round have taken; the index does not know yet. */
struct taken { struct str *id; size_t n; struct arena *a; };

static bool take_once(struct taken *t, struct str id)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->id[i], id)) return false;
    t->id[t->n++] = (struct str){arena_copy(t->a, id.p, id.n), id.n};
    return true;
}

static enum err into_item(struct engine *e, struct sync_flow *sf, struct send_item *it, struct taken *t, struct arena *a, struct fault *f)
{
    uint16_t parent = (uint16_t)(sf->fl->into - 1);
    struct str symbol = into_symbol(it), key = link_parent_key(it->key, symbol, a), other;
    struct row row;
    if (!symbol.n) return ERR_OK;                    /* nothing but an event is to be written, into the record that it had */
    enum link_parent is = link_parent_row(e, parent, key, a, &row);
    if (is != PARENT_THERE) return link_wait(e, sf, it, parent, key, is == PARENT_DELETED, a, f);
    if (other_adds(e, sf, it->key, row.id, a, &other)) return wait_for_other(e, sf, it, other, row.id, a, f);
    if (str_eq(it->row.id, row.id)) return ERR_OK;
    if (take_once(t, row.id)) return take_id(e, sf, it, row.id, f);
    it->skip = true;                                 /* two at once: in the next round this one sees the other */
    return ERR_OK;
}

enum err into_items(struct engine *e, struct sync_flow *sf, struct send_item *items, size_t n, struct arena *a, struct fault *f)
{
    enum err err = ERR_OK;
    if (!sf->fl->into) return ERR_OK;
    struct arena own;
    arena_init(&own, 4096);
    struct taken t = {ARENA_ARRAY(a, struct str, n + 1), 0, &own};
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        struct arena_mark m = arena_mark(a);
        if (!items[i].skip) err = into_item(e, sf, &items[i], &t, a, f);
        arena_release(a, m);
    }
    arena_free(&own);
    return err;
}

/* ---- one writer of a record at a time ---- */
static bool on_its_way(const struct engine *e, const struct sync_flow *sf, struct str id)
{
    for (const struct send_batch *b = e->batches; b; b = b->next) {
        if (b->sf->dst != sf->dst || !str_eq(b->wb.module, sf->fl->module)) continue;
        for (size_t i = 0; i < b->wb.n; i++)
            if (str_eq(b->wb.items[i].id, id)) return true;
    }
    return false;
}

size_t into_take_turns(const struct engine *e, const struct sync_flow *sf, struct send_item *items, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!sf->shares_records || !items[i].row.id.n || !on_its_way(e, sf, items[i].row.id)) items[kept++] = items[i];
    return kept;
}
