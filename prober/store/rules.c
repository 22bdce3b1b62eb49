#include "rules.h"

#include <stdlib.h>

#include "state_private.h"
#include "statement.h"

#include "ban.h"

static void bind_key(struct statement *query, const struct rule_key *key)
{
	statement_bind_text(query, key->customer);
	statement_bind_text(query, key->scenario);
	statement_bind_text(query, key->rule);
}

int rules_load(struct state *state, const struct rule_key *key, json_t **memory_r,
	json_t **pending_r, struct failure *why)
{
	struct statement query;
	json_t *memory = NULL, *pending = NULL;

	statement_begin(&query, state,
		"SELECT memory, pending FROM rules"
		" WHERE customer = ? AND scenario = ? AND rule = ?");
	bind_key(&query, key);
	if (statement_row(&query)) {
		memory = json_loads(statement_text(&query, 0), 0, NULL);
		pending = json_loads(statement_text(&query, 1), 0, NULL);
	}
	if (statement_end(&query, why) < 0) {
		json_decref(memory);
		json_decref(pending);
		return -1;
	}
	*memory_r = memory;
	*pending_r = pending;
	return 0;
}

static char *format(const json_t *object)
{
	return object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
}

static int store_memory(struct state *state, const struct rule_key *key, const json_t *memory,
	const json_t *pending, struct failure *why)
{
	struct statement query;
	char *memory_text = format(memory), *pending_text = format(pending);
	int result;

	statement_begin(&query, state,
		"INSERT INTO rules (customer, scenario, rule, memory, pending)"
		" VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
		" SET memory = excluded.memory, pending = excluded.pending");
	bind_key(&query, key);
	statement_bind_text(&query, memory_text);
	statement_bind_text(&query, pending_text);
	result = statement_run(&query, why);
	free(memory_text);
	free(pending_text);
	return result;
}

int rules_store(struct state *state, const struct rule_key *key, const json_t *memory,
	const json_t *pending, const struct outbox_order *order, struct failure *why)
{
	int result;

	if (pending == NULL || order == NULL || json_array_size(order->sinks) == 0)
		return store_memory(state, key, memory, pending, why);
	if (state_begin(state, why) == -1)
		return -1;
	result = store_memory(state, key, memory, pending, why);
	if (result == 0)
		result = outbox_add(state, order, pending, why);
	return state_finish(state, result, why);
}

int rules_emitted(struct state *state, const struct rule_key *key, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"UPDATE rules SET pending = NULL"
		" WHERE customer = ? AND scenario = ? AND rule = ?");
	bind_key(&query, key);
	return statement_run(&query, why);
}

json_t *rules_names(
	struct state *state, const char *customer, const char *scenario, struct failure *why)
{
	struct statement query;
	json_t *names = json_array();

	statement_begin(&query, state,
		"SELECT rule FROM rules WHERE customer = ? AND scenario = ? ORDER BY rule");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	while (statement_row(&query))
		json_array_append_new(names, json_string(statement_text(&query, 0)));
	if (statement_end(&query, why) == 0)
		return names;
	json_decref(names);
	return NULL;
}

int rules_each_open(struct state *state,
	void (*each)(void *context, const struct rule_key *key, const json_t *event), void *context,
	struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"SELECT customer, scenario, rule, memory FROM rules WHERE memory != '{}'"
		" ORDER BY customer, scenario, rule");
	while (statement_row(&query)) {
		const struct rule_key key = {statement_text(&query, 0), statement_text(&query, 1),
			statement_text(&query, 2)};
		json_t *memory = json_loads(statement_text(&query, 3), 0, NULL);
		const json_t *event = json_object_get(memory, "event");

		if (event != NULL)
			each(context, &key, event);
		json_decref(memory);
	}
	return statement_end(&query, why);
}
