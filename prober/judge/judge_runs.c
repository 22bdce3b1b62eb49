/* Limits on single runs: the value of one, or N of the last M. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "judge_private.h"
#include "wording.h"

#include "ban.h"

/* --- failed ---------------------------------------------------------------------------- */

static void weigh_failures(const struct limit *limit, const struct run_mark *runs, size_t count,
	struct judgement *judgement)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++)
		failed += runs[i].outcome == OUTCOME_FAIL;
	judgement->counts = true;
	judgement->levels[LEVEL_CRIT] = (struct standing){
		.crossed = failed >= (size_t)limit->need,
		.help = runs[count - 1].outcome == OUTCOME_FAIL ? HELP_KEEP : HELP_CLOSE,
	};
	snprintf(judgement->subject, sizeof(judgement->subject), "%zu of the last %zu runs failed",
		failed, count);
	judge_span(judgement, limit, runs[0].at_ns, runs[count - 1].at_ns);
	json_object_set_new(judgement->values, "failed", json_integer((json_int_t)failed));
	json_object_set_new(judgement->values, "runs", json_integer((json_int_t)count));
	judge_run_evidence(judgement, runs, count);
}

int judge_failures(
	const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct run_mark *runs;
	size_t count;

	if (history_judged(question->state, question->customer, question->scenario,
		    question->vantage, question->end_ns, (size_t)question->limit->of, &runs, &count, why) < 0)
		return -1;
	if (count > 0)
		weigh_failures(question->limit, runs, count, judgement);
	free(runs);
	return 0;
}

/* --- values ---------------------------------------------------------------------------- */

static size_t count_breaches(
	const struct limit_condition *condition, const struct sample *samples, size_t count)
{
	size_t breaches = 0;

	for (size_t i = 0; i < count; i++)
		breaches += limit_breached(condition, samples[i].value);
	return breaches;
}

/* Of a single value there is no way back but below the limit, unless the limit says one: a tenth
 * of it is for statistics, which hover. */
static enum help help_of(
	const struct limit *limit, const struct limit_condition *condition, const struct sample *newest)
{
	if (limit_breached(condition, newest->value))
		return HELP_KEEP;
	if (newest->censored)
		return HELP_UNKNOWN;
	return limit->recover.is_set && !limit_recovered(limit, condition, newest->value)
		? HELP_KEEP
		: HELP_CLOSE;
}

static void weigh_level(const struct limit *limit, enum level level, const struct sample *samples,
	size_t count, struct judgement *judgement)
{
	const struct limit_condition *condition = level == LEVEL_CRIT ? &limit->crit : &limit->warn;
	size_t need = limit->need > 0 ? (size_t)limit->need : 1;

	if (!condition->is_set)
		return;
	judgement->levels[level] = (struct standing){
		.crossed = count_breaches(condition, samples, count) >= need,
		.help = help_of(limit, condition, &samples[count - 1]),
	};
}

static void put_breaches(struct judgement *judgement, size_t breaches, size_t count)
{
	snprintf(judgement->scope, sizeof(judgement->scope), " (%zu of the last %zu)", breaches,
		count);
	json_object_set_new(judgement->values, "breaches", json_integer((json_int_t)breaches));
	json_object_set_new(judgement->values, "runs", json_integer((json_int_t)count));
}

static void weigh_values(const struct limit *limit, const struct sample *samples, size_t count,
	struct judgement *judgement)
{
	const struct sample *newest = &samples[count - 1];
	enum level crossed;

	judgement->counts = true;
	weigh_level(limit, LEVEL_WARN, samples, count, judgement);
	weigh_level(limit, LEVEL_CRIT, samples, count, judgement);
	crossed = judgement_crossed(judgement);
	wording_subject(judgement, limit, crossed, newest->value, newest->censored);
	if (limit->need > 0)
		put_breaches(judgement, count_breaches(judge_condition(limit, crossed), samples, count),
			count);
	judge_span(judgement, limit, samples[0].at_ns, newest->at_ns);
	json_object_set_new(judgement->values, "value", json_real(newest->value));
	if (newest->censored)
		json_object_set_new(judgement->values, "at_least", json_true());
	judge_sample_evidence(judgement, limit, samples, count);
}

/* A run that has no value of the metric (its step failed) says nothing about it. */
int judge_values(const struct question *question, struct judgement *judgement, struct failure *why)
{
	const struct limit *limit = question->limit;
	struct sample *samples;
	size_t count;

	if (history_newest(question->state, question->customer, question->scenario,
		    question->vantage, limit->metric, limit->of > 0 ? (size_t)limit->of : 1,
		    &samples, &count, why) < 0)
		return -1;
	if (count > 0 && strcmp(samples[count - 1].run_id, question->run_id) == 0)
		weigh_values(limit, samples, count, judgement);
	free(samples);
	return 0;
}
