#include "statement.h"

#include <string.h>

#include <sqlite3.h>

#include "state_private.h"

#include "ban.h"

static void settle(struct statement *statement, int status)
{
	if (statement->status == SQLITE_OK && status != SQLITE_ROW && status != SQLITE_DONE)
		statement->status = status;
}

/* --- kept for the next time ------------------------------------------------------------ */

static sqlite3_stmt *take_prepared(struct state *state, const char *sql)
{
	for (size_t i = 0; i < STATE_PREPARED; i++) {
		sqlite3_stmt *handle = state->prepared[i];

		if (handle == NULL || strcmp(sqlite3_sql(handle), sql) != 0)
			continue;
		state->prepared[i] = NULL;
		return handle;
	}
	return NULL;
}

static void keep_prepared(struct state *state, sqlite3_stmt *handle)
{
	sqlite3_stmt **place = &state->prepared[state->next_prepared];

	sqlite3_reset(handle);
	sqlite3_clear_bindings(handle);
	for (size_t i = 0; i < STATE_PREPARED && *place != NULL; i++)
		place = &state->prepared[(state->next_prepared + i) % STATE_PREPARED];
	state->next_prepared = (state->next_prepared + 1) % STATE_PREPARED;
	sqlite3_finalize(*place);
	*place = handle;
}

void state_forget_prepared(struct state *state)
{
	for (size_t i = 0; i < STATE_PREPARED; i++) {
		sqlite3_finalize(state->prepared[i]);
		state->prepared[i] = NULL;
	}
}

/* --- one statement --------------------------------------------------------------------- */

void statement_begin(struct statement *statement, struct state *state, const char *sql)
{
	*statement = (struct statement){.state = state, .status = SQLITE_OK};
	statement->handle = take_prepared(state, sql);
	if (statement->handle == NULL)
		settle(statement, sqlite3_prepare_v2(state->db, sql, -1, &statement->handle, NULL));
}

void statement_bind_text(struct statement *statement, const char *value)
{
	if (statement->status == SQLITE_OK)
		settle(statement,
			sqlite3_bind_text(
				statement->handle, ++statement->bound, value, -1, SQLITE_STATIC));
}

void statement_bind_integer(struct statement *statement, int64_t value)
{
	if (statement->status == SQLITE_OK)
		settle(statement, sqlite3_bind_int64(statement->handle, ++statement->bound, value));
}

void statement_bind_blob(struct statement *statement, const void *bytes, size_t size)
{
	if (statement->status == SQLITE_OK)
		settle(statement,
			sqlite3_bind_blob64(
				statement->handle, ++statement->bound, bytes, size, SQLITE_STATIC));
}

bool statement_row(struct statement *statement)
{
	int status;

	if (statement->status != SQLITE_OK)
		return false;
	status = sqlite3_step(statement->handle);
	settle(statement, status);
	return status == SQLITE_ROW;
}

const char *statement_text(struct statement *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement->handle, column);

	return text != NULL ? (const char *)text : "";
}

int64_t statement_integer(struct statement *statement, int column)
{
	return sqlite3_column_int64(statement->handle, column);
}

const void *statement_blob(struct statement *statement, int column, size_t *size_r)
{
	const void *bytes = sqlite3_column_blob(statement->handle, column);

	*size_r = (size_t)sqlite3_column_bytes(statement->handle, column);
	return bytes;
}

int statement_end(struct statement *statement, struct failure *why)
{
	int result = 0;

	/* Before it is finalised: that would clear the connection's error. */
	if (statement->status != SQLITE_OK)
		result = state_failure(statement->state, statement->status, why);
	if (result == 0 && statement->handle != NULL)
		keep_prepared(statement->state, statement->handle);
	else
		sqlite3_finalize(statement->handle);
	statement->handle = NULL;
	return result;
}

int statement_run(struct statement *statement, struct failure *why)
{
	statement_row(statement);
	return statement_end(statement, why);
}
