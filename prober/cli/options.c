#include "options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "field.h"
#include "text.h"

#include "ban.h"

#define OPTIONS_MAX 32
#define DAY (86400 * NS_PER_SECOND)
/* What getopt returns for long options: above all letters. */
#define LONG_VALUE 256
#define HELP_VALUE (LONG_VALUE + OPTIONS_MAX)

/* What getopt_long wants, made of the command's table. */
struct getopt_table {
	struct option longs[OPTIONS_MAX + 2];
	char letters[3 + 2 * OPTIONS_MAX + 2];
	const char *names[OPTIONS_MAX + 2];
	size_t count;
};

static struct getopt_table make_table(const struct command *command)
{
	/* The colon tells a missing argument from an unknown option. */
	struct getopt_table table = {.letters = ":h"};
	size_t used = strlen(table.letters);

	for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
		if (table.count == OPTIONS_MAX)
			abort(); /* a table of ours that is too long */
		table.longs[table.count] = (struct option){o->name,
			o->argument != NULL ? required_argument : no_argument, NULL,
			LONG_VALUE + (int)table.count};
		table.names[table.count++] = o->name;
		if (o->letter == 0)
			continue;
		table.letters[used++] = o->letter;
		if (o->argument != NULL)
			table.letters[used++] = ':';
	}
	table.longs[table.count] = (struct option){"help", no_argument, NULL, HELP_VALUE};
	table.names[table.count] = "help";
	return table;
}

struct options options_begin(const struct command *command, int argc, char **argv)
{
	/* 0 rather than 1: the GNU way to start over. */
	optind = 0;
	opterr = 0;
	return (struct options){.command = command, .argc = argc, .argv = argv};
}

static int by_letter(const struct command *command, int letter)
{
	for (int i = 0; command->options != NULL && command->options[i].name != NULL; i++)
		if (command->options[i].letter == letter)
			return i;
	return -1;
}

static int wrong(const struct options *options, const char *what, const char *option)
{
	fprintf(stderr, "mailprobe %s: %s: %s\n", options->command->name, what, option);
	return OPTIONS_WRONG;
}

/* getopt has refused the word before optind. */
static int refuse(const struct options *options, const struct getopt_table *table)
{
	const char *word = options->argv[optind - 1];
	char name[64], letter[3] = {'-', (char)optopt, '\0'};
	const char *nearest;

	/* getopt leaves in optopt: what it knows, but not with "=..."; the letter; or 0. */
	if (optopt >= LONG_VALUE)
		return wrong(options, "this option takes no argument", word);
	if (optopt != 0)
		return wrong(options, "there is no such option", letter);
	text_copy(name, sizeof(name), word + strspn(word, "-"));
	name[strcspn(name, "=")] = '\0';
	nearest = text_nearest(name, table->names);
	wrong(options, "there is no such option", word);
	if (nearest != NULL)
		fprintf(stderr, "did you mean --%s?\n", nearest);
	return OPTIONS_WRONG;
}

static int finish(struct options *options)
{
	options->rest = options->argv + optind;
	options->rest_count = (size_t)(options->argc - optind);
	return OPTIONS_DONE;
}

int options_next(struct options *options, const char **value_r)
{
	const struct getopt_table table = make_table(options->command);
	int got = getopt_long(options->argc, options->argv, table.letters, table.longs, NULL);

	*value_r = optarg;
	if (got == -1)
		return finish(options);
	if (got == 'h' || got == HELP_VALUE) {
		command_help(options->command, stdout);
		return OPTIONS_HELPED;
	}
	if (got == ':')
		return wrong(options, "this option needs an argument", options->argv[optind - 1]);
	if (got == '?')
		return refuse(options, &table);
	return got >= LONG_VALUE ? got - LONG_VALUE : by_letter(options->command, got);
}

int options_exit_code(int option)
{
	return option == OPTIONS_HELPED ? 0 : EXIT_USAGE;
}

int options_unknown(const char *what, const char *wrong_name, const char *const names[])
{
	const char *nearest = text_nearest(wrong_name, names);

	fprintf(stderr, "mailprobe: there is no %s \"%s\"", what, wrong_name);
	if (nearest != NULL)
		fprintf(stderr, "; did you mean \"%s\"?\n", nearest);
	else
		fputc('\n', stderr);
	return EXIT_USAGE;
}

bool options_number(const char *option, const char *text, long min, long max, long *number_r)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (strspn(text, "0123456789") != strlen(text) || *text == '\0' || number < min ||
		number > max) {
		fprintf(stderr, "mailprobe: --%s must be a number from %ld to %ld\n", option, min,
			max);
		return false;
	}
	*number_r = number;
	return true;
}

bool options_time(const char *option, const char *text, bool end_of_day, int64_t *wall_ns_r)
{
	char midnight[CLOCK_TIMESTAMP_SIZE];
	int64_t ago_ns;

	if (duration_parse(text, &ago_ns)) {
		*wall_ns_r = clock_wall() - ago_ns;
		return true;
	}
	if (clock_parse(text, wall_ns_r) == 0)
		return true;
	snprintf(midnight, sizeof(midnight), "%.10sT00:00:00Z", text);
	if (strlen(text) == strlen("2026-11-01") && clock_parse(midnight, wall_ns_r) == 0) {
		*wall_ns_r += end_of_day ? DAY : 0;
		return true;
	}
	fprintf(stderr,
		"mailprobe: --%s must be a time such as 2026-11-01T08:00:00Z, a day such as "
		"2026-11-01, or how long ago, such as 7d\n",
		option);
	return false;
}

static void print_option(const struct command_option *option, FILE *to)
{
	char left[64];
	char letter[5] = "    ";

	if (option->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
		option->argument != NULL ? " " : "",
		option->argument != NULL ? option->argument : "");
	fprintf(to, "  %-24s %s\n", left, option->help);
}

void command_help(const struct command *command, FILE *to)
{
	static const struct command_option help = {"help", 'h', NULL, "print this"};

	fprintf(to, "%s\n\n", command->summary);
	for (size_t i = 0; command->examples != NULL && command->examples[i] != NULL; i++)
		fprintf(to, "  %s\n", command->examples[i]);
	fprintf(to, "\nUsage: mailprobe %s [OPTION]...%s%s\n\n", command->name,
		command->arguments[0] != '\0' ? " " : "", command->arguments);
	for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++)
		print_option(o, to);
	print_option(&help, to);
}

bool options_colour(FILE *to, bool no_color)
{
	const char *wish = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return !no_color && (wish == NULL || wish[0] == '\0') && isatty(fileno(to)) &&
	       terminal != NULL && strcmp(terminal, "dumb") != 0;
}
