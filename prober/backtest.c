#include "backtest.h"

#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "clock.h"
#include "history.h"
#include "lines.h"
#include "settle.h"
#include "state.h"
#include "step.h"

#include "ban.h"

#define DAY (86400 * NS_PER_SECOND)

/* The results of one scenario, one after the other as they were written: that is the order in which
 * they were judged. */
struct feed {
	struct scenario scenario; /* borrowed, without its sinks */
	struct archive_series series;
	size_t next_day;
	struct lines *lines;
	struct line line; /* the next result */
	int64_t at_ns;    /* its place among those of other scenarios */
	bool ended;
};

struct replay {
	const struct backtest_order *order;
	struct state *state;
	struct feed *feeds;
	size_t count;
	int (*emit)(void *context, const json_t *event, struct failure *why);
	void *context;
	struct backtest_report *report;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- a feed ---------------------------------------------------------------------------- */

/* A file has the runs that began on its day; a run that ended at the same time may have begun the day
 * before. */
static bool is_wanted(const struct backtest_order *order, const char *day)
{
	char first[CLOCK_TIMESTAMP_SIZE], last[CLOCK_TIMESTAMP_SIZE];

	clock_format(order->from_ns - (HISTORY_DAYS + 1) * DAY, first);
	clock_format(order->to_ns, last);
	return strncmp(day, first, ARCHIVE_DAY_SIZE - 1) >= 0 &&
		strncmp(day, last, ARCHIVE_DAY_SIZE - 1) <= 0;
}

/* 1: the next file is open; 0: there is none. */
static int open_next(const struct replay *replay, struct feed *feed, struct failure *why)
{
	char path[PATH_MAX];

	lines_close(&feed->lines);
	while (feed->next_day < feed->series.day_count) {
		const char *day = feed->series.days[feed->next_day++];

		if (!is_wanted(replay->order, day))
			continue;
		archive_path(&feed->series, day, path);
		feed->lines = lines_open(path, why);
		return feed->lines != NULL ? 1 : -1;
	}
	feed->ended = true;
	return 0;
}

/* Takes the next line as the feed's result; false if it is none. */
static bool take(const struct replay *replay, struct feed *feed)
{
	int64_t at_ns;

	if (feed->line.verdict != LINE_GOOD ||
		clock_parse(member(feed->line.record, "ended_at"), &at_ns) < 0) {
		replay->report->unreadable++;
		return false;
	}
	/* Of a clock that was set back, and of a run that was killed and told of by the next. */
	if (at_ns > feed->at_ns)
		feed->at_ns = at_ns;
	return true;
}

static int advance(const struct replay *replay, struct feed *feed, struct failure *why)
{
	int got;

	while (!feed->ended) {
		got = feed->lines != NULL ? lines_next(feed->lines, &feed->line, why) : 0;
		if (got == 0)
			got = open_next(replay, feed, why);
		else if (got == 1 && take(replay, feed))
			return 0;
		if (got < 0)
			return -1;
	}
	return 0;
}

/* --- the feeds of a customer ----------------------------------------------------------- */

static int add_feed(void *context, const struct archive_series *series, struct failure *why)
{
	struct replay *replay = context;
	struct feed *feed = &replay->feeds[replay->count];
	size_t size = series->day_count * sizeof(*series->days);

	feed->series = *series;
	feed->series.customer = feed->scenario.journey.customer;
	feed->series.scenario = feed->scenario.journey.scenario;
	feed->series.days = malloc(size);
	if (feed->series.days == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	memcpy(feed->series.days, series->days, size);
	replay->count++;
	replay->report->scenarios++;
	return advance(replay, feed, why);
}

static void free_feeds(struct replay *replay)
{
	for (size_t i = 0; i < replay->count; i++) {
		lines_close(&replay->feeds[i].lines);
		free(replay->feeds[i].series.days);
	}
	free(replay->feeds);
}

static int find_feeds(struct replay *replay, const char *customer, struct failure *why)
{
	const struct backtest_order *order = replay->order;

	replay->feeds = calloc(order->count, sizeof(*replay->feeds));
	if (replay->feeds == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	for (size_t i = 0; i < order->count; i++) {
		const struct scenario *scenario = order->scenarios[i];

		if (strcmp(scenario->journey.customer, customer) != 0)
			continue;
		replay->feeds[replay->count].scenario = *scenario;
		replay->feeds[replay->count].scenario.sink_count = 0;
		if (archive_walk(order->results_dir, customer, scenario->journey.scenario, add_feed,
			    replay, why) < 0)
			return -1;
	}
	return 0;
}

/* --- judging --------------------------------------------------------------------------- */

static int emit_wanted(void *context, const json_t *event, struct failure *why)
{
	const struct replay *replay = context;
	int64_t at_ns = 0;

	clock_parse(member(event, "at"), &at_ns);
	if (at_ns < replay->order->from_ns || at_ns >= replay->order->to_ns)
		return 0;
	return replay->emit(replay->context, event, why);
}

static struct feed *earliest(struct replay *replay)
{
	struct feed *first = NULL;

	for (size_t i = 0; i < replay->count; i++) {
		struct feed *feed = &replay->feeds[i];

		if (!feed->ended && (first == NULL || feed->at_ns < first->at_ns))
			first = feed;
	}
	return first;
}

static int judge_run(struct replay *replay, struct feed *feed, struct failure *why)
{
	struct backtest_report *report = replay->report;

	report->runs++;
	if (report->first_ns == 0 || feed->at_ns < report->first_ns)
		report->first_ns = feed->at_ns;
	if (feed->at_ns > report->last_ns)
		report->last_ns = feed->at_ns;
	return settle_judgement(
		replay->state, &feed->scenario, feed->line.record, emit_wanted, replay, why);
}

static int judge_all(struct replay *replay, struct failure *why)
{
	const struct backtest_order *order = replay->order;
	struct feed *feed;

	while ((feed = earliest(replay)) != NULL && feed->at_ns < order->to_ns) {
		if (feed->at_ns >= order->from_ns - HISTORY_DAYS * DAY &&
			judge_run(replay, feed, why) < 0)
			return -1;
		if (advance(replay, feed, why) < 0)
			return -1;
	}
	return 0;
}

static int replay_customer(struct replay *replay, const char *customer, struct failure *why)
{
	int result;

	replay->count = 0;
	result = find_feeds(replay, customer, why);
	if (result == 0 && replay->count > 0) {
		replay->state = state_open_scratch(why);
		result = replay->state != NULL ? 0 : -1;
	}
	if (result == 0 && replay->count > 0) {
		state_know_facts(replay->state, step_type_facts);
		result = judge_all(replay, why);
	}
	state_close(&replay->state);
	free_feeds(replay);
	return result;
}

/* --- the whole ------------------------------------------------------------------------- */

static bool is_first_of_customer(const struct backtest_order *order, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(order->scenarios[i]->journey.customer,
			    order->scenarios[index]->journey.customer) == 0)
			return false;
	return true;
}

int backtest(const struct backtest_order *order,
	int (*emit)(void *context, const json_t *event, struct failure *why), void *context,
	struct backtest_report *report_r, struct failure *why)
{
	struct replay replay = {
		.order = order, .emit = emit, .context = context, .report = report_r};

	*report_r = (struct backtest_report){0};
	for (size_t i = 0; i < order->count; i++)
		if (is_first_of_customer(order, i) &&
			replay_customer(&replay, order->scenarios[i]->journey.customer, why) < 0)
			return -1;
	return 0;
}
