/* Limits on an objective: how fast the failures that it allows are used up.
 *
 * Pairs of windows as the SRE workbook of Google has them (chapter 5): the long one says that it matters,
 * the short one that it still goes on. Its figures are for 30 days; for another period, what share of the
 * allowed failures a long window may use up stays the same. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "judge_private.h"

#include "ban.h"

#define MINUTE (60 * NS_PER_SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* A window of fewer runs is made as long as these take: a single run is no rate. */
#define RUNS_LEAST 3
/* An event closes once it burns a tenth slower than would open it. */
#define RECOVERY 0.9

static const struct pair {
	enum level level;
	double share; /* of what is allowed in the period */
	int64_t long_ns, short_ns;
	const char *long_name, *short_name;
} pairs[] = {
	{LEVEL_CRIT, 0.02, HOUR, 5 * MINUTE, "1h", "5m"},
	{LEVEL_CRIT, 0.05, 6 * HOUR, 30 * MINUTE, "6h", "30m"},
	{LEVEL_WARN, 0.10, DAY, 2 * HOUR, "1d", "2h"},
	{LEVEL_WARN, 0.10, 3 * DAY, 6 * HOUR, "3d", "6h"},
};

#define PAIR_COUNT (sizeof(pairs) / sizeof(pairs[0]))
#define LONGEST (3 * DAY)

struct burn {
	size_t runs, failed;
	double rate; /* 1: what is allowed is used up just at the period's end */
};

/* What one pair has come to. */
struct reading {
	const struct pair *pair;
	double factor;
	struct burn over, lately;
	bool crossed, near;
};

struct judged {
	const struct question *question;
	struct run_mark *runs; /* that count, oldest first */
	size_t count;
};

static struct burn burn_over(const struct judged *judged, int64_t window_ns)
{
	const struct limit *limit = judged->question->limit;
	size_t first = judged->count;
	struct burn burn = {0};

	while (first > 0 &&
		(judged->runs[first - 1].at_ns > judged->question->end_ns - window_ns ||
			judged->count - first < RUNS_LEAST))
		first--;
	burn.runs = judged->count - first;
	for (size_t i = first; i < judged->count; i++)
		burn.failed += judged->runs[i].outcome == OUTCOME_FAIL;
	burn.rate = (double)burn.failed / (double)burn.runs / (1 - limit->slo);
	return burn;
}

static struct reading read_pair(const struct judged *judged, const struct pair *pair)
{
	const struct limit *limit = judged->question->limit;
	struct reading reading = {
		.pair = pair,
		.factor = pair->share * (double)limit->period_ns / (double)pair->long_ns,
		.over = burn_over(judged, pair->long_ns),
		.lately = burn_over(judged, pair->short_ns),
	};
	double slower =
		reading.over.rate < reading.lately.rate ? reading.over.rate : reading.lately.rate;

	reading.crossed =
		slower >= reading.factor && reading.over.failed >= (size_t)limit->min_failures;
	reading.near = slower >= RECOVERY * reading.factor;
	return reading;
}

static json_t *reading_json(const struct reading *reading)
{
	return json_pack("{s:s, s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:b}", "over",
		reading->pair->long_name, "and", reading->pair->short_name, "limit",
		reading->factor, "burn", reading->over.rate, "burn_lately", reading->lately.rate,
		"failed", (json_int_t)reading->over.failed, "runs", (json_int_t)reading->over.runs,
		"failed_lately", (json_int_t)reading->lately.failed, "runs_lately",
		(json_int_t)reading->lately.runs, "crossed", (int)reading->crossed);
}

static void describe(
	const struct limit *limit, const struct reading *reading, struct judgement *judgement)
{
	snprintf(judgement->subject, sizeof(judgement->subject),
		"failures use up what %s allows %.1f times too fast over %s",
		json_string_value(json_object_get(limit->config, "slo")), reading->over.rate,
		reading->pair->long_name);
	snprintf(judgement->scope, sizeof(judgement->scope),
		" (%zu of %zu runs failed; %.1f times over the last %zu; limit %.1f)",
		reading->over.failed, reading->over.runs, reading->lately.rate,
		reading->lately.runs, reading->factor);
}

static void weigh(const struct judged *judged, struct judgement *judgement)
{
	const struct limit *limit = judged->question->limit;
	json_t *all = json_array();
	struct reading told = {0};

	for (size_t i = 0; i < PAIR_COUNT; i++) {
		struct reading reading = read_pair(judged, &pairs[i]);
		struct standing *standing = &judgement->levels[pairs[i].level];

		standing->crossed = standing->crossed || reading.crossed;
		if (reading.near)
			standing->help = HELP_KEEP;
		if (told.pair == NULL || (reading.crossed && !told.crossed))
			told = reading;
		json_array_append_new(all, reading_json(&reading));
	}
	judgement->counts = true;
	describe(limit, &told, judgement);
	judge_span(judgement, limit, judged->runs[0].at_ns, judged->runs[judged->count - 1].at_ns);
	json_object_set_new(judgement->values, "burn", all);
	judge_run_evidence(judgement, judged->runs, judged->count);
}

int judge_burn(const struct question *question, struct judgement *judgement, struct failure *why)
{
	struct judged judged = {.question = question};
	size_t all;

	if (history_runs(question->state, question->customer, question->scenario, question->vantage,
		    question->end_ns - LONGEST, 0, &judged.runs, &all, why) < 0)
		return -1;
	for (size_t i = 0; i < all; i++)
		if (judge_is_run(question, &judged.runs[i]))
			judged.runs[judged.count++] = judged.runs[i];
	if (judged.count >= RUNS_LEAST)
		weigh(&judged, judgement);
	free(judged.runs);
	return 0;
}
