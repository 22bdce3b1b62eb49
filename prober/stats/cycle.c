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

/* Indices by place: those of one begin at order[begin[place]] and end before order[begin[place + 1]].
 * begin, all 0 at first, has room for places + 2. */
static void sort_by_place(
	const struct point *points, size_t n, size_t places, size_t *begin, size_t *order)
{
	for (size_t i = 0; i < n; i++)
		begin[place_of(&points[i], places) + 2]++;
	for (size_t place = 0; place < places; place++)
		begin[place + 2] += begin[place + 1];
	for (size_t i = 0; i < n; i++)
		order[begin[place_of(&points[i], places) + 1]++] = i;
}

/* Brings `held` values at one place to the level of all. */
static void flatten(const struct point *points, const size_t *at, size_t held,
	const struct step_change *step, double level, double *room, struct point *flat)
{
	double usual;

	if (held == 0)
		return;
	for (size_t i = 0; i < held; i++)
		room[i] = without(points, at[i], step);
	usual = median(room, held);
	for (size_t i = 0; i < held; i++)
		flat[at[i]].y += level - usual;
}

int cycle_remove(const struct point *points, size_t n, size_t places,
	const struct step_change *step, struct point *flat_r)
{
	double *room = calloc(n, sizeof(*room)), level;
	size_t *begin = calloc(places + 2 + n, sizeof(*begin)), *order;
	int result = room != NULL && begin != NULL ? 0 : -1;

	if (result == 0) {
		order = begin + places + 2;
		sort_by_place(points, n, places, begin, order);
		for (size_t i = 0; i < n; i++) {
			flat_r[i] = points[i];
			room[i] = without(points, i, step);
		}
		level = median(room, n);
		for (size_t place = 0; place < places; place++)
			flatten(points, order + begin[place], begin[place + 1] - begin[place], step,
				level, room, flat_r);
	}
	free(room);
	free(begin);
	return result;
}

struct course {
	const struct point *points;
	size_t n, places;
	struct point *flat, *better; /* without the cycle; with a step in mind */
};

static int find_from(
	const struct course *course, const struct point *flat, size_t first, struct step_change *step)
{
	int result = step_change(flat + first, course->n - first, step);

	step->index += first;
	return result;
}

/* Among the points from `first` on; the cycle is that of all. The first look takes the step for a part of
 * the cycle wherever it is older than half of the values, and finds it all the same; the second one
 * knows better. */
static int look_from(const struct course *course, size_t first, struct step_change *step_r)
{
	if (find_from(course, course->flat, first, step_r) < 0 ||
		cycle_remove(course->points, course->n, course->places, step_r, course->better) < 0)
		return -1;
	return find_from(course, course->better, first, step_r);
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
	struct course course = {.points = points, .n = n, .places = places};
	size_t recent, told;
	int result;

	if (n < ROUNDS_LEAST * places)
		return step_change(points, n, step_r);
	course.flat = calloc(2 * n, sizeof(*course.flat));
	if (course.flat == NULL)
		return -1;
	course.better = course.flat + n;
	recent = first_of_last(points, n, RECENT_ROUNDS * places);
	told = first_of_last(points, n, (RECENT_ROUNDS - 1) * places);
	result = cycle_remove(points, n, places, NULL, course.flat);
	if (result == 0)
		result = look_from(&course, recent, step_r);
	if (result == 0 && !(step_r->found && step_r->index >= told))
		result = look_from(&course, 0, step_r);
	free(course.flat);
	return result;
}
