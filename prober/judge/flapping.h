/* flapping - a state that changes so often that each change of its own says nothing any more.
 *
 * As Nagios has it: of the newest 21 states, the share of changes from one to the next, of which the
 * oldest weighs 0.75 and the newest 1.25. It begins at a fifth, and is over at a twentieth.
 */
#ifndef MAILPROBE_FLAPPING_H
#define MAILPROBE_FLAPPING_H

#include <stdbool.h>

#define FLAPPING_STATES 21

/* The newest states, a character each, oldest first; before the first of them nothing changed. */
struct flapping {
	char states[FLAPPING_STATES + 1];
};

/* Adds a state. The oldest goes once there are more than 21. */
void flapping_add(struct flapping *flapping, char state);

/* The share of changes, from 0 to 1. */
double flapping_share(const struct flapping *flapping);

/* Whether it flaps now, given whether it did before. */
bool flapping_goes_on(const struct flapping *flapping, bool before);

#endif
