/* diff_lines.c - two versions of what makes the lines of one field: from which list, which lines, their key, and each field of a line, compared as a
 * flow's own are; and the scopes that say whether a flow or its lines are looked at.
 *
 *   Ordered_Items = each line in Lines when line.ItemType == "1" { key line.LineKey   Quantity = line.QuantityOrdered } ?? reject "no lines"
 *                                |              filter                 |                  orders.Ordered_Items.Quantity    |
 *                                |                                     key                                                 the field's own rule
 *                                where lines come from: another list is nothing that could be compared line by line */
#include "compiler/diff/diff_private.h"

struct scope diff__scope(const struct duel *duel)
{
    const struct duel_side *s = duel->side;
    return (struct scope){.flow = {s[0].fl, s[1].fl}, .fl = {s[0].fl, s[1].fl}, .norm = {&s[0].norm, &s[1].norm}};
}

struct stake diff__stake(const struct scope *sc, enum stake_kind kind)
{
    return (struct stake){.kind = kind, .line = sc->line, .list = {sc->list[0], sc->list[1]}};
}

struct str diff__field_name(struct diff *d, const struct scope *sc, struct str field)
{
    return sc->line ? norm_line_column(d->arena, sc->field, field) : field;
}

/* Where the block of an `each` opens: the first brace before a clause, `key`, `let` or a field, and not before the arms of a match. */
static const char *block_of(const char *s)
{
    for (const char *p = strstr(s, "{ "); p != NULL; p = strstr(p + 1, "{ ")) {
        size_t n = 2;
        if (strncmp(p + 2, "key ", 4) == 0 || strncmp(p + 2, "let ", 4) == 0) return p;
        while (p[n] == '_' || p[n] == '`' || (p[n] >= '0' && p[n] <= '9') || (p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= 'a' && p[n] <= 'z')) n++;
        if (n > 2 && strncmp(p + n, " = ", 3) == 0) return p;
    }
    return NULL;
}

const char *diff__frame_text(struct diff *d, const char *text)
{
    const char *open = block_of(text), *p = open;
    int depth = 0;
    bool quoted = false;
    for (; p && *p; p++) {
        if (quoted && *p == '\\' && p[1]) p++;
        else if (*p == '"') quoted = !quoted;
        else if (!quoted && *p == '{') depth++;
        else if (!quoted && *p == '}' && --depth == 0) break;
    }
    return p && *p ? arena_printf(d->arena, "%.*s .. %s", (int)(open + 1 - text), text, p) : text;
}

/* The body of the list site that a field of one version is made by, in place of the flow. */
static void narrow(struct scope *sc, const struct duel *duel, int side, size_t field)
{
    static const struct norm_flow unknown = {.usable = false};
    const struct image_flow *fl = duel->side[side].fl;
    const struct norm_flow *n = &duel->side[side].norm;
    size_t site = fl->fields[field].lines - 1u;
    sc->fl[side] = fl->lines[site].body;
    sc->norm[side] = n->usable ? &n->lines[site] : &unknown;
    sc->list[side] = field;
}

static void other_list(struct diff *d, const struct scope *sc, struct str was, struct str is)
{
    struct diff_finding *f = diff__add(d, RULE_LINE_SOURCE, sc->flow[1]->name, sc->field, was, is);
    for (int k = 0; k < 2; k++) {
        f->text[k] = diff__text(d, k ? is : was);
        f->at[k] = diff__place_line_part(d, k, sc->flow[k], &sc->flow[k]->fields[sc->list[k]], PART_FLOW);
    }
    f->said = true;
    diff__message(d, f, "the lines are made from %s, was %s", f->text[1], f->text[0]);
}

void diff__lines(struct diff *d, struct duel *duel, size_t fa, size_t fb)
{
    struct scope sc = diff__scope(duel);
    const size_t fields[2] = {fa, fb};
    struct str from[2];
    sc.line = true;
    sc.field = sc.flow[1]->fields[fb].name;
    for (int k = 0; k < 2; k++) {
        const struct image_flow *fl = sc.flow[k];
        from[k] = fl->columns[fl->lines[fl->fields[fields[k]].lines - 1].column].name;
        narrow(&sc, duel, k, fields[k]);
    }
    if (!str_eq(from[0], from[1])) {
        other_list(d, &sc, from[0], from[1]);
        return;
    }
    diff__program(d, duel, &sc, PART_WHEN);
    diff__program(d, duel, &sc, PART_KEY);
    diff__fields(d, duel, &sc);
}
