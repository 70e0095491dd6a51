/* private.h - what the files of the core share: keys, positions, cursors, layouts, lists of scans. */
#ifndef AGENT_PRIVATE_H
#define AGENT_PRIVATE_H
#include "agent/core.h"
#include "base/limits.h"

#define AGENT__SEP     '\x8a'     /* between items of a result string, facts/sage-100.md 4.4 */
#define AGENT__ITEM    '\x1e'     /* ours: begins each item, so that a text with 0x8A in it cannot be taken for two */
#define AGENT__FIELD   '\x1f'     /* ours: between the columns of an item */
#define AGENT__STAMP_SCALE 10000000
#define AGENT__COLUMNS_MAX 500

/* ---- text.c ---- */
void agent__utf8_of(struct buf *out, struct str cp1252);
/* False when a character has no place in cp1252: no such key can exist. */
bool agent__cp1252_of(struct buf *out, struct str utf8);
struct str agent__rtrim(struct str s);
/* A number as Sage writes it to decimal text with at least `scale` decimals; what is no number is passed on as it is. Blank: false (null). */
bool agent__number(struct buf *out, struct str s, int scale);
/* False when the date is blank, or 1753-01-01 (null). */
bool agent__date_given(struct str s);

/* ---- stamp.c: positions of facts/sage-100.md 9.4 rule 1, date * 10^7 + hours * 10^5 ---- */
int64_t agent__position(struct str date, struct str time);
int64_t agent__position_of_local(int64_t local_ms);
int64_t agent__local_of_position(int64_t position);
/* The texts of a position, "" where blank; each holds 16 bytes. */
void agent__position_text(int64_t position, char date[16], char time[16]);
/* 2024-03-12T22:41:07Z, or without the Z. out holds 24 bytes. */
void agent__time_text(int64_t ms, bool utc, char out[24]);

/* ---- key.c: parts as UTF-8, joined by a zero byte, so that memcmp orders part by part ---- */
struct agent__key { uint16_t n; char b[AGENT_KEY_BYTES]; };
void agent__key_clear(struct agent__key *k);
bool agent__key_add(struct agent__key *k, struct str part, bool first);
bool agent__key_of_text(struct agent__key *k, struct str text, unsigned nparts);     /* "01~ABF" */
struct str agent__key_part(struct str key, unsigned i);
int agent__key_compare(struct str a, struct str b);
void agent__key_text(struct buf *b, struct str key);
void agent__key_json(struct buf *b, struct str key);
static inline struct str agent__key_view(const struct agent__key *k) { return (struct str){k->b, k->n}; }

/* ---- cursor.c ---- */
struct agent__cursor {
    bool mid;                    /* inside a pass; else a new pass starts here */
    bool stamped;                /* positions are stamps; else the table has none and goes by key */
    bool has_key;                /* the page starts after `key`; else before all rows of the position */
    int64_t as_of_ms, ceiling, position;
    int offset_minutes;
    struct agent__key key;
};
enum agent__verdict { AGENT__CURSOR_OK, AGENT__CURSOR_MALFORMED, AGENT__CURSOR_EXPIRED };
void agent__cursor_write(struct buf *out, const struct agent__cursor *c, struct str epoch, const char *resource);
enum agent__verdict agent__cursor_read(struct str text, struct str epoch, const char *resource, struct agent__cursor *c);

/* ---- resultset.c: a result string, item by item ---- */
struct agent__items { struct str rest; bool bad; };
struct agent__items agent__items_of(struct str text);
bool agent__items_next(struct agent__items *it, struct str *item);
/* Fields of an item; returns how many there are, at most max are stored. */
size_t agent__fields(struct str item, struct str *out, size_t max);

/* ---- sha256.c ---- */
struct agent__sha { uint32_t h[8]; uint64_t bytes; unsigned char block[64]; };
void agent__sha_start(struct agent__sha *s);
void agent__sha_add(struct agent__sha *s, const void *p, size_t n);
void agent__sha_hex(struct agent__sha *s, char out[65]);

/* ---- layout.c: the columns of one object as this installation has them ---- */
enum { AGENT__DATE_CREATED = 1, AGENT__TIME_CREATED, AGENT__USER_CREATED, AGENT__DATE_UPDATED, AGENT__TIME_UPDATED, AGENT__USER_UPDATED };
struct agent__column {
    const char *name;            /* the protocol's spelling */
    const char *sage;            /* for nGetValue: with $ behind a text */
    char kind;                   /* 's', 'd', 'n' */
    int length, scale;
    bool udf;
    int audit;                   /* 0, or which of the six */
};
struct agent__layout {
    const char *table;
    void *obj;
    struct agent__column *column; unsigned ncolumns;    /* without those on the deny list */
    const char *key[AGENT_KEY_PARTS + 1]; unsigned nkeys;
    const char *key_sage[AGENT_KEY_PARTS + 1];
    int stamp[7];                /* column of each audit stamp, -1 */
    bool stamped;                /* has DateUpdated */
    const char *desc, *key_expr, *stamps_expr;
    uint32_t barred;             /* columns left out */
};
struct agent__served {           /* a table and, where it has some, its lines */
    bool ready;
    struct agent__layout rows, lines;
};

/* ---- list.c: what a scan found, sorted, for the later pages of its pass ---- */
struct agent__entry { int64_t position; const char *key; uint16_t n; };
struct agent__list {
    bool live, keys_only;
    int table;
    int64_t as_of_ms, ceiling, used_ms;
    int64_t from; bool from_has_key; struct agent__key from_key;
    struct arena arena;
    struct agent__entry *entry; size_t n, cap, max;
    bool cut;                    /* more rows follow behind the last entry: scan again from there */
};
void agent__list_free(struct agent__list *l);
void agent__list_add(struct agent__list *l, int64_t position, struct str key);
void agent__list_sort(struct agent__list *l);
/* The first entry strictly behind (position, key); without a key: the first at or behind position. */
size_t agent__list_after(const struct agent__list *l, int64_t position, bool has_key, struct str key);
size_t agent__list_bytes(const struct agent__list *l);

/* ---- core ---- */
enum { AGENT__LISTS = 6 };
struct agent_core {
    const struct agent_config *config;
    const struct agent_sage *sage;
    const struct agent_host *host;
    struct str company, epoch;
    struct arena life, scratch;
    struct agent__served served[AGENT_TABLES];
    struct agent__list list[AGENT__LISTS];
    struct buf d, k, text;       /* result strings and texts of the call under way */
};
static inline int64_t agent__wall(const struct agent_core *c) { return c->host->wall_ms(c->host->ctx); }
static inline int64_t agent__mono(const struct agent_core *c) { return c->host->mono_ms(c->host->ctx); }

/* layout.c. The table's layout, opened at first use; NULL: *out holds the error. */
struct agent__served *agent__serve(struct agent_core *c, int table, struct agent_answer *out);
void agent__schema(struct agent_core *c, int table, struct agent_answer *out);
bool agent__looks_locked(struct str message);
bool agent__looks_barred(struct str message);
struct str agent__message(struct agent_core *c, void *obj);      /* UTF-8, in scratch */

/* scan.c. The list for a page that starts at `at`; NULL: *out holds the error. */
struct agent__list *agent__scan(struct agent_core *c, int table, const struct agent__cursor *at, bool keys_only, struct agent_answer *out);

/* row.c */
enum agent__got { AGENT__GOT_ROW, AGENT__GOT_GONE, AGENT__GOT_LOCKED, AGENT__GOT_UNREADABLE, AGENT__GOT_BROKEN };
/* Reads one row whole, lines too, and writes the row object. c->text then holds the reason of all but ROW, UTF-8. */
enum agent__got agent__row(struct agent_core *c, const struct agent__served *s, struct str key, struct buf *json);
/* A value as an expression of ProvideX: "ABF", or $414246$ where a quote or another byte could end the text. */
void agent__literal(struct buf *b, struct str cp1252);

/* page.c */
void agent__changed(struct agent_core *c, int table, const struct agent_request *q, struct agent_answer *out);
void agent__keys(struct agent_core *c, int table, const struct agent_request *q, struct agent_answer *out);
/* batch.c */
void agent__one(struct agent_core *c, int table, struct str key, struct agent_answer *out);
void agent__batch(struct agent_core *c, int table, struct str body, struct agent_answer *out);

/* query.c. The value of a parameter, decoded. Returns -1 malformed or twice, 0 absent, 1 there. */
int agent__query(struct str query, const char *name, struct arena *a, struct str *out);
bool agent__decode(struct str in, struct arena *a, struct str *out);
#endif
