/* parse.c - from bytes to tree: checks the bytes, reads all tokens, pairs the brackets, hands tokens to the generated parser, and holds
 * the constructors that need more than a copy.
 *
 *   bytes -check_bytes-> fine -parse__read_tokens-> token array, { } paired -mlc_parse (grammar/parser.y)-> tree -check_rejects-> tree
 *
 * The whole token array stands before parsing begins: recovery can then look ahead to the end of a block (recover.c), and a { that was
 * never closed is found where the next declaration begins instead of at the end of the file. */
#include "dsl/parser.h"
#include "base/check.h"
#include "base/limits.h"
#include "parser.tab.h"
#include <stdio.h>

/* ---- bytes ---- */
static struct span place_of(const struct source *src, size_t from, size_t len)
{
    return (struct span){src->id, (uint32_t)from, (uint32_t)(from + len)};
}

/* Characters that are not seen but change how a line reads: bidirectional controls, zero width ones. 0 when p begins none. */
static uint32_t hidden_character(const unsigned char *p, size_t n)
{
    if (n < 3 || (p[0] != 0xe2 && p[0] != 0xef))
        return 0;
    uint32_t c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3fu);
    bool hidden = (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
    return hidden ? c : 0;
}

/* False when the text cannot be read at all. *skip = bytes of a byte order mark. */
static bool check_bytes(const struct source *src, struct diags *ds, size_t *skip)
{
    const unsigned char *p = (const unsigned char *)src->text.p;
    size_t n = src->text.n;
    *skip = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (n > LIMIT_SOURCE_BYTES) {
        diag1(ds, place_of(src, 0, 0), D_FILE_TOO_LARGE, "4 MiB");
        return false;
    }
    for (size_t i = *skip; i < n;) {
        size_t len = p[i] < 0x80 ? 1 : p[i] < 0xe0 ? 2 : p[i] < 0xf0 ? 3 : 4;
        if (i + len > n || !str_utf8_valid((struct str){src->text.p + i, len})) {
            char byte[8];
            snprintf(byte, sizeof byte, "0x%02X", p[i]);
            struct diag *d = diag1(ds, place_of(src, i, 1), D_NOT_UTF8, byte);
            diag_help(d, "save the file as UTF-8; from an editor of Windows it may be in code page 1252");
            return false;
        }
        uint32_t hidden = hidden_character(p + i, n - i);
        if (hidden) {
            char name[16];
            snprintf(name, sizeof name, "U+%04X", (unsigned)hidden);
            diag_help(diag1(ds, place_of(src, i, len), D_HIDDEN_CHARACTER, name), "remove it; inside a text write it as \\u{%X}", (unsigned)hidden);
        }
        i += len;
    }
    if (*skip)
        diag_help(diag0(ds, place_of(src, 0, 3), D_BYTE_ORDER_MARK), "save the file as UTF-8 without BOM");
    return true;
}

/* ---- tokens ---- */
static void push(struct parser *p, struct token t)
{
    if (p->ntok == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 1024;
        struct token *tok = ARENA_ARRAY(p->env.arena, struct token, cap);
        if (p->ntok)
            memcpy(tok, p->tok, p->ntok * sizeof *tok);
        p->tok = tok;
        p->cap = cap;
    }
    p->tok[p->ntok++] = t;
}

static struct span token_span(const struct parser *p, const struct token *t)
{
    return place_of(p->env.src, t->at, t->end - t->at);
}

/* What people bring along from other languages: reported once each place, and read as what is meant. 0 = drop the token. */
static int foreign(const struct parser *p, const struct token *t)
{
    static const struct { const char *wrong, *right; int token; } words[] = {
        {"&&", "and", TOK_AND}, {"||", "or", TOK_OR}, {"!", "not", TOK_NOT}, {"<>", "!=", TOK_NE}, {"===", "==", TOK_EQ}, {":=", "=", '='},
        {"->", "=>", TOK_ARROW}};
    struct str text = {p->env.src->text.p + t->at, t->end - t->at};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_is(text, words[i].wrong)) {
            struct diag *d = diag2(p->env.ds, token_span(p, t), D_FOREIGN_OPERATOR, words[i].wrong, words[i].right);
            diag_fix(diag_help(d, "write `%s`", words[i].right), d->at, text.p[0] == '!' && text.n == 1 ? "%s " : "%s", words[i].right);
            return words[i].token;
        }
    if (text.p[0] == '\'') {
        diag_help(diag2(p->env.ds, token_span(p, t), D_FOREIGN_OPERATOR, "'", "\""), "texts stand in double quotes");
        return TOK_TEXT;
    }
    if (text.p[0] == '/')
        diag_fix(diag_help(diag2(p->env.ds, place_of(p->env.src, t->at, 2), D_FOREIGN_OPERATOR, "//", "#"), "a comment begins with #"),
                 place_of(p->env.src, t->at, 2), "#");
    else
        diag_fix(diag_help(diag1(p->env.ds, token_span(p, t), D_STRAY_CHARACTER, "`;`"), "clauses need no mark at their end"), token_span(p, t), "%s", "");
    return 0;
}

/* Gives raw tokens that the grammar does not know a diagnostic and a kind; 0 = not a token at all. */
static int settle_kind(const struct parser *p, struct token *t)
{
    switch (t->kind) {
    case LEX_FOREIGN:
        return foreign(p, t);
    case LEX_OPEN_TEXT:
        diag_help(diag0(p->env.ds, token_span(p, t), D_OPEN_TEXT), "close it with \"; a line end inside a text is written \\n");
        return TOK_TEXT;
    case LEX_BAD_NUMBER:
        t->bad = true;
        return lex_bad_number(&p->env, token_span(p, t)) ? TOK_DURATION : TOK_NUMBER;
    case LEX_STRAY: {
        struct str text = {p->env.src->text.p + t->at, t->end - t->at};
        const char *shown = diag_str(p->env.ds, text);
        diag1(p->env.ds, token_span(p, t), D_STRAY_CHARACTER, arena_printf(p->env.arena, "`%s`", shown));
        return 0;
    }
    case LEX_COMMENT:
        return 0;
    default:
        return t->kind;
    }
}

/* ---- brackets ---- */
struct brackets { struct parse_bracket open[PARSE_NESTING + 1]; size_t n; int declaration; bool too_deep; };

/* Words that only ever begin a declaration; source and target also stand inside a system. */
static bool begins_declaration(int kind)
{
    return kind == TOK_SPEC || kind == TOK_IMPORT || kind == TOK_SYSTEM || kind == TOK_ENTITY || kind == TOK_EXTEND || kind == TOK_TABLE || kind == TOK_FN ||
           kind == TOK_FLOW || kind == TOK_TEST;
}

static void close_one(struct parser *p, struct brackets *b, const struct token *before)
{
    struct parse_bracket open = b->open[--b->n];
    if (open.kind != '{')
        return;
    struct span at = token_span(p, &p->tok[open.token]);
    struct diag *d = diag1(p->env.ds, at, D_UNCLOSED, "`{`");
    if (before->kind)
        diag_fix(diag_help(diag_also(d, token_span(p, before), "this begins a new declaration"), "put } in front of it"), (struct span){p->env.src->id, before->at, before->at}, "}\n\n");
    else
        diag_fix(diag_help(d, "put } at the end"), (struct span){p->env.src->id, before->at, before->at}, "}\n");
    uint32_t end = p->tok[p->ntok - 1].end;
    push(p, (struct token){'}', end, end, false, false, true, false});
}

/* A declaration cannot stand inside a block: what is still open there was never closed. */
static void close_before(struct parser *p, struct brackets *b, const struct token *t)
{
    bool declaration = begins_declaration(t->kind) || ((t->kind == TOK_SOURCE || t->kind == TOK_TARGET) && b->declaration != TOK_SYSTEM);
    const char *behind = p->env.src->text.p + t->end;
    bool gap = *behind == ' ' || *behind == '\t';
    while (*behind == ' ' || *behind == '\t') behind++;
    if (t->kind == 0 || (declaration && t->line_start && gap && *behind != '=' && *behind != ':'))       /* `table = x`: a field of that name */
        while (b->n > 0)
            close_one(p, b, t);
    if (declaration && b->n == 0)
        b->declaration = t->kind;
}

static void pair_bracket(struct parser *p, struct brackets *b, const struct token *t)
{
    if (t->kind == '{' || t->kind == '(' || t->kind == '[') {
        if (b->n == PARSE_NESTING) {
            diag_help(diag1(p->env.ds, token_span(p, t), D_TOO_DEEP, "200"), "give inner parts a name with `let` or `fn`");
            b->too_deep = true;
            return;
        }
        b->open[b->n++] = (struct parse_bracket){t->kind, (uint32_t)p->ntok};
    } else if (t->kind == '}') {
        while (b->n > 0 && b->open[b->n - 1].kind != '{')
            b->n--;
        if (b->n > 0)
            b->n--;
    } else if ((t->kind == ')' || t->kind == ']') && b->n > 0 && b->open[b->n - 1].kind == (t->kind == ')' ? '(' : '[')) {
        b->n--;
    }
}

/* The same walk again over what was read: which { is around each token. */
static void find_blocks(struct parser *p)
{
    struct parse_bracket open[PARSE_NESTING + 1];
    size_t n = 0;
    p->block = ARENA_ARRAY(p->env.arena, uint32_t, p->ntok);
    p->in_bracket = ARENA_ARRAY(p->env.arena, bool, p->ntok);
    for (size_t i = 0; i < p->ntok; i++) {
        int k = p->tok[i].kind;
        size_t brace = n;
        while (brace > 0 && open[brace - 1].kind != '{')
            brace--;
        p->block[i] = brace ? open[brace - 1].token : PARSE_NO_BLOCK;
        p->in_bracket[i] = brace < n;
        if (k == '{' || k == '(' || k == '[') {
            if (n < PARSE_NESTING)                   /* deeper only where the first walk closed what was left open; that is an error already */
                open[n++] = (struct parse_bracket){k, (uint32_t)i};
        } else if (k == '}')
            n = brace ? brace - 1 : 0;
        else if ((k == ')' || k == ']') && n > 0 && open[n - 1].kind == (k == ')' ? '(' : '['))
            n--;
    }
}

void parse__read_tokens(struct parser *p)
{
    struct lexer lx;
    struct brackets b = {.n = 0};
    bool dropped_stray = false;
    lex_init(&lx, p->env.src->text);
    if (p->pos)
        lx.cursor += p->pos;                     /* behind the byte order mark */
    for (;;) {
        struct token t = lex_scan(&lx);
        int kind = t.kind ? settle_kind(p, &t) : 0;
        if (t.kind && !kind) {
            dropped_stray = dropped_stray || t.kind == LEX_STRAY;
            continue;
        }
        t.kind = kind;
        t.after_stray = dropped_stray;
        dropped_stray = false;
        if (!b.too_deep) {
            close_before(p, &b, &t);
            pair_bracket(p, &b, &t);
        }
        if (t.kind == 0 || b.too_deep) {
            p->quiet = b.too_deep;
            push(p, (struct token){0, t.at, t.end, true, true, false, false});
            break;
        }
        push(p, t);
    }
    p->pos = 0;
    find_blocks(p);
}

/* ---- what the generated parser calls ---- */
static struct ast *literal(struct parser *p, const struct token *t, struct span at)
{
    switch (t->kind) {
    case TOK_TEXT:     return lex_text(&p->env, at);
    case TOK_DURATION: return t->bad ? AST_NEW(p->env.arena, DURATION, duration, at, .ms = 60000) : lex_duration(&p->env, at);
    case TOK_PERCENT:  return lex_percent(&p->env, at);
    case TOK_DATE:     return lex_date(&p->env, at);
    default:           return t->bad ? AST_NEW(p->env.arena, NUMBER, number, at, .digits = STR("")) : lex_number(&p->env, at);
    }
}

/* A bracket right behind a name calls or looks up; with a gap it is reported and read as if there were none. */
static int bracket(struct parser *p, const struct token *t, struct span at)
{
    int before = p->last > 0 ? p->tok[p->last - 1].kind : 0;
    if (before != TOK_NAME && before != TOK_ATTR)
        return t->kind;
    if (t->gap) {
        if (p->quiet)
            return t->kind;
        p->nerrors++;
        struct diag *d = diag1(p->env.ds, at, D_GAP_BEFORE_BRACKET, t->kind == '(' ? "`(`" : "`[`");
        struct str name = span_text(p->env.ds->sources, parse__at(p, p->last - 1));
        diag_help(d, "write `%.*s%c`", (int)(name.n > 60 ? 60 : name.n), name.p, t->kind);
        diag_fix(d, span_join(parse__at(p, p->last - 1), at), "%.*s%c", (int)name.n, name.p, t->kind);
    }
    return t->kind == '(' ? TOK_CALL_OPEN : TOK_INDEX_OPEN;
}

int mlc_lex(MLC_STYPE *value, MLC_LTYPE *at, struct parser *p)
{
    p->last = p->pos < p->ntok ? p->pos++ : p->ntok - 1;
    const struct token *t = &p->tok[p->last];
    *at = token_span(p, t);
    switch (t->kind) {
    case TOK_NAME: case TOK_ATTR:
        value->TOK_NAME = lex_name(&p->env, *at);
        return t->kind;
    case TOK_TEXT: case TOK_NUMBER: case TOK_DURATION: case TOK_PERCENT: case TOK_DATE:
        value->TOK_TEXT = literal(p, t, *at);
        return value->TOK_TEXT->kind == AST_TEMPLATE ? TOK_TEMPLATE : t->kind;
    case '(': case '[':
        return bracket(p, t, *at);
    default:
        return t->kind;
    }
}

/* Only "memory exhausted" comes here: the stack of Bison is full (YYMAXDEPTH). Syntax errors go to parse__syntax_error. */
void mlc_error(const MLC_LTYPE *at, struct parser *p, const char *what)
{
    (void)what;
    if (!p->quiet)
        diag1(p->env.ds, *at, D_TOO_DEEP, "200");
    p->quiet = true;
}

/* ---- constructors with a rule of their own ---- */
struct span parse__join(const struct span *rhs, size_t n)
{
    size_t first = 1, last = n;
    while (first <= n && rhs[first].at == rhs[first].end)
        first++;
    while (last >= 1 && rhs[last].at == rhs[last].end)
        last--;
    if (first > n)                                       /* nothing was written: the place behind what stands before */
        return (struct span){rhs[0].file, rhs[0].end, rhs[0].end};
    return (struct span){rhs[first].file, rhs[first].at, rhs[last].end};
}

struct ast *parse__node(struct parser *p, struct ast *n)
{
    if (n->depth <= PARSE_NESTING)
        return n;
    if (!p->quiet)
        diag_help(diag1(p->env.ds, n->at, D_TOO_DEEP, "200"), "give inner parts a name with `let` or `fn`");
    p->quiet = true;
    return ast_is_expr(n->kind) ? AST_NEW(p->env.arena, BOOL, bool, n->at, .value = false) : NULL;
}

struct ast *parse__negate(struct parser *p, struct span at, struct ast *value)
{
    if (value->kind == AST_NUMBER && AST_AS(number, value)->digits.p[0] != '-') {
        struct str d = AST_AS(number, value)->digits;
        return AST_NEW(p->env.arena, NUMBER, number, at, .digits = str_of(arena_printf(p->env.arena, "-%.*s", (int)d.n, d.p)));
    }
    return parse__node(p, AST_NEW(p->env.arena, UNARY, unary, at, .op = OP_NEG, .value = value));
}

struct ast *parse__optional(struct parser *p, struct span at, struct ast *type)
{
    (void)p;
    AST_AS(type, type)->optional = true;
    type->at = at;
    return type;
}

struct ast *parse__mode(struct parser *p, struct span at, int mode, struct ast *field)
{
    (void)p;
    if (field) {
        AST_AS(field, field)->mode = mode;
        field->at = at;
    }
    return field;
}

struct ast_name parse__one_of(struct span one, struct span of)
{
    return (struct ast_name){STR("one of"), span_join(one, of)};
}

void parse__edition(struct parser *p, struct span at, const struct ast *number)
{
    const struct ast_number *n = AST_AS(number, number);
    p->edition = str_is(n->digits, "1") ? 1 : 0;
    if (p->edition == 0)
        diag_fix(diag_help(diag1(p->env.ds, at, D_UNKNOWN_EDITION, diag_str(p->env.ds, span_text(p->env.ds->sources, number->at))), "write `mlc 1`, or use a newer compiler"), number->at, "1");
}

void parse__no_edition(struct parser *p)
{
    if (!p->quiet)
        diag_fix(diag_help(diag0(p->env.ds, parse__at(p, 0), D_NO_EDITION), "put `mlc 1` on the first line"), (struct span){p->env.src->id, 0, 0}, "mlc 1\n");
}

/* ---- keep and reject only end a chain of ?? or an arm ---- */
struct reject_walk { struct parser *p; bool allowed; };

static void check_rejects(void *ctx, struct ast *n)
{
    struct reject_walk *w = ctx;
    if ((n->kind == AST_KEEP || n->kind == AST_REJECT) && !w->allowed) {
        struct diag *d = diag1(w->p->env.ds, n->at, D_MISPLACED_REJECT, n->kind == AST_KEEP ? "keep" : "reject");
        diag_help(d, "write `value ?? %s`, or give it as the result of an arm", n->kind == AST_KEEP ? "keep" : "reject \"why\"");
    }
    if (n->kind == AST_BINARY && AST_AS(binary, n)->op == OP_ELSE) {
        check_rejects(&(struct reject_walk){w->p, false}, AST_AS(binary, n)->left);
        check_rejects(&(struct reject_walk){w->p, true}, AST_AS(binary, n)->right);
    } else if (n->kind == AST_ARM) {
        AST_EACH(c, AST_AS(arm, n)->patterns)
            check_rejects(&(struct reject_walk){w->p, false}, c);
        check_rejects(&(struct reject_walk){w->p, true}, AST_AS(arm, n)->value);
    } else {
        ast_children(n, check_rejects, &(struct reject_walk){w->p, n->kind == AST_TEST});
    }
}

struct ast_file *parse_file(const struct source *src, struct arena *a, struct diags *ds)
{
    struct parser p = {.env = {a, ds, src}};
    size_t skip = 0, before = ds->raised;
    if (check_bytes(src, ds, &skip)) {
        p.pos = skip;
        parse__read_tokens(&p);
        (void)mlc_parse(&p);                     /* faults are in ds; after "memory exhausted" items is empty */
    }
    struct span whole = place_of(src, 0, src->text.n);
    struct ast *file = AST_NEW(a, FILE, file, whole, .edition = p.edition, .items = p.items);
    check_rejects(&(struct reject_walk){&p, false}, file);
    AST_AS(file, file)->errors = (int64_t)(ds->raised - before);
    return AST_AS(file, file);
}

/* ---- --dump=tokens ---- */
static const char *token_name(int kind)
{
    switch (kind) {
#define KEYWORD(word, token) case TOK_##token: return word;
#include "dsl/keyword.def"
#undef KEYWORD
    case 0:            return "END";
    case TOK_NAME:     return "NAME";
    case TOK_ATTR:     return "ATTR";
    case TOK_TEXT:     return "TEXT";
    case TOK_NUMBER:   return "NUMBER";
    case TOK_DURATION: return "DURATION";
    case TOK_PERCENT:  return "PERCENT";
    case TOK_DATE:     return "DATE";
    case LEX_COMMENT:  return "COMMENT";
    case LEX_FOREIGN: case LEX_OPEN_TEXT: case LEX_BAD_NUMBER: case LEX_STRAY:
        return "BAD";
    default:
        return "MARK";
    }
}

void parse_dump_tokens(const struct source *src, const struct sources *all, struct buf *out)
{
    struct lexer lx;
    lex_init(&lx, src->text);
    for (;;) {
        struct token t = lex_scan(&lx);
        struct span at = place_of(src, t.at, t.end - t.at);
        struct place pl = source_place(all, at);
        buf_printf(out, "%u:%u %s", pl.line, pl.column, token_name(t.kind));
        if (t.kind && !(t.kind < 1000 && lex_keyword(span_text(all, at)))) {
            buf_byte(out, ' ');
            buf_str(out, span_text(all, at));
        }
        buf_byte(out, '\n');
        if (!t.kind)
            return;
    }
}
