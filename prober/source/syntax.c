/* What libfyaml says of a text that it cannot parse, in words for authors, and without showing
 * secrets. */
#include "syntax.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#include "ban.h"

/* Key names behind which an inline secret may stand. */
static const char *const secret_words[] = {"pass", "secret", "token", NULL};

bool secret_key(const char *key)
{
	for (size_t i = 0; secret_words[i] != NULL; i++)
		if (strcasestr(key, secret_words[i]) != NULL)
			return true;
	return false;
}

/* The byte at line and column, which count characters from 1. */
static size_t offset_of(const struct source *source, int line, int column)
{
	size_t at = source->begin;

	while (line > 1 && at < source->size)
		line -= source->bytes[at++] == '\n';
	while (column > 1 && at < source->size && source->bytes[at] != '\n') {
		at++;
		while (at < source->size && ((unsigned char)source->bytes[at] & 0xc0) == 0x80)
			at++;
		column--;
	}
	return at;
}

/* libfyaml's words where they would leave an author alone. */
static const struct {
	const char *said, *message, *hint;
} translations[] = {
	{"Invalid JSON plain scalar",
		"JSON knows strings in double quotes, numbers, true, false and null", NULL},
	{"missing document start", "something follows the end of the JSON value", NULL},
	{"invalid multiline plain key", "a value runs on into what looks like a key",
		"is the next line indented as it should be?"},
	{"could not find expected ':'", "this line is neither \"key: value\" nor \"- item\"",
		NULL},
	{"did not find expected node content", "a value is missing here", NULL},
};

/* What an author most likely meant by a character that has no place there. */
static const char *syntax_hint(const struct source *source, size_t at, bool is_json)
{
	const char *bytes = source->bytes + at;
	const char *end = memchr(bytes, '\n', source->size - at);
	size_t rest = end != NULL ? (size_t)(end - bytes) : source->size - at;

	if (rest == 0)
		return NULL;
	if (!is_json && bytes[0] == '\t')
		return "indent with spaces";
	if (is_json && bytes[0] == '\t')
		return "within a string a tab is written \\t";
	if (is_json && (bytes[0] == '#' || memmem(bytes, rest, "//", 2) != NULL))
		return "JSON has no comments: use the key \"$comment\", or write YAML";
	if (is_json && bytes[0] == '\'')
		return "strings stand in double quotes";
	return !is_json && strchr("@`%*&!|>{}[]", bytes[0]) != NULL ? "put the value in quotes"
								     : NULL;
}

/* The rest of the line after a key, unless it is a map that says where the secret is. `at` is
 * within the key. */
static struct span guess_secret(const struct source *source, size_t at)
{
	const char *bytes = source->bytes;
	size_t end;

	while (at < source->size && (isalnum((unsigned char)bytes[at]) || bytes[at] == '_' ||
					    bytes[at] == '-'))
		at++;
	while (at < source->size && (bytes[at] == '"' || bytes[at] == '\'' || bytes[at] == ' '))
		at++;
	if (at == source->size || bytes[at] != ':')
		return (struct span){0, 0};
	at++;
	while (at < source->size && (bytes[at] == ' ' || bytes[at] == '\t'))
		at++;
	end = at;
	while (end < source->size && bytes[end] != '\n')
		end++;
	return (struct span){at, at < end && bytes[at] != '{' ? end - at : 0};
}

/* While the places of values are not known for sure, whatever follows a word that sounds like
 * a secret is taken for one. */
void secret_hide_by_guess(struct source *source)
{
	for (size_t w = 0; secret_words[w] != NULL; w++) {
		size_t length = strlen(secret_words[w]);

		for (size_t at = 0; at + length <= source->size; at++)
			if (strncasecmp(source->bytes + at, secret_words[w], length) == 0)
				source_hide(source, guess_secret(source, at));
	}
}

void syntax_complain(const struct source *source, const char *said, int line, int column,
	bool is_json, struct complaints *complaints)
{
	size_t at = offset_of(source, line, column);
	char message[FIELD_MESSAGE_SIZE];
	struct complaint complaint = {.code = "syntax",
		.pointer = "",
		.message = message,
		.hint = syntax_hint(source, at, is_json)};

	text_copy(message, sizeof(message), said);
	for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		if (strcmp(translations[i].said, said) != 0)
			continue;
		text_copy(message, sizeof(message), translations[i].message);
		if (complaint.hint == NULL)
			complaint.hint = translations[i].hint;
	}
	if (strncmp(message, "JSON", 4) != 0)
		message[0] = (char)tolower((unsigned char)message[0]);
	source_complain(source, (struct span){at, 1}, &complaint, complaints);
}
