/* describe.c - the live schema of the agent (facts/sage-100.md 9.3) in the words of the lock file (docs/locks.md): columns with UDF_*, their types
 * and the lengths of this very installation, per company; a table with lines tells of two. SOAP has no schema to ask. */
#include "connectors/sage/sage.h"
#include <jansson.h>

static struct str text(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);
    return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : (struct str){"", 0};
}

/* "other" where the numbers make no sense. */
static void describe_column(const json_t *c, struct described_field *out)
{
    struct str type = text(c, "type"), name = text(c, "name");
    json_int_t length = json_integer_value(json_object_get(c, "length")), scale = json_integer_value(json_object_get(c, "scale"));
    bool udf = json_is_true(json_object_get(c, "udf")) || str_starts(name, STR("UDF_"));
    *out = (struct described_field){.name = name, .type = "other", .custom = udf};
    if (str_is(type, "string") && length > 0 && length <= 1000000) {
        out->type = "text";
        out->length = length;
    } else if (str_is(type, "number") && length > 0 && length <= LIMIT_DECIMAL_DIGITS && scale >= 0 && scale <= LIMIT_DECIMAL_SCALE && scale <= length) {
        out->type = "decimal";
        out->digits = (unsigned)length;
        out->scale = (unsigned)scale;
    } else if (str_is(type, "date")) out->type = "date";
}

/* The texts of j live until the sink returns. */
static enum err tell_table(struct str table, const json_t *j, struct arena *a, const struct describe_sink *sink, struct fault *f)
{
    const json_t *columns = json_object_get(j, "columns"), *key = json_object_get(j, "key");
    size_t n = json_array_size(columns), nkeys = json_array_size(key);
    struct described_field *fields = ARENA_ARRAY(a, struct described_field, n + 1);
    struct str *keys = ARENA_ARRAY(a, struct str, nkeys + 1);
    if (n == 0 || nkeys == 0 || nkeys > LIMIT_KEY_PARTS) return fault_set(f, ERR_PROTOCOL, "schema of %.*s: the answer holds no columns or no key", (int)table.n, table.p);
    for (size_t i = 0; i < n; i++) {
        describe_column(json_array_get(columns, i), &fields[i]);
        if (fields[i].name.n == 0) return fault_set(f, ERR_PROTOCOL, "schema of %.*s: a column without a name", (int)table.n, table.p);
    }
    for (size_t i = 0; i < nkeys; i++) {
        const json_t *part = json_array_get(key, i);
        if (!json_is_string(part)) return fault_set(f, ERR_PROTOCOL, "schema of %.*s: a key column without a name", (int)table.n, table.p);
        keys[i] = (struct str){json_string_value(part), json_string_length(part)};
    }
    struct described_entity e = {.name = table, .unstamped = json_is_false(json_object_get(j, "audit")), .fields = fields, .nfields = n,
                                 .key = keys, .nkeys = nkeys};
    sink->add(sink->ctx, &e);
    return ERR_OK;
}

static enum err describe_table(struct source *s, const struct sage_entity *e, struct str company, struct arena *a, const struct describe_sink *sink, struct fault *f)
{
    struct sage_agent_reply reply;
    struct buf path = {0};
    buf_puts(&path, "/v1/companies/");
    net_url_encode(&path, company);
    buf_printf(&path, "/schema/%s", e->resource);
    enum err err = sage100__agent_call(s, "schema", "GET", arena_copy(a, path.p, path.n), (struct str){"", 0}, NULL, a, &reply, f);
    buf_free(&path);
    if (err != ERR_OK && reply.error && strcmp(reply.error->code, "unknown_resource") == 0) {      /* an agent may lack tables: 9.2 */
        sink->add(sink->ctx, &(struct described_entity){.name = str_of(e->table), .missing = true});
        return ERR_OK;
    }
    if (err != ERR_OK) return err;
    json_t *j = json_loadb(reply.res.body.p, reply.res.body.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *lines = json_object_get(j, "lines");
    if (json_is_object(j)) {
        err = tell_table(str_of(e->table), j, a, sink, f);
        if (err == ERR_OK && text(lines, "table").n) err = tell_table(text(lines, "table"), lines, a, sink, f);
    } else err = fault_set(f, ERR_PROTOCOL, "schema of %s: the answer is no JSON object: does `agent` lead to the agent?", e->table);
    json_decref(j);
    return err;
}

enum err sage100__describe(struct source *s, const struct source_query *q, size_t nq, const struct describe_sink *sink, struct fault *f)
{
    struct arena a;
    enum err err = ERR_OK;
    if (!s->set.agent_url) return fault_set(f, ERR_UNSUPPORTED, "only the agent tells the schema of an installation, and `agent` is not set");
    arena_init(&a, 0);
    for (size_t i = 0; i < nq && err == ERR_OK; i++) {
        const struct sage_entity *e = sage100__entity(q[i].entity);
        struct str company = q[i].company.n ? q[i].company : conn_setting(&s->env, "company");
        err = e ? describe_table(s, e, company, &a, sink, f)
                : fault_set(f, ERR_UNSUPPORTED, "%.*s is not among the tables that this connector reads", (int)q[i].entity.n, q[i].entity.p);
    }
    arena_free(&a);
    return err;
}
