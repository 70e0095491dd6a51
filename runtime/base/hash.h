/* hash.h - the two checksums that our formats use. CRC32C frames (finds torn writes), BLAKE2b-256 names content. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include "base/str.h"
#define HASH_BYTES 32
struct hash { unsigned char b[HASH_BYTES]; };

/* CRC32C (Castagnoli), start with 0. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* BLAKE2b-256 over one span (libsodium crypto_generichash), unkeyed. */
struct hash hash_of(struct str s);
/* BLAKE2b-256 keyed with 32 bytes: for names of personal data that must not be guessable. */
struct hash hash_keyed(const unsigned char key[32], struct str s);
static inline bool hash_eq(const struct hash *a, const struct hash *b) { return memcmp(a->b, b->b, HASH_BYTES) == 0; }
/* Lower-case hex of the first n bytes into out[2n+1]. */
void hash_hex(const unsigned char *b, size_t n, char *out);
#endif
