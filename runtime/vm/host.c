/* host.c - names of hosts: labels of letters, digits and inner hyphens, parted by dots. */
#include "vm/host.h"

enum { HOST_MAX = 253, LABEL_MAX = 63 };

static bool label(struct str s)
{
    if (s.n == 0 || s.n > LABEL_MAX || s.p[0] == '-' || s.p[s.n - 1] == '-') return false;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_letter(s.p[i]) && !ascii_digit(s.p[i]) && s.p[i] != '-') return false;
    return true;
}

static bool top_label(struct str s)
{
    if (s.n < 2) return false;
    if (s.n > 4 && str_ieq((struct str){s.p, 4}, STR("xn--"))) return true;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_letter(s.p[i])) return false;
    return true;
}

bool host_name(struct str s)
{
    size_t from = 0, labels = 0;
    if (s.n > HOST_MAX) return false;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '.') continue;
        struct str l = {s.p + from, i - from};
        if (!label(l) || (i == s.n && !top_label(l))) return false;
        labels++;
        from = i + 1;
    }
    return labels >= 2;
}
