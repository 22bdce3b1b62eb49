/* scenario - a user journey as its author wrote it: loaded, checked, every complaint at once.
 *
 * YAML (.yaml, .yml) or strict JSON (.json). Nothing is sent before a whole file is found
 * right.
 */
#ifndef MAILPROBE_SCENARIO_H
#define MAILPROBE_SCENARIO_H

#include <jansson.h>

#include "complaint.h"
#include "journey.h"
#include "limit.h"
#include "plan.h"
#include "scenario_fields.h"
#include "retention.h"
#include "sink.h"

struct scenario {
	struct journey journey;
	const char *file;
	const struct limit *limits;
	size_t limit_count;
	const struct sink *sinks;
	size_t sink_count;
	struct plan plan;
	struct retention keep;
};

/* Loads and checks one file. NULL if there is an error; what is wrong is added to complaints
 * either way (a scenario may come with warnings). */
struct scenario *scenario_load(const char *file, struct complaints *complaints);
void scenario_free(struct scenario **scenario);

#endif
