/* sandbox.c - see sandbox.h.
 *
 *   a system call:  in `allowed` (some only with certain arguments) -> done
 *                   in `refused`                                    -> EPERM
 *                   any other                                       -> ENOSYS, so that libraries that try something newer fall back
 *
 * Landlock's rights grow with its version (ABI); what a kernel does not know is not asked of it. */
#include "cli/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* ---- system calls ---- */
#define C(name) SCMP_SYS(name)
static const int allowed[] = {
    /* files */
    C(read), C(write), C(readv), C(writev), C(pread64), C(pwrite64), C(preadv), C(pwritev), C(open), C(openat), C(close), C(lseek), C(_llseek), C(stat), C(stat64),
    C(fstat), C(fstat64), C(lstat), C(lstat64), C(newfstatat), C(fstatat64), C(statx), C(statfs), C(statfs64), C(fstatfs), C(fstatfs64), C(access), C(faccessat),
    C(faccessat2), C(readlink), C(readlinkat), C(getcwd), C(getdents), C(getdents64), C(mkdir), C(mkdirat), C(rmdir), C(unlink), C(unlinkat), C(rename), C(renameat),
    C(renameat2), C(ftruncate), C(ftruncate64), C(fallocate), C(fsync), C(fdatasync), C(sync_file_range), C(msync), C(flock), C(fcntl), C(fcntl64), C(dup), C(dup2),
    C(dup3), C(pipe), C(pipe2), C(umask), C(fadvise64), C(fadvise64_64), C(copy_file_range), C(sendfile), C(sendfile64), C(close_range), C(fchmod), C(utimensat),
    /* memory; mmap and mprotect by argument */
    C(brk), C(munmap), C(mremap), C(madvise), C(mlock), C(mlock2), C(munlock), C(mincore), C(membarrier),
    /* threads, signals, time */
    C(futex), C(futex_time64), C(set_robust_list), C(get_robust_list), C(rseq), C(set_tid_address), C(arch_prctl), C(set_thread_area), C(gettid), C(getpid), C(getppid),
    C(sched_yield), C(sched_getaffinity), C(sched_setaffinity), C(sched_getparam), C(sched_getscheduler), C(exit), C(exit_group), C(restart_syscall), C(rt_sigaction),
    C(rt_sigprocmask), C(rt_sigreturn), C(sigreturn), C(rt_sigpending), C(rt_sigsuspend), C(rt_sigtimedwait), C(sigaltstack), C(pause), C(alarm), C(setitimer), C(getitimer),
    C(clock_gettime), C(clock_gettime64), C(clock_getres), C(clock_nanosleep), C(clock_nanosleep_time64), C(nanosleep), C(gettimeofday), C(time), C(times),
    C(timerfd_create), C(timerfd_settime), C(timerfd_gettime), C(getrandom),
    /* network and waiting; socket by argument */
    C(socketpair), C(connect), C(bind), C(listen), C(accept), C(accept4), C(getsockname), C(getpeername), C(getsockopt), C(setsockopt), C(sendto), C(recvfrom), C(sendmsg),
    C(recvmsg), C(sendmmsg), C(recvmmsg), C(shutdown), C(poll), C(ppoll), C(select), C(_newselect), C(pselect6), C(epoll_create), C(epoll_create1), C(epoll_ctl),
    C(epoll_wait), C(epoll_pwait), C(eventfd), C(eventfd2),
    /* who and where we are; less of it */
    C(getuid), C(geteuid), C(getgid), C(getegid), C(getuid32), C(geteuid32), C(getgid32), C(getegid32), C(getresuid), C(getresgid), C(getgroups), C(getpgrp), C(getpgid),
    C(getsid), C(uname), C(sysinfo), C(getrusage), C(getrlimit), C(setrlimit), C(ugetrlimit), C(prlimit64), C(getcpu),
    C(seccomp), C(landlock_create_ruleset), C(landlock_add_rule), C(landlock_restrict_self),
};
static const int refused[] = {
    C(ptrace), C(process_vm_readv), C(process_vm_writev), C(kcmp), C(pidfd_open), C(pidfd_getfd), C(pidfd_send_signal), C(setuid), C(setgid), C(setreuid), C(setregid),
    C(setresuid), C(setresgid), C(setgroups), C(setfsuid), C(setfsgid), C(capset), C(unshare), C(setns), C(chroot), C(chdir), C(fchdir), C(pivot_root), C(mount), C(umount2), C(swapon),
    C(swapoff), C(reboot), C(kexec_load), C(init_module), C(finit_module), C(delete_module), C(bpf), C(perf_event_open), C(userfaultfd), C(keyctl), C(add_key),
    C(request_key), C(memfd_create), C(mknod), C(mknodat), C(link), C(linkat), C(symlink), C(symlinkat), C(chmod), C(fchmodat), C(chown), C(lchown), C(fchown),
    C(fchownat), C(setxattr), C(lsetxattr), C(fsetxattr), C(pkey_mprotect), C(personality), C(acct), C(syslog), C(settimeofday), C(clock_settime), C(adjtimex),
    C(clock_adjtime), C(io_uring_setup), C(io_uring_enter), C(io_uring_register), C(open_by_handle_at), C(name_to_handle_at), C(quotactl), C(sethostname), C(iopl), C(ioperm),
};
static const int starting[] = {C(execve), C(execveat)};
static const int minding[] = {C(wait4), C(waitid), C(kill)};       /* the supervisor ends and takes in what it started */
static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK /* which addresses this host has: getaddrinfo asks */};
static const unsigned long terminal[] = {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX};
static const int process_options[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP};

enum { NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET };

#define ALL(list, action) all(f, (list), sizeof(list) / sizeof *(list), (action))
static bool all(scmp_filter_ctx f, const int *list, size_t n, uint32_t action)
{
    for (size_t i = 0; i < n; i++)
        if (seccomp_rule_add(f, action, list[i], 0) < 0) return false;
    return true;
}

static bool when(scmp_filter_ctx f, int call, struct scmp_arg_cmp arg)
{
    return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, arg) >= 0;
}

/* Memory is written or executed, never both; a thread or process is started in the namespaces that we are in. */
static bool by_argument(scmp_filter_ctx f)
{
    const struct scmp_arg_cmp code = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC), both = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC);
    bool good = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), C(mmap), 1, both) >= 0 && seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), C(mprotect), 1, code) >= 0 &&
                when(f, C(mmap), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) && when(f, C(mmap), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC)) &&
                when(f, C(mmap2), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) && when(f, C(mmap2), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, PROT_EXEC)) &&
                when(f, C(mprotect), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) && when(f, C(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, NEW_NAMESPACES, 0)) &&
                when(f, C(tgkill), SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));         /* abort() */
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) good = good && when(f, C(socket), SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
    for (size_t i = 0; i < sizeof terminal / sizeof *terminal; i++) good = good && when(f, C(ioctl), SCMP_A1_64(SCMP_CMP_EQ, terminal[i], 0));
    for (size_t i = 0; i < sizeof process_options / sizeof *process_options; i++)
        good = good && when(f, C(prctl), SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t)process_options[i], 0));
    return good;
}

bool sandbox_calls(enum sandbox_work work)
{
    bool supervise = work == SANDBOX_SUPERVISE;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    bool good = f && ALL(allowed, SCMP_ACT_ALLOW) && ALL(refused, SCMP_ACT_ERRNO(EPERM)) && by_argument(f) &&
                ALL(starting, supervise ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM)) && ALL(minding, supervise ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
    if (good) (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);        /* a tree instead of a chain: each call costs a few comparisons */
    int rc = good ? seccomp_load(f) : -EINVAL;
    if (f) seccomp_release(f);
    errno = -rc;
    return rc == 0;
}

/* ---- files ---- */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
enum { READ_FILES = LANDLOCK_ACCESS_FS_READ_FILE, LOOK = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
enum { WRITE = LOOK | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
               LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE };

/* Names, certificates and shared objects of the libraries. /etc as a whole and not file by file: resolv.conf is replaced while we run, and a rule
 * holds to what stood there. Its secrets are kept by their modes, as from any other account. */
static const struct { const char *path; uint64_t rights; } system_places[] = {
    {"/etc", READ_FILES | LANDLOCK_ACCESS_FS_READ_DIR}, {"/usr", LOOK}, {"/lib", LOOK}, {"/lib64", LOOK}, {"/run/systemd/resolve", LOOK}, {"/run/resolvconf", LOOK},
    {"/run/NetworkManager", LOOK}, {"/run/nscd", LOOK}, {"/var/lib/ca-certificates", LOOK}, {"/dev/urandom", READ_FILES}, {"/dev/random", READ_FILES},
    {"/dev/null", READ_FILES | LANDLOCK_ACCESS_FS_WRITE_FILE}, {"/sys/devices/system/cpu", LOOK},
};

static uint64_t rights_of(long abi)
{
    uint64_t known = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;         /* the first thirteen */
    if (abi >= 2) known |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) known |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return known;
}

static bool permit(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
    const struct landlock_path_beneath_attr attr = {.allowed_access = rights, .parent_fd = fd};
    bool good = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == 0;
    close(fd);
    return good;
}

/* The directory that a file stands in, unless that is all there is. */
static bool permit_place(int rules, const struct sandbox_place *p, uint64_t known)
{
    char path[4096];
    struct stat st;
    if (!p->path || !*p->path || (size_t)snprintf(path, sizeof path, "%s", p->path) >= sizeof path) return true;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        char *slash = strrchr(path, '/');
        if (!slash) (void)snprintf(path, sizeof path, ".");
        else if (slash == path) return permit(rules, p->path, (p->write ? WRITE : LOOK) & known);
        else *slash = '\0';
    }
    return permit(rules, path, (p->write ? WRITE : LOOK) & known);
}

bool sandbox_files(const struct sandbox_place *places, size_t n)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return false;
    const struct landlock_ruleset_attr attr = {.handled_access_fs = rights_of(abi)};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr.handled_access_fs, 0);
    if (rules < 0) return false;
    bool good = true;
    for (size_t i = 0; i < sizeof system_places / sizeof *system_places; i++) good = good && permit(rules, system_places[i].path, system_places[i].rights);
    for (size_t i = 0; i < n; i++) good = good && permit_place(rules, &places[i], attr.handled_access_fs);
    good = good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    int why = errno;
    close(rules);
    errno = why;
    return good;
}
