/* revise - a revision of an event that no run made: what a person said, or how a command ended.
 *
 * It is remembered with its rule, queued for sinks and written to events.jsonl like any other; a kill
 * in between loses none of it. The caller holds the lock of the rules (lock_take_rules).
 */
#ifndef MAILPROBE_REVISE_H
#define MAILPROBE_REVISE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "incident.h"
#include "outbox.h"
#include "state.h"

/* The next revision, to which what is new is still to be added: it stands as it did. A new object. */
json_t *revise_next(const json_t *before, int64_t now_ns);

/* Stores and writes it. *stored_r: it is remembered; if it could not be written nevertheless, the
 * next run writes it. -1 with local.storage. */
int revise_store(const char *results_dir, struct state *state, const struct incident *incident,
	const json_t *event, const struct outbox_order *order, bool *stored_r, struct failure *why);

#endif
