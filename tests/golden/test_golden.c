/* One golden sample of each file: they fit their tables, and the results lead to that trend and
 * those events.
 *
 *	test_golden FOLDER           compares
 *	test_golden FOLDER --write   writes trend.json and events.jsonl anew from result.jsonl
 */
#include "error_type.h"
#include "history.h"
#include "lines.h"
#include "record.h"
#include "scenario.h"
#include "step.h"
#include "trend.h"
#include "watch.h"

#include "../unit/store_help.h"

static struct failure why;
static const char *golden;

static const char *in_golden(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", golden, name);
	return path;
}

/* --- against the tables ---------------------------------------------------------------- */

static void told(void *context, const struct field_complaint *complaint)
{
	(void)context;
	diag("%s: %s", complaint->pointer, complaint->message);
}

static bool fits(const struct field *const tables[], const json_t *object)
{
	const struct field_check check = {.complain = told};

	return fields_check(tables, object, "", &check) == 0;
}

/* The phases of a step add up to it, none begins before the one before it has ended. */
static bool adds_up(const json_t *step)
{
	double sum = 0, end = 0;
	size_t index;
	json_t *phase;

	json_array_foreach(json_object_get(step, "phases"), index, phase)
	{
		double start = json_number_value(json_object_get(phase, "start_seconds"));
		double seconds = json_number_value(json_object_get(phase, "duration_seconds"));

		if (seconds < 0 || start < end - 2e-6)
			return false;
		sum += seconds;
		end = start + seconds;
	}
	/* Each phase is rounded to a microsecond. */
	return fabs(sum - json_number_value(json_object_get(step, "duration_seconds"))) < 2e-5;
}

static void check_step(const json_t *step)
{
	const char *name = json_string_value(json_object_get(step, "type"));
	const struct step_type *type = step_type_find(name);
	const struct field *const tables[] = {record_step, type != NULL ? type->facts : NULL, NULL};

	ok(type != NULL && fits(tables, step), "a step %s fits its tables", name);
	ok(adds_up(step), "its phases add up");
}

static void check_result(const json_t *record)
{
	static const struct field *const tables[] = {record_run, NULL};
	size_t index;
	json_t *step;

	ok(fits(tables, record), "a result fits its table");
	json_array_foreach(json_object_get(record, "steps"), index, step) check_step(step);
}

/* --- what comes of the results --------------------------------------------------------- */

struct replay {
	struct state *state;
	const struct scenario *scenario;
	json_t *events; /* that come out */
	json_t *trend;
	size_t runs;
};

static int keep_event(void *context, const json_t *event, struct failure *failure)
{
	struct replay *replay = context;

	(void)failure;
	json_array_append_new(replay->events, json_deep_copy(event));
	return 0;
}

static void replay_one(void *context, const struct line *line)
{
	struct replay *replay = context;
	const json_t *record = line->record;

	replay->runs++;
	if (!ok(line->verdict == LINE_GOOD, "line %zu is whole", replay->runs))
		return;
	check_result(record);
	went_well(history_add(replay->state, record, &why), &why, "it is kept");
	went_well(watch_judge(replay->state, replay->scenario, record, keep_event, replay, &why),
		&why, "it is judged");
	json_decref(replay->trend);
	replay->trend = trend_build(replay->state, replay->scenario, record, &why);
}

static const struct field *facts_of(const char *name)
{
	const struct step_type *type = step_type_find(name);

	return type != NULL ? type->facts : NULL;
}

static void keep_line(void *context, const struct line *line)
{
	static const struct field *const tables[] = {record_event, NULL};

	ok(line->verdict == LINE_GOOD && fits(tables, line->record), "an event fits its table");
	if (line->record != NULL)
		json_array_append_new(context, json_deep_copy(line->record));
}

/* Ids are new each time: they are the golden ones where the same incident is meant. */
static bool same_but_ids(json_t *golden_event, json_t *event)
{
	json_t *a = json_copy(golden_event), *b = json_copy(event);
	bool same;

	json_object_del(a, "line_crc32");
	json_object_del(a, "event_id");
	json_object_del(b, "event_id");
	same = json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return same;
}

static const char *id_of(const json_t *events, size_t index)
{
	const char *id =
		json_string_value(json_object_get(json_array_get(events, index), "event_id"));

	return id != NULL ? id : "";
}

static void compare_events(const json_t *events)
{
	json_t *want = json_array();
	size_t count;

	lines_read(in_golden("events.jsonl"), keep_line, want, &why);
	count = json_array_size(want);
	is_integer((long long)json_array_size(events), (long long)count, "as many events");
	for (size_t i = 0; i < count; i++) {
		ok(same_but_ids(json_array_get(want, i), json_array_get(events, i)),
			"event %zu is the golden one", i + 1);
		for (size_t j = 0; j < i; j++)
			ok((strcmp(id_of(want, i), id_of(want, j)) == 0) ==
					(strcmp(id_of(events, i), id_of(events, j)) == 0),
				"events %zu and %zu are one incident, or not", j + 1, i + 1);
	}
	json_decref(want);
}

static void compare_trend(const json_t *trend)
{
	static const struct field *const tables[] = {record_trend, NULL};
	json_t *want = json_load_file(in_golden("trend.json"), 0, NULL);
	char *got = json_dumps(trend, JSON_REAL_PRECISION(15));
	json_t *rounded = json_loads(got, 0, NULL);

	ok(want != NULL && fits(tables, want), "the trend fits its table");
	ok(json_equal(want, rounded), "the trend is the golden one");
	free(got);
	json_decref(rounded);
	json_decref(want);
}

/* --- anew ------------------------------------------------------------------------------ */

static int move_file(const char *from, const char *name)
{
	size_t size;
	char *bytes = read_whole(from, &size);

	if (bytes == NULL)
		return -1;
	write_whole(in_golden(name), bytes, size);
	free(bytes);
	return 0;
}

static int write_anew(const struct replay *replay)
{
	size_t index;
	json_t *event;

	json_array_foreach(replay->events, index, event)
		lines_append_event(test_folder, event, &why);
	lines_replace_trend(test_folder, replay->trend, &why);
	return move_file(in_folder("events.jsonl"), "events.jsonl") == 0 &&
			move_file(in_folder("acme/mail/trend.json"), "trend.json") == 0
		? 0
		: 1;
}

int main(int argc, char **argv)
{
	struct complaints complaints = {0};
	struct replay replay = {.events = json_array()};
	struct scenario *scenario;

	golden = argc > 1 ? argv[1] : ".";
	scenario = scenario_load(in_golden("scenario.yaml"), &complaints);
	ok(scenario != NULL && complaints.count == 0, "the scenario is right");
	complaints_print(&complaints, stderr, false);
	if (scenario == NULL)
		return done_testing();
	replay.scenario = scenario;
	replay.state = state_open(make_folder(), &why);
	state_know_facts(replay.state, facts_of);
	lines_read(in_golden("result.jsonl"), replay_one, &replay, &why);
	ok(replay.runs > 0, "there are results");
	if (argc > 2)
		return write_anew(&replay);
	compare_trend(replay.trend);
	compare_events(replay.events);
	state_close(&replay.state);
	json_decref(replay.events);
	json_decref(replay.trend);
	scenario_free(&scenario);
	complaints_free(&complaints);
	return done_testing();
}
