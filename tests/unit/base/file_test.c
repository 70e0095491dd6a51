/* file_test.c - world_write_file under every power cut and failing call: the old content or the new one, and the new one once it has said so. */
#include "base/world.h"
#include "tests/fault/memdisk.h"
#include "tests/unit/value/ok.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

static const char *const old_text = "what stood there before", *const new_text = "what is to stand there, and is longer";

static struct world on(struct memdisk *d)
{
    struct world w = {0};
    memdisk_files(d, &w.files);
    return w;
}

static struct memdisk *with_old(void)
{
    struct memdisk *d = memdisk_new();
    struct world w = on(d);
    struct fault f;
    if (w.files.mkdir(w.files.ctx, "/d", 0700) != 0 || w.files.sync_dir(w.files.ctx, "/") != 0 || world_write_file(&w, "/d/file", str_of(old_text), 0600, &f) != ERR_OK) abort();
    memdisk_count_from(d);
    return d;
}

static bool holds(struct memdisk *d, const char *text)
{
    struct str s;
    return memdisk_content(d, "/d/file", &s) && str_is(s, text);
}

static const enum memdisk_loss losses[] = {MEMDISK_LOSE_ALL, MEMDISK_KEEP_ALL, MEMDISK_RANDOM};

static void test_power(uint64_t calls)
{
    for (uint64_t call = 1; call <= calls; call++) {
        bool good = true;
        for (size_t k = 0; k < 40 + 2; k++) {
            struct memdisk *d = with_old();
            struct world w = on(d);
            struct fault f = {ERR_OK, ""};
            memdisk_stop(d, call, k % 7);
            bool said = world_write_file(&w, "/d/file", str_of(new_text), 0600, &f) == ERR_OK;
            memdisk_crash(d, losses[k < 2 ? k : 2], k, 0);
            good = good && !said && (holds(d, old_text) || holds(d, new_text));
            memdisk_free(d);
        }
        char name[80];
        snprintf(name, sizeof name, "power off within call %llu: the old or the new", (unsigned long long)call);
        ok(good, name, "neither, or success was told");
    }
}

static void test_done(void)
{
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        struct memdisk *d = with_old();
        struct world w = on(d);
        struct fault f;
        bool said = world_write_file(&w, "/d/file", str_of(new_text), 0600, &f) == ERR_OK;
        memdisk_crash(d, losses[k], 3, 0);
        ok(said && holds(d, new_text), "what was said to be written survives", "loss %zu", k);
        memdisk_free(d);
    }
}

static void test_errors(uint64_t calls)
{
    for (uint64_t call = 1; call <= calls; call++) {
        struct memdisk *d = with_old();
        struct world w = on(d);
        struct fault f = {ERR_OK, ""};
        memdisk_fail(d, call, call % 2 ? EIO : ENOSPC, 3, true);
        bool said = world_write_file(&w, "/d/file", str_of(new_text), 0600, &f) == ERR_OK;
        char name[80];
        snprintf(name, sizeof name, "call %llu fails: told, with the name", (unsigned long long)call);
        ok(!said && strstr(f.text, "/d"), name, "%s", f.text);
        ok(holds(d, old_text) || holds(d, new_text), name, "neither content");
        memdisk_free(d);
    }
}

int main(void)
{
    struct memdisk *d = with_old();
    struct world w = on(d);
    struct fault f;
    bool good = world_write_file(&w, "/d/file", str_of(new_text), 0600, &f) == ERR_OK;
    uint64_t calls = memdisk_calls(d);
    ok(good && calls >= 4, "a file is replaced", "%llu calls", (unsigned long long)calls);
    memdisk_free(d);
    test_power(calls);
    test_done();
    test_errors(calls);
    return ok_done();
}
