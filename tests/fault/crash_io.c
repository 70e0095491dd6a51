/* crash_io.c - the wraps (-Wl,--wrap) around the system calls of our files (runtime/base/world.c) and of LMDB (linked statically). Each call on a
 * file of the state directory gets a number; the fault of that number strikes before, within or after it. What worked is logged for the platter.
 *
 *     __wrap_pwrite -> enter (number, fault before, error instead) -> __real_pwrite -> log -> leave (fault after)
 *
 * Outside of the child's life, and for files that are not the state's, a wrap is the call itself. What LMDB writes through its map (lock.mdb only)
 * is not logged: it makes that file anew whenever nobody else has it open. */
#include "tests/fault/counted.h"
#include "tests/fault/memory.h"
#include "base/check.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS = 1024 };
static struct {
    struct crash_shared *sh;
    char root[512];
    size_t root_n;
    struct { bool ours, dsync; char name[60]; } fd[FDS];
    bool defer;
    int deferred[16];
    size_t ndeferred;
    const struct crash_fault *now;       /* the fault of the call under way */
} io;

const char *const io_call_text[CALL_COUNT] = {
#define X(id, text, cls) text,
    CRASH_IO(X)
#undef X
};
const enum io_class io_call_class[CALL_COUNT] = {
#define X(id, text, cls) IO_##cls,
    CRASH_IO(X)
#undef X
};
const char *const fault_text[FAULT_COUNT] = {
    "none",
#define X(id, text) text,
    CRASH_FAULTS(X)
#undef X
};

#define WRAPPED(type, name, args) type __real_##name args; type __wrap_##name args
WRAPPED(int, open, (const char *path, int flags, ...));
WRAPPED(int, close, (int fd));
WRAPPED(ssize_t, read, (int fd, void *p, size_t n));
WRAPPED(ssize_t, pread, (int fd, void *p, size_t n, off_t off));
WRAPPED(ssize_t, write, (int fd, const void *p, size_t n));
WRAPPED(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t off));
WRAPPED(ssize_t, writev, (int fd, const struct iovec *v, int n));
WRAPPED(int, fdatasync, (int fd));
WRAPPED(int, fsync, (int fd));
WRAPPED(int, msync, (void *p, size_t n, int flags));
WRAPPED(int, ftruncate, (int fd, off_t n));
WRAPPED(int, rename, (const char *from, const char *to));
WRAPPED(int, unlink, (const char *path));
WRAPPED(int, mkdir, (const char *path, mode_t mode));
WRAPPED(int, stat, (const char *path, struct stat *st));
typedef int filter_fn(const struct dirent *);
typedef int order_fn(const struct dirent **, const struct dirent **);
WRAPPED(int, scandir, (const char *dir, struct dirent ***list, filter_fn *filter, order_fn *order));
WRAPPED(int, flock, (int fd, int what));
WRAPPED(int, fcntl, (int fd, int cmd, ...));
WRAPPED(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t off));
void *__real_malloc(size_t n);

/* ---- death and the log ---- */
/* What a killed life had reached counts too. gcov's runtime comes through the same wraps as the product, and bears no refusal: they end first. */
static void let_count(void)
{
    if (!__gcov_dump) return;
    io_end();
    counted();
}

_Noreturn void io_exit(int status)
{
    let_count();
    _exit(status);
}

static _Noreturn void die(enum cut cut, uint64_t seed)
{
    io.sh->cut = cut;
    io.sh->cut_seed = seed;
    let_count();
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void log_op(enum op_what what, int fd, int64_t off, uint32_t flags, const void *data, size_t n)
{
    struct op o = {(uint32_t)what, (uint32_t)n, flags, fd, off};
    ASSERT(io.sh->log_bytes + sizeof o + n <= CRASH_LOG_BYTES);
    memcpy(io.sh->log + io.sh->log_bytes, &o, sizeof o);
    if (n) memcpy(io.sh->log + io.sh->log_bytes + sizeof o, data, n);
    io.sh->log_bytes += sizeof o + n;
}

void io_promise(const struct promise *p)
{
    if (io.sh) log_op(OP_PROMISE, -1, 0, 0, p, sizeof *p);
}

static const char *inside(const char *path)
{
    if (!io.sh || strncmp(path, io.root, io.root_n) != 0 || (path[io.root_n] != '/' && path[io.root_n] != '\0')) return NULL;
    return path[io.root_n] ? path + io.root_n + 1 : path + io.root_n;
}

static bool ours(int fd) { return io.sh && fd >= 0 && fd < FDS && io.fd[fd].ours; }

/* ---- numbers and faults ---- */
bool io_fits(enum io_call call, enum fault_kind f)
{
    enum io_class c = io_call_class[call];
    bool file = c != IO_SENDS && c != IO_WAITS;
    switch (f) {
    case FAULT_KILL_BEFORE: case FAULT_KILL_AFTER: return true;
    case FAULT_CUT_BEFORE: return c != IO_READS && c != IO_WAITS;
    case FAULT_CUT_AFTER: return c != IO_READS;
    case FAULT_SHUFFLE_BEFORE: return c == IO_SYNCS;
    case FAULT_SHUFFLE_AFTER: return c != IO_READS && c != IO_SYNCS && c != IO_WAITS;
    case FAULT_TORN_KILL: case FAULT_TORN_CUT: case FAULT_SHORT: return c == IO_WRITES;
    case FAULT_EIO: case FAULT_EIO_LASTING: return file;
    case FAULT_ENOSPC: case FAULT_ENOSPC_LASTING: return file && c != IO_READS;
    case FAULT_EINTR: return c == IO_WRITES || call == CALL_PREAD || call == CALL_READ;
    case FAULT_LATE: case FAULT_REFUSED: case FAULT_RESET: case FAULT_LOST: return c == IO_SENDS;
    case FAULT_NONE: case FAULT_MEMORY: case FAULT_MEMORY_LASTING: case FAULT_COUNT: break;
    }
    return false;
}

static const struct crash_fault *sought(struct crash_shared *sh, enum io_call what)
{
    struct crash_fault *f = &sh->fault[0];
    bool now = f->kind != FAULT_NONE && !sh->hit[0] && sh->calls >= f->call && io_fits(what, f->kind) &&
               (sh->seek_class < 0 || (int)io_call_class[what] == sh->seek_class);
    if (!now) return NULL;
    sh->hit[0] = sh->struck = true;
    return f;
}

static const struct crash_fault *fault_of(struct crash_shared *sh, enum io_call what)
{
    if (sh->seek) return sought(sh, what);
    for (int i = 0; i < 2; i++) {
        uint64_t at = i ? sh->second_base + sh->fault[1].call : sh->fault[0].call;
        bool waits = sh->fault[i].kind == FAULT_NONE || sh->fault[i].kind == FAULT_MEMORY || sh->fault[i].kind == FAULT_MEMORY_LASTING || (i && (!sh->hit[0] || !sh->second_base));
        if (waits || sh->hit[i] || sh->calls != at) continue;
        sh->hit[i] = sh->struck = true;
        return &sh->fault[i];
    }
    return NULL;
}

static bool needs_room(enum io_call what)
{
    enum io_class c = io_call_class[what];
    return c == IO_WRITES || c == IO_SIZES || what == CALL_CREATE || what == CALL_MKDIR || what == CALL_RENAME;
}

/* The error of a fault that lasts, or 0. A dead disk fails what touches it, a full one what needs room. */
static int lasting(const struct crash_shared *sh, enum io_call what)
{
    enum io_class c = io_call_class[what];
    if (sh->lasting == FAULT_ENOSPC_LASTING && needs_room(what)) return ENOSPC;
    if (sh->lasting == FAULT_EIO_LASTING && c != IO_SENDS && c != IO_WAITS && what != CALL_CLOSE) return EIO;
    return 0;
}

/* Numbers the call. 0, or the errno with which it is to fail. */
static int enter(enum io_call what, const char *about)
{
    struct crash_shared *sh = io.sh;
    io.now = NULL;
    if (!sh->counting) return 0;
    sh->calls++;
    memory_call(what);
    if (sh->calls < CRASH_CALLS) sh->called[sh->calls] = (unsigned char)what;
    if (sh->trace) fprintf(stderr, "    %9llu %s %s\n", (unsigned long long)sh->calls, io_call_text[what], about);
    int why = lasting(sh, what);
    if (why || !sh->armed || !(io.now = fault_of(sh, what))) return why;
    switch (io.now->kind) {
    case FAULT_KILL_BEFORE: die(CUT_NONE, 0);
    case FAULT_CUT_BEFORE: die(CUT_LOSE_ALL, 0);
    case FAULT_SHUFFLE_BEFORE: die(CUT_SHUFFLE, io.now->seed);
    case FAULT_EIO_LASTING:
    case FAULT_ENOSPC_LASTING: sh->lasting = io.now->kind; return io.now->kind == FAULT_EIO_LASTING ? EIO : ENOSPC;
    case FAULT_EIO: return EIO;
    case FAULT_ENOSPC: return ENOSPC;
    case FAULT_EINTR: return EINTR;
    default: return 0;
    }
}

static void leave(void)
{
    if (!io.now) return;
    if (io.now->kind == FAULT_KILL_AFTER || io.now->kind == FAULT_LATE) die(CUT_NONE, 0);
    if (io.now->kind == FAULT_CUT_AFTER) die(CUT_LOSE_ALL, 0);
    if (io.now->kind == FAULT_SHUFFLE_AFTER) die(CUT_SHUFFLE, io.now->seed);
}

static int fails(enum io_call what, const char *about)
{
    int why = enter(what, about);
    if (why) errno = why;
    return why;
}

static void leave_with(int why)
{
    leave();
    errno = why;
}

bool io_enter(enum io_call what)
{
    if (!io.sh) return true;
    io.sh->net_fault = FAULT_NONE;
    (void)enter(what, "");
    if (io.now && what == CALL_SEND) io.sh->net_fault = io.now->kind;
    return !io.now || (io.now->kind != FAULT_REFUSED && io.now->kind != FAULT_RESET && io.now->kind != FAULT_LOST);
}

void io_leave(void)
{
    if (io.sh) leave();
}

void io_begin(struct crash_shared *sh, const char *root)
{
    memset(io.fd, 0, sizeof io.fd);
    (void)snprintf(io.root, sizeof io.root, "%s", root);
    io.root_n = strlen(io.root);
    if (__gcov_dump) (void)atexit(let_count);        /* out of memory */
    io.sh = sh;
    memory_begin(sh);
}

void io_end(void)
{
    io.sh = NULL;
    memory_begin(NULL);
}

/* ---- opening and closing ---- */
int __wrap_open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
    va_end(ap);
    const char *in = inside(path);
    if (!in) return __real_open(path, flags, mode);
    struct stat st;
    bool make = (flags & O_CREAT) && __real_stat(path, &st) != 0;
    if (fails(make ? CALL_CREATE : CALL_OPEN, in)) return -1;
    int fd = __real_open(path, flags, mode), why = errno;
    if (fd >= 0) {
        ASSERT(fd < FDS);
        io.fd[fd].ours = true;
        io.fd[fd].dsync = flags & O_DSYNC;
        (void)snprintf(io.fd[fd].name, sizeof io.fd[fd].name, "%s", in);
        log_op(OP_OPEN, fd, 0, (make ? OP_CREATED : 0) | (flags & O_TRUNC ? OP_TRUNCATED : 0), in, strlen(in) + 1);
    }
    leave_with(why);
    return fd;
}

int __wrap_close(int fd)
{
    if (!ours(fd)) return __real_close(fd);
    for (size_t i = 0; i < io.ndeferred; i++)
        if (io.deferred[i] == fd) io_flush_syncs();
    int why = fails(CALL_CLOSE, io.fd[fd].name) ? errno : 0;
    io.fd[fd].ours = false;
    log_op(OP_CLOSE, fd, 0, 0, NULL, 0);
    (void)__real_close(fd);                     /* Linux lets go of the handle also when close says EIO */
    leave_with(why);
    return why ? -1 : 0;
}

/* ---- reading ---- */
ssize_t __wrap_read(int fd, void *p, size_t n)
{
    if (!ours(fd)) return __real_read(fd, p, n);
    if (fails(CALL_READ, io.fd[fd].name)) return -1;
    ssize_t got = __real_read(fd, p, n);
    int why = errno;
    leave_with(why);
    return got;
}

ssize_t __wrap_pread(int fd, void *p, size_t n, off_t off)
{
    if (!ours(fd)) return __real_pread(fd, p, n, off);
    if (fails(CALL_PREAD, io.fd[fd].name)) return -1;
    ssize_t got = __real_pread(fd, p, n, off);
    int why = errno;
    leave_with(why);
    return got;
}

int __wrap_stat(const char *path, struct stat *st)
{
    if (!inside(path)) return __real_stat(path, st);
    if (fails(CALL_STAT, path + io.root_n)) return -1;
    int rc = __real_stat(path, st), why = errno;
    leave_with(why);
    return rc;
}

int __wrap_scandir(const char *dir, struct dirent ***list, filter_fn *filter, order_fn *order)
{
    if (!inside(dir)) return __real_scandir(dir, list, filter, order);
    if (fails(CALL_SCANDIR, dir + io.root_n)) return -1;
    int n = __real_scandir(dir, list, filter, order), why = errno;
    leave_with(why);
    return n;
}

int __wrap_flock(int fd, int what)
{
    if (!ours(fd)) return __real_flock(fd, what);
    if (fails(CALL_FLOCK, io.fd[fd].name)) return -1;
    int rc = __real_flock(fd, what), why = errno;
    leave_with(why);
    return rc;
}

int __wrap_fcntl(int fd, int cmd, ...)
{
    va_list ap;
    va_start(ap, cmd);
    void *arg = va_arg(ap, void *);            /* an int argument comes in the same register; unused ones are not looked at */
    va_end(ap);
    if (!ours(fd)) return __real_fcntl(fd, cmd, arg);
    if (fails(CALL_FCNTL, io.fd[fd].name)) return -1;
    int rc = __real_fcntl(fd, cmd, arg), why = errno;
    leave_with(why);
    return rc;
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
    if (!ours(fd)) return __real_mmap(at, n, prot, flags, fd, off);
    if (fails(CALL_MMAP, io.fd[fd].name)) return MAP_FAILED;
    void *p = __real_mmap(at, n, prot, flags, fd, off);
    int why = errno;
    leave_with(why);
    return p;
}

/* ---- writing ---- */
/* How much of n bytes a broken write takes. */
static size_t part_of(size_t n)
{
    if (!io.now || n < 2) return n;
    switch (io.now->kind) {
    case FAULT_TORN_KILL: case FAULT_SHORT: return n / 2;
    case FAULT_TORN_CUT: return n;                 /* all of it is queued; the cut tears it */
    default: return n;
    }
}

static void wrote(int fd, const void *p, ssize_t put, off_t off)
{
    bool torn = io.now && (io.now->kind == FAULT_TORN_KILL || io.now->kind == FAULT_TORN_CUT);
    if (put > 0) log_op(OP_WRITE, fd, off, io.fd[fd].dsync && !torn ? OP_DSYNC : 0, p, (size_t)put);
    if (torn) die(io.now->kind == FAULT_TORN_CUT ? CUT_PREFIX : CUT_NONE, io.now->seed);
}

ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t off)
{
    if (!ours(fd)) return __real_pwrite(fd, p, n, off);
    if (fails(CALL_PWRITE, io.fd[fd].name)) return -1;
    ssize_t put = __real_pwrite(fd, p, part_of(n), off);
    int why = errno;
    wrote(fd, p, put, off);
    leave_with(why);
    return put;
}

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (!ours(fd)) return __real_write(fd, p, n);
    off_t off = lseek(fd, 0, SEEK_CUR);
    if (fails(CALL_WRITE, io.fd[fd].name)) return -1;
    ssize_t put = __real_write(fd, p, part_of(n));
    int why = errno;
    wrote(fd, p, put, off);
    leave_with(why);
    return put;
}

/* As one buffer, so that it can stop anywhere. */
ssize_t __wrap_writev(int fd, const struct iovec *v, int n)
{
    if (!ours(fd)) return __real_writev(fd, v, n);
    off_t off = lseek(fd, 0, SEEK_CUR);
    if (fails(CALL_WRITEV, io.fd[fd].name)) return -1;
    size_t all = 0;
    for (int i = 0; i < n; i++) all += v[i].iov_len;
    unsigned char *whole = __real_malloc(all + 1);
    ASSERT(whole);
    for (int i = 0, at = 0; i < n; at += (int)v[i].iov_len, i++) memcpy(whole + at, v[i].iov_base, v[i].iov_len);
    ssize_t put = __real_write(fd, whole, part_of(all));
    int why = errno;
    wrote(fd, whole, put, off);
    free(whole);
    leave_with(why);
    return put;
}

int __wrap_ftruncate(int fd, off_t n)
{
    if (!ours(fd)) return __real_ftruncate(fd, n);
    if (fails(CALL_FTRUNCATE, io.fd[fd].name)) return -1;
    int rc = __real_ftruncate(fd, n), why = errno;
    if (rc == 0) log_op(OP_TRUNC, fd, n, 0, NULL, 0);
    leave_with(why);
    return rc;
}

/* ---- syncs ---- */
static bool skipped(int fd)
{
    struct stat st;
    switch (io.sh->plant) {
    case PLANT_NO_DIR_SYNC: return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    case PLANT_NO_KEY_SYNC: return strstr(io.fd[fd].name, "keys.slots") != NULL;
    case PLANT_NO_SEGMENT_SYNC: return strstr(io.fd[fd].name, "segment.tmp") != NULL;
    case PLANT_NO_INDEX_SYNC: return strstr(io.fd[fd].name, "data.mdb") != NULL;
    default: return false;
    }
}

static int synced(int fd, enum io_call what)
{
    if (skipped(fd)) return 0;
    if (fails(what, io.fd[fd].name)) {
        int why = errno;
        if (why != EINTR) log_op(OP_SYNC_FAILED, fd, 0, 0, NULL, 0);
        errno = why;
        if (io.sh->plant != PLANT_SYNC_AGAIN) return -1;        /* planted: the second call, which finds nothing to write, is believed */
    }
    log_op(OP_SYNC, fd, 0, 0, NULL, 0);
    leave();
    return 0;
}

/* Nothing is forced to a real disk: the platter is what counts. */
int __wrap_fdatasync(int fd)
{
    if (!ours(fd)) return __real_fdatasync(fd);
    if (!io.defer) return synced(fd, CALL_FDATASYNC);
    if (io.ndeferred < sizeof io.deferred / sizeof *io.deferred) io.deferred[io.ndeferred++] = fd;
    return 0;
}

int __wrap_fsync(int fd)
{
    return ours(fd) ? synced(fd, CALL_FSYNC) : __real_fsync(fd);
}

int __wrap_msync(void *p, size_t n, int flags)
{
    if (!io.sh) return __real_msync(p, n, flags);
    if (fails(CALL_MSYNC, "")) return -1;
    leave();
    return 0;
}

void io_defer_syncs(bool on) { io.defer = on; }

void io_flush_syncs(void)
{
    for (size_t i = 0; i < io.ndeferred; i++)
        if (ours(io.deferred[i])) (void)synced(io.deferred[i], CALL_FDATASYNC);
    io.ndeferred = 0;
}

/* ---- names ---- */
int __wrap_rename(const char *from, const char *to)
{
    const char *a = inside(from), *b = inside(to);
    if (!a || !b) return __real_rename(from, to);
    if (fails(CALL_RENAME, b)) return -1;
    int rc = __real_rename(from, to), why = errno;
    char both[1024];
    size_t na = strlen(a) + 1, nb = strlen(b) + 1;
    ASSERT(na + nb <= sizeof both);
    memcpy(both, a, na);
    memcpy(both + na, b, nb);
    if (rc == 0) log_op(OP_RENAME, -1, 0, 0, both, na + nb);
    leave_with(why);
    return rc;
}

static int named(int rc, enum op_what what, const char *in)
{
    int why = errno;
    if (rc == 0) log_op(what, -1, 0, 0, in, strlen(in) + 1);
    leave_with(why);
    return rc;
}

int __wrap_unlink(const char *path)
{
    const char *in = inside(path);
    if (!in) return __real_unlink(path);
    if (fails(CALL_UNLINK, in)) return -1;
    return named(__real_unlink(path), OP_UNLINK, in);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    const char *in = inside(path);
    if (!in) return __real_mkdir(path, mode);
    if (fails(CALL_MKDIR, in)) return -1;
    return named(__real_mkdir(path, mode), OP_MKDIR, in);
}
