/* Calendars by the week, over changes of the clock, and maintenance that comes once. */
#include "calendar.h"
#include "clock.h"
#include "plan.h"
#include "tap.h"

static int64_t at(const char *text)
{
	char stamp[CLOCK_TIMESTAMP_SIZE];
	int64_t ns = -1;

	snprintf(stamp, sizeof(stamp), "%s:00.000000Z", text);
	if (clock_parse(stamp, &ns) < 0)
		ok(false, "%s is no time", text);
	return ns;
}

/* --- texts ------------------------------------------------------------------------------ */

static void test_spans(void)
{
	static const struct {
		const char *text;
		unsigned int days;
		int from, to;
	} good[] = {
		{"Mon..Fri 08:00-18:00", 31, 480, 1080},
		{"Sat,Sun 10:00-12:00", 96, 600, 720},
		{"Sat..Mon,Wed 00:00-24:00", 101, 0, 1440},
		{"daily 22:00-06:00", 127, 1320, 360},
		{"Sun 23:59-00:01", 64, 1439, 1},
	};
	static const char *const bad[] = {"", "Mon", "Mon 08:00", "Mon 8:00-9:00", "Mon 08:00-08:00",
		"mon 08:00-09:00", "Mon-Fri 08:00-09:00", "Mon..Fry 08:00-09:00", "Mon 24:00-09:00",
		"Mon 08:60-09:00", "Mon 08:00-24:01", "Mon 08:00-09:00 ", "Mon, 08:00-09:00",
		"Mon 12:00-00:00", "daily, Mon 08:00-09:00", "Mon  08:00-09:00"};
	struct week_span span;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ok(span_parse(good[i].text, &span) && span.days == good[i].days &&
				span.from == good[i].from && span.to == good[i].to,
			"\"%s\"", good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!span_parse(bad[i], &span), "not \"%s\"", bad[i]);
}

static void test_days(void)
{
	static const char *const bad[] = {"", "2026-2-01", "2026-02-29", "2026-13-01", "2026-00-01",
		"2026-01-01..2025-12-31", "2026-01-01..", "2026-01-01 ", "x"};
	int64_t first, last;

	ok(days_parse("2024-02-29", &first, &last) && first == 19782 && last == 19782, "a leap day");
	ok(days_parse("2025-12-24..2026-01-01", &first, &last) && last - first == 8, "nine days");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!days_parse(bad[i], &first, &last), "not \"%s\"", bad[i]);
	ok(moment_parse("1970-01-02 00:01", &first) && first == 86460, "a moment");
	ok(!moment_parse("1970-01-02", &first) && !moment_parse("1970-01-02 00:01:00", &first),
		"only to the minute");
}

/* --- by the week ------------------------------------------------------------------------ */

static void is_open(const char *zone, const char *open, const char *closed, const char *when, bool want)
{
	json_t *spans = json_pack("[s]", open);
	json_t *days = closed != NULL ? json_pack("[s]", closed) : NULL;
	struct calendar calendar;

	ok(calendar_open(&calendar, "it", zone, spans, days) &&
			calendar_is_open(&calendar, at(when)) == want,
		"%s %s%s%s: %s at %sZ", zone, open, closed != NULL ? ", but not " : "",
		closed != NULL ? closed : "", want ? "open" : "closed", when);
	calendar_close(&calendar);
	json_decref(spans);
	json_decref(days);
}

static void test_week(void)
{
	static const char office[] = "Mon..Fri 08:00-18:00", night[] = "Sat 22:00-06:00";
	static const char berlin[] = "Europe/Berlin";

	is_open("UTC", office, NULL, "2026-03-02T08:00", true); /* a Monday */
	is_open("UTC", office, NULL, "2026-03-02T07:59", false);
	is_open("UTC", office, NULL, "2026-03-02T17:59", true);
	is_open("UTC", office, NULL, "2026-03-02T18:00", false);
	is_open("UTC", office, NULL, "2026-03-01T12:00", false);
	is_open(berlin, office, NULL, "2026-03-27T07:00", true); /* the last working day of winter */
	is_open(berlin, office, NULL, "2026-03-27T06:59", false);
	is_open(berlin, office, NULL, "2026-03-30T06:00", true); /* the first of summer */
	is_open(berlin, office, NULL, "2026-03-30T16:00", false);
	is_open(berlin, office, "2026-12-25", "2026-12-25T10:00", false);
	is_open(berlin, office, "2026-12-24..2027-01-01", "2026-12-28T10:00", false);
	is_open(berlin, office, "2026-12-24..2027-01-01", "2027-01-04T10:00", true);
	is_open("UTC", night, NULL, "2026-02-28T22:00", true); /* a Saturday */
	is_open("UTC", night, NULL, "2026-03-01T05:59", true);
	is_open("UTC", night, NULL, "2026-03-01T06:00", false);
	is_open("UTC", night, NULL, "2026-03-01T22:00", false);
	is_open("UTC", night, "2026-02-28", "2026-03-01T05:00", false); /* it belongs to that Saturday */
	is_open("UTC", night, "2026-03-01", "2026-03-01T05:00", true);
	is_open("UTC", "Sun 23:00-01:00", NULL, "2026-03-02T00:30", true); /* over the week's end */
	is_open("UTC", "daily 00:00-24:00", NULL, "1969-12-31T23:59", true);
	is_open("Asia/Kolkata", office, NULL, "2026-03-02T02:30", true);
	is_open("America/New_York", office, NULL, "2026-03-06T23:30", false);
	/* 2026-03-29 has no time from 02:00 to 03:00, and 2026-10-25 has it twice. */
	is_open(berlin, "Sun 02:00-03:00", NULL, "2026-03-29T00:59", false);
	is_open(berlin, "Sun 02:00-03:00", NULL, "2026-03-29T01:00", false);
	is_open(berlin, "Sun 02:00-03:00", NULL, "2026-10-25T00:30", true);
	is_open(berlin, "Sun 02:00-03:00", NULL, "2026-10-25T01:30", true);
	is_open(berlin, "Sun 02:00-03:00", NULL, "2026-10-25T02:00", false);
}

/* --- maintenance ------------------------------------------------------------------------ */

static void is_maintained(const char *window, const char *from, const char *to, const char *want)
{
	json_t *tree = json_pack("{s:{s:{s:s, s:[s]}}, s:[o]}", "calendars", "patches", "zone",
		"Europe/Berlin", "open", "Sun 04:00-05:00", "maintenance",
		json_loads(window, 0, NULL));
	struct plan plan;

	plan_build(tree, &plan);
	is_string(plan_maintenance(&plan, at(from), at(to)), want, window);
	plan_free(&plan);
	json_decref(tree);
}

static void test_maintenance(void)
{
	static const char once[] = "{\"name\": \"up\", \"zone\": \"Europe/Berlin\", "
				   "\"from\": \"2026-10-25 02:30\", \"to\": \"2026-10-25 02:45\"}";
	static const char weekly[] = "{\"name\": \"w\", \"zone\": \"UTC\", "
				     "\"weekly\": [\"Sun 04:00-04:10\"]}";
	static const char named[] = "{\"name\": \"n\", \"calendar\": \"patches\"}";

	/* What is shown twice: from the first time on, until the second. */
	is_maintained(once, "2026-10-25T00:20", "2026-10-25T00:29", NULL);
	is_maintained(once, "2026-10-25T00:20", "2026-10-25T00:30", "up");
	is_maintained(once, "2026-10-25T01:10", "2026-10-25T01:11", "up");
	is_maintained(once, "2026-10-25T01:44", "2026-10-25T01:50", "up");
	is_maintained(once, "2026-10-25T01:45", "2026-10-25T01:50", NULL);
	is_maintained(weekly, "2026-03-01T03:00", "2026-03-01T03:59", NULL);
	is_maintained(weekly, "2026-03-01T03:00", "2026-03-01T04:00", "w");
	is_maintained(weekly, "2026-03-01T03:00", "2026-03-01T06:00", "w"); /* over all of it */
	is_maintained(weekly, "2026-03-01T04:09", "2026-03-01T04:30", "w");
	is_maintained(weekly, "2026-03-01T04:10", "2026-03-01T04:30", NULL);
	is_maintained(named, "2026-03-01T03:30", "2026-03-01T03:31", "n");
	is_maintained(named, "2026-07-05T02:30", "2026-07-05T02:31", "n");
	is_maintained(named, "2026-07-05T03:30", "2026-07-05T03:31", NULL);
}

int main(void)
{
	test_spans();
	test_days();
	test_week();
	test_maintenance();
	return done_testing();
}
