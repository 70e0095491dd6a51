/* key.c - keys of rows: parts as UTF-8 joined by a zero byte, in URLs by '~' (facts/sage-100.md 9.2). */
#include "agent/private.h"
#include "base/check.h"
#include "value/json.h"

void agent__key_clear(struct agent__key *k)
{
    k->n = 0;
}

bool agent__key_add(struct agent__key *k, struct str part, bool first)
{
    size_t sep = first ? 0 : 1;
    if (k->n + sep + part.n > AGENT_KEY_BYTES || (part.n && memchr(part.p, 0, part.n))) return false;
    if (sep) k->b[k->n++] = '\0';
    if (part.n) memcpy(k->b + k->n, part.p, part.n);
    k->n = (uint16_t)(k->n + part.n);
    return true;
}

bool agent__key_of_text(struct agent__key *k, struct str text, unsigned nparts)
{
    agent__key_clear(k);
    for (unsigned i = 0; i < nparts; i++) {
        const char *tilde = i + 1 < nparts && text.n ? memchr(text.p, '~', text.n) : NULL;
        if (i + 1 < nparts && !tilde) return false;
        size_t n = tilde ? (size_t)(tilde - text.p) : text.n;
        if (!agent__key_add(k, (struct str){text.p, n}, i == 0)) return false;
        if (tilde) text = (struct str){tilde + 1, text.n - n - 1};
    }
    return true;
}

struct str agent__key_part(struct str key, unsigned i)
{
    for (;; i--) {
        const char *zero = key.n ? memchr(key.p, 0, key.n) : NULL;
        size_t n = zero ? (size_t)(zero - key.p) : key.n;
        if (i == 0) return (struct str){key.p, n};
        ASSERT(zero);
        key = (struct str){zero + 1, key.n - n - 1};
    }
}

int agent__key_compare(struct str a, struct str b)
{
    return str_cmp(a, b);
}

void agent__key_text(struct buf *b, struct str key)
{
    for (size_t i = 0; i < key.n; i++) buf_byte(b, key.p[i] ? (unsigned char)key.p[i] : '~');
}

void agent__key_json(struct buf *b, struct str key)
{
    buf_byte(b, '[');
    for (;;) {
        const char *zero = key.n ? memchr(key.p, 0, key.n) : NULL;
        size_t n = zero ? (size_t)(zero - key.p) : key.n;
        json_put_string(b, (struct str){key.p, n});
        if (!zero) break;
        buf_byte(b, ',');
        key = (struct str){zero + 1, key.n - n - 1};
    }
    buf_byte(b, ']');
}
