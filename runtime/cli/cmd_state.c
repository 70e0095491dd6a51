/* cmd_state.c - check, repair, backup, restore: the state directory as a whole. */
#include "cli/cli.h"
#include "journal/verify/verify.h"
#include "secret/secret.h"
#include "store/walk.h"
#include "sync/act.h"
#include "sync/backup.h"
#include "value/json.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put_line(struct buf *b, const char *end)
{
    buf_puts(b, end);
    buf_byte(b, '\n');
    fwrite(b->p, 1, b->n, stdout);
    buf_free(b);
}

static int say(const struct cli *c, const struct fault *f, bool ok, const char *what, const char *text)
{
    struct buf b = {0};
    if (c->json) {
        buf_printf(&b, "{\"ok\":%s,\"what\":\"%s\",\"text\":", ok ? "true" : "false", what);
        json_put_string(&b, str_of(ok ? text : f->text));
        put_line(&b, "}");
    } else printf("%-6s %-8s %s\n", ok ? "ok" : "DAMAGE", what, ok ? text : f->text);
    return ok ? 0 : err_exit_code(f->err);
}

/* An absolute path: it is noted, and read by somebody who stands elsewhere. */
static bool absolute(const char *path, char out[4096])
{
    char here[2048];
    if (path[0] == '/') return (size_t)snprintf(out, 4096, "%s", path) < 4096;
    return getcwd(here, sizeof here) && (size_t)snprintf(out, 4096, "%s/%s", here, path) < 4096;
}

/* ---- check ---- */
static int check_log(struct cli *c, struct secret_store *s)
{
    unsigned char pk[32];
    char dir[4096], text[200];
    struct verify_report r;
    struct fault f = {ERR_CORRUPT, ""};
    secret_public_key(s, pk);
    (void)snprintf(dir, sizeof dir, "%s/journal", c->state);
    struct verify_options o = {.dir = dir, .public_key = pk, .checkpoints = c->checkpoints, .live = true};
    bool ok = verify_log(&o, &r);
    (void)snprintf(text, sizeof text, "%llu entries in %llu segments, %llu checkpoints, all signatures", (unsigned long long)r.frames, (unsigned long long)r.segments,
                   (unsigned long long)r.checkpoints);
    (void)snprintf(f.text, sizeof f.text, "%.300s: restore a backup", r.error);
    return say(c, &f, ok, "log", text);
}

static int check_keys(struct cli *c, struct secret_store *s)
{
    struct fault f = {ERR_OK, ""};
    return say(c, &f, slot_open_read(s, &f) == ERR_OK, "keys", "every block of data keys bears its mark");
}

/* First without LMDB, then with it: the tables against each other. */
static int check_index(struct cli *c, struct secret_store *s)
{
    struct walk_report r;
    struct store *store = NULL;
    struct fault f = {ERR_OK, ""};
    char dir[4096], text[200];
    (void)snprintf(dir, sizeof dir, "%s/index", c->state);
    struct store_options so = {.dir = dir, .read_only = true, .map_bytes = (size_t)c->map_mib << 20, .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = s}};
    secret_derive(s, SECRET_INDEX_KEY, so.key);
    enum err e = store_walk(&c->world, dir, so.key, &r, &f);
    if (e == ERR_NOT_FOUND) return say(c, &f, true, "index", "there is none: the next start makes it from the log");
    if (e == ERR_OK) e = store_open(&store, &c->world, &so, &f);
    if (e == ERR_OK) e = store_check(store, &f);
    store_close(store);
    (void)snprintf(text, sizeof text, "%llu values in %llu pages (%llu free), folded up to entry %llu", (unsigned long long)r.values, (unsigned long long)r.pages,
                   (unsigned long long)r.free, (unsigned long long)r.applied_seq);
    return say(c, &f, e == ERR_OK, "index", text);
}

static int worse(int a, int b) { return a ? a : b; }

int cmd_check(struct cli *c)
{
    struct fault f = {ERR_OK, ""};
    struct secret_store *s = NULL;
    int lock, code;
    enum err e = secret_open_read(&s, &c->world, c->state, c->key_file, getenv("CREDENTIALS_DIRECTORY"), &f);
    if (e != ERR_OK) return cli_fail(c, &f);
    e = engine_hold(&c->world, c->state, &lock, &f);
    if (e == ERR_LOCKED_STATE)
        fault_set(&f, e, "a running mlcd works in %s: its index changes under way; check when it is stopped, or check a backup; mlcd audit verify works beside it", c->state);
    if (e != ERR_OK) return secret_close(s), cli_fail(c, &f);
    code = check_log(c, s);
    code = worse(code, check_keys(c, s));
    code = worse(code, check_index(c, s));
    secret_close(s);
    c->world.files.close(c->world.files.ctx, lock);
    return code;
}

/* ---- repair ---- */
int cmd_repair(struct cli *c)
{
    struct fault f = {ERR_OK, ""};
    struct engine_repaired r = {.entries = 0};
    struct engine_options o = cli_engine_options(c);
    enum err e = engine_repair(&c->world, &o, &r, &f);
    if (e != ERR_OK) return cli_fail(c, &f);
    if (c->json) {
        struct buf b = {0};
        buf_printf(&b, "{\"entries\":%llu,\"aside\":", (unsigned long long)r.entries);
        if (r.aside[0]) json_put_string(&b, str_of(r.aside));
        else buf_puts(&b, "null");
        put_line(&b, "}");
    } else
        printf("the index is made anew from %llu entries of the log%s%s\n", (unsigned long long)r.entries, r.aside[0] ? "; the old one is kept in " : "", r.aside);
    return 0;
}

/* ---- backup ---- */
static enum err verify_copy(const char *dir, struct fault *f)
{
    char path[4200];
    struct verify_report r;
    (void)snprintf(path, sizeof path, "%s/journal", dir);
    struct verify_options o = {.dir = path, .partial = true};
    return verify_log(&o, &r) ? ERR_OK : fault_set(f, ERR_CORRUPT, "the log in %s does not verify: %.300s", dir, r.error);
}

static void tell(const struct cli *c, const char *what, const struct backup_info *b, const char *dir)
{
    char t[25];
    world_format_ms(b->time_ms, t);
    if (c->json) {
        struct buf line = {0};
        buf_printf(&line, "{\"%s\":", what);
        json_put_string(&line, str_of(dir));
        buf_printf(&line, ",\"time\":\"%s\",\"last_entry\":%llu,\"files\":%llu,\"bytes\":%llu", t, (unsigned long long)b->last_seq, (unsigned long long)b->files,
                   (unsigned long long)b->bytes);
        put_line(&line, "}");
    } else
        printf("%s %s: entries up to %llu, %llu files, %llu bytes, of %s\n", what, dir, (unsigned long long)b->last_seq, (unsigned long long)b->files,
               (unsigned long long)b->bytes, t);
}

static void list_one(void *ctx, const struct backup_info *b, const char *dir, bool there)
{
    const struct cli *c = ctx;
    char t[25];
    world_format_ms(b->time_ms, t);
    if (c->json) {
        struct buf line = {0};
        buf_puts(&line, "{\"backup\":");
        json_put_string(&line, str_of(dir));
        buf_printf(&line, ",\"time\":\"%s\",\"last_entry\":%llu,\"there\":%s", t, (unsigned long long)b->last_seq, there ? "true" : "false");
        put_line(&line, "}");
    } else
        printf("%s  entries up to %-10llu %s%s\n", t, (unsigned long long)b->last_seq, dir, there ? "" : "  (not found from here)");
}

int cmd_backup(struct cli *c)
{
    char to[4096];
    struct backup_info b;
    struct fault f = {ERR_OK, ""};
    if (c->argc == 0) {
        return backup_each(&c->world, c->state, list_one, c, &f) == ERR_OK ? 0 : cli_fail(c, &f);
    }
    if (c->argc > 1 || !absolute(c->argv[0], to)) return fprintf(stderr, "usage: mlcd backup [DIR]\n"), 64;
    enum err e = backup_make(&c->world, c->state, to, &b, &f);
    if (e == ERR_OK) e = verify_copy(to, &f);
    if (e != ERR_OK) return cli_fail(c, &f);
    tell(c, "backup", &b, to);
    if (!c->json && !c->quiet) fprintf(stderr, "the master key is not in it: keep that apart; both together open everything\n");
    return 0;
}

/* ---- restore ---- */
struct erasures { const struct cli *c; uint64_t after; struct backup_erased *v; size_t n, cap; struct arena a; };

static struct str keep(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.p, s.n), s.n}; }

static enum err note_erasure(void *arg, const struct frame *fr, struct fault *f)
{
    struct erasures *x = arg;
    struct event_tags ev = {0};
    if (!event_read(&ev, fr->pub) || !event_read(&ev, fr->priv)) return fault_set(f, ERR_CORRUPT, "audit entry %llu cannot be read", (unsigned long long)fr->seq);
    if (x->n == x->cap) {
        x->cap = x->cap ? x->cap * 2 : 64;
        struct backup_erased *p = realloc(x->v, x->cap * sizeof *p);
        if (!p) return fault_set(f, ERR_NO_SPACE, "no memory");
        x->v = p;
    }
    x->v[x->n++] = (struct backup_erased){keep(&x->a, ev.v[EV_FLOW]), keep(&x->a, ev.v[EV_KEY])};
    return ERR_OK;
}

/* What the log of the other state directory erased after the backup was made. */
static enum err read_erasures(struct cli *c, struct erasures *x, struct fault *f)
{
    struct secret_store *s = NULL;
    struct journal *j = NULL;
    char dir[4096];
    (void)snprintf(dir, sizeof dir, "%s/journal", c->erased_from);
    enum err e = secret_open_read(&s, &c->world, c->erased_from, c->key_file, getenv("CREDENTIALS_DIRECTORY"), f);
    struct journal_options jo = {.dir = dir, .origin = "ml-connector", .read_only = true, .seal = {secret_seal, secret_unseal, NULL, s, {0}}};
    struct journal_filter flt = {.from = x->after + 1, .kinds = UINT64_C(1) << FRAME_ERASE};
    if (e == ERR_OK) e = journal_open(&j, &c->world, &jo, f);
    if (e == ERR_OK) e = journal_scan(j, &flt, note_erasure, x, f);
    journal_close(j);
    secret_close(s);
    return e;
}

int cmd_restore(struct cli *c)
{
    struct backup_info b;
    struct fault f = {ERR_OK, ""};
    struct erasures x = {.c = c};
    char from[4096];
    if (c->argc != 1 || !absolute(c->argv[0], from)) return fprintf(stderr, "usage: mlcd restore BACKUP --state NEW [--erased-from OLD]\n"), 64;
    arena_init(&x.a, 0);
    enum err e = backup_check(&c->world, from, &b, &f);
    x.after = b.last_seq;
    if (e == ERR_OK) e = verify_copy(from, &f);
    if (e == ERR_OK && c->erased_from) e = read_erasures(c, &x, &f);
    if (e == ERR_OK) e = backup_restore(&c->world, from, c->state, x.v, x.n, &b, &f);
    size_t erased = x.n;
    free(x.v);
    arena_free(&x.a);
    if (e != ERR_OK) return cli_fail(c, &f);
    tell(c, "restored", &b, c->state);
    if (c->json || c->quiet) return 0;
    if (c->erased_from) fprintf(stderr, "%zu erasures made after it are done again at the first start\n", erased);
    else fprintf(stderr, "what was erased after it is known here again: erase it again, or restore with --erased-from OLD, whose log tells\n");
    fprintf(stderr, "put the master key in place (%s/master.key, or --key-file), see that nothing runs in the old place, then: mlcd once --full\n", c->state);
    return 0;
}
