#include "points.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "clock.h"
#include "lines.h"
#include "sample.h"
#include "step.h"
#include "text.h"

#include "ban.h"

struct collector {
	const struct point_choice *choice;
	struct points day; /* of one file */
	const json_t *record;
	struct point point; /* of one run */
	bool has_value, out_of_memory;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- one run --------------------------------------------------------------------------- */

static bool was_judged(const char *outcome)
{
	return strcmp(outcome, "pass") == 0 || strcmp(outcome, "warn") == 0 ||
		strcmp(outcome, "fail") == 0;
}

static int take_sample(void *context, const char *metric, struct sample_value value)
{
	struct collector *collector = context;

	if (strcmp(metric, collector->choice->metric) != 0)
		return 0;
	collector->point.value = value.value;
	collector->point.censored = value.censored;
	collector->has_value = true;
	return 0;
}

/* Whether the run failed is a value, too. */
static void take_value(struct collector *collector)
{
	const char *metric = collector->choice->metric;

	collector->has_value = false;
	if (strcmp(metric, "failed") == 0 || strcmp(metric, "failure_rate") == 0)
		take_sample(collector, metric,
			(struct sample_value){
				.value = strcmp(collector->point.outcome, "fail") == 0});
	else
		sample_record(collector->record, step_type_facts, take_sample, collector);
}

static bool is_chosen(const struct collector *collector)
{
	const struct point_choice *choice = collector->choice;
	const struct point *point = &collector->point;

	return point->at_ns >= choice->from_ns && point->at_ns <= choice->to_ns &&
		strcmp(member(collector->record, "vantage"), choice->vantage) == 0 &&
		json_object_get(collector->record, "maintenance") == NULL &&
		(!choice->judged_only || was_judged(point->outcome));
}

static void push(struct collector *collector)
{
	struct points *day = &collector->day;
	struct point *items = day->items;

	/* Room is doubled at each power of two. */
	if ((day->count & (day->count - 1)) == 0) {
		items = reallocarray(items, day->count > 0 ? 2 * day->count : 1, sizeof(*items));
		if (items == NULL) {
			collector->out_of_memory = true;
			return;
		}
		day->items = items;
	}
	items[day->count++] = collector->point;
}

static void take_line(void *context, const struct line *line)
{
	struct collector *collector = context;
	struct point *point = &collector->point;

	if (line->verdict != LINE_GOOD)
		return;
	*point = (struct point){0};
	collector->record = line->record;
	if (clock_parse(member(line->record, "started_at"), &point->at_ns) < 0 ||
		clock_parse(member(line->record, "ended_at"), &point->end_ns) < 0)
		return;
	text_copy(point->run_id, sizeof(point->run_id), member(line->record, "run_id"));
	text_copy(point->outcome, sizeof(point->outcome), member(line->record, "outcome"));
	if (!is_chosen(collector))
		return;
	take_value(collector);
	if (collector->has_value)
		push(collector);
}

/* --- days ------------------------------------------------------------------------------ */

struct collection {
	const struct point_choice *choice;
	struct points *points;
};

static int by_time(const void *a, const void *b)
{
	const struct point *left = a, *right = b;

	return (left->at_ns > right->at_ns) - (left->at_ns < right->at_ns);
}

/* A day that lies before those that are there already. */
static int put_before(struct points *points, const struct points *day, struct failure *why)
{
	struct point *items;

	if (day->count == 0)
		return 0;
	qsort(day->items, day->count, sizeof(*day->items), by_time);
	items = reallocarray(points->items, points->count + day->count, sizeof(*items));
	if (items == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	memmove(items + day->count, items, points->count * sizeof(*items));
	memcpy(items, day->items, day->count * sizeof(*items));
	points->items = items;
	points->count += day->count;
	return 0;
}

static int read_day(const struct collection *collection, const struct archive_series *series,
	const char *day, struct failure *why)
{
	struct collector collector = {.choice = collection->choice};
	char path[PATH_MAX];
	int result;

	archive_path(series, day, path);
	result = lines_read(path, take_line, &collector, why);
	if (result == 0 && collector.out_of_memory)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (result == 0)
		result = put_before(collection->points, &collector.day, why);
	free(collector.day.items);
	return result;
}

static int read_days(void *context, const struct archive_series *series, struct failure *why)
{
	const struct collection *collection = context;
	const struct point_choice *choice = collection->choice;
	char first[CLOCK_TIMESTAMP_SIZE], last[CLOCK_TIMESTAMP_SIZE];

	clock_format(choice->from_ns, first);
	clock_format(choice->to_ns, last);
	for (size_t i = series->day_count; i > 0; i--) {
		const char *day = series->days[i - 1];

		if (strncmp(day, first, ARCHIVE_DAY_SIZE - 1) < 0 ||
			(choice->newest > 0 && collection->points->count >= choice->newest))
			return 0;
		if (strncmp(day, last, ARCHIVE_DAY_SIZE - 1) <= 0 &&
			read_day(collection, series, day, why) < 0)
			return -1;
	}
	return 0;
}

int points_collect(const struct point_choice *choice, struct points *points_r, struct failure *why)
{
	struct collection collection = {choice, points_r};
	size_t surplus;

	*points_r = (struct points){0};
	if (archive_walk(choice->results_dir, choice->customer, choice->scenario, read_days,
		    &collection, why) < 0)
		return -1;
	if (choice->newest == 0 || points_r->count <= choice->newest)
		return 0;
	surplus = points_r->count - choice->newest;
	memmove(points_r->items, points_r->items + surplus,
		choice->newest * sizeof(*points_r->items));
	points_r->count = choice->newest;
	return 0;
}

void points_free(struct points *points)
{
	free(points->items);
	*points = (struct points){0};
}
