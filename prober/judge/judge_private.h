/* judge_private - what the files of this room share. */
#ifndef MAILPROBE_JUDGE_PRIVATE_H
#define MAILPROBE_JUDGE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "history.h"
#include "judge.h"

/* What is asked: this limit, after that run. */
struct question {
	struct state *state;
	const struct limit *limit;
	const char *customer, *scenario, *vantage, *run_id;
	int64_t end_ns; /* of the run */
};

/* judge_window.c: a statistic, or the failure rate, over the limit's window. */
int judge_statistic(
	const struct question *question, struct judgement *judgement, struct failure *why);
int judge_rate(const struct question *question, struct judgement *judgement, struct failure *why);

/* judge_runs.c: N of the last M runs failed, or had a value over the limit. */
int judge_failures(
	const struct question *question, struct judgement *judgement, struct failure *why);
int judge_values(const struct question *question, struct judgement *judgement, struct failure *why);

/* judge_age.c: for how long no run could be judged. */
int judge_age(const struct question *question, struct judgement *judgement, struct failure *why);

/* judge_burn.c: how fast the failures that an objective allows are used up. */
int judge_burn(const struct question *question, struct judgement *judgement, struct failure *why);

/* Whether a run counts for what is asked: judged, not in maintenance, and no later than the question. */
bool judge_is_run(const struct question *question, const struct run_mark *run);

/* judge_course.c: growth, where it leads, or a step, by the metric's object in the trend. */
void judge_course(
	const struct question *question, const json_t *metric, struct judgement *judgement);

/* Puts the baseline into the judgement. */
void judge_put_baseline(
	struct judgement *judgement, const struct limit *resolved, const json_t *metric);

/* How a level stands with a value that has to recover (limit_recovered). */
struct standing judge_standing(
	const struct limit *limit, const struct limit_condition *condition, double value);

/* Adds to the values of a judgement what it is about, and the span of the runs that it rests on, so
 * that every data point can be found again: `metric`, `from` and `to` (starts of runs). */
void judge_span(struct judgement *judgement, const struct limit *limit, int64_t first_ns,
	int64_t last_ns);

/* The newest samples (failed runs) that cross the limit; where nothing is crossed, the newest at
 * all. Oldest first, at most ten. */
void judge_sample_evidence(struct judgement *judgement, const struct limit *limit,
	const struct sample *samples, size_t count);
void judge_run_evidence(struct judgement *judgement, const struct run_mark *runs, size_t count);

#endif
