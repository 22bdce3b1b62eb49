/* redact_pattern - finding the patterns of a secret in a text, through all its views. */
#ifndef MAILPROBE_REDACT_PATTERN_H
#define MAILPROBE_REDACT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Without what views leave out. */
struct pattern {
	char *bytes;
	size_t length;
	bool any_case;
	bool in_parts; /* a part of it is searched for too */
	/* Neighbours that still hold a few bits of the secret: they go as well. */
	size_t before, after;
};

/* Sets hit[i] for each byte of the text that belongs to a secret: a whole one in any view, the
 * beginning of one that the end of the text cut off, a long part of one. */
void patterns_search(
	const struct pattern *patterns, size_t count, const char *bytes, size_t length, char *hit);

#endif
