#include "why_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#include "ban.h"

#define MANY 40 /* points */
#define SHOWN_MAX 8192

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Whatever a file holds is safe on a terminal. */
static void print_safely(const char *words, FILE *to)
{
	struct text text;

	text_init(&text, SHOWN_MAX);
	text_printable(&text, words, strlen(words));
	if (text.length > 0)
		fputs(text.bytes, to);
	text_free(&text);
}

static void print_json(const json_t *value, FILE *to)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));

	if (text != NULL)
		print_safely(text, to);
	free(text);
}

/* --- what it is ------------------------------------------------------------------------ */

static void print_head(const json_t *why, FILE *to)
{
	fprintf(to, "%s  %s  revision %lld (%s, %s) at %.19sZ\n  ", member(why, "dedup_key"),
		member(why, "event_id"), number(why, "revision"), member(why, "state"),
		member(why, "severity"), member(why, "at"));
	print_safely(member(why, "summary"), to);
	fputs("\n\nThe limit as it is written\n  ", to);
	print_json(json_object_get(why, "limit"), to);
	fputc('\n', to);
	if (member(why, "means")[0] != '\0') {
		fputs("  ", to);
		print_safely(member(why, "means"), to);
		fputc('\n', to);
	}
}

/* --- what it rests on ------------------------------------------------------------------ */

static size_t count_over(const json_t *points)
{
	size_t over = 0, index;
	const json_t *point;

	json_array_foreach((json_t *)(uintptr_t)points, index, point) over +=
		json_object_get(point, "over") != NULL;
	return over;
}

static void print_point(const json_t *point, FILE *to)
{
	const json_t *value = json_object_get(point, "value");

	fprintf(to, "  %.19sZ  %s  ", member(point, "started_at"), member(point, "run_id"));
	if (value != NULL)
		fprintf(to, "%s%.6g", json_object_get(point, "at_least") != NULL ? ">= " : "",
			json_number_value(value));
	else
		fputs(member(point, "outcome"), to);
	fputs(json_object_get(point, "over") != NULL ? "  !\n" : "\n", to);
}

static void print_verdict(const json_t *why, FILE *to)
{
	const json_t *agreed = json_object_get(why, "agrees");

	if (agreed == NULL)
		return;
	fputs("  found once more of these: ", to);
	print_json(json_object_get(why, "measured"), to);
	if (json_is_true(agreed)) {
		fputs(", as the event has it\n", to);
		return;
	}
	fputs("\n  but the event has ", to);
	print_json(json_object_get(why, "values"), to);
	fputs(": not all results of that time are stored any more\n", to);
}

static void print_points(const json_t *why, bool all, FILE *to)
{
	const json_t *points = json_object_get(why, "points"), *point;
	size_t count = json_array_size(points), over = count_over(points), index;
	bool every = all || count <= MANY;

	if (points == NULL)
		return;
	fprintf(to, "\nWhat it rests on: %zu data point%s, %zu over the limit (!)\n", count,
		count == 1 ? "" : "s", over);
	if (!every)
		fputs("  of which those over the limit (--all shows each)\n", to);
	json_array_foreach((json_t *)(uintptr_t)points, index, point)
	{
		if (every || json_object_get(point, "over") != NULL)
			print_point(point, to);
	}
	print_verdict(why, to);
}

/* --- now ------------------------------------------------------------------------------- */

static void print_now(const json_t *why, FILE *to)
{
	const json_t *now = json_object_get(why, "now");
	const char *level = member(now, "level");

	if (now == NULL)
		return;
	fprintf(to, "\nThe newest run, which ended at %.19sZ\n  ", member(now, "at"));
	print_json(json_object_get(now, "values"), to);
	if (strcmp(level, "none") == 0)
		fputs(": not over the limit", to);
	else if (level[0] != '\0')
		fprintf(to, ": over the limit (%s)", level);
	fputc('\n', to);
}

static void print_clear(const json_t *why, FILE *to)
{
	const json_t *clear = json_object_get(why, "clear");

	if (clear == NULL) {
		if (member(why, "over_since")[0] != '\0')
			fprintf(to, "\nIt is over since %.19sZ\n", member(why, "over_since"));
		else if (json_object_get(why, "now") != NULL)
			fputs("\nNo rule remembers it any more: it will not change\n", to);
		return;
	}
	fprintf(to, "\nTo clear it\n  %lld results in a row of which this holds: ",
		number(clear, "results"));
	print_safely(member(clear, "condition"), to);
	fprintf(to, "; %lld so far\n", number(clear, "good"));
	if (json_object_get(clear, "needs_good") != NULL)
		fprintf(to, "  %lld good ones until the limit is not reached any more\n",
			number(clear, "needs_good"));
	if (member(clear, "first_leaves_at")[0] != '\0')
		fprintf(to, "  the oldest of the %lld over the limit leaves the window at %.19sZ\n",
			number(clear, "over"), member(clear, "first_leaves_at"));
	if (member(clear, "earliest_at")[0] != '\0')
		fprintf(to, "  not before %.19sZ, even if all that comes is good\n",
			member(clear, "earliest_at"));
	if (json_object_get(clear, "flapping") != NULL)
		fputs("  and it has to stop coming and going: it flaps\n", to);
}

void why_print(const json_t *explanation, bool all, FILE *to)
{
	print_head(explanation, to);
	print_points(explanation, all, to);
	print_now(explanation, to);
	print_clear(explanation, to);
}
