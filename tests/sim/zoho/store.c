/*
 * store.c: records of one module in memory, made for a million of them.
 *
 *     records[]   in the order of their ids (ids only grow), so id -> record is a binary search
 *     cells       one heap block per record, see zoho_room.h
 *     indexes     one per unique field, and one per field that was ever asked for by value
 *
 * An index stores no keys: bucket -> chain of record numbers -> the cell is compared. Removal is O(1), because the
 * chains are doubly linked. Deleted records stay in records[] (the recycle bin) but leave the indexes.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { CELL_HEADER = 8 };

bool zsim__next_cell(const unsigned char *cells, size_t size, size_t *at, struct zsim_cell *cell)
{
    if (*at + CELL_HEADER > size)
        return false;
    memcpy(&cell->field, cells + *at, 2);
    cell->kind = (char)cells[*at + 2];
    memcpy(&cell->len, cells + *at + 4, 4);
    cell->bytes = (const char *)cells + *at + CELL_HEADER;
    *at += CELL_HEADER + cell->len;
    return true;
}

bool zsim__cell(const struct zsim_record *r, int field, struct zsim_cell *cell)
{
    size_t at = 0;
    while (zsim__next_cell(r->cells, r->size, &at, cell) && cell->field <= field)
        if (cell->field == field)
            return true;
    return false;
}

void zsim__put_cell(struct zsim_text *out, int field, char kind, const char *bytes, size_t len)
{
    char header[CELL_HEADER] = {0};
    uint16_t f = (uint16_t)field;
    uint32_t n = (uint32_t)len;
    memcpy(header, &f, 2);
    header[2] = kind;
    memcpy(header + 4, &n, 4);
    zsim__add(out, header, CELL_HEADER);
    zsim__add(out, bytes, len);
}

size_t zsim__lower_bound(const struct zsim_module *m, uint64_t id)
{
    size_t low = 0, high = m->nrecords;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->records[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct zsim_record *zsim__record(struct zsim_module *m, uint64_t id)
{
    size_t at = zsim__lower_bound(m, id);
    struct zsim_record *r = at < m->nrecords ? &m->records[at] : NULL;
    return r && r->id == id && r->state == ZS_LIVE ? r : NULL;
}

// ---- indexes

static void link_number(struct zsim_index *ix, uint32_t number)
{
    uint32_t *head = &ix->heads[ix->hash[number] & (ix->nheads - 1)];
    ix->prev[number] = 0;
    ix->next[number] = *head;
    if (*head)
        ix->prev[*head - 1] = number + 1;
    *head = number + 1;
}

static void grow_heads(struct zsim_index *ix, const struct zsim_module *m)
{
    ix->nheads = ix->nheads ? ix->nheads * 2 : 1024;
    free(ix->heads);
    ix->heads = zsim__must(calloc(ix->nheads, sizeof *ix->heads));
    for (uint32_t i = 0; i < m->nrecords && i < ix->cap; i++)
        if (ix->hash[i])
            link_number(ix, i);
}

static void grow_links(struct zsim_index *ix, size_t cap)
{
    if (cap <= ix->cap)
        return;
    ix->next = zsim__must(realloc(ix->next, cap * sizeof *ix->next));
    ix->prev = zsim__must(realloc(ix->prev, cap * sizeof *ix->prev));
    ix->hash = zsim__must(realloc(ix->hash, cap * sizeof *ix->hash));
    memset(ix->hash + ix->cap, 0, (cap - ix->cap) * sizeof *ix->hash);
    ix->cap = cap;
}

static void index_add(struct zsim_index *ix, const struct zsim_module *m, uint32_t number)
{
    struct zsim_cell cell;
    grow_links(ix, m->cap);
    ix->hash[number] = 0;
    if (!zsim__cell(&m->records[number], ix->field, &cell))
        return;
    ix->hash[number] = (uint32_t)zsim__hash(cell.bytes, cell.len, ix->fold) | 1u << 31; // 0 means: not linked
    ix->used++;
    if (ix->used > ix->nheads)
        grow_heads(ix, m); // links this one too
    else
        link_number(ix, number);
}

static void index_remove(struct zsim_index *ix, uint32_t number)
{
    if (!ix->hash[number])
        return;
    uint32_t before = ix->prev[number], after = ix->next[number];
    if (before)
        ix->next[before - 1] = after;
    else
        ix->heads[ix->hash[number] & (ix->nheads - 1)] = after;
    if (after)
        ix->prev[after - 1] = before;
    ix->hash[number] = 0;
    ix->used--;
}

struct zsim_index *zsim__index(struct zsim_module *m, int field, bool fold)
{
    for (size_t i = 0; i < m->nindexes; i++)
        if (m->indexes[i].field == field && m->indexes[i].fold == fold)
            return &m->indexes[i];
    m->indexes = zsim__must(realloc(m->indexes, (m->nindexes + 1) * sizeof *m->indexes));
    struct zsim_index *ix = &m->indexes[m->nindexes++];
    *ix = (struct zsim_index){.field = field, .fold = fold, .nheads = 1024};
    ix->heads = zsim__must(calloc(ix->nheads, sizeof *ix->heads));
    grow_links(ix, m->cap);
    for (uint32_t i = 0; i < m->nrecords; i++)
        if (m->records[i].state == ZS_LIVE)
            index_add(ix, m, i);
    return ix;
}

struct zsim_record *zsim__index_next(struct zsim_module *m, const struct zsim_index *ix, const char *key, size_t len,
                                     uint32_t *walk)
{
    uint32_t hash = (uint32_t)zsim__hash(key, len, ix->fold) | 1u << 31;
    uint32_t at = *walk ? ix->next[*walk - 1] : ix->heads[hash & (ix->nheads - 1)];
    struct zsim_cell cell;
    for (; at; at = ix->next[at - 1]) {
        struct zsim_record *r = &m->records[at - 1];
        if (ix->hash[at - 1] == hash && zsim__cell(r, ix->field, &cell) &&
            zsim__compare(cell.bytes, cell.len, key, len, ix->fold) == 0) {
            *walk = at;
            return r;
        }
    }
    return NULL;
}

// ---- records

static void set_cells(struct zsim_record *r, const struct zsim_text *cells)
{
    free(r->cells);
    r->cells = zsim__must(malloc(cells->len ? cells->len : 1));
    if (cells->len)
        memcpy(r->cells, cells->at, cells->len);
    r->size = (uint32_t)cells->len;
}

struct zsim_record *zsim__append(struct zoho_sim *sim, struct zsim_module *m, const struct zsim_text *cells)
{
    if (m->nrecords == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 256;
        m->records = zsim__must(realloc(m->records, m->cap * sizeof *m->records));
    }
    uint32_t number = (uint32_t)m->nrecords++;
    struct zsim_record *r = &m->records[number];
    *r = (struct zsim_record){.id = sim->next_id++, .state = ZS_LIVE};
    set_cells(r, cells);
    m->live++;
    for (size_t i = 0; i < m->nindexes; i++)
        index_add(&m->indexes[i], m, number);
    return r;
}

void zsim__replace(struct zsim_module *m, struct zsim_record *r, const struct zsim_text *cells)
{
    uint32_t number = (uint32_t)(r - m->records);
    for (size_t i = 0; i < m->nindexes; i++)
        index_remove(&m->indexes[i], number);
    set_cells(r, cells);
    for (size_t i = 0; i < m->nindexes; i++)
        index_add(&m->indexes[i], m, number);
}

void zsim__drop(struct zsim_module *m, struct zsim_record *r)
{
    for (size_t i = 0; i < m->nindexes; i++)
        index_remove(&m->indexes[i], (uint32_t)(r - m->records));
    m->live--;
}

void zsim__store_free(struct zsim_module *m)
{
    for (size_t i = 0; i < m->nrecords; i++)
        free(m->records[i].cells);
    for (size_t i = 0; i < m->nindexes; i++) {
        free(m->indexes[i].heads);
        free(m->indexes[i].next);
        free(m->indexes[i].prev);
        free(m->indexes[i].hash);
    }
    free(m->records);
    free(m->indexes);
}
