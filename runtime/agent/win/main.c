/* main.c - mlc-boi-agent.exe: the commands. */
#include "agent/win/win.h"
#include <shellapi.h>
#include <stdio.h>

static const char usage[] =
    "mlc-boi-agent.exe - reads Sage 100 for ml-connector (agent protocol v1); read-only\n\n"
    "  install [--home DIR] [--user NAME] [--companies ABC,XYZ] [--listen URL]\n"
    "             writes agent.ini and a token, installs the service\n"
    "  login      asks for the password of the Sage user and seals it\n"
    "  check      tells in plain words what works and what to do about what does not\n"
    "  start      starts the service         stop   stops it         remove  removes it\n"
    "  run        runs in this window, for trying out\n"
    "  token      makes a new token and shows it once; --stdin takes one from the input\n"
    "  epoch ABC  after company ABC was copied, restored or converted: readers compare everything once\n"
    "  version\n\n"
    "  --dir DIR  where agent.ini is; standard: beside the program\n";

/* One line of the input, without an echo where it is a console. */
static struct str input_line(struct arena *a)
{
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    DWORD mode, got = 0;
    char text[400];
    size_t n = 0;
    bool console = GetConsoleMode(in, &mode);
    if (console) SetConsoleMode(in, mode & ~(DWORD)ENABLE_ECHO_INPUT);
    while (n < sizeof text && ReadFile(in, text + n, 1, &got, NULL) && got && text[n] != '\n') n++;
    if (console) SetConsoleMode(in, mode);
    if (n && text[n - 1] == '\r') n--;
    struct str s = {arena_copy(a, text, n), n};
    SecureZeroMemory(text, sizeof text);
    return s;
}

static int bad(const struct fault *f)
{
    printf("%s\n", f->text);
    return err_exit_code(f->err);
}

static int login(const wchar_t *dir)
{
    struct place p;
    struct fault f = {0};
    if (!place_open(&p, dir, PLACE_SECRETS, &f)) return bad(&f);
    printf("Password of the Sage user %.*s: ", (int)p.config.user.n, p.config.user.p);
    fflush(stdout);
    p.password = input_line(&p.arena);
    if (p.password.n == 0) {
        printf("\nno password was given; nothing is changed\n");
        return 1;
    }
    if (!place_save_secrets(&p, &f)) return bad(&f);
    printf("\nsealed in agent.secret; a running service takes it after stop and start\n");
    return 0;
}

static int token(const wchar_t *dir, bool from_input)
{
    static char fresh[49];
    struct place p;
    struct fault f = {0};
    bool had = place_open(&p, dir, PLACE_SECRETS, &f);
    place_random_text(fresh, 48);
    p.token = from_input ? str_trim(input_line(&p.arena)) : str_of(fresh);
    if (p.token.n < 16) {
        printf("a token has at least 16 characters\n");
        return 1;
    }
    if (!had) p.password = STR("");
    if (!place_save_secrets(&p, &f)) return bad(&f);
    if (!from_input) printf("The token, shown once; hand it to the people who run ml-connector:\n    %s\n", fresh);
    printf("a running service takes it after stop and start%s\n", had ? "" : "; the password of the Sage user must be given again: mlc-boi-agent.exe login");
    return 0;
}

static int epoch(const wchar_t *dir, const char *code)
{
    struct place p;
    struct fault f = {0};
    if (!place_open(&p, dir, PLACE_CONFIG, &f)) return bad(&f);
    for (unsigned i = 0; i < p.config.ncompanies; i++)
        if (str_is(p.config.company[i], code)) {
            if (!place_renew_epoch(&p, i, &f)) return bad(&f);
            printf("company %s has a new epoch; a running service takes it after stop and start\n", code);
            return 0;
        }
    printf("agent.ini names no company %s\n", code);
    return 1;
}

static int child(struct place *p, const char *code)
{
    for (unsigned i = 0; i < p->config.ncompanies; i++)
        if (str_is(p->config.company[i], code)) return child_main(p, p->config.company[i], p->epoch[i]);
    return 2;
}

static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 2; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return argv[i + 1];
    return NULL;
}

/* Arguments as UTF-8, whatever the code page. */
static char **arguments(int *argc, struct arena *a)
{
    LPWSTR *wide = CommandLineToArgvW(GetCommandLineW(), argc);
    char **argv = ARENA_ARRAY(a, char *, *argc + 1);
    for (int i = 0; i < *argc; i++) argv[i] = (char *)(uintptr_t)place_narrow(a, wide[i]).p;
    LocalFree(wide);
    return argv;
}

int main(void)
{
    static struct place p;
    struct arena a;
    struct fault f = {0};
    int argc;
    arena_init(&a, 0);
    char **argv = arguments(&argc, &a);
    const char *what = argc > 1 ? argv[1] : "help", *dir_text = option(argc, argv, "--dir"), *company = option(argc, argv, "--company");
    const wchar_t *dir = dir_text ? place_wide(&a, str_of(dir_text)) : NULL;
    if (strcmp(what, "service") == 0) return service_main();
    if (strcmp(what, "start") == 0 || strcmp(what, "stop") == 0) return service_control(what);
    if (strcmp(what, "remove") == 0) return service_remove();
    if (strcmp(what, "login") == 0) return login(dir);
    if (strcmp(what, "token") == 0) return token(dir, argc > 2 && strcmp(argv[2], "--stdin") == 0);
    if (strcmp(what, "epoch") == 0 && argc > 2) return epoch(dir, argv[2]);
    if (strcmp(what, "version") == 0) return printf("mlc-boi-agent %s, %d bit, agent protocol 1\n", AGENT_VERSION, (int)sizeof(void *) * 8) < 0;
    if (strcmp(what, "install") == 0) return place_open(&p, dir, PLACE_BARE, &f) ? service_install(&p, argc - 2, argv + 2) : bad(&f);
    if (strcmp(what, "check") == 0) {
        bool opened = place_open(&p, dir, PLACE_SECRETS, &f);
        return check_main(&p, opened, &f);
    }
    if (strcmp(what, "run") == 0) return place_open(&p, dir, PLACE_SECRETS, &f) ? service_run(&p) : bad(&f);
    if (strcmp(what, "child") == 0 && company) return place_open(&p, dir, PLACE_SECRETS, &f) ? child(&p, company) : bad(&f);
    fputs(usage, stdout);
    return strcmp(what, "help") == 0 || strcmp(what, "--help") == 0 ? 0 : 64;
}
