#include "timings.h"

#include "clock.h"

#include "ban.h"

static void close_open(struct timings *timings, int64_t now)
{
	if (timings->open)
		timings->phases[timings->count - 1].end_ns = now;
	timings->open = false;
}

void timings_begin(struct timings *timings, const char *name)
{
	int64_t now = clock_now();
	struct phase *phase;

	close_open(timings, now);
	/* A full table goes on in its last phase rather than lose time. */
	if (timings->count == TIMINGS_MAX) {
		timings->open = true;
		return;
	}
	phase = &timings->phases[timings->count++];
	*phase = (struct phase){.name = name, .begin_ns = now, .end_ns = now};
	timings->open = true;
	if (timings->observe != NULL)
		timings->observe(timings->context, name);
}

void timings_pause(struct timings *timings)
{
	close_open(timings, clock_now());
}

void timings_resume(struct timings *timings)
{
	struct phase *phase;
	int64_t away;

	if (timings->open || timings->count == 0)
		return;
	phase = &timings->phases[timings->count - 1];
	away = clock_now() - phase->end_ns;
	phase->excluded_ns += away;
	timings->excluded_ns += away;
	timings->open = true;
}

static int64_t duration_of(const struct phase *phase)
{
	return phase->end_ns - phase->begin_ns - phase->excluded_ns;
}

void timings_waited(struct timings *timings, unsigned int round_trips, int64_t waited_ns)
{
	struct phase *phase;

	if (!timings->open)
		return;
	phase = &timings->phases[timings->count - 1];
	phase->round_trips += round_trips;
	phase->waited_ns += waited_ns;
}

const char *timings_current(const struct timings *timings)
{
	return timings->count > 0 ? timings->phases[timings->count - 1].name : "";
}

int64_t timings_total(const struct timings *timings)
{
	int64_t total = 0;

	for (size_t i = 0; i < timings->count; i++)
		total += duration_of(&timings->phases[i]);
	return total;
}

/* What was waited for and was not the network, is the server's. */
static void add_server(const struct timings *timings, const struct phase *phase, json_t *to)
{
	int64_t server = phase->waited_ns - phase->round_trips * timings->rtt_ns;

	if (phase->round_trips == 0)
		return;
	json_object_set_new(to, "round_trips", json_integer(phase->round_trips));
	if (timings->rtt_ns > 0)
		json_object_set_new(to, "server_seconds",
			json_real(clock_seconds(server > 0 ? server : 0)));
}

json_t *timings_json(const struct timings *timings, int64_t origin_ns)
{
	json_t *array = json_array();

	for (size_t i = 0; i < timings->count; i++) {
		const struct phase *phase = &timings->phases[i];

		json_t *object = json_pack("{s:s, s:f, s:f}", "name", phase->name, "start_seconds",
			clock_seconds(phase->begin_ns - origin_ns), "duration_seconds",
			clock_seconds(duration_of(phase)));

		add_server(timings, phase, object);
		json_array_append_new(array, object);
	}
	return array;
}
