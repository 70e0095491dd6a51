/* sandbox_test.c - what a limited process may still do and what it may not. Each attempt is made in a process of its own, once without the limits, where
 * it must succeed (so that a refusal is the sandbox's and not the machine's), and once with them. */
#include "cli/sandbox.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures;
static char top[200];                   /* top/state, top/spec, top/out: the last is outside */

static const char *at(const char *name)
{
    static char path[8][400];
    static unsigned k;
    char *p = path[k++ % 8];
    snprintf(p, 400, "%s/%s", top, name);
    return p;
}

static int put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int rc = write(fd, "text", 4) == 4 && fdatasync(fd) == 0 ? 0 : errno;
    close(fd);
    return rc;
}

static int get(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}

static int look(const char *path)
{
    DIR *d = opendir(path);
    if (!d) return errno;
    closedir(d);
    return 0;
}

/* ---- attempts: 0, or errno ---- */
#define TRY(name, ...) static int name(void) { __VA_ARGS__ }
#define RC(call) return (call) >= 0 ? 0 : errno;

static int exits_with(pid_t pid)
{
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

/* Takes the place of the process, which then ends with 0. */
static int become_program(void)
{
    char *argv[] = {(char *)(uintptr_t)"true", NULL}, *env[] = {NULL};
    RC(execve("/bin/true", argv, env))
}

static int start_program(void)
{
    pid_t pid = fork();
    if (pid == 0) _exit(become_program());
    return pid > 0 ? exits_with(pid) : errno;
}

static int look_into(void)
{
    char a[8] = "abcdefg", b[8];
    struct iovec mine = {b, 8}, theirs = {a, 8};
    RC(process_vm_readv(getpid(), &mine, 1, &theirs, 1, 0))
}

static int writable_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

static int code_of_data(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 0;
    RC(mprotect(p, 4096, PROT_READ | PROT_EXEC))
}

static int memory_file(void) { RC(memfd_create("x", 0)) }

TRY(trace, RC(ptrace(PTRACE_TRACEME, 0, NULL, NULL)))
TRY(end_other, RC(kill(getppid(), 0)))
TRY(be_another, RC(setuid(getuid())))
TRY(link_soft, RC(symlink("/etc/passwd", at("state/soft"))))
TRY(link_hard, RC(link(at("state/old"), at("state/hard"))))
TRY(change_mode, RC(chmod(at("state/old"), 0644)))
TRY(change_root, RC(chdir("/") < 0 ? -1 : chroot(".")))
TRY(read_outside, return get(at("out/file"));)
TRY(write_outside, return put(at("out/new"));)
TRY(read_by_link, return get(at("state/way-out"));)
TRY(read_by_dots, return get(at("state/../out/file"));)
TRY(list_outside, return look(at("out"));)
TRY(unlink_outside, RC(unlink(at("out/gone"))))
TRY(mkdir_outside, RC(mkdir(at("out/dir"), 0700)))
TRY(move_out, RC(rename(at("state/old"), at("out/old"))))
TRY(move_in, RC(rename(at("out/file"), at("state/file"))))
TRY(write_spec, return put(at("spec/new"));)
TRY(read_proc, return get("/proc/self/environ");)
TRY(write_system, return put("/etc/mlcd-sandbox-test");)
TRY(program_of_state, int fd = open(at("state/old"), O_RDONLY | O_CLOEXEC); if (fd < 0) return errno; char *none[] = {NULL}; fexecve(fd, none, none); return errno == EACCES || errno == EPERM ? EPERM : 0;)

static void *open_there(void *arg)
{
    *(int *)arg = get(at("out/file"));
    return NULL;
}

static int thread_outside(void)
{
    pthread_t t;
    int rc = 0;
    if (pthread_create(&t, NULL, open_there, &rc) != 0) return 0;
    pthread_join(t, NULL);
    return rc;
}

/* ---- what the work needs ---- */
static int work_files(void)
{
    int rc = put(at("state/a"));
    if (rc == 0) rc = mkdir(at("state/sub"), 0700) == 0 && rename(at("state/a"), at("state/sub/b")) == 0 ? 0 : errno;
    if (rc == 0) rc = get(at("state/sub/b"));
    if (rc == 0) rc = look(at("state"));
    int fd = open(at("state/sub/b"), O_RDWR | O_CLOEXEC);
    if (rc == 0) rc = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 1 << 20) == 0 ? 0 : errno;
    void *p = rc == 0 ? mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (rc == 0) rc = p != MAP_FAILED && msync(p, 4096, MS_SYNC) == 0 ? 0 : errno;
    if (rc == 0) rc = unlink(at("state/sub/b")) == 0 && rmdir(at("state/sub")) == 0 ? 0 : errno;
    return rc ? rc : get(at("spec/x.mlcb"));
}

static int work_net(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    struct addrinfo *list = NULL, want = {.ai_socktype = SOCK_STREAM};
    int in = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(in, (struct sockaddr *)&a, n) != 0 || listen(in, 1) != 0 || getsockname(in, (struct sockaddr *)&a, &n) != 0 || connect(out, (struct sockaddr *)&a, n) != 0) return errno;
    if (getaddrinfo("localhost", "443", &want, &list) != 0) return 201;
    freeaddrinfo(list);
    return get("/etc/hosts");
}

static void *nothing(void *arg) { return arg; }
static int work_rest(void)
{
    pthread_t t;
    char dice[16];
    int n = 0, fds[2];
    if (pthread_create(&t, NULL, nothing, NULL) != 0 || pthread_join(t, NULL) != 0) return 202;
    if (getrandom(dice, sizeof dice, 0) != sizeof dice || pipe2(fds, O_CLOEXEC) != 0) return errno;
    n += get("/dev/urandom") + get("/dev/null");
    char *big = malloc(1 << 22);
    if (!big) return 203;
    memset(big, 1, 1 << 22);
    free(big);
    return n;
}

/* ---- running them ---- */
enum limits { NONE, CALLS, FILES, SUPERVISE };

static bool limit(enum limits l)
{
    const struct sandbox_place places[] = {{at("state"), true}, {at("spec/x.mlcb"), false}, {at("not/there"), true}, {NULL, true}};
    if (l == CALLS) return sandbox_calls(SANDBOX_WORK);
    if (l == SUPERVISE) return sandbox_calls(SANDBOX_SUPERVISE);
    if (l == FILES) return sandbox_calls(SANDBOX_WORK) && sandbox_files(places, sizeof places / sizeof *places);
    return true;
}

static void prepare(void)
{
    static const char *const dirs[] = {"", "state", "spec", "out"}, *const files[] = {"state/old", "spec/x.mlcb", "out/file", "out/gone"};
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    if (system(command) != 0) exit(2);
    for (size_t i = 0; i < 4; i++) (void)!mkdir(at(dirs[i]), 0700);
    for (size_t i = 0; i < 4; i++) (void)put(at(files[i]));
    (void)!symlink("../out/file", at("state/way-out"));
}

static int in_child(int (*attempt)(void), enum limits l)
{
    prepare();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!limit(l)) _exit(210);
        _exit(attempt() & 0xff);
    }
    return exits_with(pid);
}

/* what: refused with EPERM or EACCES (EXDEV where a file would be moved across the border). A control of 0 must be seen without the limits. */
static void refuses(const char *name, int (*attempt)(void), enum limits l, bool control)
{
    int open_rc = control ? in_child(attempt, NONE) : 0, rc = in_child(attempt, l);
    bool good = open_rc == 0 && (rc == EPERM || rc == EACCES || rc == EXDEV);
    if (good) printf("ok refuses %s\n", name);
    else printf("not ok refuses %s: without limits %d, with them %d (%s)\n", name, open_rc, rc, strerror(rc));
    failures += !good;
}

static void allows(const char *name, int (*attempt)(void), enum limits l)
{
    int rc = in_child(attempt, l);
    if (rc == 0) printf("ok allows %s\n", name);
    else printf("not ok allows %s: %d (%s)\n", name, rc, strerror(rc));
    failures += rc != 0;
}

static int fall(void) { abort(); }

int main(void)
{
    const char *tmp = getenv("TMPDIR");
    bool root = geteuid() == 0;
    snprintf(top, sizeof top, "%s/mlcd-sandbox.%ld", tmp && *tmp ? tmp : "/tmp", (long)getpid());
    if (in_child(work_rest, CALLS) == 210) {
        puts("ok this kernel has no filter of system calls; nothing to see");
        return 0;
    }
    const struct { const char *name; int (*attempt)(void); bool control; } calls[] = {
        {"execve", become_program, true}, {"ptrace", trace, true}, {"process_vm_readv", look_into, true}, {"kill of another", end_other, true}, {"setuid", be_another, true},
        {"memory that is written and executed", writable_code, true}, {"data made code", code_of_data, true}, {"memfd", memory_file, true}, {"symlink", link_soft, true},
        {"link", link_hard, true}, {"chmod", change_mode, true}, {"chroot", change_root, root}};
    static const struct { const char *name; int (*attempt)(void); bool control; } files[] = {
        {"a read outside", read_outside, true}, {"a write outside", write_outside, true}, {"a read through a link in the state", read_by_link, true},
        {"a read through ..", read_by_dots, true}, {"a look at a directory outside", list_outside, true}, {"unlink outside", unlink_outside, true},
        {"mkdir outside", mkdir_outside, true}, {"a file moved out", move_out, true}, {"a file moved in", move_in, true}, {"a write beside the spec", write_spec, true},
        {"/proc", read_proc, true}, {"a write below /etc", write_system, false}, {"a program in the state", program_of_state, false}, {"a thread's read outside", thread_outside, true}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) refuses(calls[i].name, calls[i].attempt, CALLS, calls[i].control);
    allows("files, network, threads under the filter of calls", work_rest, CALLS);
    allows("the supervisor its programs", start_program, SUPERVISE);
    allows("the supervisor its signals", end_other, SUPERVISE);
    refuses("the supervisor ptrace", trace, SUPERVISE, true);
    int ended = in_child(fall, CALLS);
    printf("%s abort under the filter ends the process%s\n", ended == 200 ? "ok" : "not ok", ended == 200 ? "" : ": it does not");
    failures += ended != 200;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
        puts("ok this kernel has no landlock; the rest cannot be seen here");
    } else {
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) refuses(files[i].name, files[i].attempt, FILES, files[i].control);
        allows("work with files", work_files, FILES);
        allows("work with the network", work_net, FILES);
        allows("the rest of the work", work_rest, FILES);
    }
    prepare();
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    if (system(command) != 0) failures++;
    return failures ? 1 : 0;
}
