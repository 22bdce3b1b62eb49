#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "combine.h"
#include "error_type.h"
#include "judge.h"
#include "watch_event.h"
#include "watch_rule.h"
#include "watch_trend.h"
#include "wording.h"

#include "ban.h"

/* A limit, and what it says of the run. */
struct watched {
	const struct limit *limit;
	const struct journey *journey;
	struct judgement judgement;
	json_t *memory;
	enum level level; /* before the run, and from rule_apply on after it */
	bool failed;      /* its memory could not be read, or it could not be judged */
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- how a limit's event is put -------------------------------------------------------- */

static const char *severity_of(const struct limit *limit, enum level level)
{
	if (limit->severity != NULL)
		return limit->severity;
	if (!limit->warn.is_set && !limit->crit.is_set && limit->slo <= 0)
		return "error";
	return level == LEVEL_CRIT ? "critical" : "warning";
}

/* Made of names and numbers only: nothing that a server said gets into it. */
static json_t *summarise(const void *context, enum level level)
{
	const struct watched *watched = context;
	const struct journey *journey = watched->journey;
	const struct judgement *judgement = &watched->judgement;
	char condition[64];

	wording_condition(watched->limit, level, condition, sizeof(condition));
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

static enum level held(const void *context, enum level current)
{
	const struct watched *watched = context;

	return judgement_held(&watched->judgement, current);
}

/* --- what depends on what -------------------------------------------------------------- */

static bool depends_on(const struct watched *watched, const char *name)
{
	json_t *one;
	size_t index;

	json_array_foreach(watched->limit->depends_on, index,
		one) if (strcmp(json_string_value(one), name) == 0) return true;
	return false;
}

/* Whether a limit above it, which has been judged by then, is breached. */
static bool is_held_back(const struct watched *all, const struct watched *watched)
{
	for (const struct watched *above = all; above < watched; above++)
		if (above->level != LEVEL_NONE && depends_on(watched, above->limit->name))
			return true;
	return false;
}

/* --- one limit ------------------------------------------------------------------------- */

static int judge(const struct watcher *watcher, const struct judge_trend *trend,
	struct watched *watched, struct failure *why)
{
	if (event_recall(watcher, watched->limit->name, &watched->memory, why) < 0)
		return -1;
	watched->level = rule_level(watched->memory);
	return judge_limit(
		watcher->state, watched->limit, watcher->record, trend, &watched->judgement, why);
}

/* What would rise if it did not depend on this limit: said in its event. */
static void put_held_back(struct watched *all, size_t count, const struct watched *open)
{
	json_t *names = json_array();

	for (const struct watched *one = open + 1; one < all + count; one++)
		if (depends_on(one, open->limit->name) &&
			judgement_crossed(&one->judgement) > one->level)
			json_array_append_new(names, json_string(one->limit->name));
	if (json_array_size(names) > 0)
		json_object_set(open->judgement.values, "held_back", names);
	json_decref(names);
}

static int apply(const struct watcher *watcher, struct watched *watched, struct failure *why)
{
	const struct limit *limit = watched->limit;
	const struct rule_look look = {
		.name = limit->name,
		.crossed = judgement_crossed(&watched->judgement),
		.held = held,
		.keep = limit->keep,
		.severity = {[LEVEL_WARN] = severity_of(limit, LEVEL_WARN),
			[LEVEL_CRIT] = severity_of(limit, LEVEL_CRIT)},
		.summarise = summarise,
		.context = watched,
		.values = watched->judgement.values,
		.config = limit->config,
		.evidence = watched->judgement.evidence,
		.runbook_url = limit->runbook_url,
	};
	struct watcher told = *watcher;
	json_t *listeners = NULL;
	int result;

	/* If it was loud when its event began, who has heard of that hears how it goes on. */
	if (limit->quiet) {
		listeners = event_listeners(
			watcher, json_object_get(watched->memory, "event"), why);
		if (listeners == NULL)
			return -1;
		told.order.sinks = listeners;
	}
	result = rule_apply(&told, &look, watched->memory, &watched->level, why);
	json_decref(listeners);
	return result;
}

/* --- all limits ------------------------------------------------------------------------ */

static void judge_all(const struct watcher *watcher, const struct scenario *scenario,
	const struct judge_trend *trend, struct watched *watched, struct failure *why)
{
	for (size_t i = 0; i < scenario->limit_count; i++) {
		watched[i].limit = &scenario->limits[i];
		watched[i].journey = &scenario->journey;
		watched[i].failed = judge(watcher, trend, &watched[i], why) < 0;
	}
}

/* All are judged before any event is told. One limit's trouble does not keep the others from being
 * judged, nor does a trend's. */
static int watch_limits(const struct watcher *watcher, const struct scenario *scenario,
	struct watched *watched, struct failure *why)
{
	json_t *metrics;
	struct judge_trend trend;
	int result = watch_trend(watcher, scenario, &metrics, &trend.fresh, why);

	trend.metrics = metrics;
	judge_all(watcher, scenario, &trend, watched, why);
	for (size_t i = 0; i < scenario->limit_count; i++) {
		if (watched[i].failed)
			result = -1;
		if (watched[i].failed || !watched[i].judgement.counts ||
			is_held_back(watched, &watched[i]))
			continue;
		put_held_back(watched, scenario->limit_count, &watched[i]);
		if (apply(watcher, &watched[i], why) < 0)
			result = -1;
	}
	json_decref(metrics);
	return result;
}

static void free_watched(struct watched *watched, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		judgement_free(&watched[i].judgement);
		json_decref(watched[i].memory);
	}
	free(watched);
}

/* --- limits that are gone -------------------------------------------------------------- */

static bool is_rule(const struct scenario *scenario, const char *rule)
{
	for (size_t i = 0; i < scenario->limit_count; i++)
		if (strcmp(scenario->limits[i].name, rule) == 0)
			return true;
	return combine_has(scenario, rule) || strcmp(rule, WATCH_TREND_RULE) == 0;
}

/* An event whose limit was taken out of the scenario would stay open for good. */
static int watch_removed(const struct watcher *watcher, const char *rule, struct failure *why)
{
	char reason[128];

	snprintf(reason, sizeof(reason), "the limit %.64s was taken out of the scenario", rule);
	return rule_close(watcher, rule, reason, why);
}

static int watch_all_removed(
	const struct watcher *watcher, const struct scenario *scenario, struct failure *why)
{
	json_t *names = rules_names(
		watcher->state, watcher->journey->customer, watcher->journey->scenario, why);
	json_t *name;
	size_t index;
	int result = names != NULL ? 0 : -1;

	json_array_foreach(names, index, name) if (!is_rule(scenario, json_string_value(name)) &&
		watch_removed(watcher, json_string_value(name), why) < 0) result = -1;
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
	if (json_object_get(record, "maintenance") != NULL)
		return WATCH_DOUBT_MAINTENANCE;
	json_array_foreach(json_object_get(record, "steps"), index,
		step) if (strcmp(member(step, "blame"), "vantage") == 0 ||
		json_object_get(step, "timings_unfit") != NULL) return WATCH_DOUBT_VANTAGE;
	return NULL;
}

static json_t *sink_names(const struct scenario *scenario)
{
	json_t *names = json_array();

	for (size_t i = 0; i < scenario->sink_count; i++)
		json_array_append_new(names, json_string(scenario->sinks[i].name));
	return names;
}

int watch_judge(struct state *state, const struct scenario *scenario, const json_t *record,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct failure *why)
{
	struct watched *watched = calloc(scenario->limit_count + 1, sizeof(*watched));
	json_t *sinks = sink_names(scenario);
	const struct watcher watcher = {.state = state,
		.journey = &scenario->journey,
		.record = record,
		.order = {.sinks = sinks, .doubt = doubt_of(record), .now_ns = clock_wall()},
		.emit = emit,
		.context = context};
	int result = -1;

	if (watched == NULL)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else
		result = watch_limits(&watcher, scenario, watched, why);
	if (combine_rules(&watcher, scenario, why) < 0)
		result = -1;
	if (watch_all_removed(&watcher, scenario, why) < 0)
		result = -1;
	if (watched != NULL)
		free_watched(watched, scenario->limit_count);
	json_decref(sinks);
	return result;
}
