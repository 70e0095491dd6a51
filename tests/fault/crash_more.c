/* crash_more.c - the second scene: what else a program does to its state. The first sync is a load by bulk write. Then people make the record that every
 * customer's find looks for, and Zoho tells it; a customer is deleted in Sage; the operator erases one record, replays another, and gives a spec that
 * writes one field more. What a life did not get done is ordered again in the next one, as an operator would.
 *
 * The third scene is the first with its secrets changed in the same place: `mlcd secret set` of the agent's token, `mlcd secret rotate`.
 *
 * Runs in the server; crash_life.c does what is ordered here. */
#include "tests/fault/scene.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* "02~A~1" in the agent's form -> "ABC~02~A^-1": the first ~ parts division and number, others belong to the number. */
void scene_our_key(const char *key, char *out, size_t n)
{
    size_t at = (size_t)snprintf(out, n, "ABC~");
    bool number = false;
    for (const char *p = key; *p && at + 3 < n; p++) {
        bool escape = *p == '^' || (*p == '~' && number);
        if (escape) out[at++] = '^';
        out[at++] = escape && *p == '~' ? '-' : *p;
        number = number || *p == '~';
    }
    out[at] = '\0';
}

bool more_change(struct scene *s)
{
    char why[300] = "";
    struct crash_acts *todo = &s->sh->todo;
    if (!zoho_sim_seed(s->zoho, "Accounts", "{\"Account_Name\":\"The Group\",\"Ticker_Symbol\":\"GROUP\"}", s->group, why, sizeof why))
        return scene_wrong(s, "no group: %s", why);
    (void)snprintf(s->deleted, sizeof s->deleted, "%s", s->key[30]);
    (void)snprintf(s->erased, sizeof s->erased, "%s", s->key[40]);
    (void)snprintf(s->replayed, sizeof s->replayed, "%s", s->key[41]);
    if (!sage_sim_delete(s->sage, "ABC", "customers", s->deleted)) return scene_wrong(s, "customer %s cannot be deleted", s->deleted);
    (void)snprintf(todo->note, sizeof todo->note, "Accounts insert %s", s->group);
    scene_our_key(s->erased, todo->erase, sizeof todo->erase);
    scene_our_key(s->replayed, todo->replay, sizeof todo->replay);
    todo->second_spec = s->second_spec = true;
    scene_keys(s);
    return true;
}

bool more_to_do(const struct scene *s)
{
    const struct crash_acts *todo = &s->sh->todo;
    return todo->note[0] || todo->erase[0] || todo->replay[0] || todo->token[0] || todo->rotate;
}

void keys_change(struct scene *s)
{
    sage_sim_change_token(s->sage, "another-token");
    (void)snprintf(s->sh->todo.token, sizeof s->sh->todo.token, "another-token");
    s->sh->todo.rotate = true;
}

static bool says(struct scene *s, const json_t *record, const char *key, const char *field, const char *want)
{
    const json_t *v = json_object_get(record, field);
    const char *have = json_string_value(json_is_object(v) ? json_object_get(v, "id") : v);
    bool ok = *want ? have && strcmp(have, want) == 0 : !have;
    return ok || scene_wrong(s, "customer %s: %s is \"%s\" in Zoho, should be \"%s\"", key, field, have ? have : "", want);
}

bool more_check(struct scene *s, const struct json_t *record, const char *key)
{
    return says(s, record, key, "Sage_Status", "Active") && says(s, record, key, "Parent_Account", s->group) &&
           says(s, record, key, "Billing_Country", s->second_spec ? "USA" : "");
}

bool more_check_gone(struct scene *s, const struct json_t *all)
{
    char ours[64];
    const json_t *record;
    size_t i;
    scene_our_key(s->deleted, ours, sizeof ours);
    json_array_foreach(all, i, record) {
        const char *have = json_string_value(json_object_get(record, "Sage_Customer"));
        if (have && strcmp(have, ours) == 0) return says(s, record, s->deleted, "Sage_Status", "Deleted");
    }
    return scene_wrong(s, "the deleted customer %s does not stand in Zoho", s->deleted);
}
