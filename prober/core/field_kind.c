/* The kinds of values that tables of scenarios and of records share. field.c walks the tables;
 * field_scenario.c has the kinds that only a scenario has. */
#include "field.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "text.h"

#include "ban.h"

bool field_is_name(const char *text)
{
	size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789_.-");

	return isalnum((unsigned char)text[0]) && text[length] == '\0' && length <= 64;
}

static bool check_text(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);

	(void)field;
	for (const char *at = text; *at != '\0'; at++) {
		if (iscntrl((unsigned char)*at)) {
			text_copy(must_be, FIELD_MESSAGE_SIZE, "text without control characters");
			return false;
		}
	}
	return text[0] != '\0';
}

static json_t *schema_text(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
}

const struct field_kind field_text = {
	.name = "a string that is not empty",
	.types = FIELD_STRING,
	.check = check_text,
	.schema = schema_text,
};

static bool check_name(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return field_is_name(json_string_value(value));
}

static json_t *schema_name(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", FIELD_NAME_PATTERN);
}

const struct field_kind field_name = {
	.name = "a name: letters, digits, \".\", \"_\" and \"-\", at most 64, the first one a "
		"letter or digit",
	.types = FIELD_STRING,
	.check = check_name,
	.schema = schema_name,
};

static void hint_bool(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	static const char *const words[] = {"yes", "Yes", "on", "On", "y", NULL};
	static const char *const opposites[] = {"no", "No", "off", "Off", "n", NULL};
	const char *text = json_string_value(value);

	(void)field;
	if (text != NULL && name_index(words, text) >= 0)
		text_copy(hint, FIELD_MESSAGE_SIZE, "did you mean true?");
	else if (text != NULL && name_index(opposites, text) >= 0)
		text_copy(hint, FIELD_MESSAGE_SIZE, "did you mean false?");
}

static json_t *schema_bool(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "boolean");
}

const struct field_kind field_bool = {
	.name = "true or false",
	.types = FIELD_TRUTH,
	.hint = hint_bool,
	.schema = schema_bool,
};

static bool check_integer(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return json_integer_value(value) >= 0;
}

static json_t *schema_integer(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
}

const struct field_kind field_integer = {
	.name = "a whole number, 0 or more",
	.types = FIELD_INTEGER,
	.check = check_integer,
	.schema = schema_integer,
};

static bool check_number(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return isfinite(json_number_value(value));
}

static json_t *schema_number(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "number");
}

const struct field_kind field_number = {
	.name = "a number",
	.types = FIELD_INTEGER | FIELD_REAL,
	.check = check_number,
	.schema = schema_number,
};
const struct field_kind field_seconds = {
	.name = "decimal seconds",
	.types = FIELD_INTEGER | FIELD_REAL,
	.check = check_number,
	.schema = schema_number,
};

static bool check_choice(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)must_be;
	return name_index(field->choices, json_string_value(value)) >= 0;
}

static void describe_choice(
	const struct field *field, char must_be[static FIELD_MESSAGE_SIZE])
{
	struct text text;

	text_init(&text, FIELD_MESSAGE_SIZE - 1);
	for (size_t i = 0; field->choices[i] != NULL; i++)
		text_printf(&text, "%s%s", i == 0 ? "" : field->choices[i + 1] ? ", " : " or ",
			field->choices[i]);
	text_copy(must_be, FIELD_MESSAGE_SIZE, text.bytes);
	text_free(&text);
}

static void hint_choice(
	const struct field *field, const json_t *value, char hint[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);
	const char *nearest = text != NULL ? text_nearest(text, field->choices) : NULL;

	if (nearest != NULL)
		snprintf(hint, FIELD_MESSAGE_SIZE, "did you mean \"%s\"?", nearest);
}

static json_t *schema_choice(const struct field *field)
{
	json_t *choices = json_array();

	for (size_t i = 0; field->choices[i] != NULL; i++)
		json_array_append_new(choices, json_string(field->choices[i]));
	return json_pack("{s:o}", "enum", choices);
}

const struct field_kind field_choice = {
	.name = "one of the choices",
	.types = FIELD_STRING,
	.describe = describe_choice,
	.check = check_choice,
	.hint = hint_choice,
	.schema = schema_choice,
};

static json_t *schema_object(const struct field *field)
{
	const struct field *const tables[] = {field->fields, NULL};

	return field->fields != NULL ? fields_schema(tables) : json_pack("{s:s}", "type", "object");
}

const struct field_kind field_object = {
	.name = "a map of keys",
	.types = FIELD_OBJECT,
	.schema = schema_object,
};

static json_t *schema_map(const struct field *field)
{
	struct field item = field_item(field);

	return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
		FIELD_NAME_PATTERN, "additionalProperties", item.kind->schema(&item));
}

const struct field_kind field_map = {
	.name = "a map of names",
	.types = FIELD_OBJECT,
	.schema = schema_map,
};

static json_t *schema_list(const struct field *field)
{
	struct field item = field_item(field);

	return json_pack("{s:s, s:o}", "type", "array", "items", item.kind->schema(&item));
}

const struct field_kind field_list = {
	.name = "a list",
	.types = FIELD_ARRAY,
	.schema = schema_list,
};

static bool check_timestamp(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	int64_t ns;

	(void)field;
	(void)must_be;
	return clock_parse(json_string_value(value), &ns) == 0;
}

static json_t *schema_timestamp(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern",
		"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?Z$");
}

const struct field_kind field_timestamp = {
	.name = "a timestamp in UTC such as 2026-01-01T00:00:15.000000Z",
	.types = FIELD_STRING,
	.check = check_timestamp,
	.schema = schema_timestamp,
};
