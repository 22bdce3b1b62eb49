/* timeline - how long a mail stayed at each stop of its way, as far as that can be known.
 *
 * A stop is a stamp that a server has left on the mail, by a clock that may be wrong by any
 * amount. Certain is only this: every stop lies between our MAIL command and our first look with the
 * mail; stops come one after the other; the server that we spoke to stamped before its final 250;
 * the mail came into the mailbox between our last look without it and the first one with it; a
 * stamp is cut to its resolution; stamps of one clock are wrong by the same amount. All of these
 * bound a difference of two instants, so the bounds that follow are found exactly, as shortest
 * paths: no truth lies outside of them, and nothing narrower could be said. */
#ifndef MAILPROBE_TIMELINE_H
#define MAILPROBE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "received.h"

#define TIMELINE_MAX (RECEIVED_MAX + 1) /* the fields `Received`, and INTERNALDATE */

/* Nanoseconds; the ends belong to it. */
struct bounds {
	int64_t min_ns, max_ns;
};

struct stop {
	/* Given. */
	const char *clock;     /* whose it is: stops of equal names share one; NULL: its own */
	bool stamped;          /* false: nothing is known but its place in the order */
	int64_t stamp_ns;      /* by that clock, since 1970 */
	int64_t resolution_ns; /* of the stamp, which is cut, not rounded */
	/* Found. */
	struct bounds delay;  /* until the next stop; from the last one, until the mail was there */
	struct bounds offset; /* by how much its clock is ahead of ours; if stamped */
	bool skewed;          /* that it is right is out of the question */
	bool known;           /* delay_ns is set */
	int64_t delay_ns;     /* within the bounds, with clocks as near to ours as they can be */
};

struct timeline {
	/* Given: nanoseconds since 1970 by our own clock. */
	int64_t offered_ns;  /* sending of MAIL, or anything before it */
	int64_t accepted_ns; /* final 250; 0: not known */
	int64_t absent_ns;   /* sending of the last look without the mail; 0: there was none */
	int64_t present_ns;  /* answer of the first look with it */
	bool first_is_peer;  /* the first stop is the server that we spoke to */
	struct stop stops[TIMELINE_MAX];
	size_t count;
	/* Found: the stamps contradict each other, unless a clock was set meanwhile; then each stop
	 * counts as a clock of its own. */
	bool contradictory;
};

/* Fills what is to be found. */
void timeline_solve(struct timeline *timeline);

#endif
