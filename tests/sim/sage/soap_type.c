/*
 * soap_type.c: the data contracts of facts/sage-100.md 3.4, from data/soap_*.def: members in contract order, the
 * schema that describes them, and the values out of a row. Blanks look as sage_soap_names.blank says.
 */
#include "soap.h"

#include <stdlib.h>
#include <string.h>

enum kind { TEXT, DECIMAL, INT, DATE, CREATED, UPDATED, OTHER_FIELDS, LINES, PAYMENTS };

struct member {
    const char *name;
    enum kind kind;
};

#define SAGE_MEMBER(name, kind) {name, kind},
static const struct member customer[] = {
#include "data/soap_customer.def"
};
static const struct member contact[] = {
#include "data/soap_contact.def"
};
static const struct member order[] = {
#include "data/soap_order.def"
};
static const struct member order_line[] = {
#include "data/soap_order_line.def"
};

static const struct {
    const char *name;
    const struct member *members;
    size_t n;
} types[] = {
    [SAGE_SOAP_CONTRACT_INFORMATION] = {"ContractInformation", NULL, 0},
    [SAGE_SOAP_CUSTOMER] = {"Customer", customer, sizeof customer / sizeof *customer},
    [SAGE_SOAP_CONTACT] = {"CustomerContact", contact, sizeof contact / sizeof *contact},
    [SAGE_SOAP_ORDER] = {"SalesOrder", order, sizeof order / sizeof *order},
    [SAGE_SOAP_ORDER_LINE] = {"SalesOrderLine", order_line, sizeof order_line / sizeof *order_line},
    [SAGE_SOAP_CUSTOMER_KEYS] = {"ArrayOfCustomerKey", NULL, 0},
    [SAGE_SOAP_CONTACT_KEYS] = {"ArrayOfCustomerContactKey", NULL, 0},
    [SAGE_SOAP_ORDER_KEYS] = {"ArrayOfstring", NULL, 0},
    [SAGE_SOAP_TEXT] = {NULL, NULL, 0},
};

const char *sage__soap_type_name(enum sage_soap_type type)
{
    return types[type].name;
}

const char *sage__logon_member(const struct sage_sim *s, int i)
{
    return (i == 0) == s->opt.soap.username_first ? "Username" : "Password";
}

static const char *schema_type(enum kind kind)
{
    switch (kind) {
    case DECIMAL: return "xs:decimal";
    case INT: return "xs:int";
    case DATE: case CREATED: case UPDATED: return "xs:dateTime";
    case OTHER_FIELDS: return "tns:ArrayOfField";
    case LINES: return "tns:ArrayOfSalesOrderLine";
    case PAYMENTS: return "tns:ArrayOfSalesOrderPayment";
    default: return "xs:string";
    }
}

static void element(struct sage_buf *b, const char *name, const char *type)
{
    sage__putf(b, "<xs:element minOccurs=\"0\" name=\"%s\" nillable=\"true\" type=\"%s\"/>", name, type);
}

static void open_type(struct sage_buf *b, const char *name)
{
    sage__putf(b, "<xs:complexType name=\"%s\"><xs:sequence>", name);
}

static void close_type(struct sage_buf *b, const char *name)
{
    sage__putf(b, "</xs:sequence></xs:complexType><xs:element name=\"%s\" nillable=\"true\" type=\"tns:%s\"/>\n", name, name);
}

static void array(struct sage_buf *b, const char *name, const char *of)
{
    open_type(b, name);
    sage__putf(b, "<xs:element minOccurs=\"0\" maxOccurs=\"unbounded\" name=\"%s\" nillable=\"true\" type=\"tns:%s\"/>", of, of);
    close_type(b, name);
}

void sage__soap_types_schema(struct sage_buf *b, const struct sage_sim *s)
{
    open_type(b, "Logon");
    for (int i = 0; i < 2; i++)
        element(b, sage__logon_member(s, i), "xs:string");
    close_type(b, "Logon");
    open_type(b, "ContractInformation");
    element(b, "AssemblyVersion", "xs:string");
    element(b, "ContractVersion", "xs:int");
    element(b, "NullDateTime", "xs:dateTime");
    close_type(b, "ContractInformation");
    open_type(b, "MasFault");
    element(b, "ErrorCode", "xs:string");
    element(b, "ErrorMessage", "xs:string");
    close_type(b, "MasFault");
    open_type(b, "Field");
    element(b, "MasFieldName", "xs:string");
    element(b, "Value", "xs:string");
    close_type(b, "Field");
    array(b, "ArrayOfField", "Field");
    if (s->opt.soap.lists) {
        for (size_t t = SAGE_SOAP_CUSTOMER_KEYS; t <= SAGE_SOAP_CONTACT_KEYS; t++) {
            open_type(b, types[t].name + strlen("ArrayOf"));
            element(b, "ARDivisionNo", "xs:string");
            if (t == SAGE_SOAP_CONTACT_KEYS)
                element(b, "ContactCode", "xs:string");
            element(b, "CustomerNo", "xs:string");
            close_type(b, types[t].name + strlen("ArrayOf"));
            array(b, types[t].name, types[t].name + strlen("ArrayOf"));
        }
        open_type(b, "ArrayOfstring");
        sage__puts(b, "<xs:element minOccurs=\"0\" maxOccurs=\"unbounded\" name=\"string\" nillable=\"true\" type=\"xs:string\"/>");
        close_type(b, "ArrayOfstring");
    }
    for (size_t t = SAGE_SOAP_CUSTOMER; t <= SAGE_SOAP_ORDER_LINE; t++) {
        open_type(b, types[t].name);
        for (size_t i = 0; i < types[t].n; i++)
            element(b, types[t].members[i].name, schema_type(types[t].members[i].kind));
        close_type(b, types[t].name);
    }
    array(b, "ArrayOfSalesOrderLine", "SalesOrderLine");
    open_type(b, "SalesOrderPayment");
    element(b, "PaymentSeqNo", "xs:string");
    element(b, "PaymentType", "xs:string");
    close_type(b, "SalesOrderPayment");
    array(b, "ArrayOfSalesOrderPayment", "SalesOrderPayment");
}

static void blank(struct sage_buf *b, const struct sage_sim *s, const struct member *m)
{
    switch (s->opt.soap.blank) {
    case SAGE_BLANK_OMITTED: return;
    case SAGE_BLANK_NIL: sage__putf(b, "<a:%s i:nil=\"true\"/>", m->name); return;
    default: break;
    }
    if (m->kind == TEXT)
        sage__putf(b, "<a:%s/>", m->name);
    else if (m->kind == DECIMAL || m->kind == INT)
        sage__putf(b, "<a:%s>0</a:%s>", m->name, m->name);
    else
        sage__putf(b, "<a:%s>%s</a:%s>", m->name, s->opt.soap.null_date, m->name);
}

// Date and decimal hours as one xs:dateTime without a zone, facts/sage-100.md 3.3 and 6.
static void date_time(struct sage_buf *b, const struct sage_sim *s, const struct member *m, int64_t position)
{
    struct sage_local l;
    if (position < SAGE_STAMP_SCALE) {
        blank(b, s, m);
        return;
    }
    int64_t ms = sage__local_ms_of_position(position);
    sage__civil(ms, &l);
    sage__putf(b, "<a:%s>%04d-%02d-%02dT%02d:%02d:%02d", m->name, l.year, l.month, l.day, l.hour, l.minute, l.second);
    if (ms % 1000) {
        char fraction[8];
        int n = snprintf(fraction, sizeof fraction, "%03d", (int)(ms % 1000));
        while (n > 0 && fraction[n - 1] == '0')
            fraction[--n] = 0;
        sage__putf(b, ".%s", fraction);
    }
    sage__putf(b, "</a:%s>", m->name);
}

static int64_t stamp(const struct sage_row *row, int date, int time)
{
    struct sage_value none = {"", 0}, d = date < 0 ? none : row->v[date], t = time < 0 ? none : row->v[time];
    return sage__position(d.p ? d.p : "", d.len, t.p ? t.p : "", t.len);
}

static void other_fields(struct sage_buf *b, const struct sage_row *row)
{
    int n = 0;
    for (int i = 0; i < row->layout->table->ncolumns; i++) {
        if (!row->layout->udf[i] || !row->v[i].len)
            continue;
        sage__puts(b, n++ ? "" : "<a:OtherFields>");
        sage__putf(b, "<a:Field><a:MasFieldName>%s</a:MasFieldName><a:Value>", row->layout->table->columns[i].name);
        sage__put_xml(b, row->v[i].p, row->v[i].len);
        sage__puts(b, "</a:Value></a:Field>");
    }
    sage__puts(b, n ? "</a:OtherFields>" : "<a:OtherFields/>");
}

static void lines(struct sage_buf *b, struct sage_resource *header, const struct sage_row *row)
{
    struct sage_resource *r = &header->company->res[SAGE_SALES_ORDER_LINES];
    struct sage_row *line = sage__alloc(sizeof *line);
    struct sage_iter it;
    struct sage_hit hit;
    sage__puts(b, "<a:Lines>");
    sage__view_after_key(r, &row->key, &it);
    while (sage__view_next(&it, true, &hit)) {
        if (hit.key.len <= row->key.len || memcmp(hit.key.b, row->key.b, row->key.len) != 0 || hit.key.b[row->key.len])
            break;
        sage__view_row(r, &hit, line);
        sage__puts(b, "<a:SalesOrderLine>");
        sage__soap_row(b, r, line, SAGE_SOAP_ORDER_LINE);
        sage__puts(b, "</a:SalesOrderLine>");
    }
    sage__puts(b, "</a:Lines>");
    free(line);
}

static void key_member(struct sage_buf *b, const struct sage_key *key, int part, const char *name)
{
    size_t len;
    const char *p = sage__key_part(key, part, &len);
    sage__putf(b, "<a:%s>", name);
    sage__put_xml(b, p, len);
    sage__putf(b, "</a:%s>", name);
}

void sage__soap_keys(struct sage_buf *b, struct sage_resource *r, enum sage_soap_type type)
{
    const char *of = types[type].name + strlen("ArrayOf");
    struct sage_iter it;
    struct sage_hit hit;
    sage__view_after_key(r, NULL, &it);
    while (sage__view_next(&it, false, &hit)) {
        if (type == SAGE_SOAP_ORDER_KEYS) {
            key_member(b, &hit.key, 0, of);
            continue;
        }
        sage__putf(b, "<a:%s>", of);
        key_member(b, &hit.key, 0, "ARDivisionNo");
        if (type == SAGE_SOAP_CONTACT_KEYS)
            key_member(b, &hit.key, 2, "ContactCode");
        key_member(b, &hit.key, 1, "CustomerNo");
        sage__putf(b, "</a:%s>", of);
    }
}

void sage__soap_row(struct sage_buf *b, struct sage_resource *r, const struct sage_row *row, enum sage_soap_type type)
{
    const struct sage_sim *s = r->company->sim;
    const int *at = row->layout->stamp;
    for (size_t i = 0; i < types[type].n; i++) {
        const struct member *m = &types[type].members[i];
        switch (m->kind) {
        case CREATED: date_time(b, s, m, stamp(row, at[0], at[1])); continue;
        case UPDATED: date_time(b, s, m, stamp(row, at[2], at[3])); continue;
        case OTHER_FIELDS: other_fields(b, row); continue;
        case LINES: lines(b, r, row); continue;
        case PAYMENTS: sage__puts(b, "<a:Payments/>"); continue;
        default: break;
        }
        int column = sage__column_find(row->layout->table, m->name);
        if (column < 0)
            sage__broken("SOAP member without a column");
        const struct sage_value *v = &row->v[column];
        if (m->kind == DATE) {
            date_time(b, s, m, v->p ? sage__position(v->p, v->len, "", 0) : 0);
        } else if (!v->len) {
            blank(b, s, m);
        } else {
            sage__putf(b, "<a:%s>", m->name);
            sage__put_xml(b, v->p, v->len);
            sage__putf(b, "</a:%s>", m->name);
        }
    }
}
