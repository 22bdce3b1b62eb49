/* Limits on what a trend knows: growth, where it leads, steps, and what is usual. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "judge_private.h"
#include "median.h"
#include "wording.h"

#include "ban.h"

#define DAY (86400 * NS_PER_SECOND)
/* Over which trend_shape.h looks for them. */
#define GROWTH_SPAN (30 * DAY)
#define STEP_SPAN (7 * DAY)

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* --- what is usual --------------------------------------------------------------------- */

static void resolve_condition(
	const json_t *baseline, const struct limit *limit, struct limit_condition *condition)
{
	double margin = condition->threshold * MAD_SIGMA * number_of(baseline, "mad");

	condition->kind = LIMIT_LEVEL;
	condition->threshold = number_of(baseline, "median") +
		(margin > limit->min_step ? margin : limit->min_step);
	condition->unit = limit_metric_unit(limit->metric);
}

bool judge_resolve_baseline(
	const struct limit *limit, const json_t *metric, struct limit *resolved_r)
{
	const json_t *baseline = json_object_get(metric, "baseline");

	if (baseline == NULL)
		return false;
	*resolved_r = *limit;
	resolve_condition(baseline, limit, &resolved_r->warn);
	resolve_condition(baseline, limit, &resolved_r->crit);
	return true;
}

void judge_put_baseline(
	struct judgement *judgement, const struct limit *resolved, const json_t *metric)
{
	json_t *baseline = json_deep_copy(json_object_get(metric, "baseline"));
	const struct limit_condition *condition =
		judge_condition(resolved, judgement_crossed(judgement));
	size_t length = strlen(judgement->scope);
	char usual[48];

	json_object_set_new(baseline, "threshold", json_real(condition->threshold));
	json_object_set_new(judgement->values, "baseline", baseline);
	wording_value(number_of(baseline, "median"), condition->unit, usual, sizeof(usual));
	snprintf(judgement->scope + length, sizeof(judgement->scope) - length,
		", usual at this hour: %s", usual);
}

/* --- growth ---------------------------------------------------------------------------- */

static void describe_growth(
	const struct question *question, const json_t *slope, struct judgement *judgement)
{
	enum limit_unit unit = limit_metric_unit(question->limit->metric);
	char rate[48], least[48];

	wording_value(number_of(slope, "per_week"), unit, rate, sizeof(rate));
	wording_value(number_of(slope, "per_week_low"), unit, least, sizeof(least));
	snprintf(judgement->scope, sizeof(judgement->scope),
		" (%s a week, at least %s, over %.0f days%s)", rate, least,
		number_of(slope, "days"),
		json_is_true(json_object_get(slope, "significant")) ? "" : ", which may be chance");
	json_object_set_new(judgement->values, "slope", json_deep_copy(slope));
}

/* Growth that may be chance is none, and counts by what it is at least: a step in the middle of weeks has
 * a slope, too, but hardly one that is certain. */
static struct standing slope_standing(
	const struct limit *limit, const struct limit_condition *condition, const json_t *slope)
{
	bool significant = json_is_true(json_object_get(slope, "significant"));

	return judge_standing(
		limit, condition, significant ? number_of(slope, "per_week_low") : 0);
}

/* Where growth leads to at that level; NULL: nowhere near. */
static const json_t *find_reached(const json_t *metric, const struct limit *limit, enum level level)
{
	const json_t *found;
	size_t index;

	json_array_foreach(json_object_get(metric, "reaches"), index,
		found) if (strcmp(text_of(found, "limit"), limit->name) == 0 &&
		strcmp(text_of(found, "level"), level == LEVEL_CRIT ? "crit" : "warn") ==
			0) return found;
	return NULL;
}

/* What has got there is not on its way any more. */
static bool is_there(const json_t *metric, const struct limit_condition *condition)
{
	const json_t *day = json_object_get(json_object_get(metric, "windows"), "24h");
	const char *statistic = condition->statistic == STATISTIC_VALUE
		? "p50"
		: limit_statistic_name(condition->statistic);
	const json_t *value = json_object_get(day, statistic);

	return value != NULL && json_number_value(value) >= condition->threshold;
}

static struct standing reach_standing(const struct question *question, const json_t *metric,
	enum level level, const struct limit_condition *condition, struct judgement *judgement)
{
	const json_t *reached = find_reached(metric, question->limit, level);
	struct standing standing = {.crossed = is_there(metric, condition)};
	int64_t at_ns;

	if (reached != NULL && clock_parse(text_of(reached, "at"), &at_ns) == 0 &&
		at_ns <= question->end_ns + condition->within_ns)
		standing.crossed = true;
	if (standing.crossed)
		standing.help = HELP_KEEP;
	if (standing.crossed && reached != NULL) {
		size_t length = strlen(judgement->scope);

		json_object_set_new(judgement->values, "reaches", json_deep_copy(reached));
		snprintf(judgement->scope + length, sizeof(judgement->scope) - length,
			", about %.10s", text_of(reached, "at"));
	}
	return standing;
}

/* --- a step ---------------------------------------------------------------------------- */

static void describe_step(const struct question *question, const json_t *step, double height,
	struct judgement *judgement)
{
	enum limit_unit unit = limit_metric_unit(question->limit->metric);
	char before[48], after[48], by[48];

	if (step == NULL) {
		snprintf(judgement->subject, sizeof(judgement->subject), "%s has no step",
			question->limit->metric);
		return;
	}
	wording_value(height, unit, by, sizeof(by));
	wording_value(number_of(step, "before"), unit, before, sizeof(before));
	wording_value(number_of(step, "after"), unit, after, sizeof(after));
	snprintf(judgement->subject, sizeof(judgement->subject), "%s step %s",
		question->limit->metric, by);
	snprintf(judgement->scope, sizeof(judgement->scope), " (from %s to %s at %.16sZ)", before,
		after, text_of(step, "at"));
	json_object_set_new(judgement->values, "step_change", json_deep_copy(step));
}

/* A step stays in the trend for days; it is news for as long as the limit says. */
static struct standing step_standing(const struct question *question,
	const struct limit_condition *condition, const json_t *step, double height)
{
	struct standing standing = {0};
	int64_t at_ns;

	if (step != NULL && clock_parse(text_of(step, "at"), &at_ns) == 0)
		standing.crossed = limit_breached(condition, height) &&
			at_ns >= question->end_ns - condition->within_ns;
	if (standing.crossed)
		standing.help = HELP_KEEP;
	return standing;
}

/* --- the whole ------------------------------------------------------------------------- */

static void judge_steps(
	const struct question *question, const json_t *metric, struct judgement *judgement)
{
	const json_t *step = json_object_get(metric, "step_change");
	double height = number_of(step, "after") - number_of(step, "before");
	const struct limit *limit = question->limit;

	judgement->counts = true;
	judge_span(judgement, limit, question->end_ns - STEP_SPAN, question->end_ns);
	if (limit->warn.is_set)
		judgement->levels[LEVEL_WARN] = step_standing(question, &limit->warn, step, height);
	if (limit->crit.is_set)
		judgement->levels[LEVEL_CRIT] = step_standing(question, &limit->crit, step, height);
	describe_step(question, step, height, judgement);
}

static struct standing growth_standing(const struct question *question, const json_t *metric,
	enum level level, struct judgement *judgement)
{
	const struct limit *limit = question->limit;
	const struct limit_condition *condition = level == LEVEL_CRIT ? &limit->crit : &limit->warn;

	if (!condition->is_set)
		return (struct standing){0};
	if (condition->kind == LIMIT_REACHES)
		return reach_standing(question, metric, level, condition, judgement);
	return slope_standing(limit, condition, json_object_get(metric, "slope"));
}

/* Without two weeks there is no growth to speak of. */
static void judge_growth(
	const struct question *question, const json_t *metric, struct judgement *judgement)
{
	const json_t *slope = json_object_get(metric, "slope");

	if (slope == NULL)
		return;
	judgement->counts = true;
	judge_span(judgement, question->limit, question->end_ns - GROWTH_SPAN, question->end_ns);
	snprintf(judgement->subject, sizeof(judgement->subject), "%s%s", question->limit->metric,
		judge_condition(question->limit, LEVEL_WARN)->kind == LIMIT_SLOPE ? " slope" : "");
	describe_growth(question, slope, judgement);
	judgement->levels[LEVEL_CRIT] = growth_standing(question, metric, LEVEL_CRIT, judgement);
	judgement->levels[LEVEL_WARN] = growth_standing(question, metric, LEVEL_WARN, judgement);
}

void judge_course(
	const struct question *question, const json_t *metric, struct judgement *judgement)
{
	if (judge_condition(question->limit, LEVEL_WARN)->kind == LIMIT_STEP)
		judge_steps(question, metric, judgement);
	else
		judge_growth(question, metric, judgement);
}
