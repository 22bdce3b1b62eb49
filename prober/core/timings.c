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

json_t *timings_json(const struct timings *timings, int64_t origin_ns)
{
	json_t *array = json_array();

	for (size_t i = 0; i < timings->count; i++) {
		const struct phase *phase = &timings->phases[i];

		json_array_append_new(array,
			json_pack("{s:s, s:f, s:f}", "name", phase->name, "start_seconds",
				clock_seconds(phase->begin_ns - origin_ns), "duration_seconds",
				clock_seconds(duration_of(phase))));
	}
	return array;
}
