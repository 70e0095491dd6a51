/* lex.c - words of the language, and what a number, time, share or date token means. Texts: lex_text.c. Raw scanning: grammar/lexer.re. */
#include "dsl/lex.h"
#include "base/limits.h"
#include "parser.tab.h"
#include "value/date.h"
#include <stdio.h>

static const struct { const char *word; int token; } keywords[] = {
#define KEYWORD(word, token) {word, TOK_##token},
#include "dsl/keyword.def"
#undef KEYWORD
};

int lex_keyword(struct str word)
{
    size_t lo = 0, hi = sizeof keywords / sizeof keywords[0];
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(word, str_of(keywords[mid].word));
        if (c == 0)
            return keywords[mid].token;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return 0;
}

bool lex_plain_name(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return word.n > 0 && lex_keyword(word) == 0;
}

static struct str token_text(const struct lex_env *e, struct span at)
{
    return (struct str){e->src->text.p + at.at, at.end - at.at};
}

struct ast_name lex_name(const struct lex_env *e, struct span at)
{
    struct str t = token_text(e, at);
    if (t.p[0] == '@')
        return (struct ast_name){{t.p + 1, t.n - 1}, at};
    if (t.p[0] != '`')
        return (struct ast_name){t, at};
    struct str inner = {t.p + 1, t.n - 2};
    bool fine = inner.n > 0 && inner.n <= 100 && inner.p[0] != ' ' && inner.p[inner.n - 1] != ' ';
    for (size_t i = 0; i < inner.n; i++)
        fine = fine && (unsigned char)inner.p[i] >= 0x20 && inner.p[i] != 0x7f;
    if (!fine) {
        struct diag *d = diag1(e->ds, at, D_BAD_NAME, diag_str(e->ds, t));
        diag_help(d, "between backticks stand 1 to 100 characters, without blanks at the ends, tabs or line ends");
        inner = STR("_");
    }
    return (struct ast_name){inner, at};
}

/* Digits without `_`; false when a _ stands at the end, beside another or beside the point. */
static bool clean_digits(struct arena *a, struct str t, struct str *out)
{
    char *p = arena_alloc(a, t.n + 1);
    size_t n = 0;
    bool fine = true;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] != '_')
            p[n++] = t.p[i];
        else if (i + 1 == t.n || i == 0 || t.p[i + 1] == '_' || t.p[i + 1] == '.' || t.p[i - 1] == '.')
            fine = false;
    }
    *out = (struct str){p, n};
    return fine;
}

/* Digits and decimals within what a decimal can hold. */
static bool decimal_fits(struct str digits, const char **more_than)
{
    size_t point = 0;
    while (point < digits.n && digits.p[point] != '.')
        point++;
    size_t behind = point < digits.n ? digits.n - point - 1 : 0;
    *more_than = behind > LIMIT_DECIMAL_SCALE ? "12 decimals" : "38 digits";
    return behind <= LIMIT_DECIMAL_SCALE && point + behind <= LIMIT_DECIMAL_DIGITS;
}

struct ast *lex_number(const struct lex_env *e, struct span at)
{
    struct str t = token_text(e, at), digits;
    const char *more_than;
    if (!clean_digits(e->arena, t, &digits)) {
        diag_help(diag1(e->ds, at, D_BAD_NUMBER, diag_str(e->ds, t)), "a _ stands between two digits: 40_000");
    } else if (digits.n > 1 && digits.p[0] == '0' && digits.p[1] != '.') {
        struct diag *d = diag1(e->ds, at, D_LEADING_ZERO, diag_str(e->ds, t));
        diag_help(d, "codes are texts: write \"%.*s\"", (int)(digits.n > 40 ? 40 : digits.n), digits.p);
        diag_fix(d, at, "\"%.*s\"", (int)digits.n, digits.p);
    } else if (!decimal_fits(digits, &more_than)) {
        diag2(e->ds, at, D_NUMBER_TOO_LONG, diag_str(e->ds, t), more_than);
    } else {
        return AST_NEW(e->arena, NUMBER, number, at, .digits = digits);
    }
    return AST_NEW(e->arena, NUMBER, number, at, .digits = STR(""));
}

bool lex_bad_number(const struct lex_env *e, struct span at)
{
    struct str t = token_text(e, at);
    size_t i = 0;
    while (i < t.n && ((t.p[i] >= '0' && t.p[i] <= '9') || t.p[i] == '_' || t.p[i] == '.'))
        i++;
    struct str tail = {t.p + i, t.n - i};
    struct str head = {t.p, i};
    bool whole = !memchr(head.p, '.', head.n);
    static const struct { const char *wrong, *right; } units[] = {
        {"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"}, {"min", "m"}, {"mins", "m"}, {"minute", "m"}, {"minutes", "m"},
        {"hr", "h"}, {"hour", "h"}, {"hours", "h"}, {"day", "d"}, {"days", "d"}, {"msec", "ms"}, {"S", "s"}, {"M", "m"}, {"H", "h"}, {"D", "d"}, {"MS", "ms"}};
    for (size_t k = 0; k < sizeof units / sizeof units[0]; k++)
        if (whole && str_is(tail, units[k].wrong)) {
            struct diag *d = diag_help(diag1(e->ds, at, D_BAD_UNIT, diag_str(e->ds, tail)), "write `%.*s%s`", (int)head.n, head.p, units[k].right);
            diag_fix(d, at, "%.*s%s", (int)head.n, head.p, units[k].right);
            return true;
        }
    static const char *const right[] = {"ms", "s", "m", "h", "d"};
    for (size_t k = 0; k < 5; k++)
        if (!whole && str_is(tail, right[k])) {
            diag_help(diag1(e->ds, at, D_BAD_NUMBER, diag_str(e->ds, t)), "a time is a whole number of ms, s, m, h or d: 90m instead of 1.5h");
            return true;
        }
    diag_help(diag1(e->ds, at, D_BAD_NUMBER, diag_str(e->ds, t)),
              "numbers look like 5, 40_000, 2.5; times like 250ms, 30s, 15m, 1h, 1d; shares like 5%%; everything else is a text in quotes");
    return false;
}

#define LONGEST_MS (INT64_C(366) * 86400000)

struct ast *lex_duration(const struct lex_env *e, struct span at)
{
    static const struct { const char *unit; int64_t ms; } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    struct str t = token_text(e, at), digits;
    size_t i = t.n;
    while (i > 0 && t.p[i - 1] >= 'a')
        i--;
    int64_t n = 0, ms = 0;
    struct str unit = {t.p + i, t.n - i};
    bool fine = clean_digits(e->arena, (struct str){t.p, i}, &digits) && str_to_i64(digits, &n);
    for (size_t k = 0; k < sizeof units / sizeof units[0]; k++)
        if (str_is(unit, units[k].unit) && fine && n <= LONGEST_MS / units[k].ms)
            ms = n * units[k].ms;
    if (ms == 0) {
        diag_help(diag1(e->ds, at, D_DURATION_RANGE, diag_str(e->ds, t)), "from 1ms to 366d");
        ms = 60000;
    }
    return AST_NEW(e->arena, DURATION, duration, at, .ms = ms);
}

struct ast *lex_percent(const struct lex_env *e, struct span at)
{
    struct str t = token_text(e, at), digits;
    bool fine = clean_digits(e->arena, (struct str){t.p, t.n - 1}, &digits);
    int64_t hundredths = 0;
    size_t decimals = 0;
    bool behind = false;
    for (size_t i = 0; fine && i < digits.n; i++) {
        if (digits.p[i] == '.') {
            behind = true;
            continue;
        }
        decimals += behind;
        hundredths = hundredths * 10 + (digits.p[i] - '0');
        fine = hundredths <= 10000 && decimals <= 2;
    }
    for (; decimals < 2; decimals++)
        hundredths *= 10;
    if (!fine || hundredths > 10000) {
        diag1(e->ds, at, D_BAD_PERCENT, diag_str(e->ds, t));
        hundredths = 100;
    }
    return AST_NEW(e->arena, PERCENT, percent, at, .hundredths = hundredths);
}

struct ast *lex_date(const struct lex_env *e, struct span at)
{
    struct str t = token_text(e, at);
    struct value v;
    if (t.n == 10 ? date_parse(t, &v) : datetime_parse(t, &v)) {
        enum ast_date_kind kind = v.kind == V_DATE ? DATE_DAY : v.kind == V_LOCAL ? DATE_LOCAL : DATE_INSTANT;
        return AST_NEW(e->arena, DATE, date, at, .kind = kind, .value = t);
    }
    diag_help(diag1(e->ds, at, D_BAD_DATE, diag_str(e->ds, t)),
              "dates look like 2026-03-12, local times like 2026-03-12T08:30:00, points in time like 2026-03-12T08:30:00Z");
    return AST_NEW(e->arena, DATE, date, at, .kind = t.n == 10 ? DATE_DAY : DATE_LOCAL, .value = STR(""));
}
