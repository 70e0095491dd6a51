/* names.c - what names mean in a checked spec, and how many decimals a number of it has. */
#include "tests/reference/eval.h"
#include "base/check.h"

static const struct ast *let_among(struct ast_list clauses, struct str name)
{
    AST_EACH(n, clauses)
        if (n->kind == AST_LET && str_eq(AST_AS(let, n)->name.text, name)) return n;
    return NULL;
}

const struct ast *ref__let(const struct ref *r, struct str name, bool *inner)
{
    const struct ast *n = r->each ? let_among(r->each->clauses, name) : NULL;
    *inner = n != NULL;
    return n ? n : let_among(r->flow->ast->clauses, name);
}

bool ref__is_line(const struct ref *r, const struct ast *n)
{
    return r->each && n->kind == AST_USE && str_eq(AST_AS(use, n)->name.text, r->each->name.text);
}

const struct column *ref__line_column(const struct ref *r, struct str name)
{
    for (size_t i = 0; i < r->shape->lines->ncolumns; i++)
        if (str_eq(r->shape->lines->columns[i].name, name)) return &r->shape->lines->columns[i];
    check_failed("a column of a line", __FILE__, __LINE__);
}

const struct ast_fn *ref__fn(const struct ref *r, struct str name)
{
    AST_EACH(n, r->file->items)
        if (n->kind == AST_FN && str_eq(AST_AS(fn, n)->name.text, name)) return AST_AS(fn, n);
    return NULL;
}

const struct ref_table *ref__table(const struct ref *r, struct str name)
{
    for (const struct ref_table *t = r->tables; t != NULL; t = t->next)
        if (str_eq(t->name, name)) return t;
    check_failed("a table that the checker knows", __FILE__, __LINE__);
}

/* ---- tables ---- */

static void add(struct ref *r, struct ref_table *t, struct str key, struct ref_value v)
{
    struct str *keys = ARENA_ARRAY(r->kept, struct str, t->n + 1);
    struct ref_value *values = ARENA_ARRAY(r->kept, struct ref_value, t->n + 1);
    for (size_t i = 0; i < t->n; i++) {
        keys[i] = t->keys[i];
        values[i] = t->values[i];
    }
    keys[t->n] = key;
    values[t->n++] = v;
    t->keys = keys;
    t->values = values;
}

static void note_decimals(struct ref_table *t, const struct ref_value *v)
{
    if (v->kind == REF_NUMBER && v->number.scale > t->decimals) t->decimals = v->number.scale;
}

static void from_arms(struct ref *r, struct ref_table *t, const struct ast_table *n)
{
    AST_EACH(a, n->arms) {
        const struct ast_arm *arm = AST_AS(arm, a);
        struct ref_value v = ref__literal(r->kept, arm->value);
        note_decimals(t, &v);
        if (arm->otherwise) {
            t->has_else = true;
            t->otherwise = v;
        }
        AST_EACH(p, arm->patterns) add(r, t, AST_AS(text, p)->value, v);
    }
}

/* One cell, in quotes or not; *at is behind it, on the comma or the end of the line. */
static struct str cell(struct ref *r, struct str csv, size_t *at)
{
    struct buf b = {0};
    if (*at < csv.n && csv.p[*at] == '"') {
        for (++*at; *at < csv.n; ++*at) {
            bool quote = csv.p[*at] == '"';
            if (quote && (*at + 1 == csv.n || csv.p[*at + 1] != '"')) break;
            *at += quote;
            buf_byte(&b, (unsigned char)csv.p[*at]);
        }
        ++*at;
    } else
        for (; *at < csv.n && !strchr(",\r\n", csv.p[*at]); ++*at) buf_byte(&b, (unsigned char)csv.p[*at]);
    struct str s = {b.n ? arena_copy(r->kept, b.p, b.n) : "", b.n};
    buf_free(&b);
    return s;
}

/* The header names the columns; `from` is the key's, `to` the value's. */
static void from_csv(struct ref *r, struct ref_table *t, const struct ast_table_file *n, struct str csv)
{
    size_t from = SIZE_MAX, to = SIZE_MAX, at = csv.n >= 3 && memcmp(csv.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (bool header = true; at < csv.n; header = false) {
        struct str key = {NULL, 0}, v = {NULL, 0};
        for (size_t c = 0;; c++, at++) {
            struct str s = cell(r, csv, &at);
            if (header && str_eq(s, n->from.text)) from = c;
            if (header && str_eq(s, n->to.text)) to = c;
            if (c == from) key = s;
            if (c == to) v = s;
            if (at >= csv.n || csv.p[at] != ',') break;
        }
        while (at < csv.n && (csv.p[at] == '\r' || csv.p[at] == '\n')) at++;
        if (!header) add(r, t, key, (struct ref_value){.kind = v.n ? REF_TEXT : REF_ABSENT, .text = v});
    }
    ASSERT(from != SIZE_MAX && to != SIZE_MAX);
    if (n->otherwise) {
        t->has_else = true;
        t->otherwise = ref__literal(r->kept, n->otherwise);
    }
}

static void read_csv(struct ref *r, struct ref_table *t, const struct ast_table_file *n, const struct ref_files *files)
{
    struct str text;
    bool there = files->read(files->ctx, n->file->at, AST_AS(text, n->file)->value, r->kept, &text);
    ASSERT(there);
    from_csv(r, t, n, text);
}

void ref_open(struct ref *r, const struct ast_file *file, const struct spec *s, const struct ref_files *files, struct arena *kept)
{
    *r = (struct ref){.file = file, .flow = s->flows, .spec = s, .kept = kept};
    AST_EACH(n, file->items) {
        if (n->kind != AST_TABLE && n->kind != AST_TABLE_FILE) continue;
        struct ref_table *t = ARENA_NEW(kept, struct ref_table);
        t->next = r->tables;
        r->tables = t;
        t->name = n->kind == AST_TABLE ? AST_AS(table, n)->name.text : AST_AS(table_file, n)->name.text;
        if (n->kind == AST_TABLE) from_arms(r, t, AST_AS(table, n));
        else read_csv(r, t, AST_AS(table_file, n), files);
    }
}

/* ---- decimals ---- */

enum { NO_NUMBER = -1 };

static int most(int a, int b) { return a > b ? a : b; }

static int digits_behind(struct str s)
{
    const char *dot = memchr(s.p, '.', s.n);
    return dot ? (int)(s.p + s.n - dot) - 1 : 0;
}

static int decimals(const struct ref *r, const struct ast *n, const struct ast_fn *fn);

static int decimals_of_name(const struct ref *r, struct str name, const struct ast_fn *fn)
{
    if (fn) {
        AST_EACH(p, fn->params)
            if (str_eq(AST_AS(param, p)->name.text, name)) {
                const struct ast_type *t = AST_AS(type, AST_AS(param, p)->type);
                if (!str_is(t->name.text, "decimal")) return str_is(t->name.text, "number") ? 0 : NO_NUMBER;
                struct ref_number s = ref_number_read(AST_AS(number, t->args.first->next)->digits);
                return s.digit[0] + 10 * s.digit[1];
            }
    }
    bool inner;
    const struct ast *let = ref__let(r, name, &inner);
    if (let) return decimals(r, AST_AS(let, let)->value, NULL);
    for (size_t i = 0; i < r->flow->entity->ncolumns; i++) {
        const struct column *c = &r->flow->entity->columns[i];
        if (str_eq(c->name, name)) return c->type.base == T_DECIMAL ? c->type.scale : NO_NUMBER;
    }
    return NO_NUMBER;
}

static int written_out(const struct ast *n)
{
    struct ref_number k = ref_number_read(AST_AS(number, n)->digits);
    return k.digit[0] + 10 * k.digit[1];
}

static int decimals_of_call(const struct ref *r, const struct ast_call *n, const struct ast_fn *in)
{
    static const char *const whole[] = {"length", "floor", "ceil", "year", "month", "day", "weekday", "days_between"};
    const struct ast_fn *fn = ref__fn(r, n->name.text);
    const struct ast *first = n->args.first;
    int k = NO_NUMBER;
    if (fn) return decimals(r, fn->body, fn);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (str_is(n->name.text, whole[i])) return 0;
    if (str_is(n->name.text, "divide") || str_is(n->name.text, "to_number")) return written_out(first->next->next);
    if (str_is(n->name.text, "abs")) return decimals(r, first, in);
    if (str_is(n->name.text, "round")) {
        int own = decimals(r, first, in), asked = written_out(first->next);
        return own < asked ? own : asked;
    }
    if (!str_is(n->name.text, "min") && !str_is(n->name.text, "max")) return NO_NUMBER;
    AST_EACH(a, n->args) k = most(k, decimals(r, a, in));
    return k;
}

static int decimals(const struct ref *r, const struct ast *n, const struct ast_fn *fn)
{
    switch ((enum ast_kind)n->kind) {
    case AST_NUMBER: return digits_behind(AST_AS(number, n)->digits);
    case AST_USE: return decimals_of_name(r, AST_AS(use, n)->name.text, fn);
    case AST_UNARY: return decimals(r, AST_AS(unary, n)->value, fn);
    case AST_BINARY: {
        const struct ast_binary *b = AST_AS(binary, n);
        int x = decimals(r, b->left, fn), y = decimals(r, b->right, fn);
        return b->op == OP_MUL ? x + y : most(x, y);
    }
    case AST_MEMBER: {
        const struct ast_member *m = AST_AS(member, n);
        const struct column *c = ref__is_line(r, m->of) ? ref__line_column(r, m->name.text) : NULL;
        return c && c->type.base == T_DECIMAL ? c->type.scale : NO_NUMBER;
    }
    case AST_INDEX: return (int)ref__table(r, AST_AS(index, n)->table.text)->decimals;
    case AST_CALL: return decimals_of_call(r, AST_AS(call, n), fn);
    case AST_MATCH: {
        int k = NO_NUMBER;
        AST_EACH(a, AST_AS(match, n)->arms) k = most(k, decimals(r, AST_AS(arm, a)->value, fn));
        return k;
    }
    default: return NO_NUMBER;
    }
}

unsigned ref__decimals(const struct ref *r, const struct ast *n, const struct ast_fn *fn)
{
    int k = decimals(r, n, fn);
    ASSERT(k >= 0);
    return (unsigned)k;
}

/* ---- the vm's values ---- */

/* Days since 1970-01-01 as YYYY-MM-DD, counted year by year and month by month. */
static const char *day_text(struct arena *a, int64_t days)
{
    static const int months[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1970, month = 0;
    for (;; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (days >= 0 && days < 365 + leap) break;
        if (days < 0) {
            year--;
            leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
            days += 365 + leap;
            year--;
        } else days -= 365 + leap;
    }
    for (;; month++) {
        int n = months[month] + (month == 1 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));
        if (days < n) break;
        days -= n;
    }
    return arena_printf(a, "%04d-%02d-%02d", year, month + 1, (int)days + 1);
}

static struct str time_text(struct arena *a, int64_t ms)
{
    int64_t days = ms / 86400000 - (ms % 86400000 < 0), rest = ms - days * 86400000;
    int s = (int)(rest / 1000);
    return str_of(arena_printf(a, "%sT%02d:%02d:%02d.%03d", day_text(a, days), s / 3600, s / 60 % 60, s % 60, (int)(rest % 1000)));
}

static struct ref_value link_from_vm(const struct link *l, const struct image *im, const struct image_flow *f, struct arena *a)
{
    const struct image_link *site = &f->links[l->site];
    struct ref_link *k = ARENA_NEW(a, struct ref_link);
    *k = (struct ref_link){.ref = site->kind == LINK_REF, .to = site->kind == LINK_REF ? im->flows[site->flow].name : site->module, .n = l->nargs};
    ASSERT(l->nargs <= REF_PARTS);
    for (size_t i = 0; i < k->n; i++) {
        k->values[i] = ref_from_vm(&l->args[i], im, f, a);
        if (!k->ref) k->fields[i] = i == 0 ? site->field : site->more[i - 1];
    }
    return (struct ref_value){.kind = REF_LINK, .link = k};
}

struct ref_value ref_from_vm(const struct value *v, const struct image *im, const struct image_flow *f, struct arena *a)
{
    struct ref_value out = {.kind = REF_ABSENT};
    switch ((enum value_kind)v->kind) {
    case V_ABSENT: break;
    case V_BOOL: out = (struct ref_value){.kind = REF_BOOL, .yes = v->u.b}; break;
    case V_TEXT: out = (struct ref_value){.kind = REF_TEXT, .text = value_str(v)}; break;
    case V_DECIMAL: out = (struct ref_value){.kind = REF_NUMBER, .number = ref_number_of(v->u.coef, v->scale)}; break;
    case V_DATE: out = (struct ref_value){.kind = REF_DAY, .text = str_of(day_text(a, v->u.i))}; break;
    case V_LOCAL: out = (struct ref_value){.kind = REF_WALL, .text = time_text(a, v->u.i)}; break;
    case V_INSTANT: out = (struct ref_value){.kind = REF_POINT, .text = time_text(a, v->u.i)}; break;
    case V_LINK: out = link_from_vm(v->u.link, im, f, a); break;
    case V_ID: check_failed("an id out of a mapping", __FILE__, __LINE__);
    case V_LIST: out = ref_lines_from_vm(v, im, NULL, a); break;
    }
    return out;
}

struct ref_value ref_lines_from_vm(const struct value *v, const struct image *im, const struct image_flow *body, struct arena *a)
{
    struct ref_list *l = ARENA_NEW(a, struct ref_list);
    if (v->kind != V_LIST) return (struct ref_value){.kind = REF_ABSENT};
    struct ref_line *lines = ARENA_ARRAY(a, struct ref_line, v->u.list->nlines);
    for (size_t i = 0; i < v->u.list->nlines; i++) {
        const struct list_line *from = &v->u.list->lines[i];
        struct ref_value *fields = ARENA_ARRAY(a, struct ref_value, v->u.list->nfields + 1u);
        for (size_t k = 0; k < v->u.list->nfields; k++) fields[k] = ref_from_vm(&from->fields[k], im, body, a);
        lines[i] = (struct ref_line){body ? value_str(&from->key) : (struct str){"", 0}, fields};
    }
    *l = (struct ref_list){v->u.list->names, v->u.list->nfields, lines, v->u.list->nlines};
    return (struct ref_value){.kind = REF_LIST, .list = l};
}

static void show_lines(struct buf *out, const struct ref_list *l)
{
    buf_byte(out, '[');
    for (size_t i = 0; i < l->nlines; i++) {
        buf_printf(out, "%s%.*s{", i ? ", " : "", (int)l->lines[i].key.n, l->lines[i].key.p);
        for (size_t k = 0; k < l->nfields; k++) {
            buf_printf(out, "%s%.*s = ", k ? ", " : "", (int)l->names[k].n, l->names[k].p);
            ref_show(out, &l->lines[i].fields[k]);
        }
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

void ref_show(struct buf *out, const struct ref_value *v)
{
    switch (v->kind) {
    case REF_ABSENT: buf_puts(out, "(absent)"); break;
    case REF_BOOL: buf_puts(out, v->yes ? "true" : "false"); break;
    case REF_NUMBER: ref_number_write(out, &v->number, 0); break;
    case REF_LINK:
        buf_printf(out, "%s %.*s(", v->link->ref ? "ref" : "find", (int)v->link->to.n, v->link->to.p);
        for (size_t i = 0; i < v->link->n; i++) {
            buf_printf(out, "%s%.*s%s", i ? ", " : "", (int)v->link->fields[i].n, v->link->fields[i].n ? v->link->fields[i].p : "", v->link->ref ? "" : " = ");
            ref_show(out, &v->link->values[i]);
        }
        buf_byte(out, ')');
        break;
    case REF_LIST: show_lines(out, v->list); break;
    case REF_TEXT: buf_printf(out, "\"%.*s\"", (int)v->text.n, v->text.p); break;
    default: buf_str(out, v->text); break;
    }
}
