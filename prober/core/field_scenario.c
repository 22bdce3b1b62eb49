/* The kinds of values that only a scenario has: durations, addresses, references, secrets. */
#include "field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "text.h"
#include "url.h"

#include "ban.h"

static json_t *schema_pattern(const char *pattern)
{
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static void say(char to[static FIELD_MESSAGE_SIZE], const char *what)
{
	text_copy(to, FIELD_MESSAGE_SIZE, what);
}

/* --- numbers with a meaning ------------------------------------------------------------ */

static bool check_port(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	json_int_t port = json_integer_value(value);

	(void)field;
	(void)must_be;
	return port >= 1 && port <= 65535;
}

static json_t *schema_port(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", 65535);
}

const struct field_kind field_port = {
	.name = "a port number from 1 to 65535",
	.types = FIELD_INTEGER,
	.check = check_port,
	.schema = schema_port,
};

bool duration_parse(const char *text, int64_t *ns_r)
{
	static const struct {
		const char *suffix;
		int64_t ns;
	} units[] = {{"ms", NS_PER_MS}, {"s", NS_PER_SECOND}, {"m", 60 * NS_PER_SECOND},
		{"h", 3600 * NS_PER_SECOND}, {"d", 86400 * NS_PER_SECOND}};
	size_t length = strspn(text, "0123456789");
	double amount;

	if (length == 0)
		return false;
	if (text[length] == '.' && strspn(text + length + 1, "0123456789") > 0)
		length += 1 + strspn(text + length + 1, "0123456789");
	amount = strtod(text, NULL);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(text + length, units[i].suffix) != 0)
			continue;
		amount *= (double)units[i].ns;
		if (!(amount <= 400.0 * 86400 * (double)NS_PER_SECOND))
			return false;
		*ns_r = (int64_t)amount;
		return true;
	}
	return false;
}

static bool check_duration(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	int64_t ns;

	(void)field;
	if (!duration_parse(json_string_value(value), &ns))
		return false;
	if (ns == 0)
		say(must_be, "longer than nothing");
	return ns > 0;
}

static void hint_duration(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);
	char *end;

	(void)field;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		snprintf(hint, FIELD_MESSAGE_SIZE, "did you mean \"%" JSON_INTEGER_FORMAT "s\"?",
			json_integer_value(value));
		return;
	}
	if (text == NULL || strspn(text, "0123456789") == 0)
		return;
	strtol(text, &end, 10);
	if (*end == '\0')
		snprintf(hint, FIELD_MESSAGE_SIZE, "did you mean \"%.20ss\"?", text);
	else if (duration_parse(text, &(int64_t){0}) == false)
		say(hint, "the units are ms, s, m, h and d, and 400d the longest");
}

static json_t *schema_duration(const struct field *field)
{
	(void)field;
	return schema_pattern("^[0-9]+([.][0-9]+)?(ms|s|m|h|d)$");
}

const struct field_kind field_duration = {
	.name = "a duration with its unit, such as 250ms, 90s, 5m, 2h or 7d",
	.types = FIELD_STRING,
	.check = check_duration,
	.hint = hint_duration,
	.schema = schema_duration,
};

#define SIZE_MAX_BYTES 10000000

bool size_parse(const char *text, size_t *bytes_r)
{
	static const struct {
		const char *suffix;
		size_t bytes;
	} units[] = {{"B", 1}, {"kB", 1000}, {"MB", 1000000}};
	size_t digits = strspn(text, "0123456789"), amount;

	if (digits == 0 || digits > 8)
		return false;
	amount = strtoul(text, NULL, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].suffix) == 0) {
			*bytes_r = amount * units[i].bytes;
			return amount > 0 && *bytes_r <= SIZE_MAX_BYTES;
		}
	return false;
}

static bool check_size(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return size_parse(json_string_value(value), &(size_t){0});
}

static json_t *schema_size(const struct field *field)
{
	(void)field;
	return schema_pattern("^[0-9]{1,8}(B|kB|MB)$");
}

const struct field_kind field_size = {
	.name = "a size with its unit, such as 1kB, 100kB or 5MB, at most 10MB",
	.types = FIELD_STRING,
	.check = check_size,
	.schema = schema_size,
};

/* --- references: what they refer to is looked up by the loader ------------------------- */

static bool check_reference(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return field_is_name(json_string_value(value));
}

static json_t *schema_reference(const struct field *field)
{
	(void)field;
	return schema_pattern(FIELD_NAME_PATTERN);
}

const struct field_kind field_account = {
	.name = "the name of an account",
	.types = FIELD_STRING,
	.check = check_reference,
	.schema = schema_reference,
};
const struct field_kind field_mail = {
	.name = "the id of a step that sends a mail",
	.types = FIELD_STRING,
	.check = check_reference,
	.schema = schema_reference,
};

/* --- addresses ------------------------------------------------------------------------- */

/* Enough to put it into an envelope without harm; whether it exists the server will say. */
static bool is_address(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t length = strlen(text);

	/* RFC 5321, 4.5.3.1: 64 before the "@", 254 in all that an angle bracket may hold. */
	if (at == NULL || at == text || at - text > 64 || length > 254 || strchr(text, '@') != at)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f ||
			strchr("<>()[]\\,;:\"", text[i]) != NULL)
			return false;
	return field_is_name(at + 1) || strlen(at + 1) > 64;
}

static bool check_address(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return is_address(json_string_value(value));
}

static json_t *schema_address(const struct field *field)
{
	(void)field;
	return schema_pattern("^[^@<> ]+@[^@<> ]+$");
}

const struct field_kind field_address = {
	.name = "a mail address such as probe@acme.test",
	.types = FIELD_STRING,
	.check = check_address,
	.schema = schema_address,
};

static bool check_party(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	(void)field;
	(void)must_be;
	return field_is_name(text) || is_address(text);
}

static json_t *schema_party(const struct field *field)
{
	(void)field;
	return schema_pattern("^[^ <>]+$");
}

const struct field_kind field_party = {
	.name = "the name of an account, or a mail address",
	.types = FIELD_STRING,
	.check = check_party,
	.schema = schema_party,
};

/* The scheme decides what a server speaks, so it must be one of two. */
static bool url_fits(const char *text, const char *plain, const char *tls, bool path_allowed,
	char why[static URL_MESSAGE_SIZE])
{
	struct url url;

	if (url_parse(text, &url, why) != 0)
		return false;
	if (strcmp(url.scheme, plain) != 0 && strcmp(url.scheme, tls) != 0) {
		snprintf(why, URL_MESSAGE_SIZE, "did you mean \"%s://\"?",
			url.implicit_tls ? tls : plain);
		return false;
	}
	if (url.has_path && !path_allowed) {
		snprintf(why, URL_MESSAGE_SIZE, "nothing may follow the host and port");
		return false;
	}
	return true;
}

#define URL_KIND(id, plain, tls, path_allowed, path_pattern)                                   \
	static bool check_##id(const struct field *field, const json_t *value,                 \
		char must_be[static FIELD_MESSAGE_SIZE])                                       \
	{                                                                                      \
		char why[URL_MESSAGE_SIZE];                                                    \
                                                                                               \
		(void)field;                                                                   \
		(void)must_be;                                                                 \
		return url_fits(json_string_value(value), plain, tls, path_allowed, why);      \
	}                                                                                      \
	static void hint_##id(const struct field *field, const json_t *value,                  \
		char hint[static FIELD_MESSAGE_SIZE])                                          \
	{                                                                                      \
		(void)field;                                                                   \
		if (json_is_string(value))                                                     \
			url_fits(json_string_value(value), plain, tls, path_allowed, hint);    \
	}                                                                                      \
	static json_t *schema_##id(const struct field *field)                                  \
	{                                                                                      \
		(void)field;                                                                   \
		return schema_pattern("^(" plain "|" tls ")://[^@/ ]+" path_pattern "$");      \
	}                                                                                      \
	const struct field_kind field_##id = {                                                 \
		.name = plain "://HOST[:PORT] or " tls "://HOST[:PORT]",                       \
		.types = FIELD_STRING,                                                         \
		.check = check_##id,                                                           \
		.hint = hint_##id,                                                             \
		.schema = schema_##id,                                                         \
	}

URL_KIND(smtp_url, "smtp", "smtps", false, "/?");
URL_KIND(imap_url, "imap", "imaps", false, "/?");
URL_KIND(pop3_url, "pop3", "pop3s", false, "/?");
URL_KIND(http_url, "http", "https", true, "(/[^ ]*)?");
URL_KIND(syslog_url, "tcp", "tls", false, "/?");

static bool check_resolver(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	char host[URL_HOST_SIZE], why[URL_MESSAGE_SIZE];
	int port = 53;

	(void)field;
	(void)must_be;
	return url_parse_ip(json_string_value(value), host, &port, why) == 0;
}

static void hint_resolver(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	char host[URL_HOST_SIZE];
	int port = 53;

	(void)field;
	if (json_is_string(value))
		url_parse_ip(json_string_value(value), host, &port, hint);
}

static json_t *schema_resolver(const struct field *field)
{
	(void)field;
	return schema_pattern("^[0-9a-fA-F.:\\[\\]]+$");
}

const struct field_kind field_resolver = {
	.name = "the IP address of a DNS server, such as 192.0.2.53 or 127.0.0.1:5353",
	.types = FIELD_STRING,
	.check = check_resolver,
	.hint = hint_resolver,
	.schema = schema_resolver,
};

/* --- secrets --------------------------------------------------------------------------- */

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

static bool check_secret(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	static const char *const sources[] = {"file", "credential", "command", "env", NULL};
	const char *key;
	const json_t *source;

	(void)field;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_object_size(value) != 1)
		return false;
	/* jansson's iterator takes no const, though it changes nothing. */
	key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value));
	source = json_object_get(value, key);
	if (name_index(sources, key) < 0)
		return false;
	if (strcmp(key, "command") != 0)
		return json_is_string(source) && json_string_length(source) > 0;
	if (!check_command(source))
		say(must_be, "{command: [PROGRAM, ARGUMENT, ...]}, a list of strings");
	return check_command(source);
}

static json_t *schema_secret(const struct field *field)
{
	(void)field;
	return json_pack("{s:[{s:s, s:i}, {s:s, s:{s:{s:s, s:i}, s:{s:s, s:i}, s:{s:s, s:i}, "
			 "s:{s:s, s:{s:s}, s:i}}, s:i, s:i, s:b}]}",
		"oneOf", "type", "string", "minLength", 1, "type", "object", "properties", "file",
		"type", "string", "minLength", 1, "credential", "type", "string", "minLength", 1,
		"env", "type", "string", "minLength", 1, "command", "type", "array", "items",
		"type", "string", "minItems", 1, "minProperties", 1, "maxProperties", 1,
		"additionalProperties", 0);
}

const struct field_kind field_secret = {
	.name = "one of {file: PATH}, {credential: NAME}, {command: [PROGRAM, ...]}, {env: NAME}",
	.types = FIELD_STRING | FIELD_OBJECT,
	.check = check_secret,
	.schema = schema_secret,
};
