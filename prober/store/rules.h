/* rules - what limits remember between runs, and the event that each may not have written yet.
 *
 * A rule's memory and the event that goes with it are stored together, before the event is
 * written; only when it is written, it stops being pending. A crash in between writes it twice,
 * never not at all.
 */
#ifndef MAILPROBE_RULES_H
#define MAILPROBE_RULES_H

#include <jansson.h>

#include "failure.h"
#include "outbox.h"
#include "state.h"

struct rule_key {
	const char *customer, *scenario, *rule;
};

/* New references; NULL where there is nothing. */
int rules_load(struct state *state, const struct rule_key *key, json_t **memory_r,
	json_t **pending_r, struct failure *why);

/* `pending` may be NULL; otherwise it goes into the outbox, too, for the sinks of `order`, which
 * may be NULL: both or neither. */
int rules_store(struct state *state, const struct rule_key *key, const json_t *memory,
	const json_t *pending, const struct outbox_order *order, struct failure *why);

/* The pending event is written. */
int rules_emitted(struct state *state, const struct rule_key *key, struct failure *why);

/* Calls back for each rule with an open event, by name. */
int rules_each_open(struct state *state,
	void (*each)(void *context, const struct rule_key *key, const json_t *event), void *context,
	struct failure *why);

/* Names of all rules of the scenario that remember anything: a new array, or NULL. */
json_t *rules_names(
	struct state *state, const char *customer, const char *scenario, struct failure *why);

#endif
