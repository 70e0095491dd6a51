/*
 * sim-zoho: the Zoho model as a server on loopback.
 *
 *     sim-zoho [--port N] [--port-file F] [--print-port] [--die-with-parent] [--body-limit BYTES]
 *              --data F [--edition E] [--api-domain URL] [--faults F] [--seed-file F] [--switches JSON] [--log F] [--notify-log F]
 *
 * A seed file is a JSON object: module -> list of records, in the order of the file. Exit: 0 after SIGTERM, 1 when it
 * could not start, 2 for wrong options. Notifications are posted by a thread of their own, in order, once each; --log
 * gets no line for them, but --notify-log F does: URL, status, body.
 */
#include "../door.h"
#include "zoho_sim.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// ---- notifications on their way

struct letter {
    struct letter *next;
    char *url, *body;
};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct letter *first, **last;
    FILE *log;
} post = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &post.first, NULL};

static void deliver(void *ctx, const char *url, const char *body)
{
    struct letter *l = calloc(1, sizeof *l);
    (void)ctx;
    if (!l || !(l->url = strdup(url)) || !(l->body = strdup(body)))
        abort();
    pthread_mutex_lock(&post.lock);
    *post.last = l;
    post.last = &l->next;
    pthread_cond_signal(&post.more);
    pthread_mutex_unlock(&post.lock);
}

static size_t swallow(char *p, size_t size, size_t n, void *ctx)
{
    (void)p, (void)ctx;
    return size * n;
}

static long post_letter(CURL *curl, const struct letter *l)
{
    long status = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, l->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, l->body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return status;
}

static void *postman(void *ctx)
{
    CURL *curl = curl_easy_init();
    (void)ctx;
    for (;;) {
        pthread_mutex_lock(&post.lock);
        while (!post.first)
            pthread_cond_wait(&post.more, &post.lock);
        struct letter *l = post.first;
        post.first = l->next;
        if (!post.first)
            post.last = &post.first;
        pthread_mutex_unlock(&post.lock);
        long status = post_letter(curl, l);
        if (post.log) {
            fprintf(post.log, "%s %ld %s\n", l->url, status, l->body);
            fflush(post.log);
        }
        free(l->url);
        free(l->body);
        free(l);
    }
    return NULL;
}

// ---- the server

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    if (!f || getdelim(&text, &size, EOF, f) < 0) {
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    if (!text)
        fprintf(stderr, "sim-zoho: cannot read %s\n", path);
    return text;
}

static bool seed(struct zoho_sim *sim, const char *path)
{
    json_error_t error;
    json_t *all = json_load_file(path, 0, &error), *records, *record;
    const char *module;
    size_t i;
    char why[1024];
    bool good = json_is_object(all);
    if (!good)
        fprintf(stderr, "sim-zoho: %s:%d: %s\n", path, error.line, error.text);
    json_object_foreach(all, module, records)
    {
        json_array_foreach(records, i, record)
        {
            char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(15));
            if (good && !zoho_sim_seed(sim, module, text ? text : "", NULL, why, sizeof why)) {
                fprintf(stderr, "sim-zoho: %s: %s[%zu]: %s\n", path, module, i, why);
                good = false;
            }
            free(text);
        }
    }
    json_decref(all);
    return good;
}

struct arguments {
    const char *data, *edition, *api_domain, *faults, *seed_file, *switches, *log, *notify_log, *secrets;
};

static bool take_arguments(int argc, char **argv, struct arguments *a)
{
    const struct {
        const char *name;
        const char **value;
    } OPTIONS[] = {{"--data", &a->data},           {"--edition", &a->edition},     {"--api-domain", &a->api_domain},
                   {"--faults", &a->faults},       {"--seed-file", &a->seed_file}, {"--switches", &a->switches},
                   {"--log", &a->log},             {"--notify-log", &a->notify_log}, {"--secrets", &a->secrets}};
    for (int i = 1; i < argc; i += 2) {
        bool known = false;
        for (size_t k = 0; k < sizeof OPTIONS / sizeof *OPTIONS; k++)
            if (strcmp(argv[i], OPTIONS[k].name) == 0 && i + 1 < argc) {
                *OPTIONS[k].value = argv[i + 1];
                known = true;
            }
        if (!known) {
            fprintf(stderr, "sim-zoho: unknown option or no value: %s\n", argv[i]);
            return false;
        }
    }
    if (!a->data)
        fputs("sim-zoho: --data is needed\n", stderr);
    return a->data != NULL;
}

static int serve(const struct arguments *a, const struct sim_door_options *door, FILE *log, FILE *secrets)
{
    char why[1024];
    char *faults = a->faults ? read_file(a->faults) : NULL;
    if (a->faults && !faults)
        return 1;
    struct zoho_sim_options options = {.data_path = a->data,
                                       .edition = a->edition,
                                       .api_domain = a->api_domain,
                                       .faults = faults,
                                       .switches = a->switches,
                                       .clock = sim_clock_real(),
                                       .log = log,
                                       .secrets = secrets};
    struct zoho_sim *sim = zoho_sim_open(&options, why, sizeof why);
    int status = 1;
    pthread_t thread;
    if (sim && pthread_create(&thread, NULL, postman, NULL) == 0 && pthread_detach(thread) == 0)
        zoho_sim_deliver(sim, deliver, NULL);
    if (!sim)
        fprintf(stderr, "sim-zoho: %s\n", why);
    else if (!a->seed_file || seed(sim, a->seed_file))
        status = sim_door_run(&(struct sim_mount){"", zoho_sim_model(sim)}, 1, door);
    zoho_sim_close(sim);
    free(faults);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct sim_door_options door = {0};
    if (!sim_door_options_parse(&argc, argv, &door) || !take_arguments(argc, argv, &a))
        return 2;
    FILE *log = a.log ? fopen(a.log, "a") : NULL;
    if (a.log && !log) {
        fprintf(stderr, "sim-zoho: cannot write %s\n", a.log);
        return 1;
    }
    post.log = a.notify_log ? fopen(a.notify_log, "a") : NULL;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    FILE *secrets = a.secrets ? fopen(a.secrets, "a") : NULL;
    int status = serve(&a, &door, log, secrets);
    if (log)
        fclose(log);
    if (secrets)
        fclose(secrets);
    return status;
}
