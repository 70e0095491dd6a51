/* wipe_test.c - what jansson gets its memory from: it never sees a refusal, since it takes one for a text that is no JSON, and gives memory back twice. */
#include "base/wipe.h"
#include "tests/unit/value/ok.h"
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }      /* as without it */

/* Allocation number `at` of a text being read is too large for any machine. */
static unsigned long calls, at;
static void *asked(size_t n) { return wipe_malloc(++calls == at ? SIZE_MAX / 4 : n); }

static const char text[] = "{\"client_id\":\"1000.A\",\"client_secret\":\"b\",\"refresh_token\":\"1000.c\",\"more\":[1,2,{\"x\":\"y\"}]}";

static int read_refused(unsigned long which)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        json_error_t where;
        if (!freopen("/dev/null", "w", stderr)) _exit(3);
        at = which;
        json_set_alloc_funcs(asked, wipe_free);
        json_t *j = json_loadb(text, sizeof text - 1, 0, &where);
        json_decref(j);
        _exit(j ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) abort();
    return status;
}

int main(void)
{
    unsigned long n = 1;
    bool good = true;
    int status;
    for (; (status = read_refused(n)) != 0 && good; n++) good = WIFEXITED(status) && WEXITSTATUS(status) == 71;
    ok(good && n > 15, "each allocation of jansson's is refused once: the process ends, out of memory", "number %lu: status %x", n, (unsigned)status);
    char *p = wipe_malloc(0);
    ok(p != NULL, "nothing is a piece too", "NULL");
    wipe_free(p);
    return ok_done();
}
