/* hook - runs the program of a sink of the type command, outside of any jail: it is to heal.
 *
 * No shell: what an event says arrives as data only, its JSON on standard input and a few of its
 * values in the environment, which holds nothing else:
 *   MAILPROBE_EVENT_ID _DEDUP_KEY _REVISION _STATE _SEVERITY _SUMMARY _CUSTOMER _SCENARIO
 *   _VANTAGE _SINK
 */
#ifndef MAILPROBE_HOOK_H
#define MAILPROBE_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "clock.h"
#include "failure.h"
#include "sink.h"

struct hook {
	pid_t pid; /* and its process group */
	int pidfd; /* readable once it has ended */
	int64_t began_ns;
	struct deadline deadline;
	/* Once hook_end has seen to it: */
	int64_t duration_ns;
	bool ended;   /* by itself, with this wait status */
	bool overdue; /* it was killed for that */
	int status;
};

/* Starts it for the event. Fails with local.resource: then nothing was run. */
int hook_start(
	struct hook *hook, const struct sink *sink, const json_t *event, struct failure *why);

/* Kills what is left of its process group, reaps it, and says how it ended, in a sentence. True
 * if it exited by itself with status 0. */
bool hook_end(struct hook *hook, char *sentence, size_t size);

#endif
