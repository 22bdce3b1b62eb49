#include "trend_text.h"

#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "ban.h"

#define BOLD "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

struct trend_style trend_style(bool colour)
{
	return (struct trend_style){
		.colour = colour, .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
}

static const char *paint(const struct trend_style *style, const char *code)
{
	return style->colour ? code : "";
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* --- runs ------------------------------------------------------------------------------ */

static const char *const windows[] = {"1h", "24h", "7d", "30d"};

#define WINDOW_COUNT (sizeof(windows) / sizeof(windows[0]))

static void print_runs(const char *window, const json_t *runs, FILE *to)
{
	json_int_t n = json_integer_value(json_object_get(runs, "n"));
	json_int_t errors = json_integer_value(json_object_get(runs, "errors"));
	double percent = 100 * number_of(runs, "failure_rate");

	fprintf(to, "  %-4s %6" JSON_INTEGER_FORMAT " runs", window, n);
	if (n > 0)
		fprintf(to, ", %" JSON_INTEGER_FORMAT " failed (%.*f %%)",
			json_integer_value(json_object_get(runs, "failed")),
			percent > 0 && percent < 10 ? 1 : 0, percent);
	if (errors > 0)
		fprintf(to, ", %" JSON_INTEGER_FORMAT " could not be judged", errors);
	fputc('\n', to);
}

void trend_print_head(const json_t *trend, const struct trend_style *style, FILE *to)
{
	const json_t *runs = json_object_get(trend, "runs");

	fprintf(to, "%s%s/%s%s  from %s, up to %.16sZ\n", paint(style, BOLD),
		text_of(trend, "customer"), text_of(trend, "scenario"), paint(style, PLAIN),
		text_of(trend, "vantage"), text_of(trend, "updated_at"));
	for (size_t w = 0; w < WINDOW_COUNT; w++)
		print_runs(windows[w], json_object_get(runs, windows[w]), to);
	fprintf(to, "\n  %-34s %-*s %10s %10s %10s\n", "", TREND_CHART_COLUMNS, "7 days", "p50 24h",
		"p95 24h", "p95 30d");
}

/* --- a metric -------------------------------------------------------------------------- */

/* What is no time is a plain number. */
static bool is_seconds(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t length = strlen(name);

	return (length >= 7 && strcmp(name + length - 7, "seconds") == 0) ||
		(dot != NULL &&
			(strstr(name, ".phases.") != NULL || strstr(name, ".hops.") != NULL));
}

static void format_value(const char *name, double value, char text[static 32])
{
	if (!is_seconds(name))
		snprintf(text, 32, "%.4g", value);
	else if (fabs(value) < 1)
		snprintf(text, 32, "%.3g ms", 1000 * value);
	else
		snprintf(text, 32, "%.3g s", value);
}

static const char *const blocks[] = {
	"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const letters[] = {"_", ".", ":", "-", "=", "+", "*", "#"};

#define HEIGHTS ((int)(sizeof(blocks) / sizeof(blocks[0])))

/* From 0 to the largest, so that a small difference looks small. */
static void print_chart(const double *columns, const struct trend_style *style, FILE *to)
{
	double most = 0;

	for (size_t i = 0; i < TREND_CHART_COLUMNS; i++)
		if (!isnan(columns[i]))
			most = fmax(most, columns[i]);
	for (size_t i = 0; i < TREND_CHART_COLUMNS; i++) {
		int height = isnan(columns[i]) || most <= 0
			? 0
			: (int)fmax(0, ceil(columns[i] / most * HEIGHTS) - 1);

		if (isnan(columns[i]))
			fputc(' ', to);
		else
			fputs((style->unicode ? blocks : letters)[height], to);
	}
}

static void print_statistic(
	const char *name, const json_t *metric, const char *window, const char *key, FILE *to)
{
	const json_t *values = json_object_get(json_object_get(metric, "windows"), window);
	const json_t *value = json_object_get(values, key);
	char text[32] = "-";

	if (value != NULL)
		format_value(name, json_number_value(value), text);
	fprintf(to, " %10s", text);
}

static void print_slope(const char *name, const json_t *metric, FILE *to)
{
	const json_t *slope = json_object_get(metric, "slope");
	char week[32], low[32], high[32];

	if (!json_is_true(json_object_get(slope, "significant")))
		return;
	format_value(name, number_of(slope, "per_week"), week);
	format_value(name, number_of(slope, "per_week_low"), low);
	format_value(name, number_of(slope, "per_week_high"), high);
	fprintf(to, "    %s by %s a week (95 %%: %s to %s, p = %.2g)\n",
		number_of(slope, "per_week") < 0 ? "falls" : "grows", week, low, high,
		number_of(slope, "p"));
}

static void print_step(const char *name, const json_t *metric, FILE *to)
{
	const json_t *step = json_object_get(metric, "step_change");
	char before[32], after[32];

	if (step == NULL)
		return;
	format_value(name, number_of(step, "before"), before);
	format_value(name, number_of(step, "after"), after);
	fprintf(to, "    went from %s to %s at %.16sZ\n", before, after, text_of(step, "at"));
}

static void print_reaches(const char *name, const json_t *metric, FILE *to)
{
	const json_t *one;
	size_t index;

	json_array_foreach(json_object_get(metric, "reaches"), index, one)
	{
		const char *latest = text_of(one, "latest");
		char threshold[32];

		format_value(name, number_of(one, "threshold"), threshold);
		fprintf(to, "    reaches %s (%s, %s) about %.10s (80 %%: %.10s to %.10s)\n",
			threshold, text_of(one, "limit"), text_of(one, "level"), text_of(one, "at"),
			text_of(one, "earliest"), latest[0] != '\0' ? latest : "never");
	}
}

void trend_print_metric(const char *name, const json_t *metric,
	const double columns[static TREND_CHART_COLUMNS], const struct trend_style *style, FILE *to)
{
	fprintf(to, "  %-34s ", name);
	print_chart(columns, style, to);
	print_statistic(name, metric, "24h", "p50", to);
	print_statistic(name, metric, "24h", "p95", to);
	print_statistic(name, metric, "30d", "p95", to);
	fprintf(to, "\n%s", paint(style, YELLOW));
	print_slope(name, metric, to);
	print_step(name, metric, to);
	print_reaches(name, metric, to);
	fputs(paint(style, PLAIN), to);
}
