/* file_test.c - the file connector over a real folder: both formats, paging, cursors, sweeps; writing, reading back, refusals, cut-off lines,
 * disks that fail. */
#include "connectors/connector.h"
#include "tests/unit/value/ok.h"
#include "value/decimal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

extern const struct source_ops file_source_ops;
extern const struct target_ops file_target_ops;

/* ---- a folder, and a world whose writes can be made to fail ---- */

static char dir[64] = "/tmp/mlc-file-test-XXXXXX";
static struct world world, real;
static int writes_left = -1;        /* -1 = never fail; else that many bytes may still be written */

static int64_t failing_pwrite(void *ctx, int fd, const void *p, size_t n, int64_t off)
{
    if (writes_left < 0) return real.files.pwrite(ctx, fd, p, n, off);
    if (writes_left == 0) { errno = ENOSPC; return -1; }
    size_t part = n < (size_t)writes_left ? n : (size_t)writes_left;
    writes_left -= (int)part;
    return real.files.pwrite(ctx, fd, p, part, off);
}

static void put_file(const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    bool good = f && fwrite(content, 1, strlen(content), f) == strlen(content) && fclose(f) == 0;
    if (!good) ok(false, "write a test file", "%s", path);
}

static struct str get_file(const char *name, struct arena *a)
{
    char path[200];
    struct str s = {NULL, 0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    world_read_file(&real, path, 1 << 24, a, &s, NULL);
    return s;
}

static struct conn_env env_of(struct conn_setting *settings, size_t n)
{
    return (struct conn_env){.world = &world, .settings = settings, .nsettings = n, .state_name = "erp"};
}

/* ---- source ---- */

enum { COLS = 4 };
static const struct str key_names[] = {{"Div", 3}, {"No", 2}};
static struct source_column columns[COLS];

static struct source_query query_of(const char *entity, unsigned page_rows)
{
    columns[0] = (struct source_column){STR("Div"), type_text(2, 2), false};
    columns[1] = (struct source_column){STR("No"), type_text(1, 5), false};
    columns[2] = (struct source_column){STR("Limit"), type_decimal(9, 2), false};
    columns[3] = (struct source_column){STR("Hold"), {.base = T_BOOL, .optional = true, .yes = STR("Y"), .no = STR("N")}, false};
    return (struct source_query){.entity = str_of(entity), .company = STR("ABC"), .key_columns = key_names, .nkeys = 2, .columns = columns, .ncolumns = COLS,
                                 .page_rows = page_rows};
}

static struct source *source_at(const char *path, struct conn_env *env, struct conn_setting *setting)
{
    struct source *s = NULL;
    struct fault f = {ERR_OK, ""};
    *setting = (struct conn_setting){STR("path"), str_of(path)};
    *env = env_of(setting, 1);
    ok(file_source_ops.open(&s, env, &f) == ERR_OK, "open a file source", "%s", f.text);
    return s;
}

/* Rows of a page as text: Div/No:Limit,Hold or !violation. */
static void page_text(struct buf *b, const struct source_page *p)
{
    buf_clear(b);
    for (size_t i = 0; i < p->nrows; i++) {
        const struct source_row *r = &p->rows[i];
        buf_printf(b, "%.*s/%.*s:", (int)r->key.part[0].n, r->key.part[0].p, (int)r->key.part[1].n, r->key.part[1].p);
        for (size_t c = 2; r->cols && c < COLS; c++) {
            value_print(b, &r->cols[c]);
            buf_byte(b, ',');
        }
        if (r->violation) buf_printf(b, "!%s", r->violation);
        buf_byte(b, ' ');
    }
}

static const char *const jsonl = "{\"Div\":\"01\",\"No\":\"B\",\"Limit\":\"60000.00\",\"Hold\":\"Y\"}\n\n"
                                 "{\"No\":\"A\",\"Div\":\"01\",\"Limit\":1.5e2,\"Hold\":null,\"Other\":true}\r\n"
                                 "{\"Div\":\"00\",\"No\":\"Z\",\"Limit\":7}\n{\"Div\":\"01\",\"No\":\"C\",\"Limit\":\"x\",\"Hold\":false}";

static void pages(struct arena *a)
{
    struct conn_setting setting;
    struct conn_env env;
    struct source_page p;
    struct fault f = {ERR_OK, ""};
    struct buf b = {0};
    put_file("T.jsonl", jsonl);
    struct source *s = source_at(dir, &env, &setting);
    struct source_query q = query_of("T", 3);
    ok(file_source_ops.page(s, &q, STR(""), a, &p, &f) == ERR_OK && !p.complete, "the first page", "%s", f.text);
    page_text(&b, &p);
    ok_text("rows in key order", buf_view(&b), "00/Z:7.00,(none), 01/A:150.00,(none), 01/B:60000.00,true, ");
    struct str middle = p.next;
    ok(file_source_ops.page(s, &q, middle, a, &p, &f) == ERR_OK && p.complete, "the second page ends the pass", "%s", f.text);
    page_text(&b, &p);
    ok_text("a violation names its column", buf_view(&b), "01/C:(none),false,!Limit is not a decimal number of at most 38 digits ");
    struct str end = p.next;
    ok(file_source_ops.page(s, &q, end, a, &p, &f) == ERR_OK && p.complete && p.nrows == 0 && str_eq(p.next, end), "nothing new", "%zu rows", p.nrows);
    put_file("T.jsonl", "{\"Div\":\"01\",\"No\":\"B\",\"Limit\":1}\n");
    ok(file_source_ops.page(s, &q, end, a, &p, &f) == ERR_OK && p.nrows == 1 && p.complete, "a changed file is read again", "%zu rows", p.nrows);
    put_file("T.jsonl", jsonl);
    file_source_ops.page(s, &q, STR(""), a, &p, &f);
    struct str hash = p.rows[2].hash;
    put_file("T.jsonl", "{\"Div\":\"01\",\"No\":\"B\",\"Limit\":\"60000.00\",\"Hold\":\"N\"}\n{\"Div\":\"00\",\"No\":\"Z\",\"Limit\":7}\n");
    ok(file_source_ops.page(s, &q, middle, a, &p, &f) == ERR_OK && p.nrows == 2 && !str_eq(p.rows[1].hash, hash), "changed in the middle: the pass begins again", "%zu", p.nrows);
    ok(file_source_ops.page(s, &q, STR("nonsense"), a, &p, &f) == ERR_EXPIRED, "a foreign cursor is void", "accepted");
    file_source_ops.close(s);
    buf_free(&b);
}

static void by_key(struct arena *a)
{
    struct conn_setting setting;
    struct conn_env env;
    struct source_page p;
    struct fault f = {ERR_OK, ""};
    struct buf b = {0};
    put_file("T.jsonl", jsonl);
    struct source *s = source_at(dir, &env, &setting);
    struct source_query q = query_of("T", 0);
    const struct source_key keys[] = {{{STR("01"), STR("C")}, 2}, {{STR("01"), STR("Q")}, 2}, {{STR("00"), STR("Z")}, 2}};
    ok(file_source_ops.fetch(s, &q, keys, 3, a, &p, &f) == ERR_OK && p.nrows == 2 && p.nmissing == 1 && str_is(p.missing[0].part[1], "Q"), "rows by key", "%s", f.text);
    ok(file_source_ops.keys(s, &q, STR(""), a, &p, &f) == ERR_OK && p.complete && p.nrows == 4 && !p.rows[0].cols, "all keys", "%zu", p.nrows);
    page_text(&b, &p);
    ok_text("keys ascend", buf_view(&b), "00/Z: 01/A: 01/B: 01/C: ");
    ok(file_source_ops.keys(s, &q, STR("[\"01\",\"A\"]"), a, &p, &f) == ERR_OK && p.nrows == 2, "keys after a key", "%zu", p.nrows);
    ok(file_source_ops.keys(s, &q, STR("[\"01\",\"AA\"]"), a, &p, &f) == ERR_OK && p.nrows == 2, "keys after a key that is gone", "%zu", p.nrows);
    ok(str_is(p.next, "[\"01\",\"C\"]"), "where the sweep goes on", "%.*s", (int)p.next.n, p.next.p);
    ok(file_source_ops.keys(s, &q, p.next, a, &p, &f) == ERR_OK && p.nrows == 0 && p.complete, "the end of the sweep", "%zu", p.nrows);
    ok(file_source_ops.keys(s, &q, STR("[1"), a, &p, &f) == ERR_EXPIRED, "a damaged key cursor", "accepted");
    file_source_ops.close(s);
    buf_free(&b);
}

static void csv(struct arena *a)
{
    static const struct { const char *name, *content, *rows; /* NULL: refused */ } cases[] = {
        {"plain", "Div,No,Limit,Hold\n01,A,5,Y\n01,B,6,\n", "01/A:5.00,true, 01/B:6.00,(none), "},
        {"CRLF, mark, no last line end", "\xef\xbb\xbf" "Div,No,Limit,Hold\r\n01,A,5,Y\r\n01,B,6,N", "01/A:5.00,true, 01/B:6.00,false, "},
        {"quotes", "\"Div\",No,Limit,Hold\n\"01\",\"A,\"\"x\",\"5\",\"Y\"\n", "01/A,\"x:5.00,true, "},
        {"line feed in quotes", "Div,No,Limit,Hold,Note\n01,A,5,Y,\"two\nlines\"\n01,B,6,N,x\n", "01/A:5.00,true, 01/B:6.00,false, "},
        {"blank lines", "Div,No,Limit,Hold\n\n01,A,5,Y\n\n", "01/A:5.00,true, "}, {"header only", "Div,No,Limit,Hold\n", ""},
        {"no header", "", NULL}, {"a cell too few", "Div,No,Limit,Hold\n01,A,5\n", NULL}, {"a cell too many", "Div,No,Limit,Hold\n01,A,5,Y,Z\n", NULL},
        {"open quote", "Div,No,Limit,Hold\n01,A,\"5,Y\n", NULL}, {"quote in the middle", "Div,No,Limit,Hold\n01,A\"A,5,Y\n", NULL}, {"text behind a quote", "Div,No,Limit,Hold\n01,\"A\"x,5,Y\n", NULL},
        {"column twice", "Div,No,No,Hold\n01,A,5,Y\n", NULL}, {"unnamed column", "Div,No,,Hold\n01,A,5,Y\n", NULL}, {"not UTF-8", "Div,No,Limit,Hold\n01,\xff,5,Y\n", NULL},
        {"blank key", "Div,No,Limit,Hold\n01, ,5,Y\n", NULL}, {"key twice", "Div,No,Limit,Hold\n01,A,5,Y\n01,A,6,Y\n", NULL}};
    struct conn_setting setting;
    struct conn_env env;
    struct source_page p;
    struct buf b = {0};
    char path[100];
    snprintf(path, sizeof path, "%s/one.csv", dir);
    struct source *s = source_at(path, &env, &setting);
    struct source_query q = query_of("any", 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault f = {ERR_OK, ""};
        char name[60];
        snprintf(name, sizeof name, "csv: %s", cases[i].name);
        put_file("one.csv", cases[i].content);
        enum err e = file_source_ops.page(s, &q, STR(""), a, &p, &f);
        if (!cases[i].rows) { ok(e == ERR_FORMAT && f.text[0], name, "%d %s", e, f.text); continue; }
        if (!ok(e == ERR_OK, name, "%s", f.text)) continue;
        page_text(&b, &p);
        ok_text(name, buf_view(&b), cases[i].rows);
    }
    file_source_ops.close(s);
    buf_free(&b);
}

/* Arrays of objects are the lines of a list column. */
static void row_lines(struct arena *a)
{
    static const struct { const char *json, *want; } cases[] = {
        {"[{\"Key\":\"000001\",\"Quantity\":2,\"More\":true},{\"Key\":\"000002\",\"Item\":\"B\",\"Quantity\":1.5}]",
         "000001 (Key 000001, Item (none), Quantity 2.00); 000002 (Key 000002, Item B, Quantity 1.50)"},
        {"[]", "(none)"}, {"null", "(none)"}, {"\"x\"", "!Lines is no array of objects"}, {"[{\"Key\":\"1\"}]", "!Lines line 1: Key is 1 characters, at least 6 needed"},
        {"[{\"Key\":\"000001\",\"Quantity\":[{}]}]", "!Lines is no array of objects"},
        {"[{\"Key\":\"000001\",\"Quantity\":1},{\"Key\":\"000001\",\"Quantity\":1}]", "!Lines has lines 1 and 2 of one key"},
        {"[{\"Key\":\"000001\",\"Quantity\":1},{\"Key\":\"000002\",\"Quantity\":1},{\"Key\":\"000003\",\"Quantity\":1}]", "!Lines has 3 lines, at most 2 allowed"}};
    static const struct str names[] = {{"Key", 3}, {"Item", 4}, {"Quantity", 8}};
    static const uint8_t flags[] = {LIST_KEY, 0, 0};
    const struct type types[] = {type_text(6, 6), {.base = T_TEXT, .optional = true, .min_len = 1, .max_len = 5}, type_decimal(9, 2)};
    const struct list_shape shape = {2, 3, names, types, flags};
    struct conn_setting setting;
    struct conn_env env;
    struct source_page p;
    struct source *s = source_at(dir, &env, &setting);
    struct source_query q = query_of("L", 0);
    struct fault f = {ERR_OK, ""};
    struct buf b = {0};
    columns[2] = (struct source_column){STR("Lines"), {.base = T_LIST, .optional = true, .shape = &shape}, false};
    q.ncolumns = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file("L.jsonl", arena_printf(a, "{\"Div\":\"01\",\"No\":\"A\",\"Lines\":%s}\n", cases[i].json));
        enum err e = file_source_ops.page(s, &q, STR(""), a, &p, &f);
        buf_clear(&b);
        if (e != ERR_OK) buf_puts(&b, f.text);
        else if (p.rows[0].violation) buf_printf(&b, "!%s", p.rows[0].violation);
        else value_print(&b, &p.rows[0].cols[2]);
        ok_text(cases[i].json, buf_view(&b), cases[i].want);
    }
    file_source_ops.close(s);
    buf_free(&b);
}

static void bad_lines(struct arena *a)
{
    static const char *const cases[] = {"{\"Div\":\"01\",\"No\":\"A\"", "[1]", "{\"Div\":[1],\"No\":\"A\"}", "{\"Div\":\"01\",\"No\":\"A\"} x", "{\"Div\":\"01\"}", "x"};
    struct conn_setting setting;
    struct conn_env env;
    struct source_page p;
    struct source *s = source_at(dir, &env, &setting);
    struct source_query q = query_of("U", 0);
    struct fault f = {ERR_OK, ""};
    ok(file_source_ops.page(s, &q, STR(""), a, &p, &f) == ERR_NOT_FOUND, "no such file", "%s", f.text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_file("U.jsonl", cases[i]);
        f.text[0] = '\0';
        ok(file_source_ops.page(s, &q, STR(""), a, &p, &f) == ERR_FORMAT && strstr(f.text, "line 1"), cases[i], "%s", f.text);
    }
    q.via = STR("soap");
    ok(file_source_ops.page(s, &q, STR(""), a, &p, &f) == ERR_UNSUPPORTED, "a file has no doors", "accepted");
    file_source_ops.close(s);
}

static int found[3];
static void count_finding(void *ctx, const struct finding *f) { (void)ctx; found[f->level]++; }

static void probe(void)
{
    struct conn_setting setting;
    struct conn_env env;
    struct fault f = {ERR_OK, ""};
    const struct finding_sink sink = {count_finding, NULL};
    put_file("T.jsonl", jsonl);
    put_file("V.csv", "Div,No\n01,A\n");
    struct source *s = source_at(dir, &env, &setting);
    struct source_query q[3] = {query_of("T", 0), query_of("V", 0), query_of("None", 0)};
    ok(file_source_ops.probe(s, q, 1, &sink, &f) == ERR_OK && found[FINDING_OK] == 1 && found[FINDING_FAIL] == 0, "a file that fits", "%s", f.text);
    found[FINDING_OK] = 0;
    ok(file_source_ops.probe(s, q, 3, &sink, &f) == ERR_CONFIG && found[FINDING_OK] == 2 && found[FINDING_FAIL] == 3, "two columns and a file missing", "%d, %d",
       found[FINDING_OK], found[FINDING_FAIL]);
    file_source_ops.close(s);
    struct conn_env none = env_of(NULL, 0);
    ok(file_source_ops.open(&s, &none, &f) == ERR_CONFIG, "no path", "accepted");
}

/* ---- target ---- */

static struct target *target_at(const char *path, struct conn_env *env, struct conn_setting *setting)
{
    struct target *t = NULL;
    struct fault f = {ERR_OK, ""};
    *setting = (struct conn_setting){STR("path"), str_of(path)};
    *env = env_of(setting, 1);
    env->state_name = "crm";
    ok(file_target_ops.open(&t, env, &f) == ERR_OK, "open a file target", "%s", f.text);
    return t;
}

static struct record_field fields_of[3];
static struct record make_record(const char *key, const char *name, int64_t day)
{
    fields_of[0] = (struct record_field){STR("Key"), value_text(str_of(key))};
    fields_of[1] = (struct record_field){STR("Name"), value_text(str_of(name))};
    fields_of[2] = (struct record_field){STR("Since"), {.kind = V_DATE, .u.i = day}};
    return (struct record){fields_of, 3};
}

static struct write_item put_one(struct target *t, enum write_verb verb, const char *id, const struct record *r, struct arena *a, enum err *e)
{
    struct write_item it = {.id = str_of(id), .fields = r};
    struct write_batch b = {.verb = verb, .module = STR("Accounts"), .key_field = STR("Key"), .items = &it, .n = 1, .arena = a}, *done = NULL;
    struct fault f = {ERR_OK, ""};
    *e = file_target_ops.write_start(t, &b, &f);
    if (*e == ERR_OK && (file_target_ops.write_start(t, &b, &f) != ERR_BUSY || file_target_ops.write_wait(t, 0, &done, &f) != ERR_OK || done != &b))
        ok(false, "a batch comes back once", "%s", f.text);
    return it;
}

static void writing(struct arena *a)
{
    struct conn_setting setting;
    struct conn_env env;
    struct fault f = {ERR_OK, ""};
    const struct finding_sink sink = {count_finding, NULL};
    char path[100];
    enum err e;
    snprintf(path, sizeof path, "%s/out.jsonl", dir);
    struct target *t = target_at(path, &env, &setting);
    const struct target_field fields[] = {{.module = STR("Accounts"), .name = STR("Since"), .type = {.base = T_DATE}},
                                          {.module = STR("Accounts"), .name = STR("Name"), .type = {.base = T_TEXT}, .unique = true}};
    ok(file_target_ops.check(t, fields, 2, &sink, &f) == ERR_OK, "check", "%s", f.text);
    struct record r = make_record("ABC~01~A", "First \"one\"", 20524);
    struct write_item it = put_one(t, WRITE_INSERT, "", &r, a, &e);
    ok(e == ERR_OK && it.cls == W_APPLIED && str_is(it.out_id, "1"), "an insert", "class %d", it.cls);
    it = put_one(t, WRITE_INSERT, "", &r, a, &e);
    ok(it.cls == W_DUP_OWN && str_is(it.out_id, "1") && str_is(it.field, "Key"), "the same key again", "class %d", it.cls);
    r = make_record("ABC~01~B", "First \"one\"", 0);
    it = put_one(t, WRITE_INSERT, "", &r, a, &e);
    ok(it.cls == W_DUP_OTHER && str_is(it.field, "Name"), "another unique field", "class %d", it.cls);
    fields_of[1].v = value_text(STR("Second"));
    it = put_one(t, WRITE_INSERT, "", &r, a, &e);
    ok(it.cls == W_APPLIED && str_is(it.out_id, "2"), "a second record", "class %d", it.cls);
    fields_of[1].v = value_absent;
    it = put_one(t, WRITE_UPDATE, "1", &(struct record){fields_of + 1, 1}, a, &e);
    ok(it.cls == W_APPLIED && str_is(it.out_id, "1"), "an update", "class %d", it.cls);
    it = put_one(t, WRITE_UPDATE, "9", &(struct record){fields_of + 1, 1}, a, &e);
    ok(it.cls == W_GONE, "an update of nothing", "class %d", it.cls);
    int64_t n = 0;
    ok(file_target_ops.count(t, STR("Accounts"), &n, &f) == ERR_OK && n == 2, "count", "%lld", (long long)n);
    ok_text("the file", get_file("out.jsonl", a),
            "{\"op\":\"insert\",\"module\":\"Accounts\",\"id\":\"1\",\"fields\":{\"Key\":\"ABC~01~A\",\"Name\":\"First \\\"one\\\"\",\"Since\":\"2026-03-12\"}}\n"
            "{\"op\":\"insert\",\"module\":\"Accounts\",\"id\":\"2\",\"fields\":{\"Key\":\"ABC~01~B\",\"Name\":\"Second\",\"Since\":\"1970-01-01\"}}\n"
            "{\"op\":\"update\",\"module\":\"Accounts\",\"id\":\"1\",\"fields\":{\"Name\":null}}\n");
    struct target *other = target_at(path, &env, &setting);
    ok(file_target_ops.count(other, STR("Accounts"), &n, &f) == ERR_LOCKED_STATE, "a second writer is refused", "%s", f.text);
    file_target_ops.close(other);
    file_target_ops.close(t);
}

/* A new process reads the same; a cut-off last line is dropped, a damaged one is an error. */
static void reading_back(struct arena *a)
{
    struct conn_setting setting;
    struct conn_env env;
    struct fault f = {ERR_OK, ""};
    const struct finding_sink sink = {count_finding, NULL};
    struct lookup_hit *hits;
    size_t nhits;
    int64_t n = 0;
    char path[100];
    snprintf(path, sizeof path, "%s/out.jsonl", dir);
    struct str whole = get_file("out.jsonl", a);
    put_file("out.jsonl", arena_printf(a, "%.*s{\"op\":\"insert\",\"module\":\"Acc", (int)whole.n, whole.p));
    struct target *t = target_at(path, &env, &setting);
    const struct target_field field = {.module = STR("Accounts"), .name = STR("Since"), .type = {.base = T_DATE}};
    file_target_ops.check(t, &field, 1, &sink, &f);
    const struct str want[] = {STR("Name"), STR("Since"), STR("Nothing")}, values[] = {STR("x"), STR("ABC~01~B"), STR("ABC~01~A")}, ids[] = {STR("7"), STR("2"), STR("02")};
    enum err e = file_target_ops.lookup(t, STR("Accounts"), STR("Key"), values, 3, want, 3, a, &hits, &nhits, &f);
    ok(e == ERR_OK && nhits == 2 && hits[0].value_index == 2 && str_is(hits[0].id, "1") && hits[1].value_index == 1, "look-up by key", "%zu hits, %s", nhits, f.text);
    ok(hits[0].fields.n == 3 && hits[0].fields.f[0].v.kind == V_ABSENT && hits[0].fields.f[1].v.kind == V_DATE && hits[0].fields.f[1].v.u.i == 20524, "fields of a hit",
       "differ");
    e = file_target_ops.lookup(t, STR("Accounts"), STR("Since"), &(struct str){"1970-01-01", 10}, 1, want, 1, a, &hits, &nhits, &f);
    ok(e == ERR_OK && nhits == 1 && str_is(hits[0].id, "2"), "look-up by a date", "%zu", nhits);
    e = file_target_ops.read(t, STR("Accounts"), ids, 3, want, 1, a, &hits, &nhits, &f);
    ok(e == ERR_OK && nhits == 1 && hits[0].value_index == 1 && str_is(record_text(&hits[0].fields, "Name"), "Second"), "read by id", "%zu", nhits);
    e = file_target_ops.read(t, STR("Contacts"), ids, 3, want, 1, a, &hits, &nhits, &f);
    ok(e == ERR_OK && nhits == 0, "another module has no such id", "%zu", nhits);
    ok(str_eq(get_file("out.jsonl", a), whole), "the cut-off line is gone", "it is there");
    file_target_ops.close(t);
    static const char *const bad[] = {"x\n", "{\"op\":\"insert\",\"module\":\"A\",\"id\":\"2\",\"fields\":{}}\n", "{\"op\":\"update\",\"module\":\"A\",\"id\":\"1\",\"fields\":{}}\n",
                                      "{\"op\":\"drop\",\"module\":\"A\",\"id\":\"1\",\"fields\":{}}\n", "{\"op\":\"insert\",\"module\":\"A\",\"id\":\"1\",\"fields\":{\"a\":[]}}\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file("bad.jsonl", bad[i]);
        snprintf(path, sizeof path, "%s/bad.jsonl", dir);
        t = target_at(path, &env, &setting);
        ok(file_target_ops.count(t, STR("A"), &n, &f) == ERR_CORRUPT, "a damaged line", "accepted");
        file_target_ops.close(t);
    }
}

/* The disk fills after each number of bytes in turn: the answer is ambiguous, and the next look tells the truth. */
static void full_disk(struct arena *a)
{
    struct conn_setting setting;
    struct conn_env env;
    struct fault f = {ERR_OK, ""};
    char path[100];
    bool classes = true, truth = true;
    enum err e;
    struct record r = make_record("K1", "One", 1);
    for (int bytes = 0; bytes < 130; bytes++) {
        int64_t n = -1;
        snprintf(path, sizeof path, "%s/full%d.jsonl", dir, bytes);
        struct target *t = NULL;
        setting = (struct conn_setting){STR("path"), str_of(path)};
        env = env_of(&setting, 1);
        file_target_ops.open(&t, &env, &f);
        writes_left = bytes;
        struct write_item it = put_one(t, WRITE_INSERT, "", &r, a, &e);
        bool whole = writes_left > 0 || it.cls == W_APPLIED;
        writes_left = -1;
        classes &= e == ERR_OK && it.cls == (whole ? W_APPLIED : W_AMBIGUOUS);
        truth &= file_target_ops.count(t, STR("Accounts"), &n, &f) == ERR_OK && n == (whole ? 1 : 0);
        it = put_one(t, WRITE_INSERT, "", &r, a, &e);
        truth &= it.cls == (whole ? W_DUP_OWN : W_APPLIED);
        file_target_ops.close(t);
        unlink(path);
    }
    ok(classes, "a full disk makes the write ambiguous", "another class");
    ok(truth, "and what is read back is what is on the disk", "it is not");
}

int main(void)
{
    struct arena a;
    if (!mkdtemp(dir)) return 1;
    world_real(&real);
    world = real;
    world.files.pwrite = failing_pwrite;
    arena_init(&a, 1 << 16);
    pages(&a);
    by_key(&a);
    csv(&a);
    row_lines(&a);
    bad_lines(&a);
    probe();
    writing(&a);
    reading_back(&a);
    full_disk(&a);
    arena_free(&a);
    static const char *const names[] = {"T.jsonl", "U.jsonl", "V.csv", "one.csv", "out.jsonl", "bad.jsonl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    return ok_done();
}
