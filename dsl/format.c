/* format.c - lays a spec out again, token by token.
 *
 *   source -parse_file-> tree (where do items begin?) ; source -lex_scan-> tokens with comments
 *   -> mark items, pair braces, choose inline or several lines for each block -> lines -> text
 *
 * Canonical: the result depends on the tokens, on where comments and blank lines (at most one) stand, and on one wish of the writer: a
 * block whose first item stands on the line of its { stays on one line when it fits. Everything else is decided here, so a second run
 * finds nothing to do. Rules: two blanks a level; `=`, `=>` and the types of columns aligned in a block; arms end in commas, argument
 * lists do not; backticks only where needed; long lines break in front of operators and behind commas. */
#include "dsl/format.h"
#include "base/check.h"
#include "dsl/format_lines.h"
#include "dsl/lex.h"
#include "dsl/parse.h"
#include "parser.tab.h"

#define INDENT 2
#define ALIGN_MAX 40                   /* longer names do not push the others */

struct ftoken {
    struct token t;
    struct str text;                   /* as it is written out */
    uint8_t item;                      /* kind of the item that begins here + 1, or 0 */
    bool tight;                        /* inside the arguments of a type: decimal(13,2) */
    bool dropped;                      /* a comma that the layout writes itself, or leaves out */
    bool unary;                        /* a minus sign */
    uint32_t pair;                     /* { and }: the other one */
    bool multi;                        /* { and }: the block takes several lines */
    bool arms;                         /* { and }: holds arms */
    uint32_t depth;                    /* of ( and [ since the { around */
};
struct formatter {
    struct arena *arena;
    const struct source *src;
    struct ftoken *tok; size_t n;      /* the last one is the end of the file */
    uint8_t *item_at;                  /* per byte of the source: kind + 1 of the item that begins there */
    bool *tight_at;
    struct format_lines lines;
};

/* ---- where items begin, from the tree ---- */
static bool is_item(enum ast_kind k)
{
    switch (k) {
    case AST_SPEC: case AST_IMPORT: case AST_IMPORT_FILE: case AST_SYSTEM: case AST_SIDE: case AST_COLUMN_GROUP: case AST_ENDPOINT: case AST_SETTING: case AST_SETTING_GROUP:
    case AST_QUOTA: case AST_ENTITY: case AST_EXTEND: case AST_COLUMN: case AST_TABLE: case AST_TABLE_FILE: case AST_ARM: case AST_FN: case AST_FLOW:
    case AST_EVERY: case AST_REREAD: case AST_KEY: case AST_LINE_KEY: case AST_ADOPT: case AST_WHEN: case AST_ON: case AST_FUSE: case AST_GUARD:
    case AST_TRIGGER: case AST_MOVED: case AST_LET: case AST_FIELD: case AST_ASSIGN: case AST_ROW: case AST_TEST:
        return true;
    default:
        return false;
    }
}

static void mark_items(void *ctx, struct ast *n)
{
    struct formatter *f = ctx;
    if (is_item((enum ast_kind)n->kind))
        f->item_at[n->at.at] = (uint8_t)(n->kind + 1);
    if (n->kind == AST_TYPE)
        for (uint32_t i = n->at.at; i < n->at.end; i++)
            f->tight_at[i] = true;
    ast_children(n, mark_items, f);
}

/* ---- tokens ---- */
static struct str written(const struct formatter *f, const struct token *t)
{
    struct str s = {f->src->text.p + t->at, t->end - t->at};
    struct str inner = {s.p + 1, s.n >= 2 ? s.n - 2 : 0};
    if (t->kind == TOK_NAME && s.p[0] == '`' && lex_plain_name(inner))
        return inner;
    return s;
}

static void read_tokens(struct formatter *f)
{
    struct lexer lx;
    size_t cap = f->src->text.n / 3 + 64;
    lex_init(&lx, f->src->text);
    if (f->src->text.n >= 3 && memcmp(f->src->text.p, "\xef\xbb\xbf", 3) == 0)
        lx.cursor += 3;
    f->tok = ARENA_ARRAY(f->arena, struct ftoken, cap);
    for (;;) {
        if (f->n == cap) {
            struct ftoken *more = ARENA_ARRAY(f->arena, struct ftoken, cap * 2);
            memcpy(more, f->tok, f->n * sizeof *more);
            f->tok = more;
            cap *= 2;
        }
        struct token t = lex_scan(&lx);
        struct ftoken *k = &f->tok[f->n++];
        *k = (struct ftoken){.t = t, .text = written(f, &t)};
        if (t.kind == 0)
            return;
        k->item = t.kind == LEX_COMMENT ? 0 : t.kind == TOK_MLC ? AST_SPEC + 1 : f->item_at[t.at];
        if (t.kind == TOK_GIVEN || t.kind == TOK_EXPECT)
            k->item = AST_TEST + 1;
        k->tight = f->tight_at[t.at];
    }
}

static size_t next_code(const struct formatter *f, size_t i)
{
    for (i++; f->tok[i].t.kind == LEX_COMMENT || f->tok[i].dropped; i++)
        continue;
    return i;
}

/* The code token in front of i, or SIZE_MAX. */
static size_t code_before(const struct formatter *f, size_t i)
{
    while (i-- > 0)
        if (f->tok[i].t.kind != LEX_COMMENT && !f->tok[i].dropped)
            return i;
    return SIZE_MAX;
}

static bool ends_operand(int k)
{
    return k == TOK_NAME || k == ')' || k == ']' || k == '}' || k == TOK_TEXT || k == TOK_NUMBER || k == TOK_DATE || k == TOK_TRUE || k == TOK_FALSE ||
           k == TOK_NULL || k == TOK_KEEP;
}

/* Pairs braces, counts brackets, finds signs, arms and commas that the layout writes itself. */
static void pair_braces(struct formatter *f)
{
    uint32_t open[PARSE_NESTING + 1], depth[PARSE_NESTING + 1];
    size_t n = 0;
    depth[0] = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct ftoken *k = &f->tok[i];
        if (k->t.kind == '}') {
            ASSERT(n > 0);
            k->pair = open[--n];
            f->tok[k->pair].pair = (uint32_t)i;
            k->arms = f->tok[k->pair].arms;
        }
        if (k->t.kind == ')' || k->t.kind == ']')
            depth[n]--;
        k->depth = depth[n];
        size_t before = code_before(f, i);
        if (k->t.kind == '-')
            k->unary = before == SIZE_MAX || !ends_operand(f->tok[before].t.kind);
        if (k->t.kind == ',' && ((n > 0 && k->depth == 0 && f->tok[open[n - 1]].arms) || f->tok[next_code(f, i)].t.kind == ')'))
            k->dropped = true;
        if (k->t.kind == '(' || k->t.kind == '[')
            depth[n]++;
        if (k->t.kind == '{') {
            k->arms = f->tok[next_code(f, i)].item == AST_ARM + 1;
            ASSERT(n < PARSE_NESTING);
            open[n++] = (uint32_t)i;
            depth[n] = 0;
        }
    }
}

/* ---- what stands between two tokens of one line ---- */
static struct str gap(const struct formatter *f, size_t a, size_t b)
{
    static const struct str none = {"", 0}, one = {" ", 1}, two = {"  ", 2};
    const struct ftoken *x = &f->tok[a], *y = &f->tok[b];
    int k = x->t.kind, m = y->t.kind;
    if (y->item && y->item != AST_ARM + 1 && k != '{')
        return two;
    if (k == '(' || k == '[' || k == '.' || m == '.' || k == TOK_DOTDOT || m == TOK_DOTDOT || m == ')' || m == ']' || m == ',' || m == ':' || m == '?')
        return none;
    if ((m == '(' || m == '[') && (k == TOK_NAME || k == TOK_ATTR || k == TOK_OF))
        return none;
    if (x->unary || (k == ',' && y->tight && m == TOK_NUMBER) || (k == '{' && m == '}'))
        return none;
    return one;
}

static bool in_block_of_arms(const struct formatter *f, size_t b)
{
    return f->tok[b].item == AST_ARM + 1;
}

/* Characters of tokens a..b on one line, inner blocks inline. */
static uint32_t flat_width(const struct formatter *f, size_t a, size_t b)
{
    uint32_t w = 0;
    size_t last = SIZE_MAX;
    for (size_t i = a; i <= b; i++) {
        if (f->tok[i].t.kind == LEX_COMMENT || f->tok[i].dropped)
            continue;
        if (last != SIZE_MAX)
            w += (uint32_t)gap(f, last, i).n + (in_block_of_arms(f, i) && f->tok[last].t.kind != '{');
        w += (uint32_t)str_codepoints(f->tok[i].text);
        last = i;
    }
    return w;
}

/* ---- inline or several lines ---- */
static bool wished_inline(const struct formatter *f, size_t open)
{
    for (size_t i = open + 1; i < f->tok[open].pair; i++)
        if (f->tok[i].t.kind == LEX_COMMENT || (f->tok[i].t.kind == '{' && f->tok[i + 1].t.line_start))
            return false;
    return f->tok[open].pair == open + 1 || !f->tok[open + 1].t.line_start;
}

/* From the outside in: a block on one line makes all inside it inline. */
static void choose_blocks(struct formatter *f)
{
    size_t item = 0;
    uint32_t indent = 0, inline_end = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct ftoken *k = &f->tok[i];
        if (k->item && i >= inline_end)
            item = i;
        if (k->t.kind == '{' && i >= inline_end) {
            k->multi = !wished_inline(f, i) || indent + flat_width(f, item, k->pair) > FORMAT_WIDTH;
            f->tok[k->pair].multi = k->multi;
            if (k->multi)
                indent += INDENT;
            else
                inline_end = k->pair;
        }
        if (k->t.kind == '}' && k->multi)
            indent -= INDENT;
    }
}

/* ---- alignment ---- */
/* The token of an item that stands in a column: = of a line with a value, : of a column, => of an arm; 0 = none. */
static size_t aligned_token(const struct formatter *f, size_t item)
{
    int what;
    switch (f->tok[item].item - 1) {
    case AST_FIELD: case AST_LET: case AST_SETTING: case AST_ASSIGN: case AST_KEY: what = '='; break;
    case AST_COLUMN: what = ':'; break;
    case AST_ARM:    what = TOK_ARROW; break;
    default:         return 0;
    }
    uint32_t depth = f->tok[item].depth;
    for (size_t i = item; i < f->n && (i == item || !f->tok[i].item) && f->tok[i].t.kind != '{' && f->tok[i].t.kind != '}'; i++)
        if (f->tok[i].t.kind == what && f->tok[i].depth == depth)
            return i;
    return 0;
}

/* The widest text in front of the aligned tokens of a block. */
static uint32_t alignment(const struct formatter *f, size_t open)
{
    uint32_t widest = 0;
    for (size_t i = open + 1; i < f->tok[open].pair; i++) {
        if (f->tok[i].t.kind == '{')
            i = f->tok[i].pair;
        size_t at = f->tok[i].item ? aligned_token(f, i) : 0;
        uint32_t w = at ? flat_width(f, i, at - 1) : 0;
        if (w > widest && w <= ALIGN_MAX + (f->tok[i].item == AST_ARM + 1 ? 20 : 0))
            widest = w;
    }
    return widest;
}

/* ---- breaking long lines ---- */
static bool may_break_before(const struct formatter *f, size_t last, size_t i)
{
    int k = f->tok[i].t.kind;
    bool operator = k == TOK_OR || k == TOK_AND || k == TOK_OTHERWISE || k == '+' || k == '*' || k == '/' || (k == '-' && !f->tok[i].unary);
    return operator || (f->tok[last].t.kind == ',' && !(f->tok[i].tight && k == TOK_NUMBER));
}

/* Characters from token i to the next place where the line may break or must end. */
static uint32_t chunk_width(const struct formatter *f, size_t i)
{
    size_t last = i, end = i;
    for (size_t j = next_code(f, i); f->tok[end].t.kind != 0 && !(f->tok[end].t.kind == '{' && f->tok[end].multi); j = next_code(f, j)) {
        if (f->tok[j].t.kind == 0 || f->tok[j].item || f->tok[j].t.kind == '}' || may_break_before(f, last, j))
            break;
        last = end = j;
    }
    return flat_width(f, i, end);
}

/* ---- output ---- */
struct level { uint32_t indent, align; bool fresh; };        /* of a block on several lines; fresh: nothing stands in it yet */
struct layout {
    struct formatter *f;
    struct level level[PARSE_NESTING + 2]; size_t depth;
    size_t last;                       /* the code token written last, or SIZE_MAX */
    size_t item;                       /* where the item began that is being written */
    size_t column_token;               /* its aligned token */
    uint32_t item_indent;
    bool must_break;                   /* a comment ended the line */
    uint32_t inline_end;               /* inside an inline block up to this token */
};

static bool blank_line_before(const struct formatter *f, size_t i)
{
    size_t from = i ? f->tok[i - 1].t.end : 0, newlines = 0;
    for (size_t p = from; p < f->tok[i].t.at; p++)
        newlines += f->src->text.p[p] == '\n';
    return i > 0 && newlines >= 2;
}

static void own_line(struct layout *l, size_t i, uint32_t indent, bool keep_blank)
{
    struct level *v = &l->level[l->depth];
    if (keep_blank && !v->fresh && blank_line_before(l->f, i))
        format__blank(&l->f->lines);
    format__begin(&l->f->lines, indent);
    v->fresh = false;
    l->must_break = false;
}

static void put_comment(struct layout *l, size_t i)
{
    struct formatter *f = l->f;
    if (!f->tok[i].t.line_start && l->last != SIZE_MAX && f->lines.open && !f->lines.comment.n) {
        f->lines.comment = f->tok[i].text;
        l->must_break = true;
        return;
    }
    const struct ftoken *next = &f->tok[next_code(f, i)];
    bool between = next->item || next->t.kind == 0 || (next->t.kind == '}' && next->multi);
    own_line(l, i, between ? l->level[l->depth].indent : l->item_indent + 2 * INDENT, between);
    format__put(&f->lines, f->tok[i].text);
    format__end(&f->lines);
    l->must_break = true;
}

static void begin_item(struct layout *l, size_t i)
{
    own_line(l, i, l->level[l->depth].indent, true);
    l->item = i;
    l->item_indent = l->level[l->depth].indent;
    l->column_token = l->level[l->depth].align ? aligned_token(l->f, i) : 0;
}

static void close_block(struct layout *l, size_t i)
{
    ASSERT(l->depth > 0);
    l->depth--;
    own_line(l, i, l->level[l->depth + 1].indent - INDENT, false);
    l->item_indent = l->level[l->depth + 1].indent - INDENT;
    l->column_token = 0;
}

/* The = of a fn whose whole text does not fit ends its line. */
static bool fn_breaks_here(const struct layout *l, size_t i)
{
    const struct formatter *f = l->f;
    if (f->tok[l->item].item != AST_FN + 1 || f->tok[l->last].t.kind != '=' || f->tok[l->last].depth)
        return false;
    size_t end = i;
    for (size_t j = i; !f->tok[j].item && f->tok[j].t.kind != 0; j = next_code(f, j))
        end = j;
    return flat_width(f, l->item, end) > FORMAT_WIDTH;
}

static void go_on(struct layout *l, size_t i)
{
    struct formatter *f = l->f;
    struct str between = gap(f, l->last, i);
    bool inside = i < l->inline_end;
    if (l->must_break) {
        own_line(l, i, l->item_indent + 2 * INDENT, false);
        return;
    }
    if (in_block_of_arms(f, i) && f->tok[l->last].t.kind != '{')
        format__put(&f->lines, STR(","));
    if (fn_breaks_here(l, i)) {
        own_line(l, i, l->item_indent + INDENT, false);
        return;
    }
    if (!inside && may_break_before(f, l->last, i) && f->lines.width + between.n + chunk_width(f, i) > FORMAT_WIDTH) {
        own_line(l, i, l->item_indent + 2 * INDENT, false);
        return;
    }
    uint32_t column = l->level[l->depth].indent + l->level[l->depth].align;
    if (i == l->column_token && f->tok[i].t.kind != ':')
        format__pad(&f->lines, column);
    format__put(&f->lines, between);
    if (l->last == l->column_token && l->column_token && f->tok[l->last].t.kind == ':')
        format__pad(&f->lines, column + 2);
    if (f->tok[l->last].t.kind == TOK_GIVEN && !inside)
        format__put(&f->lines, STR(" "));              /* given and expect have different lengths */
}

static void open_block(struct layout *l, size_t i)
{
    if (!l->f->tok[i].multi) {
        if (i >= l->inline_end)
            l->inline_end = l->f->tok[i].pair;
        return;
    }
    ASSERT(l->depth <= PARSE_NESTING);
    l->level[++l->depth] = (struct level){l->item_indent + INDENT, alignment(l->f, i), true};
}

/* An arm of a block on several lines ends in a comma, whatever follows it. */
static void end_arm(struct layout *l, size_t i)
{
    const struct formatter *f = l->f;
    const struct ftoken *next = &f->tok[next_code(f, i)];
    bool block_end = next->t.kind == '}' && next->multi && next->arms;
    if (f->tok[i].t.kind != '{' && i >= l->inline_end && (next->item == AST_ARM + 1 || block_end) && l->depth > 0)
        format__put(&l->f->lines, STR(","));
}

static void put_token(struct layout *l, size_t i)
{
    struct formatter *f = l->f;
    struct ftoken *k = &f->tok[i];
    bool inside = i < l->inline_end;
    if (k->t.kind == '}' && k->multi)
        close_block(l, i);
    else if (k->item && !inside)
        begin_item(l, i);
    else
        go_on(l, i);
    format__put(&f->lines, k->text);
    l->last = i;
    if (k->t.kind == '{')
        open_block(l, i);
    end_arm(l, i);
}

bool format_source(const struct source *src, struct arena *a, struct diags *ds, struct buf *out)
{
    struct ast_file *file = parse_file(src, a, ds);
    if (file->errors)
        return false;
    struct formatter f = {.arena = a, .src = src, .lines = {.arena = a}};
    f.item_at = ARENA_ARRAY(a, uint8_t, src->text.n + 1);
    f.tight_at = ARENA_ARRAY(a, bool, src->text.n + 1);
    mark_items(&f, &file->base);
    read_tokens(&f);
    pair_braces(&f);
    choose_blocks(&f);
    struct layout l = {.f = &f, .last = SIZE_MAX};
    l.level[0].fresh = true;
    for (size_t i = 0; f.tok[i].t.kind != 0; i++) {
        if (f.tok[i].t.kind == LEX_COMMENT)
            put_comment(&l, i);
        else if (!f.tok[i].dropped)
            put_token(&l, i);
    }
    format__print(&f.lines, out);
    return true;
}
