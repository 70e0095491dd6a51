/* layout.c - the columns of an object as this installation has them, with UDFs: what sGetColumns lists, typed by the dictionary (columns.awk), lengths
 * from the record template where Sage gives one. Columns on the deny list are left out here, once and for all: no expression names them, so their
 * values never reach this process. */
#include "agent/private.h"
#include "base/check.h"
#include "value/json.h"
#include <stdio.h>

struct known { const char *table, *name; char kind; int length, scale; };
static const struct known known[] = {
#define AGENT_COLUMN(table, name, kind, length, scale) {table, name, kind, length, scale},
#include "agent_columns.inc"
#undef AGENT_COLUMN
};
static const char *const audit_names[] = {"", "DateCreated", "TimeCreated", "UserCreatedKey", "DateUpdated", "TimeUpdated", "UserUpdatedKey"};

static const struct known *known_column(const char *table, struct str name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].table, table) == 0 && str_ieq(str_of(known[i].name), name)) return &known[i];
    return NULL;
}

static bool letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next name of Sage's list, whatever parts the names; `text` tells of a $ behind it. */
static bool next_name(struct str *rest, struct str *name, bool *text)
{
    while (rest->n && !letter(rest->p[0])) rest->p++, rest->n--;
    if (rest->n == 0) return false;
    size_t n = 0;
    while (n < rest->n && letter(rest->p[n])) n++;
    *name = (struct str){rest->p, n};
    *text = n < rest->n && rest->p[n] == '$';
    rest->p += n, rest->n -= n;
    return true;
}

/* ---- lengths out of the template: NAME$:C(50*), NAME:N(13.2) ---- */

static bool template_length(struct str layout, const char *name, int *length, int *scale)
{
    struct str want = str_of(name);
    for (size_t i = 0; i + want.n < layout.n; i++) {
        if ((i && letter(layout.p[i - 1])) || !str_ieq((struct str){layout.p + i, want.n}, want) || letter(layout.p[i + want.n])) continue;
        struct str rest = {layout.p + i + want.n, layout.n - i - want.n};
        if (rest.n && rest.p[0] == '$') rest.p++, rest.n--;
        const char *open = rest.n && rest.p[0] == ':' ? memchr(rest.p, '(', rest.n < 12 ? rest.n : 12) : NULL;
        if (!open) continue;
        int v[2] = {0, 0}, at = 0;
        for (const char *p = open + 1; p < rest.p + rest.n && *p != ')'; p++) {
            if (*p >= '0' && *p <= '9' && v[at] < 100000) v[at] = v[at] * 10 + (*p - '0');
            else if ((*p == '.' || *p == ',') && at == 0) at = 1;
        }
        if (v[0] <= 0) continue;
        *length = v[0];
        if (at) *scale = v[1];
        return true;
    }
    return false;
}

/* ---- building ---- */

static void add_column(struct agent_core *c, struct agent__layout *l, struct str name, bool text, bool marked, struct str layout)
{
    const struct known *k = known_column(l->table, name);
    if (agent_denied(c->config, name)) {
        l->barred++;
        return;
    }
    for (unsigned i = 0; i < l->ncolumns; i++)
        if (str_ieq(str_of(l->column[i].name), name)) return;
    if (l->ncolumns == AGENT__COLUMNS_MAX) return;
    struct agent__column *col = &l->column[l->ncolumns];
    col->name = k ? k->name : arena_copy(&c->life, name.p, name.n);
    col->kind = k ? k->kind : text || !marked ? 's' : 'n';
    if (marked && k && (k->kind == 'n') == text) col->kind = text ? 's' : 'n';      /* this installation knows better */
    if (!k && col->kind == 's' && agent_dated(c->config, name)) col->kind = 'd';
    col->length = k ? k->length : col->kind == 'n' ? 15 : col->kind == 'd' ? 8 : 255;
    col->scale = k ? k->scale : 0;
    if (col->kind != 'd') template_length(layout, col->name, &col->length, &col->scale);
    col->sage = col->kind == 'n' ? col->name : arena_printf(&c->life, "%s$", col->name);
    col->udf = name.n > 4 && str_ieq((struct str){name.p, 4}, STR("UDF_"));
    col->audit = 0;
    for (int i = 1; i <= 6; i++)
        if (strcmp(col->name, audit_names[i]) == 0) l->stamp[col->audit = i] = (int)l->ncolumns;
    l->ncolumns++;
}

/* The column as a text expression of ProvideX. */
static void expression(struct buf *b, const struct agent__column *col)
{
    buf_printf(b, col->kind == 'n' ? "STR(%s)" : "%s$", col->name);
}

static void parted(struct buf *b, unsigned i)
{
    buf_puts(b, i ? "+$1F$+" : "$1E$+");
}

static const char *kept(struct agent_core *c, struct buf *b)
{
    const char *s = arena_copy(&c->life, b->p, b->n);
    buf_clear(b);
    return s;
}

static void expressions(struct agent_core *c, struct agent__layout *l)
{
    static const int order[] = {AGENT__DATE_UPDATED, AGENT__TIME_UPDATED, AGENT__DATE_CREATED, AGENT__TIME_CREATED};
    struct buf b = {0};
    for (unsigned i = 0; i < l->ncolumns; i++) {
        parted(&b, i);
        expression(&b, &l->column[i]);
    }
    l->desc = kept(c, &b);
    for (unsigned i = 0; i < l->nkeys; i++) {
        parted(&b, i);
        buf_printf(&b, "%s$", l->key[i]);
    }
    l->key_expr = kept(c, &b);
    for (unsigned i = 0; i < 4; i++) {
        parted(&b, i);
        if (l->stamp[order[i]] >= 0) expression(&b, &l->column[l->stamp[order[i]]]);
        else buf_puts(&b, "\"\"");
    }
    l->stamps_expr = kept(c, &b);
    buf_free(&b);
}

/* False: the object lists no columns that hold the key; reason in c->text. */
static bool build(struct agent_core *c, struct agent__layout *l)
{
    struct buf names = {0}, layout = {0};
    enum agent_reply r = c->sage->columns(c->sage->ctx, l->obj, &names);
    if (r == AGENT_YES) c->sage->layout(c->sage->ctx, l->obj, &layout);
    bool marked = names.n && memchr(names.p, '$', names.n);
    l->column = ARENA_ARRAY(&c->life, struct agent__column, AGENT__COLUMNS_MAX);
    for (int i = 0; i < 7; i++) l->stamp[i] = -1;
    struct str rest = buf_view(&names), name;
    bool text;
    while (r == AGENT_YES && next_name(&rest, &name, &text)) add_column(c, l, name, text, marked, buf_view(&layout));
    if (l->ncolumns == 0 && r != AGENT_BROKEN)      /* an object that does not tell: the dictionary's columns */
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strcmp(known[i].table, l->table) == 0) add_column(c, l, str_of(known[i].name), known[i].kind != 'n', true, buf_view(&layout));
    buf_free(&names);
    buf_free(&layout);
    for (unsigned i = 0; i < l->nkeys; i++) l->key_sage[i] = arena_printf(&c->life, "%s$", l->key[i]);
    l->stamped = l->stamp[AGENT__DATE_UPDATED] >= 0;
    expressions(c, l);
    return r != AGENT_BROKEN && l->ncolumns > 0;
}

bool agent__looks_locked(struct str m)
{
    static const char *const words[] = {"lock", "in use", "busy", "being used", "error #0 "};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (size_t i = 0, n = strlen(words[w]); i + n <= m.n; i++)
            if (str_ieq((struct str){m.p + i, n}, str_of(words[w]))) return true;
    return false;
}

bool agent__looks_barred(struct str m)
{
    static const char *const words[] = {"access", "authoriz", "permission", "security", "rights"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (size_t i = 0, n = strlen(words[w]); i + n <= m.n; i++)
            if (str_ieq((struct str){m.p + i, n}, str_of(words[w]))) return true;
    return false;
}

struct str agent__message(struct agent_core *c, void *obj)
{
    struct buf raw = {0}, out = {0};
    c->sage->last_error(c->sage->ctx, obj, &raw);
    agent__utf8_of(&out, agent__rtrim(buf_view(&raw)));
    struct str s = {arena_copy(&c->scratch, out.n ? out.p : "", out.n), out.n};
    buf_free(&raw);
    buf_free(&out);
    return s;
}

static bool broken(struct agent_answer *out)
{
    agent_fail(out, AGENT_E_SESSION_FAILED, STR("Sage's process failed; the session is rebuilt"), 2);
    out->broken = true;
    return false;
}

static bool refused(struct agent_core *c, void *obj, const char *object, struct agent_answer *out)
{
    struct str m = agent__message(c, obj);
    if (agent__looks_locked(m)) agent_fail(out, AGENT_E_BUSY, m, 10);
    else if (agent__looks_barred(m)) agent_fail(out, AGENT_E_NO_TASK_ACCESS, m, 0);
    else agent_fail(out, AGENT_E_UNKNOWN_RESOURCE, str_of(arena_printf(&c->scratch, "Sage does not open %s: %.*s", object, (int)m.n, m.p)), 0);
    return false;
}

static bool open_lines(struct agent_core *c, const struct agent_table *t, struct agent__served *s, struct agent_answer *out)
{
    struct str how = agent_config_lines(c->config, t->resource);
    const char *object = arena_copy(&c->life, how.p, how.n);
    bool member = str_ieq(how, STR("oLines"));
    enum agent_reply r = member ? c->sage->lines(c->sage->ctx, s->rows.obj, &s->lines.obj) : c->sage->open(c->sage->ctx, object, &s->lines.obj);
    if (r == AGENT_BROKEN) return broken(out);
    if (r == AGENT_NO) return refused(c, member ? s->rows.obj : NULL, object, out);
    s->lines.table = t->line_table;
    s->lines.nkeys = t->nkeys + 1;
    for (unsigned i = 0; i < t->nkeys; i++) s->lines.key[i] = t->key[i];
    s->lines.key[t->nkeys] = t->line_key;
    return build(c, &s->lines) || broken(out);
}

struct agent__served *agent__serve(struct agent_core *c, int table, struct agent_answer *out)
{
    const struct agent_table *t = &agent_tables[table];
    struct agent__served *s = &c->served[table];
    if (s->ready) return s;
    memset(s, 0, sizeof *s);
    struct str name = agent_config_object(c->config, t->resource, t->object);
    const char *object = arena_copy(&c->life, name.p, name.n);
    enum agent_reply r = c->sage->open(c->sage->ctx, object, &s->rows.obj);
    if (r == AGENT_BROKEN) return broken(out), NULL;
    if (r == AGENT_NO) return refused(c, NULL, object, out), NULL;
    s->rows.table = t->table;
    s->rows.nkeys = t->nkeys;
    for (unsigned i = 0; i < t->nkeys; i++) s->rows.key[i] = t->key[i];
    if (!build(c, &s->rows)) return broken(out), NULL;
    if (t->line_table && !open_lines(c, t, s, out)) return NULL;
    s->ready = true;
    return s;
}

/* ---- schema ---- */

static void put_columns(struct buf *b, const struct agent__layout *l)
{
    buf_puts(b, ",\"columns\":[");
    for (unsigned i = 0; i < l->ncolumns; i++) {
        const struct agent__column *col = &l->column[i];
        buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
        json_put_string(b, str_of(col->name));
        buf_printf(b, ",\"type\":\"%s\",\"length\":%d", col->kind == 'n' ? "number" : col->kind == 'd' ? "date" : "string", col->length);
        if (col->kind == 'n') buf_printf(b, ",\"scale\":%d", col->scale);
        buf_printf(b, ",\"udf\":%s}", col->udf ? "true" : "false");
    }
    buf_byte(b, ']');
}

static void put_key(struct buf *b, const struct agent__layout *l, unsigned from)
{
    buf_puts(b, ",\"key\":[");
    for (unsigned i = from; i < l->nkeys; i++) {
        if (i > from) buf_byte(b, ',');
        json_put_string(b, str_of(l->key[i]));
    }
    buf_byte(b, ']');
}

void agent__schema(struct agent_core *c, int table, struct agent_answer *out)
{
    const struct agent__served *s = agent__serve(c, table, out);
    if (!s) return;
    struct buf *b = &out->body;
    buf_printf(b, "{\"resource\":\"%s\",\"table\":\"%s\"", agent_tables[table].resource, s->rows.table);
    put_key(b, &s->rows, 0);
    buf_printf(b, ",\"audit\":%s", s->rows.stamped ? "true" : "false");
    put_columns(b, &s->rows);
    if (s->lines.table) {
        buf_printf(b, ",\"lines\":{\"resource\":null,\"table\":\"%s\"", s->lines.table);
        put_key(b, &s->lines, s->rows.nkeys);
        buf_puts(b, ",\"audit\":false");
        put_columns(b, &s->lines);
        buf_puts(b, ",\"lines\":null}}");
    } else buf_puts(b, ",\"lines\":null}");
}
