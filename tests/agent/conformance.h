/* conformance.h - what the files of the protocol suite share. */
#ifndef TESTS_AGENT_CONFORMANCE_H
#define TESTS_AGENT_CONFORMANCE_H
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct spec { const char *resource, *table; unsigned nkeys; const char *key[6]; const char *line; };
extern const struct spec specs[];
struct peer { const char *url, *token, *company, *control; CURL *curl; char epoch[80]; json_t *resources; };
struct reply { int status; json_t *json; char *text; };
extern int peer_failures;

/* conformance_http.c. path is sent as it is. token "" none. */
struct reply call(struct peer *p, const char *token, const char *method, const char *path, const char *body);
struct reply get(struct peer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void drop(struct reply *r);
/* A member by a dotted path; at: as text, "" when it is none. */
json_t *node(const json_t *j, const char *path);
const char *at(const json_t *j, const char *path);
void check(bool good, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Runs the control command; false when it cannot. */
bool control(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "01~ABF", percent-encoded for a URL or plain; static memory, four at a time. */
const char *key_text(const json_t *key, bool encoded);

void schema(struct peer *p, const struct spec *s);
void refuses(struct peer *p, const char *name, const char *method, const char *path, const char *body, int status, const char *code);
/* conformance_pages.c */
void resource(struct peer *p, const struct spec *s);
/* conformance_changes.c */
void changes(struct peer *p);
/* A pass from `since` ("" full) in pages of `limit`; rows is an array of row objects, locked of keys; returns the last next (malloc'd). */
char *pass(struct peer *p, const char *resource, const char *since, int limit, json_t *rows, json_t *locked);
#endif
