/* generate.c - a whole random spec around random expressions: columns, tables, fns, lets, filter, adoption, fields. */
#include "tests/reference/generate.h"
#include <stdlib.h>

/* ---- columns ---- */

struct gtype gen_column_type(struct gen *g, const char **text)
{
    static const char *const plain[] = {"date", "datetime", "instant"};
    struct gtype t = {.kind = G_BOOL};
    unsigned how = gen_pick(g, 14), n = 1 + gen_pick(g, 12), s = gen_pick(g, 5);
    if (how < 4) {
        t = gen_text(gen_pick(g, 3) ? 1 : 1 + gen_pick(g, n), n);
        *text = t.min == 1 && gen_pick(g, 2) ? gen_print(g, "text(%u)", n) : gen_print(g, "text(%u..%u)", t.min, n);
    } else if (how < 8) {
        unsigned digits = s + 1 + gen_pick(g, how == 7 ? 20 : 6);
        t = gen_number(digits, s);
        *text = s ? gen_print(g, "decimal(%u,%u)", digits, s) : gen_print(g, "number(%u)", digits);
    } else if (how == 8) {
        t = gen_text(1, 3);
        t.nset = 3;
        memcpy(t.set, (const char *[]){"a", "b", "Zed"}, 3 * sizeof *t.set);
        *text = "one of(\"a\", \"b\", \"Zed\")";
    } else if (how < 11) *text = gen_pick(g, 2) ? "bool" : "bool(\"Y\", \"N\")";
    else {
        t.kind = (enum gkind)(G_DAY + how - 11);
        *text = plain[how - 11];
    }
    return t;
}

const char *gen_default(struct gen *g, const struct gtype *t)
{
    if (t->kind == G_BOOL) return "false";
    if (t->kind == G_NUM) return gen_pick(g, 2) ? "0" : "1";
    if (t->nset) return "\"b\"";
    if (t->kind == G_TEXT) return t->min == 1 ? "\"T\"" : NULL;
    return t->kind == G_DAY ? "2026-03-12" : NULL;
}

void gen_name(struct gen *g, const char *name, struct gtype t, bool rejects)
{
    if (g->nnames < sizeof g->names / sizeof *g->names) g->names[g->nnames++] = (struct gname){name, t, false, rejects};
}

/* parts: columns of the key. */
static void columns(struct gen *g, struct buf *out, unsigned parts, bool lines)
{
    static const char *const more[] = {"", "  key No2: number(3)\n", "  key No2: date\n"};
    buf_printf(out, "entity feed.Rows {\n  key No: text(1..20)\n%s", more[parts > 1 ? 1 + gen_pick(g, 2) : 0]);
    g->columns = true;
    for (unsigned i = 0, n = 4 + gen_pick(g, 9); i < n; i++) {
        const char *text, *fallback = NULL, *name = gen_print(g, "C%u", i);
        struct gtype t = gen_column_type(g, &text);
        unsigned how = gen_pick(g, 6);
        t.optional = how < 3;
        if (how == 3) fallback = gen_default(g, &t);
        buf_printf(out, "  %s: %s%s%s%s\n", name, text, t.optional ? "?" : "", fallback ? " = " : "", fallback ? fallback : "");
        gen_name(g, name, t, false);
    }
    for (const struct gen_word *w = gen_words; w->column; w++) {
        struct gtype t = gen_text(1, w->max);
        buf_printf(out, "  %s: text(%u)?\n", w->column, w->max);
        t.optional = true;
        gen_name(g, w->column, t, false);
    }
    buf_puts(out, lines ? "  Lines: lines(Sub)\n}\n" : "}\n");
}

/* ---- tables ---- */

static void table(struct gen *g, struct buf *out)
{
    struct gtable *t = &g->tables[g->ntables];
    enum gkind k = gen_pick(g, 2) ? G_TEXT : (enum gkind)gen_pick(g, G_KINDS);
    struct gx sum = {.s = NULL};
    bool null = false;
    t->name = gen_print(g, "t%u", g->ntables);
    buf_printf(out, "table %s { ", t->name);
    unsigned total = gen_count(gen_texts), at = gen_pick(g, total);
    for (unsigned i = 0, n = 1 + gen_pick(g, 4); i < n; i++) {
        struct gx v = gen_constant(g, k);
        buf_puts(out, gen_quoted(g, gen_texts[(at += 1 + gen_pick(g, 2)) % total]));
        if (gen_pick(g, 5) == 0) buf_printf(out, " | %s", gen_quoted(g, gen_texts[++at % total]));
        if (i > 0 && gen_pick(g, 6) == 0) {
            null = true;
            v.s = "null";
        } else if (sum.s == NULL) sum = v;
        else if (!gen_join(&sum.t, &v.t, &sum.t)) v = sum;
        buf_printf(out, " => %s, ", v.s);
    }
    bool other = gen_pick(g, 2);
    if (other) {
        struct gx v = gen_constant(g, k);
        bool nothing = gen_pick(g, 5) == 0 || !gen_join(&sum.t, &v.t, &sum.t);
        buf_printf(out, "else => %s ", nothing ? "null" : v.s);
        null |= nothing;
    }
    buf_puts(out, "}\n");
    t->value = sum.t;
    t->value.optional = null || !other;
    g->ntables++;
}

static void table_of_file(struct gen *g, struct buf *out, struct buf *csv)
{
    struct gtype t = gen_text(1, 5);
    bool other = gen_pick(g, 2);
    buf_printf(out, "table tc from \"t.csv\" (%s%s)\n", gen_pick(g, 2) ? "code => word" : "code => `two words`", other ? ", else => \"rest\"" : "");
    buf_puts(csv, out->p && memmem(out->p, out->n, "`two words`", 11) ? "two words,code\none,a\ntwo,b\n,x\n\xc3\xa9t\xc3\xa9,Zed\n"
                                                                       : "code,word\na,one\nb,two\nx,\nZed,\xc3\xa9t\xc3\xa9\n");
    t.nset = other ? 4 : 3;
    memcpy(t.set, (const char *[]){"one", "two", "\xc3\xa9t\xc3\xa9", "rest"}, 4 * sizeof *t.set);
    t.min = 3;
    t.max = other ? 4 : 3;
    t.optional = true;
    g->tables[g->ntables++] = (struct gtable){"tc", t};
}

/* ---- fns: generated with their parameters as the only names ---- */

static void fn(struct gen *g, struct buf *out)
{
    static const char *const names[] = {"p", "q", "r"};
    struct gen *outer = ARENA_NEW(&g->arena, struct gen);
    struct gfn *f = &g->fns[g->nfns];
    *outer = *g;
    g->nnames = 0;
    g->columns = false;
    f->n = 1 + gen_pick(g, 3);
    f->name = gen_print(g, "f%u", g->nfns);
    buf_printf(out, "fn %s(", f->name);
    for (unsigned i = 0; i < f->n; i++) {
        struct gtype t = {.kind = (enum gkind)gen_pick(g, G_KINDS)};
        const char *text;
        if (t.kind == G_NUM) t = gen_number(10, gen_pick(g, 4));
        if (t.kind == G_TEXT) t = gen_text(1, 20);
        gen_declare(g, &t, 38, &text);
        t.optional = gen_pick(g, 2);
        f->params[i] = t;
        buf_printf(out, "%s%s: %s%s", i ? ", " : "", names[i], text, t.optional ? "?" : "");
        gen_name(g, names[i], t, false);
    }
    struct gx body = gen_expr(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (gen_pick(g, 4) ? 0 : G_REJECT), 3);
    buf_printf(out, ") = %s\n", body.s);
    f->result = body.t;
    f->rejects = body.rejects;
    memcpy(g->names, outer->names, sizeof g->names);
    g->nnames = outer->nnames;
    g->columns = true;
    g->nfns++;
}

/* ---- the flow ---- */

void gen_let(struct gen *g, struct gclauses *out, const struct gx *x)
{
    const char *name = gen_print(g, "v%u", g->nlets++);
    out->line[out->n++] = gen_print(g, "let %s = %s", name, x->s);
    gen_name(g, name, x->t, x->rejects);
}

static void link(struct gen *g, struct buf *module, struct gclauses *out, const char *mode, const char *name)
{
    struct gx x = gen_expr(g, G_TEXT, G_OPT | G_REJECT, 2), y = gen_expr(g, G_TEXT, G_OPT | G_REJECT, 2), z = gen_expr(g, G_NUM, G_OPT | G_REJECT, 2);
    unsigned how = gen_pick(g, 3);
    buf_printf(module, "  %s: link(Others)\n", name);
    if (how == 0) x.s = gen_print(g, "ref parents(%s, %s)", x.s, y.s);
    else if (how == 1) x.s = gen_print(g, "find out.Others(Code = %s, Size = %s, Name = %s)", x.s, z.s, y.s);
    else x.s = gen_print(g, "find out.Others(Code = %s)", x.s);
    out->line[out->n++] = gen_print(g, "%s%s = %s", mode, name, x.s);
}

void gen_field(struct gen *g, struct buf *module, struct gclauses *out, const char *name, bool line)
{
    static const char *const modes[] = {"", "", "", "once ", "fill "};
    const char *mode = modes[line ? 0 : gen_pick(g, 5)], *type;
    if (gen_pick(g, 9) == 0) {
        link(g, module, out, mode, name);
        return;
    }
    struct gx x = gen_expr(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (line ? 0u : G_TAIL) | G_REJECT, line ? 3 : 4);
    if (!gen_declare(g, &x.t, 15, &type)) {
        /* wider than a target's number: as a text */
        x = gen_expr(g, G_NUM, G_REJECT, 3);
        gen_let(g, out, &x);
        x.s = gen_print(g, "\"{v%u}\"", g->nlets - 1);
        x.t = gen_as_text(&x.t);
        gen_declare(g, &x.t, 15, &type);
    }
    bool required = !g->into && !x.t.optional && strcmp(mode, "fill ") != 0 && gen_pick(g, 2);
    buf_printf(module, "  %s: %s%s\n", name, type, required ? " @required" : "");
    out->line[out->n++] = gen_print(g, "%s%s = %s", mode, name, x.s);
}

/* Lines in any order; a line says everything about itself. */
void gen_shuffled(struct gen *g, struct buf *out, struct gclauses *l, const char *indent)
{
    for (unsigned i = l->n; i > 1; i--) {
        unsigned k = gen_pick(g, i);
        const char *t = l->line[k];
        l->line[k] = l->line[i - 1];
        l->line[i - 1] = t;
    }
    for (unsigned i = 0; i < l->n; i++) buf_printf(out, "%s%s\n", indent, l->line[i]);
}

static void filter(struct gen *g, struct gclauses *body)
{
    unsigned i = gen_pick(g, g->nnames);
    bool teaches = gen_pick(g, 3) == 0 && g->names[i].t.optional && !g->names[i].rejects;
    struct gx x = gen_expr(g, G_BOOL, 0, 3);
    body->line[body->n++] = teaches ? gen_print(g, "when %s != null or %s == null", g->names[i].name, g->names[i].name) : gen_print(g, "when %s", x.s);
    if (!teaches || gen_pick(g, 2)) return;
    body->line[body->n - 1] = gen_print(g, "when %s != null", g->names[i].name);
    g->names[i].known = true;
}

/* What kind of flow it is: parts of its key, lines, a key of its own, into another's records. */
struct gshape { unsigned parts; bool lines, own_key, into; };

static const char *into_args(struct gen *g)
{
    struct gx x = gen_expr(g, G_TEXT, G_OPT | G_REJECT, 2), y = gen_expr(g, G_TEXT, G_OPT | G_REJECT, 2);
    return gen_print(g, "%s, %s", x.s, y.s);
}

static void flow(struct gen *g, struct buf *spec, const struct gshape *shape)
{
    struct buf module = {0}, items = {0};
    struct gclauses body = {.n = 0};
    unsigned columns = g->nnames;
    for (unsigned i = 0, n = gen_pick(g, 4); i < n; i++) {
        struct gx x = gen_expr(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (gen_pick(g, 3) ? 0 : G_REJECT), 3);
        gen_let(g, &body, &x);
    }
    if (gen_pick(g, 3) == 0 && !shape->into) {
        struct gx x = gen_expr(g, G_TEXT, G_OPT, 2);
        body.line[body.n++] = gen_print(g, "adopt by Label == %s", x.s);
    }
    if (gen_pick(g, 2)) filter(g, &body);
    unsigned all = g->nnames;
    g->nnames = shape->into ? columns : all;             /* keys of an `into` stand in front of the flow's lets */
    const char *args = shape->into ? into_args(g) : NULL;
    g->nnames = all;
    const char *key = shape->own_key ? gen_own_key(g, shape->parts, &body) : "";
    for (unsigned i = 0, n = (shape->lines ? 0 : 1) + gen_pick(g, 5); i < n; i++) gen_field(g, &module, &body, gen_print(g, "F%u", i), shape->into);
    for (unsigned i = 0, n = shape->lines ? 1 + gen_pick(g, 2) : 0; i < n; i++) gen_lines(g, &module, &items, &body, i);
    if (gen_pick(g, 3) == 0) gen_events(g, &module, &body);
    buf_str(spec, buf_view(&items));
    buf_printf(spec, "entity out.Records {\n  Key: text(%u) @unique\n  Label: text(100)?\n%.*s}\n", shape->into ? 40000 : 90, (int)module.n, module.p ? module.p : "");
    if (shape->into) buf_printf(spec, "flow f from feed.Rows into base(%s) {\n  every 1h\n", args);
    else buf_printf(spec, "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key%s\n", key);
    gen_shuffled(g, spec, &body, "  ");
    buf_puts(spec, "}\n");
    if (shape->into) buf_puts(spec, "flow base from feed.Bases to out.Records { every 1h  key Key  Label = Name }\n");
    buf_free(&module);
    buf_free(&items);
}

void generate(uint64_t seed, struct buf *spec, struct buf *csv)
{
    struct gen *g = calloc(1, sizeof *g);
    if (g == NULL) return;
    g->rng = seed * UINT64_C(0x2545f4914f6cdd1d);
    arena_init(&g->arena, 0);
    struct gshape shape = {.parts = gen_pick(g, 4) ? 1 : 2, .lines = gen_pick(g, 4) == 0, .own_key = gen_pick(g, 6) == 0, .into = gen_pick(g, 8) == 0};
    g->into = shape.into;
    if (shape.into) shape.own_key = shape.lines = false;
    buf_puts(spec, "mlc 1\nspec \"random\"\nimport file\nsource feed: file { path = \"in\"  timezone = \"America/New_York\" }\ntarget out: file { path = \"out\" }\n"
                   "entity out.Others { Code: text(65535) @unique  Name: text(65535)  Size: decimal(38,12) }\n"
                   "entity feed.Parents { key A: text(1..9000)  key B: text(1..9000)  Name: text(5)? }\n");
    if (shape.into) buf_puts(spec, "entity feed.Bases { key A: text(1..9000)  key B: text(1..9000)  Name: text(5)? }\n");
    if (shape.lines) gen_line_table(g, spec);
    columns(g, spec, shape.parts, shape.lines);
    for (unsigned n = gen_pick(g, 3); n > 0; n--) table(g, spec);
    if (gen_pick(g, 4) == 0) table_of_file(g, spec, csv);
    for (unsigned n = gen_pick(g, 3); n > 0; n--) fn(g, spec);
    flow(g, spec, &shape);
    buf_puts(spec, "flow parents from feed.Parents to out.Others { every 1h  key Code  Name = Name }\n");
    arena_free(&g->arena);
    free(g);
}
