/* restored.c - the first start after `mlcd restore`: the log says that it was restored, and what was erased after the backup is erased again, before
 * anything is read from the source. STATE/restored is written by backup.c: a line for the log, then natural key in hex, tab, flow. */
#include "sync/sync_private.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { RESTORED_MAX = 64 << 20 };

/* A record that the backup does not know is marked all the same: it is not to come back as a new one. */
static enum err erase_again(struct engine *e, struct str flow, struct str key, struct fault *f)
{
    struct flow_state st;
    struct row row = {.slot = FRAME_NO_SLOT};
    enum err err = store_flow(e->store, flow, &st) ? store_row(e->store, st.id, key, &e->page, &row, f) : ERR_NOT_FOUND;
    return err == ERR_OK || err == ERR_NOT_FOUND ? engine__erase_row(e, NULL, flow, key, &row, "restore", f) : err;
}

enum err engine__restored(struct engine *e, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    const char *path = arena_printf(&e->page, "%s/restored", e->o.state_dir);
    struct str text;
    enum err err = world_read_file(e->w, path, RESTORED_MAX, &e->page, &text, f);
    if (err != ERR_OK) return err == ERR_NOT_FOUND ? ERR_OK : err;
    struct str line = str_take(&text, '\n');
    emit_note(e, FRAME_ALARM, "restore", arena_copy(&e->page, line.p, line.n));
    err = emit_commit(e, f);
    while (err == ERR_OK && text.n) {
        line = str_take(&text, '\n');
        const char *tab = memchr(line.p, '\t', line.n);
        size_t hex = tab ? (size_t)(tab - line.p) : 0, n = 0;
        unsigned char *key = arena_alloc(&e->page, hex / 2 + 1);
        if (!tab || sodium_hex2bin(key, hex / 2, line.p, hex, NULL, &n, NULL) != 0 || n == 0)
            return fault_set(f, ERR_CORRUPT, "%s cannot be read: restore again", path);
        err = erase_again(e, (struct str){tab + 1, line.n - hex - 1}, (struct str){(const char *)key, n}, f);
    }
    if (err != ERR_OK) return err;
    if (fs->unlink(fs->ctx, path) != 0 || fs->sync_dir(fs->ctx, e->o.state_dir) != 0) return fault_set(f, ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    return ERR_OK;
}
