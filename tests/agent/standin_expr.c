/* standin_expr.c - the few expressions of ProvideX that a reader of result sets needs.
 *
 *   bool  = cmp { (AND|OR) cmp }          AND binds tighter
 *   cmp   = text [ (= | <> | < | > | <= | >=) text ]
 *   text  = atom { + atom }               atom = NAME$ | NAME | "literal" | $hex$ | STR(NAME) | SEP */
#include "tests/agent/standin.h"
#include <stdio.h>
#include <stdlib.h>

struct atom { int column; bool number; struct str literal; };
struct cmp { unsigned from[2], n[2]; int op; bool or_before; };    /* op 0: no comparison */
struct standin_expr {
    const struct standin_table *table;
    struct atom atom[600]; unsigned natoms;
    struct cmp cmp[600]; unsigned ncmps;
    char *text;
    struct buf left, right;
};

static const char *blank(const char *p)
{
    while (*p == ' ') p++;
    return p;
}

static bool name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The atom at *p; false: none. Literals are written over the expression's own copy of the text. */
static bool atom_at(struct standin_expr *e, char **at)
{
    char *p = *at, *out;
    struct atom *a = &e->atom[e->natoms];
    *a = (struct atom){-1, false, {"", 0}};
    if (e->natoms == 599) return false;
    if (*p == '"') {
        for (out = ++p; *p && *p != '"'; p++) {}
        a->literal = (struct str){out, (size_t)(p - out)};
        if (*p++ != '"') return false;
    } else if (*p == '$') {
        char *w = out = ++p;
        for (; digit(p[0]) >= 0 && digit(p[1]) >= 0; p += 2) *w++ = (char)(digit(p[0]) * 16 + digit(p[1]));
        a->literal = (struct str){out, (size_t)(w - out)};
        if (*p++ != '$') return false;
    } else {
        bool str = strncmp(p, "STR(", 4) == 0;
        if (str) p += 4;
        for (out = p; name_char(*p); p++) {}
        struct str name = {out, (size_t)(p - out)};
        if (!str && str_is(name, "SEP")) a->literal = STR("\x8a");
        else {
            a->column = standin__column(e->table, name);
            if (a->column < 0) return false;
            a->number = !e->table->text[a->column];
            if (a->number != str) return false;
            if (str ? *p++ != ')' : *p++ != '$') return false;
        }
    }
    e->natoms++;
    *at = p;
    return true;
}

static bool text_at(struct standin_expr *e, char **at, unsigned *from, unsigned *n)
{
    char *p = *at;
    *from = e->natoms;
    for (;;) {
        p = (char *)blank(p);
        if (!atom_at(e, &p)) return false;
        p = (char *)blank(p);
        if (*p != '+') break;
        p++;
    }
    *n = e->natoms - *from;
    *at = p;
    return true;
}

static int op_at(char **at)
{
    static const char *const ops[] = {"<=", ">=", "<>", "=", "<", ">"};
    for (int i = 0; i < 6; i++)
        if (strncmp(*at, ops[i], strlen(ops[i])) == 0) {
            *at += strlen(ops[i]);
            return i + 1;
        }
    return 0;
}

struct standin_expr *standin__compile(const struct standin_table *t, const char *text, char *error, size_t n)
{
    struct standin_expr *e = calloc(1, sizeof *e);
    size_t len = strlen(text);
    e->table = t;
    e->text = malloc(len + 1);
    memcpy(e->text, text, len + 1);
    char *p = (char *)blank(e->text);
    bool or_before = false, good = true;
    while (*p && good) {
        struct cmp *c = &e->cmp[e->ncmps++];
        c->or_before = or_before;
        good = e->ncmps < 600 && text_at(e, &p, &c->from[0], &c->n[0]);
        if (good && (c->op = op_at(&p))) good = text_at(e, &p, &c->from[1], &c->n[1]);
        if (!good || !*p) break;
        or_before = strncmp(p, "OR ", 3) == 0;
        good = or_before || strncmp(p, "AND ", 4) == 0;
        p += or_before ? 3 : 4;
    }
    if (good) return e;
    snprintf(error, n, "Error #20: syntax or unknown variable in expression near '%.40s'", p ? p : "");
    standin__expr_free(e);
    return NULL;
}

void standin__expr_free(struct standin_expr *e)
{
    if (!e) return;
    buf_free(&e->left);
    buf_free(&e->right);
    free(e->text);
    free(e);
}

/* STR(): no leading zero, no trailing zeros: 60000, .5, -12.3 */
static void put_number(struct buf *out, struct str s)
{
    const char *point = s.n ? memchr(s.p, '.', s.n) : NULL;
    while (point && s.n && s.p[s.n - 1] == '0') s.n--;
    if (point && s.n && s.p[s.n - 1] == '.') s.n--;
    if (s.n && s.p[0] == '-') {
        buf_byte(out, '-');
        s.p++, s.n--;
    }
    if (s.n > 1 && s.p[0] == '0' && s.p[1] == '.') s.p++, s.n--;
    buf_str(out, s);
}

static void put(const struct standin_expr *e, unsigned from, unsigned n, const struct standin_row *r, struct buf *out)
{
    for (unsigned i = from; i < from + n; i++) {
        const struct atom *a = &e->atom[i];
        if (a->column < 0) buf_str(out, a->literal);
        else if (a->number) put_number(out, r->cell[a->column]);
        else buf_str(out, r->cell[a->column]);
    }
}

void standin__eval(const struct standin_expr *e, const struct standin_row *r, struct buf *out)
{
    if (e->ncmps) put(e, e->cmp[0].from[0], e->cmp[0].n[0], r, out);
}

static bool compare(struct standin_expr *e, const struct cmp *c, const struct standin_row *r)
{
    buf_clear(&e->left);
    buf_clear(&e->right);
    put(e, c->from[0], c->n[0], r, &e->left);
    put(e, c->from[1], c->n[1], r, &e->right);
    int d = str_cmp(buf_view(&e->left), buf_view(&e->right));
    switch (c->op) {
    case 1: return d <= 0;
    case 2: return d >= 0;
    case 3: return d != 0;
    case 4: return d == 0;
    case 5: return d < 0;
    default: return d > 0;
    }
}

bool standin__holds(const struct standin_expr *expr, const struct standin_row *r)
{
    struct standin_expr *e = (struct standin_expr *)expr;     /* its scratch texts only */
    bool all = true;
    if (e->ncmps == 0) return true;
    for (unsigned i = 0; i < e->ncmps; i++) {
        if (e->cmp[i].or_before) {
            if (all) return true;
            all = true;
        }
        all = all && compare(e, &e->cmp[i], r);
    }
    return all;
}
