/* world_check.c - compares what Zoho holds with what it should hold; for end-to-end tests in shell.
 *
 *   world-check SPEC [sage:COMPANY:TABLE=FILE | zoho:MODULE=FILE]...
 *
 * sage files: answers of the agent, one page behind the other; zoho files: dumps of the model, or the answer with "users". Prints a line a difference and
 * "compared N records ..." at the end. Exit 0: none; 1: some; 2: something cannot be read. */
#include "tests/reference/reference_world.h"
#include <stdlib.h>

static bool each_text(struct ref_world *w, const char *path, const char *company, const char *name)
{
    FILE *f = fopen(path, "r");
    bool good = f != NULL;
    int c;
    while (good && (c = getc(f)) != EOF) {
        if (c == ' ' || c == '\n' || c == '\r') continue;
        ungetc(c, f);
        json_t *v = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
        good = v && (company ? world_rows(w, company, name, v) : world_records(w, name, v));
        json_decref(v);
    }
    if (f) fclose(f);
    return good;
}

static bool take(struct ref_world *w, char *arg)
{
    char *file = strchr(arg, '='), *table = NULL;
    if (file == NULL) return false;
    *file++ = 0;
    if (strncmp(arg, "zoho:", 5) == 0) return each_text(w, file, NULL, arg + 5);
    if (strncmp(arg, "sage:", 5) != 0 || (table = strchr(arg + 5, ':')) == NULL) return false;
    *table++ = 0;
    return each_text(w, file, arg + 5, table);
}

int main(int argc, char **argv)
{
    struct ref_world w;
    struct buf out = {0};
    bool good = argc > 2 && world_open(&w, argv[1]);
    if (!good) {
        fprintf(stderr, "world-check SPEC [sage:COMPANY:TABLE=FILE | zoho:MODULE=FILE]...\n");
        return 2;
    }
    for (int i = 2; i < argc && good; i++) {
        good = take(&w, argv[i]);
        if (!good) fprintf(stderr, "world-check: cannot read %s\n", argv[i]);
    }
    if (good) world_compare(&w, &out);
    fwrite(out.p, 1, out.n, stdout);
    const struct world_counts *n = &w.counts;
    if (good)
        printf("compared %llu records, %llu fields, %llu lines, %llu links, %llu rows into other records; %llu left, %llu gone from Sage, %llu set aside, %llu waiting; %llu differences\n",
               (unsigned long long)n->records, (unsigned long long)n->fields, (unsigned long long)n->lines, (unsigned long long)n->links, (unsigned long long)n->added,
               (unsigned long long)n->left, (unsigned long long)n->deleted, (unsigned long long)n->rejected, (unsigned long long)n->waiting, (unsigned long long)n->differences);
    int code = !good ? 2 : n->differences ? 1 : 0;
    world_close(&w);
    buf_free(&out);
    return code;
}
