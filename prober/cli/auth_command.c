/* mailprobe auth - gets a refresh token for an account, with the help of a person (RFC 8628). */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "grant.h"
#include "options.h"
#include "scenario_files.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	{0},
};

static const char *const examples[] = {
	"mailprobe auth inside",
	"mailprobe auth acme/mail inside",
	NULL,
};

static void show(const char *sentence)
{
	fprintf(stderr, "mailprobe: to let mailprobe in, %s\n", sentence);
}

/* The one scenario that has an account of that name; NULL if there is none, or more than one. */
static const struct scenario *find(const struct scenario_set *set, const char *name)
{
	const struct scenario *found = NULL;

	for (size_t i = 0; i < set->count; i++) {
		if (journey_account(&set->scenarios[i]->journey, name) == NULL)
			continue;
		if (found != NULL) {
			fprintf(stderr,
				"mailprobe: several scenarios have an account \"%s\": say which "
				"one is meant\n",
				name);
			return NULL;
		}
		found = set->scenarios[i];
	}
	if (found == NULL)
		fprintf(stderr, "mailprobe: no scenario has an account \"%s\"\n", name);
	return found;
}

static int begin(const struct scenario_set *set, const char *name, const char *results_dir)
{
	const struct scenario *scenario = find(set, name);
	const struct account *account =
		scenario != NULL ? journey_account(&scenario->journey, name) : NULL;
	struct failure why = {0};

	if (account == NULL)
		return EXIT_USAGE;
	if (account->oauth2.device_url == NULL) {
		fprintf(stderr,
			"mailprobe: account \"%s\" has no \"device_url\" in its \"oauth2\"\n", name);
		return EXIT_SCENARIO;
	}
	if (grant_begin(scenario, account, results_dir, show, &why) == 0) {
		fprintf(stderr, "mailprobe: the refresh token of account \"%s\" is kept\n", name);
		return 0;
	}
	fprintf(stderr, "mailprobe: no token for account \"%s\": %s (%s)\n", name, why.text,
		error_info(why.type)->name);
	return why.type == ERROR_LOCAL_STORAGE ? EXIT_CANNOT_WRITE : 1;
}

static int perform(char *const paths[], size_t count, const char *name, const char *results_dir,
	bool colour)
{
	struct complaints complaints = {0};
	struct scenario_set set = scenario_set_load(paths, count, &complaints);
	int code = EXIT_SCENARIO;

	if (complaints.errors > 0)
		complaints_print(&complaints, stderr, colour);
	else
		code = begin(&set, name, results_dir);
	complaints_free(&complaints);
	scenario_set_free(&set);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	const char *value, *results_dir = "results";
	bool no_color = false;
	size_t paths;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		if (option == OPTION_RESULTS)
			results_dir = value;
		else
			no_color = true;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count != 1 && parsed.rest_count != 2) {
		fputs("mailprobe: auth takes an account, after the scenario that has it unless there is "
		      "only one\n",
			stderr);
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	paths = parsed.rest_count - 1;
	return perform(parsed.rest, paths, parsed.rest[paths], results_dir,
		options_colour(stderr, no_color));
}

const struct command auth_command = {
	.name = "auth",
	.arguments = "[FILE|CUSTOMER/SCENARIO] ACCOUNT",
	.summary = "get an account's refresh token, with the help of a person",
	.options = options,
	.examples = examples,
	.run = run,
};
