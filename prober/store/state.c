#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "clock.h"
#include "folder.h"
#include "state_private.h"

#include "ban.h"

#define PATIENCE_MS 5000
#define BUSY_PAUSE (20 * NS_PER_MS)

/* Read per connection. Foreign keys are off by default in SQLite, and synchronous=FULL is what
 * makes a commit in a write-ahead log survive a power cut. */
static const char pragmas[] = "PRAGMA journal_mode=WAL;"
			      "PRAGMA synchronous=FULL;"
			      "PRAGMA foreign_keys=ON;";

/* The system call's own error where there was one; SQLITE_FULL may come from a quota too. */
static const char *system_text(struct state *state, const char *otherwise)
{
	int error = sqlite3_system_errno(state->db);

	return error != 0 ? strerror(error) : otherwise;
}

/* What SQLite cannot tell the system's error of, such as of its log. */
static const char *io_text(int code)
{
	switch (code) {
	case SQLITE_IOERR_WRITE:
		return "a write failed (a quota, a limit on file sizes, or a broken disk)";
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_DIR_FSYNC:
		return "what was written could not be synced to the disk";
	}
	return sqlite3_errstr(code);
}

int state_failure(struct state *state, int code, struct failure *why)
{
	const char *path = state->path;

	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return failure_set(why, ERROR_LOCAL_STORAGE,
			"%s is damaged (%s): nothing was changed; move it and its -wal and -shm "
			"files away to begin a new one, the results in the .jsonl files stay",
			path, sqlite3_errstr(code));
	case SQLITE_FULL:
		return failure_set(why, ERROR_LOCAL_STORAGE, "cannot write %s: %s", path,
			system_text(state, "the disk is full"));
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return failure_set(why, ERROR_LOCAL_STORAGE, "cannot write %s: %s", path,
			system_text(state, "it is read-only"));
	case SQLITE_CANTOPEN:
		return failure_set(why, ERROR_LOCAL_STORAGE, "cannot open %s: %s", path,
			system_text(state, "it or its folder is read-only"));
	case SQLITE_IOERR:
		return failure_set(why, ERROR_LOCAL_STORAGE, "cannot read or write %s: %s", path,
			system_text(state, io_text(code)));
	case SQLITE_BUSY:
		return failure_set(why, ERROR_LOCAL_STORAGE,
			"another process has kept %s locked for 5 s", path);
	case SQLITE_NOMEM:
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	}
	return failure_set(why, ERROR_LOCAL_STORAGE, "%s: %s", path, sqlite3_errmsg(state->db));
}

static int mismatch_failure(struct state *state, int version, struct failure *why)
{
	if (version < 0)
		return failure_set(why, ERROR_LOCAL_STORAGE,
			"%s was written by an older mailprobe: the next run brings it up to date",
			state->path);
	if (version == 0)
		return failure_set(why, ERROR_LOCAL_STORAGE,
			"%s is a database of another program: choose another results folder",
			state->path);
	return failure_set(why, ERROR_LOCAL_STORAGE,
		"%s was written by a newer mailprobe (schema version %d): use that one, or "
		"another results folder",
		state->path, version);
}

/* Makes an empty file of mode 0600, which SQLite takes for a new database and whose mode it gives
 * to its log. An existing one is only looked at: to open and close it here would drop the locks
 * that this process may have on it (fcntl(2)). */
static int make_file(struct state *state, int folder, const char *results_dir, struct failure *why)
{
	struct stat info;
	int fd = openat(
		folder, "state.db", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0) {
		close(fd);
		return folder_sync_one(folder, results_dir, why);
	}
	if (errno != EEXIST)
		return storage_failure(why, "make", state->path);
	if (fstatat(folder, "state.db", &info, AT_SYMLINK_NOFOLLOW) < 0)
		return storage_failure(why, "look at", state->path);
	if (!S_ISREG(info.st_mode))
		return failure_set(
			why, ERROR_LOCAL_STORAGE, "%s is not a regular file", state->path);
	return 0;
}

/* A rebuild (rebuild.h) has the folder to itself, for as long as it takes. */
static int share_folder(struct state *state, struct failure *why)
{
	struct deadline patience = deadline_in(PATIENCE_MS * NS_PER_MS);

	while (flock(state->folder, LOCK_SH | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return storage_failure(why, "lock the folder of", state->path);
		if (deadline_passed(patience))
			return failure_set(
				why, ERROR_LOCAL_STORAGE, "%s is being rebuilt", state->path);
		clock_sleep_until(deadline_in(BUSY_PAUSE));
	}
	return 0;
}

static int prepare_file(struct state *state, const char *results_dir, struct failure *why)
{
	if ((size_t)snprintf(state->path, sizeof(state->path), "%s/state.db", results_dir) >=
		sizeof(state->path)) {
		errno = ENAMETOOLONG;
		return storage_failure(why, "use the directory", results_dir);
	}
	state->folder = folder_make(results_dir, why);
	if (state->folder < 0 || share_folder(state, why) < 0)
		return -1;
	return make_file(state, state->folder, results_dir, why);
}

static int set_up(struct state *state, int *version_r)
{
	int status = sqlite3_exec(state->db, pragmas, NULL, NULL, NULL);

	return status == SQLITE_OK ? state_migrate(state, version_r) : status;
}

/* Two processes that make the database at the same moment: SQLite gives up at once, whatever the
 * busy timeout, where waiting could be a deadlock. */
static int set_up_patiently(struct state *state, int *version_r)
{
	struct deadline patience = deadline_in(PATIENCE_MS * NS_PER_MS);
	int status;

	while (((status = set_up(state, version_r)) & 0xff) == SQLITE_BUSY &&
		!deadline_passed(patience))
		clock_sleep_until(deadline_in(BUSY_PAUSE));
	return status;
}

static int open_database(struct state *state, struct failure *why)
{
	int version = 0, status;

	status = sqlite3_open_v2(state->path, &state->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (state->db == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	sqlite3_busy_timeout(state->db, PATIENCE_MS);
	if (status == SQLITE_OK)
		status = set_up_patiently(state, &version);
	if (status == SQLITE_MISMATCH)
		return mismatch_failure(state, version, why);
	return status == SQLITE_OK ? 0 : state_failure(state, status, why);
}

struct state *state_open(const char *results_dir, struct failure *why)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	state->folder = -1;
	if (prepare_file(state, results_dir, why) < 0 || open_database(state, why) < 0)
		state_close(&state);
	return state;
}

/* --- to read ---------------------------------------------------------------------------- */

static int look_only(struct state *state, struct failure *why)
{
	int version = 0, status;

	/* For writing as far as we may: a last reader who may not leaves the log's files behind. */
	status = sqlite3_open_v2(state->path, &state->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (state->db == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	sqlite3_busy_timeout(state->db, PATIENCE_MS);
	if (status == SQLITE_OK)
		status = sqlite3_exec(state->db, "PRAGMA temp_store=MEMORY; BEGIN", NULL, NULL,
			NULL);
	if (status == SQLITE_OK)
		status = state_look(state, &version);
	if (status == SQLITE_MISMATCH)
		return mismatch_failure(state, version, why);
	return status == SQLITE_OK ? 0 : state_failure(state, status, why);
}

struct state *state_open_to_read(const char *results_dir, struct failure *why)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	state->folder = -1;
	snprintf(state->path, sizeof(state->path), "%s/state.db", results_dir);
	if (access(state->path, F_OK) < 0) {
		storage_failure(why, "open", state->path);
		free(state);
		return NULL;
	}
	if (look_only(state, why) < 0)
		state_close(&state);
	return state;
}

/* --- to try something out --------------------------------------------------------------- */

/* Never shared and never opened again: neither locks, nor a journal to roll back by. */
static const char scratch_pragmas[] = "PRAGMA journal_mode=OFF;"
				      "PRAGMA synchronous=OFF;"
				      "PRAGMA cache_size=-65536;"
				      "PRAGMA foreign_keys=ON;";

static int open_scratch(struct state *state, struct failure *why)
{
	int version = 0, status;

	/* No name: a private database that SQLite removes. */
	status = sqlite3_open_v2("", &state->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			SQLITE_OPEN_EXRESCODE,
		NULL);
	if (state->db == NULL)
		return failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
	if (status == SQLITE_OK)
		status = sqlite3_exec(state->db, scratch_pragmas, NULL, NULL, NULL);
	if (status == SQLITE_OK)
		status = state_migrate(state, &version);
	/* Each end of a transaction goes through all pages. */
	if (status == SQLITE_OK)
		status = sqlite3_exec(state->db, "BEGIN", NULL, NULL, NULL);
	state->one_transaction = status == SQLITE_OK;
	return status == SQLITE_OK ? 0 : state_failure(state, status, why);
}

struct state *state_open_scratch(struct failure *why)
{
	struct state *state = calloc(1, sizeof(*state));

	if (state == NULL) {
		failure_set(why, ERROR_LOCAL_RESOURCE, "out of memory");
		return NULL;
	}
	state->folder = -1;
	snprintf(state->path, sizeof(state->path), "a temporary database");
	if (open_scratch(state, why) < 0)
		state_close(&state);
	return state;
}

void state_close(struct state **state)
{
	if (*state == NULL)
		return;
	state_forget_prepared(*state);
	sqlite3_close((*state)->db);
	/* A child that was forked meanwhile shares the open folder: closing alone would leave the
	 * lock with it. */
	if ((*state)->folder >= 0) {
		flock((*state)->folder, LOCK_UN);
		close((*state)->folder);
	}
	free(*state);
	*state = NULL;
}

void state_know_facts(struct state *state, const struct field *(*facts)(const char *step_type))
{
	state->step_facts = facts;
}

int state_begin(struct state *state, struct failure *why)
{
	int status = SQLITE_OK;

	if (!state->one_transaction)
		status = sqlite3_exec(state->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	return status == SQLITE_OK ? 0 : state_failure(state, status, why);
}

int state_finish(struct state *state, int result, struct failure *why)
{
	int status;

	if (state->one_transaction)
		return result;
	if (result == 0) {
		status = sqlite3_exec(state->db, "COMMIT", NULL, NULL, NULL);
		if (status == SQLITE_OK)
			return 0;
		state_failure(state, status, why);
	}
	/* SQLite may have rolled back by itself: then this is refused, which is fine. */
	if (sqlite3_get_autocommit(state->db) == 0)
		sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}
