/* check_flow.c - a flow's head and clauses, in the order that makes every clause see what it needs: places, lets, when, key, fields, events.
 *
 *   from SOURCE.TABLE [via door] to TARGET.MODULE { every, reread, key, adopt, when, on, fuse, trigger, let, fields } */
#include "dsl/check.h"
#include "base/check.h"
#include "base/limits.h"

/* ---- places ---- */

static struct endpoint *side(struct check *c, const struct ast_place *p, bool target)
{
    struct endpoint *ep = resolve__endpoint(c, &p->endpoint);
    if (ep == NULL || ep->system == NULL) return NULL;
    if (ep->target == target) return ep;
    diag_also(diag2(c->ds, p->endpoint.at, D_WRONG_SIDE, diag_str(c->ds, ep->name), target ? "a target" : "a source"), ep->at, "declared here");
    return NULL;
}

static void add_company(struct check *c, struct flow *f, const struct endpoint *ep, const struct ast *place)
{
    const struct setting *s = settings__get(ep, "company");
    if (s != NULL && s->kind == 0 /* text */) {
        for (size_t i = 0; i < f->ncompanies; i++)
            if (str_eq(f->companies[i], s->value)) {
                diag2(c->ds, place->at, D_COMPANIES, diag_str(c->ds, ep->name), "reads the same company as one before");
                return;
            }
        f->companies[f->ncompanies++] = s->value;
    } else if (f->ast->from.n > 1)
        diag2(c->ds, place->at, D_COMPANIES, diag_str(c->ds, ep->name), "needs its company as a plain text here");
}

static void read_from(struct check *c, struct flow *f)
{
    f->companies = ARENA_ARRAY(c->a, struct str, f->ast->from.n + 1);
    f->sources = ARENA_ARRAY(c->a, struct endpoint *, f->ast->from.n + 1);
    struct str entity = {0};
    AST_EACH(n, f->ast->from) {
        const struct ast_place *p = AST_AS(place, n);
        struct endpoint *ep = side(c, p, false);
        if (ep == NULL) {
            f->source = NULL;
            return;
        }
        if (f->source == NULL) {
            f->source = ep;
            entity = p->entity.text;
            f->entity = schema__find(c, ep, entity, p->entity.at, false);
            if (f->entity == NULL || !schema__there(c, f->entity, p->entity.at)) return;
        } else if (!str_eq(p->entity.text, entity)) {
            diag2(c->ds, n->at, D_COMPANIES, diag_str(c->ds, ep->name), "reads another table than the first source");
            continue;
        } else if (ep->system != f->source->system) {
            diag2(c->ds, n->at, D_COMPANIES, diag_str(c->ds, ep->name), "is of another system than the first source");
            continue;
        }
        f->sources[f->nsources++] = ep;
        add_company(c, f, ep, n);
    }
}

/* The door is set up in every source of the flow. */
static void door_is_set(struct check *c, const struct flow *f, struct str door, struct span at)
{
    for (size_t i = 0; i < f->nsources; i++) {
        const struct endpoint *ep = f->sources[i];
        if (settings__get(ep, arena_copy(c->a, door.p, door.n))) continue;
        diag_help(diag_also(diag2(c->ds, at, D_DOOR_SETTING, diag_str(c->ds, ep->name), diag_str(c->ds, door)), ep->at, "declared here"),
                  "add to the source: %s = env(\"...\")", diag_str(c->ds, door));
    }
}

/* What the flow reads is of one type in every source: extend may have added a column to one only. */
static void same_columns(struct check *c, struct flow *f)
{
    for (size_t i = 1; i < f->nsources; i++) {
        const struct schema *other = schema__find(c, f->sources[i], f->entity->name, f->at, false);
        for (size_t k = 0; other && k < f->entity->ncolumns; k++) {
            const struct column *a = &f->entity->columns[k], *b = schema__column(other, a->name);
            if (!f->reads[k] || !a->known_type) continue;
            if (b && b->known_type && type_fits(&b->type, &a->type)) continue;
            struct diag *d = diag2(c->ds, f->at, D_COMPANIES, diag_str(c->ds, f->sources[i]->name),
                                   arena_printf(c->a, b ? "has the column %s of another type" : "has no column %s", diag_str(c->ds, a->name)));
            diag_also(d, a->at, "in the first source");
            if (b) diag_also(d, b->at, "declared here");
        }
    }
}

static void lacks_table(struct check *c, struct flow *f, struct span at, struct str door)
{
    struct diag *d = diag2(c->ds, at, D_DOOR_LACKS_TABLE, diag_str(c->ds, door), diag_str(c->ds, f->entity->name));
    diag_also(d, f->entity->at, "declared here");
    if (f->entity->doors == SCHEMA_NO_DOOR) diag_help(d, "no door of %s has it yet; only its columns are known", diag_str(c->ds, f->entity->system->name));
}

static void read_door(struct check *c, struct flow *f)
{
    const struct system *sys = f->entity->system;
    f->door = 0;
    f->via = f->ast->via.text;
    if (sys->ndoors == 0) {
        if (f->via.n) diag2(c->ds, f->ast->via.at, D_UNKNOWN_DOOR, diag_str(c->ds, sys->name), diag_str(c->ds, f->via));
        return;
    }
    if (f->via.n) {
        while (f->door < sys->ndoors && !str_eq(sys->doors[f->door], f->via)) f->door++;
        if (f->door == sys->ndoors) {
            struct diag_nearest near = diag_nearest_begin(f->via);
            for (size_t i = 0; i < sys->ndoors; i++) diag_nearest_try(&near, sys->doors[i]);
            resolve__hint(diag2(c->ds, f->ast->via.at, D_UNKNOWN_DOOR, diag_str(c->ds, sys->name), diag_str(c->ds, f->via)), &near);
            f->door = 0;
            return;
        }
    }
    struct str door = sys->doors[f->door];
    struct span at = f->via.n ? f->ast->via.at : f->ast->from.first->at;
    if (f->entity->doors && !(f->entity->doors & (1u << f->door)))
        lacks_table(c, f, at, door);
    else door_is_set(c, f, door, at);
}

static void check_edition(struct check *c, struct flow *f, const struct ast_place *p)
{
    const struct setting *ed = settings__get(f->target, "edition");
    if (!schema__there(c, f->module, p->entity.at)) return;
    if (ed == NULL || f->module->editions.n == 0 || f->module->lock) return;      /* what the org has, its edition has */
    AST_EACH(n, f->module->editions)
        if (n->kind == AST_CHOICE && str_eq(AST_AS(choice, n)->name.text, ed->value)) return;
    struct diag *d = diag2(c->ds, p->entity.at, D_MODULE_EDITION, diag_str(c->ds, ed->value), diag_str(c->ds, f->module->name));
    diag_also(d, ed->at, "the edition is set here");
    diag_also(d, f->module->at, "the module is declared here");
    struct buf names = {0};
    AST_EACH(n, f->module->editions)
        if (n->kind == AST_CHOICE) buf_printf(&names, "%s%s", names.n ? ", " : "", diag_str(c->ds, AST_AS(choice, n)->name.text));
    diag_help(d, "the editions with it: %s; leave the flow out, or correct `edition`", buf_cstr(&names));
    buf_free(&names);
}

/* More fields for the records of a flow that has records of its own. */
static bool other_flow(struct check *c, struct flow *f, const struct ast_into *n)
{
    struct flow *to = resolve__flow(c, &n->flow);
    if (to == NULL || to->ast->to == NULL) return false;
    if (to->ast->to->kind == AST_INTO) {
        diag_also(diag2(c->ds, n->flow.at, D_OTHER_RECORDS, diag_str(c->ds, to->name), "it adds to the records of another flow"), to->at, "the flow");
        return false;
    }
    if (!to->headed || !f->source || !f->entity) return false;
    f->into = to;
    f->target = to->target;
    f->module = to->module;
    return check__same_companies(c, f, to, n->flow.at);
}

static bool own_module(struct check *c, struct flow *f, const struct ast_place *p)
{
    f->target = side(c, p, true);
    if (f->target) f->module = schema__find(c, f->target, p->entity.text, p->entity.at, true);
    if (!f->source || !f->entity || !f->module) return false;
    check_edition(c, f, p);
    if (f->module->read_only)
        diag_also(diag1(c->ds, p->entity.at, D_MODULE_READ_ONLY, diag_str(c->ds, f->module->name)), f->module->at, "declared here");
    return true;
}

static bool places(struct check *c, struct flow *f)
{
    read_from(c, f);
    if (f->ast->to == NULL) return false;
    if (f->ast->to->kind == AST_INTO ? !other_flow(c, f, AST_AS(into, f->ast->to)) : !own_module(c, f, AST_AS(place, f->ast->to))) return false;
    read_door(c, f);
    if (f->entity->lines)
        diag_help(diag_also(diag1(c->ds, f->ast->from.first->at, D_LINE_TABLE, diag_str(c->ds, f->entity->name)), f->entity->at, "declared here"),
                  "read the header's table, and make the lines there: FIELD = each line in Lines { key line.LineKey ... }");
    size_t keys = 0;
    for (size_t i = 0; i < f->entity->ncolumns; i++) keys += f->entity->columns[i].key;
    if (keys == 0 || keys > LIMIT_KEY_PARTS) diag1(c->ds, f->ast->from.first->at, D_NO_SOURCE_KEY, diag_str(c->ds, f->entity->name));
    return true;
}

/* ---- lets ---- */

enum { LET_NEW, LET_OPEN, LET_DONE, LETS_MAX = 2000 };

void check__let(struct check *c, struct flow *f, struct let *l)
{
    if (l->state == LET_DONE) return;
    if (l->state == LET_OPEN) {
        diag1(c->ds, l->at, D_LET_CYCLE, diag_str(c->ds, l->name));
        return;
    }
    l->state = LET_OPEN;
    struct tx *x = check__expr(c, (struct scope){.flow = f, .each = l->each}, l->ast->value, 0);
    if (x->ty.kind == TY_NULL || x->ty.kind == TY_NEVER) {
        diag1(c->ds, x->at, D_NULL_ALONE, "a let");
        x = check__poison(c, x->at);
    }
    l->value = x;
    l->state = LET_DONE;
}

struct let *check__let_named(struct check *c, struct scope sc, struct str name)
{
    if (sc.flow == NULL) return NULL;
    for (struct let *l = sc.each ? sc.each->lets : NULL; l != NULL; l = l->next)
        if (str_eq(l->name, name)) {
            check__let(c, sc.flow, l);
            return l;
        }
    for (struct let *l = sc.flow->lets; l != NULL; l = l->next)
        if (str_eq(l->name, name)) {
            check__let(c, sc.flow, l);
            return l;
        }
    return NULL;
}

static void collect_lets(struct check *c, struct flow *f)
{
    struct let **tail = &f->lets;
    size_t count = 0;
    AST_EACH(n, f->ast->clauses) {
        if (n->kind != AST_LET) continue;
        struct ast_let *a = AST_AS(let, n);
        const struct column *col = schema__column(f->entity, a->name.text);
        const struct let *before = f->lets;
        while (before && !str_eq(before->name, a->name.text)) before = before->next;
        if (before || col) {
            diag_also(diag1(c->ds, a->name.at, D_DUPLICATE_NAME, diag_str(c->ds, a->name.text)), before ? before->at : col->at,
                      before ? "first here" : "a column has this name");
            continue;
        }
        *tail = ARENA_NEW(c->a, struct let);
        **tail = (struct let){.name = a->name.text, .at = a->name.at, .ast = a};
        tail = &(*tail)->next;
        if (++count < LETS_MAX) continue;
        diag1(c->ds, a->name.at, D_LIMIT, "2,000 lets in one flow");
        break;
    }
    for (struct let *l = f->lets; l != NULL; l = l->next) check__let(c, f, l);
}

/* ---- single clauses ---- */

static int64_t period(const struct ast *n)
{
    return n && n->kind == AST_DURATION ? AST_AS(duration, n)->ms : 0;
}

static void fuse(struct check *c, struct flow *f, const struct ast_fuse *n)
{
    int64_t count = 0;
    if (n->count && (!str_to_i64(AST_AS(number, n->count)->digits, &count) || count < 1 || count > UINT32_MAX))
        diag1(c->ds, n->count->at, D_BAD_FUSE, "a whole number of records, at least 1");
    if (n->percent && AST_AS(percent, n->percent)->hundredths < 1) diag1(c->ds, n->percent->at, D_BAD_FUSE, "more than 0%");
    f->fuse_count = (uint32_t)count;
    f->fuse_percent = n->percent ? (uint32_t)AST_AS(percent, n->percent)->hundredths : 0;
}

/* What Zoho may run on our writes (facts/zoho-crm.md 4.1); without the clause nothing. */
static void trigger(struct check *c, struct flow *f, const struct ast_trigger *n)
{
    const struct { const char *word; bool *flag; } words[] = {
        {"workflow", &f->trigger_workflow}, {"approval", &f->trigger_approval}, {"blueprint", &f->trigger_blueprint}};
    AST_EACH(w, n->what) {
        struct str word = AST_AS(choice, w)->name.text;
        struct diag_nearest near = diag_nearest_begin(word);
        size_t i = 0;
        for (; i < sizeof words / sizeof *words && !str_is(word, words[i].word); i++) diag_nearest_try(&near, str_of(words[i].word));
        if (i == sizeof words / sizeof *words) {
            struct diag *d = diag1(c->ds, w->at, D_UNKNOWN_TRIGGER, diag_str(c->ds, word));
            resolve__hint(d, &near);
            if (!diag_nearest_found(&near)) diag_help(d, "there are workflow, approval and blueprint");
        } else if (*words[i].flag) diag1(c->ds, w->at, D_DUPLICATE_NAME, diag_str(c->ds, word));
        else *words[i].flag = true;
    }
}

static void moved(struct check *c, struct flow *f, const struct ast_moved *n)
{
    f->moved_from = n->from.text;
    f->moved_at = n->from.at;
    for (const struct flow *g = c->spec->flows; g != NULL; g = g->next) {
        if (str_eq(g->name, n->from.text))
            diag_also(diag2(c->ds, n->from.at, D_BAD_MOVE, diag_str(c->ds, n->from.text), "there is a flow of this name"), g->at, "here");
        else if (g != f && str_eq(g->moved_from, f->moved_from))
            diag_also(diag2(c->ds, n->from.at, D_BAD_MOVE, diag_str(c->ds, n->from.text), "another flow is moved from it already"), g->moved_at, "here");
    }
}

/* A condition decides about a row before there is a record to set aside. */
void check__no_reject(struct check *c, const struct tx *x, const char *who)
{
    if (x->facts & FACT_REJECTS) diag_help(diag1(c->ds, x->at, D_REJECT_IN_CONDITION, who), "say what holds instead: ?? with a value");
}

static void adopt(struct check *c, struct flow *f, const struct ast_adopt *n)
{
    const struct column *col = schema__column(f->module, n->field.text);
    f->adopt_at = n->base.at;
    f->adopt = check__expr(c, (struct scope){.flow = f}, n->value, 0);
    check__no_reject(c, f->adopt, "`adopt by`");
    if (col == NULL) {
        struct diag_nearest near = diag_nearest_begin(n->field.text);
        for (size_t i = 0; i < f->module->ncolumns; i++) diag_nearest_try(&near, f->module->columns[i].name);
        resolve__hint(diag2(c->ds, n->field.at, D_UNKNOWN_FIELD, diag_str(c->ds, f->module->name), diag_str(c->ds, n->field.text)), &near);
        return;
    }
    f->adopt_field = schema__column(f->module, n->field.text);
    if (f->adopt->ty.kind == TY_POISON) return;
    struct type want = col->type;
    want.optional = true;
    if (!col->known_type || col->type.base != T_TEXT || !ty_is(&f->adopt->ty, T_TEXT)) {
        struct diag *d = diag2(c->ds, n->base.at, D_TYPE_NEEDED, "`adopt by` compares two texts",
                               ty_is(&f->adopt->ty, T_TEXT) ? types_show(c->a, &want) : check__show(c, &f->adopt->ty));
        diag_also(d, col->at, "declared here");
    }
}

static void when(struct check *c, struct flow *f, const struct ast_when *n)
{
    f->when_at = n->base.at;
    f->when = check__condition(c, (struct scope){.flow = f}, n->condition, "`when`");
    check__no_reject(c, f->when, "`when`");
}

static const char *clause_word(const struct ast *n)
{
    if (n->kind == AST_ON) return AST_AS(on, n)->event == EVENT_LEAVE ? "on leave" : "on delete";
    return ast_kind_name((enum ast_kind)n->kind);
}

/* A clause that may stand once; the other place when it stands twice. */
static bool once_only(struct check *c, const struct flow *f, const struct ast *me)
{
    AST_EACH(n, f->ast->clauses) {
        if (n == me) return true;
        if (n->kind != me->kind || (n->kind == AST_ON && AST_AS(on, n)->event != AST_AS(on, me)->event)) continue;
        diag_also(diag1(c->ds, me->at, D_CLAUSE_TWICE, clause_word(me)), n->at, "first here");
        return false;
    }
    return true;
}

/* A flow that adds to records of another one does not make them. */
static bool fits_into(struct check *c, const struct flow *f, const struct ast *n)
{
    bool once = n->kind == AST_FIELD && AST_AS(field, n)->mode == MODE_ONCE;
    if (f->into == NULL || !(n->kind == AST_KEY || n->kind == AST_ADOPT || once)) return true;
    diag_also(diag2(c->ds, n->at, D_INTO_CLAUSE, once ? "once" : clause_word(n), diag_str(c->ds, f->into->name)), f->into->at, "that flow");
    return n->kind == AST_FIELD;
}

static void clause(struct check *c, struct flow *f, struct ast *n)
{
    if (n->kind != AST_FIELD && n->kind != AST_LET && !once_only(c, f, n)) return;
    if (!fits_into(c, f, n)) return;
    switch ((enum ast_kind)n->kind) {
    case AST_EVERY: f->every_ms = period(AST_AS(every, n)->period); break;
    case AST_REREAD: f->reread_ms = period(AST_AS(reread, n)->period); break;
    case AST_KEY: check__key_clause(c, f, AST_AS(key, n)); break;
    case AST_ADOPT: adopt(c, f, AST_AS(adopt, n)); break;
    case AST_WHEN: when(c, f, AST_AS(when, n)); break;
    case AST_FUSE: fuse(c, f, AST_AS(fuse, n)); break;
    case AST_TRIGGER: trigger(c, f, AST_AS(trigger, n)); break;
    case AST_GUARD: f->guard = true; break;
    case AST_MOVED: moved(c, f, AST_AS(moved, n)); break;
    case AST_FIELD: check__field_line(c, f, AST_AS(field, n)); break;
    default: break;
    }
}

static const struct ast *clause_of(const struct flow *f, enum ast_kind k)
{
    AST_EACH(n, f->ast->clauses)
        if (n->kind == k) return n;
    return NULL;
}

static void complete(struct check *c, struct flow *f)
{
    const struct ast *every = clause_of(f, AST_EVERY), *reread = clause_of(f, AST_REREAD);
    if (c->broken) return;
    if (!every) diag_help(diag2(c->ds, f->at, D_CLAUSE_MISSING, diag_str(c->ds, f->name), "every"), "write for example: every 15m");
    if (!clause_of(f, AST_KEY) && f->into == NULL)
        diag_help(diag2(c->ds, f->at, D_CLAUSE_MISSING, diag_str(c->ds, f->name), "key"), "write `key FIELD` with a unique text field of %s",
                  diag_str(c->ds, f->module->name));
    if (every && f->every_ms < 1000) diag2(c->ds, every->at, D_PERIOD, "every", "at least a second");
    if (every && reread && f->reread_ms < f->every_ms)
        diag_also(diag2(c->ds, reread->at, D_PERIOD, "reread", "no shorter than every"), every->at, "every is set here");
    if (!clause_of(f, AST_FIELD)) diag1(c->ds, f->at, D_NO_FIELDS, diag_str(c->ds, f->name));
    if (f->nfields > LIMIT_FIELDS) diag1(c->ds, f->at, D_LIMIT, "500 fields in one flow");
}

void check__flow_head(struct check *c, struct flow *f)
{
    f->headed = places(c, f);
}

void check__flow(struct check *c, struct flow *f)
{
    static const enum ast_kind order[] = {AST_EVERY, AST_REREAD, AST_FUSE, AST_TRIGGER, AST_GUARD, AST_MOVED, AST_KEY, AST_WHEN, AST_ADOPT, AST_FIELD};
    if (!f->headed) return;
    f->reads = ARENA_ARRAY(c->a, bool, f->entity->ncolumns + 1);
    f->fields = ARENA_ARRAY(c->a, struct field *, f->ast->clauses.n + 2 * f->module->ncolumns + 2);
    for (size_t i = 0; i < f->entity->ncolumns; i++)
        if (f->entity->columns[i].key) f->reads[i] = true;
    collect_lets(c, f);
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        AST_EACH(n, f->ast->clauses)
            if (n->kind == order[k]) clause(c, f, n);
    AST_EACH(n, f->ast->clauses)
        if (n->kind == AST_ON && once_only(c, f, n)) check__event(c, f, AST_AS(on, n));
    complete(c, f);
    same_columns(c, f);
    if (f->into) check__into_key(c, f, AST_AS(into, f->ast->to));
    else check__required(c, f);
}
