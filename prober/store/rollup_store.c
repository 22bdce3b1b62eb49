#include "rollup_store.h"

#include <stdlib.h>

#include "clock.h"
#include "error_type.h"
#include "history_private.h"
#include "rollup_private.h"
#include "series.h"
#include "statement.h"

#include "ban.h"

_Static_assert(ROLLUP_HOUR == 3600 * NS_PER_SECOND, "an hour in nanoseconds");

/* One of both tables. */
struct span {
	int64_t length_ns;
	const char *newest_sql, *one_sql, *put_sql, *each_sql, *prune_sql;
};

#define SPAN(length, table)                                                                        \
	{                                                                                          \
		(length), "SELECT max(id) FROM " table " WHERE id BETWEEN ? AND ?",                \
			"SELECT rollup FROM " table " WHERE id = ?",                               \
			"INSERT INTO " table " (id, rollup) VALUES (?, ?)"                         \
			" ON CONFLICT DO UPDATE SET rollup = excluded.rollup",                     \
			"SELECT id, rollup FROM " table " WHERE id >= ? AND id < ? ORDER BY id",   \
			"DELETE FROM " table " WHERE id >= ? AND id < ?"                           \
	}

static const struct span hours = SPAN(ROLLUP_HOUR, "hours");
static const struct span days = SPAN(ROLLUP_DAY, "days");

int64_t rollup_floor(int64_t at_ns, int64_t length_ns)
{
	return at_ns - at_ns % length_ns;
}

static int out_of_memory(struct failure *why)
{
	return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
}

static int damaged(struct failure *why)
{
	return failure_set(why, ERROR_LOCAL_STORAGE,
		"a roll-up in state.db is damaged: mailprobe rebuild makes it anew");
}

/* --- one row --------------------------------------------------------------------------- */

static int add_column(
	struct statement *query, int column, struct rollup *rollup, struct failure *why)
{
	bool is_damaged;
	size_t size;
	const unsigned char *bytes = statement_blob(query, column, &size);

	if (rollup_add_packed(rollup, bytes, size, &is_damaged) == 0)
		return 0;
	return is_damaged ? damaged(why) : out_of_memory(why);
}

/* Adds nothing where there is no row. */
static int read_one(struct state *state, const struct span *span, int64_t id, struct rollup *rollup,
	struct failure *why)
{
	struct statement query;
	int result = 0;

	statement_begin(&query, state, span->one_sql);
	statement_bind_integer(&query, id);
	if (statement_row(&query))
		result = add_column(&query, 0, rollup, why);
	return statement_end(&query, why) < 0 ? -1 : result;
}

static int put_one(struct state *state, const struct span *span, int64_t id,
	const struct rollup *rollup, struct failure *why)
{
	struct statement query;
	size_t size;
	unsigned char *bytes = rollup_pack(rollup, &size);
	int result;

	if (bytes == NULL)
		return out_of_memory(why);
	statement_begin(&query, state, span->put_sql);
	statement_bind_integer(&query, id);
	statement_bind_blob(&query, bytes, size);
	result = statement_run(&query, why);
	free(bytes);
	return result;
}

/* The end of the newest row; 0 if there is none. */
static int end_of(struct state *state, const struct span *span, int64_t series, int64_t *end_ns_r,
	struct failure *why)
{
	struct statement query;
	int64_t id = 0;

	statement_begin(&query, state, span->newest_sql);
	statement_bind_integer(&query, series_run_id(series, 0));
	statement_bind_integer(&query, series_run_id(series, INT64_MAX));
	if (statement_row(&query))
		id = statement_integer(&query, 0);
	*end_ns_r = id != 0 ? series_run_time(id) + span->length_ns : 0;
	return statement_end(&query, why);
}

/* --- making ---------------------------------------------------------------------------- */

struct summing {
	struct rollup rollup;
	bool out_of_memory;
};

static void add_row(void *context, const struct history_row *row)
{
	struct summing *summing = context;

	if (rollup_add_run(&summing->rollup, row) < 0)
		summing->out_of_memory = true;
}

static int sum_rows(struct state *state, int64_t series, int64_t hour_ns, struct rollup *rollup_r,
	struct failure *why)
{
	struct summing summing = {.out_of_memory = false};
	int result = history_each(state, series_run_id(series, hour_ns),
		series_run_id(series, hour_ns + ROLLUP_HOUR), add_row, &summing, why);

	*rollup_r = summing.rollup;
	return result == 0 && summing.out_of_memory ? out_of_memory(why) : result;
}

static int close_hour(struct state *state, int64_t series, int64_t hour_ns, struct failure *why)
{
	struct rollup rollup;
	int result = sum_rows(state, series, hour_ns, &rollup, why);

	if (result == 0)
		result = put_one(state, &hours, series_run_id(series, hour_ns), &rollup, why);
	rollup_free(&rollup);
	return result;
}

static int sum_hours(struct state *state, int64_t series, int64_t since_ns, int64_t until_ns,
	struct rollup *rollup, struct failure *why)
{
	struct statement query;
	int result = 0;

	statement_begin(&query, state, hours.each_sql);
	statement_bind_integer(&query, series_run_id(series, since_ns));
	statement_bind_integer(&query, series_run_id(series, until_ns));
	while (result == 0 && statement_row(&query))
		result = add_column(&query, 1, rollup, why);
	return statement_end(&query, why) < 0 ? -1 : result;
}

static int close_day(struct state *state, int64_t series, int64_t day_ns, struct failure *why)
{
	struct rollup rollup = {.maintenance = 0};
	int result = sum_hours(state, series, day_ns, day_ns + ROLLUP_DAY, &rollup, why);

	if (result == 0)
		result = put_one(state, &days, series_run_id(series, day_ns), &rollup, why);
	rollup_free(&rollup);
	return result;
}

/* Of the first row in [since, until), its instant; 0 if there is none. */
static int first_in(struct state *state, const char *sql, int64_t series, int64_t since_ns,
	int64_t until_ns, int64_t *at_ns_r, struct failure *why)
{
	struct statement query;
	int64_t id = 0;

	statement_begin(&query, state, sql);
	statement_bind_integer(&query, series_run_id(series, since_ns));
	statement_bind_integer(&query, series_run_id(series, until_ns));
	if (statement_row(&query))
		id = statement_integer(&query, 0);
	*at_ns_r = id != 0 ? series_run_time(id) : 0;
	return statement_end(&query, why);
}

/* Closes each hour, or day, with runs from the newest row on up to the one that is going on. */
static int close_all(struct state *state, const struct span *span, const char *first_sql,
	int (*close)(struct state *state, int64_t series, int64_t begin_ns, struct failure *why),
	int64_t series, int64_t at_ns, bool *closed_r, struct failure *why)
{
	int64_t until_ns = rollup_floor(at_ns, span->length_ns), since_ns, first_ns;

	*closed_r = false;
	if (end_of(state, span, series, &since_ns, why) < 0)
		return -1;
	for (;;) {
		if (first_in(state, first_sql, series, since_ns, until_ns, &first_ns, why) < 0)
			return -1;
		if (first_ns == 0)
			return 0;
		first_ns = rollup_floor(first_ns, span->length_ns);
		if (close(state, series, first_ns, why) < 0)
			return -1;
		since_ns = first_ns + span->length_ns;
		*closed_r = true;
	}
}

/* --- correcting ------------------------------------------------------------------------ */

static int forget_trend(struct state *state, int64_t series, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, "DELETE FROM trends WHERE series = ?");
	statement_bind_integer(&query, series);
	return statement_run(&query, why);
}

static int correct_day(struct state *state, int64_t series, int64_t day_ns, struct failure *why)
{
	int64_t end_ns;

	if (end_of(state, &days, series, &end_ns, why) < 0)
		return -1;
	return day_ns < end_ns ? close_day(state, series, day_ns, why) : 0;
}

/* The hour with so many runs more than it had. */
static int correct_hour(struct state *state, int64_t series, int64_t hour_ns, uint64_t more,
	struct failure *why)
{
	const int64_t id = series_run_id(series, hour_ns);
	struct rollup before = {.maintenance = 0}, now = {.maintenance = 0};
	int result = read_one(state, &hours, id, &before, why);

	if (result == 0)
		result = sum_rows(state, series, hour_ns, &now, why);
	if (result == 0 && rollup_runs(&now) == rollup_runs(&before) + more) {
		result = put_one(state, &hours, id, &now, why);
		if (result == 0)
			result = correct_day(state, series, rollup_floor(hour_ns, ROLLUP_DAY), why);
		if (result == 0)
			result = forget_trend(state, series, why);
	}
	rollup_free(&before);
	rollup_free(&now);
	return result;
}

int rollup_take_in(
	struct state *state, int64_t series, int64_t at_ns, bool *closed_r, struct failure *why)
{
	bool day_closed;
	int64_t end_ns;

	*closed_r = false;
	if (end_of(state, &hours, series, &end_ns, why) < 0)
		return -1;
	if (at_ns < end_ns)
		return correct_hour(state, series, rollup_floor(at_ns, ROLLUP_HOUR), 1, why);
	if (close_all(state, &hours, "SELECT min(id) FROM runs WHERE id >= ? AND id < ?",
		    close_hour, series, at_ns, closed_r, why) < 0)
		return -1;
	if (!*closed_r)
		return 0;
	return close_all(state, &days, "SELECT min(id) FROM hours WHERE id >= ? AND id < ?",
		close_day, series, at_ns, &day_closed, why);
}

int rollup_correct(struct state *state, int64_t series, int64_t at_ns, struct failure *why)
{
	int64_t end_ns;

	if (end_of(state, &hours, series, &end_ns, why) < 0)
		return -1;
	if (at_ns >= end_ns)
		return 0;
	return correct_hour(state, series, rollup_floor(at_ns, ROLLUP_HOUR), 0, why);
}

/* --- reading --------------------------------------------------------------------------- */

int rollup_end(struct state *state, int64_t series, int64_t *end_ns_r, struct failure *why)
{
	return end_of(state, &hours, series, end_ns_r, why);
}

static int64_t ceiling(int64_t at_ns, int64_t length_ns)
{
	return rollup_floor(at_ns + length_ns - 1, length_ns);
}

int rollup_read(struct state *state, int64_t series, int64_t since_ns, int64_t until_ns,
	struct rollup *rollup, struct failure *why)
{
	int64_t first_ns = ceiling(since_ns, ROLLUP_DAY), last_ns;
	struct statement query;
	int result = 0;

	if (end_of(state, &days, series, &last_ns, why) < 0)
		return -1;
	if (last_ns > until_ns)
		last_ns = rollup_floor(until_ns, ROLLUP_DAY);
	if (first_ns >= last_ns)
		return sum_hours(state, series, since_ns, until_ns, rollup, why);
	if (sum_hours(state, series, since_ns, first_ns, rollup, why) < 0)
		return -1;
	statement_begin(&query, state, days.each_sql);
	statement_bind_integer(&query, series_run_id(series, first_ns));
	statement_bind_integer(&query, series_run_id(series, last_ns));
	while (result == 0 && statement_row(&query))
		result = add_column(&query, 1, rollup, why);
	if (statement_end(&query, why) < 0 || result < 0)
		return -1;
	return sum_hours(state, series, last_ns, until_ns, rollup, why);
}

int rollup_each(struct state *state, int64_t series, int64_t length_ns, int64_t since_ns,
	int64_t until_ns,
	void (*each)(void *context, int64_t begin_ns, const struct rollup *rollup), void *context,
	struct failure *why)
{
	const struct span *span = length_ns == ROLLUP_DAY ? &days : &hours;
	struct rollup rollup = {.maintenance = 0};
	struct statement query;
	int result = 0;

	statement_begin(&query, state, span->each_sql);
	statement_bind_integer(&query, series_run_id(series, since_ns));
	statement_bind_integer(&query, series_run_id(series, until_ns));
	while (result == 0 && statement_row(&query)) {
		rollup_empty(&rollup);
		result = add_column(&query, 1, &rollup, why);
		if (result == 0)
			each(context, series_run_time(statement_integer(&query, 0)), &rollup);
	}
	rollup_free(&rollup);
	return statement_end(&query, why) < 0 ? -1 : result;
}

static int prune_span(struct state *state, const struct span *span, int64_t series,
	int64_t before_ns, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, span->prune_sql);
	statement_bind_integer(&query, series_run_id(series, 0));
	statement_bind_integer(&query, series_run_id(series, before_ns));
	return statement_run(&query, why);
}

int rollup_prune(struct state *state, int64_t series, int64_t before_ns, struct failure *why)
{
	if (prune_span(state, &hours, series, before_ns, why) < 0)
		return -1;
	return prune_span(state, &days, series, before_ns, why);
}
