/* soap_reply_test.c - replies and faults of eBusiness Web Services, member by member: what XML Schema writes for a stamp, a number, a yes and a user-defined field, and
 * what is made of it; which answers are a fault, which are none at all, and what a fault's code and text decide. */
#include "rig.h"

static struct rig r;

enum { DIVISION, NUMBER, NAME, HOLD, DIGITS, LIMIT, SINCE, CREATED, TIME, UDF, ODD, COLUMNS };
static struct source_query query(void)
{
    static struct source_column c[COLUMNS];
    c[DIVISION] = (struct source_column){STR("ARDivisionNo"), type_text(2, 2), false};
    c[NUMBER] = (struct source_column){STR("CustomerNo"), type_text(1, 20), false};
    c[NAME] = (struct source_column){STR("CustomerName"), rig_text(50), false};
    c[HOLD] = (struct source_column){STR("CreditHold"), rig_yes_no(), false};
    c[DIGITS] = (struct source_column){STR("TemporaryCustomer"), {.base = T_BOOL, .optional = true, .yes = STR("0"), .no = STR("1")}, false};
    c[LIMIT] = (struct source_column){STR("CreditLimit"), rig_number(13, 2), false};
    c[SINCE] = (struct source_column){STR("DateEstablished"), rig_date(), false};
    c[CREATED] = (struct source_column){STR("DateCreated"), rig_date(), false};
    c[TIME] = (struct source_column){STR("TimeUpdated"), rig_number(8, 5), false};
    c[UDF] = (struct source_column){STR("UDF_REGION"), rig_text(30), false};
    c[ODD] = (struct source_column){STR("NoSuchColumn"), rig_text(30), false};
    return (struct source_query){.entity = STR("AR_Customer"), .company = STR("ABC"), .key_columns = rig_customer_key, .nkeys = 2, .columns = c, .ncolumns = COLUMNS};
}

static struct canned canned;
static enum err fetch(int status, const char *body, struct source_page *p)
{
    struct source_query q = query();
    struct source_key k = rig_key2("01", "ABF");
    canned = (struct canned){.status = status, .body = body, .type = "text/xml"};
    rig_world(&r);
    rig_use_soap_only(&r);
    rig_set(&r, "soap_wsdl", "none");
    rig_set(&r, "soap_null_date", "1899-12-30T00:00:00");
    rig_canned(&r, &canned);
    rig_open(&r);
    return sage_source_ops.fetch(r.s, &q, &k, 1, &r.a, p, &r.f);
}

#define BODY(inside) "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Body>" inside "</s:Body></s:Envelope>"
#define ROW(members) BODY("<GetCustomerResponse xmlns=\"http://mas90.sage.com/ws\"><GetCustomerResult>" members "</GetCustomerResult></GetCustomerResponse>")

#define KEY "<ARDivisionNo>01</ARDivisionNo><CustomerNo>ABF</CustomerNo>"
static const struct { const char *members; int column; const char *want; } rows[] = {      /* want NULL: absent; "!": a violation of this column */
    {"<CustomerName>Ann  \r\n\t</CustomerName>", NAME, "Ann"}, {"<CustomerName>  Ann</CustomerName>", NAME, "  Ann"}, {"<CustomerName> \n </CustomerName>", NAME, NULL}, {"<CustomerName i:nil=\"true\">x</CustomerName>", NAME, NULL},
    {"<CustomerName><b>x</b></CustomerName>", NAME, NULL}, {"<customername>Ann</customername><CustomerName>Bob</CustomerName>", NAME, "Ann"}, {"<Other>x</Other>", NAME, NULL},
    {"<CreditHold>true</CreditHold>", HOLD, "true"}, {"<CreditHold>1</CreditHold>", HOLD, "true"}, {"<CreditHold>false</CreditHold>", HOLD, "false"}, {"<CreditHold>0</CreditHold>", HOLD, "false"}, {"<CreditHold>Y</CreditHold>", HOLD, "true"},
    {"<CreditHold>maybe</CreditHold>", HOLD, "!"}, {"<TemporaryCustomer>0</TemporaryCustomer>", DIGITS, "true"}, {"<TemporaryCustomer>1</TemporaryCustomer>", DIGITS, "false"}, {"<TemporaryCustomer>true</TemporaryCustomer>", DIGITS, "true"},
    {"<TemporaryCustomer>false</TemporaryCustomer>", DIGITS, "false"},
    {"<CreditLimit>12.5000</CreditLimit>", LIMIT, "12.50"}, {"<CreditLimit>+7</CreditLimit>", LIMIT, "7.00"}, {"<CreditLimit>7.</CreditLimit>", LIMIT, "7.00"}, {"<CreditLimit>100</CreditLimit>", LIMIT, "100.00"}, {"<CreditLimit>.</CreditLimit>", LIMIT, NULL},
    {"<CreditLimit>+</CreditLimit>", LIMIT, NULL}, {"<CreditLimit>x</CreditLimit>", LIMIT, "!"}, {"<CreditLimit>0.000</CreditLimit>", LIMIT, "0.00"}, {"<CreditLimit/>", LIMIT, NULL},
    {"<DateEstablished>2024-03-12T00:00:00</DateEstablished>", SINCE, "2024-03-12"}, {"<DateEstablished>2024-03-12</DateEstablished>", SINCE, "2024-03-12"}, {"<DateEstablished>0001-01-01T00:00:00</DateEstablished>", SINCE, NULL},
    {"<DateEstablished>1753-01-01T00:00:00</DateEstablished>", SINCE, NULL}, {"<DateEstablished>1899-12-30T00:00:00</DateEstablished>", SINCE, NULL}, {"<DateEstablished>1899-12-30T00:00:01</DateEstablished>", SINCE, "1899-12-30"},
    {"<DateEstablished>2024-13-12T00:00:00</DateEstablished>", SINCE, "!"}, {"<DateEstablished>2024/03/12T00:00:00</DateEstablished>", SINCE, "!"}, {"<DateEstablished>2024-03/12T00:00:00</DateEstablished>", SINCE, "!"},
    {"<DateEstablished>2024-03-12 00:00:00</DateEstablished>", SINCE, "!"}, {"<DateEstablished>2024-03-12T00-00:00</DateEstablished>", SINCE, "!"}, {"<DateEstablished>2024-03-12T00:00-00</DateEstablished>", SINCE, "!"},
    {"<DateTimeCreated>2024-03-12T15:30:00</DateTimeCreated>", CREATED, "2024-03-12"}, {"<DateTimeCreated>1753-01-01T15:30:00</DateTimeCreated>", CREATED, NULL}, {"<DateTimeCreated>soon</DateTimeCreated>", CREATED, NULL},
    {"<DateTimeUpdated>2024-03-12T15:30:00</DateTimeUpdated>", TIME, "15.50000"}, {"<DateTimeUpdated>2024-03-12T00:00:00</DateTimeUpdated>", TIME, "0.00000"}, {"<DateTimeUpdated>2024-03-12T15:30:00.0180</DateTimeUpdated>", TIME, "15.50001"},
    {"<DateTimeUpdated>2024-03-12T15:30:00.01799999</DateTimeUpdated>", TIME, "15.50000"}, {"<DateTimeUpdated>2024-03-12T15:30:00.</DateTimeUpdated>", TIME, "15.50000"}, {"<DateTimeUpdated>2024-03-12T15:30:00Z</DateTimeUpdated>", TIME, "15.50000"},
    {"<DateTimeUpdated>2024-03-12T15:30:00.5-07:00</DateTimeUpdated>", TIME, "15.50014"}, {"<DateTimeUpdated>2024-03-12T1a:30:00</DateTimeUpdated>", TIME, NULL}, {"<DateTimeUpdated>2024-03-12T15:3/:00</DateTimeUpdated>", TIME, NULL},
    {"<DateTimeUpdated>2024-03-12T10:00:00.:</DateTimeUpdated>", TIME, "10.00000"}, {"<DateTimeUpdated>0001-01-01T15:30:00</DateTimeUpdated>", TIME, NULL},
    {"<OtherFields><F><MasFieldName>UDF_REGION$</MasFieldName><Value>West</Value></F></OtherFields>", UDF, "West"}, {"<OtherFields><F><MasFieldName>udf_region</MasFieldName><Value>West</Value></F></OtherFields>", UDF, "West"},
    {"<OtherFields><F><MasFieldName>UDF_OTHER</MasFieldName><Value>West</Value></F><F><Value>East</Value></F></OtherFields>", UDF, NULL}, {"<OtherFields><F><MasFieldName>UDF_REGION</MasFieldName></F></OtherFields>", UDF, NULL},
    {"<OtherFields><F><MasFieldName>$</MasFieldName><Value>x</Value></F></OtherFields>", UDF, NULL}, {"<OtherFields/>", UDF, NULL}, {"<CustomerName>x</CustomerName>", ODD, "!"}, {"<NoSuchColumn>x</NoSuchColumn>", ODD, "x"}};

static void members(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct source_page p = {0};
        static char name_of[100];
        snprintf(name_of, sizeof name_of, "member %zu: %.*s", i + 1, (int)strcspn(rows[i].members, "\r\n"), rows[i].members);
        rig_begin(name_of);
        char *body = malloc(4000);
        if (!body) abort();
        snprintf(body, 4000, ROW(KEY "<NoSuchColumn>x</NoSuchColumn>%s"), rows[i].members);
        if (rows[i].column == ODD) snprintf(body, 4000, ROW(KEY "%s"), rows[i].members);
        enum err e = fetch(200, body, &p);
        CHECK(e == ERR_OK && p.nrows == 1, "%s", r.f.text);
        const char *name = "?";
        if (e == ERR_OK && p.nrows == 1) {
            struct source_query q = query();
            name = arena_printf(&r.a, "%.*s", (int)q.columns[rows[i].column].name.n, q.columns[rows[i].column].name.p);
            bool violated = p.rows[0].violation && strncmp(p.rows[0].violation, name, strlen(name)) == 0, wanted = rows[i].want && strcmp(rows[i].want, "!") == 0;
            CHECK(violated == wanted, "%s", p.rows[0].violation ? p.rows[0].violation : "no violation");
            CHECK(rig_value_is(&p.rows[0].cols[rows[i].column], wanted ? NULL : rows[i].want), "another value in %s", name);
        }
        rig_close(&r);
        free(body);
        rig_end();
    }
}

#define FAULT(code, text) BODY("<s:Fault><faultcode>" code "</faultcode><faultstring>" text "</faultstring></s:Fault>")
static const struct { const char *what; int status; const char *body; enum err want; int rows, locked, missing; const char *words; } answers[] = {
    {"another record", 200, ROW("<CustomerNo>XYZ</CustomerNo>"), ERR_PROTOCOL, 0, 0, 0, "another record came"}, {"a key that is nil is not another", 200, ROW("<CustomerNo i:nil=\"true\"/><CustomerName>x</CustomerName>"), ERR_OK, 1, 0, 0, ""},
    {"a result that is nil", 200, BODY("<GetCustomerResponse xmlns=\"u\"><GetCustomerResult i:nil=\"true\"><a/></GetCustomerResult></GetCustomerResponse>"), ERR_OK, 1, 0, 0, "neither with the record"},
    {"no result", 200, BODY("<GetCustomerResponse xmlns=\"u\"/>"), ERR_OK, 1, 0, 0, "neither with the record"}, {"a result without members", 200, ROW(""), ERR_OK, 1, 0, 0, "neither with the record"},
    {"another answer", 200, BODY("<GetSalesOrderResponse xmlns=\"u\"/>"), ERR_PROTOCOL, 0, 0, 0, "the body holds GetSalesOrderResponse"},
    {"another answer with a long name", 200, BODY("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/>"), ERR_PROTOCOL, 0, 0, 0, "aaaa, not GetCustomerResponse"}, {"an empty body", 200, BODY(""), ERR_PROTOCOL, 0, 0, 0, "no SOAP envelope"},
    {"no envelope", 200, "<GetCustomerResponse/>", ERR_PROTOCOL, 0, 0, 0, "no SOAP envelope"}, {"no XML", 200, "x", ERR_PROTOCOL, 0, 0, 0, "no SOAP answer"}, {"nothing", 200, "", ERR_PROTOCOL, 0, 0, 0, "no SOAP answer"},
    {"a refusal of the web server", 401, "x", ERR_AUTH, 0, 0, 0, "anonymous access"}, {"403", 403, "x", ERR_AUTH, 0, 0, 0, "anonymous access"}, {"404", 404, "x", ERR_CONFIG, 0, 0, 0, "nothing answers SOAP"}, {"405", 405, "x", ERR_CONFIG, 0, 0, 0, "nothing answers SOAP"},
    {"a redirect", 302, "x", ERR_PROTOCOL, 0, 0, 0, "redirected (302)"}, {"500 without a fault", 500, "x", ERR_PROTOCOL, 0, 0, 0, "status 500 and no SOAP answer"}, {"503", 503, "x", ERR_BUSY, 0, 0, 0, "application pool"}, {"429", 429, "x", ERR_BUSY, 0, 0, 0, "429"},
    {"a fault of no words", 500, BODY("<s:Fault/>"), ERR_PROTOCOL, 0, 0, 0, "no code"}, {"a code of tomorrow", 500, FAULT("a:OF_TOMORROW", "x"), ERR_PROTOCOL, 0, 0, 0, "OF_TOMORROW"},
    {"a code of a hundred letters", 500, FAULT("cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", "x"), ERR_PROTOCOL, 0, 0, 0, "cccc"},
    {"no such record", 500, FAULT("a:CI_NoKey", "x"), ERR_OK, 0, 0, 1, ""}, {"a block is no lock", 500, FAULT("a:x", "a block"), ERR_PROTOCOL, 0, 0, 0, "a block"}, {"a lock behind a block", 500, FAULT("a:x", "a block, a lock"), ERR_OK, 0, 1, 0, ""},
    {"a lock is one by its code", 500, FAULT("a:Row_LOCKED_1", "x"), ERR_OK, 0, 1, 0, ""}, {"a key that Sage refuses", 500, FAULT("CI_Other", "x"), ERR_OK, 1, 0, 0, "Sage refuses the key"}, {"a code that only ends so", 500, FAULT("xci", "x"), ERR_PROTOCOL, 0, 0, 0, "xci"},
    {"an action that is not known", 500, FAULT("a:ActionNotSupported", "x"), ERR_PROTOCOL, 0, 0, 0, "SOAPAction"}, {"a failure inside", 500, FAULT("a:InternalServiceFault", "x"), ERR_BUSY, 0, 1, 0, "failed inside"},
    {"a fault of SOAP 1.2", 500, BODY("<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>x</s:Text></s:Reason></s:Fault>"), ERR_PROTOCOL, 0, 0, 0, "x"}};

static void replies(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct source_page p = {0};
        rig_begin(answers[i].what);
        enum err e = fetch(answers[i].status, answers[i].body, &p);
        CHECK(e == answers[i].want, "%s %s", err_name(e), r.f.text);
        if (e == ERR_OK) CHECK((int)p.nrows == answers[i].rows && (int)p.nlocked == answers[i].locked && (int)p.nmissing == answers[i].missing, "%zu %zu %zu", p.nrows, p.nlocked, p.nmissing);
        const char *text = e == ERR_OK ? p.nrows && p.rows[0].violation ? p.rows[0].violation : "" : r.f.text;
        CHECK(strstr(text, answers[i].words), "%s", text);
        rig_close(&r);
        rig_end();
    }
}

/* More members than are found by their names' hashes. */
static void many_members(void)
{
    struct source_page p = {0};
    struct buf b = {0};
    rig_begin("300 members, the one that is read among the last");
    buf_puts(&b, "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><GetCustomerResponse xmlns=\"u\"><GetCustomerResult>");
    for (int i = 0; i < 300; i++) buf_printf(&b, "<M%d>x</M%d>", i, i);
    buf_puts(&b, "<CustomerName>Ann</CustomerName></GetCustomerResult></GetCustomerResponse></s:Body></s:Envelope>");
    enum err e = fetch(200, buf_cstr(&b), &p);
    CHECK(e == ERR_OK && p.nrows == 1 && rig_value_is(&p.rows[0].cols[NAME], "Ann"), "%s", r.f.text);
    rig_close(&r);
    buf_free(&b);
    rig_end();
}

int main(void)
{
    members();
    replies();
    many_members();
    return rig_exit();
}
