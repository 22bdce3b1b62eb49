/* zone - what clocks on the wall show, by the tz database of the system (RFC 8536).
 *
 * localtime(3) knows one zone a process; scenarios have several.
 */
#ifndef MAILPROBE_ZONE_H
#define MAILPROBE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

struct zone;

#define ZONE_NAME_MAX 64

/* The zone of that name, such as Europe/Berlin; UTC is known without a file. NULL if there is none, or
 * if its file makes no sense. Opens a file: not for the jail. */
struct zone *zone_load(const char *name);
void zone_free(struct zone **zone);

/* The known name most like a wrong one; false if there is none near. */
bool zone_nearest(const char *wrong, char name[static ZONE_NAME_MAX]);

/* Seconds east of UTC at an instant, in seconds since 1970-01-01 UTC. */
int32_t zone_offset(const struct zone *zone, int64_t at);

/* The instant at which clocks show that time (seconds since 1970-01-01 00:00 as they show it). What they
 * show twice happens first, or (`last`) then once more; what they leave out is counted by the clock as it
 * went before. */
int64_t zone_instant(const struct zone *zone, int64_t shown, bool last);

/* Days since 1970-01-01 of a date, and back. Months and days count from 1. */
int64_t zone_days(int year, int month, int day);
void zone_date(int64_t days, int *year_r, int *month_r, int *day_r);

#endif
