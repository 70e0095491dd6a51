/* reference.h - the mapping of mapping.mlc by hand, in C and C++: what a good programmer writes for this one job. The two references differ only in how they
 * parse (ref_jansson.c, ref_simdjson.cc): both fill `struct row` and call map_row.
 *
 * The same checks as the compiled spec makes: text lengths in code points, decimals exact and within their digits, dates that exist, flags and choices of the
 * declared sets; a row that breaks one is set aside with {"reject":...}. UTF-8 is checked by the parser. */
#ifndef REFERENCE_H
#define REFERENCE_H
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice { const char *p; size_t n; };      /* n 0: absent */
enum column { C_DIVISION, C_NUMBER, C_NAME, C_STREET1, C_STREET2, C_STREET3, C_CITY, C_STATE, C_ZIP, C_COUNTRY, C_PHONE, C_FAX, C_EMAIL, C_URL, C_SHIP, C_TAX,
              C_TERMS, C_SALES_DIVISION, C_SALES, C_COMMENT, C_SORT, C_TYPE, C_LAST_ACTIVITY, C_LAST_PAYMENT, C_HOLD, C_SINCE, C_DISCOUNT, C_LIMIT, C_CURRENT,
              C_AGING1, C_AGING2, C_AGING3, C_AGING4, C_CREATED, C_STATUS, COLUMNS };
struct row { struct slice c[COLUMNS]; };
static const struct { const char *name; unsigned short n, max; char kind; } columns[COLUMNS] = {      /* kinds: t text, d date, m money of 13,2, r rate of 12,3, f flag */
#define COLUMN(name, max, kind) {name, sizeof name - 1, max, kind}
    COLUMN("ARDivisionNo", 2, 't'), COLUMN("CustomerNo", 20, 't'), COLUMN("CustomerName", 50, 't'), COLUMN("AddressLine1", 40, 't'), COLUMN("AddressLine2", 40, 't'),
    COLUMN("AddressLine3", 40, 't'), COLUMN("City", 30, 't'), COLUMN("State", 2, 't'), COLUMN("ZipCode", 10, 't'), COLUMN("CountryCode", 3, 't'),
    COLUMN("TelephoneNo", 20, 't'), COLUMN("FaxNo", 20, 't'), COLUMN("EmailAddress", 250, 't'), COLUMN("URLAddress", 50, 't'), COLUMN("ShipMethod", 15, 't'),
    COLUMN("TaxSchedule", 9, 't'), COLUMN("TermsCode", 2, 't'), COLUMN("SalespersonDivisionNo", 2, 't'), COLUMN("SalespersonNo", 4, 't'), COLUMN("Comment", 30, 't'),
    COLUMN("SortField", 10, 't'), COLUMN("CustomerType", 4, 't'), COLUMN("DateLastActivity", 10, 'd'), COLUMN("DateLastPayment", 10, 'd'), COLUMN("CreditHold", 1, 'f'),
    COLUMN("DateEstablished", 10, 'd'), COLUMN("CustomerDiscountRate", 13, 'r'), COLUMN("CreditLimit", 14, 'm'), COLUMN("CurrentBalance", 14, 'm'),
    COLUMN("AgingCategory1", 14, 'm'), COLUMN("AgingCategory2", 14, 'm'), COLUMN("AgingCategory3", 14, 'm'), COLUMN("AgingCategory4", 14, 'm'),
    COLUMN("DateCreated", 10, 'd'), COLUMN("CustomerStatus", 1, 's'),
#undef COLUMN
};

/* ---- output ---- */

static char out[1 << 16];
static size_t out_n;

static void flush_out(void)
{
    if (out_n && fwrite(out, 1, out_n, stdout) != out_n) exit(1);
    out_n = 0;
}
static void put(const char *p, size_t n)
{
    memcpy(out + out_n, p, n);
    out_n += n;
}
#define PUT(literal) put(literal, sizeof literal - 1)

static void put_text(struct slice s)
{
    static const char hex[] = "0123456789abcdef";
    out[out_n++] = '"';
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\') out[out_n++] = (char)c;
        else if (c == '\n') PUT("\\n");
        else if (c == '"' || c == '\\') {
            out[out_n++] = '\\';
            out[out_n++] = (char)c;
        } else {
            PUT("\\u00");
            out[out_n++] = hex[c >> 4];
            out[out_n++] = hex[c & 15];
        }
    }
    out[out_n++] = '"';
}

static void put_decimal(int64_t coef, unsigned scale)
{
    char digits[24];
    unsigned n = 0;
    if (coef < 0) out[out_n++] = '-';
    uint64_t u = coef < 0 ? 0 - (uint64_t)coef : (uint64_t)coef;
    for (; u || n <= scale; u /= 10) digits[n++] = (char)('0' + u % 10);
    while (n) {
        out[out_n++] = digits[--n];
        if (n == scale && n) out[out_n++] = '.';
    }
}

/* ---- checks ---- */

static bool read_decimal(struct slice s, unsigned digits, unsigned scale, int64_t *coef)
{
    int64_t v = 0;
    unsigned seen = 0, behind = 0;
    size_t i = s.n && s.p[0] == '-';
    bool point = false;
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !point && seen) point = true;
        else if (s.p[i] >= '0' && s.p[i] <= '9') {
            v = v * 10 + (s.p[i] - '0');
            behind += point;
            if (++seen > 17) return false;
        } else return false;
    }
    if (seen == 0 && s.n) return false;
    for (; behind > scale; behind--, v /= 10)
        if (v % 10) return false;
    for (; behind < scale; behind++) v *= 10;
    static const int64_t pow10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000};
    *coef = s.n && s.p[0] == '-' ? -v : v;
    return v < pow10[digits];
}

static bool is_date(struct slice s)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-') return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && (s.p[i] < '0' || s.p[i] > '9')) return false;
    int y = (s.p[0] - '0') * 1000 + (s.p[1] - '0') * 100 + (s.p[2] - '0') * 10 + s.p[3] - '0', m = (s.p[5] - '0') * 10 + s.p[6] - '0', d = (s.p[8] - '0') * 10 + s.p[9] - '0';
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return y > 0 && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

static size_t characters(struct slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* The blank behind a value of Sage is padding. */
static struct slice without_padding(struct slice s)
{
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

static const char *check_row(struct row *r)
{
    for (int i = 0; i < COLUMNS; i++) {
        struct slice s = r->c[i] = without_padding(r->c[i]);
        if (s.n == 0) continue;
        switch (columns[i].kind) {
        case 't': if (s.n > columns[i].max && characters(s) > columns[i].max) return "a text is too long"; break;
        case 'd': if (!is_date(s)) return "no date"; break;
        case 'f': if (s.n != 1 || (s.p[0] != 'Y' && s.p[0] != 'N')) return "neither Y nor N"; break;
        case 's': if (s.n != 1 || (s.p[0] != 'A' && s.p[0] != 'I' && s.p[0] != 'T')) return "no status"; break;
        default:  break;      /* decimals are checked when they are read */
        }
    }
    return r->c[C_DIVISION].n == 2 && r->c[C_NUMBER].n ? NULL : "no key";
}

/* ---- functions of the mapping ---- */

/* Latin letters of two bytes that differ in case by 0x20 or by their last bit: enough for the capitals and small letters that names here have. */
static unsigned fold(unsigned c, bool up)
{
    if (up ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z') return c ^ 0x20;
    if (c < 0xc0) return c;
    if (up) {
        if (c >= 0xe0 && c <= 0xfe && c != 0xf7) return c - 0x20;
        if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 ? c : c - 1;
        if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177)) return c % 2 ? c - 1 : c;
        return c;
    }
    if (c >= 0xc0 && c <= 0xde && c != 0xd7) return c + 0x20;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) return c % 2 ? c + 1 : c;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177)) return c % 2 ? c : c + 1;
    return c;
}

static struct slice fold_text(struct slice s, bool up, bool title, char *to)
{
    size_t n = 0;
    bool first = true;
    for (size_t i = 0; i < s.n;) {
        unsigned char b = (unsigned char)s.p[i];
        bool capital = title ? first : up;
        if (b < 0x80) {
            bool letter = (b | 0x20) >= 'a' && (b | 0x20) <= 'z';
            first = !letter;
            to[n++] = (char)(letter && ((b & 0x20) != 0) == capital ? b ^ 0x20 : b);
            i++;
        } else if (b < 0xe0) {
            unsigned c = fold((b & 0x1fu) << 6 | ((unsigned char)s.p[i + 1] & 0x3fu), capital);
            to[n++] = (char)(0xc0 | c >> 6);
            to[n++] = (char)(0x80 | (c & 0x3f));
            first = false;
            i += 2;
        } else {
            to[n++] = s.p[i++];
            first = false;
        }
    }
    return (struct slice){to, n};
}

static struct slice collapse(struct slice s, char *to)
{
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')) gap = n > 0;
        else {
            if (gap) to[n++] = ' ';
            gap = false;
            to[n++] = s.p[i];
        }
    }
    return (struct slice){to, n};
}

/* A number of North America as +1 and ten digits. */
static struct slice phone(struct slice s, char *to)
{
    size_t n = 2;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9') {
            if (n == 2 && s.p[i] == '1') continue;
            if (n == 12) return (struct slice){NULL, 0};
            to[n++] = s.p[i];
        } else if (!strchr(" ()-./", s.p[i])) return (struct slice){NULL, 0};
    }
    if (n != 12 || to[2] < '2' || to[5] < '2' || to[3] == '9' || (to[3] == '1' && to[4] == '1') || (to[6] == '1' && to[7] == '1')) return (struct slice){NULL, 0};
    if ((to[2] == '3' && to[3] == '7') || (to[2] == '9' && to[3] == '6')) return (struct slice){NULL, 0};
    to[0] = '+';
    to[1] = '1';
    return (struct slice){to, n};
}

static struct slice cut(struct slice s, size_t chars)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && chars-- == 0) break;
    return (struct slice){s.p, i};
}

static bool is(struct slice s, const char *text) { return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0; }

/* ---- the mapping ---- */

#define FIELD(name, value) do { struct slice v_ = (value); if (v_.n) { PUT(",\"" name "\":"); put_text(v_); } } while (0)
#define CHOICE(name, text) do { PUT(",\"" name "\":\""); PUT(text); PUT("\""); } while (0)

static struct slice joined(const struct row *r, int from, int count, char gap, char *to)
{
    size_t n = 0;
    for (int i = from; i < from + count; i++) {
        if (r->c[i].n == 0) continue;
        if (n) to[n++] = gap;
        memcpy(to + n, r->c[i].p, r->c[i].n);
        n += r->c[i].n;
    }
    return (struct slice){to, n};
}

static void reject(const char *why)
{
    PUT("{\"reject\":\"");
    put(why, strlen(why));
    PUT("\"}\n");
}

static void put_contact(const struct row *r, char *work)
{
    const struct slice *c = r->c;
    if (is(c[C_STATUS], "A") || c[C_STATUS].n == 0) CHOICE("Sage_Status", "Active");
    else CHOICE("Sage_Status", "Inactive");
    FIELD("Phone", phone(c[C_PHONE], work));
    FIELD("Fax", phone(c[C_FAX], work));
    FIELD("Billing_Mail", fold_text(c[C_EMAIL], false, false, work));
    FIELD("Website", c[C_URL]);
    FIELD("Billing_Street", joined(r, C_STREET1, 3, '\n', work));
    FIELD("Billing_City", fold_text(c[C_CITY], false, true, work));
    FIELD("Billing_State", fold_text(c[C_STATE], true, false, work));
    FIELD("Billing_Code", c[C_ZIP]);
    if (is(c[C_COUNTRY], "USA")) CHOICE("Billing_Country", "United States");
    else if (is(c[C_COUNTRY], "CAN")) CHOICE("Billing_Country", "Canada");
    else if (is(c[C_COUNTRY], "DEU")) CHOICE("Billing_Country", "Germany");
}

static void put_terms(const struct row *r, char *work)
{
    const struct slice *c = r->c;
    if (is(c[C_TERMS], "00") || c[C_TERMS].n == 0) CHOICE("Terms", "Due on receipt");
    else if (is(c[C_TERMS], "01") || is(c[C_TERMS], "02")) CHOICE("Terms", "Net 30");
    else if (is(c[C_TERMS], "03")) CHOICE("Terms", "Net 60");
    FIELD("Salesperson", joined(r, C_SALES_DIVISION, 2, '-', work));
    FIELD("Ship_Via", c[C_SHIP]);
    FIELD("Tax_Area", c[C_TAX]);
    FIELD("Sort_Name", cut(fold_text(c[C_SORT], true, false, work), 8));
    FIELD("Note_Short", cut(c[C_COMMENT], 20));
    FIELD("Customer_Since", c[C_SINCE].n ? c[C_SINCE] : c[C_CREATED]);
    FIELD("Last_Activity", c[C_LAST_ACTIVITY]);
    FIELD("Last_Payment", c[C_LAST_PAYMENT]);
}

static void put_balances(const struct row *r, const int64_t *m, int64_t rate)
{
    const struct slice *c = r->c;
    int64_t limit = m[0], total = m[1] + m[2] + m[3] + m[4] + m[5];
    bool hold = is(c[C_HOLD], "Y");
    PUT(",\"Credit_Limit\":");
    put_decimal(limit, 2);
    PUT(",\"Open_Balance\":");
    put_decimal(total, 2);
    PUT(",\"Past_Due\":");
    put_decimal(total - m[1], 2);
    PUT(",\"Discount\":");
    put_decimal((rate + (rate < 0 ? -50 : 50)) / 100, 1);
    if (hold) CHOICE("Credit_Status", "On hold");
    else if (limit > 0 && total > limit) CHOICE("Credit_Status", "Over limit");
    else CHOICE("Credit_Status", "Good");
    if (is(c[C_TYPE], "D1")) CHOICE("Class", "Distributor");
    else if (is(c[C_TYPE], "R2")) CHOICE("Class", "Retail");
    else if (is(c[C_TYPE], "W3")) CHOICE("Class", "Wholesale");
    else CHOICE("Class", "Other");
    if (hold) CHOICE("Rating", "Shut Down");
    else if (total > 1000000) CHOICE("Rating", "Acquired");
    else CHOICE("Rating", "Active");
}

static void map_row(struct row *r)
{
    char work[1100], name[300];
    int64_t money[6], rate;
    if (out_n > sizeof out - 8192) flush_out();
    const char *why = check_row(r);
    for (int i = 0; i < 6 && !why; i++)
        if (!read_decimal(r->c[C_LIMIT + i], 13, 2, &money[i])) why = "no amount";
    if (!why && !read_decimal(r->c[C_DISCOUNT], 12, 3, &rate)) why = "no rate";
    if (why) {
        reject(why);
        return;
    }
    if (is(r->c[C_STATUS], "T")) {
        PUT("{\"skip\":true}\n");
        return;
    }
    struct slice n = collapse(r->c[C_NAME], work);
    if (n.n == 0) {
        reject("customer without a name");
        return;
    }
    PUT("{\"Account_Name\":");
    put_text(fold_text(n, false, true, name));
    put_contact(r, work);
    put_terms(r, work);
    put_balances(r, money, rate);
    PUT("}\n");
}
#endif
