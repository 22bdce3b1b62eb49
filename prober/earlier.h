/* earlier - what earlier runs of a scenario have left open, as the supervisor sees it. */
#ifndef MAILPROBE_EARLIER_H
#define MAILPROBE_EARLIER_H

#include <stdbool.h>

#include <jansson.h>

#include "failure.h"
#include "journey.h"
#include "state.h"

/* What a run starts with. */
struct earlier {
	json_t *open_mails; /* ledger_open_mails */
	json_t *marks;      /* ledger_marks */
	bool has_past;      /* ledger_has_past */
	json_t *settled;    /* mails of earlier runs whose fate this run has found out so far */
};

/* Reads it, gives up what was deferred for too long, and closes what nobody looks for. `run` has run_id, customer, scenario and
 * vantage. Fails with local.storage; earlier_free is for then, too. */
int earlier_load(struct earlier *earlier, struct state *state, const json_t *run,
	const struct journey *journey, struct failure *why);
/* Reads anew what a run that goes on for another attempt starts that with; `settled` stays. */
int earlier_reload(struct earlier *earlier, struct state *state, const struct journey *journey,
	struct failure *why);
void earlier_free(struct earlier *earlier);

/* Answers a worker's questions (struct worker_listener). */
json_t *earlier_recall(
	struct state *state, const json_t *run, const json_t *ids, struct failure *why);
int earlier_settle(struct earlier *earlier, struct state *state, const json_t *run,
	const json_t *mails, struct failure *why);

#endif
