/* proved_test.c - what the compiler calls PROVED, tried out: for every example spec, random rows within the declared bounds of the source go through the
 * mapping into the strict model of Zoho as inserts, and no field is refused (issue: what the language must show, 3). The cases of tests/lang/proof too.
 *
 *   MLC_PROVED_ROWS rows for each flow (5,000); half of them at the bounds. Links are left out: what they lead to is another question.
 *
 * The whole record is sent, guarded fields included, because a module refuses records without its required fields: a refusal names the field. */
#include "base/limits.h"
#include "store/rowkey.h"
#include "tests/reference/agree.h"
#include "tests/unit/sim/zoho_check.h"
#include <glob.h>

enum { BATCH = 100, ROOM = 5000 /* records in one model, then a fresh one: before its token ends */, SHOWN = 5 };

struct trial {
    const struct flow *flow;
    const struct image_flow *f;
    struct vm *vm;
    struct arena mem;
    struct values pool;
    struct stand stand;
    struct buf body;
    uint64_t seed, counter, sent, rejected, skipped, refused, assumed, broken;
    size_t in_batch, in_room;
    bool planted;                    /* one text is a character longer than its field takes: all must be refused */
};

/* ---- keys: all different, as long and as full of escapes as they may be ---- */

static struct value key_part(struct trial *t, const struct type *type, uint64_t *n)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint32_t len = type->min_len;
    if (type->base != T_TEXT || type->nset) return value_absent;
    uint32_t most = type->max_len < 40 ? type->max_len : 40;
    if (most > len) len = *n % 2 ? most : len + 4 < most ? len + 4 : most;
    char *p = arena_alloc(&t->mem, len + 1);
    memset(p, *n % 3 ? '~' : '^', len);
    for (uint32_t i = len; i-- > 0 && (*n > 0 || i + 1 == len); *n /= 36) p[i] = digits[*n % 36];
    return value_text((struct str){p, len});
}

static void random_row(struct trial *t, bool edge, struct value *row)
{
    const struct schema *e = t->flow->entity;
    uint64_t n = t->counter++;
    for (size_t i = e->ncolumns; i-- > 0;) {
        struct value key = e->columns[i].key ? key_part(t, &e->columns[i].type, &n) : value_absent;
        row[i] = value_present(&key) || !e->columns[i].known_type ? key : agree_random_value(&e->columns[i], &t->pool, &t->seed, edge, &t->mem);
    }
}

/* ---- one record as the connector would write it ---- */

static void put_key(struct trial *t, const struct value *cols)
{
    struct str parts[LIMIT_KEY_PARTS + 2];
    struct buf key = {0};
    size_t n = 0;
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

/* False: the row does not become a record. */
static bool put_record(struct trial *t, const struct value *cols)
{
    struct vm_out out;
    bool first = true;
    if (!vm_when(t->vm, t->f, cols)) {
        t->skipped++;
        return false;
    }
    vm_map(t->vm, t->f, cols, &out);
    if (out.rejected) {
        t->rejected++;
        return false;
    }
    if (t->in_batch) buf_byte(&t->body, ',');
    buf_byte(&t->body, '{');
    for (size_t i = 0; i < t->f->nfields; i++) {
        const struct image_field *fl = &t->f->fields[i];
        bool key = fl->mode == FIELD_KEY;
        if ((!key && out.ops[i] != VM_SET) || fl->type.base == T_LINK) continue;
        if (!first) buf_byte(&t->body, ',');
        first = false;
        buf_printf(&t->body, "\"%.*s\":", (int)fl->name.n, fl->name.p);
        if (key) put_key(t, cols);
        else if (t->planted && fl->type.base == T_TEXT && fl->type.nset == 0) put_too_long(t, fl);
        else value_json(&t->body, &out.values[i]);
    }
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
    const json_t *data = json_object_get(t->stand.body, "data");
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
        printf("# refused, %s: %s\n#   %s\n", verdict_of(t->flow, name), answer ? answer : t->stand.resp.body, record ? record : "?");
        free(answer);
        free(record);
    }
    json_decref(sent);
}

static void open_room(struct trial *t)
{
    static const char *const strict[] = {"refuse_read_only", "strict_phone"};
    stand_open(&t->stand, NULL, NULL);
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++) zoho_sim_switch(t->stand.sim, strict[i], 1);
    t->in_room = 0;
}

static void send(struct trial *t)
{
    char target[200];
    if (t->in_batch == 0) return;
    buf_puts(&t->body, "],\"trigger\":[]}");
    snprintf(target, sizeof target, "/crm/v8/%.*s", (int)t->f->module.n, t->f->module.p);
    t->stand.now_ms += 60000;
    call(&t->stand, "POST", target, buf_cstr(&t->body));
    look_at_answers(t);
    t->sent += t->in_batch;
    t->in_room += t->in_batch;
    t->in_batch = 0;
    if (t->in_room >= ROOM) {
        stand_close(&t->stand);
        open_room(t);
    }
}

static void run_flow(struct trial *t, uint64_t rows)
{
    const size_t n = t->flow->entity->ncolumns;
    struct value row[LIMIT_COLUMNS], cols[LIMIT_COLUMNS];
    size_t column_of[LIMIT_COLUMNS];
    for (size_t i = 0; i < t->f->ncolumns; i++)
        for (size_t k = 0; k < n; k++)
            if (str_eq(t->flow->entity->columns[k].name, t->f->columns[i].name)) column_of[i] = k;
    open_room(t);
    for (uint64_t tries = 0; t->sent + t->in_batch < rows && tries < rows * 20 && t->broken == 0; tries++) {
        arena_reset(&t->mem);
        random_row(t, tries % 2, row);
        for (size_t i = 0; i < t->f->ncolumns; i++) cols[i] = row[column_of[i]];
        if (!vm_row_fits(t->f, cols, NULL, 0)) {
            t->broken++;
            break;
        }
        if (t->in_batch == 0) {
            buf_clear(&t->body);
            buf_puts(&t->body, "{\"data\":[");
        }
        t->in_batch += put_record(t, cols);
        if (t->in_batch == BATCH) send(t);
    }
    send(t);
    stand_close(&t->stand);
}

static void judge(struct trial *t, const char *path, uint64_t rows)
{
    char name[300], why[200];
    size_t proved = 0, other = 0;
    for (size_t i = 0; i < t->flow->nfields; i++) *(t->flow->fields[i]->verdict == VERDICT_PROVED ? &proved : &other) += 1;
    printf("# %s, flow %.*s: %llu rows sent, %llu rejected, %llu left out, %llu refused by an assumed field; %zu fields proved, %zu guarded or assumed\n", path, (int)t->f->name.n, t->f->name.p,
           (unsigned long long)t->sent, (unsigned long long)t->rejected, (unsigned long long)t->skipped, (unsigned long long)t->assumed, proved, other);
    snprintf(name, sizeof name, "%s, flow %.*s: Zoho takes %llu random rows", path, (int)t->f->name.n, t->f->name.p, (unsigned long long)rows);
    snprintf(why, sizeof why, "%llu refused, %llu sent, %llu broken", (unsigned long long)t->refused, (unsigned long long)t->sent, (unsigned long long)t->broken);
    check(name, t->refused == 0 && t->broken == 0 && t->sent >= rows, why);
}

static void one_flow(const char *path, uint64_t rows, const struct compile *c, const struct image *im, const struct flow *f, size_t i, bool planted)
{
    struct trial t = {.flow = f, .f = &im->flows[i], .vm = vm_new(im), .seed = 7 + i, .planted = planted};
    struct arena constants;
    arena_init(&t.mem, 0);
    arena_init(&constants, 0);
    agree_constants(&t.pool, &constants, c->ast);
    run_flow(&t, rows);
    if (planted) check("texts that are a character too long are all refused", t.refused == t.sent && t.sent > 0, "the model takes them");
    else judge(&t, path, rows);
    vm_free(t.vm);
    arena_free(&t.mem);
    arena_free(&constants);
    buf_free(&t.body);
}

static void example(const char *path, uint64_t rows)
{
    struct compile c;
    struct world w;
    struct fault fault = {0};
    world_real(&w);
    bool good = compile_open(&c, &w, path, &fault) == ERR_OK && c.diags.nerrors == 0;
    struct image *im = good ? compile_image(&c) : NULL;
    check(path, im != NULL, "does not compile");
    if (im) proof_judge(c.spec, &c.arena);
    size_t i = 0;
    for (const struct flow *f = im ? c.spec->flows : NULL; f != NULL; f = f->next, i++) {
        if (!str_is(f->target->system->name, "zoho_crm")) continue;
        one_flow(path, rows, &c, im, f, i, false);
        if (i == 0) one_flow(path, BATCH, &c, im, f, i, true);
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
    const char *s = getenv("MLC_PROVED_ROWS");
    uint64_t rows = s && *s ? strtoull(s, NULL, 10) : 5000;
    all("examples/*/*.mlc", rows);
    all("tests/lang/proof/*.mlc", rows / 5);
    return stand_failed ? 1 : 0;
}
