/* com_server.c - the stand-in as an out-of-process COM server with the class ProvideX.Script, one process per interpreter, as Sage's own.
 *
 *   sage-standin.exe --register DIR     writes the class into the registry, with DIR as the place of the tables and commands
 *   sage-standin.exe --dir DIR ...      started by COM (-Embedding); ends when its last object is released
 *
 * DIR\commands   lines for standin_command, read on as the file grows; DIR\fired.N counts how often fault N has fired, over all lives of the server.
 * DIR\calls      one line per object opened and per session, for tests that count. */
#include "tests/agent/com_server.h"
#include <stdio.h>

struct server server;

/* ---- around the stand-in ---- */

static void path_in(char *out, size_t n, const char *name)
{
    snprintf(out, n, "%s\\%s", server.dir, name);
}

void server_note(const char *what)
{
    char path[600];
    path_in(path, sizeof path, "calls");
    FILE *f = fopen(path, "ab");
    if (!f) return;
    fprintf(f, "%s\n", what);
    fclose(f);
}

static void sleep_ms(void *ctx, long ms)
{
    (void)ctx;
    Sleep((DWORD)ms);
}

static void crash(void *ctx)
{
    (void)ctx;
    TerminateProcess(GetCurrentProcess(), 139);
}

static long fired(void *ctx, unsigned id, bool now)
{
    char name[32], path[600];
    (void)ctx;
    snprintf(name, sizeof name, "fired.%u", id);
    path_in(path, sizeof path, name);
    FILE *f = fopen(path, now ? "ab" : "rb");
    if (!f) return 0;
    if (now) fputc('x', f);
    fseek(f, 0, SEEK_END);
    long n = ftell(f);
    fclose(f);
    return n;
}

/* What was written behind the commands that were read already. At most every 20 ms. */
void server_commands(void)
{
    static DWORD last;
    static long at;
    static struct buf text;
    char path[600];
    if (last && GetTickCount() - last < 20) return;
    last = GetTickCount() | 1;
    path_in(path, sizeof path, "commands");
    FILE *f = fopen(path, "rb");
    if (!f) return;
    fseek(f, at, SEEK_SET);
    buf_clear(&text);
    size_t got;
    while ((got = fread(buf_reserve(&text, 4096), 1, 4096, f)) > 0) text.n += got;
    fclose(f);
    struct str rest = buf_view(&text);
    const char *nl;
    while (rest.n && (nl = memchr(rest.p, '\n', rest.n))) {
        struct str line = {rest.p, (size_t)(nl - rest.p)};
        at += (long)line.n + 1;
        rest = (struct str){nl + 1, rest.n - line.n - 1};
        if (!standin_command(&server.standin, line)) server_note(server.standin.error);
    }
}

/* ---- the class factory ---- */

static HRESULT STDMETHODCALLTYPE factory_query(IClassFactory *f, REFIID iid, void **out)
{
    *out = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory)) return E_NOINTERFACE;
    *out = f;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE factory_ref(IClassFactory *f)
{
    (void)f;
    return 2;
}

static HRESULT STDMETHODCALLTYPE factory_create(IClassFactory *f, IUnknown *outer, REFIID iid, void **out)
{
    (void)f;
    *out = NULL;
    if (outer) return CLASS_E_NOAGGREGATION;
    IDispatch *d = server_object(SERVER_SCRIPT, NULL);
    HRESULT hr = IDispatch_QueryInterface(d, iid, out);
    IDispatch_Release(d);
    return hr;
}

static HRESULT STDMETHODCALLTYPE factory_lock(IClassFactory *f, BOOL lock)
{
    (void)f;
    server_count(lock ? 1 : -1);
    return S_OK;
}

static IClassFactoryVtbl factory_table = {factory_query, factory_ref, factory_ref, factory_create, factory_lock};
static IClassFactory factory = {&factory_table};

void server_count(int change)
{
    server.objects += change;
    if (server.objects == 0) PostThreadMessageW(server.thread, WM_QUIT, 0, 0);
}

/* ---- registry ---- */

static bool set_key(const wchar_t *path, const wchar_t *value)
{
    HKEY key;
    wchar_t full[300];
    swprintf(full, 300, L"SOFTWARE\\Classes\\%ls", path);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, full, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL) != ERROR_SUCCESS) return false;
    bool good = RegSetValueExW(key, NULL, 0, REG_SZ, (const BYTE *)value, (DWORD)((wcslen(value) + 1) * sizeof *value)) == ERROR_SUCCESS;
    RegCloseKey(key);
    return good;
}

static int enter(const char *dir)
{
    wchar_t exe[MAX_PATH + 1], line[3 * MAX_PATH];
    GetModuleFileNameW(NULL, exe, MAX_PATH);
    swprintf(line, 3 * MAX_PATH, L"\"%ls\" --dir \"%hs\"", exe, dir);
    bool good = set_key(L"ProvideX.Script", L"Stand-in for tests") && set_key(L"ProvideX.Script\\CLSID", SERVER_CLSID_TEXT) &&
                set_key(L"CLSID\\" SERVER_CLSID_TEXT, L"Stand-in for tests") && set_key(L"CLSID\\" SERVER_CLSID_TEXT L"\\LocalServer32", line) &&
                set_key(L"CLSID\\" SERVER_CLSID_TEXT L"\\ProgID", L"ProvideX.Script");
    printf(good ? "registered\n" : "not registered\n");
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const CLSID clsid = SERVER_CLSID;
    struct standin_around around = {sleep_ms, crash, fired, NULL};
    DWORD cookie = 0;
    MSG msg;
    const char *dir = NULL;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--register") == 0) return enter(argv[i + 1]);
        if (strcmp(argv[i], "--dir") == 0) dir = argv[i + 1];
    }
    if (!dir) return 2;
    snprintf(server.dir, sizeof server.dir, "%s", dir);
    server.thread = GetCurrentThreadId();
    standin_init(&server.standin, dir, &around);
    if (FAILED(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED))) return 3;
    if (FAILED(CoRegisterClassObject(&clsid, (IUnknown *)&factory, CLSCTX_LOCAL_SERVER, REGCLS_SINGLEUSE, &cookie))) return 4;
    server_note("server");
    SetTimer(NULL, 0, 60000, NULL);      /* nobody came: end */
    while (GetMessageW(&msg, NULL, 0, 0) > 0) {
        if (msg.message == WM_TIMER && server.objects == 0) break;
        TranslateMessage(&msg);
        DispatchMessageW(&msg);
    }
    CoRevokeClassObject(cookie);
    CoUninitialize();
    return 0;
}
