/* json_pass_test.c - over what nobody reads: for random texts with everything that could mislead (brackets and escaped quotes in strings, runs of backslashes
 * across the edges of blocks) the end is where the strict scanner sees it, with vectors and without; a cut text has no end; nothing is read behind the text. */
#include "value/json.h"
#include "value/json_pass.h"
#include "tests/unit/value/ok.h"
#include <stdlib.h>

static void put_text(struct buf *b, uint64_t *seed)
{
    static const char *const pieces[] = {"a", "{", "}", "[", "]", "\\\"", "\\\\", "\\\\\\\"", "\xc3\xa9", ":", ",", "plain text of some length", "\\u007b", " "};
    buf_byte(b, '"');
    for (uint64_t n = ok_random(seed) % 9; n; n--) buf_puts(b, pieces[ok_random(seed) % (sizeof pieces / sizeof *pieces)]);
    if (ok_random(seed) % 16 == 0)
        for (uint64_t n = ok_random(seed) % 140; n; n--) buf_puts(b, "\\\\");
    buf_byte(b, '"');
}

static void put_value(struct buf *b, uint64_t *seed, unsigned depth)
{
    static const char *const words[] = {"null", "true", "-1.50", "0", "[]", "{}", " { } ", "[ ]"};
    uint64_t dice = ok_random(seed) % 8;
    if (depth == 0 || dice < 3) put_text(b, seed);
    else if (dice < 5) buf_puts(b, words[ok_random(seed) % (sizeof words / sizeof *words)]);
    else {
        bool object = dice == 5;
        buf_byte(b, object ? '{' : '[');
        for (uint64_t n = ok_random(seed) % 12, i = 0; i < n; i++) {
            if (i) buf_byte(b, ',');
            if (object) {
                put_text(b, seed);
                buf_puts(b, ok_random(seed) % 4 ? ":" : " : ");
            }
            put_value(b, seed, depth - 1);
        }
        buf_byte(b, object ? '}' : ']');
    }
}

/* The text in memory of exactly its size: whoever reads behind it is found by the sanitizer. */
static char *alone(const struct buf *b, size_t n)
{
    char *p = malloc(n ? n : 1);
    if (!p) abort();
    memcpy(p, b->p, n);
    return p;
}

static bool one_text(const struct buf *b, struct arena *a, char why[200])
{
    struct json_scanner s;
    char *text = alone(b, b->n);
    json_init(&s, (struct str){text, b->n}, a);
    enum json_token t = json_next(&s);
    bool good = json_skip(&s, t);
    size_t end = (size_t)(s.p - text);
    const char *vector = json_pass(text + 1, text + b->n), *portable = json_pass_portable(text + 1, text + b->n);
    if (!good) snprintf(why, 200, "the test's own text is no JSON: %s", s.error);
    else if (vector != text + end || portable != text + end) {
        good = false;
        snprintf(why, 200, "end at %zu, passed to %td and %td", end, vector ? vector - text : -1, portable ? portable - text : -1);
    }
    free(text);
    return good;
}

/* Every prefix is without an end. */
static bool cut(const struct buf *b, char why[200])
{
    size_t to = b->n - 1;
    while (to && b->p[to] != '}' && b->p[to] != ']') to--;      /* blanks may follow */
    for (size_t n = 1; n <= to; n++) {
        char *text = alone(b, n);
        bool none = !json_pass(text + 1, text + n) && !json_pass_portable(text + 1, text + n);
        free(text);
        if (none) continue;
        snprintf(why, 200, "an end within the first %zu of %zu bytes", n, b->n);
        return false;
    }
    return true;
}

static void random_texts(void)
{
    uint64_t seed = 17;
    struct arena a;
    struct buf b = {0};
    char why[200] = "";
    bool ends = true, cuts = true;
    arena_init(&a, 0);
    for (int i = 0; i < 40000 && ends && cuts; i++) {
        buf_clear(&b);
        buf_byte(&b, '[');
        put_value(&b, &seed, (unsigned)(ok_random(&seed) % 6));
        buf_byte(&b, ']');
        arena_reset(&a);
        ends = one_text(&b, &a, why);
        if (ends && i % 40 == 0 && b.n < 3000) cuts = cut(&b, why);
    }
    ok(ends, "the end is where the strict scanner sees it", "%s: %.*s", why, (int)(b.n < 400 ? b.n : 400), b.p);
    ok(cuts, "a text that is cut off has no end", "%s", why);
    buf_free(&b);
    arena_free(&a);
}

/* The scanner goes on behind what was passed over as if it had read it. */
static void goes_on(void)
{
    struct arena a;
    struct json_scanner s;
    arena_init(&a, 0);
    json_init(&s, STR("{\"a\":{\"x\":[1,\"}\"]},\"b\":7}"), &a);
    bool good = json_next(&s) == JSON_OBJECT && json_next(&s) == JSON_NAME && json_pass_over(&s, json_next(&s)) && json_next(&s) == JSON_NAME &&
                str_is(s.text, "b") && json_next(&s) == JSON_NUMBER && json_next(&s) == JSON_OBJECT_END && json_next(&s) == JSON_END;
    ok(good, "what follows is read strictly", "%s", s.error);
    json_init(&s, STR("{\"a\":{\"x\":1,\"b\":7"), &a);
    good = json_next(&s) == JSON_OBJECT && json_next(&s) == JSON_NAME && !json_pass_over(&s, json_next(&s));
    ok(good && s.error[0] && json_next(&s) == JSON_ERROR, "without an end nothing follows, and it says why", "%s", s.error);
    arena_free(&a);
}

int main(void)
{
    random_texts();
    goes_on();
    return ok_done();
}
