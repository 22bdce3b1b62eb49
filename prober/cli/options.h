/* options - walks a command line by the table of its command.
 *
 *	struct options options = options_begin(command, argc, argv);
 *	const char *value;
 *	int option;
 *
 *	while ((option = options_next(&options, &value)) >= 0) {
 *		switch (option) { case OPTION_RESULTS: ... }     (index in command->options)
 *	}
 *	if (option != OPTIONS_DONE)
 *		return options_exit_code(option);
 *	... options.rest[0 .. options.rest_count - 1], then NULL
 */
#ifndef MAILPROBE_OPTIONS_H
#define MAILPROBE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "command.h"

enum {
	OPTIONS_DONE = -1,
	OPTIONS_HELPED = -2, /* help was asked for and printed: exit 0 */
	OPTIONS_WRONG = -3,  /* what was wrong is on stderr: exit 64 */
};

struct options {
	const struct command *command;
	int argc;
	char **argv;
	char **rest; /* what is no option; set by OPTIONS_DONE */
	size_t rest_count;
};

struct options options_begin(const struct command *command, int argc, char **argv);

/* The index of the next option in the command's table and its argument (NULL if it takes none),
 * or one of the above. Every command knows -h and --help. */
int options_next(struct options *options, const char **value_r);

int options_exit_code(int option);

/* Says on stderr that "what" is wrong, with a suggestion if one of names is near. Always returns
 * EXIT_USAGE. */
int options_unknown(const char *what, const char *wrong, const char *const names[]);

/* Reads a whole number from min to max; false and a line on stderr if it is none. */
bool options_number(const char *option, const char *text, long min, long max, long *number_r);

/* Reads an instant: "2026-11-01T08:00:00Z", the beginning (or end) of the UTC day "2026-11-01", or
 * "7d": so long ago. False and a line on stderr if it is none. */
bool options_time(const char *option, const char *text, bool end_of_day, int64_t *wall_ns_r);

/* Usage, examples, options. */
void command_help(const struct command *command, FILE *to);

/* A terminal, and neither NO_COLOR nor --no-color. */
bool options_colour(FILE *to, bool no_color);

#endif
