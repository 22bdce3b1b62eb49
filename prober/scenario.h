/* scenario - a user journey as its author wrote it: loaded, checked, every complaint at once.
 *
 * YAML (.yaml, .yml) or strict JSON (.json). Nothing is sent before a whole file is found
 * right.
 */
#ifndef MAILPROBE_SCENARIO_H
#define MAILPROBE_SCENARIO_H

#include <jansson.h>

#include "complaint.h"
#include "field.h"
#include "journey.h"
#include "limit.h"

struct scenario {
	struct journey journey;
	const char *file;
	const struct limit *limits;
	size_t limit_count;
};

/* Loads and checks one file. NULL if there is an error; what is wrong is added to complaints
 * either way (a scenario may come with warnings). */
struct scenario *scenario_load(const char *file, struct complaints *complaints);
void scenario_free(struct scenario **scenario);

/* Field tables of the file, of an account, of a limit (for docs and schema). */
extern const struct field scenario_fields[];
extern const struct field account_fields[];
extern const struct field limit_fields[];

/* JSON Schema of a scenario file, draft-07; a new reference. */
json_t *scenario_schema(void);

#endif
