/* secret - where a password comes from, and keeping it out of sight.
 *
 * A secret is read by the worker of its own customer, after the fork and before the jail. The
 * supervisor never holds one. Every secret read is known to redact.h.
 */
#ifndef MAILPROBE_SECRET_H
#define MAILPROBE_SECRET_H

#include <jansson.h>

#include "clock.h"
#include "failure.h"

/* Reads the secret that `source` names, one of
 *   {"file": PATH}         relative to base_dir; regular, ours or root's, mode & 077 == 0, one
 *                          link, not through a symbolic link, at most 64 kB
 *   {"credential": NAME}   a file in $CREDENTIALS_DIRECTORY (systemd.exec(5)), by the same
 *                          rules, except that an ACL may let its reader in (mode & 037 == 0)
 *   {"command": [ARGV...]} its first line; no shell, 5 s at most
 *   {"env": NAME}
 *   "inline text"
 * One trailing line end is dropped; an empty secret is refused. The value goes to *secret_r,
 * owned by the caller until secret_free. Fails with config.secret. */
int secret_read(const json_t *source, const char *base_dir, char **secret_r, struct failure *why);

/* The same of what may have several lines, as PEM files do. */
int secret_read_key(
	const json_t *source, const char *base_dir, char **secret_r, struct failure *why);

/* A copy of a secret that came from elsewhere, such as an access token: owned by the caller until
 * secret_free. Ends the process if there is no memory. */
char *secret_keep(const char *value);

/* Wipes, frees and nulls. NULL is fine. */
void secret_free(char **secret);

#endif
