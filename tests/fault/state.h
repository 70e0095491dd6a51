/* state.h - the judge of a state directory, and what it must hold. */
#ifndef TESTS_FAULT_STATE_H
#define TESTS_FAULT_STATE_H
#include "tests/fault/crash.h"
#include "journal/journal.h"
#include "secret/secret.h"
#include <stdio.h>

/* What had been promised when the power went. */
enum { CLAIM_SECRETS = 8, CLAIM_VALUES = 16, CLAIM_SLOTS = 16 };
struct claim_secret { char name[40]; unsigned char hash[CLAIM_VALUES][32]; size_t n; bool kept; };     /* any of these values; kept: it is there */
struct claim {
    uint64_t seq; unsigned char hash[32];         /* the last frame that was durable */
    struct claim_secret secret[CLAIM_SECRETS]; size_t nsecrets;
    uint32_t slot[CLAIM_SLOTS]; size_t nslots;    /* erased */
};
void claim_add(struct claim *c, const struct promise *p);

struct store;
struct event_tags;
struct state_judge {
    const char *dir;
    const struct claim *claim;                    /* NULL: nothing is known */
    bool erases;                                  /* the scene erases records */
    const char *kept;                             /* directory for what was folded and found good, so that it is done once for many; or NULL */
    void (*frame)(void *arg, const struct frame *fr, const struct event_tags *ev); void *arg;      /* may be NULL */
    /* opened, for more questions; the process ends after them */
    struct world w;
    struct secret_store *secrets;
    struct journal *journal;
    struct store *store, *again;
    uint64_t last_seq;
    FILE *hashes; bool before;                    /* of the frames; read (the log was judged before) or being written */
    char fold[700];                               /* where they are kept */
};
/* The log verifies, its fold is the index byte by byte, every private part opens, every compiled spec is kept, every claim holds. */
enum err state_judge(struct state_judge *j, struct fault *f);
#endif
