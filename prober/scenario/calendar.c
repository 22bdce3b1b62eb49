#include "calendar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "error_type.h"

#include "ban.h"

#define DAY 86400
#define MINUTE 60
#define MINUTE_NS (MINUTE * NS_PER_SECOND)
#define ALL_DAYS 127U

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};

/* --- reading ---------------------------------------------------------------------------- */

static bool take(const char **text, const char *wanted)
{
	size_t length = strlen(wanted);

	if (strncmp(*text, wanted, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool take_digits(const char **text, int digits, int *number_r)
{
	*number_r = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*number_r = *number_r * 10 + (**text - '0');
	}
	return true;
}

static bool take_minutes(const char **text, int *minutes_r)
{
	int hours, minutes;

	if (!take_digits(text, 2, &hours) || !take(text, ":") || !take_digits(text, 2, &minutes))
		return false;
	*minutes_r = hours * 60 + minutes;
	return minutes < 60 && *minutes_r <= 24 * 60;
}

static bool take_day(const char **text, int *day_r)
{
	char name[4];

	snprintf(name, sizeof(name), "%.3s", *text);
	*day_r = name_index(day_names, name);
	*text += *day_r >= 0 ? 3 : 0;
	return *day_r >= 0;
}

/* Mon, or Mon..Fri, which may go over the end of the week */
static bool take_days(const char **text, unsigned int *days)
{
	int first, last;

	if (!take_day(text, &first))
		return false;
	last = first;
	if (take(text, "..") && !take_day(text, &last))
		return false;
	for (int day = first; day != last; day = (day + 1) % 7)
		*days |= 1U << day;
	*days |= 1U << last;
	return true;
}

bool span_parse(const char *text, struct week_span *span_r)
{
	struct week_span span = {.days = 0};

	if (take(&text, "daily"))
		span.days = ALL_DAYS;
	else
		do {
			if (!take_days(&text, &span.days))
				return false;
		} while (take(&text, ","));
	if (!take(&text, " ") || !take_minutes(&text, &span.from) || !take(&text, "-") ||
		!take_minutes(&text, &span.to) || *text != '\0')
		return false;
	*span_r = span;
	return span.from != span.to && span.from < 24 * 60 && span.to > 0;
}

static bool take_date(const char **text, int64_t *days_r)
{
	int year, month, day, checked_year, checked_month, checked_day;

	if (!take_digits(text, 4, &year) || !take(text, "-") || !take_digits(text, 2, &month) ||
		!take(text, "-") || !take_digits(text, 2, &day) || month < 1 || month > 12)
		return false;
	*days_r = zone_days(year, month, day);
	zone_date(*days_r, &checked_year, &checked_month, &checked_day);
	return checked_month == month && checked_day == day;
}

bool days_parse(const char *text, int64_t *first_r, int64_t *last_r)
{
	if (!take_date(&text, first_r))
		return false;
	*last_r = *first_r;
	if (take(&text, "..") && !take_date(&text, last_r))
		return false;
	return *text == '\0' && *first_r <= *last_r;
}

bool moment_parse(const char *text, int64_t *shown_r)
{
	int64_t days;
	int minutes;

	if (!take_date(&text, &days) || !take(&text, " ") || !take_minutes(&text, &minutes))
		return false;
	*shown_r = days * DAY + minutes * MINUTE;
	return *text == '\0';
}

/* --- the whole -------------------------------------------------------------------------- */

bool calendar_open(struct calendar *calendar, const char *name, const char *zone, const json_t *open,
	const json_t *closed)
{
	*calendar = (struct calendar){name, zone_load(zone), open, closed};
	return calendar->zone != NULL;
}

void calendar_close(struct calendar *calendar)
{
	zone_free(&calendar->zone);
}

/* --- asking ----------------------------------------------------------------------------- */

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

static bool is_left_out(const struct calendar *calendar, int64_t day)
{
	int64_t first, last;
	json_t *text;
	size_t index;

	json_array_foreach(calendar->closed, index, text)
		if (days_parse(json_string_value(text), &first, &last) && day >= first && day <= last)
			return true;
	return false;
}

/* Whether the span of that day is open so many minutes after its midnight. */
static bool is_in(const struct calendar *calendar, const struct week_span *span, int64_t day, int minute)
{
	/* 1970-01-01 was a Thursday, 3. */
	int weekday = (int)(((day + 3) % 7 + 7) % 7);
	int to = span->to > span->from ? span->to : span->to + 24 * 60;

	return (span->days >> weekday & 1) != 0 && minute >= span->from && minute < to &&
		!is_left_out(calendar, day);
}

bool calendar_is_open(const struct calendar *calendar, int64_t at_ns)
{
	int64_t at = floor_div(at_ns, NS_PER_SECOND);
	int64_t shown = at + zone_offset(calendar->zone, at), day = floor_div(shown, DAY);
	int minute = (int)((shown - day * DAY) / MINUTE);
	struct week_span span;
	json_t *text;
	size_t index;

	json_array_foreach(calendar->open, index, text)
	{
		if (!span_parse(json_string_value(text), &span))
			continue;
		if (is_in(calendar, &span, day, minute) ||
			is_in(calendar, &span, day - 1, minute + 24 * 60))
			return true;
	}
	return false;
}

/* Nothing opens or closes within a minute. */
bool calendar_is_open_between(const struct calendar *calendar, int64_t from_ns, int64_t to_ns)
{
	for (int64_t at_ns = from_ns; at_ns < to_ns;
		at_ns = (floor_div(at_ns, MINUTE_NS) + 1) * MINUTE_NS)
		if (calendar_is_open(calendar, at_ns))
			return true;
	return calendar_is_open(calendar, to_ns);
}
