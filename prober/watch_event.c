#include "watch_event.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "record.h"
#include "uuid.h"

#include "ban.h"

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- making ---------------------------------------------------------------------------- */

/* What every revision of an incident has in common. */
static json_t *first_revision(const struct watcher *watcher, const char *rule)
{
	const struct journey *journey = watcher->journey;
	const char *at = member(watcher->record, "ended_at");
	char uuid[UUID_SIZE];
	int64_t at_ns = 0;

	clock_parse(at, &at_ns);
	uuid_v7(at_ns, uuid);
	return json_pack("{s:s, s:o, s:o, s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "schema",
		EVENT_SCHEMA, "event_id", json_sprintf("evt_%s", uuid), "dedup_key",
		json_sprintf("%s/%s/%s", journey->customer, journey->scenario, rule), "revision", 0,
		"state", "open", "severity", "error", "at", at, "since", at, "customer",
		journey->customer, "scenario", journey->scenario);
}

json_t *event_revision(const struct watcher *watcher, const char *rule, const json_t *before,
	const char *state, const char *severity)
{
	json_t *event = before != NULL ? json_deep_copy(before) : first_revision(watcher, rule);
	json_int_t revision = json_integer_value(json_object_get(event, "revision"));

	json_object_set_new(event, "revision", json_integer(revision + 1));
	json_object_set_new(event, "state", json_string(state));
	json_object_set_new(event, "severity", json_string(severity));
	json_object_set(event, "at", json_object_get(watcher->record, "ended_at"));
	return event;
}

/* --- storing --------------------------------------------------------------------------- */

static struct rule_key key_of(const struct watcher *watcher, const char *rule)
{
	struct rule_key key = {watcher->journey->customer, watcher->journey->scenario, rule};

	return key;
}

static int write_event(const struct watcher *watcher, const struct rule_key *key,
	const json_t *event, struct failure *why)
{
	if (event == NULL)
		return 0;
	if (watcher->emit(watcher->context, event, why) < 0)
		return -1;
	return rules_emitted(watcher->state, key, why);
}

int event_remember(const struct watcher *watcher, const char *rule, const json_t *memory,
	const json_t *event, struct failure *why)
{
	const struct rule_key key = key_of(watcher, rule);

	if (rules_store(watcher->state, &key, memory, event, &watcher->order, why) < 0)
		return -1;
	return write_event(watcher, &key, event, why);
}

int event_recall(
	const struct watcher *watcher, const char *rule, json_t **memory_r, struct failure *why)
{
	const struct rule_key key = key_of(watcher, rule);
	json_t *memory, *pending;
	int result;

	if (rules_load(watcher->state, &key, &memory, &pending, why) < 0)
		return -1;
	result = write_event(watcher, &key, pending, why);
	json_decref(pending);
	if (result < 0)
		json_decref(memory);
	else
		*memory_r = memory;
	return result;
}

/* --- who has heard of it --------------------------------------------------------------- */

static bool holds(const json_t *names, const char *name)
{
	json_t *one;
	size_t index;

	json_array_foreach((json_t *)(uintptr_t)names, index, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

json_t *event_listeners(const struct watcher *watcher, const json_t *event, struct failure *why)
{
	json_t *told = event != NULL ? outbox_sinks(watcher->state, event, why) : json_array();

	for (size_t i = json_array_size(told); i > 0; i--)
		if (!holds(watcher->order.sinks, json_string_value(json_array_get(told, i - 1))))
			json_array_remove(told, i - 1);
	return told;
}
