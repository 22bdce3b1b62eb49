/* Reads series, one a line ("x y x y ..."), and prints what the statistics say of each, one JSON
 * object a line, for `reference` to compare. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "histogram.h"
#include "mann_kendall.h"
#include "median.h"
#include "percentile.h"
#include "step_change.h"
#include "theil_sen.h"

#define POINTS_MAX 2000

static struct point points[POINTS_MAX];

static size_t read_series(char *line)
{
	size_t n = 0;
	char *end = line;

	for (char *at = line; n < POINTS_MAX; at = end, n++) {
		points[n].x = strtod(at, &end);
		if (end == at)
			break;
		points[n].y = strtod(end, &end);
	}
	return n;
}

static json_t *ranks_json(size_t n)
{
	static const unsigned int percents[] = {50, 95, 99};
	json_t *all = json_array();

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		struct percentile_interval ranks = percentile_interval(n, percents[i], 0.95);

		json_array_append_new(all,
			json_pack("[i, i, i]", (int)percents[i], (int)ranks.low, (int)ranks.high));
	}
	return all;
}

/* Of two halves that were added. */
static json_t *quantiles_json(size_t n)
{
	struct histogram sum = {0}, half = {0};
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		if (histogram_add(i < n / 2 ? &sum : &half, points[i].y, 1) < 0)
			abort();
	if (histogram_merge(&sum, &half) < 0)
		abort();
	for (unsigned int percent = 0; percent <= 100; percent++)
		json_array_append_new(all, json_real(histogram_quantile(&sum, percent)));
	histogram_clear(&sum);
	histogram_clear(&half);
	return all;
}

static json_t *figures(size_t n)
{
	struct mann_kendall test = mann_kendall(points, n);
	struct theil_sen line;
	struct step_change step;

	if (theil_sen(points, n, 0.95, &line) < 0 || step_change(points, n, &step) < 0)
		abort();
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:o, s:o}", "s",
		test.s, "variance", test.variance, "z", test.z, "p", test.p, "slope", line.slope,
		"intercept", line.intercept, "slope_low", line.slope_low, "slope_high",
		line.slope_high, "step", (int)step.index, "pettitt", step.statistic, "step_p",
		step.p, "ranks", ranks_json(n), "quantiles", quantiles_json(n));
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		json_t *all = figures(read_series(line));

		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(all);
	}
	free(line);
	return 0;
}
