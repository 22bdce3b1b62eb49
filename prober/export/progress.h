/* progress - one live line on a terminal: what is going on, what it waits for, for how long. */
#ifndef MAILPROBE_PROGRESS_H
#define MAILPROBE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *to;
	bool live;    /* off a terminal nothing is ever shown */
	size_t total; /* scenarios */
	size_t done;
	size_t running;
	char text[200];   /* of the newest progress */
	int64_t since_ns; /* monotonic: when that began */
	bool shown;
};

void progress_init(struct progress *progress, FILE *to, bool live, size_t total);
void progress_started(struct progress *progress);
void progress_step(struct progress *progress, const char *scenario, const char *step,
	const char *phase, const char *note);
void progress_finished(struct progress *progress);
/* Draws the line anew. */
void progress_tick(struct progress *progress);
/* Takes the line away, before anything else is printed. */
void progress_clear(struct progress *progress);

#endif
