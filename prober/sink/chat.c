/* chat - a message for each revision of an event, to Slack, Mattermost or Microsoft Teams.
 *
 * Words of servers and of people stand in events: here they are words only. They call nobody, link
 * nowhere and format nothing. In Teams that is a matter of the element (a TextRun knows no
 * markup), elsewhere of escapes. The address is the only credential, and so a secret. */
#include <ctype.h>
#include <string.h>

#include "sink.h"

#include "ban.h"

/* The smallest of what they show is 4000 (a post of Mattermost before 5.0, Slack's advice), and an
 * escape makes one character five at most. */
#define SUMMARY_MAX 700
/* Zero width space: what stands on both sides of it is no word any more. */
#define APART "\xe2\x80\x8b"

static const char *const flavours[] = {"slack", "mattermost", "teams", NULL};

static const struct field fields[] = {
	{"flavour", &field_choice, FIELD_REQUIRED, "slack, mattermost or teams",
		.choices = flavours},
	{"secret_url", &field_secret, FIELD_REQUIRED,
		"the address of the incoming webhook, or of the Teams workflow, which is a secret"},
	SINK_CA_FILE,
	{0},
};

/* --- words ----------------------------------------------------------------------------- */

static const char *heading_of(const json_t *event)
{
	const char *state = event_string(event, "state"),
		   *severity = event_string(event, "severity");

	if (strcmp(state, "resolved") == 0)
		return "RESOLVED";
	if (strcmp(state, "ack") == 0)
		return "ACKNOWLEDGED";
	return strcmp(severity, "critical") == 0   ? "CRITICAL"
		: strcmp(severity, "error") == 0   ? "ERROR"
		: strcmp(severity, "warning") == 0 ? "WARNING"
						   : "INFO";
}

/* What somebody has said, if that is what the message is about. */
static void add_words_of(const json_t *event, struct text *text)
{
	const json_t *note = event_new_note(event), *ack = json_object_get(event, "acknowledged");
	const char *said = event_string(note, "text");

	if (note == NULL && event_is(event, "ack")) {
		note = ack;
		said = event_string(ack, "note");
	}
	if (note != NULL)
		text_printf(text, "\n%s%s%s", event_string(note, "by"), said[0] != '\0' ? ": " : "",
			said);
}

/* A new reference. */
static json_t *words_of(const json_t *event)
{
	struct text text;
	json_t *words;

	text_init(&text, SINK_BODY_MAX);
	text_puts(&text, event_string(event, "summary"));
	add_words_of(event, &text);
	words = fit_text(text.bytes, SUMMARY_MAX);
	text_free(&text);
	return words;
}

static json_t *place_and_time(const json_t *event)
{
	return json_sprintf("from %s, since %.19sZ, %s", event_vantage(event),
		event_string(event, "since"), event_string(event, "event_id"));
}

/* --- escapes --------------------------------------------------------------------------- */

/* Where names (@here, #channel, ~channel), faces (:+1:), tags, entities and addresses begin that are
 * found without any markup. */
static bool is_joint(const char *at)
{
	unsigned char next = (unsigned char)at[1];

	if (next == '\0' || isspace(next))
		return false;
	return strchr("@#~:<&", *at) != NULL || (*at == '.' && isalpha(next));
}

/* Slack: the three characters that begin anything, as it asks for. */
static void escape_slack(struct text *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '&')
			text_puts(out, "&amp;");
		else if (*text == '<')
			text_puts(out, "&lt;");
		else if (*text == '>')
			text_puts(out, "&gt;");
		else
			text_append(out, text, 1);
		if (is_joint(text))
			text_puts(out, APART);
	}
}

/* Mattermost: Markdown; some of it counts at the beginning of a line only. */
static void escape_markdown(struct text *out, const char *text)
{
	bool at_line_start = true;

	for (; *text != '\0'; text++) {
		if (strchr("\\`*_{}[]()~|!", *text) != NULL ||
			(at_line_start && strchr("#>+-=", *text) != NULL))
			text_puts(out, "\\");
		text_append(out, text, 1);
		if (is_joint(text))
			text_puts(out, APART);
		at_line_start = *text == '\n' || (at_line_start && *text == ' ');
	}
}

static json_t *escaped(const char *flavour, json_t *words)
{
	struct text text;
	json_t *result;

	text_init(&text, SINK_BODY_MAX);
	if (strcmp(flavour, "slack") == 0)
		escape_slack(&text, json_string_value(words));
	else
		escape_markdown(&text, json_string_value(words));
	result = json_string(text.bytes != NULL ? text.bytes : "");
	text_free(&text);
	json_decref(words);
	return result;
}

/* --- Slack and Mattermost -------------------------------------------------------------- */

static const char *colour_of(const json_t *event)
{
	const char *severity = event_string(event, "severity");

	if (event_is(event, "resolved"))
		return "#2e7d32";
	return strcmp(severity, "critical") == 0 || strcmp(severity, "error") == 0 ? "#c62828"
		: strcmp(severity, "warning") == 0                                 ? "#f9a825"
										   : "#1565c0";
}

static json_t *attachment_message(const char *flavour, const json_t *event)
{
	const char *runbook = event_string(event, "runbook_url");
	json_t *attachment = json_pack("{s:s, s:o, s:o, s:o, s:[]}", "color", colour_of(event),
		"fallback", escaped(flavour, words_of(event)), "text",
		escaped(flavour, words_of(event)), "footer",
		escaped(flavour, place_and_time(event)), "mrkdwn_in");

	if (runbook[0] != '\0') {
		json_object_set_new(attachment, "title", json_string("What to do"));
		json_object_set_new(attachment, "title_link", json_string(runbook));
	}
	return json_pack("{s:o, s:b, s:[o]}", "text",
		escaped(flavour,
			json_sprintf("%s %s", heading_of(event), event_string(event, "dedup_key"))),
		"mrkdwn", 0, "attachments", attachment);
}

/* --- Teams ----------------------------------------------------------------------------- */

static json_t *run_of(json_t *words, const char *weight, const char *colour)
{
	return json_pack("{s:s, s:[{s:s, s:o, s:s, s:s}]}", "type", "RichTextBlock", "inlines",
		"type", "TextRun", "text", words, "weight", weight, "color", colour);
}

static const char *style_of(const json_t *event)
{
	const char *severity = event_string(event, "severity");

	if (event_is(event, "resolved"))
		return "Good";
	return strcmp(severity, "warning") == 0 ? "Warning"
		: strcmp(severity, "info") == 0 ? "Accent"
						: "Attention";
}

static json_t *card_message(const json_t *event)
{
	const char *runbook = event_string(event, "runbook_url");
	json_t *card = json_pack("{s:s, s:s, s:s, s:[o, o, o]}", "$schema",
		"http://adaptivecards.io/schemas/adaptive-card.json", "type", "AdaptiveCard",
		"version", "1.4", "body",
		run_of(json_sprintf("%s %s", heading_of(event), event_string(event, "dedup_key")),
			"Bolder", style_of(event)),
		run_of(words_of(event), "Default", "Default"),
		run_of(place_and_time(event), "Lighter", "Default"));

	if (runbook[0] != '\0')
		json_object_set_new(card, "actions",
			json_pack("[{s:s, s:s, s:s}]", "type", "Action.OpenUrl", "title",
				"What to do", "url", runbook));
	return json_pack("{s:s, s:[{s:s, s:n, s:o}]}", "type", "message", "attachments",
		"contentType", "application/vnd.microsoft.card.adaptive", "contentUrl", "content",
		card);
}

static int compose(const struct sink *sink, const struct sink_event *event,
	struct sink_request *request, struct failure *why)
{
	const char *flavour = sink_string(sink, "flavour");

	(void)why;
	text_puts(&request->url, sink_secret(event, "secret_url"));
	sink_body(request,
		strcmp(flavour, "teams") == 0 ? card_message(event->event)
					      : attachment_message(flavour, event->event));
	return 0;
}

const struct sink_type sink_chat = {
	.name = "chat",
	.summary = "writes a message for each revision of an event to Slack, Mattermost or Teams",
	.fields = fields,
	.compose = compose,
};
