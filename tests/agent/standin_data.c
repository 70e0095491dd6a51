/* standin_data.c - tables of the stand-in: read from TSV, kept sorted by the stored key. */
#include "tests/agent/standin.h"
#include <stdio.h>
#include <stdlib.h>

bool standin__ieq(const char *a, const char *b)
{
    return str_ieq(str_of(a), str_of(b));
}

int standin__column(const struct standin_table *t, struct str name)
{
    for (unsigned i = 0; i < t->ncolumns; i++)
        if (str_ieq(t->column[i], name)) return (int)i;
    return -1;
}

static struct str copied(struct str s)
{
    char *p = malloc(s.n + 1);
    memcpy(p, s.n ? s.p : "", s.n);
    p[s.n] = '\0';
    return (struct str){p, s.n};
}

/* A cell of a file: \\t, \\n, \\r, \\\\ stand for what they say. */
static struct str unescaped(struct str s)
{
    struct str out = copied(s);
    char *p = (char *)out.p;
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) {
            c = s.p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        p[n++] = c;
    }
    p[n] = '\0';
    return (struct str){p, n};
}

static bool cut_at(struct str *rest, char sep, struct str *out)
{
    if (!rest->p) return false;
    const char *stop = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    *out = (struct str){rest->p, stop ? (size_t)(stop - rest->p) : rest->n};
    *rest = stop ? (struct str){stop + 1, rest->n - out->n - 1} : (struct str){NULL, 0};
    return true;
}

static void header(struct standin_table *t, struct str line)
{
    struct str cell;
    t->column = calloc(600, sizeof *t->column);
    t->text = calloc(600, sizeof *t->text);
    while (t->ncolumns < 600 && cut_at(&line, '\t', &cell)) {
        bool key = cell.n && cell.p[0] == '*';
        if (key) cell.p++, cell.n--;
        t->text[t->ncolumns] = cell.n && cell.p[cell.n - 1] == '$';
        if (t->text[t->ncolumns]) cell.n--;
        if (key && t->nkeys < 8) t->keycol[t->nkeys++] = t->ncolumns;
        t->column[t->ncolumns++] = copied(cell);
    }
}

static struct str key_of(const struct standin_table *t, const struct standin_row *r)
{
    struct buf b = {0};
    for (unsigned i = 0; i < t->nkeys; i++) {
        if (i) buf_byte(&b, 0);
        buf_str(&b, r->cell[t->keycol[i]]);
    }
    struct str s = copied(buf_view(&b));
    buf_free(&b);
    return s;
}

static int compare(const void *a, const void *b)
{
    return str_cmp(((const struct standin_row *)a)->key, ((const struct standin_row *)b)->key);
}

static void add(struct standin_table *t, struct str line)
{
    struct str cell;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->row = realloc(t->row, t->cap * sizeof *t->row);
    }
    struct standin_row *r = &t->row[t->n];
    memset(r, 0, sizeof *r);
    r->cell = calloc(t->ncolumns, sizeof *r->cell);
    for (unsigned i = 0; i < t->ncolumns; i++) r->cell[i] = cut_at(&line, '\t', &cell) ? unescaped(cell) : copied(STR(""));
    r->key = key_of(t, r);
    for (unsigned i = 0; i + 1 < t->nkeys; i++) t->uneven = t->uneven || (t->n && r->cell[t->keycol[i]].n != t->row[0].cell[t->keycol[i]].n);
    for (unsigned i = 0; i < t->nkeys; i++)
        if (r->cell[t->keycol[i]].n > t->keylen[i]) t->keylen[i] = (unsigned)r->cell[t->keycol[i]].n;
    t->n++;
}

struct standin_table *standin__table(struct standin *s, const char *name)
{
    for (unsigned i = 0; i < s->ntables; i++)
        if (standin__ieq(s->table[i].name, name)) return &s->table[i];
    char path[500];
    snprintf(path, sizeof path, "%s/%s.tsv", s->dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || s->ntables == 32) {
        if (f) fclose(f);
        return NULL;
    }
    struct buf all = {0};
    size_t got;
    while ((got = fread(buf_reserve(&all, 1 << 16), 1, 1 << 16, f)) > 0) all.n += got;
    fclose(f);
    struct standin_table *t = &s->table[s->ntables++];
    memset(t, 0, sizeof *t);
    snprintf(t->name, sizeof t->name, "%s", name);
    struct str rest = buf_view(&all), line;
    for (bool first = true; cut_at(&rest, '\n', &line); first = false) {
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        if (first) header(t, line);
        else if (line.n) add(t, line);
    }
    buf_free(&all);
    if (t->n) qsort(t->row, t->n, sizeof *t->row, compare);
    return t;
}

struct standin_row *standin__row(struct standin_table *t, struct str key, size_t *at)
{
    size_t lo = 0, hi = t->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int d = str_cmp(t->row[mid].key, key);
        if (d == 0) {
            if (at) *at = mid;
            return &t->row[mid];
        }
        if (d > 0) hi = mid;
        else lo = mid + 1;
    }
    if (at) *at = lo;
    return NULL;
}

struct standin_row *standin__insert(struct standin_table *t, struct str key)
{
    size_t at;
    struct str line = {"", 0}, part, rest = key;
    if (standin__row(t, key, &at)) return NULL;
    add(t, line);
    struct standin_row r = t->row[t->n - 1];
    for (unsigned i = 0; i < t->nkeys && cut_at(&rest, '\0', &part); i++) {
        free((char *)r.cell[t->keycol[i]].p);
        r.cell[t->keycol[i]] = copied(part);
    }
    free((char *)r.key.p);
    r.key = copied(key);
    memmove(&t->row[at + 1], &t->row[at], (t->n - 1 - at) * sizeof *t->row);
    t->row[at] = r;
    return &t->row[at];
}

static void row_free(const struct standin_table *t, struct standin_row *r)
{
    for (unsigned c = 0; c < t->ncolumns; c++) free((char *)r->cell[c].p);
    free((char *)r->key.p);
    free(r->cell);
}

void standin__delete(struct standin_table *t, size_t at)
{
    row_free(t, &t->row[at]);
    memmove(&t->row[at], &t->row[at + 1], (t->n - at - 1) * sizeof *t->row);
    t->n--;
}

void standin__table_free(struct standin_table *t)
{
    for (size_t i = 0; i < t->n; i++) row_free(t, &t->row[i]);
    for (unsigned c = 0; c < t->ncolumns; c++) free((char *)t->column[c].p);
    free(t->column);
    free(t->text);
    free(t->row);
}
