#include "unreachable.h"

#include <stddef.h>
#include <string.h>

#include "ban.h"

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static bool has_failed(const json_t *step)
{
	return strcmp(member(step, "outcome"), "fail") == 0 ||
		strcmp(member(step, "outcome"), "error") == 0;
}

/* What is no server's is nobody else's trouble. */
static bool is_same_trouble(const json_t *step, const json_t *before)
{
	return has_failed(before) && member(step, "server")[0] != '\0' &&
		strcmp(member(step, "server"), member(before, "server")) == 0 &&
		strcmp(member(step, "error_type"), member(before, "error_type")) == 0;
}

static bool was_not_reached(const json_t *steps, size_t index)
{
	const json_t *step = json_array_get(steps, index);

	if (strcmp(member(step, "outcome"), "skipped") == 0)
		return true;
	for (size_t i = 0; i < index && has_failed(step); i++)
		if (is_same_trouble(step, json_array_get(steps, i)))
			return true;
	return false;
}

json_t *unreachable_steps(const json_t *record)
{
	const json_t *steps = json_object_get(record, "steps");
	json_t *ids = json_array();

	for (size_t i = 0; i < json_array_size(steps); i++)
		if (was_not_reached(steps, i))
			json_array_append_new(
				ids, json_string(member(json_array_get(steps, i), "id")));
	return ids;
}

/* Ids may have dots in them, too: the longest that fits is meant. */
bool is_unreachable(const json_t *record, const char *metric)
{
	const json_t *steps = json_object_get(record, "steps");
	size_t longest = 0;
	bool unreachable = false;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const char *id = member(json_array_get(steps, i), "id");
		size_t length = strlen(id);

		if (length <= longest || strncmp(metric, id, length) != 0 || metric[length] != '.')
			continue;
		longest = length;
		unreachable = was_not_reached(steps, i);
	}
	return unreachable;
}
