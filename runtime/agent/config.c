/* config.c - agent.ini: sections [agent], [objects], [lines]; one setting a line; ';' or '#' begin a comment. All problems are told at once. */
#include "agent/config.h"
#include "agent/core.h"
#include "base/buf.h"

/* facts/sage-100.md 9.1 */
static const char *const barred[] = {"EncryptedVals", "TaxpayerID*", "Password*", "CreditCard*", "Cardholder*", "CardType", "Last4*", "ExpirationDateYear",
                                     "ExpirationDateMonth", "BankName", "BankAccountType", "AVS*", "*MagneticStrip*"};

static bool matches(struct str pattern, struct str name)
{
    if (pattern.n == 0) return name.n == 0;
    if (pattern.p[0] != '*') {
        struct str p = {pattern.p, 1}, n = {name.p, 1};
        return name.n && str_ieq(p, n) && matches((struct str){pattern.p + 1, pattern.n - 1}, (struct str){name.p + 1, name.n - 1});
    }
    struct str rest = {pattern.p + 1, pattern.n - 1};
    for (size_t i = 0; i <= name.n; i++)
        if (matches(rest, (struct str){name.p + i, name.n - i})) return true;
    return false;
}

bool agent_denied(const struct agent_config *c, struct str column)
{
    for (size_t i = 0; i < sizeof barred / sizeof *barred; i++)
        if (matches(str_of(barred[i]), column)) return true;
    for (unsigned i = 0; i < c->ndenied; i++)
        if (matches(c->denied[i], column)) return true;
    return false;
}

bool agent_dated(const struct agent_config *c, struct str column)
{
    for (unsigned i = 0; i < c->ndated; i++)
        if (matches(c->dated[i], column)) return true;
    return false;
}

void agent_config_default(struct agent_config *out)
{
    memset(out, 0, sizeof *out);
#define AGENT_TEXT(name, standard, help) out->name = str_of(standard);
#define AGENT_COUNT(name, standard, min, max, help) out->name = standard;
#include "agent/setting.def"
#undef AGENT_TEXT
#undef AGENT_COUNT
}

struct reading { struct agent_config *out; struct buf *problems; unsigned line; };

__attribute__((format(printf, 2, 3))) static void problem(struct reading *r, const char *fmt, ...)
{
    va_list ap;
    if (r->problems->n) buf_puts(r->problems, "; ");
    if (r->line) buf_printf(r->problems, "line %u: ", r->line);
    va_start(ap, fmt);
    buf_vprintf(r->problems, fmt, ap);
    va_end(ap);
}

static void setting(struct reading *r, struct str name, struct str value)
{
    int64_t n;
    bool number = str_to_i64(value, &n);
#define AGENT_TEXT(its_name, standard, help)                                                                                                            \
    if (str_is(name, #its_name)) {                                                                                                                       \
        r->out->its_name = value;                                                                                                                        \
        return;                                                                                                                                          \
    }
#define AGENT_COUNT(its_name, standard, min, max, help)                                                                                                  \
    if (str_is(name, #its_name)) {                                                                                                                       \
        if (!number || n < (min) || n > (max)) problem(r, "%s must be a whole number from %d to %d", #its_name, min, max);                               \
        else r->out->its_name = n;                                                                                                                       \
        return;                                                                                                                                          \
    }
#include "agent/setting.def"
#undef AGENT_TEXT
#undef AGENT_COUNT
    problem(r, "there is no setting '%.*s'", (int)(name.n > 40 ? 40 : name.n), name.p);
}

static void object(struct reading *r, bool lines, struct str name, struct str value, struct arena *a)
{
    struct agent_config *c = r->out;
    if (agent_table_named(name) < 0) problem(r, "there is no resource '%.*s'", (int)(name.n > 40 ? 40 : name.n), name.p);
    else if (value.n == 0 || c->nobjects == AGENT_OBJECTS_MAX) problem(r, "'%.*s' needs the name of an object", (int)name.n, name.p);
    else c->object[c->nobjects++] = (struct agent_pair){lines ? str_of(arena_printf(a, "lines:%.*s", (int)name.n, name.p)) : name, value};
}

/* The next text between commas, trimmed; false at the end. */
static bool next_of(struct str *list, struct str *out)
{
    while (list->n) {
        const char *comma = memchr(list->p, ',', list->n);
        size_t n = comma ? (size_t)(comma - list->p) : list->n;
        *out = str_trim((struct str){list->p, n});
        *list = comma ? (struct str){comma + 1, list->n - n - 1} : (struct str){NULL, 0};
        if (out->n) return true;
    }
    return false;
}

static void patterns(struct reading *r, const char *name, struct str list, struct str *out, unsigned *n)
{
    struct str one;
    while (next_of(&list, &one)) {
        unsigned stars = 0;
        for (size_t i = 0; i < one.n; i++) stars += one.p[i] == '*';
        if (*n == AGENT_DENY_MAX || one.n > 100 || stars > 3) problem(r, "%s: more than %d columns, or a name of more than 100 characters or 3 stars", name, AGENT_DENY_MAX);
        else out[(*n)++] = one;
    }
}

static void lists(struct reading *r)
{
    struct agent_config *c = r->out;
    struct str rest = c->companies, one;
    while (next_of(&rest, &one)) {
        if (one.n != 3) problem(r, "company '%.*s' has not three characters", (int)(one.n > 40 ? 40 : one.n), one.p);
        else if (c->ncompanies == AGENT_COMPANIES_MAX) problem(r, "more than %d companies", AGENT_COMPANIES_MAX);
        else c->company[c->ncompanies++] = one;
    }
    patterns(r, "deny", c->deny, c->denied, &c->ndenied);
    patterns(r, "dates", c->dates, c->dated, &c->ndated);
}

static bool loopback(struct str url)
{
    static const char *const ours[] = {"http://127.0.0.1:", "http://localhost:"};
    for (size_t i = 0; i < 2; i++)
        if (str_starts(url, str_of(ours[i]))) return true;
    return false;
}

static void look_over(struct reading *r)
{
    struct agent_config *c = r->out;
    r->line = 0;
    lists(r);
    if (!str_starts(c->listen, STR("https://")) && !loopback(c->listen)) problem(r, "listen must begin with https:// (http:// only for 127.0.0.1)");
    else if (c->listen.p[c->listen.n - 1] != '/') problem(r, "listen must end with /");
}

enum err agent_config_read(struct str text, struct arena *a, struct agent_config *out, struct fault *f)
{
    struct buf problems = {0};
    struct reading r = {out, &problems, 0};
    struct str section = {"", 0};
    agent_config_default(out);
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text.p += 3, text.n -= 3;
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = {text.p, nl ? (size_t)(nl - text.p) : text.n};
        text = nl ? (struct str){nl + 1, text.n - line.n - 1} : (struct str){NULL, 0};
        line = str_trim(line);
        r.line++;
        if (line.n == 0 || line.p[0] == ';' || line.p[0] == '#') continue;
        if (line.p[0] == '[') {
            section = line;
            if (!str_is(line, "[agent]") && !str_is(line, "[objects]") && !str_is(line, "[lines]")) problem(&r, "the sections are [agent], [objects] and [lines]");
            continue;
        }
        const char *equals = memchr(line.p, '=', line.n);
        if (!equals) {
            problem(&r, "'name = value' is missing");
            continue;
        }
        struct str name = str_trim((struct str){line.p, (size_t)(equals - line.p)}), value = str_trim((struct str){equals + 1, (size_t)(line.p + line.n - equals - 1)});
        if (str_is(section, "[agent]")) setting(&r, name, value);
        else if (section.n) object(&r, str_is(section, "[lines]"), name, value, a);
        else problem(&r, "a setting before the first section: write [agent] above it");
    }
    look_over(&r);
    enum err e = problems.n ? fault_set(f, ERR_CONFIG, "agent.ini: %s", buf_cstr(&problems)) : ERR_OK;
    buf_free(&problems);
    return e;
}

void agent_config_write(struct buf *b, struct str listen, struct str home, struct str user, struct str companies)
{
    buf_puts(b, "; agent.ini - settings of mlc-boi-agent. After a change: mlc-boi-agent.exe stop, then start.\r\n[agent]\r\n");
#define AGENT_TEXT(name, standard, help)                                                                                                                 \
    {                                                                                                                                                    \
        struct str v = strcmp(#name, "listen") == 0 ? listen : strcmp(#name, "home") == 0 ? home : strcmp(#name, "user") == 0 ? user                     \
                     : strcmp(#name, "companies") == 0 ? companies : str_of(standard);                                                                    \
        buf_printf(b, "\r\n; %s\r\n%s = %.*s\r\n", help, #name, (int)v.n, v.p ? v.p : "");                                                              \
    }
#define AGENT_COUNT(name, standard, min, max, help) buf_printf(b, "\r\n; %s (%d to %d)\r\n;%s = %d\r\n", help, min, max, #name, standard);
#include "agent/setting.def"
#undef AGENT_TEXT
#undef AGENT_COUNT
    buf_puts(b, "\r\n; Other names of Sage's objects, one line a resource: ar-payments = AR_TransactionPaymentHistory_svc\r\n[objects]\r\n"
                "\r\n; How lines are reached: oLines of the header's object, or an object of their own: sales-orders = SO_SalesOrderDetail_svc\r\n[lines]\r\n");
}

static struct str object_named(const struct agent_config *c, const char *prefix, const char *resource, const char *standard)
{
    size_t n = strlen(prefix);
    for (unsigned i = 0; i < c->nobjects; i++) {
        struct str name = c->object[i].name;
        bool lines = str_starts(name, STR("lines:"));
        if (lines != (n > 0)) continue;
        if (str_is((struct str){name.p + n, name.n - n}, resource)) return c->object[i].value;
    }
    return str_of(standard);
}

struct str agent_config_object(const struct agent_config *c, const char *resource, const char *standard)
{
    return object_named(c, "", resource, standard);
}

struct str agent_config_lines(const struct agent_config *c, const char *resource)
{
    return object_named(c, "lines:", resource, "oLines");
}
