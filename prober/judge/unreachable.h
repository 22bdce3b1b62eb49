/* unreachable - what a run could not try, since something before it was in the way.
 *
 * A step that was skipped, and one that failed for the reason and at the server that an earlier step of
 * the run had failed at: that is one trouble, not two.
 */
#ifndef MAILPROBE_UNREACHABLE_H
#define MAILPROBE_UNREACHABLE_H

#include <stdbool.h>

#include <jansson.h>

/* Ids of such steps of a result record: a new list. */
json_t *unreachable_steps(const json_t *record);

/* Whether a metric is one of such a step. */
bool is_unreachable(const json_t *record, const char *metric);

#endif
