/* standin.h - a stand-in for Sage's business objects, after facts/sage-100.md 4 and 5; it knows nothing of the agent's code.
 *
 *   DIR/TABLE.tsv   first line: column names, '*' before those of the key, '$' behind texts; then rows, cp1252, tab-separated
 *   commands        one a line, each applied once, in order: standin_command lists them
 *
 * Tests link it (unit/agent); standin_com.c puts the COM class ProvideX.Script around it. Single-threaded. */
#ifndef TESTS_AGENT_STANDIN_H
#define TESTS_AGENT_STANDIN_H
#include "base/buf.h"

struct standin_row { struct str *cell; struct str key; bool locked, lock_fails; };   /* key: parts as stored, joined by a zero byte */
struct standin_table {
    char name[64];
    struct str *column; bool *text; unsigned ncolumns, nkeys;
    unsigned keycol[8], keylen[8];
    bool uneven;                                    /* parts before the last one differ in length: the order of parts is not that of stored keys */
    struct standin_row *row; size_t n, cap;
};

enum standin_kind { STANDIN_DELAY, STANDIN_HANG, STANDIN_CRASH, STANDIN_NO, STANDIN_EXCEPTION, STANDIN_MISMATCH, STANDIN_CUT, STANDIN_GARBAGE };
struct standin_fault { char op[16]; enum standin_kind kind; long arg, skip, times; unsigned id; char text[120]; };

/* What stands around: how time passes, how the process dies. A test in process counts instead. */
struct standin_around {
    void (*sleep_ms)(void *ctx, long ms);
    void (*crash)(void *ctx);                       /* does not return in a process of its own */
    long (*fired)(void *ctx, unsigned id, bool now);/* how often fault `id` has fired in earlier lives; now: it fires */
    void *ctx;
};

struct standin {
    struct standin_table table[32]; unsigned ntables;
    struct standin_fault fault[64]; unsigned nfaults, nids;
    struct { char object[64], text[120]; } refused[32]; unsigned nrefused;
    struct { char code[4], text[120]; } closed[8]; unsigned nclosed;
    bool padded;                                    /* the parts of a primary key are padded with blanks to their length */
    char dir[400];
    struct standin_around around;
    char error[200];                                /* sLastErrorMsg */
    unsigned long calls;
};

enum standin_reply { STANDIN_ZERO, STANDIN_ONE, STANDIN_DEAD };     /* DEAD: a COM exception */
struct standin_object { struct standin *s; struct standin_table *table, *lines; struct standin_row *found; struct str want[8]; bool is_lines; char error[200]; };

void standin_init(struct standin *s, const char *dir, const struct standin_around *around);
void standin_free(struct standin *s);
/* Applies one command; false: what is wrong with it stands in s->error.
 *   lock TABLE KEY [fails]      KEY with ~ between its parts; fails: result sets fail as a whole instead of leaving the row out
 *   unlock TABLE KEY            set TABLE KEY COLUMN VALUE        delete TABLE KEY        insert TABLE KEY
 *   fault OP KIND [ARG [SKIP [TIMES]]]   OP: logon company open columns sets find value;  KIND: delay hang crash no exception mismatch cut garbage
 *   no_faults      refuse OBJECT TEXT      allow OBJECT      close CODE TEXT      reopen CODE      padded */
bool standin_command(struct standin *s, struct str line);
/* NULL: refused or unknown; s->error says why. */
struct standin_object *standin_open(struct standin *s, const char *object, enum standin_reply *reply);
struct standin_object *standin_lines(struct standin_object *o);
void standin_close(struct standin_object *o);
/* A step of the session: op is logon or company. */
enum standin_reply standin_step(struct standin *s, const char *op, const char *company);
enum standin_reply standin_columns(struct standin_object *o, struct buf *out);
enum standin_reply standin_sets(struct standin_object *o, const char *desc, const char *key, const char *filter, const char *begin, const char *end, struct buf *d,
                                struct buf *k);
enum standin_reply standin_set_key(struct standin_object *o, const char *column, struct str value);
enum standin_reply standin_find(struct standin_object *o);
enum standin_reply standin_value(struct standin_object *o, const char *column, struct buf *out);

/* ---- standin_data.c ---- */
struct standin_table *standin__table(struct standin *s, const char *name);
struct standin_row *standin__row(struct standin_table *t, struct str key, size_t *at);
struct standin_row *standin__insert(struct standin_table *t, struct str key);
void standin__delete(struct standin_table *t, size_t at);
int standin__column(const struct standin_table *t, struct str name);
void standin__table_free(struct standin_table *t);
bool standin__ieq(const char *a, const char *b);

/* ---- standin_expr.c: ProvideX expressions: columns, "texts", $hex$, STR(), +, comparisons, AND, OR ---- */
struct standin_expr;
struct standin_expr *standin__compile(const struct standin_table *t, const char *text, char *error, size_t n);
void standin__eval(const struct standin_expr *e, const struct standin_row *r, struct buf *out);
bool standin__holds(const struct standin_expr *e, const struct standin_row *r);
void standin__expr_free(struct standin_expr *e);
#endif
