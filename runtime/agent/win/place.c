/* place.c - where the agent lives: its folder with agent.ini (settings), agent.secret (token and Sage's password, sealed by DPAPI for this machine),
 * agent.state (epochs), agent.log; and the machine's clock and zone. Files are replaced whole, by a rename. */
#include "agent/win/win.h"
#include <stdio.h>
#include <wincrypt.h>
#include <sddl.h>

bool place_is_service;
enum { LOG_BYTES = 4 << 20, FILE_BYTES = 1 << 20 };

/* ---- text ---- */

wchar_t *place_wide(struct arena *a, struct str s)
{
    int n = MultiByteToWideChar(CP_UTF8, 0, s.n ? s.p : "", (int)s.n, NULL, 0);
    wchar_t *w = arena_alloc(a, ((size_t)n + 1) * sizeof *w);
    if (n) MultiByteToWideChar(CP_UTF8, 0, s.p, (int)s.n, w, n);
    return w;
}

struct str place_narrow(struct arena *a, const wchar_t *s)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, s, -1, NULL, 0, NULL, NULL);
    char *p = arena_alloc(a, (size_t)n + 1);
    WideCharToMultiByte(CP_UTF8, 0, s, -1, p, n, NULL, NULL);
    return str_of(p);
}

/* ---- files ---- */

static void path_of(const struct place *p, const wchar_t *name, wchar_t *out)
{
    size_t n = wcslen(p->dir), m = wcslen(name);
    memcpy(out, p->dir, n * sizeof *out);
    memcpy(out + n, name, (m + 1) * sizeof *out);
}

bool place_read_file(const struct place *p, const wchar_t *name, struct buf *out)
{
    wchar_t path[2 * MAX_PATH];
    path_of(p, name, path);
    HANDLE h = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (h == INVALID_HANDLE_VALUE) return false;
    DWORD got = 0;
    bool good = ReadFile(h, buf_reserve(out, FILE_BYTES), FILE_BYTES, &got, NULL);
    if (good) out->n += got;
    CloseHandle(h);
    return good;
}

/* secret: only administrators and the system may open the file. */
static bool write_file(const struct place *p, const wchar_t *name, struct str content, bool secret, struct fault *f)
{
    SECURITY_ATTRIBUTES sa = {sizeof sa, NULL, FALSE};
    wchar_t path[2 * MAX_PATH], fresh[2 * MAX_PATH];
    DWORD put = 0;
    path_of(p, name, path);
    path_of(p, name, fresh);
    memcpy(fresh + wcslen(fresh), L".new", 5 * sizeof *fresh);
    if (secret) ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;FA;;;BA)(A;;FA;;;SY)", SDDL_REVISION_1, &sa.lpSecurityDescriptor, NULL);
    DeleteFileW(fresh);
    HANDLE h = CreateFileW(fresh, GENERIC_WRITE, 0, &sa, CREATE_ALWAYS, 0, NULL);
    bool good = h != INVALID_HANDLE_VALUE && WriteFile(h, content.p, (DWORD)content.n, &put, NULL) && put == content.n && FlushFileBuffers(h);
    DWORD why = GetLastError();
    if (h != INVALID_HANDLE_VALUE) CloseHandle(h);
    LocalFree(sa.lpSecurityDescriptor);
    if (good && !(good = MoveFileExW(fresh, path, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))) why = GetLastError();
    if (!good) fault_set(f, ERR_IO, "%ls cannot be written (Windows error %lu): run the command as an administrator", path, (unsigned long)why);
    return good;
}

bool place_write_file(const struct place *p, const wchar_t *name, struct str content, struct fault *f)
{
    return write_file(p, name, content, false, f);
}

/* ---- secrets ---- */

void place_random_text(char *out, size_t n)
{
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789-_~.ABC";
    HCRYPTPROV prov = 0;
    unsigned char raw[64];
    if (!CryptAcquireContextW(&prov, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT) || !CryptGenRandom(prov, (DWORD)(n < 64 ? n : 64), raw)) {
        fputs("Windows gives no random numbers\n", stderr);
        ExitProcess(71);
    }
    CryptReleaseContext(prov, 0);
    for (size_t i = 0; i < n; i++) out[i] = alphabet[raw[i % 64] & 63];
    out[n] = '\0';
}

static bool seal(bool open, struct str in, struct buf *out)
{
    DATA_BLOB from = {(DWORD)in.n, (BYTE *)(uintptr_t)in.p}, to = {0, NULL};
    BOOL good = open ? CryptUnprotectData(&from, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &to)
                     : CryptProtectData(&from, L"mlc-boi-agent", NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN | CRYPTPROTECT_LOCAL_MACHINE, &to);
    if (!good) return false;
    buf_put(out, to.pbData, to.cbData);
    SecureZeroMemory(to.pbData, to.cbData);
    LocalFree(to.pbData);
    return true;
}

bool place_save_secrets(const struct place *p, struct fault *f)
{
    struct buf plain = {0}, sealed = {0};
    buf_blob(&plain, p->token);
    buf_blob(&plain, p->password);
    bool good = seal(false, buf_view(&plain), &sealed) || (fault_set(f, ERR_IO, "DPAPI does not seal (Windows error %lu)", (unsigned long)GetLastError()), false);
    good = good && write_file(p, L"agent.secret", buf_view(&sealed), true, f);
    SecureZeroMemory(plain.p, plain.n);
    buf_free(&plain);
    buf_free(&sealed);
    return good;
}

static bool open_secrets(struct place *p, struct fault *f)
{
    struct buf sealed = {0}, plain = {0};
    bool good = place_read_file(p, L"agent.secret", &sealed);
    if (!good) fault_set(f, ERR_NOT_FOUND, "agent.secret is missing: run mlc-boi-agent.exe install, then login");
    else if (!(good = seal(true, buf_view(&sealed), &plain)))
        fault_set(f, ERR_CONFIG, "agent.secret cannot be opened: it was sealed on another machine. Run mlc-boi-agent.exe token, then login");
    if (good) {
        struct reader r = reader_of(buf_view(&plain));
        struct str token = read_blob(&r), password = read_blob(&r);
        p->token = (struct str){arena_copy(&p->arena, token.p, token.n), token.n};
        p->password = (struct str){arena_copy(&p->arena, password.p, password.n), password.n};
        if (!(good = reader_done(&r) && token.n >= 16)) fault_set(f, ERR_CONFIG, "agent.secret holds no token: run mlc-boi-agent.exe token");
    }
    if (plain.n) SecureZeroMemory(plain.p, plain.n);
    buf_free(&plain);
    buf_free(&sealed);
    return good;
}

/* ---- epochs: lines "ABC 0f8c..." ---- */

static struct str fresh_epoch(struct arena *a)
{
    GUID g;
    if (FAILED(CoCreateGuid(&g))) {
        fputs("Windows makes no GUIDs\n", stderr);
        ExitProcess(71);
    }
    return str_of(arena_printf(a, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned long)g.Data1, g.Data2, g.Data3, g.Data4[0], g.Data4[1], g.Data4[2], g.Data4[3],
                               g.Data4[4], g.Data4[5], g.Data4[6], g.Data4[7]));
}

static bool save_epochs(const struct place *p, struct fault *f)
{
    struct buf b = {0};
    for (unsigned i = 0; i < p->config.ncompanies; i++)
        buf_printf(&b, "%.*s %.*s\r\n", 3, p->config.company[i].p, (int)p->epoch[i].n, p->epoch[i].p);
    bool good = place_write_file(p, L"agent.state", buf_view(&b), f);
    buf_free(&b);
    return good;
}

static bool read_epochs(struct place *p, struct fault *f)
{
    struct buf b = {0};
    bool missing = false;
    place_read_file(p, L"agent.state", &b);
    struct str rest = buf_view(&b);
    while (rest.n) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        struct str line = {rest.p, nl ? (size_t)(nl - rest.p) : rest.n};
        rest = nl ? (struct str){nl + 1, rest.n - line.n - 1} : (struct str){NULL, 0};
        line = str_trim(line);
        for (unsigned i = 0; line.n > 4 && i < p->config.ncompanies; i++)
            if (memcmp(line.p, p->config.company[i].p, 3) == 0) p->epoch[i] = (struct str){arena_copy(&p->arena, line.p + 4, line.n - 4), line.n - 4};
    }
    buf_free(&b);
    for (unsigned i = 0; i < p->config.ncompanies; i++) {
        if (p->epoch[i].n) continue;
        p->epoch[i] = fresh_epoch(&p->arena);
        missing = true;
    }
    return !missing || save_epochs(p, f);
}

bool place_renew_epoch(struct place *p, unsigned company, struct fault *f)
{
    p->epoch[company] = fresh_epoch(&p->arena);
    return save_epochs(p, f);
}

bool place_open(struct place *p, const wchar_t *dir, enum place_need need, struct fault *f)
{
    memset(p, 0, sizeof *p);
    arena_init(&p->arena, 0);
    agent_config_default(&p->config);
    if (dir) swprintf(p->dir, MAX_PATH, L"%ls\\", dir);
    else {
        GetModuleFileNameW(NULL, p->dir, MAX_PATH);
        wchar_t *slash = wcsrchr(p->dir, L'\\');
        if (slash) slash[1] = L'\0';
    }
    if (need == PLACE_BARE) return true;
    struct buf ini = {0};
    bool good = place_read_file(p, L"agent.ini", &ini);
    if (!good) fault_set(f, ERR_NOT_FOUND, "there is no agent.ini beside the program: run mlc-boi-agent.exe install");
    else {
        struct str text = {arena_copy(&p->arena, ini.p, ini.n), ini.n};
        good = agent_config_read(text, &p->arena, &p->config, f) == ERR_OK;
    }
    buf_free(&ini);
    good = good && read_epochs(p, f);
    return good && (need == PLACE_CONFIG || open_secrets(p, f));
}

/* ---- clock ---- */

static const int64_t unix_epoch = INT64_C(116444736000000000);      /* in 100 ns since 1601 */

int64_t place_wall_ms(void)
{
    FILETIME ft;
    GetSystemTimeAsFileTime(&ft);
    return ((int64_t)((uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime) - unix_epoch) / 10000;
}

static int64_t mono_ms(void *ctx) { (void)ctx; return (int64_t)GetTickCount64(); }
static int64_t wall_ms(void *ctx) { (void)ctx; return place_wall_ms(); }
static void sleep_ms(void *ctx, int64_t ms) { (void)ctx; Sleep((DWORD)ms); }

static bool system_of(int64_t ms, SYSTEMTIME *st)
{
    uint64_t t = (uint64_t)(ms * 10000 + unix_epoch);
    FILETIME ft = {(DWORD)t, (DWORD)(t >> 32)};
    return FileTimeToSystemTime(&ft, st);
}

static int64_t ms_of(const SYSTEMTIME *st)
{
    FILETIME ft;
    if (!SystemTimeToFileTime(st, &ft)) return 0;
    return ((int64_t)((uint64_t)ft.dwHighDateTime << 32 | ft.dwLowDateTime) - unix_epoch) / 10000;
}

static int offset_minutes(void *ctx, int64_t utc)
{
    (void)ctx;
    SYSTEMTIME st, local;
    if (!system_of(utc, &st)) return 0;
    st.wSecond = st.wMilliseconds = 0;
    if (!SystemTimeToTzSpecificLocalTime(NULL, &st, &local)) return 0;
    return (int)((ms_of(&local) - ms_of(&st)) / 60000);
}

/* Of the two offsets around the wall time, the earlier moment that shows it; in the hour that is never shown, as if the clock had not moved yet. */
static int64_t instant(void *ctx, int64_t local)
{
    int before = offset_minutes(ctx, local - 26 * 3600000), after = offset_minutes(ctx, local + 26 * 3600000);
    int64_t first = local - (int64_t)before * 60000, second = local - (int64_t)after * 60000;
    if (offset_minutes(ctx, first) == before) return first;
    return offset_minutes(ctx, second) == after ? second : first;
}

struct agent_host place_host(void)
{
    return (struct agent_host){wall_ms, mono_ms, sleep_ms, offset_minutes, instant, NULL};
}

/* ---- log ---- */

static void to_event_log(WORD type, const char *text)
{
    const char *strings[1] = {text};
    HANDLE h = RegisterEventSourceW(NULL, AGENT_SERVICE);
    if (!h) return;
    ReportEventA(h, type, 0, 1, NULL, 1, 0, strings, NULL);
    DeregisterEventSource(h);
}

void place_log(const struct place *p, WORD type, const char *fmt, ...)
{
    static CRITICAL_SECTION one;
    static LONG made;
    char text[600], line[700];
    wchar_t path[2 * MAX_PATH], old[2 * MAX_PATH];
    SYSTEMTIME t;
    va_list ap;
    if (InterlockedCompareExchange(&made, 1, 0) == 0) InitializeCriticalSection(&one), made = 2;
    while (made != 2) Sleep(1);
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20) *c = ' ';
    GetLocalTime(&t);
    int n = snprintf(line, sizeof line, "%04u-%02u-%02u %02u:%02u:%02u %s %s\r\n", t.wYear % 10000u, t.wMonth % 100u, t.wDay % 100u, t.wHour % 100u, t.wMinute % 100u,
                     t.wSecond % 100u, type == EVENTLOG_ERROR_TYPE ? "error" : type == EVENTLOG_WARNING_TYPE ? "warn " : "info ", text);
    path_of(p, L"agent.log", path);
    path_of(p, L"agent.log.old", old);
    EnterCriticalSection(&one);
    HANDLE h = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS, 0, NULL);
    if (h != INVALID_HANDLE_VALUE) {
        DWORD put, size = GetFileSize(h, NULL);
        WriteFile(h, line, (DWORD)(n < (int)sizeof line ? n : (int)sizeof line - 1), &put, NULL);
        CloseHandle(h);
        if (size > LOG_BYTES) MoveFileExW(path, old, MOVEFILE_REPLACE_EXISTING);
    }
    LeaveCriticalSection(&one);
    if (place_is_service && type != EVENTLOG_INFORMATION_TYPE) to_event_log(type, text);
    if (!place_is_service) {
        fputs(line, stderr);
        fflush(stderr);
    }
}
