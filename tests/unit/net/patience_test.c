/* patience_test.c - how long the transport waits for a server that says nothing: as long as the request allows, no less. The first page of a pass over
 * the agent comes after a scan of the whole table, silent for minutes. libcurl's time limits are cut to a hundredth on their way in, so 300 s of
 * silence are 3 s here. */
#include "net/curl_http.h"
#include "loopback.h"
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>

#undef curl_easy_setopt
#define HASTE 100

/* Stands before libcurl's own: the linker takes the program's. Every option has one argument of pointer size or a curl_off_t, which is as large. */
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    static CURLcode (*real)(CURL *, CURLoption, ...);
    if (!real) {
        void *found = dlsym(RTLD_NEXT, "curl_easy_setopt");
        memcpy(&real, &found, sizeof real);
    }
    va_list ap;
    va_start(ap, option);
    long value = va_arg(ap, long);
    va_end(ap);
    if (option == CURLOPT_TIMEOUT_MS || option == CURLOPT_LOW_SPEED_TIME) value /= HASTE;
    return real(easy, option, value);
}

static struct http_res ask(struct world *w, struct arena *a, const char *url, int64_t total_ms)
{
    struct http_req req = {.method = "GET", .url = url, .pool = "a", .max_body_bytes = 1000, .total_timeout_ms = total_ms, .connect_timeout_ms = 2000};
    struct http_res res = {.outcome = HTTP_REFUSED};
    void *tag = NULL;
    if (w->http.start(w->http.ctx, &req, &tag) != 0) return res;
    for (int i = 0; i < 20; i++)
        if (w->http.wait(w->http.ctx, 1000, a, &res, &tag) != 0) break;
    return res;
}

int main(void)
{
    struct world w;
    struct arena a;
    struct loopback server;
    struct fault f = {ERR_OK, ""};
    char url[80];
    alarm(60);
    arena_init(&a, 0);
    world_real(&w);
    if (curl_http_open(&w, &f) != ERR_OK || !loopback_open(&server)) {
        printf("not ok set-up: %s\n", f.text);
        return 1;
    }
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/scan", server.port);
    struct http_res r = ask(&w, &a, url, 1000000);
    bool waited = r.outcome == HTTP_ANSWERED && r.elapsed_ms >= 2500;
    if (waited) printf("ok a server that is silent for 250 s is waited for\n");
    else printf("not ok a server that is silent for 250 s is waited for: %s after %lld ms\n", r.error, (long long)r.elapsed_ms);
    r = ask(&w, &a, url, 100000);
    bool ended = r.outcome == HTTP_AMBIGUOUS && r.elapsed_ms < 2500;
    if (ended) printf("ok and not beyond the time that the request allows\n");
    else printf("not ok and not beyond the time that the request allows: %lld ms\n", (long long)r.elapsed_ms);
    curl_http_close(&w);
    loopback_close(&server);
    arena_free(&a);
    return waited && ended ? 0 : 1;
}
