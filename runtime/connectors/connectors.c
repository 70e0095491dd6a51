/* connectors.c - the table made of connectors.def, and the readers of settings that every connector shares. */
#include "connectors/connector.h"

#define SOURCE(ops) extern const struct source_ops ops;
#define TARGET(ops) extern const struct target_ops ops;
#include "connectors/connectors.def"
#undef SOURCE
#undef TARGET

const struct source_ops *const connector_sources[] = {
#define SOURCE(ops) &ops,
#define TARGET(ops)
#include "connectors/connectors.def"
#undef SOURCE
#undef TARGET
    NULL
};
const struct target_ops *const connector_targets[] = {
#define SOURCE(ops)
#define TARGET(ops) &ops,
#include "connectors/connectors.def"
#undef SOURCE
#undef TARGET
    NULL
};

const struct source_ops *connector_source(struct str name)
{
    for (size_t i = 0; connector_sources[i]; i++)
        if (str_is(name, connector_sources[i]->name)) return connector_sources[i];
    return NULL;
}

const struct target_ops *connector_target(struct str name)
{
    for (size_t i = 0; connector_targets[i]; i++)
        if (str_is(name, connector_targets[i]->name)) return connector_targets[i];
    return NULL;
}

struct str conn_setting(const struct conn_env *env, const char *name)
{
    for (size_t i = 0; i < env->nsettings; i++)
        if (str_is(env->settings[i].name, name)) return env->settings[i].value;
    return (struct str){NULL, 0};
}

int64_t conn_setting_int(const struct conn_env *env, const char *name, int64_t fallback)
{
    int64_t v;
    return str_to_i64(conn_setting(env, name), &v) ? v : fallback;
}

int64_t conn_setting_ms(const struct conn_env *env, const char *name, int64_t fallback)
{
    static const struct { const char *unit; int64_t ms; } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1}};
    struct str s = conn_setting(env, name);
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9') digits++;
    int64_t v;
    if (!str_to_i64((struct str){s.p, digits}, &v) || v > INT64_MAX / 86400000) return fallback;
    struct str unit = {s.p + digits, s.n - digits};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_is(unit, units[i].unit)) return v * units[i].ms;
    return fallback;
}
