/* ledger - the durable account of probe mails (design: every mail ends in exactly one state).
 *
 * A row is keyed by the mail's id and keeps the newest record of the mail (record.h,
 * record_mail) with run, customer, scenario and vantage.
 */
#ifndef MAILPROBE_LEDGER_H
#define MAILPROBE_LEDGER_H

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* Writes the mail as `sending` and returns only when that is on disk. Fails with
 * local.storage, or worker.protocol if that mail is known already. */
int ledger_intent(struct state *state, const json_t *run, const json_t *mail,
	struct failure *why);

/* Moves a known mail on. A step back (`delivered` to `accepted`) is refused with
 * worker.protocol: states only ever go forward. */
int ledger_update(struct state *state, const json_t *mail, struct failure *why);

/* Calls back for each mail of the scenario that is not settled yet, oldest first. */
int ledger_open_mails(struct state *state, const char *customer, const char *scenario,
	void (*each)(void *context, const json_t *mail), void *context, struct failure *why);

#endif
