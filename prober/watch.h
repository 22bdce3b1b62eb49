/* watch - opens and closes events, limit by limit, after each run.
 *
 * A limit that is crossed opens its event, or raises it, at once. The event closes, or comes down
 * from critical to warning, after `keep` good results in a row: for a statistic over a window,
 * those below 0.9 of the limit; otherwise those that do not cross it. Runs that do not count (error,
 * skipped, or made in maintenance) do neither; nor does a statistic of too few values (p50 5, p95
 * 20, p99 100; a failure rate: 3 runs, and 2 failures to open), nor a run without a value of the
 * metric.
 *
 * All times are the record's: a history that is replayed run by run, into a state of its own,
 * gives the same events as the runs did.
 */
#ifndef MAILPROBE_WATCH_H
#define MAILPROBE_WATCH_H

#include <jansson.h>

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* Why no program may act on what a run gave rise to. */
#define WATCH_DOUBT_VANTAGE "the vantage was in doubt"
#define WATCH_DOUBT_MAINTENANCE "the platform was in maintenance"

/* Judges all limits of the scenario after a run that the history has, and calls back for each
 * event record that has to be written: an edge (open, resolved, or a change of severity). An
 * edge stays pending in state.db until `emit` returned 0, and goes out before anything else at
 * the next call: a crash repeats an edge (same event_id and revision) and never loses it. Events
 * go into the outbox for the scenario's sinks; a scenario without sinks leaves the outbox alone. */
int watch_judge(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why);

#endif
