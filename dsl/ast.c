/* ast.c - what all nodes have in common, driven by the field tables that ast.def gives: construction, children, equality, dump. */
#include "dsl/ast.h"
#include "base/check.h"
#include <inttypes.h>
#include <stddef.h>

enum field_type { F_WORD, F_ONE, F_MANY, F_FLAG, F_NUM, F_BYTES };
struct field { enum field_type type; size_t offset; const char *name; };
struct node { const char *name; const struct field *fields; size_t nfields; };

/* Each table ends in a sentinel, so that a node without fields has an array too. */
#define NODE(KIND, type) static const struct field fields_of_##type[] = {
#define WORD(type, f)    {F_WORD, offsetof(struct ast_##type, f), #f},
#define ONE(type, f)     {F_ONE, offsetof(struct ast_##type, f), #f},
#define MANY(type, f)    {F_MANY, offsetof(struct ast_##type, f), #f},
#define FLAG(type, f)    {F_FLAG, offsetof(struct ast_##type, f), #f},
#define NUM(type, f)     {F_NUM, offsetof(struct ast_##type, f), #f},
#define BYTES(type, f)   {F_BYTES, offsetof(struct ast_##type, f), #f},
#define END              {F_NUM, 0, NULL}};
#include "dsl/ast.def"
#undef NODE
#undef WORD
#undef ONE
#undef MANY
#undef FLAG
#undef NUM
#undef BYTES
#undef END

static const struct node nodes[AST_COUNT] = {
#define NODE(KIND, type) [AST_##KIND] = {#type, fields_of_##type, sizeof fields_of_##type / sizeof(struct field) - 1},
#define WORD(type, f)
#define ONE(type, f)
#define MANY(type, f)
#define FLAG(type, f)
#define NUM(type, f)
#define BYTES(type, f)
#define END
#include "dsl/ast.def"
#undef NODE
#undef WORD
#undef ONE
#undef MANY
#undef FLAG
#undef NUM
#undef BYTES
#undef END
};

#define AT(n, f, type) ((type const *)(const void *)((const char *)(n) + (f)->offset))

static uint16_t depth_of(const struct ast *n)
{
    uint16_t deepest = 0;
    const struct node *k = &nodes[n->kind];
    for (size_t i = 0; i < k->nfields; i++) {
        const struct field *f = &k->fields[i];
        const struct ast *c = NULL;
        if (f->type == F_ONE)
            c = *AT(n, f, struct ast *);
        else if (f->type == F_MANY)
            c = AT(n, f, struct ast_list)->first;
        for (; c; c = f->type == F_MANY ? c->next : NULL)
            if (c->depth > deepest)
                deepest = c->depth;
    }
    return (uint16_t)(deepest + 1);
}

struct ast *ast_make(struct arena *a, enum ast_kind kind, struct span at, const void *init, size_t size)
{
    struct ast *n = arena_alloc(a, size);
    memcpy(n, init, size);
    n->kind = (uint16_t)kind;
    n->at = at;
    n->next = NULL;
    n->sem = NULL;
    n->depth = depth_of(n);
    return n;
}

struct ast_list ast_append(struct ast_list list, struct ast *node)
{
    if (!node)
        return list;
    ASSERT(node->next == NULL && node != list.last);
    if (list.last)
        list.last->next = node;
    else
        list.first = node;
    list.last = node;
    list.n++;
    return list;
}

const char *ast_kind_name(enum ast_kind k)
{
    ASSERT((unsigned)k < AST_COUNT);
    return nodes[k].name;
}

const char *ast_op_text(enum ast_op op)
{
    static const char *const text[OP_COUNT] = {"or", "and", "==", "!=", "<", "<=", ">", ">=", "??", "+", "-", "*", "/", "not", "-"};
    ASSERT((unsigned)op < OP_COUNT);
    return text[op];
}

bool ast_is_expr(enum ast_kind k)
{
    switch (k) {
    case AST_TEXT: case AST_NUMBER: case AST_BOOL: case AST_NULL: case AST_DATE: case AST_TEMPLATE: case AST_USE: case AST_MEMBER:
    case AST_INDEX: case AST_CALL: case AST_UNARY: case AST_BINARY: case AST_MATCH: case AST_REF: case AST_FIND: case AST_EACH:
    case AST_KEEP: case AST_REJECT:
        return true;
    default:
        return false;
    }
}

void ast_children(const struct ast *n, void (*each)(void *ctx, struct ast *child), void *ctx)
{
    const struct node *k = &nodes[n->kind];
    for (size_t i = 0; i < k->nfields; i++) {
        const struct field *f = &k->fields[i];
        if (f->type == F_ONE && *AT(n, f, struct ast *))
            each(ctx, *AT(n, f, struct ast *));
        if (f->type == F_MANY)
            AST_EACH(c, *AT(n, f, struct ast_list))
                each(ctx, c);
    }
}

static bool list_equal(const struct ast_list *a, const struct ast_list *b)
{
    const struct ast *x = a->first, *y = b->first;
    for (; x && y; x = x->next, y = y->next)
        if (!ast_equal(x, y))
            return false;
    return !x && !y;
}

static bool field_equal(const struct ast *a, const struct ast *b, const struct field *f)
{
    switch (f->type) {
    case F_WORD:  return str_eq(AT(a, f, struct ast_name)->text, AT(b, f, struct ast_name)->text);
    case F_ONE:   return ast_equal(*AT(a, f, struct ast *), *AT(b, f, struct ast *));
    case F_MANY:  return list_equal(AT(a, f, struct ast_list), AT(b, f, struct ast_list));
    case F_FLAG:  return *AT(a, f, bool) == *AT(b, f, bool);
    case F_NUM:   return *AT(a, f, int64_t) == *AT(b, f, int64_t);
    case F_BYTES: return str_eq(*AT(a, f, struct str), *AT(b, f, struct str));
    }
    return false;
}

bool ast_equal(const struct ast *a, const struct ast *b)
{
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind)
        return false;
    const struct node *k = &nodes[a->kind];
    for (size_t i = 0; i < k->nfields; i++)
        if (!field_equal(a, b, &k->fields[i]))
            return false;
    return true;
}

/* ---- dump ---- */
static void dump_text(struct buf *out, struct str s)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\x%02x", c);
        else
            buf_byte(out, c);
    }
    buf_byte(out, '"');
}

static void dump_node(struct buf *out, const struct ast *n, bool spans, unsigned indent);

/* Scalars stand on the node's own line, children below it. */
static void dump_scalar(struct buf *out, const struct ast *n, const struct field *f)
{
    switch (f->type) {
    case F_WORD:
        if (AT(n, f, struct ast_name)->text.n) {
            buf_printf(out, " %s=", f->name);
            buf_str(out, AT(n, f, struct ast_name)->text);
        }
        break;
    case F_FLAG:
        if (*AT(n, f, bool))
            buf_printf(out, " %s", f->name);
        break;
    case F_NUM:
        if (strcmp(f->name, "op") == 0)
            buf_printf(out, " %s", ast_op_text((enum ast_op)*AT(n, f, int64_t)));
        else
            buf_printf(out, " %s=%" PRId64, f->name, *AT(n, f, int64_t));
        break;
    case F_BYTES:
        buf_printf(out, " %s=", f->name);
        dump_text(out, *AT(n, f, struct str));
        break;
    case F_ONE: case F_MANY:
        break;
    }
}

static void dump_children(struct buf *out, const struct ast *n, const struct field *f, bool spans, unsigned indent)
{
    if (f->type == F_ONE && *AT(n, f, struct ast *)) {
        buf_printf(out, "%*s%s:\n", (int)indent * 2, "", f->name);
        dump_node(out, *AT(n, f, struct ast *), spans, indent + 1);
    }
    if (f->type == F_MANY && AT(n, f, struct ast_list)->first) {
        buf_printf(out, "%*s%s:\n", (int)indent * 2, "", f->name);
        AST_EACH(c, *AT(n, f, struct ast_list))
            dump_node(out, c, spans, indent + 1);
    }
}

static void dump_node(struct buf *out, const struct ast *n, bool spans, unsigned indent)
{
    const struct node *k = &nodes[n->kind];
    buf_printf(out, "%*s%s", (int)indent * 2, "", k->name);
    if (spans)
        buf_printf(out, "@%u..%u", n->at.at, n->at.end);
    for (size_t i = 0; i < k->nfields; i++)
        dump_scalar(out, n, &k->fields[i]);
    buf_byte(out, '\n');
    for (size_t i = 0; i < k->nfields; i++)
        dump_children(out, n, &k->fields[i], spans, indent + 1);
}

void ast_dump(struct buf *out, const struct ast *n, bool spans)
{
    if (n)
        dump_node(out, n, spans, 0);
}
