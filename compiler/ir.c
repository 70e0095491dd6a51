/* ir.c - building, typing and interning of nodes; see ir.h. Types follow dsl/types and value/builtin, the rules that the verifier applies. */
#include "compiler/ir.h"
#include "base/check.h"
#include "value/builtin.h"
#include <stdlib.h>

static const char *const op_names[IR_OP_COUNT] = {
#define IR(name, text, meaning) text,
#include "compiler/ir.def"
#undef IR
};

void ir_init(struct ir_graph *g, struct arena *a)
{
    *g = (struct ir_graph){.arena = a, .nslots = 1024};
    g->slots = ARENA_ARRAY(a, struct ir *, g->nslots);
}

void ir_begin(struct ir_graph *g)
{
    memset(g->slots, 0, g->nslots * sizeof *g->slots);
    g->first = g->n;
}

/* ---- names ---- */

static void put_type(struct buf *b, const struct type *t)
{
    buf_byte(b, t->base);
    buf_byte(b, t->optional);
    buf_byte(b, t->scale);
    buf_u32(b, t->min_len);
    buf_u32(b, t->max_len);
    buf_put(b, &t->lo, t->base == T_DECIMAL ? sizeof t->lo : 0);
    buf_put(b, &t->hi, t->base == T_DECIMAL ? sizeof t->hi : 0);
    buf_varint(b, t->nset);
    for (unsigned i = 0; i < t->nset; i++) buf_blob(b, t->set[i]);
    buf_blob(b, t->yes);
    buf_blob(b, t->no);
    if (t->base != T_LIST) return;
    buf_u32(b, t->shape->max_lines);
    for (size_t i = 0; i < t->shape->n; i++) {
        buf_blob(b, t->shape->names[i]);
        put_type(b, &t->shape->types[i]);
    }
}

static void put_part(struct buf *b, const struct ir *x)
{
    buf_byte(b, x != NULL);
    if (x) buf_put(b, x->hash.b, HASH_BYTES);
}

/* The order of a list's fields means nothing: their hashes are added up. */
static void put_each(struct buf *b, const struct ir_each *e)
{
    unsigned char sum[HASH_BYTES] = {0};
    buf_blob(b, e->target);
    buf_blob(b, e->list);
    buf_u32(b, e->max_lines);
    put_part(b, e->when);
    put_part(b, e->key);
    for (size_t i = 0; i < e->nfields; i++) {
        struct buf one = {0};
        buf_blob(&one, e->names[i]);
        put_part(&one, e->fields[i]);
        struct hash h = hash_of(buf_view(&one));
        unsigned carry = 0;
        for (size_t k = 0; k < HASH_BYTES; k++) {
            carry += (unsigned)sum[k] + h.b[k];
            sum[k] = (unsigned char)(carry & 0xff);
            carry >>= 8;
        }
        buf_free(&one);
    }
    buf_varint(b, e->nfields);
    buf_put(b, sum, sizeof sum);
}

static struct hash name_of(const struct ir *x)
{
    struct buf b = {0};
    buf_puts(&b, op_names[x->op]);
    buf_byte(&b, 0);
    switch (x->op) {
    case IR_CONST: case IR_REJECT: value_encode(&b, &x->value); break;
    case IR_COLUMN: case IR_LINE: buf_blob(&b, x->name); put_type(&b, &x->ty.t); break;
    case IR_EACH: put_each(&b, x->each); break;
    case IR_ABSENT: if (x->ty.kind == TY_VALUE) put_type(&b, &x->ty.t); break;
    case IR_CALL: buf_puts(&b, builtin_info(x->index).name); buf_u32(&b, IR_BUILTIN_VERSION); break;
    case IR_TABLE: buf_put(&b, x->table->hash.b, HASH_BYTES); break;
    case IR_LINK:
        buf_blob(&b, x->site.target);
        buf_blob(&b, x->site.module);
        for (size_t i = 0; i < x->site.nfields; i++) buf_blob(&b, x->site.fields[i]);
        if (x->site.nfields == 0) {
            buf_puts(&b, "ref");
            buf_blob(&b, x->site.flow);
        }
        break;
    default: break;
    }
    buf_varint(&b, x->nargs);
    for (size_t i = 0; i < x->nargs; i++) buf_put(&b, x->args[i]->hash.b, HASH_BYTES);
    struct hash h = hash_of(buf_view(&b));
    buf_free(&b);
    return h;
}

static size_t slot_of(const struct ir_graph *g, const struct hash *h)
{
    uint64_t k;
    memcpy(&k, h->b, sizeof k);
    size_t i = (size_t)k & (g->nslots - 1);
    while (g->slots[i] && !hash_eq(&g->slots[i]->hash, h)) i = (i + 1) & (g->nslots - 1);
    return i;
}

static void grow(struct ir_graph *g)
{
    struct ir **old = g->slots;
    size_t n = g->nslots;
    g->nslots *= 2;
    g->slots = ARENA_ARRAY(g->arena, struct ir *, g->nslots);
    for (size_t i = 0; i < n; i++)
        if (old[i]) g->slots[slot_of(g, &old[i]->hash)] = old[i];
}

struct ir *ir__intern(struct ir_graph *g, const struct ir *proto)
{
    struct hash h = name_of(proto);
    size_t i = slot_of(g, &h);
    if (g->slots[i]) return g->slots[i];
    if ((g->n - g->first) * 2 >= g->nslots) {
        grow(g);
        i = slot_of(g, &h);
    }
    struct ir *x = ARENA_NEW(g->arena, struct ir);
    *x = *proto;
    x->hash = h;
    x->id = (uint32_t)g->n++;
    x->first = (uint32_t)g->first;
    x->rejects = x->op == IR_REJECT || x->op == IR_EACH;      /* lines can be too many */
    for (size_t k = 0; k < proto->nargs; k++) x->rejects = x->rejects || proto->args[k]->rejects;
    x->args = ARENA_ARRAY(g->arena, struct ir *, proto->nargs + 1);
    if (proto->nargs) memcpy(x->args, proto->args, proto->nargs * sizeof *x->args);
    g->slots[i] = x;
    return x;
}

/* ---- leaves ---- */

struct ir *ir_const(struct ir_graph *g, const struct value *v)
{
    if (!value_present(v)) return ir_absent(g, NULL);
    struct ir p = {.op = IR_CONST, .value = *v, .ty = ty_value(types_of_value(g->arena, v))};
    return ir__intern(g, &p);
}

struct ir *ir_bool(struct ir_graph *g, bool b)
{
    struct value v = value_bool(b);
    return ir_const(g, &v);
}

struct ir *ir_absent(struct ir_graph *g, const struct type *t)
{
    struct ir p = {.op = IR_ABSENT, .ty = t ? ty_value(*t) : ty_of_kind(TY_NULL)};
    if (t) p.ty.t.optional = true;
    return ir__intern(g, &p);
}

struct ir *ir_column(struct ir_graph *g, unsigned index, struct str name, const struct type *t)
{
    struct ir p = {.op = IR_COLUMN, .index = index, .name = name, .ty = ty_value(*t)};
    return ir__intern(g, &p);
}

struct ir *ir_line(struct ir_graph *g, unsigned index, struct str list, struct str name, const struct type *t)
{
    struct str whole = str_of(arena_printf(g->arena, "%.*s.%.*s", (int)list.n, list.p, (int)name.n, name.p));
    struct ir p = {.op = IR_LINE, .index = index, .name = whole, .ty = ty_value(*t)};
    return ir__intern(g, &p);
}

struct ir *ir_each(struct ir_graph *g, const struct ir_each *each, const struct type *t)
{
    struct ir p = {.op = IR_EACH, .each = each, .ty = ty_value(*t)};
    return ir__intern(g, &p);
}

struct ir *ir_reject(struct ir_graph *g, const struct value *message)
{
    struct ir p = {.op = IR_REJECT, .value = *message, .ty = ty_of_kind(TY_NEVER)};
    return ir__intern(g, &p);
}

struct ir *ir_keep(struct ir_graph *g)
{
    struct ir p = {.op = IR_KEEP, .ty = ty_of_kind(TY_NEVER)};
    return ir__intern(g, &p);
}

/* ---- nodes ---- */

/* An operand that never yields (a look-up that is known to miss, then reject) makes the whole never yield. Operands before it that may reject
 * are still looked at first: which message a record is set aside with does not depend on folding. NULL when all yield. */
static struct ir *first_never(struct ir_graph *g, struct ir **args, size_t n)
{
    size_t k = 0;
    while (k < n && !ir_never(args[k])) k++;
    if (k == n) return NULL;
    struct ir *out = args[k];
    while (k-- > 0)
        if (args[k]->rejects) out = ir_if(g, ir_make1(g, IR_IS, args[k]), out, out);
    return out;
}

struct ir *ir_table(struct ir_graph *g, const struct ir_table *t, struct ir *key)
{
    struct ir *folded = first_never(g, &key, 1);
    if (folded) return folded;
    folded = ir__fold_table(g, t, key);
    if (folded) return folded;
    struct ir p = {.op = IR_TABLE, .table = t, .args = &key, .nargs = 1, .ty = ty_value(t->type)};
    if (key->ty.t.optional) p.ty.t.optional = true;
    return ir__intern(g, &p);
}

struct ir *ir_call(struct ir_graph *g, unsigned builtin, struct ir **args, size_t n)
{
    struct builtin_info in = builtin_info(builtin);
    struct type types[BUILTIN_ARGS_MAX], out;
    size_t bad;
    bool lifted = false;
    ASSERT(n <= BUILTIN_ARGS_MAX);
    if (first_never(g, args, n)) return first_never(g, args, n);
    for (size_t i = 0; i < n; i++) {
        ASSERT(args[i]->ty.kind == TY_VALUE);
        types[i] = args[i]->ty.t;
        if (!types[i].optional || builtin_param(&in, i).optional) continue;
        types[i].optional = false;
        lifted = true;
    }
    struct ir *folded = ir__fold_call(g, builtin, args, n);
    if (folded) return folded;
    bool ok = builtin_type(builtin, types, n, &out, &bad, NULL, 0);
    ASSERT(ok);
    out.optional = out.optional || lifted;
    struct ir p = {.op = IR_CALL, .index = builtin, .args = args, .nargs = n, .ty = ty_value(out)};
    return ir__intern(g, &p);
}

struct ir *ir_link(struct ir_graph *g, struct ir_site site, struct ir **args, size_t n)
{
    struct type t = types_plain(T_LINK);
    bool absent = false, rejects = false;
    t.optional = site.nfields > 0;
    if (first_never(g, args, n)) return first_never(g, args, n);
    for (size_t i = 0; i < n; i++) {
        absent = absent || args[i]->op == IR_ABSENT;
        rejects = rejects || args[i]->rejects;
        t.optional = t.optional || args[i]->ty.t.optional;
    }
    if (absent && !rejects) {
        t.optional = true;
        return ir_absent(g, &t);
    }
    struct ir p = {.op = IR_LINK, .site = site, .args = args, .nargs = n, .ty = ty_value(t)};
    return ir__intern(g, &p);
}

/* The type of "a or b" for two branches. */
static struct ty branch_type(struct ir_graph *g, const struct ty *a, const struct ty *b)
{
    if (a->kind == TY_NEVER) return *b;
    if (b->kind == TY_NEVER) return *a;
    if (a->kind == TY_NULL && b->kind == TY_NULL) return *a;
    struct ty t = a->kind == TY_NULL ? *b : *a;
    if (a->kind == TY_NULL || b->kind == TY_NULL) t.t.optional = true;
    else {
        bool ok = types_join(g->arena, &a->t, &b->t, &t.t);
        ASSERT(ok);
    }
    return t;
}

static struct ty type_of(struct ir_graph *g, enum ir_op op, struct ir **args, size_t n)
{
    struct type t = types_plain(T_BOOL), parts[BUILTIN_ARGS_MAX];
    enum types_result r = TYPES_OK;
    switch (op) {
    case IR_NEG: r = types_neg(&args[0]->ty.t, &t); break;
    case IR_ADD: r = types_add(&args[0]->ty.t, &args[1]->ty.t, &t); break;
    case IR_SUB: r = types_sub(&args[0]->ty.t, &args[1]->ty.t, &t); break;
    case IR_MUL: r = types_mul(&args[0]->ty.t, &args[1]->ty.t, &t); break;
    case IR_TEXT: t = types_as_text(g->arena, &args[0]->ty.t); break;
    case IR_CONCAT: {
        for (size_t i = 0; i < n; i++) parts[i] = args[i]->ty.t;
        bool ok = types_concat(parts, n, &t);
        ASSERT(ok);
        break;
    }
    case IR_ELSE: {
        struct ty left = args[0]->ty;
        left.t.optional = false;
        return branch_type(g, &left, &args[1]->ty);
    }
    case IR_IF: return branch_type(g, &args[1]->ty, &args[2]->ty);
    default: break;
    }
    ASSERT(r == TYPES_OK);
    return ty_value(t);
}

struct ir *ir_make(struct ir_graph *g, enum ir_op op, struct ir **args, size_t n)
{
    ASSERT(n <= BUILTIN_ARGS_MAX);
    struct ir *folded = first_never(g, args, op == IR_IF || op == IR_ELSE ? 1 : n);
    if (!folded) folded = ir__fold(g, op, args, n);
    if (folded) return folded;
    struct ir *two[2] = {args[0], n > 1 ? args[1] : NULL};
    struct ir p = {.op = op, .args = args, .nargs = n, .ty = type_of(g, op, args, n)};
    /* a == b and b == a are one node */
    if ((op == IR_EQ || op == IR_NE) && !(two[0]->rejects && two[1]->rejects) && memcmp(two[0]->hash.b, two[1]->hash.b, HASH_BYTES) > 0) {
        two[0] = args[1];
        two[1] = args[0];
        p.args = two;
    }
    return ir__intern(g, &p);
}

struct ir *ir_make1(struct ir_graph *g, enum ir_op op, struct ir *a)
{
    return ir_make(g, op, &a, 1);
}

struct ir *ir_make2(struct ir_graph *g, enum ir_op op, struct ir *a, struct ir *b)
{
    return ir_make(g, op, (struct ir *[]){a, b}, 2);
}

struct ir *ir_if(struct ir_graph *g, struct ir *c, struct ir *a, struct ir *b)
{
    return ir_make(g, IR_IF, (struct ir *[]){c, a, b}, 3);
}

/* ---- tables ---- */

struct entry { struct value key, value; };

static int order_entry(const void *a, const void *b)
{
    return str_cmp(value_str(&((const struct entry *)a)->key), value_str(&((const struct entry *)b)->key));
}

void ir_table_finish(struct ir_table *t, struct arena *a)
{
    struct entry *e = ARENA_ARRAY(a, struct entry, t->n + 1);
    struct buf b = {0};
    for (size_t i = 0; i < t->n; i++) e[i] = (struct entry){t->keys[i], t->values[i]};
    qsort(e, t->n, sizeof *e, order_entry);
    for (size_t i = 0; i < t->n; i++) {
        t->keys[i] = e[i].key;
        t->values[i] = e[i].value;
        value_encode(&b, &e[i].key);
        value_encode(&b, &e[i].value);
    }
    buf_byte(&b, t->has_else);
    if (t->has_else) value_encode(&b, &t->otherwise);
    t->hash = hash_of(buf_view(&b));
    buf_free(&b);
}

/* ---- looking at it ---- */

enum { IR_PRINT_BYTES = 1 << 20 };

static void print_each(struct buf *out, const struct ir_each *e)
{
    buf_byte(out, ' ');
    buf_str(out, e->list);
    if (e->when) {
        buf_puts(out, " (when ");
        ir_print(out, e->when);
        buf_byte(out, ')');
    }
    buf_puts(out, " (key ");
    ir_print(out, e->key);
    buf_byte(out, ')');
    for (size_t i = 0; i < e->nfields; i++) {
        buf_printf(out, " (%.*s ", (int)e->names[i].n, e->names[i].p);
        ir_print(out, e->fields[i]);
        buf_byte(out, ')');
    }
}

void ir_print(struct buf *out, const struct ir *x)
{
    if (out->n > IR_PRINT_BYTES) {     /* shared nodes are printed wherever they are used: that can grow */
        buf_puts(out, "...");
        return;
    }
    buf_printf(out, "(%s", op_names[x->op]);
    switch (x->op) {
    case IR_CONST: case IR_REJECT: buf_byte(out, ' '); value_json(out, &x->value); break;
    case IR_COLUMN: case IR_LINE: buf_byte(out, ' '); buf_str(out, x->name); break;
    case IR_EACH: print_each(out, x->each); break;
    case IR_CALL: buf_printf(out, " %s", builtin_info(x->index).name); break;
    case IR_TABLE: buf_byte(out, ' '); buf_str(out, x->table->name); break;
    case IR_LINK:
        buf_byte(out, ' ');
        buf_str(out, x->site.nfields ? x->site.module : x->site.flow);
        for (size_t i = 0; i < x->site.nfields; i++) {
            buf_byte(out, i ? ',' : '.');
            buf_str(out, x->site.fields[i]);
        }
        break;
    default: break;
    }
    for (size_t i = 0; i < x->nargs; i++) {
        buf_byte(out, ' ');
        ir_print(out, x->args[i]);
    }
    buf_byte(out, ')');
}

/* Marks what nodes of one kind read; a list is its own column and what its parts read. */
static void columns(const struct ir *x, enum ir_op op, bool *seen, bool *visited)
{
    if (x == NULL || visited[x->id - x->first]) return;
    visited[x->id - x->first] = true;
    if (x->op == op) seen[x->index] = true;
    for (size_t i = 0; i < x->nargs; i++) columns(x->args[i], op, seen, visited);
    if (x->op != IR_EACH) return;
    if (op == IR_COLUMN) seen[x->each->column] = true;
    columns(x->each->when, op, seen, visited);
    columns(x->each->key, op, seen, visited);
    for (size_t i = 0; i < x->each->nfields; i++) columns(x->each->fields[i], op, seen, visited);
}

static void marks(const struct ir_graph *g, const struct ir *x, enum ir_op op, bool *seen)
{
    if (x == NULL) return;
    struct arena_mark m = arena_mark(g->arena);
    columns(x, op, seen, ARENA_ARRAY(g->arena, bool, x->id - x->first + 1));
    arena_release(g->arena, m);
}

void ir_columns(const struct ir_graph *g, const struct ir *x, bool *seen)
{
    marks(g, x, IR_COLUMN, seen);
}

void ir_line_reads(const struct ir_graph *g, const struct ir *x, bool *seen)
{
    marks(g, x, IR_LINE, seen);
}

void ir_line_columns(const struct ir_graph *g, const struct ir_each *e, bool *seen)
{
    marks(g, e->when, IR_LINE, seen);
    marks(g, e->key, IR_LINE, seen);
    for (size_t i = 0; i < e->nfields; i++) marks(g, e->fields[i], IR_LINE, seen);
}
