/* json.c - a pull scanner for record pages, and string output.
 *
 * The hot path is a long run of plain string bytes (json_run.h). Strings without escapes are handed out as spans of the input; UTF-8 is checked only where a byte above 0x7f was seen.
 *
 * Grammar state: stack[] holds one byte per open container (OBJECT or ARRAY, plus FIRST while nothing stands in it);
 * after_value = a value just ended, so a comma or a close must come; want_name = a member name must come. */
#include "value/json.h"
#include "value/json_pass.h"
#include "value/json_run.h"
#include <stdio.h>

enum { OBJECT = 1, ARRAY = 2, FIRST = 4, DEPTH_MAX = 32 };

void json_init(struct json_scanner *s, struct str input, struct arena *a)
{
    memset(s, 0, sizeof *s);
    s->p = s->start = input.n ? input.p : "";
    s->end = s->p + input.n;
    s->arena = a;
}

void json_init_member(struct json_scanner *s, struct str input, struct arena *a)
{
    json_init(s, input, a);
    s->stack[s->depth++] = OBJECT;
}

static enum json_token fail(struct json_scanner *s, const char *at, const char *why)
{
    if (s->error[0] == '\0') {
        snprintf(s->error, sizeof s->error, "%s", why);
        s->error_at = (size_t)(at - s->start);
    }
    s->p = s->end;
    return JSON_ERROR;
}

static void skip_blanks(struct json_scanner *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) s->p++;
}

/* ---- strings ---- */

static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (d < 0) return -1;
        v = v * 16 + d;
    }
    return v;
}

static char *put_utf8(char *o, int c)
{
    if (c < 0x80) { *o++ = (char)c; return o; }
    if (c < 0x800) *o++ = (char)(0xc0 | c >> 6);
    else {
        if (c < 0x10000) *o++ = (char)(0xe0 | c >> 12);
        else { *o++ = (char)(0xf0 | c >> 18); *o++ = (char)(0x80 | (c >> 12 & 0x3f)); }
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *o++ = (char)(0x80 | (c & 0x3f));
    return o;
}

/* One escape at s->p (behind the backslash) to o; NULL after an error. Never writes more bytes than it reads. */
static char *unescape(struct json_scanner *s, char *o)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = s->p - 1;
    if (s->p == s->end) { fail(s, at, "the text ends inside an escape"); return NULL; }
    char c = *s->p++;
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) { *o = to[hit - from]; return o + 1; }
    if (c != 'u') { fail(s, at, "unknown escape"); return NULL; }
    int u = hex4(s->p, s->end);
    if (u < 0) { fail(s, at, "\\u needs four hex digits"); return NULL; }
    s->p += 4;
    if (u >= 0xdc00 && u <= 0xdfff) { fail(s, at, "a low surrogate without its high one"); return NULL; }
    if (u >= 0xd800 && u <= 0xdbff) {
        int low = s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' ? hex4(s->p + 2, s->end) : -1;
        if (low < 0xdc00 || low > 0xdfff) { fail(s, at, "a high surrogate without its low one"); return NULL; }
        s->p += 6;
        u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
    }
    return put_utf8(o, u);
}

/* Where the string that began before p closes, for the size of its copy; s->end when it does not. */
static const char *closing_quote(const char *p, const char *end)
{
    bool high = false;
    while ((p = json_run(p, end, &high)) < end && *p != '"') p += *p == '\\' && end - p >= 2 ? 2 : 1;
    return p;
}

/* A string with escapes: copied to the arena. s->p stands at the first backslash, from at the first byte. */
static bool scan_escaped(struct json_scanner *s, const char *from, bool *high)
{
    size_t room = (size_t)(closing_quote(s->p, s->end) - from);
    char *text = arena_alloc(s->arena, room + 1), *o = text;
    memcpy(o, from, (size_t)(s->p - from));
    o += s->p - from;
    while (s->p < s->end && *s->p == '\\') {
        s->p++;
        o = unescape(s, o);
        if (!o) return false;
        const char *run = s->p;
        s->p = json_run(run, s->end, high);
        memcpy(o, run, (size_t)(s->p - run));
        o += s->p - run;
    }
    s->text = (struct str){text, (size_t)(o - text)};
    return true;
}

/* s->p behind the opening quote. */
static bool scan_string(struct json_scanner *s)
{
    const char *from = s->p;
    bool high = false;
    s->p = json_run(from, s->end, &high);
    s->text = (struct str){from, (size_t)(s->p - from)};
    if (s->p < s->end && *s->p == '\\' && !scan_escaped(s, from, &high)) return false;
    if (s->p == s->end) return fail(s, from - 1, "a string without its closing quote") != JSON_ERROR;
    if (*s->p != '"') return fail(s, s->p, "a control character in a string") != JSON_ERROR;
    s->p++;
    if (high && !str_utf8_valid(s->text)) return fail(s, from, "a string that is not UTF-8") != JSON_ERROR;
    return true;
}

/* ---- numbers and words ---- */

static size_t digit_run(struct json_scanner *s)
{
    const char *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9') s->p++;
    return (size_t)(s->p - from);
}

static enum json_token scan_number(struct json_scanner *s)
{
    const char *from = s->p;
    if (*s->p == '-') s->p++;
    const char *whole = s->p;
    size_t n = digit_run(s);
    if (n == 0) return fail(s, from, "a number without digits");
    if (n > 1 && *whole == '0') return fail(s, from, "a number with a leading zero");
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (digit_run(s) == 0) return fail(s, from, "a number without digits behind the point");
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-')) s->p++;
        if (digit_run(s) == 0) return fail(s, from, "a number without digits in its exponent");
    }
    s->text = (struct str){from, (size_t)(s->p - from)};
    return JSON_NUMBER;
}

static enum json_token scan_word(struct json_scanner *s, const char *word, enum json_token t)
{
    size_t n = strlen(word);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return fail(s, s->p, "not a JSON value");
    s->p += n;
    return t;
}

/* ---- structure ---- */

static enum json_token open_container(struct json_scanner *s, uint8_t kind)
{
    if (s->depth == DEPTH_MAX) return fail(s, s->p, "nested deeper than 32");
    s->p++;
    s->stack[s->depth++] = kind | FIRST;
    s->want_name = kind == OBJECT;
    return kind == OBJECT ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token close_container(struct json_scanner *s)
{
    uint8_t kind = s->stack[--s->depth];
    s->p++;
    s->after_value = true;
    s->want_name = false;
    return kind & OBJECT ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static enum json_token scan_name(struct json_scanner *s)
{
    if (*s->p != '"') return fail(s, s->p, "a member name was expected");
    s->p++;
    if (!scan_string(s)) return JSON_ERROR;
    skip_blanks(s);
    if (s->p == s->end || *s->p != ':') return fail(s, s->p, "a colon was expected");
    s->p++;
    s->want_name = false;
    return JSON_NAME;
}

static enum json_token scan_value(struct json_scanner *s)
{
    char c = *s->p;
    if (c == '{') return open_container(s, OBJECT);
    if (c == '[') return open_container(s, ARRAY);
    s->after_value = true;
    switch (c) {
    case '"': s->p++; return scan_string(s) ? JSON_STRING : JSON_ERROR;
    case 't': return scan_word(s, "true", JSON_TRUE);
    case 'f': return scan_word(s, "false", JSON_FALSE);
    case 'n': return scan_word(s, "null", JSON_NULL);
    default:
        if (c == '-' || (c >= '0' && c <= '9')) return scan_number(s);
        return fail(s, s->p, "not a JSON value");
    }
}

static bool closes(const struct json_scanner *s)
{
    return s->depth > 0 && *s->p == (s->stack[s->depth - 1] & OBJECT ? '}' : ']');
}

enum json_token json_next(struct json_scanner *s)
{
    if (s->error[0]) return JSON_ERROR;
    skip_blanks(s);
    if (s->p == s->end) {
        if (s->depth == 0 && s->after_value) return JSON_END;
        return fail(s, s->p, s->depth ? "the text ends inside an object or array" : "no value");
    }
    if (s->after_value) {
        if (s->depth == 0) return fail(s, s->p, "more text behind the value");
        if (closes(s)) return close_container(s);
        if (*s->p != ',') return fail(s, s->p, "a comma or a close was expected");
        s->p++;
        skip_blanks(s);
        if (s->p == s->end) return fail(s, s->p, "the text ends inside an object or array");
        s->after_value = false;
        s->want_name = (s->stack[s->depth - 1] & OBJECT) != 0;
    } else if (s->depth > 0 && (s->stack[s->depth - 1] & FIRST) && closes(s)) {
        return close_container(s);
    }
    if (s->depth > 0) s->stack[s->depth - 1] &= (uint8_t)~FIRST;
    return s->want_name ? scan_name(s) : scan_value(s);
}

bool json_skip(struct json_scanner *s, enum json_token t)
{
    if (t == JSON_ERROR || t == JSON_END) return false;
    if (t != JSON_OBJECT && t != JSON_ARRAY) return true;
    unsigned outside = s->depth - 1;
    while (s->depth > outside)
        if (json_next(s) == JSON_ERROR) return false;
    return true;
}

bool json_pass_over(struct json_scanner *s, enum json_token t)
{
    if (t == JSON_ERROR || t == JSON_END) return false;
    if (t != JSON_OBJECT && t != JSON_ARRAY) return true;
    const char *behind = json_pass(s->p, s->end);
    if (!behind) return fail(s, s->end, "the text ends inside an object or array") != JSON_ERROR;
    s->p = behind - 1;
    close_container(s);
    return true;
}

/* ---- writer ---- */

static void put_escaped(struct buf *out, unsigned char c)
{
    static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) { buf_byte(out, '\\'); buf_byte(out, (unsigned char)to[hit - from]); }
    else buf_printf(out, "\\u%04x", (unsigned)c);
}

/* Our texts are valid UTF-8. Should other bytes come here (a foreign answer in a log), each becomes U+FFFD rather than broken JSON. */
static size_t utf8_length(const char *p, size_t left)
{
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (str_utf8_valid((struct str){p, n})) return n;
    return 0;
}

static void put_foreign(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = utf8_length(s.p + i, s.n - i);
        if (n == 0) buf_puts(out, "\\ufffd");
        else if (n == 1 && (c < 0x20 || c == '"' || c == '\\')) put_escaped(out, c);
        else buf_put(out, s.p + i, n);
        i += n ? n : 1;
    }
}

static inline uint64_t word_at(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Up to 15 bytes in one word or two that overlap. */
static inline bool copy_short(char *to, const char *p, size_t n, bool *high)
{
    uint64_t a = WORD_EACH(' '), b = a;
    uint32_t first, last;
    if (n >= 8) {
        a = word_at(p);
        b = word_at(p + n - 8);
        memcpy(to, &a, 8);
        memcpy(to + n - 8, &b, 8);
    } else if (n >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + n - 4, 4);
        a = (uint64_t)last << 32 | first;
        memcpy(to, &first, 4);
        memcpy(to + n - 4, &last, 4);
    } else if (n > 0) {
        to[0] = p[0];
        to[n / 2] = p[n / 2];
        to[n - 1] = p[n - 1];
        a = (a & ~UINT64_C(0xffffff)) | (unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 | (uint64_t)(unsigned char)p[n - 1] << 16;
    }
    *high = ((a | b) & WORD_EACH(0x80)) != 0;
    return !(json_run__special(a) | json_run__special(b));
}

/* Copies a text in which nothing needs an escape; false when something does, and then the bytes at `to` mean nothing. */
static inline bool copy_plain(char *to, const char *p, size_t n, bool *high)
{
    if (n < 16) return copy_short(to, p, n, high);
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), below = _mm_set1_epi8(0x1f);
    __m128i stop = _mm_setzero_si128(), up = stop;
    for (size_t i = 0;; i = i + 32 <= n ? i + 16 : n - 16) {            /* the last vector ends with the text */
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmpeq_epi8(_mm_min_epu8(v, below), v));
        _mm_storeu_si128((__m128i *)(void *)(to + i), v);
        stop = _mm_or_si128(stop, hit);
        up = _mm_or_si128(up, v);
        if (i + 16 == n) break;
    }
    *high = _mm_movemask_epi8(up) != 0;
    return _mm_movemask_epi8(stop) == 0;
#else
    const char *stop = json_run_portable(p, p + n, high);
    memcpy(to, p, n);
    return stop == p + n;
#endif
}

/* Behind the opening quote, which is written. */
static void put_with_escapes(struct buf *out, struct str s)
{
    bool high = false;
    size_t start = out->n;
    const char *p = s.p, *end = p + s.n;
    for (;;) {
        const char *stop = json_run(p, end, &high);
        buf_put(out, p, (size_t)(stop - p));
        if (stop == end) break;
        put_escaped(out, (unsigned char)*stop);
        p = stop + 1;
    }
    if (high && !str_utf8_valid(s)) {
        out->n = start;
        put_foreign(out, s);
    }
    buf_byte(out, '"');
}

void json_put_string(struct buf *out, struct str s)
{
    bool high = false;
    char *to = buf_reserve(out, s.n + 2);
    *to = '"';
    if (copy_plain(to + 1, s.p, s.n, &high) && (!high || str_utf8_valid(s))) {
        to[s.n + 1] = '"';
        out->n += s.n + 2;
        return;
    }
    out->n++;
    put_with_escapes(out, s);
}
