/* source - one file as its author wrote it: its text, its tree, and where in the text each key
 * and each value stands.
 *
 * YAML 1.2 (.yaml, .yml; core schema; no tags, no aliases) or strict JSON (.json), at most 1 MB,
 * 32 levels and 20,000 values: no file can cost more than a moment.
 */
#ifndef MAILPROBE_SOURCE_H
#define MAILPROBE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "complaint.h"
#include "field.h"

#define SOURCE_SIZE_MAX ((size_t)1024 * 1024)
#define SOURCE_DEPTH_MAX 32
#define SOURCE_VALUES_MAX 20000

/* Bytes of the text. */
struct span {
	size_t at;
	size_t length;
};

struct place {
	struct span key;   /* length 0: it has none (an item of a list, the root) */
	struct span value; /* quotes included; length 0: nothing, or a map or list in block style */
};

struct source {
	const char *file;
	char *bytes;
	size_t size;
	size_t begin; /* behind a byte order mark */
	json_t *tree;
	json_t *index; /* JSON Pointer -> number of its place */
	struct place *places; /* in the order of the text */
	size_t place_count;
	struct span *hidden; /* secrets: not to be shown */
	size_t hidden_count;
};

/* Reads a file. NULL if it is no well-formed YAML or JSON; complaints say why. A key that is
 * given twice is a complaint, too, but the first one stands. */
struct source *source_read(const char *file, struct complaints *complaints);
void source_free(struct source **source);

/* Where the key or value of that pointer stands; where the pointer leads nowhere, its parent. */
struct span source_find(const struct source *source, const char *pointer, enum field_spot spot);

/* The text of the span is a secret from now on. */
void source_hide(struct source *source, struct span span);

/* Adds the complaint (of which code, pointer, message, hint and is_warning are set), about that
 * part of the text. */
void source_complain(const struct source *source, struct span span,
	const struct complaint *complaint, struct complaints *complaints);

#endif
