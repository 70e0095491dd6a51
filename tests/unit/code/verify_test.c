/* verify_test.c - each rule of the verifier by its name: what is broken here must be refused for that reason. */
#include "tests/unit/code/sample.h"
#include "tests/unit/value/ok.h"

/* ---- one operand of the sample's mapping at a time ---- */

struct operand_case { const char *name; enum opcode op; int word; uint16_t value; const char *rule; };

static uint16_t *find_op(const struct image_program *p, enum opcode o)
{
    for (size_t i = 0; i < p->ninstr; i++)
        if (p->code[4 * i] == o) return (uint16_t *)p->code + 4 * i;
    return NULL;
}

static void operands(struct arena *a)
{
    static const struct operand_case cases[] = {
        {"unknown opcode", OP_COLUMN, 0, 999, "opcode"}, {"register out of range", OP_COLUMN, 1, 60000, "register"},
        {"column out of range", OP_COLUMN, 2, C_COUNT, "column"}, {"unused operand", OP_COLUMN, 3, 1, "unused-operand"},
        {"constant out of range", OP_CONST, 2, 60000, "constant"}, {"table out of range", OP_TABLE, 3, 2, "table"},
        {"field out of range", OP_SET, 1, F_COUNT, "field"}, {"the key field is not the mapping's", OP_SET, 1, F_KEY, "field-mode"},
        {"nor is an event's field", OP_SET, 1, F_LEFT, "field-mode"}, {"keep of the key field", OP_KEEP, 1, F_KEY, "field-mode"},
        {"message out of range", OP_REJECT, 1, 3, "message"}, {"link site out of range", OP_LINK, 2, 2, "link-site"},
        {"list out of range", OP_LINK, 3, 60000, "list"}, {"builtin out of range", OP_CALL, 2, BUILTIN_COUNT, "builtin"},
        {"jump to itself", OP_UNLESS, 3, 0, "jump-back"}, {"jump behind the end", OP_JUMP, 3, 16000, "jump-range"},
        {"read of a register never written", OP_MOVE, 2, 0, "read-before-write"}, {"another field is set instead", OP_SET, 1, F_NOTE, "field-unset"},
        {"RESULT in a mapping", OP_NOT, 0, OP_RESULT, "unused-operand"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image *im = sample_image(a);
        struct image_fault why;
        uint16_t *w = find_op(&im->flows->map, cases[i].op);
        w[cases[i].word] = cases[i].value;
        enum err e = image_verify(im, a, &why);
        ok(e == ERR_CORRUPT && !strcmp(why.rule, cases[i].rule), cases[i].name, "%s at %u: %s", why.rule, why.instr, why.text);
    }
}

/* ---- small programs ---- */

enum { K, O, N, M, D, I, B, BIG, LONG, MINI_COLUMNS };     /* key, T?, decimal, decimal?, date, instant, bool, 38 digits, long text */
enum { X_KEY, X, X_FIELDS };

static void mini_flow(struct image_flow *f, struct arena *a)
{
    static const uint16_t keys[] = {K};
    static const struct image_link links[] = {{LINK_FIND, {"crm", 3}, {"users", 5}, {"email", 5}, NULL, 0, 0}, {LINK_REF, {"crm", 3}, {"Accounts", 8}, {"", 0}, NULL, 0, 0},
                                              {LINK_FIND, {"crm", 3}, {"Deals", 5}, {"No", 2}, NULL, 0, 0}};
    const struct image_column c[MINI_COLUMNS] = {
        {STR("K"), type_text(1, 5), true, false}, {STR("O"), t_maybe(type_text(1, 5)), false, false}, {STR("N"), type_decimal(9, 2), false, false},
        {STR("M"), t_maybe(type_decimal(9, 2)), false, false}, {STR("D"), t_plain(T_DATE), false, false}, {STR("I"), t_plain(T_INSTANT), false, false},
        {STR("B"), t_plain(T_BOOL), false, false}, {STR("BIG"), type_decimal(38, 0), false, false}, {STR("LONG"), type_text(1, 60000), false, false}};
    const struct image_field fields[X_FIELDS] = {{.name = STR("Key"), .type = type_text(1, 60), .mode = FIELD_KEY},
                                                 {.name = STR("X"), .type = t_maybe(type_text(1, 10)), .mode = FIELD_SET}};
    struct image_column *cols = ARENA_ARRAY(a, struct image_column, MINI_COLUMNS);
    struct image_field *fs = ARENA_ARRAY(a, struct image_field, X_FIELDS);
    memcpy(cols, c, sizeof c);
    memcpy(fs, fields, sizeof fields);
    *f = (struct image_flow){.name = STR("mini"), .source = STR("erp"), .target = STR("crm"), .entity = STR("E"), .module = STR("Accounts"), .every_ms = 1,
                             .key_columns = keys, .nkeys = 1, .key_field = X_KEY, .columns = cols, .ncolumns = MINI_COLUMNS, .fields = fs, .nfields = X_FIELDS,
                             .links = links, .nlinks = 3};
}

static const struct image_table *mini_tables;                    /* of the program at hand, where it has tables of its own */

#define COL(c) asm_column(s, f, c)
#define REG(t) asm_reg(s, t)

static void set_x(struct asm_ *s, uint16_t r) { op(s, OP_SET, X, r, 0); op(s, OP_END, 0, 0, 0); }

typedef void program(struct asm_ *s, struct image_flow *f);
static void good(struct asm_ *s, struct image_flow *f) { set_x(s, COL(K)); }
static void no_end(struct asm_ *s, struct image_flow *f) { op(s, OP_SET, X, COL(K), 0); }
static void empty(struct asm_ *s, struct image_flow *f) { (void)s; (void)f; }
static void field_unset(struct asm_ *s, struct image_flow *f) { (void)f; op(s, OP_END, 0, 0, 0); }
static void unset_on_one_way(struct asm_ *s, struct image_flow *f)
{
    uint16_t j = op(s, OP_UNLESS, COL(B), 0, 0);
    op(s, OP_SET, X, COL(K), 0);
    asm_here(s, j);
    op(s, OP_END, 0, 0, 0);
}
static void written_on_one_way(struct asm_ *s, struct image_flow *f)
{
    uint16_t r = REG(type_text(1, 5)), j = op(s, OP_UNLESS, COL(B), 0, 0);
    op(s, OP_COLUMN, r, K, 0);
    asm_here(s, j);
    set_x(s, r);
}
/* What PRESENT writes is not there where it jumps to. */
static void present_jumped(struct asm_ *s, struct image_flow *f)
{
    uint16_t j, r = asm_present(s, COL(O), &j);
    asm_here(s, j);
    set_x(s, r);
}
static void result_in_map(struct asm_ *s, struct image_flow *f) { op(s, OP_RESULT, COL(B), 0, 0); }
static void absent_into_required(struct asm_ *s, struct image_flow *f) { (void)f; op(s, OP_ABSENT, REG(type_text(1, 5)), 0, 0); field_unset(s, f); }
static void optional_into_required(struct asm_ *s, struct image_flow *f) { op(s, OP_COLUMN, REG(type_text(1, 5)), O, 0); field_unset(s, f); }
static void too_long(struct asm_ *s, struct image_flow *f) { op(s, OP_MOVE, REG(type_text(1, 4)), COL(K), 0); field_unset(s, f); }
static void long_into_field(struct asm_ *s, struct image_flow *f) { set_x(s, COL(LONG)); }
static void number_into_field(struct asm_ *s, struct image_flow *f) { set_x(s, COL(N)); }
static void condition_no_bool(struct asm_ *s, struct image_flow *f) { asm_here(s, op(s, OP_UNLESS, COL(N), 0, 0)); field_unset(s, f); }
static void add_absent(struct asm_ *s, struct image_flow *f) { uint16_t m = COL(M); op(s, OP_ADD, REG(type_decimal(12, 2)), m, m); field_unset(s, f); }
static void add_text(struct asm_ *s, struct image_flow *f) { uint16_t k = COL(K); op(s, OP_ADD, REG(type_decimal(12, 2)), k, k); field_unset(s, f); }
static void add_overflow(struct asm_ *s, struct image_flow *f) { uint16_t b = COL(BIG); op(s, OP_ADD, REG(type_decimal(38, 0)), b, b); field_unset(s, f); }
static void widen_overflow(struct asm_ *s, struct image_flow *f) { op(s, OP_SUB, REG(type_decimal(38, 2)), COL(BIG), COL(N)); field_unset(s, f); }
static void mul_scale(struct asm_ *s, struct image_flow *f)
{
    uint16_t n = COL(N), two = REG(type_decimal(18, 4)), four = REG(type_decimal(36, 8));
    op(s, OP_MUL, two, n, n);
    op(s, OP_MUL, four, two, two);
    op(s, OP_MUL, REG(type_decimal(38, 12)), four, four);
    field_unset(s, f);
}
static void sum_too_wide(struct asm_ *s, struct image_flow *f) { uint16_t n = COL(N); op(s, OP_ADD, REG(type_decimal(9, 2)), n, n); field_unset(s, f); }
static void compare_mixed(struct asm_ *s, struct image_flow *f) { op(s, OP_EQ, REG(t_plain(T_BOOL)), COL(N), COL(K)); field_unset(s, f); }
static void order_text(struct asm_ *s, struct image_flow *f) { uint16_t k = COL(K); op(s, OP_LT, REG(t_plain(T_BOOL)), k, k); field_unset(s, f); }
static void order_absent(struct asm_ *s, struct image_flow *f) { op(s, OP_LT, REG(t_plain(T_BOOL)), COL(N), COL(M)); field_unset(s, f); }
static void order_mixed(struct asm_ *s, struct image_flow *f) { op(s, OP_GE, REG(t_plain(T_BOOL)), COL(D), COL(I)); field_unset(s, f); }
static void const_out(struct asm_ *s, struct image_flow *f) { asm_load(s, v_text("abcdef"), type_text(1, 5)); field_unset(s, f); }
static void const_scale(struct asm_ *s, struct image_flow *f) { asm_load(s, value_decimal(100, 2), type_decimal(5, 1)); field_unset(s, f); }
static void const_kind(struct asm_ *s, struct image_flow *f) { struct value v = v_text("1"); v.kind = V_ID; asm_load(s, v, t_plain(T_LINK)); field_unset(s, f); }
static void const_date(struct asm_ *s, struct image_flow *f) { asm_load(s, (struct value){.kind = V_DATE, .u.i = 1 << 30}, t_plain(T_DATE)); field_unset(s, f); }
static void table_may_miss(struct asm_ *s, struct image_flow *f) { op(s, OP_TABLE, REG(type_text(1, 40)), COL(K), 0); field_unset(s, f); }
static void table_values(struct asm_ *s, struct image_flow *f) { op(s, OP_TABLE, REG(t_maybe(type_text(1, 8))), COL(K), 0); field_unset(s, f); }
static void table_key(struct asm_ *s, struct image_flow *f) { op(s, OP_TABLE, REG(t_maybe(type_text(1, 40))), COL(N), 0); field_unset(s, f); }
static void call_type(struct asm_ *s, struct image_flow *f) { op(s, OP_CALL, REG(type_text(1, 5)), BUILTIN_upper, LIST(s, COL(N))); field_unset(s, f); }
static void call_absent(struct asm_ *s, struct image_flow *f) { op(s, OP_CALL, REG(type_text(1, 5)), BUILTIN_upper, LIST(s, COL(O))); field_unset(s, f); }
static void call_count(struct asm_ *s, struct image_flow *f) { op(s, OP_CALL, REG(t_maybe(type_text(1, 16))), BUILTIN_phone, LIST(s, COL(K))); field_unset(s, f); }
static void call_no_constant(struct asm_ *s, struct image_flow *f) { uint16_t n = COL(N); op(s, OP_CALL, REG(type_decimal(9, 2)), BUILTIN_round, LIST(s, n, n)); field_unset(s, f); }
static void call_scale(struct asm_ *s, struct image_flow *f) { op(s, OP_CALL, REG(type_decimal(9, 2)), BUILTIN_round, LIST(s, COL(N), asm_int(s, 13))); field_unset(s, f); }
static void call_result(struct asm_ *s, struct image_flow *f) { op(s, OP_CALL, REG(type_text(1, 16)), BUILTIN_phone, LIST(s, COL(K), COL(K))); field_unset(s, f); }
static void concat_long(struct asm_ *s, struct image_flow *f) { uint16_t l = COL(LONG); op(s, OP_CONCAT, REG(type_text(1, 65535)), 0, LIST(s, l, l)); field_unset(s, f); }
static void concat_absent(struct asm_ *s, struct image_flow *f) { op(s, OP_CONCAT, REG(type_text(1, 65535)), 0, LIST(s, COL(O))); field_unset(s, f); }
static void concat_register(struct asm_ *s, struct image_flow *f) { uint16_t k = COL(K); op(s, OP_CONCAT, REG(type_text(1, 9)), 0, LIST(s, k, k)); field_unset(s, f); }
static void text_absent(struct asm_ *s, struct image_flow *f) { op(s, OP_TEXT, REG(type_text(1, 50)), COL(M), 0); field_unset(s, f); }
static void text_short(struct asm_ *s, struct image_flow *f) { op(s, OP_TEXT, REG(type_text(1, 10)), COL(N), 0); field_unset(s, f); }
static void link_arity(struct asm_ *s, struct image_flow *f) { uint16_t k = COL(K); op(s, OP_LINK, REG(t_plain(T_LINK)), 1, LIST(s, k, k)); field_unset(s, f); }
static void link_type(struct asm_ *s, struct image_flow *f) { op(s, OP_LINK, REG(t_plain(T_LINK)), 1, LIST(s, COL(N))); field_unset(s, f); }
static void link_absent(struct asm_ *s, struct image_flow *f) { op(s, OP_LINK, REG(t_plain(T_LINK)), 0, LIST(s, COL(O))); field_unset(s, f); }
static void link_two_modules(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK)), k = COL(K);
    op(s, OP_LINK, l, 0, LIST(s, k));
    op(s, OP_LINK, l, 2, LIST(s, k));
    field_unset(s, f);
}
/* A second register takes what another leads to, and that of another module too. */
static void link_moved_twice(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK)), l2 = REG(t_plain(T_LINK)), l3 = REG(t_plain(T_LINK)), k = COL(K);
    op(s, OP_LINK, l, 0, LIST(s, k));
    op(s, OP_LINK, l2, 2, LIST(s, k));
    op(s, OP_MOVE, l3, l, 0);
    op(s, OP_MOVE, l3, l2, 0);
    field_unset(s, f);
}
static void link_of_link(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK));
    op(s, OP_LINK, l, 0, LIST(s, COL(K)));
    op(s, OP_LINK, REG(t_plain(T_LINK)), 2, LIST(s, l));
    field_unset(s, f);
}
static void compare_links(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK));
    op(s, OP_LINK, l, 0, LIST(s, COL(K)));
    op(s, OP_EQ, REG(t_plain(T_BOOL)), l, l);
    field_unset(s, f);
}
static void text_of_link(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK));
    op(s, OP_LINK, l, 0, LIST(s, COL(K)));
    op(s, OP_TEXT, REG(type_text(1, 50)), l, 0);
    field_unset(s, f);
}
static void table_scale(struct asm_ *s, struct image_flow *f)
{
    static const struct value keys[] = {{.kind = V_TEXT, .len = 1, .u.text = "a"}}, values[] = {{.kind = V_DECIMAL, .scale = 2, .u.coef = 100}};
    struct image_table *t = (struct image_table *)(uintptr_t)(mini_tables = ARENA_ARRAY(s->a, struct image_table, 2));
    t[0] = t[1] = (struct image_table){keys, values, 1, false, {.kind = V_ABSENT}};
    op(s, OP_TABLE, REG(t_maybe(type_decimal(5, 1))), COL(K), 0);
    field_unset(s, f);
}
static void order_moments(struct asm_ *s, struct image_flow *f) { uint16_t i = COL(I), d = COL(D); op(s, OP_LT, REG(t_plain(T_BOOL)), i, i); op(s, OP_GE, REG(t_plain(T_BOOL)), d, d); set_x(s, COL(K)); }
static void negated(struct asm_ *s, struct image_flow *f) { op(s, OP_NEG, REG(type_decimal(38, 0)), COL(BIG), 0); set_x(s, COL(K)); }
static void negated_text(struct asm_ *s, struct image_flow *f) { op(s, OP_NEG, REG(type_decimal(38, 0)), COL(K), 0); field_unset(s, f); }
static void product_of_76(struct asm_ *s, struct image_flow *f) { uint16_t b = COL(BIG); op(s, OP_MUL, REG(type_decimal(38, 0)), b, b); field_unset(s, f); }
static void widened(struct asm_ *s, struct image_flow *f) { op(s, OP_ADD, REG(type_decimal(38, 2)), COL(N), COL(BIG)); field_unset(s, f); }
static void not_a_number(struct asm_ *s, struct image_flow *f) { op(s, OP_NOT, REG(t_plain(T_BOOL)), COL(N), 0); field_unset(s, f); }
static void link_wrong_field(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = REG(t_plain(T_LINK)), l2 = REG(t_plain(T_LINK));
    ((struct image_field *)f->fields)[X].type = t_plain(T_LINK);
    ((struct image_field *)f->fields)[X].link_module = STR("Deals");
    op(s, OP_LINK, l, 0, LIST(s, COL(K)));
    op(s, OP_MOVE, l2, l, 0);
    set_x(s, l2);
}
static void list_long(struct asm_ *s, struct image_flow *f) { uint16_t k = COL(K), l = LIST(s, k); s->args[l] = 40; op(s, OP_CONCAT, REG(type_text(1, 9)), 0, l); field_unset(s, f); }
static void list_empty(struct asm_ *s, struct image_flow *f) { (void)f; s->args[s->nargs++] = 0; op(s, OP_CONCAT, REG(type_text(1, 9)), 0, s->nargs - 1u); field_unset(s, f); }
/* 70 texts of 60,000 characters are more than 16 MiB can hold. */
static void scratch_limit(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = COL(LONG), r = REG(type_text(1, 60000));
    for (int i = 0; i < 70; i++) op(s, OP_CALL, r, BUILTIN_upper, LIST(s, l));
    op(s, OP_KEEP, X, 0, 0);
    op(s, OP_END, 0, 0, 0);
}
static void cost_limit(struct asm_ *s, struct image_flow *f)
{
    uint16_t l = COL(LONG), b = REG(t_plain(T_BOOL));
    for (int i = 0; i < 300; i++) op(s, OP_EQ, b, l, l);
    op(s, OP_KEEP, X, 0, 0);
    op(s, OP_END, 0, 0, 0);
}
/* Nothing leads behind the first END, but the rules hold there too. */
static void dead_code(struct asm_ *s, struct image_flow *f) { set_x(s, COL(K)); op(s, OP_ADD, REG(type_decimal(9, 2)), 0, 0); op(s, OP_END, 0, 0, 0); }
static void dead_code_good(struct asm_ *s, struct image_flow *f) { set_x(s, COL(K)); op(s, OP_SET, X, 0, 0); op(s, OP_END, 0, 0, 0); }
static void reg_decimal(struct asm_ *s, struct image_flow *f) { REG(((struct type){.base = T_DECIMAL, .lo = 2, .hi = 1})); good(s, f); }
static void reg_scale(struct asm_ *s, struct image_flow *f) { REG(((struct type){.base = T_DECIMAL, .scale = 13})); good(s, f); }
static void reg_digits(struct asm_ *s, struct image_flow *f) { REG(((struct type){.base = T_DECIMAL, .hi = decimal_pow10(38)})); good(s, f); }
static void reg_base(struct asm_ *s, struct image_flow *f) { REG(((struct type){.base = T_BASE_COUNT})); good(s, f); }
static void reg_empty_text(struct asm_ *s, struct image_flow *f) { REG(type_text(0, 5)); good(s, f); }
static void reg_set_order(struct asm_ *s, struct image_flow *f)
{
    static const struct str set[] = {{"b", 1}, {"a", 1}};
    REG(((struct type){.base = T_TEXT, .min_len = 1, .max_len = 1, .nset = 2, .set = set}));
    good(s, f);
}
static void reg_set_length(struct asm_ *s, struct image_flow *f)
{
    static const struct str set[] = {{"a", 1}, {"bcd", 3}};
    REG(((struct type){.base = T_TEXT, .min_len = 1, .max_len = 2, .nset = 2, .set = set}));
    good(s, f);
}
static void reg_bool(struct asm_ *s, struct image_flow *f) { REG(((struct type){.base = T_BOOL, .yes = STR("Y"), .no = STR("Y")})); good(s, f); }

static struct image *mini_image(struct arena *a, program *make)
{
    static const struct image_endpoint source = {{"erp", 3}, {"file", 4}, NULL, 0}, target = {{"crm", 3}, {"file", 4}, NULL, 0};
    struct asm_ *s = ARENA_NEW(a, struct asm_);
    struct image *im = ARENA_NEW(a, struct image);
    struct image_flow *f = ARENA_NEW(a, struct image_flow);
    *s = asm_new(a);
    mini_flow(f, a);
    mini_tables = sample_tables();
    make(s, f);
    f->map = asm_end(s);
    f->registers = s->regs;
    f->nregisters = s->nregs;
    *im = (struct image){.spec = STR("mini"), .edition = STR("1"), .sources = &source, .nsources = 1, .targets = &target, .ntargets = 1, .flows = f, .nflows = 1, .order = sample_order,
                         .consts = s->consts, .nconsts = s->nconsts, .tables = mini_tables, .ntables = 2, .args = s->args, .nargs = s->nargs};
    return im;
}

static void programs(struct arena *a)
{
    static const struct { program *make; const char *name, *rule; } cases[] = {
        {good, "a small program", ""}, {order_moments, "order of moments and of days", ""}, {negated, "a negated number", ""}, {negated_text, "a negated text", "operand-type"},
        {product_of_76, "product of 76 digits", "overflow"}, {widened, "second operand of 40 digits", "overflow"}, {not_a_number, "a number that is not true", "operand-type"},
        {table_scale, "table value of a larger scale", "const-scale"}, {link_moved_twice, "two modules in one register", "link-module"}, {link_of_link, "a link as a key", "link-args"},
        {compare_links, "a link against a link", "compare-type"}, {text_of_link, "text of a link", "operand-type"}, {no_end, "no end", "program-end"}, {empty, "no program", "program-end"}, {field_unset, "field never set", "field-unset"},
        {unset_on_one_way, "field unset on one way", "field-unset"}, {written_on_one_way, "register written on one way", "read-before-write"},
        {present_jumped, "PRESENT jumped", "read-before-write"}, {result_in_map, "RESULT in the mapping", "program-kind"},
        {absent_into_required, "absent into a required register", "write-type"}, {optional_into_required, "optional into required", "write-type"},
        {too_long, "too long a text", "write-type"}, {long_into_field, "too long for the field", "field-type"}, {number_into_field, "number into a text field", "field-type"},
        {condition_no_bool, "condition that is no boolean", "operand-type"}, {add_absent, "sum with a maybe-absent number", "operand-absent"},
        {add_text, "sum of texts", "operand-type"}, {add_overflow, "sum of 39 digits", "overflow"}, {widen_overflow, "operand of 40 digits", "overflow"},
        {mul_scale, "product of 16 decimals", "overflow"}, {sum_too_wide, "sum wider than its register", "write-type"}, {compare_mixed, "number against text", "compare-type"},
        {order_text, "order of texts", "compare-type"}, {order_absent, "order with a maybe-absent number", "operand-absent"}, {order_mixed, "date against instant", "operand-type"},
        {const_out, "constant outside of its register", "const-type"}, {const_scale, "constant of a larger scale", "const-scale"}, {const_kind, "constant that is an id", "const-kind"},
        {const_date, "constant beyond the calendar", "const-date"}, {table_may_miss, "lookup that may miss", "table-absent"}, {table_values, "table value too long", "table-type"},
        {table_key, "number as a table's key", "operand-type"}, {call_type, "builtin on a number", "builtin-type"}, {call_absent, "builtin on a maybe-absent text", "builtin-type"},
        {call_count, "builtin with too few arguments", "builtin-type"}, {call_no_constant, "round by a variable", "builtin-type"}, {call_scale, "round to 13", "builtin-type"},
        {call_result, "no answer into a required register", "write-type"}, {concat_long, "text of 120,000 characters", "text-length"},
        {concat_absent, "interpolation of a maybe-absent text", "operand-absent"}, {concat_register, "concatenation longer than its register", "write-type"},
        {text_absent, "text of a maybe-absent number", "operand-absent"}, {text_short, "printed number longer than its register", "write-type"},
        {link_arity, "ref with too many parts", "link-args"}, {link_type, "ref with a number", "link-args"}, {link_absent, "link of a maybe-absent value", "write-type"},
        {link_two_modules, "one register into two modules", "link-module"}, {link_wrong_field, "link into another module's field", "link-module"},
        {list_long, "list behind the section", "list"}, {list_empty, "empty list", "list"}, {scratch_limit, "more text than allowed", "scratch-limit"},
        {cost_limit, "too dear a program", "cost-limit"}, {dead_code, "dead code with a wrong type", "operand-type"}, {dead_code_good, "dead code that is well typed", ""},
        {reg_decimal, "empty range", "decimal-range"}, {reg_scale, "scale 13", "decimal-scale"}, {reg_digits, "39 digits", "decimal-range"}, {reg_base, "unknown base", "type-base"},
        {reg_empty_text, "text of length 0", "text-length"}, {reg_set_order, "set out of order", "set-order"}, {reg_set_length, "set value too long", "set-length"},
        {reg_bool, "one spelling for yes and no", "bool-words"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image_fault why;
        struct image *im = mini_image(a, cases[i].make);
        struct image_program *p = &((struct image_flow *)im->flows)->map;
        bool sound = cases[i].rule[0] == '\0' || strstr(cases[i].rule, "limit") || !strcmp(cases[i].rule, "field-unset");
        if (sound) image_bounds(im, im->flows, p);       /* the bounds of an ill-formed program are not asked for */
        enum err e = image_verify(im, a, &why);
        ok((e == ERR_OK) == !cases[i].rule[0] && !strcmp(why.rule, cases[i].rule), cases[i].name, "%s at %u: %s", why.rule, why.instr, why.text);
    }
}

/* ---- structure ---- */

typedef void change(struct image *im, struct image_flow *f);
static void s_spec(struct image *im, struct image_flow *f) { (void)f; im->spec = STR(""); }
static void s_source(struct image *im, struct image_flow *f) { (void)im; f->source = STR("crm"); }
static void s_target(struct image *im, struct image_flow *f) { (void)im; f->target = STR("erp"); }
static void s_entity(struct image *im, struct image_flow *f) { (void)im; f->entity = STR(""); }
static void s_every(struct image *im, struct image_flow *f) { (void)im; f->every_ms = 0; }
static void s_reread(struct image *im, struct image_flow *f) { (void)im; f->reread_ms = -1; }
static void s_fuse(struct image *im, struct image_flow *f) { (void)im; f->fuse_percent = 10001; }
static void s_nokey(struct image *im, struct image_flow *f) { (void)im; f->nkeys = 0; }
static void s_key_range(struct image *im, struct image_flow *f) { static const uint16_t k[] = {99}; (void)im; f->key_columns = k; f->nkeys = 1; }
static void s_key_absent(struct image *im, struct image_flow *f) { static const uint16_t k[] = {C_NAME}; (void)im; f->key_columns = k; f->nkeys = 1; }
static void s_key_twice(struct image *im, struct image_flow *f) { static const uint16_t k[] = {0, 0}; (void)im; f->key_columns = k; }
static void s_key_field(struct image *im, struct image_flow *f) { (void)im; f->key_field = 1; }
static void s_column_name(struct image *im, struct image_flow *f) { (void)im; ((struct image_column *)f->columns)[3].name = STR("CustomerNo"); }
static void s_field_name(struct image *im, struct image_flow *f) { (void)im; ((struct image_field *)f->fields)[3].name = STR(""); }
static void s_reads(struct image *im, struct image_flow *f) { static const uint16_t r[] = {77}; (void)im; ((struct image_field *)f->fields)[3].reads = r; ((struct image_field *)f->fields)[3].nreads = 1; }
static void s_event_field(struct image *im, struct image_flow *f) { static const uint16_t k[] = {F_KEY, 2}; (void)im; f->on_leave.fields = k; }
static void s_event_type(struct image *im, struct image_flow *f) { static const uint16_t k[] = {F_NAME, F_BALANCE}; (void)im; f->on_leave.fields = k; }
static void s_event_twice(struct image *im, struct image_flow *f) { static const uint16_t k[] = {F_STATUS, F_STATUS}; (void)im; f->on_leave.fields = k; }
static void s_event_none(struct image *im, struct image_flow *f) { (void)im; f->on_leave.present = false; }
static void s_adopt(struct image *im, struct image_flow *f) { (void)im; f->adopt = false; }
static void s_cost(struct image *im, struct image_flow *f) { (void)im; f->map.cost--; }
static void s_scratch(struct image *im, struct image_flow *f) { (void)im; f->map.scratch_bytes -= 16; }
static void s_when_kind(struct image *im, struct image_flow *f) { (void)im; f->when = f->map; }
static void s_map_kind(struct image *im, struct image_flow *f) { (void)im; f->map = f->when; }
static void s_endpoint(struct image *im, struct image_flow *f) { static const struct image_endpoint e[] = {{{"crm", 3}, {"a", 1}, NULL, 0}, {{"crm", 3}, {"b", 1}, NULL, 0}}; (void)f; im->targets = e; im->ntargets = 2; }
static void s_message(struct image *im, struct image_flow *f) { static const struct str m[] = {{"", 0}}; (void)f; im->messages = m; }
static void s_table_order(struct image *im, struct image_flow *f)
{
    static const struct value keys[] = {{.kind = V_TEXT, .len = 1, .u.text = "b"}, {.kind = V_TEXT, .len = 1, .u.text = "a"}};
    static const struct image_table t[2] = {{keys, keys, 2, false, {.kind = V_ABSENT}}, {keys, keys, 1, false, {.kind = V_ABSENT}}};
    (void)f;
    im->tables = t;
}
static void s_table_key(struct image *im, struct image_flow *f)
{
    static const struct value keys[] = {{.kind = V_BOOL}};
    static const struct image_table t[2] = {{keys, keys, 1, false, {.kind = V_ABSENT}}, {keys, keys, 1, false, {.kind = V_ABSENT}}};
    (void)f;
    im->tables = t;
}
static void s_link_target(struct image *im, struct image_flow *f) { static const struct image_link l[] = {{LINK_FIND, {"erp", 3}, {"users", 5}, {"email", 5}, NULL, 0, 0}}; (void)im; f->links = l; f->nlinks = 1; }
static void s_link_flow(struct image *im, struct image_flow *f) { static const struct image_link l[] = {{LINK_REF, {"crm", 3}, {"Accounts", 8}, {"", 0}, NULL, 0, 5}}; (void)im; f->links = l; f->nlinks = 1; }
static void s_link_module(struct image *im, struct image_flow *f) { static const struct image_link l[] = {{LINK_REF, {"crm", 3}, {"Deals", 5}, {"", 0}, NULL, 0, 0}}; (void)im; f->links = l; f->nlinks = 1; }
static void s_link_more(struct image *im, struct image_flow *f) { static const struct str more[] = {{"email", 5}}; static const struct image_link l[] = {{LINK_FIND, {"crm", 3}, {"users", 5}, {"email", 5}, more, 1, 0}}; (void)im; f->links = l; f->nlinks = 1; }
static void s_order(struct image *im, struct image_flow *f) { static const uint16_t order[] = {1}; (void)f; im->order = order; }
static void s_into(struct image *im, struct image_flow *f) { (void)im; f->into = 2; }
static void s_into_self(struct image *im, struct image_flow *f) { (void)im; f->into = 1; }
static void s_into_none(struct image *im, struct image_flow *f) { (void)im; f->into_program.cost = 1; }
static void s_company_twice(struct image *im, struct image_flow *f) { static const struct str c[] = {{"A", 1}, {"A", 1}}, e[] = {{"erp", 3}, {"erp", 3}}; (void)im; f->companies = c; f->company_sources = e; f->ncompanies = 2; }
static void s_company_source(struct image *im, struct image_flow *f) { static const struct str c[] = {{"A", 1}}, e[] = {{"crm", 3}}; (void)im; f->companies = c; f->company_sources = e; f->ncompanies = 1; }
static void s_registers(struct image *im, struct image_flow *f) { (void)im; f->nregisters = LIMIT_REGISTERS + 1; }
static void s_flow_twice(struct image *im, struct image_flow *f)
{
    static struct image_flow two[2];
    two[0] = two[1] = *f;
    im->flows = two;
    im->nflows = 2;
}

/* ---- lists: the sample's own site, changed ---- */

static struct image_lines *site(struct image_flow *f) { return (struct image_lines *)(uintptr_t)f->lines; }
static struct image_flow *body(struct image_flow *f) { return (struct image_flow *)(uintptr_t)f->lines[0].body; }
static struct image_field *items(struct image_flow *f) { return (struct image_field *)(uintptr_t)&f->fields[F_ITEMS]; }
static struct list_shape *shape_of(struct image_flow *f) { return (struct list_shape *)(uintptr_t)f->columns[C_LINES].type.shape; }
static void l_column(struct image *im, struct image_flow *f) { (void)im; site(f)->column = C_NAME; }
static void l_none(struct image *im, struct image_flow *f) { (void)im; site(f)->max_lines = 0; }
static void l_many(struct image *im, struct image_flow *f) { (void)im; site(f)->max_lines = LIMIT_LINES + 1; }
static void l_sites(struct image *im, struct image_flow *f) { (void)im; f->nlines = 21; }
static void l_message(struct image *im, struct image_flow *f) { (void)im; site(f)->twice = 3; }
static void l_field(struct image *im, struct image_flow *f) { (void)im; items(f)->lines = 0; }
static void l_other_field(struct image *im, struct image_flow *f) { (void)im; ((struct image_field *)(uintptr_t)f->fields)[F_NAME].lines = 1; }
static void l_fill(struct image *im, struct image_flow *f) { (void)im; items(f)->mode = FIELD_FILL; }
static void l_shape(struct image *im, struct image_flow *f) { (void)im; shape_of(f)->max_lines = LIMIT_LINES + 1; }
static void l_nested(struct image *im, struct image_flow *f) { (void)im; ((struct type *)(uintptr_t)shape_of(f)->types)[L_ITEM] = f->columns[C_LINES].type; }
static void l_link(struct image *im, struct image_flow *f) { (void)im; ((struct type *)(uintptr_t)shape_of(f)->types)[L_ITEM] = (struct type){.base = T_LINK}; }
static void l_no_fields(struct image *im, struct image_flow *f) { (void)im; body(f)->nfields = 0; }
static void l_mode(struct image *im, struct image_flow *f) { (void)im; ((struct image_field *)(uintptr_t)body(f)->fields)[0].mode = FIELD_ONCE; }
static void l_body_link(struct image *im, struct image_flow *f) { static const struct image_link k[] = {{LINK_FIND, {"erp", 3}, {"Products", 8}, {"Code", 4}, NULL, 0, 0}}; (void)im; body(f)->links = k; }
static void l_cost(struct image *im, struct image_flow *f) { (void)im; body(f)->map.cost++; }
static void l_when(struct image *im, struct image_flow *f) { (void)im; body(f)->when.ninstr = 0; }

static void l_site(struct image *im, struct image_flow *f) { (void)im; find_op(&f->map, OP_EACH)[2] = 1; }
static void l_read(struct image *im, struct image_flow *f) { (void)im; find_op(&f->map, OP_EACH)[0] = OP_COLUMN; find_op(&f->map, OP_COLUMN)[2] = C_LINES; }
static void l_keep(struct image *im, struct image_flow *f) { uint16_t *w = find_op(&body(f)->map, OP_SET); (void)im; w[0] = OP_KEEP; w[2] = 0; }
static void l_each(struct image *im, struct image_flow *f) { (void)im; find_op(&f->when, OP_NE)[0] = OP_EACH; find_op(&f->when, OP_EACH)[2] = find_op(&f->when, OP_EACH)[3] = 0; }
static void l_key(struct image *im, struct image_flow *f) { (void)im; find_op(&body(f)->key_program, OP_COLUMN)[2] = C_NAME; }

static void lists(struct arena *a)
{
    static const struct { change *apply; const char *rule; } cases[] = {
        {l_column, "list-column"}, {l_none, "list-limit"}, {l_many, "list-limit"}, {l_sites, "list-limit"}, {l_message, "message"}, {l_field, "field-lines"},
        {l_other_field, "field-lines"}, {l_fill, "field-lines"}, {l_shape, "list-limit"}, {l_nested, "list-in-list"}, {l_link, "column-type"}, {l_no_fields, "field-limit"},
        {l_mode, "field-mode"}, {l_body_link, "link-target"}, {l_cost, "cost"}, {l_when, "program-empty"}, {l_site, "list-site"}, {l_read, "operand-type"},
        {l_keep, "program-kind"}, {l_each, "program-kind"}, {l_key, "key-column"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image *im = sample_image(a);
        struct image_fault why;
        char name[60];
        cases[i].apply(im, (struct image_flow *)(uintptr_t)im->flows);
        snprintf(name, sizeof name, "lists %zu: %s", i, cases[i].rule);
        enum err e = image_verify(im, a, &why);
        ok(e != ERR_OK && strcmp(why.rule, cases[i].rule) == 0, name, "%s: %s", why.rule, why.text);
    }
}

static void structure(struct arena *a)
{
    static const struct { change *apply; const char *rule; } cases[] = {
        {s_spec, "head"}, {s_order, "flow-order"}, {s_company_twice, "company"}, {s_company_source, "flow-source"}, {s_into_none, "into"}, {s_into, "key-field"}, {s_into_self, "key-field"}, {s_link_more, "link-field"}, {s_source, "flow-source"}, {s_target, "flow-target"}, {s_entity, "flow-ends"}, {s_every, "schedule"}, {s_reread, "schedule"}, {s_fuse, "fuse"},
        {s_nokey, "key-parts"}, {s_key_range, "key-column"}, {s_key_absent, "key-absent"}, {s_key_twice, "key-twice"}, {s_key_field, "key-field"},
        {s_column_name, "name-twice"}, {s_field_name, "name"}, {s_reads, "field-reads"}, {s_event_field, "event-field"}, {s_event_type, "event-type"},
        {s_event_twice, "event-twice"}, {s_event_none, "event"}, {s_adopt, "adopt"}, {s_cost, "cost"}, {s_scratch, "scratch"}, {s_when_kind, "program-kind"},
        {s_map_kind, "program-kind"}, {s_endpoint, "endpoint-twice"}, {s_message, "message"}, {s_table_order, "table-order"}, {s_table_key, "table-key"},
        {s_link_target, "link-target"}, {s_link_flow, "link-flow"}, {s_link_module, "link-module"}, {s_registers, "register-limit"}, {s_flow_twice, "name-twice"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image *im = sample_image(a);
        struct image_fault why;
        char name[60];
        snprintf(name, sizeof name, "structure %zu: %s", i, cases[i].rule);
        cases[i].apply(im, (struct image_flow *)im->flows);
        enum err e = image_verify(im, a, &why);
        ok(e == ERR_CORRUPT && !strcmp(why.rule, cases[i].rule), name, "%s at %u: %s", why.rule, why.instr, why.text);
    }
}

/* ---- the intervals and lengths that instructions compute ---- */

static void covered_table(struct asm_ *s, struct image_flow *f)
{
    static const struct str set[] = {{"CAN", 3}, {"USA", 3}};
    uint16_t key = asm_load(s, v_text("USA"), (struct type){.base = T_TEXT, .min_len = 3, .max_len = 3, .nset = 2, .set = set});
    uint16_t r = REG(type_text(6, 13)), cut = REG(type_text(6, 10));
    op(s, OP_TABLE, r, key, 0);
    op(s, OP_CALL, cut, BUILTIN_truncate, LIST(s, r, asm_int(s, 10)));
    (void)f;
    set_x(s, cut);
}
/* -9999999.99 has 11 characters; "true" or "false" is a set; a sum of two has 9 + 1 digits. */
static void exact_bounds(struct asm_ *s, struct image_flow *f)
{
    static const struct str words[] = {{"false", 5}, {"true", 4}};
    uint16_t n = COL(N);
    op(s, OP_TEXT, REG(type_text(4, 11)), n, 0);
    op(s, OP_TEXT, REG(((struct type){.base = T_TEXT, .min_len = 4, .max_len = 5, .nset = 2, .set = words})), COL(B), 0);
    op(s, OP_ADD, REG(((struct type){.base = T_DECIMAL, .scale = 2, .lo = -1999999998, .hi = 1999999998})), n, n);
    op(s, OP_MUL, REG(((struct type){.base = T_DECIMAL, .scale = 4, .lo = -999999998000000001, .hi = 999999998000000001})), n, n);
    op(s, OP_CALL, REG(((struct type){.base = T_DECIMAL, .scale = 0, .lo = -10000000, .hi = 10000000})), BUILTIN_round, LIST(s, n, asm_int(s, 0)));
    op(s, OP_CALL, REG(type_text(3, 11)), BUILTIN_lines, LIST(s, COL(O), asm_load(s, v_text("abc"), type_text(3, 5))));
    set_x(s, COL(K));
}

static void bounds(struct arena *a)
{
    static const struct { program *make; const char *name; } cases[] = {{covered_table, "a table that has every value of its key"}, {exact_bounds, "narrowest registers"}};
    for (size_t i = 0; i < 2; i++) {
        struct image_fault why;
        struct image *im = mini_image(a, cases[i].make);
        image_bounds(im, im->flows, &((struct image_flow *)im->flows)->map);
        ok(image_verify(im, a, &why) == ERR_OK, cases[i].name, "%s at %u: %s", why.rule, why.instr, why.text);
    }
}

int main(void)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    operands(&a);
    programs(&a);
    structure(&a);
    lists(&a);
    bounds(&a);
    arena_free(&a);
    return ok_done();
}
