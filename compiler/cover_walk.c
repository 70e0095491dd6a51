/* cover_walk.c - from the typed tree to branches: what can be reached, and the condition (as IR) under which it is.
 *
 *   walk(x, reach)    reach: when x is computed at all
 *   a ?? b            b is computed when reach and not a != null
 *   match             an arm when reach, no arm before it, and its own condition
 *   a and b           b when reach and a
 *
 * A let, and a fn with the same arguments, is walked once for each field, behind all that use it: it is computed when any of them is. */
#include "compiler/cover_private.h"

/* A let or a call that waits until all its users were walked: those are deeper. */
struct pending { const struct let *let; struct frame frame; const struct tx *value; struct ir *reach; struct pending *next; };
struct walker {
    struct cover *cv;
    struct pending *pending;
    struct low low;
    struct cover_flow *flow;
    struct cover_group *group;
    unsigned field;
    struct str where;                  /* of the flow's expressions */
    const struct fn *fn;
};
struct cover_key { const void *a, *b, *c; size_t n; struct cover_item *item; };

static void walk(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr);

/* ---- what was seen: a hash table by address ---- */

static size_t slot_of(const struct cover *cv, const struct cover_key *k)
{
    uintptr_t h = (uintptr_t)k->a * 31 + (uintptr_t)k->b * 1000003 + (uintptr_t)k->c * 7919 + k->n;
    size_t i = (size_t)(h ^ (h >> 17)) & (cv->cap_keys - 1);
    while (cv->keys[i].a && (cv->keys[i].a != k->a || cv->keys[i].b != k->b || cv->keys[i].c != k->c || cv->keys[i].n != k->n)) i = (i + 1) & (cv->cap_keys - 1);
    return i;
}

/* The entry of a key, made when it is new; *fresh says so. */
static struct cover_key *entry(struct cover *cv, struct cover_key k, bool *fresh)
{
    if (2 * (cv->nkeys + 1) > cv->cap_keys) {
        struct cover_key *old = cv->keys;
        size_t n = cv->cap_keys;
        cv->cap_keys = n ? n * 2 : 256;
        cv->keys = ARENA_ARRAY(cv->a, struct cover_key, cv->cap_keys);
        for (size_t i = 0; i < n; i++)
            if (old[i].a) cv->keys[slot_of(cv, &old[i])] = old[i];
    }
    struct cover_key *e = &cv->keys[slot_of(cv, &k)];
    *fresh = e->a == NULL;
    if (*fresh) {
        *e = k;
        cv->nkeys++;
    }
    return e;
}

/* The arguments of a fn by content: their nodes are interned. */
static const void *arguments_id(struct walker *w, const struct frame *fr)
{
    const void *id = NULL;
    bool fresh;
    for (size_t i = 0; fr && i < fr->fn->nparams; i++) {
        struct cover_key *e = entry(w->cv, (struct cover_key){fr->args[i], id, fr->fn, 1000 + i, NULL}, &fresh);
        if (fresh) e->item = ARENA_NEW(w->cv->a, struct cover_item);      /* only its address is wanted */
        id = e->item;
    }
    return id;
}

/* ---- items and points ---- */

static const char *excerpt(struct walker *w, struct span at)
{
    struct buf b = {0};
    bool blank = false;
    struct str s = span_text(w->cv->c->spec->sources, at);
    for (size_t i = 0; i < s.n; i++) {
        bool space = s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\t' || s.p[i] == '\r';
        if (!space) {
            if (blank && b.n) buf_byte(&b, ' ');
            buf_byte(&b, (unsigned char)s.p[i]);
        }
        blank = space;
    }
    const char *text = diag_str(&w->cv->c->diags, buf_view(&b));
    buf_free(&b);
    return text;
}

static struct cover_item *new_item(struct cover *cv, enum cover_kind kind, struct span at, struct str where, const char *what)
{
    struct cover_item *it = ARENA_NEW(cv->a, struct cover_item);
    *it = (struct cover_item){.kind = kind, .at = at, .where = where, .what = what};
    *cv->end = it;
    cv->end = &it->next;
    return it;
}

/* The item of a branch: one, however often a fn is called or a let is used. */
static struct cover_item *item(struct walker *w, const void *node, size_t n, enum cover_kind kind, struct span at, const char *form)
{
    bool fresh;
    struct cover_key *e = entry(w->cv, (struct cover_key){node, NULL, NULL, n * 16 + kind, NULL}, &fresh);
    if (!fresh) return e->item;
    struct str where = w->fn ? str_of(arena_printf(w->cv->a, "fn %.*s", (int)w->fn->name.n, w->fn->name.p)) : w->where;
    struct cover_item *it = new_item(w->cv, kind, at, where, arena_printf(w->cv->a, form, excerpt(w, at)));
    return e->item = it;
}

static struct cover_point *point(struct walker *w, struct cover_item *it, struct ir *ir, const struct tx *leads)
{
    if (ir->ty.kind != TY_VALUE) return NULL;
    struct cover_point *p = ARENA_NEW(w->cv->a, struct cover_point);
    *p = (struct cover_point){.item = it, .ir = ir, .field = w->field, .rejects = leads && leads->kind == TX_REJECT};
    *w->group->end = p;
    w->group->end = &p->next;
    w->group->npoints++;
    return p;
}

static struct ir *both(struct walker *w, struct ir *a, struct ir *b) { return ir_if(w->low.g, a, b, ir_bool(w->low.g, false)); }
static struct ir *not(struct walker *w, struct ir *a) { return ir_make1(w->low.g, IR_NOT, a); }
static bool value(const struct ir *x) { return x->ty.kind == TY_VALUE; }

/* ---- conditions ---- */

static bool junction(const struct tx *x) { return x->kind == TX_BINARY && (x->op == OP_AND || x->op == OP_OR); }

/* Both outcomes of a condition that is no `and`, `or` itself. */
static void outcomes(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    struct ir *c = lower__expr(&w->low, x, fr);
    if (junction(x) || !value(c) || x->kind == TX_CONST) return;
    point(w, item(w, x, 0, COVER_TRUE, x->at, "`%s` being true"), both(w, reach, c), NULL);
    point(w, item(w, x, 0, COVER_FALSE, x->at, "`%s` being false"), both(w, reach, not(w, c)), NULL);
}

static void operands(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    struct ir *left = lower__expr(&w->low, x->args[0], fr);
    outcomes(w, x->args[0], reach, fr);
    walk(w, x->args[0], reach, fr);
    if (!value(left)) return;
    reach = both(w, reach, x->op == OP_AND ? left : not(w, left));
    outcomes(w, x->args[1], reach, fr);
    walk(w, x->args[1], reach, fr);
}

/* ---- branches ---- */

static void otherwise(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    const struct tx *left = x->args[0], *right = x->args[1];
    if (left->kind == TX_EACH) {       /* whether a line passes is known when the lines were looked at */
        walk(w, left, reach, fr);
        struct cover_group *g = w->flow->lines;
        while (g && g->each != left->each) g = g->next;
        if (!g) return;
        g->some = item(w, x, 0, COVER_LEFT, left->at, "a line that passes: `%s`");
        g->none = item(w, x, 0, COVER_RIGHT, right->at, "no line that passes: `%s`");
        g->none_rejects = right->kind == TX_REJECT;
        return;
    }
    walk(w, left, reach, fr);
    struct ir *l = lower__expr(&w->low, left, fr);
    if (l->ty.kind != TY_VALUE && l->ty.kind != TY_NULL) return;
    struct ir *there = ir_make1(w->low.g, IR_IS, l), *absent = both(w, reach, not(w, there));
    point(w, item(w, x, 0, COVER_LEFT, left->at, "the left of `??`: `%s`"), both(w, reach, there), NULL);
    point(w, item(w, x, 0, COVER_RIGHT, right->at, "the right of `??`: `%s`"), absent, right);
    walk(w, right, absent, fr);
}

static struct ir *patterns(struct walker *w, struct ir *subject, const struct tx_arm *arm)
{
    struct ir *c = ir_bool(w->low.g, false);
    for (size_t i = arm->npatterns; i-- > 0;)
        c = ir_if(w->low.g, ir_make2(w->low.g, IR_EQ, subject, ir_const(w->low.g, &arm->patterns[i])), ir_bool(w->low.g, true), c);
    return c;
}

static void match(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    struct ir *subject = x->nargs ? lower__expr(&w->low, x->args[0], fr) : NULL;
    if (x->nargs) walk(w, x->args[0], reach, fr);
    if (subject && subject->ty.kind != TY_VALUE && subject->ty.kind != TY_NULL) return;
    for (size_t i = 0; i < x->narms; i++) {
        const struct tx_arm *arm = &x->arms[i];
        struct ir *taken = reach;
        if (!arm->otherwise) {
            if (!subject) walk(w, arm->condition, reach, fr);
            struct ir *c = subject ? patterns(w, subject, arm) : lower__expr(&w->low, arm->condition, fr);
            if (!value(c)) return;
            taken = both(w, reach, c);
            reach = both(w, reach, not(w, c));
        }
        point(w, item(w, x, i, COVER_ARM, arm->at, "the arm `%s`"), taken, arm->value);
        walk(w, arm->value, taken, fr);
    }
}

static struct cover_table *table_items(struct walker *w, const struct table *t)
{
    struct cover *cv = w->cv;
    for (struct cover_table *x = cv->tables; x; x = x->next)
        if (x->table == t) return x;
    struct cover_table *x = ARENA_NEW(cv->a, struct cover_table);
    struct str where = str_of(arena_printf(cv->a, "table %.*s", (int)t->name.n, t->name.p));
    bool written = t->nrows == 0 || t->rows[0].at.file == t->at.file;
    *x = (struct cover_table){.table = t, .next = cv->tables};
    cv->tables = x;
    if (written) x->rows = ARENA_ARRAY(cv->a, struct cover_item *, t->nrows + 1);
    else x->hit = new_item(cv, COVER_HIT, t->at, where, "a key that the file has");
    for (size_t i = 0; written && i < t->nrows; i++)
        x->rows[i] = new_item(cv, COVER_ROW, t->rows[i].at, where, arena_printf(cv->a, "the row `%s`", excerpt(w, t->rows[i].at)));
    x->miss = new_item(cv, COVER_MISS, t->at, where, t->has_else ? "a key that it has not: its else" : "a key that it has not");
    return x;
}

static void look_up(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    struct ir *key = lower__expr(&w->low, x->args[0], fr);
    struct cover_table *t = table_items(w, x->table);
    walk(w, x->args[0], reach, fr);
    if (!value(key)) return;
    struct cover_point *p = point(w, NULL, ir_if(w->low.g, reach, key, ir_absent(w->low.g, &key->ty.t)), NULL);
    if (p) p->table = t;
}

static void later(struct walker *w, const struct let *let, struct frame frame, const struct tx *behind, struct ir *reach)
{
    struct pending **at = &w->pending;
    for (; *at; at = &(*at)->next) {
        struct pending *p = *at;
        if (p->let != let || p->frame.fn != frame.fn || (frame.fn && memcmp(p->frame.args, frame.args, frame.fn->nparams * sizeof *frame.args) != 0)) continue;
        p->reach = ir_if(w->low.g, p->reach, ir_bool(w->low.g, true), reach);
        return;
    }
    *at = ARENA_NEW(w->cv->a, struct pending);
    **at = (struct pending){let, frame, behind, reach, NULL};
}

static void call_fn(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    struct ir **args = ARENA_ARRAY(w->cv->a, struct ir *, x->nargs + 1);
    for (size_t i = 0; i < x->nargs; i++) {
        walk(w, x->args[i], reach, fr);
        args[i] = lower__expr(&w->low, x->args[i], fr);
    }
    later(w, NULL, (struct frame){x->fn, args, NULL}, x->fn->body, reach);
}

/* An expression and all that it needs, the deepest first: its users are done then. */
static void root(struct walker *w, const struct tx *x, struct ir *reach)
{
    walk(w, x, reach, NULL);
    while (w->pending) {
        struct pending **deepest = &w->pending;
        for (struct pending **at = &w->pending; *at; at = &(*at)->next)
            if ((*at)->value->depth > (*deepest)->value->depth) deepest = at;
        struct pending *p = *deepest;
        *deepest = p->next;
        w->fn = p->frame.fn;
        walk(w, p->value, p->reach, p->frame.fn ? &p->frame : NULL);
        w->fn = NULL;
    }
}

static void forget_lets(struct walker *w, bool mapping)
{
    w->low.nlets = 0;
    w->low.calls = NULL;
    w->low.mapping = mapping;
}

static void lines(struct walker *w, const struct each *e)
{
    struct cover_group *outer = w->group, *g = ARENA_NEW(w->cv->a, struct cover_group);
    struct pending *outer_pending = w->pending;
    struct str where = w->where;
    struct ir *yes = ir_bool(w->low.g, true), *pass = yes;
    w->pending = NULL;
    struct cover_group **end = &w->flow->lines;
    while (*end) end = &(*end)->next;
    *g = (struct cover_group){.each = e, .field = w->field, .end = &g->points};
    *end = w->group = g;
    w->low.each = e;
    forget_lets(w, false);
    if (e->when) {
        outcomes(w, e->when, yes, NULL);
        root(w, e->when, yes);
        pass = lower__expr(&w->low, e->when, NULL);
    }
    g->gate = point(w, NULL, pass, NULL);
    forget_lets(w, true);
    for (size_t i = 0; value(pass) && i < e->nfields; i++) {
        w->where = str_of(arena_printf(w->cv->a, "%.*s.%.*s", (int)where.n, where.p, (int)e->fields[i]->column->name.n, e->fields[i]->column->name.p));
        root(w, e->fields[i]->value, pass);
    }
    forget_lets(w, true);
    w->low.each = NULL;
    w->where = where;
    w->group = outer;
    w->pending = outer_pending;
}

static void walk(struct walker *w, const struct tx *x, struct ir *reach, const struct frame *fr)
{
    bool fresh;
    if (!value(reach)) return;
    if (w->cv->visits >= COVER_VISITS) {
        w->cv->incomplete = true;
        return;
    }
    w->cv->visits++;
    const void *rows = w->group == &w->flow->when ? NULL : (const void *)w->group;
    entry(w->cv, (struct cover_key){x, reach, arguments_id(w, fr), 1 + ((uintptr_t)rows ^ w->field), NULL}, &fresh);
    if (!fresh) return;
    switch (x->kind) {
    case TX_LET: later(w, x->let, (struct frame){NULL, NULL, NULL}, x->let->value, reach); return;
    case TX_INLINE: call_fn(w, x, reach, fr); return;
    case TX_MATCH: match(w, x, reach, fr); return;
    case TX_TABLE: look_up(w, x, reach, fr); return;
    case TX_EACH: lines(w, x->each); return;
    case TX_BINARY:
        if (x->op == OP_ELSE) otherwise(w, x, reach, fr);
        else if (junction(x)) operands(w, x, reach, fr);
        else for (size_t i = 0; i < 2; i++) walk(w, x->args[i], reach, fr);
        return;
    default:
        for (size_t i = 0; i < x->nargs; i++) walk(w, x->args[i], reach, fr);
    }
}

static struct cover_flow *one_flow(struct cover *cv, const struct flow *f)
{
    struct cover_flow *cf = ARENA_NEW(cv->a, struct cover_flow);
    struct walker w = {.cv = cv, .flow = cf, .low = {.g = &cv->graph, .out = &cv->c->lowered, .flow = f}};
    struct str name = f->name;
    *cf = (struct cover_flow){.flow = f, .production = image_flow_named(cv->im, f->name)};
    cf->when.end = &cf->when.points;
    cf->map.end = &cf->map.points;
    ir_begin(&cv->graph);
    struct ir *yes = ir_bool(w.low.g, true);
    cf->item = new_item(cv, COVER_FLOW, f->at, name, "a row that is mapped");
    w.group = &cf->when;
    if (f->when) {
        w.where = str_of(arena_printf(cv->a, "%.*s.when", (int)name.n, name.p));
        outcomes(&w, f->when, yes, NULL);
        root(&w, f->when, yes);
    }
    w.group = &cf->map;
    forget_lets(&w, true);
    if (f->into_key) {
        w.where = str_of(arena_printf(cv->a, "%.*s.into", (int)name.n, name.p));
        root(&w, f->into_key, yes);
    }
    for (size_t i = 0; i < f->nfields; i++) {
        if (!f->fields[i]->value) continue;
        w.field = (unsigned)i + 1;
        w.where = str_of(arena_printf(cv->a, "%.*s.%.*s", (int)name.n, name.p, (int)f->fields[i]->column->name.n, f->fields[i]->column->name.p));
        root(&w, f->fields[i]->value, yes);
    }
    return cf;
}

void cover__walk(struct cover *cv)
{
    struct cover_flow **end = &cv->flows;
    for (const struct flow *f = cv->c->spec->flows; f != NULL; f = f->next) {
        *end = one_flow(cv, f);
        end = &(*end)->next;
    }
}
