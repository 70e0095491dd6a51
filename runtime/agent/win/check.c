/* check.c - what works and what to do about what does not, for the administrator of the Sage server: one line a step, the command to type under each
 * failure. Nothing is changed. It opens a session of its own, so it may need a free licence. */
#include "agent/win/win.h"
#include "agent/private.h"
#include <http.h>
#include <stdio.h>

struct check { struct place *p; unsigned failures; };

__attribute__((format(printf, 3, 4))) static bool step(struct check *c, bool good, const char *fmt, ...)
{
    va_list ap;
    fputs(good ? "ok    " : "WRONG ", stdout);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fputs("\n", stdout);
    fflush(stdout);
    c->failures += !good;
    return good;
}

__attribute__((format(printf, 1, 2))) static void advice(const char *fmt, ...)
{
    va_list ap;
    fputs("      -> ", stdout);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    fputs("\n", stdout);
}

/* ---- COM ---- */

static bool registered(const wchar_t *progid, REGSAM view)
{
    wchar_t path[200];
    HKEY key;
    swprintf(path, 200, L"SOFTWARE\\Classes\\%ls\\CLSID", progid);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | view, &key) != ERROR_SUCCESS) return false;
    RegCloseKey(key);
    return true;
}

static bool com_class(struct check *c)
{
    CLSID clsid;
    const wchar_t *progid = place_wide(&c->p->arena, c->p->config.progid);
    int bits = (int)sizeof(void *) * 8, other = bits == 64 ? 32 : 64;
    bool here = SUCCEEDED(CLSIDFromProgID(progid, &clsid));
    wchar_t path[200], guid[64] = L"";
    HKEY key;
    if (here) {      /* a name may be there for both bitnesses while the class is not */
        StringFromGUID2(&clsid, guid, 64);
        swprintf(path, 200, L"CLSID\\%ls", guid);
        here = RegOpenKeyExW(HKEY_CLASSES_ROOT, path, 0, KEY_READ, &key) == ERROR_SUCCESS;
        if (here) RegCloseKey(key);
    }
    if (step(c, here, "Sage's COM class %ls is registered for %d-bit programs", progid, bits)) return true;
    if (registered(progid, bits == 64 ? KEY_WOW64_32KEY : KEY_WOW64_64KEY)) advice("it is registered for %d-bit programs: use mlc-boi-agent-%s.exe instead", other, other == 32 ? "x86" : "x64");
    else advice("run Sage's workstation setup on this machine: \\\\SERVER\\Sage 100\\MAS90\\Wksetup\\wksetup.exe");
    return false;
}

static void tell_home(struct check *c)
{
    wchar_t dir[400];
    DWORD n = sizeof dir;
    if (RegGetValueW(HKEY_CURRENT_USER, L"Software\\ODBC\\ODBC.INI\\SOTAMAS90", L"Directory", RRF_RT_REG_SZ, NULL, dir, &n) == ERROR_SUCCESS)
        advice("Sage's ODBC source says: home = %ls\\Home", dir);
    advice("set `home` in %lsagent.ini to the folder MAS90\\Home of Sage", c->p->dir);
}

static bool home(struct check *c)
{
    DWORD attributes = GetFileAttributesW(place_wide(&c->p->arena, c->p->config.home));
    bool good = c->p->config.home.n && attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
    if (!step(c, good, "Sage's home folder %.*s exists", (int)c->p->config.home.n, c->p->config.home.p)) tell_home(c);
    return good;
}

static void tables(struct check *c, struct session *s, unsigned company)
{
    struct agent_sage face = session_face(s);
    struct agent_host host = place_host();
    struct agent_core *core = agent_core_new(&c->p->config, c->p->config.company[company], c->p->epoch[company], &face, &host);
    for (int t = 0; t < AGENT_TABLES; t++) {
        struct agent_answer a = {.status = 200, .scanned = -1};
        struct agent_core *k = core;
        arena_reset(&k->scratch);
        bool good = agent__serve(k, t, &a) != NULL;
        step(c, good, "  %-20s %s", agent_tables[t].resource, good ? "opens" : "does not open");
        if (good && k->served[t].rows.barred) printf("        %u columns are barred and never leave\n", (unsigned)k->served[t].rows.barred);
        if (!good) {
            advice("Sage says: %.*s", (int)a.body.n, a.body.p);
            if (a.status == 403) advice("in Sage: Library Master, Role Maintenance: give the role of this user the View right of the task; or leave the table out of your mappings");
            else advice("if the object has another name in this version, set it in agent.ini: [objects] %s = NAME", agent_tables[t].resource);
        }
        buf_free(&a.body);
        if (a.broken) break;
    }
    agent_core_free(core);
}

static void company(struct check *c, unsigned i)
{
    struct buf trouble = {0};
    bool broken = false;
    struct str code = c->p->config.company[i];
    struct session *s = session_open(c->p, code, &trouble, &broken);
    if (step(c, s != NULL, "company %.3s opens %.*s", code.p, (int)trouble.n, trouble.n ? trouble.p : "")) {
        tables(c, s, i);
        session_close(s);
    } else {
        advice("log-on: the Sage user %.*s must exist, be enabled, and have access to the company; then type: mlc-boi-agent.exe login", (int)c->p->config.user.n, c->p->config.user.p);
        advice("in Sage: Library Master, Company Maintenance: the company may be open for others, and no period end may run");
    }
    buf_free(&trouble);
}

/* ---- the door ---- */

static int port_of(struct str url)
{
    int64_t port = 443;
    for (size_t i = url.n; i-- > 8;)
        if (url.p[i] == ':') {
            size_t n = 0;
            while (i + 1 + n < url.n && url.p[i + 1 + n] >= '0' && url.p[i + 1 + n] <= '9') n++;
            str_to_i64((struct str){url.p + i + 1, n}, &port);
            break;
        }
    return port > 0 && port < 65536 ? (int)port : 443;
}

static void certificate(struct check *c)
{
    static const HTTPAPI_VERSION version = HTTPAPI_VERSION_2;
    int port = port_of(c->p->config.listen);
    if (!str_starts(c->p->config.listen, STR("https://"))) return;
    struct { USHORT family, port; ULONG addr; char zero[8]; } any = {AF_INET, (USHORT)((port & 255) << 8 | port >> 8), 0, {0}};
    HTTP_SERVICE_CONFIG_SSL_QUERY q = {.QueryDesc = HttpServiceConfigQueryExact, .KeyDesc.pIpPort = (PSOCKADDR)&any};
    char out[2048];
    ULONG n = 0;
    bool good = HttpInitialize(version, HTTP_INITIALIZE_CONFIG, NULL) == NO_ERROR &&
                HttpQueryServiceConfiguration(NULL, HttpServiceConfigSSLCertInfo, &q, sizeof q, out, sizeof out, &n, NULL) == NO_ERROR;
    if (step(c, good, "a certificate is bound to port %d", port)) return;
    advice("with the thumbprint of a certificate of this machine (certlm.msc, Personal):");
    advice("netsh http add sslcert ipport=0.0.0.0:%d certhash=THUMBPRINT appid={6d6c6322-0000-4000-8000-616765e74000}", port);
}

static void service(struct check *c)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT), service = manager ? OpenServiceW(manager, AGENT_SERVICE, SERVICE_QUERY_STATUS) : NULL;
    SERVICE_STATUS s = {0};
    if (!step(c, service != NULL, "the service is installed")) advice("mlc-boi-agent.exe install");
    else if (!step(c, QueryServiceStatus(service, &s) && s.dwCurrentState == SERVICE_RUNNING, "the service runs")) advice("mlc-boi-agent.exe start");
    if (service) CloseServiceHandle(service);
    if (manager) CloseServiceHandle(manager);
    printf("      port %d must be open for the machine that runs mlcd:\n", port_of(c->p->config.listen));
    advice("netsh advfirewall firewall add rule name=mlc-boi-agent dir=in action=allow protocol=TCP localport=%d remoteip=ADDRESS", port_of(c->p->config.listen));
}

int check_main(struct place *p, bool opened, const struct fault *f)
{
    struct check c = {p, 0};
    printf("mlc-boi-agent %s, %d bit, in %ls\n", AGENT_VERSION, (int)sizeof(void *) * 8, p->dir);
    if (!step(&c, opened, "settings and secrets%s%s", opened ? "" : ": ", opened ? "" : f->text)) return 1;
    if (!step(&c, p->config.ncompanies > 0, "agent.ini names %u companies", p->config.ncompanies)) advice("set `companies` in %lsagent.ini, for example companies = ABC", p->dir);
    if (!step(&c, p->password.n > 0, "a password for Sage is sealed")) advice("mlc-boi-agent.exe login");
    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    bool com = com_class(&c);
    bool at_home = home(&c);
    for (unsigned i = 0; com && at_home && i < p->config.ncompanies; i++) company(&c, i);
    certificate(&c);
    service(&c);
    CoUninitialize();
    if (c.failures) printf("%u things are wrong\n", c.failures);
    else printf("all is well\n");
    return c.failures ? 1 : 0;
}
