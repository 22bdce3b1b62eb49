/* {{name}} in what the scenario says of a request. ${name} is the loader's, before any run. */
#include "http_step.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

#define FILLED_MAX ((size_t)1 << 20)
#define NAME_SIZE 72

/* The next {{name}} from *at on: false if there is none; *at is then behind it. */
static bool next_name(const char **at, const char **begin_r, char name[static NAME_SIZE])
{
	const char *open = strstr(*at, "{{");

	while (open != NULL) {
		size_t length = strcspn(open + 2, "{}");

		if (length > 0 && length < NAME_SIZE && strncmp(open + 2 + length, "}}", 2) == 0) {
			memcpy(name, open + 2, length);
			name[length] = '\0';
			*begin_r = open;
			*at = open + length + 4;
			return true;
		}
		open = strstr(open + 2, "{{");
	}
	return false;
}

static const char *value_of(const struct values *values, const char *name)
{
	if (values->account != NULL && strcmp(name, "username") == 0)
		return values->account->username;
	if (values->account != NULL && strcmp(name, "address") == 0)
		return values->account->address;
	if (values->account != NULL && strcmp(name, "password") == 0)
		return values->password;
	return json_string_value(json_object_get(values->captured, name));
}

static void add_encoded(struct text *text, const char *value)
{
	for (; *value != '\0'; value++) {
		if (isalnum((unsigned char)*value) || strchr("-._~", *value) != NULL)
			text_append(text, value, 1);
		else
			text_printf(text, "%%%02X", (unsigned char)*value);
	}
}

/* A copy whose every earlier place in memory is wiped. */
static char *take(struct text *text)
{
	char *copy = text->overflowed ? NULL : strdup(text->bytes != NULL ? text->bytes : "");

	if (text->bytes != NULL)
		explicit_bzero(text->bytes, text->length);
	text_free(text);
	return copy;
}

char *template_fill(
	const struct values *values, const char *text, enum template_use use, bool *secret_r)
{
	const char *at = text, *from = text, *begin;
	char name[NAME_SIZE];
	struct text filled;

	text_init(&filled, FILLED_MAX);
	while (next_name(&at, &begin, name)) {
		const char *value = value_of(values, name);

		if (value == NULL) {
			text_free(&filled);
			return NULL;
		}
		*secret_r |= value == values->password;
		text_append(&filled, from, (size_t)(begin - from));
		if (use == TEMPLATE_URL && begin != text)
			add_encoded(&filled, value);
		else
			text_puts(&filled, value);
		from = at;
	}
	text_puts(&filled, from);
	return take(&filled);
}

json_t *template_fill_json(const struct values *values, const json_t *tree, bool *secret_r)
{
	json_t *copy, *item;
	const char *key;
	size_t index;

	if (json_is_string(tree)) {
		char *text =
			template_fill(values, json_string_value(tree), TEMPLATE_PLAIN, secret_r);

		copy = text != NULL ? json_string(text) : NULL;
		free(text);
		return copy;
	}
	if (json_is_array(tree)) {
		copy = json_array();
		json_array_foreach((json_t *)(uintptr_t)tree, index, item)
			json_array_append_new(copy, template_fill_json(values, item, secret_r));
		return copy;
	}
	if (!json_is_object(tree))
		return json_deep_copy(tree);
	copy = json_object();
	json_object_foreach((json_t *)(uintptr_t)tree, key, item)
		json_object_set_new(copy, key, template_fill_json(values, item, secret_r));
	return copy;
}

static char *unknown_in(const struct values *values, const char *text)
{
	const char *at = text, *begin;
	char name[NAME_SIZE];

	while (next_name(&at, &begin, name))
		if (value_of(values, name) == NULL)
			return strdup(name);
	return NULL;
}

char *template_unknown(const struct values *values, const json_t *tree)
{
	char *name = NULL;
	json_t *item;
	const char *key;
	size_t index;

	if (json_is_string(tree))
		return unknown_in(values, json_string_value(tree));
	json_array_foreach((json_t *)(uintptr_t)tree, index, item) if (name == NULL) name =
		template_unknown(values, item);
	json_object_foreach((json_t *)(uintptr_t)tree, key, item) if (name == NULL) name =
		template_unknown(values, item);
	return name;
}
