/* timings - the phases of one step.
 *
 * One phase ends at the very instant at which the next begins, so that nothing between them is
 * left unattributed. Time that is the prober's own (waiting for the ledger to be synced, or for
 * another step of the chain) is taken out by a pause: it belongs to no phase and not to the
 * step's duration. A phase that goes on after a pause is shorter than the time from its beginning
 * to its end.
 */
#ifndef MAILPROBE_TIMINGS_H
#define MAILPROBE_TIMINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define TIMINGS_MAX 32

struct phase {
	const char *name; /* a literal */
	int64_t begin_ns;
	int64_t end_ns;
	int64_t excluded_ns; /* within it, but not of it: between a pause and its resumption */
	unsigned int round_trips; /* on the wire, as far as they were counted */
	int64_t waited_ns;        /* for the other end to answer, in these */
};

struct timings {
	struct phase phases[TIMINGS_MAX];
	size_t count;
	bool open; /* the last phase is still going on */
	int64_t excluded_ns; /* of all phases */
	int64_t rtt_ns; /* one round trip; 0: not known */
	/* Called at the beginning of each phase; may be NULL. */
	void (*observe)(void *context, const char *phase);
	void *context;
};

/* Begins a phase; the one that is open ends at the same instant. `name` must be a literal. */
void timings_begin(struct timings *timings, const char *name);

/* Ends the open phase, if any. After it the clock is paused until the next phase begins. */
void timings_pause(struct timings *timings);

/* The phase that was paused goes on; the time since belongs to the prober. For what it does in the
 * middle of a phase, such as hashing a password. Without a pause, nothing. */
void timings_resume(struct timings *timings);

/* The other end was waited for, in so many round trips (0: it went on with its answer): all of it is part
 * of the open phase. */
void timings_waited(struct timings *timings, unsigned int round_trips, int64_t waited_ns);

/* The open phase, or the last one; "" before the first. */
const char *timings_current(const struct timings *timings);

/* Sum of all phases, in nanoseconds. */
int64_t timings_total(const struct timings *timings);

/* The ordered array of the record: name, start_seconds from origin_ns, duration_seconds; where round
 * trips were counted, round_trips, and server_seconds if it is known how long one takes. */
json_t *timings_json(const struct timings *timings, int64_t origin_ns);

#endif
