/* statement - one SQL statement from its text to its failure, the same way everywhere.
 *
 *	struct statement query;
 *
 *	statement_begin(&query, state, "SELECT state FROM mails WHERE mail = ?");
 *	statement_bind_text(&query, mail);
 *	while (statement_row(&query))
 *		... statement_text(&query, 0) ...
 *	return statement_end(&query, why);
 *
 * The first error sticks: what follows does nothing, and statement_end tells it.
 */
#ifndef MAILPROBE_STATEMENT_H
#define MAILPROBE_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct state;
struct sqlite3_stmt;

struct statement {
	struct state *state;
	struct sqlite3_stmt *handle;
	int bound;  /* parameters so far */
	int status; /* of SQLite; the first error */
};

void statement_begin(struct statement *statement, struct state *state, const char *sql);

/* Each binds the next parameter. Text and blobs must live until statement_end; NULL binds
 * NULL. */
void statement_bind_text(struct statement *statement, const char *value);
void statement_bind_integer(struct statement *statement, int64_t value);
void statement_bind_blob(struct statement *statement, const void *bytes, size_t size);

/* True if there is another row. */
bool statement_row(struct statement *statement);

/* Columns of the row, from 0. Text is never NULL; it and blobs live until the next row. */
const char *statement_text(struct statement *statement, int column);
int64_t statement_integer(struct statement *statement, int column);
const void *statement_blob(struct statement *statement, int column, size_t *size_r);

/* Frees it. 0, or -1 with local.storage if anything went wrong. */
int statement_end(struct statement *statement, struct failure *why);

/* statement_row once, for a statement that yields no rows, then statement_end. */
int statement_run(struct statement *statement, struct failure *why);

#endif
