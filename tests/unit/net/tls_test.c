/* tls_test.c - verification and additional trust, against `openssl s_server` on loopback with certificates made for this run. */
#include "net/curl_http.h"
#include "net/trust.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
static void check(bool good, const char *name, const char *why)
{
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    failures += !good;
}

static struct world w;
static struct arena arena;
static char dir[] = "/tmp/mlc-tls-XXXXXX";

static const char *in_dir(const char *name) { return arena_printf(&arena, "%s/%s", dir, name); }

static pid_t spawn(const char *const *argv, int out)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, 0);
    (void)dup2(out < 0 ? null : out, 1);
    (void)dup2(null, 2);
    (void)alarm(60);                    /* the program we become ends by itself */
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static bool run(const char *const *argv)
{
    int status = 0;
    pid_t pid = spawn(argv, -1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_certificate(const char *name, const char *alt)
{
    const char *key = in_dir(arena_printf(&arena, "%s.key", name)), *pem = in_dir(arena_printf(&arena, "%s.pem", name));
    return run((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                                     "-subj", "/CN=ml-connector test", "-addext", alt, "-keyout", key, "-out", pem, NULL});
}

/* Starts a server; its port, or 0. */
static unsigned serve(const char *name, pid_t *pid)
{
    int p[2];
    if (pipe(p) != 0) return 0;
    *pid = spawn((const char *const[]){"openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", in_dir(arena_printf(&arena, "%s.pem", name)), "-key",
                                       in_dir(arena_printf(&arena, "%s.key", name)), NULL}, p[1]);
    (void)close(p[1]);
    char text[400] = "";
    size_t n = 0;
    ssize_t got;
    char *colon = NULL;
    while (n < sizeof text - 1 && (got = read(p[0], text + n, 1)) == 1) {
        text[++n] = '\0';
        if (text[n - 1] != '\n') continue;
        char *accept = strstr(text, "ACCEPT ");
        if (accept) { colon = strrchr(accept, ':'); break; }
    }
    unsigned port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    /* the pipe stays open: s_server would die of its own output otherwise */
    return port;
}

static struct http_res get(unsigned port, const char *pool, const char *ca)
{
    struct http_req req = {.method = "GET", .url = arena_printf(&arena, "https://127.0.0.1:%u/", port), .pool = pool, .ca_file = ca,
                           .connect_timeout_ms = 5000, .total_timeout_ms = 10000, .max_body_bytes = 1u << 20};
    struct http_res res = {.outcome = HTTP_REFUSED};
    void *tag;
    if (w.http.start(w.http.ctx, &req, NULL) != 0) return res;
    for (int i = 0; i < 200; i++)
        if (w.http.wait(w.http.ctx, 1000, &arena, &res, &tag) != 0) break;
    return res;
}

int main(void)
{
    struct fault f = {ERR_OK, ""};
    pid_t good = 0, bad = 0;
    (void)alarm(60);
    (void)signal(SIGCHLD, SIG_DFL);
    arena_init(&arena, 0);
    world_real(&w);
    if (!run((const char *const[]){"openssl", "version", NULL})) {
        printf("ok tls: not run, there is no openssl program here\n");
        return 0;
    }
    if (!mkdtemp(dir) || curl_http_open(&w, &f) != ERR_OK || !make_certificate("good", "subjectAltName=IP:127.0.0.1") ||
        !make_certificate("bad", "subjectAltName=DNS:other.example")) {
        printf("not ok set-up: %s\n", f.text);
        return 1;
    }
    unsigned good_port = serve("good", &good), bad_port = serve("bad", &bad);
    struct http_res r = get(good_port, "a", NULL);
    check(good_port && r.outcome == HTTP_NOT_SENT, "an unknown certificate is refused before anything is sent", r.error);
    r = get(good_port, "a", in_dir("good.pem"));
    check(r.outcome == HTTP_ANSWERED && r.status == 200 && r.tls_ms >= 0, "and accepted with additional trust", r.error);
    r = get(good_port, "a", NULL);
    check(r.outcome == HTTP_NOT_SENT, "additional trust holds for its own calls only", r.error);
    r = get(bad_port, "a", in_dir("bad.pem"));
    check(bad_port && r.outcome == HTTP_NOT_SENT, "a trusted certificate of another name is refused", r.error);
    r = get(good_port, "a", in_dir("missing.pem"));
    check(r.outcome == HTTP_REFUSED, "a file of trust that is not there", r.error);
    r = get(good_port, "a", in_dir("good.key"));
    check(r.outcome == HTTP_REFUSED, "a file of trust without a certificate", r.error);
    struct trust t = {.n = 0};
    struct str both, extra;
    bool read = trust_bundle(&t, &w, in_dir("good.pem"), &both) && world_read_file(&w, in_dir("good.pem"), 1u << 20, &arena, &extra, &f) == ERR_OK;
    check(read && both.n > extra.n && memmem(both.p, both.n, extra.p, extra.n), "the bundle holds ours beside the system's", "not");
    trust_free(&t);
    if (good > 0) { (void)kill(good, SIGTERM); (void)waitpid(good, NULL, 0); }
    if (bad > 0) { (void)kill(bad, SIGTERM); (void)waitpid(bad, NULL, 0); }
    static const char *const files[] = {"good.key", "good.pem", "bad.key", "bad.pem"};
    for (size_t i = 0; i < 4; i++) (void)unlink(in_dir(files[i]));
    (void)rmdir(dir);
    curl_http_close(&w);
    arena_free(&arena);
    return failures ? 1 : 0;
}
