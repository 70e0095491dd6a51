/* random_spec_test.c - random specs, compiled, against a small interpreter that reads the same expression as a tree: folding, sharing, jumps and
 * rejects must not change what a row maps to. MLC_SEED and MLC_RUNS choose where to begin and how many. */
#include "compiler/compile.h"
#include "compiler/rows.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum kind { NUM, TXT, BOO };
enum form { CONSTANT, COLUMN, LET, ELSE_VALUE, ELSE_REJECT, ELSE_KEEP, WHEN, MATCH_TEXT, PLUS, MINUS, NEGATE, ROUND, UPPER, LOWER, LINES, LOOKUP, AND_, OR_, NOT_,
            EQUAL, UNEQUAL, LESS };
struct e { enum form form; enum kind kind; bool optional; int n; const char *text; struct value v; struct e *a, *b, *c, *d; };
struct let_ { const char *name; struct e *e; };

static uint64_t rng;
static struct arena mem;
static struct let_ lets[4];
static unsigned nlets;

static unsigned pick(unsigned n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng >> 33) % n;
}

/* ---- the columns of a row ---- */
static const struct { const char *name; enum kind kind; bool optional; } columns[] = {
    {"A", NUM, false}, {"B", NUM, true}, {"T", TXT, true}, {"S", TXT, true}, {"Y", BOO, false}, {"Z", BOO, true}};
enum { NCOLUMNS = 6 };
static const char spec_head[] =
    "mlc 1\nspec \"random\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
    "entity feed.Rows { key No: text(1..20)  A: decimal(5,2) = 0  B: decimal(5,2)?  T: text(6)?  S: text(6)?  Y: bool = false  Z: bool? }\n"
    "entity out.Records { Key: text(60) @unique  N: decimal(38,8)  T: text(60000)  B: bool  M: text(60000) }\n"
    "table t { \"a\" => \"one\", \"b\" => null, \"x\" => \"ex\", else => \"rest\" }\n"
    "flow f from feed.Rows to out.Records {\n  every 1h\n  key Key\n";

/* ---- generating ---- */
static struct e *make(enum form form, enum kind kind, bool optional)
{
    struct e *x = ARENA_NEW(&mem, struct e);
    x->form = form;
    x->kind = kind;
    x->optional = optional;
    return x;
}

static struct e *atom(enum kind kind, bool optional)
{
    static const char *const numbers[] = {"0", "1", "2.5", "0.25", "100", "7.75"}, *const texts[] = {"a", "b", "x", "yy"};
    for (unsigned tries = pick(4); tries < 6; tries++) {
        unsigned i = pick(NCOLUMNS + nlets);
        enum kind k = i < NCOLUMNS ? columns[i].kind : lets[i - NCOLUMNS].e->kind;
        bool o = i < NCOLUMNS ? columns[i].optional : lets[i - NCOLUMNS].e->optional;
        if (k != kind || (o && !optional)) continue;
        struct e *x = make(i < NCOLUMNS ? COLUMN : LET, kind, o);
        x->n = (int)(i < NCOLUMNS ? i : i - NCOLUMNS);
        return x;
    }
    struct e *x = make(CONSTANT, kind, false);
    x->text = kind == NUM ? numbers[pick(6)] : kind == TXT ? texts[pick(4)] : pick(2) ? "true" : "false";
    if (kind == NUM) decimal_parse(str_of(x->text), &x->v);
    else x->v = kind == TXT ? value_text(str_of(x->text)) : value_bool(x->text[0] == 't');
    return x;
}

static struct e *any(enum kind kind, bool optional, int depth, bool tail);

static struct e *branching(enum kind kind, bool optional, int depth, bool tail)
{
    unsigned how = pick(4);
    if (how < 2) {
        struct e *a = any(kind, true, depth - 1, false);
        if (!a->optional) return a;
        bool reject = pick(6) == 0, keep = !reject && tail && pick(5) == 0;
        struct e *x = make(reject ? ELSE_REJECT : keep ? ELSE_KEEP : ELSE_VALUE, kind, false);
        x->a = a;
        x->n = (int)pick(3);
        if (reject || keep) return x;
        x->b = any(kind, optional, depth - 1, tail);
        x->optional = x->b->optional;
        return x;
    }
    struct e *x = make(how == 2 ? WHEN : MATCH_TEXT, kind, false);
    x->a = how == 2 ? any(BOO, false, depth - 1, false) : make(COLUMN, TXT, true);
    if (how == 3) x->a->n = 2 + (int)pick(2);
    x->n = (int)pick(2);
    x->b = any(kind, optional, depth - 1, tail);
    x->c = any(kind, optional, depth - 1, tail);
    x->d = any(kind, optional, depth - 1, tail);
    x->optional = x->b->optional || x->c->optional || x->d->optional;
    return x;
}

static struct e *two(enum form form, enum kind kind, struct e *a, struct e *b)
{
    struct e *x = make(form, kind, false);
    x->a = a;
    x->b = b;
    return x;
}

static struct e *computing(enum kind kind, bool optional, int depth)
{
    if (kind == NUM) {
        unsigned how = pick(4);
        if (how < 2) return two(how ? PLUS : MINUS, NUM, any(NUM, false, depth - 1, false), any(NUM, false, 1, false));
        struct e *x = two(how == 2 ? NEGATE : ROUND, NUM, any(NUM, how == 3 && optional, depth - 1, false), NULL);
        x->n = (int)pick(3);
        x->optional = x->a->optional;
        return x;
    }
    if (kind == TXT) {
        unsigned how = pick(4);
        if (how == 2 || (how == 3 && !optional)) {
            struct e *x = two(LINES, TXT, any(TXT, true, depth - 1, false), any(TXT, optional, depth - 1, false));
            x->optional = x->a->optional && x->b->optional;
            return x;
        }
        struct e *x = two(how == 3 ? LOOKUP : how ? UPPER : LOWER, TXT, any(TXT, optional, depth - 1, false), NULL);
        x->optional = how == 3 || x->a->optional;
        return x;
    }
    unsigned how = pick(6);
    if (how < 2) return two(how ? AND_ : OR_, BOO, any(BOO, false, depth - 1, false), any(BOO, false, depth - 1, false));
    if (how == 2) return two(NOT_, BOO, any(BOO, false, depth - 1, false), NULL);
    if (how == 3) return two(LESS, BOO, any(NUM, false, depth - 1, false), any(NUM, false, depth - 1, false));
    enum kind k = (enum kind)pick(3);
    return two(how == 4 ? EQUAL : UNEQUAL, BOO, atom(k, true), atom(k, true));
}

static struct e *any(enum kind kind, bool optional, int depth, bool tail)
{
    if (depth <= 0 || pick(6) == 0) return atom(kind, optional);
    return pick(2) ? branching(kind, optional, depth, tail) : computing(kind, optional, depth);
}

/* ---- printing ---- */
static void print(struct buf *b, const struct e *x);

static void put(struct buf *b, const char *fmt, const struct e *x)
{
    for (const char *p = fmt; *p; p++) {
        if (*p != '%') buf_byte(b, (unsigned char)*p);
        else if (*++p == 'n') buf_printf(b, "%d", x->n);
        else print(b, *p == 'a' ? x->a : *p == 'b' ? x->b : *p == 'c' ? x->c : x->d);
    }
}

static void print(struct buf *b, const struct e *x)
{
    static const char *const forms[] = {
        [ELSE_VALUE] = "(%a ?? %b)", [ELSE_REJECT] = "(%a ?? reject \"r%n\")", [ELSE_KEEP] = "(%a ?? keep)", [WHEN] = "match { %a => %b, Y => %c, else => %d }",
        [PLUS] = "(%a + %b)", [MINUS] = "(%a - %b)", [NEGATE] = "(-%a)", [ROUND] = "round(%a, %n)", [UPPER] = "upper(%a)", [LOWER] = "lower(%a)",
        [LINES] = "lines(%a, %b)", [LOOKUP] = "t[%a]", [AND_] = "(%a and %b)", [OR_] = "(%a or %b)", [NOT_] = "(not %a)", [EQUAL] = "(%a == %b)",
        [UNEQUAL] = "(%a != %b)", [LESS] = "(%a < %b)"};
    if (x->form == CONSTANT) buf_printf(b, x->kind == TXT ? "\"%s\"" : "%s", x->text);
    else if (x->form == COLUMN) buf_puts(b, columns[x->n].name);
    else if (x->form == LET) buf_puts(b, lets[x->n].name);
    else if (x->form == MATCH_TEXT)
        put(b, x->n ? "match %a { \"a\" | \"x\" => %b, \"b\" | null => %c, else => %d }" : "match %a { \"a\" | \"x\" => %b, \"b\" => %c, else => %d }", x);
    else put(b, forms[x->form], x);
}

/* ---- the other way to compute it ---- */
struct outcome { bool kept; int reject; };      /* reject -1: none */

static struct value run(const struct e *x, const struct value *row, struct outcome *o);

static struct value letters(struct value v, bool upper)
{
    if (!value_present(&v)) return v;
    char *p = arena_copy(&mem, v.u.text, v.len);
    for (uint32_t i = 0; i < v.len; i++)
        if (upper ? p[i] >= 'a' && p[i] <= 'z' : p[i] >= 'A' && p[i] <= 'Z') p[i] ^= 32;
    v.u.text = p;
    return v;
}

static struct value joined(struct value a, struct value b)
{
    if (!value_present(&a)) return b;
    if (!value_present(&b)) return a;
    return value_text(str_of(arena_printf(&mem, "%.*s\n%.*s", (int)a.len, a.u.text, (int)b.len, b.u.text)));
}

static struct value looked_up(struct value k)
{
    if (!value_present(&k)) return k;
    struct str s = value_str(&k);
    return str_is(s, "b") ? value_absent : value_text(str_is(s, "a") ? STR("one") : str_is(s, "x") ? STR("ex") : STR("rest"));
}

static struct value chosen(const struct e *x, struct value a, const struct value *row, struct outcome *o)
{
    const struct e *arm = x->d;
    if (x->form == WHEN) {
        if (a.u.b) arm = x->b;
        else if (row[4].u.b) arm = x->c;
    } else if (value_present(&a)) {
        if (str_is(value_str(&a), "a") || str_is(value_str(&a), "x")) arm = x->b;
        else if (str_is(value_str(&a), "b")) arm = x->c;
    } else if (x->n) arm = x->c;
    return run(arm, row, o);
}

static struct value either(const struct e *x, struct value a, const struct value *row, struct outcome *o)
{
    if (value_present(&a)) return a;
    if (x->form == ELSE_VALUE) return run(x->b, row, o);
    if (x->form == ELSE_REJECT) o->reject = x->n;
    else o->kept = true;
    return value_absent;
}

static struct value run(const struct e *x, const struct value *row, struct outcome *o)
{
    struct value a, b = value_absent, v = value_absent, zero = value_decimal(0, 0);
    if (x->form == CONSTANT) return x->v;
    if (x->form == COLUMN) return row[x->n];
    if (x->form == LET) return run(lets[x->n].e, row, o);
    a = run(x->a, row, o);
    if (o->reject >= 0) return value_absent;
    if (x->form <= ELSE_KEEP) return either(x, a, row, o);
    if (x->form <= MATCH_TEXT) return chosen(x, a, row, o);
    if (x->form == AND_ && !a.u.b) return a;
    if (x->form == OR_ && a.u.b) return a;
    if (x->b) b = run(x->b, row, o);
    if (o->reject >= 0) return value_absent;
    switch (x->form) {
    case PLUS: decimal_add(&a, &b, &v); return v;
    case MINUS: decimal_sub(&a, &b, &v); return v;
    case NEGATE: decimal_sub(&zero, &a, &v); return v;
    case ROUND:
        if (value_present(&a)) decimal_round(&a, (unsigned)x->n, &v);
        return v;
    case UPPER: case LOWER: return letters(a, x->form == UPPER);
    case LINES: return joined(a, b);
    case LOOKUP: return looked_up(a);
    case NOT_: return value_bool(!a.u.b);
    case EQUAL: return value_bool(value_equal(&a, &b));
    case UNEQUAL: return value_bool(!value_equal(&a, &b));
    case LESS: return value_bool(value_compare(&a, &b) < 0);
    default: return b;      /* and, or: the left did not decide */
    }
}

/* ---- one spec ---- */
static void random_row(struct value *row)
{
    static const char *const numbers[] = {"0", "1.25", "-3.00", "100", "999.99", "2.50"}, *const texts[] = {"a", "b", "x", "Long"};
    for (int i = 0; i < NCOLUMNS; i++) {
        row[i] = value_absent;
        if (columns[i].optional && pick(3) == 0) continue;
        if (columns[i].kind == NUM) decimal_parse(str_of(numbers[pick(6)]), &row[i]);
        else row[i] = columns[i].kind == TXT ? value_text(str_of(texts[pick(4)])) : value_bool(pick(2));
    }
}

/* NULL, or what differs. The rows go in as the image's columns, found by name. */
static const char *compare(const struct image *im, struct vm *vm, struct e *const *fields)
{
    const struct image_flow *f = &im->flows[0];
    struct value row[NCOLUMNS], cols[16];
    struct vm_out out;
    int reject = -1;
    random_row(row);
    for (size_t i = 0; i < f->ncolumns; i++) {
        cols[i] = value_text(STR("1"));
        for (int k = 0; k < NCOLUMNS; k++)
            if (str_is(f->columns[i].name, columns[k].name)) cols[i] = row[k];
        if (cols[i].kind == V_DECIMAL) decimal_rescale(&cols[i], f->columns[i].type.scale, &cols[i]);
    }
    vm_map(vm, f, cols, &out);
    for (size_t i = 0; i < 4 && reject < 0; i++) {
        struct outcome o = {false, -1};
        struct value v = run(fields[i], row, &o);
        size_t k = 0;
        while (!str_is(f->fields[k].name, ((const char *const[]){"N", "T", "B", "M"})[i])) k++;
        reject = o.reject;
        if (reject >= 0 || out.rejected) continue;
        if (o.kept != (out.ops[k] == VM_KEEP)) return "keep differs";
        if (!o.kept && !value_equal(&v, out.values[k])) return "a value differs";
    }
    if ((reject >= 0) != out.rejected) return "reject differs";
    return reject >= 0 && !str_is(out.message, arena_printf(&mem, "r%d", reject)) ? "the message differs" : NULL;
}

static void generate(struct buf *spec, struct e **fields)
{
    static const char *const names[] = {"la", "lb", "lc", "ld"}, *const targets[] = {"N", "T", "B", "M"};
    nlets = 0;
    buf_puts(spec, spec_head);
    for (unsigned n = pick(4) + 1; nlets < n;) {
        struct e *x = any((enum kind)pick(3), true, 3, false);
        buf_printf(spec, "  let %s = ", names[nlets]);
        print(spec, x);
        buf_byte(spec, '\n');
        lets[nlets] = (struct let_){names[nlets], x};
        nlets++;
    }
    for (int i = 0; i < 4; i++) {
        fields[i] = any(i == 3 ? TXT : (enum kind)i, true, 4, true);
        buf_printf(spec, "  %s = ", targets[i]);
        print(spec, fields[i]);
        buf_byte(spec, '\n');
    }
    buf_puts(spec, "}\n");
}

/* 1 compared, 0 refused by the checker (a comparison that never holds, a bare null), -1 wrong. */
static int one(const struct world *w, const char *path, uint64_t seed)
{
    struct buf spec = {0};
    struct e *fields[4];
    struct compile c;
    struct fault f = {0};
    const char *why = NULL;
    rng = seed * 2654435761u + 1;
    generate(&spec, fields);
    FILE *out = fopen(path, "w");      /* not world_write_file: that syncs */
    if (!out || fwrite(spec.p, 1, spec.n, out) != spec.n || fclose(out) != 0 || compile_open(&c, w, path, &f) != ERR_OK) return -1;
    struct image *im = c.diags.nerrors ? NULL : compile_image(&c);
    if (im) {
        struct vm *vm = vm_new(im);
        for (int i = 0; i < 10 && !why; i++) why = compare(im, vm, fields);
        vm_free(vm);
    }
    if (why) printf("not ok seed %llu: %s\n%.*s", (unsigned long long)seed, why, (int)spec.n, spec.p);
    compile_close(&c);
    buf_free(&spec);
    arena_reset(&mem);
    return why ? -1 : im ? 1 : 0;
}

int main(void)
{
    struct world w;
    const char *seed = getenv("MLC_SEED"), *runs = getenv("MLC_RUNS");
    uint64_t first = seed ? strtoull(seed, NULL, 10) : 1, n = runs ? strtoull(runs, NULL, 10) : 400;
    char path[] = "/tmp/mlc-random-XXXXXX";
    unsigned compared = 0, wrong = 0;
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    world_real(&w);
    arena_init(&mem, 0);
    for (uint64_t i = first; i < first + n && wrong < 3; i++) {
        int r = one(&w, path, i);
        compared += r > 0;
        wrong += r < 0;
    }
    unlink(path);
    arena_free(&mem);
    bool enough = compared * 2 > n;
    printf("%s random specs compute what they say: %u of %llu compared\n", wrong || !enough ? "not ok" : "ok", compared, (unsigned long long)n);
    return wrong || !enough;
}
