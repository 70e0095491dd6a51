/*
 * life.c: what happens to rows behind the doors, and the truth about them for an oracle. Typed functions of sage.h;
 * script.c calls the same ones. A resource "sales-orders:lines" names the lines of sales orders, key "0000103~000001".
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static struct sage_resource *resource_of(struct sage_sim *s, const char *company, const char *resource)
{
    struct sage_company *c = company ? sage__company(s, company) : s->companies[0];
    if (!c || !resource)
        return NULL;
    const char *colon = strstr(resource, ":lines");
    char *name = colon ? sage__copy_len(resource, (size_t)(colon - resource)) : sage__copy(resource);
    int id = sage__resource_find(name);
    free(name);
    if (id >= 0 && colon)
        id = colon[6] ? -1 : sage__tables[id].lines;
    return id < 0 ? NULL : &c->res[id];
}

// The patch of a row that exists; NULL when there is none.
static struct sage_patch *living(struct sage_resource *r, const char *text)
{
    struct sage_key key;
    struct sage_hit hit;
    if (!r || !text || !sage__key_parse(&key, text, strlen(text), r->layout->table->nparts) || !sage__view_find(r, &key, true, &hit))
        return NULL;
    return sage__view_patch(r, &key);
}

static void put(struct sage_resource *r, struct sage_patch *p, int column, const char *value)
{
    size_t len = value ? strlen(value) : 0;
    if (column < 0)
        return;
    while (len && value[len - 1] == ' ')
        len--;
    bool text = r->layout->table->columns[column].type == SAGE_STRING;
    if (r->layout->table->columns[column].type == SAGE_DATE && len == 8 && memcmp(value, "17530101", 8) == 0)
        len = 0; // how Premium writes a blank date
    sage__patch_edit(p, column, len ? value : text ? "" : NULL, len);
}

static void put_stamp(struct sage_resource *r, struct sage_patch *p, const char *date, const char *time, bool created_too)
{
    const int *at = r->layout->stamp;
    put(r, p, at[2], date);
    put(r, p, at[3], time);
    if (created_too) {
        put(r, p, at[0], date);
        put(r, p, at[1], time);
    }
}

static void stamp_ms_ago(struct sage_resource *r, struct sage_patch *p, int64_t ago_ms, bool created_too)
{
    struct sage_sim *s = r->company->sim;
    int64_t utc = sage_sim_now_ms(s) - ago_ms;
    char date[16], time[16];
    sage__position_text(sage__position_of_ms(utc + (int64_t)sage__zone_offset(&s->zone, utc) * 60000), date, time);
    put_stamp(r, p, date, time, created_too);
    put(r, p, r->layout->user_updated, "0000000007");
}

// A change of a line moves the stamp of its header.
static void stamp_header(struct sage_resource *r, const struct sage_key *line)
{
    struct sage_resource *header = &r->company->res[sage__header_of(r->id)];
    struct sage_key key = *line;
    struct sage_hit hit;
    size_t len;
    const char *own = sage__key_part(line, header->layout->table->nparts, &len);
    key.len = (uint16_t)(own - line->b - 1);
    if (!sage__view_find(header, &key, true, &hit))
        return;
    struct sage_patch *p = sage__view_patch(header, &key);
    stamp_ms_ago(header, p, 0, false);
    sage__view_changed(header, p);
}

static void moved(struct sage_resource *r, struct sage_patch *p, enum sage_stamping stamping)
{
    if (stamping == SAGE_STAMP_NOW && r->layout->table->resource)
        stamp_ms_ago(r, p, 0, false);
    else if (stamping == SAGE_STAMP_NOW)
        stamp_header(r, &p->key);
    sage__view_changed(r, p);
}

bool sage_sim_edit(struct sage_sim *s, const char *company, const char *resource, const char *key, const char *column,
                   const char *value, enum sage_stamping stamping)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_patch *p = living(r, key);
    int i = p && column ? sage__column_find(r->layout->table, column) : -1;
    if (i < 0 || r->layout->table->columns[i].fill <= SAGE_FILL_KEY3)
        return false;
    if (value && sage__characters(value, strlen(value)) > (size_t)r->layout->table->columns[i].length + 4)
        return false; // a number may carry sign and point beside its digits
    put(r, p, i, value);
    moved(r, p, stamping);
    return true;
}

bool sage_sim_stamp(struct sage_sim *s, const char *company, const char *resource, const char *key, const char *date,
                    const char *time, bool created_too)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_patch *p = living(r, key);
    if (!p || !r->layout->table->resource)
        return false;
    put_stamp(r, p, date, time, created_too);
    sage__view_changed(r, p);
    return true;
}

static bool fits(const struct sage_resource *r, const struct sage_key *key)
{
    const struct sage_table *t = r->layout->table;
    for (int i = 0; i < t->ncolumns; i++) {
        size_t len;
        if (t->columns[i].fill > SAGE_FILL_KEY3)
            continue;
        const char *part = sage__key_part(key, (int)t->columns[i].fill, &len);
        if (sage__characters(part, len) > (size_t)t->columns[i].length)
            return false;
    }
    return true;
}

bool sage_sim_insert(struct sage_sim *s, const char *company, const char *resource, const char *text, const char *date,
                     const char *time)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_key key;
    struct sage_hit hit;
    if (!r || !text || !sage__key_parse(&key, text, strlen(text), r->layout->table->nparts) || !fits(r, &key) ||
        sage__view_find(r, &key, true, &hit))
        return false;
    struct sage_patch *p = sage__view_patch(r, &key);
    sage__patch_clear(p);
    p->deleted = false;
    p->lock_reads = 0;
    p->lock_until_ms = 0;
    if (!r->layout->table->resource)
        stamp_header(r, &key);
    else if (date)
        put_stamp(r, p, date, time, true);
    else
        stamp_ms_ago(r, p, 0, true);
    sage__view_changed(r, p);
    return true;
}

bool sage_sim_delete(struct sage_sim *s, const char *company, const char *resource, const char *key)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_patch *p = living(r, key);
    if (!p)
        return false;
    sage__patch_clear(p);
    p->deleted = true;
    p->lock_reads = 0;
    p->lock_until_ms = 0;
    if (!r->layout->table->resource)
        stamp_header(r, &p->key);
    r->patches.sorted = false;
    return true;
}

// An order that is completed or deleted leaves its table; with the history kept, its row there says how.
bool sage_sim_close_order(struct sage_sim *s, const char *company, const char *key, const char *status)
{
    static const char *const kept[] = {"ARDivisionNo", "CustomerNo", "OrderDate", "UDF_DEAL_NO"};
    char *values[sizeof kept / sizeof *kept];
    if (strlen(status) != 1 || !strchr("CXZ", *status))
        return false;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        values[i] = sage_sim_value(s, company, "sales-orders", key, kept[i]);
    bool good = sage_sim_delete(s, company, "sales-orders", key);
    if (good && sage_sim_insert(s, company, "sales-order-history", key, NULL, NULL)) // an order of today: its history begins now
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
            sage_sim_edit(s, company, "sales-order-history", key, kept[i], values[i], SAGE_STAMP_KEPT);
    good = good && sage_sim_edit(s, company, "sales-order-history", key, "OrderStatus", status, SAGE_STAMP_NOW);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        free(values[i]);
    return good;
}

bool sage_sim_lock(struct sage_sim *s, const char *company, const char *resource, const char *key, int reads, int64_t for_ms)
{
    struct sage_patch *p = living(resource_of(s, company, resource), key);
    if (!p)
        return false;
    p->lock_reads = reads;
    p->lock_until_ms = for_ms > 0 ? sage_sim_now_ms(s) + for_ms : 0;
    return true;
}

bool sage_sim_vanish(struct sage_sim *s, const char *company, const char *resource, int permille)
{
    struct sage_resource *r = resource_of(s, company, resource);
    if (!r || permille < 0 || permille > 1000)
        return false;
    r->vanished_permille = permille;
    return true;
}

bool sage_sim_renew_epoch(struct sage_sim *s, const char *company)
{
    struct sage_company *c = company ? sage__company(s, company) : s->companies[0];
    if (!c)
        return false;
    c->epoch_count++;
    sage__epoch_make(c);
    return true;
}

static struct sage_row *row_of(struct sage_resource *r, const char *text)
{
    struct sage_key key;
    struct sage_hit hit;
    if (!r || !text || !sage__key_parse(&key, text, strlen(text), r->layout->table->nparts) || !sage__view_find(r, &key, true, &hit))
        return NULL;
    struct sage_row *row = sage__alloc(sizeof *row);
    sage__view_row(r, &hit, row);
    return row;
}

char *sage_sim_row(struct sage_sim *s, const char *company, const char *resource, const char *key)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_row *row = row_of(r, key);
    struct sage_buf b = {0};
    if (!row)
        return NULL;
    sage__render_row(&b, r, row, false);
    free(row);
    return b.p;
}

char *sage_sim_value(struct sage_sim *s, const char *company, const char *resource, const char *key, const char *column)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_row *row = row_of(r, key);
    int i = row ? sage__column_find(r->layout->table, column) : -1;
    char *value = i >= 0 && row->v[i].p ? sage__copy_len(row->v[i].p, row->v[i].len) : NULL;
    free(row);
    return value;
}

size_t sage_sim_each_key(struct sage_sim *s, const char *company, const char *resource, bool (*each)(void *ctx, const char *key),
                         void *ctx)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_iter it;
    struct sage_hit hit;
    size_t n = 0;
    if (!r)
        return 0;
    sage__view_after_key(r, NULL, &it);
    while (sage__view_next(&it, true, &hit)) {
        char *text = sage__key_text(&hit.key);
        bool on = !each || each(ctx, text);
        free(text);
        n++;
        if (!on)
            break;
    }
    return n;
}

bool sage__late(struct sage_sim *s, const char *company, const char *resource, const char *key, int64_t ago_ms)
{
    struct sage_resource *r = resource_of(s, company, resource);
    if (!r || !r->layout->table->resource)
        return false;
    if (!living(r, key) && !sage_sim_insert(s, company, resource, key, NULL, NULL))
        return false;
    struct sage_patch *p = living(r, key);
    bool is_new = !p->based;
    stamp_ms_ago(r, p, ago_ms, is_new);
    sage__view_changed(r, p);
    return true;
}

// One random event: mostly an edit with its stamp, sometimes without, an import, a new row, a deletion, a lock.
void sage__churn(struct sage_sim *s, const char *company, const char *resource)
{
    struct sage_resource *r = resource_of(s, company, resource);
    struct sage_hit hit;
    if (!r || !r->count)
        return;
    s->churn += 0x9e3779b97f4a7c15u;
    uint64_t h = sage__mix(s->churn);
    struct sage_key key;
    sage__base_key(r, (uint32_t)(h >> 32) % r->count, &key);
    bool there = sage__view_find(r, &key, true, &hit);
    char *text = sage__key_text(&key), value[32];
    snprintf(value, sizeof value, "changed %u", (unsigned)(h & 0xffff));
    const struct sage_table *t = r->layout->table;
    int column = (int)((h >> 8) % (uint64_t)t->ncolumns);
    while (t->columns[column].type != SAGE_STRING || t->columns[column].length < 10 || t->columns[column].fill <= SAGE_FILL_UPDATED_USER ||
           t->columns[column].fill == SAGE_FILL_PARTY_NO || t->columns[column].fill == SAGE_FILL_ACCOUNT_GROUP || t->columns[column].fill == SAGE_FILL_DEAL_NO)
        column = (column + 1) % t->ncolumns;
    value[t->columns[column].length < 30 ? t->columns[column].length : 30] = 0;
    if (!there)
        sage_sim_insert(s, company, resource, text, NULL, NULL);
    else if (h % 20 < 14)
        sage_sim_edit(s, company, resource, text, t->columns[column].name, value, SAGE_STAMP_NOW);
    else if (h % 20 < 16)
        sage_sim_edit(s, company, resource, text, t->columns[column].name, value, SAGE_STAMP_KEPT);
    else if (h % 20 < 17)
        sage_sim_delete(s, company, resource, text);
    else if (h % 20 < 18)
        sage_sim_lock(s, company, resource, text, (int)((h >> 20) % 4) + 1, 0);
    else if (sage_sim_edit(s, company, resource, text, t->columns[column].name, value, SAGE_STAMP_KEPT))
        sage__late(s, company, resource, text, (int64_t)((h >> 20) % (uint64_t)(s->opt.overlap_minutes * 48000 + 1)));
    free(text);
}
