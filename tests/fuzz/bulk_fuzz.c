/* bulk_fuzz.c - the result file of a bulk write job: bytes that claim to be the zip, or a CSV that the harness zips, so that what lies inside is reached.
 * Checked besides not crashing: it is read or refused with a sentence; every line is told as often as it is counted; "applied" is only believed with an id;
 * the address in the job's answer never leads the token away from Zoho.
 *
 *   input   kind byte | address LF | bytes        kind: odd: a zip; 2: deflated; 4: in two files */
#include "connectors/zoho/zoho.h"
#include "tests/fuzz/talk.h"
#include <stdlib.h>
#include <zip.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

static const char *const SECRETS[] = {"1000.canary-access-8c1f", NULL};

static bool zohos(struct str host)
{
    static const char *const ends[] = {".zohoapis.com", ".zohoapis.eu", ".zohoapis.in", ".zohoapis.com.au", ".zohoapis.jp", ".zohoapis.ca", ".zohoapis.sa", ".zohoapis.com.cn",
                                       ".zohoapis.uk"};
    if (host.n > 4 && memcmp(host.p + host.n - 4, ":443", 4) == 0) host.n -= 4;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t n = strlen(ends[i]);
        if (host.n + 1 >= n && strncasecmp(host.p + host.n + 1 - n, ends[i] + 1, n - 1) == 0 && (host.n + 1 == n || host.p[host.n - n] == '.')) return true;
    }
    return false;
}

static enum err load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    static const char text[] = "{\"access_token\":\"1000.canary-access-8c1f\",\"expires_ms\":1795431000000,\"api_domain\":\"https://www.zohoapis.com\",\"scopes\":\"\",\"renewed_ms\":[],"
                               "\"blocked_until_ms\":0}";
    (void)ctx;
    if (strcmp(name, "zoho.token") != 0) return ERR_NOT_FOUND;
    *out = (struct str){arena_copy(a, text, sizeof text - 1), sizeof text - 1};
    return ERR_OK;
}

/* Gathers what libzip writes. */
static void zipped(struct str csv, unsigned kind, struct buf *out)
{
    zip_error_t e;
    zip_error_init(&e);
    zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, &e);
    zip_t *z = zip_open_from_source(s, ZIP_TRUNCATE, &e);
    ASSERT(z);
    zip_source_keep(s);
    size_t half = kind & 4 ? csv.n / 2 : csv.n;
    const struct str files[2] = {{csv.p, half}, {csv.p + half, csv.n - half}};
    for (size_t i = 0; i < (kind & 4 ? 2u : 1u); i++) {
        zip_source_t *file = zip_source_buffer(z, files[i].p, files[i].n, 0);
        zip_int64_t at = zip_file_add(z, i ? "b.csv" : "a.csv", file, 0);
        ASSERT(at >= 0 && zip_set_file_compression(z, (zip_uint64_t)at, kind & 2 ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 1) == 0);
    }
    ASSERT(zip_close(z) == 0 && zip_source_open(s) == 0);
    char part[4096];
    for (zip_int64_t n; (n = zip_source_read(s, part, sizeof part)) > 0;) buf_str(out, (struct str){part, (size_t)n});
    zip_source_close(s);
    zip_source_free(s);
}

static struct buf answer;
static void handle(void *self, const struct sim_request *req, struct sim_response *resp)
{
    (void)self, (void)req;
    resp->status = 200;
    sim_response_body(resp, answer.n ? answer.p : "", answer.n, "application/octet-stream");
}

struct told { uint64_t lines; };
static void each(void *ctx, struct str key, struct write_item *it)
{
    struct told *t = ctx;
    t->lines++;
    ASSERT(key.n == 0 || key.p);
    ASSERT(it->cls != W_APPLIED || it->out_id.n > 0);
    ASSERT(it->cls == W_APPLIED || it->cls == W_AMBIGUOUS || it->code.n > 0);
    ASSERT(it->message.p != NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    if (n < 2) return 0;
    struct talk k;
    struct arena a;
    struct target *t;
    struct fault f = {ERR_OK, ""};
    struct told told = {0};
    uint64_t lines = 0;
    struct conn_setting settings[] = {{STR("region"), STR("us")}, {STR("edition"), STR("enterprise")}};
    struct str in = {(const char *)data + 1, n - 1}, where;
    const char *lf = memchr(in.p, '\n', in.n);
    where = (struct str){in.p, lf ? (size_t)(lf - in.p) : 0};
    in = lf ? (struct str){lf + 1, in.n - where.n - 1} : in;
    buf_clear(&answer);
    if (data[0] & 1) buf_str(&answer, in);
    else zipped(in, data[0], &answer);
    talk_open(&k, (struct str){(const char *)data, n}, SECRETS, zohos);
    sim_loop_mount(k.loop, "https://", (struct sim_model){NULL, handle});
    sim_loop_mount(k.loop, "http://", (struct sim_model){NULL, handle});
    struct conn_env env = {.world = &k.w, .settings = settings, .nsettings = 2, .state_name = "crm", .load = load};
    arena_init(&a, 0);
    ASSERT(zoho_target_ops.open(&t, &env, &f) == ERR_OK);
    enum err e = zoho_target_ops.load_result(t, where, STR("Sage_Customer"), each, &told, &lines, &f);
    talk_told(&k, e, f.text);
    ASSERT(told.lines == lines);
    zoho_target_ops.close(t);
    arena_free(&a);
    talk_close(&k);
    buf_free(&answer);
    answer = (struct buf){0};
    return 0;
}
