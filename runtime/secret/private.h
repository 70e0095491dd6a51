/* private.h - inside of the room: the store with its keys, and the one cipher. */
#ifndef SECRET_PRIVATE_H
#define SECRET_PRIVATE_H
#include "secret/secret.h"
#include "base/check.h"
#include "base/hash.h"
#include <sodium.h>

#define SECRET_PATH_BYTES 1024u

struct secret_store {                   /* in memory from sodium_malloc */
    unsigned char master[32], value_key[32], log_key[32], slot_key[32];
    const struct world *w;
    char dir[SECRET_PATH_BYTES];
    bool read_only;                     /* of secret_open_read: nothing is made or written */
    int slots_fd;                       /* -1 = slot_open was not called, or there is no file to read */
    bool slots_look;                    /* of slot_open_read: another process makes the slots */
    uint32_t next;                      /* the next slot to hand out */
    uint32_t ready;                     /* slots below this are generated and synced: a multiple of SLOT_BLOCK */
    bool sync_failed;
};

void secret__path(const struct secret_store *s, const char *name, char out[SECRET_PATH_BYTES]);
#define SECRET_NONCE_BYTES 24u
/* Appends nonce, ciphertext and tag. */
void secret__encrypt(const unsigned char key[32], const unsigned char nonce[SECRET_NONCE_BYTES], struct str ad, struct str plain, struct buf *out);
/* False when it was not sealed with this key and ad. The plain text is in the arena. */
bool secret__decrypt(const unsigned char key[32], struct str ad, struct str sealed, struct arena *a, struct str *plain);
#endif
