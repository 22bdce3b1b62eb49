#include "baseline.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "history.h"
#include "limit.h"

#include "ban.h"

#define RUNS 40
#define NEEDED 5
#define DEVIATIONS (5 * 1.4826) /* MAD to a standard deviation, of a normal distribution */

struct baseline {
	const struct limit_list *limits;
	json_t *names;  /* metric's id, in decimal -> name */
	json_t *values; /* name -> list of values */
};

static void number_key(uint32_t metric, char key[static 16])
{
	snprintf(key, 16, "%u", metric);
}

static void add_name(void *context, uint32_t metric, const char *name)
{
	struct baseline *baseline = context;
	char key[16];

	number_key(metric, key);
	json_object_set_new(baseline->names, key, json_string(name));
	json_object_set_new(baseline->values, name, json_array());
}

static void add_row(void *context, const struct history_row *row)
{
	struct baseline *baseline = context;
	char key[16];

	for (size_t i = 0; i < row->count; i++) {
		struct history_value value = history_value(row, i);
		const char *name;

		number_key(value.metric, key);
		name = json_string_value(json_object_get(baseline->names, key));
		if (name != NULL)
			json_array_append_new(
				json_object_get(baseline->values, name), json_real(value.value));
	}
}

static const char *member(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text != NULL ? text : "";
}

struct baseline *baseline_read(struct state *state, const struct limit_list *limits,
	const json_t *record, struct failure *why)
{
	struct baseline *baseline = calloc(1, sizeof(*baseline));
	const char *customer = member(record, "customer"), *name = member(record, "scenario");
	const char *vantage = member(record, "vantage");

	if (baseline == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	*baseline = (struct baseline){limits, json_object(), json_object()};
	if (history_names(state, customer, name, vantage, add_name, baseline, why) == -1 ||
		history_recent(state, customer, name, vantage, RUNS, add_row, baseline, why) == -1)
		baseline_free(&baseline);
	return baseline;
}

void baseline_free(struct baseline **baseline)
{
	if (*baseline == NULL)
		return;
	json_decref((*baseline)->names);
	json_decref((*baseline)->values);
	free(*baseline);
	*baseline = NULL;
}

static int ascending(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* The lowest threshold on single values of that metric; NAN if there is none. */
static double limit_of(const struct baseline *baseline, const char *metric)
{
	double lowest = NAN;

	for (size_t i = 0; i < baseline->limits->count; i++) {
		const struct limit *limit = &baseline->limits->items[i];
		const struct limit_condition *condition =
			limit->warn.is_set ? &limit->warn : &limit->crit;

		if (strcmp(limit->metric, metric) != 0 || !limit_is_ceiling(condition))
			continue;
		if (isnan(lowest) || condition->threshold < lowest)
			lowest = condition->threshold;
	}
	return lowest;
}

static enum standing by_history(
	double *values, size_t count, double value, double least, double *usual_r)
{
	double middle = median(values, count), margin;

	for (size_t i = 0; i < count; i++)
		values[i] = fabs(values[i] - middle);
	margin = fmax(least, DEVIATIONS * median(values, count));
	*usual_r = middle;
	return value > middle + margin && value > 2 * middle ? STANDING_UNUSUAL : STANDING_USUAL;
}

enum standing baseline_compare(const struct baseline *baseline, const char *metric, double value,
	double least, double *usual_r)
{
	const json_t *known = json_object_get(baseline->values, metric);
	size_t count = json_array_size(known);
	double values[RUNS];

	if (count < NEEDED) {
		*usual_r = limit_of(baseline, metric);
		if (isnan(*usual_r))
			return STANDING_UNKNOWN;
		return value > *usual_r ? STANDING_UNUSUAL : STANDING_USUAL;
	}
	count = count < RUNS ? count : RUNS;
	for (size_t i = 0; i < count; i++)
		values[i] = json_number_value(json_array_get(known, i));
	return by_history(values, count, value, least, usual_r);
}
