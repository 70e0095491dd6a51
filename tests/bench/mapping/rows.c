/* rows.c - makes customers, the input of the mapping benchmark: `rows COUNT SEED [xml] >rows.jsonl`.
 *
 * One row is what a Sage agent sends for AR_Customer, about 1.6 KB: every value a string, a blank is "". With `xml` the same customers as eBusiness Web Services
 * answer, an envelope a line: blanks are nil, dates have a time, and DateCreated and TimeCreated come as one. Everything comes from the seed, the same bytes
 * on every machine. Among a hundred rows: 3 with letters beyond ASCII, 2 with an escape, 4 without a name, 5 phone numbers that are none, 6 blanks around
 * or inside a name. Words are all capitals or all small and none that title casing treats in a way of its own, so that every peer can do it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint64_t next(void)         /* splitmix64 */
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static unsigned below(unsigned n) { return (unsigned)(next() % n); }
static int one_in(unsigned n) { return below(n) == 0; }

#define PICK(list) ((list)[below(sizeof(list) / sizeof *(list))])

static const char *const first[] = {"AMERICAN", "NORTHERN", "PACIFIC", "MIDWEST", "GRANITE", "SUMMIT", "harbor", "CEDAR", "LIBERTY", "PIONEER", "prairie", "ATLAS"};
static const char *const second[] = {"BUSINESS", "INDUSTRIAL", "PAPER", "OFFICE", "PLUMBING", "electric", "PACKAGING", "MEDICAL", "FURNITURE", "BEARING"};
static const char *const third[] = {"FUTURES", "SUPPLY", "PRODUCTS", "COMPANY", "PARTNERS", "WORKS", "TRADING", "distributors"};
static const char *const beyond[] = {"M\u00dcNCHEN", "CAF\u00c9", "\u00c5LAND", "ni\u00f1o", "\u0141\u00d3D\u0179"};
static const char *const cities[] = {"MILWAUKEE", "CHICAGO", "ST PAUL", "DES MOINES", "MADISON", "GREEN BAY", "DULUTH", "ROCKFORD"};
static const char *const states[] = {"WI", "IL", "MN", "IA", "mi", "IN"};
static const char *const streets[] = {"Main Street", "Industrial Parkway", "Oak Avenue", "County Road 12", "Commerce Drive", "Lake Boulevard"};
static const char *const countries[] = {"USA", "USA", "USA", "USA", "USA", "USA", "CAN", "XXX", ""};
static const char *const types[] = {"D1", "R2", "W3", "", "X9"};

static int xml, members;

/* One member; a quote in the value is escaped as the format wants it. */
static void text(const char *name, const char *value)
{
    if (xml && !*value) {
        printf("<%s xsi:nil=\"true\"/>", name);
        return;
    }
    printf(xml ? "<%s>" : "%s\"%s\":\"", xml ? name : members++ ? "," : "", name);
    for (; *value; value++)
        if (*value == '"') fputs(xml ? "&quot;" : "\\\"", stdout);
        else putchar(*value);
    if (xml) printf("</%s>", name);
    else putchar('"');
}

__attribute__((format(printf, 2, 3))) static void print(const char *name, const char *format, ...)
{
    char value[200];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    text(name, value);
}

static void flag(const char *name, unsigned yes_percent) { text(name, below(100) < yes_percent ? "Y" : "N"); }
static void money(const char *name, unsigned blank_percent, unsigned limit)
{
    unsigned whole = below(limit), cents = below(100);
    if (below(100) < blank_percent) text(name, "0");
    else print(name, "%u.%02u", whole, cents);
}
static void day(const char *name, unsigned blank_percent)
{
    unsigned year = 2005 + below(21), month = 1 + below(12), day = 1 + below(28);
    if (below(100) < blank_percent) text(name, "");
    else print(name, "%u-%02u-%02u%s", year, month, day, xml ? "T00:00:00" : "");
}
/* As two members, or as one. */
static void stamp(const char *date, const char *time, const char *both)
{
    unsigned year = 2005 + below(21), month = 1 + below(12), day = 1 + below(28), hour = below(24), part = below(100);
    if (xml) print(both, "%u-%02u-%02uT%02u:%02u:%02u", year, month, day, hour, part * 36 / 60, part * 36 % 60);
    else {
        print(date, "%u-%02u-%02u", year, month, day);
        print(time, "%u.%02u", hour, part);
    }
}

static void party(uint64_t n)
{
    print("ARDivisionNo", "%02u", below(4));
    print("CustomerNo", "C%07" PRIu64, n);
    if (one_in(25)) text("CustomerName", "");
    else if (one_in(33)) print("CustomerName", "%s %s", PICK(beyond), PICK(second));
    else if (one_in(50)) print("CustomerName", "%s \"%s\" %s", PICK(first), PICK(second), PICK(third));
    else if (one_in(16)) print("CustomerName", " %s  %s ", PICK(first), PICK(third));
    else print("CustomerName", "%s %s %s", PICK(first), PICK(second), PICK(third));
    print("AddressLine1", "%u %s", 1 + below(9999), PICK(streets));
    if (one_in(3)) print("AddressLine2", "Suite %u", 1 + below(900));
    else text("AddressLine2", "");
    text("AddressLine3", one_in(20) ? "Receiving dock" : "");
    text("City", PICK(cities));
    text("State", PICK(states));
    print("ZipCode", "%05u", 10000 + below(80000));
    text("CountryCode", PICK(countries));
    if (one_in(20)) text("TelephoneNo", "none yet");
    else if (one_in(10)) text("TelephoneNo", "");
    else print("TelephoneNo", "(%u%02u) %u%02u-%04u", 2 + below(7), 13 + below(50), 2 + below(8), 13 + below(80), below(10000));
    text("TelephoneExt", one_in(5) ? "114" : "");
    if (one_in(2)) print("FaxNo", "%u%02u-%u%02u-%04u", 2 + below(7), 13 + below(50), 2 + below(8), 13 + below(80), below(10000));
    else text("FaxNo", "");
    if (one_in(4)) text("EmailAddress", "");
    else print("EmailAddress", "Sales%" PRIu64 "@%s.example", n, one_in(2) ? "ABF" : "northwind");
    if (one_in(3)) text("URLAddress", "");
    else print("URLAddress", "www.customer%" PRIu64 ".example", n);
}

static void terms(void)
{
    flag("EBMEnabled", 5);
    text("EBMConsumerUserID", "");
    flag("BatchFax", 2);
    text("DefaultCreditCardPmtType", "");
    text("ContactCode", one_in(2) ? "JIM KENTLE" : "");
    text("ShipMethod", one_in(2) ? "UPS GROUND" : "");
    text("TaxSchedule", one_in(9) ? "" : "WI MIL");
    text("TaxExemptNo", "");
    print("TermsCode", "%02u", below(5));
    print("SalespersonDivisionNo", "%02u", below(4));
    print("SalespersonNo", "%04u", 100 + below(30));
    text("Comment", one_in(8) ? "Call before delivery to dock 4" : "");
    text("SortField", one_in(2) ? "north" : "");
    text("TemporaryCustomer", "");
    flag("OpenItemCustomer", 95);
    flag("ResidentialAddress", 5);
    text("StatementCycle", "M");
    flag("PrintDunningMessage", 90);
    text("CustomerType", PICK(types));
    text("PriceLevel", one_in(2) ? "1" : "");
    day("DateLastActivity", 10);
    day("DateLastPayment", 15);
    day("DateLastStatement", 20);
    day("DateLastFinanceChrg", 60);
    day("DateLastAging", 50);
    text("DefaultItemCode", "");
    flag("CreditHold", 8);
    text("PrimaryShipToCode", "");
    day("DateEstablished", 5);
    text("DefaultPaymentType", "CHECK");
    flag("EmailStatements", 40);
}

static void balances(void)
{
    print("NumberOfInvToUseInCalc", "%u", below(20));
    print("AvgDaysPaymentInvoice", "%u", below(90));
    print("AvgDaysOverDue", "%u", below(60));
    print("CustomerDiscountRate", "%u.%03u", below(30), below(1000));
    text("ServiceChargeRate", "0");
    money("CreditLimit", 30, 50000);
    money("LastPaymentAmt", 20, 9000);
    money("HighestStmntBalance", 20, 90000);
    text("UnpaidServiceChrg", "0");
    text("BalanceForward", "0");
    money("CurrentBalance", 40, 20000);
    money("AgingCategory1", 60, 9000);
    money("AgingCategory2", 80, 6000);
    money("AgingCategory3", 85, 3000);
    money("AgingCategory4", 90, 3000);
    money("OpenOrderAmt", 50, 9000);
    stamp("DateCreated", "TimeCreated", "DateTimeCreated");
    print("UserCreatedKey", "%010u", below(40));
    stamp("DateUpdated", "TimeUpdated", "DateTimeUpdated");
    print("UserUpdatedKey", "%010u", below(40));
    text("CustomerStatus", one_in(20) ? "T" : one_in(20) ? "I" : "A");
}

static const char open_xml[] = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
                               "<GetARCustomerResponse xmlns=\"urn:bench\"><GetARCustomerResult>";
static const char close_xml[] = "</GetARCustomerResult></GetARCustomerResponse></s:Body></s:Envelope>\n";

int main(int argc, char **argv)
{
    if (argc != 3 && (argc != 4 || strcmp(argv[3], "xml") != 0)) {
        fputs("usage: rows COUNT SEED [xml]\n", stderr);
        return 2;
    }
    xml = argc == 4;
    uint64_t n = strtoull(argv[1], NULL, 10);
    state = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < n; i++) {
        members = 0;
        fputs(xml ? open_xml : "{", stdout);
        party(i);
        terms();
        balances();
        fputs(xml ? close_xml : "}\n", stdout);
    }
    return fflush(stdout) != 0;
}
