#include "ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "record.h"
#include "state_private.h"
#include "statement.h"

#include "ban.h"

/* --- the states ------------------------------------------------------------------------ */

static const struct {
	const char *from;
	const char *const to[8];
} transitions[] = {
	{"sending", {"accepted", "refused", "deferred", "unknown"}},
	{"deferred", {"sending", "accepted", "refused", "unknown"}},
	{"accepted", {"delivered", "late", "lost", "bounced", "junked", "altered"}},
	{"unknown", {"delivered", "late", "lost", "bounced", "junked", "altered"}},
	{"lost", {"found_after_lost"}},
};

bool ledger_may_follow(const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return true;
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
		if (strcmp(transitions[i].from, from) == 0)
			return name_index(transitions[i].to, to) >= 0;
	return false;
}

/* `lost` may still be found, but nothing has to be looked for any more. */
bool ledger_is_open(const char *state)
{
	static const char *const open[] = {"sending", "accepted", "deferred", "unknown", NULL};

	return name_index(open, state) >= 0;
}

bool ledger_is_settled(const json_t *mail)
{
	return !ledger_is_open(json_string_value(json_object_get(mail, "state"))) ||
	       json_is_true(json_object_get(mail, "unwatched"));
}

/* --- writing --------------------------------------------------------------------------- */

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int protocol_failure(struct failure *why, const char *mail, const char *what)
{
	return failure_set(why, ERROR_WORKER_PROTOCOL, "mail %.40s %s", mail, what);
}

/* The stored state and record of a mail; *record_r is NULL if it is not known. */
static int find(struct state *state, const char *mail, json_t **record_r, struct failure *why)
{
	struct statement query;

	*record_r = NULL;
	statement_begin(&query, state, "SELECT record FROM mails WHERE mail = ?");
	statement_bind_text(&query, mail);
	if (statement_row(&query))
		*record_r = json_loads(statement_text(&query, 0), 0, NULL);
	if (statement_end(&query, why) < 0) {
		json_decref(*record_r);
		return -1;
	}
	return 0;
}

char *ledger_format(const json_t *mail)
{
	return json_dumps(mail, JSON_COMPACT | JSON_REAL_PRECISION(15));
}

static int insert(struct state *state, const json_t *run, const json_t *mail, struct failure *why)
{
	static const char *const keys[] = {"run_id", "customer", "scenario", "vantage"};
	struct statement query;
	int64_t now = clock_wall();
	char *record = ledger_format(mail);
	int result;

	if (record == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	statement_begin(&query, state,
		"INSERT INTO mails (mail, run_id, customer, scenario, vantage, state, settled,"
		" intent_ns, changed_ns, record) VALUES (?, ?, ?, ?, ?, 'sending', 0, ?, ?, ?)");
	statement_bind_text(&query, member(mail, "mail"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		statement_bind_text(&query, member(run, keys[i]));
	statement_bind_integer(&query, now);
	statement_bind_integer(&query, now);
	statement_bind_text(&query, record);
	result = statement_run(&query, why);
	free(record);
	return result;
}

/* `by` is the run that settled it, if not its own; NULL leaves what is known of that. */
static int store(struct state *state, const json_t *mail, const char *by, struct failure *why)
{
	struct statement query;
	const char *now = member(mail, "state");
	char *record = ledger_format(mail);
	int result;

	if (record == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	statement_begin(&query, state,
		"UPDATE mails SET state = ?, settled = ?, changed_ns = ?, record = ?,"
		" settled_by = coalesce(?, settled_by) WHERE mail = ?");
	statement_bind_text(&query, now);
	statement_bind_integer(&query, ledger_is_settled(mail));
	statement_bind_integer(&query, clock_wall());
	statement_bind_text(&query, record);
	statement_bind_text(&query, by);
	statement_bind_text(&query, member(mail, "mail"));
	result = statement_run(&query, why);
	free(record);
	return result;
}

int ledger_move_on(struct state *state, json_t *known, const json_t *mail, const char *by,
	struct failure *why)
{
	const char *from = member(known, "state"), *to = member(mail, "state");
	bool moved = strcmp(from, to) != 0;

	if (name_index(mail_states, to) < 0 || !ledger_may_follow(from, to))
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"mail %.40s cannot go from %s to \"%.32s\"", member(mail, "mail"), from,
			to);
	/* What was found out earlier stays, unless it is told anew. */
	if (json_object_update(known, (json_t *)(uintptr_t)mail) < 0)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	/* Somebody has looked after all. */
	if (moved)
		json_object_del(known, "unwatched");
	return store(state, known, by, why);
}

/* A mail is announced once, and again each time that it is tried anew after it was deferred. */
static int announce(struct state *state, const json_t *run, const json_t *mail, struct failure *why)
{
	json_t *known;
	int result;

	if (find(state, member(mail, "mail"), &known, why) < 0)
		return -1;
	if (known == NULL)
		return insert(state, run, mail, why);
	if (strcmp(member(known, "state"), "deferred") == 0)
		result = ledger_move_on(state, known, mail, NULL, why);
	else
		result = protocol_failure(why, member(mail, "mail"), "was announced twice");
	json_decref(known);
	return result;
}

int ledger_intent(struct state *state, const json_t *run, const json_t *mail, struct failure *why)
{
	const char *id = member(mail, "mail");

	if (!field_is_name(id) || strcmp(member(mail, "state"), "sending") != 0)
		return protocol_failure(why, id, "was announced in another state than sending");
	if (state_begin(state, why) < 0)
		return -1;
	return state_finish(state, announce(state, run, mail, why), why);
}

int ledger_update_within(struct state *state, const json_t *mail, struct failure *why)
{
	const char *id = member(mail, "mail");
	json_t *known;
	int result;

	if (find(state, id, &known, why) < 0)
		return -1;
	if (known == NULL)
		return protocol_failure(why, id, "was never announced");
	result = ledger_move_on(state, known, mail, NULL, why);
	json_decref(known);
	return result;
}

int ledger_update(struct state *state, const json_t *mail, struct failure *why)
{
	if (state_begin(state, why) < 0)
		return -1;
	return state_finish(state, ledger_update_within(state, mail, why), why);
}

/* --- restoring ------------------------------------------------------------------------- */

static int put(struct state *state, const json_t *run, const json_t *mail, const char *by,
	const int64_t times[2], struct failure *why)
{
	static const char *const keys[] = {"run_id", "customer", "scenario", "vantage"};
	const char *now = member(mail, "state");
	char *record = ledger_format(mail);
	struct statement query;
	int result;

	if (record == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	statement_begin(&query, state,
		"INSERT INTO mails (mail, run_id, customer, scenario, vantage, state, settled,"
		" intent_ns, changed_ns, record, settled_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT (mail) DO UPDATE SET state = excluded.state,"
		" settled = excluded.settled, changed_ns = excluded.changed_ns,"
		" record = excluded.record, settled_by = coalesce(excluded.settled_by, settled_by)");
	statement_bind_text(&query, member(mail, "mail"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		statement_bind_text(&query, member(run, keys[i]));
	statement_bind_text(&query, now);
	statement_bind_integer(&query, ledger_is_settled(mail));
	statement_bind_integer(&query, times[0]);
	statement_bind_integer(&query, times[1]);
	statement_bind_text(&query, record);
	statement_bind_text(&query, by);
	result = statement_run(&query, why);
	free(record);
	return result;
}

int ledger_restore(struct state *state, const json_t *run, const json_t *mail,
	const char *settled_by, int64_t intent_ns, int64_t changed_ns, struct failure *why)
{
	const int64_t times[2] = {intent_ns, changed_ns};
	json_t *known;
	int result;

	if (!field_is_name(member(mail, "mail")) ||
		name_index(mail_states, member(mail, "state")) < 0)
		return protocol_failure(why, member(mail, "mail"), "has no id or no state");
	if (find(state, member(mail, "mail"), &known, why) < 0)
		return -1;
	if (known == NULL)
		return put(state, run, mail, settled_by, times, why);
	json_object_update(known, (json_t *)(uintptr_t)mail);
	result = put(state, run, known, settled_by, times, why);
	json_decref(known);
	return result;
}

/* --- reading --------------------------------------------------------------------------- */

int ledger_open_mails(struct state *state, const char *customer, const char *scenario, int limit,
	void (*each)(void *context, const json_t *mail), void *context, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"SELECT record, run_id FROM (SELECT id, record, run_id, row_number() OVER"
		" (PARTITION BY state = 'deferred', json_extract(record, '$.to') ORDER BY id) AS turn"
		" FROM mails WHERE customer = ? AND scenario = ? AND settled = 0)"
		" ORDER BY turn, id LIMIT ?");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	statement_bind_integer(&query, limit);
	while (statement_row(&query)) {
		json_t *mail = json_loads(statement_text(&query, 0), 0, NULL);

		json_object_set_new(mail, "run_id", json_string(statement_text(&query, 1)));
		if (mail != NULL)
			each(context, mail);
		json_decref(mail);
	}
	return statement_end(&query, why);
}

json_t *ledger_counts(
	struct state *state, const char *customer, const char *scenario, struct failure *why)
{
	struct statement query;
	json_t *counts = json_object();

	for (size_t i = 0; mail_states[i] != NULL; i++)
		json_object_set_new(counts, mail_states[i], json_integer(0));
	statement_begin(&query, state,
		"SELECT state, sum(n) FROM"
		" (SELECT customer, scenario, state, 1 AS n FROM mails"
		"  UNION ALL SELECT customer, scenario, state, n FROM mails_past)"
		" WHERE ?1 IS NULL OR (customer = ?1 AND scenario = ?2) GROUP BY state");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	while (statement_row(&query))
		json_object_set_new(counts, statement_text(&query, 0),
			json_integer(statement_integer(&query, 1)));
	if (statement_end(&query, why) < 0) {
		json_decref(counts);
		return NULL;
	}
	return counts;
}

/* --- forgetting ------------------------------------------------------------------------ */

static int prune_step(
	struct state *state, const char *sql, int64_t before_ns, int limit, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, sql);
	statement_bind_integer(&query, before_ns);
	statement_bind_integer(&query, limit);
	return statement_run(&query, why);
}

#define SETTLED_LONG_AGO                                                                           \
	"(SELECT id FROM mails WHERE settled = 1 AND changed_ns < ?1 ORDER BY changed_ns, id"      \
	" LIMIT ?2)"

static int prune(struct state *state, int64_t before_ns, int limit, struct failure *why)
{
	if (prune_step(state,
		    "INSERT INTO mails_past (customer, scenario, state, n)"
		    " SELECT customer, scenario, state, count(*) FROM mails"
		    " WHERE id IN " SETTLED_LONG_AGO " GROUP BY customer, scenario, state"
		    " ON CONFLICT DO UPDATE SET n = n + excluded.n",
		    before_ns, limit, why) < 0)
		return -1;
	return prune_step(
		state, "DELETE FROM mails WHERE id IN " SETTLED_LONG_AGO, before_ns, limit, why);
}

int ledger_prune(struct state *state, int64_t before_ns, int limit, struct failure *why)
{
	if (state_begin(state, why) < 0)
		return -1;
	return state_finish(state, prune(state, before_ns, limit, why), why);
}
