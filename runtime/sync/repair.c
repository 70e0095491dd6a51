/* repair.c - the index made anew from the log. The old one is kept beside it, so that what went wrong can be looked at. */
#include "sync/sync_private.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Renames STATE/index to the first free STATE/index.aside-N. No index is fine. */
static enum err set_aside(struct engine *e, struct engine_repaired *out, struct fault *f)
{
    const struct world_files *fs = &e->w->files;
    const char *index = arena_printf(&e->page, "%s/index", e->o.state_dir);
    unsigned mode;
    bool ours;
    out->aside[0] = '\0';
    if (fs->mode(fs->ctx, index, &mode, &ours) != 0) return errno == ENOENT ? ERR_OK : fault_set(f, ERR_IO, "cannot look at %s: %s", index, strerror(errno));
    for (unsigned n = 1; n < 10000; n++) {
        (void)snprintf(out->aside, sizeof out->aside, "%s.aside-%u", index, n);
        if (fs->mode(fs->ctx, out->aside, &mode, &ours) != 0) break;
    }
    if (fs->rename(fs->ctx, index, out->aside) != 0 || fs->sync_dir(fs->ctx, e->o.state_dir) != 0)
        return fault_set(f, ERR_IO, "cannot rename %s to %s: %s", index, out->aside, strerror(errno));
    return ERR_OK;
}

enum err engine_repair(const struct world *w, const struct engine_options *o, struct engine_repaired *out, struct fault *f)
{
    struct engine *e = engine__new(w, o);
    enum err err = engine__take_lock(e, f);
    if (err == ERR_OK) err = secret_open(&e->secrets, w, o->state_dir, o->key_file, o->credentials_dir, f);
    if (err == ERR_OK) err = set_aside(e, out, f);
    if (err == ERR_OK) err = engine__take_state(e, f);
    if (err == ERR_OK) err = store_flush(e->store, f);
    if (err == ERR_OK) err = store_check(e->store, f);
    if (err == ERR_OK) out->entries = store_applied_seq(e->store);
    engine_close(e);
    return err;
}
