/* The date behind the last semicolon of a field `Received`. */
#include "received.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "clock.h"

#include "ban.h"

static const char *const months[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* RFC 5322, 4.3; what is not in it has no known meaning, but for UTC. */
static const struct {
	const char *name;
	int minutes;
} zones[] = {
	{"UT", 0},
	{"GMT", 0},
	{"UTC", 0},
	{"Z", 0},
	{"EST", -300},
	{"EDT", -240},
	{"CST", -360},
	{"CDT", -300},
	{"MST", -420},
	{"MDT", -360},
	{"PST", -480},
	{"PDT", -420},
};

/* Comments (RFC 5322, 3.2.2) and blanks are passed over. */
static const char *skip(const char *at)
{
	int depth = 0;

	for (; *at != '\0' && (depth > 0 || isspace((unsigned char)*at) || *at == '('); at++) {
		if (*at == '(')
			depth++;
		else if (*at == ')')
			depth--;
		else if (*at == '\\' && at[1] != '\0')
			at++;
	}
	return at;
}

/* A number of `least` to `most` digits; NULL if it is none. */
static const char *number(const char *at, int least, int most, int *value_r)
{
	int digits = 0;

	*value_r = 0;
	for (; isdigit((unsigned char)at[digits]) && digits < most; digits++)
		*value_r = *value_r * 10 + (at[digits] - '0');
	return digits < least || isdigit((unsigned char)at[digits]) ? NULL : at + digits;
}

static const char *day_and_month(const char *at, struct tm *utc)
{
	at = skip(at);
	if (isalpha((unsigned char)*at)) {
		at += strcspn(at, ", \t(");
		at = skip(at);
		at = skip(*at == ',' ? at + 1 : at);
	}
	at = number(at, 1, 2, &utc->tm_mday);
	if (at == NULL || utc->tm_mday < 1 || utc->tm_mday > 31)
		return NULL;
	at = skip(*at == '-' ? at + 1 : at);
	for (utc->tm_mon = 0; utc->tm_mon < 12; utc->tm_mon++)
		if (strncasecmp(at, months[utc->tm_mon], 3) == 0)
			return at + 3;
	return NULL;
}

static const char *year(const char *at, struct tm *utc)
{
	int value;

	at = skip(at);
	at = number(*at == '-' ? at + 1 : at, 2, 4, &value);
	/* RFC 5322, 4.3: years of two and three digits. */
	if (at == NULL)
		return NULL;
	utc->tm_year = value < 50 ? value + 100 : value < 1000 ? value : value - 1900;
	return at;
}

static const char *time_of_day(
	const char *at, struct tm *utc, int64_t *fraction_r, int64_t *resolution_r)
{
	at = number(skip(at), 1, 2, &utc->tm_hour);
	if (at == NULL || *at != ':')
		return NULL;
	at = number(at + 1, 2, 2, &utc->tm_min);
	*fraction_r = 0;
	*resolution_r = 60 * NS_PER_SECOND;
	if (at != NULL && *at == ':') {
		at = number(at + 1, 2, 2, &utc->tm_sec);
		*resolution_r = NS_PER_SECOND;
	}
	if (at != NULL && *at == '.' && *resolution_r == NS_PER_SECOND)
		for (at++; isdigit((unsigned char)*at); at++)
			if (*resolution_r > 1) {
				*resolution_r /= 10;
				*fraction_r += (*at - '0') * *resolution_r;
			}
	if (utc->tm_hour > 23 || utc->tm_min > 59 || utc->tm_sec > 60)
		return NULL;
	return at;
}

static bool zone(const char *at, int *minutes_r)
{
	size_t length;
	int value;

	at = skip(at);
	length = strcspn(at, " \t(");
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (strlen(zones[i].name) == length &&
			strncasecmp(at, zones[i].name, length) == 0) {
			*minutes_r = zones[i].minutes;
			return true;
		}
	if ((*at != '+' && *at != '-') || number(at + 1, 4, 4, &value) == NULL ||
		value % 100 > 59 || value > 2400)
		return false;
	*minutes_r = (*at == '-' ? -1 : 1) * (value / 100 * 60 + value % 100);
	return true;
}

bool received_date(const char *text, int64_t *at_ns_r, int64_t *resolution_ns_r)
{
	struct tm utc = {0};
	int64_t fraction, resolution;
	int minutes;
	const char *at = day_and_month(text, &utc);

	if (at != NULL)
		at = year(at, &utc);
	if (at != NULL)
		at = time_of_day(at, &utc, &fraction, &resolution);
	/* No mail is older than the epoch, and soon after 2200 a nanosecond clock overflows. */
	if (at == NULL || utc.tm_year < 70 || utc.tm_year > 300 || !zone(at, &minutes))
		return false;
	*at_ns_r = ((int64_t)timegm(&utc) - minutes * 60) * NS_PER_SECOND + fraction;
	*resolution_ns_r = resolution;
	return true;
}
