#include "step_change.h"

#include <math.h>
#include <stdlib.h>

#include "median.h"

#include "ban.h"

#define P_MOST 0.01
/* Of the scatter, and of what was before. */
#define SCATTERS_LEAST 1.5
#define SHARE_LEAST 0.1

/* How many of n values in ascending order are below that one, or, if `equal`, not above it. */
static size_t count_below(const double *values, size_t n, double value, bool equal)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (values[middle] < value || (equal && values[middle] <= value))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Twice the rank, from 1 on; equal values share their ranks. */
static double double_rank(const double *sorted, size_t n, double value)
{
	return 1 + (double)count_below(sorted, n, value, false) +
		(double)count_below(sorted, n, value, true);
}

static void locate(const struct point *points, size_t n, struct step_change *step, double *room)
{
	double count = (double)n, sum = 0;

	for (size_t i = 0; i < n; i++)
		room[i] = points[i].y;
	sort_values(room, n);
	*step = (struct step_change){.index = 1};
	for (size_t i = 0; i + 1 < n; i++) {
		sum += double_rank(room, n, points[i].y) - (count + 1);
		if (fabs(sum) > step->statistic) {
			step->statistic = fabs(sum);
			step->index = i + 1;
		}
	}
	step->p = fmin(1,
		2 *
			exp(-6 * step->statistic * step->statistic /
				(count * count * count + count * count)));
}

static double level_of(const struct point *points, size_t n, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = points[i].y;
	return median(room, n);
}

/* What is left of the values once the step is taken out. */
static void leave_step(
	const struct point *points, size_t n, const struct step_change *step, double *left)
{
	for (size_t i = 0; i < n; i++)
		left[i] = points[i].y - (i < step->index ? step->before : step->after);
}

/* How steep Tukey's resistant line is: through the middles of the first and of the last third. */
static double slope_of(const struct point *points, size_t n, double *room)
{
	size_t third = n / 3;
	const struct point *last = points + n - third;
	double length = last[third / 2].x - points[third / 2].x;

	if (third == 0 || !(length > 0))
		return 0;
	return (level_of(last, third, room) - level_of(points, third, room)) / length;
}

/* What is left of the values once that line is taken out. */
static void leave_line(const struct point *points, size_t n, double *left)
{
	double slope = slope_of(points, n, left), level;

	for (size_t i = 0; i < n; i++)
		left[i] = points[i].y - slope * points[i].x;
	level = median(left, n);
	for (size_t i = 0; i < n; i++)
		left[i] -= level;
}

static double sum_of_sizes(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += fabs(values[i]);
	return sum;
}

/* Slow growth differs as much between its beginning and its end: but a line tells it better. */
static void decide(const struct point *points, size_t n, struct step_change *step, double *room)
{
	double height = fabs(step->after - step->before), beside_step;

	/* Nearly always this is all that has to be known. */
	if (step->p > P_MOST || height <= SHARE_LEAST * fabs(step->before))
		return;
	leave_step(points, n, step, room);
	beside_step = sum_of_sizes(room, n);
	if (height <= SCATTERS_LEAST * MAD_SIGMA * median_deviation(room, n, 0))
		return;
	leave_line(points, n, room);
	step->found = beside_step < sum_of_sizes(room, n);
}

int step_change(const struct point *points, size_t n, struct step_change *step_r)
{
	double *room;

	*step_r = (struct step_change){.p = 1};
	if (n < 2)
		return 0;
	room = calloc(n, sizeof(*room));
	if (room == NULL)
		return -1;
	locate(points, n, step_r, room);
	step_r->before = level_of(points, step_r->index, room);
	step_r->after = level_of(points + step_r->index, n - step_r->index, room);
	decide(points, n, step_r, room);
	free(room);
	return 0;
}
