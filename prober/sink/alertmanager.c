/* alertmanager - Prometheus Alertmanager, API v2, which groups, silences and routes.
 *
 * It keeps alerts in memory and forgets one that is not said again: so an open event is said at
 * each run, and is over by its endsAt if we fall silent. Alerts are told apart by their labels. */
#include <string.h>

#include "sink.h"

#include "ban.h"

/* An alert outlives so many runs that do not come. */
#define RUNS 3
#define LIFE_MIN (INT64_C(3600) * NS_PER_SECOND)

static const char *const severities[] = {"critical", "error", "warning", "info", NULL};

static const struct field fields[] = {
	{"url", &field_http_url, FIELD_REQUIRED,
		"the Alertmanager, without /api/v2/alerts, such as http://127.0.0.1:9093"},
	SINK_CA_FILE,
	{0},
};

static json_t *alert_of(const json_t *event, const char *severity, const char *ends_at)
{
	json_t *annotations = json_pack("{s:s, s:s}", "summary", event_string(event, "summary"),
		"event_id", event_string(event, "event_id"));
	const char *runbook = event_string(event, "runbook_url");

	if (runbook[0] != '\0')
		json_object_set_new(annotations, "runbook_url", json_string(runbook));
	return json_pack("{s:{s:s, s:s, s:s, s:s, s:s}, s:o, s:s, s:s}", "labels", "alertname",
		event_rule(event), "severity", severity, "customer", event_string(event, "customer"),
		"scenario", event_string(event, "scenario"), "vantage", event_vantage(event),
		"annotations", annotations, "startsAt", event_string(event, "since"), "endsAt",
		ends_at);
}

/* Severity is a label, by which alerts are routed: with another one it is another alert, and the
 * one that it was before has to end. */
static void end_others(json_t *alerts, const json_t *event, const char *now)
{
	for (size_t i = 0; severities[i] != NULL; i++)
		if (strcmp(severities[i], event_string(event, "severity")) != 0)
			json_array_append_new(alerts, alert_of(event, severities[i], now));
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	const char *url = sink_string(sink, "url");
	size_t length = strlen(url);
	int64_t life = RUNS * event->every_ns > LIFE_MIN ? RUNS * event->every_ns : LIFE_MIN;
	bool resolved = event_is(event->event, "resolved");
	char now[CLOCK_TIMESTAMP_SIZE], later[CLOCK_TIMESTAMP_SIZE];
	json_t *alerts = json_array();

	(void)why;
	clock_format(event->wall_ns, now);
	clock_format(event->wall_ns + life, later);
	json_array_append_new(alerts,
		alert_of(event->event, event_string(event->event, "severity"),
			resolved ? now : later));
	if (json_integer_value(json_object_get(event->event, "revision")) > 1)
		end_others(alerts, event->event, now);
	text_printf(&request->url, "%.*s/api/v2/alerts",
		(int)(url[length - 1] == '/' ? length - 1 : length), url);
	sink_body(request, alerts);
	return 0;
}

const struct sink_type sink_alertmanager = {
	.name = "alertmanager",
	.summary = "raises and resolves alerts in Prometheus Alertmanager (API v2)",
	.fields = fields,
	.compose = compose,
	.stands = true,
};
