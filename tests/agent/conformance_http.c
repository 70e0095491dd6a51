/* conformance_http.c - calls, JSON paths, the control command. */
#include "tests/agent/conformance.h"
#include <stdarg.h>
#include <sys/wait.h>

int peer_failures;

void check(bool good, const char *name, const char *fmt, ...)
{
    char why[700];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    for (char *c = why; *c; c++)
        if ((unsigned char)*c < 0x20) *c = ' ';
    if (good) printf("ok %s\n", name);
    else printf("not ok %s: %s\n", name, why);
    fflush(stdout);
    peer_failures += !good;
}

struct text { char *p; size_t n; };

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
    struct text *t = ctx;
    t->p = realloc(t->p, t->n + size * n + 1);
    memcpy(t->p + t->n, p, size * n);
    t->n += size * n;
    t->p[t->n] = '\0';
    return size * n;
}

struct reply call(struct peer *p, const char *token, const char *method, const char *path, const char *body)
{
    struct text t = {calloc(1, 1), 0};
    struct reply r = {0, NULL, NULL};
    char url[1500], auth[300];
    long status = 0;
    struct curl_slist *headers = NULL;
    snprintf(url, sizeof url, "%s%s", p->url, path);
    snprintf(auth, sizeof auth, strncmp(token, "Basic", 5) == 0 ? "Authorization: %s" : "Authorization: Bearer %s", token);
    if (*token) headers = curl_slist_append(headers, auth);
    headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_easy_reset(p->curl);
    curl_easy_setopt(p->curl, CURLOPT_URL, url);
    curl_easy_setopt(p->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(p->curl, CURLOPT_TIMEOUT, 120L);
    curl_easy_setopt(p->curl, CURLOPT_CUSTOMREQUEST, method);
    if (body) curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body);
    CURLcode e = curl_easy_perform(p->curl);
    curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    r.status = e == CURLE_OK ? (int)status : -(int)e;
    r.json = json_loadb(t.p, t.n, JSON_REJECT_DUPLICATES, NULL);
    r.text = t.p;
    return r;
}

struct reply get(struct peer *p, const char *format, ...)
{
    char path[1200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(path, sizeof path, format, ap);
    va_end(ap);
    return call(p, p->token, "GET", path, NULL);
}

void drop(struct reply *r)
{
    json_decref(r->json);
    free(r->text);
}

json_t *node(const json_t *j, const char *path)
{
    char name[100];
    while (j && *path) {
        size_t n = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)n, path);
        j = json_is_array(j) ? json_array_get(j, (size_t)strtol(name, NULL, 10)) : json_object_get(j, name);
        path += n + (path[n] == '.');
    }
    return (json_t *)j;
}

const char *at(const json_t *j, const char *path)
{
    static char number[4][32];
    static int turn;
    const json_t *n = node(j, path);
    const char *s = json_string_value(n);
    if (s) return s;
    if (json_is_integer(n)) {
        turn = (turn + 1) % 4;
        snprintf(number[turn], sizeof number[turn], "%lld", (long long)json_integer_value(n));
        return number[turn];
    }
    return json_is_true(n) ? "true" : json_is_false(n) ? "false" : "";
}

bool control(struct peer *p, const char *fmt, ...)
{
    char args[600], command[1200];
    va_list ap;
    if (!p->control) return false;
    va_start(ap, fmt);
    vsnprintf(args, sizeof args, fmt, ap);
    va_end(ap);
    snprintf(command, sizeof command, "%s %s", p->control, args);
    int status = system(command);
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!good && !(WIFEXITED(status) && WEXITSTATUS(status) == 77)) check(false, "control", "%s failed", command);
    return good;
}

const char *key_text(const json_t *key, bool encoded)
{
    static char text[4][800];
    static int turn;
    turn = (turn + 1) % 4;
    char *out = text[turn];
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(key); i++) {
        const char *part = json_string_value(json_array_get(key, i));
        if (i) out[n++] = '~';
        for (; part && *part && n < sizeof text[0] - 8; part++) {
            unsigned char c = (unsigned char)*part;
            bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
            if (plain || !encoded) out[n++] = (char)c;
            else n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned)c);
        }
    }
    out[n] = '\0';
    return out;
}
