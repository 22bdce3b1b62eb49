#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "error_type.h"
#include "ledger.h"
#include "retention.h"
#include "rollup_store.h"
#include "sample.h"
#include "series.h"
#include "state_private.h"
#include "statement.h"

#include "ban.h"

#define DAY (86400 * NS_PER_SECOND)
/* Bounded work, and yet more than an hour adds: many rows of a page go at once, so that dropping
 * costs a run next to nothing. */
#define PRUNE_RUNS 2048
#define PRUNE_MAILS 4096

struct adding {
	struct state *state;
	int64_t series;
	json_t *metrics; /* name: id, of the series */
	unsigned char *bytes;
	size_t count;
	const struct retention *keep;
	struct failure *why;
};

static int load_metrics(struct adding *adding)
{
	struct statement query;

	statement_begin(&query, adding->state, "SELECT name, id FROM metrics WHERE series = ?");
	statement_bind_integer(&query, adding->series);
	while (statement_row(&query))
		json_object_set_new(adding->metrics, statement_text(&query, 0),
			json_integer(statement_integer(&query, 1)));
	return statement_end(&query, adding->why);
}

static int make_metric(struct adding *adding, const char *name, uint32_t *id_r)
{
	struct statement query;

	statement_begin(&query, adding->state,
		"INSERT INTO metrics (series, name) VALUES (?, ?) RETURNING id");
	statement_bind_integer(&query, adding->series);
	statement_bind_text(&query, name);
	if (statement_row(&query))
		*id_r = (uint32_t)statement_integer(&query, 0);
	if (statement_run(&query, adding->why) < 0)
		return -1;
	json_object_set_new(adding->metrics, name, json_integer(*id_r));
	return 0;
}

static int add_sample(void *context, const char *metric, struct sample_value value)
{
	struct adding *adding = context;
	const json_t *known = json_object_get(adding->metrics, metric);
	uint32_t id = (uint32_t)json_integer_value(known);

	if (adding->count == SAMPLES_MAX)
		return 0;
	if (known == NULL && make_metric(adding, metric, &id) < 0)
		return -1;
	sample_pack((struct history_value){id, value.censored, value.attempt, value.value},
		adding->bytes + SAMPLE_BYTES * adding->count++);
	return 0;
}

static int lookup(struct state *state, const char *sql, int64_t number, const char *text,
	bool *found_r, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, sql);
	if (text != NULL)
		statement_bind_text(&query, text);
	else
		statement_bind_integer(&query, number);
	*found_r = statement_row(&query);
	return statement_end(&query, why);
}

/* Two runs of a series within one millisecond only happen in tests and rebuilds: the next free
 * id then. */
static int free_id(struct state *state, int64_t *id, struct failure *why)
{
	bool taken = true;

	for (;;) {
		if (lookup(state, "SELECT 1 FROM runs WHERE id = ?", *id, NULL, &taken, why) < 0)
			return -1;
		if (!taken)
			return 0;
		++*id;
	}
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static int insert_run(
	struct adding *adding, const json_t *record, int64_t at_ns, struct failure *why)
{
	struct statement query;
	int64_t id = series_run_id(adding->series, at_ns);

	if (free_id(adding->state, &id, why) < 0)
		return -1;
	statement_begin(&query, adding->state,
		"INSERT INTO runs (id, run_id, at_ns, outcome, samples, error_type, maintenance)"
		" VALUES (?, ?, ?, ?, ?, NULLIF(?, ''), ?)");
	statement_bind_integer(&query, id);
	statement_bind_text(&query, member(record, "run_id"));
	statement_bind_integer(&query, at_ns);
	statement_bind_text(&query, member(record, "outcome"));
	statement_bind_blob(&query, adding->bytes, SAMPLE_BYTES * adding->count);
	statement_bind_text(&query, member(record, "error_type"));
	statement_bind_integer(&query, json_object_get(record, "maintenance") != NULL);
	return statement_run(&query, why);
}

/* Milliseconds since 2020 are in the lower bits of an id. */
#define HOUR_OF(id) "(" id " & 4398046511103) / 3600000"

/* Hours with a mail that may still come stay: with all its rows an hour can be made anew. A mailbox
 * that stays away holds them for 35 days more. */
static int prune_runs(struct state *state, int64_t series, const json_t *record, int64_t before_ns,
	struct failure *why)
{
	struct statement query;

	statement_begin(&query, state,
		"DELETE FROM runs WHERE id IN"
		" (SELECT id FROM runs WHERE id BETWEEN ? AND ? AND (id < ? OR " HOUR_OF("id")
		" NOT IN (SELECT " HOUR_OF("r.id") " FROM mails m JOIN runs r USING (run_id)"
		" WHERE m.customer = ? AND m.scenario = ? AND m.settled = 0))"
		" ORDER BY id LIMIT ?)");
	statement_bind_integer(&query, series_run_id(series, 0));
	statement_bind_integer(&query, series_run_id(series, before_ns) - 1);
	statement_bind_integer(&query, series_run_id(series, before_ns - HISTORY_DAYS * DAY));
	statement_bind_text(&query, member(record, "customer"));
	statement_bind_text(&query, member(record, "scenario"));
	statement_bind_integer(&query, PRUNE_RUNS);
	return statement_run(&query, why);
}

static int add_samples(struct adding *adding, const json_t *record, int64_t at_ns)
{
	if (load_metrics(adding) < 0)
		return -1;
	if (sample_record(record, adding->state->step_facts, add_sample, adding) < 0)
		return -1;
	return insert_run(adding, record, at_ns, adding->why);
}

static int forget_beginning(struct state *state, const char *run_id, struct failure *why)
{
	struct statement query;

	statement_begin(&query, state, "DELETE FROM begun WHERE run_id = ?");
	statement_bind_text(&query, run_id);
	return statement_run(&query, why);
}

static int take_in(
	struct adding *adding, const json_t *record, int64_t at_ns, bool *closed_r)
{
	struct state *state = adding->state;
	struct failure *why = adding->why;

	if (rollup_take_in(state, adding->series, at_ns, closed_r, why) < 0)
		return -1;
	if (!*closed_r)
		return 0;
	if (rollup_prune(state, adding->series, at_ns - adding->keep->rollups_ns, why) < 0)
		return -1;
	return prune_runs(
		state, adding->series, record, at_ns - adding->keep->values_ns, why);
}

/* As its run's ledger had it done already, if this is not made anew or replayed. */
static int settle_earlier(struct state *state, const json_t *record, struct failure *why)
{
	const json_t *mail;
	size_t index;

	json_array_foreach(json_object_get(record, "settled"), index, mail)
	{
		if (history_settle(state, mail, why) < 0)
			return -1;
	}
	return 0;
}

static int add(struct state *state, const json_t *record, int64_t at_ns,
	const struct retention *keep, bool *closed_r, struct failure *why)
{
	const struct series_key key = {
		member(record, "customer"), member(record, "scenario"), member(record, "vantage")};
	struct adding adding = {.state = state, .keep = keep, .why = why};
	bool known;
	int result = -1;

	if (forget_beginning(state, member(record, "run_id"), why) < 0 ||
		settle_earlier(state, record, why) < 0 ||
		lookup(state, "SELECT 1 FROM runs WHERE run_id = ?", 0, member(record, "run_id"),
			&known, why) < 0 ||
		series_make(state, &key, &adding.series, why) < 0)
		return -1;
	if (known)
		return 0;
	adding.metrics = json_object();
	adding.bytes = calloc(SAMPLES_MAX, SAMPLE_BYTES);
	if (adding.bytes == NULL || adding.metrics == NULL)
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	else if (add_samples(&adding, record, at_ns) == 0)
		result = take_in(&adding, record, at_ns, closed_r);
	free(adding.bytes);
	json_decref(adding.metrics);
	return result;
}

int history_add(struct state *state, const json_t *record, struct failure *why)
{
	static const struct retention usual;

	return history_add_keeping(state, record, &usual, why);
}

int history_add_keeping(struct state *state, const json_t *record, const struct retention *keep,
	struct failure *why)
{
	const struct retention full = retention_of(keep);
	bool closed = false;
	int64_t at_ns;

	if (clock_parse(member(record, "started_at"), &at_ns) < 0 ||
		!field_is_name(member(record, "run_id")) ||
		name_index(outcome_names, member(record, "outcome")) < 0)
		return failure_set(why, ERROR_WORKER_PROTOCOL,
			"a result without run_id, started_at or outcome cannot be kept");
	if (state_begin(state, why) < 0 ||
		state_finish(state, add(state, record, at_ns, &full, &closed, why), why) < 0)
		return -1;
	return !closed ? 0 : ledger_prune(state, at_ns - HISTORY_DAYS * DAY, PRUNE_MAILS, why);
}
