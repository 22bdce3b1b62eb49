/* What later runs find out, and what a run's end puts down. */
#include "ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "field.h"
#include "history.h"
#include "statement.h"

#include "ban.h"

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int protocol_failure(struct failure *why, const char *mail, const char *what)
{
	return failure_set(why, ERROR_WORKER_PROTOCOL, "mail %.40s %s", mail, what);
}

/* --- settling -------------------------------------------------------------------------- */

/* The stored record of a mail of this scenario, with the run that sent it; NULL if there is no
 * such mail. */
static int find_own(struct state *state, const char *customer, const char *scenario,
	const char *mail, json_t **record_r, struct failure *why)
{
	struct statement query;

	*record_r = NULL;
	statement_begin(&query, state,
		"SELECT record, run_id FROM mails WHERE mail = ? AND customer = ? AND scenario = ?");
	statement_bind_text(&query, mail);
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	if (statement_row(&query)) {
		*record_r = json_loads(statement_text(&query, 0), 0, NULL);
		json_object_set_new(*record_r, "run_id", json_string(statement_text(&query, 1)));
	}
	if (statement_end(&query, why) < 0) {
		json_decref(*record_r);
		return -1;
	}
	return 0;
}

static int settle_one(struct state *state, const json_t *run, const json_t *mail, json_t *settled,
	struct failure *why)
{
	json_t *known;
	bool other, moved;
	int result;

	if (find_own(state, member(run, "customer"), member(run, "scenario"), member(mail, "mail"),
		    &known, why) < 0)
		return -1;
	if (known == NULL)
		return protocol_failure(why, member(mail, "mail"), "is not of this scenario");
	other = strcmp(member(known, "run_id"), member(run, "run_id")) != 0;
	moved = strcmp(member(known, "state"), member(mail, "state")) != 0;
	result = ledger_move_on(state, known, mail, other && moved ? member(run, "run_id") : NULL, why);
	if (result == 0 && other && moved)
		result = history_settle(state, known, why);
	if (result == 0 && other && moved)
		json_array_append(settled, known);
	json_decref(known);
	return result;
}

int ledger_settle(struct state *state, const json_t *run, const json_t *mails, json_t *settled,
	struct failure *why)
{
	size_t before = json_array_size(settled), index;
	json_t *mail;
	int result = 0;

	if (state_begin(state, why) < 0)
		return -1;
	json_array_foreach(mails, index, mail)
	{
		result = settle_one(state, run, mail, settled, why);
		if (result < 0)
			break;
	}
	result = state_finish(state, result, why);
	while (result < 0 && json_array_size(settled) > before)
		json_array_remove(settled, json_array_size(settled) - 1);
	return result;
}

json_t *ledger_recall(struct state *state, const json_t *run, const json_t *ids,
	struct failure *why)
{
	json_t *records = json_array(), *id, *known;
	size_t index;

	json_array_foreach(ids, index, id)
	{
		if (find_own(state, member(run, "customer"), member(run, "scenario"),
			    json_string_value(id), &known, why) < 0) {
			json_decref(records);
			return NULL;
		}
		if (known != NULL)
			json_array_append_new(records, known);
	}
	return records;
}


/* --- how far a mailbox was looked through ------------------------------------------------- */

json_t *ledger_marks(
	struct state *state, const char *customer, const char *scenario, struct failure *why)
{
	json_t *marks = json_array();
	struct statement query;

	statement_begin(&query, state,
		"SELECT account, mark FROM mailboxes WHERE customer = ? AND scenario = ?");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	while (statement_row(&query)) {
		json_t *mark = json_loads(statement_text(&query, 1), 0, NULL);

		json_object_set_new(mark, "account", json_string(statement_text(&query, 0)));
		if (mark != NULL)
			json_array_append_new(marks, mark);
	}
	if (statement_end(&query, why) < 0) {
		json_decref(marks);
		return NULL;
	}
	return marks;
}

/* By its history, which a run that was killed is in by now as well: asking all mails would take the
 * longer the more there are. */
int ledger_has_past(struct state *state, const char *customer, const char *scenario,
	bool *has_past_r, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"SELECT 1 FROM series WHERE customer = ? AND scenario = ? LIMIT 1");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	*has_past_r = statement_row(&query);
	return statement_end(&query, why);
}

static int mark_one(struct state *state, const json_t *run, const char *account, const json_t *mark,
	struct failure *why)
{
	struct statement query;
	char *text = ledger_format(mark);
	int result;

	if (text == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	statement_begin(&query, state,
		"INSERT INTO mailboxes (customer, scenario, account, folder, mark)"
		" VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET mark = excluded.mark");
	statement_bind_text(&query, member(run, "customer"));
	statement_bind_text(&query, member(run, "scenario"));
	statement_bind_text(&query, account);
	statement_bind_text(&query, member(mark, "folder"));
	statement_bind_text(&query, text);
	result = statement_run(&query, why);
	free(text);
	return result;
}

/* --- the end of a run -------------------------------------------------------------------- */

int ledger_restore_marks(struct state *state, const json_t *record, struct failure *why)
{
	json_t *step, *mark;
	size_t i, j;

	json_array_foreach(json_object_get(record, "steps"), i, step)
	{
		json_array_foreach(json_object_get(step, "mailboxes"), j, mark)
		{
			if (mark_one(state, record, member(step, "account"), mark, why) < 0)
				return -1;
		}
	}
	return 0;
}

int ledger_close_run(struct state *state, const json_t *record, struct failure *why)
{
	struct failure odd = {0};
	json_t *mail;
	size_t index;
	int result = 0;

	if (state_begin(state, why) < 0)
		return -1;
	json_array_foreach(json_object_get(record, "mails"), index, mail)
	{
		/* One that the ledger cannot follow does not take the others with it. */
		if (result == 0 && ledger_update_within(state, mail, &odd) < 0 &&
			odd.type != ERROR_WORKER_PROTOCOL)
			result = -1;
	}
	if (result == 0)
		result = ledger_restore_marks(state, record, why);
	result = state_finish(state, result, why);
	if (odd.type != ERROR_NONE)
		*why = odd;
	return odd.type != ERROR_NONE ? -1 : result;
}
