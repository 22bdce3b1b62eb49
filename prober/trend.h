/* trend - what the history of a scenario says: counts and percentiles over windows.
 *
 * Windows of 1h, 24h, 7d and 30d end with the newest run. Percentiles go by nearest rank and come
 * with n; where n is too small for one, it is absent and named (quantile.h). A mail that never
 * came counts as at least the time that was waited for it. Runs that could not be judged, or were
 * skipped, are counted apart.
 */
#ifndef MAILPROBE_TREND_H
#define MAILPROBE_TREND_H

#include <jansson.h>

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* The trend record (record.h, record_trend) as of the end of a run; a new reference, or NULL. The
 * scenario is for its limits, which may be reached one day; NULL: none.
 * Time and memory are bounded by the longest window, however long the history is. */
json_t *trend_build(struct state *state, const struct scenario *scenario, const json_t *record,
	struct failure *why);

#endif
