/* mailprobe rebuild - makes state.db anew from the JSON Lines. */
#include <stdio.h>

#include "command.h"
#include "options.h"
#include "rebuild.h"
#include "step.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_JSON };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_JSON] = {"json", 0, NULL, "say what was done as one JSON object"},
	{0},
};

static const char *const examples[] = {
	"mailprobe rebuild",
	"mailprobe rebuild --results /var/lib/mailprobe/results",
	NULL,
};

static void print_json(const struct rebuild_report *report)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "runs",
		(json_int_t)report->runs, "mails", (json_int_t)report->mails, "unreadable_lines",
		(json_int_t)report->unreadable, "mails_carried_over", (json_int_t)report->carried,
		"past_mails_carried_over", (json_int_t)report->carried_past, "rules_carried_over",
		(json_int_t)report->rules, "old_unreadable", report->old_unreadable, "old",
		report->aside);

	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* What no line has is said, whether it could be carried over or not. */
static void print_report(const struct rebuild_report *report)
{
	printf("rebuilt from the lines: %zu runs, %zu mails\n", report->runs, report->mails);
	if (report->old_unreadable)
		puts("lost with the old database, which cannot be read: mails of runs that left no "
		     "line, numbers of mails whose lines are gone, and what limits remember (an "
		     "event that is open may open once more)");
	else if (report->had_old)
		printf("carried over from the old database: %lld mails that the lines do not tell "
		       "of, or no longer (%lld by their number alone), and what %lld limits "
		       "remember\n",
			(long long)(report->carried + report->carried_past),
			(long long)report->carried_past, (long long)report->rules);
	else
		puts("there was no old database: what limits remember, and mails of runs that left "
		     "no line, are not known");
	if (report->aside[0] != '\0')
		printf("the old database is kept as %s\n", report->aside);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	const char *results_dir = "results", *value;
	struct rebuild_report report;
	struct failure why = {0};
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			results_dir = value;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count > 0) {
		fputs("mailprobe: rebuild takes no argument: the whole database is rebuilt\n",
			stderr);
		return EXIT_USAGE;
	}
	if (rebuild(results_dir, step_type_facts, &report, &why) == -1) {
		fprintf(stderr, "mailprobe: nothing was changed: %s\n", why.text);
		return why.type == ERROR_LOCAL_OVERLAP ? EXIT_OVERLAP : EXIT_CANNOT_WRITE;
	}
	if (given[OPTION_JSON])
		print_json(&report);
	else
		print_report(&report);
	if (report.unreadable > 0)
		fprintf(stderr,
			"mailprobe: %zu lines are damaged, and what they told is not in it: "
			"mailprobe doctor --repair sets them aside\n",
			report.unreadable);
	return report.unreadable > 0 ? EXIT_UNJUDGED : 0;
}

const struct command rebuild_command = {
	.name = "rebuild",
	.arguments = "",
	.summary = "make state.db anew from the lines of the results",
	.options = options,
	.examples = examples,
	.run = run,
};
