/* curl_http.h - the real transport: world_http over libcurl's multi interface. */
#ifndef NET_CURL_HTTP_H
#define NET_CURL_HTTP_H
#include "base/world.h"
/* Fills w->http. HTTPS only (loopback may be http), TLS verification always on, redirects never followed, one connection pool per
 * req->pool, headers capped, bodies counted after decompression. ERR_UNSUPPORTED when libcurl lacks what we need. */
enum err curl_http_open(struct world *w, struct fault *f);
void curl_http_close(struct world *w);
#endif
