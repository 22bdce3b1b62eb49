#include "outbox.h"

#include <stdlib.h>

#include "clock.h"
#include "state_private.h"
#include "statement.h"

#include "ban.h"

#define CLAIM_MAX 100
#define BACKOFF_FIRST (5 * NS_PER_SECOND)
#define BACKOFF_MAX (15 * 60 * NS_PER_SECOND)

#define OF_QUEUE " customer = ?1 AND scenario = ?2 AND sink = ?3"
#define OPEN " state IN ('waiting', 'standing')"

const char *const outbox_states[] = {"waiting", "standing", "delivered", "failed", "skipped",
	"replaced", "dead", "dropped", NULL};

static void begin(struct statement *query, struct state *state, const char *sql,
	const struct outbox_queue *queue)
{
	statement_begin(query, state, sql);
	statement_bind_text(query, queue->customer);
	statement_bind_text(query, queue->scenario);
	statement_bind_text(query, queue->sink);
}

/* --- in -------------------------------------------------------------------------------- */

static const char *text_of(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key));
}

/* What a person says of an event is no substitute for the event. */
static int replace_older(struct state *state, const struct outbox_queue *queue,
	const struct outbox_order *order, const json_t *event, struct failure *why)
{
	struct statement query;

	begin(&query, state,
		"UPDATE outbox SET state = 'replaced', settled_ns = ?6"
		" WHERE" OF_QUEUE " AND event_id = ?4 AND revision < ?5 AND" OPEN
		" AND (state = 'standing' OR NOT ?7)",
		queue);
	statement_bind_text(&query, text_of(event, "event_id"));
	statement_bind_integer(&query, json_integer_value(json_object_get(event, "revision")));
	statement_bind_integer(&query, order->now_ns);
	statement_bind_integer(&query, order->is_answer);
	return statement_run(&query, why);
}

static int add_one(struct state *state, const struct outbox_queue *queue,
	const struct outbox_order *order, const json_t *event, struct failure *why)
{
	struct statement query;
	char *text = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(15));
	int result;

	begin(&query, state,
		"INSERT INTO outbox (customer, scenario, sink, event_id, revision, state, "
		"queued_ns,"
		" next_ns, attempts, doubt, event)"
		" VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', ?6, ?6, 0, ?7, ?8) ON CONFLICT DO NOTHING",
		queue);
	statement_bind_text(&query, text_of(event, "event_id"));
	statement_bind_integer(&query, json_integer_value(json_object_get(event, "revision")));
	statement_bind_integer(&query, order->now_ns);
	statement_bind_text(&query, order->doubt);
	statement_bind_text(&query, text);
	result = statement_run(&query, why);
	free(text);
	return result;
}

int outbox_add(struct state *state, const struct outbox_order *order, const json_t *event,
	struct failure *why)
{
	json_t *name;
	size_t index;

	json_array_foreach((json_t *)(uintptr_t)order->sinks, index, name)
	{
		const struct outbox_queue queue = {text_of(event, "customer"),
			text_of(event, "scenario"), json_string_value(name)};

		if (replace_older(state, &queue, order, event, why) == -1 ||
			add_one(state, &queue, order, event, why) == -1)
			return -1;
	}
	return 0;
}

json_t *outbox_sinks(struct state *state, const json_t *event, struct failure *why)
{
	struct statement query;
	json_t *names = json_array();

	statement_begin(&query, state,
		"SELECT DISTINCT sink FROM outbox"
		" WHERE customer = ? AND scenario = ? AND event_id = ? ORDER BY sink");
	statement_bind_text(&query, text_of(event, "customer"));
	statement_bind_text(&query, text_of(event, "scenario"));
	statement_bind_text(&query, text_of(event, "event_id"));
	while (statement_row(&query))
		json_array_append_new(names, json_string(statement_text(&query, 0)));
	if (statement_end(&query, why) == 0)
		return names;
	json_decref(names);
	return NULL;
}

/* --- out ------------------------------------------------------------------------------- */

static bool is_due(
	struct state *state, const struct outbox_queue *queue, int64_t now_ns, struct failure *why)
{
	struct statement query;
	bool due = false;

	begin(&query, state,
		"SELECT next_ns FROM outbox WHERE" OF_QUEUE " AND" OPEN " ORDER BY id LIMIT 1",
		queue);
	if (statement_row(&query))
		due = statement_integer(&query, 0) <= now_ns;
	return statement_end(&query, why) == 0 && due;
}

static int take_rows(
	struct state *state, const struct outbox_queue *queue, json_t *rows, struct failure *why)
{
	struct statement query;

	begin(&query, state,
		"SELECT id, attempts, coalesce(begun_ns, 0), doubt, event FROM outbox WHERE" OF_QUEUE
		" AND" OPEN " ORDER BY id LIMIT ?4",
		queue);
	statement_bind_integer(&query, CLAIM_MAX);
	while (statement_row(&query)) {
		json_t *row = json_pack("{s:I, s:I, s:I, s:s}", "row",
			(json_int_t)statement_integer(&query, 0), "attempts",
			(json_int_t)statement_integer(&query, 1), "begun_ns",
			(json_int_t)statement_integer(&query, 2), "doubt", statement_text(&query, 3));

		json_object_set_new(row, "event", json_loads(statement_text(&query, 4), 0, NULL));
		json_array_append_new(rows, row);
	}
	return statement_end(&query, why);
}

static int keep_rows(struct state *state, const struct outbox_queue *queue, int64_t until_ns,
	struct failure *why)
{
	struct statement query;

	begin(&query, state, "UPDATE outbox SET next_ns = ?4 WHERE" OF_QUEUE " AND" OPEN, queue);
	statement_bind_integer(&query, until_ns);
	return statement_run(&query, why);
}

json_t *outbox_claim(struct state *state, const struct outbox_queue *queue, int64_t now_ns,
	int64_t until_ns, struct failure *why)
{
	json_t *rows = json_array();
	int result = 0;

	/* First without a transaction for writing: it is so for most queues, most of the time. */
	if (!is_due(state, queue, now_ns, why))
		return rows;
	if (state_begin(state, why) == -1) {
		json_decref(rows);
		return NULL;
	}
	if (is_due(state, queue, now_ns, why)) {
		result = take_rows(state, queue, rows, why);
		if (result == 0)
			result = keep_rows(state, queue, until_ns, why);
	}
	if (state_finish(state, result, why) == 0)
		return rows;
	json_decref(rows);
	return NULL;
}

/* Of what stands, only the newest revision is said again. */
static int replace_standing(struct state *state, int64_t row, int64_t now_ns, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"UPDATE outbox SET state = 'replaced', settled_ns = ?2"
		" WHERE state = 'standing' AND id < ?1 AND (customer, scenario, sink, event_id) ="
		" (SELECT customer, scenario, sink, event_id FROM outbox WHERE id = ?1)");
	statement_bind_integer(&query, row);
	statement_bind_integer(&query, now_ns);
	return statement_run(&query, why);
}

int outbox_settle(struct state *state, int64_t row, enum outbox_state to, const char *outcome,
	int64_t now_ns, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"UPDATE outbox SET state = ?2, outcome = ?3, tried_ns = ?4, next_ns = ?4,"
		" settled_ns = CASE ?2 WHEN 'standing' THEN NULL ELSE ?4 END,"
		" attempts = CASE ?2 WHEN 'standing' THEN 0 ELSE attempts + ?5 END"
		" WHERE id = ?1 AND" OPEN);
	statement_bind_integer(&query, row);
	statement_bind_text(&query, outbox_states[to]);
	statement_bind_text(&query, outcome);
	statement_bind_integer(&query, now_ns);
	statement_bind_integer(&query, to == OUTBOX_DELIVERED || to == OUTBOX_DEAD);
	if (statement_run(&query, why) < 0)
		return -1;
	return to == OUTBOX_STANDING ? replace_standing(state, row, now_ns, why) : 0;
}

int outbox_postpone(struct state *state, int64_t row, const char *outcome, int64_t now_ns,
	int64_t next_ns, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"UPDATE outbox SET outcome = ?2, tried_ns = ?3, next_ns = ?4,"
		" attempts = attempts + 1 WHERE id = ?1 AND" OPEN);
	statement_bind_integer(&query, row);
	statement_bind_text(&query, outcome);
	statement_bind_integer(&query, now_ns);
	statement_bind_integer(&query, next_ns);
	return statement_run(&query, why);
}

int outbox_release(struct state *state, int64_t row, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, "UPDATE outbox SET next_ns = 0 WHERE id = ?1 AND" OPEN);
	statement_bind_integer(&query, row);
	return statement_run(&query, why);
}

int outbox_begin(struct state *state, int64_t row, int64_t now_ns, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"UPDATE outbox SET begun_ns = ?2, tried_ns = ?2, attempts = attempts + 1"
		" WHERE id = ?1");
	statement_bind_integer(&query, row);
	statement_bind_integer(&query, now_ns);
	return statement_run(&query, why);
}

int outbox_begun(struct state *state, const struct outbox_queue *queue, int64_t since_ns,
	int64_t *count_r, int64_t *newest_ns_r, struct failure *why)
{
	struct statement query;

	begin(&query, state,
		"SELECT count(*), coalesce(max(begun_ns), 0) FROM outbox WHERE" OF_QUEUE
		" AND tried_ns > ?4 AND begun_ns > ?4",
		queue);
	statement_bind_integer(&query, since_ns);
	*count_r = *newest_ns_r = 0;
	if (statement_row(&query)) {
		*count_r = statement_integer(&query, 0);
		*newest_ns_r = statement_integer(&query, 1);
	}
	return statement_end(&query, why);
}

int outbox_is_down(
	struct state *state, const struct outbox_queue *queue, bool *down_r, struct failure *why)
{
	struct statement query;

	/* What was delivered and stands begins again with no attempts. */
	begin(&query, state,
		"SELECT attempts > 0 AND state IN ('waiting', 'standing', 'replaced') FROM outbox"
		" WHERE" OF_QUEUE " AND tried_ns IS NOT NULL ORDER BY tried_ns DESC LIMIT 1",
		queue);
	*down_r = statement_row(&query) && statement_integer(&query, 0) != 0;
	return statement_end(&query, why);
}

/* --- time ------------------------------------------------------------------------------ */

static int change(struct state *state, const char *sql, int64_t first, int64_t second,
	int64_t *changed_r, struct failure *why)
{
	struct statement query;
	int result;

	statement_begin(&query, state, sql);
	statement_bind_integer(&query, first);
	statement_bind_integer(&query, second);
	result = statement_run(&query, why);
	*changed_r = result == 0 ? sqlite3_changes(state->db) : 0;
	return result;
}

int outbox_expire(struct state *state, int64_t now_ns, int64_t *died_r, struct failure *why)
{
	int64_t ignored;

	if (change(state,
		    "UPDATE outbox SET state = 'dead', settled_ns = ?1"
		    " WHERE state = 'waiting' AND queued_ns < ?2",
		    now_ns, now_ns - OUTBOX_LIFE, died_r, why) == -1)
		return -1;
	/* Of a sink that is no more in the scenario: nobody says these again. */
	if (change(state,
		    "UPDATE outbox SET state = 'delivered', settled_ns = ?1"
		    " WHERE state = 'standing' AND tried_ns < ?2",
		    now_ns, now_ns - OUTBOX_LIFE, &ignored, why) == -1)
		return -1;
	return change(state, "DELETE FROM outbox WHERE settled_ns < ?2 AND NOT" OPEN, now_ns,
		now_ns - OUTBOX_KEPT, &ignored, why);
}

int64_t outbox_backoff(int64_t attempts, uint32_t random)
{
	int64_t most = BACKOFF_FIRST;

	while (--attempts > 0 && most < BACKOFF_MAX)
		most *= 2;
	if (most > BACKOFF_MAX)
		most = BACKOFF_MAX;
	return most / 2 + most / 2 / 1024 * (random >> 22);
}

/* --- for people ------------------------------------------------------------------------ */

json_t *outbox_list(struct state *state, bool all, struct failure *why)
{
	struct statement query;
	json_t *rows = json_array();

	statement_begin(&query, state,
		"SELECT id, customer, scenario, sink, state, attempts, queued_ns, next_ns,"
		" coalesce(tried_ns, 0), outcome, doubt, event FROM outbox"
		" WHERE ?1 OR state IN ('waiting', 'dead') ORDER BY id");
	statement_bind_integer(&query, all);
	while (statement_row(&query)) {
		json_t *row = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:s}",
			"row", (json_int_t)statement_integer(&query, 0), "customer",
			statement_text(&query, 1), "scenario", statement_text(&query, 2), "sink",
			statement_text(&query, 3), "state", statement_text(&query, 4), "attempts",
			(json_int_t)statement_integer(&query, 5), "queued_ns",
			(json_int_t)statement_integer(&query, 6), "next_ns",
			(json_int_t)statement_integer(&query, 7), "tried_ns",
			(json_int_t)statement_integer(&query, 8), "outcome",
			statement_text(&query, 9), "doubt", statement_text(&query, 10));

		json_object_set_new(row, "event", json_loads(statement_text(&query, 11), 0, NULL));
		json_array_append_new(rows, row);
	}
	if (statement_end(&query, why) == 0)
		return rows;
	json_decref(rows);
	return NULL;
}

int outbox_retry(
	struct state *state, int64_t row, int64_t now_ns, int64_t *changed_r, struct failure *why)
{
	return change(state,
		"UPDATE outbox SET state = 'waiting', settled_ns = NULL, queued_ns = ?2, next_ns = "
		"?2"
		" WHERE (?1 = 0 OR id = ?1) AND state IN ('waiting', 'dead')",
		row, now_ns, changed_r, why);
}

int outbox_drop(
	struct state *state, int64_t row, int64_t now_ns, int64_t *changed_r, struct failure *why)
{
	return change(state,
		"UPDATE outbox SET state = 'dropped', settled_ns = ?2"
		" WHERE (?1 = 0 OR id = ?1) AND state IN ('waiting', 'standing', 'dead')",
		row, now_ns, changed_r, why);
}
