/* forecast - when a straight line will reach a threshold that lies above it. */
#ifndef MAILPROBE_FORECAST_H
#define MAILPROBE_FORECAST_H

#include <stdbool.h>

#include "theil_sen.h"

struct forecast {
	bool reaches; /* false: not before the horizon, or it is there already */
	double x;     /* when */
	double earliest,
		latest; /* by the bounds of the slope; latest is infinite if they allow that it
				  * never will */
};

/* From where the line is at `now`, up to `horizon` later. */
struct forecast forecast(
	const struct theil_sen *line, double now, double threshold, double horizon);

#endif
