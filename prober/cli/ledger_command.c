/* mailprobe ledger - what has become of the probe mails: a sum for each state, and those that are
 * still open or ended oddly. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "field.h"
#include "ledger_read.h"
#include "options.h"
#include "record.h"
#include "state.h"
#include "text.h"

#include "ban.h"

#define SHOWN 20

enum { OPTION_RESULTS, OPTION_ALL, OPTION_JSON };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_ALL] = {"all", 'a', NULL, "all open and odd mails (default: 20 of each)"},
	[OPTION_JSON] = {"json", 0, NULL, "print it as one JSON object, with all mails"},
	{0},
};

static const char *const examples[] = {
	"mailprobe ledger",
	"mailprobe ledger acme/mail",
	"mailprobe ledger --json | jq '.open[] | .mail'",
	NULL,
};

struct view {
	const char *results_dir;
	const char *customer, *scenario; /* NULL: all */
	char customer_name[66];
	bool all, json;
	int64_t now_ns;
	json_t *list; /* of --json */
};

/* --- one mail -------------------------------------------------------------------------- */

/* What a person wants to know of it, beside whose it is and its state. */
static const char *const told[] = {
	"reply", "delivery_seconds", "folder", "duplicates", "enhanced_code", NULL};

static double age_seconds(const struct view *view, const struct ledger_mail *mail)
{
	return clock_seconds(view->now_ns - mail->intent_ns);
}

static void format_age(double seconds, char text[static 32])
{
	if (seconds < 120)
		snprintf(text, 32, "%.0f s", seconds);
	else if (seconds < 2 * 3600.0)
		snprintf(text, 32, "%.0f min", seconds / 60);
	else if (seconds < 48 * 3600.0)
		snprintf(text, 32, "%.0f h", seconds / 3600);
	else
		snprintf(text, 32, "%.0f days", seconds / 86400);
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static void print_mail(void *context, const struct ledger_mail *mail)
{
	const struct view *view = context;
	char age[32];

	format_age(age_seconds(view, mail), age);
	printf("  %-16s %8s ago  %s/%s  %s  %s -> %s\n", mail->state, age, mail->customer,
		mail->scenario, member(mail->record, "mail"), member(mail->record, "from"),
		member(mail->record, "to"));
	for (size_t i = 0; told[i] != NULL; i++) {
		const json_t *value = json_object_get(mail->record, told[i]);

		if (json_is_string(value))
			printf("      %s: %s\n", told[i], json_string_value(value));
		else if (json_is_real(value))
			printf("      %s: %.3f\n", told[i], json_real_value(value));
		else if (json_integer_value(value) > 0)
			printf("      %s: %lld\n", told[i], (long long)json_integer_value(value));
	}
	printf("      run: %s\n", mail->run_id);
}

static void list_mail(void *context, const struct ledger_mail *mail)
{
	struct view *view = context;
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:f}", "customer", mail->customer,
		"scenario", mail->scenario, "vantage", mail->vantage, "run_id", mail->run_id,
		"age_seconds", age_seconds(view, mail));

	if (mail->record != NULL)
		json_object_update(item, (json_t *)(uintptr_t)mail->record);
	json_array_append_new(view->list, item);
}

/* --- the whole ------------------------------------------------------------------------- */

static int print_list(struct view *view, struct state *state, enum ledger_choice choice,
	const char *title, int64_t count, struct failure *why)
{
	if (count == 0)
		return 0;
	printf("%s: %lld\n", title, (long long)count);
	if (ledger_each(state, view->customer, view->scenario, choice, view->all ? -1 : SHOWN,
		    print_mail, view, why) == -1)
		return -1;
	if (!view->all && count > SHOWN)
		printf("  (%lld more: --all)\n", (long long)count - SHOWN);
	return 0;
}

static int print_all(struct view *view, struct state *state, const struct ledger_sums *sums,
	struct failure *why)
{
	for (size_t i = 0; mail_states[i] != NULL; i++)
		printf("%-16s %8lld\n", mail_states[i],
			(long long)json_integer_value(
				json_object_get(sums->states, mail_states[i])));
	printf("%-16s %8lld = %lld settled + %lld open\n", "sent", (long long)sums->sent,
		(long long)sums->settled, (long long)sums->open);
	if (print_list(view, state, LEDGER_OPEN, "open", sums->open, why) == -1)
		return -1;
	return print_list(view, state, LEDGER_ODD, "odd", sums->odd, why);
}

static json_t *list_all(struct view *view, struct state *state, enum ledger_choice choice,
	int *result, struct failure *why)
{
	view->list = json_array();
	if (*result == 0)
		*result = ledger_each(state, view->customer, view->scenario, choice, -1, list_mail,
			view, why);
	return view->list;
}

static int print_json(struct view *view, struct state *state, const struct ledger_sums *sums,
	struct failure *why)
{
	int result = 0;
	json_t *object = json_pack("{s:I, s:I, s:I, s:O}", "sent", (json_int_t)sums->sent,
		"settled", (json_int_t)sums->settled, "open_count", (json_int_t)sums->open,
		"states", sums->states);

	json_object_set_new(
		object, "open", list_all(view, state, LEDGER_OPEN, &result, why));
	json_object_set_new(object, "odd", list_all(view, state, LEDGER_ODD, &result, why));
	if (result == 0) {
		json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	}
	json_decref(object);
	return result;
}

/* Sums that do not add up are not for doctor alone to tell. */
static int print_view(struct view *view, struct state *state, struct failure *why)
{
	struct ledger_sums sums;
	int result = ledger_sums(state, view->customer, view->scenario, &sums, why);

	if (result == 0)
		result = view->json ? print_json(view, state, &sums, why)
				    : print_all(view, state, &sums, why);
	if (result == 0 && sums.sent != sums.settled + sums.open) {
		fputs("mailprobe: the sums do not add up: see mailprobe doctor\n", stderr);
		result = 1;
	}
	json_decref(sums.states);
	return result;
}

static bool take_series(struct view *view, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t length = slash != NULL ? (size_t)(slash - name) : strlen(name);

	if (length >= sizeof(view->customer_name))
		return false;
	snprintf(view->customer_name, sizeof(view->customer_name), "%.*s", (int)length, name);
	view->customer = view->customer_name;
	view->scenario = slash != NULL ? slash + 1 : NULL;
	return field_is_name(view->customer) &&
	       (view->scenario == NULL || field_is_name(view->scenario));
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct view view = {.results_dir = "results", .now_ns = clock_wall()};
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	struct failure why = {0};
	struct state *state;
	const char *value;
	int option, result = -1;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			view.results_dir = value;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count > 1 ||
		(parsed.rest_count == 1 && !take_series(&view, parsed.rest[0]))) {
		fputs("mailprobe: ledger takes one CUSTOMER or CUSTOMER/SCENARIO\n", stderr);
		return EXIT_USAGE;
	}
	view.all = given[OPTION_ALL];
	view.json = given[OPTION_JSON];
	state = state_open_to_read(view.results_dir, &why);
	if (state != NULL)
		result = print_view(&view, state, &why);
	state_close(&state);
	if (result == -1)
		fprintf(stderr, "mailprobe: %s\n", why.text);
	return result == -1 ? EXIT_UNJUDGED : result;
}

const struct command ledger_command = {
	.name = "ledger",
	.arguments = "[CUSTOMER[/SCENARIO]]",
	.summary = "say what has become of the probe mails",
	.options = options,
	.examples = examples,
	.run = run,
};
