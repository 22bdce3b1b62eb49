/* clock - the one place where time is read.
 *
 * Durations come from the monotonic clock alone; the wall clock only labels. A run takes both
 * once at its start, and every timestamp is that label plus monotonic time since, so that a
 * stepped wall clock can never make a run go backwards.
 */
#ifndef MAILPROBE_CLOCK_H
#define MAILPROBE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* Monotonic nanoseconds. */
int64_t clock_now(void);

/* Nanoseconds since 1970-01-01 UTC, by the wall clock. */
int64_t clock_wall(void);

/* Nanoseconds of processor time that this thread has used so far. */
int64_t clock_thread_cpu(void);

/* Nanoseconds since the machine was started, those included in which it was suspended; the
 * monotonic clock stands still then. */
int64_t clock_boot(void);

/* What the kernel knows of the wall clock (adjtimex(2)). */
struct clock_discipline {
	bool synchronised;    /* something keeps it true: NTP, PTP */
	double error_seconds; /* what it may be off by at most, as whoever keeps it says */
};

/* A clock that the kernel says nothing about is not synchronised. Not for the jail. */
struct clock_discipline clock_discipline(void);

/* One instant read from both clocks. */
struct clock_origin {
	int64_t monotonic_ns;
	int64_t wall_ns;
};

struct clock_origin clock_origin_now(void);

/* The wall-clock label of a monotonic instant. */
int64_t clock_label(struct clock_origin origin, int64_t monotonic_ns);

/* An absolute monotonic instant, made once and passed down by value: nobody below takes a
 * "timeout". */
struct deadline {
	int64_t at_ns;
};

struct deadline deadline_in(int64_t ns);
struct deadline deadline_earlier(struct deadline a, struct deadline b);
bool deadline_passed(struct deadline deadline);
/* Nanoseconds left, never below 0. */
int64_t deadline_left(struct deadline deadline);
/* The same for poll(2): milliseconds, rounded up so that a poll never ends just short. */
int deadline_left_ms(struct deadline deadline);

/* Nanoseconds as decimal seconds, in microsecond steps. */
double clock_seconds(int64_t ns);

#define CLOCK_TIMESTAMP_SIZE 32
/* RFC 3339, UTC, microseconds: 2026-01-01T00:00:15.000000Z. */
void clock_format(int64_t wall_ns, char text[static CLOCK_TIMESTAMP_SIZE]);
/* Reads what clock_format writes; 0, or -1 if it is none. */
int clock_parse(const char *text, int64_t *wall_ns_r);

/* Sleeps until the deadline, over interruptions. */
void clock_sleep_until(struct deadline deadline);

#endif
