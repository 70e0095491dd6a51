/* com_server.h - what the two files of the COM stand-in share. */
#ifndef TESTS_AGENT_COM_SERVER_H
#define TESTS_AGENT_COM_SERVER_H
#define COBJMACROS
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <oleauto.h>
#include "tests/agent/standin.h"

#define SERVER_CLSID {0x8f1b6c1e, 0x5d0a, 0x4c77, {0x9c, 0x1d, 0x53, 0x61, 0x67, 0x65, 0x31, 0x30}}
#define SERVER_CLSID_TEXT L"{8F1B6C1E-5D0A-4C77-9C1D-536167653130}"

enum server_kind { SERVER_SCRIPT, SERVER_SESSION, SERVER_BUSINESS };
struct server { struct standin standin; char dir[400]; DWORD thread; LONG objects; bool logged_on, company; };
extern struct server server;
void server_count(int change);
void server_note(const char *what);
void server_commands(void);
/* A new object with one reference. o: of a business object; owned from now on. */
IDispatch *server_object(enum server_kind kind, struct standin_object *o);
#endif
