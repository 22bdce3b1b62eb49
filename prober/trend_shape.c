#include "trend_shape.h"

#include <math.h>
#include <string.h>

#include "clock.h"
#include "cycle.h"
#include "forecast.h"
#include "growth.h"
#include "mann_kendall.h"
#include "median.h"
#include "theil_sen.h"
#include "trend_window.h"

#include "ban.h"

#define HOUR (3600 * NS_PER_SECOND)
#define DAY (24 * HOUR)

#define BASELINE_VALUES_LEAST 4

#define SLOPE_DAYS_LEAST 14
#define SLOPE_LEVEL 0.95
#define SIGNIFICANT 0.05

/* Three days: until then a daily cycle cannot be told from a step. */
#define STEP_HOURS_LEAST 72
#define HOURS_OF_DAY 24

/* Days. What lies further off is no forecast. */
#define HORIZON 365
#define FORECAST_LEVEL 0.8

struct shape {
	const struct trend_values *values;
	struct point points[TREND_DAYS];
	json_t *object;
};

static void set_time(json_t *object, const char *key, int64_t at_ns)
{
	char text[CLOCK_TIMESTAMP_SIZE];

	clock_format(at_ns, text);
	json_object_set_new(object, key, json_string(text));
}

static void set_number(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, json_real(trend_rounded(value)));
}

/* Fills shape->points with one percentile of each day. */
static size_t make_points(struct shape *shape, unsigned int percent)
{
	const struct trend_past *past = shape->values->past;
	size_t which = 0;

	while (trend_day_percents[which] != percent)
		which++;
	for (size_t i = 0; i < past->day_count; i++)
		shape->points[i] = (struct point){past->days[i].x, past->days[i].values[which]};
	return past->day_count;
}

/* --- what is usual --------------------------------------------------------------------- */

static void add_baseline(const struct shape *shape)
{
	const struct trend_past *past = shape->values->past;
	json_t *baseline;
	double middle;

	if (past->usual_count < BASELINE_VALUES_LEAST || past->usual_weeks < 2)
		return;
	middle = median(past->usual, past->usual_count);
	baseline = json_pack("{s:I, s:I}", "n", (json_int_t)past->usual_count, "weeks",
		(json_int_t)past->usual_weeks);
	set_number(baseline, "median", middle);
	set_number(baseline, "mad", median_deviation(past->usual, past->usual_count, middle));
	json_object_set_new(shape->object, "baseline", baseline);
}

/* --- growth ---------------------------------------------------------------------------- */

static int add_slope(struct shape *shape)
{
	size_t days = make_points(shape, 50);
	struct mann_kendall test;
	struct theil_sen line;
	bool goes_on = false;
	json_t *slope;

	if (days < SLOPE_DAYS_LEAST)
		return 0;
	test = mann_kendall(shape->points, days);
	if (theil_sen(shape->points, days, SLOPE_LEVEL, &line) < 0 ||
		(test.p < SIGNIFICANT &&
			growth_goes_on(shape->points, days, line.slope, &goes_on) < 0))
		return -1;
	slope = json_object();
	json_object_set_new(slope, "days", json_integer((json_int_t)days));
	set_number(slope, "per_week", 7 * line.slope);
	set_number(slope, "per_week_low", 7 * line.slope_low);
	set_number(slope, "per_week_high", 7 * line.slope_high);
	set_number(slope, "p", test.p);
	json_object_set_new(slope, "significant", json_boolean(goes_on));
	json_object_set_new(shape->object, "slope", slope);
	return 0;
}

/* --- a step ---------------------------------------------------------------------------- */

static int add_step_change(const struct shape *shape)
{
	const struct trend_past *past = shape->values->past;
	struct step_change step;
	json_t *object;
	double first;

	if (past->hour_count < STEP_HOURS_LEAST)
		return 0;
	/* A daily cycle would hide it, or put it elsewhere. */
	if (cycle_step_change(past->hours, past->hour_count, HOURS_OF_DAY, &step) < 0)
		return -1;
	if (!step.found)
		return 0;
	first = past->hours[step.index].x - 0.5;
	object = json_object();
	set_time(object, "at", shape->values->hour_ns + (int64_t)(first * (double)HOUR));
	set_number(object, "before", step.before);
	set_number(object, "after", step.after);
	set_number(object, "p", step.p);
	json_object_set_new(shape->object, "step_change", object);
	return 0;
}

/* --- what will be reached -------------------------------------------------------------- */

struct target {
	const char *limit, *level;
	double threshold;
	unsigned int percent; /* that the limit is about */
};

static int64_t days_on(const struct shape *shape, double days)
{
	return shape->values->hour_ns + (int64_t)(days * (double)DAY);
}

static json_t *target_json(
	const struct shape *shape, const struct target *target, const struct forecast *when)
{
	json_t *object = json_object();

	json_object_set_new(object, "limit", json_string(target->limit));
	json_object_set_new(object, "level", json_string(target->level));
	set_number(object, "threshold", target->threshold);
	set_time(object, "at", days_on(shape, when->x));
	set_time(object, "earliest", days_on(shape, when->earliest));
	if (when->latest <= 10 * HORIZON)
		set_time(object, "latest", days_on(shape, when->latest));
	return object;
}

static int try_target(struct shape *shape, const struct target *target, json_t *reaches)
{
	size_t days = make_points(shape, target->percent);
	struct theil_sen line;
	struct forecast when;
	bool goes_on;

	if (days < SLOPE_DAYS_LEAST || mann_kendall(shape->points, days).p >= SIGNIFICANT)
		return 0;
	if (theil_sen(shape->points, days, FORECAST_LEVEL, &line) < 0 ||
		growth_goes_on(shape->points, days, line.slope, &goes_on) < 0)
		return -1;
	when = forecast(&line, 0, target->threshold, HORIZON);
	if (when.reaches && goes_on)
		json_array_append_new(reaches, target_json(shape, target, &when));
	return 0;
}

static unsigned int percent_of(enum limit_statistic statistic)
{
	switch (statistic) {
	case STATISTIC_P95:
		return 95;
	case STATISTIC_P99:
		return 99;
	case STATISTIC_MIN:
		return 0;
	case STATISTIC_MAX:
		return 100;
	case STATISTIC_VALUE:
	case STATISTIC_SUM:
	case STATISTIC_P50:
		break;
	}
	return 50;
}

static int try_condition(struct shape *shape, const struct limit *limit, const char *level,
	const struct limit_condition *condition, json_t *reaches)
{
	const struct target target = {
		limit->name, level, condition->threshold, percent_of(condition->statistic)};

	if (!limit_is_ceiling(condition) && condition->kind != LIMIT_REACHES)
		return 0;
	return try_target(shape, &target, reaches);
}

/* A quota is a limit that the server sets. */
static bool is_quota(const char *metric)
{
	static const char *const facts[] = {"storage_used_percent", "messages_used_percent"};
	const char *dot = strrchr(metric, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strcmp(dot + 1, facts[i]) == 0)
			return true;
	return false;
}

static int find_targets(struct shape *shape, json_t *reaches)
{
	static const struct target quota = {"quota", "crit", 100, 50};
	const struct trend_values *values = shape->values;

	for (size_t i = 0; i < values->limit_count; i++) {
		const struct limit *limit = &values->limits[i];

		if (strcmp(limit->metric, values->metric) != 0)
			continue;
		if (try_condition(shape, limit, "warn", &limit->warn, reaches) < 0 ||
			try_condition(shape, limit, "crit", &limit->crit, reaches) < 0)
			return -1;
	}
	return is_quota(values->metric) ? try_target(shape, &quota, reaches) : 0;
}

static int add_reaches(struct shape *shape)
{
	json_t *reaches = json_array();
	int result = find_targets(shape, reaches);

	if (json_array_size(reaches) > 0)
		json_object_set(shape->object, "reaches", reaches);
	json_decref(reaches);
	return result;
}

int trend_shape(json_t *object, const struct trend_values *values)
{
	struct shape shape = {.values = values, .object = object};

	add_baseline(&shape);
	if (add_slope(&shape) < 0 || add_step_change(&shape) < 0)
		return -1;
	return add_reaches(&shape);
}
