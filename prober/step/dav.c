#include "dav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dav_private.h"
#include "text.h"

#include "ban.h"

const char *const dav_phases[] = {
	"principal", "home", "collections", "objects", "write", "cleanup", NULL};

/* --- one exchange ---------------------------------------------------------------------- */

int dav_exchange(struct dav *dav, const char *method, const char *url, const char *depth,
	const char *body, struct http_reply *reply, struct failure *why)
{
	const struct account *account = dav->probe->account;
	const char *const headers[] = {depth, NULL};
	const struct http_request request = {
		.method = method,
		.url = url,
		.headers = depth != NULL ? headers : NULL,
		.body = body,
		.body_length = body != NULL ? strlen(body) : 0,
		.content_type = "application/xml; charset=utf-8",
		.auth = HTTP_AUTH_BASIC,
		.username = account->username,
		.password = dav->probe->password,
		.deadline = dav->probe->deadline,
	};

	return http_fetch(dav->http, &request, reply, why);
}

/* RFC 9110, 15.5.2: 401 is about the credentials, 403 about what they allow. */
int dav_check_status(const struct http_reply *reply, const char *method, struct failure *why)
{
	if (reply->status == 401)
		return failure_set(why, ERROR_AUTH_REJECTED, "%s was answered with 401", method);
	return http_expect_success(reply, why);
}

/* PROPFIND or REPORT: a multistatus, or the failure. *url_r (may be NULL) is where it came from;
 * the caller frees it. */
struct multistatus *dav_ask(struct dav *dav, const char *method, const char *url, const char *depth,
	const char *body, char **url_r, struct failure *why)
{
	struct multistatus *multistatus = NULL;
	struct http_reply reply;

	if (dav_exchange(dav, method, url, depth, body, &reply, why) == -1)
		return NULL;
	if (dav_check_status(&reply, method, why) == 0) {
		if (reply.status != 207)
			failure_set(why, ERROR_DAV_MALFORMED,
				"%s was answered with %d instead of 207", method, reply.status);
		else
			multistatus = multistatus_parse(reply.body.bytes, reply.body.length, why);
	}
	if (multistatus != NULL && url_r != NULL)
		*url_r = strdup(reply.url);
	http_reply_free(&reply);
	return multistatus;
}

#define PROPFIND(properties)                                                                       \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"                                               \
	"<d:propfind xmlns:d=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\""                   \
	" xmlns:a=\"urn:ietf:params:xml:ns:carddav\"><d:prop>" properties "</d:prop></d:propfind>"

/* An href of the server's, which must not lead to another host: that one would get the password. */
char *dav_follow(const char *base, const char *href, struct failure *why)
{
	char *url = http_url_join(base, href);

	if (url != NULL && http_same_origin(base, url))
		return url;
	free(url);
	failure_set(why, ERROR_HTTP_POLICY, "the server names an address at another origin: %.200s",
		href);
	return NULL;
}

/* --- the walk -------------------------------------------------------------------------- */

static char *first_property(const struct multistatus *multistatus, const char *expression)
{
	for (size_t i = 0; i < multistatus_count(multistatus); i++) {
		char *text = multistatus_text(multistatus, i, expression);

		if (text != NULL)
			return text;
	}
	return NULL;
}

static void set_path(struct dav *dav, const char *name, const char *href)
{
	char shown[256];

	text_printable_copy(shown, sizeof(shown), href, strlen(href));
	if (shown[0] != '\0')
		json_object_set_new(dav->probe->facts, name, json_string(shown));
}

/* Asks one resource for one address property; the URL it means, or NULL. */
static char *ask_address(struct dav *dav, const char *url, const char *body, const char *expression,
	const char *name, struct failure *why)
{
	char *base = NULL, *href = NULL, *found = NULL;
	struct multistatus *multistatus =
		dav_ask(dav, "PROPFIND", url, "Depth: 0", body, &base, why);

	if (multistatus == NULL)
		return NULL;
	href = first_property(multistatus, expression);
	if (href == NULL) {
		failure_set(why, ERROR_DAV_MISSING,
			"the server does not say where the user's %s is", name);
	} else {
		set_path(dav, name, href);
		found = dav_follow(base, href, why);
	}
	multistatus_free(&multistatus);
	free(base);
	free(href);
	return found;
}

/* The address that the scenario gives may be the principal's server, not its path: the well-known
 * one leads there (RFC 6764, 5). */
static char *find_principal(struct dav *dav, const char *url, struct failure *why)
{
	static const char body[] = PROPFIND("<d:current-user-principal/>");
	char *well_known = http_url_join(url, dav->kind->well_known);
	char *principal;
	struct failure first = {0};

	timings_begin(&dav->probe->timings, "principal");
	principal = ask_address(
		dav, well_known, body, "d:current-user-principal/d:href", "principal", &first);
	free(well_known);
	/* Not every server has one; then the address itself has to know. */
	if (principal == NULL &&
		(first.type == ERROR_HTTP_STATUS || first.type == ERROR_DAV_MALFORMED ||
			first.type == ERROR_DAV_MISSING))
		return ask_address(
			dav, url, body, "d:current-user-principal/d:href", "principal", why);
	if (principal == NULL)
		*why = first;
	return principal;
}

static int find_home(struct dav *dav, const char *url, struct failure *why)
{
	char *principal = find_principal(dav, url, why);

	if (principal == NULL)
		return failure_prefix(why, "principal");
	timings_begin(&dav->probe->timings, "home");
	dav->home =
		ask_address(dav, principal, dav->kind->home_property, dav->kind->home, "home", why);
	free(principal);
	return dav->home != NULL ? 0 : failure_prefix(why, "home");
}

static int add_collection(struct dav *dav, const struct multistatus *multistatus, size_t index,
	json_t *names, struct failure *why)
{
	char *name = multistatus_text(multistatus, index, "d:displayname");
	const char *href = multistatus_href(multistatus, index);
	char *url = dav_follow(dav->home, href, why);
	char shown[256];

	text_printable_copy(shown, sizeof(shown), name != NULL && name[0] != '\0' ? name : href,
		strlen(name != NULL && name[0] != '\0' ? name : href));
	free(name);
	if (url == NULL)
		return -1;
	json_array_append_new(names, json_string(shown));
	dav->collections[dav->collection_count++] = url;
	return 0;
}

static int list_collections(struct dav *dav, struct failure *why)
{
	static const char body[] = PROPFIND("<d:resourcetype/><d:displayname/>");
	struct multistatus *multistatus;
	json_t *names = json_array();
	int result = 0;

	timings_begin(&dav->probe->timings, "collections");
	multistatus = dav_ask(dav, "PROPFIND", dav->home, "Depth: 1", body, NULL, why);
	for (size_t i = 0; multistatus != NULL && result == 0 && i < multistatus_count(multistatus);
		i++)
		if (dav->collection_count < DAV_COLLECTIONS_MAX &&
			multistatus_has(multistatus, i, dav->kind->collection))
			result = add_collection(dav, multistatus, i, names, why);
	json_object_set_new(dav->probe->facts, "collections", names);
	if (multistatus == NULL || result == -1) {
		multistatus_free(&multistatus);
		return failure_prefix(why, "collections");
	}
	multistatus_free(&multistatus);
	if (dav->collection_count == 0)
		return failure_set(why, ERROR_DAV_MISSING,
			"the user's home holds no collection of %s", dav->kind->plural);
	return 0;
}

/* --- objects --------------------------------------------------------------------------- */

static void format_day(int64_t wall_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(text, size, "%Y%m%dT000000Z", &utc);
}

/* The REPORT's body; its time range, where it has one, is that of a month's view. */
void dav_write_query(const struct dav *dav, char *query, size_t size)
{
	int64_t now = dav->probe->run->origin.wall_ns, day = 86400 * NS_PER_SECOND;
	char from[32], to[32], range[128] = "";
	const char *hole;
	struct text text;

	format_day(now - 31 * day, from, sizeof(from));
	format_day(now + 62 * day, to, sizeof(to));
	if (dav->kind->range)
		snprintf(range, sizeof(range), "<c:time-range start=\"%s\" end=\"%s\"/>", from, to);
	/* One hole, filled by hand: a format that is not a literal is no format. */
	hole = strstr(dav->kind->query, "%s");
	text_init(&text, size - 1);
	text_append(&text, dav->kind->query, (size_t)(hole - dav->kind->query));
	text_puts(&text, range);
	text_puts(&text, hole + 2);
	text_copy(query, size, text.bytes);
	text_free(&text);
}

static int take_objects(struct dav *dav, const char *collection,
	const struct multistatus *multistatus, struct failure *why)
{
	for (size_t i = 0; i < multistatus_count(multistatus); i++) {
		const char *href = multistatus_href(multistatus, i);
		char *data = multistatus_text(multistatus, i, dav->kind->data);

		if (data == NULL)
			continue;
		if (dav_is_leftover(dav, href) && dav->leftover_count < DAV_COLLECTIONS_MAX) {
			dav->leftovers[dav->leftover_count] = dav_follow(collection, href, why);
			dav->leftover_count += dav->leftovers[dav->leftover_count] != NULL;
		} else if (!dav->kind->check(data, strlen(data), why)) {
			free(data);
			return failure_prefix(why, "%.200s", href);
		} else {
			dav->objects++;
		}
		free(data);
	}
	return 0;
}

static int read_objects(struct dav *dav, struct failure *why)
{
	char query[DAV_QUERY_SIZE];

	timings_begin(&dav->probe->timings, "objects");
	dav_write_query(dav, query, sizeof(query));
	for (size_t i = 0; i < dav->collection_count; i++) {
		struct multistatus *multistatus =
			dav_ask(dav, "REPORT", dav->collections[i], "Depth: 1", query, NULL, why);
		int result = multistatus != NULL
			? take_objects(dav, dav->collections[i], multistatus, why)
			: -1;

		multistatus_free(&multistatus);
		if (result == -1)
			return failure_prefix(why, "objects");
	}
	json_object_set_new(dav->probe->facts, "objects", json_integer((json_int_t)dav->objects));
	return 0;
}

/* --- the whole ------------------------------------------------------------------------- */

static int walk(struct dav *dav, const char *url, struct failure *why)
{
	if (find_home(dav, url, why) == -1 || list_collections(dav, why) == -1 ||
		read_objects(dav, why) == -1)
		return -1;
	if (step_bool(dav->probe->step, "write") &&
		(dav_write_object(dav, why) == -1 || dav_remove_leftovers(dav, why) == -1))
		return -1;
	probe_prove(dav->probe, "%zu %s read in %zu collections", dav->objects, dav->kind->plural,
		dav->collection_count);
	return 0;
}

int dav_walk(struct probe *probe, const struct dav_kind *kind, const char *url, struct failure *why)
{
	struct dav *dav = calloc(1, sizeof(*dav));
	int result = -1;

	if (dav == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	dav->probe = probe;
	dav->kind = kind;
	http_url_host(url, dav->host, sizeof(dav->host));
	dav->hosts[0] = dav->host;
	dav->http = probe_http(probe, dav->hosts, NULL, why);
	if (dav->http != NULL) {
		result = walk(dav, url, why);
		timings_pause(&probe->timings);
		probe_http_facts(probe->facts, dav->http);
	}
	http_close(&dav->http);
	free(dav->home);
	for (size_t i = 0; i < dav->collection_count; i++)
		free(dav->collections[i]);
	for (size_t i = 0; i < dav->leftover_count; i++)
		free(dav->leftovers[i]);
	free(dav);
	return result;
}
