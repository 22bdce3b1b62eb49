/* failure - why something went wrong: closed kind, blame, the server's own codes, a sentence.
 *
 * Functions that can fail return 0 or -1 and take `why` last: owned by the caller, never NULL,
 * untouched on success. The first failure wins; a cleanup never overwrites it.
 */
#ifndef MAILPROBE_FAILURE_H
#define MAILPROBE_FAILURE_H

#include "error_type.h"

#define FAILURE_TEXT_SIZE 512

struct failure {
	enum error_type type;
	enum blame blame;
	int reply_code;         /* of SMTP; 0 if none was given */
	char enhanced_code[16]; /* RFC 3463, "" if none was given */
	char text[FAILURE_TEXT_SIZE];
};

/* Sets type, the type's blame, and one sentence without a full stop. Does nothing if a failure
 * is already set. Always returns -1. */
int failure_set(struct failure *why, enum error_type type, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence, on the way up. Always returns -1. */
int failure_prefix(struct failure *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
