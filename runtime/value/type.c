/* type.c - what a declared type admits, and the reader that turns a source's raw text into a value of that type.
 *
 * type_read always gives a decimal the scale of its type, so that one number has one encoding in snapshots and hashes. */
#include "value/type.h"
#include "base/check.h"
#include "base/limits.h"
#include "value/date.h"
#include <stdio.h>

struct type type_decimal(unsigned digits, unsigned scale)
{
    ASSERT(digits >= 1 && digits <= LIMIT_DECIMAL_DIGITS && scale <= LIMIT_DECIMAL_SCALE);
    return (struct type){.base = T_DECIMAL, .scale = (uint8_t)scale, .lo = 1 - decimal_pow10(digits), .hi = decimal_pow10(digits) - 1};
}

struct type type_text(uint32_t min_len, uint32_t max_len)
{
    return (struct type){.base = T_TEXT, .min_len = min_len, .max_len = max_len};
}

static bool set_has(const struct type *t, struct str s)
{
    for (size_t lo = 0, hi = t->nset; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_cmp(s, t->set[mid]);
        if (c == 0) return true;
        if (c < 0) hi = mid; else lo = mid + 1;
    }
    return false;
}

static bool text_fits(const struct type *from, const struct type *to)
{
    if (from->nset == 0) return to->nset == 0 && from->min_len >= to->min_len && from->max_len <= to->max_len;
    for (size_t i = 0; i < from->nset; i++) {
        size_t n = str_codepoints(from->set[i]);
        if (to->nset > 0 ? !set_has(to, from->set[i]) : n < to->min_len || n > to->max_len) return false;
    }
    return true;
}

static bool decimal_fits(const struct type *from, const struct type *to)
{
    i128 lo, hi;
    if (from->scale > to->scale) return false;
    i128 p = decimal_pow10((unsigned)(to->scale - from->scale));
    return !i128_mul(from->lo, p, &lo) && !i128_mul(from->hi, p, &hi) && lo >= to->lo && hi <= to->hi;
}

static bool shape_fits(const struct list_shape *from, const struct list_shape *to)
{
    if (from->n != to->n || from->max_lines > to->max_lines) return false;
    for (size_t i = 0; i < from->n; i++)
        if (!str_eq(from->names[i], to->names[i]) || !type_fits(&from->types[i], &to->types[i])) return false;
    return true;
}

bool type_fits(const struct type *from, const struct type *to)
{
    if (from->base != to->base || (from->optional && !to->optional)) return false;
    if (from->base == T_TEXT) return text_fits(from, to);
    if (from->base == T_DECIMAL) return decimal_fits(from, to);
    if (from->base == T_LINK) return to->module == 0 || from->module == to->module;
    if (from->base == T_LIST) return shape_fits(from->shape, to->shape);
    return true;
}

/* ---- a value against a type ---- */

#define WHY(...) (why ? (void)snprintf(why, why_len, __VA_ARGS__) : (void)0)

static const char *const base_names[T_BASE_COUNT] = {"true or false", "a text", "a number", "a date", "a local date and time",
                                                     "a date and time with zone", "a link", "a list of lines"};

static bool text_admits(const struct type *t, struct str s, char *why, size_t why_len)
{
    if (memchr(s.p, 0, s.n)) { WHY("contains a zero byte"); return false; }
    if (!str_utf8_valid(s)) { WHY("is not valid UTF-8"); return false; }
    if (t->nset > 0) {
        if (set_has(t, s)) return true;
        WHY("is none of the %u values allowed", (unsigned)t->nset);
        return false;
    }
    size_t n = str_codepoints(s);
    if (n > t->max_len) { WHY("is %zu characters, at most %u allowed", n, (unsigned)t->max_len); return false; }
    if (n < t->min_len) { WHY("is %zu characters, at least %u needed", n, (unsigned)t->min_len); return false; }
    return true;
}

static bool decimal_admits(const struct type *t, const struct value *v, char *why, size_t why_len)
{
    struct value s;
    unsigned before, behind;
    decimal_digits(v, &before, &behind);
    if (behind > t->scale) { WHY("has %u decimals, at most %u allowed", behind, (unsigned)t->scale); return false; }
    if (decimal_rescale(v, t->scale, &s) && s.u.coef >= t->lo && s.u.coef <= t->hi) return true;
    WHY("is out of the range of its type (%u digits before the point)", before);
    return false;
}

/* Lines and columns as declared; no two lines of one key. Lists are short: comparing each with each costs less than sorting. */
static bool list_admits(const struct list_shape *t, const struct list *l, char *why, size_t why_len)
{
    char one[120] = "";
    if (l->nlines > t->max_lines) { WHY("has %u lines, at most %u allowed", (unsigned)l->nlines, (unsigned)t->max_lines); return false; }
    bool same = l->nlines > 0 && l->nfields == t->n;
    for (size_t k = 0; k < t->n && same; k++) same = str_eq(l->names[k], t->names[k]);
    if (!same) { WHY("has lines of other columns"); return false; }
    for (size_t i = 0; i < l->nlines; i++) {
        for (size_t k = 0; k < t->n; k++) {
            if (type_admits(&t->types[k], &l->lines[i].fields[k], one, sizeof one)) continue;
            WHY("line %zu: %.*s %s", i + 1, (int)t->names[k].n, t->names[k].p, one);
            return false;
        }
        for (size_t j = 0; j < i && value_present(&l->lines[i].key); j++) {
            if (!value_equal(&l->lines[i].key, &l->lines[j].key)) continue;
            WHY("has lines %zu and %zu of one key", j + 1, i + 1);
            return false;
        }
    }
    return true;
}

struct value type_line_key(const struct list_shape *s, const struct value *fields, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; i < s->n; i++) {
        if (!(s->flags[i] & LIST_KEY)) continue;
        if (b.n) buf_byte(&b, '~');
        value_print(&b, &fields[i]);
    }
    struct value v = value_text((struct str){b.n ? arena_copy(a, b.p, b.n) : "", b.n});
    buf_free(&b);
    return v;
}

bool type_project(const struct type *t, const struct value *v, struct arena *a, struct value *out)
{
    *out = *v;
    if (t->base != T_LIST || v->kind != V_LIST) return true;
    const struct list *from = v->u.list;
    const struct list_shape *to = t->shape;
    uint16_t *at = ARENA_ARRAY(a, uint16_t, to->n);
    for (uint16_t k = 0; k < to->n; k++) {
        while (at[k] < from->nfields && !str_eq(from->names[at[k]], to->names[k])) at[k]++;
        if (at[k] == from->nfields) return false;
    }
    struct list *l = ARENA_NEW(a, struct list);
    struct list_line *lines = ARENA_ARRAY(a, struct list_line, from->nlines);
    for (size_t i = 0; i < from->nlines; i++) {
        struct value *fields = ARENA_ARRAY(a, struct value, to->n);
        for (uint16_t k = 0; k < to->n; k++) fields[k] = from->lines[i].fields[at[k]];
        lines[i] = (struct list_line){from->lines[i].key, fields};
    }
    *l = (struct list){to->names, lines, from->nlines, to->n};
    *out = (struct value){.kind = V_LIST, .u.list = l};
    return true;
}

bool type_admits(const struct type *t, const struct value *v, char *why, size_t why_len)
{
    static const uint8_t kinds[T_BASE_COUNT] = {V_BOOL, V_TEXT, V_DECIMAL, V_DATE, V_LOCAL, V_INSTANT, V_LINK, V_LIST};
    if (v->kind == V_ABSENT) {
        if (!t->optional) WHY("is absent, but a value is required");
        return t->optional;
    }
    if (v->kind != kinds[t->base] && !(t->base == T_LINK && v->kind == V_ID)) {
        WHY("is not %s", base_names[t->base]);
        return false;
    }
    if (t->base == T_TEXT) return text_admits(t, value_str(v), why, why_len);
    if (t->base == T_DECIMAL) return decimal_admits(t, v, why, why_len);
    return t->base != T_LIST || list_admits(t->shape, v->u.list, why, why_len);
}

/* ---- for people ---- */

static void put_bound(struct buf *out, i128 coef, unsigned scale)
{
    struct value v = value_decimal(coef, scale);
    decimal_print(out, &v);
}

static void print_decimal(struct buf *out, const struct type *t)
{
    unsigned digits = 1;
    while (digits < LIMIT_DECIMAL_DIGITS && t->hi > decimal_pow10(digits) - 1) digits++;
    if (t->hi == decimal_pow10(digits) - 1 && t->lo == -t->hi) {
        buf_printf(out, "decimal(%u,%u)", digits, (unsigned)t->scale);
        return;
    }
    buf_puts(out, "decimal(");
    put_bound(out, t->lo, t->scale);
    buf_puts(out, "..");
    put_bound(out, t->hi, t->scale);
    buf_byte(out, ')');
}

static void print_text(struct buf *out, const struct type *t)
{
    if (t->nset == 0) {
        buf_printf(out, "text(%u..%u)", (unsigned)t->min_len, (unsigned)t->max_len);
        return;
    }
    buf_puts(out, "one of (");
    for (size_t i = 0; i < t->nset; i++) buf_printf(out, "%s\"%.*s\"", i ? ", " : "", (int)t->set[i].n, t->set[i].p);
    buf_byte(out, ')');
}

void type_print(struct buf *out, const struct type *t)
{
    static const char *const plain[T_BASE_COUNT] = {"bool", NULL, NULL, "date", "local", "instant", "link", "lines"};
    if (t->base == T_TEXT) print_text(out, t);
    else if (t->base == T_LIST) {
        buf_printf(out, "at most %u lines (", (unsigned)t->shape->max_lines);
        for (size_t i = 0; i < t->shape->n; i++) {
            buf_printf(out, "%s%.*s%s: ", i ? ", " : "", (int)t->shape->names[i].n, t->shape->names[i].p, t->shape->flags[i] & LIST_KEY ? " key" : "");
            type_print(out, &t->shape->types[i]);
        }
        buf_byte(out, ')');
    } else if (t->base == T_DECIMAL) print_decimal(out, t);
    else buf_puts(out, plain[t->base]);
    if (t->base == T_BOOL && t->yes.n > 0)
        buf_printf(out, "(\"%.*s\",\"%.*s\")", (int)t->yes.n, t->yes.p, (int)t->no.n, t->no.p);
    if (t->optional) buf_byte(out, '?');
}

/* ---- raw text of a source ---- */

static bool read_bool(const struct type *t, struct str s, struct value *out, char *why, size_t why_len)
{
    if (t->yes.n > 0 && str_eq(s, t->yes)) { *out = value_bool(true); return true; }
    if (t->no.n > 0 && str_eq(s, t->no)) { *out = value_bool(false); return true; }
    if (str_is(s, "true")) { *out = value_bool(true); return true; }     /* the SOAP door spells the same column as xs:boolean */
    if (str_is(s, "false")) { *out = value_bool(false); return true; }
    if (t->yes.n > 0) WHY("is neither \"%.*s\" nor \"%.*s\"", (int)t->yes.n, t->yes.p, (int)t->no.n, t->no.p);
    else WHY("is neither true nor false");
    return false;
}

static bool read_decimal(const struct type *t, struct str s, struct value *out, char *why, size_t why_len)
{
    struct value v;
    if (!decimal_parse(s, &v)) {
        WHY("is not a decimal number of at most %d digits", LIMIT_DECIMAL_DIGITS);
        return false;
    }
    return decimal_admits(t, &v, why, why_len) && decimal_rescale(&v, t->scale, out);
}

/* A date column: YYYYMMDD, ISO, or the date-time of the SOAP door at midnight. */
static bool read_date(struct str s, struct value *out, char *why, size_t why_len)
{
    struct value v;
    if (date_parse(s, out)) return true;
    if (datetime_parse(s, &v) && v.kind == V_LOCAL && v.u.i % 86400000 == 0) {
        *out = (struct value){.kind = V_DATE, .u.i = v.u.i / 86400000};
        return true;
    }
    WHY("is not a date");
    return false;
}

static bool read_datetime(uint8_t kind, struct str s, struct value *out, char *why, size_t why_len)
{
    struct value v;
    if (datetime_parse(s, &v) && v.kind == kind) { *out = v; return true; }
    WHY(kind == V_LOCAL ? "is not a date and time without zone" : "is not a date and time with zone");
    return false;
}

/* "No date" as the doors of Sage spell it: 1753-01-01 in Premium (facts/sage-100.md 6), year 1 in .NET. */
static bool is_null_date(const struct value *v)
{
    int64_t premium, dotnet, days = v->kind == V_DATE ? v->u.i : v->u.i / 86400000;
    if (v->kind == V_INSTANT || (v->kind == V_LOCAL && v->u.i % 86400000 != 0)) return false;
    return date_from_ymd(1753, 1, 1, &premium) && date_from_ymd(1, 1, 1, &dotnet) && (days == premium || days == dotnet);
}

/* A blank is absent. What else a schema reads it as (`= 0`) is part of the compiled program, not of the type. */
static bool read_blank(const struct type *t, struct value *out, char *why, size_t why_len)
{
    *out = value_absent;
    if (!t->optional) WHY("is blank, but a value is required");
    return t->optional;
}

bool type_read(const struct type *t, struct str raw, struct value *out, char *why, size_t why_len)
{
    struct str s = str_trim(raw);
    bool ok;
    *out = value_absent;
    if (s.n == 0) return read_blank(t, out, why, why_len);
    switch ((enum type_base)t->base) {
    case T_BOOL:    return read_bool(t, s, out, why, why_len);
    case T_DECIMAL: return read_decimal(t, s, out, why, why_len);
    case T_TEXT:
        while (raw.n > 0 && raw.p[raw.n - 1] == ' ') raw.n--;           /* fixed-width padding; leading blanks are content */
        if (raw.n > UINT32_MAX || !text_admits(t, raw, why, why_len)) return false;
        *out = value_text(raw);
        return true;
    case T_DATE:    ok = read_date(s, out, why, why_len); break;
    case T_LOCAL:   ok = read_datetime(V_LOCAL, s, out, why, why_len); break;
    case T_INSTANT: return read_datetime(V_INSTANT, s, out, why, why_len);
    case T_LINK:
    case T_LIST:
    case T_BASE_COUNT:
    default:        WHY("is of a type that no source column has"); return false;
    }
    if (!ok || !is_null_date(out)) return ok;
    return read_blank(t, out, why, why_len);
}
