/* image_fuzz.c - any bytes as a compiled spec. The checksum and the content hash are made right first, or nothing would ever get past them.
 * What is loaded runs over random rows: the verifier must have refused whatever the vm cannot run. */
#include "base/check.h"
#include "tests/unit/code/sample.h"
#include "tests/unit/vm/random_rows.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Header sizes and hashes as the writer would set them; the section that is called DEBUG ends the content. */
static void seal(struct buf *b)
{
    size_t debug = b->n - HASH_BYTES;
    struct reader r = reader_of((struct str){b->p + 48, b->n - 48 - HASH_BYTES});
    while (!r.bad && r.p < r.end) {
        size_t at = (size_t)((const char *)r.p - b->p);
        uint32_t id = read_u32(&r), n = read_u32(&r);
        if (id == 11) debug = at;
        read_bytes(&r, n);
    }
    for (int i = 0; i < 4; i++) b->p[8 + i] = (char)(unsigned char)(b->n >> (8 * i) & 0xff);
    struct hash h = hash_of((struct str){b->p + 48, debug - 48});
    memcpy(b->p + 16, h.b, HASH_BYTES);
    h = hash_of((struct str){b->p, b->n - HASH_BYTES});
    memcpy(b->p + b->n - HASH_BYTES, h.b, HASH_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct image *im;
    struct image_fault why;
    struct buf b = {0};
    uint64_t seed = size;
    arena_init(&a, 1 << 16);
    buf_put(&b, data, size);
    if (size >= 48 + HASH_BYTES) seal(&b);
    if (image_load(buf_view(&b), &a, &im, &why) == ERR_OK) {
        struct buf out = {0};
        image_write(im, &out);
        ASSERT(str_eq(buf_view(&out), buf_view(&b)));                    /* one spelling */
        image_dis(im, &out);
        ASSERT(run_random_rows(im, 3, &seed));
        buf_free(&out);
    } else {
        ASSERT(why.rule[0] && why.err != ERR_OK);
    }
    buf_free(&b);
    arena_free(&a);
    return 0;
}

/* `image_fuzz --seed FILE` writes a good image to start from. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc != 3 || strcmp((*argv)[1], "--seed") != 0) return 0;
    struct arena a;
    struct buf b = {0};
    arena_init(&a, 1 << 16);
    image_write(sample_image(&a), &b);
    FILE *f = fopen((*argv)[2], "wb");
    bool good = f && fwrite(b.p, 1, b.n, f) == b.n && fclose(f) == 0;
    buf_free(&b);
    arena_free(&a);
    exit(good ? 0 : 1);
}
