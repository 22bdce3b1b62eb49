/* pop3_private - what the files of pop3 share. */
#ifndef MAILPROBE_POP3_PRIVATE_H
#define MAILPROBE_POP3_PRIVATE_H

#include <libetpan/libetpan.h>

#include "pop3.h"

#define POP3_CAPABILITIES_MAX 64

struct pop3 {
	struct stream *stream;
	mailstream *mail;
	MMAPString *line;
	size_t length; /* of the line, without its end */
	char capabilities[POP3_CAPABILITIES_MAX][256];
	size_t capability_count;
	bool knows_capa; /* CAPA was answered +OK */
	bool asked;      /* CAPA was sent since the last login or STLS */
};

/* One command with its CRLF; fails if something was said before it was asked for. */
int pop3_send(struct pop3 *pop3, const char *command, const char *what, struct failure *why);

/* One line into pop3->line, its end cut off. */
int pop3_read_line(struct pop3 *pop3, const char *what, struct failure *why);

bool pop3_is_ok(const struct pop3 *pop3);

/* The line as a failure: -ERR is `refusal`, anything else pop3.malformed. Returns -1. */
int pop3_refused(struct pop3 *pop3, const char *what, enum error_type refusal, struct failure *why);

/* Sends a command and takes +OK; everything else is a failure. */
int pop3_command(struct pop3 *pop3, const char *what, enum error_type refusal, struct failure *why,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
