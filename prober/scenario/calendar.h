/* calendar - when something is open, as clocks of a place show it: times of the week, but for some days.
 *
 *	Mon..Fri 08:00-18:00    also Sat,Sun 10:00-12:00; daily 02:00-04:00
 *	Sat 22:00-06:00         goes over midnight, and belongs to Saturday
 *	2026-12-25              a day that is left out, or 2026-12-24..2027-01-01
 *
 * What clocks show is what counts: a time that they show twice is open twice, and one that they leave out
 * is not there that day.
 */
#ifndef MAILPROBE_CALENDAR_H
#define MAILPROBE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "zone.h"

/* A time of the week. */
struct week_span {
	unsigned int days; /* one bit each, Monday is 1 */
	int from, to;      /* minutes after midnight; `to` not above `from`: on the next day */
};

/* False if it is none. */
bool span_parse(const char *text, struct week_span *span_r);

/* One date, or two with ".." between them, as days since 1970-01-01. */
bool days_parse(const char *text, int64_t *first_r, int64_t *last_r);

/* 2026-03-01 02:00, as seconds since 1970-01-01 00:00 as the same clock shows it. */
bool moment_parse(const char *text, int64_t *shown_r);

struct calendar {
	const char *name;
	struct zone *zone;
	const json_t *open;   /* texts of spans */
	const json_t *closed; /* texts of days, or NULL */
};

/* Texts are lent, and were checked; false if the zone's file is gone. calendar_close in any case. */
bool calendar_open(struct calendar *calendar, const char *name, const char *zone, const json_t *open,
	const json_t *closed);
void calendar_close(struct calendar *calendar);

/* Nanoseconds since 1970-01-01 UTC. */
bool calendar_is_open(const struct calendar *calendar, int64_t at_ns);

/* Whether it is open at any time between two instants, these included. */
bool calendar_is_open_between(const struct calendar *calendar, int64_t from_ns, int64_t to_ns);

#endif
