#include "watch_rule.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "error_type.h"
#include "flapping.h"
#include "record.h"
#include "text.h"

#include "ban.h"

#define KEEP 3 /* good results in a row that close an event, if the rule does not say */

/* What a rule remembers, as JSON in state.db; empty while nothing is open, and nothing was lately:
 *   event     the newest record of the open event
 *   level     enum level that it has reached
 *   good      results in a row that help to close it
 *   held      the level that these do not get below
 *   states    the levels of the newest runs, a digit each
 *   flapping  true while they change too often
 *   run_id    the newest run that was judged */
struct memory {
	json_t *event;
	enum level level, held;
	int good;
	struct flapping states;
	bool flaps;
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
		.flaps = json_is_true(json_object_get(json, "flapping")),
	};

	text_copy(memory.states.states, sizeof(memory.states.states), member(json, "states"));
	return memory;
}

/* Nothing is open, and nothing has changed for as long as changes count. */
static bool is_idle(const struct memory *memory)
{
	return memory->event == NULL && memory->level == LEVEL_NONE &&
		strspn(memory->states.states, "0") == strlen(memory->states.states);
}

static json_t *memory_json(const struct memory *memory, const char *run_id)
{
	json_t *json = json_object();

	if (is_idle(memory))
		return json;
	if (memory->event != NULL)
		json_object_set(json, "event", memory->event);
	json_object_set_new(json, "level", json_integer(memory->level));
	json_object_set_new(json, "held", json_integer(memory->held));
	json_object_set_new(json, "good", json_integer(memory->good));
	json_object_set_new(json, "states", json_string(memory->states.states));
	if (memory->flaps)
		json_object_set_new(json, "flapping", json_true());
	json_object_set_new(json, "run_id", json_string(run_id));
	return json;
}

/* --- hysteresis ------------------------------------------------------------------------ */

static struct memory go_on(const struct memory *before, const struct rule_look *look)
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

/* One more run, and whether that was one change too many. */
static struct memory step(const struct memory *before, const struct rule_look *look)
{
	struct memory after = go_on(before, look);

	/* Limits that flap are told as one already; what combines them only follows. */
	if (look->because != NULL)
		return after;
	if (after.states.states[0] == '\0')
		flapping_add(&after.states, (char)('0' + before->level));
	flapping_add(&after.states, (char)('0' + after.level));
	after.flaps = flapping_goes_on(&after.states, before->flaps);
	return after;
}

/* --- its event ------------------------------------------------------------------------- */

static int gravity(const char *severity)
{
	return name_index(severities, severity);
}

/* The level that an event speaks of: of one that is over or flaps, the one that it was about. */
static enum level level_told(const struct memory *before, const struct memory *after)
{
	return after->level > before->level || (after->level != LEVEL_NONE && !after->flaps)
		? after->level
		: before->level;
}

/* The state of the event that this run gives rise to; NULL: none. */
static const char *state_of(
	const struct rule_look *look, const struct memory *before, const struct memory *after)
{
	const char *severity = member(before->event, "severity");

	if (before->event == NULL)
		return after->level != LEVEL_NONE ? "open" : NULL;
	if (after->flaps != before->flaps)
		return after->flaps || after->level != LEVEL_NONE ? "update" : "resolved";
	/* The severity of a rule may change by the hour. */
	if (after->level == before->level &&
		(after->flaps || after->level == LEVEL_NONE ||
			strcmp(look->severity[after->level], severity) == 0))
		return NULL;
	if (after->flaps)
		return after->level != LEVEL_NONE &&
				gravity(look->severity[after->level]) < gravity(severity)
			? "update"
			: NULL;
	if (after->level == LEVEL_NONE)
		return "resolved";
	return strcmp(look->severity[after->level], severity) != 0 ? "update" : NULL;
}

/* What is only lent goes into an event without being copied. */
static void set_lent(json_t *event, const char *key, const json_t *value)
{
	json_object_set(event, key, (json_t *)(uintptr_t)value);
}

/* That it flaps is said in the record and to people. */
static void put_flapping(json_t *event, const struct memory *after)
{
	long percent = lround(100 * flapping_share(&after->states));

	json_object_del(event, "flapping");
	if (!after->flaps)
		return;
	json_object_set_new(event, "flapping", json_true());
	json_object_set_new(event, "summary",
		json_sprintf("%s; flapping, %ld%% of the newest results changed it",
			member(event, "summary"), percent));
}

static json_t *event_of(const struct watcher *watcher, const struct rule_look *look,
	const struct memory *before, const struct memory *after, const char *state)
{
	enum level told = level_told(before, after);
	const char *severity =
		told != LEVEL_NONE ? look->severity[told] : member(before->event, "severity");
	json_t *event = event_revision(watcher, look->name, before->event, state, severity);

	json_object_set_new(event, "summary",
		look->summarise(look->context, strcmp(state, "resolved") == 0 ? LEVEL_NONE : told));
	set_lent(event, "values", look->values);
	set_lent(event, "limit", look->config);
	json_object_set_new(
		event, "vantages", json_pack("[O]", json_object_get(watcher->record, "vantage")));
	set_lent(event, "evidence", look->evidence);
	if (look->because != NULL)
		set_lent(event, "because", look->because);
	if (look->runbook_url != NULL)
		json_object_set_new(event, "runbook_url", json_string(look->runbook_url));
	put_flapping(event, after);
	return event;
}

static int store(const struct watcher *watcher, const struct rule_look *look,
	const struct memory *before, struct memory *after, struct failure *why)
{
	const char *state = state_of(look, before, after);
	json_t *event = NULL, *json;
	int result;

	if (state != NULL)
		event = event_of(watcher, look, before, after, state);
	if (event != NULL)
		after->event = strcmp(state, "resolved") != 0 ? event : NULL;
	json = memory_json(after, member(watcher->record, "run_id"));
	result = event_remember(watcher, look->name, json, event, why);
	json_decref(json);
	json_decref(event);
	return result;
}

int rule_apply(const struct watcher *watcher, const struct rule_look *look, const json_t *memory,
	enum level *level_r, struct failure *why)
{
	const struct memory before = memory_read(memory);
	struct memory after;

	*level_r = before.level;
	/* Judged already: a result never counts twice. */
	if (strcmp(member(memory, "run_id"), member(watcher->record, "run_id")) == 0)
		return 0;
	after = step(&before, look);
	*level_r = after.level;
	return is_idle(&before) && is_idle(&after) ? 0 : store(watcher, look, &before, &after, why);
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
	struct watcher told = *watcher;
	json_t *memory, *listeners = NULL;
	const json_t *event;
	int result = 0;

	if (event_recall(watcher, rule, &memory, why) < 0)
		return -1;
	event = json_object_get(memory, "event");
	/* Sinks that never heard of it are not told of its end. */
	if (json_is_true(json_object_get(json_object_get(event, "limit"), "quiet"))) {
		listeners = event_listeners(watcher, event, why);
		told.order.sinks = listeners;
		result = listeners != NULL ? 0 : -1;
	}
	if (event != NULL && result == 0)
		result = close_event(&told, rule, event, reason, why);
	json_decref(listeners);
	json_decref(memory);
	return result;
}
