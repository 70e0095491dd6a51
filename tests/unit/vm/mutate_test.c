/* mutate_test.c - what the verifier lets through must run: bytes of a good image are changed, checksums made right again, and every image
 * that is still accepted runs over random rows. An ASSERT in the vm, a sanitizer report or a field outside of its type is a hole. */
#include "tests/unit/code/sample.h"
#include "tests/unit/vm/random_rows.h"

enum { ROUNDS = 6000, ROWS = 12 };

/* ---- bytes of the file ---- */

struct section_span { size_t at, n; };

static struct section_span find_section(struct str file, uint32_t id)
{
    struct reader r = reader_of((struct str){file.p + 48, file.n - 48 - 32});
    while (!reader_done(&r) && !r.bad) {
        uint32_t is = read_u32(&r), n = read_u32(&r);
        size_t at = (size_t)((const char *)r.p - file.p);
        if (is == id) return (struct section_span){at, n};
        read_bytes(&r, n);
    }
    return (struct section_span){0, 0};
}

/* Content hash and checksum as the writer would set them. */
static void seal(struct buf *b)
{
    struct section_span debug = find_section(buf_view(b), 11);
    struct hash h = hash_of((struct str){b->p + 48, debug.at - 8 - 48});
    memcpy(b->p + 16, h.b, HASH_BYTES);
    h = hash_of((struct str){b->p, b->n - HASH_BYTES});
    memcpy(b->p + b->n - HASH_BYTES, h.b, HASH_BYTES);
}

static void mutate_bytes(const struct image *im, uint32_t section, const char *name)
{
    struct buf good = {0}, b = {0}, again = {0};
    uint64_t seed = 1000 + section;
    int accepted = 0;
    bool sound = true, one_spelling = true;
    image_write(im, &good);
    struct section_span span = find_section(buf_view(&good), section);
    for (int i = 0; i < ROUNDS; i++) {
        struct arena a;
        struct image *back;
        struct image_fault why;
        arena_init(&a, 1 << 16);
        buf_clear(&b);
        buf_str(&b, buf_view(&good));
        for (uint64_t k = ok_random(&seed) % 3 + 1; k > 0; k--) {
            size_t at = span.at + ok_random(&seed) % span.n;
            uint64_t how = ok_random(&seed);
            b.p[at] = (char)(how % 2 ? b.p[at] + (int)(how >> 8) % 7 - 3 : (int)(how >> 8 & 0xff));
        }
        seal(&b);
        if (image_load(buf_view(&b), &a, &back, &why) == ERR_OK) {
            accepted++;
            sound &= run_random_rows(back, ROWS, &seed);
            buf_clear(&again);
            image_write(back, &again);
            one_spelling &= str_eq(buf_view(&again), buf_view(&b));
        }
        arena_free(&a);
    }
    ok(sound, name, "a field left its type");
    ok(one_spelling, "every mutant that is accepted is spelled as the writer spells it", "%s: one is spelled otherwise", name);
    printf("# %s: %d of %d mutants accepted (%.1f %%)\n", name, accepted, ROUNDS, 100.0 * accepted / ROUNDS);
    buf_free(&good);
    buf_free(&b);
    buf_free(&again);
}

/* ---- in memory: declared cost and scratch follow, so that only the rules about meaning stand in the way ---- */

static uint16_t small_change(uint16_t v, uint16_t limit, uint64_t *seed)
{
    uint64_t r = ok_random(seed);
    if (r % 3 == 0) return (uint16_t)(v + 1);
    if (r % 3 == 1 && v > 0) return (uint16_t)(v - 1);
    return (uint16_t)(ok_random(seed) % (limit + 1u));
}

static void change_type(struct type *t, uint64_t *seed)
{
    switch (ok_random(seed) % 6) {
    case 0: t->optional = !t->optional; break;
    case 1: t->max_len += (uint32_t)(ok_random(seed) % 5) - 2; break;
    case 2: t->min_len += (uint32_t)(ok_random(seed) % 3) - 1; break;
    case 3: t->scale = (uint8_t)(t->scale + ok_random(seed) % 3 - 1); break;
    case 4: if (i128_add(t->hi, t->hi / 10 + 1, &t->hi)) t->hi = 0; break;
    default: t->hi /= 10; break;
    }
}

/* Now and then the body of the list site instead of the flow. */
static void change_something(struct image_flow *flow, struct image *im, uint64_t *seed)
{
    bool in_body = ok_random(seed) % 5 == 0;
    struct image_flow *f = in_body ? (struct image_flow *)flow->lines[0].body : flow;
    struct image_program *last = in_body ? &f->key_program : &f->adopt_program;
    struct image_program *p = ok_random(seed) % 8 ? &f->map : ok_random(seed) % 2 ? &f->when : last;
    uint16_t *code = (uint16_t *)p->code, *args = (uint16_t *)im->args;
    size_t word = ok_random(seed) % (p->ninstr * 4);
    switch (ok_random(seed) % 5) {
    case 0:
    case 1: code[word] = small_change(code[word], word % 4 == 0 ? OP_COUNT : f->nregisters < 100 ? 100 : (uint16_t)f->nregisters, seed); break;
    case 2: change_type((struct type *)f->registers[ok_random(seed) % f->nregisters], seed); break;
    case 3: word = ok_random(seed) % im->nargs; args[word] = (uint16_t)(ok_random(seed) % f->nregisters); break;
    default: change_type((struct type *)&f->columns[ok_random(seed) % f->ncolumns].type, seed); break;
    }
}

static void mutate_memory(void)
{
    uint64_t seed = 77;
    int accepted = 0;
    bool sound = true, same = true;
    struct buf b = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct arena a;
        struct image_fault why;
        arena_init(&a, 1 << 18);
        struct image *im = sample_image(&a), *back;
        struct image_flow *f = (struct image_flow *)im->flows;
        for (uint64_t k = ok_random(&seed) % 4 + 1; k > 0; k--) change_something(f, im, &seed);
        enum err e = image_verify(im, &a, &why);
        struct image_flow *b2 = (struct image_flow *)f->lines[0].body;
        struct image_program *const all[] = {&b2->when, &b2->map, &b2->key_program, &f->when, &f->map, &f->adopt_program};
        for (int k = 0; k < 6 && e != ERR_OK && (!strcmp(why.rule, "cost") || !strcmp(why.rule, "scratch")); k++) {
            image_bounds(im, k < 3 ? b2 : f, all[k]);                 /* passed every rule but these, so it is well-formed */
            e = image_verify(im, &a, &why);
        }
        if (e == ERR_OK) {
            accepted++;
            sound &= run_random_rows(im, ROWS, &seed);
            buf_clear(&b);
            image_write(im, &b);
            same &= image_load(buf_view(&b), &a, &back, &why) == ERR_OK;
        }
        arena_free(&a);
    }
    ok(sound, "what is accepted keeps its types", "a field left its type");
    ok(same, "what the verifier accepts in memory loads from bytes", "it does not");
    printf("# in memory: %d of %d mutants accepted (%.1f %%)\n", accepted, ROUNDS, 100.0 * accepted / ROUNDS);
    buf_free(&b);
}

int main(void)
{
    struct arena a;
    arena_init(&a, 1 << 18);
    struct image *im = sample_image(&a);
    uint64_t seed = 1;
    ok(run_random_rows(im, 2000, &seed), "the sample itself over 2,000 random rows", "a field left its type");
    mutate_bytes(im, 2, "bytes of the types");
    mutate_bytes(im, 5, "bytes of the constants");
    mutate_bytes(im, 6, "bytes of the tables");
    mutate_bytes(im, 8, "bytes of the argument lists");
    mutate_bytes(im, 9, "bytes of the flows");
    mutate_bytes(im, 10, "bytes of the code");
    mutate_memory();
    arena_free(&a);
    return ok_done();
}
