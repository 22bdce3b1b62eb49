/* history_private - rows of runs for the files of this room. */
#ifndef MAILPROBE_HISTORY_PRIVATE_H
#define MAILPROBE_HISTORY_PRIVATE_H

#include "history.h"

/* All runs with an id (series.h) in [first, end), by id. */
int history_each(struct state *state, int64_t first, int64_t end,
	void (*each)(void *context, const struct history_row *row), void *context,
	struct failure *why);

#endif
