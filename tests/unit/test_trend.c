/* Windows, counts and percentiles of a history that was made up. */
#include "field.h"
#include "history.h"
#include "record.h"
#include "store_help.h"
#include "trend.h"

static struct failure why;
static struct state *state;

static json_t *newest;

/* A run of the scenario with one imap step; kept as the newest. */
static void add(const char *scenario, int64_t at_ns, const char *outcome, double seconds)
{
	json_decref(newest);
	newest = make_result(at_ns, outcome);
	json_object_set_new(newest, "scenario", json_string(scenario));
	if (strcmp(outcome, "pass") != 0)
		json_object_set_new(newest, "error_type",
			json_string(strcmp(outcome, "fail") == 0 ? "imap.push" : "mail.lost"));
	if (seconds >= 0)
		add_step(newest, "imap", strcmp(outcome, "pass") == 0 ? "pass" : "fail", seconds);
	if (history_add(state, newest, &why) < 0)
		abort();
}

static json_t *at(json_t *trend, const char *path)
{
	char copy[128], *rest = copy, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((key = strsep(&rest, "/")) != NULL)
		trend = json_object_get(trend, key);
	return trend;
}

static void number_is(json_t *trend, const char *path, double want)
{
	const json_t *value = at(trend, path);

	if (!json_is_number(value))
		ok(false, "%s is not there", path);
	else
		is_near(json_number_value(value), want, 1e-9, path);
}

/* Off by that share of it at most. */
static void nearly(json_t *trend, const char *path, double want, double share)
{
	is_near(json_number_value(at(trend, path)), want, want * share, path);
}

static void text_is(json_t *trend, const char *path, const char *want)
{
	char *got = json_dumps(at(trend, path), JSON_COMPACT | JSON_ENCODE_ANY);

	is_string(got, want, path);
	free(got);
}

static void told(void *context, const struct field_complaint *complaint)
{
	(void)context;
	diag("%s: %s", complaint->pointer, complaint->message);
}

static void is_valid(const json_t *trend)
{
	static const struct field *const tables[] = {record_trend, NULL};
	const struct field_check check = {.complain = told};

	is_integer((long long)fields_check(tables, trend, "", &check), 0, "fits its table");
}

static void test_first(void)
{
	json_t *trend;

	add("first", TEST_START, "pass", 0.25);
	trend = trend_build(state, NULL, newest, &why);
	is_valid(trend);
	number_is(trend, "runs/1h/n", 1);
	number_is(trend, "runs/30d/failure_rate", 0);
	number_is(trend, "metrics/imap.duration_seconds/last", 0.25);
	text_is(trend, "metrics/imap.duration_seconds/last_at", "\"2026-03-02T10:00:00.000000Z\"");
	text_is(trend, "metrics/imap.duration_seconds/windows/1h",
		"{\"n\":1,\"censored\":0,\"min\":0.25,\"max\":0.25,"
		"\"too_small_for\":[\"p50\",\"p95\",\"p99\"]}");
	text_is(trend, "updated_at", "\"2026-03-02T10:00:10.000000Z\"");
	json_decref(trend);
}

/* Every half hour for 40 days; the value is the number of the run. */
static void test_windows(void)
{
	json_t *trend;
	int64_t begun;

	for (int i = 0; i < 40 * 48; i++)
		add("long", TEST_START + i * 30 * TEST_MINUTE, i % 100 == 99 ? "fail" : "pass", i);
	begun = clock_now();
	trend = trend_build(state, NULL, newest, &why);
	diag("a window of 1440 runs: %.1f ms", clock_seconds(clock_now() - begun) * 1000);
	is_valid(trend);
	/* The newest is 1919; 1899 and 1799 failed. */
	number_is(trend, "runs/1h/n", 2);
	number_is(trend, "runs/1h/failed", 0);
	number_is(trend, "runs/24h/n", 48);
	number_is(trend, "runs/24h/failed", 1);
	number_is(trend, "runs/24h/failure_rate", 1.0 / 48);
	number_is(trend, "runs/7d/n", 336);
	number_is(trend, "runs/30d/n", 1440);
	number_is(trend, "metrics/imap.duration_seconds/last", 1919);
	number_is(trend, "metrics/imap.duration_seconds/windows/1h/n", 2);
	number_is(trend, "metrics/imap.duration_seconds/windows/1h/min", 1918);
	text_is(trend, "metrics/imap.duration_seconds/windows/1h/too_small_for",
		"[\"p50\",\"p95\",\"p99\"]");
	number_is(trend, "metrics/imap.duration_seconds/windows/24h/n", 47);
	number_is(trend, "metrics/imap.duration_seconds/windows/24h/p50", 1895);
	number_is(trend, "metrics/imap.duration_seconds/windows/24h/p95", 1917);
	number_is(trend, "metrics/imap.duration_seconds/windows/24h/max", 1919);
	number_is(trend, "metrics/imap.duration_seconds/windows/30d/min", 480);
	number_is(trend, "metrics/imap.duration_seconds/windows/30d/max", 1919);
	/* Of the numbers 480 to 1919, 15 failed; the 715th of the other 1425 is 1201. */
	text_is(trend, "runs/30d/error_types", "{\"imap.push\":1.0}");
	ok(at(trend, "metrics/imap.duration_seconds/windows/30d/p99_high") != NULL, "p99 bounded");
	/* Of medians that are read off roll-ups, as are the percentiles of 7 and 30 days. */
	nearly(trend, "metrics/imap.duration_seconds/slope/per_week", 336, 0.03);
	nearly(trend, "metrics/imap.duration_seconds/windows/30d/p50", 1201, 0.0109);
	nearly(trend, "metrics/imap.duration_seconds/windows/7d/p95", 1902, 0.0109);
	number_is(trend, "metrics/imap.duration_seconds/windows/30d/relative_error", 0.01083);
	ok(at(trend, "metrics/imap.duration_seconds/windows/24h/relative_error") == NULL,
		"those of 24 hours are exact");
	number_is(trend, "metrics/imap.duration_seconds/windows/30d/n", 1425);
	text_is(trend, "metrics/imap.duration_seconds/slope/significant", "true");
	/* The same hour of four weeks, 336 runs apart, with two runs each: 1918 and 1919 are in it. */
	number_is(trend, "metrics/imap.duration_seconds/baseline/weeks", 4);
	number_is(trend, "metrics/imap.duration_seconds/baseline/n", 8);
	number_is(trend, "metrics/imap.duration_seconds/baseline/median", 1918.5 - 336 * 2.5);
	number_is(trend, "metrics/imap.duration_seconds/baseline/mad", 336);
	ok(at(trend, "metrics/imap.duration_seconds/step_change") == NULL, "growth is no step");
	json_decref(trend);
}

static void test_counts(void)
{
	json_t *trend;

	for (int i = 0; i < 30; i++)
		add("mixed", TEST_START + i * TEST_MINUTE,
			i % 3 == 0           ? "error"
				: i % 3 == 1 ? "skipped"
					     : "fail",
			-1);
	trend = trend_build(state, NULL, newest, &why);
	is_valid(trend);
	number_is(trend, "runs/24h/n", 10);
	number_is(trend, "runs/24h/failed", 10);
	number_is(trend, "runs/24h/errors", 10);
	number_is(trend, "runs/24h/skipped", 10);
	text_is(trend, "runs/24h/error_types", "{\"mail.lost\":0.5,\"imap.push\":0.5}");
	text_is(trend, "metrics", "{}");
	json_decref(trend);
	add("blind", TEST_START, "error", -1);
	trend = trend_build(state, NULL, newest, &why);
	ok(at(trend, "runs/1h/failure_rate") == NULL, "nothing judged, no failure rate");
	is_valid(trend);
	json_decref(trend);
}

static void test_censored(void)
{
	json_t *trend;

	for (int i = 0; i < 20; i++) {
		json_t *mail = make_mail("m", i < 15 ? "delivered" : "accepted"), *step;

		json_decref(newest);
		newest = make_result(TEST_START + i * TEST_MINUTE, i < 15 ? "pass" : "fail");
		json_object_set_new(newest, "scenario", json_string("gone"));
		step = add_step(newest, "in-seen", i < 15 ? "pass" : "fail", 1);
		json_object_set_new(mail, "await", json_string("in-seen"));
		if (i < 15)
			json_object_set_new(mail, "delivery_seconds", json_real(i + 1));
		else
			json_object_set_new(step, "waited_seconds", json_real(60));
		json_array_append_new(json_object_get(newest, "mails"), mail);
		history_add(state, newest, &why);
	}
	trend = trend_build(state, NULL, newest, &why);
	is_valid(trend);
	/* The bounds of the median are those of ranks 6 and 15; that of p95 of 20 is rank 17. */
	text_is(trend, "metrics/in.delivery_seconds/windows/1h",
		"{\"n\":20,\"censored\":5,\"min\":1.0,\"p50\":10.0,\"p95\":60.0,\"max\":60.0,"
		"\"p50_low\":6.0,\"p50_high\":15.0,\"p95_low\":60.0,"
		"\"too_small_for\":[\"p99\",\"p95_high\"],"
		"\"at_least\":[\"p95\",\"max\",\"p95_low\"]}");
	number_is(trend, "metrics/in.delivery_seconds/windows/7d/censored", 5);
	text_is(trend, "metrics/in.delivery_seconds/windows/7d/at_least",
		"[\"p95\",\"max\",\"p95_low\"]");
	ok(at(trend, "metrics/in.delivery_seconds/last") == NULL, "no newest value, only a bound");
	json_decref(trend);
}

/* An hour of runs, every second one in maintenance, and some hours later another run. */
static void test_maintenance(void)
{
	static const char *const counted[] = {"24h", "7d"};
	json_t *trend;
	char path[64];

	for (int i = 0; i < 10; i++) {
		json_decref(newest);
		newest = make_result(TEST_START + i * 5 * TEST_MINUTE, "pass");
		json_object_set_new(newest, "scenario", json_string("repaired"));
		if (i % 2 == 1)
			json_object_set_new(newest, "maintenance", json_true());
		add_step(newest, "imap", "pass", i);
		history_add(state, newest, &why);
	}
	add("repaired", TEST_START + 240 * TEST_MINUTE, "pass", 1);
	trend = trend_build(state, NULL, newest, &why);
	is_valid(trend);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "runs/%s/maintenance", counted[i]);
		number_is(trend, path, 5);
		snprintf(path, sizeof(path), "runs/%s/n", counted[i]);
		number_is(trend, path, 6);
		snprintf(path, sizeof(path), "metrics/imap.duration_seconds/windows/%s/n", counted[i]);
		number_is(trend, path, 6);
		snprintf(path, sizeof(path), "metrics/imap.duration_seconds/windows/%s/max", counted[i]);
		number_is(trend, path, 8);
	}
	json_decref(trend);
}

/* Runs every so many hours. */
static json_t *make_history(const char *name, double (*value)(int hour), int hours, int every,
	const struct scenario *scenario)
{
	json_t *trend;

	for (int hour = 0; hour < hours; hour += every)
		add(name, TEST_START + hour * 60 * TEST_MINUTE, "pass", value(hour));
	trend = trend_build(state, scenario, newest, &why);
	is_valid(trend);
	return trend;
}

#define MONTH (30 * 24)
/* Hours in which a step is looked for, and some more. */
#define STEPPED 192

static double stepped(int hour)
{
	return (hour + 4) % 5 + (hour >= STEPPED - 40 ? 16 : 10);
}

/* 0.5 s a week from 10 s on, and noise that is the same each day. */
static double growing(int hour)
{
	return 10 + 0.5 * hour / 168 + (hour * 7 % 24) * 0.001;
}

static double steady(int hour)
{
	return 10 + (hour * 7 % 24) * 0.001;
}

static void test_step(void)
{
	json_t *trend = make_history("stepped", stepped, STEPPED, 1, NULL);

	/* The hour of the first run after it. */
	ok(at(trend, "metrics/imap.duration_seconds/step_change") != NULL, "a step is seen");
	text_is(trend, "metrics/imap.duration_seconds/step_change/at",
		"\"2026-03-08T18:00:00.000000Z\"");
	number_is(trend, "metrics/imap.duration_seconds/step_change/before", 12);
	number_is(trend, "metrics/imap.duration_seconds/step_change/after", 18);
	json_decref(trend);
}

static void test_reaches(void)
{
	struct limit limits[] = {
		{.name = "slow",
			.metric = "imap.duration_seconds",
			.warn = {.is_set = true, .statistic = STATISTIC_P50, .threshold = 13},
			.crit = {.is_set = true, .statistic = STATISTIC_P50, .threshold = 1000}},
		{.name = "other",
			.metric = "duration_seconds",
			.crit = {.is_set = true, .threshold = 20}},
	};
	const struct scenario scenario = {.limits = limits, .limit_count = 2};
	json_t *trend = make_history("growing", growing, MONTH, 6, &scenario);
	const char *day;

	is_integer((long long)json_array_size(at(trend, "metrics/imap.duration_seconds/reaches")),
		1, "one limit will be reached, one not within a year, one is another metric's");
	number_is(json_array_get(at(trend, "metrics/imap.duration_seconds/reaches"), 0),
		"threshold", 13);
	/* By the definition: from 10 s to 13 s at 0.5 s a week takes 42 days, and some hours since
	 * the median of four is the lower one. */
	day = json_string_value(
		at(json_array_get(at(trend, "metrics/imap.duration_seconds/reaches"), 0), "at"));
	ok(day != NULL && strncmp(day, "2026-04-13T", 11) == 0, "on that day");
	json_decref(trend);
	trend = make_history("steady", steady, MONTH, 6, &scenario);
	text_is(trend, "metrics/imap.duration_seconds/slope/significant", "false");
	ok(at(trend, "metrics/imap.duration_seconds/reaches") == NULL,
		"what stays reaches nothing");
	json_decref(trend);
}

static void test_refused(void)
{
	json_object_del(newest, "ended_at");
	ok(trend_build(state, NULL, newest, &why) == NULL, "no end, no trend");
	went_wrong(-1, &why, ERROR_WORKER_PROTOCOL, "end", "and it is told");
}

int main(void)
{
	state = state_open(make_folder(), &why);
	test_first();
	test_windows();
	test_counts();
	test_censored();
	test_maintenance();
	test_step();
	test_reaches();
	test_refused();
	json_decref(newest);
	state_close(&state);
	return done_testing();
}
