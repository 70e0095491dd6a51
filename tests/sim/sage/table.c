/*
 * table.c: the tables of the model, from data/NAME.def, what this installation makes of them (barred columns, UDFs,
 * audit columns), and keys.
 *
 *     key in memory     "01\0ABF"     parts joined by a zero byte: memcmp orders part by part
 *     key in a URL      "01~ABF"      split at the first nparts-1 '~', so that the last part may hold one
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STRING SAGE_STRING
#define DATE SAGE_DATE
#define NUMBER SAGE_NUMBER
#define SAGE_COL(name, type, length, scale, fill) {name, type, length, scale, SAGE_FILL_##fill},

static const struct sage_column columns_CUSTOMERS[] = {
#include "data/customers.def"
};
static const struct sage_column columns_CONTACTS[] = {
#include "data/contacts.def"
};
static const struct sage_column columns_SALES_ORDERS[] = {
#include "data/sales_orders.def"
};
static const struct sage_column columns_SALES_ORDER_LINES[] = {
#include "data/sales_order_lines.def"
};
static const struct sage_column columns_VENDORS[] = {
#include "data/vendors.def"
};
static const struct sage_column columns_TERMS[] = {
#include "data/terms.def"
};
static const struct sage_column columns_SALESPERSONS[] = {
#include "data/salespersons.def"
};
static const struct sage_column columns_ITEMS[] = {
#include "data/items.def"
};
static const struct sage_column columns_SALES_ORDER_HISTORY[] = {
#include "data/sales_order_history.def"
};
static const struct sage_column columns_SALES_ORDER_HISTORY_LINES[] = {
#include "data/sales_order_history_lines.def"
};
static const struct sage_column columns_PURCHASE_ORDERS[] = {
#include "data/purchase_orders.def"
};
static const struct sage_column columns_PURCHASE_ORDER_LINES[] = {
#include "data/purchase_order_lines.def"
};
static const struct sage_column columns_AR_INVOICES[] = {
#include "data/ar_invoices.def"
};
static const struct sage_column columns_AR_INVOICE_LINES[] = {
#include "data/ar_invoice_lines.def"
};
static const struct sage_column columns_AR_OPEN_INVOICES[] = {
#include "data/ar_open_invoices.def"
};
static const struct sage_column columns_AP_OPEN_INVOICES[] = {
#include "data/ap_open_invoices.def"
};
static const struct sage_column columns_AP_INVOICES[] = {
#include "data/ap_invoices.def"
};
static const struct sage_column columns_GL_ACCOUNTS[] = {
#include "data/gl_accounts.def"
};
static const struct sage_column columns_GL_MAIN_ACCOUNTS[] = {
#include "data/gl_main_accounts.def"
};
static const struct sage_column columns_GL_ACCOUNT_GROUPS[] = {
#include "data/gl_account_groups.def"
};

const struct sage_table sage__tables[SAGE_RESOURCES] = {
#define SAGE_RESOURCE(id, name, table, parts, lines)                                                                   \
    {name, table, parts, SAGE_##lines, columns_##id, (int)(sizeof columns_##id / sizeof *columns_##id)},
#include "resources.def"
#undef SAGE_RESOURCE
};

// facts/sage-100.md 9.1: never leaves the agent. A star stands for any text.
static const char *const barred[] = {"EncryptedVals", "TaxpayerID*", "Password*", "CreditCard*", "Cardholder*", "CardType", "Last4*",
                                     "ExpirationDateYear", "ExpirationDateMonth", "BankName", "BankAccountType", "AVS*",
                                     "*MagneticStrip*"};

static bool matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (pattern[0] == '*') {
        char *middle = sage__copy_len(pattern + 1, n - 2);
        bool found = strcasestr(name, middle) != NULL;
        free(middle);
        return found;
    }
    if (pattern[n - 1] == '*')
        return strncasecmp(pattern, name, n - 1) == 0;
    return strcasecmp(pattern, name) == 0;
}

static bool is_barred(const char *name)
{
    for (size_t i = 0; i < sizeof barred / sizeof *barred; i++)
        if (matches(barred[i], name))
            return true;
    return false;
}

void sage__layout_make(struct sage_layout *l, const struct sage_table *t)
{
    if (t->ncolumns > SAGE_COLUMNS_MAX)
        sage__broken("too many columns");
    memset(l, 0, sizeof *l);
    l->table = t;
    l->user_updated = -1;
    for (int i = 0; i < 4; i++)
        l->stamp[i] = -1;
    for (int i = 0; i < t->ncolumns; i++) {
        const struct sage_column *c = &t->columns[i];
        l->barred[i] = is_barred(c->name);
        l->udf[i] = strncmp(c->name, "UDF_", 4) == 0;
        l->audit[i] = c->fill >= SAGE_FILL_CREATED_DATE && c->fill <= SAGE_FILL_UPDATED_USER;
        switch (c->fill) {
        case SAGE_FILL_CREATED_DATE: l->stamp[0] = i; break;
        case SAGE_FILL_CREATED_TIME: l->stamp[1] = i; break;
        case SAGE_FILL_UPDATED_DATE: l->stamp[2] = i; break;
        case SAGE_FILL_UPDATED_TIME: l->stamp[3] = i; break;
        case SAGE_FILL_UPDATED_USER: l->user_updated = i; break;
        default: break;
        }
        struct sage_buf b = {0};
        sage__put_json(&b, c->name, strlen(c->name));
        sage__puts(&b, ":");
        l->prefix[i] = b.p;
        l->prefix_len[i] = b.len;
    }
}

void sage__layout_free(struct sage_layout *l)
{
    for (int i = 0; l->table && i < l->table->ncolumns; i++)
        free(l->prefix[i]);
}

int sage__column_find(const struct sage_table *t, const char *name)
{
    for (int i = 0; i < t->ncolumns; i++)
        if (strcasecmp(t->columns[i].name, name) == 0)
            return i;
    return -1;
}

int sage__resource_find(const char *name)
{
    for (int i = 0; i < SAGE_RESOURCES; i++)
        if (sage__tables[i].resource && strcmp(sage__tables[i].resource, name) == 0)
            return i;
    return -1;
}

void sage__key_start(struct sage_key *key)
{
    key->len = UINT16_MAX; // no part yet: an empty first part is not the same
}

bool sage__key_add(struct sage_key *key, const char *part, size_t len)
{
    size_t at = key->len == UINT16_MAX ? 0 : key->len;
    size_t sep = key->len == UINT16_MAX ? 0 : 1;
    if (at + sep + len > SAGE_KEY_BYTES_MAX || (len && memchr(part, 0, len)))
        return false;
    if (sep)
        key->b[at++] = 0;
    if (len)
        memcpy(key->b + at, part, len);
    key->len = (uint16_t)(at + len);
    return true;
}

int sage__key_cmp(const struct sage_key *a, const struct sage_key *b)
{
    int d = memcmp(a->b, b->b, a->len < b->len ? a->len : b->len);
    return d ? d : (a->len > b->len) - (a->len < b->len);
}

const char *sage__key_part(const struct sage_key *key, int i, size_t *len)
{
    const char *p = key->b, *end = key->b + key->len;
    for (; i > 0; i--) {
        const char *zero = memchr(p, 0, (size_t)(end - p));
        if (!zero)
            sage__broken("key has fewer parts");
        p = zero + 1;
    }
    const char *zero = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
    *len = (size_t)((zero ? zero : end) - p);
    return p;
}

bool sage__key_parse(struct sage_key *key, const char *text, size_t len, int nparts)
{
    const char *end = text + len;
    sage__key_start(key);
    for (int i = 0; i < nparts; i++) {
        const char *stop = end;
        if (i + 1 < nparts && !(stop = memchr(text, '~', (size_t)(end - text))))
            return false;
        if (!sage__key_add(key, text, (size_t)(stop - text)))
            return false;
        text = stop + 1;
    }
    return true;
}

char *sage__key_text(const struct sage_key *key)
{
    char *text = sage__copy_len(key->b, key->len);
    for (size_t i = 0; i < key->len; i++)
        if (!text[i])
            text[i] = '~';
    return text;
}

void sage__key_json(struct sage_buf *b, const struct sage_key *key, int first_part)
{
    const char *p = key->b, *end = key->b + key->len;
    sage__puts(b, "[");
    for (int i = 0;; i++) {
        const char *zero = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
        if (i >= first_part) {
            if (i > first_part)
                sage__puts(b, ",");
            sage__put_json(b, p, (size_t)((zero ? zero : end) - p));
        }
        if (!zero)
            break;
        p = zero + 1;
    }
    sage__puts(b, "]");
}
