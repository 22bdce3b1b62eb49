/* mailprobe validate - says all that is wrong with scenarios, and sends nothing. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "explain_words.h"
#include "options.h"
#include "scenario.h"
#include "scenario_files.h"

#include "ban.h"

enum { OPTION_JSON, OPTION_EXPLAIN, OPTION_QUIET, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_JSON] = {"json", 0, NULL, "print the complaints as a JSON array"},
	[OPTION_EXPLAIN] = {"explain", 0, NULL,
		"say in words what raises an event, the built-in limits of a scenario without any too"},
	[OPTION_QUIET] = {"quiet", 'q', NULL, "no summary on stderr"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	{0},
};

static const char *const examples[] = {
	"mailprobe validate",
	"mailprobe validate scenarios/acme/mail.yaml",
	"mailprobe validate --explain acme/mail",
	"mailprobe validate --json scenarios | jq -r '.[].message'",
	NULL,
};

static void print_json(const struct complaints *complaints)
{
	json_t *array = complaints_json(complaints);

	json_dumpf(array, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(array);
}

static void explain_limits(const struct scenario *scenario)
{
	printf("%s/%s%s\n", scenario->journey.customer, scenario->journey.scenario,
		scenario->limit_count == 0 ? ": no limits" : "");
	for (size_t i = 0; i < scenario->limit_count; i++) {
		json_t *words = explain_limit(&scenario->limits[i]);

		printf("  %s: %s\n", scenario->limits[i].name, json_string_value(words));
		json_decref(words);
	}
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_summary(size_t good, size_t bad, const struct complaints *complaints)
{
	size_t warnings = complaints->count - complaints->errors;

	fprintf(stderr, "%zu scenario%s: %zu good, %zu bad; %zu error%s, %zu warning%s\n",
		good + bad, plural(good + bad), good, bad, complaints->errors,
		plural(complaints->errors), warnings, plural(warnings));
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct complaints complaints = {.items = NULL};
	struct scenario_set set;
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	const char *value;
	int option, code;

	while ((option = options_next(&parsed, &value)) >= 0)
		given[option] = true;
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	set = scenario_set_load(parsed.rest, parsed.rest_count, &complaints);
	if (given[OPTION_JSON])
		print_json(&complaints);
	else
		complaints_print(
			&complaints, stdout, options_colour(stdout, given[OPTION_NO_COLOR]));
	for (size_t i = 0; given[OPTION_EXPLAIN] && i < set.count; i++)
		explain_limits(set.scenarios[i]);
	if (!given[OPTION_QUIET])
		print_summary(set.count, set.refused, &complaints);
	code = complaints.errors > 0 || set.refused > 0 ? EXIT_SCENARIO : 0;
	scenario_set_free(&set);
	complaints_free(&complaints);
	return code;
}

const struct command validate_command = {
	.name = "validate",
	.arguments = "[FILE|DIR|CUSTOMER/SCENARIO]...",
	.summary = "check scenario files, and say all that is wrong with them",
	.options = options,
	.examples = examples,
	.run = run,
};
