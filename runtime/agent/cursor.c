/* cursor.c - the opaque cursor (facts/sage-100.md 9.4 rule 4): self-contained, so that it works after a restart in the middle of a pass.
 *
 *   base64url( "1:" check ":" epoch ":" resource ":" m|n a|k y|n ":" asOf ":" offset ":" ceiling ":" position ":" key bytes )
 *
 *   m inside a pass, n a new pass begins; a positions are stamps, k keys only; y behind that key, n before all rows of the position.
 *   The check finds a cursor that was cut or mixed up on the way; it is no signature: a cursor gives no right to anything. */
#include "agent/private.h"
#include <stdio.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
enum { CURSOR_CHARS = 512 };

static uint32_t check_of(struct str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

static void encode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;
        if (left > 1) v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
        if (left > 2) v |= (unsigned char)s.p[i + 2];
        for (size_t j = 0; j < (left > 2 ? 4 : left + 1); j++) buf_byte(out, (unsigned char)alphabet[v >> (18 - 6 * j) & 63]);
    }
}

static bool decode(struct str in, char *out, size_t *n)
{
    uint32_t v = 0;
    unsigned bits = 0;
    *n = 0;
    for (size_t i = 0; i < in.n; i++) {
        const char *at = in.p[i] ? strchr(alphabet, in.p[i]) : NULL;
        if (!at) return false;
        v = (v << 6 | (uint32_t)(at - alphabet)) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*n)++] = (char)(v >> bits & 255);
        }
    }
    return true;
}

void agent__cursor_write(struct buf *out, const struct agent__cursor *c, struct str epoch, const char *resource)
{
    struct buf body = {0}, all = {0};
    buf_str(&body, epoch);
    buf_printf(&body, ":%s:%c%c%c:%lld:%d:%lld:%lld:", resource, c->mid ? 'm' : 'n', c->stamped ? 'a' : 'k', c->has_key ? 'y' : 'n',
               (long long)c->as_of_ms, c->offset_minutes, (long long)c->ceiling, (long long)c->position);
    if (c->has_key) buf_put(&body, c->key.b, c->key.n);
    buf_printf(&all, "1:%08x:", (unsigned)check_of(buf_view(&body)));
    buf_put(&all, body.p, body.n);
    encode(out, buf_view(&all));
    buf_free(&body);
    buf_free(&all);
}

static bool field(struct str *rest, struct str *out)
{
    const char *colon = rest->n ? memchr(rest->p, ':', rest->n) : NULL;
    if (!colon) return false;
    *out = (struct str){rest->p, (size_t)(colon - rest->p)};
    *rest = (struct str){colon + 1, rest->n - out->n - 1};
    return true;
}

static bool whole(struct str *rest, int64_t *out)
{
    struct str s;
    if (!field(rest, &s)) return false;
    bool minus = s.n && s.p[0] == '-';
    if (minus) s.p++, s.n--;
    if (!str_to_i64(s, out)) return false;
    if (minus) *out = -*out;
    return true;
}

static bool read_rest(struct str rest, struct agent__cursor *c)
{
    struct str flags;
    int64_t offset;
    if (!field(&rest, &flags) || flags.n != 3 || !whole(&rest, &c->as_of_ms) || !whole(&rest, &offset) || !whole(&rest, &c->ceiling) ||
        !whole(&rest, &c->position))
        return false;
    c->mid = flags.p[0] == 'm';
    c->stamped = flags.p[1] == 'a';
    c->has_key = flags.p[2] == 'y';
    c->offset_minutes = (int)offset;
    bool sane = (c->mid || flags.p[0] == 'n') && (c->stamped || flags.p[1] == 'k') && (c->has_key || flags.p[2] == 'n') && offset >= -1440 && offset <= 1440 &&
                c->position >= 0 && c->ceiling >= 0 && c->as_of_ms >= 0 && c->as_of_ms < INT64_C(253402300800000) && rest.n <= AGENT_KEY_BYTES;
    if (!sane || (!c->has_key && rest.n)) return false;
    c->key.n = (uint16_t)rest.n;
    if (rest.n) memcpy(c->key.b, rest.p, rest.n);
    return true;
}

enum agent__verdict agent__cursor_read(struct str text, struct str epoch, const char *resource, struct agent__cursor *c)
{
    char raw[CURSOR_CHARS];
    char want[9];
    size_t n;
    struct str rest, version, check, its_epoch, its_resource;
    memset(c, 0, sizeof *c);
    if (text.n == 0 || text.n > CURSOR_CHARS || !decode(text, raw, &n)) return AGENT__CURSOR_MALFORMED;
    rest = (struct str){raw, n};
    if (!field(&rest, &version) || version.n == 0 || version.n > 9) return AGENT__CURSOR_MALFORMED;
    for (size_t i = 0; i < version.n; i++)
        if (version.p[i] < '0' || version.p[i] > '9') return AGENT__CURSOR_MALFORMED;
    if (!str_is(version, "1")) return AGENT__CURSOR_EXPIRED;
    if (!field(&rest, &check)) return AGENT__CURSOR_MALFORMED;
    snprintf(want, sizeof want, "%08x", (unsigned)check_of(rest));
    if (!str_is(check, want) || !field(&rest, &its_epoch) || !field(&rest, &its_resource)) return AGENT__CURSOR_MALFORMED;
    if (!str_eq(its_epoch, epoch)) return AGENT__CURSOR_EXPIRED;
    if (!str_is(its_resource, resource)) return AGENT__CURSOR_MALFORMED;
    return read_rest(rest, c) ? AGENT__CURSOR_OK : AGENT__CURSOR_MALFORMED;
}
