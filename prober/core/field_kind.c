/* The kinds of values that tables are made of; field.c walks the tables. */
#include "field.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "text.h"

#include "ban.h"

static json_t *schema_string(const char *pattern)
{
	json_t *schema = json_pack("{s:s}", "type", "string");

	if (pattern != NULL)
		json_object_set_new(schema, "pattern", json_string(pattern));
	return schema;
}

bool field_is_name(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789_.-");

	return isalnum((unsigned char)text[0]) && text[length] == '\0' && length <= 64;
}

static bool must_be(char message[static FIELD_MESSAGE_SIZE], const char *what)
{
	snprintf(message, FIELD_MESSAGE_SIZE, "must be %s", what);
	return false;
}

static bool check_text(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	if (text == NULL || json_string_length(value) == 0)
		return must_be(message, field->kind->name);
	for (size_t i = 0; i < json_string_length(value); i++)
		if (iscntrl((unsigned char)text[i]))
			return must_be(message, "text without control characters");
	return true;
}

static json_t *schema_text(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
}

const struct field_kind field_text = {
	.name = "a string", .check = check_text, .schema = schema_text};

static bool check_name(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	return (text != NULL && field_is_name(text)) || must_be(message, field->kind->name);
}

static json_t *schema_name(const struct field *field)
{
	(void)field;
	return schema_string("^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$");
}

const struct field_kind field_name = {
	.name = "a name of letters, digits, \".\", \"_\" and \"-\"",
	.check = check_name,
	.schema = schema_name};
const struct field_kind field_account = {
	.name = "the name of an account", .check = check_name, .schema = schema_name};
const struct field_kind field_mail = {.name = "the id of a step that sends a mail",
	.check = check_name,
	.schema = schema_name};

static bool check_bool(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return json_is_boolean(value) || must_be(message, field->kind->name);
}

static json_t *schema_bool(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "boolean");
}

const struct field_kind field_bool = {
	.name = "true or false", .check = check_bool, .schema = schema_bool};

static bool check_integer(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return (json_is_integer(value) && json_integer_value(value) >= 0) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_integer(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
}

const struct field_kind field_integer = {
	.name = "a whole number, 0 or more", .check = check_integer, .schema = schema_integer};

static bool check_number(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return json_is_number(value) || must_be(message, field->kind->name);
}

static json_t *schema_number(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "number");
}

const struct field_kind field_number = {
	.name = "a number", .check = check_number, .schema = schema_number};
const struct field_kind field_seconds = {
	.name = "decimal seconds", .check = check_number, .schema = schema_number};

static bool check_port(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	json_int_t port = json_integer_value(value);

	return (json_is_integer(value) && port >= 1 && port <= 65535) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_port(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", 65535);
}

const struct field_kind field_port = {
	.name = "a port number from 1 to 65535", .check = check_port, .schema = schema_port};

bool duration_parse(const char *text, int64_t *ns_r)
{
	static const struct {
		const char *suffix;
		int64_t ns;
	} units[] = {{"ms", NS_PER_MS}, {"s", NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND},
		{"h", 3600 * NS_PER_SECOND}, {"d", 86400 * NS_PER_SECOND}};
	char *end;
	double amount;

	if (!isdigit((unsigned char)text[0]))
		return false;
	amount = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].suffix) != 0)
			continue;
		amount *= (double)units[i].ns;
		if (!(amount <= 400.0 * 86400 * (double)NS_PER_SECOND))
			return false;
		*ns_r = (int64_t)amount;
		return true;
	}
	return false;
}

static bool check_duration(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	int64_t ns;

	return (json_is_string(value) && duration_parse(json_string_value(value), &ns)) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_duration(const struct field *field)
{
	(void)field;
	return schema_string("^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$");
}

const struct field_kind field_duration = {
	.name = "a duration with its unit, such as 250ms, 90s, 5m, 2h or 7d",
	.check = check_duration,
	.schema = schema_duration};

static bool check_choice(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	struct text text;

	if (json_is_string(value) && name_index(field->choices, json_string_value(value)) >= 0)
		return true;
	text_init(&text, FIELD_MESSAGE_SIZE - 1);
	text_puts(&text, "must be ");
	for (size_t i = 0; field->choices[i] != NULL; i++)
		text_printf(&text, "%s%s", i == 0 ? "" : field->choices[i + 1] ? ", " : " or ",
			field->choices[i]);
	text_copy(message, FIELD_MESSAGE_SIZE, text.bytes);
	text_free(&text);
	return false;
}

static json_t *schema_choice(const struct field *field)
{
	json_t *choices = json_array();

	for (size_t i = 0; field->choices[i] != NULL; i++)
		json_array_append_new(choices, json_string(field->choices[i]));
	return json_pack("{s:o}", "enum", choices);
}

const struct field_kind field_choice = {
	.name = "one of the choices", .check = check_choice, .schema = schema_choice};

static bool check_is_object(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return json_is_object(value) || must_be(message, field->kind->name);
}

static json_t *schema_object(const struct field *field)
{
	const struct field *const tables[] = {field->fields, NULL};

	return field->fields != NULL ? fields_schema(tables) : json_pack("{s:s}", "type", "object");
}

const struct field_kind field_object = {
	.name = "a map of keys", .check = check_is_object, .schema = schema_object};

static json_t *schema_map(const struct field *field)
{
	struct field item = field_item(field);

	return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
		"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", "additionalProperties",
		item.kind->schema(&item));
}

const struct field_kind field_map = {
	.name = "a map of names", .check = check_is_object, .schema = schema_map};

static bool check_is_list(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return json_is_array(value) || must_be(message, field->kind->name);
}

static json_t *schema_list(const struct field *field)
{
	struct field item = field_item(field);

	return json_pack("{s:s, s:o}", "type", "array", "items", item.kind->schema(&item));
}

const struct field_kind field_list = {
	.name = "a list", .check = check_is_list, .schema = schema_list};

static bool check_timestamp(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	int64_t ns;

	return (json_is_string(value) && clock_parse(json_string_value(value), &ns) == 0) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_timestamp(const struct field *field)
{
	(void)field;
	return schema_string(
		"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?Z$");
}

const struct field_kind field_timestamp = {
	.name = "a timestamp in UTC such as 2026-01-01T00:00:15.000000Z",
	.check = check_timestamp,
	.schema = schema_timestamp};

/* Enough to put it into an envelope without harm; whether it exists the server will say. */
static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t length = strlen(text);

	if (at == NULL || at == text || at[1] == '\0' || length > 254)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == '<' || text[i] == '>' || text[i] == 0x7f)
			return false;
	return true;
}

static bool check_address(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	return (json_is_string(value) && is_address(json_string_value(value))) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_address(const struct field *field)
{
	(void)field;
	return schema_string("^[^@<> ]+@[^@<> ]+$");
}

const struct field_kind field_address = {
	.name = "a mail address such as probe@acme.test",
	.check = check_address,
	.schema = schema_address};

static bool check_party(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	return (text != NULL && (field_is_name(text) || is_address(text))) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_party(const struct field *field)
{
	(void)field;
	return schema_string("^[^ <>]+$");
}

const struct field_kind field_party = {
	.name = "the name of an account, or a mail address",
	.check = check_party,
	.schema = schema_party};

static bool check_url(const struct field *field, const json_t *value, const char *scheme,
	const char *tls_scheme, char message[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);
	const char *rest = text != NULL ? strstr(text, "://") : NULL;
	size_t length;

	if (rest == NULL)
		return must_be(message, field->kind->name);
	length = (size_t)(rest - text);
	if ((length != strlen(scheme) || strncmp(text, scheme, length) != 0) &&
		(length != strlen(tls_scheme) || strncmp(text, tls_scheme, length) != 0))
		return must_be(message, field->kind->name);
	if (strchr(rest + 3, '@') != NULL)
		return must_be(message, "an address without user or password (they have keys of "
					"their own)");
	return (rest[3] != '\0' && strpbrk(rest + 3, " \t\r\n\"<>") == NULL) ||
	       must_be(message, field->kind->name);
}

#define URL_KIND(id, plain, tls)                                                               \
	static bool check_##id(const struct field *field, const json_t *value,                 \
		char message[static FIELD_MESSAGE_SIZE])                                       \
	{                                                                                      \
		return check_url(field, value, plain, tls, message);                           \
	}                                                                                      \
	static json_t *schema_##id(const struct field *field)                                  \
	{                                                                                      \
		(void)field;                                                                   \
		return schema_string("^(" plain "|" tls ")://[^@ ]+$");                        \
	}                                                                                      \
	const struct field_kind field_##id = {                                                 \
		.name = plain "://HOST[:PORT] or " tls "://HOST[:PORT]",                       \
		.check = check_##id,                                                           \
		.schema = schema_##id}

URL_KIND(smtp_url, "smtp", "smtps");
URL_KIND(imap_url, "imap", "imaps");
URL_KIND(http_url, "http", "https");

static bool check_resolver(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	return (text != NULL && text[0] != '\0' &&
		       text[strspn(text, "0123456789abcdefABCDEF.:[]")] == '\0') ||
	       must_be(message, field->kind->name);
}

static json_t *schema_resolver(const struct field *field)
{
	(void)field;
	return schema_string("^[0-9a-fA-F.:\\[\\]]+$");
}

const struct field_kind field_resolver = {
	.name = "the IP address of a DNS server, with a port if it is not 53, such as "
		"192.0.2.53 or 127.0.0.1:5353",
	.check = check_resolver,
	.schema = schema_resolver};

static bool check_command(const json_t *value)
{
	json_t *word;
	size_t index;

	if (json_array_size(value) == 0)
		return false;
	json_array_foreach(value, index, word)
		if (!json_is_string(word))
			return false;
	return true;
}

static bool check_secret(const struct field *field, const json_t *value,
	char message[static FIELD_MESSAGE_SIZE])
{
	static const char *const sources[] = {"file", "credential", "command", "env", NULL};
	const char *key;
	const json_t *source;

	if (json_is_string(value) && json_string_length(value) > 0)
		return true;
	if (json_object_size(value) != 1)
		return must_be(message, field->kind->name);
	key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));
	source = json_object_get(value, key);
	if (name_index(sources, key) < 0)
		return must_be(message, field->kind->name);
	if (strcmp(key, "command") == 0)
		return check_command(source) ||
		       must_be(message, "a list: the program and its arguments");
	return (json_is_string(source) && json_string_length(source) > 0) ||
	       must_be(message, field->kind->name);
}

static json_t *schema_secret(const struct field *field)
{
	(void)field;
	return json_pack("{s:[{s:s, s:i}, {s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:{s:s}, "
			 "s:i}}, s:i, s:i, s:b}]}",
		"oneOf", "type", "string", "minLength", 1, "type", "object", "properties", "file",
		"type", "string", "credential", "type", "string", "env", "type", "string",
		"command", "type", "array", "items", "type", "string", "minItems", 1,
		"minProperties", 1, "maxProperties", 1, "additionalProperties", 0);
}

const struct field_kind field_secret = {
	.name = "one of {file: PATH}, {credential: NAME}, {command: [PROGRAM, ...]}, {env: NAME}",
	.check = check_secret,
	.schema = schema_secret};
