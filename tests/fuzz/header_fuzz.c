/* header_fuzz.c - Retry-After and other values of headers, budgets kept as text, addresses: any bytes. Checked besides not crashing: a wait is between
 * nothing and an hour; a budget reads back what it printed; an encoded text is plain ASCII and decodes to itself. */
#include "base/buf.h"
#include "base/check.h"
#include "connectors/zoho/zoho.h"
#include "net/net.h"
#include "tests/sim/sim.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const int64_t DAY_MS = 86400000;

static void retry_after(const char *value, int64_t now_ms)
{
    struct http_header h = {"retry-after", value};
    struct http_res res = {.headers = &h, .nheaders = 1};
    int64_t ms = net_retry_after_ms(&res, now_ms);
    ASSERT(ms >= 0 && ms <= 3600000);
}

static void budget(struct str text)
{
    struct net_window w, again;
    struct buf b = {0};
    net_window_init(&w, DAY_MS);
    if (net_window_parse(&w, text)) {
        net_window_print(&b, &w);
        net_window_init(&again, DAY_MS);
        ASSERT(net_window_parse(&again, buf_view(&b)));
        ASSERT(net_window_sum(&again, 1795428000000) == net_window_sum(&w, 1795428000000));
        net_window_add(&w, 1795428000000, 1);
    }
    buf_free(&b);
}

static void address(struct str s)
{
    struct buf b = {0};
    size_t n = 0;
    net_url_encode(&b, s);
    for (size_t i = 0; i < b.n; i++) ASSERT((unsigned char)b.p[i] > 0x20 && (unsigned char)b.p[i] < 0x7f);
    char *back = sim_percent_decode(b.n ? b.p : "", b.n, 0, &n);
    ASSERT(back && n == s.n && (n == 0 || memcmp(back, s.p, n) == 0));
    free(back);
    char origin[ZOHO_URL_BYTES];
    if (zoho__origin(s, origin)) {
        char again[ZOHO_URL_BYTES];
        ASSERT(strlen(origin) < ZOHO_URL_BYTES && zoho__origin(str_of(origin), again) && strcmp(origin, again) == 0);
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n == 0) return 0;
    char *value = malloc(n);
    ASSERT(value);
    memcpy(value, data + 1, n - 1);
    value[n - 1] = '\0';
    static const int64_t nows[] = {0, 1795428000000, -1, 1, 4102444800000, 253402300799000};
    retry_after(value, nows[data[0] % 6]);
    budget((struct str){value, n - 1});
    address((struct str){value, n - 1});
    free(value);
    return 0;
}
