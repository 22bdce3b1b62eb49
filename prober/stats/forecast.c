#include "forecast.h"

#include <math.h>

#include "ban.h"

static double time_at(double now, double rest, double slope)
{
	return slope > 0 ? now + rest / slope : HUGE_VAL;
}

struct forecast forecast(const struct theil_sen *line, double now, double threshold, double horizon)
{
	double rest = threshold - (line->intercept + line->slope * now);
	struct forecast when = {
		.x = time_at(now, rest, line->slope),
		.earliest = time_at(now, rest, line->slope_high),
		.latest = time_at(now, rest, line->slope_low),
	};

	when.reaches = rest > 0 && when.x <= now + horizon;
	return when;
}
