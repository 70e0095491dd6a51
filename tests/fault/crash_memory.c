/* crash_memory.c - allocations: each has a number, and can be refused, alone or with all after it (to the end of that life). malloc, calloc and realloc
 * of ours, which jansson uses too, and of LMDB come through the linker's wraps, those of libxml2 through its own doors.
 *
 * A case of its own for each of 65,000 allocations would play the scene as often. So the scene is played once, and forks at each allocation:
 *
 *     program ---- allocation n ------------------------------- n + 1 ---- ...        goes on unharmed, as if nobody had looked
 *                     |  fork
 *                     +-- refused: ends, or comes to a call that others would see (a write, a sync, a request)
 *
 * The fork has the program's memory and a copy of what it shares with the server; files it may only read. If it ends before it does anything that lasts,
 * it leaves behind what a program leaves that was killed after the last call that lasts: one whole case for each such call is enough. Where it goes on
 * in spite of the refusal, a whole case is played for each place (call stack) and call. Anything else than "out of memory" (71) or an error is wrong. */
#include "tests/fault/memory.h"
#include "base/check.h"
#include <errno.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

enum { FRAMES = 128, SECONDS = 20, STATUS_NO_MEMORY = 71, STATUS_GOES_ON = 72, STATUS_LEAKS = 23 /* a sanitizer's last word after 71 */ };
static struct {
    struct crash_shared *sh;
    bool fork;
    int below;                          /* frames that belong to the harness */
    const void *caller;                 /* of the allocation under way */
} memory;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);

/* ---- places ---- */
extern const char __executable_start, etext;

/* The frames of the product and its libraries from the allocation down, the same in every run, wherever the kernel puts them: in this program as offsets,
 * in a library as what is left of the address within its page. */
static size_t place(uint64_t *out, size_t most)
{
    void *at[FRAMES];
    int n = backtrace(at, FRAMES), i = 0;
    size_t kept = 0;
    while (i < n && at[i] != memory.caller) i++;
    for (; i < n - memory.below && kept < most; i++) {
        const char *p = at[i];
        bool here = p >= &__executable_start && p < &etext;
        out[kept++] = here ? (uint64_t)(p - &__executable_start) : (uint64_t)(uintptr_t)p % 4096;
    }
    return kept;
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
    uint64_t seed = a ^ (b * 0x9E3779B97F4A7C15u);
    return crash_random(&seed) | 1;
}

static uint64_t place_hash(void)
{
    uint64_t at[FRAMES], h = 1;
    size_t n = place(at, FRAMES);
    for (size_t i = 0; i < n; i++) h = mixed(h, at[i]);
    return h;
}

/* True when the number is new. A full table says so of everything. */
static bool fresh(uint64_t *set, size_t room, uint64_t number)
{
    for (size_t k = 0; k < room; k++) {
        uint64_t *at = &set[(number + k) % room];
        if (*at == number) return false;
        if (*at != 0) continue;
        *at = number;
        return true;
    }
    return true;
}

/* ---- the fork ---- */
/* What the server would see is a copy from here on, and nobody sees the copy. */
static void part(struct crash_shared *sh, enum fault_kind kind)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)alarm(SECONDS);
    if (__real_mmap(sh, sizeof *sh, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, sh->fd, 0) != sh) _exit(1);
    memory.fork = true;
    sh->fault[0] = (struct crash_fault){.call = sh->mallocs, .kind = kind};
    sh->hit[0] = sh->struck = sh->out_of_memory = true;
    errno = ENOMEM;
}

static void wrong(struct probe *p, enum fault_kind kind, int status, uint64_t number)
{
    if (p->wrong++ >= PROBE_TOLD) return;
    uint64_t at[8];
    size_t n = place(at, 8);
    char *text = p->text[p->wrong - 1];
    int k = snprintf(text, sizeof p->text[0], "--case %llu:%s: the program ended by signal %d, status %d; refused at", (unsigned long long)number,
                     kind == FAULT_MEMORY ? "MEMORY" : "MEMORY_LASTING", WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
    for (size_t i = 0; i < n && k > 0 && (size_t)k < sizeof p->text[0]; i++)
        k += snprintf(text + k, sizeof p->text[0] - (size_t)k, " 0x%llx", (unsigned long long)at[i]);
}

static void whole(struct probe *p, uint64_t number, enum fault_kind kind, uint64_t stack, uint64_t key)
{
    if (!fresh(p->keys, PROBE_WHOLE * 2, key)) return;
    if (p->nwhole == PROBE_WHOLE) abort();
    p->whole[p->nwhole++] = (struct crash_fault){number, kind, stack};
}

static uint64_t left_behind(const struct crash_shared *sh)
{
    const struct crash_acts *t = &sh->todo;
    return mixed(sh->lasts, (uint64_t)(t->note[0] != 0) | (uint64_t)(t->erase[0] != 0) << 1 | (uint64_t)(t->replay[0] != 0) << 2);
}

static void judge(struct crash_shared *sh, enum fault_kind kind, int status, uint64_t stack)
{
    struct probe *p = sh->probe;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    p->refused++;
    if (code == STATUS_GOES_ON) {
        p->goes_on++;
        whole(p, sh->mallocs, kind, stack, mixed(mixed(stack, sh->lasts), (uint64_t)kind));
    } else if (code == STATUS_NO_MEMORY || code == STATUS_LEAKS || code == CRASH_STATUS + LIFE_ERROR) {
        *(code == CRASH_STATUS + LIFE_ERROR ? &p->failed : &p->died) += 1;
        whole(p, sh->mallocs, kind, stack, left_behind(sh));
    } else
        wrong(p, kind, status, sh->mallocs);
}

/* True in a fork, where the allocation is refused. */
static bool probe(struct crash_shared *sh)
{
    struct probe *p = sh->probe;
    if (p->to && (sh->calls < p->from || sh->calls > p->to)) return false;
    uint64_t stack = place_hash();
    bool first = fresh(p->stacks, PROBE_STACKS, stack);
    p->allocations++;
    p->nstacks += first;
    if (!first && !p->every) return false;
    if (p->of > 1 && p->every && p->allocations % p->of != p->shard) return false;
    for (enum fault_kind kind = FAULT_MEMORY; kind <= FAULT_MEMORY_LASTING; kind++) {
        int status = 0;
        if (kind == FAULT_MEMORY) p->more = false;
        else if (!p->more) {                /* after the one that was refused there was none: both ways are the same */
            p->alike++;
            break;
        }
        pid_t pid = fork();
        if (pid == 0) {
            part(sh, kind);
            return true;
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid) abort();
        judge(sh, kind, status, stack);
    }
    return false;
}

void memory_call(enum io_call what)
{
    if (!memory.sh) return;
    bool reads = io_call_class[what] == IO_READS;
    bool together = what == CALL_READ || what == CALL_FLOCK || what == CALL_FCNTL;      /* on what the fork shares with the program */
    if (memory.fork && (!reads || together)) io_exit(STATUS_GOES_ON);
    if (!reads) memory.sh->lasts = memory.sh->calls;
}

void memory_stop(void)
{
    if (memory.fork) io_exit(STATUS_GOES_ON);
}

void memory_ended(int end)
{
    if (memory.fork) io_exit(end == LIFE_ERROR ? CRASH_STATUS + end : STATUS_GOES_ON);
}

void memory_begin(struct crash_shared *sh)
{
    void *at[FRAMES];
    if (sh) memory.below = backtrace(at, FRAMES) - 2;       /* this one and io_begin are gone when something is allocated */
    memory.sh = sh;
}

/* ---- numbered ---- */
static bool refused(const void *caller)
{
    struct crash_shared *sh = memory.sh;
    if (!sh || !sh->counting) return false;
    memory.caller = caller;
    sh->mallocs++;
    if (!sh->armed) return false;
    if (memory.fork) sh->probe->more = true;
    else if (sh->probe) return probe(sh);
    const struct crash_fault *f = &sh->fault[0];
    bool now = !sh->hit[0] && sh->mallocs == f->call && (f->kind == FAULT_MEMORY || f->kind == FAULT_MEMORY_LASTING);
    bool again = sh->out_of_memory && f->kind == FAULT_MEMORY_LASTING;       /* to the end of this life */
    if (!now && !again) return false;
    if (now && f->seed && f->seed != place_hash()) sh->elsewhere = true;
    sh->hit[0] = sh->struck = sh->out_of_memory = true;
    errno = ENOMEM;
    return true;
}

#define HERE __builtin_return_address(0)
void *__wrap_malloc(size_t n) { return refused(HERE) ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return refused(HERE) ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return refused(HERE) ? NULL : __real_realloc(p, n); }
void *io_malloc(size_t n) { return refused(HERE) ? NULL : __real_malloc(n); }
void *io_realloc(void *p, size_t n) { return refused(HERE) ? NULL : __real_realloc(p, n); }

char *io_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = refused(HERE) ? NULL : __real_malloc(n);
    if (p) memcpy(p, s, n);
    return p;
}
