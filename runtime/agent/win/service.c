/* service.c - the agent as a Windows service: installed, started, stopped, removed; and its life, the same in the foreground (run). */
#include "agent/win/win.h"
#include <stdio.h>

static const wchar_t event_key[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\mlc-boi-agent";
static SERVICE_STATUS_HANDLE status_handle;
static HANDLE stop_event;

static int windows_says(const char *what)
{
    DWORD e = GetLastError();
    printf("%s: Windows error %lu%s\n", what, (unsigned long)e,
           e == ERROR_ACCESS_DENIED ? ": open the command prompt with \"Run as administrator\""
           : e == ERROR_SERVICE_DOES_NOT_EXIST ? ": the service is not installed; run mlc-boi-agent.exe install"
           : "");
    return 1;
}

/* ---- install ---- */

/* Event Viewer shows our lines through the messages of a program that every Windows has. */
static void register_events(void)
{
    static const wchar_t file[] = L"%SystemRoot%\\System32\\EventCreate.exe";
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    HKEY key;
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, event_key, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL) != ERROR_SUCCESS) return;
    RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)file, sizeof file);
    RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof types);
    RegCloseKey(key);
}

static bool create_service(void)
{
    wchar_t exe[MAX_PATH + 1], line[MAX_PATH + 20];
    SC_ACTION again[3] = {{SC_ACTION_RESTART, 5000}, {SC_ACTION_RESTART, 30000}, {SC_ACTION_RESTART, 60000}};
    SERVICE_FAILURE_ACTIONSW actions = {86400, NULL, NULL, 3, again};
    SERVICE_DESCRIPTIONW text = {(LPWSTR)(uintptr_t)L"Reads Sage 100 for ml-connector. Read-only."};
    GetModuleFileNameW(NULL, exe, MAX_PATH);
    swprintf(line, MAX_PATH + 20, L"\"%ls\" service", exe);
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
    SC_HANDLE service = manager ? CreateServiceW(manager, AGENT_SERVICE, L"ml-connector agent for Sage 100", SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
                                                 SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, NULL, NULL)
                                : NULL;
    DWORD e = GetLastError();
    if (service) {
        ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &actions);
        ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &text);
        CloseServiceHandle(service);
    }
    if (manager) CloseServiceHandle(manager);
    SetLastError(e);
    return service || e == ERROR_SERVICE_EXISTS;
}

static struct str option(int argc, char **argv, const char *name, const char *standard)
{
    for (int i = 0; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0) return str_of(argv[i + 1]);
    return str_of(standard);
}

static bool first_ini(const struct place *p, int argc, char **argv, struct fault *f)
{
    struct buf b = {0};
    if (place_read_file(p, L"agent.ini", &b)) {
        buf_free(&b);
        printf("agent.ini is there and stays as it is\n");
        return true;
    }
    agent_config_write(&b, option(argc, argv, "--listen", "https://+:8443/"), option(argc, argv, "--home", "C:\\Sage\\Sage 100\\MAS90\\Home"), option(argc, argv, "--user", ""),
                       option(argc, argv, "--companies", ""));
    bool good = place_write_file(p, L"agent.ini", buf_view(&b), f);
    buf_free(&b);
    if (good) printf("agent.ini is written: look it over\n");
    return good;
}

int service_install(struct place *p, int argc, char **argv)
{
    struct fault f = {0};
    struct buf sealed = {0};
    bool good = first_ini(p, argc, argv, &f);
    bool has_token = place_read_file(p, L"agent.secret", &sealed);
    buf_free(&sealed);
    if (good && !has_token) {
        static char token[49];
        place_random_text(token, 48);
        p->token = str_of(token);
        good = place_save_secrets(p, &f);
        if (good) printf("The token, shown once; hand it to the people who run ml-connector:\n    %s\n", token);
    }
    if (!good) {
        printf("%s\n", f.text);
        return 1;
    }
    register_events();
    if (!create_service()) return windows_says("the service cannot be installed");
    printf("The service is installed. Now: mlc-boi-agent.exe login, then mlc-boi-agent.exe check\n");
    return 0;
}

static SC_HANDLE opened(SC_HANDLE *manager, DWORD rights)
{
    *manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    return *manager ? OpenServiceW(*manager, AGENT_SERVICE, rights) : NULL;
}

static bool wait_for(SC_HANDLE service, DWORD state)
{
    SERVICE_STATUS s = {0};
    for (int i = 0; i < 150; i++) {
        if (!QueryServiceStatus(service, &s)) return false;
        if (s.dwCurrentState == state) return true;
        if (state == SERVICE_RUNNING && s.dwCurrentState == SERVICE_STOPPED && i > 5) return false;
        Sleep(200);
    }
    return false;
}

int service_control(const char *what)
{
    SC_HANDLE manager, service = opened(&manager, SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS);
    SERVICE_STATUS s;
    bool start = strcmp(what, "start") == 0;
    if (!service) return windows_says("the service cannot be opened");
    if (start ? !StartServiceW(service, 0, NULL) : !ControlService(service, SERVICE_CONTROL_STOP, &s)) {
        bool so_already = GetLastError() == (start ? ERROR_SERVICE_ALREADY_RUNNING : ERROR_SERVICE_NOT_ACTIVE);
        if (!so_already) return windows_says(start ? "start" : "stop");
        printf(start ? "it runs already\n" : "it did not run\n");
        return 0;
    }
    bool good = wait_for(service, start ? SERVICE_RUNNING : SERVICE_STOPPED);
    printf(good ? (start ? "it runs\n" : "it is stopped\n") : "it does not: see agent.log and the event log, then mlc-boi-agent.exe check\n");
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return good ? 0 : 1;
}

int service_remove(void)
{
    SC_HANDLE manager, service = opened(&manager, SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
    SERVICE_STATUS s;
    if (!service) return windows_says("the service cannot be opened");
    if (ControlService(service, SERVICE_CONTROL_STOP, &s)) wait_for(service, SERVICE_STOPPED);
    if (!DeleteService(service)) return windows_says("the service cannot be removed");
    RegDeleteKeyW(HKEY_LOCAL_MACHINE, event_key);
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    printf("The service is removed. The folder with agent.ini, agent.secret, agent.state and agent.log can be deleted.\n");
    return 0;
}

/* ---- life ---- */

static void report_state(DWORD state, DWORD code)
{
    SERVICE_STATUS s = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state, .dwWin32ExitCode = code ? ERROR_SERVICE_SPECIFIC_ERROR : 0,
                        .dwServiceSpecificExitCode = code, .dwWaitHint = state == SERVICE_RUNNING ? 0 : 20000,
                        .dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0};
    SetServiceStatus(status_handle, &s);
}

/* Until `until` is signalled; 0 or an exit code. A service is told as running when its door is open. */
static int live(struct place *p, HANDLE until)
{
    struct fault f = {0};
    if (p->config.ncompanies == 0) {
        place_log(p, EVENTLOG_ERROR_TYPE, "agent.ini names no company");
        return 78;
    }
    struct pool *pool = pool_start(p);
    struct door *door = door_open(p, pool, &f);
    if (!door) {
        place_log(p, EVENTLOG_ERROR_TYPE, "%s", f.text);
        pool_stop(pool);
        return 69;
    }
    place_log(p, EVENTLOG_INFORMATION_TYPE, "mlc-boi-agent %s, %d bit, listens on %.*s for %u companies", AGENT_VERSION, (int)sizeof(void *) * 8, (int)p->config.listen.n,
              p->config.listen.p, p->config.ncompanies);
    if (place_is_service) report_state(SERVICE_RUNNING, 0);
    WaitForSingleObject(until, INFINITE);
    door_close(door);
    pool_stop(pool);
    place_log(p, EVENTLOG_INFORMATION_TYPE, "stopped");
    return 0;
}

static void WINAPI on_control(DWORD control)
{
    if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_SHUTDOWN) return;
    report_state(SERVICE_STOP_PENDING, 0);
    SetEvent(stop_event);
}

static void WINAPI service_entry(DWORD argc, LPWSTR *argv)
{
    static struct place p;
    struct fault f = {0};
    (void)argc;
    (void)argv;
    place_is_service = true;
    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    status_handle = RegisterServiceCtrlHandlerW(AGENT_SERVICE, on_control);
    report_state(SERVICE_START_PENDING, 0);
    bool good = place_open(&p, NULL, PLACE_SECRETS, &f);
    if (!good) place_log(&p, EVENTLOG_ERROR_TYPE, "%s", f.text);
    int code = good ? live(&p, stop_event) : 78;
    report_state(SERVICE_STOPPED, (DWORD)code);
}

int service_main(void)
{
    SERVICE_TABLE_ENTRYW table[2] = {{(LPWSTR)(uintptr_t)AGENT_SERVICE, service_entry}, {NULL, NULL}};
    return StartServiceCtrlDispatcherW(table) ? 0 : windows_says("this is for Windows; use run to run it here");
}

static BOOL WINAPI on_console(DWORD event)
{
    (void)event;
    SetEvent(stop_event);
    return TRUE;
}

static DWORD WINAPI until_input_ends(void *arg)
{
    char c[64];
    DWORD got;
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE);
    (void)arg;
    while (ReadFile(in, c, sizeof c, &got, NULL) && got) {}
    SetEvent(stop_event);
    return 0;
}

int service_run(struct place *p)
{
    stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    SetConsoleCtrlHandler(on_console, TRUE);
    CloseHandle(CreateThread(NULL, 1 << 16, until_input_ends, NULL, 0, NULL));
    return live(p, stop_event);
}
