/* frame - how supervisor and worker talk: a length and a JSON object, both ways.
 *
 *   u32, big endian: length of the object   {"type": "progress", "step": "login", ...}
 *
 * Child to parent: jail (once, first), intent, state, recall, settle, progress, step, token, result
 * (once, last). Parent to child: one answer each to intent, settle and token (ack or refusal) and to
 * recall (recalled or refusal). A courier (courier.h) sends `sent`, one for each event, and nothing
 * else. Whoever reads trusts nothing: length,
 * nesting, number of values, UTF-8, keys and kinds are checked before anything is made of it.
 */
#ifndef MAILPROBE_FRAME_H
#define MAILPROBE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "failure.h"
#include "field.h"
#include "text.h"

enum frame_type {
	FRAME_JAIL,
	FRAME_INTENT,
	FRAME_STATE,
	FRAME_RECALL,
	FRAME_SETTLE,
	FRAME_PROGRESS,
	FRAME_STEP,
	FRAME_RESULT,
	FRAME_TOKEN,
	FRAME_ACK,
	FRAME_RECALLED,
	FRAME_REFUSAL,
	FRAME_SENT,
	FRAME_COUNT
};

struct frame_kind {
	const char *name;
	const struct field *fields;
	size_t cap; /* bytes of its JSON */
};

extern const struct frame_kind frame_kinds[FRAME_COUNT];

#define FRAME_HEADER 4
#define FRAME_MAX ((size_t)8 * 1024 * 1024)
#define FRAME_DEPTH_MAX 12
#define FRAME_VALUES_MAX 65536

/* Appends header and object, to which it adds the type; `out` must have room for FRAME_MAX more.
 * -1 with worker.protocol if it is over the cap of its kind: then nothing is appended. */
int frame_write(struct text *out, enum frame_type type, json_t *body, struct failure *why);

/* The object of one frame, checked against its kind's fields; strings are made printable. A new
 * reference, or NULL with worker.protocol. */
json_t *frame_parse(const char *bytes, size_t length, enum frame_type *type_r, struct failure *why);

/* Checks an object against tables; 0, or -1 with worker.protocol and what is wrong with it. Free
 * keys are refused too: no record of a worker has any. */
int frame_check(const struct field *const tables[], const json_t *object, const char *what,
	struct failure *why);

/* What has come and was not taken yet. */
struct frame_reader {
	char *bytes;
	size_t begin, end, capacity;
};

void frame_reader_free(struct frame_reader *reader);

enum frame_fill { FRAME_FILLED, FRAME_NOTHING, FRAME_END };

/* Takes in what has come, some 64 kB at once, without waiting. */
enum frame_fill frame_fill(struct frame_reader *reader, int fd);

/* 1 and the next frame, a new reference; 0 if there is no whole one yet; -1 with
 * worker.protocol: then never again. */
int frame_next(struct frame_reader *reader, json_t **frame_r, enum frame_type *type_r,
	struct failure *why);

#endif
