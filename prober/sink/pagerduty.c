/* pagerduty - PagerDuty, Events API v2: raises, acknowledges and resolves alerts.
 *
 * It tells incidents apart by the dedup key, and opens a new one if a key comes again after its end.
 * https://developer.pagerduty.com/docs/send-alert-event */
#include <ctype.h>
#include <string.h>

#include "sink.h"

#include "ban.h"

#define KEY_LENGTH 32
#define SUMMARY_MAX 1024
/* Of the 512 KB that a request may have. */
#define DETAILS_MAX ((size_t)480 * 1024)

static const struct field fields[] = {
	{"secret", &field_secret, FIELD_REQUIRED,
		"the integration key (\"routing key\") of the service, 32 characters"},
	{"url", &field_http_url, 0,
		"where events are posted to; of the EU region "
		"https://events.eu.pagerduty.com/v2/enqueue",
		"\"https://events.pagerduty.com/v2/enqueue\""},
	SINK_CA_FILE,
	{0},
};

static int check_key(const char *key, struct failure *why)
{
	size_t length = 0;

	while (isalnum((unsigned char)key[length]))
		length++;
	if (length == KEY_LENGTH && key[length] == '\0')
		return 0;
	return failure_set(why, ERROR_CONFIG_SECRET,
		"the secret of PagerDuty is an integration key: %d letters and digits", KEY_LENGTH);
}

static const char *action_of(const json_t *event)
{
	if (event_is(event, "resolved"))
		return "resolve";
	return event_is(event, "ack") ? "acknowledge" : "trigger";
}

static json_t *payload_of(const json_t *event)
{
	const char *vantage = event_vantage(event);
	const char *metric = event_string(json_object_get(event, "limit"), "metric");

	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "summary",
		fit_text(event_string(event, "summary"), SUMMARY_MAX), "source",
		vantage[0] != '\0' ? vantage : "mailprobe", "severity",
		event_string(event, "severity"), "timestamp", event_string(event, "at"),
		"component", event_string(event, "scenario"), "group",
		event_string(event, "customer"), "class",
		metric[0] != '\0' ? metric : event_rule(event), "custom_details",
		fit_event(event, DETAILS_MAX));
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	const char *key = sink_secret(event, "secret"), *action = action_of(event->event);
	const char *runbook = event_string(event->event, "runbook_url");
	json_t *body;

	if (check_key(key, why) == -1)
		return -1;
	body = json_pack("{s:s, s:s, s:s}", "routing_key", key, "event_action", action, "dedup_key",
		event_string(event->event, "dedup_key"));
	/* The others need no more, and it would be thrown away there. */
	if (strcmp(action, "trigger") == 0) {
		json_object_set_new(body, "client", json_string("mailprobe"));
		json_object_set_new(body, "payload", payload_of(event->event));
		if (runbook[0] != '\0')
			json_object_set_new(body, "links",
				json_pack("[{s:s, s:s}]", "href", runbook, "text", "What to do"));
	}
	text_puts(&request->url, sink_string(sink, "url"));
	sink_body(request, body);
	return 0;
}

const struct sink_type sink_pagerduty = {
	.name = "pagerduty",
	.summary = "raises, acknowledges and resolves alerts in PagerDuty (Events API v2)",
	.fields = fields,
	.compose = compose,
};
