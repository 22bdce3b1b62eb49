/* mailprobe check - answers Nagios and its kin from what the runs have stored. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "clock.h"
#include "command.h"
#include "field.h"
#include "nagios.h"
#include "options.h"

#include "ban.h"

enum { OPTION_RESULTS, OPTION_VANTAGE, OPTION_MAX_AGE, OPTION_STALE, OPTION_FAIL };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_VANTAGE] = {"vantage", 0, "NAME", "as seen from there (default: the worst of all)"},
	[OPTION_MAX_AGE] = {"max-age", 0, "DURATION",
		"age of the newest run beyond which nothing is known (default: three usual "
		"intervals)"},
	[OPTION_STALE] = {"stale", 0, "STATUS",
		"what that is: unknown or critical (default: unknown)"},
	[OPTION_FAIL] = {"fail", 0, "STATUS",
		"what a failed run is if no limit is crossed: critical or warning (default: "
		"critical)"},
	{0},
};

static const char *const examples[] = {
	"mailprobe check acme/mail",
	"check_mailprobe --results /var/lib/mailprobe acme/mail",
	"mailprobe check --max-age 15m --stale critical acme/mail",
	NULL,
};

struct question {
	const char *results_dir;
	char customer[66];
	struct check_order order;
};

static bool take_series(struct question *question, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t length = slash != NULL ? (size_t)(slash - name) : 0;

	if (length == 0 || length >= sizeof(question->customer) || slash[1] == '\0')
		return false;
	memcpy(question->customer, name, length);
	question->customer[length] = '\0';
	question->order.customer = question->customer;
	question->order.scenario = slash + 1;
	return true;
}

static bool take_status(
	const char *option, const char *text, enum check_status other, enum check_status *status)
{
	if (strcmp(text, "critical") == 0)
		*status = CHECK_CRITICAL;
	else if (strcmp(text, other == CHECK_WARNING ? "warning" : "unknown") == 0)
		*status = other;
	else
		return fprintf(stderr, "mailprobe: --%s \"%s\" must be critical or %s\n", option,
			       text, other == CHECK_WARNING ? "warning" : "unknown") < 0;
	return true;
}

static bool take_age(const char *text, int64_t *age_ns)
{
	if (duration_parse(text, age_ns) && *age_ns > 0)
		return true;
	return fprintf(stderr, "mailprobe: --max-age \"%s\" must be a duration such as 15m\n",
		       text) < 0;
}

static bool take_option(struct question *question, int option, const char *value)
{
	switch (option) {
	case OPTION_RESULTS:
		question->results_dir = value;
		return true;
	case OPTION_VANTAGE:
		question->order.vantage = value;
		return true;
	case OPTION_MAX_AGE:
		return take_age(value, &question->order.max_age_ns);
	case OPTION_STALE:
		return take_status("stale", value, CHECK_UNKNOWN, &question->order.stale);
	default:
		return take_status("fail", value, CHECK_WARNING, &question->order.fail);
	}
}

static int answer(const struct question *question)
{
	const struct check_order *order = &question->order;
	struct check_answer answer = {.status = CHECK_UNKNOWN};
	struct failure why = {0};
	struct state *state = state_open_to_read(question->results_dir, &why);
	int result = -1;

	if (state != NULL)
		result = check_state(state, order, clock_wall(), &answer, &why);
	state_close(&state);
	if (result == -1)
		nagios_write(stdout, CHECK_UNKNOWN, order->customer, order->scenario, why.text, NULL);
	else
		nagios_write(stdout, (int)answer.status, order->customer, order->scenario,
			answer.sentence, answer.values);
	check_answer_free(&answer);
	return result == -1 ? CHECK_UNKNOWN : (int)answer.status;
}

/* Whatever is wrong with the call is UNKNOWN to those who call plugins, and they show stdout. */
static int refuse(const char *reason)
{
	printf("MAIL UNKNOWN - %s: see check_mailprobe --help\n", reason);
	return CHECK_UNKNOWN;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct question question = {.results_dir = "results",
		.order = {.stale = CHECK_UNKNOWN, .fail = CHECK_CRITICAL}};
	const char *value;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0)
		if (!take_option(&question, option, value))
			return refuse("an option is wrong");
	if (option == OPTIONS_HELPED)
		return 0;
	if (option != OPTIONS_DONE)
		return refuse("an option is wrong");
	if (parsed.rest_count != 1 || !take_series(&question, parsed.rest[0]))
		return refuse("check takes one CUSTOMER/SCENARIO");
	return answer(&question);
}

const struct command check_command = {
	.name = "check",
	.arguments = "CUSTOMER/SCENARIO",
	.summary = "answer Nagios, Icinga or Monit from the stored results",
	.options = options,
	.examples = examples,
	.run = run,
};
