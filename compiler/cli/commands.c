/* commands.c - check, build, fmt, dis, dump, explain. */
#include "compiler/cli/cli.h"
#include "dsl/format.h"
#include "dsl/parse.h"
#include <stdio.h>

int cmd_check(struct cli *cli)
{
    struct compile c;
    struct fault f = {0};
    struct buf b = {0};
    int rc;
    if (compile_open(&c, &cli->world, cli->args[0], &f) != ERR_OK) rc = cli_fail(cli, &f);
    else {
        if (c.diags.nerrors == 0) compile_image(&c);      /* what only shows in the code: limits */
        rc = cli_report(cli, &c);
        if (cli->proof && rc == EXIT_FINE) proof_print(c.spec, &b);
        cli_write(&b);
    }
    buf_free(&b);
    compile_close(&c);
    return rc;
}

/* SPEC.mlc -> SPEC.mlcb */
static const char *output_path(struct cli *cli, struct arena *a)
{
    if (cli->output) return cli->output;
    size_t n = strlen(cli->args[0]);
    if (n > 4 && strcmp(cli->args[0] + n - 4, ".mlc") == 0) n -= 4;
    return arena_printf(a, "%.*s.mlcb", (int)n, cli->args[0]);
}

int cmd_build(struct cli *cli)
{
    struct compile c;
    struct image *im, *again;
    struct image_fault why;
    struct fault f = {0};
    struct buf bytes = {0};
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im) {
        image_write(im, &bytes);
        const char *path = output_path(cli, &c.arena);
        /* what mlcd will do with it */
        if (image_load(buf_view(&bytes), &c.arena, &again, &why) != ERR_OK) {
            fprintf(stderr, "mlc build: the written file does not load: %s: %s\n", why.rule, why.text);
            rc = EXIT_DATA;
        } else if (world_write_file(&cli->world, path, buf_view(&bytes), 0644, &f) != ERR_OK) rc = cli_fail(cli, &f);
        else if (cli->format == DIAG_FORMAT_TEXT) {
            char hex[2 * HASH_BYTES + 1];
            hash_hex(again->content.b, HASH_BYTES, hex);
            printf("%s  %s\n", hex, path);
        }
    }
    buf_free(&bytes);
    compile_close(&c);
    return rc;
}

static int fmt_result(struct cli *cli, struct compile *c, const struct buf *out)
{
    struct fault f = {0};
    bool same = str_eq(buf_view(out), c->source->text);
    if (cli->check) {
        if (!same) fprintf(stderr, "%s: not in the canonical layout; run mlc fmt\n", cli->args[0]);
        return same ? EXIT_FINE : EXIT_FINDINGS;
    }
    if (cli->output && strcmp(cli->output, "-") == 0) {
        cli_write(out);
        return EXIT_FINE;
    }
    if (!cli->output && same) return EXIT_FINE;
    const char *path = cli->output ? cli->output : cli->args[0];
    return world_write_file(&cli->world, path, buf_view(out), 0644, &f) == ERR_OK ? EXIT_FINE : cli_fail(cli, &f);
}

int cmd_fmt(struct cli *cli)
{
    struct compile c;
    struct fault f = {0};
    struct buf out = {0};
    int rc;
    if (compile_parse(&c, &cli->world, cli->args[0], &f) != ERR_OK) rc = cli_fail(cli, &f);
    else if (!format_source(c.source, &c.arena, &c.diags, &out)) {
        cli_report(cli, &c);
        rc = EXIT_FINDINGS;
    } else rc = fmt_result(cli, &c, &out);
    buf_free(&out);
    compile_close(&c);
    return rc;
}

int cmd_dis(struct cli *cli)
{
    struct compile c;
    struct image *im;
    struct buf out = {0};
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im) image_dis(im, &out);
    cli_write(&out);
    buf_free(&out);
    compile_close(&c);
    return rc;
}

int cmd_dump(struct cli *cli)
{
    struct compile c;
    struct fault f = {0};
    struct buf out = {0};
    const char *stage = cli->dump ? cli->dump : "ir";
    bool early = strcmp(stage, "tokens") == 0 || strcmp(stage, "ast") == 0;
    if (!early && strcmp(stage, "ir") != 0 && strcmp(stage, "code") != 0) {
        fprintf(stderr, "mlc dump: the stages are tokens, ast, ir and code, not %s\n", stage);
        return EXIT_USAGE;
    }
    enum err err = early ? compile_parse(&c, &cli->world, cli->args[0], &f) : compile_open(&c, &cli->world, cli->args[0], &f);
    int rc = err == ERR_OK ? EXIT_FINE : cli_fail(cli, &f);
    if (rc == EXIT_FINE) {
        struct image *im = !early && c.diags.nerrors == 0 ? compile_image(&c) : NULL;
        if (strcmp(stage, "tokens") == 0) parse_dump_tokens(c.source, &c.sources, &out);
        else if (early) ast_dump(&out, &c.ast->base, false);
        else if (im && strcmp(stage, "ir") == 0) lower_dump(&c.lowered, &out);
        else if (im) image_dis(im, &out);
        rc = cli_report(cli, &c);
    }
    cli_write(&out);
    buf_free(&out);
    compile_close(&c);
    return rc;
}

int cmd_explain(struct cli *cli)
{
    enum diag_code code;
    if (!diag_code_find(str_of(cli->args[0]), &code)) {
        fprintf(stderr, "mlc explain: there is no diagnostic %s\n", cli->args[0]);
        return EXIT_USAGE;
    }
    struct str page = diag_explain(code);
    if (page.n == 0) printf("%s %s has no page.\n", diag_code_text(code), diag_code_name(code));
    else fwrite(page.p, 1, page.n, stdout);
    return EXIT_FINE;
}
