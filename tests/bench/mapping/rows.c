/* rows.c - makes customers as JSON lines, the input of the mapping benchmark: `rows COUNT SEED >rows.jsonl`.
 *
 * One row is what a Sage agent sends for AR_Customer, about 1.5 KB: every value a string, a blank is "". Everything comes from the seed, the same bytes
 * on every machine. Among a hundred rows: 3 with letters beyond ASCII, 2 with an escape, 4 without a name, 5 phone numbers that are none, 6 blanks around
 * or inside a name. Words are all capitals or all small and none that title casing treats in a way of its own, so that every peer can do it. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

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

static void text(const char *name, const char *value) { printf("\"%s\":\"%s\",", name, value); }
static void flag(const char *name, unsigned yes_percent) { text(name, below(100) < yes_percent ? "Y" : "N"); }
static void money(const char *name, unsigned blank_percent, unsigned limit)
{
    if (below(100) < blank_percent) text(name, "0");
    else printf("\"%s\":\"%u.%02u\",", name, below(limit), below(100));
}
static void day(const char *name, unsigned blank_percent)
{
    if (below(100) < blank_percent) text(name, "");
    else printf("\"%s\":\"%u-%02u-%02u\",", name, 2005 + below(21), 1 + below(12), 1 + below(28));
}

static void party(uint64_t n)
{
    printf("\"ARDivisionNo\":\"%02u\",\"CustomerNo\":\"C%07" PRIu64 "\",", below(4), n);
    if (one_in(25)) text("CustomerName", "");
    else if (one_in(33)) printf("\"CustomerName\":\"%s %s\",", PICK(beyond), PICK(second));
    else if (one_in(50)) printf("\"CustomerName\":\"%s \\\"%s\\\" %s\",", PICK(first), PICK(second), PICK(third));
    else if (one_in(16)) printf("\"CustomerName\":\" %s  %s \",", PICK(first), PICK(third));
    else printf("\"CustomerName\":\"%s %s %s\",", PICK(first), PICK(second), PICK(third));
    printf("\"AddressLine1\":\"%u %s\",", 1 + below(9999), PICK(streets));
    if (one_in(3)) printf("\"AddressLine2\":\"Suite %u\",", 1 + below(900));
    else text("AddressLine2", "");
    text("AddressLine3", one_in(20) ? "Receiving dock" : "");
    text("City", PICK(cities));
    text("State", PICK(states));
    printf("\"ZipCode\":\"%05u\",", 10000 + below(80000));
    text("CountryCode", PICK(countries));
    if (one_in(20)) text("TelephoneNo", "none yet");
    else if (one_in(10)) text("TelephoneNo", "");
    else printf("\"TelephoneNo\":\"(%u%02u) %u%02u-%04u\",", 2 + below(7), 13 + below(50), 2 + below(8), 13 + below(80), below(10000));
    text("TelephoneExt", one_in(5) ? "114" : "");
    if (one_in(2)) printf("\"FaxNo\":\"%u%02u-%u%02u-%04u\",", 2 + below(7), 13 + below(50), 2 + below(8), 13 + below(80), below(10000));
    else text("FaxNo", "");
    if (one_in(4)) text("EmailAddress", "");
    else printf("\"EmailAddress\":\"Sales%" PRIu64 "@%s.example\",", n, one_in(2) ? "ABF" : "northwind");
    if (one_in(3)) text("URLAddress", "");
    else printf("\"URLAddress\":\"www.customer%" PRIu64 ".example\",", n);
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
    printf("\"TermsCode\":\"%02u\",\"SalespersonDivisionNo\":\"%02u\",\"SalespersonNo\":\"%04u\",", below(5), below(4), 100 + below(30));
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
    printf("\"NumberOfInvToUseInCalc\":\"%u\",\"AvgDaysPaymentInvoice\":\"%u\",\"AvgDaysOverDue\":\"%u\",", below(20), below(90), below(60));
    printf("\"CustomerDiscountRate\":\"%u.%03u\",", below(30), below(1000));
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
    day("DateCreated", 0);
    printf("\"TimeCreated\":\"%u.%02u\",\"UserCreatedKey\":\"%010u\",", below(24), below(100), below(40));
    day("DateUpdated", 0);
    printf("\"TimeUpdated\":\"%u.%02u\",\"UserUpdatedKey\":\"%010u\",", below(24), below(100), below(40));
    printf("\"CustomerStatus\":\"%s\"", one_in(20) ? "T" : one_in(20) ? "I" : "A");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: rows COUNT SEED\n", stderr);
        return 2;
    }
    uint64_t n = strtoull(argv[1], NULL, 10);
    state = strtoull(argv[2], NULL, 10);
    for (uint64_t i = 0; i < n; i++) {
        putchar('{');
        party(i);
        terms();
        balances();
        fputs("}\n", stdout);
    }
    return fflush(stdout) != 0;
}
