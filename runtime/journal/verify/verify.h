/* verify.h - checks an audit log from its files alone; shares no code with the writer (runtime/journal), only the table of kinds. */
#ifndef JOURNAL_VERIFY_H
#define JOURNAL_VERIFY_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct verify_options {
    const char *dir;
    const char *checkpoints;            /* NULL = DIR/checkpoints.log */
    const unsigned char *public_key;    /* 32 bytes; NULL = signatures are not checked */
    bool partial;                       /* the log may begin later than frame 1 (older segments archived) */
    bool live;                          /* an unfinished write at the end is no failure */
};
struct verify_report {
    bool ok;
    char error[400];                    /* where and what, when not ok */
    char note[200];                     /* what --partial or --live let pass */
    uint64_t segments, frames, batches, first_seq, last_seq, checkpoints, signatures, time_went_back;
    uint64_t kinds[64], other_kinds;
    uint32_t starts;                    /* epoch of the last frame */
    int64_t first_ms, last_ms;
    unsigned char head[32];             /* hash of the last frame */
};
/* Fills the report; true = ok. */
bool verify_log(const struct verify_options *o, struct verify_report *r);
void verify_print(const struct verify_report *r, bool json, bool signatures_wanted, FILE *out);
#endif
