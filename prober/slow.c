#include "slow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "quantile.h"
#include "sample.h"

#include "ban.h"

#define WINDOW (24 * 3600 * NS_PER_SECOND)
#define VALUES_MIN 10
#define VALUES_MAX 2000
#define TIMES_USUAL 3
#define MORE_THAN_USUAL 0.5

static void lower(json_t *figures, const char *metric, double seconds)
{
	const json_t *known = json_object_get(figures, metric);

	if (known == NULL || seconds < json_number_value(known))
		json_object_set_new(figures, metric, json_real(seconds));
}

/* --- limits ---------------------------------------------------------------------------- */

static void add_condition(
	json_t *figures, const struct limit *limit, const struct limit_condition *condition)
{
	if (limit_is_ceiling(condition) && condition->unit == LIMIT_SECONDS)
		lower(figures, limit->metric, condition->threshold);
}

/* --- what is usual --------------------------------------------------------------------- */

/* The durations of one step. */
struct usual {
	char metric[METRIC_NAME_SIZE];
	uint32_t id; /* 0: never seen */
	struct observation *values;
	size_t count;
};

struct gathering {
	struct usual *usual;
	size_t count;
};

static void match_name(void *context, uint32_t id, const char *name)
{
	struct gathering *gathering = context;

	for (size_t i = 0; i < gathering->count; i++)
		if (strcmp(gathering->usual[i].metric, name) == 0)
			gathering->usual[i].id = id;
}

static void gather(void *context, const struct history_row *row)
{
	struct gathering *gathering = context;

	for (size_t i = 0; i < row->count; i++) {
		struct history_value value = history_value(row, i);

		for (size_t j = 0; j < gathering->count; j++) {
			struct usual *usual = &gathering->usual[j];

			if (usual->id == value.metric && usual->count < VALUES_MAX)
				usual->values[usual->count++] =
					(struct observation){.value = value.value};
		}
	}
}

static void add_usual(json_t *figures, const struct usual *usual)
{
	double median, far;

	if (usual->count < VALUES_MIN)
		return;
	median = quantile(usual->values, usual->count, 50).value;
	far = TIMES_USUAL * median;
	lower(figures, usual->metric,
		far > median + MORE_THAN_USUAL ? far : median + MORE_THAN_USUAL);
}

static bool make_room(struct gathering *gathering, const struct journey *journey)
{
	gathering->usual = calloc(journey->step_count + 1, sizeof(*gathering->usual));
	if (gathering->usual == NULL)
		return false;
	for (size_t i = 0; i < journey->step_count; i++) {
		struct usual *usual = &gathering->usual[i];

		snprintf(usual->metric, sizeof(usual->metric), "%s.duration_seconds",
			journey->steps[i].id);
		usual->values = calloc(VALUES_MAX, sizeof(*usual->values));
		if (usual->values == NULL)
			return false;
		gathering->count++;
	}
	return true;
}

json_t *slow_figures(struct state *state, const struct scenario *scenario, const char *vantage,
	int64_t now_ns)
{
	const struct journey *journey = &scenario->journey;
	struct gathering gathering = {0};
	struct failure ignored = {0};
	json_t *figures = json_object();

	for (size_t i = 0; i < scenario->limit_count; i++) {
		add_condition(figures, &scenario->limits[i], &scenario->limits[i].warn);
		add_condition(figures, &scenario->limits[i], &scenario->limits[i].crit);
	}
	if (make_room(&gathering, journey) &&
		history_names(state, journey->customer, journey->scenario, vantage, match_name,
			&gathering, &ignored) == 0 &&
		history_sweep(state, journey->customer, journey->scenario, vantage,
			now_ns - WINDOW, gather, &gathering, &ignored) == 0)
		for (size_t i = 0; i < gathering.count; i++)
			add_usual(figures, &gathering.usual[i]);
	for (size_t i = 0; i < gathering.count; i++)
		free(gathering.usual[i].values);
	free(gathering.usual);
	return figures;
}
