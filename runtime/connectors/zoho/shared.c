/* shared.c - what processes keep together that use the same grant: its access token, with the count of its renewals, and places for heavy calls.
 * Zoho counts both per refresh token, or per organisation and client, not per process of ours (facts/zoho-crm.md 3.5, 8).
 *
 *     SHARED/ID.lock     held while the token is renewed
 *     SHARED/ID.token    the token's state, sealed with a key that only who has the refresh token can make
 *     SHARED/ID.N        a place: held while a heavy call is under way
 *
 * ID and key are derived from the refresh token, so that state directories with master keys of their own can share. Locks die with their process: nobody
 * waits for the dead. Without a shared directory the token stays in the sealed state, and its renewal is locked in the state directory, for `ping` and
 * `auth` beside a running mlcd. */
#include "connectors/zoho/zoho.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 90000, LOCK_STEP_MS = 50, TOKEN_FILE_BYTES = 1 << 16, NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
       TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES };

static void derive(const char *purpose, const char *secret, unsigned char *out, size_t n)
{
    unsigned char key[crypto_generichash_KEYBYTES];
    crypto_generichash(key, sizeof key, (const unsigned char *)secret, strlen(secret), NULL, 0);
    crypto_generichash(out, n, (const unsigned char *)purpose, strlen(purpose), key, sizeof key);
    explicit_bzero(key, sizeof key);
}

void zoho__shared_open(struct target *t, const char *refresh_token)
{
    struct zoho_shared *s = &t->shared;
    unsigned char id[12];
    derive("ml-connector: name of a grant", refresh_token, id, sizeof id);
    (void)sodium_bin2hex(s->id, sizeof s->id, id, sizeof id);
    derive("ml-connector: key of a grant's token", refresh_token, s->key, sizeof s->key);
    s->ready = t->env->shared_dir != NULL;
    if (s->ready && t->env->world->files.mkdir(t->env->world->files.ctx, t->env->shared_dir, 0700) != 0 && errno != EEXIST) {
        log_warn("%s: cannot make %s (%s); tokens and limits are not shared with other processes", t->pool, t->env->shared_dir, strerror(errno));
        s->ready = false;
    }
}

static bool path_of(const struct target *t, const char *end, char *out, size_t n)
{
    int len = t->shared.ready ? snprintf(out, n, "%s/%s.%s", t->env->shared_dir, t->shared.id, end)
              : t->env->state_dir ? snprintf(out, n, "%s/zoho-token.%s", t->env->state_dir, end) : -1;
    return len > 0 && (size_t)len < n;
}

static int open_locked(const struct target *t, const char *path)
{
    const struct world_files *fs = &t->env->world->files;
    int fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (fs->lock(fs->ctx, fd) == 0) return fd;
    fs->close(fs->ctx, fd);
    return -2;
}

/* ---- the token ---- */
enum err zoho__shared_lock(struct target *t, int *fd, struct fault *f)
{
    char path[1100];
    *fd = -1;
    if (!path_of(t, "lock", path, sizeof path)) return ERR_OK;
    for (int64_t until = zoho__mono(t) + LOCK_WAIT_MS; zoho__mono(t) < until;) {
        *fd = open_locked(t, path);
        if (*fd >= 0) return ERR_OK;
        if (*fd == -1) return fault_set(f, ERR_IO, "cannot open %s: %s", path, strerror(errno));
        if (t->env->stop && *t->env->stop) return fault_set(f, ERR_STOPPED, "stopped on request");
        t->env->world->clock.sleep_ms(t->env->world->clock.ctx, LOCK_STEP_MS);
    }
    return fault_set(f, ERR_BUSY, "another process has been renewing the access token for more than a minute");
}

void zoho__shared_unlock(struct target *t, int fd)
{
    if (fd >= 0) t->env->world->files.close(t->env->world->files.ctx, fd);
}

bool zoho__shared_load(struct target *t, struct arena *a, struct str *out)
{
    char path[1100];
    struct str sealed;
    unsigned long long n = 0;
    if (!t->shared.ready || !path_of(t, "token", path, sizeof path)) return false;
    if (world_read_file(t->env->world, path, TOKEN_FILE_BYTES, a, &sealed, NULL) != ERR_OK || sealed.n < NONCE + TAG) return false;
    unsigned char *plain = ARENA_ARRAY(a, unsigned char, sealed.n);
    const unsigned char *in = (const unsigned char *)sealed.p;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &n, NULL, in + NONCE, sealed.n - NONCE, (const unsigned char *)t->shared.id, strlen(t->shared.id), in,
                                                   t->shared.key) != 0) {
        log_warn("%s: %s cannot be opened and is not used", t->pool, path);
        return false;
    }
    *out = (struct str){(char *)plain, (size_t)n};
    return true;
}

enum err zoho__shared_save(struct target *t, struct str text, struct fault *f)
{
    char path[1100];
    struct buf sealed = {0};
    unsigned char nonce[NONCE];
    unsigned long long n = 0;
    if (!path_of(t, "token", path, sizeof path)) return ERR_OK;
    t->env->world->random.fill(t->env->world->random.ctx, nonce, sizeof nonce);
    buf_str(&sealed, (struct str){(char *)nonce, sizeof nonce});
    for (size_t i = 0; i < text.n + TAG; i++) buf_byte(&sealed, 0);
    crypto_aead_xchacha20poly1305_ietf_encrypt((unsigned char *)sealed.p + NONCE, &n, (const unsigned char *)text.p, text.n, (const unsigned char *)t->shared.id,
                                               strlen(t->shared.id), NULL, nonce, t->shared.key);
    enum err e = world_write_file(t->env->world, path, (struct str){sealed.p, NONCE + (size_t)n}, 0600, f);
    buf_free(&sealed);
    return e;
}

/* ---- places for heavy calls ---- */
unsigned zoho__places(const struct target *t)
{
    unsigned calls = zoho__editions[t->edition].calls;
    return calls - 2 < ZOHO_HEAVY_CALLS ? calls - 2 : ZOHO_HEAVY_CALLS;
}

int zoho__place_take(struct target *t)
{
    unsigned n = zoho__places(t);
    if (!t->shared.ready) return ZOHO_NO_PLACE;
    for (unsigned i = 0; i < n; i++) {
        char path[1100], end[12];
        (void)snprintf(end, sizeof end, "%u", (t->shared.next + i) % n);
        if (!path_of(t, end, path, sizeof path)) return ZOHO_NO_PLACE;
        int fd = open_locked(t, path);
        if (fd >= 0) {
            t->shared.next = (t->shared.next + i + 1) % n;
            return fd;
        }
        if (fd == -1) return ZOHO_NO_PLACE;                  /* a disk that fails must not stop the sync: Zoho says 429 where we do not count */
    }
    return ZOHO_ALL_TAKEN;
}

void zoho__place_give(struct target *t, int place)
{
    if (place >= 0) t->env->world->files.close(t->env->world->files.ctx, place);
}
