/* interrupted - a record for each run that could not write its own: it was killed, or the power
 * went. Every run that has begun ends in exactly one line.
 */
#ifndef MAILPROBE_INTERRUPTED_H
#define MAILPROBE_INTERRUPTED_H

#include "failure.h"
#include "scenario.h"
#include "state.h"

/* Settles what earlier runs of the scenario have left. One whose line was written is taken into
 * ledger, history and trend as it would have done itself; any other gets a line that says
 * `local.interrupted`, with its mails as the ledger knows them. The scenario's lock is the
 * caller's. Fails with local.storage; what is left then, the next run does. */
int interrupted_settle(struct state *state, const char *results_dir,
	const struct scenario *scenario, struct failure *why);

#endif
