#include "http_private.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

#define CONNECTIONS_MAX 8L

const struct field http_request_fields[] = {
	{"phase", &field_name, 0, "phase of the step that it belongs to"},
	{"method", &field_text, FIELD_REQUIRED, "such as GET or POST"},
	{"url", &field_text, FIELD_REQUIRED, "without its query"},
	{"redirected", &field_bool, 0, "the answer before it led here"},
	{"status", &field_integer, 0, "of the answer; absent if there was none"},
	{"http_version", &field_text, 0, "1.0, 1.1 or 2"},
	{"peer_address", &field_text, 0,
		"IP address and port; absent if an earlier connection was used"},
	{"resolve_seconds", &field_seconds, 0, "DNS"},
	{"connect_seconds", &field_seconds, 0, "TCP"},
	{"tls_seconds", &field_seconds, 0, "TLS handshake"},
	{"first_byte_seconds", &field_seconds, 0, "from the ready connection to the first byte"},
	{"transfer_seconds", &field_seconds, 0, "from the first byte to the last"},
	{"bytes", &field_integer, FIELD_REQUIRED, "headers and body as they came over the wire"},
	{0},
};

/* --- the session ----------------------------------------------------------------------- */

static void preload(void)
{
	curl_global_init(CURL_GLOBAL_ALL);
	http_connect_preload();
}

void http_preload(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, preload);
}

/* Others would not ask us about certificates. */
static bool is_on_openssl(void)
{
	const char *library = curl_version_info(CURLVERSION_NOW)->ssl_version;

	return library != NULL && strncasecmp(library, "OpenSSL", 7) == 0;
}

struct http *http_open(const struct http_settings *settings, struct failure *why)
{
	struct http *http = calloc(1, sizeof(*http));

	http_preload();
	if (!is_on_openssl()) {
		free(http);
		failure_set(why, ERROR_LOCAL_RESOURCE,
			"this libcurl does not use OpenSSL (build with -Dcurl=openssl)");
		return NULL;
	}
	if (http != NULL) {
		http->settings = *settings;
		http->multi = curl_multi_init();
		http->easy = curl_easy_init();
		http->requests = json_array();
	}
	if (http != NULL && http->multi != NULL && http->easy != NULL && http->requests != NULL) {
		curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
		/* Begins to keep cookies, with one that is gone. An empty CURLOPT_COOKIEFILE, which
		 * is the usual way, is lost by each curl_easy_reset, with its memory. */
		curl_easy_setopt(http->easy, CURLOPT_COOKIELIST,
			"Set-Cookie: none=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
		return http;
	}
	http_close(&http);
	failure_set(why, ERROR_LOCAL_RESOURCE, "cannot set up HTTP: out of memory");
	return NULL;
}

void http_close(struct http **http)
{
	struct http *gone = *http;

	if (gone == NULL)
		return;
	curl_easy_cleanup(gone->easy);
	curl_multi_cleanup(gone->multi);
	json_decref(gone->requests);
	free(gone);
	*http = NULL;
}

json_t *http_requests(const struct http *http)
{
	return json_incref(http->requests);
}

size_t http_request_count(const struct http *http)
{
	return http->count;
}

size_t http_bytes(const struct http *http)
{
	return http->bytes;
}

const struct peer_facts *http_peer(const struct http *http)
{
	return &http->peer;
}

bool http_network(const struct http *http, double *rtt_seconds_r, unsigned int *retransmits_r)
{
	*rtt_seconds_r = http->rtt_seconds;
	*retransmits_r = http->retransmits;
	return http->has_network;
}

void http_reply_free(struct http_reply *reply)
{
	free(reply->url);
	free(reply->location);
	text_free(&reply->headers);
	text_free(&reply->body);
	*reply = (struct http_reply){0};
}

/* --- cookies --------------------------------------------------------------------------- */

void http_cookie_set(struct http *http, const char *url, const char *name, const char *value)
{
	char host[URL_HOST_SIZE];
	struct text line;

	http_url_host(url, host, sizeof(host));
	text_init(&line, 4096);
	/* A line of Netscape's cookie file: the only form that names the host. */
	text_printf(&line, "%s\tFALSE\t/\t%s\t0\t%s\t%s", host,
		strncasecmp(url, "https:", 6) == 0 ? "TRUE" : "FALSE", name, value);
	if (!text_breaks_line(line.bytes, line.length)) {
		curl_easy_setopt(http->easy, CURLOPT_COOKIELIST, line.bytes);
	}
	text_free(&line);
}

bool http_cookie(const struct http *http, const char *name, char *value, size_t size)
{
	struct curl_slist *list = NULL;
	size_t length = strlen(name);
	bool found = false;

	curl_easy_getinfo(http->easy, CURLINFO_COOKIELIST, &list);
	for (struct curl_slist *at = list; at != NULL && !found; at = at->next) {
		const char *field = at->data;

		/* Domain, sub-domains, path, secure, expiry; then what we look for. */
		for (int i = 0; i < 5 && field != NULL; i++) {
			field = strchr(field, '\t');
			field = field != NULL ? field + 1 : NULL;
		}
		found = field != NULL && strncmp(field, name, length) == 0 &&
			field[length] == '\t' && text_copy(value, size, field + length + 1);
	}
	curl_slist_free_all(list);
	return found;
}

/* --- facts ----------------------------------------------------------------------------- */

static void set_duration(json_t *facts, const char *name, int64_t ns)
{
	if (ns > 0)
		json_object_set_new(facts, name, json_real(clock_seconds(ns)));
}

static const char *version_of(CURL *easy)
{
	long version = 0;

	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &version);
	return version == CURL_HTTP_VERSION_1_0    ? "1.0"
		: version == CURL_HTTP_VERSION_1_1 ? "1.1"
						   : "2";
}

static void set_answer(const struct exchange *exchange, json_t *facts)
{
	json_object_set_new(facts, "status", json_integer(exchange->reply.status));
	json_object_set_new(facts, "http_version", json_string(version_of(exchange->http->easy)));
	set_duration(facts, "first_byte_seconds", exchange->first_byte_ns - exchange->ready_ns);
	set_duration(facts, "transfer_seconds", exchange->ended_ns - exchange->first_byte_ns);
}

static json_t *facts_of(const struct exchange *exchange, bool redirected)
{
	const struct timings *timings = exchange->http->settings.timings;
	struct text url;
	json_t *facts;

	text_init(&url, 240);
	http_url_shown(exchange->url, &url);
	facts = json_pack("{s:s, s:s, s:I}", "method", exchange->method, "url", url.bytes, "bytes",
		(json_int_t)exchange->wire_bytes);
	text_free(&url);
	if (timings != NULL && timings_current(timings)[0] != '\0')
		json_object_set_new(facts, "phase", json_string(timings_current(timings)));
	if (redirected)
		json_object_set_new(facts, "redirected", json_true());
	if (exchange->peer.address[0] != '\0')
		json_object_set_new(facts, "peer_address", json_string(exchange->peer.address));
	set_duration(facts, "resolve_seconds", exchange->resolve_ns);
	set_duration(facts, "connect_seconds", exchange->connect_ns);
	set_duration(facts, "tls_seconds", exchange->tls_ns);
	if (exchange->reply.status != 0 && exchange->first_byte_ns != 0)
		set_answer(exchange, facts);
	return facts;
}

static void take_facts(const struct exchange *exchange, bool redirected)
{
	struct http *http = exchange->http;

	http->count++;
	http->bytes += exchange->wire_bytes;
	if (json_array_size(http->requests) < HTTP_REQUESTS_SHOWN)
		json_array_append_new(http->requests, facts_of(exchange, redirected));
	if (http->has_peer || !exchange->connected_anew)
		return;
	http->peer = exchange->peer;
	http->has_peer = true;
}

/* --- requests -------------------------------------------------------------------------- */

static int aim(struct exchange *exchange, struct failure *why)
{
	char message[URL_MESSAGE_SIZE];
	struct url *target = &exchange->target;

	if (url_parse(exchange->url, target, message) == -1)
		return failure_set(
			why, ERROR_HTTP_POLICY, "a request to no usable URL: %s", message);
	snprintf(exchange->server, sizeof(exchange->server),
		strchr(target->host, ':') != NULL ? "[%s]:%d" : "%s:%d", target->host,
		target->port);
	return 0;
}

static void show_request(const struct exchange *exchange)
{
	struct text line;

	text_init(&line, TRANSCRIPT_TEXT);
	text_printf(&line, "%s ", exchange->method);
	http_url_shown(exchange->url, &line);
	transcript_add(
		exchange->http->settings.transcript, SAID_BY_CLIENT, line.bytes, line.length);
	text_free(&line);
}

static void finish_reply(struct exchange *exchange, struct http_reply *reply_r)
{
	char *type = NULL;

	*reply_r = exchange->reply;
	reply_r->url = strdup(exchange->url);
	reply_r->first_byte_seconds = clock_seconds(exchange->first_byte_ns - exchange->ready_ns);
	curl_easy_getinfo(exchange->http->easy, CURLINFO_CONTENT_TYPE, &type);
	text_copy(reply_r->content_type, sizeof(reply_r->content_type), type != NULL ? type : "");
}

static void prepare(struct exchange *exchange)
{
	size_t max = exchange->request->max_bytes;

	exchange->body_max = max > 0 ? max : HTTP_BODY_MAX;
	exchange->content_length = -1;
	text_init(&exchange->reply.body, exchange->body_max);
	text_init(&exchange->reply.headers, HTTP_HEADERS_MAX);
}

static int exchange_once(
	struct exchange *exchange, bool redirected, struct http_reply *reply_r, struct failure *why)
{
	int result;

	if (aim(exchange, why) == -1)
		return -1;
	prepare(exchange);
	show_request(exchange);
	result = http_transfer(exchange, why);
	take_facts(exchange, redirected);
	if (result == 0)
		finish_reply(exchange, reply_r);
	else
		http_reply_free(&exchange->reply);
	return result;
}

/* --- redirects ------------------------------------------------------------------------- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int refuse_redirect(
	const struct exchange *exchange, const char *location, struct failure *why)
{
	char shown[200];
	size_t length = strcspn(location, "?#");

	text_printable_copy(shown, sizeof(shown), location, length < 180 ? length : 180);
	return failure_set(why, ERROR_HTTP_POLICY,
		"%s redirects to \"%s\", which no browser should follow", exchange->server, shown);
}

static bool is_downgrade(const char *from, const char *to)
{
	return strncasecmp(from, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0;
}

/* Where the answer leads to; NULL with why set, or without if it leads nowhere. */
static char *next_url(
	const struct exchange *exchange, const struct http_reply *reply, struct failure *why)
{
	char location[4096];
	char *url;

	if (!is_redirect(reply->status) ||
		!http_header(reply, "Location", location, sizeof(location)))
		return NULL;
	url = http_url_join(exchange->url, location);
	if (url == NULL || is_downgrade(exchange->url, url)) {
		refuse_redirect(exchange, location, why);
		free(url);
		return NULL;
	}
	return url;
}

/* What of the request goes on to the next place. RFC 9110, 15.4. */
static int follow(struct exchange *next, const struct exchange *last, int status, const char *url,
	struct failure *why)
{
	bool same = http_same_origin(last->url, url);

	*next = (struct exchange){.http = last->http,
		.request = last->request,
		.url = url,
		.method = last->method,
		.with_body = last->with_body,
		/* Headers of ours may be credentials, too. */
		.with_credentials = last->with_credentials && same};
	if (status == 303 ||
		((status == 301 || status == 302) && strcmp(last->method, "POST") == 0)) {
		next->method = strcmp(last->method, "HEAD") == 0 ? "HEAD" : "GET";
		next->with_body = false;
	}
	next->with_body = next->with_body && last->request->body != NULL;
	next->secret = last->secret && (same || next->with_body);
	if (!same && next->secret)
		return failure_set(why, ERROR_HTTP_POLICY,
			"%s redirects what we send, with the password, to another server",
			last->server);
	return 0;
}

static int too_many(const struct http_reply *reply, struct failure *why)
{
	struct text shown;

	text_init(&shown, 200);
	http_url_shown(reply->location, &shown);
	failure_set(why, ERROR_HTTP_REDIRECT, "more than %d redirects, the last of them to %s",
		HTTP_REDIRECTS_MAX, shown.bytes);
	text_free(&shown);
	return -1;
}

/* Hands the answer over, or says where to go on: 1. */
static int judge(const struct exchange *exchange, struct http_reply *reply, unsigned int redirects,
	struct failure *why)
{
	reply->redirects = redirects;
	reply->location = next_url(exchange, reply, why);
	if (why->type != ERROR_NONE)
		return -1;
	if (reply->location == NULL || exchange->request->keep_redirect)
		return 0;
	return redirects < HTTP_REDIRECTS_MAX ? 1 : too_many(reply, why);
}

int http_fetch(struct http *http, const struct http_request *request, struct http_reply *reply_r,
	struct failure *why)
{
	struct exchange exchange = {.http = http,
		.request = request,
		.url = request->url,
		.method = request->method != NULL ? request->method : "GET",
		.with_body = request->body != NULL,
		.with_credentials = true,
		.secret = request->secret};
	struct http_reply reply = {0};
	char *url = NULL;
	int result;

	for (unsigned int redirects = 0;; redirects++) {
		struct exchange next;
		struct failure failed = {0};

		result = exchange_once(&exchange, redirects > 0, &reply, &failed);
		if (result == 0)
			result = judge(&exchange, &reply, redirects, &failed);
		if (result == 1)
			result =
				follow(&next, &exchange, reply.status, reply.location, &failed) == 0
				? 1
				: -1;
		if (result != 1) {
			if (result == -1 && why->type == ERROR_NONE)
				*why = failed;
			break;
		}
		free(url);
		url = reply.location;
		reply.location = NULL;
		http_reply_free(&reply);
		exchange = next;
		exchange.url = url;
	}
	free(url);
	if (result == 0)
		*reply_r = reply;
	else
		http_reply_free(&reply);
	return result;
}

/* --- answers --------------------------------------------------------------------------- */

bool http_header(const struct http_reply *reply, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = reply->headers.bytes; line != NULL && *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
			const char *from = line + length + 1;

			from += strspn(from, " \t");
			if (from > end || (size_t)(end - from) >= size)
				return false;
			memcpy(value, from, (size_t)(end - from));
			value[end - from] = '\0';
			return true;
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return false;
}

int http_expect_success(const struct http_reply *reply, struct failure *why)
{
	enum error_type type =
		reply->status == 429 || reply->status == 503 ? ERROR_HTTP_BUSY : ERROR_HTTP_STATUS;
	struct text shown;
	char line[120], later[80] = "", wait[60];

	if (reply->status >= 200 && reply->status < 300)
		return 0;
	text_init(&shown, 200);
	http_url_shown(reply->url, &shown);
	text_printable_copy(
		line, sizeof(line), reply->headers.bytes, strcspn(reply->headers.bytes, "\n"));
	if (http_header(reply, "Retry-After", wait, sizeof(wait)))
		snprintf(later, sizeof(later), " (retry after %s)", wait);
	failure_set(why, type, "%s answers %s%s", shown.bytes, line, later);
	text_free(&shown);
	return -1;
}
