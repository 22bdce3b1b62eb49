#include "series.h"

#include "clock.h"
#include "statement.h"

#include "ban.h"

#define TIME_BITS 42
#define EPOCH_2020 (INT64_C(1577836800) * NS_PER_SECOND)

int64_t series_run_id(int64_t series, int64_t at_ns)
{
	int64_t ms = (at_ns - EPOCH_2020) / NS_PER_MS;
	int64_t most = (INT64_C(1) << TIME_BITS) - 1;

	if (at_ns < EPOCH_2020)
		ms = 0;
	return (series << TIME_BITS) + (ms < most ? ms : most);
}

int64_t series_of_run(int64_t id)
{
	return id >> TIME_BITS;
}

int64_t series_run_time(int64_t id)
{
	return EPOCH_2020 + (id & ((INT64_C(1) << TIME_BITS) - 1)) * NS_PER_MS;
}

static void bind_key(struct statement *query, const struct series_key *key)
{
	statement_bind_text(query, key->customer);
	statement_bind_text(query, key->scenario);
	statement_bind_text(query, key->vantage);
}

int series_find(
	struct state *state, const struct series_key *key, int64_t *id_r, struct failure *why)
{
	struct statement query;

	*id_r = 0;
	statement_begin(&query, state,
		"SELECT id FROM series WHERE customer = ? AND scenario = ? AND vantage = ?");
	bind_key(&query, key);
	if (statement_row(&query))
		*id_r = statement_integer(&query, 0);
	return statement_end(&query, why);
}

int series_make(
	struct state *state, const struct series_key *key, int64_t *id_r, struct failure *why)
{
	struct statement query;

	if (series_find(state, key, id_r, why) < 0)
		return -1;
	if (*id_r != 0)
		return 0;
	statement_begin(
		&query, state, "INSERT INTO series (customer, scenario, vantage) VALUES (?, ?, ?)");
	bind_key(&query, key);
	if (statement_run(&query, why) < 0)
		return -1;
	return series_find(state, key, id_r, why);
}

int series_vantages(struct state *state, const char *customer, const char *scenario,
	void (*each)(void *context, const char *vantage), void *context, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"SELECT vantage FROM series WHERE customer = ? AND scenario = ? ORDER BY vantage");
	statement_bind_text(&query, customer);
	statement_bind_text(&query, scenario);
	while (statement_row(&query))
		each(context, statement_text(&query, 0));
	return statement_end(&query, why);
}
