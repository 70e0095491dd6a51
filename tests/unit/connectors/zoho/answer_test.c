/* answer_test.c - what Zoho answers, as bytes: lists of records, the outcome of a batch, the result of a bulk job, descriptions of modules and users. Each
 * table has what an answer says and what is made of it; whatever cannot be read is refused as a whole. */
#include "connectors/zoho/classify.h"
#include "rig.h"

/* ---- lists of records ---- */

static void put(struct buf *b, const struct value *v)
{
    static const char kinds[] = "-btddliLi[";
    buf_byte(b, (unsigned char)(v->kind == V_ID ? '@' : v->kind == V_DECIMAL ? '#' : v->kind == V_DATE ? 'D' : v->kind == V_INSTANT ? 'I' : kinds[v->kind]));
    if (v->kind != V_LIST) {
        value_print(b, v);
        return;
    }
    const struct list *l = v->u.list;
    for (uint32_t i = 0; i < l->nlines; i++) {
        if (i) buf_byte(b, ';');
        for (size_t k = 0; k < l->nfields; k++) {
            buf_printf(b, "%s%.*s=", k ? "," : "", (int)l->names[k].n, l->names[k].p);
            put(b, &l->lines[i].fields[k]);
        }
    }
    buf_byte(b, ']');
}

static const char *rows_text(struct str body, bool typed, struct arena *a)
{
    struct zoho_field fields[] = {
        {.name = STR("Day"), .data_type = STR("date")}, {.name = STR("At"), .data_type = STR("datetime")}, {.name = STR("Big"), .data_type = STR("bigint")},
        {.name = STR("Long"), .data_type = STR("long")}, {.name = STR("Int"), .data_type = STR("integer")}, {.name = STR("Dbl"), .data_type = STR("double")},
        {.name = STR("Cur"), .data_type = STR("currency")}, {.name = STR("Pct"), .data_type = STR("percent")}, {.name = STR("Text"), .data_type = STR("text")},
        {.name = STR("Items"), .data_type = STR("subform")}, {.name = STR("id"), .data_type = STR("bigint")}};
    const struct zoho_module m = {.fields = fields, .nfields = sizeof fields / sizeof *fields};
    struct zoho_rows rows;
    struct fault f = {ERR_OK, ""};
    struct buf b = {0};
    if (zoho__get_rows(body, typed ? &m : NULL, a, &rows, &f) != ERR_OK) return f.err == ERR_PROTOCOL && f.text[0] ? NULL : "another error";
    for (size_t i = 0; i < rows.n; i++) {
        buf_printf(&b, "%.*s{", (int)rows.row[i].id.n, rows.row[i].id.p);
        for (size_t k = 0; k < rows.row[i].fields.n; k++) {
            const struct record_field *one = &rows.row[i].fields.f[k];
            buf_printf(&b, "%s%.*s=", k ? " " : "", (int)one->name.n, one->name.p);
            put(&b, &one->v);
        }
        buf_byte(&b, '}');
    }
    if (rows.more) buf_puts(&b, "+");
    const char *text = arena_copy(a, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

#define DATA(rows) "{\"data\":[" rows "]}"
#define ROW(members) DATA("{\"id\":\"1\"," members "}")
static const struct { const char *body, *want; } lists[] = {      /* want NULL: it cannot be read */
        {"", ""}, {"{}", NULL}, {DATA(""), ""}, {DATA("{\"id\":\"1\"}"), "1{id=t1}"}, {DATA("{\"id\":\"1\"},{\"id\":\"2\"}"), "1{id=t1}2{id=t2}"},
        {"{\"data\":null}", NULL}, {"{\"data\":{}}", NULL}, {"{\"data\":\"none\"}", NULL}, {"{\"data\":1}", NULL}, {"{\"data\":", NULL}, {"{\"data\"", NULL},
        {"[]", NULL}, {"null", NULL}, {"<html>", NULL}, {"{\"data\":[]", NULL}, {"{\"data\":[", NULL}, {"{\"data\":[1]}", NULL}, {"{\"data\":[{]}", NULL},
        {DATA("{}"), NULL}, {DATA("{\"id\":null}"), NULL}, {DATA("{\"id\":7}"), NULL}, {DATA("{\"id\":true}"), NULL}, {DATA("{\"id\":\"\"}"), NULL},
        {DATA("{\"id\":{\"id\":\"5\"}}"), "5{id=@5}"}, {DATA("{\"id\":\"1\""), NULL}, {DATA("{\"id\":\"1\"},"), NULL}, {DATA("{\"id\":\"1\"},{\"id\":2}"), NULL},
        {"{\"info\":{\"more_records\":true},\"data\":[]}", "+"}, {"{\"data\":[],\"info\":{\"more_records\":false,\"count\":[1,{}]}}", ""},
        {"{\"data\":[],\"info\":{\"more_records\":\"true\",\"count\":true}}", ""}, {"{\"data\":[],\"info\":null}", ""}, {"{\"data\":[],\"info\":[1]}", ""},
        {"{\"data\":[],\"info\":{\"more_records\":tru", NULL}, {"{\"data\":[],\"info\":{\"a\":[", NULL}, {"{\"data\":[],\"info\":{\"a\":1,}}", NULL},
        {"{\"data\":[],\"info\":[", NULL}, {"{\"data\":[],\"other\":[{\"x\":1}],\"more\":2}", ""}, {"{\"data\":[],\"other\":[", NULL}, {"{\"data\":[]}x", NULL},
        /* by the field's type */
        {ROW("\"Day\":\"2026-03-12\",\"Text\":\"2026-03-12\""), "1{id=t1 Day=D2026-03-12 Text=t2026-03-12}"},
        {ROW("\"Day\":\"2026-02-30\",\"At\":\"soon\""), "1{id=t1 Day=t2026-02-30 At=tsoon}"}, {ROW("\"At\":\"2026-03-12T22:41:07+00:00\""), "1{id=t1 At=I2026-03-12T22:41:07Z}"},
        {ROW("\"Big\":\"7\",\"Long\":\"8\",\"Int\":\"9\",\"Dbl\":\"1.5\",\"Cur\":\"2.50\",\"Pct\":\"3\""), "1{id=t1 Big=#7 Long=#8 Int=#9 Dbl=#1.5 Cur=#2.50 Pct=#3}"},
        {ROW("\"Big\":\"x\",\"Cur\":\"\""), "1{id=t1 Big=tx Cur=-(none)}"}, {ROW("\"Unknown\":\"7\""), "1{id=t1 Unknown=t7}"},
        {ROW("\"Cur\":12.50,\"Dbl\":1e2,\"Int\":-0"), "1{id=t1 Cur=#12.50 Dbl=#100 Int=#0}"},
        {ROW("\"Dbl\":1e999"), "1{id=t1 Dbl=t1e999}"}, {ROW("\"A\":true,\"B\":false,\"C\":null"), "1{id=t1 A=btrue B=bfalse C=-(none)}"},
        /* links, and what else is nested */
        {ROW("\"L\":{\"name\":\"x\",\"id\":\"77\"}"), "1{id=t1 L=@77}"}, {ROW("\"L\":{\"id\":77,\"a\":[1]}"), "1{id=t1 L=t{\"id\":77,\"a\":[1]}}"},
        {ROW("\"L\":{\"id\":[\"7\"]}"), "1{id=t1 L=t{\"id\":[\"7\"]}}"}, {ROW("\"L\":{\"id\":\"\"}"), "1{id=t1 L=t{\"id\":\"\"}}"}, {ROW("\"L\":{}"), "1{id=t1 L=t{}}"},
        {ROW("\"L\":{\"a\":[}"), NULL}, {ROW("\"L\":{\"a\":1,}"), NULL}, {ROW("\"L\":[1,\"2\"]"), "1{id=t1 L=t[1,\"2\"]}"}, {ROW("\"L\":[1,"), NULL},
        {ROW("\"L\":tru"), NULL}, {ROW("\"L\":1,"), NULL},
        /* subforms */
        {ROW("\"Items\":[]"), "1{id=t1 Items=-(none)}"}, {ROW("\"Items\":null"), "1{id=t1 Items=-(none)}"}, {ROW("\"Items\":\"x\""), "1{id=t1 Items=tx}"},
        {ROW("\"Items\":[{\"id\":\"7\",\"Q\":2},{\"P\":\"x\",\"id\":\"8\"}]"), "1{id=t1 Items=[id=@7,Q=#2,P=-(none);id=@8,Q=-(none),P=tx]}"},
        {ROW("\"Items\":[{\"id\":\"7\",\"Day\":\"2026-03-12\",\"Items\":[{\"id\":\"9\"}]}]"), "1{id=t1 Items=[id=@7,Day=t2026-03-12,Items=t[{\"id\":\"9\"}]]}"},
        {ROW("\"Items\":[{\"id\":7}]"), NULL}, {ROW("\"Items\":[{\"Q\":1}]"), NULL}, {ROW("\"Items\":[{}]"), NULL}, {ROW("\"Items\":[1]"), NULL}, {ROW("\"Items\":[{\"id\":\"7\"},null]"), NULL},
        {ROW("\"Items\":[{\"id\":\"7\"}"), NULL}, {ROW("\"Items\":[{\"id\":\"7\",\"Q\":}]"), NULL}, {ROW("\"Items\":[{\"id\":\"7\",}]"), NULL}, {ROW("\"Items\":["), NULL}};

static void test_rows(void)
{
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *got = rows_text(str_of(lists[i].body), true, &a), *want = lists[i].want;
        char name[200];
        snprintf(name, sizeof name, "records: %.150s", lists[i].body);
        check(got == want || (got && want && strcmp(got, want) == 0), name, got ? got : "refused");
    }
    check(strcmp(rows_text(STR(ROW("\"Day\":\"2026-03-12\",\"Items\":[{\"id\":\"7\"}]")), false, &a), "1{id=t1 Day=t2026-03-12 Items=t[{\"id\":\"7\"}]}") == 0,
          "without a description texts stay texts", "they do not");
    arena_free(&a);
}

/* More rows, lines, columns of a line and fields than any first room. */
static void test_many_rows(void)
{
    struct buf b = {0};
    struct arena a;
    struct zoho_rows rows;
    struct fault f;
    struct zoho_field items = {.name = STR("Items"), .data_type = STR("subform")};
    const struct zoho_module m = {.fields = &items, .nfields = 1};
    arena_init(&a, 0);
    buf_puts(&b, "{\"data\":[");
    for (int i = 0; i < 200; i++) buf_printf(&b, "%s{\"id\":\"%d\"}", i ? "," : "", 1000 + i);
    buf_puts(&b, ",{\"id\":\"9\",\"Items\":[");
    for (int i = 0; i < 40; i++) buf_printf(&b, "%s{\"id\":\"%d\"}", i ? "," : "", i + 1);
    buf_puts(&b, ",{\"id\":\"41\"");
    for (int i = 0; i < ZOHO_LINE_COLUMNS + 5; i++) buf_printf(&b, ",\"c%d\":%d", i, i);
    buf_puts(&b, "}]},{\"id\":\"10\"");
    for (int i = 0; i < LIMIT_FIELDS + 5; i++) buf_printf(&b, ",\"f%d\":%d", i, i);
    buf_puts(&b, "}]}");
    enum err e = zoho__get_rows(buf_view(&b), &m, &a, &rows, &f);
    check(e == ERR_OK && rows.n == 202 && str_is(rows.row[199].id, "1199"), "200 records and two", f.text);
    const struct value *v = record_get(&rows.row[200].fields, STR("Items"));
    check(v && v->kind == V_LIST && v->u.list->nlines == 41 && v->u.list->nfields == ZOHO_LINE_COLUMNS && str_is(value_str(&v->u.list->lines[40].fields[0]), "41"),
          "41 lines, as many columns as are looked at", "another list");
    check(rows.row[201].fields.n == LIMIT_FIELDS, "as many fields as a flow can have", "another number");
    buf_free(&b);
    arena_free(&a);
}

/* ---- the outcome of a batch ---- */

static struct write_batch *batch_of(struct arena *a, enum write_verb verb, size_t n)
{
    struct write_batch *b = ARENA_NEW(a, struct write_batch);
    *b = (struct write_batch){.verb = verb, .module = STR("Accounts"), .key_field = STR("Sage_Customer"), .n = n, .arena = a, .items = ARENA_ARRAY(a, struct write_item, n + 1)};
    for (size_t i = 0; i < n; i++) b->items[i] = (struct write_item){.id = verb == WRITE_UPDATE ? str_of(arena_printf(a, "%zu", 70 + i)) : (struct str){"", 0}};
    return b;
}

#define OF(text) (int)(text).n, (text).p
static const char *settled(struct arena *a, enum write_verb verb, size_t n, int status, const char *body)
{
    struct write_batch *b = batch_of(a, verb, n);
    struct http_res res = {.outcome = HTTP_ANSWERED, .status = status, .body = str_of(body)};
    enum zoho_verdict v = zoho__classify(b, &res);
    struct buf out = {0};
    if (v != ZOHO_SETTLED) buf_puts(&out, v == ZOHO_RENEW ? "renew " : "throttled ");
    for (size_t i = 0; i < n; i++) {
        const struct write_item *it = &b->items[i];
        buf_printf(&out, "%s%s %.*s/%.*s/%.*s|%.*s", i ? "; " : "", class_name(it->cls), OF(it->code), OF(it->field), OF(it->out_id), OF(it->message));
    }
    const char *text = arena_copy(a, out.p ? out.p : "", out.n);
    buf_free(&out);
    return text;
}

#define ERRORS(list) "{\"code\":\"MULTIPLE_OR_MULTI_ERRORS\",\"message\":\"several\",\"status\":\"error\",\"details\":{\"errors\":[" list "]}}"
#define ONE(code, details) "{\"code\":\"" code "\",\"message\":\"m\",\"status\":\"error\",\"details\":{" details "}}"
#define SPOILT "the answer has its records in another order than the request"

enum { INSERT = WRITE_INSERT, UPDATE = WRITE_UPDATE };
static const struct { int verb, n, status; const char *body, *want; } outcomes[] = {
        /* success counts with the right id only */
        {INSERT, 1, 201, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5\"}}"), "APPLIED SUCCESS//5|"},
        {INSERT, 1, 201, DATA("{\"code\":\"SUCCESS\",\"details\":{}}"), "AMBIGUOUS SUCCESS//|answered success, but not with the id of this record"},
        {INSERT, 1, 201, DATA("{\"code\":\"SUCCESS\"}"), "AMBIGUOUS SUCCESS//|answered success, but not with the id of this record"},
        {UPDATE, 1, 200, DATA("{\"code\":\"SUCCESS\"}"), "APPLIED SUCCESS//70|"}, {UPDATE, 1, 200, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":\"70\"}}"), "APPLIED SUCCESS//70|"},
        {UPDATE, 1, 200, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":\"71\"}}"), "AMBIGUOUS SUCCESS//71|answered success, but not with the id of this record"},
        {INSERT, 1, 201, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":5}}"), "AMBIGUOUS SUCCESS//|answered success, but not with the id of this record"},
        /* elements that say nothing */
        {INSERT, 2, 207, DATA("null,{}"), "AMBIGUOUS //|the answer for this record cannot be read; AMBIGUOUS //|the answer for this record cannot be read"},
        {INSERT, 2, 207, DATA("[],{\"code\":\"\"}"), "AMBIGUOUS //|the answer for this record cannot be read; AMBIGUOUS //|the answer for this record cannot be read"},
        {INSERT, 1, 207, DATA("{\"code\":7}"), "AMBIGUOUS //|the answer for this record cannot be read"},
        /* which field, by whatever name it comes */
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"api_name\":\"Phone\",\"json_path\":\"$.data[0].Fax\"")), "REJECTED INVALID_DATA/Phone/|m"},
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[0].Fax\"")), "REJECTED INVALID_DATA/Fax/|m"},
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"json_path\":\"Fax\"")), "REJECTED INVALID_DATA/Fax/|m"},
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"param_name\":\"p\"")), "REJECTED INVALID_DATA/p/|m"},
        {INSERT, 1, 400, DATA(ONE("A_CODE_OF_TOMORROW", "")), "REJECTED A_CODE_OF_TOMORROW//|m"},
        /* bounds that Zoho names */
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"expected_data_type\":\"double\",\"maximum_length\":50,\"limit\":3,\"dependency_error\":\"D\"")),
         "REJECTED INVALID_DATA//|m; expected double; at most 50; limit 3; D"},
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"maximum_length\":\"50\",\"limit\":3.5")), "REJECTED INVALID_DATA//|m"},
        /* duplicates: ours or another's */
        {INSERT, 1, 400, DATA(ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\",\"duplicate_record\":{\"id\":\"9\"}")), "DUP_OWN DUPLICATE_DATA/Sage_Customer/9|m"},
        {INSERT, 1, 400, DATA(ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\",\"id\":\"9\"")), "DUP_OWN DUPLICATE_DATA/Sage_Customer/9|m"},
        {INSERT, 1, 400, DATA(ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\"")), "AMBIGUOUS DUPLICATE_DATA/Sage_Customer/|m"},
        {INSERT, 1, 400, DATA(ONE("DUPLICATE_DATA", "\"api_name\":\"Email\",\"id\":\"9\"")), "DUP_OTHER DUPLICATE_DATA/Email/9|m"},
        {UPDATE, 1, 400, DATA(ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\",\"id\":\"9\"")), "DUP_OTHER DUPLICATE_DATA/Sage_Customer/9|m"},
        /* gone */
        {UPDATE, 1, 400, DATA(ONE("INVALID_DATA", "\"api_name\":\"id\"")), "GONE INVALID_DATA/id/|m"}, {UPDATE, 1, 400, DATA(ONE("INVALID_DATA", "\"api_name\":\"Fax\"")), "REJECTED INVALID_DATA/Fax/|m"},
        {UPDATE, 1, 400, DATA(ONE("RESOURCE_NOT_FOUND", "")), "GONE RESOURCE_NOT_FOUND//|m"}, {INSERT, 1, 400, DATA(ONE("RESOURCE_NOT_FOUND", "")), "REJECTED RESOURCE_NOT_FOUND//|m"},
        {INSERT, 1, 400, DATA(ONE("INVALID_DATA", "\"api_name\":\"id\"")), "REJECTED INVALID_DATA/id/|m"},
        /* services behind */
        {INSERT, 1, 400, DATA(ONE("DEPENDENT_SERVICE_ERROR", "\"dependency_error\":\"PROCESSING_ERROR\"")), "RETRY DEPENDENT_SERVICE_ERROR//|m; PROCESSING_ERROR"},
        {INSERT, 1, 400, DATA(ONE("DEPENDENT_SERVICE_ERROR", "\"dependency_error\":\"NO_PERMISSION\"")), "CONFIG DEPENDENT_SERVICE_ERROR//|m; NO_PERMISSION"},
        {INSERT, 1, 400, DATA(ONE("DEPENDENT_SERVICE_ERROR", "")), "REJECTED DEPENDENT_SERVICE_ERROR//|m"},
        /* several complaints: the one that forbids most */
        {INSERT, 1, 400, DATA(ERRORS("")), "REJECTED MULTIPLE_OR_MULTI_ERRORS//|several"},
        {INSERT, 1, 400, DATA("{\"code\":\"MULTIPLE_OR_MULTI_ERRORS\",\"message\":\"several\",\"errors\":[" ONE("RECORD_LOCKED", "") "]}"), "PARKED RECORD_LOCKED//|m"},
        {INSERT, 1, 400, DATA("{\"code\":\"INVALID_DATA\",\"message\":\"m\",\"errors\":[" ONE("RECORD_LOCKED", "") "]}"), "REJECTED INVALID_DATA//|m"},
        {INSERT, 1, 400, DATA(ERRORS(ONE("DUPLICATE_DATA", "\"api_name\":\"Email\",\"id\":\"9\"") "," ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\",\"id\":\"9\""))),
         "DUP_OWN DUPLICATE_DATA/Email/9|m (all: DUPLICATE_DATA on Email, DUPLICATE_DATA on Sage_Customer)"},
        {INSERT, 1, 400, DATA(ERRORS(ONE("DUPLICATE_DATA", "\"api_name\":\"Email\",\"id\":\"8\"") "," ONE("DUPLICATE_DATA", "\"api_name\":\"Sage_Customer\",\"id\":\"9\""))),
         "DUP_OTHER DUPLICATE_DATA/Email/8|m (all: DUPLICATE_DATA on Email, DUPLICATE_DATA on Sage_Customer)"},
        {INSERT, 1, 400, DATA(ERRORS(ONE("TOO_MANY_REQUESTS", "") "," ONE("RECORD_LOCKED", "") "," ONE("INVALID_DATA", "\"api_name\":\"Fax\""))),
         "REJECTED INVALID_DATA/Fax/|m (all: TOO_MANY_REQUESTS on , RECORD_LOCKED on , INVALID_DATA on Fax)"},
        {INSERT, 1, 400, DATA(ERRORS(ONE("INVALID_DATA", "\"api_name\":\"Fax\"") "," ONE("NO_PERMISSION", "") "," ONE("INTERNAL_ERROR", ""))),
         "CONFIG NO_PERMISSION//|m (all: INVALID_DATA on Fax, NO_PERMISSION on , INTERNAL_ERROR on )"},
        {UPDATE, 1, 400, DATA(ERRORS(ONE("INTERNAL_ERROR", "") "," ONE("RESOURCE_NOT_FOUND", ""))), "GONE RESOURCE_NOT_FOUND//|m (all: INTERNAL_ERROR on , RESOURCE_NOT_FOUND on )"},
        {INSERT, 1, 400, DATA(ERRORS(ONE("INTERNAL_ERROR", "") "," ONE("INVALID_DATA", ""))), "AMBIGUOUS INTERNAL_ERROR//|m (all: INTERNAL_ERROR on , INVALID_DATA on )"},
        /* the order of the answer */
        {INSERT, 2, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[0].Fax\"") "," ONE("INVALID_DATA", "\"json_path\":\"$.data[1].Fax\"")), "REJECTED INVALID_DATA/Fax/|m; REJECTED INVALID_DATA/Fax/|m"},
        {INSERT, 2, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[1].Fax\"") "," ONE("INVALID_DATA", "\"json_path\":\"$.data[0].Fax\"")), "AMBIGUOUS //|" SPOILT "; AMBIGUOUS //|" SPOILT},
        {INSERT, 1, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[7\"")), "AMBIGUOUS //|" SPOILT}, {INSERT, 1, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[].Fax\"")), "REJECTED INVALID_DATA/Fax/|m"},
        {INSERT, 1, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[x].Fax\"")), "REJECTED INVALID_DATA/Fax/|m"}, {INSERT, 1, 207, DATA(ONE("INVALID_DATA", "\"json_path\":\"$.data[:].Fax\"")), "REJECTED INVALID_DATA/Fax/|m"},
        {INSERT, 2, 201, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5\"}}"), "AMBIGUOUS //|the answer has another number of records than the request; "
                                                                                        "AMBIGUOUS //|the answer has another number of records than the request"},
        {INSERT, 1, 201, DATA(""), "AMBIGUOUS //|the answer has another number of records than the request"},
        /* flat ones */
        {INSERT, 2, 400, "{\"code\":\"INVALID_MODULE\",\"message\":\"m\",\"details\":{\"api_name\":\"module\"}}", "CONFIG INVALID_MODULE/module/|m; CONFIG INVALID_MODULE/module/|m"},
        {INSERT, 1, 400, "{\"code\":\"DEPENDENT_SERVICE_ERROR\",\"message\":\"m\",\"details\":{\"dependency_error\":\"NO_PERMISSION\"}}", "CONFIG DEPENDENT_SERVICE_ERROR//|m; NO_PERMISSION"},
        {INSERT, 1, 400, "{\"code\":\"DEPENDENT_SERVICE_ERROR\",\"message\":\"m\",\"details\":{\"dependency_error\":\"PROCESSING_ERROR\"}}", "RETRY DEPENDENT_SERVICE_ERROR//|m; PROCESSING_ERROR"},
        {INSERT, 1, 400, "{\"code\":\"DEPENDENT_SERVICE_ERROR\",\"message\":\"m\"}", "SPLIT DEPENDENT_SERVICE_ERROR//|m"},
        {INSERT, 1, 400, "{\"code\":\"A_CODE_OF_TOMORROW\",\"message\":\"m\"}", "SPLIT A_CODE_OF_TOMORROW//|m"}, {INSERT, 1, 200, "{\"code\":\"TOO_MANY_REQUESTS\",\"message\":\"m\"}", "AMBIGUOUS TOO_MANY_REQUESTS//|m"},
        {INSERT, 1, 400, "{\"code\":\"TOO_MANY_REQUESTS\",\"message\":\"m\"}", "throttled RETRY TOO_MANY_REQUESTS//|m"}, {INSERT, 1, 429, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}", "throttled RETRY INVALID_DATA//|m"},
        {INSERT, 1, 500, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}", "AMBIGUOUS INVALID_DATA//|m"}, {INSERT, 1, 404, DATA(ONE("INVALID_MODULE", "")), "CONFIG INVALID_MODULE//|m"},
        {INSERT, 1, 403, DATA("{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}"), "CONFIG NO_PERMISSION//|m"}, {INSERT, 1, 405, DATA("{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5\"}}"), "CONFIG SUCCESS//|"},
        {INSERT, 1, 401, "{\"code\":\"INVALID_TOKEN\",\"message\":\"m\"}", "renew CONFIG INVALID_TOKEN//|m"}, {INSERT, 1, 401, "{\"code\":\"OAUTH_SCOPE_MISMATCH\",\"message\":\"m\"}", "CONFIG OAUTH_SCOPE_MISMATCH//|m"},
        {INSERT, 0, 401, "{}", "renew "}, {INSERT, 0, 429, "", "throttled "}, {INSERT, 0, 200, "", ""},
        /* by the status alone */
        {INSERT, 1, 429, "", "throttled RETRY //|answered 429, and nothing that can be read"}, {INSERT, 1, 413, "x", "SPLIT //|answered 413, and nothing that can be read"},
        {INSERT, 1, 408, "{}", "AMBIGUOUS //|answered 408 without a code"}, {INSERT, 1, 412, "[]", "AMBIGUOUS //|answered 412 without a code"}, {INSERT, 1, 501, "", "CONFIG //|answered 501, and nothing that can be read"},
        {INSERT, 1, 505, "{\"code\":1}", "CONFIG //|answered 505 without a code"}, {INSERT, 1, 302, "", "CONFIG //|answered 302, and nothing that can be read"}, {INSERT, 1, 503, "", "AMBIGUOUS //|answered 503, and nothing that can be read"},
        {INSERT, 1, 204, "", "AMBIGUOUS //|answered 204, and nothing that can be read"}, {INSERT, 1, 403, DATA(""), "CONFIG //|answered 403 without a code"},
        {INSERT, 1, 201, "{\"data\":[],\"data\":[{\"code\":\"SUCCESS\",\"details\":{\"id\":\"5\"}}]}", "AMBIGUOUS //|answered 201, and nothing that can be read"}};

static void test_outcomes(void)
{
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        const char *got = settled(&a, (enum write_verb)outcomes[i].verb, (size_t)outcomes[i].n, outcomes[i].status, outcomes[i].body);
        char name[200];
        snprintf(name, sizeof name, "%s %d: %.120s", outcomes[i].verb == INSERT ? "insert" : "update", outcomes[i].status, outcomes[i].body);
        check(strcmp(got, outcomes[i].want) == 0, name, got);
    }
    arena_free(&a);
}

/* Twenty complaints are told, not forty. */
static void test_many_complaints(void)
{
    struct arena a;
    struct buf b = {0};
    arena_init(&a, 0);
    buf_puts(&b, "{\"data\":[{\"code\":\"MULTIPLE_OR_MULTI_ERRORS\",\"details\":{\"errors\":[");
    for (int i = 0; i < 40; i++) buf_printf(&b, "%s{\"code\":\"INVALID_DATA\",\"details\":{\"api_name\":\"F%d\"}}", i ? "," : "", i);
    buf_puts(&b, "]}}]}");
    const char *got = settled(&a, WRITE_INSERT, 1, 400, buf_cstr(&b));
    check(strstr(got, "on F19)") && !strstr(got, "F20"), "the first twenty complaints", got);
    buf_free(&b);
    arena_free(&a);
}

static void test_complaints(void)
{
    static const struct { const char *body, *want; } cases[] = {
        {"", "//"}, {"x", "//"}, {"{}", "//"}, {"{\"code\":\"A\",\"message\":\"b\",\"details\":{\"param_name\":\"c\"}}", "A/b/c"},
        {DATA("{\"status\":\"success\",\"code\":\"SUCCESS\"}," "{\"status\":\"error\",\"code\":\"B\"}"), "B//"}, {DATA("{\"status\":\"success\",\"code\":\"SUCCESS\"}"), "SUCCESS//"}, {DATA(""), "//"}};
    struct arena a;
    arena_init(&a, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_res res = {.outcome = HTTP_ANSWERED, .status = 400, .body = str_of(cases[i].body)};
        struct zoho_complaint c = zoho__complaint(&res, &a);
        const char *got = arena_printf(&a, "%.*s/%.*s/%.*s", OF(c.code), OF(c.message), OF(c.param));
        check(strcmp(got, cases[i].want) == 0, cases[i].body, got);
    }
    arena_free(&a);
}

int main(void)
{
    test_rows();
    test_many_rows();
    test_outcomes();
    test_many_complaints();
    test_complaints();
    return failures ? 1 : 0;
}
