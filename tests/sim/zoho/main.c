/*
 * sim-zoho: the Zoho model as a server on loopback.
 *
 *     sim-zoho [--port N] [--port-file F] [--print-port] [--die-with-parent] [--body-limit BYTES]
 *              --data F [--edition E] [--api-domain URL] [--faults F] [--seed-file F] [--switches JSON] [--log F]
 *
 * A seed file is a JSON object: module -> list of records, in the order of the file. Exit: 0 after SIGTERM, 1 when it
 * could not start, 2 for wrong options.
 */
#include "../door.h"
#include "zoho_sim.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

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
    const char *data, *edition, *api_domain, *faults, *seed_file, *switches, *log;
};

static bool take_arguments(int argc, char **argv, struct arguments *a)
{
    const struct {
        const char *name;
        const char **value;
    } OPTIONS[] = {{"--data", &a->data},           {"--edition", &a->edition},     {"--api-domain", &a->api_domain},
                   {"--faults", &a->faults},       {"--seed-file", &a->seed_file}, {"--switches", &a->switches},
                   {"--log", &a->log}};
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

static int serve(const struct arguments *a, const struct sim_door_options *door, FILE *log)
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
                                       .log = log};
    struct zoho_sim *sim = zoho_sim_open(&options, why, sizeof why);
    int status = 1;
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
    int status = serve(&a, &door, log);
    if (log)
        fclose(log);
    return status;
}
