/* image_load.c - bytes of a compiled spec to a struct image (docs/image-format.md); the verifier then says whether it may be trusted.
 *
 * Nothing in the bytes is believed: every length is checked against what is left before anything is allocated or read, every index
 * against its pool. There is one spelling of every image, so no slack in which something could hide: what the writer would choose is looked at on
 * the way. Sections, counts and numbers leave it no choice; strings and types stand in their pools in the order of their first use, each once, none
 * unused; numbers of variable length are as short as they can be (read_varint). */
#include "code/image_private.h"
#include "base/check.h"
#include <stdarg.h>
#include <stdio.h>

struct loader {
    struct reader r;                       /* the section being read */
    struct arena *a;
    struct image *im;
    struct image_fault *why;
    struct spelling pools;
    bool uses;                             /* the section being read uses the pools: not STRINGS, not TYPES */
    const char *content_end;
    const uint16_t *code; size_t ninstr;   /* instructions not yet given to a program */
    bool failed;
};

static void fault(struct loader *l, enum err e, const char *rule, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void fault(struct loader *l, enum err e, const char *rule, const char *fmt, ...)
{
    l->r.bad = true;
    if (l->failed) return;
    l->failed = true;
    l->why->err = e;
    snprintf(l->why->rule, sizeof l->why->rule, "%s", rule);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(l->why->text, sizeof l->why->text, fmt, ap);
    va_end(ap);
}

/* ---- primitives ---- */

/* A count of things that take at least `least` bytes each, so that it can be allocated for. */
static size_t count_of(struct loader *l, uint64_t n, size_t least)
{
    size_t left = (size_t)(l->r.end - l->r.p);
    if (!l->r.bad && n <= left / least) return (size_t)n;
    if (!l->r.bad) fault(l, ERR_CORRUPT, "count", "a count of %llu does not fit into the %zu bytes that follow", (unsigned long long)n, left);
    return 0;
}

static size_t get_count16(struct loader *l, size_t least) { return count_of(l, read_u16(&l->r), least); }
static size_t get_count32(struct loader *l, size_t least) { return count_of(l, read_u32(&l->r), least); }

static struct str get_str(struct loader *l)
{
    uint32_t i = read_u32(&l->r);
    if (l->r.bad) return STR("");
    if (l->uses) image__use_string(&l->pools, i);
    if (i < l->pools.nstrings) return l->pools.strings[i];
    fault(l, ERR_CORRUPT, "string-index", "string %u of %u", i, l->pools.nstrings);
    return STR("");
}

static const struct type *get_type_ref(struct loader *l)
{
    static const struct type none = {.base = T_BOOL};
    uint32_t i = read_u32(&l->r);
    if (!l->r.bad && i < l->pools.ntypes) {
        if (l->uses) image__use_type(&l->pools, i);
        return &l->pools.types[i];
    }
    if (!l->r.bad) fault(l, ERR_CORRUPT, "type-index", "type %u of %u", i, l->pools.ntypes);
    return &none;
}

static struct hash get_hash(struct loader *l)
{
    struct hash h = {{0}};
    struct str s = read_bytes(&l->r, HASH_BYTES);
    if (s.n == HASH_BYTES) memcpy(h.b, s.p, HASH_BYTES);
    return h;
}

/* A byte or word of flags, none of them above `end`. */
static unsigned get_flags(struct loader *l, unsigned v, unsigned end)
{
    if (v >= end) fault(l, ERR_CORRUPT, "flags", "unknown flag in 0x%x", v);
    return v;
}

static bool get_bool(struct loader *l) { return get_flags(l, read_u8(&l->r), 2) == 1; }

static int64_t get_i64(struct loader *l)
{
    uint64_t u = read_u64(&l->r);
    if (u > INT64_MAX) fault(l, ERR_CORRUPT, "duration", "a negative duration");
    return l->r.bad ? 0 : (int64_t)u;
}

static uint16_t *get_u16s(struct loader *l, size_t n)
{
    uint16_t *p = ARENA_ARRAY(l->a, uint16_t, n);
    for (size_t i = 0; i < n; i++) p[i] = read_u16(&l->r);
    return p;
}

static const struct str *get_strs(struct loader *l, size_t n)
{
    struct str *s = ARENA_ARRAY(l->a, struct str, n + 1);
    for (size_t i = 0; i < n; i++) s[i] = get_str(l);
    return s;
}

static struct value get_value(struct loader *l)
{
    struct value v = value_decode(&l->r, l->a);
    if (l->r.bad) fault(l, ERR_CORRUPT, "value", "a damaged constant");
    return v;
}

/* ---- pools ---- */

static void load_strings(struct loader *l)
{
    size_t n = get_count32(l, 4);
    l->pools.strings = ARENA_ARRAY(l->a, struct str, n);
    for (size_t i = 0; i < n && !l->r.bad; i++) {
        l->pools.strings[i] = read_bytes(&l->r, read_u32(&l->r));
        if (!l->r.bad && !str_utf8_valid(l->pools.strings[i])) fault(l, ERR_CORRUPT, "string-utf8", "string %zu is not UTF-8", i);
    }
    l->pools.nstrings = (uint32_t)n;
}

static i128 get_coefficient(struct loader *l)
{
    __extension__ typedef unsigned __int128 u128;
    uint64_t low = read_u64(&l->r), high = read_u64(&l->r);
    return (i128)((u128)high << 64 | low);
}

/* The columns of a line: their types stand before this one in the pool. */
static const struct list_shape *get_shape(struct loader *l)
{
    struct list_shape *s = ARENA_NEW(l->a, struct list_shape);
    s->max_lines = read_u32(&l->r);
    s->n = (uint16_t)get_count16(l, 9);
    struct str *names = ARENA_ARRAY(l->a, struct str, s->n);
    struct type *types = ARENA_ARRAY(l->a, struct type, s->n);
    uint8_t *flags = ARENA_ARRAY(l->a, uint8_t, s->n);
    for (size_t i = 0; i < s->n && !l->r.bad; i++) {
        names[i] = get_str(l);
        types[i] = *get_type_ref(l);
        flags[i] = (uint8_t)get_flags(l, read_u8(&l->r), (LIST_KEY | LIST_UDF) + 1);
    }
    s->names = names;
    s->types = types;
    s->flags = flags;
    return s;
}

static struct type get_type(struct loader *l)
{
    struct type t = {.base = read_u8(&l->r)};
    t.optional = get_bool(l);
    if (t.base >= T_BASE_COUNT) fault(l, ERR_CORRUPT, "type-base", "type base %u", (unsigned)t.base);
    if (t.base == T_BOOL) {
        t.yes = get_str(l);
        t.no = get_str(l);
    } else if (t.base == T_TEXT) {
        t.min_len = read_u32(&l->r);
        t.max_len = read_u32(&l->r);
        t.nset = (uint16_t)get_count16(l, 4);
        struct str *set = ARENA_ARRAY(l->a, struct str, t.nset);
        for (size_t i = 0; i < t.nset; i++) set[i] = get_str(l);
        t.set = t.nset ? set : NULL;
    } else if (t.base == T_DECIMAL) {
        t.scale = read_u8(&l->r);
        t.lo = get_coefficient(l);
        t.hi = get_coefficient(l);
    } else if (t.base == T_LINK) {
        t.module = read_u16(&l->r);
    } else if (t.base == T_LIST) {
        t.shape = get_shape(l);
    }
    return t;
}

static void load_types(struct loader *l)
{
    size_t n = get_count32(l, 2);
    if (n > UINT16_MAX) { fault(l, ERR_TOO_LARGE, "type-limit", "%zu types", n); return; }
    l->pools.types = ARENA_ARRAY(l->a, struct type, n);
    l->pools.spelled = ARENA_ARRAY(l->a, struct str, n);
    for (size_t i = 0; i < n && !l->r.bad; i++) {
        const char *from = (const char *)l->r.p;
        l->pools.types[i] = get_type(l);
        l->pools.spelled[i] = (struct str){from, (size_t)((const char *)l->r.p - from)};
        l->pools.ntypes = (uint32_t)i + 1;
    }
}

static void load_head(struct loader *l)
{
    l->im->spec = get_str(l);
    l->im->edition = get_str(l);
}

static const struct image_endpoint *get_endpoints(struct loader *l, size_t *count)
{
    size_t n = *count = get_count16(l, 10);
    struct image_endpoint *e = ARENA_ARRAY(l->a, struct image_endpoint, n);
    for (size_t i = 0; i < n && !l->r.bad; i++) {
        e[i].name = get_str(l);
        e[i].kind = get_str(l);
        e[i].nsettings = get_count16(l, 9);
        struct image_setting *s = ARENA_ARRAY(l->a, struct image_setting, e[i].nsettings);
        for (size_t k = 0; k < e[i].nsettings; k++) {
            s[k].name = get_str(l);
            s[k].kind = (enum setting_kind)get_flags(l, read_u8(&l->r), SETTING_FILE + 1);
            s[k].value = get_str(l);
        }
        e[i].settings = s;
    }
    return e;
}

static void load_endpoints(struct loader *l)
{
    l->im->sources = get_endpoints(l, &l->im->nsources);
    l->im->targets = get_endpoints(l, &l->im->ntargets);
}

static void load_consts(struct loader *l)
{
    l->im->nconsts = get_count16(l, 1);
    struct value *v = ARENA_ARRAY(l->a, struct value, l->im->nconsts);
    for (size_t i = 0; i < l->im->nconsts && !l->r.bad; i++) v[i] = get_value(l);
    l->im->consts = v;
}

static void load_tables(struct loader *l)
{
    size_t n = l->im->ntables = get_count16(l, 5);
    struct image_table *t = ARENA_ARRAY(l->a, struct image_table, n);
    for (size_t i = 0; i < n && !l->r.bad; i++) {
        t[i].n = get_count32(l, 2);
        t[i].has_else = get_bool(l);
        struct value *keys = ARENA_ARRAY(l->a, struct value, t[i].n), *values = ARENA_ARRAY(l->a, struct value, t[i].n);
        for (size_t k = 0; k < t[i].n && !l->r.bad; k++) {
            keys[k] = get_value(l);
            values[k] = get_value(l);
        }
        t[i].keys = keys;
        t[i].values = values;
        if (t[i].has_else) t[i].else_value = get_value(l);
    }
    l->im->tables = t;
}

static void load_messages(struct loader *l)
{
    l->im->nmessages = get_count16(l, 4);
    struct str *m = ARENA_ARRAY(l->a, struct str, l->im->nmessages);
    for (size_t i = 0; i < l->im->nmessages; i++) m[i] = get_str(l);
    l->im->messages = m;
}

static void load_args(struct loader *l)
{
    l->im->nargs = get_count32(l, 2);
    l->im->args = get_u16s(l, l->im->nargs);
}

/* ---- flows ---- */

static struct image_event get_event(struct loader *l, bool present)
{
    struct image_event e = {.present = present, .n = get_count16(l, 3)};
    uint16_t *fields = ARENA_ARRAY(l->a, uint16_t, e.n);
    struct value *values = ARENA_ARRAY(l->a, struct value, e.n);
    for (size_t i = 0; i < e.n && !l->r.bad; i++) {
        fields[i] = read_u16(&l->r);
        values[i] = get_value(l);
    }
    e.fields = fields;
    e.values = values;
    return e;
}

static void get_columns(struct loader *l, struct image_flow *f)
{
    f->ncolumns = get_count16(l, 9);
    struct image_column *c = ARENA_ARRAY(l->a, struct image_column, f->ncolumns);
    for (size_t i = 0; i < f->ncolumns && !l->r.bad; i++) {
        c[i].name = get_str(l);
        c[i].type = *get_type_ref(l);
        unsigned flags = get_flags(l, read_u8(&l->r), COLUMN_FLAGS_END);
        c[i].key = flags & COLUMN_KEY;
        c[i].udf = flags & COLUMN_UDF;
    }
    f->columns = c;
}

static void get_fields(struct loader *l, struct image_flow *f)
{
    f->nfields = get_count16(l, 50);
    struct image_field *d = ARENA_ARRAY(l->a, struct image_field, f->nfields);
    for (size_t i = 0; i < f->nfields && !l->r.bad; i++) {
        d[i].name = get_str(l);
        d[i].type = *get_type_ref(l);
        d[i].mode = (enum field_mode)get_flags(l, read_u8(&l->r), FIELD_EVENT + 1);
        unsigned flags = get_flags(l, read_u8(&l->r), FIELD_FLAGS_END);
        d[i].unique = flags & FIELD_UNIQUE;
        d[i].on_insert = flags & FIELD_ON_INSERT;
        d[i].on_update = flags & FIELD_ON_UPDATE;
        d[i].custom = flags & FIELD_CUSTOM;
        d[i].link_module = get_str(l);
        d[i].hash = get_hash(l);
        d[i].nreads = get_count16(l, 2);
        d[i].reads = get_u16s(l, d[i].nreads);
        d[i].lines = read_u16(&l->r);
    }
    f->fields = d;
}

static void get_links(struct loader *l, struct image_flow *f)
{
    f->nlinks = get_count16(l, 17);
    struct image_link *k = ARENA_ARRAY(l->a, struct image_link, f->nlinks);
    for (size_t i = 0; i < f->nlinks && !l->r.bad; i++) {
        k[i].kind = (enum link_kind)get_flags(l, read_u8(&l->r), LINK_REF + 1);
        k[i].target = get_str(l);
        k[i].module = get_str(l);
        k[i].field = get_str(l);
        k[i].nmore = get_count16(l, 4);
        k[i].more = get_strs(l, k[i].nmore);
        k[i].flow = read_u16(&l->r);
    }
    f->links = k;
}

/* The words come later, with the CODE section. */
static struct image_program get_program_head(struct loader *l)
{
    struct image_program p = {.ninstr = read_u32(&l->r)};
    p.cost = read_u32(&l->r);
    p.scratch_bytes = read_u32(&l->r);
    if (p.ninstr > LIMIT_CODE_WORDS / INSTR_WORDS) fault(l, ERR_TOO_LARGE, "code-size", "a program of %zu instructions", p.ninstr);
    return p;
}

static void get_registers(struct loader *l, struct image_flow *f)
{
    f->nregisters = get_count16(l, 4);
    if (f->nregisters > LIMIT_REGISTERS) fault(l, ERR_TOO_LARGE, "register-limit", "%zu registers", f->nregisters);
    if (l->r.bad) return;
    const struct type **registers = ARENA_ARRAY(l->a, const struct type *, f->nregisters);
    for (size_t i = 0; i < f->nregisters && !l->r.bad; i++) registers[i] = get_type_ref(l);
    f->registers = registers;
}

/* What a line sees: the columns of the flow, then those of the list that is run over. */
static void body_columns(struct loader *l, const struct image_flow *f, uint16_t column, struct image_flow *body)
{
    if (column >= f->ncolumns || f->columns[column].type.base != T_LIST) {
        if (!l->r.bad) fault(l, ERR_CORRUPT, "list-column", "a list site runs over column %u", (unsigned)column);
        return;
    }
    body->columns = image_line_columns(f->columns, f->ncolumns, column, l->a, &body->ncolumns);
}

static void get_lines(struct loader *l, struct image_flow *f)
{
    f->nlines = get_count16(l, 50);
    struct image_lines *s = ARENA_ARRAY(l->a, struct image_lines, f->nlines);
    for (size_t i = 0; i < f->nlines && !l->r.bad; i++) {
        struct image_flow *body = ARENA_NEW(l->a, struct image_flow);
        s[i].column = read_u16(&l->r);
        s[i].max_lines = read_u32(&l->r);
        s[i].too_many = read_u16(&l->r);
        s[i].twice = read_u16(&l->r);
        s[i].body = body;
        body_columns(l, f, s[i].column, body);
        get_fields(l, body);
        get_links(l, body);
        get_registers(l, body);
        body->when = get_program_head(l);
        body->map = get_program_head(l);
        body->key_program = get_program_head(l);
    }
    f->lines = s;
}

static void get_flow_head(struct loader *l, struct image_flow *f)
{
    struct str *const names[] = {&f->name, &f->source, &f->target, &f->entity, &f->via, &f->module, &f->adopt_field, &f->moved_from};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) *names[i] = get_str(l);
    f->ncompanies = get_count16(l, 8);
    f->companies = get_strs(l, f->ncompanies);
    f->company_sources = get_strs(l, f->ncompanies);
    f->hash = get_hash(l);
    f->every_ms = get_i64(l);
    f->reread_ms = get_i64(l);
    f->nkeys = get_count16(l, 2);
    f->key_columns = get_u16s(l, f->nkeys);
    f->key_field = read_u16(&l->r);
    f->into = read_u16(&l->r);
}

static void get_flow(struct loader *l, struct image_flow *f)
{
    get_flow_head(l, f);
    unsigned flags = get_flags(l, read_u16(&l->r), FLOW_FLAGS_END);
    f->key_with_flow = flags & FLOW_KEY_WITH_FLOW;
    f->adopt = flags & FLOW_ADOPT;
    f->trigger_workflow = flags & FLOW_TRIGGER;
    f->trigger_approval = flags & FLOW_TRIGGER_APPROVAL;
    f->trigger_blueprint = flags & FLOW_TRIGGER_BLUEPRINT;
    f->guard = flags & FLOW_GUARD;
    f->fuse_count = read_u32(&l->r);
    f->fuse_percent = read_u32(&l->r);
    f->on_leave = get_event(l, flags & FLOW_ON_LEAVE);
    f->on_delete = get_event(l, flags & FLOW_ON_DELETE);
    get_columns(l, f);
    get_fields(l, f);
    get_links(l, f);
    get_lines(l, f);
    get_registers(l, f);
    f->when = get_program_head(l);
    f->map = get_program_head(l);
    f->adopt_program = get_program_head(l);
    f->key_program = get_program_head(l);
    f->into_program = get_program_head(l);
}

static void load_flows(struct loader *l)
{
    l->im->nflows = get_count16(l, 100);
    if (l->im->nflows > LIMIT_FLOWS) { fault(l, ERR_TOO_LARGE, "flow-limit", "%zu flows", l->im->nflows); return; }
    struct image_flow *f = ARENA_ARRAY(l->a, struct image_flow, l->im->nflows);
    for (size_t i = 0; i < l->im->nflows && !l->r.bad; i++) get_flow(l, &f[i]);
    l->im->flows = f;
    l->im->order = get_u16s(l, l->im->nflows);
}

static void give_code(struct loader *l, struct image_program *p)
{
    if (p->ninstr > l->ninstr) { fault(l, ERR_CORRUPT, "code-size", "the code section is shorter than its programs"); return; }
    p->code = l->code;
    l->code += p->ninstr * INSTR_WORDS;
    l->ninstr -= p->ninstr;
}

static void load_code(struct loader *l)
{
    size_t left = (size_t)(l->r.end - l->r.p);
    if (left % (2 * INSTR_WORDS) != 0) { fault(l, ERR_CORRUPT, "code-size", "the code section is no whole number of instructions"); return; }
    l->ninstr = left / (2 * INSTR_WORDS);
    l->code = get_u16s(l, left / 2);
    for (size_t i = 0; i < l->im->nflows && !l->failed; i++) {
        struct image_flow *f = (struct image_flow *)&l->im->flows[i];     /* made by load_flows: ours to finish */
        give_code(l, &f->when);
        give_code(l, &f->map);
        give_code(l, &f->adopt_program);
        give_code(l, &f->key_program);
        give_code(l, &f->into_program);
        for (size_t k = 0; k < f->nlines; k++) {
            struct image_flow *body = (struct image_flow *)f->lines[k].body;
            give_code(l, &body->when);
            give_code(l, &body->map);
            give_code(l, &body->key_program);
        }
    }
    if (l->ninstr > 0 && !l->failed) fault(l, ERR_CORRUPT, "code-size", "the code section is longer than its programs");
}

static void debug_fields(struct loader *l, const struct image_flow *f)
{
    for (size_t k = 0; k < f->nfields && !l->r.bad; k++) {
        struct image_field *d = (struct image_field *)&f->fields[k];
        d->expr = read_blob(&l->r);
        d->file = read_blob(&l->r);
        d->line = read_u32(&l->r);
        if (!str_utf8_valid(d->expr) || !str_utf8_valid(d->file)) fault(l, ERR_CORRUPT, "string-utf8", "debug text is not UTF-8");
    }
}

static void load_debug(struct loader *l)
{
    for (size_t i = 0; i < l->im->nflows && !l->r.bad; i++) {
        debug_fields(l, &l->im->flows[i]);
        for (size_t k = 0; k < l->im->flows[i].nlines && !l->r.bad; k++) debug_fields(l, l->im->flows[i].lines[k].body);
    }
}

/* ---- the file ---- */

static const struct { enum section id; const char *name; } sections[] = {
#define SECTION(name, number, content) {SECTION_##name, #name},
#include "code/section.def"
#undef SECTION
};

static void load_section(struct loader *l, enum section id)
{
    switch (id) {
    case SECTION_STRINGS:   load_strings(l); return;
    case SECTION_TYPES:     load_types(l); return;
    case SECTION_HEAD:      load_head(l); return;
    case SECTION_ENDPOINTS: load_endpoints(l); return;
    case SECTION_CONSTS:    load_consts(l); return;
    case SECTION_TABLES:    load_tables(l); return;
    case SECTION_MESSAGES:  load_messages(l); return;
    case SECTION_ARGS:      load_args(l); return;
    case SECTION_FLOWS:     load_flows(l); return;
    case SECTION_CODE:      load_code(l); return;
    case SECTION_DEBUG:     load_debug(l); return;
    }
    check_failed("a section without a loader", __FILE__, __LINE__);
}

/* Reads section i of `file`; its payload must be read to the end. */
static void next_section(struct loader *l, struct reader *file, size_t i)
{
    if (sections[i].id == SECTION_DEBUG) l->content_end = (const char *)file->p;
    uint32_t id = read_u32(file), n = read_u32(file);
    struct str payload = read_bytes(file, n);
    if (file->bad) { fault(l, ERR_CORRUPT, "section-size", "section %s ends behind the file", sections[i].name); return; }
    if (id != (uint32_t)sections[i].id) {
        fault(l, ERR_FORMAT, "section", "section %u where %s must stand", id, sections[i].name);
        return;
    }
    l->r = reader_of(payload);
    l->uses = sections[i].id != SECTION_STRINGS && sections[i].id != SECTION_TYPES;
    load_section(l, sections[i].id);
    if (!l->failed && !reader_done(&l->r)) fault(l, ERR_CORRUPT, "section-end", "section %s is shorter or longer than what it says", sections[i].name);
}

static bool load_header(struct loader *l, struct str bytes, struct reader *body)
{
    struct reader r = reader_of(bytes);
    struct str magic = read_bytes(&r, 4);
    uint32_t version = read_u32(&r), size = read_u32(&r), count = read_u32(&r);
    struct str content = read_bytes(&r, HASH_BYTES);
    if (r.bad || !str_is(magic, IMAGE_MAGIC)) { fault(l, ERR_FORMAT, "magic", "not a compiled spec"); return false; }
    if (version != IMAGE_VERSION) { fault(l, ERR_FORMAT, "version", "format %u; this program reads format %u", version, IMAGE_VERSION); return false; }
    if (size != bytes.n || bytes.n < HEADER_BYTES + CHECKSUM_BYTES) {
        fault(l, ERR_CORRUPT, "size", "%zu bytes, but the header says %u", bytes.n, size);
        return false;
    }
    struct hash sum = hash_of((struct str){bytes.p, bytes.n - CHECKSUM_BYTES});
    if (memcmp(sum.b, bytes.p + bytes.n - CHECKSUM_BYTES, HASH_BYTES) != 0) {
        fault(l, ERR_CORRUPT, "checksum", "the file is damaged: its checksum does not fit");
        return false;
    }
    if (count != NSECTIONS) { fault(l, ERR_FORMAT, "section", "%u sections; this program reads %d", count, NSECTIONS); return false; }
    memcpy(l->im->content.b, content.p, HASH_BYTES);
    *body = reader_of((struct str){bytes.p + HEADER_BYTES, bytes.n - HEADER_BYTES - CHECKSUM_BYTES});
    return true;
}

/* The checksum was compared; what is left is whether the writer would have chosen these bytes, and the name of the image. */
static void check_canonical(struct loader *l, struct str bytes)
{
    bool same = image__is_canonical(&l->pools);
    const char *content = bytes.p + HEADER_BYTES;
    struct hash hash = {{0}};
    if (same) hash = hash_of((struct str){content, (size_t)(l->content_end - content)});
    if (!same || memcmp(hash.b, l->im->content.b, HASH_BYTES) != 0) fault(l, ERR_CORRUPT, "canonical", "the same image has another spelling");
}

enum err image_load(struct str bytes, struct arena *a, struct image **out, struct image_fault *why)
{
    *why = (struct image_fault){0};
    *out = NULL;
    struct loader l = {.a = a, .why = why, .im = ARENA_NEW(a, struct image)};
    if (bytes.n > LIMIT_IMAGE_BYTES) { fault(&l, ERR_TOO_LARGE, "size", "%zu bytes, at most %u are read", bytes.n, LIMIT_IMAGE_BYTES); return why->err; }
    bytes.p = arena_copy(a, bytes.n ? bytes.p : "", bytes.n);    /* texts of the image point into this copy */
    struct reader body;
    if (!load_header(&l, bytes, &body)) return why->err;
    for (size_t i = 0; i < NSECTIONS && !l.failed; i++) next_section(&l, &body, i);
    if (!l.failed && !reader_done(&body)) fault(&l, ERR_CORRUPT, "section-end", "bytes behind the last section");
    if (l.failed) return why->err;
    enum err e = image_verify(l.im, a, why);
    if (e != ERR_OK) return e;
    check_canonical(&l, bytes);
    if (l.failed) return why->err;
    *out = l.im;
    return ERR_OK;
}
