/* builtin_email.c - email(text): one plain address or no answer.
 *
 * The part of RFC 5321 that real mailboxes use: dot-atom local part of at most 64 bytes, a domain of at least two labels, 254 bytes in all.
 * Quoted local parts, address literals, display names and lists of addresses are no answer: the target would refuse most of them. */
#include "vm/builtin.h"
#include "vm/host.h"

enum { ADDRESS_MAX = 254, LOCAL_MAX = 64 };

static bool local_char(char c) { return ascii_letter(c) || ascii_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c)); }

/* Atoms parted by single dots. */
static bool local_part(struct str s)
{
    if (s.n == 0 || s.n > LOCAL_MAX || s.p[0] == '.' || s.p[s.n - 1] == '.') return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '.' ? s.p[i - 1] == '.' : !local_char(s.p[i])) return false;
    return true;
}

void builtin__email(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    *out = value_absent;
    if (!value_present(args[0])) return;
    struct str text = str_trim(value_str(args[0]));
    const char *at = text.n > 0 && text.n <= ADDRESS_MAX ? memchr(text.p, '@', text.n) : NULL;
    if (!at) return;
    size_t local = (size_t)(at - text.p);
    if (!local_part((struct str){text.p, local}) || !host_name((struct str){at + 1, text.n - local - 1})) return;
    char *p = scratch_take(s, text.n);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        p[i] = i > local && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    *out = value_text((struct str){p, text.n});
}
