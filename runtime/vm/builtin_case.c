/* builtin_case.c - upper, lower, title.
 *
 * title works word by word, a word being letters without a break:
 *
 *   all small or all capitals   -> first letter in capitals, the rest small; MC and three letters or more -> McDonald; a word of the list
 *                                  below stays in capitals; an S alone behind an apostrophe is small; so are ST, ND, RD, TH behind a digit
 *   capitals and small letters  -> somebody's own spelling: left as it is ("eBay", "deVries"); McDONALD alone is mended */
#include "vm/builtin.h"
#include "vm/chars.h"

static inline void fold(const struct value *v, uint32_t (*map)(uint32_t c), struct scratch *s, struct value *out)
{
    struct str text = value_str(v);
    char *p = scratch_take(s, text.n);
    size_t n = 0, bytes;
    for (; n < text.n && (unsigned char)text.p[n] < 0x80; n++) p[n] = (char)map((unsigned char)text.p[n]);      /* ASCII, mostly all of it */
    for (size_t at = n; at < text.n; at += bytes) n += char_put(p + n, map(char_at(str_behind(text, at), &bytes)));
    *out = value_text((struct str){p, n});
}

void builtin__upper(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], char_upper, s, out);
}

void builtin__lower(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], char_lower, s, out);
}

/* ---- title ---- */

static bool stays_capital(struct str word)
{
    static const char *const words[] = {"II", "III", "IV", "VI", "VII", "VIII", "IX", "LLC", "LLP", "PLC", "USA"};
    if (word.n > 4 || !strchr("IVLPU", word.p[0] & ~0x20)) return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_ieq(word, str_of(words[i]))) return true;
    return false;
}

/* Letters with a case of their own in the word: some capital, some small? */
static void cases_in(struct str word, bool *capitals, bool *small)
{
    size_t bytes;
    *capitals = *small = false;
    for (size_t at = 0; at < word.n; at += bytes) {
        uint32_t c = char_at(str_behind(word, at), &bytes);
        if (char_lower(c) != c) *capitals = true;
        else if (char_upper(c) != c) *small = true;
    }
}

/* Capital at `first` and at byte `second` (0: nowhere else), the rest small. */
static size_t put_word(char *out, struct str word, bool first, size_t second)
{
    size_t n = 0, bytes;
    for (size_t at = 0; at < word.n; at += bytes) {
        uint32_t c = char_at(str_behind(word, at), &bytes);
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

static size_t title_word(char *out, struct str word, bool possessive_s)
{
    bool capitals, small, rest_capitals, rest_small = false, mc = word.n >= 5 && str_ieq((struct str){word.p, 2}, STR("mc"));
    cases_in(word, &capitals, &small);
    if (mc) cases_in(str_behind(word, 2), &rest_capitals, &rest_small);
    bool shouted_mc = mc && word.p[0] == 'M' && word.p[1] == 'c' && !rest_small;
    if (capitals && small && !shouted_mc) {
        memcpy(out, word.p, word.n);
        return word.n;
    }
    if (possessive_s) return put_word(out, word, false, 0);
    if (!stays_capital(word)) return put_word(out, word, true, mc ? 2 : 0);
    for (size_t i = 0; i < word.n; i++) out[i] = word.p[i] >= 'a' ? (char)(word.p[i] - 32) : word.p[i];
    return word.n;
}

void builtin__title(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]);
    char *p = scratch_take(s, text.n);
    size_t n = 0, at = 0, bytes, last_end = SIZE_MAX;    /* where the last word ended */
    while (at < text.n) {
        uint32_t c = char_at(str_behind(text, at), &bytes);
        size_t end = at + bytes;
        if (!char_is_letter(c)) {
            memcpy(p + n, text.p + at, bytes);
            n += bytes;
            at = end;
            continue;
        }
        while (end < text.n && char_is_letter(char_at(str_behind(text, end), &bytes))) end += bytes;
        struct str word = {text.p + at, end - at}, gap = last_end < at ? (struct str){text.p + last_end, at - last_end} : (struct str){"", 0};
        bool ordinal = at > 0 && text.p[at - 1] >= '0' && text.p[at - 1] <= '9' && ends_ordinal(word);
        bool behind_apostrophe = str_is(gap, "'") || str_is(gap, "\xe2\x80\x99");
        n += ordinal ? put_word(p + n, word, false, 0) : title_word(p + n, word, behind_apostrophe && str_ieq(word, STR("s")));
        at = last_end = end;
    }
    *out = value_text((struct str){p, n});
}
