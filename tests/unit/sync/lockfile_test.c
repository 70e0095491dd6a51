/* lockfile_test.c - the text of lock files: equal metadata in any order gives equal bytes, companies are merged, zoho.lock is what the compiler reads,
 * and differences are told by field. */
#include "dsl/lock.h"
#include "sync/sync_private.h"
#include <stdio.h>

static int failures;

static void check(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why && *why ? why : "?");
    failures += !good;
}

static struct described_field text_field(const char *name, int64_t length)
{
    return (struct described_field){.name = str_of(name), .type = "text", .length = length};
}

static struct described_field decimal_field(const char *name, unsigned digits, unsigned scale)
{
    return (struct described_field){.name = str_of(name), .type = "decimal", .digits = digits, .scale = scale};
}

static void add(struct lockfile *l, const char *entity, const struct described_field *f, size_t n)
{
    struct str key[] = {STR("K")};
    struct described_entity e = {.name = str_of(entity), .fields = f, .nfields = n, .key = l->fields[0] == 'c' ? key : NULL, .nkeys = l->fields[0] == 'c'};
    lockfile_add(l, &e);
}

static bool holds(struct str text, const char *part) { return memmem(text.p, text.n, part, strlen(part)) != NULL; }

static void companies(struct arena *a)
{
    struct lockfile l = {.name = "sage.lock", .entities = "tables", .fields = "columns", .a = a}, m = l;
    struct described_field one[] = {text_field("Name", 30), decimal_field("Amount", 10, 2), text_field("Odd", 5), text_field("UDF_ONE", 8), text_field("K", 2)};
    struct described_field two[] = {text_field("K", 2), text_field("Name", 50), decimal_field("Amount", 9, 4), decimal_field("Odd", 5, 0)};
    one[3].custom = true;
    add(&l, "T", one, 5);
    add(&l, "T", two, 4);
    add(&l, "A", two, 1);
    add(&m, "A", two, 1);
    add(&m, "T", two, 4);
    add(&m, "T", one, 5);
    struct described_entity none = {.name = STR("U"), .missing = true};
    lockfile_add(&l, &none);
    add(&l, "U", two, 1);
    lockfile_add(&l, &none);
    add(&m, "U", two, 1);
    lockfile_add(&m, &none);
    lockfile_add(&m, &none);
    none.name = STR("V");
    lockfile_add(&l, &none);
    lockfile_add(&m, &none);
    struct str x = lockfile_text(&l), y = lockfile_text(&m);
    check(str_eq(x, y), "the order in which a system tells does not show", x.p);
    check(holds(x, "\"Name\": {\"length\": 50, \"type\": \"text\"}"), "of two lengths the longer", x.p);
    check(holds(x, "\"Amount\": {\"digits\": 12, \"scale\": 4, \"type\": \"decimal\"}"), "of two numbers what both fit in", x.p);
    check(holds(x, "\"Odd\": {\"type\": \"other\"}"), "of two types other", x.p);
    check(holds(x, "\"UDF_ONE\": {\"custom\": true, \"length\": 8, \"partial\": true, \"type\": \"text\"}"), "a column of one company is partial", x.p);
    check(holds(x, "\"key\": [\"K\"]"), "the key", x.p);
    check(holds(x, "\"U\": {") && holds(x, "\"K\": {\"length\": 2, \"partial\": true, \"type\": \"text\"}"), "a table of one company is partial", x.p);
    check(holds(x, "\"V\": null"), "a table of none is missing", x.p);
}

static struct str sample(struct arena *a, int64_t length, bool more)
{
    struct lockfile l = {.name = "zoho.lock", .entities = "modules", .fields = "fields", .edition = STR("professional"), .a = a};
    struct str values[] = {STR("b \"quoted\""), STR("a"), STR("\xc3\xa4")};
    struct described_field f[] = {text_field("Name", length), decimal_field("Amount", 16, 2), {.name = STR("Tier"), .type = "picklist", .values = values, .nvalues = more ? 3 : 2},
                                  {.name = STR("Owner"), .type = "link", .module = STR("users"), .no_update = true}, {.name = STR("X"), .type = "other", .no_insert = true},
                                  {.name = STR("Flag"), .type = "bool", .required = true, .custom = true}, {.name = STR("Day"), .type = "date"}};
    add(&l, "Accounts", f, more ? 7 : 6);
    struct described_entity gone = {.name = STR("Vendors"), .missing = true};
    lockfile_add(&l, &gone);
    return lockfile_text(&l);
}

static void compiler(struct arena *a)
{
    struct lock lock;
    struct lock_fault why;
    struct str text = sample(a, 60, true);
    check(lock_parse(text, LOCK_TARGET, a, &lock, &why), "the compiler reads it", why.text);
    const struct lock_module *m = lock_module(&lock, STR("Accounts")), *v = lock_module(&lock, STR("Vendors"));
    const struct lock_field *name = m ? lock_field(m, STR("Name")) : NULL, *tier = m ? lock_field(m, STR("Tier")) : NULL, *owner = m ? lock_field(m, STR("Owner")) : NULL;
    const struct lock_field *flag = m ? lock_field(m, STR("Flag")) : NULL, *amount = m ? lock_field(m, STR("Amount")) : NULL, *x = m ? lock_field(m, STR("X")) : NULL;
    struct type want = type_decimal(16, 2);
    check(v && v->missing && str_is(lock.edition, "professional"), "a module that is missing, the edition", "");
    check(name && name->type.max_len == 60 && tier && tier->type.nset == 3, "texts and choices", "");
    check(amount && amount->type.hi == want.hi && amount->type.scale == 2, "numbers", "");
    check(owner && str_is(owner->link_module, "users") && owner->on_insert && !owner->on_update, "links", "");
    check(flag && !flag->type.optional && flag->custom && x && !x->known_type && !x->on_insert, "flags", "");
}

struct told { char text[2000]; };

static void on_change(void *ctx, const struct pull_change *c)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    (void)snprintf(t->text + n, sizeof t->text - n, "%s %.*s.%.*s %.*s|%.*s;", c->what, (int)c->entity.n, c->entity.p, (int)c->field.n, c->field.p, (int)c->before.n,
                   c->before.p ? c->before.p : "", (int)c->after.n, c->after.p ? c->after.p : "");
}

static void differences(struct arena *a)
{
    struct lockfile l = {.name = "zoho.lock", .entities = "modules", .fields = "fields", .a = a};
    struct told t = {""};
    uint64_t n;
    struct str *names;
    bool read = lockdiff_list(&l, sample(a, 60, false), sample(a, 80, true), on_change, &t, &n);
    check(read && n == 3 && strcmp(t.text, "added Accounts.Day |{\"type\": \"date\"};changed Accounts.Name {\"length\": 60}|{\"length\": 80};"
                                           "changed Accounts.Tier {\"values\": []}|{\"values\": [\"\xc3\xa4\"]};") == 0, "each difference by field and member", t.text);
    check(lockdiff_list(&l, sample(a, 60, true), sample(a, 60, true), on_change, &t, &n) && n == 0, "no difference", "");
    check(!lockdiff_list(&l, STR("<<<<<<< HEAD\n"), sample(a, 60, true), on_change, &t, &n) && n == 0, "a file that is none counts as new", "");
    t.text[0] = '\0';
    check(lockdiff_list(&l, STR("{\"modules\":{\"Accounts\":null,\"Vendors\":{\"fields\":{}}},\"version\":1}"), sample(a, 60, true), on_change, &t, &n) && n == 3
          && strstr(t.text, "added Accounts. |;removed Vendors. |;"), "modules that came and went, the edition", t.text);
    check(!lockdiff_list(&l, STR("{\"modules\":{\"\":{\"fields\":{}}}}"), sample(a, 60, true), on_change, &t, &n) && n == 0 && lockdiff_entities(&l, STR("{\"modules\":{\"\":null}}"), &names) == 0,
          "so does one with a module that has no name", "");
    check(!lockdiff_list(&l, STR("{\"modules\":{\"A\":{\"fields\":{\"\":{}}}}}"), sample(a, 60, true), on_change, &t, &n) && n == 0, "and one with a field that has none", "");
    check(lockdiff_entities(&l, sample(a, 60, true), &names) == 2 && lockdiff_entities(&l, STR("[1"), &names) == 0, "the modules of a file", "");
}

int main(void)
{
    struct arena a;
    arena_init(&a, 0);
    companies(&a);
    compiler(&a);
    differences(&a);
    arena_free(&a);
    return failures != 0;
}
