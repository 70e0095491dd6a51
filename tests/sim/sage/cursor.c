/*
 * cursor.c: the opaque cursor of the agent protocol, facts/sage-100.md 9.4 rule 4. Self-contained, so that it works
 * after a restart in the middle of a pass.
 *
 *     base64url( v1:<check>:<epoch>:<resource>:<m|n><a|k>:<asOf ms>:<offset>:<ceiling>:<position>:<y|n><key bytes> )
 *
 * m: inside a pass, n: a new pass starts here; a: positions are stamps, k: the resource has no stamps, only keys.
 * y: the page starts after that key; n: before all rows of the position. The check is a hash of what follows it.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(const char *in, size_t len, char *out)
{
    size_t o = 0;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)(unsigned char)in[i] << 16;
        size_t left = len - i;
        v |= left > 1 ? (uint32_t)(unsigned char)in[i + 1] << 8 : 0;
        v |= left > 2 ? (unsigned char)in[i + 2] : 0;
        for (size_t k = 0; k < (left > 2 ? 4 : left + 1); k++)
            out[o++] = alphabet[v >> (18 - 6 * k) & 63];
    }
    return o;
}

// False: a character that cannot occur. out has room for len bytes.
static bool decode(const char *in, size_t len, char *out, size_t *out_len)
{
    uint32_t v = 0;
    int bits = 0;
    *out_len = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = in[i] ? strchr(alphabet, in[i]) : NULL;
        if (!at)
            return false;
        v = v << 6 | (uint32_t)(at - alphabet);
        if ((bits += 6) >= 8)
            out[(*out_len)++] = (char)(v >> (bits -= 8) & 255);
        v &= 0xffff;
    }
    return true;
}

void sage__cursor_write(const struct sage_resource *r, const struct sage_cursor *c, char out[SAGE_CURSOR_MAX + 1])
{
    struct sage_buf body = {0}, all = {0};
    sage__putf(&body, "%s:%s:%c%c:%lld:%d:%lld:%lld:%c", r->company->epoch, r->layout->table->resource, c->mid ? 'm' : 'n',
               c->audit ? 'a' : 'k', (long long)c->as_of_ms, c->offset_minutes, (long long)c->ceiling, (long long)c->position,
               c->has_key ? 'y' : 'n');
    if (c->has_key)
        sage__put(&body, c->key.b, c->key.len);
    sage__putf(&all, "v1:%08x:", (unsigned)sage__hash(0xc5, body.p, body.len));
    sage__put(&all, body.p, body.len);
    if ((all.len * 4 + 2) / 3 > SAGE_CURSOR_MAX)
        sage__broken("cursor longer than the protocol allows");
    out[encode(all.p, all.len, out)] = 0;
    free(body.p);
    free(all.p);
}

// Takes the text before the next ':' off; NULL at the end.
static char *field(char **p)
{
    char *from = *p, *colon = strchr(from, ':');
    if (!colon)
        return NULL;
    *colon = 0;
    *p = colon + 1;
    return from;
}

static bool whole(const char *text, long long *out)
{
    char *end;
    if (!text || !*text)
        return false;
    *out = strtoll(text, &end, 10);
    return !*end;
}

static bool read_fields(char *p, const char *end, struct sage_cursor *c)
{
    const char *flags = field(&p);
    long long v[4];
    for (int i = 0; i < 4; i++)
        if (!flags || !whole(field(&p), &v[i]))
            return false;
    if (strlen(flags) != 2 || p >= end || (*p != 'y' && *p != 'n'))
        return false;
    c->mid = flags[0] == 'm';
    c->audit = flags[1] == 'a';
    c->as_of_ms = v[0];
    c->offset_minutes = (int)v[1];
    c->ceiling = v[2];
    c->position = v[3];
    c->has_key = *p++ == 'y';
    if (!c->has_key)
        return true;
    if ((size_t)(end - p) > SAGE_KEY_BYTES_MAX)
        return false;
    memcpy(c->key.b, p, (size_t)(end - p));
    c->key.len = (uint16_t)(end - p);
    return true;
}

static enum sage_cursor_verdict read_text(char *text, size_t len, const struct sage_resource *r, struct sage_cursor *c)
{
    char *p = text, *end = text + len;
    const char *version = field(&p);
    if (!version || version[0] != 'v' || strspn(version + 1, "0123456789") != strlen(version) - 1 || !version[1])
        return SAGE_CURSOR_MALFORMED;
    if (strcmp(version, "v1") != 0)
        return SAGE_CURSOR_EXPIRED;
    const char *check = field(&p);
    char want[9];
    snprintf(want, sizeof want, "%08x", (unsigned)sage__hash(0xc5, p, (size_t)(end - p)));
    if (!check || strcmp(check, want) != 0)
        return SAGE_CURSOR_MALFORMED;
    const char *epoch = field(&p), *resource = field(&p);
    if (!epoch || !resource)
        return SAGE_CURSOR_MALFORMED;
    if (strcmp(epoch, r->company->epoch) != 0)
        return SAGE_CURSOR_EXPIRED;
    if (strcmp(resource, r->layout->table->resource) != 0)
        return SAGE_CURSOR_MALFORMED;
    return read_fields(p, end, c) ? SAGE_CURSOR_OK : SAGE_CURSOR_MALFORMED;
}

enum sage_cursor_verdict sage__cursor_read(const struct sage_resource *r, const char *text, size_t len, struct sage_cursor *c)
{
    size_t n;
    memset(c, 0, sizeof *c);
    if (!len || len > SAGE_CURSOR_MAX)
        return SAGE_CURSOR_MALFORMED;
    char *raw = sage__alloc(len + 1);
    enum sage_cursor_verdict verdict = SAGE_CURSOR_MALFORMED;
    if (decode(text, len, raw, &n))
        verdict = read_text(raw, n, r, c);
    free(raw);
    if (verdict == SAGE_CURSOR_OK && c->audit == r->no_audit)
        verdict = SAGE_CURSOR_EXPIRED;
    return verdict;
}
