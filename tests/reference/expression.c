/* expression.c - random expressions of a wanted kind. Every composite stands in brackets. */
#include "tests/reference/generate.h"

unsigned gen_pick(struct gen *g, unsigned n)
{
    uint64_t z = (g->rng += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ (z >> 31)) % n);
}

const char *gen_print(struct gen *g, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    const char *s = arena_copy(&g->arena, b.p ? b.p : "", b.n);
    buf_free(&b);
    return s;
}

static bool maybe(const struct gname *n) { return n->t.optional && !n->known; }

/* A name of this kind, or -1. */
static int name_of(struct gen *g, enum gkind k, unsigned flags)
{
    for (unsigned tries = 0; g->nnames && tries < 12; tries++) {
        unsigned i = gen_pick(g, g->nnames);
        const struct gname *n = &g->names[i];
        if (n->t.kind == k && (!maybe(n) || flags & G_OPT) && (!n->rejects || flags & G_REJECT)) return (int)i;
    }
    return -1;
}

static struct gx use(const struct gname *n)
{
    struct gx x = {n->t, n->name, n->rejects};
    x.t.optional = maybe(n);
    return x;
}

static struct gx atom(struct gen *g, enum gkind k, unsigned flags)
{
    int i = gen_pick(g, 6) ? name_of(g, k, flags) : -1;
    return i >= 0 ? use(&g->names[i]) : gen_constant(g, k);
}

/* ---- branches ---- */

static const char *refusal(struct gen *g) { return gen_print(g, "reject \"r%u\"", gen_pick(g, 5)); }

static struct gx otherwise(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    struct gx a = gen_expr(g, k, (flags & G_REJECT) | G_OPT, depth - 1), out = a;
    unsigned how = gen_pick(g, 12);
    if (!a.t.optional && gen_pick(g, 8)) return a;
    out.t.optional = false;
    if (how <= 1 && flags & G_REJECT) {
        out.s = gen_print(g, "(%s ?? %s)", a.s, refusal(g));
        out.rejects = true;
    } else if (how <= 3 && flags & G_TAIL) out.s = gen_print(g, "(%s ?? keep)", a.s);
    else if (how == 4 && flags & G_OPT) {
        out.s = gen_print(g, "(%s ?? null)", a.s);
        out.t.optional = true;
    } else {
        struct gx b = gen_expr(g, k, flags, depth - 1);
        struct gtype left = a.t;
        left.optional = false;
        if (!gen_join(&left, &b.t, &out.t)) return b;
        out.s = gen_print(g, "(%s ?? %s)", a.s, b.s);
        out.rejects = a.rejects || b.rejects;
    }
    return out;
}

/* An operand that rejects when its column is blank: two of them show which is looked at first. */
static struct gx strict(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    int i = flags & G_REJECT && gen_pick(g, 3) == 0 ? name_of(g, k, G_OPT | G_REJECT) : -1;
    if (i < 0 || !maybe(&g->names[i])) return gen_expr(g, k, flags & G_REJECT, depth - 1);
    struct gx x = {g->names[i].t, gen_print(g, "(%s ?? %s)", g->names[i].name, refusal(g)), true};
    x.t.optional = false;
    return x;
}

/* An arm's value; the first arm of a match has a real one. */
static const char *arm(struct gen *g, enum gkind k, unsigned flags, int depth, struct gx *sum)
{
    unsigned how = gen_pick(g, 14);
    if (sum->s && how == 0 && flags & G_REJECT) {
        sum->rejects = true;
        return refusal(g);
    }
    if (sum->s && how == 1 && flags & G_TAIL) return "keep";
    if (sum->s && how == 2 && flags & G_OPT) {
        sum->t.optional = true;
        return "null";
    }
    struct gx v = gen_expr(g, k, flags, depth - 1);
    struct gtype t;
    if (sum->s == NULL) *sum = v;
    else {
        if (!gen_join(&sum->t, &v.t, &t)) {
            v = gen_constant(g, k);
            if (!gen_join(&sum->t, &v.t, &t)) return sum->s;        /* the first value once more */
        }
        sum->t = t;
        sum->rejects |= v.rejects;
    }
    return v.s;
}

static struct gx by_condition(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    struct gx sum = {.s = NULL};
    const char *s = "match { ";
    bool rejects = false;
    for (unsigned n = gen_pick(g, 3) + 1; n > 0; n--) {
        struct gx c = gen_expr(g, G_BOOL, flags & G_REJECT, depth - 1);
        rejects |= c.rejects;
        s = gen_print(g, "%s%s => ", s, c.s);
        s = gen_print(g, "%s%s, ", s, arm(g, k, flags, depth, &sum));
    }
    s = gen_print(g, "%selse => ", s);
    sum.s = gen_print(g, "%s%s%s }", s, arm(g, k, flags, depth, &sum), gen_pick(g, 2) ? "," : "");
    sum.rejects |= rejects;
    return sum;
}

/* A condition that shows a name to be there, and what can be said behind it. */
static struct gx by_presence(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    struct gx sum = {.s = NULL};
    int i = name_of(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (flags & G_REJECT));
    if (i < 0 || !maybe(&g->names[i])) return by_condition(g, k, flags, depth);
    struct gname *n = &g->names[i];
    unsigned how = gen_pick(g, 3);
    struct gx same = how == 2 ? gen_constant(g, n->t.kind) : (struct gx){.s = "null"};
    if (how == 2 && gen_disjoint(&same.t, &n->t)) how = 0;
    n->known = true;
    const char *there = arm(g, k, flags, depth, &sum);
    n->known = false;
    const char *gone = arm(g, k, flags, depth, &sum);
    if (how == 0) sum.s = gen_print(g, "match { %s != null => %s, else => %s }", n->name, there, gone);
    else if (how == 1) sum.s = gen_print(g, "match { null == %s => %s, else => %s }", n->name, gone, there);
    else sum.s = gen_print(g, "match { %s == %s => %s, else => %s }", n->name, same.s, there, gone);
    sum.rejects |= n->rejects;
    return sum;
}

/* The constants that can be patterns of a subject, distinct. */
static unsigned patterns(struct gen *g, const struct gx *subject, const char **out, unsigned most)
{
    unsigned n = 0;
    for (unsigned tries = 0; tries < 12 && n < most; tries++) {
        struct gx c = gen_constant(g, subject->t.kind);
        if (subject->t.nset) {
            const char *v = subject->t.set[gen_pick(g, subject->t.nset)];
            c.s = gen_quoted(g, v);
        } else if (gen_disjoint(&c.t, &subject->t)) continue;
        if (strcmp(c.s, "0.50") == 0) continue;
        unsigned k = 0;
        while (k < n && strcmp(out[k], c.s) != 0) k++;
        if (k == n) out[n++] = c.s;
    }
    return n;
}

static struct gx by_pattern(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    enum gkind sk = (enum gkind)gen_pick(g, G_KINDS);
    int i = name_of(g, sk, G_OPT | (flags & G_REJECT));
    struct gx subject = i >= 0 && gen_pick(g, 3) ? use(&g->names[i]) : gen_expr(g, sk, G_OPT | (flags & G_REJECT), depth - 1), sum = {.s = NULL};
    const char *pat[6];
    unsigned n = patterns(g, &subject, pat, 1 + gen_pick(g, 4));
    const char *s = gen_print(g, "match %s { ", subject.s);
    struct gname *known = i >= 0 && subject.s == g->names[i].name ? &g->names[i] : NULL;
    bool was = known && known->known, null_arm = subject.t.optional && gen_pick(g, 2);
    for (unsigned at = 0; at < n;) {
        s = gen_print(g, "%s%s", s, pat[at++]);
        while (at < n && gen_pick(g, 3) == 0) s = gen_print(g, "%s | %s", s, pat[at++]);
        if (known) known->known = true;
        s = gen_print(g, "%s => %s, ", s, arm(g, k, flags, depth, &sum));
        if (known) known->known = was;
    }
    if (null_arm) s = gen_print(g, "%snull => %s, ", s, arm(g, k, flags, depth, &sum));
    bool closed = sk == G_BOOL && n == 2 && (null_arm || !subject.t.optional);
    if (!closed || gen_pick(g, 4) == 0) s = gen_print(g, "%selse => %s", s, arm(g, k, flags, depth, &sum));
    sum.s = gen_print(g, "%s }", s);
    sum.rejects |= subject.rejects;
    return sum;
}

/* ---- look-ups and calls ---- */

static struct gx looked_up(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    for (unsigned tries = 0; g->ntables && tries < 6; tries++) {
        const struct gtable *t = &g->tables[gen_pick(g, g->ntables)];
        if (t->value.kind != k || (t->value.optional && !(flags & G_OPT))) continue;
        struct gx key = gen_expr(g, G_TEXT, flags & (G_OPT | G_REJECT), depth - 1), out = {t->value, gen_print(g, "%s[%s]", t->name, key.s), key.rejects};
        out.t.optional |= key.t.optional;
        return out;
    }
    return atom(g, k, flags);
}

/* An argument made to fit a parameter. */
static struct gx argument(struct gen *g, const struct gtype *p, unsigned flags, int depth)
{
    struct gx x = gen_expr(g, p->kind, (flags & G_REJECT) | (p->optional ? G_OPT : 0u), depth - 1);
    if (p->kind == G_NUM) {
        if (x.t.scale > p->scale) {
            x.s = gen_print(g, "round(%s, %u)", x.s, p->scale);
            x.t = gen_rounded(&x.t, p->scale);
        }
        struct gtype both;
        if (!gen_join(&x.t, p, &both) || both.lo < p->lo || both.hi > p->hi || both.scale > p->scale) x = (struct gx){.t = *p, .s = "7"};
    }
    if (p->kind == G_TEXT && x.t.max > p->max) x.s = gen_print(g, "truncate(%s, %u)", x.s, p->max);
    return x;
}

static struct gx of_fn(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    for (unsigned i = 0; i < g->nfns; i++) {
        const struct gfn *f = &g->fns[i];
        if (f->result.kind != k || (f->result.optional && !(flags & G_OPT)) || (f->rejects && !(flags & G_REJECT))) continue;
        struct gx out = {f->result, gen_print(g, "%s(", f->name), f->rejects};
        for (unsigned p = 0; p < f->n; p++) {
            struct gx a = argument(g, &f->params[p], flags, depth);
            out.s = gen_print(g, "%s%s%s", out.s, p ? ", " : "", a.s);
            out.rejects |= a.rejects;
        }
        out.s = gen_print(g, "%s)", out.s);
        return out;
    }
    return atom(g, k, flags);
}

/* ---- numbers ---- */

static struct gx number(struct gen *g, unsigned flags, int depth)
{
    unsigned how = gen_pick(g, 6), n = gen_pick(g, 5);
    struct gx a = how == 5 ? gen_expr(g, G_NUM, flags & (G_REJECT | G_OPT), depth - 1) : strict(g, G_NUM, flags, depth), out = a;
    if (how == 4) {
        out.s = gen_print(g, "(-%s)", a.s);
        out.t.lo = -a.t.hi;
        out.t.hi = -a.t.lo;
    } else if (how == 5) {
        out.t = gen_rounded(&a.t, n);
        out.s = gen_print(g, "round(%s, %u)", a.s, n);
    } else {
        struct gx b = strict(g, G_NUM, flags, depth);
        if (!(how == 3 ? gen_product(&a.t, &b.t, &out.t) : gen_sum(&a.t, &b.t, how == 2, &out.t))) return a;
        out.s = gen_print(g, "(%s %s %s)", a.s, how == 3 ? "*" : how == 2 ? "-" : "+", b.s);
        out.rejects = a.rejects || b.rejects;
    }
    return out;
}

/* ---- texts ---- */

static struct gx interpolation(struct gen *g, unsigned flags)
{
    struct gx out = {gen_text(0, 0), "\"", false};
    for (unsigned n = gen_pick(g, 3) + 1; n > 0; n--) {
        int i = name_of(g, (enum gkind)gen_pick(g, G_DAY + 1), flags & G_REJECT);
        if (i < 0) continue;
        struct gtype t = gen_as_text(&g->names[i].t);
        if (out.t.max + t.max > 9000) continue;
        out.s = gen_print(g, "%s%s{%s}", out.s, n % 2 ? "<" : "", g->names[i].name);
        out.t.min += t.min + n % 2;
        out.t.max += t.max + n % 2;
        out.rejects |= g->names[i].rejects;
    }
    if (out.t.max == 0) return atom(g, G_TEXT, flags);
    out.s = gen_print(g, "%s\"", out.s);
    return out;
}

static struct gx lines(struct gen *g, unsigned flags, int depth)
{
    struct gx out = {gen_text(0, 0), "lines(", false};
    unsigned n = gen_pick(g, 3) + 1, least = 65535, sure = 0;
    for (unsigned i = 0; i < n; i++) {
        bool null = i > 0 && gen_pick(g, 10) == 0;
        struct gx a = null ? (struct gx){gen_text(1, 1), "null", false} : gen_expr(g, G_TEXT, flags | (i + 1 < n ? G_OPT : 0u), depth - 1);
        a.t.optional |= null;
        out.s = gen_print(g, "%s%s%s", out.s, i ? ", " : "", a.s);
        out.t.max += a.t.max + (i > 0);
        if (a.t.min < least) least = a.t.min;
        if (!a.t.optional) out.t.min += a.t.min + (sure++ > 0);
        out.rejects |= a.rejects;
    }
    if (!sure) out.t.min = least;
    out.t.optional = sure == 0;
    out.s = gen_print(g, "%s)", out.s);
    return out.t.optional && !(flags & G_OPT) ? atom(g, G_TEXT, flags) : out;
}

static struct gx phone(struct gen *g)
{
    const char *no = gen_pick(g, 2) ? "Tel" : gen_quoted(g, gen_phones[gen_pick(g, gen_count(gen_phones))]);
    const char *where = gen_pick(g, 3) ? "Country" : gen_pick(g, 4) ? gen_quoted(g, gen_countries[gen_pick(g, gen_count(gen_countries))]) : "null";
    struct gx x = {gen_text(8, 16), gen_print(g, "phone(%s, %s)", no, where), false};
    x.t.optional = true;
    return x;
}

static struct gx text(struct gen *g, unsigned flags, int depth)
{
    static const char *const one[] = {"upper", "lower", "trim", "email"};
    unsigned how = gen_pick(g, 9);
    flags &= G_OPT | G_REJECT;
    if (how < 2) return interpolation(g, flags);
    if (how == 2) return lines(g, flags, depth);
    if (how == 3 && g->columns && flags & G_OPT) return phone(g);
    if ((how == 6 || how == 7) && !(flags & G_OPT)) how -= 2;
    struct gx a = gen_expr(g, G_TEXT, flags, depth - 1), out = a;
    out.t.nset = 0;
    if (how == 8 || how == 3) {
        unsigned n = 1 + gen_pick(g, 12);
        out.s = gen_print(g, "truncate(%s, %u)", a.s, n);
        if (a.t.max <= n) return out.t = a.t, out;
        out.t.max = n;
        if (out.t.min > n) out.t.min = n;
        return out;
    }
    if (how == 7 && g->columns && gen_pick(g, 2)) a = (struct gx){gen_text(1, 30), "Mail", false};
    out.t.max = a.t.max;
    out.s = gen_print(g, "%s(%s)", one[how - 4], a.s);
    if (how >= 6) {
        out.t.min = 1;
        out.t.optional = true;
    }
    return out;
}

/* ---- yes and no ---- */

static struct gx comparison(struct gen *g, unsigned flags, int depth)
{
    static const char *const ops[] = {"<", "<=", ">", ">=", "==", "!="};
    enum gkind k = (enum gkind)gen_pick(g, G_KINDS);
    unsigned op = k <= G_TEXT ? 4 + gen_pick(g, 2) : gen_pick(g, 6), opt = op >= 4 ? G_OPT : 0;
    struct gx a = opt ? gen_expr(g, k, (flags & G_REJECT) | opt, depth - 1) : strict(g, k, flags, depth);
    struct gx b = opt ? gen_expr(g, k, (flags & G_REJECT) | opt, depth - 1) : strict(g, k, flags, depth);
    struct gx out = {{.kind = G_BOOL}, NULL, a.rejects || b.rejects};
    if (op >= 4 && (gen_pick(g, 6) == 0 || (gen_disjoint(&a.t, &b.t) && !(a.t.optional && b.t.optional)))) b = (struct gx){.s = "null"};
    out.s = gen_print(g, "(%s %s %s)", a.s, ops[op], b.s);
    return out;
}

static struct gx logic(struct gen *g, unsigned flags, int depth)
{
    bool and = gen_pick(g, 2);
    int i = gen_pick(g, 3) ? -1 : name_of(g, (enum gkind)gen_pick(g, G_KINDS), G_OPT | (flags & G_REJECT));
    struct gx a, b;
    if (i >= 0 && maybe(&g->names[i])) {
        struct gname *n = &g->names[i];
        a = (struct gx){{.kind = G_BOOL}, gen_print(g, "%s %s null", n->name, and ? "!=" : "=="), n->rejects};
        n->known = true;
        b = gen_expr(g, G_BOOL, flags & G_REJECT, depth - 1);
        n->known = false;
    } else {
        a = gen_expr(g, G_BOOL, flags & G_REJECT, depth - 1);
        b = gen_expr(g, G_BOOL, flags & G_REJECT, depth - 1);
    }
    return (struct gx){{.kind = G_BOOL}, gen_print(g, "(%s %s %s)", a.s, and ? "and" : "or", b.s), a.rejects || b.rejects};
}

static struct gx yes_no(struct gen *g, unsigned flags, int depth)
{
    unsigned how = gen_pick(g, 8);
    if (how < 4) return comparison(g, flags, depth);
    if (how < 7) return logic(g, flags, depth);
    struct gx a = gen_expr(g, G_BOOL, flags & G_REJECT, depth - 1);
    a.s = gen_print(g, "(not %s)", a.s);
    return a;
}

struct gx gen_expr(struct gen *g, enum gkind k, unsigned flags, int depth)
{
    if (depth <= 0 || gen_pick(g, 7) == 0) return atom(g, k, flags);
    struct gx x;
    switch (gen_pick(g, 14)) {
    case 12: case 13: return gen_call(g, k, flags, depth, &x) ? x : atom(g, k, flags);
    case 0: case 1: return otherwise(g, k, flags, depth);
    case 2: return by_condition(g, k, flags, depth);
    case 3: return by_presence(g, k, flags, depth);
    case 4: return by_pattern(g, k, flags, depth);
    case 5: return looked_up(g, k, flags, depth);
    case 6: return of_fn(g, k, flags, depth);
    default:
        if (k == G_NUM) return number(g, flags, depth);
        if (k == G_TEXT) return text(g, flags, depth);
        if (k == G_BOOL) return yes_no(g, flags, depth);
        return otherwise(g, k, flags, depth);
    }
}
