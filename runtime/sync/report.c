/* report.c - see report.h. Which fields are links to Deals and Sales_Orders is what the flows say; where they say nothing (people set the link), what the
 * target says of its own modules. */
#include "sync/report.h"
#include "sync/sync_private.h"
#include "value/date.h"
#include "value/decimal.h"
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 100 };
enum fixed { C_KEY, C_ID, C_STATE, C_ACCOUNT, C_ACCOUNT_NAME, C_ORDER, C_DEAL_ID, C_DEAL, C_DEAL_NUMBER, C_STAGE, C_DEAL_AMOUNT, C_CLOSING, C_FROM };

struct line { struct str key; struct row row; struct record wanted, there, deal; struct str order, deal_id; bool by_order, has_deal; };
struct reporting {
    struct engine *e;
    struct sync_flow *sf;
    uint16_t id;
    const struct report_sink *sink;
    struct report_totals *t;
    struct arena arena, chunk;             /* life of the report; of a chunk */
    struct str deal_field, order_field, order_deal_field, number_field;        /* empty: there is none */
    struct report_column columns[REPORT_COLUMNS]; size_t ncolumns;
    struct str added[REPORT_COLUMNS]; size_t nadded;       /* columns that are read in the target: other flows write them */
    int64_t from, to;                      /* days */
    struct line line[CHUNK]; size_t n;
    struct buf last;
};

/* ---- which flow, which fields ---- */
static enum err choose_flow(struct reporting *r, const char *module, struct fault *f)
{
    for (size_t i = 0; i < r->e->nflows; i++) {
        struct sync_flow *sf = &r->e->flows[i];
        if (sf->fl->into || (!str_is(sf->fl->module, module) && !r->e->o.flow)) continue;
        if (r->sf) return fault_set(f, ERR_CONFIG, "%s and %s both write %s; name one with --flow", r->sf->cname, sf->cname, module);
        r->sf = sf;
    }
    return r->sf ? ERR_OK : fault_set(f, ERR_CONFIG, "no flow of this spec writes %s; name another with --flow", module);
}

static const struct image_field *field_to(const struct image_flow *fl, const char *module)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (fl->fields[i].type.base == T_LINK && str_is(fl->fields[i].link_module, module)) return &fl->fields[i];
    return NULL;
}

/* What the target says of a module: its first link to another one. */
struct asking { struct str module, to; struct str *out; struct arena *a; };

static void on_entity(void *ctx, const struct described_entity *d)
{
    struct asking *ask = ctx;
    for (size_t i = 0; i < d->nfields && str_eq(d->name, ask->module) && ask->out->n == 0; i++)
        if (str_eq(d->fields[i].module, ask->to)) *ask->out = (struct str){arena_copy(ask->a, d->fields[i].name.p, d->fields[i].name.n), d->fields[i].name.n};
}

static enum err ask_target(struct reporting *r, struct str module, const char *to, struct str *out, struct fault *f)
{
    const struct sync_endpoint *dst = r->sf->dst;
    struct asking ask = {module, str_of(to), out, &r->arena};
    struct describe_sink sink = {on_entity, &ask};
    struct str edition;
    if (!dst->tops->describe) return ERR_OK;
    r->t->target_calls++;
    return dst->tops->describe(dst->target, &module, 1, &r->arena, &edition, &sink, f);
}

/* The field of a deal that finds it: what the books call the opportunity. */
static struct str number_of(const struct reporting *r)
{
    for (size_t i = 0; i < r->e->nflows; i++) {
        const struct image_flow *fl = r->e->flows[i].fl;
        for (size_t k = 0; k < fl->nlinks; k++)
            if (fl->links[k].kind == LINK_FIND && str_is(fl->links[k].module, "Deals") && !str_is(fl->links[k].field, "Deal_Name")) return fl->links[k].field;
    }
    return (struct str){"", 0};
}

static enum err find_fields(struct reporting *r, struct fault *f)
{
    const struct image_flow *fl = r->sf->fl;
    const struct image_field *deal = field_to(fl, "Deals"), *order = field_to(fl, "Sales_Orders");
    enum err err = ERR_OK;
    if (deal) r->deal_field = deal->name;
    else err = ask_target(r, fl->module, "Deals", &r->deal_field, f);
    if (order) r->order_field = order->name;
    else if (err == ERR_OK) err = ask_target(r, fl->module, "Sales_Orders", &r->order_field, f);
    for (size_t i = 0; i < r->e->image->nflows && r->order_field.n; i++) {
        const struct image_field *of = str_is(r->e->image->flows[i].module, "Sales_Orders") ? field_to(&r->e->image->flows[i], "Deals") : NULL;
        if (of) r->order_deal_field = of->name;
    }
    if (err == ERR_OK && r->order_field.n && !r->order_deal_field.n) err = ask_target(r, STR("Sales_Orders"), "Deals", &r->order_deal_field, f);
    r->number_field = number_of(r);
    return err;
}

static void add_column(struct reporting *r, struct str name, enum report_form form)
{
    r->columns[r->ncolumns++] = (struct report_column){name, form};
}

static void add_columns(struct reporting *r, const struct image_flow *fl, enum type_base base, bool theirs)
{
    for (size_t i = 0; i < fl->nfields; i++) {
        if (fl->fields[i].type.base != base || fl->fields[i].mode == FIELD_ONCE || fl->fields[i].mode == FIELD_KEY) continue;
        if (r->ncolumns == REPORT_COLUMNS) {
            r->t->columns_left++;
            continue;
        }
        add_column(r, fl->fields[i].name, base == T_DATE ? REPORT_DATE : REPORT_AMOUNT);
        if (theirs) r->added[r->nadded++] = fl->fields[i].name;
    }
}

static void make_columns(struct reporting *r)
{
    static const struct { const char *name; enum report_form form; } fixed[REPORT_FIXED] = {
        {"invoice", REPORT_TEXT}, {"id", REPORT_TEXT}, {"state", REPORT_TEXT}, {"account", REPORT_TEXT}, {"account_name", REPORT_TEXT}, {"order_id", REPORT_TEXT},
        {"deal_id", REPORT_TEXT}, {"deal", REPORT_TEXT}, {"deal_number", REPORT_TEXT}, {"stage", REPORT_TEXT}, {"deal_amount", REPORT_AMOUNT},
        {"closing_date", REPORT_DATE}, {"deal_from", REPORT_TEXT}};
    const struct image_flow *fl = r->sf->fl;
    for (size_t i = 0; i < REPORT_FIXED; i++) add_column(r, str_of(fixed[i].name), fixed[i].form);
    add_columns(r, fl, T_DATE, false);
    add_columns(r, fl, T_DECIMAL, false);
    for (size_t i = 0; i < r->e->image->nflows; i++)
        if (r->e->image->flows[i].into && &r->e->image->flows[r->e->image->flows[i].into - 1] == fl) add_columns(r, &r->e->image->flows[i], T_DECIMAL, true);
    for (size_t i = REPORT_FIXED; i < r->ncolumns; i++)
        if (r->columns[i].form == REPORT_AMOUNT) r->t->sums[r->t->nsums++] = (struct report_sum){r->columns[i].name, value_decimal(0, 0), false};
    r->sink->columns(r->sink->ctx, r->columns, r->ncolumns);
}

/* ---- months ---- */
/* 2026-03 or 2026-03-12; last: of a month its last day. */
static bool parse_day(const char *s, bool last, int64_t *days)
{
    struct value v;
    char text[24];
    size_t n = strlen(s);
    if (n == 10 && date_parse(str_of(s), &v)) {
        *days = v.u.i;
        return true;
    }
    if (n != 7) return false;
    for (int day = last ? 31 : 1; day >= (last ? 28 : 1); day--) {
        snprintf(text, sizeof text, "%s-%02d", s, day);
        if (!date_parse(str_of(text), &v)) continue;
        *days = v.u.i;
        return true;
    }
    return false;
}

static enum err take_range(struct reporting *r, const struct report_options *o, struct fault *f)
{
    const struct image_flow *fl = r->sf->fl;
    r->from = INT64_MIN;
    r->to = INT64_MAX;
    for (size_t i = 0; i < fl->nfields; i++) {
        if (fl->fields[i].type.base != T_DATE) continue;
        if (!r->t->date.n || str_is(fl->fields[i].name, "Invoice_Date")) r->t->date = fl->fields[i].name;
    }
    if (o->from && !parse_day(o->from, false, &r->from)) return fault_set(f, ERR_USAGE, "--from %s is neither a month (2026-03) nor a day (2026-03-12)", o->from);
    if (o->to && !parse_day(o->to, true, &r->to)) return fault_set(f, ERR_USAGE, "--to %s is neither a month (2026-03) nor a day (2026-03-12)", o->to);
    if ((o->from || o->to) && !r->t->date.n) return fault_set(f, ERR_CONFIG, "flow %s writes no date: months cannot be told apart", r->sf->cname);
    return ERR_OK;
}

/* ---- a chunk: rows, links, orders, deals ---- */
static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_copy(a, s.p, s.n), s.n};
}

static bool in_range(struct reporting *r, const struct record *wanted)
{
    if (r->from == INT64_MIN && r->to == INT64_MAX) return true;
    const struct value *v = record_get(wanted, r->t->date);
    if (!v || v->kind != V_DATE) {
        r->t->undated++;
        return false;
    }
    bool in = v->u.i >= r->from && v->u.i <= r->to;
    r->t->outside += !in;
    return in;
}

static enum err take_row(void *arg, struct str key, const struct row *row)
{
    struct reporting *r = arg;
    if (r->n == CHUNK) return ERR_STOPPED;
    buf_clear(&r->last);
    buf_str(&r->last, key);
    if (row->flags & (ROW_F_LEFT | ROW_F_GONE | ROW_F_ERASED)) return ERR_OK;        /* no invoice any more */
    struct arena_mark m = arena_mark(&r->chunk);
    struct line one = {.key = keep(&r->chunk, key), .row = {.state = row->state}};
    one.row.id = keep(&r->chunk, row->id);
    one.wanted = record_of(keep(&r->chunk, row->wanted), &r->chunk);
    if (in_range(r, &one.wanted)) r->line[r->n++] = one;
    else arena_release(&r->chunk, m);
    return ERR_OK;
}

static struct str link_of(const struct record *there, struct str field)
{
    const struct value *v = field.n ? record_get(there, field) : NULL;
    return v && (v->kind == V_ID || v->kind == V_TEXT) ? value_str(v) : (struct str){"", 0};
}

/* Reads records by id and puts each at its line; ids[i] belongs to line at[i]. */
static enum err read_some(struct reporting *r, struct str module, const struct str *ids, size_t n, const struct str *want, size_t nwant, struct lookup_hit **hits,
                          size_t *nhits, struct fault *f)
{
    const struct sync_endpoint *dst = r->sf->dst;
    *nhits = 0;
    if (n == 0) return ERR_OK;
    r->t->target_calls++;
    store_rest(r->e->store);
    return dst->tops->read(dst->target, module, ids, n, want, nwant, &r->chunk, hits, nhits, f);
}

static enum err read_links(struct reporting *r, struct fault *f)
{
    struct str ids[CHUNK], want[REPORT_COLUMNS + 2];
    size_t at[CHUNK], n = 0, nwant = 0, nhits;
    struct lookup_hit *hits;
    if (r->deal_field.n) want[nwant++] = r->deal_field;
    if (r->order_field.n) want[nwant++] = r->order_field;
    for (size_t i = 0; i < r->nadded; i++) want[nwant++] = r->added[i];
    for (size_t i = 0; i < r->n; i++) {
        if (!r->line[i].row.id.n) continue;
        at[n] = i;
        ids[n++] = r->line[i].row.id;
    }
    enum err err = nwant ? read_some(r, r->sf->fl->module, ids, n, want, nwant, &hits, &nhits, f) : ERR_OK;
    for (size_t i = 0; nwant && i < nhits && err == ERR_OK; i++) {
        struct line *l = &r->line[at[hits[i].value_index]];
        l->there = hits[i].fields;
        l->deal_id = link_of(&l->there, r->deal_field);
        l->order = link_of(&l->there, r->order_field);
    }
    return err;
}

/* Each id once: several invoices may belong to one deal. */
static size_t distinct(struct str *ids, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(ids[i], id)) return n;
    ids[n] = id;
    return n + 1;
}

static enum err read_orders(struct reporting *r, struct fault *f)
{
    struct str ids[CHUNK];
    size_t n = 0, nhits;
    struct lookup_hit *hits;
    for (size_t i = 0; i < r->n && r->order_deal_field.n; i++)
        if (!r->line[i].deal_id.n && r->line[i].order.n) n = distinct(ids, n, r->line[i].order);
    enum err err = read_some(r, STR("Sales_Orders"), ids, n, &r->order_deal_field, 1, &hits, &nhits, f);
    for (size_t i = 0; i < nhits && err == ERR_OK; i++) {
        struct str deal = link_of(&hits[i].fields, r->order_deal_field);
        for (size_t k = 0; k < r->n && deal.n; k++) {
            if (r->line[k].deal_id.n || !str_eq(r->line[k].order, ids[hits[i].value_index])) continue;
            r->line[k].deal_id = deal;
            r->line[k].by_order = true;
        }
    }
    return err;
}

static enum err read_deals(struct reporting *r, struct fault *f)
{
    struct str ids[CHUNK], want[] = {STR("Deal_Name"), STR("Stage"), STR("Amount"), STR("Closing_Date"), r->number_field};
    size_t n = 0, nhits;
    struct lookup_hit *hits;
    for (size_t i = 0; i < r->n; i++)
        if (r->line[i].deal_id.n) n = distinct(ids, n, r->line[i].deal_id);
    enum err err = read_some(r, STR("Deals"), ids, n, want, r->number_field.n ? 5 : 4, &hits, &nhits, f);
    for (size_t i = 0; i < nhits && err == ERR_OK; i++)
        for (size_t k = 0; k < r->n; k++) {
            if (!str_eq(r->line[k].deal_id, ids[hits[i].value_index])) continue;
            r->line[k].deal = hits[i].fields;
            r->line[k].has_deal = true;
        }
    return err;
}

/* ---- a line ---- */
static struct str printed(struct reporting *r, const struct value *v)
{
    if (!v || !value_present(v)) return (struct str){"", 0};
    return value_printed(v, &r->chunk);
}

/* The customer as we know it: its key, and its name as its own flow derives it. */
static void tell_account(struct reporting *r, const struct line *l, struct str *key, struct str *name)
{
    const struct image_field *fd = field_to(r->sf->fl, "Accounts");
    const struct value *v = fd ? record_get(&l->wanted, fd->name) : NULL;
    const struct image_link *link = fd ? link_at(r->sf, (size_t)(fd - r->sf->fl->fields), NO_COLUMN) : NULL;
    if (!v || v->kind != V_TEXT) return;
    *key = value_str(v);
    struct flow_state st;
    struct row row;
    if (!link || link->kind != LINK_REF) return;
    const struct image_flow *parent = &r->e->image->flows[link->flow];
    struct str natural = link_parent_key(l->key, value_str(v), &r->chunk);
    if (!natural.n) return;
    *key = key_text_of(parent, natural, &r->chunk);
    if (!store_flow(r->e->store, parent->name, &st) || store_row(r->e->store, st.id, natural, &r->chunk, &row, NULL) != ERR_OK) return;
    struct record wanted = record_of(row.wanted, &r->chunk);
    *name = printed(r, record_get(&wanted, STR("Account_Name")));
}

static bool is_added(const struct reporting *r, struct str name)
{
    for (size_t i = 0; i < r->nadded; i++)
        if (str_eq(r->added[i], name)) return true;
    return false;
}

static void add_sum(struct report_totals *t, struct str name, const struct value *v)
{
    struct value n = value_absent;
    if (!v || !value_present(v)) return;
    if (v->kind == V_DECIMAL) n = *v;
    else if (v->kind != V_TEXT || !decimal_parse_json(value_str(v), &n)) return;
    for (size_t i = 0; i < t->nsums; i++)
        if (str_eq(t->sums[i].name, name) && !decimal_add(&t->sums[i].sum, &n, &t->sums[i].sum)) t->sums[i].overflow = true;
}

static void tell_line(struct reporting *r, const struct line *l)
{
    struct str cells[REPORT_COLUMNS] = {{NULL, 0}};
    cells[C_KEY] = key_text_of(r->sf->fl, l->key, &r->chunk);
    cells[C_ID] = l->row.id;
    cells[C_STATE] = str_of(row_state_name(l->row.state));
    tell_account(r, l, &cells[C_ACCOUNT], &cells[C_ACCOUNT_NAME]);
    cells[C_ORDER] = l->order;
    cells[C_DEAL_ID] = l->deal_id;
    cells[C_DEAL] = printed(r, record_get(&l->deal, STR("Deal_Name")));
    cells[C_DEAL_NUMBER] = r->number_field.n ? printed(r, record_get(&l->deal, r->number_field)) : (struct str){"", 0};
    cells[C_STAGE] = printed(r, record_get(&l->deal, STR("Stage")));
    cells[C_DEAL_AMOUNT] = printed(r, record_get(&l->deal, STR("Amount")));
    cells[C_CLOSING] = printed(r, record_get(&l->deal, STR("Closing_Date")));
    cells[C_FROM] = !l->deal_id.n ? (struct str){"", 0} : l->by_order ? STR("order") : STR("invoice");
    for (size_t i = REPORT_FIXED; i < r->ncolumns; i++) {
        const struct value *v = record_get(is_added(r, r->columns[i].name) ? &l->there : &l->wanted, r->columns[i].name);
        cells[i] = printed(r, v);
        if (r->columns[i].form == REPORT_AMOUNT) add_sum(r->t, r->columns[i].name, v);
    }
    r->t->invoices++;
    r->t->with_deal += l->deal_id.n > 0;
    r->t->by_order += l->by_order;
    r->t->deals_gone += l->deal_id.n && !l->has_deal;
    r->sink->row(r->sink->ctx, cells, r->ncolumns);
}

static enum err report_rows(struct reporting *r, struct fault *f)
{
    struct buf after = {0};
    enum err err = ERR_STOPPED;
    while (err == ERR_STOPPED) {
        arena_reset(&r->chunk);
        r->n = 0;
        err = store_rows(r->e->store, r->id, buf_view(&after), take_row, r, f);
        bool more = err == ERR_STOPPED;
        if (more) err = ERR_OK;
        if (err == ERR_OK) err = read_links(r, f);
        if (err == ERR_OK) err = read_orders(r, f);
        if (err == ERR_OK) err = read_deals(r, f);
        for (size_t i = 0; i < r->n && err == ERR_OK; i++) tell_line(r, &r->line[i]);
        buf_clear(&after);
        buf_str(&after, buf_view(&r->last));
        if (err == ERR_OK && r->e->o.stop && *r->e->o.stop) err = fault_set(f, ERR_BUSY, "stopped on request");
        if (err == ERR_OK && more) err = ERR_STOPPED;
    }
    buf_free(&after);
    return err;
}

enum err engine_report(struct engine *e, const struct report_options *o, const struct report_sink *sink, struct report_totals *t, struct fault *f)
{
    struct flow_state st;
    *t = (struct report_totals){.invoices = 0};
    if (!e->store) return fault_set(f, ERR_NOT_FOUND, "nothing was ever run in %s", e->o.state_dir);
    struct reporting *r = calloc(1, sizeof *r);
    if (!r) check_no_memory();
    *r = (struct reporting){.e = e, .sink = sink, .t = t};
    arena_init(&r->arena, 0);
    arena_init(&r->chunk, 256 * 1024);
    enum err err = choose_flow(r, o->module, f);
    if (err == ERR_OK) err = take_range(r, o, f);
    if (err == ERR_OK) err = find_fields(r, f);
    if (err == ERR_OK) make_columns(r);
    if (err == ERR_OK) t->flow = r->sf->name;
    if (err == ERR_OK && store_flow(e->store, r->sf->name, &st)) {
        r->id = st.id;
        err = report_rows(r, f);
    }
    arena_free(&r->arena);
    arena_free(&r->chunk);
    buf_free(&r->last);
    free(r);
    return err;
}
