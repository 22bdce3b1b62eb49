/* rollup_store - roll-ups of each hour and each day (UTC) of a series, in state.db.
 *
 * An hour is rolled up when the first run of a later one is added, and read from its runs' rows
 * once more when one is added late; a day is the sum of its hours.
 */
#ifndef MAILPROBE_ROLLUP_STORE_H
#define MAILPROBE_ROLLUP_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "rollup.h"
#include "state.h"

#define ROLLUP_HOUR (INT64_C(3600) * 1000000000)
#define ROLLUP_DAY (24 * ROLLUP_HOUR)

/* The beginning of the hour, or day, that an instant lies in. */
int64_t rollup_floor(int64_t at_ns, int64_t length_ns);

/* For whoever has just added a run that began at at_ns, within its transaction: rolls up what is
 * over by then, or corrects the hour and the day that the run is late for. An hour is left as it is
 * if some of its rows are gone by now: nobody could tell whether the run is in it already.
 * *closed_r: an hour has ended. */
int rollup_take_in(
	struct state *state, int64_t series, int64_t at_ns, bool *closed_r, struct failure *why);

/* For whoever has just changed a value of a run that began at at_ns, within its transaction: its hour
 * is read from the rows once more, and its day added up, if they are rolled up already. An hour some
 * of whose rows are gone stays as it is. */
int rollup_correct(struct state *state, int64_t series, int64_t at_ns, struct failure *why);

/* Up to where the hours are rolled up; 0: there is none. */
int rollup_end(struct state *state, int64_t series, int64_t *end_ns_r, struct failure *why);

/* Adds all that lies in [since, until), both full hours; by days where they are there. */
int rollup_read(struct state *state, int64_t series, int64_t since_ns, int64_t until_ns,
	struct rollup *rollup, struct failure *why);

/* Calls back for each hour, or day, that began in [since, until) and had runs, oldest first. A
 * roll-up may name metrics without any value (n is 0). */
int rollup_each(struct state *state, int64_t series, int64_t length_ns, int64_t since_ns,
	int64_t until_ns,
	void (*each)(void *context, int64_t begin_ns, const struct rollup *rollup), void *context,
	struct failure *why);

/* Calls back for each hour of any series that is not what its rows say, though they are all there, and
 * for each day that is not the sum of its hours; with its id, as in the tables. */
int rollup_check(struct state *state, void (*wrong)(void *context, const char *table, int64_t id),
	void *context, struct failure *why);

/* Drops the hours and days that began before. */
int rollup_prune(struct state *state, int64_t series, int64_t before_ns, struct failure *why);

#endif
