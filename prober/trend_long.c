#include "trend_long.h"

#include <stdlib.h>

#include "error_type.h"
#include "history_long.h"
#include "rollup_store.h"
#include "trend_shape.h"

#include "ban.h"

static int out_of_memory(struct failure *why)
{
	return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
}

static int make_window(
	const struct trend_ask *ask, int64_t length_ns, struct rollup *rollup, struct failure *why)
{
	int64_t begin_ns = history_window(ask->hour_ns, length_ns).begin_ns;

	return begin_ns < ask->until_ns
		? rollup_read(ask->state, ask->series, begin_ns, ask->until_ns, rollup, why)
		: 0;
}

/* A metric without any of it is not named. */
static int put_shape(const struct trend_values *values, json_t *shapes)
{
	json_t *shape = json_object();
	int result = trend_shape(shape, values);

	if (result == 0 && json_object_size(shape) > 0)
		json_object_set(shapes, values->metric, shape);
	json_decref(shape);
	return result;
}

static int make_shapes(const struct trend_ask *ask, const struct trend_name *names, size_t count,
	const struct scenario *scenario, struct kept *kept, struct failure *why)
{
	struct trend_past *pasts = calloc(count + 1, sizeof(*pasts));
	int result;

	if (pasts == NULL)
		return out_of_memory(why);
	for (size_t i = 0; i < count; i++)
		pasts[i].metric = names[i].metric;
	result = trend_past_read(ask, pasts, count, why);
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct trend_values values = {
			.metric = names[i].name,
			.past = &pasts[i],
			.hour_ns = ask->hour_ns,
			.limits = scenario != NULL ? scenario->limits : NULL,
			.limit_count = scenario != NULL ? scenario->limit_count : 0,
		};

		if (put_shape(&values, kept->shapes) < 0)
			result = out_of_memory(why);
	}
	trend_past_free(pasts, count);
	return result;
}

int trend_long(const struct trend_ask *ask, const struct trend_name *names, size_t name_count,
	const struct scenario *scenario, struct kept *kept_r, struct failure *why)
{
	bool found;

	*kept_r = (struct kept){.hour_ns = ask->hour_ns, .until_ns = ask->until_ns};
	if (kept_load(ask->state, ask->series, kept_r, &found, why) < 0)
		return -1;
	if (found)
		return 0;
	kept_r->shapes = json_object();
	if (make_window(ask, 7 * ROLLUP_DAY, &kept_r->week, why) < 0 ||
		make_window(ask, 30 * ROLLUP_DAY, &kept_r->month, why) < 0 ||
		make_shapes(ask, names, name_count, scenario, kept_r, why) < 0)
		return -1;
	return kept_store(ask->state, ask->series, kept_r, why);
}
