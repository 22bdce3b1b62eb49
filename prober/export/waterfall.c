#include "waterfall.h"

#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ban.h"

#define LABEL_WIDTH 31
#define BAR_MIN 20
#define BAR_MAX 72

struct waterfall_style waterfall_style(FILE *to, bool colour)
{
	struct waterfall_style style = {.colour = colour, .width = 80};
	struct winsize size;

	style.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (isatty(fileno(to)) && ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		style.width = size.ws_col;
	return style;
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

struct mark {
	const char *outcome, *unicode, *ascii, *colour;
};

static const struct mark marks[] = {
	{"pass", "\u2713", "ok", "\033[32m"},
	{"warn", "!", "!!", "\033[33m"},
	{"fail", "\u2717", "XX", "\033[31m"},
	{"error", "?", "??", "\033[35m"},
	{"skipped", "-", "--", "\033[2m"},
};

static const struct mark *mark_of(const char *outcome)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strcmp(marks[i].outcome, outcome) == 0)
			return &marks[i];
	return &marks[3];
}

static const char *paint(const struct waterfall_style *style, const char *code)
{
	return style->colour ? code : "";
}

/* --- one step -------------------------------------------------------------------------- */

/* Eighths of a column, so that a short phase still shows. */
static void print_bar(
	double from, double length, double span, int width, const struct waterfall_style *style,
	FILE *to)
{
	static const char *const blocks[] = {"\u258f", "\u258e", "\u258d", "\u258c", "\u258b",
		"\u258a", "\u2589", "\u2588"};
	int start = span > 0 ? (int)(from / span * width) : 0;
	int eighths = span > 0 ? (int)(length / span * width * 8 + 0.5) : 0;

	if (start > width - 1)
		start = width - 1;
	if (eighths < 1)
		eighths = 1;
	fprintf(to, "%*s%s", start, "", paint(style, "\033[36m"));
	for (int i = 0; i < eighths / 8; i++)
		fputs(style->unicode ? blocks[7] : "#", to);
	if (style->unicode && eighths % 8 != 0)
		fputs(blocks[eighths % 8 - 1], to);
	else if (!style->unicode && eighths < 8)
		fputs("|", to);
	fprintf(to, "%s\n", paint(style, "\033[0m"));
}

static void print_phases(
	const json_t *step, double span, const struct waterfall_style *style, FILE *to)
{
	int width = style->width - LABEL_WIDTH - 1;
	json_t *phase;
	size_t index;

	width = width < BAR_MIN ? BAR_MIN : width > BAR_MAX ? BAR_MAX : width;
	json_array_foreach(json_object_get(step, "phases"), index, phase) {
		double length = number_of(phase, "duration_seconds");

		fprintf(to, "      %-12s %8.3f s  ", text_of(phase, "name"), length);
		print_bar(number_of(phase, "start_seconds"), length, span, width, style, to);
	}
}

static void print_headline(
	const json_t *step, const struct waterfall_style *style, FILE *to)
{
	const char *outcome = text_of(step, "outcome");
	const struct mark *mark = mark_of(outcome);

	fprintf(to, "  %s%s %-7s%s %s%s%s  %s", paint(style, mark->colour),
		style->unicode ? mark->unicode : mark->ascii, outcome, paint(style, "\033[0m"),
		paint(style, "\033[1m"), text_of(step, "id"), paint(style, "\033[0m"),
		text_of(step, "type"));
	if (json_object_get(step, "duration_seconds") != NULL)
		fprintf(to, "  %.3f s", number_of(step, "duration_seconds"));
	if (json_object_get(step, "server") != NULL)
		fprintf(to, "  %s", text_of(step, "server"));
	if (json_object_get(step, "peer_address") != NULL)
		fprintf(to, " (%s)", text_of(step, "peer_address"));
	if (json_object_get(step, "tls_version") != NULL)
		fprintf(to, "  %s", text_of(step, "tls_version"));
	fputs("\n", to);
}

static void print_delivery(const json_t *step, const struct waterfall_style *style, FILE *to)
{
	if (json_object_get(step, "delivery_seconds") == NULL)
		return;
	fprintf(to, "      %sdelivered in %.3f s%s (between %.3f s and %.3f s) to %s\n",
		paint(style, "\033[1m"), number_of(step, "delivery_seconds"),
		paint(style, "\033[0m"), number_of(step, "delivery_seconds_min"),
		number_of(step, "delivery_seconds_max"), text_of(step, "folder"));
}

#define EVIDENCE_LINES 8

/* The last lines of the conversation are those that led to the end. */
static void print_evidence(const json_t *step, const struct waterfall_style *style, FILE *to)
{
	const json_t *lines = json_object_get(step, "transcript");
	bool failed = json_object_get(step, "error") != NULL;
	size_t count = json_array_size(lines), most = style->transcript ? count : EVIDENCE_LINES;
	int width = style->transcript ? INT_MAX : style->width - 20;

	for (size_t i = count > most ? count - most : 0; failed || style->transcript; i++) {
		const json_t *line = json_array_get(lines, i);
		const char *from = text_of(line, "from");
		char arrow = from[0] == 'c' ? '>' : from[0] == 's' ? '<' : '*';

		if (line == NULL)
			return;
		fprintf(to, "      %s%9.3f s %c %.*s%s\n", paint(style, "\033[2m"),
			number_of(line, "at_seconds"), arrow, width, text_of(line, "text"),
			paint(style, "\033[0m"));
	}
}

static void print_hops(const json_t *step, const struct waterfall_style *style, FILE *to)
{
	json_t *hop;
	size_t index;

	json_array_foreach(json_object_get(step, "hops"), index, hop) {
		const char *by = text_of(hop, "by"), *component = text_of(hop, "component");

		fprintf(to, "        %s%s%s%s%s: ", strcmp(text_of(hop, "event"), "stored") == 0
				? "mailstore" : by[0] != '\0' ? by : "a server",
			component[0] != '\0' ? " (" : "", component, component[0] != '\0' ? ")" : "",
			paint(style, "\033[2m"));
		if (json_object_get(hop, "delay_seconds") != NULL)
			fprintf(to, "%.3f s, ", number_of(hop, "delay_seconds"));
		else
			fputs("unknown, ", to);
		fprintf(to, "between %.3f s and %.3f s", number_of(hop, "delay_seconds_min"),
			number_of(hop, "delay_seconds_max"));
		if (json_is_true(json_object_get(hop, "clock_wrong")))
			fprintf(to, "; its clock is off by %.1f s to %.1f s",
				number_of(hop, "clock_offset_seconds_min"),
				number_of(hop, "clock_offset_seconds_max"));
		fprintf(to, "%s\n", paint(style, "\033[0m"));
	}
}

static void print_attribution(
	const json_t *record, const struct waterfall_style *style, FILE *to)
{
	const json_t *found = json_object_get(record, "attribution");

	if (found != NULL)
		fprintf(to, "  slower than usual: %s%s%s (%s), %s\n    %s\n",
			paint(style, "\033[1m"), text_of(found, "component"), paint(style, "\033[0m"),
			text_of(found, "sure"), text_of(found, "where"), text_of(found, "because"));
}

static void print_step(
	const json_t *step, double span, const struct waterfall_style *style, FILE *to)
{
	print_headline(step, style, to);
	print_phases(step, span, style, to);
	print_delivery(step, style, to);
	print_hops(step, style, to);
	if (json_object_get(step, "proof") != NULL)
		fprintf(to, "      %s\n", text_of(step, "proof"));
	if (json_object_get(step, "slow") != NULL)
		fprintf(to, "      slow: %s\n", text_of(step, "slow"));
	if (json_object_get(step, "reason") != NULL)
		fprintf(to, "      skipped: %s\n", text_of(step, "reason"));
	if (json_object_get(step, "error") != NULL) {
		fprintf(to, "      %s%s%s", paint(style, "\033[1m"), text_of(step, "error_type"),
			paint(style, "\033[0m"));
		if (json_object_get(step, "error_phase") != NULL)
			fprintf(to, " in phase %s", text_of(step, "error_phase"));
		fprintf(to, ", blame: %s\n      %s\n", text_of(step, "blame"),
			text_of(step, "error"));
	}
	print_evidence(step, style, to);
}

/* What another attempt has replaced, or could not. */
static void print_attempts(const json_t *record, const struct waterfall_style *style, FILE *to)
{
	const json_t *attempt, *step;
	size_t index, at;

	json_array_foreach(json_object_get(record, "attempts"), index, attempt) {
		fprintf(to, "  %sattempt %.0f:%s\n", paint(style, "\033[1m"),
			number_of(attempt, "attempt"), paint(style, "\033[0m"));
		json_array_foreach(json_object_get(attempt, "steps"), at, step)
			print_step(step, number_of(record, "duration_seconds"), style, to);
	}
	if (json_object_get(record, "not_retried") != NULL)
		fprintf(to, "  not tried again: %s\n", text_of(record, "not_retried"));
}

/* --- the run --------------------------------------------------------------------------- */

void waterfall_print(const json_t *record, const struct waterfall_style *style, FILE *to)
{
	const struct mark *mark = mark_of(text_of(record, "outcome"));
	double span = number_of(record, "duration_seconds");
	json_t *step;
	size_t index;

	fprintf(to, "%s%s/%s%s  %s%s%s  in %.3f s  from %s  at %.19sZ\n",
		paint(style, "\033[1m"), text_of(record, "customer"), text_of(record, "scenario"),
		paint(style, "\033[0m"), paint(style, mark->colour), text_of(record, "outcome"),
		paint(style, "\033[0m"), span, text_of(record, "vantage"),
		text_of(record, "started_at"));
	if (json_object_get(record, "maintenance") != NULL)
		fprintf(to, "  in maintenance: %s\n", text_of(record, "maintenance"));
	json_array_foreach(json_object_get(record, "steps"), index, step)
		print_step(step, span, style, to);
	print_attempts(record, style, to);
	print_attribution(record, style, to);
	if (json_array_size(json_object_get(record, "steps")) == 0)
		fprintf(to, "  %s\n", text_of(record, "error"));
	if (strcmp(text_of(record, "sandbox"), "full") != 0 &&
		json_object_get(record, "sandbox") != NULL)
		fprintf(to, "  sandbox: %s\n", text_of(record, "sandbox"));
}

void waterfall_print_place(const json_t *record, const char *results_dir, FILE *to)
{
	fprintf(to, "  record: %s/%s/%s/%.10s.jsonl\n", results_dir, text_of(record, "customer"),
		text_of(record, "scenario"), text_of(record, "started_at"));
}

static const json_t *decisive_step(const json_t *record)
{
	json_t *step;
	size_t index;

	json_array_foreach(json_object_get(record, "steps"), index, step)
		if (strcmp(text_of(step, "outcome"), text_of(record, "outcome")) == 0)
			return step;
	return NULL;
}

void waterfall_complain(const json_t *record, FILE *to)
{
	const char *outcome = text_of(record, "outcome");
	const json_t *step = decisive_step(record);

	if (strcmp(outcome, "pass") == 0 || strcmp(outcome, "warn") == 0)
		return;
	fprintf(to, "mailprobe: %s/%s %s%s: %s%s%s: %s\n", text_of(record, "customer"),
		text_of(record, "scenario"), outcome,
		json_object_get(record, "maintenance") != NULL ? " in maintenance" : "",
		text_of(step, "id"),
		step != NULL ? ": " : "", text_of(record, "error_type"), text_of(record, "error"));
}
