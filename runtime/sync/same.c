/* same.c - rows in which nothing has changed, told by their hash before anything is made of them.
 *
 *     page -> keys and hashes -> [ sorted by key, one cursor through the index ] -> same: nothing more | else: columns read, mapped, compared
 *
 * A row is kept under its hash AND a digest of how it was read: table, columns, declared types. So another spec that reads another column, or the same one as
 * another type, finds no row the same, and the next full pass looks at each with new eyes. What the mapping makes of the columns is not in it: a changed
 * mapping derives every row from its snapshot at once (spec.c). */
#include "sync/sync_private.h"
#include <stdlib.h>

enum { READING_BYTES = 16, READING_VERSION = 1 };      /* another version: a reader takes the same bytes for something else than before */

static void put_type(struct buf *b, const struct type *t)
{
    struct buf text = {0};
    type_print(&text, t);
    buf_blob(b, buf_view(&text));
    buf_free(&text);
    buf_blob(b, t->yes);
    buf_blob(b, t->no);
    if (t->base != T_LIST || !t->shape) return;
    buf_varint(b, t->shape->n);
    for (size_t i = 0; i < t->shape->n; i++) {
        buf_blob(b, t->shape->names[i]);
        buf_byte(b, t->shape->flags[i]);
        put_type(b, &t->shape->types[i]);
    }
}

void same_reading(struct sync_flow *sf, struct arena *a)
{
    const struct image_flow *fl = sf->fl;
    struct buf b = {0};
    buf_byte(&b, READING_VERSION);
    buf_blob(&b, fl->entity);
    buf_varint(&b, fl->ncolumns);
    for (size_t i = 0; i < fl->ncolumns; i++) {
        buf_blob(&b, fl->columns[i].name);
        buf_byte(&b, fl->columns[i].udf);
        put_type(&b, &fl->columns[i].type);
    }
    struct hash h = hash_of(buf_view(&b));
    buf_free(&b);
    sf->reading = (struct str){arena_copy(a, h.b, READING_BYTES), READING_BYTES};
}

struct str same_hash(const struct sync_flow *sf, struct str hash, struct arena *a)
{
    if (hash.n == 0) return hash;
    char *p = arena_alloc(a, sf->reading.n + hash.n);
    memcpy(p, sf->reading.p, sf->reading.n);
    memcpy(p + sf->reading.n, hash.p, hash.n);
    return (struct str){p, sf->reading.n + hash.n};
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct store_seen *)a)->key, ((const struct store_seen *)b)->key);
}

static void in_key_order(struct store_seen *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (by_key(&list[i - 1], &list[i]) <= 0) continue;
        qsort(list, n, sizeof *list, by_key);
        return;
    }
}

enum err same_rows(struct engine *e, const struct sync_flow *sf, const struct source_query *q, struct source_row *rows, size_t n, struct fault *f)
{
    struct flow_state st;
    if (n == 0 || !store_flow(e->store, sf->name, &st)) return ERR_OK;
    struct arena_mark m = arena_mark(&e->page);
    struct store_seen *list = ARENA_ARRAY(&e->page, struct store_seen, n);
    size_t asked = 0;
    for (size_t i = 0; i < n; i++) {
        struct str key = rows[i].hash.n ? key_natural(q, &rows[i].key, &e->page) : (struct str){NULL, 0};
        if (key.n) list[asked++] = (struct store_seen){.key = key, .hash = same_hash(sf, rows[i].hash, &e->page), .index = i};
    }
    in_key_order(list, asked);
    enum err err = store_seen(e->store, st.id, list, asked, f);
    for (size_t i = 0; i < asked && err == ERR_OK; i++) rows[list[i].index].same = list[i].same;
    arena_release(&e->page, m);
    return err;
}

/* An index that cannot be read knows nothing the same; the row that is read next says why. */
static void answer(void *ctx, struct source_row *rows, size_t n)
{
    const struct same_asking *s = ctx;
    struct fault ignored;
    (void)same_rows(s->e, s->sf, s->q, rows, n, &ignored);
}

void same_asks(struct same_asking *to, struct engine *e, const struct sync_flow *sf, const struct source_query *q)
{
    *to = (struct same_asking){.asks = {answer, to}, .e = e, .sf = sf, .q = q};
}
