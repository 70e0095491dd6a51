/* crash.h - the crash harness: what its files share.
 *
 *     crash_main.c   points x faults -> cases, two at a time; planted faults; the summary
 *     crash_case.c   one case: the models, the lives of a program, what people do meanwhile      (the "server", a process of its own)
 *     crash_net.c    requests of the program, through shared memory to the models of the server
 *     crash_life.c   the program: secrets, engine_open, engine_once, engine_close                (the "child", killed and started again)
 *     crash_io.c     the linker's wraps around every I/O call of ours and of LMDB: counted, broken, logged
 *     crash_memory.c allocations: numbered, refused; the fork at each of them
 *     platter.c      what of that log would have survived a power cut
 *     crash_orders.c orders with lines: what stands in their feed, and what Zoho has to hold
 *     crash_more.c   the second scene: bulk write, notifications, deletes, erasure, replay, another spec
 *     crash_check.c  the judge: Zoho's records against Sage's
 *     crash_state.c  the judge of the state directory: log, index, secrets, and what had been promised
 *     crash_power.c  power cuts by the hundred thousand, from the recorded ops of a run
 *     crash_plant.c  wrong orders, planted on purpose: the harness has to find them
 *
 *     main --fork--> server (models, platter) --fork--> child, life 1 --SIGKILL at call n--> roll back --fork--> child, life 2 ... -> judge
 *
 * Every I/O call of the child has a number, from 1, over all its lives. A case = (number, fault). The clock is virtual and lives in the shared
 * memory, so that time passes only in sleeps and in waiting for answers: the same case always takes the same course. */
#ifndef TESTS_FAULT_CRASH_H
#define TESTS_FAULT_CRASH_H
#include "base/world.h"

enum { CRASH_CALLS = 65536, CRASH_LOG_BYTES = 48 << 20, CRASH_MESSAGE_BYTES = 2 << 20, CRASH_TALLY = 4096,
       CRASH_STATUS = 40 /* of a life that ended by itself: this + enum life_end; sanitizers end with 1 or 23 */ };

static inline uint64_t crash_random(uint64_t *s)
{
    uint64_t z = (*s += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* ---- calls ---- */
enum io_class { IO_READS, IO_WRITES, IO_SYNCS, IO_SIZES, IO_NAMES, IO_SENDS, IO_WAITS };
#define CRASH_IO(X) \
    X(OPEN, "open", READS) X(CREATE, "open to create", NAMES) X(CLOSE, "close", READS) X(READ, "read", READS) X(PREAD, "pread", READS) \
    X(WRITE, "write", WRITES) X(PWRITE, "pwrite", WRITES) X(WRITEV, "writev", WRITES) X(FDATASYNC, "fdatasync", SYNCS) X(FSYNC, "fsync", SYNCS) \
    X(MSYNC, "msync", SYNCS) X(FTRUNCATE, "ftruncate", SIZES) X(RENAME, "rename", NAMES) X(UNLINK, "unlink", NAMES) X(MKDIR, "mkdir", NAMES) \
    X(STAT, "stat", READS) X(SCANDIR, "scandir", READS) X(FLOCK, "flock", READS) X(FCNTL, "fcntl", READS) X(MMAP, "mmap", READS) \
    X(SEND, "http request", SENDS) X(ANSWER, "http answer", WAITS)
enum io_call {
#define X(id, text, cls) CALL_##id,
    CRASH_IO(X)
#undef X
    CALL_COUNT
};
extern const char *const io_call_text[CALL_COUNT];
extern const enum io_class io_call_class[CALL_COUNT];

/* ---- what can go wrong at a call ---- */
#define CRASH_FAULTS(X) \
    X(KILL_BEFORE, "killed before") X(KILL_AFTER, "killed after") \
    X(CUT_BEFORE, "power cut before, nothing unsynced survives") X(CUT_AFTER, "power cut after, nothing unsynced survives") \
    X(SHUFFLE_BEFORE, "power cut before, sectors survive at random") X(SHUFFLE_AFTER, "power cut after, sectors survive at random") \
    X(TORN_KILL, "killed within: half written") X(TORN_CUT, "power cut within: torn at some byte") \
    X(EIO, "EIO") X(EIO_LASTING, "EIO from then on") X(ENOSPC, "ENOSPC") X(ENOSPC_LASTING, "disk full from then on") \
    X(SHORT, "short write") X(EINTR, "EINTR") \
    X(LATE, "killed; the request takes effect ten seconds later") X(REFUSED, "connection refused") X(RESET, "reset, not applied") \
    X(LOST, "applied, answer lost") X(MEMORY, "no memory") X(MEMORY_LASTING, "no memory from then on")
enum fault_kind {
    FAULT_NONE,
#define X(id, text) FAULT_##id,
    CRASH_FAULTS(X)
#undef X
    FAULT_COUNT
};
extern const char *const fault_text[FAULT_COUNT];

/* Whether the fault means anything at this sort of call. */
bool io_fits(enum io_call call, enum fault_kind f);

struct crash_fault { uint64_t call; enum fault_kind kind; uint64_t seed; };
/* Wrong orders: 0 none, see crash_plant.c. */
enum plant {
    PLANT_NONE, PLANT_CURSOR_FIRST, PLANT_SEND_FIRST, PLANT_FOLD_FIRST, PLANT_NO_SETTLE, PLANT_LINES_BLIND,
    PLANT_NO_DIR_SYNC, PLANT_NO_KEY_SYNC, PLANT_NO_SEGMENT_SYNC, PLANT_NO_INDEX_SYNC, PLANT_SYNC_AGAIN,
    PLANT_UNCHECKED, PLANT_SWALLOWED, PLANT_COUNT
};
extern const char *const plant_text[PLANT_COUNT];

/* ---- the log of what reached the page cache ---- */
enum op_what { OP_OPEN, OP_CLOSE, OP_WRITE, OP_SYNC, OP_SYNC_FAILED, OP_TRUNC, OP_RENAME, OP_UNLINK, OP_MKDIR, OP_PROMISE };
struct op { uint32_t what, n, flags; int32_t fd; int64_t off; };       /* n bytes follow: data, or path (and second path) */
enum { OP_CREATED = 1, OP_TRUNCATED = 2, OP_DSYNC = 4 };

/* What the program may rely on from here on, whatever the power does: an op of its own between the others. */
enum promise_what { PROMISE_FRAMES, PROMISE_SECRET_BEGINS, PROMISE_SECRET, PROMISE_ERASED };
struct promise {
    uint32_t what;
    uint32_t slot;                      /* ERASED */
    uint64_t seq;                       /* FRAMES: the last frame that is durable */
    unsigned char hash[32];             /* of that frame; of the secret's value */
    char name[40];                      /* of the secret */
};

/* What people have ordered and no life has done yet; the program clears what is done. Empty text: nothing. */
struct crash_acts { char note[120], erase[40], replay[40], token[40]; bool second_spec, rotate; };        /* note: a notification, "Accounts insert 1234" */

/* ---- shared by server and child ---- */
/* Of what was not synced: nothing; sectors at random; all, and the last write torn; all; one change only; all but one; anything, torn anywhere. */
enum cut { CUT_NONE, CUT_LOSE_ALL, CUT_SHUFFLE, CUT_PREFIX, CUT_KEEP_ALL, CUT_ONLY, CUT_BUT, CUT_MIXED };
enum life_end { LIFE_KILLED, LIFE_DONE, LIFE_UNFINISHED, LIFE_ERROR };
struct crash_shared {
    int64_t wall_ms, mono_ms;
    uint64_t random;
    uint64_t calls, mallocs;
    uint64_t keys_from, keys_to;        /* calls of the life that has a token and the master key changed, up to the end of its start */
    struct crash_fault fault[2];        /* the second counts from the start of the life after the first */
    uint64_t second_base;
    bool armed, counting, trace;        /* points are counted, faults strike; each call is told */
    bool hit[2], struck;                /* struck: in this life */
    bool seek;                          /* fault[0] strikes at the first call from its number on that it fits, of the class seek_class (-1: any) */
    int seek_class;
    enum fault_kind lasting;            /* goes on to the end of the life */
    enum io_call lasting_call;
    enum cut cut;                       /* what the death of this life means for the disk */
    uint64_t cut_seed;
    bool out_of_memory;                 /* the child ends because memory was refused */
    bool elsewhere;                     /* it was not refused where it should have been */
    int fd;                             /* of this memory */
    uint64_t lasts;                     /* number of the last call that did more than read */
    struct probe *probe;                /* each allocation is tried in a fork (memory.h), or NULL */
    enum fault_kind net_fault;          /* for the request that is being handed over */
    enum plant plant;
    struct crash_acts todo;
    unsigned life;
    unsigned char called[CRASH_CALLS];  /* enum io_call per number */
    /* what the child says at its end */
    int err;
    char error[512];
    uint64_t inserted, updated, adopted, rejected, pending;
    size_t log_bytes;
    size_t message_bytes;
    unsigned char message[CRASH_MESSAGE_BYTES];
    unsigned char log[CRASH_LOG_BYTES];
};

/* ---- crash_io.c ---- */
void io_begin(struct crash_shared *sh, const char *root);     /* in the child: from now on files under root are watched */
void io_end(void);
/* Allocations of libraries that let themselves be told by which function. */
void *io_malloc(size_t n);
void *io_realloc(void *p, size_t n);
char *io_strdup(const char *s);
/* _exit() of a process under the wraps; a coverage build's counts are written first. */
_Noreturn void io_exit(int status);
void io_promise(const struct promise *p);
/* One numbered call that is no file call. True = go on; false = it fails, as sh->net_fault says. Dies when it has to. */
bool io_enter(enum io_call what);
void io_leave(void);
void io_defer_syncs(bool on);                                  /* plants: fdatasync is put off ... */
void io_flush_syncs(void);                                     /* ... until here */

/* ---- crash_net.c ---- */
struct net_server;
struct sim_loop;
enum net_request { NET_SEND = 1, NET_WAIT, NET_SLEEP };
/* Child: clock, random and http of w lead through the socket to the server. */
void net_child(struct world *w, struct crash_shared *sh, int fd);
struct net_server *net_server_new(struct sim_loop *loop, struct crash_shared *sh);
void net_server_free(struct net_server *s);
/* Called before each message of the program is worked off; the program waits meanwhile, and its log may be taken. */
void net_server_before(struct net_server *s, void (*before)(void *ctx), void *ctx);
/* One life of the program: program(ctx, fd) in a process of its own, which does not return from it, and whose requests are served until it ends, as *status
 * says. False: it spoke nonsense, or could not be made. */
bool net_life(struct net_server *s, void (*program)(void *ctx, int fd), void *ctx, int *status);

/* ---- crash_life.c ---- */
struct life_plan { const char *root, *state_dir, *image_path, *feed; };     /* root: what is watched; the state lies in it */
/* Runs in the child; returns an enum life_end. */
int life_run(const struct life_plan *p, struct crash_shared *sh, int fd);
/* Only the start: what recovery makes of the disk. No request is sent. */
enum err life_recover(const struct life_plan *p, struct crash_shared *sh, char *why, size_t why_bytes);

/* ---- crash_plant.c ---- */
void plant_begin(enum plant which);

/* ---- crash_power.c ---- */
struct power_options {
    const char *dir, *image, *data;
    uint64_t seed, states;              /* distinct ones to make */
    unsigned jobs, seconds;             /* 0 = no limit */
    const char *one;                    /* RUN:POSITION:ROUND[:AGAIN], told */
    enum plant plant;
    const char *more[2];                /* specs of the second scene, or NULL */
};
/* Prints its lines; adds to the counts. */
void power_run(const struct power_options *o, unsigned *passed, unsigned *failed);

/* ---- crash_case.c ---- */
struct crash_case {
    struct crash_fault fault[2];
    enum plant plant;
    bool memory;                        /* fault[0].call counts allocations */
    /* answer */
    bool done, passed, reached;
    uint64_t calls, mallocs, noops, keys_from, keys_to;
    unsigned lives;
    char text[600];
};
/* A run as it was: lives (their ops) and reboots, one behind the other, for crash_power.c. */
enum { RECORD_BYTES = 256 << 20 };
struct record_part { uint32_t cut; uint64_t seed, n; };        /* a reboot, or (cut == 0) a life of n bytes of ops */
struct crash_record { size_t n; bool stopped; unsigned char bytes[RECORD_BYTES]; };
struct crash_setup {
    const char *dir;                    /* on a fast disk; a directory of its own per case */
    const char *image_path, *data_path;
    const char *more[2];                /* the second scene, by these two specs; NULL: the first */
    bool keys;                          /* the third: the first, and secrets change */
    bool trace;                         /* tell every call and request */
    const unsigned char *baseline; uint64_t baseline_calls;    /* to see that the course is the same */
    struct crash_record *record;        /* shared memory, or NULL */
    struct probe *probe;                /* the same: each allocation of the run is refused in a fork of its own */
};
/* The whole case; fills the answer. called (may be NULL) receives the kinds of all calls. */
void case_run(const struct crash_setup *setup, struct crash_case *c, unsigned char *called);
#endif
