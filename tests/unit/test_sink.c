/* What sinks make of an event, and what is made of their answers. */
#include <string.h>

#include "clock.h"
#include "sink.h"
#include "tap.h"

/* 2026-01-01T00:00:15Z */
#define NOW (INT64_C(1767225615) * NS_PER_SECOND)

static struct failure why;

static json_t *an_event(const char *state, int revision)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}", "event_id",
		"evt_1", "dedup_key", "acme/mail/slow", "revision", revision, "state", state,
		"severity", "critical", "at", "2026-01-01T00:00:15.000000Z", "since",
		"2026-01-01T00:00:00.000000Z", "customer", "acme", "scenario", "mail", "summary",
		"acme/mail: \"slow\"\n$(id)", "vantages", "here");
}

static int compose(const char *type, json_t *config, json_t *event, const char *secret,
	struct sink_request *request)
{
	const struct sink sink = {sink_type_find(type), "ops", config};
	char value[256] = "";
	const struct sink_secret secrets[] = {{"secret", value}, {NULL, NULL}};
	const struct sink_event sent = {.event = event,
		.id = "evt_1.2",
		.secrets = secret != NULL ? secrets : NULL,
		.wall_ns = NOW,
		.every_ns = 300 * NS_PER_SECOND};
	int result;

	text_copy(value, sizeof(value), secret != NULL ? secret : "");
	*request = (struct sink_request){.content_type = "application/json"};
	text_init(&request->url, 8192);
	text_init(&request->body, SINK_BODY_MAX);
	why = (struct failure){0};
	result = sink.type->compose(&sink, &sent, request, &why);
	json_decref(config);
	json_decref(event);
	return result;
}

static void done(struct sink_request *request)
{
	text_free(&request->url);
	text_free(&request->body);
}

static json_t *webhook_config(const char *format)
{
	return json_pack("{s:s, s:s}", "url", "https://hooks.acme.test/in", "format", format);
}

/* The MAC was made with OpenSSL's command line:
 *   printf %s "evt_1.2.1767225615.$body" | openssl dgst -sha256 -mac HMAC
 *     -macopt key:0123456789abcdef01234567 -binary | base64 */
static void test_signature(void)
{
	struct sink_request request;

	is_integer(compose("webhook", webhook_config("plain"),
			   json_pack("{s:s, s:s}", "state", "open", "at", "2026-01-01T00:00:15Z"),
			   "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", &request),
		0, "a webhook");
	is_string(request.headers[0], "webhook-id: evt_1.2", "its id");
	is_string(request.headers[1], "webhook-timestamp: 1767225615", "its time");
	is_string(request.headers[2],
		"webhook-signature: v1,Q5rCOj3yC4O+eOkGHOOczesAG6TayhrBQSzTou2MS1s=",
		"its signature");
	is_string(request.body.bytes,
		"{\"type\":\"mailprobe.event.open\",\"timestamp\":\"2026-01-01T00:00:15Z\","
		"\"data\":{\"state\":\"open\",\"at\":\"2026-01-01T00:00:15Z\"}}",
		"its body");
	done(&request);
}

static void test_cloud_event(void)
{
	struct sink_request request;
	json_t *body;

	compose("webhook", webhook_config("cloudevents"), an_event("resolved", 2),
		"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", &request);
	body = json_loads(request.body.bytes, 0, NULL);
	is_string(event_string(body, "specversion"), "1.0", "a CloudEvent");
	is_string(event_string(body, "id"), "evt_1.2", "its id");
	is_string(event_string(body, "source"), "/mailprobe/here", "its source");
	is_string(event_string(body, "type"), "mailprobe.event.resolved", "its type");
	is_string(event_string(json_object_get(body, "data"), "summary"),
		"acme/mail: \"slow\"\n$(id)", "its data, as it is");
	json_decref(body);
	done(&request);
}

static void test_secrets(void)
{
	static const char *const wrong[] = {"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "whsec_",
		"whsec_MDEyMzQ1", "whsec_!!!yMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
		"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3MDEyMzQ1Njc4"
		"OWFiY2RlZjAxMjM0NTY3"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct sink_request request;
		int result = compose("webhook", webhook_config("plain"), an_event("open", 1),
			wrong[i], &request);

		ok(result == -1 && why.type == ERROR_CONFIG_SECRET, "\"%s\" is no key", wrong[i]);
		ok(strstr(why.text, "MDEy") == NULL, "and is not shown");
		done(&request);
	}
}

static const char *alert(const json_t *alerts, size_t index, const char *key)
{
	return event_string(json_array_get(alerts, index), key);
}

static void test_alertmanager(void)
{
	struct sink_request request;
	json_t *alerts;

	compose("alertmanager", json_pack("{s:s}", "url", "http://127.0.0.1:9093/"),
		an_event("open", 1), NULL, &request);
	is_string(request.url.bytes, "http://127.0.0.1:9093/api/v2/alerts", "where to");
	alerts = json_loads(request.body.bytes, 0, NULL);
	is_integer((long long)json_array_size(alerts), 1, "one alert for a new event");
	is_string(alert(alerts, 0, "endsAt"), "2026-01-01T01:00:15.000000Z", "over by then");
	is_string(event_string(json_object_get(json_array_get(alerts, 0), "labels"), "alertname"),
		"slow", "its name");
	json_decref(alerts);
	done(&request);
	compose("alertmanager", json_pack("{s:s}", "url", "http://127.0.0.1:9093"),
		an_event("resolved", 2), NULL, &request);
	alerts = json_loads(request.body.bytes, 0, NULL);
	is_integer((long long)json_array_size(alerts), 4, "and those of other severities end");
	for (size_t i = 0; i < 4; i++)
		is_string(alert(alerts, i, "endsAt"), "2026-01-01T00:00:15.000000Z", "now");
	json_decref(alerts);
	done(&request);
}

static void test_retry_after(void)
{
	is_integer(sink_retry_after("120", NOW), 120 * NS_PER_SECOND, "seconds");
	is_integer(sink_retry_after("Thu, 01 Jan 2026 00:01:15 GMT", NOW), 60 * NS_PER_SECOND,
		"a date");
	is_integer(sink_retry_after("Thu, 01 Jan 2026 00:00:00 GMT", NOW), 0, "a date in the past");
	is_integer(sink_retry_after("99999999999999999999", NOW), 86400 * NS_PER_SECOND,
		"a day at most");
	is_integer(sink_retry_after("soon", NOW), 0, "nonsense");
	is_integer(sink_retry_after("-5", NOW), 0, "a negative number");
}

/* --- what is made to fit --------------------------------------------------------------- */

static void is_cut(const char *text, size_t max, const char *want, const char *name)
{
	json_t *got = fit_text(text, max);

	is_string(json_string_value(got), want, name);
	json_decref(got);
}

static void test_fit_text(void)
{
	is_cut("0123456789", 10, "0123456789", "as long as it may be");
	is_cut("0123456789a", 10, "0123456...", "one more");
	is_cut("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", 4, "\xc3\xbc...",
		"characters, not bytes");
	is_cut("\xf0\x9f\x98\x80"
	       "123",
		4, "...", "none is cut in two");
	is_cut("\xf0\x9f\x98\x80"
	       "123",
		5,
		"\xf0\x9f\x98\x80"
		"123",
		"two beyond the first plane");
}

static void test_fit_event(void)
{
	json_t *event = an_event("open", 1), *fitting;
	struct text large;

	text_init(&large, 5000);
	while (!large.overflowed)
		text_puts(&large, "0123456789");
	json_object_set_new(event, "evidence", json_string(large.bytes));
	json_object_set_new(event, "values", json_pack("{s:i}", "n", 5));
	fitting = fit_event(event, 6000);
	ok(json_equal(fitting, event), "an event that fits is left as it is");
	json_decref(fitting);
	fitting = fit_event(event, 1000);
	ok(json_object_get(fitting, "evidence") == NULL, "the largest is left out");
	ok(json_object_get(fitting, "values") != NULL, "the rest stays");
	is_string(json_string_value(json_array_get(json_object_get(fitting, "left_out"), 0)),
		"evidence", "and it is said");
	json_decref(fitting);
	json_object_set_new(event, "summary", json_string(large.bytes));
	fitting = fit_event(event, 2000);
	is_string(event_string(fitting, "event_id"), "evt_1", "what it is about always stays");
	is_integer((long long)strlen(event_string(fitting, "summary")), 1000, "a summary is cut");
	json_decref(fitting);
	json_decref(event);
	text_free(&large);
}

static int compose_large(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *reason)
{
	(void)sink;
	(void)event;
	(void)reason;
	while (!request->body.overflowed)
		text_puts(&request->body, "0123456789");
	return 0;
}

/* No part of a request goes out that is not whole. */
static void test_too_large(void)
{
	const struct sink_type type = {.name = "large", .compose = compose_large};
	const struct sink sink = {&type, "ops", NULL};
	const struct sink_event sent = {.id = "evt_1.2"};
	struct sink_answer answer;

	sink_post(NULL, &sink, &sent, deadline_in(NS_PER_SECOND), &answer);
	is_integer(answer.verdict, SINK_REFUSED, "what is larger than any request is refused");
	ok(strstr(answer.sentence, "limit.size") != NULL, "by its reason");
}

/* --- vendors --------------------------------------------------------------------------- */

static json_t *body_of(const char *type, json_t *config, json_t *event, const char *secret)
{
	struct sink_request request;
	json_t *body = NULL;

	if (compose(type, config, event, secret, &request) == 0)
		body = json_loads(request.body.bytes, 0, NULL);
	done(&request);
	return body;
}

static void test_pagerduty(void)
{
	static const char *const wrong[] = {"R012345678901234567890123456789",
		"R01234567890123456789012345678901", "R012345678901234567890123456789\n", ""};
	json_t *body = body_of("pagerduty", json_pack("{s:s}", "url", "http://127.0.0.1/"),
		an_event("open", 1), "R0123456789012345678901234567890");
	const json_t *payload = json_object_get(body, "payload");

	is_string(event_string(body, "event_action"), "trigger", "an opening");
	is_string(event_string(payload, "class"), "slow", "without a metric, the rule");
	is_string(event_string(payload, "source"), "here", "seen from");
	json_decref(body);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		why = (struct failure){0};
		body = body_of("pagerduty", json_pack("{s:s}", "url", "http://127.0.0.1/"),
			an_event("open", 1), wrong[i]);
		ok(body == NULL && why.type == ERROR_CONFIG_SECRET, "no key: %zu", i);
		ok(strstr(why.text, "R0123") == NULL, "and it is not shown");
	}
}

/* The requests of an update whose severity has changed. */
static void test_opsgenie(void)
{
	static const char *const urls[] = {"https://api.acme.test/v2/alerts",
		"https://api.acme.test/v2/alerts/acme%2Fmail%2Fslow/notes?identifierType=alias",
		"https://api.acme.test/v2/alerts/acme%2Fmail%2Fslow/priority?identifierType=alias"};
	json_t *config = json_pack("{s:s}", "url", "https://api.acme.test/");
	json_t *event = an_event("update", 2);
	const struct sink sink = {sink_type_find("opsgenie"), "ops", config};
	char key[] = "key";
	const struct sink_secret secrets[] = {{"secret", key}, {NULL, NULL}};
	struct sink_event sent = {.event = event, .id = "evt_1.2", .secrets = secrets};

	for (sent.part = 0; sent.part < 3; sent.part++) {
		struct sink_request request = {.method = "POST"};

		text_init(&request.url, 8192);
		text_init(&request.body, SINK_BODY_MAX);
		is_integer(sink.type->compose(&sink, &sent, &request, &why), 0, "a part");
		is_string(request.url.bytes, urls[sent.part], "where to");
		is_string(request.headers[0], "Authorization: GenieKey key", "with its key");
		ok(request.more == (sent.part < 2), "and whether there is more");
		is_string(request.method, sent.part == 2 ? "PUT" : "POST", "by its method");
		if (sent.part == 2)
			is_string(request.body.bytes, "{\"priority\":\"P1\"}", "its priority");
		done(&request);
	}
	json_decref(event);
	json_decref(config);
}

int main(void)
{
	test_fit_text();
	test_fit_event();
	test_too_large();
	test_pagerduty();
	test_opsgenie();
	test_signature();
	test_cloud_event();
	test_secrets();
	test_alertmanager();
	test_retry_after();
	return done_testing();
}
