#include "cycle.h"

#include <math.h>
#include <stdlib.h>

#include "median.h"

#include "ban.h"

/* Until then, half of the values of a place may be new. */
#define ROUNDS_LEAST 3

static size_t place_of(const struct point *point, size_t places)
{
	double place = fmod(floor(point->x), (double)places);

	return (size_t)(place < 0 ? place + (double)places : place);
}

/* A value without the step. */
static double without(const struct point *points, size_t index, const struct step_change *step)
{
	double height = step != NULL && index >= step->index ? step->after - step->before : 0;

	return points[index].y - height;
}

/* What is usual at the place of a point. */
static double usual_at(const struct point *points, size_t n, size_t places,
	const struct step_change *step, size_t index, double *room)
{
	size_t place = place_of(&points[index], places), held = 0;

	for (size_t i = 0; i < n; i++)
		if (place_of(&points[i], places) == place)
			room[held++] = without(points, i, step);
	return median(room, held);
}

int cycle_remove(const struct point *points, size_t n, size_t places,
	const struct step_change *step, struct point *flat_r)
{
	double *room = calloc(n, sizeof(*room)), level;

	if (room == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		room[i] = without(points, i, step);
	level = median(room, n);
	for (size_t i = 0; i < n; i++) {
		flat_r[i] = points[i];
		flat_r[i].y += level - usual_at(points, n, places, step, i, room);
	}
	free(room);
	return 0;
}

/* The first round takes the step for a part of the cycle wherever it is older than half of the
 * values, and finds it all the same; the second one knows better. */
int cycle_step_change(
	const struct point *points, size_t n, size_t places, struct step_change *step_r)
{
	struct point *flat = calloc(n + 1, sizeof(*flat));
	int result = 0;

	*step_r = (struct step_change){.p = 1};
	if (flat == NULL)
		return -1;
	if (n < ROUNDS_LEAST * places)
		result = step_change(points, n, step_r);
	for (int round = 0; round < 2 && n >= ROUNDS_LEAST * places && result == 0; round++) {
		result = cycle_remove(points, n, places, round > 0 ? step_r : NULL, flat);
		if (result == 0)
			result = step_change(flat, n, step_r);
	}
	free(flat);
	return result;
}
