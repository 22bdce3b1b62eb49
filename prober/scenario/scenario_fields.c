#include "scenario_fields.h"

#include <stddef.h>
#include <string.h>

#include "calendar_fields.h"
#include "combined_fields.h"
#include "error_type.h"
#include "keep.h"
#include "limit.h"
#include "record.h"
#include "sasl.h"
#include "sink.h"
#include "text.h"
#include "webmail_flavour.h"

#include "ban.h"

#define R FIELD_REQUIRED

const char *const starttls_choices[] = {"required", "opportunistic", "off", NULL};
const char *const ip_choices[] = {"any", "4", "6", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};

/* --- kinds that only the file has ------------------------------------------------------ */

/* "any", 4 or 6: in YAML nobody puts the number in quotes. */
static bool check_ip(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	(void)field;
	(void)must_be;
	if (text != NULL)
		return name_index(ip_choices, text) >= 0;
	return json_integer_value(value) == 4 || json_integer_value(value) == 6;
}

static json_t *schema_ip(const struct field *field)
{
	(void)field;
	return json_pack("{s:[s, i, i, s, s]}", "enum", "any", 4, 6, "4", "6");
}

static const struct field_kind field_ip = {
	.name = "any, 4 or 6",
	.types = FIELD_STRING | FIELD_INTEGER,
	.check = check_ip,
	.schema = schema_ip,
};

/* What it says was checked when it was followed. */
static json_t *schema_extends(const struct field *field)
{
	(void)field;
	return json_pack("{s:[{s:s, s:i}, {s:s, s:{s:s, s:i}}]}", "oneOf", "type", "string",
		"minLength", 1, "type", "array", "items", "type", "string", "minLength", 1);
}

static const struct field_kind field_extends = {
	.name = "the path of a file, or a list of them",
	.types = FIELD_STRING | FIELD_ARRAY,
	.schema = schema_extends,
};

static bool is_pattern(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && text[0] != '\0' && strlen(text) < 256 &&
		text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:*?-")] ==
			'\0';
}

static bool check_hosts(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	json_t *pattern;
	size_t index;

	(void)field;
	(void)must_be;
	if (json_is_string(value))
		return is_pattern(value);
	json_array_foreach(value, index, pattern)
		if (!is_pattern(pattern))
			return false;
	return json_array_size(value) > 0;
}

static json_t *schema_hosts(const struct field *field)
{
	static const char pattern[] = "^[A-Za-z0-9._:*?-]{1,255}$";

	(void)field;
	return json_pack("{s:[{s:s, s:s}, {s:s, s:i, s:{s:s, s:s}}]}", "oneOf", "type", "string",
		"pattern", pattern, "type", "array", "minItems", 1, "items", "type", "string",
		"pattern", pattern);
}

static const struct field_kind field_hosts = {
	.name = "a host, or a list of them; * is any number of characters, ? is one",
	.types = FIELD_STRING | FIELD_ARRAY,
	.check = check_hosts,
	.schema = schema_hosts,
};

static json_t *schema_scalar(const struct field *field)
{
	(void)field;
	return json_pack("{s:[s, s, s]}", "type", "string", "integer", "boolean");
}

static const struct field_kind field_scalar = {
	.name = "a string, a whole number, true or false",
	.types = FIELD_STRING | FIELD_INTEGER | FIELD_TRUTH,
	.schema = schema_scalar,
};

/* Steps and sinks. */
static bool check_only_key(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return json_object_size(value) == 1;
}

static void hint_step(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	if (json_object_size(value) > 1)
		text_copy(hint, FIELD_MESSAGE_SIZE,
			"a step begins with \"- \", and its settings are indented below its type");
}

static json_t *schema_step(const struct field *field)
{
	json_t *choices = json_array();

	(void)field;
	for (size_t i = 0; step_types[i] != NULL; i++)
		json_array_append_new(choices,
			json_pack("{s:s, s:s, s:{s:o}, s:[s], s:b}", "type", "object",
				"description", step_types[i]->summary, "properties",
				step_types[i]->name, step_schema(step_types[i]), "required",
				step_types[i]->name, "additionalProperties", 0));
	return json_pack("{s:o}", "oneOf", choices);
}

const struct field_kind field_step = {
	.name = "a map of one step type to its settings, such as - imap_login: {account: inside}",
	.types = FIELD_OBJECT,
	.check = check_only_key,
	.hint = hint_step,
	.schema = schema_step,
};

static void hint_sink(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	if (json_object_size(value) > 1)
		text_copy(hint, FIELD_MESSAGE_SIZE,
			"a sink begins with \"- \", and its settings are indented below its type");
}

static json_t *schema_sink(const struct field *field)
{
	json_t *choices = json_array();

	(void)field;
	for (size_t i = 0; sink_types[i] != NULL; i++) {
		const struct field *const tables[] = {
			sink_types[i]->fields, sink_common_fields, NULL};

		json_array_append_new(choices,
			json_pack("{s:s, s:s, s:{s:o}, s:[s], s:b}", "type", "object",
				"description", sink_types[i]->summary, "properties",
				sink_types[i]->name, fields_schema(tables), "required",
				sink_types[i]->name, "additionalProperties", 0));
	}
	return json_pack("{s:o}", "oneOf", choices);
}

static const struct field_kind field_sink = {
	.name = "a map of one sink type to its settings, such as - webhook: {name: ops, ...}",
	.types = FIELD_OBJECT,
	.check = check_only_key,
	.hint = hint_sink,
	.schema = schema_sink,
};

/* "p95 > 30s"; limits.c says more than a table can. */
static bool check_condition(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	struct limit_condition condition;
	char message[LIMIT_MESSAGE_SIZE];

	(void)field;
	(void)must_be;
	return limit_condition_parse(json_string_value(value), &condition, message) == 0;
}

static void hint_condition(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	struct limit_condition condition;

	(void)field;
	if (json_is_string(value))
		limit_condition_parse(json_string_value(value), &condition, hint);
}

#define STATISTIC "((p50|p95|p99|max|min|sum) *)?"
#define DURATION "[0-9]+([.][0-9]+)?(ms|s|m|h|d)"
#define AMOUNT "[0-9]+([.][0-9]+)?(ms|s|m|h|d|%)?"

static json_t *schema_condition(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern",
		"^ *(" STATISTIC "[<>]=? *" AMOUNT "|" STATISTIC ">=? *baseline +[+] +[0-9]+([.][0-9]+)? +mad"
		"|" STATISTIC "reaches +" AMOUNT " +within +" DURATION
		"|slope *>=? *" AMOUNT " +per +(week|day)|step *>=? *" AMOUNT " +within +" DURATION
		") *$");
}

static const struct field_kind field_condition = {
	.name = "a breach, such as \"p95 > 30s\", \"> 5%\", \"> baseline + 4 mad\" or "
		"\"reaches 60s within 14d\"",
	.types = FIELD_STRING,
	.check = check_condition,
	.hint = hint_condition,
	.schema = schema_condition,
};

static bool check_amount(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);
	const char *end;
	double amount;
	enum limit_unit unit;

	(void)field;
	(void)must_be;
	if (text == NULL)
		return json_number_value(value) > 0;
	end = limit_amount_parse(text, &amount, &unit);
	return end != NULL && *end == '\0' && unit == LIMIT_SECONDS && amount > 0;
}

static json_t *schema_amount(const struct field *field)
{
	(void)field;
	return json_pack("{s:[{s:s, s:s}, {s:s, s:i}]}", "oneOf", "type", "string", "pattern",
		"^" DURATION "$", "type", "number", "exclusiveMinimum", 0);
}

static const struct field_kind field_amount = {
	.name = "a duration or a number, such as 500ms or 3",
	.types = FIELD_STRING | FIELD_INTEGER | FIELD_REAL,
	.check = check_amount,
	.schema = schema_amount,
};

static bool check_for(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	char message[LIMIT_MESSAGE_SIZE];
	int need, of;

	(void)field;
	(void)must_be;
	return limit_for_parse(json_string_value(value), &need, &of, message) == 0;
}

static json_t *schema_for(const struct field *field)
{
	(void)field;
	return json_pack(
		"{s:s, s:s}", "type", "string", "pattern", "^ *[0-9]+ +of +[0-9]+ *$");
}

static const struct field_kind field_for = {
	.name = "N of M, such as \"3 of 5\", with N from 1 to M and M at most 1000",
	.types = FIELD_STRING,
	.check = check_for,
	.schema = schema_for,
};

/* The words of scenario-wide metrics, or "<step id>.<field>". */
static json_t *schema_metric(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern",
		"^(failed|failure_rate|age|duration_seconds|late|lost|bounced|duplicates|"
		"[A-Za-z0-9][A-Za-z0-9_.-]*[.][A-Za-z0-9_-]+)$");
}

static const struct field_kind field_metric = {
	.name = "the name of a metric, such as in.delivery_seconds",
	.types = FIELD_STRING,
	.schema = schema_metric,
};

/* --- the tables ------------------------------------------------------------------------ */

const struct field tls_fields[] = {
	{"ca_file", &field_text, 0,
		"PEM file of the authorities to trust instead of the system's; relative to the "
		"scenario file"},
	{"min_version", &field_choice, 0, "oldest TLS version to accept; \"1.2\" if left out",
		.choices = tls_versions},
	{"starttls", &field_choice, 0,
		"on smtp://, imap:// and pop3://: required (if left out), opportunistic (used where "
		"offered), off",
		.choices = starttls_choices},
	{0},
};

static const struct field webmail_fields[] = {
	{"url", &field_http_url, R, "page to log in on"},
	{"flavour", &field_choice, 0, "which webmail it is; found out if left out",
		.choices = webmail_flavour_names},
	{"shows", &field_text, 0,
		"text that only this user's mailbox page has, such as a name; proves that it is "
		"this user's"},
	{"login_hosts", &field_list, 0,
		"further hosts that may be given the password, such as one for single sign-on",
		.item = &field_text},
	{0},
};

static const char *const grants[] = {"refresh_token", "client_credentials", NULL};

static const struct field oauth2_fields[] = {
	{"token_url", &field_http_url, R, "the authorization server's token endpoint"},
	{"device_url", &field_http_url, 0,
		"the authorization server's device authorization endpoint (RFC 8628), for "
		"`mailprobe auth`"},
	{"client_id", &field_text, R, "what mailprobe is registered as there"},
	{"client_secret", &field_secret, 0, "the client's own secret, if it has one"},
	{"grant", &field_choice, 0, "how a token is got: refresh_token or client_credentials",
		"\"refresh_token\"", .choices = grants},
	{"refresh_token", &field_secret, 0,
		"the refresh token to begin with, if `mailprobe auth` does not get one; later ones "
		"that the server gives are kept in the results folder"},
	{"scope", &field_text, 0, "what the token is for; the server's choice if left out"},
	{0},
};

static const char *const clock_choices[] = {"judged", "trusted", NULL};

static const struct field control_fields[] = {
	{"names", &field_list, 0,
		"domain names, unrelated to the platform, that this machine's resolver is asked "
		"about when nothing answers; the scenario's own mail domains if left out",
		.item = &field_text},
	{"off", &field_bool, 0,
		"ask nothing: what does not answer is blamed on the platform or the network",
		"false"},
	{"clock", &field_choice, 0,
		"judged: believed about certificates if the kernel says that it is synchronised; "
		"trusted: somebody else keeps it true, such as the host of a virtual machine",
		"\"judged\"", .choices = clock_choices},
	{0},
};

#define CONNECTION_FIELDS                                                                      \
	{"resolver", &field_list, 0, "DNS servers to ask instead of the system's",             \
		.item = &field_resolver},                                                      \
		{"tls", &field_object, 0, "certificates and versions to accept",               \
			.fields = tls_fields},                                                 \
		{"ip", &field_ip, 0, "IP version to use: any (if left out), 4 or 6"},          \
		{"allow_private", &field_bool, 0,                                              \
			"follow names into private and loopback networks that the scenario "   \
			"itself does not name; false if left out"}

const struct field account_fields[] = {
	{"address", &field_address, R, "mail address of the mailbox"},
	{"username", &field_text, 0, "name to log in with; the address if left out"},
	{"password", &field_secret, 0,
		"where the password comes from: {file: PATH}, {credential: NAME}, {command: "
		"[PROGRAM, ...]} or {env: NAME}"},
	{"oauth2", &field_object, 0,
		"where access tokens come from, in place of a password, for SMTP, IMAP and POP3",
		.fields = oauth2_fields},
	{"auth", &field_choice, 0,
		"SASL mechanism to log in with, if not the strongest that the server offers; with "
		"oauthbearer and xoauth2 the password is an access token",
		.choices = sasl_choices},
	{"submission", &field_smtp_url, 0,
		"server to send by: smtp://HOST[:587] with STARTTLS, smtps://HOST[:465] with TLS "
		"from the start"},
	{"imap", &field_imap_url, 0,
		"server to read from: imap://HOST[:143] with STARTTLS, imaps://HOST[:993] with TLS "
		"from the start"},
	{"pop3", &field_pop3_url, 0,
		"server to fetch mail from: pop3://HOST[:110] with STLS, pop3s://HOST[:995] with "
		"TLS from the start"},
	{"caldav", &field_http_url, 0, "the calendars: their server, or the user's principal"},
	{"carddav", &field_http_url, 0, "the contacts: their server, or the user's principal"},
	{"maildir", &field_text, 0,
		"Maildir of this machine that the mail is delivered into; relative to the scenario file"},
	{"webmail", &field_object, 0, "the mailbox on the web", .fields = webmail_fields},
	CONNECTION_FIELDS,
	{0},
};

const struct field limit_fields[] = {
	{"name", &field_name, R, "name of the limit; part of the event's dedup key"},
	{"metric", &field_metric, R,
		"what it is about: failed, failure_rate, age, late, lost, bounced, duplicates, "
		"duration_seconds, ID.duration_seconds, "
		"ID.delivery_seconds, ID.phases.PHASE, ID.hops.COMPONENT"},
	{"over", &field_duration, 0, "window of a percentile, max, min, sum or failure_rate"},
	{"warn", &field_condition, 0, "the breach that is a warning, such as p95 > 30s"},
	{"crit", &field_condition, 0, "the breach that is critical, such as p95 > 60s"},
	{"for", &field_for, 0, "N of M: so many of the last M runs must be in breach, or failed"},
	{"min_failures", &field_integer, 0,
		"a failure_rate opens at no fewer failed runs than these; 2 if left out"},
	{"recover", &field_condition, 0,
		"what is good again, such as < 20s; below 0.9 of the limit if left out"},
	{"min_step", &field_amount, 0,
		"what is less above the baseline is nothing; 500ms or 1 if left out"},
	{"severity", &field_choice, 0,
		"of the event; if left out: warning by warn, critical by crit, error where only "
		"\"for\" is given",
		.choices = severities},
	{"keep", &field_integer, 0,
		"so many good results in a row close the event; 3 if left out, 1 of the metric age"},
	{"slo", &field_text, 0,
		"of failure_rate: the share of runs that are to be good, such as 99.5%; an event tells that "
		"the failures that it allows are used up too fast"},
	{"period", &field_duration, 0, "what the slo is for; 30d if left out"},
	{"depends_on", &field_list, 0,
		"names of limits above this one: while one of them is breached, this one says nothing",
		.item = &field_name},
	{"quiet", &field_bool, 0,
		"true: no sink is told, as a rule says it; the event is in events.jsonl"},
	{"runbook_url", &field_http_url, 0, "page that says what to do"},
	{0},
};

static const struct field confirm_fields[] = {
	{"after", &field_duration, 0, "pause before it is tried again", "\"30s\""},
	{"off", &field_bool, 0, "it is not tried again", "false"},
	{0},
};

const struct field scenario_fields[] = {
	{"customer", &field_name, R, "owner of the platform"},
	{"scenario", &field_name, R, "name of this user journey"},
	{"every", &field_duration, 0,
		"how often it is run (by cron or a timer); staleness is judged by it"},
	{"timeout", &field_duration, 0, "a whole run ends by then", "\"3m\""},
	{"control", &field_object, 0, "how trouble of this machine is told from the platform's",
		.fields = control_fields},
	{"confirm", &field_object, 0,
		"what has failed is tried once more before anybody is told, where the timeout leaves "
		"room",
		.fields = confirm_fields},
	{"horizon", &field_duration, 0,
		"a mail that has not come by then is lost; one that comes later is found after lost",
		"\"24h\""},
	{"keep", &field_object, 0, "how long results and history are kept", .fields = keep_fields},
	{"accounts", &field_map, R, "mailboxes by name", .item = &field_object,
		.fields = account_fields},
	{"components", &field_map, 0,
		"parts of the platform by name, such as mx, spam-filter or store: hosts as they call "
		"themselves in the field Received",
		.item = &field_hosts},
	{"steps", &field_list, R, "what the user does, in order", .item = &field_step},
	{"limits", &field_list, 0, "what raises an event", .item = &field_object,
		.fields = limit_fields},
	{"calendars", &field_map, 0, "when something is open, by name", .item = &field_object,
		.fields = calendar_fields},
	{"maintenance", &field_list, 0, "when somebody works on the platform: what runs find then, says "
		"nothing of it",
		.item = &field_object, .fields = maintenance_fields},
	{"tier", &field_name, 0, "what the customer is to the business, such as gold"},
	{"rules", &field_list, 0, "what limits mean together: they raise events of their own",
		.item = &field_object, .fields = combined_fields},
	{"sinks", &field_list, 0, "where events go, beside events.jsonl", .item = &field_sink},
	CONNECTION_FIELDS,
	{"extends", &field_extends, 0,
		"files that this one is laid over, relative to this file; maps merge, lists "
		"replace, later files win"},
	{"vars", &field_map, 0, "variables for ${name} and ${name:-else} in other strings",
		.item = &field_scalar},
	{"$schema", &field_text, 0, "JSON Schema, for editors; nothing here reads it"},
	{0},
};
