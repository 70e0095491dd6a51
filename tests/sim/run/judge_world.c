// judge_world.c: see judge_world.h.
#include "judge_world.h"
#include "tests/reference/reference_world.h"

#include <stdio.h>

bool judge_world(const struct judge_world *j, const char *spec, uint64_t *differences, uint64_t *compared, char *text, size_t text_size)
{
    struct ref_world w;
    struct buf out = {0};
    bool good = world_open(&w, spec);
    for (size_t i = 0; i < j->ntables && good; i++)
        good = world_rows(&w, j->company, j->tables[i].name, j->tables[i].rows);
    for (size_t i = 0; i < j->nmodules && good; i++)
        good = world_records(&w, j->modules[i].name, j->modules[i].rows);
    if (good)
        world_compare(&w, &out);
    *differences = w.counts.differences;
    *compared = w.counts.records;
    (void)snprintf(text, text_size, "%.*s", out.n >= text_size ? (int)text_size - 1 : (int)out.n, out.n ? out.p : "");
    world_close(&w);
    buf_free(&out);
    return good;
}
