/* builtin_url.c - url(text): the address of a web page in one form, or no answer.
 *
 *   [http[s]://] host [:port] [/path ...]     host in lower case; without a scheme https:// is put in front; a bare "/" at the end goes
 *
 * What people type into such columns that is no address: "n/a", an e-mail address, "none", a name of one word, an address of numbers. */
#include "vm/builtin.h"
#include "vm/chars.h"
#include "vm/host.h"

/* ":443" with 1 to 5 digits, at most 65535; an empty one is none. */
static bool port(struct str s)
{
    int64_t n;
    return s.n == 0 || (s.n <= 6 && s.p[0] == ':' && str_to_i64(str_behind(s, 1), &n) && n >= 1 && n <= 65535);
}

/* What is left of path, query and fragment: visible ASCII but for what an address never holds as it is. */
static bool tail(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}", s.p[i])) return false;
    return true;
}

static size_t scheme_of(struct str s, bool *plain_http)
{
    *plain_http = s.n > 7 && str_ieq((struct str){s.p, 7}, STR("http://"));
    if (*plain_http) return 7;
    return s.n > 8 && str_ieq((struct str){s.p, 8}, STR("https://")) ? 8 : 0;
}

static size_t first_of(struct str s, const char *set)
{
    size_t n = 0;
    while (n < s.n && !strchr(set, s.p[n])) n++;
    return n;
}

void builtin__url(const struct value *const *args, size_t nargs, struct scratch *s, struct value *out)
{
    (void)nargs;
    bool plain_http;
    *out = value_absent;
    if (!value_present(args[0])) return;
    struct str text = chars_trim(value_str(args[0]));
    text = str_behind(text, scheme_of(text, &plain_http));
    struct str authority = {text.p, first_of(text, "/?#")}, rest = str_behind(text, authority.n);
    struct str host = {authority.p, first_of(authority, ":")};
    if (memchr(text.p, 0, text.n) || !host_name(host) || !port(str_behind(authority, host.n)) || !tail(rest)) return;
    if (str_is(rest, "/")) rest.n = 0;
    struct str scheme = plain_http ? STR("http://") : STR("https://");
    char *p = scratch_take(s, scheme.n + authority.n + rest.n);
    memcpy(p, scheme.p, scheme.n);
    for (size_t i = 0; i < authority.n; i++) p[scheme.n + i] = authority.p[i] >= 'A' && authority.p[i] <= 'Z' ? (char)(authority.p[i] + 32) : authority.p[i];
    memcpy(p + scheme.n + authority.n, rest.p, rest.n);
    *out = value_text((struct str){p, scheme.n + authority.n + rest.n});
}
