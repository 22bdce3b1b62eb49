#include "scalar.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ban.h"

#define DIGITS "0123456789"
#define NUMBER_MAX 64

static bool is_one_of(const char *text, size_t length, const char *const words[])
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
			return true;
	return false;
}

/* [-+]? [0-9]+ | 0o [0-7]+ | 0x [0-9a-fA-F]+ */
static bool is_integer(const char *text, int *base_r)
{
	const char *digits = text + (*text == '-' || *text == '+');

	*base_r = 10;
	if (digits[0] != '\0' && digits[strspn(digits, DIGITS)] == '\0')
		return true;
	if (text[0] != '0' || text[1] == '\0' || text[2] == '\0')
		return false;
	*base_r = text[1] == 'x' ? 16 : 8;
	if (text[1] == 'x')
		return text[2 + strspn(text + 2, DIGITS "abcdefABCDEF")] == '\0';
	return text[1] == 'o' && text[2 + strspn(text + 2, "01234567")] == '\0';
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_real(const char *text)
{
	size_t before, after = 0;

	text += *text == '-' || *text == '+';
	before = strspn(text, DIGITS);
	text += before;
	if (*text == '.') {
		after = strspn(text + 1, DIGITS);
		text += 1 + after;
	}
	if (before + after == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		if (strspn(text, DIGITS) == 0)
			return false;
		text += strspn(text, DIGITS);
	}
	return *text == '\0';
}

static json_t *number_json(const char *text)
{
	double real;
	int base;

	if (is_integer(text, &base)) {
		long long integer;

		errno = 0;
		integer = strtoll(base == 8 ? text + 2 : text, NULL, base);
		if (errno == 0)
			return json_integer(integer);
	} else if (!is_real(text)) {
		return NULL;
	}
	real = strtod(text, NULL);
	return isfinite(real) ? json_real(real) : NULL;
}

json_t *scalar_json(const char *text, size_t length)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};
	char number[NUMBER_MAX + 1];
	json_t *value = NULL;

	if (is_one_of(text, length, nulls))
		return json_null();
	if (is_one_of(text, length, trues))
		return json_true();
	if (is_one_of(text, length, falses))
		return json_false();
	if (length <= NUMBER_MAX && memchr(text, '\0', length) == NULL) {
		memcpy(number, text, length);
		number[length] = '\0';
		value = number_json(number);
	}
	return value != NULL ? value : json_stringn(text, length);
}
