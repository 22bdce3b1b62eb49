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
#include "trend_shape.h"
#include "trend_window.h"

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
	json_t *error_types; /* how many runs each of them decided */
};

struct metric {
	uint32_t id;
	char *name;
	size_t total;               /* observations in the longest window */
	size_t begin[WINDOW_COUNT]; /* the first of each window */
	struct observation *observations;
	int64_t *at_ns; /* of each */
	size_t count;
	int64_t last_at_ns;
	struct observation last;
};

struct build {
	struct state *state;
	const char *customer, *scenario, *vantage;
	const struct limit *limits;
	size_t limit_count;
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

static void count_type(struct counts *counts, const char *type)
{
	const json_t *known = json_object_get(counts->error_types, type);

	if (type[0] == '\0')
		return;
	if (counts->error_types == NULL)
		counts->error_types = json_object();
	json_object_set_new(counts->error_types, type, json_integer(json_integer_value(known) + 1));
}

static void count_run(struct counts *counts, int outcome, const char *error_type)
{
	if (outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR)
		count_type(counts, error_type);
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
			count_run(&build->counts[w], row->mark.outcome, row->error_type);
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
			metric->observations == NULL || metric->at_ns == NULL)
			continue;
		for (size_t w = 0; w < WINDOW_COUNT; w++)
			if (!is_in(build, row->mark.at_ns, w))
				metric->begin[w] = metric->count + 1;
		metric->last = (struct observation){value.value, value.censored};
		metric->last_at_ns = row->mark.at_ns;
		metric->at_ns[metric->count] = row->mark.at_ns;
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
		metric->at_ns = calloc(metric->total + 1, sizeof(int64_t));
		if (metric->observations == NULL || metric->at_ns == NULL)
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
		free(build->metrics[i].at_ns);
		build->metrics[i].at_ns = NULL;
	}
}

/* --- the record ------------------------------------------------------------------------ */

/* Shares of all that have a type: they add up to 1. */
static void put_error_types(json_t *runs, json_t *error_types)
{
	json_t *shares, *value;
	json_int_t total = 0;
	const char *type;

	if (error_types == NULL)
		return;
	json_object_foreach(error_types, type, value) total +=
		json_integer_value(value);
	shares = json_object();
	json_object_foreach(error_types, type, value) json_object_set_new(
		shares, type, json_real((double)json_integer_value(value) / (double)total));
	json_object_set_new(runs, "error_types", shares);
}

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
		put_error_types(one, counts->error_types);
		json_object_set_new(runs, windows[w].name, one);
	}
	return runs;
}

static int put_shape(json_t *object, const struct build *build, const struct metric *metric)
{
	const struct trend_values values = {
		.metric = metric->name,
		.observations = metric->observations,
		.at_ns = metric->at_ns,
		.count = metric->count,
		.end_ns = build->end_ns,
		.limits = build->limits,
		.limit_count = build->limit_count,
	};

	return trend_shape(object, &values);
}

/* NULL if memory is out. */
static json_t *metric_json(const struct build *build, struct metric *metric)
{
	json_t *object = json_object(), *all = json_object();
	char at[CLOCK_TIMESTAMP_SIZE];

	if (!metric->last.censored)
		json_object_set_new(object, "last", json_real(metric->last.value));
	clock_format(metric->last_at_ns, at);
	json_object_set_new(object, "last_at", json_string(at));
	json_object_set_new(object, "windows", all);
	/* As long as the values lie by time. */
	if (put_shape(object, build, metric) < 0) {
		json_decref(object);
		return NULL;
	}
	/* Each window is the end of the next longer one: what is put in order for one does not
	 * change what belongs to the others. */
	for (size_t w = 0; w < WINDOW_COUNT; w++)
		json_object_set_new(all, windows[w].name,
			trend_window(metric->observations + metric->begin[w],
				metric->count - metric->begin[w]));
	return object;
}

static int put_metric(
	const struct build *build, struct metric *metric, json_t *unsorted, struct failure *why)
{
	json_t *object;

	if (metric->count == 0)
		return 0;
	object = metric_json(build, metric);
	if (object == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	json_object_set_new(unsorted, metric->name, object);
	return 0;
}

static int build_metrics(struct build *build, json_t *unsorted, struct failure *why)
{
	int result = 0;

	while (result == 0 && build->last < build->metric_count) {
		result = open_batch(build, why);
		if (result == 0)
			result = sweep(build, keep_row, why);
		for (size_t i = build->first; result == 0 && i < build->last; i++)
			result = put_metric(build, &build->metrics[i], unsorted, why);
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

static void end_build(struct build *build)
{
	for (size_t w = 0; w < WINDOW_COUNT; w++)
		json_decref(build->counts[w].error_types);
	for (size_t i = 0; i < build->metric_count; i++)
		free(build->metrics[i].name);
	free(build->metrics);
}

json_t *trend_build(struct state *state, const struct scenario *scenario, const json_t *record,
	struct failure *why)
{
	struct build build = {
		.state = state,
		.customer = member(record, "customer"),
		.scenario = member(record, "scenario"),
		.vantage = member(record, "vantage"),
		.limits = scenario != NULL ? scenario->limits : NULL,
		.limit_count = scenario != NULL ? scenario->limit_count : 0,
	};
	json_t *unsorted, *trend = NULL;

	if (clock_parse(member(record, "ended_at"), &build.end_ns) < 0) {
		failure_set(why, ERROR_WORKER_PROTOCOL, "a result without its end has no trend");
		return NULL;
	}
	unsorted = json_object();
	if (gather(&build, unsorted, why) == 0)
		trend = assemble(&build, record, unsorted);
	end_build(&build);
	json_decref(unsorted);
	return trend;
}
