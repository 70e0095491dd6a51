/*
 * sim.c: the few functions that models and doors share: filling and freeing an answer, reading a header, decoding a
 * component of a target. Out of memory ends the test program at once: a model has nothing to save.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static void *sim_alloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

static char *sim_copy(const char *bytes, size_t len)
{
    char *p = sim_alloc(len + 1);
    if (len)
        memcpy(p, bytes, len);
    p[len] = '\0';
    return p;
}

static int64_t real_now_ms(void *ctx)
{
    (void)ctx;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct sim_clock sim_clock_real(void)
{
    return (struct sim_clock){real_now_ms, NULL};
}

const char *sim_request_header(const struct sim_request *req, const char *name)
{
    for (size_t i = 0; i < req->nheaders; i++)
        if (strcasecmp(req->headers[i].name, name) == 0)
            return req->headers[i].value;
    return NULL;
}

void sim_response_header(struct sim_response *resp, const char *name, const char *value)
{
    struct sim_header *grown = realloc(resp->headers, (resp->nheaders + 1) * sizeof *grown);
    if (!grown) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    resp->headers = grown;
    grown[resp->nheaders].name = sim_copy(name, strlen(name));
    grown[resp->nheaders].value = sim_copy(value, strlen(value));
    resp->nheaders++;
}

void sim_response_body(struct sim_response *resp, const char *bytes, size_t len, const char *content_type)
{
    free(resp->body);
    resp->body = sim_copy(bytes, len);
    resp->body_len = len;
    if (content_type)
        sim_response_header(resp, "Content-Type", content_type);
}

void sim_response_free(struct sim_response *resp)
{
    for (size_t i = 0; i < resp->nheaders; i++) {
        free(resp->headers[i].name);
        free(resp->headers[i].value);
    }
    free(resp->headers);
    free(resp->body);
    memset(resp, 0, sizeof *resp);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

char *sim_percent_decode(const char *bytes, size_t len, int plus_is_space, size_t *out_len)
{
    char *out = sim_alloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = bytes[i];
        if (c == '%' && i + 2 < len && hex_digit(bytes[i + 1]) >= 0 && hex_digit(bytes[i + 2]) >= 0) {
            c = (char)(hex_digit(bytes[i + 1]) * 16 + hex_digit(bytes[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[n++] = c;
    }
    out[n] = '\0';
    if (out_len)
        *out_len = n;
    return out;
}
