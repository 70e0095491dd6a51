/* cli_test.c - the commands of mlc as a user or a CI job sees them: exit codes, files written, what goes to standard output. Each command runs in
 * a child process with its output in a file. */
#include "compiler/cli/cli.h"
#include "compiler/compile.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/mlc-cli-XXXXXX";
static struct world world;
static struct arena arena;
static int failures;

static const char spec_text[] =
    "mlc 1\n"
    "spec \"cli\"\n"
    "import file\n"
    "source feed: file { path = \"in\" }\n"
    "target out: file { path = \"out\" }\n"
    "entity feed.Rows {\n"
    "  key No: text(1..20)\n"
    "  Name: text(20)?\n"
    "}\n"
    "entity out.Records {\n"
    "  Key: text(60) @unique\n"
    "  Name: text(20)\n"
    "}\n"
    "flow f from feed.Rows to out.Records {\n"
    "  every 1h\n"
    "  key Key\n"
    "  when Name != \"skip\"\n"
    "  Name = Name ?? reject \"no name\"\n"
    "}\n"
    "test \"a name\" of f {\n"
    "  given  { No = \"1\"  Name = \"x\" }\n"
    "  expect { Name = \"x\" }\n"
    "}\n";

static void check(bool ok, const char *name, const char *out)
{
    if (ok) printf("ok %s\n", name);
    else {
        printf("not ok %s: %s\n", name, out);
        failures++;
    }
}

static const char *path(const char *name)
{
    return arena_printf(&arena, "%s/%s", dir, name);
}

static void save(const char *name, const char *text)
{
    struct fault f;
    if (world_write_file(&world, path(name), str_of(text), 0600, &f) != ERR_OK) {
        printf("not ok setup: %s\n", f.text);
        exit(1);
    }
}

static const char *load(const char *name)
{
    struct str s = {0};
    struct fault f;
    return world_read_file(&world, path(name), 1u << 20, &arena, &s, &f) == ERR_OK ? s.p : "(no file)";
}

/* Runs a command with its three streams on files; its exit code, 255 for a crash. */
static int run(int (*command)(struct cli *cli), struct cli cli, const char *input)
{
    fflush(stdout);
    save("stdin", input);
    pid_t pid = fork();
    if (pid == 0) {
        int in = open(path("stdin"), O_RDONLY), out = open(path("stdout"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        int err = open(path("stderr"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(254);
        int rc = command(&cli);
        fflush(stdout);
        _exit(rc);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return 255;
    return WEXITSTATUS(status);
}

static struct cli with(const char *command, const char *a, const char *b)
{
    struct cli c = {.world = world, .command = command, .args = {a, b}, .nargs = b ? 2 : 1};
    return c;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void checks_and_builds(void)
{
    const char *spec = path("cli.mlc"), *out;
    struct cli c = with("check", spec, NULL);
    c.proof = true;
    int rc = run(cmd_check, c, "");
    out = load("stdout");
    check(rc == 0 && has(out, "ASSUMED  Name") && has(out, "1 proved, 0 guarded, 1 assumed"), "check --proof", out);
    save("bad.mlc", "mlc 1\nspec \"x\"\nimport sage10\n");
    c = with("check", path("bad.mlc"), NULL);
    rc = run(cmd_check, c, "");
    check(rc == EXIT_FINDINGS && has(load("stderr"), "error E0206") && load("stdout")[0] == 0, "check: text on stderr, exit 3", load("stderr"));
    c.format = DIAG_FORMAT_JSON;
    rc = run(cmd_check, c, "");
    check(rc == EXIT_FINDINGS && has(load("stdout"), "E0206") && load("stderr")[0] == 0, "check --json: on stdout", load("stdout"));
    rc = run(cmd_check, with("check", path("none.mlc"), NULL), "");
    check(rc == err_exit_code(ERR_NOT_FOUND), "check: no such file", load("stderr"));
    rc = run(cmd_build, with("build", spec, NULL), "");
    check(rc == 0 && strlen(load("stdout")) > 64, "build prints the content hash", load("stdout"));
    struct cli twice = with("build", spec, NULL);
    twice.output = path("again.mlcb");
    struct str x, y;
    struct fault f;
    rc = run(cmd_build, twice, "");
    bool same = world_read_file(&world, path("cli.mlcb"), 1u << 20, &arena, &x, &f) == ERR_OK &&
                world_read_file(&world, path("again.mlcb"), 1u << 20, &arena, &y, &f) == ERR_OK && str_eq(x, y);
    check(rc == 0 && same, "build -o: the same bytes", "they differ");
}

/* The specs under examples/: clean, in the canonical layout, their tests green. Run from the top of the project. */
static void examples(void)
{
    static const char *const specs[] = {"examples/customers/customers.mlc", "examples/language/language.mlc", "examples/sage100-zoho/distribution.mlc"};
    static const char *const parts[] = {"examples/customers/customers.mlc", "examples/language/language.mlc", "examples/language/sales.mlc",
                                        "examples/language/ledger.mlc", "examples/language/lookups.mlc", "examples/sage100-zoho/distribution.mlc",
                                        "examples/sage100-zoho/fields.mlc", "examples/sage100-zoho/lookups.mlc", "examples/sage100-zoho/parties.mlc",
                                        "examples/sage100-zoho/catalog.mlc", "examples/sage100-zoho/sales.mlc", "examples/sage100-zoho/receivables.mlc",
                                        "examples/sage100-zoho/purchasing.mlc", "examples/sage100-zoho/ledger.mlc"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct cli c = with("check", specs[i], NULL);
        c.proof = true;
        int rc = run(cmd_check, c, "");
        check(rc == 0 && load("stderr")[0] == 0 && has(load("stdout"), " proved, ") && has(load("stdout"), " 0 assumed"), arena_printf(&arena, "%s: clean and proved", specs[i]), load("stderr"));
        rc = run(cmd_test, with("test", specs[i], NULL), "");
        check(rc == 0 && has(load("stdout"), " passed, 0 failed"), arena_printf(&arena, "%s: its tests", specs[i]), load("stdout"));
    }
    check(has(load("stdout"), "ok an order, a comment is no item"), "lines are among them", load("stdout"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct cli c = with("fmt", parts[i], NULL);
        c.check = true;
        check(run(cmd_fmt, c, "") == 0, arena_printf(&arena, "%s: canonical", parts[i]), load("stderr"));
    }
}

/* A test of lines that fails says which line and field. */
static void failing_lines(void)
{
    save("lines.mlc", "mlc 1\nspec \"lines\"\nimport file\nsource feed: file { path = \"in\" }\ntarget out: file { path = \"out\" }\n"
                      "entity feed.Orders { key No: text(1..9)  Lines: lines(Parts)? }\nentity feed.Parts @lines_of(Orders) { key No: text(1..9)  key Pos: text(1..3)  Count: number(5) }\n"
                      "entity out.Records { Key: text(60) @unique  Items: lines(Items) }\nentity out.Items @lines_of(Records) { Count: number(5) }\n"
                      "flow f from feed.Orders to out.Records {\n  every 1h\n  key Key\n  Items = each l in Lines { key l.Pos  Count = l.Count }\n}\n"
                      "test \"a\" of f {\n  given { No = \"1\"  Lines { Pos = \"1\"  Count = 5 }  Lines { Pos = \"2\"  Count = 6 } }\n"
                      "  expect { Items { Count = 5 }  Items { Count = 7 } }\n}\n"
                      "test \"b\" of f {\n  given { No = \"1\" }\n  expect { Items { Count = 5 } }\n}\n");
    int rc = run(cmd_test, with("test", path("lines.mlc"), NULL), "");
    const char *out = load("stdout");
    check(rc == EXIT_FINDINGS && has(out, "line 2, Count: expected 7, got 6") && has(out, "Items: expected 1 line, got 0") && has(out, "0 passed, 2 failed"), "lines that differ", out);
    rc = run(cmd_eval, with("eval", path("lines.mlc"), "f"), "{\"No\":\"1\",\"Lines\":[{\"Pos\":\"1\",\"Count\":\"5\"}]}");
    check(rc == 0 && str_is(str_of(load("stdout")), "{\"Items\":[{\"@key\":\"1\",\"Count\":5}]}\n"), "eval of lines", load("stdout"));
}

static void evaluates(void)
{
    static const char rows[] = "{\"No\":\"1\",\"Name\":\"x\"}\n\nnonsense\n{\"No\":\"2\"}\n{\"No\":\"3\",\"Name\":\"skip\"}\n";
    static const char want[] = "{\"Name\":\"x\"}\n{\"error\":\"not a JSON value\"}\n{\"reject\":\"no name\"}\n{\"skip\":true}\n";
    int rc = run(cmd_eval, with("eval", path("cli.mlc"), "f"), rows);
    check(rc == EXIT_FINDINGS && strcmp(load("stdout"), want) == 0 && has(load("stderr"), "line 3"), "eval names the bad line and goes on", load("stdout"));
    rc = run(cmd_eval, with("eval", path("cli.mlcb"), "f"), "{\"No\":\"1\",\"Name\":\"x\"}");
    check(rc == 0 && strcmp(load("stdout"), "{\"Name\":\"x\"}\n") == 0, "eval of a compiled file, last line without line feed", load("stdout"));
    rc = run(cmd_eval, with("eval", path("cli.mlc"), "g"), "");
    check(rc == EXIT_USAGE && has(load("stderr"), "it has: f"), "eval: unknown flow", load("stderr"));
    struct str s;
    struct fault f;
    if (world_read_file(&world, path("cli.mlcb"), 1u << 20, &arena, &s, &f) == ERR_OK) {
        char *bytes = arena_copy(&arena, s.p, s.n);
        bytes[s.n / 2] ^= 1;
        world_write_file(&world, path("broken.mlcb"), (struct str){bytes, s.n}, 0600, &f);
    }
    rc = run(cmd_eval, with("eval", path("broken.mlcb"), "f"), "");
    check(rc == EXIT_DATA && has(load("stderr"), "not usable"), "eval: a damaged compiled file", load("stderr"));
}

static void tests_specs(void)
{
    int rc = run(cmd_test, with("test", path("cli.mlc"), NULL), "");
    check(rc == 0 && strcmp(load("stdout"), "ok a name\n1 passed, 0 failed\n") == 0, "test passes", load("stdout"));
    save("fail.mlc", arena_printf(&arena, "%s%s", spec_text,
         "test \"wrong name\" of f { given { No = \"1\"  Name = \"x\" }  expect { Name = \"y\" } }\n"
         "test \"no reject\" of f { given { No = \"1\"  Name = \"x\" }  expect reject \"no name\" }\n"
         "test \"other reject\" of f { given { No = \"1\" }  expect reject \"why\" }\n"
         "test \"rejected\" of f { given { No = \"1\" }  expect { Name = \"x\" } }\n"
         "test \"left\" of f { given { No = \"1\"  Name = \"skip\" }  expect { Name = \"skip\" } }\n"
         "test \"not left\" of f { given { No = \"1\"  Name = \"x\" }  expect leave }\n"
         "test \"leaves\" of f { given { No = \"1\"  Name = \"skip\" }  expect leave }\n"));
    rc = run(cmd_test, with("test", path("fail.mlc"), NULL), "");
    const char *out = load("stdout");
    check(rc == EXIT_FINDINGS && has(out, "2 passed, 6 failed"), "test counts failures", out);
    check(has(out, "Name: expected \"y\", got \"x\"") && has(out, "rejected: \"no name\"") && has(out, "`when` is false") && has(out, "expected leave"),
          "test says what differs", out);
    rc = run(cmd_test, with("test", path("cli.mlcb"), NULL), "");
    check(rc == EXIT_USAGE, "test of a compiled file", load("stderr"));
}

/* Coverage and the forms for tools; two of three branches of the spec's filter and rule are reached. */
static void measures(void)
{
    struct cli c = with("test", path("cli.mlc"), NULL);
    const char *out;
    c.test.coverage = true;
    int rc = run(cmd_test, c, "");
    out = load("stdout");
    check(rc == 0 && has(out, "not reached: ") && has(out, "cli.mlc:17:8: f.when: `Name != \"skip\"` being false\n") && has(out, "cli.mlc:18:18: f.Name: the right of `??`: `reject \"no name\"`\n") &&
          has(out, "coverage: 3 of 5 branches, 60 %\n1 passed, 0 failed\n"), "test --coverage", out);
    c.test.min = "60";
    check(run(cmd_test, c, "") == 0, "test --min: enough", load("stderr"));
    c.test.min = "60.1";
    check(run(cmd_test, c, "") == EXIT_FINDINGS && has(load("stderr"), "coverage is 60 %, below 60.1 %"), "test --min: too little", load("stderr"));
    c.test.min = "all";
    check(run(cmd_test, c, "") == EXIT_USAGE, "test --min: no number", load("stderr"));
    c.test.min = NULL;
    c.format = DIAG_FORMAT_JSON;
    rc = run(cmd_test, c, "");
    json_t *j = json_loads(load("stdout"), 0, NULL), *cover = json_object_get(j, "coverage");
    check(rc == 0 && json_integer_value(json_object_get(j, "passed")) == 1 && json_integer_value(json_object_get(cover, "branches")) == 5 && json_integer_value(json_object_get(cover, "reached")) == 3 &&
          json_array_size(json_object_get(cover, "missed")) == 2 && json_integer_value(json_object_get(json_array_get(json_object_get(cover, "missed"), 0), "line")) == 17, "test --json", load("stdout"));
    json_decref(j);
    c.args[0] = path("fail.mlc");
    rc = run(cmd_test, c, "");
    j = json_loads(load("stdout"), 0, NULL);
    json_t *difference = json_array_get(json_object_get(json_array_get(json_object_get(j, "tests"), 1), "differences"), 0);
    check(rc == EXIT_FINDINGS && json_integer_value(json_object_get(j, "failed")) == 6 && difference && strcmp(json_string_value(json_object_get(difference, "expected")), "\"y\"") == 0,
          "test --json of failures", load("stdout"));
    json_decref(j);
    c.format = DIAG_FORMAT_JUNIT;
    rc = run(cmd_test, c, "");
    out = load("stdout");
    check(rc == EXIT_FINDINGS && has(out, "<testsuite name=\"mlc test\" tests=\"9\" failures=\"6\"") && has(out, "message=\"Name: expected &quot;y&quot;, got &quot;x&quot;\"") && has(out, "classname=\"coverage\""), "test --format=junit", out);
    c.format = DIAG_FORMAT_GITHUB;
    rc = run(cmd_test, c, "");
    out = load("stdout");
    check(rc == EXIT_FINDINGS && has(out, "::error title=wrong name,file=") && has(out, "::Name: expected \"y\", got \"x\"\n"), "test --format=github", out);
    c.format = DIAG_FORMAT_SARIF;
    check(run(cmd_test, c, "") == EXIT_USAGE, "test --format=sarif is refused", load("stderr"));
}

static void shows(void)
{
    save("neat.mlc", spec_text);
    struct cli c = with("fmt", path("neat.mlc"), NULL);
    check(run(cmd_fmt, c, "") == 0, "fmt", load("stderr"));
    c.check = true;
    check(run(cmd_fmt, c, "") == 0, "fmt --check of a canonical file", load("stderr"));
    save("loose.mlc", "mlc 1\nspec    \"x\"\n");
    c.args[0] = path("loose.mlc");
    check(run(cmd_fmt, c, "") == EXIT_FINDINGS && has(load("loose.mlc"), "spec    "), "fmt --check of another changes nothing", load("loose.mlc"));
    c.check = false;
    check(run(cmd_fmt, c, "") == 0 && has(load("loose.mlc"), "spec \"x\""), "fmt in place", load("loose.mlc"));
    check(run(cmd_dis, with("dis", path("cli.mlcb"), NULL), "") == 0 && has(load("stdout"), "REJECT"), "dis", load("stdout"));
    static const struct { const char *stage, *part; } stages[] = {{"tokens", "NAME"}, {"ast", "flow"}, {"ir", "(reject \"no name\")"}, {"code", "PRESENT"}};
    for (size_t i = 0; i < 4; i++) {
        c = with("dump", path("cli.mlc"), NULL);
        c.dump = stages[i].stage;
        check(run(cmd_dump, c, "") == 0 && has(load("stdout"), stages[i].part), arena_printf(&arena, "dump --dump=%s", stages[i].stage), load("stdout"));
    }
    c.dump = "soup";
    check(run(cmd_dump, c, "") == EXIT_USAGE, "dump of an unknown stage", load("stderr"));
    check(run(cmd_explain, with("explain", "e0401", NULL), "") == 0 && has(load("stdout"), "## After"), "explain", load("stdout"));
    check(run(cmd_explain, with("explain", "E9999", NULL), "") == EXIT_USAGE, "explain of an unknown code", load("stderr"));
}

int main(void)
{
    world_real(&world);
    arena_init(&arena, 0);
    if (!mkdtemp(dir)) return 1;
    save("cli.mlc", spec_text);
    checks_and_builds();
    examples();
    failing_lines();
    evaluates();
    tests_specs();
    measures();
    shows();
    if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0) failures++;
    arena_free(&arena);
    return failures ? 1 : 0;
}
