/* lex_text.c - what a text token means: escapes, {{ and }}, holes with dotted names. One token becomes a TEXT or a TEMPLATE.
 *
 *   "Order {SalesOrderNo}, {{raw}}"   ->  TEMPLATE [ TEXT "Order ", USE SalesOrderNo, TEXT ", {raw}" ]
 *
 * Escapes: \" \\ \n \t \u{1F600}. A hole holds names parted by dots, a reserved word among them in backticks. */
#include "dsl/lex.h"

struct scan {
    const struct lex_env *e;
    struct str t;                    /* between the quotes */
    uint32_t base;                   /* byte offset of t in the source */
    size_t i;
    struct buf text;                 /* the piece being read */
    size_t text_from;
    struct ast_list parts;
    bool holes;
};

static struct span part(const struct scan *s, size_t from, size_t to)
{
    return (struct span){s->e->src->id, s->base + (uint32_t)from, s->base + (uint32_t)to};
}

static void fault(const struct scan *s, size_t from, size_t to, enum diag_code code, const char *help)
{
    struct str what = {s->t.p + from, to - from};
    diag_help(diag1(s->e->ds, part(s, from, to), code, diag_str(s->e->ds, what)), "%s", help);
}

static void end_piece(struct scan *s, size_t to)
{
    if (s->text.n) {
        struct str v = {arena_copy(s->e->arena, s->text.p, s->text.n), s->text.n};
        s->parts = ast_append(s->parts, AST_NEW(s->e->arena, TEXT, text, part(s, s->text_from, to), .value = v));
    }
    buf_clear(&s->text);
}

static void put_code_point(struct buf *b, uint32_t c)
{
    if (c < 0x80) {
        buf_byte(b, (unsigned char)c);
    } else if (c < 0x800) {
        buf_byte(b, (unsigned char)(0xc0 | c >> 6));
        buf_byte(b, (unsigned char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_byte(b, (unsigned char)(0xe0 | c >> 12));
        buf_byte(b, (unsigned char)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (unsigned char)(0x80 | (c & 0x3f)));
    } else {
        buf_byte(b, (unsigned char)(0xf0 | c >> 18));
        buf_byte(b, (unsigned char)(0x80 | (c >> 12 & 0x3f)));
        buf_byte(b, (unsigned char)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(b, (unsigned char)(0x80 | (c & 0x3f)));
    }
}

/* \u{hex}: s->i stands on the u. */
static void unicode_escape(struct scan *s)
{
    size_t from = s->i - 1, j = s->i + 1, ndigits = 0;
    uint32_t c = 0;
    if (j < s->t.n && s->t.p[j] == '{')
        for (j++; j < s->t.n && ndigits < 7; j++, ndigits++) {
            char ch = s->t.p[j];
            uint32_t d = ch >= '0' && ch <= '9' ? (uint32_t)(ch - '0') : ch >= 'a' && ch <= 'f' ? (uint32_t)(ch - 'a' + 10)
                       : ch >= 'A' && ch <= 'F' ? (uint32_t)(ch - 'A' + 10) : 16;
            if (d == 16)
                break;
            c = c * 16 + d;
        }
    bool closed = j < s->t.n && s->t.p[j] == '}' && ndigits > 0;
    s->i = closed ? j + 1 : s->i + 1;
    if (closed && c >= 0x20 && c != 0x7f && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff))
        put_code_point(&s->text, c);
    else
        fault(s, from, s->i, D_BAD_ESCAPE, "\\u{20AC} is the sign \xe2\x82\xac: one to six hexadecimal digits of a printable character");
}

static void escape(struct scan *s)
{
    size_t from = s->i++;
    switch (s->t.p[s->i]) {                      /* the lexer saw a character behind every backslash */
    case '"':  buf_byte(&s->text, '"');  s->i++; return;
    case '\\': buf_byte(&s->text, '\\'); s->i++; return;
    case 'n':  buf_byte(&s->text, '\n'); s->i++; return;
    case 't':  buf_byte(&s->text, '\t'); s->i++; return;
    case 'u':  unicode_escape(s); return;
    default:
        s->i++;
        while (s->i < s->t.n && ((unsigned char)s->t.p[s->i] & 0xc0) == 0x80)
            s->i++;
        fault(s, from, s->i, D_BAD_ESCAPE, "escapes are \\\" \\\\ \\n \\t and \\u{hex}; write \\\\ for a backslash");
    }
}

static void skip_blanks(struct scan *s, size_t end)
{
    while (s->i < end && s->t.p[s->i] == ' ')
        s->i++;
}

/* One name of a hole, plain or in backticks; false when none stands here. */
static bool hole_name(struct scan *s, size_t end, struct ast_name *out)
{
    skip_blanks(s, end);
    size_t from = s->i;
    if (s->i < end && s->t.p[s->i] == '`') {
        for (s->i++; s->i < end && s->t.p[s->i] != '`'; s->i++)
            continue;
        if (s->i == end)
            return false;
        s->i++;
        *out = lex_name(s->e, part(s, from, s->i));
        skip_blanks(s, end);
        return true;
    }
    while (s->i < end && (s->t.p[s->i] == '_' || (s->t.p[s->i] >= '0' && s->t.p[s->i] <= '9') || (s->t.p[s->i] >= 'a' && s->t.p[s->i] <= 'z') ||
                          (s->t.p[s->i] >= 'A' && s->t.p[s->i] <= 'Z')))
        s->i++;
    struct str name = {s->t.p + from, s->i - from};
    *out = (struct ast_name){name, part(s, from, s->i)};
    if (lex_keyword(name)) {
        struct diag *d = diag1(s->e->ds, out->at, D_RESERVED_WORD, diag_str(s->e->ds, name));
        diag_help(d, "write `%.*s` between backticks", (int)name.n, name.p);
        skip_blanks(s, end);
        return true;
    }
    skip_blanks(s, end);
    return lex_plain_name(name);
}

/* {a.b.c}: s->i stands behind the brace. */
static void hole(struct scan *s)
{
    size_t from = s->i, end = from;
    while (end < s->t.n && s->t.p[end] != '}')
        end++;
    if (end == s->t.n) {
        s->i = s->t.n;
        fault(s, from - 1, from, D_LONE_BRACE, "a hole ends with }; write {{ for a brace that is meant as a character");
        return;
    }
    struct ast_name name;
    bool fine = hole_name(s, end, &name);
    struct ast *path = fine ? AST_NEW(s->e->arena, USE, use, name.at, .name = name) : NULL;
    while (fine && s->i < end && s->t.p[s->i] == '.') {
        s->i++;
        fine = hole_name(s, end, &name);
        if (fine)
            path = AST_NEW(s->e->arena, MEMBER, member, span_join(path->at, name.at), .of = path, .name = name);
        if (fine && path->depth > 50)
            fine = false;
    }
    if (fine && s->i == end)
        s->parts = ast_append(s->parts, path);
    else
        fault(s, from, end, D_BAD_HOLE, "compute it in a `let` and name that; write {{ and }} for braces that are meant as characters");
    s->i = end + 1;
}

static void brace(struct scan *s)
{
    char c = s->t.p[s->i];
    size_t from = s->i++;
    if (s->i < s->t.n && s->t.p[s->i] == c) {
        buf_byte(&s->text, (unsigned char)c);
        s->i++;
    } else if (c == '}') {
        fault(s, from, s->i, D_LONE_BRACE, "write }} for a brace that is meant as a character");
    } else {
        end_piece(s, from);
        s->holes = true;
        hole(s);
        s->text_from = s->i;
    }
}

static void plain(struct scan *s)
{
    unsigned char c = (unsigned char)s->t.p[s->i];
    if (c < 0x20 || c == 0x7f)
        fault(s, s->i, s->i + 1, D_STRAY_CHARACTER, "write \\t for a tab and \\n for a line end inside a text");
    else
        buf_byte(&s->text, c);
    s->i++;
}

struct ast *lex_text(const struct lex_env *e, struct span at)
{
    const char *p = e->src->text.p + at.at;
    bool closed = at.end - at.at >= 2 && p[at.end - at.at - 1] == p[0];
    struct scan s = {.e = e, .t = {p + 1, at.end - at.at - 1 - closed}, .base = at.at + 1};
    while (s.i < s.t.n) {
        char c = s.t.p[s.i];
        if (c == '\\' && s.i + 1 < s.t.n)
            escape(&s);
        else if (c == '{' || c == '}')
            brace(&s);
        else
            plain(&s);
    }
    struct ast *result;
    if (s.t.n == 0)
        diag_fix(diag_help(diag0(e->ds, at, D_EMPTY_TEXT), "write `null` for no value"), at, "null");
    if (s.holes) {
        end_piece(&s, s.t.n);
        result = AST_NEW(e->arena, TEMPLATE, template, at, .parts = s.parts);
    } else {
        struct str v = {arena_copy(e->arena, s.text.n ? s.text.p : "", s.text.n), s.text.n};
        result = AST_NEW(e->arena, TEXT, text, at, .value = v);
    }
    buf_free(&s.text);
    return result;
}
