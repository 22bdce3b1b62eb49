/* answer - what people say to an event: that they take care of it (ack), or a note.
 *
 * An answer is a revision of the event like any other: remembered with its rule, queued for the
 * sinks that were told of the event, written to events.jsonl; a kill in between loses none of it. Later
 * revisions keep it. What people write is data: bounded here, escaped where it is shown.
 */
#ifndef MAILPROBE_ANSWER_H
#define MAILPROBE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"

#define ANSWER_BY_MAX 64     /* bytes */
#define ANSWER_TEXT_MAX 1000 /* bytes */
#define ANSWER_NOTES_MAX 50  /* of one event */

struct answer {
	const char *event; /* as incident_find takes it */
	const char *by;
	const char *text; /* of a note; of an acknowledgement it may be NULL */
	bool is_note;
	int64_t now_ns; /* wall clock */
};

enum answer_verdict {
	ANSWER_GIVEN,
	ANSWER_NEEDLESS, /* somebody has acknowledged it before */
	ANSWER_REFUSED,  /* there is no such event, or nothing to acknowledge any more */
	ANSWER_FAILED,   /* with local.storage or local.overlap */
};

struct answer_result {
	json_t *event; /* the revision that was made, the caller's; if it failed nevertheless, it is
			* remembered, and the next run writes it */
	char sentence[256]; /* why it is needless or refused */
};

enum answer_verdict answer_give(const char *results_dir, const struct answer *answer,
	struct answer_result *result_r, struct failure *why);

#endif
