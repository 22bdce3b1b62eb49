#include "zone_rule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "zone.h"

#include "ban.h"

#define DAY 86400
#define HOUR 3600

/* --- reading ---------------------------------------------------------------------------- */

static bool take(const char **text, char wanted)
{
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

static bool take_number(const char **text, int least, int most, int *number_r)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)**text))
		return false;
	number = strtol(*text, &end, 10);
	*text = end;
	*number_r = (int)number;
	return number >= least && number <= most;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(const char **text, int32_t *seconds_r)
{
	int hours, minutes = 0, seconds = 0;
	bool negative = **text == '-';

	if (**text == '+' || **text == '-')
		(*text)++;
	if (!take_number(text, 0, 167, &hours) ||
		(take(text, ':') && !take_number(text, 0, 59, &minutes)) ||
		(take(text, ':') && !take_number(text, 0, 59, &seconds)))
		return false;
	*seconds_r = (hours * 60 + minutes) * 60 + seconds;
	if (negative)
		*seconds_r = -*seconds_r;
	return true;
}

/* CET, or <+03> */
static bool take_name(const char **text)
{
	size_t length = 0;

	if (**text == '<') {
		length = strcspn(*text, ">");
		*text += length;
		return length > 1 && take(text, '>');
	}
	while (isalpha((unsigned char)(*text)[length]))
		length++;
	*text += length;
	return length >= 3;
}

static bool take_change(const char **text, struct zone_change *change)
{
	bool good;

	*change = (struct zone_change){.form = ZONE_ORDINAL, .at = 2 * HOUR};
	if (take(text, 'M')) {
		change->form = ZONE_WEEKDAY;
		good = take_number(text, 1, 12, &change->month) && take(text, '.') &&
			take_number(text, 1, 5, &change->week) && take(text, '.') &&
			take_number(text, 0, 6, &change->day);
	} else if (take(text, 'J')) {
		change->form = ZONE_JULIAN;
		good = take_number(text, 1, 365, &change->day);
	} else {
		good = take_number(text, 0, 365, &change->day);
	}
	return good && (!take(text, '/') || take_time(text, &change->at));
}

bool zone_rule_parse(const char *text, struct zone_rule *rule_r)
{
	struct zone_rule rule = {.changes = false};
	int32_t west;

	if (!take_name(&text) || !take_time(&text, &west))
		return false;
	rule.offset = -west; /* POSIX counts westwards */
	*rule_r = rule;
	if (*text == '\0')
		return true;
	rule.changes = true;
	rule.other_offset = rule.offset + HOUR;
	if (!take_name(&text))
		return false;
	if (*text != ',') {
		if (!take_time(&text, &west))
			return false;
		rule.other_offset = -west;
	}
	if (!take(&text, ',') || !take_change(&text, &rule.begin) || !take(&text, ',') ||
		!take_change(&text, &rule.end))
		return false;
	*rule_r = rule;
	return *text == '\0';
}

/* --- asking ----------------------------------------------------------------------------- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t day_of(const struct zone_change *change, int year)
{
	int64_t first = zone_days(year, change->form == ZONE_WEEKDAY ? change->month : 1, 1), next;
	int64_t day;

	if (change->form == ZONE_ORDINAL)
		return first + change->day;
	if (change->form == ZONE_JULIAN)
		return first + change->day - 1 + (is_leap(year) && change->day >= 60);
	next = change->month < 12 ? zone_days(year, change->month + 1, 1) : zone_days(year + 1, 1, 1);
	/* 1970-01-01 was a Thursday, 4. */
	day = first + ((change->day - (first + 4)) % 7 + 7) % 7 + 7 * (int64_t)(change->week - 1);
	return day < next ? day : day - 7;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t at)
{
	int64_t days = (at + rule->offset) / DAY - ((at + rule->offset) % DAY < 0), begin, end;
	int year, month, day;
	bool other;

	if (!rule->changes)
		return rule->offset;
	zone_date(days, &year, &month, &day);
	begin = day_of(&rule->begin, year) * DAY + rule->begin.at - rule->offset;
	end = day_of(&rule->end, year) * DAY + rule->end.at - rule->other_offset;
	/* In the south, and where winter is the exception, it goes over the turn of the year. */
	other = begin < end ? at >= begin && at < end : at >= begin || at < end;
	return other ? rule->other_offset : rule->offset;
}
