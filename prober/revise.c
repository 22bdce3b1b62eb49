#include "revise.h"

#include <string.h>

#include "clock.h"
#include "lines.h"
#include "rules.h"
#include "sink.h"

#include "ban.h"

json_t *revise_next(const json_t *before, int64_t now_ns)
{
	json_t *event = json_deep_copy(before);
	json_int_t revision = json_integer_value(json_object_get(event, "revision"));
	bool resolved = event_is(event, "resolved");
	char at[CLOCK_TIMESTAMP_SIZE];

	json_object_del(event, "line_crc32");
	if (resolved && json_object_get(event, "resolved_at") == NULL)
		json_object_set(event, "resolved_at", json_object_get(event, "at"));
	clock_format(now_ns, at);
	json_object_set_new(event, "revision", json_integer(revision + 1));
	json_object_set_new(event, "at", json_string(at));
	if (!resolved)
		json_object_set_new(event, "state",
			json_string(
				json_object_get(event, "acknowledged") != NULL ? "ack" : "update"));
	return event;
}

/* What a run could not write goes first. */
static int write_pending(const char *results_dir, struct state *state, const struct rule_key *key,
	json_t **memory_r, struct failure *why)
{
	json_t *pending;
	int result = 0;

	if (rules_load(state, key, memory_r, &pending, why) < 0)
		return -1;
	if (pending != NULL &&
		(lines_append_event(results_dir, pending, why) < 0 ||
			rules_emitted(state, key, why) < 0))
		result = -1;
	json_decref(pending);
	return result;
}

static const char *rule_of(const struct incident *incident, const json_t *event)
{
	return incident->open != NULL ? incident->rule : event_rule(event);
}

int revise_store(const char *results_dir, struct state *state, const struct incident *incident,
	const json_t *event, const struct outbox_order *order, bool *stored_r, struct failure *why)
{
	const struct rule_key key = {event_string(event, "customer"),
		event_string(event, "scenario"), rule_of(incident, event)};
	json_t *memory = NULL;
	int result = write_pending(results_dir, state, &key, &memory, why);

	if (memory == NULL)
		memory = json_object();
	if (!event_is(event, "resolved"))
		json_object_set(memory, "event", (json_t *)(uintptr_t)event);
	if (result == 0)
		result = rules_store(state, &key, memory, event, order, why);
	json_decref(memory);
	*stored_r = result == 0;
	if (result < 0)
		return -1;
	if (lines_append_event(results_dir, event, why) < 0)
		return -1;
	return rules_emitted(state, &key, why);
}
