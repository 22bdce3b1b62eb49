/* Time: what is formatted is read back, deadlines never go below zero, labels never go back. */
#include <limits.h>

#include "clock.h"
#include "tap.h"

static void is_formatted(int64_t ns, const char *want)
{
	char text[CLOCK_TIMESTAMP_SIZE];
	int64_t back = -1;

	clock_format(ns, text);
	is_string(text, want, want);
	is_integer(clock_parse(text, &back), 0, "it can be read back");
	is_integer(back, ns / 1000 * 1000, "to the microsecond");
}

static void test_format(void)
{
	is_formatted(0, "1970-01-01T00:00:00.000000Z");
	is_formatted(INT64_C(1767225615000000000), "2026-01-01T00:00:15.000000Z");
	is_formatted(INT64_C(1767225615123456789), "2026-01-01T00:00:15.123456Z");
	is_formatted(INT64_C(1709251199999999000), "2024-02-29T23:59:59.999999Z");
	is_formatted(INT64_C(4102444800000001000), "2100-01-01T00:00:00.000001Z");
}

static void test_parse(void)
{
	static const char *const wrong[] = {"", "2026-01-01", "2026-01-01T00:00:15",
		"2026-01-01T00:00:15+01:00", "2026-13-01T00:00:15Z", "2026-01-01T00:00:15Zx",
		"yesterday", "2026-01-01T00:00:15.5"};
	int64_t ns = -7;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(clock_parse(wrong[i], &ns) == -1 && ns == -7, "no timestamp: \"%s\"", wrong[i]);
	ok(clock_parse("2026-01-01T00:00:15Z", &ns) == 0 && ns == INT64_C(1767225615000000000),
		"without a fraction");
	ok(clock_parse("2026-01-01T00:00:15.5Z", &ns) == 0 && ns == INT64_C(1767225615500000000),
		"with half a second");
}

static void test_seconds(void)
{
	is_near(clock_seconds(1500000000), 1.5, 0, "seconds");
	is_near(clock_seconds(1499), 0.000001, 0, "rounded to the microsecond");
	is_near(clock_seconds(1500), 0.000002, 0, "rounded up");
	is_near(clock_seconds(-2500000), -0.0025, 0, "negative");
}

static void test_deadlines(void)
{
	struct deadline soon = deadline_in(50 * NS_PER_MS), late = deadline_in(NS_PER_SECOND);
	struct deadline past = deadline_in(-NS_PER_SECOND);

	ok(!deadline_passed(soon) && deadline_left(soon) > 0, "one to come");
	ok(deadline_passed(past), "one that has passed");
	is_integer(deadline_left(past), 0, "nothing is left of it");
	is_integer(deadline_left_ms(past), 0, "not even a millisecond");
	is_integer(
		deadline_left_ms(deadline_in(NS_PER_MS / 1000)) <= 1, 1, "poll never ends short");
	is_integer(deadline_left_ms((struct deadline){.at_ns = INT64_MAX}), INT_MAX,
		"one at the end of time fits poll");
	ok(deadline_earlier(soon, late).at_ns == soon.at_ns, "the earlier of two");
	ok(deadline_earlier(late, soon).at_ns == soon.at_ns, "in any order");
	clock_sleep_until(soon);
	ok(deadline_passed(soon) && !deadline_passed(late), "sleeping lasts until then");
	clock_sleep_until(past);
	ok(!deadline_passed(late), "what has passed is not waited for");
}

static void test_labels(void)
{
	struct clock_origin origin = clock_origin_now();
	int64_t before = clock_now(), last = clock_label(origin, before);
	bool forwards = true;

	for (int i = 0; i < 10000; i++) {
		int64_t label = clock_label(origin, clock_now());

		forwards &= label >= last;
		last = label;
	}
	ok(forwards, "labels never go back");
	is_integer(clock_label(origin, origin.monotonic_ns), origin.wall_ns, "the origin's own");
	is_integer(clock_label(origin, origin.monotonic_ns - 5), origin.wall_ns - 5, "before it");
	ok(llabs((long long)(clock_wall() - clock_label(origin, clock_now()))) < NS_PER_SECOND,
		"they agree with the wall clock");
}

int main(void)
{
	test_format();
	test_parse();
	test_seconds();
	test_deadlines();
	test_labels();
	return done_testing();
}
