/* options.c - the command line, and the help that is made of the same tables. */
#include "cli/cli.h"
#include "value/json.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_form { OPT_FLAG, OPT_TEXT, OPT_MS, OPT_NUMBER };
static const struct option_row { const char *name; enum option_form form; size_t at; const char *arg, *text; } rows[] = {
    {"--state", OPT_TEXT, offsetof(struct cli, state), "DIR", "the state directory (default: $MLCD_STATE, else ./state)"},
    {"--image", OPT_TEXT, offsetof(struct cli, image), "FILE", "the compiled spec (default: the one that ran here last)"},
    {"--flow", OPT_TEXT, offsetof(struct cli, flow), "NAME", "only this flow"},
    {"--shared", OPT_TEXT, offsetof(struct cli, shared), "DIR", "what several state directories share by grant: tokens, limits (default: $MLCD_SHARED)"},
    {"--key-file", OPT_TEXT, offsetof(struct cli, key_file), "FILE", "the master key, mode 0600 (default: $CREDENTIALS_DIRECTORY/mlc-key, else STATE/master.key)"},
    {"--json", OPT_FLAG, offsetof(struct cli, json), "", "JSON on stdout"},
    {"--quiet", OPT_FLAG, offsetof(struct cli, quiet), "", "no progress"},
    {"--detailed-exitcode", OPT_FLAG, offsetof(struct cli, detailed), "", "plan, status, dead, try, pull, prepare: exit 2 when there is a difference"},
    {"--full", OPT_FLAG, offsetof(struct cli, full), "", "once, plan: read the whole table, and look for what vanished"},
    {"--create-all", OPT_FLAG, offsetof(struct cli, create_all), "", "once, run: fill a module that already holds records without looking for candidates"},
    {"--wait", OPT_MS, offsetof(struct cli, wait_ms), "TIME", "once: how long to wait for retries and settling (default: settle + 30s)"},
    {"--settle", OPT_MS, offsetof(struct cli, settle_ms), "TIME", "how long an unanswered write rests before it is read back (default 2m)"},
    {"--page", OPT_NUMBER, offsetof(struct cli, page), "N", "rows per page of the source"},
    {"--batch", OPT_NUMBER, offsetof(struct cli, batch), "N", "records per write, at most 100"},
    {"--index-map", OPT_NUMBER, offsetof(struct cli, map_mib), "MIB", "size of the index's map (default 65536; sparse)"},
    {"--site", OPT_TEXT, offsetof(struct cli, site), "DIR", "run, status: many integrations, one in each folder of DIR; a process for each one that is due"},
    {"--at-once", OPT_NUMBER, offsetof(struct cli, at_once), "N", "run --site: processes at a time (default 4)"},
    {"--due", OPT_FLAG, offsetof(struct cli, due), "", "once: only what is due now by the schedule; what run --site starts"},
    {"--from-log", OPT_FLAG, offsetof(struct cli, from_log), "", "replay: from the last logged snapshot instead of a fresh read"},
    {"--recreate", OPT_FLAG, offsetof(struct cli, recreate), "", "replay, reconcile: make the record anew, it was deleted in the target"},
    {"--out", OPT_TEXT, offsetof(struct cli, out), "DIR", "pull: where the lock files go (default: where --image is, else here)"},
    {"--yes", OPT_FLAG, offsetof(struct cli, yes), "", "prepare: make what is shown"},
    {"--cause", OPT_TEXT, offsetof(struct cli, cause), "CAUSE", "replay: all records of a cause: its code from mlcd dead, or a part of its text"},
    {"--csv", OPT_FLAG, offsetof(struct cli, csv), "", "reconcile, report, dead, try: CSV on stdout"},
    {"--totals", OPT_FLAG, offsetof(struct cli, totals), "", "reconcile: records and amounts of each customer on both sides, for the end of a month"},
    {"--no-lines", OPT_FLAG, offsetof(struct cli, no_lines), "", "reconcile: leave lines out, which cost a call a record"},
    {"--repair", OPT_FLAG, offsetof(struct cli, repair), "", "reconcile: mark what differs to be written; with --recreate also what was deleted in the target"},
    {"--estimate", OPT_FLAG, offsetof(struct cli, estimate), "", "reconcile: say what it will cost, without a call"},
    {"--by", OPT_TEXT, offsetof(struct cli, by), "WHO", "who decides, for the log (default: $USER)"},
    {"--from", OPT_TEXT, offsetof(struct cli, from), "SEQ", "audit show, export: first entry; report: first month (2026-03) or day"},
    {"--to", OPT_TEXT, offsetof(struct cli, to), "SEQ", "audit show, export: last entry; report: last month or day"},
    {"--kind", OPT_TEXT, offsetof(struct cli, kind), "KIND", "audit show, export: only this kind, e.g. OUTCOME"},
    {"--key", OPT_TEXT, offsetof(struct cli, key), "KEY", "audit show, export: only this record"},
    {"--no-sandbox", OPT_FLAG, offsetof(struct cli, no_sandbox), "", "leave the process its system calls and files: for kernels and filesystems that cannot do with the limits"},
    {"--checkpoints", OPT_TEXT, offsetof(struct cli, checkpoints), "FILE", "audit verify, check: hold the log against these, which were kept elsewhere"},
    {"--erased-from", OPT_TEXT, offsetof(struct cli, erased_from), "OLD", "restore: another state directory, whose log tells what was erased since"},
    {"--public", OPT_FLAG, offsetof(struct cli, sealed), "", "audit show, export: without personal data"},
};

static const struct { const char *name, *args, *text; } commands[] = {
#define COMMAND(name, function, args, text) {#name, args, text},
#include "cli/command.def"
#undef COMMAND
};

void cli_help(const char *program)
{
    printf("usage: %s COMMAND [options]\n\nKeeps a CRM true to an ERP by a compiled spec (see mlc).\n\n", program);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %-9s %-23s %s\n", commands[i].name, commands[i].args, commands[i].text);
    puts("\noptions");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) printf("  %-20s %-5s %s\n", rows[i].name, rows[i].arg, rows[i].text);
    puts("\nexit codes: 0 done, 1 could not finish, 2 a difference exists (with --detailed-exitcode) or a run is held, 3 findings, 64 usage, 65 damaged data,\n"
         "69 unavailable, 75 busy: try again, 77 credentials or permission, 78 configuration");
}

bool cli_command_help(const char *program, const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) != 0) continue;
        printf("usage: %s %s %s [options]\n\n%s\n\noptions are the same for all commands: %s help; more in mlcd(1)\n", program, name, commands[i].args,
               commands[i].text, program);
        return true;
    }
    return false;
}

/* "250ms", "30s", "15m", "1h", "1d" or bare milliseconds. */
static bool parse_ms(const char *s, int64_t *out)
{
    static const struct { const char *unit; int64_t ms; } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1}};
    size_t digits = strspn(s, "0123456789");
    if (!str_to_i64((struct str){s, digits}, out)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(s + digits, units[i].unit) == 0) return !__builtin_mul_overflow(*out, units[i].ms, out);
    return false;
}

static bool set_option(struct cli *c, const struct option_row *r, const char *value)
{
    char *at = (char *)c + r->at;
    int64_t n;
    bool yes = true;
    switch (r->form) {
    case OPT_FLAG: memcpy(at, &yes, sizeof yes); return true;
    case OPT_TEXT: memcpy(at, &value, sizeof value); return true;
    case OPT_MS:     if (!parse_ms(value, &n)) break; memcpy(at, &n, sizeof n); return true;
    case OPT_NUMBER: if (!str_to_i64(str_of(value), &n)) break; memcpy(at, &n, sizeof n); return true;
    }
    fprintf(stderr, "mlcd: %s: %s is no %s\n", r->name, value, r->form == OPT_MS ? "time such as 30s or 2m" : "number");
    return false;
}

static const struct option_row *option_named(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0) return &rows[i];
    return NULL;
}

bool cli_options(struct cli *c, int argc, char **argv)
{
    c->argv = argv;
    c->argc = 0;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            c->argv[c->argc++] = argv[i];
            continue;
        }
        const char *eq = strchr(argv[i], '=');
        const struct option_row *r = option_named(argv[i], eq ? (size_t)(eq - argv[i]) : strlen(argv[i]));
        if (!r || (eq && r->form == OPT_FLAG)) {
            fprintf(stderr, "mlcd: there is no option %s; mlcd help lists them\n", argv[i]);
            return false;
        }
        const char *value = eq ? eq + 1 : NULL;
        if (r->form != OPT_FLAG && !value && i + 1 < argc) value = argv[++i];
        if (r->form != OPT_FLAG && !value) {
            fprintf(stderr, "mlcd: %s needs %s\n", r->name, r->arg);
            return false;
        }
        if (!set_option(c, r, value)) return false;
    }
    if (!c->state) c->state = getenv("MLCD_STATE") ? getenv("MLCD_STATE") : "state";
    if (!c->shared) c->shared = getenv("MLCD_SHARED");
    if (c->shared && !*c->shared) c->shared = NULL;
    if (!c->by) c->by = getenv("USER") ? getenv("USER") : "operator";
    if (c->at_once > 1000) {
        fprintf(stderr, "mlcd: --at-once is at most 1000\n");
        return false;
    }
    if (c->batch > 100 || c->page > 1000) {
        fprintf(stderr, "mlcd: --batch is at most 100, --page at most 1000\n");
        return false;
    }
    return true;
}

int cli_fail(const struct cli *c, const struct fault *f)
{
    progress_end();
    if (c->json) {
        struct buf b = {0};
        buf_printf(&b, "{\"error\":\"%s\",\"message\":", err_name(f->err));
        json_put_string(&b, str_of(f->text));
        buf_puts(&b, "}\n");
        fwrite(b.p, 1, b.n, stdout);
        buf_free(&b);
    }
    fprintf(stderr, "mlcd: %s\n", f->text);
    return err_exit_code(f->err);
}
