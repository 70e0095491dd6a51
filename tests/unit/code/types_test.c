/* types_test.c - what the verifier computes of types, held against numbers worked out by hand: the exact interval of a sum, a difference and a product, that it says
 * no where 38 digits do not suffice, how long a printed number can be, and bounds that no longer fit their word. */
#include "code/image_types.h"
#include "tests/unit/code/sample.h"
#include "tests/unit/value/ok.h"

#define E(n, power) ((i128)(n) * decimal_pow10(power))
static struct type number(i128 lo, i128 hi, unsigned scale) { return (struct type){.base = T_DECIMAL, .scale = (uint8_t)scale, .lo = lo, .hi = hi}; }

static void arithmetic(void)
{
    const i128 end = decimal_pow10(38);
    const struct { const char *what; enum opcode op; struct type a, b; bool fits; i128 lo, hi; unsigned scale; } cases[] = {
        {"a sum", OP_ADD, number(-5, 7, 0), number(1, 2, 0), true, -4, 9, 0}, {"of other scales", OP_ADD, number(-5, 7, 1), number(1, 2, 2), true, -49, 72, 2}, {"a difference", OP_SUB, number(-5, 7, 0), number(1, 2, 0), true, -7, 6, 0},
        {"a product around zero", OP_MUL, number(-5, 7, 1), number(-3, 2, 2), true, -21, 15, 3}, {"of two below zero", OP_MUL, number(-5, -2, 0), number(-3, -1, 0), true, 2, 15, 0}, {"the negative", OP_NEG, number(-5, 7, 3), number(0, 0, 0), true, -7, 5, 3},
        {"38 digits", OP_ADD, number(0, end - 2, 0), number(0, 1, 0), true, 0, end - 1, 0}, {"one more", OP_ADD, number(0, end - 1, 0), number(0, 1, 0), false, 0, 0, 0}, {"one more below", OP_SUB, number(1 - end, 0, 0), number(0, 1, 0), false, 0, 0, 0},
        {"first operand too low at the larger scale", OP_ADD, number(E(-12, 36), 0, 0), number(0, 1, 1), false, 0, 0, 0}, {"too high", OP_ADD, number(0, E(12, 36), 0), number(0, 1, 1), false, 0, 0, 0},
        {"too low for the machine's word", OP_ADD, number(E(-12, 36), 0, 0), number(0, 1, 5), false, 0, 0, 0}, {"too high for it", OP_ADD, number(0, E(12, 36), 0), number(0, 1, 5), false, 0, 0, 0},
        {"second operand too low", OP_SUB, number(0, 1, 1), number(E(-12, 36), 0, 0), false, 0, 0, 0}, {"two of 38 digits", OP_ADD, number(0, end - 1, 0), number(0, end - 1, 0), false, 0, 0, 0},
        {"two of them below zero", OP_ADD, number(1 - end, 0, 0), number(1 - end, 0, 0), false, 0, 0, 0}, {"a product of 39 digits", OP_MUL, number(0, E(1, 20), 0), number(0, E(1, 18), 0), false, 0, 0, 0},
        {"of 60", OP_MUL, number(0, E(1, 30), 0), number(0, E(1, 30), 0), false, 0, 0, 0}, {"of 13 decimals", OP_MUL, number(0, 1, 7), number(0, 1, 6), false, 0, 0, 0}, {"of 12", OP_MUL, number(0, 1, 6), number(0, 1, 6), true, 0, 1, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct type t;
        bool fits = image__arith_type(cases[i].op, &cases[i].a, &cases[i].b, &t);
        ok(fits == cases[i].fits && (!fits || (t.lo == cases[i].lo && t.hi == cases[i].hi && t.scale == cases[i].scale)), cases[i].what, "fits %d, scale %u", fits, fits ? t.scale : 0u);
    }
}

static void printed(void)
{
    const struct { const char *what; struct type in; bool text; uint32_t min, max; } cases[] = {
        {"5 to 1234", number(5, 1234, 0), true, 1, 4}, {"-1234 to -5", number(-1234, -5, 0), true, 2, 5}, {"-1.00 to 10.00", number(-100, 1000, 2), true, 4, 5}, {"-12.50 to 0.05", number(-1250, 5, 2), true, 4, 6},
        {"0.05 to 0.07", number(5, 7, 2), true, 4, 4}, {"true or false", t_plain(T_BOOL), true, 4, 5}, {"a day", t_plain(T_DATE), true, 10, 10}, {"a clock", t_plain(T_LOCAL), true, 19, 19}, {"a moment", t_plain(T_INSTANT), true, 20, 20},
        {"a text", type_text(3, 9), true, 3, 9}, {"a link", t_plain(T_LINK), false, 0, 0}, {"a list", t_plain(T_LIST), false, 0, 0}, {"nothing of ours", t_plain(T_BASE_COUNT), false, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct type t = {0};
        bool text = image__text_type(&cases[i].in, &t);
        ok(text == cases[i].text && (!text || (t.min_len == cases[i].min && t.max_len == cases[i].max)), cases[i].what, "%d: %u to %u", text, t.min_len, t.max_len);
    }
}

/* 70,000 copies of 64 Ki characters are more than a word counts. */
static void saturated(struct arena *a)
{
    struct type wide = type_text(1, LIMIT_TEXT_CHARS);
    const struct type *registers[] = {&wide, &wide};
    const uint16_t args[] = {1, 0};
    uint16_t *code = ARENA_ARRAY(a, uint16_t, 4 * 70000);
    for (size_t i = 0; i < 70000; i++) {
        code[4 * i] = OP_CONCAT;
        code[4 * i + 1] = 1;
    }
    const struct image im = {.args = args, .nargs = 2};
    const struct image_flow f = {.registers = registers, .nregisters = 2};
    struct image_program p = {.code = code, .ninstr = 70000};
    image_bounds(&im, &f, &p);
    ok(p.scratch_bytes == UINT32_MAX && p.cost < UINT32_MAX && p.cost >= 70000, "bounds end at the largest number", "%u %u", p.scratch_bytes, p.cost);
}

int main(void)
{
    struct arena a;
    arena_init(&a, 0);
    arithmetic();
    printed();
    saturated(&a);
    arena_free(&a);
    return ok_done();
}
