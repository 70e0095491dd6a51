/* lock_fuzz.c - any bytes as zoho.lock and sage.lock: read by the compiler or refused with a place, and compared with a new pull. Two texts parted by 0xFF.
 * Checked besides not crashing: places lie inside of the text; a text has no differences to itself; a reader that takes it finds each entity by its name. */
#include "base/check.h"
#include "dsl/lock.h"
#include "sync/sync_private.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static void by_compiler(struct str text, enum lock_side side)
{
    struct arena a;
    struct lock l;
    struct lock_fault why = {0, ""};
    arena_init(&a, 4096);
    if (!lock_parse(text, side, &a, &l, &why)) ASSERT(why.text[0] && why.at <= text.n);
    else
        for (size_t i = 0; i < l.nmodules; i++) {
            ASSERT(l.modules[i].at <= text.n && lock_module(&l, l.modules[i].name));
            for (size_t k = 0; k < l.modules[i].nfields; k++) ASSERT(l.modules[i].fields[k].at <= text.n && lock_field(&l.modules[i], l.modules[i].fields[k].name));
        }
    arena_free(&a);
}

static void each(void *ctx, const struct pull_change *c)
{
    ASSERT(c->what[0] && c->entity.n > 0);
    ++*(uint64_t *)ctx;
}

static void by_pull(struct str old, struct str now, bool source)
{
    struct arena a;
    arena_init(&a, 4096);
    struct lockfile l = {.name = source ? "sage.lock" : "zoho.lock", .entities = source ? "tables" : "modules", .fields = source ? "columns" : "fields", .a = &a};
    uint64_t told = 0, n = 0;
    struct str *names;
    (void)lockdiff_list(&l, old, now, each, &told, &n);
    ASSERT(told == n);
    told = 0;
    (void)lockdiff_list(&l, old, old, each, &told, &n);
    ASSERT(told == 0 && n == 0);
    ASSERT(lockdiff_entities(&l, old, &names) <= old.n);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    struct str old = {(const char *)data + 1, n - 1}, now = {"", 0};
    const char *cut = memchr(old.p, 0xFF, old.n);
    if (cut) {
        now = (struct str){cut + 1, old.n - (size_t)(cut + 1 - old.p)};
        old.n = (size_t)(cut - old.p);
    }
    by_compiler(old, data[0] & 1 ? LOCK_SOURCE : LOCK_TARGET);
    by_pull(old, now, data[0] & 1);
    return 0;
}
