// Linux calls that Swift's Glibc module lacks, as `static inline`.
#ifndef LCP_CLINUX_SHIM_H
#define LCP_CLINUX_SHIM_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timex.h>

#define LCP_EPOLL_BATCH 64

static inline int lcp_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// `operation` is 1 (add), 2 (delete) or 3 (modify), as EPOLL_CTL_*.
static inline int lcp_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, fd, &event);
}

// Fills at most LCP_EPOLL_BATCH tokens and event masks; returns how many, or -1 with errno.
static inline int lcp_epoll_wait(int epoll, uint64_t *tokens, uint32_t *events, int timeout_ms) {
    struct epoll_event ready[LCP_EPOLL_BATCH];
    int count = epoll_wait(epoll, ready, LCP_EPOLL_BATCH, timeout_ms);
    for (int i = 0; i < count; i++) {
        tokens[i] = ready[i].data.u64;
        events[i] = ready[i].events;
    }
    return count;
}

static inline int lcp_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Declared by hand: <sys/socket.h> would make this module the owner of types that belong to
// Swift's Glibc module. EFD_* have the values of SOCK_* (both are O_CLOEXEC and O_NONBLOCK).
struct sockaddr;
extern int accept4(int fd, struct sockaddr *address, unsigned int *length, int flags);

static inline int lcp_accept(int fd) { return accept4(fd, 0, 0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Also declared by hand, for the same reason.
extern int fork(void);
extern int execve(const char *path, char *const argv[], char *const envp[]);
extern int dup2(int from, int to);
extern int setpgid(int process, int group);
extern int getpid(void);
extern int getppid(void);
extern int prctl(int option, ...);
extern long syscall(long number, ...);
extern void _exit(int status) __attribute__((noreturn));
extern int sigprocmask(int how, const sigset_t *set, sigset_t *old);
extern void (*signal(int number, void (*handler)(int)))(int);

// Starts a program in a process group of its own, with SIGKILL as its fate when the calling *thread*
// ends: that thread must live as long as the child. Standard input is `input`, output and error are
// `output`. Returns the process, or -1 with errno; a program that can't be executed exits with 127.
static inline int lcp_spawn(const char *path, char *const argv[], char *const envp[], int input, int output) {
    int parent = getpid();
    int child = fork();
    if (child != 0) return child;
    // From here on only async-signal-safe calls: other threads' locks were copied as they were.
    sigset_t none = {{0}};
    sigprocmask(2 /* SIG_SETMASK */, &none, 0);
    // What the parent ignores stays ignored across exec.
    for (int number = 1; number < 32; number++) signal(number, (void (*)(int))0);
    setpgid(0, 0);
    prctl(1 /* PR_SET_PDEATHSIG */, 9 /* SIGKILL */);
    // The parent may have died before that call.
    if (getppid() != parent) _exit(127);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) _exit(127);
    execve(path, argv, envp);
    _exit(127);
}

// A descriptor of a process, which unlike its number never names another one.
static inline int lcp_pidfd_open(int process) { return (int)syscall(434, process, 0); }

static inline int lcp_pidfd_signal(int descriptor, int number) {
    return (int)syscall(424, descriptor, number, 0, 0);
}

// Whether something keeps the system's clock right, and the largest error it may have by now, in
// microseconds; -1 when the kernel does not say.
static inline int lcp_clock_is_kept(int64_t *largest_error) {
    struct timex state = {0};
    int answer = adjtimex(&state);
    *largest_error = state.maxerror;
    return answer < 0 ? -1 : answer != TIME_ERROR && !(state.status & STA_UNSYNC);
}

#endif
