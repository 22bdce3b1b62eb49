/* step_change - whether values went up or down at one time and stayed there, and when.
 *
 * The time is that of Pettitt's test (1979), which goes by ranks, so that one wild value does not
 * matter. What it finds also has to be a step: it leaves less of the values than a straight line does,
 * and is large beside the scatter about it and beside what was there before.
 */
#ifndef MAILPROBE_STEP_CHANGE_H
#define MAILPROBE_STEP_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "point.h"

struct step_change {
	bool found;
	size_t index;         /* the first point after it */
	double statistic;     /* Pettitt's K */
	double p;             /* of a K so large by chance; good to 2 digits below 0.5 */
	double before, after; /* medians */
};

/* Of n points in ascending order of x. Time grows with n * log n. All but `found` is set wherever
 * n >= 2. -1 if memory is out. */
int step_change(const struct point *points, size_t n, struct step_change *step_r);

#endif
