/* An object of our own in a collection: written, read back, seen, deleted; and what killed runs
 * have left of theirs. */
#include "dav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dav_private.h"
#include "uuid.h"

#include "ban.h"

#define OWN_NAME "mailprobe-"

/* An object that a killed run has left: its name begins like ours. Another run's fresh one may be
 * in use, so only what is older than an hour is ours to remove; the name holds a UUIDv7, whose
 * first 48 bits are its time. */
bool dav_is_leftover(const struct dav *dav, const char *href)
{
	const char *name = strstr(href, OWN_NAME);
	uint64_t ms = 0;

	if (name == NULL || strlen(name) < sizeof(OWN_NAME) - 1 + 13)
		return false;
	name += sizeof(OWN_NAME) - 1;
	for (int i = 0; i < 13; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, name[i]);

		if (i == 8)
			continue;
		if (digit == NULL || *digit == '\0')
			return false;
		ms = ms << 4 | (uint64_t)(digit - digits);
	}
	return (int64_t)ms * 1000000 + 3600 * NS_PER_SECOND < dav->probe->run->origin.wall_ns;
}

static int put(struct dav *dav, const char *url, const char *text, char *etag, size_t size,
	struct failure *why)
{
	static const char *const headers[] = {"If-None-Match: *", NULL};
	const struct http_request request = {
		.method = "PUT",
		.url = url,
		.headers = headers,
		.body = text,
		.body_length = strlen(text),
		.content_type = dav->kind->content_type,
		.auth = HTTP_AUTH_BASIC,
		.username = dav->probe->account->username,
		.password = dav->probe->password,
		.deadline = dav->probe->deadline,
	};
	struct http_reply reply;
	int result;

	if (http_fetch(dav->http, &request, &reply, why) == -1)
		return -1;
	result = dav_check_status(&reply, "PUT", why);
	if (!http_header(&reply, "etag", etag, size))
		etag[0] = '\0';
	http_reply_free(&reply);
	return result;
}

static int read_back(struct dav *dav, const char *url, const char *uid, char *etag, size_t size,
	struct failure *why)
{
	struct http_reply reply;
	int result;

	if (dav_exchange(dav, "GET", url, NULL, NULL, &reply, why) == -1)
		return -1;
	result = dav_check_status(&reply, "GET", why);
	if (result == 0 && (reply.body.bytes == NULL || strstr(reply.body.bytes, uid) == NULL))
		result = failure_set(why, ERROR_DAV_LOST,
			"the object that was written is not what is read back");
	/* RFC 4791, 5.3.4: a server that changed the object gives no ETag with PUT. */
	if (etag[0] == '\0' && !http_header(&reply, "etag", etag, size))
		etag[0] = '\0';
	http_reply_free(&reply);
	return result;
}

static int seen_in_report(struct dav *dav, const char *uid, struct failure *why)
{
	char query[DAV_QUERY_SIZE];
	struct multistatus *multistatus;
	bool seen = false;

	dav_write_query(dav, query, sizeof(query));
	multistatus = dav_ask(dav, "REPORT", dav->collections[0], "Depth: 1", query, NULL, why);
	if (multistatus == NULL)
		return -1;
	for (size_t i = 0; !seen && i < multistatus_count(multistatus); i++)
		seen = strstr(multistatus_href(multistatus, i), uid) != NULL;
	multistatus_free(&multistatus);
	return seen ? 0
		    : failure_set(why, ERROR_DAV_LOST,
			      "the object that was written is not in the collection's REPORT");
}

/* Only what is still as we wrote it, by its ETag. */
static int delete_object(struct dav *dav, const char *url, const char *etag, struct failure *why)
{
	char condition[300];
	struct http_reply reply;
	int result;

	snprintf(condition, sizeof(condition), "If-Match: %s", etag);
	if (dav_exchange(dav, "DELETE", url, etag[0] != '\0' ? condition : NULL, NULL, &reply,
		    why) == -1)
		return -1;
	result = dav_check_status(&reply, "DELETE", why);
	http_reply_free(&reply);
	return result;
}

int dav_write_object(struct dav *dav, struct failure *why)
{
	char uid[UUID_SIZE], name[UUID_SIZE + 32], etag[256];
	char *text, *url;
	int result;

	timings_begin(&dav->probe->timings, "write");
	uuid_v7(dav->probe->run->origin.wall_ns, uid);
	snprintf(name, sizeof(name), OWN_NAME "%s", uid);
	url = http_url_join(dav->collections[0], name);
	text = dav->kind->compose(dav->probe, name);
	if (url == NULL || text == NULL)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else
		result = put(dav, url, text, etag, sizeof(etag), why);
	if (result == 0) {
		struct failure undone = {0};

		result = read_back(dav, url, name, etag, sizeof(etag), why);
		if (result == 0)
			result = seen_in_report(dav, name, why);
		/* Whatever was found: ours goes. */
		if (delete_object(dav, url, etag, &undone) == -1 && result == 0) {
			*why = undone;
			result = -1;
		}
	}
	free(url);
	free(text);
	if (result == 0)
		json_object_set_new(dav->probe->facts, "written", json_true());
	return result == 0 ? 0 : failure_prefix(why, "write");
}

int dav_remove_leftovers(struct dav *dav, struct failure *why)
{
	if (dav->leftover_count == 0)
		return 0;
	timings_begin(&dav->probe->timings, "cleanup");
	for (size_t i = 0; i < dav->leftover_count; i++)
		if (delete_object(dav, dav->leftovers[i], "", why) == -1)
			return failure_prefix(why, "removing what a killed run has left");
	json_object_set_new(
		dav->probe->facts, "leftovers", json_integer((json_int_t)dav->leftover_count));
	return 0;
}
