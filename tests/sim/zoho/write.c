/*
 * write.c: insert, update and upsert of up to 100 records (facts 4.1 to 4.4).
 *
 *     for each record, by itself:  script -> find the target -> lock -> values -> rows -> mandatory -> unique
 *                                  -> errors? one element : merge with the old cells, store, success element
 *
 * Records of one request see each other: the second of two equal keys is a duplicate of the first. The answer keeps the
 * order of the request.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RECORDS = 100 };

struct job {
    struct zsim_call *call;
    struct zsim_module *m;
    enum zsim_verb verb;
    const json_t *in, *check_fields;
    size_t index;
    char path[32];
    json_t *errors;
    struct zsim_value *values;  // one per field
    struct zsim_record *target; // being updated, or NULL
    const char *duplicate_field;
};

static void with_path(struct job *job, const char *code, const char *message, const char *name, json_t *details)
{
    struct zsim_check check = {job->call, job->m, job->path, job->errors, NULL};
    zsim__check_error(&check, code, message, name, details);
}

// ---- values

// `rows`: subforms only, else everything but subforms. Rows need the target, finding the target needs the others.
static void take_values(struct job *job, bool rows)
{
    const struct zsim_switches *on = &job->call->sim->on;
    struct zsim_check check = {job->call, job->m, job->path, job->errors, job->target};
    const char *name;
    json_t *v;
    union {
        const json_t *in;
        json_t *out;
    } in = {job->in};
    json_object_foreach(in.out, name, v)
    {
        int number = zsim__field(job->m, name);
        if (number < 0) {
            bool known = name[0] == '$' || strcmp(name, "Layout") == 0 || strcmp(name, "Tag") == 0;
            if (!known && on->refuse_unknown_fields && !rows)
                with_path(job, "INVALID_DATA", "the field is not available", name, NULL);
            continue;
        }
        const struct zsim_field *f = &job->m->fields[number];
        if (f->role == ZR_ID || (f->kind == ZK_SUBFORM) != rows)
            continue;
        if (f->read_only) {
            if (on->refuse_read_only)
                with_path(job, "INVALID_DATA", "the field is read only", name, NULL);
            continue;
        }
        job->values[number].set = true;
        zsim__check(&check, f, v, &job->values[number]);
    }
}

static bool has_error_on(const struct job *job, const char *name)
{
    size_t i;
    json_t *e;
    json_array_foreach(job->errors, i, e)
    {
        const char *path = json_string_value(json_object_get(json_object_get(e, "details"), "json_path"));
        size_t skip = strlen(job->path) + 1, n = strlen(name);
        if (path && strlen(path) >= skip + n && strncmp(path + skip, name, n) == 0 &&
            (path[skip + n] == '\0' || path[skip + n] == '[')) // the field itself or one of its rows
            return true;
    }
    return false;
}

static void check_mandatory(struct job *job)
{
    const char *layout = json_string_value(json_object_get(json_object_get(job->in, "Layout"), "id"));
    uint64_t id = 0;
    if (layout && (!zsim__parse_u64(layout, &id) || id != job->m->layout_id))
        with_path(job, "INVALID_DATA", "the layout id given seems to be invalid", "Layout", NULL);
    for (size_t i = 0; i < job->m->nfields; i++) {
        const struct zsim_field *f = &job->m->fields[i];
        struct zsim_value *v = &job->values[i];
        if (!(f->mandatory || (f->layout_required && layout)) || v->kind)
            continue;
        if (job->target && !v->set)
            continue;
        if (job->target && f->kind == ZK_SUBFORM && job->call->sim->on.lines_may_be_empty)
            continue;
        if (!has_error_on(job, f->name))
            with_path(job, "MANDATORY_NOT_FOUND", "required field not found", f->name, NULL);
    }
}

// ---- unique fields

static json_t *owner_json(const struct zoho_sim *sim, const struct zsim_module *m, const struct zsim_record *r)
{
    struct zsim_cell cell;
    uint64_t id = 0;
    char text[24] = "";
    int owner = zsim__field(m, "Owner");
    if (owner >= 0 && zsim__cell(r, owner, &cell) && cell.len < sizeof text)
        memcpy(text, cell.bytes, cell.len);
    int user = zsim__parse_u64(text, &id) ? zsim__user_by_id(sim, id) : -1;
    if (user < 0)
        return json_null();
    const char *zuid = json_string_value(json_object_get(sim->users[user].raw, "zuid"));
    return json_pack("{ssssss}", "name", sim->users[user].full_name, "id", text, "zuid", zuid ? zuid : "0");
}

static void report_duplicate(struct job *job, const struct zsim_field *f, const struct zsim_record *other)
{
    char id[24], module[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)other->id);
    snprintf(module, sizeof module, "%llu", (unsigned long long)job->m->id);
    json_t *record = json_pack("{sos{ssss}ss}", "Owner", owner_json(job->call->sim, job->m, other), "module",
                               "api_name", job->m->name, "id", module, "id", id);
    with_path(job, "DUPLICATE_DATA", "duplicate data", f->name,
              json_pack("{sosssb}", "duplicate_record", record, "id", id, "more_records", 0));
}

static void check_unique(struct job *job)
{
    for (size_t i = 0; i < job->m->nfields; i++) {
        const struct zsim_field *f = &job->m->fields[i];
        const struct zsim_value *v = &job->values[i];
        if (!f->unique || !v->set || !v->kind)
            continue;
        const struct zsim_index *ix = zsim__index(job->m, (int)i, !f->case_sensitive);
        uint32_t walk = 0;
        const struct zsim_record *r;
        while ((r = zsim__index_next(job->m, ix, v->text.at, v->text.len, &walk)) != NULL)
            if (r != job->target) {
                report_duplicate(job, f, r);
                break;
            }
    }
}

// ---- finding the target

static struct zsim_record *match_on(struct job *job, int field)
{
    const struct zsim_field *f = &job->m->fields[field];
    const struct zsim_value *v = &job->values[field];
    if (!v->kind)
        return NULL;
    bool fold = f->unique ? !f->case_sensitive : !job->call->sim->on.case_sensitive_text;
    uint32_t walk = 0;
    struct zsim_record *r, *oldest = NULL;
    const struct zsim_index *ix = zsim__index(job->m, field, fold);
    while ((r = zsim__index_next(job->m, ix, v->text.at, v->text.len, &walk)) != NULL)
        if (!oldest || r->id < oldest->id)
            oldest = r;
    if (oldest)
        job->duplicate_field = f->name;
    return oldest;
}

// duplicate_check_fields first, then the other unique fields; system fields only when named or when no array was given.
static struct zsim_record *match(struct job *job)
{
    size_t i;
    json_t *v;
    struct zsim_record *r;
    json_array_foreach(job->check_fields, i, v)
    {
        int field = zsim__field(job->m, json_string_value(v));
        if (field >= 0 && (r = match_on(job, field)))
            return r;
    }
    for (int system = !job->check_fields; system >= 0; system--)
        for (i = 0; i < job->m->nfields; i++) {
            const struct zsim_field *f = &job->m->fields[i];
            if ((system ? f->duplicate_field : f->unique) && (r = match_on(job, (int)i)))
                return r;
        }
    return NULL;
}

static bool find_by_id(struct job *job)
{
    const json_t *id = json_object_get(job->in, "id");
    uint64_t number;
    if (!id && job->verb == ZV_UPSERT)
        return true;
    if (!id) {
        with_path(job, "MANDATORY_NOT_FOUND", "required field not found", "id", NULL);
        return false;
    }
    if (!json_is_string(id) || !zsim__parse_u64(json_string_value(id), &number)) {
        with_path(job, "INVALID_DATA", "invalid data", "id", json_pack("{ss}", "expected_data_type", "bigint"));
        return false;
    }
    job->target = zsim__record(job->m, number);
    if (!job->target)
        with_path(job, "INVALID_DATA", "the id given seems to be invalid", "id", NULL);
    return job->target != NULL;
}

static bool may_touch(struct job *job)
{
    if (!job->target || job->verb == ZV_EDIT)
        return true;
    if (job->target->locked) {
        with_path(job, "RECORD_LOCKED", "Sorry, you cannot perform this operation as the record is locked.", "id",
                  json_pack("{ss}", "action", "record_locking"));
        return false;
    }
    int64_t since;
    const char *header = sim_request_header(job->call->req, "If-Unmodified-Since");
    if (job->verb == ZV_UPDATE && header && zsim__parse_datetime(header, &since) &&
        job->target->modified_ms / 1000 > since / 1000) {
        char at[32], id[24];
        zsim__format_datetime(job->target->modified_ms, job->call->sim->offset_minutes, at);
        snprintf(id, sizeof id, "%llu", (unsigned long long)job->target->id);
        json_array_append_new(job->errors, zsim__error_json("ALREADY_MODIFIED", "record has been modified already",
                                                            json_pack("{ssss}", "Modified_Time", at, "id", id)));
        return false;
    }
    return true;
}

// ---- storing

static void default_owner(struct job *job)
{
    int owner = zsim__field(job->m, "Owner");
    char id[24];
    if (job->target || owner < 0 || job->values[owner].kind)
        return;
    snprintf(id, sizeof id, "%llu", (unsigned long long)job->call->sim->users[job->call->user].id);
    zsim__set_value(&job->values[owner], 'u', id, strlen(id));
}

static void auto_numbers(struct job *job)
{
    char text[24];
    for (size_t i = 0; !job->target && i < job->m->nfields; i++)
        if (strcmp(job->m->fields[i].data_type, "autonumber") == 0) {
            snprintf(text, sizeof text, "%llu", (unsigned long long)job->m->next_number++);
            zsim__set_value(&job->values[i], 's', text, strlen(text));
        }
}

static void keep_old_values(struct job *job)
{
    struct zsim_cell cell;
    size_t at = 0;
    while (job->target && zsim__next_cell(job->target->cells, job->target->size, &at, &cell))
        if (!job->values[cell.field].set)
            zsim__set_value(&job->values[cell.field], cell.kind, cell.bytes, cell.len);
}

// Names of the fields whose cells will differ, for notifications. The old values stand in `values` already where the request has none.
static json_t *changed_fields(struct job *job)
{
    json_t *names = json_array();
    for (size_t i = 0; i < job->m->nfields; i++) {
        struct zsim_cell cell;
        const struct zsim_value *v = &job->values[i];
        bool was = zsim__cell(job->target, (int)i, &cell);
        bool same = was ? v->kind == cell.kind && v->text.len == cell.len && (cell.len == 0 || memcmp(v->text.at, cell.bytes, cell.len) == 0) : !v->kind;
        if (!same)
            json_array_append_new(names, json_string(job->m->fields[i].name));
    }
    return names;
}

static void tell_change(const struct job *job, const struct zsim_record *r, bool inserted, bool same)
{
    const struct zoho_sim *sim = job->call->sim;
    char id[24];
    if (!sim->on_change || job->verb == ZV_SEED)
        return;
    snprintf(id, sizeof id, "%llu", (unsigned long long)r->id);
    sim->on_change(sim->on_change_ctx, &(struct zoho_sim_change){.module = job->m->name, .id = id, .inserted = inserted, .same = same,
                                                                 .client = job->verb != ZV_EDIT, .late = job->call->late});
}

static void store(struct job *job)
{
    struct zsim_call *call = job->call;
    struct zoho_sim *sim = call->sim;
    struct zsim_text cells = {0};
    bool client = job->verb != ZV_SEED && job->verb != ZV_EDIT;
    keep_old_values(job);
    default_owner(job);
    auto_numbers(job);
    zsim__compute(job->m, job->values);
    for (size_t i = 0; i < job->m->nfields; i++)
        if (job->values[i].kind)
            zsim__put_cell(&cells, (int)i, job->values[i].kind, job->values[i].text.at, job->values[i].text.len);
    struct zsim_record *r = job->target;
    json_t *changed = r ? changed_fields(job) : NULL;
    bool inserted = !r;
    bool same = r && r->size == cells.len && memcmp(r->cells, cells.at, cells.len) == 0;
    if (!r) {
        r = zsim__append(sim, job->m, &cells);
        r->created_ms = call->now_ms;
        r->created_by = r->modified_by = (uint16_t)call->user;
        r->modified_ms = call->now_ms;
        sim->inserts += client;
    } else {
        if (!same)
            zsim__replace(job->m, r, &cells);
        if (!same || !sim->on.noop_keeps_modified) {
            r->modified_ms = call->now_ms;
            r->modified_by = (uint16_t)call->user;
        }
        r->updates += client && !same;
        r->noops += client && same;
        sim->updates += client && !same;
        sim->noops += client && same;
    }
    zsim__text_free(&cells);
    tell_change(job, r, inserted, same);
    if (job->verb != ZV_SEED && !same)
        zsim__happened(sim, job->m, r->id, inserted ? "insert" : "update", changed);
    else
        json_decref(changed);
    job->target = r;
}

static json_t *success(const struct job *job, bool inserted)
{
    const struct zoho_sim *sim = job->call->sim;
    const struct zsim_record *r = job->target;
    char created[32], modified[32], id[24];
    zsim__format_datetime(r->created_ms, sim->offset_minutes, created);
    zsim__format_datetime(r->modified_ms, sim->offset_minutes, modified);
    snprintf(id, sizeof id, "%llu", (unsigned long long)r->id);
    json_t *details = json_pack("{sssossssso}", "Modified_Time", modified, "Modified_By",
                                zsim__user_json(sim, r->modified_by), "Created_Time", created, "id", id, "Created_By",
                                zsim__user_json(sim, r->created_by));
    if (inserted)
        json_object_set_new(details, "$approval_state", json_string("approved"));
    json_t *e = json_pack("{ss}", "code", "SUCCESS");
    if (job->verb == ZV_UPSERT) {
        json_t *by = job->duplicate_field ? json_string(job->duplicate_field) : json_null();
        json_object_set_new(e, "duplicate_field", by);
        json_object_set_new(e, "action", json_string(inserted ? "insert" : "update"));
    }
    json_object_set_new(e, "details", details);
    json_object_set_new(e, "message", json_string(inserted ? "record added" : "record updated"));
    json_object_set_new(e, "status", json_string("success"));
    return e;
}

// Takes the errors.
static json_t *failure(struct job *job)
{
    json_t *errors = job->errors, *e;
    if (json_array_size(errors) > 1 && job->call->sim->on.multi_errors)
        e = zsim__error_json("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request",
                             json_pack("{sO}", "errors", errors));
    else
        e = json_incref(json_array_get(errors, 0));
    json_decref(errors);
    return e;
}

static void examine(struct job *job)
{
    if (job->verb != ZV_INSERT && job->verb != ZV_SEED && !find_by_id(job))
        return;
    take_values(job, false);
    if (job->verb == ZV_UPSERT && !job->target)
        job->target = match(job);
    if (!may_touch(job))
        return;
    take_values(job, true);
    check_mandatory(job);
    check_unique(job);
}

json_t *zsim__write_one(struct zsim_call *call, struct zsim_module *m, enum zsim_verb verb, const json_t *record,
                        size_t index, const json_t *check_fields)
{
    struct job job = {.call = call, .m = m, .verb = verb, .in = record, .check_fields = check_fields, .index = index};
    snprintf(job.path, sizeof job.path, "$.data[%zu]", index);
    if (!json_is_object(record))
        return zsim__error_json("INVALID_DATA", "invalid data",
                                json_pack("{ssss}", "expected_data_type", "jsonobject", "json_path", job.path));
    json_t *scripted = zsim__fault_record(call, m, record, index);
    if (scripted)
        return scripted;
    job.errors = json_array();
    job.values = zsim__must(calloc(m->nfields + 1, sizeof *job.values));
    examine(&job);
    json_t *element;
    if (json_array_size(job.errors)) {
        element = failure(&job);
    } else {
        bool inserted = job.target == NULL;
        json_decref(job.errors);
        store(&job);
        element = success(&job, inserted);
    }
    for (size_t i = 0; i < m->nfields; i++)
        zsim__text_free(&job.values[i].text);
    free(job.values);
    return element;
}

// ---- the request around the records

static bool flat(struct zsim_call *call, const char *code, const char *message, json_t *details)
{
    zsim__error(call, 400, code, message, details);
    return false;
}

static bool check_trigger(struct zsim_call *call)
{
    static const char *const WORDS[] = {"workflow", "approval", "blueprint", "pathfinder", "orchestration"};
    const json_t *trigger = json_object_get(call->body, "trigger");
    size_t i, k;
    json_t *v;
    if (trigger && !json_is_array(trigger))
        return flat(call, "INVALID_DATA", "invalid data",
                    json_pack("{ssssss}", "expected_data_type", "jsonarray", "api_name", "trigger", "json_path",
                              "$.trigger"));
    json_array_foreach(trigger, i, v)
    {
        for (k = 0; k < sizeof WORDS / sizeof *WORDS; k++)
            if (json_is_string(v) && strcmp(json_string_value(v), WORDS[k]) == 0)
                break;
        if (k == sizeof WORDS / sizeof *WORDS)
            return flat(call, "INVALID_DATA", "invalid data",
                        json_pack("{ssss}", "api_name", "trigger", "json_path", "$.trigger"));
    }
    if (!trigger || json_array_size(trigger))
        call->sim->with_triggers++;
    return true;
}

static bool check_check_fields(struct zsim_call *call, const struct zsim_module *m, const json_t *fields)
{
    size_t i;
    json_t *v;
    if (fields && !json_is_array(fields))
        return flat(call, "INVALID_DATA", "invalid data",
                    json_pack("{ssssss}", "expected_data_type", "jsonarray", "api_name", "duplicate_check_fields",
                              "json_path", "$.duplicate_check_fields"));
    json_array_foreach(fields, i, v)
    {
        int f = json_is_string(v) ? zsim__field(m, json_string_value(v)) : -1;
        if (f < 0 || !(m->fields[f].unique || m->fields[f].duplicate_field)) {
            char path[48];
            snprintf(path, sizeof path, "$.duplicate_check_fields[%zu]", i);
            return flat(call, "INVALID_DATA", "the field cannot be used to check for duplicates",
                        json_pack("{ssss}", "api_name", "duplicate_check_fields", "json_path", path));
        }
    }
    return true;
}

static bool check_body(struct zsim_call *call, const struct zsim_module *m, enum zsim_verb verb)
{
    const json_t *data = json_object_get(call->body, "data");
    if (!json_is_object(call->body))
        return flat(call, "INVALID_DATA", "body", json_pack("{ss}", "expected_data_type", "jsonobject"));
    if (!data || (json_is_array(data) && json_array_size(data) == 0))
        return flat(call, "MANDATORY_NOT_FOUND", "required field not found",
                    json_pack("{ssss}", "api_name", "data", "json_path", "$.data"));
    if (!json_is_array(data))
        return flat(call, "INVALID_DATA", "invalid data",
                    json_pack("{ssssss}", "expected_data_type", "jsonarray", "api_name", "data", "json_path",
                              "$.data"));
    if (json_array_size(data) > MAX_RECORDS)
        return flat(call, "LIMIT_EXCEEDED", "limit exceeded",
                    json_pack("{sissss}", "limit", MAX_RECORDS, "api_name", "data", "json_path", "$.data"));
    return check_trigger(call) &&
           (verb != ZV_UPSERT || check_check_fields(call, m, json_object_get(call->body, "duplicate_check_fields")));
}

static bool all_modified(const json_t *data)
{
    size_t i;
    json_t *e;
    json_array_foreach(data, i, e)
        if (strcmp(json_string_value(json_object_get(e, "code")), "ALREADY_MODIFIED") != 0)
            return false;
    return json_array_size(data) > 0;
}

void zsim__write(struct zsim_call *call, struct zsim_module *m, enum zsim_verb verb, const char *id)
{
    if (!check_body(call, m, verb))
        return;
    const json_t *records = json_object_get(call->body, "data");
    const json_t *check_fields = json_object_get(call->body, "duplicate_check_fields");
    json_t *data = json_array();
    size_t i, failed = 0;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        if (id && json_is_object(record))
            json_object_set_new(record, "id", json_string(id));
        json_t *e = zsim__write_one(call, m, verb, record, i, verb == ZV_UPSERT ? check_fields : NULL);
        if (strcmp(json_string_value(json_object_get(e, "status")), "error") == 0)
            failed++;
        json_array_append_new(data, e);
    }
    call->records = i;
    call->sim->failed += failed;
    if (all_modified(data))
        zsim__answer(call, 412, json_pack("{so}", "data", data));
    else
        zsim__answer_data(call, verb == ZV_INSERT ? 201 : 200, data, failed);
}
