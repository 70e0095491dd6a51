/* micro.c - the parts by themselves, over the rows and frames of the customers flow, each beside a yardstick measured in the same run.
 *
 *     bench-micro IMAGE DIR        DIR: an empty directory on a real disk
 *
 * CPU time, not waiting for the disk. The yardstick is one BLAKE2b-256 of a kilobyte: what no journal with a hash chain can do without. Ratios
 * travel between machines; the times do not. */
#include "base/log.h"
#include "code/image.h"
#include "journal/journal.h"
#include "secret/secret.h"
#include "store/store.h"
#include "tests/unit/vm/random_rows.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 250, FRAMES = 20000, WANTED_BYTES = 700, KEY_BYTES = 20 };

struct bench { struct world w; const char *dir; double yard_ns; };

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void say(const struct bench *b, const char *what, double ns, const char *unit)
{
    printf("%-34s %10.0f %s/s %8.2f kilobytes hashed\n", what, 1e9 / ns, unit, ns / b->yard_ns);
}

static void need(bool good, const struct fault *f, const char *what)
{
    if (good) return;
    fprintf(stderr, "bench-micro: %s: %s\n", what, f ? f->text : "failed");
    exit(1);
}

static void yardstick(struct bench *b)
{
    char kilobyte[1000] = {0};
    double from = cpu_ns();
    for (int i = 0; i < 200000; i++) {
        struct hash h = hash_of((struct str){kilobyte, sizeof kilobyte});
        memcpy(kilobyte, h.b, HASH_BYTES);             /* nothing may be left out */
    }
    b->yard_ns = (cpu_ns() - from) / 200000;
    say(b, "yardstick: BLAKE2b of 1000 bytes", b->yard_ns, "hashes");
}

/* ---- the mapping ---- */
static struct image *load(const char *path, struct arena *a)
{
    FILE *f = fopen(path, "rb");
    struct buf b = {0};
    struct image *im = NULL;
    struct image_fault why = {.text = "cannot be read"};
    if (f) {
        char part[4096];
        for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) buf_put(&b, part, n);
        fclose(f);
    }
    if (!f || image_load(buf_view(&b), a, &im, &why) != ERR_OK) {
        fprintf(stderr, "bench-micro: %s: %s\n", path, why.text);
        exit(1);
    }
    buf_free(&b);
    return im;
}

static void mapping(const struct bench *b, const char *path)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct image *im = load(path, &a);
    const struct image_flow *fl = im->flows;
    struct vm *vm = vm_new(im);
    struct value *cols = ARENA_ARRAY(&a, struct value, ROWS * fl->ncolumns);
    uint64_t seed = 7, rows = 0;
    for (size_t i = 0; i < ROWS * fl->ncolumns; i++) cols[i] = random_value(&fl->columns[i % fl->ncolumns].type, &a, &seed);
    double from = cpu_ns();
    for (int round = 0; round < 400; round++)
        for (size_t i = 0; i < ROWS; i++, rows++) {
            struct vm_out out;
            if (vm_when(vm, fl, cols + i * fl->ncolumns)) vm_map(vm, fl, cols + i * fl->ncolumns, &out);
        }
    say(b, "vm: filter and mapping", (cpu_ns() - from) / (double)rows, "rows");
    vm_free(vm);
    arena_free(&a);
}

/* ---- JSON ---- */
static void scanning(const struct bench *b)
{
    struct buf page = {0};
    buf_puts(&page, "{\"rows\":[");
    for (int i = 0; i < ROWS; i++)
        buf_printf(&page, "%s{\"key\":[\"01\",\"%07d\"],\"fields\":{\"CustomerName\":\"Customer number %d & Sons\",\"AddressLine1\":\"%d Main Street\","
                   "\"City\":\"Springfield\",\"CreditLimit\":\"%d.00\",\"CreditHold\":\"N\",\"TelephoneNo\":\"(312) 555-0%03d\"}}", i ? "," : "", i, i, i, i * 10, i);
    buf_puts(&page, "]}");
    struct arena a;
    arena_init(&a, 1 << 16);
    double from = cpu_ns();
    for (int round = 0; round < 400; round++) {
        struct json_scanner s;
        json_init(&s, buf_view(&page), &a);
        enum json_token t;
        while ((t = json_next(&s)) != JSON_END) need(t != JSON_ERROR, NULL, "the page");
        arena_reset(&a);
    }
    say(b, "json: rows of eight strings", (cpu_ns() - from) / (400.0 * ROWS), "rows");
    arena_free(&a);
    buf_free(&page);
}

/* ---- journal and index ---- */
struct log { struct secret_store *secrets; struct journal *journal; struct store *store; struct frame *frames; struct arena a; };

static void open_log(struct bench *b, struct log *l)
{
    char path[4096];
    struct fault f = {ERR_OK, ""};
    arena_init(&l->a, 1 << 20);
    need(secret_open(&l->secrets, &b->w, b->dir, NULL, NULL, &f) == ERR_OK && slot_open(l->secrets, 0, &f) == ERR_OK, &f, "secrets");
    snprintf(path, sizeof path, "%s/index", b->dir);
    struct store_options so = {.dir = path, .seal = {.seal = secret_seal_same, .open = secret_unseal, .ctx = l->secrets}};
    secret_derive(l->secrets, SECRET_INDEX_KEY, so.key);
    need(store_open(&l->store, &b->w, &so, &f) == ERR_OK, &f, "index");
    snprintf(path, sizeof path, "%s/journal", b->dir);
    struct journal_options jo = {.dir = path, .origin = "bench", .seal = {secret_seal, secret_unseal, secret_sign, l->secrets, {0}}};
    secret_public_key(l->secrets, jo.seal.public_key);
    need(journal_open(&l->journal, &b->w, &jo, &f) == ERR_OK, &f, "journal");
    l->frames = ARENA_ARRAY(&l->a, struct frame, FRAMES);
}

/* ROW frames as derive.c makes them, keys in no order. */
static void make_frames(struct log *l)
{
    static char wanted[WANTED_BYTES];
    struct fault f = {ERR_OK, ""};
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct buf pub = {0}, priv = {0};
        uint32_t slot;
        char key[KEY_BYTES];
        need(slot_take(l->secrets, &slot, &f) == ERR_OK, &f, "slots");
        snprintf(key, sizeof key, "%c%05u%c", 1, (unsigned)((i * 7919u) % 100003u), 1);
        event_put_text(&pub, EV_FLOW, "customers");
        event_put_int(&pub, EV_STATE, ROW_DIRTY);
        event_put_int(&pub, EV_SLOT, slot);
        event_put_text(&priv, EV_KEY, key);
        event_put(&priv, EV_WANTED, (struct str){wanted, sizeof wanted});
        l->frames[i] = (struct frame){.kind = FRAME_ROW, .slot = slot, .pub = {arena_copy(&l->a, pub.p, pub.n), pub.n}, .priv = {arena_copy(&l->a, priv.p, priv.n), priv.n}};
        buf_free(&pub);
        buf_free(&priv);
    }
}

static void logging(struct bench *b)
{
    struct log l = {0};
    struct fault f = {ERR_OK, ""};
    open_log(b, &l);
    make_frames(&l);
    double append = 0, commit = 0, from;
    for (size_t i = 0; i < FRAMES; i++) {
        from = cpu_ns();
        need(journal_append(l.journal, &l.frames[i], &f) == ERR_OK, &f, "append");
        append += cpu_ns() - from;
        if ((i + 1) % ROWS) continue;
        from = cpu_ns();
        need(journal_commit(l.journal, &f) == ERR_OK, &f, "commit");
        commit += cpu_ns() - from;
    }
    say(b, "journal: append, sealed and chained", append / FRAMES, "frames");
    say(b, "journal: with commits of 250", (append + commit) / FRAMES, "frames");
    from = cpu_ns();
    for (size_t i = 0; i < FRAMES; i++)
        need(store_apply(l.store, &l.frames[i], &f) == ERR_OK && store_tick(l.store, world_mono_ms(&b->w), &f) == ERR_OK, &f, "fold");
    need(store_flush(l.store, &f) == ERR_OK, &f, "flush");
    say(b, "index: fold of new rows", (cpu_ns() - from) / FRAMES, "frames");
    journal_close(l.journal);
    store_close(l.store);
    secret_close(l.secrets);
    arena_free(&l.a);
}

int main(int argc, char **argv)
{
    struct bench b = {.dir = argc == 3 ? argv[2] : NULL};
    if (!b.dir) {
        fputs("usage: bench-micro IMAGE DIR\n", stderr);
        return 64;
    }
    world_real(&b.w);
    yardstick(&b);
    mapping(&b, argv[1]);
    scanning(&b);
    logging(&b);
    return 0;
}
