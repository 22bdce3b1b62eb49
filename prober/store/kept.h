/* kept - what a trend takes from the roll-ups, which changes once an hour alone. */
#ifndef MAILPROBE_KEPT_H
#define MAILPROBE_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "rollup.h"
#include "state.h"

struct kept {
	int64_t hour_ns;           /* of the trend's end */
	int64_t until_ns;          /* what began from then on is not in the roll-ups below */
	struct rollup week, month; /* the full hours of 7 and of 30 days */
	json_t *shapes;            /* by metric name */
};

/* Loads what is kept of that hour and that instant; otherwise *found_r is false and the rest of
 * *kept empty. kept_free in any case. */
int kept_load(
	struct state *state, int64_t series, struct kept *kept, bool *found_r, struct failure *why);

/* Replaces what is kept. */
int kept_store(struct state *state, int64_t series, const struct kept *kept, struct failure *why);

void kept_free(struct kept *kept);

#endif
