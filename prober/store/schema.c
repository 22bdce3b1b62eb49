/* The schema of state.db as a list of steps. A step that was released is never changed: what is
 * new goes to the end. docs/formats.md describes the tables. */
#include <stdio.h>

#include <sqlite3.h>

#include "state_private.h"

#include "ban.h"

/* "mprb": tells our database from any other one with a user_version of its own. */
#define APPLICATION_ID 0x6d707262

static const char *const migrations[] = {
	/* 1: the ledger of probe mails. `id` keeps the order in which they were sent. */
	"CREATE TABLE mails ("
	" id INTEGER PRIMARY KEY,"
	" mail TEXT NOT NULL UNIQUE,"
	" run_id TEXT NOT NULL,"
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" vantage TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" settled INTEGER NOT NULL," /* 1: nothing more has to be found out about it */
	" intent_ns INTEGER NOT NULL,"
	" changed_ns INTEGER NOT NULL,"
	" record TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX mails_open ON mails (customer, scenario, id) WHERE settled = 0;"
	"CREATE INDEX mails_settled ON mails (changed_ns) WHERE settled = 1;"
	/* What is left of mails settled long ago: their number, so that sums still add up. */
	"CREATE TABLE mails_past ("
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" state TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" PRIMARY KEY (customer, scenario, state)"
	") STRICT, WITHOUT ROWID;"
	/* History. A run's id is series * 2^42 + milliseconds since 2020, so that the runs of
	 * one series lie side by side, by time: a window is read in one sweep. All samples of a
	 * run lie in its row (history.c), so that a run costs a page or two to write. */
	"CREATE TABLE series ("
	" id INTEGER PRIMARY KEY,"
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" vantage TEXT NOT NULL,"
	" UNIQUE (customer, scenario, vantage)"
	") STRICT;"
	"CREATE TABLE metrics ("
	" id INTEGER PRIMARY KEY,"
	" series INTEGER NOT NULL REFERENCES series (id),"
	" name TEXT NOT NULL,"
	" UNIQUE (series, name)"
	") STRICT;"
	"CREATE TABLE runs ("
	" id INTEGER PRIMARY KEY,"
	" run_id TEXT NOT NULL UNIQUE,"
	" at_ns INTEGER NOT NULL,"
	" outcome TEXT NOT NULL,"
	" samples BLOB NOT NULL"
	") STRICT;"
	/* What the rules remember between runs. */
	"CREATE TABLE rules ("
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" rule TEXT NOT NULL,"
	" memory TEXT NOT NULL,"
	" pending TEXT," /* an event that may not have been written yet */
	" PRIMARY KEY (customer, scenario, rule)"
	") STRICT, WITHOUT ROWID;",
	/* 2: the run that found out what became of a mail, if not its own; and up to where each
	 * mailbox has been looked through: what came later has a UID of at least uid_next. */
	"ALTER TABLE mails ADD COLUMN settled_by TEXT;"
	"CREATE TABLE mailboxes ("
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" account TEXT NOT NULL,"
	" folder TEXT NOT NULL,"
	" mark TEXT NOT NULL,"
	" PRIMARY KEY (customer, scenario, account, folder)"
	") STRICT, WITHOUT ROWID;",
	/* 3: events on their way to sinks. `id` keeps their order. */
	"CREATE TABLE outbox ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" sink TEXT NOT NULL,"
	" event_id TEXT NOT NULL,"
	" revision INTEGER NOT NULL,"
	" state TEXT NOT NULL,"
	" queued_ns INTEGER NOT NULL,"
	" next_ns INTEGER NOT NULL," /* not before; while somebody delivers it, until when */
	" attempts INTEGER NOT NULL,"
	" tried_ns INTEGER,"
	" begun_ns INTEGER,"   /* a program was started for it */
	" settled_ns INTEGER," /* nothing more becomes of it */
	" outcome TEXT,"
	" doubt TEXT,"
	" event TEXT NOT NULL,"
	" UNIQUE (customer, scenario, sink, event_id, revision)"
	") STRICT;"
	"CREATE INDEX outbox_open ON outbox (customer, scenario, sink, id)"
	" WHERE state IN ('waiting', 'standing');"
	"CREATE INDEX outbox_tried ON outbox (customer, scenario, sink, tried_ns)"
	" WHERE tried_ns IS NOT NULL;"
	"CREATE INDEX outbox_settled ON outbox (settled_ns) WHERE settled_ns IS NOT NULL;",
	/* 4: runs that have begun and are not in the history yet. */
	"CREATE TABLE begun ("
	" run_id TEXT PRIMARY KEY,"
	" customer TEXT NOT NULL,"
	" scenario TEXT NOT NULL,"
	" head TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;",
	/* 5: what made a run fail, or kept it from being judged. */
	"ALTER TABLE runs ADD COLUMN error_type TEXT;",
	/* 6: roll-ups (rollup.h) of each hour and each day that is over, by the id that a run at
	 * its beginning would have; and of each series what a trend takes from them, once an hour. */
	"ALTER TABLE runs ADD COLUMN maintenance INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE hours ("
	" id INTEGER PRIMARY KEY,"
	" rollup BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE days ("
	" id INTEGER PRIMARY KEY,"
	" rollup BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE trends ("
	" series INTEGER PRIMARY KEY REFERENCES series (id),"
	" hour_ns INTEGER NOT NULL,"
	" until_ns INTEGER NOT NULL," /* what began from then on is not in them */
	" week BLOB NOT NULL,"
	" month BLOB NOT NULL,"
	" shapes TEXT NOT NULL"
	") STRICT;",
};

#define NEWEST ((int)(sizeof(migrations) / sizeof(migrations[0])))

static int read_pragma(sqlite3 *db, const char *sql, int *value_r)
{
	sqlite3_stmt *statement;
	int status = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

	if (status != SQLITE_OK)
		return status;
	status = sqlite3_step(statement);
	if (status == SQLITE_ROW)
		*value_r = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return status == SQLITE_ROW ? SQLITE_OK : status;
}

static int check_ours(sqlite3 *db, int *version_r)
{
	int application = 0, tables = 0, status;

	status = read_pragma(db, "PRAGMA user_version", version_r);
	if (status == SQLITE_OK)
		status = read_pragma(db, "PRAGMA application_id", &application);
	if (status == SQLITE_OK)
		status = read_pragma(db, "SELECT count(*) FROM sqlite_schema", &tables);
	if (status != SQLITE_OK)
		return status;
	if (application != APPLICATION_ID && (*version_r > 0 || tables > 0)) {
		*version_r = 0;
		return SQLITE_MISMATCH;
	}
	return *version_r > NEWEST ? SQLITE_MISMATCH : SQLITE_OK;
}

/* Inside a transaction: another process may have got there first. */
static int migrate_locked(sqlite3 *db, int *version_r)
{
	char stamp[96];
	int status = check_ours(db, version_r);

	for (int step = *version_r; status == SQLITE_OK && step < NEWEST; step++)
		status = sqlite3_exec(db, migrations[step], NULL, NULL, NULL);
	if (status != SQLITE_OK)
		return status;
	snprintf(stamp, sizeof(stamp), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		APPLICATION_ID, NEWEST);
	return sqlite3_exec(db, stamp, NULL, NULL, NULL);
}

static int end(sqlite3 *db, int status)
{
	if (status == SQLITE_OK)
		status = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	if (status != SQLITE_OK)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return status;
}

/* In one snapshot: while another process makes the database, version and tables would not fit
 * together. */
static int look(sqlite3 *db, int *version_r)
{
	int status = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);

	return status == SQLITE_OK ? end(db, check_ours(db, version_r)) : status;
}

int state_migrate(struct state *state, int *version_r)
{
	int status = look(state->db, version_r);

	if (status != SQLITE_OK || *version_r == NEWEST)
		return status;
	status = sqlite3_exec(state->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	return status == SQLITE_OK ? end(state->db, migrate_locked(state->db, version_r)) : status;
}

int state_look(struct state *state, int *version_r)
{
	int status = check_ours(state->db, version_r);

	if (status != SQLITE_OK || *version_r == NEWEST)
		return status;
	*version_r = -1;
	return SQLITE_MISMATCH;
}
