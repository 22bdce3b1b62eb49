#include "watch_rule.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ban.h"

#define KEEP 3 /* good results in a row that close an event, if the rule does not say */

/* What a rule remembers, as JSON in state.db; empty while nothing is open:
 *   event   the newest record of the open event
 *   level   enum level that it has reached
 *   good    results in a row that help to close it
 *   held    the level that these do not get below
 *   run_id  the newest run that was judged */
struct memory {
	json_t *event;
	enum level level, held;
	int good;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

enum level rule_level(const json_t *memory)
{
	return (enum level)json_integer_value(json_object_get(memory, "level"));
}

static struct memory memory_read(const json_t *json)
{
	struct memory memory = {
		.event = json_object_get(json, "event"),
		.level = rule_level(json),
		.held = (enum level)json_integer_value(json_object_get(json, "held")),
		.good = (int)json_integer_value(json_object_get(json, "good")),
	};

	return memory;
}

static json_t *memory_json(const struct memory *memory, const char *run_id)
{
	if (memory->level == LEVEL_NONE)
		return json_object();
	return json_pack("{s:O, s:i, s:i, s:i, s:s}", "event", memory->event, "level",
		(int)memory->level, "held", (int)memory->held, "good", memory->good, "run_id",
		run_id);
}

/* --- hysteresis ------------------------------------------------------------------------ */

static struct memory step(const struct memory *before, const struct rule_look *look)
{
	struct memory after = *before;
	enum level held = look->held(look->context, before->level);

	if (look->crossed > before->level) {
		after.level = look->crossed;
		held = look->crossed;
	}
	if (held >= after.level) {
		after.good = 0;
		after.held = LEVEL_NONE;
		return after;
	}
	after.good++;
	if (held > after.held)
		after.held = held;
	if (after.good < (look->keep > 0 ? look->keep : KEEP) || look->crossed >= after.level)
		return after;
	after.level = look->crossed > after.held ? look->crossed : after.held;
	after.good = 0;
	after.held = LEVEL_NONE;
	return after;
}

/* --- its event ------------------------------------------------------------------------- */

static bool is_edge(const struct rule_look *look, const struct memory *before, enum level level)
{
	if (level == before->level)
		return false;
	return level == LEVEL_NONE || before->level == LEVEL_NONE ||
		strcmp(look->severity[level], member(before->event, "severity")) != 0;
}

/* What is only lent goes into an event without being copied. */
static void set_lent(json_t *event, const char *key, const json_t *value)
{
	json_object_set(event, key, (json_t *)(uintptr_t)value);
}

static json_t *event_of(const struct watcher *watcher, const struct rule_look *look,
	const struct memory *before, enum level level)
{
	const char *state = level == LEVEL_NONE ? "resolved"
		: before->level == LEVEL_NONE   ? "open"
						: "update";
	const char *severity = look->severity[level != LEVEL_NONE ? level : before->level];
	json_t *event = event_revision(watcher, look->name, before->event, state, severity);

	json_object_set_new(event, "summary", look->summarise(look->context, level));
	set_lent(event, "values", look->values);
	set_lent(event, "limit", look->config);
	json_object_set_new(
		event, "vantages", json_pack("[O]", json_object_get(watcher->record, "vantage")));
	set_lent(event, "evidence", look->evidence);
	if (look->runbook_url != NULL)
		json_object_set_new(event, "runbook_url", json_string(look->runbook_url));
	return event;
}

int rule_apply(const struct watcher *watcher, const struct rule_look *look, const json_t *memory,
	enum level *level_r, struct failure *why)
{
	const char *run_id = member(watcher->record, "run_id");
	const struct memory before = memory_read(memory);
	struct memory after;
	json_t *event = NULL, *json;
	int result;

	*level_r = before.level;
	/* Judged already: a result never counts twice. */
	if (strcmp(member(memory, "run_id"), run_id) == 0)
		return 0;
	after = step(&before, look);
	*level_r = after.level;
	if (before.level == LEVEL_NONE && after.level == LEVEL_NONE)
		return 0;
	if (is_edge(look, &before, after.level))
		event = event_of(watcher, look, &before, after.level);
	if (event != NULL)
		after.event = event;
	json = memory_json(&after, run_id);
	result = event_remember(watcher, look->name, json, event, why);
	json_decref(json);
	json_decref(event);
	return result;
}

/* --- rules that are gone --------------------------------------------------------------- */

static int close_event(const struct watcher *watcher, const char *rule, const json_t *before,
	const char *reason, struct failure *why)
{
	json_t *event =
		event_revision(watcher, rule, before, "resolved", member(before, "severity"));
	json_t *empty = json_object();
	int result;

	json_object_set_new(event, "summary",
		json_sprintf("%s/%s: resolved: %s", watcher->journey->customer,
			watcher->journey->scenario, reason));
	result = event_remember(watcher, rule, empty, event, why);
	json_decref(empty);
	json_decref(event);
	return result;
}

int rule_close(
	const struct watcher *watcher, const char *rule, const char *reason, struct failure *why)
{
	json_t *memory;
	const json_t *event;
	int result = 0;

	if (event_recall(watcher, rule, &memory, why) < 0)
		return -1;
	event = json_object_get(memory, "event");
	if (event != NULL)
		result = close_event(watcher, rule, event, reason, why);
	json_decref(memory);
	return result;
}
