/* com.c - late binding: names to DISPIDs (remembered per object), arguments, results, and texts between cp1252 and BSTR.
 *
 * Sage hands its bytes to COM by the machine's code page: 0x8A arrives as U+0160, or as U+008A where something maps one to one. Both become 0x8A again. */
#include "agent/win/win.h"
#include "agent/private.h"
#include <stdio.h>

static const uint16_t high[32] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
                                  0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178};

VARIANT com_text(const char *s, size_t n)
{
    VARIANT v;
    VariantInit(&v);
    v.vt = VT_BSTR;
    v.bstrVal = SysAllocStringLen(NULL, (UINT)n);
    for (size_t i = 0; v.bstrVal && i < n; i++) {
        unsigned c = (unsigned char)s[i];
        v.bstrVal[i] = (OLECHAR)(c >= 0x80 && c < 0xA0 ? high[c - 0x80] : c);
    }
    return v;
}

VARIANT com_wide(const wchar_t *s)
{
    VARIANT v;
    VariantInit(&v);
    v.vt = VT_BSTR;
    v.bstrVal = SysAllocString(s);
    return v;
}

static unsigned char byte_of(unsigned c)
{
    if (c < 0x100) return (unsigned char)c;
    for (unsigned i = 0; i < 32; i++)
        if (high[i] == c) return (unsigned char)(0x80 + i);
    return '?';
}

void com_bytes(const VARIANT *v, struct buf *out)
{
    VARIANT text;
    const VARIANT *from = v;
    VariantInit(&text);
    if (v->vt == (VT_BYREF | VT_VARIANT)) from = v->pvarVal;
    if (from->vt == VT_EMPTY || from->vt == VT_NULL) return;
    if (from->vt != VT_BSTR) {
        if (FAILED(VariantChangeTypeEx(&text, (VARIANT *)(uintptr_t)from, LOCALE_INVARIANT, 0, VT_BSTR))) return;
        from = &text;
    }
    UINT n = SysStringLen(from->bstrVal);
    char *p = buf_reserve(out, n);
    for (UINT i = 0; i < n; i++) p[i] = (char)byte_of(from->bstrVal[i]);
    out->n += n;
    VariantClear(&text);
}

bool com_true(const VARIANT *v)
{
    VARIANT n;
    VariantInit(&n);
    if (v->vt == VT_EMPTY || v->vt == VT_NULL || (v->vt == VT_BSTR && SysStringLen(v->bstrVal) == 0)) return false;
    bool good = SUCCEEDED(VariantChangeTypeEx(&n, (VARIANT *)(uintptr_t)v, LOCALE_INVARIANT, 0, VT_R8)) && (n.dblVal > 0.0 || n.dblVal < 0.0);
    VariantClear(&n);
    return good;
}

bool com_is_exception(HRESULT hr)
{
    return FAILED(hr) && hr != DISP_E_UNKNOWNNAME && hr != DISP_E_MEMBERNOTFOUND && hr != DISP_E_BADPARAMCOUNT && hr != DISP_E_TYPEMISMATCH;
}

static HRESULT id_of(struct com_object *o, const wchar_t *name, DISPID *id)
{
    for (unsigned i = 0; i < o->nknown; i++)
        if (o->known[i].name == name) {
            *id = o->known[i].id;
            return S_OK;
        }
    LPOLESTR names[1] = {(LPOLESTR)(uintptr_t)name};
    HRESULT hr = IDispatch_GetIDsOfNames(o->disp, &IID_NULL, names, 1, LOCALE_USER_DEFAULT, id);
    if (SUCCEEDED(hr) && o->nknown < 24) o->known[o->nknown++] = (struct com_name){name, *id};
    return hr;
}

HRESULT com_call(struct com_object *o, const wchar_t *name, VARIANT *args, unsigned n, VARIANT *result)
{
    DISPID id;
    VARIANT reversed[8];
    EXCEPINFO why;
    UINT bad = 0;
    memset(&why, 0, sizeof why);
    if (!o->disp || n > 8) return E_POINTER;
    HRESULT hr = id_of(o, name, &id);
    if (FAILED(hr)) return hr;
    for (unsigned i = 0; i < n; i++) reversed[i] = args[n - 1 - i];
    DISPPARAMS params = {n ? reversed : NULL, NULL, n, 0};
    hr = IDispatch_Invoke(o->disp, id, &IID_NULL, LOCALE_USER_DEFAULT, COM_CALL, &params, result, &why, &bad);
    SysFreeString(why.bstrSource);
    SysFreeString(why.bstrDescription);
    SysFreeString(why.bstrHelpFile);
    return hr;
}

struct str com_why(HRESULT hr, char out[160])
{
    const char *known = hr == REGDB_E_CLASSNOTREG          ? "the COM class is not registered for programs of this bitness"
                        : hr == CO_E_CLASSSTRING           ? "there is no such COM class"
                        : hr == E_ACCESSDENIED             ? "Windows denies access to the COM class"
                        : hr == CO_E_SERVER_EXEC_FAILURE   ? "the COM server does not start"
                        : hr == DISP_E_EXCEPTION           ? "a COM exception"
                                                           : "a COM failure";
    snprintf(out, 160, "%s (0x%08lX)", known, (unsigned long)hr);
    return str_of(out);
}
