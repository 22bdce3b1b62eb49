/* mailprobe sink - the sinks of scenarios: which there are, and whether an event arrives there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "complaint.h"
#include "field.h"
#include "options.h"
#include "scenario_files.h"
#include "sink_test.h"

#include "ban.h"

enum { OPTION_VANTAGE };

static const struct command_option options[] = {
	[OPTION_VANTAGE] = {"vantage", 0, "NAME", "name of this place (default: the host's name)"},
	{0},
};

static const char *const examples[] = {
	"mailprobe sink list",
	"mailprobe sink test ops",
	"mailprobe sink test ops scenarios/acme/mail.yaml",
	NULL,
};

static const char *const actions[] = {"list", "test", NULL};

struct found {
	const struct scenario *scenario;
	const struct sink *sink;
};

static const char *name_of(const struct scenario *scenario, char text[static 160])
{
	snprintf(text, 160, "%s/%s", scenario->journey.customer, scenario->journey.scenario);
	return text;
}

/* Calls back for each sink of each scenario; stops at the first false. */
static void each_sink(const struct scenario_set *set,
	bool (*visit)(void *context, const struct found *found), void *context)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = 0; j < set->scenarios[i]->sink_count; j++) {
			const struct found found = {
				set->scenarios[i], &set->scenarios[i]->sinks[j]};

			if (!visit(context, &found))
				return;
		}
}

static bool print_sink(void *context, const struct found *found)
{
	char name[160];

	fprintf(context, "%-20s %-14s %s\n", found->sink->name, found->sink->type->name,
		name_of(found->scenario, name));
	return true;
}

/* --- finding the one ------------------------------------------------------------------- */

struct search {
	const char *name;
	struct found first;
	struct found other; /* of that name, and not the same */
};

static bool look(void *context, const struct found *found)
{
	struct search *search = context;

	if (strcmp(found->sink->name, search->name) != 0)
		return true;
	if (search->first.sink == NULL)
		search->first = *found;
	else if (found->sink->type != search->first.sink->type ||
		!json_equal(found->sink->config, search->first.sink->config))
		search->other = *found;
	return search->other.sink == NULL;
}

static int refuse(const struct scenario_set *set, const struct search *search)
{
	char first[160], other[160];

	if (search->other.sink != NULL) {
		fprintf(stderr,
			"mailprobe: %s and %s have different sinks \"%s\": say which scenario\n",
			name_of(search->first.scenario, first),
			name_of(search->other.scenario, other), search->name);
		return EXIT_USAGE;
	}
	fprintf(stderr, "mailprobe: no scenario has a sink \"%s\"; there are:\n", search->name);
	each_sink(set, print_sink, stderr);
	return EXIT_USAGE;
}

/* --- trying it ------------------------------------------------------------------------- */

static int try_it(const struct found *found, const char *vantage)
{
	struct sink_trial trial;
	struct failure why = {0};
	char name[160];

	if (sink_test(found->scenario, found->sink, vantage, &trial, &why) == -1) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		return EXIT_UNJUDGED;
	}
	printf("%s (%s of %s): %s: %s\n", found->sink->name, found->sink->type->name,
		name_of(found->scenario, name),
		trial.taken                            ? "taken"
		: strcmp(trial.state, "waiting") == 0 ? "not taken, an event would be tried again"
						       : "not taken",
		trial.sentence);
	return trial.taken ? 0 : 1;
}

static int act_on(const struct scenario_set *set, const char *name, const char *vantage)
{
	struct search search = {.name = name};

	if (name == NULL) {
		each_sink(set, print_sink, stdout);
		return 0;
	}
	each_sink(set, look, &search);
	if (search.first.sink == NULL || search.other.sink != NULL)
		return refuse(set, &search);
	return try_it(&search.first, vantage);
}

static int act(const struct options *parsed, const char *vantage)
{
	const char *action = parsed->rest_count > 0 ? parsed->rest[0] : "list";
	bool test = strcmp(action, "test") == 0;
	size_t taken = test ? 2 : parsed->rest_count > 0;
	struct complaints complaints = {0};
	struct scenario_set set;
	int result = EXIT_SCENARIO;

	if (!test && strcmp(action, "list") != 0)
		return options_unknown("action", action, actions);
	if (parsed->rest_count < taken) {
		fputs("mailprobe: sink test takes the NAME of a sink\n", stderr);
		return EXIT_USAGE;
	}
	set = scenario_set_load(parsed->rest + taken, parsed->rest_count - taken, &complaints);
	if (complaints.errors > 0)
		complaints_print(&complaints, stderr, options_colour(stderr, false));
	else
		result = act_on(&set, test ? parsed->rest[1] : NULL, vantage);
	complaints_free(&complaints);
	scenario_set_free(&set);
	return result;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	char host[65] = "";
	const char *vantage = host, *value;
	int option;

	gethostname(host, sizeof(host) - 1);
	while ((option = options_next(&parsed, &value)) >= 0)
		vantage = value;
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	return act(&parsed, field_is_name(vantage) ? vantage : "vantage");
}

const struct command sinks_command = {
	.name = "sink",
	.arguments = "[list|test NAME] [FILE|DIR|CUSTOMER/SCENARIO]...",
	.summary = "list the sinks of scenarios, or send a test event to one",
	.options = options,
	.examples = examples,
	.run = run,
};
