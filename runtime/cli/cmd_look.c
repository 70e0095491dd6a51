/* cmd_look.c - status, why, audit: looking without touching, also beside a running mlcd. */
#include "cli/cli.h"
#include "connectors/connector.h"
#include "journal/verify/verify.h"
#include "secret/secret.h"
#include "value/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- status ---- */
struct status { const struct cli *c; int flows; bool difference; };

static void print_time(const char *label, int64_t ms)
{
    char t[25] = "never";
    if (ms) world_format_ms(ms, t);
    printf("  %-12s %s\n", label, t);
}

static void status_json(struct str name, const struct flow_state *st, bool first)
{
    struct buf b = {0};
    buf_puts(&b, first ? "" : ",");
    buf_puts(&b, "{\"flow\":");
    json_put_string(&b, name);
    buf_printf(&b, ",\"put_back\":%llu", (unsigned long long)st->put_back);
    if (st->job.n) {
        buf_puts(&b, ",\"bulk_write\":");
        json_put_string(&b, st->job);
    }
    buf_puts(&b, ",\"trouble\":");
    json_put_string(&b, st->trouble);
    buf_printf(&b, ",\"linked\":%llu,\"locked\":%llu,\"no_answer\":%llu,\"violated\":%llu", (unsigned long long)st->linked, (unsigned long long)st->locked,
               (unsigned long long)st->no_answer, (unsigned long long)st->violated);
    const struct { const char *name; int64_t ms; } times[] = {{"last_poll", st->last_poll_ms}, {"last_full", st->last_full_ms}, {"last_keys", st->last_sweep_ms}};
    for (size_t i = 0; i < 3; i++) {
        char t[25];
        world_format_ms(times[i].ms, t);
        if (times[i].ms) buf_printf(&b, ",\"%s\":\"%s\"", times[i].name, t);
        else buf_printf(&b, ",\"%s\":null", times[i].name);
    }
    for (unsigned s = 0; s < ROW_STATE_COUNT; s++) buf_printf(&b, ",\"%s\":%llu", row_state_name(s), (unsigned long long)st->counts[s]);
    buf_puts(&b, "}");
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

static enum err status_flow(void *arg, struct str name, const struct flow_state *st)
{
    struct status *s = arg;
    if (s->c->flow && !str_is(name, s->c->flow)) return ERR_OK;
    for (unsigned k = 0; k < ROW_STATE_COUNT; k++)
        if (k != ROW_CLEAN && k != ROW_LEFT && k != ROW_GONE && st->counts[k]) s->difference = true;
    if (s->c->json) {
        status_json(name, st, s->flows++ == 0);
        return ERR_OK;
    }
    s->flows++;
    printf("%.*s\n", (int)name.n, name.p);
    for (unsigned k = 0; k < ROW_STATE_COUNT; k++)
        if (st->counts[k] || k == ROW_CLEAN) printf("  %-12s %8llu  %s\n", row_state_name(k), (unsigned long long)st->counts[k], row_state_text(k));
    if (st->locked) printf("  %-12s %8llu  in use in the source; asked for again and again\n", "LOCKED", (unsigned long long)st->locked);
    if (st->no_answer) printf("  %llu values had no answer (bad phone, unknown code ...) and were left empty\n", (unsigned long long)st->no_answer);
    if (st->violated) printf("  %llu rows broke what the schema declares of the source\n", (unsigned long long)st->violated);
    if (st->job.n) printf("  a bulk write is under way: job %.*s\n", (int)st->job.n, st->job.p);
    if (st->trouble.n) printf("  %-12s %8s  %.*s\n", "STOPPED", "", (int)st->trouble.n, st->trouble.p);
    if (st->put_back) printf("  %llu records that people had changed in the target were put back (guard)\n", (unsigned long long)st->put_back);
    print_time("last poll", st->last_poll_ms);
    print_time("last full", st->last_full_ms);
    return ERR_OK;
}

static void print_causes(const struct cli *c, const struct view_cause *causes, size_t n)
{
    struct buf b = {0};
    if (c->json) buf_puts(&b, "],\"causes\":[");
    else if (n) buf_puts(&b, "\nset aside, waiting or retried, by cause\n");
    for (size_t i = 0; i < n; i++) {
        const struct view_cause *v = &causes[i];
        if (!c->json) {
            buf_printf(&b, "  %6llu %-9s %s\n         e.g. %s; mlcd why %s\n", (unsigned long long)v->count, row_state_name(v->state), v->why, v->example, v->example);
            continue;
        }
        buf_printf(&b, "%s{\"flow\":", i ? "," : "");
        json_put_string(&b, v->flow);
        buf_printf(&b, ",\"state\":\"%s\",\"count\":%llu,\"cause\":\"%s\",\"why\":", row_state_name(v->state), (unsigned long long)v->count, v->code);
        json_put_string(&b, str_of(v->why));
        buf_puts(&b, ",\"example\":");
        json_put_string(&b, str_of(v->example));
        buf_byte(&b, '}');
    }
    if (c->json) buf_puts(&b, "]");
    fwrite(b.p ? b.p : "", 1, b.n, stdout);
    buf_free(&b);
}

/* Channels of notifications as the last look at them left them: STATE/channels.TARGET, lines of module, what, until. */
struct channels { const struct cli *c; struct arena *a; int n; };

static void one_channel(struct channels *ch, struct str target, struct str line)
{
    struct str part[3] = {{"", 0}, {"", 0}, {"", 0}};
    int64_t until = 0;
    char t[25] = "never";
    for (size_t i = 0; i < 3 && line.n; i++) {
        const char *tab = memchr(line.p, '\t', line.n);
        part[i] = (struct str){line.p, tab && i < 2 ? (size_t)(tab - line.p) : line.n};
        line = tab && i < 2 ? (struct str){tab + 1, line.n - part[i].n - 1} : (struct str){"", 0};
    }
    if (!str_to_i64(part[2], &until)) return;
    if (until) world_format_ms(until, t);
    if (ch->c->json)
        printf("%s{\"target\":\"%.*s\",\"module\":\"%.*s\",\"what\":\"%.*s\",\"until\":%s%s%s}", ch->n ? "," : "", (int)target.n, target.p, (int)part[0].n,
               part[0].p, (int)part[1].n, part[1].p, until ? "\"" : "", until ? t : "null", until ? "\"" : "");
    else
        printf("%s  %-20.*s %-10.*s %s\n", ch->n ? "" : "\nnotifications (module, what, until)\n", (int)part[0].n, part[0].p, (int)part[1].n, part[1].p,
               until ? t : "not there; made again soon");
    ch->n++;
}

static void file_of_channels(void *arg, const char *name)
{
    struct channels *ch = arg;
    struct str text;
    struct fault f;
    if (strncmp(name, "channels.", 9) != 0 || strstr(name, ".tmp")) return;
    const char *path = arena_printf(ch->a, "%s/%s", ch->c->state, name);
    if (world_read_file(&ch->c->world, path, 1 << 16, ch->a, &text, &f) != ERR_OK) return;
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        size_t n = nl ? (size_t)(nl - text.p) : text.n;
        one_channel(ch, str_of(name + 9), (struct str){text.p, n});
        text = nl ? (struct str){nl + 1, text.n - n - 1} : (struct str){"", 0};
    }
}

static void print_channels(const struct cli *c, struct arena *a)
{
    struct channels ch = {c, a, 0};
    if (c->json) fputs(",\"channels\":[", stdout);
    (void)c->world.files.list(c->world.files.ctx, c->state, file_of_channels, &ch);
    if (c->json) fputs("]", stdout);
}

int cmd_status(struct cli *c)
{
    if (c->site) return site_status_command(c);
    struct view *v;
    struct fault f = {ERR_OK, ""};
    enum err err = cli_view(c, &v, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    struct status s = {c, 0, false};
    struct arena a;
    struct view_cause *causes = NULL;
    size_t n = 0;
    uint64_t used, size;
    arena_init(&a, 0);
    if (c->json) fputs("{\"flows\":[", stdout);
    err = store_flows(view_store(v), status_flow, &s);
    if (err == ERR_OK) err = view_causes(v, &a, &causes, &n, &f);
    if (err == ERR_OK) print_causes(c, causes, n);
    print_channels(c, &a);
    store_usage(view_store(v), &used, &size);
    if (c->json) printf(",\"index_bytes\":%llu,\"index_map_bytes\":%llu}\n", (unsigned long long)used, (unsigned long long)size);
    else if (used > size / 10 * 7) printf("\nALARM: the index map is %llu %% full; raise --index-map\n", (unsigned long long)(used * 100 / size));
    if (!c->json && s.flows == 0) puts("no flow has run yet");
    arena_free(&a);
    view_close(v);
    if (err != ERR_OK) return cli_fail(c, f.err ? &f : &(struct fault){err, "the index cannot be read"});
    return c->detailed && s.difference ? 2 : 0;
}

/* ---- why ---- */
struct why_print { const struct cli *c; uint64_t n; uint64_t seq; };

static void why_json(const struct view_write *w)
{
    struct buf b = {0};
    char t[25];
    world_format_ms(w->time_ms, t);
    buf_printf(&b, "{\"time\":\"%s\",\"seq\":%llu,\"image\":\"%s\",\"line\":%u", t, (unsigned long long)w->seq, w->image, w->line);
    const struct { const char *name; struct str s; } parts[] = {{"flow", str_of(w->flow)}, {"outcome", str_of(w->outcome)}, {"id", w->id}, {"field", w->field},
                                                               {"before", w->before}, {"after", w->after}, {"rule", w->expr}, {"inputs", w->inputs}, {"file", w->file}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_printf(&b, ",\"%s\":", parts[i].name);
        json_put_string(&b, parts[i].s);
    }
    buf_puts(&b, "}\n");
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
}

static void on_write(void *ctx, const struct view_write *w)
{
    struct why_print *p = ctx;
    char t[25];
    p->n++;
    if (p->c->json) {
        why_json(w);
        return;
    }
    world_format_ms(w->time_ms, t);
    if (p->seq != w->seq) printf("%s  %s, record %.*s, %s (log entry %llu)\n", t, w->flow, (int)w->id.n, w->id.p, w->outcome, (unsigned long long)w->seq);
    p->seq = w->seq;
    printf("    %.*s: %.*s -> %.*s\n", (int)w->field.n, w->field.p, (int)w->before.n, w->before.p, (int)w->after.n, w->after.p);
    if (w->expr.n) printf("        because  %.*s = %.*s\n", (int)w->field.n, w->field.p, (int)w->expr.n, w->expr.p);
    if (w->inputs.n) printf("        with     %.*s\n", (int)w->inputs.n, w->inputs.p);
    if (w->line) printf("        in       %.*s:%u, compiled as %s\n", (int)w->file.n, w->file.p, w->line, w->image);
}

int cmd_why(struct cli *c)
{
    struct view *v;
    struct fault f;
    struct why_print p = {c, 0, 0};
    if (c->argc < 1 || c->argc > 2) {
        fprintf(stderr, "usage: mlcd why KEY [FIELD], e.g. mlcd why ABC~01~ABF Credit_Status\n");
        return 64;
    }
    enum err err = cli_view(c, &v, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    err = view_why(v, c->flow, str_of(c->argv[0]), c->argc > 1 ? str_of(c->argv[1]) : (struct str){"", 0}, on_write, &p, &f);
    view_close(v);
    if (err != ERR_OK) return cli_fail(c, &f);
    if (p.n == 0 && !c->json) printf("%s is known, but %s%s was never written\n", c->argv[0], c->argc > 1 ? "its field " : "it", c->argc > 1 ? c->argv[1] : "");
    return 0;
}

/* ---- audit ---- */
static void on_entry(void *ctx, struct str json)
{
    (void)ctx;
    fwrite(json.p, 1, json.n, stdout);
    putchar('\n');
}

static uint64_t number(const char *s)
{
    int64_t n = 0;
    return s && str_to_i64(str_of(s), &n) ? (uint64_t)n : 0;
}

static int audit_show(struct cli *c)
{
    struct view *v;
    struct fault f;
    enum err err = cli_view(c, &v, &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    struct view_filter flt = {c->flow, c->key ? str_of(c->key) : (struct str){NULL, 0}, number(c->from), number(c->to), c->kind, c->sealed};
    err = view_log(v, &flt, on_entry, NULL, &f);
    view_close(v);
    return err == ERR_OK ? 0 : cli_fail(c, &f);
}

/* For the auditor: what checkpoints are signed with. */
static int audit_key(struct cli *c)
{
    struct secret_store *s = NULL;
    struct fault f;
    unsigned char pk[32];
    enum err err = secret_open_read(&s, &c->world, c->state, c->key_file, getenv("CREDENTIALS_DIRECTORY"), &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    secret_public_key(s, pk);
    secret_close(s);
    if (c->json) fputs("{\"public_key\":\"", stdout);
    for (size_t i = 0; i < sizeof pk; i++) printf("%02x", pk[i]);
    puts(c->json ? "\"}" : "");
    return 0;
}

static int audit_verify(struct cli *c)
{
    struct secret_store *s = NULL;
    struct fault f;
    unsigned char pk[32];
    char dir[4096];
    enum err err = secret_open_read(&s, &c->world, c->state, c->key_file, getenv("CREDENTIALS_DIRECTORY"), &f);
    if (err != ERR_OK) return cli_fail(c, &f);
    secret_public_key(s, pk);
    secret_close(s);
    snprintf(dir, sizeof dir, "%s/journal", c->state);
    struct verify_options o = {.dir = dir, .public_key = pk, .checkpoints = c->checkpoints, .live = true};
    struct verify_report r;
    bool ok = verify_log(&o, &r);
    verify_print(&r, c->json, true, stdout);
    return ok ? 0 : 3;
}

int cmd_audit(struct cli *c)
{
    if (c->argc == 1 && strcmp(c->argv[0], "verify") == 0) return audit_verify(c);
    if (c->argc == 1 && strcmp(c->argv[0], "key") == 0) return audit_key(c);
    if (c->argc == 1 && (strcmp(c->argv[0], "show") == 0 || strcmp(c->argv[0], "export") == 0)) return audit_show(c);
    fprintf(stderr, "usage: mlcd audit verify [--checkpoints FILE] | key | show | export [--from SEQ] [--to SEQ] [--kind KIND] [--key KEY] [--flow NAME] [--public]\n");
    return 64;
}
