// libzmq imports whole. `eventfd` stands here because Swift's Glibc module lacks it.
#ifndef LCP_CZEROMQ_SHIM_H
#define LCP_CZEROMQ_SHIM_H

#include <sys/eventfd.h>
#include <zmq.h>

#endif
