/* nagios - one line as the Nagios plugin interface has it: text, a bar, performance data.
 *
 * Icinga, Checkmk (as an active check) and Monit read the same.
 */
#ifndef MAILPROBE_NAGIOS_H
#define MAILPROBE_NAGIOS_H

#include <stdio.h>

#include <jansson.h>

/* "MAIL CRITICAL - acme/mail: SENTENCE | 'in.delivery_seconds'=0.065s". `values` are seconds by
 * metric; status 0 to 3. What the format gives a meaning to (a bar, a line end) is replaced in the
 * text. */
void nagios_write(FILE *to, int status, const char *customer, const char *scenario,
	const char *sentence, const json_t *values);

#endif
