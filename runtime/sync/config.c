/* config.c - the settings of source and target blocks: env(), secret() and file() become values here and nowhere else, and are never printed. */
#include "sync/sync_private.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What is not set. What may well be set, and could not be read, is another thing: the disk's first error. */
struct missing { char text[400]; size_t n; struct fault disk; };

static void miss(struct missing *m, const struct fault *why, const char *what, struct str name)
{
    if (why->err == ERR_IO) {
        if (m->disk.err == ERR_OK) m->disk = *why;
        return;
    }
    if (m->n < sizeof m->text - 1)
        m->n += (size_t)snprintf(m->text + m->n, sizeof m->text - m->n, "%s%s %.*s", m->n ? "; " : "", what, (int)name.n, name.p);
    if (m->n >= sizeof m->text) m->n = sizeof m->text - 1;
}

static struct str from_env(struct engine *e, struct str name, struct missing *m)
{
    char *cname = arena_copy(&e->arena, name.p, name.n);
    const char *v = e->o.getenv ? e->o.getenv(e->o.getenv_ctx, cname) : NULL;
    if (v && *v) return (struct str){arena_copy(&e->arena, v, strlen(v)), strlen(v)};
    /* An endpoint may also be sealed: `mlcd secret set NAME` under the variable's name. */
    struct str out;
    struct fault f;
    if (secret_get(e->secrets, cname, &e->arena, &out, &f) == ERR_OK) return str_trim(out);
    miss(m, &f, "set the environment variable (or the secret)", name);
    return (struct str){NULL, 0};
}

static struct str from_secret(struct engine *e, struct str name, struct missing *m)
{
    struct str out = {NULL, 0};
    char *cname = arena_copy(&e->arena, name.p, name.n);
    struct fault f;
    if (secret_get(e->secrets, cname, &e->arena, &out, &f) != ERR_OK) miss(m, &f, "run: mlcd secret set", name);
    return out;
}

/* Relative file names are relative to the compiled spec, so that a spec and its files travel together. */
static struct str from_file(struct engine *e, struct str name)
{
    const char *slash = e->o.image_path ? strrchr(e->o.image_path, '/') : NULL;
    if (name.n == 0 || name.p[0] == '/' || !slash) return name;
    char *p = arena_printf(&e->arena, "%.*s/%.*s", (int)(slash - e->o.image_path), e->o.image_path, (int)name.n, name.p);
    return str_of(p);
}

static struct str resolve(struct engine *e, const struct image_setting *s, struct missing *m)
{
    switch (s->kind) {
    case SETTING_ENV:    return from_env(e, s->value, m);
    case SETTING_SECRET: return from_secret(e, s->value, m);
    case SETTING_FILE:   return from_file(e, s->value);
    case SETTING_TEXT: case SETTING_NUMBER: case SETTING_DURATION_MS: break;
    }
    return s->value;
}

/* ---- what a connector keeps and tells ---- */
/* The name under which something is sealed. Credentials go where the spec's `login = secret("NAME")` says, so that what `mlcd auth` stored, what
 * `mlcd secret list` shows and what the spec names are one thing. */
static const char *state_key(struct sync_endpoint *p, const char *name)
{
    size_t n = strlen(name), tail = strlen(".credentials");
    for (size_t i = 0; n > tail && strcmp(name + n - tail, ".credentials") == 0 && i < p->decl->nsettings; i++) {
        const struct image_setting *s = &p->decl->settings[i];
        if (str_is(s->name, "login") && s->kind == SETTING_SECRET) return arena_copy(&p->engine->arena, s->value.p, s->value.n);
    }
    return arena_printf(&p->engine->arena, "state.%s.%s", p->env.state_name, name);
}

static enum err env_load(void *ctx, const char *name, struct arena *a, struct str *out)
{
    struct sync_endpoint *p = ctx;
    enum err err = secret_get(p->engine->secrets, state_key(p, name), a, out, NULL);
    return err == ERR_OK || err == ERR_IO ? err : ERR_NOT_FOUND;
}

static enum err env_save(void *ctx, const char *name, struct str value, struct fault *f)
{
    struct sync_endpoint *p = ctx;
    return secret_put(p->engine->secrets, state_key(p, name), value, f);
}

static void env_note(void *ctx, const char *kind, const char *text)
{
    struct sync_endpoint *p = ctx;
    if (p->engine->journal) emit_note(p->engine, strcasecmp(kind, "token") == 0 ? FRAME_TOKEN : FRAME_CALL, kind, text);
}

/* A target's login may be missing still: `mlcd auth` brings it, and the connector says so. */
static struct str resolve_login(struct engine *e, const struct image_setting *s, struct missing *m)
{
    struct missing ignored = {.disk = m->disk};
    struct str login = resolve(e, s, &ignored);
    m->disk = ignored.disk;
    return login;
}

/* A source is waited for: requests of targets that are ready take the places of those that were answered. */
static void env_meanwhile(void *ctx) { send_kick(((struct sync_endpoint *)ctx)->engine); }

static void fill_env(struct engine *e, struct sync_endpoint *p, const struct image_endpoint *decl, bool target, struct missing *m)
{
    p->engine = e;
    p->decl = decl;
    struct conn_setting *set = ARENA_ARRAY(&e->arena, struct conn_setting, decl->nsettings + 1);
    for (size_t i = 0; i < decl->nsettings; i++) {
        bool login = target && str_is(decl->settings[i].name, "login");
        set[i] = (struct conn_setting){decl->settings[i].name, login ? resolve_login(e, &decl->settings[i], m) : resolve(e, &decl->settings[i], m)};
    }
    p->env = (struct conn_env){.world = e->w, .settings = set, .nsettings = decl->nsettings, .stop = e->o.stop,
                               .state_name = arena_copy(&e->arena, decl->name.p, decl->name.n), .state_dir = e->o.state_dir, .shared_dir = e->o.shared_dir,
                               .load = env_load, .save = env_save, .note = env_note, .meanwhile = target ? NULL : env_meanwhile, .ctx = p};
}

static enum err open_source(struct sync_endpoint *p, struct fault *f)
{
    p->sops = connector_source(p->decl->kind);
    if (!p->sops) return fault_set(f, ERR_CONFIG, "source %s: this mlcd has no connector %.*s", p->env.state_name, (int)p->decl->kind.n, p->decl->kind.p);
    enum err err = p->sops->open(&p->source, &p->env, f);
    return err == ERR_OK ? err : fault_prefix(f, "source %s", p->env.state_name);
}

static enum err open_target(struct sync_endpoint *p, struct fault *f)
{
    p->tops = connector_target(p->decl->kind);
    if (!p->tops) return fault_set(f, ERR_CONFIG, "target %s: this mlcd has no connector %.*s", p->env.state_name, (int)p->decl->kind.n, p->decl->kind.p);
    enum err err = p->tops->open(&p->target, &p->env, f);
    return err == ERR_OK ? err : fault_prefix(f, "target %s", p->env.state_name);
}

enum err config_endpoints(struct engine *e, struct fault *f)
{
    const struct image *im = e->image;
    struct missing m = {.n = 0};
    e->sources = ARENA_ARRAY(&e->arena, struct sync_endpoint, im->nsources + 1);
    e->targets = ARENA_ARRAY(&e->arena, struct sync_endpoint, im->ntargets + 1);
    for (size_t i = 0; i < im->nsources; i++) fill_env(e, &e->sources[i], &im->sources[i], false, &m);
    for (size_t i = 0; i < im->ntargets; i++) fill_env(e, &e->targets[i], &im->targets[i], true, &m);
    if (e->o.settings_only) return ERR_OK;
    if (m.disk.err != ERR_OK) return fault_set(f, m.disk.err, "%s", m.disk.text);
    if (m.n) return fault_set(f, ERR_CONFIG, "settings are missing: %s", m.text);
    for (size_t i = 0; i < im->nsources; i++) {
        enum err err = open_source(&e->sources[i], f);
        if (err != ERR_OK) return err;
    }
    for (size_t i = 0; i < im->ntargets; i++) {
        enum err err = open_target(&e->targets[i], f);
        if (err != ERR_OK) return err;
    }
    return ERR_OK;
}

const struct conn_env *engine_target_env(struct engine *e, const char *name)
{
    for (size_t i = 0; i < e->image->ntargets; i++)
        if (!name || str_is(e->targets[i].decl->name, name) || str_is(e->targets[i].decl->kind, name)) return &e->targets[i].env;
    return NULL;
}

static void tell_files(const struct sync_endpoint *p, bool target, void (*each)(void *ctx, const char *path, bool written), void *ctx)
{
    for (size_t i = 0; i < p->env.nsettings; i++) {
        const struct conn_setting *s = &p->env.settings[i];
        bool path = str_is(s->name, "path");                           /* may be plain text, or come from the environment */
        if (!path && p->decl->settings[i].kind != SETTING_FILE) continue;
        each(ctx, arena_copy(&p->engine->arena, s->value.p, s->value.n), target && path);
    }
}

void engine_files(const struct engine *e, void (*each)(void *ctx, const char *path, bool written), void *ctx)
{
    for (size_t i = 0; i < e->image->nsources; i++) tell_files(&e->sources[i], false, each, ctx);
    for (size_t i = 0; i < e->image->ntargets; i++) tell_files(&e->targets[i], true, each, ctx);
}
