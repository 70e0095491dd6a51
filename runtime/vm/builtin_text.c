/* builtin_text.c - the builtins that cut, join and search texts. What leaves no character behind is absent: no text is "".
 *
 * A part of an argument is given as it lies there; only what is put together or changed takes scratch memory. */
#include "base/check.h"
#include "vm/builtin.h"
#include "vm/chars.h"

/* The present arguments from `first` on with `gap` between. */
static void joined(const struct value *const *args, size_t first, size_t nargs, struct str gap, struct scratch *s, struct value *out)
{
    size_t n = 0, at = 0;
    *out = value_absent;
    for (size_t i = first; i < nargs; i++)
        if (value_present(args[i])) n += args[i]->len + (n > 0 ? gap.n : 0);
    if (n == 0) return;
    char *p = scratch_take(s, n);
    for (size_t i = first; i < nargs; i++) {
        if (!value_present(args[i])) continue;
        if (at > 0) {
            for (size_t k = 0; k < gap.n; k++) p[at++] = gap.p[k];
        }
        chars_copy(p + at, args[i]->u.text, args[i]->len);
        at += args[i]->len;
    }
    *out = value_text((struct str){p, n});
}

void builtin__lines(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    joined(args, 0, nargs, STR("\n"), s, out);
}

void builtin__join(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    joined(args, 1, nargs, value_str(args[0]), s, out);
}

/* ---- parts ---- */

void builtin__left(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_str(args[0]);
    *out = value_text((struct str){text.p, chars_bytes(text, (uint64_t)args[1]->u.coef)});
}

void builtin__truncate(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    builtin__left(args, nargs, s, out);
}

void builtin__right(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_str(args[0]);
    uint64_t chars = str_codepoints(text), n = (uint64_t)args[1]->u.coef;
    *out = value_text(str_behind(text, chars_bytes(text, chars > n ? chars - n : 0)));
}

void builtin__substring(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_str(args[0]);
    text = str_behind(text, chars_bytes(text, (uint64_t)args[1]->u.coef - 1));
    *out = value_text((struct str){text.p, chars_bytes(text, (uint64_t)args[2]->u.coef)});
}

/* How many parts the separator makes of the text. */
static int64_t count_parts(struct str text, struct str sep)
{
    int64_t n = 1;
    for (size_t at = chars_find(text, sep, 0); at < text.n; at = chars_find(text, sep, at + sep.n)) n++;
    return n;
}

void builtin__part(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_str(args[0]), sep = value_str(args[1]);
    i128 n = args[2]->u.coef;
    *out = value_absent;
    if (n < 0) n += count_parts(text, sep) + 1;
    if (n < 1) return;
    size_t from = 0;
    for (; n > 1; n--) {
        size_t hit = chars_find(text, sep, from);
        if (hit == text.n) return;
        from = hit + sep.n;
    }
    *out = value_text((struct str){text.p + from, chars_find(text, sep, from) - from});
}

void builtin__trim(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_text(chars_trim(value_str(args[0])));
}

/* ---- changed texts ---- */

void builtin__collapse(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]);
    *out = *args[0];
    if (chars_collapsed(text)) return;
    char *p = scratch_take(s, text.n);
    *out = value_text((struct str){p, chars_collapse(text, p)});
}

void builtin__digits(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]);
    char *p = scratch_take(s, text.n);
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= '0' && text.p[i] <= '9') p[n++] = text.p[i];
    *out = value_text((struct str){p, n});
}

/* From left to right, places do not overlap, and what was put in is not looked at again. */
void builtin__replace(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]), old = value_str(args[1]), new = value_present(args[2]) ? value_str(args[2]) : (struct str){"", 0};
    size_t places = (size_t)count_parts(text, old) - 1, n = text.n - places * old.n + places * new.n, from = 0, at = 0;
    *out = *args[0];
    if (places == 0) return;
    *out = value_absent;
    if (n == 0) return;
    char *p = scratch_take(s, n);
    for (size_t i = 0; i <= places; i++) {
        size_t hit = chars_find(text, old, from);
        memcpy(p + at, text.p + from, hit - from);
        at += hit - from;
        from = hit + old.n;
        if (i == places) break;
        memcpy(p + at, new.p, new.n);
        at += new.n;
    }
    *out = value_text((struct str){p, n});
}

void builtin__pad_left(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    struct str text = value_str(args[0]), fill = value_str(args[2]);
    size_t chars = str_codepoints(text), want = (size_t)args[1]->u.coef, at = 0;
    *out = *args[0];
    if (chars >= want) return;
    char *p = scratch_take(s, (want - chars) * fill.n + text.n);
    for (size_t i = chars; i < want; i++, at += fill.n) memcpy(p + at, fill.p, fill.n);
    memcpy(p + at, text.p, text.n);
    *out = value_text((struct str){p, at + text.n});
}

/* ---- questions ---- */

void builtin__starts_with(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_bool(value_present(args[0]) && str_starts(value_str(args[0]), value_str(args[1])));
}

void builtin__ends_with(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_present(args[0]) ? value_str(args[0]) : (struct str){"", 0}, end = value_str(args[1]);
    *out = value_bool(text.n >= end.n && str_eq(str_behind(text, text.n - end.n), end));
}

void builtin__contains(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_bool(value_present(args[0]) && chars_find(value_str(args[0]), value_str(args[1]), 0) < args[0]->len);
}

void builtin__length(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_decimal((i128)str_codepoints(value_str(args[0])), 0);
}
