/* counted.h - the end of a process that does not go through exit(): what a build for `make coverage` counted in it is written first. Each fork of a test
 * in which the product works ends so. */
#ifndef TESTS_FAULT_COUNTED_H
#define TESTS_FAULT_COUNTED_H
#include <unistd.h>

extern void __gcov_dump(void) __attribute__((weak));    /* gcov's, which tests/coverage links; else NULL */

static inline void counted(void)
{
    if (__gcov_dump) __gcov_dump();
}

static inline _Noreturn void counted_exit(int status)
{
    counted();
    _exit(status);
}
#endif
