/* token - the signature that tells our mail from everybody else's. */
#ifndef MAILPROBE_TOKEN_H
#define MAILPROBE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "probe_mail.h"

#define TOKEN_HEADER "Mailprobe-Token"
#define HASH_SIZE 65

/* SHA-256 of the content (the body, line ends as CRLF, without white space at line ends and
 * empty lines at its end, as relays may add or take those), in hexadecimal. */
void content_hash(const char *body, size_t length, char hash[static HASH_SIZE]);

/* v1.<id>.<hmac>: HMAC-SHA256 over id, envelope and content hash. */
void token_make(const struct mail_key *key, const char *id, const char *from, const char *to,
	const char *hash, char *token, size_t size);

/* The id of the mail that a token claims to be of; false if it has not the form of one. Nothing
 * is proved by that. */
bool token_mail(const char *token, char id[static UUID_SIZE]);

/* Compares without telling by its time how far it got. */
bool token_equal(const char *a, const char *b);

#endif
