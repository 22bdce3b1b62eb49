/* Puts variables into the strings of an assembly. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"
#include "scalar.h"
#include "text.h"

#include "ban.h"

#define STRING_MAX ((size_t)64 * 1024) /* of a string with all its variables put in */

struct substitution {
	struct assembly *assembly;
	const json_t *vars;
	json_t *used; /* names */
	struct text pointer;
};

/* "${name}" or "${name:-fallback}" within a string. */
struct reference {
	char name[128];
	const char *fallback; /* not ended; NULL: none */
	size_t fallback_length;
	const char *end; /* behind the brace */
};

static struct span find_in_place(
	const struct source *source, const char *pointer, const char *needle)
{
	struct span span = source_find(source, pointer, FIELD_AT_VALUE);
	const char *begin = source->bytes + span.at;
	const char *found = memmem(begin, span.length, needle, strlen(needle));

	if (found == NULL)
		return span;
	return (struct span){span.at + (size_t)(found - begin), strlen(needle)};
}

/* At the very reference, not only at the string that holds it. */
static void complain_at(struct substitution *substitution, const char *needle,
	const char *message, const char *hint)
{
	const char *pointer = substitution->pointer.bytes;
	const struct source *source = assembly_source(substitution->assembly, pointer);
	const struct complaint complaint = {
		.code = "variable", .pointer = pointer, .message = message, .hint = hint};

	source_complain(source, find_in_place(source, pointer, needle), &complaint,
		substitution->assembly->complaints);
	json_object_set_new(substitution->assembly->broken, pointer, json_true());
}

static void complain_undefined(struct substitution *substitution, const char *name)
{
	const char *names[129];
	size_t count = 0;
	char needle[160], message[200], hint[200];
	const char *nearest, *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)substitution->vars, key, value)
		if (count < 128)
			names[count++] = key;
	names[count] = NULL;
	nearest = text_nearest(name, names);
	snprintf(needle, sizeof(needle), "${%s", name);
	snprintf(message, sizeof(message), "the variable \"%s\" is not defined", name);
	if (nearest != NULL)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", nearest);
	else
		snprintf(hint, sizeof(hint),
			"define it under \"vars\", or write ${%s:-...} with what to take instead",
			name);
	complain_at(substitution, needle, message, hint);
}

/* Reads the reference at "${"; false, and a complaint, if it is none. */
static bool read_reference(
	struct substitution *substitution, const char *at, struct reference *reference)
{
	const char *name = at + 2, *brace = strchr(name, '}');
	size_t length = brace != NULL ? (size_t)(brace - name) : 0;
	const char *dash = memmem(name, length, ":-", 2);

	*reference = (struct reference){.end = brace != NULL ? brace + 1 : NULL};
	if (dash != NULL) {
		reference->fallback = dash + 2;
		reference->fallback_length = (size_t)(brace - dash - 2);
		length = (size_t)(dash - name);
	}
	if (length < sizeof(reference->name))
		snprintf(reference->name, sizeof(reference->name), "%.*s", (int)length, name);
	if (brace != NULL && field_is_name(reference->name))
		return true;
	complain_at(substitution, "${",
		brace == NULL ? "this \"${\" is not closed" : "this is no name of a variable",
		"write ${name}, ${name:-fallback}, or $${ for a plain ${");
	return false;
}

/* The text of a secret must not be shown where its variable is defined, either. */
static void hide_variable(struct substitution *substitution, const char *name)
{
	const char *last = strrchr(substitution->pointer.bytes, '/');
	struct text pointer;

	if (last == NULL || strstr(last, "pass") == NULL)
		return;
	text_init(&pointer, 256);
	text_puts(&pointer, "/vars");
	field_pointer_push(&pointer, name);
	for (size_t i = 0; i < substitution->assembly->source_count; i++) {
		struct source *source = substitution->assembly->sources[i];

		if (json_object_get(source->index, pointer.bytes) != NULL)
			source_hide(source, source_find(source, pointer.bytes, FIELD_AT_VALUE));
	}
	text_free(&pointer);
}

/* What the reference stands for, a new reference; NULL, and a complaint, if for nothing. */
static json_t *resolve(struct substitution *substitution, const struct reference *reference)
{
	json_t *value = json_object_get(substitution->vars, reference->name);

	if (value != NULL) {
		json_object_set_new(substitution->used, reference->name, json_true());
		hide_variable(substitution, reference->name);
		return json_incref(value);
	}
	if (reference->fallback != NULL)
		return scalar_json(reference->fallback, reference->fallback_length);
	complain_undefined(substitution, reference->name);
	return NULL;
}

static void append_value(struct text *text, const json_t *value)
{
	if (json_is_string(value))
		text_append(text, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		text_printf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_boolean(value))
		text_puts(text, json_is_true(value) ? "true" : "false");
}

/* The fallback within a longer string stays as it is written: "1.10" is not 1.1. */
static bool append_reference(
	struct substitution *substitution, struct text *text, const struct reference *reference)
{
	bool is_defined = json_object_get(substitution->vars, reference->name) != NULL;
	json_t *value;

	if (!is_defined && reference->fallback != NULL) {
		text_append(text, reference->fallback, reference->fallback_length);
		return true;
	}
	value = resolve(substitution, reference);
	if (value == NULL)
		return false;
	append_value(text, value);
	json_decref(value);
	return true;
}

/* Copies the string with its references resolved; false after a complaint. */
static bool expand(struct substitution *substitution, const char *at, struct text *text)
{
	struct reference reference;

	while (*at != '\0') {
		size_t length = strcspn(at, "$");

		text_append(text, at, length);
		at += length;
		if (strncmp(at, "$${", 3) == 0) {
			text_puts(text, "${");
			at += 3;
		} else if (strncmp(at, "${", 2) == 0) {
			if (!read_reference(substitution, at, &reference) ||
				!append_reference(substitution, text, &reference))
				return false;
			at = reference.end;
		} else if (*at == '$') {
			text_puts(text, "$");
			at++;
		}
	}
	if (text->overflowed)
		complain_at(substitution, "${", "with its variables this is longer than 64 kB",
			NULL);
	return !text->overflowed;
}

/* The new value of a string, or NULL if it stays. */
static json_t *expand_string(struct substitution *substitution, const json_t *string)
{
	const char *from = json_string_value(string);
	struct reference reference;
	struct text text;
	json_t *value = NULL;

	if (strstr(from, "${") == NULL || strlen(from) != json_string_length(string))
		return NULL;
	if (strncmp(from, "${", 2) == 0 && strchr(from, '}') == strchr(from, '\0') - 1)
		return read_reference(substitution, from, &reference)
			       ? resolve(substitution, &reference)
			       : NULL;
	text_init(&text, STRING_MAX);
	if (expand(substitution, from, &text))
		value = json_stringn(text.bytes, text.length);
	text_free(&text);
	return value;
}

/* Goes through all values below; the depth is bounded by that of the files. */
static void walk(struct substitution *substitution, json_t *value);

static json_t *visit(struct substitution *substitution, json_t *value)
{
	if (json_is_string(value))
		return expand_string(substitution, value);
	walk(substitution, value);
	return NULL;
}

static void walk(struct substitution *substitution, json_t *value)
{
	struct text *pointer = &substitution->pointer;
	size_t length = pointer->length, index;
	const char *key;
	void *next;
	json_t *item, *expanded;

	json_object_foreach_safe(value, next, key, item) {
		field_pointer_push(pointer, key);
		expanded = strcmp(pointer->bytes, "/vars") == 0 ? NULL
								: visit(substitution, item);
		if (expanded != NULL)
			json_object_set_new(value, key, expanded);
		pointer->bytes[pointer->length = length] = '\0';
	}
	json_array_foreach(value, index, item) {
		text_printf(pointer, "/%zu", index);
		expanded = visit(substitution, item);
		if (expanded != NULL)
			json_array_set_new(value, index, expanded);
		pointer->bytes[pointer->length = length] = '\0';
	}
}

/* Only what the file itself defines: a shared part may well offer more than all need. */
static void warn_unused(struct substitution *substitution)
{
	const struct source *own = substitution->assembly->sources[0];
	struct text *pointer = &substitution->pointer;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)substitution->vars, key, value) {
		char message[200];
		const struct complaint complaint = {.code = "unused-variable",
			.message = message,
			.is_warning = true};

		text_clear(pointer);
		text_puts(pointer, "/vars");
		field_pointer_push(pointer, key);
		if (json_object_get(substitution->used, key) != NULL ||
			json_object_get(own->index, pointer->bytes) == NULL)
			continue;
		snprintf(message, sizeof(message), "the variable \"%.100s\" is never used", key);
		assembly_complain(
			substitution->assembly, pointer->bytes, FIELD_AT_KEY, &complaint);
	}
}

static void refuse_nested(struct substitution *substitution)
{
	struct text *pointer = &substitution->pointer;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)substitution->vars, key, value) {
		if (!json_is_string(value) || strstr(json_string_value(value), "${") == NULL)
			continue;
		text_clear(pointer);
		text_puts(pointer, "/vars");
		field_pointer_push(pointer, key);
		complain_at(substitution, "${", "a variable cannot be made of other variables",
			NULL);
	}
}

void assembly_substitute(struct assembly *assembly)
{
	struct substitution substitution = {
		.assembly = assembly,
		.vars = json_object_get(assembly->tree, "vars"),
		.used = json_object(),
	};

	text_init(&substitution.pointer, 2 * SOURCE_SIZE_MAX);
	text_puts(&substitution.pointer, "");
	walk(&substitution, assembly->tree);
	if (json_is_object(substitution.vars)) {
		refuse_nested(&substitution);
		warn_unused(&substitution);
	}
	json_decref(substitution.used);
	text_free(&substitution.pointer);
}
