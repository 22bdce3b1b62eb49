/* attribute - which part of a platform explains that a run was slow.
 *
 * What was unusual in a run is put beside what was as usual. Every slow part could be due to one
 * or two suspects (the server that had a mail, or the next one that was slow to take it); a
 * suspect is named if it explains all that was slow, and nothing that it took part in was fine.
 * Otherwise nobody is named. */
#ifndef MAILPROBE_ATTRIBUTE_H
#define MAILPROBE_ATTRIBUTE_H

#include <jansson.h>

#include "failure.h"
#include "limit.h"
#include "state.h"

/* Adds `attribution` to a result record if there is one; before the record is in the history. -1 if
 * the history cannot be read. */
int attribute_result(
	struct state *state, const struct limit_list *limits, json_t *record, struct failure *why);

#endif
