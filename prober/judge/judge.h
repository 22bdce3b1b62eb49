/* judge - what one limit says after a run: crossed, recovered from, or nothing to be said.
 *
 * Kinds of limit: a statistic over a window (p95 and its like, failure_rate); the value of a run,
 * also N of M times; either of them against what is usual; N of M runs failed; growth, where it leads,
 * and steps. Two levels, so that a limit may both warn and be critical.
 */
#ifndef MAILPROBE_JUDGE_H
#define MAILPROBE_JUDGE_H

#include <stdbool.h>

#include <jansson.h>

#include "failure.h"
#include "limit.h"
#include "state.h"

/* LEVEL_CRIT is also the level of a limit without conditions (`for` alone). */
enum level { LEVEL_NONE, LEVEL_WARN, LEVEL_CRIT };

#define LEVEL_COUNT 3

/* What this run does for an event of that level. */
enum help {
	HELP_CLOSE,   /* well below the limit: a good result */
	HELP_UNKNOWN, /* too few values, or only a lower bound that is below the limit */
	HELP_KEEP,    /* at the limit or near it: the event goes on */
};

struct standing {
	bool crossed; /* the condition holds: the event opens */
	enum help
		help; /* with N of M, this run alone may be good while the condition still holds */
};

struct judgement {
	bool counts;                         /* false: this run neither opens nor closes anything */
	struct standing levels[LEVEL_COUNT]; /* by enum level; zero where the limit has none */
	char subject[192];                   /* "in.delivery_seconds p95 74.2 s" */
	char scope[160];                     /* " over 24h (n=288)" */
	json_t *values;                      /* of the event; owned */
	json_t *evidence;                    /* the newest runs that it rests on; owned */
};

/* Whether a run says anything of the platform: what could not be judged (error, skipped), or was made
 * in maintenance, neither opens nor closes an event. */
bool judge_counts(const json_t *record);

/* What the trend says of metrics: their objects by name, as in a trend record. Growth and steps are
 * judged where it is fresh, and what is usual may be some runs old. */
struct judge_trend {
	const json_t *metrics; /* NULL: nothing is known */
	bool fresh;
};

/* Judges the limit as of a result record that the history has. judgement_free in any case. */
int judge_limit(struct state *state, const struct limit *limit, const json_t *record,
	const struct judge_trend *trend, struct judgement *judgement, struct failure *why);
void judgement_free(struct judgement *judgement);

/* The highest level that is crossed. */
enum level judgement_crossed(const struct judgement *judgement);

/* The highest level that an event which is at `current` cannot fall below after this run. Of what
 * is unknown, only what the event has reached already holds it. */
enum level judgement_held(const struct judgement *judgement, enum level current);

/* The limit with thresholds in place of a baseline, which `metric` has; false if nothing is known to be
 * usual. */
bool judge_resolve_baseline(
	const struct limit *limit, const json_t *metric, struct limit *resolved_r);

/* The condition that speaks for a level: its own, or the only one that there is. */
const struct limit_condition *judge_condition(const struct limit *limit, enum level level);

#endif
