/* wipe.h - malloc and friends for libraries that copy secrets about: what they give back is overwritten first. */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H
#include <stddef.h>

void wipe_free(void *p);
void *wipe_realloc(void *p, size_t n);          /* what moves is not left behind; NULL: no memory, p stays */
#endif
