/* Limits over a window of time that ends with the run: `over: 24h`. */
#include <stdio.h>
#include <stdlib.h>

#include "error_type.h"
#include "history_long.h"
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

static bool is_long(const struct question *question)
{
	return question->limit->over_ns > HISTORY_EXACT_SPAN;
}

static struct history_window long_window(const struct question *question)
{
	return history_window(question->end_ns, question->limit->over_ns);
}

/* From where on the rows themselves are read. */
static int64_t exact_begin(const struct question *question)
{
	return question->end_ns -
		(is_long(question) ? HISTORY_EXACT_SPAN : question->limit->over_ns);
}

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

/* The values of a window: all of them, or, if it is long, those of a day and the roll-up of all. */
struct values {
	struct observation *observations;
	size_t count;
	const struct rollup_metric *rolled; /* or NULL */
};

static size_t number_of(const struct values *values)
{
	return values->rolled != NULL ? values->rolled->values.n : values->count;
}

static struct quantile statistic_of(
	const struct values *values, const struct limit_condition *condition)
{
	const struct rollup_metric *rolled = values->rolled;
	bool sum = condition->statistic == STATISTIC_SUM;

	if (rolled == NULL)
		return sum ? sum_of(values->observations, values->count)
			   : quantile(values->observations, values->count,
				     percent_of(condition->statistic));
	return sum ? (struct quantile){rolled->sum, rolled->censored > 0}
		   : history_quantile(rolled, percent_of(condition->statistic));
}

/* Warn and crit may ask for different statistics. The sentence is about the gravest that is
 * crossed, or else about the first. */
static void weigh_level(const struct limit *limit, enum level level, const struct values *values,
	struct judgement *judgement)
{
	const struct limit_condition *condition = level == LEVEL_CRIT ? &limit->crit : &limit->warn;
	struct standing standing = {.help = HELP_UNKNOWN};
	struct quantile value;

	if (!condition->is_set)
		return;
	/* Too few to say anything: neither opens nor closes. */
	if (number_of(values) >= quantile_needs(percent_of(condition->statistic))) {
		value = statistic_of(values, condition);
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

static void weigh_values(
	const struct question *question, const struct values *values, struct judgement *judgement)
{
	const struct limit *limit = question->limit;

	weigh_level(limit, LEVEL_WARN, values, judgement);
	weigh_level(limit, LEVEL_CRIT, values, judgement);
	snprintf(judgement->scope, sizeof(judgement->scope), " over %.32s (n=%zu)",
		wording_over(limit), number_of(values));
	json_object_set_new(judgement->values, "n", json_integer((json_int_t)number_of(values)));
	if (values->rolled != NULL)
		json_object_set_new(
			judgement->values, "relative_error", json_real(HISTOGRAM_ERROR));
}

/* Of a long window, the samples are those of its last day: the newest evidence. */
static int weigh_window(const struct question *question, struct sample *samples, size_t count,
	const struct rollup_metric *rolled, struct judgement *judgement, struct failure *why)
{
	struct values values = {calloc(count + 1, sizeof(*values.observations)), 0, rolled};

	if (values.observations == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	values.count = keep_window(question, samples, count, values.observations);
	weigh_values(question, &values, judgement);
	free(values.observations);
	if (values.count > 0)
		judge_span(judgement, question->limit,
			rolled != NULL ? long_window(question).begin_ns : samples[0].at_ns,
			samples[values.count - 1].at_ns);
	judge_sample_evidence(judgement, question->limit, samples, values.count);
	return 0;
}

static int read_rolled(const struct question *question, struct rollup *rollup, struct failure *why)
{
	const struct series_key key = {question->customer, question->scenario, question->vantage};
	const struct history_window window = long_window(question);

	return is_long(question)
		? history_long(question->state, &key, question->limit->metric, &window, rollup, why)
		: 0;
}

int judge_statistic(
	const struct question *question, struct judgement *judgement, struct failure *why)
{
	const struct limit *limit = question->limit;
	struct rollup rollup = {.maintenance = 0};
	struct sample *samples;
	size_t count;
	int result = read_rolled(question, &rollup, why);

	if (result == 0)
		result = history_samples(question->state, question->customer, question->scenario,
			question->vantage, limit->metric, exact_begin(question), &samples, &count,
			why);
	if (result == 0) {
		result = weigh_window(question, samples, count,
			rollup.metric_count > 0 ? &rollup.metrics[0] : NULL, judgement, why);
		free(samples);
	}
	rollup_free(&rollup);
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

/* Runs that could be judged, and where the newest of them are. */
struct rate {
	size_t count, failed;
	int64_t begin_ns;
	struct run_mark *runs;
	size_t run_count;
};

static void weigh_rate(
	const struct question *question, const struct rate *rate, struct judgement *judgement)
{
	const struct limit *limit = question->limit;
	double share = (double)rate->failed / (double)rate->count;

	judgement->counts = true;
	judgement->levels[LEVEL_WARN] = rate_standing(limit, &limit->warn, rate->failed, share);
	judgement->levels[LEVEL_CRIT] = rate_standing(limit, &limit->crit, rate->failed, share);
	wording_subject(judgement, limit, judgement_crossed(judgement), share, false);
	snprintf(judgement->scope, sizeof(judgement->scope), " over %.32s (%zu of %zu runs failed)",
		wording_over(limit), rate->failed, rate->count);
	judge_span(judgement, limit, rate->begin_ns, rate->runs[rate->run_count - 1].at_ns);
	json_object_set_new(judgement->values, "failure_rate", json_real(share));
	json_object_set_new(judgement->values, "failed", json_integer((json_int_t)rate->failed));
	json_object_set_new(judgement->values, "n", json_integer((json_int_t)rate->count));
	judge_run_evidence(judgement, rate->runs, rate->run_count);
}

/* Keeps the runs that count, and counts them. */
static void count_runs(const struct question *question, struct rate *rate, size_t all)
{
	for (size_t i = 0; i < all; i++) {
		const struct run_mark *run = &rate->runs[i];

		if (!is_in_window(question, run->at_ns) || !judge_is_run(question, run))
			continue;
		rate->failed += run->outcome == OUTCOME_FAIL;
		rate->runs[rate->run_count++] = *run;
	}
	rate->count = rate->run_count;
	rate->begin_ns = rate->run_count > 0 ? rate->runs[0].at_ns : 0;
}

static int count_long(const struct question *question, struct rate *rate, struct failure *why)
{
	const struct series_key key = {question->customer, question->scenario, question->vantage};
	const struct history_window window = long_window(question);
	struct rollup rollup;
	int result = history_long(question->state, &key, NULL, &window, &rollup, why);

	rate->failed = rollup.outcomes[OUTCOME_FAIL];
	rate->count = rate->failed + rollup.outcomes[OUTCOME_PASS] + rollup.outcomes[OUTCOME_WARN];
	rate->begin_ns = window.begin_ns;
	rollup_free(&rollup);
	return result;
}

int judge_rate(const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct rate rate = {.count = 0};
	int result = 0;
	size_t all;

	if (history_runs(question->state, question->customer, question->scenario, question->vantage,
		    exact_begin(question), 0, &rate.runs, &all, why) < 0)
		return -1;
	count_runs(question, &rate, all);
	if (is_long(question))
		result = count_long(question, &rate, why);
	if (result == 0 && rate.count >= RATE_RUNS_MIN && rate.run_count > 0)
		weigh_rate(question, &rate, judgement);
	free(rate.runs);
	return result;
}
