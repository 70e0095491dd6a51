/* replay.c - runs a fuzz target over files that are kept, without libFuzzer: every seed and every find of the past, in each `make test`.
 *
 *     build/replay/NAME DIRECTORY          one line for each file; each in a process of its own, so that one that ends it costs only itself */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static int run(const char *path)
{
    static unsigned char bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) return 1;
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    unsigned char *exact = malloc(n ? n : 1);        /* so that a sanitizer sees a byte read too far */
    if (!exact) return 1;
    memcpy(exact, bytes, n);
    alarm(30);
    (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return 0;
}

/* 0, or how it ended. */
static int apart(const char *path)
{
    int status = -1;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) exit(run(path));        /* not _exit: sanitizers and coverage have their say at the end */
    return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    struct dirent **files = NULL;
    int n = argc == 2 ? scandir(argv[1], &files, NULL, alphasort) : -1, failed = 0, ran = 0;
    if (n < 0) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    for (int i = 0; i < n; i++) {
        char path[1024];
        if (files[i]->d_name[0] != '.' && snprintf(path, sizeof path, "%s/%s", argv[1], files[i]->d_name) < (int)sizeof path) {
            int status = apart(path);
            ran++;
            failed += status != 0;
            if (status != 0) printf("not ok %s: %s ends it (%s %d): %s %s\n", name, files[i]->d_name, WIFSIGNALED(status) ? "signal" : "exit",
                                    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), argv[0], path);
        }
        free(files[i]);
    }
    free(files);
    if (ran == 0) printf("not ok %s: no seed\n", name);
    else if (!failed) printf("ok %s: %d seeds\n", name, ran);
    return failed || ran == 0;
}
