#include "trend_window.h"

#include "percentile.h"

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

/* A window that is being described. */
struct description {
	struct observation *observations; /* which are reordered */
	size_t n;
	json_t *window, *too_small, *at_least;
};

/* Rank 0: n is too small. */
static void put_ranked(struct description *description, const char *name, size_t rank)
{
	struct quantile value;

	if (rank == 0) {
		json_array_append_new(description->too_small, json_string(name));
		return;
	}
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
			put_ranked(description, statistics[i].name, rank > 0 ? rank : 1);
		else if (quantile_needs(percent) > 1)
			put_ranked(description, statistics[i].name, 0);
	}
}

static void put_bounds(struct description *description)
{
	static const struct {
		const char *low, *high;
		unsigned int percent;
	} bounds[] = {{"p50_low", "p50_high", 50}, {"p95_low", "p95_high", 95},
		{"p99_low", "p99_high", 99}};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		unsigned int percent = bounds[i].percent;
		struct percentile_interval ranks;

		/* What has no percentile has no bounds either, without saying so once more. */
		if (description->n < quantile_needs(percent))
			continue;
		ranks = percentile_interval(description->n, percent, CONFIDENCE);
		put_ranked(description, bounds[i].low, ranks.low);
		put_ranked(description, bounds[i].high, ranks.high);
	}
}

json_t *trend_window(struct observation *observations, size_t n)
{
	struct description description = {
		observations, n, json_object(), json_array(), json_array()};

	json_object_set_new(description.window, "n", json_integer((json_int_t)n));
	json_object_set_new(
		description.window, "censored", json_integer(count_censored(observations, n)));
	put_statistics(&description);
	put_bounds(&description);
	if (json_array_size(description.too_small) > 0)
		json_object_set(description.window, "too_small_for", description.too_small);
	if (json_array_size(description.at_least) > 0)
		json_object_set(description.window, "at_least", description.at_least);
	json_decref(description.too_small);
	json_decref(description.at_least);
	return description.window;
}
