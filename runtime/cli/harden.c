/* harden.c - what a process gives up before it reads a secret: core dumps and being looked into.
 *
 * RLIMIT_CORE 0 stops the kernel's file, PR_SET_DUMPABLE 0 also stops a core handler behind a pipe (which ignores the limit) and keeps debuggers of the
 * same account away: /proc/PID of the process belongs to root from then on. Both in main, before options and stdin are read. What the JSON library gives
 * back is wiped. */
#include "cli/cli.h"
#include "base/log.h"
#include "base/wipe.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The leak checker of the sanitizers looks at its own process by ptrace. */
#if defined(__SANITIZE_ADDRESS__)
#define LOOKED_INTO 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOOKED_INTO 1
#endif
#endif
#ifndef LOOKED_INTO
#define LOOKED_INTO 0
#endif

bool cli_sanitized(void) { return LOOKED_INTO; }

void cli_harden(void)
{
    json_set_alloc_funcs(wipe_malloc, wipe_free);   /* credentials and tokens are JSON on their way */
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) log_warn("core dumps cannot be switched off (%s): do it outside, LimitCORE=0", strerror(errno));
    if (!LOOKED_INTO && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) log_warn("the process can be looked into by others of its account (%s)", strerror(errno));
}
