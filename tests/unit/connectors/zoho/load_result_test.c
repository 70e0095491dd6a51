/* load_result_test.c - the result file of a bulk job as somebody may have made it: lines, cells, quotes, headers; zips that are none, cut, spoilt, locked or larger
 * than they look; addresses; and what the calls before it may answer. */
#include "routes.h"
#include <zip.h>

static struct rig r;
#define OF(text) (int)(text).n, (text).p ? (text).p : ""

/* ---- zips ---- */

static void zip_of(struct buf *out, const struct str *files, size_t n)
{
    zip_error_t e;
    zip_error_init(&e);
    buf_clear(out);
    zip_source_t *s = zip_source_buffer_create(NULL, 0, 0, &e);
    zip_t *z = zip_open_from_source(s, ZIP_TRUNCATE, &e);
    zip_source_keep(s);
    for (size_t i = 0; i < n; i++) {
        char name[20];
        snprintf(name, sizeof name, "%zu.csv", i);
        (void)zip_file_add(z, name, zip_source_buffer(z, files[i].p, files[i].n, 0), 0);
        (void)zip_set_file_compression(z, i, ZIP_CM_DEFLATE, 1);
    }
    bool good = zip_close(z) == 0 && zip_source_open(s) == 0;
    char part[4096];
    for (zip_int64_t k; good && (k = zip_source_read(s, part, sizeof part)) > 0;) buf_str(out, (struct str){part, (size_t)k});
    check(good && out->n > 0, "a zip is made", "none");
    zip_source_close(s);
    zip_source_free(s);
}

/* ---- what is told ---- */

static void tell(void *ctx, struct str key, struct write_item *it)
{
    buf_printf(ctx, "%.*s %s %.*s/%.*s/%.*s|%.*s\n", OF(key), class_name(it->cls), OF(it->code), OF(it->field), OF(it->out_id), OF(it->message));
}

static const char *told_at(const char *where)
{
    struct buf b = {0};
    uint64_t lines = 0;
    enum err e = zoho__load_result(r.t, str_of(where), STR("Key"), tell, &b, &lines, &r.f);
    size_t n = 0;
    for (size_t i = 0; i < b.n; i++) n += b.p[i] == '\n';
    const char *text = e != ERR_OK ? arena_printf(&r.arena, "error %d %s", e, r.f.text) : n != lines ? "another number of lines" : arena_copy(&r.arena, b.p ? b.p : "", b.n);
    buf_free(&b);
    return text;
}

static const char *told(struct str zip)
{
    say_bytes("/result.zip", 200, zip.p, zip.n);
    return told_at(RIG_URL "/result.zip");
}

#define HEAD "Key,STATUS,RECORD_ID,ERRORS\n"
static const struct { const char *csv, *want; } files[] = {
    {"", ""}, {"\n\n\n", ""}, {HEAD, ""}, {HEAD "A,ADDED,7,", "A APPLIED //7|\n"}, {HEAD "A,ADDED,7,\r\nB,ADDED,8,\r\n", "A APPLIED //7|\nB APPLIED //8|\n"},
    {HEAD "A,ADDED,,\n", "A AMBIGUOUS ADDED//|an outcome that is not known\n"}, {HEAD "A,ADDED\n", "A AMBIGUOUS ADDED//|an outcome that is not known\n"},
    {HEAD "A,added,7,\n", "A AMBIGUOUS added//|an outcome that is not known\n"}, {HEAD "A,,7,\n", "A AMBIGUOUS //|an outcome that is not known\n"},
    {HEAD "A,UNPROCESSED,,\n", "A RETRY UNPROCESSED//|the job did not get to it\n"}, {HEAD "A,SKIPPED,,\n", "A AMBIGUOUS //|\n"}, {HEAD "A,SKIPPED\n", "A AMBIGUOUS //|\n"},
    {HEAD "A,SKIPPED,,INVALID_DATA\n", "A REJECTED INVALID_DATA//|INVALID_DATA\n"}, {HEAD "A,SKIPPED,,INVALID_DATA-Fax\n", "A REJECTED INVALID_DATA/Fax/|INVALID_DATA-Fax\n"},
    {HEAD "A,SKIPPED,,INVALID_DATA-\n", "A REJECTED INVALID_DATA//|INVALID_DATA-\n"}, {HEAD "A,SKIPPED,,-Fax\n", "A AMBIGUOUS /Fax/|-Fax\n"}, {HEAD "A,SKIPPED,,:\n", "A AMBIGUOUS //|:\n"},
    {HEAD "A,SKIPPED,,\"MANDATORY_NOT_FOUND-Company,Last_Name:DUPLICATE_DATA-Key\"\n", "A REJECTED MANDATORY_NOT_FOUND/Company/|MANDATORY_NOT_FOUND-Company,Last_Name:DUPLICATE_DATA-Key\n"},
    {HEAD "A,SKIPPED,,DUPLICATE_DATA-Key\n", "A DUP_OWN DUPLICATE_DATA/Key/|DUPLICATE_DATA-Key\n"}, {HEAD "A,SKIPPED,,DUPLICATE_DATA-Email\n", "A DUP_OTHER DUPLICATE_DATA/Email/|DUPLICATE_DATA-Email\n"},
    {HEAD "A,SKIPPED,,OF_TOMORROW-Key\n", "A REJECTED OF_TOMORROW/Key/|OF_TOMORROW-Key\n"},
    /* columns in any order, too many, too few, none of ours */
    {"errors,x,record_id,Status,Key\n,,7,ADDED,A\n", "A APPLIED //7|\n"}, {"Key,STATUS\nA,ADDED\nB,SKIPPED\n", "A AMBIGUOUS ADDED//|an outcome that is not known\nB AMBIGUOUS //|\n"},
    {"KEY,STATUS,RECORD_ID\nA,ADDED,7\n", ""}, {"Key,RECORD_ID\nA,7\n", ""}, {HEAD "A\nB,ADDED,8,\n", "B APPLIED //8|\n"},
    {"1,2,3,4,5,6,7,8,9,10,11,12,13,14,STATUS,Key,RECORD_ID,ERRORS\n1,2,3,4,5,6,7,8,9,10,11,12,13,14,UNPROCESSED,A,7,8\n", "A RETRY UNPROCESSED//|the job did not get to it\n"},
    {HEAD "A,ADDED,7,,,,,,,,,,,,,,,,,,,,\n", "A APPLIED //7|\n"},
    /* quotes */
    {"\"Key\",\"STATUS\",\"RECORD_ID\"\n\"A,\"\"B\"\"\n\",ADDED,\"7\"\n", "A,\"B\"\n APPLIED //7|\n"}, {HEAD "\"A\"x,ADDED,7,\n", "Ax APPLIED //7|\n"}, {HEAD "A\"B,ADDED,7,\n", "A\"B APPLIED //7|\n"},
    {HEAD "\"\",ADDED,7,\n", " APPLIED //7|\n"}, {HEAD "A,ADDED,7,\"never closed\n", "A APPLIED //7|\n"}, {HEAD "\"A,ADDED,7,\n", ""}, {HEAD "A,ADDED,\"", "A AMBIGUOUS ADDED//|an outcome that is not known\n"},
    {HEAD "\r\rA\r,ADDED,7\r,\n", "A APPLIED //7|\n"}};

static void test_lines(void)
{
    struct buf zip = {0};
    routes_open(&r, "enterprise");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct str csv = str_of(files[i].csv);
        zip_of(&zip, &csv, 1);
        const char *got = told(buf_view(&zip));
        bool multi = strstr(files[i].want, "A,\"B\"\n") != NULL;      /* a key over two lines is one line told, and two of the text */
        check(multi ? strcmp(got, "another number of lines") == 0 : strcmp(got, files[i].want) == 0, arena_printf(&r.arena, "csv %zu", i), got);
    }
    const struct str two[] = {STR(HEAD "A,ADDED,7,\nB,ADD"), STR("STATUS,Key\nUNPROCESSED,C\n"), STR("")};
    zip_of(&zip, two, 3);
    check(strcmp(told(buf_view(&zip)), "A APPLIED //7|\nB AMBIGUOUS ADD//|an outcome that is not known\nC RETRY UNPROCESSED//|the job did not get to it\n") == 0,
          "each file has a header of its own", told(buf_view(&zip)));
    buf_free(&zip);
    rig_close(&r);
}

/* ---- zips that are not what they say ---- */

static void test_zips(void)
{
    struct buf zip = {0};
    const struct str csv = STR(HEAD "A,ADDED,7,\nA,ADDED,7,\nA,ADDED,7,\nA,ADDED,7,\n");
    routes_open(&r, "enterprise");
    check(strstr(told(STR("no zip")), "is no zip") != NULL, "bytes that are none", told(STR("no zip")));
    check(strcmp(told((struct str){"PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22}), "") == 0, "a zip of nothing", told(STR("")));
    zip_of(&zip, &csv, 1);
    size_t read = 0, all = zip.n;
    for (size_t n = 0; n < all; n++) read += strncmp(told((struct str){zip.p, n}), "error", 5) != 0;
    check(read == 0, "a zip that is cut, at every byte", arena_printf(&r.arena, "%zu were read", read));
    struct buf spoilt = {0};
    for (size_t i = 35; i < 50; i++) {
        buf_clear(&spoilt);
        buf_str(&spoilt, buf_view(&zip));
        spoilt.p[i] ^= 0x55;
        read += strncmp(told(buf_view(&spoilt)), "error", 5) != 0;
    }
    check(read == 0 && strstr(r.f.text, "cannot be unpacked"), "a zip whose bytes are spoilt", r.f.text);
    buf_clear(&spoilt);
    buf_str(&spoilt, buf_view(&zip));
    const char *centre = memmem(spoilt.p, spoilt.n, "PK\1\2", 4);
    spoilt.p[6] |= 1;
    spoilt.p[(size_t)(centre - spoilt.p) + 8] |= 1;
    check(strstr(told(buf_view(&spoilt)), "cannot be unpacked") != NULL, "a zip under a password", told(buf_view(&spoilt)));
    buf_free(&spoilt);
    buf_free(&zip);
    rig_close(&r);
}

/* 8 MiB of one byte in a few kilobytes, as often as it takes. */
static void test_bombs(void)
{
    enum { PIECE = 8 << 20, PIECES = 33 };
    struct buf zip = {0};
    char *piece = malloc(PIECE);
    struct str list[PIECES];
    routes_open(&r, "enterprise");
    if (!piece) return;
    memset(piece, '\r', PIECE);
    for (size_t i = 0; i < PIECES; i++) list[i] = (struct str){piece, PIECE};
    zip_of(&zip, list, PIECES);
    check(zip.n < 2 << 20 && strstr(told(buf_view(&zip)), "is above 256 MiB"), "264 MiB in a zip of two", r.f.text);
    memset(piece, 'x', PIECE);
    zip_of(&zip, list, 1);
    check(strstr(told(buf_view(&zip)), "a cell in the result of a bulk write job is above 1 MiB") != NULL, "a cell of 8 MiB", told(buf_view(&zip)));
    memset(piece, '"', PIECE);
    check((zip_of(&zip, list, 1), strstr(told(buf_view(&zip)), "above 1 MiB")) != NULL, "a cell of 4 MiB of quotes", told(buf_view(&zip)));
    free(piece);
    buf_free(&zip);
    rig_close(&r);
}

/* ---- where the result is ---- */

static void test_addresses(void)
{
    static const struct { const char *where, *asked; } cases[] = {
        {RIG_URL "/a/result.zip", RIG_URL "/a/result.zip"}, {"https://evil.test/a?b=c", RIG_URL "/a?b=c"}, {"http://evil.test/a", RIG_URL "/a"}, {"https://evil.test", RIG_URL "/"},
        {"a/b", RIG_URL "/a/b"}, {"/a/b", RIG_URL "/a/b"}, {"", RIG_URL "/"}, {"https://www.zohoapis.com/x", "https://www.zohoapis.com/x"}, {"https://www.zohoapis.com.evil.test/x", RIG_URL "/x"},
        {"ftp://evil.test/x", RIG_URL "/ftp://evil.test/x"}, {"https://me@www.zohoapis.com/x", RIG_URL "/x"}, {"https://", RIG_URL "/"}, {"https:///x", RIG_URL "/x"}};
    routes_open(&r, "enterprise");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)told_at(cases[i].where);
        check(strncmp(r.last_url, "GET ", 4) == 0 && strcmp(r.last_url + 4, cases[i].asked) == 0, cases[i].where, r.last_url);
    }
    rig_close(&r);
}

/* ---- the calls before ---- */

static struct load *load_of(const struct target_field *fields, size_t n)
{
    struct load *l = NULL;
    if (zoho__load_new(r.t, STR("Accounts"), fields, n, &l, &r.f) != ERR_OK) check(false, "a load", r.f.text);
    return l;
}

static void test_calls(void)
{
    struct target_field fields[] = {{.name = STR("Key"), .type = {.base = T_TEXT}}, {.name = STR("Day"), .type = {.base = T_DATE}}, {.name = STR("At"), .type = {.base = T_INSTANT}},
                                    {.name = STR("To"), .type = {.base = T_LINK}}};
    struct str file, job, where;
    enum load_state state;
    routes_open(&r, "enterprise");
    struct load *l = load_of(fields, 4);
    static const char *const uploads[] = {"{}", "[]", "{\"details\":{}}", "{\"details\":{\"file_id\":7}}", "{\"details\":"};
    for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++) {
        say("/upload", 200, uploads[i]);
        check(zoho__load_upload(r.t, l, &r.arena, &file, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "names no file"), uploads[i], r.f.text);
    }
    say("/upload", 400, "{\"code\":\"NO_PERMISSION\",\"message\":\"m\"}");
    check(zoho__load_upload(r.t, l, &r.arena, &file, &r.f) == ERR_PERMISSION, "an upload that is refused", r.f.text);
    static const struct { int status; const char *body; enum err want; } jobs[] = {
        {201, "{\"details\":{\"id\":\"77\"}}", ERR_OK}, {201, "{}", ERR_AMBIGUOUS}, {200, "{\"details\":{\"id\":\"77\"}}", ERR_AMBIGUOUS}, {201, "", ERR_AMBIGUOUS}, {204, "", ERR_AMBIGUOUS},
        {500, "", ERR_AMBIGUOUS}, {400, "{\"code\":\"INVALID_DATA\",\"message\":\"m\"}", ERR_REJECTED}, {302, "", ERR_REJECTED}, {404, "x", ERR_REJECTED}};
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        say("/bulk/v8/write", jobs[i].status, jobs[i].body);
        enum err e = zoho__load_start(r.t, l, STR("f1"), &r.arena, &job, &r.f);
        check(e == jobs[i].want, arena_printf(&r.arena, "a job answered %d %s", jobs[i].status, jobs[i].body), r.f.text);
    }
    check(strstr(r.last_body, "\"api_name\":\"Day\",\"index\":1,\"format\":\"yyyy-MM-dd\"") && strstr(r.last_body, "\"find_by\":\"id\"") &&
          strstr(r.last_body, "\"api_name\":\"At\",\"index\":2,\"format\":\"yyyy-MM-dd'T'HH:mm:ssXXX\""), "dates, times and links are described", r.last_body);
    static const struct { const char *body; int want; } looks[] = {
        {"{\"status\":\"COMPLETED\",\"result\":{\"download_url\":\"/x\"}}", LOAD_DONE}, {"{\"status\":\"SKIPPED\",\"result\":{\"download_url\":\"/x\"}}", LOAD_DONE}, {"{\"status\":\"COMPLETED\"}", LOAD_FAILED},
        {"{\"status\":\"SKIPPED\",\"result\":{\"download_url\":7}}", LOAD_FAILED}, {"{\"status\":\"FAILED\"}", LOAD_FAILED}, {"{\"status\":\"FAILURE\"}", LOAD_FAILED}, {"{\"status\":\"ADDED\"}", LOAD_RUNNING},
        {"{\"status\":\"OF_TOMORROW\"}", LOAD_RUNNING}, {"{\"status\":7}", -1}, {"{}", -1}, {"[", -1}};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        say("/bulk/v8/write", 200, looks[i].body);
        enum err e = zoho__load_look(r.t, STR("12345678901234567890123456789012345678901234567890"), &r.arena, &state, &where, &r.f);
        check(looks[i].want < 0 ? e == ERR_PROTOCOL : e == ERR_OK && (int)state == looks[i].want, looks[i].body, r.f.text);
    }
    check(strlen(strrchr(r.last_url, '/')) == 41, "of a job's id as much as one can be", r.last_url);
    say("/bulk/v8/write", 204, "");
    check(zoho__load_look(r.t, STR("1"), &r.arena, &state, &where, &r.f) == ERR_PROTOCOL, "a state of no words", r.f.text);
    r.t->meta.org.known = false;
    say("/org", 200, "{}");
    check(zoho__load_upload(r.t, l, &r.arena, &file, &r.f) == ERR_PROTOCOL && strstr(r.f.text, "no organisation"), "no organisation, no upload", r.f.text);
    zoho__load_free(l);
    zoho__load_free(NULL);
    rig_close(&r);
}

/* What no file of a load can hold. */
static void test_limits(void)
{
    struct target_field many[201];
    struct load *l;
    char long_name[201];
    routes_open(&r, "enterprise");
    memset(long_name, 'n', 200);
    long_name[200] = '\0';
    for (size_t i = 0; i < 201; i++) many[i] = (struct target_field){.name = STR("Key"), .type = {.base = T_TEXT}};
    check(zoho__load_new(r.t, STR("Accounts"), many, 201, &l, &r.f) == ERR_UNSUPPORTED && strstr(r.f.text, "takes 200 fields"), "201 fields", r.f.text);
    check(zoho__load_new(r.t, str_of(long_name), many, 1, &l, &r.f) == ERR_UNSUPPORTED, "a module's name of 200 bytes", r.f.text);
    many[1].name = str_of(long_name);
    check(zoho__load_new(r.t, STR("Accounts"), many, 2, &l, &r.f) == ERR_UNSUPPORTED, "a field's name of 200 bytes", r.f.text);
    l = load_of(many, 1);
    char *text = arena_alloc(&r.arena, (26 << 20) + 1);
    memset(text, 'x', 26 << 20);
    text[26 << 20] = '\0';
    struct record big = rig_record(&r, (const char *const[]){"Key", text, NULL}), small = rig_record(&r, (const char *const[]){"Key", "k", NULL});
    check(!zoho__load_add(l, &big) && zoho__load_count(l) == 0 && zoho__load_add(l, &small) && zoho__load_count(l) == 1, "a record larger than the file leaves no trace", "it does");
    zoho__load_free(l);
    rig_close(&r);
}

int main(void)
{
    test_lines();
    test_zips();
    test_bombs();
    test_addresses();
    test_calls();
    test_limits();
    return failures ? 1 : 0;
}
