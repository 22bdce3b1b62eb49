/* Events on growth, on where it leads, on steps, and on what is unusual, over weeks of runs. */
#include <fnmatch.h>
#include <math.h>

#include "watch_help.h"
#include "watch_trend.h"

#define HOUR (60 * TEST_MINUTE)
#define DAY (24 * HOUR)
#define WEEK (7 * DAY)

/* A run in which a mail took that long. */
static char run_at(int64_t at_ns, double seconds)
{
	json_t *mail = make_mail("m", "delivered");

	json_decref(newest);
	newest = make_result(at_ns, "pass");
	json_object_set_new(mail, "delivery_seconds", json_real(seconds));
	json_array_append_new(json_object_get(newest, "mails"), mail);
	return judge_newest();
}

/* The same on every machine; within one of 0. */
static double noise(int number)
{
	return sin(number * 12.9898) * cos(number * 78.233);
}

static double scatter; /* of the values of a course */
static double (*course)(double days);

static double flat(double days)
{
	(void)days;
	return 5;
}

static double growing(double days)
{
	return 5 + 0.5 * days / 7;
}

static double racing(double days)
{
	return 2 + 2 * days / 7;
}

static double leaping(double days)
{
	return days < 6.5 ? 1 : 4;
}

static double stepping(double days)
{
	return days < 12 ? 3 : 6;
}

static double hopping(double days)
{
	return days < 6.5 ? 1 : 2;
}

/* Runs through the days; puts the day of each event behind its letter, "o14 r28 ". */
static void follow(double days, int64_t every_ns, const char *want, const char *name)
{
	char got[128] = "";
	size_t length = 0;

	begin();
	for (int i = 0; i * every_ns < (int64_t)(days * DAY); i++) {
		double day = (double)(i * every_ns) / DAY;
		char letter = run_at(TEST_START + i * every_ns, course(day) + scatter * noise(i));

		if (letter != '.')
			length += (size_t)snprintf(got + length, sizeof(got) - length, "%s%c%.0f",
				length > 0 ? " " : "", letter, floor(day));
	}
	is_string(got, want, name);
}

/* The figures are the trend's, whose tests know them. */
static void is_told(const char *pattern)
{
	const char *summary = of_event(0, "summary");

	if (!ok(summary != NULL && fnmatch(pattern, summary, 0) == 0, "what is told"))
		diag("got \"%s\"", summary != NULL ? summary : "nothing");
}

/* --- growth ---------------------------------------------------------------------------- */

static void test_slope(void)
{
	set_limit("in.delivery_seconds", NULL, "slope > 300ms per week", NULL);
	scatter = 0.2;
	course = growing;
	follow(35, 4 * HOUR, "o13", "half a second a week");
	is_told("acme/mail: in.delivery_seconds slope > 0.3 s per week (0.[45]* s a week, at least 0.* s, over * days)");
	ok(json_object_get(json_object_get(events[0], "values"), "slope") != NULL, "with its values");
	course = flat;
	follow(35, 4 * HOUR, "", "chance is no growth");
	course = stepping;
	follow(24, 4 * HOUR, "", "nor is a step");
	set_limit("in.delivery_seconds", NULL, "slope > 800ms per week", NULL);
	course = growing;
	follow(35, 4 * HOUR, "", "nor is less than the limit");
}

static void test_reaches(void)
{
	scatter = 0.2;
	course = racing;
	set_limit("in.delivery_seconds", NULL, "reaches 10s within 7d", NULL);
	follow(35, 4 * HOUR, "o21", "a week before, and still when it is there");
	is_told("acme/mail: in.delivery_seconds reaches 10 s within 7d (* s a week, at least * s, over 2? days), "
		"about 2026-0*");
	set_limit("in.delivery_seconds", NULL, "reaches 30s within 7d", NULL);
	follow(35, 4 * HOUR, "", "nowhere near");
	course = flat;
	set_limit("in.delivery_seconds", NULL, "reaches 6s within 14d", NULL);
	follow(35, 4 * HOUR, "", "what does not grow gets nowhere");
}

/* --- a step ---------------------------------------------------------------------------- */

static void test_step(void)
{
	scatter = 0.2;
	course = leaping;
	set_limit("in.delivery_seconds", NULL, "step > 2s within 24h", NULL);
	follow(9, HOUR, "o6 r7", "is told within a day, and is news for a day");
	is_told("acme/mail: in.delivery_seconds step [23].* s > 2 s within 24h (from * s to * s "
		"at 2026-03-08T*:00Z)");
	course = hopping;
	follow(9, HOUR, "", "a smaller one is not");
}

/* --- what is usual --------------------------------------------------------------------- */

/* At ten on Monday and on Tuesday, three runs each, for five weeks; on Mondays it takes 10 s. */
static void weeks(double last_monday, double last_tuesday, const char *want, const char *name)
{
	char got[64] = "";
	size_t count = 0;

	begin();
	for (int week = 0; week < 5; week++)
		for (int i = 0; i < 6; i++) {
			int64_t at = TEST_START + week * WEEK + (i / 3) * DAY +
				(i % 3) * 20 * TEST_MINUTE;
			double usual = i < 3 ? 10 : 2;
			double last = i < 3 ? last_monday : last_tuesday;

			got[count++] = run_at(at, week < 4 ? usual + 0.1 * noise(week * 6 + i) : last);
		}
	is_string(got + 24, want, name);
	got[24] = '\0';
	is_string(got, "........................", "nothing before");
}

static void test_baseline(void)
{
	set_limit("in.delivery_seconds", NULL, "> baseline + 4 mad", NULL);
	weeks(10, 2, "......", "all as usual");
	weeks(10, 10, "...o..", "what is usual on Mondays is not on Tuesdays");
	is_told("acme/mail: in.delivery_seconds 10 s > baseline + 4 mad, usual at this hour: *");
	weeks(10, 2.4, "......", "less than the least step is nothing");
	set("min_step", "100ms");
	weeks(10, 2.6, "...o..", "unless the limit says so");
	set("min_step", "9s");
	weeks(10, 10, "......", "or it says more");
	set_limit("in.delivery_seconds", NULL, "> baseline + 4 mad", NULL);
	set_for(3, 3);
	weeks(30, 2, "..o..r", "three in a row");
}

/* When what is usual was found out. */
static const char *kept_at(void)
{
	const struct rule_key key = {"acme", "mail", WATCH_TREND_RULE};
	static char at[CLOCK_TIMESTAMP_SIZE];
	json_t *memory, *pending;

	rules_load(state, &key, &memory, &pending, &why);
	snprintf(at, sizeof(at), "%.16s", json_string_value(json_object_get(memory, "at")));
	json_decref(memory);
	return at;
}

static void test_once_an_hour(void)
{
	set_limit("in.delivery_seconds", NULL, "> baseline + 4 mad", NULL);
	begin();
	run_at(TEST_START, 2);
	run_at(TEST_START + 20 * TEST_MINUTE, 2);
	is_string(kept_at(), "2026-03-02T10:00", "by the first run of an hour");
	run_at(TEST_START + HOUR + 20 * TEST_MINUTE, 2);
	is_string(kept_at(), "2026-03-02T11:20", "and of the next one");
	scenario.limit_count = 0;
	run_at(TEST_START + 3 * HOUR, 2);
	is_string(kept_at(), "2026-03-02T11:20", "if a limit asks for it");
	scenario.limit_count = 1;
}

int main(void)
{
	make_folder();
	test_slope();
	test_reaches();
	test_step();
	test_baseline();
	test_once_an_hour();
	return finish();
}
