/* watch_help - a scenario with one limit, and the events that it has raised. */
#ifndef MAILPROBE_WATCH_HELP_H
#define MAILPROBE_WATCH_HELP_H

#include "history.h"
#include "record.h"
#include "rules.h"
#include "store_help.h"
#include "watch.h"

static struct failure why;
static struct state *state;
static int64_t now_ns;
static json_t *newest;

/* --- a scenario with one limit --------------------------------------------------------- */

static struct limit limit;
static struct scenario scenario = {
	.journey = {.customer = "acme", .scenario = "mail"}, .limits = &limit, .limit_count = 1};

static json_t *config;

/* A setting of the limit, or (value NULL) none. */
static inline void set(const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(config, key, json_string(value));
	limit_build(config, &limit);
}

static inline void set_limit(const char *metric, const char *over, const char *warn, const char *crit)
{
	json_decref(config);
	config = json_pack("{s:s, s:s}", "name", "slow", "metric", metric);
	set("over", over);
	set("warn", warn);
	set("crit", crit);
}

static inline void set_for(int need, int of)
{
	char text[32];

	snprintf(text, sizeof(text), "%d of %d", need, of);
	set("for", text);
}

static inline void set_number(const char *key, int value)
{
	json_object_set_new(config, key, json_integer(value));
	limit_build(config, &limit);
}

/* --- what comes out -------------------------------------------------------------------- */

static json_t *events[64];
static size_t event_count;
static bool emit_fails;

static inline void told(void *context, const struct field_complaint *complaint)
{
	(void)context;
	diag("%s: %s", complaint->pointer, complaint->message);
}

static inline int emit(void *context, const json_t *event, struct failure *failure)
{
	static const struct field *const tables[] = {record_event, NULL};
	const struct field_check check = {.complain = told};

	(void)context;
	if (emit_fails)
		return failure_set(failure, ERROR_LOCAL_STORAGE, "the disk is full");
	if (fields_check(tables, event, "", &check) != 0)
		ok(false, "an event fits its table");
	if (event_count < sizeof(events) / sizeof(events[0]))
		events[event_count++] = json_deep_copy(event);
	return 0;
}

static inline void forget_events(void)
{
	for (size_t i = 0; i < event_count; i++)
		json_decref(events[i]);
	event_count = 0;
}

static inline const char *of_event(size_t index, const char *key)
{
	return index < event_count ? json_string_value(json_object_get(events[index], key)) : NULL;
}

static inline void is_event(size_t index, const char *event_state, const char *severity,
	json_int_t revision, const char *summary)
{
	if (!ok(index < event_count, "an event \"%s\"", event_state))
		return;
	is_string(of_event(index, "state"), event_state, "its state");
	is_string(of_event(index, "severity"), severity, "its severity");
	is_integer(json_integer_value(json_object_get(events[index], "revision")), revision,
		"its revision");
	is_string(of_event(index, "summary"), summary, "its summary");
}

/* --- the whole ------------------------------------------------------------------------- */

/* An empty history. */
static inline void begin(void)
{
	state_close(&state);
	remove_folder();
	make_folder();
	state = state_open(test_folder, &why);
	now_ns = TEST_START;
	forget_events();
}

/* Stores and judges the newest run; the letter of the first event that it gave rise to, "." if there is
 * none, "X" if something went wrong. */
static inline char judge_newest(void)
{
	size_t before = event_count;

	if (history_add(state, newest, &why) < 0 ||
		watch_judge(state, &scenario, newest, emit, NULL, &why) < 0)
		return 'X';
	return event_count > before ? of_event(before, "state")[0] : '.';
}

static inline int finish(void)
{
	forget_events();
	json_decref(newest);
	json_decref(config);
	state_close(&state);
	return done_testing();
}

#endif
