/* sandbox.h - what mlcd takes from itself so that one taken over through a parser can do little: system calls (seccomp) and files (landlock).
 *
 *   main:        sandbox_calls     no program is started, no other process is touched, no memory is made executable, no new privileges; for good
 *   run, once:   sandbox_files     after the state is open and the spec is loaded: files are opened below the places named, and nowhere else
 *
 * Both are for this process and all threads and processes that it starts from then on; neither can be taken back. Where the kernel cannot do one of
 * them the process goes on without and says so in one line. --no-sandbox leaves both out. docs/decisions/0021-sandbox.md says why it is made so. */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H
#include <stdbool.h>
#include <stddef.h>

enum sandbox_work {
    SANDBOX_WORK,                   /* everything but the supervisor */
    SANDBOX_SUPERVISE               /* run --site: starts and ends processes; what they are starts with these limits and takes its own on top */
};
/* False: the kernel refuses (errno says why); the process is as before. */
bool sandbox_calls(enum sandbox_work work);

struct sandbox_place { const char *path; bool write; };
/* A path that is no directory means the directory it stands in, since files are replaced by renaming; "/" is never given. What the libraries read
 * (name resolution, certificates, shared objects) is added: files below /etc and /usr. What does not exist is left out. False: the kernel has no
 * landlock, or it is switched off. */
bool sandbox_files(const struct sandbox_place *places, size_t n);
#endif
