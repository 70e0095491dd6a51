/* derive.c - one source row against its index row: skip, touch, write, leave, reject. Computing is apart from journaling, so that `plan` and
 * the run share the computing to the letter. */
#include "sync/sync_private.h"

struct str key_natural(const struct source_query *q, const struct source_key *k, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1] = {q->company};
    char bytes[LIMIT_KEY_BYTES];
    for (size_t i = 0; i < k->n && i < LIMIT_KEY_PARTS; i++) parts[i + 1] = k->part[i];
    size_t n = k->n <= LIMIT_KEY_PARTS ? rowkey_put(bytes, sizeof bytes, parts, k->n + 1) : 0;
    return (struct str){n ? arena_copy(a, bytes, n) : NULL, n};
}

struct str key_text_of(const struct image_flow *fl, struct str natural, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    size_t n = rowkey_parts(natural, a, parts + 1, LIMIT_KEY_PARTS + 1);
    parts[0] = fl->name;
    struct buf b = {0};
    rowkey_text(&b, fl->key_with_flow ? parts : parts + 1, fl->key_with_flow ? n + 1 : n);
    struct str s = {arena_copy(a, b.p, b.n), b.n};
    buf_free(&b);
    return s;
}

struct str key_written(struct vm *vm, const struct image_flow *fl, struct str natural, struct arena *a)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    char why[160];
    if (fl->key_program.ninstr == 0) return key_text_of(fl, natural, a);
    size_t n = rowkey_parts(natural, a, parts, LIMIT_KEY_PARTS + 1);
    struct value *cols = ARENA_ARRAY(a, struct value, fl->ncolumns + 1);
    bool good = n == fl->nkeys + 1u && n > 1;
    for (size_t i = 0; i < fl->ncolumns; i++) cols[i] = value_absent;
    for (size_t i = 0; good && i < fl->nkeys; i++) good = type_read(&fl->columns[fl->key_columns[i]].type, parts[i + 1], &cols[fl->key_columns[i]], why, sizeof why);
    if (!good) return key_text_of(fl, natural, a);
    struct value v = vm_key(vm, fl, cols);
    return (struct str){arena_copy(a, v.u.text, v.len), v.len};
}

const struct source_query *key_split(const struct sync_flow *sf, struct str natural, struct arena *a, struct source_key *out)
{
    struct str parts[LIMIT_KEY_PARTS + 1];
    size_t n = rowkey_parts(natural, a, parts, LIMIT_KEY_PARTS + 1);
    if (n < 2) return NULL;
    out->n = n - 1;
    for (size_t i = 1; i < n; i++) out->part[i - 1] = parts[i];
    for (size_t i = 0; i < sf->nqueries; i++)
        if (str_eq(sf->queries[i].company, parts[0])) return &sf->queries[i];
    return NULL;
}

/* ---- computing ---- */
static bool has_fuse(const struct image_flow *fl)
{
    return fl->fuse_count > 0 || fl->fuse_percent > 0;
}

static bool was_written(const struct row *r)
{
    return r->id.n > 0 || r->state == ROW_INFLIGHT || r->state == ROW_AMBIGUOUS;
}

/* A value that stands in the target and would be cleared. */
static bool blanks(const struct image_flow *fl, const struct record *wanted, const struct record *written)
{
    for (size_t i = 0; i < wanted->n; i++) {
        const struct value *have = record_get(written, wanted->f[i].name);
        const struct image_field *field = flow_field(fl, wanted->f[i].name);
        if (have && value_present(have) && !value_present(&wanted->f[i].v) && field && field->mode == FIELD_SET) return true;
    }
    return false;
}

/* The row adds to another record than before. */
static bool moves(const struct record *wanted, struct str before, struct arena *a)
{
    struct record was = record_of(before, a);
    const struct value *to = record_get(wanted, STR(INTO_FIELD)), *from = record_get(&was, STR(INTO_FIELD));
    return to && from && !value_equal(to, from);
}

/* The state of a row whose wanted image is new. */
static uint8_t next_state(struct sync_flow *sf, struct derived *d, struct arena *a)
{
    const struct image_flow *fl = sf->fl;
    struct record wanted = record_of(d->wanted, a), written = record_of(d->row.written, a);
    if (d->known && d->row.id.n) {
        struct record_field *diff = ARENA_ARRAY(a, struct record_field, wanted.n + 1);
        bool unread = d->row.flags & (ROW_F_UNREAD | ROW_F_FORCE) || moves(&wanted, d->row.wanted, a);
        if (!unread && wanted_diff(fl, &wanted, &written, WRITE_UPDATE, false, diff) == 0) {
            d->flags &= ~(uint32_t)ROW_F_DANGER;
            return d->flags & ROW_F_GONE ? ROW_GONE : d->flags & ROW_F_LEFT ? ROW_LEFT : ROW_CLEAN;
        }
        if (blanks(fl, &wanted, &written)) d->flags |= ROW_F_DANGER;
    }
    if ((d->flags & ROW_F_DANGER) && has_fuse(fl)) return ROW_HELD;
    /* A person's decision is waited for on; another record may not be the one that is needed now. */
    return d->known && d->row.state == ROW_WAITING && fl->adopt && !link_waits(sf) ? ROW_WAITING : ROW_DIRTY;
}

/* The filter is false, or the row is gone: what the events set, if the record was ever written. */
static void compute_event(struct sync_flow *sf, struct derived *d, const struct image_event *ev, uint32_t flag, bool danger, struct arena *a)
{
    d->kind = DERIVE_LEAVE;
    d->flags = flag;
    if (!d->known || !was_written(&d->row) || !ev->present) {
        d->state = flag == ROW_F_GONE ? ROW_GONE : ROW_LEFT;
        return;
    }
    d->wanted = wanted_event(sf->fl, ev, d->row.wanted, a);
    if (danger) d->flags |= ROW_F_DANGER;
    d->state = next_state(sf, d, a);
}

static void compute_reject(struct derived *d, const char *why)
{
    d->kind = DERIVE_REJECT;
    d->why = why;
    d->flags = ROW_F_REJECT;
    d->state = ROW_REJECTED;
}

static void compute(struct engine *e, struct sync_flow *sf, const struct value *cols, bool force, struct derived *d, struct arena *a)
{
    const struct image_flow *fl = sf->fl;
    if (!vm_when(e->vm, fl, cols)) {
        compute_event(sf, d, &fl->on_leave, ROW_F_LEFT, true, a);
        d->why = "left the flow: its filter is false";
        return;
    }
    struct value into = value_absent;
    if (fl->into) {
        const struct str *message;
        into = vm_into(e->vm, fl, cols, &message);
        if (message) {
            compute_reject(d, arena_copy(a, message->p, message->n));
            return;
        }
        if (!value_present(&into)) {                          /* it belongs to no record */
            compute_event(sf, d, &fl->on_leave, ROW_F_LEFT, true, a);
            return;
        }
    }
    struct str written = key_written(e->vm, fl, d->key, a);
    struct vm_out out;
    vm_map(e->vm, fl, cols, &out);
    for (size_t i = 0; i < fl->nfields; i++) d->no_answer += out.no_answer[i];
    if (out.rejected) {
        compute_reject(d, arena_copy(a, out.message.p, out.message.n));
        return;
    }
    d->wanted = wanted_build(sf, &out, &into, written, a);
    bool came_back = d->known && (d->row.flags & (ROW_F_LEFT | ROW_F_GONE | ROW_F_REJECT));
    bool settled = d->known && d->row.state != ROW_REJECTED && d->row.state != ROW_HELD;
    if (!force && settled && !came_back && str_eq(d->wanted, d->row.wanted)) {
        d->kind = DERIVE_TOUCH;
        d->flags = d->row.flags;
        d->state = d->row.state;
        return;
    }
    d->kind = DERIVE_WRITE;
    d->state = next_state(sf, d, a);
    if (d->state == ROW_HELD) d->why = "would clear a field that has a value";
    if (force && d->state == ROW_CLEAN) d->state = ROW_DIRTY;
}

static enum err known_row(struct engine *e, struct sync_flow *sf, struct derived *d, struct arena *a, struct fault *f)
{
    struct flow_state st;
    if (!store_flow(e->store, sf->name, &st)) return ERR_OK;
    enum err err = store_row(e->store, st.id, d->key, a, &d->row, f);
    d->known = err == ERR_OK;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err derive_row(struct engine *e, struct sync_flow *sf, const struct source_query *q, const struct source_row *row, bool force, struct arena *a,
                    struct derived *d, struct fault *f)
{
    *d = (struct derived){.kind = DERIVE_SAME};
    d->key = key_natural(q, &row->key, a);
    if (d->key.n == 0) return fault_set(f, ERR_PROTOCOL, "flow %s: the source sent a key of more than %d bytes", sf->cname, LIMIT_KEY_BYTES);
    enum err err = known_row(e, sf, d, a, f);
    if (err != ERR_OK) return err;
    if (d->known && (d->row.flags & ROW_F_ERASED)) return ERR_OK;
    d->key_text = key_text_of(sf->fl, d->key, a);
    d->hash = same_hash(sf, row->hash, a);
    bool same = d->known && d->hash.n && str_eq(d->row.hash, d->hash) && !(d->row.flags & ROW_F_GONE);
    if (same && !force) return ERR_OK;
    if (row->violation) {
        d->violated = true;
        compute_reject(d, row->violation);
        d->flags |= ROW_F_VIOLATED;
        return ERR_OK;
    }
    d->snapshot = snapshot_of(sf->fl, row->cols, a);
    if (!force && !row->hash.n && d->known && str_eq(d->snapshot, d->row.snapshot) && !(d->row.flags & ROW_F_GONE)) return ERR_OK;
    compute(e, sf, row->cols, force, d, a);
    return ERR_OK;
}

enum err derive_snapshot(struct engine *e, struct sync_flow *sf, struct str key, const struct row *row, struct arena *a, struct derived *d, struct fault *f)
{
    *d = (struct derived){.kind = DERIVE_SAME, .key = key, .row = *row, .known = true};
    d->key_text = key_text_of(sf->fl, key, a);
    struct value *cols = ARENA_ARRAY(a, struct value, sf->fl->ncolumns + 1);
    if (row->flags & (ROW_F_GONE | ROW_F_ERASED) || (row->snapshot.n == 0 && !(row->flags & ROW_F_VIOLATED))) return ERR_OK;
    if (row->flags & ROW_F_VIOLATED) return fault_set(f, ERR_NOT_FOUND, "the newest row broke a declared type: it has to be read again");
    if (!snapshot_cols(sf->fl, row->snapshot, a, cols))
        return fault_set(f, ERR_NOT_FOUND, "the snapshot lacks a column that the mapping reads now");
    compute(e, sf, cols, false, d, a);
    return ERR_OK;
}

/* ---- journaling ---- */
static enum err slot_of(struct engine *e, const struct derived *d, uint32_t *slot, bool *fresh, struct fault *f)
{
    *fresh = !d->known || d->row.slot == FRAME_NO_SLOT;
    if (!*fresh) {
        *slot = d->row.slot;
        return ERR_OK;
    }
    return slot_take(e->secrets, slot, f);
}

static enum frame_kind kind_of(const struct derived *d)
{
    if (d->kind == DERIVE_REJECT) return FRAME_REJECT;
    if (d->kind == DERIVE_LEAVE) return d->flags & ROW_F_GONE ? FRAME_GONE : FRAME_LEAVE;
    return FRAME_ROW;
}

enum err derive_emit(struct engine *e, struct sync_flow *sf, struct derived *d, struct fault *f)
{
    if (d->kind == DERIVE_SAME) return ERR_OK;
    uint32_t slot;
    bool fresh;
    enum err err = slot_of(e, d, &slot, &fresh, f);
    if (err != ERR_OK) return err;
    emit_begin(e, kind_of(d), sf);
    emit_key(e, d->key, slot);
    event_put_int(&e->pub, EV_STATE, d->state);
    event_put_int(&e->pub, EV_FLAGS, d->flags);
    if (fresh) event_put_int(&e->pub, EV_SLOT, slot);
    if (d->no_answer) event_put_int(&e->pub, EV_NO_ANSWER, d->no_answer);
    if (d->violated) event_put_int(&e->pub, EV_VIOLATED, 1);
    if (d->hash.n) event_put(&e->priv, EV_SRC_HASH, d->hash);
    if (d->snapshot.n) event_put(&e->priv, EV_SNAPSHOT, d->snapshot);
    if (d->wanted.p) event_put(&e->priv, EV_WANTED, d->wanted);
    event_put_text(&e->priv, EV_WHY, d->why ? d->why : "");
    if (d->kind == DERIVE_REJECT) e->result.rejected++;
    return emit_end(e, f);
}

enum err derive_gone(struct engine *e, struct sync_flow *sf, struct str key, enum source_sign sign, struct fault *f)
{
    struct derived d = {.kind = DERIVE_SAME, .key = key};
    enum err err = known_row(e, sf, &d, &e->page, f);
    if (err != ERR_OK || !d.known || (d.row.flags & (ROW_F_GONE | ROW_F_ERASED))) return err;
    d.key_text = key_text_of(sf->fl, key, &e->page);
    bool completed = sign == SIGN_COMPLETED;
    compute_event(sf, &d, completed ? &sf->fl->on_leave : &sf->fl->on_delete, ROW_F_GONE, !completed, &e->page);
    d.why = completed ? "completed in the source, which keeps it in its history" : sign == SIGN_DELETED ? "deleted in the source, whose history says so" : "no longer in the source";
    return derive_emit(e, sf, &d, f);
}
