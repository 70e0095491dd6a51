/* ref_simdjson.cc - the hand-written reference in C++, parsing with simdjson's on-demand interface: each wanted member is looked for in the order in which
 * Sage sends them, strings without escapes are read where they lie. */
#include "reference.h"
#include <simdjson.h>

using namespace simdjson;

/* In the order of the columns in a row. */
static const int order[] = {C_DIVISION, C_NUMBER, C_NAME, C_STREET1, C_STREET2, C_STREET3, C_CITY, C_STATE, C_ZIP, C_COUNTRY, C_PHONE, C_FAX, C_EMAIL, C_URL, C_SHIP,
                            C_TAX, C_TERMS, C_SALES_DIVISION, C_SALES, C_COMMENT, C_SORT, C_TYPE, C_LAST_ACTIVITY, C_LAST_PAYMENT, C_HOLD, C_SINCE, C_DISCOUNT, C_LIMIT,
                            C_CURRENT, C_AGING1, C_AGING2, C_AGING3, C_AGING4, C_CREATED, C_STATUS};

static bool read_row(ondemand::parser &parser, const char *line, size_t n, size_t room, struct row *r)
{
    ondemand::document doc;
    ondemand::object object;
    if (parser.iterate(line, n, room).get(doc) || doc.get_object().get(object)) return false;
    for (int i : order) {
        std::string_view text;
        ondemand::value v;
        error_code e = object.find_field_unordered(std::string_view(columns[i].name, columns[i].n)).get(v);
        if (e == NO_SUCH_FIELD) continue;
        if (e) return false;
        if (v.get_string().get(text)) {
            bool null = false;
            if (v.is_null().get(null) || !null) return false;
            continue;
        }
        r->c[i] = {text.data(), text.size()};
    }
    return true;
}

int main()
{
    const size_t chunk = 1 << 20;
    ondemand::parser parser;
    char *buf = static_cast<char *>(malloc(2 * chunk + SIMDJSON_PADDING));
    size_t have = 0, got;
    while ((got = fread(buf + have, 1, chunk, stdin)) > 0) {
        size_t end = have + got, at = 0;
        while (const void *nl = memchr(buf + at, '\n', end - at)) {
            size_t n = static_cast<size_t>(static_cast<const char *>(nl) - (buf + at));
            struct row r = {};
            if (read_row(parser, buf + at, n, 2 * chunk + SIMDJSON_PADDING - at, &r)) map_row(&r);
            else PUT("{\"error\":\"no JSON object\"}\n");
            at += n + 1;
        }
        have = end - at;
        memmove(buf, buf + at, have);
        if (have > chunk) return 1;
    }
    flush_out();
    free(buf);
    return 0;
}
