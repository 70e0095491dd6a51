/* frame.c - the bytes of a frame and of a segment header, in memory only: encode, finish, check. Layout: frame.h. */
#include "journal/frame.h"
#include "base/check.h"
#include <sodium.h>

static void put16(unsigned char *p, uint16_t v)
{
    p[0] = (unsigned char)v;
    p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static void put64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static uint16_t get16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const unsigned char *p) { return (uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32; }

const char *frame_kind_name(unsigned kind)
{
    static const char *const names[FRAME_KIND_LIMIT] = {
#define FRAME(name, number, text) [number] = #name,
#include "journal/frame.def"
#undef FRAME
    };
    return kind < FRAME_KIND_LIMIT ? names[kind] : NULL;
}

/* ---- segment header ---- */

void journal__header_encode(const struct seg_header *h, unsigned char out[SEG_HEADER_BYTES])
{
    memset(out, 0, SEG_HEADER_BYTES);
    memcpy(out, SEG_MAGIC, 8);
    put32(out + 8, SEG_VERSION);
    put32(out + 12, h->number);
    put64(out + 16, h->first_seq);
    put64(out + 24, h->placed_to);
    memcpy(out + 32, h->prev.b, HASH_BYTES);
    memcpy(out + 64, h->origin.b, HASH_BYTES);
    put32(out + 96, h->flags);
    put32(out + 100, h->epoch);
    put32(out + 124, crc32c(0, out, 124));
}

const char *journal__header_decode(const unsigned char in[SEG_HEADER_BYTES], struct seg_header *h)
{
    static const unsigned char zero[20];
    if (memcmp(in, SEG_MAGIC, 8) != 0) return "it does not begin like a segment";
    if (crc32c(0, in, 124) != get32(in + 124)) return "the checksum of its header does not fit";
    if (get32(in + 8) != SEG_VERSION) return "it is of a version that this program does not know";
    h->number = get32(in + 12);
    h->first_seq = get64(in + 16);
    h->placed_to = get64(in + 24);
    memcpy(h->prev.b, in + 32, HASH_BYTES);
    memcpy(h->origin.b, in + 64, HASH_BYTES);
    h->flags = get32(in + 96);
    h->epoch = get32(in + 100);
    if (h->flags & ~SEG_RECOVERY || memcmp(in + 104, zero, sizeof zero) != 0) return "its header has fields that this program does not know";
    if (h->first_seq == 0 || h->placed_to + 1 < h->first_seq) return "its header contradicts itself";
    return NULL;
}

/* ---- frames: writing ---- */

static uint16_t parts_of(const struct frame *fr)
{
    static const struct hash none;
    static const unsigned char no_key[16];
    unsigned flags = 0;
    if (!hash_eq(&fr->image, &none)) flags |= FRAME__IMAGE;
    if (!hash_eq(&fr->flow, &none)) flags |= FRAME__FLOW;
    if (memcmp(fr->key_hash, no_key, sizeof no_key) != 0) flags |= FRAME__KEY;
    if (fr->slot != FRAME_NO_SLOT) flags |= FRAME__SLOT;
    if (fr->priv.n) flags |= FRAME__PRIVATE;
    return (uint16_t)flags;
}

void journal__frame_begin(struct buf *b, const struct frame *fr, uint32_t since)
{
    uint16_t flags = parts_of(fr);
    buf_u32(b, 0);
    buf_u32(b, 0);
    buf_u64(b, fr->seq);
    buf_u64(b, (uint64_t)fr->time_ms);
    buf_u32(b, fr->epoch);
    buf_u16(b, fr->kind);
    buf_u16(b, flags);
    buf_u32(b, since);
    buf_u32(b, (uint32_t)fr->pub.n);
    if (flags & FRAME__IMAGE) buf_put(b, fr->image.b, HASH_BYTES);
    if (flags & FRAME__FLOW) buf_put(b, fr->flow.b, HASH_BYTES);
    if (flags & FRAME__KEY) buf_put(b, fr->key_hash, sizeof fr->key_hash);
    if (flags & FRAME__SLOT) buf_u32(b, fr->slot);
    buf_str(b, fr->pub);
}

static struct hash chain_hash(const unsigned char *p, size_t n, const struct hash *prev)
{
    struct hash h;
    crypto_generichash_state st;
    crypto_generichash_init(&st, NULL, 0, HASH_BYTES);
    crypto_generichash_update(&st, prev->b, HASH_BYTES);
    crypto_generichash_update(&st, p + 8, n - 8 - HASH_BYTES);
    crypto_generichash_final(&st, h.b, HASH_BYTES);
    return h;
}

struct hash journal__frame_finish(unsigned char *p, size_t n, bool commit, const struct hash *prev)
{
    ASSERT(n >= FRAME_MIN_BYTES && n <= LIMIT_FRAME_BYTES);
    if (commit) put16(p + 30, (uint16_t)(get16(p + 30) | FRAME_COMMIT));
    struct hash h = chain_hash(p, n, prev);
    memcpy(p + n - HASH_BYTES, h.b, HASH_BYTES);
    put32(p, (uint32_t)n);
    put32(p + 4, crc32c(crc32c(0, p, 4), p + 8, n - 8));
    return h;
}

void journal__frame_ad(struct buf *ad, const struct hash *origin, const unsigned char *frame, size_t head_bytes)
{
    buf_clear(ad);
    buf_put(ad, origin->b, HASH_BYTES);
    buf_put(ad, frame + 8, head_bytes);
    unsigned char *flags = (unsigned char *)ad->p + HASH_BYTES + (30 - 8);
    put16(flags, (uint16_t)(get16(flags) & ~FRAME_COMMIT));
}

/* ---- frames: reading ---- */

uint32_t journal__frame_length(const unsigned char *p)
{
    uint32_t n = get32(p);
    if (n == 0) return 0;
    return n < FRAME_MIN_BYTES || n > LIMIT_FRAME_BYTES ? UINT32_MAX : n;
}

static bool parse_parts(struct raw_frame *out, uint32_t pub_bytes)
{
    const unsigned char *p = out->p + FRAME_FIXED_BYTES, *end = out->p + out->n - HASH_BYTES;
    size_t need = 0;
    if (out->flags & FRAME__IMAGE) need += HASH_BYTES;
    if (out->flags & FRAME__FLOW) need += HASH_BYTES;
    if (out->flags & FRAME__KEY) need += 16;
    if (out->flags & FRAME__SLOT) need += 4;
    if ((size_t)(end - p) < need || (size_t)(end - p) - need < pub_bytes) return false;
    if (out->flags & FRAME__IMAGE) { out->image = p; p += HASH_BYTES; }
    if (out->flags & FRAME__FLOW) { out->flow = p; p += HASH_BYTES; }
    if (out->flags & FRAME__KEY) { out->key = p; p += 16; }
    if (out->flags & FRAME__SLOT) { out->slot = get32(p); p += 4; }
    out->pub = (struct str){(const char *)p, pub_bytes};
    p += pub_bytes;
    out->head_bytes = (size_t)(p - out->p) - 8;
    out->sealed = (struct str){(const char *)p, (size_t)(end - p)};
    out->hash = end;
    return (out->sealed.n != 0) == ((out->flags & FRAME__PRIVATE) != 0);
}

bool journal__frame_parse(const unsigned char *p, size_t n, struct raw_frame *out, const char **why)
{
    *why = "its checksum does not fit";
    if (get32(p + 4) != crc32c(crc32c(0, p, 4), p + 8, n - 8)) return false;
    *out = (struct raw_frame){.p = p, .n = n, .slot = FRAME_NO_SLOT};
    out->seq = get64(p + 8);
    out->time_ms = (int64_t)get64(p + 16);
    out->epoch = get32(p + 24);
    out->kind = get16(p + 28);
    out->flags = get16(p + 30);
    out->since = get32(p + 32);
    *why = "it is of a form that this program does not know";
    return !(out->flags & ~FRAME__KNOWN) && out->since != 0 && out->since <= out->seq && parse_parts(out, get32(p + 36));
}

struct hash journal__frame_hash(const struct raw_frame *fr, const struct hash *prev) { return chain_hash(fr->p, fr->n, prev); }
