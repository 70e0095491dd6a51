/* key_file_test.c - files of keys as people and spreadsheets write them: quotes, blanks, ends of lines, headings, bytes that are no text, and what a large one costs. */
#include "rig.h"
#include "base/buf.h"
#include "connectors/sage/key_file.h"
#include <malloc.h>
#include <unistd.h>

static struct rig r;
static char path[] = "/tmp/sage-key-file-XXXXXX";

static const struct sage_soap_key_list *keys_of(const char *table, const char *text, size_t n, enum err *e)
{
    const struct sage_soap_key_list *list = NULL;
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0) abort();
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "keys", path);
    rig_open(&r);
    *e = sage100__key_list(r.s, sage100__entity(str_of(table)), STR("ABC"), STR(""), &list, &r.f);
    return *e == ERR_OK ? list : NULL;
}

static const struct { const char *text, *want; } files[] = {      /* want: keys by '|', parts by '~'; or what is complained of */
    {"", ""}, {"\n\n", ""}, {"01,A\n", "01~A"}, {"01,A", "01~A"}, {"01,A\r\n02,B\r\n", "01~A|02~B"}, {"02,B\n01,A\n02,B\n", "01~A|02~B"}, {"ARDIVISIONNO,customerno\n01,A\n", "01~A"}, {"01,A\nARDivisionNo,CustomerNo\n", "01~A|ARDivisionNo~CustomerNo"},
    {"ARDivisionNo,Other\n", "ARDivisionNo~Other"}, {" 01 , A \n", "01~A"}, {"\"01\",\"A\"\n", "01~A"}, {"\" 01 \",\"A  \"  \r\n", " 01~A"}, {"\"01\",\"a \"\"b\"\"\"\n", "01~a \"b\""}, {"\"01\",\"a,b\"", "01~a,b"}, {"\"01\",\"\"\"\"", "01~\""},
    {"\"\",\"A\"\n", "~A"}, {"\xef\xbb\xbf\"01\",A\n", "01~A"}, {"01,\"A\" ", "01~A"}, {"01,", "01~"},
    {"\"01\",\"A\n", "!line 1: a quote is not closed"}, {"\"01\",\"A", "!line 1: a quote is not closed"}, {"\"01\",\"A\"\"", "!line 1: a quote is not closed"}, {"\"01\",\"A\"\"\n", "!line 1: a quote is not closed"}, {"\"", "!line 1: a quote is not closed"},
    {"\"01\",\"A\"x\n", "!line 1: text follows"}, {"\"01\"x,\"A\"y\n", "!line 1: text follows"}, {"01,A\n01\n", "!line 2: has another number"}, {"01,A,\n", "!line 1: has another number"}, {"1,2,3,4,5,6,7,8,9,10,11,12\n", "!line 1: has another number"}, {"\n\n01,A\tB\n", "!line 3: holds a control character"},
    {"01,\xff\n", "!line 1: is not UTF-8"}, {",\n", "!line 1: is blank"}, {"\"\"\n", "!line 1: has another number"}, {"\"\",\"\"\n", "!line 1: is blank"}};

static const char *text_of(const struct sage_soap_key_list *list)
{
    const char *text = "";
    for (size_t i = 0; i < list->n; i++) text = arena_printf(&r.a, "%s%s%s", text, i ? "|" : "", rig_key_text(&r.a, &list->keys[i]));
    return text;
}

static void lines(void)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        enum err e;
        static char name[40];
        snprintf(name, sizeof name, "key file %zu", i + 1);
        rig_begin(name);
        const struct sage_soap_key_list *list = keys_of("AR_Customer", files[i].text, strlen(files[i].text), &e);
        if (files[i].want[0] == '!') CHECK(e == ERR_CONFIG && strstr(r.f.text, files[i].want + 1), "%s %s", err_name(e), r.f.text);
        else CHECK(list && strcmp(text_of(list), files[i].want) == 0, "%s %s", list ? text_of(list) : "none", r.f.text);
        rig_close(&r);
        rig_end();
    }
    enum err e;
    struct buf b = {0};
    rig_begin("what is wanted of a key of one part");
    (void)keys_of("SO_SalesOrderHeader", "0000101\n0000102,A\n", 19, &e);
    CHECK(e == ERR_CONFIG && strstr(r.f.text, "line 2") && strstr(r.f.text, "(wanted: 1 part, SalesOrderNo first)"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
    rig_begin("a key longer than any");
    buf_puts(&b, "01,");
    for (int i = 0; i < LIMIT_KEY_BYTES; i++) buf_byte(&b, 'x');
    (void)keys_of("AR_Customer", b.p, b.n, &e);
    CHECK(e == ERR_CONFIG && strstr(r.f.text, "longer than any key"), "%s", r.f.text);
    rig_close(&r);
    rig_end();
    buf_free(&b);
}

/* The list in memory is one table's, at one state: whoever wants another one does not get it. */
static void in_memory(void)
{
    enum err e;
    rig_begin("a list is read anew for another table, another state and a new pass");
    const struct sage_soap_key_list *list = keys_of("SO_SalesOrderHeader", "0000101\n", 8, &e), *again = NULL;
    struct str hash = list ? str_of(arena_copy(&r.a, list->hash, sizeof list->hash)) : STR("none");
    const struct sage_entity *orders = sage100__entity(STR("SO_SalesOrderHeader")), *customers = sage100__entity(STR("AR_Customer"));
    FILE *f = fopen(path, "wb");
    if (!f || fputs("01,A\n", f) < 0 || fclose(f) != 0) abort();
    CHECK(sage100__key_list(r.s, orders, STR("ABC"), hash, &again, &r.f) == ERR_OK && again->n == 1 && str_is(hash, again->hash), "kept: %s", r.f.text);
    CHECK(sage100__key_list(r.s, orders, STR("XYZ"), hash, &again, &r.f) == ERR_OK && str_is(hash, again->hash), "a file is one list for all companies: %s", r.f.text);
    CHECK(sage100__key_list(r.s, customers, STR("ABC"), hash, &again, &r.f) == ERR_OK && again->n == 1 && again->keys[0].n == 2, "another table's: %s", r.f.text);
    CHECK(sage100__key_list(r.s, orders, STR("ABC"), hash, &again, &r.f) == ERR_CONFIG, "the state of another table: %s", err_name(e));
    CHECK(sage100__key_list(r.s, customers, STR("ABC"), STR(""), &again, &r.f) == ERR_OK, "%s", r.f.text);
    CHECK(sage100__key_list(r.s, customers, STR("ABC"), STR("0000000000000000"), &again, &r.f) == ERR_OK && !str_is(STR("0000000000000000"), again->hash), "another state: %s", r.f.text);
    rig_close(&r);
    rig_end();
}

/* 20,000 quoted keys are a quarter of a megabyte. */
static void cost(void)
{
    struct buf b = {0};
    enum err e;
    rig_begin("a file of quoted keys costs what it holds");
    for (int i = 0; i < 20000; i++) buf_printf(&b, "\"01\",\"K%05d\"\n", i);
    struct mallinfo2 before = mallinfo2();
    const struct sage_soap_key_list *list = keys_of("AR_Customer", b.p, b.n, &e);
    struct mallinfo2 after = mallinfo2();
    size_t grown = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    CHECK(list && list->n == 20000, "%s", r.f.text);
    CHECK(grown < 32u << 20, "%zu bytes", grown);
    rig_close(&r);
    buf_free(&b);
    rig_end();
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    lines();
    in_memory();
    cost();
    (void)unlink(path);
    return rig_exit();
}
