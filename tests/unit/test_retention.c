/* Which lines go, and which stay; that a kill at any point loses none of those; and that what is left
 * still agrees with the database, and makes it anew. */
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "archive.h"
#include "audit.h"
#include "history.h"
#include "ledger.h"
#include "lines.h"
#include "rebuild.h"
#include "retention.h"
#include "state_private.h"
#include "store_help.h"

#define DAY (1440 * TEST_MINUTE)
#define DAYS 60
/* The last one is today. */
#define AGE(day) (DAYS - 1 - (day))
#define KILLED 77

static struct failure why;
static struct state *state;
static const char *results;
static int64_t today_ns;

/* --- a process that dies at a system call ---------------------------------------------- */

static int calls_left = -1; /* -1: it lives */
static int syncs;

static void maybe_die(void)
{
	if (calls_left >= 0 && calls_left-- == 0)
		_exit(KILLED);
}

/* Instead of the C library's, for all that writes. */
int fsync(int fd)
{
	syncs++;
	maybe_die();
	return (int)syscall(SYS_fsync, fd);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	/* Half of it may have got there. */
	if (calls_left == 0)
		syscall(SYS_write, fd, bytes, size / 2);
	maybe_die();
	return syscall(SYS_write, fd, bytes, size);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	maybe_die();
	return (int)syscall(SYS_renameat, from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char *name, int flags)
{
	maybe_die();
	return (int)syscall(SYS_unlinkat, folder, name, flags);
}

/* --- results --------------------------------------------------------------------------- */

static void store(json_t *record)
{
	json_t *mail;
	size_t index;
	int64_t at_ns = 0;

	clock_parse(json_string_value(json_object_get(record, "started_at")), &at_ns);
	json_array_foreach(json_object_get(record, "mails"), index, mail)
		ledger_restore(state, record, mail, NULL, at_ns, at_ns, &why);
	if (lines_append_result(results, record, &why) < 0 || history_add(state, record, &why) < 0)
		abort();
	json_decref(record);
}

/* On each day: a run that passed with a mail, one that failed, one that was slow. */
static void store_day(int day)
{
	int64_t at_ns = today_ns - AGE(day) * DAY;
	json_t *record = make_result(at_ns, "pass"), *mail;
	char id[32];

	snprintf(id, sizeof(id), "mail-%d", day);
	mail = make_mail(id, day == 3 ? "accepted" : "delivered");
	json_array_append_new(json_object_get(record, "mails"), mail);
	add_step(record, "imap", "pass", 1);
	store(record);
	record = make_result(at_ns + TEST_MINUTE, "fail");
	json_object_set_new(record, "error_type", json_string("imap.push"));
	store(record);
	record = make_result(at_ns + 2 * TEST_MINUTE, "pass");
	json_object_set_new(add_step(record, "imap", "pass", 9), "slow", json_object());
	store(record);
	/* What an earlier run had lost was found: of the fifth day, by a run that passed. */
	if (day == 5) {
		record = make_result(at_ns + 3 * TEST_MINUTE, "pass");
		json_object_set_new(record, "settled", json_pack("[o]", make_mail("x", "lost")));
		store(record);
	}
}

static void make_results(void)
{
	results = make_folder();
	state = state_open(results, &why);
	sqlite3_exec(state->db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	for (int day = 0; day < DAYS; day++)
		store_day(day);
}

/* --- what is there --------------------------------------------------------------------- */

struct tally {
	int plain, failed, slow, settled, damaged;
};

static void tally_line(void *context, const struct line *line)
{
	struct tally *tally = context;
	const json_t *steps = json_object_get(line->record, "steps");
	const char *outcome = json_string_value(json_object_get(line->record, "outcome"));

	if (line->verdict != LINE_GOOD)
		tally->damaged++;
	else if (strcmp(outcome, "fail") == 0)
		tally->failed++;
	else if (json_object_get(line->record, "settled") != NULL)
		tally->settled++;
	else if (json_object_get(json_array_get(steps, 0), "slow") != NULL)
		tally->slow++;
	else
		tally->plain++;
}

static int tally_series(void *context, const struct archive_series *series, struct failure *failure)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < series->day_count; i++) {
		archive_path(series, series->days[i], path);
		if (lines_read(path, tally_line, context, failure) < 0)
			return -1;
	}
	return 0;
}

static struct tally look(void)
{
	struct tally tally = {0};

	archive_walk(results, NULL, NULL, tally_series, &tally, &why);
	return tally;
}

static int apply(int64_t now_ns)
{
	static const struct retention keep = {.passed_ns = 36 * DAY};

	return retention_apply(state, results, "acme", "mail", &keep, now_ns, &why);
}

static void tell(void *context, enum finding_level level, const char *subject, const char *text,
	const char *advice)
{
	(void)context;
	(void)advice;
	if (level == FINDING_BAD || level == FINDING_UNKNOWN)
		diag("%s: %s", subject, text);
}

static void agrees(const char *name)
{
	struct findings findings = {.each = tell};

	audit(results, NULL, NULL, &findings);
	is_integer((long long)(findings.counts[FINDING_BAD] + findings.counts[FINDING_UNKNOWN]), 0,
		name);
}

static void execute(const char *sql)
{
	sqlite3_exec(state->db, sql, NULL, NULL, NULL);
}

static long long count(const char *sql)
{
	sqlite3_stmt *statement;
	long long value = -1;

	if (sqlite3_prepare_v2(state->db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* --- tests ----------------------------------------------------------------------------- */

/* Of 60 days, those of today and of 36 before it are kept whole; of the other 23, the open mail's too. */
static void test_lines(void)
{
	struct tally now;

	agrees("lines and database agree before");
	went_well(apply(today_ns), &why, "the first time");
	now = look();
	is_integer(now.plain, 37 + 1, "passed runs of 37 days, and the one whose mail is open");
	is_integer(now.failed, DAYS, "all that failed");
	is_integer(now.slow, DAYS, "all that were slow");
	is_integer(now.settled, 1, "and what settled a mail");
	agrees("lines and database agree afterwards");
}

static void damage_first_line(const char *day)
{
	const char *path = in_folder("acme/mail/%s.jsonl", day);
	size_t size;
	char *bytes = read_whole(path, &size);

	if (bytes == NULL)
		abort();
	bytes[20] ^= 1;
	write_whole(path, bytes, size);
	free(bytes);
}

static void day_of(int day, char text[static CLOCK_TIMESTAMP_SIZE])
{
	clock_format(today_ns - AGE(day) * DAY, text);
	text[10] = '\0';
}

static void test_daily(void)
{
	char day[CLOCK_TIMESTAMP_SIZE];
	struct tally now;

	/* As if somebody had put an old line back. */
	store(make_result(today_ns - 50 * DAY, "pass"));
	execute("DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY id LIMIT 1)");
	syncs = 0;
	went_well(apply(today_ns + 1), &why, "once more on the same day");
	is_integer(syncs, 0, "nothing is written");
	is_integer(look().plain, 39, "nothing is done");
	day_of(DAYS - 37, day);
	damage_first_line(day);
	went_well(apply(today_ns + DAY), &why, "a day later");
	now = look();
	is_integer(now.damaged, 1, "a damaged line stays");
	is_integer(now.plain, 38, "it was the only one that is due");
	execute("DELETE FROM mails WHERE mail != 'mail-3'");
	went_well(apply(today_ns + 2 * DAY), &why, "another day later");
	is_integer(look().plain, 38, "a line whose run the database still has stays");
}

static void test_all(void)
{
	struct tally now;

	execute("DELETE FROM runs; UPDATE mails SET settled = 1; DELETE FROM mails WHERE mail != "
		"'mail-3'");
	went_well(apply(today_ns + 395 * DAY), &why, "a year later");
	now = look();
	is_integer(now.failed, 6, "what failed goes after 400 days");
	is_integer(now.plain, 1, "but not while the ledger has a mail of it");
	is_integer(now.damaged, 1, "nor what is damaged");
	is_integer(now.slow, 6, "and what was slow");
}

/* --- made anew ------------------------------------------------------------------------- */

static void run_rebuild(const char *name)
{
	struct rebuild_report report;

	execute("PRAGMA wal_checkpoint(TRUNCATE)");
	state_close(&state);
	went_well(rebuild(results, NULL, &report, &why), &why, name);
	state = state_open(results, &why);
}

static void test_rebuilt(void)
{
	char sql[PATH_MAX];
	long long hours = count("SELECT count(*) FROM hours");

	is_integer(hours, DAYS - 1, "each hour but the last is rolled up");
	execute("PRAGMA wal_checkpoint(TRUNCATE)");
	sqlite3_snprintf(sizeof(sql), sql, "VACUUM INTO '%s/first.db'", results);
	execute(sql);
	run_rebuild("made anew from what is left");
	sqlite3_snprintf(sizeof(sql), sql, "ATTACH '%s/first.db' AS first", results);
	execute(sql);
	is_integer(count("SELECT count(*) FROM (SELECT * FROM first.hours EXCEPT SELECT * FROM "
			 "main.hours)"),
		0, "roll-ups outlive the lines that they were made of");
	execute("DETACH first");
	agrees("and all agrees");
	state_close(&state);
	remove(in_folder("state.db"));
	state = NULL;
	went_well(rebuild(results, NULL, &(struct rebuild_report){0}, &why), &why,
		"made anew without the old one");
	state = state_open(results, &why);
	is_integer(count("SELECT count(*) FROM hours"), 36,
		"what there are only some lines of is not rolled up");
	agrees("and all agrees");
}

/* --- killed ---------------------------------------------------------------------------- */

static int die_at(int call)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		state = state_open_to_read(results, &why);
		calls_left = call;
		_exit(apply(today_ns) == 0 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* The child has the database open, too, but only reads it. */
static void test_killed(void)
{
	int call = 0, odd = 0, unmarked = 0, status;

	make_results();
	execute("PRAGMA wal_checkpoint(TRUNCATE)");
	state_close(&state);
	while ((status = die_at(call)) == KILLED) {
		struct tally now = look();
		char day[ARCHIVE_DAY_SIZE];

		retention_complete_from(results, "acme", "mail", day, &why);
		unmarked += now.plain < DAYS && strcmp(day, "0000-00-00") == 0;
		odd += now.failed != DAYS || now.slow != DAYS || now.settled != 1 ||
			now.damaged != 0 || now.plain < 38;
		call++;
	}
	diag("killed at %d calls", call);
	is_integer(status, 0, "the last one was not killed");
	ok(call > 20, "the others were");
	is_integer(odd, 0, "no line was lost or torn by any");
	is_integer(unmarked, 0, "none was gone before that was known");
	is_integer(look().plain, 38, "and in the end what is old is gone");
	agrees("and all agrees");
}

int main(void)
{
	today_ns = clock_wall() / DAY * DAY + 30 * TEST_MINUTE - DAY;
	make_results();
	test_lines();
	test_rebuilt();
	test_daily();
	test_all();
	state_close(&state);
	remove_folder();
	test_killed();
	return done_testing();
}
