/* retention - how long results and history are kept.
 *
 * The lines of runs that passed go first: most of a year's lines, and what they say is in the roll-ups.
 * Those of other runs (failed, slow, or settling earlier mails) are evidence and stay longer. No line
 * goes whose run or mails the database still has: it could not be made anew without it.
 */
#ifndef MAILPROBE_RETENTION_H
#define MAILPROBE_RETENTION_H

#include <stdint.h>

#include "archive.h"
#include "failure.h"
#include "state.h"

/* 0: the default. */
struct retention {
	int64_t passed_ns;  /* lines of runs that passed, without anything odd: 100 days */
	int64_t others_ns;  /* all other lines: 400 days */
	int64_t values_ns;  /* rows of runs in the database: 35 days */
	int64_t rollups_ns; /* hours and days in the database: 400 days */
};

/* With the defaults in place of 0. */
struct retention retention_of(const struct retention *keep);

/* Lets the lines of a scenario go that are old enough at that instant: once for each day that comes to
 * be, and at once if it has been done. For whoever holds the scenario's lock. A kill at any point loses
 * no other line; what is left is done by the next run. Fails with local.storage; damaged lines stay. */
int retention_apply(struct state *state, const char *results_dir, const char *customer,
	const char *scenario, const struct retention *keep, int64_t now_ns, struct failure *why);

/* The day before which lines of runs that passed may be missing; 0000-00-00 if none are. Makes nothing. */
int retention_complete_from(const char *results_dir, const char *customer, const char *scenario,
	char day[static ARCHIVE_DAY_SIZE], struct failure *why);

#endif
