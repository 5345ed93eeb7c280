// What Swift can't import from OpenSSL by itself: function-like macros, as `static inline`.
#ifndef LCP_COPENSSL_SHIM_H
#define LCP_COPENSSL_SHIM_H

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#endif
