/* cycle - what comes back every so often, taken out of values: what is left is what is new.
 *
 * From each value the median of all values at the same place of the cycle is taken, so that what is true
 * of a few rounds only stays. The level of the whole is kept.
 */
#ifndef MAILPROBE_CYCLE_H
#define MAILPROBE_CYCLE_H

#include <stddef.h>

#include "point.h"
#include "step_change.h"

/* Of n > 0 points whose x counts places, `places` of which make a round: flat_r gets as many. A step that is
 * known already, among the same points, is no part of the cycle; NULL: none is. -1 if memory
 * is out. */
int cycle_remove(const struct point *points, size_t n, size_t places,
	const struct step_change *step, struct point *flat_r);

/* A step (step_change) in values that have a cycle: one in the last three rounds, or else the
 * strongest of all.
 * -1 if memory is out. */
int cycle_step_change(
	const struct point *points, size_t n, size_t places, struct step_change *step_r);

#endif
