/* proc_test.c - real processes through the world table: their environment, output, exit codes and signals; and what the service manager hears. */
#include "base/world.h"
#include "tests/unit/value/ok.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct world w;
static char dir[200];

static const char *in_dir(const char *name)
{
    static char path[2][300];
    static unsigned turn;
    char *p = path[turn++ % 2];
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

/* Runs a shell line to its end, at most 10 s; its exit code. */
static int run(const char *script, const char *const *env, int sig)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct proc_start p = {argv, env, in_dir("log")};
    int64_t pid = 0, ended = 0;
    int code = -1;
    if (w.procs.spawn(w.procs.ctx, &p, &pid) != 0) return -1;
    if (sig) {
        w.clock.sleep_ms(w.clock.ctx, 200);
        w.procs.signal(w.procs.ctx, pid, sig);
    }
    for (int i = 0; i < 1000; i++) {
        int got = w.procs.reap(w.procs.ctx, &ended, &code);
        if (got == 1) return ended == pid ? code : -2;
        if (got < 0) return -3;
        w.clock.sleep_ms(w.clock.ctx, 10);
    }
    return -4;
}

static const char *log_text(void)
{
    static char text[2000];
    int fd = open(in_dir("log"), O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0) close(fd);
    unlink(in_dir("log"));
    return text;
}

static void test_processes(void)
{
    const char *env[] = {"GIVEN=two words", "INHERITED=no longer", NULL};
    setenv("INHERITED", "yes", 1);
    setenv("OTHER", "kept", 1);
    ok(run("exit 7", NULL, 0) == 7, "an exit code comes back", "%s", "another");
    ok(run("echo out; echo err >&2; cat", NULL, 0) == 0 && strcmp(log_text(), "out\nerr\n") == 0, "output and errors go to the log, input is empty", "%s", "something else");
    ok(run("echo $INHERITED-$OTHER", NULL, 0) == 0 && strcmp(log_text(), "yes-kept\n") == 0, "the environment is ours", "%s", "it is not");
    ok(run("echo $GIVEN-$INHERITED-$OTHER", env, 0) == 0 && strcmp(log_text(), "two words-no longer-kept\n") == 0, "but for what is given", "%s", "it is not");
    signal(SIGTERM, SIG_IGN);
    ok(run("sleep 60", NULL, SIGTERM) == 128 + SIGTERM, "a signal ends it, also one that we ignore", "%s", "it did not");
    signal(SIGTERM, SIG_DFL);
    run("echo one", NULL, 0);
    run("echo two", NULL, 0);
    const char *both = log_text();
    ok(strcmp(both, "one\ntwo\n") == 0, "the log grows", "%s", both);
    int64_t pid;
    int code;
    ok(w.procs.reap(w.procs.ctx, &pid, &code) == -1, "nothing is left", "%s", "something");
    const char *nobody[] = {"/no/such/program", NULL};
    struct proc_start p = {nobody, NULL, in_dir("log")};
    ok(w.procs.spawn(w.procs.ctx, &p, &pid) == -1 && errno == ENOENT, "a program that is not there is an error", "%d", errno);
}

static void test_manager(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char got[200] = "";
    char name[60];
    int len = snprintf(name, sizeof name, "@mlc-proc-test-%ld", (long)getpid());      /* an abstract name: no path is too long for it */
    memcpy(at.sun_path + 1, name + 1, (size_t)len - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ok(fd >= 0 && bind(fd, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) == 0, "a service manager listens", "%s", strerror(errno));
    unsetenv("NOTIFY_SOCKET");
    world_tell_manager(&w, "READY=1");
    ok(recv(fd, got, sizeof got - 1, MSG_DONTWAIT) < 0, "without $NOTIFY_SOCKET nothing is said", "%s", got);
    setenv("NOTIFY_SOCKET", name, 1);
    world_tell_manager(&w, "READY=1\nSTATUS=ready");
    ssize_t n = recv(fd, got, sizeof got - 1, MSG_DONTWAIT);
    ok(n > 0 && strcmp(got, "READY=1\nSTATUS=ready") == 0, "with it the words come as they are", "%zd %s", n, got);
    setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
    world_tell_manager(&w, "READY=1");
    ok(recv(fd, got, sizeof got - 1, MSG_DONTWAIT) < 0, "a manager that is gone is no error", "%s", "said");
    close(fd);
    struct world none = {.procs = {.ctx = NULL}};
    world_tell_manager(&none, "READY=1");
    ok(true, "a world without one is fine", "%s", "");
}

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/mlc-proc.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) return 2;
    world_real(&w);
    test_processes();
    test_manager();
    unlink(in_dir("log"));
    rmdir(dir);
    return ok_done();
}
