/* soap_hash_test.c - the content hash of a SOAP reply, which the index keeps: another definition would read every record anew. What goes into it is written down
 * here by hand, for replies that are flat, nested, disordered, doubled, with blanks in every shape, read by either reader of XML, in turns by one reader. */
#include "base/buf.h"
#include "base/hash.h"
#include "connectors/sage/soap.h"
#include "rig.h"

struct leaf { const char *path, *value; };
struct reply { const char *name, *members; struct leaf leaves[12]; };

static const struct reply replies[] = {
    {"three members", "<City>X</City><ARDivisionNo>01</ARDivisionNo><Fax>1</Fax>", {{"ARDivisionNo", "01"}, {"City", "X"}, {"Fax", "1"}}},
    {"in another order", "<Fax>1</Fax><ARDivisionNo>01</ARDivisionNo><City>X</City>", {{"ARDivisionNo", "01"}, {"City", "X"}, {"Fax", "1"}}},
    {"blanks in every shape", "<Fax>1  </Fax><Tel/><Zip></Zip><Tax>  \r\n</Tax><ARDivisionNo>01</ARDivisionNo><Url xsi:nil=\"true\"/><City>X</City><Since>1753-01-01T00:00:00</Since><Till>0001-01-01T00:00:00</Till>",
     {{"ARDivisionNo", "01"}, {"City", "X"}, {"Fax", "1"}}},
    {"audit members", "<DateTimeUpdated>2024-01-01T00:00:00</DateTimeUpdated><UserUpdatedKey>1</UserUpdatedKey><City>X</City><DateTimeCreated>2024-01-01T00:00:00</DateTimeCreated><usercreatedkey>1</usercreatedkey>",
     {{"City", "X"}}},
    {"a date that is one", "<Since>2024-01-02T00:00:00</Since>", {{"Since", "2024-01-02T00:00:00"}}},
    {"names that begin alike", "<Phone2>3</Phone2><Phone>1</Phone><Phone.x>2</Phone.x>", {{"Phone", "1"}, {"Phone.x", "2"}, {"Phone2", "3"}}},
    {"namesakes", "<City>Y</City><Fax>1</Fax><City>X</City>", {{"City", "X"}, {"City", "Y"}, {"Fax", "1"}}},
    {"lines", "<Zip>9</Zip><Lines><Line><Item>A</Item><Qty>1</Qty></Line><Line><Item>B</Item><Qty/></Line></Lines><City>X</City>",
     {{"City", "X"}, {"Lines/Line.0/Item.0", "A"}, {"Lines/Line.0/Qty.0", "1"}, {"Lines/Line.1/Item.0", "B"}, {"Zip", "9"}}},
    {"user-defined fields", "<OtherFields><Field><MasFieldName>UDF_B$</MasFieldName><Value>2</Value></Field><Field><MasFieldName>UDF_A</MasFieldName><Value>1</Value></Field></OtherFields><OtherFields2>3</OtherFields2><City>X</City>",
     {{"City", "X"}, {"OtherFields/UDF_A", "1"}, {"OtherFields/UDF_B", "2"}, {"OtherFields2", "3"}}},
    {"a text that is no span", "<City>A &amp; B</City><Fax>&#233;</Fax>", {{"City", "A & B"}, {"Fax", "\xc3\xa9"}}},
    {"read by libxml2", "<City><![CDATA[X]]></City><!-- c --><ARDivisionNo>01</ARDivisionNo>", {{"ARDivisionNo", "01"}, {"City", "X"}}},
    {"a name that is not ASCII", "<Zip>9</Zip><\xc3\x84>1</\xc3\x84><City>X</City>", {{"City", "X"}, {"Zip", "9"}, {"\xc3\x84", "1"}}},
    {"nothing", "<City/>", {{NULL, NULL}}},
};

static void expected(const struct reply *r, const char *long_value, char *hex)
{
    struct buf b = {0};
    for (size_t i = 0; i < 12 && r->leaves[i].path; i++) {
        buf_blob(&b, str_of(r->leaves[i].path));
        buf_blob(&b, str_of(r->leaves[i].value));
    }
    if (long_value) {
        buf_blob(&b, STR("zz"));
        buf_blob(&b, str_of(long_value));
    }
    struct hash h = hash_of(buf_view(&b));
    hash_hex(h.b, HASH_BYTES, hex);
    buf_free(&b);
}

struct rows { struct source s; struct soap_reader *reader; struct arena a; };

static bool hash_is(struct rows *w, const struct reply *r, const char *long_value, const char *want)
{
    const struct source_key key = {.n = 0};
    struct buf b = {0};
    struct xml_node *root;
    struct source_row row = {.hash = {"", 0}};
    struct fault f;
    char why[200] = "";
    buf_puts(&b, "<E xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>");
    buf_puts(&b, r->members);
    if (long_value) buf_printf(&b, "<zz>%s</zz>", long_value);
    buf_puts(&b, "</E>");
    arena_reset(&w->s.scratch);
    bool good = sage100__xml_read(w->s.xml, buf_view(&b), &w->s.scratch, &root, why, sizeof why) == ERR_OK
                && sage100__soap_row(w->reader, &key, root, &w->a, &row, &f) == ERR_OK && str_is(row.hash, want);
    if (!good) printf("# %s: %s %.*s, not %s\n", r->name, why, (int)row.hash.n, row.hash.p, want);
    buf_free(&b);
    return good;
}

static void definition(struct rows *w)
{
    char want[2 * HASH_BYTES + 1], value[400];
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        rig_begin(replies[i].name);
        expected(&replies[i], NULL, want);
        CHECK(hash_is(w, &replies[i], NULL, want), "alone");
        for (size_t n = 125; n < 300; n += 58) {          /* lengths of one byte and of two; zz is the last of ASCII names */
            memset(value, 'v', n);
            value[n] = '\0';
            expected(&replies[i], value, want);
            CHECK(strstr(replies[i].name, "not ASCII") || hash_is(w, &replies[i], value, want), "with a text of %zu bytes", n);
        }
        rig_end();
    }
}

/* More members than have slots, more names than have numbers. */
static void beyond_the_tables(struct rows *w)
{
    rig_begin("more names than are kept");
    for (int round = 0; round < 4; round++) {
        struct buf text = {0}, content = {0};
        char want[2 * HASH_BYTES + 1];
        for (int i = 0; i < 400; i++) {
            buf_printf(&text, "<n%d_%03d>1</n%d_%03d>", round, 399 - i, round, 399 - i);
            char path[16];
            int n = snprintf(path, sizeof path, "n%d_%03d", round, i);
            buf_blob(&content, (struct str){path, (size_t)n});
            buf_blob(&content, STR("1"));
        }
        struct hash h = hash_of(buf_view(&content));
        hash_hex(h.b, HASH_BYTES, want);
        struct reply r = {.name = "many", .members = buf_cstr(&text)};
        CHECK(hash_is(w, &r, NULL, want) && hash_is(w, &r, NULL, want), "round %d", round);
        buf_free(&text);
        buf_free(&content);
    }
    rig_end();
}

int main(void)
{
    static struct rows w;
    static const struct sage_entity entity = {.table = "AR_Customer"};
    static const struct soap_operation op = {.name = "GetCustomer"};
    static const struct source_query q = {.entity = {"AR_Customer", 11}};
    arena_init(&w.a, 0);
    arena_init(&w.s.scratch, 0);
    w.s.xml = sage100__xml_open();
    w.reader = sage100__soap_reader(&w.s, &entity, &q, &op);
    definition(&w);
    definition(&w);                                       /* names are known now, and in another order */
    beyond_the_tables(&w);
    definition(&w);
    sage100__soap_reader_free(w.reader);
    sage100__xml_close(w.s.xml);
    arena_free(&w.s.scratch);
    arena_free(&w.a);
    return rig_exit();
}
