/* hash.c - see hash.h. Each hash is BLAKE2b over a tag and length-prefixed parts, so that no two different lists look alike. */
#include "compiler/hash.h"
#include <stdlib.h>

static struct hash done(struct buf *b)
{
    struct hash h = hash_of(buf_view(b));
    buf_free(b);
    return h;
}

static void put_node(struct buf *b, const struct ir *x)
{
    buf_byte(b, x != NULL);
    if (x) buf_put(b, x->hash.b, HASH_BYTES);
}

struct hash hash_rule(struct str name, enum field_mode mode, const struct ir *value)
{
    struct buf b = {0};
    buf_puts(&b, "field/1");
    buf_blob(&b, name);
    buf_byte(&b, (unsigned char)mode);
    put_node(&b, value);
    return done(&b);
}

struct hash hash_key(const struct image_flow *f, const struct ir *own)
{
    struct buf b = {0};
    buf_puts(&b, "key/1");
    buf_blob(&b, f->fields[f->key_field].name);
    for (size_t i = 0; i < f->nkeys; i++) buf_blob(&b, f->columns[f->key_columns[i]].name);
    if (f->key_with_flow) buf_blob(&b, f->name);
    if (own) put_node(&b, own);
    return done(&b);
}

/* name = value, sorted by name. */
static void put_event(struct buf *b, const struct image_flow *f, const struct image_event *ev, size_t only)
{
    buf_byte(b, ev->present);
    for (size_t i = 0; i < f->nfields; i++)
        for (size_t k = 0; k < ev->n; k++) {
            if (ev->fields[k] != i || (only != SIZE_MAX && i != only)) continue;
            buf_blob(b, f->fields[i].name);
            value_encode(b, &ev->values[k]);
        }
}

struct hash hash_event_field(const struct image_flow *f, size_t index)
{
    struct buf b = {0};
    buf_puts(&b, "event/1");
    buf_blob(&b, f->fields[index].name);
    put_event(&b, f, &f->on_leave, index);
    put_event(&b, f, &f->on_delete, index);
    return done(&b);
}

struct named { struct str name; const struct hash *hash; };

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static void put_fields(struct buf *b, const struct image_flow *f)
{
    struct named list[LIMIT_FIELDS];
    for (size_t i = 0; i < f->nfields; i++) list[i] = (struct named){f->fields[i].name, &f->fields[i].hash};
    qsort(list, f->nfields, sizeof *list, by_name);
    buf_varint(b, f->nfields);
    for (size_t i = 0; i < f->nfields; i++) buf_put(b, list[i].hash->b, HASH_BYTES);
}

/* Events in an order that does not depend on the order of the lines. */
static void put_sorted_event(struct buf *b, const struct image_flow *f, const struct image_event *ev)
{
    struct named list[LIMIT_FIELDS];
    struct hash hashes[LIMIT_FIELDS];
    size_t n = 0;
    buf_byte(b, ev->present);
    for (size_t k = 0; k < ev->n && n < LIMIT_FIELDS; k++) {
        struct buf one = {0};
        buf_blob(&one, f->fields[ev->fields[k]].name);
        value_encode(&one, &ev->values[k]);
        hashes[n] = done(&one);
        list[n] = (struct named){f->fields[ev->fields[k]].name, &hashes[n]};
        n++;
    }
    qsort(list, n, sizeof *list, by_name);
    for (size_t i = 0; i < n; i++) buf_put(b, list[i].hash->b, HASH_BYTES);
}

struct hash hash_flow(const struct image_flow *f, const struct ir *when, const struct ir *adopt, const struct ir *into)
{
    struct buf b = {0};
    const struct str parts[] = {f->name, f->source, f->entity, f->via, f->target, f->module, f->adopt_field};
    buf_puts(&b, "flow/1");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) buf_blob(&b, parts[i]);
    buf_varint(&b, f->ncompanies);
    for (size_t i = 0; i < f->ncompanies; i++) {
        buf_blob(&b, f->companies[i]);
        buf_blob(&b, f->company_sources[i]);
    }
    buf_u64(&b, (uint64_t)f->every_ms);
    buf_u64(&b, (uint64_t)f->reread_ms);
    buf_u32(&b, f->fuse_count);
    buf_u32(&b, f->fuse_percent);
    buf_byte(&b, (unsigned char)(f->trigger_workflow | f->trigger_approval << 1 | f->trigger_blueprint << 2));
    buf_byte(&b, f->guard);
    put_node(&b, when);
    put_node(&b, adopt);
    if (into) put_node(&b, into);
    put_sorted_event(&b, f, &f->on_leave);
    put_sorted_event(&b, f, &f->on_delete);
    put_fields(&b, f);
    return done(&b);
}
