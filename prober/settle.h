/* settle - what is written down once a run has ended, in the order that a crash forgives. */
#ifndef MAILPROBE_SETTLE_H
#define MAILPROBE_SETTLE_H

#include <jansson.h>

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* Says in the record what explains that a run was slow (attribute.h). Then the line of the record,
 * then ledger, history, events and trend: what comes later can be made again from what came
 * before. All are tried; the first failure is reported. */
int settle_result(struct state *state, const char *results_dir, const struct scenario *scenario,
	json_t *record, struct failure *why);

/* The same for a record whose line is there already. Doing it again changes nothing but the
 * trend. */
int settle_stored(struct state *state, const char *results_dir, const struct scenario *scenario,
	const json_t *record, struct failure *why);

/* Then, for whoever holds the scenario's lock: drops lines that have been kept long enough (retention.h).
 * Only after a run that passed, since a clock that is years ahead would have met certificates that are
 * over. */
int settle_old(struct state *state, const char *results_dir, const struct scenario *scenario,
	const json_t *record, struct failure *why);

/* History and events alone: all that limits make of a record. `emit` as in watch.h. */
int settle_judgement(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why);

#endif
