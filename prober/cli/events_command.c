/* mailprobe events - lists events; takes what people have to say to them; looks back at a month. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "clock.h"
#include "command.h"
#include "event_text.h"
#include "incident.h"
#include "options.h"
#include "review.h"
#include "review_text.h"
#include "state.h"
#include "text.h"

#include "ban.h"

enum {
	OPTION_RESULTS,
	OPTION_OPEN,
	OPTION_ALL,
	OPTION_BY,
	OPTION_NOTE,
	OPTION_MONTH,
	OPTION_NOISE,
	OPTION_JSON
};

#define NOISE (30 * 60 * NS_PER_SECOND)

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_OPEN] = {"open", 0, NULL, "list those that are open (default)"},
	[OPTION_ALL] = {"all", 'a', NULL, "list all that there have ever been"},
	[OPTION_BY] = {"by", 0, "NAME", "who says it (default: the user, before sudo)"},
	[OPTION_NOTE] = {"note", 0, "TEXT", "what to say with ack"},
	[OPTION_MONTH] = {"month", 0, "YYYY-MM", "which month to review (default: this one)"},
	[OPTION_NOISE] = {"noise", 0, "TIME",
		"over sooner, and nobody said anything: noise (default: 30m)"},
	[OPTION_JSON] = {"json", 0, NULL,
		"print events as JSON, one a line; a review as one object"},
	{0},
};

static const char *const examples[] = {
	"mailprobe events",
	"mailprobe events --all acme/mail",
	"mailprobe events ack acme/mail/failing --by anna --note \"the provider knows\"",
	"mailprobe events note evt_019cae06-cc56 \"it was the new exchanger\"",
	"mailprobe events review --month 2026-11",
	NULL,
};

static const char *const actions[] = {"list", "ack", "note", "review", NULL};

struct view {
	const char *results_dir;
	bool all, json;
	const char *by, *note;
	struct review_order review;
};

/* --- list ------------------------------------------------------------------------------ */

/* Splits CUSTOMER[/SCENARIO] in place. */
static bool split(char *name, struct incident_choice *choice)
{
	char *slash = strchr(name, '/');

	if (slash != NULL)
		*slash = '\0';
	choice->customer = name;
	choice->scenario = slash != NULL ? slash + 1 : NULL;
	return field_is_name(name) && (slash == NULL || field_is_name(slash + 1));
}

static json_t *load(const struct view *view, const struct incident_choice *choice,
	size_t *unreadable_r, struct failure *why)
{
	struct state *state;
	json_t *events;

	*unreadable_r = 0;
	if (view->all)
		return incidents_all(view->results_dir, choice, unreadable_r, why);
	state = state_open_to_read(view->results_dir, why);
	if (state == NULL)
		return NULL;
	events = incidents_open(state, choice, why);
	state_close(&state);
	return events;
}

static int tell_unreadable(size_t lines)
{
	if (lines == 0)
		return 0;
	fprintf(stderr, "mailprobe: %zu lines of events.jsonl cannot be read\n", lines);
	return EXIT_UNJUDGED;
}

/* Perhaps no customer was meant. */
static void tell_none(const struct view *view, const struct incident_choice *choice)
{
	const char *nearest =
		choice->customer != NULL ? text_nearest(choice->customer, actions) : NULL;

	if (nearest != NULL)
		fprintf(stderr, "mailprobe: there is no event of \"%s\"; did you mean \"%s\"?\n",
			choice->customer, nearest);
	else if (!view->json)
		puts(view->all ? "there has been no event" : "no event is open");
}

static int list(const struct view *view, const struct incident_choice *choice)
{
	struct failure why = {0};
	size_t unreadable, index;
	json_t *events = load(view, choice, &unreadable, &why), *event;

	if (events == NULL) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		return EXIT_UNJUDGED;
	}
	json_array_foreach(events, index, event)
	{
		if (view->json)
			event_print_json(event, stdout);
		else
			event_print(event, stdout);
	}
	if (json_array_size(events) == 0)
		tell_none(view, choice);
	json_decref(events);
	return tell_unreadable(unreadable);
}

static int list_named(const struct view *view, const struct options *parsed)
{
	struct incident_choice choice = {NULL, NULL};
	const char *name = parsed->rest_count > 0 ? parsed->rest[0] : NULL;

	if (name != NULL && strcmp(name, "list") == 0)
		name = parsed->rest_count > 1 ? parsed->rest[1] : NULL;
	else if (parsed->rest_count > 1)
		return options_unknown("action", name, actions);
	if (name != NULL && !split(strdupa(name), &choice)) {
		fputs("mailprobe: events lists those of one CUSTOMER or CUSTOMER/SCENARIO\n",
			stderr);
		return EXIT_USAGE;
	}
	return list(view, &choice);
}

/* --- ack, note ------------------------------------------------------------------------- */

static const char *user_name(void)
{
	const char *name = getenv("SUDO_USER");
	const struct passwd *entry;

	if (name != NULL && name[0] != '\0')
		return name;
	entry = getpwuid(getuid());
	return entry != NULL ? entry->pw_name : "somebody";
}

static bool is_fine(const char *what, const char *text, size_t most)
{
	json_t *string = text != NULL ? json_string(text) : NULL;
	bool fine = string != NULL && text[0] != '\0' && strlen(text) <= most;

	json_decref(string);
	if (!fine && text != NULL)
		fprintf(stderr, "mailprobe: the %s must be 1 to %zu bytes of UTF-8\n", what, most);
	return fine || text == NULL;
}

static int tell(const struct view *view, enum answer_verdict verdict,
	const struct answer_result *result, const struct failure *why)
{
	switch (verdict) {
	case ANSWER_GIVEN:
		if (view->json)
			event_print_json(result->event, stdout);
		else
			event_print(result->event, stdout);
		return 0;
	case ANSWER_NEEDLESS:
	case ANSWER_REFUSED:
		fprintf(stderr, "mailprobe: %s\n", result->sentence);
		return verdict == ANSWER_NEEDLESS ? 0 : 1;
	case ANSWER_FAILED:
		break;
	}
	fprintf(stderr, "mailprobe: %s%s\n",
		result->event != NULL ? "it is remembered, and the next run writes it: " : "",
		why->text);
	return EXIT_CANNOT_WRITE;
}

static int answer(const struct view *view, const struct options *parsed, bool is_note)
{
	const struct answer answer = {
		.event = parsed->rest[1],
		.by = view->by != NULL ? view->by : user_name(),
		.text = is_note ? parsed->rest[2] : view->note,
		.is_note = is_note,
		.now_ns = clock_wall(),
	};
	struct answer_result result;
	struct failure why = {0};
	int code;

	if (!is_fine("name", answer.by, ANSWER_BY_MAX) ||
		!is_fine("note", answer.text, ANSWER_TEXT_MAX))
		return EXIT_USAGE;
	code = tell(view, answer_give(view->results_dir, &answer, &result, &why), &result, &why);
	json_decref(result.event);
	return code;
}

/* --- review ---------------------------------------------------------------------------- */

static int look_back(const struct view *view)
{
	struct review_order order = view->review;
	struct failure why = {0};
	size_t unreadable;
	char month[8];
	json_t *report;

	order.results_dir = view->results_dir;
	if (order.month == NULL)
		review_this_month(clock_wall(), month, &order);
	report = review(&order, &unreadable, &why);
	if (report == NULL) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		return EXIT_UNJUDGED;
	}
	if (view->json)
		event_print_json(report, stdout);
	else
		review_print(report, stdout);
	json_decref(report);
	return tell_unreadable(unreadable);
}

/* --- the command ----------------------------------------------------------------------- */

static int act(const struct view *view, const struct options *parsed)
{
	const char *action = parsed->rest_count > 0 ? parsed->rest[0] : "list";
	bool ack = strcmp(action, "ack") == 0, note = strcmp(action, "note") == 0;

	if (strcmp(action, "review") == 0 && parsed->rest_count == 1)
		return look_back(view);
	if (!ack && !note)
		return list_named(view, parsed);
	if (parsed->rest_count == (ack ? 2U : 3U))
		return answer(view, parsed, note);
	fputs(ack ? "mailprobe: events ack takes one EVENT: its id, the beginning of it, or its "
		    "dedup_key\n"
		  : "mailprobe: events note takes an EVENT and a TEXT: quote it\n",
		stderr);
	return EXIT_USAGE;
}

static bool take_review(struct review_order *review, int option, const char *value)
{
	if (option == OPTION_MONTH && review_month(value, review) < 0) {
		fputs("mailprobe: --month must be one such as 2026-11\n", stderr);
		return false;
	}
	if (option == OPTION_NOISE && !duration_parse(value, &review->noise_ns)) {
		fputs("mailprobe: --noise must be a time such as 30m\n", stderr);
		return false;
	}
	return true;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct view view = {.results_dir = "results", .review = {.noise_ns = NOISE}};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		if (option == OPTION_RESULTS)
			view.results_dir = value;
		if (option == OPTION_BY)
			view.by = value;
		if (option == OPTION_NOTE)
			view.note = value;
		if (!take_review(&view.review, option, value))
			return EXIT_USAGE;
		view.all = option == OPTION_OPEN ? false : view.all || option == OPTION_ALL;
		view.json = view.json || option == OPTION_JSON;
	}
	return option != OPTIONS_DONE ? options_exit_code(option) : act(&view, &parsed);
}

const struct command events_command = {
	.name = "events",
	.arguments = "[list [CUSTOMER[/SCENARIO]] | ack EVENT | note EVENT TEXT | review]",
	.summary = "list events, acknowledge them, add notes, look back at a month",
	.options = options,
	.examples = examples,
	.run = run,
};
