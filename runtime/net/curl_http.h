/* curl_http.h - the real transport: world_http over libcurl's multi interface.
 *
 * What it promises to net.c and the connectors:
 *   - https only; http is allowed to loopback (127.0.0.0/8, ::1, localhost) and nowhere else
 *   - peer and host name are always verified, TLS 1.2 or newer; req->ca_file is trust in addition to the system's
 *   - redirects are never followed, proxies of the environment are never used, HTTP/1.1 only
 *   - one connection pool per req->pool; req->fresh takes a new connection and closes it behind the answer
 *   - an outcome is NOT_SENT only when libcurl wrote no byte of the request (CURLINFO_REQUEST_SIZE), AMBIGUOUS otherwise
 *   - a request other than GET or HEAD leaves at most once. libcurl repeats a request by itself when a connection out of the
 *     pool turns out to be dead; the pre-request callback counts the departures and aborts the second one
 *   - answers are capped: CURL_HTTP_HEADER_BYTES of headers, req->max_body_bytes of decompressed body
 *   - no error text holds a header, a body or the query of a URL */
#ifndef NET_CURL_HTTP_H
#define NET_CURL_HTTP_H
#include "base/world.h"

#define CURL_HTTP_IN_FLIGHT     32          /* start gives -1 above this */
#define CURL_HTTP_POOLS         16          /* credentials per process */
#define CURL_HTTP_HEADER_BYTES  (64u << 10)
#define CURL_HTTP_HEADERS       128

/* Fills w->http. HTTPS only (loopback may be http), TLS verification always on, redirects never followed, one connection pool per
 * req->pool, headers capped, bodies counted after decompression. ERR_UNSUPPORTED when libcurl lacks what we need. The files and the clock
 * of *w must be set before. */
enum err curl_http_open(struct world *w, struct fault *f);
/* Ends what is under way without an answer and frees everything. */
void curl_http_close(struct world *w);
#endif
