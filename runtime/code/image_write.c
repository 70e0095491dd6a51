/* image_write.c - a compiled spec as bytes (docs/image-format.md).
 *
 *   header 48 bytes | section | section | ... | DEBUG section | BLAKE2b-256 of all before
 *                   |<-- content hash over these -->|
 *
 * The sections that name strings and types by index are written first, into a buffer of their own, and fill the two pools on the way;
 * then the file is put together. Index order = order of first use, so equal images give equal bytes on every machine. */
#include "code/image_private.h"
#include "base/check.h"

/* ---- a pool: each distinct byte string once, in order of first use ---- */

struct pool { struct arena *a; struct str *items; uint32_t n, cap; uint32_t *slots; uint32_t nslots; /* 0 = free, else index + 1 */ };

static uint32_t hash_bytes(struct str s)
{
    uint64_t h = s.n, v;                                        /* eight bytes at a time; where a string stands in the pool does not depend on it */
    size_t i = 0;
    for (; s.n - i >= sizeof v; i += sizeof v) {
        memcpy(&v, s.p + i, sizeof v);
        h = (h ^ v) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    for (; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(h >> 32);
}

static uint32_t *pool_slot(const struct pool *p, struct str s)
{
    uint32_t at = hash_bytes(s) & (p->nslots - 1);
    while (p->slots[at] != 0 && !str_eq(p->items[p->slots[at] - 1], s)) at = (at + 1) & (p->nslots - 1);
    return &p->slots[at];
}

static void pool_grow(struct pool *p)
{
    uint32_t cap = p->cap ? p->cap * 2 : 256;
    struct str *items = ARENA_ARRAY(p->a, struct str, cap);
    if (p->n > 0) memcpy(items, p->items, p->n * sizeof *items);
    p->items = items;
    p->cap = cap;
    p->nslots = cap * 2;
    p->slots = ARENA_ARRAY(p->a, uint32_t, p->nslots);
    for (uint32_t i = 0; i < p->n; i++) *pool_slot(p, items[i]) = i + 1;
}

/* Copies s when it is new. */
static uint32_t pool_add(struct pool *p, struct str s)
{
    if (p->n == p->cap) pool_grow(p);
    uint32_t *slot = pool_slot(p, s);
    if (*slot == 0) {
        p->items[p->n] = (struct str){arena_copy(p->a, s.n ? s.p : "", s.n), s.n};
        *slot = ++p->n;
    }
    return *slot - 1;
}

bool image__distinct(struct str *items, uint32_t n)
{
    struct arena a;
    struct pool p = {.items = items, .nslots = 16};
    while (p.nslots < 2 * (uint64_t)n) p.nslots *= 2;
    arena_init(&a, 0);
    p.slots = ARENA_ARRAY(&a, uint32_t, p.nslots);
    for (; p.n < n; p.n++) {
        uint32_t *slot = pool_slot(&p, items[p.n]);
        if (*slot) break;
        *slot = p.n + 1;
    }
    arena_free(&a);
    return p.n == n;
}

/* ---- writer ---- */

struct writer { struct buf *out; struct pool strings, types; struct type_seen *seen; size_t section; };

static void put_str(struct writer *w, struct str s) { buf_u32(w->out, pool_add(&w->strings, s)); }
static void put_count16(struct writer *w, size_t n) { ASSERT(n <= UINT16_MAX); buf_u16(w->out, (uint16_t)n); }
static void put_count32(struct writer *w, size_t n) { ASSERT(n <= UINT32_MAX); buf_u32(w->out, (uint32_t)n); }
static void put_hash(struct writer *w, const struct hash *h) { buf_put(w->out, h->b, HASH_BYTES); }

static void put_coefficient(struct buf *out, i128 c)
{
    __extension__ typedef unsigned __int128 u128;
    u128 u = (u128)c;
    buf_u64(out, (uint64_t)u);
    buf_u64(out, (uint64_t)(u >> 64));
}

static void put_type(struct writer *w, const struct type *t);

/* By what a type says and where its texts stand: two equal types that are not seen as equal are only more work. */
static bool same_type(const struct type *a, const struct type *b)
{
    return a->base == b->base && a->optional == b->optional && a->scale == b->scale && a->module == b->module && a->min_len == b->min_len && a->max_len == b->max_len &&
           a->lo == b->lo && a->hi == b->hi && a->nset == b->nset && a->set == b->set && a->shape == b->shape && a->yes.p == b->yes.p && a->yes.n == b->yes.n &&
           a->no.p == b->no.p && a->no.n == b->no.n;
}

struct type_seen *image__type_seen(struct type_seen *list, const struct type *t, bool *hit)
{
    uint64_t h = t->base + 16u * t->optional + 32u * t->scale + ((uint64_t)t->min_len << 16) + ((uint64_t)t->max_len << 32);
    h ^= (uint64_t)t->lo * 31 ^ (uint64_t)t->hi * 1000003 ^ (uint64_t)(uintptr_t)t->set ^ (uint64_t)(uintptr_t)t->shape;
    h *= 0x9E3779B97F4A7C15u;
    struct type_seen *slot = &list[h >> 55];                    /* 9 bits */
    *hit = slot->used && same_type(&slot->t, t);
    return slot;
}

/* The types of the columns stand in the pool before the list's own. */
static void put_shape(struct writer *w, const struct list_shape *s, struct buf *b)
{
    struct buf *out = w->out, inner = {0};
    buf_u32(b, s->max_lines);
    buf_u16(b, s->n);
    for (size_t i = 0; i < s->n; i++) {
        buf_u32(b, pool_add(&w->strings, s->names[i]));
        w->out = &inner;
        put_type(w, &s->types[i]);
        w->out = out;
        buf_str(b, buf_view(&inner));
        buf_clear(&inner);
        buf_byte(b, s->flags[i]);
    }
    buf_free(&inner);
}

/* Only what the base gives a meaning to is written. */
static void put_type(struct writer *w, const struct type *t)
{
    struct buf b = {0};
    bool hit;
    struct type_seen *seen = image__type_seen(w->seen, t, &hit);
    if (hit) {
        buf_u32(w->out, seen->value);
        return;
    }
    buf_byte(&b, t->base);
    buf_byte(&b, t->optional);
    if (t->base == T_BOOL) {
        buf_u32(&b, pool_add(&w->strings, t->yes));
        buf_u32(&b, pool_add(&w->strings, t->no));
    } else if (t->base == T_TEXT) {
        buf_u32(&b, t->min_len);
        buf_u32(&b, t->max_len);
        buf_u16(&b, t->nset);
        for (size_t i = 0; i < t->nset; i++) buf_u32(&b, pool_add(&w->strings, t->set[i]));
    } else if (t->base == T_DECIMAL) {
        buf_byte(&b, t->scale);
        put_coefficient(&b, t->lo);
        put_coefficient(&b, t->hi);
    } else if (t->base == T_LINK) {
        buf_u16(&b, t->module);
    } else if (t->base == T_LIST) {
        put_shape(w, t->shape, &b);
    }
    *seen = (struct type_seen){*t, pool_add(&w->types, buf_view(&b)), true};
    buf_u32(w->out, seen->value);
    buf_free(&b);
}

static void begin_section(struct writer *w, enum section id)
{
    buf_u32(w->out, (uint32_t)id);
    w->section = w->out->n;
    buf_u32(w->out, 0);
}

static void patch_u32(struct buf *b, size_t at, size_t v)
{
    ASSERT(v <= UINT32_MAX);
    for (int i = 0; i < 4; i++) b->p[at + (size_t)i] = (char)(unsigned char)(v >> (8 * i) & 0xff);
}

static void end_section(struct writer *w) { patch_u32(w->out, w->section, w->out->n - w->section - 4); }

/* ---- sections ---- */

static void put_endpoints(struct writer *w, const struct image_endpoint *e, size_t n)
{
    put_count16(w, n);
    for (size_t i = 0; i < n; i++) {
        put_str(w, e[i].name);
        put_str(w, e[i].kind);
        put_count16(w, e[i].nsettings);
        for (size_t k = 0; k < e[i].nsettings; k++) {
            put_str(w, e[i].settings[k].name);
            buf_byte(w->out, (unsigned char)e[i].settings[k].kind);
            put_str(w, e[i].settings[k].value);
        }
    }
}

static void put_tables(struct writer *w, const struct image *im)
{
    put_count16(w, im->ntables);
    for (size_t i = 0; i < im->ntables; i++) {
        const struct image_table *t = &im->tables[i];
        put_count32(w, t->n);
        buf_byte(w->out, t->has_else);
        for (size_t k = 0; k < t->n; k++) {
            value_encode(w->out, &t->keys[k]);
            value_encode(w->out, &t->values[k]);
        }
        if (t->has_else) value_encode(w->out, &t->else_value);
    }
}

static void put_pools(struct writer *w, const struct image *im)
{
    begin_section(w, SECTION_CONSTS);
    put_count16(w, im->nconsts);
    for (size_t i = 0; i < im->nconsts; i++) value_encode(w->out, &im->consts[i]);
    end_section(w);
    begin_section(w, SECTION_TABLES);
    put_tables(w, im);
    end_section(w);
    begin_section(w, SECTION_MESSAGES);
    put_count16(w, im->nmessages);
    for (size_t i = 0; i < im->nmessages; i++) put_str(w, im->messages[i]);
    end_section(w);
    begin_section(w, SECTION_ARGS);
    put_count32(w, im->nargs);
    for (size_t i = 0; i < im->nargs; i++) buf_u16(w->out, im->args[i]);
    end_section(w);
}

static void put_event(struct writer *w, const struct image_event *e)
{
    put_count16(w, e->n);
    for (size_t i = 0; i < e->n; i++) {
        buf_u16(w->out, e->fields[i]);
        value_encode(w->out, &e->values[i]);
    }
}

static void put_columns(struct writer *w, const struct image_flow *f)
{
    put_count16(w, f->ncolumns);
    for (size_t i = 0; i < f->ncolumns; i++) {
        const struct image_column *c = &f->columns[i];
        put_str(w, c->name);
        put_type(w, &c->type);
        buf_byte(w->out, (unsigned char)((c->key ? COLUMN_KEY : 0) | (c->udf ? COLUMN_UDF : 0)));
    }
}

static void put_fields(struct writer *w, const struct image_flow *f)
{
    put_count16(w, f->nfields);
    for (size_t i = 0; i < f->nfields; i++) {
        const struct image_field *d = &f->fields[i];
        put_str(w, d->name);
        put_type(w, &d->type);
        buf_byte(w->out, (unsigned char)d->mode);
        buf_byte(w->out, (unsigned char)((d->unique ? FIELD_UNIQUE : 0) | (d->on_insert ? FIELD_ON_INSERT : 0) |
                                         (d->on_update ? FIELD_ON_UPDATE : 0) | (d->custom ? FIELD_CUSTOM : 0)));
        put_str(w, d->link_module);
        put_hash(w, &d->hash);
        put_count16(w, d->nreads);
        for (size_t k = 0; k < d->nreads; k++) buf_u16(w->out, d->reads[k]);
        buf_u16(w->out, d->lines);
    }
}

static void put_links(struct writer *w, const struct image_flow *f)
{
    put_count16(w, f->nlinks);
    for (size_t i = 0; i < f->nlinks; i++) {
        buf_byte(w->out, (unsigned char)f->links[i].kind);
        put_str(w, f->links[i].target);
        put_str(w, f->links[i].module);
        put_str(w, f->links[i].field);
        put_count16(w, f->links[i].nmore);
        for (size_t k = 0; k < f->links[i].nmore; k++) put_str(w, f->links[i].more[k]);
        buf_u16(w->out, f->links[i].flow);
    }
}

static void put_program_head(struct writer *w, const struct image_program *p)
{
    put_count32(w, p->ninstr);
    buf_u32(w->out, p->cost);
    buf_u32(w->out, p->scratch_bytes);
}

static void put_registers(struct writer *w, const struct image_flow *f)
{
    put_count16(w, f->nregisters);
    for (size_t i = 0; i < f->nregisters; i++) put_type(w, f->registers[i]);
}

static void put_lines(struct writer *w, const struct image_flow *f)
{
    put_count16(w, f->nlines);
    for (size_t i = 0; i < f->nlines; i++) {
        const struct image_lines *l = &f->lines[i];
        buf_u16(w->out, l->column);
        buf_u32(w->out, l->max_lines);
        buf_u16(w->out, l->too_many);
        buf_u16(w->out, l->twice);
        put_fields(w, l->body);
        put_links(w, l->body);
        put_registers(w, l->body);
        put_program_head(w, &l->body->when);
        put_program_head(w, &l->body->map);
        put_program_head(w, &l->body->key_program);
    }
}

static unsigned flow_flags(const struct image_flow *f)
{
    return (f->key_with_flow ? FLOW_KEY_WITH_FLOW : 0u) | (f->adopt ? FLOW_ADOPT : 0u) | (f->trigger_workflow ? FLOW_TRIGGER : 0u) |
           (f->trigger_approval ? FLOW_TRIGGER_APPROVAL : 0u) | (f->trigger_blueprint ? FLOW_TRIGGER_BLUEPRINT : 0u) | (f->guard ? FLOW_GUARD : 0u) |
           (f->on_leave.present ? FLOW_ON_LEAVE : 0u) | (f->on_delete.present ? FLOW_ON_DELETE : 0u);
}

static void put_flow(struct writer *w, const struct image_flow *f)
{
    const struct str names[] = {f->name, f->source, f->target, f->entity, f->via, f->module, f->adopt_field, f->moved_from};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) put_str(w, names[i]);
    put_count16(w, f->ncompanies);
    for (size_t i = 0; i < f->ncompanies; i++) put_str(w, f->companies[i]);
    for (size_t i = 0; i < f->ncompanies; i++) put_str(w, f->company_sources[i]);
    put_hash(w, &f->hash);
    buf_u64(w->out, (uint64_t)f->every_ms);
    buf_u64(w->out, (uint64_t)f->reread_ms);
    put_count16(w, f->nkeys);
    for (size_t i = 0; i < f->nkeys; i++) buf_u16(w->out, f->key_columns[i]);
    buf_u16(w->out, f->key_field);
    buf_u16(w->out, f->into);
    buf_u16(w->out, (uint16_t)flow_flags(f));
    buf_u32(w->out, f->fuse_count);
    buf_u32(w->out, f->fuse_percent);
    put_event(w, &f->on_leave);
    put_event(w, &f->on_delete);
    put_columns(w, f);
    put_fields(w, f);
    put_links(w, f);
    put_lines(w, f);
    put_registers(w, f);
    put_program_head(w, &f->when);
    put_program_head(w, &f->map);
    put_program_head(w, &f->adopt_program);
    put_program_head(w, &f->key_program);
    put_program_head(w, &f->into_program);
}

static void put_code(struct writer *w, const struct image_program *p)
{
    for (size_t i = 0; i < p->ninstr * INSTR_WORDS; i++) buf_u16(w->out, p->code[i]);
}

static void put_flows(struct writer *w, const struct image *im)
{
    begin_section(w, SECTION_FLOWS);
    put_count16(w, im->nflows);
    for (size_t i = 0; i < im->nflows; i++) put_flow(w, &im->flows[i]);
    for (size_t i = 0; i < im->nflows; i++) buf_u16(w->out, im->order[i]);
    end_section(w);
    begin_section(w, SECTION_CODE);
    for (size_t i = 0; i < im->nflows; i++) {
        put_code(w, &im->flows[i].when);
        put_code(w, &im->flows[i].map);
        put_code(w, &im->flows[i].adopt_program);
        put_code(w, &im->flows[i].key_program);
        put_code(w, &im->flows[i].into_program);
        for (size_t k = 0; k < im->flows[i].nlines; k++) {
            put_code(w, &im->flows[i].lines[k].body->when);
            put_code(w, &im->flows[i].lines[k].body->map);
            put_code(w, &im->flows[i].lines[k].body->key_program);
        }
    }
    end_section(w);
}

static void put_debug_fields(struct writer *w, const struct image_flow *f)
{
    for (size_t k = 0; k < f->nfields; k++) {
        buf_blob(w->out, f->fields[k].expr);
        buf_blob(w->out, f->fields[k].file);
        buf_u32(w->out, f->fields[k].line);
    }
}

static void put_debug(struct writer *w, const struct image *im)
{
    begin_section(w, SECTION_DEBUG);
    for (size_t i = 0; i < im->nflows; i++) {
        put_debug_fields(w, &im->flows[i]);
        for (size_t k = 0; k < im->flows[i].nlines; k++) put_debug_fields(w, im->flows[i].lines[k].body);
    }
    end_section(w);
}

/* The two pools as the sections that stand in front of all others. */
static void put_pool_sections(struct writer *w)
{
    begin_section(w, SECTION_STRINGS);
    buf_u32(w->out, w->strings.n);
    for (uint32_t i = 0; i < w->strings.n; i++) {
        put_count32(w, w->strings.items[i].n);
        buf_str(w->out, w->strings.items[i]);
    }
    end_section(w);
    begin_section(w, SECTION_TYPES);
    buf_u32(w->out, w->types.n);
    for (uint32_t i = 0; i < w->types.n; i++) buf_str(w->out, w->types.items[i]);
    end_section(w);
}

/* With the two hashes left at zero; *content_end: where the part ends that the content hash covers. */
static void write_plain(const struct image *im, struct buf *out, size_t *content_end)
{
    struct arena a;
    arena_init(&a, 0);
    struct buf body = {0};
    struct writer w = {.out = &body, .strings = {.a = &a}, .types = {.a = &a}, .seen = ARENA_ARRAY(&a, struct type_seen, TYPES_SEEN)};
    begin_section(&w, SECTION_HEAD);
    put_str(&w, im->spec);
    put_str(&w, im->edition);
    end_section(&w);
    begin_section(&w, SECTION_ENDPOINTS);
    put_endpoints(&w, im->sources, im->nsources);
    put_endpoints(&w, im->targets, im->ntargets);
    end_section(&w);
    put_pools(&w, im);
    put_flows(&w, im);

    size_t start = out->n;
    buf_puts(out, IMAGE_MAGIC);
    buf_u32(out, IMAGE_VERSION);
    buf_u32(out, 0);                                            /* size, patched below */
    buf_u32(out, NSECTIONS);
    memset(buf_reserve(out, HASH_BYTES), 0, HASH_BYTES);
    out->n += HASH_BYTES;
    w.out = out;
    put_pool_sections(&w);
    buf_str(out, buf_view(&body));
    *content_end = out->n;
    put_debug(&w, im);
    patch_u32(out, start + 8, out->n - start + CHECKSUM_BYTES);
    buf_free(&body);
    arena_free(&a);
}

void image_write(const struct image *im, struct buf *out)
{
    size_t start = out->n, end;
    write_plain(im, out, &end);
    struct hash content = hash_of((struct str){out->p + start + HEADER_BYTES, end - start - HEADER_BYTES});
    memcpy(out->p + start + HEADER_BYTES - HASH_BYTES, content.b, HASH_BYTES);
    struct hash sum = hash_of((struct str){out->p + start, out->n - start});
    buf_put(out, sum.b, HASH_BYTES);
}
