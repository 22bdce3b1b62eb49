/* trend_window - one window of one metric: its percentiles and how far they can be trusted. */
#ifndef MAILPROBE_TREND_WINDOW_H
#define MAILPROBE_TREND_WINDOW_H

#include <stddef.h>

#include <jansson.h>

#include "percentile.h"
#include "quantile.h"
#include "rollup.h"

#define TREND_BOUNDED 3

/* The ranks of bounds: most metrics of a trend have as many values, so that these are worked out
 * once. All zero at first. */
struct trend_ranks {
	size_t n;
	struct percentile_interval bounds[TREND_BOUNDED];
};

/* A new object (record.h, window_fields) of n values, which it reorders. */
json_t *trend_window(struct observation *observations, size_t n, struct trend_ranks *ranks);

/* The same by a roll-up, whose percentiles are off by a little; NULL: of no value. */
json_t *trend_window_rolled(const struct rollup_metric *metric, struct trend_ranks *ranks);

/* To six digits, which is more than any of these figures is good for. */
double trend_rounded(double value);

#endif
