/* dav - the walk of a calendar or contacts program through a DAV server: well-known address,
 * principal, home, collections, objects (RFC 6764, 5397, 4791, 6352). One walk for both kinds. */
#ifndef MAILPROBE_DAV_H
#define MAILPROBE_DAV_H

#include "probe.h"

/* What makes calendars and contacts different. */
struct dav_kind {
	const char *well_known;    /* "/.well-known/caldav" */
	const char *home;          /* property of the principal, as an expression */
	const char *home_property; /* the same as an XML element */
	const char *collection;    /* element of d:resourcetype, as an expression */
	const char *data;          /* property with an object's text, as an expression */
	const char *query;         /* body of the REPORT; %s: see `range` */
	bool range;                /* the query takes a time range */
	const char *plural;        /* "events" */
	/* Is that an object of its kind? *why says what is wrong with it. */
	bool (*check)(const char *text, size_t length, struct failure *why);
	const char *content_type;
	/* An object of our own for `write`; uid names it. The caller frees it. */
	char *(*compose)(const struct probe *probe, const char *uid);
};

/* Phases: principal home collections objects write. */
int dav_walk(
	struct probe *probe, const struct dav_kind *kind, const char *url, struct failure *why);

#define DAV_FACTS                                                                                  \
	{"collections", &field_list, 0, "display names", .item = &field_text},                     \
		{"objects", &field_integer, FIELD_METRIC, "objects that were read and are sound"}, \
		{"principal", &field_text, 0, "path of the user's principal"},                     \
		{"home", &field_text, 0, "path of the user's home"},                               \
		{"written", &field_bool, 0, "an object of ours was written, seen, and removed"},   \
		{"leftovers", &field_integer, 0, "objects of killed runs that were removed"},      \
		HTTP_FACTS

extern const char *const dav_phases[];

#endif
