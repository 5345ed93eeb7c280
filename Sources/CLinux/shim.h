// Linux calls that Swift's Glibc module lacks, as `static inline`.
#ifndef LCP_CLINUX_SHIM_H
#define LCP_CLINUX_SHIM_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

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

#endif
