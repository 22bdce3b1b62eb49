/* Limits over a window of time that ends with the run: `over: 24h`. */
#include <stdio.h>
#include <stdlib.h>

#include "error_type.h"
#include "judge_private.h"
#include "quantile.h"
#include "wording.h"

#include "ban.h"

/* Two runs are no trend. */
#define RATE_RUNS_MIN 3

static bool is_in_window(const struct question *question, int64_t at_ns)
{
	return at_ns > question->end_ns - question->limit->over_ns && at_ns <= question->end_ns;
}

/* --- a statistic ----------------------------------------------------------------------- */

static unsigned int percent_of(enum limit_statistic statistic)
{
	switch (statistic) {
	case STATISTIC_P50:
		return 50;
	case STATISTIC_P95:
		return 95;
	case STATISTIC_P99:
		return 99;
	case STATISTIC_MIN:
		return 0;
	case STATISTIC_MAX:
	case STATISTIC_SUM:
	case STATISTIC_VALUE:
		break;
	}
	return 100;
}

/* A sum of "at least so much" is at least so much, too. */
static struct quantile sum_of(const struct observation *observations, size_t count)
{
	struct quantile sum = {0};

	for (size_t i = 0; i < count; i++) {
		sum.value += observations[i].value;
		sum.at_least = sum.at_least || observations[i].censored;
	}
	return sum;
}

/* The values of the window; those of a clock that was ahead are left out. */
static size_t keep_window(const struct question *question, struct sample *samples, size_t count,
	struct observation *observations)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_in_window(question, samples[i].at_ns))
			continue;
		observations[kept] = (struct observation){samples[i].value, samples[i].censored};
		samples[kept++] = samples[i];
	}
	return kept;
}

static void put_statistic(
	struct judgement *judgement, const struct limit_condition *condition, struct quantile value)
{
	json_object_set_new(judgement->values, limit_statistic_name(condition->statistic),
		json_real(value.value));
	if (value.at_least)
		json_object_set_new(judgement->values, "at_least", json_true());
}

/* Warn and crit may ask for different statistics. The sentence is about the gravest that is
 * crossed, or else about the first. */
static void weigh_level(const struct limit *limit, enum level level,
	struct observation *observations, size_t count, struct judgement *judgement)
{
	const struct limit_condition *condition = level == LEVEL_CRIT ? &limit->crit : &limit->warn;
	unsigned int percent = percent_of(condition->statistic);
	struct standing standing = {.help = HELP_UNKNOWN};
	struct quantile value;

	if (!condition->is_set)
		return;
	/* Too few to say anything: neither opens nor closes. */
	if (count >= quantile_needs(percent)) {
		value = condition->statistic == STATISTIC_SUM
			? sum_of(observations, count)
			: quantile(observations, count, percent);
		standing = judge_standing(limit, condition, value.value);
		/* Of "at least so much", nobody knows that it is low enough. */
		if (value.at_least && !standing.crossed)
			standing.help = HELP_UNKNOWN;
		put_statistic(judgement, condition, value);
		if (!judgement->counts || standing.crossed)
			wording_subject(judgement, limit, level, value.value, value.at_least);
		judgement->counts = true;
	}
	judgement->levels[level] = standing;
}

static int weigh_window(const struct question *question, struct sample *samples, size_t count,
	struct judgement *judgement, struct failure *why)
{
	const struct limit *limit = question->limit;
	struct observation *observations = calloc(count + 1, sizeof(*observations));

	if (observations == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	count = keep_window(question, samples, count, observations);
	weigh_level(limit, LEVEL_WARN, observations, count, judgement);
	weigh_level(limit, LEVEL_CRIT, observations, count, judgement);
	free(observations);
	snprintf(judgement->scope, sizeof(judgement->scope), " over %.32s (n=%zu)",
		wording_over(limit), count);
	if (count > 0)
		judge_span(judgement, limit, samples[0].at_ns, samples[count - 1].at_ns);
	json_object_set_new(judgement->values, "n", json_integer((json_int_t)count));
	judge_sample_evidence(judgement, limit, samples, count);
	return 0;
}

int judge_statistic(
	const struct question *question, struct judgement *judgement, struct failure *why)
{
	const struct limit *limit = question->limit;
	struct sample *samples;
	size_t count;
	int result;

	if (history_samples(question->state, question->customer, question->scenario,
		    question->vantage, limit->metric, question->end_ns - limit->over_ns, &samples,
		    &count, why) < 0)
		return -1;
	result = weigh_window(question, samples, count, judgement, why);
	free(samples);
	return result;
}

/* --- failure_rate ---------------------------------------------------------------------- */

static struct standing rate_standing(const struct limit *limit,
	const struct limit_condition *condition, size_t failed, double rate)
{
	struct standing standing = {0};

	if (condition->is_set)
		standing = judge_standing(limit, condition, rate);
	standing.crossed = standing.crossed && failed >= (size_t)limit->min_failures;
	return standing;
}

static void weigh_rate(const struct question *question, const struct run_mark *runs, size_t count,
	size_t failed, struct judgement *judgement)
{
	const struct limit *limit = question->limit;
	double rate = (double)failed / (double)count;

	judgement->counts = true;
	judgement->levels[LEVEL_WARN] = rate_standing(limit, &limit->warn, failed, rate);
	judgement->levels[LEVEL_CRIT] = rate_standing(limit, &limit->crit, failed, rate);
	wording_subject(judgement, limit, judgement_crossed(judgement), rate, false);
	snprintf(judgement->scope, sizeof(judgement->scope), " over %.32s (%zu of %zu runs failed)",
		wording_over(limit), failed, count);
	judge_span(judgement, limit, runs[0].at_ns, runs[count - 1].at_ns);
	json_object_set_new(judgement->values, "failure_rate", json_real(rate));
	json_object_set_new(judgement->values, "failed", json_integer((json_int_t)failed));
	json_object_set_new(judgement->values, "n", json_integer((json_int_t)count));
	judge_run_evidence(judgement, runs, count);
}

int judge_rate(const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct run_mark *runs;
	size_t all, count = 0, failed = 0;

	if (history_runs(question->state, question->customer, question->scenario, question->vantage,
		    question->end_ns - question->limit->over_ns, 0, &runs, &all, why) < 0)
		return -1;
	for (size_t i = 0; i < all; i++) {
		if (!is_in_window(question, runs[i].at_ns) || runs[i].maintenance ||
			runs[i].outcome == OUTCOME_ERROR || runs[i].outcome == OUTCOME_SKIPPED)
			continue;
		failed += runs[i].outcome == OUTCOME_FAIL;
		runs[count++] = runs[i];
	}
	if (count >= RATE_RUNS_MIN)
		weigh_rate(question, runs, count, failed, judgement);
	free(runs);
	return 0;
}
