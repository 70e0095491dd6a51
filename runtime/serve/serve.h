/* serve.h - the receiver of notifications: a small HTTP server on an address of its own, behind a proxy that speaks TLS.
 *
 *     Zoho --https--> TLS proxy --http--> receiver: POST, JSON, within the bounds? -> ours (where)? -> FOLDER/TIME-RANDOM.hint, synced -> 200
 *
 * Nothing that comes in is believed, and nothing is done about it here: whoever owns the folder takes the files (sync/hint.c). 200 is said only when
 * the file and its name are on disk, so that what was acknowledged survives a crash. What is not ours gets 403 and leaves no trace but a counter.
 *
 * Runs in a thread of its own (libmicrohttpd); `where` is called there, and so are the world's clock, random and file functions. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H
#include "base/world.h"

struct serve;
struct serve_options {
    const char *listen;                    /* "127.0.0.1:8470", "[::1]:8470"; port 0: the system chooses */
    /* The folder for a notification, which must exist, or NULL: not ours. Must need the same time whatever the secret in the body is. */
    const char *(*where)(void *ctx, struct str body);
    void *ctx;
    size_t max_body_bytes;                 /* 0 = 256 KiB */
    size_t max_waiting;                    /* files in a folder before 503 is said; 0 = 4096 */
    unsigned max_connections;              /* 0 = 32; for one more, the one that has been longest without a whole request goes */
    unsigned timeout_s;                    /* a connection without progress for so long is closed; 0 = 10 */
};
struct serve_counts { uint64_t taken, refused, failed; };

/* ERR_CONFIG: the address cannot be read; ERR_IO: the port cannot be had. */
enum err serve_open(struct serve **out, const struct world *w, const struct serve_options *o, struct fault *f);
/* Waits for what is under way. NULL is allowed. */
void serve_close(struct serve *s);
unsigned serve_port(const struct serve *s);
struct serve_counts serve_counts(const struct serve *s);

/* What a request gets, without sockets: 200 stored, 400 empty, 403 not ours, 405 no POST, 413 too large, 415 no JSON, 503 cannot store now.
 * too_large: the body went over the bound and is not here. */
int serve_judge(struct serve *s, const char *method, const char *content_type, struct str body, bool too_large);
#endif
