/* sink_test - a made-up event, sent through one sink now, to see whether it arrives.
 *
 * It goes the way of all events (deliver.h), but from an outbox in memory: nothing of it stays here.
 */
#ifndef MAILPROBE_SINK_TEST_H
#define MAILPROBE_SINK_TEST_H

#include <stdbool.h>

#include "failure.h"
#include "scenario.h"

struct sink_trial {
	bool taken;
	char state[16];      /* an outbox state: delivered, waiting (to be tried again), dead ... */
	char sentence[256]; /* what the receiver said, or why nothing was sent */
};

/* Opens an event that says `"test": true`, and resolves it again. -1 if nothing could be tried
 * (local.resource, local.storage). */
int sink_test(const struct scenario *scenario, const struct sink *sink, const char *vantage,
	struct sink_trial *trial_r, struct failure *why);

#endif
