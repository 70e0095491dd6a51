/* lock_test.c - lock files: what is read, and everything that is said twice, half or wrongly, with the sentence and the place. */
#include "dsl/lock.h"
#include "dsl/types.h"
#include "tests/unit/value/ok.h"

static struct arena arena;

#define FIELD(members) "{\"modules\":{\"A\":{\"fields\":{\"F\":{" members "}}}},\"version\":1}"

static void refused(void)
{
    static const struct { const char *name, *text, *why; bool source; } cases[] = {
        {"no JSON", "{\"version\":1,}", "not JSON", false}, {"a list", "[]", "expected an object", false}, {"no version", "{\"modules\":{}}", "\"version\": 1", false},
        {"another version", "{\"modules\":{},\"version\":2}", "\"version\": 1", false}, {"modules as a list", "{\"modules\":[],\"version\":1}", "\"modules\" must be an object", false},
        {"tables as a list", "{\"tables\":[],\"version\":1}", "\"tables\" must be an object", true}, {"a module that is a text", "{\"modules\":{\"A\":\"x\"},\"version\":1}", "for module A", false},
        {"a table that is a number", "{\"tables\":{\"A\":5},\"version\":1}", "for table A", true}, {"a module without fields", "{\"modules\":{\"A\":{}},\"version\":1}", "has no \"fields\"", false},
        {"a table with fields", "{\"tables\":{\"A\":{\"fields\":{}}},\"version\":1}", "has no \"columns\"", true},
        {"fields as a list", "{\"modules\":{\"A\":{\"fields\":[]}},\"version\":1}", "\"fields\" must be an object", false},
        {"fields twice", "{\"modules\":{\"A\":{\"fields\":{},\"fields\":{}}},\"version\":1}", "twice", false},
        {"a module twice", "{\"modules\":{\"A\":null,\"A\":null},\"version\":1}", "twice", false},
        {"a field twice", "{\"modules\":{\"A\":{\"fields\":{\"F\":{\"type\":\"bool\"},\"F\":{\"type\":\"date\"}}}},\"version\":1}", "twice", false},
        {"a module without a name", "{\"modules\":{\"\":null},\"version\":1}", "a module has no name", false}, {"a table without a name", "{\"tables\":{\"\":null},\"version\":1}", "a table has no name", true},
        {"a field without a name", "{\"modules\":{\"A\":{\"fields\":{\"\":{\"type\":\"bool\"}}}},\"version\":1}", "a field of A has no name", false},
        {"a field that is null", "{\"modules\":{\"A\":{\"fields\":{\"F\":null}}},\"version\":1}", "for field F", false}, {"no type", FIELD("\"length\":5"), "has no \"type\"", false},
        {"an unknown type", FIELD("\"type\":\"txt\""), "no type of a lock file", false}, {"a type that is no text", FIELD("\"type\":5"), "expected a text", false},
        {"a text without length", FIELD("\"type\":\"text\""), "needs its \"length\"", false}, {"a text of no length", FIELD("\"type\":\"text\",\"length\":0"), "needs its \"length\"", false},
        {"a length in a text", FIELD("\"type\":\"text\",\"length\":\"5\""), "whole number", false}, {"a negative length", FIELD("\"type\":\"text\",\"length\":-5"), "whole number", false},
        {"a picklist without values", FIELD("\"type\":\"picklist\""), "\"values\"", false}, {"a picklist of blanks", FIELD("\"type\":\"picklist\",\"values\":[\"\"]"), "\"values\"", false},
        {"values that are no list", FIELD("\"type\":\"picklist\",\"values\":\"x\""), "list of texts", false}, {"values that are numbers", FIELD("\"type\":\"picklist\",\"values\":[5]"), "list of texts", false},
        {"a decimal without digits", FIELD("\"type\":\"decimal\",\"scale\":2"), "\"digits\"", false}, {"39 digits", FIELD("\"type\":\"decimal\",\"digits\":39,\"scale\":2"), "\"digits\"", false},
        {"13 decimals", FIELD("\"type\":\"decimal\",\"digits\":20,\"scale\":13"), "\"digits\"", false}, {"more decimals than digits", FIELD("\"type\":\"decimal\",\"digits\":2,\"scale\":3"), "\"digits\"", false},
        {"a link to nowhere", FIELD("\"type\":\"link\""), "needs its \"module\"", false}, {"required as a text", FIELD("\"type\":\"bool\",\"required\":\"yes\""), "true or false", false},
        {"the other side's words", "{\"modules\":{\"A\":{\"columns\":{}}},\"version\":1}", "has no \"fields\"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lock l;
        struct lock_fault why = {0};
        bool good = lock_parse(str_of(cases[i].text), cases[i].source ? LOCK_SOURCE : LOCK_TARGET, &arena, &l, &why);
        ok(!good && strstr(why.text, cases[i].why) && why.at <= strlen(cases[i].text), cases[i].name, "%d, at %u: %s", good, why.at, why.text);
    }
}

static const struct lock_field *field(const struct lock *l, const char *module, const char *name)
{
    const struct lock_module *m = lock_module(l, str_of(module));
    return m ? lock_field(m, str_of(name)) : NULL;
}

static void target(void)
{
    static const char text[] =
        "{\"edition\":\"standard\",\"later\":{\"a\":[1,2]},\"modules\":{\"A\":{\"fields\":{"
        "\"T\":{\"length\":5,\"required\":true,\"type\":\"text\"},\"Big\":{\"length\":100000,\"type\":\"text\"},\"P\":{\"type\":\"picklist\",\"values\":[\"b\",\"\",\"a\",\"b\"]},"
        "\"D\":{\"digits\":9,\"scale\":2,\"type\":\"decimal\"},\"B\":{\"type\":\"bool\"},\"Day\":{\"type\":\"date\"},\"I\":{\"type\":\"instant\"},\"O\":{\"type\":\"other\"},\"S\":{\"type\":\"lines\"},"
        "\"L\":{\"module\":\"users\",\"on_insert\":false,\"on_update\":false,\"type\":\"link\",\"unique\":true,\"custom\":true}},\"more\":null},\"B\":null},\"version\":1}";
    struct lock l;
    struct lock_fault why;
    if (!ok(lock_parse(str_of(text), LOCK_TARGET, &arena, &l, &why), "a lock file of a target", "%s", why.text)) return;
    const struct lock_field *t = field(&l, "A", "T"), *big = field(&l, "A", "Big"), *p = field(&l, "A", "P"), *d = field(&l, "A", "D"), *link = field(&l, "A", "L");
    const struct lock_field *o = field(&l, "A", "O"), *s = field(&l, "A", "S"), *b = field(&l, "A", "B"), *day = field(&l, "A", "Day"), *i = field(&l, "A", "I");
    ok(str_is(l.edition, "standard") && lock_module(&l, STR("B"))->missing && !lock_module(&l, STR("C")), "edition and modules", "differ");
    ok(t && t->type.max_len == 5 && !t->type.optional && big && big->type.max_len == TYPES_MAX_TEXT && big->type.optional, "texts", "differ");
    ok(p && p->type.nset == 2 && str_is(p->type.set[0], "a") && d && d->type.scale == 2 && d->type.hi == 999999999, "choices and numbers", "differ");
    ok(b && b->type.base == T_BOOL && day && day->type.base == T_DATE && i && i->type.base == T_INSTANT, "plain kinds", "differ");
    ok(o && !o->known_type && s && !s->known_type, "kinds that no rule can use", "differ");
    ok(link && link->unique && link->custom && !link->on_insert && !link->on_update && str_is(link->link_module, "users"), "flags", "differ");
    ok(text[t ? t->at : 0] == 'T', "the place of a name", "at %u", t ? t->at : 0);
    ok(field(&l, "A", "X") == NULL && field(&l, "C", "T") == NULL, "what is not there", "found");
}

static void source(void)
{
    static const char text[] = "{\"tables\":{\"T\":{\"columns\":{\"U\":{\"custom\":true,\"length\":10,\"partial\":true,\"type\":\"text\"}},\"key\":[\"K\"],\"stamps\":false}},\"version\":1}";
    struct lock l;
    struct lock_fault why;
    if (!ok(lock_parse(str_of(text), LOCK_SOURCE, &arena, &l, &why), "a lock file of a source", "%s", why.text)) return;
    const struct lock_field *u = field(&l, "T", "U");
    ok(u && u->partial && u->custom && u->type.max_len == 10, "a column of one company", "differs");
}

int main(void)
{
    arena_init(&arena, 0);
    refused();
    target();
    source();
    arena_free(&arena);
    return ok_done();
}
