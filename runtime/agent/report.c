/* report.c - the two answers that the service gives itself. */
#include "agent/report.h"
#include "agent/private.h"
#include "value/json.h"

static void text_or_null(struct buf *b, struct str s)
{
    if (s.n && str_utf8_valid(s)) json_put_string(b, s);
    else buf_puts(b, "null");
}

void agent_report_health(struct buf *b, const struct agent_report *r)
{
    char utc[24], local[24];
    unsigned scans = 0;
    agent__time_text(r->now_ms, true, utc);
    agent__time_text(r->now_ms + (int64_t)r->offset_minutes * 60000, false, local);
    buf_printf(b, "{\"protocol\":1,\"agent\":\"%s\",\"bitness\":%d,\"sage\":", AGENT_VERSION, (int)sizeof(void *) * 8);
    text_or_null(b, r->sage);
    buf_printf(b, ",\"clock\":{\"utc\":\"%s\",\"local\":\"%s\",\"tzOffsetMinutes\":%d},\"queue\":%u,\"companies\":[", utc, local, r->offset_minutes, r->queue);
    for (unsigned i = 0; i < r->n; i++) {
        const struct agent_company *c = &r->company[i];
        int64_t age_s = c->session_ms && r->now_ms > c->session_ms ? (r->now_ms - c->session_ms) / 1000 : 0;
        buf_puts(b, i ? ",{\"code\":" : "{\"code\":");
        json_put_string(b, c->code);
        buf_printf(b, ",\"opens\":%s,\"sessionAgeSeconds\":%lld,\"lastError\":", c->opens ? "true" : "false", (long long)age_s);
        text_or_null(b, c->trouble);
        buf_byte(b, '}');
    }
    buf_puts(b, "],\"scans\":[");
    for (unsigned i = 0; i < r->n; i++)
        for (int t = 0; t < AGENT_TABLES; t++) {
            const struct agent_scan *s = &r->company[i].scan[t];
            if (!s->success_ms) continue;
            agent__time_text(s->success_ms, true, utc);
            buf_puts(b, scans++ ? ",{\"company\":" : "{\"company\":");
            json_put_string(b, r->company[i].code);
            buf_printf(b, ",\"resource\":\"%s\",\"lastSuccess\":\"%s\",\"rows\":%llu,\"seconds\":%llu.%03u,\"unreadable\":%llu}", agent_tables[t].resource, utc,
                       (unsigned long long)s->rows, (unsigned long long)(s->ms / 1000), (unsigned)(s->ms % 1000), (unsigned long long)s->unreadable);
        }
    buf_puts(b, "]}");
}

void agent_report_companies(struct buf *b, const struct agent_report *r)
{
    buf_puts(b, "{\"companies\":[");
    for (unsigned i = 0; i < r->n; i++) {
        const struct agent_company *c = &r->company[i];
        buf_puts(b, i ? ",{\"code\":" : "{\"code\":");
        json_put_string(b, c->code);
        buf_puts(b, ",\"name\":");
        json_put_string(b, c->name.n && str_utf8_valid(c->name) ? c->name : c->code);
        buf_printf(b, ",\"opens\":%s,\"epoch\":", c->opens ? "true" : "false");
        json_put_string(b, c->epoch);
        buf_puts(b, ",\"resources\":");
        if (c->resources.n) buf_str(b, c->resources);
        else buf_puts(b, "[]");
        buf_byte(b, '}');
    }
    buf_puts(b, "]}");
}
