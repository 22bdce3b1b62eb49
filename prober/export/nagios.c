#include "nagios.h"

#include <stdint.h>

#include "ban.h"

static void write_text(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '|')
			fputc('/', to);
		else
			fputc(byte < ' ' || byte == 0x7f ? ' ' : byte, to);
	}
}

void nagios_write(FILE *to, int status, const char *customer, const char *scenario,
	const char *sentence, const json_t *values)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
	const char *separator = " | ", *name;
	json_t *value;

	fprintf(to, "MAIL %s - %s/%s: ", words[status], customer, scenario);
	write_text(to, sentence);
	json_object_foreach((json_t *)(uintptr_t)values, name, value) {
		fprintf(to, "%s'%s'=%.6fs", separator, name, json_number_value(value));
		separator = " ";
	}
	fputc('\n', to);
}
