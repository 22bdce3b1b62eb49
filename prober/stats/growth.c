#include "growth.h"

#include "mann_kendall.h"
#include "step_change.h"
#include "theil_sen.h"

#include "ban.h"

/* A line through fewer is as good as any other. */
#define POINTS_LEAST 7
#define LEVEL 0.95
#define SIGNIFICANT 0.05

int growth_goes_on(const struct point *points, size_t n, double slope, bool *goes_on_r)
{
	struct step_change step;
	struct theil_sen after;

	*goes_on_r = false;
	if (step_change(points, n, &step) < 0)
		return -1;
	if (n < POINTS_LEAST || n - step.index < POINTS_LEAST)
		return 0;
	if (theil_sen(points + step.index, n - step.index, LEVEL, &after) < 0)
		return -1;
	*goes_on_r = mann_kendall(points + step.index, n - step.index).p < SIGNIFICANT &&
		(slope > 0 ? after.slope >= slope / 2 : after.slope <= slope / 2);
	return 0;
}
