/* proved_test.c - what the compiler calls PROVED, tried out: for every example spec, random rows within the declared bounds of the source go through the
 * mapping into the strict model of Zoho, and no field is refused (issue: what the language must show, 3). The cases of tests/lang/proof too.
 *
 *   MLC_PROVED_ROWS rows for each flow (5,000); half of them at the bounds. MLC_PROVED_SPECS: which specs instead of the examples (a glob).
 *
 * The whole record is sent, guarded fields included, because a module refuses records without its required fields: a refusal names the field. Rows have
 * random lines where the flow runs over lists, links lead to a record that is there, and a flow `into` another's records changes records that are there.
 * The organisation has the fields and modules of its own that the spec knows, as after `mlcd prepare`; its standard fields are the model's, or those of
 * tests/e2e/NAME/org.json. */
#include "base/limits.h"
#include "store/rowkey.h"
#include "tests/reference/agree.h"
#include "tests/reference/org.h"
#include <glob.h>
#include <unistd.h>

enum { BATCH = 100, ROOM = 5000 /* records in one model, then a fresh one: before its token ends */, SHOWN = 5 };

struct trial {
    const struct flow *flow;
    const struct image *im;
    const struct image_flow *f;
    struct vm *vm;
    struct arena mem;
    struct values pool;
    const struct spec *spec;
    const char *org_path;
    struct org org;
    struct buf body;
    char there[BATCH][ORG_ID];       /* of a flow into another's records: those that it changes */
    uint64_t seed, counter, sent, lines, rejected, skipped, refused, assumed, broken;
    size_t in_batch, in_room;
    bool planted;                    /* one text is a character longer than its field takes: all must be refused */
};

static void random_row(struct trial *t, bool edge, struct value *row)
{
    const struct schema *e = t->flow->entity;
    uint64_t n = t->counter++;
    for (size_t i = e->ncolumns; i-- > 0;) {
        const struct column *c = &e->columns[i];
        row[i] = !c->known_type || !(c->key || t->flow->reads[i]) ? value_absent : c->key ? agree_key_part(&c->type, &n, &t->mem) : agree_random_value(c, &t->pool, &t->seed, edge, &t->mem);
    }
    for (size_t i = 0; i < e->ncolumns; i++) {
        const struct schema *lines = agree_lines_of(t->flow, i);
        if (lines) row[i] = agree_random_lines(t->flow, row, lines, &t->pool, &t->seed, edge, &t->mem);
    }
}

/* ---- one record as the connector would write it ---- */

static void put_key(struct trial *t, const struct value *cols)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    struct buf key = {0};
    size_t n = 0;
    if (t->f->key_program.ninstr) {
        struct value own = vm_key(t->vm, t->f, cols);
        value_json(&t->body, &own);
        return;
    }
    if (t->f->key_with_flow) parts[n++] = t->f->name;
    if (t->f->ncompanies) parts[n++] = t->f->companies[0];
    for (size_t i = 0; i < t->f->nkeys; i++) {
        struct buf b = {0};
        value_print(&b, &cols[t->f->key_columns[i]]);
        parts[n++] = (struct str){arena_copy(&t->mem, b.p, b.n), b.n};
        buf_free(&b);
    }
    rowkey_text(&key, parts, n);
    struct value text = value_text(buf_view(&key));
    value_json(&t->body, &text);
    buf_free(&key);
}

static void put_too_long(struct trial *t, const struct image_field *fl)
{
    buf_byte(&t->body, '"');
    for (uint32_t i = 0; i <= fl->type.max_len; i++) buf_byte(&t->body, 'x');
    buf_byte(&t->body, '"');
}

static void put_value(struct trial *t, const struct image_flow *f, const struct image_field *fl, const struct value *v);

static void put_lines(struct trial *t, const struct image_flow *body, const struct list *l)
{
    buf_byte(&t->body, '[');
    for (size_t i = 0; i < l->nlines; i++) {
        buf_puts(&t->body, i ? ",{" : "{");
        for (size_t k = 0; k < l->nfields; k++) {
            buf_printf(&t->body, "%s\"%.*s\":", k ? "," : "", (int)l->names[k].n, l->names[k].p);
            put_value(t, body, &body->fields[k], &l->lines[i].fields[k]);
        }
        buf_byte(&t->body, '}');
    }
    buf_byte(&t->body, ']');
    t->lines += l->nlines;
}

static void put_value(struct trial *t, const struct image_flow *f, const struct image_field *fl, const struct value *v)
{
    if (v->kind == V_LIST) put_lines(t, f->lines[fl->lines - 1].body, v->u.list);
    else if (v->kind == V_LINK) {
        const struct image_link *k = &f->links[v->u.link->site];
        struct str module = k->kind == LINK_REF ? t->im->flows[k->flow].module : k->module;
        buf_printf(&t->body, "{\"id\":\"%s\"}", org_id(&t->org, arena_printf(&t->mem, "%.*s", (int)module.n, module.p)));
    } else value_json(&t->body, v);
}

static void put_fields(struct trial *t, const struct value *cols, const struct vm_out *out, bool first)
{
    for (size_t i = 0; i < t->f->nfields; i++) {
        const struct image_field *fl = &t->f->fields[i];
        bool key = fl->mode == FIELD_KEY;
        if (!key && out->ops[i] != VM_SET) continue;
        buf_printf(&t->body, "%s\"%.*s\":", first ? "" : ",", (int)fl->name.n, fl->name.p);
        first = false;
        if (key) put_key(t, cols);
        else if (t->planted && fl->type.base == T_TEXT && fl->type.nset == 0) put_too_long(t, fl);
        else put_value(t, t->f, fl, out->values[i]);
    }
}

static bool of_no_record(struct trial *t, const struct value *cols)
{
    const struct str *why = NULL;
    struct value to = t->f->into ? vm_into(t->vm, t->f, cols, &why) : value_absent;
    if (why) t->rejected++;
    else if (t->f->into && !value_present(&to)) t->skipped++;
    else return false;
    return true;
}

/* False: the row does not become a record. */
static bool put_record(struct trial *t, const struct value *cols)
{
    struct vm_out out;
    if (!vm_when(t->vm, t->f, cols)) {
        t->skipped++;
        return false;
    }
    if (of_no_record(t, cols)) return false;
    vm_map(t->vm, t->f, cols, &out);
    if (out.rejected) {
        t->rejected++;
        return false;
    }
    buf_puts(&t->body, t->in_batch ? ",{" : "{");
    if (t->f->into) buf_printf(&t->body, "\"id\":\"%s\"", t->there[t->in_batch]);
    put_fields(t, cols, &out, t->f->into == 0);
    buf_byte(&t->body, '}');
    return true;
}

/* ---- sending ---- */

static const char *verdict_of(const struct flow *f, const char *name)
{
    for (size_t i = 0; name && i < f->nfields; i++)
        if (str_is(f->fields[i]->column->name, name)) return verdict_name(f->fields[i]->verdict);
    return "-";
}

static void look_at_answers(struct trial *t)
{
    const json_t *data = json_object_get(t->org.stand.body, "data");
    json_error_t err;
    json_t *sent = json_loadb(t->body.p, t->body.n, 0, &err);
    if (json_array_size(data) != t->in_batch) t->broken++;
    for (size_t i = 0; i < t->in_batch; i++) {
        const json_t *one = json_array_get(data, i);
        const char *code = json_string_value(json_object_get(one, "code")), *name = json_string_value(at(one, "details.api_name"));
        if (code && strcmp(code, "SUCCESS") == 0) continue;
        if (strcmp(verdict_of(t->flow, name), "ASSUMED") == 0) {      /* refused is what the verdict warns of */
            t->assumed++;
            continue;
        }
        if (t->refused++ >= SHOWN || t->planted) continue;
        char *answer = one ? json_dumps(one, JSON_COMPACT) : NULL;
        char *record = json_dumps(json_array_get(json_object_get(sent, "data"), i), JSON_COMPACT);
        printf("# refused, %s: %s\n#   %s\n", verdict_of(t->flow, name), answer ? answer : t->org.stand.resp.body, record ? record : "?");
        free(answer);
        free(record);
    }
    json_decref(sent);
}

static const char *module_name(struct trial *t)
{
    return arena_printf(&t->mem, "%.*s", (int)t->f->module.n, t->f->module.p);
}

static void open_room(struct trial *t)
{
    org_open(&t->org, t->org_path, t->spec);
    for (size_t i = 0; t->f->into && i < BATCH; i++)
        if (!org_fresh(&t->org, module_name(t), t->there[i])) t->broken++;
    t->in_room = 0;
}

static void send(struct trial *t)
{
    if (t->in_batch == 0) return;
    buf_puts(&t->body, "],\"trigger\":[]}");
    t->org.stand.now_ms += 60000;
    call(&t->org.stand, t->f->into ? "PUT" : "POST", arena_printf(&t->mem, "/crm/v8/%s", module_name(t)), buf_cstr(&t->body));
    look_at_answers(t);
    t->sent += t->in_batch;
    t->in_room += t->in_batch;
    t->in_batch = 0;
    if (t->in_room >= ROOM) {
        org_close(&t->org);
        open_room(t);
    }
}

static void compose(struct trial *t, const size_t *column_of, bool edge)
{
    struct value row[LIMIT_COLUMNS], cols[LIMIT_COLUMNS];
    arena_reset(&t->mem);
    random_row(t, edge, row);
    for (size_t i = 0; i < t->f->ncolumns; i++)
        if (!type_project(&t->f->columns[i].type, &row[column_of[i]], &t->mem, &cols[i])) t->broken++;
    if (t->broken || !vm_row_fits(t->f, cols, NULL, 0)) {
        t->broken++;
        return;
    }
    if (t->in_batch == 0) {
        buf_clear(&t->body);
        buf_puts(&t->body, "{\"data\":[");
    }
    t->in_batch += put_record(t, cols);
}

static void run_flow(struct trial *t, uint64_t rows)
{
    const size_t n = t->flow->entity->ncolumns;
    size_t column_of[LIMIT_COLUMNS] = {0};
    for (size_t i = 0; i < t->f->ncolumns; i++)
        for (size_t k = 0; k < n; k++)
            if (str_eq(t->flow->entity->columns[k].name, t->f->columns[i].name)) column_of[i] = k;
    open_room(t);
    for (uint64_t tries = 0; t->sent + t->in_batch < rows && tries < rows * 60 && t->broken == 0; tries++) {
        compose(t, column_of, tries % 2);
        if (t->in_batch == BATCH) send(t);
    }
    send(t);
    org_close(&t->org);
}

static void judge(struct trial *t, const char *path, uint64_t rows)
{
    char name[300], why[200];
    size_t proved = 0, other = 0;
    for (size_t i = 0; i < t->flow->nfields; i++) *(t->flow->fields[i]->verdict == VERDICT_PROVED ? &proved : &other) += 1;
    printf("# %s, flow %.*s: %llu rows and %llu lines sent, %llu rejected, %llu left out, %llu refused by an assumed field; %zu fields proved, %zu guarded or assumed\n", path, (int)t->f->name.n, t->f->name.p,
           (unsigned long long)t->sent, (unsigned long long)t->lines, (unsigned long long)t->rejected, (unsigned long long)t->skipped, (unsigned long long)t->assumed, proved, other);
    snprintf(name, sizeof name, "%s, flow %.*s: Zoho takes %llu random rows", path, (int)t->f->name.n, t->f->name.p, (unsigned long long)rows);
    snprintf(why, sizeof why, "%llu refused, %llu sent, %llu broken", (unsigned long long)t->refused, (unsigned long long)t->sent, (unsigned long long)t->broken);
    check(name, t->refused == 0 && t->broken == 0 && t->sent >= rows, why);
}

/* The organisation from which an example's zoho.lock was pulled, where it is not the model's usual one. */
static const char *org_of(struct arena *a, const char *path)
{
    const char *end = strrchr(path, '/'), *from = end ? end : path;
    while (from > path && from[-1] != '/') from--;
    const char *own = arena_printf(a, "tests/e2e/%.*s/org.json", end ? (int)(end - from) : 0, from);
    return access(own, R_OK) == 0 ? own : ZOHO_DATA;
}

static void one_flow(const char *path, uint64_t rows, const struct compile *c, const struct image *im, const struct flow *f, size_t i, bool planted)
{
    struct trial t = {.flow = f, .spec = c->spec, .im = im, .f = &im->flows[i], .vm = vm_new(im), .seed = 7 + i, .planted = planted};
    struct arena constants;
    arena_init(&t.mem, 0);
    arena_init(&constants, 0);
    t.org_path = org_of(&constants, path);
    agree_constants(&t.pool, &constants, c->ast, f->ast);
    run_flow(&t, rows);
    if (planted) check("texts that are a character too long are all refused", t.refused == t.sent && t.sent > 0, "the model takes them");
    else judge(&t, path, rows);
    vm_free(t.vm);
    arena_free(&t.mem);
    arena_free(&constants);
    buf_free(&t.body);
}

/* Parts that a spec imports are tried with it. */
static bool is_whole(const struct ast_file *file)
{
    AST_EACH(n, file->items)
        if (n->kind == AST_SPEC) return true;
    return false;
}

static void example(const char *path, uint64_t rows)
{
    struct compile c;
    struct world w;
    struct fault fault = {0};
    world_real(&w);
    bool good = compile_open(&c, &w, path, &fault) == ERR_OK, whole = good && is_whole(c.ast);
    struct image *im = good && c.diags.nerrors == 0 ? compile_image(&c) : NULL;
    if (good && !whole) printf("# %s is a part\n", path);
    else check(path, im != NULL, "does not compile");
    if (im) proof_judge(c.spec, &c.arena);
    bool shown = false;
    size_t i = 0;
    for (const struct flow *f = im ? c.spec->flows : NULL; f != NULL; f = f->next, i++) {
        if (!str_is(f->target->system->name, "zoho_crm")) continue;
        one_flow(path, rows, &c, im, f, i, false);
        if (!shown) one_flow(path, BATCH, &c, im, f, i, true);
        shown = true;
    }
    compile_close(&c);
}

static void all(const char *pattern, uint64_t rows)
{
    glob_t g;
    if (glob(pattern, 0, NULL, &g) != 0) {
        check(pattern, false, "none found");
        return;
    }
    for (size_t i = 0; i < g.gl_pathc; i++) example(g.gl_pathv[i], rows);
    globfree(&g);
}

int main(void)
{
    const char *s = getenv("MLC_PROVED_ROWS"), *only = getenv("MLC_PROVED_SPECS");
    uint64_t rows = s && *s ? strtoull(s, NULL, 10) : 5000;
    setvbuf(stdout, NULL, _IOLBF, 0);
    all(only && *only ? only : "examples/*/*.mlc", rows);
    if (!only || !*only) all("tests/lang/proof/*.mlc", rows / 5);
    return stand_failed ? 1 : 0;
}
