/* backup_test.c - backup, restore, the first start after it, repair and erasure while each call to the disk fails once: what is said to be done is done
 * whole, and what failed is done whole the next time. And lists of files that somebody changed, with a right hash at their end. */
#include "rig.h"
#include "base/hash.h"
#include "store/store.h"
#include "sync/backup.h"
#include "tests/fault/failing_disk.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

static struct failing_disk disk;

/* A state with everything a backup copies, closed. */
static void made(struct rig *r)
{
    rig_open(r, 12, 7);
    rig_done(r, "a first sync");
    disk = (struct failing_disk){.why = EIO};
}

/* The copy holds what the state has: keys and values byte by byte. */
static const char *whole(const struct rig *r, const char *copy)
{
    static const char *const files[] = {"key.id", "keys.slots", "secrets/zoho", "secrets/sage-agent", "journal/00000001.seg"};
    const char *why = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files && !why; i++) {
        char from[400], to[400];
        snprintf(from, sizeof from, "%s/state/%s", r->dir, files[i]);
        snprintf(to, sizeof to, "%s/%s", copy, files[i]);
        struct buf a = rig_slurp(from), b = rig_slurp(to);
        bool same = i < 4 ? a.n == b.n : b.n > 0 && b.n <= a.n;      /* the log goes on behind what was copied */
        if (!a.p || !b.p || !same || memcmp(a.p, b.p, b.n) != 0) why = files[i];
        buf_free(&a);
        buf_free(&b);
    }
    return why;
}

static void count_backup(void *ctx, const struct backup_info *b, const char *dir, bool is_there)
{
    int *n = ctx;
    (void)dir;
    *n += b->last_seq > 0 && is_there;
}

static int noted(const struct rig *r)
{
    struct fault f = {ERR_OK, ""};
    struct world w;
    int n = 0;
    world_real(&w);
    return backup_each(&w, rig_path(r, "state"), count_backup, &n, &f) == ERR_OK ? n : -1;
}

/* Was: a look at key.id or keys.slots that failed once left them out of a backup that was said to be whole. */
static void backups(void)
{
    struct rig r;
    struct backup_info b, again;
    char why[700] = "", first[300], to[300];
    uint64_t n = 0, kept = 0;
    made(&r);
    snprintf(first, sizeof first, "%s/first", r.dir);
    snprintf(to, sizeof to, "%s/copy", r.dir);
    struct world plain = r.world;
    struct engine *e2 = NULL;                               /* two records are erased in it, and a value was being set when something died */
    bool erased = rig_engine(&r, &e2) == ERR_OK;
    for (int i = 2; i < 4 && erased; i++) erased = engine_erase(e2, "customers", str_of(rig_key(rig_customer(&r, i))), "tester", &r.f) == ERR_OK;
    engine_close(e2);
    rig_write(&r, "state/secrets/half.tmp", "x", 1);
    ok(erased, "two records are erased", "%s", r.f.text);
    ok(backup_make(&r.world, rig_path(&r, "state"), first, &b, &r.f) == ERR_OK && whole(&r, first) == NULL && noted(&r) == 1, "a backup", "%s", r.f.text);
    failing_disk(&disk, &r.world.files);
    for (bool reached = true; reached && !why[0];) {
        disk.calls = 0;
        disk.at = ++n;
        disk.why = n % 3 == 0 ? ENOSPC : n % 3 == 1 ? EDQUOT : EIO;
        disk.writes_nothing = n % 2;
        r.f = (struct fault){ERR_OK, ""};
        int before = noted(&r);
        enum err e = backup_make(&r.world, rig_path(&r, "state"), to, &b, &r.f);
        reached = disk.calls >= n;
        const char *part = e == ERR_OK ? whole(&r, to) : NULL;
        if (part) snprintf(why, sizeof why, "call %" PRIu64 ": a backup without %s was said to be whole", n, part);
        if (e == ERR_CORRUPT) snprintf(why, sizeof why, "call %" PRIu64 " is taken for damage: %s", n, r.f.text);
        if (rig_there(to) && (backup_check(&plain, to, &again, &r.f) != ERR_OK || whole(&r, to))) snprintf(why, sizeof why, "call %" PRIu64 ": half a backup stands under its name: %s", n, r.f.text);
        int after = noted(&r);
        if (after < before || (e == ERR_OK && after != before + 1)) snprintf(why, sizeof why, "call %" PRIu64 ": %d backups were noted, now %d", n, before, after);
        kept += e == ERR_OK;
        tree_gone(to);
        tree_gone(rig_path(&r, "copy.part"));
        (void)unlink(rig_path(&r, "state/backups"));
        disk.at = 0;                                        /* the note of the first one, as it was */
        FILE *f = fopen(rig_path(&r, "state/backups"), "w");
        if (!f || fprintf(f, "1 1 %s\n", first) < 0 || fclose(f) != 0) abort();
    }
    ok(!why[0] && n > 60 && kept >= 1, "a backup while each call to the disk fails once", "%s", why);
    printf("# %" PRIu64 " calls, %" PRIu64 " backups\n", n - 1, kept);
    disk.why = EIO;
    for (n = 1, why[0] = '\0'; !why[0]; n++) {
        disk.calls = 0;
        disk.at = n;
        enum err e = backup_check(&r.world, first, &again, &r.f);
        if (e == ERR_OK && disk.calls < n) break;
        if (e == ERR_OK || e == ERR_CORRUPT) snprintf(why, sizeof why, "call %" PRIu64 ": %s", n, e == ERR_OK ? "no error" : r.f.text);
    }
    ok(!why[0] && n > 10, "a look at it, each call fails once: it is neither whole nor damaged", "%s", why);
    disk.at = 0;
    struct fault f = {ERR_OK, ""};
    disk.calls = 0, disk.at = 1;
    int none = 0;
    ok(backup_each(&r.world, rig_path(&r, "state"), count_backup, &none, &f) == ERR_IO && none == 0, "notes that cannot be read are not `no backups`", "%s", f.text);
    rig_close(&r);
}

/* ---- restore ---- */
/* The natural keys of the first rows of the index. */
struct taken { struct buf *key[2]; int n; };
static enum err take_key(void *arg, struct str key, const struct row *row)
{
    struct taken *t = arg;
    (void)row;
    buf_str(t->key[t->n++], key);
    return t->n == 2 ? ERR_STOPPED : ERR_OK;
}

static void natural_keys(struct rig *r, struct buf *one, struct buf *two)
{
    struct store *st = NULL;
    struct secret_store *secrets = NULL;
    struct taken t = {{one, two}, 0};
    struct store_options so = {.dir = rig_path(r, "state/index"), .read_only = true, .map_bytes = 64 << 20, .seal = {.seal = secret_seal_same, .open = secret_unseal}};
    if (secret_open_read(&secrets, &r->world, rig_path(r, "state"), NULL, NULL, &r->f) != ERR_OK || slot_open_read(secrets, &r->f) != ERR_OK) abort();
    secret_derive(secrets, SECRET_INDEX_KEY, so.key);
    so.seal.ctx = secrets;
    if (store_open(&st, &r->world, &so, &r->f) != ERR_OK || store_rows(st, 1, STR(""), take_key, &t, &r->f) != ERR_STOPPED) abort();
    store_close(st);
    secret_close(secrets);
}

/* Was: a start that marked a record as erased and could not overwrite its key ended in order, with the mark in the index; the next start saw the mark and
 * left the key for ever.
 * Restore, and the start after it which erases three records again, one of them unknown: at each call the disk fails once. */
static void restores(void)
{
    struct rig r;
    struct backup_info b;
    struct engine *e;
    struct buf one = {0}, two = {0};
    char why[900] = "", copy[300], state[300];
    uint64_t n = 0, starts = 0;
    made(&r);
    snprintf(copy, sizeof copy, "%s/copy", r.dir);
    snprintf(state, sizeof state, "%s/state", r.dir);
    natural_keys(&r, &one, &two);
    struct backup_erased erased[] = {{STR("customers"), buf_view(&one)}, {STR("customers"), buf_view(&two)}, {STR("customers"), STR("nobody")}, {STR("customers"), buf_view(&one)}, {STR("no flow"), STR("x")}};
    if (!ok(backup_make(&r.world, state, copy, &b, &r.f) == ERR_OK, "a backup", "%s", r.f.text)) return;
    struct buf master = rig_slurp(rig_path(&r, "state/master.key"));
    struct world plain = r.world;
    failing_disk(&disk, &r.world.files);
    for (bool reached = true; reached && !why[0];) {        /* restore itself */
        tree_gone(state);
        tree_gone(rig_path(&r, "state.part"));
        disk.calls = 0;
        disk.at = ++n;
        enum err err = backup_restore(&r.world, copy, state, erased, 5, &b, &r.f);
        reached = disk.calls >= n;
        if (err == ERR_CORRUPT || err == ERR_FORMAT) snprintf(why, sizeof why, "call %" PRIu64 " is taken for damage: %s", n, r.f.text);
        if ((err == ERR_OK || rig_there(state)) && (whole(&r, copy) || !rig_there(rig_path(&r, "state/restored")))) snprintf(why, sizeof why, "call %" PRIu64 ": half a state stands under its name", n);
    }
    ok(!why[0] && n > 60, "a restore while each call to the disk fails once", "%s", why);
    printf("# %" PRIu64 " calls\n", n - 1);
    n = 0;
    for (bool reached = true; reached && !why[0];) {        /* the start after it */
        disk.at = 0;
        tree_gone(state);
        tree_gone(rig_path(&r, "state.part"));
        if (backup_restore(&plain, copy, state, erased, 5, &b, &r.f) != ERR_OK) abort();
        rig_write(&r, "state/master.key", master.p, master.n);
        chmod(rig_path(&r, "state/master.key"), 0600);
        disk.calls = 0;
        disk.at = ++n;
        enum err err = rig_engine(&r, &e);
        reached = disk.calls >= n;
        disk.at = 0;
        starts += err == ERR_OK;
        if (err == ERR_OK) engine_close(e);
        else if (err == ERR_CORRUPT) snprintf(why, sizeof why, "call %" PRIu64 " is taken for damage: %s", n, r.f.text);
        if (!why[0] && err != ERR_OK && rig_engine(&r, &e) != ERR_OK) snprintf(why, sizeof why, "after call %" PRIu64 " it does not start: %s", n, r.f.text);
        else if (!why[0] && err != ERR_OK) engine_close(e);
        int zero = rig_erased_keys(rig_path(&r, "state/keys.slots"));
        if (!why[0] && (zero != 2 || rig_there(rig_path(&r, "state/restored")))) snprintf(why, sizeof why, "after call %" PRIu64 ": %d keys are erased", n, zero);
    }
    ok(!why[0] && n > 100 && starts >= 1, "the start after a restore while each call fails once: what was erased is erased again", "%s", why);
    printf("# %" PRIu64 " calls, %" PRIu64 " starts went well all the same\n", n - 1, starts);
    buf_free(&master);
    buf_free(&one);
    buf_free(&two);
    rig_close(&r);
}

static void restored_files(void)
{
    static const char *const texts[] = {"a line\nzz\tcustomers\n", "a line\n4142\n", "a line\n\tcustomers\n"};
    struct rig r;
    struct engine *e;
    made(&r);
    for (size_t i = 0; i < 3; i++) {
        rig_write(&r, "state/restored", texts[i], strlen(texts[i]));
        ok(rig_engine(&r, &e) == ERR_CORRUPT && strstr(r.f.text, "restore again"), "a list of erasures that cannot be read ends the start", "%s", r.f.text);
    }
    rig_write(&r, "state/restored", "only a note, no line end", 24);
    ok(rig_engine(&r, &e) == ERR_OK && !rig_there(rig_path(&r, "state/restored")), "one that has none", "%s", r.f.text);
    engine_close(e);
    rig_close(&r);
}

/* ---- repair and erasure ---- */
static void repairs(void)
{
    struct rig r;
    struct engine *e;
    struct engine_repaired done;
    char why[900] = "", state[300];
    uint64_t n = 0;
    made(&r);
    snprintf(state, sizeof state, "%s/state", r.dir);
    struct engine_options o = r.o;
    o.state_dir = state;
    failing_disk(&disk, &r.world.files);
    while (!why[0] && n < 60) {                             /* behind that it does what every start does */
        disk.calls = 0;
        disk.at = ++n;
        enum err err = engine_repair(&r.world, &o, &done, &r.f);
        disk.at = 0;
        if (err == ERR_CORRUPT) snprintf(why, sizeof why, "call %" PRIu64 " is taken for damage: %s", n, r.f.text);
        if (!why[0] && rig_engine(&r, &e) != ERR_OK) snprintf(why, sizeof why, "after call %" PRIu64 " it does not start: %s", n, r.f.text);
        else if (!why[0]) engine_close(e);
        for (int k = 1; k < 4; k++) {
            char aside[40];
            snprintf(aside, sizeof aside, "state/index.aside-%d", k);
            tree_gone(rig_path(&r, aside));
        }
    }
    ok(!why[0], "a repair while each call to the disk fails once: the next start has an index", "%s", why);
    printf("# %" PRIu64 " calls\n", n - 1);
    rig_done(&r, "and syncing goes on");
    ok(engine_repair(&r.world, &o, &done, &r.f) == ERR_OK && strstr(done.aside, "index.aside-1") && engine_repair(&r.world, &o, &done, &r.f) == ERR_OK && strstr(done.aside, "index.aside-2"),
       "each repair keeps the index of before", "%s %s", done.aside, r.f.text);
    tree_gone(rig_path(&r, "state/index"));
    ok(engine_repair(&r.world, &o, &done, &r.f) == ERR_OK && done.aside[0] == '\0' && done.entries > 0, "where there is none there is none to keep", "%s", r.f.text);
    rig_close(&r);
}

/* Every call of an erasure fails once; afterwards a start and a second try: the key is gone, and only that one. */
static void erasures(void)
{
    struct rig r;
    struct engine *e;
    char why[900] = "", key[100];
    uint64_t n = 0;
    int who = 0;
    rig_open(&r, 60, 7);
    rig_done(&r, "a first sync");
    disk = (struct failing_disk){.why = EIO};
    failing_disk(&disk, &r.world.files);
    int zero = rig_erased_keys(rig_path(&r, "state/keys.slots"));
    for (bool reached = true; reached && !why[0] && who < 60; who++) {
        if (rig_engine(&r, &e) != ERR_OK) snprintf(why, sizeof why, "before call %" PRIu64 ": %s", n, r.f.text);
        if (why[0]) break;
        snprintf(key, sizeof key, "%s", rig_key(rig_customer(&r, who)));
        disk.calls = 0;
        disk.at = ++n;
        enum err err = engine_erase(e, "customers", str_of(key), "tester", &r.f);
        reached = disk.calls >= n;
        disk.at = 0;
        int now = rig_erased_keys(rig_path(&r, "state/keys.slots"));
        if (err == ERR_OK && now != zero + 1) snprintf(why, sizeof why, "call %" PRIu64 ": it is said to be erased, and %d keys are", n, now - zero);
        engine_close(e);
        if (!why[0] && rig_engine(&r, &e) != ERR_OK) snprintf(why, sizeof why, "after call %" PRIu64 ": %s", n, r.f.text);
        if (why[0]) break;
        if (engine_erase(e, NULL, str_of(key), "tester", &r.f) != ERR_OK) snprintf(why, sizeof why, "a second try after call %" PRIu64 ": %s", n, r.f.text);
        zero++;
        if (!why[0] && rig_erased_keys(rig_path(&r, "state/keys.slots")) != zero) snprintf(why, sizeof why, "a second try after call %" PRIu64 " leaves the key", n);
        engine_close(e);
    }
    ok(!why[0] && n > 3, "an erasure while each call to the disk fails once", "%s", why);
    printf("# %" PRIu64 " calls\n", n - 1);
    rig_close(&r);
}

/* ---- lists that somebody changed ---- */
static void listed(const struct rig *r, const char *copy, const char *head, const char *lines, enum err want, const char *words, const char *name)
{
    struct buf b = {0};
    struct backup_info info;
    struct fault f = {ERR_OK, ""};
    char hex[65], path[400];
    buf_puts(&b, head);
    buf_puts(&b, lines);
    struct hash h = hash_of(buf_view(&b));
    hash_hex(h.b, HASH_BYTES, hex);
    buf_printf(&b, "end %s\n", hex);
    snprintf(path, sizeof path, "%s/backup.list", copy);
    FILE *out = fopen(path, "w");
    if (!out || fwrite(b.p, 1, b.n, out) != b.n || fclose(out) != 0) abort();
    enum err e = backup_check(&r->world, copy, &info, &f);
    ok(e == want && strstr(f.text, words), name, "%s %s", err_name(e), f.text);
    buf_free(&b);
}

#define HEX "00000000000000000000000000000000000000000000000000000000000000aa"
#define HEAD "mlc backup 1\ntime 1\nlast 1\nhead " HEX "\n"
static void lists(void)
{
    static const struct { const char *head, *lines; enum err want; const char *words, *name; } cases[] = {
        {HEAD, "", ERR_OK, "", "a list of nothing"},
        {"mlc backup 2\n", "", ERR_FORMAT, "another version", "another version"},
        {"mlc backup 1\ntime x\nlast 1\nhead " HEX "\n", "", ERR_CORRUPT, "damaged", "a time that is none"},
        {"mlc backup 1\ntime -1\nlast 1\nhead " HEX "\n", "", ERR_CORRUPT, "damaged", "a time before all"},
        {"mlc backup 1\nwhen 1\nlast 1\nhead " HEX "\n", "", ERR_CORRUPT, "damaged", "another word"},
        {"mlc backup 1\ntime 1\nlast x\nhead " HEX "\n", "", ERR_CORRUPT, "damaged", "an entry that is none"},
        {"mlc backup 1\ntime 1\nlast 1\nhead x\n", "", ERR_CORRUPT, "damaged", "a hash that is none"},
        {"mlc backup 1\ntime 1\nlast 1\nhood " HEX "\n", "", ERR_CORRUPT, "damaged", "no hash"},
        {"mlc backup 1\ntime 1\nlast 1\nhead zz00000000000000000000000000000000000000000000000000000000000000\n", "", ERR_CORRUPT, "damaged", "letters that are no digits"},
        {"mlc backup 1", "", ERR_CORRUPT, "damaged", "a list that ends in its first line"},
        {HEAD, "line\n", ERR_CORRUPT, "damaged", "a line of another sort"},
        {HEAD, "file\n", ERR_CORRUPT, "damaged", "a line with nothing in it"},
        {HEAD, "file x " HEX " key.id\n", ERR_CORRUPT, "damaged", "a size that is none"},
        {HEAD, "file 1 " HEX "\n", ERR_CORRUPT, "damaged", "a file without a name"},
        {HEAD, "file 1 abc key.id\n", ERR_CORRUPT, "damaged", "a file with half a hash"},
        {HEAD, "file 1 " HEX " ../key.id\n", ERR_CORRUPT, "backup.list is damaged", "a name that leads out"},
        {HEAD, "file 1 " HEX " journal/../../x\n", ERR_CORRUPT, "backup.list is damaged", "a name that leads out through a folder"},
        {HEAD, "file 1 " HEX " journal/.x\n", ERR_CORRUPT, "backup.list is damaged", "a hidden name"},
        {HEAD, "file 1 " HEX " journal/a/b\n", ERR_CORRUPT, "backup.list is damaged", "a folder in a folder"},
        {HEAD, "file 1 " HEX " \n", ERR_CORRUPT, "backup.list is damaged", "an empty name"},
        {HEAD, "file 1 " HEX " journal/\n", ERR_CORRUPT, "backup.list is damaged", "a folder"},
        {HEAD, "file 1 " HEX " other/x\n", ERR_CORRUPT, "backup.list is damaged", "a folder of others"},
        {HEAD, "file 1 " HEX " /etc/passwd\n", ERR_CORRUPT, "backup.list is damaged", "an absolute path"},
        {HEAD, "file 1 " HEX " other\n", ERR_CORRUPT, "backup.list is damaged", "a file of others"},
        {HEAD, "file 1 " HEX " journal/none.seg\n", ERR_CORRUPT, "is missing", "a file that is missing"},
        {HEAD, "file 1 " HEX " key.id\n", ERR_CORRUPT, "is not what was written", "a file of another size"},
        {HEAD, "file 225 " HEX " key.id", ERR_CORRUPT, "is not what was written", "a file with another hash"},
    };
    struct rig r;
    struct backup_info b;
    struct fault f = {ERR_OK, ""};
    char copy[300], path[400], longest[300];
    made(&r);
    snprintf(copy, sizeof copy, "%s/copy", r.dir);
    if (!ok(backup_make(&r.world, rig_path(&r, "state"), copy, &b, &r.f) == ERR_OK, "a backup", "%s", r.f.text)) return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) listed(&r, copy, cases[i].head, cases[i].lines, cases[i].want, cases[i].words, cases[i].name);
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    snprintf(path, sizeof path, "file 1 " HEX " journal/%s\n", longest);
    listed(&r, copy, HEAD, path, ERR_CORRUPT, "backup.list is damaged", "a name that is too long");
    struct stat st;
    snprintf(path, sizeof path, "%s/key.id", copy);
    if (stat(path, &st) != 0) abort();
    snprintf(longest, sizeof longest, "file %lld " HEX " key.id\n", (long long)st.st_size);
    listed(&r, copy, HEAD, longest, ERR_CORRUPT, "is not what was written", "a file of the right size with another hash");
    static const char *const ends[] = {"", "short", "fin  " HEX "\n", "end zz" HEX, "mlc backup 1\nend " HEX "\n",
                                       "mlc backup 1\nend zz00000000000000000000000000000000000000000000000000000000000000\n"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        rig_write(&r, "copy/backup.list", ends[i], strlen(ends[i]));
        ok(backup_check(&r.world, copy, &b, &f) == ERR_CORRUPT, "a list without its own hash at the end", "%s", f.text);
    }
    unlink(rig_path(&r, "copy/backup.list"));
    ok(backup_check(&r.world, copy, &b, &f) == ERR_FORMAT, "no list", "%s", f.text);
    ok(backup_make(&r.world, rig_path(&r, "state"), copy, &b, &f) == ERR_EXISTS, "a name that is taken", "%s", f.text);
    snprintf(path, sizeof path, "%s/with\nline", r.dir);
    ok(backup_make(&r.world, rig_path(&r, "state"), path, &b, &f) == ERR_USAGE, "a name that no line can hold", "%s", f.text);
    ok(backup_make(&r.world, rig_path(&r, "nowhere"), rig_path(&r, "new"), &b, &f) == ERR_NOT_FOUND, "a state where nothing ran", "%s", f.text);
    mkdir(rig_path(&r, "new.part"), 0700);
    ok(backup_make(&r.world, rig_path(&r, "state"), rig_path(&r, "new"), &b, &f) == ERR_EXISTS && strstr(f.text, "did not come to its end"), "what a broken off one left", "%s", f.text);
    ok(backup_restore(&r.world, copy, rig_path(&r, "state"), NULL, 0, &b, &f) == ERR_EXISTS, "a restore over what is there", "%s", f.text);
    rig_close(&r);
}

/* Lines in the list of backups that was kept. */
static void notes(void)
{
    struct rig r;
    struct fault f = {ERR_OK, ""};
    char longest[300];
    made(&r);
    int n = 0;
    unlink(rig_path(&r, "state/backups"));
    ok(backup_each(&r.world, rig_path(&r, "state"), count_backup, &n, &f) == ERR_OK && n == 0, "no notes are no backups", "%d %s", n, f.text);
    memset(longest, 'x', sizeof longest);
    rig_write(&r, "state/backups", longest, sizeof longest);
    ok(backup_each(&r.world, rig_path(&r, "state"), count_backup, &n, &f) == ERR_CORRUPT && n == 0 && strlen(f.text) < 200 + strlen(r.dir), "a long line that is no note is told by its beginning", "%s", f.text);
    static const char lines[] = "x 1 /a\n1 x /b\n1 1\n1 1 /nowhere\n\n5 7 /etc";
    rig_write(&r, "state/backups", lines, sizeof lines - 1);
    ok(backup_each(&r.world, rig_path(&r, "state"), count_backup, &n, &f) == ERR_CORRUPT && n == 0, "notes that are none, and of backups that are not there any more", "%d", n);
    rig_close(&r);
}

RIG_MAIN({"backups", backups}, {"restores", restores}, {"files", restored_files}, {"repairs", repairs}, {"erasures", erasures}, {"lists", lists}, {"notes", notes})
