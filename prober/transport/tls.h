/* tls - the handshake on a connected socket, verified, and what it tells about the server. */
#ifndef MAILPROBE_TLS_H
#define MAILPROBE_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "clock.h"
#include "failure.h"

struct tls_facts {
	char version[16];
	char cipher[64];
	int64_t expires_wall_ns; /* the earliest end in the chain; 0: not known */
	enum error_type untrusted; /* why the certificate is not trusted; ERROR_NONE: it is */
};

/* Shakes hands as a client. The certificate must be valid for host (a name: RFC 6125, SNI; or
 * an IP address), or with report_only is only judged. Returns the session, owned by the caller,
 * or NULL with a tls.* or tcp.* type; facts_r is filled as far as it got. The deadline is looked
 * at as long as the session lives: after it, reading from it only ever wants to wait. */
SSL *tls_handshake(SSL_CTX *context, int fd, const char *host, bool report_only,
	const struct deadline *deadline, struct tls_facts *facts_r, struct failure *why);

/* Says why a certificate (NULL: unknown) is refused, by the result of verification
 * (X509_V_ERR_...): a tls.cert.* type or tls.weak. Always returns -1. */
int tls_refuse_certificate(
	long result, X509 *certificate, const char *host, struct failure *why);

/* What an error of the handshake (ERR_get_error) is called here: tls.weak or tls.handshake. */
enum error_type tls_handshake_type(unsigned long error);

/* Makes a session that others shake hands on look at the deadline whenever it reads; it must live
 * as long as the session. */
void tls_keep_deadline(SSL *ssl, const struct deadline *deadline);

/* Version, cipher and end of the certificates, as far as the session has got. */
void tls_take_facts(SSL *ssl, struct tls_facts *facts_r);

/* Waits until the session can go on after SSL_ERROR_WANT_READ or _WRITE: 0, or -1 at the
 * deadline. */
int tls_wait(int fd, int ssl_error, struct deadline deadline);

#endif
