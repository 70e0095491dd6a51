/* check.h - ASSERT: for our own bugs only, on in production. The world's failures are enum err, the user's are diag. */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H
#include <stdnoreturn.h>
/* Prints place and condition to stderr and aborts. */
noreturn void check_failed(const char *cond, const char *file, int line);
/* Out of memory: prints and exits 71 (EX_OSERR). */
noreturn void check_no_memory(void);
#define ASSERT(c) ((c) ? (void)0 : check_failed(#c, __FILE__, __LINE__))
#endif
