#include "explain.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "explain_words.h"
#include "history_long.h"
#include "judge.h"
#include "measure.h"
#include "points.h"
#include "rules.h"
#include "sink.h"

#include "ban.h"

#define DAY (86400 * NS_PER_SECOND)
/* How far back the judge looks for these. */
#define AGE_RUNS_MAX 1000
#define BURN_SPAN (3 * DAY)

struct explanation {
	const char *results_dir;
	struct state *state;
	const struct incident *incident;
	const json_t *event; /* the revision in question */
	struct limit limit;
	json_t *out;
};

/* --- which revision -------------------------------------------------------------------- */

static bool is_same_healing(const json_t *before, const json_t *event)
{
	const json_t *now = json_object_get(event, "healing");

	return now == NULL || json_equal(json_object_get(before, "healing"), now);
}

/* Whether a person or a command made it, not a run. */
static bool is_answer(const json_t *before, const json_t *event)
{
	return strcmp(event_string(event, "state"), "ack") == 0 ||
		json_array_size(json_object_get(event, "notes")) >
		json_array_size(json_object_get(before, "notes")) ||
		!is_same_healing(before, event);
}

static const json_t *find_revision(const struct incident *incident, json_int_t wanted)
{
	const json_t *found = NULL, *before = NULL, *event;
	size_t index;

	json_array_foreach(incident->revisions, index, event)
	{
		json_int_t revision = json_integer_value(json_object_get(event, "revision"));
		bool resolved = strcmp(event_string(event, "state"), "resolved") == 0;

		if (!is_answer(before, event) &&
			(wanted == 0 ? !resolved || found == NULL : revision <= wanted))
			found = event;
		if (revision == wanted)
			return found;
		before = event;
	}
	return wanted == 0 ? found : NULL;
}

/* --- then ------------------------------------------------------------------------------ */

static struct point_choice choice_of(const struct explanation *explanation)
{
	const json_t *event = explanation->event;
	struct point_choice choice = {.results_dir = explanation->results_dir,
		.customer = event_string(event, "customer"),
		.scenario = event_string(event, "scenario"),
		.vantage = event_vantage(event),
		.metric = measure_is_of_runs(&explanation->limit) ? "failed"
								  : explanation->limit.metric,
		.judged_only = measure_takes_judged(&explanation->limit)};

	return choice;
}

static json_t *time_json(int64_t at_ns)
{
	char at[CLOCK_TIMESTAMP_SIZE];

	clock_format(at_ns, at);
	return json_string(at);
}

static json_t *point_json(const struct limit *limit, enum level level, const struct point *point)
{
	json_t *json = json_pack(
		"{s:s, s:o}", "run_id", point->run_id, "started_at", time_json(point->at_ns));

	if (measure_is_of_runs(limit))
		json_object_set_new(json, "outcome", json_string(point->outcome));
	else
		json_object_set_new(json, "value", json_real(point->value));
	if (point->censored)
		json_object_set_new(json, "at_least", json_true());
	if (measure_is_over(limit, level, point))
		json_object_set_new(json, "over", json_true());
	return json;
}

static json_t *points_json(const struct limit *limit, const struct points *points)
{
	enum level level = measure_level(limit, points);
	json_t *array = json_array();

	for (size_t i = 0; i < points->count; i++)
		json_array_append_new(array, point_json(limit, level, &points->items[i]));
	return array;
}

/* As far as a file of JSON keeps a number, or as a share of it. */
static bool is_near(const json_t *a, const json_t *b, double share)
{
	double one = json_number_value(a), other = json_number_value(b);

	if (!json_is_real(a))
		share = 0;
	return fabs(one - other) <= fmax(1e-9, share) * fmax(fabs(one), fabs(other));
}

static bool is_list_within(const json_t *measured, const json_t *told)
{
	bool same = json_array_size(measured) == json_array_size(told);
	const char *key;
	json_t *value;

	/* Of an objective: what each pair of windows has come to. */
	for (size_t i = 0; same && i < json_array_size(measured); i++)
		json_object_foreach(json_array_get(measured, i), key, value) same =
			same && json_equal(value, json_object_get(json_array_get(told, i), key));
	return same;
}

/* All that was found once more is as the event has it. What it took from roll-ups is off by so much. */
static bool agrees(json_t *measured, const json_t *values)
{
	double share = json_number_value(json_object_get(values, "relative_error"));
	bool same = true;
	const char *key;
	json_t *value;

	json_object_foreach(measured, key, value)
	{
		const json_t *told = json_object_get(values, key);

		if (json_is_number(value) && json_is_number(told))
			same = same && is_near(value, told, share);
		else
			same = same &&
				(json_is_array(value) ? is_list_within(value, told)
						      : json_equal(value, told));
	}
	return same;
}

static int add_then(struct explanation *explanation, struct failure *why)
{
	const json_t *values = json_object_get(explanation->event, "values");
	struct point_choice choice = choice_of(explanation);
	struct points points;
	json_t *measured;
	int result;

	/* An older version did not write down what it looked at. */
	if (clock_parse(event_string(values, "from"), &choice.from_ns) < 0 ||
		clock_parse(event_string(values, "to"), &choice.to_ns) < 0)
		return 0;
	result = points_collect(&choice, &points, why);
	if (result == 0) {
		measured = measure_values(&explanation->limit, &points, values);
		json_object_set_new(
			explanation->out, "points", points_json(&explanation->limit, &points));
		if (json_object_size(measured) > 0)
			json_object_set_new(
				explanation->out, "agrees", json_boolean(agrees(measured, values)));
		json_object_set_new(explanation->out, "measured", measured);
	}
	points_free(&points);
	return result;
}

/* --- now ------------------------------------------------------------------------------- */

/* The newest run, whatever it was: that is up to when anything is known. 1: there is none. */
static int find_newest(
	const struct explanation *explanation, struct point *newest_r, struct failure *why)
{
	struct point_choice choice = choice_of(explanation);
	struct points points;
	int result;

	choice.metric = "failed";
	choice.judged_only = false;
	choice.to_ns = INT64_MAX;
	choice.newest = 1;
	result = points_collect(&choice, &points, why);
	if (result == 0 && points.count == 0)
		result = 1;
	if (result == 0)
		*newest_r = points.items[0];
	points_free(&points);
	return result;
}

/* What the limit would look at after that run. */
static struct point_choice choice_now(
	const struct explanation *explanation, const struct point *newest)
{
	const struct limit *limit = &explanation->limit;
	struct point_choice choice = choice_of(explanation);

	choice.to_ns = newest->end_ns;
	if (measure_form(limit) == MEASURE_AGE)
		choice.newest = AGE_RUNS_MAX;
	else if (measure_form(limit) == MEASURE_BURN)
		choice.from_ns = newest->end_ns - BURN_SPAN + 1;
	else if (limit->over_ns > HISTORY_EXACT_SPAN)
		choice.from_ns = history_window(newest->end_ns, limit->over_ns).begin_ns;
	else if (limit->over_ns > 0)
		choice.from_ns = newest->end_ns - limit->over_ns + 1;
	else
		choice.newest = limit->of > 0 ? (size_t)limit->of : 1;
	return choice;
}

static void put_now(
	struct explanation *explanation, const struct point *newest, const struct points *points)
{
	static const char *const levels[] = {"none", "warn", "crit"};
	const struct limit *limit = &explanation->limit;
	const json_t *told = json_object_get(explanation->event, "values");
	json_t *now = json_pack("{s:s, s:o, s:o}", "run_id", newest->run_id, "at",
		time_json(newest->end_ns), "values", measure_values(limit, points, told));

	/* Which pair of windows is for which level, an event does not say. */
	if (measure_form(limit) != MEASURE_BURN)
		json_object_set_new(
			now, "level", json_string(levels[measure_level(limit, points)]));
	json_object_set_new(explanation->out, "now", now);
}

/* --- the way out ----------------------------------------------------------------------- */

/* Good results in a row so far. */
static json_int_t count_good(const struct explanation *explanation, struct failure *why)
{
	const struct rule_key key = {event_string(explanation->event, "customer"),
		event_string(explanation->event, "scenario"), explanation->incident->rule};
	json_t *memory = NULL, *pending = NULL;
	json_int_t good = 0;

	if (explanation->state != NULL &&
		rules_load(explanation->state, &key, &memory, &pending, why) == 0)
		good = json_integer_value(json_object_get(memory, "good"));
	json_decref(memory);
	json_decref(pending);
	return good;
}

/* When the first of those that are over the limit leaves the window. */
static void put_over(json_t *clear, const struct limit *limit, const struct points *points)
{
	enum level level = measure_level(limit, points);
	size_t over = 0;

	for (size_t i = 0; i < points->count; i++) {
		if (!measure_is_over(limit, level, &points->items[i]))
			continue;
		if (over++ == 0 && limit->over_ns > 0)
			json_object_set_new(clear, "first_leaves_at",
				time_json(points->items[i].at_ns + limit->over_ns));
	}
	json_object_set_new(clear, "over", json_integer((json_int_t)over));
}

static int put_clear(
	struct explanation *explanation, const struct points *points, struct failure *why)
{
	const struct limit *limit = &explanation->limit;
	struct measure_way way = measure_way_out(limit, points);
	json_t *clear = json_object();

	json_object_set_new(clear, "condition", explain_clearing(limit));
	json_object_set_new(clear, "results", json_integer(explain_keep(limit)));
	json_object_set_new(clear, "good", json_integer(count_good(explanation, why)));
	if (measure_form(limit) != MEASURE_COURSE)
		put_over(clear, limit, points);
	if (way.results > 0)
		json_object_set_new(clear, "needs_good", json_integer((json_int_t)way.results));
	if (way.at_ns > 0)
		json_object_set_new(clear, "earliest_at", time_json(way.at_ns));
	if (json_is_true(json_object_get(explanation->incident->open, "flapping")))
		json_object_set_new(clear, "flapping", json_true());
	json_object_set_new(explanation->out, "clear", clear);
	return why->type == ERROR_NONE ? 0 : -1;
}

static int add_now(struct explanation *explanation, struct failure *why)
{
	struct point newest;
	struct points points = {0};
	struct point_choice choice;
	int result = find_newest(explanation, &newest, why);

	if (result != 0)
		return result < 0 ? -1 : 0;
	if (measure_form(&explanation->limit) != MEASURE_COURSE) {
		choice = choice_now(explanation, &newest);
		result = points_collect(&choice, &points, why);
		if (result == 0)
			put_now(explanation, &newest, &points);
	}
	if (result == 0 && explanation->incident->open != NULL)
		result = put_clear(explanation, &points, why);
	points_free(&points);
	return result;
}

/* --- the whole ------------------------------------------------------------------------- */

/* A limit on what is usual is one on a figure, once it is known what is usual. */
static void make_limit(struct explanation *explanation, const json_t *config)
{
	const json_t *values = json_object_get(explanation->event, "values");
	struct limit written;

	limit_build(config, &written);
	explanation->limit = written;
	if (limit_has_baseline(&written))
		judge_resolve_baseline(&written, values, &explanation->limit);
}

static void copy_head(struct explanation *explanation)
{
	static const char *const keys[] = {"event_id", "dedup_key", "revision", "state", "severity",
		"at", "since", "vantages", "summary", "limit", "values", "runbook_url", NULL};
	const json_t *newest = incident_newest(explanation->incident);

	for (size_t i = 0; keys[i] != NULL; i++) {
		json_t *value = json_object_get(explanation->event, keys[i]);

		if (value != NULL)
			json_object_set(explanation->out, keys[i], value);
	}
	if (explanation->incident->open == NULL &&
		strcmp(event_string(newest, "state"), "resolved") == 0)
		json_object_set(explanation->out, "over_since",
			json_object_get(newest,
				json_object_get(newest, "resolved_at") != NULL ? "resolved_at"
									       : "at"));
}

json_t *explain(const char *results_dir, struct state *state, const struct incident *incident,
	json_int_t revision, struct failure *why)
{
	struct explanation explanation = {.results_dir = results_dir,
		.state = state,
		.incident = incident,
		.event = find_revision(incident, revision)};
	const json_t *config = json_object_get(explanation.event, "limit");

	if (explanation.event == NULL)
		return NULL;
	explanation.out = json_object();
	copy_head(&explanation);
	/* A rule that combines limits has no metric of its own, but what its limits rest on. */
	if (json_object_get(config, "metric") == NULL) {
		json_object_set(
			explanation.out, "points", json_object_get(explanation.event, "evidence"));
		return explanation.out;
	}
	make_limit(&explanation, config);
	json_object_set_new(explanation.out, "means", explain_limit(&explanation.limit));
	if (add_then(&explanation, why) == 0 && add_now(&explanation, why) == 0)
		return explanation.out;
	json_decref(explanation.out);
	return NULL;
}
