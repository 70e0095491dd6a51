/* doc_flow.c - one flow of the dictionary: which rows, how often, under which key, what happens to those that leave, and every field. */
#include "compiler/doc/doc_private.h"
#include "compiler/emit.h"
#include <stdio.h>

static void code_of(struct page *p, const char *fmt, struct str a, struct str b)
{
    struct buf t = {0};
    buf_printf(&t, fmt, (int)a.n, a.p, (int)b.n, b.p);
    page_code(p, buf_view(&t));
    buf_free(&t);
}

static void number(struct page *p, uint64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    page_text(p, text);
}

void doc__cadence(struct page *p, const struct flow *f)
{
    page_text(p, "every ");
    words_period(p, f->every_ms);
    if (f->reread_ms == 0) return;
    page_text(p, "; the whole table every ");
    words_period(p, f->reread_ms);
}

void doc__key_parts(struct page *p, const struct flow *f)
{
    size_t n = 0, all = 0;
    for (size_t i = 0; i < f->entity->ncolumns; i++) all += f->entity->columns[i].key;
    for (size_t i = 0; i < f->entity->ncolumns; i++) {
        if (!f->entity->columns[i].key) continue;
        page_text(p, n == 0 ? "" : n + 1 == all ? " and " : ", ");
        page_code(p, f->entity->columns[i].name);
        n++;
    }
}

/* ---- facts ---- */

static void fact(struct page *p, const char *name)
{
    page_item(p);
    page_strong(p, name);
    page_text(p, ": ");
}

static void key(struct page *p, const struct flow *f)
{
    struct words w = {.p = p, .flow = f};
    fact(p, "Key");
    if (f->into) {
        page_text(p, "adds to ");
        words_rule(&w, f->into_key);
    } else {
        page_code(p, f->key->column->name);
        page_text(p, " = ");
        if (f->key_value) words_rule(&w, f->key_value);
        else {
            page_text(p, f->key_with_flow ? "flow, company, " : "company, ");
            doc__key_parts(p, f);
            page_text(p, ", parted by ");
            page_code(p, STR("~"));
        }
    }
    page_item_end(p);
}

static void companies(struct page *p, const struct flow *f)
{
    fact(p, f->ncompanies > 1 ? "Companies" : "Company");
    for (size_t i = 0; i < f->ncompanies; i++) {
        if (i) page_text(p, ", ");
        page_code(p, f->companies[i]);
        page_text(p, " (");
        page_code(p, f->sources[i < f->nsources ? i : 0]->name);
        page_text(p, ")");
    }
    page_item_end(p);
}

static void event(struct page *p, const char *name, const struct event *ev, const char *without)
{
    fact(p, name);
    if (!ev->present) page_text(p, without);
    for (size_t i = 0; i < ev->n; i++) {
        page_text(p, i ? ", " : "");
        page_code(p, ev->fields[i]->column->name);
        page_text(p, " becomes ");
        words_value(p, &ev->values[i]);
    }
    page_item_end(p);
}

static void fuse(struct page *p, const struct flow *f)
{
    char share[32];
    if (f->fuse_count == 0 && f->fuse_percent == 0) return;
    fact(p, "Fuse");
    page_text(p, "a run that would leave, delete or blank more than ");
    if (f->fuse_count) number(p, f->fuse_count);
    if (f->fuse_count && f->fuse_percent) page_text(p, " records or ");
    snprintf(share, sizeof share, f->fuse_percent % 100 ? "%u.%02u %%" : "%u %%", f->fuse_percent / 100, f->fuse_percent % 100);
    if (f->fuse_percent) page_text(p, share);
    page_text(p, f->fuse_percent ? ", whichever is smaller, waits for a person" : " records waits for a person");
    page_item_end(p);
}

static void others(struct page *p, const struct flow *f)
{
    if (f->adopt) {
        struct words w = {.p = p, .flow = f};
        fact(p, "Records that people made before");
        page_text(p, "recognised when ");
        page_code(p, f->adopt_field->name);
        page_text(p, " is ");
        words_rule(&w, f->adopt);
        page_text(p, "; a person decides about each");
        page_item_end(p);
    }
    if (f->trigger_workflow || f->trigger_approval || f->trigger_blueprint) {
        fact(p, "Started in the target by our writes");
        page_text(p, f->trigger_workflow ? "workflow rules " : "");
        page_text(p, f->trigger_approval ? "approval processes " : "");
        page_text(p, f->trigger_blueprint ? "blueprints" : "");
        page_item_end(p);
    }
    if (f->guard) {
        fact(p, "Guarded");
        page_text(p, "edits made in the target are found and put back");
        page_item_end(p);
    }
    if (f->moved_from.n) {
        fact(p, "Was called");
        page_code(p, f->moved_from);
        page_item_end(p);
    }
}

static void facts(struct page *p, const struct flow *f)
{
    struct words w = {.p = p, .flow = f};
    page_list(p);
    companies(p, f);
    fact(p, "Runs");
    doc__cadence(p, f);
    if (f->via.n) {
        page_text(p, ", by the door ");
        page_code(p, f->via);
    }
    page_item_end(p);
    key(p, f);
    fact(p, "Rows");
    if (f->when) {
        page_text(p, "those where ");
        words_condition(&w, f->when);
    } else page_text(p, "all");
    page_item_end(p);
    if (f->when) event(p, "When a row no longer belongs", &f->on_leave, "nothing is written; the record stays as it is");
    event(p, "When a row has vanished from the source", &f->on_delete, "nothing is written; the record stays as it is");
    fact(p, "Deleted in the target");
    page_text(p, f->reread_ms ? "never; rows that vanished are found by the pass over the whole table" : "never; rows that vanished are found only by a full pass, which this flow does not plan");
    page_item_end(p);
    fuse(p, f);
    others(p, f);
    page_list_end(p);
}

/* ---- fields ---- */

static void owner(struct page *p, int mode)
{
    page_text(p, mode == MODE_ONCE ? "ERP once" : mode == MODE_FILL ? "ERP while empty" : mode == FIELD_IS_KEY ? "key" : mode == FIELD_IS_EVENT ? "on leave, on delete" : "ERP always");
}

static void columns(struct page *p, const struct schema *s, const bool *read, const char *prefix, bool *any)
{
    for (size_t i = 0; i < s->ncolumns; i++) {
        if (!read[i]) continue;
        if (*any) page_break(p);
        code_of(p, *prefix ? "%.*s%.*s" : "%.*s%.*s", str_of(prefix), s->columns[i].name);
        *any = true;
    }
}

static void sources_of(struct page *p, const struct compile *c, const struct flow *f, struct ir *x, const struct ir_each *each, bool key)
{
    struct arena a;
    bool any = false;
    arena_init(&a, 0);
    bool *header = ARENA_ARRAY(&a, bool, f->entity->ncolumns + 1);
    if (x) ir_columns(&c->lowered.graph, x, header);
    if (each) {
        bool *line = ARENA_ARRAY(&a, bool, each->from->lines->ncolumns + 1);
        ir_line_reads(&c->lowered.graph, x, line);
        columns(p, each->from->lines, line, arena_printf(&a, "%.*s.", (int)each->list.n, each->list.p), &any);
    }
    columns(p, f->entity, header, "", &any);
    if (!any) page_text(p, key ? "the row's key" : "a constant");
    arena_free(&a);
}

static void event_rules(struct page *p, const struct flow *f, const struct field *fl)
{
    const struct event *const events[] = {&f->on_leave, &f->on_delete};
    static const char *const names[] = {"when the row leaves: ", "when it has vanished: "};
    bool first = fl->value == NULL;
    for (int e = 0; e < 2; e++)
        for (size_t i = 0; i < events[e]->n; i++) {
            if (events[e]->fields[i] != fl) continue;
            if (!first) page_break(p);
            page_text(p, names[e]);
            words_value(p, &events[e]->values[i]);
            first = false;
        }
}

static void rule(struct page *p, const struct flow *f, const struct field *fl, const struct each *each)
{
    struct words w = {.p = p, .flow = f, .each = each};
    struct buf text = {0};
    if (fl->mode == FIELD_IS_KEY) page_text(p, "see Key");
    if (fl->value) {
        words_rule(&w, fl->value);
        if (fl->value->kind != TX_EACH && !(fl->value->kind == TX_BINARY && fl->value->args[0]->kind == TX_EACH)) {
            bool a_name = fl->ast->kind == AST_USE || fl->ast->kind == AST_MEMBER || fl->ast->kind == AST_TEXT;      /* the words say the same already */
            spec_print(&text, fl->ast);
            if (!a_name) page_break(p);
            if (!a_name) page_code(p, buf_view(&text));
        } else page_text(p, "; its lines stand below");
    }
    event_rules(p, f, fl);
    buf_free(&text);
}

static void target_type(struct page *p, const struct column *c)
{
    if (c->lines.n) page_text(p, "lines");
    else if (c->link_module.n) {
        page_text(p, "a record of ");
        page_code(p, c->link_module);
    } else words_type(p, &c->type);
}

static void field_row(struct page *p, const struct compile *c, const struct flow *f, const struct field *fl, struct ir *x, const struct ir_each *each)
{
    page_row(p);
    page_cell(p);
    page_code(p, fl->column->name);
    page_break(p);
    target_type(p, fl->column);
    if (fl->column->required) page_text(p, ", required");
    page_cell(p);
    sources_of(p, c, f, x, each, fl->mode == FIELD_IS_KEY);
    page_cell(p);
    rule(p, f, fl, each ? each->from : NULL);
    page_cell(p);
    if (each) page_text(p, "ERP always");
    else owner(p, fl->mode);
    page_cell(p);
    page_strong(p, verdict_name(fl->verdict));
    page_break(p);
    page_text(p, fl->reason);
}

static const char *const field_heads[] = {"Field", "From", "Rule", "Owner", "Proof"};

static void one_list(struct page *p, const struct compile *c, const struct flow *f, const struct ir_each *e)
{
    struct words w = {.p = p, .flow = f, .each = e->from};
    page_heading(p, 4, NULL, "Lines of ", e->target);
    page_para(p);
    page_text(p, "From the lines of ");
    page_code(p, e->list);
    if (e->from->when) {
        page_text(p, " where ");
        words_condition(&w, e->from->when);
    }
    page_text(p, "; the same line is found again by ");
    words_rule(&w, e->from->key);
    page_text(p, ". A line is written whole; at most ");
    number(p, e->max_lines);
    page_text(p, " lines.");
    page_para_end(p);
    page_table(p, field_heads, 5);
    for (size_t i = 0; i < e->nfields; i++) field_row(p, c, f, e->from->fields[i], e->fields[i], e);
    page_table_end(p);
}

static void lets(struct page *p, const struct flow *f, const struct let *list, const struct each *each)
{
    struct words w = {.p = p, .flow = f, .each = each};
    if (list == NULL) return;
    page_para(p);
    page_text(p, "Names in these rules:");
    page_para_end(p);
    page_list(p);
    for (const struct let *l = list; l != NULL; l = l->next) {
        if (l->value == NULL) continue;
        page_item(p);
        page_code(p, l->name);
        page_text(p, ": ");
        w.each = l->each ? l->each : each;
        words_rule(&w, l->value);
        page_item_end(p);
    }
    page_list_end(p);
}

static void columns_read(struct page *p, const struct flow *f)
{
    static const char *const heads[] = {"Column", "Holds", "Blank"};
    page_heading(p, 4, NULL, "Columns read of ", f->entity->name);
    page_table(p, heads, 3);
    for (size_t i = 0; i < f->entity->ncolumns; i++) {
        const struct column *c = &f->entity->columns[i];
        if (!f->reads[i] && !c->key) continue;
        page_row(p);
        page_cell(p);
        page_code(p, c->name);
        if (c->key) page_text(p, " (key)");
        page_cell(p);
        if (c->known_type) words_type(p, &c->type);
        else page_text(p, "lines");
        page_cell(p);
        if (c->has_default) {
            page_text(p, "reads as ");
            words_value(p, &c->fallback);
        } else page_text(p, c->type.optional || !c->known_type ? "is absent" : "never");
    }
    page_table_end(p);
}

void doc__flow(struct page *p, const struct compile *c, const struct lowered_flow *lf)
{
    const struct flow *f = lf->flow;
    char anchor[32];
    snprintf(anchor, sizeof anchor, "flow-%u", f->index + 1);
    page_heading(p, 2, anchor, "Flow ", f->name);
    page_para(p);
    page_text(p, "Rows of ");
    code_of(p, "%.*s.%.*s", f->source->name, f->entity->name);
    page_text(p, f->into ? " add fields to records of " : " become records of ");
    code_of(p, "%.*s.%.*s", f->target->name, f->module->name);
    if (f->into) {
        page_text(p, " that the flow ");
        page_code(p, f->into->name);
        page_text(p, " makes");
    }
    page_text(p, ".");
    page_para_end(p);
    facts(p, f);
    page_heading(p, 3, NULL, "Fields of ", f->name);
    page_table(p, field_heads, 5);
    for (size_t i = 0; i < f->nfields; i++) field_row(p, c, f, f->fields[i], lf->fields[i], NULL);
    page_table_end(p);
    for (size_t i = 0; i < lf->nfields; i++) {
        const struct ir_each *e = lf->fields[i] ? emit_list_of(lf->fields[i]) : NULL;
        if (e) one_list(p, c, f, e);
    }
    lets(p, f, f->lets, NULL);
    for (const struct each *e = f->eaches; e != NULL; e = e->next) lets(p, f, e->lets, e);
    columns_read(p, f);
    doc__tests(p, c->spec, f);
}
