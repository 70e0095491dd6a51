/* progress.c - one line that is redrawn on a terminal; plain lines, one per phase and every few seconds, otherwise. */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>

enum { REDRAW_MS = 100, LINE_MS = 5000 };
static struct { int64_t last_ms; char phase[64]; bool drawn; } shown;

static void format(const struct engine_progress *p, char *out, size_t n)
{
    snprintf(out, n, "%s%s%-8s read %llu, changed %llu, made %llu, updated %llu, to write %llu%s", p->flow, *p->flow ? ": " : "", p->phase,
             (unsigned long long)p->rows, (unsigned long long)p->changed, (unsigned long long)p->inserted, (unsigned long long)p->updated,
             (unsigned long long)p->pending, p->failed || p->rejected ? ", set aside" : "");
    size_t len = strlen(out);
    if ((p->failed || p->rejected) && len < n) snprintf(out + len, n - len, " %llu", (unsigned long long)(p->failed + p->rejected));
}

void progress_show(void *ctx, const struct engine_progress *p)
{
    const struct cli *c = ctx;
    int64_t now = world_mono_ms(&c->world);
    char phase[64], line[200];
    snprintf(phase, sizeof phase, "%s/%s", p->flow, p->phase);
    bool turn = strcmp(phase, shown.phase) != 0;
    if (!turn && now - shown.last_ms < (c->terminal ? REDRAW_MS : LINE_MS)) return;
    if (!c->terminal && turn && now - shown.last_ms < LINE_MS && shown.last_ms) return;
    snprintf(shown.phase, sizeof shown.phase, "%s", phase);
    shown.last_ms = now;
    format(p, line, sizeof line);
    if (c->terminal) fprintf(stderr, "\r\033[K%s", line);
    else fprintf(stderr, "%s\n", line);
    shown.drawn = c->terminal;
}

void progress_end(void)
{
    if (shown.drawn) fputs("\r\033[K", stderr);
    shown.drawn = false;
}
