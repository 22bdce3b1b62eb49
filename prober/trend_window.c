#include "trend_window.h"

#include <math.h>

#include "ban.h"

/* Of a percentile's bounds. */
#define CONFIDENCE 0.95

static const struct {
	const char *name;
	unsigned int percent;
} statistics[] = {{"min", 0}, {"p50", 50}, {"p95", 95}, {"p99", 99}, {"max", 100}};

static json_int_t count_censored(const struct observation *observations, size_t n)
{
	json_int_t censored = 0;

	for (size_t i = 0; i < n; i++)
		censored += observations[i].censored;
	return censored;
}

/* A window that is being described: of values, or of a roll-up. */
struct description {
	struct observation *observations; /* which are reordered */
	const struct rollup_metric *rolled;
	size_t n;
	struct trend_ranks *ranks;
	json_t *window, *too_small, *at_least;
};

enum side { SIDE_LOW, SIDE_VALUE, SIDE_HIGH };

double trend_rounded(double value)
{
	double scale;

	if (fpclassify(value) != FP_NORMAL)
		return value;
	scale = exp10(5 - floor(log10(fabs(value))));
	/* What is too large or too small for it keeps its digits. */
	return isnormal(scale) && isfinite(value * scale) ? round(value * scale) / scale : value;
}

static bool is_exact(const struct rollup_metric *metric, size_t rank)
{
	return rank == 1 || rank == metric->values.n;
}

static struct quantile rolled_value(const struct rollup_metric *metric, size_t rank, enum side side)
{
	struct histogram_reading reading = histogram_read(&metric->values, rank);
	double value = side == SIDE_LOW ? reading.low
		: side == SIDE_HIGH     ? reading.high
					: reading.value;

	return (struct quantile){
		.value = is_exact(metric, rank) ? value : trend_rounded(value),
		.at_least = rollup_at_least(metric, rank),
	};
}

/* Rank 0: n is too small. */
static void put_ranked(
	struct description *description, const char *name, size_t rank, enum side side)
{
	struct quantile value;

	if (rank == 0) {
		json_array_append_new(description->too_small, json_string(name));
		return;
	}
	if (description->rolled != NULL)
		value = rolled_value(description->rolled, rank, side);
	else
		value = quantile_ranked(description->observations, description->n, rank);
	json_object_set_new(description->window, name, json_real(value.value));
	if (value.at_least)
		json_array_append_new(description->at_least, json_string(name));
}

static void put_statistics(struct description *description)
{
	for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++) {
		unsigned int percent = statistics[i].percent;
		size_t rank = (percent * description->n + 99) / 100;

		if (description->n >= quantile_needs(percent))
			put_ranked(
				description, statistics[i].name, rank > 0 ? rank : 1, SIDE_VALUE);
		else if (quantile_needs(percent) > 1)
			put_ranked(description, statistics[i].name, 0, SIDE_VALUE);
	}
}

static const struct {
	const char *low, *high;
	unsigned int percent;
} bounded[TREND_BOUNDED] = {
	{"p50_low", "p50_high", 50}, {"p95_low", "p95_high", 95}, {"p99_low", "p99_high", 99}};

static void find_ranks(struct trend_ranks *ranks, size_t n)
{
	if (ranks->n == n)
		return;
	ranks->n = n;
	for (size_t i = 0; i < TREND_BOUNDED; i++)
		ranks->bounds[i] = percentile_interval(n, bounded[i].percent, CONFIDENCE);
}

static void put_bounds(struct description *description)
{
	find_ranks(description->ranks, description->n);
	for (size_t i = 0; i < TREND_BOUNDED; i++) {
		const struct percentile_interval *ranks = &description->ranks->bounds[i];

		/* What has no percentile has no bounds either, without saying so once more. */
		if (description->n < quantile_needs(bounded[i].percent))
			continue;
		put_ranked(description, bounded[i].low, ranks->low, SIDE_LOW);
		put_ranked(description, bounded[i].high, ranks->high, SIDE_HIGH);
	}
}

/* The description's n and its source are set. */
static json_t *describe(struct description *description, json_int_t censored)
{
	json_t *window = json_object();

	description->window = window;
	description->too_small = json_array();
	description->at_least = json_array();
	json_object_set_new(window, "n", json_integer((json_int_t)description->n));
	json_object_set_new(window, "censored", json_integer(censored));
	put_statistics(description);
	put_bounds(description);
	if (json_array_size(description->too_small) > 0)
		json_object_set(window, "too_small_for", description->too_small);
	if (json_array_size(description->at_least) > 0)
		json_object_set(window, "at_least", description->at_least);
	json_decref(description->too_small);
	json_decref(description->at_least);
	return window;
}

json_t *trend_window(struct observation *observations, size_t n, struct trend_ranks *ranks)
{
	struct description description = {.observations = observations, .n = n, .ranks = ranks};

	return describe(&description, count_censored(observations, n));
}

json_t *trend_window_rolled(const struct rollup_metric *metric, struct trend_ranks *ranks)
{
	struct description description = {.rolled = metric, .ranks = ranks};
	json_t *window;

	if (metric == NULL)
		return trend_window(NULL, 0, ranks);
	description.n = metric->values.n;
	window = describe(&description, (json_int_t)metric->censored);
	json_object_set_new(window, "relative_error", json_real(HISTOGRAM_ERROR));
	return window;
}
