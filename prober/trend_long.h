/* trend_long - the part of a trend that roll-ups tell: 7 and 30 days, and how values lie in time.
 *
 * It changes when an hour is over, and is worked out once an hour; a run adds what is not rolled up
 * yet. */
#ifndef MAILPROBE_TREND_LONG_H
#define MAILPROBE_TREND_LONG_H

#include "kept.h"
#include "scenario.h"
#include "trend_past.h"

/* A metric by its id and its name. */
struct trend_name {
	uint32_t metric;
	const char *name;
};

/* Reads what is kept of ask->hour_ns, or makes and keeps it: names are all metrics of the series,
 * by id; limits, those of the scenario. kept_free(kept_r) in any case. */
int trend_long(const struct trend_ask *ask, const struct trend_name *names, size_t name_count,
	const struct scenario *scenario, struct kept *kept_r, struct failure *why);

#endif
