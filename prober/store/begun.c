#include "begun.h"

#include <stdbool.h>
#include <stdlib.h>

#include "state_private.h"
#include "statement.h"

#include "ban.h"

int begun_add(struct state *state, const json_t *head, struct failure *why)
{
	static const char *const keys[] = {"run_id", "customer", "scenario"};
	char *text = json_dumps(head, JSON_COMPACT);
	struct statement query;
	int result;

	if (text == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	statement_begin(&query, state,
		"INSERT INTO begun (run_id, customer, scenario, head) VALUES (?, ?, ?, ?)");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		statement_bind_text(&query, json_string_value(json_object_get(head, keys[i])));
	statement_bind_text(&query, text);
	result = statement_run(&query, why);
	free(text);
	return result;
}

json_t *begun_runs(
	struct state *state, const char *customer, const char *scenario, struct failure *why)
{
	json_t *heads = json_array();
	struct statement query;

	statement_begin(&query, state,
		"SELECT head FROM begun WHERE customer = ? AND scenario = ? ORDER BY run_id");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	while (statement_row(&query))
		json_array_append_new(heads, json_loads(statement_text(&query, 0), 0, NULL));
	if (statement_end(&query, why) < 0) {
		json_decref(heads);
		return NULL;
	}
	return heads;
}

static json_t *read_mails(struct state *state, const char *sql, const char *run_id, bool others,
	int64_t *last_ns_r, struct failure *why)
{
	json_t *mails = json_array();
	struct statement query;

	statement_begin(&query, state, sql);
	statement_bind_text(&query, run_id);
	while (statement_row(&query)) {
		json_t *mail = json_loads(statement_text(&query, 0), 0, NULL);

		if (others)
			json_object_set_new(mail, "run_id", json_string(statement_text(&query, 2)));
		json_array_append_new(mails, mail);
		if (statement_integer(&query, 1) > *last_ns_r)
			*last_ns_r = statement_integer(&query, 1);
	}
	if (statement_end(&query, why) < 0) {
		json_decref(mails);
		return NULL;
	}
	return mails;
}

json_t *begun_mails(
	struct state *state, const char *run_id, int64_t *last_ns_r, struct failure *why)
{
	return read_mails(state,
		"SELECT record, changed_ns FROM mails WHERE run_id = ? ORDER BY id", run_id, false,
		last_ns_r, why);
}

json_t *begun_settled(
	struct state *state, const char *run_id, int64_t *last_ns_r, struct failure *why)
{
	return read_mails(state,
		"SELECT record, changed_ns, run_id FROM mails WHERE settled_by = ? ORDER BY id",
		run_id, true, last_ns_r, why);
}
