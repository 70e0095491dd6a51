/* standin.c - what the objects of the stand-in answer, its faults and its commands. */
#include "tests/agent/standin.h"
#include <stdio.h>
#include <stdlib.h>

static const char lock_text[] = "The record is in use by another user.";

/* facts/sage-100.md 4.5 and 9.2: object, table, table of its lines */
static const struct { const char *object, *table, *lines; } objects[] = {
    {"AR_Customer_svc", "AR_Customer", NULL}, {"AR_CustomerContact_svc", "AR_CustomerContact", NULL}, {"AP_Vendor_svc", "AP_Vendor", NULL},
    {"GL_Account_svc", "GL_Account", NULL}, {"GL_MainAccount_svc", "GL_MainAccount", NULL}, {"GL_AccountGroup_svc", "GL_AccountGroup", NULL},
    {"AR_TermsCode_svc", "AR_TermsCode", NULL}, {"AR_Salesperson_svc", "AR_Salesperson", NULL}, {"CI_ItemCode_svc", "CI_Item", NULL},
    {"SO_SalesOrder_svc", "SO_SalesOrderHeader", "SO_SalesOrderDetail"},
    {"SO_SalesOrderHistory_svc", "SO_SalesOrderHistoryHeader", "SO_SalesOrderHistoryDetail"},
    {"PO_PurchaseOrder_svc", "PO_PurchaseOrderHeader", "PO_PurchaseOrderDetail"},
    {"AR_OpenInvoice_svc", "AR_OpenInvoice", NULL}, {"AR_InvoiceHistoryInquiry_svc", "AR_InvoiceHistoryHeader", "AR_InvoiceHistoryDetail"},
    {"AR_TransactionPaymentHistory_svc", "AR_TransactionPaymentHistory", NULL}, {"AP_OpenInvoice_svc", "AP_OpenInvoice", NULL},
    {"AP_InvoiceHistoryHeader_svc", "AP_InvoiceHistoryHeader", NULL},
};

void standin_init(struct standin *s, const char *dir, const struct standin_around *around)
{
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    s->around = *around;
}

void standin_free(struct standin *s)
{
    for (unsigned i = 0; i < s->ntables; i++) standin__table_free(&s->table[i]);
    memset(s, 0, sizeof *s);
}

/* ---- faults ---- */

/* The fault that this call meets, NULL: none. Delays, hangs and crashes happen here. */
static const struct standin_fault *meet(struct standin *s, const char *op, enum standin_reply *reply)
{
    *reply = STANDIN_ONE;
    s->calls++;
    for (unsigned i = 0; i < s->nfaults; i++) {
        struct standin_fault *f = &s->fault[i];
        if (strcmp(f->op, op) != 0) continue;
        if (f->skip > 0) {
            f->skip--;
            continue;
        }
        if (s->around.fired(s->around.ctx, f->id, false) >= f->times) continue;
        s->around.fired(s->around.ctx, f->id, true);
        switch (f->kind) {
        case STANDIN_DELAY: s->around.sleep_ms(s->around.ctx, f->arg); return NULL;
        case STANDIN_HANG: s->around.sleep_ms(s->around.ctx, 600000); return NULL;
        case STANDIN_CRASH:
            s->around.crash(s->around.ctx);
            *reply = STANDIN_DEAD;
            return f;
        case STANDIN_EXCEPTION: *reply = STANDIN_DEAD; return f;
        case STANDIN_NO:
            snprintf(s->error, sizeof s->error, "%s", f->text[0] ? f->text : lock_text);
            *reply = STANDIN_ZERO;
            return f;
        default: return f;
        }
    }
    return NULL;
}

/* ---- session ---- */

enum standin_reply standin_step(struct standin *s, const char *op, const char *company)
{
    enum standin_reply reply;
    meet(s, op, &reply);
    for (unsigned i = 0; reply == STANDIN_ONE && company && i < s->nclosed; i++)
        if (strcmp(s->closed[i].code, company) == 0) {
            snprintf(s->error, sizeof s->error, "%s", s->closed[i].text);
            return STANDIN_ZERO;
        }
    return reply;
}

struct standin_object *standin_open(struct standin *s, const char *object, enum standin_reply *reply)
{
    meet(s, "open", reply);
    if (*reply != STANDIN_ONE) return NULL;
    *reply = STANDIN_ZERO;
    for (unsigned i = 0; i < s->nrefused; i++)
        if (standin__ieq(s->refused[i].object, object)) {
            snprintf(s->error, sizeof s->error, "%s", s->refused[i].text);
            return NULL;
        }
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        if (!standin__ieq(objects[i].object, object)) continue;
        struct standin_table *t = standin__table(s, objects[i].table);
        if (!t) break;
        struct standin_object *o = calloc(1, sizeof *o);
        o->s = s;
        o->table = t;
        o->lines = objects[i].lines ? standin__table(s, objects[i].lines) : NULL;
        *reply = STANDIN_ONE;
        return o;
    }
    snprintf(s->error, sizeof s->error, "The object %.60s is not on file.", object);
    return NULL;
}

struct standin_object *standin_lines(struct standin_object *o)
{
    if (!o->lines) return NULL;
    struct standin_object *l = calloc(1, sizeof *l);
    l->s = o->s;
    l->table = o->lines;
    l->is_lines = true;
    return l;
}

void standin_close(struct standin_object *o)
{
    for (unsigned i = 0; o && i < 8; i++) free((char *)o->want[i].p);
    free(o);
}

/* ---- reading ---- */

static enum standin_reply say(struct standin_object *o, enum standin_reply r)
{
    snprintf(o->error, sizeof o->error, "%s", r == STANDIN_ZERO ? o->s->error : "");
    return r;
}

enum standin_reply standin_columns(struct standin_object *o, struct buf *out)
{
    enum standin_reply r;
    meet(o->s, "columns", &r);
    for (unsigned i = 0; r == STANDIN_ONE && i < o->table->ncolumns; i++) {
        buf_str(out, o->table->column[i]);
        if (o->table->text[i]) buf_byte(out, '$');
        buf_byte(out, 0x8a);
    }
    return say(o, r);
}

/* The primary key as the file holds it: parts one behind the other, padded or not. */
static void stored_key(const struct standin *s, const struct standin_table *t, const struct standin_row *r, struct buf *out)
{
    buf_clear(out);
    for (unsigned i = 0; i < t->nkeys; i++) {
        struct str part = r->cell[t->keycol[i]];
        buf_str(out, part);
        for (size_t n = part.n; s->padded && n < t->keylen[i]; n++) buf_byte(out, ' ');
    }
}

static bool in_range(struct standin_object *o, const struct standin_row *r, const char *begin, const char *end, struct buf *key)
{
    if (!*begin && !*end) return true;
    stored_key(o->s, o->table, r, key);
    return str_cmp(buf_view(key), str_of(begin)) >= 0 && (!*end || str_cmp(buf_view(key), str_of(end)) <= 0);
}

/* Where a range begins: found by halving where the order of the rows is that of the stored keys, else the first row. */
static size_t first_of(const struct standin_object *o, const char *begin, struct buf *key)
{
    const struct standin_table *t = o->table;
    size_t lo = 0, hi = *begin && !t->uneven ? t->n : 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        stored_key(o->s, t, &t->row[mid], key);
        if (str_cmp(buf_view(key), str_of(begin)) >= 0) hi = mid;
        else lo = mid + 1;
    }
    return lo;
}

/* True when no row behind this one can be in the range. */
static bool past(struct standin_object *o, const struct standin_row *r, const char *end, struct buf *key)
{
    if (!*end || o->table->uneven) return false;
    stored_key(o->s, o->table, r, key);
    return str_cmp(buf_view(key), str_of(end)) > 0;
}

static enum standin_reply list(struct standin_object *o, struct standin_expr *const *e, const char *begin, const char *end, struct buf *d, struct buf *k)
{
    struct buf key = {0};
    enum standin_reply r = STANDIN_ONE;
    for (size_t i = first_of(o, begin, &key); i < o->table->n; i++) {
        const struct standin_row *row = &o->table->row[i];
        if (past(o, row, end, &key)) break;
        if (!in_range(o, row, begin, end, &key) || !standin__holds(e[2], row)) continue;
        if (row->locked && row->lock_fails) {
            snprintf(o->s->error, sizeof o->s->error, "%s", lock_text);
            r = STANDIN_ZERO;
            break;
        }
        if (row->locked && *begin) continue;      /* a scan still sees it: whether real Sage does is not known */
        standin__eval(e[0], row, d);
        buf_byte(d, 0x8a);
        standin__eval(e[1], row, k);
        buf_byte(k, 0x8a);
    }
    buf_free(&key);
    return r;
}

static void spoil(const struct standin_fault *f, struct buf *d, struct buf *k)
{
    if (f->kind == STANDIN_MISMATCH && d->n > 1) d->n = d->n / 2;
    if (f->kind == STANDIN_CUT && k->n > 3) k->n -= 3;
    if (f->kind == STANDIN_GARBAGE)
        for (size_t i = 0; i < d->n; i += 7) d->p[i] = (char)(i * 37 + 11);
}

enum standin_reply standin_sets(struct standin_object *o, const char *desc, const char *key, const char *filter, const char *begin, const char *end, struct buf *d,
                                struct buf *k)
{
    enum standin_reply r;
    const struct standin_fault *f = meet(o->s, "sets", &r);
    if (r != STANDIN_ONE) return say(o, r);
    const char *const text[3] = {desc, key, filter};
    struct standin_expr *e[3] = {NULL, NULL, NULL};
    for (unsigned i = 0; i < 3 && r == STANDIN_ONE; i++)
        if (!(e[i] = standin__compile(o->table, text[i], o->s->error, sizeof o->s->error))) r = STANDIN_ZERO;
    if (r == STANDIN_ONE) r = list(o, e, begin, end, d, k);
    for (unsigned i = 0; i < 3; i++) standin__expr_free(e[i]);
    if (f && r == STANDIN_ONE) spoil(f, d, k);
    return say(o, r);
}

enum standin_reply standin_set_key(struct standin_object *o, const char *column, struct str value)
{
    size_t n = strlen(column);
    if (n && column[n - 1] == '$') n--;
    for (unsigned i = 0; i < o->table->nkeys; i++)
        if (str_ieq(o->table->column[o->table->keycol[i]], (struct str){column, n})) {
            char *p = malloc(value.n + 1);
            memcpy(p, value.n ? value.p : "", value.n);
            free((char *)o->want[i].p);
            o->want[i] = (struct str){p, value.n};
            return say(o, STANDIN_ONE);
        }
    snprintf(o->s->error, sizeof o->s->error, "%.40s is no part of the key.", column);
    return say(o, STANDIN_ZERO);
}

enum standin_reply standin_find(struct standin_object *o)
{
    enum standin_reply r;
    struct buf key = {0};
    meet(o->s, "find", &r);
    if (r != STANDIN_ONE) return say(o, r);
    for (unsigned i = 0; i < o->table->nkeys; i++) {
        if (i) buf_byte(&key, 0);
        buf_str(&key, o->want[i]);
    }
    o->found = standin__row(o->table, buf_view(&key), NULL);
    buf_free(&key);
    if (o->found && o->found->locked) {
        o->found = NULL;
        snprintf(o->s->error, sizeof o->s->error, "%s", lock_text);
        return say(o, STANDIN_ZERO);
    }
    if (!o->found) snprintf(o->s->error, sizeof o->s->error, "The record is not on file.");
    return say(o, o->found ? STANDIN_ONE : STANDIN_ZERO);
}

enum standin_reply standin_value(struct standin_object *o, const char *column, struct buf *out)
{
    enum standin_reply r;
    meet(o->s, "value", &r);
    size_t n = strlen(column);
    bool text = n && column[n - 1] == '$';
    int i = standin__column(o->table, (struct str){column, n - text});
    if (r == STANDIN_ONE && (i < 0 || !o->found || text != o->table->text[i])) {
        snprintf(o->s->error, sizeof o->s->error, "%.60s cannot be read.", column);
        r = STANDIN_ZERO;
    }
    if (r == STANDIN_ONE) buf_str(out, o->found->cell[i]);
    return say(o, r);
}
