/* approvals.c - the file in git that says who has looked at which finding; see diff.h.
 *
 *   6f0c2a...e1  D303 customers.Payment_Terms  # jane: Net 60 is what sales agreed, ticket 812
 *   '- names rule, flow, field and both normal forms: the approval ends when either version comes to mean something else */
#include "compiler/diff/diff.h"
#include <stdio.h>

static bool is_hex(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdef", s.p[i]) || s.p[i] == 0) return false;
    return s.n == FINGERPRINT_CHARS;
}

static struct str word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t') n++;
    struct str w = {rest->p, n};
    *rest = str_trim((struct str){rest->p + n, rest->n - n});
    return w;
}

bool approvals_read(struct approvals *out, const char *path, struct str text, struct arena *a, char *why, size_t why_len)
{
    struct approval **last = &out->first;
    uint32_t number = 0;
    *out = (struct approvals){.path = path};
    for (size_t at = 0; at < text.n;) {
        const char *end = memchr(text.p + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - text.p) - at : text.n - at;
        struct str line = str_trim((struct str){text.p + at, n});
        at += n + 1;
        number++;
        if (line.n == 0 || line.p[0] == '#') continue;
        struct str print = word(&line);
        if (!is_hex(print) || line.n == 0) {
            snprintf(why, why_len, "%s:%u: not an approval: 32 hexadecimal digits, a rule and a subject were expected", path, (unsigned)number);
            return false;
        }
        struct approval *x = ARENA_NEW(a, struct approval);
        x->fingerprint = arena_copy(a, print.p, print.n);
        x->rest = arena_copy(a, line.p, line.n);
        x->line = number;
        *last = x;
        last = &x->next;
    }
    return true;
}

/* The words behind the fingerprint are what a person has read: they must be the finding's own. */
static bool speaks_of(const struct approval *x, const struct diff_finding *f)
{
    const char *id = diff_rules[f->rule].id;
    size_t n = strlen(id), m = strlen(f->subject);
    if (strncmp(x->rest, id, n) != 0 || x->rest[n] != ' ' || strncmp(x->rest + n + 1, f->subject, m) != 0) return false;
    const char *end = x->rest + n + 1 + m;
    while (*end == ' ' || *end == '\t') end++;
    return *end == 0 || *end == '#';
}

void approvals_apply(struct approvals *ap, struct diff *d)
{
    for (struct diff_finding *f = d->first; f != NULL; f = f->next)
        for (struct approval *x = ap->first; x != NULL; x = x->next) {
            if (strcmp(x->fingerprint, f->fingerprint) != 0 || !speaks_of(x, f)) continue;
            x->used = true;
            f->approved = x;
        }
}

void approvals_line(struct buf *out, const struct diff_finding *f, const char *who, const char *why)
{
    struct buf note = {0};
    buf_printf(&note, "%s: %s", who, why);
    buf_printf(out, "%s  %s %s  # ", f->fingerprint, diff_rules[f->rule].id, f->subject);
    for (size_t i = 0; i < note.n; i++) buf_byte(out, (unsigned char)note.p[i] < ' ' ? ' ' : (unsigned char)note.p[i]);
    buf_byte(out, '\n');
    buf_free(&note);
}
