/* cmd_eval.c - mlc eval: JSON lines in, JSON lines out, one for one, in order. A line that is no JSON object is named on stderr, gives
 * {"error":"..."} in its place, and the rest goes on; the exit code then is 3. */
#include "compiler/cli/cli.h"
#include "compiler/rows.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

/* All of standard input in blocks; each whole line goes through r, the answers leave in blocks too. */
static int eval_lines(const struct image *im, const struct image_flow *f)
{
    struct rows *r = rows_open(im, f);
    struct buf in = {0}, out = {0};
    char why[200];
    size_t number = 0, searched = 0;                     /* searched: bytes of the first line that hold no line end */
    ssize_t got;
    int rc = EXIT_FINE;
    do {
        got = read(STDIN_FILENO, buf_reserve(&in, BLOCK), BLOCK);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            perror("mlc eval: reading standard input");
            rc = EXIT_DATA;
        }
        if (got > 0) in.n += (size_t)got;
        const char *p = in.p, *end = in.p + in.n, *stop;
        while (p < end && ((stop = memchr(p + searched, '\n', (size_t)(end - p) - searched)) || got == 0)) {
            if (!stop) stop = end;                       /* the last line may lack its end */
            struct str line = str_trim((struct str){p, (size_t)(stop - p)});
            p = stop < end ? stop + 1 : end;
            searched = 0;
            number++;
            if (line.n == 0 || rows_line(r, line, &out, why, sizeof why)) continue;
            fprintf(stderr, "mlc eval: line %zu: %s\n", number, why);
            rc = rc == EXIT_FINE ? EXIT_FINDINGS : rc;
        }
        cli_write(&out);
        buf_clear(&out);
        memmove(in.p, p, (size_t)(end - p));
        in.n = searched = (size_t)(end - p);
    } while (got != 0 && rc != EXIT_DATA);
    buf_free(&in);
    buf_free(&out);
    rows_close(r);
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
