/* limit - one threshold on one metric, and the small grammar that it is written in.
 *
 *   warn: "p95 > 30s"   a statistic over the window `over`: p50 p95 p99 max min
 *   warn: "> 30s"       the value of a run itself; with `for: 3 of 5`, in 3 of the last 5 runs
 *   warn: "> 5%"        of failure_rate, which is a share over the window `over`
 *   warn: "sum > 2"     the values of all runs of the window together, of a count
 *   warn: "< 14"        of a number of which less is worse
 *   warn: "> baseline + 4 mad"         what is usual at this hour of the week, with its scatter
 *   warn: "reaches 60s within 14d"     growth that is no chance, and where it leads
 *   warn: "slope > 300ms per week"     growth that is no chance
 *   warn: "step > 2s within 24h"       a change that stayed, and when it came
 *   for: 3 of 5         alone, with the metric `failed`: 3 of the last 5 runs failed
 *   recover: "< 20s"    what a good result is, if not by 0.9 of the limit
 *
 * A text states the breach: "p95 > 30s" is bad. Thresholds are durations (30s, 250ms), shares
 * (5%) or plain numbers, as the metric has it.
 */
#ifndef MAILPROBE_LIMIT_H
#define MAILPROBE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum limit_statistic {
	STATISTIC_VALUE, /* none written: the value of a run, or failure_rate itself */
	STATISTIC_P50,
	STATISTIC_P95,
	STATISTIC_P99,
	STATISTIC_MAX,
	STATISTIC_MIN,
	STATISTIC_SUM,
};

enum limit_unit { LIMIT_NUMBER, LIMIT_SECONDS, LIMIT_SHARE };

enum limit_kind {
	LIMIT_LEVEL,    /* a threshold */
	LIMIT_BASELINE, /* the median of this hour of the week, and so many deviations */
	LIMIT_REACHES,  /* when growth will reach a threshold */
	LIMIT_SLOPE,    /* growth a week */
	LIMIT_STEP,     /* height of a step */
};

struct limit_condition {
	bool is_set; /* false: the scenario does not give it */
	enum limit_kind kind;
	enum limit_statistic statistic;
	bool below;       /* "<" instead of ">" */
	bool or_equal;    /* ">=", "<=" */
	double threshold; /* seconds; a share from 0 to 1; or a plain number; of a baseline, in MADs */
	enum limit_unit unit;
	int64_t within_ns; /* LIMIT_REACHES, LIMIT_STEP */
};

/* The loader has made sure that
 *   - at least one of warn, crit, need, slo is set; metric `failed` has need and no condition;
 *   - a statistic or failure_rate comes with over_ns, and without need;
 *   - both conditions are of one kind (also each with, or each without a statistic);
 *   - recover points the other way than the conditions, and is not beyond either of them. */
struct limit {
	const char *name;
	const char *metric;
	int64_t over_ns; /* window; 0: not given */
	struct limit_condition warn, crit;
	struct limit_condition recover; /* a good result for the lower of the two */
	int min_failures; /* of a rate, to open */
	double slo;       /* the share of runs that are to be good, below 1; 0: not given */
	int64_t period_ns; /* that it is for */
	const json_t *depends_on; /* names of limits above: while one of them is open, this one waits; or NULL */
	double min_step;  /* above a baseline, however small the scatter */
	int need, of;         /* N of the last M judged runs; 0: not given */
	int keep;             /* so many good results in a row close the event; at least 1 */
	const char *severity; /* of severities[]; NULL: warning at warn, critical at crit, and
			       * error where only `for` is given */
	bool quiet;              /* no sink is told of its events */
	const char *runbook_url; /* or NULL */
	const json_t *config;    /* the limit as written: goes into events */
};

struct limit_list {
	const struct limit *items;
	size_t count;
};

#define LIMIT_MESSAGE_SIZE 160

/* Makes a limit of what the scenario has, which was checked and outlives it. */
void limit_build(const json_t *config, struct limit *limit_r);

/* Reads "p95 > 30s". On -1 the message completes "this limit ...". */
int limit_condition_parse(const char *text, struct limit_condition *condition_r,
	char message[static LIMIT_MESSAGE_SIZE]);

/* Reads "3 of 5": 1 <= N <= M <= 1000. */
int limit_for_parse(
	const char *text, int *need_r, int *of_r, char message[static LIMIT_MESSAGE_SIZE]);

/* What the metric is measured in, by its name. */
enum limit_unit limit_metric_unit(const char *metric);

/* Reads "30s", "5%" or "3", at the beginning of the text, up to a blank. Returns where it ends, or
 * NULL. */
const char *limit_amount_parse(const char *text, double *amount_r, enum limit_unit *unit_r);

/* Whether it sets a height that single values or a percentile of them should stay below. */
bool limit_is_ceiling(const struct limit_condition *condition);

/* Whether a limit asks for what a trend knows: of growth and steps, or of what is usual. */
bool limit_is_shape(const struct limit *limit);
bool limit_has_baseline(const struct limit *limit);

/* True if the value is a breach (or, of `recover`, good). */
bool limit_breached(const struct limit_condition *condition, double value);

/* Whether a value helps to close what the condition opened: by `recover`, if it is for that condition,
 * or else if the value is well off the threshold, by a tenth of it. */
bool limit_recovered(
	const struct limit *limit, const struct limit_condition *condition, double value);

/* "p95", ...; "" for STATISTIC_VALUE. */
const char *limit_statistic_name(enum limit_statistic statistic);

#endif
