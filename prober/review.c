#include "review.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "incident.h"
#include "median.h"
#include "record.h"
#include "sink.h"

#include "ban.h"

/* --- the month ------------------------------------------------------------------------- */

int review_month(const char *text, struct review_order *order)
{
	char first[CLOCK_TIMESTAMP_SIZE];
	int year, month, length = 0;

	if (sscanf(text, "%4d-%2d%n", &year, &month, &length) != 2 || length != 7 ||
		text[length] != '\0' || month < 1 || month > 12)
		return -1;
	snprintf(first, sizeof(first), "%.7s-01T00:00:00Z", text);
	if (clock_parse(first, &order->from_ns) < 0)
		return -1;
	snprintf(first, sizeof(first), "%04d-%02d-01T00:00:00Z", month < 12 ? year : year + 1,
		month % 12 + 1);
	order->month = text;
	return clock_parse(first, &order->to_ns);
}

void review_this_month(int64_t now_ns, char text[static 8], struct review_order *order)
{
	char now[CLOCK_TIMESTAMP_SIZE];

	clock_format(now_ns, now);
	snprintf(text, 8, "%.7s", now);
	review_month(text, order);
}

/* --- its events ------------------------------------------------------------------------ */

struct reviewing {
	const struct review_order *order;
	json_t *events; /* by id: key, since, over (0: not yet), severity, acknowledged, noted */
};

static json_t *entry_of(struct reviewing *reviewing, const json_t *event)
{
	const char *id = event_string(event, "event_id");
	json_t *entry = json_object_get(reviewing->events, id);
	int64_t since_ns = 0;

	if (entry != NULL)
		return entry;
	clock_parse(event_string(event, "since"), &since_ns);
	if (since_ns < reviewing->order->from_ns || since_ns >= reviewing->order->to_ns)
		return NULL;
	entry = json_pack("{s:s, s:I, s:s}", "key", event_string(event, "dedup_key"), "since",
		(json_int_t)since_ns, "severity", event_string(event, "severity"));
	json_object_set_new(reviewing->events, id, entry);
	return entry;
}

/* severities[] has the gravest first. */
static bool is_graver(const json_t *event, const json_t *than)
{
	return name_index(severities, event_string(event, "severity")) <
		name_index(severities, event_string(than, "severity"));
}

static void take_revision(void *context, const json_t *event)
{
	json_t *entry = entry_of(context, event);
	int64_t at_ns = 0;

	if (entry == NULL)
		return;
	if (is_graver(event, entry))
		json_object_set(entry, "severity", json_object_get(event, "severity"));
	if (json_object_get(event, "acknowledged") != NULL)
		json_object_set_new(entry, "acknowledged", json_true());
	if (json_array_size(json_object_get(event, "notes")) > 0)
		json_object_set_new(entry, "noted", json_true());
	/* A note may come when it is over. */
	if (strcmp(event_string(event, "state"), "resolved") == 0 &&
		json_object_get(entry, "over") == NULL &&
		clock_parse(event_string(event, "at"), &at_ns) == 0)
		json_object_set_new(entry, "over", json_integer(at_ns));
}

/* --- rule by rule ---------------------------------------------------------------------- */

static void count(json_t *sums, const char *key, bool happened)
{
	json_object_set_new(
		sums, key, json_integer(json_integer_value(json_object_get(sums, key)) + happened));
}

/* How long it was open; -1: it is. */
static int64_t length_of(const json_t *entry)
{
	const json_t *over = json_object_get(entry, "over");

	return over != NULL
		? json_integer_value(over) - json_integer_value(json_object_get(entry, "since"))
		: -1;
}

static void count_event(json_t *sums, const json_t *entry, int64_t noise_ns)
{
	bool acknowledged = json_object_get(entry, "acknowledged") != NULL;
	bool noted = json_object_get(entry, "noted") != NULL;
	int64_t length_ns = length_of(entry);

	count(sums, "fired", true);
	count(sums, "acknowledged", acknowledged);
	count(sums, "noted", noted);
	count(sums, "acted_on", acknowledged || noted);
	count(sums, "noise", !acknowledged && !noted && length_ns >= 0 && length_ns < noise_ns);
	count(sums, "open", length_ns < 0);
}

static json_t *no_sums(void)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "fired", 0, "acknowledged", 0, "noted",
		0, "acted_on", 0, "noise", 0, "open", 0);
}

static json_t *rule_of(json_t *rules, const json_t *entry)
{
	const char *key = event_string(entry, "key");
	json_t *rule = json_object_get(rules, key);

	if (rule == NULL) {
		rule = json_pack("{s:s, s:O, s:[]}", "dedup_key", key, "severity",
			json_object_get(entry, "severity"), "lengths");
		json_object_set_new(rules, key, rule);
	}
	if (is_graver(entry, rule))
		json_object_set(rule, "severity", json_object_get(entry, "severity"));
	return rule;
}

static void put_median(json_t *rule)
{
	const json_t *lengths = json_object_get(rule, "lengths");
	size_t n = json_array_size(lengths);
	double *values = calloc(n + 1, sizeof(*values));

	for (size_t i = 0; values != NULL && i < n; i++)
		values[i] = clock_seconds(json_integer_value(json_array_get(lengths, i)));
	if (values != NULL && n > 0)
		json_object_set_new(rule, "median_seconds", json_real(median(values, n)));
	free(values);
	json_object_del(rule, "lengths");
}

static json_int_t number(const json_t *rule, const char *key)
{
	return json_integer_value(json_object_get(rule, key));
}

/* The worst noise first; then what fired most. */
static int by_noise(const void *a, const void *b)
{
	const json_t *const *left = a, *const *right = b;

	if (number(*left, "noise") != number(*right, "noise"))
		return number(*left, "noise") < number(*right, "noise") ? 1 : -1;
	if (number(*left, "fired") != number(*right, "fired"))
		return number(*left, "fired") < number(*right, "fired") ? 1 : -1;
	return strcmp(event_string(*left, "dedup_key"), event_string(*right, "dedup_key"));
}

static json_t *sorted(json_t *rules)
{
	json_t *array = json_array(), *rule;
	json_t **order = calloc(json_object_size(rules) + 1, sizeof(json_t *));
	const char *key;
	size_t n = 0;

	json_object_foreach(rules, key, rule)
	{
		put_median(rule);
		if (order != NULL)
			order[n++] = rule;
	}
	if (order != NULL)
		qsort(order, n, sizeof(json_t *), by_noise);
	for (size_t i = 0; i < n; i++)
		json_array_append(array, order[i]);
	free(order);
	return array;
}

/* --- the whole ------------------------------------------------------------------------- */

static json_t *report_of(const struct review_order *order, json_t *events)
{
	json_t *rules = json_object(), *total = no_sums(), *report, *entry;
	char from[CLOCK_TIMESTAMP_SIZE], to[CLOCK_TIMESTAMP_SIZE];
	const char *id;

	json_object_foreach(events, id, entry)
	{
		json_t *rule = rule_of(rules, entry);

		count_event(rule, entry, order->noise_ns);
		count_event(total, entry, order->noise_ns);
		if (length_of(entry) >= 0)
			json_array_append_new(
				json_object_get(rule, "lengths"), json_integer(length_of(entry)));
	}
	clock_format(order->from_ns, from);
	clock_format(order->to_ns, to);
	report = json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "month", order->month, "from", from,
		"to", to, "noise_seconds", clock_seconds(order->noise_ns), "rules", sorted(rules),
		"total", total);
	json_decref(rules);
	return report;
}

json_t *review(const struct review_order *order, size_t *unreadable_r, struct failure *why)
{
	struct reviewing reviewing = {order, json_object()};
	json_t *report = NULL;

	if (incidents_read(order->results_dir, take_revision, &reviewing, unreadable_r, why) == 0)
		report = report_of(order, reviewing.events);
	json_decref(reviewing.events);
	return report;
}
