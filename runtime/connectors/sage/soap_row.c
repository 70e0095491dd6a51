/* soap_row.c - a reply of eBusiness Web Services into the row that the agent would have given: same columns, same types, a content hash.
 *
 *   OpResult -> child by local name, case ignored (SalesPersonNo2 beside SalespersonNo)      -> column
 *            -> DateTimeUpdated = DateUpdated + TimeUpdated                                  -> both columns again
 *            -> OtherFields/Field{MasFieldName, Value}                                       -> user-defined columns
 *            -> every leaf but the audit members, in name order, blank ones left out         -> BLAKE2b: equal exactly when content is equal
 *
 * A blank comes as an empty element, as xsi:nil, as no element at all, and for dates as NullDateTime: all are absent. A column that the reply
 * type does not have is no blank: it is a violation, or a door without that column would clear fields. */
#include "connectors/sage/soap.h"
#include "connectors/lines.h"
#include "base/hash.h"
#include "value/json_cell.h"
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { MEMBERS = 256 /* that are found by their name's hash; a reply of more is searched */, SLOTS = 4 * MEMBERS };
struct reply_reading {
    struct source *s;
    const struct soap_operation *op;
    const struct xml_node *result;
    struct str null_date;
    const struct xml_node **slot;                /* children of result; NULL: more than MEMBERS */
};

/* ---- blanks and shapes ---- */

static struct str right_trimmed(struct str s)
{
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

static struct str node_text(const struct xml_node *n)
{
    return !n || n->nil || n->first ? (struct str){"", 0} : right_trimmed(n->text);
}

static bool looks_like_stamp(struct str s)
{
    return s.n >= 19 && s.p[4] == '-' && s.p[7] == '-' && s.p[10] == 'T' && s.p[13] == ':' && s.p[16] == ':';
}

/* .NET's smallest date, SQL Server's smallest, and what the service itself calls its null date. */
static bool is_null_date(const struct reply_reading *r, struct str s)
{
    static const char *const always[] = {"0001-01-01", "1753-01-01"};
    if (!looks_like_stamp(s)) return false;
    for (size_t i = 0; i < 2; i++)
        if (memcmp(s.p, always[i], 10) == 0) return true;
    return r->null_date.n >= 19 && memcmp(s.p, r->null_date.p, 19) == 0;
}

static const struct xml_node *child_nocase(const struct xml_node *n, struct str name)
{
    for (const struct xml_node *c = sage100__xml_child(n, NULL); c; c = c->next)
        if (str_ieq(c->name, name)) return c;
    return NULL;
}

static unsigned name_hash(struct str s)
{
    unsigned h = (unsigned)s.n;
    for (size_t i = 0; i < s.n; i++) h = h * 31 + ((unsigned char)s.p[i] | 0x20u);
    return h ^ h >> 10;
}

/* The children of the result by name; of namesakes the first. */
static void index_members(struct reply_reading *r)
{
    size_t n = 0;
    for (const struct xml_node *c = r->result->first; c; c = c->next)
        if (++n > MEMBERS) return;
    r->slot = ARENA_ARRAY(&r->s->scratch, const struct xml_node *, SLOTS);
    for (const struct xml_node *c = r->result->first; c; c = c->next) {
        unsigned at = name_hash(c->name) % SLOTS;
        while (r->slot[at] && !str_ieq(r->slot[at]->name, c->name)) at = (at + 1) % SLOTS;
        if (!r->slot[at]) r->slot[at] = c;
    }
}

static const struct xml_node *member(const struct reply_reading *r, struct str name)
{
    if (!r->slot) return child_nocase(r->result, name);
    unsigned at = name_hash(name) % SLOTS;
    while (r->slot[at] && !str_ieq(r->slot[at]->name, name)) at = (at + 1) % SLOTS;
    return r->slot[at];
}

/* "UDF_REGION" or "UDF_REGION$": the field's name as BOI spells it may carry the sign of a string column. */
static struct str udf_name(const struct xml_node *field)
{
    struct str name = str_trim(node_text(child_nocase(field, STR("MasFieldName"))));
    if (name.n && name.p[name.n - 1] == '$') name.n--;
    return name;
}

static const struct xml_node *udf_node(const struct xml_node *result, struct str name)
{
    const struct xml_node *others = child_nocase(result, STR("OtherFields"));
    for (const struct xml_node *n = others; n; n = sage100__xml_walk(others, n))
        if (str_ieq(udf_name(n), name)) return child_nocase(n, STR("Value"));
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

/* DateUpdated, TimeUpdated, DateCreated, TimeCreated out of the merged stamps; false when the column is none of them. */
static bool split_stamp(const struct reply_reading *r, struct str column, struct arena *a, struct str *raw)
{
    static const struct { struct str column, member; bool date; } parts[] = {
        {{"DateUpdated", 11}, {"DateTimeUpdated", 15}, true}, {{"TimeUpdated", 11}, {"DateTimeUpdated", 15}, false},
        {{"DateCreated", 11}, {"DateTimeCreated", 15}, true}, {{"TimeCreated", 11}, {"DateTimeCreated", 15}, false}};
    for (size_t i = 0; i < 4; i++) {
        if (!str_eq(column, parts[i].column)) continue;
        struct str stamp = node_text(member(r, parts[i].member));
        *raw = (struct str){"", 0};
        if (!looks_like_stamp(stamp) || is_null_date(r, stamp)) return true;
        *raw = parts[i].date ? (struct str){stamp.p, 10} : hours_text(a, stamp);
        return true;
    }
    return false;
}

/* What XML Schema writes where Sage's own texts look otherwise. */
static struct str as_sage_writes(const struct reply_reading *r, const struct type *t, struct str raw)
{
    if (is_null_date(r, raw)) return (struct str){"", 0};
    if (t->base == T_DATE && looks_like_stamp(raw)) return (struct str){raw.p, 10};
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

static bool raw_column(const struct reply_reading *r, const struct source_column *c, struct arena *a, struct str *raw)
{
    if (c->udf || str_starts(c->name, STR("UDF_"))) {
        *raw = node_text(udf_node(r->result, c->name));
        return true;
    }
    if (split_stamp(r, c->name, a, raw)) return true;
    const struct xml_node *n = member(r, c->name);
    *raw = node_text(n);
    return n || sage100__soap_has_member(r->op, c->name);
}

/* The lines of a sales order: children of the member, each with the columns of the line table. */
static struct value read_list(const struct reply_reading *r, const struct source_query *q, const struct source_column *c, struct arena *a, struct source_row *row)
{
    const struct list_shape *s = c->type.shape;
    const struct xml_node *n = member(r, c->name);
    struct lines l;
    lines_begin(&l, q, c, a);
    for (const struct xml_node *line = n ? n->first : NULL; line != NULL; line = line->next) {
        lines_add(&l);
        for (uint16_t k = 0; k < s->n; k++) {
            bool udf = s->flags[k] & LIST_UDF;
            const struct xml_node *cell = udf ? udf_node(line, s->names[k]) : child_nocase(line, s->names[k]);
            if (!cell) continue;                     /* lines_key says so when it is not part of the record's key */
            struct str raw = as_sage_writes(r, &s->types[k], node_text(cell));
            lines_set(&l, s->names[k], udf, (struct str){arena_copy(a, raw.n ? raw.p : "", raw.n), raw.n});
        }
        lines_key(&l, NULL, 0);
    }
    return lines_end(&l, &row->key, &row->violation);
}

static void read_columns(const struct reply_reading *r, const struct source_query *q, struct arena *a, struct source_row *row)
{
    row->cols = ARENA_ARRAY(a, struct value, q->ncolumns + 1);
    for (size_t i = 0; i < q->ncolumns; i++) {
        const struct source_column *c = &q->columns[i];
        char why[160] = "is not among the members that eBusiness Web Services deliver";
        struct str raw = {"", 0};
        struct value v = value_absent;
        if (c->type.base == T_LIST) {
            row->cols[i] = read_list(r, q, c, a, row);
            continue;
        }
        bool ok = raw_column(r, c, &r->s->scratch, &raw);
        if (ok) {
            const struct cell cell = cell_of(c->name, &c->type);
            raw = as_sage_writes(r, &c->type, raw);
            ok = (cell_plain(raw) && cell_read(&cell, raw, false, &v)) || type_read(&c->type, raw, &v, why, sizeof why);
        }
        row->cols[i] = value_copy(a, &v);
        if (!ok && !row->violation) row->violation = arena_printf(a, "%.*s %s", (int)c->name.n, c->name.p, why);
    }
}

/* ---- content hash ---- */

struct leaf { uint64_t head; struct str path, value; };      /* head: the path's first bytes as a number that sorts like them */

static bool is_audit(struct str name)
{
    static const struct str names[] = {{"DateTimeCreated", 15}, {"DateTimeUpdated", 15}, {"UserCreatedKey", 14}, {"UserUpdatedKey", 14}};
    for (size_t i = 0; i < 4; i++)
        if (str_ieq(name, names[i])) return true;
    return false;
}

static int by_path(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;
    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    int c = str_cmp(x->path, y->path);
    return c ? c : str_cmp(x->value, y->value);
}

static uint64_t head_of(struct str s)
{
    uint64_t h = 0;
    for (size_t i = 0; i < 8; i++) h = h << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
    return h;
}

/* "City"; "Lines/SalesOrderLine.2/ItemCode"; a user-defined field by its own name, so that their order does not count. */
static struct str path_of(struct arena *a, const struct xml_node *top, const struct xml_node *n)
{
    struct str field = n->parent && n->parent != top && str_is(n->name, "Value") ? udf_name(n->parent) : (struct str){"", 0};
    if (field.n) return str_of(arena_printf(a, "OtherFields/%.*s", (int)field.n, field.p));
    if (n->parent == top) return n->name;
    struct str above = path_of(a, top, n->parent);
    return str_of(arena_printf(a, "%.*s/%.*s.%u", (int)above.n, above.p, (int)n->name.n, n->name.p, n->rank));
}

static struct str content_hash(const struct reply_reading *r, struct arena *a)
{
    struct arena *scratch = &r->s->scratch;
    size_t n = 0, max = 0;
    for (const struct xml_node *x = sage100__xml_walk(r->result, r->result); x; x = sage100__xml_walk(r->result, x)) max++;
    struct leaf *leaves = ARENA_ARRAY(scratch, struct leaf, max + 1);
    for (const struct xml_node *x = sage100__xml_walk(r->result, r->result); x; x = sage100__xml_walk(r->result, x)) {
        struct str value = node_text(x);
        bool name_of_field = str_is(x->name, "MasFieldName");
        if (value.n == 0 || is_audit(x->name) || name_of_field || is_null_date(r, value)) continue;
        struct str path = path_of(scratch, r->result, x);
        leaves[n++] = (struct leaf){head_of(path), path, value};
    }
    qsort(leaves, n, sizeof *leaves, by_path);
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        buf_blob(&b, leaves[i].path);
        buf_blob(&b, leaves[i].value);
    }
    struct hash h = hash_of(buf_view(&b));
    buf_free(&b);
    char *hex = arena_alloc(a, 2 * HASH_BYTES + 1);
    hash_hex(h.b, HASH_BYTES, hex);
    return (struct str){hex, 2 * HASH_BYTES};
}

/* ---- the row ---- */

enum err sage100__soap_row(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *key,
                        const struct soap_operation *op, const struct xml_node *result, struct arena *a, struct source_row *out, struct fault *f)
{
    struct reply_reading r = {s, op, result, s->contract ? s->contract->null_date : (struct str){"", 0}, NULL};
    memset(out, 0, sizeof *out);
    out->key = *key;
    if (!result || result->nil || !result->first) {
        out->cols = ARENA_ARRAY(a, struct value, q->ncolumns + 1);
        out->violation = "Sage answered neither with the record nor with an error";
        return ERR_OK;
    }
    index_members(&r);
    for (size_t i = 0; i < e->nkeys; i++) {
        const struct xml_node *n = member(&r, str_of(e->key[i]));
        if (n && !n->nil && !str_eq(node_text(n), key->part[i]))
            return fault_set(f, ERR_PROTOCOL, "source %s, %s: soap %s: another record came than the one asked for (%s differs)", s->env.state_name, e->table, op->name, e->key[i]);
    }
    read_columns(&r, q, a, out);
    out->hash = content_hash(&r, a);
    struct str stamp = node_text(member(&r, STR("DateTimeUpdated")));
    if (looks_like_stamp(stamp) && !is_null_date(&r, stamp))
        out->stamp = str_of(arena_printf(a, "%.10s %.8s", stamp.p, stamp.p + 11));
    return ERR_OK;
}
