/* diff_test.c - mlc diff on the pairs under tests/diff (MLC_DIFF_DIR says where else): NNN-name/old.mlc, new.mlc and expect, written by hand:
 *
 *   D301 f.T DIFFERENT Code="b" Name : "2" -> "9"     rule, subject, verdict, the witness's columns (all of them; a value where it is certain), both results
 *   ~ "b" "two" "zwei"                                an entry of that finding's table: ~ changed, + added, - removed
 *   equal 2                                           rules written differently that were proved EQUAL
 *
 * Each pair is compared as sources, as compiled files that were written and loaded again, and as one of each. Every witness is run once more, from
 * its JSON row, through images that the comparison never saw. The pairs together must hit every rule. */
#include "compiler/diff/diff.h"
#include "compiler/rows.h"
#include <stdio.h>
#include <stdlib.h>

static const char *root = "tests/diff";
static struct world world;
static int failures;
static bool seen_rule[RULE_COUNT];
static struct { size_t pairs, silent, equal, different, witnesses, undecided, plain; } tally;    /* over the pairs as sources */

static void result(const char *name, const char *how, const char *why)
{
    if (why == NULL) printf("ok %s%s\n", name, how);
    else {
        printf("not ok %s%s: %s\n", name, how, why);
        failures++;
    }
}

/* ---- the two versions ---- */

struct version { struct compile c; struct image *made, *loaded, *fresh; struct arena a; };

static struct image *load(struct version *v, const struct image *im)
{
    struct buf bytes = {0};
    struct image *out = NULL;
    struct image_fault why;
    image_write(im, &bytes);
    struct str copy = {arena_copy(&v->a, bytes.p, bytes.n), bytes.n};
    buf_free(&bytes);
    if (image_load(copy, &v->a, &out, &why) != ERR_OK) printf("# does not load: %s %s\n", why.rule, why.text);
    return out;
}

static const char *open_version(struct version *v, const char *path)
{
    struct fault f = {0};
    struct buf b = {0};
    arena_init(&v->a, 0);
    if (compile_open(&v->c, &world, path, &f) != ERR_OK) return arena_printf(&v->a, "%s", f.text);
    if (v->c.diags.nerrors == 0) v->made = compile_image(&v->c);
    if (!v->made) {
        diags_print(&v->c.diags, DIAG_FORMAT_TEXT, false, &b);
        const char *why = arena_copy(&v->a, b.p, b.n);
        buf_free(&b);
        return why;
    }
    v->loaded = load(v, v->made);
    v->fresh = load(v, v->made);
    return v->loaded && v->fresh ? NULL : "does not load";
}

static void close_version(struct version *v)
{
    compile_close(&v->c);
    arena_free(&v->a);
}

/* ---- a witness, run once more ---- */

/* As the findings write it: `ref invoices("1", "2")`, and of a find the module and its fields by name. */
static void print_value(struct buf *out, const struct image *im, const struct image_flow *of, const struct value *v)
{
    if (v->kind != V_LINK) {
        value_json(out, v);
        return;
    }
    const struct image_link *site = &of->links[v->u.link->site];
    struct str name = site->kind == LINK_REF ? im->flows[site->flow].name : site->module;
    buf_printf(out, "%s %.*s(", site->kind == LINK_REF ? "ref" : "find", (int)name.n, name.p);
    for (size_t i = 0; i < v->u.link->nargs; i++) {
        if (i) buf_puts(out, ", ");
        if (site->kind == LINK_FIND) {
            buf_str(out, i ? site->more[i - 1] : site->field);
            buf_puts(out, " = ");
        }
        value_json(out, &v->u.link->args[i]);
    }
    buf_byte(out, ')');
}

static void print_reject(struct buf *out, struct str message)
{
    struct value m = value_text(message);
    buf_puts(out, "reject ");
    value_json(out, &m);
}

static size_t field_at(const struct image_flow *fl, struct str name)
{
    for (size_t i = 0; i < fl->nfields; i++)
        if (str_eq(fl->fields[i].name, name)) return i;
    return SIZE_MAX;
}

/* What became of the one line that the row has. name: "List" or "List.Field". */
static void print_line(struct buf *out, enum diff_rule rule, const struct image *im, const struct image_flow *fl, const struct vm_out *vo, const char *name)
{
    const char *dot = strchr(name, '.');
    size_t n = dot ? (size_t)(dot - name) : strlen(name), list = field_at(fl, (struct str){name, n});
    const struct image_flow *body = fl->lines[fl->fields[list].lines - 1].body;
    const struct value *v = vo->rejected ? &value_absent : vo->values[list];
    if (rule == RULE_LINE_FILTER) buf_puts(out, v->kind == V_LIST ? "taken" : "left out");
    else if (vo->rejected) print_reject(out, vo->message);
    else if (v->kind != V_LIST) buf_puts(out, "left out");
    else if (rule == RULE_LINE_KEY) value_json(out, &v->u.list->lines[0].key);
    else print_value(out, im, body, &v->u.list->lines[0].fields[field_at(body, str_of(dot + 1))]);
}

static void print_into(struct buf *out, const struct image *im, struct vm *vm, const struct image_flow *fl, const struct value *cols)
{
    const struct str *rejected;
    struct value v = vm_into(vm, fl, cols, &rejected);
    if (rejected) print_reject(out, *rejected);
    else print_value(out, im, fl, &v);
}

static void print_mapped(struct buf *out, enum diff_rule rule, const struct image *im, struct vm *vm, const struct image_flow *fl, const struct value *cols, const char *field)
{
    struct vm_out vo;
    vm_map(vm, fl, cols, &vo);
    size_t i = field_at(fl, str_of(field));
    if (rule == RULE_LINE_FILTER || rule == RULE_LINE_KEY || i == SIZE_MAX) print_line(out, rule, im, fl, &vo, field);
    else if (vo.rejected) print_reject(out, vo.message);
    else if (vo.ops[i] == VM_KEEP) buf_puts(out, "keep");
    else print_value(out, im, fl, vo.values[i]);
}

static void print_outcome(struct buf *out, enum diff_rule rule, const struct image *im, struct vm *vm, const struct image_flow *fl, const struct value *cols, const char *field)
{
    struct value v;
    char why[160];
    if (!vm_row_fits(fl, cols, why, sizeof why)) buf_puts(out, "no row of the declared types: set aside");
    else if (rule == RULE_KEY_FORM) {
        v = vm_key(vm, fl, cols);
        value_json(out, &v);
    } else if (!vm_when(vm, fl, cols)) buf_puts(out, "left out");
    else if (rule == RULE_FILTER || rule == RULE_COLUMN_TYPE) buf_puts(out, "taken");
    else if (rule == RULE_INTO_RECORD || (rule == RULE_REJECT_MESSAGE && !field)) print_into(out, im, vm, fl, cols);
    else if (rule == RULE_ADOPT) {
        v = vm_adopt(vm, fl, cols);
        value_json(out, &v);
    } else print_mapped(out, rule, im, vm, fl, cols, field);
}

static const struct image_flow *flow_of(const struct image *im, const char *name, const struct image *other)
{
    const struct image_flow *f = image_flow_named(im, str_of(name)), *moved = image_flow_named(other, str_of(name));
    return f ? f : moved ? image_flow_named(im, moved->moved_from) : NULL;
}

/* NULL, or how the witness does not hold. */
static const char *recheck(const struct diff_finding *f, const struct image *const im[2], struct arena *a)
{
    const char *got[2];
    for (int k = 0; k < 2; k++) {
        const struct image_flow *fl = flow_of(im[k], f->flow, im[1 - k]);
        struct value *cols = ARENA_ARRAY(a, struct value, fl->ncolumns + 1);
        const char *violation;
        char why[160];
        struct buf b = {0};
        if (!rows_read(fl, str_of(f->witness->row), a, cols, &violation, why, sizeof why)) return arena_printf(a, "witness row of %s: %s", f->subject, why);
        struct vm *vm = vm_new(im[k]);
        if (violation) buf_puts(&b, "no row of the declared types: set aside");
        else print_outcome(&b, f->rule, im[k], vm, fl, cols, f->field);
        vm_free(vm);
        got[k] = arena_copy(a, b.p, b.n);
        buf_free(&b);
        if (strcmp(got[k], f->witness->result[k]) != 0)
            return arena_printf(a, "witness of %s gives %s, not %s", f->subject, got[k], f->witness->result[k]);
    }
    return strcmp(got[0], got[1]) == 0 ? arena_printf(a, "witness of %s shows no difference", f->subject) : NULL;
}

/* ---- against what was expected ---- */

struct lines { char *text; char *list[64]; bool met[64]; size_t n; };

static void split(struct lines *l, struct str text, struct arena *a)
{
    l->text = arena_copy(a, text.p, text.n);
    for (char *p = l->text; *p && l->n < 64;) {
        char *end = strchr(p, '\n');
        if (end) *end = 0;
        if (*p && *p != '#') l->list[l->n++] = p;
        p = end ? end + 1 : p + strlen(p);
    }
}

/* The witness's columns against "Code="b" Name"; every one of its own must be named, and nothing else. */
static bool columns_match(const struct diff_finding *f, const char *spec, size_t n)
{
    size_t named = 0, own = 0;
    for (size_t i = 0; f->witness && i < f->witness->n; i++) own += !f->witness->cells[i].aside;
    for (size_t at = 0; at < n;) {
        while (at < n && spec[at] == ' ') at++;
        size_t len = 0;
        bool quoted = false, found = false;
        while (at + len < n && (spec[at + len] != ' ' || quoted)) quoted ^= spec[at + len++] == '"';
        if (len == 0) break;
        size_t name = 0;
        while (name < len && spec[at + name] != '=') name++;
        for (size_t i = 0; f->witness && i < f->witness->n; i++) {
            const struct diff_cell *c = &f->witness->cells[i];
            if (c->aside || !str_eq(c->column, (struct str){spec + at, name})) continue;
            found = name == len || str_eq(str_of(c->json), (struct str){spec + at + name + 1, len - name - 1});
        }
        if (!found) return false;
        named++;
        at += len;
    }
    return named == own;
}

static bool results_match(const struct diff_finding *f, const char *spec)
{
    char both[600];
    if (!f->witness) return false;
    snprintf(both, sizeof both, "%s -> %s", f->witness->result[0], f->witness->result[1]);
    return strcmp(both, spec) == 0;
}

static bool line_matches(const struct diff_finding *f, const char *line)
{
    const char *id = diff_rules[f->rule].id, *verdict = f->verdict == DIFF_DIFFERENT ? "DIFFERENT" : f->verdict == DIFF_UNDECIDED ? "UNDECIDED" : "";
    char head[300];
    snprintf(head, sizeof head, "%s %s%s%s", id, f->subject, *verdict ? " " : "", verdict);
    size_t n = strlen(head);
    if (strncmp(line, head, n) != 0 || (line[n] != 0 && line[n] != ' ')) return false;
    const char *results = strstr(line + n, " : ");
    if (results && !results_match(f, results + 3)) return false;
    return columns_match(f, line + n, results ? (size_t)(results - line) - n : strlen(line + n));
}

static void entry_text(const struct diff_entry *e, char *out, size_t n)
{
    if (!e->old_value) snprintf(out, n, "+ %s %s", e->key, e->new_value);
    else if (!e->new_value) snprintf(out, n, "- %s %s", e->key, e->old_value);
    else snprintf(out, n, "~ %s %s %s", e->key, e->old_value, e->new_value);
}

static const char *check_entries(const struct diff_finding *f, struct lines *l, size_t at)
{
    for (size_t i = 0; i < f->nentries; i++) {
        char text[300];
        bool found = false;
        entry_text(&f->entries[i], text, sizeof text);
        for (size_t k = at + 1; k < l->n && strchr("~+-", l->list[k][0]); k++)
            if (strcmp(l->list[k], text) == 0) found = l->met[k] = true;
        if (!found) return "an entry of a table is not expected";
    }
    return NULL;
}

static const char *check(struct diff *d, struct lines *l, const struct image *const im[2], bool sources, struct arena *a)
{
    const char *why = NULL;
    for (const struct diff_finding *f = d->first; f != NULL && !why; f = f->next) {
        size_t k = 0;
        while (k < l->n && (l->met[k] || !line_matches(f, l->list[k]))) k++;
        if (k == l->n) return "a finding is not expected";
        l->met[k] = seen_rule[f->rule] = true;
        why = check_entries(f, l, k);
        if (!why && f->witness) why = recheck(f, im, a);
        if (!why && f->verdict == DIFF_DIFFERENT && !f->witness) why = "different without a witness";
        for (int s = 0; s < 2 && sources && !why; s++)
            if (f->text[s] && *f->text[s] && f->at[s].file && f->at[s].line == 0 && f->rule != RULE_TITLE) why = "a finding without a place";
    }
    for (size_t k = 0; k < l->n && !why; k++) {
        char equal[40];
        snprintf(equal, sizeof equal, "equal %zu", d->equal);
        if (strncmp(l->list[k], "equal ", 6) == 0) l->met[k] = strcmp(l->list[k], equal) == 0;
        if (!l->met[k]) why = arena_printf(a, "missing: %s", l->list[k]);
    }
    bool said = false;
    for (size_t k = 0; k < l->n; k++) said = said || strncmp(l->list[k], "equal ", 6) == 0;
    return why || said || d->equal == 0 ? why : "rules are proved equal that were not expected to be written differently";
}

/* Counts what one pair shows, and says which of it is undecided and why: its expectation's remark. */
static void count(const char *name, const struct diff *d, struct str expect)
{
    tally.pairs++;
    tally.silent += d->n == 0;
    tally.equal += d->equal;
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next) {
        tally.plain += f->verdict == DIFF_PLAIN;
        tally.different += f->verdict == DIFF_DIFFERENT;
        tally.witnesses += f->witness != NULL;
        tally.undecided += f->verdict == DIFF_UNDECIDED;
        if (f->verdict != DIFF_UNDECIDED) continue;
        const char *end = memchr(expect.p, '\n', expect.n);
        bool told = expect.n > 2 && expect.p[0] == '#' && end;
        printf("# UNDECIDED %s %s in %s: %.*s\n", diff_rules[f->rule].id, f->subject, name, told ? (int)(end - expect.p - 2) : 0, expect.p + 2);
        if (!told) result(name, " says why", "an undecided finding, and the expectation does not say why");
    }
}

static void compare(const char *name, const char *how, struct diff_side x, struct diff_side y, struct str expect, const struct image *const fresh[2], bool sources)
{
    struct arena a;
    struct diff d;
    struct lines l = {.n = 0};
    struct buf text = {0};
    arena_init(&a, 0);
    split(&l, expect, &a);
    diff_specs(&d, &a, x, y, NULL);
    const char *why = check(&d, &l, fresh, sources, &a);
    diff_print(&d, NULL, DIFF_FORMAT_TEXT, &text);
    if (why) why = arena_printf(&a, "%s\n--- expected\n%.*s--- got\n%.*s---", why, (int)expect.n, expect.p, (int)text.n, text.p);
    result(name, how, why);
    if (!*how) count(name, &d, expect);
    buf_free(&text);
    arena_free(&a);
}

static void pair(const char *name)
{
    struct version v[2];
    struct str expect = {"", 0};
    struct fault f;
    memset(v, 0, sizeof v);
    struct arena a;
    arena_init(&a, 0);
    const char *why = open_version(&v[0], arena_printf(&a, "%s/%s/old.mlc", root, name));
    const char *why2 = open_version(&v[1], arena_printf(&a, "%s/%s/new.mlc", root, name));
    bool read = world_read_file(&world, arena_printf(&a, "%s/%s/expect", root, name), 1u << 20, &a, &expect, &f) == ERR_OK;
    if (why || why2 || !read) result(name, "", why ? why : why2 ? why2 : "no expectation");
    else {
        const struct image *const fresh[2] = {v[0].fresh, v[1].fresh};
        struct diff_side src[2] = {{v[0].made, &v[0].c, "old.mlc"}, {v[1].made, &v[1].c, "new.mlc"}};
        struct diff_side bin[2] = {{v[0].loaded, NULL, "old.mlcb"}, {v[1].loaded, NULL, "new.mlcb"}};
        compare(name, "", src[0], src[1], expect, fresh, true);
        compare(name, " compiled", bin[0], bin[1], expect, fresh, false);
        compare(name, " compiled and source", bin[0], src[1], expect, fresh, false);
        compare(name, " with itself", src[1], bin[1], str_of(""), fresh, false);
    }
    close_version(&v[0]);
    close_version(&v[1]);
    arena_free(&a);
}

struct names { char *list[512]; size_t n; };

static void collect(void *arg, const char *name)
{
    struct names *n = arg;
    if (name[0] != '.' && n->n < 512) n->list[n->n++] = strdup(name);
}

int main(void)
{
    struct names n = {.n = 0};
    const char *dir = getenv("MLC_DIFF_DIR");
    if (dir && *dir) root = dir;
    world_real(&world);
    if (world.files.list(world.files.ctx, root, collect, &n) != 0 || n.n < 60) result(root, "", "fewer than 60 pairs");
    for (size_t i = 0; i < n.n; i++) {
        pair(n.list[i]);
        free(n.list[i]);
    }
    printf("# %zu pairs, %zu without a finding; %zu rules written differently and EQUAL; %zu findings DIFFERENT, %zu with a witness; %zu UNDECIDED; %zu of no rule\n",
           tally.pairs, tally.silent, tally.equal, tally.different, tally.witnesses, tally.undecided, tally.plain);
    result("every difference of rules has a witness", "", tally.different == tally.witnesses ? NULL : "not all");
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (!seen_rule[i]) result(diff_rules[i].id, "", "no pair has this finding");
    return failures ? 1 : 0;
}
