/* transcript - what client and server said to each other, bounded, with a time on each line.
 *
 * An allow-list, not a deny-list: whoever adds a line passes only what may be seen. Payloads of
 * authentication are never handed to it. The beginning and the end are kept, the middle makes
 * way.
 */
#ifndef MAILPROBE_TRANSCRIPT_H
#define MAILPROBE_TRANSCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum transcript_side { SAID_BY_CLIENT, SAID_BY_SERVER, SAID_BY_PROBER };

#define TRANSCRIPT_HEAD 40
#define TRANSCRIPT_TAIL 60
#define TRANSCRIPT_TEXT 240

struct transcript_line {
	int64_t at_ns;
	enum transcript_side side;
	char text[TRANSCRIPT_TEXT];
};

struct transcript {
	struct transcript_line head[TRANSCRIPT_HEAD];
	struct transcript_line tail[TRANSCRIPT_TAIL]; /* a ring */
	size_t count;                                 /* of all lines ever added */
};

/* Adds one line as of now; bytes may be anything, they are made printable. */
void transcript_add(struct transcript *transcript, enum transcript_side side, const char *bytes,
	size_t length);

/* A remark of our own, such as where TLS began. */
void transcript_remark(struct transcript *transcript, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The record's array; a new reference. */
json_t *transcript_json(const struct transcript *transcript, int64_t origin_ns);

#endif
