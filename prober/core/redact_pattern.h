/* redact_pattern - finding the patterns of a secret in a text, through all its views. */
#ifndef MAILPROBE_REDACT_PATTERN_H
#define MAILPROBE_REDACT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Without what views leave out. */
struct pattern {
	char *bytes; /* at least 4 */
	size_t length;
	bool any_case; /* in small letters */
	bool in_parts; /* a part of it is searched for too */
	/* Neighbours that still hold a few bits of the secret: they go as well. */
	size_t before, after;
};

struct patterns {
	struct pattern *list;
	size_t count;
	/* Of three bytes, by their hash: whether anything that is searched for begins with them.
	 * Almost no place of a harmless text does. For patterns of any case, and for the rest. */
	uint64_t starts[2][1024];
};

/* Takes the bytes over. Ends the process if there is no memory: rather no run than one that may
 * print a secret. */
void patterns_add(struct patterns *patterns, struct pattern pattern);
/* Wipes and frees all. */
void patterns_clear(struct patterns *patterns);

/* Sets hit[i] for each byte of the text that belongs to a secret: a whole one in any view, the
 * beginning of one that the end of the text cut off, a long part of one. */
void patterns_search(const struct patterns *patterns, const char *bytes, size_t length, char *hit);

#endif
