/* cmd_eval.c - mlc eval: JSON lines in, JSON lines out, one for one, in order. A line that is no JSON object is named on stderr, gives
 * {"error":"..."} in its place, and the rest goes on; the exit code then is 3. */
#include "compiler/cli/cli.h"
#include "compiler/rows.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>

static void put_error(struct buf *out, const char *why)
{
    buf_puts(out, "{\"error\":");
    json_put_string(out, str_of(why));
    buf_puts(out, "}\n");
}

static bool one(const struct image *im, const struct image_flow *f, struct vm *vm, struct str line, size_t number, struct arena *a, struct buf *out)
{
    struct value *cols = ARENA_ARRAY(a, struct value, f->ncolumns + 1);
    const char *violation;
    char why[160];
    if (!rows_read(f, line, a, cols, &violation, why, sizeof why)) {
        fprintf(stderr, "mlc eval: line %zu: %s\n", number, why);
        put_error(out, why);
        return false;
    }
    if (violation) rows_put_reject(out, str_of(violation));
    else rows_eval(vm, im, f, cols, out);
    return true;
}

static int eval_lines(const struct image *im, const struct image_flow *f)
{
    struct vm *vm = vm_new(im);
    struct arena a;
    struct buf out = {0};
    char *line = NULL;
    size_t cap = 0, number = 0;
    ssize_t n;
    int rc = EXIT_FINE;
    arena_init(&a, 0);
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        number++;
        struct str s = str_trim((struct str){line, (size_t)n});
        if (s.n == 0) continue;
        if (!one(im, f, vm, s, number, &a, &out)) rc = EXIT_FINDINGS;
        cli_write(&out);
        buf_clear(&out);
        arena_reset(&a);
    }
    if (ferror(stdin)) {
        perror("mlc eval: reading standard input");
        rc = EXIT_DATA;
    }
    free(line);
    buf_free(&out);
    arena_free(&a);
    vm_free(vm);
    return rc;
}

int cmd_eval(struct cli *cli)
{
    struct compile c;
    struct image *im;
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im) {
        const struct image_flow *f = image_flow_named(im, str_of(cli->args[1]));
        if (f) rc = eval_lines(im, f);
        else {
            fprintf(stderr, "mlc eval: %s has no flow %s; it has:", cli->args[0], cli->args[1]);
            for (size_t i = 0; i < im->nflows; i++) fprintf(stderr, " %.*s", (int)im->flows[i].name.n, im->flows[i].name.p);
            fputc('\n', stderr);
            rc = EXIT_USAGE;
        }
    }
    compile_close(&c);
    return rc;
}
