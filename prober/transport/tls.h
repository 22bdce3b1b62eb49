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

/* Waits until the session can go on after SSL_ERROR_WANT_READ or _WRITE: 0, or -1 at the
 * deadline. */
int tls_wait(int fd, int ssl_error, struct deadline deadline);

#endif
