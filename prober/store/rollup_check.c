/* The part of rollup_store.h that proves roll-ups by what they were made of. */
#include "rollup_store.h"

#include <stdlib.h>
#include <string.h>

#include "error_type.h"
#include "history_private.h"
#include "series.h"
#include "statement.h"

#include "ban.h"

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

/* One with other values, or that is no roll-up at all. */
static int is_same(const struct summing *summing, const unsigned char *bytes, size_t size)
{
	size_t made_size;
	unsigned char *made = rollup_pack(&summing->rollup, &made_size);
	int same;

	if (made == NULL || summing->out_of_memory) {
		free(made);
		return -1;
	}
	same = made_size == size && memcmp(made, bytes, size) == 0;
	free(made);
	return same;
}

static int sum_rows(struct state *state, int64_t id, struct summing *summing, struct failure *why)
{
	int64_t series = series_of_run(id), begin_ns = series_run_time(id);

	return history_each(
		state, id, series_run_id(series, begin_ns + ROLLUP_HOUR), add_row, summing, why);
}

/* A damaged hour is told of as such; its day differs. */
static int sum_hours(struct state *state, int64_t id, struct summing *summing, struct failure *why)
{
	struct statement query;
	bool damaged;

	statement_begin(
		&query, state, "SELECT rollup FROM hours WHERE id >= ? AND id < ? ORDER BY id");
	statement_bind_integer(&query, id);
	statement_bind_integer(
		&query, series_run_id(series_of_run(id), series_run_time(id) + ROLLUP_DAY));
	while (statement_row(&query)) {
		size_t size;
		const unsigned char *bytes = statement_blob(&query, 0, &size);

		if (rollup_add_packed(&summing->rollup, bytes, size, &damaged) < 0 && !damaged)
			summing->out_of_memory = true;
	}
	return statement_end(&query, why);
}

/* How many runs it claims; 0 if it is damaged. */
static uint64_t claimed(const unsigned char *bytes, size_t size)
{
	struct rollup rollup = {.maintenance = 0};
	bool damaged;
	uint64_t runs =
		rollup_add_packed(&rollup, bytes, size, &damaged) == 0 ? rollup_runs(&rollup) : 0;

	rollup_free(&rollup);
	return runs;
}

/* An hour with fewer rows than it claims cannot be proved; a day's hours are dropped no sooner than the day. */
static int check_one(struct state *state, bool is_day, int64_t id, const unsigned char *bytes,
	size_t size, struct failure *why)
{
	struct summing summing = {.out_of_memory = false};
	uint64_t runs = claimed(bytes, size);
	int same = 1;

	if ((is_day ? sum_hours : sum_rows)(state, id, &summing, why) < 0)
		same = -1;
	else if (is_day ||
		(rollup_runs(&summing.rollup) > 0 && rollup_runs(&summing.rollup) >= runs))
		same = is_same(&summing, bytes, size);
	rollup_free(&summing.rollup);
	return same;
}

static int check_table(struct state *state, bool is_day,
	void (*wrong)(void *context, const char *table, int64_t id), void *context,
	struct failure *why)
{
	struct statement query;
	int same = 1;

	statement_begin(&query, state,
		is_day ? "SELECT id, rollup FROM days ORDER BY id"
		       : "SELECT id, rollup FROM hours ORDER BY id");
	while (same >= 0 && statement_row(&query)) {
		int64_t id = statement_integer(&query, 0);
		size_t size;
		const unsigned char *bytes = statement_blob(&query, 1, &size);

		same = check_one(state, is_day, id, bytes, size, why);
		if (same == 0)
			wrong(context, is_day ? "days" : "hours", id);
	}
	return statement_end(&query, why) < 0 || same < 0 ? -1 : 0;
}

int rollup_check(struct state *state, void (*wrong)(void *context, const char *table, int64_t id),
	void *context, struct failure *why)
{
	if (check_table(state, false, wrong, context, why) < 0)
		return -1;
	return check_table(state, true, wrong, context, why);
}
