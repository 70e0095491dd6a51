/* check_field.c - what a flow writes: field lines, once, fill, on leave and on delete, and the one question behind them all: does every value
 * that this expression can be fit the field? Every way not to fit has its own code, the schema line as second place, and a fix. */
#include "dsl/check.h"
#include "base/check.h"

#define ZOHO_NUMBER_DIGITS 15u     /* a JSON number keeps 15 significant digits on both sides */

struct column *check__find_field(struct check *c, const struct flow *f, const struct schema *m, const struct ast_name *name)
{
    struct column *col = schema__column(m, name->text);
    if (col) return col;
    struct diag_nearest near = diag_nearest_begin(name->text);
    for (size_t i = 0; i < m->ncolumns; i++) diag_nearest_try(&near, m->columns[i].name);
    struct diag *d = diag2(c->ds, name->at, D_UNKNOWN_FIELD, diag_str(c->ds, m->name), diag_str(c->ds, name->text));
    if (m->lock) diag_also(d, schema__lock_place(m->system, m->lock->at), "the fields of the org stand here");
    resolve__hint(d, &near);
    if (!diag_nearest_found(&near))
        diag_help(d, "a field of this org's own is declared: extend %s.%s { %s: text(100) }", diag_str(c->ds, f->target->name),
                  diag_str(c->ds, m->name), diag_str(c->ds, name->text));
    return NULL;
}

struct field *check__field_named(struct check *c, struct flow *f, const struct ast_name *name)
{
    for (size_t i = 0; i < f->nfields; i++)
        if (str_eq(f->fields[i]->column->name, name->text)) return f->fields[i];
    struct column *col = schema__column(f->module, name->text);
    if (col == NULL) check__find_field(c, f, f->module, name);
    else {
        struct diag *d = diag2(c->ds, name->at, D_TEST_FIELD, diag_str(c->ds, f->name), diag_str(c->ds, name->text));
        diag_also(d, f->at, "the flow");
    }
    return NULL;
}

/* ---- does it fit ---- */

/* The field's type without its `?`: that absent is accepted is not the point. */
static const char *field_type(struct check *c, const struct type *t)
{
    struct type bare = *t;
    bare.optional = false;
    return types_show(c->a, &bare);
}

/* A fix: the expression with something put around it. */
static void wrap(struct check *c, struct diag *d, const struct ast *n, const char *before, const char *behind)
{
    struct str text = span_text(c->sources, n->at);
    diag_fix(d, n->at, "%s%.*s%s", before, (int)text.n, text.p, behind);
}

static bool misfit_text(struct check *c, const struct column *col, const struct tx *x, const struct ast *n, struct span at)
{
    const struct type *from = &x->ty.t, *to = &col->type;
    struct diag *d;
    if (to->nset) {
        for (unsigned i = 0; i < from->nset; i++) {
            bool in = false;
            for (unsigned k = 0; k < to->nset && !in; k++) in = str_eq(from->set[i], to->set[k]);
            if (in) continue;
            struct diag_nearest near = diag_nearest_begin(from->set[i]);
            for (unsigned k = 0; k < to->nset; k++) diag_nearest_try(&near, to->set[k]);
            d = diag2(c->ds, at, D_OUTSIDE_SET, diag_str(c->ds, from->set[i]), diag_str(c->ds, col->name));
            diag_also(d, col->at, "it takes %s", field_type(c, to));
            resolve__hint(d, &near);
            return true;
        }
        if (from->nset == 0) {
            d = diag2(c->ds, at, D_NOT_A_CHOICE, check__show(c, &x->ty), diag_str(c->ds, col->name));
            diag_also(d, col->at, "it takes %s", field_type(c, to));
            diag_help(d, "map the values: match %s { \"...\" => \"%s\", else => null }", check__text(c, n), diag_str(c->ds, to->set[0]));
            return true;
        }
        return false;
    }
    if (from->max_len > to->max_len) {
        d = diag3(c->ds, at, D_TEXT_TOO_LONG, diag_str(c->ds, col->name), arena_printf(c->a, "%u", to->max_len), arena_printf(c->a, "%u", from->max_len));
        diag_also(d, col->at, "declared here");
        diag_help(d, "cut it: truncate(%s, %u)", check__text(c, n), to->max_len);
        wrap(c, d, n, "truncate(", arena_printf(c->a, ", %u)", to->max_len));
        return true;
    }
    if (from->min_len < to->min_len) {
        d = diag3(c->ds, at, D_TEXT_TOO_SHORT, diag_str(c->ds, col->name), arena_printf(c->a, "%u", to->min_len), arena_printf(c->a, "%u", from->min_len));
        diag_also(d, col->at, "declared here");
        return true;
    }
    return false;
}

static bool misfit_number(struct check *c, const struct column *col, const struct tx *x, const struct ast *n, struct span at)
{
    const struct type *from = &x->ty.t, *to = &col->type;
    struct type lim = *to;
    struct diag *d;
    lim.optional = true;
    if (from->scale > to->scale) {
        d = diag3(c->ds, at, D_WRONG_SCALE, diag_str(c->ds, col->name), arena_printf(c->a, "%u", (unsigned)to->scale), arena_printf(c->a, "%u", (unsigned)from->scale));
        diag_also(d, col->at, "declared here");
        diag_help(d, "nothing is rounded by itself; say round(%s, %u)", check__text(c, n), (unsigned)to->scale);
        wrap(c, d, n, "round(", arena_printf(c->a, ", %u)", (unsigned)to->scale));
        return true;
    }
    if (types_digits(from) > ZOHO_NUMBER_DIGITS && x->kind != TX_CONST) {
        d = diag2(c->ds, at, D_TOO_MANY_DIGITS, diag_str(c->ds, col->name), arena_printf(c->a, "%u", types_digits(from)));
        diag_also(d, col->at, "declared here");
        if (from->scale) diag_help(d, "fewer decimals help: round(%s, %u)", check__text(c, n), (unsigned)from->scale - 1);
        return true;
    }
    if (!type_fits(from, &lim)) {
        d = diag3(c->ds, at, D_OUT_OF_RANGE, diag_str(c->ds, col->name), field_type(c, to), check__show(c, &x->ty));
        diag_also(d, col->at, "declared here");
        return true;
    }
    return false;
}

/* A record of a flow of this spec, or one that only the target knows. */
static void link_help(struct check *c, struct diag *d, const struct flow *f, const struct column *col, const struct ast *n)
{
    for (const struct flow *o = c->spec->flows; o != NULL; o = o->next)
        if (o->module && o->entity && !o->into && str_eq(o->module->name, col->link_module)) {
            struct buf keys = {0};
            for (size_t i = 0; i < o->entity->ncolumns; i++)
                if (o->entity->columns[i].key) buf_printf(&keys, "%s%.*s", keys.n ? ", " : "", (int)o->entity->columns[i].name.n, o->entity->columns[i].name.p);
            diag_help(d, "the record that the flow %s makes: ref %s(%s)", diag_str(c->ds, o->name), diag_str(c->ds, o->name), buf_cstr(&keys));
            buf_free(&keys);
        }
    diag_help(d, "a record that is there already: find %s.%s(FIELD = %s)", diag_str(c->ds, f->target->name), diag_str(c->ds, col->link_module), check__text(c, n));
}

static void number_help(struct check *c, struct diag *d, const struct column *col, const struct tx *x, const struct ast *n)
{
    struct str text = span_text(c->sources, n->at);
    struct value v;
    if (x->kind == TX_CONST && text.n > 2 && decimal_parse((struct str){text.p + 1, text.n - 2}, &v))
        diag_fix(diag_help(d, "a number stands without quotes: %.*s", (int)text.n - 2, text.p + 1), n->at, "%.*s", (int)text.n - 2, text.p + 1);
    else diag_help(d, "read the number: to_number(%s, 13, %u)", check__text(c, n), (unsigned)col->type.scale);
}

static void wrong_kind(struct check *c, const struct flow *f, const struct column *col, const struct tx *x, const struct ast *n, struct span at)
{
    struct diag *d;
    if (x->ty.t.base == T_LOCAL && col->type.base == T_INSTANT) {
        d = diag1(c->ds, at, D_LOCAL_INTO_INSTANT, diag_str(c->ds, col->name));
        diag_also(d, col->at, "declared here");
        diag_help(d, "wall time of %s has no zone: say instant(%s), or give a date field its day by date_of(%s)", diag_str(c->ds, f->source->name), check__text(c, n), check__text(c, n));
        wrap(c, d, n, "instant(", ")");
        return;
    }
    d = diag3(c->ds, at, D_WRONG_TYPE, diag_str(c->ds, col->name), hints__a(c, types_base_name((enum type_base)col->type.base)), check__show(c, &x->ty));
    diag_also(d, col->at, "declared here");
    if (col->type.base == T_LINK && x->ty.t.base == T_TEXT) link_help(c, d, f, col, n);
    else if (col->type.base == T_TEXT && x->ty.t.base == T_DECIMAL) {
        diag_help(d, "say how many decimals the text has: to_text(%s, %u)", check__text(c, n), (unsigned)x->ty.t.scale);
        wrap(c, d, n, "to_text(", arena_printf(c->a, ", %u)", (unsigned)x->ty.t.scale));
    } else if (col->type.base == T_DECIMAL && x->ty.t.base == T_TEXT) number_help(c, d, col, x, n);
    else if (col->type.base == T_INSTANT && x->ty.t.base == T_DATE) {
        diag_help(d, "say which moment of the day: instant(midnight(%s))", check__text(c, n));
        wrap(c, d, n, "instant(midnight(", "))");
    } else if (col->type.base == T_DATE && x->ty.t.base == T_LOCAL) diag_help(d, "take its day: date_of(%s)", check__text(c, n));
    else if (col->type.base == T_DATE && x->ty.t.base == T_TEXT) diag_help(d, "read the date: date(%s)", check__text(c, n));
    else if (col->type.base == T_TEXT && x->ty.t.base == T_BOOL) diag_help(d, "say how it is written: match %s { true => \"Yes\", false => \"No\" }", check__text(c, n));
}

bool check__fits(struct check *c, const struct flow *f, const struct schema *m, const struct column *col, const struct tx *x, const struct ast *n, struct span at)
{
    if (x->ty.kind == TY_POISON) return false;
    bool list = col->lines.n && ty_is(&x->ty, T_LIST);
    if (!col->known_type && !list) {
        diag_also(diag2(c->ds, at, D_UNWRITABLE_KIND, diag_str(c->ds, m->name), diag_str(c->ds, col->name)), col->at, "declared here");
        return false;
    }
    if (x->ty.kind == TY_NEVER) return true;
    if (ty_maybe_absent(&x->ty) && col->required) {
        struct diag *d = diag2(c->ds, at, D_ABSENT_REQUIRED, diag_str(c->ds, m->name), diag_str(c->ds, col->name));
        diag_also(d, col->at, "required here");
        if (n && x->ty.kind == TY_VALUE && x->kind != TX_FIND && x->kind != TX_REF) {
            diag_help(d, "say what holds then: %s ?? reject \"no %s\"", check__text(c, n), diag_str(c->ds, col->name));
            wrap(c, d, n, "", arena_printf(c->a, " ?? reject \"no %s\"", diag_str(c->ds, col->name)));
        }
        return false;
    }
    if (x->ty.kind == TY_NULL || list) return true;
    if (x->ty.t.base != col->type.base) {
        wrong_kind(c, f, col, x, n, at);
        return false;
    }
    switch ((enum type_base)col->type.base) {
    case T_TEXT: return !misfit_text(c, col, x, n, at);
    case T_DECIMAL: return !misfit_number(c, col, x, n, at);
    case T_LINK:
        if ((x->kind != TX_FIND && x->kind != TX_REF) || str_eq(x->find.module->name, col->link_module)) return true;
        diag_also(diag3(c->ds, at, D_WRONG_LINK, diag_str(c->ds, col->name), diag_str(c->ds, col->link_module), diag_str(c->ds, x->find.module->name)),
                  col->at, "declared here");
        return false;
    default: return true;
    }
}

/* ---- lines ---- */

static struct field *add_field(struct check *c, struct flow *f, struct column *col, int mode, struct span at)
{
    struct field *x = ARENA_NEW(c->a, struct field);
    *x = (struct field){.column = col, .mode = mode, .at = at};
    f->fields[f->nfields++] = x;
    return x;
}

static struct field *existing(const struct flow *f, const struct column *col)
{
    for (size_t i = 0; i < f->nfields; i++)
        if (f->fields[i]->column == col) return f->fields[i];
    return NULL;
}

static bool writable(struct check *c, const struct flow *f, const struct column *col, int mode, const struct ast_name *name)
{
    if (col->read_only) {
        diag_help(diag_also(diag2(c->ds, name->at, D_READ_ONLY_FIELD, diag_str(c->ds, f->module->name), diag_str(c->ds, col->name)), col->at, "declared here"),
                  "leave the line out: %s itself writes it", diag_str(c->ds, f->target->system->name));
        return false;
    }
    if (col->insert_only && mode != MODE_ONCE) {
        struct diag *d = diag1(c->ds, name->at, D_INSERT_ONLY, diag_str(c->ds, col->name));
        diag_also(d, col->at, "declared here");
        diag_help(d, "write it when the record is made: once %s = ...", diag_str(c->ds, col->name));
        return false;
    }
    return true;
}

void check__field_line(struct check *c, struct flow *f, struct ast_field *n)
{
    struct column *col = check__find_field(c, f, f->module, &n->name);
    struct scope sc = {.flow = f, .field = col};
    if (f->when) sc = check__learn(c, sc, f->when, true);
    struct tx *x = check__expr(c, sc, n->value, EXPR_TAIL | EXPR_WHOLE | (n->mode == MODE_SET ? EXPR_LIST : 0u));
    if (col == NULL) return;
    const struct field *before = existing(f, col);
    if (before) {
        const char *what = before->mode == FIELD_IS_KEY ? "the flow's key is written here" : "first here";
        struct diag *d = diag_also(diag1(c->ds, n->name.at, D_FIELD_TWICE, diag_str(c->ds, col->name)), before->at, "%s", what);
        if (before->mode != FIELD_IS_KEY) diag_help(d, "a field has one rule; `match` chooses between values, `??` says what holds for an absent one");
        return;
    }
    struct field *fl = add_field(c, f, col, (int)n->mode, n->base.at);
    fl->value = x;
    fl->ast = n->value;
    if (!writable(c, f, col, (int)n->mode, &n->name)) return;
    if (x->ty.kind == TY_NEVER) {
        if (x->kind != TX_REJECT && x->kind != TX_KEEP) diag1(c->ds, x->at, D_NULL_ALONE, "a field");      /* bare ones: the parser said so */
    } else check__fits(c, f, f->module, col, x, n->value, n->value->at);
}

void check__event(struct check *c, struct flow *f, struct ast_on *n)
{
    struct event *ev = n->event == EVENT_LEAVE ? &f->on_leave : &f->on_delete;
    ev->present = true;
    ev->at = n->base.at;
    ev->fields = ARENA_ARRAY(c->a, struct field *, n->sets.n + 1);
    ev->values = ARENA_ARRAY(c->a, struct value, n->sets.n + 1);
    AST_EACH(s, n->sets) {
        if (s->kind != AST_ASSIGN) {
            diag2(c->ds, s->at, D_NOT_LITERAL, "a value written out", "lines");
            continue;
        }
        struct ast_assign *set = AST_AS(assign, s);
        struct column *col = check__find_field(c, f, f->module, &set->name);
        struct value v;
        if (col == NULL || set->value == NULL || !check__literal(c, set->value, &v)) continue;
        struct field *fl = existing(f, col);
        if (fl && fl->mode == FIELD_IS_KEY) {
            diag_also(diag1(c->ds, set->name.at, D_FIELD_TWICE, diag_str(c->ds, col->name)), fl->at, "the flow's key is written here");
            continue;
        }
        for (size_t i = 0; i < ev->n; i++)
            if (ev->fields[i]->column == col) diag_also(diag1(c->ds, set->name.at, D_FIELD_TWICE, diag_str(c->ds, col->name)), n->base.at, "in this clause");
        struct tx *x = check__expr(c, (struct scope){.flow = f}, set->value, 0);
        if (!writable(c, f, col, MODE_SET, &set->name) || !check__fits(c, f, f->module, col, x, set->value, set->value->at)) continue;
        if (fl == NULL) fl = add_field(c, f, col, FIELD_IS_EVENT, s->at);
        ev->fields[ev->n] = fl;
        ev->values[ev->n++] = v;
    }
    if (n->sets.n == 0) diag1(c->ds, n->base.at, D_NO_FIELDS, "this clause");
}

void check__required(struct check *c, struct flow *f)
{
    for (size_t i = 0; i < f->module->ncolumns && !c->broken; i++) {
        const struct column *col = &f->module->columns[i];
        if (!col->required || col->read_only) continue;
        const struct field *fl = existing(f, col);
        if (fl && fl->mode != FIELD_IS_EVENT && fl->mode != MODE_FILL) continue;
        struct diag *d = fl && fl->mode == MODE_FILL ? diag2(c->ds, fl->at, D_REQUIRED_FILL, diag_str(c->ds, f->module->name), diag_str(c->ds, col->name))
                                                     : diag2(c->ds, f->at, D_REQUIRED_MISSING, diag_str(c->ds, f->module->name), diag_str(c->ds, col->name));
        diag_also(d, col->at, "required here");
        if (!fl) diag_help(d, "add a line: %s = ...", diag_str(c->ds, col->name));
    }
}
