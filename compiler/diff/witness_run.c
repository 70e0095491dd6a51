/* witness_run.c - one row through both versions of a flow: what it is for each, what comes out, whether that differs in what is at stake, and an
 * outcome as people read it; see witness.h. */
#include "compiler/diff/witness.h"
#include "value/json.h"

/* ---- the two versions ---- */

static struct value plain_value(struct duel *d, const struct duel_column *c)
{
    const struct type *t = c->type[0] ? c->type[0] : c->type[1];
    struct value v = value_absent;
    if (witness__admits(c, &v)) return v;          /* lists: no lines */
    if (t->base == T_TEXT && t->nset) return value_text(t->set[0]);
    if (t->base == T_TEXT) {
        uint32_t n = t->min_len;
        for (int k = 0; k < 2; k++)
            if (c->type[k] && c->type[k]->min_len > n) n = c->type[k]->min_len;
        char *p = arena_alloc(d->arena, (size_t)n + 1);
        memset(p, '0', n);
        p[n - 1] = '1';
        return value_text((struct str){p, n});
    }
    i128 w = t->base == T_DECIMAL ? (t->lo > 0 ? t->lo : t->hi < 0 ? t->hi : 0) : t->base == T_DATE ? 20454 : t->base == T_BOOL ? 0 : (i128)20454 * 86400000;
    return witness__number(t->base, w, t->scale);
}

/* The column of the duel that one version's column is; list: that it is a line's column of. */
static int add_column(struct duel *d, int k, int list, struct str name, const struct type *t, size_t index)
{
    struct str full = list < 0 ? name : norm_line_column(d->arena, d->columns[list].name, name);
    int c = witness__column(d, full);
    if (c < 0) {
        c = (int)d->ncolumns++;
        d->columns[c] = (struct duel_column){.name = full, .index = {-1, -1}, .list = list, .line_name = name};
    }
    d->columns[c].type[k] = t;
    d->columns[c].index[k] = (int)index;
    return c;
}

static void add_columns(struct duel *d, int k)
{
    const struct image_flow *fl = d->side[k].fl;
    for (size_t i = 0; i < fl->ncolumns; i++) {
        const struct type *t = &fl->columns[i].type;
        int c = add_column(d, k, -1, fl->columns[i].name, t, i);
        if (t->base != T_LIST) continue;
        const struct list_shape *s = t->shape;
        struct duel_line *m = ARENA_NEW(d->arena, struct duel_line);
        m->fields = ARENA_ARRAY(d->arena, struct value, s->n + 1u);
        m->list = (struct list){s->names, &m->line, 1, s->n};
        d->columns[c].made[k] = m;
        for (uint16_t j = 0; j < s->n; j++) add_column(d, k, c, s->names[j], &s->types[j], j);
    }
}

/* How many columns a flow has, with those of its lists' lines. */
static size_t count_columns(const struct image_flow *fl)
{
    size_t n = fl->ncolumns;
    for (size_t i = 0; i < fl->ncolumns; i++)
        if (fl->columns[i].type.base == T_LIST) n += fl->columns[i].type.shape->n;
    return n;
}

const struct norm_flow *witness__lines(const struct duel *d, int k, struct str field)
{
    const struct image_flow *fl = d->side[k].fl;
    for (size_t i = 0; d->side[k].norm.usable && i < fl->nfields; i++) {
        const struct norm_flow *n = fl->fields[i].lines && str_eq(fl->fields[i].name, field) ? &d->side[k].norm.lines[fl->fields[i].lines - 1] : NULL;
        if (n && n->usable) return n;
    }
    return NULL;
}

void duel_open(struct duel *d, struct arena *mem, const struct image *old_im, const struct image_flow *old_fl, const struct image *new_im, const struct image_flow *new_fl)
{
    *d = (struct duel){.arena = mem, .random = 20260312};
    d->side[0] = (struct duel_side){.im = old_im, .fl = old_fl, .vm = vm_new(old_im)};
    d->side[1] = (struct duel_side){.im = new_im, .fl = new_fl, .vm = vm_new(new_im)};
    d->columns = ARENA_ARRAY(mem, struct duel_column, count_columns(old_fl) + count_columns(new_fl) + 1);
    for (int k = 0; k < 2; k++) {
        add_columns(d, k);
        d->cols[k] = ARENA_ARRAY(mem, struct value, d->side[k].fl->ncolumns + 1);
    }
    norm_init(&d->norm, mem);
    norm_flow(&d->norm, old_im, old_fl, new_fl, NULL, &d->side[0].norm);
    norm_flow(&d->norm, new_im, new_fl, old_fl, NULL, &d->side[1].norm);
    for (size_t i = 0; i < d->ncolumns; i++) d->columns[i].plain = plain_value(d, &d->columns[i]);
}

void duel_close(struct duel *d)
{
    vm_free(d->side[0].vm);
    vm_free(d->side[1].vm);
}

/* ---- running ---- */

/* The row's columns as one version reads them. The lines' keys come from the arena. */
static void set_columns(struct duel *d, int k, const struct value *row)
{
    for (size_t i = 0; i < d->ncolumns; i++) {
        const struct duel_column *c = &d->columns[i];
        if (c->index[k] < 0) continue;
        if (c->list >= 0) d->columns[c->list].made[k]->fields[c->index[k]] = row[i];
        else d->cols[k][c->index[k]] = row[i];
    }
    for (size_t i = 0; i < d->ncolumns; i++) {
        const struct duel_column *c = &d->columns[i];
        if (!c->made[k] || !value_present(&row[i])) continue;
        struct duel_line *m = c->made[k];
        m->line = (struct list_line){type_line_key(c->type[k]->shape, m->fields, d->arena), m->fields};
        d->cols[k][c->index[k]] = (struct value){.kind = V_LIST, .u.list = &m->list};
    }
}

static bool among(const struct norm_field *f, struct str message)
{
    for (size_t i = 0; i < f->nmessages; i++)
        if (str_eq(f->messages[i], message)) return true;
    return false;
}

/* A row is set aside for want of lines, and not by one that had passed. */
static bool for_want_of_lines(const struct duel *d, int k, const struct stake *s, struct str message)
{
    const struct image_flow *fl = d->side[k].fl;
    const struct norm_flow *n = &d->side[k].norm;
    if (!n->usable || !among(&n->fields[s->list[k]], message)) return false;
    size_t site = fl->fields[s->list[k]].lines - 1u;
    for (size_t i = 0; i < fl->lines[site].body->nfields; i++)
        if (among(&n->lines[site].fields[i], message)) return false;
    return true;
}

/* What became of the line. */
static void line_outcome(const struct duel *d, int k, const struct stake *s, const struct vm_out *vo, struct outcome *out)
{
    const struct image_flow *fl = d->side[k].fl;
    const struct value *v = vo->rejected ? &value_absent : vo->values[s->list[k]];
    const struct list_line *line = v->kind == V_LIST ? &v->u.list->lines[0] : NULL;
    *out = (struct outcome){.kind = line ? OUTCOME_TAKEN : OUTCOME_SKIPPED, .of = fl->lines[fl->fields[s->list[k]].lines - 1].body};
    if (vo->rejected) {
        out->kind = s->kind == STAKE_WHEN && for_want_of_lines(d, k, s, vo->message) ? OUTCOME_SKIPPED : OUTCOME_REJECT;
        out->text = vo->message;
    } else if (line && s->kind != STAKE_WHEN) {
        out->kind = OUTCOME_VALUE;
        out->value = s->kind == STAKE_KEY ? line->key : line->fields[s->field[k]];
    }
}

static void into_outcome(struct duel *d, int k, struct outcome *out)
{
    const struct str *rejected;
    out->kind = OUTCOME_VALUE;
    out->value = vm_into(d->side[k].vm, d->side[k].fl, d->cols[k], &rejected);
    if (rejected) *out = (struct outcome){OUTCOME_REJECT, value_absent, *rejected, out->of};
}

/* The row belongs to a record of the other flow. */
static bool adds(struct duel *d, int k)
{
    const struct str *rejected;
    struct value v = vm_into(d->side[k].vm, d->side[k].fl, d->cols[k], &rejected);
    return !rejected && value_present(&v);
}

static void run_row(struct duel *d, int k, const struct stake *s, struct outcome *out)
{
    struct duel_side *side = &d->side[k];
    struct vm_out vo;
    char why[160];
    if (!vm_row_fits(side->fl, d->cols[k], why, sizeof why)) return;
    bool in = vm_when(side->vm, side->fl, d->cols[k]);
    if (s->kind == STAKE_KEY && !s->line) {
        *out = (struct outcome){OUTCOME_VALUE, vm_key(side->vm, side->fl, d->cols[k]), {"", 0}, side->fl};
        return;
    }
    if (!in && s->line) return;                     /* nobody comes to the lines */
    out->kind = in ? OUTCOME_TAKEN : OUTCOME_SKIPPED;
    if (!in || (s->kind == STAKE_WHEN && !s->line) || s->kind == STAKE_COLUMN) return;
    if (s->kind == STAKE_ADOPT) {
        out->value = vm_adopt(side->vm, side->fl, d->cols[k]);
        out->kind = OUTCOME_VALUE;
        return;
    }
    if (s->kind == STAKE_INTO) {
        into_outcome(d, k, out);
        return;
    }
    if (side->fl->into && !adds(d, k)) {
        out->kind = OUTCOME_NO_ROW;
        d->turned_away = true;
        return;
    }
    vm_map(side->vm, side->fl, d->cols[k], &vo);
    if (s->line) line_outcome(d, k, s, &vo, out);
    else if (vo.rejected) *out = (struct outcome){OUTCOME_REJECT, value_absent, vo.message, side->fl};
    else if (vo.ops[s->field[k]] == VM_KEEP) out->kind = OUTCOME_KEEP;
    else *out = (struct outcome){OUTCOME_VALUE, *vo.values[s->field[k]], {"", 0}, side->fl};
}

static void run_side(struct duel *d, int k, const struct stake *s, const struct value *row, struct outcome *out)
{
    struct arena_mark m = arena_mark(d->arena);
    *out = (struct outcome){.kind = OUTCOME_NO_ROW, .of = d->side[k].fl};
    set_columns(d, k, row);
    run_row(d, k, s, out);
    arena_release(d->arena, m);
}

/* A reject counts when it is the field's own. */
static bool own_reject(const struct duel *d, int k, const struct stake *s, struct str message)
{
    const struct norm_flow *n = &d->side[k].norm;
    if (s->kind == STAKE_INTO) return true;
    if (!n->usable || s->kind != STAKE_FIELD) return false;
    if (s->line) n = &n->lines[d->side[k].fl->fields[s->list[k]].lines - 1];
    return among(&n->fields[s->field[k]], message);
}

static bool link_same(const struct duel *d, const struct outcome out[2])
{
    const struct link *a = out[0].value.u.link, *b = out[1].value.u.link;
    const struct image_link *x = &out[0].of->links[a->site], *y = &out[1].of->links[b->site];
    bool same = x->kind == y->kind && str_eq(x->target, y->target) && str_eq(x->module, y->module) && str_eq(x->field, y->field) && x->nmore == y->nmore;
    for (size_t i = 0; same && i < x->nmore; i++) same = str_eq(x->more[i], y->more[i]);
    if (same && x->kind == LINK_REF)
        same = x->flow < d->side[0].im->nflows && y->flow < d->side[1].im->nflows && str_eq(d->side[0].im->flows[x->flow].name, d->side[1].im->flows[y->flow].name);
    same = same && a->nargs == b->nargs;
    for (uint16_t i = 0; same && i < a->nargs; i++) same = value_equal(&a->args[i], &b->args[i]);
    return same;
}

/* Lines are compared by themselves. */
static bool values_differ(const struct duel *d, const struct outcome out[2])
{
    const struct value *a = &out[0].value, *b = &out[1].value;
    if (a->kind == V_LIST || b->kind == V_LIST) return false;
    if (a->kind == V_LINK && b->kind == V_LINK) return !link_same(d, out);
    return a->kind != b->kind || !value_equal(a, b);
}

bool duel_run(struct duel *d, const struct stake *s, const struct value *row, struct outcome out[2])
{
    d->turned_away = false;
    for (int k = 0; k < 2; k++) run_side(d, k, s, row, &out[k]);
    bool none[2] = {out[0].kind == OUTCOME_NO_ROW, out[1].kind == OUTCOME_NO_ROW};
    bool rejected[2] = {out[0].kind == OUTCOME_REJECT, out[1].kind == OUTCOME_REJECT};
    if (s->kind == STAKE_COLUMN) return none[0] != none[1];
    if (none[0] || none[1]) return false;
    for (int k = 0; k < 2; k++) d->turned_away = d->turned_away || (rejected[k] && !own_reject(d, k, s, out[k].text));
    if (d->turned_away) return false;
    if (s->kind == STAKE_WHEN) return out[0].kind != out[1].kind;
    if (out[0].kind == OUTCOME_SKIPPED || out[1].kind == OUTCOME_SKIPPED) return false;
    if (rejected[0] && rejected[1]) return s->messages && !str_eq(out[0].text, out[1].text);
    if (out[0].kind != out[1].kind) return true;
    return out[0].kind == OUTCOME_VALUE && values_differ(d, out);
}

/* ---- as text ---- */

static void print_link(struct buf *out, const struct duel_side *side, const struct image_flow *of, const struct link *l)
{
    const struct image_link *site = &of->links[l->site];
    bool ref = site->kind == LINK_REF && site->flow < side->im->nflows;
    struct str name = ref ? side->im->flows[site->flow].name : site->module;
    buf_printf(out, "%s %.*s(", ref ? "ref" : "find", (int)name.n, name.p);
    for (uint16_t i = 0; i < l->nargs; i++) {
        if (i) buf_puts(out, ", ");
        struct str field = i == 0 || i > site->nmore ? site->field : site->more[i - 1];
        if (!ref) buf_printf(out, "%.*s = ", (int)field.n, field.p);
        value_json(out, &l->args[i]);
    }
    buf_byte(out, ')');
}

void outcome_print(struct buf *out, const struct duel_side *side, const struct outcome *o)
{
    switch (o->kind) {
    case OUTCOME_VALUE:
        if (o->value.kind == V_LINK) print_link(out, side, o->of, o->value.u.link);
        else value_json(out, &o->value);
        break;
    case OUTCOME_KEEP: buf_puts(out, "keep"); break;
    case OUTCOME_REJECT: buf_puts(out, "reject "); json_put_string(out, o->text); break;
    case OUTCOME_SKIPPED: buf_puts(out, "left out"); break;
    case OUTCOME_TAKEN: buf_puts(out, "taken"); break;
    case OUTCOME_NO_ROW: buf_puts(out, "no row of the declared types: set aside"); break;
    }
}
