/* run - the supervisor: runs scenarios in jailed workers, and alone writes down what came of it.
 *
 * Single-threaded. Never parses a byte that came from a server.
 */
#ifndef MAILPROBE_RUN_H
#define MAILPROBE_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "error_type.h"
#include "failure.h"
#include "scenario.h"

struct run_settings {
	const char *results_dir;
	const char *vantage;
	const char *only;     /* a step id, or NULL for all */
	size_t jobs;          /* workers at a time, at least 1 */
	bool require_sandbox; /* rather judge nothing than run with less than a full jail */
};

/* Who wants to see it happen. Any member may be NULL. */
struct run_observer {
	void (*started)(void *context, const struct scenario *scenario);
	void (*progress)(void *context, const struct scenario *scenario, const char *step,
		const char *phase, const char *note);
	/* A few times a second while something runs. */
	void (*tick)(void *context);
	/* The record as it was (or, unless `stored`, could not be) written. */
	void (*finished)(void *context, const struct scenario *scenario, const json_t *record,
		bool stored);
	/* Trouble of our own beside a scenario's outcome. */
	void (*trouble)(void *context, const char *sentence);
	void *context;
};

struct run_totals {
	size_t outcomes[OUTCOME_SKIPPED + 1]; /* of runs outside maintenance */
	size_t unstored; /* records that could not be written */
	int signal;      /* that ended it early; 0: none */
};

/* Runs all scenarios, at most `jobs` at a time, and fills in the totals. -1 if it could not even
 * begin (local.storage, config.secret): then nothing was sent. */
int run_scenarios(struct scenario *const scenarios[], size_t count,
	const struct run_settings *settings, const struct run_observer *observer,
	struct run_totals *totals_r, struct failure *why);

#endif
