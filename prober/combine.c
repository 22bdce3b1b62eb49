#include "combine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "history.h"
#include "judge.h"
#include "pace.h"
#include "record.h"
#include "rules.h"
#include "series.h"
#include "text.h"
#include "watch_rule.h"

#include "ban.h"

/* Unknown: it rests on what nobody looks at any more, and leaves the rule where it is. */
enum truth { IS_FALSE, IS_UNKNOWN, IS_TRUE };

struct look {
	const struct watcher *watcher;
	const struct scenario *scenario;
	const json_t *rule;
	int64_t now_ns;
	struct failure *why;
	bool failed;
	json_t *because; /* what proves that it holds */
	const char *severity;
	enum truth truth;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- one limit --------------------------------------------------------------------------- */

struct newest {
	const struct look *look;
	const char *scenario;
	bool fresh, failed;
};

static void look_from(void *context, const char *vantage)
{
	struct newest *newest = context;
	const struct watcher *watcher = newest->look->watcher;
	struct run_mark *runs = NULL;
	size_t count = 0;

	if (history_runs(watcher->state, watcher->journey->customer, newest->scenario, vantage, 0,
		    PACE_RUNS, &runs, &count, newest->look->why) < 0)
		newest->failed = true;
	else if (count > 0 && newest->look->now_ns - runs[count - 1].at_ns <= pace_allowed(runs, count))
		newest->fresh = true;
	free(runs);
}

static bool is_fresh(struct look *look, const char *scenario)
{
	struct newest newest = {.look = look, .scenario = scenario};

	if (series_vantages(look->watcher->state, look->watcher->journey->customer, scenario,
		    look_from, &newest, look->why) < 0 ||
		newest.failed)
		look->failed = true;
	return newest.fresh;
}

static bool is_at(enum level level, const char *wanted)
{
	return strcmp(wanted, "crit") == 0 ? level == LEVEL_CRIT : level != LEVEL_NONE;
}

static enum level level_of_severity(const char *severity)
{
	return name_index(severities, severity) <= name_index(severities, "error") ? LEVEL_CRIT
										     : LEVEL_WARN;
}

/* While it flaps, an event stays open although its limit goes to and fro. */
static enum level level_of_event(const json_t *memory, const json_t *event)
{
	enum level level = rule_level(memory);

	return level != LEVEL_NONE ? level : level_of_severity(member(event, "severity"));
}

static void add_proof(json_t *proof, const char *scenario, const json_t *event)
{
	json_t *one = json_pack("{s:s}", "scenario", scenario);

	for (size_t i = 0; i < 5; i++) {
		const char *const keys[] = {"dedup_key", "event_id", "severity", "since", "summary"};

		json_object_set(one, keys[i], json_object_get(event, keys[i]));
	}
	json_array_append_new(proof, one);
}

/* NAME or SCENARIO/NAME */
static enum truth ask_limit(struct look *look, const char *name, const char *level, json_t *proof)
{
	const struct journey *journey = look->watcher->journey;
	const char *slash = strchr(name, '/');
	char scenario[80];
	struct rule_key key = {journey->customer, scenario, slash != NULL ? slash + 1 : name};
	json_t *memory = NULL, *pending = NULL;
	const json_t *event;
	enum truth truth = IS_FALSE;

	snprintf(scenario, sizeof(scenario), "%.*s",
		slash != NULL ? (int)(slash - name) : 64, slash != NULL ? name : journey->scenario);
	if (rules_load(look->watcher->state, &key, &memory, &pending, look->why) < 0) {
		look->failed = true;
		return IS_UNKNOWN;
	}
	event = json_object_get(memory, "event");
	/* Rules of other scenarios could rest on this one. */
	if (slash != NULL &&
		(json_object_get(event, "because") != NULL || !is_fresh(look, scenario)))
		truth = IS_UNKNOWN;
	else if (event != NULL && is_at(level_of_event(memory, event), level))
		truth = IS_TRUE;
	if (truth == IS_TRUE)
		add_proof(proof, scenario, event);
	json_decref(memory);
	json_decref(pending);
	return truth;
}

/* --- conditions -------------------------------------------------------------------------- */

static enum truth ask(struct look *look, const json_t *condition, json_t *proof);

/* So many of the members hold, could hold, and there are. */
static enum truth ask_members(
	struct look *look, const json_t *members, json_int_t needed, json_t *proof)
{
	json_t *own = json_array(), *one;
	json_int_t counts[IS_TRUE + 1] = {0};
	enum truth truth;
	size_t index;

	json_array_foreach(members, index, one) counts[ask(look, one, own)]++;
	truth = counts[IS_TRUE] >= needed                         ? IS_TRUE
		: counts[IS_TRUE] + counts[IS_UNKNOWN] >= needed ? IS_UNKNOWN
								  : IS_FALSE;
	if (truth == IS_TRUE)
		json_array_extend(proof, own);
	json_decref(own);
	return truth;
}

static enum truth ask_not(struct look *look, const json_t *condition)
{
	json_t *ignored = json_array();
	enum truth truth = ask(look, condition, ignored);

	json_decref(ignored);
	return (enum truth)(IS_TRUE - truth);
}

static enum truth ask(struct look *look, const json_t *condition, json_t *proof)
{
	const json_t *all = json_object_get(condition, "all"), *any = json_object_get(condition, "any");
	const json_t *not = json_object_get(condition, "not");
	const json_t *at_least = json_object_get(condition, "at_least");
	const json_t *level = json_object_get(condition, "level");

	if (json_is_string(condition))
		return ask_limit(look, json_string_value(condition), "any", proof);
	if (all != NULL)
		return ask_members(look, all, (json_int_t)json_array_size(all), proof);
	if (any != NULL)
		return ask_members(look, any, 1, proof);
	if (not != NULL)
		return ask_not(look, not );
	if (at_least != NULL)
		return ask_members(look, json_object_get(at_least, "of"),
			json_integer_value(json_object_get(at_least, "n")), proof);
	return ask_limit(look, member(condition, "limit"),
		level != NULL ? json_string_value(level) : "any", proof);
}

/* --- severity ----------------------------------------------------------------------------- */

/* The graver one; severities[] begins with the gravest. */
static const char *graver(const char *a, const char *b)
{
	return name_index(severities, a) <= name_index(severities, b) ? a : b;
}

static json_int_t count_scenarios(const json_t *because)
{
	json_t *seen = json_object(), *one;
	json_int_t count;
	size_t index;

	json_array_foreach(because, index, one)
		json_object_set_new(seen, member(one, "scenario"), json_true());
	count = (json_int_t)json_object_size(seen);
	json_decref(seen);
	return count;
}

static const char *base_severity(const struct look *look)
{
	const char *tier = look->scenario->plan.tier, *severity = member(look->rule, "severity");
	const json_t *by_tier =
		tier != NULL ? json_object_get(json_object_get(look->rule, "tiers"), tier) : NULL;
	json_t *one;
	size_t index;

	if (by_tier != NULL)
		return json_string_value(by_tier);
	if (severity[0] != '\0')
		return severity;
	severity = json_array_size(look->because) > 0 ? "info" : "error";
	json_array_foreach(look->because, index, one)
		severity = graver(severity, member(one, "severity"));
	return severity;
}

static bool holds(struct look *look, const json_t *when)
{
	const json_t *scenarios = json_object_get(when, "scenarios");
	json_t *ignored;
	enum truth truth;

	if (scenarios != NULL)
		return count_scenarios(look->because) >= json_integer_value(scenarios);
	ignored = json_array();
	truth = ask(look, when, ignored);
	json_decref(ignored);
	return truth == IS_TRUE;
}

static bool is_business(const struct look *look, const json_t *business)
{
	const struct calendar *calendar =
		plan_calendar(&look->scenario->plan, member(business, "calendar"));

	return calendar == NULL || calendar_is_open(calendar, look->now_ns);
}

/* What is over was as grave as it was told to be. */
static void find_severity(struct look *look, const json_t *told)
{
	const json_t *business = json_object_get(look->rule, "business");
	json_t *when;
	size_t index;

	if (look->truth != IS_TRUE && told != NULL) {
		look->severity = member(told, "severity");
		return;
	}
	look->severity = base_severity(look);
	json_array_foreach(json_object_get(look->rule, "when"), index, when) if (holds(look, when))
		look->severity = graver(look->severity, member(when, "severity"));
	/* The one that is not the graver. */
	if (business != NULL && !is_business(look, business))
		look->severity = graver(look->severity, member(business, "outside")) == look->severity
			? member(business, "outside")
			: look->severity;
}

/* --- its event ----------------------------------------------------------------------------- */

static enum level level_of(const struct look *look)
{
	return look->truth == IS_TRUE ? level_of_severity(look->severity) : LEVEL_NONE;
}

/* The limits have their hysteresis. */
static enum level held(const void *context, enum level current)
{
	(void)current;
	return level_of(context);
}

static json_t *summarise(const void *context, enum level level)
{
	const struct look *look = context;
	const struct journey *journey = look->watcher->journey;
	const char *name = member(look->rule, "name");
	struct text names;
	json_t *summary, *one;
	size_t index;

	if (level == LEVEL_NONE)
		return json_sprintf("%s/%s: resolved: %s holds no more", journey->customer,
			journey->scenario, name);
	text_init(&names, 512);
	json_array_foreach(look->because, index, one) text_printf(&names, "%s%s",
		index > 0 ? ", " : " by ", member(one, "dedup_key") + strlen(journey->customer) + 1);
	summary = json_sprintf("%s/%s: %s holds%s%s", journey->customer, journey->scenario, name,
		names.bytes != NULL ? names.bytes : "", names.overflowed ? " ..." : "");
	text_free(&names);
	return summary;
}

static json_t *values_of(const struct look *look)
{
	const json_t *business = json_object_get(look->rule, "business");
	json_t *values = json_pack("{s:I, s:I}", "limits",
		(json_int_t)json_array_size(look->because), "scenarios",
		count_scenarios(look->because));

	if (look->scenario->plan.tier != NULL)
		json_object_set_new(values, "tier", json_string(look->scenario->plan.tier));
	if (business != NULL)
		json_object_set_new(values, "business", json_boolean(is_business(look, business)));
	return values;
}

static int apply(struct look *look, const json_t *memory)
{
	const json_t *record = look->watcher->record;
	json_t *values = values_of(look);
	json_t *evidence = json_pack("[{s:s, s:s, s:s}]", "run_id", member(record, "run_id"),
		"started_at", member(record, "started_at"), "outcome", member(record, "outcome"));
	const struct rule_look rule = {
		.name = member(look->rule, "name"),
		.crossed = level_of(look),
		.held = held,
		.keep = 1,
		.severity = {[LEVEL_WARN] = look->severity, [LEVEL_CRIT] = look->severity},
		.summarise = summarise,
		.context = look,
		.values = values,
		.config = look->rule,
		.evidence = evidence,
		.because = look->because,
		.runbook_url = json_string_value(json_object_get(look->rule, "runbook_url")),
	};
	enum level level;
	int result = rule_apply(look->watcher, &rule, memory, &level, look->why);

	json_decref(values);
	json_decref(evidence);
	return result;
}

/* --- the whole ------------------------------------------------------------------------------ */

/* What cannot be asked now leaves the rule where it is. */
static int combine_rule(struct look *look)
{
	json_t *memory = NULL;
	int result;

	if (event_recall(look->watcher, member(look->rule, "name"), &memory, look->why) < 0)
		return -1;
	result = 0;
	if (judge_counts(look->watcher->record)) {
		look->because = json_array();
		look->truth = ask(look, look->rule, look->because);
		find_severity(look, json_object_get(memory, "event"));
		if (look->failed)
			result = -1;
		else if (look->truth != IS_UNKNOWN)
			result = apply(look, memory);
		json_decref(look->because);
	}
	json_decref(memory);
	return result;
}

int combine_rules(
	const struct watcher *watcher, const struct scenario *scenario, struct failure *why)
{
	int64_t now_ns = 0;
	json_t *rule;
	size_t index;
	int result = 0;

	clock_parse(member(watcher->record, "ended_at"), &now_ns);
	json_array_foreach(scenario->plan.rules, index, rule)
	{
		struct look look = {.watcher = watcher,
			.scenario = scenario,
			.rule = rule,
			.now_ns = now_ns,
			.why = why};

		if (combine_rule(&look) < 0)
			result = -1;
	}
	return result;
}

bool combine_has(const struct scenario *scenario, const char *name)
{
	json_t *rule;
	size_t index;

	json_array_foreach(scenario->plan.rules, index, rule)
		if (strcmp(member(rule, "name"), name) == 0)
			return true;
	return false;
}
