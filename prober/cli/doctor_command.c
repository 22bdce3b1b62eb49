/* mailprobe doctor - examines all that a run depends on, and says what to do. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "command.h"
#include "doctor.h"
#include "options.h"
#include "scenario_files.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_OFFLINE, OPTION_REPAIR, OPTION_QUIET, OPTION_JSON, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_OFFLINE] = {"offline", 0, NULL, "do not talk to any server"},
	[OPTION_REPAIR] = {"repair", 0, NULL, "set damaged and torn lines aside first"},
	[OPTION_QUIET] = {"quiet", 'q', NULL, "only what is not well"},
	[OPTION_JSON] = {"json", 0, NULL, "print the findings as a JSON array"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	{0},
};

static const char *const examples[] = {
	"mailprobe doctor",
	"mailprobe doctor --offline",
	"mailprobe doctor scenarios/acme/mail.yaml",
	NULL,
};

struct show {
	const char *results_dir;
	bool offline, repair, quiet, json, colour;
	json_t *list;
};

static const char *const colours[FINDING_LEVELS] = {"\033[32m", "\033[33m", "\033[31m", "\033[35m"};

static void on_finding(void *context, enum finding_level level, const char *subject,
	const char *text, const char *advice)
{
	struct show *show = context;
	json_t *item;

	if (show->quiet && level == FINDING_OK)
		return;
	if (show->json) {
		item = json_pack("{s:s, s:s, s:s}", "level", finding_names[level], "subject",
			subject, "text", text);
		if (advice != NULL)
			json_object_set_new(item, "advice", json_string(advice));
		json_array_append_new(show->list, item);
		return;
	}
	printf("%s%-7s%s %s: %s\n", show->colour ? colours[level] : "", finding_names[level],
		show->colour ? "\033[0m" : "", subject, text);
	if (advice != NULL)
		printf("        -> %s\n", advice);
	fflush(stdout);
}

/* --- examining ------------------------------------------------------------------------- */

static void examine_results(const struct show *show, const char *customer, const char *scenario,
	struct findings *findings)
{
	if (access(show->results_dir, F_OK) < 0)
		return;
	if (show->repair)
		audit_repair(show->results_dir, customer, scenario, findings);
	audit(show->results_dir, customer, scenario, findings);
}

static void examine(struct show *show, const struct scenario_set *set, bool chosen,
	struct findings *findings)
{
	doctor_machine(show->results_dir, findings);
	doctor_outbox(show->results_dir, findings);
	if (!chosen)
		examine_results(show, NULL, NULL, findings);
	for (size_t i = 0; i < set->count; i++) {
		const struct journey *journey = &set->scenarios[i]->journey;

		if (chosen)
			examine_results(show, journey->customer, journey->scenario, findings);
		doctor_scenario(set->scenarios[i], show->offline, findings);
	}
	if (set->count == 0)
		finding_say(findings, FINDING_WARN, "scenarios", "name them: mailprobe doctor FILE",
			"there are none here, so that no secret and no server was examined");
}

static int exit_code(const struct findings *findings)
{
	if (findings->counts[FINDING_BAD] > 0)
		return 1;
	return findings->counts[FINDING_UNKNOWN] > 0 ? EXIT_UNJUDGED : 0;
}

static int perform(struct show *show, const struct options *parsed)
{
	struct findings findings = {.each = on_finding, .context = show};
	struct complaints complaints = {0};
	struct scenario_set set = {0};
	bool chosen = parsed->rest_count > 0;
	int result = EXIT_SCENARIO;

	/* The results can be examined without scenarios. */
	if (chosen || access(SCENARIO_FILES_DEFAULT, F_OK) == 0)
		set = scenario_set_load(parsed->rest, parsed->rest_count, &complaints);
	if (complaints.errors > 0) {
		complaints_print(&complaints, stderr, show->colour);
	} else {
		show->list = json_array();
		examine(show, &set, chosen, &findings);
		if (show->json) {
			json_dumpf(show->list, stdout, JSON_INDENT(2));
			putchar('\n');
		}
		json_decref(show->list);
		result = exit_code(&findings);
	}
	complaints_free(&complaints);
	scenario_set_free(&set);
	return result;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	struct show show = {.results_dir = "results"};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			show.results_dir = value;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	/* A worker that is gone is found out by its end. */
	signal(SIGPIPE, SIG_IGN);
	show.offline = given[OPTION_OFFLINE];
	show.repair = given[OPTION_REPAIR];
	show.quiet = given[OPTION_QUIET];
	show.json = given[OPTION_JSON];
	show.colour = options_colour(stdout, given[OPTION_NO_COLOR]);
	return perform(&show, &parsed);
}

const struct command doctor_command = {
	.name = "doctor",
	.arguments = "[FILE|DIR|CUSTOMER/SCENARIO]...",
	.summary = "examine results, machine, secrets and servers, and say what to do",
	.options = options,
	.examples = examples,
	.run = run,
};
