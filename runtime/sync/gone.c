/* gone.c - records that people deleted in the target: noticed when they are written, read back, guarded or linked to. The row keeps its id to tell of it,
 * but nothing links to that id any more: records that need it wait. It is made again by `mlcd replay --recreate`, and at once in a guarded flow; then what
 * linked to it is linked again, and the fields that other flows had in it are written again. */
#include "sync/sync_private.h"

/* A flow that need not be among those chosen for this run. */
static struct sync_flow flow_at(struct engine *e, uint16_t flow)
{
    const struct image_flow *fl = &e->image->flows[flow];
    return (struct sync_flow){.fl = fl, .name = fl->name};
}

static uint16_t number_of(const struct engine *e, const struct image_flow *fl)
{
    return (uint16_t)(fl - e->image->flows);
}

static enum err emit_gone(struct engine *e, const struct sync_flow *sf, struct str key, uint32_t slot, struct fault *f)
{
    emit_begin(e, FRAME_SETTLE, sf);
    emit_key(e, key, slot);
    event_put_int(&e->pub, EV_CLASS, W_GONE);
    event_put_text(&e->priv, EV_WHY, GONE_WHY);
    return emit_end(e, f);
}

/* ---- linking again ---- */
struct relinking {
    struct engine *e;
    struct sync_flow child;
    uint16_t parent;
    struct str key, symbol;            /* of the record that is made again */
    struct fault *f;
    struct arena *a;
};

/* The arguments of a ref that means this key. */
static struct str symbol_of(struct str key, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    size_t n = rowkey_parts(key, a, parts, LIMIT_KEY_PARTS + 1);
    struct buf b = {0};
    for (size_t i = 1; i < n; i++) {
        if (i > 1) buf_byte(&b, 0x1F);
        buf_str(&b, parts[i]);
    }
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

static bool named(const struct str *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], name)) return true;
    return false;
}

/* The fields of an image in which the link stands, added to a list. */
static size_t linked_fields(struct relinking *x, struct str image, struct str *fields, size_t n)
{
    struct record r = record_of(image, x->a);
    for (size_t p = 0; p < x->child.nplaces; p++) {
        const struct link_place *place = &x->child.places[p];
        struct str field = x->child.fl->fields[place->field].name, symbol;
        bool stands = false;
        for (size_t i = 0; place->l->kind == LINK_REF && place->l->flow == x->parent && !stands && link_symbol_at(&x->child, place, &r, i, &symbol); i++)
            stands = str_eq(symbol, x->symbol);
        if (stands && !named(fields, n, field)) fields[n++] = field;
    }
    return n;
}

/* The child forgets that it has written the fields with this link: they differ now, and nothing else does. */
static enum err relink_row(void *arg, struct str key, const struct row *r)
{
    struct relinking *x = arg;
    if (!r->id.n || r->state == ROW_HELD || (r->flags & ROW_F_ERASED) || !str_eq(link_parent_key(key, x->symbol, x->a), x->key)) return ERR_OK;
    struct str *fields = ARENA_ARRAY(x->a, struct str, x->child.fl->nfields + 1);
    size_t n = linked_fields(x, r->written, fields, 0);
    n = linked_fields(x, r->sent, fields, n);
    if (n == 0) return ERR_OK;
    enum err err = hint_fields(x->e, &x->child, key, r, fields, n, "linked to a record that is made again", x->a, x->f);
    if (err != ERR_OK || r->state != ROW_REJECTED || (r->flags & (ROW_F_REJECT | ROW_F_VOID))) return err;
    emit_begin(x->e, FRAME_REPLAY, &x->child);          /* perhaps set aside for that link */
    emit_key(x->e, key, r->slot);
    event_put_int(&x->e->pub, EV_FLAGS, 0);
    event_put_text(&x->e->priv, EV_BY, "linked again");
    return emit_end(x->e, x->f);
}

static enum err relink_arena(void *arg, struct str key, const struct row *r)
{
    struct relinking *x = arg;
    struct arena_mark m = arena_mark(x->a);
    enum err err = relink_row(x, key, r);
    arena_release(x->a, m);
    return err;
}

/* A row that added fields to the record adds them to the new one. */
static enum err add_again(struct relinking *x, const struct flow_state *st, struct str id)
{
    struct str key;
    struct row r;
    if (!id.n || store_by_id(x->e->store, st->id, id, x->a, &key) != ERR_OK) return ERR_OK;
    if (store_row(x->e->store, st->id, key, x->a, &r, NULL) != ERR_OK || (r.flags & ROW_F_ERASED) || r.state == ROW_LEFT || r.state == ROW_GONE) return ERR_OK;
    emit_begin(x->e, FRAME_ROW, &x->child);
    emit_key(x->e, key, r.slot);
    event_put_int(&x->e->pub, EV_STATE, ROW_DIRTY);
    event_put_int(&x->e->pub, EV_FLAGS, r.flags);
    event_put_text(&x->e->priv, EV_WHY, "");
    return emit_end(x->e, x->f);
}

static enum err relink(struct engine *e, uint16_t parent, struct str key, struct str id, struct fault *f)
{
    struct arena a;
    enum err err = ERR_OK;
    arena_init(&a, 64 * 1024);
    struct relinking x = {.e = e, .parent = parent, .key = key, .f = f, .a = &a};
    x.symbol = symbol_of(key, &a);
    for (uint16_t i = 0; i < e->image->nflows && err == ERR_OK; i++) {
        struct flow_state st;
        bool refers = false;
        x.child = flow_at(e, i);
        link_places(&x.child, &a);
        if (!store_flow(e->store, x.child.name, &st)) continue;
        for (size_t p = 0; p < x.child.nplaces; p++) refers = refers || (x.child.places[p].l->kind == LINK_REF && x.child.places[p].l->flow == parent);
        if (refers) err = store_rows(e->store, st.id, (struct str){NULL, 0}, relink_arena, &x, f);
        if (err == ERR_OK && x.child.fl->into == parent + 1u) err = add_again(&x, &st, id);
    }
    arena_free(&a);
    return err;
}

enum err gone_recreate(struct engine *e, const struct image_flow *fl, struct str key, const struct row *row, const char *by, struct fault *f)
{
    struct sync_flow sf = flow_at(e, number_of(e, fl));
    emit_begin(e, FRAME_REPLAY, &sf);
    emit_key(e, key, row->slot);
    event_put_int(&e->pub, EV_FLAGS, 0);
    event_put_int(&e->pub, EV_CLASS, W_GONE);
    event_put_text(&e->priv, EV_BY, by);
    enum err err = emit_end(e, f);
    return err == ERR_OK ? relink(e, number_of(e, fl), key, row->id, f) : err;
}

/* ---- noticing ---- */
/* The record of a row of any flow is gone; a guarded flow makes it again. */
static enum err note_gone(struct engine *e, const struct image_flow *fl, struct str key, const struct row *row, struct fault *f)
{
    struct sync_flow sf = flow_at(e, number_of(e, fl));
    if (row->state == ROW_INFLIGHT || row->state == ROW_AMBIGUOUS || (row->flags & (ROW_F_VOID | ROW_F_ERASED))) return ERR_OK;
    enum err err = emit_gone(e, &sf, key, row->slot, f);
    if (err != ERR_OK || !fl->guard || row->state == ROW_LEFT || row->state == ROW_GONE) return err;
    e->result.put_back++;
    return gone_recreate(e, fl, key, row, "guard", f);
}

/* Of an `into` row: its parent's record; the row waits for the next one. */
static enum err parent_gone(struct engine *e, struct sync_flow *sf, struct send_item *it, struct fault *f)
{
    struct arena a;
    struct row parent;
    arena_init(&a, 4096);
    uint16_t flow = (uint16_t)(sf->fl->into - 1);
    struct str key = link_parent_key(it->key, into_symbol(it), &a);
    enum err err = link_parent_row(e, flow, key, &a, &parent) == PARENT_THERE && str_eq(parent.id, it->row.id)
                       ? note_gone(e, &e->image->flows[flow], key, &parent, f) : ERR_OK;
    if (err == ERR_OK) err = link_wait(e, sf, it, flow, key, true, &a, f);
    arena_free(&a);
    return err;
}

enum err gone_item(struct engine *e, struct sync_flow *sf, struct send_item *it, struct fault *f)
{
    it->skip = true;
    if (sf->fl->into && into_symbol(it).n) return parent_gone(e, sf, it, f);
    e->result.rejected += !sf->fl->guard;
    struct row row = it->row;
    row.state = ROW_DIRTY;                   /* whatever it was to be: nothing of it is on its way */
    row.flags &= ~(uint32_t)ROW_F_VOID;      /* known already, and wanted again since: it is told again */
    return note_gone(e, sf->fl, it->key, &row, f);
}

/* ---- refused for a link ---- */
struct suspects { struct str key[LIMIT_WRITE_BATCH], id[LIMIT_WRITE_BATCH]; uint16_t flow; size_t n; };

static bool is_field(const struct sync_flow *sf, const struct link_place *p, struct str field)
{
    const struct image_field *fd = &sf->fl->fields[p->field];
    if (p->column == NO_COLUMN) return str_eq(fd->name, field);
    return str_eq(fd->type.shape->names[p->column], field);
}

static void suspect(struct engine *e, struct sync_flow *sf, const struct link_place *p, const struct send_item *it, struct suspects *s, struct arena *a)
{
    struct str symbol;
    struct row parent;
    s->flow = p->l->flow;
    for (size_t i = 0; s->n < LIMIT_WRITE_BATCH && link_symbol_at(sf, p, &it->wanted, i, &symbol); i++) {
        if (!symbol.n) continue;
        struct str key = link_parent_key(it->key, symbol, a);
        if (link_parent_row(e, s->flow, key, a, &parent) != PARENT_THERE) continue;
        bool seen = false;
        for (size_t k = 0; k < s->n && !seen; k++) seen = str_eq(s->id[k], parent.id);
        if (seen) continue;
        s->key[s->n] = key;
        s->id[s->n++] = parent.id;
    }
}

/* Asks for the parents; those that are gone are noted, and the child waits for the first of them. */
static enum err question(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct suspects *s, struct arena *a, struct fault *f)
{
    const struct image_flow *parent = &e->image->flows[s->flow];
    struct lookup_hit *hits = NULL;
    struct fault why;
    size_t nhits = 0;
    bool there[LIMIT_WRITE_BATCH] = {false};
    if (s->n == 0 || sf->dst->tops->read(sf->dst->target, parent->module, s->id, s->n, NULL, 0, a, &hits, &nhits, &why) != ERR_OK) return ERR_OK;
    for (size_t i = 0; i < nhits; i++) there[hits[i].value_index] = true;
    for (size_t i = 0; i < s->n; i++) {
        struct row row;
        if (there[i]) continue;
        link_parent_row(e, s->flow, s->key[i], a, &row);
        enum err err = note_gone(e, parent, s->key[i], &row, f);
        if (err == ERR_OK && !it->skip) err = link_wait(e, sf, it, s->flow, s->key[i], true, a, f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

enum err gone_answer(struct engine *e, struct sync_flow *sf, struct str key, const struct write_item *answer, struct fault *f)
{
    struct flow_state st;
    struct arena a;
    struct send_item it = {.key = key};
    enum err err = ERR_OK;
    if (answer->cls != W_GONE && (answer->cls != W_REJECTED || !answer->field.n)) return ERR_OK;
    arena_init(&a, 64 * 1024);
    if (store_flow(e->store, sf->name, &st) && store_row(e->store, st.id, key, &a, &it.row, NULL) == ERR_OK) {
        it.wanted = record_of(it.row.wanted, &a);
        it.written = record_of(it.row.written, &a);
        if (answer->cls == W_GONE && sf->fl->into && into_symbol(&it).n) err = parent_gone(e, sf, &it, f);
        else if (answer->cls == W_GONE && sf->fl->guard) err = gone_recreate(e, sf->fl, key, &it.row, "guard", f);
        for (size_t p = 0; answer->cls == W_REJECTED && p < sf->nplaces && err == ERR_OK; p++) {
            struct suspects s = {.n = 0};
            if (sf->places[p].l->kind != LINK_REF || !is_field(sf, &sf->places[p], answer->field)) continue;
            suspect(e, sf, &sf->places[p], &it, &s, &a);
            err = question(e, sf, &it, &s, &a, f);
        }
    }
    arena_free(&a);
    return err;
}
