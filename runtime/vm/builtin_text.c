/* builtin_text.c - the builtins that cut, join and fold texts, and round. What leaves no character behind is absent: no text is "". */
#include "base/check.h"
#include "vm/builtin.h"

void builtin__lines(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    size_t n = 0, at = 0;
    *out = value_absent;
    for (size_t i = 0; i < nargs; i++)
        if (value_present(args[i])) n += args[i]->len + (n > 0);
    if (n == 0) return;
    char *p = scratch_take(s, n);
    for (size_t i = 0; i < nargs; i++) {
        if (!value_present(args[i])) continue;
        if (at > 0) p[at++] = '\n';
        memcpy(p + at, args[i]->u.text, args[i]->len);
        at += args[i]->len;
    }
    *out = value_text((struct str){p, n});
}

/* A part of the argument: no copy. */
void builtin__truncate(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    struct str text = value_str(args[0]);
    i128 chars = args[1]->u.coef;
    size_t n = 0;
    for (; n < text.n; n++) {
        bool starts = ((unsigned char)text.p[n] & 0xc0) != 0x80;
        if (starts && chars-- == 0) break;
    }
    *out = value_text((struct str){text.p, n});
}

static void fold(const struct value *v, char first, char last, int shift, struct scratch *s, struct value *out)
{
    char *p = scratch_take(s, v->len);
    for (size_t i = 0; i < v->len; i++) {
        char c = v->u.text[i];
        p[i] = c >= first && c <= last ? (char)(c + shift) : c;
    }
    *out = value_text((struct str){p, v->len});
}

void builtin__upper(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], 'a', 'z', 'A' - 'a', s, out);
}

void builtin__lower(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    fold(args[0], 'A', 'Z', 'a' - 'A', s, out);
}

void builtin__trim(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    *out = value_text(str_trim(value_str(args[0])));
}

/* A number with fewer decimals stays as it is: its scale never grows beyond its type. */
void builtin__round(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    (void)s;
    unsigned n = (unsigned)args[1]->u.coef;
    *out = *args[0];
    bool ok = n >= args[0]->scale || decimal_round(args[0], n, out);
    ASSERT(ok);
}
