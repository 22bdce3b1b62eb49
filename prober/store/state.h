/* state - the embedded store, <results>/state.db (SQLite): ledger, history, rules' state.
 *
 * Several mailprobe processes may have it open at once. Write-ahead log, synchronous=FULL:
 * what a call has committed survives a power cut.
 */
#ifndef MAILPROBE_STATE_H
#define MAILPROBE_STATE_H

#include "failure.h"

struct state;

/* Opens or makes the database and brings its schema up to date; a database of a newer version
 * is refused. Fails with local.storage. */
struct state *state_open(const char *results_dir, struct failure *why);
void state_close(struct state **state);

#endif
