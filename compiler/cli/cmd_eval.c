/* cmd_eval.c - mlc eval: JSON lines in, JSON lines out, one for one, in order. A line that is no JSON object is named on stderr, gives
 * {"error":"..."} in its place, and the rest goes on; the exit code then is 3. */
#include "compiler/cli/cli.h"
#include "compiler/rows.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

/* Standard input, under way. */
struct input {
    struct buf bytes;
    size_t number, searched;         /* lines so far; bytes of the first line that hold no line end */
    bool ended, faults;
};

/* Every whole line of what is there through r, and at the end of input the last one too, which may lack its line end. */
static void eval_block(struct input *in, struct rows *r, struct buf *out)
{
    char why[200];
    const char *p = in->bytes.p, *end = p + in->bytes.n, *stop;
    size_t used;
    for (;; in->searched = 0, in->number++) {
        if (rows_next(r, (struct str){p, (size_t)(end - p)}, out, &used)) {
            p += used;
            continue;
        }
        stop = p < end ? memchr(p + in->searched, '\n', (size_t)(end - p) - in->searched) : NULL;
        if (!stop && (p == end || !in->ended)) break;
        if (!stop) stop = end;
        struct str line = str_trim((struct str){p, (size_t)(stop - p)});
        p = stop < end ? stop + 1 : end;
        if (line.n == 0 || rows_line(r, line, out, why, sizeof why)) continue;
        fprintf(stderr, "mlc eval: line %zu: %s\n", in->number + 1, why);
        in->faults = true;
    }
    in->bytes.n = in->searched = (size_t)(end - p);
    memmove(in->bytes.p, p, in->bytes.n);
}

/* All of standard input in blocks; the answers leave in blocks too. */
static int eval_lines(const struct image *im, const struct image_flow *f)
{
    struct rows *r = rows_open(im, f);
    struct input in = {.ended = false};
    struct buf out = {0};
    ssize_t got = 1;
    while (got > 0) {
        while ((got = read(STDIN_FILENO, buf_reserve(&in.bytes, BLOCK), BLOCK)) < 0 && errno == EINTR) {}
        if (got < 0) perror("mlc eval: reading standard input");
        in.ended = got == 0;
        if (got > 0) in.bytes.n += (size_t)got;
        eval_block(&in, r, &out);
        cli_write(&out);
        buf_clear(&out);
    }
    buf_free(&in.bytes);
    buf_free(&out);
    rows_close(r);
    return got < 0 ? EXIT_DATA : in.faults ? EXIT_FINDINGS : EXIT_FINE;
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
