/* Events as messages of syslog: each is taken apart by the grammar of RFC 5424, 6. */
#include <stdlib.h>
#include <string.h>

#include "sink.h"
#include "syslog_line.h"
#include "tap.h"

#include "ban.h"

#define BOM "\xef\xbb\xbf"
#define NAME_64 "n23456789-123456789-123456789-123456789-123456789-123456789-1234"

/* What a message says. */
struct parsed {
	bool is_grammar;
	char host[300], id[64], message[2100];
	json_t *params;
};

static size_t take_word(const char **at, char *word, size_t size)
{
	size_t length = strcspn(*at, " ");

	if (length == 0 || length >= size || (*at)[length] != ' ')
		return 0;
	for (size_t i = 0; i < length; i++)
		if ((*at)[i] < 33 || (*at)[i] > 126)
			return 0;
	memcpy(word, *at, length);
	word[length] = '\0';
	*at += length + 1;
	return length;
}

/* PARAM-VALUE: UTF-8 in which `"`, `\` and `]` come behind a backslash; control characters do not
 * come at all, since ours never has any. */
static bool take_value(const char **at, char *value, size_t size)
{
	size_t length = 0;

	for (; **at != '"'; (*at)++) {
		if (**at == '\\' && strchr("\"\\]", (*at)[1]) != NULL)
			(*at)++;
		else if (**at == ']' || **at == '\\')
			return false;
		if ((unsigned char)**at < 32 || length + 1 == size)
			return false;
		value[length++] = **at;
	}
	value[length] = '\0';
	(*at)++;
	return true;
}

static bool take_params(const char **at, json_t *params)
{
	while (**at == ' ') {
		char name[40], value[2100];
		size_t length = strcspn(++*at, "=\" ]");

		if (length == 0 || length > 32 || strncmp(*at + length, "=\"", 2) != 0)
			return false;
		memcpy(name, *at, length);
		name[length] = '\0';
		*at += length + 2;
		if (!take_value(at, value, sizeof(value)) ||
			json_object_set_new(params, name, json_string(value)) == -1)
			return false;
	}
	return *(*at)++ == ']';
}

static bool take_header(const char **at, const char *priority, struct parsed *parsed)
{
	char word[64];

	if (strncmp(*at, priority, strlen(priority)) != 0)
		return false;
	*at += strlen(priority);
	return take_word(at, word, sizeof(word)) == strlen("2026-01-01T00:00:15.000000Z") &&
		take_word(at, parsed->host, 257) > 0 && take_word(at, word, 50) > 0 &&
		strcmp(word, "mailprobe") == 0 && take_word(at, word, 130) == 1 &&
		take_word(at, parsed->id, 34) > 0;
}

static struct parsed parse(const char *line, const char *priority)
{
	struct parsed parsed = {.params = json_object()};
	const char *at = line;
	json_t *text;

	if (!take_header(&at, priority, &parsed) ||
		strncmp(at, "[mailprobe@32473", strlen("[mailprobe@32473")) != 0)
		return parsed;
	at += strlen("[mailprobe@32473");
	if (!take_params(&at, parsed.params) || *at++ != ' ')
		return parsed;
	text_copy(parsed.message, sizeof(parsed.message), at);
	/* Jansson takes no string that is not UTF-8. */
	text = json_string(at);
	parsed.is_grammar = text != NULL && strlen(line) <= SYSLOG_LINE_MAX;
	json_decref(text);
	return parsed;
}

static json_t *an_event(const char *state, const char *severity, const char *summary)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[s]}", "event_id",
		"evt_1", "dedup_key", "acme/mail/slow", "revision", 2, "state", state, "severity",
		severity, "at", "2026-01-01T00:00:15.000000Z", "since",
		"2026-01-01T00:00:00.000000Z", "customer", "acme", "scenario", "mail", "summary",
		summary, "vantages", "here");
}

/* Takes the reference. */
static struct parsed line_of(
	json_t *event, const char *facility, const char *host, const char *priority)
{
	const struct syslog_origin origin = {facility, host, 32473};
	const struct sink_event sent = {.event = event, .id = "evt_1.2"};
	struct parsed parsed;
	struct text line;

	text_init(&line, SYSLOG_LINE_MAX);
	syslog_line(&line, &origin, &sent);
	parsed = parse(line.bytes, priority);
	ok(parsed.is_grammar && !line.overflowed, "the grammar of RFC 5424: %.60s...", line.bytes);
	text_free(&line);
	json_decref(event);
	return parsed;
}

static const char *param(const struct parsed *parsed, const char *name)
{
	return event_string(parsed->params, name);
}

static void test_parts(void)
{
	struct parsed got = line_of(an_event("open", "critical", "it is slow"), "local0",
		"prober.acme.test", "<130>1 ");

	is_string(got.host, "prober.acme.test", "HOSTNAME");
	is_string(got.id, "open", "MSGID");
	is_string(got.message, "it is slow", "ASCII has no BOM");
	is_string(param(&got, "id"), "evt_1.2", "the id of the attempt");
	is_string(param(&got, "dedup_key"), "acme/mail/slow", "the key");
	is_string(param(&got, "revision"), "2", "the revision");
	is_string(param(&got, "rule"), "slow", "the rule");
	is_string(param(&got, "vantage"), "here", "the vantage");
	is_string(param(&got, "left_out"), "", "nothing is left out");
	json_decref(got.params);
}

static void test_priorities(void)
{
	static const struct {
		const char *state, *severity, *facility, *priority;
	} rows[] = {{"open", "critical", "user", "<10>1 "}, {"open", "error", "mail", "<19>1 "},
		{"update", "warning", "daemon", "<28>1 "}, {"ack", "info", "local7", "<190>1 "},
		{"resolved", "critical", "local1", "<141>1 "}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed got = line_of(an_event(rows[i].state, rows[i].severity, "x"),
			rows[i].facility, "h", rows[i].priority);

		is_string(got.id, rows[i].state, "its state");
		json_decref(got.params);
	}
}

static void test_hosts(void)
{
	char longest[257];
	struct parsed got;

	memset(longest, 'h', 256);
	longest[256] = '\0';
	ok(!syslog_is_host(longest), "256 characters are too many");
	longest[255] = '\0';
	ok(syslog_is_host(longest) && syslog_is_host("!~"), "255 and any sign are not");
	ok(!syslog_is_host("") && !syslog_is_host("a b") && !syslog_is_host("m\xc3\xbcller.test"),
		"nothing, a blank, an umlaut");
	got = line_of(an_event("open", "error", "x"), "daemon", "a b", "<27>1 ");
	is_string(got.host, "-", "what is no HOSTNAME is left out");
	json_decref(got.params);
}

static void test_hostile(void)
{
	json_t *event = an_event("open", "error", "M\xc3\xbcller]\n<13>1 - - - - - \xe2\x80\xae");
	struct parsed got;

	json_object_set_new(event, "runbook_url", json_string("https://a.test/\"]\\[x y=\"\x1b"));
	got = line_of(event, "daemon", "h", "<27>1 ");
	is_string(param(&got, "runbook_url"), "https://a.test/\"]\\[x y=\"\\x1b",
		"escaped, it comes out as it was; a control character is shown");
	ok(strncmp(got.message, BOM "M\xc3\xbcller]\\x0a<13>1", 18) == 0,
		"UTF-8 with its BOM, in one line: %s", got.message);
	json_decref(got.params);
}

static void set_names(json_t *event)
{
	json_object_set_new(event, "dedup_key", json_string(NAME_64 "/" NAME_64 "/" NAME_64));
	json_object_set_new(event, "customer", json_string(NAME_64));
	json_object_set_new(event, "scenario", json_string(NAME_64));
	json_object_set_new(event, "vantages", json_pack("[s]", NAME_64));
	json_object_set_new(
		event, "event_id", json_string("evt_01930000-0000-7000-8000-000000000000"));
	json_object_set_new(event, "test", json_true());
}

/* At any length of anything the message is whole, and tells which event it is. */
static void test_bounds(void)
{
	char host[256], summary[4096] = "", url[2600] = "https://a.test/";
	bool kept = true, cut_well = true;

	memset(host, 'h', 255);
	host[255] = '\0';
	for (size_t i = 0; i < 1300; i++)
		memcpy(summary + 3 * i, "\xe2\x82\xac", 4);
	for (size_t extra = 0; extra < 2500; extra += extra < 700 ? 1 : 97) {
		json_t *event = an_event("resolved", "warning", summary + 3 * (extra % 1250));
		struct parsed got;
		const char *message;
		size_t length;

		memset(url + strlen("https://a.test/"), extra % 2 ? ']' : 'u', extra);
		url[strlen("https://a.test/") + extra] = '\0';
		set_names(event);
		json_object_set_new(event, "runbook_url", json_string(url));
		got = line_of(event, "local7", host, "<189>1 ");
		kept &= strlen(param(&got, "dedup_key")) == 194 &&
			strlen(param(&got, "vantage")) == 64 &&
			strcmp(param(&got, "test"), "true") == 0 &&
			(strcmp(param(&got, "runbook_url"), url) == 0 ||
				strcmp(param(&got, "left_out"), "runbook_url") == 0);
		message = got.message + strlen(BOM);
		length = strlen(message);
		cut_well &= length > 400 ? strcmp(message + length - 3, "...") == 0 ||
				length == strlen(summary + 3 * (extra % 1250))
					 : length == strlen(summary + 3 * (extra % 1250));
		json_decref(got.params);
	}
	ok(kept, "names are never lost, a runbook is left out whole");
	ok(cut_well, "a sentence that is cut says so, and has 400 bytes at least");
}

int main(void)
{
	test_parts();
	test_priorities();
	test_hosts();
	test_hostile();
	test_bounds();
	return done_testing();
}
