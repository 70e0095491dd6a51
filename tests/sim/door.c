/*
 * door.c: libmicrohttpd in front of models, see door.h.
 *
 * Life of a call (struct call, one per request, owned by the connection's thread):
 *
 *     uri_of      raw target copied (the library decodes its own copy only)
 *     access_handler repeatedly: collect the body, bounded
 *                  at the end: model under the lock, delay in slices so that close ends it early, answer
 *     call_done   free
 *
 * Threads: one per connection. Shared: the lock around the models, two atomic numbers.
 */
#include "door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DOOR_BODY_LIMIT_BYTES = 64 << 20, DOOR_SLICE_MS = 20, DOOR_CONNECTIONS = 512 };

struct sim_door {
    struct MHD_Daemon *daemon;
    struct sim_mount *mounts;
    size_t nmounts;
    size_t body_limit;
    bool serialise;
    pthread_mutex_t lock;
    atomic_uint inflight;
    atomic_bool stopping;
};

struct call {
    struct sim_door *door;
    char *target;
    char *body;
    size_t body_len, body_cap;
    struct sim_header *headers;
    size_t nheaders, headers_cap;
    bool started, too_long;
};

// The bytes of an answer that is cut short on purpose.
struct cut_body {
    char *bytes;
    size_t cut_at;
};

static void *must(void *p)
{
    if (!p) {
        fputs("door: out of memory\n", stderr);
        abort();
    }
    return p;
}

static void sleep_ms(int64_t ms)
{
    struct timespec ts = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};
    nanosleep(&ts, NULL);
}

static void *uri_of(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct call *call = must(calloc(1, sizeof *call));
    call->door = cls;
    call->target = must(strdup(uri));
    atomic_fetch_add(&call->door->inflight, 1);
    return call;
}

static void call_done(void *cls, struct MHD_Connection *connection, void **con_cls, enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    struct call *call = *con_cls;
    if (!call)
        return;
    atomic_fetch_sub(&call->door->inflight, 1);
    free(call->target);
    free(call->body);
    free(call->headers);
    free(call);
    *con_cls = NULL;
}

static void collect_body(struct call *call, const char *bytes, size_t len)
{
    if (call->too_long || len > call->door->body_limit - call->body_len) {
        call->too_long = true;
        return;
    }
    if (call->body_len + len > call->body_cap) {
        size_t cap = call->body_cap ? call->body_cap * 2 : 4096;
        while (cap < call->body_len + len)
            cap *= 2;
        call->body = must(realloc(call->body, cap));
        call->body_cap = cap;
    }
    memcpy(call->body + call->body_len, bytes, len);
    call->body_len += len;
}

// The library's strings live as long as the request, so only the table of pointers is ours.
static enum MHD_Result collect_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct call *call = cls;
    if (call->nheaders == call->headers_cap) {
        call->headers_cap = call->headers_cap ? call->headers_cap * 2 : 16;
        call->headers = must(realloc(call->headers, call->headers_cap * sizeof *call->headers));
    }
    union {
        const char *in;
        char *out;
    } n = {name}, v = {value ? value : ""};
    call->headers[call->nheaders++] = (struct sim_header){n.out, v.out};
    return MHD_YES;
}

static const struct sim_model *model_for(const struct sim_door *door, const char *target)
{
    const struct sim_mount *best = NULL;
    for (size_t i = 0; i < door->nmounts; i++) {
        const struct sim_mount *m = &door->mounts[i];
        if (strncmp(target, m->prefix, strlen(m->prefix)) == 0 &&
            (!best || strlen(m->prefix) > strlen(best->prefix)))
            best = m;
    }
    return best ? &best->model : NULL;
}

static void wait_delay(struct sim_door *door, int64_t ms)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &b);
        int64_t gone = (int64_t)(b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
        if (gone >= ms || atomic_load(&door->stopping))
            return;
        sleep_ms(ms - gone < DOOR_SLICE_MS ? ms - gone : DOOR_SLICE_MS);
    }
}

static ssize_t read_cut(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct cut_body *cut = cls;
    if (pos >= cut->cut_at)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t n = cut->cut_at - (size_t)pos;
    if (n > max)
        n = max;
    memcpy(buf, cut->bytes + pos, n);
    return (ssize_t)n;
}

static void free_cut(void *cls)
{
    struct cut_body *cut = cls;
    free(cut->bytes);
    free(cut);
}

// Takes the body out of `resp`.
static struct MHD_Response *answer_of(struct sim_response *resp)
{
    struct MHD_Response *r;
    char *body = resp->body;
    resp->body = NULL;
    if (resp->cut_at > 0 && resp->cut_at < resp->body_len) {
        struct cut_body *cut = must(malloc(sizeof *cut));
        *cut = (struct cut_body){body, resp->cut_at};
        r = must(MHD_create_response_from_callback(resp->body_len, 4096, read_cut, cut, free_cut));
    } else if (body) {
        r = must(MHD_create_response_from_buffer(resp->body_len, body, MHD_RESPMEM_MUST_FREE));
    } else {
        r = must(MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT));
    }
    for (size_t i = 0; i < resp->nheaders; i++)
        MHD_add_response_header(r, resp->headers[i].name, resp->headers[i].value);
    return r;
}

static enum MHD_Result answer_plain(struct MHD_Connection *connection, unsigned status, const char *text)
{
    union {
        const char *in;
        void *out;
    } t = {text};
    struct MHD_Response *r = must(MHD_create_response_from_buffer(strlen(text), t.out, MHD_RESPMEM_PERSISTENT));
    MHD_add_response_header(r, "Content-Type", "text/plain");
    enum MHD_Result ok = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result serve(struct call *call, struct MHD_Connection *connection, const char *method)
{
    struct sim_door *door = call->door;
    const struct sim_model *model = model_for(door, call->target);
    if (call->too_long)
        return answer_plain(connection, 413, "body too long for this door\n");
    if (!model)
        return answer_plain(connection, 404, "nothing is mounted here\n");
    MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_header, call);
    struct sim_request req = {method,     call->target,    call->headers, call->nheaders,
                              call->body, call->body_len};
    struct sim_response resp = {0};
    pthread_mutex_lock(&door->lock);
    model->handle(model->self, &req, &resp);
    if (door->serialise)
        wait_delay(door, resp.delay_ms);
    pthread_mutex_unlock(&door->lock);
    if (!door->serialise)
        wait_delay(door, resp.delay_ms);
    if (resp.fate != SIM_ANSWERED) {
        sim_response_free(&resp);
        return MHD_NO; // the library closes the socket
    }
    struct MHD_Response *r = answer_of(&resp);
    enum MHD_Result ok = MHD_queue_response(connection, (unsigned)resp.status, r);
    MHD_destroy_response(r);
    sim_response_free(&resp);
    return ok;
}

static enum MHD_Result access_handler(void *cls, struct MHD_Connection *connection, const char *url,
                                      const char *method, const char *version, const char *upload,
                                      size_t *upload_size, void **con_cls)
{
    (void)cls;
    (void)url;
    (void)version;
    struct call *call = *con_cls;
    if (!call->started) {
        call->started = true;
        return MHD_YES;
    }
    if (*upload_size) {
        collect_body(call, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return serve(call, connection, method);
}

static struct MHD_Daemon *start(struct sim_door *door, unsigned port)
{
    struct sockaddr_in at = {0};
    at.sin_family = AF_INET;
    at.sin_port = htons((uint16_t)port);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, (uint16_t)port, NULL,
                            NULL, access_handler, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
                            MHD_OPTION_URI_LOG_CALLBACK, uri_of, door, MHD_OPTION_NOTIFY_COMPLETED, call_done, door,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)DOOR_CONNECTIONS,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)256 << 10, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)300, MHD_OPTION_LISTENING_ADDRESS_REUSE, (unsigned)1, MHD_OPTION_END);
}

static bool write_port(const struct sim_door *door, const struct sim_door_options *options)
{
    unsigned port = sim_door_port(door);
    if (options->print_port) {
        printf("port %u\n", port);
        fflush(stdout);
    }
    if (!options->port_file)
        return true;
    char path[4096];
    if (snprintf(path, sizeof path, "%s.%ld", options->port_file, (long)getpid()) >= (int)sizeof path)
        return false;
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    bool ok = fprintf(f, "%u\n", port) > 0;
    ok = fclose(f) == 0 && ok;
    return ok && rename(path, options->port_file) == 0;
}

struct sim_door *sim_door_open(const struct sim_mount *mounts, size_t nmounts, const struct sim_door_options *options)
{
    struct sim_door *door = must(calloc(1, sizeof *door));
    door->mounts = must(calloc(nmounts ? nmounts : 1, sizeof *door->mounts));
    door->nmounts = nmounts;
    for (size_t i = 0; i < nmounts; i++)
        door->mounts[i] = (struct sim_mount){must(strdup(mounts[i].prefix)), mounts[i].model};
    door->body_limit = options->body_limit_bytes ? options->body_limit_bytes : DOOR_BODY_LIMIT_BYTES;
    door->serialise = options->serialise;
    pthread_mutex_init(&door->lock, NULL);
    door->daemon = start(door, options->port);
    if (!door->daemon) {
        fprintf(stderr, "door: cannot listen on 127.0.0.1:%u: %s\n", options->port, strerror(errno));
        sim_door_close(door);
        return NULL;
    }
    if (!write_port(door, options)) {
        fprintf(stderr, "door: cannot write %s: %s\n", options->port_file, strerror(errno));
        sim_door_close(door);
        return NULL;
    }
    return door;
}

unsigned sim_door_port(const struct sim_door *door)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void sim_door_lock(struct sim_door *door)
{
    pthread_mutex_lock(&door->lock);
}

void sim_door_unlock(struct sim_door *door)
{
    pthread_mutex_unlock(&door->lock);
}

unsigned sim_door_inflight(const struct sim_door *door)
{
    return atomic_load(&door->inflight);
}

void sim_door_close(struct sim_door *door)
{
    if (!door)
        return;
    atomic_store(&door->stopping, true);
    if (door->daemon)
        MHD_stop_daemon(door->daemon);
    for (size_t i = 0; i < door->nmounts; i++) {
        union {
            const char *in;
            char *out;
        } p = {door->mounts[i].prefix};
        free(p.out);
    }
    free(door->mounts);
    pthread_mutex_destroy(&door->lock);
    free(door);
}

static volatile sig_atomic_t door_stop;

static void on_signal(int sig)
{
    (void)sig;
    door_stop = 1;
}

int sim_door_run(const struct sim_mount *mounts, size_t nmounts, const struct sim_door_options *options)
{
    pid_t parent = getppid();
    struct sigaction sa = {0};
    sa.sa_handler = on_signal;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
    struct sim_door *door = sim_door_open(mounts, nmounts, options);
    if (!door)
        return 1;
    while (!door_stop && !(options->die_with_parent && getppid() != parent))
        sleep_ms(50);
    sim_door_close(door);
    return 0;
}

static bool parse_number(const char *text, unsigned long max, unsigned long *out)
{
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *out <= max;
}

bool sim_door_options_parse(int *argc, char **argv, struct sim_door_options *options)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const char *arg = argv[i], *value = i + 1 < *argc ? argv[i + 1] : NULL;
        unsigned long n = 0;
        bool good = true;
        if (strcmp(arg, "--print-port") == 0) {
            options->print_port = true;
        } else if (strcmp(arg, "--die-with-parent") == 0) {
            options->die_with_parent = true;
        } else if (strcmp(arg, "--port") == 0) {
            good = value && parse_number(value, 65535, &n);
            options->port = (unsigned)n;
            i++;
        } else if (strcmp(arg, "--body-limit") == 0) {
            good = value && parse_number(value, (unsigned long)1 << 40, &n);
            options->body_limit_bytes = n;
            i++;
        } else if (strcmp(arg, "--port-file") == 0) {
            good = value != NULL;
            options->port_file = value;
            i++;
        } else {
            argv[kept++] = argv[i];
        }
        if (!good) {
            fprintf(stderr, "bad value of %s\n", arg);
            return false;
        }
    }
    *argc = kept;
    return true;
}
