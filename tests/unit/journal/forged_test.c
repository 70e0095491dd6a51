/* forged_test.c - logs that somebody changed who knows the format: every checksum fits, and where told every hash too. journal_open or the first reading
 * says what is wrong and where, and no byte of the log is changed by it. What the disk does by itself is in io_test.c, crash_test.c and journal_test.c. */
#include "rig.h"
#include "segment_bytes.h"
#include "base/log.h"
#include <fcntl.h>

/* ---- bytes of a log ---- */
static struct file load(const struct rig *r, const char *path)
{
    struct str s;
    if (!memdisk_content(r->d, path, &s)) abort();
    struct file f = {malloc(s.n + 1), s.n};
    if (!f.p) abort();
    memcpy(f.p, s.p, s.n);
    return f;
}

static void save(struct rig *r, const char *path, const void *p, size_t n)
{
    const struct world_files *fs = &r->w.files;
    int fd = fs->open(fs->ctx, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || fs->pwrite(fs->ctx, fd, p, n, 0) != (int64_t)n || fs->fdatasync(fs->ctx, fd) != 0) abort();
    fs->close(fs->ctx, fd);
}

/* Nine frames, one a batch, in one segment; more segments when they are small. Nothing outside the log proves any of it. */
static struct rig *written(size_t segment_bytes)
{
    struct rig *r = malloc(sizeof *r);
    struct fault f;
    enum err e;
    if (!r) abort();
    rig_init(r, memdisk_new());
    r->segment_bytes = segment_bytes;
    struct journal *j = rig_open(r, &e);
    for (int i = 0; i < 9; i++)
        if (rig_append(r, j, &f) != ERR_OK || rig_commit(r, j, &f) != ERR_OK) abort();
    journal_close(j);
    r->w.files.unlink(r->d, "/log/checkpoints.log");
    return r;
}

static enum err counted(void *arg, const struct frame *fr, struct fault *f)
{
    (void)fr, (void)f;
    ++*(int *)arg;
    return ERR_OK;
}

/* A start and a look at everything. */
static enum err start(struct rig *r, bool read_only, struct fault *f)
{
    struct journal *j = NULL;
    struct journal_options o = rig_options(r);
    o.read_only = read_only;
    int n = 0;
    f->text[0] = '\0';
    enum err e = journal_open(&j, &r->w, &o, f);
    if (e == ERR_OK) e = journal_read(j, 1, counted, &n, f);
    if (j) journal_close(j);
    return e;
}

static void refused(struct rig *r, const char *name, const char *text)
{
    struct fault f = {ERR_OK, ""}, other = {ERR_OK, ""};
    struct file before = load(r, "/log/00000001.seg");
    enum err e = start(r, false, &f);
    struct file after = load(r, "/log/00000001.seg");
    verdict(e == ERR_CORRUPT && strstr(f.text, text), name, f.text[0] ? f.text : "it opens");
    verdict(before.n == after.n && memcmp(before.p, after.p, before.n) == 0, "and nothing was changed", name);
    e = start(r, true, &other);
    verdict(e == ERR_CORRUPT, "a reader refuses it too, after three looks", other.text);
    free(before.p);
    free(after.p);
}

/* ---- headers ---- */
static void headers(void)
{
    static const struct { const char *name, *text; size_t at; unsigned char value; bool second; } cases[] = {
        {"a header of another version", "of a version that this program does not know", 8, 2, false},
        {"a header with an unknown flag", "fields that this program does not know", 96, 2, false},
        {"a header with something where zeros belong", "fields that this program does not know", 110, 1, false},
        {"a header with another number", "its header has another number", 12, 9, false},
        {"a header that begins at frame 0", "its header contradicts itself", 16, 0, false},
        {"a first frame that begins no chain", "its first frame does not begin a chain", 32, 0xA5, false},
        {"a segment that begins before the one before it", "it begins before the segment before it", 16, 0, true},
        {"a segment with another hash behind the one before it", "continues another log", 32, 0xA5, true},
        {"a segment that was made with more", "the segment's own header knows the log up to", 31, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = written(cases[i].second ? 1024 : 65536);
        if (i == 6) {                                       /* the one before it says that it begins at frame 8 */
            struct file f = load(r, "/log/00000001.seg");
            f.p[16] = 8, f.p[24] = 8;
            make_right(&f, false);
            save(r, "/log/00000001.seg", f.p, f.n);
            free(f.p);
        }
        const char *path = cases[i].second ? "/log/00000002.seg" : "/log/00000001.seg";
        struct file f = load(r, path);
        if (cases[i].value == 0xA5) f.p[cases[i].at] ^= 0xA5;
        else f.p[cases[i].at] = cases[i].value;
        if (i == 6) f.p[16] = 2;
        mend_header(f.p);
        save(r, path, f.p, f.n);
        refused(r, cases[i].name, cases[i].text);
        free(f.p);
        rig_drop(r);
    }
    struct rig *r = written(65536);
    save(r, "/log/00000002.seg", "short", 5);
    refused(r, "a segment that is shorter than a header", "it is shorter than its header");
    rig_drop(r);
}

/* ---- frames ---- */
static void frames(void)
{
    static const struct { const char *name, *text; unsigned at; unsigned char value; bool hashes; } cases[] = {
        {"a frame with an unknown flag", "of a form that this program does not know", FLAGS, 64, true},
        {"a frame without a write mark", "of a form that this program does not know", SINCE, 0, true},
        {"a frame with a write mark before the log", "of a form that this program does not know", SINCE + 3, 1, true},
        {"a frame whose public part goes over its end", "of a form that this program does not know", PUB + 1, 200, true},
        {"a frame with too little room for its parts", "of a form that this program does not know", FLAGS, 1 + 2 + 4 + 8 + 16, true},
        {"a frame with a private part that it does not announce", "of a form that this program does not know", PUB, 1, true},
        {"a frame with another number", "its number does not fit", SEQ, 99, true},
        {"a frame with another kind", "the hash chain is broken", KIND, 63, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = written(65536);
        struct file f = load(r, "/log/00000001.seg");
        frame_at(&f, 3)[cases[i].at] = cases[i].value;
        make_right(&f, cases[i].hashes);
        save(r, "/log/00000001.seg", f.p, f.n);
        refused(r, cases[i].name, cases[i].text);
        free(f.p);
        rig_drop(r);
    }
    static const uint32_t lengths[] = {1, 71, 16u << 20 | 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct rig *r = written(65536);
        struct file f = load(r, "/log/00000001.seg");
        put_u32(frame_at(&f, 3), lengths[i]);
        save(r, "/log/00000001.seg", f.p, f.n);
        refused(r, "a length that no frame has", "there is no frame here");
        free(f.p);
        rig_drop(r);
    }
}

/* The second segment says where the first one ends. */
static void handovers(void)
{
    for (int i = 0; i < 4; i++) {
        static const char *const text[] = {"the next segment begins within a batch", "there are bytes behind the last frame", "the frame is missing", "its number does not fit"};
        struct rig *r = written(1024);
        struct file a = load(r, "/log/00000001.seg"), b = load(r, "/log/00000002.seg");
        unsigned last = 0;
        size_t used = HEADER;
        while (u32(frame_at(&a, last + 1))) last++;
        used = (size_t)(frame_at(&a, last) - a.p) + u32(frame_at(&a, last));
        if (i == 0) frame_at(&a, last)[FLAGS] &= 0xFE;
        if (i == 1) a.p[used + 40] = 1;
        if (i == 2) memset(frame_at(&a, last), 0, used - (size_t)(frame_at(&a, last) - a.p));
        if (i == 3) frame_at(&a, last)[SEQ] = 77;
        make_right(&a, true);
        if (i == 0) memcpy(b.p + 32, frame_at(&a, last + 1) - HASH, HASH);      /* the next segment goes on from there */
        make_right(&b, true);
        save(r, "/log/00000001.seg", a.p, a.n);
        save(r, "/log/00000002.seg", b.p, b.n);
        r->m.applied = 0;
        struct fault f = {ERR_OK, ""};
        struct journal *j = NULL;
        struct journal_options o = rig_options(r);
        enum err e = journal_open(&j, &r->w, &o, &f);
        verdict(e == ERR_CORRUPT && strstr(f.text, text[i]), text[i], f.text[0] ? f.text : "it opens");
        int n = 0;
        o.read_only = true;                                 /* a reader begins with the last segment and meets it when it reads the first */
        e = journal_open(&j, &r->w, &o, &f);
        if (e == ERR_OK) e = journal_read(j, 1, counted, &n, &f);
        verdict(e == ERR_CORRUPT && strstr(f.text, text[i]), "the reader says the same", f.text);
        journal_close(j);
        free(a.p);
        free(b.p);
        rig_drop(r);
    }
}

/* ---- what is known from elsewhere ---- */
static void proofs(void)
{
    struct fault f = {ERR_OK, ""};
    struct journal *j = NULL;
    struct rig *r = written(65536);
    struct journal_options o = rig_options(r);
    if (journal_open(&j, &r->w, &o, &f) != ERR_OK) abort();
    struct hash head = journal_head(j);
    journal_close(j);
    o.applied_seq = 9;
    o.applied_hash = head;
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_durable_seq(j) == 9;
    verdict(good, "an index that knows the last frame's hash", f.text);
    journal_close(j);
    o.applied_hash.b[3] ^= 1;
    verdict(journal_open(&j, &r->w, &o, &f) == ERR_CORRUPT && strstr(f.text, "another history"), "an index of another history", f.text);
    struct rig *batch = rig_copy(r);                        /* the last frame did not end its batch, and the index knows it */
    struct file s = load(batch, "/log/00000001.seg");
    frame_at(&s, 8)[FLAGS] &= 0xFE;
    make_right(&s, true);
    save(batch, "/log/00000001.seg", s.p, s.n);
    batch->w.files.unlink(batch->d, "/log/checkpoints.log");
    batch->m.applied = 9;
    refused(batch, "a batch without an end that the index knows", "the batch has no end");
    rig_drop(batch);
    free(s.p);

    const char *const who[] = {"the index", "the last signed checkpoint"};
    for (int i = 0; i < 2; i++) {
        struct rig *c = rig_copy(r);
        c->w.files.unlink(c->d, "/log/00000001.seg");
        c->m.applied = i ? 0 : 9;
        o = rig_options(c);
        verdict(journal_open(&j, &c->w, &o, &f) == ERR_CORRUPT && strstr(f.text, who[i]), "a log that is gone, and something knows of it", f.text);
        rig_drop(c);
    }
    rig_drop(r);
}

static void sealed_parts(void)
{
    struct rig *r = written(65536);
    struct file s = load(r, "/log/00000001.seg");
    unsigned i = 0;
    while (!(frame_at(&s, i)[FLAGS] & 32)) i++;
    unsigned char *p = frame_at(&s, i);
    p[u32(p) - HASH - 1] ^= 1;
    make_right(&s, true);
    save(r, "/log/00000001.seg", s.p, s.n);
    struct fault f = {ERR_OK, ""};
    verdict(start(r, false, &f) == ERR_CORRUPT && strstr(f.text, "cannot be opened with its data key"), "a private part that its key does not open", f.text);
    free(s.p);
    rig_drop(r);
}

/* A kind that this program does not know is no damage: a newer program wrote it. It is read, and no filter by kind means it. */
static void newer_kinds(void)
{
    struct rig *r = written(65536);
    struct file s = load(r, "/log/00000001.seg");
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    for (unsigned i = 0; i < 9; i++) frame_at(&s, i)[KIND] = 64;
    make_right(&s, true);
    save(r, "/log/00000001.seg", s.p, s.n);
    struct journal_options o = rig_options(r);
    struct journal_filter all = {.from = 1, .sealed = true}, one = {.from = 1, .kinds = UINT64_MAX, .sealed = true};
    int n = 0, known = 0;
    bool good = journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_scan(j, &all, counted, &n, &f) == ERR_OK && journal_scan(j, &one, counted, &known, &f) == ERR_OK;
    good = good && n == 9 && known == 0;
    verdict(good, "a kind of a newer program is no damage", f.text);
    journal_close(j);
    free(s.p);
    rig_drop(r);
}

/* ---- checkpoints ---- */
static void checkpoints(void)
{
    static const char *const good_lines[] = {"test/log", "9", "", "time 2026-03-12T22:41:07.250Z", "", "", ""};
    static const struct { const char *name; int line; const char *text; } cases[] = {
        {"of another log", 0, "other/log"}, {"with a name that goes on", 0, "test/log2"}, {"without a number", 1, ""}, {"of frame 0", 1, "0"}, {"of frame -3", 1, "-3"},
        {"with letters for a number", 1, "9a"}, {"with a hash that is no base64", 2, "!!!!"}, {"with a hash that is too short", 2, "AAAA"}, {"without a time", 3, "when"},
        {"with a text behind the time", 4, "x"}, {"with another dash", 5, "- test/log AAAA"}, {"signed by another", 5, "\xe2\x80\x94 other/log AAAA"},
        {"with a signature that is too short", 5, "\xe2\x80\x94 test/log AAAA"}, {"that goes on", 6, "x"}, {"with no line behind the signature's name", 5, "\xe2\x80\x94 test/log"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *r = written(65536);
        struct journal *j = NULL;
        struct fault f = {ERR_OK, ""};
        struct buf b = {0};
        char hash[64], sig[120], line[200], name[100];
        unsigned char zeros[68] = {0};
        sodium_bin2base64(hash, sizeof hash, zeros, 32, sodium_base64_VARIANT_ORIGINAL);
        sodium_bin2base64(sig, sizeof sig, zeros, 68, sodium_base64_VARIANT_ORIGINAL);
        snprintf(line, sizeof line, "\xe2\x80\x94 test/log %s", sig);
        for (int k = 0; k < 7; k++) buf_printf(&b, "%s\n", cases[i].line == k ? cases[i].text : k == 2 ? hash : k == 5 ? line : good_lines[k]);
        save(r, "/log/checkpoints.log", b.p, b.n);
        struct journal_options o = rig_options(r);
        snprintf(name, sizeof name, "what is left of a checkpoint, %s, proves nothing", cases[i].name);
        verdict(journal_open(&j, &r->w, &o, &f) == ERR_OK && journal_durable_seq(j) == 9, name, f.text);
        if (j) journal_close(j);
        buf_free(&b);
        rig_drop(r);
    }
}

/* The control of the table above: the same lines, all of them right, do prove something (here: a frame of another hash). And a long file has to end in one. */
static void whole_checkpoints(void)
{
    struct rig *r = written(65536);
    struct journal *j = NULL;
    struct fault f = {ERR_OK, ""};
    struct buf b = {0};
    char hash[64], sig[120];
    unsigned char zeros[68] = {0};
    struct journal_options o = rig_options(r);
    sodium_bin2base64(hash, sizeof hash, zeros, 32, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(sig, sizeof sig, zeros, 68, sodium_base64_VARIANT_ORIGINAL);
    buf_printf(&b, "test/log\n9\n%s\ntime 2026-03-12T22:41:07.250Z\n\n\xe2\x80\x94 test/log %s\n\n", hash, sig);
    save(r, "/log/checkpoints.log", b.p, b.n);
    verdict(journal_open(&j, &r->w, &o, &f) == ERR_CORRUPT && strstr(f.text, "checkpoint names another frame"), "a whole checkpoint of another frame", f.text);
    buf_clear(&b);
    while (b.n < 9000) buf_puts(&b, "no checkpoint\n");
    save(r, "/log/checkpoints.log", b.p, b.n);
    verdict(journal_open(&j, &r->w, &o, &f) == ERR_CORRUPT && strstr(f.text, "does not end in a checkpoint"), "a long file that ends in no checkpoint", f.text);
    buf_free(&b);
    rig_drop(r);
}

/* ---- the list of segments ---- */
static void names(void)
{
    static const char *const others[] = {"/log/0000001x.seg", "/log/00000:01.seg", "/log/00000001.tmp", "/log/segments.old", "/log/a"};
    struct rig *r = written(65536);
    struct fault f = {ERR_OK, ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) save(r, others[i], "not ours", 8);
    verdict(start(r, false, &f) == ERR_OK, "files with other names are left alone", f.text);
    rig_drop(r);

    r = written(65536);                                     /* the highest number that a segment may have */
    struct file s = load(r, "/log/00000001.seg");
    put_u32(s.p + 12, 99999999);
    mend_header(s.p);
    r->w.files.unlink(r->d, "/log/00000001.seg");
    memset(frame_at(&s, 8) + 50, 7, 4);                     /* and a write that broke off, so that a new one has to be made */
    save(r, "/log/99999999.seg", s.p, s.n);
    struct journal *j = NULL;
    struct journal_options o = rig_options(r);
    o.applied_seq = 8;
    verdict(journal_open(&j, &r->w, &o, &f) == ERR_TOO_LARGE && strstr(f.text, "no segment numbers left"), "no number is left", f.text);
    free(s.p);
    rig_drop(r);
}

int main(void)
{
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    headers();
    frames();
    handovers();
    proofs();
    sealed_parts();
    newer_kinds();
    checkpoints();
    whole_checkpoints();
    names();
    return failures != 0;
}
