/* main.c - mlcd: finds the command and runs it. Signals set flags; everything else is in the commands. */
#include "cli/cli.h"
#include "cli/sandbox.h"
#include "base/log.h"
#include "net/curl_http.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

volatile int cli_stop, cli_reload;

static void on_stop(int sig)   { (void)sig; cli_stop = 1; }
static void on_reload(int sig) { (void)sig; cli_reload = 1; }

static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_stop};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = on_reload;
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

/* Arena chunks and bodies of answers go back to the system when they are freed, for good: glibc would otherwise learn to keep them in its heap, and
 * the memory of a long run would creep up with what lies between them. */
static void keep_memory_small(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
}

static const struct { const char *name; cli_command run; } commands[] = {
#define COMMAND(name, function, args, text) {#name, function},
#include "cli/command.def"
#undef COMMAND
};

static void limit_calls(const struct cli *c)
{
    bool supervise = c->site && c->command == cmd_run;
    if (c->no_sandbox || cli_sanitized()) return;
    if (!sandbox_calls(supervise ? SANDBOX_SUPERVISE : SANDBOX_WORK)) log_warn("no filter of system calls: this kernel refuses it (%s)", strerror(errno));
}

int main(int argc, char **argv)
{
    struct cli c = {.program = "mlcd", .wait_ms = -1};
    cli_harden();
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        if (argc > 2 && cli_command_help(c.program, argv[2])) return 0;
        cli_help(c.program);
        return argc < 2 ? 64 : 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("mlcd 1.0.0");
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
            cli_command_help(c.program, argv[1]);
            return 0;
        }
        if (!cli_options(&c, argc - 2, argv + 2)) return 64;
        struct fault f;
        c.command = commands[i].run;
        limit_calls(&c);
        world_real(&c.world);
        if (curl_http_open(&c.world, &f) != ERR_OK) return cli_fail(&c, &f);
        catch_signals();
        keep_memory_small();
        c.terminal = isatty(STDOUT_FILENO) && !c.json && !c.quiet;
        int code = commands[i].run(&c);
        curl_http_close(&c.world);
        return fflush(stdout) == 0 ? code : 69;
    }
    fprintf(stderr, "mlcd: there is no command %s; mlcd help lists them\n", argv[1]);
    return 64;
}
