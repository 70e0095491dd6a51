/* builtin_name.c - the name of a person, as one column holds it, into first and last name.
 *
 *   collapsed -> titles in front dropped -> "Last, First" turned round -> from the end: suffixes, the last word, particles before it = last
 *
 * It cannot know all the world's customs; where the rule is wrong for somebody, the source has to say. Nothing is lost but a title in front. */
#include "vm/builtin.h"
#include "vm/chars.h"

static const char *const titles[] = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", NULL};
static const char *const suffixes[] = {"jr", "sr", "ii", "iii", "iv", "md", "phd", "dds", "dvm", "cpa", "esq", "pe", "rn", NULL};
static const char *const particles[] = {"van", "von", "vom", "zu", "zum", "zur", "de", "der", "den", "del", "della", "dela", "di", "da", "do", "dos", "das", "du", "la",
                                        "le", "las", "los", "el", "al", "bin", "ibn", "ben", "st", "san", "santa", "ter", "ten", "te", "af", "av", NULL};

/* A word of the list, dots aside. */
static bool listed(struct str word, const char *const *list)
{
    char letters[8];
    size_t n = 0;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '.') continue;
        if (n == sizeof letters) return false;
        letters[n++] = word.p[i];
    }
    for (; *list; list++)
        if (str_ieq((struct str){letters, n}, str_of(*list))) return true;
    return false;
}

/* Bytes of the first word of s. */
static size_t first_word(struct str s) { return chars_find(s, STR(" "), 0); }

/* Where the last word of s begins. */
static size_t last_word(struct str s)
{
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != ' ') at--;
    return at;
}

static struct str before(struct str s, size_t n) { return chars_trim((struct str){s.p, n}); }

/* "Dr. Bob", "Mr. & Mrs. Smith" */
static struct str without_titles(struct str s)
{
    for (bool dropped = false;; dropped = true) {
        size_t n = first_word(s);
        struct str word = {s.p, n};
        if (n == s.n || !(listed(word, titles) || (dropped && (str_is(word, "&") || str_ieq(word, STR("and")))))) return s;
        s = str_behind(s, n + 1);
    }
}

/* All of s is suffixes: "Jr.", "MD PhD". */
static bool all_suffixes(struct str s)
{
    while (s.n > 0) {
        size_t n = first_word(s);
        if (!listed((struct str){s.p, n}, suffixes)) return false;
        s = n < s.n ? str_behind(s, n + 1) : (struct str){s.p, 0};
    }
    return true;
}

/* Where the last name begins in a name in natural order. */
static size_t last_name_at(struct str s)
{
    struct str rest = s;
    size_t at = last_word(rest);
    while (at > 0) {
        struct str word = str_behind(rest, at);
        if (word.n > 0 && word.p[word.n - 1] == ',') word.n--;
        if (!listed(word, suffixes)) break;
        rest = before(rest, at - 1);
        at = last_word(rest);
    }
    while (at > 0) {                                     /* particles, but never the first word: "Ben Stone" */
        size_t next = last_word(before(rest, at - 1));
        struct str word = before(str_behind((struct str){s.p, at}, next), at - next);
        if (next == 0 || !listed(word, particles)) break;
        at = next;
    }
    return at;
}

static void split(struct str s, struct str *first, struct str *last)
{
    while (s.n > 0 && (s.p[0] == ',' || s.p[0] == ' ')) s = str_behind(s, 1);
    s = without_titles(s);
    size_t comma = chars_find(s, STR(","), 0);
    struct str behind = comma < s.n ? chars_trim(str_behind(s, comma + 1)) : (struct str){s.p, 0};
    if (comma < s.n && comma > 0 && behind.n > 0 && !all_suffixes(behind)) {
        *last = before(s, comma);
        *first = without_titles(behind);
        return;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ' ')) s.n--;
    size_t at = last_name_at(s);
    *first = before(s, at);
    *last = str_behind(s, at);
}

/* The parts of the collapsed name, which lies in the scratch memory. */
static void split_argument(const struct value *v, struct scratch *s, struct str *first, struct str *last)
{
    struct str text = value_str(v);
    char *p = scratch_take(s, text.n);
    split((struct str){p, chars_collapse(text, p)}, first, last);
}

void builtin__split_name(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    builtin__collapse(args, nargs, s, out);
}

void builtin__first_name(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str first, last;
    split_argument(args[0], s, &first, &last);
    *out = value_text(first);
}

void builtin__last_name(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str first, last;
    split_argument(args[0], s, &first, &last);
    *out = value_text(last);
}
