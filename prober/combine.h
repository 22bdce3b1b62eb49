/* combine - rules over limits: of this scenario, and of others of its customer.
 *
 * A rule holds as its members do, by the events that their limits have open; hysteresis is theirs. A limit
 * of another scenario does not count, neither as open nor as good, while that scenario's newest run is
 * older than three of its usual intervals (pace.h).
 */
#ifndef MAILPROBE_COMBINE_H
#define MAILPROBE_COMBINE_H

#include <stdbool.h>

#include "failure.h"
#include "scenario.h"
#include "watch_event.h"

/* Judges all rules of the scenario, after its limits, and tells their events. A run that does not count
 * only tells what an earlier one could not. */
int combine_rules(
	const struct watcher *watcher, const struct scenario *scenario, struct failure *why);

/* Whether the scenario has a rule of that name. */
bool combine_has(const struct scenario *scenario, const char *name);

#endif
