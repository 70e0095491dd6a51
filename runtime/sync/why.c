/* why.c - why does the target say this: every write of a record out of the log, with the rule that made it, what the rule read, and where the
 * rule stands in the spec of that day. */
#include "sync/view_private.h"
#include <stdio.h>
#include <stdlib.h>

enum { SHARERS_MAX = 32 };             /* flows that write into one record, for `why` */

bool view__key(struct view *v, const char *flow, struct str text, struct arena *a, struct str *natural)
{
    (void)v;
    struct str parts[LIMIT_KEY_PARTS + 2];
    size_t n = rowkey_parse(text, a, parts, LIMIT_KEY_PARTS + 2), from = 0;
    struct buf b = {0};
    if (n > 1 && flow && str_is(parts[0], flow)) from = 1;
    bool ok = n > from && rowkey_make(&b, parts + from, n - from);
    *natural = (struct str){arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return ok;
}

struct telling {
    struct view *v;
    const char *flow;
    struct str field;
    void (*each)(void *ctx, const struct view_write *w);
    void *ctx;
    struct buf snapshot, fields, old, id;      /* copies from the newest ROW and INTENT */
    struct hash image;                         /* that derived the snapshot's image */
    int64_t intent_ms;
    uint64_t seen;
};

/* The compiled spec of that day; NULL when its file is gone. */
static const struct image *image_of(struct view *v, const struct hash *h)
{
    if (v->image && hash_eq(&v->image_hash, h)) return v->image;
    char hex[2 * HASH_BYTES + 1];
    struct str bytes;
    struct image_fault why;
    hash_hex(h->b, HASH_BYTES, hex);
    arena_reset(&v->images);
    v->image = NULL;
    v->image_hash = *h;
    const char *path = arena_printf(&v->images, "%s/images/%s.mlcb", v->state_dir, hex);
    if (world_read_file(v->w, path, LIMIT_IMAGE_BYTES, &v->images, &bytes, NULL) != ERR_OK) return NULL;
    if (image_load(bytes, &v->images, &v->image, &why) != ERR_OK) v->image = NULL;
    return v->image;
}

static const struct image_field *rule_of(const struct image *im, const struct image_flow **fl, struct str flow, struct str field)
{
    *fl = im ? image_flow_named(im, flow) : NULL;
    for (size_t i = 0; *fl && i < (*fl)->nfields; i++)
        if (str_eq((*fl)->fields[i].name, field)) return &(*fl)->fields[i];
    return NULL;
}

static struct str print_value(const struct value *v, struct arena *a)
{
    struct buf b = {0};
    if (v->kind == V_ID) {
        buf_puts(&b, "record ");
        buf_str(&b, value_str(v));
    } else {
        value_print(&b, v);
    }
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

static struct str print_inputs(const struct image_flow *fl, const struct image_field *rule, const struct record *snapshot, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; rule && i < rule->nreads; i++) {
        struct str name = fl->columns[rule->reads[i]].name;
        const struct value *v = record_get(snapshot, name);
        if (b.n) buf_puts(&b, ", ");
        buf_str(&b, name);
        buf_puts(&b, " = ");
        if (v) value_print(&b, v);
        else buf_puts(&b, "(not in the snapshot)");
    }
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

static void tell_field(struct telling *t, const struct frame *fr, const struct event_tags *ev, const struct record_field *rf, const struct record *old,
                       const struct record *snapshot, const char *outcome, struct arena *a)
{
    const struct image_flow *fl;
    const struct image_field *rule = rule_of(image_of(t->v, &t->image), &fl, ev->v[EV_FLOW], rf->name);
    const struct value *before = record_get(old, rf->name);
    struct view_write w = {.time_ms = fr->time_ms, .seq = fr->seq, .outcome = outcome, .field = rf->name, .id = buf_view(&t->id)};
    w.flow = arena_copy(a, ev->v[EV_FLOW].p, ev->v[EV_FLOW].n);
    w.before = print_value(before ? before : &value_absent, a);
    w.after = print_value(&rf->v, a);
    if (rule) {
        w.expr = rule->expr;
        w.file = rule->file;
        w.line = rule->line;
        w.inputs = print_inputs(fl, rule, snapshot, a);
    }
    hash_hex(t->image.b, 8, w.image);
    t->each(t->ctx, &w);
}

static void tell_write(struct telling *t, const struct frame *fr, const struct event_tags *ev, const char *outcome, struct arena *a)
{
    struct record fields = {NULL, 0}, old = {NULL, 0}, snapshot = {NULL, 0};
    if (t->fields.n && record_decode(buf_view(&t->fields), a, &fields) != ERR_OK) return;
    if (t->old.n && record_decode(buf_view(&t->old), a, &old) != ERR_OK) return;
    if (t->snapshot.n && record_decode(buf_view(&t->snapshot), a, &snapshot) != ERR_OK) return;
    for (size_t i = 0; i < fields.n; i++)
        if (t->field.n == 0 || str_eq(t->field, fields.f[i].name)) tell_field(t, fr, ev, &fields.f[i], &old, &snapshot, outcome, a);
}

static void set_buf(struct buf *b, const struct event_tags *ev, enum event_tag tag)
{
    if (!event_has(ev, tag)) return;
    buf_clear(b);
    buf_str(b, ev->v[tag]);
}

static const char *outcome_text(const struct event_tags *ev, struct arena *a)
{
    int64_t cls = event_int(ev, EV_CLASS, W_AMBIGUOUS);
    struct str why = ev->v[EV_WHY];
    if (cls == W_APPLIED) return "written";
    if (cls == W_AMBIGUOUS) return "sent, no answer";
    return arena_printf(a, "not written: %.*s", (int)why.n, why.p);
}

static enum err why_frame(void *arg, const struct frame *fr, struct fault *f)
{
    struct telling *t = arg;
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub) || !event_read(&ev, fr->priv)) return fault_set(f, ERR_CORRUPT, "audit entry %llu cannot be read", (unsigned long long)fr->seq);
    if (t->flow && !str_is(ev.v[EV_FLOW], t->flow)) return ERR_OK;
    t->seen++;
    struct arena a;
    arena_init(&a, 0);
    set_buf(&t->id, &ev, EV_ID);
    switch (fr->kind) {
    case FRAME_ROW: case FRAME_LEAVE: case FRAME_GONE:
        set_buf(&t->snapshot, &ev, EV_SNAPSHOT);
        if (event_has(&ev, EV_WANTED)) t->image = fr->image;
        break;
    case FRAME_INTENT:
        set_buf(&t->fields, &ev, EV_FIELDS);
        set_buf(&t->old, &ev, EV_OLD);
        break;
    case FRAME_OUTCOME:
        tell_write(t, fr, &ev, outcome_text(&ev, &a), &a);
        break;
    case FRAME_SETTLE:
        if (event_int(&ev, EV_CLASS, 0) == W_APPLIED) tell_write(t, fr, &ev, "written (found when reading back)", &a);
        break;
    default: break;
    }
    arena_free(&a);
    return ERR_OK;
}

/* ---- other flows that write into the same record ---- */
struct sharers {
    struct view *v;
    struct str key;
    const char *flow;                          /* the flow that was asked for, or NULL */
    struct str id[SHARERS_MAX], other_key[SHARERS_MAX], other_flow[SHARERS_MAX];
    uint16_t of[SHARERS_MAX];                  /* the flow of id */
    size_t nids, nothers;
};

static enum err note_id(void *arg, struct str name, const struct flow_state *st)
{
    struct sharers *s = arg;
    struct row row;
    if ((s->flow && !str_is(name, s->flow)) || s->nids == SHARERS_MAX) return ERR_OK;
    if (store_row(s->v->store, st->id, s->key, &s->v->arena, &row, NULL) != ERR_OK || !row.id.n) return ERR_OK;
    s->of[s->nids] = st->id;
    s->id[s->nids++] = row.id;
    return ERR_OK;
}

static enum err note_sharer(void *arg, struct str name, const struct flow_state *st)
{
    struct sharers *s = arg;
    for (size_t i = 0; i < s->nids && s->nothers < SHARERS_MAX; i++) {
        struct str key;
        if (s->of[i] == st->id || store_by_id(s->v->store, st->id, s->id[i], &s->v->arena, &key) != ERR_OK) continue;
        s->other_flow[s->nothers] = str_of(arena_copy(&s->v->arena, name.p, name.n));
        s->other_key[s->nothers++] = key;
    }
    return ERR_OK;
}

/* Flows are walked twice and remembered between: the store's cursor must not move while it is asked other things. */
struct flow_list { struct arena *a; struct str name[256]; struct flow_state st[256]; size_t n; };

static enum err note_flow(void *arg, struct str name, const struct flow_state *st)
{
    struct flow_list *l = arg;
    if (l->n == sizeof l->name / sizeof *l->name) return ERR_OK;
    l->name[l->n] = (struct str){arena_copy(l->a, name.p, name.n), name.n};
    l->st[l->n++] = (struct flow_state){.id = st->id};
    return ERR_OK;
}

static void find_sharers(struct sharers *s)
{
    struct flow_list *l = ARENA_NEW(&s->v->arena, struct flow_list);
    l->a = &s->v->arena;
    if (store_flows(s->v->store, note_flow, l) != ERR_OK) return;
    for (size_t i = 0; i < l->n; i++) note_id(s, l->name[i], &l->st[i]);
    for (size_t i = 0; i < l->n; i++) note_sharer(s, l->name[i], &l->st[i]);
}

static enum err tell_key(struct telling *t, struct str key, struct fault *f)
{
    struct hash h = hash_keyed(t->v->key_hash_key, key);
    struct journal_filter flt = {.from = 1, .key_hash = h.b};
    enum err err = journal_scan(t->v->journal, &flt, why_frame, t, f);
    struct buf *const bufs[] = {&t->snapshot, &t->fields, &t->old, &t->id};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) buf_free(bufs[i]);
    return err;
}

enum err view_why(struct view *v, const char *flow, struct str key_text, struct str field, void (*each)(void *ctx, const struct view_write *w), void *ctx,
                  struct fault *f)
{
    struct str key;
    if (!view__key(v, flow, key_text, &v->arena, &key))
        return fault_set(f, ERR_USAGE, "%.*s is no record key; keys look like ABC~01~ABF", (int)key_text.n, key_text.p);
    struct telling t = {.v = v, .flow = flow, .field = field, .each = each, .ctx = ctx};
    enum err err = tell_key(&t, key, f);
    if (err == ERR_OK && t.seen == 0) return fault_set(f, ERR_NOT_FOUND, "no record %.*s is known here", (int)key_text.n, key_text.p);
    struct sharers *s = ARENA_NEW(&v->arena, struct sharers);
    *s = (struct sharers){.v = v, .key = key, .flow = flow};
    find_sharers(s);
    for (size_t i = 0; i < s->nothers && err == ERR_OK; i++) {
        struct telling other = {.v = v, .flow = s->other_flow[i].p, .field = field, .each = each, .ctx = ctx};
        err = tell_key(&other, s->other_key[i], f);
    }
    return err;
}
