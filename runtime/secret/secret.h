/* secret.h - sealed values (passwords, tokens, endpoints) and data-key slots, both with libsodium.
 *
 *   master key: 32 bytes (raw, hex or base64) in a file of mode 0600 owned by us, or $CREDENTIALS_DIRECTORY/mlc-key
 *   key.id        = a name of the master key, so that a wrong one is refused at once, and under it all keys of the store (key.c)
 *   secrets/NAME  = one sealed file per secret: magic "mlcsec1", version, nonce, XChaCha20-Poly1305(value), magic, version, NAME as associated data
 *   keys.slots    = pre-generated 32-byte slots, slot n at n * 32, never rewritten but to erase: zeros, synced. Slots whose number is a multiple of
 *                   SLOT_BLOCK hold the mark of their block and are never handed out: the mark is written when the block is synced.
 *   data key of a slot = BLAKE2b-256(slot, keyed with SECRET_SLOT_KEY): a copy of keys.slots without the master key opens nothing */
#ifndef SECRET_SECRET_H
#define SECRET_SECRET_H
#include "base/world.h"
#include "base/buf.h"

#define SLOT_BLOCK 4096u

struct secret_store;
/* Opens (and on first use makes: a random master key, mode 0600) the store under dir. key_file NULL: $CREDENTIALS_DIRECTORY/mlc-key when
 * that variable was passed in as credentials_dir, else dir/master.key. ERR_SECRET with the way out when the key file is readable by others,
 * not ours, or of the wrong size. A key is made only while the store is empty: when something is sealed already, a missing key is
 * ERR_SECRET. Files under credentials_dir may belong to the service manager, but not be open to others. The world must outlive the store. */
enum err secret_open(struct secret_store **out, const struct world *w, const char *dir, const char *key_file, const char *credentials_dir,
                     struct fault *f);
/* For those who only look, beside a running writer too: makes and writes nothing, neither here nor later. ERR_NOT_FOUND when nothing is sealed and
 * there is no key yet. Of what follows only secret_get, _list, _derive, _sign, _public_key, slot_open_read and secret_unseal may be called. */
enum err secret_open_read(struct secret_store **out, const struct world *w, const char *dir, const char *key_file, const char *credentials_dir,
                          struct fault *f);
void secret_close(struct secret_store *s);           /* wipes the key from memory */

/* Values, up to 64 KiB. Names: [A-Za-z0-9_.-]{1,64}, not beginning with a dot, not ending in .tmp. A name that does not fit: ERR_USAGE. */
enum err secret_put(struct secret_store *s, const char *name, struct str value, struct fault *f);
/* The value in the arena (wipe with secret_wipe when done). ERR_SECRET "secret NAME is not set: mlcd secret set NAME". */
enum err secret_get(struct secret_store *s, const char *name, struct arena *a, struct str *out, struct fault *f);
enum err secret_remove(struct secret_store *s, const char *name, struct fault *f);
/* Calls each(arg, name) in name order. */
enum err secret_list(struct secret_store *s, void (*each)(void *arg, const char *name), void *arg, struct fault *f);
void secret_wipe(struct str s);

/* Puts another master key in the place of the one that this store was opened with, and seals every value anew under a new key. Where the store has its own
 * master.key, the new one is made here and the old one is overwritten; where a key file or a credential is given, which may serve other stores too, the
 * new one must stand beside it, FILE.next or mlc-key-next, and whoever keeps them replaces and destroys the old one when all stores are done; until then
 * secret_open finds either. A crash at any point leaves a store that opens with one of them; the next secret_open ends what was begun. The caller sees to
 * it that no other process has the store open for writing. damaged: values that could not be opened before either, left as they are. ERR_BUSY: another
 * process changes keys. After an error the store is only good for closing. */
struct secret_rotated { uint64_t values, damaged; bool by_hand; /* the caller's file is still to be replaced */ };
enum err secret_rotate(struct secret_store *s, struct secret_rotated *out, struct fault *f);

/* Keys of the store, 32 bytes per purpose, the same for its life: 1 journal key hash, 2 log's own private frames, 3 index checksums,
 * 4 checkpoint signing seed, 5 what turns a slot into a data key. */
enum secret_purpose { SECRET_KEY_HASH = 1, SECRET_LOG_KEY = 2, SECRET_INDEX_KEY = 3, SECRET_SIGN_SEED = 4, SECRET_SLOT_KEY = 5 };
void secret_derive(const struct secret_store *s, enum secret_purpose p, unsigned char out[32]);
/* Ed25519 for checkpoints; the public key for an operator to keep elsewhere. */
enum err secret_sign(void *store, struct str message, unsigned char sig[64]);
void secret_public_key(const struct secret_store *s, unsigned char pk[32]);

/* Data-key slots. slot_take hands out the next free slot; the file is grown 4096 random slots at a time, synced before any is used.
 * The number handed out last is not stored here: the index knows the highest slot in use and passes the one after it at open (0 at first;
 * the numbers begin at 1). ERR_CORRUPT: keys.slots is shorter than that, or damaged; the text says the way out. */
enum err slot_open(struct secret_store *s, uint32_t next_free, struct fault *f);
/* The slots to open what is sealed beside a process that has them; follows it when it makes more. A file that is not there yet holds no slots. */
enum err slot_open_read(struct secret_store *s, struct fault *f);
/* ERR_NO_SPACE, ERR_IO, ERR_SYNC_FAILED when the file cannot grow; after a failed sync every later call that writes fails. */
enum err slot_take(struct secret_store *s, uint32_t *slot, struct fault *f);
/* Says that a slot is in use: for slots named by frames that the index had not folded yet when slot_open was called. ERR_CORRUPT: no such slot. */
enum err slot_seen(struct secret_store *s, uint32_t slot, struct fault *f);
/* Gives slots taken since `next` back, when the batch that named them was not committed. */
void slot_rewind(struct secret_store *s, uint32_t next);
uint32_t slot_next(const struct secret_store *s);
/* Overwrites the slot with zeros and syncs. Erasing twice is fine. ERR_NOT_FOUND: there is no such slot. ERR_SYNC_FAILED: do it again after a
 * restart. Copies of keys.slots (backups, snapshots) still hold the key: the caller names them. */
enum err slot_erase(struct secret_store *s, uint32_t slot, struct fault *f);

/* The functions of journal_seal (journal/journal.h has their contract); ctx = struct secret_store *. FRAME_NO_SLOT uses SECRET_LOG_KEY.
 * ERR_NOT_FOUND: the slot was erased. ERR_CORRUPT: damaged, or another ad. ERR_SECRET: there is no such slot (or slot_open was not called). */
enum err secret_seal(void *store, uint32_t slot, struct str ad, struct str plain, struct buf *out);
enum err secret_unseal(void *store, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain);
/* Like secret_seal, but the same bytes give the same sealed bytes: for the index, which is a function of the log. Whoever sees two of them can tell
 * whether they are equal, and nothing else. secret_unseal opens both. */
enum err secret_seal_same(void *store, uint32_t slot, struct str ad, struct str plain, struct buf *out);
#endif
