/* row.c - one row whole: read, checked, written as JSON with its hash (facts/sage-100.md 9.3).
 *
 *   nGetResultSets over the one key (a range of the primary index, and a filter that makes it exact): one call a row
 *     -> no item, a refusal, a wrong number of fields -> nFind: found -> every column by nGetValue
 *                                                               not   -> a lock text: locked; else gone
 *   lines: one call for all lines of the header, sorted by their key
 *
 * The range only saves Sage a scan; whether Sage pads its keys is not known, so nothing is concluded from an empty answer but by nFind.
 * A row whose strings make no sense is `unreadable`: it is told as locked, so that the reader asks again and loses nothing. */
#include "agent/private.h"
#include "base/check.h"
#include "value/json.h"
#include <stdlib.h>

struct cells { struct str v[AGENT__COLUMNS_MAX]; };

/* ---- expressions ---- */

static bool plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' || c == '_' || c == '.' || c == '/' || c == '&';
}

void agent__literal(struct buf *b, struct str s)
{
    bool safe = true;
    for (size_t i = 0; i < s.n; i++) safe = safe && plain(s.p[i]);
    buf_byte(b, safe ? '"' : '$');
    for (size_t i = 0; i < s.n; i++) {
        if (safe) buf_byte(b, (unsigned char)s.p[i]);
        else buf_printf(b, "%02X", (unsigned)(unsigned char)s.p[i]);
    }
    buf_byte(b, safe ? '"' : '$');
}

struct ask { struct buf filter, begin, end; };

static void ask_free(struct ask *q)
{
    buf_free(&q->filter);
    buf_free(&q->begin);
    buf_free(&q->end);
}

static int length_of(const struct agent__layout *l, const char *name)
{
    for (unsigned i = 0; i < l->ncolumns; i++)
        if (strcmp(l->column[i].name, name) == 0) return l->column[i].length;
    return 0;
}

/* The range goes as far as the parts fill their columns: behind a shorter part Sage may pad or not. */
static void ask_for(struct ask *q, const struct agent__layout *l, const struct str *part, unsigned n, bool lines)
{
    bool full = true, whole = false;
    for (unsigned i = 0; i < n; i++) {
        buf_printf(&q->filter, "%s%s$=", i ? " AND " : "", l->key[i]);
        agent__literal(&q->filter, part[i]);
        if (!full) continue;
        buf_str(&q->begin, part[i]);
        full = (int)part[i].n >= length_of(l, l->key[i]);
        whole = i + 1 == l->nkeys;
    }
    buf_str(&q->end, buf_view(&q->begin));
    if (!lines && (!full || whole)) buf_byte(&q->end, ' ');
    buf_byte(&q->end, 0xFF);
}

/* ---- reading ---- */

static bool parts_of(struct str key, unsigned n, struct str *part, struct buf *raw, struct arena *a)
{
    for (unsigned i = 0; i < n; i++) {
        buf_clear(raw);
        if (!agent__cp1252_of(raw, agent__key_part(key, i))) return false;
        part[i] = (struct str){arena_copy(a, raw->n ? raw->p : "", raw->n), raw->n};
    }
    return true;
}

static bool same_key(const struct agent__layout *l, struct str item, const struct str *part)
{
    struct str got[AGENT_KEY_PARTS + 1];
    if (agent__fields(item, got, AGENT_KEY_PARTS + 1) != l->nkeys) return false;
    for (unsigned i = 0; i < l->nkeys; i++)
        if (!str_eq(agent__rtrim(got[i]), part[i])) return false;
    return true;
}

/* True: the cells are filled, spans of c->d. */
static bool by_range(struct agent_core *c, const struct agent__layout *l, const struct str *part, struct cells *cells, enum agent_reply *reply)
{
    struct ask q = {{0}, {0}, {0}};
    struct str item, key;
    bool found = false;
    ask_for(&q, l, part, l->nkeys, false);
    struct agent_sets sets = {l->desc, l->key_expr, buf_cstr(&q.filter), buf_cstr(&q.begin), buf_cstr(&q.end)};
    buf_clear(&c->d);
    buf_clear(&c->k);
    *reply = c->sage->sets(c->sage->ctx, l->obj, &sets, &c->d, &c->k);
    struct agent__items items = agent__items_of(buf_view(&c->d)), keys = agent__items_of(buf_view(&c->k));
    while (*reply == AGENT_YES && !found && agent__items_next(&keys, &key) && agent__items_next(&items, &item))
        found = same_key(l, key, part) && agent__fields(item, cells->v, AGENT__COLUMNS_MAX) == l->ncolumns;
    ask_free(&q);
    return found;
}

static enum agent__got by_value(struct agent_core *c, const struct agent__layout *l, const struct str *part, struct cells *cells)
{
    const struct agent_sage *s = c->sage;
    enum agent_reply r = s->find(s->ctx, l->obj, l->key_sage, part, l->nkeys);
    struct buf one = {0};
    enum agent__got got = AGENT__GOT_ROW;
    if (r == AGENT_BROKEN) return AGENT__GOT_BROKEN;
    if (r == AGENT_NO) {
        struct str m = agent__message(c, l->obj);
        buf_clear(&c->text);
        buf_str(&c->text, m);
        return agent__looks_locked(m) ? AGENT__GOT_LOCKED : AGENT__GOT_GONE;
    }
    for (unsigned i = 0; i < l->ncolumns && got == AGENT__GOT_ROW; i++) {
        buf_clear(&one);
        r = s->value(s->ctx, l->obj, l->column[i].sage, &one);
        if (r == AGENT_YES) cells->v[i] = (struct str){arena_copy(&c->scratch, one.n ? one.p : "", one.n), one.n};
        else if (r == AGENT_BROKEN) got = AGENT__GOT_BROKEN;
        else {
            struct str m = agent__message(c, l->obj);
            buf_clear(&c->text);
            buf_str(&c->text, m);
            got = agent__looks_locked(m) ? AGENT__GOT_LOCKED : AGENT__GOT_UNREADABLE;
        }
    }
    buf_free(&one);
    return got;
}

/* ---- writing ---- */

static void hash_text(struct agent__sha *sha, const char *p, size_t n)
{
    unsigned char head[4] = {(unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16), (unsigned char)(n >> 24)};
    agent__sha_add(sha, head, sizeof head);
    agent__sha_add(sha, p, n);
}

/* The value of a cell behind b; false when it is null and nothing was put. */
static bool value_of(struct buf *b, const struct agent__column *col, struct str cell)
{
    if (col->kind == 'n') return agent__number(b, cell, col->scale);
    if (col->kind == 'd' && !agent__date_given(cell)) return false;
    agent__utf8_of(b, agent__rtrim(cell));
    return true;
}

static void members(struct buf *json, struct agent_core *c, const struct agent__layout *l, const struct cells *cells, bool udf, struct agent__sha *sha)
{
    bool first = true;
    for (unsigned i = 0; i < l->ncolumns; i++) {
        const struct agent__column *col = &l->column[i];
        if (col->udf != udf || (col->audit && !l->stamped)) continue;
        if (!first) buf_byte(json, ',');
        first = false;
        json_put_string(json, str_of(col->name));
        buf_byte(json, ':');
        buf_clear(&c->text);
        bool given = value_of(&c->text, col, cells->v[i]);
        if (given) json_put_string(json, buf_view(&c->text));
        else buf_puts(json, "null");
        if (col->audit) continue;
        hash_text(sha, col->name, strlen(col->name));
        agent__sha_add(sha, given ? "=" : "0", 1);
        hash_text(sha, c->text.n ? c->text.p : "", c->text.n);
    }
}

static void content(struct buf *json, struct agent_core *c, const struct agent__layout *l, const struct cells *cells, struct agent__sha *sha)
{
    buf_puts(json, "\"fields\":{");
    members(json, c, l, cells, false, sha);
    buf_puts(json, "},\"udf\":{");
    members(json, c, l, cells, true, sha);
    buf_byte(json, '}');
}

static void updated(struct buf *json, struct agent_core *c, const struct agent__layout *l, const struct cells *cells)
{
    char utc[24];
    if (!l->stamped) {
        buf_puts(json, ",\"updated\":null");
        return;
    }
    struct str date = agent__rtrim(cells->v[l->stamp[AGENT__DATE_UPDATED]]);
    struct str time = l->stamp[AGENT__TIME_UPDATED] >= 0 ? agent__rtrim(cells->v[l->stamp[AGENT__TIME_UPDATED]]) : (struct str){"", 0};
    int64_t position = agent__position(date, time);
    bool given = agent__date_given(date);
    buf_puts(json, ",\"updated\":{\"date\":");
    for (int i = 0; i < 2; i++) {
        buf_clear(&c->text);
        agent__utf8_of(&c->text, i ? time : date);
        if (i) buf_puts(json, ",\"time\":");
        if (given && c->text.n) json_put_string(json, buf_view(&c->text));
        else buf_puts(json, "null");
    }
    if (position >= AGENT__STAMP_SCALE) {
        agent__time_text(c->host->instant(c->host->ctx, agent__local_of_position(position)), true, utc);
        buf_printf(json, ",\"utc\":\"%s\"}", utc);
    } else buf_puts(json, ",\"utc\":null}");
}

/* ---- lines ---- */

struct line { struct str key, item; };

static int compare_lines(const void *a, const void *b)
{
    return str_cmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* The lines as Sage listed them: the own part of each key as UTF-8, sorted. False: the strings do not belong together. */
static bool collect(struct agent_core *c, const struct agent__layout *l, const struct str *part, struct line **lines, size_t *n)
{
    struct agent__items items = agent__items_of(buf_view(&c->d)), keys = agent__items_of(buf_view(&c->k));
    struct str key, item, got[AGENT_KEY_PARTS + 1];
    struct buf text = {0};
    size_t cap = 0;
    bool more, good = true;
    *n = 0;
    *lines = NULL;
    while (good && (more = agent__items_next(&keys, &key)) && (good = agent__items_next(&items, &item))) {
        good = agent__fields(key, got, AGENT_KEY_PARTS + 1) == l->nkeys;
        bool ours = good;
        for (unsigned i = 0; ours && i + 1 < l->nkeys; i++) ours = str_eq(agent__rtrim(got[i]), part[i]);
        if (!ours) continue;
        if (*n == cap) {
            struct line *wider = ARENA_ARRAY(&c->scratch, struct line, cap ? cap * 2 : 16);
            if (cap) memcpy(wider, *lines, cap * sizeof **lines);
            *lines = wider;
            cap = cap ? cap * 2 : 16;
        }
        buf_clear(&text);
        agent__utf8_of(&text, agent__rtrim(got[l->nkeys - 1]));
        (*lines)[(*n)++] = (struct line){{arena_copy(&c->scratch, text.p, text.n), text.n}, item};
    }
    good = good && !keys.bad && !items.bad && !agent__items_next(&items, &item);
    buf_free(&text);
    if (*n) qsort(*lines, *n, sizeof **lines, compare_lines);
    return good;
}

static enum agent__got one_line(struct agent_core *c, const struct agent__layout *l, const struct str *part, const struct line *line, struct buf *json,
                                struct agent__sha *sha)
{
    struct cells cells;
    if (agent__fields(line->item, cells.v, AGENT__COLUMNS_MAX) != l->ncolumns) {
        struct str whole[AGENT_KEY_PARTS + 1];
        struct buf raw = {0};
        for (unsigned i = 0; i + 1 < l->nkeys; i++) whole[i] = part[i];
        bool good = parts_of(line->key, 1, &whole[l->nkeys - 1], &raw, &c->scratch);
        buf_free(&raw);
        enum agent__got got = good ? by_value(c, l, whole, &cells) : AGENT__GOT_UNREADABLE;
        if (got != AGENT__GOT_ROW) return got == AGENT__GOT_GONE ? AGENT__GOT_UNREADABLE : got;
    }
    buf_puts(json, "{\"key\":[");
    json_put_string(json, line->key);
    buf_puts(json, "],");
    hash_text(sha, line->key.p, line->key.n);
    content(json, c, l, &cells, sha);
    buf_byte(json, '}');
    return AGENT__GOT_ROW;
}

static enum agent__got put_lines(struct agent_core *c, const struct agent__layout *l, const struct str *part, struct buf *json, struct agent__sha *sha)
{
    struct ask q = {{0}, {0}, {0}};
    struct line *lines;
    size_t n;
    ask_for(&q, l, part, l->nkeys - 1, true);
    struct agent_sets sets = {l->desc, l->key_expr, buf_cstr(&q.filter), buf_cstr(&q.begin), buf_cstr(&q.end)};
    buf_clear(&c->d);
    buf_clear(&c->k);
    enum agent_reply r = c->sage->sets(c->sage->ctx, l->obj, &sets, &c->d, &c->k);
    ask_free(&q);
    if (r == AGENT_BROKEN) return AGENT__GOT_BROKEN;
    if (r == AGENT_NO) {
        struct str m = agent__message(c, l->obj);
        buf_clear(&c->text);
        buf_str(&c->text, m);
        return agent__looks_locked(m) ? AGENT__GOT_LOCKED : AGENT__GOT_UNREADABLE;
    }
    if (!collect(c, l, part, &lines, &n)) return AGENT__GOT_UNREADABLE;
    buf_puts(json, ",\"lines\":[");
    for (size_t i = 0; i < n; i++) {
        if (i) buf_byte(json, ',');
        enum agent__got got = one_line(c, l, part, &lines[i], json, sha);
        if (got != AGENT__GOT_ROW) return got;
    }
    buf_byte(json, ']');
    return AGENT__GOT_ROW;
}

/* ---- the row ---- */

static enum agent__got put_row(struct agent_core *c, const struct agent__served *s, struct str key, const struct str *part, const struct cells *cells, struct buf *json)
{
    static const char zeros[] = ",\"hash\":\"0000000000000000000000000000000000000000000000000000000000000000\",";
    struct agent__sha sha;
    char hex[65];
    agent__sha_start(&sha);
    buf_puts(json, "{\"key\":");
    agent__key_json(json, key);
    updated(json, c, &s->rows, cells);
    size_t at = json->n + strlen(",\"hash\":\"");
    buf_puts(json, zeros);
    content(json, c, &s->rows, cells, &sha);
    enum agent__got got = s->lines.table ? put_lines(c, &s->lines, part, json, &sha) : AGENT__GOT_ROW;
    agent__sha_hex(&sha, hex);
    memcpy(json->p + at, hex, 64);
    buf_byte(json, '}');
    return got;
}

enum agent__got agent__row(struct agent_core *c, const struct agent__served *s, struct str key, struct buf *json)
{
    struct arena_mark m = arena_mark(&c->scratch);
    struct str part[AGENT_KEY_PARTS];
    struct buf raw = {0};
    size_t before = json->n;
    struct cells cells;
    enum agent_reply reply = AGENT_NO;
    enum agent__got got = AGENT__GOT_GONE;
    buf_clear(&c->text);
    if (parts_of(key, s->rows.nkeys, part, &raw, &c->scratch)) {
        bool found = by_range(c, &s->rows, part, &cells, &reply);
        got = found ? AGENT__GOT_ROW : reply == AGENT_BROKEN ? AGENT__GOT_BROKEN : by_value(c, &s->rows, part, &cells);
        if (got == AGENT__GOT_ROW) got = put_row(c, s, key, part, &cells, json);
    }
    if (got != AGENT__GOT_ROW) json->n = before;
    buf_free(&raw);
    arena_release(&c->scratch, m);
    return got;
}
