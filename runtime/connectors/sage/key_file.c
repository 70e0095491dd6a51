/* key_file.c - CSV (RFC 4180: commas, double quotes) to sorted keys. The file is read anew at the start of every pass. */
#include "connectors/sage/key_file.h"
#include "base/hash.h"
#include <stdlib.h>

#define KEY_FILE_BYTES (32u << 20)

struct csv { const char *p, *end; unsigned line; const char *problem; };

/* A quoted field behind its first quote, up to the comma or the end of the line. As long as it is, and no longer, so that a file of quoted keys costs what it holds. */
static struct str quoted(struct csv *c, struct arena *a)
{
    const char *from = c->p;
    while (c->p < c->end && *c->p != '\n' && (*c->p != '"' || (c->end - c->p > 1 && c->p[1] == '"'))) c->p += 1 + (*c->p == '"');
    char *text = arena_alloc(a, (size_t)(c->p - from) + 1), *o = text;
    for (const char *p = from; p < c->p; p += 1 + (*p == '"')) *o++ = *p;
    if (c->p == c->end || *c->p != '"') c->problem = "a quote is not closed";
    else c->p++;
    struct str out = {text, (size_t)(o - text)};
    while (out.n && out.p[out.n - 1] == ' ') out.n--;
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\r')) c->p++;
    if (c->p < c->end && *c->p != ',' && *c->p != '\n') c->problem = "text follows a closing quote";
    return out;
}

/* One field; *last tells that the line ends behind it. Unquoted fields lose blanks at both ends, quoted ones at the right only, as Sage's keys do. */
static struct str field(struct csv *c, struct arena *a, bool *last)
{
    struct str out;
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        out = quoted(c, a);
    } else {
        const char *from = c->p;
        while (c->p < c->end && *c->p != ',' && *c->p != '\n') c->p++;
        out = str_trim((struct str){from, (size_t)(c->p - from)});
    }
    *last = c->p >= c->end || *c->p == '\n';
    if (c->p < c->end) c->p++;
    return out;
}

const char *sage100__key_problem(const struct source_key *k, const struct sage_entity *e)
{
    size_t bytes = 0;
    if (k->n != e->nkeys) return "has another number of parts than the table's key";
    for (size_t i = 0; i < k->n; i++) {
        bytes += k->part[i].n + 1;
        for (size_t j = 0; j < k->part[i].n; j++)
            if ((unsigned char)k->part[i].p[j] < ' ') return "holds a control character";
        if (!str_utf8_valid(k->part[i])) return "is not UTF-8";
    }
    return bytes > LIMIT_KEY_BYTES ? "is longer than any key of Sage" : bytes == k->n ? "is blank" : NULL;
}

static bool is_heading(const struct source_key *k, const struct sage_entity *e)
{
    bool same = k->n == e->nkeys;
    for (size_t i = 0; same && i < k->n; i++) same = str_ieq(k->part[i], str_of(e->key[i]));
    return same;
}

static int by_key(const void *a, const void *b)
{
    return sage100__key_cmp(a, b);
}

/* Fields point into text or into the arena. */
static enum err parse(struct source *s, const struct sage_entity *e, struct str text, const char *path, struct source_key **keys, size_t *n, struct fault *f)
{
    struct csv c = {text.p, text.p + text.n, 1, NULL};
    if (str_starts(text, STR("\xEF\xBB\xBF"))) c.p += 3;
    size_t lines = 1;
    for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n';
    *keys = ARENA_ARRAY(&s->keys_arena, struct source_key, lines);
    *n = 0;
    for (; c.p < c.end; c.line++) {
        struct source_key k = {.n = 0};
        bool last = false, first_quoted = *c.p == '"';
        size_t parts = 0;
        while (!last) {
            struct str part = field(&c, &s->keys_arena, &last);
            if (parts < LIMIT_KEY_PARTS) k.part[parts] = part;
            parts++;
        }
        k.n = parts < LIMIT_KEY_PARTS ? parts : LIMIT_KEY_PARTS;
        if (k.n == 1 && k.part[0].n == 0 && !first_quoted) continue;      /* an empty line */
        if (c.line == 1 && is_heading(&k, e)) continue;
        const char *problem = c.problem ? c.problem : parts > e->nkeys ? "has another number of parts than the table's key" : sage100__key_problem(&k, e);
        if (problem)
            return fault_set(f, ERR_CONFIG, "source %s, %s: key file %s, line %u: %s (wanted: %zu part%s, %s first)", s->env.state_name, e->table, path, c.line,
                             problem, e->nkeys, e->nkeys == 1 ? "" : "s", e->key[0]);
        (*keys)[(*n)++] = k;
    }
    return ERR_OK;
}

void sage100__key_list_keep(struct source *s, const struct sage_entity *e, struct str company, struct source_key *keys, size_t n)
{
    struct buf text = {0};
    size_t kept = 0;
    qsort(keys, n, sizeof *keys, by_key);
    for (size_t i = 0; i < n; i++) {
        if (kept && sage100__key_eq(&keys[kept - 1], &keys[i])) continue;
        keys[kept++] = keys[i];
        for (size_t p = 0; p < keys[i].n; p++) {
            buf_str(&text, keys[i].part[p]);
            buf_byte(&text, p + 1 < keys[i].n ? '\0' : '\n');
        }
    }
    struct sage_soap_key_list *list = ARENA_NEW(&s->keys_arena, struct sage_soap_key_list);
    struct hash h = hash_of(buf_view(&text));
    hash_hex(h.b, 8, list->hash);
    list->company = (struct str){arena_copy(&s->keys_arena, company.n ? company.p : "", company.n), company.n};
    list->entity = e;
    list->keys = keys;
    list->n = kept;
    s->key_list = list;
    buf_free(&text);
}

static enum err load(struct source *s, const struct sage_entity *e, const char *path, struct fault *f)
{
    struct str text;
    enum err err = world_read_file(s->env.world, path, KEY_FILE_BYTES, &s->keys_arena, &text, f);
    if (err != ERR_OK) return fault_set(f, ERR_CONFIG, "source %s, %s: the key file %s cannot be read (%s)", s->env.state_name, e->table, path, err_text(err));
    struct source_key *keys;
    size_t n;
    err = parse(s, e, text, path, &keys, &n, f);
    if (err == ERR_OK) sage100__key_list_keep(s, e, (struct str){"", 0}, keys, n);
    return err;
}

static bool is_in_memory(const struct source *s, const struct sage_entity *e, const char *path, struct str company, struct str want_hash)
{
    const struct sage_soap_key_list *have = s->key_list;
    if (!have || have->entity != e || !str_is(want_hash, have->hash)) return false;
    return path || str_eq(have->company, company);      /* a table has a file or an operation, as long as its source lives */
}

enum err sage100__key_list(struct source *s, const struct sage_entity *e, struct str company, struct str want_hash, const struct sage_soap_key_list **out, struct fault *f)
{
    enum err err = ERR_OK;
    struct arena_mark m = arena_mark(&s->scratch);
    const char *path = sage100__key_file(s, e, &s->scratch);
    if (!is_in_memory(s, e, path, company, want_hash)) {
        s->key_list = NULL;
        arena_reset(&s->keys_arena);
        err = path ? load(s, e, path, f) : sage100__key_call(s, e, company, f);
    }
    arena_release(&s->scratch, m);
    *out = s->key_list;
    return err;
}
