#include "mann_kendall.h"

#include <math.h>

#include "normal.h"

#include "ban.h"

/* The sum of t (t - 1) (2 t + 5) over groups of t equal values, taken member by member. */
static double ties(const struct point *points, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double equal = 0;

		for (size_t j = 0; j < n; j++)
			equal += points[j].y == points[i].y;
		sum += (equal - 1) * (2 * equal + 5);
	}
	return sum;
}

struct mann_kendall mann_kendall(const struct point *points, size_t n)
{
	struct mann_kendall test = {.p = 1};
	double count = (double)n;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			test.s += (points[j].y > points[i].y) - (points[j].y < points[i].y);
	test.variance = (count * (count - 1) * (2 * count + 5) - ties(points, n)) / 18;
	if (fabs(test.s) > 0) {
		test.z = (test.s - copysign(1, test.s)) / sqrt(test.variance);
		test.p = normal_two_sided(test.z);
	}
	return test;
}
