/* One exchange with libcurl: the request goes out, the answer comes in and is counted on the way.
 * No size that the server states is believed, and no time but our own deadline counts. */
#include "http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tcp.h"

#include "ban.h"

#define USER_AGENT "Mozilla/5.0 (compatible; mailprobe/" MAILPROBE_VERSION "; synthetic probe)"

/* --- the answer ------------------------------------------------------------------------ */

static const char *value_of(const char *line, size_t length, const char *name, size_t *value_length)
{
	size_t name_length = strlen(name);

	if (length <= name_length || line[name_length] != ':' ||
		strncasecmp(line, name, name_length) != 0)
		return NULL;
	line += name_length + 1;
	length -= name_length + 1;
	while (length > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		length--;
	}
	while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL)
		length--;
	*value_length = length;
	return line;
}

/* An allow-list: cookies and anything that we do not know stay out of sight. */
static void show_header(struct exchange *exchange, const char *line, size_t length)
{
	static const char *const shown[] = {"Content-Type", "Content-Length", "Content-Encoding",
		"Transfer-Encoding", "Retry-After", "Server", "DAV", "Allow", NULL};
	struct transcript *transcript = exchange->http->settings.transcript;
	size_t value_length;
	const char *value = value_of(line, length, "Location", &value_length);

	if (value != NULL) {
		size_t end = 0;

		while (end < value_length && strchr("?#;", value[end]) == NULL)
			end++;
		transcript_remark(transcript, "Location: %.*s%s", (int)(end < 160 ? end : 160),
			value, end < value_length ? "?..." : "");
	}
	for (size_t i = 0; shown[i] != NULL; i++)
		if (value_of(line, length, shown[i], &value_length) != NULL)
			transcript_add(transcript, SAID_BY_SERVER, line, length);
}

/* RFC 9112, 6.3: differing lengths are an attack on whoever stands between us and the server. */
static int check_length(struct exchange *exchange, const char *line, size_t length)
{
	size_t value_length;
	const char *value = value_of(line, length, "Content-Length", &value_length);
	int64_t stated;

	if (value == NULL)
		return 0;
	if (value_length == 0 || strspn(value, "0123456789") < value_length)
		return failure_set(&exchange->why, ERROR_HTTP_MALFORMED,
			"%s states a Content-Length that is no number", exchange->server);
	stated = value_length < 19 ? strtoll(value, NULL, 10) : INT64_MAX;
	if (exchange->content_length != -1 && exchange->content_length != stated)
		return failure_set(&exchange->why, ERROR_HTTP_MALFORMED,
			"%s states two different Content-Lengths", exchange->server);
	exchange->content_length = stated;
	return 0;
}

static void begin_answer(struct exchange *exchange, const char *line, size_t length)
{
	text_clear(&exchange->reply.headers);
	exchange->content_length = -1;
	transcript_add(exchange->http->settings.transcript, SAID_BY_SERVER, line, length);
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct text *headers = &exchange->reply.headers;
	size_t length = size * count, end = length;

	if (exchange->first_byte_ns == 0)
		exchange->first_byte_ns = clock_now();
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
		begin_answer(exchange, line, length);
	else
		show_header(exchange, line, length);
	exchange->wire_bytes += length;
	if (check_length(exchange, line, length) == -1)
		return 0;
	while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r'))
		end--;
	text_append(headers, line, end);
	text_append(headers, "\n", 1);
	if (++exchange->header_lines <= HTTP_HEADER_LINES_MAX &&
		exchange->wire_bytes <= HTTP_HEADERS_MAX && !headers->overflowed)
		return length;
	failure_set(&exchange->why, ERROR_LIMIT_SIZE,
		"%s sent more headers than any honest server would", exchange->server);
	return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;
	struct text *body = &exchange->reply.body;

	text_append(body, bytes, size * count);
	if (!body->overflowed)
		return size * count;
	failure_set(&exchange->why, ERROR_LIMIT_SIZE, "%s sent more than %zu bytes in one answer",
		exchange->server, exchange->body_max);
	return 0;
}

/* --- the request ----------------------------------------------------------------------- */

static int add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return -1;
	*list = longer;
	return 0;
}

static int collect_headers(
	const struct exchange *exchange, struct curl_slist **list, struct failure *why)
{
	const struct http_request *request = exchange->request;
	const char *const *header = exchange->with_credentials ? request->headers : NULL;
	char type[256];
	int failed = 0;

	/* Asking leave before sending a body is a round trip that no browser makes. But libcurl 7.88
	 * signs a header that is to be left out as if it were sent. */
	if (request->auth != HTTP_AUTH_AWS)
		failed |= add_header(list, "Expect:");
	for (; header != NULL && *header != NULL; header++) {
		if (text_breaks_line(*header, strlen(*header)))
			return failure_set(why, ERROR_HTTP_POLICY,
				"a header of the request holds a line break");
		failed |= add_header(list, *header);
	}
	if (exchange->with_body && request->content_type != NULL) {
		snprintf(type, sizeof(type), "Content-Type: %s", request->content_type);
		failed |= add_header(list, type);
	}
	if (failed == 0)
		return 0;
	return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
}

static void set_method(const struct exchange *exchange)
{
	CURL *easy = exchange->http->easy;
	const struct http_request *request = exchange->request;
	bool body = exchange->with_body;

	if (strcmp(exchange->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (body || strcmp(exchange->method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? request->body : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(body ? request->body_length : 0));
	}
	if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "POST") != 0)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
}

static void set_aws_scope(CURL *easy, const char *scope)
{
	char provider[128];

	snprintf(provider, sizeof(provider), "aws:amz:%s", scope);
	curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, provider);
}

static void set_credentials(const struct exchange *exchange)
{
	CURL *easy = exchange->http->easy;
	const struct http_request *request = exchange->request;

	if (!exchange->with_credentials || request->auth == HTTP_AUTH_NONE)
		return;
	if (request->auth == HTTP_AUTH_AWS)
		set_aws_scope(easy, request->aws_scope);
	else
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH,
			request->auth == HTTP_AUTH_BASIC ? CURLAUTH_BASIC
							 : CURLAUTH_BASIC | CURLAUTH_DIGEST);
	curl_easy_setopt(easy, CURLOPT_USERNAME, request->username);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password);
}

static void set_options(struct exchange *exchange, struct curl_slist *headers)
{
	CURL *easy = exchange->http->easy;

	/* Keeps connections and cookies. */
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(
		easy, CURLOPT_TIMEOUT_MS, (long)deadline_left_ms(exchange->request->deadline) + 1);
	set_method(exchange);
	set_credentials(exchange);
	http_connect_options(exchange);
}

/* --- the loop -------------------------------------------------------------------------- */

static bool is_done(const struct http *http, CURLcode *code)
{
	int left = 0;
	CURLMsg *message = curl_multi_info_read(http->multi, &left);

	if (message == NULL || message->msg != CURLMSG_DONE)
		return false;
	*code = message->data.result;
	return true;
}

static int pump(struct exchange *exchange, struct failure *why)
{
	struct http *http = exchange->http;
	struct deadline deadline = exchange->request->deadline;
	CURLcode code = CURLE_OK;
	int running = 0;

	for (;;) {
		if (curl_multi_perform(http->multi, &running) != CURLM_OK)
			return failure_set(why, ERROR_LOCAL_RESOURCE, "libcurl cannot go on");
		if (is_done(http, &code))
			return code == CURLE_OK ? 0 : http_explain(exchange, code, why);
		if (deadline_passed(deadline))
			return http_explain(exchange, CURLE_OPERATION_TIMEDOUT, why);
		curl_multi_poll(http->multi, NULL, 0, deadline_left_ms(deadline), NULL);
	}
}

/* Only what was sent again: while a server thinks, its kernel delays acknowledgements, and that
 * would look like a long way. */
static void take_network(struct http *http)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	double rtt;

	if (curl_easy_getinfo(http->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
		fd != CURL_SOCKET_BAD)
		tcp_facts(fd, &rtt, &http->retransmits);
}

static void take_counts(struct exchange *exchange)
{
	CURL *easy = exchange->http->easy;
	curl_off_t bytes = 0;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	exchange->reply.status = (int)status;
	exchange->wire_bytes += (size_t)bytes;
	exchange->ended_ns = clock_now();
	take_network(exchange->http);
}

int http_transfer(struct exchange *exchange, struct failure *why)
{
	struct http *http = exchange->http;
	struct curl_slist *headers = NULL;
	int result = collect_headers(exchange, &headers, why);

	if (result == 0) {
		set_options(exchange, headers);
		exchange->began_ns = exchange->ready_ns = clock_now();
		http->current = exchange;
		http->deadline = exchange->request->deadline;
		curl_multi_add_handle(http->multi, http->easy);
		result = pump(exchange, why);
		take_counts(exchange);
		curl_multi_remove_handle(http->multi, http->easy);
		http->current = NULL;
	}
	curl_slist_free_all(headers);
	return result;
}
