/* compile_fuzz.c - bytes that claim to be a spec, through the whole compiler: what has no error becomes an image that the loader takes and the vm runs, over
 * rows of random values too; what has one says so inside of the text. spec_fuzz is the faster one for lexer, grammar and layout. */
#include "base/check.h"
#include "compiler/compile.h"
#include "tests/fault/memdisk.h"
#include "tests/unit/vm/random_rows.h"
#include <fcntl.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void put(struct memdisk *d, const char *path, const void *p, size_t n)
{
    struct world_files fs;
    memdisk_files(d, &fs);
    int fd = fs.open(fs.ctx, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ASSERT(fd >= 0 && fs.pwrite(fs.ctx, fd, p, n, 0) == (int64_t)n);
    fs.close(fs.ctx, fd);
}

static void check_places(const struct compile *c)
{
    for (size_t i = 0; i < c->diags.n; i++) {
        const struct source *src = sources_get(&c->sources, c->diags.list[i]->at.file);
        ASSERT(src && c->diags.list[i]->at.at <= c->diags.list[i]->at.end && c->diags.list[i]->at.end <= src->text.n);
    }
}

static void check_image(const struct image *im)
{
    struct arena a;
    struct buf b = {0};
    struct image *again;
    struct image_fault why;
    uint64_t seed = 7;
    arena_init(&a, 0);
    image_write(im, &b);
    ASSERT(image_load(buf_view(&b), &a, &again, &why) == ERR_OK);
    ASSERT(run_random_rows(again, 2, &seed));
    buf_free(&b);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    static const char countries[] = "iso3,name\nUSA,United States\nCAN,Canada\n", reps[] = "salesperson,email\n01,a@b.example\n";
    struct memdisk *d = memdisk_new();
    struct world w = {0};
    struct compile c;
    struct fault f = {0};
    struct buf out = {0};
    memdisk_files(d, &w.files);
    put(d, "/spec.mlc", data, n);
    put(d, "/countries.csv", countries, sizeof countries - 1);
    put(d, "/reps.csv", reps, sizeof reps - 1);
    if (compile_open(&c, &w, "/spec.mlc", &f) == ERR_OK) {
        struct image *im = c.diags.nerrors == 0 ? compile_image(&c) : NULL;
        check_places(&c);
        ASSERT(im != NULL || c.diags.nerrors > 0);
        if (im) check_image(im);
        diags_print(&c.diags, DIAG_FORMAT_TEXT, false, &out);
    } else {
        ASSERT(f.text[0]);
    }
    compile_close(&c);
    buf_free(&out);
    memdisk_free(d);
    return 0;
}
