/* outcome.c - names of the classes, for the log and for people. */
#include "base/outcome.h"
#include "base/check.h"

const char *write_class_name(enum write_class c)
{
    static const char *const names[] = {"APPLIED", "REJECTED", "RETRY", "PARKED", "AMBIGUOUS", "DUP_OWN", "DUP_OTHER", "GONE", "CONFIG", "SPLIT"};
    ASSERT((unsigned)c < sizeof names / sizeof *names);
    return names[c];
}
