#include "review_text.h"

#include <stdint.h>
#include <string.h>

#include "ban.h"

static long long number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static void format_length(double seconds, char text[static 32])
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

static void print_row(const char *name, const json_t *sums, const char *length, FILE *to)
{
	fprintf(to, "%-40s %6lld %9lld %6lld %5lld %10s%s%s\n", name, number(sums, "fired"),
		number(sums, "acted_on"), number(sums, "noise"), number(sums, "open"), length,
		member(sums, "severity")[0] != '\0' ? "  " : "", member(sums, "severity"));
}

static void print_rule(const json_t *rule, FILE *to)
{
	const json_t *median = json_object_get(rule, "median_seconds");
	char length[32] = "-";

	if (median != NULL)
		format_length(json_number_value(median), length);
	print_row(member(rule, "dedup_key"), rule, length, to);
}

void review_print(const json_t *review, FILE *to)
{
	const json_t *rules = json_object_get(review, "rules"), *rule;
	char noise[32];
	size_t index;

	format_length(json_number_value(json_object_get(review, "noise_seconds")), noise);
	if (json_array_size(rules) == 0) {
		fprintf(to, "%s: no event\n", member(review, "month"));
		return;
	}
	fprintf(to, "%-40s %6s %9s %6s %5s %10s\n", member(review, "month"), "fired", "acted on",
		"noise", "open", "median");
	json_array_foreach((json_t *)(uintptr_t)rules, index, rule) print_rule(rule, to);
	print_row("total", json_object_get(review, "total"), "", to);
	fprintf(to, "acted on: acknowledged or noted; noise: over in less than %s, and neither\n",
		noise);
}
