/* world_proc.c - real processes: started with a clean signal state, their own environment and a log file for what they say. */
#include "base/world.h"
#include "base/check.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

/* What this process has, but for the names that are given anew. The texts stay where they are. */
static char **merged(const char *const *extra)
{
    size_t n = 0, k = 0, more = 0;
    while (environ && environ[n]) n++;
    while (extra && extra[more]) more++;
    char **all = calloc(n + more + 1, sizeof *all);
    if (!all) check_no_memory();
    for (size_t i = 0; i < n; i++) {
        bool given = false;
        for (size_t m = 0; m < more && !given; m++) given = same_name(environ[i], extra[m]);
        if (!given) all[k++] = environ[i];
    }
    for (size_t m = 0; m < more; m++) all[k++] = (char *)(uintptr_t)extra[m];
    return all;
}

static int real_spawn(void *ctx, const struct proc_start *p, int64_t *pid)
{
    (void)ctx;
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    pid_t child = 0;
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&attr) != 0) check_no_memory();
    int rc = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0) rc = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, p->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (rc == 0) rc = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    if (rc == 0) rc = posix_spawnattr_setsigmask(&attr, &none);
    if (rc == 0) rc = posix_spawnattr_setsigdefault(&attr, &all);
    if (rc == 0) rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    char **env = merged(p->env);
    if (rc == 0) rc = posix_spawn(&child, p->argv[0], &files, &attr, (char *const *)(uintptr_t)p->argv, env);
    free(env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    *pid = child;
    errno = rc;
    return rc == 0 ? 0 : -1;
}

static int real_reap(void *ctx, int64_t *pid, int *code)
{
    (void)ctx;
    int status;
    pid_t got = waitpid(-1, &status, WNOHANG);
    if (got <= 0) return got == 0 ? 0 : -1;
    *pid = got;
    *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return 1;
}

static int real_signal(void *ctx, int64_t pid, int sig)
{
    (void)ctx;
    return kill((pid_t)pid, sig);
}

/* One datagram to the socket that systemd names; a name that begins with @ is an abstract one. */
static void real_tell_manager(void *ctx, const char *words)
{
    (void)ctx;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@')) return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@') to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    (void)!sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

void world_real_procs(struct world_procs *p)
{
    *p = (struct world_procs){real_spawn, real_reap, real_signal, real_tell_manager, NULL};
}
