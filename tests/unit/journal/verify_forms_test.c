/* verify_forms_test.c - the stand-alone verifier on what no writer makes: files that are missing, too long or no files, checkpoints of every wrong form
 * under right signatures, marks and batches that contradict each other under right hashes; and its report, word for word. */
#include "rig.h"
#include "segment_bytes.h"
#include "base/log.h"
#include "runtime/journal/verify/verify.h"
#include "tests/unit/value/ok.h"
#include "tests/tree.h"
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[100];
static unsigned char public_key[32];

static const char *in_dir(const char *name)
{
    static char path[4][200];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, 200, "%s/%s", dir, name);
    return p;
}

/* Frames in batches of one, in one segment, no checkpoint; the directory holds nothing else. */
static void written(int frames, size_t segment_bytes)
{
    struct rig *r = malloc(sizeof *r);
    struct fault f;
    enum err e;
    if (!r) abort();
    tree_gone(dir);
    mkdir(dir, 0700);
    rig_init(r, memdisk_new());
    r->segment_bytes = segment_bytes;
    struct journal *j = rig_open(r, &e);
    for (int i = 0; i < frames; i++)
        if (rig_append(r, j, &f) != ERR_OK || rig_commit(r, j, &f) != ERR_OK) abort();
    journal_close(j);
    if (!memdisk_export(r->d, "/log", dir)) abort();
    unlink(in_dir("checkpoints.log"));
    rig_drop(r);
}

static bool verify(struct verify_report *rep, bool live)
{
    struct verify_options o = {.dir = dir, .public_key = public_key, .live = live};
    return verify_log(&o, rep);
}

static void refused(const char *name, const struct verify_options *o, const char *text)
{
    struct verify_report rep;
    bool accepted = verify_log(o, &rep);
    ok(!accepted && strstr(rep.error, text), name, "%s", accepted ? "accepted" : rep.error);
}

static void changed(const char *name, unsigned frame, unsigned at, unsigned char value, const char *text)
{
    struct file f;
    struct verify_options o = {.dir = dir, .public_key = public_key};
    written(9, 65536);
    read_file(in_dir("00000001.seg"), 1 << 20, &f);
    frame_at(&f, frame)[at] = value;
    make_right(&f, true);
    write_file(in_dir("00000001.seg"), &f);
    refused(name, &o, text);
    free(f.p);
}

/* ---- files ---- */
static void put_text(const char *name, const char *text, size_t n)
{
    struct file f = {(unsigned char *)(uintptr_t)text, n};
    write_file(in_dir(name), &f);
}

static void files(void)
{
    struct verify_options o = {.dir = "/nowhere/at/all"};
    struct verify_report rep;
    refused("a directory that is not there", &o, "No such file or directory");
    o.dir = dir;
    tree_gone(dir);
    mkdir(dir, 0700);
    put_text("0000000a.seg", "x", 1);
    put_text("00000001.old", "x", 1);
    put_text("000000010.seg", "x", 1);
    refused("a directory without a segment", &o, "there is no segment");
    mkdir(in_dir("00000001.seg"), 0700);
    refused("a segment that is a directory", &o, "the header cannot be read");
    written(3, 65536);
    put_text("00000002.seg", "short", 5);
    refused("a segment that ends within its header", &o, "segment 00000002: the header cannot be read");
    written(3, 65536);
    ok(verify_log(&o, &rep) && rep.signatures == 0 && rep.checkpoints == 0, "a log without checkpoints", "%s", rep.error);
    o.checkpoints = "/nowhere/at/all";
    refused("checkpoints that were named and are not there", &o, "checkpoints: No such file");
    o.checkpoints = dir;
    refused("checkpoints that are a directory", &o, "checkpoints: ");
    o.checkpoints = NULL;
    mkdir(in_dir("checkpoints.log"), 0700);
    refused("the log's own checkpoints that cannot be read", &o, "checkpoints: ");
    written(700, 1 << 20);
    ok(verify_log(&o, &rep) && rep.frames == 700 && rep.segments == 1, "a segment that is longer than one read", "%s", rep.error);
}

/* ---- frames under right hashes ---- */
static void frames(void)
{
    changed("a mark that skips", 3, SINCE, 3, "the write mark does not follow");
    changed("a mark of nothing", 3, SINCE, 0, "the write mark does not follow");
    changed("a mark before the log", 3, SINCE, 9, "the write mark does not follow");
    changed("a start that is not counted", 3, KIND, 1, "the epoch does not follow");
    changed("a private part that is not announced", 3, FLAGS, 0, "the parts do not fit the length");
    struct file f;
    struct verify_options o = {.dir = dir, .public_key = public_key};
    written(9, 65536);
    read_file(in_dir("00000001.seg"), 1 << 20, &f);
    frame_at(&f, 3)[FLAGS] &= 0xFE;                         /* the batch of frame 4 goes on, the write does not */
    make_right(&f, true);
    write_file(in_dir("00000001.seg"), &f);
    refused("a write that ends within a batch", &o, "the write mark does not follow");
    free(f.p);
}

/* ---- checkpoints, signed with the log's own key ---- */
struct note { const char *origin, *number, *hash, *when, *between, *dash, *behind; bool other_key_id; };

static void add_note(struct buf *out, const struct note *n, uint64_t seq, const unsigned char hash[HASH])
{
    struct buf text = {0};
    unsigned char id_sig[68], sum[32];
    char base64[200], number[32], sig[200];
    const char *origin = n->origin ? n->origin : "test/log";
    snprintf(number, sizeof number, "%" PRIu64, seq);
    sodium_bin2base64(base64, sizeof base64, hash, HASH, sodium_base64_VARIANT_ORIGINAL);
    buf_printf(&text, "%s\n%s\n%s\n%s\n", origin, n->number ? n->number : number, n->hash ? n->hash : base64, n->when ? n->when : "time 2026-03-12T22:41:07.250Z");
    crypto_hash_sha256_state st;
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, (const unsigned char *)origin, strlen(origin));
    crypto_hash_sha256_update(&st, (const unsigned char *)"\n\x01", 2);
    crypto_hash_sha256_update(&st, public_key, 32);
    crypto_hash_sha256_final(&st, sum);
    memcpy(id_sig, sum, 4);
    id_sig[0] ^= n->other_key_id;
    rig_sign(NULL, buf_view(&text), id_sig + 4);
    sodium_bin2base64(sig, sizeof sig, id_sig, sizeof id_sig, sodium_base64_VARIANT_ORIGINAL);
    buf_str(out, buf_view(&text));
    buf_printf(out, "%s\n%s%s %s\n%s\n", n->between ? n->between : "", n->dash ? n->dash : "\xe2\x80\x94 ", origin, sig, n->behind ? n->behind : "");
    buf_free(&text);
}

static void hash_of_frame(unsigned i, unsigned char out[HASH])
{
    struct file f;
    read_file(in_dir("00000001.seg"), 1 << 20, &f);
    memcpy(out, frame_at(&f, i + 1) - HASH, HASH);
    free(f.p);
}

static void checkpoints(void)
{
    static const struct { const char *name, *text; struct note note; } cases[] = {
        {"a number that is none", "not of the form", {.number = ""}},
        {"a number of 20 digits", "not of the form", {.number = "99999999999999999999"}},
        {"a number with a zero before it", "not of the form", {.number = "09"}},
        {"a number with a letter", "not of the form", {.number = "9x"}},
        {"a hash that is no base64", "not of the form", {.hash = "!!!!"}},
        {"a hash that is too short", "not of the form", {.hash = "AAAA"}},
        {"a hash with a byte that some decoders take for a letter", "not of the form", {.hash = "\xc1" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
        {"a time of another length", "not of the form", {.when = "time 2026"}},
        {"a time that is none", "not of the form", {.when = "when 2026-03-12T22:41:07.250Z"}},
        {"a text before the signature", "not whole", {.between = "x"}},
        {"a text behind the signature", "not whole", {.behind = "x"}},
        {"another dash", "no signature line of this log", {.dash = "--- "}},
        {"another origin", "is of another log (other/log)", {.origin = "other/log"}},
        {"an origin of 100 letters", "is of another log (aaaa", {.origin = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
        {"another key's number", "wrong signature", {.other_key_id = true}},
    };
    struct verify_options o = {.dir = dir, .public_key = public_key};
    struct verify_report rep;
    unsigned char hash[HASH];
    struct buf b = {0};
    written(9, 65536);
    hash_of_frame(8, hash);
    add_note(&b, &(struct note){0}, 9, hash);
    put_text("checkpoints.log", b.p, b.n);
    ok(verify_log(&o, &rep) && rep.signatures == 1 && rep.checkpoints == 1, "control: a checkpoint of our own making is taken", "%s", rep.error);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        add_note(&b, &cases[i].note, 9, hash);
        put_text("checkpoints.log", b.p, b.n);
        refused(cases[i].name, &o, cases[i].text);
    }
    static const char *const broken[] = {"test/log\n", "test/log\n9\n", "test/log\n9\nAAAA\n", "test/log\n9\nAAAA\ntime\n", "test/log\n9\nAAAA\ntime\n\n", "test/log\n9\nAAAA\ntime\n\nx\n"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        put_text("checkpoints.log", broken[i], strlen(broken[i]));
        refused("a checkpoint that breaks off", &o, "not whole");
        ok(verify(&rep, true) && strstr(rep.note, "the last checkpoint is not whole"), "beside a writer it is only noted", "%s", rep.error);
    }
    static const char *const no_name[] = {"x", "\xe2\x80\x94 test/lo", "\xe2\x80\x94 test/log:AAAA"};
    for (size_t i = 0; i < 3; i++) {
        buf_clear(&b);
        char base64[64];
        sodium_bin2base64(base64, sizeof base64, hash, HASH, sodium_base64_VARIANT_ORIGINAL);
        buf_printf(&b, "test/log\n9\n%s\ntime 2026-03-12T22:41:07.250Z\n\n%s\n\n", base64, no_name[i]);
        put_text("checkpoints.log", b.p, b.n);
        refused("a signature line without the name", &o, "no signature line of this log");
    }
    buf_clear(&b);
    add_note(&b, &(struct note){.number = "x"}, 9, hash);
    for (int i = 0; i < 5; i++) add_note(&b, &(struct note){0}, 9, hash);
    put_text("checkpoints.log", b.p, b.n);
    o.live = true;
    refused("beside a writer too, when it is not the last one", &o, "not of the form");
    buf_clear(&b);
    add_note(&b, &(struct note){.other_key_id = true}, 9, hash);
    put_text("checkpoints.log", b.p, b.n);
    refused("or when it is signed by another", &o, "wrong signature");

    struct file f;                                          /* frame 4 with its batch open, and a checkpoint that names it */
    read_file(in_dir("00000001.seg"), 1 << 20, &f);
    frame_at(&f, 3)[FLAGS] &= 0xFE;
    make_right(&f, true);
    write_file(in_dir("00000001.seg"), &f);
    free(f.p);
    hash_of_frame(3, hash);
    buf_clear(&b);
    add_note(&b, &(struct note){0}, 4, hash);
    put_text("checkpoints.log", b.p, b.n);
    refused("a checkpoint within a batch", &o, "a checkpoint names a frame within a batch");
    buf_free(&b);
}

/* ---- the report ---- */
static char *printed(const struct verify_report *rep, bool json, bool signatures)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    verify_print(rep, json, signatures, out);
    fclose(out);
    return text;
}

static void says(const char *name, const struct verify_report *rep, bool json, bool signatures, const char *want)
{
    char *text = printed(rep, json, signatures);
    ok(strstr(text, want) != NULL, name, "%s", text);
    free(text);
}

static void reports(void)
{
    struct verify_report rep;
    struct verify_options o = {.dir = "/no\"where\\at\nall"};
    verify_log(&o, &rep);
    says("text of others is escaped", &rep, true, false, "{\"ok\":false,\"error\":\"/no\\\"where\\\\at?all: No such file or directory\",\"note\":\"\"");
    says("a failure in words", &rep, false, false, "\nFAILED: /no\"where");
    says("no signature was asked for", &rep, false, false, "0 checkpoints, signatures not checked (--pubkey)");
    struct file f;
    written(9, 65536);
    read_file(in_dir("00000001.seg"), 1 << 20, &f);
    for (unsigned i = 0; i < 8; i++) frame_at(&f, 0)[TIME + i] = 0xFF;     /* before 1970 */
    frame_at(&f, 2)[TIME + 5] = 2;                                         /* 35 years ahead, and back */
    frame_at(&f, 3)[KIND] = 62;
    frame_at(&f, 4)[KIND] = 200;
    make_right(&f, true);
    write_file(in_dir("00000001.seg"), &f);
    free(f.p);
    bool good = verify(&rep, false);
    ok(good && rep.time_went_back == 1 && rep.kinds[62] == 1 && rep.other_kinds == 1, "kinds of newer programs are counted", "%s", rep.error);
    says("the clock", &rep, false, true, " (the clock was set back within)");
    says("a time before 1970 has no name", &rep, false, true, "from  to 2026-03-12T");
    says("a kind without a name, in words", &rep, false, true, "  unknown    62          1\n");
    says("a kind without a name, as JSON", &rep, true, true, "\"unknown62\":1");
    says("kinds beyond the table", &rep, false, true, "  kinds of 64 and above          1\n");
    says("signatures were asked for", &rep, false, true, "0 checkpoints, all signatures checked\nlast hash ");
    snprintf(rep.note, sizeof rep.note, "something");
    says("a note", &rep, false, true, "\nnote: something\nOK\n");
    rep.last_ms = INT64_MAX;
    says("the last time that a frame can have", &rep, false, true, " to 292278994-08-17T07:12:55.807Z (the clock");
}

/* ---- the program ---- */
/* DIR in the arguments stands for the log's directory, KEY for its public key. */
static void program(void)
{
    static const struct { const char *args; int want; const char *says; } calls[] = {
        {"DIR", 0, "OK"}, {"--json DIR", 0, "{"}, {"--partial --live DIR", 0, "OK"}, {"--pubkey KEY DIR", 0, "all signatures checked"}, {"--checkpoints /nowhere DIR", 3, "checkpoints: No such file"},
        {"/nowhere/at/all", 3, "No such file"}, {"", 64, "usage: mlc-audit-verify"}, {"--what DIR", 64, "usage"}, {"DIR DIR", 64, "usage"}, {"DIR --pubkey", 64, "usage"},
        {"DIR --checkpoints", 64, "usage"}, {"--pubkey 00 DIR", 64, "usage"}, {"--pubkey x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef DIR", 64, "usage"}, {"DIR >&-", 69, ""},
    };
    const char *b = getenv("B");
    char key[65], out[120];
    written(3, 65536);
    sodium_bin2hex(key, sizeof key, public_key, sizeof public_key);
    snprintf(out, sizeof out, "%s.out", dir);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct buf command = {0};
        struct file said;
        buf_printf(&command, "(%s/mlc-audit-verify ", b ? b : "build");
        for (const char *c = calls[i].args; *c;) {
            bool is_dir = strncmp(c, "DIR", 3) == 0, is_key = strncmp(c, "KEY", 3) == 0;
            if (is_dir || is_key) buf_puts(&command, is_dir ? dir : key), c += 3;
            else buf_byte(&command, (unsigned char)*c++);
        }
        buf_printf(&command, ") >%s 2>&1", out);
        buf_byte(&command, '\0');
        int status = system(command.p);
        read_file(out, 1 << 20, &said);
        said.p[said.n < 1 << 20 ? said.n : 0] = '\0';
        ok(WIFEXITED(status) && WEXITSTATUS(status) == calls[i].want && strstr((const char *)said.p, calls[i].says), "the auditor's program", "%s: %d: %s", calls[i].args,
           WEXITSTATUS(status), (const char *)said.p);
        free(said.p);
        buf_free(&command);
    }
    unlink(out);
}

int main(void)
{
    unsigned char sk[64];
    const char *tmp = getenv("TMPDIR");
    if (sodium_init() < 0) return 1;
    log_set_level(LOG_ERROR);
    rig_keypair(public_key, sk);
    snprintf(dir, sizeof dir, "%.60s/verify-forms-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return 1;
    files();
    frames();
    checkpoints();
    reports();
    program();
    tree_gone(dir);
    return ok_failures != 0;
}
