/* mutate_programs_test.c - bytes of random programs' images are changed, checksums made right again; whatever the verifier still accepts runs over
 * random rows to its end: no ASSERT, no sanitizer report, no field outside of its type. At least 1 % of the mutants must be accepted.
 *
 *   MLC_RUNS programs (60) with MLC_MUTANTS mutants each (120). The sample image is tests/unit/vm/mutate_test.c's. */
#include "tests/reference/agree.h"
#include "tests/reference/generate.h"
#include "tests/unit/vm/random_rows.h"
#include <stdlib.h>

enum { HEADER = 48, SECTION_HEAD = 8, ROWS = 8 };
enum { TYPES = 2, CONSTS = 5, TABLES = 6, ARGS = 8, FLOWS = 9, CODE = 10, DEBUG = 11 };
struct section_span { size_t at, n; };

static struct section_span find_section(struct str file, uint32_t id)
{
    struct reader r = reader_of((struct str){file.p + HEADER, file.n - HEADER - HASH_BYTES});
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
    struct section_span debug = find_section(buf_view(b), DEBUG);
    struct hash h = hash_of((struct str){b->p + HEADER, debug.at - SECTION_HEAD - HEADER});
    memcpy(b->p + 16, h.b, HASH_BYTES);
    h = hash_of((struct str){b->p, b->n - HASH_BYTES});
    memcpy(b->p + b->n - HASH_BYTES, h.b, HASH_BYTES);
}

/* Small steps reach other registers, columns, constants; random bytes reach everything else. */
static void mutate(struct buf *b, struct section_span span, uint64_t *seed)
{
    for (uint64_t k = ok_random(seed) % 3 + 1; k > 0; k--) {
        uint64_t how = ok_random(seed);
        size_t at = span.at + ok_random(seed) % span.n, from = span.at + ok_random(seed) % span.n;
        if (how % 8 == 0) b->p[at] = b->p[from];
        else if (how % 8 == 1) b->p[at] = (char)(how >> 8 & 0xff);
        else if (how % 8 == 2 && span.n >= 16 && at + 8 <= span.at + span.n && from + 8 <= span.at + span.n) memmove(b->p + at, b->p + from, 8);
        else b->p[at] = (char)(b->p[at] + (int)(how >> 8) % 7 - 3);
    }
}

struct tally { uint64_t mutants, accepted[DEBUG + 1], tried[DEBUG + 1], programs; bool sound; };

static void one_program(uint64_t seed, uint64_t mutants, struct tally *t)
{
    static const uint32_t sections[] = {TYPES, CONSTS, TABLES, ARGS, FLOWS, CODE, CODE, CODE};
    struct agree a;
    struct buf spec = {0}, csv = {0}, good = {0}, b = {0};
    uint64_t rng = seed;
    generate(seed, &spec, &csv);
    if (agree_open(&a, &spec, &csv, PLANT_NONE)) {
        t->programs++;
        image_write(a.im, &good);
        for (uint64_t i = 0; i < mutants; i++) {
            struct arena mem;
            struct image *back;
            struct image_fault why;
            uint32_t section = sections[ok_random(&rng) % 8];
            struct section_span span = find_section(buf_view(&good), section);
            if (span.n == 0) continue;
            arena_init(&mem, 0);
            buf_clear(&b);
            buf_str(&b, buf_view(&good));
            mutate(&b, span, &rng);
            seal(&b);
            t->mutants++;
            t->tried[section]++;
            if (image_load(buf_view(&b), &mem, &back, &why) == ERR_OK) {
                t->accepted[section]++;
                t->sound &= run_random_rows(back, ROWS, &rng);
            }
            arena_free(&mem);
        }
    }
    agree_close(&a);
    buf_free(&good);
    buf_free(&b);
}

static uint64_t number_of(const char *name, uint64_t fallback)
{
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : fallback;
}

int main(void)
{
    uint64_t runs = number_of("MLC_RUNS", 60), mutants = number_of("MLC_MUTANTS", 120), accepted = 0;
    struct tally t = {.sound = true};
    for (uint64_t i = 1; i <= runs; i++) one_program(i, mutants, &t);
    for (unsigned s = 0; s <= DEBUG; s++) {
        accepted += t.accepted[s];
        if (t.tried[s]) printf("# section %2u: %llu of %llu mutants accepted\n", s, (unsigned long long)t.accepted[s], (unsigned long long)t.tried[s]);
    }
    printf("# %llu programs, %llu mutants, %llu accepted (%.1f %%)\n", (unsigned long long)t.programs, (unsigned long long)t.mutants, (unsigned long long)accepted,
           100.0 * (double)accepted / (double)t.mutants);
    ok(t.sound, "mutants of random programs that the verifier accepts run to their end", "a field left its type");
    ok(accepted * 100 >= t.mutants && t.mutants > 0, "at least 1 % of the mutants are accepted", "%llu of %llu", (unsigned long long)accepted, (unsigned long long)t.mutants);
    return ok_done();
}
