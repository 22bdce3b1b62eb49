/* What no table can say of a limit: whether its parts fit its metric, and each other. */
#include <string.h>

#include "field.h"
#include "limit_look.h"

#include "ban.h"

static void nonsense(
	const struct limit_look *look, const char *key, const char *message, const char *hint)
{
	limit_complain(look, key, "limit-sense", message, hint);
}

static bool has(const struct limit_look *look, const char *key)
{
	return json_object_get(look->limit, key) != NULL;
}

/* --- one condition --------------------------------------------------------------------- */

/* What a condition of its form is compared with. */
static void check_unit(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	bool fits = true;
	const char *message = "";

	switch (look->form) {
	case METRIC_FAILED:
		return;
	case METRIC_RATE:
		fits = condition->unit == LIMIT_SHARE && condition->threshold <= 1;
		message = "failure_rate is compared with a percentage from 0% to 100%";
		break;
	case METRIC_AGES:
	case METRIC_SECONDS:
		fits = condition->unit == LIMIT_SECONDS;
		message = "a time is compared with a duration";
		break;
	case METRIC_NUMBER:
		fits = condition->unit == LIMIT_NUMBER;
		message = "a count is compared with a plain number";
		break;
	}
	if (!fits)
		limit_complain(look, key, "limit-unit", message,
			look->form == METRIC_SECONDS || look->form == METRIC_AGES
				? "say the unit, such as 30s or 250ms"
				: NULL);
}

static void check_statistic(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	if (look->form == METRIC_RATE && condition->statistic != STATISTIC_VALUE)
		nonsense(look, key, "failure_rate is one number for the window",
			"leave the statistic out: \"> 5%\"");
	else if (condition->statistic == STATISTIC_SUM && condition->kind != LIMIT_LEVEL)
		nonsense(look, key, "a sum has no course of its own",
			"take p50, p95, p99, max or min");
	else if (look->form == METRIC_SECONDS && condition->statistic == STATISTIC_SUM)
		nonsense(look, key, "a sum of times says nothing of any of them",
			"take p50, p95, p99, max or min");
}

static void check_direction(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	if (condition->below && condition->kind != LIMIT_LEVEL)
		nonsense(look, key, "only growth is told", "write \">\" or \">=\"");
	else if (condition->below && look->form != METRIC_NUMBER)
		nonsense(look, key,
			"a limit states the breach, and of a time or a share less is better",
			"write \">\" or \">=\"; what is good again is for \"recover\"");
}

static void check_window(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	bool takes_over = condition->statistic != STATISTIC_VALUE || look->form == METRIC_RATE;

	if (takes_over && !has(look, "over"))
		nonsense(look, key, "this needs a window of time",
			"add \"over\", such as over: 24h");
	if (takes_over && look->has_for)
		nonsense(look, "for", "\"for\" counts single runs, not windows of time",
			"leave out \"for\", or the statistic and \"over\"");
	if (!takes_over && has(look, "over"))
		nonsense(look, "over",
			"\"over\" is the window of a statistic, and there is none here",
			"say which one, such as p95 > 30s, or leave \"over\" out");
}

/* Growth and steps are looked for over weeks, whatever the limit says. */
static void check_course(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	if (look->form == METRIC_RATE)
		nonsense(look, key, "of failure_rate there is only a share over a window",
			"write \"> 5%\"");
	else if (condition->kind == LIMIT_BASELINE)
		check_window(look, key, condition);
	else if (has(look, "over") || look->has_for)
		nonsense(look, has(look, "over") ? "over" : "for",
			"growth and steps are looked for over days and weeks of their own",
			"leave it out");
}

static void check_condition(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	if (!condition->is_set)
		return;
	if (look->form == METRIC_FAILED) {
		nonsense(look, key, "\"failed\" has no value to compare",
			"write \"for: 3 of 5\", or take the metric failure_rate");
		return;
	}
	if (condition->kind != LIMIT_BASELINE)
		check_unit(look, key, condition);
	if (look->form == METRIC_AGES &&
		(condition->kind != LIMIT_LEVEL || condition->statistic != STATISTIC_VALUE)) {
		nonsense(look, key, "an age is one time, and has no course", "write \"> 15m\"");
		return;
	}
	check_statistic(look, key, condition);
	check_direction(look, key, condition);
	if (condition->kind == LIMIT_LEVEL)
		check_window(look, key, condition);
	else
		check_course(look, key, condition);
}

/* --- both ------------------------------------------------------------------------------ */

/* Whether `grave` is breached by less, or by no more, than `light` is. */
static bool comes_first(const struct limit_condition *grave, const struct limit_condition *light)
{
	if (light->kind == LIMIT_REACHES && grave->within_ns < light->within_ns)
		return false;
	return light->below ? grave->threshold >= light->threshold
			    : grave->threshold <= light->threshold;
}

static void check_pair(const struct limit_look *look)
{
	const struct limit_condition *warn = &look->warn, *crit = &look->crit;

	if (!warn->is_set || !crit->is_set)
		return;
	if (warn->kind != crit->kind ||
		(warn->statistic == STATISTIC_VALUE) != (crit->statistic == STATISTIC_VALUE))
		nonsense(look, "crit",
			"\"warn\" and \"crit\" must be of one kind, with a statistic or without",
			"make them two limits");
	else if (warn->below != crit->below)
		nonsense(look, "crit", "\"warn\" and \"crit\" must point the same way",
			"make them two limits");
	else if (warn->statistic == crit->statistic && warn->unit == crit->unit &&
		comes_first(crit, warn))
		nonsense(look, "crit",
			"\"crit\" is reached no later than \"warn\", so that nothing would ever "
			"be a warning",
			"is it the other way round?");
	if (has(look, "severity"))
		nonsense(look, "severity", "\"warn\" and \"crit\" say the severity already",
			"leave it out");
}

/* --- the way back ---------------------------------------------------------------------- */

/* What is good cannot be a breach. */
static void check_recovery(
	const struct limit_look *look, const char *key, const struct limit_condition *condition)
{
	const struct limit_condition *recover = &look->recover;

	if (!condition->is_set)
		return;
	if (recover->below == condition->below)
		nonsense(look, "recover",
			"\"recover\" is what is good again, and points away from the breach",
			condition->below ? "write \">\" where the breach has \"<\""
					 : "write \"<\" where the breach has \">\"");
	else if (recover->unit != condition->unit)
		limit_complain(look, "recover", "limit-unit",
			"\"recover\" has another unit than the breach", NULL);
	else if (condition->below ? recover->threshold < condition->threshold
				  : recover->threshold > condition->threshold)
		nonsense(look, "recover",
			strcmp(key, "warn") == 0
				? "\"recover\" lies beyond \"warn\", so that a breach would be good"
				: "\"recover\" lies beyond \"crit\", so that a breach would be "
				  "good",
			"it is where things are well again");
}

static void check_recover(const struct limit_look *look)
{
	const struct limit_condition *lowest = look->warn.is_set ? &look->warn : &look->crit;
	const struct limit_condition *recover = &look->recover;

	if (!recover->is_set)
		return;
	if (!lowest->is_set) {
		nonsense(look, "recover", "there is no value here that could recover",
			"a limit that counts runs closes by \"keep\"");
		return;
	}
	if (lowest->kind != LIMIT_LEVEL || recover->kind != LIMIT_LEVEL) {
		nonsense(look, "recover", "\"recover\" is a threshold below a threshold",
			"leave it out; \"keep\" says how long it has to be good");
		return;
	}
	if (recover->statistic != STATISTIC_VALUE && recover->statistic != lowest->statistic)
		nonsense(look, "recover", "\"recover\" is of another statistic than the breach",
			"leave the statistic out");
	check_recovery(look, look->warn.is_set ? "warn" : "crit", lowest);
}

/* --- counts ---------------------------------------------------------------------------- */

static void check_count(const struct limit_look *look, const char *key, const char *message)
{
	const json_t *count = json_object_get(look->limit, key);

	if (json_is_integer(count) &&
		(json_integer_value(count) < 1 || json_integer_value(count) > 1000))
		limit_complain(look, key, "bad-value", message, NULL);
}

/* Of a time or a number, as the metric is. */
static void check_min_step(const struct limit_look *look)
{
	const json_t *step = json_object_get(look->limit, "min_step");

	if (step == NULL || look->metric == NULL)
		return;
	if (look->warn.kind != LIMIT_BASELINE && look->crit.kind != LIMIT_BASELINE)
		nonsense(look, "min_step", "only a baseline has a least step above it",
			"write > baseline + 4 mad, or leave it out");
	else if (json_is_string(step) != (look->form == METRIC_SECONDS))
		limit_complain(look, "min_step", "limit-unit",
			"\"min_step\" has another unit than the metric",
			look->form == METRIC_SECONDS ? "say the unit, such as 500ms"
						     : "write a plain number");
}

static void check_counts(const struct limit_look *look)
{
	check_count(look, "keep", "\"keep\" must be from 1 to 1000");
	check_count(look, "min_failures", "\"min_failures\" must be from 1 to 1000");
	if (look->metric != NULL && has(look, "min_failures") && look->form != METRIC_RATE)
		nonsense(look, "min_failures",
			"only a rate of failures can have a least number of them",
			"take the metric failure_rate, or \"for\", such as 3 of 5");
}

/* --- the whole ------------------------------------------------------------------------- */

/* 99.5%: less than all, for nobody keeps that, and more than none. */
static void check_slo(const struct limit_look *look)
{
	static const char *const others[] = {"warn", "crit", "over", "for", "recover", NULL};
	const char *text = json_string_value(json_object_get(look->limit, "slo"));
	const char *end;
	double share;
	enum limit_unit unit;

	if (has(look, "period") && !has(look, "slo"))
		nonsense(look, "period", "\"period\" is what an slo is for",
			"add \"slo\", such as 99.5%");
	if (text == NULL)
		return;
	end = limit_amount_parse(text, &share, &unit);
	if (end == NULL || *end != '\0' || unit != LIMIT_SHARE || share < 0.5 || share >= 1)
		limit_complain(look, "slo", "bad-value",
			"\"slo\" must be a share from 50% to less than 100%, such as 99.5%", NULL);
	if (look->metric != NULL && look->form != METRIC_RATE)
		nonsense(look, "slo", "an slo is kept or missed by runs that fail",
			"take the metric failure_rate");
	for (size_t i = 0; others[i] != NULL; i++)
		if (has(look, others[i]))
			nonsense(look, others[i], "an slo has windows and limits of its own",
				"leave it out, or make it another limit");
}

/* Limits are judged in their order, so that what one depends on is known. */
static void check_depends_on(const struct limit_look *look)
{
	json_t *name;
	size_t index;

	json_array_foreach(json_object_get(look->limit, "depends_on"), index, name)
	{
		const char *wanted = json_string_value(name);
		bool found = wanted == NULL;

		for (size_t i = 0; i < look->index && !found; i++) {
			const char *other = json_string_value(
				json_object_get(json_array_get(look->limits, i), "name"));

			found = other != NULL && strcmp(other, wanted) == 0;
		}
		if (!found)
			nonsense(look, "depends_on", "no limit above this one has that name",
				"it must stand before what depends on it");
	}
}

/* The age has a limit by itself if it is known how often there should be a run. */
static bool needs_no_breach(const struct limit_look *look)
{
	return has(look, "slo") ||
		(look->metric != NULL && look->form == METRIC_AGES &&
			json_object_get(look->draft->tree, "every") != NULL);
}

static void check_given(const struct limit_look *look)
{
	bool has_condition = has(look, "warn") || has(look, "crit");

	if (look->metric != NULL && look->form == METRIC_AGES &&
		(look->has_for || has(look, "over")))
		nonsense(look, look->has_for ? "for" : "over",
			"an age is one time, and has no course", "leave it out");
	else if (needs_no_breach(look))
		return;
	else if (!has_condition && look->metric != NULL && look->form == METRIC_AGES)
		nonsense(look, "metric", "how old is too old cannot be told from anything here",
			"add \"crit\", such as > 15m, or say how often the scenario is run: every: "
			"5m");
	else if (!has_condition && !look->has_for)
		nonsense(look, "", "this limit says no breach",
			"add \"warn\" or \"crit\", such as p95 > 30s, or \"for\", such as 3 of 5");
	else if (look->metric == NULL)
		return;
	else if (!has_condition && look->form != METRIC_FAILED)
		nonsense(look, "for", "\"for\" alone counts failed runs",
			"take the metric \"failed\", or add \"warn\" or \"crit\"");
	else if (look->form == METRIC_FAILED && !look->has_for && !has_condition)
		nonsense(look, "metric", "\"failed\" needs a count of runs",
			"add \"for\", such as for: 3 of 5");
}

static void parse_condition(
	const struct limit_look *look, const char *key, struct limit_condition *condition)
{
	const char *text = json_string_value(json_object_get(look->limit, key));
	char message[LIMIT_MESSAGE_SIZE];

	/* What cannot be read was said by the table. */
	if (text != NULL)
		limit_condition_parse(text, condition, message);
}

void limit_check_sense(struct limit_look *look)
{
	look->has_for = has(look, "for");
	parse_condition(look, "warn", &look->warn);
	parse_condition(look, "crit", &look->crit);
	parse_condition(look, "recover", &look->recover);
	check_counts(look);
	check_given(look);
	if (look->metric != NULL) {
		check_condition(look, "warn", &look->warn);
		check_condition(look, "crit", &look->crit);
	}
	check_pair(look);
	check_recover(look);
	check_min_step(look);
	check_slo(look);
	check_depends_on(look);
}
