/* main.c - mlc: the compiler of .mlc specs and the tool of CI. It opens no network connection and no store. */
#include "compiler/cli/cli.h"
#include <stdio.h>

static const struct command commands[] = {
    {"check", "mlc check [--proof] [--format=FORMAT] SPEC", "says everything that is wrong with a spec",
     "  --proof          also print for every field: PROVED, GUARDED or ASSUMED, and why\n", 1, 1, cmd_check},
    {"build", "mlc build [-o FILE] [--format=FORMAT] SPEC", "compiles a spec to the file that mlcd runs",
     "  -o FILE          where to write (default: SPEC with .mlcb)\n", 1, 1, cmd_build},
    {"test", "mlc test [--coverage] [--min=PERCENT] [--format=text|json|github|junit] SPEC", "runs the tests that the spec holds",
     "  --coverage       also say which arms, sides of ??, conditions and rows of tables no test reaches, with their places\n"
     "  --min=PERCENT    exit 3 when less than that of the branches is reached\n", 1, 1, cmd_test},
    {"doc", "mlc doc [--html] [-o FILE] SPEC", "writes a spec's data dictionary for people, as Markdown or HTML",
     "  --html           one HTML file instead of Markdown\n  -o FILE          where to write (default: standard output)\n", 1, 1, cmd_doc},
    {"eval", "mlc eval SPEC FLOW < rows.jsonl", "maps rows, one JSON object a line, and prints what would be written",
     "  SPEC may be compiled (.mlcb). An output line is the record, {\"reject\":\"why\"} or {\"skip\":true}.\n", 2, 2, cmd_eval},
    {"fmt", "mlc fmt [--check] [-o FILE] SPEC", "lays a spec out in the canonical way",
     "  --check          change nothing; exit 3 when the layout differs\n  -o FILE          where to write (- is standard output; default: SPEC itself)\n",
     1, 1, cmd_fmt},
    {"dis", "mlc dis FILE", "lists the compiled program of a spec (.mlc or .mlcb)", "", 1, 1, cmd_dis},
    {"dump", "mlc dump --dump=tokens|ast|ir|code SPEC", "shows what a stage of the compiler sees", "  --dump=STAGE     which stage (default: ir)\n", 1, 1, cmd_dump},
    {"diff", "mlc diff [OPTIONS] OLD NEW", "says what a change of a spec means for cursors, records and values", cmd_diff_help, 1, 9, cmd_diff},
    {"explain", "mlc explain CODE", "prints the page of a diagnostic, such as E0412", "", 1, 1, cmd_explain},
};
enum { NCOMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out)
{
    fputs("usage: mlc COMMAND [OPTIONS] ...\n\n", out);
    for (size_t i = 0; i < NCOMMANDS; i++) fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`mlc COMMAND --help` says more. Exit codes: 0 fine, 3 findings, 64 usage, 65 data.\n", out);
}

static void help(const struct command *c)
{
    printf("usage: %s\n\n%s\n\n%s", c->usage, c->summary, c->options);
    if (c->run != cmd_diff)
        puts("  --format=FORMAT  diagnostics as text (default, to stderr), json, sarif, github (workflow commands) or junit (all to stdout)\n"
             "  --color=WHEN     text in colour: auto (default: on a terminal, unless NO_COLOR is set), always or never");
    puts("  --help           this text");
}

static int bad_usage(const struct command *c, const char *what, const char *arg)
{
    fprintf(stderr, "mlc %s: %s%s\nusage: %s\n", c->name, what, arg, c->usage);
    return EXIT_USAGE;
}

static bool color(const char *when, struct cli *cli)
{
    cli->color = strcmp(when, "always") == 0 ? COLOR_ALWAYS : strcmp(when, "never") == 0 ? COLOR_NEVER : COLOR_AUTO;
    return cli->color != COLOR_AUTO || strcmp(when, "auto") == 0;
}

/* One option; 0 = it was one, -1 = it was not, else the exit code. */
static int option(struct cli *cli, const struct command *c, char **argv, int argc, int *i)
{
    const char *arg = argv[*i];
    int own = c->run == cmd_diff ? cmd_diff_option(cli, argv, argc, i) : -1;
    if (own >= 0) return own;
    if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) cli->help = true;
    else if (strcmp(arg, "--proof") == 0 && c->run == cmd_check) cli->proof = true;
    else if (strcmp(arg, "--html") == 0 && c->run == cmd_doc) cli->html = true;
    else if (strcmp(arg, "--coverage") == 0 && c->run == cmd_test) cli->test.coverage = true;
    else if (strncmp(arg, "--min=", 6) == 0 && c->run == cmd_test) cli->test.min = arg + 6;
    else if (strcmp(arg, "--check") == 0 && c->run == cmd_fmt) cli->check = true;
    else if (strcmp(arg, "--json") == 0) cli->format = DIAG_FORMAT_JSON;
    else if (strncmp(arg, "--format=", 9) == 0) {
        if (!diag_format_find(str_of(arg + 9), &cli->format)) return bad_usage(c, "the formats are text, json, sarif, github and junit, not ", arg + 9);
    } else if (strncmp(arg, "--color=", 8) == 0) {
        if (!color(arg + 8, cli)) return bad_usage(c, "--color takes auto, always and never, not ", arg + 8);
    } else if (strncmp(arg, "--dump=", 7) == 0 && c->run == cmd_dump) cli->dump = arg + 7;
    else if (strcmp(arg, "-o") == 0 && (c->run == cmd_build || c->run == cmd_fmt || c->run == cmd_doc)) {
        if (++*i == argc) return bad_usage(c, "-o needs a file", "");
        cli->output = argv[*i];
    } else if (arg[0] == '-' && arg[1] != 0) return bad_usage(c, "no such option: ", arg);
    else return -1;
    return 0;
}

static int run(struct cli *cli, const struct command *c, int argc, char **argv)
{
    bool plain = false;
    for (int i = 2; i < argc; i++) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            continue;
        }
        int rc = plain ? -1 : option(cli, c, argv, argc, &i);
        if (rc > 0) return rc;
        if (rc == 0) continue;
        if (cli->nargs == c->most) return bad_usage(c, "too many arguments: ", argv[i]);
        cli->args[cli->nargs++] = argv[i];
    }
    if (cli->help) {
        help(c);
        return EXIT_FINE;
    }
    if (cli->nargs < c->least) return bad_usage(c, "an argument is missing", "");
    return c->run(cli);
}

int main(int argc, char **argv)
{
    struct cli cli = {.format = DIAG_FORMAT_TEXT};
    world_real(&cli.world);
    if (argc < 2) {
        usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_FINE;
    }
    for (size_t i = 0; i < NCOMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            cli.command = commands[i].name;
            int rc = run(&cli, &commands[i], argc, argv);
            if (fflush(stdout) == 0 && !ferror(stdout)) return rc;
            perror("mlc: writing to standard output");
            return rc ? rc : err_exit_code(ERR_IO);
        }
    fprintf(stderr, "mlc: no such command: %s\n\n", argv[1]);
    usage(stderr);
    return EXIT_USAGE;
}
