/* mailprobe outbox - events on their way to sinks: which wait and why, which were given up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "options.h"
#include "outbox.h"
#include "sink.h"
#include "state.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_ALL, OPTION_JSON };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_ALL] = {"all", 'a', NULL, "those, too, that nothing more becomes of"},
	[OPTION_JSON] = {"json", 0, NULL, "print each as a JSON object, one a line"},
	{0},
};

static const char *const examples[] = {
	"mailprobe outbox",
	"mailprobe outbox --all --json | jq .outcome",
	"mailprobe outbox retry",
	"mailprobe outbox drop 17",
	NULL,
};

static const char *const actions[] = {"list", "retry", "drop", NULL};

struct view {
	const char *results_dir;
	bool all, json;
};

static const char *when(const json_t *row, const char *key, char text[static CLOCK_TIMESTAMP_SIZE])
{
	clock_format(json_integer_value(json_object_get(row, key)), text);
	text[strlen("2026-01-01T00:00:15")] = '\0';
	return text;
}

static void print_row(const json_t *row)
{
	const json_t *event = json_object_get(row, "event");
	char queued[CLOCK_TIMESTAMP_SIZE], next[CLOCK_TIMESTAMP_SIZE];

	printf("%-5lld %-9s %s/%s  %s  %s %s.%lld\n",
		(long long)json_integer_value(json_object_get(row, "row")),
		event_string(row, "state"), event_string(row, "customer"),
		event_string(row, "scenario"), event_string(row, "sink"),
		event_string(event, "state"), event_string(event, "event_id"),
		(long long)json_integer_value(json_object_get(event, "revision")));
	printf("      %s\n", event_string(event, "summary"));
	printf("      since %sZ, %lld attempts", when(row, "queued_ns", queued),
		(long long)json_integer_value(json_object_get(row, "attempts")));
	if (strcmp(event_string(row, "state"), "waiting") == 0)
		printf(", next not before %sZ", when(row, "next_ns", next));
	if (event_string(row, "outcome")[0] != '\0')
		printf(": %s", event_string(row, "outcome"));
	putchar('\n');
}

static int list(const struct view *view, struct failure *why)
{
	struct state *state = state_open_to_read(view->results_dir, why);
	json_t *rows = state != NULL ? outbox_list(state, view->all, why) : NULL;
	json_t *row;
	size_t index;

	state_close(&state);
	if (rows == NULL)
		return -1;
	json_array_foreach(rows, index, row)
	{
		if (view->json) {
			json_dumpf(row, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
			putchar('\n');
		} else {
			print_row(row);
		}
	}
	json_decref(rows);
	return 0;
}

static int change(const struct view *view, bool drop, int64_t row, struct failure *why)
{
	struct state *state = state_open(view->results_dir, why);
	int64_t changed = 0, now = clock_wall();
	int result = -1;

	if (state != NULL)
		result = drop ? outbox_drop(state, row, now, &changed, why)
			      : outbox_retry(state, row, now, &changed, why);
	state_close(&state);
	if (result == -1)
		return -1;
	printf("%lld %s\n", (long long)changed, drop ? "dropped" : "due at the next run");
	return row != 0 && changed == 0 ? 1 : 0;
}

static int act(const struct view *view, const struct options *parsed)
{
	const char *action = parsed->rest_count > 0 ? parsed->rest[0] : "list";
	bool drop = strcmp(action, "drop") == 0, retry = strcmp(action, "retry") == 0;
	struct failure why = {0};
	long row = 0;
	int result;

	if (!drop && !retry && strcmp(action, "list") != 0)
		return options_unknown("action", action, actions);
	if (parsed->rest_count > (drop || retry ? 2U : 1U) || (drop && parsed->rest_count < 2)) {
		fputs("mailprobe: outbox takes: list, retry [NUMBER], drop NUMBER\n", stderr);
		return EXIT_USAGE;
	}
	if (parsed->rest_count == 2 &&
		!options_number("number", parsed->rest[1], 1, INT32_MAX, &row))
		return EXIT_USAGE;
	result = drop || retry ? change(view, drop, row, &why) : list(view, &why);
	if (result == -1)
		fprintf(stderr, "mailprobe: %s\n", why.text);
	return result == -1 ? EXIT_UNJUDGED : result;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct view view = {.results_dir = "results"};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		if (option == OPTION_RESULTS)
			view.results_dir = value;
		view.all = view.all || option == OPTION_ALL;
		view.json = view.json || option == OPTION_JSON;
	}
	return option != OPTIONS_DONE ? options_exit_code(option) : act(&view, &parsed);
}

const struct command outbox_command = {
	.name = "outbox",
	.arguments = "[list|retry|drop] [NUMBER]",
	.summary = "show the events on their way to sinks, try them again, drop them",
	.options = options,
	.examples = examples,
	.run = run,
};
