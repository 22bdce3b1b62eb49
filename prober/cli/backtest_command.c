/* mailprobe backtest - what events there would have been with the limits as they are written now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backtest.h"
#include "clock.h"
#include "command.h"
#include "event_text.h"
#include "lines.h"
#include "options.h"
#include "retention.h"
#include "scenario_files.h"

#include "ban.h"

enum { OPTION_FROM, OPTION_TO, OPTION_RESULTS, OPTION_JSON, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_FROM] = {"from", 0, "TIME", "events since then: a time, a day, or 7d ago"},
	[OPTION_TO] = {"to", 0, "TIME", "events until then (default: now)"},
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_JSON] = {"json", 0, NULL, "print the events as they would stand in events.jsonl"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours in complaints"},
	{0},
};

static const char *const examples[] = {
	"mailprobe backtest scenarios/acme/mail.yaml",
	"mailprobe backtest --from 2026-11-01 --to 2026-11-30 acme/mail",
	"mailprobe backtest --from 30d --json | jq -r .dedup_key | sort | uniq -c",
	NULL,
};

struct view {
	bool json;
	size_t revisions, opened;
};

/* --- events ---------------------------------------------------------------------------- */

static int print_line(const json_t *event, struct failure *why)
{
	size_t length;
	char *line = lines_format(event, &length);

	if (line == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	fputs(line, stdout);
	free(line);
	return 0;
}

static int take_event(void *context, const json_t *event, struct failure *why)
{
	struct view *view = context;

	view->revisions++;
	view->opened += strcmp(json_string_value(json_object_get(event, "state")), "open") == 0;
	if (view->json)
		return print_line(event, why);
	event_print_row(event, stdout);
	return 0;
}

/* --- the command ----------------------------------------------------------------------- */

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_sum(const struct view *view, const struct backtest_report *report)
{
	char first[CLOCK_TIMESTAMP_SIZE], last[CLOCK_TIMESTAMP_SIZE];

	clock_format(report->first_ns, first);
	clock_format(report->last_ns, last);
	printf("%zu event%s would have opened; %zu run%s of %zu scenario%s judged, of %.19sZ to "
	       "%.19sZ\n",
		view->opened, plural(view->opened), report->runs, plural(report->runs),
		report->scenarios, plural(report->scenarios), first, last);
}

/* Without the runs that passed, those that are left fail too often. */
static void warn_of_gone(const struct backtest_order *order, const struct backtest_report *report)
{
	char first[CLOCK_TIMESTAMP_SIZE], day[ARCHIVE_DAY_SIZE];
	struct failure ignored = {0};

	clock_format(report->first_ns, first);
	for (size_t i = 0; i < order->count; i++) {
		const struct journey *journey = &order->scenarios[i]->journey;

		if (retention_complete_from(order->results_dir, journey->customer,
			    journey->scenario, day, &ignored) == 0 &&
			strncmp(first, day, strlen(day)) < 0)
			fprintf(stderr,
				"mailprobe: of %s/%s, runs that passed before %s are gone (keep), so "
				"that failures before weigh too much\n",
				journey->customer, journey->scenario, day);
	}
}

static int replay(struct view *view, const struct backtest_order *order)
{
	struct backtest_report report;
	struct failure why = {0};

	if (backtest(order, take_event, view, &report, &why) < 0) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		return EXIT_UNJUDGED;
	}
	if (report.runs == 0) {
		fprintf(stderr,
			"mailprobe: there are no results of these scenarios in %s at that time\n",
			order->results_dir);
		return 1;
	}
	warn_of_gone(order, &report);
	if (!view->json)
		print_sum(view, &report);
	if (report.unreadable == 0)
		return 0;
	fprintf(stderr,
		"mailprobe: %zu lines cannot be read, and their runs are not judged: see "
		"mailprobe doctor\n",
		report.unreadable);
	return EXIT_UNJUDGED;
}

static int load_and_replay(struct view *view, struct backtest_order *order,
	const struct options *parsed, bool no_color)
{
	struct complaints complaints = {.items = NULL};
	struct scenario_set set = scenario_set_load(parsed->rest, parsed->rest_count, &complaints);
	int code = EXIT_SCENARIO;

	complaints_print(&complaints, stderr, options_colour(stderr, no_color));
	if (set.refused == 0 && complaints.errors == 0) {
		order->scenarios = set.scenarios;
		order->count = set.count;
		code = replay(view, order);
	}
	scenario_set_free(&set);
	complaints_free(&complaints);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct backtest_order order = {.results_dir = "results", .to_ns = clock_wall()};
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	struct view view = {0};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			order.results_dir = value;
		if ((option == OPTION_FROM &&
			    !options_time("from", value, false, &order.from_ns)) ||
			(option == OPTION_TO && !options_time("to", value, true, &order.to_ns)))
			return EXIT_USAGE;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (order.from_ns >= order.to_ns) {
		fputs("mailprobe: --from must be before --to\n", stderr);
		return EXIT_USAGE;
	}
	view.json = given[OPTION_JSON];
	return load_and_replay(&view, &order, &parsed, given[OPTION_NO_COLOR]);
}

const struct command backtest_command = {
	.name = "backtest",
	.arguments = "[FILE|DIR|CUSTOMER/SCENARIO]...",
	.summary = "say what events there would have been with other limits",
	.options = options,
	.examples = examples,
	.run = run,
};
