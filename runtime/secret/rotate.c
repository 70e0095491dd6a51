/* rotate.c - another master key in the place of the one before.
 *
 *   1  PATH.next      the new master key, synced                                     a crash: the old one counts, the next rotation makes another
 *   2  key.id         replaced by one under the new key, with a new key for values   this rename decides: from here on the new one counts
 *   3  secrets/NAME   each value sealed under the new key                            both keys for values stand in key.id until
 *   4  key.id         without the old key for values
 *   5  PATH           overwritten with zeros, synced, replaced by PATH.next          a crash: PATH.next is found
 *
 * 3 to 5 can be done any number of times; secret_open does them when it finds them undone. Only who holds key.lock writes here. */
#include "secret/private.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

struct names { struct arena *a; const char **list; size_t n, cap; };

static void take_name(void *arg, const char *name)
{
    struct names *l = arg;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        const char **grown = ARENA_ARRAY(l->a, const char *, cap);
        if (l->n) memcpy(grown, l->list, l->n * sizeof *grown);
        l->list = grown;
        l->cap = cap;
    }
    l->list[l->n++] = arena_copy(l->a, name, strlen(name));
}

/* A value that does not open was damaged before and stays so: it must not keep the others from their new key. */
static enum err seal_anew(struct secret_store *s, struct secret_rotated *out, struct fault *f)
{
    struct arena a;
    struct names l = {.a = &a};
    arena_init(&a, 4096);
    enum err e = secret_list(s, take_name, &l, f);
    for (size_t i = 0; i < l.n && e == ERR_OK; i++) {
        struct str value = {NULL, 0};
        struct arena_mark m = arena_mark(&a);
        e = secret_get(s, l.list[i], &a, &value, f);
        if (e == ERR_SECRET || e == ERR_CORRUPT) {
            log_warn("secret %s cannot be opened and stays as it is: set it again", l.list[i]);
            out->damaged++;
            e = ERR_OK;
        } else if (e == ERR_OK) {
            e = secret__put(s, l.list[i], value, f);
            out->values++;
        }
        secret_wipe(value);
        arena_release(&a, m);
    }
    arena_free(&a);
    return e;
}

/* The bytes of the old key are overwritten before its name is gone. */
static enum err overwrite(const struct secret_store *s, const char *path, struct fault *f)
{
    static const unsigned char zeros[256];
    const struct world_files *fs = &s->w->files;
    int fd = fs->open(fs->ctx, path, O_RDWR, 0);
    if (fd < 0) return errno == ENOENT ? ERR_OK : fault_set(f, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    int64_t size = fs->size(fs->ctx, fd);
    size_t n = size < 0 ? 0 : (size_t)size < sizeof zeros ? (size_t)size : sizeof zeros;
    bool good = size >= 0;
    for (size_t done = 0; done < n && good;) {
        int64_t put = fs->pwrite(fs->ctx, fd, zeros, n - done, (int64_t)done);
        good = put > 0;
        if (good) done += (size_t)put;
    }
    good = good && fs->fdatasync(fs->ctx, fd) == 0;
    int why = errno;
    fs->close(fs->ctx, fd);
    return good ? ERR_OK : fault_set(f, ERR_IO, "cannot overwrite the old master key %s: %s", path, strerror(why));
}

static enum err put_in_place(struct secret_store *s, struct fault *f)
{
    const struct world_files *fs = &s->w->files;
    enum err e = overwrite(s, s->key_path, f);
    if (e != ERR_OK) return e;
    if (fs->rename(fs->ctx, s->next_path, s->key_path) != 0) return fault_set(f, ERR_IO, "cannot rename %s to %s: %s", s->next_path, s->key_path, strerror(errno));
    if (fs->sync_dir(fs->ctx, s->dir) != 0) return fault_set(f, ERR_SYNC_FAILED, "cannot sync %s: %s", s->dir, strerror(errno));
    s->from_next = false;
    return ERR_OK;
}

/* Steps 3 to 5, as far as they are undone. */
static enum err end(struct secret_store *s, struct secret_rotated *out, struct fault *f)
{
    enum err e = ERR_OK;
    if (!sodium_is_zero(s->keys.value_before, 32)) {
        e = seal_anew(s, out, f);
        if (e == ERR_OK) sodium_memzero(s->keys.value_before, 32);
        if (e == ERR_OK) e = secret__write_id(s, s->master, &s->keys, f);
    }
    return e == ERR_OK && s->from_next && s->own ? put_in_place(s, f) : e;
}

enum err secret__rotation_end(struct secret_store *s, struct fault *f)
{
    bool values = !sodium_is_zero(s->keys.value_before, 32);
    struct secret_rotated done = {0, 0, false};
    struct fault why = {ERR_OK, ""};
    if (!values && !(s->from_next && s->own)) return ERR_OK;
    int lock = secret__key_lock(s, &why);
    if (lock < 0) return values ? fault_set(f, why.err, "%s", why.text) : ERR_OK;       /* who holds it ends it */
    enum err e = secret__keys_again(s, f);
    if (e == ERR_OK && end(s, &done, &why) != ERR_OK) {
        log_warn("the change of the master key that was begun is not ended yet, the next start tries again: %s", why.text);
        e = secret__keys_again(s, f);                                                   /* as it stands on the disk */
    }
    s->w->files.close(s->w->files.ctx, lock);
    return e;
}

/* Step 1. */
static enum err next_master(struct secret_store *s, unsigned char next[32], struct fault *f)
{
    if (s->own) {
        s->w->random.fill(s->w->random.ctx, next, 32);
        return secret__write_key(s, s->next_path, next, f);
    }
    if (s->from_next) return fault_set(f, ERR_USAGE, "%s is in use already: put it in the place of %s first", s->next_path, s->key_path);
    if (!secret__key_exists(s, s->next_path))
        return fault_set(f, ERR_USAGE, "the key file is yours to keep, and may serve other states: put the new key at %s (32 random bytes, mode 0600), then do this again", s->next_path);
    enum err e = secret__load_key(s, s->next_path, next, f);
    if (e == ERR_OK && sodium_memcmp(next, s->master, 32) == 0) e = fault_set(f, ERR_USAGE, "%s holds the same key as %s", s->next_path, s->key_path);
    return e;
}

static enum err rotate(struct secret_store *s, struct secret_rotated *out, struct fault *f)
{
    struct { unsigned char master[32]; struct secret_keys keys; } *next = sodium_malloc(sizeof *next);
    if (!next) check_no_memory();
    enum err e = next_master(s, next->master, f);
    if (e == ERR_OK) {
        next->keys = s->keys;
        memcpy(next->keys.value_before, s->keys.value, 32);
        s->w->random.fill(s->w->random.ctx, next->keys.value, 32);
        e = secret__write_id(s, next->master, &next->keys, f);
    }
    if (e == ERR_OK) {
        memcpy(s->master, next->master, 32);
        s->keys = next->keys;
        s->from_next = true;
        e = end(s, out, f);
    }
    sodium_free(next);
    return e;
}

enum err secret_rotate(struct secret_store *s, struct secret_rotated *out, struct fault *f)
{
    struct secret_rotated before = {0, 0, false};
    ASSERT(!s->read_only);
    *out = (struct secret_rotated){0, 0, !s->own};
    struct fault why;
    int lock = secret__key_lock(s, &why);
    if (lock < 0) return fault_set(f, why.err, "%s", why.text);
    enum err e = secret__keys_again(s, f);
    if (e == ERR_OK) e = end(s, &before, f);
    if (e == ERR_OK) e = rotate(s, out, f);
    s->w->files.close(s->w->files.ctx, lock);
    return e;
}
