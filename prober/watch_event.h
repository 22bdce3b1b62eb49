/* watch_event - what all events are made of and how they are stored, whoever raises them: a limit,
 * or a rule that combines several. */
#ifndef MAILPROBE_WATCH_EVENT_H
#define MAILPROBE_WATCH_EVENT_H

#include <jansson.h>

#include "failure.h"
#include "journey.h"
#include "outbox.h"
#include "rules.h"
#include "state.h"

/* Who watches: which run, what is remembered where, and whom events are told to. All times of
 * events are the record's, so that a stored run is judged as it was when it ended; only the outbox
 * goes by the clock. */
struct watcher {
	struct state *state;
	const struct journey *journey;
	const json_t *record;
	struct outbox_order order; /* without sinks nothing is queued */
	int (*emit)(void *context, const json_t *event, struct failure *why);
	void *context;
};

/* The next revision of an event, or (`before` NULL) the first of a new one: a new object, to which
 * summary, values, limit, vantages and evidence of that revision are still to be added. */
json_t *event_revision(const struct watcher *watcher, const char *rule, const json_t *before,
	const char *state, const char *severity);

/* Stores a rule's memory together with its event (which may be NULL), and then writes the event: a
 * crash between them writes it once more, as the same revision. */
int event_remember(const struct watcher *watcher, const char *rule, const json_t *memory,
	const json_t *event, struct failure *why);

/* Loads a rule's memory (a new reference, or NULL), once the event is written that an earlier run
 * could not write. */
int event_recall(
	const struct watcher *watcher, const char *rule, json_t **memory_r, struct failure *why);

/* Of the sinks that events are told to, those that have heard of this one (NULL: none): a new array. */
json_t *event_listeners(
	const struct watcher *watcher, const json_t *event, struct failure *why);

#endif
