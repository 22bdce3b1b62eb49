#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

void text_init(struct text *text, size_t cap)
{
	*text = (struct text){.cap = cap};
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){.cap = text->cap};
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->overflowed = false;
	if (text->bytes != NULL)
		text->bytes[0] = '\0';
}

static bool text_reserve(struct text *text, size_t extra)
{
	size_t want = text->length + extra + 1;
	size_t capacity = text->capacity > 0 ? text->capacity : 128;
	char *bytes;

	if (want <= text->capacity)
		return true;
	while (capacity < want)
		capacity *= 2;
	bytes = realloc(text->bytes, capacity);
	if (bytes == NULL) {
		text->overflowed = true;
		return false;
	}
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
	if (length > text->cap - text->length) {
		length = text->cap - text->length;
		text->overflowed = true;
	}
	if (!text_reserve(text, length))
		return;
	if (length > 0)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	char *formatted = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&formatted, format, args);
	va_end(args);
	if (length < 0) {
		text->overflowed = true;
		return;
	}
	text_append(text, formatted, (size_t)length);
	free(formatted);
}

bool text_copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);
	bool fits = length < size;

	if (!fits)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	return fits;
}

/* Length of the UTF-8 sequence at bytes and its code point; 0 if it is not valid (RFC 3629:
 * no overlong forms, no surrogates). */
static size_t utf8_decode(const unsigned char *bytes, size_t left, uint32_t *point_r)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t point = bytes[0];
	size_t length = point < 0x80 ? 1 : point >= 0xf0 ? 4 : point >= 0xe0 ? 3 : 2;

	if (length == 1) {
		*point_r = point;
		return 1;
	}
	if (point < 0xc2 || point > 0xf4 || length > left)
		return 0;
	point &= 0xffU >> (length + 1);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3fU);
	}
	if (point < smallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	*point_r = point;
	return length;
}

static bool changes_display(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void text_printable(struct text *text, const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;

	while (length > 0 && (at[length - 1] == '\r' || at[length - 1] == '\n'))
		length--;
	while (length > 0) {
		uint32_t point = 0;
		size_t used = utf8_decode(at, length, &point);

		if (used == 0 || (used == 1 && changes_display(point)))
			text_printf(text, "\\x%02x", at[0]);
		else if (changes_display(point))
			text_printf(text, "\\u{%04x}", (unsigned int)point);
		else
			text_append(text, (const char *)at, used);
		at += used > 0 ? used : 1;
		length -= used > 0 ? used : 1;
	}
}

/* A cut may have gone through a multi-byte character: what is left of it goes as well. */
static void drop_half_character(struct text *text)
{
	const unsigned char *bytes = (const unsigned char *)text->bytes;
	size_t lead = text->length;
	uint32_t point;

	while (lead > 0 && (bytes[lead - 1] & 0xc0) == 0x80)
		lead--;
	if (lead == 0 || bytes[lead - 1] < 0xc0)
		return;
	lead--;
	if (utf8_decode(bytes + lead, text->length - lead, &point) > 0)
		return;
	text->length = lead;
	text->bytes[lead] = '\0';
}

void text_printable_copy(char *to, size_t size, const char *bytes, size_t length)
{
	struct text text;

	text_init(&text, size - 1);
	text_printable(&text, bytes, length);
	if (text.overflowed)
		drop_half_character(&text);
	text_copy(to, size, text.bytes != NULL ? text.bytes : "");
	text_free(&text);
}

bool text_breaks_line(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == '\0')
			return true;
	return false;
}

#define NEAREST_MAX 64

/* Levenshtein's distance, with a swap of neighbours as one mistake. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	if (la > NEAREST_MAX || lb > NEAREST_MAX)
		return NEAREST_MAX;
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *text_nearest(const char *wrong, const char *const names[])
{
	const char *nearest = NULL;
	size_t best = strlen(wrong) / 3 + 2;

	for (size_t i = 0; names[i] != NULL; i++) {
		size_t distance = edit_distance(wrong, names[i]);

		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
