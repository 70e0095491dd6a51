/* frame_fuzz.c - audit entries of every kind with any contents, folded into an index one after the other; and any bytes as a frame on disk. Checked besides
 * not crashing: an entry is folded or refused with a sentence, never half; an index that took all of them holds together (store_check); a frame that is
 * read gives the same hash when it is read again, and its parts lie inside of it.
 *
 *   input   frame | frame | ...      frame = kind | public length | private length | public | private
 *   a part is what event.h says: tag, varint length, bytes */
#include "base/check.h"
#include "journal/frame.h"
#include "store/store.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

/* What is sealed is not looked for here: one byte says that it went through. */
static enum err seal(void *ctx, uint32_t slot, struct str ad, struct str plain, struct buf *out)
{
    (void)ctx, (void)slot, (void)ad;
    buf_byte(out, 's');
    buf_str(out, plain);
    return ERR_OK;
}

static enum err unseal(void *ctx, uint32_t slot, struct str ad, struct str sealed, struct arena *a, struct str *plain)
{
    (void)ctx, (void)slot, (void)ad, (void)a;
    if (sealed.n == 0 || sealed.p[0] != 's') return ERR_CORRUPT;
    *plain = (struct str){sealed.p + 1, sealed.n - 1};
    return ERR_OK;
}

/* Inside of the test's own folder; never committed, so that each input begins with nothing. */
static struct store *empty_index(struct world *w)
{
    static char dir[200];
    struct store *s;
    struct fault f;
    if (!dir[0]) {
        const char *tmp = getenv("TMPDIR");
        (void)snprintf(dir, sizeof dir, "%s/mlc-frame-fuzz.XXXXXX", tmp ? tmp : "/tmp");
        ASSERT(mkdtemp(dir));
    }
    world_real(w);
    struct store_options o = {.dir = dir, .key = {1, 2, 3}, .map_bytes = 16u << 20, .seal = {.seal = seal, .open = unseal}};
    ASSERT(store_open(&s, w, &o, &f) == ERR_OK && store_applied_seq(s) == 0);
    return s;
}

static void fold_all(struct str in)
{
    struct world w;
    struct fault f = {ERR_OK, ""};
    struct store *s = empty_index(&w);
    enum err e = ERR_OK;
    for (uint64_t seq = 1; in.n >= 3 && e == ERR_OK && seq < 200; seq++) {
        const unsigned char *p = (const unsigned char *)in.p;
        struct frame fr = {.seq = seq, .time_ms = 1712000000000 + (int64_t)seq, .epoch = 1, .kind = p[0] % 32, .slot = p[0] & 32 ? 7 : FRAME_NO_SLOT};
        size_t npub = p[1] < in.n - 3 ? p[1] : in.n - 3, npriv = p[2] < in.n - 3 - npub ? p[2] : in.n - 3 - npub;
        fr.pub = (struct str){in.p + 3, npub};
        fr.priv = (struct str){in.p + 3 + npub, npriv};
        fr.priv_erased = p[0] & 64;
        in = (struct str){in.p + 3 + npub + npriv, in.n - 3 - npub - npriv};
        e = store_apply(s, &fr, &f);
        if (e == ERR_OK) ASSERT(store_applied_seq(s) == seq);
        else ASSERT(f.text[0]);
    }
    if (e == ERR_OK) {
        e = store_check(s, &f);
        if (e != ERR_OK) fprintf(stderr, "the index does not hold together: %s\n", f.text);
        ASSERT(e == ERR_OK);
    }
    store_close(s);
}

static bool inside(const unsigned char *p, size_t n, struct str part)
{
    return part.n == 0 || ((const unsigned char *)part.p >= p && (const unsigned char *)part.p + part.n <= p + n);
}

/* Any bytes, with length and checksum put right, so that what lies behind them is reached. */
static void parse_one(const unsigned char *data, size_t n)
{
    if (n < FRAME_MIN_BYTES) return;
    unsigned char *p = malloc(n);
    ASSERT(p);
    memcpy(p, data, n);
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(n >> (8 * i));
    uint32_t crc = crc32c(crc32c(0, p, 4), p + 8, n - 8);
    for (int i = 0; i < 4; i++) p[4 + i] = (unsigned char)(crc >> (8 * i));
    struct raw_frame fr, again;
    struct hash zero = {{0}};
    const char *why = NULL;
    if (journal__frame_parse(p, n, &fr, &why)) {
        ASSERT(inside(p, n, fr.pub) && inside(p, n, fr.sealed) && fr.hash + HASH_BYTES <= p + n);
        struct hash a = journal__frame_hash(&fr, &zero);
        ASSERT(journal__frame_parse(p, n, &again, &why));
        struct hash b = journal__frame_hash(&again, &zero);
        ASSERT(hash_eq(&a, &b) && again.seq == fr.seq && again.kind == fr.kind);
        struct event_tags ev = {0};
        (void)(event_read(&ev, fr.pub) && event_read(&ev, fr.sealed));
    } else {
        ASSERT(why && why[0]);
    }
    struct seg_header h;
    if (n >= SEG_HEADER_BYTES) {
        crc = crc32c(0, p, SEG_HEADER_BYTES - 4);
        for (unsigned i = 0; i < 4; i++) p[SEG_HEADER_BYTES - 4 + i] = (unsigned char)(crc >> (8 * i));
        unsigned char back[SEG_HEADER_BYTES];
        if (!journal__header_decode(p, &h)) {
            journal__header_encode(&h, back);
            ASSERT(memcmp(back, p, sizeof back) == 0);
        }
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n < 2) return 0;
    if (data[0] & 1) parse_one(data + 1, n - 1);
    else fold_all((struct str){(const char *)data + 1, n - 1});
    return 0;
}
