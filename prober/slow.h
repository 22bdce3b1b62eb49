/* slow - from which figure on a passing step's conversation is worth keeping. */
#ifndef MAILPROBE_SLOW_H
#define MAILPROBE_SLOW_H

#include <jansson.h>

#include "scenario.h"
#include "state.h"

/* A new object, metric name -> seconds: the lowest threshold of each limit on a duration, and for
 * a step's duration also three times its median of the last 24 hours, where that is known of at
 * least 10 runs and half a second more. Never NULL but without memory; what cannot be read is left
 * out, since nothing but evidence depends on it. */
json_t *slow_figures(struct state *state, const struct scenario *scenario, const char *vantage,
	int64_t now_ns);

#endif
