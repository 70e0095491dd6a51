/* proof.c - the verdict on every target field, after the checker let it pass:
 *
 *   PROVED    nothing that the source's declared types allow can be refused by the target's
 *   GUARDED   something could be, and the expression says what happens then: ??, reject, keep, truncate, round, else of a match or table
 *   ASSUMED   it rests on a column that only this spec declares (extend, open tables); checked row by row at run time. Or on the form of a text
 *             that the target looks at: an e-mail address that did not come out of email(...)
 *
 * A field whose rule can clear it (absent into an optional field) is PROVED: clearing is a value. The reason says so. */
#include "dsl/spec.h"
#include "base/check.h"
#include "value/builtin.h"
#include <stdio.h>

const char *verdict_name(enum verdict v)
{
    static const char *const names[] = {"PROVED", "GUARDED", "ASSUMED"};
    return names[v];
}

static const char *show(struct arena *a, const struct ty *t)
{
    if (t->kind != TY_VALUE) return "null";
    return t->t.nset > 6 ? arena_printf(a, "one of %u texts", (unsigned)t->t.nset) : types_show(a, &t->t);
}

static const char *clears(const struct field *fl)
{
    return ty_maybe_absent(&fl->value->ty) ? "; absent clears it" : "";
}

/* Every value that x gives comes out of email(...), or it gives none. */
static bool is_email(const struct tx *x)
{
    bool all = true;
    switch (x->kind) {
    case TX_NULL: case TX_REJECT: case TX_KEEP: return true;
    case TX_LET: return x->let->value && is_email(x->let->value);
    case TX_INLINE: return x->fn->body && is_email(x->fn->body);
    case TX_KNOWN: return is_email(x->args[0]);
    case TX_BINARY: return x->op == OP_ELSE && is_email(x->args[0]) && is_email(x->args[1]);
    case TX_MATCH:
        for (size_t i = 0; i < x->narms; i++) all = all && is_email(x->arms[i].value);
        return all;
    case TX_CALL: return x->index == BUILTIN_email;
    default: return false;
    }
}

static void judge(const struct flow *f, struct field *fl, struct arena *a)
{
    if (fl->mode == FIELD_IS_KEY) {
        fl->reason = f->key_value ? arena_printf(a, "%s into %s; no two keys of %.*s give the same", show(a, &f->key_value->ty),
                                                 types_show(a, &fl->column->type), (int)f->entity->name.n, f->entity->name.p)
                                  : arena_printf(a, "company and key of %.*s, escaped, always fit", (int)f->entity->name.n, f->entity->name.p);
        return;
    }
    if (fl->mode == FIELD_IS_EVENT) {
        fl->reason = "constants of on leave and on delete fit";
        return;
    }
    if (ty_is(&fl->value->ty, T_LIST)) {
        fl->verdict = VERDICT_GUARDED;
        fl->reason = arena_printf(a, "at most %u lines of distinct keys; a record with more, or with a key twice, is rejected%s", (unsigned)fl->value->ty.t.shape->max_lines, clears(fl));
        return;
    }
    const unsigned k = fl->value->facts;
    const struct column *assumed = fl->value->assumed;
    const char *from = show(a, &fl->value->ty);
    struct ty to = ty_value(fl->column->type);
    to.t.optional = false;
    if (assumed) {
        fl->verdict = VERDICT_ASSUMED;
        fl->reason = arena_printf(a, assumed->partial ? "rests on %.*s, which not every company has; a row without that column is rejected"
                                                      : "rests on %.*s as this spec declares it; a row that breaks it is rejected",
                                  (int)assumed->name.n, assumed->name.p);
    } else if (fl->column->email && !is_email(fl->value)) {
        fl->verdict = VERDICT_ASSUMED;
        fl->reason = arena_printf(a, "%s into an address: the target refuses a record with another text in it; email(...) proves it", from);
    } else if (k & FACT_FINDS) {
        fl->verdict = VERDICT_GUARDED;
        fl->reason = "a look-up: no hit clears it, two hits reject the record";
    } else if (k & FACT_REFS) {
        fl->reason = arena_printf(a, "the record that %.*s made; it waits until that is there%s", (int)fl->value->ref->name.n, fl->value->ref->name.p, clears(fl));
        fl->verdict = k & (FACT_REJECTS | FACT_DEFAULTS | FACT_CUTS) ? VERDICT_GUARDED : VERDICT_PROVED;
    } else if (k & (FACT_REJECTS | FACT_KEEPS | FACT_DEFAULTS | FACT_CUTS)) {
        fl->verdict = VERDICT_GUARDED;
        fl->reason = arena_printf(a, "%s into %s by%s%s%s%s%s", from, show(a, &to), k & FACT_REJECTS ? " reject" : "", k & FACT_KEEPS ? " keep" : "",
                                  k & FACT_DEFAULTS ? " ??" : "", k & FACT_CUTS ? " truncate or round" : "", clears(fl));
    } else {
        fl->reason = arena_printf(a, "%s into %s%s%s", from, show(a, &to), clears(fl), k & FACT_MISSES ? " (no answer gives absent, counted)" : "");
    }
}

void proof_judge(struct spec *s, struct arena *a)
{
    for (struct flow *f = s->flows; f != NULL; f = f->next)
    {
        for (size_t i = 0; i < f->nfields; i++) judge(f, f->fields[i], a);
        for (const struct each *e = f->eaches; e != NULL; e = e->next)
            for (size_t i = 0; i < e->nfields; i++) judge(f, e->fields[i], a);
    }
}

/* The fields of a list's lines, behind the list. */
static void print_lines(const struct flow *f, const struct field *list, struct buf *out, size_t *n)
{
    char name[200];
    for (const struct each *e = f->eaches; e != NULL; e = e->next)
        for (size_t i = 0; e->target == list->column && i < e->nfields; i++) {
            const struct field *fl = e->fields[i];
            snprintf(name, sizeof name, "%.*s.%.*s", (int)list->column->name.n, list->column->name.p, (int)fl->column->name.n, fl->column->name.p);
            buf_printf(out, "  %-7s  %-24s  %s\n", verdict_name(fl->verdict), name, fl->reason);
            n[fl->verdict]++;
        }
}

void proof_print(const struct spec *s, struct buf *out)
{
    size_t n[3] = {0};
    for (const struct flow *f = s->flows; f != NULL; f = f->next) {
        if (f->into) {
            buf_printf(out, "%sflow %.*s: %.*s.%.*s into %.*s\n", f == s->flows ? "" : "\n", (int)f->name.n, f->name.p, (int)f->source->name.n,
                       f->source->name.p, (int)f->entity->name.n, f->entity->name.p, (int)f->into->name.n, f->into->name.p);
        } else buf_printf(out, "%sflow %.*s: %.*s.%.*s to %.*s.%.*s\n", f == s->flows ? "" : "\n", (int)f->name.n, f->name.p, (int)f->source->name.n,
                   f->source->name.p, (int)f->entity->name.n, f->entity->name.p, (int)f->target->name.n, f->target->name.p,
                   (int)f->module->name.n, f->module->name.p);
        for (size_t i = 0; i < f->nfields; i++) {
            const struct field *fl = f->fields[i];
            buf_printf(out, "  %-7s  %-24.*s  %s\n", verdict_name(fl->verdict), (int)fl->column->name.n, fl->column->name.p, fl->reason);
            n[fl->verdict]++;
            print_lines(f, fl, out, n);
        }
    }
    buf_printf(out, "%s%zu proved, %zu guarded, %zu assumed\n", s->flows ? "\n" : "", n[0], n[1], n[2]);
}
