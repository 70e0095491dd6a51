/* wipe.h - malloc and friends for libraries that copy secrets about: what they give back is overwritten first. */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H
#include <stddef.h>

/* Never NULL: without memory the process ends, as everywhere in ours. For jansson, which takes "no memory" for a text that is no JSON, and while it takes
 * down what it had begun gives the same piece back twice. */
void *wipe_malloc(size_t n);
void wipe_free(void *p);
void *wipe_realloc(void *p, size_t n);          /* what moves is not left behind; NULL: no memory, p stays */
#endif
