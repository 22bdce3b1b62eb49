#include "flapping.h"

#include <stddef.h>
#include <string.h>

#include "ban.h"

#define BEGINS 0.20
#define ENDS 0.05
#define WEIGHT_OLDEST 0.75
#define WEIGHT_NEWEST 1.25
#define CHANGES (FLAPPING_STATES - 1)

void flapping_add(struct flapping *flapping, char state)
{
	size_t length = strlen(flapping->states);

	if (length == FLAPPING_STATES) {
		memmove(flapping->states, flapping->states + 1, FLAPPING_STATES);
		length--;
	}
	flapping->states[length] = state;
	flapping->states[length + 1] = '\0';
}

/* Of the change that came `age` states ago. */
static double weight_of(size_t age)
{
	return WEIGHT_NEWEST - (double)age * (WEIGHT_NEWEST - WEIGHT_OLDEST) / (CHANGES - 1);
}

double flapping_share(const struct flapping *flapping)
{
	size_t length = strlen(flapping->states);
	double changes = 0;

	for (size_t i = 1; i < length; i++)
		if (flapping->states[i] != flapping->states[i - 1])
			changes += weight_of(length - 1 - i);
	return changes / CHANGES;
}

bool flapping_goes_on(const struct flapping *flapping, bool before)
{
	double share = flapping_share(flapping);

	return before ? share > ENDS : share >= BEGINS;
}
