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
 * A mail is open in the states on the left but `lost`, until nobody looks for it any more
 * (`unwatched`); all others are final.
 */
#ifndef MAILPROBE_LEDGER_H
#define MAILPROBE_LEDGER_H

#include <stdbool.h>

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* The one table of states: whether a mail may go from one to the other (staying is fine), and
 * whether its fate still has to be found out. */
bool ledger_may_follow(const char *from, const char *to);
bool ledger_is_open(const char *state);

/* The same of a mail's record: nobody looks for an `unwatched` one any more, in whatever state it is. */
bool ledger_is_settled(const json_t *mail);

/* Writes the mail as `sending` and returns only when that is on disk. `run` is an object with
 * run_id, customer, scenario and vantage, such as a result record. Fails with local.storage, or
 * worker.protocol if that mail is known already in another state than deferred. */
int ledger_intent(struct state *state, const json_t *run, const json_t *mail, struct failure *why);

/* Moves a known mail on, or adds facts to it in the state it has. A step back (`delivered` to
 * `accepted`) is refused with worker.protocol: states only ever go forward. */
int ledger_update(struct state *state, const json_t *mail, struct failure *why);

/* Moves mails of this run's scenario on, all in one transaction: those of earlier runs too, whose
 * records (with their run_id) are added to `settled` if their state has changed; what the history has of
 * them is corrected with it (history_settle). Refuses mails of
 * other scenarios with worker.protocol: then none is moved. */
int ledger_settle(struct state *state, const json_t *run, const json_t *mails, json_t *settled,
	struct failure *why);

/* What is known of these mails of the run's scenario: a new array of their records, with the
 * run_id of the run that sent each. Others are left out. NULL on failure. */
json_t *ledger_recall(
	struct state *state, const json_t *run, const json_t *ids, struct failure *why);

/* Calls back for each mail of the scenario that is not settled yet, with its run_id, at most `limit` of
 * them: the oldest of each recipient and of the deferred ones in turn, lest those that cannot be settled
 * now, as their mailbox is down, stand before all others. */
int ledger_open_mails(struct state *state, const char *customer, const char *scenario, int limit,
	void (*each)(void *context, const json_t *mail), void *context, struct failure *why);

/* Up to where the scenario's mailboxes have been looked through: a new array of {account, folder,
 * uid_validity, uid_next, looked_at}, as the runs' records had them last (steps[].mailboxes). */
json_t *ledger_marks(
	struct state *state, const char *customer, const char *scenario, struct failure *why);

/* Whether the scenario was run before, and may have left mails anywhere. */
int ledger_has_past(struct state *state, const char *customer, const char *scenario,
	bool *has_past_r, struct failure *why);

/* Takes a run's record in, in one transaction: its mails, and how far it looked through which
 * mailbox. The same record again changes nothing. */
int ledger_close_run(struct state *state, const json_t *record, struct failure *why);

/* How many mails are in each state, of one scenario or (NULL, NULL) of all: a new object that
 * has every state as a key, or NULL. The numbers add up to all mails that were ever intended. */
json_t *ledger_counts(
	struct state *state, const char *customer, const char *scenario, struct failure *why);

/* Puts a mail into the ledger as it is known from elsewhere, in whatever state; `run` as above. One
 * that is there gets that state and what is told of it. `settled_by` is the run that found it out, if
 * not its own, or NULL. For rebuilding, as is the next one. */
int ledger_restore(struct state *state, const json_t *run, const json_t *mail,
	const char *settled_by, int64_t intent_ns, int64_t changed_ns, struct failure *why);

/* Takes over how far a run's record says that it looked through which mailbox. */
int ledger_restore_marks(struct state *state, const json_t *record, struct failure *why);

/* Takes mails out that were settled before `before_ns`, at most `limit` of them, and keeps their
 * number for ledger_counts. */
int ledger_prune(struct state *state, int64_t before_ns, int limit, struct failure *why);

#endif
