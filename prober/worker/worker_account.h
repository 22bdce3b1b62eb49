/* worker_account - what is known of a worker's run so far: its steps, phases, mails, its jail.
 *
 * Takes the frames, checks each against the journey, and gives a complete account at any time.
 */
#ifndef MAILPROBE_WORKER_ACCOUNT_H
#define MAILPROBE_WORKER_ACCOUNT_H

#include <jansson.h>

#include "failure.h"
#include "frame.h"
#include "timings.h"
#include "worker.h"

#define ACCOUNT_NAME_SIZE 65

/* What progress frames tell of a step, in case that nothing else will. */
struct step_track {
	char phases[TIMINGS_MAX][ACCOUNT_NAME_SIZE];
	int64_t begins[TIMINGS_MAX]; /* nanoseconds from the start of the run */
	size_t count;
	json_t *record; /* once it has ended */
};

struct worker_account {
	const struct worker_job *job;
	struct step_track *tracks; /* by the journey's order */
	json_t *mails;             /* by id, in order of their intents */
	json_t *sandbox;           /* NULL until it is known */
	json_t *sandbox_missing;
	json_t *vantage_state; /* with the result */
	bool complete; /* the result has come */
	size_t frames, states, tokens, asked;
};

int worker_account_open(struct worker_account *account, const struct worker_job *job);
void worker_account_free(struct worker_account *account);

/* Takes one checked frame in. -1 with worker.protocol if it does not fit the run, or
 * sandbox.required. */
int worker_account_take(
	struct worker_account *account, enum frame_type type, json_t *frame, struct failure *why);

/* The mail of an intent that was refused: it is not sent. */
void worker_account_forget(struct worker_account *account, const json_t *mail);

/* The ledger has taken these in: the run's own among them are known by that from now on. */
void worker_account_settle(struct worker_account *account, const json_t *mails);

/* The account as it is now; `why` says how the worker ended, if that left anything open. A new
 * reference. */
json_t *worker_account_close(struct worker_account *account, const struct failure *why);

#endif
