/* dane - certificates by the DNS instead of by authorities (RFC 6698), as SMTP has it (RFC 7672). */
#ifndef MAILPROBE_DANE_H
#define MAILPROBE_DANE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

#include "dns_records.h"

/* A record that SMTP can use: RFC 7672, 3.1.3: what names a public authority means nothing to
 * it. */
bool dane_usable(const struct tlsa *tlsa);

/* True if a usable record matches the chain that the server has shown, its own certificate
 * first: that one itself (usage 3, neither name nor dates count), or an authority (usage 2) that
 * leads to it, with the host's name and valid now. The chain may be NULL: no TLS. */
bool dane_matches(
	const struct tlsa *list, size_t count, STACK_OF(X509) *chain, const char *host);

#endif
