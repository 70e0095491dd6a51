/* trust.h - trust anchors in addition to the system's. libcurl's CAINFO replaces the system's bundle, so a private CA would cost all the
 * public ones; we hand it both in one piece of memory instead. Room-private: for curl_http.c. */
#ifndef NET_TRUST_H
#define NET_TRUST_H
#include "base/world.h"

#define TRUST_FILES 8
#define TRUST_BYTES (4u << 20)

struct trust { struct arena arena; struct { const char *file; struct str pem; } made[TRUST_FILES]; size_t n; };

/* The system's bundle and the certificates of file, as PEM; read once per file and kept. False when file cannot be read or holds no
 * certificate. The memory lives until trust_free. */
bool trust_bundle(struct trust *t, const struct world *w, const char *file, struct str *pem);
void trust_free(struct trust *t);
#endif
