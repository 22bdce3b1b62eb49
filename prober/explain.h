/* explain - why an event is what it is: the limit in words, every data point that it rests on, what
 * the newest data say, and what would clear it. */
#ifndef MAILPROBE_EXPLAIN_H
#define MAILPROBE_EXPLAIN_H

#include <jansson.h>

#include "failure.h"
#include "incident.h"
#include "state.h"

/* Explains a revision of the event that a limit has made (0: the newest one that it was told by while
 * it was open). What people have answered in between explains nothing, and means the one before. A
 * new object; docs/operating.md has its keys. NULL with local.storage, or with ERROR_NONE if there
 * is no such revision. `state` may be NULL: then how many good results there have been is not
 * known. */
json_t *explain(const char *results_dir, struct state *state, const struct incident *incident,
	json_int_t revision, struct failure *why);

#endif
