/* metric - the names that a limit may have: what a scenario measures. */
#ifndef MAILPROBE_METRIC_H
#define MAILPROBE_METRIC_H

#include <stddef.h>

#include <jansson.h>

#include "journey.h"

enum metric_form {
	METRIC_FAILED,  /* whether a run failed */
	METRIC_RATE,    /* a share of runs */
	METRIC_AGES,    /* for how long no run could be judged */
	METRIC_SECONDS,
	METRIC_NUMBER,
};

/* A new object: name -> form, of
 *   failed  failure_rate  age  duration_seconds
 *   <id>.duration_seconds  <id>.phases.<phase>  <id>.<what its type says is a metric>
 *   <id of a step that sends>.delivery_seconds  ... .duplicates  ... .hops.<component>
 * Steps without a type are passed over. */
json_t *metric_names(const struct step *steps, size_t count, const json_t *components);

#endif
