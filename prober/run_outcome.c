#include "run_outcome.h"

#include <stddef.h>

#include "error_type.h"

#include "ban.h"

static enum outcome outcome_of(const json_t *step)
{
	return (enum outcome)name_index(
		outcome_names, json_string_value(json_object_get(step, "outcome")));
}

static int rank(enum outcome outcome)
{
	static const int ranks[] = {
		[OUTCOME_PASS] = 1,
		[OUTCOME_WARN] = 2,
		[OUTCOME_ERROR] = 3,
		[OUTCOME_FAIL] = 4,
		[OUTCOME_SKIPPED] = 0,
	};

	return ranks[outcome];
}

/* The first of the gravest. */
static const json_t *gravest(const json_t *steps)
{
	const json_t *decisive = NULL, *step;
	size_t index;

	json_array_foreach(steps, index, step)
		if (decisive == NULL || rank(outcome_of(step)) > rank(outcome_of(decisive)))
			decisive = step;
	return decisive;
}

static void copy_key(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value != NULL)
		json_object_set(to, key, value);
}

void run_outcome(json_t *record, const json_t *steps, const json_t *attempts)
{
	const json_t *decisive = gravest(steps);
	enum outcome outcome = decisive != NULL ? outcome_of(decisive) : OUTCOME_SKIPPED;

	if (outcome == OUTCOME_PASS && json_array_size(attempts) > 0) {
		decisive = gravest(json_object_get(json_array_get(attempts, 0), "steps"));
		outcome = OUTCOME_WARN;
	}
	json_object_set_new(record, "outcome", json_string(outcome_name(outcome)));
	if (outcome == OUTCOME_PASS || decisive == NULL)
		return;
	copy_key(record, decisive, "error_type");
	copy_key(record, decisive, "error");
	copy_key(record, decisive, "blame");
}
