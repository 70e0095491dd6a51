/* cmd_diff.c - mlc diff: two versions of a spec compared by meaning, as a command and as git's external diff driver.
 *
 *   mlc diff OLD NEW                                       two .mlc or .mlcb files
 *   mlc diff PATH OLD HEX MODE NEW HEX MODE [NEWPATH META] as git calls it: OLD and NEW are copies that lie elsewhere, /dev/null is no file;
 *                                                          always ends with 0, because git stops at anything else
 *   mlc diff PATH                                          git again, of a file that is not merged */
#include "compiler/cli/cli.h"
#include "compiler/diff/diff.h"
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_UNAPPROVED = 2, GIT_ARGS = 7, GIT_RENAME_ARGS = 9, MAX_APPROVALS_BYTES = 4 << 20 };

const char cmd_diff_help[] =
    "  OLD and NEW are specs (.mlc) or compiled files (.mlcb); /dev/null stands for no file. Also git's external diff (docs/diff.md).\n"
    "  --format=FORMAT  text (default), json, markdown for a pull request, sarif\n"
    "  --fail-on=LIST   exit 2 when one of these is found and not approved: state, target, data, text, any, or a rule (D205, filter)\n"
    "  --flow NAME      only this flow\n"
    "  --approvals FILE the approvals kept in git; stale ones are named\n"
    "  --approve WHY    append an approval of every finding that has none (of --fail-on, if given) to the file\n"
    "  --by NAME        who approves (default: USER)\n";

struct input { struct compile c; struct image *im; bool opened; };

/* ---- options ---- */

static bool value_option(const char *name, const char **to, char **argv, int argc, int *i, int *rc)
{
    size_t n = strlen(name);
    const char *arg = argv[*i];
    if (strncmp(arg, name, n) != 0 || (arg[n] != 0 && arg[n] != '=')) return false;
    *rc = 0;
    if (arg[n] == '=') *to = arg + n + 1;
    else if (++*i < argc) *to = argv[*i];
    else {
        fprintf(stderr, "mlc diff: %s needs a value\n", name);
        *rc = EXIT_USAGE;
    }
    return true;
}

int cmd_diff_option(struct cli *cli, char **argv, int argc, int *i)
{
    int rc = -1;
    if (strcmp(argv[*i], "--json") == 0) {
        cli->diff.format = "json";
        return 0;
    }
    if (value_option("--format", &cli->diff.format, argv, argc, i, &rc) || value_option("--fail-on", &cli->diff.fail_on, argv, argc, i, &rc) ||
        value_option("--approvals", &cli->diff.approvals, argv, argc, i, &rc) || value_option("--flow", &cli->diff.flow, argv, argc, i, &rc) ||
        value_option("--approve", &cli->diff.approve, argv, argc, i, &rc) || value_option("--by", &cli->diff.by, argv, argc, i, &rc))
        return rc;
    return -1;
}

/* A word of --fail-on means a rule: by its category, its id or its name. */
static bool means(struct str word, const struct diff_rule_info *r)
{
    return str_is(word, "any") || str_is(word, diff_category_name(r->category)) || str_is(word, r->id) || str_is(word, r->name);
}

/* "state,D301" -> which rules; false on an unknown word. */
static bool rules_of(const char *list, bool out[RULE_COUNT])
{
    while (*list) {
        struct str word = {list, strcspn(list, ",")};
        bool known = false;
        for (unsigned i = 0; i < RULE_COUNT; i++) {
            if (!means(word, &diff_rules[i])) continue;
            known = out[i] = true;
        }
        if (!known) {
            fprintf(stderr, "mlc diff: --fail-on takes state, target, data, text, any, and rules by id or name (docs/diff.md), not %.*s\n", (int)word.n, word.p);
            return false;
        }
        list += word.n;
        if (*list == ',') list++;
    }
    return true;
}

/* ---- reading both ---- */

static bool no_file(const char *path) { return strcmp(path, "/dev/null") == 0; }

static bool is_compiled(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && strcmp(path + n - 5, ".mlcb") == 0;
}

/* shown: the path that people know the file by; what it names lies beside that. */
static int open_input(struct cli *cli, struct input *in, const char *path, const char *shown)
{
    struct fault f = {0};
    if (no_file(path)) return EXIT_FINE;
    in->opened = true;
    if (is_compiled(path)) return cli_image(cli, &in->c, path, &in->im);
    enum err err = compile_open_as(&in->c, &cli->world, path, shown, &f);
    if (err != ERR_OK) return cli_fail(cli, &f);
    if (in->c.diags.nerrors == 0) in->im = compile_image(&in->c);
    if (in->im) return EXIT_FINE;
    cli->format = DIAG_FORMAT_TEXT;
    cli_report(cli, &in->c);
    fprintf(stderr, "mlc diff: %s does not compile: there is nothing to compare\n", shown);
    return EXIT_DATA;
}

static void close_inputs(struct input in[2])
{
    for (int k = 0; k < 2; k++)
        if (in[k].opened) compile_close(&in[k].c);
}

static struct diff_side side_of(const struct input *in, const char *shown)
{
    return (struct diff_side){in->im, in->im && in->c.spec ? &in->c : NULL, shown};
}

/* ---- approvals ---- */

static int read_approvals(struct cli *cli, struct approvals *ap, struct str *text, struct arena *a)
{
    struct fault f = {0};
    char why[400];
    enum err err = world_read_file(&cli->world, cli->diff.approvals, MAX_APPROVALS_BYTES, a, text, &f);
    if (err == ERR_NOT_FOUND) *text = (struct str){"", 0};
    else if (err != ERR_OK) return cli_fail(cli, &f);
    if (approvals_read(ap, cli->diff.approvals, *text, a, why, sizeof why)) return EXIT_FINE;
    fprintf(stderr, "mlc diff: %s\n", why);
    return EXIT_DATA;
}

static const char *approver(const struct cli *cli)
{
    const char *who = cli->diff.by ? cli->diff.by : getenv("USER");
    if (!who || !*who) who = getenv("LOGNAME");
    return who && *who ? who : "somebody";
}

/* Appends a line for each finding that has none; the others in the file stay as they are. */
static int approve(struct cli *cli, const struct diff *d, const bool which[RULE_COUNT], struct str old_text)
{
    struct buf b = {0};
    struct fault f = {0};
    size_t n = 0;
    int rc = EXIT_FINE;
    buf_str(&b, old_text);
    if (b.n && b.p[b.n - 1] != '\n') buf_byte(&b, '\n');
    for (const struct diff_finding *x = d->first; x != NULL; x = x->next) {
        if (x->approved || !which[x->rule]) continue;
        approvals_line(&b, x, approver(cli), cli->diff.approve);
        n++;
    }
    if (n && world_write_file(&cli->world, cli->diff.approvals, buf_view(&b), 0644, &f) != ERR_OK) rc = cli_fail(cli, &f);
    else printf("%zu finding%s approved in %s\n", n, n == 1 ? "" : "s", cli->diff.approvals);
    buf_free(&b);
    return rc;
}

/* ---- the command ---- */

static int verdict(const struct diff *d, const bool fail[RULE_COUNT])
{
    for (const struct diff_finding *f = d->first; f != NULL; f = f->next)
        if (!f->approved && fail[f->rule]) return EXIT_UNAPPROVED;
    return EXIT_FINE;
}

static int finish(struct cli *cli, struct diff *d, struct approvals *ap, struct str text, enum diff_format format)
{
    bool fail[RULE_COUNT] = {false};
    const char *list = cli->diff.fail_on ? cli->diff.fail_on : cli->diff.approve ? "any" : "";
    struct buf out = {0};
    if (!rules_of(list, fail)) return EXIT_USAGE;
    if (cli->diff.approve) return approve(cli, d, fail, text);
    diff_print(d, ap->path ? ap : NULL, format, &out);
    cli_write(&out);
    buf_free(&out);
    return verdict(d, fail);
}

static bool has_flow(const struct image *im, const char *name)
{
    return im && image_flow_named(im, str_of(name));
}

static int compare(struct cli *cli, struct input in[2], const char *const shown[2], enum diff_format format)
{
    struct arena a;
    struct diff d;
    struct approvals ap = {0};
    struct str text = {"", 0};
    int rc = EXIT_FINE;
    if (cli->diff.flow && !has_flow(in[0].im, cli->diff.flow) && !has_flow(in[1].im, cli->diff.flow)) {
        fprintf(stderr, "mlc diff: neither version has a flow %s\n", cli->diff.flow);
        return EXIT_USAGE;
    }
    arena_init(&a, 0);
    if (cli->diff.approvals) rc = read_approvals(cli, &ap, &text, &a);
    if (rc == EXIT_FINE) {
        diff_specs(&d, &a, side_of(&in[0], shown[0]), side_of(&in[1], shown[1]), cli->diff.flow);
        approvals_apply(&ap, &d);
        rc = finish(cli, &d, &ap, text, format);
    }
    arena_free(&a);
    return rc;
}

/* As git calls it. What cannot be compared is said, and git goes on. */
static int run_git(struct cli *cli, enum diff_format format)
{
    struct input in[2];
    const char *const files[2] = {cli->args[1], cli->args[4]}, *const shown[2] = {cli->args[0], cli->args[cli->nargs == GIT_RENAME_ARGS ? 7 : 0]};
    int rc = EXIT_FINE;
    memset(in, 0, sizeof in);
    printf("mlc diff %s\n", shown[1]);
    fflush(stdout);
    for (int k = 0; k < 2 && rc == EXIT_FINE; k++) rc = open_input(cli, &in[k], files[k], shown[k]);
    if (rc == EXIT_FINE) compare(cli, in, shown, format);
    else printf("%s: cannot be compared by meaning\n", shown[1]);
    close_inputs(in);
    return EXIT_FINE;
}

/* git says how many paths it compares; nobody else sets that. */
static bool unmerged(const struct cli *cli)
{
    return cli->nargs == 1 && getenv("GIT_DIFF_PATH_TOTAL");
}

int cmd_diff(struct cli *cli)
{
    struct input in[2];
    const char *const shown[2] = {cli->args[0], cli->args[1]};
    enum diff_format format = DIFF_FORMAT_TEXT;
    int rc = EXIT_FINE;
    if (cli->diff.format && !diff_format_find(cli->diff.format, &format)) {
        fprintf(stderr, "mlc diff: the formats are text, json, markdown and sarif, not %s\n", cli->diff.format);
        return EXIT_USAGE;
    }
    if (cli->diff.approve && !cli->diff.approvals) {
        fprintf(stderr, "mlc diff: --approve needs --approvals FILE to write to\n");
        return EXIT_USAGE;
    }
    if (cli->nargs == GIT_ARGS || cli->nargs == GIT_RENAME_ARGS) return run_git(cli, format);
    if (unmerged(cli)) {
        printf("mlc diff %s\n%s: is not merged yet\n", cli->args[0], cli->args[0]);
        return EXIT_FINE;
    }
    if (cli->nargs != 2) {
        fprintf(stderr, "mlc diff: two files are compared; git gives 7 or 9 arguments\n");
        return EXIT_USAGE;
    }
    memset(in, 0, sizeof in);
    for (int k = 0; k < 2 && rc == EXIT_FINE; k++) rc = open_input(cli, &in[k], shown[k], shown[k]);
    if (rc == EXIT_FINE) rc = compare(cli, in, shown, format);
    close_inputs(in);
    return rc;
}
