/* state - the embedded store, <results>/state.db (SQLite): ledger, history, rules' state.
 *
 * Several mailprobe processes may have it open at once. Write-ahead log, synchronous=FULL:
 * what a call has committed survives a power cut. A call waits 5 s for another process at most.
 */
#ifndef MAILPROBE_STATE_H
#define MAILPROBE_STATE_H

#include "failure.h"
#include "field.h"

struct state;

/* Opens or makes the database and brings its schema up to date; a database of a newer version
 * is refused, a damaged one is left as it is. The folder is made if it is missing. Fails with
 * local.storage. */
struct state *state_open(const char *results_dir, struct failure *why);

/* Opens an existing database to look at it, beside whoever writes to it: makes nothing, changes
 * nothing, migrates nothing. What is read through it until it is closed is of one instant. Fails
 * with local.storage. */
struct state *state_open_to_read(const char *results_dir, struct failure *why);

/* A store that nobody else sees, and that goes when it is closed: for what is only tried out. Lies
 * in memory up to 64 MB, then in a temporary file without a name; nothing is synced, and nothing can be
 * undone: after a failure it is of no more use. Fails with local.storage. */
struct state *state_open_scratch(struct failure *why);

void state_close(struct state **state);

/* The store lies below the step types, so it has to be told what they add to their records:
 * `facts` gives the table of a type, or NULL. Its FIELD_METRIC fields are then kept too. */
void state_know_facts(struct state *state, const struct field *(*facts)(const char *step_type));

#endif
