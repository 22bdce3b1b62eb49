#include "limit.h"

#include <string.h>

#include "clock.h"
#include "field.h"
#include "record.h"

#include "ban.h"

#define RECOVERY 0.9
#define MIN_FAILURES 2 /* one failure is no rate */
#define MIN_STEP_SECONDS 0.5
#define MIN_STEP_NUMBER 1.0
#define KEEP 3
#define PERIOD (30 * 86400 * NS_PER_SECOND)

enum limit_unit limit_metric_unit(const char *metric)
{
	size_t length = strlen(metric), suffix = strlen("_seconds");

	if (strcmp(metric, "failure_rate") == 0)
		return LIMIT_SHARE;
	if (strcmp(metric, METRIC_AGE) == 0)
		return LIMIT_SECONDS;
	if ((length > suffix && strcmp(metric + length - suffix, "_seconds") == 0) ||
		strstr(metric, ".phases.") != NULL || strstr(metric, ".hops.") != NULL)
		return LIMIT_SECONDS;
	return LIMIT_NUMBER;
}

bool limit_is_ceiling(const struct limit_condition *condition)
{
	return condition->is_set && condition->kind == LIMIT_LEVEL && !condition->below &&
		condition->statistic != STATISTIC_SUM;
}

/* Both conditions are of one kind. */
static enum limit_kind kind_of(const struct limit *limit)
{
	return limit->warn.is_set ? limit->warn.kind : limit->crit.kind;
}

bool limit_is_shape(const struct limit *limit)
{
	enum limit_kind kind = kind_of(limit);

	return kind == LIMIT_REACHES || kind == LIMIT_SLOPE || kind == LIMIT_STEP;
}

bool limit_has_baseline(const struct limit *limit)
{
	return kind_of(limit) == LIMIT_BASELINE;
}

bool limit_breached(const struct limit_condition *condition, double value)
{
	if (!condition->is_set)
		return false;
	if (condition->or_equal && value >= condition->threshold && value <= condition->threshold)
		return true;
	return condition->below ? value < condition->threshold : value > condition->threshold;
}

/* From a threshold of 0 there is no way to come further down. */
static bool is_well_off(const struct limit_condition *condition, double value)
{
	if (limit_breached(condition, value))
		return false;
	if (condition->below)
		return RECOVERY * value > condition->threshold;
	return condition->threshold <= 0 || value < RECOVERY * condition->threshold;
}

bool limit_recovered(
	const struct limit *limit, const struct limit_condition *condition, double value)
{
	bool is_lowest = condition == (limit->warn.is_set ? &limit->warn : &limit->crit);

	return limit->recover.is_set && is_lowest ? limit_breached(&limit->recover, value)
						  : is_well_off(condition, value);
}

/* --- the whole ------------------------------------------------------------------------- */

static const char *get_string(const json_t *config, const char *key)
{
	return json_string_value(json_object_get(config, key));
}

static void build_condition(
	const json_t *config, const char *key, struct limit_condition *condition)
{
	const char *text = get_string(config, key);
	char message[LIMIT_MESSAGE_SIZE];

	if (text != NULL)
		limit_condition_parse(text, condition, message);
}

static int64_t duration_of(const json_t *config, const char *key)
{
	const char *text = get_string(config, key);
	int64_t ns = 0;

	return text != NULL && duration_parse(text, &ns) ? ns : 0;
}

/* What is no more than that above the usual is nothing, if the limit does not say. */
static double min_step_of(const json_t *config, const char *metric)
{
	const json_t *given = json_object_get(config, "min_step");
	double step = limit_metric_unit(metric) == LIMIT_SECONDS ? MIN_STEP_SECONDS : MIN_STEP_NUMBER;
	enum limit_unit unit;

	if (json_is_string(given))
		limit_amount_parse(json_string_value(given), &step, &unit);
	return json_is_number(given) ? json_number_value(given) : step;
}

static int keep_of(const json_t *config, bool is_age)
{
	const json_t *given = json_object_get(config, "keep");

	if (given != NULL)
		return (int)json_integer_value(given);
	/* One run that could be judged ends the time without. */
	return is_age ? 1 : KEEP;
}

static double share_of(const char *text)
{
	double share = 0;
	enum limit_unit unit;

	if (text != NULL)
		limit_amount_parse(text, &share, &unit);
	return share;
}

void limit_build(const json_t *config, struct limit *limit_r)
{
	bool is_age = strcmp(get_string(config, "metric"), METRIC_AGE) == 0;
	const char *count = get_string(config, "for");
	const json_t *failures = json_object_get(config, "min_failures");
	char message[LIMIT_MESSAGE_SIZE];

	*limit_r = (struct limit){
		.name = get_string(config, "name"),
		.metric = get_string(config, "metric"),
		.over_ns = duration_of(config, "over"),
		.min_failures = failures != NULL ? (int)json_integer_value(failures) : MIN_FAILURES,
		.min_step = min_step_of(config, get_string(config, "metric")),
		.slo = share_of(get_string(config, "slo")),
		.period_ns = duration_of(config, "period"),
		.depends_on = json_object_get(config, "depends_on"),
		.keep = keep_of(config, is_age),
		.severity = get_string(config, "severity"),
		.quiet = json_is_true(json_object_get(config, "quiet")),
		.runbook_url = get_string(config, "runbook_url"),
		.config = config,
	};
	build_condition(config, "warn", &limit_r->warn);
	build_condition(config, "crit", &limit_r->crit);
	build_condition(config, "recover", &limit_r->recover);
	if (count != NULL)
		limit_for_parse(count, &limit_r->need, &limit_r->of, message);
	if (limit_r->period_ns == 0)
		limit_r->period_ns = PERIOD;
}
