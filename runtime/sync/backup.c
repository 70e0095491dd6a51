/* backup.c - see backup.h. The list of files in a backup, `backup.list`:
 *
 *   mlc backup 1 LF  time MS LF  last SEQ LF  head HEX LF  file BYTES HASH PATH LF ...  end HASH LF        end: hash of all lines before it */
#include "sync/backup.h"
#include "base/buf.h"
#include "base/check.h"
#include "journal/journal.h"
#include "secret/secret.h"
#include "store/event.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_NAME "backup.list"
#define NOTE_NAME "backups"
enum { PATH_BYTES = 4096, CHUNK = 1 << 20, LIST_MAX = 64 << 20, NOTE_MAX = 1 << 20, SLOT_BYTES = 32 };
static const char *const folders[] = {"journal", "secrets", "images"};
enum { FOLDERS = sizeof folders / sizeof *folders };

struct copying {
    const struct world *w;
    const char *from, *to;              /* directories */
    struct arena a;
    unsigned char *chunk;
    char **names; size_t n, cap;        /* what was copied: paths below `to` */
    struct fault *f;
};

static enum err io_fault(const char *what, const char *path, struct fault *f)
{
    enum err e = errno == ENOSPC || errno == EDQUOT ? ERR_NO_SPACE : errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    return fault_set(f, e, "cannot %s %s: %s", what, path, strerror(errno));
}

static void begin(struct copying *c, const struct world *w, const char *from, const char *to, struct fault *f)
{
    *c = (struct copying){.w = w, .from = from, .to = to, .f = f};
    arena_init(&c->a, 0);
    c->chunk = malloc(CHUNK);
    if (!c->chunk) check_no_memory();
}

static void end(struct copying *c)
{
    free(c->chunk);
    free(c->names);
    arena_free(&c->a);
}

/* ---- files ---- */
static enum err read_chunk(struct copying *c, int fd, const char *path, uint64_t off, size_t n, size_t *got)
{
    const struct world_files *fs = &c->w->files;
    for (*got = 0; *got < n;) {
        int64_t part = fs->pread(fs->ctx, fd, c->chunk + *got, n - *got, (int64_t)(off + *got));
        if (part < 0) return io_fault("read", path, c->f);
        if (part == 0) break;
        *got += (size_t)part;
    }
    return ERR_OK;
}

static enum err write_chunk(struct copying *c, int fd, const char *path, uint64_t off, size_t n)
{
    const struct world_files *fs = &c->w->files;
    for (size_t done = 0; done < n;) {
        int64_t part = fs->pwrite(fs->ctx, fd, c->chunk + done, n - done, (int64_t)(off + done));
        if (part == 0) errno = ENOSPC;
        if (part <= 0) return io_fault("write", path, c->f);
        done += (size_t)part;
    }
    return ERR_OK;
}

static void remember(struct copying *c, const char *name)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        char **p = realloc(c->names, c->cap * sizeof *p);
        if (!p) check_no_memory();
        c->names = p;
    }
    c->names[c->n++] = arena_copy(&c->a, name, strlen(name));
}

/* Up to `bytes` of a file, from `skip` on, to the same place; synced. */
static enum err copy_part(struct copying *c, const char *name, uint64_t skip, uint64_t bytes)
{
    const struct world_files *fs = &c->w->files;
    const char *from = arena_printf(&c->a, "%s/%s", c->from, name), *to = arena_printf(&c->a, "%s/%s", c->to, name);
    int in = fs->open(fs->ctx, from, O_RDONLY, 0);
    if (in < 0) return io_fault("open", from, c->f);
    int out = fs->open(fs->ctx, to, O_WRONLY | O_CREAT, 0600);
    enum err e = out < 0 ? io_fault("make", to, c->f) : ERR_OK;
    for (uint64_t off = skip; e == ERR_OK && off < bytes;) {
        size_t n = bytes - off < CHUNK ? (size_t)(bytes - off) : CHUNK, got = 0;
        e = read_chunk(c, in, from, off, n, &got);
        if (e == ERR_OK) e = write_chunk(c, out, to, off, got);
        off += got;
        if (got < n) break;
    }
    if (e == ERR_OK && fs->fdatasync(fs->ctx, out) != 0) e = fault_set(c->f, ERR_SYNC_FAILED, "cannot sync %s: %s", to, strerror(errno));
    fs->close(fs->ctx, in);
    if (out >= 0) fs->close(fs->ctx, out);
    return e;
}

static enum err copy_file(struct copying *c, const char *name, uint64_t bytes)
{
    remember(c, name);
    return copy_part(c, name, 0, bytes);
}

static enum err hash_file(struct copying *c, const char *dir, const char *name, struct hash *out, uint64_t *bytes)
{
    const struct world_files *fs = &c->w->files;
    const char *path = arena_printf(&c->a, "%s/%s", dir, name);
    crypto_generichash_state st;
    int fd = fs->open(fs->ctx, path, O_RDONLY, 0);
    if (fd < 0) return io_fault("open", path, c->f);
    crypto_generichash_init(&st, NULL, 0, HASH_BYTES);
    enum err e = ERR_OK;
    size_t got = CHUNK;
    for (*bytes = 0; e == ERR_OK && got == CHUNK; *bytes += got) {
        e = read_chunk(c, fd, path, *bytes, CHUNK, &got);
        if (e == ERR_OK) crypto_generichash_update(&st, c->chunk, got);
    }
    crypto_generichash_final(&st, out->b, HASH_BYTES);
    fs->close(fs->ctx, fd);
    return e;
}

static enum err make_dir(struct copying *c, const char *dir)
{
    const struct world_files *fs = &c->w->files;
    if (fs->mkdir(fs->ctx, dir, 0700) == 0) return ERR_OK;
    return errno == EEXIST ? fault_set(c->f, ERR_EXISTS, "%s is there already", dir) : io_fault("make", dir, c->f);
}

static enum err make_dirs(struct copying *c)
{
    enum err e = make_dir(c, c->to);
    for (size_t i = 0; i < FOLDERS && e == ERR_OK; i++) e = make_dir(c, arena_printf(&c->a, "%s/%s", c->to, folders[i]));
    return e;
}

/* All names are on disk; then the whole appears under its name. */
static enum err put_in_place(struct copying *c, const char *final)
{
    const struct world_files *fs = &c->w->files;
    char parent[WORLD_PATH_BYTES];
    bool good = true;
    for (size_t i = 0; i < FOLDERS && good; i++) good = fs->sync_dir(fs->ctx, arena_printf(&c->a, "%s/%s", c->to, folders[i])) == 0;
    good = good && fs->sync_dir(fs->ctx, c->to) == 0;
    if (!good) return fault_set(c->f, ERR_SYNC_FAILED, "cannot sync %s: %s", c->to, strerror(errno));
    if (fs->rename(fs->ctx, c->to, final) != 0) return io_fault("put in place", final, c->f);
    return world_sync_parent(c->w, final, parent) == 0 ? ERR_OK : fault_set(c->f, ERR_SYNC_FAILED, "cannot sync %s: %s", parent, strerror(errno));
}

/* ---- the parts of a state directory ---- */
struct names { struct copying *c; const char *folder; enum err e; };

static void copy_named(void *arg, const char *name)
{
    struct names *x = arg;
    size_t n = strlen(name);
    if (x->e != ERR_OK || (n > 4 && strcmp(name + n - 4, ".tmp") == 0)) return;
    x->e = copy_file(x->c, arena_printf(&x->c->a, "%s/%s", x->folder, name), UINT64_MAX);
}

static enum err copy_folder(struct copying *c, const char *folder)
{
    struct names x = {c, folder, ERR_OK};
    const char *dir = arena_printf(&c->a, "%s/%s", c->from, folder);
    if (c->w->files.list(c->w->files.ctx, dir, copy_named, &x) != 0) return errno == ENOENT ? ERR_OK : io_fault("read", dir, c->f);
    return x.e;
}

static enum err copy_if_there(struct copying *c, const char *name)
{
    unsigned mode;
    bool ours;
    const char *path = arena_printf(&c->a, "%s/%s", c->from, name);
    if (c->w->files.mode(c->w->files.ctx, path, &mode, &ours) == 0) return copy_file(c, name, UINT64_MAX);
    return errno == ENOENT ? ERR_OK : io_fault("look at", path, c->f);
}

/* Whole checkpoints only: one may be on its way into the file. Each ends in an empty line, behind its signature. */
static enum err copy_checkpoints(struct copying *c)
{
    static const char name[] = "journal/checkpoints.log", dash[] = "\n\xe2\x80\x94 ";
    struct str text;
    enum err e = world_read_file(c->w, arena_printf(&c->a, "%s/%s", c->from, name), LIST_MAX, &c->a, &text, c->f);
    if (e == ERR_NOT_FOUND) return ERR_OK;
    if (e != ERR_OK) return e;
    size_t whole = 0;
    for (size_t i = 0, signed_line = 0; i < text.n; i++) {
        if (text.n - i > 5 && memcmp(text.p + i, dash, 5) == 0) signed_line = i + 1;
        if (signed_line && i > signed_line && text.p[i] == '\n' && text.p[i - 1] == '\n') {
            whole = i + 1;
            signed_line = 0;
        }
    }
    return copy_file(c, name, whole);
}

struct log_copy { struct copying *c; enum err e; uint32_t last_slot; bool any_slot; uint32_t *erased; size_t nerased, cap; };

static void copy_segment(void *arg, const char *name, uint64_t bytes)
{
    struct log_copy *l = arg;
    if (l->e == ERR_OK) l->e = copy_file(l->c, arena_printf(&l->c->a, "journal/%s", name), bytes);
}

static enum err note_slots(void *arg, const struct frame *fr, struct fault *f)
{
    struct log_copy *l = arg;
    struct event_tags ev = {0};
    if (fr->slot != FRAME_NO_SLOT && (!l->any_slot || fr->slot > l->last_slot)) {
        l->last_slot = fr->slot;
        l->any_slot = true;
    }
    if (fr->kind != FRAME_ERASE) return ERR_OK;
    if (!event_read(&ev, fr->pub)) return fault_set(f, ERR_CORRUPT, "audit entry %llu cannot be read", (unsigned long long)fr->seq);
    int64_t slot = event_int(&ev, EV_SLOT, FRAME_NO_SLOT);
    if (slot == FRAME_NO_SLOT) return ERR_OK;
    if (l->nerased == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 64;
        uint32_t *p = realloc(l->erased, l->cap * sizeof *p);
        if (!p) check_no_memory();
        l->erased = p;
    }
    l->erased[l->nerased++] = (uint32_t)slot;
    return ERR_OK;
}

/* The data keys that the copied log needs: what the file had before, more blocks if it has grown meanwhile, less what was erased. */
static enum err finish_slots(struct copying *c, const struct log_copy *l, uint64_t have)
{
    const struct world_files *fs = &c->w->files;
    const char *to = arena_printf(&c->a, "%s/keys.slots", c->to);
    enum err e = ERR_OK;
    if (l->any_slot && ((uint64_t)l->last_slot + 1) * SLOT_BYTES > have) e = copy_part(c, "keys.slots", have, UINT64_MAX);
    if (e != ERR_OK || l->nerased == 0) return e;
    int fd = fs->open(fs->ctx, to, O_WRONLY, 0);
    if (fd < 0) return io_fault("open", to, c->f);
    memset(c->chunk, 0, SLOT_BYTES);
    for (size_t i = 0; i < l->nerased && e == ERR_OK; i++) e = write_chunk(c, fd, to, (uint64_t)l->erased[i] * SLOT_BYTES, SLOT_BYTES);
    if (e == ERR_OK && fs->fdatasync(fs->ctx, fd) != 0) e = fault_set(c->f, ERR_SYNC_FAILED, "cannot sync %s: %s", to, strerror(errno));
    fs->close(fs->ctx, fd);
    return e;
}

/* 0 when it is not there. */
static enum err size_of(struct copying *c, const char *path, uint64_t *bytes)
{
    const struct world_files *fs = &c->w->files;
    int fd = fs->open(fs->ctx, path, O_RDONLY, 0);
    *bytes = 0;
    if (fd < 0) return errno == ENOENT ? ERR_OK : io_fault("open", path, c->f);
    int64_t n = fs->size(fs->ctx, fd);
    enum err e = n < 0 ? io_fault("read", path, c->f) : ERR_OK;
    fs->close(fs->ctx, fd);
    if (e == ERR_OK) *bytes = (uint64_t)n;
    return e;
}

static enum err copy_log(struct copying *c, struct backup_info *out)
{
    struct journal *j = NULL;
    struct log_copy l = {.c = c};
    uint64_t have;
    struct journal_options jo = {.dir = arena_printf(&c->a, "%s/journal", c->from), .origin = "ml-connector", .read_only = true};
    struct journal_filter flt = {.sealed = true};
    enum err e = size_of(c, arena_printf(&c->a, "%s/keys.slots", c->to), &have);
    if (e == ERR_OK) e = journal_open(&j, c->w, &jo, c->f);
    if (e != ERR_OK) return e;
    out->last_seq = flt.to = journal_durable_seq(j);
    out->head = journal_head(j);
    e = journal_files(j, copy_segment, &l, c->f);
    if (e == ERR_OK) e = l.e;
    if (e == ERR_OK && flt.to) e = journal_scan(j, &flt, note_slots, &l, c->f);
    if (e == ERR_OK) e = finish_slots(c, &l, have);
    free(l.erased);
    journal_close(j);
    return e;
}

/* ---- the list of files ---- */
static enum err write_list(struct copying *c, struct backup_info *out)
{
    struct buf b = {0};
    struct hash h;
    char hex[2 * HASH_BYTES + 1];
    enum err e = ERR_OK;
    hash_hex(out->head.b, HASH_BYTES, hex);
    buf_printf(&b, "mlc backup 1\ntime %lld\nlast %llu\nhead %s\n", (long long)out->time_ms, (unsigned long long)out->last_seq, hex);
    for (size_t i = 0; i < c->n && e == ERR_OK; i++) {
        uint64_t bytes = 0;
        e = hash_file(c, c->to, c->names[i], &h, &bytes);
        hash_hex(h.b, HASH_BYTES, hex);
        buf_printf(&b, "file %llu %s %s\n", (unsigned long long)bytes, hex, c->names[i]);
        out->files++;
        out->bytes += bytes;
    }
    h = hash_of(buf_view(&b));
    hash_hex(h.b, HASH_BYTES, hex);
    buf_printf(&b, "end %s\n", hex);
    if (e == ERR_OK) e = world_write_file(c->w, arena_printf(&c->a, "%s/" LIST_NAME, c->to), buf_view(&b), 0600, c->f);
    buf_free(&b);
    return e;
}

static bool take_word(struct str *line, const char *word)
{
    struct str w = str_of(word);
    if (!str_starts(*line, w)) return false;
    *line = (struct str){line->p + w.n, line->n - w.n};
    return true;
}

static bool number_line(struct str *text, const char *word, int64_t *out)
{
    struct str line = str_take(text, '\n');
    return take_word(&line, word) && str_to_i64(line, out);
}

static bool hex_to_hash(struct str hex, struct hash *out)
{
    return hex.n == 2 * HASH_BYTES && sodium_hex2bin(out->b, HASH_BYTES, hex.p, hex.n, NULL, NULL, NULL) == 0;
}

/* Only names that a backup makes: a list that was tampered with leads nowhere else. */
static bool own_name(struct str name)
{
    if (name.n == 0 || name.n > 200 || memchr(name.p, 0, name.n)) return false;
    if (str_is(name, "keys.slots") || str_is(name, "key.id")) return true;
    const char *slash = memchr(name.p, '/', name.n);
    if (!slash) return false;
    struct str folder = {name.p, (size_t)(slash - name.p)}, rest = {slash + 1, name.n - folder.n - 1};
    bool known = false;
    for (size_t i = 0; i < FOLDERS; i++) known = known || str_is(folder, folders[i]);
    return known && rest.n && rest.p[0] != '.' && !memchr(rest.p, '/', rest.n);
}

/* Head and end of the list; *files becomes the lines between. */
static enum err read_list(struct copying *c, struct backup_info *out, struct str *files)
{
    struct str text, last, line;
    struct hash said, is;
    int64_t time_ms, seq;
    const char *path = arena_printf(&c->a, "%s/" LIST_NAME, c->from);
    enum err e = world_read_file(c->w, path, LIST_MAX, &c->a, &text, c->f);
    if (e == ERR_NOT_FOUND) return fault_set(c->f, ERR_FORMAT, "%s is no backup: it has no " LIST_NAME, c->from);
    if (e != ERR_OK) return e;
    *out = (struct backup_info){0};
    enum { END_LINE = 4 + 2 * HASH_BYTES + 1 };
    if (text.n < END_LINE) return fault_set(c->f, ERR_CORRUPT, "%s is damaged", path);
    struct str body = {text.p, text.n - END_LINE};
    last = (struct str){text.p + body.n, END_LINE - 1};
    is = hash_of(body);
    if (!take_word(&last, "end ") || !hex_to_hash(last, &said) || !hash_eq(&said, &is)) return fault_set(c->f, ERR_CORRUPT, "%s is damaged", path);
    line = str_take(&body, '\n');
    if (!str_is(line, "mlc backup 1")) return fault_set(c->f, ERR_FORMAT, "%s was made by another version of mlcd", c->from);
    bool good = number_line(&body, "time ", &time_ms) && number_line(&body, "last ", &seq);
    line = str_take(&body, '\n');
    if (!good || !take_word(&line, "head ") || !hex_to_hash(line, &out->head)) return fault_set(c->f, ERR_CORRUPT, "%s is damaged", path);
    out->time_ms = time_ms;
    out->last_seq = (uint64_t)seq;
    *files = body;
    return ERR_OK;
}

static enum err check_files(struct copying *c, struct str files, struct backup_info *out)
{
    while (files.n) {
        struct str line = str_take(&files, '\n'), bytes, hex;
        struct hash said, is;
        int64_t n;
        uint64_t have = 0;
        if (!take_word(&line, "file ")) return fault_set(c->f, ERR_CORRUPT, "%s/" LIST_NAME " is damaged", c->from);
        bytes = str_take(&line, ' ');
        hex = str_take(&line, ' ');
        if (!str_to_i64(bytes, &n) || !hex_to_hash(hex, &said) || !own_name(line)) return fault_set(c->f, ERR_CORRUPT, "%s/" LIST_NAME " is damaged", c->from);
        const char *name = arena_copy(&c->a, line.p, line.n);
        enum err e = hash_file(c, c->from, name, &is, &have);
        if (e == ERR_NOT_FOUND) return fault_set(c->f, ERR_CORRUPT, "the backup is damaged: %s/%s is missing", c->from, name);
        if (e != ERR_OK) return e;
        if (have != (uint64_t)n || !hash_eq(&said, &is)) return fault_set(c->f, ERR_CORRUPT, "the backup is damaged: %s/%s is not what was written", c->from, name);
        remember(c, name);
        out->files++;
        out->bytes += have;
    }
    return ERR_OK;
}

enum err backup_check(const struct world *w, const char *dir, struct backup_info *out, struct fault *f)
{
    struct copying c;
    struct str files;
    begin(&c, w, dir, NULL, f);
    enum err e = read_list(&c, out, &files);
    if (e == ERR_OK) e = check_files(&c, files, out);
    end(&c);
    return e;
}

/* ---- notes of backups: STATE/backups, a line each: when, up to which entry, where ---- */
static enum err note(struct copying *c, const char *state_dir, const struct backup_info *b, const char *where)
{
    struct buf text = {0};
    struct str was = {NULL, 0};
    const char *path = arena_printf(&c->a, "%s/" NOTE_NAME, state_dir);
    enum err e = world_read_file(c->w, path, NOTE_MAX, &c->a, &was, c->f);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return fault_set(c->f, e, "the backup %s is whole, but cannot be noted in %s, which cannot be read: move that file aside and make another", where, path);
    buf_str(&text, was);
    buf_printf(&text, "%lld %llu %s\n", (long long)b->time_ms, (unsigned long long)b->last_seq, where);
    e = world_write_file(c->w, path, buf_view(&text), 0600, c->f);
    buf_free(&text);
    return e;
}

enum err backup_each(const struct world *w, const char *state_dir, void (*each)(void *ctx, const struct backup_info *b, const char *dir, bool there), void *ctx,
                     struct fault *f)
{
    struct arena a;
    struct str text = {NULL, 0};
    arena_init(&a, 0);
    enum err e = world_read_file(w, arena_printf(&a, "%s/" NOTE_NAME, state_dir), NOTE_MAX, &a, &text, f);
    if (e == ERR_NOT_FOUND) e = ERR_OK;
    while (text.n) {
        struct str whole = str_take(&text, '\n'), line = whole, when = str_take(&line, ' '), last = str_take(&line, ' ');
        int64_t time_ms, seq;
        unsigned mode;
        bool ours;
        if (!str_to_i64(when, &time_ms) || !str_to_i64(last, &seq) || line.n == 0) {
            e = fault_set(f, ERR_CORRUPT, "a line of %s/" NOTE_NAME " names no backup: \"%.*s\"", state_dir, (int)(whole.n < 100 ? whole.n : 100), whole.p);
            continue;
        }
        const char *dir = arena_copy(&a, line.p, line.n);
        struct backup_info b = {.time_ms = time_ms, .last_seq = (uint64_t)seq};
        each(ctx, &b, dir, w->files.mode(w->files.ctx, arena_printf(&a, "%s/" LIST_NAME, dir), &mode, &ours) == 0);
    }
    arena_free(&a);
    return e;
}

/* ---- there and back ---- */
enum err backup_make(const struct world *w, const char *state_dir, const char *to, struct backup_info *out, struct fault *f)
{
    struct copying c;
    char part[PATH_BYTES];
    unsigned mode;
    bool ours;
    *out = (struct backup_info){.time_ms = world_wall_ms(w)};
    if (w->files.mode(w->files.ctx, to, &mode, &ours) == 0) return fault_set(f, ERR_EXISTS, "%s is there already", to);
    if (strchr(to, '\n')) return fault_set(f, ERR_USAGE, "a path with a line end cannot be noted");
    (void)snprintf(part, sizeof part, "%.4000s.part", to);
    begin(&c, w, state_dir, part, f);
    enum err e = ERR_OK;
    if (w->files.mode(w->files.ctx, arena_printf(&c.a, "%s/journal", state_dir), &mode, &ours) != 0)
        e = fault_set(f, ERR_NOT_FOUND, "nothing was ever run in %s", state_dir);
    if (e == ERR_OK) e = make_dirs(&c);
    if (e == ERR_EXISTS) fault_set(f, e, "%s is there already, from a backup that did not come to its end: remove it", part);
    if (e == ERR_OK) e = copy_if_there(&c, "key.id");
    if (e == ERR_OK) e = copy_if_there(&c, "keys.slots");
    if (e == ERR_OK) e = copy_checkpoints(&c);
    if (e == ERR_OK) e = copy_log(&c, out);
    if (e == ERR_OK) e = copy_folder(&c, "secrets");
    if (e == ERR_OK) e = copy_folder(&c, "images");
    if (e == ERR_OK) e = write_list(&c, out);
    if (e == ERR_OK) e = put_in_place(&c, to);
    if (e == ERR_OK) e = note(&c, state_dir, out, to);
    end(&c);
    return e;
}

static void count_name(void *arg, const char *name)
{
    (void)name;
    ++*(unsigned *)arg;
}

/* For the first start (restored.c): what to say in the log, and what to erase again. */
static enum err write_restored(struct copying *c, const struct backup_info *b, const struct backup_erased *erased, size_t n)
{
    struct buf text = {0}, hex = {0};
    char when[25];
    world_format_ms(b->time_ms, when);
    buf_printf(&text, "restored from the backup of %s, which ends at entry %llu\n", when, (unsigned long long)b->last_seq);
    for (size_t i = 0; i < n; i++) {
        buf_clear(&hex);
        for (size_t k = 0; k < erased[i].key.n; k++) buf_printf(&hex, "%02x", (unsigned)(unsigned char)erased[i].key.p[k]);
        buf_printf(&text, "%.*s\t%.*s\n", (int)hex.n, hex.p, (int)erased[i].flow.n, erased[i].flow.p);
    }
    enum err e = world_write_file(c->w, arena_printf(&c->a, "%s/restored", c->to), buf_view(&text), 0600, c->f);
    buf_free(&text);
    buf_free(&hex);
    return e;
}

enum err backup_restore(const struct world *w, const char *dir, const char *state_dir, const struct backup_erased *erased, size_t n, struct backup_info *out,
                        struct fault *f)
{
    struct copying c;
    struct str files;
    char part[PATH_BYTES];
    unsigned there = 0;
    if (w->files.list(w->files.ctx, state_dir, count_name, &there) == 0 && there)
        return fault_set(f, ERR_EXISTS, "%s is not empty: restore into a fresh place, or move it aside first", state_dir);
    (void)snprintf(part, sizeof part, "%.4000s.part", state_dir);
    begin(&c, w, dir, part, f);
    enum err e = read_list(&c, out, &files);
    if (e == ERR_OK) e = check_files(&c, files, out);
    if (e == ERR_OK) e = make_dirs(&c);
    for (size_t i = 0; i < c.n && e == ERR_OK; i++) e = copy_part(&c, c.names[i], 0, UINT64_MAX);
    if (e == ERR_OK) e = write_restored(&c, out, erased, n);
    if (e == ERR_OK) e = note(&c, part, out, dir);
    if (e == ERR_OK) e = put_in_place(&c, state_dir);
    end(&c);
    return e;
}
