#include "field.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

#include "ban.h"

/* --- walking a table ------------------------------------------------------------------- */

struct walk {
	const struct field_check *check;
	size_t complaints;
};

static void check_value(
	struct walk *walk, const struct field *field, const json_t *value, const char *pointer);

static void complain(struct walk *walk, const char *code, const char *pointer,
	enum field_spot spot, const char *message, const char *hint)
{
	struct field_complaint complaint = {code, pointer, spot, message, hint};

	walk->complaints++;
	walk->check->complain(walk->check->context, &complaint);
}

/* RFC 6901: "~" and "/" in a key are escaped. */
void field_pointer_push(struct text *pointer, const char *key)
{
	text_puts(pointer, "/");
	for (; *key != '\0'; key++) {
		if (*key == '~')
			text_puts(pointer, "~0");
		else if (*key == '/')
			text_puts(pointer, "~1");
		else
			text_append(pointer, key, 1);
	}
}

static void pointer_pop(struct text *pointer, size_t length)
{
	pointer->length = length;
	pointer->bytes[length] = '\0';
}

static void pointer_start(struct text *text, const char *pointer)
{
	text_init(text, 4096);
	text_puts(text, pointer);
}

const struct field *fields_find(const struct field *const tables[], const char *name)
{
	for (size_t t = 0; tables[t] != NULL; t++)
		for (const struct field *f = tables[t]; f->name != NULL; f++)
			if (strcmp(f->name, name) == 0)
				return f;
	return NULL;
}

#define NAMES_MAX 128

static const char *nearest_key(
	const struct field *const tables[], const json_t *object, const char *wrong)
{
	const char *names[NAMES_MAX + 1];
	size_t count = 0;

	for (size_t t = 0; tables[t] != NULL; t++)
		for (const struct field *f = tables[t]; f->name != NULL; f++)
			if (count < NAMES_MAX && json_object_get(object, f->name) == NULL)
				names[count++] = f->name;
	names[count] = NULL;
	return text_nearest(wrong, names);
}

static void unknown_key(struct walk *walk, const struct field *const tables[],
	const json_t *object, const char *key, const char *pointer)
{
	const char *nearest = nearest_key(tables, object, key);
	char message[FIELD_MESSAGE_SIZE], hint[FIELD_MESSAGE_SIZE] = "";

	snprintf(message, sizeof(message), "unknown key \"%.100s\"", key);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	complain(walk, "unknown-key", pointer, FIELD_AT_KEY, message, nearest ? hint : NULL);
}

static bool is_free_key(const char *key)
{
	return strncmp(key, "x-", 2) == 0 || strcmp(key, "$comment") == 0;
}

/* True if an unknown key was most likely meant to be this one: that has been said. */
static bool is_misspelt(
	const struct field *const tables[], const json_t *object, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		const char *nearest;

		if (fields_find(tables, key) != NULL || is_free_key(key))
			continue;
		nearest = nearest_key(tables, object, key);
		if (nearest != NULL && strcmp(nearest, name) == 0)
			return true;
	}
	return false;
}

static void check_present(struct walk *walk, const struct field *const tables[],
	const json_t *object, const char *pointer)
{
	for (size_t t = 0; tables[t] != NULL; t++) {
		for (const struct field *f = tables[t]; f->name != NULL; f++) {
			char message[FIELD_MESSAGE_SIZE], hint[FIELD_MESSAGE_SIZE];

			if ((f->flags & FIELD_REQUIRED) == 0 ||
				json_object_get(object, f->name) != NULL ||
				is_misspelt(tables, object, f->name))
				continue;
			snprintf(message, sizeof(message), "\"%s\" is missing", f->name);
			snprintf(hint, sizeof(hint), "%s: %s", f->name,
				f->help != NULL ? f->help : f->kind->name);
			complain(walk, "missing-key", pointer, FIELD_AT_KEY, message, hint);
		}
	}
}

static void check_object(struct walk *walk, const struct field *const tables[],
	const json_t *object, const char *pointer)
{
	struct text path;
	const char *key;
	json_t *value;

	pointer_start(&path, pointer);
	/* jansson's iterator takes no const, though it changes nothing. */
	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		const struct field *field = fields_find(tables, key);
		size_t length = path.length;

		field_pointer_push(&path, key);
		if (field != NULL)
			check_value(walk, field, value, path.bytes);
		else if (!is_free_key(key))
			unknown_key(walk, tables, object, key, path.bytes);
		pointer_pop(&path, length);
	}
	check_present(walk, tables, object, pointer);
	text_free(&path);
}

struct field field_item(const struct field *field)
{
	struct field item = *field;

	item.kind = field->item;
	return item;
}

static void check_list(
	struct walk *walk, const struct field *field, const json_t *list, const char *pointer)
{
	struct field item = field_item(field);
	struct text path;
	size_t index;
	json_t *value;

	pointer_start(&path, pointer);
	json_array_foreach(list, index, value) {
		size_t length = path.length;

		text_printf(&path, "/%zu", index);
		check_value(walk, &item, value, path.bytes);
		pointer_pop(&path, length);
	}
	text_free(&path);
}

static void check_map(
	struct walk *walk, const struct field *field, const json_t *map, const char *pointer)
{
	struct field item = field_item(field);
	struct text path;
	const char *key;
	json_t *value;

	pointer_start(&path, pointer);
	json_object_foreach((json_t *)(uintptr_t)map, key, value) {
		size_t length = path.length;

		field_pointer_push(&path, key);
		if (!field_is_name(key))
			complain(walk, "bad-value", path.bytes, FIELD_AT_KEY,
				"a name here is made of letters, digits, \".\", \"_\" and \"-\"",
				NULL);
		check_value(walk, &item, value, path.bytes);
		pointer_pop(&path, length);
	}
	text_free(&path);
}

static const char *json_type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "a map";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "nothing";
	}
	return "something else";
}

/* What a complaint calls the value: its key, or its place in the list of that key. */
static void name_value(const struct field *field, const char *pointer,
	char name[static FIELD_MESSAGE_SIZE])
{
	const char *last = strrchr(pointer, '/');

	last = last != NULL ? last + 1 : pointer;
	if (strcmp(last, field->name) != 0 && last[strspn(last, "0123456789")] == '\0')
		snprintf(name, FIELD_MESSAGE_SIZE, "each of \"%s\"", field->name);
	else
		snprintf(name, FIELD_MESSAGE_SIZE, "\"%.100s\"", last);
}

static bool is_simple(const json_t *value)
{
	return json_is_number(value) || json_is_boolean(value);
}

static void complain_value(struct walk *walk, const struct field *field, const json_t *value,
	const char *pointer, bool right_type, const char *must_be)
{
	char name[FIELD_MESSAGE_SIZE], message[3 * FIELD_MESSAGE_SIZE];
	char described[FIELD_MESSAGE_SIZE] = "", hint[FIELD_MESSAGE_SIZE] = "";

	if (must_be[0] == '\0' && field->kind->describe != NULL) {
		field->kind->describe(field, described);
		must_be = described;
	}
	name_value(field, pointer, name);
	snprintf(message, sizeof(message), "%s must be %s", name,
		must_be[0] != '\0' ? must_be : field->kind->name);
	if (field->kind->hint != NULL)
		field->kind->hint(field, value, hint);
	if (hint[0] == '\0' && !right_type)
		snprintf(hint, sizeof(hint), "this is %s%s", json_type_name(value),
			is_simple(value) && (field->kind->types & FIELD_STRING) != 0
				? ": put it in quotes"
				: "");
	complain(walk, right_type ? "bad-value" : "wrong-type", pointer, FIELD_AT_VALUE, message,
		hint[0] != '\0' ? hint : NULL);
}

static bool fits(struct walk *walk, const struct field *field, const json_t *value,
	const char *pointer)
{
	char must_be[FIELD_MESSAGE_SIZE] = "";
	const char *text = json_string_value(value);

	if ((field->kind->types & 1U << json_typeof(value)) == 0) {
		complain_value(walk, field, value, pointer, false, "");
		return false;
	}
	/* Nothing behind a NUL would be looked at from here on. */
	if (text != NULL && strlen(text) != json_string_length(value)) {
		complain_value(walk, field, value, pointer, true, "text without a NUL");
		return false;
	}
	if (field->kind->check == NULL || field->kind->check(field, value, must_be))
		return true;
	complain_value(walk, field, value, pointer, true, must_be);
	return false;
}

static void check_value(
	struct walk *walk, const struct field *field, const json_t *value, const char *pointer)
{
	if (!fits(walk, field, value, pointer))
		return;
	if (walk->check->visit != NULL)
		walk->check->visit(walk->check->context, field, value, pointer);
	if (field->kind == &field_object && field->fields != NULL) {
		const struct field *const tables[] = {field->fields, NULL};

		check_object(walk, tables, value, pointer);
	} else if (field->kind == &field_list) {
		check_list(walk, field, value, pointer);
	} else if (field->kind == &field_map) {
		check_map(walk, field, value, pointer);
	}
}

size_t fields_check(const struct field *const tables[], const json_t *object,
	const char *pointer, const struct field_check *check)
{
	struct walk walk = {.check = check};
	char hint[FIELD_MESSAGE_SIZE];

	if (json_is_object(object)) {
		check_object(&walk, tables, object, pointer);
		return walk.complaints;
	}
	snprintf(hint, sizeof(hint), "this is %s",
		object != NULL ? json_type_name(object) : "nothing");
	complain(&walk, "wrong-type", pointer, FIELD_AT_VALUE, "a map of keys and values must be here",
		hint);
	return walk.complaints;
}

/* --- defaults -------------------------------------------------------------------------- */

static void default_inside(const struct field *field, json_t *value)
{
	const struct field *const tables[] = {field->fields, NULL};
	json_t *item;
	const char *key;
	size_t index;

	if (field->fields == NULL)
		return;
	if (field->kind == &field_object && json_is_object(value)) {
		fields_default(tables, value);
	} else if (field->kind == &field_list && field->item == &field_object) {
		json_array_foreach(value, index, item)
			fields_default(tables, item);
	} else if (field->kind == &field_map && field->item == &field_object) {
		json_object_foreach(value, key, item)
			fields_default(tables, item);
	}
}

void fields_default(const struct field *const tables[], json_t *object)
{
	for (size_t t = 0; tables[t] != NULL; t++) {
		for (const struct field *f = tables[t]; f->name != NULL; f++) {
			if (f->fallback != NULL && json_object_get(object, f->name) == NULL)
				json_object_set_new(object, f->name,
					json_loads(f->fallback, JSON_DECODE_ANY, NULL));
			default_inside(f, json_object_get(object, f->name));
		}
	}
}

/* --- schema ---------------------------------------------------------------------------- */

static json_t *field_schema(const struct field *field)
{
	json_t *schema = field->kind->schema(field);

	if (field->help != NULL)
		json_object_set_new(schema, "description", json_string(field->help));
	if (field->fallback != NULL)
		json_object_set_new(
			schema, "default", json_loads(field->fallback, JSON_DECODE_ANY, NULL));
	return schema;
}

json_t *fields_schema(const struct field *const tables[])
{
	json_t *properties = json_object(), *required = json_array();
	json_t *schema;

	for (size_t t = 0; tables[t] != NULL; t++) {
		for (const struct field *f = tables[t]; f->name != NULL; f++) {
			json_object_set_new(properties, f->name, field_schema(f));
			if ((f->flags & FIELD_REQUIRED) != 0)
				json_array_append_new(required, json_string(f->name));
		}
	}
	schema = json_pack("{s:s, s:o, s:{s:{}, s:{}}, s:b}", "type", "object", "properties",
		properties, "patternProperties", "^x-", "^\\$comment$", "additionalProperties", 0);
	if (json_array_size(required) > 0)
		json_object_set(schema, "required", required);
	json_decref(required);
	return schema;
}
