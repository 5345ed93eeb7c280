// nghttp2 imports whole; Swift needs no wrapper.
#ifndef LCP_CNGHTTP2_SHIM_H
#define LCP_CNGHTTP2_SHIM_H

#include <nghttp2/nghttp2.h>

#endif
