/* win.h - the Windows side of the agent: what its files share.
 *
 *   main.c     commands                        service.c  install, start, stop, remove, the service's life
 *   door.c     http.sys: requests in, answers out, limits, token
 *   pool.c     one child process per session: spawned, watched, ended when it hangs, recycled, closed when idle
 *   child.c    the child: core.h over session.c
 *   session.c  COM by late binding              com.c   IDispatch: names, arguments, texts
 *   place.c    folder, ini file, secrets (DPAPI), epochs, log, clock
 *   check.c    what works, and what to do about what does not */
#ifndef AGENT_WIN_H
#define AGENT_WIN_H
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0601
#endif
#define COBJMACROS
#include <windows.h>
#include <oleauto.h>
#include "agent/core.h"
#include "agent/pipe.h"
#include "agent/report.h"

#define AGENT_SERVICE L"mlc-boi-agent"

/* ---- place.c ---- */
struct place {
    wchar_t dir[MAX_PATH + 1];           /* of the EXE, or --dir; ends with a backslash */
    struct arena arena;
    struct agent_config config;
    struct str token, password;
    struct str epoch[AGENT_COMPANIES_MAX];
};
enum place_need { PLACE_BARE, PLACE_CONFIG, PLACE_SECRETS };
/* Reads agent.ini, agent.secret (as far as `need` says) and agent.state; missing epochs are made. False: what is wrong stands in f. */
bool place_open(struct place *p, const wchar_t *dir, enum place_need need, struct fault *f);
bool place_save_secrets(const struct place *p, struct fault *f);
/* A new epoch for one company; all cursors of it expire. */
bool place_renew_epoch(struct place *p, unsigned company, struct fault *f);
bool place_write_file(const struct place *p, const wchar_t *name, struct str content, struct fault *f);
bool place_read_file(const struct place *p, const wchar_t *name, struct buf *out);
void place_random_text(char *out, size_t n);                       /* n letters and digits, NUL */
struct agent_host place_host(void);
int64_t place_wall_ms(void);
wchar_t *place_wide(struct arena *a, struct str utf8);
struct str place_narrow(struct arena *a, const wchar_t *s);
/* One line into agent.log (and to the console with `run`); errors and warnings of a service also to the event log. */
void place_log(const struct place *p, WORD event_type, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
extern bool place_is_service;

/* ---- com.c ---- */
struct com_name { const wchar_t *name; DISPID id; };
struct com_object { IDispatch *disp; struct com_name known[24]; unsigned nknown; };
enum { COM_CALL = DISPATCH_METHOD | DISPATCH_PROPERTYGET };
/* Arguments in their natural order; result may be NULL. */
HRESULT com_call(struct com_object *o, const wchar_t *name, VARIANT *args, unsigned n, VARIANT *result);
VARIANT com_text(const char *cp1252, size_t n);          /* the caller clears it */
VARIANT com_wide(const wchar_t *s);
void com_bytes(const VARIANT *v, struct buf *out);       /* a value as cp1252 text */
bool com_true(const VARIANT *v);                         /* a number other than 0 */
bool com_is_exception(HRESULT hr);
struct str com_why(HRESULT hr, char out[160]);

/* ---- session.c ---- */
struct session;
/* Starts Sage's interpreter and opens the company. NULL: why stands in trouble (UTF-8); *broken: a COM failure, not Sage's word. */
struct session *session_open(const struct place *p, struct str company, struct buf *trouble, bool *broken);
void session_close(struct session *s);
struct agent_sage session_face(struct session *s);
struct str session_name(const struct session *s);        /* the company's name, UTF-8, "" unknown */

/* ---- child.c ---- */
int child_main(struct place *p, struct str company, struct str epoch);

/* ---- pool.c ---- */
struct pool;
struct pool *pool_start(struct place *p);
void pool_stop(struct pool *pool);
/* Answers a request for a company; never longer than the limits of the ini file. body: into out. */
void pool_answer(struct pool *pool, unsigned company, const struct agent_request *q, const struct agent_route *r, struct agent_answer *out);
void pool_health(struct pool *pool, struct buf *b);
void pool_companies(struct pool *pool, struct buf *b);

/* ---- door.c ---- */
struct door;
struct door *door_open(struct place *p, struct pool *pool, struct fault *f);
void door_close(struct door *d);

/* ---- service.c ---- */
int service_install(struct place *p, int argc, char **argv);
int service_control(const char *what);
int service_remove(void);
int service_main(void);                                  /* called by Windows */
int service_run(struct place *p);                        /* in the foreground, until Ctrl-C or end of input */

/* ---- check.c ---- */
int check_main(struct place *p, bool opened, const struct fault *f);
#endif
