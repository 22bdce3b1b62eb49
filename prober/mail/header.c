#include "header.h"

#include <string.h>
#include <strings.h>

#include "ban.h"

/* Length of the line at `at`, with its end. */
static size_t line_length(const char *at, size_t left)
{
	const char *end = memchr(at, '\n', left);

	return end != NULL ? (size_t)(end - at) + 1 : left;
}

static bool is_empty_line(const char *at, size_t length)
{
	return (length == 1 && at[0] == '\n') || (length == 2 && at[0] == '\r' && at[1] == '\n');
}

const char *header_end(const char *text, size_t length)
{
	while (length > 0) {
		size_t line = line_length(text, length);

		text += line;
		length -= line;
		if (is_empty_line(text - line, line))
			break;
	}
	return text;
}

static bool starts_field(const char *line, size_t length, const char *name)
{
	size_t name_length = strlen(name);

	return length > name_length && line[name_length] == ':' &&
	       strncasecmp(line, name, name_length) == 0;
}

/* Copies without line ends and leading or trailing white space; false if it does not fit. */
static bool unfold(const char *from, size_t length, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (from[i] == '\r' || from[i] == '\n')
			continue;
		if (used == 0 && (from[i] == ' ' || from[i] == '\t'))
			continue;
		if (used + 1 >= size)
			return false;
		to[used++] = from[i];
	}
	while (used > 0 && (to[used - 1] == ' ' || to[used - 1] == '\t'))
		used--;
	to[used] = '\0';
	return true;
}

bool header_next(const char **at, const char *end, const char *name, char *value, size_t size,
	bool *fits_r)
{
	const char *text = *at;

	while (text < end) {
		size_t line = line_length(text, (size_t)(end - text));
		const char *after = text + line;

		if (starts_field(text, line, name)) {
			while (after < end && (*after == ' ' || *after == '\t'))
				after += line_length(after, (size_t)(end - after));
			text += strlen(name) + 1;
			*at = after;
			*fits_r = unfold(text, (size_t)(after - text), value, size);
			return true;
		}
		text = after;
	}
	return false;
}

bool header_value(const char *text, size_t length, const char *name, char *value, size_t size)
{
	bool fits = false;

	return header_next(&text, header_end(text, length), name, value, size, &fits) && fits;
}
