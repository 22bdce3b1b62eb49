/* Limits on `age`: for how long no run could be judged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "judge_private.h"
#include "wording.h"

#include "ban.h"

/* So far back somebody looks for the first run of those that could not be judged. */
#define RUNS_MAX 1000

static void weigh_age(const struct question *question, const struct run_mark *since, bool at_least,
	struct judgement *judgement)
{
	const struct limit *limit = question->limit;
	bool is_now = strcmp(since->run_id, question->run_id) == 0 && !at_least;
	double age = is_now ? 0 : clock_seconds(question->end_ns - since->at_ns);

	judgement->counts = true;
	if (limit->warn.is_set)
		judgement->levels[LEVEL_WARN] = judge_standing(limit, &limit->warn, age);
	if (limit->crit.is_set)
		judgement->levels[LEVEL_CRIT] = judge_standing(limit, &limit->crit, age);
	wording_subject(judgement, limit, judgement_crossed(judgement), age, at_least);
	snprintf(judgement->scope, sizeof(judgement->scope), " since a run could be judged");
	judge_span(judgement, limit, since->at_ns, question->end_ns);
	json_object_set_new(judgement->values, "value", json_real(age));
	if (at_least)
		json_object_set_new(judgement->values, "at_least", json_true());
	judge_run_evidence(judgement, since, 1);
}

static int judge_never(
	const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct run_mark *runs;
	size_t count;

	if (history_runs(question->state, question->customer, question->scenario, question->vantage,
		    0, RUNS_MAX, &runs, &count, why) < 0)
		return -1;
	if (count > 0)
		weigh_age(question, &runs[0], true, judgement);
	free(runs);
	return 0;
}

int judge_age(const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct run_mark *runs;
	size_t count;

	if (history_judged(question->state, question->customer, question->scenario,
		    question->vantage, question->end_ns, 1, &runs, &count, why) < 0)
		return -1;
	if (count > 0)
		weigh_age(question, &runs[0], false, judgement);
	free(runs);
	return count > 0 ? 0 : judge_never(question, judgement, why);
}
