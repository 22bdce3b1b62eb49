/* redact - the last line of defence: no known secret leaves this process in any common encoding.
 *
 * Transcripts never hold a credential in the first place (see transcript.h). This layer goes
 * over everything that leaves the worker, in case that a server echoes what we said to it.
 */
#ifndef MAILPROBE_REDACT_H
#define MAILPROBE_REDACT_H

#include <jansson.h>

/* Remembers a secret and the forms in which it might come back: as it is, reversed, base64 and
 * base64url at each alignment (alone and as NUL user NUL secret), hexadecimal, percent-encoded,
 * quoted-printable, HTML, JSON and IMAP escapes, UTF-16. Secrets shorter than 4 bytes are only
 * matched as a whole string. */
void redact_learn(const char *secret);

/* Replaces each occurrence in all strings and keys of the tree, in place, by "***". */
void redact_json(json_t *tree);

/* A new string with each occurrence replaced; the caller frees it. */
char *redact_string(const char *string);

/* Wipes all that was learnt. */
void redact_forget(void);

#endif
