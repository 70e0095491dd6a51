/* verify.c - reads the segments in order and checks everything that docs/journal-format.md says: header, framing, numbers, hash chain,
 * batches, hand-over between segments, zeros behind the end, checkpoints and their signatures. One segment is in memory at a time. */
#include "runtime/journal/verify/verify.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEADER 128u
#define FIXED  40u
#define HASH   32u
#define FRAME_LIMIT (16u << 20)
#define DASH   "\xe2\x80\x94 "
#define NOTE_MAX 700     /* no checkpoint is longer */

struct file { unsigned char *p; size_t n; };
struct head { uint32_t number, flags, epoch; uint64_t first, placed; unsigned char prev[HASH], origin[HASH]; };
struct check { uint64_t seq; unsigned char hash[HASH]; };
struct state {
    const struct verify_options *o;
    struct verify_report *r;
    struct head *heads; size_t nheads;
    struct check *checks; size_t nchecks, next_check;
    unsigned char chain[HASH];          /* hash of the last frame */
    uint64_t next_seq;
    uint32_t epoch, since;
    bool committed;                     /* the last frame ended a batch */
};

static bool fail(struct state *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct state *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(s->r->error, sizeof s->r->error, fmt, ap);
    va_end(ap);
    return false;
}

static uint32_t u16(const unsigned char *p) { return (uint32_t)(p[0] | p[1] << 8); }
static uint32_t u32(const unsigned char *p) { return u16(p) | u16(p + 2) << 16; }
static uint64_t u64(const unsigned char *p) { return u32(p) | (uint64_t)u32(p + 4) << 32; }

static uint32_t crc_bytes(uint32_t c, const unsigned char *p, size_t n)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t v = i;
            for (int k = 0; k < 8; k++) v = (v >> 1) ^ (0x82F63B78u & (0u - (v & 1)));
            table[i] = v;
        }
    while (n--) c = (c >> 8) ^ table[(c ^ *p++) & 255];
    return c;
}

static bool all_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i]) return false;
    return true;
}

/* ---- files ---- */

static bool read_file(const char *path, size_t limit, struct file *out)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 0;
    *out = (struct file){NULL, 0};
    if (!f) return false;
    do {
        if (out->n == cap) {
            cap = cap ? cap * 2 : 65536;
            unsigned char *p = realloc(out->p, cap);
            if (!p) break;
            out->p = p;
        }
        out->n += fread(out->p + out->n, 1, cap - out->n, f);
    } while (!feof(f) && !ferror(f) && out->n < limit);
    bool ok = feof(f) && !ferror(f);
    fclose(f);
    if (!ok) { free(out->p); out->p = NULL; errno = EIO; }
    return ok;
}

static void segment_path(const struct state *s, uint32_t number, char *out, size_t n) { snprintf(out, n, "%s/%08" PRIu32 ".seg", s->o->dir, number); }

static int is_segment(const struct dirent *e)
{
    const char *n = e->d_name;
    return strlen(n) == 12 && strspn(n, "0123456789") == 8 && strcmp(n + 8, ".seg") == 0;
}

static bool parse_head(struct state *s, const unsigned char *p, uint32_t number, struct head *h)
{
    const struct head *before = s->nheads ? &s->heads[s->nheads - 1] : NULL;
    if (memcmp(p, "mlcjseg1", 8) != 0) return fail(s, "segment %08" PRIu32 ": not a journal segment", number);
    if (u32(p + 124) != ~crc_bytes(~0u, p, 124)) return fail(s, "segment %08" PRIu32 ": the checksum of the header does not fit", number);
    *h = (struct head){.number = u32(p + 12), .first = u64(p + 16), .placed = u64(p + 24), .flags = u32(p + 96), .epoch = u32(p + 100)};
    memcpy(h->prev, p + 32, HASH);
    memcpy(h->origin, p + 64, HASH);
    if (u32(p + 8) != 1 || h->flags > 1 || !all_zero(p + 104, 20)) return fail(s, "segment %08" PRIu32 ": unknown version or header fields", number);
    if (h->number != number) return fail(s, "segment %08" PRIu32 ": the header says it is segment %" PRIu32, number, h->number);
    if (h->first == 0 || h->placed + 1 < h->first) return fail(s, "segment %08" PRIu32 ": the header contradicts itself", number);
    if (before && h->first < before->first) return fail(s, "segment %08" PRIu32 ": begins before the segment before it", number);
    if (before && memcmp(before->origin, h->origin, HASH) != 0) return fail(s, "segment %08" PRIu32 ": belongs to another log", number);
    if (!before && h->first == 1 && memcmp(h->prev, h->origin, HASH) != 0) return fail(s, "segment %08" PRIu32 ": frame 1 does not begin the chain", number);
    if (!before && h->first != 1 && !s->o->partial)
        return fail(s, "the log begins at frame %" PRIu64 ": older segments are missing (--partial if they are archived)", h->first);
    return true;
}

static bool load_heads(struct state *s)
{
    struct dirent **names = NULL;
    int n = scandir(s->o->dir, &names, is_segment, alphasort);
    bool ok = n > 0;
    if (n < 0) return fail(s, "%s: %s", s->o->dir, strerror(errno));
    if (n == 0) fail(s, "%s: there is no segment", s->o->dir);
    s->heads = calloc((size_t)n + 1, sizeof *s->heads);
    for (int i = 0; i < n; i++) {
        char path[4096];
        unsigned char head[HEADER];
        uint32_t number = (uint32_t)strtoul(names[i]->d_name, NULL, 10);
        segment_path(s, number, path, sizeof path);
        FILE *f = ok && s->heads ? fopen(path, "rb") : NULL;
        if (ok && (!f || fread(head, 1, HEADER, f) != HEADER)) ok = fail(s, "segment %08" PRIu32 ": the header cannot be read", number);
        if (ok) ok = parse_head(s, head, number, &s->heads[s->nheads]);
        s->nheads++;
        if (f) fclose(f);
        free(names[i]);
    }
    free(names);
    return ok;
}

/* ---- checkpoints ---- */

static bool line_of(const char **p, const char *end, const char **line, size_t *n)
{
    const char *lf = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;
    if (!lf) return false;
    *line = *p;
    *n = (size_t)(lf - *p);
    *p = lf + 1;
    return true;
}

static bool unbase64(const char *p, size_t n, unsigned char *out, size_t want)
{
    size_t got = 0;
    char again[128];                    /* only the one right spelling: the decoder takes some bytes above 127 for letters */
    if (sodium_base642bin(out, want, p, n, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) != 0 || got != want) return false;
    sodium_bin2base64(again, sizeof again, out, want, sodium_base64_VARIANT_ORIGINAL);
    return strlen(again) == n && memcmp(again, p, n) == 0;
}

static bool check_signature(struct state *s, const char *text, size_t text_n, const char *name, size_t name_n, const unsigned char *id_sig)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state st;
    if (!s->o->public_key) return true;
    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, (const unsigned char *)name, name_n);
    crypto_hash_sha256_update(&st, (const unsigned char *)"\n\x01", 2);
    crypto_hash_sha256_update(&st, s->o->public_key, 32);
    crypto_hash_sha256_final(&st, sum);
    s->r->signatures++;
    return memcmp(sum, id_sig, 4) == 0 && crypto_sign_verify_detached(id_sig + 4, (const unsigned char *)text, text_n, s->o->public_key) == 0;
}

/* One note and the empty line behind it. false = not a whole checkpoint (error is set). */
static bool take_note(struct state *s, const char **p, const char *end)
{
    const char *text = *p, *origin, *number, *hash, *when, *empty, *sig, *sep;
    size_t origin_n, number_n, hash_n, when_n, empty_n, sig_n, sep_n;
    unsigned char id_sig[68], sum[HASH];
    struct check c = {0};
    uint64_t index = s->nchecks + 1;
    if (!line_of(p, end, &origin, &origin_n) || !line_of(p, end, &number, &number_n) || !line_of(p, end, &hash, &hash_n) ||
        !line_of(p, end, &when, &when_n) || !line_of(p, end, &empty, &empty_n) || empty_n != 0)
        return fail(s, "checkpoint %" PRIu64 ": not whole", index);
    size_t text_n = (size_t)(empty - text);
    if (!line_of(p, end, &sig, &sig_n) || !line_of(p, end, &sep, &sep_n) || sep_n != 0) return fail(s, "checkpoint %" PRIu64 ": not whole", index);
    for (size_t i = 0; i < number_n && i < 19; i++) c.seq = c.seq * 10 + (uint64_t)(number[i] - '0');
    if (number_n == 0 || number_n > 19 || number[0] == '0' || strspn(number, "0123456789") != number_n || !unbase64(hash, hash_n, c.hash, HASH) ||
        when_n != 29 || memcmp(when, "time ", 5) != 0)
        return fail(s, "checkpoint %" PRIu64 ": not of the form that the writer makes", index);
    if (sig_n < 4 + origin_n + 1 || memcmp(sig, DASH, 4) != 0 || memcmp(sig + 4, origin, origin_n) != 0 || sig[4 + origin_n] != ' ' ||
        !unbase64(sig + 5 + origin_n, sig_n - 5 - origin_n, id_sig, sizeof id_sig))
        return fail(s, "checkpoint %" PRIu64 ": no signature line of this log", index);
    crypto_generichash(sum, HASH, (const unsigned char *)origin, origin_n, NULL, 0);
    if (memcmp(sum, s->heads[0].origin, HASH) != 0) return fail(s, "checkpoint %" PRIu64 ": is of another log (%.*s)", index, (int)(origin_n > 80 ? 80 : origin_n), origin);
    if (!check_signature(s, text, text_n, origin, origin_n, id_sig)) return fail(s, "checkpoint %" PRIu64 " (frame %" PRIu64 "): wrong signature", index, c.seq);
    if (s->nchecks && s->checks[s->nchecks - 1].seq >= c.seq) return fail(s, "checkpoint %" PRIu64 ": frame numbers do not rise", index);
    if (s->nchecks % 1024 == 0) {
        struct check *more = realloc(s->checks, (s->nchecks + 1024) * sizeof c);
        if (!more) return fail(s, "out of memory");
        s->checks = more;
    }
    s->checks[s->nchecks++] = c;
    return true;
}

static bool load_checkpoints(struct state *s)
{
    char path[4096];
    struct file f;
    snprintf(path, sizeof path, "%s/checkpoints.log", s->o->dir);
    if (!read_file(s->o->checkpoints ? s->o->checkpoints : path, SIZE_MAX, &f))
        return errno == ENOENT && !s->o->checkpoints ? true : fail(s, "checkpoints: %s", strerror(errno));
    const char *p = (const char *)f.p, *end = p + f.n;
    bool ok = true;
    while (ok && p < end) {
        const char *from = p;
        ok = take_note(s, &p, end);
        if (!ok && s->o->live && end - from < NOTE_MAX && !strstr(s->r->error, "wrong signature")) {
            snprintf(s->r->note, sizeof s->r->note, "the last checkpoint is not whole");
            s->r->error[0] = '\0';
            ok = true;
            break;
        }
    }
    free(f.p);
    s->r->checkpoints = s->nchecks;
    return ok;
}

/* ---- frames ---- */

static void count(struct state *s, const unsigned char *p, uint32_t kind, bool commit)
{
    struct verify_report *r = s->r;
    int64_t ms = (int64_t)u64(p + 16);
    if (r->frames == 0) r->first_ms = ms, r->first_seq = s->next_seq;
    else if (ms < r->last_ms) r->time_went_back++;
    r->last_ms = ms;
    r->last_seq = s->next_seq;
    r->frames++;
    r->batches += commit;
    if (kind < 64) r->kinds[kind]++;
    else r->other_kinds++;
}

/* The frame at p, n bytes up to the end of the file. NULL and *len, or what is wrong. */
static const char *check_frame(struct state *s, const unsigned char *p, size_t n, size_t *len)
{
    if (n < FIXED + HASH) return "the file ends within the frame";
    size_t size = u32(p);
    if (size < FIXED + HASH || size > FRAME_LIMIT) return "no frame has this length";
    if (size > n) return "the file ends within the frame";
    if (~crc_bytes(crc_bytes(~0u, p, 4), p + 8, size - 8) != u32(p + 4)) return "the checksum does not fit";
    uint32_t kind = u16(p + 28), flags = u16(p + 30), epoch = u32(p + 24), since = u32(p + 32), pub = u32(p + 36);
    size_t parts = FIXED + HASH + (flags & 2 ? 32u : 0) + (flags & 4 ? 32u : 0) + (flags & 8 ? 16u : 0) + (flags & 16 ? 4u : 0);
    if (flags > 63 || parts > size || pub > size - parts || (size - parts - pub != 0) != ((flags & 32) != 0)) return "the parts do not fit the length";
    if (u64(p + 8) != s->next_seq) return "the number is not the next one";
    unsigned char hash[HASH];
    crypto_generichash_state st;
    crypto_generichash_init(&st, NULL, 0, HASH);
    crypto_generichash_update(&st, s->chain, HASH);
    crypto_generichash_update(&st, p + 8, size - 8 - HASH);
    crypto_generichash_final(&st, hash, HASH);
    if (memcmp(hash, p + size - HASH, HASH) != 0) return "the hash chain is broken";
    if (epoch != s->epoch + (kind == 1)) return "the epoch does not follow";
    if (since == 0 || since > s->next_seq || (since != 1 && s->since && since != s->since + 1) || (since == 1 && !s->committed)) return "the write mark does not follow";
    if (s->next_check < s->nchecks && s->checks[s->next_check].seq == s->next_seq) {
        if (memcmp(hash, s->checks[s->next_check].hash, HASH) != 0) return "a checkpoint names another frame of this number";
        if (!(flags & 1)) return "a checkpoint names a frame within a batch";
        s->next_check++;
    }
    count(s, p, kind, flags & 1);
    memcpy(s->chain, hash, HASH);
    s->epoch = epoch;
    s->since = since;
    s->committed = flags & 1;
    s->next_seq++;
    *len = size;
    return NULL;
}

static bool check_tail(struct state *s, const struct head *h, size_t off, const char *why)
{
    uint64_t known = s->nchecks ? s->checks[s->nchecks - 1].seq : 0;
    if (h->placed > known) known = h->placed;
    uint64_t whole = s->committed ? s->next_seq - 1 : 0;    /* frames before a missing end of batch cannot be known to count */
    if (!why && s->committed) return true;
    if (!why) why = "the batch has no end";
    bool unfinished = s->committed ? whole >= known : s->next_seq > known;
    if (s->o->live && unfinished) {
        snprintf(s->r->note, sizeof s->r->note, "an unfinished write at the end: segment %08" PRIu32 ", offset %zu, frame %" PRIu64, h->number, off, s->next_seq);
        return true;
    }
    if (!unfinished)
        return fail(s, "segment %08" PRIu32 ", offset %zu, frame %" PRIu64 ": %s (damage: the log had been whole up to frame %" PRIu64 ")", h->number, off,
                    s->next_seq, why, known);
    return fail(s, "segment %08" PRIu32 ", offset %zu, frame %" PRIu64 ": %s (unfinished write at the end: the next start cuts it; --live lets it pass)",
                h->number, off, s->next_seq, why);
}

static bool walk(struct state *s, const struct head *h, const struct head *next, const struct file *f)
{
    size_t off = HEADER, len = 0;
    const char *why = NULL;
    while (off < f->n && (!next || s->next_seq < next->first)) {
        size_t left = f->n - off;
        if (left < 4 ? all_zero(f->p + off, left) : u32(f->p + off) == 0) break;
        why = check_frame(s, f->p + off, left, &len);
        if (why) break;
        off += len;
    }
    if (!why && !(next && next->flags & 1) && !all_zero(f->p + off, f->n - off)) why = "there are bytes behind the last frame";
    if (!next) return check_tail(s, h, off, why);
    if (!why && s->next_seq < next->first) why = "the frame is missing";
    if (!why && (!s->committed || memcmp(s->chain, next->prev, HASH) != 0 || s->epoch != next->epoch)) why = "the next segment does not continue this one";
    return why ? fail(s, "segment %08" PRIu32 ", offset %zu, frame %" PRIu64 ": %s", h->number, off, s->next_seq, why) : true;
}

static bool check_segments(struct state *s)
{
    memcpy(s->chain, s->heads[0].prev, HASH);
    s->next_seq = s->heads[0].first;
    s->epoch = s->heads[0].epoch;
    s->committed = true;
    while (s->next_check < s->nchecks && s->checks[s->next_check].seq < s->next_seq) s->next_check++;
    if (s->next_seq > 1) snprintf(s->r->note, sizeof s->r->note, "the log begins at frame %" PRIu64 "; older segments were not seen", s->next_seq);
    for (size_t i = 0; i < s->nheads; i++) {
        char path[4096];
        struct file f;
        segment_path(s, s->heads[i].number, path, sizeof path);
        if (!read_file(path, (size_t)1 << 32, &f)) return fail(s, "%s: %s", path, strerror(errno));
        bool ok = walk(s, &s->heads[i], i + 1 < s->nheads ? &s->heads[i + 1] : NULL, &f);
        free(f.p);
        if (!ok) return false;
        s->r->segments++;
    }
    if (s->next_check < s->nchecks)
        return fail(s, "the log ends at frame %" PRIu64 ", but a checkpoint names frame %" PRIu64, s->next_seq - 1, s->checks[s->next_check].seq);
    if (s->heads[s->nheads - 1].placed >= s->next_seq) return fail(s, "the log ends at frame %" PRIu64 ", but its last segment was made with more", s->next_seq - 1);
    return true;
}

bool verify_log(const struct verify_options *o, struct verify_report *r)
{
    struct state s = {.o = o, .r = r};
    memset(r, 0, sizeof *r);
    r->ok = load_heads(&s) && load_checkpoints(&s) && check_segments(&s);
    memcpy(r->head, s.chain, HASH);
    r->starts = s.epoch;
    free(s.heads);
    free(s.checks);
    return r->ok;
}

/* ---- report ---- */

static const char *kind_name(unsigned kind)
{
    static const char *const names[64] = {
#define FRAME(name, number, text) [number] = #name,
#include "runtime/journal/frame.def"
#undef FRAME
    };
    return names[kind] ? names[kind] : "unknown";
}

static void time_text(int64_t ms, char out[32])
{
    time_t t = (time_t)(ms / 1000);         /* the last one is in a year of nine digits: it has a name, and that fits */
    struct tm tm;
    out[0] = '\0';
    if (ms < 0) return;
    gmtime_r(&t, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", (int)(ms % 1000));
}

static void json_text(FILE *out, const char *key, const char *s)
{
    fprintf(out, ",\"%s\":\"", key);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') fputc('\\', out);
        fputc((unsigned char)*s < 32 ? '?' : *s, out);
    }
    fputc('"', out);
}

static void print_numbers(const struct verify_report *r, bool json, const char *first, const char *last, const char *head, FILE *out)
{
    if (json) {
        fprintf(out, "{\"ok\":%s", r->ok ? "true" : "false");
        json_text(out, "error", r->error);
        json_text(out, "note", r->note);
        fprintf(out, ",\"segments\":%" PRIu64 ",\"first_frame\":%" PRIu64 ",\"last_frame\":%" PRIu64 ",\"frames\":%" PRIu64 ",\"batches\":%" PRIu64
                ",\"starts\":%" PRIu32 ",\"first_time\":\"%s\",\"last_time\":\"%s\",\"time_went_back\":%" PRIu64 ",\"checkpoints\":%" PRIu64
                ",\"signatures_checked\":%" PRIu64 ",\"head\":\"%s\",\"kinds\":{", r->segments, r->first_seq, r->last_seq, r->frames, r->batches, r->starts,
                first, last, r->time_went_back, r->checkpoints, r->signatures, head);
        return;
    }
    fprintf(out, "%" PRIu64 " frames (%" PRIu64 " to %" PRIu64 ") in %" PRIu64 " batches, %" PRIu64 " segments, %" PRIu32 " starts\nfrom %s to %s%s\n",
            r->frames, r->first_seq, r->last_seq, r->batches, r->segments, r->starts, first, last, r->time_went_back ? " (the clock was set back within)" : "");
}

void verify_print(const struct verify_report *r, bool json, bool signatures_wanted, FILE *out)
{
    char head[65], first[32], last[32];
    const char *sep = "";
    sodium_bin2hex(head, sizeof head, r->head, HASH);
    time_text(r->first_ms, first);
    time_text(r->last_ms, last);
    print_numbers(r, json, first, last, head, out);
    for (unsigned k = 0; k < 64; k++) {
        if (!r->kinds[k]) continue;
        if (json) fprintf(out, "%s\"%s%.0u\":%" PRIu64, sep, kind_name(k), strcmp(kind_name(k), "unknown") == 0 ? k : 0, r->kinds[k]);
        else fprintf(out, "  %-10s %2u %10" PRIu64 "\n", kind_name(k), k, r->kinds[k]);
        sep = ",";
    }
    if (json) { fprintf(out, "}}\n"); return; }
    if (r->other_kinds) fprintf(out, "  kinds of 64 and above %10" PRIu64 "\n", r->other_kinds);
    fprintf(out, "%" PRIu64 " checkpoints, %s\nlast hash %s\n", r->checkpoints, signatures_wanted ? "all signatures checked" : "signatures not checked (--pubkey)", head);
    if (r->note[0]) fprintf(out, "note: %s\n", r->note);
    fprintf(out, r->ok ? "OK\n" : "FAILED: %s\n", r->error);
}
