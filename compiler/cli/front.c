/* front.c - what the commands share: reporting, output, getting an image from a spec or a compiled file. */
#include "compiler/cli/cli.h"
#include <stdio.h>
#include <unistd.h>

int cli_report(struct cli *cli, struct compile *c)
{
    struct buf b = {0};
    bool text = cli->format == DIAG_FORMAT_TEXT;
    bool color = cli->color == COLOR_ALWAYS || (cli->color == COLOR_AUTO && diag_want_color(STDERR_FILENO));
    if (cli->own_output && !text && c->diags.nerrors == 0) return EXIT_FINE;
    if (!text || c->diags.n) diags_print(&c->diags, cli->format, text && color, &b);
    fwrite(b.p ? b.p : "", 1, b.n, text ? stderr : stdout);
    buf_free(&b);
    return c->diags.nerrors ? EXIT_FINDINGS : EXIT_FINE;
}

int cli_fail(const struct cli *cli, const struct fault *f)
{
    fprintf(stderr, "mlc %s: %s\n", cli->command, f->text[0] ? f->text : err_text(f->err));
    return err_exit_code(f->err);
}

void cli_write(const struct buf *b)
{
    if (b->n) fwrite(b->p, 1, b->n, stdout);
}

static bool compiled(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".mlcb") == 0;
}

static int load(struct cli *cli, struct compile *c, const char *path, struct image **image)
{
    struct str bytes;
    struct fault f = {0};
    struct image_fault why;
    memset(c, 0, sizeof *c);
    arena_init(&c->arena, 0);
    if (world_read_file(&cli->world, path, LIMIT_IMAGE_BYTES, &c->arena, &bytes, &f) != ERR_OK) return cli_fail(cli, &f);
    if (image_load(bytes, &c->arena, image, &why) == ERR_OK) return EXIT_FINE;
    *image = NULL;
    fprintf(stderr, "mlc %s: %s is not usable: %s: %s\n", cli->command, path, why.rule, why.text);
    return EXIT_DATA;
}

int cli_image(struct cli *cli, struct compile *c, const char *path, struct image **image)
{
    struct fault f = {0};
    *image = NULL;
    if (compiled(path)) return load(cli, c, path, image);
    if (compile_open(c, &cli->world, path, &f) != ERR_OK) return cli_fail(cli, &f);
    if (c->diags.nerrors == 0) *image = compile_image(c);
    return cli_report(cli, c);
}
