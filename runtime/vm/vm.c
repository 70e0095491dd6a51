/* vm.c - runs verified programs over rows.
 *
 * Data path: columns of a row -> registers -> fields. The verifier (code/image_verify*.c) has proven operands, types, ranges, order of
 * writes, the end of every program and the bytes of new text; so the loop only dispatches, and the few ASSERTs here guard the promise
 * that rows are well-typed (vm_row_fits). What runs are steps (step.h), made from the code when a program is run for the first time (prepare.c).
 *
 * "No answer": when a builtin or table has none, the absent value that it leaves is marked (spare = NO_ANSWER). The mark travels with
 * the value through moves; whichever instruction makes something else of it (a ??, a comparison) leaves it pending, and the next field
 * that is set or kept takes it: that is the field whose expression used it. */
#include "vm/vm.h"
#include "base/check.h"
#include "value/date.h"
#include "vm/lookup.h"
#include "vm/step.h"
#include <stdio.h>
#include <stdlib.h>

enum { NO_ANSWER = 1 /* spare of an absent value; a present one has 0 */ };
enum area { AREA_WHEN, AREA_MAP, AREA_ADOPT, AREA_KEY, AREA_INTO, AREAS };      /* one each, so that the results of a row live side by side */

struct line_room { struct value *cols; const struct value **values; uint8_t *ops; uint32_t *no_answer; };

struct vm {
    const struct image *im;
    const struct value **values;    /* per field of the largest flow */
    uint8_t *ops;
    uint32_t *no_answer;
    struct scratch areas[AREAS];
    struct line_room lines;         /* for the bodies of list sites: a line's columns, what it sets */
    struct program *programs;       /* those that ran, by their code; open addressing, code NULL = empty */
    size_t nprograms, room;         /* room: a power of two, or 0 */
    /* the run under way */
    const struct image_flow *fl;
    const struct value *cols;
    struct scratch *scratch;
    uint32_t pending;               /* 1: an absent value with its mark was made something else of */
    const struct str *message;      /* of the REJECT that ended it */
    const struct value *result;     /* of the RESULT that ended it */
};

static size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

static void *alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p) check_no_memory();
    return p;
}

/* Room for the largest body of a list site. */
static struct line_room line_room(const struct image *im)
{
    size_t cols = 0, fields = 0;
    for (size_t i = 0; i < im->nflows; i++)
        for (size_t k = 0; k < im->flows[i].nlines; k++) {
            const struct image_flow *b = im->flows[i].lines[k].body;
            cols = max_size(cols, b->ncolumns);
            fields = max_size(fields, b->nfields);
        }
    return (struct line_room){alloc(cols, sizeof(struct value)), alloc(fields, sizeof(struct value *)), alloc(fields, 1), alloc(fields, sizeof(uint32_t))};
}

struct vm *vm_new(const struct image *im)
{
    struct vm *vm = alloc(1, sizeof *vm);
    size_t fields = 0, bytes[AREAS] = {0};
    for (size_t i = 0; i < im->nflows; i++) {
        const struct image_flow *f = &im->flows[i];
        fields = max_size(fields, f->nfields);
        bytes[AREA_WHEN] = max_size(bytes[AREA_WHEN], f->when.scratch_bytes);
        bytes[AREA_MAP] = max_size(bytes[AREA_MAP], f->map.scratch_bytes);
        bytes[AREA_ADOPT] = max_size(bytes[AREA_ADOPT], f->adopt_program.scratch_bytes);
        bytes[AREA_KEY] = max_size(bytes[AREA_KEY], f->key_program.scratch_bytes);
        bytes[AREA_INTO] = max_size(bytes[AREA_INTO], f->into_program.scratch_bytes);
    }
    vm->im = im;
    vm->values = alloc(fields, sizeof *vm->values);
    vm->ops = alloc(fields, sizeof *vm->ops);
    vm->no_answer = alloc(fields, sizeof *vm->no_answer);
    vm->lines = line_room(im);
    for (size_t i = 0; i < AREAS; i++) vm->areas[i] = (struct scratch){alloc(bytes[i], 1), 0, bytes[i]};
    return vm;
}

void vm_free(struct vm *vm)
{
    if (!vm) return;
    for (size_t i = 0; i < AREAS; i++) free(vm->areas[i].p);
    for (size_t i = 0; i < vm->room; i++) vm__forget(&vm->programs[i]);
    free(vm->programs);
    free(vm->lines.cols);
    free(vm->lines.values);
    free(vm->lines.ops);
    free(vm->lines.no_answer);
    free(vm->values);
    free(vm->ops);
    free(vm->no_answer);
    free(vm);
}

bool vm_row_fits(const struct image_flow *fl, const struct value *cols, char *why, size_t why_len)
{
    char clause[120];
    for (size_t i = 0; i < fl->ncolumns; i++) {
        if (type_admits(&fl->columns[i].type, &cols[i], clause, sizeof clause)) continue;
        if (why) snprintf(why, why_len, "%.*s %s", (int)fl->columns[i].name.n, fl->columns[i].name.p, clause);
        return false;
    }
    return true;
}

/* ---- programs and their steps ---- */

static struct program *slot_of(const struct vm *vm, const uint16_t *code, const struct image_column *columns)
{
    uint64_t h = ((uint64_t)(uintptr_t)code >> 3) * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 32) & (vm->room - 1);
    while (vm->programs[i].code && (vm->programs[i].code != code || vm->programs[i].columns != columns)) i = (i + 1) & (vm->room - 1);
    return &vm->programs[i];
}

static void more_room(struct vm *vm)
{
    struct program *old = vm->programs;
    size_t n = vm->room;
    vm->room = n ? 2 * n : 8;
    vm->programs = alloc(vm->room, sizeof *vm->programs);
    for (size_t i = 0; i < n; i++)
        if (old[i].code) *slot_of(vm, old[i].code, old[i].columns) = old[i];
    free(old);
}

/* The steps of a program of the flow, or of the list site's body, that vm->fl is. */
static struct program program_of(struct vm *vm, const struct image_program *p)
{
    if (2 * vm->nprograms >= vm->room) more_room(vm);
    struct program *slot = slot_of(vm, p->code, vm->fl->columns);
    if (!slot->code) {
#ifdef VM_TRACE
        vm__prepare(slot, vm->im, vm->fl, p, true);
#else
        vm__prepare(slot, vm->im, vm->fl, p, false);
#endif
        vm->nprograms++;
    }
    return *slot;
}

/* ---- columns ---- */

/* What is long and rare stays out of the loop, so that the loop's few variables stay in registers. */
#define RARE static __attribute__((noinline))

/* A number at the scale of a type that holds it. */
RARE struct value at_scale(const struct value *v, unsigned scale)
{
    struct value out;
    bool ok = decimal_rescale(v, scale, &out);
    ASSERT(ok);
    return out;
}

/* Rows come from outside: numbers get the scale of their column here, and what the proofs rest on is looked at once more. */
RARE const struct value *unusual(const struct bound *b, const struct value *v)
{
    ASSERT(v->spare == 0 && (v->kind == b->kind || (v->kind == V_ABSENT && b->optional)));
    if (v->kind == V_TEXT) ASSERT(v->len > 0 && v->len - 1 <= b->most);
    if (v->kind != V_DECIMAL) return v;
    *b->place = at_scale(v, b->type->scale);
    ASSERT(b->place->u.coef >= b->type->lo && b->place->u.coef <= b->type->hi);
    return b->place;
}

static inline bool absent_is_fine(const struct bound *b, const struct value *v) { return (v->head == 0) & b->optional; }
static inline bool text_is_fine(const struct bound *b, const struct value *v)
{
    uint64_t over = v->head - b->head;                          /* one less than the length, in the upper half, when nothing else differs */
    return (((over << 32 | over >> 32) <= b->most)) | absent_is_fine(b, v);
}
static inline bool number_is_fine(const struct bound *b, const struct value *v)
{
    int64_t coef = (int64_t)v->u.coef;
    return ((v->head == b->head) & (coef == v->u.coef) & ((uint64_t)coef - (uint64_t)b->least <= b->most)) | absent_is_fine(b, v);
}
static inline bool is_fine(const struct bound *b, const struct value *v) { return (v->head == b->head) | absent_is_fine(b, v); }

/* The columns before the first step, kind by kind: whether a value is there must not make the processor guess. */
static inline void bind_columns(const struct program *p, const struct value *cols)
{
    const struct bound *b = p->bounds, *const texts = b + p->ntexts, *const numbers = texts + p->nnumbers, *const end = numbers + p->nothers;
    for (; b < texts; b++) p->regs[b->reg] = text_is_fine(b, &cols[b->column]) ? &cols[b->column] : unusual(b, &cols[b->column]);
    for (; b < numbers; b++) p->regs[b->reg] = number_is_fine(b, &cols[b->column]) ? &cols[b->column] : unusual(b, &cols[b->column]);
    for (; b < end; b++) p->regs[b->reg] = is_fine(b, &cols[b->column]) ? &cols[b->column] : unusual(b, &cols[b->column]);
}

/* ---- instructions that are more than an assignment ---- */

/* The absent value of a lookup without an answer is being turned into something else. */
static inline void consume(struct vm *vm, const struct value *v) { vm->pending |= v->spare; }

static struct value marked(bool no_answer) { return (struct value){.kind = V_ABSENT, .spare = no_answer ? NO_ANSWER : 0}; }

/* Sums of numbers of one scale and 64 bits are made here: nearly all of them. */
static inline bool small_sum(bool minus, const struct value *b, const struct value *c, struct value *out)
{
    int64_t x = (int64_t)b->u.coef, y = (int64_t)c->u.coef, sum;
    if (b->scale != c->scale || x != b->u.coef || y != c->u.coef) return false;
    if (minus ? __builtin_sub_overflow(x, y, &sum) : __builtin_add_overflow(x, y, &sum)) return false;
    *out = value_decimal(sum, b->scale);
    return true;
}

RARE void arith(enum opcode op, const struct value *b, const struct value *c, struct value *out)
{
    bool ok = true;
    if (op == OP_ADD) ok = decimal_add(b, c, out);
    else if (op == OP_SUB) ok = decimal_sub(b, c, out);
    else ok = decimal_mul(b, c, out);
    ASSERT(ok);
}

static const struct value *table_lookup(const struct lookup *l, const struct value *key)
{
    static const struct value none = {.kind = V_ABSENT, .spare = NO_ANSWER};
    if (key->kind == V_ABSENT) return key;
    const struct value *hit = lookup_get(l, value_str(key));
    return hit ? hit : l->table->has_else ? &l->table->else_value : &none;
}

static void call(struct vm *vm, const struct call *c, const struct value *const *r, struct value *out)
{
    const struct value *args[BUILTIN_ARGS_MAX];
    unsigned marks = 0;
    size_t i = 0;
    do {                                                        /* a list has one register at least */
        args[i] = r[c->regs[i]];
        marks |= args[i]->spare;
    } while (++i < c->n);
    c->fn(args, c->n, vm->scratch, out);
    if (out->kind == V_ABSENT) *out = marked(marks || value_present(args[c->subject]));
    else vm->pending |= marks;
}

/* The call, when its argument is there. */
static inline const struct value *call_with(struct vm *vm, const struct step *s, const struct value **r)
{
    consume(vm, r[s->b]);
    if (!value_present(r[s->b])) return &value_absent;
    r[s->c] = r[s->b];
    call(vm, s->with.call, r, s->place);
    return s->place;
}

RARE void concat(struct vm *vm, const struct step *s, const struct value *const *r)
{
    size_t count = args_count(vm->im, s->c), n = 0, at = 0;
    const uint16_t *regs = args_regs(vm->im, s->c);
    for (size_t i = 0; i < count; i++) n += r[regs[i]]->len;
    char *p = scratch_take(vm->scratch, n);
    for (size_t i = 0; i < count; i++) {
        const struct value *v = r[regs[i]];
        memcpy(p + at, v->u.text, v->len);
        at += v->len;
    }
    *s->place = value_text((struct str){p, n});
}

/* A number is written at the scale of its register, so that equal numbers make equal texts. */
RARE struct value as_text(struct vm *vm, const struct value *v, unsigned scale)
{
    char text[DECIMAL_BYTES];
    struct value at;
    size_t n = 0;
    switch (v->kind) {
    case V_TEXT:    return *v;
    case V_BOOL:    return v->u.b ? value_text(STR("true")) : value_text(STR("false"));
    case V_DECIMAL: at = at_scale(v, scale); n = decimal_write(text, &at); break;
    case V_DATE:    n = date_write(text, v->u.i); break;
    case V_LOCAL:   n = datetime_write(text, v->u.i, false); break;
    case V_INSTANT: n = datetime_write(text, v->u.i, false); text[n++] = 'Z'; break;
    default:        check_failed("a link as text", __FILE__, __LINE__);
    }
    char *p = scratch_take(vm->scratch, n);
    memcpy(p, text, n);
    return value_text((struct str){p, n});
}

RARE struct value link_of(struct vm *vm, const struct step *s, const struct value *const *r)
{
    size_t n = args_count(vm->im, s->c);
    const uint16_t *regs = args_regs(vm->im, s->c);
    for (size_t i = 0; i < n; i++)
        if (r[regs[i]]->kind == V_ABSENT) return *r[regs[i]];
    struct link *l = (struct link *)(void *)scratch_take(vm->scratch, sizeof *l);
    struct value *args = (struct value *)(void *)scratch_take(vm->scratch, n * sizeof *args);
    for (size_t i = 0; i < n; i++) args[i] = *r[regs[i]];
    *l = (struct link){s->b, (uint16_t)n, args};
    return (struct value){.kind = V_LINK, .u.link = l};
}

static inline void put_field(struct vm *vm, const struct step *s, const struct value *v, enum vm_op op)
{
    vm->no_answer[s->a] = vm->pending | v->spare;
    vm->pending = 0;
    vm->ops[s->a] = (uint8_t)op;
    if (v->spare) v = &value_absent;                                            /* without its mark */
    if (v->kind == V_DECIMAL && v->scale != s->c) {
        *s->place = at_scale(v, s->c);
        v = s->place;
    }
    vm->values[s->a] = v;
}

/* The same for a value that is no number, and only when it is there. */
static inline void put_made(struct vm *vm, const struct step *s, const struct value *v)
{
    vm->no_answer[s->a] = vm->pending | v->spare;
    vm->pending = 0;
    vm->ops[s->a] = value_present(v) ? VM_SET : VM_KEEP;
    vm->values[s->a] = v->spare ? &value_absent : v;
}

static inline void sum(const struct step *s, const struct value *b, const struct value *c)
{
    if (!small_sum(s->op == OP_SUB, b, c, s->place)) arith(s->op == OP_SUB ? OP_SUB : OP_ADD, b, c, s->place);
}

static inline bool equal(struct vm *vm, const struct value *b, const struct value *c)
{
    consume(vm, b);
    consume(vm, c);
    if (b->kind == V_TEXT && c->kind == V_TEXT && (b->len != c->len || b->u.text[0] != c->u.text[0])) return false;
    return value_equal(b, c);
}

static inline void set_bool(const struct step *s, const struct value **r, bool b)
{
    *s->place = value_bool(b);
    r[s->a] = s->place;
}

/* ---- lists: the body of a site over every line ---- */

static void run(struct vm *vm, const struct image_program *p);

/* The lines of one list, under way. The body's programs see the row's columns in front of the line's. */
struct making {
    const struct image_lines *site;
    struct list_line *lines;
    size_t n;
    bool no_answer;
};

static bool line_passes(struct vm *vm, const struct image_program *when)
{
    size_t used = vm->scratch->used;
    if (when->ninstr == 0) return true;
    run(vm, when);
    vm->scratch->used = used;               /* a filter leaves nothing behind */
    vm->pending = 0;
    return vm->result->u.b;
}

static void make_line(struct vm *vm, struct making *m)
{
    const struct image_flow *b = m->site->body;
    if (m->n == m->site->max_lines) {
        vm->message = &vm->im->messages[m->site->too_many];
        return;
    }
    struct value *fields = (struct value *)(void *)scratch_take(vm->scratch, b->nfields * sizeof *fields);
    run(vm, &b->map);
    if (vm->message) return;
    for (size_t i = 0; i < b->nfields; i++) {
        fields[i] = *vm->values[i];
        m->no_answer |= vm->no_answer[i] != 0;
    }
    run(vm, &b->key_program);
    vm->pending = 0;
    struct list_line *line = &m->lines[m->n];
    *line = (struct list_line){*vm->result, fields};
    line->key.spare = 0;
    for (size_t i = 0; i < m->n && !vm->message; i++)
        if (value_equal(&m->lines[i].key, &line->key)) vm->message = &vm->im->messages[m->site->twice];
    m->n++;
}

static void make_lines(struct vm *vm, const struct list *from, struct making *m)
{
    const struct image_flow *b = m->site->body;
    size_t header = b->ncolumns - from->nfields;
    struct value *cols = vm->lines.cols;
    memcpy(cols, vm->cols, header * sizeof *cols);
    vm->fl = b;
    vm->cols = cols;
    vm->values = vm->lines.values;
    vm->ops = vm->lines.ops;
    vm->no_answer = vm->lines.no_answer;
    for (size_t i = 0; i < from->nlines && !vm->message; i++) {
        memcpy(cols + header, from->lines[i].fields, from->nfields * sizeof *cols);
        if (line_passes(vm, &b->when)) make_line(vm, m);
    }
}

RARE struct value each(struct vm *vm, const struct step *s)
{
    struct making m = {.site = &vm->fl->lines[s->b]};
    const struct value *from = &vm->cols[m.site->column];
    const struct image_flow *b = m.site->body;
    if (from->kind == V_ABSENT) return value_absent;
    ASSERT(from->kind == V_LIST && from->u.list->nfields <= b->ncolumns && from->u.list->nlines <= vm->fl->columns[m.site->column].type.shape->max_lines);
    struct list *out = (struct list *)(void *)scratch_take(vm->scratch, sizeof *out);
    m.lines = (struct list_line *)(void *)scratch_take(vm->scratch, m.site->max_lines * sizeof *m.lines);
    /* what a body works on in place of the row's; the texts that it made stay in the scratch */
    const struct image_flow *fl = vm->fl;
    const struct value *cols = vm->cols;
    const struct value **values = vm->values;
    uint8_t *ops = vm->ops;
    uint32_t *no_answer = vm->no_answer, pending = vm->pending;
    make_lines(vm, from->u.list, &m);
    vm->fl = fl;
    vm->cols = cols;
    vm->values = values;
    vm->ops = ops;
    vm->no_answer = no_answer;
    vm->pending = pending | m.no_answer;
    if (m.n == 0) return value_absent;
    *out = (struct list){fl->registers[s->a]->shape->names, m.lines, (uint32_t)m.n, (uint16_t)b->nfields};
    return (struct value){.kind = V_LIST, .u.list = out};
}

/* ---- the loop: dispatch only ---- */

static void run(struct vm *vm, const struct image_program *code)
{
    const struct program p = program_of(vm, code);
    const struct value **const r = p.regs;
    bind_columns(&p, vm->cols);
    for (const struct step *s = p.first, *to;; s = to) {
        to = s->next;
#ifdef VM_TRACE
        VM_TRACE(vm, r, s);     /* tests only: this file compiled once more, with a look at every instruction */
#endif
        switch (s->op) {
        case OP_END:     return;
        case OP_COLUMN:  r[s->a] = unusual(s->with.bound, &vm->cols[s->b]); break;
        case OP_CONST:   r[s->a] = &vm->im->consts[s->b]; break;
        case OP_ABSENT:  r[s->a] = &value_absent; break;
        case OP_MOVE:    r[s->a] = r[s->b]; break;
        case OP_PRESENT:
            consume(vm, r[s->b]);
            if (value_present(r[s->b])) r[s->a] = r[s->b];
            else to = s->with.other;
            break;
        case OP_JUMP:    break;
        case OP_UNLESS:  if (!r[s->a]->u.b) to = s->with.other; break;
        case OP_IS:      consume(vm, r[s->b]); set_bool(s, r, value_present(r[s->b])); break;
        case OP_EQ:      set_bool(s, r, equal(vm, r[s->b], r[s->c])); break;
        case OP_NE:      set_bool(s, r, !equal(vm, r[s->b], r[s->c])); break;
        case OP_LT:      set_bool(s, r, value_compare(r[s->b], r[s->c]) < 0); break;
        case OP_LE:      set_bool(s, r, value_compare(r[s->b], r[s->c]) <= 0); break;
        case OP_GT:      set_bool(s, r, value_compare(r[s->b], r[s->c]) > 0); break;
        case OP_GE:      set_bool(s, r, value_compare(r[s->b], r[s->c]) >= 0); break;
        case OP_NOT:     set_bool(s, r, !r[s->b]->u.b); break;
        case OP_ADD:
        case OP_SUB:
            sum(s, r[s->b], r[s->c]);
            r[s->a] = s->place;
            break;
        case OP_MUL:     arith(OP_MUL, r[s->b], r[s->c], s->place); r[s->a] = s->place; break;
        case OP_NEG:     *s->place = value_decimal(-r[s->b]->u.coef, r[s->b]->scale); r[s->a] = s->place; break;
        case OP_TABLE:   r[s->a] = table_lookup(s->with.table, r[s->b]); break;
        case OP_CALL:    call(vm, s->with.call, r, s->place); r[s->a] = s->place; break;
        case OP_CONCAT:  concat(vm, s, r); r[s->a] = s->place; break;
        case OP_TEXT:    *s->place = as_text(vm, r[s->b], vm->fl->registers[s->b]->scale); r[s->a] = s->place; break;
        case OP_LINK:    *s->place = link_of(vm, s, r); r[s->a] = s->place; break;
        case OP_SET:     put_field(vm, s, r[s->b], VM_SET); break;
        case OP_KEEP:    put_field(vm, s, &value_absent, VM_KEEP); break;
        case OP_REJECT:  vm->message = &vm->im->messages[s->a]; return;
        case OP_RESULT:  vm->result = r[s->a]; return;
        case OP_EACH:    *s->place = each(vm, s); r[s->a] = s->place; if (vm->message) return; break;
        case STEP_SET_OR_KEEP: put_field(vm, s, r[s->b], value_present(r[s->b]) ? VM_SET : VM_KEEP); break;
        case STEP_OR:
            consume(vm, r[s->b]);
            r[s->a] = value_present(r[s->b]) ? r[s->b] : &vm->im->consts[s->c];
            break;
        case STEP_OR_ADD:
            consume(vm, r[s->c]);
            sum(s, r[s->b], value_present(r[s->c]) ? r[s->c] : s->with.value);
            r[s->a] = s->place;
            break;
        case STEP_CALL_WITH:     r[s->a] = call_with(vm, s, r); break;
        case STEP_CALL_WITH_SET: put_made(vm, s, call_with(vm, s, r)); break;
        case STEP_CALL_SET:      call(vm, s->with.call, r, s->place); put_made(vm, s, s->place); break;
        case STEP_TABLE_SET:     put_made(vm, s, table_lookup(s->with.table, r[s->b])); break;
        case STEP_IF_EQ: if (!equal(vm, r[s->b], r[s->c])) to = s->with.other; break;
        case STEP_IF_NE: if (equal(vm, r[s->b], r[s->c])) to = s->with.other; break;
        case STEP_IF_LT: if (value_compare(r[s->b], r[s->c]) >= 0) to = s->with.other; break;
        case STEP_IF_LE: if (value_compare(r[s->b], r[s->c]) > 0) to = s->with.other; break;
        case STEP_IF_GT: if (value_compare(r[s->b], r[s->c]) <= 0) to = s->with.other; break;
        case STEP_IF_GE: if (value_compare(r[s->b], r[s->c]) < 0) to = s->with.other; break;
        default:         check_failed("unknown instruction", __FILE__, __LINE__);
        }
    }
}

static void start(struct vm *vm, const struct image_flow *fl, const struct value *cols, enum area area)
{
    vm->fl = fl;
    vm->cols = cols;
    vm->scratch = &vm->areas[area];
    vm->scratch->used = 0;
    vm->pending = 0;
    vm->message = NULL;
    vm->result = NULL;
}

bool vm_when(struct vm *vm, const struct image_flow *fl, const struct value *cols)
{
    if (fl->when.ninstr == 0) return true;
    start(vm, fl, cols, AREA_WHEN);
    run(vm, &fl->when);
    return vm->result->u.b;
}

void vm_map(struct vm *vm, const struct image_flow *fl, const struct value *cols, struct vm_out *out)
{
    start(vm, fl, cols, AREA_MAP);
    run(vm, &fl->map);
    *out = (struct vm_out){.values = vm->values, .ops = vm->ops, .rejected = vm->message != NULL, .no_answer = vm->no_answer};
    if (vm->message) out->message = *vm->message;
}

struct value vm_key(struct vm *vm, const struct image_flow *fl, const struct value *cols)
{
    if (fl->key_program.ninstr == 0) return value_absent;
    start(vm, fl, cols, AREA_KEY);
    run(vm, &fl->key_program);
    struct value v = *vm->result;
    v.spare = 0;
    return v;
}

struct value vm_into(struct vm *vm, const struct image_flow *fl, const struct value *cols, const struct str **rejected)
{
    *rejected = NULL;
    if (fl->into == 0) return value_absent;
    start(vm, fl, cols, AREA_INTO);
    run(vm, &fl->into_program);
    *rejected = vm->message;
    if (vm->message) return value_absent;
    struct value v = *vm->result;
    v.spare = 0;
    return v;
}

struct value vm_adopt(struct vm *vm, const struct image_flow *fl, const struct value *cols)
{
    if (!fl->adopt) return value_absent;
    start(vm, fl, cols, AREA_ADOPT);
    run(vm, &fl->adopt_program);
    struct value v = *vm->result;
    v.spare = 0;
    return v;
}
