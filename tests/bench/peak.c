/* peak.c - runs a command and says what it took, for the bench.
 *
 *     bench-peak OUT COMMAND...      OUT: {"status","wall_ms","user_ms","sys_ms","anon_kib","samples"}
 *
 * anon_kib is the highest RssAnon of the command seen in /proc/PID/status, looked at every millisecond, since some of it is there no longer: memory that is
 * the process's own, without the pages of the index's map, which belong to the page cache. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_NS = 1000000 };

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* KiB of private memory, -1 when the process is gone or has not started. */
static long anon_kib(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) return -1;
    text[n] = '\0';
    const char *at = strstr(text, "RssAnon:");
    return at ? strtol(at + 8, NULL, 10) : -1;
}

static int report(const char *out, int status, int64_t wall_ms, const struct rusage *u, long peak, unsigned long samples)
{
    FILE *f = fopen(out, "w");
    if (!f) {
        fprintf(stderr, "bench-peak: %s: %s\n", out, strerror(errno));
        return 125;
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(f, "{\"status\":%d,\"wall_ms\":%lld,\"user_ms\":%lld,\"sys_ms\":%lld,\"anon_kib\":%ld,\"samples\":%lu}\n", code, (long long)wall_ms,
            (long long)u->ru_utime.tv_sec * 1000 + u->ru_utime.tv_usec / 1000, (long long)u->ru_stime.tv_sec * 1000 + u->ru_stime.tv_usec / 1000, peak,
            samples);
    return fclose(f) == 0 ? code : 125;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fputs("usage: bench-peak OUT COMMAND...\n", stderr);
        return 125;
    }
    int64_t start = mono_ms();
    pid_t pid = fork();
    if (pid < 0) {
        perror("bench-peak: fork");
        return 125;
    }
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "bench-peak: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    long peak = 0;
    unsigned long samples = 0;
    int status = 0;
    struct rusage used = {0};
    while (wait4(pid, &status, WNOHANG, &used) == 0) {
        long now = anon_kib(pid);
        if (now > peak) peak = now;
        samples++;
        nanosleep(&(struct timespec){0, EVERY_NS}, NULL);
    }
    return report(argv[1], status, mono_ms() - start, &used, peak, samples);
}
