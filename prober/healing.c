#include "healing.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "incident.h"
#include "lock.h"
#include "outbox.h"
#include "revise.h"
#include "watch.h"

#include "ban.h"

/* --- whether it may be run ------------------------------------------------------------- */

static bool is_wanted(const struct sink *sink, const json_t *event)
{
	const json_t *states = json_object_get(sink->config, "on");
	const json_t *state;
	size_t index;

	json_array_foreach((json_t *)(uintptr_t)states, index,
		state) if (event_is(event, json_string_value(state))) return true;
	return false;
}

/* What the doubt about a run (watch.c) says of a program. */
static struct healing_objection objection_of(const char *doubt)
{
	if (strcmp(doubt, WATCH_DOUBT_VANTAGE) == 0)
		return (struct healing_objection){"not run: " WATCH_DOUBT_VANTAGE, "vantage"};
	if (strcmp(doubt, WATCH_DOUBT_MAINTENANCE) == 0)
		return (struct healing_objection){
			"not run: " WATCH_DOUBT_MAINTENANCE, "maintenance"};
	return (struct healing_objection){"not run: the run could not be judged", NULL};
}

static struct healing_objection limits_of(const struct healing *healing, int64_t now)
{
	const struct journey *journey = &healing->scenario->journey;
	const struct sink *sink = healing->sink;
	const struct outbox_queue queue = {journey->customer, journey->scenario, sink->name};
	int64_t count, newest;
	struct failure why = {0};

	/* Whether it may be run cannot be told: then not. */
	if (outbox_begun(healing->state, &queue, now - OUTBOX_DAY, &count, &newest, &why) == -1)
		return (struct healing_objection){"not run: the database could not be read", NULL};
	if (count > 0 && newest + sink_duration(sink, "cool_down") > now)
		return (struct healing_objection){
			"not run: within \"cool_down\" of the last time", "cooldown"};
	if (count >= json_integer_value(json_object_get(sink->config, "per_day")))
		return (struct healing_objection){"not run: \"per_day\" is used up", "cap"};
	return (struct healing_objection){NULL, NULL};
}

struct healing_objection healing_objection(const struct healing *healing)
{
	const char *doubt = event_string(healing->row, "doubt");
	int64_t now = clock_wall();

	if (!is_wanted(healing->sink, json_object_get(healing->row, "event")))
		return (struct healing_objection){"not run: \"on\" does not name this state", NULL};
	if (doubt[0] != '\0')
		return objection_of(doubt);
	/* It may have begun since the run. */
	if (plan_maintenance(&healing->scenario->plan, now, now) != NULL)
		return objection_of(WATCH_DOUBT_MAINTENANCE);
	return limits_of(healing, now);
}

/* --- what the event says of it --------------------------------------------------------- */

static json_t *given(const struct healing *healing)
{
	return json_object_get(json_object_get(healing->row, "event"), "revision");
}

static bool is_said(const struct healing *healing, const json_t *list)
{
	const json_t *one;
	size_t index;

	json_array_foreach((json_t *)(uintptr_t)list, index,
		one) if (strcmp(event_string(one, "sink"), healing->sink->name) == 0 &&
		json_equal(json_object_get(one, "revision"), given(healing))) return true;
	return false;
}

/* No command acts on what a command has done. */
static json_t *receivers(const struct healing *healing, const json_t *event, struct failure *why)
{
	json_t *names = outbox_sinks(healing->state, event, why);

	for (size_t i = json_array_size(names); i-- > 0;)
		for (size_t k = 0; k < healing->scenario->sink_count; k++) {
			const struct sink *sink = &healing->scenario->sinks[k];

			if (sink->type->compose == NULL &&
				strcmp(sink->name, json_string_value(json_array_get(names, i))) ==
					0) {
				json_array_remove(names, i);
				break;
			}
		}
	return names;
}

static int add(const struct healing *healing, const struct incident *incident, json_t *entry,
	struct failure *why)
{
	const json_t *before = incident_newest(incident);
	int64_t now = clock_wall();
	json_t *event = revise_next(before, now);
	json_t *list = json_object_get(event, "healing");
	json_t *sinks = receivers(healing, event, why);
	const struct outbox_order order = {.sinks = sinks, .now_ns = now};
	int result = -1;
	bool stored;

	if (list == NULL) {
		list = json_array();
		json_object_set_new(event, "healing", list);
	}
	if (json_array_size(list) >= HEALING_MAX)
		json_array_remove(list, 0);
	json_array_append(list, entry);
	if (sinks != NULL)
		result = revise_store(healing->results_dir, healing->state, incident, event, &order,
			&stored, why);
	json_decref(sinks);
	json_decref(event);
	return result;
}

/* Takes the entry. */
static int say(const struct healing *healing, json_t *entry, struct failure *why)
{
	const char *id = event_string(json_object_get(healing->row, "event"), "event_id");
	struct incident incident;
	char sentence[256];
	int result = -1, lock = lock_take_rules(healing->results_dir, why);

	if (lock >= 0) {
		result = incident_find(
			healing->results_dir, healing->state, id, &incident, sentence, why);
		if (result == 1)
			result = failure_set(why, ERROR_LOCAL_STORAGE, "%s", sentence);
		else if (result == 0 &&
			!is_said(healing, json_object_get(incident_newest(&incident), "healing")))
			result = add(healing, &incident, entry, why);
		incident_free(&incident);
	}
	lock_release(lock);
	json_decref(entry);
	return result;
}

static json_t *entry_of(const struct healing *healing, int64_t at_ns)
{
	char at[CLOCK_TIMESTAMP_SIZE];

	clock_format(at_ns, at);
	return json_pack("{s:s, s:O, s:s}", "sink", healing->sink->name, "revision", given(healing),
		"started", at);
}

static int64_t began(const struct healing *healing)
{
	return json_integer_value(json_object_get(healing->row, "begun_ns"));
}

int healing_ended(const struct healing *healing, const struct hook *hook, struct failure *why)
{
	json_t *entry = entry_of(healing, clock_wall() - hook->duration_ns);

	json_object_set_new(entry, "duration", json_real(clock_seconds(hook->duration_ns)));
	if (!hook->ended)
		json_object_set_new(
			entry, hook->overdue ? "timed_out" : "interrupted", json_true());
	else if (WIFEXITED(hook->status))
		json_object_set_new(entry, "exit", json_integer(WEXITSTATUS(hook->status)));
	else
		json_object_set_new(entry, "signal", json_integer(WTERMSIG(hook->status)));
	return say(healing, entry, why);
}

int healing_skipped(const struct healing *healing, const char *reason, struct failure *why)
{
	json_t *entry = entry_of(healing, clock_wall());

	json_object_set_new(entry, "skipped", json_string(reason));
	return say(healing, entry, why);
}

int healing_interrupted(const struct healing *healing, struct failure *why)
{
	json_t *entry = entry_of(healing, began(healing));

	json_object_set_new(entry, "interrupted", json_true());
	return say(healing, entry, why);
}
