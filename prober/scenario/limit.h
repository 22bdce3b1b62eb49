/* limit - one threshold on one metric, and the small grammar that it is written in.
 *
 *   warn: "p95 > 30s"   a statistic over the window `over`: p50 p95 p99 max min
 *   warn: "> 30s"       the value of a run itself; with `for: 3 of 5`, in 3 of the last 5 runs
 *   warn: "> 5%"        of failure_rate, which is a share over the window `over`
 *   for: 3 of 5         alone, with the metric `failed`: 3 of the last 5 runs failed
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
};

enum limit_unit { LIMIT_NUMBER, LIMIT_SECONDS, LIMIT_SHARE };

struct limit_condition {
	bool is_set; /* false: the scenario does not give it */
	enum limit_statistic statistic;
	bool or_equal;    /* ">=" instead of ">" */
	double threshold; /* seconds; a share from 0 to 1; or a plain number */
	enum limit_unit unit;
};

/* The loader has made sure that
 *   - at least one of warn, crit, need is set; metric `failed` has need and no condition;
 *   - a statistic or failure_rate comes with over_ns, and without need;
 *   - both conditions are of one kind (each with, or each without a statistic). */
struct limit {
	const char *name;
	const char *metric;
	int64_t over_ns; /* window; 0: not given */
	struct limit_condition warn, crit;
	int need, of;         /* N of the last M judged runs; 0: not given */
	int keep;             /* so many good results in a row close the event */
	const char *severity; /* of severities[]; NULL: warning at warn, critical at crit, and
			       * error where only `for` is given */
	const char *runbook_url; /* or NULL */
	const json_t *config;    /* the limit as written: goes into events */
};

struct limit_list {
	const struct limit *items;
	size_t count;
};

#define LIMIT_MESSAGE_SIZE 160

/* Reads "p95 > 30s". On -1 the message completes "this limit ...". */
int limit_condition_parse(const char *text, struct limit_condition *condition_r,
	char message[static LIMIT_MESSAGE_SIZE]);

/* Reads "3 of 5": 1 <= N <= M <= 1000. */
int limit_for_parse(
	const char *text, int *need_r, int *of_r, char message[static LIMIT_MESSAGE_SIZE]);

/* True if the value is a breach. */
bool limit_breached(const struct limit_condition *condition, double value);

/* "p95", ...; "" for STATISTIC_VALUE. */
const char *limit_statistic_name(enum limit_statistic statistic);

#endif
