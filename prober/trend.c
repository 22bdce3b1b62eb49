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
#include "rollup_store.h"
#include "trend_long.h"
#include "trend_window.h"

#include "ban.h"

#define DAY ROLLUP_DAY

static const struct {
	const char *name;
	int64_t length_ns;
} windows[] = {
	{"1h", ROLLUP_HOUR},
	{"24h", DAY},
	{"7d", 7 * DAY},
	{"30d", 30 * DAY},
};

#define WINDOW_COUNT (sizeof(windows) / sizeof(windows[0]))
/* These windows are made of the values themselves, the other ones of roll-ups. */
#define EXACT_COUNT 2
#define LONGEST windows[WINDOW_COUNT - 1].length_ns

/* As many observations are held at a time, 16 MB, whatever the history: metrics beyond that take
 * another sweep. */
#define BATCH_OBSERVATIONS ((size_t)1 << 20)

/* --- what is gathered ------------------------------------------------------------------ */

struct metric {
	uint32_t id;
	char *name;
	size_t total;              /* observations in the longest exact window */
	size_t begin[EXACT_COUNT]; /* the first of each window */
	struct observation *observations;
	size_t count;
	int64_t last_at_ns;
	struct observation last;
};

struct build {
	struct trend_ask ask;
	const struct scenario *scenario; /* or NULL */
	int64_t end_ns;
	struct rollup exact[EXACT_COUNT]; /* counts alone */
	struct trend_ranks ranks[WINDOW_COUNT];
	struct kept kept;       /* with the rows that are not rolled up yet */
	struct metric *metrics; /* by id */
	size_t metric_count, metric_capacity;
	size_t first, last; /* the batch: [first, last) */
	bool out_of_memory;
};

static const struct rollup *rollup_of(const struct build *build, size_t window)
{
	const struct rollup *const all[WINDOW_COUNT] = {
		&build->exact[0], &build->exact[1], &build->kept.week, &build->kept.month};

	return all[window];
}

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

/* What the roll-ups do not have yet. */
static void roll_up(struct build *build, const struct history_row *row)
{
	if (row->mark.at_ns < build->ask.until_ns)
		return;
	if (is_in(build, row->mark.at_ns, EXACT_COUNT) &&
		rollup_add_run(&build->kept.week, row) < 0)
		build->out_of_memory = true;
	if (is_in(build, row->mark.at_ns, EXACT_COUNT + 1) &&
		rollup_add_run(&build->kept.month, row) < 0)
		build->out_of_memory = true;
}

/* Whether the row's values are in an exact window. */
static bool counts(const struct build *build, const struct history_row *row)
{
	return !row->mark.maintenance && is_in(build, row->mark.at_ns, EXACT_COUNT - 1);
}

static void count_row(void *context, const struct history_row *row)
{
	struct build *build = context;

	for (size_t w = 0; w < EXACT_COUNT; w++)
		if (is_in(build, row->mark.at_ns, w))
			rollup_count_run(&build->exact[w], row);
	roll_up(build, row);
	if (!counts(build, row))
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

	if (!counts(build, row))
		return;
	for (size_t i = 0; i < row->count; i++) {
		struct history_value value = history_value(row, i);
		struct metric *metric = find_metric(build, value.metric);

		if (metric == NULL || metric->count == metric->total ||
			metric->observations == NULL)
			continue;
		for (size_t w = 0; w < EXACT_COUNT; w++)
			if (!is_in(build, row->mark.at_ns, w))
				metric->begin[w] = metric->count + 1;
		metric->last = (struct observation){value.value, value.censored};
		metric->last_at_ns = row->mark.at_ns;
		metric->observations[metric->count++] = metric->last;
	}
}

static int sweep(struct build *build, int64_t since_ns,
	void (*each)(void *context, const struct history_row *row), struct failure *why)
{
	return history_span(
		build->ask.state, &build->ask.key, since_ns, build->end_ns + 1, each, build, why);
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

/* Shares of all that have a type: they add up to 1. */
static void put_error_types(json_t *runs, json_t *error_types)
{
	json_t *shares, *value;
	json_int_t total = 0;
	const char *type;

	if (error_types == NULL)
		return;
	json_object_foreach(error_types, type, value) total += json_integer_value(value);
	shares = json_object();
	json_object_foreach(error_types, type, value) json_object_set_new(
		shares, type, json_real((double)json_integer_value(value) / (double)total));
	json_object_set_new(runs, "error_types", shares);
}

static json_t *counts_json(const struct rollup *rollup)
{
	json_int_t failed = (json_int_t)rollup->outcomes[OUTCOME_FAIL];
	json_int_t judged = failed + (json_int_t)rollup->outcomes[OUTCOME_PASS] +
		(json_int_t)rollup->outcomes[OUTCOME_WARN];
	json_t *one = json_object();

	json_object_set_new(one, "n", json_integer(judged));
	json_object_set_new(one, "failed", json_integer(failed));
	if (judged > 0)
		json_object_set_new(
			one, "failure_rate", json_real((double)failed / (double)judged));
	json_object_set_new(
		one, "errors", json_integer((json_int_t)rollup->outcomes[OUTCOME_ERROR]));
	json_object_set_new(
		one, "skipped", json_integer((json_int_t)rollup->outcomes[OUTCOME_SKIPPED]));
	json_object_set_new(one, "maintenance", json_integer((json_int_t)rollup->maintenance));
	put_error_types(one, rollup->error_types);
	return one;
}

static json_t *runs_json(const struct build *build)
{
	json_t *runs = json_object();

	for (size_t w = 0; w < WINDOW_COUNT; w++)
		json_object_set_new(runs, windows[w].name, counts_json(rollup_of(build, w)));
	return runs;
}

static void put_last(json_t *object, const struct metric *metric)
{
	char at[CLOCK_TIMESTAMP_SIZE];

	if (metric->count == 0)
		return;
	if (!metric->last.censored)
		json_object_set_new(object, "last", json_real(metric->last.value));
	clock_format(metric->last_at_ns, at);
	json_object_set_new(object, "last_at", json_string(at));
}

static json_t *metric_json(struct build *build, struct metric *metric)
{
	json_t *object = json_object(), *all = json_object();

	put_last(object, metric);
	json_object_set_new(object, "windows", all);
	/* Each window is the end of the next longer one: what is put in order for one does not
	 * change what belongs to the others. */
	for (size_t w = 0; w < EXACT_COUNT; w++)
		json_object_set_new(all, windows[w].name,
			trend_window(metric->observations + metric->begin[w],
				metric->count - metric->begin[w], &build->ranks[w]));
	for (size_t w = EXACT_COUNT; w < WINDOW_COUNT; w++)
		json_object_set_new(all, windows[w].name,
			trend_window_rolled(
				rollup_find(rollup_of(build, w), metric->id), &build->ranks[w]));
	json_object_update(object, json_object_get(build->kept.shapes, metric->name));
	return object;
}

static void put_metric(struct build *build, struct metric *metric, json_t *unsorted)
{
	if (rollup_find(&build->kept.month, metric->id) != NULL)
		json_object_set_new(unsorted, metric->name, metric_json(build, metric));
}

static int build_metrics(struct build *build, json_t *unsorted, struct failure *why)
{
	int result = 0;

	while (result == 0 && build->last < build->metric_count) {
		result = open_batch(build, why);
		if (result == 0)
			result = sweep(build, build->end_ns - DAY, keep_row, why);
		for (size_t i = build->first; result == 0 && i < build->last; i++)
			put_metric(build, &build->metrics[i], unsorted);
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

static int find_metrics(struct build *build, struct failure *why)
{
	const struct series_key *key = &build->ask.key;

	if (history_names(build->ask.state, key->customer, key->scenario, key->vantage, add_name,
		    build, why) < 0)
		return -1;
	if (build->out_of_memory)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (build->metric_count > 0)
		qsort(build->metrics, build->metric_count, sizeof(*build->metrics), by_id);
	return 0;
}

static int load_long(struct build *build, struct failure *why)
{
	struct trend_name *names = calloc(build->metric_count + 1, sizeof(*names));
	int result;

	if (names == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	for (size_t i = 0; i < build->metric_count; i++)
		names[i] = (struct trend_name){build->metrics[i].id, build->metrics[i].name};
	result = trend_long(
		&build->ask, names, build->metric_count, build->scenario, &build->kept, why);
	free(names);
	return result;
}

/* From the beginning of the longest exact window on, or of what is not rolled up. */
static int count_rows(struct build *build, struct failure *why)
{
	int64_t since_ns = build->end_ns - DAY;

	if (build->ask.until_ns < since_ns)
		since_ns = build->ask.until_ns;
	if (since_ns < build->end_ns - LONGEST)
		since_ns = build->end_ns - LONGEST;
	if (sweep(build, since_ns, count_row, why) < 0)
		return -1;
	return build->out_of_memory ? failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory") : 0;
}

static int gather(struct build *build, json_t *unsorted, struct failure *why)
{
	struct trend_ask *ask = &build->ask;

	ask->hour_ns = rollup_floor(build->end_ns, ROLLUP_HOUR);
	if (series_find(ask->state, &ask->key, &ask->series, why) < 0 ||
		rollup_end(ask->state, ask->series, &ask->until_ns, why) < 0)
		return -1;
	if (ask->until_ns > ask->hour_ns)
		ask->until_ns = ask->hour_ns;
	if (find_metrics(build, why) < 0 || load_long(build, why) < 0 || count_rows(build, why) < 0)
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
	for (size_t w = 0; w < EXACT_COUNT; w++)
		rollup_free(&build->exact[w]);
	kept_free(&build->kept);
	for (size_t i = 0; i < build->metric_count; i++)
		free(build->metrics[i].name);
	free(build->metrics);
}

json_t *trend_build(struct state *state, const struct scenario *scenario, const json_t *record,
	struct failure *why)
{
	struct build build = {
		.ask = {.state = state,
			.key = {member(record, "customer"), member(record, "scenario"),
				member(record, "vantage")}},
		.scenario = scenario,
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
