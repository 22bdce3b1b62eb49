/* ledger - the durable account of probe mails (design: every mail ends in exactly one state).
 *
 * A row is keyed by the mail's id and keeps the newest record of the mail (record.h,
 * record_mail) with run, customer, scenario and vantage.
 *
 *	sending           -> accepted refused deferred unknown
 *	deferred          -> sending accepted refused unknown
 *	accepted, unknown -> delivered late lost bounced junked altered
 *	lost              -> found_after_lost
 *
 * A mail is open in the states on the left but `lost`; all others are final.
 */
#ifndef MAILPROBE_LEDGER_H
#define MAILPROBE_LEDGER_H

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* Writes the mail as `sending` and returns only when that is on disk. `run` is an object with
 * run_id, customer, scenario and vantage, such as a result record. Fails with local.storage, or
 * worker.protocol if that mail is known already in another state than deferred. */
int ledger_intent(struct state *state, const json_t *run, const json_t *mail, struct failure *why);

/* Moves a known mail on, or adds facts to it in the state it has. A step back (`delivered` to
 * `accepted`) is refused with worker.protocol: states only ever go forward. */
int ledger_update(struct state *state, const json_t *mail, struct failure *why);

/* Calls back for each mail of the scenario that is not settled yet, oldest first. */
int ledger_open_mails(struct state *state, const char *customer, const char *scenario,
	void (*each)(void *context, const json_t *mail), void *context, struct failure *why);

/* How many mails are in each state, of one scenario or (NULL, NULL) of all: a new object that
 * has every state as a key, or NULL. The numbers add up to all mails that were ever intended. */
json_t *ledger_counts(
	struct state *state, const char *customer, const char *scenario, struct failure *why);

/* Puts a mail into the ledger as it is known from elsewhere, in whatever state; `run` as above. One
 * that is there gets that state and what is told of it. For rebuilding. */
int ledger_restore(struct state *state, const json_t *run, const json_t *mail, int64_t intent_ns,
	int64_t changed_ns, struct failure *why);

/* Takes mails out that were settled before `before_ns`, at most `limit` of them, and keeps their
 * number for ledger_counts. */
int ledger_prune(struct state *state, int64_t before_ns, int limit, struct failure *why);

#endif
