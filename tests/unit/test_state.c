/* The database: made, brought up to date, and every way in which it may not be usable. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "ledger.h"
#include "state.h"
#include "store_help.h"

static struct failure why;

static int opens(const char *folder)
{
	struct state *state = state_open(folder, &why);
	int result = state != NULL ? 0 : -1;

	state_close(&state);
	return result;
}

static int pragma(const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *query;
	int value = -1;

	sqlite3_open(in_folder("r/state.db"), &db);
	sqlite3_prepare_v2(db, sql, -1, &query, NULL);
	if (sqlite3_step(query) == SQLITE_ROW)
		value = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	sqlite3_close(db);
	return value;
}

static void execute(const char *sql)
{
	sqlite3 *db;

	sqlite3_open(in_folder("r/state.db"), &db);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
}

static void test_making(void)
{
	struct stat info;
	struct state *state;

	make_folder();
	went_well(opens(in_folder("a/b/r")), &why, "folders above are made");
	went_well(opens(in_folder("r")), &why, "a database is made");
	stat(in_folder("r/state.db"), &info);
	is_integer(info.st_mode & 07777, 0600, "for its owner only");
	stat(in_folder("r"), &info);
	is_integer(info.st_mode & 0777, 0755, "in a folder that others may read");
	is_integer(pragma("PRAGMA user_version"), 6, "with the newest schema");
	is_integer(pragma("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1,
		"with a write-ahead log");
	went_well(opens(in_folder("r")), &why, "opening it again changes nothing");
	state = state_open(in_folder("r"), &why);
	stat(in_folder("r/state.db-wal"), &info);
	went_well(opens(in_folder("r")), &why, "two may have it open at once");
	state_close(&state);
	is_integer(info.st_mode & 07777, 0600, "its log is for its owner only too");
	ok(state == NULL, "closing nulls");
	state_close(&state);
	remove_folder();
}

/* Twenty processes at once, ten times: one makes it, all others find it complete. */
static void test_race(void)
{
	int good = 0, status;

	for (int round = 0; round < 10; round++) {
		make_folder();
		for (int i = 0; i < 20; i++)
			if (fork() == 0)
				_exit(opens(in_folder("r")) == 0 ? 0 : 1);
		while (wait(&status) > 0)
			good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		if (pragma("PRAGMA user_version") != 6)
			good--;
		remove_folder();
	}
	is_integer(good, 200, "twenty processes make it at the same time, ten times");
}

static void test_refused(void)
{
	char garbage[8192];
	char *bytes;
	size_t size;

	make_folder();
	opens(in_folder("r"));
	execute("PRAGMA user_version=99");
	went_wrong(opens(in_folder("r")), &why, ERROR_LOCAL_STORAGE, "newer mailprobe",
		"a newer schema is refused");
	is_integer(pragma("PRAGMA user_version"), 99, "and left alone");
	unlink(in_folder("r/state.db"));
	execute("CREATE TABLE notes (x); PRAGMA user_version=3");
	went_wrong(opens(in_folder("r")), &why, ERROR_LOCAL_STORAGE, "another program",
		"another program's database is refused");
	unlink(in_folder("r/state.db"));
	memset(garbage, 'x', sizeof(garbage));
	write_whole(in_folder("r/state.db"), garbage, sizeof(garbage));
	went_wrong(opens(in_folder("r")), &why, ERROR_LOCAL_STORAGE, "is damaged",
		"what is no database is refused");
	bytes = read_whole(in_folder("r/state.db"), &size);
	ok(size == sizeof(garbage) && memcmp(bytes, garbage, size) == 0, "and not touched");
	free(bytes);
	unlink(in_folder("r/state.db"));
	if (symlink("elsewhere", in_folder("r/state.db")) != 0)
		abort();
	went_wrong(opens(in_folder("r")), &why, ERROR_LOCAL_STORAGE, "not a regular file",
		"a symbolic link is not followed");
	unlink(in_folder("r/state.db"));
	mkdir(in_folder("r/state.db"), 0755);
	went_wrong(opens(in_folder("r")), &why, ERROR_LOCAL_STORAGE, "not a regular file",
		"a folder in its place is refused");
	write_whole(in_folder("file"), "", 0);
	went_wrong(opens(in_folder("file")), &why, ERROR_LOCAL_STORAGE, "Not a directory",
		"a file in the place of the results is refused");
	went_wrong(opens(in_folder("file/r")), &why, ERROR_LOCAL_STORAGE, "Not a directory",
		"a file above it too");
	remove_folder();
}

/* A damaged page in the middle: found when it is read, told, not repaired. */
static void test_damaged_page(void)
{
	struct state *state;
	char *bytes;
	size_t size;
	json_t *counts;

	make_folder();
	opens(in_folder("r"));
	bytes = read_whole(in_folder("r/state.db"), &size);
	memset(bytes + 4096, 0xff, size - 4096);
	write_whole(in_folder("r/state.db"), bytes, size);
	free(bytes);
	state = state_open(in_folder("r"), &why);
	counts = state != NULL ? ledger_counts(state, NULL, NULL, &why) : NULL;
	went_wrong(counts == NULL ? -1 : 0, &why, ERROR_LOCAL_STORAGE, "is damaged",
		"a damaged page is found");
	state_close(&state);
	remove_folder();
}

/* As a user who may not write there, or may write no more. */
static int in_child(int (*act)(void), char sentence[static FAILURE_TEXT_SIZE])
{
	int channel[2], result = -1;
	pid_t child;

	if (pipe(channel) != 0)
		abort();
	child = fork();
	if (child == 0) {
		result = act();
		if (write(channel[1], why.text, sizeof(why.text)) < 0)
			_exit(9);
		_exit(result == 0 ? 0 : (int)why.type);
	}
	if (read(channel[0], sentence, FAILURE_TEXT_SIZE) != FAILURE_TEXT_SIZE)
		abort();
	waitpid(child, &result, 0);
	close(channel[0]);
	close(channel[1]);
	return WEXITSTATUS(result);
}

static int open_as_nobody(void)
{
	if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		return -1;
	return opens(in_folder("r"));
}

static int write_when_full(void)
{
	const struct rlimit limit = {65536, 65536};
	struct state *state = state_open(in_folder("r"), &why);
	json_t *run = make_result(TEST_START, "pass");
	int result = 0;

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (int i = 0; i < 1000 && result == 0; i++) {
		char id[16];
		json_t *mail;

		snprintf(id, sizeof(id), "m%d", i);
		mail = make_mail(id, "sending");
		result = ledger_intent(state, run, mail, &why);
		json_decref(mail);
	}
	json_decref(run);
	state_close(&state);
	return result;
}

static void test_not_writable(void)
{
	char sentence[FAILURE_TEXT_SIZE];

	make_folder();
	chmod(test_folder, 0555);
	is_integer(in_child(open_as_nobody, sentence), ERROR_LOCAL_STORAGE,
		"a folder that we may not write to");
	ok(strstr(sentence, "Permission denied") != NULL && strstr(sentence, test_folder) != NULL,
		"says so, and where: %s", sentence);
	chmod(test_folder, 0755);
	opens(in_folder("r"));
	if (getuid() == 0) {
		is_integer(in_child(open_as_nobody, sentence), ERROR_LOCAL_STORAGE,
			"another user's database");
		ok(strstr(sentence, "Permission denied") != NULL, "says so: %s", sentence);
	}
	is_integer(in_child(write_when_full, sentence), ERROR_LOCAL_STORAGE, "no room to write");
	ok(strstr(sentence, "a limit on file sizes") != NULL, "says so: %s", sentence);
	went_well(opens(in_folder("r")), &why, "and the database is whole afterwards");
	remove_folder();
}

int main(void)
{
	test_making();
	test_race();
	test_refused();
	test_damaged_page();
	test_not_writable();
	return done_testing();
}
