/* carddav_fetch - a user opens the contacts: the walk of an address book program (RFC 6764, 6352),
 * each card checked (RFC 6350, RFC 2426). With `write`, a card of our own is written, read back,
 * seen in the address book, and deleted. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dav.h"
#include "multistatus.h"
#include "probe_http.h"

#include "ban.h"

static const struct field fields[] = {
	{"account", &field_account, FIELD_REQUIRED, "account whose address books are read"},
	{"write", &field_bool, 0, "write, see and delete a card of our own, too", "false"},
	{0},
};

static const struct field facts[] = {DAV_FACTS, {0}};
static const char *const account_needs[] = {"carddav", "password", NULL};

/* A line that begins so, folded lines aside; NULL if there is none. */
static const char *find_line(const char *text, const char *start)
{
	size_t length = strlen(start);

	for (const char *line = text; line != NULL && *line != '\0';) {
		if (strncasecmp(line, start, length) == 0)
			return line;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return NULL;
}

/* What every card has: its frame, a version, and a name (RFC 6350, 6.1.1 to 6.2.1). */
static bool check(const char *text, size_t length, struct failure *why)
{
	const char *end = find_line(text, "END:VCARD");
	bool sound = strncasecmp(text, "BEGIN:VCARD", 11) == 0 && find_line(text, "VERSION:") &&
		(find_line(text, "FN:") || find_line(text, "FN;")) && end != NULL &&
		strspn(end + 9, "\r\n ") == (size_t)(text + length - end - 9);

	if (!sound)
		failure_set(why, ERROR_DAV_MALFORMED, "the object is no sound vCard");
	return sound;
}

static char *compose(const struct probe *probe, const char *uid)
{
	char *text = NULL;

	(void)probe;
	if (asprintf(&text,
		    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:mailprobe test\r\n"
		    "N:test;mailprobe;;;\r\n"
		    "NOTE:A monitoring program wrote this and deletes it at once.\r\nEND:VCARD\r\n",
		    uid) == -1)
		return NULL;
	return text;
}

static const struct dav_kind contacts = {
	.well_known = "/.well-known/carddav",
	.home = "a:addressbook-home-set/d:href",
	.home_property = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
			 "<d:propfind xmlns:d=\"DAV:\" xmlns:a=\"urn:ietf:params:xml:ns:carddav\">"
			 "<d:prop><a:addressbook-home-set/></d:prop></d:propfind>",
	.collection = "d:resourcetype/a:addressbook",
	.data = "a:address-data",
	.query = "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
		 "<a:addressbook-query xmlns:d=\"DAV:\" xmlns:a=\"urn:ietf:params:xml:ns:carddav\">"
		 "<d:prop><d:getetag/><a:address-data/></d:prop><a:filter>%s</a:filter>"
		 "</a:addressbook-query>",
	.plural = "contacts",
	.check = check,
	.content_type = "text/vcard; charset=utf-8",
	.compose = compose,
};

static void preload(void)
{
	probe_http_preload();
	multistatus_preload();
}

static int run(struct probe *probe, struct failure *why)
{
	return dav_walk(probe, &contacts, probe->account->carddav, why);
}

const struct step_type step_carddav_fetch = {
	.name = "carddav_fetch",
	.summary = "open the contacts as an address book program does",
	.fields = fields,
	.facts = facts,
	.phases = dav_phases,
	.account_needs = account_needs,
	.password_only = true,
	.preload = preload,
	.run = run,
};
