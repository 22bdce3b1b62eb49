/* deliver - what stands in the outbox goes to its sinks, once the scenarios have run.
 *
 * The supervisor's part: it forks a jailed courier for each queue that is due, runs the programs
 * of the sinks that are programs, and writes down what became of each event. Each ends in its
 * time, and so does the whole.
 */
#ifndef MAILPROBE_DELIVER_H
#define MAILPROBE_DELIVER_H

#include <stddef.h>

#include "run.h"
#include "scenario.h"
#include "state.h"

/* None is begun after so long; each may take as long again. */
#define DELIVER_TIME (30 * NS_PER_SECOND)

/* Serves the queues of these scenarios, as many at a time as the settings have jobs. `signals` is a
 * signalfd that ends it early, or -1: returns the signal that came, or 0. What is left over is for
 * the next time. */
int deliver(struct state *state, struct scenario *const scenarios[], size_t count,
	const struct run_settings *settings, const struct run_observer *observer, int signals);

#endif
