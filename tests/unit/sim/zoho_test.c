/*
 * zoho_test.c: the record rules of the Zoho model: values, mandatory and unique fields, insert, update, upsert, lines,
 * deletion. One rule, one check.
 */
#include "zoho_check.h"

#define ACCOUNTS "/crm/v8/Accounts"

// Inserts one account that also has `field`: `value`; the element's code is expected.
static void value_case(struct stand *s, const char *name, const char *field, const char *value, const char *code)
{
    call(s, "POST", ACCOUNTS, text("{\"data\":[{\"Account_Name\":\"V\",\"%s\":%s}]}", field, value));
    expect(s, name, is_text(s, "data.0.code", code));
}

// Inserts it and expects to read `shown` (JSON text) back.
static void stored_case(struct stand *s, const char *name, const char *field, const char *value, const char *shown)
{
    call(s, "POST", ACCOUNTS, text("{\"data\":[{\"Account_Name\":\"V\",\"%s\":%s}]}", field, value));
    const char *id = json_string_value(at(s->body, "data.0.details.id"));
    call(s, "GET", text(ACCOUNTS "/%s", id ? id : "0"), NULL);
    char *got = json_dumps(at(s->body, text("data.0.%s", field)),
                           JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    expect(s, name, strcmp(got ? got : "absent", shown) == 0);
    free(got);
}

static void test_texts(struct stand *s)
{
    char long200[201], umlauts[401];
    memset(long200, 'x', 200);
    long200[200] = '\0';
    for (int i = 0; i < 200; i++)
        memcpy(umlauts + 2 * i, "\xc3\xbc", 3);
    call(s, "POST", ACCOUNTS, text("{\"data\":[{\"Account_Name\":\"%s\"}]}", long200));
    expect(s, "text of 200 characters fits", s->resp.status == 201);
    call(s, "POST", ACCOUNTS, text("{\"data\":[{\"Account_Name\":\"%s\"}]}", umlauts));
    expect(s, "length counts code points, not bytes", s->resp.status == 201);
    call(s, "POST", ACCOUNTS, text("{\"data\":[{\"Account_Name\":\"%sx\"}]}", umlauts));
    expect(s, "201 characters are too long", s->resp.status == 400 && is_text(s, "data.0.code", "INVALID_DATA") &&
                                                 is_number(s, "data.0.details.maximum_length", 200) &&
                                                 is_text(s, "data.0.details.api_name", "Account_Name") &&
                                                 is_text(s, "data.0.details.json_path", "$.data[0].Account_Name"));
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":7}]}");
    expect(s, "a number is no text", is_text(s, "data.0.details.expected_data_type", "text"));
    stored_case(s, "empty text is null", "Phone", "\"\"", "null");
    stored_case(s, "quotes and controls survive", "Description", "\"a\\\"b\\\\c\\n\\u0001\xe2\x82\xac\"",
                "\"a\\\"b\\\\c\\n\\u0001\xe2\x82\xac\"");
    value_case(s, "phone with a slash passes", "Phone", "\"0421/55\"", "SUCCESS");
    zoho_sim_switch(s->sim, "strict_phone", 1);
    value_case(s, "phone with a slash fails when strict", "Phone", "\"0421/55\"", "INVALID_DATA");
    value_case(s, "phone with plus passes when strict", "Phone", "\"+49 (421) 5.5-1\"", "SUCCESS");
    zoho_sim_switch(s->sim, "strict_website", 1);
    value_case(s, "website without a dot fails when strict", "Website", "\"nowhere\"", "INVALID_DATA");
    value_case(s, "website passes when strict", "Website", "\"https://a.example/x\"", "SUCCESS");
    call(s, "POST", "/crm/v8/Contacts", "{\"data\":[{\"Last_Name\":\"E\",\"Email\":\"a b@c.de\"},"
                                        "{\"Last_Name\":\"E\",\"Email\":\"a@c.de\"}]}");
    expect(s, "e-mail is checked", is_text(s, "data.0.details.expected_data_type", "email") &&
                                       is_text(s, "data.1.code", "SUCCESS"));
}

static void test_numbers(struct stand *s)
{
    stored_case(s, "currency", "Credit_Limit", "1234.5", "1234.5");
    stored_case(s, "integer as currency", "Credit_Limit", "1200", "1200");
    stored_case(s, "negative", "Open_Balance", "-0.01", "-0.01");
    stored_case(s, "zero", "Open_Balance", "0.00", "0");
    value_case(s, "three decimals are too many", "Credit_Limit", "1.005", "INVALID_DATA");
    value_case(s, "float dust is too many", "Credit_Limit", "0.30000000000000004", "INVALID_DATA");
    value_case(s, "fifteen digits", "Credit_Limit", "1234567890123.45", "SUCCESS");
    value_case(s, "sixteen digits", "Credit_Limit", "12345678901234.56", "INVALID_DATA");
    value_case(s, "sixteen whole digits", "Credit_Limit", "1234567890123456", "INVALID_DATA");
    value_case(s, "number as string", "Credit_Limit", "\"12\"", "INVALID_DATA");
    zoho_sim_switch(s->sim, "accept_number_strings", 1);
    stored_case(s, "number as string when accepted", "Credit_Limit", "\"12.5\"", "12.5");
    zoho_sim_switch(s->sim, "accept_number_strings", 0);
    zoho_sim_switch(s->sim, "round_decimals", 1);
    stored_case(s, "decimals rounded when asked", "Credit_Limit", "1.126", "1.13");
    zoho_sim_switch(s->sim, "round_decimals", 0);
    stored_case(s, "integer field", "Employees", "12", "12");
    value_case(s, "integer field takes no decimals", "Employees", "12.5", "INVALID_DATA");
    value_case(s, "integer field of nine digits", "Employees", "1234567890", "INVALID_DATA");
    value_case(s, "integer field takes no string", "Employees", "\"12\"", "INVALID_DATA");
    stored_case(s, "long integer of type string", "Sage_Record_No", "\"123456789012345678\"", "\"123456789012345678\"");
    value_case(s, "long integer follows its json_type", "Sage_Record_No", "5", "INVALID_DATA");
    stored_case(s, "long integer of type long", "Account_Number", "123456789012345678", "123456789012345678");
    value_case(s, "percent over its length", "Discount_Rate", "123456.5", "INVALID_DATA");
}

static void test_other_types(struct stand *s)
{
    stored_case(s, "picklist", "Credit_Status", "\"On hold\"", "\"On hold\"");
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"V\",\"Credit_Status\":\"Bad\"}]}");
    expect(s, "picklist membership", is_text(s, "data.0.code", "INVALID_DATA") &&
                                         is_text(s, "data.0.details.supported_values.2", "Over limit"));
    stored_case(s, "picklist -None- is null", "Industry", "\"-None-\"", "null");
    zoho_sim_switch(s->sim, "lenient_picklists", 1);
    stored_case(s, "lenient picklist", "Credit_Status", "\"Bad\"", "\"Bad\"");
    zoho_sim_switch(s->sim, "lenient_picklists", 0);
    stored_case(s, "multiselect", "Sage_Branches", "[\"North\",\"West\"]", "[\"North\",\"West\"]");
    value_case(s, "multiselect needs an array", "Sage_Branches", "\"North\"", "INVALID_DATA");
    value_case(s, "multiselect membership", "Sage_Branches", "[\"Up\"]", "INVALID_DATA");
    stored_case(s, "boolean", "Credit_Hold", "true", "true");
    value_case(s, "boolean as string", "Credit_Hold", "\"true\"", "INVALID_DATA");
    stored_case(s, "boolean left out is false", "Phone", "\"1\"", "\"1\"");
    stored_case(s, "date", "Last_Invoice_Date", "\"2024-02-29\"", "\"2024-02-29\"");
    value_case(s, "date that does not exist", "Last_Invoice_Date", "\"2023-02-29\"", "INVALID_DATA");
    value_case(s, "date with time", "Last_Invoice_Date", "\"2024-02-28T00:00:00+00:00\"", "INVALID_DATA");
    stored_case(s, "datetime is shown in the org's zone", "Sage_Changed_At", "\"2019-05-02T23:17:33+00:00\"",
                "\"2019-05-03T00:17:33+01:00\"");
    value_case(s, "datetime without offset", "Sage_Changed_At", "\"2019-05-02T11:17:33\"", "INVALID_DATA");
    value_case(s, "datetime with fraction", "Sage_Changed_At", "\"2019-05-02T11:17:33.123+00:00\"", "INVALID_DATA");
    stored_case(s, "owner", "Owner", "{\"id\":\"4876876000000411002\"}",
                "{\"name\":\"Ben Berger\",\"id\":\"4876876000000411002\",\"email\":\"ben.berger@nordwind-handel.example\"}");
    value_case(s, "owner must be active", "Owner", "{\"id\":\"4876876000000411004\"}", "INVALID_DATA");
    value_case(s, "owner must exist", "Owner", "{\"id\":\"1\"}", "INVALID_DATA");
    value_case(s, "owner is an object", "Owner", "\"4876876000000411002\"", "INVALID_DATA");
    stored_case(s, "unknown field is dropped", "Nonsense", "1", "absent");
    zoho_sim_switch(s->sim, "refuse_unknown_fields", 1);
    value_case(s, "unknown field is refused when asked", "Nonsense", "1", "INVALID_DATA");
    zoho_sim_switch(s->sim, "refuse_unknown_fields", 0);
    value_case(s, "read-only field is ignored", "Created_Time", "\"x\"", "SUCCESS");
    zoho_sim_switch(s->sim, "refuse_read_only", 1);
    value_case(s, "read-only field is refused when asked", "Created_Time", "\"x\"", "INVALID_DATA");
    zoho_sim_switch(s->sim, "refuse_read_only", 0);
}

static void test_lookups(struct stand *s)
{
    char account[24], vendor[24];
    seed(s, "Accounts", "{\"Account_Name\":\"Look\"}", account);
    seed(s, "Vendors", "{\"Vendor_Name\":\"Ven\"}", vendor);
    call(s, "POST", "/crm/v8/Contacts",
         text("{\"data\":[{\"Last_Name\":\"A\",\"First_Name\":\"Z\",\"Account_Name\":{\"id\":\"%s\"}},"
              "{\"Last_Name\":\"B\",\"Account_Name\":{\"id\":\"%s\"}},{\"Last_Name\":\"C\",\"Account_Name\":\"%s\"},"
              "{\"Last_Name\":\"D\",\"Account_Name\":{\"name\":\"Look\"}}]}",
              account, vendor, account));
    expect(s, "lookup must exist in its module", s->resp.status == 207 && is_text(s, "data.0.code", "SUCCESS") &&
                                                     is_text(s, "data.1.details.api_name", "Account_Name"));
    expect(s, "lookup is an object with id", is_text(s, "data.2.details.expected_data_type", "jsonobject") &&
                                                 is_text(s, "data.3.code", "INVALID_DATA"));
    call(s, "GET", text("/crm/v8/Contacts/%s", json_string_value(at(s->body, "data.0.details.id"))), NULL);
    expect(s, "lookup is shown with name and id",
           is_text(s, "data.0.Account_Name.name", "Look") && is_text(s, "data.0.Account_Name.id", account));
    expect(s, "full name is computed", is_text(s, "data.0.Full_Name", "Z A"));
    char *target = text("/crm/v8/Contacts/%s", json_string_value(at(s->body, "data.0.id")));
    zoho_sim_delete(s->sim, "Accounts", account, false);
    call(s, "GET", target, NULL);
    expect(s, "lookup of a deleted record is null", is_null(s, "data.0.Account_Name"));
}

static void test_mandatory(struct stand *s)
{
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Phone\":\"1\"}]}");
    expect(s, "mandatory field", s->resp.status == 400 && is_text(s, "data.0.code", "MANDATORY_NOT_FOUND") &&
                                     is_text(s, "data.0.details.api_name", "Account_Name"));
    call(s, "POST", "/crm/v8/Leads", "{\"data\":[{\"Last_Name\":\"L\"}]}");
    expect(s, "field that only the layout requires", s->resp.status == 201);
    call(s, "GET", "/crm/v8/settings/layouts?module=Leads", NULL);
    char *lead = text("{\"data\":[{\"Last_Name\":\"L\",\"Layout\":{\"id\":\"%s\"}}]}",
                      json_string_value(at(s->body, "layouts.0.id")));
    call(s, "POST", "/crm/v8/Leads", lead);
    expect(s, "required when the record names the layout", is_text(s, "data.0.code", "MANDATORY_NOT_FOUND") &&
                                                               is_text(s, "data.0.details.api_name", "Company"));
    char id[24];
    seed(s, "Accounts", "{\"Account_Name\":\"Clear\",\"Phone\":\"1\"}", id);
    call(s, "PUT", ACCOUNTS, text("{\"data\":[{\"id\":\"%s\",\"Phone\":null}]}", id));
    call(s, "GET", text(ACCOUNTS "/%s", id), NULL);
    expect(s, "null clears, others stay", is_null(s, "data.0.Phone") && is_text(s, "data.0.Account_Name", "Clear"));
    call(s, "PUT", ACCOUNTS, text("{\"data\":[{\"id\":\"%s\",\"Account_Name\":null}]}", id));
    expect(s, "null does not clear a mandatory field", is_text(s, "data.0.code", "MANDATORY_NOT_FOUND"));
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":1,\"Employees\":\"x\"}]}");
    expect(s, "several errors stand together", is_text(s, "data.0.code", "MULTIPLE_OR_MULTI_ERRORS") &&
                                                   length(s, "data.0.details.errors") == 2);
    zoho_sim_switch(s->sim, "multi_errors", 0);
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":1,\"Employees\":\"x\"}]}");
    expect(s, "only the first when asked", is_text(s, "data.0.details.api_name", "Account_Name"));
    zoho_sim_switch(s->sim, "multi_errors", 1);
}

static void test_unique(struct stand *s)
{
    char first[24];
    seed(s, "Accounts", "{\"Account_Name\":\"U\",\"Sage_Customer\":\"01-Abc\",\"Tax_Number\":\"DE1\"}", first);
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"U2\",\"Sage_Customer\":\"01-aBC\"}]}");
    expect(s, "unique ignores case", s->resp.status == 400 && is_text(s, "data.0.code", "DUPLICATE_DATA") &&
                                         is_text(s, "data.0.details.id", first) &&
                                         is_text(s, "data.0.details.duplicate_record.id", first) &&
                                         is_text(s, "data.0.details.duplicate_record.Owner.zuid", "733016501"));
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"U2\",\"Tax_Number\":\"de1\"}]}");
    expect(s, "another unique field", is_text(s, "data.0.details.api_name", "Tax_Number"));
    call(s, "POST", ACCOUNTS,
         "{\"data\":[{\"Account_Name\":\"U2\",\"Sage_Customer\":\"01-ABC\",\"Tax_Number\":\"DE1\"}]}");
    expect(s, "two duplicates", is_text(s, "data.0.code", "MULTIPLE_OR_MULTI_ERRORS") &&
                                    is_text(s, "data.0.details.errors.1.code", "DUPLICATE_DATA"));
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"W\",\"Sage_Customer\":\"new\"},"
                              "{\"Account_Name\":\"W\",\"Sage_Customer\":\"NEW\"}]}");
    expect(s, "duplicate within a request", s->resp.status == 207 && is_text(s, "data.1.code", "DUPLICATE_DATA") &&
                                                is_text(s, "data.1.details.json_path", "$.data[1].Sage_Customer"));
    expect(s, "equal names are allowed", zoho_sim_count(s->sim, "Accounts") > 1);
    call(s, "POST", "/crm/v8/Vendors", "{\"data\":[{\"Vendor_Name\":\"a\",\"Sage_Vendor\":\"x\"},"
                                       "{\"Vendor_Name\":\"a\",\"Sage_Vendor\":\"X\"}]}");
    expect(s, "case-sensitive unique field", s->resp.status == 201);
    call(s, "PUT", ACCOUNTS, text("{\"data\":[{\"id\":\"%s\",\"Sage_Customer\":\"01-ABC\"}]}", first));
    expect(s, "a record is no duplicate of itself", s->resp.status == 200);
    call(s, "PUT", ACCOUNTS, text("{\"data\":[{\"id\":\"%s\",\"Sage_Customer\":\"new\"}]}", first));
    expect(s, "update into a duplicate", is_text(s, "data.0.code", "DUPLICATE_DATA"));
    zoho_sim_delete(s->sim, "Accounts", first, false);
    call(s, "POST", ACCOUNTS, "{\"data\":[{\"Account_Name\":\"U3\",\"Sage_Customer\":\"01-ABC\"}]}");
    expect(s, "a deleted record frees its key", s->resp.status == 201);
}

static void test_upsert(struct stand *s)
{
    char a[24], b[24];
    seed(s, "Accounts", "{\"Account_Name\":\"Up A\",\"Sage_Customer\":\"UA\",\"Tax_Number\":\"TA\"}", a);
    seed(s, "Accounts", "{\"Account_Name\":\"Up B\",\"Sage_Customer\":\"UB\",\"Tax_Number\":\"TB\"}", b);
    call(s, "POST", ACCOUNTS "/upsert", "{\"data\":[{\"Account_Name\":\"Up C\",\"Sage_Customer\":\"UC\"},"
                                        "{\"Account_Name\":\"Up A2\",\"Sage_Customer\":\"ua\"}],"
                                        "\"duplicate_check_fields\":[\"Sage_Customer\"],\"trigger\":[]}");
    expect(s, "upsert inserts with 200", s->resp.status == 200 && is_text(s, "data.0.action", "insert") &&
                                             is_null(s, "data.0.duplicate_field") &&
                                             is_text(s, "data.0.message", "record added"));
    expect(s, "upsert updates", is_text(s, "data.1.action", "update") && is_text(s, "data.1.details.id", a) &&
                                    is_text(s, "data.1.duplicate_field", "Sage_Customer") &&
                                    is_text(s, "data.1.message", "record updated"));
    call(s, "POST", ACCOUNTS "/upsert", "{\"data\":[{\"Account_Name\":\"X\",\"Sage_Customer\":\"UX\","
                                        "\"Tax_Number\":\"TB\"}],\"duplicate_check_fields\":[\"Sage_Customer\"]}");
    expect(s, "upsert matches another unique field", is_text(s, "data.0.action", "update") &&
                                                         is_text(s, "data.0.duplicate_field", "Tax_Number") &&
                                                         is_text(s, "data.0.details.id", b));
    call(s, "POST", ACCOUNTS "/upsert", "{\"data\":[{\"Account_Name\":\"X\",\"Sage_Customer\":\"UA\","
                                        "\"Tax_Number\":\"TB\"}],\"duplicate_check_fields\":[\"Sage_Customer\"]}");
    expect(s, "two unique fields hit two records",
           s->resp.status == 400 && is_text(s, "data.0.code", "DUPLICATE_DATA") && is_text(s, "data.0.details.id", b));
    call(s, "POST", ACCOUNTS "/upsert",
         "{\"data\":[{\"Account_Name\":\"Up A2\"}],\"duplicate_check_fields\":[\"Sage_Customer\"]}");
    expect(s, "system field is left out when not named", is_text(s, "data.0.action", "insert"));
    call(s, "POST", ACCOUNTS "/upsert", "{\"data\":[{\"Account_Name\":\"up a2\",\"Phone\":\"7\"}]}");
    expect(s, "system field without the array", is_text(s, "data.0.duplicate_field", "Account_Name") &&
                                                    is_text(s, "data.0.details.id", a));
    call(s, "POST", ACCOUNTS "/upsert",
         "{\"data\":[{\"Account_Name\":\"x\"}],\"duplicate_check_fields\":[\"Phone\"]}");
    expect(s, "check field must be unique", s->resp.status == 400 && is_text(s, "code", "INVALID_DATA"));
    call(s, "POST", ACCOUNTS "/upsert", text("{\"data\":[{\"id\":\"%s\",\"Account_Name\":\"By id\"}]}", b));
    expect(s, "upsert by id", is_text(s, "data.0.action", "update") && is_text(s, "data.0.details.id", b));
}

static void test_update(struct stand *s)
{
    char id[24], why[256];
    struct zoho_sim_writes w;
    seed(s, "Accounts", "{\"Account_Name\":\"Upd\",\"Phone\":\"1\"}", id);
    s->now_ms += 5000;
    call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"2\"}]}");
    expect(s, "update by id in the path", s->resp.status == 200 && is_text(s, "data.0.message", "record updated") &&
                                              !at(s->body, "data.0.action"));
    expect(s, "times are with offset and without fraction",
           is_text(s, "data.0.details.Created_Time", "2026-11-18T12:06:40+01:00") &&
               is_text(s, "data.0.details.Modified_Time", "2026-11-18T12:06:45+01:00"));
    call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"2\"}]}");
    check("writes per record", zoho_sim_writes(s->sim, "Accounts", id, &w) && w.updates == 1 && w.noops == 1, "");
    call(s, "PUT", ACCOUNTS, "{\"data\":[{\"Phone\":\"2\"},{\"id\":\"123\",\"Phone\":\"2\"},{\"id\":5}]}");
    expect(s, "update without, with unknown and with numeric id",
           s->resp.status == 400 && is_text(s, "data.0.code", "MANDATORY_NOT_FOUND") &&
               is_text(s, "data.1.code", "INVALID_DATA") &&
               is_text(s, "data.2.details.expected_data_type", "bigint"));
    send_header(s, "If-Unmodified-Since", "2026-11-18T12:06:40+01:00");
    call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"3\"}]}");
    expect(s, "If-Unmodified-Since lost", s->resp.status == 412 && is_text(s, "data.0.code", "ALREADY_MODIFIED"));
    send_header(s, "If-Unmodified-Since", "2026-11-18T12:06:45+01:00");
    expect(s, "If-Unmodified-Since kept",
           call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"3\"}]}") == 200);
    check("edit by a person",
          zoho_sim_edit(s->sim, "Accounts", id, "{\"Phone\":\"9\",\"$locked\":true}", why, sizeof why), why);
    call(s, "GET", text(ACCOUNTS "/%s", id), NULL);
    expect(s, "edit is seen", is_text(s, "data.0.Phone", "9") && is_text(s, "data.0.Modified_By.name", "Ben Berger"));
    call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"4\"}]}");
    expect(s, "locked record", is_text(s, "data.0.code", "RECORD_LOCKED") &&
                                   is_text(s, "data.0.details.action", "record_locking"));
    zoho_sim_switch(s->sim, "noop_keeps_modified", 1);
    zoho_sim_edit(s->sim, "Accounts", id, "{\"$locked\":false}", why, sizeof why);
    s->now_ms += 60000;
    call(s, "PUT", text(ACCOUNTS "/%s", id), "{\"data\":[{\"Phone\":\"9\"}]}");
    expect(s, "no-op may keep Modified_Time",
           is_text(s, "data.0.details.Modified_Time", "2026-11-18T12:06:45+01:00"));
    zoho_sim_switch(s->sim, "noop_keeps_modified", 0);
}

static void test_bodies(struct stand *s)
{
    struct {
        const char *name, *body, *code;
    } cases[] = {{"body is no JSON", "{\"data\":[", "INVALID_DATA"},
                 {"body is no object", "[]", "INVALID_DATA"},
                 {"no body", NULL, "INVALID_DATA"},
                 {"no data", "{}", "MANDATORY_NOT_FOUND"},
                 {"empty data", "{\"data\":[]}", "MANDATORY_NOT_FOUND"},
                 {"data is no array", "{\"data\":{}}", "INVALID_DATA"},
                 {"unknown trigger", "{\"data\":[{}],\"trigger\":[\"x\"]}", "INVALID_DATA"},
                 {"NUL in a text", "{\"data\":[{\"Account_Name\":\"a\\u0000b\"}]}", "INVALID_DATA"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        call(s, "POST", ACCOUNTS, cases[i].body);
        expect(s, cases[i].name, s->resp.status == 400 && is_text(s, "code", cases[i].code));
    }
    char *big = malloc(6 << 20), *p = big;
    p += snprintf(p, 64, "{\"data\":[");
    for (int i = 0; i < 100; i++)
        p += snprintf(p, 64, "%s{\"Account_Name\":\"N%d\"}", i ? "," : "", i);
    snprintf(p, 64, "]}");
    expect(s, "100 records", call(s, "POST", ACCOUNTS, big) == 201 && length(s, "data") == 100);
    snprintf(p, 64, ",{\"Account_Name\":\"N\"}]}");
    call(s, "POST", ACCOUNTS, big);
    expect(s, "101 records", s->resp.status == 400 && is_text(s, "code", "LIMIT_EXCEEDED") &&
                                 is_number(s, "details.limit", 100));
    memset(big, ' ', (6 << 20) - 1);
    big[(6 << 20) - 1] = '\0';
    expect(s, "body too large", call(s, "POST", ACCOUNTS, big) == 413);
    free(big);
    call(s, "POST", "/crm/v8/Nowhere", "{\"data\":[{}]}");
    expect(s, "unknown module", s->resp.status == 400 && is_text(s, "code", "INVALID_MODULE") &&
                                    is_number(s, "details.resource_path_index", 0));
    call(s, "POST", "/crm/v8/Ordered_Items", "{\"data\":[{}]}");
    expect(s, "line items are no module of their own", is_text(s, "code", "INVALID_MODULE"));
    call(s, "POST", ACCOUNTS, "{\"data\":[5,{\"Account_Name\":\"q\"}]}");
    expect(s, "record is no object", is_text(s, "data.0.details.expected_data_type", "jsonobject"));
}

static void test_lines(struct stand *s)
{
    char product[24], row[24], order[24];
    seed(s, "Products", "{\"Product_Name\":\"Bolt\"}", product);
    call(s, "POST", "/crm/v8/Sales_Orders",
            "{\"data\":[{\"Subject\":\"S\"},{\"Subject\":\"S\",\"Ordered_Items\":[]}]}");
    expect(s, "line items are mandatory", is_text(s, "data.0.details.api_name", "Ordered_Items") &&
                                              is_text(s, "data.1.code", "MANDATORY_NOT_FOUND"));
    call(s, "POST", "/crm/v8/Sales_Orders",
         text("{\"data\":[{\"Subject\":\"S\",\"Discount\":1,\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},"
              "\"Quantity\":2,\"List_Price\":10.5,\"Discount\":\"10%%\"},{\"Product_Name\":{\"id\":\"%s\"},"
              "\"Quantity\":1.5,\"List_Price\":4,\"Discount\":0}]}]}",
              product, product));
    expect(s, "order with two lines", s->resp.status == 201);
    snprintf(order, sizeof order, "%s", json_string_value(at(s->body, "data.0.details.id")));
    char *get = text("/crm/v8/Sales_Orders/%s", order), *put = get;
    call(s, "GET", get, NULL);
    expect(s, "lines are shown by id", length(s, "data.0.Ordered_Items") == 2 &&
                                           is_text(s, "data.0.Ordered_Items.0.Product_Name.name", "Bolt"));
    expect(s, "totals are computed", is_number(s, "data.0.Ordered_Items.0.Net_Total", 18.9) &&
                                         is_number(s, "data.0.Sub_Total", 24.9) &&
                                         is_number(s, "data.0.Grand_Total", 23.9) &&
                                         is_text(s, "data.0.SO_Number", "1000"));
    snprintf(row, sizeof row, "%s", json_string_value(at(s->body, "data.0.Ordered_Items.0.id")));
    call(s, "GET", "/crm/v8/Sales_Orders?fields=Subject,Ordered_Items", NULL);
    expect(s, "lists show no lines", is_text(s, "data.0.Subject", "S") && !at(s->body, "data.0.Ordered_Items"));
    call(s, "PUT", put, text("{\"data\":[{\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":9}]}]}",
            product));
    get = text("/crm/v8/Sales_Orders/%s", order);
    call(s, "GET", get, NULL);
    expect(s, "a row without id is appended", length(s, "data.0.Ordered_Items") == 3);
    call(s, "PUT", get, text("{\"data\":[{\"Ordered_Items\":[{\"id\":\"%s\",\"Quantity\":7}]}]}", row));
    get = text("/crm/v8/Sales_Orders/%s", order);
    call(s, "GET", get, NULL);
    expect(s, "a row with id is changed",
           length(s, "data.0.Ordered_Items") == 3 && is_number(s, "data.0.Ordered_Items.0.Quantity", 7));
    call(s, "PUT", get, text("{\"data\":[{\"Ordered_Items\":[{\"id\":\"%s\",\"_delete\":null}]}]}", row));
    get = text("/crm/v8/Sales_Orders/%s", order);
    call(s, "GET", get, NULL);
    expect(s, "a row is deleted", length(s, "data.0.Ordered_Items") == 2);
    call(s, "PUT", get, text("{\"data\":[{\"Ordered_Items\":[{\"id\":\"%s\",\"Quantity\":1}]}]}", row));
    expect(s, "unknown row", is_text(s, "data.0.details.json_path", "$.data[0].Ordered_Items[0].id"));
    call(s, "PUT", text("/crm/v8/Sales_Orders/%s", order), "{\"data\":[{\"Ordered_Items\":[{\"Quantity\":1},{}]}]}");
    expect(s, "rows are checked", is_text(s, "data.0.code", "MULTIPLE_OR_MULTI_ERRORS") &&
                                      is_text(s, "data.0.details.errors.0.details.json_path",
                                              "$.data[0].Ordered_Items[0].Product_Name"));
    call(s, "PUT", text("/crm/v8/Sales_Orders/%s", order), "{\"data\":[{\"Ordered_Items\":[]}]}");
    call(s, "GET", text("/crm/v8/Sales_Orders/%s", order), NULL);
    expect(s, "[] deletes all rows", length(s, "data.0.Ordered_Items") == 0);
    zoho_sim_switch(s->sim, "max_rows", 1);
    call(s, "PUT", text("/crm/v8/Sales_Orders/%s", order),
         text("{\"data\":[{\"Ordered_Items\":[{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":1},"
              "{\"Product_Name\":{\"id\":\"%s\"},\"Quantity\":1}]}]}",
              product, product));
    expect(s, "too many rows", is_text(s, "data.0.code", "LIMIT_EXCEEDED"));
    zoho_sim_switch(s->sim, "max_rows", 200);
}

static void test_delete(struct stand *s)
{
    char a[24], b[24];
    seed(s, "Deals", "{\"Deal_Name\":\"D1\",\"Stage\":\"Closed Won\"}", a);
    seed(s, "Deals", "{\"Deal_Name\":\"D2\",\"Stage\":\"Closed Won\"}", b);
    call(s, "DELETE", text("/crm/v8/Deals?ids=%s,77&wf_trigger=false", a), NULL);
    expect(s, "delete many", s->resp.status == 207 && is_text(s, "data.0.message", "record deleted") &&
                                 is_text(s, "data.0.details.id", a) && is_text(s, "data.1.code", "INVALID_DATA"));
    expect(s, "deleted is gone", call(s, "GET", text("/crm/v8/Deals/%s", a), NULL) == 204);
    expect(s, "delete by id", call(s, "DELETE", text("/crm/v8/Deals/%s", b), NULL) == 200);
    expect(s, "delete again", call(s, "DELETE", text("/crm/v8/Deals/%s", b), NULL) == 400 && is_text(s, "code",
            "INVALID_DATA"));
    call(s, "GET", "/crm/v8/Deals/deleted?type=all", NULL);
    expect(s, "deleted list", s->resp.status == 200 && length(s, "data") == 2 && is_text(s, "data.0.id", b) &&
                                  is_text(s, "data.0.display_name", "D2") && is_text(s, "data.0.type", "recycle"));
    send_header(s, "If-Modified-Since", "2030-01-01T00:00:00+00:00");
    expect(s, "deleted since", call(s, "GET", "/crm/v8/Deals/deleted?type=all", NULL) == 304);
    s->now_ms += 61 * 86400000LL;
    free(s->token);
    s->token = zoho_sim_issue_token(s->sim);
    expect(s, "bin is empty after 60 days", call(s, "GET", "/crm/v8/Deals/deleted?type=recycle", NULL) == 204);
    call(s, "GET", "/crm/v8/Deals/deleted?type=permanent", NULL);
    expect(s, "permanent after 60 days", length(s, "data") == 2);
    expect(s, "delete without ids", call(s, "DELETE", "/crm/v8/Deals", NULL) == 400 && is_text(s, "code",
            "REQUIRED_PARAM_MISSING"));
}

int main(void)
{
    static void (*const TESTS[])(struct stand *) = {test_texts,  test_numbers, test_other_types, test_lookups,
                                                    test_mandatory, test_unique, test_upsert,    test_update,
                                                    test_bodies, test_lines,   test_delete};
    for (size_t i = 0; i < sizeof TESTS / sizeof *TESTS; i++) {
        struct stand s;
        stand_open(&s, NULL, NULL);
        TESTS[i](&s);
        stand_close(&s);
    }
    return stand_failed;
}
