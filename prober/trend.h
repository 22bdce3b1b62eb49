/* trend - what the history of a scenario says: counts and percentiles over windows.
 *
 * Windows of 1h, 24h, 7d and 30d end with the newest run. Percentiles go by nearest rank and come
 * with n; where n is too small for one, it is absent and named (quantile.h). A mail that never
 * came counts as at least the time that was waited for it. Runs that could not be judged, were
 * skipped, or made in maintenance are counted apart.
 *
 * 1h and 24h are made of the values themselves; 7d and 30d of the hours and days that are rolled up
 * (rollup.h) and of the values since, so that a run costs the same after a year as on its first day.
 */
#ifndef MAILPROBE_TREND_H
#define MAILPROBE_TREND_H

#include <jansson.h>

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* The trend record (record.h, record_trend) as of the end of a run; a new reference, or NULL. The
 * scenario is for its limits, which may be reached one day; NULL: none. What changes once an hour
 * alone is kept in the store. */
json_t *trend_build(struct state *state, const struct scenario *scenario, const json_t *record,
	struct failure *why);

#endif
