#include "redact_view.h"

#include <stdlib.h>
#include <string.h>

#include "ban.h"

/* --- one escape ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to `max` hexadecimal digits; how many there are. */
static size_t hex_number(const char *at, const char *end, size_t max, uint32_t *value_r)
{
	size_t used = 0;

	*value_r = 0;
	while (used < max && at + used < end && hex_digit(at[used]) >= 0)
		*value_r = *value_r << 4 | (uint32_t)hex_digit(at[used++]);
	return used;
}

/* A code point as UTF-8; its length. */
static size_t put_point(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (point >> 18 & 7));
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* Each decoder reads one escape at `at`: how many bytes it takes (0: it is none), and what it
 * stands for. */
static size_t decode_percent(const char *at, const char *end, char out[4], size_t *made)
{
	uint32_t value;

	if (*at == '+') {
		out[0] = ' ';
		*made = 1;
		return 1;
	}
	if (*at != '%' || hex_number(at + 1, end, 2, &value) != 2)
		return 0;
	out[0] = (char)value;
	*made = 1;
	return 3;
}

static size_t decode_quoted(const char *at, const char *end, char out[4], size_t *made)
{
	uint32_t value;

	if (*at != '=')
		return 0;
	if (hex_number(at + 1, end, 2, &value) == 2) {
		out[0] = (char)value;
		*made = 1;
		return 3;
	}
	/* A soft line break: the "=" goes, and with it the break, as in every view. */
	*made = 0;
	return at + 1 < end && (at[1] == '\r' || at[1] == '\n') ? 1 : 0;
}

/* \u0041 (a pair of them for what lies beyond the first plane) and \u{41}. */
static size_t decode_unicode(const char *at, const char *end, char out[4], size_t *made)
{
	uint32_t point, low;
	size_t digits;

	if (at + 2 < end && at[2] == '{') {
		digits = hex_number(at + 3, end, 6, &point);
		if (digits == 0 || at + 3 + digits >= end || at[3 + digits] != '}')
			return 0;
		*made = put_point(point, out);
		return digits + 4;
	}
	if (hex_number(at + 2, end, 4, &point) != 4)
		return 0;
	if (point >= 0xd800 && point < 0xdc00 && at + 12 <= end && at[6] == '\\' && at[7] == 'u' &&
		hex_number(at + 8, end, 4, &low) == 4 && low >= 0xdc00 && low < 0xe000) {
		*made = put_point(0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00), out);
		return 12;
	}
	*made = put_point(point, out);
	return 6;
}

static size_t decode_backslash(const char *at, const char *end, char out[4], size_t *made)
{
	static const char names[] = "nrtbf0", values[] = "\n\r\t\b\f";
	const char *name;
	uint32_t value;

	if (*at != '\\' || at + 1 >= end)
		return 0;
	if (at[1] == 'u' || at[1] == 'U')
		return decode_unicode(at, end, out, made);
	*made = 1;
	if (at[1] == 'x' && hex_number(at + 2, end, 2, &value) == 2) {
		out[0] = (char)value;
		return 4;
	}
	name = at[1] != '\0' ? strchr(names, at[1]) : NULL;
	out[0] = at[1];
	if (name != NULL)
		out[0] = values[name - names];
	return 2;
}

static size_t decode_number(const char *at, const char *end, char out[4], size_t *made)
{
	uint32_t point = 0;
	size_t used = 2;

	if (at + 2 < end && (at[2] == 'x' || at[2] == 'X')) {
		used = 3 + hex_number(at + 3, end, 6, &point);
		if (used == 3)
			return 0;
	} else {
		while (at + used < end && used < 9 && at[used] >= '0' && at[used] <= '9')
			point = point * 10 + (uint32_t)(at[used++] - '0');
		if (used == 2)
			return 0;
	}
	*made = put_point(point, out);
	return at + used < end && at[used] == ';' ? used + 1 : used;
}

static size_t decode_entity(const char *at, const char *end, char out[4], size_t *made)
{
	static const struct {
		const char *name;
		char value;
	} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'},
		{"&apos;", '\''}, {"&nbsp;", ' '}, {"&plus;", '+'}, {"&sol;", '/'},
		{"&equals;", '='}};

	if (*at != '&' || at + 1 >= end)
		return 0;
	if (at[1] == '#')
		return decode_number(at, end, out, made);
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
		size_t length = strlen(entities[i].name);

		if ((size_t)(end - at) < length || memcmp(at, entities[i].name, length) != 0)
			continue;
		out[0] = entities[i].value;
		*made = 1;
		return length;
	}
	return 0;
}

static size_t decode_colon(const char *at, const char *end, char out[4], size_t *made)
{
	(void)end, (void)out;
	*made = 0;
	return *at == ':' ? 1 : 0;
}

static size_t decode_none(const char *at, const char *end, char out[4], size_t *made)
{
	(void)at, (void)end, (void)out, (void)made;
	return 0;
}

static const struct {
	size_t (*decode)(const char *at, const char *end, char out[4], size_t *made);
	const char *signs; /* without any of them the view is the raw one */
} kinds[VIEW_COUNT] = {
	[VIEW_RAW] = {decode_none, ""},
	[VIEW_PERCENT] = {decode_percent, "%+"},
	[VIEW_QUOTED] = {decode_quoted, "="},
	[VIEW_BACKSLASH] = {decode_backslash, "\\"},
	[VIEW_ENTITY] = {decode_entity, "&"},
	[VIEW_COLON] = {decode_colon, ":"},
};

bool view_applies(enum view_kind kind, const char *text, size_t length)
{
	if (kind == VIEW_RAW)
		return true;
	for (const char *sign = kinds[kind].signs; *sign != '\0'; sign++)
		if (memchr(text, *sign, length) != NULL)
			return true;
	return false;
}

/* --- a view ---------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct making {
	struct view *view;
	bool lower;
	bool broken; /* nothing but blanks since a line break */
};

/* A folded line is one line: the break goes, and the blanks before and after it. */
static void push(struct making *making, char c, size_t from)
{
	struct view *view = making->view;

	if (c == '\r' || c == '\n') {
		while (view->length > 0 && is_blank(view->bytes[view->length - 1]))
			view->length--;
		making->broken = true;
		return;
	}
	if (c == '\0' || (making->broken && is_blank(c)))
		return;
	making->broken = false;
	if (making->lower && c >= 'A' && c <= 'Z')
		c = (char)(c | 0x20);
	view->bytes[view->length] = c;
	view->from[view->length++] = (uint32_t)from;
}

void view_make(struct view *view, enum view_kind kind, const char *text, size_t length, bool lower)
{
	struct making making = {.view = view, .lower = lower};
	const char *end = text + length;

	/* No escape stands for more bytes than it has itself. */
	*view = (struct view){
		.bytes = malloc(length + 1), .from = malloc((length + 1) * sizeof(*view->from))};
	if (view->bytes == NULL || view->from == NULL || length > UINT32_MAX)
		abort();
	for (const char *at = text; at < end;) {
		char out[4];
		size_t made = 0, used = kinds[kind].decode(at, end, out, &made);

		if (used == 0) {
			out[0] = *at;
			made = used = 1;
		}
		for (size_t i = 0; i < made; i++)
			push(&making, out[i], (size_t)(at - text));
		at += used;
	}
	view->from[view->length] = (uint32_t)length;
}

void view_lower(struct view *view)
{
	for (size_t i = 0; i < view->length; i++)
		if (view->bytes[i] >= 'A' && view->bytes[i] <= 'Z')
			view->bytes[i] = (char)(view->bytes[i] | 0x20);
}

void view_free(struct view *view)
{
	explicit_bzero(view->bytes, view->length);
	free(view->bytes);
	free(view->from);
	*view = (struct view){0};
}

/* --- UTF-16 ---------------------------------------------------------------------------- */

static size_t take_point(const unsigned char *at, uint32_t *point_r)
{
	size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : at[0] >= 0xc2 ? 2 : 1;
	uint32_t point = length == 1 ? at[0] : at[0] & 0xffU >> (length + 1);

	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			*point_r = at[0];
			return 1;
		}
		point = point << 6 | (at[i] & 0x3fU);
	}
	*point_r = point;
	return length;
}

static void put_unit(struct text *wide, uint32_t unit, bool big_endian)
{
	char bytes[] = {(char)(unit >> 8), (char)unit};
	char swapped[] = {bytes[1], bytes[0]};

	text_append(wide, big_endian ? bytes : swapped, 2);
}

void view_utf16(struct text *wide, const char *string, bool big_endian)
{
	const unsigned char *at = (const unsigned char *)string;

	while (*at != '\0') {
		uint32_t point;

		at += take_point(at, &point);
		if (point >= 0x10000) {
			put_unit(wide, 0xd800 + ((point - 0x10000) >> 10), big_endian);
			put_unit(wide, 0xdc00 + ((point - 0x10000) & 0x3ff), big_endian);
		} else {
			put_unit(wide, point, big_endian);
		}
	}
}
