/* cmd_test.c - mlc test: the spec's own tests, through the same vm that runs in production, and how much of the spec they reach.
 *
 *   trial.c runs a test, cover.c counts branches; here is only what people and CI servers get to read. */
#include "compiler/cli/cli.h"
#include "compiler/cover.h"
#include "compiler/trial.h"
#include "dsl/junit.h"
#include "value/json.h"
#include <stdio.h>

struct results {
    struct cli *cli;
    struct compile *c;
    struct trial **list; size_t n, failed;
    struct cover *cover;               /* NULL: not asked for */
    unsigned min_tenths; bool has_min;
};

static struct place place_of(const struct results *r, struct span at) { return source_place(&r->c->sources, at); }

/* ---- the difference in words ---- */

static void put_difference(struct buf *out, const struct trial_difference *d)
{
    if (d->line) buf_printf(out, "line %zu, ", d->line);
    buf_printf(out, "%.*s: expected %s, got %s", (int)d->field.n, d->field.p, d->expected, d->got);
}

static void put_failure(struct buf *out, const struct trial *t, const char *before)
{
    if (t->why) buf_printf(out, "%s%s\n", before, t->why);
    for (const struct trial_difference *d = t->differences; d != NULL; d = d->next) {
        buf_puts(out, before);
        put_difference(out, d);
        buf_byte(out, '\n');
    }
}

/* "33.3", "100" */
static const char *percent(unsigned tenths, char *buf, size_t n)
{
    if (tenths % 10) snprintf(buf, n, "%u.%u", tenths / 10, tenths % 10);
    else snprintf(buf, n, "%u", tenths / 10);
    return buf;
}

/* ---- text ---- */

static void text_coverage(const struct results *r, struct buf *out)
{
    char rate[16];
    size_t n;
    struct cover_sum s = cover_sum(r->cover);
    struct cover_item **missed = cover_missed(r->cover, &n);
    for (size_t i = 0; i < n; i++) {
        struct place p = place_of(r, missed[i]->at);
        buf_printf(out, "not reached: %.*s:%u:%u: %.*s: %s\n", (int)p.source->name.n, p.source->name.p, p.line, p.column, (int)missed[i]->where.n, missed[i]->where.p, missed[i]->what);
    }
    buf_printf(out, "coverage: %zu of %zu branches, %s %%\n", s.reached, s.branches, percent(s.tenths, rate, sizeof rate));
    if (s.unmeasured) buf_printf(out, "not measured: %zu branches whose conditions are too large\n", s.unmeasured);
}

static void print_text(const struct results *r, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        buf_printf(out, "%s %.*s\n", r->list[i]->ok ? "ok" : "not ok", (int)r->list[i]->test->title.n, r->list[i]->test->title.p);
        put_failure(out, r->list[i], "    ");
    }
    if (r->cover) text_coverage(r, out);
    buf_printf(out, "%zu passed, %zu failed\n", r->n - r->failed, r->failed);
}

/* ---- json ---- */

static void json_text(struct buf *out, const char *before, struct str s)
{
    buf_puts(out, before);
    json_put_string(out, s);
}

static void json_place(const struct results *r, struct buf *out, struct span at)
{
    struct place p = place_of(r, at);
    json_text(out, ",\"file\":", p.source->name);
    buf_printf(out, ",\"line\":%u,\"column\":%u", p.line, p.column);
}

static void json_test(const struct results *r, const struct trial *t, struct buf *out)
{
    json_text(out, "{\"title\":", t->test->title);
    json_text(out, ",\"flow\":", t->test->flow->name);
    json_place(r, out, t->test->at);
    buf_printf(out, ",\"ok\":%s,\"why\":", t->ok ? "true" : "false");
    if (t->why) json_put_string(out, str_of(t->why));
    else buf_puts(out, "null");
    buf_puts(out, ",\"differences\":[");
    for (const struct trial_difference *d = t->differences; d != NULL; d = d->next) {
        json_text(out, d == t->differences ? "{\"field\":" : ",{\"field\":", d->field);
        if (d->line) buf_printf(out, ",\"line\":%zu", d->line);
        else buf_puts(out, ",\"line\":null");
        json_text(out, ",\"expected\":", str_of(d->expected));
        json_text(out, ",\"got\":", str_of(d->got));
        buf_byte(out, '}');
    }
    buf_puts(out, "]}");
}

static void json_coverage(const struct results *r, struct buf *out)
{
    size_t n;
    struct cover_sum s = cover_sum(r->cover);
    struct cover_item **missed = cover_missed(r->cover, &n);
    buf_printf(out, ",\"coverage\":{\"branches\":%zu,\"reached\":%zu,\"unmeasured\":%zu,\"percent\":%u.%u,\"missed\":[", s.branches, s.reached, s.unmeasured, s.tenths / 10, s.tenths % 10);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s\n{\"kind\":\"%s\"", i ? "," : "", cover_kind_name(missed[i]->kind));
        json_text(out, ",\"where\":", missed[i]->where);
        json_text(out, ",\"what\":", str_of(missed[i]->what));
        json_place(r, out, missed[i]->at);
        buf_byte(out, '}');
    }
    buf_puts(out, "]}");
}

static void print_json(const struct results *r, struct buf *out)
{
    buf_puts(out, "{\"tests\":[");
    for (size_t i = 0; i < r->n; i++) {
        buf_puts(out, i ? ",\n" : "\n");
        json_test(r, r->list[i], out);
    }
    buf_printf(out, "],\"passed\":%zu,\"failed\":%zu", r->n - r->failed, r->failed);
    if (r->cover) json_coverage(r, out);
    buf_puts(out, "}\n");
}

/* ---- github, junit ---- */

static void print_github(const struct results *r, struct buf *out)
{
    size_t n = 0;
    struct cover_item **missed = r->cover ? cover_missed(r->cover, &n) : NULL;
    for (size_t i = 0; i < r->n; i++) {
        struct buf text = {0};
        struct place p = place_of(r, r->list[i]->test->at);
        if (r->list[i]->ok) continue;
        put_failure(&text, r->list[i], "");
        diag_github(out, "error", &p, r->list[i]->test->title, str_trim(buf_view(&text)));
        buf_free(&text);
    }
    for (size_t i = 0; i < n; i++) {
        struct buf text = {0};
        struct place p = place_of(r, missed[i]->at);
        buf_printf(&text, "%.*s: %s", (int)missed[i]->where.n, missed[i]->where.p, missed[i]->what);
        diag_github(out, "notice", &p, STR("no test reaches this"), buf_view(&text));
        buf_free(&text);
    }
}

static void print_junit(const struct results *r, struct buf *out)
{
    struct junit j;
    junit_begin(&j);
    for (size_t i = 0; i < r->n; i++) {
        const struct trial *t = r->list[i];
        struct place p = place_of(r, t->test->at);
        struct buf text = {0}, first = {0};
        put_failure(&text, t, "");
        if (t->why) buf_puts(&first, t->why);
        else if (t->differences) put_difference(&first, t->differences);
        junit_case(&j, &(struct junit_case){t->test->flow->name, t->test->title, p.source->name, p.line, t->ok ? NULL : "difference", buf_view(&first), buf_view(&text)});
        buf_free(&text);
        buf_free(&first);
    }
    if (r->cover) {
        struct buf text = {0};
        text_coverage(r, &text);
        bool low = r->has_min && cover_sum(r->cover).tenths < r->min_tenths;
        junit_case(&j, &(struct junit_case){.suite = STR("coverage"), .name = STR("branches"), .what = low ? "coverage" : NULL, .message = STR("below --min"), .detail = buf_view(&text)});
        buf_free(&text);
    }
    junit_end(&j, "mlc test", out);
}

/* ---- the command ---- */

/* "80", "66.5" in tenths of a percent. */
static bool read_percent(const char *s, unsigned *tenths)
{
    unsigned n = 0, digits = 0;
    for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++) n = n * 10 + (unsigned)(*s - '0');
    *tenths = n * 10;
    if (digits && *s == '.' && s[1] >= '0' && s[1] <= '9') {
        *tenths += (unsigned)(s[1] - '0');
        s += 2;
    }
    return digits && *s == 0 && *tenths <= 1000;
}

static void run_all(struct results *r, const struct image *im)
{
    struct arena *a = &r->c->arena;
    struct vm *vm = vm_new(im);
    size_t n = 0;
    for (const struct test *t = r->c->spec->tests; t != NULL; t = t->next) n++;
    r->list = ARENA_ARRAY(a, struct trial *, n + 1);
    if (r->cli->test.coverage || r->has_min) r->cover = cover_new(r->c, im);
    for (const struct test *t = r->c->spec->tests; t != NULL; t = t->next) {
        r->list[r->n] = trial_run(t, im, vm, a);
        r->failed += !r->list[r->n++]->ok;
        if (r->cover) cover_test(r->cover, t, a);
    }
    vm_free(vm);
    if (r->cover) cover_free(r->cover);
}

static int verdict(const struct results *r)
{
    char is[16], wanted[16];
    int rc = r->failed ? EXIT_FINDINGS : EXIT_FINE;
    if (!r->has_min || cover_sum(r->cover).tenths >= r->min_tenths) return rc;
    fprintf(stderr, "mlc test: coverage is %s %%, below %s %%\n", percent(cover_sum(r->cover).tenths, is, sizeof is), percent(r->min_tenths, wanted, sizeof wanted));
    return EXIT_FINDINGS;
}

static int test_spec(struct results *r, const struct image *im)
{
    static void (*const print[])(const struct results *, struct buf *) = {[DIAG_FORMAT_TEXT] = print_text, [DIAG_FORMAT_JSON] = print_json,
                                                                          [DIAG_FORMAT_GITHUB] = print_github, [DIAG_FORMAT_JUNIT] = print_junit};
    struct buf out = {0};
    run_all(r, im);
    print[r->cli->format](r, &out);
    cli_write(&out);
    buf_free(&out);
    return verdict(r);
}

int cmd_test(struct cli *cli)
{
    struct compile c;
    struct image *im;
    struct results r = {.cli = cli, .c = &c, .has_min = cli->test.min != NULL};
    if (r.has_min && !read_percent(cli->test.min, &r.min_tenths)) {
        fprintf(stderr, "mlc test: --min takes a percentage from 0 to 100, not %s\n", cli->test.min);
        return EXIT_USAGE;
    }
    if (cli->format == DIAG_FORMAT_SARIF) {
        fprintf(stderr, "mlc test: the formats are text, json, github and junit; sarif is for mlc check and mlc diff\n");
        return EXIT_USAGE;
    }
    cli->own_output = true;
    int rc = cli_image(cli, &c, cli->args[0], &im);
    if (im && c.spec) rc = test_spec(&r, im);
    else if (im) {
        fprintf(stderr, "mlc test: tests live in the spec, not in a compiled file\n");
        rc = EXIT_USAGE;
    }
    compile_close(&c);
    return rc;
}
