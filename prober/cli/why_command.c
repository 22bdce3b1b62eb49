/* mailprobe why - explains an event: the limit, every data point, and what would clear it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "event_text.h"
#include "explain.h"
#include "incident.h"
#include "options.h"
#include "state.h"
#include "why_text.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_REVISION, OPTION_ALL, OPTION_JSON };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_REVISION] = {"revision", 0, "N", "as it was then (default: the newest while open)"},
	[OPTION_ALL] = {"all", 'a', NULL, "every data point, also where there are many"},
	[OPTION_JSON] = {"json", 0, NULL, "print it as one JSON object, with every data point"},
	{0},
};

static const char *const examples[] = {
	"mailprobe why acme/mail/slow-inbound",
	"mailprobe why --all evt_019cae06-cc56",
	"mailprobe why --json --revision 1 acme/mail/failing | jq '.points[] | .run_id'",
	NULL,
};

struct view {
	const char *results_dir;
	bool all, json;
	long revision; /* 0: not given */
};

static int print(const struct view *view, struct state *state, const struct incident *incident,
	struct failure *why)
{
	json_t *explanation = explain(view->results_dir, state, incident, view->revision, why);

	if (explanation == NULL && why->type == ERROR_NONE) {
		fputs("mailprobe: events.jsonl has no such revision of that event\n", stderr);
		return 1;
	}
	if (explanation == NULL)
		return -1;
	if (view->json)
		event_print_json(explanation, stdout);
	else
		why_print(explanation, view->all, stdout);
	json_decref(explanation);
	return 0;
}

static int find_and_print(const struct view *view, const char *name)
{
	struct failure why = {0}, ignored = {0};
	/* The lines alone say almost all. */
	struct state *state = state_open_to_read(view->results_dir, &ignored);
	struct incident incident;
	char sentence[256];
	int result = incident_find(view->results_dir, state, name, &incident, sentence, &why);

	if (result == 1)
		fprintf(stderr, "mailprobe: %s\n", sentence);
	if (result == 0)
		result = print(view, state, &incident, &why);
	if (result == -1)
		fprintf(stderr, "mailprobe: %s\n", why.text);
	incident_free(&incident);
	state_close(&state);
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
		if (option == OPTION_REVISION &&
			!options_number("revision", value, 1, INT32_MAX, &view.revision))
			return EXIT_USAGE;
		view.all = view.all || option == OPTION_ALL;
		view.json = view.json || option == OPTION_JSON;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count == 1)
		return find_and_print(&view, parsed.rest[0]);
	fputs("mailprobe: why takes one EVENT: its id, the beginning of it, or its dedup_key\n",
		stderr);
	return EXIT_USAGE;
}

const struct command why_command = {
	.name = "why",
	.arguments = "EVENT",
	.summary = "explain an event: its limit, its data, what would clear it",
	.options = options,
	.examples = examples,
	.run = run,
};
