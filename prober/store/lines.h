/* lines - the public record: JSON Lines, <results>/<customer>/<scenario>/YYYY-MM-DD.jsonl. */
#ifndef MAILPROBE_LINES_H
#define MAILPROBE_LINES_H

#include <jansson.h>

#include "failure.h"

/* Appends the result record of a run to the file of its UTC day: one write(2), fsync, and an
 * fsync of each directory that was made. If the file ends in a torn line (a crash), the torn
 * part is moved to <file>.torn first. Fails with local.storage. */
int lines_append_result(const char *results_dir, const json_t *record, struct failure *why);

/* The same for <results>/events.jsonl. */
int lines_append_event(const char *results_dir, const json_t *event, struct failure *why);

/* Rewrites <results>/<customer>/<scenario>/trend.json: temporary file, fsync, rename. */
int lines_replace_trend(const char *results_dir, const json_t *trend, struct failure *why);

#endif
