/* trend_shape - how the values of one metric lie in time: what is usual at this hour of the week,
 * whether they grow, when they changed, and when they will reach a limit. */
#ifndef MAILPROBE_TREND_SHAPE_H
#define MAILPROBE_TREND_SHAPE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "limit.h"
#include "trend_past.h"

struct trend_values {
	const char *metric;
	struct trend_past *past;    /* whose usual values are put in order */
	int64_t hour_ns;            /* in which the trend ends */
	const struct limit *limits; /* of the scenario, whatever their metric */
	size_t limit_count;
};

/* Adds baseline, slope, step_change and reaches (record.h, record_trend) where there are values
 * enough. A censored value counts as its bound. -1 if memory is out. */
int trend_shape(json_t *object, const struct trend_values *values);

#endif
