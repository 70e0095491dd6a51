/* cli.h - mlc's commands and what they share: options, the front half of every command, output. */
#ifndef COMPILER_CLI_H
#define COMPILER_CLI_H
#include "compiler/compile.h"

/* Exit codes. Findings are what the program is asked to find: errors of a spec, a failing test, a file that fmt would change, a bad row. */
enum { EXIT_FINE = 0, EXIT_FINDINGS = 3, EXIT_USAGE = 64, EXIT_DATA = 65 };

struct cli {
    struct world world;
    const char *command;
    /* options */
    enum diag_format format;
    enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
    bool proof, check, help, html;
    const char *output, *dump;
    const char *args[9]; size_t nargs;     /* what is no option */
    bool own_output;                       /* with a format for tools the result is one document: no diagnostics in front of it while there is a result */
    struct { bool coverage; const char *min; } test;
    struct { const char *format, *fail_on, *approvals, *flow, *approve, *by; } diff;
};
struct command {
    const char *name, *usage, *summary, *options;
    size_t least, most;                    /* number of arguments */
    int (*run)(struct cli *cli);
};

int cmd_check(struct cli *cli);
int cmd_build(struct cli *cli);
int cmd_fmt(struct cli *cli);
int cmd_test(struct cli *cli);
int cmd_eval(struct cli *cli);
int cmd_dis(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_dump(struct cli *cli);
int cmd_doc(struct cli *cli);
int cmd_diff(struct cli *cli);
/* One option of mlc diff at argv[*i]: 0 taken, -1 not one of its own, else the exit code. */
int cmd_diff_option(struct cli *cli, char **argv, int argc, int *i);
extern const char cmd_diff_help[];

/* Prints the diagnostics (text to stderr, JSON to stdout); the exit code: EXIT_FINDINGS when there is an error. */
int cli_report(struct cli *cli, struct compile *c);
/* "mlc check: text" on stderr; returns the exit code of the error. */
int cli_fail(const struct cli *cli, const struct fault *f);
void cli_write(const struct buf *b);
/* The image of a .mlc (compiled) or .mlcb (loaded). On failure *image is NULL, everything is reported, and the exit code comes back. The
 * image lives in c->arena; compile_close in every case. */
int cli_image(struct cli *cli, struct compile *c, const char *path, struct image **image);
#endif
