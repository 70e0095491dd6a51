/* image.c - wanted images as records: built from the vm's answer, compared with what was written, merged. Links stand in them as the text that
 * was looked up, so that two images can be compared without asking anybody. */
#include "sync/sync_private.h"

const struct image_field *flow_field(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (str_eq(fl->fields[i].name, name)) return &fl->fields[i];
    return NULL;
}

struct record record_of(struct str bytes, struct arena *a)
{
    struct record r = {NULL, 0};
    if (bytes.n) ASSERT(record_decode(bytes, a, &r) == ERR_OK);     /* checked by the index's checksum or the log's hash before */
    return r;
}

static struct str encoded(const struct record *r, struct arena *a)
{
    struct buf b = {0};
    record_encode(&b, r);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

/* A link as text: its arguments, parted by the unit separator. */
static struct value link_symbol(const struct link *l, struct arena *a)
{
    struct buf b = {0};
    for (unsigned i = 0; i < l->nargs; i++) {
        if (i) buf_byte(&b, 0x1F);
        value_print(&b, &l->args[i]);
    }
    struct value v = value_text((struct str){arena_copy(a, b.p, b.n), b.n});
    buf_free(&b);
    return v;
}

/* Links become symbols, those in lines too. */
static struct value in_image(const struct value *v, struct arena *a)
{
    if (v->kind == V_LINK) return link_symbol(v->u.link, a);
    if (v->kind != V_LIST) return *v;
    const struct list *from = v->u.list;
    struct list *l = ARENA_NEW(a, struct list);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, from->nlines);
    for (size_t i = 0; i < from->nlines; i++) {
        struct value *fields = ARENA_ARRAY(a, struct value, from->nfields + 1u);
        for (size_t k = 0; k < from->nfields; k++) fields[k] = in_image(&from->lines[i].fields[k], a);
        lines[i] = (struct list_line){from->lines[i].key, fields};
    }
    *l = (struct list){from->names, lines, from->nlines, from->nfields};
    return (struct value){.kind = V_LIST, .u.list = l};
}

struct str wanted_build(struct sync_flow *sf, const struct vm_out *out, const struct value *into, struct str key_text, struct arena *a)
{
    const struct image_flow *fl = sf->fl;
    struct record r = {ARENA_ARRAY(a, struct record_field, fl->nfields + 2), 0};
    if (into->kind == V_LINK) r.f[r.n++] = (struct record_field){STR(INTO_FIELD), link_symbol(into->u.link, a)};
    for (size_t i = 0; i < fl->nfields; i++) {
        struct record_field rf = {fl->fields[i].name, value_absent};
        if (fl->fields[i].mode == FIELD_KEY) rf.v = value_text(key_text);
        else if (out->ops[i] == VM_SET) rf.v = in_image(out->values[i], a);
        else if (fl->fields[i].mode != FIELD_EVENT) continue;
        r.f[r.n++] = rf;
    }
    return encoded(&r, a);
}

struct str wanted_event(const struct image_flow *fl, const struct image_event *ev, struct str before, struct arena *a)
{
    struct record r = {ARENA_ARRAY(a, struct record_field, ev->n + 2), 0}, was = record_of(before, a);
    const struct value *into = record_get(&was, STR(INTO_FIELD));
    if (into) r.f[r.n++] = (struct record_field){STR(INTO_FIELD), *into};
    for (size_t i = 0; i < ev->n; i++) r.f[r.n++] = (struct record_field){fl->fields[ev->fields[i]].name, ev->values[i]};
    return encoded(&r, a);
}

size_t wanted_diff(const struct image_flow *fl, const struct record *wanted, const struct record *written, enum write_verb verb, bool force,
                   struct record_field *out)
{
    size_t n = 0;
    for (size_t i = 0; i < wanted->n; i++) {
        const struct record_field *w = &wanted->f[i];
        const struct image_field *field = flow_field(fl, w->name);
        if (!field) continue;                                       /* a field of an older spec: left as it is in the target */
        if (verb == WRITE_INSERT) {
            if (value_present(&w->v)) out[n++] = *w;
            continue;
        }
        if (field->mode == FIELD_ONCE) continue;
        const struct value *have = record_get(written, w->name);
        bool lists = field->type.base == T_LIST && have;
        bool equal = lists ? lines_same(have, &w->v) : have ? value_equal(have, &w->v) : !value_present(&w->v);
        if (!equal || (force && field->mode != FIELD_FILL)) out[n++] = *w;
    }
    return n;
}

struct str wanted_after(const struct image_flow *fl, const struct record *wanted, const struct record *written, enum write_verb verb, struct arena *a)
{
    struct record r = {ARENA_ARRAY(a, struct record_field, wanted->n + written->n + 1), 0};
    for (size_t i = 0; i < wanted->n; i++) {
        struct record_field rf = wanted->f[i];
        const struct image_field *field = flow_field(fl, rf.name);
        const struct value *have = record_get(written, rf.name);
        if (verb == WRITE_UPDATE && field && field->mode == FIELD_ONCE && have) rf.v = *have;
        r.f[r.n++] = rf;
    }
    for (size_t i = 0; i < written->n; i++)
        if (!record_get(wanted, written->f[i].name)) r.f[r.n++] = written->f[i];
    return encoded(&r, a);
}

struct str snapshot_of(const struct image_flow *fl, const struct value *cols, struct arena *a)
{
    struct record r = {ARENA_ARRAY(a, struct record_field, fl->ncolumns + 1), fl->ncolumns};
    for (size_t i = 0; i < fl->ncolumns; i++) r.f[i] = (struct record_field){fl->columns[i].name, cols[i]};
    return encoded(&r, a);
}

bool snapshot_cols(const struct image_flow *fl, struct str snapshot, struct arena *a, struct value *cols)
{
    struct record r = record_of(snapshot, a);
    for (size_t i = 0; i < fl->ncolumns; i++) {
        const struct value *v = record_get(&r, fl->columns[i].name);
        if (!v || !type_project(&fl->columns[i].type, v, a, &cols[i]) || !type_admits(&fl->columns[i].type, &cols[i], NULL, 0)) return false;
    }
    return true;
}

static bool as_number(const struct value *v, struct value *out)
{
    if (v->kind == V_DECIMAL) {
        *out = *v;
        return true;
    }
    return v->kind == V_TEXT && decimal_parse_json(value_str(v), out);
}

bool same_in_target(const struct value *ours, const struct value *theirs)
{
    if (value_equal(ours, theirs)) return true;
    /* A flag in the target is never empty: not set and no are one thing there. */
    if (!value_present(ours) && theirs->kind == V_BOOL) return !theirs->u.b;
    if (!value_present(theirs) && ours->kind == V_BOOL) return !ours->u.b;
    if (!value_present(ours) || !value_present(theirs)) return false;
    struct value a, b;
    if ((ours->kind == V_DECIMAL || theirs->kind == V_DECIMAL) && as_number(ours, &a) && as_number(theirs, &b)) return decimal_compare(&a, &b) == 0;
    struct buf x = {0}, y = {0};
    value_print(&x, ours);
    value_print(&y, theirs);
    bool equal = str_eq(buf_view(&x), buf_view(&y));
    buf_free(&x);
    buf_free(&y);
    return equal;
}
