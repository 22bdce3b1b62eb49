#include "explain_words.h"

#include <string.h>

#include "measure.h"
#include "record.h"
#include "text.h"
#include "wording.h"

#include "ban.h"

#define KEEP 3
#define RECOVERY 0.9
#define SENTENCE_MAX 1024

int explain_keep(const struct limit *limit)
{
	return limit->keep > 0 ? limit->keep : KEEP;
}

/* --- its parts ------------------------------------------------------------------------- */

static bool is_age(const struct limit *limit)
{
	return strcmp(limit->metric, METRIC_AGE) == 0;
}

static void put_course(struct text *text, const struct limit *limit)
{
	if (limit->slo > 0)
		text_printf(text, "failures use up what an slo of %s allows too fast, over both windows "
				  "of a pair (%d failures at least)",
			json_string_value(json_object_get(limit->config, "slo")),
			limit->min_failures);
	else if (is_age(limit))
		text_puts(text, "the time since a run could be judged is");
	else
		text_printf(text, "%s%s", limit->metric,
			judge_condition(limit, LEVEL_WARN)->kind == LIMIT_SLOPE         ? " has a slope"
				: judge_condition(limit, LEVEL_WARN)->kind == LIMIT_STEP ? " makes a step"
											: "");
}

static void put_course_over(struct text *text, const struct limit *limit)
{
	if (limit->slo > 0)
		text_puts(text, "each pair has a window over which they are used up at 0.9 of its limit "
				"or less");
	else if (is_age(limit))
		text_puts(text, "the run could be judged");
	else
		text_puts(text, "the trend does not show it any more");
}

static void put_subject(struct text *text, const struct limit *limit, enum level level)
{
	const struct limit_condition *condition = judge_condition(limit, level);

	switch (measure_form(limit)) {
	case MEASURE_FAILURES:
		text_printf(text, "%d of the last %d runs that could be judged failed", limit->need,
			limit->of);
		return;
	case MEASURE_RATE:
		text_printf(text, "the share of runs over %s that failed is", wording_over(limit));
		return;
	case MEASURE_STATISTIC:
		text_printf(text, "the %s of %s over %s is",
			limit_statistic_name(condition->statistic), limit->metric,
			wording_over(limit));
		return;
	case MEASURE_BURN:
	case MEASURE_AGE:
	case MEASURE_COURSE:
		put_course(text, limit);
		return;
	case MEASURE_VALUES:
		break;
	}
	text_printf(text, "%s is", limit->metric);
}

static void put_condition(struct text *text, const struct limit *limit, enum level level)
{
	char condition[128];

	put_subject(text, limit, level);
	wording_condition(limit, level, condition, sizeof(condition));
	text_puts(text, condition);
	if (measure_form(limit) == MEASURE_VALUES && limit->need > 0)
		text_printf(
			text, " in %d of the last %d runs that have it", limit->need, limit->of);
	if (measure_form(limit) == MEASURE_RATE)
		text_printf(text, " (%d at least)", limit->min_failures);
}

/* What a result has to be, so that it helps to close. */
static void put_recovery(struct text *text, const struct limit *limit)
{
	const struct limit_condition *lowest = judge_condition(limit, LEVEL_WARN);
	struct limit as_recovery = {.metric = limit->metric, .config = limit->config};
	char condition[128];

	as_recovery.warn = limit->recover;
	if (!limit->recover.is_set) {
		as_recovery.warn = *lowest;
		as_recovery.warn.below = !lowest->below;
		as_recovery.warn.or_equal = !lowest->or_equal;
		if (measure_form(limit) != MEASURE_VALUES && lowest->threshold > 0) {
			as_recovery.warn.or_equal = false;
			as_recovery.warn.threshold = lowest->below ? lowest->threshold / RECOVERY
								   : lowest->threshold * RECOVERY;
		}
	}
	wording_condition(&as_recovery, LEVEL_WARN, condition, sizeof(condition));
	text_puts(text, condition);
}

static void put_clearing(struct text *text, const struct limit *limit)
{
	const char *statistic = limit_statistic_name(judge_condition(limit, LEVEL_WARN)->statistic);

	switch (measure_form(limit)) {
	case MEASURE_FAILURES:
		text_printf(text, "the run did not fail, and fewer than %d of the last %d did",
			limit->need, limit->of);
		return;
	case MEASURE_BURN:
	case MEASURE_AGE:
	case MEASURE_COURSE:
		put_course_over(text, limit);
		return;
	case MEASURE_RATE:
		text_printf(text, "failure_rate over %s", wording_over(limit));
		break;
	case MEASURE_STATISTIC:
		text_printf(text, "%s over %s", statistic, wording_over(limit));
		break;
	case MEASURE_VALUES:
		text_puts(text, limit->metric);
		break;
	}
	put_recovery(text, limit);
}

/* --- the whole ------------------------------------------------------------------------- */

static json_t *hand_over(struct text *text)
{
	json_t *string = json_string(text->length > 0 ? text->bytes : "");

	text_free(text);
	return string;
}

json_t *explain_clearing(const struct limit *limit)
{
	struct text text;

	text_init(&text, SENTENCE_MAX);
	put_clearing(&text, limit);
	return hand_over(&text);
}

json_t *explain_limit(const struct limit *limit)
{
	struct text text;

	text_init(&text, SENTENCE_MAX);
	if (!limit->warn.is_set && !limit->crit.is_set) {
		text_puts(&text, "opens when ");
		put_subject(&text, limit, LEVEL_CRIT);
	}
	if (limit->warn.is_set) {
		text_puts(&text, "warns when ");
		put_condition(&text, limit, LEVEL_WARN);
	}
	if (limit->crit.is_set) {
		text_puts(&text, limit->warn.is_set ? ", is critical when " : "is critical when ");
		put_condition(&text, limit, LEVEL_CRIT);
	}
	text_printf(&text,
		"; closes after %d result%s in a row of which this holds: ", explain_keep(limit),
		explain_keep(limit) == 1 ? "" : "s");
	put_clearing(&text, limit);
	return hand_over(&text);
}
