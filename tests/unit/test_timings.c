/* Phases: what lies between two of them belongs to one of them, and they add up. */
#include "clock.h"
#include "tap.h"
#include "timings.h"

static void spend(int64_t ms)
{
	clock_sleep_until(deadline_in(ms * NS_PER_MS));
}

static void test_empty(void)
{
	struct timings timings = {0};
	json_t *array = timings_json(&timings, 0);

	is_string(timings_current(&timings), "", "no phase yet");
	is_integer(timings_total(&timings), 0, "no time yet");
	is_integer(json_array_size(array), 0, "what was not reached is absent");
	timings_pause(&timings);
	is_integer((long long)timings.count, 0, "a pause before the first is nothing");
	json_decref(array);
}

static void test_adjacent(void)
{
	struct timings timings = {0};

	timings_begin(&timings, "resolve");
	spend(2);
	timings_begin(&timings, "connect");
	spend(2);
	timings_begin(&timings, "tls");
	timings_pause(&timings);
	is_string(timings_current(&timings), "tls", "the last one");
	is_integer(timings.phases[0].end_ns, timings.phases[1].begin_ns, "no gap");
	is_integer(timings.phases[1].end_ns, timings.phases[2].begin_ns, "nor here");
	is_integer(timings_total(&timings), timings.phases[2].end_ns - timings.phases[0].begin_ns,
		"they add up");
	ok(timings.phases[0].end_ns - timings.phases[0].begin_ns >= 2 * NS_PER_MS,
		"each has its time");
}

static void test_pause(void)
{
	struct timings timings = {0};
	int64_t begun = clock_now();

	timings_begin(&timings, "rcpt");
	timings_pause(&timings);
	spend(20);
	timings_pause(&timings);
	timings_begin(&timings, "data");
	timings_pause(&timings);
	ok(timings_total(&timings) < 15 * NS_PER_MS && clock_now() - begun >= 20 * NS_PER_MS,
		"a pause belongs to no phase");
	ok(timings.phases[1].begin_ns - timings.phases[0].end_ns >= 20 * NS_PER_MS,
		"and is seen between them");
}

static void test_resume(void)
{
	struct timings timings = {0};
	int64_t whole;

	timings_resume(&timings);
	is_integer((long long)timings.count, 0, "before the first phase there is nothing to resume");
	timings_begin(&timings, "auth");
	timings_pause(&timings);
	spend(20);
	timings_resume(&timings);
	spend(2);
	timings_resume(&timings);
	timings_pause(&timings);
	whole = timings.phases[0].end_ns - timings.phases[0].begin_ns;
	is_integer((long long)timings.count, 1, "a phase goes on after a pause");
	ok(timings.excluded_ns >= 20 * NS_PER_MS, "what lay between is known");
	is_integer(timings_total(&timings), whole - timings.excluded_ns, "and left out");
	ok(timings_total(&timings) >= 2 * NS_PER_MS, "what came after it is not");
}

struct seen {
	int count;
	const char *last;
};

static void observe(void *context, const char *phase)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = phase;
}

static void test_full(void)
{
	struct seen seen = {0};
	struct timings timings = {.observe = observe, .context = &seen};
	int64_t begun = clock_now(), total;

	for (int i = 0; i < 3 * TIMINGS_MAX; i++)
		timings_begin(&timings, i % 2 ? "noop" : "wait");
	spend(5);
	timings_pause(&timings);
	total = clock_now() - begun;
	is_integer((long long)timings.count, TIMINGS_MAX, "a full table takes no more");
	ok(timings_total(&timings) >= 5 * NS_PER_MS && timings_total(&timings) <= total,
		"but loses no time");
	is_integer(seen.count, TIMINGS_MAX, "each phase was seen to begin");
	is_string(seen.last, "noop", "the last one, too");
}

static void test_json(void)
{
	struct timings timings = {.count = 2,
		.phases = {{"connect", 1000000000, 1250000000}, {"auth", 1250000000, 1250001499}}};
	json_t *array = timings_json(&timings, 500000000);
	char *text = json_dumps(array, JSON_COMPACT | JSON_REAL_PRECISION(9));

	is_string(text,
		"[{\"name\":\"connect\",\"start_seconds\":0.5,\"duration_seconds\":0.25},"
		"{\"name\":\"auth\",\"start_seconds\":0.75,\"duration_seconds\":1e-6}]",
		"the record's array");
	free(text);
	json_decref(array);
}

/* As every step's record must: the rounding of 32 phases is far below a millisecond. */
static void test_sum(void)
{
	struct timings timings = {0};
	json_t *array, *phase;
	double sum = 0;
	size_t index;

	for (int i = 0; i < TIMINGS_MAX; i++) {
		timings_begin(&timings, "phase");
		for (volatile int j = 0; j < 1000; j = j + 1)
			;
	}
	timings_pause(&timings);
	array = timings_json(&timings, timings.phases[0].begin_ns);
	json_array_foreach(array, index, phase) sum +=
		json_number_value(json_object_get(phase, "duration_seconds"));
	is_near(sum, clock_seconds(timings_total(&timings)), 0.00005, "rounded, they add up");
	json_decref(array);
}

/* Half a millisecond a round trip: what is left of the wait is the server's, and never negative. */
static void test_server(void)
{
	struct timings timings = {.rtt_ns = 500000};
	json_t *array;

	timings_waited(&timings, 1, 1); /* before the first phase it is nobody's */
	timings_begin(&timings, "auth");
	timings_waited(&timings, 1, 2000000);
	timings_waited(&timings, 1, 3000000);
	timings_waited(&timings, 0, 1000000);
	timings_begin(&timings, "select");
	timings_waited(&timings, 1, 400000);
	timings_begin(&timings, "wait");
	timings_pause(&timings);
	timings_waited(&timings, 1, 1000000);
	array = timings_json(&timings, 0);
	is_integer(json_integer_value(json_object_get(json_array_get(array, 0), "round_trips")), 2,
		"round trips are counted by phase");
	is_near(json_number_value(json_object_get(json_array_get(array, 0), "server_seconds")),
		0.005, 1e-9, "the server has what the network has not");
	is_near(json_number_value(json_object_get(json_array_get(array, 1), "server_seconds")), 0,
		1e-9, "which is never negative");
	ok(json_object_get(json_array_get(array, 2), "round_trips") == NULL &&
			json_object_get(json_array_get(array, 2), "server_seconds") == NULL,
		"where nobody was waited for, nothing is said");
	json_decref(array);
	timings.rtt_ns = 0;
	array = timings_json(&timings, 0);
	ok(json_object_get(json_array_get(array, 0), "server_seconds") == NULL,
		"nor where the network is not known");
	json_decref(array);
}

int main(void)
{
	test_empty();
	test_adjacent();
	test_pause();
	test_resume();
	test_full();
	test_json();
	test_sum();
	test_server();
	return done_testing();
}
