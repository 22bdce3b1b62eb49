#include "measure.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "field.h"
#include "quantile.h"
#include "record.h"

#include "ban.h"

#define RATE_RUNS_MIN 3 /* as the judge has it */
#define BURN_RUNS_MIN 3
#define BEST_HIGH 1e300 /* where less is worse */

enum measure_form measure_form(const struct limit *limit)
{
	if (limit_is_shape(limit))
		return MEASURE_COURSE;
	if (strcmp(limit->metric, METRIC_AGE) == 0)
		return MEASURE_AGE;
	if (limit->slo > 0)
		return MEASURE_BURN;
	if (strcmp(limit->metric, "failed") == 0)
		return MEASURE_FAILURES;
	if (strcmp(limit->metric, "failure_rate") == 0)
		return MEASURE_RATE;
	return judge_condition(limit, LEVEL_WARN)->statistic != STATISTIC_VALUE ? MEASURE_STATISTIC
										: MEASURE_VALUES;
}

bool measure_takes_judged(const struct limit *limit)
{
	enum measure_form form = measure_form(limit);

	return form != MEASURE_STATISTIC && form != MEASURE_COURSE && form != MEASURE_AGE;
}

bool measure_is_of_runs(const struct limit *limit)
{
	enum measure_form form = measure_form(limit);

	return form == MEASURE_FAILURES || form == MEASURE_RATE || form == MEASURE_BURN ||
		form == MEASURE_AGE;
}

/* --- figures --------------------------------------------------------------------------- */

static struct quantile sum_of(const struct observation *values, size_t n)
{
	struct quantile sum = {0};

	for (size_t i = 0; i < n; i++) {
		sum.value += values[i].value;
		sum.at_least = sum.at_least || values[i].censored;
	}
	return sum;
}

static unsigned int percent_of(enum limit_statistic statistic)
{
	switch (statistic) {
	case STATISTIC_MIN:
		return 0;
	case STATISTIC_P50:
		return 50;
	case STATISTIC_P95:
		return 95;
	case STATISTIC_P99:
		return 99;
	case STATISTIC_MAX:
	case STATISTIC_SUM:
	case STATISTIC_VALUE:
		break;
	}
	return 100;
}

/* The statistic of a condition, the share that failed, or the newest value; false: too few. */
static bool figure(const struct limit_condition *condition, enum measure_form form,
	struct observation *values, size_t n, struct quantile *figure_r)
{
	unsigned int percent = percent_of(condition->statistic);

	if (n == 0 || (form == MEASURE_RATE && n < RATE_RUNS_MIN) ||
		(form == MEASURE_STATISTIC && n < quantile_needs(percent)))
		return false;
	if (form == MEASURE_RATE)
		figure_r->value = sum_of(values, n).value / (double)n;
	else if (form != MEASURE_STATISTIC)
		*figure_r = (struct quantile){values[n - 1].value, values[n - 1].censored};
	else
		*figure_r = condition->statistic == STATISTIC_SUM ? sum_of(values, n)
								  : quantile(values, n, percent);
	return true;
}

static struct observation *observe(const struct points *points)
{
	struct observation *values = calloc(points->count + 1, sizeof(*values));

	for (size_t i = 0; values != NULL && i < points->count; i++)
		values[i] = (struct observation){points->items[i].value, points->items[i].censored};
	return values;
}

static size_t count_over(const struct limit *limit, enum level level, const struct points *points)
{
	size_t over = 0;

	for (size_t i = 0; i < points->count; i++)
		over += measure_is_over(limit, level, &points->items[i]);
	return over;
}

static void put(json_t *values, const char *key, const struct quantile *figure)
{
	json_object_set_new(values, key, json_real(figure->value));
	if (figure->at_least)
		json_object_set_new(values, "at_least", json_true());
}

static void put_count(json_t *values, const char *key, size_t count)
{
	json_object_set_new(values, key, json_integer((json_int_t)count));
}

static void put_statistics(json_t *values, const struct limit *limit, const struct points *points)
{
	const struct limit_condition *const conditions[] = {&limit->warn, &limit->crit};

	for (size_t i = 0; i < 2; i++) {
		struct observation *room = observe(points);
		struct quantile value = {0};

		if (room != NULL && conditions[i]->is_set &&
			figure(conditions[i], MEASURE_STATISTIC, room, points->count, &value))
			put(values, limit_statistic_name(conditions[i]->statistic), &value);
		free(room);
	}
	put_count(values, "n", points->count);
}

static void put_newest(json_t *values, const struct limit *limit, const struct points *points)
{
	const struct point *newest = &points->items[points->count - 1];
	const struct quantile value = {newest->value, newest->censored};

	put(values, "value", &value);
	if (limit->need == 0)
		return;
	put_count(values, "breaches", count_over(limit, measure_level(limit, points), points));
	put_count(values, "runs", points->count);
}

static bool was_judged(const struct point *point)
{
	return strcmp(point->outcome, "error") != 0 && strcmp(point->outcome, "skipped") != 0;
}

/* Since the newest run that could be judged, or, if none could, the first one. */
static struct quantile age_of(const struct points *points)
{
	const struct point *newest = &points->items[points->count - 1];
	size_t since = points->count;
	struct quantile age = {0};

	while (since > 0 && !was_judged(&points->items[since - 1]))
		since--;
	age.at_least = since == 0;
	if (since < points->count)
		age.value = clock_seconds(
			newest->end_ns - points->items[since > 0 ? since - 1 : 0].at_ns);
	return age;
}

/* The runs of a window that ends with the newest, as many as a window takes at least. */
static void put_burn(json_t *reading, const struct points *points, const char *window,
	const char *failed_key, const char *runs_key)
{
	int64_t end_ns = points->items[points->count - 1].end_ns, window_ns = 0;
	size_t runs = 0, failed = 0;

	duration_parse(window, &window_ns);
	while (runs < points->count) {
		const struct point *point = &points->items[points->count - runs - 1];

		if (point->at_ns <= end_ns - window_ns && runs >= BURN_RUNS_MIN)
			break;
		failed += point->value > 0;
		runs++;
	}
	put_count(reading, failed_key, failed);
	put_count(reading, runs_key, runs);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void put_burns(json_t *values, const struct points *points, const json_t *told)
{
	json_t *readings = json_array();
	const json_t *pair;
	size_t index;

	json_array_foreach(json_object_get(told, "burn"), index, pair)
	{
		json_t *reading = json_pack(
			"{s:s, s:s}", "over", text_of(pair, "over"), "and", text_of(pair, "and"));

		put_burn(reading, points, text_of(pair, "over"), "failed", "runs");
		put_burn(reading, points, text_of(pair, "and"), "failed_lately", "runs_lately");
		json_array_append_new(readings, reading);
	}
	json_object_set_new(values, "burn", readings);
}

json_t *measure_values(const struct limit *limit, const struct points *points, const json_t *told)
{
	json_t *values = json_object();
	size_t failed = count_over(limit, LEVEL_CRIT, points);
	struct quantile age;

	switch (measure_form(limit)) {
	case MEASURE_COURSE:
		break;
	case MEASURE_AGE:
		if (points->count > 0) {
			age = age_of(points);
			put(values, "value", &age);
		}
		break;
	case MEASURE_BURN:
		if (points->count > 0)
			put_burns(values, points, told);
		break;
	case MEASURE_FAILURES:
		put_count(values, "failed", failed);
		put_count(values, "runs", points->count);
		break;
	case MEASURE_RATE:
		put_count(values, "failed", failed);
		put_count(values, "n", points->count);
		if (points->count >= RATE_RUNS_MIN)
			json_object_set_new(values, "failure_rate",
				json_real((double)failed / (double)points->count));
		break;
	case MEASURE_STATISTIC:
		put_statistics(values, limit, points);
		break;
	case MEASURE_VALUES:
		if (points->count > 0)
			put_newest(values, limit, points);
		break;
	}
	return values;
}

/* --- levels ---------------------------------------------------------------------------- */

bool measure_is_over(const struct limit *limit, enum level level, const struct point *point)
{
	const struct limit_condition *condition = judge_condition(limit, level);

	switch (measure_form(limit)) {
	case MEASURE_FAILURES:
	case MEASURE_RATE:
	case MEASURE_BURN:
		return point->value > 0;
	case MEASURE_AGE:
		return !was_judged(point);
	case MEASURE_COURSE:
		return false;
	case MEASURE_STATISTIC:
	case MEASURE_VALUES:
		break;
	}
	return condition->statistic == STATISTIC_SUM ? point->value > 0
						     : limit_breached(condition, point->value);
}

static bool holds(const struct limit *limit, enum level level, const struct points *points)
{
	const struct limit_condition *condition = level == LEVEL_CRIT ? &limit->crit : &limit->warn;
	enum measure_form form = measure_form(limit);
	size_t need = limit->need > 0 ? (size_t)limit->need : 1;
	struct quantile value = {0};
	struct observation *room;
	bool known;

	if (form == MEASURE_FAILURES)
		return level == LEVEL_CRIT && count_over(limit, level, points) >= need;
	if (!condition->is_set || form == MEASURE_COURSE || form == MEASURE_BURN)
		return false;
	if (form == MEASURE_AGE)
		return points->count > 0 && limit_breached(condition, age_of(points).value);
	if (form == MEASURE_VALUES)
		return count_over(limit, level, points) >= need;
	room = observe(points);
	known = room != NULL && figure(condition, form, room, points->count, &value);
	free(room);
	return known && limit_breached(condition, value.value) &&
		(form != MEASURE_RATE ||
			count_over(limit, level, points) >= (size_t)limit->min_failures);
}

enum level measure_level(const struct limit *limit, const struct points *points)
{
	for (enum level level = LEVEL_CRIT; level > LEVEL_NONE; level--)
		if (holds(limit, level, points))
			return level;
	return LEVEL_NONE;
}

/* --- the way out ----------------------------------------------------------------------- */

/* So many good results until fewer than N of the last M cross the limit. */
static size_t results_needed(const struct limit *limit, const struct points *points)
{
	size_t need = limit->need > 0 ? (size_t)limit->need : 1;
	size_t of = limit->of > 0 ? (size_t)limit->of : 1, results = 0;
	size_t over = count_over(limit, LEVEL_WARN, points);

	/* A good one pushes the oldest out, once there are as many as the limit looks at. */
	for (size_t i = 0; over >= need && i < points->count; results++)
		if (points->count + results >= of)
			over -= measure_is_over(limit, LEVEL_WARN, &points->items[i++]);
	return results;
}

/* Whether it would be well if the oldest `gone` had been good ones. */
static bool well_without(const struct limit *limit, const struct points *points, size_t gone)
{
	const struct limit_condition *condition = judge_condition(limit, LEVEL_WARN);
	struct observation *values = observe(points);
	struct quantile value = {0};
	bool well;

	if (values == NULL)
		return false;
	for (size_t i = 0; i < gone; i++)
		values[i] = (struct observation){condition->below ? BEST_HIGH : 0, false};
	well = figure(condition, measure_form(limit), values, points->count, &value) &&
		!value.at_least && limit_recovered(limit, condition, value.value);
	free(values);
	return well;
}

/* The more have left, the better: so the least number is found by halving. */
static int64_t time_needed(const struct limit *limit, const struct points *points)
{
	size_t low = 0, high = points->count;

	if (points->count == 0 || well_without(limit, points, 0) ||
		!well_without(limit, points, high))
		return 0;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (well_without(limit, points, middle))
			high = middle;
		else
			low = middle;
	}
	return points->items[high - 1].at_ns + limit->over_ns;
}

struct measure_way measure_way_out(const struct limit *limit, const struct points *points)
{
	struct measure_way way = {0};

	switch (measure_form(limit)) {
	case MEASURE_COURSE:
	case MEASURE_BURN:
	case MEASURE_AGE:
		break;
	case MEASURE_FAILURES:
	case MEASURE_VALUES:
		way.results = results_needed(limit, points);
		break;
	case MEASURE_RATE:
	case MEASURE_STATISTIC:
		way.at_ns = time_needed(limit, points);
		break;
	}
	return way;
}
