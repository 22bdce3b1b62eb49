/* caldav_fetch - a user opens the calendar: the walk of a calendar program (RFC 6764, 4791), each
 * event parsed by libical. With `write`, an event of our own is written, read back, seen in the
 * calendar, and deleted. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libical/ical.h>

#include "dav.h"
#include "multistatus.h"
#include "probe_http.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account whose calendars are read"},
	{"write", &field_bool, 0, "write, see and delete an event of our own, too", "false"},
	{0},
};

static const struct field facts[] = {DAV_FACTS, {0}};
static const char *const account_needs[] = {"caldav", "password", NULL};

/* A truncated object comes back as NULL or with error components (libical). */
static bool check(const char *text, size_t length, struct failure *why)
{
	icalcomponent *component = icalparser_parse_string(text);
	bool sound = component != NULL &&
		icalcomponent_isa(component) == ICAL_VCALENDAR_COMPONENT &&
		icalcomponent_count_errors(component) == 0 &&
		(icalcomponent_count_components(component, ICAL_VEVENT_COMPONENT) > 0 ||
			icalcomponent_count_components(component, ICAL_VTODO_COMPONENT) > 0);

	(void)length;
	if (component != NULL)
		icalcomponent_free(component);
	if (!sound)
		failure_set(why, ERROR_DAV_MALFORMED, "the object is no sound iCalendar");
	return sound;
}

static char *compose(const struct probe *probe, const char *uid)
{
	time_t now = (time_t)(probe->run->origin.wall_ns / NS_PER_SECOND);
	char stamp[32], *text = NULL;
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	if (asprintf(&text,
		    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//mailprobe//EN\r\nBEGIN:VEVENT\r\n"
		    "UID:%s\r\nDTSTAMP:%s\r\nDTSTART:%s\r\nDURATION:PT5M\r\n"
		    "SUMMARY:mailprobe test\r\nTRANSP:TRANSPARENT\r\n"
		    "DESCRIPTION:A monitoring program wrote this and deletes it at once.\r\n"
		    "END:VEVENT\r\nEND:VCALENDAR\r\n",
		    uid, stamp, stamp) == -1)
		return NULL;
	return text;
}

static const struct dav_kind calendar = {
	.well_known = "/.well-known/caldav",
	.home = "c:calendar-home-set/d:href",
	.home_property = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
			 "<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">"
			 "<d:prop><c:calendar-home-set/></d:prop></d:propfind>",
	.collection = "d:resourcetype/c:calendar",
	.data = "c:calendar-data",
	.query = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
		 "<c:calendar-query xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\">"
		 "<d:prop><d:getetag/><c:calendar-data/></d:prop><c:filter>"
		 "<c:comp-filter name=\"VCALENDAR\"><c:comp-filter name=\"VEVENT\">%s"
		 "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>",
	.range = true,
	.plural = "events",
	.check = check,
	.content_type = "text/calendar; charset=utf-8",
	.compose = compose,
};

/* libical looks for time zones in files otherwise. */
static void preload(void)
{
	probe_http_preload();
	multistatus_preload();
	icaltimezone_set_builtin_tzdata(1);
}

static int run(struct probe *probe, struct failure *why)
{
	return dav_walk(probe, &calendar, probe->account->caldav, why);
}

const struct step_type step_caldav_fetch = {
	.name = "caldav_fetch",
	.summary = "open the calendar as a calendar program does",
	.fields = fields,
	.facts = facts,
	.phases = dav_phases,
	.account_needs = account_needs,
	.password_only = true,
	.preload = preload,
	.run = run,
};
