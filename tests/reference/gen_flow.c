/* gen_flow.c - what a random flow has beside fields: lines with lets, filters and keys of their own, a key of one's own, events. */
#include "tests/reference/generate.h"

/* feed.Sub: rows in a row, told apart by Seq, or by Seq and Part. */
void gen_line_table(struct gen *g, struct buf *spec)
{
    g->line_key = 1 + gen_pick(g, 2);
    buf_printf(spec, "entity feed.Sub @lines_of(Rows)%s {\n  key No: text(1..20)\n  key Seq: text(1..6)\n%s", gen_pick(g, 2) ? " @most_lines(7)" : "", g->line_key == 2 ? "  key Part: number(2)\n" : "");
    for (unsigned i = 0, n = 2 + gen_pick(g, 4); i < n; i++) {
        const char *text, *fallback = NULL;
        struct gtype t = gen_column_type(g, &text);
        unsigned how = gen_pick(g, 6);
        t.optional = how < 3;
        if (how == 3) fallback = gen_default(g, &t);
        buf_printf(spec, "  L%u: %s%s%s%s\n", i, text, t.optional ? "?" : "", fallback ? " = " : "", fallback ? fallback : "");
        g->line[g->nline++] = (struct gname){gen_print(g, "line.L%u", i), t, false, false};
    }
    buf_puts(spec, "}\n");
    g->line[g->nline++] = (struct gname){"line.Seq", gen_text(1, 6), false, false};
}

static const char *line_key(struct gen *g, struct gclauses *out)
{
    static const char *const one[] = {"line.Seq", "\"{line.Seq}\"", "\"# {line.Seq}\""}, *const two[] = {"\"{line.Part}:{line.Seq}\"", "\"P{line.Part} {line.Seq}\""};
    const char *key = g->line_key == 1 ? one[gen_pick(g, 3)] : two[gen_pick(g, 2)];
    if (gen_pick(g, 3)) return key;
    const char *name = gen_print(g, "k%u", g->nlets++);
    out->line[out->n++] = gen_print(g, "let %s = %s", name, key);
    return name;
}

void gen_lines(struct gen *g, struct buf *module, struct buf *items, struct gclauses *out, unsigned i)
{
    struct gclauses body = {.n = 0};
    struct buf fields = {0}, text = {0};
    unsigned names = g->nnames, nlets = gen_pick(g, 3);
    for (unsigned k = 0; k < g->nline; k++) gen_name(g, g->line[k].name, g->line[k].t, false);
    const char *when = "";
    if (gen_pick(g, 2)) {
        struct gx x = gen_expr(g, G_BOOL, 0, 3);
        when = gen_print(g, " when %s", x.s);
    }
    for (unsigned k = 0; k < nlets; k++) {
        struct gx x = gen_expr(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (gen_pick(g, 3) ? 0 : G_REJECT), 2);
        gen_let(g, &body, &x);
    }
    for (unsigned k = 0, n = 1 + gen_pick(g, 3); k < n; k++) gen_field(g, &fields, &body, gen_print(g, "G%u", k), true);
    const char *key = line_key(g, &body);
    body.line[body.n++] = gen_print(g, "key %s", key);
    buf_printf(&text, "each line in Lines%s {\n", when);
    gen_shuffled(g, &text, &body, "    ");
    buf_puts(&text, "  }");
    bool reject = gen_pick(g, 3) == 0, keep = !reject && gen_pick(g, 4) == 0;
    if (reject) buf_puts(&text, " ?? reject \"no lines\"");
    if (keep) buf_puts(&text, " ?? keep");
    buf_printf(items, "entity out.Items%u @lines_of(Records)%s {\n%.*s}\n", i, gen_pick(g, 2) ? " @most_lines(3)" : "", (int)fields.n, fields.p);
    buf_printf(module, "  N%u: lines(Items%u)%s\n", i, i, reject ? " @required" : "");
    out->line[out->n++] = gen_print(g, "N%u = %.*s", i, (int)text.n, text.p);
    g->nnames = names;
    buf_free(&fields);
    buf_free(&text);
}

/* " = expression" of all key columns, no two alike. */
const char *gen_own_key(struct gen *g, unsigned parts, struct gclauses *out)
{
    static const char *const one[] = {"No", "\"{No}\"", "\"K-{No}\"", "\"{{{No}}}\""}, *const two[] = {"\"{No2}/{No}\"", "\"x{No2} {No}\""};
    const char *key = parts == 1 ? one[gen_pick(g, 4)] : two[gen_pick(g, 2)];
    if (gen_pick(g, 3)) return gen_print(g, " = %s", key);
    const char *name = gen_print(g, "k%u", g->nlets++);
    out->line[out->n++] = gen_print(g, "let %s = %s", name, key);
    return gen_print(g, " = %s", name);
}

void gen_events(struct gen *g, struct buf *module, struct gclauses *out)
{
    const char *sets[2] = {"", ""};
    unsigned both = gen_pick(g, 3);
    for (unsigned i = 0, n = 1 + gen_pick(g, 2); i < n; i++) {
        enum gkind k = (enum gkind)gen_pick(g, G_KINDS);
        for (unsigned e = 0; e < 2; e++) {
            struct gx x = gen_constant(g, k);
            const char *type = NULL;
            if (e == 0) {
                if (k == G_TEXT) type = "text(40)";
                else if (k == G_NUM) type = "decimal(15,3)";
                else gen_declare(g, &x.t, 15, &type);
                buf_printf(module, "  E%u: %s\n", i, type);
            }
            sets[e] = gen_print(g, "%s%sE%u = %s", sets[e], i ? "  " : "", i, gen_pick(g, 6) ? x.s : "null");
        }
    }
    if (both != 1) out->line[out->n++] = gen_print(g, "on leave set { %s }", sets[0]);
    if (both != 0) out->line[out->n++] = gen_print(g, "on delete set { %s }", sets[1]);
}
