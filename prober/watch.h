/* watch - opens and closes events: one kind of limit, `p95 > x` over a window or N of M runs. */
#ifndef MAILPROBE_WATCH_H
#define MAILPROBE_WATCH_H

#include <jansson.h>

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* Judges all limits of the scenario after a run and calls back for each event record that has
 * to be written: an edge (open, resolved, or a change of severity). The edge is remembered in
 * state.db only after `emit` returned 0, so that a crash repeats an edge (same event_id and
 * revision) and never loses it. */
int watch_judge(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why);

#endif
