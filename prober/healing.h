/* healing - whether a command may be run for an event, and how it ended, written into the event. */
#ifndef MAILPROBE_HEALING_H
#define MAILPROBE_HEALING_H

#include <jansson.h>

#include "failure.h"
#include "hook.h"
#include "scenario.h"
#include "sink.h"
#include "state.h"

#define HEALING_MAX 20 /* of one event; then the oldest goes */

/* Whose command, for which row of the outbox (outbox_claim). */
struct healing {
	struct state *state;
	const char *results_dir;
	const struct scenario *scenario;
	const struct sink *sink;
	const json_t *row;
};

/* Why no command is run for the row now; `sentence` NULL: it is run. */
struct healing_objection {
	const char *sentence;
	const char *skipped; /* what the event says; NULL: it says nothing */
};
struct healing_objection healing_objection(const struct healing *healing);

/* Each writes a revision of the event, once for a sink and the revision that it was given, which
 * goes to the sinks that have the event, but to no command. -1 with local.storage or
 * local.overlap: then the event does not say it. */
int healing_ended(const struct healing *healing, const struct hook *hook, struct failure *why);
int healing_skipped(const struct healing *healing, const char *reason, struct failure *why);
/* mailprobe was killed while it ran: how it ended is not known. */
int healing_interrupted(const struct healing *healing, struct failure *why);

#endif
