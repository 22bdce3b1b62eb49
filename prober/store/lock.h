/* lock - one run of a scenario at a time: flock(2) on <results>/<customer>/<scenario>/.lock; and one
 * who changes events at a time: <results>/.rules.lock.
 *
 * The lock belongs to the open file, so that it cannot outlive its holder. Workers close it. */
#ifndef MAILPROBE_LOCK_H
#define MAILPROBE_LOCK_H

#include "failure.h"

/* A descriptor that holds the lock, or -1: local.overlap if another run has it (the sentence
 * names its process and age), local.storage if it cannot be made. */
int lock_take(
	const char *results_dir, const char *customer, const char *scenario, struct failure *why);
/* The lock of those who change what rules remember: a run when it judges, a person who answers. Held for
 * moments, and waited for, 5 s at most. -1 with local.overlap or local.storage. */
int lock_take_rules(const char *results_dir, struct failure *why);
/* -1 is fine. */
void lock_release(int fd);

#endif
