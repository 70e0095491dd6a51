/* print_expr.c - the canonical text of an expression on one line: what `why`, `plan` and the debug section show, whatever the layout was. */
#include "dsl/spec.h"
#include "base/check.h"

/* Binding strength, as in the grammar: or, and, not, comparison, ??, + -, * /, sign, primary. */
static int strength(const struct ast *n)
{
    if (n->kind == AST_UNARY) return AST_AS(unary, n)->op == OP_NOT ? 3 : 8;
    if (n->kind != AST_BINARY) return 9;
    switch ((enum ast_op)AST_AS(binary, n)->op) {
    case OP_OR: return 1;
    case OP_AND: return 2;
    case OP_ELSE: return 5;
    case OP_ADD: case OP_SUB: return 6;
    case OP_MUL: case OP_DIV: return 7;
    default: return 4;
    }
}

static void put(struct buf *out, const struct ast *n, int least);

static void put_list(struct buf *out, const struct ast_list *list, const char *between)
{
    AST_EACH(n, *list) {
        if (n != list->first) buf_puts(out, between);
        put(out, n, 0);
    }
}

static void put_text(struct buf *out, struct str s, bool quotes)
{
    if (quotes) buf_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (ch == '"' || ch == '\\') buf_printf(out, "\\%c", ch);
        else if (ch == '\n') buf_puts(out, "\\n");
        else if (ch == '\t') buf_puts(out, "\\t");
        else if (ch == '{' || ch == '}') buf_printf(out, "%c%c", ch, ch);
        else buf_byte(out, (unsigned char)ch);
    }
    if (quotes) buf_byte(out, '"');
}

static void put_template(struct buf *out, const struct ast_template *n)
{
    buf_byte(out, '"');
    AST_EACH(p, n->parts) {
        if (p->kind == AST_TEXT) put_text(out, AST_AS(text, p)->value, false);
        else {
            buf_byte(out, '{');
            put(out, p, 0);
            buf_byte(out, '}');
        }
    }
    buf_byte(out, '"');
}

static void put_match(struct buf *out, const struct ast_match *n)
{
    buf_puts(out, "match ");
    if (n->subject) {
        put(out, n->subject, 0);
        buf_byte(out, ' ');
    }
    buf_puts(out, "{ ");
    AST_EACH(a, n->arms) {
        const struct ast_arm *arm = AST_AS(arm, a);
        if (a != n->arms.first) buf_puts(out, ", ");
        if (arm->otherwise) buf_puts(out, "else");
        else put_list(out, &arm->patterns, " | ");
        buf_puts(out, " => ");
        if (arm->value) put(out, arm->value, 0);
    }
    buf_puts(out, " }");
}

static void put_operator(struct buf *out, const struct ast *n)
{
    int s = strength(n);
    if (n->kind == AST_UNARY) {
        buf_puts(out, AST_AS(unary, n)->op == OP_NOT ? "not " : "-");
        put(out, AST_AS(unary, n)->value, s);
        return;
    }
    const struct ast_binary *b = AST_AS(binary, n);
    bool right_first = b->op == OP_ELSE, chain = s != 4;      /* a comparison takes no comparison on either side */
    put(out, b->left, right_first || !chain ? s + 1 : s);
    buf_printf(out, " %s ", ast_op_text((enum ast_op)b->op));
    put(out, b->right, right_first ? s : s + 1);
}

static void put_call(struct buf *out, struct str name, const struct ast_list *args)
{
    buf_str(out, name);
    buf_byte(out, '(');
    put_list(out, args, ", ");
    buf_byte(out, ')');
}

static void put_each(struct buf *out, const struct ast_each *n)
{
    buf_printf(out, "each %.*s in ", (int)n->name.text.n, n->name.text.p);
    if (n->list) put(out, n->list, 0);
    if (n->when) {
        buf_puts(out, " when ");
        put(out, n->when, 0);
    }
    buf_puts(out, " { ");
    AST_EACH(c, n->clauses) {
        const struct ast *value = c->kind == AST_LINE_KEY ? AST_AS(line_key, c)->value : c->kind == AST_LET ? AST_AS(let, c)->value : AST_AS(field, c)->value;
        if (c != n->clauses.first) buf_puts(out, "  ");
        if (c->kind == AST_LINE_KEY) buf_puts(out, "key ");
        else if (c->kind == AST_LET) buf_printf(out, "let %.*s = ", (int)AST_AS(let, c)->name.text.n, AST_AS(let, c)->name.text.p);
        else buf_printf(out, "%.*s = ", (int)AST_AS(field, c)->name.text.n, AST_AS(field, c)->name.text.p);
        if (value) put(out, value, 0);
    }
    buf_puts(out, " }");
}

static void put_primary(struct buf *out, const struct ast *n)
{
    switch ((enum ast_kind)n->kind) {
    case AST_TEXT: put_text(out, AST_AS(text, n)->value, true); break;
    case AST_NUMBER: buf_str(out, AST_AS(number, n)->digits); break;
    case AST_BOOL: buf_puts(out, AST_AS(bool, n)->value ? "true" : "false"); break;
    case AST_NULL: buf_puts(out, "null"); break;
    case AST_DATE: buf_str(out, AST_AS(date, n)->value); break;
    case AST_TEMPLATE: put_template(out, AST_AS(template, n)); break;
    case AST_USE: buf_str(out, AST_AS(use, n)->name.text); break;
    case AST_MEMBER:
        put(out, AST_AS(member, n)->of, 9);
        buf_byte(out, '.');
        buf_str(out, AST_AS(member, n)->name.text);
        break;
    case AST_INDEX:
        buf_str(out, AST_AS(index, n)->table.text);
        buf_byte(out, '[');
        put(out, AST_AS(index, n)->key, 0);
        buf_byte(out, ']');
        break;
    case AST_CALL: put_call(out, AST_AS(call, n)->name.text, &AST_AS(call, n)->args); break;
    case AST_MATCH: put_match(out, AST_AS(match, n)); break;
    case AST_REF: buf_puts(out, "ref "); put_call(out, AST_AS(ref, n)->flow.text, &AST_AS(ref, n)->args); break;
    case AST_FIND:
        buf_puts(out, "find ");
        buf_str(out, AST_AS(find, n)->endpoint.text);
        buf_byte(out, '.');
        put_call(out, AST_AS(find, n)->module.text, &AST_AS(find, n)->conditions);
        break;
    case AST_CONDITION:
        buf_str(out, AST_AS(condition, n)->field.text);
        buf_puts(out, " = ");
        put(out, AST_AS(condition, n)->value, 0);
        break;
    case AST_EACH: put_each(out, AST_AS(each, n)); break;
    case AST_KEEP: buf_puts(out, "keep"); break;
    case AST_REJECT: buf_puts(out, "reject "); put_text(out, AST_AS(reject, n)->why, true); break;
    default: buf_printf(out, "<%s>", ast_kind_name((enum ast_kind)n->kind)); break;
    }
}

static void put(struct buf *out, const struct ast *n, int least)
{
    bool brackets = strength(n) < least;
    if (brackets) buf_byte(out, '(');
    if (n->kind == AST_UNARY || n->kind == AST_BINARY) put_operator(out, n);
    else put_primary(out, n);
    if (brackets) buf_byte(out, ')');
}

void spec_print(struct buf *out, const struct ast *expr)
{
    if (expr) put(out, expr, 0);
}
