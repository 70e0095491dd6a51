/* world.h - everything that is not deterministic, behind one table: clock, random, files, HTTP, processes.
 *
 * The product gets world_real() plus the libcurl transport of runtime/net; tests get a virtual clock, a seeded generator and
 * a transport that leads to the models in tests/sim. No room under runtime/ calls the operating system for these things itself
 * (LMDB is the exception: its own system calls are wrapped at link time by tests/fault). */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H
#include "base/err.h"
#include "base/arena.h"

/* ---- clock ---- */
struct world_clock {
    int64_t (*wall_ms)(void *ctx);                 /* Unix time, milliseconds; may jump */
    int64_t (*mono_ms)(void *ctx);                 /* never goes back */
    void (*sleep_ms)(void *ctx, int64_t ms);       /* returns early when a signal arrives */
    void *ctx;
};
/* ---- random ---- */
struct world_random { void (*fill)(void *ctx, void *p, size_t n); void *ctx; };

/* ---- files: thin, so that each call is one point where the disk can fail. Paths are NUL-terminated. -1 = error, errno says which. ---- */
struct world_files {
    int (*open)(void *ctx, const char *path, int flags, int mode);
    int (*close)(void *ctx, int fd);
    int64_t (*pread)(void *ctx, int fd, void *p, size_t n, int64_t off);
    int64_t (*pwrite)(void *ctx, int fd, const void *p, size_t n, int64_t off);
    int (*fdatasync)(void *ctx, int fd);
    int (*sync_dir)(void *ctx, const char *dir);
    int (*ftruncate)(void *ctx, int fd, int64_t n);
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*mkdir)(void *ctx, const char *path, int mode);
    int64_t (*size)(void *ctx, int fd);
    /* Calls each(arg, name) for every entry but . and .. in byte order of the names; -1 when the directory cannot be read. */
    int (*list)(void *ctx, const char *dir, void (*each)(void *arg, const char *name), void *arg);
    /* Takes an exclusive advisory lock that dies with the process; 0 held, -1 held by another. */
    int (*lock)(void *ctx, int fd);
    /* Permission bits and owner: for the check that a key file is 0600 and ours. 0 and fills, or -1. */
    int (*mode)(void *ctx, const char *path, unsigned *mode, bool *ours);
    void *ctx;
};

/* ---- HTTP ---- */
struct http_header { const char *name, *value; };
struct http_req {
    const char *method;              /* "GET", "POST", "PUT", "PATCH", "DELETE" */
    const char *url;                 /* https, or http to loopback; anything else is refused by the transport */
    const struct http_header *headers; size_t nheaders;
    struct str body;                 /* lives until the transfer is done */
    const char *pool;                /* credential name: connections are never shared across pools */
    const char *ca_file;             /* extra trust anchor, or NULL */
    int64_t connect_timeout_ms, total_timeout_ms;
    size_t max_body_bytes;           /* counted after decompression; more is HTTP_TOO_LARGE */
    bool fresh;                      /* on a connection of its own: for calls that libcurl must not silently re-send */
};
enum http_outcome {
    HTTP_ANSWERED,                   /* a whole answer: look at status */
    HTTP_NOT_SENT,                   /* failed before the first byte of the request left: safe to repeat */
    HTTP_AMBIGUOUS,                  /* failed after: the other side may have acted */
    HTTP_TOO_LARGE,                  /* an answer began but is over the limit: treat a write as ambiguous */
    HTTP_REFUSED                     /* our own rules forbid the request (scheme, size); nothing left */
};
struct http_res {
    enum http_outcome outcome;
    int status;
    const struct http_header *headers; size_t nheaders;   /* names lower case; capped */
    struct str body;                 /* a NUL stands behind it */
    char error[200];                 /* for every outcome but ANSWERED: what happened, without secrets */
    int64_t elapsed_ms;
    int64_t connect_ms, tls_ms;      /* steps for `ping`; -1 where unknown */
};
struct world_http {
    /* Starts a transfer; tag comes back with its completion. The request is copied. 0, or -1 when too many are under way. */
    int (*start)(void *ctx, const struct http_req *req, void *tag);
    /* Waits for one completion: 1 and fills, 0 at the timeout or when a signal came, -1 nothing is under way.
     * Memory of the answer comes from `a`. */
    int (*wait)(void *ctx, int64_t timeout_ms, struct arena *a, struct http_res *res, void **tag);
    void *ctx;
};

/* ---- processes: for the supervisor of a site (sync/site.h) ---- */
struct proc_start {
    const char *const *argv;         /* NULL at the end; argv[0] is the program's path */
    const char *const *env;          /* "NAME=value", NULL at the end: over what this process has itself */
    const char *log_path;            /* output and errors are appended there, mode 0600; input is /dev/null */
};
struct world_procs {
    /* 0 and the pid, or -1 and errno. */
    int (*spawn)(void *ctx, const struct proc_start *p, int64_t *pid);
    /* Takes in one that has ended, without waiting: 1 and pid, exit code (128 + signal when a signal ended it); 0 none has; -1 there is none. */
    int (*reap)(void *ctx, int64_t *pid, int *code);
    int (*signal)(void *ctx, int64_t pid, int sig);
    /* Says to the service manager how it goes, in the words of sd_notify(3): "READY=1". Nothing happens when there is none ($NOTIFY_SOCKET). May be NULL. */
    void (*tell_manager)(void *ctx, const char *words);
    void *ctx;
};

struct world { struct world_clock clock; struct world_random random; struct world_files files; struct world_http http; struct world_procs procs; };

/* Fills clock, random, files and processes with the real ones; http is left empty (see net/curl_http.h). */
void world_real(struct world *w);

/* world_proc.c: called by world_real. */
void world_real_procs(struct world_procs *p);

/* Convenience over the table. */
static inline void world_tell_manager(const struct world *w, const char *words)
{
    if (w->procs.tell_manager) w->procs.tell_manager(w->procs.ctx, words);
}
static inline int64_t world_wall_ms(const struct world *w) { return w->clock.wall_ms(w->clock.ctx); }
static inline int64_t world_mono_ms(const struct world *w) { return w->clock.mono_ms(w->clock.ctx); }
/* Reads a whole file into the arena (NUL behind it). ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE above max_bytes. */
enum err world_read_file(const struct world *w, const char *path, size_t max_bytes, struct arena *a, struct str *out, struct fault *f);
/* Writes path.tmp, syncs, renames over path, syncs the directory: after a crash the old or the new content, never a mixture. */
enum err world_write_file(const struct world *w, const char *path, struct str content, int mode, struct fault *f);
/* Syncs the directory that `path` stands in, which makes its name durable; dir receives that directory, for a message. 0, or -1 with errno. */
enum { WORLD_PATH_BYTES = 4096 };
int world_sync_parent(const struct world *w, const char *path, char dir[WORLD_PATH_BYTES]);
/* RFC 3339 in UTC with milliseconds, e.g. 2026-03-12T22:41:07.250Z; out holds at least 25 bytes. */
void world_format_ms(int64_t unix_ms, char out[25]);
/* header by lower-case name or NULL */
const char *http_header_get(const struct http_res *res, const char *name);
#endif
