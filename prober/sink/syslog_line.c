#include "syslog_line.h"

#include <stdio.h>
#include <string.h>

#include "record.h"

#include "ban.h"

#define BOM "\xef\xbb\xbf"
#define HOST_MAX 255
#define MESSAGE_ID_MAX 32
#define CUT "..."

/* With the longest header they leave the sentence 480 bytes. What tells which event it is comes
 * first: made of names of at most 64 characters, it takes less than 800. */
#define PARAMS_MAX 1100
#define LEFT_OUT_MAX 128

const char *const syslog_facilities[] = {"user", "mail", "daemon", "local0", "local1", "local2",
	"local3", "local4", "local5", "local6", "local7", NULL};

/* RFC 5424, 6.2.1: 1 to 3, and from 16 on. */
static int facility_code(const char *name)
{
	int index = name_index(syslog_facilities, name);

	return index < 3 ? index + 1 : index + 13;
}

/* That something is over is no emergency, whatever it was. */
static int severity_code(const json_t *event)
{
	static const char *const names[] = {"critical", "error", "warning", NULL};
	int index = name_index(names, event_string(event, "severity"));

	if (event_is(event, "resolved"))
		return 5;
	return index >= 0 ? index + 2 : 6;
}

/* PRINTUSASCII of RFC 5424, 6. */
static bool is_word(const char *text, size_t max)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (text[i] < '!' || text[i] > '~')
			return false;
	return length > 0 && length <= max;
}

bool syslog_is_host(const char *name)
{
	return is_word(name, HOST_MAX);
}

static bool is_ascii(const struct text *text)
{
	for (size_t i = 0; i < text->length; i++)
		if ((unsigned char)text->bytes[i] >= 0x80)
			return false;
	return true;
}

/* --- structured data -------------------------------------------------------------------- */

struct params {
	struct text text;
	struct text left_out; /* names of those that did not fit */
};

/* RFC 5424, 6.3.3: a backslash before `"`, `\` and `]`. */
static void escape(struct text *to, const char *value)
{
	struct text shown;

	text_init(&shown, SYSLOG_LINE_MAX);
	text_printable(&shown, value, strlen(value));
	for (size_t i = 0; i < shown.length; i++) {
		if (strchr("\"\\]", shown.bytes[i]) != NULL)
			text_append(to, "\\", 1);
		text_append(to, shown.bytes + i, 1);
	}
	to->overflowed |= shown.overflowed;
	text_free(&shown);
}

static void add_param(struct params *params, const char *name, const char *value)
{
	struct text param;

	if (value[0] == '\0')
		return;
	text_init(&param, PARAMS_MAX);
	text_printf(&param, " %s=\"", name);
	escape(&param, value);
	text_append(&param, "\"", 1);
	if (param.overflowed || params->text.length + param.length > PARAMS_MAX)
		text_printf(
			&params->left_out, "%s%s", params->left_out.length > 0 ? " " : "", name);
	else
		text_append(&params->text, param.bytes, param.length);
	text_free(&param);
}

static void add_params(struct params *params, const struct sink_event *event)
{
	static const char *const keys[] = {
		"event_id", "dedup_key", "state", "severity", "since", "customer", "scenario"};
	char revision[32];

	add_param(params, "id", event->id);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		add_param(params, keys[i], event_string(event->event, keys[i]));
	snprintf(revision, sizeof(revision), "%lld",
		(long long)json_integer_value(json_object_get(event->event, "revision")));
	add_param(params, "revision", revision);
	add_param(params, "rule", event_rule(event->event));
	add_param(params, "vantage", event_vantage(event->event));
	if (json_is_true(json_object_get(event->event, "test")))
		add_param(params, "test", "true");
	add_param(params, "runbook_url", event_string(event->event, "runbook_url"));
}

static void add_data(struct text *line, json_int_t enterprise, const struct sink_event *event)
{
	struct params params;

	text_init(&params.text, PARAMS_MAX);
	text_init(&params.left_out, LEFT_OUT_MAX);
	add_params(&params, event);
	text_printf(line, "[mailprobe@%lld%s", (long long)enterprise, params.text.bytes);
	if (params.left_out.length > 0)
		text_printf(line, " left_out=\"%s\"", params.left_out.bytes);
	text_append(line, "]", 1);
	text_free(&params.text);
	text_free(&params.left_out);
}

/* --- the sentence ------------------------------------------------------------------------ */

/* How many bytes of it are whole characters, at most `room`. */
static size_t whole(const struct text *text, size_t room)
{
	size_t fits = text->length < room ? text->length : room;

	while (fits < text->length && fits > 0 && ((unsigned char)text->bytes[fits] & 0xc0) == 0x80)
		fits--;
	return fits;
}

/* RFC 5424, 6.4: the BOM says that it is UTF-8; ASCII does without. */
static void add_sentence(struct text *line, const char *sentence)
{
	struct text shown;
	size_t room;

	text_init(&shown, SYSLOG_LINE_MAX);
	text_printable(&shown, sentence, strlen(sentence));
	text_puts(line, is_ascii(&shown) ? " " : " " BOM);
	room = SYSLOG_LINE_MAX - line->length;
	if (shown.length <= room) {
		text_append(line, shown.bytes, shown.length);
	} else {
		text_append(line, shown.bytes, whole(&shown, room - strlen(CUT)));
		text_puts(line, CUT);
	}
	text_free(&shown);
}

static const char *or_nil(const char *text, size_t max)
{
	return is_word(text, max) ? text : "-";
}

void syslog_line(
	struct text *line, const struct syslog_origin *origin, const struct sink_event *event)
{
	text_printf(line, "<%d>1 %s %s mailprobe - %s ",
		facility_code(origin->facility) * 8 + severity_code(event->event),
		or_nil(event_string(event->event, "at"), MESSAGE_ID_MAX),
		or_nil(origin->host, HOST_MAX),
		or_nil(event_string(event->event, "state"), MESSAGE_ID_MAX));
	add_data(line, origin->enterprise, event);
	add_sentence(line, event_string(event->event, "summary"));
}
