/* begun - runs that have begun and are not in the history yet: what is left of those that were
 * killed, or that the power went from.
 */
#ifndef MAILPROBE_BEGUN_H
#define MAILPROBE_BEGUN_H

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* Notes that a run has begun, on disk before anything of it can be; `head` is its record so far.
 * history_add takes the note away, in its own transaction. Fails with local.storage. */
int begun_add(struct state *state, const json_t *head, struct failure *why);

/* Heads of the scenario's runs that have a note, oldest first: a new array, or NULL. Whoever holds
 * the scenario's lock knows that none of them is going on. */
json_t *begun_runs(
	struct state *state, const char *customer, const char *scenario, struct failure *why);

/* The newest records of the mails that a run has sent, oldest first: a new array, or NULL.
 * `last_ns_r` is raised to when the ledger last changed one of them (wall clock). */
json_t *begun_mails(
	struct state *state, const char *run_id, int64_t *last_ns_r, struct failure *why);

/* Those of the mails of earlier runs whose fate it has found out, with the run_id of the run that
 * sent each; the same otherwise. */
json_t *begun_settled(
	struct state *state, const char *run_id, int64_t *last_ns_r, struct failure *why);

#endif
