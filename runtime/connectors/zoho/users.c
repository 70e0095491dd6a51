/* users.c - the organisation's active users, looked up like a module: `find crm.users(email = ...)` (facts/zoho-crm.md 4.5 Users).
 *
 * There is no query over users: the list is read (200 to a page) and kept for a quarter of an hour. E-mail addresses are compared without
 * regard to case, everything else exactly. */
#include "connectors/zoho/zoho.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define KEEP_MS   900000
#define PER_PAGE  200
#define MAX_PAGES 100

bool zoho__is_users(struct str module) { return str_ieq(module, STR("users")); }

static struct str kept(struct arena *a, const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    if (!json_is_string(v)) return (struct str){"", 0};
    return (struct str){arena_copy(a, json_string_value(v), json_string_length(v)), json_string_length(v)};
}

/* False: one of them has no id, so that nothing could be linked to it. */
static bool add_users(struct target *t, const json_t *list)
{
    struct zoho_users *u = &t->users;
    size_t more = json_array_size(list);
    struct zoho_user *grown = ARENA_ARRAY(&u->arena, struct zoho_user, u->n + more + 1);
    if (u->n) memcpy(grown, u->list, u->n * sizeof *grown);
    for (size_t i = 0; i < more; i++) {
        const json_t *j = json_array_get(list, i);
        grown[u->n + i] = (struct zoho_user){kept(&u->arena, j, "id"), kept(&u->arena, j, "email"), kept(&u->arena, j, "full_name"), kept(&u->arena, j, "status")};
        if (grown[u->n + i].id.n == 0) return false;
    }
    u->list = grown;
    u->n += more;
    return true;
}

/* One page; *more = whether another follows. */
static enum err read_page(struct target *t, int page, bool *more, struct fault *f)
{
    char path[80];
    struct arena a;
    struct http_res res;
    (void)snprintf(path, sizeof path, "/users?type=ActiveUsers&per_page=%d&page=%d", PER_PAGE, page);
    struct zoho_call c = {.what = "list of users", .method = "GET", .path = path, .cost = 1};
    arena_init(&a, 0);
    *more = false;
    enum err e = zoho__call(t, &c, &a, &res, f);
    if (e == ERR_OK && res.body.n) {
        json_error_t where;
        json_t *j = json_loadb(res.body.p, res.body.n, 0, &where);
        if (!json_is_array(json_object_get(j, "users"))) {
            e = fault_set(f, ERR_PROTOCOL, "list of users: the answer holds no list");
        } else if (!add_users(t, json_object_get(j, "users"))) {
            e = fault_set(f, ERR_PROTOCOL, "list of users: a user without an id");
        } else {
            *more = json_is_true(json_object_get(json_object_get(j, "info"), "more_records"));
        }
        json_decref(j);
    }
    arena_free(&a);
    return e;
}

static enum err load_users(struct target *t, struct fault *f)
{
    if (t->users.until_ms > zoho__mono(t)) return ERR_OK;
    t->users.n = 0;
    t->users.until_ms = 0;
    arena_reset(&t->users.arena);
    bool more = true;
    for (int page = 1; more; page++) {
        if (page > MAX_PAGES) return fault_set(f, ERR_TOO_LARGE, "list of users: more than %d users", MAX_PAGES * PER_PAGE);
        enum err e = read_page(t, page, &more, f);
        if (e != ERR_OK) return e;
    }
    t->users.until_ms = zoho__mono(t) + KEEP_MS;
    return ERR_OK;
}

static bool field_of(const struct zoho_user *u, struct str name, struct str *out)
{
    if (str_ieq(name, STR("id"))) *out = u->id;
    else if (str_ieq(name, STR("email"))) *out = u->email;
    else if (str_ieq(name, STR("full_name")) || str_ieq(name, STR("name"))) *out = u->name;
    else if (str_ieq(name, STR("status"))) *out = u->status;
    else return false;
    return true;
}

static struct str copy(struct arena *a, struct str s) { return (struct str){arena_copy(a, s.p, s.n), s.n}; }

static void add_hit(struct arena *a, const struct zoho_user *u, size_t value, const struct str *want, size_t nwant, struct lookup_hit *hit)
{
    *hit = (struct lookup_hit){.value_index = value, .id = copy(a, u->id)};
    hit->fields.f = ARENA_ARRAY(a, struct record_field, nwant ? nwant : 1);
    for (size_t i = 0; i < nwant; i++) {
        struct str v;
        if (field_of(u, want[i], &v)) hit->fields.f[hit->fields.n++] = (struct record_field){want[i], value_text(copy(a, v))};
    }
}

enum err zoho__users_lookup(struct target *t, struct str field, const struct str *values, size_t n, const struct str *want, size_t nwant,
                            struct arena *a, struct lookup_hit **hits, size_t *nhits, struct fault *f)
{
    struct str have;
    static const struct zoho_user nobody;
    *nhits = 0;
    if (!field_of(&nobody, field, &have))
        return fault_set(f, ERR_UNSUPPORTED, "users can be looked up by email, full_name or id, not by %.*s", (int)field.n, field.p);
    enum err e = load_users(t, f);
    if (e != ERR_OK) return e;
    bool fold = str_ieq(field, STR("email"));
    size_t found = 0;
    for (int pass = 0; pass < 2; pass++) {                       /* count, then fill */
        if (pass == 1) *hits = ARENA_ARRAY(a, struct lookup_hit, found + 1);
        for (size_t v = 0; v < n; v++)
            for (size_t i = 0; i < t->users.n; i++) {
                (void)field_of(&t->users.list[i], field, &have);
                if (!(fold ? str_ieq(have, values[v]) : str_eq(have, values[v]))) continue;
                if (pass == 0) found++;
                else add_hit(a, &t->users.list[i], v, want, nwant, &(*hits)[(*nhits)++]);
            }
    }
    return ERR_OK;
}
