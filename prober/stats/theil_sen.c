#include "theil_sen.h"

#include <math.h>
#include <stdlib.h>

#include "mann_kendall.h"
#include "median.h"
#include "normal.h"

#include "ban.h"

static size_t fill_slopes(const struct point *points, size_t n, double *slopes)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			slopes[count++] = (points[j].y - points[i].y) / (points[j].x - points[i].x);
	return count;
}

static double clamp(double rank, size_t count)
{
	return fmax(0, fmin(rank, (double)(count - 1)));
}

/* With few points no rank is far enough out, and the outermost slopes have to do. */
static void bound(const double *slopes, size_t count, double spread, struct theil_sen *line)
{
	double low = rint(((double)count - spread) / 2) - 1;
	double high = rint(((double)count + spread) / 2);

	line->slope_low = slopes[(size_t)clamp(low, count)];
	line->slope_high = slopes[(size_t)clamp(high, count)];
}

static double middle_y(const struct point *points, size_t n, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = points[i].y;
	return median(room, n);
}

int theil_sen(const struct point *points, size_t n, double level, struct theil_sen *line_r)
{
	double *slopes = calloc(n * (n - 1) / 2 + n, sizeof(*slopes));
	double middle_x = (points[(n - 1) / 2].x + points[n / 2].x) / 2;
	size_t count;

	if (slopes == NULL)
		return -1;
	count = fill_slopes(points, n, slopes);
	line_r->slope = median(slopes, count);
	bound(slopes, count, normal_within(level) * sqrt(mann_kendall(points, n).variance), line_r);
	line_r->intercept = middle_y(points, n, slopes + count) - line_r->slope * middle_x;
	free(slopes);
	return 0;
}
