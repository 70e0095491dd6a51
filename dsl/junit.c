/* junit.c - see junit.h. */
#include "dsl/junit.h"

static size_t character(struct str s)
{
    for (size_t len = 1; len <= 4 && len <= s.n; len++)
        if (str_utf8_valid((struct str){s.p, len})) return len;
    return 0;
}

/* What the Char production of XML 1.0 admits. */
static bool admitted(struct str c)
{
    unsigned char first = (unsigned char)c.p[0];
    if (c.n == 1) return first >= 0x20 || first == '\n' || first == '\t';
    return !(c.n == 3 && first == 0xef && (unsigned char)c.p[1] == 0xbf && (unsigned char)c.p[2] >= 0xbe);       /* U+FFFE, U+FFFF */
}

static void put(struct buf *out, struct str s, bool attribute)
{
    while (s.n) {
        size_t len = character(s);
        struct str c = {s.p, len ? len : 1};
        if (!len || !admitted(c)) buf_puts(out, "\xef\xbf\xbd");
        else if (*c.p == '&') buf_puts(out, "&amp;");
        else if (*c.p == '<') buf_puts(out, "&lt;");
        else if (*c.p == '>') buf_puts(out, "&gt;");
        else if (*c.p == '"') buf_puts(out, "&quot;");
        else if (attribute && (*c.p == '\n' || *c.p == '\t')) buf_printf(out, "&#%d;", *c.p);
        else buf_put(out, c.p, c.n);
        s = (struct str){s.p + c.n, s.n - c.n};
    }
}

static void attribute(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, " %s=\"", name);
    put(out, value, true);
    buf_byte(out, '"');
}

void junit_begin(struct junit *j) { *j = (struct junit){.cases = 0}; }

void junit_case(struct junit *j, const struct junit_case *c)
{
    struct buf *out = &j->body;
    j->cases++;
    buf_puts(out, "    <testcase");
    attribute(out, "classname", c->suite);
    attribute(out, "name", c->name);
    if (c->file.n) attribute(out, "file", c->file);
    if (c->line) buf_printf(out, " line=\"%u\"", (unsigned)c->line);
    if (!c->what && c->detail.n == 0) {
        buf_puts(out, "/>\n");
        return;
    }
    const char *element = c->what ? "failure" : "system-out";
    buf_printf(out, ">\n      <%s", element);
    if (c->what) {
        j->failures++;
        attribute(out, "type", str_of(c->what));
        attribute(out, "message", c->message);
    }
    buf_byte(out, '>');
    put(out, c->detail, false);
    buf_printf(out, "</%s>\n    </testcase>\n", element);
}

void junit_end(struct junit *j, const char *suite, struct buf *out)
{
    buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n  <testsuite", j->cases, j->failures);
    attribute(out, "name", str_of(suite));
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", j->cases, j->failures);
    buf_str(out, buf_view(&j->body));
    buf_puts(out, "  </testsuite>\n</testsuites>\n");
    buf_free(&j->body);
}
