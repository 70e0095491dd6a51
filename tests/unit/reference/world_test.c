/* world_test.c - the comparison of both models' states for end-to-end tests has teeth: a world as examples/language says shows no difference; each planted
 * difference shows as itself and as nothing else. */
#include "tests/reference/reference_world.h"
#include "base/check.h"
#include <stdlib.h>

static int failures;

static const char *const sage[][2] = {
    {"AR_Customer", "[{'key':['01','ABF'],'fields':{'ARDivisionNo':'01','CustomerNo':'ABF','CustomerName':'American Business Futures','CustomerStatus':'A','TermsCode':'02',"
                    "'CountryCode':'USA','TelephoneNo':'(312) 555-0100','CreditLimit':'100.00','CurrentBalance':'60.00','AgingCategory1':'40.01','AgingCategory2':'','AgingCategory3':'','AgingCategory4':'',"
                    "'City':'Chicago','CreditHold':'N','URLAddress':'www.abf.example','SalespersonNo':''}},"
                    "{'key':['01','GONE'],'fields':{'ARDivisionNo':'01','CustomerNo':'GONE','CustomerName':'Walk-in','CustomerStatus':'T','CreditHold':'N'}},"
                    "{'key':['01','BARE'],'fields':{'ARDivisionNo':'01','CustomerNo':'BARE','CustomerName':'','CustomerStatus':'A','CreditHold':'N'}}]"},
    {"AR_CustomerContact", "[{'key':['01','ABF','JIM'],'fields':{'ARDivisionNo':'01','CustomerNo':'ABF','ContactCode':'JIM','ContactName':'Jim Kentley','EmailAddress':'Jim@ABF.example'}},"
                           "{'key':['01','BARE','ANN'],'fields':{'ARDivisionNo':'01','CustomerNo':'BARE','ContactCode':'ANN','ContactName':'Ann','EmailAddress':''}}]"},
    {"CI_Item", "[{'key':['6655'],'fields':{'ItemCode':'6655','ItemCodeDesc':'Printer stand'}}]"},
    {"SO_SalesOrderHeader", "[{'key':['0000123'],'fields':{'SalesOrderNo':'0000123','OrderType':'S','ARDivisionNo':'01','CustomerNo':'ABF'},'udf':{'UDF_DEAL_NO':'d-7'},"
                            "'lines':[{'key':['000001'],'fields':{'LineKey':'000001','ItemCode':'6655','ItemType':'1','QuantityOrdered':'2.0000','UnitPrice':'19.995000'}},"
                            "{'key':['000002'],'fields':{'LineKey':'000002','ItemCode':'/C','ItemType':'4','QuantityOrdered':'0.0000','UnitPrice':'0.000000'}},"
                            "{'key':['000003'],'fields':{'LineKey':'000003','ItemCode':'6655','ItemType':'1','QuantityOrdered':'1.5000','UnitPrice':'100.000000'}}]}]"},
    {"AR_InvoiceHistoryHeader", "[{'key':['0100001','000000'],'fields':{'InvoiceNo':'0100001','HeaderSeqNo':'000000','ARDivisionNo':'01','CustomerNo':'ABF','InvoiceDate':'20260312'},"
                                "'lines':[{'key':['000001'],'fields':{'DetailSeqNo':'000001','ItemCode':'6655','ItemType':'1','QuantityShipped':'2.000000','UnitPrice':'19.500000'}}]}]"},
    {"AR_OpenInvoice", "[{'key':['01','ABF','0100001','IN','00'],'fields':{'ARDivisionNo':'01','CustomerNo':'ABF','InvoiceNo':'0100001','InvoiceType':'IN','InvoiceHistoryHeaderSeqNo':'000000','Balance':'39.00'}}]"}};

static const char *const zoho[][2] = {
    {"Accounts", "[{'id':'1','Sage_Customer':'ABC~01~ABF','Sage_Status':'Active','Account_Name':'American Business Futures','Phone':'+13125550100','Billing_Street':null,'Billing_City':'Chicago',"
                 "'Billing_Country':'United States','Payment_Terms':'Net 30','Credit_Limit':100.0,'Open_Balance':100.01,'Credit_Status':'Over limit','Website':'abf.example','Owner':{'id':'900'}},"
                 "{'id':'2','Sage_Customer':'ABC~01~GONE','Sage_Status':'Left','Account_Name':'Walk-in'},{'id':'3','Sage_Customer':'ABC~01~OLD','Sage_Status':'Deleted'},{'id':'4','Sage_Customer':null}]"},
    {"Contacts", "[{'id':'10','Sage_Contact':'ABC~01~ABF~JIM','Account_Name':{'name':'American Business Futures','id':'1'},'First_Name':'Jim','Last_Name':'Kentley','Email':'Jim@abf.example'}]"},
    {"Products", "[{'id':'20','Sage_Item':'ABC~6655','Product_Name':'Printer stand'}]"},
    {"Deals", "[{'id':'30','Deal_Number':'D-7'}]"},
    {"Sales_Orders", "[{'id':'40','Sage_Order':'ABC~0000123','Subject':'Sales order 0000123','Account_Name':{'id':'1'},'Deal_Name':{'id':'30'},'Ordered_Items':["
                     "{'id':'41','Product_Name':{'id':'20'},'Quantity':1.5,'List_Price':100},{'id':'42','Product_Name':{'id':'20'},'Quantity':2,'List_Price':20.0}]}]"},
    {"Invoices", "[{'id':'50','Sage_Invoice':'ABC~0100001~000000','Subject':'Invoice 0100001','Account_Name':{'id':'1'},'Invoice_Date':'2026-03-12','Balance_Due':39,"
                 "'Invoiced_Items':[{'id':'51','Product_Name':{'id':'20'},'Quantity':2,'List_Price':19.5}]}]"}};

/* MODULE or TABLE, what is replaced, by what, and the one line that must come of it. */
static const struct { const char *where, *from, *to, *line; } planted[] = {
    {"Accounts", "'Billing_City':'Chicago'", "'Billing_City':'Chicagoo'", "customers ABC~01~ABF: Billing_City is \"Chicagoo\", not \"Chicago\""},
    {"Accounts", "'Open_Balance':100.01", "'Open_Balance':100.02", "customers ABC~01~ABF: Open_Balance is"},
    {"Accounts", "'Billing_Street':null", "'Billing_Street':'x'", "customers ABC~01~ABF: Billing_Street is \"x\", not (absent)"},
    {"Accounts", "'Website':'abf.example'", "'Website':null", "customers ABC~01~ABF: Website is empty"},
    {"Accounts", "'Sage_Status':'Left'", "'Sage_Status':'Active'", "customers ABC~01~GONE: left, but Sage_Status is \"Active\""},
    {"Accounts", "'Sage_Status':'Deleted'", "'Sage_Status':'Active'", "customers ABC~01~OLD: is not in Sage, but Sage_Status is \"Active\""},
    {"Accounts", "'Sage_Customer':null", "'Sage_Customer':'ABC~01~ABF'", "customers ABC~01~ABF: stands in Zoho 2 times"},
    {"Contacts", "'id':'1'", "'id':'2'", "contacts ABC~01~ABF~JIM: Account_Name is"},
    {"Contacts", "ABC~01~ABF~JIM", "ABC~01~ABF~JON", "contacts ABC~01~ABF~JIM: is not in Zoho"},
    {"Deals", "'Deal_Number':'D-7'", "'Deal_Number':'D-8'", "orders ABC~0000123: Deal_Name is {\"id\":\"30\"}, not find Deals"},
    {"Sales_Orders", "'Quantity':2", "'Quantity':3", "orders ABC~0000123: Ordered_Items is"},
    {"Sales_Orders", "{'id':'41',", "{'id':'43','Product_Name':{'id':'20'},'Quantity':2,'List_Price':20},{'id':'41',", "orders ABC~0000123: Ordered_Items is"},
    {"Invoices", "'Balance_Due':39", "'Balance_Due':0", "dues ABC~0100001~000000: Balance_Due is 0, not 39"},
    {"Invoices", "2026-03-12", "2026-03-11", "invoices ABC~0100001~000000: Invoice_Date is"},
    {"CI_Item", "Printer stand", "Printer", "items ABC~6655: Product_Name is \"Printer stand\", not \"Printer\""},
    {"AR_OpenInvoice", "39.00", "38.99", "dues ABC~0100001~000000: Balance_Due is 39, not 38.99"},
    {"SO_SalesOrderHeader", "'ItemType':'4'", "'ItemType':'1'", "orders ABC~0000123: Ordered_Items is"}};

static void say(bool good, const char *name, const char *why)
{
    printf("%s %s%s%s\n", good ? "ok" : "not ok", name, good ? "" : ": ", good ? "" : why);
    failures += !good;
}

/* The text with double quotes, and from replaced by to. */
static json_t *state(const char *text, const char *from, const char *to)
{
    struct buf b = {0};
    const char *at = from ? strstr(text, from) : NULL;
    ASSERT(!from || at);
    buf_put(&b, text, at ? (size_t)(at - text) : strlen(text));
    if (at) buf_puts(&b, to);
    if (at) buf_puts(&b, at + strlen(from));
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\'') b.p[i] = '"';
    json_t *v = json_loadb(b.p, b.n, 0, NULL);
    ASSERT(v != NULL);
    buf_free(&b);
    return v;
}

static struct world_counts compared(const char *where, const char *from, const char *to, struct buf *out)
{
    struct ref_world w;
    bool good = world_open(&w, "examples/language/language.mlc");
    for (size_t i = 0; i < sizeof sage / sizeof *sage; i++) {
        json_t *rows = state(sage[i][1], where && strcmp(where, sage[i][0]) == 0 ? from : NULL, to);
        good = good && world_rows(&w, "ABC", sage[i][0], rows);
        json_decref(rows);
    }
    for (size_t i = 0; i < sizeof zoho / sizeof *zoho; i++) {
        json_t *records = state(zoho[i][1], where && strcmp(where, zoho[i][0]) == 0 ? from : NULL, to);
        good = good && world_records(&w, zoho[i][0], records);
        json_decref(records);
    }
    ASSERT(good);
    world_compare(&w, out);
    struct world_counts n = w.counts;
    world_close(&w);
    return n;
}

/* One customer number in two companies: two records, told apart by the company in their keys. */
static uint64_t two_companies(const char *accounts, struct buf *out)
{
    struct ref_world w;
    bool good = world_open(&w, "tests/lang/check/companies_right.mlc");
    static const char *const rows[][2] = {{"ABC", "[{'key':['01','ABF'],'fields':{'ARDivisionNo':'01','CustomerNo':'ABF','CustomerName':'One'}}]"},
                                          {"DEF", "[{'key':['01','ABF'],'fields':{'ARDivisionNo':'01','CustomerNo':'ABF','CustomerName':'Two'}}]"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *v = state(rows[i][1], NULL, NULL);
        good = good && world_rows(&w, rows[i][0], "AR_Customer", v);
        json_decref(v);
    }
    json_t *records = state(accounts, NULL, NULL);
    good = good && world_records(&w, "Accounts", records);
    json_decref(records);
    ASSERT(good);
    world_compare(&w, out);
    uint64_t n = w.counts.differences;
    world_close(&w);
    return n;
}

static void companies(struct buf *out)
{
    buf_clear(out);
    uint64_t same = two_companies("[{'id':'1','Sage_Customer':'ABC~01~ABF','Account_Name':'One'},{'id':'2','Sage_Customer':'DEF~01~ABF','Account_Name':'Two'}]", out);
    say(same == 0, "two companies of one flow", buf_cstr(out));
    uint64_t other = two_companies("[{'id':'1','Sage_Customer':'ABC~01~ABF','Account_Name':'Two'},{'id':'2','Sage_Customer':'DEF~01~ABF','Account_Name':'Two'}]", out);
    say(other == 1 && strstr(buf_cstr(out), "f ABC~01~ABF: Account_Name is \"Two\", not \"One\""), "the one of them that differs is named", buf_cstr(out));
}

int main(void)
{
    struct buf out = {0};
    struct world_counts n = compared(NULL, NULL, NULL, &out);
    say(n.differences == 0, "a world that is as the spec says", buf_cstr(&out));
    say(n.records == 5 && n.lines == 3 && n.links == 8 && n.left == 1 && n.deleted == 1 && n.rejected == 1 && n.waiting == 1 && n.added == 1, "all of it was looked at",
        "see the counts");
    if (failures) printf("# %llu records, %llu lines, %llu links, %llu left, %llu deleted, %llu rejected, %llu waiting, %llu added\n", (unsigned long long)n.records, (unsigned long long)n.lines,
               (unsigned long long)n.links, (unsigned long long)n.left, (unsigned long long)n.deleted, (unsigned long long)n.rejected, (unsigned long long)n.waiting, (unsigned long long)n.added);
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        buf_clear(&out);
        n = compared(planted[i].where, planted[i].from, planted[i].to, &out);
        bool one = n.differences == 1 && strncmp(buf_cstr(&out), planted[i].line, strlen(planted[i].line)) == 0;
        say(one, planted[i].line, out.n ? buf_cstr(&out) : "not found");
    }
    companies(&out);
    buf_free(&out);
    return failures ? 1 : 0;
}
