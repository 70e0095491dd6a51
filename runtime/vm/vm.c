/* vm.c - runs verified programs over rows.
 *
 * Data path: columns of a row -> registers -> fields. The verifier (code/image_verify*.c) has proven operands, types, ranges, order of
 * writes, the end of every program and the bytes of new text; so the loop only dispatches, and the few ASSERTs here guard the promise
 * that rows are well-typed (vm_row_fits).
 *
 * "No answer": when a builtin or table has none, the absent value that it leaves is marked (spare = NO_ANSWER). The mark travels with
 * the value through moves; whichever instruction makes something else of it (a ??, a comparison) leaves it pending, and the next field
 * that is set or kept takes it: that is the field whose expression used it. */
#include "vm/vm.h"
#include "base/check.h"
#include "code/opcode.h"
#include "value/date.h"
#include "vm/builtin.h"
#include <stdio.h>
#include <stdlib.h>

enum { NO_ANSWER = 1 };
enum area { AREA_WHEN, AREA_MAP, AREA_ADOPT, AREA_KEY, AREA_INTO, AREAS };      /* one each, so that the results of a row live side by side */

struct line_room { struct value *regs, *cols; uint8_t *ops; uint32_t *no_answer; };

struct vm {
    const struct image *im;
    struct value *regs;             /* of the largest flow */
    struct value *values;           /* per field */
    uint8_t *ops;
    uint32_t *no_answer;
    struct scratch areas[AREAS];
    struct line_room lines;         /* for the bodies of list sites: registers, a line's columns, what it sets */
    /* the run under way */
    const struct image_flow *fl;
    const struct value *cols;
    struct scratch *scratch;
    bool pending;
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
    size_t regs = 0, cols = 0, fields = 0;
    for (size_t i = 0; i < im->nflows; i++)
        for (size_t k = 0; k < im->flows[i].nlines; k++) {
            const struct image_flow *b = im->flows[i].lines[k].body;
            regs = max_size(regs, b->nregisters);
            cols = max_size(cols, b->ncolumns);
            fields = max_size(fields, b->nfields);
        }
    return (struct line_room){alloc(regs, sizeof(struct value)), alloc(cols, sizeof(struct value)), alloc(fields, 1), alloc(fields, sizeof(uint32_t))};
}

struct vm *vm_new(const struct image *im)
{
    struct vm *vm = alloc(1, sizeof *vm);
    size_t regs = 0, fields = 0, bytes[AREAS] = {0};
    for (size_t i = 0; i < im->nflows; i++) {
        const struct image_flow *f = &im->flows[i];
        regs = max_size(regs, f->nregisters);
        fields = max_size(fields, f->nfields);
        bytes[AREA_WHEN] = max_size(bytes[AREA_WHEN], f->when.scratch_bytes);
        bytes[AREA_MAP] = max_size(bytes[AREA_MAP], f->map.scratch_bytes);
        bytes[AREA_ADOPT] = max_size(bytes[AREA_ADOPT], f->adopt_program.scratch_bytes);
        bytes[AREA_KEY] = max_size(bytes[AREA_KEY], f->key_program.scratch_bytes);
        bytes[AREA_INTO] = max_size(bytes[AREA_INTO], f->into_program.scratch_bytes);
    }
    vm->im = im;
    vm->regs = alloc(regs, sizeof *vm->regs);
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
    free(vm->lines.regs);
    free(vm->lines.cols);
    free(vm->lines.ops);
    free(vm->lines.no_answer);
    free(vm->regs);
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

/* ---- instructions that are more than an assignment ---- */

/* The absent value of a lookup without an answer is being turned into something else. */
static void consume(struct vm *vm, const struct value *v)
{
    if (v->kind == V_ABSENT && v->spare == NO_ANSWER) vm->pending = true;
}

static struct value marked(bool no_answer) { return (struct value){.kind = V_ABSENT, .spare = no_answer ? NO_ANSWER : 0}; }

/* A number at the scale of a type that holds it. */
static struct value at_scale(const struct value *v, unsigned scale)
{
    struct value out;
    bool ok = decimal_rescale(v, scale, &out);
    ASSERT(ok);
    return out;
}

/* Rows come from outside: numbers get the scale of their column here, and what the proofs rest on is looked at once more. */
static inline void column(const struct vm *vm, uint16_t c, struct value *out)
{
    static const uint8_t kinds[T_BASE_COUNT] = {V_BOOL, V_TEXT, V_DECIMAL, V_DATE, V_LOCAL, V_INSTANT, V_LINK, V_LIST};
    const struct type *t = &vm->fl->columns[c].type;
    const struct value *v = &vm->cols[c];
    ASSERT(v->spare == 0);
    if (v->kind == V_ABSENT) ASSERT(t->optional);
    else ASSERT(v->kind == kinds[t->base]);
    if (v->kind == V_TEXT) ASSERT(v->len > 0 && v->len <= (uint64_t)t->max_len * 4);
    *out = *v;
    if (v->kind == V_DECIMAL) {
        if (v->scale != t->scale) *out = at_scale(v, t->scale);
        ASSERT(out->u.coef >= t->lo && out->u.coef <= t->hi);
    }
}

static struct value arith(enum opcode op, const struct value *b, const struct value *c)
{
    struct value out = *b;
    bool ok = true;
    if (op == OP_ADD) ok = decimal_add(b, c, &out);
    else if (op == OP_SUB) ok = decimal_sub(b, c, &out);
    else if (op == OP_MUL) ok = decimal_mul(b, c, &out);
    else out.u.coef = -b->u.coef;
    ASSERT(ok);
    return out;
}

static struct value table_lookup(struct vm *vm, const struct instr *in)
{
    const struct value *key = &vm->regs[in->b];
    const struct image_table *t = &vm->im->tables[in->c];
    if (key->kind == V_ABSENT) return *key;
    const struct value *hit = image_table_get(t, value_str(key));
    return hit ? *hit : t->has_else ? t->else_value : marked(true);
}

static struct value call(struct vm *vm, const struct instr *in)
{
    const struct value *args[BUILTIN_ARGS_MAX];
    struct value out;
    const size_t n = args_count(vm->im, in->c);
    const uint16_t *const regs = args_regs(vm->im, in->c);
    bool marks = false;
    for (size_t i = 0; i < n; i++) {
        args[i] = &vm->regs[regs[i]];
        marks |= args[i]->kind == V_ABSENT && args[i]->spare == NO_ANSWER;
    }
    builtin_run(in->b, args, n, vm->scratch, &out);
    if (out.kind == V_ABSENT) return marked(marks || value_present(args[builtin_subject(in->b)]));
    vm->pending |= marks;
    return out;
}

static struct value concat(struct vm *vm, const struct instr *in)
{
    size_t count = args_count(vm->im, in->c), n = 0, at = 0;
    const uint16_t *regs = args_regs(vm->im, in->c);
    for (size_t i = 0; i < count; i++) n += vm->regs[regs[i]].len;
    char *p = scratch_take(vm->scratch, n);
    for (size_t i = 0; i < count; i++) {
        const struct value *v = &vm->regs[regs[i]];
        memcpy(p + at, v->u.text, v->len);
        at += v->len;
    }
    return value_text((struct str){p, n});
}

/* A number is written at the scale of its register, so that equal numbers make equal texts. */
static struct value as_text(struct vm *vm, const struct instr *in)
{
    const struct value *v = &vm->regs[in->b];
    char text[DECIMAL_BYTES];
    struct value at;
    size_t n = 0;
    switch (v->kind) {
    case V_TEXT:    return *v;
    case V_BOOL:    return v->u.b ? value_text(STR("true")) : value_text(STR("false"));
    case V_DECIMAL: at = at_scale(v, vm->fl->registers[in->b].scale); n = decimal_write(text, &at); break;
    case V_DATE:    n = date_write(text, v->u.i); break;
    case V_LOCAL:   n = datetime_write(text, v->u.i, false); break;
    case V_INSTANT: n = datetime_write(text, v->u.i, false); text[n++] = 'Z'; break;
    default:        check_failed("a link as text", __FILE__, __LINE__);
    }
    char *p = scratch_take(vm->scratch, n);
    memcpy(p, text, n);
    return value_text((struct str){p, n});
}

static struct value link_of(struct vm *vm, const struct instr *in)
{
    size_t n = args_count(vm->im, in->c);
    const uint16_t *regs = args_regs(vm->im, in->c);
    for (size_t i = 0; i < n; i++)
        if (vm->regs[regs[i]].kind == V_ABSENT) return vm->regs[regs[i]];
    struct link *l = (struct link *)(void *)scratch_take(vm->scratch, sizeof *l);
    struct value *args = (struct value *)(void *)scratch_take(vm->scratch, n * sizeof *args);
    for (size_t i = 0; i < n; i++) args[i] = vm->regs[regs[i]];
    *l = (struct link){in->b, (uint16_t)n, args};
    return (struct value){.kind = V_LINK, .u.link = l};
}

static void set_field(struct vm *vm, uint16_t f, const struct value *v)
{
    vm->no_answer[f] = vm->pending || (v->kind == V_ABSENT && v->spare == NO_ANSWER);
    vm->pending = false;
    vm->ops[f] = VM_SET;
    if (v->kind == V_ABSENT) vm->values[f] = value_absent;                      /* without its mark */
    else if (v->kind == V_DECIMAL && v->scale != vm->fl->fields[f].type.scale) vm->values[f] = at_scale(v, vm->fl->fields[f].type.scale);
    else vm->values[f] = *v;
}

static void keep_field(struct vm *vm, uint16_t f)
{
    vm->no_answer[f] = vm->pending;
    vm->pending = false;
    vm->ops[f] = VM_KEEP;
    vm->values[f] = value_absent;
}

static bool compare(enum opcode op, const struct value *b, const struct value *c)
{
    int d = value_compare(b, c);
    return op == OP_LT ? d < 0 : op == OP_LE ? d <= 0 : op == OP_GT ? d > 0 : d >= 0;
}

static bool equal(struct vm *vm, const struct value *b, const struct value *c)
{
    consume(vm, b);
    consume(vm, c);
    return value_equal(b, c);
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
    vm->pending = false;
    return vm->result->u.b;
}

static void make_line(struct vm *vm, struct making *m)
{
    const struct image_flow *b = m->site->body;
    if (m->n == m->site->max_lines) {
        vm->message = &vm->im->messages[m->site->too_many];
        return;
    }
    vm->values = (struct value *)(void *)scratch_take(vm->scratch, b->nfields * sizeof(struct value));
    run(vm, &b->map);
    for (size_t i = 0; i < b->nfields && !vm->message; i++) m->no_answer |= vm->no_answer[i] != 0;
    if (vm->message) return;
    run(vm, &b->key_program);
    vm->pending = false;
    struct list_line *line = &m->lines[m->n];
    *line = (struct list_line){*vm->result, vm->values};
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
    vm->regs = vm->lines.regs;
    vm->ops = vm->lines.ops;
    vm->no_answer = vm->lines.no_answer;
    for (size_t i = 0; i < from->nlines && !vm->message; i++) {
        memcpy(cols + header, from->lines[i].fields, from->nfields * sizeof *cols);
        if (line_passes(vm, &b->when)) make_line(vm, m);
    }
}

static struct value each(struct vm *vm, const struct instr *in)
{
    struct making m = {.site = &vm->fl->lines[in->b]};
    const struct value *from = &vm->cols[m.site->column];
    const struct image_flow *b = m.site->body;
    if (from->kind == V_ABSENT) return value_absent;
    ASSERT(from->kind == V_LIST && from->u.list->nfields <= b->ncolumns && from->u.list->nlines <= vm->fl->columns[m.site->column].type.shape->max_lines);
    struct list *out = (struct list *)(void *)scratch_take(vm->scratch, sizeof *out);
    m.lines = (struct list_line *)(void *)scratch_take(vm->scratch, m.site->max_lines * sizeof *m.lines);
    /* what a body works on in place of the row's; the texts that it made stay in the scratch */
    const struct image_flow *fl = vm->fl;
    const struct value *cols = vm->cols;
    struct value *regs = vm->regs, *values = vm->values;
    uint8_t *ops = vm->ops;
    uint32_t *no_answer = vm->no_answer;
    bool pending = vm->pending;
    make_lines(vm, from->u.list, &m);
    vm->fl = fl;
    vm->cols = cols;
    vm->regs = regs;
    vm->values = values;
    vm->ops = ops;
    vm->no_answer = no_answer;
    vm->pending = pending || m.no_answer;
    if (m.n == 0) return value_absent;
    *out = (struct list){vm->fl->registers[in->a].shape->names, m.lines, (uint32_t)m.n, (uint16_t)b->nfields};
    return (struct value){.kind = V_LIST, .u.list = out};
}

/* ---- the loop: dispatch only ---- */

static void run(struct vm *vm, const struct image_program *p)
{
    struct value *r = vm->regs;
    const uint16_t *const code = p->code;
    for (size_t i = 0; i < p->ninstr; i++) {
        const uint16_t *const w = code + i * INSTR_WORDS;
        const struct instr in = {w[0], w[1], w[2], w[3]};
#ifdef VM_TRACE
        VM_TRACE(vm, &in);     /* tests only: this file compiled once more, with a look at every instruction */
#endif
        switch ((enum opcode)in.op) {
        case OP_END:     return;
        case OP_COLUMN:  column(vm, in.b, &r[in.a]); break;
        case OP_CONST:   r[in.a] = vm->im->consts[in.b]; break;
        case OP_ABSENT:  r[in.a] = value_absent; break;
        case OP_MOVE:    r[in.a] = r[in.b]; break;
        case OP_PRESENT:
            consume(vm, &r[in.b]);
            if (value_present(&r[in.b])) r[in.a] = r[in.b];
            else i = (size_t)in.c - 1;
            break;
        case OP_JUMP:    i = (size_t)in.c - 1; break;
        case OP_UNLESS:  if (!r[in.a].u.b) i = (size_t)in.c - 1; break;
        case OP_IS:      consume(vm, &r[in.b]); r[in.a] = value_bool(value_present(&r[in.b])); break;
        case OP_EQ:      r[in.a] = value_bool(equal(vm, &r[in.b], &r[in.c])); break;
        case OP_NE:      r[in.a] = value_bool(!equal(vm, &r[in.b], &r[in.c])); break;
        case OP_LT:
        case OP_LE:
        case OP_GT:
        case OP_GE:      r[in.a] = value_bool(compare((enum opcode)in.op, &r[in.b], &r[in.c])); break;
        case OP_NOT:     r[in.a] = value_bool(!r[in.b].u.b); break;
        case OP_ADD:
        case OP_SUB:
        case OP_MUL:
        case OP_NEG:     r[in.a] = arith((enum opcode)in.op, &r[in.b], &r[in.c]); break;
        case OP_TABLE:   r[in.a] = table_lookup(vm, &in); break;
        case OP_CALL:    r[in.a] = call(vm, &in); break;
        case OP_CONCAT:  r[in.a] = concat(vm, &in); break;
        case OP_TEXT:    r[in.a] = as_text(vm, &in); break;
        case OP_LINK:    r[in.a] = link_of(vm, &in); break;
        case OP_SET:     set_field(vm, in.a, &r[in.b]); break;
        case OP_KEEP:    keep_field(vm, in.a); break;
        case OP_REJECT:  vm->message = &vm->im->messages[in.a]; return;
        case OP_RESULT:  vm->result = &r[in.a]; return;
        case OP_EACH:
            r[in.a] = each(vm, &in);
            if (vm->message) return;
            break;
        case OP_COUNT:   check_failed("unknown instruction", __FILE__, __LINE__);
        }
    }
    check_failed("a program without an end", __FILE__, __LINE__);
}

static void start(struct vm *vm, const struct image_flow *fl, const struct value *cols, enum area area)
{
    vm->fl = fl;
    vm->cols = cols;
    vm->scratch = &vm->areas[area];
    vm->scratch->used = 0;
    vm->pending = false;
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
    for (size_t i = 0; i < fl->nfields; i++) {
        vm->values[i] = value_absent;
        vm->ops[i] = VM_KEEP;
        vm->no_answer[i] = 0;
    }
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
