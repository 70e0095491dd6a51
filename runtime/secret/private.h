/* private.h - inside of the room: the store with its keys, and the one cipher. */
#ifndef SECRET_PRIVATE_H
#define SECRET_PRIVATE_H
#include "secret/secret.h"
#include "base/check.h"
#include "base/hash.h"
#include <sodium.h>

#define SECRET_PATH_BYTES 1024u

/* What key.id holds, sealed under the master key. */
struct secret_keys {
    unsigned char purpose[SECRET_SLOT_KEY + 1][32];   /* by enum secret_purpose; the first is not used */
    unsigned char value[32];            /* of the files below secrets/ */
    unsigned char value_before[32];     /* not zeros: a change of the master key is under way, and some files are sealed with this still */
};

struct secret_store {                   /* in memory from sodium_malloc */
    unsigned char master[32];
    struct secret_keys keys;
    char id[65];                        /* the first line of key.id, without its end; empty while there is none */
    char key_path[SECRET_PATH_BYTES], next_path[SECRET_PATH_BYTES];
    bool credential;                    /* key_path is the service manager's: we cannot write there */
    bool own;                           /* key_path is dir/master.key: ours to replace. Another key file may serve several stores */
    bool from_next;                     /* the master key was found at next_path */
    const struct world *w;
    char dir[SECRET_PATH_BYTES];
    bool read_only;                     /* of secret_open_read: nothing is made or written */
    int slots_fd;                       /* -1 = slot_open was not called, or there is no file to read */
    bool slots_look;                    /* of slot_open_read: another process makes the slots */
    uint32_t next;                      /* the next slot to hand out */
    uint32_t ready;                     /* slots below this are generated and synced: a multiple of SLOT_BLOCK */
    bool sync_failed;
};

/* key.c */
enum err secret__keys_open(struct secret_store *s, const char *key_file, const char *credentials_dir, struct fault *f);
/* Reads key.id and the master key again. */
enum err secret__keys_again(struct secret_store *s, struct fault *f);
/* Loads a key file into out. */
enum err secret__load_key(const struct secret_store *s, const char *path, unsigned char out[32], struct fault *f);
enum err secret__write_key(const struct secret_store *s, const char *path, const unsigned char key[32], struct fault *f);
/* Writes key.id: the keys under the master key. After a crash it is the old or the new one. */
enum err secret__write_id(struct secret_store *s, const unsigned char master[32], const struct secret_keys *keys, struct fault *f);
/* ERR_BUSY: key.id is not the one that this store was opened with. */
enum err secret__keys_same(const struct secret_store *s, struct fault *f);
bool secret__key_exists(const struct secret_store *s, const char *path);
/* key.lock: held by who writes key.id or a master key. -1: by another (ERR_BUSY) or it cannot be had. */
int secret__key_lock(const struct secret_store *s, struct fault *f);
/* rotate.c: ends what a crash has left of a change of the master key. */
enum err secret__rotation_end(struct secret_store *s, struct fault *f);
enum err secret__put(struct secret_store *s, const char *name, struct str value, struct fault *f);

void secret__path(const struct secret_store *s, const char *name, char out[SECRET_PATH_BYTES]);
#define SECRET_NONCE_BYTES 24u
/* Appends nonce, ciphertext and tag. */
void secret__encrypt(const unsigned char key[32], const unsigned char nonce[SECRET_NONCE_BYTES], struct str ad, struct str plain, struct buf *out);
/* False when it was not sealed with this key and ad. The plain text is in the arena. */
bool secret__decrypt(const unsigned char key[32], struct str ad, struct str sealed, struct arena *a, struct str *plain);
#endif
