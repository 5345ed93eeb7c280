// Runs a program under a guard, as `static inline`: fork is not for Swift, which may allocate or take
// a lock at any line.
//
// The guard is a process between ours and the program. It leads a process group of its own, in
// which the program runs with whatever it starts. When the program ends, or our process dies in
// whatever way, the guard kills the group. Without it PR_SET_PDEATHSIG would reach the program
// alone, and SIGKILL to us would leave its children behind.
#ifndef LCP_CGUARD_SHIM_H
#define LCP_CGUARD_SHIM_H

#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The first of the two ints that arrive on `report`; the second is errno, an exit code or a signal.
enum {
    LCP_GUARD_NOT_STARTED = 1,
    LCP_GUARD_EXITED = 2,
    LCP_GUARD_SIGNALED = 3,
};

// From glibc 2.34 on. It is fork without the handlers that libraries registered, so both sides may
// go on with what is async-signal-safe and with nothing else.
extern pid_t _Fork(void);

static inline void lcp_guard_report(int report, int kind, int value) {
    int words[2] = {kind, value};
    ssize_t written = write(report, words, sizeof words);
    (void)written;
}

static inline void lcp_guard_close_from(unsigned int first) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
    for (int fd = (int)first; fd < 65536; fd++) close(fd);
}

// Both ends are closed in whatever is executed. 0, or -1 with errno.
static inline int lcp_guard_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// A thread that serves a program takes no signal: SIGPIPE becomes EPIPE, the rest is for others.
static inline void lcp_guard_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, 0);
}

// The program's own process, until it is the program.
static inline void lcp_guard_become(const char *path, char *const arguments[],
                                    char *const environment[], int report, pid_t guard) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    if (getppid() == guard && sigprocmask(SIG_SETMASK, &none, 0) == 0)
        execve(path, arguments, environment);
    lcp_guard_report(report, LCP_GUARD_NOT_STARTED, errno);
    _exit(127);
}

// The guard's whole life. Every signal is blocked; two are waited for.
static inline void lcp_guard_run(const char *path, char *const arguments[],
                                 char *const environment[], const int files[3], int report,
                                 pid_t parent, int parent_died) {
    setpgid(0, 0);
    prctl(PR_SET_NAME, "lcp-guard");
    prctl(PR_SET_PDEATHSIG, parent_died);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    for (int fd = 0; fd < 3; fd++) dup2(files[fd], fd);
    // Close on exec in the program, and all that the guard keeps of our files.
    dup2(report, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    lcp_guard_close_from(4);

    pid_t guard = getpid();
    pid_t program = _Fork();
    if (program == 0) lcp_guard_become(path, arguments, environment, 3, guard);
    if (program < 0) {
        lcp_guard_report(3, LCP_GUARD_NOT_STARTED, errno);
        _exit(1);
    }
    // Else the program's end would not be the end of its streams.
    for (int fd = 0; fd < 3; fd++) close(fd);

    sigset_t awaited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGCHLD);
    sigaddset(&awaited, parent_died);
    // The parent may have died before the request to hear of it.
    while (getppid() == parent) {
        int status = 0;
        pid_t ended;
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended != program) continue;
            if (WIFEXITED(status))
                lcp_guard_report(3, LCP_GUARD_EXITED, WEXITSTATUS(status));
            else
                lcp_guard_report(3, LCP_GUARD_SIGNALED, WTERMSIG(status));
            kill(0, SIGKILL);
        }
        sigwaitinfo(&awaited, 0);
    }
    kill(0, SIGKILL);
}

// Starts `path` under a guard and returns the guard's pid, which is also the number of the group;
// or -errno. `files` are the program's standard streams, `report` is where the guard writes two
// ints when the program has ended. All four must be above 3; the caller closes its copies.
//
// The calling thread must stay until the guard is gone: the kernel tells the guard of the death of
// the thread that made it.
static inline int lcp_guard_start(const char *path, char *const arguments[],
                                  char *const environment[], const int files[3], int report) {
    int parent_died = SIGRTMIN;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    // No handler of our process may run in its copy.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t guard = _Fork();
    if (guard == 0) {
        lcp_guard_run(path, arguments, environment, files, report, parent, parent_died);
        _exit(1);
    }
    int failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, 0);
    if (guard < 0) return -failure;
    // On both sides, so that the group exists whichever comes first.
    setpgid(guard, guard);
    return guard;
}

#endif
