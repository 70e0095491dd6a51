/* diff_random_test.c - mlc diff on random specs. Written differently (names of lets, order of fields, operands of + * and or == swapped, lets put in
 * place, layout, comments) a spec never has a finding. With one constant changed, a field without a finding never differs on random rows, and the
 * row of a finding does. MLC_SEED and MLC_RUNS choose where to begin and how many. */
#include "compiler/diff/diff.h"
#include "compiler/rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum kind { NUM, TXT, BOO };
enum form { CONSTANT, COLUMN, LET, PLUS, TIMES, MINUS, NEGATE, ROUND, ELSE_VALUE, ELSE_REJECT, ELSE_KEEP, WHEN, MATCH_TEXT, UPPER, LINES, LOOKUP, AND_, OR_, NOT_,
            EQUAL, LESS, AT_MOST };
struct e { enum form form; enum kind kind; bool optional; int n; struct e *a, *b, *c, *d; };

static uint64_t rng;
static struct arena mem;
enum { NCOLUMNS = 7, NLETS = 3, NFIELDS = 4, ROWS = 300 };
static const struct { const char *name; enum kind kind; bool optional; } columns[NCOLUMNS] = {
    {"A", NUM, false}, {"B", NUM, true}, {"C", NUM, false}, {"T", TXT, true}, {"S", TXT, true}, {"Y", BOO, false}, {"Z", BOO, true}};
static const char *const field_names[NFIELDS] = {"N", "T", "B", "M"};
static const char *const numbers[] = {"0", "1", "2.5", "0.25", "100", "-3"}, *const texts[] = {"a", "b", "x", "yy"};

static unsigned pick(unsigned n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng >> 33) % n;
}

/* ---- generating ---- */

struct program { struct e *lets[NLETS], *fields[NFIELDS], *when; unsigned nlets; struct e *constants[400]; size_t nconstants; };

static struct e *make(enum form form, enum kind kind, bool optional, struct e *a, struct e *b)
{
    struct e *x = ARENA_NEW(&mem, struct e);
    *x = (struct e){.form = form, .kind = kind, .optional = optional, .a = a, .b = b};
    return x;
}

static struct e *atom(struct program *s, enum kind kind, bool optional)
{
    for (unsigned tries = pick(4); tries < 6; tries++) {
        unsigned i = pick(NCOLUMNS + s->nlets);
        const struct e *let = i < NCOLUMNS ? NULL : s->lets[i - NCOLUMNS];
        bool o = let ? let->optional : columns[i].optional;
        if ((let ? let->kind : columns[i].kind) != kind || (o && !optional)) continue;
        struct e *x = make(let ? LET : COLUMN, kind, o, NULL, NULL);
        x->n = (int)(let ? i - NCOLUMNS : i);
        return x;
    }
    struct e *x = make(CONSTANT, kind, false, NULL, NULL);
    x->n = (int)pick(kind == NUM ? 6 : kind == TXT ? 4 : 2);
    if (s->nconstants < 400) s->constants[s->nconstants++] = x;
    return x;
}

static struct e *any(struct program *s, enum kind kind, bool optional, int depth, bool tail);

static struct e *branch(struct program *s, enum kind kind, bool optional, int depth, bool tail)
{
    unsigned how = pick(4);
    if (how < 2) {
        struct e *a = any(s, kind, true, depth - 1, false);
        if (!a->optional) return a;
        unsigned end = tail ? pick(6) : 2;
        if (end < 2) {
            struct e *x = make(end ? ELSE_REJECT : ELSE_KEEP, kind, false, a, NULL);
            x->n = (int)pick(3);
            return x;
        }
        struct e *b = any(s, kind, optional, depth - 1, tail);
        return make(ELSE_VALUE, kind, b->optional, a, b);
    }
    struct e *x = make(how == 2 ? WHEN : MATCH_TEXT, kind, false, NULL, any(s, kind, optional, depth - 1, tail));
    x->a = how == 2 ? any(s, BOO, false, depth - 1, false) : make(COLUMN, TXT, true, NULL, NULL);
    if (how == 3) x->a->n = 3 + (int)pick(2);
    x->c = any(s, kind, optional, depth - 1, tail);
    x->d = any(s, kind, optional, depth - 1, tail);
    x->optional = x->b->optional || x->c->optional || x->d->optional;
    return x;
}

static struct e *compute(struct program *s, enum kind kind, bool optional, int depth)
{
    struct e *a, *b;
    unsigned how = pick(6);
    if (kind == NUM) {
        static const enum form forms[] = {PLUS, PLUS, TIMES, MINUS, NEGATE, ROUND};
        a = any(s, NUM, false, depth - 1, false);
        if (forms[how] >= NEGATE) {
            struct e *x = make(forms[how], NUM, false, a, NULL);
            x->n = (int)pick(3);
            return x;
        }
        b = forms[how] == TIMES ? atom(s, NUM, false) : any(s, NUM, false, depth - 1, false);
        if (forms[how] == TIMES) a = atom(s, NUM, false);
        return make(forms[how], NUM, false, a, b);
    }
    if (kind == TXT) {
        a = any(s, TXT, how == 0 ? true : how < 3 && optional, depth - 1, false);
        if (how == 0 && optional) return make(LOOKUP, TXT, true, a, NULL);
        if (how < 3 || a->optional) return make(UPPER, TXT, a->optional, a, NULL);
        b = any(s, TXT, true, depth - 1, false);
        return make(LINES, TXT, false, a, b);
    }
    if (how < 3) return how == 2 ? make(NOT_, BOO, false, any(s, BOO, false, depth - 1, false), NULL)
                                 : make(how ? AND_ : OR_, BOO, false, any(s, BOO, false, depth - 1, false), any(s, BOO, false, depth - 1, false));
    if (how < 5) return make(how == 3 ? LESS : AT_MOST, BOO, false, any(s, NUM, false, depth - 1, false), any(s, NUM, false, depth - 1, false));
    enum kind k = (enum kind)pick(3);
    return make(EQUAL, BOO, false, atom(s, k, true), atom(s, k, true));
}

static struct e *any(struct program *s, enum kind kind, bool optional, int depth, bool tail)
{
    if (depth <= 0 || pick(6) == 0) return atom(s, kind, optional);
    return pick(2) ? branch(s, kind, optional, depth, tail) : compute(s, kind, optional, depth);
}

static void generate(struct program *s)
{
    *s = (struct program){.nlets = 0};
    for (; s->nlets < NLETS; s->nlets++) s->lets[s->nlets] = any(s, (enum kind)pick(3), true, 3, false);
    for (unsigned i = 0; i < NFIELDS; i++) s->fields[i] = any(s, i == 3 ? TXT : (enum kind)i, true, 4, true);
    if (pick(2)) s->when = any(s, BOO, false, 2, false);
}

/* ---- writing, plainly or not ---- */

struct style { bool swap, in_place, noise; const char *const *names; unsigned first_field; };

static void blank(struct buf *b, const struct style *st)
{
    static const char *const blanks[] = {" ", "\n    ", "  ", " # a remark\n", "\t"};
    buf_puts(b, st->noise ? blanks[pick(5)] : " ");
}

static void print(struct buf *b, const struct program *s, const struct e *x, const struct style *st);

static void put(struct buf *b, const char *fmt, const struct program *s, const struct e *x, const struct style *st)
{
    bool commutes = x->form == PLUS || x->form == TIMES || x->form == AND_ || x->form == OR_ || x->form == EQUAL;
    bool swap = st->swap && commutes && pick(2);
    for (const char *p = fmt; *p; p++) {
        if (*p == ' ') blank(b, st);
        else if (*p != '%') buf_byte(b, (unsigned char)*p);
        else if (*++p == 'n') buf_printf(b, "%d", x->n);
        else print(b, s, *p == 'a' ? (swap ? x->b : x->a) : *p == 'b' ? (swap ? x->a : x->b) : *p == 'c' ? x->c : x->d, st);
    }
}

static void print(struct buf *b, const struct program *s, const struct e *x, const struct style *st)
{
    static const char *const forms[] = {
        [PLUS] = "(%a + %b)", [TIMES] = "(%a * %b)", [MINUS] = "(%a - %b)", [NEGATE] = "(-%a)", [ROUND] = "round(%a, %n)", [ELSE_VALUE] = "(%a ?? %b)",
        [ELSE_REJECT] = "(%a ?? reject \"r%n\")", [ELSE_KEEP] = "(%a ?? keep)", [WHEN] = "match { %a => %b, Y => %c, else => %d }",
        [MATCH_TEXT] = "match %a { \"a\" | \"x\" => %b, \"b\" => %c, else => %d }", [UPPER] = "upper(%a)", [LINES] = "lines(%a, %b)", [LOOKUP] = "t[%a]",
        [AND_] = "(%a and %b)", [OR_] = "(%a or %b)", [NOT_] = "(not %a)", [EQUAL] = "(%a == %b)", [LESS] = "(%a < %b)", [AT_MOST] = "(%a <= %b)"};
    if (x->form == CONSTANT && x->kind == TXT) buf_printf(b, "\"%s\"", texts[x->n]);
    else if (x->form == CONSTANT) buf_puts(b, x->kind == NUM ? numbers[x->n] : x->n ? "true" : "false");
    else if (x->form == COLUMN) buf_puts(b, columns[x->n].name);
    else if (x->form == LET && !st->in_place) buf_puts(b, st->names[x->n]);
    else if (x->form == LET) {
        buf_byte(b, '(');
        print(b, s, s->lets[x->n], st);
        buf_byte(b, ')');
    } else put(b, forms[x->form], s, x, st);
}

static void write_spec(struct buf *b, const struct program *s, const struct style *st)
{
    buf_puts(b, "mlc 1\nspec \"random\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
                "entity feed.Rows { key No: text(1..20)  A: decimal(5,2) = 0  B: decimal(5,2)?  C: decimal(4,0) = 1  T: text(6)?  S: text(6)?  Y: bool = false  Z: bool? }\n"
                "entity out.Records { Key: text(60) @unique  N: decimal(38,8)  T: text(60000)  B: bool  M: text(60000) }\n"
                "table t { \"a\" => \"one\", \"b\" => null, \"x\" => \"ex\", else => \"rest\" }\n"
                "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n");
    for (unsigned i = 0; i < s->nlets; i++) {
        buf_printf(b, "  let %s =", st->names[i]);
        blank(b, st);
        print(b, s, s->lets[i], st);
        buf_byte(b, '\n');
    }
    if (s->when) {
        buf_puts(b, "  when ");
        print(b, s, s->when, st);
        buf_byte(b, '\n');
    }
    for (unsigned i = 0; i < NFIELDS; i++) {
        unsigned k = (i + st->first_field) % NFIELDS;
        buf_printf(b, "  %s =", field_names[k]);
        blank(b, st);
        print(b, s, s->fields[k], st);
        buf_byte(b, '\n');
    }
    buf_puts(b, "}\n");
}

/* ---- comparing ---- */

struct version { struct buf text; struct compile c; struct image *im; bool opened; };

static bool open_version(struct version *v, const struct world *w, const char *path, const struct program *s, const struct style *st)
{
    struct fault f;
    memset(v, 0, sizeof *v);
    write_spec(&v->text, s, st);
    FILE *out = fopen(path, "w");      /* not world_write_file: that syncs */
    if (!out || fwrite(v->text.p, 1, v->text.n, out) != v->text.n || fclose(out) != 0) return false;
    v->opened = true;
    if (compile_open(&v->c, w, path, &f) != ERR_OK) return false;
    v->im = v->c.diags.nerrors ? NULL : compile_image(&v->c);
    return v->im != NULL;
}

static void close_version(struct version *v)
{
    if (v->opened) compile_close(&v->c);
    buf_free(&v->text);
}

static void random_row(struct value *row)
{
    static const char *const rows[] = {"0", "1.25", "-3.00", "100", "2.50", "0.25", "99.99"}, *const words[] = {"a", "b", "x", "Long", "yy"};
    for (int i = 0; i < NCOLUMNS; i++) {
        row[i] = value_absent;
        if (pick(4) == 0) continue;
        if (columns[i].kind == NUM) decimal_parse(str_of(rows[pick(7)]), &row[i]);
        else row[i] = columns[i].kind == TXT ? value_text(str_of(words[pick(5)])) : value_bool(pick(2));
        if (i == 2) row[i] = value_decimal(pick(4), 0);
    }
}

/* What one version makes of a row, as text. */
static const char *made(struct vm *vm, const struct image_flow *f, const struct value *row)
{
    struct value cols[16];
    struct buf b = {0};
    for (size_t i = 0; i < f->ncolumns; i++) {
        cols[i] = value_text(STR("1"));
        for (int k = 0; k < NCOLUMNS; k++)
            if (str_is(f->columns[i].name, columns[k].name)) cols[i] = row[k];
    }
    struct vm_out vo;
    if (!vm_when(vm, f, cols)) buf_puts(&b, "skip");
    else {
        vm_map(vm, f, cols, &vo);
        if (vo.rejected) buf_puts(&b, "rejected");                  /* which of several reasons comes first depends on the order of fields */
        for (unsigned k = 0; k < NFIELDS && !vo.rejected; k++)
            for (size_t i = 0; i < f->nfields; i++) {
                if (!str_is(f->fields[i].name, field_names[k])) continue;
                buf_printf(&b, "%s=", field_names[k]);
                if (vo.ops[i] == VM_KEEP) buf_puts(&b, "keep");
                else value_json(&b, vo.values[i]);
                buf_byte(&b, ' ');
            }
    }
    const char *s = arena_copy(&mem, b.p, b.n);
    buf_free(&b);
    return s;
}

static const char *rows_agree(const struct image *x, const struct image *y)
{
    struct vm *vx = vm_new(x), *vy = vm_new(y);
    const char *why = NULL;
    for (int i = 0; i < ROWS && !why; i++) {
        struct value row[NCOLUMNS];
        random_row(row);
        const char *p = made(vx, &x->flows[0], row), *q = made(vy, &y->flows[0], row);
        if (strcmp(p, q) != 0) why = arena_printf(&mem, "no finding, but a row gives %s and %s", p, q);
    }
    vm_free(vx);
    vm_free(vy);
    return why;
}

/* The row of a finding, read anew, must part the two. */
static const char *witness_holds(const struct diff_finding *f, const struct image *x, const struct image *y)
{
    const struct image *im[2] = {x, y};
    struct buf out[2] = {{0}, {0}};
    for (int k = 0; k < 2; k++) {
        struct value cols[16];
        const char *violation;
        char why[160];
        struct vm *vm = vm_new(im[k]);
        if (rows_read(&im[k]->flows[0], str_of(f->witness->row), &mem, cols, &violation, why, sizeof why) && !violation) rows_eval(vm, im[k], &im[k]->flows[0], cols, &out[k]);
        vm_free(vm);
    }
    bool fine = out[0].n && out[1].n && !str_eq(buf_view(&out[0]), buf_view(&out[1]));
    buf_free(&out[0]);
    buf_free(&out[1]);
    return fine ? NULL : arena_printf(&mem, "the witness %s of %s shows nothing", f->witness->row, f->subject);
}

static struct diff_side side(const struct version *v) { return (struct diff_side){v->im, &v->c, "x.mlc"}; }

struct tally { unsigned rewritten, mutated, different, undecided, same; };

static const char *rewrite(const struct world *w, const char *path, const struct program *s, const struct version *base, struct tally *t)
{
    static const char *const names[] = {"qa", "qb", "qc"};
    struct style st = {pick(2), pick(2), pick(2), names, pick(NFIELDS)};
    struct version v;
    struct diff d;
    const char *why = NULL;
    if (!open_version(&v, w, path, s, &st)) {
        if (!st.in_place) why = "rewritten, it does not compile";     /* in place, a let can be known never to hold, or be nested too deep */
    } else {
        diff_specs(&d, &mem, side(base), side(&v), NULL);
        if (d.n) why = arena_printf(&mem, "rewritten, it has a finding: %s %s: %s", diff_rules[d.first->rule].id, d.first->subject, d.first->message);
        t->rewritten++;
    }
    if (why) why = arena_printf(&mem, "%s\n%.*s", why, (int)v.text.n, v.text.p);
    close_version(&v);
    return why;
}

static const char *mutate(const struct world *w, const char *path, struct program *s, const struct style *plain, const struct version *base, struct tally *t)
{
    struct version v;
    struct diff d;
    const char *why = NULL;
    if (s->nconstants == 0) return NULL;
    struct e *c = s->constants[pick((unsigned)s->nconstants)];
    int was = c->n;
    c->n = (c->n + 1 + (int)pick(c->kind == NUM ? 5 : c->kind == TXT ? 3 : 1)) % (c->kind == NUM ? 6 : c->kind == TXT ? 4 : 2);
    if (open_version(&v, w, path, s, plain)) {
        diff_specs(&d, &mem, side(base), side(&v), NULL);
        for (const struct diff_finding *f = d.first; f != NULL && !why; f = f->next) {
            t->different += f->verdict == DIFF_DIFFERENT;
            t->undecided += f->verdict == DIFF_UNDECIDED;
            if (f->witness && f->rule != RULE_REJECT_MESSAGE) why = witness_holds(f, base->im, v.im);
            if (f->verdict == DIFF_DIFFERENT && !f->witness) why = "different without a witness";
        }
        t->same += d.n == 0;
        t->mutated++;
        if (!why && d.n == 0) why = rows_agree(base->im, v.im);
        if (why) why = arena_printf(&mem, "%s\n%.*s", why, (int)v.text.n, v.text.p);
    }
    close_version(&v);
    c->n = was;
    return why;
}

static bool one(const struct world *w, const char *path, uint64_t seed, struct tally *t)
{
    static const char *const names[] = {"la", "lb", "lc"};
    const struct style plain = {false, false, false, names, 0};
    struct program s;
    struct version base;
    const char *why = NULL;
    rng = seed * 2654435761u + 1;
    generate(&s);
    if (open_version(&base, w, path, &s, &plain)) {
        for (int i = 0; i < 2 && !why; i++) why = rewrite(w, path, &s, &base, t);
        for (int i = 0; i < 3 && !why; i++) why = mutate(w, path, &s, &plain, &base, t);
    }
    if (why) printf("not ok diff of random specs, seed %llu: %s--- of\n%.*s", (unsigned long long)seed, why, (int)base.text.n, base.text.p);
    close_version(&base);
    arena_reset(&mem);
    return why == NULL;
}

/* Seeds that had a finding once although nothing had changed: lines in lines, and conditions inside of their parts. */
static const uint64_t once_wrong[] = {2016, 3178, 3768};

int main(void)
{
    struct world w;
    const char *seed = getenv("MLC_SEED"), *runs = getenv("MLC_RUNS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1, n = runs ? strtoull(runs, NULL, 10) : 300;
    char path[] = "/tmp/mlc-diff-XXXXXX";
    struct tally t = {0};
    unsigned wrong = 0;
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    world_real(&w);
    arena_init(&mem, 0);
    for (uint64_t i = first; i < first + n && wrong < 3; i++) wrong += !one(&w, path, i, &t);
    for (size_t i = 0; i < sizeof once_wrong / sizeof *once_wrong && wrong < 3; i++) wrong += !one(&w, path, once_wrong[i], &t);
    unlink(path);
    arena_free(&mem);
    bool enough = t.rewritten * 2 > n && t.mutated * 2 > n;
    printf("%s rewritten specs have no finding: %u\n", wrong || !enough ? "not ok" : "ok", t.rewritten);
    printf("%s changed constants are never called equal when rows differ: %u changed, %u findings with a witness, %u undecided, %u specs without a finding\n",
           wrong || !enough ? "not ok" : "ok", t.mutated, t.different, t.undecided, t.same);
    return wrong || !enough;
}
