/* trace.c - see trace.h. runtime/vm/vm.c calls VM_TRACE in front of every instruction where it is defined; here it is. */
#include "code/opcode.h"
#include "value/builtin.h"
#include <stdio.h>

struct vm;
static void look(const struct value *const *regs, const struct type *const *types, const struct image *im, unsigned op, uint16_t a, uint16_t b, uint16_t c);
#define VM_TRACE(vm, regs, s) look(regs, (vm)->fl->registers, (vm)->im, (s)->op, (s)->a, (s)->b, (s)->c)
#define vm_new trace_new
#define vm_free trace_free
#define vm_row_fits trace__row_fits
#define vm_when trace__when
#define vm_map trace__map
#define vm_adopt trace__adopt
#define vm_key trace__key
#define vm_into trace__into
#include "vm/vm.c"
#include "tests/reference/trace.h"

enum { ARGS_SEEN = 4 };
static uint64_t met[OP_COUNT][3][2], arguments[BUILTIN_COUNT][ARGS_SEEN][TRACE_EDGES], results[BUILTIN_COUNT][TRACE_EDGES];
static int last_call = -1;             /* builtin of the instruction before: its result stands in last_result now */
static uint16_t last_result;
static struct type last_type;

/* Operands that an opcode may meet absent: bit i for the i-th word; the others are proven to be there. */
static const struct { unsigned op, words; } absent_too[] = {
    {OP_MOVE, 2}, {OP_PRESENT, 2}, {OP_IS, 2}, {OP_EQ, 6}, {OP_NE, 6}, {OP_TABLE, 2}, {OP_SET, 2}, {OP_RESULT, 1}, {OP_COLUMN, 1}, {OP_LINK, 4}, {OP_CALL, 4}, {OP_EACH, 2}};

static void note(unsigned op, unsigned word, const struct value *v)
{
    met[op][word][value_present(v) ? TRACE_PRESENT : TRACE_ABSENT]++;
}

/* The calendar's ends, or a wall time or point in time on these days: 9999-12-31 and 0001-01-02, for 0001-01-01 stands for no date in sources. */
static void at_ends(const struct type *t, const struct value *v, bool *least, bool *most)
{
    const int64_t unit = v->kind == V_DATE ? 1 : 86400000, first = -719162, last = 2932896;
    struct value s;
    *least = *most = false;
    if (v->kind == V_TEXT) {
        size_t n = str_codepoints(value_str(v));
        *least = n == t->min_len;
        *most = n == t->max_len;
    } else if (v->kind == V_DECIMAL && decimal_rescale(v, t->scale, &s)) {
        *least = s.u.coef == t->lo;
        *most = s.u.coef == t->hi;
    } else if (v->kind == V_DATE || v->kind == V_LOCAL || v->kind == V_INSTANT) {
        *least = v->u.i < (first + 2) * unit;
        *most = v->u.i >= last * unit;
    }
}

static void note_edges(uint64_t *counts, const struct type *t, const struct value *v)
{
    bool least, most;
    counts[value_present(v) ? TRACE_PRESENT : TRACE_ABSENT]++;
    at_ends(t, v, &least, &most);
    counts[TRACE_LEAST] += least;
    counts[TRACE_MOST] += most;
}

static void look_result(const struct value *const *regs)
{
    if (last_call >= 0) note_edges(results[last_call], &last_type, regs[last_result]);
    last_call = -1;
}

static void look(const struct value *const *regs, const struct type *const *types, const struct image *im, unsigned op, uint16_t a, uint16_t b, uint16_t c)
{
    const char *kinds = opcodes[op].operands;
    const uint16_t words[3] = {a, b, c};
    bool operands = false;
    look_result(regs);
    for (unsigned i = 0; i < 3; i++) {
        if (kinds[i] == 'r') note(op, i, regs[words[i]]);
        for (uint16_t k = 0; kinds[i] == 'l' && k < args_count(im, words[i]); k++) {
            const uint16_t reg = args_regs(im, words[i])[k];
            const struct value *v = regs[reg];
            note(op, i, v);
            if (op == OP_CALL && k < ARGS_SEEN) note_edges(arguments[b][k], types[reg], v);
        }
        operands |= kinds[i] == 'r' || kinds[i] == 'l';
    }
    if (!operands && op != OP_COLUMN && op != OP_EACH) met[op][0][TRACE_PRESENT]++;
    if (op == OP_CALL) {
        last_call = b;
        last_result = a;
        last_type = *types[a];
    }
}

/* A column has no operand register: what it reads is looked at before. */
static void look_columns(const struct image_flow *f, const struct value *cols)
{
    for (size_t i = 0; i < f->map.ninstr; i++) {
        struct instr in = instr_at(&f->map, i);
        if (in.op == OP_COLUMN) note(OP_COLUMN, 0, &cols[in.b]);
        if (in.op == OP_EACH) note(OP_EACH, 1, &cols[f->lines[in.b].column]);
    }
}

void trace_row(struct vm *vm, const struct image_flow *f, const struct value *values, const size_t *column_of)
{
    struct value cols[LIMIT_COLUMNS];
    struct vm_out out;
    struct arena mem;
    arena_init(&mem, 0);
    for (size_t i = 0; i < f->ncolumns; i++) {
        bool whole = type_project(&f->columns[i].type, &values[column_of ? column_of[i] : i], &mem, &cols[i]);
        ASSERT(whole);
    }
    trace__adopt(vm, f, cols);
    last_call = -1;
    bool taken = trace__when(vm, f, cols);
    last_call = -1;
    if (taken) {
        look_columns(f, cols);
        trace__map(vm, f, cols, &out);
        last_call = -1;
    }
    arena_free(&mem);
}

static bool may_be_absent(unsigned op, unsigned word)
{
    for (size_t i = 0; i < sizeof absent_too / sizeof *absent_too; i++)
        if (absent_too[i].op == op) return absent_too[i].words >> word & 1;
    return false;
}

static bool row_of(unsigned op)
{
    const char *kinds = opcodes[op].operands;
    bool whole = true, operands = false;
    for (unsigned i = 0; i < 3; i++) {
        bool looked = kinds[i] == 'r' || kinds[i] == 'l' || (op == OP_COLUMN && i == 0) || (op == OP_EACH && i == 1);
        if (!looked && !(i == 2 && !operands)) continue;
        unsigned word = looked ? i : 0;
        operands = true;
        bool absent = may_be_absent(op, word);
        printf("#   %-8s operand %u: %llu present, %llu absent%s\n", opcodes[op].name, word + 1, (unsigned long long)met[op][word][0],
               (unsigned long long)met[op][word][1], absent ? "" : " (never)");
        bool good = met[op][word][0] > 0 && (!absent || met[op][word][1] > 0) && (absent || met[op][word][1] == 0);
        if (!good) printf("not ok opcode %s: operand %u was not met as it can be\n", opcodes[op].name, word + 1);
        whole &= good;
    }
    return whole;
}

bool trace_report(void)
{
    bool whole = true;
    for (unsigned op = 0; op < OP_COUNT; op++) whole &= row_of(op);
    if (whole) printf("ok every opcode ran, with operands present and absent\n");
    return whole;
}

bool trace_met_opcode(unsigned op) { return op < OP_COUNT && (met[op][0][0] + met[op][0][1] + met[op][1][0] + met[op][1][1] + met[op][2][0] + met[op][2][1]) > 0; }
bool trace_met_argument(unsigned b, size_t i, enum trace_edge e) { return b < BUILTIN_COUNT && i < ARGS_SEEN && arguments[b][i][e] > 0; }
bool trace_met_result(unsigned b, enum trace_edge e) { return b < BUILTIN_COUNT && results[b][e] > 0; }
