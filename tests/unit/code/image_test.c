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

int main(void)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    there_and_back(&a);
    content_hash(&a);
    damaged(&a);
    forged(&a);
    arena_free(&a);
    return ok_done();
}
