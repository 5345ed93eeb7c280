// What Swift can't import from OpenSSL by itself: function-like macros, as `static inline`.
#ifndef LCP_COPENSSL_SHIM_H
#define LCP_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// TLS 1.2 or later, no renegotiation, writes that may be partial and repeated from moved memory.
static inline void lcp_ssl_ctx_harden(SSL_CTX *context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
}

// The server's answer to ALPN: `h2`, or the alert `no_application_protocol`.
static inline int lcp_alpn_select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                                     const unsigned char *in, unsigned int in_length, void *unused) {
    static const unsigned char h2[] = {2, 'h', '2'};
    (void)ssl;
    (void)unused;
    unsigned char *selected = NULL;
    int result = SSL_select_next_proto(&selected, out_length, h2, sizeof h2, in, in_length);
    *out = selected;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static inline void lcp_ssl_ctx_require_h2(SSL_CTX *context) {
    SSL_CTX_set_alpn_select_cb(context, lcp_alpn_select_h2, NULL);
}

// The client's offer; returns 1 on success.
static inline int lcp_ssl_ctx_offer_h2(SSL_CTX *context) {
    static const unsigned char h2[] = {2, 'h', '2'};
    return SSL_CTX_set_alpn_protos(context, h2, sizeof h2) == 0;
}

static inline long lcp_ssl_set_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name);
}

static inline size_t lcp_bio_pending(BIO *bio) { return BIO_ctrl_pending(bio); }

static inline int lcp_err_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int lcp_err_is_ssl(unsigned long error) { return ERR_GET_LIB(error) == ERR_LIB_SSL; }

static inline int lcp_general_name_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

static inline GENERAL_NAME *lcp_general_name_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

static inline int lcp_general_name_push(GENERAL_NAMES *names, GENERAL_NAME *name) {
    return sk_GENERAL_NAME_push(names, name) > 0;
}

static inline GENERAL_NAMES *lcp_general_names_new(void) { return sk_GENERAL_NAME_new_null(); }

// The bytes of a DNS name or an IP address; the kind is GEN_DNS, GEN_IPADD or something else.
static inline int lcp_general_name_kind(const GENERAL_NAME *name) { return name->type; }

static inline const ASN1_STRING *lcp_general_name_string(const GENERAL_NAME *name) {
    switch (name->type) {
    case GEN_DNS: return name->d.dNSName;
    case GEN_IPADD: return name->d.iPAddress;
    default: return NULL;
    }
}

static inline EVP_PKEY *lcp_generate_p256(void) { return EVP_EC_gen("P-256"); }

#endif
