#include "ledger_read.h"

#include "record.h"
#include "statement.h"

#include "ban.h"

#define OF_SERIES " (?1 IS NULL OR customer = ?1) AND (?2 IS NULL OR scenario = ?2)"
#define ODD                                                                                        \
	" settled = 1 AND (state NOT IN ('delivered', 'refused', 'accepted')"                                  \
	" OR coalesce(json_extract(record, '$.duplicates'), 0) > 0)"

static void begin(struct statement *query, struct state *state, const char *sql,
	const char *customer, const char *scenario)
{
	statement_begin(query, state, sql);
	statement_bind_text(query, customer);
	statement_bind_text(query, scenario);
}

int ledger_each(struct state *state, const char *customer, const char *scenario,
	enum ledger_choice choice, int64_t limit,
	void (*each)(void *context, const struct ledger_mail *mail), void *context,
	struct failure *why)
{
	static const char *const queries[] = {
		[LEDGER_OPEN] = "SELECT customer, scenario, vantage, run_id, state, intent_ns,"
				" changed_ns, record FROM mails WHERE settled = 0 AND" OF_SERIES
				" ORDER BY id LIMIT ?3",
		[LEDGER_ODD] = "SELECT customer, scenario, vantage, run_id, state, intent_ns,"
			       " changed_ns, record FROM mails WHERE" ODD " AND" OF_SERIES
			       " ORDER BY id DESC LIMIT ?3",
	};
	struct statement query;

	begin(&query, state, queries[choice], customer, scenario);
	statement_bind_integer(&query, limit);
	while (statement_row(&query)) {
		json_t *record = json_loads(statement_text(&query, 7), 0, NULL);
		const struct ledger_mail mail = {
			.customer = statement_text(&query, 0),
			.scenario = statement_text(&query, 1),
			.vantage = statement_text(&query, 2),
			.run_id = statement_text(&query, 3),
			.state = statement_text(&query, 4),
			.intent_ns = statement_integer(&query, 5),
			.changed_ns = statement_integer(&query, 6),
			.record = record,
		};

		each(context, &mail);
		json_decref(record);
	}
	return statement_end(&query, why);
}

static int count(struct state *state, const char *sql, const char *customer, const char *scenario,
	int64_t *count_r, struct failure *why)
{
	struct statement query;

	begin(&query, state, sql, customer, scenario);
	if (statement_row(&query))
		*count_r = statement_integer(&query, 0);
	return statement_end(&query, why);
}

static int count_states(struct state *state, const char *customer, const char *scenario,
	json_t *states, struct failure *why)
{
	struct statement query;

	for (size_t i = 0; mail_states[i] != NULL; i++)
		json_object_set_new(states, mail_states[i], json_integer(0));
	begin(&query, state,
		"SELECT state, sum(n) FROM"
		" (SELECT customer, scenario, state, 1 AS n FROM mails"
		"  UNION ALL SELECT customer, scenario, state, n FROM mails_past)"
		" WHERE" OF_SERIES " GROUP BY state",
		customer, scenario);
	while (statement_row(&query))
		json_object_set_new(states, statement_text(&query, 0),
			json_integer(statement_integer(&query, 1)));
	return statement_end(&query, why);
}

int ledger_sums(struct state *state, const char *customer, const char *scenario,
	struct ledger_sums *sums_r, struct failure *why)
{
	int64_t kept = 0, past = 0;
	int result;

	*sums_r = (struct ledger_sums){.states = json_object()};
	result = count_states(state, customer, scenario, sums_r->states, why);
	if (result == 0)
		result = count(state, "SELECT count(*) FROM mails WHERE" OF_SERIES, customer,
			scenario, &kept, why);
	if (result == 0)
		result = count(state, "SELECT coalesce(sum(n), 0) FROM mails_past WHERE" OF_SERIES,
			customer, scenario, &past, why);
	if (result == 0)
		result = count(state, "SELECT count(*) FROM mails WHERE settled = 0 AND" OF_SERIES,
			customer, scenario, &sums_r->open, why);
	if (result == 0)
		result = count(state, "SELECT count(*) FROM mails WHERE settled = 1 AND" OF_SERIES,
			customer, scenario, &sums_r->settled, why);
	if (result == 0)
		result = count(state, "SELECT count(*) FROM mails WHERE" ODD " AND" OF_SERIES,
			customer, scenario, &sums_r->odd, why);
	sums_r->sent = kept + past;
	sums_r->past = past;
	sums_r->settled += past;
	return result;
}
