/* crash_plant.c - wrong orders, planted from outside by the linker (--wrap on functions of ours), so that the product's text stays clean. Each is a
 * mistake that a change of the data path could make; a harness that does not find them proves nothing.
 *
 *     cursor first   a page's cursor is durable before its rows
 *     send first     a request leaves before its INTENT is synced
 *     fold first     an outcome is in the index before it is durable in the log
 *     blind lines    after an unknown outcome only those rows are looked at whose ids are in the line map: lines that the lost answer had made are sent
 *                    again as new ones
 *     not synced     directories; keys.slots; a segment before it gets its name; the index (crash_io.c leaves the call out)
 *     sync again     a sync that failed is repeated, and its success believed (crash_io.c)
 *     no memory      an allocation that nobody looks at; one whose refusal is swallowed together with the row
 *     no settling    what is ambiguous is read back at once (a setting of crash_life.c): a request that takes effect late undoes a newer one */
#include "tests/fault/crash.h"
#include "sync/sync_private.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

const char *const plant_text[PLANT_COUNT] = {"none", "the cursor before the rows", "sending before fdatasync", "folding before the outcome is durable",
                                           "no settling", "lines sent again without reading the rows",
                                           "directories not synced", "data keys not synced", "a new segment not synced", "the index not synced",
                                           "a failed sync tried again", "an allocation that is not checked",
                                           "a row that is left out when there is no memory for it"};

static struct {
    enum plant which;
    struct frame held[256];             /* frames of the page that wait behind its cursor */
    struct buf pub[256], priv[256];
    size_t nheld;
} plant;

void plant_begin(enum plant which) { plant.which = which; }

enum err __real_emit_end(struct engine *e, struct fault *f);
enum err __wrap_emit_end(struct engine *e, struct fault *f);
enum err __real_emit_commit(struct engine *e, struct fault *f);
enum err __wrap_emit_commit(struct engine *e, struct fault *f);
enum err __real_journal_commit(struct journal *j, struct fault *f);
enum err __wrap_journal_commit(struct journal *j, struct fault *f);

/* ---- cursor first ---- */
static bool about_a_row(const struct frame *fr)
{
    return fr->kind == FRAME_ROW || fr->kind == FRAME_REJECT || fr->kind == FRAME_LEAVE || fr->kind == FRAME_LOCKED;
}

static enum err hold(struct engine *e)
{
    size_t k = plant.nheld++;
    plant.held[k] = e->building;
    buf_clear(&plant.pub[k]);
    buf_clear(&plant.priv[k]);
    buf_put(&plant.pub[k], e->pub.p, e->pub.n);
    buf_put(&plant.priv[k], e->priv.p, e->priv.n);
    return ERR_OK;
}

static enum err release(struct engine *e, struct fault *f)
{
    enum err err = ERR_OK;
    for (size_t k = 0; k < plant.nheld && err == ERR_OK; k++) {
        e->building = plant.held[k];
        buf_clear(&e->pub);
        buf_clear(&e->priv);
        buf_put(&e->pub, plant.pub[k].p, plant.pub[k].n);
        buf_put(&e->priv, plant.priv[k].p, plant.priv[k].n);
        err = __real_emit_end(e, f);
    }
    plant.nheld = 0;
    return err;
}

static enum err cursor_first(struct engine *e, struct fault *f)
{
    if (about_a_row(&e->building) && plant.nheld < 256) return hold(e);
    bool page = e->building.kind == FRAME_PAGE;
    enum err err = __real_emit_end(e, f);
    if (err == ERR_OK && plant.nheld && page) err = __real_emit_commit(e, f);
    return err == ERR_OK && plant.nheld ? release(e, f) : err;
}

/* ---- no memory ---- */
static bool left_out(const struct engine *e)
{
    bool unchecked = plant.which == PLANT_UNCHECKED;
    if (!unchecked && (plant.which != PLANT_SWALLOWED || e->building.kind != FRAME_ROW)) return false;
    volatile char *p = malloc(16);
    if (p || unchecked) *p = 1;
    bool out = p == NULL;
    free((void *)(uintptr_t)p);
    return out;
}

enum err __wrap_emit_end(struct engine *e, struct fault *f)
{
    if (left_out(e)) return ERR_OK;
    return plant.which == PLANT_CURSOR_FIRST ? cursor_first(e, f) : __real_emit_end(e, f);
}

/* ---- send first ---- */
enum err __wrap_journal_commit(struct journal *j, struct fault *f)
{
    io_defer_syncs(plant.which == PLANT_SEND_FIRST);
    enum err err = __real_journal_commit(j, f);
    io_defer_syncs(false);
    if (err != ERR_OK) return err;
    struct hash head = journal_head(j);
    struct promise p = {.what = PROMISE_FRAMES, .seq = journal_durable_seq(j)};
    memcpy(p.hash, head.b, HASH_BYTES);
    io_promise(&p);
    return err;
}

/* ---- promises, not plants: what the program relies on from here on ---- */
enum err __real_secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f);
enum err __wrap_secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f);
enum err __real_slot_erase(struct secret_store *s, uint32_t slot, struct fault *f);
enum err __wrap_slot_erase(struct secret_store *s, uint32_t slot, struct fault *f);

enum err __wrap_secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f)
{
    struct promise p = {.what = PROMISE_SECRET_BEGINS};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    crypto_generichash(p.hash, sizeof p.hash, (const unsigned char *)value.p, value.n, NULL, 0);
    io_promise(&p);
    enum err err = __real_secret_put(s, name, value, f);
    p.what = PROMISE_SECRET;
    if (err == ERR_OK) io_promise(&p);
    return err;
}

enum err __wrap_slot_erase(struct secret_store *s, uint32_t slot, struct fault *f)
{
    struct promise p = {.what = PROMISE_ERASED, .slot = slot};
    enum err err = __real_slot_erase(s, slot, f);
    if (err == ERR_OK) io_promise(&p);
    return err;
}

/* ---- fold first ---- */
enum err __wrap_emit_commit(struct engine *e, struct fault *f)
{
    bool outcome = false;
    enum err err = ERR_OK;
    for (size_t i = 0; i < e->npending; i++) outcome = outcome || e->pending[i].kind == FRAME_OUTCOME;
    if (plant.which == PLANT_CURSOR_FIRST && plant.nheld) err = release(e, f);
    if (plant.which == PLANT_FOLD_FIRST && outcome) {
        for (size_t i = 0; i < e->npending && err == ERR_OK; i++) err = store_apply(e->store, &e->pending[i], f);
        if (err == ERR_OK) err = store_flush(e->store, f);
    }
    return err == ERR_OK ? __real_emit_commit(e, f) : err;
}

/* ---- blind lines ---- */
void __real_lines_match(const struct value *wanted, const struct value *last, const struct value *map, const struct value *rows, const struct list_shape *shape,
                        struct arena *a, struct lines_match *out);
void __wrap_lines_match(const struct value *wanted, const struct value *last, const struct value *map, const struct value *rows, const struct list_shape *shape,
                        struct arena *a, struct lines_match *out);

static bool in_map(const struct value *map, const struct value *id)
{
    for (size_t i = 0; map->kind == V_LIST && i < map->u.list->nlines; i++)
        if (value_equal(&map->u.list->lines[i].fields[0], id)) return true;
    return false;
}

/* Where nothing is known to have been written last, an outcome was unknown. */
void __wrap_lines_match(const struct value *wanted, const struct value *last, const struct value *map, const struct value *rows, const struct list_shape *shape,
                        struct arena *a, struct lines_match *out)
{
    struct value seen = *rows;
    if (plant.which == PLANT_LINES_BLIND && rows->kind == V_LIST && !value_present(last)) {
        struct list *l = ARENA_NEW(a, struct list);
        struct list_line *lines = ARENA_ARRAY(a, struct list_line, rows->u.list->nlines);
        *l = *rows->u.list;
        l->lines = lines;
        l->nlines = 0;
        for (size_t i = 0; i < rows->u.list->nlines; i++)
            if (in_map(map, &rows->u.list->lines[i].fields[0])) lines[l->nlines++] = rows->u.list->lines[i];
        seen = l->nlines ? (struct value){.kind = V_LIST, .u.list = l} : value_absent;
    }
    __real_lines_match(wanted, last, map, &seen, shape, a, out);
}
