/* points - the data points of a metric as the stored results have them, run by run. */
#ifndef MAILPROBE_POINTS_H
#define MAILPROBE_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct point {
	int64_t at_ns, end_ns; /* wall clock: start and end of the run */
	double value;          /* of `failed` and `failure_rate`: 1 if the run failed, else 0 */
	bool censored;         /* at least so much */
	char run_id[40];
	char outcome[16];
};

struct point_choice {
	const char *results_dir, *customer, *scenario, *vantage, *metric;
	int64_t from_ns, to_ns; /* starts of runs, both included */
	size_t newest;          /* so many at most; 0: all */
	bool judged_only;       /* leaves out runs that could not be judged (error, skipped) */
};

struct points {
	struct point *items; /* oldest first */
	size_t count;
};

/* Reads them from the lines, the newest day first, and no more days than it takes. What was made in
 * maintenance is left out. Fails with local.storage; points_free in any case. */
int points_collect(const struct point_choice *choice, struct points *points_r, struct failure *why);
void points_free(struct points *points);

#endif
