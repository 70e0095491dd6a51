/*
 * remove.c: deleting up to 100 records and listing what was deleted (facts 4.1, 4.5). A deleted record lies in the bin
 * for 60 days and is then permanent for 120 more; both follow from its time of deletion.
 */
#include "zoho_room.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_IDS = 100, PER_PAGE = 200, BIN_DAYS = 60, GONE_DAYS = 180 };

void zsim__remove(struct zsim_module *m, struct zsim_record *r, int user, int64_t now_ms, bool permanent)
{
    zsim__drop(m, r);
    r->state = permanent ? ZS_PURGED : ZS_BIN;
    r->deleted_ms = now_ms;
    r->deleted_by = (uint16_t)user;
}

static json_t *remove_one(struct zsim_call *call, struct zsim_module *m, const char *id)
{
    uint64_t number;
    struct zsim_record *r = zsim__parse_u64(id, &number) ? zsim__record(m, number) : NULL;
    if (!r)
        return zsim__error_json("INVALID_DATA", "the id given seems to be invalid",
                                json_pack("{ss}", "id", id));
    if (r->locked)
        return zsim__error_json("RECORD_LOCKED", "Sorry, you cannot perform this operation as the record is locked.",
                                json_pack("{ssss}", "id", id, "action", "record_locking"));
    zsim__remove(m, r, call->user, call->now_ms, false);
    zsim__happened(call->sim, m, r->id, "delete", NULL);
    call->sim->deletes++;
    return json_pack("{sss{ss}ssss}", "code", "SUCCESS", "details", "id", id, "message", "record deleted", "status",
                     "success");
}

void zsim__delete(struct zsim_call *call, struct zsim_module *m, const char *id)
{
    const char *ids = id ? id : zsim__param(call, "ids");
    if (!ids || !*ids) {
        zsim__error(call, 400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing",
                    json_pack("{ss}", "param_name", "ids"));
        return;
    }
    size_t n = 1, failed = 0;
    for (const char *p = ids; *p; p++)
        n += *p == ',';
    if (n > MAX_IDS) {
        zsim__error(call, 400, "LIMIT_EXCEEDED", "limit exceeded",
                    json_pack("{siss}", "limit", MAX_IDS, "param_name", "ids"));
        return;
    }
    json_t *data = json_array();
    char *copy = zsim__copy(ids), *rest = copy, *one;
    while ((one = strsep(&rest, ",")) != NULL) {
        json_t *e = remove_one(call, m, one);
        failed += strcmp(json_string_value(json_object_get(e, "status")), "error") == 0;
        json_array_append_new(data, e);
    }
    free(copy);
    call->records = n;
    if (id && failed) { // by id the error stands alone
        json_t *e = json_incref(json_array_get(data, 0));
        json_decref(data);
        zsim__answer(call, 400, e);
        return;
    }
    zsim__answer_data(call, 200, data, failed);
}

// "recycle", "permanent", or NULL when it is live or forgotten.
static const char *gone_as(const struct zsim_record *r, int64_t now_ms)
{
    int64_t days = (now_ms - r->deleted_ms) / 86400000;
    if (r->state == ZS_LIVE || days >= GONE_DAYS)
        return NULL;
    return r->state == ZS_PURGED || days >= BIN_DAYS ? "permanent" : "recycle";
}

static void show_gone(struct zsim_call *call, const struct zsim_module *m, const struct zsim_record *r,
                      const char *type, struct zsim_text *out)
{
    char at[32];
    struct zsim_text name = {0};
    zsim__show_name(m, r, &name);
    zsim__format_datetime(r->deleted_ms, call->sim->offset_minutes, at);
    json_t *by = zsim__user_json(call->sim, r->deleted_by), *made = zsim__user_json(call->sim, r->created_by);
    char *deleter = json_dumps(by, JSON_COMPACT), *creator = json_dumps(made, JSON_COMPACT);
    json_decref(by);
    json_decref(made);
    zsim__fmt(out, "{\"deleted_by\":%s,\"id\":\"%llu\",\"display_name\":", deleter, (unsigned long long)r->id);
    zsim__quoted(out, name.at ? name.at : "", name.len);
    zsim__fmt(out, ",\"type\":\"%s\",\"created_by\":%s,\"deleted_time\":\"%s\"}", type, creator, at);
    zsim__text_free(&name);
    free(deleter);
    free(creator);
}

void zsim__deleted(struct zsim_call *call, struct zsim_module *m)
{
    const char *type = zsim__param(call, "type"), *header = sim_request_header(call->req, "If-Modified-Since");
    int64_t per_page = zsim__param_number(call, "per_page", PER_PAGE), page = zsim__param_number(call, "page", 1);
    int64_t since_ms = 0, seen = 0, shown = 0;
    bool since = header && zsim__parse_datetime(header, &since_ms), all = !type || strcmp(type, "all") == 0;
    if (per_page < 1 || per_page > PER_PAGE || page < 1 ||
        (!all && strcmp(type, "recycle") != 0 && strcmp(type, "permanent") != 0)) {
        zsim__error(call, 400, "INVALID_DATA", "invalid data",
                    json_pack("{ss}", "param_name", per_page < 1 || per_page > PER_PAGE ? "per_page"
                                                    : page < 1                          ? "page"
                                                                                        : "type"));
        return;
    }
    struct zsim_text out = {0};
    zsim__str(&out, "{\"data\":[");
    for (size_t i = m->nrecords; i-- > 0;) {
        const struct zsim_record *r = &m->records[i];
        const char *as = gone_as(r, call->now_ms);
        if (!as || (!all && strcmp(as, type) != 0) || (since && r->deleted_ms / 1000 <= since_ms / 1000))
            continue;
        if (seen++ < (page - 1) * per_page || shown == per_page)
            continue;
        if (shown++)
            zsim__str(&out, ",");
        show_gone(call, m, r, as, &out);
    }
    zsim__fmt(&out, "],\"info\":{\"per_page\":%lld,\"count\":%lld,\"page\":%lld,\"more_records\":%s}}",
              (long long)per_page, (long long)shown, (long long)page, seen > page * per_page ? "true" : "false");
    if (shown) {
        zsim__answer_text(call, 200, &out);
    } else {
        zsim__text_free(&out);
        zsim__answer_empty(call, since ? 304 : 204);
    }
}
