/* measure - what a limit measures of data points: the figures that its events have in `values`, found
 * once more from the points themselves. */
#ifndef MAILPROBE_MEASURE_H
#define MAILPROBE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "judge.h"
#include "limit.h"
#include "points.h"

enum measure_form {
	MEASURE_FAILURES,  /* N of the last M runs failed */
	MEASURE_RATE,      /* the share that failed, over a window */
	MEASURE_STATISTIC, /* of the values of a window */
	MEASURE_VALUES,    /* of a run, or N of the last M */
	MEASURE_BURN,      /* how fast the failures of an objective are used up */
	MEASURE_AGE,       /* for how long no run could be judged */
	MEASURE_COURSE,    /* of a trend: growth, where it leads, a step */
};

enum measure_form measure_form(const struct limit *limit);

/* Whether only runs count that could be judged. */
bool measure_takes_judged(const struct limit *limit);

/* Whether its points are runs and how they ended, not values of theirs. */
bool measure_is_of_runs(const struct limit *limit);

/* The figures, with the names that they have in an event; empty if there are too few points to tell,
 * or of a trend. `told` are the values of an event: of an objective, its windows. A new object. */
json_t *measure_values(const struct limit *limit, const struct points *points, const json_t *told);

/* The gravest level whose condition holds. */
enum level measure_level(const struct limit *limit, const struct points *points);

/* Whether the point is one of those that cross the limit at that level. */
bool measure_is_over(const struct limit *limit, enum level level, const struct point *point);

/* What it takes to close what the limit has opened, if all that comes is good: so many more
 * results, or for a window, the time at which enough of its oldest have left it; 0: nothing, or it
 * cannot be told. */
struct measure_way {
	size_t results;
	int64_t at_ns;
};
struct measure_way measure_way_out(const struct limit *limit, const struct points *points);

#endif
