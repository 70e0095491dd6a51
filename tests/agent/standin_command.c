/* standin_command.c - commands of the stand-in: rows, locks, faults, refusals. One a line, words parted by one blank. */
#include "tests/agent/standin.h"
#include <stdio.h>
#include <stdlib.h>

static struct str word(struct str *rest)
{
    *rest = str_trim(*rest);
    const char *stop = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
    struct str w = {rest->p, stop ? (size_t)(stop - rest->p) : rest->n};
    *rest = stop ? (struct str){stop + 1, rest->n - w.n - 1} : (struct str){"", 0};
    return w;
}

static void into(char *out, size_t n, struct str s)
{
    snprintf(out, n, "%.*s", (int)s.n, s.p);
}

static long number(struct str s, long standard)
{
    int64_t v;
    return str_to_i64(s, &v) && v <= 100000000 ? (long)v : standard;
}

/* KEY of a command to the stored form; the caller frees it. */
static struct str key_of(struct str text)
{
    char *p = malloc(text.n + 1);
    for (size_t i = 0; i < text.n; i++) p[i] = text.p[i] == '~' ? '\0' : text.p[i] == '_' ? ' ' : text.p[i];
    return (struct str){p, text.n};
}

static bool on_row(struct standin *s, struct str what, struct str rest)
{
    char name[64];
    into(name, sizeof name, word(&rest));
    struct standin_table *t = standin__table(s, name);
    if (!t) return false;
    struct str key = key_of(word(&rest));
    size_t at;
    struct standin_row *r = standin__row(t, key, &at);
    bool good = r != NULL;
    if (str_is(what, "insert")) good = !r && standin__insert(t, key);
    else if (r && str_is(what, "lock")) r->locked = true, r->lock_fails = str_is(word(&rest), "fails");
    else if (r && str_is(what, "unlock")) r->locked = false;
    else if (r && str_is(what, "delete")) standin__delete(t, at);
    else if (r) {
        int c = standin__column(t, word(&rest));
        good = c >= 0;
        char *copy = malloc(rest.n + 1);
        memcpy(copy, rest.n ? rest.p : "", rest.n);
        if (good) {
            free((char *)r->cell[c].p);
            r->cell[c] = (struct str){copy, rest.n};
        } else free(copy);
    }
    free((char *)key.p);
    return good;
}

static bool fault(struct standin *s, struct str rest)
{
    static const char *const kinds[] = {"delay", "hang", "crash", "no", "exception", "mismatch", "cut", "garbage"};
    struct standin_fault *f = &s->fault[s->nfaults];
    if (s->nfaults == 64) return false;
    memset(f, 0, sizeof *f);
    into(f->op, sizeof f->op, word(&rest));
    struct str kind = word(&rest);
    f->arg = number(word(&rest), 0);
    f->skip = number(word(&rest), 0);
    f->times = number(word(&rest), 1);
    into(f->text, sizeof f->text, rest);
    for (unsigned i = 0; i < 8; i++)
        if (str_is(kind, kinds[i])) {
            f->kind = (enum standin_kind)i;
            f->id = ++s->nids;
            s->nfaults++;
            return true;
        }
    return false;
}

bool standin_command(struct standin *s, struct str line)
{
    struct str rest = line, what = word(&rest), name;
    bool good = true;
    if (what.n == 0) return true;
    if (str_is(what, "fault")) good = fault(s, rest);
    else if (str_is(what, "no_faults")) s->nfaults = 0;
    else if (str_is(what, "padded")) s->padded = true;
    else if (str_is(what, "refuse") && s->nrefused < 32) {
        name = word(&rest);
        into(s->refused[s->nrefused].object, sizeof s->refused[0].object, name);
        into(s->refused[s->nrefused++].text, sizeof s->refused[0].text, rest);
    } else if (str_is(what, "allow")) {
        for (unsigned i = 0; i < s->nrefused; i++)
            if (str_ieq(str_of(s->refused[i].object), rest)) s->refused[i].object[0] = '\0';
    } else if (str_is(what, "close") && s->nclosed < 8) {
        name = word(&rest);
        into(s->closed[s->nclosed].code, sizeof s->closed[0].code, name);
        into(s->closed[s->nclosed++].text, sizeof s->closed[0].text, rest);
    } else if (str_is(what, "reopen")) {
        for (unsigned i = 0; i < s->nclosed; i++)
            if (str_is(rest, s->closed[i].code)) s->closed[i].code[0] = '\0';
    } else {
        good = (str_is(what, "lock") || str_is(what, "unlock") || str_is(what, "set") || str_is(what, "delete") || str_is(what, "insert")) && on_row(s, what, rest);
    }
    if (!good) snprintf(s->error, sizeof s->error, "bad command: %.*s", (int)(line.n > 120 ? 120 : line.n), line.p);
    return good;
}
