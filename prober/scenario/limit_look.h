/* limit_look - a limit that is being checked, and what is known of it. */
#ifndef MAILPROBE_LIMIT_LOOK_H
#define MAILPROBE_LIMIT_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "draft.h"
#include "limit.h"
#include "metric.h"

struct limit_look {
	const struct draft *draft;
	const json_t *limit, *limits;
	const char *metric; /* NULL: none, or one that there is not */
	enum metric_form form;
	struct limit_condition warn, crit, recover;
	bool has_for;
	size_t index;
};

/* Complains of a key of the limit; of the limit itself if the key is "". */
void limit_complain(const struct limit_look *look, const char *key, const char *code,
	const char *message, const char *hint);

/* Reads the conditions, and checks that all of the limit fits together. */
void limit_check_sense(struct limit_look *look);

#endif
