/* imap_guard - keeps from libetpan what no honest IMAP server sends.
 *
 * libetpan 1.9.4 takes memory and stack by the server's word. This follows the bytes just far
 * enough (lines, literals, quoted strings, parentheses) to stop an attack before it is parsed.
 */
#ifndef MAILPROBE_IMAP_GUARD_H
#define MAILPROBE_IMAP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

struct imap_limits {
	size_t line;     /* bytes of one line without its literals */
	uint64_t literal; /* bytes of one literal */
	unsigned int depth; /* open parentheses */
	size_t lines;    /* lines of one exchange */
};

extern const struct imap_limits imap_default_limits;

struct imap_guard {
	struct imap_limits limits;
	size_t line_length;
	size_t line_count;
	uint64_t literal_left;
	uint64_t number;   /* of a literal's size being read */
	bool in_number, number_ended;
	bool in_quotes, escaped;
	unsigned int depth;
};

void imap_guard_init(struct imap_guard *guard);
/* A new command: lines are counted anew. */
void imap_guard_command(struct imap_guard *guard);
/* An etpan_guard: 0, or -1 with limit.size or limit.depth on the stream. */
int imap_guard_bytes(void *guard, struct stream *stream, const char *bytes, size_t length);

#endif
