/* state_private - what the files of this room share of the store. */
#ifndef MAILPROBE_STATE_PRIVATE_H
#define MAILPROBE_STATE_PRIVATE_H

#include <limits.h>
#include <stdbool.h>

#include <sqlite3.h>

#include "failure.h"
#include "state.h"

struct field;

#define STATE_PREPARED 32

struct state {
	sqlite3 *db;
	/* Statements that have been used before and are not in use: to compile one takes longer than
	 * to run it. */
	sqlite3_stmt *prepared[STATE_PREPARED];
	size_t next_prepared; /* whose place goes to a new one, if all are taken */
	char path[PATH_MAX];
	int folder; /* holds a shared lock: nobody replaces the database meanwhile; -1: none */
	bool one_transaction; /* for its whole life: state_begin and state_finish do nothing */
	const struct field *(*step_facts)(const char *step_type); /* or NULL */
};

/* local.storage, and a sentence that says what to do about this result code of SQLite. Always
 * returns -1. */
int state_failure(struct state *state, int code, struct failure *why);

/* A transaction for writing. What was begun is ended by state_finish: committed and on disk if
 * `result` is 0, otherwise undone. Returns 0 only if it is committed. */
int state_begin(struct state *state, struct failure *why);
int state_finish(struct state *state, int result, struct failure *why);

/* Those that are kept; before the database is closed. */
void state_forget_prepared(struct state *state);

/* Brings the schema up to date. A result code of SQLite; SQLITE_MISMATCH if the file is a newer
 * version's or not ours (then *version_r is that version). */
int state_migrate(struct state *state, int *version_r);

/* Only looks whether the schema is that of this version, within a transaction. As state_migrate;
 * *version_r is -1 if it is an older one's. */
int state_look(struct state *state, int *version_r);

#endif
