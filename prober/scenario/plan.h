/* plan - what is agreed upon about a platform: when somebody works on it, when it is business, and
 * what its limits mean together. */
#ifndef MAILPROBE_PLAN_H
#define MAILPROBE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "calendar.h"

/* A time in which runs say nothing of the platform. */
struct maintenance {
	const char *name;
	int64_t from_ns, to_ns;         /* once; both 0: it comes again */
	const struct calendar *calendar; /* while that is open; NULL: once */
	struct calendar own;             /* of `weekly` */
};

struct plan {
	struct calendar *calendars;
	size_t calendar_count;
	struct maintenance *maintenance;
	size_t maintenance_count;
	const char *tier;    /* of the customer; NULL: not given */
	const json_t *rules; /* as the scenario has them, or NULL */
};

/* Of a scenario that was checked and outlives it. */
void plan_build(const json_t *tree, struct plan *plan_r);
void plan_free(struct plan *plan);

/* NULL if there is none of that name. */
const struct calendar *plan_calendar(const struct plan *plan, const char *name);

/* The maintenance that a run between two instants (UTC, nanoseconds) touches, or NULL. */
const char *plan_maintenance(const struct plan *plan, int64_t from_ns, int64_t to_ns);

#endif
