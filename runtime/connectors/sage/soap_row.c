/* soap_row.c - a reply of eBusiness Web Services into the row that the agent would have given: same columns, same types, a content hash.
 *
 *   OpResult -> child by local name, case ignored (SalesPersonNo2 beside SalespersonNo)      -> column        (soap_member.h: which child)
 *            -> DateTimeUpdated = DateUpdated + TimeUpdated                                  -> both columns again
 *            -> OtherFields/Field{MasFieldName, Value}                                       -> user-defined columns
 *            -> every leaf but the audit members                                             -> content hash  (soap_hash.c)
 *
 * What a column is read from is found once for all replies of one reader, again when a name comes that was not there before.
 *
 * A blank comes as an empty element, as xsi:nil, as no element at all, and for dates as NullDateTime: all are absent. A column that the reply
 * type does not have is no blank: it is a violation, or a door without that column would clear fields. */
#include "connectors/sage/soap_member.h"
#include "connectors/lines.h"
#include "base/check.h"
#include "base/hash.h"
#include "value/json_cell.h"
#include <stdio.h>
#include <stdlib.h>

enum from { FROM_MEMBER, FROM_UDF, FROM_DATE, FROM_TIME, FROM_LIST };
struct column { const struct source_column *c; struct cell cell; enum from from; bool offered; struct soap_wanted member; };
struct soap_reader {
    struct arena a;                              /* of the reader */
    struct source *s;
    const struct sage_entity *e;
    const struct source_query *q;
    const struct soap_operation *op;
    struct soap_members members;
    unsigned changes;                            /* of members, when the wanted ones were found */
    struct column *columns;
    struct soap_wanted key[LIMIT_KEY_PARTS], updated;
    struct str null_date;
    const struct xml_node *result;               /* of the reply under way */
    struct buf content;                          /* that is hashed */
};

/* ---- what is wanted ---- */

/* DateUpdated, TimeUpdated, DateCreated, TimeCreated come out of the merged stamps. */
static void plan_column(const struct soap_reader *r, struct column *p, const struct source_column *c)
{
    static const struct { struct str column, member; enum from from; } parts[] = {
        {{"DateUpdated", 11}, {"DateTimeUpdated", 15}, FROM_DATE}, {{"TimeUpdated", 11}, {"DateTimeUpdated", 15}, FROM_TIME},
        {{"DateCreated", 11}, {"DateTimeCreated", 15}, FROM_DATE}, {{"TimeCreated", 11}, {"DateTimeCreated", 15}, FROM_TIME}};
    *p = (struct column){.c = c, .cell = cell_of(c->name, &c->type), .from = FROM_MEMBER, .member = {.name = c->name}};
    p->offered = sage100__soap_has_member(r->op, c->name);
    if (c->type.base == T_LIST) p->from = FROM_LIST;
    else if (c->udf || str_starts(c->name, STR("UDF_"))) p->from = FROM_UDF;
    for (size_t i = 0; p->from == FROM_MEMBER && i < 4; i++) {
        if (!str_eq(c->name, parts[i].column)) continue;
        p->from = parts[i].from;
        p->member.name = parts[i].member;
    }
}

struct soap_reader *sage100__soap_reader(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct soap_operation *op)
{
    struct soap_reader *r = calloc(1, sizeof *r);
    if (!r) check_no_memory();
    arena_init(&r->a, 4096);
    r->s = s;
    r->e = e;
    r->q = q;
    r->op = op;
    r->members.a = &r->a;
    r->columns = ARENA_ARRAY(&r->a, struct column, q->ncolumns + 1);
    for (size_t i = 0; i < q->ncolumns; i++) plan_column(r, &r->columns[i], &q->columns[i]);
    for (size_t i = 0; i < e->nkeys; i++) r->key[i].name = str_of(e->key[i]);
    r->updated.name = STR("DateTimeUpdated");
    return r;
}

void sage100__soap_reader_free(struct soap_reader *r)
{
    if (!r) return;
    buf_free(&r->content);
    arena_free(&r->a);
    free(r);
}

static void take(struct soap_reader *r, const struct xml_node *result)
{
    const struct soap_members *m = &r->members;
    r->result = result;
    r->null_date = r->s->contract ? r->s->contract->null_date : (struct str){"", 0};
    sage100__soap_members_take(&r->members, result);
    if (m->changes == r->changes) return;
    r->changes = m->changes;
    for (size_t i = 0; i < r->q->ncolumns; i++) sage100__soap_wanted_find(m, &r->columns[i].member);
    for (size_t i = 0; i < r->e->nkeys; i++) sage100__soap_wanted_find(m, &r->key[i]);
    sage100__soap_wanted_find(m, &r->updated);
}

static const struct xml_node *member(const struct soap_reader *r, const struct soap_wanted *w)
{
    return soap_wanted(&r->members, r->result, w);
}

static bool is_null_date(const struct soap_reader *r, struct str s)
{
    return sage100__soap_is_null_date(r->null_date, s);
}

static const struct xml_node *udf_node(const struct xml_node *result, struct str name)
{
    const struct xml_node *others = sage100__soap_child(result, STR("OtherFields"));
    for (const struct xml_node *n = others; n; n = sage100__xml_walk(others, n))
        if (str_ieq(sage100__soap_udf_name(n), name)) return sage100__soap_child(n, STR("Value"));
    return NULL;
}

/* ---- columns ---- */

/* Hours of the day x 100000 from hh:mm:ss[.fff], printed as Sage stores them: "15.5". Exact: 36 ms a unit, rounded half up. */
static struct str hours_text(struct arena *a, struct str stamp)
{
    const char *p = stamp.p + 11;
    for (int i = 0; i < 8; i++)
        if (i != 2 && i != 5 && (p[i] < '0' || p[i] > '9')) return (struct str){"", 0};
    int64_t ms = ((p[0] - '0') * 10 + p[1] - '0') * 3600000LL + ((p[3] - '0') * 10 + p[4] - '0') * 60000LL + ((p[6] - '0') * 10 + p[7] - '0') * 1000LL;
    int64_t unit = 100;
    for (size_t i = 20; stamp.n > 19 && stamp.p[19] == '.' && i < stamp.n && stamp.p[i] >= '0' && stamp.p[i] <= '9' && unit; i++, unit /= 10)
        ms += (stamp.p[i] - '0') * unit;
    int64_t t = (ms + 18) / 36;
    char *text = arena_printf(a, "%lld.%05lld", (long long)(t / 100000), (long long)(t % 100000));
    struct str s = str_of(text);
    while (s.p[s.n - 1] == '0') s.n--;
    if (s.p[s.n - 1] == '.') s.n--;
    return s;
}

/* Date or time of a merged stamp. */
static struct str part_of_stamp(const struct soap_reader *r, const struct column *p, struct arena *a)
{
    struct str stamp = soap_text(member(r, &p->member));
    if (!sage100__soap_is_stamp(stamp) || is_null_date(r, stamp)) return (struct str){"", 0};
    return p->from == FROM_DATE ? (struct str){stamp.p, 10} : hours_text(a, stamp);
}

/* What XML Schema writes where Sage's own texts look otherwise. */
static struct str as_sage_writes(const struct soap_reader *r, const struct type *t, struct str raw)
{
    if (is_null_date(r, raw)) return (struct str){"", 0};
    if (t->base == T_DATE && sage100__soap_is_stamp(raw)) return (struct str){raw.p, 10};
    if (t->base == T_BOOL && t->yes.n && (str_is(raw, "true") || str_is(raw, "1")) && !str_is(t->no, "1")) return t->yes;
    if (t->base == T_BOOL && t->no.n && (str_is(raw, "false") || str_is(raw, "0")) && !str_is(t->yes, "0")) return t->no;
    if (t->base == T_DECIMAL && raw.n) {
        if (raw.p[0] == '+') raw.p++, raw.n--;
        if (memchr(raw.p, '.', raw.n)) {
            while (raw.n && raw.p[raw.n - 1] == '0') raw.n--;
            if (raw.n && raw.p[raw.n - 1] == '.') raw.n--;
        }
    }
    return raw;
}

/* *plain: it is a span of the answer, of printable ASCII. False: this door has no such column. */
static bool raw_column(const struct soap_reader *r, const struct column *p, struct arena *a, struct str *raw, bool *plain)
{
    const struct xml_node *n = p->from == FROM_UDF ? udf_node(r->result, p->c->name) : p->from == FROM_MEMBER ? member(r, &p->member) : NULL;
    *plain = n && n->plain;
    *raw = p->from == FROM_DATE || p->from == FROM_TIME ? part_of_stamp(r, p, a) : soap_text(n);
    return n || p->from != FROM_MEMBER || p->offered;
}

/* The lines of a sales order: children of the member, each with the columns of the line table. */
static struct value read_list(const struct soap_reader *r, const struct column *p, struct arena *a, struct source_row *row)
{
    const struct list_shape *s = p->c->type.shape;
    const struct xml_node *n = member(r, &p->member);
    struct lines l;
    lines_begin(&l, r->q, p->c, a);
    for (const struct xml_node *line = n ? n->first : NULL; line != NULL; line = line->next) {
        lines_add(&l);
        for (uint16_t k = 0; k < s->n; k++) {
            bool udf = s->flags[k] & LIST_UDF;
            const struct xml_node *cell = udf ? udf_node(line, s->names[k]) : sage100__soap_child(line, s->names[k]);
            if (!cell) continue;                     /* lines_key says so when it is not part of the record's key */
            struct str raw = as_sage_writes(r, &s->types[k], soap_text(cell));
            lines_set(&l, s->names[k], udf, (struct str){arena_copy(a, raw.n ? raw.p : "", raw.n), raw.n});
        }
        lines_key(&l, NULL, 0);
    }
    return lines_end(&l, &row->key, &row->violation);
}

/* One block for all texts of the row. */
static void keep_texts(struct value *cols, size_t n, struct arena *a)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += cols[i].kind == V_TEXT ? cols[i].len : 0;
    char *to = bytes ? arena_alloc(a, bytes) : NULL;
    for (size_t i = 0; i < n; i++) {
        if (cols[i].kind != V_TEXT || cols[i].len == 0) continue;
        cols[i].u.text = memcpy(to, cols[i].u.text, cols[i].len);
        to += cols[i].len;
    }
}

/* Eight bytes may be read up to the end of a plain text: tags of the envelope stand before it. */
static void read_columns(const struct soap_reader *r, struct arena *a, struct source_row *row)
{
    size_t n = r->q->ncolumns;
    row->cols = ARENA_ARRAY(a, struct value, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct column *p = &r->columns[i];
        char why[160] = "is not among the members that eBusiness Web Services deliver";
        struct str raw = {"", 0};
        bool plain;
        row->cols[i] = value_absent;
        if (p->from == FROM_LIST) {
            row->cols[i] = read_list(r, p, a, row);
            continue;
        }
        bool ok = raw_column(r, p, &r->s->scratch, &raw, &plain);
        if (ok) {
            raw = as_sage_writes(r, &p->c->type, raw);
            ok = ((plain || cell_plain(raw)) && cell_read(&p->cell, raw, plain, &row->cols[i])) || type_read(&p->c->type, raw, &row->cols[i], why, sizeof why);
        }
        if (!ok) row->cols[i] = value_absent;
        if (!ok && !row->violation) row->violation = arena_printf(a, "%.*s %s", (int)p->c->name.n, p->c->name.p, why);
    }
    keep_texts(row->cols, n, a);
}

/* ---- the row ---- */

/* "YYYY-MM-DD hh:mm:ss" */
static struct str stamp_of(const struct soap_reader *r, struct arena *a)
{
    struct str stamp = soap_text(member(r, &r->updated));
    if (!sage100__soap_is_stamp(stamp) || is_null_date(r, stamp)) return (struct str){NULL, 0};
    char *text = arena_copy(a, stamp.p, 19);
    text[10] = ' ';
    return (struct str){text, 19};
}

enum err sage100__soap_row(struct soap_reader *r, const struct source_key *key, const struct xml_node *result, struct arena *a, struct source_row *out, struct fault *f)
{
    memset(out, 0, sizeof *out);
    out->key = *key;
    if (!result || result->nil || !result->first) {
        out->cols = ARENA_ARRAY(a, struct value, r->q->ncolumns + 1);
        out->violation = "Sage answered neither with the record nor with an error";
        return ERR_OK;
    }
    take(r, result);
    for (size_t i = 0; i < r->e->nkeys; i++) {
        const struct xml_node *n = member(r, &r->key[i]);
        if (n && !n->nil && !str_eq(soap_text(n), key->part[i]))
            return fault_set(f, ERR_PROTOCOL, "source %s, %s: soap %s: another record came than the one asked for (%s differs)", r->s->env.state_name, r->e->table, r->op->name, r->e->key[i]);
    }
    read_columns(r, a, out);
    char *hex = arena_alloc(a, 2 * HASH_BYTES + 1);
    sage100__soap_hash(&r->members, result, r->null_date, &r->content, &r->s->scratch, hex);
    out->hash = (struct str){hex, 2 * HASH_BYTES};
    out->stamp = stamp_of(r, a);
    return ERR_OK;
}
