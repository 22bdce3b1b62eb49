/* mailprobe run - probes: the command that cron calls. */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "field.h"
#include "options.h"
#include "progress.h"
#include "run.h"
#include "scenario_files.h"
#include "step.h"
#include "waterfall.h"

#include "ban.h"

#define JOBS_MAX 1000

enum {
	OPTION_RESULTS,
	OPTION_VANTAGE,
	OPTION_JOBS,
	OPTION_ONLY,
	OPTION_DRY_RUN,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_NO_COLOR,
	OPTION_REQUIRE_SANDBOX,
};

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_VANTAGE] = {"vantage", 0, "NAME", "name of this place (default: the host's name)"},
	[OPTION_JOBS] = {"jobs", 'j', "N", "scenarios at a time (default: 8)"},
	[OPTION_ONLY] = {"only", 0, "STEP", "run this step alone (and the one it depends on)"},
	[OPTION_DRY_RUN] = {"dry-run", 'n', NULL, "check, and say what would be done; send nothing"},
	[OPTION_JSON] = {"json", 0, NULL, "print each result record on stdout, one a line"},
	[OPTION_QUIET] = {"quiet", 'q', NULL, "print nothing but errors"},
	[OPTION_VERBOSE] = {"verbose", 'v', NULL, "print the waterfall even off a terminal"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	[OPTION_REQUIRE_SANDBOX] = {"require-sandbox", 0, NULL,
		"judge nothing on a kernel without a full sandbox"},
	{0},
};

static const char *const examples[] = {
	"mailprobe run",
	"mailprobe run scenarios/acme/mail.yaml",
	"mailprobe run --only in-seen acme/mail",
	"mailprobe run --json --quiet scenarios/acme | jq .outcome",
	NULL,
};

/* What the command line asks for, and what the run shows. */
struct show {
	struct run_settings settings;
	char host[65];
	bool dry_run, json, quiet, verbose, no_color;
	bool waterfall;
	struct waterfall_style style;
	struct progress progress;
};

/* --- while it runs --------------------------------------------------------------------- */

static void on_started(void *context, const struct scenario *scenario)
{
	struct show *show = context;

	(void)scenario;
	progress_started(&show->progress);
}

static void on_progress(void *context, const struct scenario *scenario, const char *step,
	const char *phase, const char *note)
{
	struct show *show = context;

	progress_step(&show->progress, scenario->journey.scenario, step, phase, note);
}

static void on_tick(void *context)
{
	struct show *show = context;

	progress_tick(&show->progress);
}

static void on_finished(
	void *context, const struct scenario *scenario, const json_t *record, bool stored)
{
	struct show *show = context;

	(void)scenario;
	progress_finished(&show->progress);
	progress_clear(&show->progress);
	if (show->json) {
		json_dumpf(record, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
	}
	if (show->waterfall) {
		waterfall_print(record, &show->style, stdout);
		if (stored)
			waterfall_print_place(record, show->settings.results_dir, stdout);
	} else {
		waterfall_complain(record, stderr);
	}
	/* The one copy that is left of it. */
	if (!stored && !show->json) {
		json_dumpf(record, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	}
}

static void on_trouble(void *context, const char *sentence)
{
	struct show *show = context;

	progress_clear(&show->progress);
	fprintf(stderr, "mailprobe: %s\n", sentence);
}

/* --- before it runs -------------------------------------------------------------------- */

static bool has_step(const struct scenario_set *set, const char *id)
{
	for (size_t i = 0; i < set->count; i++)
		if (journey_step(&set->scenarios[i]->journey, id) != NULL)
			return true;
	return false;
}

static void print_plan(const struct scenario_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct journey *journey = &set->scenarios[i]->journey;

		printf("%s/%s  (%s)\n", journey->customer, journey->scenario,
			set->scenarios[i]->file);
		for (size_t j = 0; j < journey->step_count; j++) {
			char *config = json_dumps(journey->steps[j].config, JSON_COMPACT);

			printf("  %s  %s  %s\n", journey->steps[j].id, journey->steps[j].type->name,
				config != NULL ? config : "");
			free(config);
		}
	}
}

/* --- the command ----------------------------------------------------------------------- */

static int exit_code(const struct run_totals *totals, size_t count)
{
	if (totals->signal != 0)
		return EXIT_SIGNAL + totals->signal;
	if (totals->unstored > 0)
		return EXIT_CANNOT_WRITE;
	if (totals->outcomes[OUTCOME_FAIL] > 0)
		return 1;
	if (totals->outcomes[OUTCOME_ERROR] > 0)
		return EXIT_UNJUDGED;
	return totals->outcomes[OUTCOME_SKIPPED] == count ? EXIT_OVERLAP : 0;
}

static int run_set(struct show *show, const struct scenario_set *set)
{
	const struct run_observer observer = {
		.started = on_started,
		.progress = on_progress,
		.tick = on_tick,
		.finished = on_finished,
		.trouble = on_trouble,
		.context = show,
	};
	struct run_totals totals;
	struct failure why = {0};
	int result;

	progress_init(&show->progress, stderr, isatty(STDERR_FILENO) && !show->quiet, set->count);
	result = run_scenarios(
		set->scenarios, set->count, &show->settings, &observer, &totals, &why);
	progress_clear(&show->progress);
	if (result == -1) {
		fprintf(stderr, "mailprobe: nothing was sent: %s\n", why.text);
		return EXIT_CANNOT_MAKE;
	}
	if (fflush(stdout) == EOF || ferror(stdout)) {
		fprintf(stderr, "mailprobe: cannot write to stdout: %s\n", strerror(errno));
		return EXIT_CANNOT_WRITE;
	}
	return exit_code(&totals, set->count);
}

static int perform(struct show *show, const struct options *parsed)
{
	struct complaints complaints = {0};
	struct scenario_set set = scenario_set_load(parsed->rest, parsed->rest_count, &complaints);
	int result;

	if (complaints.errors > 0 || (complaints.count > 0 && !show->quiet && show->waterfall))
		complaints_print(&complaints, stderr, options_colour(stderr, show->no_color));
	if (complaints.errors > 0) {
		fputs("mailprobe: nothing was sent\n", stderr);
		result = EXIT_SCENARIO;
	} else if (show->settings.only != NULL && !has_step(&set, show->settings.only)) {
		fprintf(stderr, "mailprobe: no scenario has a step \"%s\"\n", show->settings.only);
		result = EXIT_USAGE;
	} else if (show->dry_run) {
		print_plan(&set);
		result = 0;
	} else {
		result = run_set(show, &set);
	}
	complaints_free(&complaints);
	scenario_set_free(&set);
	return result;
}

static int take_option(struct show *show, int option, const char *value)
{
	long jobs;

	switch (option) {
	case OPTION_RESULTS:
		show->settings.results_dir = value;
		break;
	case OPTION_VANTAGE:
		show->settings.vantage = value;
		break;
	case OPTION_JOBS:
		if (!options_number("jobs", value, 1, JOBS_MAX, &jobs))
			return -1;
		show->settings.jobs = (size_t)jobs;
		break;
	case OPTION_ONLY:
		show->settings.only = value;
		break;
	case OPTION_DRY_RUN:
		show->dry_run = true;
		break;
	case OPTION_JSON:
		show->json = true;
		break;
	case OPTION_QUIET:
		show->quiet = true;
		break;
	case OPTION_VERBOSE:
		show->verbose = true;
		break;
	case OPTION_NO_COLOR:
		show->no_color = true;
		break;
	case OPTION_REQUIRE_SANDBOX:
		show->settings.require_sandbox = true;
		break;
	}
	return 0;
}

/* The host's name, as far as it can be one of ours. */
static void default_vantage(struct show *show)
{
	if (gethostname(show->host, sizeof(show->host) - 1) == -1 || !field_is_name(show->host))
		strncpy(show->host, "vantage", sizeof(show->host) - 1);
	show->settings.vantage = show->host;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct show show = {.settings = {.results_dir = "results", .jobs = 8}};
	const char *value;
	int option;

	default_vantage(&show);
	while ((option = options_next(&parsed, &value)) >= 0)
		if (take_option(&show, option, value) == -1)
			return EXIT_USAGE;
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (!field_is_name(show.settings.vantage)) {
		fprintf(stderr, "mailprobe: --vantage must be %s\n", field_name.name);
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	show.waterfall =
		!show.quiet && !show.json && (show.verbose || isatty(STDOUT_FILENO));
	show.style = waterfall_style(stdout, options_colour(stdout, show.no_color));
	return perform(&show, &parsed);
}

const struct command run_command = {
	.name = "run",
	.arguments = "[FILE|DIR|CUSTOMER/SCENARIO]...",
	.summary = "probe: run scenarios, keep their results, raise events",
	.options = options,
	.examples = examples,
	.run = run,
};
