/* session.c - one session of Sage on one company, by late binding (facts/sage-100.md 4.1, 4.2, 4.4): the implementation of sage.h.
 *
 *   CreateObject(progid) -> Init(home) -> NewObject("SY_Session") -> nLogon, else nSetUser -> nSetCompany
 *   per table: nSetDate, nSetModule -> NewObject("AR_Customer_svc", session)
 *   end: DropObject of each, nCleanup, DropObject
 *
 * Only _svc objects, nFind and nGetResultSets: nothing here can hold a lock. All calls come from one thread, an STA. */
#include "agent/win/win.h"
#include "agent/private.h"
#include <stdio.h>
#include <stdlib.h>

enum { OBJECTS = 64 };
struct session {
    struct com_object pvx, ss;
    struct com_object object[OBJECTS]; unsigned nobjects;
    struct arena arena;
    struct str name;
};

/* ---- calls ---- */

static void clear(VARIANT *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) VariantClear(&v[i]);
}

static enum agent_reply reply_of(HRESULT hr, const VARIANT *result)
{
    if (com_is_exception(hr)) return AGENT_BROKEN;
    return SUCCEEDED(hr) && com_true(result) ? AGENT_YES : AGENT_NO;
}

/* A method with text arguments whose number decides. The arguments are cleared. */
static enum agent_reply number_call(struct com_object *o, const wchar_t *name, VARIANT *args, unsigned n)
{
    VARIANT result;
    VariantInit(&result);
    enum agent_reply r = reply_of(com_call(o, name, args, n, &result), &result);
    VariantClear(&result);
    clear(args, n);
    return r;
}

static enum agent_reply text_get(struct com_object *o, const wchar_t *name, VARIANT *args, unsigned n, struct buf *out)
{
    VARIANT result;
    VariantInit(&result);
    HRESULT hr = com_call(o, name, args, n, &result);
    if (SUCCEEDED(hr)) com_bytes(&result, out);
    VariantClear(&result);
    clear(args, n);
    return com_is_exception(hr) ? AGENT_BROKEN : SUCCEEDED(hr) ? AGENT_YES : AGENT_NO;
}

static VARIANT by_reference(VARIANT *target)
{
    VARIANT v;
    VariantInit(&v);
    v.vt = VT_BYREF | VT_VARIANT;
    v.pvarVal = target;
    return v;
}

static enum agent_reply new_object(struct session *s, const char *name, bool in_session, struct com_object *out)
{
    VARIANT args[2], result;
    VariantInit(&result);
    VariantInit(&args[1]);
    args[0] = com_text(name, strlen(name));
    if (in_session) {
        args[1].vt = VT_DISPATCH;
        args[1].pdispVal = s->ss.disp;
        IDispatch_AddRef(s->ss.disp);
    }
    HRESULT hr = com_call(&s->pvx, L"NewObject", args, in_session ? 2 : 1, &result);
    clear(args, 2);
    memset(out, 0, sizeof *out);
    if (SUCCEEDED(hr) && result.vt == VT_DISPATCH && result.pdispVal) {
        out->disp = result.pdispVal;
        return AGENT_YES;
    }
    VariantClear(&result);
    return com_is_exception(hr) ? AGENT_BROKEN : AGENT_NO;
}

/* ---- sage.h ---- */

static void last_error(void *ctx, void *obj, struct buf *out)
{
    struct session *s = ctx;
    text_get(obj ? obj : &s->ss, L"sLastErrorMsg", NULL, 0, out);
}

/* A/R and the like, from the first two letters of a table or object. */
static void set_module(struct session *s, const char *object)
{
    char module[4] = {object[0], '/', object[0] ? object[1] : '\0', '\0'}, today[9];
    SYSTEMTIME now;
    GetLocalTime(&now);
    snprintf(today, sizeof today, "%04u%02u%02u", now.wYear % 10000u, now.wMonth % 100u, now.wDay % 100u);
    VARIANT date[2] = {com_text(module, 3), com_text(today, 8)}, one[1] = {com_text(module, 3)};
    number_call(&s->ss, L"nSetDate", date, 2);          /* a refusal shows when the object is asked for */
    number_call(&s->ss, L"nSetModule", one, 1);
}

static enum agent_reply keep(struct session *s, struct com_object *o, void **obj)
{
    if (s->nobjects == OBJECTS) {
        IDispatch_Release(o->disp);
        return AGENT_NO;
    }
    s->object[s->nobjects] = *o;
    *obj = &s->object[s->nobjects++];
    return AGENT_YES;
}

static enum agent_reply open_object(void *ctx, const char *object, void **obj)
{
    struct session *s = ctx;
    struct com_object o;
    set_module(s, object);
    enum agent_reply r = new_object(s, object, true, &o);
    return r == AGENT_YES ? keep(s, &o, obj) : r;
}

static enum agent_reply open_lines(void *ctx, void *obj, void **lines)
{
    struct session *s = ctx;
    VARIANT result;
    VariantInit(&result);
    HRESULT hr = com_call(obj, L"oLines", NULL, 0, &result);
    if (SUCCEEDED(hr) && result.vt == VT_DISPATCH && result.pdispVal) {
        struct com_object o = {.disp = result.pdispVal};
        return keep(s, &o, lines);
    }
    VariantClear(&result);
    return com_is_exception(hr) ? AGENT_BROKEN : AGENT_NO;
}

static enum agent_reply columns(void *ctx, void *obj, struct buf *names)
{
    (void)ctx;
    VARIANT args[1] = {com_text("MAIN", 4)};
    return text_get(obj, L"sGetColumns", args, 1, names);
}

static enum agent_reply layout(void *ctx, void *obj, struct buf *text)
{
    (void)ctx;
    VARIANT data = com_text("", 0), template = com_text("", 0), result;
    VARIANT args[2] = {by_reference(&data), by_reference(&template)};
    VariantInit(&result);
    HRESULT hr = com_call(obj, L"nGetRecord", args, 2, &result);
    if (SUCCEEDED(hr)) com_bytes(&template, text);
    VariantClear(&result);
    VariantClear(&data);
    VariantClear(&template);
    return com_is_exception(hr) ? AGENT_BROKEN : SUCCEEDED(hr) ? AGENT_YES : AGENT_NO;
}

static enum agent_reply sets(void *ctx, void *obj, const struct agent_sets *q, struct buf *desc, struct buf *key)
{
    (void)ctx;
    VARIANT d = com_text("", 0), k = com_text("", 0), result;
    VARIANT args[7] = {com_text(q->desc, strlen(q->desc)), com_text(q->key, strlen(q->key)), by_reference(&d), by_reference(&k),
                       com_text(q->filter, strlen(q->filter)), com_text(q->begin, strlen(q->begin)), com_text(q->end, strlen(q->end))};
    VariantInit(&result);
    HRESULT hr = com_call(obj, L"nGetResultSets", args, 7, &result);
    enum agent_reply r = reply_of(hr, &result);
    if (r == AGENT_YES) {
        com_bytes(&d, desc);
        com_bytes(&k, key);
    }
    VariantClear(&result);
    VariantClear(&d);
    VariantClear(&k);
    clear(args, 2);
    clear(args + 4, 3);
    return r;
}

static enum agent_reply find(void *ctx, void *obj, const char *const *cols, const struct str *parts, unsigned n)
{
    (void)ctx;
    for (unsigned i = 0; i < n; i++) {
        VARIANT args[2] = {com_text(cols[i], strlen(cols[i])), com_text(parts[i].p, parts[i].n)};
        enum agent_reply r = number_call(obj, L"nSetKeyValue", args, 2);
        if (r != AGENT_YES) return r;
    }
    return number_call(obj, L"nFind", NULL, 0);
}

static enum agent_reply value(void *ctx, void *obj, const char *column, struct buf *out)
{
    (void)ctx;
    size_t n = strlen(column);
    VARIANT v, result;
    if (n && column[n - 1] == '$') v = com_text("", 0);
    else {
        VariantInit(&v);
        v.vt = VT_R8;
        v.dblVal = 0;
    }
    VARIANT args[2] = {com_text(column, n), by_reference(&v)};
    VariantInit(&result);
    HRESULT hr = com_call(obj, L"nGetValue", args, 2, &result);
    enum agent_reply r = reply_of(hr, &result);
    if (r == AGENT_YES) com_bytes(&v, out);
    VariantClear(&result);
    VariantClear(&v);
    clear(args, 1);
    return r;
}

struct agent_sage session_face(struct session *s)
{
    return (struct agent_sage){open_object, open_lines, columns, layout, sets, find, value, last_error, s};
}

/* ---- opening and closing ---- */

static bool say(struct buf *trouble, const char *what, struct session *s, enum agent_reply r, bool *broken)
{
    struct buf raw = {0};
    *broken = r == AGENT_BROKEN;
    buf_puts(trouble, what);
    if (r == AGENT_NO && s->ss.disp) {
        last_error(s, NULL, &raw);
        if (raw.n) buf_puts(trouble, ": ");
        agent__utf8_of(trouble, agent__rtrim(buf_view(&raw)));
        buf_free(&raw);
    } else if (r == AGENT_BROKEN) buf_puts(trouble, ": a COM exception");
    return false;
}

static bool create(struct session *s, const struct place *p, struct arena *a, struct buf *trouble, bool *broken)
{
    CLSID clsid;
    char why[160];
    HRESULT hr = CLSIDFromProgID(place_wide(a, p->config.progid), &clsid);
    if (SUCCEEDED(hr)) hr = CoCreateInstance(&clsid, NULL, CLSCTX_LOCAL_SERVER | CLSCTX_INPROC_SERVER, &IID_IDispatch, (void **)&s->pvx.disp);
    if (SUCCEEDED(hr)) {
        VARIANT home[1] = {com_wide(place_wide(a, p->config.home))};
        hr = com_call(&s->pvx, L"Init", home, 1, NULL);
        clear(home, 1);
    }
    if (SUCCEEDED(hr)) return true;
    *broken = true;
    buf_printf(trouble, "%.*s: ", (int)p->config.progid.n, p->config.progid.p);
    buf_str(trouble, com_why(hr, why));
    return false;
}

static bool log_on(struct session *s, const struct place *p, struct str company, struct arena *a, struct buf *trouble, bool *broken)
{
    enum agent_reply r = new_object(s, "SY_Session", false, &s->ss);
    if (r != AGENT_YES) return say(trouble, "Sage does not open a session: is the home folder right?", s, r, broken);
    r = number_call(&s->ss, L"nLogon", NULL, 0);
    if (r == AGENT_NO) {
        VARIANT args[2] = {com_wide(place_wide(a, p->config.user)), com_wide(place_wide(a, p->password))};
        r = number_call(&s->ss, L"nSetUser", args, 2);
    }
    if (r != AGENT_YES) return say(trouble, "Sage refuses the log-on", s, r, broken);
    VARIANT code[1] = {com_text(company.p, company.n)};
    r = number_call(&s->ss, L"nSetCompany", code, 1);
    return r == AGENT_YES || say(trouble, "Sage does not open the company", s, r, broken);
}

struct session *session_open(const struct place *p, struct str company, struct buf *trouble, bool *broken)
{
    struct session *s = calloc(1, sizeof *s);
    struct buf name = {0}, utf8 = {0};
    *broken = false;
    arena_init(&s->arena, 0);
    if (!create(s, p, &s->arena, trouble, broken) || !log_on(s, p, company, &s->arena, trouble, broken)) {
        session_close(s);
        return NULL;
    }
    if (text_get(&s->ss, L"sCompanyName", NULL, 0, &name) == AGENT_YES) agent__utf8_of(&utf8, agent__rtrim(buf_view(&name)));
    s->name = (struct str){arena_copy(&s->arena, utf8.n ? utf8.p : "", utf8.n), utf8.n};
    buf_free(&name);
    buf_free(&utf8);
    return s;
}

static void drop(struct com_object *o)
{
    if (!o->disp) return;
    com_call(o, L"DropObject", NULL, 0, NULL);
    IDispatch_Release(o->disp);
    o->disp = NULL;
}

void session_close(struct session *s)
{
    for (unsigned i = s->nobjects; i-- > 0;) drop(&s->object[i]);
    if (s->ss.disp) com_call(&s->ss, L"nCleanup", NULL, 0, NULL);
    drop(&s->ss);
    if (s->pvx.disp) IDispatch_Release(s->pvx.disp);
    arena_free(&s->arena);
    free(s);
}

struct str session_name(const struct session *s)
{
    return s->name;
}
