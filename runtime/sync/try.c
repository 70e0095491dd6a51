/* try.c - see try.h. What the target refused is found by the field that it named: the reason ends with it, "INVALID_DATA: no such city (Billing_City)". */
#include "sync/try.h"
#include "sync/cause.h"
#include "sync/sync_private.h"
#include "sync/view_private.h"

static const char *const verdicts[TRY_COUNT] = {"cleared", "changed", "same", "unknown"};
const char *try_verdict_name(unsigned v) { return v < TRY_COUNT ? verdicts[v] : "?"; }

struct trying {
    struct view *v;
    struct vm *vm;
    struct sync_flow sf;
    struct str flow;                   /* as the index calls it */
    struct arena a;                    /* life of a record */
    void (*each)(void *ctx, const struct try_record *t);
    void *ctx;
    uint64_t *counts;
};

/* The field in brackets at the end of a reason; empty when there is none. */
static struct str refused_field(const struct image_flow *fl, struct str why)
{
    if (why.n < 3 || why.p[why.n - 1] != ')') return (struct str){"", 0};
    size_t at = why.n - 1;
    while (at > 0 && why.p[at - 1] != '(') at--;
    struct str name = {why.p + at, why.n - 1 - at};
    return flow_field(fl, name) ? name : (struct str){"", 0};
}

static const char *change_text(struct arena *a, struct str name, const struct value *before, const struct value *after)
{
    struct str x = value_printed(before ? before : &value_absent, a), y = value_printed(after ? after : &value_absent, a);
    return arena_printf(a, "%.*s: %.*s -> %.*s", (int)name.n, name.p, (int)x.n, x.p, (int)y.n, y.p);
}

/* A record that the target refused: what would be sent now against what was wanted then. */
static enum try_verdict compare_refused(struct trying *t, const struct row *r, const struct record *now, const char **why)
{
    struct record then = record_of(r->wanted, &t->a);
    struct str refused = refused_field(t->sf.fl, r->why);
    for (size_t i = 0; i < now->n; i++) {
        const struct value *was = record_get(&then, now->f[i].name);
        if (refused.n && !str_eq(refused, now->f[i].name)) continue;
        if (value_equal(was ? was : &value_absent, &now->f[i].v)) continue;
        *why = change_text(&t->a, now->f[i].name, was, &now->f[i].v);
        return TRY_CHANGED;
    }
    const struct value *dropped = refused.n && !record_get(now, refused) ? record_get(&then, refused) : NULL;
    if (dropped) {
        *why = change_text(&t->a, refused, dropped, NULL);
        return TRY_CHANGED;
    }
    *why = refused.n ? arena_printf(&t->a, "%.*s would be sent as it was", (int)refused.n, refused.p) : "it would be sent as it was";
    return TRY_SAME;
}

/* A column that the new mapping reads and the snapshot does not have as that mapping wants it. */
static const char *lacking(struct trying *t, const struct row *r, struct value *cols)
{
    if (r->snapshot.n == 0) return "there is no snapshot of it: its row broke what the schema declares, or was never read";
    if (snapshot_cols(t->sf.fl, r->snapshot, &t->a, cols)) return NULL;
    struct record snap = record_of(r->snapshot, &t->a);
    for (size_t i = 0; i < t->sf.fl->ncolumns; i++) {
        struct str name = t->sf.fl->columns[i].name;
        if (!record_get(&snap, name)) return arena_printf(&t->a, "the snapshot lacks the column %.*s", (int)name.n, name.p);
    }
    return "a column of the snapshot does not fit its type any more";
}

static enum try_verdict judge(struct trying *t, struct str key, const struct row *r, const char **why)
{
    const struct image_flow *fl = t->sf.fl;
    struct value *cols = ARENA_ARRAY(&t->a, struct value, fl->ncolumns + 1);
    *why = lacking(t, r, cols);
    if (*why) return TRY_UNKNOWN;
    if (!vm_when(t->vm, fl, cols)) {
        *why = "the filter leaves it out now";
        return TRY_CLEARED;
    }
    const struct str *message = NULL;
    struct value into = fl->into ? vm_into(t->vm, fl, cols, &message) : value_absent;
    if (message) {
        *why = arena_copy(&t->a, message->p, message->n);
        return TRY_SAME;
    }
    if (fl->into && !value_present(&into)) {
        *why = "it adds to no record now";
        return TRY_CLEARED;
    }
    struct str written = key_written(t->vm, fl, key, &t->a);
    struct vm_out out;
    vm_map(t->vm, fl, cols, &out);
    if (out.rejected) {
        *why = arena_copy(&t->a, out.message.p, out.message.n);
        return TRY_SAME;
    }
    *why = "";
    if ((r->flags & ROW_F_REJECT) || r->wanted.n == 0) return TRY_CLEARED;
    struct record now = record_of(wanted_build(&t->sf, &out, &into, written, &t->a), &t->a);
    return compare_refused(t, r, &now, why);
}

static enum err try_row(void *arg, struct str key, const struct row *r)
{
    struct trying *t = arg;
    if ((r->state != ROW_REJECTED && r->state != ROW_RETRY) || (r->flags & ROW_F_ERASED)) return ERR_OK;
    struct try_record one = {.flow = t->flow, .was = cause_of(r)};
    one.key = view_key_text(key, &t->a);
    one.verdict = judge(t, key, r, &one.why);
    t->counts[one.verdict]++;
    t->each(t->ctx, &one);
    arena_reset(&t->a);
    return ERR_OK;
}

static enum err try_flow(struct trying *t, const struct image_flow *fl, struct fault *f)
{
    struct flow_state st;
    t->flow = fl->name;
    bool known = store_flow(t->v->store, fl->name, &st);
    if (!known && fl->moved_from.n && store_flow(t->v->store, fl->moved_from, &st)) {
        known = true;
        t->flow = fl->moved_from;
    }
    t->sf = (struct sync_flow){.fl = fl, .name = fl->name};
    return known ? store_rows(t->v->store, st.id, (struct str){NULL, 0}, try_row, t, f) : ERR_OK;
}

enum err view_try(struct view *v, const char *image_path, const char *flow, void (*each)(void *ctx, const struct try_record *t), void *ctx, uint64_t counts[TRY_COUNT],
                  struct fault *f)
{
    struct str bytes;
    struct image *im = NULL;
    struct image_fault why;
    memset(counts, 0, TRY_COUNT * sizeof *counts);
    enum err err = world_read_file(v->w, image_path, LIMIT_IMAGE_BYTES, &v->arena, &bytes, f);
    if (err != ERR_OK) return err;
    err = image_load(bytes, &v->arena, &im, &why);
    if (err != ERR_OK) return fault_set(f, err, "%s is no compiled spec that can be trusted: %s (%s)", image_path, why.text, why.rule);
    if (flow && !image_flow_named(im, str_of(flow))) return fault_set(f, ERR_USAGE, "the spec has no flow named %s", flow);
    struct trying t = {.v = v, .vm = vm_new(im), .each = each, .ctx = ctx, .counts = counts};
    arena_init(&t.a, 0);
    for (size_t i = 0; i < im->nflows && err == ERR_OK; i++)
        if (!flow || str_is(im->flows[i].name, flow)) err = try_flow(&t, &im->flows[i], f);
    arena_free(&t.a);
    vm_free(t.vm);
    return err;
}
