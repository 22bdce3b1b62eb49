/* theil_sen - a straight line through points that a few wild ones do not move.
 *
 * The slope is the median of the slopes of all pairs of points (Theil 1950); its interval lies
 * between two of these slopes, whose ranks follow from the variance of Mann and Kendall's S (Sen
 * 1968). The line goes through the medians of x and y.
 */
#ifndef MAILPROBE_THEIL_SEN_H
#define MAILPROBE_THEIL_SEN_H

#include <stddef.h>

#include "point.h"

struct theil_sen {
	double slope, intercept;
	double slope_low, slope_high; /* hold the true slope with the level that was asked for */
};

/* Of n >= 2 points in ascending order of x, no two of which are equal; 0 < level < 1. Time and
 * memory grow with n * n: 16 MB for 2,000 points. -1 if memory is out. */
int theil_sen(const struct point *points, size_t n, double level, struct theil_sen *line_r);

#endif
