/* growth - whether what grows does so still, or went up once and stayed there.
 *
 * A step in the middle of weeks has a slope, too, and one that is significant. But on its far side nothing
 * grows.
 */
#ifndef MAILPROBE_GROWTH_H
#define MAILPROBE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

#include "point.h"

/* Of n points in ascending order of x, whose line has that slope: true if the points after the likeliest
 * step (Pettitt's) have one of at least half of it by themselves, and no chance. False also where they are too few to
 * tell. -1 if memory is out. */
int growth_goes_on(const struct point *points, size_t n, double slope, bool *goes_on_r);

#endif
