#include "rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <jansson.h>
#include <sqlite3.h>

#include "archive.h"
#include "clock.h"
#include "folder.h"
#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "retention.h"
#include "rollup_store.h"
#include "series.h"
#include "state_private.h"
#include "statement.h"

#include "ban.h"

/* Made there, so that nobody opens it before it is whole. */
#define WORKSHOP ".rebuild"
#define DATABASE "state.db"

struct rebuild {
	const char *results_dir;
	int folder; /* of the results; holds the lock */
	char workshop[PATH_MAX];
	struct state *state; /* the new one */
	struct rebuild_report *report;
	bool failed;
	struct failure *why;
};

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

/* --- from the lines -------------------------------------------------------------------- */

static int64_t time_of(const json_t *object, const char *key, int64_t otherwise)
{
	int64_t at_ns;

	return clock_parse(member(object, key), &at_ns) == 0 ? at_ns : otherwise;
}

/* The run as its ledger's row has it: of a mail that an earlier run sent, that one. */
static json_t *run_of(const json_t *record, const json_t *mail)
{
	json_t *run = json_pack("{s:s, s:s, s:s, s:s}", "run_id", member(record, "run_id"),
		"customer", member(record, "customer"), "scenario", member(record, "scenario"),
		"vantage", member(record, "vantage"));
	json_t *sender = json_object_get(mail, "run_id");

	if (sender != NULL)
		json_object_set(run, "run_id", sender);
	return run;
}

static void add_mails(
	struct rebuild *rebuild, const json_t *record, const char *key, const char *settled_by)
{
	int64_t began = time_of(record, "started_at", 0);
	int64_t ended = time_of(record, "ended_at", began);
	struct failure ignored = {0};
	json_t *mail;
	size_t index;

	json_array_foreach(json_object_get(record, key), index, mail) {
		json_t *run = run_of(record, mail);

		/* What is no mail of ours in a line that is whole, is of another version. */
		ledger_restore(rebuild->state, run, mail, settled_by,
			time_of(mail, "sending_at", began), ended, &ignored);
		json_decref(run);
	}
}

static void add_line(void *context, const struct line *line)
{
	struct rebuild *rebuild = context;

	if (rebuild->failed)
		return;
	if (line->verdict != LINE_GOOD) {
		rebuild->report->unreadable++;
		return;
	}
	rebuild->report->runs++;
	add_mails(rebuild, line->record, "mails", NULL);
	/* Of earlier runs. */
	add_mails(rebuild, line->record, "settled", member(line->record, "run_id"));
	if (ledger_restore_marks(rebuild->state, line->record, rebuild->why) < 0 ||
		history_add(rebuild->state, line->record, rebuild->why) < 0)
		rebuild->failed = true;
}

/* Roll-ups of days whose lines are there in part would say what is not so. */
struct incomplete {
	struct rebuild *rebuild;
	const char *customer, *scenario;
	int64_t before_ns;
	bool failed;
	struct failure *why;
};

static void drop_incomplete(void *context, const char *vantage)
{
	struct incomplete *incomplete = context;
	struct state *state = incomplete->rebuild->state;
	const struct series_key key = {incomplete->customer, incomplete->scenario, vantage};
	int64_t id;

	if (series_find(state, &key, &id, incomplete->why) < 0 ||
		rollup_prune(state, id, incomplete->before_ns, incomplete->why) < 0)
		incomplete->failed = true;
}

static int drop_all_incomplete(
	struct rebuild *rebuild, const struct archive_series *series, struct failure *why)
{
	struct incomplete incomplete = {.rebuild = rebuild,
		.customer = series->customer,
		.scenario = series->scenario,
		.why = why};
	char day[ARCHIVE_DAY_SIZE], begin[sizeof("2026-10-18T00:00:00Z")];

	if (retention_complete_from(
		    rebuild->results_dir, series->customer, series->scenario, day, why) < 0)
		return -1;
	snprintf(begin, sizeof(begin), "%sT00:00:00Z", day);
	/* No day is before the first one. */
	if (clock_parse(begin, &incomplete.before_ns) < 0)
		return 0;
	if (series_vantages(rebuild->state, series->customer, series->scenario, drop_incomplete,
		    &incomplete, why) < 0)
		return -1;
	return incomplete.failed ? -1 : 0;
}

static int add_series(void *context, const struct archive_series *series, struct failure *why)
{
	struct rebuild *rebuild = context;
	char path[PATH_MAX];

	for (size_t i = 0; i < series->day_count; i++) {
		archive_path(series, series->days[i], path);
		if (lines_read(path, add_line, rebuild, why) < 0 || rebuild->failed)
			return -1;
	}
	return drop_all_incomplete(rebuild, series, why);
}

static int count_mails(struct rebuild *rebuild, struct failure *why)
{
	struct statement query;

	statement_begin(&query, rebuild->state,
		"SELECT (SELECT count(*) FROM mails) + (SELECT coalesce(sum(n), 0) FROM mails_past)");
	if (statement_row(&query))
		rebuild->report->mails = (size_t)statement_integer(&query, 0);
	return statement_end(&query, why);
}

/* --- from the old database ------------------------------------------------------------- */

/* The database is changed a moment after the end that the line tells. What was changed later than
 * that by far was changed by a run that left no line. */
#define NEWER_THAN_ITS_LINE "o.changed_ns > n.changed_ns + 10000000000"

/* In this order: each counts upon what those before it have left as it was. */
static const char past_sql[] =
	"INSERT INTO mails_past (customer, scenario, state, n)"
	" SELECT customer, scenario, state, missing FROM"
	" (SELECT p.customer, p.scenario, p.state, p.n -"
	"   (SELECT count(*) FROM mails n WHERE n.customer = p.customer"
	"     AND n.scenario = p.scenario AND n.state = p.state"
	"     AND n.mail NOT IN (SELECT mail FROM old.mails))"
	"   - coalesce((SELECT q.n FROM main.mails_past q WHERE q.customer = p.customer"
	"     AND q.scenario = p.scenario AND q.state = p.state), 0) AS missing"
	"  FROM old.mails_past p) WHERE missing > 0"
	" ON CONFLICT DO UPDATE SET n = n + excluded.n";
static const char newer_sql[] =
	"UPDATE mails AS n SET state = o.state, settled = o.settled, changed_ns = o.changed_ns,"
	" record = o.record FROM old.mails AS o"
	" WHERE o.mail = n.mail AND o.state != n.state AND " NEWER_THAN_ITS_LINE;
static const char mails_sql[] =
	"INSERT INTO mails (mail, run_id, customer, scenario, vantage, state, settled, intent_ns,"
	" changed_ns, record) SELECT mail, run_id, customer, scenario, vantage, state, settled,"
	" intent_ns, changed_ns, record FROM old.mails"
	" WHERE mail NOT IN (SELECT mail FROM main.mails) ORDER BY id";
static const char rules_sql[] =
	"INSERT INTO rules (customer, scenario, rule, memory, pending)"
	" SELECT customer, scenario, rule, memory, pending FROM old.rules";

static const char outbox_sql[] =
	"INSERT INTO outbox SELECT * FROM old.outbox";
/* Roll-ups go by these ids, and outlive the lines of what they are made of. */
static const char series_sql[] = "INSERT INTO series SELECT * FROM old.series";
static const char metrics_sql[] = "INSERT INTO metrics SELECT * FROM old.metrics";
static const char hours_sql[] = "INSERT OR IGNORE INTO hours SELECT * FROM old.hours";
static const char days_sql[] = "INSERT OR IGNORE INTO days SELECT * FROM old.days";

/* What runs that left no line have begun, found out, and looked through. */
static const char begun_sql[] =
	"INSERT INTO begun SELECT * FROM old.begun WHERE run_id NOT IN (SELECT run_id FROM runs)";
static const char settled_by_sql[] =
	"UPDATE mails SET settled_by = o.settled_by FROM old.mails AS o"
	" WHERE o.mail = mails.mail AND mails.settled_by IS NULL AND o.settled_by IS NOT NULL";
static const char mailboxes_sql[] = "INSERT OR IGNORE INTO mailboxes SELECT * FROM old.mailboxes";

static bool carry_one(struct rebuild *rebuild, const char *sql, int64_t *count)
{
	if (sqlite3_exec(rebuild->state->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return false;
	*count += sqlite3_changes(rebuild->state->db);
	return true;
}

/* A database that no newer version has opened yet lacks tables of this one. */
static bool has_table(struct rebuild *rebuild, const char *name)
{
	struct failure ignored = {0};
	struct statement query;
	bool has_it;

	statement_begin(&query, rebuild->state,
		"SELECT 1 FROM old.sqlite_schema WHERE type = 'table' AND name = ?");
	statement_bind_text(&query, name);
	has_it = statement_row(&query);
	return statement_end(&query, &ignored) == 0 && has_it;
}

static bool carry_rollups(struct rebuild *rebuild)
{
	int64_t rows = 0;

	return !has_table(rebuild, "hours") || (carry_one(rebuild, hours_sql, &rows) &&
						       carry_one(rebuild, days_sql, &rows));
}

static bool carry_names(struct rebuild *rebuild)
{
	int64_t rows = 0;

	return carry_one(rebuild, series_sql, &rows) && carry_one(rebuild, metrics_sql, &rows);
}

/* Where `begun` is, so are the tables that are older, and their columns. */
static bool carry_younger(struct rebuild *rebuild)
{
	int64_t rows = 0;

	if (has_table(rebuild, "outbox") && !carry_one(rebuild, outbox_sql, &rows))
		return false;
	return !has_table(rebuild, "begun") ||
	       (carry_one(rebuild, begun_sql, &rows) && carry_one(rebuild, settled_by_sql, &rows) &&
		       carry_one(rebuild, mailboxes_sql, &rows));
}

/* Of `past` rows are counted, and so are the mails in them. */
static bool sum_past(struct rebuild *rebuild, int64_t *sum_r)
{
	struct failure ignored = {0};
	struct statement query;

	*sum_r = 0;
	statement_begin(&query, rebuild->state, "SELECT coalesce(sum(n), 0) FROM mails_past");
	if (statement_row(&query))
		*sum_r = statement_integer(&query, 0);
	return statement_end(&query, &ignored) == 0;
}

static bool carry_all(struct rebuild *rebuild)
{
	struct rebuild_report *report = rebuild->report;
	int64_t before, after, rows = 0;

	if (!sum_past(rebuild, &before) || !carry_one(rebuild, past_sql, &rows) ||
		!sum_past(rebuild, &after) || !carry_one(rebuild, newer_sql, &report->carried) ||
		!carry_one(rebuild, mails_sql, &report->carried) ||
		!carry_one(rebuild, rules_sql, &report->rules) || !carry_younger(rebuild) ||
		!carry_rollups(rebuild))
		return false;
	report->carried_past = after - before;
	return true;
}

/* All of it or nothing: an old database that cannot be read to its end is not believed. */
static bool carry(struct rebuild *rebuild, bool (*what)(struct rebuild *rebuild))
{
	sqlite3 *db = rebuild->state->db;
	char path[PATH_MAX];
	struct statement attach;
	struct failure ignored = {0};
	bool carried = false;

	snprintf(path, sizeof(path), "%s/" DATABASE, rebuild->results_dir);
	rebuild->report->had_old = access(path, F_OK) == 0;
	if (!rebuild->report->had_old)
		return true;
	statement_begin(&attach, rebuild->state, "ATTACH ? AS old");
	statement_bind_text(&attach, path);
	if (statement_run(&attach, &ignored) == 0 &&
		sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK) {
		carried = what(rebuild);
		sqlite3_exec(db, carried ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_exec(db, "DETACH old", NULL, NULL, NULL);
	return carried;
}

static void carry_over(struct rebuild *rebuild)
{
	if (carry(rebuild, carry_all))
		return;
	rebuild->report->old_unreadable = true;
	rebuild->report->carried = rebuild->report->rules = 0;
}

/* --- into place ------------------------------------------------------------------------ */

/* One file that stands for itself: what the log has is brought into it. */
static int seal(struct rebuild *rebuild, struct failure *why)
{
	char path[PATH_MAX + sizeof("/" DATABASE)];
	int result = 0, fd;

	if (sqlite3_exec(rebuild->state->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) !=
		SQLITE_OK)
		return state_failure(rebuild->state, sqlite3_errcode(rebuild->state->db), why);
	state_close(&rebuild->state);
	snprintf(path, sizeof(path), "%s/" DATABASE, rebuild->workshop);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fsync(fd) < 0)
		result = storage_failure(why, "sync", path);
	if (fd >= 0)
		close(fd);
	return result;
}

/* The old database's log must not lie beside the new one, which it would spoil. A database that is
 * well takes its log in when it is closed; the log of one that is not goes aside with it. */
static int set_log_aside(struct rebuild *rebuild, const char *aside, struct failure *why)
{
	char path[PATH_MAX], log[NAME_MAX + 1];
	sqlite3 *old = NULL;

	snprintf(path, sizeof(path), "%s/" DATABASE, rebuild->results_dir);
	if (sqlite3_open_v2(path, &old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		SQLITE_OK)
		sqlite3_exec(old, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
	sqlite3_close(old);
	snprintf(log, sizeof(log), "%.200s-wal", aside);
	if (renameat(rebuild->folder, DATABASE "-wal", rebuild->folder, log) < 0 && errno != ENOENT)
		return storage_failure(why, "set the log aside of", path);
	if (unlinkat(rebuild->folder, DATABASE "-shm", 0) < 0 && errno != ENOENT)
		return storage_failure(why, "remove the index of the log of", path);
	return 0;
}

static int set_aside(struct rebuild *rebuild, struct failure *why)
{
	char now[CLOCK_TIMESTAMP_SIZE], name[NAME_MAX + 1];

	clock_format(clock_wall(), now);
	snprintf(name, sizeof(name), DATABASE ".old-%s", now);
	if (set_log_aside(rebuild, name, why) < 0)
		return -1;
	if (linkat(rebuild->folder, DATABASE, rebuild->folder, name, 0) < 0)
		return storage_failure(why, "keep the old database of", rebuild->results_dir);
	if ((size_t)snprintf(rebuild->report->aside, sizeof(rebuild->report->aside), "%s/%s",
		    rebuild->results_dir, name) >= sizeof(rebuild->report->aside))
		rebuild->report->aside[0] = '\0';
	return folder_sync_one(rebuild->folder, rebuild->results_dir, why);
}

static int put_in_place(struct rebuild *rebuild, struct failure *why)
{
	if (rebuild->report->had_old && set_aside(rebuild, why) < 0)
		return -1;
	if (renameat(rebuild->folder, WORKSHOP "/" DATABASE, rebuild->folder, DATABASE) < 0)
		return storage_failure(why, "replace the database in", rebuild->results_dir);
	return folder_sync_one(rebuild->folder, rebuild->results_dir, why);
}

/* --- the whole ------------------------------------------------------------------------- */

/* What a rebuild that was killed has left, or this one. */
static void sweep(struct rebuild *rebuild)
{
	unlinkat(rebuild->folder, WORKSHOP "/" DATABASE, 0);
	unlinkat(rebuild->folder, WORKSHOP "/" DATABASE "-wal", 0);
	unlinkat(rebuild->folder, WORKSHOP "/" DATABASE "-shm", 0);
	unlinkat(rebuild->folder, WORKSHOP, AT_REMOVEDIR);
}

static int lock_folder(struct rebuild *rebuild, struct failure *why)
{
	rebuild->folder = open(rebuild->results_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rebuild->folder < 0)
		return storage_failure(why, "open the folder", rebuild->results_dir);
	if (flock(rebuild->folder, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return failure_set(why, ERROR_LOCAL_OVERLAP,
			"a run is going on in %s: try again when it has ended",
			rebuild->results_dir);
	return storage_failure(why, "lock the folder", rebuild->results_dir);
}

static int fill(struct rebuild *rebuild, const struct field *(*facts)(const char *step_type),
	struct failure *why)
{
	bool known;

	sweep(rebuild);
	snprintf(rebuild->workshop, sizeof(rebuild->workshop), "%s/" WORKSHOP,
		rebuild->results_dir);
	rebuild->state = state_open(rebuild->workshop, why);
	if (rebuild->state == NULL)
		return -1;
	state_know_facts(rebuild->state, facts);
	/* It is synced as a whole, once. */
	sqlite3_exec(rebuild->state->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	known = carry(rebuild, carry_names);
	if (archive_walk(rebuild->results_dir, NULL, NULL, add_series, rebuild, why) < 0 ||
		count_mails(rebuild, why) < 0)
		return -1;
	/* Under other ids its roll-ups would be others'. */
	if (known)
		carry_over(rebuild);
	else
		rebuild->report->old_unreadable = true;
	return seal(rebuild, why);
}

int rebuild(const char *results_dir, const struct field *(*facts)(const char *step_type),
	struct rebuild_report *report_r, struct failure *why)
{
	struct rebuild rebuild = {
		.results_dir = results_dir, .folder = -1, .report = report_r, .why = why};
	int result;

	*report_r = (struct rebuild_report){0};
	result = lock_folder(&rebuild, why);
	if (result == 0) {
		result = fill(&rebuild, facts, why);
		if (result == 0)
			result = put_in_place(&rebuild, why);
		state_close(&rebuild.state);
		sweep(&rebuild);
	}
	if (rebuild.folder >= 0)
		close(rebuild.folder);
	return result;
}
