/* trust - certificate stores, loaded once and shared.
 *
 * The system's store costs tens of milliseconds, a context with one CA file two: they are made
 * once in the supervisor, and their pages are shared with every worker. A scenario's own CA file
 * takes the system's place.
 */
#ifndef MAILPROBE_TRUST_H
#define MAILPROBE_TRUST_H

#include <openssl/ssl.h>

#include "failure.h"
#include "peer.h"

struct trust;

/* Makes the context for these settings now, for this process and those that it forks; there
 * trust_prepare takes it over. What does not work is left for trust_prepare to report. */
void trust_preload(const struct tls_settings *settings);

struct trust *trust_create(void);
void trust_destroy(struct trust **trust);

/* Makes the client context for these settings ready; the same settings again cost nothing. Reads
 * files: call it before the jail. Fails with config.file if the CA file cannot be used. Not for
 * several threads at once. */
int trust_prepare(struct trust *trust, const struct tls_settings *settings, struct failure *why);

/* The context that trust_prepare has made, lent; NULL if it never did. Safe in any thread. */
SSL_CTX *trust_context(const struct trust *trust, const struct tls_settings *settings);

#endif
