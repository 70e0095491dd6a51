/* image_test.c - the sample passes the verifier; bytes and image are inverse; damaged, cut and forged bytes are refused by name. */
#include "tests/unit/code/sample.h"
#include "tests/unit/value/ok.h"

static struct str written(const struct image *im, struct buf *b)
{
    buf_clear(b);
    image_write(im, b);
    return buf_view(b);
}

static void put_checksum(struct buf *b)
{
    struct hash h = hash_of((struct str){b->p, b->n - HASH_BYTES});
    memcpy(b->p + b->n - HASH_BYTES, h.b, HASH_BYTES);
}

static void there_and_back(struct arena *a)
{
    struct image *im = sample_image(a), *back;
    struct image_fault why;
    struct buf b = {0}, again = {0}, dis = {0}, dis2 = {0};
    ok(image_verify(im, a, &why) == ERR_OK, "the sample is verified", "%s at %u: %s", why.rule, why.instr, why.text);
    struct str bytes = written(im, &b);
    bool good = ok(image_load(bytes, a, &back, &why) == ERR_OK, "the sample is loaded", "%s at %u: %s", why.rule, why.instr, why.text);
    if (!good) return;
    ok(str_eq(written(back, &again), bytes), "write(load(b)) is b", "it differs");
    im->content = back->content;
    image_dis(im, &dis);
    image_dis(back, &dis2);
    ok(str_eq(buf_view(&dis), buf_view(&dis2)) && dis.n > 2000, "both list alike", "%zu and %zu bytes", dis.n, dis2.n);
    ok(image_flow_named(back, STR("customers")) == back->flows && !image_flow_named(back, STR("x")), "flows by name", "wrong");
    const struct image_field *f = &back->flows->fields[F_NAME];
    ok(str_is(f->expr, "an expression") && f->line == 7 && f->nreads == 2 && f->reads[1] == C_LIMIT, "debug texts and reads come back", "they differ");
    buf_free(&b);
    buf_free(&again);
    buf_free(&dis);
    buf_free(&dis2);
}

/* The content hash names what runs: debug texts do not count, anything else does. */
static void content_hash(struct arena *a)
{
    struct image *im = sample_image(a), *x, *y, *z;
    struct image_fault why;
    struct buf b = {0};
    struct image_field *fields = sample_fields(a);
    bool good = image_load(written(im, &b), a, &x, &why) == ERR_OK;
    fields[3].expr = STR("another expression");
    fields[3].line = 99;
    ((struct image_flow *)im->flows)->fields = fields;
    good &= image_load(written(im, &b), a, &y, &why) == ERR_OK;
    ((struct image_flow *)im->flows)->every_ms++;
    good &= image_load(written(im, &b), a, &z, &why) == ERR_OK;
    ok(good && hash_eq(&x->content, &y->content) && !hash_eq(&x->content, &z->content), "debug texts are not part of the content", "%s", why.text);
    buf_free(&b);
}

static void damaged(struct arena *a)
{
    struct image *back;
    struct image_fault why;
    struct buf b = {0};
    struct str bytes = written(sample_image(a), &b);
    bool cut = true, flipped = true;
    for (size_t n = 0; n < bytes.n; n += n < 200 ? 1 : 97) cut &= image_load((struct str){bytes.p, n}, a, &back, &why) != ERR_OK && why.rule[0];
    ok(cut, "every cut-off file is refused", "one was loaded");
    for (size_t i = 0; i < bytes.n; i += 7) {
        b.p[i] = (char)(b.p[i] ^ 0x10);
        flipped &= image_load(bytes, a, &back, &why) != ERR_OK;
        b.p[i] = (char)(b.p[i] ^ 0x10);
    }
    ok(flipped, "a flipped bit is found by the checksum", "one was loaded");
    ok(image_load(STR("PK\x03\x04 not a spec at all, but long enough to hold a header of ours"), a, &back, &why) == ERR_FORMAT && !strcmp(why.rule, "magic"),
       "another kind of file", "%s", why.rule);
    ok(image_load(STR(""), a, &back, &why) == ERR_FORMAT, "an empty file", "%s", why.rule);
    buf_free(&b);
}

/* Bytes at places of meaning, with a right checksum. */
static void forged(struct arena *a)
{
    static const struct { const char *name; size_t at; unsigned char byte; const char *rule; } cases[] = {
        {"a later version", 4, 9, "version"}, {"another size", 8, 1, "size"}, {"another count of sections", 12, 10, "section"}, {"content hash", 20, 0xaa, "canonical"},
        {"an unknown section", 48, 99, "section"}, {"a section behind the file", 54, 0x7f, "section-size"}, {"a count beyond the section", 58, 0x7f, "count"}};
    struct image *back;
    struct image_fault why;
    struct buf b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        written(sample_image(a), &b);
        b.p[cases[i].at] = (char)cases[i].byte;
        put_checksum(&b);
        enum err e = image_load(buf_view(&b), a, &back, &why);
        ok(e != ERR_OK && !strcmp(why.rule, cases[i].rule), cases[i].name, "%s: %s", why.rule, why.text);
    }
    buf_free(&b);
}

/* ---- one spelling: the same image, or one as good, in bytes that the writer would not have chosen ---- */

static void put_u32(struct buf *b, size_t at, uint32_t v)
{
    for (int i = 0; i < 4; i++) b->p[at + (size_t)i] = (char)(unsigned char)(v >> (8 * i) & 0xff);
}

static uint32_t u32_at(const struct buf *b, size_t at)
{
    struct reader r = reader_of((struct str){b->p + at, 4});
    return read_u32(&r);
}

/* Where the payload of a section begins. */
static size_t payload(const struct buf *b, uint32_t id)
{
    size_t at = 48;
    while (u32_at(b, at) != id) at += 8 + u32_at(b, at + 4);
    return at + 8;
}

static void seal(struct buf *b)
{
    struct hash h = hash_of((struct str){b->p + 48, payload(b, 11) - 8 - 48});
    memcpy(b->p + 16, h.b, HASH_BYTES);
    put_checksum(b);
}

/* Bytes into a section, whose length and the file's follow. */
static void insert(struct buf *b, uint32_t section, size_t at, const char *p, size_t n)
{
    size_t head = payload(b, section) - 4;
    put_u32(b, head, u32_at(b, head) + (uint32_t)n);
    put_u32(b, 8, (uint32_t)(b->n + n));
    buf_reserve(b, n);
    memmove(b->p + at + n, b->p + at, b->n - at);
    memcpy(b->p + at, p, n);
    b->n += n;
}

static void refused(struct arena *a, struct buf *b, const char *name, const char *rule)
{
    struct image *back;
    struct image_fault why;
    seal(b);
    enum err e = image_load(buf_view(b), a, &back, &why);
    ok(e != ERR_OK && !strcmp(why.rule, rule), name, "%s: %s", why.rule, why.text);
}

/* Two strings of one length made equal: whatever refuses it, it is refused, and somewhere that they are equal is all that is wrong. */
static void equal_strings(struct arena *a, struct buf *b)
{
    const size_t first = payload(b, 1) + 4, end = first + u32_at(b, first - 8) - 4;
    bool loaded = false, canonical = false;
    for (size_t x = first; x < end; x += 4 + u32_at(b, x))
        for (size_t y = x + 4 + u32_at(b, x); y < end; y += 4 + u32_at(b, y)) {
            char kept[256];
            struct image *back;
            struct image_fault why;
            uint32_t n = u32_at(b, x);
            if (u32_at(b, y) != n || n == 0 || n > sizeof kept) continue;
            memcpy(kept, b->p + y + 4, n);
            memcpy(b->p + y + 4, b->p + x + 4, n);
            seal(b);
            loaded |= image_load(buf_view(b), a, &back, &why) == ERR_OK;
            canonical |= !strcmp(why.rule, "canonical");
            memcpy(b->p + y + 4, kept, n);
        }
    ok(!loaded && canonical, "a string twice", loaded ? "it was loaded" : "no pair of strings could be made equal");
}

static void other_spellings(struct arena *a)
{
    static const char unused[5] = {1, 0, 0, 0, 'z'};
    struct buf b = {0};
    written(sample_image(a), &b);
    insert(&b, 1, payload(&b, 2) - 8, unused, sizeof unused);
    put_u32(&b, payload(&b, 1), u32_at(&b, payload(&b, 1)) + 1);
    refused(a, &b, "a string that nothing uses", "canonical");
    written(sample_image(a), &b);
    insert(&b, 2, payload(&b, 3) - 8, "\5", 2);
    put_u32(&b, payload(&b, 2), u32_at(&b, payload(&b, 2)) + 1);
    refused(a, &b, "a type that nothing uses", "canonical");
    written(sample_image(a), &b);
    put_u32(&b, payload(&b, 3), 1);
    put_u32(&b, payload(&b, 3) + 4, 0);
    refused(a, &b, "strings in another order than that of their use", "canonical");
    written(sample_image(a), &b);
    size_t blob = payload(&b, 11);
    insert(&b, 11, blob + 1, "", 1);
    b.p[blob] = (char)(b.p[blob] | (char)0x80);
    refused(a, &b, "a longer number than needed", "section-end");
    written(sample_image(a), &b);
    equal_strings(a, &b);
    buf_free(&b);
}

static void fresh(struct buf *b, struct arena *a) { written(sample_image(a), b); }

/* More than is read, less than is said, and bytes that are no text; all else is right. */
static void outsized(struct arena *a)
{
    struct buf b = {0};
    struct image *im, *back;
    struct image_fault why;
    char *zeros = arena_alloc(a, 1 << 18);
    memset(zeros, 0, 1 << 18);
    fresh(&b, a);
    b.p[payload(&b, 1) + 8] = (char)0xff;
    refused(a, &b, "a string that is not UTF-8", "string-utf8");
    fresh(&b, a);
    put_u32(&b, payload(&b, 2), 70000);
    insert(&b, 2, payload(&b, 3) - 8, zeros, 1 << 18);
    refused(a, &b, "70,000 types", "type-limit");
    fresh(&b, a);
    b.p[payload(&b, 9)] = (char)((LIMIT_FLOWS + 1) & 0xff);
    b.p[payload(&b, 9) + 1] = (char)((LIMIT_FLOWS + 1) >> 8);
    insert(&b, 9, payload(&b, 10) - 8, zeros, 1 << 18);
    refused(a, &b, "a flow too many", "flow-limit");
    fresh(&b, a);
    insert(&b, 10, payload(&b, 10), zeros, 1);
    refused(a, &b, "a byte of code", "code-size");
    fresh(&b, a);
    insert(&b, 10, payload(&b, 10), zeros, 8);
    refused(a, &b, "an instruction too many", "code-size");
    fresh(&b, a);
    b.p[payload(&b, 11) + 1] = (char)0xff;
    refused(a, &b, "debug text that is not UTF-8", "string-utf8");
    fresh(&b, a);
    insert(&b, 11, b.n - HASH_BYTES, zeros, 1);
    put_u32(&b, payload(&b, 11) - 4, u32_at(&b, payload(&b, 11) - 4) - 1);
    refused(a, &b, "a byte behind the last section", "section-end");
    im = sample_image(a);
    struct image_flow *f = (struct image_flow *)(uintptr_t)im->flows;
    const struct type **registers = ARENA_ARRAY(a, const struct type *, LIMIT_REGISTERS + 1);
    for (size_t i = 0; i <= LIMIT_REGISTERS; i++) registers[i] = f->registers[0];
    f->registers = registers;
    f->nregisters = LIMIT_REGISTERS + 1;
    written(im, &b);
    refused(a, &b, "a register too many", "register-limit");
    im = sample_image(a);
    ((struct image_lines *)(uintptr_t)im->flows[0].lines)->column = C_NAME;
    written(im, &b);
    refused(a, &b, "a list site over a text", "list-column");
    fresh(&b, a);
    put_u32(&b, 8, 60);
    ok(image_load((struct str){b.p, 60}, a, &back, &why) == ERR_CORRUPT && !strcmp(why.rule, "size"), "a header and no more", "%s", why.rule);
    ok(image_load((struct str){b.p, LIMIT_IMAGE_BYTES + 1u}, a, &back, &why) == ERR_TOO_LARGE && !strcmp(why.rule, "size"), "a file larger than any", "%s", why.rule);
    buf_free(&b);
}

int main(void)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    there_and_back(&a);
    content_hash(&a);
    damaged(&a);
    forged(&a);
    other_spellings(&a);
    outsized(&a);
    arena_free(&a);
    return ok_done();
}
