/* watch_trend - what limits ask of the trend: found out once an hour, and kept for its other runs.
 *
 * A trend takes longer than all else that is asked after a run, and growth, steps and what is usual at
 * an hour do not change from one run to the next.
 */
#ifndef MAILPROBE_WATCH_TREND_H
#define MAILPROBE_WATCH_TREND_H

#include <jansson.h>

#include "failure.h"
#include "judge.h"
#include "scenario.h"
#include "watch_event.h"

/* The name under which it is kept beside the rules' memories; no limit can have it. */
#define WATCH_TREND_RULE "*"

/* What is known after this run: fresh at the first run of an hour that counts. The object of metrics
 * is a new reference, or NULL if no limit asks for any. */
int watch_trend(const struct watcher *watcher, const struct scenario *scenario, json_t **metrics_r,
	bool *fresh_r, struct failure *why);

#endif
