/* mailprobe trend - what the history of a scenario says, with a small chart of each metric. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "clock.h"
#include "command.h"
#include "history.h"
#include "median.h"
#include "options.h"
#include "state.h"
#include "trend_text.h"

#include "ban.h"

#define WEEK (7 * 86400 * NS_PER_SECOND)
#define COLUMN (WEEK / TREND_CHART_COLUMNS)

enum { OPTION_RESULTS, OPTION_ALL, OPTION_JSON, OPTION_NO_COLOR };

static const struct command_option options[] = {
	[OPTION_RESULTS] = {"results", 'r', "DIR", "where results are kept (default: results)"},
	[OPTION_ALL] = {"all", 'a', NULL, "phases, hops and the network, too"},
	[OPTION_JSON] = {"json", 0, NULL, "print trend.json, one a line"},
	[OPTION_NO_COLOR] = {"no-color", 0, NULL, "no colours"},
	{0},
};

static const char *const examples[] = {
	"mailprobe trend",
	"mailprobe trend acme/mail",
	"mailprobe trend --json acme/mail | jq '.metrics[\"in.delivery_seconds\"].slope'",
	NULL,
};

struct view {
	const char *results_dir;
	struct state *state; /* NULL: no charts */
	struct trend_style style;
	bool all, json;
	size_t shown;
};

/* --- a chart --------------------------------------------------------------------------- */

static double median_of(const struct sample *samples, size_t n, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = samples[i].value;
	return median(room, n);
}

/* Samples lie by time. One of a clock that was ahead is in no column. */
static void fill_columns(const struct sample *samples, size_t count, int64_t end_ns,
	double columns[static TREND_CHART_COLUMNS], double *room)
{
	for (size_t i = 0, n; i < count; i += n) {
		int64_t back = (end_ns - samples[i].at_ns) / COLUMN;

		for (n = 1; i + n < count && (end_ns - samples[i + n].at_ns) / COLUMN == back;)
			n++;
		if (back >= 0 && back < TREND_CHART_COLUMNS)
			columns[TREND_CHART_COLUMNS - 1 - back] = median_of(&samples[i], n, room);
	}
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int draw(const struct view *view, const json_t *trend, const char *metric,
	double columns[static TREND_CHART_COLUMNS], struct failure *why)
{
	struct sample *samples = NULL;
	int64_t end_ns = 0;
	size_t count = 0;
	double *room;

	for (size_t i = 0; i < TREND_CHART_COLUMNS; i++)
		columns[i] = (double)NAN;
	if (view->state == NULL || clock_parse(member(trend, "updated_at"), &end_ns) < 0)
		return 0;
	if (history_samples(view->state, member(trend, "customer"), member(trend, "scenario"),
		    member(trend, "vantage"), metric, end_ns - WEEK, &samples, &count, why) < 0)
		return -1;
	room = calloc(count + 1, sizeof(*room));
	if (room != NULL)
		fill_columns(samples, count, end_ns, columns, room);
	free(room);
	free(samples);
	return 0;
}

/* --- a trend --------------------------------------------------------------------------- */

/* What a user feels, without the parts that it is made of. */
static bool is_main(const char *metric)
{
	static const char *const parts[] = {
		".phases.", ".hops.", ".network_rtt_seconds", ".retransmits"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(metric, parts[i]) != NULL)
			return false;
	return true;
}

static int print_trend(const struct view *view, json_t *trend, struct failure *why)
{
	double columns[TREND_CHART_COLUMNS];
	const char *name;
	json_t *metric;

	if (view->shown > 0)
		putchar('\n');
	trend_print_head(trend, &view->style, stdout);
	json_object_foreach(json_object_get(trend, "metrics"), name, metric)
	{
		if (!view->all && !is_main(name))
			continue;
		if (draw(view, trend, name, columns, why) < 0)
			return -1;
		trend_print_metric(name, metric, columns, &view->style, stdout);
	}
	return 0;
}

static int show_trend(void *context, const struct archive_series *series, struct failure *why)
{
	struct view *view = context;
	char path[PATH_MAX];
	json_error_t error;
	json_t *trend;
	int result = 0;

	snprintf(path, sizeof(path), "%s/%s/%s/trend.json", series->results_dir, series->customer,
		series->scenario);
	trend = json_load_file(path, 0, &error);
	if (trend == NULL && json_error_code(&error) == json_error_cannot_open_file)
		return 0;
	if (trend == NULL)
		return failure_set(why, ERROR_LOCAL_STORAGE, "%s: %s", path, error.text);
	if (view->json) {
		json_dumpf(
			trend, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else {
		result = print_trend(view, trend, why);
	}
	view->shown++;
	json_decref(trend);
	return result;
}

/* --- the command ----------------------------------------------------------------------- */

/* Splits CUSTOMER[/SCENARIO] in place. */
static bool split(char *name, const char **customer_r, const char **scenario_r)
{
	char *slash = strchr(name, '/');

	if (slash != NULL)
		*slash = '\0';
	*customer_r = name;
	*scenario_r = slash != NULL ? slash + 1 : NULL;
	return field_is_name(name) && (slash == NULL || field_is_name(slash + 1));
}

static int show(struct view *view, const char *customer, const char *scenario)
{
	struct failure why = {0};
	int code = 0;

	if (!view->json) {
		view->state = state_open_to_read(view->results_dir, &why);
		if (view->state == NULL) {
			fprintf(stderr, "mailprobe: no charts: %s\n", why.text);
			code = EXIT_UNJUDGED;
		}
	}
	if (archive_walk(view->results_dir, customer, scenario, show_trend, view, &why) < 0) {
		fprintf(stderr, "mailprobe: %s\n", why.text);
		code = EXIT_UNJUDGED;
	} else if (view->shown == 0) {
		fputs("mailprobe: there is no trend: nothing has been run\n", stderr);
		code = 1;
	}
	state_close(&view->state);
	return code;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct options parsed = options_begin(command, argc, argv);
	struct view view = {.results_dir = "results"};
	bool given[sizeof(options) / sizeof(options[0])] = {false};
	const char *value, *customer = NULL, *scenario = NULL;
	int option;

	while ((option = options_next(&parsed, &value)) >= 0) {
		given[option] = true;
		if (option == OPTION_RESULTS)
			view.results_dir = value;
	}
	if (option != OPTIONS_DONE)
		return options_exit_code(option);
	if (parsed.rest_count > 1 ||
		(parsed.rest_count == 1 && !split(parsed.rest[0], &customer, &scenario))) {
		fputs("mailprobe: trend takes one CUSTOMER or CUSTOMER/SCENARIO\n", stderr);
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	view.all = given[OPTION_ALL];
	view.json = given[OPTION_JSON];
	view.style = trend_style(options_colour(stdout, given[OPTION_NO_COLOR]));
	return show(&view, customer, scenario);
}

const struct command trend_command = {
	.name = "trend",
	.arguments = "[CUSTOMER[/SCENARIO]]",
	.summary = "say what the history of a scenario shows, with charts",
	.options = options,
	.examples = examples,
	.run = run,
};
