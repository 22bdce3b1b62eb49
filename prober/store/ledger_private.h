/* ledger_private - what the files of the ledger share. */
#ifndef MAILPROBE_LEDGER_PRIVATE_H
#define MAILPROBE_LEDGER_PRIVATE_H

#include "ledger.h"
#include "state_private.h"

/* A record as it is stored; the caller frees it. NULL if memory is out. */
char *ledger_format(const json_t *record);

/* The known mail as `mail` says, if that is a step forward. `by` is the run that found it out, if
 * not its own, or NULL. Within a transaction. */
int ledger_move_on(struct state *state, json_t *known, const json_t *mail, const char *by,
	struct failure *why);

/* ledger_update within a transaction. */
int ledger_update_within(struct state *state, const json_t *mail, struct failure *why);

#endif
