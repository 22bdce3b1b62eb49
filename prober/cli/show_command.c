/* mailprobe show - prints a run again as the terminal showed it, from its line in the results. */
#include <locale.h>
#include <stdio.h>

#include "command.h"
#include "find_run.h"
#include "options.h"
#include "waterfall.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_TRANSCRIPT, OPTION_JSON, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_TRANSCRIPT] = {"transcript", 't', NULL,
		"all that was said, of steps that have a transcript"},
	[OPTION_JSON] = {"json", 0, NULL, "print the record's line as it is stored"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	{0},
};

static const char *const examples[] = {
	"mailprobe show last",
	"mailprobe show acme/mail",
	"mailprobe show --transcript 01936f2a-9c4b",
	NULL,
};

struct show {
	const char *results_dir;
	struct waterfall_style style;
	bool json;
};

static void on_damage(void *context, const char *path, const struct line *line)
{
	(void)context;
	fprintf(stderr, "mailprobe: %s: line %zu %s (see mailprobe doctor)\n", path, line->number,
		line->verdict == LINE_TORN ? "has no end: a crash tore it"
					   : "is damaged and cannot be shown");
}

/* A run that is not found may be among the lines that cannot be read. */
static int tell_missing(const char *name, const struct found_run *found)
{
	if (found->matches > 1) {
		fprintf(stderr, "mailprobe: %zu runs begin with \"%s\": give more of the run id\n",
			found->matches, name);
		return 1;
	}
	fprintf(stderr, "mailprobe: there is no run \"%s\"", name);
	if (found->damaged > 0)
		fprintf(stderr, ", unless it is among the %zu damaged line%s", found->damaged,
			found->damaged > 1 ? "s" : "");
	fputc('\n', stderr);
	return found->damaged > 0 ? EXIT_UNJUDGED : 1;
}

static int show_run(const struct show *show, const char *name)
{
	struct failure why = {0};
	struct found_run found;
	int code = 0;

	if (find_run(show->results_dir, name, on_damage, NULL, &found, &why) == -1) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		code = EXIT_UNJUDGED;
	} else if (found.matches != 1) {
		code = tell_missing(name, &found);
	} else if (show->json) {
		fputs(found.line, stdout);
	} else {
		waterfall_print(found.record, &show->style, stdout);
		waterfall_print_place(found.record, show->results_dir, stdout);
	}
	found_run_free(&found);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct show show = {.results_dir = "results"};
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			show.results_dir = value;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count != 1 || !find_run_is_name(parsed.rest[0])) {
		fputs("mailprobe: show takes one run: its id or the beginning of it, "
		      "CUSTOMER/SCENARIO, or \"last\"\n",
			stderr);
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	show.json = given[OPTION_JSON];
	show.style = waterfall_style(stdout, options_colour(stdout, given[OPTION_NO_COLOR]));
	show.style.transcript = given[OPTION_TRANSCRIPT];
	return show_run(&show, parsed.rest[0]);
}

const struct command show_command = {
	.name = "show",
	.arguments = "RUN|CUSTOMER/SCENARIO|last",
	.summary = "print a run again, as the terminal showed it",
	.options = options,
	.examples = examples,
	.run = run,
};
