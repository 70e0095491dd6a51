/* reconcile_orphan.c - what stands in the target with a key of ours and belongs to no record: the module is walked once, by pages in the order of ids. An
 * id that the index links was compared already; one that was found by its key in this run too. What is left is an orphan, or the second record of a key. */
#include "sync/reconcile_private.h"
#include <stdlib.h>

/* ---- ids seen ---- */
uint64_t reconcile__hash(struct str s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    h ^= h >> 31;
    return h ? h : 1;
}

static void put(struct id_set *s, uint64_t h)
{
    size_t at = (size_t)h & (s->cap - 1);
    while (s->slots[at] && s->slots[at] != h) at = (at + 1) & (s->cap - 1);
    s->n += s->slots[at] == 0;
    s->slots[at] = h;
}

void id_set_add(struct id_set *s, struct str id)
{
    if ((s->n + 1) * 2 > s->cap) {
        struct id_set grown = {.cap = s->cap ? s->cap * 2 : 1024};
        grown.slots = calloc(grown.cap, sizeof *grown.slots);
        if (!grown.slots) check_no_memory();
        for (size_t i = 0; i < s->cap; i++)
            if (s->slots[i]) put(&grown, s->slots[i]);
        free(s->slots);
        *s = grown;
    }
    put(s, reconcile__hash(id));
}

bool id_set_has(const struct id_set *s, struct str id)
{
    uint64_t h = reconcile__hash(id);
    for (size_t at = (size_t)h & (s->cap - 1); s->cap && s->slots[at]; at = (at + 1) & (s->cap - 1))
        if (s->slots[at] == h) return true;
    return false;
}

/* ---- the walk ---- */
static struct str key_of(const struct reconcile_run *run, const struct lookup_hit *hit)
{
    const struct value *v = record_get(&hit->fields, run->sf->fl->fields[run->sf->fl->key_field].name);
    return v && v->kind == V_TEXT ? value_str(v) : (struct str){"", 0};
}

/* The record of the index that has this key as its text, if the key can be read back. */
static bool known_key(struct reconcile_run *run, struct str text, struct row *row)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    size_t n = rowkey_parse(text, &run->chunk, parts, LIMIT_KEY_PARTS + 2), from = 0;
    struct buf b = {0};
    if (n > 1 && run->sf->fl->key_with_flow && str_eq(parts[0], run->sf->name)) from = 1;
    bool known = n > from && run->flow_id && rowkey_make(&b, parts + from, n - from) &&
                 store_row(run->e->store, run->flow_id, buf_view(&b), &run->chunk, row, NULL) == ERR_OK;
    buf_free(&b);
    return known;
}

/* Two flows may share a module and its key field: the other one's records begin with its name. */
static bool of_another_flow(const struct reconcile_run *run, struct str text)
{
    if (!run->sf->fl->key_with_flow) return false;
    return !(str_starts(text, run->sf->name) && text.n > run->sf->name.n && text.p[run->sf->name.n] == '~');
}

static void judge_hit(struct reconcile_run *run, const struct lookup_hit *hit)
{
    struct str text = key_of(run, hit), other;
    struct row row;
    if (of_another_flow(run, text)) return;
    run->report.target++;
    if (run->flow_id && store_by_id(run->e->store, run->flow_id, hit->id, &run->chunk, &other) == ERR_OK) return;
    if (id_set_has(&run->unlinked, hit->id)) return;
    bool second = known_key(run, text, &row) && row.id.n;
    struct reconcile_difference d = {.cls = second ? RECONCILE_DUPLICATE : RECONCILE_ORPHAN, .key = text, .id = hit->id};
    d.why = second ? arena_printf(&run->chunk, "record %.*s is the one that we write", (int)row.id.n, row.id.p) : "no record of the source has this key";
    run->report.counts[d.cls]++;
    reconcile__tell(run, &d);
    totals_add(run->totals, run->e, run->sf, (struct str){NULL, 0}, text, NULL, &hit->fields);
}

enum err reconcile__orphans(struct reconcile_run *run, struct fault *f)
{
    const struct sync_endpoint *dst = run->sf->dst;
    const struct image_flow *fl = run->sf->fl;
    if (fl->into) return ERR_OK;                       /* its records are another flow's */
    if (!dst->tops->scan) {
        run->report.no_scan = true;
        return ERR_OK;
    }
    struct str want[64], field = fl->fields[fl->key_field].name;
    size_t nwant = 0;
    want[nwant++] = field;
    nwant += totals_want(run->totals, run->sf, want + nwant);
    struct buf after = {0};
    enum err err = ERR_OK;
    for (bool more = true; more && err == ERR_OK;) {
        struct lookup_hit *hits = NULL;
        size_t n = 0;
        arena_reset(&run->chunk);
        store_rest(run->e->store);
        err = dst->tops->scan(dst->target, fl->module, field, buf_view(&after), want, nwant, &run->chunk, &hits, &n, &more, f);
        run->result->target_calls++;
        for (size_t i = 0; i < n && err == ERR_OK; i++) judge_hit(run, &hits[i]);
        if (n == 0) break;
        buf_clear(&after);
        buf_str(&after, hits[n - 1].id);
        progress_tell(run->e, run->sf, "walking the target");
        if (run->e->o.stop && *run->e->o.stop && err == ERR_OK) err = fault_set(f, ERR_STOPPED, "stopped on request");
    }
    buf_free(&after);
    return err;
}
