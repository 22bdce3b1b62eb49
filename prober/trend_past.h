/* trend_past - how the values of metrics lay in time: by day, by hour, and at the same hour of the
 * weeks before. */
#ifndef MAILPROBE_TREND_PAST_H
#define MAILPROBE_TREND_PAST_H

#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "point.h"
#include "series.h"
#include "state.h"

#define TREND_DAYS 30
#define TREND_HOURS (7 * 24)
#define TREND_WEEKS 4
#define TREND_DAY_VALUES 5

/* What of a day's values is known: these percentiles. */
extern const unsigned int trend_day_percents[TREND_DAY_VALUES];

struct trend_day {
	double x; /* its middle, in days from the trend's hour on: negative */
	double values[TREND_DAY_VALUES];
};

/* Of one metric; each part by time. */
struct trend_past {
	uint32_t metric;
	struct trend_day days[TREND_DAYS]; /* full days, UTC, that have values */
	size_t day_count;
	struct point hours[TREND_HOURS]; /* their medians; x is in hours, as that of the days */
	size_t hour_count;
	double *usual; /* the values of the same hour of the week */
	size_t usual_count, usual_capacity;
	int64_t usual_weeks, last_week; /* how many have any; the one that was looked at last */
};

/* What is asked: of that series, before that hour, as far as hours are rolled up. */
struct trend_ask {
	struct state *state;
	struct series_key key;
	int64_t series, hour_ns, until_ns;
};

/* Fills the pasts of `count` metrics, by id, of which only `metric` is set. */
int trend_past_read(
	const struct trend_ask *ask, struct trend_past *pasts, size_t count, struct failure *why);

void trend_past_free(struct trend_past *pasts, size_t count);

#endif
