/* What the database tells of itself, and what it tells otherwise than the lines. */
#include <stdio.h>
#include <string.h>

#include "audit_private.h"
#include "clock.h"
#include "history.h"
#include "ledger_read.h"
#include "record.h"
#include "rollup_store.h"
#include "series.h"
#include "statement.h"
#include "text.h"

#include "ban.h"

#define EXAMPLES 3
#define HOUR (3600 * NS_PER_SECOND)
#define DAY (24 * HOUR)
/* The database is changed a moment after the end that a line tells. */
#define MOMENT (10 * NS_PER_SECOND)

/* --- one question ---------------------------------------------------------------------- */

/* A query whose rows are all wrong: each names what it is about. Parameters: ?1 customer, ?2
 * scenario (or NULL), ?3 the instant, ?4 what is older is not kept in the database, ?5 a moment. */
struct question {
	const char *subject;
	enum finding_level level;
	const char *good, *wrong; /* "%lld" is the number of rows */
	const char *advice;
	const char *sql;
};

static void bind(struct statement *query, const struct audit *audit)
{
	statement_bind_text(query, audit->customer);
	statement_bind_text(query, audit->scenario);
	statement_bind_integer(query, audit->now_ns);
	/* One day less: who writes drops by its own clock. */
	statement_bind_integer(query, audit->now_ns - (HISTORY_DAYS - 1) * DAY);
	statement_bind_integer(query, MOMENT);
}

static void ask(struct audit *audit, const struct question *question)
{
	struct findings *findings = audit->findings;
	struct failure why = {0};
	struct statement query;
	struct text examples;
	long long count = 0;

	text_init(&examples, 400);
	/* All parameters are there, whichever the question uses. */
	statement_begin(&query, audit->state, question->sql);
	bind(&query, audit);
	for (; statement_row(&query); count++)
		if (count < EXAMPLES)
			text_printf(&examples, "%s%s", count > 0 ? ", " : "",
				statement_text(&query, 0));
	if (statement_end(&query, &why) < 0)
		finding_say(findings, FINDING_UNKNOWN, question->subject, REBUILD_ADVICE, "%s",
			why.text);
	else if (count == 0)
		finding_say(findings, FINDING_OK, question->subject, NULL, "%s", question->good);
	else
		finding_say(findings, question->level, question->subject, question->advice,
			"%lld %s: %s%s", count, question->wrong, examples.bytes,
			count > EXAMPLES ? ", ..." : "");
	text_free(&examples);
}

/* Names ?1 to ?5, so that each query has all parameters. */
#define PARAMETERS                                                                                 \
	"WITH given (customer, scenario, now_ns, oldest_ns, moment_ns) AS"                         \
	" (VALUES (?1, ?2, ?3, ?4, ?5)) "
#define OF_SERIES(t)                                                                               \
	" (given.customer IS NULL OR " t ".customer = given.customer)"                             \
	" AND (given.scenario IS NULL OR " t ".scenario = given.scenario)"
#define OPEN_STATES "('sending', 'accepted', 'deferred', 'unknown')"

static const struct question of_database[] = {
	{"ledger", FINDING_BAD, "each mail counts as open or settled as its state says",
		"mails count as open or settled against their state", REBUILD_ADVICE,
		PARAMETERS "SELECT mail FROM mails m, given WHERE settled !="
			   " (state NOT IN " OPEN_STATES " OR"
			   " coalesce(json_extract(record, '$.unwatched'), 0)) AND" OF_SERIES("m")},
	{"ledger", FINDING_BAD, "each mail's record has the state that it is counted in",
		"mails are counted in another state than their record has", REBUILD_ADVICE,
		PARAMETERS "SELECT mail FROM mails m, given WHERE CASE WHEN json_valid(record)"
			   " THEN json_extract(record, '$.state') IS NOT state ELSE 1 END AND" OF_SERIES(
				   "m")},
};

static const struct question of_both[] = {
	{"agreement", FINDING_WARN, "no run has two lines", "runs have more than one line",
		"a crash may write a line twice; readers drop the second (docs/formats.md)",
		PARAMETERS "SELECT run_id FROM line_runs, given WHERE n > 1"},
	{"agreement", FINDING_BAD, "each run of the lines is in the database",
		"runs of the lines are missing in the database", REBUILD_ADVICE,
		PARAMETERS "SELECT run_id FROM line_runs, given WHERE at_ns >= oldest_ns AND"
			   " ended_ns < now_ns - moment_ns AND run_id NOT IN"
			   " (SELECT run_id FROM main.runs)"},
	{"agreement", FINDING_BAD, "each run of the database has its line",
		"runs of the database have no line",
		"a line was removed or is damaged; if it cannot be brought back, " REBUILD_ADVICE,
		PARAMETERS "SELECT r.run_id FROM main.runs r JOIN series s ON s.id = r.id >> 42,"
			   " given WHERE r.run_id NOT IN (SELECT run_id FROM line_runs) AND" OF_SERIES(
				   "s")},
	{"agreement", FINDING_BAD, "each mail of the lines is in the ledger",
		"mails of the lines are missing in the ledger", REBUILD_ADVICE,
		PARAMETERS "SELECT mail FROM line_mails, given WHERE at_ns >= oldest_ns AND"
			   " at_ns < now_ns - moment_ns AND mail NOT IN (SELECT mail FROM mails)"},
	/* A run that is going on may have moved a mail, and has no line yet. */
	{"agreement", FINDING_BAD, "each mail's last state in the lines is the ledger's",
		"mails have another state in the ledger than in the lines", REBUILD_ADVICE,
		PARAMETERS "SELECT m.mail || ' (ledger: ' || m.state || ', lines: ' || l.state || ')'"
			   " FROM line_mails l JOIN mails m ON m.mail = l.mail, given"
			   " WHERE l.state != m.state AND NOT"
			   " (m.changed_ns > l.at_ns + moment_ns AND"
			   "  m.changed_ns > now_ns - 3600000000000)"},
	{"agreement", FINDING_WARN, "each mail of the ledger is in a line",
		"mails of the ledger are in no line",
		"their runs were killed before they could write one, or the line is lost; the "
		"ledger has them",
		PARAMETERS "SELECT mail FROM mails m, given WHERE intent_ns < now_ns - 3600000000000"
			   " AND mail NOT IN (SELECT mail FROM line_mails) AND" OF_SERIES("m")},
};

#define ASK_ALL(audit, questions)                                                                  \
	for (size_t i = 0; i < sizeof(questions) / sizeof((questions)[0]); i++)                    \
	ask(audit, &(questions)[i])

/* --- the database by itself ------------------------------------------------------------ */

static void check_integrity(struct audit *audit)
{
	struct failure why = {0};
	struct statement query;
	char first[200] = "";

	statement_begin(&query, audit->state, "PRAGMA integrity_check(3)");
	while (statement_row(&query))
		if (first[0] == '\0')
			text_copy(first, sizeof(first), statement_text(&query, 0));
	if (statement_end(&query, &why) < 0)
		text_copy(first, sizeof(first), why.text);
	if (strcmp(first, "ok") == 0)
		finding_say(audit->findings, FINDING_OK, "database", NULL,
			"its structure is whole (integrity_check)");
	else
		finding_say(audit->findings, FINDING_BAD, "database", REBUILD_ADVICE,
			"its structure is damaged: %s", first);
}

static int64_t sum_of(const json_t *states)
{
	int64_t sum = 0;
	const char *name;
	json_t *count;

	json_object_foreach((json_t *)(uintptr_t)states, name, count) sum +=
		json_integer_value(count);
	return sum;
}

static void check_sums(struct audit *audit)
{
	struct failure why = {0};
	struct ledger_sums sums;
	size_t known = 0;

	while (mail_states[known] != NULL)
		known++;
	if (ledger_sums(audit->state, audit->customer, audit->scenario, &sums, &why) < 0)
		finding_say(audit->findings, FINDING_UNKNOWN, "ledger", REBUILD_ADVICE, "%s",
			why.text);
	else if (sums.sent == sums.settled + sums.open && sum_of(sums.states) == sums.sent &&
		 json_object_size(sums.states) == known)
		finding_say(audit->findings, FINDING_OK, "ledger", NULL,
			"the sums add up: %lld mails sent = %lld settled + %lld open",
			(long long)sums.sent, (long long)sums.settled, (long long)sums.open);
	else
		finding_say(audit->findings, FINDING_BAD, "ledger", REBUILD_ADVICE,
			"the sums do not add up: %lld mails sent, %lld settled, %lld open, %lld in "
			"%zu states",
			(long long)sums.sent, (long long)sums.settled, (long long)sums.open,
			(long long)sum_of(sums.states), json_object_size(sums.states));
	json_decref(sums.states);
}

struct rollup_audit {
	struct text examples;
	long long count;
};

static void on_wrong_rollup(void *context, const char *table, int64_t id)
{
	struct rollup_audit *found = context;
	char begin[CLOCK_TIMESTAMP_SIZE];

	clock_format(series_run_time(id), begin);
	if (found->count++ < EXAMPLES)
		text_printf(&found->examples, "%s%s of series %lld from %s",
			found->count > 1 ? ", " : "", table, (long long)series_of_run(id), begin);
}

static void check_rollups(struct audit *audit)
{
	struct rollup_audit found = {.count = 0};
	struct failure why = {0};

	text_init(&found.examples, 400);
	if (rollup_check(audit->state, on_wrong_rollup, &found, &why) < 0)
		finding_say(audit->findings, FINDING_BAD, "roll-ups", REBUILD_ADVICE, "%s",
			why.text);
	else if (found.count > 0)
		finding_say(audit->findings, FINDING_BAD, "roll-ups", REBUILD_ADVICE,
			"%lld are not what their runs say: %s%s", found.count,
			found.examples.bytes, found.count > EXAMPLES ? ", ..." : "");
	else
		finding_say(audit->findings, FINDING_OK, "roll-ups", NULL,
			"each hour and day is what its runs say, where those are there");
	text_free(&found.examples);
}

void audit_database(struct audit *audit)
{
	check_integrity(audit);
	check_sums(audit);
	ASK_ALL(audit, of_database);
	check_rollups(audit);
}

/* --- against the lines ----------------------------------------------------------------- */

int audit_prepare(struct audit *audit, struct failure *why)
{
	static const char *const tables[] = {
		"CREATE TEMP TABLE line_runs (run_id TEXT PRIMARY KEY, at_ns INTEGER,"
		" ended_ns INTEGER, n INTEGER) WITHOUT ROWID",
		"CREATE TEMP TABLE line_mails (mail TEXT PRIMARY KEY, state TEXT, at_ns INTEGER)"
		" WITHOUT ROWID",
	};
	struct statement create;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		statement_begin(&create, audit->state, tables[i]);
		if (statement_run(&create, why) < 0)
			return -1;
	}
	return 0;
}

void audit_compare(struct audit *audit)
{
	ASK_ALL(audit, of_both);
}
