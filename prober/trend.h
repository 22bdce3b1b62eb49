/* trend - what the history of a scenario says: counts and percentiles over windows. */
#ifndef MAILPROBE_TREND_H
#define MAILPROBE_TREND_H

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* The trend record (record.h, record_trend) as of the end of a run; a new reference, or NULL. */
json_t *trend_build(struct state *state, const json_t *record, struct failure *why);

#endif
