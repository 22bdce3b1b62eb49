/* dkim - signs a probe mail as its sender's domain does (RFC 6376), by libopendkim.
 *
 * Asks no DNS: the key comes in memory, and signing needs nothing else. What libopendkim reads
 * from files when it begins, dkim_preload has it read.
 */
#ifndef MAILPROBE_DKIM_H
#define MAILPROBE_DKIM_H

#include "failure.h"
#include "probe_mail.h"

struct dkim_signer {
	const char *domain;   /* d= */
	const char *selector; /* s= */
	const char *key;      /* RSA, private: PEM, or its base64 alone in one line */
};

/* Makes the library ready, once for a process and its children: before the jail, and before any
 * thread. As often as anybody likes. */
void dkim_preload(void);

/* Signs every header field and the whole body, as they are in mail->text, and puts the signature
 * in front; the token is signed with the rest. RSA-SHA256, relaxed both (RFC 8301: RSA-SHA1 is
 * none). The mail is as it was on failure: config.secret if the key cannot be used,
 * local.resource. Nothing of the key is in the reason. */
int dkim_sign_mail(const struct dkim_signer *signer, struct probe_mail *mail, struct failure *why);

#endif
