/* history_long - windows of any length, at a cost that does not grow with them: by roll-ups
 * (rollup_store.h), and rows for what is not rolled up yet. */
#ifndef MAILPROBE_HISTORY_LONG_H
#define MAILPROBE_HISTORY_LONG_H

#include <stdint.h>

#include "failure.h"
#include "quantile.h"
#include "rollup.h"
#include "series.h"
#include "state.h"

/* Up to this length, the rows themselves are cheap enough to read (history_samples). */
#define HISTORY_EXACT_SPAN (INT64_C(25) * 3600 * 1000000000)

/* [begin, end]; it begins with a full hour, UTC. */
struct history_window {
	int64_t begin_ns, end_ns;
};

/* The longest window that ends then and is not longer: less than an hour is missing. */
struct history_window history_window(int64_t end_ns, int64_t length_ns);

/* All runs of the window, and the values of one metric (NULL: of none). rollup_free in any case. */
int history_long(struct state *state, const struct series_key *key, const char *metric,
	const struct history_window *window, struct rollup *rollup_r, struct failure *why);

/* By nearest rank, as quantile.h, of a metric that has values; at most 1.083 % off, the smallest
 * and the largest one exactly. It is a lower bound if a censored value may lie at or below it. */
struct quantile history_quantile(const struct rollup_metric *metric, unsigned int percent);

#endif
