/* baseline - what is usual for a metric of a scenario: its newest values, before the run in question. */
#ifndef MAILPROBE_BASELINE_H
#define MAILPROBE_BASELINE_H

#include <stdbool.h>

#include <jansson.h>

#include "failure.h"
#include "limit.h"
#include "state.h"

struct baseline;

/* Reads the newest runs of the series that the record belongs to; NULL on failure. */
struct baseline *baseline_read(struct state *state, const struct limit_list *limits,
	const json_t *record, struct failure *why);
void baseline_free(struct baseline **baseline);

enum standing { STANDING_UNKNOWN, STANDING_USUAL, STANDING_UNUSUAL };

/* How a value compares with what is usual for its metric: unusual is what is more than `least` and
 * five deviations (MAD) above the median, and more than twice the median. With fewer than five values a
 * limit on the metric decides, if there is one. *usual_r is the median, or the limit. */
enum standing baseline_compare(const struct baseline *baseline, const char *metric, double value,
	double least, double *usual_r);

#endif
