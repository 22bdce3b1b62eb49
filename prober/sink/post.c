/* One event to one server, and what its answer means for the queue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error_type.h"
#include "http.h"
#include "sink.h"

#include "ban.h"

#define ANSWER_MAX ((size_t)64 * 1024)
#define RETRY_AFTER_MAX (INT64_C(86400) * NS_PER_SECOND)

int64_t sink_retry_after(const char *value, int64_t wall_ns)
{
	struct tm when = {0};
	const char *end;
	int64_t wait;

	if (value[0] != '\0' && strspn(value, "0123456789") == strlen(value)) {
		/* Nine digits are more than we wait, and less than overflows. */
		wait = strlen(value) > 9 ? RETRY_AFTER_MAX
					 : (int64_t)strtol(value, NULL, 10) * NS_PER_SECOND;
	} else {
		end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &when);
		if (end == NULL || *end != '\0')
			return 0;
		wait = (int64_t)timegm(&when) * NS_PER_SECOND - wall_ns;
	}
	if (wait < 0)
		return 0;
	return wait < RETRY_AFTER_MAX ? wait : RETRY_AFTER_MAX;
}

/* What the server or the way to it may get over by itself is tried again. For the rest a person has
 * to change something: that is said at once, and mailprobe outbox retry sends it afterwards. */
static enum sink_verdict verdict_of(const struct sink *sink, const struct http_reply *reply)
{
	int status = reply->status;

	if (status >= 200 && status < 300)
		return SINK_TAKEN;
	if (status == 408 || status == 425 || status == 429 || status >= 500)
		return SINK_LATER;
	return sink->type->passes != NULL && sink->type->passes(reply) ? SINK_LATER : SINK_REFUSED;
}

static const char *remark_of(int status)
{
	if (status >= 300 && status < 400)
		return ", a redirect, which is not followed: is the address right?";
	return status == 401 || status == 403 ? ": are the credentials right?" : "";
}

static void judge(const struct sink *sink, const struct http_reply *reply, int64_t wall_ns,
	struct sink_answer *answer)
{
	char value[64];

	answer->verdict = verdict_of(sink, reply);
	snprintf(answer->sentence, sizeof(answer->sentence), "the server answered %d%s",
		reply->status, remark_of(reply->status));
	if (answer->verdict == SINK_LATER &&
		http_header(reply, "Retry-After", value, sizeof(value)))
		answer->retry_after_ns = sink_retry_after(value, wall_ns);
}

void sink_failed(struct sink_answer *answer, const struct failure *why)
{
	snprintf(answer->sentence, sizeof(answer->sentence), "%.180s (%s)", why->text,
		error_info(why->type)->name);
}

static int exchange(struct http *http, const struct sink_request *composed,
	struct deadline deadline, struct http_reply *reply, struct failure *why)
{
	const char *headers[SINK_HEADERS_MAX + 1] = {NULL};
	const struct http_request request = {
		.method = composed->method,
		.url = composed->url.bytes,
		.headers = headers,
		.body = composed->body.bytes,
		.body_length = composed->body.length,
		.content_type = composed->content_type,
		.auth = composed->aws_scope[0] != '\0' ? HTTP_AUTH_AWS : HTTP_AUTH_NONE,
		.aws_scope = composed->aws_scope,
		.username = composed->access_key,
		.password = composed->secret_key,
		.secret = true,
		.keep_redirect = true,
		.max_bytes = ANSWER_MAX,
		.deadline = deadline,
	};

	for (size_t i = 0; i < composed->header_count; i++)
		headers[i] = composed->headers[i];
	return http_fetch(http, &request, reply, why);
}

/* One request; whether the event has another. */
static bool post_part(struct http *http, const struct sink *sink, const struct sink_event *event,
	struct deadline deadline, struct sink_answer *answer)
{
	struct sink_request request = {.method = "POST", .content_type = "application/json"};
	struct http_reply reply = {0};
	struct failure why = {0};
	int result;

	*answer = (struct sink_answer){.verdict = SINK_LATER};
	text_init(&request.url, 8192);
	text_init(&request.body, SINK_BODY_MAX);
	result = sink->type->compose(sink, event, &request, &why);
	if (result == 0 && (request.url.overflowed || request.body.overflowed)) {
		answer->verdict = SINK_REFUSED;
		result = failure_set(&why, ERROR_LIMIT_SIZE, "it is larger than any request");
	}
	if (result == 0)
		result = exchange(http, &request, deadline, &reply, &why);
	if (result == 0) {
		judge(sink, &reply, event->wall_ns, answer);
		http_reply_free(&reply);
	} else {
		sink_failed(answer, &why);
	}
	text_free(&request.url);
	text_free(&request.body);
	return answer->verdict == SINK_TAKEN && request.more;
}

void sink_post(struct http *http, const struct sink *sink, const struct sink_event *event,
	struct deadline deadline, struct sink_answer *answer_r)
{
	struct sink_event part = *event;

	/* What is tried again begins with its first part: receivers know what they have seen. */
	while (post_part(http, sink, &part, deadline, answer_r))
		part.part++;
}
