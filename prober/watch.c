#include "watch.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "judge.h"
#include "record.h"
#include "rules.h"
#include "uuid.h"
#include "wording.h"

#include "ban.h"

#define KEEP 3 /* good results in a row that close an event, if the limit does not say */

typedef int emit_event(void *context, const json_t *event, struct failure *why);

struct watch {
	struct state *state;
	const struct journey *journey;
	const json_t *record;
	struct outbox_order order;
	emit_event *emit;
	void *context;
};

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

static struct memory memory_read(const json_t *json)
{
	struct memory memory = {
		.event = json_object_get(json, "event"),
		.level = (enum level)json_integer_value(json_object_get(json, "level")),
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

/* --- events ---------------------------------------------------------------------------- */

static const char *severity_of(const struct limit *limit, enum level level)
{
	if (limit->severity != NULL)
		return limit->severity;
	if (!limit->warn.is_set && !limit->crit.is_set)
		return "error";
	return level == LEVEL_CRIT ? "critical" : "warning";
}

/* Made of names and numbers only: nothing that a server said gets into it. */
static json_t *summary_of(const struct watch *watch, const struct limit *limit,
	const struct judgement *judgement, enum level level)
{
	const struct journey *journey = watch->journey;
	char condition[64];

	wording_condition(limit, level, condition, sizeof(condition));
	if (level != LEVEL_NONE && judgement_crossed(judgement) >= level)
		return json_sprintf("%s/%s: %s%s%s", journey->customer, journey->scenario,
			judgement->subject, condition, judgement->scope);
	if (level != LEVEL_NONE)
		return json_sprintf("%s/%s: %s%s, not yet well below the limit%s",
			journey->customer, journey->scenario, judgement->subject, judgement->scope,
			condition);
	return json_sprintf("%s/%s: resolved: %s%s%s%s", journey->customer, journey->scenario,
		judgement->subject, judgement->scope, condition[0] != '\0' ? ", limit" : "",
		condition);
}

/* What every revision of an incident has in common. */
static json_t *first_revision(const struct watch *watch, const char *rule)
{
	const struct journey *journey = watch->journey;
	const char *at = member(watch->record, "ended_at");
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

/* The next revision of an event, or (`before` NULL) the first of a new one. */
static json_t *next_revision(const struct watch *watch, const char *rule, const json_t *before,
	const char *state, const char *severity)
{
	json_t *event = before != NULL ? json_deep_copy(before) : first_revision(watch, rule);
	json_int_t revision = json_integer_value(json_object_get(event, "revision"));

	json_object_set_new(event, "revision", json_integer(revision + 1));
	json_object_set_new(event, "state", json_string(state));
	json_object_set_new(event, "severity", json_string(severity));
	json_object_set(event, "at", json_object_get(watch->record, "ended_at"));
	return event;
}

static json_t *event_of(const struct watch *watch, const struct limit *limit,
	const struct judgement *judgement, const struct memory *before, enum level level)
{
	const char *state = level == LEVEL_NONE ? "resolved"
		: before->level == LEVEL_NONE   ? "open"
						: "update";
	const char *severity = severity_of(limit, level != LEVEL_NONE ? level : before->level);
	json_t *event = next_revision(watch, limit->name, before->event, state, severity);

	json_object_set_new(event, "summary", summary_of(watch, limit, judgement, level));
	json_object_set(event, "values", judgement->values);
	json_object_set(event, "limit", (json_t *)(uintptr_t)limit->config);
	json_object_set_new(
		event, "vantages", json_pack("[O]", json_object_get(watch->record, "vantage")));
	json_object_set(event, "evidence", judgement->evidence);
	if (limit->runbook_url != NULL)
		json_object_set_new(event, "runbook_url", json_string(limit->runbook_url));
	return event;
}

/* --- hysteresis ------------------------------------------------------------------------ */

/* Where a rule stands after one more result. Up at once; down only after `keep` good results in
 * a row, and no further than they all allow. */
static struct memory step(
	const struct memory *before, const struct limit *limit, const struct judgement *judgement)
{
	struct memory after = *before;
	enum level crossed = judgement_crossed(judgement);
	enum level held = judgement_held(judgement, before->level);

	if (crossed > before->level) {
		after.level = crossed;
		held = crossed;
	}
	if (held >= after.level) {
		after.good = 0;
		after.held = LEVEL_NONE;
		return after;
	}
	after.good++;
	if (held > after.held)
		after.held = held;
	if (after.good < (limit->keep > 0 ? limit->keep : KEEP) || crossed >= after.level)
		return after;
	after.level = crossed > after.held ? crossed : after.held;
	after.good = 0;
	after.held = LEVEL_NONE;
	return after;
}

/* --- writing down ---------------------------------------------------------------------- */

static struct rule_key key_of(const struct watch *watch, const char *rule)
{
	struct rule_key key = {watch->journey->customer, watch->journey->scenario, rule};

	return key;
}

/* Event and memory are stored as one before the event is written: a crash between them writes it
 * once more, as the same revision. */
static int remember(const struct watch *watch, const char *rule, const json_t *memory,
	const json_t *event, struct failure *why)
{
	const struct rule_key key = key_of(watch, rule);

	if (rules_store(watch->state, &key, memory, event, &watch->order, why) < 0)
		return -1;
	if (event == NULL)
		return 0;
	if (watch->emit(watch->context, event, why) < 0)
		return -1;
	return rules_emitted(watch->state, &key, why);
}

/* Writes what an earlier run could not. */
static int catch_up(
	const struct watch *watch, const char *rule, const json_t *pending, struct failure *why)
{
	const struct rule_key key = key_of(watch, rule);

	if (pending == NULL)
		return 0;
	if (watch->emit(watch->context, pending, why) < 0)
		return -1;
	return rules_emitted(watch->state, &key, why);
}

/* --- one limit ------------------------------------------------------------------------- */

static bool is_edge(const struct limit *limit, const struct memory *before, enum level level)
{
	if (level == before->level)
		return false;
	return level == LEVEL_NONE || before->level == LEVEL_NONE ||
		strcmp(severity_of(limit, level), member(before->event, "severity")) != 0;
}

static int apply(const struct watch *watch, const struct limit *limit, const json_t *memory,
	const struct judgement *judgement, struct failure *why)
{
	const struct memory before = memory_read(memory);
	struct memory after = step(&before, limit, judgement);
	json_t *event = NULL, *json;
	int result;

	if (before.level == LEVEL_NONE && after.level == LEVEL_NONE)
		return 0;
	if (is_edge(limit, &before, after.level))
		event = event_of(watch, limit, judgement, &before, after.level);
	if (event != NULL)
		after.event = event;
	json = memory_json(&after, member(watch->record, "run_id"));
	result = remember(watch, limit->name, json, event, why);
	json_decref(json);
	json_decref(event);
	return result;
}

static int judge_and_apply(const struct watch *watch, const struct limit *limit,
	const json_t *memory, struct failure *why)
{
	struct judgement judgement;
	int result = 0;

	/* Judged already: a result never counts twice. */
	if (strcmp(member(memory, "run_id"), member(watch->record, "run_id")) == 0)
		return 0;
	if (judge_limit(watch->state, limit, watch->record, &judgement, why) < 0)
		result = -1;
	else if (judgement.counts)
		result = apply(watch, limit, memory, &judgement, why);
	judgement_free(&judgement);
	return result;
}

static int watch_limit(const struct watch *watch, const struct limit *limit, struct failure *why)
{
	const struct rule_key key = key_of(watch, limit->name);
	json_t *memory, *pending;
	int result;

	if (rules_load(watch->state, &key, &memory, &pending, why) < 0)
		return -1;
	result = catch_up(watch, limit->name, pending, why);
	if (result == 0)
		result = judge_and_apply(watch, limit, memory, why);
	json_decref(memory);
	json_decref(pending);
	return result;
}

/* --- limits that are gone -------------------------------------------------------------- */

static bool is_limit(const struct scenario *scenario, const char *rule)
{
	for (size_t i = 0; i < scenario->limit_count; i++)
		if (strcmp(scenario->limits[i].name, rule) == 0)
			return true;
	return false;
}

static int close_removed(
	const struct watch *watch, const char *rule, const json_t *memory, struct failure *why)
{
	const struct memory before = memory_read(memory);
	json_t *event, *empty;
	int result;

	if (before.event == NULL)
		return 0;
	event = next_revision(
		watch, rule, before.event, "resolved", member(before.event, "severity"));
	json_object_set_new(event, "summary",
		json_sprintf("%s/%s: resolved: the limit %s was taken out of the scenario",
			watch->journey->customer, watch->journey->scenario, rule));
	empty = json_object();
	result = remember(watch, rule, empty, event, why);
	json_decref(empty);
	json_decref(event);
	return result;
}

/* An event whose limit was taken out of the scenario would stay open for good. */
static int watch_removed(const struct watch *watch, const char *rule, struct failure *why)
{
	const struct rule_key key = key_of(watch, rule);
	json_t *memory, *pending;
	int result;

	if (rules_load(watch->state, &key, &memory, &pending, why) < 0)
		return -1;
	result = catch_up(watch, rule, pending, why);
	if (result == 0)
		result = close_removed(watch, rule, memory, why);
	json_decref(memory);
	json_decref(pending);
	return result;
}

static int watch_all_removed(
	const struct watch *watch, const struct scenario *scenario, struct failure *why)
{
	json_t *names =
		rules_names(watch->state, watch->journey->customer, watch->journey->scenario, why);
	json_t *name;
	size_t index;
	int result = names != NULL ? 0 : -1;

	json_array_foreach(names, index, name) if (!is_limit(scenario, json_string_value(name)) &&
		watch_removed(watch, json_string_value(name), why) < 0) result = -1;
	json_decref(names);
	return result;
}

/* --- sinks ----------------------------------------------------------------------------- */

/* Why nothing may be healed by what this run says; NULL: it may. */
static const char *doubt_of(const json_t *record)
{
	const json_t *step;
	size_t index;

	if (strcmp(member(record, "outcome"), "error") == 0)
		return "the run could not be judged";
	json_array_foreach(json_object_get(record, "steps"), index, step)
		if (strcmp(member(step, "blame"), "vantage") == 0 ||
			json_object_get(step, "timings_unfit") != NULL)
			return "the vantage was in doubt";
	return NULL;
}

static json_t *sink_names(const struct scenario *scenario)
{
	json_t *names = json_array();

	for (size_t i = 0; i < scenario->sink_count; i++)
		json_array_append_new(names, json_string(scenario->sinks[i].name));
	return names;
}

/* One limit's trouble does not keep the others from being judged. */
int watch_judge(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why)
{
	json_t *sinks = sink_names(scenario);
	const struct watch watch = {.state = state,
		.journey = &scenario->journey,
		.record = record,
		.order = {.sinks = sinks, .doubt = doubt_of(record), .now_ns = clock_wall()},
		.emit = emit,
		.context = context};
	int result = 0;

	for (size_t i = 0; i < scenario->limit_count; i++)
		if (watch_limit(&watch, &scenario->limits[i], why) < 0)
			result = -1;
	if (watch_all_removed(&watch, scenario, why) < 0)
		result = -1;
	json_decref(sinks);
	return result;
}
