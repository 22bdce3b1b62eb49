#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "history.h"
#include "pace.h"
#include "rules.h"
#include "series.h"

#include "ban.h"

struct look {
	struct state *state;
	const struct check_order *order;
	int64_t now_ns;
	struct check_answer *answer;
	struct failure *why;
	bool failed;
	size_t vantages;
	int gravity; /* of what is said */
};

/* Of several, the one that somebody has to act on. That nobody looks any more is not hidden by a
 * warning, whatever it is called. */
#define STALE_GRAVITY 3

static int gravity(enum check_status status)
{
	static const int ranks[] = {[CHECK_OK] = 0,
		[CHECK_UNKNOWN] = 1,
		[CHECK_WARNING] = 2,
		[CHECK_CRITICAL] = 4};

	return ranks[status];
}

static void say_at(struct look *look, int grave, enum check_status status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The first word on a status counts; a graver one replaces it. */
static void say_at(struct look *look, int grave, enum check_status status, const char *format, ...)
{
	struct check_answer *answer = look->answer;
	va_list args;

	if (answer->sentence[0] != '\0' && grave <= look->gravity)
		return;
	look->gravity = grave;
	answer->status = status;
	va_start(args, format);
	vsnprintf(answer->sentence, sizeof(answer->sentence), format, args);
	va_end(args);
}

#define say(look, status, ...) say_at(look, gravity(status), status, __VA_ARGS__)

/* --- events that are open -------------------------------------------------------------- */

static enum check_status status_of(const char *severity)
{
	if (severity == NULL || strcmp(severity, "warning") == 0)
		return CHECK_WARNING;
	return strcmp(severity, "info") == 0 ? CHECK_OK : CHECK_CRITICAL;
}

static int look_at_rule(struct look *look, const char *rule)
{
	const struct rule_key key = {look->order->customer, look->order->scenario, rule};
	json_t *memory, *pending;
	const json_t *event;

	if (rules_load(look->state, &key, &memory, &pending, look->why) < 0)
		return -1;
	event = json_object_get(memory, "event");
	/* A quiet limit speaks through the rules that name it. */
	if (event != NULL && !json_is_true(json_object_get(json_object_get(event, "limit"), "quiet")))
		say(look, status_of(json_string_value(json_object_get(event, "severity"))), "%s",
			json_string_value(json_object_get(event, "summary")));
	json_decref(memory);
	json_decref(pending);
	return 0;
}

static int look_at_rules(struct look *look)
{
	json_t *names = rules_names(
		look->state, look->order->customer, look->order->scenario, look->why);
	json_t *name;
	size_t index;
	int result = names != NULL ? 0 : -1;

	json_array_foreach(names, index, name)
		if (result == 0)
			result = look_at_rule(look, json_string_value(name));
	json_decref(names);
	return result;
}

/* --- runs ------------------------------------------------------------------------------ */

/* A run that was left out, as an earlier one went on, says nothing of the platform. */
static const struct run_mark *newest_of(const struct run_mark *runs, size_t count)
{
	for (size_t i = count; i > 0; i--)
		if (runs[i - 1].outcome != OUTCOME_SKIPPED)
			return &runs[i - 1];
	return NULL;
}

static void say_stale(struct look *look, const char *vantage, double age, int64_t allowed)
{
	enum check_status stale = look->order->stale;

	say_at(look, stale == CHECK_UNKNOWN ? STALE_GRAVITY : gravity(stale), stale,
		"from %s the newest run is %.0f s old, and %.0f s are allowed: is cron alive?", vantage,
		age, clock_seconds(allowed));
}

/* Whether what the newest run has measured is of now. */
static bool judge_runs(
	struct look *look, const char *vantage, const struct run_mark *runs, size_t count)
{
	const struct run_mark *newest = newest_of(runs, count);
	int64_t allowed = look->order->max_age_ns != 0 ? look->order->max_age_ns
						       : pace_allowed(runs, count);
	double age;

	if (newest == NULL) {
		say(look, CHECK_UNKNOWN, "from %s no run has looked yet", vantage);
		return false;
	}
	age = clock_seconds(look->now_ns - newest->at_ns);
	if (look->now_ns - newest->at_ns > allowed) {
		say_stale(look, vantage, age, allowed);
		return false;
	}
	if (age < -60) {
		say(look, CHECK_UNKNOWN,
			"from %s the newest run lies %.0f s in the future: a clock is wrong", vantage,
			-age);
		return false;
	}
	if (newest->maintenance)
		say(look, CHECK_OK, "in maintenance: from %s the newest run, %.0f s ago, says nothing",
			vantage, age);
	else if (newest->outcome == OUTCOME_ERROR)
		say(look, CHECK_UNKNOWN, "from %s the newest run, %.0f s ago, could not judge it",
			vantage, age);
	else if (newest->outcome == OUTCOME_FAIL)
		say(look, look->order->fail, "from %s the newest run, %.0f s ago, failed", vantage,
			age);
	else if (newest->outcome == OUTCOME_WARN)
		say(look, CHECK_WARNING,
			"from %s the newest run, %.0f s ago, did not find all as expected", vantage,
			age);
	else
		say(look, CHECK_OK, "from %s passed %.0f s ago", vantage, age);
	return true;
}

/* --- values ---------------------------------------------------------------------------- */

struct newest {
	const char *run_id;
	json_t *names; /* of a metric, by its id in decimal */
	json_t *values;
};

static bool is_shown(const char *name)
{
	size_t length = strlen(name), ending = strlen(".delivery_seconds");

	return strcmp(name, "duration_seconds") == 0 ||
		(length > ending && strcmp(name + length - ending, ".delivery_seconds") == 0);
}

static void take_name(void *context, uint32_t metric, const char *name)
{
	struct newest *newest = context;
	char key[16];

	if (!is_shown(name))
		return;
	snprintf(key, sizeof(key), "%u", metric);
	json_object_set_new(newest->names, key, json_string(name));
}

static void take_values(void *context, const struct history_row *row)
{
	struct newest *newest = context;

	if (strcmp(row->mark.run_id, newest->run_id) != 0)
		return;
	for (size_t i = 0; i < row->count; i++) {
		struct history_value value = history_value(row, i);
		char key[16];
		const char *name;

		snprintf(key, sizeof(key), "%u", value.metric);
		name = json_string_value(json_object_get(newest->names, key));
		/* A mail that has not come has no time of delivery yet. */
		if (name != NULL && !value.censored)
			json_object_set_new(newest->values, name, json_real(value.value));
	}
}

static int read_values(struct look *look, const char *vantage, const struct run_mark *run)
{
	const struct check_order *order = look->order;
	struct newest newest = {run->run_id, json_object(), look->answer->values};
	int result = history_names(look->state, order->customer, order->scenario, vantage, take_name,
		&newest, look->why);

	if (result == 0)
		result = history_sweep(look->state, order->customer, order->scenario, vantage,
			run->at_ns, take_values, &newest, look->why);
	json_decref(newest.names);
	return result;
}

/* --- the whole ------------------------------------------------------------------------- */

static void look_from(void *context, const char *vantage)
{
	struct look *look = context;
	const struct check_order *order = look->order;
	struct run_mark *runs = NULL;
	size_t count = 0;
	bool fresh = false;

	if (look->failed || (order->vantage != NULL && strcmp(order->vantage, vantage) != 0))
		return;
	look->vantages++;
	look->failed = history_runs(look->state, order->customer, order->scenario, vantage, 0, PACE_RUNS,
			       &runs, &count, look->why) == -1;
	if (!look->failed)
		fresh = judge_runs(look, vantage, runs, count);
	if (!look->failed && fresh && json_object_size(look->answer->values) == 0)
		look->failed = read_values(look, vantage, &runs[count - 1]) == -1;
	free(runs);
}

int check_state(struct state *state, const struct check_order *order, int64_t now_ns,
	struct check_answer *answer_r, struct failure *why)
{
	struct look look = {
		.state = state, .order = order, .now_ns = now_ns, .answer = answer_r, .why = why};

	*answer_r = (struct check_answer){.status = CHECK_UNKNOWN, .values = json_object()};
	if (look_at_rules(&look) == -1 ||
		series_vantages(state, order->customer, order->scenario, look_from, &look, why) ==
			-1 ||
		look.failed)
		return -1;
	if (look.vantages == 0)
		say(&look, CHECK_UNKNOWN, "no run is known%s%s",
			order->vantage != NULL ? " from " : "",
			order->vantage != NULL ? order->vantage : "");
	return 0;
}

void check_answer_free(struct check_answer *answer)
{
	json_decref(answer->values);
	answer->values = NULL;
}
