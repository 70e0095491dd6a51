/* cmd_setup.c - ping, auth, secret: getting a new installation to work. Secrets come from stdin, never from arguments or the environment. */
#include "cli/cli.h"
#include "connectors/connector.h"
#include "connectors/zoho/auth.h"
#include "secret/secret.h"
#include "sync/act.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { RELOAD_MS = 15000 };

/* ---- ping ---- */
struct pinging { const struct cli *c; unsigned fails; };

static void on_finding(void *ctx, const struct finding *fi)
{
    struct pinging *p = ctx;
    static const char *const marks[] = {"ok", "warn", "FAIL"};
    p->fails += fi->level == FINDING_FAIL;
    if (p->c->json) {
        struct buf b = {0};
        buf_printf(&b, "{\"level\":\"%s\",\"ms\":%lld,\"what\":", marks[fi->level], (long long)fi->elapsed_ms);
        json_put_string(&b, str_of(fi->what));
        buf_puts(&b, ",\"text\":");
        json_put_string(&b, str_of(fi->text ? fi->text : ""));
        buf_puts(&b, "}\n");
        fwrite(b.p, 1, b.n, stdout);
        buf_free(&b);
        return;
    }
    printf("%-5s %6lld ms  %-28s %s\n", marks[fi->level], (long long)fi->elapsed_ms, fi->what, fi->text ? fi->text : "");
    fflush(stdout);
}

int cmd_ping(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct pinging p = {c, 0};
    struct finding_sink sink = {on_finding, &p};
    struct engine_options o = cli_engine_options(c);
    o.dry = o.beside = true;
    enum err err = engine_open(&e, &c->world, &o, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = engine_ping(e, &sink, &f);
    engine_close(e);
    if (err != ERR_OK) return cli_fail(c, &f);
    return p.fails ? 3 : 0;
}

/* ---- stdin ---- */
enum { SECRET_MAX = 64 * 1024 };

/* All of stdin, without the last line end; echo is off on a terminal. The caller wipes it. */
static bool read_stdin(const char *prompt, struct buf *out)
{
    struct termios was;
    bool term = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
    if (term) {
        struct termios quiet = was;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fprintf(stderr, "%s (end with Ctrl-D): ", prompt);
    }
    char *p = buf_reserve(out, SECRET_MAX + 1);
    out->n = fread(p, 1, SECRET_MAX + 1, stdin);
    if (term) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
        fputc('\n', stderr);
    }
    while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r')) out->n--;
    return out->n > 0 && out->n <= SECRET_MAX;
}

static void wipe(struct buf *b)
{
    secret_wipe((struct str){b->p, b->cap});
    buf_free(b);
}

/* A running mlcd reads settings and credentials when it loads its spec: it is asked to do so, so that nobody has to think of it. */
static void tell_running(struct cli *c)
{
    struct act a = {.verb = ACT_RELOAD, .by = str_of(c->by)};
    struct act_result r;
    struct fault f;
    if (!act_somebody_runs(&c->world, c->state)) return;
    if (act_hand_over(&c->world, c->state, &a, 1, RELOAD_MS, &r, &f) == ERR_OK && r.err == ERR_OK) fputs("the running mlcd reads it now\n", stderr);
    else fputs("the running mlcd is busy and did not answer; send it SIGHUP, or it reads this at its next start\n", stderr);
}

/* ---- secret ---- */
static void on_name(void *arg, const char *name)
{
    const struct cli *c = arg;
    if (strncmp(name, "state.", 6) == 0) return;            /* what connectors keep: tokens */
    if (c->json) printf("{\"name\":\"%s\"}\n", name);
    else puts(name);
}

static int rotate(struct cli *c)
{
    struct engine_options o = cli_engine_options(c);
    struct secret_rotated r;
    struct fault f;
    enum err err = engine_rotate(&c->world, &o, c->by, &r, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (c->json) printf("{\"rotated\":true,\"values\":%llu,\"damaged\":%llu,\"by_hand\":%s}\n", (unsigned long long)r.values, (unsigned long long)r.damaged, r.by_hand ? "true" : "false");
    else printf("the master key was changed; %llu values are sealed anew\n", (unsigned long long)r.values);
    if (r.by_hand) fputs("when every state of this key file has been changed over, put the next key in its place and destroy the one before; until then both are needed\n", stderr);
    else fputs("backups made before open with the old key only, if you kept it\n", stderr);
    return r.damaged ? 3 : 0;
}

int cmd_secret(struct cli *c)
{
    const char *what = c->argc ? c->argv[0] : "";
    if (strcmp(what, "rotate") == 0 && c->argc == 1) return rotate(c);
    const char *name = c->argc > 1 ? c->argv[1] : NULL;
    bool set = strcmp(what, "set") == 0, list = strcmp(what, "list") == 0, rm = strcmp(what, "remove") == 0;
    if (!(list && c->argc == 1) && !((set || rm) && c->argc == 2)) {
        fprintf(stderr, "usage: mlcd secret set NAME < value | list | remove NAME | rotate\n");
        return 64;
    }
    struct secret_store *s = NULL;
    struct fault f;
    enum err err = (list ? secret_open_read : secret_open)(&s, &c->world, c->state, c->key_file, getenv("CREDENTIALS_DIRECTORY"), &f);
    if (list && err == ERR_NOT_FOUND) return 0;      /* nothing was sealed here yet */
    if (err != ERR_OK) return cli_fail(c, &f);
    struct buf value = {0};
    if (set && !read_stdin("value", &value)) err = fault_set(&f, ERR_USAGE, "the value on stdin is empty or longer than %d bytes", SECRET_MAX);
    else if (set) err = secret_put(s, name, buf_view(&value), &f);
    else if (rm) err = secret_remove(s, name, &f);
    else err = secret_list(s, on_name, c, &f);
    wipe(&value);
    secret_close(s);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (set) fprintf(stderr, "stored %s, sealed\n", name);
    if (set) tell_running(c);
    return 0;
}

/* ---- auth ---- */
static const char auth_usage[] =
    "usage: mlcd auth [TARGET] --image FILE.mlcb < grant\n\n"
    "The grant on stdin has three lines:\n"
    "  client_id=1000.ABC...\n  client_secret=...\n  code=1000...          (a grant code of a self client; lives minutes, works once)\n"
    "or, instead of code:\n  refresh_token=1000...\n";

static struct str line_value(struct str text, const char *name)
{
    size_t n = strlen(name);
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = str_trim((struct str){text.p, nl ? (size_t)(nl - text.p) : text.n});
        if (line.n > n && memcmp(line.p, name, n) == 0 && line.p[n] == '=') return str_trim((struct str){line.p + n + 1, line.n - n - 1});
        text = nl ? (struct str){nl + 1, text.n - (size_t)(nl + 1 - text.p)} : (struct str){NULL, 0};
    }
    return (struct str){"", 0};
}

int cmd_auth(struct cli *c)
{
    struct engine *e;
    struct fault f;
    struct buf in = {0};
    struct engine_options o = cli_engine_options(c);
    o.dry = o.settings_only = o.beside = true;
    if (!read_stdin("client_id, client_secret, code", &in)) return fputs(auth_usage, stderr), 64;
    struct str text = buf_view(&in);
    struct zoho_grant g = {line_value(text, "client_id"), line_value(text, "client_secret"), line_value(text, "code"), line_value(text, "refresh_token")};
    if (!g.client_id.n || !g.client_secret.n || (g.code.n > 0) == (g.refresh_token.n > 0)) return wipe(&in), fputs(auth_usage, stderr), 64;
    enum err err = engine_open(&e, &c->world, &o, &f);
    if (err != ERR_OK) return wipe(&in), cli_fail(c, &f);
    struct arena a;
    struct zoho_granted out = {0};
    arena_init(&a, 0);
    /* `mlcd auth zoho` names the system; a spec with two Zoho targets is told apart by the block's name. */
    const char *name = c->argc && strcmp(c->argv[0], "zoho") != 0 ? c->argv[0] : NULL;
    const struct conn_env *env = engine_target_env(e, name ? name : "zoho_crm");
    err = env ? zoho_auth_exchange(env, &g, &a, &out, &f)
              : fault_set(&f, ERR_USAGE, "the spec has no target %s of Zoho CRM", name ? name : "block");
    wipe(&in);
    if (err == ERR_OK) {
        fprintf(stderr, "signed in; calls go to %.*s\n", (int)out.api_domain.n, out.api_domain.p);
        if (out.missing_scopes.n) fprintf(stderr, "these scopes are missing and will be asked for: %.*s\n", (int)out.missing_scopes.n, out.missing_scopes.p);
    }
    arena_free(&a);
    engine_close(e);
    if (err == ERR_OK) tell_running(c);
    return err == ERR_OK ? 0 : cli_fail(c, &f);
}
