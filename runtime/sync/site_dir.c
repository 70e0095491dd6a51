/* site_dir.c - the files of a site, small and replaced as a whole, so that anybody may read them at any time. `turn` and `last` are lines "name number". */
#include "sync/site_private.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_FILE = 64 * 1024, LOG_BYTES = 1 << 20, TAIL = 600, PATH_BYTES = 4096 };

static const char *in_site(char path[PATH_BYTES], const char *site, const char *name, const char *file)
{
    snprintf(path, PATH_BYTES, "%s/%s%s%s", site, name, *file ? "/" : "", file);
    return path;
}

/* ---- the directory ---- */
static void note_file(void *arg, const char *name)
{
    struct site_dir *d = arg;
    size_t n = strlen(name);
    if (strcmp(name, "off") == 0) d->off = true;
    if (strcmp(name, "env") == 0) d->has_env = true;
    if (n <= 5 || n >= sizeof d->spec || strcmp(name + n - 5, ".mlcb") != 0) return;
    d->nspecs++;
    snprintf(d->spec, sizeof d->spec, "%s", name);
}

void site__look(const struct world *w, const char *site, const char *name, bool read_spec, struct site_dir *d)
{
    char path[PATH_BYTES];
    *d = (struct site_dir){.spec_crc = 0};
    d->is_dir = w->files.list(w->files.ctx, in_site(path, site, name, ""), note_file, d) == 0;
    if (!read_spec || d->nspecs != 1) return;
    struct arena a;
    struct str bytes;
    arena_init(&a, 0);
    if (world_read_file(w, in_site(path, site, name, d->spec), LIMIT_IMAGE_BYTES, &a, &bytes, NULL) == ERR_OK) d->spec_crc = crc32c(0, bytes.p, bytes.n);
    arena_free(&a);
}

const char *site__broken(const struct site_dir *d)
{
    if (d->nspecs == 0) return "there is no compiled spec (*.mlcb) in the directory";
    return d->nspecs > 1 ? "several compiled specs (*.mlcb) stand in the directory; leave one" : NULL;
}

struct names { void (*each)(void *arg, const char *name); void *arg; };

static void note_name(void *arg, const char *name)
{
    struct names *n = arg;
    if (name[0] != '.' && strcmp(name, "lock") != 0 && !strchr(name, '\n') && strlen(name) < 200) n->each(n->arg, name);
}

int site__names(const struct world *w, const char *site, void (*each)(void *arg, const char *name), void *arg)
{
    struct names n = {each, arg};
    return w->files.list(w->files.ctx, site, note_name, &n);
}

/* ---- lines "name number" ---- */
struct number { const char *name; int64_t *at; };

static void read_numbers(struct str text, const struct number *list, size_t n, char *rest, size_t rest_bytes)
{
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = {text.p, nl ? (size_t)(nl - text.p) : text.n};
        text = nl ? (struct str){nl + 1, text.n - line.n - 1} : (struct str){NULL, 0};
        const char *blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
        if (!blank) continue;
        struct str name = {line.p, (size_t)(blank - line.p)}, value = {blank + 1, line.n - (size_t)(blank + 1 - line.p)};
        for (size_t i = 0; i < n; i++)
            if (str_is(name, list[i].name)) str_to_i64(value, list[i].at);
        if (rest && str_is(name, "text")) snprintf(rest, rest_bytes, "%.*s", (int)value.n, value.p);
    }
}

#define LAST_NUMBERS(l) {"pid", &(l)->pid}, {"started", &(l)->started_ms}, {"ended", &(l)->ended_ms}, {"ok", &(l)->ok_ms}, {"next", &(l)->next_ms}, \
                        {"code", &(l)->code}, {"fails", &(l)->fails}

void site__read_last(const struct world *w, const char *site, const char *name, struct site_last *l)
{
    char path[PATH_BYTES];
    struct arena a;
    struct str text;
    *l = (struct site_last){.pid = 0};
    const struct number list[] = {LAST_NUMBERS(l)};
    arena_init(&a, 2048);
    if (world_read_file(w, in_site(path, site, name, "last"), SMALL_FILE, &a, &text, NULL) == ERR_OK)
        read_numbers(text, list, sizeof list / sizeof *list, l->text, sizeof l->text);
    arena_free(&a);
}

enum err site__write_last(const struct world *w, const char *site, const char *name, const struct site_last *l, struct fault *f)
{
    char path[PATH_BYTES];
    struct site_last copy = *l;
    struct buf b = {0};
    const struct number list[] = {LAST_NUMBERS(&copy)};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) buf_printf(&b, "%s %lld\n", list[i].name, (long long)*list[i].at);
    buf_printf(&b, "text %s\n", l->text);
    enum err err = world_write_file(w, in_site(path, site, name, "last"), buf_view(&b), 0600, f);
    buf_free(&b);
    return err;
}

struct turn_numbers { int64_t next, pending, rejected, waiting, held, locked; };
#define TURN_NUMBERS(t) {"next", &(t)->next}, {"pending", &(t)->pending}, {"rejected", &(t)->rejected}, {"waiting", &(t)->waiting}, {"held", &(t)->held}, \
                        {"locked", &(t)->locked}

bool site__read_turn(const struct world *w, const char *site, const char *name, struct engine_turn *t)
{
    char path[PATH_BYTES];
    struct arena a;
    struct str text;
    struct turn_numbers n = {0, 0, 0, 0, 0, 0};
    const struct number list[] = {TURN_NUMBERS(&n)};
    arena_init(&a, 2048);
    bool there = world_read_file(w, in_site(path, site, name, "turn"), SMALL_FILE, &a, &text, NULL) == ERR_OK;
    if (there) read_numbers(text, list, sizeof list / sizeof *list, NULL, 0);
    arena_free(&a);
    *t = (struct engine_turn){n.next, (uint64_t)n.pending, (uint64_t)n.rejected, (uint64_t)n.waiting, (uint64_t)n.held, (uint64_t)n.locked};
    return there;
}

enum err site_note_turn(const struct world *w, const char *state_dir, const struct engine_turn *t, struct fault *f)
{
    char path[PATH_BYTES];
    struct buf b = {0};
    struct turn_numbers n = {t->next_ms, (int64_t)t->pending, (int64_t)t->rejected, (int64_t)t->waiting, (int64_t)t->held, (int64_t)t->locked};
    const struct number list[] = {TURN_NUMBERS(&n)};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) buf_printf(&b, "%s %lld\n", list[i].name, (long long)*list[i].at);
    snprintf(path, sizeof path, "%s/../turn", state_dir);
    enum err err = world_write_file(w, path, buf_view(&b), 0600, f);
    buf_free(&b);
    return err;
}

/* ---- environment and log ---- */
bool site__env(const struct world *w, const char *site, const char *name, struct arena *a, const char ***out, struct fault *f)
{
    char path[PATH_BYTES];
    struct str text;
    size_t n = 0, lines = 1, number = 0;
    if (world_read_file(w, in_site(path, site, name, "env"), SMALL_FILE, a, &text, f) != ERR_OK) return false;
    for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n';
    *out = ARENA_ARRAY(a, const char *, lines + 1);
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = str_trim((struct str){text.p, nl ? (size_t)(nl - text.p) : text.n});
        text = nl ? (struct str){nl + 1, text.n - (size_t)(nl + 1 - text.p)} : (struct str){NULL, 0};
        number++;
        if (line.n == 0 || line.p[0] == '#') continue;
        if (line.p[0] == '=' || !memchr(line.p, '=', line.n) || memchr(line.p, '\0', line.n)) {
            fault_set(f, ERR_CONFIG, "env, line %zu: NAME=value is expected", number);
            return false;
        }
        (*out)[n++] = arena_copy(a, line.p, line.n);
    }
    return true;
}

void site__last_words(const struct world *w, const char *site, const char *name, char *out, size_t n)
{
    const struct world_files *fs = &w->files;
    char path[PATH_BYTES], tail[TAIL + 1];
    out[0] = '\0';
    int fd = fs->open(fs->ctx, in_site(path, site, name, "log"), O_RDONLY, 0);
    if (fd < 0) return;
    int64_t size = fs->size(fs->ctx, fd), from = size > TAIL ? size - TAIL : 0;
    int64_t got = fs->pread(fs->ctx, fd, tail, TAIL, from);
    fs->close(fs->ctx, fd);
    struct str text = str_trim((struct str){tail, got > 0 ? (size_t)got : 0});
    for (size_t i = text.n; i > 0; i--) {
        if (text.p[i - 1] != '\n') continue;
        text = (struct str){text.p + i, text.n - i};
        break;
    }
    if (str_starts(text, STR("mlcd: "))) text = (struct str){text.p + 6, text.n - 6};
    snprintf(out, n, "%.*s", (int)text.n, text.p);
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20) *p = ' ';
}

/* One old log is kept: what was said before is in the audit log anyway. */
void site__turn_log(const struct world *w, const char *site, const char *name)
{
    const struct world_files *fs = &w->files;
    char path[PATH_BYTES], old[PATH_BYTES];
    int fd = fs->open(fs->ctx, in_site(path, site, name, "log"), O_RDONLY, 0);
    if (fd < 0) return;
    int64_t size = fs->size(fs->ctx, fd);
    fs->close(fs->ctx, fd);
    if (size > LOG_BYTES && fs->rename(fs->ctx, path, in_site(old, site, name, "log.1")) != 0) log_warn("%s: the log cannot be moved aside: %s", name, strerror(errno));
}

/* ---- status ---- */
static const char *const states[SITE_STATES] = {"new", "idle", "due", "running", "failing", "off", "broken"};
const char *site_state_name(unsigned s) { return s < SITE_STATES ? states[s] : "?"; }

struct telling { const struct world *w; const char *dir; bool running; void (*each)(void *ctx, const struct site_status *s); void *ctx; };

static void tell_one(void *arg, const char *name)
{
    struct telling *t = arg;
    struct site_dir d;
    struct site_last l;
    site__look(t->w, t->dir, name, false, &d);
    if (!d.is_dir) return;
    site__read_last(t->w, t->dir, name, &l);
    struct site_status s = {.name = name, .started_ms = l.started_ms, .ended_ms = l.ended_ms, .ok_ms = l.ok_ms, .next_ms = l.next_ms, .code = (int)l.code,
                            .fails = (unsigned)l.fails, .text = l.text};
    site__read_turn(t->w, t->dir, name, &s.turn);
    const char *broken = site__broken(&d);
    if (broken) s.text = broken;
    if (l.pid && t->running) s.pid = l.pid;
    s.state = d.off ? SITE_OFF : broken ? SITE_BROKEN : s.pid ? SITE_RUNNING : l.fails ? SITE_FAILING : !l.ended_ms ? SITE_NEW
              : l.next_ms <= world_wall_ms(t->w) ? SITE_DUE : SITE_IDLE;
    t->each(t->ctx, &s);
}

enum err site_status(const struct world *w, const char *dir, void (*each)(void *ctx, const struct site_status *s), void *ctx, struct fault *f)
{
    char path[PATH_BYTES];
    const struct world_files *fs = &w->files;
    int fd = fs->open(fs->ctx, in_site(path, dir, "lock", ""), O_RDWR, 0600);
    struct telling t = {w, dir, fd >= 0 && fs->lock(fs->ctx, fd) != 0, each, ctx};       /* the lock is held: a supervisor runs */
    if (fd >= 0) fs->close(fs->ctx, fd);
    return site__names(w, dir, tell_one, &t) == 0 ? ERR_OK : fault_set(f, ERR_NOT_FOUND, "there is no site at %s", dir);
}
