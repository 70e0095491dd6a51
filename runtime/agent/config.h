/* config.h - the agent's ini file: agent.ini beside the EXE. Every setting, its default and its bounds stand in agent/setting.def. No secret is in it. */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define AGENT_COMPANIES_MAX 32
#define AGENT_DENY_MAX      64
#define AGENT_OBJECTS_MAX   64

struct agent_pair { struct str name, value; };
struct agent_config {
#define AGENT_TEXT(name, standard, help) struct str name;
#define AGENT_COUNT(name, standard, min, max, help) int64_t name;
#include "agent/setting.def"
#undef AGENT_TEXT
#undef AGENT_COUNT
    struct str company[AGENT_COMPANIES_MAX]; unsigned ncompanies;
    struct str denied[AGENT_DENY_MAX]; unsigned ndenied;          /* beside those of the protocol */
    struct str dated[AGENT_DENY_MAX]; unsigned ndated;
    struct agent_pair object[AGENT_OBJECTS_MAX]; unsigned nobjects;   /* [objects] and [lines]; names "resource" and "lines:resource" */
};
/* Reads the text; strings live in `a` or in the text. All problems go into one fault, each with its line. */
enum err agent_config_read(struct str text, struct arena *a, struct agent_config *out, struct fault *f);
/* The defaults, for tests. */
void agent_config_default(struct agent_config *out);
/* A whole ini file with every setting, its help and its default, with these values set. */
void agent_config_write(struct buf *b, struct str listen, struct str home, struct str user, struct str companies);
/* The object of a resource ([objects], else the table's own), and how its lines are reached ([lines], else "oLines"). */
struct str agent_config_object(const struct agent_config *c, const char *resource, const char *standard);
struct str agent_config_lines(const struct agent_config *c, const char *resource);
/* True when this column never leaves: the list of facts/sage-100.md 9.1 and the ini file's `deny`. A star stands for any text. */
bool agent_denied(const struct agent_config *c, struct str column);
/* True when the ini file's `dates` names this column. */
bool agent_dated(const struct agent_config *c, struct str column);
#endif
