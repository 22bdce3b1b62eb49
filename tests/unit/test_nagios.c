/* One line for a plugin's caller, whatever stands in the sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nagios.h"
#include "tap.h"

static void compare(const char *name, int status, const char *sentence, json_t *values,
	const char *want)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	nagios_write(to, status, "acme", "mail", sentence, values);
	fclose(to);
	is_string(text, want, name);
	free(text);
	json_decref(values);
}

int main(void)
{
	compare("text alone", 0, "passed", NULL, "MAIL OK - acme/mail: passed\n");
	compare("figures", 2, "late", json_pack("{s:f, s:f}", "in.delivery_seconds", 0.5, "out.x", 94.0),
		"MAIL CRITICAL - acme/mail: late | 'in.delivery_seconds'=0.500000s "
		"'out.x'=94.000000s\n");
	compare("what the format gives a meaning to", 1, "a|b\nMAIL OK\r\033[1m", json_object(),
		"MAIL WARNING - acme/mail: a/b MAIL OK  [1m\n");
	compare("nothing to say", 3, "", json_object(), "MAIL UNKNOWN - acme/mail: \n");
	return done_testing();
}
