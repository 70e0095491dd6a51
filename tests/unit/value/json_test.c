/* json_test.c - the scanner: what RFC 8259 allows and what it does not, places of errors, cut-off input; the writer; speed. */
#include "value/json.h"
#include "tests/unit/value/ok.h"
#include <time.h>

/* The tokens of a text as one line: { } [ ] names as n:..., strings as s:..., numbers as 1:..., words; "!" at an error. */
static void tokens(struct str in, struct arena *a, struct buf *out, size_t *error_at)
{
    struct json_scanner s;
    json_init(&s, in, a);
    buf_clear(out);
    for (;;) {
        enum json_token t = json_next(&s);
        *error_at = s.error_at;
        switch (t) {
        case JSON_END:        return;
        case JSON_OBJECT:     buf_puts(out, "{ "); break;
        case JSON_OBJECT_END: buf_puts(out, "} "); break;
        case JSON_ARRAY:      buf_puts(out, "[ "); break;
        case JSON_ARRAY_END:  buf_puts(out, "] "); break;
        case JSON_NAME:       buf_printf(out, "n:%.*s ", (int)s.text.n, s.text.p); break;
        case JSON_STRING:     buf_printf(out, "s:%.*s ", (int)s.text.n, s.text.p); break;
        case JSON_NUMBER:     buf_printf(out, "1:%.*s ", (int)s.text.n, s.text.p); break;
        case JSON_TRUE:       buf_puts(out, "true "); break;
        case JSON_FALSE:      buf_puts(out, "false "); break;
        case JSON_NULL:       buf_puts(out, "null "); break;
        case JSON_ERROR:      buf_puts(out, "!"); return;
        }
    }
}

static void accepted(struct arena *a)
{
    static const struct { const char *in, *out; } cases[] = {
        {"{}", "{ } "}, {"[]", "[ ] "}, {" \t\r\n1 ", "1:1 "}, {"\"\"", "s: "}, {"true", "true "}, {"false", "false "}, {"null", "null "},
        {"{\"a\":1,\"b\":[2,{\"c\":null}],\"d\":\"x\"}", "{ n:a 1:1 n:b [ 1:2 { n:c null } ] n:d s:x } "},
        {"[[],{},[[]]]", "[ [ ] { } [ [ ] ] ] "}, {"{ \"a\" : [ 1 , 2 ] }", "{ n:a [ 1:1 1:2 ] } "},
        {"-0", "1:-0 "}, {"0.50", "1:0.50 "}, {"1e+9", "1:1e+9 "}, {"60000.00", "1:60000.00 "}, {"123456789012345678901234567890.5", "1:123456789012345678901234567890.5 "},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s:\"\\/\b\f\n\r\t "}, {"\"\\u0041\\u00e9\\u20ac\"", "s:A\xc3\xa9\xe2\x82\xac "},
        {"\"\\ud83d\\ude00\"", "s:\xf0\x9f\x98\x80 "}, {"\"x\\ud83d\\ude00y\\n\"", "s:x\xf0\x9f\x98\x80y\n "}, {"\"caf\xc3\xa9 12345678\"", "s:caf\xc3\xa9 12345678 "},
        {"\"\\uD83D\\uDE00\"", "s:\xf0\x9f\x98\x80 "}, {"\"\x7f\"", "s:\x7f "}, {"{\"a\\n\":0}", "{ n:a\n 1:0 } "}, {"\"12345678\\\\\"", "s:12345678\\ "}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        size_t at;
        snprintf(name, sizeof name, "json %s", cases[i].in);
        tokens(str_of(cases[i].in), a, &b, &at);
        ok_text(name, buf_view(&b), cases[i].out);
    }
    buf_free(&b);
}

static void refused(struct arena *a)
{
    static const struct { const char *in; size_t at; } cases[] = {
        {"", 0}, {"   ", 3}, {"{", 1}, {"[", 1}, {"}", 0}, {"]", 0}, {"[1", 2}, {"[1,", 3}, {"[1,]", 3}, {"[,1]", 1}, {"[1 2]", 3}, {"{\"a\"}", 4}, {"{\"a\":}", 5},
        {"{\"a\":1,}", 7}, {"{a:1}", 1}, {"{1:1}", 1}, {"{\"a\":1 \"b\":2}", 7}, {"{]", 1}, {"[}", 1}, {"[1}", 2}, {"{\"a\":1]", 6}, {"1 2", 2}, {"{} {}", 3},
        {"nul", 0}, {"True", 0}, {"nulL", 0}, {"+1", 0}, {"01", 0}, {"-", 0}, {"-a", 0}, {"1.", 0}, {".5", 0}, {"1e", 0}, {"1e+", 0}, {"0x1", 1}, {"NaN", 0},
        {"'a'", 0}, {"\"", 0}, {"\"a", 0}, {"\"a\nb\"", 2}, {"\"a\tb\"", 2}, {"\"\x1f\"", 1}, {"\"\\", 1}, {"\"\\x\"", 1}, {"\"\\u12\"", 1}, {"\"\\u12g4\"", 1}, {"\"\\U0041\"", 1},
        {"\"\\ud800\"", 1}, {"\"\\udc00\"", 1}, {"\"\\ud800\\u0041\"", 1}, {"\"\\ud800\\ud800\"", 1}, {"\"\\ud83dx\"", 1}, {"\"\xff\"", 1}, {"\"\xc3\"", 1},
        {"\"\xed\xa0\x80\"", 1}, {"\"\xc0\x80\"", 1}, {"\"\xf5\x80\x80\x80\"", 1}, {"\"12345678\xe2\x82\"", 1}, {"\xef\xbb\xbf{}", 0}, {"// c\n1", 0}, {"[1,,2]", 3},
        {"{\"a\":1,,}", 7}, {"{,}", 1}, {"{\"a\" 1}", 5}, {"\"\\\x00\"", 1}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        size_t at;
        snprintf(name, sizeof name, "no json: case %zu, %s", i, cases[i].in);
        tokens(str_of(cases[i].in), a, &b, &at);
        ok(b.n > 0 && b.p[b.n - 1] == '!' && at == cases[i].at, name, "tokens %.*s, byte %zu, not %zu", (int)b.n, b.p, at, cases[i].at);
    }
    buf_free(&b);
}

static void depth(struct arena *a)
{
    char text[70] = "";
    struct buf b = {0};
    size_t at;
    for (int n = 32; n <= 33; n++) {
        memset(text, '[', (size_t)n);
        memset(text + n, ']', (size_t)n);
        text[2 * n] = '\0';
        tokens(str_of(text), a, &b, &at);
        bool error = b.p[b.n - 1] == '!';
        ok(error == (n == 33), n == 32 ? "depth 32 is read" : "depth 33 is refused", "tokens %.*s", (int)b.n, b.p);
    }
    buf_free(&b);
}

/* Every beginning of a valid text is an error, never a crash; a number alone may be cut and still be one. */
static void truncated(struct arena *a)
{
    static const char text[] = "{\"rows\":[{\"k\":\"caf\xc3\xa9\\u00e9\\ud83d\\ude00\\n\",\"v\":-12.5e+3,\"t\":true,\"n\":null}],\"x\":false}";
    struct buf b = {0};
    bool good = true;
    for (size_t n = 0; n < sizeof text - 1; n++) {
        size_t at;
        tokens((struct str){text, n}, a, &b, &at);
        good &= b.p != NULL && b.n > 0 && b.p[b.n - 1] == '!' && at <= n;
    }
    ok(good, "every cut-off text is refused", "one was accepted");
    buf_free(&b);
}

static void skipping(struct arena *a)
{
    struct json_scanner s;
    json_init(&s, STR("{\"a\":{\"b\":[1,[2,{}]],\"c\":\"}\"},\"d\":7}"), a);
    json_next(&s);
    json_next(&s);
    bool good = json_skip(&s, json_next(&s)) && json_next(&s) == JSON_NAME && str_is(s.text, "d") && json_skip(&s, json_next(&s)) &&
                json_next(&s) == JSON_OBJECT_END && json_next(&s) == JSON_END;
    ok(good, "skip goes over a whole value", "it did not");
    json_init(&s, STR("{\"a\":[1,2"), a);
    json_next(&s);
    json_next(&s);
    ok(!json_skip(&s, json_next(&s)) && json_next(&s) == JSON_ERROR, "skip over a cut-off value fails and stays failed", "it did not");
}

static void writing(void)
{
    static const struct { const char *in, *out; } cases[] = {
        {"", "\"\""}, {"abc", "\"abc\""}, {"a\"b\\c/", "\"a\\\"b\\\\c/\""}, {"\b\f\n\r\t\x01\x1f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""}, {"12345678\n12345678", "\"12345678\\n12345678\""}, {"a\xff\"b\xc3", "\"a\\ufffd\\\"b\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}};
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[60];
        snprintf(name, sizeof name, "write case %zu", i);
        buf_clear(&b);
        json_put_string(&b, str_of(cases[i].in));
        ok_text(name, buf_view(&b), cases[i].out);
    }
    buf_clear(&b);
    json_put_string(&b, (struct str){"a\0b", 3});
    ok_text("write a zero byte", buf_view(&b), "\"a\\u0000b\"");
    buf_free(&b);
}

/* Random bytes around valid pieces: what is written is read back as the same text. */
static void round_trip(struct arena *a)
{
    uint64_t seed = 11;
    struct buf b = {0};
    bool good = true;
    for (int i = 0; i < 5000; i++) {
        char text[200];
        size_t n = 0, len = ok_random(&seed) % 40;
        static const char *const pieces[] = {"a", "\"", "\\", "\n", "\x01", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "12345678", " ", "/"};
        for (size_t k = 0; k < len && n < 180; k++) {
            const char *p = pieces[ok_random(&seed) % 11];
            memcpy(text + n, p, strlen(p));
            n += strlen(p);
        }
        struct json_scanner s;
        buf_clear(&b);
        json_put_string(&b, (struct str){text, n});
        json_init(&s, buf_view(&b), a);
        good &= json_next(&s) == JSON_STRING && str_eq(s.text, (struct str){text, n}) && json_next(&s) == JSON_END;
    }
    ok(good, "5,000 random texts there and back", "one differs");
    buf_free(&b);
}

/* Not a pass mark (machines differ): the figure is printed for the reader. */
/* One byte at a time, from the words of RFC 8259. */
static size_t spelled(char *to, const char *p, size_t n)
{
    size_t at = 0;
    to[at++] = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c == '"' || c == '\\') to[at++] = '\\';
        if (c >= 0x20) to[at++] = (char)c;
        else if (c == '\n' || c == '\t') {
            to[at++] = '\\';
            to[at++] = c == '\n' ? 'n' : 't';
        }
        else at += (size_t)snprintf(to + at, 7, "\\u%04x", (unsigned)c);
    }
    to[at++] = '"';
    return at;
}

/* Every length that the words and vectors of the writer treat differently, with one byte or character of every kind at every place. */
static void every_place(void)
{
    static const char *const odd[] = {"", "\"", "\\", "\n", "\t", "\x01", "\x1f", " ", "\x7f", "\xc3\xa9", "\xe2\x82\xac"};
    bool same = true;
    struct buf b = {0};
    for (size_t n = 0; n <= 70; n++)
        for (size_t at = 0; at <= n; at++)
            for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
                char text[80], want[6 * 80 + 2];
                size_t len = strlen(odd[k]), all = at == n ? n : n + len;
                memset(text, 'x', sizeof text);
                if (at < n) memcpy(text + at, odd[k], len);
                size_t size = spelled(want, text, all);
                buf_clear(&b);
                json_put_string(&b, (struct str){text, all});
                same &= b.n == size && memcmp(b.p, want, size) == 0;
            }
    ok(same, "strings of all short lengths with each kind of byte at each place", "one is spelled wrongly");
    buf_free(&b);
}

static void speed(struct arena *a)
{
    struct buf b = {0};
    buf_byte(&b, '[');
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%s{\"key\":[\"01\",\"CUST%06d\"],\"fields\":{\"CustomerName\":\"American Business Futures Incorporated %d\",\"AddressLine1\":"
                       "\"2131 N. 14th Street, Suite 100\",\"City\":\"Milwaukee\",\"CreditLimit\":\"60000.00\",\"DateEstablished\":null}}", i ? "," : "", i, i);
    buf_byte(&b, ']');
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct json_scanner s;
    size_t n = 0;
    for (int round = 0; round < 5; round++) {
        json_init(&s, buf_view(&b), a);
        enum json_token t;
        while ((t = json_next(&s)) != JSON_END && t != JSON_ERROR) n++;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    ok(s.error[0] == '\0' && n > 1000000, "a large page is scanned", "%s", s.error);
    printf("# %.0f MB/s over %.1f MB of record pages\n", 5 * (double)b.n / 1e6 / seconds, (double)b.n / 1e6);
    buf_free(&b);
}

int main(void)
{
    struct arena a;
    arena_init(&a, 0);
    accepted(&a);
    refused(&a);
    depth(&a);
    truncated(&a);
    skipping(&a);
    writing();
    round_trip(&a);
    every_place();
    speed(&a);
    arena_free(&a);
    return ok_done();
}
