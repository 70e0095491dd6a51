/* sample.h - a compiled spec made by hand: every instruction, both kinds of links, tables, events; and an assembler for small programs.
 * Tests of code and vm, the mutation test and the fuzz targets start from it. Where a call has several arguments that emit code, compilers may
 * order that code differently; every order is the same program. */
#ifndef TESTS_UNIT_CODE_SAMPLE_H
#define TESTS_UNIT_CODE_SAMPLE_H
#include "base/check.h"
#include "code/opcode.h"
#include "value/builtin.h"

/* ---- assembler ---- */

enum { ASM_REGS = 200, ASM_WORDS = 4000, ASM_CONSTS = 100, ASM_ARGS = 400 };
struct asm_ {
    struct arena *a;
    const struct type **regs; uint16_t nregs;
    uint16_t *code; size_t words, from;       /* from: where the present program began */
    struct value *consts; uint16_t nconsts;
    uint16_t *args; uint16_t nargs;
};

static inline struct asm_ asm_new(struct arena *a)
{
    return (struct asm_){.a = a, .regs = ARENA_ARRAY(a, const struct type *, ASM_REGS), .code = ARENA_ARRAY(a, uint16_t, ASM_WORDS),
                         .consts = ARENA_ARRAY(a, struct value, ASM_CONSTS), .args = ARENA_ARRAY(a, uint16_t, ASM_ARGS)};
}
static inline uint16_t asm_reg(struct asm_ *s, struct type t)
{
    ASSERT(s->nregs < ASM_REGS);
    struct type *own = ARENA_NEW(s->a, struct type);
    *own = t;
    s->regs[s->nregs] = own;
    return s->nregs++;
}
static inline uint16_t asm_const(struct asm_ *s, struct value v)
{
    ASSERT(s->nconsts < ASM_CONSTS);
    s->consts[s->nconsts] = v;
    return s->nconsts++;
}
/* Emits an instruction; returns its index in the present program. */
static inline uint16_t op(struct asm_ *s, enum opcode o, unsigned a, unsigned b, unsigned c)
{
    ASSERT(s->words + 4 <= ASM_WORDS);
    uint16_t *w = s->code + s->words;
    w[0] = (uint16_t)o; w[1] = (uint16_t)a; w[2] = (uint16_t)b; w[3] = (uint16_t)c;
    s->words += 4;
    return (uint16_t)((s->words - s->from) / 4 - 1);
}
/* The jump at instruction `at` leads to the next instruction emitted. */
static inline void asm_here(struct asm_ *s, uint16_t at) { s->code[s->from + 4u * at + 3] = (uint16_t)((s->words - s->from) / 4); }
static inline uint16_t asm_list(struct asm_ *s, uint16_t n, const uint16_t *regs)
{
    uint16_t l = s->nargs;
    ASSERT(s->nargs + n + 1 <= ASM_ARGS);
    s->args[s->nargs++] = n;
    for (uint16_t i = 0; i < n; i++) s->args[s->nargs++] = regs[i];
    return l;
}
#define LIST(s, ...) asm_list(s, (uint16_t)(sizeof((uint16_t[]){__VA_ARGS__}) / 2), (uint16_t[]){__VA_ARGS__})
static inline struct image_program asm_end(struct asm_ *s)
{
    struct image_program p = {.code = s->code + s->from, .ninstr = (s->words - s->from) / 4};
    s->from = s->words;
    return p;
}
/* A constant into a register of the type. */
static inline uint16_t asm_load(struct asm_ *s, struct value v, struct type t)
{
    uint16_t r = asm_reg(s, t);
    op(s, OP_CONST, r, asm_const(s, v), 0);
    return r;
}
static inline uint16_t asm_int(struct asm_ *s, int n)
{
    return asm_load(s, value_decimal(n, 0), (struct type){.base = T_DECIMAL, .lo = n, .hi = n});
}

/* ---- types ---- */

static inline struct type t_plain(enum type_base b) { return (struct type){.base = (uint8_t)b}; }
static inline struct type t_maybe(struct type t) { t.optional = true; return t; }
static inline struct type t_bool(void) { return (struct type){.base = T_BOOL, .yes = STR("Y"), .no = STR("N")}; }

static const struct str sample_statuses[] = {{"Active", 6}, {"Deleted", 7}, {"Left", 4}};
static const struct str sample_credits[] = {{"Good", 4}, {"On hold", 7}, {"Over limit", 10}};
static inline struct type t_status(void) { return (struct type){.base = T_TEXT, .min_len = 4, .max_len = 7, .nset = 3, .set = sample_statuses}; }
static inline struct type t_credit(void) { return (struct type){.base = T_TEXT, .min_len = 4, .max_len = 10, .nset = 3, .set = sample_credits}; }

/* ---- the sample ---- */

static const uint16_t sample_order[2] = {0, 1};

enum sample_column { C_DIVISION, C_NUMBER, C_NAME, C_PHONE, C_COUNTRY, C_HOLD, C_LIMIT, C_BALANCE, C_LINE1, C_LINE2, C_TERMS, C_DATE, C_EMAIL, C_PERSON,
                     C_LOCAL, C_INSTANT, C_LINES, C_COUNT };
enum sample_field { F_KEY, F_STATUS, F_NAME, F_PHONE, F_STREET, F_COUNTRY, F_TERMS, F_LIMIT, F_BALANCE, F_CREDIT, F_OWNER, F_EMAIL, F_LEFT, F_NOTE, F_PARENT,
                    F_FLAG, F_MATH, F_SHORT, F_KEPT, F_ITEMS, F_COUNT };

/* Lines of the source, { LineKey key, Item?, Quantity }, and of the target, { Item, Quantity, Product }. */
enum { L_KEY, L_ITEM, L_QUANTITY, L_COUNT };
enum { I_ITEM, I_QUANTITY, I_PRODUCT, I_COUNT };
static inline struct type sample_list(struct arena *a, bool source)
{
    static const struct str names[2][3] = {{{"Item", 4}, {"Quantity", 8}, {"Product", 7}}, {{"LineKey", 7}, {"Item", 4}, {"Quantity", 8}}};
    static const uint8_t flags[2][3] = {{0, 0, 0}, {LIST_KEY, 0, LIST_UDF}};
    struct list_shape *s = ARENA_NEW(a, struct list_shape);
    struct type *types = ARENA_ARRAY(a, struct type, 3);
    types[source ? L_ITEM : I_ITEM] = source ? t_maybe(type_text(1, 30)) : type_text(1, 40);
    types[source ? L_QUANTITY : I_QUANTITY] = type_decimal(15, 6);
    types[source ? L_KEY : I_PRODUCT] = source ? type_text(6, 6) : (struct type){.base = T_LINK, .optional = true};
    *s = (struct list_shape){source ? 8 : 5, 3, names[source], types, flags[source]};
    return (struct type){.base = T_LIST, .optional = true, .shape = s};
}

static inline const struct image_column *sample_columns(struct arena *a)
{
    const struct image_column c[C_COUNT] = {
        [C_DIVISION] = {STR("ARDivisionNo"), type_text(2, 2), true, false}, [C_NUMBER] = {STR("CustomerNo"), type_text(1, 20), true, false},
        [C_NAME] = {STR("CustomerName"), t_maybe(type_text(1, 30)), false, false}, [C_PHONE] = {STR("TelephoneNo"), t_maybe(type_text(1, 17)), false, false},
        [C_COUNTRY] = {STR("CountryCode"), t_maybe(type_text(3, 3)), false, false}, [C_HOLD] = {STR("CreditHold"), t_bool(), false, false},
        [C_LIMIT] = {STR("CreditLimit"), type_decimal(13, 2), false, false}, [C_BALANCE] = {STR("CurrentBalance"), type_decimal(13, 2), false, false},
        [C_LINE1] = {STR("AddressLine1"), t_maybe(type_text(1, 30)), false, false}, [C_LINE2] = {STR("AddressLine2"), t_maybe(type_text(1, 30)), false, false},
        [C_TERMS] = {STR("TermsCode"), type_text(2, 2), false, false}, [C_DATE] = {STR("DateEstablished"), t_maybe(t_plain(T_DATE)), false, false},
        [C_EMAIL] = {STR("EmailAddress"), t_maybe(type_text(1, 250)), false, false}, [C_PERSON] = {STR("SalespersonNo"), t_maybe(type_text(1, 4)), false, true},
        [C_LOCAL] = {STR("Stamp"), t_maybe(t_plain(T_LOCAL)), false, false}, [C_INSTANT] = {STR("Seen"), t_plain(T_INSTANT), false, false},
        [C_LINES] = {STR("Lines"), sample_list(a, true), false, false}};
    struct image_column *out = ARENA_ARRAY(a, struct image_column, C_COUNT);
    memcpy(out, c, sizeof c);
    return out;
}

static inline struct image_field *sample_fields(struct arena *a)
{
    struct type link = {.base = T_LINK, .optional = true};
#define FIELD(n, t, m) {.name = STR(n), .type = t, .mode = m, .on_insert = true, .on_update = m != FIELD_ONCE, .expr = STR("an expression"), .file = STR("s.mlc"), .line = 7}
    const struct image_field f[F_COUNT] = {
        [F_KEY] = FIELD("Sage_Customer", type_text(1, 60), FIELD_KEY), [F_STATUS] = FIELD("Sage_Status", t_maybe(t_status()), FIELD_SET),
        [F_NAME] = FIELD("Account_Name", type_text(1, 200), FIELD_SET), [F_PHONE] = FIELD("Phone", t_maybe(type_text(1, 30)), FIELD_SET),
        [F_STREET] = FIELD("Billing_Street", t_maybe(type_text(1, 250)), FIELD_SET), [F_COUNTRY] = FIELD("Billing_Country", t_maybe(type_text(1, 100)), FIELD_SET),
        [F_TERMS] = FIELD("Payment_Terms", t_maybe(type_text(1, 40)), FIELD_SET), [F_LIMIT] = FIELD("Credit_Limit", t_maybe(type_decimal(15, 2)), FIELD_SET),
        [F_BALANCE] = FIELD("Open_Balance", type_decimal(15, 2), FIELD_SET), [F_CREDIT] = FIELD("Credit_Status", t_credit(), FIELD_SET),
        [F_OWNER] = FIELD("Owner", link, FIELD_ONCE), [F_EMAIL] = FIELD("Email", t_maybe(type_text(1, 250)), FIELD_FILL),
        [F_LEFT] = FIELD("Left_On", t_maybe(t_plain(T_DATE)), FIELD_EVENT), [F_NOTE] = FIELD("Note", type_text(1, 500), FIELD_SET),
        [F_PARENT] = FIELD("Parent_Account", link, FIELD_SET), [F_FLAG] = FIELD("Flag", t_plain(T_BOOL), FIELD_SET),
        [F_MATH] = FIELD("Math", type_decimal(30, 4), FIELD_SET), [F_SHORT] = FIELD("Short", t_maybe(type_text(1, 30)), FIELD_SET),
        [F_KEPT] = FIELD("Kept", type_text(1, 30), FIELD_SET), [F_ITEMS] = FIELD("Items", sample_list(a, false), FIELD_SET)};
#undef FIELD
    static const uint16_t reads[] = {C_NAME, C_LIMIT};
    struct image_field *out = ARENA_ARRAY(a, struct image_field, F_COUNT);
    memcpy(out, f, sizeof f);
    out[F_KEY].unique = out[F_KEY].custom = true;
    out[F_OWNER].link_module = STR("users");
    out[F_PARENT].link_module = STR("Accounts");
    out[F_NAME].reads = reads;
    out[F_NAME].nreads = 2;
    out[F_ITEMS].lines = 1;
    for (size_t i = 0; i < F_COUNT; i++) out[i].hash = hash_of(out[i].name);
    return out;
}

/* A column into a register of its own type. */
static inline uint16_t asm_column(struct asm_ *s, const struct image_flow *f, unsigned c)
{
    uint16_t r = asm_reg(s, f->columns[c].type);
    op(s, OP_COLUMN, r, c, 0);
    return r;
}
/* r without its absence, or jump (patched by the caller). */
static inline uint16_t asm_present(struct asm_ *s, uint16_t from, uint16_t *jump)
{
    struct type t = *s->regs[from];
    t.optional = false;
    uint16_t r = asm_reg(s, t);
    *jump = op(s, OP_PRESENT, r, from, 0);
    return r;
}

/* Status, name ?? reject, phone, street, tables: the plain lines of a mapping. */
static inline void sample_map_texts(struct asm_ *s, const struct image_flow *f)
{
    uint16_t jump, status = asm_load(s, value_text(STR("Active")), t_status());
    op(s, OP_SET, F_STATUS, status, 0);
    uint16_t name = asm_present(s, asm_column(s, f, C_NAME), &jump);
    op(s, OP_SET, F_NAME, name, 0);
    uint16_t over = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, jump);
    op(s, OP_REJECT, 0, 0, 0);
    asm_here(s, over);
    uint16_t country = asm_column(s, f, C_COUNTRY), phone = asm_reg(s, t_maybe(type_text(1, 16)));
    op(s, OP_CALL, phone, BUILTIN_phone, LIST(s, asm_column(s, f, C_PHONE), country));
    op(s, OP_SET, F_PHONE, phone, 0);
    uint16_t street = asm_reg(s, t_maybe(type_text(1, 61)));
    op(s, OP_CALL, street, BUILTIN_lines, LIST(s, asm_column(s, f, C_LINE1), asm_column(s, f, C_LINE2)));
    op(s, OP_SET, F_STREET, street, 0);
    uint16_t land = asm_reg(s, t_maybe(type_text(1, 40)));
    op(s, OP_TABLE, land, country, 0);
    op(s, OP_SET, F_COUNTRY, land, 0);
    uint16_t terms = asm_reg(s, t_maybe(type_text(1, 40)));
    op(s, OP_TABLE, terms, asm_column(s, f, C_TERMS), 1);
    op(s, OP_SET, F_TERMS, terms, 0);
}

/* Numbers, and the match of Credit_Status. */
static inline void sample_map_credit(struct asm_ *s, const struct image_flow *f)
{
    uint16_t limit = asm_column(s, f, C_LIMIT), balance = asm_column(s, f, C_BALANCE), hold = asm_column(s, f, C_HOLD), zero = asm_int(s, 0);
    op(s, OP_SET, F_LIMIT, limit, 0);
    uint16_t total = asm_reg(s, type_decimal(14, 2)), test = asm_reg(s, t_plain(T_BOOL)), result = asm_reg(s, t_credit());
    op(s, OP_ADD, total, balance, balance);
    op(s, OP_SET, F_BALANCE, total, 0);
    uint16_t no = op(s, OP_UNLESS, hold, 0, 0);
    op(s, OP_CONST, result, asm_const(s, value_text(STR("On hold"))), 0);
    uint16_t done1 = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, no);
    op(s, OP_GT, test, limit, zero);
    uint16_t no2 = op(s, OP_UNLESS, test, 0, 0);
    op(s, OP_GT, test, total, limit);
    uint16_t no3 = op(s, OP_UNLESS, test, 0, 0);
    op(s, OP_CONST, result, asm_const(s, value_text(STR("Over limit"))), 0);
    uint16_t done2 = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, no2);
    asm_here(s, no3);
    op(s, OP_CONST, result, asm_const(s, value_text(STR("Good"))), 0);
    asm_here(s, done1);
    asm_here(s, done2);
    op(s, OP_SET, F_CREDIT, result, 0);
    uint16_t product = asm_reg(s, type_decimal(26, 4)), minus = asm_reg(s, type_decimal(26, 4)), diff = asm_reg(s, type_decimal(27, 4)),
             round = asm_reg(s, type_decimal(27, 1));
    op(s, OP_MUL, product, limit, balance);
    op(s, OP_NEG, minus, product, 0);
    op(s, OP_SUB, diff, minus, balance);
    op(s, OP_CALL, round, BUILTIN_round, LIST(s, diff, asm_int(s, 1)));
    op(s, OP_SET, F_MATH, round, 0);
}

/* Links, e-mail, and every comparison. */
static inline void sample_map_links(struct asm_ *s, const struct image_flow *f)
{
    uint16_t person = asm_column(s, f, C_PERSON), owner = asm_reg(s, (struct type){.base = T_LINK, .optional = true, .module = 1});
    op(s, OP_LINK, owner, 0, LIST(s, person));
    op(s, OP_SET, F_OWNER, owner, 0);
    uint16_t parent = asm_reg(s, (struct type){.base = T_LINK, .optional = true, .module = 2}), parent2 = asm_reg(s, *s->regs[parent]);
    op(s, OP_LINK, parent, 1, LIST(s, asm_column(s, f, C_DIVISION), asm_column(s, f, C_NUMBER)));
    op(s, OP_MOVE, parent2, parent, 0);
    op(s, OP_SET, F_PARENT, parent2, 0);
    uint16_t mail = asm_reg(s, t_maybe(type_text(1, 250)));
    op(s, OP_CALL, mail, BUILTIN_email, LIST(s, asm_column(s, f, C_EMAIL)));
    op(s, OP_SET, F_EMAIL, mail, 0);
    uint16_t b = asm_reg(s, t_plain(T_BOOL)), b2 = asm_reg(s, t_plain(T_BOOL)), date = asm_column(s, f, C_DATE);
    uint16_t limit = asm_column(s, f, C_LIMIT), balance = asm_column(s, f, C_BALANCE);
    op(s, OP_IS, b, person, 0);
    op(s, OP_EQ, b2, person, person);
    op(s, OP_NE, b, b, b2);
    op(s, OP_NOT, b, b, 0);
    op(s, OP_LT, b2, limit, balance);
    op(s, OP_LE, b2, limit, balance);
    op(s, OP_GE, b2, limit, balance);
    op(s, OP_EQ, b, b, b2);
    op(s, OP_EQ, b2, date, date);
    op(s, OP_SET, F_FLAG, b, 0);
}

/* Texts of everything, concatenation, keep. */
static inline void sample_map_note(struct asm_ *s, const struct image_flow *f)
{
    uint16_t no_date, no_stamp, note = asm_reg(s, type_text(1, 200)), sep = asm_load(s, value_text(STR(", ")), type_text(2, 2));
    uint16_t limit = asm_reg(s, type_text(1, 20)), hold = asm_reg(s, type_text(4, 5)), seen = asm_reg(s, type_text(20, 20)), day = asm_reg(s, type_text(4, 10)),
             stamp = asm_reg(s, type_text(4, 19));
    op(s, OP_TEXT, limit, asm_column(s, f, C_LIMIT), 0);
    op(s, OP_TEXT, hold, asm_column(s, f, C_HOLD), 0);
    op(s, OP_TEXT, seen, asm_column(s, f, C_INSTANT), 0);
    uint16_t none = asm_const(s, value_text(STR("none")));
    uint16_t date = asm_present(s, asm_column(s, f, C_DATE), &no_date);
    op(s, OP_TEXT, day, date, 0);
    uint16_t over = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, no_date);
    op(s, OP_CONST, day, none, 0);
    asm_here(s, over);
    uint16_t local = asm_present(s, asm_column(s, f, C_LOCAL), &no_stamp);
    op(s, OP_TEXT, stamp, local, 0);
    over = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, no_stamp);
    op(s, OP_CONST, stamp, none, 0);
    asm_here(s, over);
    op(s, OP_CONCAT, note, 0, LIST(s, limit, sep, hold, sep, seen, sep, day, sep, stamp));
    op(s, OP_SET, F_NOTE, note, 0);
    uint16_t up = asm_reg(s, type_text(1, 20)), low = asm_reg(s, type_text(1, 20)), cut = asm_reg(s, type_text(1, 5)), trim = asm_reg(s, t_maybe(type_text(1, 5)));
    op(s, OP_CALL, up, BUILTIN_upper, LIST(s, asm_column(s, f, C_NUMBER)));
    op(s, OP_CALL, low, BUILTIN_lower, LIST(s, up));
    op(s, OP_CALL, cut, BUILTIN_truncate, LIST(s, low, asm_int(s, 5)));
    op(s, OP_CALL, trim, BUILTIN_trim, LIST(s, cut));
    op(s, OP_SET, F_SHORT, trim, 0);
    uint16_t no_name, kept = asm_present(s, asm_column(s, f, C_LINE1), &no_name);
    op(s, OP_SET, F_KEPT, kept, 0);
    over = op(s, OP_JUMP, 0, 0, 0);
    asm_here(s, no_name);
    op(s, OP_KEEP, F_KEPT, 0, 0);
    asm_here(s, over);
}

/* The fields of a line: a rejected item, its quantity, a link of the site's own. */
static inline void sample_body_map(struct asm_ *s, const struct image_flow *f, const struct image_flow *b)
{
    uint16_t jump, item = asm_present(s, asm_column(s, b, (unsigned)f->ncolumns + L_ITEM), &jump), text = asm_reg(s, type_text(3, 32)), sep = asm_load(s, value_text(STR("x ")), type_text(2, 2));
    op(s, OP_CONCAT, text, 0, LIST(s, sep, item));
    op(s, OP_SET, I_ITEM, text, 0);
    op(s, OP_SET, I_QUANTITY, asm_column(s, b, (unsigned)f->ncolumns + L_QUANTITY), 0);
    uint16_t link = asm_reg(s, (struct type){.base = T_LINK, .optional = true, .module = 3});
    op(s, OP_LINK, link, 0, LIST(s, item));
    op(s, OP_SET, I_PRODUCT, link, 0);
    op(s, OP_END, 0, 0, 0);
    asm_here(s, jump);
    op(s, OP_REJECT, 0, 0, 0);
}

static inline struct image_flow *sample_body(struct asm_ *s, const struct image_flow *f)
{
    static const struct image_link links[] = {{LINK_FIND, {"crm", 3}, {"Products", 8}, {"Code", 4}, NULL, 0, 0}};
    struct image_flow *b = ARENA_NEW(s->a, struct image_flow);
    struct image_field *fields = ARENA_ARRAY(s->a, struct image_field, I_COUNT);
    const struct list_shape *shape = f->fields[F_ITEMS].type.shape;
    const struct type **regs = s->regs;
    uint16_t nregs = s->nregs;
    for (size_t i = 0; i < I_COUNT; i++)
        fields[i] = (struct image_field){.name = shape->names[i], .type = shape->types[i], .on_insert = true, .on_update = true, .hash = hash_of(shape->names[i])};
    fields[I_PRODUCT].link_module = STR("Products");
    s->regs = ARENA_ARRAY(s->a, const struct type *, ASM_REGS);
    s->nregs = 0;
    *b = (struct image_flow){.fields = fields, .nfields = I_COUNT, .links = links, .nlinks = 1};
    b->columns = image_line_columns(f->columns, f->ncolumns, C_LINES, s->a, &b->ncolumns);
    uint16_t yes = asm_reg(s, t_plain(T_BOOL)), n = asm_column(s, b, (unsigned)f->ncolumns + L_QUANTITY);
    op(s, OP_GE, yes, n, asm_int(s, 0));
    op(s, OP_RESULT, yes, 0, 0);
    b->when = asm_end(s);
    sample_body_map(s, f, b);
    b->map = asm_end(s);
    op(s, OP_RESULT, asm_column(s, b, (unsigned)f->ncolumns + L_KEY), 0, 0);
    b->key_program = asm_end(s);
    b->registers = s->regs;
    b->nregisters = s->nregs;
    s->regs = regs;
    s->nregs = nregs;
    return b;
}

static inline void sample_lines(struct asm_ *s, struct image_flow *f)
{
    struct image_lines *l = ARENA_NEW(s->a, struct image_lines);
    *l = (struct image_lines){.column = C_LINES, .max_lines = 5, .too_many = 1, .twice = 2, .body = sample_body(s, f)};
    f->lines = l;
    f->nlines = 1;
}

static inline void sample_map_lines(struct asm_ *s, const struct image_flow *f)
{
    uint16_t r = asm_reg(s, f->fields[F_ITEMS].type);
    op(s, OP_EACH, r, 0, 0);
    op(s, OP_SET, F_ITEMS, r, 0);
}

static inline void sample_programs(struct asm_ *s, struct image_flow *f)
{
    uint16_t b = asm_reg(s, t_plain(T_BOOL));
    op(s, OP_NE, b, asm_column(s, f, C_TERMS), asm_load(s, value_text(STR("XX")), type_text(2, 2)));
    op(s, OP_RESULT, b, 0, 0);
    f->when = asm_end(s);
    sample_map_texts(s, f);
    sample_map_credit(s, f);
    sample_map_links(s, f);
    sample_map_note(s, f);
    sample_map_lines(s, f);
    op(s, OP_END, 0, 0, 0);
    f->map = asm_end(s);
    uint16_t name = asm_column(s, f, C_NAME), none = asm_reg(s, *s->regs[name]);
    op(s, OP_ABSENT, none, 0, 0);
    op(s, OP_MOVE, none, name, 0);
    op(s, OP_RESULT, none, 0, 0);
    f->adopt_program = asm_end(s);
}

static inline const struct image_table *sample_tables(void)
{
    static const struct value countries[] = {{.kind = V_TEXT, .len = 3, .u.text = "CAN"}, {.kind = V_TEXT, .len = 3, .u.text = "DEU"}, {.kind = V_TEXT, .len = 3, .u.text = "USA"}};
    static const struct value names[] = {{.kind = V_TEXT, .len = 6, .u.text = "Canada"}, {.kind = V_TEXT, .len = 7, .u.text = "Germany"}, {.kind = V_TEXT, .len = 13, .u.text = "United States"}};
    static const struct value codes[] = {{.kind = V_TEXT, .len = 2, .u.text = "00"}, {.kind = V_TEXT, .len = 2, .u.text = "01"}};
    static const struct value terms[] = {{.kind = V_TEXT, .len = 14, .u.text = "Due on receipt"}, {.kind = V_TEXT, .len = 6, .u.text = "Net 30"}};
    static const struct image_table tables[2] = {{countries, names, 3, false, {.kind = V_ABSENT}}, {codes, terms, 2, true, {.kind = V_ABSENT}}};
    return tables;
}

static inline void sample_flow(struct image_flow *f, struct asm_ *s)
{
    static const uint16_t keys[] = {C_DIVISION, C_NUMBER}, left[] = {F_STATUS, F_LEFT}, gone[] = {F_STATUS};
    static const struct str companies[] = {{"ABC", 3}}, sources[] = {{"erp", 3}};
    static const struct image_link links[] = {{LINK_FIND, {"crm", 3}, {"users", 5}, {"email", 5}, NULL, 0, 0}, {LINK_REF, {"crm", 3}, {"Accounts", 8}, {"", 0}, NULL, 0, 0}};
    static const struct value left_values[] = {{.kind = V_TEXT, .len = 4, .u.text = "Left"}, {.kind = V_ABSENT}};
    static const struct value gone_values[] = {{.kind = V_TEXT, .len = 7, .u.text = "Deleted"}};
    *f = (struct image_flow){
        .name = STR("customers"), .source = STR("erp"), .target = STR("crm"), .entity = STR("AR_Customer"), .module = STR("Accounts"), .companies = companies, .company_sources = sources,
        .ncompanies = 1, .hash = hash_of(STR("flow")), .every_ms = 900000, .reread_ms = 86400000, .key_columns = keys, .nkeys = 2, .key_field = F_KEY, .adopt = true,
        .adopt_field = STR("Account_Name"), .fuse_count = 25, .fuse_percent = 500, .on_leave = {left, left_values, 2, true}, .on_delete = {gone, gone_values, 1, true},
        .columns = sample_columns(s->a), .ncolumns = C_COUNT, .fields = sample_fields(s->a), .nfields = F_COUNT, .links = links, .nlinks = 2, .guard = true};
    sample_lines(s, f);
    sample_programs(s, f);
    f->registers = s->regs;
    f->nregisters = s->nregs;
}

static inline struct image *sample_image(struct arena *a)
{
    static const struct image_setting settings[] = {{{"company", 7}, SETTING_TEXT, {"ABC", 3}}, {{"login", 5}, SETTING_SECRET, {"sage", 4}},
                                                    {{"retry.locked.attempts", 21}, SETTING_NUMBER, {"8", 1}}};
    static const struct image_endpoint source = {{"erp", 3}, {"sage100", 7}, settings, 3}, target = {{"crm", 3}, {"zoho_crm", 8}, NULL, 0};
    static const struct str messages[] = {{"customer without a name", 23}, {"too many lines", 14}, {"two lines of one key", 20}};
    struct asm_ *s = ARENA_NEW(a, struct asm_);
    struct image *im = ARENA_NEW(a, struct image);
    struct image_flow *f = ARENA_NEW(a, struct image_flow);
    *s = asm_new(a);
    sample_flow(f, s);
    *im = (struct image){.spec = STR("sample"), .edition = STR("1"), .sources = &source, .nsources = 1, .targets = &target, .ntargets = 1, .flows = f, .nflows = 1, .order = sample_order,
                         .consts = s->consts, .nconsts = s->nconsts, .tables = sample_tables(), .ntables = 2, .messages = messages, .nmessages = 3, .args = s->args,
                         .nargs = s->nargs};
    struct image_flow *body = (struct image_flow *)(uintptr_t)f->lines[0].body;
    image_bounds(im, body, &body->when);
    image_bounds(im, body, &body->map);
    image_bounds(im, body, &body->key_program);
    image_bounds(im, f, &f->when);
    image_bounds(im, f, &f->map);
    image_bounds(im, f, &f->adopt_program);
    return im;
}

/* ---- rows ---- */

static inline struct value v_text(const char *s) { return value_text(str_of(s)); }
/* n lines 000001, 000002, ...: an item each, quantity 1. */
static inline struct value v_lines(struct arena *a, uint32_t n)
{
    struct type t = sample_list(a, true);
    struct list *l = ARENA_NEW(a, struct list);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        struct value *f = ARENA_ARRAY(a, struct value, L_COUNT);
        f[L_KEY] = v_text(arena_printf(a, "%06u", (unsigned)i + 1));
        f[L_ITEM] = v_text("A");
        f[L_QUANTITY] = value_decimal(1, 0);
        lines[i] = (struct list_line){f[L_KEY], f};
    }
    *l = (struct list){t.shape->names, lines, n, t.shape->n};
    return (struct value){.kind = V_LIST, .u.list = l};
}
static inline void sample_row(struct value cols[C_COUNT])
{
    const struct value row[C_COUNT] = {
        [C_DIVISION] = v_text("01"), [C_NUMBER] = v_text("ABF"), [C_NAME] = v_text("American Business Futures"), [C_PHONE] = v_text("(312) 555-0100"),
        [C_COUNTRY] = v_text("USA"), [C_HOLD] = value_bool(false), [C_LIMIT] = value_decimal(6000000, 2), [C_BALANCE] = value_decimal(125050, 2),
        [C_LINE1] = v_text("Suite 4"), [C_LINE2] = v_text("12 Main St"), [C_TERMS] = v_text("01"), [C_DATE] = {.kind = V_DATE, .u.i = 20524},
        [C_EMAIL] = v_text("Bob@Example.COM"), [C_PERSON] = v_text("0100"), [C_LOCAL] = {.kind = V_LOCAL, .u.i = 1773355267000},
        [C_INSTANT] = {.kind = V_INSTANT, .u.i = 1773355267000}};
    memcpy(cols, row, sizeof row);
}
#endif
