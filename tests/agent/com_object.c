/* com_object.c - the IDispatch objects of the stand-in: ProvideX.Script, SY_Session, and the _svc objects; names and arguments after facts/sage-100.md 4. */
#include "tests/agent/com_server.h"
#include <stdio.h>
#include <stdlib.h>

struct object { IDispatch face; LONG refs; enum server_kind kind; struct standin_object *o; };
typedef HRESULT method(struct object *self, VARIANT *args, unsigned n, VARIANT *result);
static IDispatchVtbl table;

/* ---- texts ---- */

static const uint16_t high[32] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
                                  0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178};

static BSTR bstr_of(struct str s)
{
    BSTR b = SysAllocStringLen(NULL, (UINT)s.n);
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = (unsigned char)s.p[i];
        b[i] = (OLECHAR)(c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c);
    }
    return b;
}

static void text_of(const VARIANT *v, struct buf *out)
{
    buf_clear(out);
    for (UINT i = 0; v->vt == VT_BSTR && i < SysStringLen(v->bstrVal); i++) {
        unsigned c = v->bstrVal[i];
        for (unsigned k = 0; c > 0xFF && k < 32; k++)
            if (high[k] == c) c = 0x80 + k;
        buf_byte(out, (unsigned char)c);
    }
    buf_cstr(out);
}

static void give_text(VARIANT *out, struct str s)
{
    VariantClear(out);
    out->vt = VT_BSTR;
    out->bstrVal = bstr_of(s);
}

/* Into a variable of the caller: what it holds says which type it wants. */
static HRESULT give_by_reference(VARIANT *arg, struct str s)
{
    if (arg->vt != (VT_BYREF | VT_VARIANT)) return DISP_E_TYPEMISMATCH;
    bool number = arg->pvarVal->vt == VT_R8;
    give_text(arg->pvarVal, s);
    return number ? VariantChangeTypeEx(arg->pvarVal, arg->pvarVal, LOCALE_INVARIANT, 0, VT_R8) : S_OK;
}

static HRESULT number(VARIANT *result, enum standin_reply r)
{
    if (r == STANDIN_DEAD) return DISP_E_EXCEPTION;
    if (result) {
        result->vt = VT_I4;
        result->lVal = r == STANDIN_ONE ? 1 : 0;
    }
    return S_OK;
}

/* ---- ProvideX.Script ---- */

static HRESULT do_init(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)self, (void)args, (void)result;
    return n == 1 ? S_OK : DISP_E_BADPARAMCOUNT;
}

static HRESULT do_new_object(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf name;
    enum standin_reply reply;
    (void)self;
    if (n < 1 || !result) return DISP_E_BADPARAMCOUNT;
    text_of(&args[0], &name);
    result->vt = VT_DISPATCH;
    result->pdispVal = NULL;
    if (strcmp(name.p, "SY_Session") == 0) {
        server_note("session");
        result->pdispVal = server_object(SERVER_SESSION, NULL);
        return S_OK;
    }
    struct standin_object *o = server.company ? standin_open(&server.standin, name.p, &reply) : NULL;
    if (!server.company) snprintf(server.standin.error, sizeof server.standin.error, "No company is open.");
    else if (reply == STANDIN_DEAD) return DISP_E_EXCEPTION;
    if (o) {
        server_note(name.p);
        result->pdispVal = server_object(SERVER_BUSINESS, o);
    }
    return S_OK;
}

/* ---- SY_Session ---- */

static HRESULT do_logon(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)self, (void)args, (void)n;
    return number(result, STANDIN_ZERO);
}

static HRESULT do_set_user(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf user, password;
    (void)self;
    if (n != 2) return DISP_E_BADPARAMCOUNT;
    text_of(&args[0], &user);
    text_of(&args[1], &password);
    enum standin_reply r = standin_step(&server.standin, "logon", NULL);
    if (r == STANDIN_ONE && (strcmp(user.p, "sync") != 0 || strcmp(password.p, "pw-55d0c2a7") != 0)) {
        snprintf(server.standin.error, sizeof server.standin.error, "The user logon or password is not valid.");
        r = STANDIN_ZERO;
    }
    server.logged_on = r == STANDIN_ONE;
    return number(result, r);
}

static HRESULT do_set_company(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf code;
    (void)self;
    if (n != 1) return DISP_E_BADPARAMCOUNT;
    text_of(&args[0], &code);
    enum standin_reply r = server.logged_on ? standin_step(&server.standin, "company", code.p) : STANDIN_ZERO;
    server.company = r == STANDIN_ONE;
    if (server.company) {      /* a company may have a folder of its own */
        char dir[sizeof server.dir + 8];
        snprintf(dir, sizeof dir, "%s\\%.3s", server.dir, code.p);
        if (GetFileAttributesA(dir) != INVALID_FILE_ATTRIBUTES) snprintf(server.standin.dir, sizeof server.standin.dir, "%s", dir);
    }
    return number(result, r);
}

static HRESULT do_yes(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)self, (void)args, (void)n;
    return number(result, STANDIN_ONE);
}

static HRESULT do_company_name(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)self, (void)args, (void)n;
    if (result) give_text(result, STR("ABC Distribution"));
    return S_OK;
}

static HRESULT do_last_error(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)args, (void)n;
    if (result) give_text(result, str_of(self->o ? self->o->error : server.standin.error));
    return S_OK;
}

/* ---- business objects ---- */

static HRESULT do_lines(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)args, (void)n;
    struct standin_object *l = standin_lines(self->o);
    if (!result) return E_POINTER;
    result->vt = VT_DISPATCH;
    result->pdispVal = l ? server_object(SERVER_BUSINESS, l) : NULL;
    return S_OK;
}

static HRESULT do_columns(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    struct buf b = {0};
    (void)args, (void)n;
    enum standin_reply r = standin_columns(self->o, &b);
    if (r == STANDIN_ONE && result) give_text(result, buf_view(&b));
    buf_free(&b);
    return r == STANDIN_DEAD ? DISP_E_EXCEPTION : S_OK;
}

static HRESULT do_record(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    struct buf b = {0};
    if (n != 2) return DISP_E_BADPARAMCOUNT;
    for (unsigned i = 0; i < self->o->table->ncolumns; i++) {      /* of the columns whose length a test can know: user-defined ones */
        struct str name = self->o->table->column[i];
        if (str_starts(name, STR("UDF_"))) buf_printf(&b, "%s%.*s%s", b.n ? "," : "", (int)name.n, name.p, self->o->table->text[i] ? "$:C(17*)" : ":N(11.3)");
    }
    HRESULT hr = give_by_reference(&args[1], buf_view(&b));
    buf_free(&b);
    return FAILED(hr) ? hr : number(result, STANDIN_ONE);
}

static HRESULT do_result_sets(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf in[7], d, k;
    if (n != 7) return DISP_E_BADPARAMCOUNT;
    for (unsigned i = 0; i < 7; i++)
        if (i != 2 && i != 3) text_of(&args[i], &in[i]);
    buf_clear(&d);
    buf_clear(&k);
    enum standin_reply r = standin_sets(self->o, in[0].p, in[1].p, in[4].p, in[5].p, in[6].p, &d, &k);
    HRESULT hr = r == STANDIN_ONE ? give_by_reference(&args[2], buf_view(&d)) : S_OK;
    if (r == STANDIN_ONE && SUCCEEDED(hr)) hr = give_by_reference(&args[3], buf_view(&k));
    return FAILED(hr) ? hr : number(result, r);
}

static HRESULT do_set_key_value(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf column, value;
    if (n != 2) return DISP_E_BADPARAMCOUNT;
    text_of(&args[0], &column);
    text_of(&args[1], &value);
    return number(result, standin_set_key(self->o, column.p, buf_view(&value)));
}

static HRESULT do_find(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)args, (void)n;
    return number(result, standin_find(self->o));
}

static HRESULT do_get_value(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    static struct buf column, value;
    if (n != 2) return DISP_E_BADPARAMCOUNT;
    text_of(&args[0], &column);
    buf_clear(&value);
    enum standin_reply r = standin_value(self->o, column.p, &value);
    HRESULT hr = r == STANDIN_ONE ? give_by_reference(&args[1], buf_view(&value)) : S_OK;
    return FAILED(hr) ? hr : number(result, r);
}

/* Writing or locking methods are there, so that a test can see that nobody calls them. */
static HRESULT do_forbidden(struct object *self, VARIANT *args, unsigned n, VARIANT *result)
{
    (void)self, (void)args, (void)n, (void)result;
    server_note("FORBIDDEN");
    return DISP_E_EXCEPTION;
}

static const struct { const wchar_t *name; enum server_kind kind; method *run; } methods[] = {
    {L"Init", SERVER_SCRIPT, do_init}, {L"NewObject", SERVER_SCRIPT, do_new_object},
    {L"nLogon", SERVER_SESSION, do_logon}, {L"nSetUser", SERVER_SESSION, do_set_user}, {L"nSetCompany", SERVER_SESSION, do_set_company},
    {L"nSetDate", SERVER_SESSION, do_yes}, {L"nSetModule", SERVER_SESSION, do_yes}, {L"nCleanup", SERVER_SESSION, do_yes},
    {L"sCompanyName", SERVER_SESSION, do_company_name}, {L"sLastErrorMsg", SERVER_SESSION, do_last_error}, {L"DropObject", SERVER_SESSION, do_yes},
    {L"oLines", SERVER_BUSINESS, do_lines}, {L"sGetColumns", SERVER_BUSINESS, do_columns}, {L"nGetRecord", SERVER_BUSINESS, do_record},
    {L"nGetResultSets", SERVER_BUSINESS, do_result_sets}, {L"nSetKeyValue", SERVER_BUSINESS, do_set_key_value}, {L"nFind", SERVER_BUSINESS, do_find},
    {L"nGetValue", SERVER_BUSINESS, do_get_value}, {L"sLastErrorMsg", SERVER_BUSINESS, do_last_error}, {L"DropObject", SERVER_BUSINESS, do_yes},
    {L"nSetKey", SERVER_BUSINESS, do_forbidden}, {L"nWrite", SERVER_BUSINESS, do_forbidden}, {L"nSetValue", SERVER_BUSINESS, do_forbidden},
    {L"nDelete", SERVER_BUSINESS, do_forbidden},
};

/* ---- IDispatch ---- */

static HRESULT STDMETHODCALLTYPE query(IDispatch *d, REFIID iid, void **out)
{
    *out = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IDispatch)) return E_NOINTERFACE;
    *out = d;
    IDispatch_AddRef(d);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE add_ref(IDispatch *d)
{
    return (ULONG)InterlockedIncrement(&((struct object *)d)->refs);
}

static ULONG STDMETHODCALLTYPE release(IDispatch *d)
{
    struct object *self = (struct object *)d;
    ULONG n = (ULONG)InterlockedDecrement(&self->refs);
    if (n) return n;
    standin_close(self->o);
    free(self);
    server_count(-1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE type_count(IDispatch *d, UINT *n)
{
    (void)d;
    *n = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE type_info(IDispatch *d, UINT i, LCID lcid, ITypeInfo **out)
{
    (void)d, (void)i, (void)lcid;
    *out = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE ids(IDispatch *d, REFIID iid, LPOLESTR *names, UINT n, LCID lcid, DISPID *id)
{
    const struct object *self = (const struct object *)d;
    (void)iid, (void)lcid;
    for (size_t i = 0; n == 1 && i < sizeof methods / sizeof *methods; i++)
        if (methods[i].kind == self->kind && _wcsicmp(methods[i].name, names[0]) == 0) {
            id[0] = (DISPID)(i + 1);
            return S_OK;
        }
    if (n) id[0] = DISPID_UNKNOWN;
    return DISP_E_UNKNOWNNAME;
}

static HRESULT STDMETHODCALLTYPE invoke(IDispatch *d, DISPID id, REFIID iid, LCID lcid, WORD flags, DISPPARAMS *params, VARIANT *result, EXCEPINFO *why, UINT *bad)
{
    struct object *self = (struct object *)d;
    VARIANT args[8];
    (void)iid, (void)lcid, (void)flags, (void)bad;
    if (id < 1 || (size_t)id > sizeof methods / sizeof *methods || methods[id - 1].kind != self->kind) return DISP_E_MEMBERNOTFOUND;
    if (params->cArgs > 8) return DISP_E_BADPARAMCOUNT;
    for (UINT i = 0; i < params->cArgs; i++) args[i] = params->rgvarg[params->cArgs - 1 - i];
    if (result) VariantInit(result);
    server_commands();
    HRESULT hr = methods[id - 1].run(self, args, params->cArgs, result);
    if (hr == DISP_E_EXCEPTION && why) {
        memset(why, 0, sizeof *why);
        why->bstrDescription = SysAllocString(L"The interpreter failed.");
        why->scode = E_FAIL;
    }
    return hr;
}

static IDispatchVtbl table = {query, add_ref, release, type_count, type_info, ids, invoke};

IDispatch *server_object(enum server_kind kind, struct standin_object *o)
{
    struct object *self = calloc(1, sizeof *self);
    self->face.lpVtbl = &table;
    self->refs = 1;
    self->kind = kind;
    self->o = o;
    server_count(1);
    return &self->face;
}
