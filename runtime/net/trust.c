/* trust.c - see trust.h. Where the system keeps its bundle is libcurl's own knowledge (curl_version_info); its directory of hashed
 * certificates, where there is one, stays in force beside what we give. */
#include "net/trust.h"
#include "base/buf.h"
#include <curl/curl.h>

static bool holds_certificate(struct str pem)
{
    return pem.n > 0 && memmem(pem.p, pem.n, "-----BEGIN CERTIFICATE-----", 27) != NULL;
}

static struct str system_bundle(const struct world *w, struct arena *a)
{
    struct str pem = {"", 0};
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (v->age >= CURLVERSION_TENTH && v->cainfo && world_read_file(w, v->cainfo, TRUST_BYTES, a, &pem, NULL) != ERR_OK)
        pem = (struct str){"", 0};
    return pem;
}

bool trust_bundle(struct trust *t, const struct world *w, const char *file, struct str *pem)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->made[i].file, file) == 0) {
            *pem = t->made[i].pem;
            return true;
        }
    if (t->n == TRUST_FILES) return false;
    if (t->arena.chunk_bytes == 0) arena_init(&t->arena, 0);
    struct str extra;
    if (world_read_file(w, file, TRUST_BYTES, &t->arena, &extra, NULL) != ERR_OK || !holds_certificate(extra)) return false;
    struct buf both = {0};
    buf_str(&both, system_bundle(w, &t->arena));
    buf_byte(&both, '\n');
    buf_str(&both, extra);
    *pem = (struct str){arena_copy(&t->arena, both.p, both.n), both.n};
    buf_free(&both);
    t->made[t->n].file = arena_copy(&t->arena, file, strlen(file));
    t->made[t->n++].pem = *pem;
    return true;
}

void trust_free(struct trust *t)
{
    if (t->arena.chunk_bytes) arena_free(&t->arena);
    *t = (struct trust){0};
}
