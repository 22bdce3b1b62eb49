#include "finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "ban.h"

const char *const finding_names[] = {"ok", "warn", "bad", "unknown", NULL};

void finding_say(struct findings *findings, enum finding_level level, const char *subject,
	const char *advice, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	findings->counts[level]++;
	findings->each(findings->context, level, subject, text, advice);
}
