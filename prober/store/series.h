/* series - one scenario of one customer as seen from one vantage, and the ids of its runs. */
#ifndef MAILPROBE_SERIES_H
#define MAILPROBE_SERIES_H

#include <stdint.h>

#include "failure.h"
#include "state.h"

struct series_key {
	const char *customer, *scenario, *vantage;
};

/* *id_r is 0 if there is none. */
int series_find(
	struct state *state, const struct series_key *key, int64_t *id_r, struct failure *why);
int series_make(
	struct state *state, const struct series_key *key, int64_t *id_r, struct failure *why);

/* Calls back for each vantage that the scenario was seen from, in the order of their names. */
int series_vantages(struct state *state, const char *customer, const char *scenario,
	void (*each)(void *context, const char *vantage), void *context, struct failure *why);

/* The first id that a run of that instant may have: the series in the upper bits, milliseconds
 * since 2020 below (see schema.c). */
int64_t series_run_id(int64_t series, int64_t at_ns);
int64_t series_of_run(int64_t id);
/* The instant that an id stands for, to the millisecond. */
int64_t series_run_time(int64_t id);

#endif
