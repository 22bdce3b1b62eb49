/* What an answer must be, and what is taken from it for later. */
#include "http_step.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ban.h"

/* An expression over more could take longer than the page itself. */
#define REGEX_BYTES ((size_t)1 << 20)
#define CAPTURE_MAX 8192

/* --- kinds ------------------------------------------------------------------------------ */

static bool check_xpath(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return html_xpath_check(json_string_value(value));
}

static bool check_regex(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *text = json_string_value(value);
	regex_t regex;
	int error;

	(void)field;
	/* They take exponential time. */
	for (const char *at = text; (at = strchr(at, '\\')) != NULL; at += 2) {
		if (at[1] >= '1' && at[1] <= '9') {
			text_copy(must_be, FIELD_MESSAGE_SIZE,
				"a regular expression without back references (\\1)");
			return false;
		}
		if (at[1] == '\0')
			break;
	}
	error = regcomp(&regex, text, REG_EXTENDED | REG_NEWLINE);
	if (error == 0)
		regfree(&regex);
	else
		regerror(error, NULL, must_be, 0);
	return error == 0;
}

static bool check_pointer(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	(void)field;
	(void)must_be;
	return json_string_value(value)[0] == '/' || json_string_value(value)[0] == '\0';
}

/* "/a/b": the text that it must be there, or true for anything at all. */
static bool check_pointers(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *key;
	json_t *item;

	(void)field;
	(void)must_be;
	json_object_foreach((json_t *)(uintptr_t)value, key, item) if (key[0] != '/' ||
		json_is_object(item) || json_is_array(item)) return false;
	return json_object_size(value) > 0;
}

static bool check_texts(
	const struct field *field, const json_t *value, char must_be[static FIELD_MESSAGE_SIZE])
{
	const char *key;
	json_t *item;

	(void)field;
	(void)must_be;
	json_object_foreach((json_t *)(uintptr_t)value, key,
		item) if (!json_is_string(item) || key[0] == '\0') return false;
	return json_object_size(value) > 0;
}

static json_t *schema_string(const struct field *field)
{
	(void)field;
	return json_pack("{s:s}", "type", "string");
}

static json_t *schema_pointer(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^(/.*)?$");
}

static json_t *schema_pointers(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i, s:{s:s}, s:{s:[s, s, s, s]}}", "type", "object",
		"minProperties", 1, "propertyNames", "pattern", "^/", "additionalProperties",
		"type", "string", "number", "boolean", "null");
}

static json_t *schema_texts(const struct field *field)
{
	(void)field;
	return json_pack("{s:s, s:i, s:{s:s}}", "type", "object", "minProperties", 1,
		"additionalProperties", "type", "string");
}

static const struct field_kind field_xpath = {
	.name = "an XPath 1.0 expression, such as //h1[contains(., 'Inbox')]",
	.types = FIELD_STRING,
	.check = check_xpath,
	.schema = schema_string,
};
static const struct field_kind field_regex = {
	.name = "an extended regular expression (POSIX)",
	.types = FIELD_STRING,
	.check = check_regex,
	.schema = schema_string,
};
static const struct field_kind field_pointer = {
	.name = "a JSON Pointer, such as /user/name",
	.types = FIELD_STRING,
	.check = check_pointer,
	.schema = schema_pointer,
};
static const struct field_kind field_pointers = {
	.name = "a map of JSON Pointers to values, such as {/status: ok}",
	.types = FIELD_OBJECT,
	.check = check_pointers,
	.schema = schema_pointers,
};
static const struct field_kind field_texts = {
	.name = "a map of names to texts",
	.types = FIELD_OBJECT,
	.check = check_texts,
	.schema = schema_texts,
};

const struct field expect_fields[] = {
	{"status", &field_integer, 0, "the answer's status; any 2xx if left out"},
	{"contains", &field_text, 0, "text that its body must have"},
	{"lacks", &field_text, 0, "text that its body must not have"},
	{"xpath", &field_xpath, 0, "expression that must be true of the page, or find something"},
	{"json", &field_pointers, 0,
		"values by JSON Pointer that it must have; true and null: anything, and nothing"},
	{"header", &field_texts, 0, "text that each of these headers must have in it"},
	{"max_seconds", &field_number, 0, "how long it may take, redirects included"},
	{0},
};

const struct field capture_fields[] = {
	{"xpath", &field_xpath, 0, "the text of what this finds first on the page"},
	{"json", &field_pointer, 0, "the value there"},
	{"regex", &field_regex, 0, "its first group, or else all that matches"},
	{"header", &field_text, 0, "the value of this header"},
	{0},
};

/* --- readings --------------------------------------------------------------------------- */

static const char *body_of(const struct answer *answer)
{
	return answer->reply->body.bytes != NULL ? answer->reply->body.bytes : "";
}

static const struct html *page_of(struct answer *answer, struct failure *why)
{
	if (answer->page == NULL)
		answer->page = html_parse(body_of(answer), answer->reply->body.length,
			answer->reply->url, answer->deadline, why);
	return answer->page;
}

static const json_t *json_of(struct answer *answer)
{
	if (answer->json == NULL)
		answer->json = json_loadb(
			body_of(answer), answer->reply->body.length, JSON_DECODE_ANY, NULL);
	return answer->json;
}

void answer_free(struct answer *answer)
{
	html_free(&answer->page);
	json_decref(answer->json);
	answer->json = NULL;
}

static void unescape(char *token)
{
	char *to = token;

	for (char *from = token; *from != '\0'; from++) {
		bool escape = from[0] == '~' && (from[1] == '0' || from[1] == '1');

		if (escape && from[1] == '1')
			*from = '/';
		*to++ = *from;
		from += escape;
	}
	*to = '\0';
}

/* RFC 6901; NULL if there is nothing. */
static const json_t *json_at(const json_t *tree, const char *pointer)
{
	while (tree != NULL && *pointer == '/') {
		char token[256];
		size_t length = strcspn(pointer + 1, "/");

		if (length >= sizeof(token))
			return NULL;
		memcpy(token, pointer + 1, length);
		token[length] = '\0';
		unescape(token);
		if (json_is_array(tree))
			tree = token[0] >= '0' && token[0] <= '9'
				? json_array_get(tree, strtoul(token, NULL, 10))
				: NULL;
		else
			tree = json_object_get(tree, token);
		pointer += 1 + length;
	}
	return tree;
}

static bool contains(const struct answer *answer, const char *text)
{
	return memmem(body_of(answer), answer->reply->body.length, text, strlen(text)) != NULL;
}

/* --- expectations ----------------------------------------------------------------------- */

static int missed(
	struct failure *why, const struct answer *answer, const char *what, const char *detail)
{
	struct text shown;

	text_init(&shown, 200);
	http_url_shown(answer->reply->url, &shown);
	failure_set(why, ERROR_HTTP_EXPECT, "%s (status %d): %s%s", shown.bytes,
		answer->reply->status, what, detail);
	text_free(&shown);
	return -1;
}

static int check_status(const struct answer *answer, const json_t *expect, struct failure *why)
{
	const json_t *status = json_object_get(expect, "status");
	char text[64];

	if (status == NULL)
		return http_expect_success(answer->reply, why);
	if (json_integer_value(status) == answer->reply->status)
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(status));
	return missed(why, answer, "the status is not ", text);
}

static int check_body(struct answer *answer, const struct values *values, const json_t *expect,
	struct failure *why)
{
	static const char *const keys[] = {"contains", "lacks"};
	bool secret = false;

	for (int i = 0; i < 2; i++) {
		const char *wanted = json_string_value(json_object_get(expect, keys[i]));
		char *text = wanted != NULL ? template_fill(values, wanted, TEMPLATE_PLAIN, &secret)
					    : NULL;
		bool bad = text != NULL && contains(answer, text) != (i == 0);

		free(text);
		if (bad)
			return missed(why, answer,
				i == 0 ? "the body does not have " : "the body has ", wanted);
	}
	return 0;
}

static int check_page(struct answer *answer, const json_t *expect, struct failure *why)
{
	const char *xpath = json_string_value(json_object_get(expect, "xpath"));

	if (xpath == NULL)
		return 0;
	if (page_of(answer, why) == NULL)
		return -1;
	if (html_has(answer->page, xpath, NULL))
		return 0;
	return missed(why, answer, "the page does not have ", xpath);
}

static bool same_value(const struct values *values, const json_t *wanted, const json_t *found)
{
	bool secret = false, same;
	json_t *filled;

	if (json_is_null(wanted))
		return found == NULL || json_is_null(found);
	if (json_is_true(wanted))
		return found != NULL && !json_is_null(found) && !json_is_false(found);
	if (json_is_number(wanted) && json_is_number(found))
		return json_number_value(wanted) - json_number_value(found) == 0;
	filled = template_fill_json(values, wanted, &secret);
	same = found != NULL && json_equal(filled, found);
	json_decref(filled);
	return same;
}

static int check_json(struct answer *answer, const struct values *values, const json_t *expect,
	struct failure *why)
{
	const json_t *wanted = json_object_get(expect, "json");
	const char *pointer;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)wanted, pointer, value)
	{
		if (json_of(answer) == NULL)
			return missed(why, answer, "the body is no JSON", "");
		if (!same_value(values, value, json_at(answer->json, pointer)))
			return missed(why, answer, "not as expected in the JSON: ", pointer);
	}
	return 0;
}

static int check_headers(const struct answer *answer, const json_t *expect, struct failure *why)
{
	const json_t *wanted = json_object_get(expect, "header");
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)wanted, name, text)
	{
		char value[4096];

		if (!http_header(answer->reply, name, value, sizeof(value)) ||
			strcasestr(value, json_string_value(text)) == NULL)
			return missed(why, answer, "not as expected: header ", name);
	}
	return 0;
}

static int check_time(const struct answer *answer, const json_t *expect, struct failure *why)
{
	const json_t *max = json_object_get(expect, "max_seconds");
	char text[80];

	if (max == NULL || answer->seconds <= json_number_value(max))
		return 0;
	snprintf(text, sizeof(text), "%.3f s, and only %g s were allowed", answer->seconds,
		json_number_value(max));
	return missed(why, answer, "it took ", text);
}

int expect_check(struct answer *answer, const struct values *values, const json_t *expect,
	struct failure *why)
{
	if (check_status(answer, expect, why) == -1 || check_headers(answer, expect, why) == -1 ||
		check_body(answer, values, expect, why) == -1 ||
		check_page(answer, expect, why) == -1 ||
		check_json(answer, values, expect, why) == -1)
		return -1;
	return check_time(answer, expect, why);
}

/* --- captures --------------------------------------------------------------------------- */

static char *by_regex(const struct answer *answer, const char *pattern)
{
	char *head = strndup(body_of(answer), REGEX_BYTES);
	regmatch_t match[2];
	regex_t regex;
	char *found = NULL;

	if (head != NULL && regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) == 0) {
		if (regexec(&regex, head, 2, match, 0) == 0) {
			const regmatch_t *taken = match[1].rm_so >= 0 ? &match[1] : &match[0];

			found = strndup(head + taken->rm_so, (size_t)(taken->rm_eo - taken->rm_so));
		}
		regfree(&regex);
	}
	free(head);
	return found;
}

static char *by_json(struct answer *answer, const char *pointer)
{
	const json_t *value = json_at(json_of(answer), pointer);

	if (json_is_string(value))
		return strdup(json_string_value(value));
	return json_is_number(value) || json_is_boolean(value)
		? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT)
		: NULL;
}

static char *by_header(const struct answer *answer, const char *name)
{
	char value[4096];

	return http_header(answer->reply, name, value, sizeof(value)) ? strdup(value) : NULL;
}

static char *capture_one(struct answer *answer, const json_t *how, struct failure *why)
{
	const char *xpath = json_string_value(json_object_get(how, "xpath"));
	const char *pointer = json_string_value(json_object_get(how, "json"));
	const char *regex = json_string_value(json_object_get(how, "regex"));
	const char *header = json_string_value(json_object_get(how, "header"));

	if (xpath != NULL)
		return page_of(answer, why) != NULL ? html_text(answer->page, xpath) : NULL;
	if (pointer != NULL)
		return by_json(answer, pointer);
	if (regex != NULL)
		return by_regex(answer, regex);
	return header != NULL ? by_header(answer, header) : NULL;
}

int expect_capture(
	struct answer *answer, const json_t *capture, json_t *captured, struct failure *why)
{
	const char *name;
	json_t *how;

	json_object_foreach((json_t *)(uintptr_t)capture, name, how)
	{
		char *value = capture_one(answer, how, why);
		bool taken = value != NULL && strlen(value) <= CAPTURE_MAX &&
			json_object_set_new(captured, name, json_string(value)) == 0;

		free(value);
		if (!taken)
			return missed(why, answer, "nothing there to capture as ", name);
	}
	return 0;
}
