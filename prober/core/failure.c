#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

#include "ban.h"

int failure_set(struct failure *why, enum error_type type, const char *format, ...)
{
	va_list args;

	if (why->type != ERROR_NONE)
		return -1;
	why->type = type;
	why->blame = error_info(type)->blame;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return -1;
}

int failure_prefix(struct failure *why, const char *format, ...)
{
	char text[FAILURE_TEXT_SIZE];
	struct text whole;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_init(&whole, sizeof(why->text) - 1);
	text_printf(&whole, "%s: %s", text, why->text);
	text_copy(why->text, sizeof(why->text), whole.bytes);
	text_free(&whole);
	return -1;
}
