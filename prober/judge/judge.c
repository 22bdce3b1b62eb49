#include "judge.h"

#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "judge_private.h"
#include "record.h"
#include "unreachable.h"

#include "ban.h"

#define EVIDENCE_MAX 10

/* --- levels ---------------------------------------------------------------------------- */

const struct limit_condition *judge_condition(const struct limit *limit, enum level level)
{
	if (level == LEVEL_CRIT)
		return limit->crit.is_set ? &limit->crit : &limit->warn;
	return limit->warn.is_set ? &limit->warn : &limit->crit;
}

struct standing judge_standing(
	const struct limit *limit, const struct limit_condition *condition, double value)
{
	struct standing standing = {.crossed = limit_breached(condition, value)};

	if (standing.crossed || !limit_recovered(limit, condition, value))
		standing.help = HELP_KEEP;
	return standing;
}

enum level judgement_crossed(const struct judgement *judgement)
{
	for (enum level level = LEVEL_CRIT; level > LEVEL_NONE; level--)
		if (judgement->levels[level].crossed)
			return level;
	return LEVEL_NONE;
}

enum level judgement_held(const struct judgement *judgement, enum level current)
{
	for (enum level level = LEVEL_CRIT; level > LEVEL_NONE; level--) {
		enum help help = judgement->levels[level].help;

		if (help == HELP_KEEP || (help == HELP_UNKNOWN && level <= current))
			return level;
	}
	return LEVEL_NONE;
}

/* --- what it rests on ------------------------------------------------------------------- */

static void put_time(json_t *object, const char *key, int64_t at_ns)
{
	char at[CLOCK_TIMESTAMP_SIZE];

	clock_format(at_ns, at);
	json_object_set_new(object, key, json_string(at));
}

void judge_span(struct judgement *judgement, const struct limit *limit, int64_t first_ns,
	int64_t last_ns)
{
	json_object_set_new(judgement->values, "metric", json_string(limit->metric));
	put_time(judgement->values, "from", first_ns);
	put_time(judgement->values, "to", last_ns);
}

/* --- evidence -------------------------------------------------------------------------- */

static json_t *evidence_of(const char *run_id, int64_t at_ns)
{
	json_t *one = json_pack("{s:s}", "run_id", run_id);

	put_time(one, "started_at", at_ns);
	return one;
}

/* What is added up is made of all that is not 0. */
static bool is_evidence(const struct limit_condition *condition, double value)
{
	return condition->statistic == STATISTIC_SUM ? value > 0 : limit_breached(condition, value);
}

void judge_sample_evidence(struct judgement *judgement, const struct limit *limit,
	const struct sample *samples, size_t count)
{
	enum level crossed = judgement_crossed(judgement);

	for (size_t i = count; i > 0; i--) {
		const struct sample *sample = &samples[i - 1];
		json_t *one;

		if (crossed != LEVEL_NONE &&
			!is_evidence(judge_condition(limit, crossed), sample->value))
			continue;
		if (json_array_size(judgement->evidence) == EVIDENCE_MAX)
			return;
		one = evidence_of(sample->run_id, sample->at_ns);
		json_object_set_new(one, "value", json_real(sample->value));
		json_array_insert_new(judgement->evidence, 0, one);
	}
}

void judge_run_evidence(struct judgement *judgement, const struct run_mark *runs, size_t count)
{
	enum level crossed = judgement_crossed(judgement);

	for (size_t i = count; i > 0; i--) {
		const struct run_mark *run = &runs[i - 1];
		json_t *one;

		if (crossed != LEVEL_NONE && run->outcome != OUTCOME_FAIL)
			continue;
		if (json_array_size(judgement->evidence) == EVIDENCE_MAX)
			return;
		one = evidence_of(run->run_id, run->at_ns);
		json_object_set_new(
			one, "outcome", json_string(outcome_name((enum outcome)run->outcome)));
		json_array_insert_new(judgement->evidence, 0, one);
	}
}

/* --- the whole ------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

bool judge_counts(const json_t *record)
{
	int outcome = name_index(outcome_names, member(record, "outcome"));

	if (json_object_get(record, "maintenance") != NULL)
		return false;
	return outcome == OUTCOME_PASS || outcome == OUTCOME_WARN || outcome == OUTCOME_FAIL;
}

bool judge_is_run(const struct question *question, const struct run_mark *run)
{
	return !run->maintenance && run->at_ns <= question->end_ns &&
		run->outcome != OUTCOME_ERROR && run->outcome != OUTCOME_SKIPPED;
}

static int ask(const struct question *question, struct judgement *judgement, struct failure *why)
{
	const struct limit *limit = question->limit;

	if (strcmp(limit->metric, "failed") == 0)
		return judge_failures(question, judgement, why);
	if (limit->slo > 0)
		return judge_burn(question, judgement, why);
	if (strcmp(limit->metric, "failure_rate") == 0)
		return judge_rate(question, judgement, why);
	if (judge_condition(limit, LEVEL_WARN)->statistic != STATISTIC_VALUE)
		return judge_statistic(question, judgement, why);
	return judge_values(question, judgement, why);
}

static int ask_usual(struct question *question, const json_t *metric, struct judgement *judgement,
	struct failure *why)
{
	struct limit resolved;
	int result;

	if (!judge_resolve_baseline(question->limit, metric, &resolved))
		return 0;
	question->limit = &resolved;
	result = ask(question, judgement, why);
	if (result == 0 && judgement->counts)
		judge_put_baseline(judgement, &resolved, metric);
	return result;
}

static int ask_either(struct question *question, const struct judge_trend *trend,
	struct judgement *judgement, struct failure *why)
{
	const json_t *metric = json_object_get(trend->metrics, question->limit->metric);

	if (limit_has_baseline(question->limit))
		return ask_usual(question, metric, judgement, why);
	if (!limit_is_shape(question->limit))
		return ask(question, judgement, why);
	if (trend->fresh && metric != NULL)
		judge_course(question, metric, judgement);
	return 0;
}

/* Of a run that failed, what else it says nothing of. */
static void put_unreachable(struct judgement *judgement, const json_t *record)
{
	json_t *steps = unreachable_steps(record);

	if (json_array_size(steps) > 0)
		json_object_set(judgement->values, "unreachable", steps);
	json_decref(steps);
}

static bool is_of_runs(const struct limit *limit)
{
	return strcmp(limit->metric, "failed") == 0 || strcmp(limit->metric, "failure_rate") == 0;
}

int judge_limit(struct state *state, const struct limit *limit, const json_t *record,
	const struct judge_trend *trend, struct judgement *judgement, struct failure *why)
{
	struct question question = {
		.state = state,
		.limit = limit,
		.customer = member(record, "customer"),
		.scenario = member(record, "scenario"),
		.vantage = member(record, "vantage"),
		.run_id = member(record, "run_id"),
	};

	*judgement = (struct judgement){.values = json_object(), .evidence = json_array()};
	if (json_object_get(record, "maintenance") != NULL)
		return 0;
	if (clock_parse(member(record, "ended_at"), &question.end_ns) < 0)
		return failure_set(
			why, ERROR_WORKER_PROTOCOL, "a result without its end cannot be judged");
	/* What could not be judged is just what this is about. */
	if (strcmp(limit->metric, METRIC_AGE) == 0)
		return judge_age(&question, judgement, why);
	if (!judge_counts(record) || is_unreachable(record, limit->metric))
		return 0;
	if (ask_either(&question, trend, judgement, why) < 0)
		return -1;
	if (is_of_runs(limit))
		put_unreachable(judgement, record);
	return 0;
}

void judgement_free(struct judgement *judgement)
{
	json_decref(judgement->values);
	json_decref(judgement->evidence);
	*judgement = (struct judgement){0};
}
