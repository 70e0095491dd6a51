/* hint.c - what a target tells by itself. A notification is a hint: it says which records to look at, nothing of it is taken for true.
 *
 *     receiver -> STATE/hints/TARGET/N.hint -> hint_take -> HINT (audit log) -> read the records by id, look finds up anew
 *                                                  |
 *                    a guarded flow's record, or one that was deleted ----> HINT on its row: read back before the next comparison
 *                    a record that a find may mean -> cached answers that differ now: LINK; rows that used them: HINT, that field goes out again
 *
 * A file goes when what follows from it is durable, so a crash repeats it and nothing is lost. Hints that are lost on the way cost only time: polling,
 * re-reading and hint_refresh (after a gap, and with each full pass) find the same. */
#include "sync/sync_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HINTS_AT_ONCE = 64, HINT_BYTES = 1 << 20, IDS_AT_ONCE = LIMIT_COQL_IN };

/* ---- what we want to hear of ---- */
static void wish(struct watch_wish *list, size_t *n, size_t max, struct str module, bool all)
{
    size_t i = 0;
    while (i < *n && !str_eq(list[i].module, module)) i++;
    if (i == *n && *n == max) return;
    if (i == *n) list[(*n)++] = (struct watch_wish){module, false};
    list[i].all = list[i].all || all;
}

static void wish_links(struct watch_wish *list, size_t *n, size_t max, const struct image_link *links, size_t nlinks)
{
    for (size_t k = 0; k < nlinks; k++)
        if (links[k].kind == LINK_FIND && !str_is(links[k].module, "users")) wish(list, n, max, links[k].module, true);
}

static size_t wishes(const struct engine *e, const struct sync_endpoint *p, struct watch_wish *list, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < e->image->nflows; i++) {
        const struct image_flow *fl = &e->image->flows[i];
        if (!str_eq(fl->target, p->decl->name)) continue;
        wish(list, &n, max, fl->module, fl->guard);
        wish_links(list, &n, max, fl->links, fl->nlinks);
        for (size_t k = 0; k < fl->nlines; k++) wish_links(list, &n, max, fl->lines[k].body->links, fl->lines[k].body->nlinks);
    }
    return n;
}

static bool listens(const struct sync_endpoint *p)
{
    return p->tops->watch && conn_setting(&p->env, "notify_url").n > 0;
}

/* For `mlcd status`, which has no connector at hand. */
static void tell_channels(struct engine *e, const struct sync_endpoint *p, const struct watch_turn *t)
{
    struct buf b = {0};
    struct fault f;
    for (size_t i = 0; i < t->nchannels; i++)
        buf_printf(&b, "%.*s\t%s\t%lld\n", (int)t->channels[i].module.n, t->channels[i].module.p, t->channels[i].all ? "all" : "deletions",
                   (long long)t->channels[i].until_wall_ms);
    const char *path = arena_printf(&e->page, "%s/channels.%s", e->o.state_dir, p->env.state_name);
    if (world_write_file(e->w, path, buf_view(&b), 0600, &f) != ERR_OK) log_warn("%s", f.text);
    buf_free(&b);
}

/* Looks after the channels of one target; without wishes it takes them off. An error is told and tried again: hints are a help, polling goes on. */
static enum err keep_channels(struct engine *e, struct sync_endpoint *p, bool off, struct fault *f)
{
    enum { MAX = 128 };
    struct arena a;
    struct fault why = {ERR_OK, ""};
    struct watch_turn t = {.next_ms = 0};
    arena_init(&a, 0);
    struct watch_wish *list = ARENA_ARRAY(&a, struct watch_wish, MAX);
    size_t n = off ? 0 : wishes(e, p, list, MAX);
    enum err err = p->tops->watch(p->target, list, n, &a, &t, &why);
    if (err != ERR_OK) log_warn("notifications of %s: %s; polling goes on", p->env.state_name, why.text);
    p->watch_due_ms = world_mono_ms(e->w) + (err == ERR_OK ? t.next_ms : 60000);
    tell_channels(e, p, &t);
    bool gap = t.gap;
    arena_free(&a);
    return gap && !off ? hint_refresh(e, p, f) : ERR_OK;
}

enum err hint_channels(struct engine *e, bool off, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->image->ntargets && err == ERR_OK && e->o.listening; i++) {
        struct sync_endpoint *p = &e->targets[i];
        if (listens(p) && (off || world_mono_ms(e->w) >= p->watch_due_ms)) err = keep_channels(e, p, off, f);
    }
    return err;
}

int64_t hint_due_ms(const struct engine *e)
{
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < e->image->ntargets && e->o.listening; i++)
        if (listens(&e->targets[i]) && e->targets[i].watch_due_ms < due) due = e->targets[i].watch_due_ms;
    return due;
}

/* ---- marking rows ---- */
static enum err mark(struct engine *e, struct sync_flow *sf, struct str key, uint32_t slot, const char *why, struct fault *f)
{
    emit_begin(e, FRAME_HINT, sf);
    emit_key(e, key, slot);
    event_put_text(&e->pub, EV_WHY, why);
    return emit_end(e, f);
}

static void put_without(struct buf *part, enum event_tag tag, struct str image, const struct str *fields, size_t nfields, struct arena *a)
{
    if (image.n == 0) return;
    struct record r = record_of(image, a);
    struct buf b = {0};
    size_t n = 0;
    for (size_t i = 0; i < r.n; i++) {
        bool out = false;
        for (size_t k = 0; k < nfields && !out; k++) out = str_eq(r.f[i].name, fields[k]);
        if (!out) r.f[n++] = r.f[i];
    }
    r.n = n;
    record_encode(&b, &r);
    event_put(part, tag, buf_view(&b));
    buf_free(&b);
}

enum err hint_fields(struct engine *e, const struct sync_flow *sf, struct str key, const struct row *row, const struct str *fields, size_t n, const char *why,
                     struct arena *a, struct fault *f)
{
    emit_begin(e, FRAME_HINT, sf);
    emit_key(e, key, row->slot);
    event_put(&e->pub, EV_FIELD, fields[0]);
    event_put_text(&e->pub, EV_WHY, why);
    put_without(&e->priv, EV_OLD, row->written, fields, n, a);
    put_without(&e->priv, EV_SENT, row->sent, fields, n, a);
    return emit_end(e, f);
}

/* Records of ours that are named: read back before anything is compared with them. */
static enum err mark_records(struct engine *e, const struct sync_endpoint *p, const struct target_told *told, struct arena *a, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->nflows && told->what != TOLD_INSERT; i++) {
        struct sync_flow *sf = &e->flows[i];
        struct flow_state st;
        bool wanted = sf->dst == p && str_eq(sf->fl->module, told->module) && (sf->fl->guard || told->what == TOLD_DELETE);
        if (!wanted || !store_flow(e->store, sf->name, &st)) continue;
        for (size_t k = 0; k < told->nids && err == ERR_OK; k++) {
            struct str key;
            struct row row;
            if (store_by_id(e->store, st.id, told->ids[k], a, &key) != ERR_OK || store_row(e->store, st.id, key, a, &row, NULL) != ERR_OK) continue;
            err = mark(e, sf, key, row.slot, told->what == TOLD_DELETE ? "deleted in the target" : "changed in the target", f);
        }
    }
    return err;
}

/* ---- finds ---- */
struct answer { struct str asked, value, was, now; uint32_t slot; bool answered, differs; };   /* not answered: of a find that no spec here has any more */
struct held { struct str field, value; };             /* what a record that was named holds now */
struct answers {
    struct arena *a;
    struct answer *list; size_t n, cap;
    const struct target_told *told;                   /* NULL: every answer is concerned */
    struct held *held; size_t nheld;
};

static void add_answer(struct answers *as, const struct store_answer *l)
{
    if (as->n == as->cap) {
        struct answer *grown = ARENA_ARRAY(as->a, struct answer, as->cap ? as->cap * 2 : 64);
        if (as->n) memcpy(grown, as->list, as->n * sizeof *grown);
        as->list = grown;
        as->cap = as->cap ? as->cap * 2 : 64;
    }
    as->list[as->n++] = (struct answer){.asked = l->field, .value = l->value, .was = l->id, .slot = l->slot};
}

/* An answer in the cache is concerned when it is a record that was named, or when one of these may be it now: it holds the (first) value looked for. */
static void concerned(void *ctx, const struct store_answer *l)
{
    struct answers *as = ctx;
    bool hit = as->told == NULL;
    const char *comma = memchr(l->field.p, ',', l->field.n);
    struct str field = {l->field.p, comma ? (size_t)(comma - l->field.p) : l->field.n}, first = link_part(l->value, 0);
    for (size_t i = 0; !hit && i < as->told->nids; i++) hit = str_eq(as->told->ids[i], l->id);
    for (size_t i = 0; !hit && i < as->nheld; i++) hit = str_eq(as->held[i].field, field) && str_eq(as->held[i].value, first);
    if (hit) add_answer(as, l);
}

static enum err values_now(struct sync_endpoint *p, struct answers *as, const struct str *fields, size_t nfields, struct fault *f)
{
    as->held = ARENA_ARRAY(as->a, struct held, as->told->nids * nfields + 1);
    for (size_t at = 0; at < as->told->nids; at += IDS_AT_ONCE) {
        size_t n = as->told->nids - at < IDS_AT_ONCE ? as->told->nids - at : IDS_AT_ONCE, nhits = 0;
        struct lookup_hit *hits = NULL;
        enum err err = p->tops->read(p->target, as->told->module, as->told->ids + at, n, fields, nfields, as->a, &hits, &nhits, f);
        if (err != ERR_OK) return err;
        for (size_t h = 0; h < nhits && h < n; h++)
            for (size_t k = 0; k < nfields; k++) {
                const struct value *v = record_get(&hits[h].fields, fields[k]);
                if (v && v->kind == V_TEXT) as->held[as->nheld++] = (struct held){fields[k], value_str(v)};
            }
    }
    return ERR_OK;
}

/* Asks anew what was kept under the name of one find. */
static enum err ask(struct sync_flow *sf, const struct image_link *l, struct answers *as, struct fault *f)
{
    struct str *values = ARENA_ARRAY(as->a, struct str, LIMIT_COQL_IN), asked = link_asked(l, as->a);
    size_t *index = ARENA_ARRAY(as->a, size_t, LIMIT_COQL_IN);
    for (size_t at = 0; at < as->n;) {
        size_t n = 0, nhits = 0;
        struct lookup_hit *hits = NULL;
        for (; at < as->n && n < LIMIT_COQL_IN; at++)
            if (str_eq(as->list[at].asked, asked)) {
                index[n] = at;
                values[n++] = as->list[at].value;
            }
        if (n == 0) break;
        enum err err = link_ask(sf, l, values, n, as->a, &hits, &nhits, f);
        if (err != ERR_OK) return err;
        for (size_t i = 0; i < n; i++) as->list[index[i]].answered = true;
        for (size_t h = 0; h < nhits; h++) {
            struct answer *an = &as->list[index[hits[h].value_index]];
            an->now = an->now.n ? STR(LINK_MANY) : hits[h].id;
        }
    }
    return ERR_OK;
}

/* Each find once, whichever flow it stands in. */
static enum err ask_all(struct engine *e, const struct sync_endpoint *p, struct str module, struct answers *as, struct fault *f)
{
    struct str done[32];
    size_t n = 0;
    for (size_t i = 0; i < e->nflows; i++)
        for (size_t k = 0; e->flows[i].dst == p && k < e->flows[i].nplaces; k++) {
            const struct image_link *l = e->flows[i].places[k].l;
            if (l->kind != LINK_FIND || !str_eq(l->module, module)) continue;
            struct str asked = link_asked(l, as->a);
            bool known = n == 32;
            for (size_t x = 0; !known && x < n; x++) known = str_eq(done[x], asked);
            if (known) continue;
            done[n++] = asked;
            enum err err = ask(&e->flows[i], l, as, f);
            if (err != ERR_OK) return err;
        }
    return ERR_OK;
}

struct users_of { struct engine *e; struct sync_flow *sf; struct str module; const struct answers *as; struct arena *a; struct fault *f; };

/* The fields of a record in which a find stands that has another answer now. */
static size_t fields_to_send(const struct users_of *u, const struct record *wanted, bool has_id, struct str *out, size_t max)
{
    size_t n = 0;
    for (size_t p = 0; p < u->sf->nplaces; p++) {
        const struct image_link *l = u->sf->places[p].l;
        const struct image_field *fd = &u->sf->fl->fields[u->sf->places[p].field];
        struct str field;
        if (l->kind != LINK_FIND || !str_eq(l->module, u->module) || (fd->mode == FIELD_ONCE && has_id)) continue;
        struct str asked = link_asked(l, u->a);
        for (size_t i = 0; i < u->as->n && n < max; i++) {
            const struct answer *an = &u->as->list[i];
            bool known = !an->differs || !str_eq(an->asked, asked) || !link_stands(u->sf, l, wanted, an->value, &field);
            for (size_t k = 0; !known && k < n; k++) known = str_eq(out[k], field);
            if (!known) out[n++] = field;
        }
    }
    return n;
}

static enum err mark_user(void *arg, struct str key, const struct row *row)
{
    enum { MAX = 16 };
    struct users_of *u = arg;
    struct str fields[MAX];
    if (row->flags & ROW_F_ERASED) return ERR_OK;
    struct arena_mark m = arena_mark(u->a);
    struct record wanted = record_of(row->wanted, u->a);
    size_t n = fields_to_send(u, &wanted, row->id.n > 0, fields, MAX);
    enum err err = n ? hint_fields(u->e, u->sf, key, row, fields, n, "a find has another answer now", u->a, u->f) : ERR_OK;
    arena_release(u->a, m);
    return err;
}

static bool finds_in(const struct sync_flow *sf, struct str module)
{
    for (size_t p = 0; p < sf->nplaces; p++)
        if (sf->places[p].l->kind == LINK_FIND && str_eq(sf->places[p].l->module, module)) return true;
    return false;
}

static enum err mark_users(struct engine *e, const struct sync_endpoint *p, struct str module, const struct answers *as, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->nflows && err == ERR_OK; i++) {
        struct sync_flow *sf = &e->flows[i];
        struct flow_state st;
        if (sf->dst != p || !finds_in(sf, module) || !store_flow(e->store, sf->name, &st)) continue;
        struct users_of u = {e, sf, module, as, as->a, f};
        err = store_rows(e->store, st.id, (struct str){"", 0}, mark_user, &u, f);
    }
    return err;
}

static enum err emit_answers(struct engine *e, struct str module, const struct answers *as, struct fault *f)
{
    for (size_t i = 0; i < as->n; i++) {
        if (!as->list[i].answered) continue;
        emit_begin(e, FRAME_LINK, NULL);
        e->building.slot = as->list[i].slot;
        store_link_hash(e->store, as->list[i].asked, as->list[i].value, e->building.key_hash);
        event_put(&e->pub, EV_MODULE, module);
        event_put(&e->pub, EV_FIELD, as->list[i].asked);
        event_put(&e->priv, EV_VALUE, as->list[i].value);
        event_put(&e->priv, EV_ID, as->list[i].now);
        enum err err = emit_end(e, f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

/* The (first) fields that finds of this target look at in a module. */
static size_t find_fields(const struct engine *e, const struct sync_endpoint *p, struct str module, struct str *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < e->nflows; i++)
        for (size_t k = 0; e->flows[i].dst == p && k < e->flows[i].nplaces; k++) {
            const struct image_link *l = e->flows[i].places[k].l;
            bool known = l->kind != LINK_FIND || !str_eq(l->module, module);
            for (size_t x = 0; !known && x < n; x++) known = str_eq(out[x], l->field);
            if (!known && n < max) out[n++] = l->field;
        }
    return n;
}

/* told NULL: every answer of the module that is cached. Rows first, then the answers, in one commit: what differs is known until both are durable. */
static enum err refresh(struct engine *e, struct sync_endpoint *p, struct str module, const struct target_told *told, struct fault *f)
{
    struct arena a;
    struct str fields[16];
    size_t nfields = find_fields(e, p, module, fields, 16);
    if (nfields == 0) return ERR_OK;
    arena_init(&a, 0);
    struct answers as = {.a = &a, .told = told};
    enum err err = told && told->what != TOLD_DELETE ? values_now(p, &as, fields, nfields, f) : ERR_OK;
    if (err == ERR_OK) store_links(e->store, module, &a, concerned, &as);
    if (err == ERR_OK) err = ask_all(e, p, module, &as, f);
    bool any = false;
    for (size_t i = 0; i < as.n; i++) any = (as.list[i].differs = as.list[i].answered && !str_eq(as.list[i].was, as.list[i].now)) || any;
    if (err == ERR_OK && any) err = mark_users(e, p, module, &as, f);
    if (err == ERR_OK) err = emit_answers(e, module, &as, f);
    arena_free(&a);
    return err;
}

enum err hint_refresh(struct engine *e, struct sync_endpoint *p, struct fault *f)
{
    struct watch_wish list[64];
    size_t n = wishes(e, p, list, 64);
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) err = refresh(e, p, list[i].module, NULL, f);
    return err == ERR_OK && e->npending ? emit_commit(e, f) : err;
}

enum err hint_refresh_daily(struct engine *e, struct sync_endpoint *p, struct fault *f)
{
    int64_t now = world_mono_ms(e->w);
    if (p->refreshed_ms && now - p->refreshed_ms < 3600 * 1000) return ERR_OK;
    p->refreshed_ms = now ? now : 1;
    return hint_refresh(e, p, f);
}

/* ---- one notification ---- */
static enum err emit_hint(struct engine *e, const struct sync_endpoint *p, const struct target_told *told, struct fault *f)
{
    static const char *const words[] = {[TOLD_INSERT] = "made", [TOLD_UPDATE] = "changed", [TOLD_DELETE] = "deleted"};
    struct buf ids = {0};
    for (size_t i = 0; i < told->nids; i++) buf_printf(&ids, "%s%.*s", i ? "," : "", (int)told->ids[i].n, told->ids[i].p);
    emit_begin(e, FRAME_HINT, NULL);
    event_put_text(&e->pub, EV_WHAT, words[told->what]);
    event_put(&e->pub, EV_MODULE, told->module);
    event_put_int(&e->pub, EV_ROWS, (int64_t)told->nids);
    event_put_text(&e->pub, EV_BY, p->env.state_name);
    event_put(&e->priv, EV_VALUE, buf_view(&ids));
    buf_free(&ids);
    return emit_end(e, f);
}

static enum err take_told(struct engine *e, struct sync_endpoint *p, const struct target_told *told, struct arena *a, struct fault *f)
{
    enum err err = emit_hint(e, p, told, f);
    if (err == ERR_OK) err = mark_records(e, p, told, a, f);
    if (err == ERR_OK) err = refresh(e, p, told->module, told, f);
    enum err kept = e->npending ? emit_commit(e, f) : ERR_OK;
    return err == ERR_OK ? kept : err;
}

/* ERR_OK also for a file that is none of ours: it goes, and the log says so. */
static enum err take_file(struct engine *e, struct sync_endpoint *p, const char *path, struct str token, struct arena *a, struct fault *f)
{
    struct str body;
    struct target_told told;
    struct fault why = {ERR_OK, ""};
    enum err err = world_read_file(e->w, path, HINT_BYTES, a, &body, &why);
    if (err == ERR_NOT_FOUND) return ERR_OK;
    if (err == ERR_IO) return fault_set(f, ERR_IO, "%s", why.text);          /* it stays for the next time */
    if (err == ERR_OK) err = p->tops->told(token, body, a, &told, &why);
    if (err != ERR_OK) log_warn("a notification is dropped: %s", why.text);
    else err = take_told(e, p, &told, a, f);
    if (err != ERR_OK && why.err == ERR_OK) return err;
    if (e->w->files.unlink(e->w->files.ctx, path) != 0 && errno != ENOENT) return fault_set(f, ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    return ERR_OK;
}

struct hint_box { struct arena *a; const char *names[HINTS_AT_ONCE]; size_t n; };

static void note_hint(void *arg, const char *name)
{
    struct hint_box *box = arg;
    size_t len = strlen(name);
    if (box->n < HINTS_AT_ONCE && len > 5 && strcmp(name + len - 5, ".hint") == 0) box->names[box->n++] = arena_copy(box->a, name, len);
}

static enum err take_box(struct engine *e, struct sync_endpoint *p, size_t *taken, struct fault *f)
{
    struct arena a;
    struct str token;
    arena_init(&a, 0);
    struct hint_box *box = ARENA_NEW(&a, struct hint_box);
    box->a = &a;
    const char *dir = arena_printf(&a, "%s/hints/%s", e->o.state_dir, p->env.state_name);
    enum err err = ERR_OK;
    if (e->w->files.list(e->w->files.ctx, dir, note_hint, box) == 0 && box->n) err = p->tops->watch_token(p->target, &a, &token, f);
    for (size_t i = 0; i < box->n && err == ERR_OK; i++) {
        err = take_file(e, p, arena_printf(&a, "%s/%s", dir, box->names[i]), token, &a, f);
        *taken += err == ERR_OK;
    }
    arena_free(&a);
    return err;
}

bool hint_waits(struct engine *e)
{
    struct arena a;
    bool any = false;
    arena_init(&a, 4096);
    for (size_t i = 0; i < e->image->ntargets && !any && e->o.listening; i++) {
        struct hint_box *box = ARENA_NEW(&a, struct hint_box);
        *box = (struct hint_box){.a = &a};
        const char *dir = arena_printf(&a, "%s/hints/%s", e->o.state_dir, e->targets[i].env.state_name);
        any = e->w->files.list(e->w->files.ctx, dir, note_hint, box) == 0 && box->n > 0;
    }
    arena_free(&a);
    return any;
}

enum err hint_take(struct engine *e, size_t *taken, struct fault *f)
{
    enum err err = ERR_OK;
    *taken = 0;
    for (size_t i = 0; i < e->image->ntargets && err == ERR_OK; i++)
        if (e->targets[i].tops->told) err = take_box(e, &e->targets[i], taken, f);
    return err;
}

/* ---- what the receiver needs ---- */
/* A file in it that was acknowledged has to be found after a power cut, so the folder has to be there. */
static enum err make_box(struct engine *e, const char *dir, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    const char *parent = arena_printf(&e->page, "%s/hints", e->o.state_dir);
    if ((fs->mkdir(fs->ctx, parent, 0700) != 0 && errno != EEXIST) || (fs->mkdir(fs->ctx, dir, 0700) != 0 && errno != EEXIST) ||
        fs->sync_dir(fs->ctx, parent) != 0 || fs->sync_dir(fs->ctx, e->o.state_dir) != 0)
        return fault_set(f, errno == ENOSPC ? ERR_NO_SPACE : ERR_IO, "the folder for notifications %s cannot be made: %s", dir, strerror(errno));
    return ERR_OK;
}

enum err engine_ear(struct engine *e, size_t i, struct engine_ear *out, struct fault *f)
{
    for (size_t t = 0, met = 0; t < e->image->ntargets; t++) {
        struct sync_endpoint *p = &e->targets[t];
        struct str listen = conn_setting(&p->env, "notify_listen"), token;
        if (!listens(p) || !listen.n || met++ < i) continue;
        enum err err = p->tops->watch_token(p->target, &e->page, &token, f);
        if (err != ERR_OK) return err;
        *out = (struct engine_ear){.told = p->tops->told};
        (void)snprintf(out->token, sizeof out->token, "%.*s", (int)token.n, token.p);
        (void)snprintf(out->listen, sizeof out->listen, "%.*s", (int)listen.n, listen.p);
        (void)snprintf(out->dir, sizeof out->dir, "%s/hints/%s", e->o.state_dir, p->env.state_name);
        return make_box(e, out->dir, f);
    }
    return ERR_NOT_FOUND;
}

const char *engine_ear_where(void *ear, struct str body)
{
    const struct engine_ear *x = ear;
    struct target_told told;
    struct fault f;
    struct arena a;
    arena_init(&a, 0);
    bool ours = x->told(str_of(x->token), body, &a, &told, &f) == ERR_OK;
    arena_free(&a);
    return ours ? x->dir : NULL;
}
