#include "cycle.h"

#include <math.h>
#include <stdlib.h>

#include "median.h"

#include "ban.h"

/* Until then, half of the values of a place may be new. */
#define ROUNDS_LEAST 3
/* In which a new step is looked for. */
#define RECENT_ROUNDS 4

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

/* Among the points from `first` on; the cycle is that of all. The first round takes the step for a part of
 * the cycle wherever it is older than half of the values, and finds it all the same; the second one
 * knows better. */
static int look_from(size_t first, const struct point *points, size_t n, size_t places,
	struct point *flat, struct step_change *step_r)
{
	for (int round = 0; round < 2; round++) {
		if (cycle_remove(points, n, places, round > 0 ? step_r : NULL, flat) < 0 ||
			step_change(flat + first, n - first, step_r) < 0)
			return -1;
		step_r->index += first;
	}
	return 0;
}

/* The first of so many places at the end. */
static size_t first_of_last(const struct point *points, size_t n, size_t places)
{
	double begin = points[n - 1].x - (double)places;
	size_t first = 0;

	while (points[first].x <= begin)
		first++;
	return first;
}

/* What is new stands out sooner beside a few rounds than beside many; it takes one of them before it. */
int cycle_step_change(
	const struct point *points, size_t n, size_t places, struct step_change *step_r)
{
	struct point *flat;
	size_t recent, told;
	int result;

	if (n < ROUNDS_LEAST * places)
		return step_change(points, n, step_r);
	flat = calloc(n, sizeof(*flat));
	if (flat == NULL)
		return -1;
	recent = first_of_last(points, n, RECENT_ROUNDS * places);
	told = first_of_last(points, n, (RECENT_ROUNDS - 1) * places);
	result = look_from(recent, points, n, places, flat, step_r);
	if (result == 0 && !(step_r->found && step_r->index >= told))
		result = look_from(0, points, n, places, flat, step_r);
	free(flat);
	return result;
}
