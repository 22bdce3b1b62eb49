/* JSON Schema of a scenario file: the tables' own, made to fit what "vars" and "extends" do. */
#include <stdint.h>
#include <string.h>

#include "field.h"
#include "scenario_fields.h"
#include "step.h"

#include "ban.h"

json_t *step_schema(const struct step_type *type)
{
	const struct field *const tables[] = {type->fields, step_common_fields, NULL};

	return fields_schema(tables);
}

static bool takes_a_variable(const json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));

	if (json_object_get(schema, "pattern") != NULL || json_object_get(schema, "enum") != NULL)
		return true;
	return type != NULL && (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0 ||
				       strcmp(type, "boolean") == 0);
}

static json_t *or_variable(json_t *schema)
{
	json_t *description = json_incref(json_object_get(schema, "description"));
	json_t *fallback = json_incref(json_object_get(schema, "default"));
	json_t *either;

	json_object_del(schema, "description");
	json_object_del(schema, "default");
	either = json_pack("{s:[O, {s:s, s:s}]}", "anyOf", schema, "type", "string", "pattern",
		"[$][{].+[}]");
	if (description != NULL)
		json_object_set_new(either, "description", description);
	if (fallback != NULL)
		json_object_set_new(either, "default", fallback);
	return either;
}

/* "${port}" may stand where a port must. */
static json_t *allow_variables(json_t *schema);

static void allow_in_all(json_t *container)
{
	const char *key;
	void *next;
	json_t *item;
	size_t index;

	json_object_foreach_safe(container, next, key, item)
		json_object_set_new(container, key, allow_variables(item));
	json_array_foreach(container, index, item)
		json_array_set_new(container, index, allow_variables(item));
}

static json_t *allow_variables(json_t *schema)
{
	static const char *const below[] = {"items", "additionalProperties"};

	if (takes_a_variable(schema))
		return or_variable(schema);
	allow_in_all(json_object_get(schema, "properties"));
	allow_in_all(json_object_get(schema, "oneOf"));
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		json_t *inner = json_object_get(schema, below[i]);

		if (json_is_object(inner))
			json_object_set_new(schema, below[i], allow_variables(inner));
	}
	return json_incref(schema);
}

/* A file that extends another need not repeat what that one has. */
static void require_unless_extended(json_t *schema)
{
	json_t *accounts = json_object_get(json_object_get(schema, "properties"), "accounts");
	json_t *account = json_object_get(accounts, "additionalProperties");

	json_object_set_new(schema, "if",
		json_pack("{s:{s:[s]}}", "not", "required", "extends"));
	json_object_set_new(schema, "then",
		json_pack("{s:O, s:{s:{s:{s:O}}}}", "required",
			json_object_get(schema, "required"), "properties", "accounts",
			"additionalProperties", "required", json_object_get(account, "required")));
	json_object_del(schema, "required");
	json_object_del(account, "required");
}

json_t *scenario_schema(void)
{
	const struct field *const tables[] = {scenario_fields, NULL};
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
		"http://json-schema.org/draft-07/schema#", "title", "mailprobe scenario");
	json_t *fields = fields_schema(tables);
	json_t *properties = json_object_get(fields, "properties");

	json_object_update(schema, fields);
	allow_in_all(properties);
	json_object_set_new(json_object_get(properties, "steps"), "minItems", json_integer(1));
	require_unless_extended(schema);
	json_decref(fields);
	return schema;
}
