/* rules_test.c - the verifier's rules about what stands around the programs, and about programs that only a forged image has: one thing of the sample changed at a
 * time, refused under the rule's name. The first image of all, with a flow that adds to another one, is good. */
#include "tests/unit/code/sample.h"
#include "tests/unit/value/ok.h"

typedef void change(struct image *im, struct image_flow *f, struct arena *a);
#define M(p) ((void *)(uintptr_t)(p))                            /* the sample is read-only to everybody else */
#define COLUMN(i) ((struct image_column *)M(&f->columns[i]))
#define FIELD_AT(i) ((struct image_field *)M(&f->fields[i]))
#define BODY ((struct image_flow *)M(f->lines[0].body))
#define BODY_FIELD(i) ((struct image_field *)M(&f->lines[0].body->fields[i]))
#define SHAPE ((struct list_shape *)M(f->columns[C_LINES].type.shape))
#define SHAPE_TYPE(i) ((struct type *)M(&f->columns[C_LINES].type.shape->types[i]))
#define TEXTS(...) str_list(a, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
#define CONST(v) (*(struct value *)M(&im->consts[0]) = (v))

static struct str *str_list(struct arena *a, const char *const *texts, size_t n)
{
    struct str *out = ARENA_ARRAY(a, struct str, n);
    for (size_t i = 0; i < n; i++) out[i] = str_of(texts[i]);
    return out;
}

static struct type text_set(struct arena *a, const char *one)
{
    struct type t = type_text(1, 5);
    t.set = str_list(a, &one, 1);
    t.nset = 1;
    return t;
}

static struct image_link *link_of(struct image_flow *f, struct arena *a)
{
    struct image_link *l = ARENA_ARRAY(a, struct image_link, 2);
    memcpy(l, f->links, 2 * sizeof *l);
    f->links = l;
    return l;
}

static struct image_endpoint *source_of(struct image *im, struct arena *a)
{
    struct image_endpoint *e = ARENA_NEW(a, struct image_endpoint);
    struct image_setting *s = ARENA_ARRAY(a, struct image_setting, 3);
    *e = im->sources[0];
    memcpy(s, e->settings, 3 * sizeof *s);
    e->settings = s;
    im->sources = e;
    return e;
}
#define SETTING(i) ((struct image_setting *)M(&source_of(im, a)->settings[i]))

static struct image_table *table_of(struct image *im, struct arena *a)
{
    struct image_table *t = ARENA_ARRAY(a, struct image_table, 2);
    memcpy(t, im->tables, 2 * sizeof *t);
    for (size_t i = 0; i < 2; i++) {
        struct value *v = ARENA_ARRAY(a, struct value, 8);
        memcpy(v, t[i].keys, t[i].n * sizeof *v);
        memcpy(v + 4, t[i].values, t[i].n * sizeof *v);
        t[i].keys = v;
        t[i].values = v + 4;
    }
    im->tables = t;
    return t;
}
#define KEY_OF(i) (*(struct value *)M(&table_of(im, a)[0].keys[i]))
#define VALUE_OF(i) (*(struct value *)M(&table_of(im, a)[0].values[i]))

static const struct value not_utf8 = {.kind = V_TEXT, .len = 1, .u.text = "\xff"}, an_id = {.kind = V_ID, .len = 1, .u.text = "7"}, no_text = {.kind = V_TEXT, .len = 0, .u.text = ""};
static struct value number(i128 n, unsigned scale) { return value_decimal(n, scale); }

/* name, rule, what is changed */
#define CHANGES(X) \
    X(edition, "head", im->edition = STR("")) X(flows, "flow-limit", im->nflows = LIMIT_FLOWS + 1) \
    X(source_name, "endpoint-name", source_of(im, a)->name = STR("")) X(source_kind, "endpoint-name", source_of(im, a)->kind = STR("")) \
    X(settings, "setting-limit", source_of(im, a)->nsettings = 1000000) X(setting_name, "setting-name", SETTING(1)->name = STR("")) \
    X(setting_kind, "setting-kind", SETTING(1)->kind = (enum setting_kind)(SETTING_FILE + 1)) \
    X(const_kind, "const-kind", CONST(an_id)) X(const_empty, "const-text", CONST(no_text)) X(const_utf8, "const-text", CONST(not_utf8)) \
    X(const_long, "const-text", CONST(((struct value){.kind = V_TEXT, .len = 4 * LIMIT_TEXT_CHARS + 1, .u.text = "x"}))) \
    X(const_scale, "const-decimal", CONST(number(1, LIMIT_DECIMAL_SCALE + 1))) X(const_high, "const-decimal", CONST(number(decimal_pow10(38), 0))) \
    X(const_low, "const-decimal", CONST(number(-decimal_pow10(38), 0))) X(const_date, "const-date", CONST(((struct value){.kind = V_DATE, .u.i = INT64_MAX}))) \
    X(const_local, "const-date", CONST(((struct value){.kind = V_LOCAL, .u.i = INT64_MIN}))) X(const_instant, "const-date", CONST(((struct value){.kind = V_INSTANT, .u.i = INT64_MAX}))) \
    X(message, "message", ((struct str *)M(im->messages = str_list(a, (const char *const[]){"a", "\xff", "c"}, 3)))[0] = STR("a")) \
    X(table_key, "const-text", KEY_OF(0) = not_utf8) X(table_value, "const-text", VALUE_OF(1) = not_utf8) X(table_kind, "table-key", KEY_OF(2) = number(1, 0)) \
    X(table_twice, "table-order", KEY_OF(1) = im->tables[0].keys[0]) X(table_else, "const-kind", table_of(im, a)[1].else_value = an_id) \
    X(module, "flow-ends", f->module = STR("")) X(name, "name", f->name = STR("")) X(every, "schedule", f->every_ms = INT64_MAX) X(reread, "schedule", f->reread_ms = INT64_MAX) \
    X(company, "company", f->companies = TEXTS("")) X(companies, "company-limit", f->ncompanies = 1000000) \
    X(columns, "column-limit", f->ncolumns = LIMIT_COLUMNS + 1) X(column_link, "column-type", COLUMN(C_NAME)->type = t_plain(T_LINK)) X(column_name, "name", COLUMN(C_NAME)->name = STR("")) \
    X(set_empty, "set-value", COLUMN(C_NAME)->type = text_set(a, "")) X(set_utf8, "set-value", COLUMN(C_NAME)->type = text_set(a, "\xff")) \
    X(set_short, "set-length", COLUMN(C_NAME)->type = text_set(a, "sixsix")) X(text_long, "text-length", COLUMN(C_NAME)->type = type_text(1, LIMIT_TEXT_CHARS + 1)) \
    X(text_reverse, "text-length", COLUMN(C_NAME)->type = type_text(5, 4)) X(low, "decimal-range", COLUMN(C_LIMIT)->type.lo = -decimal_pow10(38)) \
    X(yes, "bool-words", COLUMN(C_HOLD)->type.yes = STR("")) X(no, "bool-words", COLUMN(C_HOLD)->type.no = STR("")) \
    X(shape_none, "list-limit", SHAPE->max_lines = 0) X(shape_columns, "list-limit", SHAPE->n = LIMIT_COLUMNS + 1) X(shape_twice, "name-twice", SHAPE->names = TEXTS("A", "A", "B")) \
    X(shape_name, "name", SHAPE->names = TEXTS("A", "", "B")) X(shape_type, "type-base", SHAPE_TYPE(L_ITEM)->base = T_BASE_COUNT) \
    X(keys, "key-parts", f->nkeys = LIMIT_KEY_PARTS + 1) X(key_list, "key-column", f->key_columns = ((static_keys[0] = C_LINES), static_keys)) \
    X(field_mode, "field-mode", FIELD_AT(F_NAME)->mode = (enum field_mode)(FIELD_EVENT + 1)) X(field_type, "type-base", FIELD_AT(F_NAME)->type.base = T_BASE_COUNT) \
    X(field_site, "field-lines", FIELD_AT(F_ITEMS)->lines = 2) X(fields, "field-limit", f->nfields = LIMIT_FIELDS + 1) X(two_keys, "key-field", FIELD_AT(F_NAME)->mode = FIELD_KEY) \
    X(no_key, "key-field", (f->key_field = 99, FIELD_AT(F_KEY)->mode = FIELD_SET)) X(key_number, "key-field", FIELD_AT(F_KEY)->type = type_decimal(5, 0)) X(field_name, "name-twice", FIELD_AT(F_NAME)->name = STR("Phone")) \
    X(event_field, "event-field", ((uint16_t *)M(f->on_delete.fields = (static_keys[0] = F_COUNT, static_keys)))[0] = F_COUNT) \
    X(event_value, "const-kind", f->on_delete.values = &an_id) X(event_gone, "event", f->on_delete.present = false) \
    X(links, "link-limit", f->nlinks = 1000000) X(link_kind, "link-kind", link_of(f, a)[0].kind = (enum link_kind)9) X(link_module, "link-module", link_of(f, a)[0].module = STR("")) \
    X(link_field, "link-field", link_of(f, a)[0].field = STR("")) X(find_more, "link-field", link_of(f, a)[0].nmore = 1000) X(ref_more, "link-field", link_of(f, a)[1].nmore = 1) \
    X(more_empty, "link-field", (link_of(f, a)[0].more = TEXTS("")) && (((struct image_link *)M(f->links))[0].nmore = 1)) X(find_flow, "link-flow", link_of(f, a)[0].flow = 1) \
    X(body_columns, "list-column", BODY->ncolumns--) X(body_column, "list-column", ((struct image_column *)M(&BODY->columns[0]))->name = STR("x")) \
    X(body_key, "list-column", ((struct image_column *)M(&BODY->columns[C_COUNT + L_KEY]))->key = false) X(body_type, "list-column", ((struct image_column *)M(&BODY->columns[C_NAME]))->type.max_len--) \
    X(body_wider, "list-column", ((struct image_column *)M(&BODY->columns[C_NAME]))->type.max_len++) X(site_column, "list-column", ((struct image_lines *)M(f->lines))->column = 999) \
    X(body_fields, "field-limit", BODY->nfields = LIMIT_FIELDS + 1) X(body_lines, "list-in-list", (BODY_FIELD(I_ITEM)->type = f->fields[F_ITEMS].type, BODY_FIELD(I_ITEM)->lines = 1, SHAPE_TYPE(L_ITEM)->base = T_LIST)) \
    X(body_site, "field-lines", BODY_FIELD(I_ITEM)->lines = 1) X(body_list, "field-lines", (BODY_FIELD(I_ITEM)->type = f->fields[F_ITEMS].type, BODY_FIELD(I_ITEM)->lines = 1)) \
    X(body_name, "name", BODY_FIELD(I_ITEM)->name = STR("")) X(body_reads, "field-reads", (BODY_FIELD(I_ITEM)->reads = (static_keys[0] = 999, static_keys), BODY_FIELD(I_ITEM)->nreads = 1)) \
    X(too_many, "message", ((struct image_lines *)M(f->lines))->too_many = 3) X(into_cost, "into", f->into_program.scratch_bytes = 1) X(into_code, "into", f->into_program = f->when) \
    X(adopt_field, "adopt", f->adopt_field = STR("")) X(adopt_none, "adopt", f->adopt_program.ninstr = 0) X(when_cost, "program-empty", f->when = (struct image_program){.cost = 1}) \
    X(when_scratch, "program-empty", f->when = (struct image_program){.scratch_bytes = 1}) X(key_cost, "program-empty", f->key_program.cost = 1) X(key_scratch, "program-empty", f->key_program.scratch_bytes = 1) \
    X(adopt_cost, "program-empty", (f->adopt = false, f->adopt_field = STR(""), f->adopt_program = (struct image_program){.cost = 1})) \
    X(adopt_scratch, "program-empty", (f->adopt = false, f->adopt_field = STR(""), f->adopt_program = (struct image_program){.scratch_bytes = 1})) \
    X(body_cost, "program-empty", BODY->when = (struct image_program){.cost = 1}) X(body_scratch, "program-empty", BODY->when = (struct image_program){.scratch_bytes = 1}) \
    X(body_registers, "register-limit", BODY->nregisters = LIMIT_REGISTERS + 1) X(body_key_program, "program-end", BODY->key_program.ninstr = 0) X(body_map, "program-end", BODY->map.ninstr = 0) \
    X(register_type, "type-base", ((struct type *)M(f->registers[0]))->base = T_BASE_COUNT) X(code, "code-limit", f->map.ninstr = LIMIT_CODE_WORDS) \
    X(place, "flow-order", im->order = (static_keys[0] = 7, static_keys))

static uint16_t static_keys[2];
#define FUNCTION(name, rule, ...) static void do_##name(struct image *im, struct image_flow *f, struct arena *a) { (void)im; (void)f; (void)a; (void)(__VA_ARGS__); }
CHANGES(FUNCTION)

/* ---- with a second flow, which adds to the first ---- */

static struct image *image_of_two(struct arena *a)
{
    struct image *im = sample_image(a);
    struct image_flow *two = ARENA_ARRAY(a, struct image_flow, 2), *f = &two[1];
    struct image_field *fields = ARENA_ARRAY(a, struct image_field, 1);
    struct asm_ *s = ARENA_NEW(a, struct asm_);
    *s = (struct asm_){.a = a, .regs = ARENA_ARRAY(a, const struct type *, ASM_REGS), .code = ARENA_ARRAY(a, uint16_t, ASM_WORDS), .args = M(im->args), .nargs = (uint16_t)im->nargs};
    two[0] = im->flows[0];
    *f = im->flows[0];
    f->name = STR("contacts");
    f->into = 1;
    f->key_field = 0;
    f->adopt = false;
    f->adopt_field = STR("");
    f->adopt_program = f->when = (struct image_program){0};
    f->on_leave = f->on_delete = (struct image_event){0};
    f->lines = NULL;
    f->nlines = 0;
    fields[0] = (struct image_field){.name = STR("Note"), .type = t_maybe(type_text(1, 40)), .mode = FIELD_SET, .on_insert = true, .on_update = true};
    f->fields = fields;
    f->nfields = 1;
    uint16_t link = asm_reg(s, (struct type){.base = T_LINK, .module = 1});
    op(s, OP_LINK, link, 1, LIST(s, asm_column(s, f, C_DIVISION), asm_column(s, f, C_NUMBER)));
    op(s, OP_RESULT, link, 0, 0);
    f->into_program = asm_end(s);
    op(s, OP_SET, 0, asm_column(s, f, C_NAME), 0);
    op(s, OP_END, 0, 0, 0);
    f->map = asm_end(s);
    f->registers = s->regs;
    f->nregisters = s->nregs;
    im->flows = two;
    im->nflows = 2;
    im->nargs = s->nargs;
    image_bounds(im, f, &f->map);
    image_bounds(im, f, &f->into_program);
    return im;
}

static uint16_t *word_of(const struct image_program *p, enum opcode o, int word)
{
    for (size_t i = 0; i < p->ninstr; i++)
        if (p->code[4 * i] == o) return (uint16_t *)M(p->code) + 4 * i + word;
    return NULL;
}

#define SECOND(X) \
    X(second_far, "into", f->into = 3) X(second_self, "into", f->into = 2) X(second_module, "into", f->module = STR("Deals")) X(second_chain, "into", ((struct image_flow *)M(im->flows))[0].name.n ? (f[-1].into = 2, f[-1].key_field = 0, \
      ((struct image_field *)M(&f[-1].fields[F_KEY]))->mode = FIELD_SET, f[-1].key_program = (struct image_program){0}, f[-1].adopt = false, f[-1].into_program = f->into_program) : f->into_program) \
    X(second_adopt, "into", f->adopt = true) X(second_key, "into", f->key_program = f->into_program) X(second_with, "into", f->key_with_flow = true) X(second_none, "into", f->into_program.ninstr = 0) \
    X(second_key_field, "key-field", f->key_field = 1) X(second_mode, "key-field", FIELD_AT(0)->mode = FIELD_KEY) X(second_find, "into", *word_of(&f->into_program, OP_LINK, 2) = 0) \
    X(second_elsewhere, "into", link_of(f, a)[1].flow = 1) \
    X(second_result, "operand-type", *word_of(&f->into_program, OP_RESULT, 1) = *word_of(&f->into_program, OP_COLUMN, 1)) \
    X(second_end, "program-kind", (*word_of(&f->into_program, OP_COLUMN, 1) = 0, *word_of(&f->into_program, OP_COLUMN, 0) = OP_KEEP)) X(second_order, "flow-order", im->order = (static_keys[0] = 1, static_keys[1] = 0, static_keys)) \
    X(second_twice, "flow-order", im->order = (static_keys[0] = static_keys[1] = 0, static_keys)) X(second_name, "name-twice", f->name = STR("customers"))
SECOND(FUNCTION)

struct rule_case { const char *name, *rule; change *apply; bool second; };
#define ROW(name, rule, ...) {#name, rule, do_##name, false},
#define ROW2(name, rule, ...) {#name, rule, do_##name, true},
static const struct rule_case cases[] = {CHANGES(ROW) SECOND(ROW2)};

/* Kinds of link that are looked at by the order of flows. */
static void references(struct arena *a)
{
    struct image_fault why;
    struct image *im = image_of_two(a);
    struct image_flow *f = M(im->flows);
    struct image_link *l = link_of(&f[0], a);
    l[1].flow = 1;
    enum err e = image_verify(im, a, &why);
    ok(e == ERR_CORRUPT && strcmp(why.rule, "flow-order") == 0, "a flow refers to one that comes later", "%s: %s", why.rule, why.text);
    im = image_of_two(a);
    f = M(im->flows);
    struct image_link *in_line = ARENA_NEW(a, struct image_link);
    *in_line = (struct image_link){LINK_REF, {"crm", 3}, {"Accounts", 8}, {"", 0}, NULL, 0, 1};
    ((struct image_flow *)M(f->lines[0].body))->links = in_line;
    e = image_verify(im, a, &why);
    ok(e == ERR_CORRUPT, "so does a line of it", "%s: %s", why.rule, why.text);
}

int main(void)
{
    struct arena a;
    struct image_fault why;
    arena_init(&a, 1 << 20);
    ok(image_verify(image_of_two(&a), &a, &why) == ERR_OK, "the sample with a second flow is sound", "%s at %u: %s", why.rule, why.instr, why.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct image *im = cases[i].second ? image_of_two(&a) : sample_image(&a);
        char name[80];
        snprintf(name, sizeof name, "rule %s: %s", cases[i].rule, cases[i].name);
        cases[i].apply(im, (struct image_flow *)M(im->flows) + cases[i].second, &a);
        enum err e = image_verify(im, &a, &why);
        ok(e != ERR_OK && why.err == e && strcmp(why.rule, cases[i].rule) == 0, name, "%s at %u: %s", why.rule, why.instr, why.text);
        arena_reset(&a);
    }
    references(&a);
    arena_free(&a);
    return ok_done();
}
