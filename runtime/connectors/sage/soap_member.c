/* soap_member.c - see soap_member.h. */
#include "connectors/sage/soap_member.h"
#include <stdlib.h>

/* ---- texts ---- */

bool sage100__soap_is_stamp(struct str s)
{
    return s.n >= 19 && s.p[4] == '-' && s.p[7] == '-' && s.p[10] == 'T' && s.p[13] == ':' && s.p[16] == ':';
}

/* .NET's smallest date, SQL Server's smallest, and what the service itself calls its null date. */
bool sage100__soap_is_null_date(struct str null_date, struct str s)
{
    static const char *const always[] = {"0001-01-01", "1753-01-01"};
    if (!sage100__soap_is_stamp(s)) return false;
    for (size_t i = 0; i < 2; i++)
        if (memcmp(s.p, always[i], 10) == 0) return true;
    return null_date.n >= 19 && memcmp(s.p, null_date.p, 19) == 0;
}

const struct xml_node *sage100__soap_child(const struct xml_node *n, struct str name)
{
    for (const struct xml_node *c = n->first; c; c = c->next)
        if (str_ieq(c->name, name)) return c;
    return NULL;
}

/* "UDF_REGION" or "UDF_REGION$": the field's name as BOI spells it may carry the sign of a string column. */
struct str sage100__soap_udf_name(const struct xml_node *field)
{
    struct str name = str_trim(soap_text(sage100__soap_child(field, STR("MasFieldName"))));
    if (name.n && name.p[name.n - 1] == '$') name.n--;
    return name;
}

/* ---- ranks ---- */

bool sage100__soap_is_silent(struct str name)
{
    static const struct str audit[] = {{"DateTimeCreated", 15}, {"DateTimeUpdated", 15}, {"UserCreatedKey", 14}, {"UserUpdatedKey", 14}};
    for (size_t i = 0; i < 4; i++)
        if (str_ieq(name, audit[i])) return true;
    return str_is(name, "MasFieldName");
}

static int by_name(const void *a, const void *b)
{
    const struct soap_member *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

static void meet(struct soap_members *m, const struct xml_node *n)
{
    struct buf b = {0};
    buf_blob(&b, n->name);
    struct str head = {arena_copy(m->a, b.p, b.n), b.n};
    buf_free(&b);
    m->known[m->n++] = (struct soap_member){{head.p + head.n - n->name.n, n->name.n}, head, n->id, sage100__soap_is_silent(n->name)};
    m->rank[n->id] = (uint16_t)m->n;
}

static void rank_all(struct soap_members *m)
{
    qsort(m->known, m->n, sizeof *m->known, by_name);
    for (size_t i = 0, first = 0; i < m->n; i++) {
        if (!str_eq(m->known[i].name, m->known[first].name)) first = i;
        m->rank[m->known[i].id] = (uint16_t)(first + 1);
    }
    m->changes++;
}

/* True when there were names to meet. */
static bool meet_new(struct soap_members *m, const struct xml_node *result)
{
    size_t before = m->n;
    for (const struct xml_node *c = result->first; c; c = c->next)
        if (c->id && !m->rank[c->id] && m->n < SOAP_MEMBERS_MAX) meet(m, c);
    if (m->n != before) rank_all(m);
    return m->n != before;
}

static bool fill(struct soap_members *m, const struct xml_node *result)
{
    memset(m->set, 0, sizeof m->set);
    for (const struct xml_node *c = result->first; c; c = c->next) {
        if (!m->rank[c->id]) return false;
        size_t at = m->rank[c->id] - 1u;
        if (soap_member_set(m, at)) return false;
        m->set[at / 64] |= UINT64_C(1) << at % 64;
        m->slot[at] = c;
    }
    return true;
}

void sage100__soap_members_take(struct soap_members *m, const struct xml_node *result)
{
    m->whole = fill(m, result) || (meet_new(m, result) && fill(m, result));
}

void sage100__soap_wanted_find(const struct soap_members *m, struct soap_wanted *w)
{
    w->rank = 0;
    w->search = false;
    for (size_t i = 0; i < m->n; i++) {
        uint16_t rank = m->rank[m->known[i].id];
        if (rank == w->rank || !str_ieq(m->known[i].name, w->name)) continue;
        w->search = w->rank != 0;                /* two that differ in case: which comes first is a matter of the reply */
        w->rank = rank;
    }
}
