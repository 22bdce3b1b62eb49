/* opsgenie - Opsgenie, and Jira Service Management, which takes the same requests at another place.
 *
 * Alerts are told apart by their alias. A second one with the alias of an open alert only counts it
 * up, so that what has changed follows as a note and a priority. Each request is taken (202) before
 * it is done, so that an alert which is gone meanwhile is no failure here.
 * https://docs.opsgenie.com/docs/alert-api */
#include <string.h>

#include "sink.h"

#include "ban.h"

#define MESSAGE_MAX 130
#define DESCRIPTION_MAX 15000
#define TAG_MAX 50
#define DETAIL_MAX 1000 /* all of them may have 8000 */
#define BY_MAX 100
#define NOTE_MAX 25000

static const struct field fields[] = {
	{"url", &field_http_url, FIELD_REQUIRED,
		"the API without /v2/alerts: https://api.opsgenie.com, "
		"https://api.eu.opsgenie.com, or of Jira Service Management "
		"https://api.atlassian.com/jsm/ops/integration"},
	{"secret", &field_secret, FIELD_REQUIRED, "the API key of the integration"},
	SINK_CA_FILE,
	{0},
};

static const char *priority_of(const json_t *event)
{
	static const char *const priorities[][2] = {
		{"critical", "P1"}, {"error", "P2"}, {"warning", "P3"}};

	for (size_t i = 0; i < sizeof(priorities) / sizeof(priorities[0]); i++)
		if (strcmp(event_string(event, "severity"), priorities[i][0]) == 0)
			return priorities[i][1];
	return "P5";
}

/* --- what is said ---------------------------------------------------------------------- */

static json_t *details_of(const struct sink_event *event)
{
	static const char *const keys[] = {
		"event_id", "severity", "customer", "scenario", "since", "runbook_url", NULL};
	json_t *details =
		json_pack("{s:s, s:s}", "id", event->id, "vantage", event_vantage(event->event));

	for (size_t i = 0; keys[i] != NULL; i++)
		if (json_object_get(event->event, keys[i]) != NULL)
			json_object_set_new(details, keys[i],
				fit_text(event_string(event->event, keys[i]), DETAIL_MAX));
	return details;
}

static json_t *description_of(const json_t *event)
{
	const char *runbook = event_string(event, "runbook_url");
	json_t *whole = json_sprintf("%s%s%s", event_string(event, "summary"),
		runbook[0] != '\0' ? "\n\nWhat to do: " : "", runbook);
	json_t *fitting = fit_text(json_string_value(whole), DESCRIPTION_MAX);

	json_decref(whole);
	return fitting;
}

static json_t *alert_of(const struct sink_event *event)
{
	const json_t *own = event->event;

	return json_pack("{s:o, s:s, s:o, s:s, s:s, s:s, s:o, s:[s, o]}", "message",
		fit_text(event_string(own, "summary"), MESSAGE_MAX), "alias",
		event_string(own, "dedup_key"), "description", description_of(own), "priority",
		priority_of(own), "source", "mailprobe", "entity", event_string(own, "customer"),
		"details", details_of(event), "tags", "mailprobe",
		fit_text(event_string(own, "customer"), TAG_MAX));
}

/* Of an action on an alert: who, and in what words. */
static json_t *action_by(const char *by, const char *note)
{
	json_t *action = json_pack("{s:s, s:o}", "source", "mailprobe", "user",
		fit_text(by[0] != '\0' ? by : "mailprobe", BY_MAX));

	if (note[0] != '\0')
		json_object_set_new(action, "note", fit_text(note, NOTE_MAX));
	return action;
}

/* --- where it is said ------------------------------------------------------------------ */

/* Names of ours have no character that a path needs escaped, but the slashes between them. */
static void address(const struct sink *sink, const json_t *event, const char *verb,
	struct sink_request *request)
{
	const char *url = sink_string(sink, "url");
	size_t length = strlen(url);

	text_printf(&request->url, "%.*s/v2/alerts",
		(int)(url[length - 1] == '/' ? length - 1 : length), url);
	if (verb == NULL)
		return;
	text_puts(&request->url, "/");
	for (const char *at = event_string(event, "dedup_key"); *at != '\0'; at++)
		text_printf(&request->url, *at == '/' ? "%%2F" : "%c", *at);
	text_printf(&request->url, "/%s?identifierType=alias", verb);
}

static void act(const struct sink *sink, const json_t *event, const char *verb, json_t *action,
	struct sink_request *request)
{
	address(sink, event, verb, request);
	sink_body(request, action);
}

static void write_note(const struct sink *sink, const json_t *event, struct sink_request *request)
{
	const json_t *note = event_new_note(event);

	if (note != NULL)
		act(sink, event, "notes",
			action_by(event_string(note, "by"), event_string(note, "text")), request);
	else
		act(sink, event, "notes", action_by("", event_string(event, "summary")), request);
}

/* The alert first, in case that it has not been raised. */
static void raise_or_update(
	const struct sink *sink, const struct sink_event *event, struct sink_request *request)
{
	const json_t *own = event->event;
	bool update = event_is(own, "update");

	if (event->part == 0) {
		act(sink, own, NULL, alert_of(event), request);
		request->more = update;
	} else if (event->part == 1) {
		write_note(sink, own, request);
		request->more = event_new_note(own) == NULL;
	} else {
		request->method = "PUT";
		act(sink, own, "priority", json_pack("{s:s}", "priority", priority_of(own)),
			request);
	}
}

static void end_or_answer(
	const struct sink *sink, const json_t *event, struct sink_request *request)
{
	const json_t *acknowledged = json_object_get(event, "acknowledged");

	if (event_new_note(event) != NULL)
		write_note(sink, event, request);
	else if (event_is(event, "ack"))
		act(sink, event, "acknowledge",
			action_by(event_string(acknowledged, "by"),
				event_string(acknowledged, "note")),
			request);
	else
		act(sink, event, "close", action_by("", event_string(event, "summary")), request);
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	(void)why;
	sink_header(request, "Authorization: GenieKey %s", sink_secret(event, "secret"));
	if (event_is(event->event, "open") || event_is(event->event, "update"))
		raise_or_update(sink, event, request);
	else
		end_or_answer(sink, event->event, request);
	return 0;
}

const struct sink_type sink_opsgenie = {
	.name = "opsgenie",
	.summary = "raises, acknowledges and closes alerts in Opsgenie or Jira Service Management",
	.fields = fields,
	.compose = compose,
};
