/*
 * main.c: sim-sage, the model of Sage 100 behind real HTTP on loopback, for tests and demonstrations. Ends with the
 * process that started it unless --stay is given (door.h).
 */
#include "../door.h"
#include "sage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "sim-sage [--port N] [--port-file F] [--print-port] [--stay] [--serialise]\n"
    "         [--customers N] [--rows RESOURCE=N,...] [--seed S] [--company ABC] [--company-name NAME] [--token T] [--user U] [--password P]\n"
    "         [--tz ZONE] [--overlap-minutes M] [--history-end YYYYMMDD] [--divisions-off] [--no-agent] [--no-soap]\n"
    "         [--script F] [--state F] [--log F] [--soap-ns NS] [--soap-data-ns NS] [--soap-contract NAME]\n"
    "         [--soap-path PATH] [--soap-action FORMAT] [--soap-null-date D] [--soap-username-first] [--soap-lists] [--soap-split-wsdl]\n"
    "         [--soap-blank empty|nil|omitted] [--soap-cold-ms N] [--soap-idle-ms N]\n";

struct files {
    const char *script, *state, *log;
};

static bool number(const char *text, long long min, long long max, long long *out)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !*end && !errno && *out >= min && *out <= max;
}

static bool text_option(const char *name, const char *value, struct sage_sim_options *o, struct files *f)
{
    const struct {
        const char *name;
        const char **into;
    } texts[] = {
        {"--rows", &o->rows}, {"--company", &o->company}, {"--company-name", &o->company_name}, {"--token", &o->token}, {"--user", &o->user},
        {"--password", &o->password}, {"--tz", &o->tz}, {"--script", &f->script}, {"--state", &f->state}, {"--log", &f->log},
        {"--soap-ns", &o->soap.service_ns}, {"--soap-data-ns", &o->soap.data_ns}, {"--soap-contract", &o->soap.contract},
        {"--soap-path", &o->soap.path}, {"--soap-action", &o->soap.action_format}, {"--soap-null-date", &o->soap.null_date},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].into = value;
            return true;
        }
    if (strcmp(name, "--soap-blank") != 0)
        return false;
    o->soap.blank = strcmp(value, "nil") == 0 ? SAGE_BLANK_NIL : strcmp(value, "omitted") == 0 ? SAGE_BLANK_OMITTED : SAGE_BLANK_EMPTY;
    return true;
}

static bool number_option(const char *name, const char *value, struct sage_sim_options *o)
{
    long long v;
    if (strcmp(name, "--customers") == 0 && number(value, 0, 4000000, &v))
        o->customers = (uint32_t)v;
    else if (strcmp(name, "--seed") == 0 && number(value, 0, INT64_MAX, &v))
        o->seed = (uint64_t)v;
    else if (strcmp(name, "--overlap-minutes") == 0 && number(value, 0, 100000, &v))
        o->overlap_minutes = (int)v;
    else if (strcmp(name, "--history-end") == 0 && number(value, 20060101, 21001231, &v))
        o->history_end = (int)v;
    else if (strcmp(name, "--soap-cold-ms") == 0 && number(value, 0, 3600000, &v))
        o->soap_cold_ms = v;
    else if (strcmp(name, "--soap-idle-ms") == 0 && number(value, 0, INT64_MAX, &v))
        o->soap_idle_ms = v;
    else
        return false;
    return true;
}

static bool flag_option(const char *name, struct sage_sim_options *o, struct sim_door_options *door, bool *stay)
{
    const struct {
        const char *name;
        bool *into;
    } flags[] = {
        {"--no-agent", &o->no_agent}, {"--no-soap", &o->no_soap}, {"--divisions-off", &o->divisions_off},
        {"--soap-username-first", &o->soap.username_first}, {"--soap-split-wsdl", &o->soap.split_wsdl}, {"--soap-lists", &o->soap.lists}, {"--serialise", &door->serialise}, {"--stay", stay},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(flags[i].name, name) == 0)
            return *flags[i].into = true;
    return false;
}

static int serve(const struct sage_sim_options *o, const struct files *f, const struct sim_door_options *door)
{
    struct sage_sim *sim = sage_sim_new(o);
    int status = 2;
    if (sim && (!f->state || sage_sim_state(sim, f->state)) && (!f->script || sage_sim_script(sim, f->script))) {
        struct sim_mount mount = {"", sage_sim_model(sim)};
        status = sim_door_run(&mount, 1, door);
    }
    sage_sim_free(sim);
    return status;
}

int main(int argc, char **argv)
{
    struct sage_sim_options o;
    struct sim_door_options door = {0};
    bool stay = false;
    struct files f = {0};
    sage_sim_options_default(&o);
    if (!sim_door_options_parse(&argc, argv, &door))
        return 2;
    for (int i = 1; i < argc; i++) {
        if (flag_option(argv[i], &o, &door, &stay))
            continue;
        if (i + 1 < argc && (text_option(argv[i], argv[i + 1], &o, &f) || number_option(argv[i], argv[i + 1], &o))) {
            i++;
            continue;
        }
        fprintf(stderr, "sim-sage: bad option %s\n%s", argv[i], usage);
        return 2;
    }
    if (f.log && !(o.log = fopen(f.log, "a"))) {
        perror(f.log);
        return 2;
    }
    door.die_with_parent = !stay;
    int status = serve(&o, &f, &door);
    if (o.log)
        fclose(o.log);
    return status;
}
