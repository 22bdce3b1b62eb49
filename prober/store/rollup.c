#include "rollup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "rollup_private.h"

#include "ban.h"

_Static_assert(OUTCOME_SKIPPED + 1 == ROLLUP_OUTCOMES, "each outcome has its count");

uint64_t rollup_runs(const struct rollup *rollup)
{
	uint64_t runs = rollup->maintenance;

	for (size_t i = 0; i < ROLLUP_OUTCOMES; i++)
		runs += rollup->outcomes[i];
	return runs;
}

bool rollup_at_least(const struct rollup_metric *metric, uint64_t rank)
{
	return metric->censored > 0 &&
		histogram_reaches(&metric->values, rank, metric->least_bound);
}

bool rollup_wants(const struct rollup *rollup, uint32_t metric)
{
	return rollup->only == 0 || rollup->only == metric;
}

/* --- metrics --------------------------------------------------------------------------- */

/* Where a metric is, or would have to be. */
static size_t place_of(const struct rollup *rollup, uint32_t metric)
{
	size_t low = 0, high = rollup->metric_count;

	/* Metrics that were stored come in their order. */
	if (high > 0 && rollup->metrics[high - 1].id < metric)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rollup->metrics[middle].id < metric)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rollup_metric *rollup_find(const struct rollup *rollup, uint32_t metric)
{
	size_t place = place_of(rollup, metric);

	return place < rollup->metric_count && rollup->metrics[place].id == metric
		? &rollup->metrics[place]
		: NULL;
}

static int make_room(struct rollup *rollup)
{
	size_t capacity = rollup->metric_capacity > 0 ? 2 * rollup->metric_capacity : 64;
	struct rollup_metric *metrics;

	if (rollup->metric_count < rollup->metric_capacity)
		return 0;
	metrics = reallocarray(rollup->metrics, capacity, sizeof(*metrics));
	if (metrics == NULL)
		return -1;
	rollup->metrics = metrics;
	rollup->metric_capacity = capacity;
	return 0;
}

struct rollup_metric *rollup_metric(struct rollup *rollup, uint32_t metric)
{
	size_t place = place_of(rollup, metric);
	struct rollup_metric *found;

	if (place < rollup->metric_count && rollup->metrics[place].id == metric)
		return &rollup->metrics[place];
	if (make_room(rollup) < 0)
		return NULL;
	found = &rollup->metrics[place];
	memmove(found + 1, found, (rollup->metric_count++ - place) * sizeof(*found));
	*found = (struct rollup_metric){.id = metric};
	return found;
}

void rollup_censor(struct rollup_metric *metric, uint64_t n, double least_bound)
{
	if (n == 0)
		return;
	metric->least_bound =
		metric->censored > 0 ? fmin(metric->least_bound, least_bound) : least_bound;
	metric->censored += n;
}

/* --- adding ---------------------------------------------------------------------------- */

void rollup_count_type(struct rollup *rollup, const char *type, uint64_t n)
{
	const json_t *known = json_object_get(rollup->error_types, type);

	if (type[0] == '\0')
		return;
	if (rollup->error_types == NULL)
		rollup->error_types = json_object();
	json_object_set_new(
		rollup->error_types, type, json_integer(json_integer_value(known) + (json_int_t)n));
}

void rollup_count_run(struct rollup *rollup, const struct history_row *row)
{
	int outcome = row->mark.outcome;

	if (row->mark.maintenance) {
		rollup->maintenance++;
		return;
	}
	if (outcome >= 0 && outcome < ROLLUP_OUTCOMES)
		rollup->outcomes[outcome]++;
	if (outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR)
		rollup_count_type(rollup, row->error_type, 1);
}

int rollup_add_run(struct rollup *rollup, const struct history_row *row)
{
	rollup_count_run(rollup, row);
	for (size_t i = 0; i < row->count && !row->mark.maintenance; i++) {
		struct history_value value = history_value(row, i);
		struct rollup_metric *metric;

		if (!rollup_wants(rollup, value.metric))
			continue;
		metric = rollup_metric(rollup, value.metric);
		if (metric == NULL || histogram_add(&metric->values, value.value, 1) < 0)
			return -1;
		metric->sum += value.value;
		rollup_censor(metric, value.censored, value.value);
	}
	return 0;
}

void rollup_empty(struct rollup *rollup)
{
	struct rollup_metric *metrics = rollup->metrics;

	for (size_t i = 0; i < rollup->metric_count; i++) {
		metrics[i].values.n = metrics[i].values.count = 0;
		metrics[i].sum = 0;
		metrics[i].censored = 0;
	}
	json_decref(rollup->error_types);
	*rollup = (struct rollup){.metrics = metrics,
		.metric_count = rollup->metric_count,
		.metric_capacity = rollup->metric_capacity};
}

void rollup_free(struct rollup *rollup)
{
	for (size_t i = 0; i < rollup->metric_count; i++)
		histogram_clear(&rollup->metrics[i].values);
	free(rollup->metrics);
	json_decref(rollup->error_types);
	*rollup = (struct rollup){0};
}
