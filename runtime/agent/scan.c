/* scan.c - one nGetResultSets over a table for keys and stamps, sorted and kept for the later pages of its pass (facts/sage-100.md 9.5).
 *
 *   cursor -> filter DateUpdated$>="<its date>" OR DateCreated$>=... -> two strings -> (position, key) strictly behind the cursor -> list
 *
 * A list belongs to one pass, known by the pass's start in the cursor. Without it (another process, evicted, cut) the table is scanned again from
 * where the cursor stands: the cursor says everything that is needed. */
#include "agent/private.h"

enum { KEYS_LIST_MS = 300000, SCAN_TRIES = 4 };

static bool reaches(const struct agent__list *l, const struct agent__cursor *at)
{
    if (at->position < l->from || (at->position == l->from && l->from_has_key &&
                                   (!at->has_key || agent__key_compare(agent__key_view(&at->key), agent__key_view(&l->from_key)) < 0)))
        return false;
    return !l->cut || agent__list_after(l, at->position, at->has_key, agent__key_view(&at->key)) < l->n;
}

static struct agent__list *kept_list(struct agent_core *c, int table, const struct agent__cursor *at, bool keys_only)
{
    for (unsigned i = 0; i < AGENT__LISTS; i++) {
        struct agent__list *l = &c->list[i];
        if (!l->live || l->table != table || l->keys_only != keys_only) continue;
        bool same_pass = keys_only ? at->has_key && agent__mono(c) - l->used_ms < KEYS_LIST_MS : at->mid && l->as_of_ms == at->as_of_ms && l->ceiling == at->ceiling;
        if (same_pass && reaches(l, at)) return l;
    }
    return NULL;
}

/* A place for a new list: of the same question, a free one, or the one not used for longest. All lists together keep within twice scan_rows. */
static struct agent__list *place(struct agent_core *c, int table, bool keys_only)
{
    struct agent__list *best = &c->list[0];
    size_t rows = 0;
    for (unsigned i = 0; i < AGENT__LISTS; i++) {
        struct agent__list *l = &c->list[i];
        bool again = l->live && l->table == table && l->keys_only == keys_only && keys_only;
        if (again) agent__list_free(l);
        if (!l->live) best = l;
        else if (best->live && l->used_ms < best->used_ms) best = l;
        rows += l->n;
    }
    agent__list_free(best);
    if (rows > (size_t)c->config->scan_rows)
        for (unsigned i = 0; i < AGENT__LISTS; i++) agent__list_free(&c->list[i]);
    return best;
}

static void filter_of(struct buf *b, const struct agent__layout *l, const struct agent__cursor *at)
{
    char date[16], time[16];
    agent__position_text(at->position, date, time);
    if (!l->stamped || !date[0]) return;
    buf_printf(b, "DateUpdated$>=\"%s\"", date);
    if (l->stamp[AGENT__DATE_CREATED] >= 0) buf_printf(b, " OR DateCreated$>=\"%s\"", date);
}

/* One call, repeated a few times while Sage says that something is locked. False: *out holds the error. */
static bool ask(struct agent_core *c, const struct agent__layout *l, const char *filter, bool keys_only, struct agent_answer *out)
{
    struct agent_sets q = {keys_only ? l->key_expr : l->stamps_expr, l->key_expr, filter, "", ""};
    for (int attempt = 1;; attempt++) {
        buf_clear(&c->d);
        buf_clear(&c->k);
        enum agent_reply r = c->sage->sets(c->sage->ctx, l->obj, &q, &c->d, &c->k);
        if (r == AGENT_YES) return true;
        if (r == AGENT_BROKEN) {
            agent_fail(out, AGENT_E_SESSION_FAILED, STR("Sage's process failed during a scan; the session is rebuilt"), 2);
            out->broken = true;
            return false;
        }
        struct str m = agent__message(c, l->obj);
        if (m.n == 0) return true;      /* 0 and nothing to say: no row (whether Sage says 0 or 1 then is not known) */
        if (agent__looks_locked(m) && attempt < SCAN_TRIES) {
            c->host->sleep_ms(c->host->ctx, 100 << attempt);
            continue;
        }
        if (agent__looks_locked(m)) agent_fail(out, AGENT_E_BUSY, m, 10);
        else if (agent__looks_barred(m)) agent_fail(out, AGENT_E_NO_TASK_ACCESS, m, 0);
        else {
            agent_fail(out, AGENT_E_SESSION_FAILED, m, 5);
            out->broken = true;
        }
        return false;
    }
}

static bool key_of(const struct agent__layout *l, struct str item, struct agent__key *key, struct buf *text)
{
    struct str part[AGENT_KEY_PARTS + 1];
    agent__key_clear(key);
    if (agent__fields(item, part, AGENT_KEY_PARTS + 1) != l->nkeys) return false;
    for (unsigned i = 0; i < l->nkeys; i++) {
        buf_clear(text);
        agent__utf8_of(text, agent__rtrim(part[i]));
        if (!agent__key_add(key, buf_view(text), i == 0)) return false;
    }
    return true;
}

static int64_t position_of(struct str item)
{
    struct str s[4];
    if (agent__fields(item, s, 4) != 4) return 0;
    int64_t updated = agent__position(s[0], s[1]), created = agent__position(s[2], s[3]);
    return updated > created ? updated : created;
}

/* False: the two strings do not belong together. */
static bool fill(struct agent_core *c, const struct agent__layout *l, const struct agent__cursor *at, struct agent__list *list, struct agent_answer *out)
{
    struct agent__items keys = agent__items_of(buf_view(&c->k)), stamps = agent__items_of(buf_view(&c->d));
    struct agent__key key;
    struct str ki, si;
    struct buf text = {0};
    bool more;
    uint64_t rows = 0, unreadable = 0;
    while ((more = agent__items_next(&keys, &ki)) && agent__items_next(&stamps, &si)) {
        rows++;
        if (!key_of(l, ki, &key, &text)) {
            unreadable++;
            continue;
        }
        int64_t position = l->stamped && !list->keys_only ? position_of(si) : 0;
        if (position < at->position || (position == at->position && at->has_key && agent__key_compare(agent__key_view(&key), agent__key_view(&at->key)) <= 0)) continue;
        agent__list_add(list, position, agent__key_view(&key));
    }
    buf_free(&text);
    out->scan_rows = rows;
    out->unreadable = unreadable;
    return !keys.bad && !stamps.bad && !more && !agent__items_next(&stamps, &si);
}

/* A table in 1 MiB strings is no reason to keep their memory. */
static void give_back(struct buf *b)
{
    if (b->cap > 1u << 20) buf_free(b);
    else buf_clear(b);
}

struct agent__list *agent__scan(struct agent_core *c, int table, const struct agent__cursor *at, bool keys_only, struct agent_answer *out)
{
    const struct agent__served *s = agent__serve(c, table, out);
    if (!s) return NULL;
    struct agent__list *l = kept_list(c, table, at, keys_only);
    if (l) {
        l->used_ms = agent__mono(c);
        return l;
    }
    int64_t began = agent__mono(c);
    struct buf filter = {0};
    if (!keys_only) filter_of(&filter, &s->rows, at);
    bool good = false, asked = true;
    for (int attempt = 0; attempt < 2 && !good && asked; attempt++) {
        l = place(c, table, keys_only);
        *l = (struct agent__list){.live = true, .keys_only = keys_only, .table = table, .as_of_ms = at->as_of_ms, .ceiling = at->ceiling, .used_ms = began,
                                  .from = at->position, .from_has_key = at->has_key, .from_key = at->key, .max = (size_t)c->config->scan_rows};
        arena_init(&l->arena, 0);
        asked = ask(c, &s->rows, buf_cstr(&filter), keys_only, out);
        good = asked && fill(c, &s->rows, at, l, out);
        if (!good) agent__list_free(l);
    }
    buf_free(&filter);
    give_back(&c->d);
    give_back(&c->k);
    if (!good) {
        if (asked) {
            agent_fail(out, AGENT_E_SESSION_FAILED, STR("Sage gave two lists of rows that do not belong together"), 5);
            out->broken = true;
        }
        return NULL;
    }
    agent__list_sort(l);
    out->scanned = table;
    out->scan_ms = (uint64_t)(agent__mono(c) - began);
    return l;
}
