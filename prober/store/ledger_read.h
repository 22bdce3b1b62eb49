/* ledger_read - what the ledger says, for people and for doctor. */
#ifndef MAILPROBE_LEDGER_READ_H
#define MAILPROBE_LEDGER_READ_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "state.h"

/* One mail; lent for the time of the call. */
struct ledger_mail {
	const char *customer, *scenario, *vantage, *run_id, *state;
	int64_t intent_ns, changed_ns; /* wall clock */
	const json_t *record;          /* NULL if what is stored is no JSON */
};

enum ledger_choice {
	LEDGER_OPEN, /* not settled yet, the oldest first */
	LEDGER_ODD,  /* settled in another way than delivered once or refused, the newest first */
};

/* At most `limit` mails (-1: all) of one customer, one scenario or (NULL) of all. */
int ledger_each(struct state *state, const char *customer, const char *scenario,
	enum ledger_choice choice, int64_t limit,
	void (*each)(void *context, const struct ledger_mail *mail), void *context,
	struct failure *why);

struct ledger_sums {
	json_t *states; /* every state: how many mails; owned */
	int64_t sent, open, settled, odd; /* odd: of those that are kept with their record */
	int64_t past; /* of `settled`: those known by their number alone */
};

/* Sums of one customer, one scenario or (NULL) of all. They are counted apart from each other, so
 * that sent = open + settled is a finding. */
int ledger_sums(struct state *state, const char *customer, const char *scenario,
	struct ledger_sums *sums_r, struct failure *why);

#endif
