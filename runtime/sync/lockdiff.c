/* lockdiff.c - what a pull changes: two texts of a lock file compared by module or table, field and member, for a person to judge. */
#include "sync/sync_private.h"
#include <jansson.h>
#include <stdlib.h>

struct listing {
    const struct lockfile *l;
    void (*each)(void *ctx, const struct pull_change *c);
    void *ctx;
    uint64_t n;
};

/* No module, table or field without a name, as the compiler wants it (dsl/lock.c). */
static bool all_named(const struct lockfile *l, const json_t *root)
{
    const json_t *list = json_object_get(root, l->entities);
    union { const json_t *in; json_t *out; } walk = {list};
    json_t *v;
    const char *name;
    json_object_foreach(walk.out, name, v)
        if (!*name || json_object_get(json_object_get(v, l->fields), "")) return false;
    return true;
}

/* NULL: it cannot be read. */
static json_t *parse(const struct lockfile *l, struct str text)
{
    json_t *j = text.n ? json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(j) && all_named(l, j)) return j;
    json_decref(j);
    return NULL;
}

static void tell(struct listing *out, const char *what, const char *entity, const char *field, const json_t *before, const json_t *after)
{
    char *was = before ? json_dumps(before, JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL, *is = after ? json_dumps(after, JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    struct pull_change c = {out->l->name, what, str_of(entity), str_of(field), str_of(was), str_of(is)};
    out->n++;
    out->each(out->ctx, &c);
    free(was);
    free(is);
}

static bool in_list(const json_t *list, const json_t *v)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), v)) return true;
    return false;
}

/* Elements of a that b lacks. */
static json_t *only_in(const json_t *a, const json_t *b)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!in_list(b, json_array_get(a, i))) json_array_append(out, json_array_get(a, i));
    return out;
}

/* Members of a that b has not or has otherwise; of choices only those that b lacks. */
static json_t *differing(const json_t *a, const json_t *b)
{
    json_t *out = json_object(), *v;
    const char *name;
    union { const json_t *in; json_t *out; } walk = {a};
    json_object_foreach(walk.out, name, v) {
        const json_t *other = json_object_get(b, name);
        if (other && json_equal(v, other)) continue;
        if (json_is_array(v) && json_is_array(other) && strcmp(name, "values") == 0) json_object_set_new(out, name, only_in(v, other));
        else json_object_set(out, name, v);
    }
    return out;
}

static int order_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of both objects, sorted, each once; the array is the caller's, the names are the trees'. */
static const char **names_of(const json_t *a, const json_t *b, size_t *n)
{
    const char **names = calloc(json_object_size(a) + json_object_size(b) + 1, sizeof *names), *name;
    union { const json_t *in; json_t *out; } one = {a}, two = {b};
    json_t *v;
    if (!names) check_no_memory();
    *n = 0;
    json_object_foreach(one.out, name, v) names[(*n)++] = name;
    json_object_foreach(two.out, name, v)
        if (!json_object_get(a, name)) names[(*n)++] = name;
    qsort(names, *n, sizeof *names, order_name);
    return names;
}

static void compare_fields(struct listing *out, const char *entity, const json_t *old, const json_t *now)
{
    size_t n;
    const char **names = names_of(old, now, &n);
    for (size_t i = 0; i < n; i++) {
        const json_t *a = json_object_get(old, names[i]), *b = json_object_get(now, names[i]);
        if (!a) tell(out, "added", entity, names[i], NULL, b);
        else if (!b) tell(out, "removed", entity, names[i], a, NULL);
        else if (!json_equal(a, b)) {
            json_t *before = differing(a, b), *after = differing(b, a);
            tell(out, "changed", entity, names[i], before, after);
            json_decref(before);
            json_decref(after);
        }
    }
    free(names);
}

/* An entity without its fields: key, stamps. */
static json_t *frame_of(const struct lockfile *l, const json_t *entity)
{
    json_t *frame = json_copy((json_t *)(uintptr_t)entity);
    json_object_del(frame, l->fields);
    return frame;
}

static void compare_entity(struct listing *out, const char *name, const json_t *old, const json_t *now)
{
    bool was = json_is_object(old), is = json_is_object(now);
    if (!was || !is) {                     /* one that is not there is null, or not in the file at all */
        if (was != is) tell(out, is ? "added" : "removed", name, "", NULL, NULL);
        return;
    }
    json_t *a = frame_of(out->l, old), *b = frame_of(out->l, now);
    if (!json_equal(a, b)) tell(out, "changed", name, "", a, b);
    json_decref(a);
    json_decref(b);
    compare_fields(out, name, json_object_get(old, out->l->fields), json_object_get(now, out->l->fields));
}

bool lockdiff_list(const struct lockfile *l, struct str old_text, struct str now_text, void (*each)(void *ctx, const struct pull_change *c), void *ctx, uint64_t *n)
{
    struct listing out = {l, each, ctx, 0};
    json_t *old = parse(l, old_text), *now = parse(l, now_text);
    const json_t *was = json_object_get(old, l->entities), *is = json_object_get(now, l->entities);
    bool readable = json_is_object(was);
    size_t count;
    const char **names = names_of(was, is, &count);
    const json_t *edition = json_object_get(old, "edition"), *edition_now = json_object_get(now, "edition");
    if (readable && (edition || edition_now) && !json_equal(edition, edition_now)) tell(&out, "changed", "edition", "", edition, edition_now);
    for (size_t i = 0; i < count && readable; i++) compare_entity(&out, names[i], json_object_get(was, names[i]), json_object_get(is, names[i]));
    free(names);
    json_decref(old);
    json_decref(now);
    *n = out.n;
    return readable;
}

size_t lockdiff_entities(const struct lockfile *l, struct str text, struct str **out)
{
    json_t *root = parse(l, text), *v;
    const json_t *list = json_object_get(root, l->entities);
    union { const json_t *in; json_t *out; } walk = {list};
    const char *name;
    size_t n = 0;
    *out = ARENA_ARRAY(l->a, struct str, json_object_size(list) + 1);
    json_object_foreach(walk.out, name, v) (*out)[n++] = (struct str){arena_copy(l->a, name, strlen(name)), strlen(name)};
    json_decref(root);
    return n;
}
