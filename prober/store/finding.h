/* finding - what an examination finds out, one line each. */
#ifndef MAILPROBE_FINDING_H
#define MAILPROBE_FINDING_H

#include <stddef.h>

enum finding_level {
	FINDING_OK,
	FINDING_WARN,    /* works, but should not stay so */
	FINDING_BAD,
	FINDING_UNKNOWN, /* could not be examined */
};

#define FINDING_LEVELS (FINDING_UNKNOWN + 1)

extern const char *const finding_names[]; /* "ok", "warn", "bad", "unknown" */

struct findings {
	void (*each)(void *context, enum finding_level level, const char *subject,
		const char *text, const char *advice);
	void *context;
	size_t counts[FINDING_LEVELS];
};

/* Counts it and calls back. `advice` says what to do, or is NULL. */
void finding_say(struct findings *findings, enum finding_level level, const char *subject,
	const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
