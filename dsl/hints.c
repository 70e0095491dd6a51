/* hints.c - names that people bring along from SQL, spreadsheets and other languages, and what the same thing is called here. Said as help below an
 * unknown name that is not merely misspelt. */
#include "dsl/check.h"

struct foreign { const char *names, *help; };

/* |a|b| : one of them, in any case. */
static bool among(const char *names, struct str word)
{
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, "|");
        if (n == word.n && str_ieq((struct str){p, n}, word)) return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static void say(struct diag *d, const struct foreign *list, size_t n, struct str word)
{
    for (size_t i = 0; i < n; i++)
        if (among(list[i].names, word)) diag_help(d, "%s", list[i].help);
}

void hints__function(struct diag *d, struct str name)
{
    static const struct foreign list[] = {
        {"concat|concatenate|strcat|append", "texts are joined by interpolation, \"{A}, {B}\", or by join(\", \", A, B), which leaves out what is absent"},
        {"coalesce|nvl|ifnull|isnull|isempty|isblank|nullif|default", "a value for what is absent stands right of ??: City ?? \"unknown\"; x == null asks whether it is"},
        {"if|iif|iff|case|switch|decode|choose|when", "a choice is written match { condition => value, else => value }"},
        {"trunc|cut|limit", "truncate(text, n) shortens a text, round(number, n) drops decimals"},
        {"substr|mid|slice", "substring(text, from, length), left(text, n) and right(text, n) take a part of a text"},
        {"len|size|strlen|char_length", "length(text) counts characters"},
        {"ucase|toupper|uppercase", "upper(text) makes capitals"}, {"lcase|tolower|lowercase", "lower(text) makes small letters"},
        {"proper|initcap|capitalize|titlecase", "title(text) begins each word with a capital"},
        {"ltrim|rtrim|strip", "trim(text) takes blanks off both ends"}, {"lpad|padleft|zfill", "pad_left(text, n, \"0\") fills up to n characters"},
        {"now|today|getdate|sysdate|current_date|current_timestamp", "there is no clock: a mapping gives the same for the same row for ever"},
        {"random|rand|uuid|guid|newid", "there is no randomness: a mapping gives the same for the same row for ever"},
        {"vlookup|xlookup|lookup|hlookup", "a table is looked up with brackets: terms[TermsCode]"},
        {"sum|count|avg|average", "a mapping sees one row; numbers of it are added with +"},
        {"todate|to_date|str_to_date|parsedate|cdate", "date(text) reads a date, date_from(text, pattern) one of another form"},
        {"format|date_format|strftime|to_char|tochar", "date_text(date, \"MM/DD/YYYY\") and to_text(number, decimals) write what has a form"},
        {"int|integer|cint|number|decimal|float|val|parse", "to_number(text, digits, decimals) reads a number, floor(x) drops decimals"},
        {"str|string|tostring|cstr", "to_text(number, decimals) writes a number, and \"{X}\" any value"},
        {"instr|charindex|indexof|like", "contains, starts_with and ends_with look into a text"},
        {"split|split_part|regexp|regex", "part(text, separator, n) gives one of the parts of a text"}};
    say(d, list, sizeof list / sizeof *list, name);
}

void hints__type(struct diag *d, struct str name)
{
    static const struct foreign list[] = {
        {"string|varchar|nvarchar|char|str|email|phone|url|picklist_text", "a text says how long it is: text(60)"},
        {"int|integer|bigint|long|smallint|autonumber", "whole numbers say how many digits they have: number(9)"},
        {"float|double|real|currency|money|numeric|percent", "exact numbers say their digits and decimals: decimal(15,2)"},
        {"boolean|checkbox|yesno", "yes and no are bool"}, {"picklist|enum|choice|list", "a text out of a set: one of(\"A\", \"B\")"},
        {"timestamp|timestamptz", "a point in time is instant, wall time without a zone datetime"}, {"lookup|reference|ref|foreign_key", "a record of another module: link(Accounts)"},
        {"owner", "a person of the CRM: user"}};
    say(d, list, sizeof list / sizeof *list, name);
}

const char *hints__a(struct check *c, const char *noun)
{
    return arena_printf(c->a, "%s %s", strchr("aeiou", noun[0]) ? "an" : "a", noun);
}
