#include "combined_fields.h"

#include <stdio.h>
#include <string.h>

#include "error_type.h"
#include "record.h"

#include "ban.h"

#define R FIELD_REQUIRED
#define NAME "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

const char *const combined_levels[] = {"any", "warn", "crit", NULL};

/* Objects are checked with all that they name, in combined_check.c. */
static bool check_member(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value), *slash = text != NULL ? strchr(text, '/') : NULL;
	char scenario[80];

	(void)field;
	(void)must_be;
	if (text == NULL)
		return json_object_size(value) > 0;
	if (slash == NULL)
		return field_is_name(text);
	snprintf(scenario, sizeof(scenario), "%.*s", (int)(slash - text), text);
	return slash - text < 65 && field_is_name(scenario) && field_is_name(slash + 1);
}

static json_t *schema_member(const struct field *field)
{
	static const struct field inner[] = {
		{"limit", &field_text, 0, "a limit, or a rule above, or SCENARIO/LIMIT"},
		{"level", &field_choice, 0, "what it must have reached", .choices = combined_levels},
		{0},
	};
	const struct field *const tables[] = {inner, NULL};
	json_t *object = fields_schema(tables), *properties = json_object_get(object, "properties");

	(void)field;
	json_object_set_new(properties, "all", json_pack("{s:s}", "type", "array"));
	json_object_set_new(properties, "any", json_pack("{s:s}", "type", "array"));
	json_object_set_new(properties, "not", json_pack("{s:[s, s]}", "type", "string", "object"));
	json_object_set_new(properties, "at_least", json_pack("{s:s}", "type", "object"));
	return json_pack("{s:[{s:s, s:s}, o]}", "oneOf", "type", "string", "pattern",
		"^" NAME "(/" NAME ")?$", object);
}

static const struct field_kind field_member = {
	.name = "the name of a limit, SCENARIO/LIMIT, or one of limit, not, all, any and at_least",
	.types = FIELD_STRING | FIELD_OBJECT,
	.check = check_member,
	.schema = schema_member,
};

static const struct field at_least_fields[] = {
	{"n", &field_integer, R, "so many of them"},
	{"of", &field_list, R, "the members", .item = &field_member},
	{0},
};

#define CONDITION_FIELDS                                                                           \
	{"all", &field_list, 0, "members that all hold", .item = &field_member},                   \
	{"any", &field_list, 0, "members of which one holds", .item = &field_member},              \
	{"not", &field_member, 0, "a member that does not hold"},                                  \
	{"at_least", &field_object, 0, "members of which so many hold", .fields = at_least_fields}

static const struct field business_fields[] = {
	{"calendar", &field_name, R, "the calendar that is open in business hours"},
	{"outside", &field_choice, R, "no graver than this at other times", .choices = severities},
	{0},
};

static const struct field when_fields[] = {
	CONDITION_FIELDS,
	{"scenarios", &field_integer, 0, "members of so many scenarios hold"},
	{"severity", &field_choice, R, "then it is at least this", .choices = severities},
	{0},
};

const struct field combined_fields[] = {
	{"name", &field_name, R, "name of the rule; part of the event's dedup key"},
	CONDITION_FIELDS,
	{"severity", &field_choice, 0, "of the event; if left out, the gravest of what it rests on",
		.choices = severities},
	{"tiers", &field_map, 0, "severity by tier, instead", .item = &field_choice,
		.choices = severities},
	{"when", &field_list, 0, "what makes it graver", .item = &field_object, .fields = when_fields},
	{"business", &field_object, 0, "what makes it milder", .fields = business_fields},
	{"runbook_url", &field_http_url, 0, "page that says what to do"},
	{0},
};

const struct field member_fields[] = {
	CONDITION_FIELDS,
	{"limit", &field_text, 0, "a limit, or a rule above, or SCENARIO/LIMIT"},
	{"level", &field_choice, 0, "what it must have reached", .choices = combined_levels},
	{0},
};
