/* site_private.h - the directory of an integration as the supervisor (site.c) and status see it. */
#ifndef SYNC_SITE_PRIVATE_H
#define SYNC_SITE_PRIVATE_H
#include "sync/site.h"

struct site_last {                         /* the file `last` */
    int64_t pid, started_ms, ended_ms, ok_ms, next_ms, code, fails;       /* pid: not 0 while a process runs */
    char text[200];
};
struct site_dir {                          /* what stands in the directory */
    char spec[256];                        /* file name of the compiled spec; empty: none */
    uint32_t spec_crc;
    unsigned nspecs;
    bool off, is_dir, has_env;
};
void site__look(const struct world *w, const char *site, const char *name, bool read_spec, struct site_dir *d);
/* NULL when it can be started, else what is wrong. */
const char *site__broken(const struct site_dir *d);
void site__read_last(const struct world *w, const char *site, const char *name, struct site_last *l);
enum err site__write_last(const struct world *w, const char *site, const char *name, const struct site_last *l, struct fault *f);
bool site__read_turn(const struct world *w, const char *site, const char *name, struct engine_turn *t);
/* Lines NAME=value of the file env, NULL at the end; in the arena. False: said in f. */
bool site__env(const struct world *w, const char *site, const char *name, struct arena *a, const char ***out, struct fault *f);
/* The last line that the integration's processes said. */
void site__last_words(const struct world *w, const char *site, const char *name, char *out, size_t n);
void site__turn_log(const struct world *w, const char *site, const char *name);
/* Calls each(arg, name) for what may be an integration. */
int site__names(const struct world *w, const char *site, void (*each)(void *arg, const char *name), void *arg);
#endif
