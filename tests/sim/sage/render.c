/*
 * render.c: a row as the agent shows it, facts/sage-100.md 9.2 and 9.3: every column but the barred ones, UDFs apart,
 * lines in key order, and a hash over the content without the audit columns.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

void sage__render_unknown(struct sage_buf *b, bool unknown)
{
    if (unknown)
        sage__puts(b, ",\"xTrace\":{\"id\":\"7f\",\"spans\":[1,2.5e3,{\"deep\":[null,true,\"\\ud83d\\ude00\"]}]},\"xNote\":null");
}

static void hash_value(struct sage_sha256 *sha, const struct sage_value *v)
{
    unsigned char head[4] = {v->p != NULL, (unsigned char)v->len, (unsigned char)(v->len >> 8), (unsigned char)(v->len >> 16)};
    sage__sha_add(sha, head, sizeof head);
    if (v->p)
        sage__sha_add(sha, v->p, v->len);
}

// Members of fields or of udf; without braces.
static void members(struct sage_buf *b, const struct sage_resource *r, const struct sage_row *row, bool udf)
{
    const struct sage_layout *l = row->layout;
    bool first = true;
    for (int i = 0; i < l->table->ncolumns; i++) {
        if (l->barred[i] || l->udf[i] != udf || (l->audit[i] && r->no_audit))
            continue;
        if (!first)
            sage__put(b, ",", 1);
        first = false;
        sage__put(b, l->prefix[i], l->prefix_len[i]);
        if (row->v[i].p)
            sage__put_json(b, row->v[i].p, row->v[i].len);
        else
            sage__put(b, "null", 4);
    }
}

static void content(struct sage_buf *b, struct sage_sha256 *sha, const struct sage_resource *r, const struct sage_row *row)
{
    const struct sage_layout *l = row->layout;
    for (int i = 0; i < l->table->ncolumns; i++)
        if (!l->barred[i] && !l->audit[i])
            hash_value(sha, &row->v[i]);
    sage__puts(b, "\"fields\":{");
    members(b, r, row, false);
    sage__puts(b, "},\"udf\":{");
    members(b, r, row, true);
    sage__puts(b, "}");
}

static void lines(struct sage_buf *b, struct sage_sha256 *sha, struct sage_resource *header, const struct sage_row *row)
{
    struct sage_resource *r = &header->company->res[header->layout->table->lines];
    struct sage_row *line = sage__alloc(sizeof *line);
    struct sage_iter it;
    struct sage_hit hit;
    int n = 0;
    sage__puts(b, ",\"lines\":[");
    sage__view_after_key(r, &row->key, &it);
    while (sage__view_next(&it, true, &hit)) {
        if (hit.key.len <= row->key.len || memcmp(hit.key.b, row->key.b, row->key.len) != 0 || hit.key.b[row->key.len])
            break;
        sage__view_row(r, &hit, line);
        sage__puts(b, n++ ? ",{\"key\":" : "{\"key\":");
        sage__key_json(b, &hit.key, header->layout->table->nparts);
        sage__puts(b, ",");
        struct sage_value key = {hit.key.b, hit.key.len};
        hash_value(sha, &key);
        content(b, sha, r, line);
        sage__puts(b, "}");
    }
    sage__puts(b, "]");
    free(line);
}

static void updated(struct sage_buf *b, const struct sage_resource *r, const struct sage_row *row, bool unknown)
{
    const int *at = r->layout->stamp;
    struct sage_value date = {0}, time = {0};
    sage__puts(b, ",\"updated\":");
    if (r->no_audit) {
        sage__puts(b, "null");
        return;
    }
    if (at[2] >= 0)
        date = row->v[at[2]];
    if (at[3] >= 0 && row->v[at[3]].len)
        time = row->v[at[3]];
    int64_t position = sage__position(date.p ? date.p : "", date.len, time.p ? time.p : "", time.len);
    sage__puts(b, "{\"date\":");
    date.len ? sage__put_json(b, date.p, date.len) : sage__puts(b, "null");
    sage__puts(b, ",\"time\":");
    time.len ? sage__put_json(b, time.p, time.len) : sage__puts(b, "null");
    if (position >= SAGE_STAMP_SCALE) {
        char utc[32];
        sage__utc_text(sage__zone_to_utc(&r->company->sim->zone, sage__local_ms_of_position(position)), utc);
        sage__putf(b, ",\"utc\":\"%s\"", utc);
    } else {
        sage__puts(b, ",\"utc\":null");
    }
    sage__render_unknown(b, unknown);
    sage__puts(b, "}");
}

void sage__render_row(struct sage_buf *b, struct sage_resource *r, const struct sage_row *row, bool unknown)
{
    struct sage_sha256 sha;
    char hex[65];
    sage__sha_start(&sha);
    sage__puts(b, "{\"key\":");
    sage__key_json(b, &row->key, 0);
    updated(b, r, row, unknown);
    size_t at = b->len;
    sage__puts(b, ",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\",");
    content(b, &sha, r, row);
    if (r->layout->table->lines != SAGE_NONE)
        lines(b, &sha, r, row);
    sage__sha_hex(&sha, hex);
    memcpy(b->p + at + strlen(",\"hash\":\""), hex, 64);
    sage__render_unknown(b, unknown);
    sage__puts(b, "}");
}

static void schema_columns(struct sage_buf *b, const struct sage_resource *r, bool unknown)
{
    static const char *const types[] = {"string", "date", "number"};
    const struct sage_layout *l = r->layout;
    bool first = true;
    sage__puts(b, ",\"columns\":[");
    for (int i = 0; i < l->table->ncolumns; i++) {
        const struct sage_column *c = &l->table->columns[i];
        if (l->barred[i] || (l->audit[i] && r->no_audit))
            continue;
        sage__puts(b, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        sage__put_json(b, c->name, strlen(c->name));
        sage__putf(b, ",\"type\":\"%s\",\"length\":%d", types[c->type], c->length);
        if (c->type == SAGE_NUMBER)
            sage__putf(b, ",\"scale\":%d", c->scale);
        sage__putf(b, ",\"udf\":%s", l->udf[i] ? "true" : "false");
        sage__render_unknown(b, unknown);
        sage__puts(b, "}");
    }
    sage__puts(b, "]");
}

// Key columns by name; for a table of lines its own part only.
static void schema_key(struct sage_buf *b, const struct sage_table *t, int from)
{
    sage__puts(b, ",\"key\":[");
    for (int part = from; part < t->nparts; part++)
        for (int i = 0; i < t->ncolumns; i++)
            if ((int)t->columns[i].fill == SAGE_FILL_KEY0 + part) {
                if (part > from)
                    sage__puts(b, ",");
                sage__put_json(b, t->columns[i].name, strlen(t->columns[i].name));
            }
    sage__puts(b, "]");
}

void sage__render_schema(struct sage_buf *b, const struct sage_resource *r, bool unknown)
{
    const struct sage_table *t = r->layout->table;
    sage__putf(b, "{\"resource\":\"%s\",\"table\":\"%s\"", t->resource, t->name);
    schema_key(b, t, 0);
    sage__putf(b, ",\"audit\":%s", r->no_audit ? "false" : "true");
    schema_columns(b, r, unknown);
    if (t->lines == SAGE_NONE) {
        sage__puts(b, ",\"lines\":null");
    } else {
        const struct sage_resource *l = &r->company->res[t->lines];
        sage__putf(b, ",\"lines\":{\"resource\":null,\"table\":\"%s\"", l->layout->table->name);
        schema_key(b, l->layout->table, t->nparts);
        sage__puts(b, ",\"audit\":false");
        schema_columns(b, l, unknown);
        sage__puts(b, ",\"lines\":null}");
    }
    sage__render_unknown(b, unknown);
    sage__puts(b, "}");
}
