/* history - values of metrics over runs, in state.db.
 *
 * A series is one scenario of one customer as seen from one vantage. What is kept of a run is one
 * row, whatever the number of its metrics; a window is read in one sweep over its runs.
 */
#ifndef MAILPROBE_HISTORY_H
#define MAILPROBE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "series.h"
#include "state.h"

#define HISTORY_DAYS 35
#define HISTORY_ROLLUP_DAYS 400

struct retention;

/* One value of a run. A censored one is a lower bound: a mail that had not come by then. */
struct sample {
	int64_t at_ns; /* wall clock, start of the run */
	double value;
	bool censored;
	char run_id[40];
};

/* One run as the counts see it. */
struct run_mark {
	int64_t at_ns;
	int outcome; /* enum outcome */
	bool maintenance; /* made while somebody worked on the platform: says nothing of it */
	char run_id[40];
};

/* Stores all metrics of a result record (record.h, FIELD_METRIC, and phases):
 *   duration_seconds, <step>.duration_seconds, <step>.phases.<phase>,
 *   <mail's step>.delivery_seconds, <mail's step>.hops.<component>, and what else a table flags
 * and the run's mark, in one transaction. Times are kept of what passed (or warned) only; phases
 * that were gone through more than once are summed. A mail that had not come is kept as censored
 * at the `waited_seconds` of its await, until a run settles it (history_settle): what the record
 * itself has settled is taken in first. Storing a run_id again changes nothing. The first run of an
 * hour rolls up what is over (rollup_store.h), and drops what is older than 35 days, and roll-ups
 * older than 400 days. */
int history_add(struct state *state, const json_t *record, struct failure *why);

/* The same; what is dropped on the way goes by `keep` (retention.h). */
int history_add_keeping(struct state *state, const json_t *record, const struct retention *keep,
	struct failure *why);

/* For whoever has just learned what became of a mail, within its transaction: where its run's row has
 * it as censored, and it has come by now, its delivery time takes that place, in the hour and the day
 * as well. `mail` is its record, with its run_id. Doing it again changes nothing, and so does a mail
 * that never came, one whose run says nothing of it, and one whose row is gone by now. */
int history_settle(struct state *state, const json_t *mail, struct failure *why);

/* Samples of a metric since an instant, but for runs in maintenance, oldest first; *samples_r is the caller's to free. */
int history_samples(struct state *state, const char *customer, const char *scenario,
	const char *vantage, const char *metric, int64_t since_ns, struct sample **samples_r,
	size_t *count_r, struct failure *why);

/* Runs, those in maintenance too, since an instant (0: all), the newest `limit` of them (0: all), oldest first. */
int history_runs(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t since_ns, size_t limit, struct run_mark **runs_r,
	size_t *count_r, struct failure *why);

/* The newest `limit` runs that could be judged (pass, warn, fail; not in maintenance), up to an instant (0: all),
 * oldest first. */
int history_judged(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t until_ns, size_t limit, struct run_mark **runs_r, size_t *count_r,
	struct failure *why);

/* The newest `limit` samples of a metric, of runs that could be judged, oldest first. */
int history_newest(struct state *state, const char *customer, const char *scenario,
	const char *vantage, const char *metric, size_t limit, struct sample **samples_r,
	size_t *count_r, struct failure *why);

/* The samples of a run, packed; history_value takes one out. */
struct history_row {
	struct run_mark mark;
	const char *error_type; /* that decided the outcome; "" if none, or not known */
	const unsigned char *bytes;
	size_t count;
};

struct history_value {
	uint32_t metric; /* an id; names by history_names */
	bool censored;
	unsigned int attempt; /* of a censored one: that sent the mail; 0: the last */
	double value;
};

struct history_value history_value(const struct history_row *row, size_t index);

/* All runs since an instant with all their samples, oldest first, in one sweep. */
int history_sweep(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t since_ns,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why);

/* The same of [since, until). */
int history_span(struct state *state, const struct series_key *key, int64_t since_ns,
	int64_t until_ns, void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why);

/* The newest `limit` runs that could be judged with all their samples, newest first. */
int history_recent(struct state *state, const char *customer, const char *scenario,
	const char *vantage, size_t limit,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why);

/* Id and name of each metric that the series ever had, by name. */
int history_names(struct state *state, const char *customer, const char *scenario,
	const char *vantage, void (*each)(void *context, uint32_t metric, const char *name),
	void *context, struct failure *why);

#endif
