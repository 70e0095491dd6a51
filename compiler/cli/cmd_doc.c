/* cmd_doc.c - mlc doc: the data dictionary of a spec, as Markdown or as HTML in one file. */
#include "compiler/cli/cli.h"
#include "compiler/doc/doc.h"
#include <stdio.h>

int cmd_doc(struct cli *cli)
{
    struct compile c;
    struct image *im;
    struct fault f = {0};
    struct buf out = {0};
    cli->own_output = true;
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im && c.spec && im->nflows == 0) {
        fprintf(stderr, "mlc doc: %s has no flow: there is nothing to describe\n", cli->args[0]);
        rc = EXIT_FINDINGS;
    } else if (im && c.spec) {
        doc_write(&c, cli->html, &out);
        if (!cli->output || strcmp(cli->output, "-") == 0) cli_write(&out);
        else if (world_write_file(&cli->world, cli->output, buf_view(&out), 0644, &f) != ERR_OK) rc = cli_fail(cli, &f);
    } else if (im) {
        fprintf(stderr, "mlc doc: a compiled file has lost the words: give the spec\n");
        rc = EXIT_USAGE;
    }
    buf_free(&out);
    compile_close(&c);
    return rc;
}
