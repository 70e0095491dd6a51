/* words_people.c - people and places a second time: names, titles, web addresses, extensions, postcodes, states. Their lists are those of the generator's
 * words, no more. */
#include "tests/reference/words.h"

static const struct ref_value absent = {.kind = REF_ABSENT};

static bool figure(char c) { return c >= '0' && c <= '9'; }
static bool latin(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool listed(struct str word, const char *const *list)
{
    char letters[16] = "";
    size_t n = 0;
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] != '.' && n < sizeof letters - 1) letters[n++] = word.p[i];
    for (; *list; list++)
        if (ref__same_word((struct str){letters, n}, *list)) return true;
    return false;
}

/* ---- title ---- */

/* Bytes of a letter at s: ASCII, Latin, Greek, Cyrillic; 0: none. */
static size_t letter(struct str s)
{
    size_t n;
    if (s.n == 0) return 0;
    uint32_t c = ref__char(s, &n);
    if (c < 0x80) return latin((char)c);
    return c == 0xaa || c == 0xb5 || c == 0xba || (c >= 0xc0 && c < 0x530 && c != 0xd7 && c != 0xf7) ? n : 0;
}

static void put_folded(struct ref *r, struct buf *out, struct str s, bool upper)
{
    struct ref_value v = ref__by_name(r, upper ? "upper" : "lower", ref__text(r, s));
    buf_str(out, v.text);
}

static bool has_case(struct ref *r, struct str s, bool upper)
{
    struct ref_value v = ref__by_name(r, upper ? "lower" : "upper", ref__text(r, s));
    return !str_eq(v.text, s);
}

static void capital(struct ref *r, struct buf *out, struct str word)
{
    size_t n = letter(word);
    put_folded(r, out, (struct str){word.p, n}, true);
    if (word.n > n) put_folded(r, out, (struct str){word.p + n, word.n - n}, false);
}

static void title_word(struct ref *r, struct buf *out, struct str word, bool behind_apostrophe, bool behind_figure)
{
    static const char *const capitals[] = {"II", "III", "IV", "VI", "VII", "VIII", "IX", "LLC", "LLP", "PLC", "USA", NULL}, *const ordinals[] = {"st", "nd", "rd", "th", NULL};
    struct str rest = {word.p + 2, word.n - 2};
    bool mc = word.n >= 5 && ref__same_word((struct str){word.p, 2}, "mc"), shouted = mc && memcmp(word.p, "Mc", 2) == 0 && !has_case(r, rest, false);
    if ((behind_figure && listed(word, ordinals)) || (behind_apostrophe && ref__same_word(word, "s") && !(has_case(r, word, true) && has_case(r, word, false))))
        put_folded(r, out, word, false);
    else if (has_case(r, word, true) && has_case(r, word, false) && !shouted) buf_str(out, word);      /* somebody's own spelling */
    else if (listed(word, capitals)) put_folded(r, out, word, true);
    else if (mc) {
        buf_puts(out, "Mc");
        capital(r, out, rest);
    } else capital(r, out, word);
}

static struct ref_value title(struct ref *r, const struct ref_value *a, size_t k)
{
    struct str s = a[0].text;
    struct buf b = {0};
    size_t ended = SIZE_MAX;
    (void)k;
    for (size_t at = 0, n; at < s.n; at += n) {
        n = 0;
        for (size_t step; (step = letter((struct str){s.p + at + n, s.n - at - n})) > 0;) n += step;
        if (n == 0) {
            ref__char((struct str){s.p + at, s.n - at}, &n);
            buf_put(&b, s.p + at, n);
            continue;
        }
        title_word(r, &b, (struct str){s.p + at, n}, ended != SIZE_MAX && at - ended == 1 && s.p[ended] == '\'', at > 0 && figure(s.p[at - 1]));
        ended = at + n;
    }
    struct ref_value v = ref__text(r, buf_view(&b));
    buf_free(&b);
    return v;
}

/* ---- names ---- */

enum { WORDS = 40 };
static const char *const titles[] = {"mr", "mrs", "ms", "dr", "prof", NULL}, *const suffixes[] = {"jr", "sr", "iii", "md", "phd", NULL},
                  *const particles[] = {"van", "von", "de", "la", "der", "ben", NULL};

static size_t words_of(struct str s, struct str *words)
{
    size_t n = 0;
    for (size_t at = 0; at < s.n && n < WORDS; at++) {
        size_t from = at;
        while (at < s.n && s.p[at] != ' ') at++;
        if (at > from) words[n++] = (struct str){s.p + from, at - from};
    }
    return n;
}

/* Titles in front go, and what joins two of them; never the last word. */
static size_t first_real(const struct str *w, size_t n)
{
    size_t i = 0;
    while (i + 1 < n && (listed(w[i], titles) || (i > 0 && (str_is(w[i], "&") || ref__same_word(w[i], "and"))))) i++;
    return i;
}

static bool suffix(struct str w)
{
    if (w.n && w.p[w.n - 1] == ',') w.n--;
    return listed(w, suffixes);
}

static struct str from_to(const struct str *w, size_t from, size_t to)
{
    if (from >= to) return (struct str){"", 0};
    struct str s = {w[from].p, (size_t)(w[to - 1].p + w[to - 1].n - w[from].p)};
    while (s.n && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ' ')) s.n--;
    return s;
}

/* "van Dyke, Dr. Bob": the comma parts them the other way round; behind it may stand suffixes only, then it parts nothing. */
static bool turned(struct str s, struct str *first, struct str *last)
{
    struct str w[WORDS];
    const char *comma = memchr(s.p, ',', s.n);
    if (comma == NULL) return false;
    struct str front = {s.p, (size_t)(comma - s.p)};
    size_t n = words_of((struct str){comma + 1, s.n - front.n - 1}, w), k = 0;
    while (k < n && listed(w[k], suffixes)) k++;
    if (k == n) return false;
    k = first_real(w, n);
    const char *end = s.p + s.n;
    *first = (struct str){w[k].p, (size_t)(end - w[k].p)};
    n = words_of(front, w);
    k = first_real(w, n);
    *last = ref__trimmed((struct str){w[k].p, (size_t)(front.p + front.n - w[k].p)});
    return true;
}

static void parts(struct ref *r, struct ref_value whole, struct str *first, struct str *last)
{
    struct str w[WORDS], s;
    *first = *last = (struct str){"", 0};
    whole = ref__by_name(r, "collapse", whole);
    if (whole.kind == REF_ABSENT) return;
    s = whole.text;
    while (s.n && (s.p[0] == ',' || s.p[0] == ' ')) s = (struct str){s.p + 1, s.n - 1};
    if (s.n == 0 || turned(s, first, last)) return;
    while (s.n && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ' ')) s.n--;       /* a comma at the end parts nothing */
    if (s.n == 0) return;
    size_t n = words_of(s, w), from = first_real(w, n), at = n - 1;
    while (at > from && suffix(w[at])) at--;
    while (at > from + 1 && listed(w[at - 1], particles)) at--;
    *first = from_to(w, from, at);
    *last = from_to(w, at, n);
}

static struct ref_value split_name(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)n;
    return ref__by_name(r, "collapse", a[0]);
}

static struct ref_value first_name(struct ref *r, const struct ref_value *a, size_t n)
{
    struct str first, last;
    (void)n;
    parts(r, a[0], &first, &last);
    return ref__text(r, first);
}

static struct ref_value last_name(struct ref *r, const struct ref_value *a, size_t n)
{
    struct str first, last;
    (void)n;
    parts(r, a[0], &first, &last);
    return ref__text(r, last);
}

/* ---- url, phone_ext ---- */

/* host[:port]: at least two parts of letters, figures and hyphens inside; the last one of letters, or of the international form. */
static bool host(struct str s)
{
    size_t dots = 0, from = 0, colon = 0;
    while (colon < s.n && s.p[colon] != ':') colon++;
    struct str port = {s.p + colon, s.n - colon};
    int64_t n = 1;
    if (port.n && (port.n > 6 || port.n < 2 || !str_to_i64((struct str){port.p + 1, port.n - 1}, &n) || n < 1 || n > 65535)) return false;
    for (size_t i = 0; i <= colon; i++) {
        if (i < colon && s.p[i] != '.') {
            if (!latin(s.p[i]) && !figure(s.p[i]) && s.p[i] != '-') return false;
            continue;
        }
        if (i == from || i - from > 63 || s.p[from] == '-' || s.p[i - 1] == '-') return false;
        if (i < colon) dots++, from = i + 1;
    }
    struct str top = {s.p + from, colon - from};
    bool coded = top.n > 4 && ref__same_word((struct str){top.p, 4}, "xn--");
    for (size_t i = 0; i < top.n; i++)
        if (!coded && !latin(top.p[i])) return false;
    return dots > 0 && top.n >= 2 && colon <= 253;
}

static struct ref_value url(struct ref *r, const struct ref_value *a, size_t k)
{
    struct str s = ref__trimmed(a[0].text);
    bool secure = s.n > 8 && ref__same_word((struct str){s.p, 8}, "https://"), plain = s.n > 7 && ref__same_word((struct str){s.p, 7}, "http://");
    size_t n = 0;
    (void)k;
    s = (struct str){s.p + (secure ? 8 : plain ? 7 : 0), s.n - (secure ? 8 : plain ? 7 : 0)};
    while (n < s.n && !strchr("/?#", s.p[n])) n++;
    struct str tail = {s.p + n, s.n - n};
    if (!host((struct str){s.p, n})) return absent;
    for (size_t i = 0; i < tail.n; i++)
        if (tail.p[i] <= ' ' || (unsigned char)tail.p[i] > '~' || strchr("\"<>\\^`{|}", tail.p[i])) return absent;
    if (str_is(tail, "/")) tail.n = 0;
    struct ref_value name = ref__by_name(r, "lower", ref__text(r, (struct str){s.p, n}));
    return (struct ref_value){.kind = REF_TEXT,
        .text = str_of(arena_printf(r->arena, "%s%.*s%.*s", plain ? "http://" : "https://", (int)name.text.n, name.text.p, (int)tail.n, tail.p))};
}

/* The figures behind x, ext, #: only behind a number, and at the end. */
static struct ref_value phone_ext(struct ref *r, const struct ref_value *a, size_t n)
{
    static const char *const marks[] = {"x", "ext", "ext.", "extension", "#", ";ext=", NULL};
    struct str s = ref__trimmed(a[0].text);
    size_t from = s.n, seen = 0;
    (void)n;
    while (from > 0 && figure(s.p[from - 1])) from--;
    struct str ext = {s.p + from, s.n - from}, front = ref__trimmed((struct str){s.p, from});
    if (ext.n == 0 || ext.n > 7) return absent;
    for (size_t m = 0; marks[m]; m++) {
        size_t k = strlen(marks[m]);
        if (front.n < k || !ref__same_word((struct str){front.p + front.n - k, k}, marks[m])) continue;
        struct str number = ref__trimmed((struct str){front.p, front.n - k});
        bool good = true;
        for (size_t i = 0; i < number.n; i++) {
            seen += figure(number.p[i]);
            good &= figure(number.p[i]) || strchr(" -./()+\t", number.p[i]) != NULL;
        }
        if (good && seen > 0) return ref__text(r, ext);
        seen = 0;
    }
    return absent;
}

/* ---- postcode, state_name ---- */

static bool country(const struct ref_value *v, const char *two, const char *three)
{
    return v->kind == REF_TEXT && (ref__same_word(ref__trimmed(v->text), two) || ref__same_word(ref__trimmed(v->text), three));
}

/* Without blanks and hyphens it is of this shape: 9 a figure, A a letter; put with a sign behind `first`. */
static struct ref_value shaped(struct ref *r, struct str s, const char *shape, size_t first, const char *gap)
{
    struct buf b = {0};
    size_t k = 0, n = strlen(shape);
    bool good = true;
    for (size_t i = 0; i < s.n && good; i++) {
        if (s.p[i] == ' ' || s.p[i] == '-') continue;
        good = k < n && (shape[k] == '9' ? figure(s.p[i]) : latin(s.p[i]));
        if (good && k++ == first) buf_puts(&b, gap);
        if (good) buf_byte(&b, (unsigned char)s.p[i]);
    }
    struct ref_value v = good && k == n ? ref__by_name(r, "upper", ref__text(r, buf_view(&b))) : absent;
    buf_free(&b);
    return v;
}

/* Letters outside of ASCII keep their case: no country has them in its codes. */
static struct ref_value capitals(struct ref *r, struct ref_value v)
{
    if (v.kind == REF_ABSENT) return v;
    char *p = arena_copy(r->arena, v.text.p, v.text.n);
    for (size_t i = 0; i < v.text.n; i++)
        if (p[i] >= 'a' && p[i] <= 'z') p[i] = (char)(p[i] - 'a' + 'A');
    v.text.p = p;
    return v;
}

static struct ref_value postcode(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)n;
    if (a[0].kind == REF_ABSENT) return absent;
    if (country(&a[1], "US", "USA")) {
        struct ref_value v = shaped(r, a[0].text, "99999", 5, "");
        return v.kind == REF_TEXT ? v : shaped(r, a[0].text, "999999999", 5, "-");
    }
    if (country(&a[1], "CA", "CAN")) return shaped(r, a[0].text, "A9A9A9", 3, " ");
    return capitals(r, ref__by_name(r, "collapse", a[0]));
}

static const struct { const char *code, *name; bool usa; } states[] = {
    {"AA", "Armed Forces Americas", true}, {"AE", "Armed Forces Europe", true}, {"AP", "Armed Forces Pacific", true}, {"AS", "American Samoa", true}, {"GU", "Guam", true},
    {"AL", "Alabama", true}, {"AK", "Alaska", true}, {"AZ", "Arizona", true}, {"AR", "Arkansas", true}, {"CA", "California", true},
    {"CO", "Colorado", true}, {"CT", "Connecticut", true}, {"DE", "Delaware", true}, {"DC", "District of Columbia", true}, {"FL", "Florida", true},
    {"GA", "Georgia", true}, {"HI", "Hawaii", true}, {"ID", "Idaho", true}, {"IL", "Illinois", true}, {"IN", "Indiana", true},
    {"IA", "Iowa", true}, {"KS", "Kansas", true}, {"KY", "Kentucky", true}, {"LA", "Louisiana", true}, {"ME", "Maine", true},
    {"MD", "Maryland", true}, {"MA", "Massachusetts", true}, {"MI", "Michigan", true}, {"MN", "Minnesota", true}, {"MS", "Mississippi", true},
    {"MO", "Missouri", true}, {"MT", "Montana", true}, {"NE", "Nebraska", true}, {"NV", "Nevada", true}, {"NH", "New Hampshire", true},
    {"NJ", "New Jersey", true}, {"NM", "New Mexico", true}, {"NY", "New York", true}, {"NC", "North Carolina", true}, {"ND", "North Dakota", true},
    {"OH", "Ohio", true}, {"OK", "Oklahoma", true}, {"OR", "Oregon", true}, {"PA", "Pennsylvania", true}, {"PR", "Puerto Rico", true},
    {"RI", "Rhode Island", true}, {"SC", "South Carolina", true}, {"SD", "South Dakota", true}, {"TN", "Tennessee", true}, {"TX", "Texas", true},
    {"UT", "Utah", true}, {"VT", "Vermont", true}, {"VA", "Virginia", true}, {"WA", "Washington", true}, {"WV", "West Virginia", true},
    {"WI", "Wisconsin", true}, {"WY", "Wyoming", true}, {"AB", "Alberta", false}, {"BC", "British Columbia", false}, {"MB", "Manitoba", false},
    {"NB", "New Brunswick", false}, {"NL", "Newfoundland and Labrador", false}, {"NT", "Northwest Territories", false},
    {"NS", "Nova Scotia", false}, {"NU", "Nunavut", false}, {"ON", "Ontario", false}, {"PE", "Prince Edward Island", false},
    {"QC", "Quebec", false}, {"SK", "Saskatchewan", false}, {"YT", "Yukon", false}};

static struct ref_value state_name(struct ref *r, const struct ref_value *a, size_t n)
{
    (void)n;
    for (size_t i = 0; a[0].kind == REF_TEXT && i < sizeof states / sizeof *states; i++) {
        if (!ref__same_word(ref__trimmed(a[0].text), states[i].code)) continue;
        bool here = a[1].kind == REF_ABSENT || (states[i].usa ? country(&a[1], "US", "USA") : country(&a[1], "CA", "CAN"));
        return here ? ref__text(r, str_of(states[i].name)) : absent;
    }
    return absent;
}

const struct ref_word ref__words_people[] = {{"title", title, 0}, {"split_name", split_name, 0}, {"first_name", first_name, 0}, {"last_name", last_name, 0}, {"url", url, 0},
    {"phone_ext", phone_ext, 0}, {"postcode", postcode, 3}, {"state_name", state_name, 3}, {NULL, NULL, 0}};
