/* cause.c - see cause.h. */
#include "sync/cause.h"
#include "base/hash.h"
#include "store/row.h"
#include <stdio.h>

void cause_text(struct str why, char out[CAUSE_TEXT])
{
    size_t n = 0;
    for (size_t i = 0; i < why.n && n + 2 < CAUSE_TEXT;) {
        size_t digits = 0;
        while (i + digits < why.n && why.p[i + digits] >= '0' && why.p[i + digits] <= '9') digits++;
        if (digits >= 10) {
            out[n++] = '#';
            i += digits;
        } else {
            out[n++] = why.p[i++];
        }
    }
    while (n > 0 && ((unsigned char)out[n - 1] & 0xC0) == 0x80 && why.n >= CAUSE_TEXT - 2) n--;      /* a character that was cut */
    if (n > 0 && (unsigned char)out[n - 1] >= 0xC0) n--;
    out[n] = '\0';
}

void cause_code(unsigned state, const char *text, char out[CAUSE_CODE])
{
    uint32_t h = crc32c(crc32c(0, &state, sizeof state), text, strlen(text));
    snprintf(out, CAUSE_CODE, "%06x", (unsigned)(h & 0xFFFFFF));
}

bool cause_is(unsigned state, const char *text, struct str typed)
{
    char code[CAUSE_CODE];
    cause_code(state, text, code);
    return typed.n && (str_is(typed, code) || memmem(text, strlen(text), typed.p, typed.n) != NULL);
}

struct str cause_of(const struct row *r)
{
    return r->why.n ? r->why : str_of(row_state_text(r->state));
}
