/* rowkey.c - see rowkey.h for the two forms. */
#include "store/rowkey.h"
#include "base/limits.h"

size_t rowkey_put(char *out, size_t size, const struct str *parts, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const char *p = parts[i].p, *end = p + parts[i].n, *zero;
        while (p < end) {
            zero = memchr(p, '\0', (size_t)(end - p));
            size_t run = (size_t)((zero ? zero + 1 : end) - p);
            if (size - at < run + 1) return 0;
            memcpy(out + at, p, run);
            at += run;
            if (zero) out[at++] = '\xFF';
            p += run;
        }
        if (size - at < 2) return 0;
        out[at++] = '\0';
        out[at++] = '\0';
    }
    return at;
}

bool rowkey_make(struct buf *out, const struct str *parts, size_t n)
{
    char bytes[LIMIT_KEY_BYTES];
    size_t made = rowkey_put(bytes, sizeof bytes, parts, n);
    buf_put(out, bytes, made);
    return made > 0;
}

/* One part from natural at *at into the arena; false on damage. */
static bool take_part(struct str natural, size_t *at, struct arena *a, struct str *part)
{
    char *p = arena_alloc(a, natural.n + 1);
    size_t n = 0, i = *at;
    while (i + 1 < natural.n) {
        char c = natural.p[i], next = natural.p[i + 1];
        if (c == '\0' && next == '\0') {
            *at = i + 2;
            *part = (struct str){p, n};
            return true;
        }
        if (c == '\0' && next != '\xFF') return false;
        p[n++] = c;
        i += c == '\0' ? 2 : 1;
    }
    return false;
}

size_t rowkey_parts(struct str natural, struct arena *a, struct str *parts, size_t max)
{
    size_t n = 0;
    for (size_t at = 0; at < natural.n; n++)
        if (n == max || !take_part(natural, &at, a, &parts[n])) return 0;
    return n;
}

void rowkey_text(struct buf *out, const struct str *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) buf_byte(out, '~');
        for (size_t k = 0; k < parts[i].n; k++) {
            char c = parts[i].p[k];
            if (c == '^') buf_puts(out, "^^");
            else if (c == '~') buf_puts(out, "^-");
            else buf_byte(out, (unsigned char)c);
        }
    }
}

size_t rowkey_parse(struct str text, struct arena *a, struct str *parts, size_t max)
{
    size_t n = 0, at = 0;
    while (at <= text.n) {
        if (n == max) return 0;
        char *p = arena_alloc(a, text.n + 1);
        size_t len = 0;
        for (; at < text.n && text.p[at] != '~'; at++) {
            char c = text.p[at];
            if (c == '^') {
                if (++at == text.n || (text.p[at] != '^' && text.p[at] != '-')) return 0;
                c = text.p[at] == '^' ? '^' : '~';
            }
            p[len++] = c;
        }
        parts[n++] = (struct str){p, len};
        at++;
    }
    return n;
}
