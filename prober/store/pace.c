#include "pace.h"

#include <stdlib.h>

#include "clock.h"

#include "ban.h"

#define INTERVALS 3

static int by_length(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

	return (first > second) - (first < second);
}

int64_t pace_allowed(const struct run_mark *runs, size_t count)
{
	int64_t gaps[PACE_RUNS];
	size_t used = count < PACE_RUNS ? count : PACE_RUNS;

	if (count < 3)
		return PACE_UNKNOWN;
	runs += count - used;
	for (size_t i = 1; i < used; i++)
		gaps[i - 1] = runs[i].at_ns - runs[i - 1].at_ns;
	qsort(gaps, used - 1, sizeof(*gaps), by_length);
	return INTERVALS * gaps[(used - 1) / 2];
}
