/* outbox - events on their way to sinks: one row for each revision of an event and each sink.
 *
 * A row is stored together with the memory of the rule that it comes from (rules.h), so that no
 * kill between probing and delivery loses it, and stays until its sink took it. A queue is what
 * one scenario has for one sink; it is served in order, and waits as a whole for its first row.
 */
#ifndef MAILPROBE_OUTBOX_H
#define MAILPROBE_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "state.h"

struct outbox_queue {
	const char *customer, *scenario, *sink;
};

/* What becomes of a row; the names stand in the database. */
enum outbox_state {
	OUTBOX_WAITING,
	OUTBOX_STANDING, /* delivered, and said again at each run while the event is open */
	OUTBOX_DELIVERED,
	OUTBOX_FAILED,   /* a program was run for it, and did not end well: not run again */
	OUTBOX_SKIPPED,  /* no program was run, by its settings */
	OUTBOX_REPLACED, /* by a newer revision, before it was delivered */
	OUTBOX_DEAD,     /* refused for good, or not taken in OUTBOX_LIFE */
	OUTBOX_DROPPED,  /* by a person */
};
/* In that order, NULL at the end. */
extern const char *const outbox_states[];

#define OUTBOX_DAY (INT64_C(86400) * INT64_C(1000000000))
#define OUTBOX_LIFE (3 * OUTBOX_DAY)
/* So long a row is kept once nothing more becomes of it. */
#define OUTBOX_KEPT (30 * OUTBOX_DAY)

/* Who is to get an event, and when that was decided. */
struct outbox_order {
	const json_t *sinks; /* names */
	const char *doubt;   /* why no program may act on it; NULL: it may */
	int64_t now_ns;
	bool is_answer; /* a person's: what is undelivered of the event stays before it */
};

/* Adds a row for each sink, in the caller's transaction; a revision that is there already is left
 * as it is, and older ones of the event that still wait are replaced: by an answer, only those that
 * stand. */
int outbox_add(struct state *state, const struct outbox_order *order, const json_t *event,
	struct failure *why);

/* Names of the sinks that have been given any revision of that event: a new array, or NULL. */
json_t *outbox_sinks(struct state *state, const json_t *event, struct failure *why);

/* Takes a queue over until `until_ns`: its rows in order, at most 100, as objects with `row`,
 * `attempts`, `begun_ns` (see outbox_begin; 0: not), `doubt`, `event`. Empty if there is none, if the first is not due yet,
 * or if another process has it. A new reference, or NULL with local.storage. */
json_t *outbox_claim(struct state *state, const struct outbox_queue *queue, int64_t now_ns,
	int64_t until_ns, struct failure *why);

/* What has become of a row, in a sentence. */
int outbox_settle(struct state *state, int64_t row, enum outbox_state to, const char *outcome,
	int64_t now_ns, struct failure *why);
/* An attempt that is to be made again at that time. */
int outbox_postpone(struct state *state, int64_t row, const char *outcome, int64_t now_ns,
	int64_t next_ns, struct failure *why);
/* Due again at once; that was no attempt. */
int outbox_release(struct state *state, int64_t row, struct failure *why);

/* An attempt begins that must not be made twice: written down before it is made. */
int outbox_begin(struct state *state, int64_t row, int64_t now_ns, struct failure *why);
/* How many were begun since then in the queue, and when the newest was (0: none). */
int outbox_begun(struct state *state, const struct outbox_queue *queue, int64_t since_ns,
	int64_t *count_r, int64_t *newest_ns_r, struct failure *why);

/* Whether the last attempt of the queue was in vain. */
int outbox_is_down(
	struct state *state, const struct outbox_queue *queue, bool *down_r, struct failure *why);

/* Rows that have waited for OUTBOX_LIFE are dead; those that nothing becomes of are forgotten
 * after OUTBOX_KEPT. */
int outbox_expire(struct state *state, int64_t now_ns, int64_t *died_r, struct failure *why);

/* Nanoseconds until the next attempt after so many: 5 s, doubled each time, 15 min at most, of
 * which a random half is left out so that senders do not come in step. */
int64_t outbox_backoff(int64_t attempts, uint32_t random);

/* All rows, or those that wait or are dead; oldest first. Objects with `row`,
 * `customer`, `scenario`, `sink`, `state`, `attempts`, `queued_ns`, `next_ns`, `tried_ns`, `outcome`,
 * `doubt`, `event`. A new reference, or NULL. */
json_t *outbox_list(struct state *state, bool all, struct failure *why);
/* A row (0: each) that waits or is dead is due now, for another OUTBOX_LIFE; or is dropped.
 * *changed_r: how many. */
int outbox_retry(
	struct state *state, int64_t row, int64_t now_ns, int64_t *changed_r, struct failure *why);
int outbox_drop(
	struct state *state, int64_t row, int64_t now_ns, int64_t *changed_r, struct failure *why);

#endif
