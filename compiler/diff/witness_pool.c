/* witness_pool.c - which values of a column are worth trying: what the rules at stake compare with, one step beside it, the ends of its type, keys
 * of tables, what builtins are picky about; see witness.h. */
#include "compiler/diff/witness.h"
#include "base/check.h"
#include "value/builtin.h"
#include "value/date.h"
#include "value/json.h"

enum { MAX_POOL = 400, MAX_TEXT_TRIED = 300 };

int witness__column(const struct duel *d, struct str name)
{
    for (size_t i = 0; i < d->ncolumns; i++)
        if (str_eq(d->columns[i].name, name)) return (int)i;
    return -1;
}

unsigned witness__pick(struct duel *d, unsigned n)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return n ? (unsigned)(d->random >> 33) % n : 0;
}

bool witness__whole(const struct value *v, unsigned scale, i128 *out)
{
    struct value at;
    if (v->kind == V_DECIMAL) {
        if (!decimal_rescale(v, scale, &at)) return false;
        *out = at.u.coef;
        return true;
    }
    if (v->kind == V_BOOL) *out = v->u.b;
    else if (v->kind == V_DATE || v->kind == V_LOCAL || v->kind == V_INSTANT) *out = v->u.i;
    else return false;
    return true;
}

struct value witness__number(uint8_t base, i128 whole, unsigned scale)
{
    struct value v = value_absent;
    if (base == T_BOOL) return value_bool(whole != 0);
    if (base == T_DECIMAL) return scale <= 12 && whole < decimal_pow10(38) && whole > -decimal_pow10(38) ? value_decimal(whole, scale) : v;
    if (whole > INT64_MAX || whole < INT64_MIN) return v;
    v.kind = base == T_DATE ? V_DATE : base == T_LOCAL ? V_LOCAL : V_INSTANT;
    v.u.i = (int64_t)whole;
    if (base == T_DATE ? !date_days_valid(v.u.i) : !datetime_ms_valid(v.u.i)) return value_absent;
    return v;
}

static bool is_time(uint8_t base) { return base == T_LOCAL || base == T_INSTANT; }

/* What a source can deliver reads back as itself: no text with blanks at its end, no day that means none, no part of a second. */
static bool deliverable(const struct type *t, const struct value *v)
{
    struct value again;
    char why[160];
    struct buf b = {0};
    if (v->kind != V_TEXT && v->kind != V_DATE && !is_time(t->base)) return true;
    if (v->kind == V_ABSENT) return true;
    if (v->kind == V_TEXT) buf_str(&b, value_str(v));
    else value_json(&b, v);
    struct str s = buf_view(&b);
    if (v->kind != V_TEXT) s = (struct str){s.p + 1, s.n - 2};       /* without the quotes */
    bool same = type_read(t, s, &again, why, sizeof why) && value_equal(v, &again);
    buf_free(&b);
    return same;
}

bool witness__admits(const struct duel_column *c, const struct value *v)
{
    char why[160];
    if (witness__is_list(c)) return true;
    for (int k = 0; k < 2; k++)
        if (c->type[k] && (!type_admits(c->type[k], v, why, sizeof why) || !deliverable(c->type[k], v))) return false;
    return true;
}

static uint8_t base_of(const struct duel_column *c)
{
    return c->type[0] ? c->type[0]->base : c->type[1]->base;
}

static unsigned scale_of(const struct duel_column *c)
{
    unsigned a = c->type[0] ? c->type[0]->scale : 12, b = c->type[1] ? c->type[1]->scale : 12;
    return a < b ? a : b;
}

/* For a column whose types differ, a value of one of them is worth trying too. */
static bool of_one(const struct duel_column *c, const struct value *v)
{
    char why[160];
    if (witness__is_list(c)) return true;
    for (int k = 0; k < 2; k++)
        if (c->type[k] && type_admits(c->type[k], v, why, sizeof why) && deliverable(c->type[k], v)) return true;
    return false;
}

static void add(struct duel *d, struct duel_column *c, const struct value *v)
{
    struct pool *p = &c->pool;
    if (p->n >= MAX_POOL || !of_one(c, v)) return;
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].kind == v->kind && value_equal(&p->v[i], v)) return;
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 16;
        struct value *more = ARENA_ARRAY(d->arena, struct value, p->cap);
        if (p->n) memcpy(more, p->v, p->n * sizeof *more);
        p->v = more;
    }
    p->v[p->n++] = *v;
}

static void add_text(struct duel *d, struct duel_column *c, struct str s)
{
    struct value v = value_text((struct str){arena_copy(d->arena, s.p, s.n), s.n});
    if (s.n && base_of(c) == T_TEXT) add(d, c, &v);
}

static void add_number(struct duel *d, struct duel_column *c, i128 whole, unsigned scale)
{
    struct value v = witness__number(base_of(c), whole, scale);
    if (base_of(c) != T_TEXT && value_present(&v)) add(d, c, &v);
}

/* A number, and one unit of the column's scale above and below; of times a second. */
static void add_around(struct duel *d, struct duel_column *c, i128 whole, unsigned scale)
{
    struct value at = value_decimal(whole, scale);
    i128 own = whole;
    if (base_of(c) == T_DECIMAL) {
        if (scale > 12 || !(decimal_rescale(&at, scale_of(c), &at) || decimal_round(&at, scale_of(c), &at))) return;
        own = at.u.coef;
    }
    i128 unit = is_time(base_of(c)) ? 1000 : 1;
    if (unit > 1) own -= own % unit;
    for (int k = -1; k <= 1; k++) add_number(d, c, own + k * unit, scale_of(c));
}

/* n characters, so that it shows where one is cut off. */
static void add_long(struct duel *d, struct duel_column *c, size_t n)
{
    static const char digits[] = "1234567890";
    char text[MAX_TEXT_TRIED];
    if (n == 0 || n > sizeof text) return;
    for (size_t i = 0; i < n; i++) text[i] = digits[i % 10];
    add_text(d, c, (struct str){text, n});
}

/* ---- from the type alone ---- */

static void add_of_type(struct duel *d, struct duel_column *c, const struct type *t)
{
    static const i128 wholes[] = {0, 1, -1, 2, 5, 10, 49, 50, 100, 1000, 12345};
    for (unsigned i = 0; i < t->nset && i < 100; i++) add_text(d, c, t->set[i]);
    switch ((enum type_base)t->base) {
    case T_TEXT:
        add_long(d, c, t->min_len);
        add_long(d, c, t->max_len);
        add_long(d, c, (size_t)t->max_len + 1);
        add_text(d, c, STR("A"));
        add_text(d, c, STR("b"));
        add_text(d, c, STR("x y"));
        add_text(d, c, STR(" a"));
        add_text(d, c, STR("01"));
        add_text(d, c, STR("02"));
        add_text(d, c, STR("\xc3\x89t\xc3\xa9"));
        break;
    case T_DECIMAL:
        for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) add_number(d, c, wholes[i], t->scale);
        for (int k = 0; k < 2; k++) {
            add_number(d, c, t->lo + k, t->scale);
            add_number(d, c, t->hi - k, t->scale);
        }
        add_number(d, c, 1, 0);
        add_number(d, c, 100, 0);
        break;
    case T_BOOL:
        add_number(d, c, 0, 0);
        add_number(d, c, 1, 0);
        break;
    case T_LIST: {
        struct value one = WITNESS_ONE_LINE;
        add(d, c, &one);
        break;
    }
    default: {
        bool day = t->base == T_DATE;
        int64_t unit = day ? 1 : 86400000;
        add_number(d, c, 20454 * (i128)unit, 0);           /* 2026-01-01 */
        add_number(d, c, 20453 * (i128)unit, 0);
        add_number(d, c, (i128)20454 * unit + (day ? 58 : 45296000), 0);
        add_number(d, c, 0, 0);
        break;
    }
    }
    if (t->optional) add(d, c, &value_absent);
}

/* ---- from the diagrams ---- */

struct gather {
    struct duel *d;
    bool *dd_seen, *term_seen;
    const struct term *tables[64]; size_t ntables;
    bool shared;                           /* second walk: constants go to all text columns at stake */
};

static void gather_dd(struct gather *g, const struct dd *f);

/* The columns below a term, marked. */
static void columns_of(const struct duel *d, const struct term *t, bool *mark, unsigned depth);

static void columns_of_dd(const struct duel *d, const struct dd *f, bool *mark, unsigned depth)
{
    if (depth > 40) return;
    columns_of(d, f->term, mark, depth + 1);
    if (f->leaf) return;
    if (f->absent) columns_of_dd(d, f->absent, mark, depth + 1);
    if (f->rest) columns_of_dd(d, f->rest, mark, depth + 1);
    for (size_t i = 0; i < f->ncells && i < 40; i++) columns_of_dd(d, f->cells[i].to, mark, depth + 1);
}

static void columns_of(const struct duel *d, const struct term *t, bool *mark, unsigned depth)
{
    if (depth > 40) return;
    if (t->kind == TERM_COLUMN) {
        int c = witness__column(d, t->name);
        if (c >= 0) mark[c] = true;
    }
    for (size_t i = 0; i < t->nargs; i++) columns_of_dd(d, t->args[i], mark, depth + 1);
    for (size_t i = 0; i < t->nmonos; i++)
        for (size_t k = 0; k < t->monos[i].n; k++) columns_of(d, t->monos[i].atoms[k], mark, depth + 1);
}

static void add_case_variants(struct duel *d, struct duel_column *c, struct str s)
{
    char text[64];
    add_text(d, c, s);
    if (s.n == 0 || s.n + 1 >= sizeof text) return;
    for (int how = 0; how < 3; how++) {
        text[0] = ' ';
        for (size_t i = 0; i < s.n; i++) {
            char x = s.p[i];
            if (how == 0 && x >= 'A' && x <= 'Z') x = (char)(x + 32);
            else if (how == 1 && x >= 'a' && x <= 'z') x = (char)(x - 32);
            text[i + 1] = x;
        }
        add_text(d, c, how == 2 ? (struct str){text, s.n + 1} : (struct str){text + 1, s.n});
    }
}

/* What a question compares with, for every column below it. */
static void add_cells(struct gather *g, const struct dd *f)
{
    struct duel *d = g->d;
    bool *mark = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1);
    columns_of(d, f->term, mark, 0);
    for (size_t c = 0; c < d->ncolumns; c++) {
        struct duel_column *col = &d->columns[c];
        if (!mark[c]) continue;
        for (size_t i = 0; i < f->ncells; i++) {
            if (f->term->base == T_TEXT) add_case_variants(d, col, f->cells[i].text);
            else if (f->cells[i].from > NORM_LOWEST) add_around(d, col, f->cells[i].from, f->term->kind == TERM_FORM ? scale_of(col) : f->term->scale);
        }
    }
}

/* A text that stands alone, in front, behind, in the middle, and twice. */
static void add_around_text(struct duel *d, struct duel_column *c, struct str s)
{
    static const char *const forms[] = {"%", "%b", "a%", "a%b", "a%b%"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct buf b = {0};
        for (const char *p = forms[i]; *p; p++) {
            if (*p != '%') buf_byte(&b, (unsigned char)*p);
            else buf_str(&b, s);
        }
        add_text(d, c, buf_view(&b));
        buf_free(&b);
    }
}

static void add_picky(struct gather *g, const struct term *t, struct duel_column *c)
{
    static const char *const texts[] = {"a@b.co", "Bob@EXAMPLE.com", "bob@", "+1 (312) 555-0100", "3125550100", "5550100", "USA", "US", "DEU", "aB", " a b",
                                        "John  SMITH", "Dr. Bob J. van Dyke Jr.", "Smith, Bob", "example.com", "https://www.example.com/a", "60601-1234", "K1A0B1", "IL",
                                        "ON", "a1b2", "12", "-1,234.50", "(5)", "15.5", "3/12/2026", "03/04/2026", "12.03.2026", "2026-03-12", "20260312", "ext. 7"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) add_text(g->d, c, str_of(texts[i]));
    for (size_t i = 0; i < t->nargs; i++) {
        const struct dd *arg = t->args[i];
        if (arg->leaf && arg->term->kind == TERM_CONST && arg->term->base == T_TEXT) add_around_text(g->d, c, value_str(&arg->term->value));
        if (!arg->leaf || arg->term->kind != TERM_CONST || arg->term->base != T_DECIMAL) continue;
        i128 n = arg->term->value.u.coef;
        if (n >= 0 && n < MAX_TEXT_TRIED - 1) {
            add_long(g->d, c, (size_t)n);
            add_long(g->d, c, (size_t)n + 1);
        }
        if (n < 0 || n >= (i128)scale_of(c)) continue;           /* halves of what is rounded to */
        i128 half = decimal_pow10(scale_of(c) - (unsigned)n) / 2;
        for (int k = -1; k <= 1; k++) add_number(g->d, c, half + k, scale_of(c));
        add_number(g->d, c, -half, scale_of(c));
    }
}

static void add_keys(struct gather *g, const struct term *t, struct duel_column *c)
{
    const struct image_table *mine = t->table;
    size_t step = mine->n / 8 + 1;
    for (size_t k = 0; k < g->ntables; k++) {
        const struct image_table *other = g->tables[k]->table;
        for (size_t i = 0; i < mine->n; i++) {
            const struct value *v = image_table_get(other, value_str(&mine->keys[i]));
            if (other != mine && (!v || !value_equal(v, &mine->values[i]))) add_text(g->d, c, value_str(&mine->keys[i]));
        }
        for (size_t i = 0; i < other->n; i++)
            if (other != mine && !image_table_get(mine, value_str(&other->keys[i]))) add_text(g->d, c, value_str(&other->keys[i]));
    }
    for (size_t i = 0; i < mine->n; i += step) add_text(g->d, c, value_str(&mine->keys[i]));
}

/* Whether there are lines: the list, and what lets a line pass. */
static void gather_lines(struct gather *g, struct str field)
{
    for (int k = 0; k < 2; k++) {
        const struct image_flow *fl = g->d->side[k].fl;
        const struct norm_flow *n = witness__lines(g->d, k, field);
        if (!n) continue;
        size_t site = (size_t)(n - g->d->side[k].norm.lines);
        int list = witness__column(g->d, fl->columns[fl->lines[site].column].name);
        if (list >= 0) g->d->columns[list].asked = true;
        gather_dd(g, n->when);
    }
}

static void gather_term(struct gather *g, const struct term *t)
{
    struct duel *d = g->d;
    if (g->term_seen[t->id]) return;
    g->term_seen[t->id] = true;
    for (size_t i = 0; i < t->nargs; i++) gather_dd(g, t->args[i]);
    for (size_t i = 0; i < t->nmonos; i++)
        for (size_t k = 0; k < t->monos[i].n; k++) gather_term(g, t->monos[i].atoms[k]);
    if (t->kind == TERM_TABLE && !g->shared && g->ntables < 64) g->tables[g->ntables++] = t;
    int own = t->kind == TERM_COLUMN ? witness__column(d, t->name) : -1;
    if (own >= 0) d->columns[own].asked = true;
    if (t->kind == TERM_EACH) gather_lines(g, t->name);
    bool picky = t->kind == TERM_CALL || t->kind == TERM_TABLE || t->kind == TERM_OP, constant = t->kind == TERM_CONST && t->base == T_TEXT && g->shared;
    if (!picky && !constant) return;
    bool *mark = ARENA_ARRAY(d->arena, bool, d->ncolumns + 1);
    if (picky) columns_of(d, t, mark, 0);
    for (size_t c = 0; c < d->ncolumns; c++) {
        if (t->kind == TERM_TABLE && mark[c]) add_keys(g, t, &d->columns[c]);
        else if (picky && mark[c]) add_picky(g, t, &d->columns[c]);
        else if (constant && d->columns[c].asked) add_text(d, &d->columns[c], value_str(&t->value));
    }
}

static void gather_dd(struct gather *g, const struct dd *f)
{
    if (g->dd_seen[f->id]) return;
    g->dd_seen[f->id] = true;
    gather_term(g, f->term);
    if (f->leaf) return;
    add_cells(g, f);
    if (f->absent) gather_dd(g, f->absent);
    if (f->rest) gather_dd(g, f->rest);
    for (size_t i = 0; i < f->ncells; i++) gather_dd(g, f->cells[i].to);
}

/* The duel's column that a field of a flow, or of its lines, reads. */
static int read_column(const struct duel *d, int k, const struct image_lines *site, uint16_t c)
{
    const struct image_flow *fl = d->side[k].fl;
    if (!site || c < fl->ncolumns) return witness__column(d, fl->columns[c].name);
    int list = witness__column(d, fl->columns[site->column].name);
    for (size_t i = 0; list >= 0 && i < d->ncolumns; i++)
        if (d->columns[i].list == list && str_eq(d->columns[i].line_name, site->body->columns[c].name)) return (int)i;
    return -1;
}

/* A field's columns stand in the image; a filter's or adopt rule's are those that it asks about. */
static void mark_own(struct duel *d, const struct stake *s)
{
    for (int k = 0; k < 2; k++) {
        const struct image_flow *fl = d->side[k].fl;
        if (s->kind != STAKE_FIELD) continue;
        const struct image_lines *site = s->line ? &fl->lines[fl->fields[s->list[k]].lines - 1] : NULL;
        const struct image_field *f = site ? &site->body->fields[s->field[k]] : &fl->fields[s->field[k]];
        for (size_t i = 0; i < f->nreads; i++) {
            int c = read_column(d, k, site, f->reads[i]);
            if (c >= 0) d->columns[c].own = true;
        }
    }
    for (size_t c = 0; c < d->ncolumns && s->kind != STAKE_FIELD; c++) d->columns[c].own = d->columns[c].asked;
}

/* What the search must know of rules that are not at stake, so that they take the row. */
static void gather_others(struct gather *g)
{
    for (int k = 0; k < 2; k++) {
        const struct norm_flow *n = &g->d->side[k].norm;
        const struct image_flow *fl = g->d->side[k].fl;
        if (!n->usable) continue;
        gather_dd(g, n->when);
        if (n->into) gather_dd(g, n->into);
        for (size_t i = 0; i < fl->nfields; i++)
            if (n->fields[i].rule && n->fields[i].nmessages) gather_dd(g, n->fields[i].rule);
        for (size_t i = 0; i < fl->nlines; i++)
            for (size_t j = 0; n->lines[i].usable && j < fl->lines[i].body->nfields; j++)
                if (n->lines[i].fields[j].rule && n->lines[i].fields[j].nmessages) gather_dd(g, n->lines[i].fields[j].rule);
    }
}

void witness__pools(struct duel *d, const struct stake *s, struct dd *a, struct dd *b)
{
    struct gather g = {.d = d};
    for (size_t c = 0; c < d->ncolumns; c++) {
        d->columns[c].pool = (struct pool){0};
        d->columns[c].asked = s->kind == STAKE_COLUMN ? c == s->field[0] : !a && !b;
        d->columns[c].own = false;
    }
    for (int pass = 0; pass < 2; pass++) {                 /* the second knows all tables, and which columns are asked */
        g.dd_seen = ARENA_ARRAY(d->arena, bool, d->norm.ndds + 1);
        g.term_seen = ARENA_ARRAY(d->arena, bool, d->norm.nterms + 1);
        g.shared = pass == 1;
        if (a) gather_dd(&g, a);
        if (b) gather_dd(&g, b);
        if (pass == 0) mark_own(d, s);
        if (a || b) gather_others(&g);
    }
    for (size_t c = 0; c < d->ncolumns; c++)
        for (int k = 0; k < 2; k++)
            if (d->columns[c].type[k]) add_of_type(d, &d->columns[c], d->columns[c].type[k]);
}
