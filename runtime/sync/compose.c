/* compose.c - one record's request: what differs from what was written, links resolved, lines matched to the rows that stand there; and its INTENT.
 *
 * Lines of an update are read just before (lines.c): between that read and the request lies one flush of the log. */
#include "sync/sync_private.h"

struct composing { struct engine *e; struct sync_flow *sf; struct arena *a; struct outgoing *out; };

static struct value resolved(struct composing *c, size_t field, const struct value *v)
{
    const struct image_link *l = link_at(c->sf, field, NO_COLUMN);
    if (v->kind == V_LIST) return lines_resolved(c->e, c->sf, field, c->out->it->key, v, c->a);
    if (!l || v->kind != V_TEXT) return *v;
    struct str id = link_id(c->e, l, c->out->it->key, value_str(v), c->a);
    return id.n ? (struct value){.kind = V_ID, .len = (uint32_t)id.n, .u.text = id.p} : value_absent;
}

static void add(struct record *r, struct str name, struct value v)
{
    r->f[r->n++] = (struct record_field){name, v};
}

/* Matches one list to its rows; true when something has to be sent. */
static bool compose_lines(struct composing *c, const struct image_field *fd, const struct record_field *rf, const struct record *in_target)
{
    struct send_item *it = c->out->it;
    size_t field = (size_t)(fd - c->sf->fl->fields);
    struct record known = record_of(it->row.lines, c->a);
    const struct value *last = record_get(&it->written, rf->name), *map = record_get(&known, rf->name), *rows = record_get(in_target, rf->name);
    struct value wanted = resolved(c, field, &rf->v), was = last ? resolved(c, field, last) : value_absent;
    struct lines_match m;
    lines_match(&wanted, &was, map ? map : &value_absent, rows ? rows : &value_absent, fd->type.shape, c->a, &m);
    c->out->matched = true;
    if (value_present(&m.map)) add(&c->out->lines, rf->name, m.map);
    if (!m.differs) return false;
    add(&c->out->fields, rf->name, m.out);
    add(&c->out->old, rf->name, m.there);
    return true;
}

static void compose_field(struct composing *c, const struct record_field *rf, const struct record *in_target)
{
    struct outgoing *o = c->out;
    const struct image_field *fd = flow_field(c->sf->fl, rf->name);
    const struct value *there = in_target ? record_get(in_target, rf->name) : NULL, *have = record_get(&o->it->written, rf->name);
    if (o->verb == WRITE_UPDATE && fd->type.base == T_LIST) {
        compose_lines(c, fd, rf, in_target);
        return;
    }
    bool fill_taken = o->verb == WRITE_UPDATE && fd->mode == FIELD_FILL && (!value_present(&rf->v) || (there && value_present(there)));
    if (fill_taken) return;
    struct value v = resolved(c, (size_t)(fd - c->sf->fl->fields), &rf->v);
    if (o->verb == WRITE_INSERT && !value_present(&v)) return;
    add(&o->fields, rf->name, v);
    add(&o->old, rf->name, have ? *have : value_absent);
}

size_t compose_diff(struct sync_flow *sf, const struct send_item *it, struct arena *a, struct record_field **diff)
{
    *diff = ARENA_ARRAY(a, struct record_field, it->wanted.n + 1);
    return wanted_diff(sf->fl, &it->wanted, &it->written, it->row.id.n ? WRITE_UPDATE : WRITE_INSERT, it->row.flags & ROW_F_FORCE, *diff);
}

size_t compose_lists(struct sync_flow *sf, const struct send_item *it, struct arena *a, struct str **names)
{
    struct record_field *diff;
    size_t n = sf->has_lines && it->row.id.n ? compose_diff(sf, it, a, &diff) : 0, lists = 0;
    *names = n ? ARENA_ARRAY(a, struct str, n) : NULL;
    for (size_t i = 0; i < n; i++)
        if (flow_field(sf->fl, diff[i].name)->type.base == T_LIST) (*names)[lists++] = diff[i].name;
    return lists;
}

enum composed compose(struct engine *e, struct sync_flow *sf, struct send_item *it, const struct record *in_target, struct arena *a, struct outgoing *out)
{
    struct record_field *diff;
    struct composing c = {e, sf, a, out};
    size_t n = compose_diff(sf, it, a, &diff);
    *out = (struct outgoing){.it = it, .verb = it->row.id.n ? WRITE_UPDATE : WRITE_INSERT};
    out->fields.f = ARENA_ARRAY(a, struct record_field, n + 1);
    out->old.f = ARENA_ARRAY(a, struct record_field, n + 1);
    out->lines.f = ARENA_ARRAY(a, struct record_field, n + 1);
    for (size_t i = 0; i < n; i++) compose_field(&c, &diff[i], in_target);
    out->sent = wanted_after(sf->fl, &it->wanted, &it->written, out->verb, a);
    if (n == 0) return COMPOSED_NOTHING;
    return out->fields.n == 0 && out->matched && !(it->row.flags & ROW_F_FORCE) ? COMPOSED_SAME : COMPOSED_WRITE;
}

static void put_record(struct buf *part, enum event_tag tag, const struct record *r)
{
    struct buf b = {0};
    record_encode(&b, r);
    event_put(part, tag, buf_view(&b));
    buf_free(&b);
}

enum err compose_intent(struct engine *e, struct sync_flow *sf, const struct outgoing *o, struct fault *f)
{
    emit_begin(e, FRAME_INTENT, sf);
    emit_key(e, o->it->key, o->it->row.slot);
    event_put_int(&e->pub, EV_VERB, o->verb);
    event_put(&e->pub, EV_MODULE, sf->fl->module);
    put_record(&e->priv, EV_FIELDS, &o->fields);
    put_record(&e->priv, EV_OLD, &o->old);
    event_put(&e->priv, EV_SENT, o->sent);
    if (o->matched) put_record(&e->priv, EV_LINES, &o->lines);
    if (o->it->row.id.n) event_put(&e->priv, EV_ID, o->it->row.id);
    return emit_end(e, f);
}

/* The rows that stand there are the lines that are wanted: nothing is sent, and what is known now is kept. */
enum err compose_stands(struct engine *e, struct sync_flow *sf, const struct outgoing *o, struct fault *f)
{
    emit_begin(e, FRAME_ADOPT, sf);
    emit_key(e, o->it->key, o->it->row.slot);
    event_put_text(&e->pub, EV_BY, "lines read back");
    event_put(&e->priv, EV_ID, o->it->row.id);
    event_put(&e->priv, EV_OLD, o->sent);
    put_record(&e->priv, EV_LINES, &o->lines);
    return emit_end(e, f);
}
