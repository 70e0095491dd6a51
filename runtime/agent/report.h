/* report.h - health and companies (facts/sage-100.md 9.3), from what the service knows: Sage is not asked, so they answer while it hangs. */
#ifndef AGENT_REPORT_H
#define AGENT_REPORT_H
#include "agent/core.h"

struct agent_scan { int64_t success_ms; uint64_t rows, ms, unreadable; };     /* success_ms 0: never */
struct agent_company {
    struct str code, name, epoch, trouble, resources;    /* trouble "" none; resources: a JSON array, "" not known yet */
    bool opens;
    int64_t session_ms;                                  /* when the session was opened, 0: none */
    struct agent_scan scan[AGENT_TABLES];
};
struct agent_report { const struct agent_company *company; unsigned n; unsigned queue; struct str sage; int64_t now_ms; int offset_minutes; };
void agent_report_health(struct buf *b, const struct agent_report *r);
void agent_report_companies(struct buf *b, const struct agent_report *r);
#endif
