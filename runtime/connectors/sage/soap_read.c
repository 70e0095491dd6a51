/* soap_read.c - rows by key, and the passes that stand in for a list (facts/sage-100.md 3.2: this service has none).
 *
 *   fetch  one call a key: row | missing (CI_NoKey) | locked | a row with a violation (the key is refused)
 *   page   keys from a list, of a file or of an operation of this site: cursor = MARK hash-of-list "." position; or from the agent's changed rows:
 *          cursor = the agent's
 *   keys   the keys of the list that exist in Sage now; or the agent's own sweep
 *
 * "An exception occurred." that stays after all repeats: the key counts as locked (it comes again later), but the third such key of one fetch, or the
 * only one, ends it with ERR_BUSY: then it is the service and not the record. */
#include "connectors/sage/key_file.h"
#include "connectors/sage/soap.h"
#include "base/check.h"
#include <stdio.h>

#define MARK SAGE_OWN_CURSOR
#define SILENT_KEYS_MAX 3

/* ---- fetch ---- */

struct fetching {
    struct source *s;
    const struct sage_entity *e;
    const struct source_query *q;
    enum soap_id op;
    struct soap_reader *reader;
    size_t nkeys;
    unsigned silent;
    struct arena *a;
    struct source_page *out;
    struct fault *f;
};

enum err sage100__soap_null_date(struct source *s, struct str company, struct fault *f)
{
    const struct sage_soap_contract *c;
    struct soap_reply reply;
    enum err e = sage100__soap_contract(s, &c, f);
    if (e != ERR_OK) return e;
    if (c->null_date_asked || !c->op[SOAP_CONTRACT].offered) return ERR_OK;
    struct arena_mark m = arena_mark(&s->scratch);
    e = sage100__soap_call(s, SOAP_CONTRACT, company, NULL, &reply, f);
    if (s->contract && e != ERR_STOPPED && e != ERR_UNREACHABLE && (e != ERR_BUSY || reply.verdict == SOAP_BUSY)) {
        const struct xml_node *n = e == ERR_OK && reply.result ? sage100__xml_find(reply.result, "NullDateTime") : NULL;
        struct str text = n ? str_trim(n->text) : (struct str){"", 0};
        s->contract->null_date = (struct str){arena_copy(&s->contract_arena, text.n ? text.p : "", text.n), text.n};
        s->contract->null_date_asked = true;
        e = ERR_OK;
    }
    arena_release(&s->scratch, m);
    return e;
}

static enum err silent_key(struct fetching *t, const struct source_key *k)
{
    t->out->locked[t->out->nlocked++] = *k;
    return ++t->silent >= SILENT_KEYS_MAX || t->nkeys == 1 ? ERR_BUSY : ERR_OK;
}

static void refused_key(struct fetching *t, const struct source_key *k, const struct soap_reply *reply)
{
    struct source_row *row = &t->out->rows[t->out->nrows++];
    *row = (struct source_row){.key = *k, .cols = ARENA_ARRAY(t->a, struct value, t->q->ncolumns + 1)};
    row->violation = arena_printf(t->a, "%s (%s: %s)", reply->advice, reply->code, reply->message);
}

static enum err fetch_one(struct fetching *t, const struct source_key *k)
{
    struct soap_reply reply;
    enum err e = sage100__soap_call(t->s, t->op, t->q->company, k, &reply, t->f);
    if (e == ERR_BUSY && reply.verdict == SOAP_BUSY) return silent_key(t, k);
    if (e != ERR_OK) return e;
    if (reply.verdict == SOAP_MISSING) t->out->missing[t->out->nmissing++] = *k;
    else if (reply.verdict == SOAP_IS_LOCKED) t->out->locked[t->out->nlocked++] = *k;
    else if (reply.verdict == SOAP_INVALID) refused_key(t, k, &reply);
    else {
        if (!t->reader) t->reader = sage100__soap_reader(t->s, t->e, t->q, &t->s->contract->op[t->op]);
        e = sage100__soap_row(t->reader, k, reply.result, t->a, &t->out->rows[t->out->nrows], t->f);
        if (e == ERR_OK) t->out->nrows++;
    }
    return e;
}

enum err sage100__soap_fetch(struct source *s, const struct sage_entity *e, const struct source_query *q, const struct source_key *keys, size_t nkeys,
                          struct arena *a, struct source_page *out, struct fault *f)
{
    struct fetching t = {s, e, q, sage100__soap_operation(e), NULL, nkeys, 0, a, out, f};
    struct sage_key_set unique;
    ASSERT(t.op < SOAP_OPERATIONS);
    out->rows = ARENA_ARRAY(a, struct source_row, nkeys + 1);
    out->locked = ARENA_ARRAY(a, struct source_key, nkeys + 1);
    out->missing = ARENA_ARRAY(a, struct source_key, nkeys + 1);
    enum err err = sage100__soap_null_date(s, q->company, f);
    sage100__key_set(&unique, keys, nkeys, a);
    for (size_t i = 0; err == ERR_OK && i < nkeys; i++) {
        if (sage100__key_find(&unique, &keys[i]) != i) continue;
        struct arena_mark m = arena_mark(&s->scratch);
        err = fetch_one(&t, &keys[i]);
        arena_release(&s->scratch, m);
    }
    sage100__soap_reader_free(t.reader);
    arena_reset(&s->scratch);
    return err;
}

/* ---- position in a list of keys ---- */

/* MARK hash "." position. False for anything else: another door's cursor, or damage. */
static bool read_position(struct str cursor, struct str *hash, int64_t *at)
{
    struct str mark = STR(MARK);
    if (!str_starts(cursor, mark) || cursor.n < mark.n + 18 || cursor.p[mark.n + 16] != '.') return false;
    *hash = (struct str){cursor.p + mark.n, 16};
    return str_to_i64((struct str){cursor.p + mark.n + 17, cursor.n - mark.n - 17}, at);
}

static struct str write_position(struct arena *a, const struct sage_soap_key_list *list, size_t at)
{
    return str_of(arena_printf(a, MARK "%s.%zu", list->hash, at));
}

struct slice { const struct sage_soap_key_list *list; const struct source_key *keys; size_t from, n; };

static struct source_key copy_key(struct arena *a, const struct source_key *k)
{
    struct source_key out = {.n = k->n};
    for (size_t i = 0; i < k->n; i++) out.part[i] = (struct str){arena_copy(a, k->part[i].n ? k->part[i].p : "", k->part[i].n), k->part[i].n};
    return out;
}

/* The keys of the next step; copied, as the list may be read anew while the page still lives. */
static enum err next_slice(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                           struct slice *out, struct fault *f)
{
    struct str hash = {"", 0};
    int64_t at = 0;
    if (cursor.n && !read_position(cursor, &hash, &at))
        return fault_set(f, ERR_EXPIRED, "source %s, %s: the stored cursor belongs to another door: a full pass is needed", s->env.state_name, e->table);
    if (at == 0) hash = (struct str){"", 0};          /* a new pass takes the list as it is now */
    enum err err = sage100__key_list(s, e, q->company, hash, &out->list, f);
    if (err != ERR_OK) return err;
    if (at != 0 && (!str_is(hash, out->list->hash) || at > (int64_t)out->list->n))
        return fault_set(f, ERR_EXPIRED, "source %s, %s: the list of keys changed in the middle of a pass: the pass begins anew", s->env.state_name, e->table);
    size_t rows = q->page_rows ? q->page_rows : s->set.soap_page_rows;
    if (rows > LIMIT_BATCH_GET) rows = LIMIT_BATCH_GET;
    out->from = (size_t)at;
    out->n = out->list->n - out->from < rows ? out->list->n - out->from : rows;
    struct source_key *keys = ARENA_ARRAY(a, struct source_key, out->n + 1);
    for (size_t i = 0; i < out->n; i++) keys[i] = copy_key(a, &out->list->keys[out->from + i]);
    out->keys = keys;
    return ERR_OK;
}

static enum err no_keys(const struct source *s, const struct sage_entity *e, struct fault *f)
{
    return fault_set(f, ERR_UNSUPPORTED, "source %s, %s: eBusiness Web Services cannot list records: set keys = file(\"keys.csv\") with one key a line, `keys %s { operation = ... }` if your service has one that lists, or `agent`",
                     s->env.state_name, e->table, e->table);
}

/* ---- page ---- */

static enum err page_by_list(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                             struct source_page *out, struct fault *f)
{
    struct slice part;
    enum err err = next_slice(s, e, q, cursor, a, &part, f);
    if (err == ERR_OK) err = sage100__soap_fetch(s, e, q, part.keys, part.n, a, out, f);
    if (err != ERR_OK) return err;
    out->nmissing = 0;                                /* a listed key that Sage does not have is no row; the sweep reports what vanished */
    out->complete = part.from + part.n == part.list->n;
    out->next = write_position(a, part.list, out->complete ? 0 : part.from + part.n);
    return ERR_OK;
}

/* The agent says what changed, SOAP delivers it. */
static enum err page_by_agent(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                              struct source_page *out, struct fault *f)
{
    struct source_query bare = *q;
    struct source_page found = {0}, rows = {0};
    bare.columns = NULL;
    bare.ncolumns = 0;
    if (bare.page_rows == 0) bare.page_rows = s->set.soap_page_rows;
    if (bare.page_rows > LIMIT_BATCH_GET) bare.page_rows = LIMIT_BATCH_GET;
    enum err err = sage100__agent_page(s, e, &bare, cursor, a, &found, f);
    if (err != ERR_OK) return err;
    struct source_key *keys = ARENA_ARRAY(a, struct source_key, found.nrows + 1);
    for (size_t i = 0; i < found.nrows; i++) keys[i] = found.rows[i].key;
    err = sage100__soap_fetch(s, e, q, keys, found.nrows, a, &rows, f);
    if (err != ERR_OK) return err;
    struct source_key *locked = ARENA_ARRAY(a, struct source_key, found.nlocked + rows.nlocked + 1);
    for (size_t i = 0; i < found.nlocked; i++) locked[i] = found.locked[i];
    for (size_t i = 0; i < rows.nlocked; i++) locked[found.nlocked + i] = rows.locked[i];
    *out = found;
    out->rows = rows.rows;
    out->nrows = rows.nrows;
    out->locked = locked;
    out->nlocked = found.nlocked + rows.nlocked;
    return ERR_OK;
}

enum err sage100__soap_page(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str cursor, struct arena *a,
                         struct source_page *out, struct fault *f)
{
    if (sage100__has_key_list(s, e)) return page_by_list(s, e, q, cursor, a, out, f);
    if (s->set.agent_url) return page_by_agent(s, e, q, cursor, a, out, f);
    return no_keys(s, e, f);
}

/* ---- keys ---- */

enum err sage100__soap_keys(struct source *s, const struct sage_entity *e, const struct source_query *q, struct str after, struct arena *a,
                         struct source_page *out, struct fault *f)
{
    struct source_query bare = *q;
    struct source_page answer = {0};
    struct sage_key_set gone;
    struct slice part;
    bare.ncolumns = 0;
    bool list = sage100__has_key_list(s, e), announced = !sage100__key_file(s, e, a);
    if (!list && s->set.agent_url) return sage100__agent_keys(s, e, q, after, a, out, f);
    if (!list) return no_keys(s, e, f);
    enum err err = next_slice(s, e, &bare, after, a, &part, f);
    /* A file says what to read and not what there is: each key is asked for. What the service announces is there. */
    if (err == ERR_OK && !announced) err = sage100__soap_fetch(s, e, &bare, part.keys, part.n, a, &answer, f);
    if (err != ERR_OK) return err;
    sage100__key_set(&gone, answer.missing, answer.nmissing, a);
    out->rows = ARENA_ARRAY(a, struct source_row, part.n + 1);
    for (size_t i = 0; i < part.n; i++)
        if (sage100__key_find(&gone, &part.keys[i]) == SIZE_MAX) out->rows[out->nrows++].key = part.keys[i];
    out->complete = part.from + part.n == part.list->n;
    out->next = out->complete ? (struct str){"", 0} : write_position(a, part.list, part.from + part.n);
    out->epoch = str_of(arena_printf(a, "keys-%s", part.list->hash));
    return ERR_OK;
}
