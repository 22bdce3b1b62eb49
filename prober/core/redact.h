/* redact - the last line of defence: no known secret leaves this process in any common encoding.
 *
 * Transcripts never hold a credential in the first place (see transcript.h). This layer goes
 * over everything that leaves the worker, in case that a server echoes what we said to it.
 */
#ifndef MAILPROBE_REDACT_H
#define MAILPROBE_REDACT_H

#include <jansson.h>

/* Remembers a secret and the forms in which it might come back: as it is (in any case of
 * letters), reversed, base64 and base64url at each alignment (alone and as NUL user NUL secret),
 * hexadecimal, percent-encoded, quoted-printable, HTML, JSON and IMAP escapes, UTF-16, its MD5,
 * SHA-1 and SHA-256, each also wrapped over several lines, and cut off by the end of a text after
 * 6 bytes or more. Secrets shorter than 4 bytes are only matched as a whole string. */
void redact_learn(const char *secret);

/* Remembers a word that is known to everybody (a step's id, an account's address, a name of ours):
 * a string that is this word and nothing else stays, even if a careless secret is the same. Not
 * for several threads at once. */
void redact_public(const char *word);

/* Replaces each occurrence in all strings and keys of the tree, in place, by "***". In a list of
 * objects with `text` (a transcript) also what is spread over several of them. */
void redact_json(json_t *tree);

/* A new string with each occurrence replaced; the caller frees it. NULL if there is no memory:
 * then show nothing. */
char *redact_string(const char *string);

/* Wipes all that was learnt. */
void redact_forget(void);

#endif
