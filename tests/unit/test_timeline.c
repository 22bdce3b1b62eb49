/* What a timeline says is true, whatever the clocks: against courses of events that are made up. */
#include "timeline.h"

#include "clock.h"
#include "tap.h"

#define BASE (INT64_C(1795465913) * NS_PER_SECOND + 123456789)
#define ROUNDS 20000

static uint64_t seed = 20261123;

/* xorshift64*: the same numbers everywhere. */
static int64_t chance(int64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (int64_t)((seed * UINT64_C(2685821657736338717)) >> 1) % below;
}

static int64_t floor_to(int64_t at, int64_t step)
{
	return at - ((at % step) + step) % step;
}

static struct stop stamp(const char *clock, int64_t at, int64_t offset, int64_t resolution)
{
	return (struct stop){.clock = clock,
		.stamped = true,
		.stamp_ns = floor_to(at + offset, resolution),
		.resolution_ns = resolution};
}

/* --- courses of events that are made up ------------------------------------------------ */

static const char *const clocks[] = {"a.test", "B.test", "c.test", "d.test", "e.test", "f.test"};
#define CLOCKS 6

struct truth {
	int64_t at[TIMELINE_MAX + 1]; /* of each stop, then of the arrival */
	int64_t offsets[CLOCKS];
	size_t clock[TIMELINE_MAX];
};

static int64_t random_offset(void)
{
	static const int64_t spans[] = {1, NS_PER_MS, NS_PER_SECOND, 10 * NS_PER_SECOND,
		3600 * NS_PER_SECOND, INT64_C(1000000) * 3600 * NS_PER_SECOND};
	int64_t span = spans[chance(6)];

	return chance(2 * span) - span;
}

static int64_t random_step(void)
{
	static const int64_t spans[] = {
		NS_PER_MS, NS_PER_SECOND, 10 * NS_PER_SECOND, 600 * NS_PER_SECOND};

	return chance(spans[chance(4)]);
}

static void make_up(struct timeline *timeline, struct truth *truth)
{
	static const int64_t resolutions[] = {
		NS_PER_SECOND, NS_PER_SECOND, NS_PER_SECOND, NS_PER_MS, 60 * NS_PER_SECOND};
	int64_t at = BASE + random_step();

	*timeline = (struct timeline){.offered_ns = BASE, .count = (size_t)chance(9)};
	for (size_t i = 0; i < CLOCKS; i++)
		truth->offsets[i] = random_offset();
	for (size_t i = 0; i < timeline->count; i++, at += random_step()) {
		size_t clock = (size_t)chance(CLOCKS);

		truth->at[i] = at;
		truth->clock[i] = clock;
		timeline->stops[i] =
			stamp(clocks[clock], at, truth->offsets[clock], resolutions[chance(5)]);
		timeline->stops[i].stamped = chance(10) > 0;
	}
	truth->at[timeline->count] = at;
	if (timeline->count > 0 && chance(2) == 0) {
		timeline->first_is_peer = true;
		timeline->accepted_ns = truth->at[0] + random_step();
	}
	if (chance(4) > 0 && at - BASE > 0)
		timeline->absent_ns = at - chance(at - BASE);
	timeline->present_ns = at + random_step();
	if (timeline->present_ns < timeline->accepted_ns)
		timeline->present_ns = timeline->accepted_ns;
}

static bool is_within(int64_t value, struct bounds bounds)
{
	return bounds.min_ns <= value && value <= bounds.max_ns;
}

/* NULL if all is true, else what is not. */
static const char *lie(const struct timeline *timeline, const struct truth *truth)
{
	for (size_t i = 0; i < timeline->count; i++) {
		const struct stop *stop = &timeline->stops[i];

		if (!is_within(truth->at[i + 1] - truth->at[i], stop->delay))
			return "a delay is out of its bounds";
		if (stop->delay.min_ns < 0 || stop->delay.max_ns < stop->delay.min_ns)
			return "bounds of a delay are negative or empty";
		if (stop->known && !is_within(stop->delay_ns, stop->delay))
			return "a figure is out of its own bounds";
		if (stop->stamped && !is_within(truth->offsets[truth->clock[i]], stop->offset))
			return "a clock is out of its bounds";
		if (stop->stamped && stop->skewed && is_within(0, stop->offset))
			return "a clock that may be right is called wrong";
	}
	return timeline->contradictory ? "a course of events that happened is a contradiction"
				       : NULL;
}

static void test_truth(void)
{
	struct timeline timeline;
	struct truth truth;
	const char *found = NULL;
	int round = 0;

	for (; round < ROUNDS && found == NULL; round++) {
		make_up(&timeline, &truth);
		timeline_solve(&timeline);
		found = lie(&timeline, &truth);
	}
	if (!ok(found == NULL, "the truth is within the bounds of %d courses of events", ROUNDS))
		diag("%s, in round %d", found, round);
}

/* Anything at all may be stamped: nothing is negative, nothing overflows. */
static void test_nonsense(void)
{
	struct timeline timeline;
	struct truth truth;
	int bad = 0, contradictions = 0;

	for (int round = 0; round < ROUNDS; round++) {
		make_up(&timeline, &truth);
		for (size_t i = 0; i < timeline.count; i++)
			timeline.stops[i].stamp_ns = chance(INT64_C(7300000000) * NS_PER_SECOND);
		timeline_solve(&timeline);
		contradictions += timeline.contradictory;
		for (size_t i = 0; i < timeline.count; i++)
			bad += timeline.stops[i].delay.min_ns < 0 ||
				timeline.stops[i].delay.max_ns >
					timeline.present_ns - timeline.offered_ns + 1000 ||
				!is_within(timeline.stops[i].delay_ns, timeline.stops[i].delay);
	}
	is_integer(bad, 0, "no stamp makes a delay negative, or longer than all there was");
	ok(contradictions > 0, "stamps that contradict each other are seen");
}

/* --- what must be found ---------------------------------------------------------------- */

#define SECONDS(x) ((int64_t)((x) * (double)NS_PER_SECOND))

static struct timeline seen_between(double absent, double present)
{
	return (struct timeline){.offered_ns = BASE,
		.accepted_ns = BASE + SECONDS(0.1),
		.absent_ns = BASE + SECONDS(absent),
		.present_ns = BASE + SECONDS(present),
		.first_is_peer = true};
}

static void add(struct timeline *timeline, const char *clock, double at, double offset)
{
	timeline->stops[timeline->count++] =
		stamp(clock, BASE + SECONDS(at), SECONDS(offset), NS_PER_SECOND);
}

/* A queue that holds a mail for five seconds, between two stamps of one host. */
static void test_one_clock(void)
{
	struct timeline timeline = seen_between(5.1, 5.2);

	add(&timeline, "mx.test", 0.05, -7);
	add(&timeline, "MX.test", 5.05, -7);
	timeline_solve(&timeline);
	ok(timeline.stops[0].delay.min_ns >= SECONDS(3.9) &&
			timeline.stops[0].delay.max_ns <= SECONDS(5.2),
		"two stamps of one clock that is wrong tell the time between them");
	ok(timeline.stops[0].offset.min_ns >= SECONDS(-8.2) &&
			timeline.stops[0].offset.max_ns <= SECONDS(-6),
		"and by how much it is wrong");
	ok(timeline.stops[0].skewed, "which is said");
	ok(timeline.stops[0].known, "the delay is known");
}

static void test_fast_mail(void)
{
	struct timeline timeline = seen_between(0.2, 0.3);

	add(&timeline, "mx.test", 0.05, 3600);
	add(&timeline, "store.test", 0.1, -7);
	timeline_solve(&timeline);
	ok(timeline.stops[0].skewed && is_within(SECONDS(3600), timeline.stops[0].offset) &&
			timeline.stops[0].offset.max_ns - timeline.stops[0].offset.min_ns <
				SECONDS(1.2),
		"a clock an hour ahead is known to a second");
	ok(timeline.stops[1].skewed && timeline.stops[1].offset.max_ns <= SECONDS(-5.9),
		"as is one that is seven seconds back");
	ok(timeline.stops[0].known && timeline.stops[1].known &&
			timeline.stops[0].delay.max_ns <= SECONDS(0.3),
		"no hop of a fast mail took longer than the mail");
}

static void test_unknown(void)
{
	struct timeline timeline = seen_between(59.9, 60);

	add(&timeline, "mx.test", 0.05, 0);
	add(&timeline, "filter.test", 1, 3600);
	add(&timeline, "store.test", 59, 0);
	timeline_solve(&timeline);
	ok(!timeline.stops[0].known && !timeline.stops[1].known,
		"on both sides of a clock that is wrong by an unknown amount, nothing is invented");
	ok(timeline.stops[0].delay.min_ns == 0 && timeline.stops[1].delay.min_ns == 0 &&
			timeline.stops[0].delay.max_ns >= SECONDS(58),
		"the bounds are honest");
	ok(timeline.stops[2].known && timeline.stops[2].delay_ns <= SECONDS(2),
		"what does not depend on it is known");
}

static void test_right_clocks(void)
{
	struct timeline timeline = seen_between(30.1, 30.2);

	add(&timeline, "mx.test", 0.05, 0);
	add(&timeline, "filter.test", 0.06, 0);
	add(&timeline, "store.test", 30, 0);
	timeline_solve(&timeline);
	ok(timeline.stops[1].known && timeline.stops[1].delay_ns > SECONDS(28.5) &&
			timeline.stops[1].delay_ns < SECONDS(30.2),
		"with clocks that may be right, the figure is what their stamps say");
	ok(timeline.stops[0].delay_ns + timeline.stops[1].delay_ns + timeline.stops[2].delay_ns <=
			SECONDS(30.2),
		"and the figures add up");
}

static void test_set_clock(void)
{
	struct timeline timeline = seen_between(1, 1.1);

	add(&timeline, "mx.test", 0.05, 0);
	add(&timeline, "mx.test", 0.5, -100);
	timeline_solve(&timeline);
	ok(timeline.contradictory, "a clock that was set on the way is a contradiction");
	ok(timeline.stops[0].delay.min_ns == 0 && timeline.stops[0].delay.max_ns <= SECONDS(1.1),
		"after which each stamp stands for itself");
}

int main(void)
{
	test_truth();
	test_nonsense();
	test_one_clock();
	test_fast_mail();
	test_unknown();
	test_right_clocks();
	test_set_clock();
	return done_testing();
}
