/* syslog_line - an event as one message of syslog (RFC 5424). */
#ifndef MAILPROBE_SYSLOG_LINE_H
#define MAILPROBE_SYSLOG_LINE_H

#include <stdbool.h>

#include "sink.h"
#include "text.h"

/* What any receiver should take (RFC 5424, 6.1). */
#define SYSLOG_LINE_MAX 2048

extern const char *const syslog_facilities[];

/* What is the sink's, not the event's. */
struct syslog_origin {
	const char *facility;  /* one of syslog_facilities */
	const char *host;      /* of this machine; what is no syslog_is_host is left out */
	json_int_t enterprise; /* names the structured data */
};

/* HOSTNAME of RFC 5424, 6: 1 to 255 printable characters of ASCII. */
bool syslog_is_host(const char *name);

/* Appends the message, without any framing. Never longer than SYSLOG_LINE_MAX: the sentence is cut
 * at a whole character and ends in "..."; a value that is too long is left out whole, and
 * named in `left_out`. It holds no control character. */
void syslog_line(
	struct text *line, const struct syslog_origin *origin, const struct sink_event *event);

#endif
