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

/* Brings the values at one place to the level of all. */
static void flatten(const struct point *points, const size_t *placed, size_t n, size_t place,
	const struct step_change *step, double level, double *room, struct point *flat)
{
	size_t held = 0;
	double usual;

	for (size_t i = 0; i < n; i++)
		if (placed[i] == place)
			room[held++] = without(points, i, step);
	if (held == 0)
		return;
	usual = median(room, held);
	for (size_t i = 0; i < n; i++)
		if (placed[i] == place)
			flat[i].y += level - usual;
}

int cycle_remove(const struct point *points, size_t n, size_t places,
	const struct step_change *step, struct point *flat_r)
{
	double *room = calloc(n, sizeof(*room)), level;
	size_t *placed = calloc(n, sizeof(*placed));
	int result = room != NULL && placed != NULL ? 0 : -1;

	for (size_t i = 0; i < n && result == 0; i++) {
		flat_r[i] = points[i];
		placed[i] = place_of(&points[i], places);
		room[i] = without(points, i, step);
	}
	level = result == 0 ? median(room, n) : 0;
	for (size_t place = 0; place < places && result == 0; place++)
		flatten(points, placed, n, place, step, level, room, flat_r);
	free(room);
	free(placed);
	return result;
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
