/* reconcile_judge.c - one record: three values for each field, one word for each difference, one for the record. Fields that belong to people (once, fill
 * where somebody wrote) are no difference, as the sender would not touch them either. */
#include "sync/reconcile_private.h"

static const struct { const char *name, *text; } classes[RECONCILE_COUNT] = {
    [RECONCILE_SAME] = {"same", "in sync"},
    [RECONCILE_AHEAD] = {"ahead", "the source is ahead: not written yet"},
    [RECONCILE_EDITED] = {"edited", "somebody changed it in the target"},
    [RECONCILE_CONFLICT] = {"conflict", "changed on both sides"},
    [RECONCILE_MISSING] = {"missing", "not in the target"},
    [RECONCILE_ORPHAN] = {"orphan", "in the target, and not in the source"},
    [RECONCILE_DUPLICATE] = {"duplicate", "more than once in the target"},
    [RECONCILE_WAITING] = {"waiting", "waits for a person, another record, or the source"},
    [RECONCILE_REJECTED] = {"rejected", "set aside"},
};
const char *reconcile_class_name(unsigned cls) { return cls < RECONCILE_COUNT ? classes[cls].name : "?"; }
const char *reconcile_class_text(unsigned cls) { return cls < RECONCILE_COUNT ? classes[cls].text : "?"; }

size_t reconcile__want(const struct image_flow *fl, bool no_lines, struct str *out)
{
    size_t n = 0;
    for (size_t i = 0; i < fl->nfields; i++)
        if (!no_lines || fl->fields[i].type.base != T_LIST) out[n++] = fl->fields[i].name;
    return n;
}

void reconcile__tell(struct reconcile_run *run, const struct reconcile_difference *d)
{
    struct reconcile_difference full = *d;
    full.flow = run->sf->cname;
    if (!full.why) full.why = "";
    run->sink->difference(run->sink->ctx, &full);
}

/* ---- one field ---- */
/* A link as the id that it stands for; false when nobody has asked for it yet. */
static bool as_id(struct reconcile_run *run, const struct reconcile_item *it, struct str field, const struct value *symbol, struct value *out)
{
    *out = value_absent;
    if (symbol->kind != V_TEXT) return true;
    const struct image_link *l = link_at(run->sf, (size_t)(flow_field(run->sf->fl, field) - run->sf->fl->fields), NO_COLUMN);
    struct str id = l ? link_id(run->e, l, it->d.key, value_str(symbol), &run->chunk) : (struct str){NULL, 0};
    int64_t digits;
    if (!str_to_i64(id, &digits)) return false;
    *out = (struct value){.kind = V_ID, .len = (uint32_t)id.n, .u.text = id.p};
    return true;
}

/* A flag in the target is never empty: not set and no are one thing there. */
static bool same(const struct value *ours, const struct value *theirs)
{
    if (!value_present(ours) && theirs->kind == V_BOOL && !theirs->u.b) return true;
    if (!value_present(theirs) && ours->kind == V_BOOL && !ours->u.b) return true;
    if (ours->kind == V_LIST || theirs->kind == V_LIST) return lines_same(ours, theirs);
    if (ours->kind == V_ID && theirs->kind == V_ID) return str_eq(value_str(ours), value_str(theirs));
    return same_in_target(ours, theirs);
}

struct field_case { const struct image_field *fd; struct value wanted, written, there; };

static enum reconcile_class judge_field(const struct row *row, const struct field_case *c)
{
    if (same(&c->wanted, &c->there)) return RECONCILE_SAME;
    bool unmoved = same(&c->wanted, &c->written);
    if (c->fd->mode == FIELD_FILL) {                       /* empty there, and never filled by us: the next write may fill it */
        bool free_to_fill = !value_present(&c->there) && value_present(&c->wanted) && !unmoved;
        return free_to_fill ? RECONCILE_AHEAD : RECONCILE_SAME;
    }
    if (row->written.n == 0) return RECONCILE_AHEAD;       /* linked, or about to be, and not read by anybody yet: the next write sets it */
    if (unmoved) return RECONCILE_EDITED;
    return same(&c->written, &c->there) ? RECONCILE_AHEAD : RECONCILE_CONFLICT;
}

/* Rows that are the lines of one of our images count as that image: which row is whose does not matter here. */
static void three_lists(struct reconcile_run *run, const struct reconcile_item *it, struct field_case *c)
{
    size_t field = (size_t)(c->fd - run->sf->fl->fields);
    struct lines_match m;
    c->wanted = lines_resolved(run->e, run->sf, field, it->d.key, &c->wanted, &run->chunk);
    c->written = lines_resolved(run->e, run->sf, field, it->d.key, &c->written, &run->chunk);
    const struct value *const images[] = {&c->wanted, &c->written};
    for (size_t i = 0; i < 2; i++) {
        lines_match(images[i], &value_absent, &value_absent, &c->there, c->fd->type.shape, &run->chunk, &m);
        if (m.differs) continue;
        c->there = *images[i];
        return;
    }
    c->there = m.there;
}

/* The three values of a wanted field; false when they cannot be compared. */
static bool three_values(struct reconcile_run *run, const struct reconcile_item *it, const struct record_field *wanted, const struct record *written,
                         struct field_case *c)
{
    const struct value *b = record_get(written, wanted->name), *z = record_get(&it->hit->fields, wanted->name);
    *c = (struct field_case){flow_field(run->sf->fl, wanted->name), wanted->v, b ? *b : value_absent, z ? *z : value_absent};
    if (!c->fd || c->fd->mode == FIELD_ONCE) return false;
    if (c->fd->type.base == T_LIST && run->o->no_lines) return false;
    if (c->fd->type.base == T_LIST) three_lists(run, it, c);
    if (c->fd->type.base != T_LINK) return true;
    struct value w = c->wanted, was = c->written;
    bool known = as_id(run, it, wanted->name, &w, &c->wanted);
    if (value_equal(&w, &was)) c->written = c->wanted;
    else known = as_id(run, it, wanted->name, &was, &c->written) && known;
    run->report.unknown_links += !known;
    return known;
}

static struct str printed(struct reconcile_run *run, const struct value *v)
{
    if (!value_present(v)) return (struct str){"", 0};
    if (v->kind == V_ID) return value_str(v);
    return value_printed(v, &run->chunk);
}

static enum reconcile_class heavier(enum reconcile_class a, enum reconcile_class b)
{
    return a > b ? a : b;               /* same < ahead < edited < conflict */
}

/* Why a record is behind, in the words of its state. */
static const char *state_why(const struct row *row, struct arena *a)
{
    if (row->why.n) return arena_copy(a, row->why.p, row->why.n);
    return row->state == ROW_CLEAN ? "" : row_state_text(row->state);
}

static enum reconcile_class judge_fields(struct reconcile_run *run, const struct reconcile_item *it)
{
    struct arena *a = &run->chunk;
    struct record wanted = record_of(it->d.wanted, a), written = record_of(it->d.row.written, a);
    enum reconcile_class heaviest = RECONCILE_SAME;
    const struct row *row = &it->d.row;
    bool aside = row->state == ROW_REJECTED, waits = row->state == ROW_WAITING || row->state == ROW_HELD;
    for (size_t i = 0; i < wanted.n; i++) {
        struct field_case c;
        if (!three_values(run, it, &wanted.f[i], &written, &c)) continue;
        enum reconcile_class cls = judge_field(row, &c);
        heaviest = heavier(heaviest, cls);
        if (cls == RECONCILE_SAME) continue;
        if (aside || waits) cls = aside ? RECONCILE_REJECTED : RECONCILE_WAITING;
        struct reconcile_difference d = {.cls = cls, .key = it->d.key_text, .id = it->hit->id, .field = wanted.f[i].name, .source = printed(run, &c.wanted),
                                         .written = printed(run, &c.written), .target = printed(run, &c.there), .why = state_why(row, a)};
        reconcile__tell(run, &d);
    }
    if (heaviest == RECONCILE_SAME) return heaviest;
    return aside ? RECONCILE_REJECTED : waits ? RECONCILE_WAITING : heaviest;
}

/* ---- one record ---- */
static enum reconcile_class whole(struct reconcile_run *run, const struct reconcile_item *it, enum reconcile_class cls, const char *why)
{
    struct reconcile_difference d = {.cls = cls, .key = it->d.key_text, .id = it->hit ? it->hit->id : it->d.row.id, .why = why};
    reconcile__tell(run, &d);
    return cls;
}

static enum reconcile_class not_there(struct reconcile_run *run, const struct reconcile_item *it)
{
    const struct row *row = &it->d.row;
    struct arena *a = &run->chunk;
    if (!it->d.known) return whole(run, it, RECONCILE_MISSING, "no pass has read it yet");
    if (row->state == ROW_REJECTED) return whole(run, it, RECONCILE_REJECTED, state_why(row, a));
    if (row->state == ROW_WAITING || row->state == ROW_HELD) return whole(run, it, RECONCILE_WAITING, state_why(row, a));
    if (row->id.n) return whole(run, it, RECONCILE_MISSING, "it was deleted in the target; mlcd replay --recreate makes it anew");
    return whole(run, it, RECONCILE_MISSING, arena_printf(a, "not written yet: %s", state_why(row, a)));
}

enum reconcile_class reconcile__judge(struct reconcile_run *run, const struct reconcile_item *it)
{
    const struct derived *d = &it->d;
    if (it->locked) return whole(run, it, RECONCILE_WAITING, "in use in the source: it could not be read");
    if (it->gone && it->hit && !(d->row.flags & ROW_F_GONE))
        return whole(run, it, RECONCILE_ORPHAN, "the source has it no more; the next full pass says so to the target");
    if (d->kind == DERIVE_REJECT) return whole(run, it, RECONCILE_REJECTED, d->why);
    if (it->nhits > 1) {
        whole(run, it, RECONCILE_DUPLICATE, arena_printf(&run->chunk, "%zu records in the target carry this key", it->nhits));
        return RECONCILE_DUPLICATE;
    }
    if (d->kind == DERIVE_LEAVE && (!d->wanted.n || !it->hit)) return RECONCILE_SAME;       /* it left, and nothing is to be said about that */
    return it->hit ? judge_fields(run, it) : not_there(run, it);
}
