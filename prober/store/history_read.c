/* The reading half of history.h. */
#include "history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "history_private.h"
#include "sample.h"
#include "series.h"
#include "statement.h"
#include "text.h"

#include "ban.h"

struct history_value history_value(const struct history_row *row, size_t index)
{
	return sample_unpack(row->bytes + SAMPLE_BYTES * index);
}

static void read_mark(struct statement *query, struct run_mark *mark)
{
	*mark = (struct run_mark){.at_ns = statement_integer(query, 1)};
	text_copy(mark->run_id, sizeof(mark->run_id), statement_text(query, 0));
	mark->outcome = name_index(outcome_names, statement_text(query, 2));
	mark->maintenance = statement_integer(query, 3) != 0;
}

/* Columns of a row, in this order. */
#define COLUMNS "run_id, at_ns, outcome, maintenance, samples, error_type"

static void read_row(struct statement *query, struct history_row *row)
{
	size_t size;

	read_mark(query, &row->mark);
	row->bytes = statement_blob(query, 4, &size);
	row->count = size / SAMPLE_BYTES;
	row->error_type = statement_text(query, 5);
}

int history_each(struct state *state, int64_t first, int64_t end,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why)
{
	struct statement query;

	statement_begin(
		&query, state, "SELECT " COLUMNS " FROM runs WHERE id >= ? AND id < ? ORDER BY id");
	statement_bind_integer(&query, first);
	statement_bind_integer(&query, end);
	while (statement_row(&query)) {
		struct history_row row;

		read_row(&query, &row);
		each(context, &row);
	}
	return statement_end(&query, why);
}

/* Ids are times to the millisecond, and may have been moved on by one. */
struct sweep {
	int64_t since_ns, until_ns;
	void (*each)(void *context, const struct history_row *row);
	void *context;
};

static void sweep_row(void *context, const struct history_row *row)
{
	const struct sweep *sweep = context;

	if (row->mark.at_ns >= sweep->since_ns && row->mark.at_ns < sweep->until_ns)
		sweep->each(sweep->context, row);
}

int history_span(struct state *state, const struct series_key *key, int64_t since_ns,
	int64_t until_ns, void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why)
{
	struct sweep sweep = {since_ns, until_ns, each, context};
	int64_t series;

	if (series_find(state, key, &series, why) < 0)
		return -1;
	return history_each(state, series_run_id(series, since_ns),
		series_run_id(series, until_ns) + 1, sweep_row, &sweep, why);
}

int history_sweep(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t since_ns,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};

	return history_span(state, &key, since_ns, INT64_MAX, each, context, why);
}

int history_names(struct state *state, const char *customer, const char *scenario,
	const char *vantage, void (*each)(void *context, uint32_t metric, const char *name),
	void *context, struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};
	struct statement query;
	int64_t series;

	if (series_find(state, &key, &series, why) < 0)
		return -1;
	statement_begin(
		&query, state, "SELECT id, name FROM metrics WHERE series = ? ORDER BY name");
	statement_bind_integer(&query, series);
	while (statement_row(&query))
		each(context, (uint32_t)statement_integer(&query, 0), statement_text(&query, 1));
	return statement_end(&query, why);
}

/* --- one metric ------------------------------------------------------------------------ */

struct gathering {
	const char *name;
	uint32_t metric; /* 0: not known */
	struct sample *samples;
	size_t count, capacity;
	bool out_of_memory;
};

static void match_name(void *context, uint32_t metric, const char *name)
{
	struct gathering *gathering = context;

	if (strcmp(name, gathering->name) == 0)
		gathering->metric = metric;
}

static struct sample *next_sample(struct gathering *gathering)
{
	size_t capacity = gathering->capacity > 0 ? 2 * gathering->capacity : 64;
	struct sample *samples;

	if (gathering->count == gathering->capacity) {
		samples = reallocarray(gathering->samples, capacity, sizeof(*samples));
		if (samples == NULL) {
			gathering->out_of_memory = true;
			return NULL;
		}
		gathering->samples = samples;
		gathering->capacity = capacity;
	}
	return &gathering->samples[gathering->count++];
}

static void gather(void *context, const struct history_row *row)
{
	struct gathering *gathering = context;

	/* What maintenance did to the values is no news of the platform. */
	for (size_t i = 0; i < row->count && !row->mark.maintenance; i++) {
		struct history_value value = history_value(row, i);
		struct sample *sample;

		if (value.metric != gathering->metric)
			continue;
		sample = next_sample(gathering);
		if (sample == NULL)
			return;
		*sample = (struct sample){
			.at_ns = row->mark.at_ns, .value = value.value, .censored = value.censored};
		text_copy(sample->run_id, sizeof(sample->run_id), row->mark.run_id);
	}
}

static int hand_over(struct gathering *gathering, int result, struct sample **samples_r,
	size_t *count_r, struct failure *why)
{
	if (result == 0 && gathering->out_of_memory)
		result = failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (result < 0) {
		free(gathering->samples);
		return -1;
	}
	*samples_r = gathering->samples;
	*count_r = gathering->count;
	return 0;
}

int history_samples(struct state *state, const char *customer, const char *scenario,
	const char *vantage, const char *metric, int64_t since_ns, struct sample **samples_r,
	size_t *count_r, struct failure *why)
{
	struct gathering gathering = {.name = metric};
	int result;

	result = history_names(state, customer, scenario, vantage, match_name, &gathering, why);
	if (result == 0 && gathering.metric != 0)
		result = history_sweep(
			state, customer, scenario, vantage, since_ns, gather, &gathering, why);
	return hand_over(&gathering, result, samples_r, count_r, why);
}

/* --- the newest ------------------------------------------------------------------------ */

#define ROW "SELECT " COLUMNS " FROM runs WHERE id BETWEEN ? AND ?"
#define MARK "SELECT run_id, at_ns, outcome, maintenance FROM runs WHERE id BETWEEN ? AND ?"
#define JUDGED " AND outcome IN ('pass', 'warn', 'fail') AND maintenance = 0"
#define NEWEST_FIRST " ORDER BY id DESC"

/* Newest first, so that a limit costs no more than itself. */
static void begin_newest(struct statement *query, struct state *state, const char *sql,
	int64_t series, int64_t since_ns)
{
	statement_begin(query, state, sql);
	statement_bind_integer(query, series_run_id(series, since_ns));
	statement_bind_integer(query, series_run_id(series, INT64_MAX));
}

static int newest_samples(struct state *state, int64_t series, size_t limit,
	struct gathering *gathering, struct failure *why)
{
	struct statement query;

	begin_newest(&query, state, ROW JUDGED NEWEST_FIRST, series, 0);
	while (gathering->count < limit && statement_row(&query)) {
		struct history_row row;

		read_row(&query, &row);
		gather(gathering, &row);
	}
	return statement_end(&query, why);
}

int history_recent(struct state *state, const char *customer, const char *scenario,
	const char *vantage, size_t limit,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};
	struct statement query;
	int64_t series;

	if (series_find(state, &key, &series, why) < 0)
		return -1;
	begin_newest(&query, state, ROW JUDGED NEWEST_FIRST, series, 0);
	for (; limit > 0 && statement_row(&query); limit--) {
		struct history_row row;

		read_row(&query, &row);
		each(context, &row);
	}
	return statement_end(&query, why);
}

static void reverse_samples(struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct sample sample = samples[i];

		samples[i] = samples[count - 1 - i];
		samples[count - 1 - i] = sample;
	}
}

int history_newest(struct state *state, const char *customer, const char *scenario,
	const char *vantage, const char *metric, size_t limit, struct sample **samples_r,
	size_t *count_r, struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};
	struct gathering gathering = {.name = metric};
	int64_t series;
	int result;

	if (series_find(state, &key, &series, why) < 0)
		return -1;
	result = history_names(state, customer, scenario, vantage, match_name, &gathering, why);
	if (result == 0 && gathering.metric != 0)
		result = newest_samples(state, series, limit, &gathering, why);
	if (gathering.count > limit)
		gathering.count = limit;
	reverse_samples(gathering.samples, gathering.count);
	return hand_over(&gathering, result, samples_r, count_r, why);
}

/* --- runs ------------------------------------------------------------------------------ */

static void reverse_runs(struct run_mark *runs, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct run_mark mark = runs[i];

		runs[i] = runs[count - 1 - i];
		runs[count - 1 - i] = mark;
	}
}

/* Appends to *runs; -1 if memory is out. */
static int push_run(struct run_mark **runs, size_t count, struct statement *query)
{
	/* Room is doubled at each power of two from 64 on. */
	if (count == 0 || (count >= 64 && (count & (count - 1)) == 0)) {
		struct run_mark *more =
			reallocarray(*runs, count > 0 ? 2 * count : 64, sizeof(*more));

		if (more == NULL)
			return -1;
		*runs = more;
	}
	read_mark(query, &(*runs)[count]);
	return 0;
}

#define WITHIN " AND at_ns BETWEEN ? AND ?"

struct run_choice {
	bool judged_only;
	int64_t since_ns, until_ns; /* until 0: for ever */
	size_t limit;               /* 0: all */
};

static int read_runs(struct state *state, int64_t series, const struct run_choice *choice,
	struct run_mark **runs, size_t *count, struct failure *why)
{
	struct statement query;
	int result = 0;

	begin_newest(&query, state,
		choice->judged_only ? MARK JUDGED WITHIN NEWEST_FIRST " LIMIT ?"
				    : MARK WITHIN NEWEST_FIRST " LIMIT ?",
		series, choice->since_ns);
	statement_bind_integer(&query, choice->since_ns);
	statement_bind_integer(&query, choice->until_ns > 0 ? choice->until_ns : INT64_MAX);
	statement_bind_integer(&query, choice->limit > 0 ? (int64_t)choice->limit : -1);
	while (result == 0 && statement_row(&query)) {
		result = push_run(runs, *count, &query);
		*count += result == 0;
	}
	if (result < 0)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	return statement_end(&query, why) < 0 ? -1 : result;
}

static int choose_runs(struct state *state, const struct series_key *key,
	const struct run_choice *choice, struct run_mark **runs_r, size_t *count_r,
	struct failure *why)
{
	struct run_mark *runs = NULL;
	size_t count = 0;
	int64_t series;

	if (series_find(state, key, &series, why) < 0)
		return -1;
	if (read_runs(state, series, choice, &runs, &count, why) < 0) {
		free(runs);
		return -1;
	}
	reverse_runs(runs, count);
	*runs_r = runs;
	*count_r = count;
	return 0;
}

int history_runs(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t since_ns, size_t limit, struct run_mark **runs_r,
	size_t *count_r, struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};
	const struct run_choice choice = {.since_ns = since_ns, .limit = limit};

	return choose_runs(state, &key, &choice, runs_r, count_r, why);
}

int history_judged(struct state *state, const char *customer, const char *scenario,
	const char *vantage, int64_t until_ns, size_t limit, struct run_mark **runs_r,
	size_t *count_r, struct failure *why)
{
	const struct series_key key = {customer, scenario, vantage};
	const struct run_choice choice = {
		.judged_only = true, .until_ns = until_ns, .limit = limit};

	return choose_runs(state, &key, &choice, runs_r, count_r, why);
}
