/* builtin_case.c - upper, lower, title.
 *
 * title works word by word, a word being letters without a break:
 *
 *   all small or all capitals   -> first letter in capitals, the rest small; MC and three letters or more -> McDonald; a word of the list
 *                                  below stays in capitals; an S alone behind an apostrophe is small; so are ST, ND, RD, TH behind a digit
 *   capitals and small letters  -> somebody's own spelling: left as it is ("eBay", "deVries"); McDONALD alone is mended */
#include "vm/builtin.h"
#include "vm/chars.h"

enum { CASE_BIT = 0x20 };              /* by which the letters of ASCII differ */
#define EACH WORD_EACH

/* The case bit of every byte from `first` to `last`; all bytes are ASCII. */
static inline uint64_t letters_in(uint64_t w, unsigned first, unsigned last)
{
    return ((w + EACH(0x80 - first)) & ~(w + EACH(0x7f - last)) & EACH(0x80)) >> 2;
}

/* Eight bytes at a time as long as they are ASCII; how many. Letters of the other case begin with `from`. */
static size_t fold_words(struct str text, char from, char *p)
{
    size_t n = 0;
    for (uint64_t w; text.n - n >= 8; n += 8) {
        memcpy(&w, text.p + n, 8);
        if (w & EACH(0x80)) break;
        w ^= letters_in(w, (unsigned)from, (unsigned)from + 25);
        memcpy(p + n, &w, 8);
    }
    return n;
}

static inline void fold(const struct value *v, char from, uint32_t (*map)(uint32_t c), struct scratch *s, struct value *out)
{
    struct str text = value_str(v);
    char *p = scratch_take(s, text.n);
    size_t n = fold_words(text, from, p), bytes;
    for (; n < text.n && (unsigned char)text.p[n] < 0x80; n++) p[n] = (char)map((unsigned char)text.p[n]);
    for (size_t at = n; at < text.n; at += bytes) n += char_put(p + n, map(char_at(str_behind(text, at), &bytes)));
    *out = value_text((struct str){p, n});
}

void builtin__upper(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], 'a', char_upper, s, out);
}

void builtin__lower(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], 'A', char_lower, s, out);
}

/* ---- title ---- */

enum { CAPITALS = 1, SMALL = 2 };      /* which letters with a case of their own a word has */
struct word { struct str s; unsigned cases; bool ascii; };

static bool is_ascii_letter(char c) { return (c | CASE_BIT) >= 'a' && (c | CASE_BIT) <= 'z'; }

/* The word that begins with the letter at `from`. */
static struct word word_at(struct str text, size_t from)
{
    size_t end = from, bytes;
    struct word w = {.ascii = true};
    for (; end < text.n && is_ascii_letter(text.p[end]); end++) w.cases |= text.p[end] & CASE_BIT ? SMALL : CAPITALS;
    for (; end < text.n; end += bytes) {
        uint32_t c = char_at(str_behind(text, end), &bytes);
        if (!char_is_letter(c)) break;
        if (c >= 0x80) w.ascii = false;
        if (char_lower(c) != c) w.cases |= CAPITALS;
        else if (char_upper(c) != c) w.cases |= SMALL;
    }
    w.s = (struct str){text.p + from, end - from};
    return w;
}

static bool stays_capital(struct str word)
{
    static const char *const words[] = {"II", "III", "IV", "VI", "VII", "VIII", "IX", "LLC", "LLP", "PLC", "USA"};
    if (word.n > 4) return false;
    switch (word.p[0] & ~CASE_BIT) {
    case 'I': case 'V': case 'L': case 'P': case 'U': break;
    default: return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_ieq(word, str_of(words[i]))) return true;
    return false;
}

/* Capital at `first` and at byte `second` (0: nowhere else), the rest small. */
static size_t put_word(char *out, const struct word *w, bool first, size_t second)
{
    size_t n = 0, bytes;
    struct str s = w->s;
    if (w->ascii) {
        for (; n < s.n; n++) out[n] = (char)(s.p[n] | CASE_BIT);
        if (first) out[0] = (char)(out[0] & ~CASE_BIT);
        if (second) out[second] = (char)(out[second] & ~CASE_BIT);
        return n;
    }
    for (size_t at = 0; at < s.n; at += bytes) {
        uint32_t c = char_at(str_behind(s, at), &bytes);
        bool capital = at == 0 ? first : at == second;
        n += char_put(out + n, capital ? char_upper(c) : char_lower(c));
    }
    return n;
}

/* "1ST" and "22nd", but "3M" */
static bool ends_ordinal(struct str word)
{
    return str_ieq(word, STR("st")) || str_ieq(word, STR("nd")) || str_ieq(word, STR("rd")) || str_ieq(word, STR("th"));
}

/* An S alone behind an apostrophe; gap: what parts it from the word before. */
static bool is_possessive(struct str word, struct str gap)
{
    return word.n == 1 && (word.p[0] | CASE_BIT) == 's' && (str_is(gap, "'") || str_is(gap, "\xe2\x80\x99"));
}

static size_t title_word(char *out, const struct word *w)
{
    struct str s = w->s;
    bool mc = s.n >= 5 && (s.p[0] | CASE_BIT) == 'm' && (s.p[1] | CASE_BIT) == 'c';
    bool shouted_mc = mc && s.p[0] == 'M' && s.p[1] == 'c' && !(word_at(s, 2).cases & SMALL);
    if (w->cases == (CAPITALS | SMALL) && !shouted_mc) {
        memcpy(out, s.p, s.n);
        return s.n;
    }
    if (!stays_capital(s)) return put_word(out, w, true, mc ? 2 : 0);
    for (size_t i = 0; i < s.n; i++) out[i] = s.p[i] >= 'a' ? (char)(s.p[i] - 32) : s.p[i];
    return s.n;
}

/* ---- title, as it is for nearly all names: ASCII, and no word that is a case of its own ---- */

enum { QUICK_BYTES = 64 };             /* a bit each */
/* The case bits of eight bytes as eight bits, and back. */
static inline uint64_t gather(uint64_t w) { return (w >> 5) * UINT64_C(0x0102040810204080) >> 56; }
static inline uint64_t spread(uint64_t bits)
{
    const uint64_t one_each = UINT64_C(0x8040201008040201);
    return ((((bits & 0xff) * EACH(1) & one_each) + (EACH(0x80) - one_each)) & EACH(0x80)) >> 2;
}

/* The letters of text, `capitals` of them, are the word: one that title_word would spell with one capital in front? */
static bool ordinary(struct str text, size_t from, size_t n, uint64_t capitals)
{
    enum { LISTED = 1 << ('i' - 'a') | 1 << ('v' - 'a') | 1 << ('l' - 'a') | 1 << ('p' - 'a') | 1 << ('u' - 'a') };      /* stays_capital: what these begin with */
    uint64_t all = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    const char *p = text.p + from;
    unsigned first = (unsigned)(p[0] | CASE_BIT) - 'a';
    char before = from ? p[-1] : ' ';
    bool mixed = capitals && capitals != all, listed = n <= 4 && LISTED >> first & 1, mc = first == 'm' - 'a' && n >= 5 && (p[1] | CASE_BIT) == 'c';
    return !mixed && !listed && !mc && before != '\'' && (before < '0' || before > '9');
}

/* False: there is more to it, and p means nothing. */
static bool title_quickly(struct str text, char *p)
{
    uint64_t letters = 0, capitals = 0, high = 0;
    if (text.n > QUICK_BYTES) return false;
    for (size_t at = 0; at < text.n; at += 8) {
        uint64_t w = chars_word(text, at), up = letters_in(w, 'A', 'Z');
        high |= w;
        capitals |= gather(up) << at;
        letters |= gather(up | letters_in(w, 'a', 'z')) << at;
    }
    if (high & EACH(0x80)) return false;
    const uint64_t begins = letters & ~(letters << 1);
    for (uint64_t left = begins; left; left &= left - 1) {
        unsigned from = (unsigned)__builtin_ctzll(left);
        uint64_t behind = ~(letters >> from);
        unsigned n = behind ? (unsigned)__builtin_ctzll(behind) : 64;
        uint64_t word = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
        if (!ordinary(text, from, n, capitals >> from & word)) return false;
    }
    for (size_t at = 0; at < text.n; at += 8) {
        uint64_t w = chars_word(text, at);
        word_store(p + at, (w ^ letters_in(w, 'A', 'Z')) ^ spread(begins >> at));
    }
    return true;
}

void builtin__title(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]);
    char *p = scratch_take(s, text.n);
    size_t n = 0, at = 0, bytes, last_end = SIZE_MAX;    /* where the last word ended */
    if (title_quickly(text, p)) {                        /* whole words are written: scratch memory comes in sixteens */
        *out = value_text((struct str){p, text.n});
        return;
    }
    while (at < text.n) {
        uint32_t c = char_at(str_behind(text, at), &bytes);
        if (!char_is_letter(c)) {
            for (size_t i = 0; i < bytes; i++) p[n++] = text.p[at++];
            continue;
        }
        struct word w = word_at(text, at);
        struct str gap = last_end < at ? (struct str){text.p + last_end, at - last_end} : (struct str){"", 0};
        bool ordinal = at > 0 && text.p[at - 1] >= '0' && text.p[at - 1] <= '9' && ends_ordinal(w.s);
        n += ordinal || is_possessive(w.s, gap) ? put_word(p + n, &w, false, 0) : title_word(p + n, &w);
        at = last_end = at + w.s.n;
    }
    *out = value_text((struct str){p, n});
}
