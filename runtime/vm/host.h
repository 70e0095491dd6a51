/* host.h - names of hosts as people write them behind an @ or into a web address. Private to the builtins. */
#ifndef VM_HOST_H
#define VM_HOST_H
#include "base/str.h"

static inline bool ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool ascii_digit(char c) { return c >= '0' && c <= '9'; }

/* A name of at least two labels (RFC 1123), at most 253 bytes; the last label is of letters, or an encoded international one ("xn--..."): an address of
 * numbers is none. */
bool host_name(struct str s);
#endif
