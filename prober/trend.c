#include "trend.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "history.h"
#include "quantile.h"
#include "record.h"

#include "ban.h"

#define HOUR (3600 * NS_PER_SECOND)
#define DAY (24 * HOUR)

static const struct {
	const char *name;
	int64_t length_ns;
} windows[] = {
	{"1h", HOUR},
	{"24h", DAY},
	{"7d", 7 * DAY},
	{"30d", 30 * DAY},
};

#define WINDOW_COUNT (sizeof(windows) / sizeof(windows[0]))
#define LONGEST windows[WINDOW_COUNT - 1].length_ns

/* As many observations are held at a time, 16 MB, whatever the history: metrics beyond that take
 * another sweep. */
#define BATCH_OBSERVATIONS ((size_t)1 << 20)

/* --- what is gathered ------------------------------------------------------------------ */

struct counts {
	json_int_t judged, failed, errors, skipped;
};

struct metric {
	uint32_t id;
	char *name;
	size_t total;               /* observations in the longest window */
	size_t begin[WINDOW_COUNT]; /* the first of each window */
	struct observation *observations;
	size_t count;
	int64_t last_at_ns;
	struct observation last;
};

struct build {
	struct state *state;
	const char *customer, *scenario, *vantage;
	int64_t end_ns;
	struct counts counts[WINDOW_COUNT];
	struct metric *metrics; /* by id */
	size_t metric_count, metric_capacity;
	size_t first, last; /* the batch: [first, last) */
	bool out_of_memory;
};

static void add_name(void *context, uint32_t id, const char *name)
{
	struct build *build = context;
	size_t capacity = build->metric_capacity > 0 ? 2 * build->metric_capacity : 64;
	struct metric *metrics;

	if (build->metric_count == build->metric_capacity) {
		metrics = reallocarray(build->metrics, capacity, sizeof(*metrics));
		if (metrics == NULL) {
			build->out_of_memory = true;
			return;
		}
		build->metrics = metrics;
		build->metric_capacity = capacity;
	}
	build->metrics[build->metric_count] = (struct metric){.id = id, .name = strdup(name)};
	if (build->metrics[build->metric_count].name == NULL)
		build->out_of_memory = true;
	else
		build->metric_count++;
}

static int by_id(const void *a, const void *b)
{
	const struct metric *left = a, *right = b;

	return (left->id > right->id) - (left->id < right->id);
}

static int by_name(const void *a, const void *b)
{
	const struct metric *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct metric *find_metric(const struct build *build, uint32_t id)
{
	const struct metric key = {.id = id};

	return bsearch(&key, build->metrics, build->metric_count, sizeof(key), by_id);
}

/* A window is the time after its beginning up to the end of the newest run. */
static bool is_in(const struct build *build, int64_t at_ns, size_t window)
{
	return at_ns > build->end_ns - windows[window].length_ns && at_ns <= build->end_ns;
}

/* --- first sweep: runs, and how much there is of each metric --------------------------- */

static void count_run(struct counts *counts, int outcome)
{
	switch ((enum outcome)outcome) {
	case OUTCOME_FAIL:
		counts->failed++;
		counts->judged++;
		break;
	case OUTCOME_PASS:
	case OUTCOME_WARN:
		counts->judged++;
		break;
	case OUTCOME_ERROR:
		counts->errors++;
		break;
	case OUTCOME_SKIPPED:
		counts->skipped++;
		break;
	}
}

static void count_row(void *context, const struct history_row *row)
{
	struct build *build = context;

	for (size_t w = 0; w < WINDOW_COUNT; w++)
		if (is_in(build, row->mark.at_ns, w))
			count_run(&build->counts[w], row->mark.outcome);
	if (!is_in(build, row->mark.at_ns, WINDOW_COUNT - 1))
		return;
	for (size_t i = 0; i < row->count; i++) {
		struct metric *metric = find_metric(build, history_value(row, i).metric);

		if (metric != NULL)
			metric->total++;
	}
}

/* --- further sweeps: the observations of a batch of metrics ---------------------------- */

static void keep_row(void *context, const struct history_row *row)
{
	struct build *build = context;

	if (!is_in(build, row->mark.at_ns, WINDOW_COUNT - 1))
		return;
	for (size_t i = 0; i < row->count; i++) {
		struct history_value value = history_value(row, i);
		struct metric *metric = find_metric(build, value.metric);

		if (metric == NULL || metric->count == metric->total ||
			metric->observations == NULL)
			continue;
		for (size_t w = 0; w < WINDOW_COUNT; w++)
			if (!is_in(build, row->mark.at_ns, w))
				metric->begin[w] = metric->count + 1;
		metric->last = (struct observation){value.value, value.censored};
		metric->last_at_ns = row->mark.at_ns;
		metric->observations[metric->count++] = metric->last;
	}
}

static int sweep(struct build *build, void (*each)(void *context, const struct history_row *row),
	struct failure *why)
{
	return history_sweep(build->state, build->customer, build->scenario, build->vantage,
		build->end_ns - LONGEST, each, build, why);
}

/* Chooses the next batch and makes room for it. */
static int open_batch(struct build *build, struct failure *why)
{
	size_t total = 0;

	build->first = build->last;
	while (build->last < build->metric_count) {
		struct metric *metric = &build->metrics[build->last];

		if (total > 0 && total + metric->total > BATCH_OBSERVATIONS)
			break;
		total += metric->total;
		metric->observations = calloc(metric->total + 1, sizeof(struct observation));
		if (metric->observations == NULL)
			return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		build->last++;
	}
	return 0;
}

static void close_batch(struct build *build)
{
	for (size_t i = 0; i < build->metric_count; i++) {
		free(build->metrics[i].observations);
		build->metrics[i].observations = NULL;
	}
}

/* --- the record ------------------------------------------------------------------------ */

static json_t *runs_json(const struct build *build)
{
	json_t *runs = json_object();

	for (size_t w = 0; w < WINDOW_COUNT; w++) {
		const struct counts *counts = &build->counts[w];
		json_t *one = json_object();

		json_object_set_new(one, "n", json_integer(counts->judged));
		json_object_set_new(one, "failed", json_integer(counts->failed));
		if (counts->judged > 0)
			json_object_set_new(one, "failure_rate",
				json_real((double)counts->failed / (double)counts->judged));
		json_object_set_new(one, "errors", json_integer(counts->errors));
		json_object_set_new(one, "skipped", json_integer(counts->skipped));
		json_object_set_new(runs, windows[w].name, one);
	}
	return runs;
}

static const struct {
	const char *name;
	unsigned int percent;
} statistics[] = {{"min", 0}, {"p50", 50}, {"p95", 95}, {"max", 100}};

static json_int_t count_censored(const struct observation *observations, size_t n)
{
	json_int_t censored = 0;

	for (size_t i = 0; i < n; i++)
		censored += observations[i].censored;
	return censored;
}

/* Reorders the observations. */
static json_t *window_json(struct observation *observations, size_t n)
{
	json_t *window = json_object(), *too_small = json_array(), *at_least = json_array();

	json_object_set_new(window, "n", json_integer((json_int_t)n));
	json_object_set_new(window, "censored", json_integer(count_censored(observations, n)));
	for (size_t i = 0; i < sizeof(statistics) / sizeof(statistics[0]); i++) {
		const char *name = statistics[i].name;
		struct quantile value;

		if (n < quantile_needs(statistics[i].percent)) {
			if (quantile_needs(statistics[i].percent) > 1)
				json_array_append_new(too_small, json_string(name));
			continue;
		}
		value = quantile(observations, n, statistics[i].percent);
		json_object_set_new(window, name, json_real(value.value));
		if (value.at_least)
			json_array_append_new(at_least, json_string(name));
	}
	if (json_array_size(too_small) > 0)
		json_object_set(window, "too_small_for", too_small);
	if (json_array_size(at_least) > 0)
		json_object_set(window, "at_least", at_least);
	json_decref(too_small);
	json_decref(at_least);
	return window;
}

static json_t *metric_json(struct metric *metric)
{
	json_t *object = json_object(), *all = json_object();
	char at[CLOCK_TIMESTAMP_SIZE];

	if (!metric->last.censored)
		json_object_set_new(object, "last", json_real(metric->last.value));
	clock_format(metric->last_at_ns, at);
	json_object_set_new(object, "last_at", json_string(at));
	/* Each window is the end of the next longer one: what is put in order for one does not
	 * change what belongs to the others. */
	for (size_t w = 0; w < WINDOW_COUNT; w++)
		json_object_set_new(all, windows[w].name,
			window_json(metric->observations + metric->begin[w],
				metric->count - metric->begin[w]));
	json_object_set_new(object, "windows", all);
	return object;
}

static int build_metrics(struct build *build, json_t *unsorted, struct failure *why)
{
	int result = 0;

	while (result == 0 && build->last < build->metric_count) {
		result = open_batch(build, why);
		if (result == 0)
			result = sweep(build, keep_row, why);
		for (size_t i = build->first; result == 0 && i < build->last; i++)
			if (build->metrics[i].count > 0)
				json_object_set_new(unsorted, build->metrics[i].name,
					metric_json(&build->metrics[i]));
		close_batch(build);
	}
	return result;
}

/* By name, for people. */
static json_t *sort_metrics(struct build *build, const json_t *unsorted)
{
	json_t *sorted = json_object();

	if (build->metric_count > 0)
		qsort(build->metrics, build->metric_count, sizeof(*build->metrics), by_name);
	for (size_t i = 0; i < build->metric_count; i++) {
		json_t *metric = json_object_get(unsorted, build->metrics[i].name);

		if (metric != NULL)
			json_object_set(sorted, build->metrics[i].name, metric);
	}
	return sorted;
}

static json_t *assemble(struct build *build, const json_t *record, const json_t *unsorted)
{
	static const char *const keys[] = {"customer", "scenario", "vantage"};
	json_t *trend = json_object();

	json_object_set_new(trend, "schema", json_string(TREND_SCHEMA));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set(trend, keys[i], json_object_get(record, keys[i]));
	json_object_set(trend, "updated_at", json_object_get(record, "ended_at"));
	json_object_set_new(trend, "runs", runs_json(build));
	json_object_set_new(trend, "metrics", sort_metrics(build, unsorted));
	return trend;
}

/* --- the whole ------------------------------------------------------------------------- */

static int gather(struct build *build, json_t *unsorted, struct failure *why)
{
	if (history_names(build->state, build->customer, build->scenario, build->vantage, add_name,
		    build, why) < 0)
		return -1;
	if (build->out_of_memory)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (build->metric_count > 0)
		qsort(build->metrics, build->metric_count, sizeof(*build->metrics), by_id);
	if (sweep(build, count_row, why) < 0)
		return -1;
	return build_metrics(build, unsorted, why);
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

json_t *trend_build(struct state *state, const json_t *record, struct failure *why)
{
	struct build build = {
		.state = state,
		.customer = member(record, "customer"),
		.scenario = member(record, "scenario"),
		.vantage = member(record, "vantage"),
	};
	json_t *unsorted, *trend = NULL;

	if (clock_parse(member(record, "ended_at"), &build.end_ns) < 0) {
		failure_set(why, ERROR_WORKER_PROTOCOL, "a result without its end has no trend");
		return NULL;
	}
	unsorted = json_object();
	if (gather(&build, unsorted, why) == 0)
		trend = assemble(&build, record, unsorted);
	for (size_t i = 0; i < build.metric_count; i++)
		free(build.metrics[i].name);
	free(build.metrics);
	json_decref(unsorted);
	return trend;
}
