/* cli.h - mlcd: options, output, and one function per command. */
#ifndef CLI_CLI_H
#define CLI_CLI_H
#include "base/world.h"
#include "sync/engine.h"
#include "sync/view.h"

struct cli;
typedef int (*cli_command)(struct cli *c);
struct cli {
    struct world world;
    const char *program;
    cli_command command;
    const char *state, *shared, *image, *flow, *key_file, *by;
    const char *from, *to, *kind, *key;         /* audit show */
    const char *checkpoints;                    /* audit verify, check */
    const char *erased_from;                    /* restore */
    const char *cause;                          /* replay */
    const char *site;                           /* run, status: many integrations */
    const char *out;                            /* pull: where the lock files go */
    bool json, detailed, create_all, full, from_log, recreate, quiet, sealed, create, yes;
    bool csv, totals, repair, estimate, no_lines, due;        /* reconcile, report */
    int64_t wait_ms, settle_ms;                 /* -1, 0 = default */
    int64_t page, batch, map_mib, at_once;
    int argc; char **argv;                      /* what is left behind the command */
    bool terminal;                              /* stdout is one: progress may be drawn */
    bool no_sandbox;
};

/* Reads options up to the end of argv; positional arguments stay in argc, argv. False: said what is wrong. */
bool cli_options(struct cli *c, int argc, char **argv);
void cli_help(const char *program);
bool cli_command_help(const char *program, const char *name);
/* Says the fault on stderr (or as JSON on stdout) and gives the exit code. */
int cli_fail(const struct cli *c, const struct fault *f);
/* Options of the engine out of the command line. */
struct engine_options cli_engine_options(const struct cli *c);
enum err cli_open(struct cli *c, struct engine **e, bool dry, struct fault *f);
enum err cli_view(struct cli *c, struct view **v, struct fault *f);
struct act;
/* Does acts, here or through the running mlcd, writes what became due, and says what became of it. head: "replayed". */
int cli_act(struct cli *c, const struct act *acts, size_t n, const char *head);
extern volatile int cli_stop, cli_reload;

/* harden.c: no core dumps, no debugger of the same account. Before anything is read. */
void cli_harden(void);
/* Whether this is a build of the sanitizers, which look into the process themselves. */
bool cli_sanitized(void);
/* open.c: from here on files are opened only where this state, its spec and the libraries have them (sandbox.h). */
void cli_limit_files(const struct cli *c, const struct engine *e);

/* cmd_site.c: run and status with --site. */
int site_run_command(struct cli *c);
int site_status_command(struct cli *c);

/* progress.c */
void progress_show(void *ctx, const struct engine_progress *p);
void progress_end(void);

#define COMMAND(name, function, args, text) int function(struct cli *c);
#include "cli/command.def"
#undef COMMAND
#endif
