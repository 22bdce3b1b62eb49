#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "ban.h"

static int64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_thread_cpu(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_boot(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

struct clock_discipline clock_discipline(void)
{
	struct timex now = {.modes = 0};

	/* TIME_ERROR, too, is what STA_UNSYNC makes of the state. */
	if (adjtimex(&now) == -1)
		return (struct clock_discipline){.synchronised = false};
	return (struct clock_discipline){.synchronised = (now.status & STA_UNSYNC) == 0,
		.error_seconds = (double)now.maxerror / 1e6};
}

struct clock_origin clock_origin_now(void)
{
	struct clock_origin origin = {.monotonic_ns = clock_now(), .wall_ns = clock_wall()};

	return origin;
}

int64_t clock_label(struct clock_origin origin, int64_t monotonic_ns)
{
	return origin.wall_ns + (monotonic_ns - origin.monotonic_ns);
}

struct deadline deadline_in(int64_t ns)
{
	struct deadline deadline = {.at_ns = clock_now() + ns};

	return deadline;
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
	return a.at_ns < b.at_ns ? a : b;
}

bool deadline_passed(struct deadline deadline)
{
	return clock_now() >= deadline.at_ns;
}

int64_t deadline_left(struct deadline deadline)
{
	int64_t left = deadline.at_ns - clock_now();

	return left > 0 ? left : 0;
}

int deadline_left_ms(struct deadline deadline)
{
	int64_t ms = (deadline_left(deadline) + NS_PER_MS - 1) / NS_PER_MS;

	return ms > INT_MAX ? INT_MAX : (int)ms;
}

double clock_seconds(int64_t ns)
{
	return (double)llround((double)ns / 1000.0) / 1e6;
}

void clock_format(int64_t wall_ns, char text[static CLOCK_TIMESTAMP_SIZE])
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	int micros = (int)(wall_ns % NS_PER_SECOND / 1000);
	struct tm utc;
	size_t used;

	gmtime_r(&seconds, &utc);
	used = strftime(text, CLOCK_TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + used, CLOCK_TIMESTAMP_SIZE - used, ".%06dZ", micros);
}

int clock_parse(const char *text, int64_t *wall_ns_r)
{
	struct tm utc = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	int64_t fraction = 0;

	if (rest == NULL)
		return -1;
	if (*rest == '.') {
		int64_t unit = NS_PER_SECOND / 10;

		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction += (*rest - '0') * unit;
	}
	if (strcmp(rest, "Z") != 0)
		return -1;
	*wall_ns_r = (int64_t)timegm(&utc) * NS_PER_SECOND + fraction;
	return 0;
}

void clock_sleep_until(struct deadline deadline)
{
	struct timespec at = {
		.tv_sec = deadline.at_ns / NS_PER_SECOND, .tv_nsec = deadline.at_ns % NS_PER_SECOND};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}
