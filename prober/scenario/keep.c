#include "keep.h"

#include <stddef.h>
#include <stdint.h>

#include "ban.h"

const struct field keep_fields[] = {
	{"results", &field_duration, 0,
		"lines of runs that passed, as ever: not slow, and settling no earlier mail; at "
		"least 36d",
		"\"100d\""},
	{"failures", &field_duration, 0, "all other lines; at least as long", "\"400d\""},
	{"values", &field_duration, 0, "the values of each run, in state.db; at least 35d",
		"\"35d\""},
	{"rollups", &field_duration, 0,
		"what trends are made of, by hour and day, in state.db; at least as long",
		"\"400d\""},
	{0},
};

/* Trends and doctor read as much. */
void keep_check(const struct draft *draft)
{
	static const struct {
		const char *pointer, *key, *least_key, *least;
	} rules[] = {
		{"/keep/results", "results", NULL, "36d"},
		{"/keep/values", "values", NULL, "35d"},
		{"/keep/failures", "failures", "results", "100d"},
		{"/keep/rollups", "rollups", "values", "35d"},
	};
	const json_t *keep = json_object_get(draft->tree, "keep");

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct remark remark = {.pointer = rules[i].pointer,
			.spot = FIELD_AT_VALUE,
			.code = "bad-value",
			.hint = "runs are compared with those of the four weeks before"};
		const char *other = json_string_value(json_object_get(keep, rules[i].least_key));
		const char *least = other != NULL ? other : rules[i].least;
		int64_t given_ns = draft_duration(keep, rules[i].key), least_ns = 0;

		if (duration_parse(least, &least_ns) && given_ns > 0 && given_ns < least_ns)
			draft_complain(
				draft, &remark, "\"%s\" must be at least %s", rules[i].key, least);
	}
}
